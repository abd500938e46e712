"""The numbers of photos, and what else the examiner says of a case, as the case holds them.

A photo's own number is its place in the order of joining: photos of the first examination in
path order, then those of the second. A given number is kept in the custody chain, as is what
the examiner says (the mandate); so both are covered by it and cost no table.
"""

from __future__ import annotations

from collections.abc import Mapping

from gtloc_forensics.store.database import Store
from gtloc_forensics.store.joining import events, in_order_of_joining

EXHIBITS, MANDATE = "exhibits", "mandate"
"""Actions of custody events: numbers were given; the examiner said something of the case."""


def numbered(store: Store, examination_id: int) -> Mapping[str, str]:
    """Return source id → number, of every photo that is or was in the case."""
    own = {source_id: str(number) for number, source_id in enumerate(in_order_of_joining(store, examination_id), 1)}
    return own | {source_id: number for source_id, number in given(store).items() if source_id in own}


def given(store: Store) -> dict[str, str]:
    """Return the numbers that the examiner gave, source id → number; a later one replaces an earlier one."""
    found: dict[str, str] = {}
    for event in events(store, EXHIBITS):
        found |= {source_id: str(number) for source_id, number in event.detail.items()}
    return found


def mandate(store: Store) -> dict[str, str]:
    """Return what the examiner says of the case, the newest of each field."""
    said: dict[str, str] = {}
    for event in events(store, MANDATE):
        said |= {name: str(value) for name, value in event.detail.items()}
    return said
