"""Countries: whose land a position is on, the names behind a code, and the borders between them.

Borders are Natural Earth's at 1:50 million, good to a few kilometres, and drawn as they are kept, not as any state
claims them. Codes are those of ISO 3166-1 and XK; names are CLDR's in English and German (``earth/data/README.md``).
"""

from __future__ import annotations

import importlib.resources
import json
from collections import Counter
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth.topology import Floats, chains_of, edges_of, topology
from gtloc_forensics.records import Position

LANGUAGES = ("en", "de")

_FILE = "countries-50m.json"
_NUDGE_DEG = 1e-7  # many vertices lie exactly on whole degrees: look one centimetre beside them
_SOUTHERNMOST_DEG = -89.99  # the data close Antarctica along 89.999° S
# Shapes without a number of their own, by their name in the file, and the code they stand under here.
_UNNUMBERED = {"Kosovo": "XK"}


def country_at(position: Position) -> str | None:
    """Return the two-letter code of the country whose land *position* is on, by borders good to a few kilometres.

    None at sea, on islets that the map leaves out, and where the map shows land that has no code of its own.
    """
    edges, owners, codes = _edges()
    latitude = max(position.latitude_deg, _SOUTHERNMOST_DEG)
    east = (position.longitude_deg + _NUDGE_DEG + 180.0) % 360.0 - 180.0
    crossed = np.zeros(len(codes), dtype=np.int64)
    for longitude in (east - 360.0, east, east + 360.0):
        west_end, south, east_end, north = edges.T
        spans = (np.minimum(west_end, east_end) <= longitude) & (longitude < np.maximum(west_end, east_end))
        west_end, south, east_end, north = edges[spans].T
        height = south + (north - south) * (longitude - west_end) / (east_end - west_end)
        crossed += np.bincount(owners[spans][height > latitude], minlength=len(codes))
    inside = [codes[number] for number in np.flatnonzero(crossed % 2)]
    return inside[0] if len(inside) == 1 else None


def country_name(code: str, language: str = "en") -> str:
    """Return the name of a two-letter code in one of :data:`LANGUAGES`; the code itself where there is no name."""
    return _table().get(code, {}).get(language, code)


def country_codes() -> tuple[str, ...]:
    """Return all two-letter codes."""
    return tuple(_table())


def code_of(written: str) -> str | None:
    """Return the two-letter code behind a name or a code of two, three letters or three figures, else None."""
    return _by_name().get(" ".join(written.casefold().split()))


@cache
def borders() -> tuple[Floats, ...]:
    """Return the lines between countries, ``[points, 2]`` (longitude, latitude) each; coasts are not among them."""
    kept = topology(_FILE)
    uses = Counter(
        index if index >= 0 else ~index
        for shape in kept.layers["countries"]
        for chain in chains_of(shape)
        for index in chain
    )
    return tuple(kept.arcs[index] for index, count in sorted(uses.items()) if count > 1)


@cache
def _edges() -> tuple[Floats, NDArray[np.int64], tuple[str | None, ...]]:
    """Return all edges of all countries, the country of each and the countries' codes."""
    kept = topology(_FILE)
    shapes = kept.layers["countries"]
    by_number = {names["numeric"]: code for code, names in _table().items() if names["numeric"]}
    codes = tuple(
        by_number.get(str(shape.get("id", "")), _UNNUMBERED.get(shape["properties"]["name"])) for shape in shapes
    )
    parts = [(number, edges_of(ring)) for number, shape in enumerate(shapes) for ring in kept.rings(shape)]
    owners = np.repeat([number for number, _ in parts], [len(edges) for _, edges in parts])
    return np.concatenate([edges for _, edges in parts]), owners, codes


@cache
def _table() -> dict[str, dict[str, str]]:
    resource = importlib.resources.files("gtloc_forensics.earth").joinpath("data", "countries.json")
    table: dict[str, dict[str, str]] = json.loads(resource.read_text(encoding="utf-8"))
    return table


@cache
def _by_name() -> dict[str, str]:
    return {
        written.casefold(): code for code, names in _table().items() for written in (code, *names.values()) if written
    }
