"""Do climate, season and moon of a claim help to tell true claims from others? Held out by source.

    python experiments/climate_probes.py --photos ../shared/photos --cache /tmp/gtloc-small

Makes the figures of docs/decisions/0038-climate-of-the-place.md: a density over each quantity from the frozen
features, scored like the sun's height; claims encoded as physics, by GT-Loc's encoders, and both, trained alike; words
for the ground (snow, green, dry) whose weak labels are month and climate.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import claim_physics
import claims
import heads
import held_out
import judgement
import numpy as np
import sky
import torch
from claim_physics import Physics
from held_out import HeldOut, with_interval
from numpy.typing import NDArray
from photo_set import PhotoSet, group_weights
from scipy.stats import norm
from torch import nn
from torch.nn import functional

from gtloc_forensics.modelling import calibrating
from gtloc_forensics.modelling.calibrating import Trials
from gtloc_forensics.vision.density import PlaceTeller
from gtloc_forensics.vision.encoders import LocationEncoder, TimeEncoder

Floats = NDArray[np.float64]

RIDGE, CAP, SEED, TEST_FOLDS = 3e-4, 15.0, 11, 10
LIMIT = 4.0  # nats
COMPONENTS = 256
TIMES, PLACES = 1, 2

# Edges of cells, and how far a known value is blurred.
QUANTITIES: Mapping[str, tuple[tuple[float, ...], float]] = {
    "temperature of the month": ((-2.0, 3.0, 8.0, 13.0, 18.0, 23.0, 27.0), 2.0),
    "length of the day": ((9.0, 10.5, 12.0, 13.5, 15.0, 16.5), 0.5),
}


@dataclass(frozen=True)
class Claims:
    """Claims of :func:`claims.draw` about placed photos: of which, of which kind, and what they mean."""

    photo: NDArray[np.int64]
    kind: NDArray[np.int64]
    scores: Floats  # [C, 7], those of the program
    physics: Physics
    turns: NDArray[np.float32]  # [C, 2] of year and day
    degrees: NDArray[np.float32]  # [C, 2]


def main() -> None:
    """Print the tables."""
    asked = held_out.asked(__doc__)
    told = held_out.load(asked.photos, asked.cache)
    teller = PlaceTeller(told.fitted.places, cells=heads.MANIFEST.output.place_cells)
    usual = judgement.usual_of(told.photos, told.shown, told.rows, teller)
    report(told, judgement.judge(told.photos, told.shown, usual, told.rows))


def report(told: HeldOut, judged: judgement.Judged) -> None:
    """Print every table."""
    told = dataclasses.replace(told, standard=_components(told))
    found = drawn_claims(told, judged)
    true = found.kind == 0
    print(f"{int(true.sum())} photos with place and time, {len(set(told.photos.group[found.photo].tolist()))} sources")
    columns: dict[str, Floats] = {}
    for name, (edges, blur) in QUANTITIES.items():
        mass, usual = density(told, quantity(own_physics(told.photos), name), edges, blur)
        columns[name] = density_scores(mass, usual, quantity(found.physics, name), edges, found.photo)
    _season_words(told, found, columns)
    for name, column in encoded(told, found).items():
        columns[name] = column
    columns["the sun's height, pixels and exposure (ships)"] = found.scores[:, claims.NAMES.index("height_lit")]
    print("\n| score | time of another: AUC | Cllr | time and place: AUC | Cllr | added to the joint: AUC gain |")
    print("|---|---|---|---|---|---|")
    for name, column in columns.items():
        print(
            f"| {name} | {_curve(told, found, column, TIMES)} | {_curve(told, found, column, PLACES)} "
            f"| {_gain(told, found, column)} |",
            flush=True,
        )


def _components(told: HeldOut) -> NDArray[np.float32]:
    """Return the largest principal components of the features of `train`, for all photos ``[N, 256]``."""
    centred = told.standard - told.standard[told.photos.split == "train"].mean(0)
    learned = centred[told.photos.split == "train"]
    _, axes = np.linalg.eigh(learned.T @ learned)
    return np.ascontiguousarray(centred @ axes[:, -COMPONENTS:], dtype=np.float32)


# --------------------------------------------------------------------------- claims


def own_physics(photos: PhotoSet) -> Physics:
    """Return what every photo's own time and place mean."""
    return claim_physics.physics(photos.local_s, photos.offset_hours, photos.latitude_deg, photos.longitude_deg)


def drawn_claims(told: HeldOut, judged: judgement.Judged) -> Claims:
    """Return the claims that calibrate the model, of placed photos, with what they mean."""
    photos, rows = told.photos, np.flatnonzero(told.rows)
    drawn = np.array(claims.draw(photos, rows, seed=judgement.SEED))
    photo, other, kind = drawn.T
    place = np.where(kind == PLACES, other, photo)
    kept = np.isfinite(photos.latitude_deg[place]) & np.isfinite(photos.latitude_deg[photo])
    kept &= np.isfinite(photos.offset_hours[place]) & np.isfinite(photos.elevation_deg[photo])
    photo, other, kind, place = photo[kept], other[kept], kind[kept], place[kept]
    return Claims(photo, kind, judged.scored.scores[kept], *meaning(photos, other, place))


def meaning(
    photos: PhotoSet, time_of: NDArray[np.int64], place_of: NDArray[np.int64]
) -> tuple[Physics, NDArray[np.float32], NDArray[np.float32]]:
    """Return physics, turns and degrees of claims with the time of one photo and the place of another."""
    physics = claim_physics.physics(
        photos.local_s[time_of],
        photos.offset_hours[place_of],
        photos.latitude_deg[place_of],
        photos.longitude_deg[place_of],
    )
    turns = np.stack([photos.year_turn[time_of], photos.day_turn[time_of]], axis=1)
    degrees = np.stack([photos.latitude_deg[place_of], photos.longitude_deg[place_of]], axis=1)
    return physics, turns.astype(np.float32), degrees.astype(np.float32)


def quantity(physics: Physics, name: str) -> Floats:
    """Return one quantity by its name in the tables."""
    return {
        "temperature of the month": physics.temperature_c,
        "length of the day": physics.day_length_h,
    }[name]


# --------------------------------------------------------------------------- a density over one quantity


def density(told: HeldOut, value: Floats, edges: tuple[float, ...], blur: float) -> tuple[Floats, Floats]:
    """Return held-out masses ``[N, C]`` of every photo and the usual mass ``[C]``, learned from placed photos."""
    bounds = np.array([-np.inf, *edges, np.inf])
    target = np.diff(norm.cdf((bounds[None] - np.nan_to_num(value)[:, None]) / blur), axis=1)
    photos = told.photos
    weight = np.isfinite(value) * group_weights(photos.group, cap=CAP)
    weight *= np.where(photos.kind == "webcam", 1.0, 0.15 + 0.85 * told.fitted.datable)
    mass = np.zeros(target.shape)
    for number in [*range(int(told.fitted.fold.max()) + 1), -1]:
        rows = (photos.split == "train") & (told.fitted.fold != number) & (weight > 0)
        layer = sky.multinomial(told.standard[rows], target[rows], weight[rows], ridge=RIDGE)
        there = told.fitted.fold == number
        mass[there] = np.exp(layer.log_mass(told.standard[there]))
    people = (photos.kind == "photo") & (weight > 0)
    usual = np.average(mass[people], axis=0, weights=weight[people])
    return mass, usual / usual.sum()


def density_scores(
    mass: Floats, usual: Floats, value: Floats, edges: tuple[float, ...], photo: NDArray[np.int64]
) -> Floats:
    """Return log ratios at claimed values, between the middles of the cells."""
    step = float(np.diff(edges).mean())
    middles = np.array(
        [edges[0] - step / 2.0, *(np.array(edges[1:]) + np.array(edges[:-1])) / 2.0, edges[-1] + step / 2.0]
    )
    ratio = np.log(np.maximum(mass, 1e-9) / usual)
    found = [np.interp(at, middles, ratio[row]) for at, row in zip(value, photo, strict=True)]
    return np.clip(np.array(found), -LIMIT, LIMIT)


# --------------------------------------------------------------------------- words for the ground


def _season_words(told: HeldOut, found: Claims, columns: dict[str, Floats]) -> None:
    """Add scores of words read from pixels whose weak labels are climate and month; print whether they are told."""
    photos, own = told.photos, own_physics(told.photos)
    outdoors = told.fitted.datable > 0.5
    warm, wet = own.temperature_c, own.precipitation_mm
    cold_winter = photos.label == "season:winter"
    green = (warm > 12.0) & (wet > 50.0)
    words = {
        "snow": ((warm < -1.0) | cold_winter, (warm > 9.0) | np.isin(photos.label, ["season:summer", "season:spring"])),
        "green": (
            green | (photos.label == "season:summer"),
            (warm < 4.0) | ((warm > 12.0) & (wet < 20.0)) | cold_winter,
        ),
        "dry": ((warm > 14.0) & (wet < 20.0), (warm > 14.0) & (wet > 70.0)),
    }
    print("\n| word | photos asked, sources | AUC against its weak label |")
    print("|---|---|---|")
    for word, (yes, no) in words.items():
        share = word_share(told, yes & outdoors, no & outdoors)
        asked = (yes | no) & outdoors & (photos.kind == "photo")
        trials = Trials(share[asked], yes[asked], photos.group[asked])

        def curve(rows: NDArray[np.int64], trials: Trials = trials) -> float:
            return calibrating.area_under_curve(Trials(trials.score[rows], trials.true[rows], trials.group[rows]))

        print(
            f"| {word} | {int(yes[asked].sum())} yes of {len(set(photos.group[asked & yes].tolist()))}, "
            f"{int(no[asked].sum())} no of {len(set(photos.group[asked & no].tolist()))} "
            f"| {with_interval(curve, trials.group)} |",
            flush=True,
        )
        allowed = {
            "snow": found.physics.temperature_c < 4.0,
            "green": (found.physics.temperature_c > 8.0) & (found.physics.precipitation_mm > 30.0),
            "dry": (found.physics.temperature_c > 14.0) & (found.physics.precipitation_mm < 40.0),
        }[word]
        logit = np.log(np.clip(share, 1e-4, 1 - 1e-4) / np.clip(1.0 - share, 1e-4, 1 - 1e-4))
        columns[f"{word}, against what the claim allows"] = np.where(allowed, 1.0, -1.0) * logit[found.photo]


def word_share(told: HeldOut, yes: NDArray[np.bool_], no: NDArray[np.bool_]) -> Floats:
    """Return the held-out probability of a word ``[N]``, both answers equally heavy."""
    photos = told.photos
    source = np.char.add(photos.group, np.where(yes, "y", "n"))
    weight = (yes | no) * group_weights(source, cap=CAP)
    result = np.zeros(len(photos))
    for number in [*range(int(told.fitted.fold.max()) + 1), -1]:
        rows = (photos.split == "train") & (told.fitted.fold != number) & (weight > 0)
        heavy = weight[rows] * np.where(
            yes[rows], 0.5 / weight[rows][yes[rows]].sum(), 0.5 / weight[rows][no[rows]].sum()
        )
        target = np.stack([no[rows], yes[rows]], axis=1).astype(np.float64)
        layer = sky.multinomial(told.standard[rows], target, heavy, ridge=RIDGE)
        there = told.fitted.fold == number
        result[there] = np.exp(layer.log_mass(told.standard[there]))[:, 1]
    return result


# --------------------------------------------------------------------------- claims encoded

OTHERS, STEPS, BATCH, WIDTH, RATE = 12, 200, 128, 64, 2e-3
FEATURES_DROPPED, HIDDEN_DROPPED, CLAIM_DROPPED = 0.8, 0.5, 0.2
HIDDEN = 128
USUAL = 400  # pictures that say how usual a claim is
ENCODERS = {"GT-Loc's encoders": (True, False), "physics": (False, True), "both": (True, True)}


class Judge(nn.Module):
    """Pictures and claims in one space: the same picture's side and training, whatever encodes the claim."""

    def __init__(self, *, features: int, knots: int, physics: int, is_fourier: bool, is_physics: bool) -> None:
        """Lay out the layers."""
        super().__init__()
        self.seen, self.lit = nn.Linear(features, HIDDEN), nn.Linear(knots, HIDDEN)
        self.picture = nn.Linear(HIDDEN, WIDTH)
        spec = heads.MANIFEST
        assert spec.time_encoder is not None and spec.location_encoder is not None
        self.time = TimeEncoder(spec.time_encoder, size=WIDTH) if is_fourier else None
        self.place = LocationEncoder(spec.location_encoder, size=WIDTH) if is_fourier else None
        layers = nn.Linear(physics, HIDDEN), nn.ReLU(), nn.Dropout(CLAIM_DROPPED), nn.Linear(HIDDEN, WIDTH)
        self.physics = nn.Sequential(*layers) if is_physics else None
        self.log_scale = nn.Parameter(torch.tensor(1.0))

    def pictures(self, features: torch.Tensor, knots: torch.Tensor) -> torch.Tensor:
        """Return unit vectors of pictures."""
        dropped = functional.dropout(features, FEATURES_DROPPED, self.training)
        hidden = torch.relu(self.seen(dropped) + self.lit(knots))
        return functional.normalize(self.picture(functional.dropout(hidden, HIDDEN_DROPPED, self.training)), dim=-1)

    def claims(self, physics: torch.Tensor, turns: torch.Tensor, degrees: torch.Tensor) -> torch.Tensor:
        """Return unit vectors of claims: the sum of what encodes them."""
        parts = [] if self.physics is None else [self.physics(physics)]
        if self.time is not None and self.place is not None:
            parts += [functional.normalize(self.time(turns), dim=-1), functional.normalize(self.place(degrees), dim=-1)]
        return functional.normalize(torch.stack(parts).sum(0), dim=-1)


def encoded(told: HeldOut, found: Claims) -> dict[str, Floats]:
    """Return scores of all claims by three encoders of a claim, each trained to pick the true one of 13."""
    photos = told.photos
    weight = np.isfinite(photos.elevation_deg) * np.isin(photos.kind, ["photo", "webcam"]) * (photos.split == "train")
    weight = weight * group_weights(photos.group, cap=CAP) * (0.15 + 0.85 * told.fitted.datable)
    learned = np.flatnonzero(weight > 0)
    time_of, place_of = _candidates(photos, learned)
    pool = _tensors(*meaning(photos, time_of.ravel(), place_of.ravel()))
    pool = tuple(part.reshape(len(learned), OTHERS + 1, -1) for part in pool)
    knots = torch.from_numpy(sky.knots(photos)[0]).float()
    features = torch.from_numpy(told.standard) * features_scale(told.standard)
    asked = _tensors(found.physics, found.turns, found.degrees)
    columns = {}
    for name, (is_fourier, is_physics) in ENCODERS.items():
        column = np.zeros(len(found.photo))
        for number in [*range(int(told.fitted.fold.max()) + 1), -1]:
            torch.manual_seed(SEED)
            net = Judge(
                features=features.shape[1], knots=knots.shape[1], physics=pool[0].shape[-1],
                is_fourier=is_fourier, is_physics=is_physics,
            )  # fmt: skip
            inside = told.fitted.fold[learned] != number
            _train(net, features, knots, learned, pool, np.where(inside, weight[learned], 0.0))
            there = np.flatnonzero(told.fitted.fold[found.photo] == number)
            others = np.random.default_rng(SEED).choice(learned[inside], USUAL, replace=False)
            with torch.no_grad():
                pictures = net.pictures(features[found.photo[there]], knots[found.photo[there]])
                usual = net.pictures(features[others], knots[others])
                vectors = net.claims(*(part[there] for part in asked))
                scale = net.log_scale.exp()
                # Less what other pictures say of the claim: one that no picture was learned with suits none.
                level = torch.logsumexp(scale * vectors @ usual.T, dim=1) - float(np.log(USUAL))
                column[there] = (scale * (pictures * vectors).sum(-1) - level).numpy()
        columns[f"{name}, pixels and exposure"] = column
    return columns


def features_scale(standard: NDArray[np.float32]) -> float:
    """Return what brings each feature to about unit size; the image head has them at unit length."""
    return float(1.0 / standard.std())


def _candidates(photos: PhotoSet, learned: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return whose time and whose place each of 13 claims about a photo has, the true one first."""
    chance = np.random.default_rng(SEED)
    people = learned[photos.kind[learned] == "photo"]
    sources = sorted(set(photos.group[people].tolist()))
    members = {name: people[photos.group[people] == name] for name in sources}
    time_of = np.array(
        [[row, *(claims.other(photos, int(row), sources, members, chance) for _ in range(OTHERS))] for row in learned]
    )
    place_of = time_of.copy()
    place_of[:, : 2 * OTHERS // 3] = learned[:, None]  # two in three keep the place
    return time_of, place_of


def _tensors(
    physics: Physics, turns: NDArray[np.float32], degrees: NDArray[np.float32]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.from_numpy(physics.vector()), torch.from_numpy(turns), torch.from_numpy(degrees)


def _train(
    net: Judge,
    features: torch.Tensor,
    knots: torch.Tensor,
    learned: NDArray[np.int64],
    pool: tuple[torch.Tensor, ...],
    weight: Floats,
) -> None:
    draw = np.random.default_rng(SEED)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    hidden = torch.from_numpy(draw.random(len(features)) < sky.HIDDEN)
    net.train()
    for _ in range(STEPS):
        batch = draw.choice(len(learned), size=BATCH, p=weight / weight.sum())
        rows = learned[batch]
        pictures = net.pictures(features[rows], knots[rows] * ~hidden[rows, None])
        vectors = net.claims(*(part[batch].flatten(0, 1) for part in pool)).reshape(BATCH, OTHERS + 1, -1)
        logits = net.log_scale.exp() * torch.einsum("bd,bkd->bk", pictures, vectors)
        loss = functional.cross_entropy(logits, torch.zeros(BATCH, dtype=torch.int64))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    net.eval()


# --------------------------------------------------------------------------- figures


def _trials(told: HeldOut, found: Claims, columns: Floats, kind: int) -> Trials:
    lit = np.isfinite(found.scores[:, claims.NAMES.index("height_lit")]) & np.isfinite(columns).reshape(
        len(columns), -1
    ).all(1)
    rows = lit & np.isin(found.kind, (0, kind))
    return Trials(columns[rows], found.kind[rows] == 0, told.photos.group[found.photo[rows]])


def _curve(told: HeldOut, found: Claims, column: Floats, kind: int) -> str:
    """Return curve and cost for photos with an exposure, every source alike."""
    trials = _trials(told, found, column, kind)
    weight = calibrating.sided_weights(trials)
    folds = calibrating.source_folds(trials.group, count=TEST_FOLDS, seed=SEED)
    _, ratio = calibrating.held_out(trials, folds=folds)

    def area(rows: NDArray[np.int64]) -> float:
        chosen = Trials(trials.score[rows], trials.true[rows], trials.group[rows])
        return calibrating.area_under_curve(chosen, weight[rows])

    def cost(rows: NDArray[np.int64]) -> float:
        return calibrating.cllr(ratio[rows], true=trials.true[rows], weights=weight[rows])

    return f"{with_interval(area, trials.group)} | {with_interval(cost, trials.group)}"


def _gain(told: HeldOut, found: Claims, column: Floats) -> str:
    """Return what a score adds to the curve of the largest joint, refitted with it, time of another."""
    names = judgement.JOINTS[-1]
    old = found.scores[:, [claims.NAMES.index(name) for name in names]]
    areas = []
    for columns, labels in ((old, names), (np.column_stack([old, column]), (*names, "new"))):
        several = _trials(told, found, columns, TIMES)
        folds = calibrating.source_folds(several.group, count=TEST_FOLDS, seed=SEED)
        value = np.zeros(len(folds))
        for fold in range(TEST_FOLDS):
            joint = calibrating.fit_joint(several.of(folds != fold), labels)
            value[folds == fold] = several.score[folds == fold] @ np.array(joint.coefficients)
        areas.append(Trials(value, several.true, several.group))
    before, after = areas
    weight = calibrating.sided_weights(after)

    def gain(rows: NDArray[np.int64]) -> float:
        first, second = (Trials(of.score[rows], of.true[rows], of.group[rows]) for of in (before, after))
        return calibrating.area_under_curve(second, weight[rows]) - calibrating.area_under_curve(first, weight[rows])

    return with_interval(gain, after.group)


if __name__ == "__main__":
    main()
