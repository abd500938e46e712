"""Files that are either old or new: copies, replacements, hashes, times.

Every write goes to a temporary name in the folder of its target, is synchronised to
the disk, and takes the target's place in one step. Nothing is followed through a
symbolic link, and a source is read without changing its access time where the
system lets us.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from gtloc_forensics.errors import CorrectionStopped
from gtloc_forensics.files.hashing import BLOCK_BYTES as BLOCK
from gtloc_forensics.files.hashing import sha256_of, sha256_of_descriptor, sha256_or_none
from gtloc_forensics.files.opening import quiet_file as reading
from gtloc_forensics.files.writing import refuse_inside, synchronise
from gtloc_forensics.records import visible

__all__ = [
    "BLOCK",
    "absolute",
    "copy_bytes",
    "copy_owner",
    "copy_stat",
    "creating",
    "is_regular",
    "make_folder",
    "passes_link",
    "path_of",
    "reading",
    "refuse_inside",
    "remove",
    "replace",
    "set_times",
    "sha256_of",
    "sha256_or_none",
    "synchronise",
    "temporary_for",
]

TEMPORARY_PREFIX = ".gtloc-"
LONGEST_NAME = 255  # bytes, of one name on every file system in common use


def copy_bytes(source: Path, target: Path) -> str:
    """Copy a file's bytes to a new file, on the disk when this returns, and return their SHA-256."""
    with reading(source) as incoming, creating(target) as outgoing:
        return sha256_of_descriptor(incoming.fileno(), write=outgoing.write)[0]


@contextlib.contextmanager
def creating(target: Path) -> Iterator[BinaryIO]:
    """Create a file that was not there; its content is on the disk when the block ends."""
    with target.open("xb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


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


def empty(workroom: Path) -> None:
    """Remove the files in a folder of our own in the case: drafts of ours, and what exiftool left beside them."""
    for left in workroom.iterdir():
        if left.is_symlink() or left.is_file():
            left.unlink()


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, and let their entries survive a power cut."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for name in missing:
        synchronise(name.parent)


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


def absolute(name: str) -> Path:
    """Return a path that a journal kept.

    Raises:
        CorrectionStopped: it is relative, and to what nobody knows any more.
    """
    path = Path(name)
    if not path.is_absolute():
        raise CorrectionStopped(
            f"the journal of an earlier version names {visible(os.fsencode(name))} without its folder, so that nobody "
            "can tell where it lies; put it back by hand: corrections/originals in the case has its bytes"
        )
    return path


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
