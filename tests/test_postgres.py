"""A case kept by a PostgreSQL server holds what a case in a file holds, and guards it as well."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from postgres_server import new_database, running
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError
from test_case import FIXED, INLINE, audit, hostile, photo

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.case.folder import ADDRESS, DATABASE
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.errors import CaseBusy, CaseError, NewerCase, UsageError
from gtloc_forensics.records import FileStat, Source
from gtloc_forensics.records.photo_ids import packed_ids
from gtloc_forensics.store import named
from gtloc_forensics.store.database import Store

TABLES = ("case_header", "source", "rejected", "result", "examination", "member", "finding", "custody")


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    with running() as started:
        yield started.folder


@pytest.fixture
def url(server: Path, request: pytest.FixtureRequest) -> str:
    return new_database(server, request.node.name)


@pytest.fixture
def evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", FIXED["SOURCE_DATE_EPOCH"])
    folder = tmp_path / "evidence"
    for number in range(4):
        photo(folder / f"{number}.jpg", number, taken=f"2024:06:15 12:0{number}:30")
    return folder


def content(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, sorted."""
    with store.reading() as session:
        return {name: sorted(map(tuple, session.execute(text(f"SELECT * FROM {name}"))), key=repr) for name in TABLES}


def unnumbered(content: dict[str, list[tuple[object, ...]]], name: str) -> list[tuple[object, ...]]:
    """Return the rows of a table without the numbers that the database gave."""
    paths = {row[0]: row[1] for row in content["source"]}
    if name == "source":
        rows = [row[1:] for row in content[name]]
    elif name == "member":
        rows = [(row[1], paths[row[2]], *row[3:]) for row in content[name]]
    elif name == "finding":
        rows = [row[1:] for row in content[name]]
    else:
        rows = content[name]
    return sorted(rows, key=repr)


def content_of_file(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    store = Store(f"sqlite:///{folder / DATABASE}")
    try:
        found = content(store)
    finally:
        store.close()
    # SQLite has no truth values: they come back as 0 and 1, which are equal to them but do not look so.
    for name, column in (("rejected", 4), ("result", 3)):
        found[name] = sorted(((*row[:column], bool(row[column]), *row[column + 1 :]) for row in found[name]), key=repr)
    return found


def test_a_server_holds_what_a_file_holds(evidence: Path, tmp_path: Path, url: str) -> None:
    hostile(evidence / "bad")
    audit(evidence, tmp_path / "file")
    with open_case(evidence, tmp_path / "served", database_url=url) as case:
        case.audit(INLINE)
        assert content(case.store) == content_of_file(tmp_path / "file")
    assert not (tmp_path / "served" / DATABASE).exists()


def test_a_second_audit_does_nothing_again_and_a_new_photo_is_added(evidence: Path, tmp_path: Path, url: str) -> None:
    with open_case(evidence, tmp_path / "case", database_url=url) as case:
        case.audit(INLINE)
        before = content(case.store)
        case.audit(INLINE)
        assert content(case.store) == before
        photo(evidence / "new.jpg", 9)
        assert sum(1 for _ in (case.audit(INLINE), *case.view().photos())) == 6
        assert [event.action for event in case.store.custody()].count("acquire") == 5


def test_what_was_gathered_before_a_run_died_is_not_gathered_again(
    evidence: Path, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with open_case(evidence, tmp_path / "case", database_url=url) as case:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("gtloc_forensics.examination.concluding.Concluding.run", dies)
            case.audit(replace(INLINE, batch=2))
        acquired = [event for event in case.store.custody() if event.action == "acquire"]
        assert len(acquired) == 4
        case.audit(INLINE)
        assert [event for event in case.store.custody() if event.action == "acquire"] == acquired
        assert len(list(case.view().photos())) == 4


@pytest.mark.parametrize("statement", ["UPDATE custody SET actor = 'x'", "DELETE FROM custody", "TRUNCATE custody"])
def test_the_custody_chain_cannot_be_rewritten(evidence: Path, tmp_path: Path, url: str, statement: str) -> None:
    with open_case(evidence, tmp_path / "case", database_url=url) as case:
        case.audit(INLINE)
        with pytest.raises(DatabaseError, match="append-only"), case.store.writing() as session:
            session.execute(text(statement))
        assert case.custody_faults() == ()


def test_verify_finds_nothing_wrong_and_then_what_was_changed(evidence: Path, tmp_path: Path, url: str) -> None:
    with open_case(evidence, tmp_path / "case", database_url=url) as case:
        case.audit(INLINE)
        case.write_findings()
        assert case.verify(INLINE, sample=2).is_valid
        with case.store.writing() as session:
            session.execute(text("DROP TRIGGER custody_no_truncate ON custody"))
            session.execute(text("ALTER TABLE custody DISABLE TRIGGER custody_no_change"))
            session.execute(text("UPDATE custody SET actor = 'someone' WHERE sequence = 2"))
        said = "\n".join(item.what for item in case.verify(INLINE, sample=0).differences)
        assert "custody_no_change" in said
        assert "custody_no_truncate" in said
        assert "custody event 2" in said


def test_two_case_folders_share_a_database_but_not_at_the_same_time(evidence: Path, tmp_path: Path, url: str) -> None:
    with (
        open_case(evidence, tmp_path / "one", database_url=url) as one,
        open_case(evidence, tmp_path / "two", database_url=url) as two,
    ):
        with one.locked(), pytest.raises(CaseBusy, match="in use"):
            two.audit(INLINE)
        two.audit(INLINE)


HOLDS = """
import sys, time
from gtloc_forensics.store.database import Store
with Store(sys.argv[1]).reserved():
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_lock_of_a_program_that_was_killed_is_gone(evidence: Path, tmp_path: Path, url: str) -> None:
    with open_case(evidence, tmp_path / "case", database_url=url) as case:
        holder = subprocess.Popen([sys.executable, "-c", HOLDS, url], stdout=subprocess.PIPE, text=True)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(CaseBusy), case.locked():
            pass
        holder.kill()
        holder.communicate()
        for _ in range(100):
            with suppress(CaseBusy), case.locked():
                return
            time.sleep(0.1)
        pytest.fail("the server still holds the lock of a program that is gone")


def test_events_of_two_writers_form_one_chain(evidence: Path, tmp_path: Path, url: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with (
        open_case(evidence, tmp_path / "one", database_url=url) as one,
        open_case(evidence, tmp_path / "two", database_url=url) as two,
        ThreadPoolExecutor(4) as pool,
    ):
        list(pool.map(lambda number: (one, two)[number % 2].note("export", f"{number}", {}), range(40)))
        assert len(list(one.store.custody())) == 41  # the header is the first
        assert one.custody_faults() == ()


def test_numbers_and_bytes_of_any_size_come_back_as_they_were(url: str) -> None:
    from datetime import datetime

    store = Store(url)
    stat = FileStat(2**40, -(2**62), 2**62, 3, 0o100644, 2**64 - 1, 2**63, 1)
    source = Source("0011223344556677", bytes(range(1, 256)), "ab" * 32, stat, "image/jpeg")
    with store.writing() as session:
        known = store.add_source(session, source, sidecars={b"\xff.xmp": "cd" * 32}, acquired_utc=datetime(2024, 6, 1))
        store.add_result(session, "a", "image", "b", record=[2**64 - 1, bytes(range(256)) * 4096])
    assert store.source(known.row_id)[0] == replace(source, sidecars=(b"\xff.xmp",))
    assert store.result("a", "image", "b", list) == [2**64 - 1, bytes(range(256)) * 4096]
    store.close()


@pytest.mark.parametrize("is_file", [True, False])
def test_lists_of_photos_come_back_by_their_numbers(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, is_file: bool
) -> None:
    from datetime import datetime

    monkeypatch.setattr(named, "_BYTES_IN_A_ROW", 200)
    monkeypatch.setattr(named, "_BYTES_HELD", 300)
    monkeypatch.setattr(named, "_NAMES_HELD", 40)
    lists = [tuple(f"{1000 * at + number:016x}" for number in range(9 + 7 * (at % 4))) for at in range(30)]
    store = Store(tmp_path / "case.sqlite" if is_file else request.getfixturevalue("url"))
    with store.writing() as session:
        asked = {"environment": {}, "stages": {}, "finished_utc": datetime(2024, 6, 1)}
        numbers = [store.add_examination(session, name, **asked) for name in ("none", "some")]
        named.add(session.connection(), numbers[0], ())
        named.add(session.connection(), numbers[1], map(packed_ids, lists))
    kept = named.Named(store, numbers[1])
    for at in [*range(30), *reversed(range(30)), 3, 29, 3]:
        assert kept(at) == lists[at]
        assert kept.first(at) == lists[at][:1]
    for other, at in ((kept, 30), (kept, -1), (named.Named(store, numbers[0]), 0)):
        with pytest.raises(ValueError):
            other(at)
    store.close()


def test_the_case_folder_remembers_its_database_but_no_password(evidence: Path, tmp_path: Path, url: str) -> None:
    secret = url.replace("gt@", "gt:hunter2@")
    words = ["audit", str(evidence), "-o", str(tmp_path / "case"), "--model", "none", "--jobs", "0", "--no-report"]
    result = CliRunner().invoke(gtloc, [*words, "--database", secret])
    assert result.exit_code == ExitCode.INCOMPLETE, result.output
    assert "hunter2" not in result.output
    assert "hunter2" not in (tmp_path / "case" / ADDRESS).read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="name the same address"):  # a folder alone decides no connection
        Case(tmp_path / "case")
    assert CliRunner().invoke(gtloc, words).exit_code == ExitCode.FAILURE
    with Case(tmp_path / "case", database_url=url) as case:
        assert len(list(case.view().photos())) == 4
    assert CliRunner().invoke(gtloc, words, env={"GTLOC_DATABASE": url}).exit_code == ExitCode.INCOMPLETE
    assert not (tmp_path / "case" / DATABASE).exists()


def test_a_newer_case_is_refused_in_words(url: str) -> None:
    store = Store(url)
    with store.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()
    with pytest.raises(NewerCase):
        Store(url)


@pytest.mark.parametrize(
    ("address", "error", "words"),
    [
        ("nonsense", UsageError, "no database URL"),
        ("mysql://someone@host/x", UsageError, "SQLite or PostgreSQL"),
        ("postgresql+psycopg://gt:hunter2@/x?host=/nowhere", CaseError, "not usable"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_words(address: str, error: type[Exception], words: str) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install -e '.[postgres]'")
    with pytest.raises(error, match=words) as raised:
        Store(address)
    assert "hunter2" not in str(raised.value)


def edit(url: str, statement: str) -> int:
    """Change the database as somebody would who hides it: the triggers are switched off and on again."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE custody DISABLE TRIGGER USER"))
        changed = connection.execute(text(statement)).rowcount
        connection.execute(text("ALTER TABLE custody ENABLE TRIGGER USER"))
    engine.dispose()
    return changed


OTHER = "'\\x71'::bytea || substr({0}, 2)"
TAMPERED = [
    ("UPDATE case_header SET examiner = 'X'", "case_header id=1: its examiner was altered"),
    ("UPDATE source SET media_type = 'image/png' WHERE id = 1", "source id=1 (0.jpg): its media_type was altered"),
    ("UPDATE source SET stat = chr(123) WHERE id = 2", "source id=2 (1.jpg): its stat was altered"),
    ("UPDATE examination SET environment = replace(environment, '.', ',')", "its environment was altered"),
    ("UPDATE member SET status = 'ok' WHERE ordinal = 1", "ordinal=1 (1.jpg): its status was altered"),
    ("UPDATE member SET sha256_at_end = 'ff' WHERE ordinal = 0", "ordinal=0 (0.jpg): its sha256_at_end was altered"),
    (f"UPDATE member SET findings = {OTHER.format('findings')} WHERE ordinal = 0", "its findings was altered"),
    (f"UPDATE examination_extra SET payload = {OTHER.format('payload')} WHERE name = 'causes'", "name=causes"),
    (f"UPDATE result SET payload = {OTHER.format('payload')} WHERE stage = 'claim'", "its payload was altered"),
    ("UPDATE result SET failed = true WHERE stage = 'preview'", "its failed was altered"),
    ("DELETE FROM result WHERE stage = 'preview'", "it is gone"),
    ("UPDATE custody SET detail = chr(123) WHERE sequence = 3", "custody event 3 cannot be read"),
    ("UPDATE custody SET actor = 'x' WHERE sequence = 2", "custody event 2 (acquire 0.jpg) was altered"),
    ("DELETE FROM custody WHERE sequence = 3", "custody event 3 is missing"),
]


def test_what_was_altered_on_a_server_is_named_by_table_row_and_field(evidence: Path, tmp_path: Path, url: str) -> None:
    with open_case(evidence, tmp_path / "case", database_url=url) as case:
        case.audit(INLINE)
    original = url.split("@/")[1].split("?")[0]
    admin = create_engine(url.replace(f"/{original}?", "/postgres?"), isolation_level="AUTOCOMMIT")
    for number, (statement, words) in enumerate(TAMPERED):
        copy = url.replace(f"/{original}?", f"/{original}_{number}?")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {original}_{number} TEMPLATE {original}"))
        assert edit(copy, statement) > 0, statement
        with Case(tmp_path / "case", database_url=copy) as case:
            found = case.verify(INLINE, sample=0)
        said = " | ".join(f"{difference.subject}: {difference.what}" for difference in found.differences)
        assert words in said, (statement, said)
    admin.dispose()


def test_a_trigger_that_does_nothing_is_seen(evidence: Path, tmp_path: Path, url: str) -> None:
    with open_case(evidence, tmp_path / "case", database_url=url) as case:
        case.audit(INLINE)
        assert case.verify(INLINE, sample=0).is_valid
        with case.store.engine.begin() as connection:
            connection.execute(
                text(
                    "CREATE OR REPLACE FUNCTION custody_append_only() RETURNS trigger LANGUAGE plpgsql AS "
                    "$$ BEGIN RETURN NEW; END $$"
                )
            )
        said = " ".join(difference.what for difference in case.verify(INLINE, sample=0).differences)
    assert "the trigger custody_no_change, which keeps the custody chain append-only, was replaced" in said


def test_an_audit_killed_at_any_moment_ends_like_one_that_was_not(evidence: Path, tmp_path: Path, url: str) -> None:
    command = [sys.executable, "-m", "gtloc_forensics", "audit", str(evidence), "-o", str(tmp_path / "case")]
    command += ["--model", "none", "--no-report", "--jobs", "0", "--database", url]
    for seconds in (0.8, 1.6, 2.4, 3.2):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.kill()
        process.wait()
    audit(evidence, tmp_path / "whole")
    for _ in range(100):
        with suppress(CaseBusy), open_case(evidence, tmp_path / "case", database_url=url) as case:
            case.audit(INLINE)
            assert case.verify(INLINE, sample=0).is_valid
            served = content(case.store)
            break
        time.sleep(0.1)
    whole = content_of_file(tmp_path / "whole")
    # A server gives no number again that a killed transaction took: the numbers of rows may have gaps.
    assert len({row[0] for row in served["member"]}) == 1, "one examination was finished"
    for name in ("source", "result", "member", "finding", "rejected"):
        assert unnumbered(served, name) == unnumbered(whole, name), name
