"""What each photo of the set says of time and place, as soft targets over cells.

A time stands for a bump on the torus, a place for a bump on the sphere, a weak label
for the set of cells it allows. How much each photo counts is decided here too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from photo_set import PhotoSet, country_points, group_weights
from torch import Tensor

from gtloc_forensics.earth.circular import turn_distance
from gtloc_forensics.earth.globe import distance_km
from gtloc_forensics.earth.sphere import fibonacci_points
from gtloc_forensics.earth.sun import sun_position

Floats = NDArray[np.float64]

TIME_ROWS, TIME_COLUMNS = 12, 24  # training cells; the shipped gallery may be finer
PLACE_CELLS = 1024
HOUR_SD, MONTH_SD = 1.5, 2.0  # civil time leaves an hour or so open anyway; a month is hardly visible
PLACE_SCALE_KM, COUNTRY_SCALE_KM = 400.0, 600.0
GROUP_CAP = 15.0

# Where people take photos, roughly: latitude and share. Only weak labels are spread over it.
LATITUDES = ((-35.0, 0.08), (-15.0, 0.07), (10.0, 0.10), (30.0, 0.20), (42.0, 0.30), (52.0, 0.25))
CLOCK_AHEAD_HOURS = 0.5  # civil time runs about half an hour ahead of the sun (zones reach west, summer time)
NORTHERN = 0.85  # share of season labels that mean the northern season
LABEL_NOISE = 0.08  # daynight is about 90 % right
LABEL_WEIGHT = {"daynight": 0.5, "daypart": 0.3, "weather": 0.25, "season": 0.12}
UNDATABLE_WEIGHT = 0.15  # a photo without daylight in view still shows when people take such photos


@dataclass(frozen=True)
class Targets:
    """What is known of each photo, over the cells.

    ``time`` is ``[N, T]``, ``place`` ``[N, P]``. Where ``exact`` the row is a soft
    target that sums to 1; else it holds how far each cell agrees with a weak label,
    0–1. A row of zeros says nothing. The weights are ``[N]``.
    """

    time: Tensor
    time_exact: Tensor
    time_weight: Floats
    place: Tensor
    place_exact: Tensor
    place_weight: Floats


def build(photos: PhotoSet, datable: Floats) -> Targets:
    """Return the targets of all photos; *datable* ``[N]`` is the probability that a scene shows its time."""
    time, time_exact, time_weight = _time(photos, datable)
    place, place_exact, place_weight = _place(photos)
    return Targets(
        torch.tensor(time, dtype=torch.float32), torch.tensor(time_exact), time_weight,
        torch.tensor(place, dtype=torch.float32), torch.tensor(place_exact), place_weight,
    )  # fmt: skip


# --------------------------------------------------------------------------- time


def _time(photos: PhotoSet, datable: Floats) -> tuple[Floats, NDArray[np.bool_], Floats]:
    year, day = _time_cells()
    target = np.zeros((len(photos), year.size))
    exact = photos.timed
    near = (turn_distance(year[None], photos.year_turn[exact, None]) / (MONTH_SD / 12.0)) ** 2
    near = near + (turn_distance(day[None], photos.day_turn[exact, None]) / (HOUR_SD / 24.0)) ** 2
    bump = np.exp(-0.5 * near)
    target[exact] = bump / bump.sum(1, keepdims=True)
    weight = np.where(
        exact, np.where(photos.kind == "webcam", 1.0, UNDATABLE_WEIGHT + (1 - UNDATABLE_WEIGHT) * datable), 0
    )
    for label, allowed in allowed_cells().items():
        rows = (photos.label == label) & ~exact
        target[rows] = (1.0 - LABEL_NOISE) * allowed + LABEL_NOISE * 0.3
        weight[rows] = LABEL_WEIGHT[label.split(":")[0]]
    return target, exact, weight * _balance(photos)


def _time_cells() -> tuple[Floats, Floats]:
    year, day = np.meshgrid(
        (np.arange(TIME_ROWS) + 0.5) / TIME_ROWS, (np.arange(TIME_COLUMNS) + 0.5) / TIME_COLUMNS, indexing="ij"
    )
    return year.ravel(), day.ravel()


def allowed_cells() -> dict[str, Floats]:
    """Return, for each weak label, how far each time cell agrees with it ``[T]``, 0–1."""
    year, day = _time_cells()
    seconds = 1_577_836_800.0 + np.floor(year * 365.0) * 86_400.0 + (day * 24.0 - CLOCK_AHEAD_HOURS) * 3600.0
    elevations = [(sun_position(seconds, latitude, 0.0)[0], share) for latitude, share in LATITUDES]
    night = sum(share * (elevation < -6.0) for elevation, share in elevations)
    light = sum(share * (elevation > 3.0) for elevation, share in elevations)
    low = sum(share * (np.abs(elevation) < 8.0) for elevation, share in elevations)
    cells = {
        "daynight:night": night,
        "daynight:day": light,
        "daypart:night": night,
        "daypart:evening": low * (day > 0.5),
    }
    cells |= dict.fromkeys(("daypart:sunrise", "daypart:sunset", "weather:sunrise"), low)
    cells |= {f"weather:{name}": light for name in ("shine", "cloudy", "fog", "rain")}
    middles = {"winter": 0.5, "spring": 3.5, "summer": 6.5, "autumn": 9.5}  # months
    return cells | {f"season:{name}": _season(year, month / 12.0) for name, month in middles.items()}


def _season(year: Floats, middle: float) -> Floats:
    northern = turn_distance(year, middle) < 0.16
    southern = turn_distance(year, middle + 0.5) < 0.16
    return NORTHERN * northern + (1.0 - NORTHERN) * southern


# --------------------------------------------------------------------------- place


def _place(photos: PhotoSet) -> tuple[Floats, NDArray[np.bool_], Floats]:
    latitude, longitude = fibonacci_points(PLACE_CELLS)
    target = np.zeros((len(photos), PLACE_CELLS))
    exact = np.isfinite(photos.latitude_deg)
    target[exact] = _bumps(photos.latitude_deg[exact], photos.longitude_deg[exact], latitude, longitude, PLACE_SCALE_KM)
    for country in sorted(set(photos.country[~exact].tolist()) - {""}):
        points = np.array(country_points(country))
        if points.size:
            bumps = _bumps(points[:, 0], points[:, 1], latitude, longitude, COUNTRY_SCALE_KM)
            target[(photos.country == country) & ~exact] = bumps.mean(0)
    known = target.sum(1) > 0
    return target, known, known * _balance(photos)


def _bumps(
    latitude: Floats, longitude: Floats, cell_latitude: Floats, cell_longitude: Floats, scale_km: float
) -> Floats:
    far = distance_km(
        latitude[:, None], longitude[:, None], second_latitude_deg=cell_latitude, second_longitude_deg=cell_longitude
    )
    bump = np.exp(-far / scale_km)
    return np.asarray(bump / bump.sum(1, keepdims=True))


def _balance(photos: PhotoSet) -> Floats:
    """Cap what one source may count; the street views of one view of one country are single photos."""
    source = np.where(photos.streetview, np.char.add("streetview:", photos.country), photos.group)
    return group_weights(np.char.add(source, photos.label), cap=GROUP_CAP)
