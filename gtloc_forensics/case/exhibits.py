"""The numbers of photos, and what else the examiner says of a case, as the case holds them.

A photo's own number is its place in the order of joining: photos of the first examination in
path order, then those of the second. A given number is kept in the custody chain, as is what
the examiner says (the mandate); so both are covered by it and cost no table.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from gtloc_forensics.examination.acquisition import CONTAINER, FREE_SPACE, NESTED, STORE
from gtloc_forensics.records import Scalar, Sentence, Statement
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.joining import events, in_order_of_joining

EXHIBITS, MANDATE = "exhibits", "mandate"
"""Actions of custody events: numbers were given; the examiner said something of the case."""


def numbered(store: Store, examination_id: int) -> Mapping[str, str]:
    """Return source id → number, of every photo that is or was in the case."""
    return Numbers(in_order_of_joining(store, examination_id), given(store))


class Numbers(Mapping[str, str]):
    """The number of each photo, sixteen bytes each: those that were given, else the place in the order of joining."""

    def __init__(self, joined: Iterable[str], given: Mapping[str, str]) -> None:
        """Take the source ids in the order of joining."""
        import numpy as np

        ids = np.fromiter((int(source_id, 16) for source_id in joined), dtype=np.uint64)
        order = np.argsort(ids, kind="stable").astype(np.uint64)
        self._ids, self._places = array("Q", ids[order].tobytes()), array("Q", order.tobytes())
        self._given = {source_id: number for source_id, number in given.items() if self._place(source_id) is not None}

    def _place(self, source_id: str) -> int | None:
        try:
            wanted = int(source_id, 16)
        except ValueError:
            return None
        at = bisect_left(self._ids, wanted)
        return self._places[at] if at < len(self._ids) and self._ids[at] == wanted else None

    def __getitem__(self, source_id: str) -> str:
        """Return the number of a photo."""
        place = self._place(source_id)
        if place is None:
            raise KeyError(source_id)
        return self._given[source_id] if source_id in self._given else str(place + 1)

    def __iter__(self) -> Iterator[str]:
        """Yield the source ids in the order of joining."""
        by_place = array("Q", bytes(8 * len(self._ids)))
        for source_id, place in zip(self._ids, self._places, strict=True):
            by_place[place] = source_id
        return (f"{source_id:016x}" for source_id in by_place)

    def __len__(self) -> int:
        """Return how many photos there are."""
        return len(self._ids)


def given(store: Store) -> dict[str, str]:
    """Return the numbers that the examiner gave, source id → number; a later one replaces an earlier one."""
    found: dict[str, str] = {}
    for event in events(store, EXHIBITS):
        found |= {source_id: str(number) for source_id, number in event.detail.items()}
    return found


def containers(store: Store) -> dict[str, Statement]:
    """Return what the chain says of the image or archive that the photos come from; empty for a folder."""
    found: dict[str, Statement] = {}
    for event in events(store, CONTAINER):
        told = event.detail
        hashes = [
            f"{name}: {value}" for name, value in told.items() if name.startswith(("sha256", "content", "stated"))
        ]
        words = [f"{name.removeprefix('said ')}: {value}" for name, value in told.items() if name.startswith("said ")]
        found = {
            "container": f"{event.subject}, {told.get('kind', '')}, {told.get('media_bytes', '')} bytes",
            "container_hashes": "; ".join(hashes),
            "container_check": _compared(told),
            "container_words": "; ".join(words),
            "container_paths": _explained(told),
            "container_read_with": str(told.get("read with", "")),
        }
    return {name: value for name, value in found.items() if value}


def stores(store: Store) -> dict[str, Statement]:
    """Return what the chain says of the store that the photos come from; empty for a folder."""
    found: dict[str, Statement] = {}
    for event in events(store, STORE):
        told = event.detail
        found = {
            "store": event.subject,
            "store_holds": Sentence(
                "{objects} objects, {size_bytes} bytes",
                objects=int(told.get("objects") or 0),
                size_bytes=int(told.get("size_bytes") or 0),
            ),
            "store_read_with": str(told.get("read with", "")),
        }
    return found


def _explained(told: Mapping[str, Scalar]) -> Statement:
    is_image = str(told.get("kind", "")).endswith("image")
    said = [
        Sentence(
            "after !/ stands the path within it: p1 is the first partition (p0: there is no table of them); what "
            "stands below p1-deleted and the number of a record was deleted, and its content is what that record still "
            "says it was"
        )
        if is_image
        else Sentence("after !/ stands the path within it")
    ]
    if "libfsapfs" in str(told.get("read with", "")):
        said.append(Sentence("v1 below a partition is the first volume of the APFS container in it"))
    if FREE_SPACE in told:
        said.append(
            Sentence(
                "what stands below p1-carved was found where no file claims the space, is named after the byte at "
                "which it begins and its length, and may be of several files (cut: its end is missing)"
            )
        )
    if NESTED in told:
        said.append(Sentence("a further !/ leads into an image or archive within"))
    return Sentence("{changes:list}", changes=tuple(said)) if len(said) > 1 else said[0]


def _compared(told: Mapping[str, Scalar]) -> Sentence:
    stated = [name.removeprefix("stated ") for name in told if name.startswith("stated ")]
    compared = [name for name in stated if f"content {name}" in told]
    differing = [name for name in compared if told[f"content {name}"] != told[f"stated {name}"]]
    if told.get("unread"):
        return Sentence("NOT COMPARED: it could not be read to its end ({said})", said=str(told["unread"]))
    if differing:
        return Sentence("NOT AS STATED IN IT: {names:and} of its content differ", names=differing)
    if compared:
        return Sentence("{names:and} of its content as stated in it", names=compared)
    return Sentence("it states no hash of its content")


def mandate(store: Store) -> dict[str, str]:
    """Return what the examiner says of the case, the newest of each field."""
    said: dict[str, str] = {}
    for event in events(store, MANDATE):
        said |= {name: str(value) for name, value in event.detail.items()}
    return said
