"""What rules said of a photo, to bytes and back without building anything between.

An audit packs and unpacks some fifty findings a photo, several times, and nearly all of
them say the same of every photo. msgspec writes such records as they are, to the same bytes
as the codec's converter; of the way back it does all but the sentences, and a sentence whose
bytes were read before is not built again. Whatever is not quite of its kind is left to the codec.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar, cast

import msgspec

from gtloc_forensics.records import (
    Cause,
    CauseKind,
    Confidence,
    Finding,
    Outcome,
    PhotoResult,
    Sentence,
    Severity,
    Statement,
    Status,
    Unexamined,
)
from gtloc_forensics.records.status import status_of
from gtloc_forensics.store.told import Told, sentence_to_plain, told

R = TypeVar("R")

MOST_NAMED = 8
"""Photos that a finding names in the result of each; of more their list is kept once, and its number stands there."""

Names: TypeAlias = Callable[[int], tuple[str, ...]]
"""Returns the photos of such a list, or the first alone."""


def encoded(record: Any) -> bytes | None:
    """Return a result, a finding or what was not examined in msgpack, as the codec does; None where that has to."""
    if type(record) is PhotoResult:
        is_plain = all(map(_is_plain, record.findings)) and all(map(_is_plain_absence, record.unexamined))
    else:
        is_plain = _is_plain(record) if type(record) is Finding else _is_plain_absence(record)
    if not is_plain:
        return None
    try:
        return _ENCODER.encode(record)
    except (TypeError, UnicodeEncodeError):  # a plugin's value of a kind of its own, a name that is no text
        return None


def _is_plain(finding: Finding) -> bool:
    """Whether sentences stand only where sentences are kept as such: elsewhere the codec makes them plain text."""
    if type(finding) is not Finding or type(finding.check_id) is not str:
        return False
    if finding.cause is not None and type(finding.cause.device_key) is not str:
        return False
    return type(finding.facts) is dict and not any(isinstance(value, Sentence) for value in finding.facts.values())


def _is_plain_absence(missing: Unexamined) -> bool:
    return type(missing) is Unexamined and type(missing.stage) is str and type(missing.detail) is str


def _plain(value: Any) -> Any:
    if type(value) is Sentence:
        return sentence_to_plain(value)
    raise TypeError(f"a {type(value).__name__} is the codec's to write")


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)


def joined(findings: Sequence[bytes], unexamined: Sequence[bytes]) -> bytes:
    """Return a result in msgpack, of the bytes of its parts."""
    return b"".join(
        (_TWO, _FINDINGS, _length(len(findings)), *findings, _UNEXAMINED, _length(len(unexamined)), *unexamined)
    )


def around_id(finding: Finding, plain: bytes) -> tuple[bytes, bytes]:
    """Return what stands before and behind the id of the one photo that a finding, in msgpack, is of."""
    before, name, behind = plain.partition(_OF_ONE + msgspec.msgpack.encode(finding.source_ids[0]))
    if not name:
        raise ValueError("these bytes are not that finding")
    return before + _OF_ONE, behind


def with_list(finding: Finding, plain: bytes, number: int) -> bytes:
    """Return the bytes of a finding that names the photos of a list, of its bytes with the first of them alone."""
    before, behind = around_id(finding, plain)
    return before.removesuffix(_ONE) + msgspec.msgpack.encode(number) + behind


def list_of(plain: bytes) -> int | None:
    """Return the number of the list that a finding, in msgpack, names; None where it names its photos itself.

    Raises:
        MsgspecError: it is no finding.
    """
    named = _OF_WHOM.decode(plain).source_ids
    return named if isinstance(named, int) else None


def id_bytes(source_id: str) -> bytes:
    """Return what stands between them."""
    return msgspec.msgpack.encode(source_id)


@lru_cache(maxsize=256)
def _length(count: int) -> bytes:
    """Return how msgpack begins a list of so many."""
    whole = msgspec.msgpack.encode((None,) * count)
    return whole[: len(whole) - count]


_TWO = b"\x82"
_FINDINGS, _UNEXAMINED = map(msgspec.msgpack.encode, PhotoResult.__dataclass_fields__)
_ONE = _length(1)
_OF_ONE = msgspec.msgpack.encode("source_ids") + _ONE


# --------------------------------------------------------------------------- and back


class _Cause(msgspec.Struct):
    kind: str
    device_key: str
    offset_hours: float | None = None
    summary: Told = Told(msgspec.msgpack.encode(""))


class _OfWhom(msgspec.Struct):
    source_ids: tuple[str, ...] | int


_OF_WHOM = msgspec.msgpack.Decoder(_OfWhom)


class _Finding(msgspec.Struct):
    check_id: str
    source_ids: tuple[str, ...] | int  # the number of a list where they are many
    outcome: Outcome
    severity: Severity
    confidence: Confidence
    summary: Told
    observed: list[Told] = []
    derived: list[Told] = []
    inferred: list[Told] = []
    limitations: list[Told] = []
    innocent: list[Told] = []
    facts: dict[str, Any] = {}
    cause: _Cause | None = None
    p_value: float | None = None
    log10_lr: float | None = None


class _Unexamined(msgspec.Struct):
    source_id: str
    stage: str
    reason: Told
    detail: str = ""


class _PhotoResult(msgspec.Struct):
    findings: list[_Finding]
    unexamined: list[_Unexamined]


def _finding(read: _Finding, names: Names | None = None) -> Finding:
    cause, source_ids = read.cause, read.source_ids
    if isinstance(source_ids, int):
        if names is None:
            raise ValueError("the photos that a finding names are not told by these bytes alone")
        source_ids = names(source_ids)
    return Finding(
        read.check_id,
        source_ids,
        read.outcome,
        read.severity,
        read.confidence,
        told(read.summary),
        tuple(map(told, read.observed)) if read.observed else (),
        tuple(map(told, read.derived)) if read.derived else (),
        tuple(map(told, read.inferred)) if read.inferred else (),
        tuple(map(told, read.limitations)) if read.limitations else (),
        tuple(map(told, read.innocent)) if read.innocent else (),
        read.facts,
        None
        if cause is None
        else Cause(CauseKind(cause.kind), cause.device_key, cause.offset_hours, told(cause.summary)),
        read.p_value,
        read.log10_lr,
    )


def _result(read: _PhotoResult, names: Names | None = None) -> PhotoResult:
    return PhotoResult(
        tuple([_finding(finding, names) for finding in read.findings]),
        tuple(map(_missing, read.unexamined)),
    )


def _missing(read: _Unexamined, names: Names | None = None) -> Unexamined:
    return Unexamined(read.source_id, read.stage, told(read.reason), read.detail)


def tested(plain: bytes, names: Names | None = None) -> PhotoResult:
    """Rebuild a result without the findings that could not be tested, which are most of them; :data:`Names` as below.

    Raises:
        MsgspecError, KeyError, TypeError, ValueError, AttributeError: it is none.
    """
    read = _RESULTS.decode(plain)
    read.findings = [finding for finding in read.findings if finding.outcome is not Outcome.NOT_TESTABLE]
    return _result(read, names)


def told_apart(plain: bytes, names: Names | None = None) -> tuple[PhotoResult, dict[str, Statement]]:
    """Rebuild the same, and why each rule that could not test says so.

    Raises:
        MsgspecError, KeyError, TypeError, ValueError, AttributeError: it is none.
    """
    read = _RESULTS.decode(plain)
    kept: list[_Finding] = []
    untested: dict[str, Statement] = {}
    for finding in read.findings:
        if finding.outcome is Outcome.NOT_TESTABLE:
            untested[finding.check_id] = told(finding.summary)
        else:
            kept.append(finding)
    read.findings = kept
    return _result(read, names), untested


class _Ended(msgspec.Struct):
    """Of a finding what the status of its photo rests on."""

    check_id: str
    outcome: Outcome
    p_value: float | None = None

    @property
    def is_found(self) -> bool:
        return self.outcome in (Outcome.SUSPICIOUS, Outcome.CONTRADICTION)


class _EndedResult(msgspec.Struct):
    findings: list[_Ended]
    unexamined: list[Told]


def ended(plain: bytes) -> tuple[Status, bool]:
    """Return how a photo is counted first, and whether something of it was not examined; nothing else is rebuilt.

    Raises:
        MsgspecError: it is no result.
    """
    read = _ENDINGS.decode(plain)
    return status_of(cast(Sequence[Finding], read.findings), cast(Any, read.unexamined)), bool(read.unexamined)


_RESULTS, _ENDINGS = msgspec.msgpack.Decoder(_PhotoResult), msgspec.msgpack.Decoder(_EndedResult)


KINDS = {
    Unexamined: (msgspec.msgpack.Decoder(_Unexamined), _missing),
    PhotoResult: (_RESULTS, _result),
    Finding: (msgspec.msgpack.Decoder(_Finding), _finding),
}
"""The records that :func:`decoded` rebuilds, and how."""


def decoded(plain: bytes, kind: type[R], names: Names | None = None) -> R:
    """Rebuild what :func:`encoded`, or the codec, wrote of a record of :data:`KINDS`.

    Args:
        plain: its bytes.
        kind: of which record they are.
        names: gives the photos that a finding names by the number of their list.

    Raises:
        MsgspecError, KeyError, TypeError, ValueError, AttributeError: it is none.
    """
    decoder, rebuilt = cast(Any, KINDS)[kind]
    return cast(R, rebuilt(decoder.decode(plain), names))
