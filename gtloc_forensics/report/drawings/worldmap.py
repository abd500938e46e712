"""The claimed place and the regions that the pixels indicate, on a map of the world."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.records import PlaceDensity, Position
from gtloc_forensics.report.drawings.dials import runs_of
from gtloc_forensics.report.drawings.ground import Degrees
from gtloc_forensics.report.drawings.marks import (
    GRID,
    PREDICTION,
    PREDICTION_MID,
    QUIET,
    Boxes,
    Drawing,
    Label,
    Mark,
    Shape,
    World,
    diamond,
    line,
    ring,
)

WIDTH = 276.0
_INHABITED = (-60.0, 84.0)  # latitudes of a map on which nothing lies beyond
_WHOLE = (-90.0, 90.0)
_GRID_DEG = 2  # regions are drawn in cells of this size
_KM_PER_DEGREE = 111.195  # of a great circle on a sphere of 6,371 km
_ROWS, _COLUMNS = 180 // _GRID_DEG, 360 // _GRID_DEG
SHARES = (0.5, 0.9)


def world_map(
    density: PlaceDensity | None, *, claimed: Position | None, indicated: Position | None, alt: str, degrees: Degrees
) -> Drawing:
    """Draw the world with the smallest regions that hold 50 and 90 % of *density*; polar parts only when needed."""
    inner, outer = (_covered(density, share) for share in SHARES)
    south, north = _latitudes(outer, [spot for spot in (claimed, indicated) if spot])
    height = WIDTH * (north - south) / 360.0
    marks: list[Mark] = [World(0, 0, WIDTH, height, south, north), *_graticule(south, north, degrees)]
    marks.append(Boxes(_boxes(outer & ~inner, south), PREDICTION_MID))
    marks.append(Boxes(_boxes(inner, south), PREDICTION))
    marks.append(Shape(((0, 0), (WIDTH, 0), (WIDTH, height), (0, height)), stroke=QUIET, width=0.6))
    if indicated is not None:
        marks += ring(*_spot(indicated, south))
    if claimed is not None:
        marks += diamond(*_spot(claimed, south))
    return Drawing(WIDTH, height, tuple(marks), alt)


def _latitudes(region: NDArray[np.bool_], spots: list[Position]) -> tuple[float, float]:
    """Return the latitudes to draw, in whole cells."""
    rows = np.flatnonzero(region.any(axis=1))
    reached = [_GRID_DEG * float(row) - 90.0 for row in (*rows[:1], *(rows[-1:] + 1))]
    reached += [spot.latitude_deg for spot in spots]
    south, north = _INHABITED
    return _INHABITED if all(south + 2 <= latitude <= north - 2 for latitude in reached) else _WHOLE


def _spot(position: Position, south_deg: float) -> tuple[float, float]:
    scale = WIDTH / 360.0
    return (position.longitude_deg + 180) * scale, (position.latitude_deg - south_deg) * scale


def _graticule(south_deg: float, north_deg: float, degrees: Degrees) -> Iterator[Mark]:
    scale = WIDTH / 360.0
    for longitude in range(-120, 180, 60):
        x = (longitude + 180) * scale
        yield line(((x, 0), (x, (north_deg - south_deg) * scale)), GRID, width=0.25)
        yield Label(x + 1.5, 2, degrees(float(longitude), is_longitude=True), size=4.6, anchor="start", color=QUIET)
    for latitude in (-30, 0, 30, 60):
        y = (latitude - south_deg) * scale
        yield line(((0, y), (WIDTH, y)), GRID, width=0.25)


def _covered(density: PlaceDensity | None, share: float) -> NDArray[np.bool_]:
    """Return which ``[row, column]`` of the drawing grid, south west first, the region touches."""
    if density is None or not len(density.mass):
        return np.zeros((_ROWS, _COLUMNS), dtype=bool)
    reached = np.cumsum(density.mass, dtype=np.float64)
    needed = int(np.searchsorted(reached, share * reached[-1])) + 1
    grid = np.zeros((_ROWS, _COLUMNS), dtype=bool)
    half_deg = math.sqrt(density.cell_area_km2) / 2 / _KM_PER_DEGREE
    for latitude, longitude in zip(density.latitude_deg[:needed], density.longitude_deg[:needed], strict=True):
        _cover(grid, float(latitude), float(longitude), half_deg)
    return grid


def _cover(grid: NDArray[np.bool_], latitude_deg: float, longitude_deg: float, half_deg: float) -> None:
    wide = min(180.0, half_deg / max(math.cos(math.radians(latitude_deg)), 1e-3))
    south, north = (_index(latitude_deg + 90 + step, _ROWS) for step in (-half_deg, half_deg))
    west, east = (math.floor((longitude_deg + 180 + step) / _GRID_DEG) for step in (-wide, wide))
    columns = np.arange(west, min(east, west + _COLUMNS - 1) + 1) % _COLUMNS
    grid[south : north + 1, columns] = True


def _index(degrees: float, cells: int) -> int:
    return min(cells - 1, max(0, math.floor(degrees / _GRID_DEG)))


def _boxes(region: NDArray[np.bool_], south_deg: float) -> tuple[tuple[float, float, float, float], ...]:
    scale = WIDTH / 360.0
    cell, drop = _GRID_DEG * scale, (90.0 + south_deg) * scale
    return tuple((column * cell, row * cell - drop, run * cell, cell) for row, column, run in runs_of(region))
