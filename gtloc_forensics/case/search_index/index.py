"""The index of one examination, open: its columns in the order of the photos, and who of them holds a word."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.case.search_index.parts import DamagedIndex, Part
from gtloc_forensics.examination import summaries
from gtloc_forensics.records import UNKNOWN_DEVICE, Absent, Device
from gtloc_forensics.store.lean_rows import LeanPhoto, Newest

FOLDER = "search-index"
"""Where in a case folder the index lies."""

FORM = "1"
"""Of the index; raise it when one of an older program could not be used."""

NO_TIME = np.iinfo(np.int64).min
"""Stands for the time of a photo that claims none."""

BETWEEN = b"\x1e"
"""What separates texts; none of them holds it."""


def key_of(newest: Newest) -> str:
    """Return under which name the part of an examination lies: of the case, the examination and this program."""
    return _hashed(FORM, version("gtloc_forensics"), newest.identity)


def path_of(folder: Path, newest: Newest) -> Path:
    """Return where the part of an examination lies."""
    return folder / FOLDER / f"order-{key_of(newest)}.part"


def family_of(newest: Newest) -> str:
    """Return what all examinations share whose photos may lie in the same segments: the case, and how it was read."""
    first, _, stages, films, tables = json.loads(newest.identity)
    return _hashed(FORM, version("gtloc_forensics"), json.dumps([first, stages, films, tables]))


def _hashed(*said: str) -> str:
    return hashlib.sha256("\x1f".join(said).encode()).hexdigest()[:24]


def called(photo: LeanPhoto) -> str:
    """Return how to call the device of a photo, "" where its metadata could not be read."""
    if not photo.is_read:
        return ""
    make, model, serial = photo.maker
    gone = Absent.MISSING
    return str(summaries.called(Device(make, model, serial or gone, gone, gone, gone, UNKNOWN_DEVICE, "")))


class SearchIndex:
    """What is compared of every photo of an examination, by its place in the path order."""

    def __init__(self, order: Path) -> None:
        """Open the part of an examination, and the segments that it names.

        Raises:
            DamagedIndex: one of them is not there, or not the one that was written.
        """
        self._order = Part(order)
        self.segments: list[Part] = []
        for name, digest in self._order.facts["segments"]:
            segment = Part(order.with_name(name))
            if segment.digest != digest:
                raise DamagedIndex(f"{name} is another one")
            self.segments.append(segment)
        self._known: dict[str, NDArray[Any]] = {}

    @cached_property
    def source_rows(self) -> NDArray[np.int64]:
        """The row of each photo."""
        return self._order.array("source_row")

    @cached_property
    def by_name(self) -> NDArray[np.int32]:
        """The place of each photo in the order of names."""
        return self._order.array("by_name")

    def column(self, name: str) -> NDArray[Any]:
        """Return what the segments hold of each photo."""
        if name not in self._known:
            self._known[name] = self.stored(name)[self._place]
        return self._known[name]

    def stored(self, name: str) -> NDArray[Any]:
        """Return the same in the order of the segments, photos of other examinations among them."""
        return np.concatenate([segment.array(name) for segment in self.segments])

    @cached_property
    def _place(self) -> NDArray[np.int64]:
        return self._order.array("place")

    @cached_property
    def ordinals(self) -> NDArray[np.int64]:
        """Of each photo of the segments its place in the examination; -1 for those of others."""
        found = np.full(sum(len(segment.array("source_row")) for segment in self.segments), -1, np.int64)
        found[self._place] = np.arange(len(self._place))
        return found

    def makers(self) -> list[str]:
        """Return make, model and serial number of each device, "" for none; :meth:`maker` counts in them."""
        return [maker for segment in self.segments for maker, _ in segment.facts["makers"]]

    def maker(self) -> NDArray[np.int32]:
        """Return which device took each photo."""
        counts = [len(segment.facts["makers"]) for segment in self.segments]
        before = np.cumsum([0, *counts[:-1]])
        moved = [segment.array("maker") + first for segment, first in zip(self.segments, before, strict=True)]
        return np.asarray(np.concatenate(moved)[self._place], np.int32)

    def holding(self, wanted: Iterable[str]) -> NDArray[np.bool_]:
        """Return which photos hold each of some words, in whatever text, as :mod:`gtloc_forensics.case.words` does."""
        held = np.ones(len(self.source_rows), np.bool_)
        for term in wanted:
            in_texts = np.concatenate([_holders(segment, term) for segment in self.segments])[self._place]
            results = [number for number, text in enumerate(self._order.facts["results"]) if term in text]
            held &= in_texts | np.isin(self._order.array("ended"), results)
        return held


def _holders(segment: Part, term: str) -> NDArray[np.bool_]:
    """Return which photos of a segment hold a word in one of their texts."""
    found = np.zeros(len(segment.array("source_row")), np.bool_)
    wanted = term.encode("utf-8", "surrogatepass")
    if BETWEEN in wanted:
        return found
    texts, begins = segment.array("texts").tobytes(), segment.array("text_starts")
    places = list(_occurrences(texts, wanted))
    numbers = np.unique(np.searchsorted(begins, places, "right") - 1)
    starts, holders = segment.array("holder_starts"), segment.array("holders")
    for number in numbers:
        found[holders[starts[number] : starts[number + 1]]] = True
    return found


def _occurrences(texts: bytes, wanted: bytes) -> Iterable[int]:
    """Yield where a word stands, once for each text."""
    at = texts.find(wanted)
    while at >= 0:
        yield at
        ends = texts.find(BETWEEN, at)  # one place in a text is enough
        at = -1 if ends < 0 else texts.find(wanted, ends)
