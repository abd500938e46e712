"""Files as a watcher sees them: their names, their states, and which states it has announced.

All of it is cheap: no file is opened, and the memory for what was announced does not grow.
"""

from __future__ import annotations

import os
import stat
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

from gtloc_forensics.files import opening

Key: TypeAlias = tuple[int, bytes]  # number of the root, path below it
State: TypeAlias = tuple[int, int, int]  # size, modification time, inode

ROW = 8

_TEMPORARY_ENDINGS = (
    *(b".part", b".partial", b".crdownload", b".tmp", b".temp", b".download", b".filepart", b".!ut", b".opdownload"),
    *(b".swp", b".lock", b"~"),
)
_TEMPORARY_BEGINNINGS = (b"~$", b"~syncthing~", b".")


def is_temporary(relative: bytes) -> bool:
    """Say whether a path is hidden or named as programs name files they have not finished."""
    folders, _, name = relative.lower().rpartition(b"/")
    hidden = any(part.startswith(b".") for part in folders.split(b"/"))
    return hidden or name.endswith(_TEMPORARY_ENDINGS) or name.startswith(_TEMPORARY_BEGINNINGS)


class Seen:
    """Which files were announced in which state, in a fixed amount of memory.

    A hash table of rows of eight places. A ninth file of one row takes the place of
    another: with 100,000 files announced that befalls about one in 30,000.
    """

    def __init__(self, rows: int = 1 << 16) -> None:
        """Make the table; *rows* is a power of two, 128 bytes each."""
        self._mask = rows - 1
        self._names = array("Q", bytes(8 * ROW * rows))
        self._states = array("Q", bytes(8 * ROW * rows))

    def holds(self, key: Key, state: State) -> bool:
        """Say whether this very state of the file was announced, as far as remembered."""
        place = self._find(_name(key))
        return place is not None and self._states[place] == _hash64(state)

    def put(self, key: Key, state: State) -> None:
        """Remember the state in which a file was announced."""
        name = _name(key)
        place = self._find(name)
        if place is None:
            place = self._find(0, row=name)
        if place is None:
            place = (name & self._mask) * ROW + (name >> 32) % ROW
        self._names[place], self._states[place] = name, _hash64(state)

    def forget(self, key: Key) -> None:
        """Make sure that the file counts as new."""
        place = self._find(_name(key))
        if place is not None:
            self._names[place] = 0

    def _find(self, name: int, *, row: int | None = None) -> int | None:
        first = ((name if row is None else row) & self._mask) * ROW
        return next((place for place in range(first, first + ROW) if self._names[place] == name), None)


def _name(key: Key) -> int:
    return _hash64(key) or 1  # 0 is an empty place


def _hash64(value: object) -> int:
    return hash(value) & 0xFFFF_FFFF_FFFF_FFFF


def state_of(root: Path, relative: bytes) -> State | None:
    """Return the state of a regular file; None when there is none of that name."""
    try:
        found = opening.look(root, relative)
    except OSError:
        return None
    return (found.size_bytes, found.mtime_ns, found.inode) if stat.S_ISREG(found.mode) else None


def files_below(root: Path, folder: bytes) -> Iterator[tuple[bytes, State]]:
    """Yield the regular files below a folder with their states; what cannot be read is left out.

    No folder is held open between two files: a card must stay free to be unmounted.
    """
    pending = [folder]
    while pending:
        here = pending.pop()
        prefix = here + b"/" if here else b""
        files, folders = _listed(root, here)
        pending += [prefix + name for name in sorted(folders, reverse=True)]
        for name, state in sorted(files):
            yield prefix + name, state


def _listed(root: Path, folder: bytes) -> tuple[list[tuple[bytes, State]], list[bytes]]:
    files: list[tuple[bytes, State]] = []
    folders: list[bytes] = []
    try:
        with opening.directory(root, folder) as fd:
            for name in opening.names(fd):
                found = _status(fd, name)
                if found is not None and stat.S_ISREG(found.st_mode):
                    files.append((name, (found.st_size, found.st_mtime_ns, found.st_ino)))
                elif found is not None and stat.S_ISDIR(found.st_mode) and not name.startswith(b"."):
                    folders.append(name)
    except OSError:
        return [], []
    return files, folders


def _status(fd: int, name: bytes) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=fd, follow_symlinks=False)
    except OSError:  # it vanished meanwhile
        return None
