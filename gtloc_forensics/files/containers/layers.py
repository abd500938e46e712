"""One image or archive that is open, the evidence or one within it: what it lists, how its files are read."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files import opening, types
from gtloc_forensics.files.containers import carving
from gtloc_forensics.files.containers.disk_images import DiskImage
from gtloc_forensics.files.containers.inventory import Inventory, one_by_one
from gtloc_forensics.files.containers.kinds import Kind
from gtloc_forensics.files.containers.media import Media
from gtloc_forensics.files.containers.members import ATTRIBUTES_OF_A_FILE, WITHIN, Member, Reader, Unreadable
from gtloc_forensics.files.containers.seven_zips import SevenZipArchive
from gtloc_forensics.files.containers.tars import TarArchive
from gtloc_forensics.files.containers.zips import ZipArchive
from gtloc_forensics.records import Candidate, FileStat, Sentence, Skipped, visible

INNER = b"!/"
"""What stands between a container's name and the path in it."""

_READERS: Mapping[Kind, Any] = {
    Kind.RAW: DiskImage,
    Kind.EWF: DiskImage,
    Kind.ZIP: ZipArchive,
    Kind.TAR: TarArchive,
    Kind.SEVEN_ZIP: SevenZipArchive,
}
_CARVED = "carved:"
_TELLING_BYTES = 4096
"""So many equal bytes at the same place are the same photo."""

Listed = Callable[[Iterable[Member | Skipped]], Iterable[Member | Skipped]]
"""May refuse some of what a container lists."""


class Layer:
    """An image or an archive, open; it takes the lock that all layers of a container share."""

    def __init__(
        self, name: bytes, kind: Kind, media: Media, shown: str, *, identity: int, lock: threading.RLock
    ) -> None:
        """Open what *media* holds; :meth:`list_members` comes next.

        Args:
            name: what the paths of its members begin with.
            kind: what it is.
            media: its bytes, closed with it.
            shown: what it is called in errors.
            identity: what stands for its content in the records of its files.
            lock: of the container.

        Raises:
            UsageError, ToolMissing, WorkspaceFull: as its reader.
        """
        self.name, self._media, self._lock, self._identity = name, media, lock, identity
        self._reader: Reader = _READERS[kind](media, shown, identity=identity)
        self._inventory: Inventory | None = None

    @property
    def libraries(self) -> str:
        """What it is read with."""
        return ", ".join(filter(None, (self._media.libraries, self._reader.libraries)))

    def list_members(self, allowed: Listed | None = None, *, refuses_the_unknown: bool = False) -> None:
        """Put down what lies in it.

        Raises:
            UsageError: it is an image in which nothing is known, and that is refused.
            OSError: it cannot be listed.
            WorkspaceFull: there is no room for the list.
        """
        if refuses_the_unknown and isinstance(self._reader, DiskImage) and self._reader.holds_nothing_known:
            raise UsageError(f"{visible(self.name)} holds no partition table and no file system that is known")
        members = self._reader.members()
        with opening.told_when_full():
            allowed_members = members if allowed is None else allowed(members)
            self._inventory = Inventory(allowed_members, self.head, before=self.name + INNER, lock=self._lock)

    @property
    def _listed(self) -> Inventory:
        assert self._inventory is not None, "list_members comes first"
        return self._inventory

    # ----------------------------------------------------------------- listing

    def walk(self) -> Iterator[Candidate | Skipped]:
        """Yield everything in it but containers, folder by folder."""
        return self._listed.walk()

    def containers(self) -> list[Member]:
        """Return the images and archives in it, by their names."""
        return self._listed.containers()

    def not_opened(self) -> Iterator[Skipped]:
        """Yield that the containers in it were not opened."""
        for member in self.containers():
            yield Skipped(self.outer(member.path), WITHIN, blocks=not member.stat.is_deleted)

    def outer(self, path: bytes) -> bytes:
        """Return a path in it as a path of the evidence."""
        return self.name + INNER + path

    # ----------------------------------------------------------------- carving

    def carve(self) -> Iterator[Candidate | Skipped]:
        """Yield photos in what no file of an image claims, and what keeps one from being examined."""
        if not isinstance(self._reader, DiskImage):
            return
        deadline, number = time.monotonic() + carving.MOST_SECONDS, 0
        with self._lock:
            stretches, starts = self._reader.free_space(), self._starts(self._reader)
        for stretch in stretches:
            found = carving.photos_in(self._media.read, stretch, deadline=deadline)
            try:
                for photo in one_by_one(self._lock, found):
                    place = self.outer(b"%b-carved" % stretch.label)
                    if isinstance(photo, Sentence):
                        yield Skipped(place, photo, blocks=True)
                        return
                    number += 1
                    if number > carving.MOST_PHOTOS:
                        yield Skipped(place, _too_many(photo.offset), blocks=True)
                        return
                    yield self._carved(photo, starts)
            except OSError as error:
                said = Sentence("free space of the image could not be read ({said})", said=opening.words(error))
                yield Skipped(self.outer(b"%b-carved/offset-0x%x" % (stretch.label, stretch.start)), said, blocks=True)

    def _starts(self, reader: DiskImage) -> dict[int, Member]:
        """Return where in the medium the deleted files begin whose records still tell it."""
        found = {reader.first_byte(member.address): member for member in self._listed.deleted()}
        return {start: member for start, member in found.items() if start is not None}

    def _carved(self, photo: carving.Carved, starts: Mapping[int, Member]) -> Candidate | Skipped:
        relative = self.outer(photo.path)
        if not photo.has_head:
            broken = Sentence(
                "a photo begins here and breaks off after {length:raw} bytes, before any picture; it lay in pieces "
                "or was written over",
                length=photo.length,
            )
            return Skipped(relative, broken, blocks=True)
        deleted = starts.get(photo.offset)
        known = self._known_as(photo, deleted)
        if known is not None:
            return Skipped(
                relative, _same_as(self.outer(known.path), known.stat.size_bytes == photo.length), blocks=False
            )
        if deleted is None or (photo.is_whole and deleted.stat.size_bytes == photo.length):
            return Candidate(relative)
        # a record knows of the pieces and of the length, where what lies in a row breaks off or goes on with another's
        with self._lock:
            is_same = self._begins_with(deleted, min(photo.length, _TELLING_BYTES)) == self._beginning(photo)
        if not is_same:
            return Candidate(relative)
        begins = Sentence(
            "begins at the same byte as {path}, and goes on otherwise", path=visible(self.outer(deleted.path))
        )
        return Skipped(relative, begins, blocks=False)

    def _beginning(self, photo: carving.Carved) -> bytes:
        return hashlib.sha256(b"".join(self._piece(photo.offset, min(photo.length, _TELLING_BYTES), 1 << 20))).digest()

    def _known_as(self, photo: carving.Carved, deleted: Member | None) -> Member | None:
        """Return the file of the image whose content a carved photo is, or is the beginning of; None for none."""
        with self._lock:
            same_size = self._listed.of_size(photo.length) if photo.is_whole else []
            wanted = hashlib.sha256(b"".join(self._piece(photo.offset, photo.length, 1 << 20))).digest()
            for member in (*same_size, *filter(None, (deleted,))):
                if self._begins_with(member, photo.length) == wanted:
                    return member
        return None

    def _begins_with(self, member: Member, length: int) -> bytes:
        """Return the SHA-256 of the first bytes of a member; b"" where it is shorter or cannot be read."""
        digest, left = hashlib.sha256(), length
        try:
            for block in self._reader.blocks(member.address, 1 << 20):
                digest.update(block[:left])
                left -= min(left, len(block))
                if not left:
                    return digest.digest()
        except OSError:
            return b""
        return b""

    def _piece(self, offset: int, length: int, block_bytes: int) -> Iterator[bytes]:
        """Yield bytes of the medium as they lie there."""
        end = offset + length
        while offset < end:
            block = self._media.read(offset, min(block_bytes, end - offset))
            if not block:
                raise Unreadable(Sentence("it ends before its length in the image"))
            offset += len(block)
            yield block

    # ----------------------------------------------------------------- reading

    def find(self, path: bytes) -> Member | None:
        """Return what is at a path in it; None where there is nothing, or nothing that is read."""
        with self._lock:
            return self._listed.member(path) or self._found_again(path)

    def _found_again(self, path: bytes) -> Member | None:
        """Return a carved photo by its name, which says where it lies."""
        match = carving.PATH.fullmatch(path)
        if match is None or not isinstance(self._reader, DiskImage):
            return None
        offset, length = int(match["offset"], 16), int(match["length"])
        if length > carving.MOST_BYTES or offset + length > self._media.size_bytes:
            return None
        stat = FileStat(
            length, 0, 0, 0, ATTRIBUTES_OF_A_FILE, offset, self._identity, 0, mtime_step_ns=1, is_carved=True
        )
        return Member(path, stat, f"{_CARVED}{offset}:{length}")

    def head(self, member: Member) -> bytes:
        """Return the first bytes of a member.

        Raises:
            OSError: it cannot be read.
        """
        with self._lock:
            return next(self.blocks(member, types.HEAD_BYTES), b"") if member.stat.size_bytes else b""

    def blocks(self, member: Member, block_bytes: int) -> Iterator[bytes]:
        """Yield the content of a member; whoever takes it holds the lock for each block.

        Raises:
            OSError: it cannot be read.
        """
        if member.address.startswith(_CARVED):
            offset, length = map(int, member.address.removeprefix(_CARVED).split(":"))
            return self._piece(offset, length, block_bytes)
        return self._reader.blocks(member.address, block_bytes)

    def close(self) -> None:
        """Close everything."""
        with self._lock:
            if self._inventory is not None:
                self._inventory.close()
            self._reader.close()
            self._media.close()


def marked_deleted(members: Iterable[Member | Skipped]) -> Iterator[Member | Skipped]:
    """Yield what lies in a deleted container as deleted, too."""
    for member in members:
        yield replace(member, stat=replace(member.stat, is_deleted=True)) if isinstance(member, Member) else member


def _same_as(path: bytes, is_all: bool) -> Sentence:
    if is_all:
        return Sentence("the same bytes as {path}", path=visible(path))
    return Sentence("the beginning of {path}", path=visible(path))


def _too_many(offset: int) -> Sentence:
    return Sentence(
        "more than {most:raw} photos begin in free space; what lies behind byte {offset:raw} was not looked into",
        most=carving.MOST_PHOTOS,
        offset=offset,
    )
