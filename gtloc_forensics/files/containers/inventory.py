"""What a source that is no folder holds, listed once: members as candidates with their sidecars, and their bytes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TypeVar

from gtloc_forensics.files import hashing, opening, sidecar_names, types
from gtloc_forensics.files.containers.index import Index
from gtloc_forensics.files.containers.members import MOST_BYTES, Member, Reader, Unreadable, too_long
from gtloc_forensics.records import Candidate, FileStat, Sentence, Skipped

T = TypeVar("T")


class Inventory:
    """The members of a container or an object store. Safe to share between threads."""

    def __init__(self, reader: Reader, *, before: bytes = b"") -> None:
        """List what *reader* knows.

        Args:
            reader: lists and reads; it is asked by one thread at a time.
            before: what stands before the path of a member in the paths of the evidence.

        Raises:
            OSError: it cannot be listed, or the folder for temporary files has no room.
        """
        self._reader, self._before = reader, before
        self._lock = threading.RLock()
        self._index = Index(reader.members())

    def totals(self) -> tuple[int, int]:
        """Return how many members there are, and how many bytes they hold together."""
        with self._lock:
            return self._index.totals()

    def walk(self) -> Iterator[Candidate | Skipped]:
        """Yield everything, folder by folder."""
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
        return self._before + path

    # ----------------------------------------------------------------- reading

    def look(self, relative: bytes) -> FileStat:
        """Return what is recorded of a member.

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
        with self._lock:
            is_here = relative.startswith(self._before)
            member = self._index.member(relative[len(self._before) :]) if is_here else None
        if member is None:
            raise FileNotFoundError(2, "no such file or directory")
        return member

    def close(self) -> None:
        """Forget everything; the reader is closed by whoever made it."""
        with self._lock:
            self._index.close()


def _beside(path: bytes, name: bytes) -> bytes:
    """Return the path of a file of that name in the folder of another."""
    return path[: len(path) - len(_name(path))] + name


def _name(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]
