"""One container, open: what lies in it, as candidates whose paths begin with its name, ``card.E01!/p1/DCIM/…``.

A container is listed and hashed once, when it is opened; the list is kept in an unnamed
file. Everything else asks for members by their path. It stays open until its files
change or another one is asked for.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files import hashing, opening
from gtloc_forensics.files.containers import kinds
from gtloc_forensics.files.containers.disk_images import DiskImage
from gtloc_forensics.files.containers.identity import Identity, Part, hashes_of
from gtloc_forensics.files.containers.inventory import Inventory
from gtloc_forensics.files.containers.kinds import Kind
from gtloc_forensics.files.containers.media import EwfMedia, Media, RawMedia
from gtloc_forensics.files.containers.members import Reader
from gtloc_forensics.files.containers.seven_zips import SevenZipArchive
from gtloc_forensics.files.containers.tars import TarArchive
from gtloc_forensics.files.containers.zips import ZipArchive
from gtloc_forensics.records import Candidate, FileStat, Skipped

INNER = b"!/"
"""What stands between a container's name and the path in it."""

_READERS: Mapping[Kind, Any] = {
    Kind.RAW: DiskImage,
    Kind.EWF: DiskImage,
    Kind.ZIP: ZipArchive,
    Kind.TAR: TarArchive,
    Kind.SEVEN_ZIP: SevenZipArchive,
}


def is_container(evidence: Path) -> bool:
    """Say whether the evidence of a case is a file, and so a container, not a folder."""
    return evidence.is_file()


class Container:
    """An image or an archive, open for reading. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        """Open, hash and list what *path* is, or is the first segment of.

        Raises:
            UsageError: it is nothing that is read, is damaged, or a segment is missing.
            ToolMissing: a package of the extra ``images`` is needed.
            WorkspaceFull: there is no room for the list, or for what has to be unpacked.
        """
        self.path = path
        kind = kinds.kind_of(path)
        if kinds.first_part(path) != path:
            raise UsageError(f"{path} is a segment of a split image; name the first, {kinds.first_part(path).name}")
        self._parts = kinds.parts_of(path)
        self._state = _state(self._parts)
        self._name = os.fsencode(path.name)
        self._media = _media(kind, self._parts)
        try:
            self.identity = self._identified(kind)
            reader = _READERS[kind]
            self._reader: Reader = reader(self._media, str(path), identity=self.identity.number)
            read_with = ", ".join(filter(None, (self._media.libraries, self._reader.libraries)))
            self.identity = replace(self.identity, libraries=read_with)
        except UsageError as error:
            self._media.close()
            raise self._explained(error) from error
        except BaseException:
            self._media.close()
            raise
        try:
            with opening.told_when_full():
                self._inventory = Inventory(self._reader, before=self._name + INNER)
        except OSError as error:
            self._reader.close()
            self._media.close()
            raise UsageError(f"{path} could not be listed: {opening.words(error)}; acquire it again") from error

    def _explained(self, error: UsageError) -> UsageError:
        """Return why it is not read, with what is wrong with the container itself where that is known."""
        identity = getattr(self, "identity", None)
        return error if identity is None or identity.mismatch is None else UsageError(f"{error}; {identity.mismatch}")

    def _identified(self, kind: Kind) -> Identity:
        try:
            parts = tuple(
                Part(os.fsencode(part.name), part.stat().st_size, hashing.sha256_of(part)) for part in self._parts
            )
        except OSError as error:
            raise UsageError(f"{self.path} cannot be read: {opening.words(error)}") from error
        media, unread = hashes_of(self._media)
        return Identity(
            kind=kind.value,
            parts=parts,
            media_bytes=self._media.size_bytes,
            media=media,
            stored=self._media.stored,
            unread=unread,
            said=self._media.said,
        )

    def walk(self) -> Iterator[Candidate | Skipped]:
        """Yield everything in it, folder by folder, and first whether it is not what it says it is."""
        if self.identity.mismatch is not None:
            yield Skipped(self._name, self.identity.mismatch, blocks=True)
        yield from self._inventory.walk()

    def look(self, relative: bytes) -> FileStat:
        """Return what the container records of a member.

        Raises:
            FileNotFoundError: there is no such member, or none that is read.
        """
        return self._inventory.look(relative)

    def head(self, relative: bytes) -> bytes:
        """Return the first bytes of a member.

        Raises:
            OSError: it is not there or cannot be read.
        """
        return self._inventory.head(relative)

    def blocks(self, relative: bytes) -> Iterator[bytes]:
        """Yield the content of a member; other threads may read in between.

        Raises:
            OSError: it is not there, cannot be read, or is longer than what is examined.
        """
        return self._inventory.blocks(relative)

    def is_current(self) -> bool:
        """Say whether its files are still there as they were when it was opened."""
        return self._state == _state(self._parts)

    def close(self) -> None:
        """Close its files."""
        self._inventory.close()
        self._reader.close()
        self._media.close()


def _media(kind: Kind, parts: tuple[Path, ...]) -> Media:
    return EwfMedia(parts) if kind is Kind.EWF else RawMedia(parts)


def _state(parts: tuple[Path, ...]) -> tuple[tuple[int, ...], ...]:
    """Return what changes when one of the files of a container does; an empty tuple stands for one that is gone."""
    found: list[tuple[int, ...]] = []
    for part in parts:
        stat: tuple[int, ...] = ()
        with suppress(OSError):
            now = part.stat()
            stat = (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino, now.st_dev)
        found.append(stat)
    return tuple(found)


_open: dict[Path, Container] = {}
_opening = threading.Lock()


def opened(evidence: Path) -> Container:
    """Return the container *evidence*, opened now or before; only the one asked for last stays open.

    Raises:
        UsageError, ToolMissing, WorkspaceFull: as :class:`Container`.
    """
    with _opening:
        path = evidence.resolve()
        known = _open.get(path)
        if known is not None and known.is_current():
            return known
        for left in _open.values():
            left.close()
        _open.clear()
        _open[path] = made = Container(path)
        return made
