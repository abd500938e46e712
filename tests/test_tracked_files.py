"""What git tracks is source: nothing that a run left behind, which may tell of somebody's photos."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LEFT_BEHIND = {".pkl", ".pickle", ".sqlite", ".sqlite-wal", ".log", ".tmp", ".prof", ".npy"}


def test_nothing_that_a_run_left_behind_is_tracked() -> None:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout.decode()
    if not names:
        pytest.skip("needs a git checkout")
    assert [name for name in names.split("\0") if Path(name).suffix in LEFT_BEHIND] == []
