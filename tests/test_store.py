"""The case database: results by key, custody as a chain that cannot be rewritten."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from gtloc_forensics.errors import CaseError, NewerCase
from gtloc_forensics.records import (
    Absent,
    CaseHeader,
    Cause,
    Confidence,
    FileStat,
    Finding,
    Outcome,
    Position,
    Sentence,
    Severity,
    Skipped,
    Source,
    Stated,
    TagsRead,
    TimeDensity,
)
from gtloc_forensics.store.codec import decoded, pack, plain, unpack
from gtloc_forensics.store.custody import GENESIS, event_of, verify_chain
from gtloc_forensics.store.database import Store

NOON = datetime(2024, 6, 1, 12)
STAT = FileStat(3, 1, 2, 3, 0o100644, 7, 8, 1)
SOURCE = Source("0011223344556677", b"a/\xff.jpg", "ab" * 32, STAT, "image/jpeg")


@pytest.fixture
def store(tmp_path: Path):
    opened = Store(f"sqlite:///{tmp_path / 'case.sqlite'}")
    yield opened
    opened.close()


def events(store: Store, count: int) -> None:
    with store.writing() as session:
        for number in range(count):
            store.append_event(
                session,
                utc_time=NOON,
                actor="a",
                action="acquire",
                subject=f"{number}.jpg",
                detail={"size_bytes": number},
            )


def test_what_is_stored_comes_back_as_it_was(store: Store) -> None:
    density = TimeDensity(np.full((2, 3), 1 / 6, np.float32))
    with store.writing() as session:
        store.add_result(session, "s", "vision", "f", record=density)
    found = store.result("s", "vision", "f", TimeDensity)
    assert isinstance(found, TimeDensity)
    assert np.array_equal(found.mass, density.mass)


def test_a_result_is_added_once_and_never_rewritten(store: Store) -> None:
    for value in ("first", "second"):
        with store.writing() as session:
            store.add_failure(session, "s", "image", "f", reason=value)
    assert store.result("s", "image", "f", Position) == ("first", "")


def test_another_fingerprint_is_another_result(store: Store) -> None:
    with store.writing() as session:
        store.add_result(session, "s", "claim", "f", record=Position(1.0, 2.0))
    assert store.result("s", "claim", "g", Position) is None
    assert store.subjects("claim", "f") == {"s"}


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.writing() as session:
        store.add_result(session, "s", "claim", "f", record=Position(1.0, 2.0))
        raise RuntimeError
    assert store.result("s", "claim", "f", Position) is None


def test_a_changed_file_is_a_new_state_of_the_same_path(store: Store) -> None:
    with store.writing() as session:
        first = store.add_source(session, SOURCE, sidecars={}, acquired_utc=NOON)
        second = store.add_source(session, SOURCE, sidecars={b"a/\xff.xmp": "cd" * 32}, acquired_utc=NOON)
    assert first.row_id != second.row_id
    assert store.latest_sources()[SOURCE.source_id] == second
    assert store.source(first.row_id)[0].relative == b"a/\xff.jpg"


def test_the_header_keeps_what_is_not_given_again(store: Store) -> None:
    with store.writing() as session:
        store.set_header(session, CaseHeader(case_number="7", examiner="A", opened_utc=NOON))
        assert store.set_header(session, CaseHeader(examiner="B")) == {"examiner": "B"}
    assert store.header() == CaseHeader(case_number="7", examiner="B", opened_utc=NOON)


def test_a_case_of_a_newer_program_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "case.sqlite"
    opened = Store(f"sqlite:///{path}")
    with opened.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    opened.close()
    with pytest.raises(NewerCase, match="newer program"):
        Store(f"sqlite:///{path}")


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "case.sqlite"
    path.write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(CaseError, match="not usable as a case database"):
        Store(f"sqlite:///{path}")


def test_the_custody_chain_holds_from_its_first_link(store: Store) -> None:
    events(store, 5)
    chain = list(store.custody())
    assert chain[0].previous_hash == GENESIS
    assert [event.sequence for event in chain] == [1, 2, 3, 4, 5]
    assert verify_chain(chain) == ()


@pytest.mark.parametrize("statement", ["UPDATE custody SET actor = 'b'", "DELETE FROM custody"])
def test_the_database_itself_refuses_to_change_the_custody_chain(store: Store, statement: str) -> None:
    events(store, 2)
    with pytest.raises(IntegrityError, match="append-only"), store.writing() as session:
        session.execute(text(statement))


def test_one_changed_byte_in_the_custody_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "case.sqlite"
    opened = Store(f"sqlite:///{path}")
    events(opened, 4)
    with opened.writing() as session:
        session.execute(text("DROP TRIGGER custody_no_update"))
        session.execute(text("UPDATE custody SET subject = '9.jpg' WHERE sequence = 3"))
    faults = verify_chain(opened.custody())
    opened.close()
    assert len(faults) == 1
    assert "event 3" in faults[0]


def test_a_missing_link_is_named(store: Store) -> None:
    events(store, 4)
    chain = [event for event in store.custody() if event.sequence != 2]
    assert any("event 2 is missing" in fault for fault in verify_chain(chain))


def test_a_rewritten_tail_does_not_fit_the_head(store: Store) -> None:
    events(store, 3)
    chain = list(store.custody())
    forged = event_of(2, NOON, "b", "acquire", "x", {}, GENESIS)
    assert verify_chain([chain[0], forged, chain[2]])


def test_what_could_not_be_read_is_listed_in_path_order(store: Store) -> None:
    with store.writing() as session:
        store.add_rejected(session, "e", Skipped(b"b", "gone", blocks=True), source_id="2")
        store.add_rejected(session, "e", Skipped(b"a", "not a photo", blocks=False), source_id="1")
    assert [entry.relative for entry in store.rejected("e")] == [b"a", b"b"]


@given(
    st.one_of(st.sampled_from(list(Absent)), st.floats(allow_nan=False)),
    st.dictionaries(
        st.text(max_size=5), st.one_of(st.text(), st.integers(-(2**63), 2**63 - 1), st.none(), st.booleans())
    ),
)
def test_any_finding_and_any_claimed_value_survive_packing(value, facts) -> None:
    stated = value if isinstance(value, Absent) else Stated(value, "T", "r", "rule")
    finding = Finding(
        "GF101", ("s",), Outcome.SUSPICIOUS, Severity.HIGH, Confidence.WEAK, "x", facts=facts, cause=Cause("zone", "d")
    )
    assert unpack(Finding, pack(finding)) == finding
    assert unpack(Stated[float] | Absent, pack(stated)) == stated  # type: ignore[arg-type]


_VALUE = st.one_of(st.text(max_size=9), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.booleans())


@given(st.dictionaries(st.text(max_size=5), st.lists(_VALUE, max_size=3).map(tuple), max_size=5))
def test_tags_are_kept_as_lists_of_their_values(tags: dict[str, tuple[str | int | float, ...]]) -> None:
    tags["said"] = (Sentence("a reader's {word}", word="own"),)
    kept = pack(TagsRead(MappingProxyType(tags), ("odd",)))
    assert kept == pack(TagsRead(tags, ("odd",)))
    assert decoded(kept, Any) == {
        "tags": {tag: [str(value) if isinstance(value, str) else value for value in tags[tag]] for tag in tags},
        "warnings": ["odd"],
    }
    assert unpack(TagsRead, kept) == TagsRead(tags, ("odd",))


def test_a_tag_whose_text_is_no_text_is_kept_written_out() -> None:
    assert unpack(TagsRead, pack(TagsRead({"a": ("half \ud800",)}))) == TagsRead({"a": ("half \\ud800",)})


@given(st.binary(max_size=300))
def test_damaged_bytes_are_an_error_that_says_so(damaged: bytes) -> None:
    try:
        unpack(Finding, damaged)
    except ValueError as error:
        assert "Finding" in str(error)


def test_a_record_becomes_plain_json_values() -> None:
    assert plain(Position(1.0, 2.0)) == {"latitude_deg": 1.0, "longitude_deg": 2.0}
