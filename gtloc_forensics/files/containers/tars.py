"""Tar archives, by Python's own library; one that is packed as a whole is unpacked once, to an unnamed file."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from typing import Any

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files.containers.media import Media, MediaFile
from gtloc_forensics.files.containers.members import (
    ATTRIBUTES_OF_A_FILE,
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
from gtloc_forensics.files.hashing import BLOCK_BYTES
from gtloc_forensics.records import FileStat, Sentence, Skipped

_SPARSE = Sentence("a file with holes, which is not read from an archive; unpack it")
_SECOND_NS = 1_000_000_000
_TAR_BLOCK = 512
_UNPACKERS: tuple[tuple[bytes, Any], ...] = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open))


class TarArchive:
    """A tar archive, plain or packed."""

    libraries = ""

    def __init__(self, media: Media, name: str, *, identity: int) -> None:
        """Open it.

        Raises:
            UsageError: it is no tar archive, or unpacks to absurdly much.
            WorkspaceFull: there is no room to unpack it.
        """
        self._media, self._name, self._identity = media, name, identity
        self._spool: Spool | None = None
        unpacker = next((made for magic, made in _UNPACKERS if media.read(0, 6).startswith(magic)), None)
        if unpacker is not None:
            self._spool = Spool(name, media.size_bytes, most_growth=MOST_GROWTH, free_bytes=FREE_BYTES)
            self._unpack(unpacker, self._spool)
        self._content: Media | Spool = self._spool or media

    def _unpack(self, unpacker: Any, spool: Spool) -> None:
        try:
            with unpacker(io.BufferedReader(MediaFile(self._media))) as packed:
                while block := packed.read(BLOCK_BYTES):
                    spool.write(block)
        except (EOFError, zlib.error, lzma.LZMAError, OSError) as error:
            spool.close()
            raise UsageError(f"{self._name} cannot be unpacked ({error}); acquire it again") from error
        except BaseException:
            spool.close()
            raise

    def members(self) -> Iterator[Member | Skipped]:
        """Yield every member that is a file, what is not read, and whether the archive breaks off."""
        allowance, number, end = Allowance(self._content.size_bytes), 0, 0
        links: list[tuple[bytes, bytes]] = []  # path of a hard link → the path whose content it is
        try:
            for info, end in self._entries():  # noqa: B007 - the last end is asked for below
                number += 1
                if number > MOST_MEMBERS:
                    yield Skipped(b"...", Sentence("the archive has more members than are listed"), blocks=True)
                    return
                yield from self._member(info, allowance, links)
            yield from self._linked(links)
        except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
            said = Sentence("the archive breaks off or is damaged there ({said})", said=str(error)[:160])
            yield Skipped(b"...", said, blocks=True)
            return
        if self._content.read(end, _TAR_BLOCK).strip(b"\0"):
            broken = Sentence("the archive goes on with something that is no member; what follows was not read")
            yield Skipped(b"...", broken, blocks=True)

    def _entries(self) -> Iterator[tuple[tarfile.TarInfo, int]]:
        """Yield every entry, with the byte behind it."""
        file = io.BufferedReader(MediaFile(self._content))  # type: ignore[arg-type]
        with tarfile.open(fileobj=file, mode="r:", encoding="utf-8", errors="surrogateescape") as archive:
            while (info := archive.next()) is not None:
                yield info, archive.offset
                archive.members = []  # type: ignore[attr-defined]  # or the library would remember every one

    def _linked(self, links: list[tuple[bytes, bytes]]) -> Iterator[Member | Skipped]:
        """Yield the hard links: further names of a member, whose content they have."""
        wanted, found = {target for _, target in links}, dict[bytes, tarfile.TarInfo]()
        for info, _ in self._entries() if wanted else ():
            path = safe(_raw(info.name))[0]
            if path in wanted and info.isreg() and not info.issparse():
                found.setdefault(path, info)
        for path, target in links:
            info_of = found.get(target)
            if info_of is None or info_of.offset_data + info_of.size > self._content.size_bytes:
                yield Skipped(path, link(target), blocks=True)
            else:
                yield Member(path, self._stat(info_of), f"{info_of.offset_data}:{info_of.size}", is_container(path))

    def _member(
        self, info: tarfile.TarInfo, allowance: Allowance, links: list[tuple[bytes, bytes]]
    ) -> Iterator[Member | Skipped]:
        path, trouble = safe(_raw(info.name))
        if info.isdir() and trouble is None:
            return
        target = _raw(info.linkname)
        refusal = trouble or allowance.refusal(info.size, None, is_container=is_container(path))
        if refusal is not None:
            yield Skipped(path, refusal, blocks=True)
        elif info.islnk() and safe(target)[1] is None:
            links.append((path, safe(target)[0]))
        elif info.issym() or info.islnk():
            yield Skipped(path, link(target), blocks=True)
        elif not info.isreg():
            yield Skipped(path, SPECIAL, blocks=True)
        elif info.issparse():
            yield Skipped(path, _SPARSE, blocks=True)
        elif info.offset_data + info.size > self._content.size_bytes:
            yield Skipped(path, Sentence("the archive ends within it"), blocks=True)
        else:
            yield Member(path, self._stat(info), f"{info.offset_data}:{info.size}", is_container(path))

    def _stat(self, info: tarfile.TarInfo) -> FileStat:
        has_parts = not float(info.mtime).is_integer()
        return FileStat(
            size_bytes=info.size,
            mtime_ns=round(info.mtime * 1_000_000) * 1000 if has_parts else int(info.mtime) * _SECOND_NS,
            ctime_ns=0,
            atime_ns=0,
            mode=ATTRIBUTES_OF_A_FILE,
            inode=info.offset_data,
            device=self._identity,
            links=1,
            mtime_step_ns=1000 if has_parts else _SECOND_NS,
        )

    def blocks(self, address: str, block_bytes: int) -> Iterator[bytes]:
        """Yield the content of a member; tar has no check sum of it."""
        offset, left = map(int, address.split(":"))
        while left:
            block = self._content.read(offset, min(block_bytes, left))
            if not block:
                raise Unreadable(Sentence("the archive ends within it"))
            offset, left = offset + len(block), left - len(block)
            yield block

    def close(self) -> None:
        """Give back the room for what was unpacked."""
        if self._spool is not None:
            self._spool.close()


def _raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
