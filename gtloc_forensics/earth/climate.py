"""What a month is like at a place: mean temperature, precipitation, and the Köppen-Geiger class.

Means over 2000 to 2025 of the reanalysis ERA5 on points half a degree apart, read between them; mountains
within half a degree are averaged away, so a valley and a summit beside it get one temperature. Classes are those
of Rubel, Brugger, Haslinger and Auer (doi:10.1127/metz/2016/0816) on fields of 0.14°. ``data/README.md`` says
where both are from.
"""

from __future__ import annotations

import importlib.resources
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

COLDEST_C = -70.0
STEPS_PER_C = 2.0
STEPS_PER_ROOT_MM = 4.5
NODE_DEG = 0.5
SEA = 32

CLASSES = (
    "Af", "Am", "As", "Aw", "BSh", "BSk", "BWh", "BWk", "Cfa", "Cfb", "Cfc", "Csa", "Csb", "Csc", "Cwa", "Cwb", "Cwc",
    "Dfa", "Dfb", "Dfc", "Dfd", "Dsa", "Dsb", "Dsc", "Dsd", "Dwa", "Dwb", "Dwc", "Dwd", "EF", "ET",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Climate:
    """The usual month at one place."""

    temperature_c: float
    precipitation_mm: float  # of the whole month
    koeppen: str  # "Cfb", …; "" at sea


def climate(latitude_deg: float, longitude_deg: float, *, month: int) -> Climate:
    """Return what *month* (1 to 12) is usually like at a place.

    Raises:
        ValueError: when it is no month or no place.
    """
    if not 1 <= month <= 12:
        raise ValueError(f"there is no month {month}")
    if not (-90.0 <= latitude_deg <= 90.0 and -180.0 <= longitude_deg <= 180.0):
        raise ValueError(f"there is no place {latitude_deg}, {longitude_deg}")
    here = np.array([latitude_deg]), np.array([longitude_deg])
    temperature, precipitation = (float(column[month - 1, 0]) for column in year(*here))
    return Climate(temperature, precipitation, koeppen(latitude_deg, longitude_deg))


def year(latitude_deg: Floats, longitude_deg: Floats) -> tuple[Floats, Floats]:
    """Return temperature in °C and precipitation in mm of each month at each place, ``[12, N]``; NaN for no place."""
    temperature, precipitation, _ = _grids()
    warm = _between(temperature, latitude_deg, longitude_deg) / STEPS_PER_C + COLDEST_C
    return warm, (_between(precipitation, latitude_deg, longitude_deg) / STEPS_PER_ROOT_MM) ** 2


def koeppen(latitude_deg: float, longitude_deg: float) -> str:
    """Return the Köppen-Geiger class of a place, "" at sea."""
    fields = _grids()[2]
    row = min(int((90.0 - latitude_deg) / 180.0 * fields.shape[0]), fields.shape[0] - 1)
    column = int((longitude_deg + 180.0) / 360.0 * fields.shape[1]) % fields.shape[1]
    number = int(fields[row, column])
    return "" if number == SEA else CLASSES[number - 1]


def _between(steps: NDArray[np.uint8], latitude_deg: Floats, longitude_deg: Floats) -> Floats:
    """Return values between the four points around each place, weighed by how near they are."""
    known = np.isfinite(latitude_deg) & np.isfinite(longitude_deg)
    down = np.where(known, (90.0 - latitude_deg) / NODE_DEG, 0.0)
    east = np.where(known, np.mod(longitude_deg, 360.0) / NODE_DEG, 0.0)
    top, left = np.minimum(down.astype(np.int64), steps.shape[1] - 2), east.astype(np.int64) % steps.shape[2]
    right = (left + 1) % steps.shape[2]
    below, beside = down - top, east - np.floor(east)
    upper = steps[:, top, left] * (1.0 - beside) + steps[:, top, right] * beside
    lower = steps[:, top + 1, left] * (1.0 - beside) + steps[:, top + 1, right] * beside
    return np.where(known, upper * (1.0 - below) + lower * below, np.nan)


@cache
def _grids() -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    resource = importlib.resources.files("gtloc_forensics.earth").joinpath("data", "climate.npz")
    with resource.open("rb") as opened, np.load(opened) as stored:
        return stored["temperature"], stored["precipitation"], stored["koeppen"]
