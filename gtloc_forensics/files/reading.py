"""One file of the evidence, wherever it lies: below a folder, or in an image or archive that is the evidence.

What takes files in and what checks them asks here and does not know the difference.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gtloc_forensics.files import hashing, listing, opening, types
from gtloc_forensics.records import Candidate, FileStat, Skipped

if TYPE_CHECKING:
    from gtloc_forensics.files.containers.container import Container
    from gtloc_forensics.files.containers.identity import Identity


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
    def __init__(self, within: Container, relative: bytes) -> None:
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
    within = _container(evidence)
    if within is not None:
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
    within = _container(evidence)
    return opening.look(evidence, relative) if within is None else within.look(relative)


def entries(evidence: Path) -> Iterator[Candidate | Skipped]:
    """List everything in the evidence; see :func:`listing.walk` and :meth:`Container.walk`.

    Raises:
        UsageError: it is no folder and no container, or cannot be entered.
        ToolMissing: a container needs a package that is not installed.
    """
    within = _container(evidence)
    return listing.walk(evidence) if within is None else within.walk()


def identity_of(evidence: Path) -> Identity | None:
    """Return what the evidence is as a container, with its hashes; None for a folder."""
    within = _container(evidence)
    return None if within is None else within.identity


def _container(evidence: Path) -> Container | None:
    """Return the container that the evidence is, open; None for a folder, which needs none of what reads them."""
    if not evidence.is_file():
        return None
    from gtloc_forensics.files.containers import container

    return container.opened(evidence)
