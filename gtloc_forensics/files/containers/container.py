"""The evidence as a container: what lies in it, as candidates whose paths begin with its name, ``card.E01!/p1/DCIM/…``.

A container is listed and hashed once, when it is opened; the list is kept in an unnamed
file. Everything else asks for members by their path. It stays open until its files
change or another one is asked for.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files import hashing, opening
from gtloc_forensics.files.containers import kinds
from gtloc_forensics.files.containers.identity import Identity, Part, hashes_of
from gtloc_forensics.files.containers.kinds import Kind
from gtloc_forensics.files.containers.layers import Layer
from gtloc_forensics.files.containers.media import EwfMedia, Media, RawMedia, opened_files
from gtloc_forensics.files.containers.members import MOST_BYTES, Unreadable, too_long
from gtloc_forensics.files.containers.nesting import Within
from gtloc_forensics.files.containers.reach import LISTED, Reach
from gtloc_forensics.records import Candidate, FileStat, Skipped


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
        self._lock = threading.RLock()
        kind = kinds.kind_of(path)
        if kinds.first_part(path) != path:
            raise UsageError(f"{path} is a segment of a split image; name the first, {kinds.first_part(path).name}")
        self._parts = kinds.parts_of(path)
        self._state = _state(self._parts)
        self._name = os.fsencode(path.name)
        media = _media(kind, self._parts)
        try:
            self.identity = self._identified(kind, media)
            self._root = Layer(self._name, kind, media, str(path), identity=self.identity.number, lock=self._lock)
            self.identity = replace(self.identity, libraries=self._root.libraries)
        except UsageError as error:
            media.close()
            raise self._explained(error) from error
        except BaseException:
            media.close()
            raise
        try:
            self._root.list_members(refuses_the_unknown=self.identity.mismatch is not None)
        except UsageError as error:
            self._root.close()
            raise self._explained(error) from error
        except OSError as error:
            self._root.close()
            raise UsageError(f"{path} could not be listed: {opening.words(error)}; acquire it again") from error
        except BaseException:
            self._root.close()
            raise
        self._within = Within(self._root, media.size_bytes, identity=self.identity.number, lock=self._lock)

    def _explained(self, error: UsageError) -> UsageError:
        """Return why it is not read, with what is wrong with the container itself where that is known."""
        identity = getattr(self, "identity", None)
        return error if identity is None or identity.mismatch is None else UsageError(f"{error}; {identity.mismatch}")

    def _identified(self, kind: Kind, media: Media) -> Identity:
        try:
            parts = tuple(
                Part(os.fsencode(part.name), part.stat().st_size, hashing.sha256_of(part)) for part in self._parts
            )
        except OSError as error:
            raise UsageError(f"{self.path} cannot be read: {opening.words(error)}") from error
        content, unread = hashes_of(media)
        return Identity(
            kind=kind.value,
            parts=parts,
            media_bytes=media.size_bytes,
            media=content,
            stored=media.stored,
            unread=unread,
            said=media.said,
        )

    def walk(self, reach: Reach = LISTED) -> Iterator[Candidate | Skipped]:
        """Yield everything in it, folder by folder, and first whether it is not what it says it is.

        Then come, as far as *reach* asks for it, what was carved and what lies in containers within.
        """
        if self.identity.mismatch is not None:
            yield Skipped(self._name, self.identity.mismatch, blocks=True)
        yield from self._root.walk()
        if reach.carved:
            yield from self._root.carve()
        yield from self._within.walk(carved=reach.carved) if reach.nested else self._root.not_opened()

    def look(self, relative: bytes) -> FileStat:
        """Return what the container records of a member.

        Raises:
            OSError: there is no such member, or none that is read.
        """
        return self._within.found(relative)[1].stat

    def head(self, relative: bytes) -> bytes:
        """Return the first bytes of a member.

        Raises:
            OSError: it is not there or cannot be read.
        """
        with self._lock:
            layer, member = self._within.found(relative)
            return layer.head(member)

    def blocks(self, relative: bytes) -> Iterator[bytes]:
        """Yield the content of a member; other threads may read in between.

        Raises:
            OSError: it is not there, cannot be read, or is longer than what is examined.
        """
        layer, member = self._within.found(relative)
        if member.stat.size_bytes > MOST_BYTES:
            raise Unreadable(too_long(member.stat.size_bytes))
        with self._lock:
            blocks = layer.blocks(member, hashing.BLOCK_BYTES)
        while True:
            with self._lock:
                block = next(blocks, b"")
            if not block:
                return
            yield block

    def is_current(self) -> bool:
        """Say whether its files are still there as they were when it was opened."""
        return self._state == _state(self._parts)

    def close(self) -> None:
        """Close its files."""
        with self._lock:
            self._within.close()
            self._root.close()


def _media(kind: Kind, parts: tuple[Path, ...]) -> Media:
    if kind is Kind.EWF:
        return EwfMedia(str(parts[0]), lambda stack: opened_files(parts, stack))
    return RawMedia(parts)


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
