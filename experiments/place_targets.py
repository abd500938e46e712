"""Is GeoCLIP's released location encoder a better target for the image head than one learned here? Recall by area.

    python experiments/place_targets.py --photos ../shared/photos --cache /tmp/gtloc-small

Makes the figures of docs/decisions/0052-witnesses-and-targets.md. Needs the package geoclip 1.3.0 (MIT), of which
the location encoder alone is used. Heads are cross-fitted by source; places told are ranked over 6,000 points
spread evenly over the land, and the area ranked before the true place is what counts: it needs no threshold, and a
tool that may say "in this tenth of the land" is judged by it.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import claims
import crossfit
import heads
import held_out
import judgement
import numpy as np
import sky
import targets
import torch
from held_out import HeldOut, with_interval
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from gtloc_forensics.earth.globe import distance_km
from gtloc_forensics.earth.sphere import fibonacci_points
from gtloc_forensics.modelling import calibrating
from gtloc_forensics.modelling.calibrating import Trials
from gtloc_forensics.vision import convert, install
from gtloc_forensics.vision.encoders import LocationEncoder

Floats = NDArray[np.float64]

SEED, TEST_FOLDS = 11, 10
STEPS, BATCH, RATE, DECAY = 400, 256, 2e-3, 0.05
DROPPED = 0.7
HIDDEN = 256
KERNEL_KM = 400.0
COMPONENTS = 64  # of the features: a regression over a thousand cells learns no more from four thousand photos
RIDGE = 1e-4
SHARES = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5)
LAND_KM2 = 149e6


def main() -> None:
    """Print the tables."""
    asked = held_out.asked(__doc__)
    report(held_out.load(asked.photos, asked.cache))


def report(told: HeldOut) -> None:
    """Print recall by area and the curve for claims of place, for each way of telling a place."""
    photos, fitted = told.photos, told.fitted
    aims = targets.build(photos, fitted.datable)
    near = kernel(fitted.places)
    ways: dict[str, Floats] = {"constant: where photos are learned from": constants(told, aims, near)}
    ways["today: encoder learned with the times"] = fitted.place_cosines.astype(np.float64)
    for name, scores in trained(told, aims).items():
        ways[name] = scores
    ways["cells with soft labels"] = np.log(_cells(told, aims) @ near + 1e-12)
    ways["cells, re-ranked by GeoCLIP's space"] = ways["cells with soft labels"] + _log_softmax(ways[GEOCLIP])
    slices = {
        "people's photos judged datable": told.rows & np.isfinite(photos.latitude_deg) & (photos.kind == "photo"),
        "all people's photos": np.isfinite(photos.latitude_deg) & (photos.kind == "photo"),
    }
    for name, rows in slices.items():
        _print_slice(told, ways, name, rows)
    _print_claims(told, ways)


# --------------------------------------------------------------------------- ways of telling a place

GEOCLIP, OWN = "GeoCLIP's encoder, frozen, as target", "encoder learned here, places alone"


def trained(told: HeldOut, aims: targets.Targets) -> dict[str, Floats]:
    """Return held-out logits over the land ``[N, 6000]`` of image heads with either target space."""
    photos, fitted = told.photos, told.fitted
    cells = torch.tensor(np.stack(fibonacci_points(targets.PLACE_CELLS), axis=1), dtype=torch.float32)
    land = torch.from_numpy(np.ascontiguousarray(fitted.places))
    released = geoclip_encoder()
    with torch.no_grad():
        frozen = [functional.normalize(released(points), dim=-1) for points in (cells, land)]
    features = torch.from_numpy(told.standard / told.standard.std())
    found = {name: np.zeros((len(photos), len(land))) for name in (GEOCLIP, OWN)}
    for number in [*range(int(fitted.fold.max()) + 1), -1]:
        rows = np.flatnonzero((photos.split == "train") & (fitted.fold != number) & (aims.place_weight > 0))
        there = fitted.fold == number
        for name, logits in found.items():
            head = PlaceHead(features.shape[1], frozen=frozen[0] if name == GEOCLIP else None)
            _train(head, features, aims, rows, cells)
            with torch.no_grad():
                points = frozen[1] if name == GEOCLIP else head.points(land)
                logits[there] = head.logits(features[there], points).numpy()
    return found


class PlaceHead(nn.Module):
    """An image head into a space of places, which is given or learned."""

    def __init__(self, features: int, *, frozen: torch.Tensor | None) -> None:
        """Lay out the layers."""
        super().__init__()
        torch.manual_seed(SEED)
        spec = heads.MANIFEST.location_encoder
        assert spec is not None
        size = heads.EMBEDDING if frozen is None else frozen.shape[1]
        self.first, self.second = nn.Linear(features, HIDDEN), nn.Linear(HIDDEN, size)
        self.encoder = LocationEncoder(spec, size=size) if frozen is None else None
        self.frozen = frozen
        self.log_scale = nn.Parameter(torch.tensor(float(np.log(10.0))))

    def points(self, degrees: torch.Tensor) -> torch.Tensor:
        """Return unit vectors of places."""
        if self.encoder is None:
            assert self.frozen is not None
            return self.frozen
        return functional.normalize(self.encoder(degrees), dim=-1)

    def logits(self, features: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """Return how far pictures suit places."""
        hidden = torch.relu(self.first(functional.dropout(features, DROPPED, self.training)))
        picture = functional.normalize(self.second(functional.dropout(hidden, DROPPED, self.training)), dim=-1)
        return self.log_scale.exp() * picture @ points.T


def _train(
    head: PlaceHead, features: torch.Tensor, aims: targets.Targets, rows: NDArray[np.int64], cells: torch.Tensor
) -> None:
    draw = np.random.default_rng(SEED)
    optimiser = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    heavy = aims.place_weight[rows] / aims.place_weight[rows].sum()
    head.train()
    for _ in range(STEPS):
        batch = draw.choice(rows, size=BATCH, p=heavy)
        logs = functional.log_softmax(head.logits(features[batch], head.points(cells)), dim=-1)
        loss = -(aims.place[batch] * logs).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    head.eval()


def geoclip_encoder() -> nn.Module:
    """Return GeoCLIP's location encoder from the files that its package carries."""
    files = install.geoclip_files(None)
    location, mlp = (
        torch.load(io.BytesIO(files[kind]), map_location="cpu", weights_only=True) for kind in ("location", "mlp")
    )
    found = convert.geoclip(location, mlp, torch.tensor(0.0), origin="geoclip 1.3.0")
    assert found.location_encoder is not None and found.image_head is not None
    encoder = LocationEncoder(found.location_encoder, size=found.image_head.widths[-1])
    head = "location_encoder."
    own = {name.removeprefix(head): value for name, value in found.tensors.items() if name.startswith(head)}
    encoder.load_state_dict(own)
    return encoder.eval()


def _cells(told: HeldOut, aims: targets.Targets) -> Floats:
    """Return held-out masses over 1,024 equal cells, a multinomial regression with soft haversine labels."""
    photos, fitted = told.photos, told.fitted
    mass = np.zeros((len(photos), targets.PLACE_CELLS), dtype=np.float32)
    target = aims.place.numpy()
    learnable = (photos.split == "train") & (aims.place_weight > 0)
    centred = told.standard - told.standard[learnable].mean(0)
    _, axes = np.linalg.eigh(centred[learnable].T @ centred[learnable])
    inputs = centred @ axes[:, -COMPONENTS:]
    for number in [*range(int(fitted.fold.max()) + 1), -1]:
        rows = (photos.split == "train") & (fitted.fold != number) & (aims.place_weight > 0)
        layer = sky.multinomial(inputs[rows], target[rows], aims.place_weight[rows], ridge=RIDGE)
        there = fitted.fold == number
        mass[there] = np.exp(layer.log_mass(inputs[there]))
    return mass


def constants(told: HeldOut, aims: targets.Targets, near: Floats) -> Floats:
    """Return, for each photo, where the photos lie that its heads learned from: the same for a whole fold."""
    photos, fitted = told.photos, told.fitted
    result = np.zeros((len(photos), near.shape[1]))
    for number in [*range(int(fitted.fold.max()) + 1), -1]:
        rows = (photos.split == "train") & (fitted.fold != number) & (aims.place_weight > 0)
        usual = np.average(aims.place.numpy()[rows], axis=0, weights=aims.place_weight[rows])
        result[fitted.fold == number] = np.log(usual @ near + 1e-12)
    return result


def kernel(places: NDArray[np.float32]) -> Floats:
    """Return how much each of the equal cells says of each point of the land ``[C, G]``."""
    latitude, longitude = fibonacci_points(targets.PLACE_CELLS)
    far = distance_km(
        latitude[:, None], longitude[:, None], second_latitude_deg=places[:, 0], second_longitude_deg=places[:, 1]
    )
    return np.asarray(np.exp(-far / KERNEL_KM))


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(1, keepdims=True)))


# --------------------------------------------------------------------------- figures


def _print_slice(told: HeldOut, ways: dict[str, Floats], name: str, rows: NDArray[np.bool_]) -> None:
    photos, places = told.photos, told.fitted.places
    group = photos.group[rows]
    truth = crossfit.nearest(photos, places, rows)
    areas = {way: area_before(scores[rows], truth) for way, scores in ways.items()}
    first = next(iter(ways))
    print(f"\n{name}: {int(rows.sum())} photos, {len(set(group.tolist()))} sources")
    print(
        "\n| way | "
        + " | ".join(f"within {share:.1%} of the land" for share in SHARES)
        + " | area under the curve | less the constant's | within 750 km | within 2500 km |"
    )
    print("|---|" + "---|" * (len(SHARES) + 4))
    for way, area in areas.items():
        figures = [with_interval(_mean_of((area <= share).astype(float), group), group, digits=2) for share in SHARES]
        figures.append(with_interval(_mean_of(1.0 - area, group), group))
        figures.append(with_interval(_mean_of(areas[first] - area, group), group))
        best = places[np.argmax(ways[way][rows], axis=1)]
        far = distance_km(
            photos.latitude_deg[rows], photos.longitude_deg[rows],
            second_latitude_deg=best[:, 0], second_longitude_deg=best[:, 1],
        )  # fmt: skip
        figures += [with_interval(_mean_of((far <= km).astype(float), group), group, digits=2) for km in (750, 2500)]
        print(f"| {way} | " + " | ".join(figures) + " |", flush=True)


def area_before(scores: Floats, truth: NDArray[np.int64]) -> Floats:
    """Return the share of the land that is ranked no later than the true place."""
    own = scores[np.arange(len(truth)), truth]
    return np.asarray((scores >= own[:, None]).mean(axis=1))


def _mean_of(values: Floats, group: NDArray[np.str_]) -> Callable[[NDArray[np.int64]], float]:
    weight = calibrating.source_weights(group)
    return lambda chosen: float(weight[chosen] @ values[chosen] / weight[chosen].sum())


def _print_claims(told: HeldOut, ways: dict[str, Floats]) -> None:
    """Print the curve and the cost of claims with another photo's place."""
    photos = told.photos
    drawn = np.array(claims.draw(photos, np.flatnonzero(told.rows), seed=judgement.SEED))
    photo, other, kind = drawn.T
    kept = (kind != 1) & np.isfinite(photos.latitude_deg[photo]) & np.isfinite(photos.latitude_deg[other])
    photo, other, kind = photo[kept], other[kept], kind[kept]
    everywhere = np.isfinite(photos.latitude_deg)
    cell = np.full(len(photos), -1)
    cell[everywhere] = crossfit.nearest(photos, told.fitted.places, everywhere)
    weight = calibrating.source_weights(photos.group[told.rows])
    print("\n| way | claims of another place: AUC | Cllr |\n|---|---|---|")
    for way, scores in ways.items():
        logs = _log_softmax(scores * (1.0 if way != TODAY else 1.0 / 0.05))
        usual = np.log(weight @ np.exp(logs[told.rows]))
        value = np.clip(logs[photo, cell[other]] - usual[cell[other]], -4.0, 4.0)
        trials = Trials(value, kind == 0, photos.group[photo])
        sided = calibrating.sided_weights(trials)
        folds = calibrating.source_folds(trials.group, count=TEST_FOLDS, seed=SEED)
        _, ratio = calibrating.held_out(trials, folds=folds)

        def area(rows: NDArray[np.int64], trials: Trials = trials, sided: Floats = sided) -> float:
            chosen = Trials(trials.score[rows], trials.true[rows], trials.group[rows])
            return calibrating.area_under_curve(chosen, sided[rows])

        def cost(
            rows: NDArray[np.int64], trials: Trials = trials, sided: Floats = sided, ratio: Floats = ratio
        ) -> float:
            return calibrating.cllr(ratio[rows], true=trials.true[rows], weights=sided[rows])

        print(f"| {way} | {with_interval(area, trials.group)} | {with_interval(cost, trials.group)} |", flush=True)


TODAY = "today: encoder learned with the times"


if __name__ == "__main__":
    main()
