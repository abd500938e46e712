"""By which towns people would call places."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gtloc_forensics.earth import gazetteer
from gtloc_forensics.records import Position

if TYPE_CHECKING:
    from gtloc_forensics.case.retrieval import Hit


def town_of(hit: Hit) -> str:
    """Return the town by which people would call the claimed position of a hit; "" where none is claimed."""
    return "" if hit.position is None else _town(hit.position)


@lru_cache(maxsize=4096)
def _town(position: Position) -> str:
    town = gazetteer.well_known(position)
    return f"{gazetteer.told(town)} ({town.distance_km:.0f} km)"
