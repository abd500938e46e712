"""Lines on a page of plots: coasts, and the borders of cells as they run on a sphere, broken at the date line."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth.sphere import unit_vectors
from gtloc_forensics.earth.topology import topology

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

_STEPS = 12  # of one side of a cell
_LEAST_POINTS = 12  # of an island that is seen on a map of the world


@cache
def coasts() -> Floats:
    """Return the outlines of land, ``[N, 2]`` longitude and latitude; a row of NaN parts one from the next."""
    land = topology("land-50m.json")
    rings = [np.asarray(ring, np.float64) for shape in land.layers["land"] for ring in land.rings(shape)]
    return np.concatenate([_with_gaps(ring) for ring in rings if len(ring) >= _LEAST_POINTS])


def border(corners_deg: Floats) -> Floats:
    """Return the border of a cell, ``[N, 2]`` longitude and latitude, its sides as great circles.

    Args:
        corners_deg: ``[K, 2]`` latitude and longitude, one after the other.
    """
    corners = unit_vectors(corners_deg[:, 0], corners_deg[:, 1])
    share = np.linspace(0.0, 1.0, _STEPS, endpoint=False)[:, None]
    sides = [a * (1.0 - share) + b * share for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)]
    points = np.concatenate([*sides, corners[:1]])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    longitude, latitude = np.arctan2(points[:, 1], points[:, 0]), np.arcsin(np.clip(points[:, 2], -1.0, 1.0))
    return _with_gaps(np.degrees(np.column_stack([longitude, latitude])))


def draw_world(axes: Axes) -> None:
    """Draw the coasts, and bound a map to the earth."""
    lines = coasts()
    axes.plot(lines[:, 0], lines[:, 1], color="0.8", linewidth=0.4, zorder=0)
    axes.set(xlim=(-180, 180), ylim=(-90, 90))


def _with_gaps(points: Floats) -> Floats:
    """Return a line with a row of NaN wherever it runs over the date line, and at its end."""
    jumps = np.flatnonzero(np.abs(np.diff(points[:, 0])) > 180.0) + 1
    gap = np.full((1, 2), np.nan)
    parts = [part for piece in np.split(points, jumps) for part in (piece, gap)]
    return np.concatenate(parts)
