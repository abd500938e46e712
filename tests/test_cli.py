"""The command line as a shell sees it: exit codes, one line of error, clean streams, terminals and pipes, odd names."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fake_case import FakeCase, small_case
from PIL import Image

from gtloc_forensics.case.case import Case
from gtloc_forensics.case.exports import BUILT_IN
from gtloc_forensics.cli import doctor
from gtloc_forensics.cli.commands.reporting import KINDS
from gtloc_forensics.cli.main import ExitCode, exit_code, gtloc
from gtloc_forensics.cli.tables import MOST_ROWS, PIPED_COLUMNS, print_case
from gtloc_forensics.examination.seldom_collected import OBJECTS
from gtloc_forensics.records import Outcome, ReasonNote, Status, Tally

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
QUICK = ("--model", "none", "--jobs", "0", "--no-report")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def photo(path: Path, seed: int = 0, *, year: int = 2024) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme", "One"
    exif.get_ifd(0x8769)[0x9003] = f"{year}:06:{1 + seed % 28:02} 12:00:30"
    Image.effect_noise((96, 64), 20 + seed % 40).convert("RGB").save(path, "JPEG", exif=exif)
    return path


def called(*arguments: str | Path, **more: object) -> Result:
    """Call ``gtloc`` in this process, as ``main`` would."""
    return CliRunner().invoke(gtloc, [str(argument) for argument in arguments], **more)


def command_line(*arguments: object) -> list[str | bytes]:
    texts = (item if isinstance(item, bytes) else str(item) for item in arguments)
    return [sys.executable, "-m", "gtloc_forensics", *texts]


def started(*arguments: object, **more: object) -> subprocess.CompletedProcess[str]:
    """Start ``python -m gtloc_forensics`` and wait for it."""
    options = {"capture_output": True, "text": True, "encoding": "utf-8", "check": False} | more
    return subprocess.run(command_line(*arguments), **options)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli") / "evidence"
    for number in range(3):
        photo(folder / f"{number}–é.jpg", number)
    return folder


@pytest.fixture(scope="module")
def case(evidence: Path) -> Path:
    """A finished case that tests only read."""
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    folder = evidence.parent / "case"
    assert called("audit", evidence, "-o", folder, *QUICK).exit_code == ExitCode.INCOMPLETE
    return folder


# --------------------------------------------------------------------------- exit codes


@pytest.mark.parametrize(
    ("tally", "code"),
    [
        (Tally(photos=3, clean=3), 0),
        (Tally(photos=3, clean=1, not_testable=2), 0),
        (Tally(photos=2, not_testable=2), 3),  # nothing was tested: that is not clean
        (Tally(passed_over=9), 2),
        (Tally(), 2),
        (Tally(photos=4, found=1, clean=3), 1),
        (Tally(photos=4, found=1, not_testable=3), 1),
        (Tally(photos=4, clean=3, not_examined=1), 3),
        (Tally(photos=3, found=2, not_examined=1), 3),
        (Tally(photos=1, found=1, not_examined=1), 3),  # one photo, in both counts
    ],
)
def test_what_was_not_examined_outranks_what_was_found_and_nothing_tested_is_not_clean(tally: Tally, code: int) -> None:
    assert exit_code(tally) == code


@needs_exiftool
@pytest.mark.parametrize("other", [None, "notes.txt"])
def test_a_folder_without_photos_is_no_clean_folder(other: str | None, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    if other:
        (tmp_path / "empty" / other).write_text("no photo")
    done = called("audit", tmp_path / "empty", "-o", tmp_path / "case", "--model", "none", "--json")
    assert done.exit_code == ExitCode.FAILURE, done.stderr
    assert f"no photo in {tmp_path / 'empty'}" in done.stderr
    assert json.loads(done.stdout)["counts"]["photos"] == 0
    assert not (tmp_path / "case" / "report.pdf").exists()


@needs_exiftool
def test_a_photo_with_a_finding_whose_pixels_nobody_saw_is_in_both_counts(tmp_path: Path) -> None:
    photo(tmp_path / "in" / "a.jpg", year=2050)  # written before it claims to have been taken
    photo(tmp_path / "in" / "b.jpg")
    done = called("audit", tmp_path / "in", "-o", tmp_path / "case", *QUICK)
    assert done.exit_code == ExitCode.INCOMPLETE, done.stderr
    assert "2 photos: 1 found · 0 clean · 2 not wholly examined (1 of them found)" in done.stdout
    with Case(tmp_path / "case") as opened:
        both = [entry for entry in opened.view().photos(status=Status.NOT_EXAMINED) if entry.status is Status.FOUND]
        assert [entry.photo.source.display_path for entry in both] == ["a.jpg"]
    listed = called("export", tmp_path / "case", "--format", "csv")
    assert "a.jpg" in Path(listed.stdout.strip()).read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["--no-such-option"],
        *([name] for name in sorted(gtloc.commands) if name not in ("config", "doctor")),  # these show what is
        *([name, "--no-such-option"] for name in sorted(gtloc.commands)),
        ["audit", "photos", "--jobs", "-1"],
        ["audit", "photos", "--jobs", "many"],
        ["export", ".", "--format", "docx"],
        ["report", ".", "--only", "everything"],
        ["report", ".", "--report-date", "yesterday"],
        ["verify", ".", "--sample", "-3"],
        ["watch", ".", "--case", "x", "--stable", "soon"],
    ],
    ids=" ".join,
)
def test_a_request_that_makes_no_sense_is_a_usage_error(arguments: list[str]) -> None:
    done = called(*arguments)
    assert done.exit_code == ExitCode.FAILURE
    assert done.stdout == ""
    assert "Usage: gtloc" in done.stderr
    assert "Traceback" not in done.stderr


def refused(done: Result, *words: str) -> None:
    """Assert exit code 2, nothing on stdout, and one line on stderr that holds *words*."""
    assert done.exit_code == ExitCode.FAILURE, (done.stdout, done.stderr, done.exception)
    assert done.stdout == ""
    lines = [line for line in done.stderr.strip().splitlines() if not line.endswith(" …")]  # what it was about to do
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("gtloc: ")
    for word in words:
        assert word in lines[0]


def test_an_audit_that_cannot_be_is_refused_in_one_line(evidence: Path, tmp_path: Path) -> None:
    elsewhere, file = tmp_path / "case", photo(tmp_path / "one.jpg")
    refused(called("audit", tmp_path / "nowhere", "-o", elsewhere), "is not a folder")
    refused(called("audit", file, "-o", elsewhere), "is no folder, no archive")
    refused(called("audit", evidence, "-o", evidence / "case"), "never written to", "--output")
    refused(called("audit", evidence, "-o", file), str(file))
    refused(called("audit", evidence, "-o", elsewhere, "--database", "nonsense"), "database")
    refused(called("audit", evidence, "-o", elsewhere, "--database", "mysql://x/y"), "PostgreSQL")
    assert sorted(path.name for path in evidence.iterdir()) == ["0–é.jpg", "1–é.jpg", "2–é.jpg"]


@needs_exiftool
def test_an_unknown_model_is_refused_by_name(evidence: Path, tmp_path: Path) -> None:
    refused(called("audit", evidence, "-o", tmp_path / "case", "--model", "no-such"), "no-such", "gtloc model add")


def test_an_audit_collects_what_holds_itself_less_often_than_python_would(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, ...]] = []
    monkeypatch.setattr(gc, "set_threshold", lambda *counts: asked.append(counts))
    called("audit", evidence, "-o", tmp_path / "case", "--model", "no-such")
    assert asked[0] == (OBJECTS, *gc.get_threshold()[1:])
    assert gc.isenabled(), "but it collects"


def test_another_folder_with_the_same_case_is_refused(case: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    refused(called("audit", tmp_path / "other", "-o", case, *QUICK), "is the case of", "--output")


@pytest.mark.parametrize("command", [["report"], ["export", "--format", "csv"], ["verify"]], ids=" ".join)
def test_a_folder_that_is_no_case_is_refused(command: list[str], tmp_path: Path) -> None:
    refused(called(*command, tmp_path), "holds no case", "gtloc audit")


def test_a_case_whose_audit_never_ended_is_told_what_to_do(evidence: Path, tmp_path: Path) -> None:
    from gtloc_forensics.case.case import open_case

    open_case(evidence, tmp_path / "case").close()
    refused(called("report", tmp_path / "case"), "gtloc audit")
    refused(called("verify", tmp_path / "case"), "gtloc audit")


def test_a_report_in_an_unknown_language_or_template_is_refused(case: Path) -> None:
    refused(called("report", case, "--language", "tlh"), "tlh")
    refused(called("report", case, "--template", "no-such"), "no-such", "default")


@pytest.mark.parametrize(
    ("command", "option", "name"),
    [
        (["export", "--format", "csv"], "-o", "x.csv"),
        (["report", "--template", "brief"], "-o", "x.pdf"),
        (["correct", "--offset=+1:00:00"], "--plan", "x.toml"),
        (["correct", "--apply"], "--sidecars", "x"),
        (["correct", "--apply"], "--copy", "x"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_nothing_is_ever_written_into_the_evidence(
    command: list[str], option: str, name: str, case: Path, evidence: Path
) -> None:
    if "--apply" in command:
        called("correct", case, "--offset=+1:00:00")
    try:
        refused(called(command[0], case, *command[1:], option, evidence / name), "never written to")
        assert not (evidence / name).exists()
    finally:
        (evidence / name).unlink(missing_ok=True)


def test_watching_a_folder_with_the_case_inside_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "import").mkdir()
    refused(called("watch", tmp_path / "import", "--case", tmp_path / "import" / "case", "--once"), "never written to")


# --------------------------------------------------------------------------- each command at its work


def test_every_kind_of_export_is_written_where_asked_and_its_path_is_all_that_is_printed(
    case: Path, tmp_path: Path
) -> None:
    kinds = [export.kind for export in BUILT_IN]
    assert KINDS.startswith(", ".join(sorted(kinds))), "the help names every kind"
    for kind in kinds:
        target = tmp_path / f"out.{kind}"
        done = called("export", case, "--format", kind, "-o", target)
        assert done.exit_code == ExitCode.CLEAN, (kind, done.stderr)
        assert done.stdout.splitlines() == [str(target)]
        assert target.stat().st_size > 0, kind


def test_a_report_is_written_and_its_path_printed(case: Path, tmp_path: Path) -> None:
    done = called("report", case, "-o", tmp_path / "r.pdf", "--language", "de", "--template", "brief")
    assert (done.exit_code, done.stdout.splitlines()) == (ExitCode.CLEAN, [str(tmp_path / "r.pdf")])
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF")


def test_an_unsigned_report_does_not_pass_for_a_valid_one(case: Path, tmp_path: Path) -> None:
    called("report", case, "-o", tmp_path / "r.pdf", "--template", "brief")
    done = called("verify", tmp_path / "r.pdf", "--json")
    assert done.exit_code == ExitCode.FINDINGS
    assert json.loads(done.stdout)["verdict"] == "unsigned"


@needs_exiftool
def test_verify_says_valid_and_names_the_photo_that_was_changed(evidence: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(evidence, tmp_path / "photos")
    called("audit", folder, "-o", tmp_path / "case", *QUICK)
    good = called("verify", tmp_path / "case", "--sample", "0")
    assert good.exit_code == ExitCode.CLEAN, good.stdout
    assert good.stdout.startswith("valid")
    with (folder / "1–é.jpg").open("ab") as stream:
        stream.write(b"\0")
    bad = called("verify", tmp_path / "case", "--sample", "0", "--json")
    document = json.loads(bad.stdout)
    assert bad.exit_code == ExitCode.FINDINGS
    assert document["valid"] is False
    assert any("1–é.jpg" in difference["subject"] for difference in document["differences"])


@needs_exiftool
def test_watch_once_examines_what_is_there_and_logs_lines_of_json(evidence: Path, tmp_path: Path) -> None:
    options = ("--case", tmp_path / "case", "--once", "--json", "--stable", "0.1", "--model", "none", "--no-report")
    done = started("watch", evidence, *options)
    assert done.returncode == ExitCode.CLEAN, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events
    assert all({"utc", "event"} <= set(event) for event in events)
    assert (tmp_path / "case" / "findings.json").is_file()


# --------------------------------------------------------------------------- streams


def test_standard_output_holds_the_document_and_nothing_else(evidence: Path, case: Path) -> None:
    done = called("audit", evidence, "-o", case, "--json", *QUICK)
    assert json.loads(done.stdout)["schema"] == "gtloc-audit/2"
    assert done.stdout.startswith("{\n")
    assert done.stdout.endswith("}\n")
    assert "examining" in done.stderr


def test_away_from_a_terminal_there_are_plain_lines_without_colours(evidence: Path, case: Path) -> None:
    done = called("audit", evidence, "-o", case, *QUICK)
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    assert re.search(r"^hashing again: 3 of 3$", done.stderr, re.MULTILINE)


def on_a_terminal(*arguments: object, columns: int) -> tuple[int, str]:
    """Run the program on a terminal of its own; return its exit code and everything it drew."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        command_line(*arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment | {"TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(theirs)
    drawn = b"".join(_until_closed(ours))
    os.close(ours)
    return process.wait(), drawn.decode()


def _until_closed(descriptor: int) -> Iterator[bytes]:
    while True:
        try:
            piece = os.read(descriptor, 65_536)
        except OSError:  # how Linux says that the other side is closed
            return
        if not piece:
            return
        yield piece


@pytest.mark.parametrize("columns", [80, 200])
def test_on_a_terminal_there_are_bars_and_no_line_is_wider_than_it(evidence: Path, case: Path, columns: int) -> None:
    code, drawn = on_a_terminal("audit", evidence, "-o", case, *QUICK, columns=columns)
    assert code == ExitCode.INCOMPLETE
    assert "━" in drawn
    assert "files/s" in drawn
    assert "Traceback" not in drawn
    table = ESCAPE.sub("", drawn).split("Not examined")[-1].split("database")[0]
    widths = [len(line.rstrip()) for line in re.split(r"\r?\n", table)[1:] if not line.startswith("findings")]
    assert max(widths) <= columns


@needs_exiftool
def test_a_reader_that_goes_away_is_no_reason_for_a_traceback(evidence: Path, case: Path) -> None:
    for more in ((), ("--json",)):
        process = subprocess.Popen(
            command_line("audit", evidence, "-o", case, *QUICK, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout and process.stderr
        process.stdout.close()  # as `| head -1` does
        said = process.stderr.read().decode()
        process.stderr.close()
        assert process.wait() not in (ExitCode.CLEAN, ExitCode.FINDINGS)
        assert "Traceback" not in said
        assert "Exception ignored" not in said
        assert "BrokenPipe" not in said


def test_the_same_program_answers_under_each_of_its_names() -> None:
    here = started("--version")
    script = Path(sys.executable).with_name("gtloc")
    assert here.returncode == ExitCode.CLEAN
    assert here.stdout.startswith("gtloc, version ")
    if script.is_file():
        assert subprocess.run([script, "--version"], capture_output=True, text=True, check=True).stdout == here.stdout
    assert started("audit", "--help").stdout.startswith("Usage: python -m gtloc_forensics audit")


# --------------------------------------------------------------------------- interrupted


@needs_exiftool
def test_ctrl_c_ends_it_with_a_promise_that_the_next_run_keeps(tmp_path: Path) -> None:
    folder, case = tmp_path / "photos", tmp_path / "case"
    first = photo(folder / "0.jpg").read_bytes()
    for number in range(1, 60):
        (folder / f"{number}.jpg").write_bytes(first + number.to_bytes(2, "big"))
    arguments = command_line("audit", folder, "-o", case, "--model", "none", "--jobs", "1", "--no-report")
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen(arguments, stdout=said, stderr=said, start_new_session=True)
        until = time.monotonic() + 60
        while not list(case.glob("work/*")) and time.monotonic() < until and process.poll() is None:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the whole group
        assert process.wait(60) == ExitCode.FAILURE
    text = (tmp_path / "said").read_text()
    assert "Traceback" not in text
    assert text.rstrip().endswith("gtloc: stopped; the same command goes on from here")
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.INCOMPLETE, done.stderr
    assert "60 not wholly examined" in done.stdout
    assert not (case / "work").exists()


def test_ctrl_c_at_the_question_for_a_passphrase_is_no_finding(case: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.p12"
    key.write_bytes(b"no key")
    done = called("report", case, "-o", tmp_path / "r.pdf", "--sign", key, input="")
    assert done.exit_code == ExitCode.FAILURE


def test_a_fault_of_the_program_itself_is_a_failure_and_no_finding(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gtloc_forensics.case.case import Case

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(Case, "audit", broken)
    # A case of its own: that of an unchanged folder is told again without an audit.
    done = called("audit", evidence, "-o", tmp_path / "case", *QUICK)
    assert done.exit_code == ExitCode.FAILURE
    assert "a fault of ours" in done.stderr


# --------------------------------------------------------------------------- names of folders

ODD_NAMES = [
    "two words and a  double space",
    "Ünïcödé – 写真 📷",
    "e\u0301 decomposed",
    "right\u202eto left",
    "#hash ?x=1 %20 & 'quote' \"double\"",
    "line\nbreak",
    ".hidden",
    "[red]markup",
    "ends with a dot.",
]


@needs_exiftool
@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_a_folder_may_have_any_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo(tmp_path / name / "0.jpg")
    monkeypatch.chdir(tmp_path)
    done = called("audit", name, "--json", *QUICK)
    assert done.exit_code == ExitCode.INCOMPLETE, done.stderr
    document = json.loads(done.stdout)
    assert [entry["path"] for entry in document["photos"]] == ["0.jpg"]
    case = tmp_path / f"{name}.audit"
    assert {"case.sqlite", "findings.json"} <= {path.name for path in case.iterdir()}
    assert {path.name for path in tmp_path.iterdir()} == {name, case.name}
    table = called("audit", name, *QUICK).stdout
    assert "\u202e" not in table


@needs_exiftool
def test_a_folder_whose_name_is_no_text_and_begins_with_a_dash_goes_through_every_command(tmp_path: Path) -> None:
    name = b"-o \xff\xfe.jpg"
    (evidence := Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name)))).mkdir()
    photo(tmp_path / "0.jpg").rename(evidence / "0.jpg")
    done = started("audit", "--json", *QUICK, "--", name, cwd=tmp_path)
    assert done.returncode == ExitCode.INCOMPLETE, done.stderr
    assert "\\xff\\xfe" in json.loads(done.stdout)["case"]["evidence_folder"]
    case = name + b".audit"
    for arguments in (["report", "--template", "brief"], ["export", "--format", "csv"], ["verify", "--sample", "0"]):
        done = started(*arguments, "--", case, cwd=tmp_path, errors="surrogateescape")
        assert done.returncode == ExitCode.CLEAN, (arguments, done.stderr)
    shown = started("audit", *QUICK, "--", name, cwd=tmp_path, errors="surrogateescape")
    assert shown.returncode == ExitCode.INCOMPLETE, shown.stderr


@needs_exiftool
@pytest.mark.parametrize("more", [(), ("--json",)], ids=["table", "json"])
def test_a_stream_that_cannot_spell_a_sign_does_not_end_the_run(
    evidence: Path, case: Path, more: tuple[str, ...]
) -> None:
    done = started("audit", evidence, "-o", case, *QUICK, *more, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == ExitCode.INCOMPLETE, done.stderr
    if more:
        assert json.loads(done.stdout)["photos"][0]["path"] == "0–é.jpg"


# --------------------------------------------------------------------------- exiftool and the doctor


@pytest.fixture
def light_doctor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A doctor that loads neither torch nor a model."""
    monkeypatch.setattr(doctor, "_torch", lambda: doctor.Line("torch", "not looked at"))
    monkeypatch.setattr(doctor, "_models", lambda look_at: iter(()))


def fake_exiftool(path: Path, says: str) -> Path:
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.mark.usefixtures("light_doctor")
@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("", ["apt-get install libimage-exiftool-perl", "brew install exiftool", "GTLOC_EXIFTOOL"]),
        ("/no/such/exiftool", ["GTLOC_EXIFTOOL=/no/such/exiftool", "was not found"]),
        ("11.50", ["11.50", "older than", "CVE-2022-23935"]),
        ("hello", ["does not answer like exiftool", "hello"]),
    ],
)
def test_the_doctor_names_the_remedy_for_exiftool(
    override: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    if override and not override.startswith("/"):
        override = str(fake_exiftool(tmp_path / "mine", override))
    monkeypatch.setenv("GTLOC_EXIFTOOL", override)
    done = called("doctor")
    assert done.exit_code == ExitCode.FAILURE
    assert re.search(r"^MISSING  exiftool: ", done.stdout, re.MULTILINE)
    remedy = next(line for line in done.stdout.splitlines() if "→" in line)
    assert all(word in remedy for word in words), remedy


@needs_exiftool
@pytest.mark.usefixtures("light_doctor")
def test_an_exiftool_that_is_named_is_used_with_nothing_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    there = shutil.which("exiftool")
    assert there
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("GTLOC_EXIFTOOL", there)
    done = called("doctor")
    assert f"at {there}" in done.stdout
    assert "MISSING" not in done.stdout
    assert done.exit_code == ExitCode.CLEAN


def test_an_audit_without_exiftool_is_refused_with_the_remedy(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("GTLOC_EXIFTOOL", raising=False)
    refused(called("audit", evidence, "-o", tmp_path / "case"), "apt-get install libimage-exiftool-perl")


@pytest.mark.usefixtures("light_doctor")
def test_the_doctor_tells_what_may_be_missing_from_what_must_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_exiftool", lambda: doctor.Line("exiftool", "12.57"))
    monkeypatch.setitem(doctor.OPTIONAL, "no-such-package", ("moving pictures", "moving"))
    done = called("doctor")
    assert done.exit_code == ExitCode.CLEAN
    assert "note     moving pictures: not installed" in done.stdout
    assert "pip install 'gtloc_forensics[moving]'" in done.stdout


@pytest.mark.usefixtures("light_doctor")
def test_the_doctor_says_when_the_disk_is_nearly_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**12, 10**12, 10**8))
    lines = [line for line in doctor.examine_machine() if "folder" in line.subject]
    assert len(lines) == 2
    assert all(line.health is doctor.Health.WARN and "free some space" in line.remedy for line in lines)


# --------------------------------------------------------------------------- the table


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def unexamined(case: FakeCase) -> FakeCase:
    """Give the case a reason why some photos were not examined, with a name that would be markup."""
    notes = (ReasonNote("vision", "no model", 12, ("a [bold]b[/] \\u202e.jpg", "c.jpg")),)
    vars(case)["reasons"] = lambda: notes
    return case


def table_of(case: FakeCase, *, columns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in {"COLUMNS": str(columns), "LINES": "50", "TERM": "xterm", "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    out = Terminal()
    print_case(unexamined(case), out)
    return ESCAPE.sub("", out.getvalue())


@pytest.mark.parametrize("columns", [40, 60, 80, 99, 100, 120, 200])
def test_the_table_fits_its_terminal_and_loses_no_word(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = small_case()
    text = table_of(case, columns=columns, monkeypatch=monkeypatch)
    assert max(map(len, text.splitlines())) <= columns
    words = re.sub(r"\s+", "", text)
    for group in case.causes():
        assert all(check in words for check in group.check_ids)
        if columns >= 60:
            assert all(word in text for word in group.summary.split() if len(word) < 12), group.summary


def test_a_piped_table_is_as_wide_whatever_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = []
    for columns in ("40", "300"):
        monkeypatch.setenv("COLUMNS", columns)
        out = StringIO()
        print_case(unexamined(small_case()), out)
        texts.append(out.getvalue())
    assert texts[0] == texts[1]
    assert max(map(len, texts[0].splitlines())) <= PIPED_COLUMNS


def test_markup_and_controls_in_names_are_shown_and_not_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    case = small_case()
    label = "[bold red]Acme[/] \x1b[31m \u202e"
    case.groups = tuple(replace(group, label=label, summary=f"{label} said so") for group in case.groups)
    text = table_of(case, columns=160, monkeypatch=monkeypatch)
    assert "[bold red]Acme[/]" in text
    assert "a [bold]b[/]" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_of_very_many_groups_only_explained_ones_are_counted_instead_of_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    case = small_case()
    grave = [replace(case.causes()[0], outcome=Outcome.SUSPICIOUS)] * (MOST_ROWS + 5)
    case.groups = (*grave, *[replace(grave[0], outcome=Outcome.EXPLAINED)] * 7)
    text = table_of(case, columns=120, monkeypatch=monkeypatch)
    assert text.count("suspicious") == MOST_ROWS + 5
    assert "and 7 more groups that are explained, all in the report" in text


def test_a_photo_is_named_where_one_to_three_are_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    case = small_case()
    ids = [entry.photo.source.source_id for entry in case.entries]
    group = case.causes()[0]
    case.groups = (replace(group, source_ids=tuple(ids[9:11])), replace(group, source_ids=tuple(ids[11:15])))
    text = table_of(case, columns=160, monkeypatch=monkeypatch)
    assert all(case.name_of(source_id) in text for source_id in ids[9:11])
    assert not any(case.name_of(source_id) in text for source_id in ids[11:15])


@needs_exiftool
def test_no_command_prints_a_control_or_bidi_character_of_a_tag(tmp_path: Path) -> None:
    path = photo(tmp_path / "in" / "a.jpg")
    make = "-Make=Ac\u202eme\x9b31m\u2066"
    subprocess.run(["exiftool", "-q", "-overwrite_original", "-codedcharacterset=utf8", make, path], check=True)
    hostile = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
    done = called("audit", tmp_path / "in", "-o", tmp_path / "case", *QUICK, "--json")
    assert "Ac\\u202eme" in json.dumps(json.loads(done.stdout), ensure_ascii=False).replace("\\\\", "\\")
    listed = called("search", tmp_path / "case", "--device", "me")
    assert "Ac\\u202eme\\x9b31m" in listed.stdout
    as_json = called("search", tmp_path / "case", "--device", "me", "--json")
    for said in (done, listed, as_json):
        assert not hostile.search(said.stdout + said.stderr)


@needs_exiftool
def test_the_first_line_comes_before_the_work_and_a_second_run_says_what_was_done_before(tmp_path: Path) -> None:
    photo(tmp_path / "in" / "a.jpg")
    first = called("audit", tmp_path / "in", "-o", tmp_path / "case", *QUICK)
    assert first.stderr.startswith("starting …\nopening exiftool and the model …\n")
    photo(tmp_path / "in" / "b.jpg", 1)
    again = called("audit", tmp_path / "in", "-o", tmp_path / "case", *QUICK)
    assert "1 of 2 was done before" in again.stderr


def test_a_language_that_is_not_there_is_refused_before_the_work(tmp_path: Path) -> None:
    photo(tmp_path / "in" / "a.jpg")
    done = called("audit", tmp_path / "in", "-o", tmp_path / "case", "--model", "none", "--language", "fr")
    assert done.exit_code == ExitCode.FAILURE
    assert "no sentences in 'fr'" in done.stderr
    assert not (tmp_path / "case").exists()


@needs_exiftool
def test_a_refused_report_has_not_changed_the_header(case: Path) -> None:
    done = called("report", case, "--language", "fr", "--examiner", "Second")
    assert done.exit_code == ExitCode.FAILURE
    with Case(case) as opened:
        assert opened.view().header.examiner != "Second"
