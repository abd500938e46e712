"""Zip archives, by Python's own library, which checks every member against its CRC-32."""

from __future__ import annotations

import io
import lzma
import stat
import struct
import zipfile
import zlib
from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files.containers import fat_times
from gtloc_forensics.files.containers.media import Media, MediaFile
from gtloc_forensics.files.containers.members import (
    ATTRIBUTES_OF_A_FILE,
    ENCRYPTED,
    MOST_MEMBERS,
    SPECIAL,
    Allowance,
    Member,
    Unreadable,
    is_container,
    link,
    safe,
)
from gtloc_forensics.records import FileStat, Sentence, Skipped

_ENCRYPTED, _IS_UTF8 = 0x1, 0x800
_SECOND_NS = 1_000_000_000
_UNIX_TIMES, _NTFS_TIMES = 0x5455, 0x000A  # APPNOTE 4.5.5 and Info-ZIP's extrafld.txt
_NTFS_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, RuntimeError, ValueError, OverflowError, OSError),
)
"""What the library raises over a member that is damaged or packed otherwise."""

_SMALLEST_RECORD_BYTES = 46  # of one member in the central directory
_LONGEST_END_BYTES = 65_557  # of what ends an archive, its comment with it


class ZipArchive:
    """A zip archive."""

    libraries = ""

    def __init__(self, media: Media, name: str, *, identity: int) -> None:
        """Read the list of members.

        Raises:
            UsageError: it is damaged, or claims absurdly many members.
        """
        self._identity, self._media = identity, media
        self._refuse_endless(name)
        try:
            self._archive = _opened(media)
        except _DAMAGE as error:
            raise UsageError(f"{name} cannot be read as a zip archive ({error}); acquire it again") from error
        self._infos = self._archive.infolist()

    def _refuse_endless(self, name: str) -> None:
        """Refuse a list of members that would fill the memory, by the length that the end of the archive gives it."""
        tail = self._media.read(max(0, self._media.size_bytes - _LONGEST_END_BYTES), _LONGEST_END_BYTES)
        at = tail.rfind(b"PK\x05\x06")
        length = struct.unpack_from("<I", tail, at + 12)[0] if 0 <= at <= len(tail) - 22 else 0
        at = tail.rfind(b"PK\x06\x06")
        if length == 0xFFFFFFFF and 0 <= at <= len(tail) - 56:
            length = struct.unpack_from("<Q", tail, at + 40)[0]
        if length > MOST_MEMBERS * _SMALLEST_RECORD_BYTES * 2:
            raise UsageError(f"{name} claims a list of members of {length >> 20} MB; it was not read")

    def members(self) -> Iterator[Member | Skipped]:
        """Yield every member that is a file, and what is not read."""
        allowance = Allowance(self._media.size_bytes)
        for number, info in enumerate(self._infos):
            name = _raw_name(info)
            path, trouble = safe(name)
            mode = info.external_attr >> 16
            if name.endswith(b"/") and trouble is None:
                continue
            refusal = trouble or allowance.refusal(info.file_size, info.compress_size, is_container=is_container(path))
            if refusal is not None:
                yield Skipped(path, refusal, blocks=True)
            elif stat.S_ISLNK(mode):
                yield Skipped(path, link(b""), blocks=True)
            elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                yield Skipped(path, SPECIAL, blocks=True)
            elif info.flag_bits & _ENCRYPTED:
                yield Skipped(path, ENCRYPTED, blocks=True)
            else:
                yield Member(path, self._stat(info), str(number), is_container(path))

    def _stat(self, info: zipfile.ZipInfo) -> FileStat:
        modified_ns, created_ns, step_ns = _times(info.extra)
        is_local = not modified_ns
        if is_local:  # only the field that counts as FAT does
            year, month, day, hour, minute, second = info.date_time
            packed = ((year - 1980) << 9 | month << 5 | day, hour << 11 | minute << 5 | second // 2)
            modified_ns, step_ns = fat_times.dos_moment_ns(*packed), fat_times.FAT_STEP_NS
        return FileStat(
            size_bytes=info.file_size,
            mtime_ns=modified_ns,
            ctime_ns=0,
            atime_ns=0,
            mode=ATTRIBUTES_OF_A_FILE,
            inode=info.header_offset,
            device=self._identity,
            links=1,
            birth_ns=created_ns or None,
            is_local=is_local,
            mtime_step_ns=step_ns,
            birth_step_ns=step_ns,
        )

    def blocks(self, address: str, block_bytes: int) -> Iterator[bytes]:
        """Yield the content of a member, and see that it has the CRC-32 that the archive states."""
        try:
            with self._archive.open(self._infos[int(address)]) as member:
                while block := member.read(block_bytes):
                    yield block
        except _DAMAGE as error:
            # NotImplementedError, of a method of packing that Python does not know, is a RuntimeError
            raise Unreadable(
                Sentence("the archive could not be read there ({said})", said=_first_line(error))
            ) from error

    def close(self) -> None:
        """Forget the list."""
        self._archive.close()


def _opened(media: Media) -> zipfile.ZipFile:
    """Return the archive; one name that is no UTF-8 though it is marked so does not hide the other members."""
    try:
        return zipfile.ZipFile(io.BufferedReader(MediaFile(media)))
    except UnicodeDecodeError:
        return zipfile.ZipFile(io.BufferedReader(MediaFile(_Unmarked(media))))


class _Unmarked:
    """An archive in which names that are no UTF-8 are not marked as UTF-8, so that their bytes are kept."""

    libraries = ""

    def __init__(self, media: Media) -> None:
        self._media, self.size_bytes = media, media.size_bytes
        self.stored, self.said = media.stored, media.said
        self._marks = sorted(self._found())  # where the bytes stand that hold the mark

    def _found(self) -> Iterator[int]:
        tail_start = max(0, self.size_bytes - _LONGEST_END_BYTES)
        tail = self._media.read(tail_start, _LONGEST_END_BYTES)
        end = tail.rfind(b"PK\x05\x06")
        length, stated = struct.unpack_from("<II", tail, end + 12)
        wide = tail.rfind(b"PK\x06\x06", 0, end)
        if 0xFFFFFFFF in (length, stated) and wide >= 0:
            end, (length, stated) = wide, struct.unpack_from("<QQ", tail, wide + 40)
        start = max(0, tail_start + end - length)
        listed, at = self._media.read(start, length), 0
        while listed[at : at + 4] == b"PK\x01\x02" and at + _SMALLEST_RECORD_BYTES <= len(listed):
            (flags,) = struct.unpack_from("<H", listed, at + 8)
            lengths = struct.unpack_from("<3H", listed, at + 28)
            name = at + _SMALLEST_RECORD_BYTES
            if flags & _IS_UTF8 and not _is_utf8(listed[name : name + lengths[0]]):
                yield start + at + 9  # in the list, and before the member itself
                yield start - stated + struct.unpack_from("<I", listed, at + 42)[0] + 7
            at = name + sum(lengths)

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes, without the marks."""
        block = bytearray(self._media.read(offset, length))
        first, behind = bisect_left(self._marks, offset), bisect_left(self._marks, offset + len(block))
        for mark in self._marks[first:behind]:
            block[mark - offset] &= ~(_IS_UTF8 >> 8) & 0xFF
        return bytes(block)

    def close(self) -> None:
        """Do nothing: whoever opened the medium closes it."""


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    """Return a member's name in the bytes that stand in the archive."""
    return info.orig_filename.encode("utf-8" if info.flag_bits & _IS_UTF8 else "cp437", "surrogateescape")


def _times(extra: bytes) -> tuple[int, int, int]:
    """Return (last written, created, step) in ns from the fields that count in UTC; 0 for what they do not say."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        field = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if kind == _UNIX_TIMES and len(field) >= 5 and field[0] & 1:
            return struct.unpack_from("<i", field, 1)[0] * _SECOND_NS, 0, _SECOND_NS
        if kind == _NTFS_TIMES and len(field) >= 32 and field[4:8] == b"\x01\x00\x18\x00":
            written, _, created = struct.unpack_from("<3Q", field, 8)
            return _of_ntfs(written), _of_ntfs(created), 100
    return 0, 0, 0


def _of_ntfs(ticks: int) -> int:
    """Return 100 ns since 1601 as ns since 1970, 0 for none."""
    since = (datetime(1970, 1, 1, tzinfo=UTC) - _NTFS_EPOCH) // timedelta(microseconds=1) * 10
    return (ticks - since) * 100 if ticks else 0


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
