"""Makes the map of the review page: land and borders of Natural Earth 1:50 million, cut at the date line.

    python experiments/cut_world_map.py countries-50m.json reports/templates/review/world.json

The input is a file of world-atlas 2.0.2 (ISC; the data are in the public domain). Outlines that cross ±180° would be
drawn as bars across the map, so each is unrolled and clipped. Coordinates become hundredths of a degree, each ring as
the differences of one point from the last.
"""

from __future__ import annotations

import json
import sys
from itertools import accumulate, pairwise
from pathlib import Path

Ring = list[tuple[float, float]]
SCALE = 100


def arcs_of(topology: dict) -> list[Ring]:
    """Undo TopoJSON's delta coding and quantisation."""
    (x_scale, y_scale), (x_shift, y_shift) = topology["transform"]["scale"], topology["transform"]["translate"]
    return [
        [
            (x * x_scale + x_shift, y * y_scale + y_shift)
            for x, y in zip(accumulate(p[0] for p in arc), accumulate(p[1] for p in arc), strict=True)
        ]
        for arc in topology["arcs"]
    ]


def joined(indexes: list[int], arcs: list[Ring]) -> Ring:
    """Join arcs end to end; ``~i`` is arc *i* walked backwards."""
    points: Ring = []
    for index in indexes:
        arc = arcs[index] if index >= 0 else arcs[~index][::-1]
        points.extend(arc[1:] if points else arc)
    return points


def unrolled(ring: Ring) -> Ring:
    """Let longitudes run on past ±180° instead of jumping; close a ring around a pole along the pole."""
    points = [ring[0]]
    for longitude, latitude in ring[1:]:
        points.append((longitude + 360.0 * round((points[-1][0] - longitude) / 360.0), latitude))
    if abs(points[-1][0] - points[0][0]) > 180.0:
        pole = 90.0 if points[0][1] > 0.0 else -90.0
        points += [(points[-1][0], pole), (points[0][0], pole), points[0]]
    return points


def clipped(ring: Ring, bound: float, *, keep_west: bool) -> Ring:
    """Cut a polygon along a meridian (Sutherland and Hodgman)."""
    kept: Ring = []
    for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
        inside, next_inside = (x1 <= bound, x2 <= bound) if keep_west else (x1 >= bound, x2 >= bound)
        if inside:
            kept.append((x1, y1))
        if inside != next_inside:
            kept.append((bound, y1 + (y2 - y1) * (bound - x1) / (x2 - x1)))
    return kept


def pieces(ring: Ring) -> list[Ring]:
    """Return what of an unrolled ring lies on the map, once on each side that it reaches."""
    found = []
    for shift in (-360.0, 0.0, 360.0):
        moved = [(x + shift, y) for x, y in ring]
        piece = clipped(clipped(moved, 180.0, keep_west=True), -180.0, keep_west=False)
        if len(piece) > 2:
            found.append(piece)
    return found


def coded(points: Ring) -> list[int]:
    """Return a ring as hundredths of a degree, differences after the first point; repeated points are left out."""
    whole: list[tuple[int, int]] = []
    for x, y in points:
        point = (round(x * SCALE), round(y * SCALE))
        if not whole or point != whole[-1]:
            whole.append(point)
    flat = list(whole[0])
    for (x1, y1), (x2, y2) in pairwise(whole):
        flat += [x2 - x1, y2 - y1]
    return flat


def main(source: Path, target: Path) -> None:
    """Write the map."""
    topology = json.loads(source.read_text(encoding="utf-8"))
    arcs = arcs_of(topology)
    land = []
    for geometry in topology["objects"]["land"]["geometries"]:
        for polygon in geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]:
            land += [coded(piece) for piece in pieces(unrolled(joined(polygon[0], arcs)))]
    uses: dict[int, int] = {}
    for geometry in topology["objects"]["countries"]["geometries"]:
        for polygon in geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]:
            for ring in polygon:
                for index in ring:
                    uses[index if index >= 0 else ~index] = uses.get(index if index >= 0 else ~index, 0) + 1
    borders = [coded(arcs[index]) for index, count in sorted(uses.items()) if count > 1]
    document = {"scale": SCALE, "land": [ring for ring in land if len(ring) >= 8], "borders": borders}
    target.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{len(document['land'])} outlines, {len(borders)} borders, {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
