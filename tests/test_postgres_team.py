"""A case that a team keeps on a server: who may do what, who reads meanwhile, and what a lost connection costs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from postgres_server import Server, new_database, running
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError
from test_case import FIXED, INLINE, audit, photo
from test_postgres import content, content_of_file, unnumbered

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.errors import CaseError
from gtloc_forensics.store import copying
from gtloc_forensics.store.custody import verify_chain
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.schema import ResultRow

PHOTOS = 8


@pytest.fixture(scope="module")
def running_server() -> Iterator[Server]:
    with running() as started:
        yield started


@pytest.fixture
def url(running_server: Server, request: pytest.FixtureRequest) -> str:
    return new_database(running_server.folder, request.node.name)


@pytest.fixture
def evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", FIXED["SOURCE_DATE_EPOCH"])
    folder = tmp_path / "evidence"
    for number in range(PHOTOS):
        photo(folder / f"{number}.jpg", number, taken=f"2024:06:15 12:0{number}:30")
    return folder


def run(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(gtloc, list(map(str, words)))
    assert "Traceback" not in result.output, result.output
    return result.exit_code, result.output


def as_account(url: str, account: str) -> str:
    return url.replace("//gt@", f"//{account}@")


def statement_as(url: str, statement: str) -> None:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text(statement))
    finally:
        engine.dispose()


@pytest.fixture
def accounts(url: str, request: pytest.FixtureRequest) -> tuple[str, str]:
    """Make both roles with the command, and an account for each; return the addresses of reader and writer."""
    number = f"{abs(hash(request.node.name)):x}"[:8]
    code, said = run("database", "roles", "--database", url)
    assert code == 0, said
    for role in ("reader", "writer"):
        statement_as(url, f"CREATE ROLE {role}_{number} LOGIN IN ROLE gtloc_{role}")
    return as_account(url, f"reader_{number}"), as_account(url, f"writer_{number}")


# --------------------------------------------------------------------------- roles


def test_whoever_writes_audits_and_whoever_reads_reads_and_neither_can_change_the_chain(
    evidence: Path, tmp_path: Path, url: str, accounts: tuple[str, str]
) -> None:
    reader, writer = accounts
    with open_case(evidence, tmp_path / "case", database_url=writer) as case:
        case.audit(INLINE)
        case.write_findings()
        assert case.verify(INLINE, sample=1).is_valid
    audit(evidence, tmp_path / "file")
    store = Store(url)
    served, whole = content(store), content_of_file(tmp_path / "file")
    store.close()
    for name in ("source", "result", "member", "finding", "rejected"):
        assert unnumbered(served, name) == unnumbered(whole, name), name

    for account, statement in [
        *((writer, f"{verb} custody{rest}") for verb, rest in CHANGES),
        *((reader, f"{verb} custody{rest}") for verb, rest in CHANGES),
        *((reader, f"INSERT INTO {name} DEFAULT VALUES") for name in served),
        *((reader, f"DELETE FROM {name}") for name in served),
        *((reader, f"UPDATE {name} SET {FIRST[name]} = {FIRST[name]}") for name in served),
        *((writer, f"DELETE FROM {name}") for name in served),
        (reader, "CREATE TABLE mine (id integer)"),
        (writer, "CREATE TABLE mine (id integer)"),
        (writer, "UPDATE result SET failed = true"),
        (writer, "UPDATE member SET status = 'clean'"),
        (writer, "ALTER TABLE custody DISABLE TRIGGER ALL"),
        (writer, "DROP TRIGGER custody_no_change ON custody"),
        (writer, "DROP TABLE custody"),
    ]:
        with pytest.raises(DatabaseError, match=r"permission denied|must be owner"):
            statement_as(account, statement)
    store = Store(url)
    assert content(store) == served
    store.close()


CHANGES = (
    ("UPDATE", " SET actor = 'x'"),
    ("DELETE FROM", ""),
    ("TRUNCATE", ""),
)
FIRST = {
    "case_header": "id",
    "source": "id",
    "rejected": "source_id",
    "result": "subject",
    "examination": "id",
    "member": "ordinal",
    "finding": "ordinal",
    "custody": "sequence",
}


def test_the_owner_too_meets_a_trigger(url: str, accounts: tuple[str, str]) -> None:
    store = Store(url)
    with store.writing() as session:
        store.append_event(session, utc_time=INLINE.instant(), actor="x", action="header", subject="case", detail={})
    store.close()
    for verb, rest in CHANGES:
        with pytest.raises(DatabaseError, match="append-only"):
            statement_as(url, f"{verb} custody{rest}")


def test_a_reader_makes_reports_and_exports_and_is_told_what_it_may_not(
    evidence: Path, tmp_path: Path, accounts: tuple[str, str]
) -> None:
    reader, writer = accounts
    with open_case(evidence, tmp_path / "case", database_url=writer) as case:
        case.audit(INLINE)
        events = len(list(case.store.custody()))
    code, said = run("verify", tmp_path / "case", "--sample", "1", "--database", reader)
    assert code == 0, said
    code, said = run("export", tmp_path / "case", "--format", "csv", "--database", reader)
    assert code == 0, said
    assert "its chain of custody does not note this" in said
    code, said = run("report", tmp_path / "case", "-o", tmp_path / "r.pdf", "--database", reader)
    assert code == 0, said
    photo(evidence / "new.jpg", 9)
    words = ("audit", evidence, "-o", tmp_path / "case", "--model", "none", "--jobs", "0", "--no-report")
    code, said = run(*words, "--database", reader)
    assert code == ExitCode.FAILURE
    assert "this account may only read it" in said
    with Case(tmp_path / "case", database_url=reader) as case:
        assert case.store.is_read_only
        assert len(list(case.store.custody())) == events


def test_an_account_without_either_role_is_told_so(evidence: Path, tmp_path: Path, url: str) -> None:
    code, said = run("database", "roles", "--database", url)
    assert code == 0, said
    statement_as(url, "CREATE ROLE nobody_here LOGIN")
    words = ("audit", evidence, "-o", tmp_path / "case", "--model", "none", "--jobs", "0", "--no-report")
    code, said = run(*words, "--database", as_account(url, "nobody_here"))
    assert code == ExitCode.FAILURE
    assert "gives this account no right to do that" in said
    assert "docs/postgresql.md" in said


def test_the_sql_of_the_roles_can_be_read_before_it_is_run_and_run_again(url: str) -> None:
    code, printed = run("database", "roles", "--sql")
    assert code == 0
    Store(url).close()
    for _ in range(2):
        statement_as(url, printed)
    code, said = run("database", "roles", "--sql", "--reader", "x; DROP TABLE custody")
    assert code == ExitCode.FAILURE
    assert "no name for a role" in said
    assert run("database", "roles", "--database", "")[0] == ExitCode.FAILURE
    assert run("database", "roles", "--database", "sqlite:////nowhere/x")[0] == ExitCode.FAILURE


def test_programs_that_open_an_empty_database_at_once_make_its_tables_once(url: str) -> None:
    faults: list[Exception] = []

    def opens() -> None:
        try:
            Store(url).close()
        except Exception as error:
            faults.append(error)

    openers = [threading.Thread(target=opens) for _ in range(6)]
    for opener in openers:
        opener.start()
    for opener in openers:
        opener.join(60)
    assert not faults


# --------------------------------------------------------------------------- reading meanwhile


def test_readers_see_whole_transactions_while_an_audit_writes(evidence: Path, tmp_path: Path, url: str) -> None:
    with open_case(evidence, tmp_path / "case", database_url=url) as case:
        case.audit(INLINE)
    seen: list[int] = []
    faults: list[object] = []
    is_over = threading.Event()

    def reads() -> None:
        store = Store(url)
        try:
            while not is_over.is_set():
                events = list(store.custody())
                faults.extend(verify_chain(events))
                known = {source.relative for source in store.latest_sources().values()}
                taken = {event.subject.encode() for event in events if event.action == "acquire"}
                faults.extend(taken - known)  # a source is there before or with its event, never after
                newest = store.examination()
                assert newest is not None
                members = sum(1 for _ in store.members(newest.id))
                faults.extend([members] * (members not in (PHOTOS, PHOTOS + 12)))
                seen.append(len(events))
        except Exception as error:
            faults.append(error)
        finally:
            store.close()

    readers = [threading.Thread(target=reads) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(12):
        photo(evidence / f"new{number}.jpg", 20 + number)
    with open_case(evidence, tmp_path / "case", database_url=url) as case:
        case.audit(replace(INLINE, batch=1))
        is_over.set()
        for reader in readers:
            reader.join(60)
        assert not faults
        assert len(set(seen)) > 2, "they read between the transactions of the audit, not only before and after"
        assert case.verify(INLINE, sample=0).is_valid


# --------------------------------------------------------------------------- lost connections


def lose_while_examining(case: Case, lose: Callable[[], None]) -> None:
    """Audit, and lose the server once some photos are kept."""
    lost: list[bool] = []

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "examine" and done >= 3 and not lost:
            lost.append(True)
            lose()

    with pytest.raises(CaseError, match="what was committed is kept: when it answers, the same command") as raised:
        case.audit(replace(INLINE, batch=1), progress=progress)
    assert lost
    assert "gt@" in str(raised.value)


def end_sessions(url: str, condition: str) -> None:
    statement_as(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}",
    )


def goes_on_like_one_that_was_not_stopped(evidence: Path, tmp_path: Path, url: str) -> None:
    with open_case(evidence, tmp_path / "case", database_url=url) as case:
        kept = [event for event in case.store.custody() if event.action == "acquire"]
        assert 3 <= len(kept) < PHOTOS, "what was committed before is there, and not everything was"
        case.audit(INLINE)
        assert [event for event in case.store.custody() if event.action == "acquire"][: len(kept)] == kept
        assert case.verify(INLINE, sample=1).is_valid
        served = content(case.store)
    audit(evidence, tmp_path / "whole")
    whole = content_of_file(tmp_path / "whole")
    for name in ("source", "result", "member", "finding", "rejected"):
        assert unnumbered(served, name) == unnumbered(whole, name), name


def test_a_run_whose_sessions_were_ended_says_so_and_loses_nothing(evidence: Path, tmp_path: Path, url: str) -> None:
    with open_case(evidence, tmp_path / "case", database_url=url) as case:
        lose_while_examining(case, lambda: end_sessions(url, "true"))
    goes_on_like_one_that_was_not_stopped(evidence, tmp_path, url)


def test_a_run_that_lost_its_lock_alone_stops_before_it_writes_on(evidence: Path, tmp_path: Path, url: str) -> None:
    with open_case(evidence, tmp_path / "case", database_url=url) as case:
        holds = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
        lose_while_examining(case, lambda: end_sessions(url, holds))
    goes_on_like_one_that_was_not_stopped(evidence, tmp_path, url)


def test_a_run_whose_server_was_stopped_goes_on_when_it_is_started_again(
    evidence: Path, tmp_path: Path, running_server: Server, url: str
) -> None:
    with open_case(evidence, tmp_path / "case", database_url=url) as case:
        lose_while_examining(case, running_server.stop)
    words = ("audit", evidence, "-o", tmp_path / "case", "--model", "none", "--jobs", "0", "--no-report")
    code, said = run(*words, "--database", url)
    assert code == ExitCode.FAILURE
    (line,) = [line for line in said.splitlines() if line.startswith("gtloc:")]
    assert "is not usable as a case database now" in line
    running_server.start()
    goes_on_like_one_that_was_not_stopped(evidence, tmp_path, url)


# --------------------------------------------------------------------------- many rows


def rows(first: int, count: int) -> list[dict[str, object]]:
    return [
        {
            "subject": f"{number:064x}",
            "stage": "metadata",
            "fingerprint": "f",
            "failed": number % 3 == 0,
            "payload": bytes([0, 255, number % 256]) * 9,
        }
        for number in range(first, first + count)
    ]


def test_copied_rows_are_those_that_inserted_ones_would_be_and_known_keys_stay(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(url)
    try:
        with store.writing() as session:
            copying.write_rows(session.connection(), ResultRow, rows(0, 100), skips_known=True)
        changed = [{**row, "payload": b"other"} for row in rows(50, 100)]
        with store.writing() as session:
            copying.write_rows(session.connection(), ResultRow, [*changed, *changed], skips_known=True)
            copying.write_rows(session.connection(), ResultRow, rows(200, 50), skips_known=True)
        copied = content(store)["result"]
        with store.writing() as session:
            session.execute(text("DELETE FROM result"))
        monkeypatch.setattr(copying, "FEWEST_TO_COMPARE", 1_000_000)
        with store.writing() as session:
            for part in (rows(0, 100), changed, rows(200, 50)):
                copying.write_rows(session.connection(), ResultRow, part, skips_known=True)
        assert content(store)["result"] == copied
        assert len(copied) == 200
    finally:
        store.close()
