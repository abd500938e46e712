"""Would a false claim be noticed? The metadata-verification protocol, and detection by size of shift.

After Padilha et al. (TIFS 2022; papers.md §7.1): each photo is judged once with its true
month and hour and once with those of another photo of the set. A claim's score is the
log of the mass the prediction gives it; the threshold that turns scores into verdicts is
fitted on one half of the sources and used on the other, and the other way round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtloc_forensics.earth import circular
from gtloc_forensics.earth.globe import EARTH_RADIUS_KM, distance_km
from gtloc_forensics.evidence import resampling
from gtloc_forensics.modelling.metrics import Figure, bootstrap, mean_of
from gtloc_forensics.modelling.phototable import PhotoTable
from gtloc_forensics.records import PlaceDensity, Prediction

Floats = NDArray[np.float64]

RUNS = 10
SEED_STEP = 42  # the published seeds are 0, 42, 84, …
HOUR_SHIFTS = tuple(range(1, 13))
MONTH_SHIFTS = tuple(range(1, 7))
KM_SHIFTS = (50.0, 200.0, 750.0, 2500.0, 5000.0, 10_000.0)
ALARM_RATE = 0.1
"""Share of honest photos flagged at the operating point of the curves."""

_FLOOR = 1e-9


@dataclass(frozen=True, slots=True)
class Claims:
    """What is claimed for each photo."""

    year_turn: Floats
    day_turn: Floats


# --------------------------------------------------------------------------- scores


def time_scores(predictions: Sequence[Prediction], claims: Claims) -> Floats:
    """Return the log of the mass at each claim, relative to an even spread; 0 means "no opinion"."""
    mass = np.stack([prediction.time.mass for prediction in predictions]) if predictions else np.zeros((0, 1, 1))
    rows = np.arange(len(mass))
    found = np.zeros(len(mass))
    for year, year_share in _corners(claims.year_turn, mass.shape[1]):
        for day, day_share in _corners(claims.day_turn, mass.shape[2]):
            found += year_share * day_share * mass[rows, year, day]
    return _logs(found * mass.shape[1] * mass.shape[2])


def _corners(turn: Floats, cells: int) -> tuple[tuple[NDArray[np.int64], Floats], tuple[NDArray[np.int64], Floats]]:
    """Return the two cells whose centres enclose each turn, across the seam, and how much each counts."""
    place = circular.wrap_turn(turn) * cells - 0.5
    left = np.floor(place).astype(np.int64)
    share = place - left
    return (left % cells, 1.0 - share), ((left + 1) % cells, share)


def place_scores(predictions: Sequence[Prediction], latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> Floats:
    """Return the log of the mass round each claimed place, blurred by the side of a cell."""
    places = zip(predictions, np.asarray(latitude_deg), np.asarray(longitude_deg), strict=True)
    return _logs([_at_place(place.place, lat, lon) for place, lat, lon in places])


def _at_place(place: PlaceDensity, latitude_deg: float, longitude_deg: float) -> float:
    apart = distance_km(
        place.latitude_deg, place.longitude_deg, second_latitude_deg=latitude_deg, second_longitude_deg=longitude_deg
    )
    return float(np.exp(-0.5 * apart**2 / place.cell_area_km2) @ place.mass)


def _logs(values: ArrayLike) -> Floats:
    """Return logs that are equal where nothing tells two claims apart: interpolation leaves dust in the last bits."""
    return np.asarray(np.round(np.log(np.maximum(values, _FLOOR)), 6), dtype=np.float64)


# --------------------------------------------------------------------------- verification


def swapped(truth: PhotoTable, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return, for each photo, another whose month and hour differ from its own; −1 where there is none."""
    pair = 24 * circular.cell_of(truth.year_turn, cells=12) + circular.cell_of(truth.day_turn, cells=24)
    found = np.full(len(pair), -1, dtype=np.int64)
    for row in range(len(pair)):
        others = np.flatnonzero(pair != pair[row])
        if len(others):
            found[row] = others[int(rng.integers(len(others)))]
    return found


def verification(predictions: Sequence[Prediction], truth: PhotoTable) -> dict[str, Figure]:
    """Return AUC and accuracy of telling true claims from swapped ones, mean of ten draws, intervals over sources."""
    known = np.flatnonzero(truth.timed)
    table, chosen = truth.rows(known), [predictions[row] for row in known.tolist()]
    if len(np.unique(table.group)) < 2:
        return {}
    honest = time_scores(chosen, Claims(table.year_turn, table.day_turn))
    runs = []
    for run in range(RUNS):
        other = swapped(table, np.random.default_rng(SEED_STEP * run))
        fake = time_scores(chosen, Claims(table.year_turn[other], table.day_turn[other]))
        runs.append((honest, np.where(other >= 0, fake, np.nan)))
    half = _halves(table.group)
    return {
        "verification AUC": bootstrap(lambda i: _mean(runs, lambda a, b: auc(a[i], b[i])), table.group, resamples=200),
        "verification accuracy, %": bootstrap(
            lambda i: 100.0 * _mean(runs, lambda a, b: _accuracy(a[i], b[i], half[i])), table.group, resamples=200
        ),
    }


def auc(honest: ArrayLike, fake: ArrayLike) -> float:
    """Return the chance that an honest score exceeds a fake one, ties by half (Mann–Whitney)."""
    return resampling.auc(_finite(honest), _finite(fake))


def _accuracy(honest: Floats, fake: Floats, half: NDArray[np.bool_]) -> float:
    """Return the share of right verdicts; each half is judged by the threshold that was best on the other."""
    right = [
        _share_right(honest[own], fake[own], _best_threshold(honest[~own], fake[~own]))
        for own in (half, ~half)
        if own.any() and (~own).any()
    ]
    return float(np.mean(right)) if right else float("nan")


def _best_threshold(honest: Floats, fake: Floats) -> float:
    a, b = np.sort(_finite(honest)), np.sort(_finite(fake))
    candidates = np.unique(np.concatenate([a, b]))
    right = (len(a) - np.searchsorted(a, candidates)) / max(len(a), 1) + np.searchsorted(b, candidates) / max(len(b), 1)
    return float(candidates[int(np.argmax(right))]) if len(candidates) else 0.0


def _share_right(honest: Floats, fake: Floats, threshold: float) -> float:
    a, b = _finite(honest), _finite(fake)
    return 0.5 * (float((a >= threshold).mean()) + float((b < threshold).mean())) if len(a) and len(b) else float("nan")


# --------------------------------------------------------------------------- by size of the shift


def detection_curves(predictions: Sequence[Prediction], truth: PhotoTable) -> dict[str, dict[str, Figure]]:
    """Return the share of shifted claims that are flagged when one honest claim in ten is, by size of the shift.

    Shifts of both signs count, and of four directions for places. ``honest`` is the
    alarm rate reached on the honest claims themselves.
    """
    return {"hours": _hours(predictions, truth), "months": _months(predictions, truth), "km": _km(predictions, truth)}


def _hours(predictions: Sequence[Prediction], truth: PhotoTable) -> dict[str, Figure]:
    return _shifted(predictions, truth, [(f"{hours}", 0.0, hours / 24.0) for hours in HOUR_SHIFTS])


def _months(predictions: Sequence[Prediction], truth: PhotoTable) -> dict[str, Figure]:
    return _shifted(predictions, truth, [(f"{months}", months / 12.0, 0.0) for months in MONTH_SHIFTS])


def _shifted(
    predictions: Sequence[Prediction], truth: PhotoTable, shifts: Sequence[tuple[str, float, float]]
) -> dict[str, Figure]:
    known = np.flatnonzero(truth.timed)
    table, chosen = truth.rows(known), [predictions[row] for row in known.tolist()]
    honest = time_scores(chosen, Claims(table.year_turn, table.day_turn))
    scores = {"honest": [honest]}
    for name, year, day in shifts:
        scores[name] = [
            time_scores(chosen, Claims(table.year_turn + sign * year, table.day_turn + sign * day)) for sign in (1, -1)
        ]
    return _flagged(honest, scores, table.group)


def _km(predictions: Sequence[Prediction], truth: PhotoTable) -> dict[str, Figure]:
    known = np.flatnonzero(truth.placed)
    table, chosen = truth.rows(known), [predictions[row] for row in known.tolist()]
    honest = place_scores(chosen, table.latitude_deg, table.longitude_deg)
    scores = {"honest": [honest]}
    for km in KM_SHIFTS:
        moved = [
            moved_by(table.latitude_deg, table.longitude_deg, km=km, bearing_deg=turn) for turn in (0, 90, 180, 270)
        ]
        scores[f"{km:g}"] = [place_scores(chosen, latitude, longitude) for latitude, longitude in moved]
    return _flagged(honest, scores, table.group)


def moved_by(
    latitude_deg: ArrayLike, longitude_deg: ArrayLike, *, km: float, bearing_deg: float
) -> tuple[Floats, Floats]:
    """Return where one comes by following a great circle; latitude and longitude in degrees."""
    latitude, longitude = np.radians(np.asarray(latitude_deg)), np.radians(np.asarray(longitude_deg))
    angle, bearing = km / EARTH_RADIUS_KM, np.radians(bearing_deg)
    sine = np.sin(latitude) * np.cos(angle) + np.cos(latitude) * np.sin(angle) * np.cos(bearing)
    east = np.sin(bearing) * np.sin(angle) * np.cos(latitude)
    there = longitude + np.arctan2(east, np.cos(angle) - np.sin(latitude) * sine)
    return np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))), circular.wrap_longitude(np.degrees(there))


def _flagged(honest: Floats, scores: dict[str, list[Floats]], group: NDArray[np.str_]) -> dict[str, Figure]:
    """Flag what scores below the threshold of the other half of the sources."""
    half = _halves(group)
    if not half.any() or half.all():
        return {}
    threshold = np.where(half, np.quantile(honest[~half], ALARM_RATE), np.quantile(honest[half], ALARM_RATE))
    flagged = {name: np.mean([lot < threshold for lot in lots], axis=0) for name, lots in scores.items()}
    return {name: bootstrap(partial(mean_of, share), group, resamples=300) for name, share in flagged.items()}


def _halves(group: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Deal whole sources into two halves of about as many photos, the same way every time."""
    names, counts = np.unique(group, return_counts=True)
    first: set[str] = set()
    loads = [0, 0]
    for index in np.argsort(-counts, kind="stable"):
        side = int(loads[1] < loads[0])
        loads[side] += int(counts[index])
        if side == 0:
            first.add(str(names[index]))
    return np.array([str(name) in first for name in group], dtype=np.bool_)


def _mean(runs: Sequence[tuple[Floats, Floats]], statistic: Callable[[Floats, Floats], float]) -> float:
    found = _finite([statistic(honest, fake) for honest, fake in runs])
    return float(found.mean()) if len(found) else float("nan")


def _finite(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    return array[np.isfinite(array)]
