"""What was concluded of each photo, and how what comparing rules say joins it.

A rule that compares says of nearly every photo that it had nothing to go on, or that it
found agreement. As findings that is kilobytes a photo; here it is a byte for each such
rule and photo, and everything else that is said waits on the disk until all rules have run.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, ValuesView
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, cast

import numpy as np

from gtloc_forensics.evidence.false_discovery import Cautions, Tested
from gtloc_forensics.examination.judging import strength_of
from gtloc_forensics.examination.on_disk import OnDisk
from gtloc_forensics.examination.sayings import (
    Around,
    Concluded,
    Lists,
    Saying,
    Verdicts,
    around,
    concluded,
    is_bare,
    mark_of,
)
from gtloc_forensics.records import Finding, Outcome, PhotoSummary, Sentence, Statement, Unexamined
from gtloc_forensics.store.codec import from_plain, listed_bytes, plain_bytes
from gtloc_forensics.store.verdicts import id_bytes

_MOST_SHAPES = 255
"""Different bare outcomes of one rule that fit a byte; further ones are kept in full."""


def digest_of(verdicts: Iterable[bytes]) -> str:
    """Return one hash over what was concluded of every photo, in path order; the custody chain holds it."""
    digest = hashlib.sha256()
    for packed in verdicts:
        digest.update(hashlib.sha256(packed).digest())
    return digest.hexdigest()


class Places:
    """The photos of an examination by their ids: their places in path order."""

    def __init__(self, source_ids: array[int]) -> None:
        """Take the ids as numbers, which come in path order; a dozen bytes each are held."""
        numbers = np.frombuffer(source_ids, np.uint64) if source_ids else np.zeros(0, np.uint64)
        order = np.argsort(numbers, kind="stable")
        self._ids = array("Q", numbers[order].tobytes())
        self._places = array("I", order.astype(np.uint32).tobytes())

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self._ids)

    def of(self, source_id: str) -> int | None:
        """Return the place of a photo, None where there is none of that id."""
        try:
            wanted = int(source_id, 16)
        except ValueError:
            return None
        found = bisect_left(self._ids, wanted)
        return self._places[found] if found < len(self._ids) and self._ids[found] == wanted else None


class ById(Mapping[str, PhotoSummary]):
    """Photos by their ids, without a table of the ids as text."""

    def __init__(self, photos: Sequence[PhotoSummary]) -> None:
        """Take *photos* in path order."""
        self._photos = photos
        self._places = Places(array("Q", (int(photo.source_id, 16) for photo in photos)))

    def __getitem__(self, source_id: str) -> PhotoSummary:
        """Return a photo.

        Raises:
            KeyError: there is none of that id.
        """
        place = self._places.of(source_id)
        if place is None:
            raise KeyError(source_id)
        return self._photos[place]

    def __iter__(self) -> Iterator[str]:
        """Yield the ids in path order."""
        return (photo.source_id for photo in self._photos)

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self._photos)

    def values(self) -> ValuesView[PhotoSummary]:
        """Return the photos in path order."""
        return cast(ValuesView[PhotoSummary], self._photos)


class Told:
    """What one rule says of the photos it was given; it joins the rest once the rule has ended well."""

    def __init__(self, said: Said) -> None:
        """Prepare to hear one rule."""
        self._said = said
        self._order = array("Q")  # place of a photo << 32 | number of what was said of it
        self._tested: list[Finding] = []
        self._first_list = len(said.lists)

    def hear(self, finding: Finding) -> None:
        """Take note of a finding."""
        said = self._said
        number = said.bare_number(finding)
        if number is None:
            number = said.add(finding)
        if finding.p_value is not None:
            self._tested.append(finding)
        for source_id in finding.source_ids:
            place = said.places.of(source_id)
            if place is not None:
                self._order.append(place << 32 | number)

    def join(self, tested: Tested) -> None:
        """Let what was heard be part of what was said."""
        for finding in self._tested:
            tested.hear(finding)
        for entry in self._order:
            self._said.join(entry >> 32, entry & 0xFFFFFFFF)

    def forget(self) -> None:
        """Let nothing be kept of what was heard."""
        self._said.lists.empty(self._first_list)


class Said:
    """What comparing rules said, by photo."""

    def __init__(self, places: Places) -> None:
        """Hold nothing yet of the photos in *places*."""
        self.places = places
        self._shapes: list[_Shape] = []  # bare findings
        self._shape_numbers: dict[tuple[object, ...], int] = {}
        self._of_rule: dict[str, list[int]] = {}  # rule → its bare outcomes, by their byte
        self._bytes: dict[str, bytearray] = {}  # rule → by place, which of its bare outcomes was said first; 0: none
        self._full = OnDisk[_Full](kind=_Full)
        self.lists = Lists()
        self._last = array("I", bytes(4 * len(places)))  # by place, the last of its links; 0: none
        self._before, self._number = array("I", [0]), array("I", [0])  # of each link

    # ----------------------------------------------------------------- hearing

    def bare_number(self, finding: Finding) -> int | None:
        """Return the number of what a finding says, None where it says more than a sentence of one photo."""
        if len(finding.source_ids) != 1 or not is_bare(finding):
            return None
        key = (finding.check_id, finding.outcome, finding.severity, finding.confidence, *_words(finding.summary))
        number = self._shape_numbers.get(key)
        if number is None:
            of_rule = self._of_rule.setdefault(finding.check_id, [])
            if len(of_rule) == _MOST_SHAPES or self.places.of(finding.source_ids[0]) is None:
                return None
            number = self._shape_numbers[key] = 2 * len(self._shapes)
            self._shapes.append(_Shape(finding.check_id, around(finding), _is_silence(finding)))
            of_rule.append(number)
        return number

    def add(self, finding: Finding) -> int:
        """Keep a finding in full, and return its number."""
        number = self.lists.number(finding.source_ids)
        plain = plain_bytes(finding) if number is None else listed_bytes(finding, number)
        return self._add(_Full(finding.check_id, plain, mark_of(finding), _is_silence(finding)))

    def _add(self, record: _Full) -> int:
        self._full.append(record)
        return 2 * (len(self._full) - 1) + 1

    def join(self, place: int, number: int) -> None:
        """Say of the photo in a place what has that number."""
        if number % 2 == 0:  # a bare outcome
            shape = self._shapes[number // 2]
            first = self._bytes.setdefault(shape.check_id, bytearray(len(self.places)))
            if not first[place] and not self._has_said(place, shape.check_id):
                first[place] = 1 + self._of_rule[shape.check_id].index(number)
                return
        self._before.append(self._last[place])
        self._number.append(number)
        self._last[place] = len(self._number) - 1

    def join_failure(self, failure: Unexamined, photos: Iterable[PhotoSummary]) -> None:
        """Say of each of *photos* that a rule failed over it."""
        number = self._add(_Full("", plain_bytes(failure), _FAILURE, False))
        for photo in photos:
            place = self.places.of(photo.source_id)
            if place is not None:
                self.join(place, number)

    def _has_said(self, place: int, check_id: str) -> bool:
        """Whether a rule has said more of a photo already, whatever others said since."""
        return any(self._record(number).check_id == check_id for number in self._links(place))

    def _record(self, number: int) -> _Full | _Shape:
        return self._full.remembered(number // 2) if number % 2 else self._shapes[number // 2]

    # ----------------------------------------------------------------- telling

    def of(self, place: int, source_id: str) -> tuple[list[Saying], list[bytes]]:
        """Return what was said of the photo in a place, by rule, and which rules crashed over it, in msgpack."""
        name = id_bytes(source_id)
        found: list[tuple[str, bool, Saying]] = []
        failed: list[bytes] = []
        for check_id, numbers in self._bytes.items():
            if numbers[place]:
                shape = self._shapes[self._of_rule[check_id][numbers[place] - 1] // 2]
                found.append((check_id, shape.is_silence, shape.around.of(name)))
        for number in self._links(place):
            record = self._record(number)
            if isinstance(record, _Shape):
                found.append((record.check_id, record.is_silence, record.around.of(name)))
            elif record.mark == _FAILURE:
                failure = from_plain(Unexamined, record.plain)
                failed.append(plain_bytes(replace(failure, source_id=source_id)))
            else:
                found.append((record.check_id, record.is_silence, (record.plain, record.mark)))
        found.sort(key=_BY_RULE)
        return [said for _, _, said in found], failed

    def _links(self, place: int) -> list[int]:
        """Return the numbers of what was said of a photo in full, in order."""
        numbers: list[int] = []
        link = self._last[place]
        while link:
            numbers.append(self._number[link])
            link = self._before[link]
        return numbers[::-1]


@dataclass(frozen=True, slots=True)
class _Full:
    """A finding in msgpack, or how a rule failed."""

    check_id: str
    plain: bytes
    mark: int
    is_silence: bool


_FAILURE = -1


@dataclass(frozen=True, slots=True)
class _Shape:
    """A bare finding that many photos have."""

    check_id: str
    around: Around
    is_silence: bool


_BY_RULE: Callable[[tuple[str, bool, Saying]], tuple[str, bool]] = itemgetter(0, 1)
"""By rule, and of each rule last that it could not test."""


def _is_silence(finding: Finding) -> bool:
    return finding.outcome is Outcome.NOT_TESTABLE and is_bare(finding)


def _words(said: Statement) -> tuple[str, str]:
    return said, said.template if isinstance(said, Sentence) else ""


def concluded_of(
    places: Iterable[int], source_ids: Sequence[int], verdicts: Verdicts, said: Said, cautions: Cautions
) -> Iterator[Concluded]:
    """Yield what was concluded of some photos: by rules on it alone, by those that compare, and what the case adds."""
    for place in places:
        source_id = f"{source_ids[place]:016x}"
        findings, unexamined = verdicts.sayings(verdicts[place], source_id)
        compared, failed = said.of(place, source_id)
        told, missing = [*findings, *compared], [*unexamined, *failed]
        yield concluded(told, missing, cautions.added, source_id=source_id, lists=said.lists)


class Ranking:
    """The findings that a person should see, put in the order of their rank; some twenty bytes each are in memory."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._findings = OnDisk[Finding](kind=Finding)
        self._keys: tuple[array[Any], ...] = (array("b"), array("b"), array("b"), array("d"), array("I"))
        self._rules = array("I")
        self._names: dict[str, int] = {}

    def add(self, finding: Finding, place: int) -> None:
        """Add what was found of the photo in a place."""
        self._findings.append(finding)
        for column, key in zip(self._keys, (*strength_of(finding), place), strict=True):
            column.append(key)
        self._rules.append(self._names.setdefault(finding.check_id, len(self._names)))

    def ranked(self) -> Sequence[Finding]:
        """Return them strongest first, then by path and rule; each is read from the disk when it is asked for."""
        alphabetical = np.argsort(np.argsort(list(self._names))) if self._names else np.zeros(0, np.int64)
        rules = alphabetical[np.frombuffer(self._rules, np.uint32)] if self._rules else np.zeros(0, np.int64)
        columns = (np.frombuffer(column, column.typecode) for column in self._keys) if self._rules else ()
        order = np.lexsort((rules, *reversed(tuple(columns))))
        return self._findings.in_order(array("I", order.astype(np.uint32).tobytes()))
