"""What rules said of a photo, to bytes and back without building anything between.

An audit packs and unpacks some fifty findings a photo, several times, and nearly all of
them say the same of every photo. msgspec writes such records as they are, to the same bytes
as the codec's converter; of the way back it does all but the sentences, and a sentence whose
bytes were read before is not built again. Whatever is not quite of its kind is left to the codec.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

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
    Unexamined,
)
from gtloc_forensics.store.told import Told, sentence_to_plain, told

R = TypeVar("R")


def encoded(record: Any) -> bytes | None:
    """Return a result or a finding in msgpack, as the codec would write it; None where that is the codec's to do."""
    if type(record) is PhotoResult:
        is_plain = all(map(_is_plain, record.findings)) and all(map(_is_plain_absence, record.unexamined))
    else:
        is_plain = type(record) is Finding and _is_plain(record)
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


# --------------------------------------------------------------------------- and back


class _Cause(msgspec.Struct):
    kind: str
    device_key: str
    offset_hours: float | None = None
    summary: Told = Told(msgspec.msgpack.encode(""))


class _Finding(msgspec.Struct):
    check_id: str
    source_ids: tuple[str, ...]
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


def _finding(read: _Finding) -> Finding:
    cause = read.cause
    return Finding(
        read.check_id,
        read.source_ids,
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


def _result(read: _PhotoResult) -> PhotoResult:
    return PhotoResult(
        tuple(map(_finding, read.findings)),
        tuple(
            Unexamined(missing.source_id, missing.stage, told(missing.reason), missing.detail)
            for missing in read.unexamined
        ),
    )


def tested(plain: bytes) -> PhotoResult:
    """Rebuild a result without the findings that could not be tested, which are most of them.

    Raises:
        MsgspecError, KeyError, TypeError, ValueError, AttributeError: it is none.
    """
    read = msgspec.msgpack.decode(plain, type=_PhotoResult)
    read.findings = [finding for finding in read.findings if finding.outcome is not Outcome.NOT_TESTABLE]
    return _result(read)


KINDS = {
    PhotoResult: (msgspec.msgpack.Decoder(_PhotoResult), _result),
    Finding: (msgspec.msgpack.Decoder(_Finding), _finding),
}
"""The records that :func:`decoded` rebuilds, and how."""


def decoded(plain: bytes, kind: type[R]) -> R:
    """Rebuild what :func:`encoded`, or the codec, wrote of a record of :data:`KINDS`.

    Raises:
        MsgspecError, KeyError, TypeError, ValueError, AttributeError: it is none.
    """
    decoder, rebuilt = cast(Any, KINDS)[kind]
    return cast(R, rebuilt(decoder.decode(plain)))
