"""Files that are either old or new: copies, replacements, hashes, times.

Every write goes to a temporary name in the folder of its target, is synchronised to
the disk, and takes the target's place in one step. Nothing is followed through a
symbolic link, and a source is read without changing its access time where the
system lets us.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

BLOCK = 1 << 20
TEMPORARY_PREFIX = ".gtloc-"
LONGEST_NAME = 255  # bytes, of one name on every file system in common use


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a regular file, leaving its access time where possible.

    Raises:
        OSError: also when it is not a regular file (ENOTSUP is not raised for a link: ELOOP is).
    """
    digest = hashlib.sha256()
    with reading(path) as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def sha256_or_none(path: Path) -> str | None:
    """Return the SHA-256, or None where nothing stands at *path*."""
    try:
        return sha256_of(path)
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file for reading: no links, no waiting on a FIFO, no new access time."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags | getattr(os, "O_NOATIME", 0))
    except PermissionError:  # O_NOATIME is for the owner alone
        handle = os.open(path, flags)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{path} is not a regular file")
        yield file


def copy_bytes(source: Path, target: Path) -> str:
    """Copy a file's bytes to a new file, on the disk when this returns, and return their SHA-256."""
    digest = hashlib.sha256()
    with reading(source) as incoming, creating(target) as outgoing:
        while block := incoming.read(BLOCK):
            digest.update(block)
            outgoing.write(block)
    return digest.hexdigest()


@contextlib.contextmanager
def creating(target: Path) -> Iterator[BinaryIO]:
    """Create a file that was not there; its content is on the disk when the block ends."""
    with target.open("xb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def synchronise(path: Path) -> None:
    """Make a file's content, or a folder's entries, survive a power cut."""
    if path.is_dir() and os.name == "nt":  # Windows cannot open a folder, nor needs it
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace(temporary: Path, target: Path) -> None:
    """Let *temporary* take the place of *target* in one step that survives a power cut."""
    synchronise(temporary)
    os.replace(temporary, target)  # noqa: PTH105 - one call that tests can watch
    synchronise(target.parent)


def remove(path: Path) -> None:
    """Remove a file that may be gone already."""
    path.unlink(missing_ok=True)
    if path.parent.is_dir():
        synchronise(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, and let their entries survive a power cut."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        synchronise(one.parent)


def temporary_for(target: Path, token: str) -> Path:
    """Return a short name beside *target*, with its suffix: tools go by it, and long names stay possible."""
    return target.with_name(f"{TEMPORARY_PREFIX}{token}{target.suffix[:16]}")


def copy_stat(source: Path, target: Path) -> None:
    """Give *target* the times, mode and extended attributes of *source* (not its owner)."""
    shutil.copystat(source, target, follow_symlinks=False)


def copy_owner(source: Path, target: Path) -> None:
    """Give *target* the owner and group of *source*, where we may."""
    found = source.stat()
    with contextlib.suppress(PermissionError, AttributeError):  # only root may; Windows has no such thing
        os.chown(target, found.st_uid, found.st_gid)


def set_times(path: Path, atime_ns: int, mtime_ns: int) -> None:
    """Set a file's access and modification time."""
    os.utime(path, ns=(atime_ns, mtime_ns))


def path_of(folder: Path, relative: bytes) -> Path:
    """Return the path of a name below *folder*, whatever bytes it has."""
    return folder / os.fsdecode(relative)


def passes_link(folder: Path, target: Path) -> bool:
    """Return whether a folder between *folder* and *target*, or the target itself, is a symbolic link."""
    between = target.relative_to(folder).parts
    current = folder
    for part in between:
        current = current / part
        if os.path.islink(current):  # noqa: PTH114 - says no, where Path would raise on a name too long
            return True
    return False


def is_regular(path: Path) -> bool:
    """Return whether a regular file stands there itself, not by way of a link; any obstacle is a no."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return False
