"""What rules said of a photo as the bytes that a case keeps, so that nobody builds it again to write it.

Of some fifty findings that an audit makes of a photo nearly all say what is said of every photo: such a
one is a number on the way, and its bytes are those of the first, around the id of another photo. What
has to be read after all, since it is found, explained or not examined, is marked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntFlag
from typing import Any, TypeAlias

from gtloc_forensics.examination.on_disk import OnDisk
from gtloc_forensics.records import Finding, Outcome, PhotoResult, Sentence, Status, Unexamined
from gtloc_forensics.records.photo_ids import packed_ids, unpacked_ids
from gtloc_forensics.records.status import is_test, status_from
from gtloc_forensics.store.codec import from_plain, listed_bytes, pack_result, plain_bytes
from gtloc_forensics.store.verdicts import MOST_NAMED, around_id, id_bytes, list_of

_MOST_REPEATED = 4096
"""Findings of which the bytes are held because many photos have them; some hundred bytes each."""


class Mark(IntFlag):
    """What of a finding is asked before it is read."""

    NONE = 0
    TEST = 1  # a rule could have spoken
    EXPLAINED = 2
    FOUND = 4


Saying: TypeAlias = tuple[bytes, int]
"""A finding in msgpack, and its :class:`Mark`."""


def saying(finding: Finding) -> Saying:
    """Return a finding as bytes, and what is asked of it."""
    return plain_bytes(finding), mark_of(finding)


def mark_of(finding: Finding) -> int:
    """Return the :class:`Mark` of a finding."""
    if finding.outcome is Outcome.NOT_TESTABLE:
        return 0
    ended = _FOUND if finding.is_found else _EXPLAINED if finding.outcome is Outcome.EXPLAINED else 0
    return ended | is_test(finding)


_FOUND, _EXPLAINED, _TOLD = int(Mark.FOUND), int(Mark.EXPLAINED), int(Mark.FOUND | Mark.EXPLAINED)


def is_bare(finding: Finding) -> bool:
    """Whether a finding is no more than a sentence saying that a rule could not test or found agreement."""
    if finding.outcome is not Outcome.NOT_TESTABLE and finding.outcome is not Outcome.CONSISTENT:
        return False
    more = finding.observed or finding.derived or finding.inferred or finding.limitations or finding.innocent
    weighed = finding.cause is not None or finding.p_value is not None or finding.log10_lr is not None
    return not (more or finding.facts or weighed)


@dataclass(frozen=True, slots=True)
class Around:
    """A finding of one photo that others have as well: its bytes before and behind the id of the photo."""

    before: bytes
    behind: bytes
    mark: int

    def of(self, name: bytes) -> Saying:
        """Return it of the photo with that id, in msgpack."""
        return self.before + name + self.behind, self.mark


def around(finding: Finding) -> Around:
    """Return the bytes of a finding of one photo around the id of it."""
    return Around(*around_id(finding, plain_bytes(finding)), mark_of(finding))


@dataclass(frozen=True, slots=True)
class Concluded:
    """What was concluded of one photo."""

    status: Status
    stored: bytes  # as a case keeps it
    told: Sequence[Finding]  # those of its findings that are found or explained
    unexamined: Sequence[Unexamined]


@dataclass(frozen=True, slots=True)
class Alone:
    """What the rules that look at one photo said of it; a finding that many have is a number."""

    findings: list[int | tuple[bytes, int]]
    unexamined: list[bytes]


class Verdicts:
    """What the rules that look at one photo said, in the order in which it came; on the disk."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._kept = OnDisk[Alone](kind=Alone)
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._repeated: list[Around] = []
        self._adopted: dict[Around, int] = {}  # those that came from other processes
        self._alive: list[Finding] = []  # so that the ids of what they hold stay theirs

    def told(self, verdict: PhotoResult, source_id: str) -> Alone:
        """Return what was said of the photo with that id, to be added in its turn."""
        ids = (source_id,)
        number_of = self._number
        findings: list[int | tuple[bytes, int]] = []
        for finding in verdict.findings:
            number = number_of(finding) if finding.source_ids == ids else None
            findings.append(saying(finding) if number is None else number)
        return Alone(findings, [plain_bytes(missing) for missing in verdict.unexamined])

    def append(self, kept: Alone) -> None:
        """Add what was said of the next photo."""
        self._kept.append(kept)

    @property
    def repeated(self) -> Sequence[Around]:
        """What is said of many photos, by its number."""
        return self._repeated

    def adopt(self, said: Around) -> int:
        """Return the number, here, of what another process found that many photos have."""
        number = self._adopted.get(said)
        if number is None:
            number = self._adopted[said] = len(self._repeated)
            self._repeated.append(said)
        return number

    def __getitem__(self, place: int) -> Alone:
        """Return what was said of the photo at that place, for :meth:`sayings`."""
        kept: Alone = self._kept[place]
        return kept

    def sayings(self, kept: Alone, source_id: str) -> tuple[list[Saying], list[bytes]]:
        """Return the findings of a photo, and what of it was not examined, in msgpack."""
        name, repeated = id_bytes(source_id), self._repeated
        said = [repeated[found].of(name) if isinstance(found, int) else found for found in kept.findings]
        return said, kept.unexamined

    def _number(self, finding: Finding) -> int | None:
        """Return the number of what is said of many photos in these very words, None where it is not."""
        key = (finding.check_id, id(finding.outcome), id(finding.severity), id(finding.confidence), id(finding.summary))
        number = self._numbers.get(key)
        if number is not None and not is_bare(finding):
            return None
        if number is None and len(self._repeated) < _MOST_REPEATED and _is_said_again(finding):
            number = self._numbers[key] = len(self._repeated)
            self._repeated.append(around(finding))
            self._alive.append(finding)
        return number


def _is_said_again(finding: Finding) -> bool:
    """Whether the sentence of a finding is one that is made once for all photos, as it says nothing of one."""
    summary = finding.summary
    if type(summary) is not Sentence or type(finding.check_id) is not str or not is_bare(finding):
        return False
    return all(type(held) is Sentence and not held.values for held in summary.values.values())


class Lists:
    """The photos of findings that name many, by number; of each list its first photo is in memory."""

    def __init__(self) -> None:
        """Hold none yet."""
        self._kept = OnDisk[bytes](kind=bytes)
        self._firsts: list[str] = []
        self._emptied: set[int] = set()

    def __len__(self) -> int:
        """Return the number of lists."""
        return len(self._firsts)

    def __iter__(self) -> Iterator[bytes]:
        """Yield them as a case keeps them; one that nothing is said of any more is empty."""
        for number, kept in enumerate(self._kept):
            yield b"" if number in self._emptied else kept

    def number(self, source_ids: Sequence[str]) -> int | None:
        """Return the number of a new list of these photos; None where they are few, or no photos of a case."""
        kept = packed_ids(source_ids) if len(source_ids) > MOST_NAMED else None
        if kept is None:
            return None
        self._kept.append(kept)
        self._firsts.append(source_ids[0])
        return len(self._firsts) - 1

    def first(self, number: int) -> tuple[str, ...]:
        """Return the first photo of a list, which a finding is about."""
        return (self._firsts[number],)

    def whole(self, number: int) -> tuple[str, ...]:
        """Return all photos of a list."""
        return unpacked_ids(self._kept[number])

    def empty(self, first: int) -> None:
        """Keep nothing of the lists from a number on."""
        self._emptied.update(range(first, len(self._firsts)))


def concluded(
    findings: Sequence[Saying],
    unexamined: Sequence[bytes],
    added: Callable[[Finding], Finding],
    *,
    source_id: str,
    lists: Lists,
) -> Concluded:
    """Return what is kept of one photo.

    Args:
        findings: all that rules said of it, in order.
        unexamined: what was not examined of it, in msgpack.
        added: gives a finding with what the case adds to it.
        source_id: of the photo.
        lists: the photos of those that name many.
    """
    told: list[Finding] = []
    marks = 0
    plain: list[bytes] = []
    for finding_bytes, mark in findings:
        marks |= mark
        if mark & _TOLD:
            number = list_of(finding_bytes)
            finding = from_plain(Finding, finding_bytes, names=lists.first)
            whole = added(finding)
            if whole is not finding:
                finding_bytes = plain_bytes(whole) if number is None else listed_bytes(whole, number)
            if whole.source_ids[0] == source_id:
                told.append(whole if number is None else replace(whole, source_ids=lists.whole(number)))
        plain.append(finding_bytes)
    status = status_from(is_found=bool(marks & _FOUND), is_partial=bool(unexamined), is_tested=bool(marks & Mark.TEST))
    return Concluded(
        status, pack_result(plain, unexamined), told, [from_plain(Unexamined, missing) for missing in unexamined]
    )
