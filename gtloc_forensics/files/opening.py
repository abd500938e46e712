"""Opening what lies beneath a folder, without following a link and without a trace.

Every path is walked component by component from the folder's own descriptor, so
that a directory swapped for a symbolic link cannot lead outside, and a path may
be longer than the system's limit for one call. Files and directories are opened
with ``O_NOATIME`` where we may: only the owner of a file or root can. There
the access time moves by the system's own rules and is not put back, because
setting it would change the inode change time, which is evidence too and cannot
be set back.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gtloc_forensics.errors import WorkspaceFull
from gtloc_forensics.records import FileStat, Sentence, Statement, template

_SAFE = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NOCTTY
_NO_ATIME = getattr(os, "O_NOATIME", 0)  # Linux only
# A descriptor that only names the place: needs no read permission, changes nothing (Linux; elsewhere a plain open).
_PLACE = getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC | os.O_DIRECTORY

_ST_NOATIME = 1024  # statvfs(3) on Linux; Python names only ST_RDONLY and ST_NOSUID


def open_quietly(name: bytes | Path, flags: int = 0, *, dir_fd: int | None = None) -> int:
    """Open for reading without following a link, blocking on a pipe or (where allowed) moving the access time.

    Raises:
        OSError: as ``open(2)`` does.
    """
    try:
        return os.open(name, _SAFE | _NO_ATIME | flags, dir_fd=dir_fd)
    except PermissionError:
        if not _NO_ATIME:
            raise
        return os.open(name, _SAFE | flags, dir_fd=dir_fd)  # somebody else's file that we may read


@contextmanager
def directory(root: Path, relative: bytes) -> Iterator[int]:
    """Open a directory beneath *root* for listing (``b""`` is *root* itself).

    Raises:
        OSError: when it is gone, is no directory, is a link, or may not be read.
    """
    with _parent(root, relative) as (parent_fd, name):
        fd = open_quietly(name or b".", os.O_DIRECTORY, dir_fd=parent_fd)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def regular_file(root: Path, relative: bytes) -> Iterator[int]:
    """Open a regular file beneath *root* for reading.

    The kind is looked at before the file is opened: opening a device can act on it.

    Raises:
        OSError: when it is gone, is a link, is no regular file, or may not be read.
    """
    with _parent(root, relative) as (parent_fd, name):
        _insist_on_regular(os.stat(name, dir_fd=parent_fd, follow_symlinks=False))
        fd = open_quietly(name, dir_fd=parent_fd)
    try:
        _insist_on_regular(os.fstat(fd))
        yield fd
    finally:
        os.close(fd)


@contextmanager
def quiet_file(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file at any path for reading, neither through a link nor waiting on a pipe.

    Raises:
        OSError: when it is gone, is a link, is no regular file, or may not be read.
    """
    _insist_on_regular(path.lstat())
    fd = open_quietly(path)
    with os.fdopen(fd, "rb") as file:
        _insist_on_regular(os.fstat(fd))
        yield file


def look(root: Path, relative: bytes) -> FileStat:
    """Return the stat tuple of an entry beneath *root* without opening it.

    Raises:
        OSError: when it is gone or a folder on the way may not be entered.
    """
    with _parent(root, relative) as (parent_fd, name):
        return file_stat(os.stat(name, dir_fd=parent_fd, follow_symlinks=False))


def file_stat(found: os.stat_result) -> FileStat:
    """Turn the system's stat result into a record; the birth time is there where Python gives it."""
    birth_s: float | None = getattr(found, "st_birthtime", None)
    return FileStat(
        size_bytes=found.st_size,
        mtime_ns=found.st_mtime_ns,
        ctime_ns=found.st_ctime_ns,
        atime_ns=found.st_atime_ns,
        mode=found.st_mode,
        inode=found.st_ino,
        device=found.st_dev,
        links=found.st_nlink,
        birth_ns=None if birth_s is None else round(birth_s * 1_000_000_000),
    )


def reading_leaves_no_trace(fd: int) -> bool:
    """Say whether the mount behind *fd* records no access at all (read-only or ``noatime``)."""
    return bool(os.fstatvfs(fd).f_flag & (os.ST_RDONLY | _ST_NOATIME))


def _insist_on_regular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, Sentence("no file any more but {kind}", kind=kind_of_special(found.st_mode)))


def kind_of_special(mode: int) -> Sentence:
    """Name what is neither a file nor a folder, in words."""
    kinds = (
        (stat.S_ISLNK, template("a symbolic link")),
        (stat.S_ISFIFO, template("a named pipe")),
        (stat.S_ISSOCK, template("a socket")),
        (stat.S_ISBLK, template("a block device")),
        (stat.S_ISCHR, template("a character device")),
        (stat.S_ISDIR, template("a folder")),
    )
    found = next((said for test, said in kinds if test(mode)), template("an entry of unknown kind"))
    return Sentence(found)


def names(fd: int) -> list[bytes]:
    """List the names in an open directory, unsorted."""
    listed: list[str] = os.listdir(fd)
    return [os.fsencode(name) for name in listed]


def is_full(error: OSError) -> bool:
    """Say whether an error means that there is no room: on the disk, in a quota, or within a file size limit."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def told_when_full(place: Path | None = None) -> Iterator[None]:
    """Turn what the system says of a full disk into an error of its own that names the folder.

    Args:
        place: the folder written to; left out, it is the file that the system names, else the one for temporary files.

    Raises:
        WorkspaceFull: there is no room.
    """
    try:
        yield
    except OSError as error:
        if is_full(error):
            full = place or Path(os.fsdecode(error.filename or tempfile.gettempdir()))
            raise WorkspaceFull(full) from error
        raise


_OF_THE_SYSTEM = frozenset(
    (
        template("permission denied"),
        template("no such file or directory"),
        template("not a directory"),
        template("is a directory"),
        template("input/output error"),
        template("stale file handle"),
        template("too many levels of symbolic links"),
        template("file name too long"),
        template("too many open files"),
        template("operation not permitted"),
        template("no such device or address"),
        template("transport endpoint is not connected"),
        template("connection timed out"),
        template("structure needs cleaning"),
    )
)
"""What Linux says, in English, of reading that does not succeed; anything else is quoted as it is."""


def words(error: OSError) -> Statement:
    """Return what the system says of an error, for the middle of a sentence."""
    if isinstance(error.strerror, Sentence):
        return error.strerror
    said = (error.strerror or str(error)).lower()
    return Sentence(said) if said in _OF_THE_SYSTEM else said


@contextmanager
def _parent(root: Path, relative: bytes) -> Iterator[tuple[int, bytes]]:
    """Open the directory that holds *relative*, one component at a time; yield it with the last name."""
    *folders, name = relative.split(b"/")
    fd = os.open(root, _PLACE)
    try:
        for folder in folders:
            below = os.open(folder, _PLACE | os.O_NOFOLLOW, dir_fd=fd)
            os.close(fd)
            fd = below
        yield fd, name
    finally:
        os.close(fd)
