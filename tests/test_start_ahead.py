"""A first audit starts exiftool and decoding processes while it still loads itself; nothing of that shows but time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from gtloc_forensics.errors import ToolTooOld
from gtloc_forensics.examination.ahead import MOST_DECODERS, started
from gtloc_forensics.examination.instruments import opened
from gtloc_forensics.examination.settings import NO_MODEL, Settings

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
WITHOUT_MODEL = Settings(model=NO_MODEL, jobs=3)


def children(pid: int) -> set[int]:
    """Return the processes that any thread of *pid* started and that still run."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        found |= {int(number) for number in (task / "children").read_text().split()}
    return found


@needs_exiftool
@pytest.mark.skipif(sys.platform != "linux", reason="children are listed in /proc")
def test_what_nobody_takes_ends_and_what_is_taken_ends_with_whoever_took_it() -> None:
    before = children(os.getpid())
    with started(3) as ahead:
        assert ahead is not None
        assert len(children(os.getpid()) - before) == 1 + MOST_DECODERS
    assert children(os.getpid()) == before
    with started(3) as ahead:
        under_way = children(os.getpid()) - before
        with opened(WITHOUT_MODEL, ahead=ahead) as instruments:
            assert children(os.getpid()) - before == under_way, "nothing was started twice"
            assert instruments.exiftool.version == instruments.environment.exiftool
        assert children(os.getpid()) == before
    assert children(os.getpid()) == before


def test_without_exiftool_nothing_starts_and_who_opens_it_hears_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GTLOC_EXIFTOOL", "/no/such/exiftool")
    with started(1) as ahead:
        assert ahead is None


def test_an_exiftool_that_may_not_be_used_is_refused_before_it_is_given_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "old"
    program.write_text("#!/bin/sh\necho 12.16\n")
    program.chmod(0o755)
    monkeypatch.setenv("GTLOC_EXIFTOOL", str(program))
    with started(0) as ahead, pytest.raises(ToolTooOld), opened(WITHOUT_MODEL, ahead=ahead):
        pass


@needs_exiftool
def test_an_audit_finds_the_same_with_and_without_a_start_ahead(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    for number in range(12):
        Image.new("RGB", (64 + number, 48), (20 * number, 90, 200)).save(evidence / f"{number:02}.jpg")
    documents = []
    for name in ("new", "there"):
        case = tmp_path / name
        if name == "there":
            case.mkdir()  # a folder that exists is no new case: nothing is started ahead
        done = subprocess.run(
            [sys.executable, "-m", "gtloc_forensics", "audit", str(evidence), "-o", str(case), "--model", "none"],
            env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 3, done.stderr
        documents.append(json.loads((case / "findings.json").read_text(encoding="utf-8"))["photos"])
    assert documents[0] == documents[1]


@pytest.mark.skipif(sys.platform != "linux", reason="threads are listed in /proc")
@pytest.mark.parametrize(("said", "threads"), [("", 1), ("2", min(2, os.cpu_count() or 1))])
def test_a_command_has_numpy_multiply_on_one_thread_unless_the_environment_says_how_many(
    said: str, threads: int
) -> None:
    code = (
        "import os\nfrom gtloc_forensics.cli.main import gtloc\ngtloc.commands['search']\nimport numpy\n"
        "print(len(os.listdir('/proc/self/task')))"
    )
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    environment |= {"OPENBLAS_NUM_THREADS": said} if said else {}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) == threads
