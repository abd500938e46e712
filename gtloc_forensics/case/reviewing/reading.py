"""The lean list that a review page scrolls through: of each photo what it claims and what can be decided on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import TypeVar

from gtloc_forensics.case import words
from gtloc_forensics.case.retrieval import Claimed
from gtloc_forensics.case.reviewing import selecting
from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.records import (
    CounterKind,
    Finding,
    Judged,
    Outcome,
    PhotoResult,
    Position,
    Source,
    Status,
    visible,
)
from gtloc_forensics.records.decisions import REVIEWABLE, ways_to_say
from gtloc_forensics.store.sketches import Sketch

P = TypeVar("P")

FEW = 50
"""So many photos are read one by one; for more, all are."""


@dataclass(frozen=True, slots=True)
class Row:
    """One photo of the list; a few hundred bytes."""

    ordinal: int  # place in the path order
    source_id: str
    sha256: str
    name: str
    status: Status
    is_partial: bool  # something could not be looked at
    is_read: bool  # whether its metadata could be read
    device_key: str
    device: str  # make and model for people, "" when the file names none
    maker: str  # make, model and serial number, "" when the file names none
    local_time: str  # ISO, "" when none is claimed
    utc_time: str
    latitude_deg: float | None
    longitude_deg: float | None
    counter: tuple[str, int] | None  # the tag that counts photos, and its number
    outcomes: Mapping[str, Outcome]  # rule → the gravest it ended with, of those that can be decided on
    causes: tuple[int, ...]  # numbers of the causes that explain some of it

    @property
    def claimed(self) -> Claimed:
        """What a search holds its conditions against."""
        there = None if self.latitude_deg is None else Position(self.latitude_deg, self.longitude_deg or 0.0)
        local = datetime.fromisoformat(self.local_time) if self.local_time else None
        return Claimed(self.source_id, self.name, self.is_read, local, there, self.maker, self.device)


class Listing:
    """All photos of one examination, in path order, and what each cause explains."""

    def __init__(
        self,
        view: StoredCase,
        rows: Sequence[Row],
        members: Sequence[tuple[tuple[str, str], ...]],
        *,
        told: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Keep what was read; :func:`read` does the reading."""
        self.view = view
        self.rows = tuple(rows)
        self.groups = view.causes()
        self.members = tuple(members)  # of each cause the photos and rules
        self.tally = view.tallied(Counter(status for row in self.rows for status in _counted(row)))
        self._by_id = {row.source_id: row for row in self.rows}
        self._told = told
        self._said: dict[str, tuple[tuple[Judged, ...], Mapping[str, frozenset[str]]]] = {}
        self._index: words.Index | None = None

    def row(self, source_id: str) -> Row | None:
        """Return the photo with that id."""
        return self._by_id.get(source_id)

    def judged(self, keys: Sequence[tuple[str, str]]) -> tuple[Judged, ...] | None:
        """Return what can be decided on there, pairs of photo and rule; None when one is not there."""
        if any((row := self.row(photo)) is None or check_id not in row.outcomes for photo, check_id in keys):
            return None
        self._read_of(photo for photo, _ in keys)
        known = {item.key: item for photo in {photo for photo, _ in keys} for item in self._said[photo][0]}
        return tuple(known[key] for key in keys)

    def ways(self, photos: Sequence[str]) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """Return of each photo every digest of what its rules say (:func:`ways_to_say`)."""
        self._read_of(photos)
        return {photo: self._said[photo][1] for photo in photos}

    def _read_of(self, photos: Iterable[str]) -> None:
        """Read what is said of some photos: it takes long, and is needed only of those that are decided on."""
        wanted = {self._by_id[photo].ordinal for photo in photos if photo not in self._said}
        if not wanted:
            return
        if len(wanted) <= FEW:
            outlines = self.view.outlines_at(sorted(wanted))
        else:
            outlines = (outline for at, outline in enumerate(self.view.briefs()) if at in wanted)
        for source, _, verdict in outlines:
            self._told(len(self.rows))
            self._said[source.source_id] = _said(source, verdict)

    def words(self) -> words.Index:
        """Return the texts in which words are looked for; read when they are first asked for."""
        if self._index is None:
            self._index = words.Index(self.watched(self.view.sketches(tags=True)), self.view)
        return self._index

    def watched(self, photos: Iterable[P]) -> Iterator[P]:
        """Yield *photos*, as long as nobody says that it is enough."""
        for photo in photos:
            self._told(len(self.rows))
            yield photo


def _said(source: Source, verdict: PhotoResult) -> tuple[tuple[Judged, ...], Mapping[str, frozenset[str]]]:
    return selecting.judged(source, verdict.findings), ways_to_say(verdict.findings)


def _counted(row: Row) -> Iterator[Status | None]:
    yield None
    yield row.status
    if row.is_partial and row.status is not Status.NOT_EXAMINED:
        yield Status.NOT_EXAMINED


def read(view: StoredCase, *, told: Callable[[int], None] = lambda _: None, into: list[Row] | None = None) -> Listing:
    """Go through the case once, without its pictures; *told* hears how many photos were read, and may end it.

    Rows are put *into* a list as they are read, so that the first can be shown before the last is there.
    """
    groups = view.causes()
    members: list[list[tuple[str, str]]] = [[] for _ in groups]
    rows: list[Row] = [] if into is None else into
    at_home, number_of = selecting.homes(groups), {id(group): number for number, group in enumerate(groups)}
    for photo in view.sketches():
        there, causes = at_home.get(photo.source_id, []), list[int]()
        for group in there:
            explained = selecting.rules_there(group, there, photo.findings)
            members[number_of[id(group)]].extend((photo.source_id, rule) for rule in explained)
            causes += [number_of[id(group)] + 1] if explained else []
        rows.append(_row(photo, causes=tuple(causes)))
        told(len(rows))
    return Listing(view, rows, [tuple(kept) for kept in members], told=told)


def _row(photo: Sketch, *, causes: tuple[int, ...]) -> Row:
    latitude_deg, longitude_deg = photo.position or (None, None)
    return Row(
        ordinal=photo.ordinal,
        source_id=photo.source_id,
        sha256=photo.sha256,
        name=photo.name,
        status=photo.status,
        is_partial=photo.is_partial,
        is_read=photo.is_read,
        device_key=intern(photo.device_key),
        device=intern(visible(photo.device)),
        maker=intern(" ".join(filter(None, photo.maker))),
        local_time=photo.local_time,
        utc_time=photo.utc_time,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        counter=_counter(photo),
        outcomes=_gravest(photo.findings),
        causes=causes,
    )


_COUNTERS = (CounterKind.SHUTTER, CounterKind.IMAGE, CounterKind.FILE_NUMBER)


def _counter(photo: Sketch) -> tuple[str, int] | None:
    """Return the counter that is the hardest to set, with its tag."""
    found = sorted(photo.counters, key=lambda counter: _COUNTERS.index(counter[0]))
    return found[0][1:] if found else None


def _gravest(findings: Sequence[Finding]) -> dict[str, Outcome]:
    worst: dict[str, Outcome] = {}
    order = list(Outcome)
    for finding in findings:
        if finding.outcome in REVIEWABLE:
            before = worst.get(finding.check_id, Outcome.CONSISTENT)
            worst[finding.check_id] = max(before, finding.outcome, key=order.index)
    return worst
