"""What kind of file system a folder lies on, and where in it, as the kernel lists it.

Change notices are made by the kernel that makes the change: on a share written by
another machine none arrive, so a folder there has to be looked at instead. And one
folder may be mounted at two places: its place *within* its file system tells that
both are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MOUNTINFO = Path("/proc/self/mountinfo")

REMOTE_TYPES = frozenset(
    [
        *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "ncpfs", "afs", "coda", "davfs"),
        *("ceph", "glusterfs", "gfs2", "lustre", "ocfs2"),
        *("9p", "vboxsf", "vmhgfs", "virtiofs", "prl_fs"),  # a virtual machine's host
    ]
)


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of proc(5) ``/proc/self/mountinfo``: what is mounted, and where."""

    device: str  # "major:minor"
    root: PurePosixPath  # the folder of the file system that shows at ``point``
    point: PurePosixPath
    kind: str


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A place within a file system, the same by whatever mount it is reached."""

    device: str
    inner: PurePosixPath


def file_system_type(folder: Path, *, mountinfo: str | None = None) -> str:
    """Return the type of the mount that holds *folder*, ``""`` where the system does not list it.

    Args:
        folder: need not exist.
        mountinfo: the text of proc(5) ``/proc/self/mountinfo``; read from there by default.
    """
    mount = _mount_of(PurePosixPath(folder.resolve()), mountinfo)
    return "" if mount is None else mount.kind


def whereabouts(path: Path, *, mountinfo: str | None = None) -> Whereabouts | None:
    """Return where a path, which need not exist, lies within its file system; None where the system does not say.

    Args:
        path: resolved: absolute and without links.
        mountinfo: as for :func:`file_system_type`.
    """
    place = PurePosixPath(path)
    mount = _mount_of(place, mountinfo)
    return None if mount is None else Whereabouts(mount.device, mount.root / place.relative_to(mount.point))


def mount_points_below(folder: Path, *, mountinfo: str | None = None) -> tuple[PurePosixPath, ...]:
    """Return what is mounted at or below *folder*, which is resolved: what must not be removed with it."""
    place = PurePosixPath(folder)
    return tuple(mount.point for mount in _mounts(mountinfo) if mount.point.is_relative_to(place))


def is_remote(kind: str) -> bool:
    """Say whether changes on such a file system may be made where our kernel does not see them."""
    return kind in REMOTE_TYPES or kind.startswith("fuse")


def _mount_of(place: PurePosixPath, mountinfo: str | None) -> Mount | None:
    best: Mount | None = None
    for mount in _mounts(mountinfo):
        # Of two mounts on one place the later line is the one on top.
        if place.is_relative_to(mount.point) and (best is None or len(mount.point.parts) >= len(best.point.parts)):
            best = mount
    return best


def _mounts(mountinfo: str | None) -> Iterator[Mount]:
    for line in (_listed() if mountinfo is None else mountinfo).splitlines():
        mounted, _, described = line.partition(" - ")
        fields = mounted.split(" ")
        if len(fields) >= 5 and described:
            root, point = (PurePosixPath(_unescaped(field)) for field in fields[3:5])
            yield Mount(fields[2], root, point, described.split(" ")[0])


def _listed() -> str:
    try:
        return MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _unescaped(field: str) -> str:
    """Undo the octal escapes of proc(5): space, tab, newline and backslash."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), field)
