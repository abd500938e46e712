"""What a source that is no folder holds, listed once: candidates with their sidecars, and what is passed over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from gtloc_forensics.files import opening, sidecar_names, types
from gtloc_forensics.files.containers.index import Index
from gtloc_forensics.files.containers.members import Member
from gtloc_forensics.records import Candidate, FileStat, Sentence, Skipped

T = TypeVar("T")

_BESIDE = b"._"
"""How a file is called in which macOS keeps what another one has beside its content: a photo by its ending only."""


class Inventory:
    """The members of a container or an object store. Safe to share between threads."""

    def __init__(
        self,
        listed: Iterable[Member | Skipped],
        head: Callable[[Member], bytes],
        *,
        before: bytes = b"",
        lock: threading.RLock | None = None,
    ) -> None:
        """Put down what is *listed*.

        Args:
            listed: the members, and what is passed over.
            head: reads the first bytes of a member; it is asked by one thread at a time.
            before: what stands before the path of a member in the paths of the evidence.
            lock: shared with whoever reads the members; one of its own when left out.

        Raises:
            OSError: it cannot be listed, or the folder for temporary files has no room.
        """
        self._read_head, self._before, self._lock = head, before, lock or threading.RLock()
        self._index = Index(listed)

    def totals(self) -> tuple[int, int]:
        """Return how many members there are, and how many bytes they hold together."""
        with self._lock:
            return self._index.totals()

    def containers(self) -> list[Member]:
        """Return the images and archives among the members, by their names."""
        with self._lock:
            return list(self._index.containers())

    def of_size(self, size_bytes: int) -> list[Member]:
        """Return the members that are so long."""
        with self._lock:
            return list(self._index.of_size(size_bytes))

    def deleted(self) -> list[Member]:
        """Return the members that were deleted."""
        with self._lock:
            return list(self._index.deleted())

    def member(self, path: bytes) -> Member | None:
        """Return the member at a path within the source; None where there is none, or none that may be read."""
        with self._lock:
            return self._index.member(path)

    def look(self, relative: bytes) -> FileStat:
        """Return what is recorded of the member at a path of the evidence.

        Raises:
            FileNotFoundError: there is no such member, or none that is read.
        """
        member = self.member(relative[len(self._before) :]) if relative.startswith(self._before) else None
        if member is None:
            raise FileNotFoundError(2, "no such file or directory")
        return member.stat

    def outer(self, path: bytes) -> bytes:
        """Return a path within the source as a path of the evidence."""
        return self._before + path

    def walk(self) -> Iterator[Candidate | Skipped]:
        """Yield everything but containers, folder by folder."""
        for folder in one_by_one(self._lock, self._index.folders()):
            yield from self._folder(folder)

    def _folder(self, folder: bytes) -> Iterator[Candidate | Skipped]:
        with self._lock:
            named_so = self._index.sidecars(folder)
        pairing = self._paired(folder, [member for member in named_so if not self._is_photo(member)])
        attached: set[bytes] = set()
        for member in one_by_one(self._lock, self._index.files(folder)):
            found = tuple(_beside(member.path, name) for name in pairing.of_photo.get(_name(member.path), ()))
            attached.update(found)
            yield self._outcome(member, found)
        for sidecar in named_so:
            if sidecar.path not in attached:
                may_be_of = pairing.ambiguous.get(_name(sidecar.path), ())
                yield self._ambiguous(sidecar, may_be_of) if may_be_of else self._outcome(sidecar, ())
        for entry in one_by_one(self._lock, self._index.passed_over(folder)):
            yield Skipped(self.outer(entry.relative), entry.reason, blocks=entry.blocks)

    def _paired(self, folder: bytes, sidecars: list[Member]) -> sidecar_names.Pairing:
        """Return which files of a folder describe which photos; a folder without sidecars is not read for it."""
        if not sidecars:
            return sidecar_names.Pairing()
        names = [_name(member.path) for member in one_by_one(self._lock, self._index.files(folder))]
        photos = [name for name in names if sidecar_names.may_be_photo(name)]
        return sidecar_names.paired([*photos, *(_name(sidecar.path) for sidecar in sidecars)])

    def _ambiguous(self, sidecar: Member, photos: tuple[bytes, ...]) -> Skipped:
        return Skipped(self.outer(sidecar.path), sidecar_names.ambiguous(photos), blocks=False)

    def _outcome(self, member: Member, sidecars: tuple[bytes, ...]) -> Candidate | Skipped:
        relative, name = self.outer(member.path), _name(member.path)
        named = types.has_photo_extension(name)
        if named and not member.stat.is_deleted and not name.startswith(_BESIDE):
            return Candidate(relative, tuple(map(self.outer, sidecars)))
        try:
            kind = types.media_type(self._head(member), name=name)
        except OSError as error:
            reason = Sentence("it could not be opened to see what it is: {said}", said=opening.words(error))
            return Skipped(relative, reason, blocks=not member.stat.is_deleted)
        if types.is_photo(kind):
            return Candidate(relative, tuple(map(self.outer, sidecars)))
        if named and member.stat.is_deleted:
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
            return self._read_head(member)

    def close(self) -> None:
        """Forget everything; the reader is closed by whoever made it."""
        with self._lock:
            self._index.close()


def one_by_one(lock: threading.RLock, found: Iterator[T]) -> Iterator[T]:
    """Yield what is *found* under a lock; others may take it in between."""
    while True:
        with lock:
            item = next(found, None)
        if item is None:
            return
        yield item


def _beside(path: bytes, name: bytes) -> bytes:
    """Return the path of a file of that name in the folder of another."""
    return path[: len(path) - len(_name(path))] + name


def _name(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]
