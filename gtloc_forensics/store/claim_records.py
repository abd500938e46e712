"""What a file says of itself, rebuilt from its bytes without building anything between.

An audit rebuilds each claim three times, a hundred values each. msgspec makes of the bytes what
needs no thought, the tags among it; a value that may be absent and a sentence are put in here. What is
not quite of its kind (a number where text belongs, a field that an older program did not write) is
left to the codec's converter, which says as before what is damaged.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

import msgspec

from gtloc_forensics.records import (
    Absent,
    Claim,
    Counter,
    Device,
    Direction,
    Exposure,
    FileStructure,
    MetadataBlock,
    OffsetSource,
    Position,
    Reading,
    Repeated,
    Stated,
    TimeReading,
    UnreadBlock,
    Uptime,
)
from gtloc_forensics.store.told import Told, told

V = TypeVar("V")

_NAMED = {why.name: why for why in Absent}
_NEVER: Any = object()
_UNTOLD = Told()


class _Reading(msgspec.Struct, Generic[V]):
    value: V
    tag: str
    raw: str


class _Stated(msgspec.Struct, Generic[V], frozen=True):
    """A value that a file states, or why it states none."""

    absent: str | None = None
    value: V = _NEVER
    tag: str = ""
    raw: str = ""
    rule: Told = _UNTOLD
    rivals: tuple[_Reading[V], ...] = ()
    offset_source: OffsetSource | None = None

    def record(self) -> Stated[V] | Absent:
        if self.absent is not None:
            return _absent(self.absent, is_alone=self.value is _NEVER and self.rule is _UNTOLD)
        if self.value is _NEVER or self.rule is _UNTOLD:
            raise ValueError("a stated value lacks a part")
        rivals = tuple([Reading(rival.value, rival.tag, rival.raw) for rival in self.rivals])
        return Stated(self.value, self.tag, self.raw, told(self.rule), rivals, self.offset_source)


class _Uptime(msgspec.Struct):
    absent: str | None = None
    seconds: float = _NEVER
    tag: str = ""
    raw: str = ""
    excludes_sleep: bool = _NEVER

    def record(self) -> Uptime | Absent:
        if self.absent is not None:
            return _absent(self.absent, is_alone=self.seconds is _NEVER and self.excludes_sleep is _NEVER)
        if self.seconds is _NEVER or self.excludes_sleep is _NEVER:
            raise ValueError("an uptime lacks a part")
        return Uptime(self.seconds, self.tag, self.raw, self.excludes_sleep)


class _Gone(msgspec.Struct, forbid_unknown_fields=True):
    absent: str


_Number = float | _Gone
_Text = str | _Gone
_Flag = bool | _Gone


class _Exposure(msgspec.Struct):
    f_number: _Number
    exposure_s: _Number
    iso: _Number
    bias_ev: _Number
    brightness_ev: _Number
    flash_fired: _Flag
    ev100: _Number
    tags: dict[str, str] = {}

    def record(self) -> Exposure:
        return Exposure(
            _given(self.f_number),
            _given(self.exposure_s),
            _given(self.iso),
            _given(self.bias_ev),
            _given(self.brightness_ev),
            _given(self.flash_fired),
            _given(self.ev100),
            self.tags,
        )


class _Device(msgspec.Struct):
    make: _Text
    model: _Text
    serial: _Text
    lens: _Text
    software: _Text
    owner: _Text
    key: str
    doubt: Told
    tags: dict[str, str] = {}

    def record(self) -> Device:
        return Device(
            _given(self.make),
            _given(self.model),
            _given(self.serial),
            _given(self.lens),
            _given(self.software),
            _given(self.owner),
            self.key,
            told(self.doubt),
            self.tags,
        )


class _Unread(msgspec.Struct):
    block: MetadataBlock
    said: Told
    name: str = ""

    def record(self) -> UnreadBlock:
        return UnreadBlock(self.block, told(self.said), self.name)


def _given(value: V | _Gone) -> V | Absent:
    return _NAMED[value.absent] if type(value) is _Gone else cast(V, value)


def _absent(name: str, *, is_alone: bool) -> Absent:
    if not is_alone:
        raise ValueError("a value is stated and absent")
    return _NAMED[name]


_EMPTY: dict[str, tuple[Any, ...]] = {
    "counters": (tuple[Counter, ...], ()),
    "times": (tuple[TimeReading, ...], ()),
    "tags": (dict[str, tuple[Any, ...]], msgspec.field(default_factory=dict)),
    "warnings": (tuple[Told, ...], ()),
    "repeated": (tuple[Repeated, ...], ()),
    "unread": (tuple[_Unread, ...], ()),
}
"""The fields that can be left empty."""

_FIELDS: dict[str, tuple[Any, ...]] = {
    "source_id": (str,),
    "local_time": (_Stated[datetime],),
    "utc_offset_hours": (_Stated[float],),
    "utc_time": (_Stated[datetime],),
    "gps_utc_time": (_Stated[datetime],),
    "position": (_Stated[Position],),
    "altitude_m": (_Stated[float],),
    "direction": (_Stated[Direction],),
    "position_error_m": (_Stated[float],),
    "zones": (tuple[str, ...],),
    "exposure": (_Exposure,),
    "device": (_Device,),
    "counters": (tuple[Counter, ...],),
    "uptime": (_Uptime,),
    "times": (tuple[TimeReading, ...],),
    "tags": (dict[str, tuple[Any, ...]],),
    "warnings": (tuple[Told, ...], ()),
    "not_after": (_Stated[datetime], _Stated(absent=Absent.MISSING.name)),
    "default_tags": (tuple[str, ...], ()),
    "repeated": (tuple[Repeated, ...], ()),
    "unread": (tuple[_Unread, ...], ()),
    "structure": (FileStructure | None, None),
}
"""Of each field of a claim, in order: what msgspec makes of it, and what stands for it where it was not written."""


def _some(tags: tuple[str, ...]) -> type[msgspec.Struct]:
    """Return what msgspec makes of the tags of a claim where only some are wanted."""
    fields = [(f"tag{number}", tuple[Any, ...] | None, None) for number in range(len(tags))]
    return msgspec.defstruct("_Tags", fields, rename={f"tag{number}": tag for number, tag in enumerate(tags)})


def _there(tags: msgspec.Struct | dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    if isinstance(tags, dict):
        return tags
    read = zip(tags.__struct_encode_fields__, msgspec.structs.astuple(tags), strict=True)
    return {tag: values for tag, values in read if values is not None}


@lru_cache(maxsize=16)
def reader(without: tuple[str, ...] = (), tags: tuple[str, ...] | None = None) -> Callable[[bytes], Claim]:
    """Return what rebuilds claims; the bytes of the fields *without* are passed over, and of all but some *tags*.

    It raises MsgspecError, KeyError, TypeError, ValueError or AttributeError where the bytes are not quite a claim.
    """
    wanted = [(name, *how) if name not in without else (name, *_EMPTY[name]) for name, how in _FIELDS.items()]
    unread = {name: f"{name}, which is not read" for name in without}
    if tags is not None and "tags" not in without:
        wanted = [how if how[0] != "tags" else ("tags", _some(tags)) for how in wanted]
    decode = msgspec.msgpack.Decoder(msgspec.defstruct("_Claim", wanted, rename=unread, kw_only=True)).decode

    def read(plain: bytes) -> Claim:
        claim: Any = decode(plain)
        return Claim(
            claim.source_id,
            claim.local_time.record(),
            claim.utc_offset_hours.record(),
            claim.utc_time.record(),
            claim.gps_utc_time.record(),
            claim.position.record(),
            claim.altitude_m.record(),
            claim.direction.record(),
            claim.position_error_m.record(),
            claim.zones,
            claim.exposure.record(),
            claim.device.record(),
            claim.counters,
            claim.uptime.record(),
            claim.times,
            claim.tags if tags is None else _there(claim.tags),
            tuple(map(told, claim.warnings)),
            claim.not_after.record(),
            claim.default_tags,
            claim.repeated,
            tuple([block.record() for block in claim.unread]),
            claim.structure,
        )

    return read
