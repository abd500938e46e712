"""Rows and links of the chain written by the group are those of one by one; what was not committed is not there."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from test_case import INLINE, audit, photo

from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.folder import DATABASE
from gtloc_forensics.examination.gathering import Gathering
from gtloc_forensics.examination.instruments import opened
from gtloc_forensics.records import FileStat, Source, source_id_of
from gtloc_forensics.store import arrivals, binding, schema
from gtloc_forensics.store.arrivals import Arrival
from gtloc_forensics.store.custody import verify_chain
from gtloc_forensics.store.database import Store

NOON = datetime(2026, 11, 29, 12)

arrived = st.builds(
    lambda name, content, size, beside: Arrival(
        Source(
            source_id_of(name),
            name,
            f"{content:064x}",
            FileStat(size, 1, 2, 3, 0o100644, 7, 8, 1),
            "image/jpeg",
            tuple(beside),
        ),
        beside,
        NOON + timedelta(seconds=size),
    ),
    st.sampled_from([b"a.jpg", b"b/\xff.jpg", b"c.jpg", b"d.jpg"]),  # few: a path comes again, in another state
    st.integers(0, 3),
    st.integers(0, 99),
    st.dictionaries(st.sampled_from([b"a.xmp", b"b.xmp"]), st.sampled_from(["11" * 32, "22" * 32])),
)


def put(store: Store, session: Any, group: Sequence[Arrival], *, together: bool) -> list[Any]:
    """Add the sources of a group and an event of each, the sources at once or each for itself."""
    stored = []
    for arrival in group:
        if not together:
            stored += store.add_sources(session, [arrival])
        store.append_event(
            session,
            utc_time=NOON,
            actor="a",
            action="acquire",
            subject=arrival.source.display_path,
            detail={"sha256": arrival.source.sha256},
        )
        if not together:
            arrivals.write_events(session)
    return store.add_sources(session, group) if together else stored


def rows_of(path: Path) -> list[Any]:
    with sqlite3.connect(path) as connection:
        return [list(connection.execute(f"SELECT * FROM {table} ORDER BY 1")) for table in ("source", "custody")]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(arrived, max_size=5), max_size=4))
def test_what_is_written_by_the_group_is_what_is_written_one_by_one(groups: list[list[Arrival]]) -> None:
    kept = []
    for together in (True, False):
        with TemporaryDirectory() as folder:
            store = Store(Path(folder) / "case.sqlite")
            states = []
            for group in groups:
                with store.writing() as session:
                    states += put(store, session, group, together=together)
            assert verify_chain(store.custody()) == ()
            newest = store.latest_sources()
            assert all(newest[source_id_of(state.relative)].row_id >= state.row_id for state in states)
            assert {state.row_id for state in newest.values()} <= {state.row_id for state in states}
            store.close()
            kept.append((states, rows_of(Path(folder) / "case.sqlite")))
    assert kept[0] == kept[1]


def test_more_links_than_wait_at_once_are_one_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "EVENTS_AT_ONCE", 3)
    store = Store(tmp_path / "case.sqlite")
    with store.writing() as session:
        for number in range(8):
            store.append_event(session, utc_time=NOON, actor="a", action="hash", subject=str(number), detail={})
    assert [(link.sequence, link.subject) for link in store.custody()] == [(n + 1, str(n)) for n in range(8)]
    assert verify_chain(store.custody()) == ()
    store.close()


def test_links_of_a_transaction_that_failed_are_not_there_and_the_next_ones_follow_what_is(tmp_path: Path) -> None:
    store = Store(tmp_path / "case.sqlite")
    told = {"utc_time": NOON, "actor": "a", "action": "hash", "detail": {}}
    with store.writing() as session:
        store.append_event(session, subject="kept", **told)
    with pytest.raises(ZeroDivisionError), store.writing() as session:
        for number in range(arrivals.EVENTS_AT_ONCE + 1):  # some are written, and one waits
            store.append_event(session, subject=f"lost {number}", **told)
        raise ZeroDivisionError
    with store.writing() as session:
        store.append_event(session, subject="kept as well", **told)
    assert [link.subject for link in store.custody()] == ["kept", "kept as well"]
    assert verify_chain(store.custody()) == ()
    store.close()


def test_a_group_costs_the_same_statements_whatever_its_size(tmp_path: Path) -> None:
    counted = []
    for files in (2, 8):  # the first are read eight at a time
        folder = tmp_path / str(files)
        for number in range(files):
            photo(folder / "evidence" / f"{number:02}.jpg", number)
        chosen = replace(INLINE, batch=files)
        with open_case(folder / "evidence", folder / "case") as case, opened(chosen) as tools:
            gathering = Gathering(
                case.store, case.evidence, tools, settings=chosen, work=folder / "case", progress=lambda *_: None
            )
            asked: list[str] = []
            event.listen(
                case.store.engine, "before_cursor_execute", lambda _c, _k, text, *_, said=asked: said.append(text)
            )
            gathering.run()
        counted.append(Counter(text.split("(")[0].strip() for text in asked if text.startswith("INSERT")))
        selects = sum(text.startswith("SELECT") for text in asked)
        counted.append(Counter({"SELECT": selects}))
    assert counted[:2] == counted[2:]
    assert counted[0] == {"INSERT INTO source": 1, "INSERT INTO custody": 1, "INSERT INTO result": 1}


def test_binding_asks_for_the_rows_of_many_photos_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        photo(tmp_path / "evidence" / f"{number}.jpg", number)
    asked: list[str] = []
    whole = binding.bind

    def counted(connection: Any, *arguments: Any) -> tuple[str, int]:
        event.listen(connection.engine, "before_cursor_execute", lambda _c, _k, text, *_: asked.append(text))
        return whole(connection, *arguments)

    monkeypatch.setattr("gtloc_forensics.examination.concluding.bind", counted)
    audit(tmp_path / "evidence", tmp_path / "case")
    of_photos = [text for text in asked if " FROM member" in text or " FROM source" in text or " FROM result" in text]
    assert 0 < len(of_photos) <= 8, "of five photos, and of fifty, and once more to see that no further ones follow"


KILLED = """
import os, sys
from pathlib import Path
from gtloc_forensics.store.database import Store
from test_store_arrivals import put, many
store = Store(Path(sys.argv[1]))
with store.writing() as session:
    put(store, session, many(0, 3), together=True)
with store.writing() as session:
    put(store, session, many(3, 700), together=True)  # links are written, links wait, rows are written
    os._exit(9)
"""


def many(first: int, last: int) -> list[Arrival]:
    """Return paths that were taken in, by their numbers."""
    stat = FileStat(3, 1, 2, 3, 0o100644, 7, 8, 1)
    names = [b"%04d.jpg" % number for number in range(first, last)]
    return [Arrival(Source(source_id_of(name), name, "ab" * 32, stat, "image/jpeg"), {}, NOON) for name in names]


def test_of_a_group_in_the_midst_of_which_the_program_was_killed_nothing_is_there(tmp_path: Path) -> None:
    path = tmp_path / "case.sqlite"
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=Path(__file__).parent, check=False)
    assert ended.returncode == 9
    store = Store(path)
    assert len(store.latest_sources()) == 3
    assert len(list(store.custody())) == 3
    with store.writing() as session:
        again = put(store, session, many(3, 10), together=True)
    assert [state.row_id for state in again] == list(range(4, 11))
    assert verify_chain(store.custody()) == ()
    store.close()


KILLED_AUDIT = """
import os, sys
from dataclasses import replace
from pathlib import Path
from test_case import INLINE
from gtloc_forensics.case.case import open_case
from gtloc_forensics.examination.keeping import Keeping
whole, done = Keeping.finish, iter(range(9))
def finish(self):
    whole(self)
    if next(done) == 1:
        os._exit(9)
Keeping.finish = finish
with open_case(Path(sys.argv[1]), Path(sys.argv[2])) as case:
    case.audit(replace(INLINE, batch=2))
"""


def test_an_audit_killed_between_rows_and_commit_goes_on_to_the_same_case(tmp_path: Path) -> None:
    evidence, killed, whole = (tmp_path / name for name in ("evidence", "killed", "whole"))
    for number in range(5):
        photo(evidence / f"{number}.jpg", number)
    command = [sys.executable, "-c", KILLED_AUDIT, str(evidence), str(killed)]
    assert subprocess.run(command, cwd=Path(__file__).parent, check=False).returncode == 9
    with sqlite3.connect(killed / DATABASE) as connection:
        assert connection.execute("SELECT count(*) FROM source").fetchone() == (2,)
        assert connection.execute("SELECT count(*) FROM custody WHERE action = 'acquire'").fetchone() == (2,)
    audit(evidence, killed)
    audit(evidence, whole)
    kept = []
    for folder in (killed, whole):
        with sqlite3.connect(folder / DATABASE) as connection:
            sources = list(connection.execute("SELECT id, relative, sha256, generation FROM source ORDER BY id"))
            results = list(connection.execute("SELECT * FROM result ORDER BY 1, 2, 3"))
            members = list(connection.execute("SELECT ordinal, source_row, status, findings FROM member"))
            links = list(connection.execute("SELECT action, subject FROM custody WHERE action = 'acquire'"))
        kept.append((sources, results, members, links))
    assert kept[0] == kept[1]


def test_an_empty_file_gets_the_tables_that_the_migrations_make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(tmp_path / "made.sqlite").close()
    monkeypatch.setattr(schema, "_make", schema.upgrade)
    Store(tmp_path / "migrated.sqlite").close()
    kept = []
    for name in ("made.sqlite", "migrated.sqlite"):
        with sqlite3.connect(tmp_path / name) as connection:
            held = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2"
            kept.append((list(connection.execute(held)), list(connection.execute("SELECT * FROM alembic_version"))))
    assert kept[0] == kept[1]
