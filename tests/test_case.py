"""Whole cases: a folder goes in, a database, a document and an exit code come out, whatever lies in the folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from gtloc_forensics.case import view as case_view
from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.folder import DATABASE
from gtloc_forensics.case.products import FINDINGS, REPORT
from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.checks import counted_alarms
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.cli.main import audit as audit_command
from gtloc_forensics.errors import CaseBusy, EvidenceTreeError, UsageError
from gtloc_forensics.evidence.false_discovery import Control
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import CaseHeader, Status, Tally, visible

INLINE = Settings(model="none", jobs=0)
FIXED = {"SOURCE_DATE_EPOCH": "1760000000"}


def photo(path: Path, seed: int = 0, *, taken: str = "2024:06:15 12:00:00", make: str = "Acme") -> Path:
    """Write a small photo with the usual tags, all of them by Pillow."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.effect_noise((96, 64), 20 + seed).convert("RGB").point(lambda value: (value + 37 * seed) % 256)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0132] = make, "One", taken
    exif.get_ifd(0x8769)[0x9003] = taken
    exif.get_ifd(0x8769)[0xA431] = "0001"
    picture.save(path, exif=exif)
    return path


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    for number in range(4):
        photo(folder / "day" / f"{number}.jpg", number, taken=f"2024:06:15 12:0{number}:30")
    return folder


def snapshot(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return everything about a tree that a careless reader would change."""
    found = {}
    for path in sorted([folder, *folder.rglob("*")]):
        stat = path.lstat()
        found[str(path)] = (
            stat.st_mode,
            stat.st_size,
            stat.st_mtime_ns,
            stat.st_ctime_ns,
            stat.st_atime_ns,
            stat.st_ino,
        )
    return found


def content(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, sorted."""
    with sqlite3.connect(database) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in tables}


def audit(folder: Path, output: Path, settings: Settings = INLINE) -> StoredCase:
    case = open_case(folder, output)
    case.audit(settings)
    return case.view()


def test_every_photo_ends_as_found_clean_or_not_examined(evidence: Path, tmp_path: Path) -> None:
    tally = audit(evidence, tmp_path / "case").tally
    assert tally.found + tally.clean + tally.not_examined == 4


def test_without_a_model_the_pixels_are_not_examined_and_the_reason_says_so(evidence: Path, tmp_path: Path) -> None:
    view = audit(evidence, tmp_path / "case")
    for entry in view.photos():
        assert entry.status in (Status.FOUND, Status.NOT_EXAMINED)
        assert any(item.stage == "vision" and "no model" in item.reason for item in entry.unexamined)


def test_discoveries_are_counted_in_words_that_fit_one_and_many() -> None:
    told = case_view._controlled(Control("GF210", tested=48, rare=1, stand_out=0, source_ids=()))
    assert told.startswith("p-values: 48, findings among them: 1, of these stand out among all: 0 (")


def test_the_evidence_is_as_it_was_down_to_its_access_times(evidence: Path, tmp_path: Path) -> None:
    for path in evidence.rglob("*"):
        os.utime(path, ns=(1_000_000_000 * 10**9, 1_600_000_000 * 10**9))  # an access would show under relatime
    before = snapshot(evidence)
    audit(evidence, tmp_path / "case")
    assert snapshot(evidence) == before


def test_output_inside_the_evidence_is_refused_and_nothing_is_made(evidence: Path) -> None:
    before = snapshot(evidence)
    with pytest.raises(EvidenceTreeError, match="never written to"):
        open_case(evidence, evidence / "day" / "case")
    assert snapshot(evidence) == before


def test_a_case_belongs_to_one_folder(evidence: Path, tmp_path: Path) -> None:
    audit(evidence, tmp_path / "case")
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(UsageError, match="not of"):
        open_case(other, tmp_path / "case")


def test_two_identical_files_are_examined_once_and_both_listed(evidence: Path, tmp_path: Path) -> None:
    shutil.copy(evidence / "day" / "0.jpg", evidence / "day" / "copy of 0.jpg")
    view = audit(evidence, tmp_path / "case")
    twins = [entry for entry in view.photos() if entry.photo.source.relative in (b"day/0.jpg", b"day/copy of 0.jpg")]
    assert len(twins) == 2
    assert twins[0].photo.source.sha256 == twins[1].photo.source.sha256
    with sqlite3.connect(tmp_path / "case" / DATABASE) as connection:
        rows = connection.execute("SELECT count(*) FROM result WHERE stage = 'metadata'").fetchone()
    assert rows == (4,)


def test_a_second_audit_does_nothing_again(evidence: Path, tmp_path: Path) -> None:
    audit(evidence, tmp_path / "case")
    before = content(tmp_path / "case" / DATABASE)
    audit(evidence, tmp_path / "case")
    assert content(tmp_path / "case" / DATABASE) == before


def test_findings_that_are_there_and_current_are_kept_and_others_are_written_again(
    evidence: Path, tmp_path: Path
) -> None:
    with open_case(evidence, tmp_path / "case") as case:
        case.audit(INLINE)
        path = case.write_findings()
        whole, inode = path.read_bytes(), path.stat().st_ino
        case.write_findings()
        assert path.stat().st_ino == inode
        path.write_bytes(whole + b" ")
        assert case.write_findings().read_bytes() == whole
        case.set_header(CaseHeader(case_number="K-9"))
        assert json.loads(case.write_findings().read_bytes())["case"]["case_number"] == "K-9"


def test_the_reasons_count_every_photo_and_name_the_first(evidence: Path, tmp_path: Path) -> None:
    for name in "ab":
        (evidence / f"{name}.jpg").touch()
    view = audit(evidence, tmp_path / "case")
    counted: dict[tuple[str, str], list[str]] = {}
    for entry in view.photos():
        for item in entry.unexamined:
            counted.setdefault((item.stage, item.reason), []).append(entry.photo.source.display_path)
    for passed in view.passed_over():
        if passed.blocks:
            counted.setdefault(("file", passed.reason), []).append(visible(passed.relative))
    told = {(note.stage, note.reason): (note.photos, list(note.names)) for note in view.reasons()}
    assert told == {key: (len(names), names[:3]) for key, names in counted.items()}
    assert max(note.photos for note in view.reasons()) >= 4


def test_the_rules_come_with_their_counted_alarms(evidence: Path, tmp_path: Path) -> None:
    view = audit(evidence, tmp_path / "case")
    counted = counted_alarms()["rules"]
    assert counted
    for note in view.rules():
        assert (note.tested is None) == (note.check_id not in counted)


def test_a_new_photo_is_examined_and_the_old_ones_are_not(evidence: Path, tmp_path: Path) -> None:
    audit(evidence, tmp_path / "case")
    photo(evidence / "new.jpg", 9)
    view = audit(evidence, tmp_path / "case")
    assert len(list(view.photos())) == 5
    actions = [event.action for event in view.custody()]
    assert actions.count("acquire") == 5
    assert actions.count("analyse") == 2


def test_in_line_and_with_workers_the_records_are_the_same(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", FIXED["SOURCE_DATE_EPOCH"])
    for number in range(5, 25):
        photo(evidence / f"{number}.jpg", number)
    audit(evidence, tmp_path / "inline", Settings(model="none", jobs=0, batch=7))
    audit(evidence, tmp_path / "workers", Settings(model="none", jobs=2, batch=3))
    assert content(tmp_path / "inline" / DATABASE) == content(tmp_path / "workers" / DATABASE)


def test_a_case_in_use_is_refused(evidence: Path, tmp_path: Path) -> None:
    case = open_case(evidence, tmp_path / "case")
    with case.locked(), pytest.raises(CaseBusy, match="in use"):
        open_case(evidence, tmp_path / "case").audit(INLINE)


# --------------------------------------------------------------------------- hostile folders


def hostile(folder: Path) -> dict[bytes, str]:
    """Fill *folder* with what goes wrong, and return relative path → a word of the reason expected."""
    folder.mkdir(parents=True)
    good = photo(folder / "good.jpg").read_bytes()
    (folder / "zero.jpg").touch()
    (folder / "truncated.jpg").write_bytes(good[: len(good) // 2])
    (folder / "text.jpg").write_text("not a picture")
    (folder / "-config.jpg").write_bytes(good)
    (folder / "#hash.jpg").write_bytes(good + b"\0")
    (folder / "new\nline\n-o\nx.jpg").write_bytes(good + b"\1")
    (folder / "\u202egpj.exe.jpg").write_bytes(good + b"\2")
    with open(os.path.join(os.fsencode(folder), b"bad\xff\xfe.jpg"), "wb") as stream:
        stream.write(good + b"\3")
    Image.new("CMYK", (40, 30)).save(folder / "cmyk.jpg")
    Image.new("I;16", (40, 30), 40_000).save(folder / "sixteen.png")
    frames = [Image.new("P", (40, 30), colour) for colour in range(3)]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    Image.new("1", (12_000, 12_000)).save(folder / "huge.png")
    exif = Image.Exif()
    exif[0x010F] = "A" * 5000
    exif[0x0110] = "\x1b[31mred\u202e"
    Image.new("RGB", (40, 30)).save(folder / "long.jpg", exif=exif)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere.jpg").symlink_to(folder / "missing")
    return {b"zero.jpg": "", b"truncated.jpg": "", b"text.jpg": "", b"pipe.jpg": "", b"nowhere.jpg": ""}


def test_a_hostile_folder_ends_with_a_row_and_a_reason_for_each_entry(tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    expected = hostile(folder)
    before = snapshot(folder)
    view = audit(folder, tmp_path / "case", Settings(model="none", jobs=1))
    assert snapshot(folder) == before
    reasons = {entry.photo.source.relative: [item.reason for item in entry.unexamined] for entry in view.photos()}
    reasons |= {entry.relative: [entry.reason] for entry in view.passed_over()}
    listed = set(reasons)
    there = {
        os.path.relpath(os.path.join(os.fsencode(folder), name), os.fsencode(folder))
        for name in os.listdir(os.fsencode(folder))
    }
    assert listed >= there - {b"loop"}
    for name in expected:
        assert any(reason and "no model" not in reason for reason in reasons[name]), name
    assert view.tally.not_examined > 0


def test_a_folder_without_photos_is_no_failure(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    assert audit(folder, tmp_path / "case").tally == Tally()


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(gtloc, ["audit", str(tmp_path / "no"), "-o", str(tmp_path / "case")])
    assert result.exit_code == ExitCode.FAILURE
    assert "is not a folder" in result.stderr


# --------------------------------------------------------------------------- the command line


def test_the_command_prints_one_json_document_and_says_by_its_code_that_something_is_missing(
    evidence: Path, tmp_path: Path
) -> None:
    arguments = [str(evidence), "-o", str(tmp_path / "case"), "--json", "--model", "none", "--jobs", "0", "--no-report"]
    result = CliRunner().invoke(audit_command, [*arguments, "--case-number", "K-7"])
    assert result.exit_code == ExitCode.INCOMPLETE, result.stderr
    document = json.loads(result.stdout)
    assert document["schema"] == "gtloc-audit/2"
    assert document["case"]["case_number"] == "K-7"
    assert document["counts"]["photos"] == document["counts"]["not_examined"] == 4
    assert [entry["path"] for entry in document["photos"]] == [f"day/{number}.jpg" for number in range(4)]
    assert all(entry["sha256"] == entry["sha256_at_end"] for entry in document["photos"])
    assert (tmp_path / "case" / FINDINGS).read_text(encoding="utf-8") == result.stdout
    assert not (tmp_path / "case" / REPORT).exists()


def test_every_field_of_the_document_is_documented(evidence: Path, tmp_path: Path) -> None:
    audit(evidence, tmp_path / "case")
    document = json.loads(open_case(evidence, tmp_path / "case").write_findings().read_text(encoding="utf-8"))
    docs = (Path(__file__).parents[1] / "docs" / "json.md").read_text(encoding="utf-8")
    for field in [*document, *document["photos"][0], *document["photos"][0]["findings"][0]]:
        assert f"`{field}`" in docs, field


# --------------------------------------------------------------------------- kill and resume


def start(evidence: Path, output: Path) -> subprocess.Popen[bytes]:
    arguments = [str(evidence), "-o", str(output), "--model", "none", "--jobs", "1"]
    return subprocess.Popen(
        [sys.executable, "-m", "gtloc_forensics", "audit", *arguments],
        env={**os.environ, **FIXED},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@pytest.mark.timeout(600)
def test_killed_at_any_point_and_run_again_it_ends_as_if_unbroken(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    for number in range(60):
        photo(
            evidence / f"{number:03}.jpg", number % 7, taken=f"2024:06:{1 + number % 28:02} 12:00:30", make=f"M{number}"
        )
    whole = tmp_path / "whole"
    begun = time.monotonic()
    assert start(evidence, whole).wait() == ExitCode.INCOMPLETE
    took = time.monotonic() - begun
    for part in (0.2, 0.4, 0.55, 0.7, 0.85, 0.95):
        broken = tmp_path / f"broken{part}"
        process = start(evidence, broken)
        time.sleep(took * part)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert start(evidence, broken).wait() == ExitCode.INCOMPLETE
        assert content(broken / DATABASE) == content(whole / DATABASE), part
        for name in (FINDINGS, REPORT):
            assert (broken / name).read_bytes() == (whole / name).read_bytes(), (part, name)
