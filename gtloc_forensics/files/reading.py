"""One file of the evidence, wherever it lies: in a folder, an image or archive, a store, or the index of an export.

What takes files in and what checks them asks here and does not know the difference.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files import export_indexes, hashing, listing, opening, types
from gtloc_forensics.files.containers.reach import LISTED, Reach
from gtloc_forensics.files.stores import addresses
from gtloc_forensics.records import Candidate, FileStat, Sentence, Skipped

__all__ = ["LISTED", "OpenFile", "Reach", "entries", "identity_of", "look", "source_file"]

if TYPE_CHECKING:
    from gtloc_forensics.files.containers.container import Container
    from gtloc_forensics.files.containers.identity import Identity
    from gtloc_forensics.files.stores.store import ObjectStore, StoreFacts


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
    def __init__(self, within: Container, relative: bytes) -> None:
        self._within, self._relative = within, relative

    def stat(self) -> FileStat:
        return self._within.look(self._relative)

    def listed(self) -> FileStat | None:
        return None

    def head(self) -> bytes:
        return self._within.head(self._relative)

    def blocks(self) -> Iterator[bytes]:
        return self._within.blocks(self._relative)


class _InIndex:
    def __init__(self, content: bytes, index: FileStat) -> None:
        self._content, self._index = content, index

    def stat(self) -> FileStat:
        return replace(self._index, size_bytes=len(self._content))

    def listed(self) -> FileStat | None:
        return None

    def head(self) -> bytes:
        return self._content[: types.HEAD_BYTES]

    def blocks(self) -> Iterator[bytes]:
        yield self._content


@contextmanager
def source_file(evidence: Path, relative: bytes) -> Iterator[OpenFile]:
    """Open a file of the evidence.

    Raises:
        OSError: when it is gone, is a link, is no regular file, or may not be read.
    """
    within_index, objects = export_indexes.parted(relative), _store(evidence)
    within = _container(evidence) if within_index is None else None
    if within_index is not None:
        yield _in_index(evidence, *within_index)
    elif within is not None:
        within.look(relative)
        yield _InContainer(within, relative)
    elif objects is not None:
        with objects.open(relative) as file:
            yield file
    else:
        with opening.regular_file(evidence, relative) as fd:
            yield _InFolder(fd)


def look(evidence: Path, relative: bytes) -> FileStat:
    """Return the stat tuple of a file without opening it.

    Raises:
        OSError: when it is gone or cannot be reached.
    """
    within_index, objects = export_indexes.parted(relative), _store(evidence)
    if within_index is not None:
        return _in_index(evidence, *within_index).stat()
    within = _container(evidence)
    if within is not None:
        return within.look(relative)
    return opening.look(evidence, relative) if objects is None else objects.look(relative)


_ONE_AT_A_TIME = threading.Lock()


def index_of(evidence: Path, relative: bytes) -> Mapping[str, bytes]:
    """Return what an index of an export says of each photo that it names; see :func:`export_indexes.entries`.

    Raises:
        NotRead: it is no index, is damaged, or too long.
        OSError: it is gone or cannot be read.
    """
    return _index_as_it_is(evidence, relative, look(evidence, relative))


def _in_index(evidence: Path, index: bytes, uri: str) -> _InIndex:
    stat = look(evidence, index)
    try:
        return _InIndex(_index_as_it_is(evidence, index, stat)[uri], stat)
    except (KeyError, export_indexes.NotRead) as error:
        raise FileNotFoundError(errno.ENOENT, "the index does not speak of it any more") from error


def _index_as_it_is(evidence: Path, relative: bytes, stat: FileStat) -> Mapping[str, bytes]:
    if stat.size_bytes > export_indexes.LIMIT_BYTES:
        reason = Sentence(
            "{size_mb:raw} MB is more than the {limit_mb:raw} MB that are read of an index",
            size_mb=stat.size_bytes >> 20,
            limit_mb=export_indexes.LIMIT_BYTES >> 20,
        )
        raise export_indexes.NotRead(reason, is_recognised=True)
    with _ONE_AT_A_TIME:  # the threads that take files in ask for the same one
        return _read_index(evidence, relative, replace(stat, atime_ns=0))


@lru_cache(maxsize=4)
def _read_index(evidence: Path, relative: bytes, _stat: FileStat) -> Mapping[str, bytes]:
    with source_file(evidence, relative) as file:
        return export_indexes.entries(b"".join(file.blocks()))


def as_listed(evidence: Path, relative: bytes) -> FileStat:
    """Return the stat tuple of a file, from the listing where a store was listed: that saves a question for each.

    Raises:
        OSError: when it is gone or cannot be reached.
    """
    objects = _store(evidence)
    listed = None if objects is None else objects.listed(relative)
    return listed if listed is not None else look(evidence, relative)


def entries(evidence: Path, reach: Reach = LISTED) -> Iterator[Candidate | Skipped]:
    """List everything in the evidence, of a container as far as *reach* asks.

    See :func:`listing.walk` and :meth:`Container.walk`.

    Raises:
        UsageError: it is no folder, no container and no store, or cannot be entered.
        ServerFailed: a store did not answer.
        ToolMissing: a container or a store needs a package that is not installed.
    """
    objects, within = _store(evidence), _container(evidence)
    if objects is not None:
        return objects.walk()
    return listing.walk(evidence) if within is None else within.walk(reach)


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


def _store(evidence: Path) -> ObjectStore | None:
    """Return the store that the evidence is, open; None for anything else, which needs none of what reads them."""
    if addresses.of_path(evidence) is None:
        return None
    from gtloc_forensics.files.stores import store

    return store.opened(evidence)


def facts_of_store(evidence: Path) -> StoreFacts | None:
    """Return what the evidence is as a store, and how much was listed; None for anything else.

    Raises:
        UsageError, ServerFailed, ToolMissing: it cannot be opened.
    """
    objects = _store(evidence)
    return None if objects is None else objects.facts()


def is_folder(evidence: Path) -> bool:
    """Say whether the evidence is a folder, beside whose files something could be written."""
    return not evidence.is_file() and addresses.of_path(evidence) is None


def is_store(evidence: Path) -> bool:
    """Say whether a path is the address of a store; a folder of that name comes first."""
    return not evidence.exists() and addresses.of_path(evidence) is not None


def is_there(evidence: Path) -> bool:
    """Say whether there is something to list; a store says so itself when it is asked."""
    return addresses.of_path(evidence) is not None or evidence.exists()


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
            "(s3://bucket/prefix; also gs://, abfs://, sftp://, smb://)"
        )
    name(address.path)
    _store(address.path)
    return address.path


def name(evidence: Path) -> None:
    """Note that somebody named this evidence; a store is opened for those alone, whatever a case says."""
    from gtloc_forensics.files.stores import store

    store.name(evidence)


def insist_on_named(evidence: Path) -> None:
    """Make sure that evidence may be opened: it is no store, or one that somebody named.

    Raises:
        UsageError, ServerFailed, ToolMissing: nobody named it, or it cannot be opened.
    """
    _store(evidence)


def named(evidence: Path) -> bytes:
    """Return how evidence is written down: the bytes of its path, or the address of a store."""
    address = addresses.of_path(evidence)
    return os.fsencode(evidence) if address is None else str(address).encode("utf-8", "surrogateescape")
