"""Land or sea, by Natural Earth's land polygons at 1:50 million.

Coasts are good to a few kilometres and islets are missing, so a point near a coast
may fall on the wrong side; lakes count as land. Rings are unrolled across the date
line, and the one round the South Pole is closed through it, before anything is tested.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtloc_forensics.earth.topology import edges_of, topology

Floats = NDArray[np.float64]

NUDGE_DEG = 1e-7
# The data close Antarctica along 89.999° S instead of at the pole itself.
SOUTHERNMOST_DEG = -89.99


def is_land(latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.bool_]:
    """Return whether each point lies on land, of the broadcast shape.

    A point exactly on a coast may be told either way.
    """
    latitude, longitude = np.broadcast_arrays(
        np.asarray(latitude_deg, dtype=np.float64), np.asarray(longitude_deg, dtype=np.float64)
    )
    # Many vertices lie exactly on 0° and 180°, where sums of steps round either way: look one centimetre
    # beside them.
    east = np.mod(longitude + NUDGE_DEG + 180.0, 360.0) - 180.0
    latitude = np.maximum(latitude, SOUTHERNMOST_DEG)
    answers = [_inside(one_lat, one_lon) for one_lat, one_lon in zip(latitude.ravel(), east.ravel(), strict=True)]
    return np.array(answers, dtype=np.bool_).reshape(latitude.shape)


def _inside(latitude_deg: float, longitude_deg: float) -> bool:
    """Count the edges north of the point on its meridian: odd is inside (the North Pole is sea)."""
    edges, first_of_column = _columns()
    column = min(int(longitude_deg + 180.0), 359)
    west, south, east, north = edges[first_of_column[column] : first_of_column[column + 1]].T
    spans = (np.minimum(west, east) <= longitude_deg) & (longitude_deg < np.maximum(west, east))
    west, south, east, north = west[spans], south[spans], east[spans], north[spans]
    crossing = south + (north - south) * (longitude_deg - west) / (east - west)
    return bool(np.count_nonzero(crossing > latitude_deg) % 2)


@cache
def _columns() -> tuple[Floats, NDArray[np.int64]]:
    """Return all edges ``[E, 4]`` (lon, lat, lon, lat) sorted by one-degree column, and where each column starts.

    An edge that spans two columns is listed in both.
    """
    land = topology("land-50m.json")
    rings = [ring for shape in land.layers["land"] for ring in land.rings(shape)]
    edges = np.concatenate([edges_of(ring) for ring in rings])
    low = np.floor(np.minimum(edges[:, 0], edges[:, 2]) + 180.0).astype(np.int64)
    high = np.floor(np.maximum(edges[:, 0], edges[:, 2]) + 180.0).astype(np.int64)
    copies = high - low + 1
    rows = np.repeat(np.arange(len(edges)), copies)
    columns = np.repeat(low, copies) + np.arange(len(rows)) - np.repeat(np.cumsum(copies) - copies, copies)
    # Unrolled rings leave [-180, 180): bring each column home and its edge with it.
    home = np.mod(columns, 360)
    shifted = edges[rows]
    shifted[:, [0, 2]] += (home - columns)[:, None].astype(np.float64)
    order = np.argsort(home, kind="stable")
    return shifted[order], np.searchsorted(home[order], np.arange(361))
