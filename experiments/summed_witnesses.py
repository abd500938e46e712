"""How well do the pixels and the exposures of a camera's photos, summed, tell how far its clock was off?

    python experiments/summed_witnesses.py --photos ../shared/photos --cache /tmp/gtloc-small

Makes the figures of docs/decisions/0052-witnesses-and-targets.md. Each photo's held-out density over the sun's height
is read at the height the sun would have had under each offset of the clock. How alike photos of one outing, and
outings of one camera, are is measured on the normal scores of the true heights. Cameras whose sources no head and
no light model learned from; offsets by light alone are what ships.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import held_out
import light_likelihood
import numpy as np
from held_out import HeldOut, with_interval
from numpy.typing import NDArray
from photo_set import folds as source_folds
from scipy.stats import norm

from gtloc_forensics.earth.sun import sun_position
from gtloc_forensics.evidence import resampling, sun_height
from gtloc_forensics.evidence.clocks import by_light
from gtloc_forensics.evidence.exposure import LightModel, clock_offsets
from gtloc_forensics.evidence.exposure.clock_offsets import OFFSETS_HOURS, OUTING_S, STEP_HOURS, Frames
from gtloc_forensics.modelling.calibrating import source_weights

Floats = NDArray[np.float64]

SIZES = (1, 3, 10, 30)
DRAWS, SEED, FOLDS = 4, 11, 5
SHIFTS_HOURS = (0.0, 1.0, -1.0, 3.0, -3.0, 6.0, -6.0, 9.0, -9.0, 12.0)
REACH_HOURS = 26.0
FAR_HOURS = 3.0
GRID: Floats = np.arange(-round(REACH_HOURS / STEP_HOURS), round(REACH_HOURS / STEP_HOURS) + 1) * STEP_HOURS
GATE = 0.5
MOST_OF_A_CAMERA = 60
CONSTANT, LIGHT = "constant", "exposure (ships)"
HEIGHT, BOTH = "pixels and exposure, by the sun's height", "exposure, and pixels beside it"
STRENGTHS: Floats = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.25, 1.5])


@dataclass(frozen=True)
class Draw:
    """Some photos of one camera, and what each witness says of offsets on :data:`GRID`, claimed minus true."""

    source: str
    size: int
    outings: int
    independent: float
    logs: Mapping[str, Floats]


def main() -> None:
    """Print the tables."""
    asked = held_out.asked(__doc__)
    report(held_out.load(asked.photos, asked.cache), asked.photos)


def report(told: HeldOut, folder: Path) -> None:
    """Print how alike photos are, and the error by number of photos."""
    cameras = _cameras(told, folder)
    within, across = alike(told, cameras)
    print(
        f"\n{len(cameras)} cameras; normal scores of the true height: two photos of one outing correlate by "
        f"{within:.2f}, of two outings of one camera by {across:.2f}",
        flush=True,
    )
    drawn = list(draws(told, folder, cameras, within=within, across=across))
    print(f"{len(drawn)} draws")
    strengths = _strengths(drawn)
    for name, found in strengths.items():
        print(f"{name}: strength by fold {sorted(set(np.round(list(found.values()), 2)))}")
    _print_errors(drawn, strengths)
    _print_verdicts(drawn, strengths)


def by_number(told: HeldOut, folder: Path) -> list[dict[str, Any]]:
    """Return the error of the offset by what ships, by the number of photos, for the card."""
    cameras = _cameras(told, folder)
    drawn = list(draws(told, folder, cameras, within=1.0, across=1.0))
    found = []
    for size in SIZES:
        own = [draw for draw in drawn if draw.size == size]
        group = np.array([draw.source for draw in own])
        weight = source_weights(group)
        told = [_error(draw, LIGHT, 1.0) for draw in own]
        error, holds, wide = (np.array(column, dtype=np.float64) for column in zip(*told, strict=True))
        columns = {"error_h": error, "holds": holds, "width_h": wide}
        entry: dict[str, Any] = {"photos": size, "draws": len(own), "sources": len(set(group.tolist()))}
        for name, values in columns.items():
            statistic = _mean(values, weight)
            low, high = resampling.over_sources(statistic, group, draws=held_out.DRAWS, seed=SEED)
            value = statistic(np.arange(len(values)))
            entry[name] = {"value": round(value, 4), "low": round(low, 4), "high": round(high, 4)}
        found.append(entry)
    return found


def _mean(values: Floats, weight: Floats) -> Callable[[NDArray[np.int64]], float]:
    return lambda rows: float(weight[rows] @ values[rows] / weight[rows].sum())


# --------------------------------------------------------------------------- photos


def _cameras(told: HeldOut, folder: Path) -> dict[str, NDArray[np.int64]]:
    """Return the rows of each camera's photos with place, time and exposure, by their time."""
    photos = told.photos
    with (folder / "photos.csv").open(newline="") as lines:
        models = np.array([row["model"] for row in csv.DictReader(lines)])
    usable = (photos.kind == "photo") & np.isfinite(photos.ev100) & ~photos.flash_fired & np.isfinite(photos.utc_s)
    usable &= np.isfinite(photos.elevation_deg) & np.isfinite(photos.offset_hours)
    usable &= np.isfinite(told.shown.height_lit).all(1)
    name = np.array(
        [f"{group}|{make}|{model}" for group, make, model in zip(photos.group, photos.make, models, strict=True)]
    )
    found = {}
    for camera in sorted(set(name[usable].tolist())):
        rows = np.flatnonzero(usable & (name == camera))
        found[camera] = rows[np.argsort(photos.utc_s[rows], kind="stable")]
    return found


def alike(told: HeldOut, cameras: Mapping[str, NDArray[np.int64]]) -> tuple[float, float]:
    """Return the mean correlation of two photos of one outing, and of two outings, cameras alike."""
    score = _normal_scores(told)
    chance = np.random.default_rng(SEED)
    within, across, every = [], [], []
    for rows in cameras.values():
        chosen = rows[told.fitted.datable[rows] >= GATE]
        if len(chosen) > MOST_OF_A_CAMERA:
            chosen = np.sort(chance.choice(chosen, MOST_OF_A_CAMERA, replace=False))
        every.append(score[chosen])
        if len(chosen) < 2:
            continue
        outing = _outings(told.photos.utc_s[chosen])
        first, second = np.triu_indices(len(chosen), 1)
        product, is_same = score[chosen][first] * score[chosen][second], outing[first] == outing[second]
        within += [float(product[is_same].mean())] if is_same.any() else []
        across += [float(product[~is_same].mean())] if not is_same.all() else []
    variance = float(np.mean([float((values**2).mean()) for values in every if len(values)]))
    print(f"alike: {len(within)} cameras within an outing, {len(across)} across outings, variance {variance:.2f}")
    return float(np.mean(within)) / variance, float(np.mean(across)) / variance


def _normal_scores(told: HeldOut) -> Floats:
    """Return the normal score of the true height in each held-out density, NaN where there is none."""
    photos, table = told.photos, told.shown.table
    edges = np.clip(table.edges_deg, sun_height.LOWEST_DEG, sun_height.HIGHEST_DEG)
    below = np.full(len(photos), np.nan)
    for row in np.flatnonzero(np.isfinite(told.shown.height_lit).all(1) & np.isfinite(photos.elevation_deg)):
        total = np.concatenate([[0.0], np.cumsum(told.shown.height_lit[row])])
        below[row] = np.interp(photos.elevation_deg[row], edges, total)
    return np.asarray(norm.ppf(np.clip(below, 1e-3, 1.0 - 1e-3)))


def _outings(utc_s: Floats) -> NDArray[np.int64]:
    return np.cumsum(np.diff(utc_s, prepend=-np.inf) > OUTING_S, dtype=np.int64)


def draws(
    told: HeldOut, folder: Path, cameras: Mapping[str, NDArray[np.int64]], *, within: float, across: float
) -> Iterator[Draw]:
    """Yield some photos of each camera as a folder has them: a run of consecutive ones, or any."""
    models = _light_models(folder)
    for number, (camera, rows) in enumerate(cameras.items()):
        chance = np.random.default_rng([SEED, number])
        for size in SIZES:
            if size > len(rows):
                continue
            for draw in range(DRAWS):
                if draw % 2:
                    chosen = np.sort(chance.choice(len(rows), size, replace=False))
                else:
                    chosen = int(chance.integers(0, len(rows) - size + 1)) + np.arange(size)
                yield _draw(told, rows[chosen], models[camera.split("|")[0]], within=within, across=across)


def _light_models(folder: Path) -> dict[str, LightModel]:
    """Return, for each source, a light model that did not learn from it."""
    shots = light_likelihood.read(folder)
    found = {}
    for mask, model in light_likelihood.cross_fitted(shots):
        found |= dict.fromkeys(set(shots.group[mask].tolist()), model)
    return found


def _draw(told: HeldOut, rows: NDArray[np.int64], model: LightModel, *, within: float, across: float) -> Draw:
    photos = told.photos
    outing = _outings(photos.utc_s[rows])
    size = np.bincount(outing)[outing].astype(np.float64)
    frames = Frames(
        source_ids=tuple(str(row) for row in rows),
        claimed_utc_s=photos.utc_s[rows],
        latitude_deg=photos.latitude_deg[rows],
        longitude_deg=photos.longitude_deg[rows],
        ev100=photos.ev100[rows],
        weight=1.0 / (1.0 + (size - 1.0) * model.outing_correlation),
        is_sunlit=np.zeros(len(rows), np.bool_),
        outings=int(outing[-1]),
    )
    light = clock_offsets.log_likelihood(model, frames, -3600.0 * GRID)
    instants = photos.utc_s[rows][:, None] - 3600.0 * GRID
    height, _ = sun_position(instants, photos.latitude_deg[rows][:, None], photos.longitude_deg[rows][:, None])
    seen = told.fitted.datable[rows] >= GATE
    lit, pixels = (
        _summed(mass[rows][seen], told, height[seen], outing[seen], within=within, across=across)
        for mass in (told.shown.height_lit, told.shown.height)
    )
    return Draw(
        str(photos.group[rows[0]]), len(rows), int(outing[-1]), frames.effective,
        {LIGHT: light, HEIGHT: lit, BOTH: pixels},
    )  # fmt: skip


def _summed(
    mass: Floats, told: HeldOut, height: Floats, outing: NDArray[np.int64], *, within: float, across: float
) -> Floats:
    """Return the log ratios of some photos under each offset, weighed by how alike outings and cameras are."""
    if not len(mass):
        return np.zeros(len(GRID))
    middles = sun_height.middles_deg(told.shown.table.edges_deg)
    ratio = np.log(np.maximum(mass, 1e-6) / told.shown.table.usual)
    logs = np.stack([np.interp(at, middles, row) for at, row in zip(height, ratio, strict=True)])
    size = np.bincount(outing)[outing].astype(np.float64)
    outings = len(set(outing.tolist()))
    weight = 1.0 / (1.0 + (size - 1.0) * within) / (1.0 + (outings - 1.0) * across)
    return np.asarray((weight[:, None] * logs).sum(0))


# --------------------------------------------------------------------------- how much a witness counts


def _strengths(drawn: list[Draw]) -> dict[str, dict[int, float]]:
    """Return, for each way and fold of sources, the factor on its logs that tells truth best on the other folds."""
    fold = _folds(drawn)
    found: dict[str, dict[int, float]] = {}
    for name in (LIGHT, HEIGHT, BOTH):
        found[name] = {}
        for number in range(FOLDS):
            others = [draw for draw, own in zip(drawn, fold, strict=True) if own != number]
            weight = source_weights(np.array([draw.source for draw in others]))
            costs = [
                sum(w * _cost(draw, name, strength) for w, draw in zip(weight, others, strict=True))
                for strength in STRENGTHS
            ]
            found[name][number] = 1.0 if name == LIGHT else float(STRENGTHS[int(np.argmin(costs))])
    return found


def _folds(drawn: list[Draw]) -> NDArray[np.int64]:
    return source_folds(np.array([draw.source for draw in drawn]), count=FOLDS, seed=3)


def combined(draw: Draw, name: str, strength: float) -> Floats:
    """Return the log likelihood over :data:`GRID` by one way of weighing."""
    if name == BOTH:
        return np.asarray(draw.logs[LIGHT] + strength * draw.logs[BOTH])
    return np.asarray(strength * draw.logs[name])


def _cost(draw: Draw, name: str, strength: float) -> float:
    mass = _day(combined(draw, name, strength))
    return -float(np.log(mass[np.argmin(np.abs(DAY_HOURS))] + 1e-12))


DAY_HOURS: Floats = np.arange(-48, 48) * STEP_HOURS


def _day(logs: Floats) -> Floats:
    """Return the mass over the day's circle, offsets of −12 h up to 12 h, every offset as likely before."""
    own = logs[np.searchsorted(GRID, DAY_HOURS - 1e-9)]
    mass = np.exp(own - own.max())
    return np.asarray(mass / mass.sum())


# --------------------------------------------------------------------------- figures


def _print_errors(drawn: list[Draw], strengths: Mapping[str, Mapping[int, float]]) -> None:
    """Print the error of the offset of least expected error, and how wide and how true 95 % of the mass are."""
    fold = _folds(drawn)
    print(
        "\n| photos | witness | draws, sources | mean error of the offset, h | less than by exposure, h "
        "| median error, h | 95 % of the mass hold it | and are how wide, h |\n|---|---|---|---|---|---|---|---|"
    )
    for size in SIZES:
        own = [(draw, int(number)) for draw, number in zip(drawn, fold, strict=True) if draw.size == size]
        group = np.array([draw.source for draw, _ in own])
        by_exposure = np.array([_error(draw, LIGHT, 1.0)[0] for draw, _ in own])
        for name in (CONSTANT, LIGHT, HEIGHT, BOTH):
            told = [_error(draw, name, strengths.get(name, {}).get(number, 1.0)) for draw, number in own]
            error, holds, wide = (np.array(column, dtype=np.float64) for column in zip(*told, strict=True))
            weight = source_weights(group)
            figures = [
                with_interval(_mean(values, weight), group, digits=2)
                for values in (error, by_exposure - error, holds, wide)
            ]
            middle = with_interval(_median(error, weight), group, digits=2)
            print(
                f"| {size} | {name} | {len(own)}, {len(set(group.tolist()))} | {figures[0]} | {figures[1]} | {middle} "
                f"| {figures[2]} | {figures[3]} |",
                flush=True,
            )


def _error(draw: Draw, name: str, strength: float) -> tuple[float, float, float]:
    """Return the error of the best offset, whether the shortest 95 % arc holds the truth, and how wide it is.

    The truth is an offset drawn evenly over the day, so the constant errs by six hours.
    """
    if name == CONSTANT:
        return 6.0, 0.95, 0.95 * 24.0
    mass = _day(combined(draw, name, strength))
    apart = np.abs(np.mod(DAY_HOURS[:, None] - DAY_HOURS + 12.0, 24.0) - 12.0)
    best = int(np.argmin(apart @ mass))
    order = np.argsort(-mass)
    kept = order[: int(np.searchsorted(np.cumsum(mass[order]), 0.95)) + 1]
    truth = int(np.argmin(np.abs(DAY_HOURS)))
    return float(abs(DAY_HOURS[best])), float(truth in kept), float(len(kept) * STEP_HOURS)


def _median(values: Floats, weight: Floats) -> Callable[[NDArray[np.int64]], float]:
    def of(rows: NDArray[np.int64]) -> float:
        order = rows[np.argsort(values[rows])]
        return float(values[order][np.searchsorted(np.cumsum(weight[order]), 0.5 * weight[order].sum())])

    return of


def _print_verdicts(drawn: list[Draw], strengths: Mapping[str, Mapping[int, float]]) -> None:
    """Print what the clock model would say: wrong clocks found, right ones called wrong, intervals that hold."""
    fold = _folds(drawn)
    print(
        "\n| photos | witness | right clocks called wrong | wrong by 3 h or more: called wrong | more than by exposure "
        "| interval told | of these it holds the truth |\n|---|---|---|---|---|---|---|"
    )
    for size in SIZES[2:]:
        own = [(draw, int(number)) for draw, number in zip(drawn, fold, strict=True) if draw.size == size]
        by_exposure = [(draw.source, _verdict(draw, LIGHT, 1.0, shift)[0]) for draw, _ in own for shift in SHIFTS_HOURS]
        for name in (LIGHT, HEIGHT, BOTH):
            rows = [
                (draw.source, shift, *_verdict(draw, name, strengths[name][number], shift))
                for draw, number in own
                for shift in SHIFTS_HOURS
            ]
            right = [(source, called) for source, shift, called, _, _ in rows if shift == 0.0]
            wrong = [(source, called) for source, shift, called, _, _ in rows if abs(shift) >= FAR_HOURS]
            more = [
                (source, float(called) - float(before))
                for (source, shift, called, _, _), (_, before) in zip(rows, by_exposure, strict=True)
                if abs(shift) >= FAR_HOURS
            ]
            told = [(source, tells) for source, _, _, tells, _ in rows]
            holds = [(source, held) for source, _, _, tells, held in rows if tells]
            print(
                f"| {size} | {name} | " + " | ".join(map(_rate, (right, wrong, more, told, holds))) + " |", flush=True
            )


def _verdict(draw: Draw, name: str, strength: float, shift: float) -> tuple[bool, bool, bool]:
    logs = combined(draw, name, strength)
    own = logs[np.searchsorted(GRID, OFFSETS_HOURS - shift - 1e-9)]
    said = by_light.weigh(clock_offsets._blurred(own - own.max()), independent=draw.independent)
    low, high = said.interval_hours
    holds = any(low - 1e-6 <= shift + turn <= high + 1e-6 for turn in (-24.0, 0.0, 24.0))
    return said.is_wrong, said.is_wrong or said.tells, holds


def _rate(rows: Sequence[tuple[str, float]]) -> str:
    if not rows:
        return "–"
    group, value = np.array([source for source, _ in rows]), np.array([float(is_so) for _, is_so in rows])
    weight = source_weights(group)
    told = with_interval(_mean(value, weight), group)
    return f"{told}; {int(value.sum())} of {len(rows)}, {len(set(group.tolist()))}"


if __name__ == "__main__":
    main()
