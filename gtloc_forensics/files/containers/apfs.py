"""APFS within an image: the volumes of a container and their live files, by libfsapfs.

The Sleuth Kit's Python face has no pools, as it calls APFS's containers. Paths have the number
of the volume below that of the partition, ``p1/v1/DCIM/…``. Deleted files, snapshots and
encrypted volumes are not read; the last are told.
"""

from __future__ import annotations

import io
import stat
from collections.abc import Iterator, Mapping
from typing import Any

from gtloc_forensics.files.containers.free_space import DEEPEST, FAILURES
from gtloc_forensics.files.containers.media import Media, MediaFile
from gtloc_forensics.files.containers.members import (
    ATTRIBUTES_OF_A_FILE,
    MOST_BYTES,
    SPECIAL,
    Member,
    Unreadable,
    is_container,
    link,
    step,
    too_long,
)
from gtloc_forensics.files.types import has_photo_extension
from gtloc_forensics.records import FileStat, Sentence, Skipped, visible

PREFIX = "apfs:"
"""How the addresses of its files begin."""

NAME = "APFS"
_NEEDED = Sentence(
    "a partition of APFS, for which the package libfsapfs-python is needed: pip install 'gtloc_forensics[images]'"
)


def opened(media: Media, label: bytes, start: int, end: int, *, number: int, identity: int) -> ApfsContainer | Sentence:
    """Return the container of APFS between two bytes of a medium, or why it is not read; see :class:`ApfsContainer`."""
    try:
        return ApfsContainer(media, label, start, end, number=number, identity=identity)
    except ModuleNotFoundError:
        return _NEEDED
    except FAILURES as error:
        return Sentence("a partition of APFS that could not be read ({said})", said=_first_line(error))


def number_of(address: str) -> int:
    """Return which container of an image a file at an address lies in."""
    return int(address.removeprefix(PREFIX).partition(":")[0])


class ApfsContainer:
    """One container of APFS, which is a partition or a whole image."""

    def __init__(self, media: Media, label: bytes, start: int, end: int, *, number: int, identity: int) -> None:
        """Open what lies from byte *start* to byte *end* of a medium.

        Args:
            media: of the image; closed by whoever opened it.
            label: of the partition.
            start: the first byte.
            end: the byte behind the last.
            number: of this container among those of the image, from 0.
            identity: what stands for the image in the records of its files.

        Raises:
            ModuleNotFoundError: libfsapfs-python is not installed.
            OSError: it cannot be opened.
        """
        import pyfsapfs

        self.libraries = f"libfsapfs {pyfsapfs.get_version()}"
        self._label, self._number, self._identity = label, number, identity
        # as large a buffer as a block of APFS: its trees are read in such steps
        self._file = io.BufferedReader(MediaFile(_Stretch(media, start, end)), 1 << 16)
        self._container = pyfsapfs.container()
        self._container.open_file_object(self._file)
        self._volumes = [self._container.get_volume(number) for number in range(int(self._container.number_of_volumes))]

    def members(self) -> Iterator[Member | Skipped]:
        """Yield the live files of every volume, and what is not read."""
        if not self._volumes:
            yield Skipped(self._label, Sentence("a container of APFS without a volume"), blocks=False)
        for number, volume in enumerate(self._volumes):
            place = self._label + b"/v%d" % (number + 1)
            try:
                if volume.is_locked():
                    yield Skipped(place, _locked(volume), blocks=True)
                    continue
                root = volume.get_root_directory()
            except FAILURES as error:
                broken = Sentence("a volume of APFS that could not be read ({said})", said=_first_line(error))
                yield Skipped(place, broken, blocks=True)
                continue
            if root is None:
                broken = Sentence("a volume of APFS that could not be read ({said})", said="it has no root folder")
                yield Skipped(place, broken, blocks=True)
                continue
            yield from self._walk(number, place, root)

    def _walk(self, number: int, place: bytes, root: Any) -> Iterator[Member | Skipped]:
        pending: list[tuple[Any, bytes, int]] = [(root, place, 0)]
        seen = {int(root.identifier)}  # folders: a damaged one may hold itself
        while pending:
            folder, path, depth = pending.pop()
            try:
                entries = int(folder.number_of_sub_file_entries)
            except FAILURES as error:
                broken = Sentence("a folder of the image that could not be read ({said})", said=_first_line(error))
                yield Skipped(path, broken, blocks=True)
                continue
            for index in range(entries):
                try:
                    entry = folder.get_sub_file_entry(index)
                    if entry is None:
                        raise OSError("an entry without its record")
                    inner = path + b"/" + step(str(entry.name or "").encode("utf-8", "surrogatepass"))
                    mode = stat.S_IFMT(int(entry.file_mode))
                    found = None if mode == stat.S_IFDIR else self._outcome(number, inner, mode, entry)
                except FAILURES as error:
                    broken = Sentence("an entry of a folder that could not be read ({said})", said=_first_line(error))
                    yield Skipped(path + b"/#%d" % index, broken, blocks=True)
                    continue
                if found is not None:
                    yield found
                elif depth >= DEEPEST:
                    deep = Sentence("folders within folders deeper than a person makes them")
                    yield Skipped(inner, deep, blocks=True)
                elif int(entry.identifier) not in seen:
                    seen.add(int(entry.identifier))
                    pending.append((entry, inner, depth + 1))

    def _outcome(self, number: int, path: bytes, mode: int, entry: Any) -> Member | Skipped:
        named = has_photo_extension(path)
        if mode == stat.S_IFLNK:
            return Skipped(path, link(b""), blocks=named)
        if mode != stat.S_IFREG:
            return Skipped(path, SPECIAL, blocks=named)
        recorded = self._stat(entry)
        if recorded.size_bytes > MOST_BYTES and named and not is_container(path):
            return Skipped(path, too_long(recorded.size_bytes), blocks=True)
        return Member(path, recorded, f"{PREFIX}{self._number}:{number}:{int(entry.identifier)}", is_container(path))

    def _stat(self, entry: Any) -> FileStat:
        return FileStat(
            size_bytes=int(entry.size),
            mtime_ns=int(entry.get_modification_time_as_integer()),
            ctime_ns=int(entry.get_inode_change_time_as_integer()),
            atime_ns=int(entry.get_access_time_as_integer()),
            mode=ATTRIBUTES_OF_A_FILE,
            inode=int(entry.identifier),
            device=self._identity,
            links=int(entry.number_of_links),
            birth_ns=int(entry.get_creation_time_as_integer()) or None,
            is_local=False,
            mtime_step_ns=1,
            birth_step_ns=1,
        )

    def blocks(self, address: str, block_bytes: int) -> Iterator[bytes]:
        """Yield the content of a file; of one that macOS keeps compressed, what it unpacks to."""
        _, number, identifier = map(int, address.removeprefix(PREFIX).split(":"))
        try:
            entry = self._volumes[number].get_file_entry_by_identifier(identifier)
            if entry is None:
                raise OSError("its record is not there")
            size, offset = int(entry.size), 0
            while offset < size:
                block: bytes = entry.read_buffer_at_offset(min(block_bytes, size - offset), offset)
                if not block:
                    raise Unreadable(Sentence("it ends before its length in the image"))
                offset += len(block)
                yield block
        except FAILURES as error:
            if isinstance(error, Unreadable):
                raise
            said = Sentence("the image could not be read there ({said})", said=_first_line(error))
            raise Unreadable(said) from error

    def close(self) -> None:
        """Let go of the volumes."""
        self._volumes.clear()
        self._container.close()


class _Stretch:
    """A part of a medium, as a medium of its own."""

    libraries = ""

    def __init__(self, media: Media, start: int, end: int) -> None:
        self._media, self._start = media, start
        self.size_bytes = max(0, min(end, media.size_bytes) - start)
        self.stored: Mapping[str, str] = {}
        self.said: Mapping[str, str] = {}

    def read(self, offset: int, length: int) -> bytes:
        return self._media.read(self._start + offset, max(0, min(length, self.size_bytes - offset)))

    def close(self) -> None:
        """Do nothing: whoever opened the medium closes it."""


def _locked(volume: Any) -> Sentence:
    return Sentence(
        "a volume of APFS, {name}, that is encrypted; take its photos out with a program that has the password and "
        "audit the folder",
        name=visible(str(volume.name or "?")),
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["?"])[0][:160]
