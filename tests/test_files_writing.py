"""What we write is outside the evidence, whole or not there, and what is removed is ours by its own mark."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gtloc_forensics.errors import EvidenceTreeError, UsageError
from gtloc_forensics.files import mounts, owners, workspace, writing

MARKS = ("case.sqlite", "database.url")

MOUNTINFO = """\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 8:1 / /media/card rw - vfat /dev/sda1 rw
41 27 8:1 /DCIM/100 /srv/out rw - vfat /dev/sda1 rw
42 27 8:17 / /srv/other rw - vfat /dev/sdb1 rw
"""


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    (folder / "day").mkdir(parents=True)
    return folder


def dead() -> dict[str, object]:
    """Return the mark of a process that ended: a child of ours that is waited for."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return {**owners.this_process(), "pid": child.pid, "started": 1}


# --------------------------------------------------------------------------- the guard


def test_a_mount_of_a_part_of_the_evidence_does_not_hide_that_an_output_is_inside(
    tmp_path: Path, evidence: Path
) -> None:
    (tmp_path / "second").mkdir()
    mounted = subprocess.run(["mount", "--bind", evidence / "day", tmp_path / "second"], check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(EvidenceTreeError):
            writing.refuse_inside(tmp_path / "second" / "new" / "report.pdf", evidence)
    finally:
        subprocess.run(["umount", tmp_path / "second"], check=True)


@pytest.mark.parametrize(
    ("path", "device", "inner"),
    [
        ("/media/card/DCIM/100/a", "8:1", "/DCIM/100/a"),
        ("/srv/out/a", "8:1", "/DCIM/100/a"),
        ("/home", "254:0", "/home"),
    ],
)
def test_a_place_is_the_same_by_whatever_mount_it_is_reached(path: str, device: str, inner: str) -> None:
    found = mounts.whereabouts(Path(path), mountinfo=MOUNTINFO)
    assert found is not None
    assert (found.device, str(found.inner)) == (device, inner)


def test_a_link_in_the_evidence_that_points_out_of_it_is_no_place_to_write(tmp_path: Path, evidence: Path) -> None:
    (evidence / "out.pdf").symlink_to(tmp_path / "elsewhere.pdf")
    with pytest.raises(EvidenceTreeError):
        writing.refuse_inside(evidence / "out.pdf", evidence)


@pytest.mark.parametrize("variable", ["TMPDIR", "TEMP", "SQLITE_TMPDIR"])
def test_a_folder_for_temporary_files_inside_the_evidence_is_refused_and_nothing_is_tried_there(
    evidence: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(evidence / "day"))
    before = evidence.stat().st_mtime_ns, (evidence / "day").stat().st_mtime_ns
    with pytest.raises(EvidenceTreeError):
        writing.refuse_temporary_inside(evidence)
    assert (evidence.stat().st_mtime_ns, (evidence / "day").stat().st_mtime_ns) == before


def test_a_case_folder_that_holds_the_evidence_is_refused(tmp_path: Path, evidence: Path) -> None:
    with pytest.raises(UsageError, match="holds the evidence"):
        writing.refuse_case_folder(tmp_path, evidence, marks=MARKS)


def test_a_folder_with_something_else_in_it_is_no_case_folder(tmp_path: Path, evidence: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    writing.refuse_case_folder(folder, evidence, marks=MARKS)
    (folder / ".DS_Store").touch()
    writing.refuse_case_folder(folder, evidence, marks=MARKS)
    (folder / "letter.txt").write_text("dear")
    (folder / "case.sqlite").write_text("a text with a name")
    with pytest.raises(UsageError, match="neither empty nor a case"):
        writing.refuse_case_folder(folder, evidence, marks=MARKS)
    (folder / "case.sqlite").write_bytes(b"SQLite format 3\0")
    writing.refuse_case_folder(folder, evidence, marks=MARKS)


def test_a_file_is_no_case_folder(tmp_path: Path, evidence: Path) -> None:
    (tmp_path / "out").write_text("x")
    with pytest.raises(UsageError, match="no folder"):
        writing.refuse_case_folder(tmp_path / "out", evidence, marks=MARKS)


# --------------------------------------------------------------------------- whole files


def test_a_file_is_the_old_one_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), writing.replaced(path) as draft:
        draft.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    writing.write_text(path, "new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_draft_is_written_through_no_link_that_somebody_planted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gtloc_forensics.files.writing.secrets.token_hex", lambda count: "0" * 2 * count)
    (tmp_path / "victim").write_text("mine")
    (tmp_path / f".gtloc-{'0' * 24}.draft").symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        writing.write_bytes(tmp_path / "out", b"x")
    assert (tmp_path / "victim").read_text() == "mine"


KILLED = """
import os, sys
from pathlib import Path
from gtloc_forensics.files import writing
with writing.replaced(Path(sys.argv[1])) as draft:
    draft.write_text("half")
    os._exit(9)
"""


def test_the_draft_of_a_killed_run_is_removed_by_the_next_and_nothing_else_is(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, tmp_path / "a.txt"], check=False)
    left = sorted(os.listdir(tmp_path))
    assert [name.rpartition(".")[2] for name in left] == ["draft", "mark"]
    for name in (".findings.json.1.draft", ".gtloc-mine.draft", ".gtloc-notes.draft", "work-2024"):
        (tmp_path / name).write_text("somebody's")
    (tmp_path / ".gtloc-notes.draft.mark").write_text(json.dumps({**dead(), "draft": "another"}))
    writing.write_text(tmp_path / "a.txt", "whole")
    assert not set(left) & set(os.listdir(tmp_path))
    assert len(os.listdir(tmp_path)) == 6


def test_the_draft_of_a_run_at_work_stays(tmp_path: Path) -> None:
    with writing.replaced(tmp_path / "a") as draft:
        writing.write_text(tmp_path / "b", "b")
        assert draft.exists()


# --------------------------------------------------------------------------- working folders


def test_only_a_working_folder_with_our_mark_of_a_dead_run_is_removed(tmp_path: Path) -> None:
    kept = [tmp_path / "work-2024", tmp_path / "work" / "2024", tmp_path / "work" / "live", tmp_path / "work" / "other"]
    for folder in [*kept, tmp_path / "work" / "dead"]:
        folder.mkdir(parents=True)
        (folder / "photo.jpg").write_text("x")
    live = {**owners.this_process(), "folder": "live"}
    for name, said in (("live", live), ("other", {**dead(), "folder": "2024"}), ("dead", {**dead(), "folder": "dead"})):
        (tmp_path / "work" / name / workspace.MARK).write_text(json.dumps(said))
    with workspace.working_folder(tmp_path) as work:
        assert work.is_dir()
        assert not (tmp_path / "work" / "dead").exists()
    assert not work.exists()
    assert all((folder / "photo.jpg").exists() for folder in kept)


def test_a_working_folder_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "work").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="symbolic link"), workspace.working_folder(tmp_path / "case"):
        pass
    assert not os.listdir(tmp_path / "elsewhere")


TERMINATED = """
import sys, time
from pathlib import Path
from gtloc_forensics.files import workspace
with workspace.working_folder(Path(sys.argv[1])) as work:
    (work / "copy.jpg").write_text("x")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_sigterm_leaves_no_copy_of_the_evidence_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TERMINATED, tmp_path]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    begun = time.monotonic()
    child.send_signal(signal.SIGTERM)
    child.wait(timeout=30)
    child.stdout.close()
    assert time.monotonic() - begun < 30
    assert not os.listdir(tmp_path)
