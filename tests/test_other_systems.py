"""What this program says on systems that nobody here can run it on, and how paths of Windows are taken."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path, PureWindowsPath

import pytest
from builders import a_claim

from gtloc_forensics.correct.names import renamed
from gtloc_forensics.correct.repairs import subject
from gtloc_forensics.files import confined
from gtloc_forensics.metadata.catalogues import tables

WITHOUT = (
    "import sys\nfor name in ('resource', 'pwd', 'grp', 'fcntl', 'termios'):\n    sys.modules[name] = None\n"
    "from gtloc_forensics.cli.main import gtloc\ngtloc(sys.argv[1:])\n"
)
"""Runs the program without the modules that Python on Windows does not have."""


def on_windows(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WITHOUT, *arguments], capture_output=True, text=True, timeout=240
    )


def test_where_pictures_cannot_be_decoded_in_confinement_an_audit_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    done = on_windows("audit", str(tmp_path / "photos"), "-o", str(tmp_path / "case"))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "use WSL 2 or the container" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("arguments", [("--help",), ("audit", "--help"), ("completion", "bash")])
def test_what_needs_no_picture_works_without_those_modules(arguments: tuple[str, ...]) -> None:
    done = on_windows(*arguments)
    assert done.returncode == 0, done.stderr


def test_on_macos_no_limit_of_addresses_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(resource, "setrlimit", lambda what, _: asked.append(what))
    for platform, limited in (("linux", True), ("darwin", False)):
        asked.clear()
        monkeypatch.setattr(confined.sys, "platform", platform)
        confined.limit(64 << 30)
        assert (resource.RLIMIT_AS in asked) is limited
        assert resource.RLIMIT_FSIZE in asked


def test_a_catalogue_that_was_kept_on_windows_names_photos_like_one_kept_here() -> None:
    path = PureWindowsPath("C:/Users/a/Pictures/trip/IMG_1.JPG")
    assert tables.joined(str(path.parent.parent) + "\\", "trip\\", path.name) == path.as_posix()
    assert tables.joined("C:/Users/a/Pictures/", "trip/", "IMG_1.JPG") == path.as_posix()


def test_no_name_that_a_plan_gives_is_one_that_windows_refuses() -> None:
    made = subject(b"trip/IMG_1.JPG", "0" * 64, a_claim(name="trip/IMG_1.JPG", local="2024-06-15 12:00:00"))
    (change,), _ = renamed([made])
    assert not set(change.new) & set('<>:"/\\|?*')
    assert not PureWindowsPath(change.new).is_reserved()
