"""Which process made something, in words that another run can check: is it still at work?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

PROGRAM = "gtloc_forensics"

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def this_process() -> dict[str, str | int]:
    """Return what names this process among all that ever ran: our name, its number, its start, the machine's start."""
    return {"program": PROGRAM, "pid": os.getpid(), "started": _started(os.getpid()), "boot": _boot()}


def has_ended(said: Mapping[str, object]) -> bool:
    """Say whether what :func:`this_process` once said is of ours, and of a process that is no more.

    A process of another machine's, or of an earlier start of this one, counts as ended:
    whoever asks holds the lock of what both would write to.
    """
    pid = said.get("pid")
    if said.get("program") != PROGRAM or not isinstance(pid, int) or pid <= 0:
        return False
    if said.get("boot") != _boot():
        return True
    return not _is_running(pid) or said.get("started") != _started(pid)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True  # somebody else's
    return True


def _boot() -> str:
    """Return what changes with every start of the machine, "" where the system does not say."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _started(pid: int) -> int:
    """Return when a process began, in clock ticks since the machine's start; 0 where the system does not say."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return int(words.rpartition(")")[2].split()[19])  # proc(5): field 22; the name in brackets may hold spaces
    except (OSError, ValueError, IndexError):
        return 0
