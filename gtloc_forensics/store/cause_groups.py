"""The causes of a case from stored bytes, the ids of their photos packed: a cause may name a hundred thousand."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from gtloc_forensics.records import Cause, CauseGroup, CauseKind, Outcome, Severity
from gtloc_forensics.records.photo_ids import PhotoIds
from gtloc_forensics.store.told import Told, told

_NO_TEXT = Told(msgspec.msgpack.encode(""))
_CHARACTERS = 16
_SHORT_TEXT = 0xA0  # msgpack's first byte of a text of fewer than 32; its length is added
_LONG_LIST = {0xDC: 3, 0xDD: 5}  # msgpack's first byte of a list of sixteen and more → the bytes before its members


class _Cause(msgspec.Struct):
    kind: str
    device_key: str
    offset_hours: float | None = None
    summary: Told = _NO_TEXT


class _Group(msgspec.Struct):
    cause: _Cause
    label: Told
    outcome: Outcome
    severity: Severity
    source_ids: msgspec.Raw
    check_ids: tuple[str, ...]
    findings: int
    summary: Told
    refutable_by: Told = _NO_TEXT


_GROUPS = msgspec.msgpack.Decoder(list[_Group])
_TEXTS = msgspec.msgpack.Decoder(tuple[str, ...])


def cause_groups(plain: bytes) -> tuple[CauseGroup, ...]:
    """Rebuild the causes of a case from msgpack.

    Raises:
        MsgspecError, KeyError, TypeError, ValueError, AttributeError: it is none.
    """
    return tuple(map(_group, _GROUPS.decode(plain)))


def _group(read: _Group) -> CauseGroup:
    cause = read.cause
    return CauseGroup(
        cause=Cause(CauseKind(cause.kind), cause.device_key, cause.offset_hours, told(cause.summary)),
        label=told(read.label),
        outcome=read.outcome,
        severity=read.severity,
        source_ids=_ids(read.source_ids),
        check_ids=read.check_ids,
        findings=read.findings,
        summary=told(read.summary),
        refutable_by=told(read.refutable_by),
    )


def _ids(raw: msgspec.Raw) -> Sequence[str]:
    """Return ids, packed where they are many: of texts of one length the characters stand at equal distances."""
    members = np.frombuffer(bytes(raw), np.uint8)
    begin = _LONG_LIST.get(int(members[0]))
    if begin is None or (len(members) - begin) % (_CHARACTERS + 1):
        return _TEXTS.decode(raw)
    each = members[begin:].reshape(-1, _CHARACTERS + 1)
    if not (each[:, 0] == _SHORT_TEXT + _CHARACTERS).all():
        return _TEXTS.decode(raw)
    packed = _packed(each[:, 1:].tobytes())
    return _TEXTS.decode(raw) if packed is None else PhotoIds(packed)


def _packed(text: bytes) -> bytes | None:
    try:
        packed = bytes.fromhex(text.decode("ascii"))
    except (UnicodeDecodeError, ValueError):
        return None
    return packed if packed.hex().encode() == text else None  # spaces, and capital letters, are passed over
