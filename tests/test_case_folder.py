"""A case folder is ours or empty, lies outside the evidence, and decides nothing when it comes from somebody else."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from test_case import INLINE, photo, snapshot

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.errors import CaseBusy, UsageError
from gtloc_forensics.records import CaseHeader
from gtloc_forensics.store import addresses

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    photo(tmp_path / "photos" / "a.jpg", 1)
    return tmp_path / "photos"


def called(*words: object) -> Result:
    return CliRunner().invoke(gtloc, [str(word) for word in words])


def audited(*words: object) -> Result:
    return called("audit", *words, "--model", "none", "--no-report", "--jobs", 0)


@pytest.fixture
def case(evidence: Path, tmp_path: Path) -> Path:
    with open_case(evidence, tmp_path / "case") as opened:
        opened.audit(INLINE)
    return tmp_path / "case"


# --------------------------------------------------------------------------- nothing lost


def test_a_case_above_the_evidence_is_refused_and_nothing_there_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    photo(folder / "work-2024" / "a.jpg", 1)
    (folder / "work-notes").mkdir()
    (folder / "work-notes" / "a.txt").write_text("x")
    before = snapshot(folder)
    for words in (
        ("audit", folder / "work-2024", "-o", folder, "--model", "none"),
        ("watch", folder / "work-2024", "--case", folder, "--once", "--model", "none"),
    ):
        result = called(*words)
        assert result.exit_code == 2, result.output
        assert "holds the evidence" in result.output
    assert snapshot(folder) == before
    assert sorted(os.listdir(folder)) == ["work-2024", "work-notes"]


@needs_exiftool
def test_folders_in_a_case_that_we_did_not_make_outlive_every_run(evidence: Path, case: Path) -> None:
    for name in ("work-2024", "work"):
        (case / name).mkdir()
        (case / name / "notes.txt").write_text("x")
    assert audited(evidence, "-o", case).exit_code == 3
    assert (case / "work-2024" / "notes.txt").exists()
    assert (case / "work" / "notes.txt").exists()


def test_an_output_with_something_else_in_it_is_refused(evidence: Path, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "letter.txt").write_text("dear")
    result = audited(evidence, "-o", tmp_path / "papers")
    assert result.exit_code == 2
    assert "neither empty nor a case" in result.output
    assert os.listdir(tmp_path / "papers") == ["letter.txt"]


@pytest.mark.parametrize("name", ["x.sqlite", "deeper/x.sqlite", "link"])
def test_a_database_in_the_evidence_is_refused(evidence: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to(evidence / "y.sqlite")
    before = snapshot(evidence)
    place = tmp_path / name if name == "link" else evidence / name
    result = audited(evidence, "-o", tmp_path / "out", "--database", f"sqlite:///{place}")
    assert result.exit_code == 2
    assert "never written to" in result.output
    assert snapshot(evidence) == before
    assert not (tmp_path / "out").exists()


def test_temporary_files_in_the_evidence_are_refused(
    evidence: Path, case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(evidence)
    monkeypatch.setenv("TMPDIR", str(evidence))
    for words in (("audit", evidence, "-o", tmp_path / "out", "--model", "none"), ("verify", case)):
        result = called(*words)
        assert result.exit_code == 2, result.output
        assert "never written to" in result.output
    assert snapshot(evidence) == before


# --------------------------------------------------------------------------- nothing decided by a stranger


def test_an_address_planted_in_a_case_folder_is_shown_and_not_used(case: Path, tmp_path: Path) -> None:
    planted = tmp_path / "planted.sqlite"
    (case / "database.url").write_text(f"sqlite:///{planted}\n")
    for words in (("verify", case), ("report", case), ("search", case), ("export", case, "--format", "csv")):
        result = called(*words)
        assert result.exit_code == 2, result.output
        assert str(planted) in result.output
        assert "--database" in result.output
    assert not planted.exists()


def test_no_server_that_a_case_folder_names_is_greeted(case: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        port = listener.getsockname()[1]
        (case / "database.url").write_text(f"postgresql+psycopg://victim@127.0.0.1:{port}/x\n")
        assert called("verify", case).exit_code == 2
        with pytest.raises(TimeoutError):
            listener.accept()


@needs_exiftool
def test_a_database_elsewhere_is_kept_by_its_whole_path_and_named_again_to_be_used(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert audited(evidence, "-o", "case", "--database", "sqlite:///x.sqlite").exit_code == 3
    assert (tmp_path / "case" / "database.url").read_text() == f"sqlite:///{tmp_path / 'x.sqlite'}\n"
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert called("export", tmp_path / "case", "--format", "csv").exit_code == 2
    named = ("--database", f"sqlite:///{tmp_path / 'x.sqlite'}")
    assert called("export", tmp_path / "case", "--format", "csv", *named).exit_code == 0
    assert os.listdir(tmp_path / "other") == []


def test_a_database_in_the_case_folder_needs_no_naming(case: Path) -> None:
    (case / "case.sqlite").rename(case / "other.sqlite")
    (case / "database.url").write_text(f"sqlite:///{case / 'other.sqlite'}\n")
    with Case(case) as opened:
        assert opened.view().tally


@pytest.mark.parametrize("name", ["case.sqlite", "case.lock", "database.url", "case.sqlite-wal"])
def test_a_link_in_the_place_of_one_of_our_files_is_refused(case: Path, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (case / name).unlink(missing_ok=True)
    (case / name).symlink_to(victim)
    result = called("verify", case)
    assert result.exit_code == 2
    assert "symbolic link" in result.output
    assert victim.read_text() == "mine"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("sqlite://", "only in memory"),
        ("sqlite:///:memory:", "only in memory"),
        ("sqlite:///file:x?mode=memory", "no options"),
        ("sqlite+aiosqlite:///x.sqlite", "driver"),
        ("sqlite:///x.sqlite?timeout=x", "no options"),
        ("postgresql+asyncpg://a@b/c", "driver"),
        ("postgresql://a@b/c?passfile=/etc/passwd", "passfile"),
        ("sqlite://host/x", "no host"),
        ("mysql://a@b/c", "SQLite or PostgreSQL"),
        ("nonsense", "no database URL"),
    ],
)
def test_an_address_that_no_case_can_be_kept_at_is_refused_in_words(
    evidence: Path, tmp_path: Path, address: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        addresses.checked(address)
    result = audited(evidence, "-o", tmp_path / "out", "--database", address)
    assert result.exit_code == 2
    assert words in result.output
    assert not (tmp_path / "out").exists()


# --------------------------------------------------------------------------- the header


def test_a_refused_audit_leaves_the_header_as_it_was(evidence: Path, case: Path) -> None:
    with Case(case) as opened, opened.locked():
        with pytest.raises(CaseBusy):
            open_case(evidence, case, header=CaseHeader(case_number="B", examiner="Second"))
        header = opened.store.header()
    assert header is not None
    assert (header.case_number, header.examiner) == ("", "")


def test_a_change_of_the_header_is_a_custody_event(evidence: Path, case: Path) -> None:
    for _ in range(2):
        with open_case(evidence, case, header=CaseHeader(case_number="B")):
            pass
    with sqlite3.connect(case / "case.sqlite") as connection:
        found = connection.execute("SELECT detail FROM custody WHERE action = 'header' ORDER BY sequence").fetchall()
    opening, *changes = (json.loads(detail) for (detail,) in found)
    assert set(opening) >= {"evidence_folder", "opened_utc"}
    assert changes == [{"case_number": "B"}]


@needs_exiftool
def test_a_watcher_names_what_it_cannot_read_as_an_audit_does(evidence: Path, tmp_path: Path) -> None:
    shutil.copy(evidence / "a.jpg", evidence / ".hidden.jpg")
    os.mkfifo(evidence / "pipe.jpg")
    (evidence / "away.jpg").symlink_to(tmp_path / "nowhere")
    (evidence / "note.txt").write_text("x")
    watched = called("watch", evidence, "--case", tmp_path / "w", "--once", "--model", "none", "--no-report")
    assert watched.exit_code == 0, watched.output
    assert audited(evidence, "-o", tmp_path / "a").exit_code == 3
    seen = []
    for name in ("w", "a"):
        with Case(tmp_path / name) as case:
            seen.append(({(entry.relative, entry.reason) for entry in case.view().passed_over()}, case.view().tally))
    assert seen[0] == seen[1]
    assert {relative for relative, _ in seen[0][0]} >= {b".hidden.jpg", b"pipe.jpg", b"away.jpg", b"note.txt"}
