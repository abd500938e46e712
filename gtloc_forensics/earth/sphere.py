"""Equal areas on the sphere: cells to gather mass in, and points spread evenly over the land.

Cells are bands of latitude cut into equal boxes; the edges of the bands are moved
so that every cell has exactly the same area (an equal-area partition into zones,
after Leopardi 2006, with boxes about as wide as they are high). Points are a
spherical Fibonacci lattice. Both are pure arithmetic: the same on every machine.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtloc_forensics.earth.globe import EARTH_RADIUS_KM
from gtloc_forensics.earth.land import is_land

Floats = NDArray[np.float64]

SPHERE_AREA_KM2 = 4.0 * math.pi * EARTH_RADIUS_KM**2
GOLDEN_ANGLE_DEG = 180.0 * (3.0 - math.sqrt(5.0))

# Share of the sphere that is land by the polygons that ship with the package.
LAND_SHARE = 0.29
# South of this nearly all land is ice that hardly anyone photographs: its points weigh this much.
ICE_LATITUDE_DEG = -60.0
ICE_WEIGHT = 0.01


class EqualAreaCells:
    """About *cells* cells of exactly equal area; ``count`` says how many."""

    def __init__(self, cells: int) -> None:
        """Lay out the cells."""
        height = math.sqrt(4.0 * math.pi / cells)
        bands = max(2, round(math.pi / height))
        middle = (np.arange(bands) + 0.5) / bands * math.pi - math.pi / 2.0
        self._per_band = np.maximum(1, np.round(2.0 * math.pi * np.cos(middle) / height)).astype(np.int64)
        self._first = np.concatenate([[0], np.cumsum(self._per_band)])
        self.count = int(self._first[-1])
        self._sine_edges = -1.0 + 2.0 * self._first / self.count

    @property
    def area_km2(self) -> float:
        """The area of one cell."""
        return SPHERE_AREA_KM2 / self.count

    def cell_of(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.int64]:
        """Return the index of the cell that holds each point."""
        sine = np.sin(np.radians(np.asarray(latitude_deg, dtype=np.float64)))
        band = np.clip(np.searchsorted(self._sine_edges, sine, side="right") - 1, 0, len(self._per_band) - 1)
        turn = np.mod((np.asarray(longitude_deg, dtype=np.float64) + 180.0) / 360.0, 1.0)
        column = np.minimum((turn * self._per_band[band]).astype(np.int64), self._per_band[band] - 1)
        return np.asarray(self._first[band] + column, dtype=np.int64)

    @cached_property
    def centres_deg(self) -> tuple[Floats, Floats]:
        """Latitude and longitude ``[C]`` of the point that halves each cell both ways."""
        band = np.repeat(np.arange(len(self._per_band)), self._per_band)
        sine = (self._sine_edges[band] + self._sine_edges[band + 1]) / 2.0
        column = np.arange(self.count) - self._first[band]
        longitude = (column + 0.5) / self._per_band[band] * 360.0 - 180.0
        return np.degrees(np.arcsin(sine)), longitude

    @cached_property
    def centre_vectors(self) -> Floats:
        """Unit vectors ``[C, 3]`` of the centres."""
        return unit_vectors(*self.centres_deg)


def unit_vectors(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> Floats:
    """Return points on the unit sphere, ``[..., 3]``."""
    latitude = np.radians(np.asarray(latitude_deg, dtype=np.float64))
    longitude = np.radians(np.asarray(longitude_deg, dtype=np.float64))
    ring = np.cos(latitude)
    return np.stack([ring * np.cos(longitude), ring * np.sin(longitude), np.sin(latitude)], axis=-1)


def fibonacci_points(count: int) -> tuple[Floats, Floats]:
    """Return latitude and longitude ``[count]`` of points spread evenly over the whole sphere."""
    index = np.arange(count, dtype=np.float64)
    latitude = np.degrees(np.arcsin(1.0 - (2.0 * index + 1.0) / count))
    return latitude, np.mod(index * GOLDEN_ANGLE_DEG + 180.0, 360.0) - 180.0


def land_points(count: int) -> NDArray[np.float32]:
    """Return about *count* points spread evenly over the land, ``[N, 3]``: latitude, longitude, weight."""
    latitude, longitude = fibonacci_points(round(count / LAND_SHARE))
    dry = is_land(latitude, longitude)
    latitude, longitude = latitude[dry], longitude[dry]
    weight = np.where(latitude < ICE_LATITUDE_DEG, ICE_WEIGHT, 1.0)
    return np.stack([latitude, longitude, weight], axis=1).astype(np.float32)
