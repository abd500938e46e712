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
from typing import Any, TypeVar

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files import hashing, opening, sidecar_names, types
from gtloc_forensics.files.containers import kinds
from gtloc_forensics.files.containers.disk_images import DiskImage
from gtloc_forensics.files.containers.identity import Identity, Part, hashes_of
from gtloc_forensics.files.containers.index import Index
from gtloc_forensics.files.containers.kinds import Kind
from gtloc_forensics.files.containers.media import EwfMedia, Media, RawMedia
from gtloc_forensics.files.containers.members import MOST_BYTES, Member, Reader, Unreadable, too_long
from gtloc_forensics.files.containers.seven_zips import SevenZipArchive
from gtloc_forensics.files.containers.tars import TarArchive
from gtloc_forensics.files.containers.zips import ZipArchive
from gtloc_forensics.records import Candidate, FileStat, Sentence, Skipped

T = TypeVar("T")

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
        self._lock = threading.RLock()
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
                self._index = Index(self._reader.members())
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

    # ----------------------------------------------------------------- listing

    def walk(self) -> Iterator[Candidate | Skipped]:
        """Yield everything in it, folder by folder, and first whether it is not what it says it is."""
        if self.identity.mismatch is not None:
            yield Skipped(self._name, self.identity.mismatch, blocks=True)
        for folder in self._one_by_one(self._index.folders()):
            yield from self._listed(folder)

    def _one_by_one(self, found: Iterator[T]) -> Iterator[T]:
        """Yield what the index finds; others may ask it in between."""
        while True:
            with self._lock:
                item = next(found, None)
            if item is None:
                return
            yield item

    def _listed(self, folder: bytes) -> Iterator[Candidate | Skipped]:
        with self._lock:
            named_so = self._index.sidecars(folder)
        pairing = self._paired(folder, [member for member in named_so if not self._is_photo(member)])
        attached: set[bytes] = set()
        for member in self._one_by_one(self._index.files(folder)):
            found = tuple(_beside(member.path, name) for name in pairing.of_photo.get(_name(member.path), ()))
            attached.update(found)
            yield self._outcome(member, found)
        for sidecar in named_so:
            if sidecar.path not in attached:
                may_be_of = pairing.ambiguous.get(_name(sidecar.path), ())
                yield self._ambiguous(sidecar, may_be_of) if may_be_of else self._outcome(sidecar, ())
        for entry in self._one_by_one(self._index.passed_over(folder)):
            yield Skipped(self._outer(entry.relative), entry.reason, blocks=entry.blocks)

    def _paired(self, folder: bytes, sidecars: list[Member]) -> sidecar_names.Pairing:
        """Return which files of a folder describe which photos; a folder without sidecars is not read for it."""
        if not sidecars:
            return sidecar_names.Pairing()
        names = [_name(member.path) for member in self._one_by_one(self._index.files(folder))]
        photos = [name for name in names if sidecar_names.may_be_photo(name)]
        return sidecar_names.paired([*photos, *(_name(sidecar.path) for sidecar in sidecars)])

    def _ambiguous(self, sidecar: Member, photos: tuple[bytes, ...]) -> Skipped:
        return Skipped(self._outer(sidecar.path), sidecar_names.ambiguous(photos), blocks=False)

    def _outcome(self, member: Member, sidecars: tuple[bytes, ...]) -> Candidate | Skipped:
        relative, name = self._outer(member.path), _name(member.path)
        named = types.has_photo_extension(name)
        if named and not member.stat.is_deleted:
            return Candidate(relative, tuple(map(self._outer, sidecars)))
        try:
            kind = types.media_type(self._head(member), name=name)
        except OSError as error:
            reason = Sentence("it could not be opened to see what it is: {said}", said=opening.words(error))
            return Skipped(relative, reason, blocks=not member.stat.is_deleted)
        if types.is_photo(kind):
            return Candidate(relative, tuple(map(self._outer, sidecars)))
        if named:
            gone = Sentence("a deleted photo by its name; its place holds something else now ({kind})", kind=kind)
            return Skipped(relative, gone, blocks=False)
        if types.extension_of(name) == b".xmp":
            return Skipped(relative, Sentence("a sidecar without its photo ({kind})", kind=kind), blocks=False)
        return Skipped(relative, Sentence("not a photo ({kind})", kind=kind), blocks=False)

    def _is_photo(self, member: Member) -> bool:
        try:
            return types.is_photo(types.media_type(self._head(member), name=_name(member.path)))
        except OSError:
            return False

    def _head(self, member: Member) -> bytes:
        with self._lock:
            return next(self._reader.blocks(member.address, types.HEAD_BYTES), b"") if member.stat.size_bytes else b""

    def _outer(self, path: bytes) -> bytes:
        return self._name + INNER + path

    # ----------------------------------------------------------------- reading

    def look(self, relative: bytes) -> FileStat:
        """Return what the container records of a member.

        Raises:
            FileNotFoundError: there is no such member, or none that is read.
        """
        return self._member(relative).stat

    def head(self, relative: bytes) -> bytes:
        """Return the first bytes of a member.

        Raises:
            OSError: it is not there or cannot be read.
        """
        return self._head(self._member(relative))

    def blocks(self, relative: bytes) -> Iterator[bytes]:
        """Yield the content of a member; other threads may read in between.

        Raises:
            OSError: it is not there, cannot be read, or is longer than what is examined.
        """
        member = self._member(relative)
        if member.stat.size_bytes > MOST_BYTES:
            raise Unreadable(too_long(member.stat.size_bytes))
        with self._lock:
            blocks = self._reader.blocks(member.address, hashing.BLOCK_BYTES)
        while True:
            with self._lock:
                block = next(blocks, b"")
            if not block:
                return
            yield block

    def _member(self, relative: bytes) -> Member:
        name, _, path = relative.partition(INNER)
        with self._lock:
            member = self._index.member(path) if name == self._name else None
        if member is None:
            raise FileNotFoundError(2, "no such file or directory")
        return member

    def is_current(self) -> bool:
        """Say whether its files are still there as they were when it was opened."""
        return self._state == _state(self._parts)

    def close(self) -> None:
        """Close its files."""
        with self._lock:
            self._index.close()
            self._reader.close()
            self._media.close()


def _media(kind: Kind, parts: tuple[Path, ...]) -> Media:
    return EwfMedia(parts) if kind is Kind.EWF else RawMedia(parts)


def _beside(path: bytes, name: bytes) -> bytes:
    """Return the path of a file of that name in the folder of another."""
    return path[: len(path) - len(_name(path))] + name


def _name(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]


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
