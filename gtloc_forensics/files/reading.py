"""One file of the evidence, wherever it lies: below a folder, or in an image or archive that is the evidence.

What takes files in and what checks them asks here and does not know the difference.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from gtloc_forensics.files import hashing, listing, opening, types
from gtloc_forensics.files.containers import container
from gtloc_forensics.files.containers.container import LISTED, Reach
from gtloc_forensics.files.containers.identity import Identity
from gtloc_forensics.records import Candidate, FileStat, Skipped

__all__ = ["LISTED", "OpenFile", "Reach", "entries", "identity_of", "look", "source_file"]


class OpenFile(Protocol):
    """A file of the evidence, open for reading."""

    def stat(self) -> FileStat:
        """Return the stat tuple as it is now."""

    def head(self) -> bytes:
        """Return its first bytes, enough to tell what it is."""

    def blocks(self) -> Iterator[bytes]:
        """Yield its content, once.

        Raises:
            OSError: it cannot be read.
        """


class _InFolder:
    def __init__(self, fd: int) -> None:
        self._fd = fd

    def stat(self) -> FileStat:
        return opening.file_stat(os.fstat(self._fd))

    def head(self) -> bytes:
        return os.pread(self._fd, types.HEAD_BYTES, 0)

    def blocks(self) -> Iterator[bytes]:
        return hashing.blocks_of_descriptor(self._fd)


class _InContainer:
    def __init__(self, within: container.Container, relative: bytes) -> None:
        self._within, self._relative = within, relative

    def stat(self) -> FileStat:
        return self._within.look(self._relative)

    def head(self) -> bytes:
        return self._within.head(self._relative)

    def blocks(self) -> Iterator[bytes]:
        return self._within.blocks(self._relative)


@contextmanager
def source_file(evidence: Path, relative: bytes) -> Iterator[OpenFile]:
    """Open a file of the evidence.

    Raises:
        OSError: when it is gone, is a link, is no regular file, or may not be read.
    """
    if container.is_container(evidence):
        within = container.opened(evidence)
        within.look(relative)
        yield _InContainer(within, relative)
    else:
        with opening.regular_file(evidence, relative) as fd:
            yield _InFolder(fd)


def look(evidence: Path, relative: bytes) -> FileStat:
    """Return the stat tuple of a file without opening it.

    Raises:
        OSError: when it is gone or cannot be reached.
    """
    if container.is_container(evidence):
        return container.opened(evidence).look(relative)
    return opening.look(evidence, relative)


def entries(evidence: Path, reach: Reach = LISTED) -> Iterator[Candidate | Skipped]:
    """List everything in the evidence, of a container as far as *reach* asks.

    See :func:`listing.walk` and :meth:`Container.walk`.

    Raises:
        UsageError: it is no folder and no container, or cannot be entered.
        ToolMissing: a container needs a package that is not installed.
    """
    return container.opened(evidence).walk(reach) if container.is_container(evidence) else listing.walk(evidence)


def identity_of(evidence: Path) -> Identity | None:
    """Return what the evidence is as a container, with its hashes; None for a folder."""
    if not container.is_container(evidence):
        return None
    within = container.opened(evidence)
    return within.identity
