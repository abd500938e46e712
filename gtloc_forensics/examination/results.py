"""What was concluded of each photo, and how what comparing rules say joins it.

A rule that compares says of nearly every photo that it had nothing to go on, or that it
found agreement. As findings that is kilobytes a photo; here it is a byte for each such
rule and photo, and everything else that is said waits on the disk until all rules have run.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence, ValuesView
from dataclasses import replace
from typing import Any, cast

import numpy as np

from gtloc_forensics.evidence.false_discovery import Tested
from gtloc_forensics.examination.judging import strength_of
from gtloc_forensics.examination.on_disk import OnDisk
from gtloc_forensics.records import Finding, Outcome, PhotoResult, PhotoSummary, Sentence, Statement, Unexamined

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


class Said:
    """What comparing rules said, by photo."""

    def __init__(self, places: Places) -> None:
        """Hold nothing yet of the photos in *places*."""
        self.places = places
        self._shapes: list[Finding] = []  # bare findings, of nobody
        self._shape_numbers: dict[tuple[object, ...], int] = {}
        self._of_rule: dict[str, list[int]] = {}  # rule → its bare outcomes, by their byte
        self._bytes: dict[str, bytearray] = {}  # rule → by place, which of its bare outcomes was said first; 0: none
        self._full = OnDisk[Finding | Unexamined]()
        self._last = array("I", bytes(4 * len(places)))  # by place, the last of its links; 0: none
        self._before, self._number = array("I", [0]), array("I", [0])  # of each link

    # ----------------------------------------------------------------- hearing

    def bare_number(self, finding: Finding) -> int | None:
        """Return the number of what a finding says, None where it says more than a sentence of one photo."""
        if len(finding.source_ids) != 1 or not _is_bare(finding):
            return None
        key = (finding.check_id, finding.outcome, finding.severity, finding.confidence, *_words(finding.summary))
        number = self._shape_numbers.get(key)
        if number is None:
            of_rule = self._of_rule.setdefault(finding.check_id, [])
            if len(of_rule) == _MOST_SHAPES:
                return None
            number = self._shape_numbers[key] = 2 * len(self._shapes)
            self._shapes.append(replace(finding, source_ids=()))
            of_rule.append(number)
        return number

    def add(self, record: Finding | Unexamined) -> int:
        """Keep a finding, or how a rule failed, in full, and return its number."""
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
        number = self.add(failure)
        for photo in photos:
            place = self.places.of(photo.source_id)
            if place is not None:
                self.join(place, number)

    def _has_said(self, place: int, check_id: str) -> bool:
        """Whether a rule has said more of a photo already, whatever others said since."""
        return any(getattr(self._record(number), "check_id", "") == check_id for number in self._links(place))

    def _record(self, number: int) -> Finding | Unexamined:
        return self._full.remembered(number // 2) if number % 2 else self._shapes[number // 2]

    # ----------------------------------------------------------------- telling

    def of(self, place: int, source_id: str) -> tuple[list[Finding], list[Unexamined]]:
        """Return what was said of the photo in a place, by rule, and which rules crashed over it."""
        found: list[Finding] = []
        failed: list[Unexamined] = []
        for check_id, numbers in self._bytes.items():
            if numbers[place]:
                shape = self._shapes[self._of_rule[check_id][numbers[place] - 1] // 2]
                found.append(replace(shape, source_ids=(source_id,)))
        for number in self._links(place):
            record = self._record(number)
            if isinstance(record, Unexamined):
                failed.append(replace(record, source_id=source_id))
            else:
                found.append(record if record.source_ids else replace(record, source_ids=(source_id,)))
        untestable = [finding for finding in found if finding.outcome is Outcome.NOT_TESTABLE and _is_bare(finding)]
        others = [finding for finding in found if finding.outcome is not Outcome.NOT_TESTABLE or not _is_bare(finding)]
        return sorted([*others, *untestable], key=lambda finding: finding.check_id), failed

    def _links(self, place: int) -> list[int]:
        """Return the numbers of what was said of a photo in full, in order."""
        numbers: list[int] = []
        link = self._last[place]
        while link:
            numbers.append(self._number[link])
            link = self._before[link]
        return numbers[::-1]

    def merged(self, verdict: PhotoResult, place: int, source_id: str) -> PhotoResult:
        """Return what was concluded of one photo with what the comparing rules said of it."""
        found, failed = self.of(place, source_id)
        return PhotoResult((*verdict.findings, *found), (*verdict.unexamined, *failed))


def _is_bare(finding: Finding) -> bool:
    """Whether a finding is no more than a sentence saying that a rule could not test or found agreement."""
    more = finding.observed or finding.derived or finding.inferred or finding.limitations or finding.innocent
    weighed = finding.cause is not None or finding.p_value is not None or finding.log10_lr is not None
    return finding.outcome in (Outcome.NOT_TESTABLE, Outcome.CONSISTENT) and not (more or finding.facts or weighed)


def _words(said: Statement) -> tuple[str, str]:
    return said, said.template if isinstance(said, Sentence) else ""


class Ranking:
    """The findings that a person should see, put in the order of their rank; some twenty bytes each are in memory."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._findings = OnDisk[Finding]()
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
