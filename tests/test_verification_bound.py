"""Everything that a report prints is bound to the custody chain: what is altered is named by table, row and field."""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_case import INLINE, photo

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.case.folder import DATABASE
from gtloc_forensics.case.products import REPORT
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.errors import CaseBusy, DamagedCase, ForensicsError, UsageError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import CaseHeader
from gtloc_forensics.store.custody import actor

SIDECAR = "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Examine a folder with two photos that tell two stories, a sidecar, and something that is no photo."""
    folder = tmp_path_factory.mktemp("bound")
    photo(folder / "evidence" / "a.jpg", 1, taken="2024:06:15 12:00:30")
    photo(folder / "evidence" / "b.jpg", 2, taken="2031:06:15 12:00:30")
    (folder / "evidence" / "a.jpg.xmp").write_text(SIDECAR)
    (folder / "evidence" / "note.txt").write_text("no photo")
    with open_case(folder / "evidence", folder / "case", header=CaseHeader(case_number="7")) as case:
        case.audit(INLINE)
        case.write_report()
    return folder


@pytest.fixture
def case(finished: Path, tmp_path: Path) -> Iterator[Case]:
    """Lend a copy of the database beside the evidence, which is shared and stays as it is."""
    copy = tmp_path / "case"
    copy.mkdir()
    for name in (DATABASE, REPORT):
        (copy / name).write_bytes((finished / "case" / name).read_bytes())
    with Case(copy) as opened:
        yield opened


def edit(case: Case, *statements: str) -> int:
    """Change the database as somebody would who hides it: the triggers are dropped and put back."""
    changed = 0
    with sqlite3.connect(case.folder / DATABASE) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            changed += connection.execute(statement).rowcount
        for _, sql in triggers:
            connection.execute(sql)
    return changed


def named(case: Case) -> str:
    found = case.verify(INLINE, sample=0)
    return " | ".join(f"{difference.subject}: {difference.what}" for difference in found.differences)


FIRST_BYTE = "cast(x'71' || substr({0}, 2) as blob)"
TAMPERED = [
    ("update case_header set case_number = '8'", "case_header id=1: its case_number was altered"),
    ("update case_header set exhibit = 'E'", "case_header id=1: its exhibit was altered"),
    ("update case_header set examiner = 'X'", "case_header id=1: its examiner was altered"),
    ("update case_header set agency = 'X'", "case_header id=1: its agency was altered"),
    ("update case_header set legal_authority = 'X'", "case_header id=1: its legal_authority was altered"),
    ("update case_header set opened_utc = '2001-01-01T00:00:00'", "its opened_utc was altered"),
    ("update case_header set opened_utc = 'then'", "its opened_utc was altered"),
    ("update source set sha256 = 'ff' where id = 1", "source id=1 (a.jpg): its sha256 was altered"),
    ("update source set media_type = 'image/png' where id = 1", "source id=1 (a.jpg): its media_type was altered"),
    ("update source set stat = replace(stat, 'mtime_ns\": 1', 'mtime_ns\": 2') where id = 2", "its stat was altered"),
    ("update source set stat = '{' where id = 2", "source id=2 (b.jpg): its stat was altered"),
    ("update source set sidecars = '[]' where id = 1", "source id=1 (a.jpg): its sidecars was altered"),
    ("update source set acquired_utc = '2001-01-01T00:00:00' where id = 1", "(a.jpg): its acquired_utc was altered"),
    ("update source set relative = x'7a' where id = 2", "source id=2 (z): its relative was altered"),
    ("update source set generation = 3 where id = 2", "source id=2 (b.jpg): its generation was altered"),
    ("update examination set finished_utc = '2001-01-01T00:00:00'", "examination id=1: its finished_utc was altered"),
    ("update examination set finished_utc = 'x'", "examination id=1: its finished_utc was altered"),
    ("update examination set environment = replace(environment, '.', ',')", "its environment was altered"),
    ("update examination set environment = '{'", "examination id=1: its environment was altered"),
    ("update examination set stages = replace(stages, 'a', 'b')", "examination id=1: its stages was altered"),
    ("update examination set fingerprint = 'x'", "examination id=1: its fingerprint was altered"),
    ("delete from examination", "it holds no completed examination"),
    ("update member set status = 'clean' where ordinal = 1", "ordinal=1 (b.jpg): its status was altered"),
    ("update member set status = 'ok' where ordinal = 1", "ordinal=1 (b.jpg): its status was altered"),
    ("update member set sha256_at_end = 'ff' where ordinal = 0", "ordinal=0 (a.jpg): its sha256_at_end was altered"),
    ("update member set source_row = 1 where ordinal = 1", "ordinal=1 (a.jpg): its source_row was altered"),
    (f"update member set findings = {FIRST_BYTE.format('findings')} where ordinal = 0", "its findings was altered"),
    ("delete from member where ordinal = 1", "member examination_id=1 ordinal=1: it is gone"),
    (
        "insert into member select 1, 9, 1, status, '', findings from member where ordinal = 0",
        "member examination_id=1 ordinal=9: it was added",
    ),
    ("update finding set check_id = 'GF999'", "its check_id was altered"),
    ("update finding set outcome = 'consistent'", "its outcome was altered"),
    ("update finding set severity = 0", "its severity was altered"),
    (f"update finding set payload = {FIRST_BYTE.format('payload')}", "its payload was altered"),
    ("update finding set source_id = 'x'", "its source_id was altered"),
    ("delete from finding", "finding examination_id=1 ordinal=0: it is gone"),
    *(
        (
            f"update examination_extra set payload = {FIRST_BYTE.format('payload')} where name = '{name}'",
            f"examination_extra examination_id=1 name={name}: its payload was altered",
        )
        for name in ("causes", "clocks", "controls", "reasons", "rules", "calibration", "model card")
    ),
    *(
        (f"delete from examination_extra where name = '{name}'", f"name={name}: it is gone")
        for name in ("causes", "reasons", "clocks")
    ),
    (
        "insert into examination_extra values (1, 'more', x'00')",
        "examination_extra examination_id=1 name=more: it was added",
    ),
    ("update examination_extra set payload = x'00' where name like 'bound%'", "name=bound 000001: it cannot be read"),
    ("delete from examination_extra where name like 'bound%'", "the digests that the custody chain binds were altered"),
    ("update rejected set reason = 'x'", "(note.txt): its reason was altered"),
    ("update rejected set blocks = 1", "(note.txt): its blocks was altered"),
    ("update rejected set relative = x'7a'", "its relative was altered"),
    ("delete from rejected", "rejected source_id="),
    *(
        (
            f"update result set payload = {FIRST_BYTE.format('payload')} where stage = '{stage}'",
            f"stage={stage} fingerprint=",
        )
        for stage in ("metadata", "claim", "image", "preview")
    ),
    ("update result set failed = 1 where stage = 'claim'", "its failed was altered"),
    ("delete from result where stage = 'preview'", "it is gone"),
    ("update custody set detail = '{' where sequence = 3", "custody event 3 cannot be read"),
    ("update custody set detail = detail || ' ' where sequence = 3", "custody event 3 (acquire b.jpg) was altered"),
    ("update custody set utc_time = 'noon' where sequence = 3", "custody event 3 cannot be read"),
    ("update custody set utc_time = replace(utc_time, 'T', ' ') where sequence = 3", "event 3 (acquire b.jpg) was alt"),
    ("update custody set actor = 'x' where sequence = 2", "custody event 2 (acquire a.jpg) was altered"),
    (
        "update custody set actor = cast(x'ff' as text) where sequence = 2",
        "custody event 2 (acquire a.jpg) was altered",
    ),
    ("update custody set action = 'x' where sequence = 2", "custody event 2 (x a.jpg) was altered"),
    ("update custody set subject = 'x' where sequence = 2", "custody event 2 (acquire x) was altered"),
    ("update custody set event_hash = 'x' where sequence = 2", "custody event 3 does not follow event 2"),
    ("update custody set previous_hash = 'x' where sequence = 3", "custody event 3 does not follow event 2"),
    ("delete from custody where sequence = 3", "custody event 3 is missing"),
    ("delete from custody where sequence > 5", f"{REPORT}: it is there, and the custody chain does not say"),
]


@pytest.mark.parametrize(("statement", "words"), TAMPERED, ids=[statement[:70] for statement, _ in TAMPERED])
def test_what_was_altered_is_named_and_the_check_goes_on(case: Case, statement: str, words: str) -> None:
    assert edit(case, statement) > 0, "the statement must change something"
    said = named(case)
    assert any(part in said for part in words.split("|")), said


def test_the_untouched_copy_is_valid(case: Case) -> None:
    assert named(case) == ""


def test_another_command_on_a_damaged_case_says_so_in_one_line(case: Case) -> None:
    edit(case, "update custody set detail = '{' where sequence = 3")
    result = CliRunner().invoke(gtloc, ["report", str(case.folder), "-o", str(case.folder / "x.pdf")])
    assert result.exit_code == ExitCode.FAILURE
    assert "custody event 3 cannot be read" in result.output
    assert "Traceback" not in result.output
    with pytest.raises(DamagedCase):
        list(case.store.custody())


def test_no_damaged_byte_of_the_database_ends_in_a_traceback_or_passes_unseen(case: Case) -> None:
    """Any bit of the file: what it changed is named, or the file is refused in words; what holds no data may differ."""
    database = case.folder / DATABASE
    case.close()
    whole, rng = database.read_bytes(), random.Random(20261128)
    rows = stored_rows(database)
    for _ in range(40):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        database.write_bytes(damaged)
        same = stored_rows(database) == rows
        with suppress(ForensicsError), Case(case.folder) as opened:
            found = opened.verify(INLINE, sample=0)
            assert same or found.differences


def stored_rows(database: Path) -> list[object]:
    try:
        with closing(sqlite3.connect(f"file:{database}?immutable=1", uri=True)) as connection:
            connection.text_factory = bytes
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            return [row for (name,) in tables for row in connection.execute(f"SELECT * FROM {name.decode()}")]
    except (sqlite3.Error, UnicodeDecodeError):
        return []


def test_triggers_of_the_same_name_that_do_nothing_are_seen(case: Case) -> None:
    with sqlite3.connect(case.folder / DATABASE) as connection:
        connection.execute("DROP TRIGGER custody_no_update")
        connection.execute("CREATE TRIGGER custody_no_update BEFORE UPDATE ON custody BEGIN SELECT 1; END")
    assert "the trigger custody_no_update, which keeps the custody chain append-only, was replaced" in named(case)


def test_a_product_that_is_gone_is_named(case: Case) -> None:
    (case.folder / REPORT).unlink()
    assert f"{REPORT}: it is gone: the custody chain says that it was written at" in named(case)


def test_a_report_of_the_same_name_elsewhere_accuses_nobody(case: Case, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    case.write_report(tmp_path / "x" / REPORT, language="de")
    case.export("csv", tmp_path / "x" / "findings.csv")
    assert named(case) == ""
    (tmp_path / "x" / REPORT).unlink()  # handed to somebody
    assert named(case) == ""


def test_the_sample_is_drawn_anew_each_time_and_can_be_drawn_again(case: Case) -> None:
    first, second = (case.verify(INLINE, sample=1) for _ in range(2))
    assert first.sample_seed != second.sample_seed
    assert case.verify(INLINE, sample=1, sample_seed=3).sample_seed == 3


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Case]:
    """Examine a folder of the test's own, in which it may change things."""
    photo(tmp_path / "evidence" / "a.jpg", 1)
    (tmp_path / "evidence" / "a.jpg.xmp").write_text(SIDECAR)
    (tmp_path / "evidence" / "note.txt").write_text("no photo")
    with open_case(tmp_path / "evidence", tmp_path / "case") as opened:
        opened.audit(INLINE)
        yield opened


def test_a_sidecar_has_its_hash_in_the_chain(own: Case) -> None:
    acquired = [event for event in own.store.custody() if event.action == "acquire"]
    assert acquired[0].detail["sidecar a.jpg.xmp"] == hashlib.sha256(SIDECAR.encode()).hexdigest()


def test_a_sidecar_that_changed_went_or_came_is_named(own: Case) -> None:
    sidecar = own.evidence / "a.jpg.xmp"
    sidecar.write_text(SIDECAR + "<!-- -->")
    assert "a.jpg: its sidecar a.jpg.xmp changed" in named(own)
    sidecar.rename(own.evidence / "a.xmp")
    said = named(own)
    assert "its sidecar a.jpg.xmp can no longer be read" in said
    assert "its sidecar a.xmp was not there when the case was examined" in said


def test_a_file_that_was_no_photo_and_is_one_now_is_named(own: Case) -> None:
    photo(own.evidence / "other.jpg", 5).replace(own.evidence / "note.txt")
    assert "note.txt: it was passed over (not a photo" in named(own)


def test_who_is_busy_with_the_case_keeps_its_header_from_a_refused_audit(own: Case) -> None:
    with own.locked():
        with pytest.raises(CaseBusy):
            open_case(own.evidence, own.folder, header=CaseHeader(case_number="B"))
        with pytest.raises(CaseBusy):
            own.set_header(CaseHeader(examiner="Second"))
    assert own.view().header.case_number == own.view().header.examiner == ""


def test_a_change_of_the_header_is_an_event(own: Case) -> None:
    own.set_header(CaseHeader(case_number="B"))
    event = list(own.store.custody())[-1]
    assert (event.action, dict(event.detail)) == ("header", {"case_number": "B"})
    assert named(own) == ""


def test_the_account_is_the_systems_and_what_the_environment_says_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "Chief <b>Examiner")
    assert actor().endswith("; the environment names Chief <b>Examiner)")
    assert "(user id " in actor()


def test_a_clock_that_was_set_back_is_told(own: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    own.export("csv")
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert "is dated 2001-09-09T01:46:40 UTC, before an event that it follows" in named(own)


def test_a_moment_that_is_no_number_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "abc")
    with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH is 'abc'"):
        Settings().instant()


def test_a_moment_that_is_no_number_leaves_no_file_without_its_event(
    own: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "abc")
    with pytest.raises(UsageError):
        own.export("csv")
    assert not (own.folder / "findings.csv").exists()


def test_an_older_case_is_valid_and_says_what_nothing_binds(own: Case) -> None:
    """An examination that bound its findings alone, in a chain without header events, as older programs made it."""
    events = [event for event in own.store.custody() if event.action != "header"]
    edit(own, "delete from custody", "delete from examination_extra where name like 'bound%' or name like '%c%d%'")
    from gtloc_forensics.store.custody import GENESIS, canonical_json, event_of

    previous = GENESIS
    with sqlite3.connect(own.folder / DATABASE) as connection:
        for number, event in enumerate(events, 1):
            detail = {name: value for name, value in event.detail.items() if not name.startswith(("bound", "sidecar"))}
            made = event_of(number, event.utc_time, "someone", event.action, event.subject, detail, previous)
            row = (number, made.utc_time.isoformat(), made.actor, made.action, made.subject, canonical_json(detail))
            connection.execute("INSERT INTO custody VALUES (?,?,?,?,?,?,?,?)", (*row, previous, made.event_hash))
            previous = made.event_hash
    found = own.verify(INLINE, sample=0)
    assert found.is_valid, found.differences
    assert found.not_bound[0].startswith("statuses, causes")
    assert own.view().model_card() == ""


def test_the_command_prints_what_was_drawn(case: Case) -> None:
    result = CliRunner().invoke(gtloc, ["verify", str(case.folder), "--sample", "0", "--sample-seed", "5"])
    assert result.exit_code == ExitCode.CLEAN, result.output
    assert "--sample-seed 5" in result.output
    document = json.loads(CliRunner().invoke(gtloc, ["verify", str(case.folder), "--sample", "0", "--json"]).output)
    assert document["valid"] is True
