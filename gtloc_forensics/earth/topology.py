"""Outlines kept as TopoJSON: arcs undone, rings joined, and rings cut open where the date line and the poles ask it.

The files are those of world-atlas 2.0.2 (Natural Earth; ``earth/data/README.md``). Each arc is there once, so
two neighbours share their border to the bit.
"""

from __future__ import annotations

import importlib.resources
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth.circular import longitude_difference

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Topology:
    """The arcs of a file, ``[points, 2]`` (longitude, latitude) each, and the shapes made of them by layer."""

    arcs: tuple[Floats, ...]
    layers: dict[str, tuple[dict[str, Any], ...]]

    def rings(self, shape: dict[str, Any]) -> list[Floats]:
        """Return every ring of a shape, holes among them, as ``[points, 2]`` (longitude, latitude)."""
        return [self._joined(chain) for chain in chains_of(shape)]

    def _joined(self, chain: list[int]) -> Floats:
        """Join arcs end to end; a negative index ``~i`` is arc *i* backwards (TopoJSON specification, §2.1.4)."""
        pieces = [self.arcs[index] if index >= 0 else self.arcs[~index][::-1] for index in chain]
        return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])


@cache
def topology(file: str) -> Topology:
    """Return what a file of ``earth/data`` holds."""
    resource = importlib.resources.files("gtloc_forensics.earth").joinpath("data", file)
    kept: dict[str, Any] = json.loads(resource.read_text(encoding="utf-8"))
    scale, origin = np.array(kept["transform"]["scale"]), np.array(kept["transform"]["translate"])
    arcs = tuple(np.cumsum(np.array(arc), axis=0) * scale + origin for arc in kept["arcs"])
    return Topology(arcs, {name: tuple(layer["geometries"]) for name, layer in kept["objects"].items()})


def chains_of(shape: dict[str, Any]) -> list[list[int]]:
    """Return the chains of arcs of a shape, one a ring."""
    if shape["type"] not in ("Polygon", "MultiPolygon"):
        return []
    arcs: Any = shape["arcs"]
    polygons: list[list[list[int]]] = list(arcs) if shape["type"] == "MultiPolygon" else [arcs]
    return [chain for polygon in polygons for chain in polygon]


def unrolled(ring: Floats) -> Floats:
    """Return a ring whose longitudes run on past ±180° instead of jumping; one round a pole is closed through it."""
    steps = longitude_difference(ring[1:, 0], ring[:-1, 0])
    longitude = np.concatenate([ring[:1, 0], ring[0, 0] + np.cumsum(steps)])
    points = np.column_stack([longitude, ring[:, 1]])
    if abs(longitude[-1] - longitude[0]) > 180.0:
        pole_deg = -90.0 if ring[0, 1] < 0.0 else 90.0
        points = np.concatenate([points, [[longitude[-1], pole_deg], [longitude[0], pole_deg], points[0]]])
    return points


def edges_of(ring: Floats) -> Floats:
    """Return the edges ``[E, 4]`` (lon, lat, lon, lat) of a ring, unrolled."""
    points = unrolled(ring)
    return np.concatenate([points[:-1], points[1:]], axis=1)
