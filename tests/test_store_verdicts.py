"""What rules said is written to the bytes that the converter writes, and comes back as the converter rebuilds it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gtloc_forensics.checks import consistent, not_testable
from gtloc_forensics.errors import DamagedCase
from gtloc_forensics.examination import sayings
from gtloc_forensics.records import (
    Absent,
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
from gtloc_forensics.store import codec, verdicts

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
plain_value = st.one_of(text, st.integers(-(2**40), 2**40), st.booleans(), st.none(), st.floats(allow_nan=False))
told = st.recursive(
    st.one_of(
        text,
        st.builds(
            lambda tag, number: Sentence("{tag} is {number:raw}", tag=tag, number=number), text, st.integers(0, 9)
        ),
        st.builds(lambda metres: Sentence("{metres:.1f} m off", metres=metres), st.floats(-9, 9)),
        st.builds(lambda day: Sentence("on {day}", day=day), st.datetimes(datetime(1970, 1, 1), datetime(2030, 1, 1))),
        st.builds(lambda tags: Sentence("{tags:list}", tags=tuple(tags)), st.lists(text, min_size=1, max_size=3)),
        st.just(Sentence("nothing more")),
    ),
    lambda inner: st.builds(lambda reason: Sentence("Not testable: {reason}.", reason=reason), inner),
    max_leaves=3,
)
several = st.lists(told, max_size=2).map(tuple)
cause = st.builds(
    Cause, st.sampled_from([CauseKind.ZONE, CauseKind("a kind of a plugin")]), text, st.none() | st.floats(-9, 9), told
)
finding = st.builds(
    Finding,
    st.sampled_from(["GF101", "XX900"]),
    st.lists(text, min_size=1, max_size=2).map(tuple),
    st.sampled_from(list(Outcome)),
    st.sampled_from(list(Severity)),
    st.sampled_from(list(Confidence)),
    told,
    *[several] * 5,
    st.dictionaries(text, plain_value, max_size=2),
    st.none() | cause,
    st.none() | st.floats(0, 1),
    st.none() | st.floats(-9, 9),
)
result = st.builds(
    PhotoResult,
    st.lists(finding, max_size=3).map(tuple),
    st.lists(st.builds(Unexamined, text, text, told, text), max_size=2).map(tuple),
)


def parts(value: Any) -> Any:
    """Return a value with what tells sentences and plain texts of the same words apart."""
    if isinstance(value, Sentence):
        return (Sentence, value.template, [(name, type(held), parts(held)) for name, held in value.values.items()])
    if isinstance(value, tuple):
        return [parts(member) for member in value]
    return value


def told_in(made: PhotoResult) -> list[Any]:
    return [
        parts((said.summary, said.observed, said.derived, said.inferred, said.limitations, said.innocent))
        for said in made.findings
    ] + [parts(missing.reason) for missing in made.unexamined]


@settings(max_examples=60, deadline=None)
@given(result)
def test_a_result_has_the_bytes_of_the_converter_and_comes_back_the_same(made: PhotoResult) -> None:
    by_converter = codec._encoded(made)
    assert verdicts.encoded(made) == by_converter
    again = codec.unpack(PhotoResult, codec.pack(made))
    slowly = codec._converter().structure(msgspec.msgpack.decode(by_converter), PhotoResult)
    assert again == slowly == made
    assert told_in(again) == told_in(slowly) == told_in(made)


ID = "0123456789abcdef"
silence = st.builds(
    not_testable, st.sampled_from(["GF101", "GF404", "XX900"]), st.just(ID), told | st.sampled_from(list(Absent))
)
bare = st.builds(
    consistent,
    st.sampled_from(["GF107", "GF404"]),
    st.sampled_from([ID, "another photo"]),
    st.sampled_from([Sentence("it fits"), Sentence("it fits {well}", well=Sentence("well")), "plain words"]),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(finding | silence | bare, max_size=6).map(tuple),
            st.lists(st.builds(Unexamined, text, text, told, text), max_size=2).map(tuple),
        ).map(lambda parts: PhotoResult(*parts)),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
)
def test_what_is_kept_of_a_photo_without_building_it_again_is_what_was_said(
    said: list[PhotoResult], adds: bool
) -> None:
    """Of several photos, for the bytes of what was said before are used again; with what the case adds."""

    def added(of: Finding) -> Finding:
        return replace(of, limitations=(*of.limitations, "rare")) if adds and of.is_found and of.p_value else of

    verdicts_ = sayings.Verdicts()
    for result_ in said:
        verdicts_.append(verdicts_.told(result_, ID))
    for result_, kept in zip(said, map(verdicts_.__getitem__, range(len(said))), strict=True):
        whole = PhotoResult(tuple(map(added, result_.findings)), result_.unexamined)
        concluded = sayings.concluded(*verdicts_.sayings(kept, ID), added, source_id=ID, lists=sayings.Lists())
        assert concluded.stored == codec.pack(whole)
        assert concluded.status is whole.status
        assert tuple(concluded.unexamined) == whole.unexamined
        assert concluded.told == [
            of for of in whole.findings if (of.is_found or of.outcome is Outcome.EXPLAINED) and of.source_ids[0] == ID
        ]


@settings(max_examples=60, deadline=None)
@given(result)
def test_a_part_of_a_result_is_that_part_of_the_whole(made: PhotoResult) -> None:
    stored = codec.pack(made)
    some = tuple(found for found in made.findings if found.outcome is not Outcome.NOT_TESTABLE)
    silent = {found.check_id: found.summary for found in made.findings if found.outcome is Outcome.NOT_TESTABLE}
    rest, untested = codec.told_apart(stored)
    assert rest == codec.tested(stored) == PhotoResult(some, made.unexamined)
    assert untested == silent
    assert codec.ended(stored) == (made.status, bool(made.unexamined))
    for read in (codec.told_apart, codec.ended, codec.tested):
        with pytest.raises(DamagedCase, match="PhotoResult"):
            read(b"r" + msgspec.msgpack.encode({"findings": [{"outcome": "unheard of"}]}))


FINDING = Finding("GF101", ("s",), Outcome.CONSISTENT, Severity.INFO, Confidence.CONTEXT, "x")


@pytest.mark.parametrize(
    "odd",
    [
        {"facts": {"said": Sentence("as {what}", what="text")}},
        {"facts": {"number": np.float32(0.5)}},
        {"summary": "half a character \udc80"},
        {"cause": Cause(CauseKind.ZONE, Sentence("a device"))},
    ],
)
def test_what_is_not_quite_of_its_kind_is_kept_as_it_always_was(odd: dict[str, Any]) -> None:
    made = PhotoResult(
        (FINDING, Finding(**{**{name: getattr(FINDING, name) for name in FINDING.__slots__}, **odd})), ()
    )
    assert verdicts.encoded(made) is None
    kept = codec.unpack(PhotoResult, codec.pack(made)).findings[1]
    assert kept.facts == {
        name: str(value) if isinstance(value, str) else value for name, value in made.findings[1].facts.items()
    }


def test_fields_that_an_older_case_lacks_have_their_default_and_what_is_no_result_is_named() -> None:
    old = {name: codec.plain(FINDING)[name] for name in list(FINDING.__slots__)[:6]}
    packed = b"r" + msgspec.msgpack.encode({"findings": [old], "unexamined": []})
    assert codec.unpack(PhotoResult, packed) == PhotoResult((FINDING,), ())
    for damaged in ({"findings": [{**old, "outcome": "unheard of"}], "unexamined": []}, {"findings": []}, [1]):
        with pytest.raises(DamagedCase, match="PhotoResult"):
            codec.unpack(PhotoResult, b"r" + msgspec.msgpack.encode(damaged))


def test_a_small_picture_is_not_packed_a_second_time() -> None:
    picture = bytes(range(256)) * 8

    assert picture in codec.pack(picture)
    assert codec.unpack(bytes, codec.pack(picture)) == picture
