"""``gtloc plugin``, ``completion``, ``man``, ``--open``, ``--lines`` and ``--progress``: at home in other programs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from test_case import INLINE, photo, snapshot

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.cli import manual, plugging, plugin_lines, progress_file
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.records import CaseHeader


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("DATA", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    for number in range(2):
        photo(tmp_path / "photos" / f"{number}.jpg", number, taken=f"2024:06:15 12:0{number}:30")
    return tmp_path / "photos"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(gtloc, arguments)


def program_in(script: Path) -> list[str]:
    """Return the command that an installed script starts."""
    (line,) = [line for line in script.read_text("utf-8").splitlines() if "-m gtloc_forensics" in line]
    return shlex.split(line)[:3]


# ----------------------------------------------------------------- installing


def test_a_plugin_is_installed_listed_and_removed_without_a_trace(home: Path):
    luarc = home / "config" / "darktable" / "luarc"
    luarc.parent.mkdir(parents=True)
    luarc.write_text("-- mine", encoding="utf-8")
    assert "not installed" in run("plugin", "list").output
    done = run("plugin", "install", "darktable")
    assert done.exit_code == ExitCode.CLEAN, done.output
    folder = home / "config" / "darktable" / "lua" / "gtloc"
    assert (folder / "gtloc.lua").is_file()
    assert (folder / "lib" / "lines.lua").is_file()
    assert (folder / "locale" / "de" / "LC_MESSAGES" / "gtloc.mo").is_file()
    assert (folder / "program.path").read_text("utf-8").splitlines() == plugging.program()
    assert luarc.read_text("utf-8") == '-- mine\nrequire "gtloc/gtloc"\n'
    assert str(folder) in run("plugin", "list").output
    again = run("plugin", "install", "darktable")
    assert again.exit_code == ExitCode.CLEAN, again.output
    assert luarc.read_text("utf-8").count("require") == 1
    assert run("plugin", "uninstall", "darktable").exit_code == ExitCode.CLEAN
    assert not folder.exists()
    assert luarc.read_text("utf-8") == "-- mine\n"
    assert run("plugin", "uninstall", "darktable").exit_code == ExitCode.FAILURE


def test_what_a_person_changed_is_neither_overwritten_nor_removed(home: Path):
    run("plugin", "install", "darktable")
    changed = home / "config" / "darktable" / "lua" / "gtloc" / "gtloc.lua"
    changed.write_text("-- my own\n", encoding="utf-8")
    refused = run("plugin", "install", "darktable")
    assert refused.exit_code == ExitCode.FAILURE
    assert "--replace" in refused.output
    removed = run("plugin", "uninstall", "darktable")
    assert "left: it was changed since" in removed.output
    assert changed.read_text("utf-8") == "-- my own\n"
    assert not (changed.parent / "lib").exists()


def test_a_file_that_is_not_ours_is_in_the_way_until_it_is_said(home: Path):
    foreign = home / "data" / "gtloc" / "check-photos.sh"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine", encoding="utf-8")
    assert run("plugin", "install", "desktop").exit_code == ExitCode.FAILURE
    assert foreign.read_text("utf-8") == "mine"
    assert not (home / "data" / "applications").exists(), "nothing is written before all may be"
    assert run("plugin", "install", "desktop", "--replace").exit_code == ExitCode.CLEAN


def test_where_the_script_manager_starts_plugins_its_file_stays(home: Path):
    luarc = home / "config" / "darktable" / "luarc"
    luarc.parent.mkdir(parents=True)
    luarc.write_text('require "tools/script_manager"\n', encoding="utf-8")
    assert "start the plugin there" in run("plugin", "install", "darktable").output
    assert luarc.read_text("utf-8") == 'require "tools/script_manager"\n'


def test_a_plugin_moves_when_it_is_installed_elsewhere(home: Path):
    run("plugin", "install", "darktable", "--into", str(home / "gtloc" / "first"))
    assert run("plugin", "install", "darktable", "--into", str(home / "second")).exit_code == ExitCode.CLEAN
    assert not (home / "gtloc" / "first" / "lua" / "gtloc").exists()
    assert (home / "gtloc" / "first" / "luarc").read_text("utf-8") == ""
    assert (home / "gtloc" / "first" / "lua").is_dir(), "a folder that is not ours stays, empty or not"
    assert (home / "second" / "luarc").read_text("utf-8") == 'require "gtloc/gtloc"\n'


def test_a_plugin_that_there_is_not_is_refused_with_those_there_are(home: Path):
    done = run("plugin", "install", "gimp")
    assert done.exit_code == ExitCode.FAILURE
    assert "darktable" in done.output


def test_every_plugin_has_its_files_and_none_keeps_a_word_to_be_filled_in(home: Path, tmp_path: Path):
    for name, plugin in plugging.PLUGINS.items():
        root = tmp_path / "it's a %root" / name
        list(plugging.install(plugin, root))
        for path in plugging.installed(name):
            text = Path(path).read_bytes()
            assert plugging.PROGRAM not in text and plugging.ROOT not in text, path
            if text.startswith(b"#!"):
                assert Path(path).stat().st_mode & stat.S_IXUSR
                subprocess.run(["sh", "-n", path], check=True)


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="desktop-file-validate is not installed")
def test_the_desktop_files_are_valid(home: Path, tmp_path: Path):
    list(plugging.install(plugging.PLUGINS["desktop"], tmp_path / "a b"))
    entry = tmp_path / "a b" / "applications" / "gtloc.desktop"
    done = subprocess.run(["desktop-file-validate", str(entry)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert f'Exec="{tmp_path}/a b/gtloc/check-photos.sh" %F' in entry.read_text("utf-8")
    assert "MimeType" not in entry.read_text("utf-8"), "nobody's folders shall open in an audit"


def test_a_path_in_a_desktop_entry_is_quoted_twice():
    assert plugging._in_desktop_entry(rb'/a b/$x"`\%') == rb"/a b/\\$x\\" + rb'"\\`\\\\%%'


def test_check_photos_audits_a_folder_with_a_hostile_name_and_changes_nothing(home: Path, evidence: Path):
    run("plugin", "install", "desktop")
    script = home / "data" / "nautilus" / "scripts" / "Check photos…"
    hostile = evidence.rename(evidence.with_name("-it's $(touch x); photos"))
    before = snapshot(hostile)
    opened = home / "opened"
    door = home / "bin" / "xdg-open"
    door.parent.mkdir()
    door.write_text(f'#!/bin/sh\nprintf %s "$1" > {shlex.quote(str(opened))}\n', encoding="utf-8")
    door.chmod(0o755)
    places = {"PATH": f"{door.parent}:{os.environ['PATH']}", "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [str(script), hostile.name],
        cwd=hostile.parent,
        env={**os.environ, **places},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode in (ExitCode.CLEAN, ExitCode.FINDINGS, ExitCode.INCOMPLETE), done.stdout + done.stderr
    assert snapshot(hostile) == before
    (report,) = (home / "data" / "gtloc" / "cases").glob("*/report.pdf")
    assert opened.read_text("utf-8") == str(report)


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_the_script_for_digikam_lays_keywords_and_times_beside_an_album(home: Path, tmp_path: Path):
    album = tmp_path / "album"
    shutil.copytree(Path(__file__).parents[1] / "examples" / "case_folder" / "nordvale", album)
    run("plugin", "install", "digikam")
    script = home / "data" / "gtloc" / "digikam" / "album-sidecars.sh"
    places = {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [str(script), str(album), str(tmp_path / "case"), "--beside"]
    done = subprocess.run(
        command, env={**os.environ, **places}, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode in (ExitCode.FINDINGS, ExitCode.INCOMPLETE), done.stdout + done.stderr
    tags = subprocess.run(
        [
            "exiftool",
            "-config",
            "",
            "-s3",
            "-XMP-exif:DateTimeOriginal",
            "-XMP-digiKam:TagsList",
            f"{album}/NV000120.JPG.xmp",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "2022:04:02 09:10:51" in tags
    assert "gtloc/" in tags or "gtloc|" in tags


# ----------------------------------------------------------------- what plugins read and leave


def test_what_was_found_comes_as_lines_whose_fields_no_name_can_break(tmp_path: Path):
    folder = tmp_path / "photos"
    names = ["a\tb.jpg", "c\nphoto\td.jpg", "100%25; e.jpg"]
    for number, name in enumerate(names):
        photo(folder / name, number)
    lines = tmp_path / "lines"
    done = run(
        "audit",
        str(folder),
        "-o",
        str(tmp_path / "case"),
        "--no-report",
        "--jobs",
        "0",
        "--model",
        "none",
        "--lines",
        str(lines),
    )
    assert done.exit_code in (ExitCode.CLEAN, ExitCode.FINDINGS, ExitCode.INCOMPLETE), done.output
    rows = [line.split(b"\t") for line in lines.read_bytes().split(b"\n")]
    assert rows[0] == [b"gtloc-lines/1"]
    assert rows[-2:] == [[b"end"], [b""]]
    told = [row[1] for row in rows if row[0] == b"photo"]
    assert sorted(re.sub(rb"%(..)", lambda found: bytes([int(found[1], 16)]), name) for name in told) == sorted(
        os.fsencode(name) for name in names
    )
    assert all(len(row) == 7 for row in rows if row[0] == b"photo")


def test_lines_and_progress_are_never_written_into_the_evidence(evidence: Path, tmp_path: Path):
    before = snapshot(evidence)
    for option in ("--lines", "--progress"):
        done = run("audit", str(evidence), "-o", str(tmp_path / "case"), "--no-report", option, str(evidence / "x"))
        assert done.exit_code == ExitCode.FAILURE, done.output
    with open_case(evidence, tmp_path / "case") as case:
        case.audit(INLINE)
    assert run("correct", str(tmp_path / "case"), "--lines", str(evidence / "x")).exit_code == ExitCode.FAILURE
    assert snapshot(evidence) == before


def test_progress_is_followed_in_a_file_and_stopped_by_one(evidence: Path, tmp_path: Path):
    followed = tmp_path / "progress"
    arguments = ("audit", str(evidence), "-o", str(tmp_path / "case"), "--no-report", "--jobs", "0", "--model", "none")
    run(*arguments, "--progress", str(followed))
    stages = [line.split("\t") for line in followed.read_text("ascii").splitlines()]
    assert [stage for stage, *_ in stages][:2] == ["open", "known"]
    assert ["examine", "2", "2"] in stages

    told: list[str] = []
    callback = progress_file.kept_in(followed, lambda stage, done, total: told.append(stage))
    callback("open", 0, None)
    followed.with_name("progress.stop").touch()
    with pytest.raises(KeyboardInterrupt):
        callback("examine", 0, 2)
    assert told == ["open"]


def test_a_plan_and_its_result_come_as_lines(evidence: Path, tmp_path: Path):
    case, lines = tmp_path / "case", tmp_path / "lines"
    with open_case(evidence, case) as opened:
        opened.audit(INLINE)
    run("correct", str(case), "--offset", "+01:02:00", "--lines", str(lines))
    rows = [line.split("\t") for line in lines.read_text("utf-8").splitlines()]
    assert next(row[:5] for row in rows if row[0] == "change") == [
        "change",
        "0.jpg",
        "DateTimeOriginal",
        "2024-06-15 12:00:30",
        "2024-06-15 13:02:30",
    ]
    run("correct", str(case), "--apply", "--lines", str(lines))
    rows = [line.split("\t") for line in lines.read_text("utf-8").splitlines()]
    assert ["transaction", "T0001"] in rows
    assert [row[1] for row in rows if row[0] == "done"] == ["0.jpg", "1.jpg"]


def test_a_case_marked_as_evidence_says_so_to_plugins(evidence: Path, tmp_path: Path):
    with open_case(evidence, tmp_path / "case", header=CaseHeader(exhibit="7")) as case:
        case.audit(INLINE)
        (head, *_) = plugin_lines.found_rows(case)
    assert head[0] == "case" and head[2] == "evidence"


def test_what_another_program_wrote_is_noted_in_the_chain_of_custody(evidence: Path, tmp_path: Path):
    with open_case(evidence, tmp_path / "case") as case:
        case.audit(INLINE)
    journal = tmp_path / "journal"
    journal.write_bytes(b"intends\ta\nwrote\ta\nwrote\tb\n")
    done = run("plugin", "record", str(tmp_path / "case"), str(journal), "--by", "darktable", "--transaction", "T0001")
    assert done.exit_code == ExitCode.CLEAN, done.output
    with Case(tmp_path / "case") as case:
        event = case.view().custody()[-1]
        assert (event.action, event.subject, event.detail["values"]) == ("correct", "darktable", 2)
        assert case.custody_faults() == ()


# ----------------------------------------------------------------- the shell


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_that_its_shell_understands(shell: str, tmp_path: Path):
    done = run("completion", shell)
    assert done.exit_code == ExitCode.CLEAN, done.output
    assert "_GTLOC_COMPLETE" in done.output
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(done.output, encoding="utf-8")
    subprocess.run([shell, "-n", str(script)], check=True, timeout=60)


def test_bash_completes_commands_and_options():
    words = {"COMP_WORDS": "gtloc plugin in", "COMP_CWORD": "2", "_GTLOC_COMPLETE": "bash_complete"}
    done = CliRunner().invoke(gtloc, [], env=words, prog_name="gtloc")
    assert "plain,install" in done.output


def test_every_command_has_a_manual_page_with_the_texts_of_its_help(tmp_path: Path):
    done = run("man", "-o", str(tmp_path))
    assert done.exit_code == ExitCode.CLEAN, done.output
    pages = {path.stem: path.read_text("utf-8") for path in (tmp_path / "man1").iterdir()}
    assert {"gtloc", "gtloc-audit", "gtloc-plugin-install", "gtloc-model-add"} <= set(pages)
    for option in (item for item in gtloc.commands["audit"].params if isinstance(item, click.Option)):
        assert option.opts[0].replace("-", r"\-") in pages["gtloc-audit"], option.opts
    again = tmp_path / "again"
    run("man", "-o", str(again))
    assert {path.stem: path.read_text("utf-8") for path in (again / "man1").iterdir()} == pages


def test_no_text_becomes_a_request_of_roff():
    command = click.Command("x", help=".so /etc/passwd\n\n'quoted' back\\slash -- dash", params=[])
    lines = manual.page(command, "gtloc x").splitlines()
    assert not [line for line in lines if line.startswith(("'", ".so"))]
    assert any(r"back\eslash" in line for line in lines)


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_shows_the_pages_without_a_warning(tmp_path: Path):
    run("man", "-o", str(tmp_path))
    for path in sorted((tmp_path / "man1").iterdir()):
        command = ["man", "--warnings", "-E", "UTF-8", "-l", str(path)]
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "MANPAGER": "cat"}, timeout=60, check=False
        )
        assert done.returncode == 0 and not done.stderr, f"{path.name}: {done.stderr}"
        assert "EXIT STATUS" in done.stdout


def test_the_report_is_opened_when_asked_for_and_not_without_one(
    evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    opened: list[str] = []
    monkeypatch.setattr(click, "launch", lambda path: opened.append(path) or 0)
    case = tmp_path / "case"
    refused = run("audit", str(evidence), "-o", str(case), "--no-report", "--open")
    assert refused.exit_code == ExitCode.FAILURE
    assert not case.exists(), "refused before anything is done"
    run("audit", str(evidence), "-o", str(case), "--jobs", "0", "--model", "none", "--open")
    run("report", str(case), "--open")
    assert opened == [str(case / "report.pdf")] * 2
