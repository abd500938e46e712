"""What kind of file system a folder lies on, as the kernel lists it.

Change notices are made by the kernel that makes the change: on a share written by
another machine none arrive, so a folder there has to be looked at instead.
"""

from __future__ import annotations

import re
from pathlib import Path

MOUNTINFO = Path("/proc/self/mountinfo")

REMOTE_TYPES = frozenset(
    [
        *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "ncpfs", "afs", "coda", "davfs"),
        *("ceph", "glusterfs", "gfs2", "lustre", "ocfs2"),
        *("9p", "vboxsf", "vmhgfs", "virtiofs", "prl_fs"),  # a virtual machine's host
    ]
)


def file_system_type(folder: Path, *, mountinfo: str | None = None) -> str:
    """Return the type of the mount that holds *folder*, ``""`` where the system does not list it.

    Args:
        folder: need not exist.
        mountinfo: the text of proc(5) ``/proc/self/mountinfo``; read from there by default.
    """
    text = _listed() if mountinfo is None else mountinfo
    place = folder.resolve()
    best, kind = -1, ""
    for line in text.splitlines():
        mounted, _, described = line.partition(" - ")
        fields = mounted.split(" ")
        if len(fields) < 5 or not described:
            continue
        point = Path(_unescaped(fields[4]))
        # Of two mounts on one place the later line is the one on top.
        if (place == point or point in place.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), described.split(" ")[0]
    return kind


def is_remote(kind: str) -> bool:
    """Say whether changes on such a file system may be made where our kernel does not see them."""
    return kind in REMOTE_TYPES or kind.startswith("fuse")


def _listed() -> str:
    try:
        return MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _unescaped(field: str) -> str:
    """Undo the octal escapes of proc(5): space, tab, newline and backslash."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
