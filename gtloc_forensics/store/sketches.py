"""What a list of many photos needs of each, taken from the stored bytes without building the records around it.

A claim with all its readings takes many times as long to build as its bytes take to read, and a list of a
hundred thousand photos has no use for them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import select

from gtloc_forensics.errors import DamagedCase
from gtloc_forensics.records import (
    UNKNOWN_DEVICE,
    Absent,
    Cause,
    Claim,
    Confidence,
    CounterKind,
    Device,
    Finding,
    Outcome,
    Severity,
    Status,
    Unexamined,
    visible,
)
from gtloc_forensics.records.status import status_of
from gtloc_forensics.store.claim_bytes import ClaimBytes
from gtloc_forensics.store.codec import decoded, plain
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.keys import CLAIM, Stages, claim_key
from gtloc_forensics.store.rows import kept_state
from gtloc_forensics.store.schema import MemberRow, ResultRow, SourceRow


class _Claimed(ClaimBytes):
    """Of a stored claim what a list shows."""

    utc_time: dict[str, Any] = msgspec.field(default_factory=dict)
    counters: list[dict[str, Any]] = msgspec.field(default_factory=list)
    zones: list[str] = msgspec.field(default_factory=list)


class _Tagged(_Claimed):
    """The same with all tags."""

    tags: dict[str, Any] = msgspec.field(default_factory=dict)


class _Found(msgspec.Struct):
    """The same of a finding."""

    check_id: str
    outcome: str
    severity: int
    confidence: str
    cause: dict[str, Any] | None
    p_value: float | None
    log10_lr: float | None


class _Result(msgspec.Struct):
    """The same of what was concluded of a photo."""

    findings: list[_Found]
    unexamined: list[Any]


AT_ONCE = 200
"""Photos that are read together."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """One photo as a list shows it; what comes from the metadata is empty where they could not be read."""

    ordinal: int  # place in the path order
    source_id: str
    sha256: str
    name: str  # its path, everything in it visible
    status: Status
    is_partial: bool  # something could not be looked at
    findings: tuple[Finding, ...]  # those that were tested, without what they say
    is_read: bool  # whether its metadata could be read
    maker: tuple[str, str, str]  # make, model and serial number as text, "" where there is none
    device_key: str
    local_time: str  # ISO, "" when none is claimed
    utc_time: str
    position: tuple[float, float] | None  # latitude and longitude in degrees
    counters: tuple[tuple[CounterKind, str, int], ...]  # kind, tag, number
    zones: tuple[str, ...]
    tags: Mapping[str, Any]  # as they were read, when they were asked for

    @property
    def named(self) -> Device:
        """The device as far as a list needs it: make, model and serial number."""
        gone = Absent.MISSING
        return Device(*self.maker[:2], self.maker[2] or gone, gone, gone, gone, self.device_key, "")

    @property
    def device(self) -> str:
        """Make and model for people; "" when neither is there."""
        return self.named.name


def sketched(
    store: Store,
    examination: int,
    stages: Stages,
    *,
    whole: Callable[[int], Claim | Unexamined],
    other: Collection[str] = (),
    tags: bool = False,
) -> Iterator[Sketch]:
    """Yield every photo of an examination in path order.

    Args:
        store: the case database.
        examination: its number.
        stages: the fingerprints of its results.
        whole: gives the claim of a row of sources in full, where its bytes are not enough.
        other: ids of the sources of which that is known beforehand.
        tags: whether the tags are wanted.

    Raises:
        DamagedCase: what is kept of a photo cannot be read.
    """
    ordinal, kind = -1, _Tagged if tags else _Claimed
    while rows := _rows(store, examination, ordinal):
        ordinal = rows[-1].ordinal
        claims = _claims(store, [row.source_id for row in rows if row.source_id not in other])
        for row in rows:
            try:
                told = claims.get(
                    (
                        row.source_id,
                        claim_key(stages, kept_state(row.source_row, row.relative, row.sha256, row.stat, row.sidecars)),
                    )
                )
                yield _sketch(row, _built(whole(row.source_row), kind) if told is None else decoded(told, kind))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise DamagedCase(f"photo {row.ordinal} of the case cannot be read: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Concluded:
    """How one photo ended; of the findings those that were tested, without what they say."""

    status: Status
    findings: tuple[Finding, ...]


def concluded(store: Store, examination: int) -> Iterator[Concluded]:
    """Yield how every photo of an examination ended, in path order.

    Raises:
        DamagedCase: what is kept of a photo cannot be read.
    """
    with store.reading() as session:
        for kept in store.verdicts(session, examination):
            result = decoded(kept, _Result)
            tested = tuple(_finding("", told) for told in result.findings if told.outcome != _NOT_TESTABLE)
            yield Concluded(status_of(tested, result.unexamined), tested)


def _rows(store: Store, examination: int, after: int) -> Sequence[Any]:
    columns = (
        MemberRow.ordinal,
        MemberRow.source_row,
        MemberRow.findings,
        SourceRow.source_id,
        SourceRow.relative,
        SourceRow.sha256,
        SourceRow.stat,
        SourceRow.sidecars,
    )
    query = select(*columns).join(SourceRow, SourceRow.id == MemberRow.source_row)
    query = query.where(MemberRow.examination_id == examination, MemberRow.ordinal > after)
    with store.reading() as session:
        return session.execute(query.order_by(MemberRow.ordinal).limit(AT_ONCE)).all()


def _claims(store: Store, names: Sequence[str]) -> dict[tuple[str, str], bytes]:
    query = select(ResultRow.subject, ResultRow.fingerprint, ResultRow.payload)
    query = query.where(ResultRow.stage == CLAIM, ResultRow.subject.in_(names), ~ResultRow.failed)
    with store.reading() as session:
        return {(subject, key): payload for subject, key, payload in session.execute(query)}


def _built(claim: Claim | Unexamined, kind: type[_Claimed]) -> _Claimed | None:
    return msgspec.convert(plain(claim), kind) if isinstance(claim, Claim) else None


def _sketch(row: Any, known: _Claimed | None) -> Sketch:
    claim, result = known or _Claimed(), decoded(row.findings, _Result)
    tested = tuple(_finding(row.source_id, told) for told in result.findings if told.outcome != _NOT_TESTABLE)
    return Sketch(
        ordinal=row.ordinal,
        source_id=row.source_id,
        sha256=row.sha256,
        name=visible(row.relative),
        status=status_of(tested, result.unexamined),
        is_partial=bool(result.unexamined),
        findings=tested,
        is_read=known is not None,
        maker=claim.maker(),
        device_key=claim.device.get("key", UNKNOWN_DEVICE),
        local_time=claim.local(),
        utc_time=claim.utc_time.get("value", ""),
        position=claim.place(),
        counters=tuple((CounterKind(kept["kind"]), kept["tag"], kept["value"]) for kept in claim.counters),
        zones=tuple(claim.zones),
        tags=claim.tags if isinstance(claim, _Tagged) else {},
    )


_NOT_TESTABLE = Outcome.NOT_TESTABLE.value


def _finding(source_id: str, told: _Found) -> Finding:
    cause = told.cause
    return Finding(
        told.check_id,
        (source_id,),
        Outcome(told.outcome),
        Severity(told.severity),
        Confidence(told.confidence),
        "",
        cause=None if cause is None else Cause(cause["kind"], cause["device_key"], cause["offset_hours"]),
        p_value=told.p_value,
        log10_lr=told.log10_lr,
    )
