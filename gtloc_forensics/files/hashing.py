"""SHA-256 of files and bytes: the one place where content gets its name.

A file is read through :mod:`gtloc_forensics.files.opening`: no link is followed, no pipe is
waited for, and the access time stays where the system lets us.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from gtloc_forensics.files import opening

BLOCK_BYTES = 1 << 20


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a regular file, in hex.

    Raises:
        OSError: when it is gone, a link, no regular file, or may not be read.
    """
    with opening.quiet_file(path) as file:
        return sha256_of_descriptor(file.fileno())[0]


def sha256_or_none(path: Path) -> str | None:
    """Return the SHA-256 of a file, None where nothing stands at *path*.

    Raises:
        OSError: as :func:`sha256_of`, but for a file that is not there.
    """
    try:
        return sha256_of(path)
    except FileNotFoundError:
        return None


def sha256_of_descriptor(fd: int, *, write: Callable[[bytes], object] = len) -> tuple[str, int]:
    """Return the SHA-256 and the length of what an open descriptor gives, passing each block to *write*.

    Raises:
        OSError: as ``read(2)`` does.
    """
    return sha256_of_blocks(blocks_of_descriptor(fd), write=write)


def sha256_of_blocks(blocks: Iterable[bytes], *, write: Callable[[bytes], object] = len) -> tuple[str, int]:
    """Return the SHA-256 and the length of *blocks*, passing each to *write*."""
    digest, length = hashlib.sha256(), 0
    for block in blocks:
        digest.update(block)
        length += len(block)
        write(block)
    return digest.hexdigest(), length


def blocks_of_descriptor(fd: int) -> Iterator[bytes]:
    """Yield what an open descriptor gives, from where it stands.

    Raises:
        OSError: as ``read(2)`` does.
    """
    while block := os.read(fd, BLOCK_BYTES):
        yield block
