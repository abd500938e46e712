"""The claimed place and the regions that the pixels indicate, on a map of the world."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.records import PlaceDensity, Position
from gtloc_forensics.report.dials import runs_of
from gtloc_forensics.report.marks import (
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

WIDTH, HEIGHT = 276.0, 138.0
_GRID_DEG = 2  # regions are drawn in cells of this size
_KM_PER_DEGREE = 111.195  # of a great circle on a sphere of 6,371 km
_ROWS, _COLUMNS = 180 // _GRID_DEG, 360 // _GRID_DEG
SHARES = (0.5, 0.9)


def world_map(
    density: PlaceDensity | None, *, claimed: Position | None, indicated: Position | None, alt: str
) -> Drawing:
    """Draw the world with the smallest regions that hold 50 and 90 % of *density*."""
    marks: list[Mark] = [World(0, 0, WIDTH, HEIGHT), *_graticule()]
    if density is not None:
        inner, outer = (_covered(density, share) for share in SHARES)
        marks.append(Boxes(_boxes(outer & ~inner), PREDICTION_MID))
        marks.append(Boxes(_boxes(inner), PREDICTION))
    marks.append(Shape(((0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)), stroke=QUIET, width=0.6))
    if indicated is not None:
        marks += ring(*_spot(indicated))
    if claimed is not None:
        marks += diamond(*_spot(claimed))
    return Drawing(WIDTH, HEIGHT, tuple(marks), alt)


def _spot(position: Position) -> tuple[float, float]:
    return (position.longitude_deg + 180) / 360 * WIDTH, (position.latitude_deg + 90) / 180 * HEIGHT


def _graticule() -> Iterator[Mark]:
    for longitude in range(-120, 180, 60):
        x = (longitude + 180) / 360 * WIDTH
        yield line(((x, 0), (x, HEIGHT)), GRID, width=0.25)
        yield Label(
            x + 1.5,
            2,
            f"{abs(longitude)}°{'W' if longitude < 0 else 'E' if longitude else ''}",
            size=4.6,
            anchor="start",
            color=QUIET,
        )
    for latitude in (-60, -30, 0, 30, 60):
        y = (latitude + 90) / 180 * HEIGHT
        yield line(((0, y), (WIDTH, y)), GRID, width=0.25)


def _covered(density: PlaceDensity, share: float) -> NDArray[np.bool_]:
    """Return which ``[row, column]`` of the drawing grid, south west first, the region touches."""
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


def _boxes(region: NDArray[np.bool_]) -> tuple[tuple[float, float, float, float], ...]:
    cell = WIDTH / _COLUMNS
    return tuple((column * cell, row * cell, run * cell, cell) for row, column, run in runs_of(region))
