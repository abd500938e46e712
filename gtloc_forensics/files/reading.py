"""One file of the evidence, wherever it lies: below a folder, in an image or archive that is the evidence, in a store.

What takes files in and what checks them asks here and does not know the difference.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files import hashing, listing, opening, types
from gtloc_forensics.files.containers import container
from gtloc_forensics.files.containers.identity import Identity
from gtloc_forensics.files.stores import addresses, store
from gtloc_forensics.files.stores.store import StoreFacts
from gtloc_forensics.records import Candidate, FileStat, Skipped


class OpenFile(Protocol):
    """A file of the evidence, open for reading."""

    def stat(self) -> FileStat:
        """Return the stat tuple as it is now."""

    def listed(self) -> FileStat | None:
        """Return what a listing made earlier said of it; None where there is none but the file itself."""

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

    def listed(self) -> FileStat | None:
        return None

    def head(self) -> bytes:
        return os.pread(self._fd, types.HEAD_BYTES, 0)

    def blocks(self) -> Iterator[bytes]:
        return hashing.blocks_of_descriptor(self._fd)


class _InContainer:
    def __init__(self, within: container.Container, relative: bytes) -> None:
        self._within, self._relative = within, relative

    def stat(self) -> FileStat:
        return self._within.look(self._relative)

    def listed(self) -> FileStat | None:
        return None

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
    elif store.is_store(evidence):
        with store.opened(evidence).open(relative) as file:
            yield file
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
    if store.is_store(evidence):
        return store.opened(evidence).look(relative)
    return opening.look(evidence, relative)


def as_listed(evidence: Path, relative: bytes) -> FileStat:
    """Return the stat tuple of a file, from the listing where a store was listed: that saves a question for each.

    Raises:
        OSError: when it is gone or cannot be reached.
    """
    listed = store.opened(evidence).listed(relative) if store.is_store(evidence) else None
    return listed if listed is not None else look(evidence, relative)


def entries(evidence: Path) -> Iterator[Candidate | Skipped]:
    """List everything in the evidence; see :func:`listing.walk` and :meth:`Container.walk`.

    Raises:
        UsageError: it is no folder, no container and no store, or cannot be entered.
        ServerFailed: a store did not answer.
        ToolMissing: a container or a store needs a package that is not installed.
    """
    if store.is_store(evidence):
        return store.opened(evidence).walk()
    return container.opened(evidence).walk() if container.is_container(evidence) else listing.walk(evidence)


def identity_of(evidence: Path) -> Identity | None:
    """Return what the evidence is as a container, with its hashes; None for a folder."""
    if not container.is_container(evidence):
        return None
    within = container.opened(evidence)
    return within.identity


def facts_of_store(evidence: Path) -> StoreFacts | None:
    """Return what the evidence is as a store, and how much was listed; None for anything else.

    Raises:
        UsageError, ServerFailed, ToolMissing: it cannot be opened.
    """
    return store.opened(evidence).facts() if store.is_store(evidence) else None


def is_folder(evidence: Path) -> bool:
    """Say whether the evidence is a folder, beside whose files something could be written."""
    return not container.is_container(evidence) and not store.is_store(evidence)


def is_store(evidence: Path) -> bool:
    """Say whether a path is the address of a store; a folder of that name comes first."""
    return not evidence.exists() and store.is_store(evidence)


def is_there(evidence: Path) -> bool:
    """Say whether there is something to list; a store says so itself when it is asked."""
    return store.is_store(evidence) or evidence.exists()


def door(evidence: Path) -> Path:
    """Return evidence as a case names it: an absolute path, or that of a store's address, which is opened.

    Raises:
        UsageError: it is no folder, no file and no address of a store, or an address that carries a secret; the store
            is not there or gives no right.
        ServerFailed, ToolMissing: the store did not answer, or needs a package that is not installed.
    """
    if evidence.is_dir() or evidence.is_file():
        return evidence.resolve()
    address = addresses.of_path(evidence)
    if address is None:
        raise UsageError(
            f"{evidence} is not a folder; name the folder that holds the photos, an image or an archive, or a store "
            "(s3://bucket/prefix)"
        )
    store.name(address.path)
    store.opened(address.path)
    return address.path


def name(evidence: Path) -> None:
    """Note that somebody named this evidence; a store is opened for those alone, whatever a case says."""
    store.name(evidence)


def insist_on_named(evidence: Path) -> None:
    """Make sure that evidence may be opened: it is no store, or one that somebody named.

    Raises:
        UsageError, ServerFailed, ToolMissing: nobody named it, or it cannot be opened.
    """
    if store.is_store(evidence):
        store.opened(evidence)


def named(evidence: Path) -> bytes:
    """Return how evidence is written down: the bytes of its path, or the address of a store."""
    address = addresses.of_path(evidence)
    return os.fsencode(evidence) if address is None else str(address).encode("utf-8", "surrogateescape")
