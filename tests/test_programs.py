"""A program ends as soon as its command is done, and leaves nothing undone for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PREAMBLE = """
import atexit, os, sys, tempfile, threading, time, weakref
from gtloc_forensics.cli import programs

class Last:
    def __del__(self):
        os.write(2, b"taken apart\\n")

last = Last()
atexit.register(lambda: print("asked for at the end"))
"""


def ended(code: str) -> subprocess.CompletedProcess[str]:
    """Run *code* in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", PREAMBLE + code], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(("said", "code"), [("None", 0), ("0", 0), ("3", 3), ("259", 3)])
def test_what_was_printed_and_asked_for_is_done_and_the_code_is_told(said: str, code: int) -> None:
    done = ended(f"print('before'); programs._left_at_once(lambda: sys.exit({said}))")
    assert (done.returncode, done.stdout, done.stderr) == (code, "before\nasked for at the end\n", "")


def test_a_message_in_place_of_a_code_is_printed_as_python_does() -> None:
    done = ended("programs._left_at_once(lambda: sys.exit('no'))")
    assert done.returncode == 1
    assert "no" in done.stderr


def test_a_thread_that_works_is_waited_for() -> None:
    done = ended(
        "thread = threading.Thread(target=lambda: (time.sleep(0.5), print('worked')))\n"
        "thread.start()\nprograms._left_at_once(lambda: sys.exit(1))"
    )
    assert done.returncode == 1
    assert "worked" in done.stdout


def test_a_folder_that_is_to_go_at_the_end_is_gone(tmp_path: Path) -> None:
    done = ended(
        f"folder = tempfile.TemporaryDirectory(dir={str(tmp_path)!r})\n"
        "assert os.path.isdir(folder.name)\nprograms._left_at_once(lambda: sys.exit(0))"
    )
    assert done.returncode == 0
    assert not list(tmp_path.iterdir())


def test_a_fault_is_still_told() -> None:
    done = ended("programs._left_at_once(lambda: 1 / 0)")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("arguments", [["--version"], ["audit", "--help"], ["nothing"]])
def test_the_module_is_the_program(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gtloc_forensics", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == (2 if arguments == ["nothing"] else 0)
    assert done.stdout or done.stderr
