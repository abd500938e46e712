"""The land of the world for small maps: Natural Earth 1:110 million.

Shipped as the TopoJSON of world-atlas 2.0.2 (``reports/templates/maps``, with its
notice); the data themselves are in the public domain.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from itertools import accumulate
from typing import Any, TypeAlias

Ring: TypeAlias = tuple[tuple[float, float], ...]  # (longitude_deg, latitude_deg), closed


@cache
def land_rings() -> tuple[Ring, ...]:
    """Return the outlines of the land, islands and continents alike.

    Coasts do not stop at the date line: an outline that crosses it is there twice,
    360° apart, and runs out of the map on either side, where whoever draws it clips.
    """
    text = files("gtloc_forensics.templates").joinpath("maps", "land-110m.json").read_text(encoding="utf-8")
    topology: dict[str, Any] = json.loads(text)
    arcs = [_arc(arc, topology["transform"]) for arc in topology["arcs"]]
    geometries = topology["objects"]["land"]["geometries"]
    polygons = [polygon for geometry in geometries for polygon in geometry["arcs"]]
    outlines = [_unrolled(_joined(ring, arcs)) for polygon in polygons for ring in polygon]
    return tuple(copy for outline in outlines for copy in _copies(outline))


def _arc(deltas: list[list[int]], transform: dict[str, list[float]]) -> Ring:
    """Undo TopoJSON's delta coding and quantisation."""
    scale, shift = transform["scale"], transform["translate"]
    columns = accumulate(x for x, _ in deltas)
    rows = accumulate(y for _, y in deltas)
    return tuple((x * scale[0] + shift[0], y * scale[1] + shift[1]) for x, y in zip(columns, rows, strict=True))


def _joined(indexes: list[int], arcs: list[Ring]) -> Ring:
    """Join arcs end to end; ``~i`` is arc *i* walked backwards."""
    points: list[tuple[float, float]] = []
    for index in indexes:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        points.extend(arc[1:] if points else arc)
    return tuple(points)


def _unrolled(ring: Ring) -> Ring:
    """Let longitudes run on past ±180° instead of jumping; close a ring around a pole along the pole."""
    points = [ring[0]]
    for longitude, latitude in ring[1:]:
        before = points[-1][0]
        points.append((longitude + 360.0 * round((before - longitude) / 360.0), latitude))
    if abs(points[-1][0] - points[0][0]) > 180.0:
        pole = 90.0 if points[0][1] > 0.0 else -90.0
        points += [(points[-1][0], pole), (points[0][0], pole)]
    return tuple(points)


def _copies(ring: Ring) -> list[Ring]:
    west = min(longitude for longitude, _ in ring)
    east = max(longitude for longitude, _ in ring)
    shifts = [shift for shift in (-360.0, 0.0, 360.0) if west + shift < 180.0 and east + shift > -180.0]
    return [tuple((longitude + shift, latitude) for longitude, latitude in ring) for shift in shifts]
