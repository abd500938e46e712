"""Where exiftool is, and whether it is one that may be started."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from exiftool.constants import DEFAULT_EXECUTABLE

from gtloc_forensics.errors import ToolFailed, ToolMissing, ToolTooOld

OLDEST = "12.38"
"""Earlier ones run a command hidden in a file name that ends in ``|`` (CVE-2022-23935)."""

OVERRIDE = "GTLOC_EXIFTOOL"

ANSWER_S = 30.0
"""How long a program may take to say its version."""

INSTALL = (
    "install it: `apt-get install libimage-exiftool-perl` on Debian and Ubuntu, `brew install exiftool` on macOS, "
    "`winget install OliverBetz.ExifTool` on Windows; or name it with the environment variable GTLOC_EXIFTOOL"
)


def locate(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the exiftool to use: $GTLOC_EXIFTOOL, else the PATH's; never one that lies in the working folder.

    Raises:
        ToolMissing: none of them is there; the message names the install commands.
    """
    named = environ.get(OVERRIDE, "")
    if named:
        found = shutil.which(named, path=environ.get("PATH"))
        if found is None:
            raise ToolMissing(f"exiftool ({OVERRIDE}={named})", INSTALL)
        return Path(found).absolute()
    # A relative entry of the PATH means the working folder, and that may be the evidence: it runs nothing of ours.
    entries = environ.get("PATH", os.defpath).split(os.pathsep)
    found = shutil.which(
        DEFAULT_EXECUTABLE, path=os.pathsep.join(entry for entry in entries if Path(entry).is_absolute())
    )
    if found is None:
        raise ToolMissing("exiftool", INSTALL)
    return Path(found)


def version(path: Path) -> str:
    """Return the version of the exiftool at *path*, e.g. ``12.57``.

    Raises:
        ToolTooOld: older than :data:`OLDEST`.
        ToolFailed: it cannot be started or does not say its version.
    """
    try:
        done = subprocess.run(
            [os.fspath(path), "-config", "", "-ver"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=ANSWER_S,
            check=False,
            env=environment(),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolFailed(f"{path} could not be asked for its version ({error}); {INSTALL}") from error
    return told_version(path, done.stdout)


def told_version(path: Path, said: bytes) -> str:
    """Return the version of the program at *path*, of what it *said* when it was asked.

    Raises:
        ToolTooOld: older than :data:`OLDEST`.
        ToolFailed: that is no version.
    """
    found = said.decode("ascii", "replace").strip()
    if not re.fullmatch(r"\d+\.\d+", found):
        raise ToolFailed(f"{path} does not answer like exiftool (it said {found[:60]!r}); {INSTALL}")
    if numbers(found) < numbers(OLDEST):
        raise ToolTooOld("exiftool", found, OLDEST, f"it can be made to run commands (CVE-2022-23935); {INSTALL}")
    return found


def numbers(text: str) -> tuple[int, ...]:
    """Return ``12.38`` as ``(12, 38)``, for comparing."""
    return tuple(int(part) for part in text.split("."))


def environment() -> dict[str, str]:
    """Return the child's environment: UTC, UTF-8, and no variable that makes Perl load code."""
    kept = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH")
    passed = {name: os.environ[name] for name in kept if name in os.environ}
    return {**passed, "TZ": "UTC", "LC_ALL": "C.UTF-8", "PERL_BADLANG": "0"}
