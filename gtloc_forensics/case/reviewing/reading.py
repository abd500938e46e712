"""The lean list that a review page scrolls through: of each photo what it claims and what can be decided on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gtloc_forensics.case.reviewing import selecting
from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.records import (
    UNKNOWN_DEVICE,
    Claim,
    CounterKind,
    Finding,
    Judged,
    Outcome,
    PhotoResult,
    Source,
    Stated,
    Status,
    Unexamined,
    visible,
)
from gtloc_forensics.records.decisions import REVIEWABLE, ways_to_say


@dataclass(frozen=True, slots=True)
class Row:
    """One photo of the list; a few hundred bytes."""

    ordinal: int  # place in the path order
    source_id: str
    sha256: str
    name: str
    status: Status
    is_partial: bool  # something could not be looked at
    device_key: str
    device: str  # make and model for people, "" when the file names none
    local_time: str  # ISO, "" when none is claimed
    utc_time: str
    latitude_deg: float | None
    longitude_deg: float | None
    counter: tuple[str, int] | None  # the tag that counts photos, and its number
    judged: tuple[Judged, ...]
    ways: Mapping[str, frozenset[str]]  # ways_to_say of its findings
    outcomes: Mapping[str, Outcome]  # rule → the gravest it ended with
    causes: tuple[int, ...]  # numbers of the causes that explain some of it


class Listing:
    """All photos of one examination, in path order, and what each cause explains."""

    def __init__(self, view: StoredCase, rows: Sequence[Row], members: Sequence[tuple[Judged, ...]]) -> None:
        """Keep what was read; :func:`read` does the reading."""
        self.view = view
        self.rows = tuple(rows)
        self.groups = view.causes()
        self.members = tuple(members)
        self.tally = view.tallied(Counter(status for row in self.rows for status in _counted(row)))
        self._by_id = {row.source_id: row for row in self.rows}

    def row(self, source_id: str) -> Row | None:
        """Return the photo with that id."""
        return self._by_id.get(source_id)

    def judged(self, source_id: str, check_id: str) -> Judged | None:
        """Return what can be decided on there."""
        row = self.row(source_id)
        return next((item for item in row.judged if item.check_id == check_id), None) if row else None


def _counted(row: Row) -> Iterator[Status | None]:
    yield None
    yield row.status
    if row.is_partial and row.status is not Status.NOT_EXAMINED:
        yield Status.NOT_EXAMINED


def read(view: StoredCase, *, told: Callable[[int], None] = lambda _: None) -> Listing:
    """Go through the case once, without its pictures; *told* hears how many photos were read."""
    groups = view.causes()
    members: list[list[Judged]] = [[] for _ in groups]
    rows: list[Row] = []
    at_home, number_of = selecting.homes(groups), {id(group): number for number, group in enumerate(groups)}
    for ordinal, (source, claim, verdict) in enumerate(view.briefs()):
        there, causes = at_home.get(source.source_id, []), list[int]()
        for group in there:
            explained = selecting.explained_there(group, there, source, findings=verdict.findings)
            members[number_of[id(group)]].extend(explained)
            causes += [number_of[id(group)] + 1] if explained else []
        rows.append(_row(ordinal, source, claim, verdict=verdict, causes=tuple(causes)))
        told(ordinal + 1)
    return Listing(view, rows, [tuple(kept) for kept in members])


def _row(
    ordinal: int, source: Source, claim: Claim | Unexamined, *, verdict: PhotoResult, causes: tuple[int, ...]
) -> Row:
    known = claim if isinstance(claim, Claim) else None
    position = known.position.value if known and isinstance(known.position, Stated) else None
    return Row(
        ordinal=ordinal,
        source_id=source.source_id,
        sha256=source.sha256,
        name=source.display_path,
        status=verdict.status,
        is_partial=bool(verdict.unexamined),
        device_key=known.device.key if known else UNKNOWN_DEVICE,
        device=visible(known.device.name) if known else "",
        local_time=known.local_time.value.isoformat() if known and isinstance(known.local_time, Stated) else "",
        utc_time=known.utc_time.value.isoformat() if known and isinstance(known.utc_time, Stated) else "",
        latitude_deg=position.latitude_deg if position else None,
        longitude_deg=position.longitude_deg if position else None,
        counter=_counter(known),
        judged=selecting.judged(source, verdict.findings),
        ways=ways_to_say(verdict.findings),
        outcomes=_gravest(verdict.findings),
        causes=causes,
    )


_COUNTERS = (CounterKind.SHUTTER, CounterKind.IMAGE, CounterKind.FILE_NUMBER)


def _counter(claim: Claim | None) -> tuple[str, int] | None:
    """Return the counter that is the hardest to set, with its tag."""
    found = sorted(claim.counters, key=lambda counter: _COUNTERS.index(counter.kind)) if claim else []
    return (found[0].tag, found[0].value) if found else None


def _gravest(findings: Sequence[Finding]) -> dict[str, Outcome]:
    worst: dict[str, Outcome] = {}
    order = list(Outcome)
    for finding in findings:
        if finding.outcome in REVIEWABLE:
            before = worst.get(finding.check_id, Outcome.CONSISTENT)
            worst[finding.check_id] = max(before, finding.outcome, key=order.index)
    return worst
