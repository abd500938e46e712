"""A case on a medium that cannot be written is read like any other."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_case import INLINE, photo

from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.folder import DATABASE, LOCK
from gtloc_forensics.cli.main import ExitCode, gtloc


@pytest.fixture
def medium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Examine a folder, and make the case read-only: by a mount where that is allowed, else by permissions."""
    photo(tmp_path / "evidence" / "a.jpg", 1)
    with open_case(tmp_path / "evidence", tmp_path / "case") as case:
        case.audit(INLINE)
        case.write_findings()
        kept_open = case.store.engine.connect()  # so that the WAL is left beside the copy
        shutil.copytree(tmp_path / "case", tmp_path / "killed")
        kept_open.close()
    (tmp_path / "case" / LOCK).unlink(missing_ok=True)
    yield tmp_path


def read_only(folder: Path) -> bool:
    words = [["mount", "--bind", str(folder), str(folder)], ["mount", "-o", "remount,ro,bind", str(folder)]]
    if os.geteuid() == 0 and all(subprocess.run(word, capture_output=True).returncode == 0 for word in words):
        return True
    for path in (*folder.iterdir(), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return not os.access(folder, os.W_OK)


@pytest.mark.parametrize("name", ["case", "killed"])
def test_it_is_verified_exported_searched_and_reported(medium: Path, name: str) -> None:
    folder = medium / name
    (folder / LOCK).unlink(missing_ok=True)
    if name == "killed":
        assert (folder / f"{DATABASE}-wal").stat().st_size, "what the killed program had not folded in"
    if not read_only(folder):
        pytest.skip("nothing can be made read-only for this account here")
    try:
        before = sorted(path.name for path in folder.iterdir())
        commands = [
            ["verify", str(folder), "--sample", "1"],
            ["export", str(folder), "--format", "csv", "-o", str(medium / "out.csv")],
            ["report", str(folder), "-o", str(medium / "out.pdf")],
            ["search", str(folder), "--device", "Acme"],
        ]
        for words in commands:
            result = CliRunner().invoke(gtloc, words)
            assert result.exit_code == ExitCode.CLEAN, (words[0], result.output)
        refused = CliRunner().invoke(gtloc, ["report", str(folder), "-o", str(medium / "x.pdf"), "--examiner", "X"])
        assert refused.exit_code == ExitCode.FAILURE
        assert "cannot be written; copy the case folder" in refused.output
        assert sorted(path.name for path in folder.iterdir()) == before
    finally:
        subprocess.run(["umount", str(folder)], capture_output=True)
        folder.chmod(0o755)
