"""What a file says of itself comes back from its bytes as the converter rebuilds it, whole or without some fields."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import msgspec
import pytest
from builders import a_claim, an_image
from hypothesis import given, settings
from hypothesis import strategies as st

from gtloc_forensics.errors import DamagedCase
from gtloc_forensics.records import (
    Absent,
    Claim,
    Counter,
    CounterKind,
    Direction,
    FileStructure,
    ImageFacts,
    MetadataBlock,
    OffsetSource,
    Position,
    Reading,
    Repeated,
    Sentence,
    Stated,
    Statement,
    TimeKind,
    TimeReading,
    TimeRole,
    UnreadBlock,
    Uptime,
)
from gtloc_forensics.store import claim_records, codec

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
number = st.floats(-90, 90)
moment = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))
absent = st.sampled_from(list(Absent))
told = st.one_of(text, st.builds(lambda tag: Sentence("{tag} is first", tag=tag), text), st.just(Sentence("it is")))


def stated(value: Any) -> Any:
    """Return readings of a value, and that there is none."""
    rivals = st.lists(st.builds(Reading, value, text, text), max_size=2).map(tuple)
    sources = st.none() | st.sampled_from(list(OffsetSource))
    return absent | st.builds(Stated, value, text, text, told, rivals, sources)


def several(value: Any) -> Any:
    return st.lists(value, max_size=2).map(tuple)


claim = st.builds(
    replace,
    st.just(a_claim()),
    **{name: stated(moment) for name in ("local_time", "utc_time", "gps_utc_time", "not_after")},
    **{name: stated(number) for name in ("utc_offset_hours", "altitude_m", "position_error_m")},
    position=stated(st.builds(Position, number, number)),
    direction=stated(st.builds(Direction, number, st.booleans())),
    zones=several(text),
    exposure=st.builds(
        replace, st.just(a_claim().exposure), iso=number | absent, flash_fired=st.booleans() | absent, ev100=absent
    ),
    device=st.builds(replace, st.just(a_claim().device), serial=text | absent, doubt=told),
    counters=several(st.builds(Counter, st.sampled_from(list(CounterKind)), st.integers(0, 2**40), text, text)),
    uptime=absent | st.builds(Uptime, number, text, text, st.booleans()),
    times=several(
        st.builds(
            TimeReading,
            moment,
            st.sampled_from(list(TimeKind)),
            st.sampled_from(list(TimeRole)),
            text,
            text,
            st.none() | number,
        )
    ),
    tags=st.dictionaries(text, several(text | number | st.integers(-9, 2**40)), max_size=3),
    warnings=several(told),
    default_tags=several(text),
    repeated=several(st.builds(Repeated, text, several(text))),
    unread=several(st.builds(UnreadBlock, st.sampled_from(list(MetadataBlock)), told, text)),
    structure=st.none() | st.builds(FileStructure, text, text),
)


def by_converter(kind: Any, stored: bytes, without: tuple[str, ...] = ()) -> Any:
    built = msgspec.msgpack.decode(codec._unpacked(stored))
    for name in without:
        built[name] = type(built[name])()
    return codec._converter().structure(built, kind)


def alike(one: Claim, other: Claim) -> bool:
    """Whether two claims are one to the kind of every value: 1 is no 1.0, and a sentence is no text."""
    return one == other and repr(one) == repr(other) and codec.pack(one) == codec.pack(other)


@settings(max_examples=100, deadline=None)
@given(claim, st.sets(st.sampled_from(sorted(claim_records._EMPTY))))
def test_a_claim_comes_back_as_the_converter_rebuilds_it(made: Claim, left_out: set[str]) -> None:
    stored, without = codec.pack(made), tuple(sorted(left_out))
    assert alike(claim_records.reader()(codec._unpacked(stored)), by_converter(Claim, stored))  # and never gives up
    assert alike(codec.unpack(Claim, stored), by_converter(Claim, stored))
    assert alike(codec.claim_of(stored, without=without), by_converter(Claim, stored, without))


@pytest.mark.parametrize("left_out", [(), ("warnings",), ("tags",)])
def test_of_the_tags_only_those_wanted_are_read(left_out: tuple[str, ...]) -> None:
    made = replace(a_claim(), tags={"GPS:GPSTimeStamp": ("10:03:00",), "IFD0:Make": ("Acme", 5)}, warnings=("odd",))
    wanted = ("IFD0:Make", "IFD0:Model")
    kept = {} if "tags" in left_out else {"IFD0:Make": ("Acme", 5)}
    expected = replace(made, tags=kept, **dict.fromkeys(set(left_out) - {"tags"}, ()))
    assert alike(codec.claim_of(codec.pack(made), without=left_out, tags=wanted), expected)
    old = altered(structure=None, exposure__iso="100")  # which the converter reads
    assert codec.claim_of(old, tags=("GPS:GPSLatitude",)).tags == {}


def test_every_field_of_a_claim_is_read_in_its_place() -> None:
    assert [*claim_records._FIELDS] == [field.name for field in fields(Claim)]


def altered(**changes: Any) -> bytes:
    built = msgspec.msgpack.decode(codec._encoded(a_claim()))
    for path, value in changes.items():
        *above, name = path.split("__")
        held = built
        for step in above:
            held = held[step]
        held.pop(name) if value is None else held.update({name: value})
    return b"r" + msgspec.msgpack.encode(built)


@pytest.mark.parametrize(
    "changes",
    [
        {"structure": None, "unread": None, "not_after": None, "default_tags": None},  # as an older program wrote it
        {"local_time__value": "2024-05-17"},
        {"local_time__raw": 5},
        {"exposure__iso": "100"},
        {"device__make": 7},
        {"uptime": {"seconds": True, "tag": "t", "raw": "r", "excludes_sleep": 1}},
    ],
)
def test_what_is_not_quite_of_its_kind_is_read_as_it_always_was(changes: dict[str, Any]) -> None:
    stored = altered(**changes)
    assert alike(codec.unpack(Claim, stored), by_converter(Claim, stored))


@pytest.mark.parametrize(
    "changes",
    [
        {"local_time__rule": None},
        {"local_time__value": "no time"},
        {"position": {"absent": "UNHEARD_OF"}},
        {"position": {"value": {"latitude_deg": 91.0, "longitude_deg": 0.0}, "tag": "", "raw": "", "rule": ""}},
        {"tags": None},
        {"uptime": {"seconds": 1.0}},
    ],
)
def test_what_is_no_claim_is_named(changes: dict[str, Any]) -> None:
    for read in (codec.claim_of, lambda stored: codec.unpack(Claim, stored)):
        with pytest.raises(DamagedCase, match="Claim"):
            read(altered(**changes))


def test_facts_of_a_picture_and_why_there_are_none_come_back_the_same() -> None:
    facts = an_image(thumbnail_size=(160, 120), mean_luminance=1)
    assert codec.unpack(ImageFacts, codec.pack(facts)) == by_converter(ImageFacts, codec.pack(facts))
    for reason in ("plain words", Sentence("it holds {count} pictures", count=2)):
        kept = codec.unpack(tuple[Statement, str], codec.pack((reason, "detail")))
        assert kept == (reason, "detail")
        assert type(kept[0]) is type(reason)
