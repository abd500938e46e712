"""7z archives, by py7zr, unpacked once to an unnamed file: members are packed together, not to be read alone."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import Any

from gtloc_forensics.errors import ForensicsError, ToolMissing, UsageError
from gtloc_forensics.files import sidecar_names, types
from gtloc_forensics.files.containers.media import REMEDY, Media, MediaFile
from gtloc_forensics.files.containers.members import (
    ATTRIBUTES_OF_A_FILE,
    ENCRYPTED,
    FREE_BYTES,
    MOST_GROWTH,
    MOST_MEMBERS,
    SPECIAL,
    Allowance,
    Member,
    Unreadable,
    is_container,
    link,
    safe,
)
from gtloc_forensics.files.containers.spool import Spool
from gtloc_forensics.records import FileStat, Sentence, Skipped

_NTFS_EPOCH_S = 11_644_473_600
_STEP_NS = 100


class SevenZipArchive:
    """A 7z archive."""

    def __init__(self, media: Media, name: str, *, identity: int) -> None:
        """Read the list of members and unpack what may be read.

        Raises:
            ToolMissing: py7zr is not installed.
            UsageError: it is damaged, its list is encrypted, or it unpacks to absurdly much.
            WorkspaceFull: there is no room to unpack it.
        """
        try:
            import py7zr
        except ModuleNotFoundError as error:
            raise ToolMissing("py7zr", REMEDY) from error
        self.libraries = f"py7zr {py7zr.__version__}"
        self._identity, self._media = identity, media
        try:
            self._archive = py7zr.SevenZipFile(io.BufferedReader(MediaFile(media)))
            self._files: list[Any] = list(self._archive.files)
        except py7zr.PasswordRequired as error:
            raise UsageError(f"{name} is encrypted, its list of members too; unpack it and name the folder") from error
        except Exception as error:  # the border: a stranger's archive may raise anything in the library
            raise UsageError(
                f"{name} cannot be read as a 7z archive ({_first_line(error)}); acquire it again"
            ) from error
        if len(self._files) > MOST_MEMBERS:
            raise UsageError(f"{name} has more than {MOST_MEMBERS} members; it was not read")
        self._spool = Spool(name, media.size_bytes, most_growth=MOST_GROWTH, free_bytes=FREE_BYTES)
        self._stated: dict[str, Any] = {}  # name → what the archive says of the first member of that name
        self._unpacked: dict[str, _Unpacked] = {}
        self._trouble = ""

    def members(self) -> Iterator[Member | Skipped]:
        """Unpack what may be read, and yield every member that is a file, and what is not read."""
        allowance = Allowance(self._media.size_bytes)
        outcomes: list[Member | Skipped] = []
        for info in self._files:
            if info.is_directory:
                continue
            outcome = self._outcome(info, allowance)
            outcomes.append(outcome)
            if isinstance(outcome, Member):
                self._stated.setdefault(outcome.address, info)
        if self._stated:
            self._unpack(set(self._stated))
        yield from outcomes

    def _outcome(self, info: Any, allowance: Allowance) -> Member | Skipped:
        name = str(info.filename)
        path, trouble = safe(name.encode("utf-8", "surrogatepass"))
        size = int(info.uncompressed or 0)
        refusal = trouble or allowance.refusal(size, None, is_container=is_container(path))
        if refusal is not None:
            return Skipped(path, refusal, blocks=True)
        if info.is_symlink or info.is_junction:
            return Skipped(path, link(b""), blocks=True)
        if info.is_socket:
            return Skipped(path, SPECIAL, blocks=True)
        if self._archive.password_protected and size:
            return Skipped(path, ENCRYPTED, blocks=True)
        return Member(path, self._stat(info, size), name, is_container(path))

    def _stat(self, info: Any, size: int) -> FileStat:
        ticks = int(info.lastwritetime or 0)
        return FileStat(
            size_bytes=size,
            mtime_ns=(ticks - _NTFS_EPOCH_S * 10_000_000) * 100 if ticks else 0,
            ctime_ns=0,
            atime_ns=0,
            mode=ATTRIBUTES_OF_A_FILE,
            inode=int(info.id),
            device=self._identity,
            links=1,
            mtime_step_ns=_STEP_NS,
        )

    def _unpack(self, targets: set[str], *, whole: bool = False) -> None:
        """Unpack members; only the beginnings of those that are no photos, unless they are wanted whole."""
        from py7zr.io import Py7zIO, WriterFactory

        spool, unpacked = self._spool, self._unpacked

        class Writer(Py7zIO):
            """Puts one member down."""

            def __init__(self, name: str) -> None:
                self._member = unpacked.setdefault(name, _Unpacked(name, spool.size_bytes, whole=whole))

            def write(self, block: bytes | bytearray) -> int:
                self._member.take(bytes(block), spool)
                return len(block)

            def read(self, size: int | None = None) -> bytes:
                return b""

            def seek(self, offset: int, whence: int = 0) -> int:
                return 0

            def flush(self) -> None:
                """Do nothing: what was written is down."""

            def size(self) -> int:
                return self._member.length

        class Factory(WriterFactory):
            """Gives every member its writer."""

            def create(self, filename: str) -> Py7zIO:
                return Writer(filename)

        try:
            self._archive.reset()
            self._archive.extract(path=None, targets=targets, factory=Factory())
        except ForensicsError:
            raise
        except Exception as error:  # the border: what was unpacked before the damage is read, the rest is told
            self._trouble = _first_line(error)

    def blocks(self, address: str, block_bytes: int) -> Iterator[bytes]:
        """Yield the content of a member, if it has the length and the CRC-32 that the archive states."""
        stated, found = self._stated.get(address), self._unpacked.get(address)
        if found is not None and found.kept < found.length and is_container(address.encode("utf-8", "surrogatepass")):
            del self._unpacked[address]  # an archive within, which is wanted after all
            self._unpack({address}, whole=True)
            found = self._unpacked.get(address)
        if stated is None or found is None or found.length != int(stated.uncompressed or 0):
            said = Sentence("it could not be unpacked ({said})", said=self._trouble or "it is not there")
            raise Unreadable(said)
        if stated.crc32 is not None and found.crc32 != stated.crc32:
            raise Unreadable(Sentence("its content has not the check sum that the archive states"))
        yield from self._spool.blocks(found.start, found.kept, block_bytes)

    def close(self) -> None:
        """Give back the room."""
        self._archive.close()
        self._spool.close()


class _Unpacked:
    """One member as it comes out of the archive: put down whole if it may be a photo, else only its beginning."""

    __slots__ = ("crc32", "is_wanted", "kept", "length", "start")

    def __init__(self, name: str, start: int, *, whole: bool) -> None:
        base = name.encode("utf-8", "surrogatepass").rpartition(b"/")[2]
        self.is_wanted: bool | None = (
            True if whole or types.has_photo_extension(base) or sidecar_names.is_sidecar(base) else None
        )
        self.start, self.length, self.kept, self.crc32 = start, 0, 0, 0

    def take(self, block: bytes, spool: Spool) -> None:
        """Put down a block, after the first of which it is known whether more is wanted."""
        if self.is_wanted is None and block:
            self.is_wanted = types.is_photo(types.media_type(block[: types.HEAD_BYTES]))
        kept = block if self.is_wanted else block[: max(0, types.HEAD_BYTES - self.length)]
        if kept:
            spool.write(kept)
        self.length += len(block)
        self.kept += len(kept)
        self.crc32 = zlib.crc32(block, self.crc32)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
