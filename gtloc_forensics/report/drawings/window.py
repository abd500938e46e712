"""The part of the globe that a map shows, and how it is laid on the sheet.

Two projections, both plain and both said beside the map's scale: an equirectangular one that is true to scale on the
parallel through the middle, turned so that the date line is nowhere near an edge; and, where a map reaches beyond 80°,
the azimuthal equidistant one about the pole, with the middle of the case straight below or above it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtloc_forensics.earth.circular import longitude_difference
from gtloc_forensics.records import Position

Floats = NDArray[np.float64]

KM_PER_DEGREE = 111.195  # of a great circle on a sphere of 6,371 km
_LEAST_KM = 160.0  # across: coasts and borders are good to a few kilometres
_MARGIN = 1.35  # of the case's extent
_POLAR_DEG = 80.0
_FAR_FROM_POLES_DEG = 66.0
_WORLD_DEG = 180.0  # of longitude: what spans more is shown on a map of the whole world
_WORLD_SHAPE = 0.5


@dataclass(frozen=True, slots=True)
class Window:
    """A sheet of *width* by *height* points over the middle of a case.

    ``pole`` is +1 or -1 where the map is laid about a pole, else 0.
    """

    width: float
    height: float
    latitude_deg: float
    longitude_deg: float
    points_per_km: float
    pole: int = 0

    def project(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> Floats:
        """Return points of the sheet, ``[N, 2]``; longitudes may run on past ±180°, nothing is cut off."""
        latitude = np.atleast_1d(np.asarray(latitude_deg, dtype=np.float64))
        east_deg = np.atleast_1d(np.asarray(longitude_deg, dtype=np.float64)) - self.longitude_deg
        km = self._about_pole(latitude, east_deg) if self.pole else self._about_middle(latitude, east_deg)
        return np.asarray(km * self.points_per_km + np.array([self.width / 2, self.height / 2]))

    def at(self, position: Position) -> tuple[float, float]:
        """Return where a position is on the sheet."""
        east_deg = float(longitude_difference(position.longitude_deg, self.longitude_deg))
        x, y = self.project(position.latitude_deg, self.longitude_deg + east_deg)[0]
        return float(x), float(y)

    def _about_middle(self, latitude: Floats, east_deg: Floats) -> Floats:
        shrink = math.cos(math.radians(self.standard_deg))
        return np.stack([east_deg * shrink, latitude - self.latitude_deg], axis=-1) * KM_PER_DEGREE

    def _about_pole(self, latitude: Floats, east_deg: Floats) -> Floats:
        off_deg, turn = 90.0 - self.pole * latitude, np.radians(east_deg)
        middle_deg = 90.0 - self.pole * self.latitude_deg
        return (
            np.stack([off_deg * np.sin(turn), self.pole * (middle_deg - off_deg * np.cos(turn))], axis=-1)
            * KM_PER_DEGREE
        )

    @property
    def standard_deg(self) -> float:
        """The parallel on which the map is true to scale from east to west."""
        return 0.0 if self.width / self.points_per_km > 359.0 * KM_PER_DEGREE else self.latitude_deg

    @property
    def bounds_deg(self) -> tuple[float, float, float, float]:
        """South, north, west, east of what can be on the sheet; west and east may run on past ±180°."""
        half_km = self.height / self.points_per_km / 2
        wide_km = self.width / self.points_per_km / 2
        if self.pole:
            reach = math.hypot(half_km, wide_km) / KM_PER_DEGREE
            edge = self.pole * (90.0 - (90.0 - self.pole * self.latitude_deg) - reach)
            return (edge, 90.0, -180.0, 180.0) if self.pole > 0 else (-90.0, edge, -180.0, 180.0)
        wide_deg = min(180.0, wide_km / KM_PER_DEGREE / math.cos(math.radians(self.standard_deg)))
        tall_deg = half_km / KM_PER_DEGREE
        return (
            max(-90.0, self.latitude_deg - tall_deg),
            min(90.0, self.latitude_deg + tall_deg),
            self.longitude_deg - wide_deg,
            self.longitude_deg + wide_deg,
        )


def window_on(positions: Sequence[Position], *, width: float, shape: float) -> Window:
    """Return a window that shows all of *positions* with a margin; *shape* is its height to its width."""
    latitudes, longitudes = (
        np.fromiter((getattr(position, name) for position in positions), np.float64, len(positions))
        for name in ("latitude_deg", "longitude_deg")
    )
    west_deg, wide_deg = _span(longitudes)
    middle_lat, middle_lon = float(latitudes.min() + latitudes.max()) / 2, _home(west_deg + wide_deg / 2)
    if wide_deg > _WORLD_DEG and abs(middle_lat) < _POLAR_DEG:
        return _world(width)
    tall_km = _MARGIN * float(np.ptp(latitudes)) * KM_PER_DEGREE
    across_km = _MARGIN * wide_deg * KM_PER_DEGREE * math.cos(math.radians(middle_lat))
    size_km = max(_LEAST_KM, across_km, tall_km / shape)
    reach_deg = abs(middle_lat) + size_km * shape / 2 / KM_PER_DEGREE
    if reach_deg > _POLAR_DEG and np.abs(latitudes).max() < _FAR_FROM_POLES_DEG:
        # Wide and far from the poles: a flatter sheet, instead of one that runs over a pole.
        flat_km = 2 * (_POLAR_DEG - abs(middle_lat)) * KM_PER_DEGREE
        if flat_km >= tall_km:
            return Window(width, width * flat_km / size_km, middle_lat, middle_lon, width / size_km)
    if reach_deg > _POLAR_DEG:
        return _polar(latitudes, longitudes, middle_lon, width=width, shape=shape)
    return Window(width, width * shape, middle_lat, middle_lon, width / size_km)


def _polar(latitudes: Floats, longitudes: Floats, middle_lon: float, *, width: float, shape: float) -> Window:
    pole = 1 if latitudes.mean() > 0 else -1
    if (pole * latitudes).min() < 25.0:  # too far off for a map about the pole
        return _world(width)
    flat = Window(width, width * shape, pole * 90.0, middle_lon, 1.0, pole)
    spots = flat.project(latitudes, longitudes)
    low, high = spots.min(axis=0), spots.max(axis=0)
    across_km, tall_km = high - low
    size_km = max(_LEAST_KM * 2, _MARGIN * float(across_km), _MARGIN * float(tall_km) / shape)
    # The middle of the sheet moves up and down the middle meridian only.
    off_km = pole * (width * shape / 2 - float(low[1] + high[1]) / 2)
    aside_km = 2 * max(abs(float(low[0]) - width / 2), abs(float(high[0]) - width / 2))
    size_km = max(size_km, _MARGIN * aside_km)
    return Window(width, width * shape, pole * (90.0 - off_km / KM_PER_DEGREE), middle_lon, width / size_km, pole)


def _world(width: float) -> Window:
    return Window(width, width * _WORLD_SHAPE, 0.0, 0.0, width / (360.0 * KM_PER_DEGREE))


def _home(longitude_deg: float) -> float:
    return (longitude_deg + 180.0) % 360.0 - 180.0


def _span(longitudes_deg: Floats) -> tuple[float, float]:
    """Return where the shortest arc that holds all longitudes begins, going east, and how long it is."""
    ordered = np.unique(longitudes_deg)
    gaps = np.append(np.diff(ordered), ordered[0] + 360.0 - ordered[-1])
    widest = int(np.argmax(gaps))
    return float(ordered[(widest + 1) % len(ordered)]), 360.0 - float(gaps[widest])
