"""Photos in space that no file claims, found by how they begin: JPEG, PNG and HEIC, followed part by part to their end.

Only where a file can begin, at the start of a sector, is it looked for one, so that the
thumbnail within a photo is none of its own. A JPEG is followed by its segments
(ISO/IEC 10918-1, Annex B) and through its scans, a PNG by its chunks and their check sums
(ISO/IEC 15948), a HEIC by its boxes (ISO/IEC 14496-12). What was carved has no name and
no times, and nothing says whether its pieces belong together: a file that lay in pieces
breaks off, or goes on with what is another's. TIFF and what is made of it (most RAW) does
not tell its own end and is not looked for.
"""

from __future__ import annotations

import re
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gtloc_forensics.records import Sentence

Read = Callable[[int, int], bytes]
"""Gives bytes of the medium by place and length, fewer at its end."""

SECTOR_BYTES = 512
MOST_BYTES = 64 << 20
"""Of one carved photo: what has not ended by then is no picture of a camera."""

MOST_PHOTOS = 20_000
"""Of one image: beyond it the list itself would be the attack."""

MOST_SECONDS = 6 * 3600.0
"""For one image, slow or made to be endless."""

MOST_SEGMENTS = 4096
"""Of one JPEG: extended XMP and colour profiles make hundreds, never so many."""

_BLOCK_BYTES = 1 << 20
_PNG = b"\x89PNG\r\n\x1a\n"
_HEIC = re.compile(rb"\0\0\0.ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL)
_BEGINNINGS = ((b"\xff\xd8\xff", 0, b"jpg"), (_PNG, 0, b"png"), (b"ftyp", 4, b"heic"))
"""What photos begin with, how many bytes stand before it, and the extension of their kind."""

_LONGEST_BEGINNING = 12

_OUT_OF_SCAN = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SEGMENTS = frozenset((*range(0xC0, 0xD0), *range(0xDA, 0xE0), *range(0xE0, 0xF0), 0xFE)) - {0xC8}
_START_OF_SCAN, _END = 0xDA, 0xD9
_NAMED_SEGMENTS = (b"Exif\0", b"JFIF\0", b"http://ns.adobe.com/xap/")
_BOXES = frozenset((b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip", b"wide", b"uuid", b"mpvd", b"idat"))

PATH = re.compile(
    rb"(?P<label>p[0-9]{1,4}|unclaimed)-carved/offset-0x(?P<offset>[0-9a-f]{1,15})-(?P<length>[0-9]{1,8})-bytes"
    rb"(?P<cut>-cut)?\.(?P<ending>jpg|png|heic)"
)
"""How a carved photo is called: by where it lies in the medium, which is all that is known of it."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of the medium, one after another, that no file claims."""

    label: bytes
    """The partition, or ``unclaimed``."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Carved:
    """What begins as a photo in free space.

    Attributes:
        offset: byte of the medium at which it begins.
        length: bytes that belong together as far as its structure tells.
        ending: extension of its kind.
        is_whole: its structure is there to its end.
        has_head: enough is there to read what it says of itself; without it nothing is examined.
    """

    label: bytes
    offset: int
    length: int
    ending: bytes
    is_whole: bool
    has_head: bool = True

    @property
    def path(self) -> bytes:
        """Its path within the image, from which it can be found again; see :data:`PATH`."""
        cut = b"" if self.is_whole else b"-cut"
        return b"%b-carved/offset-0x%x-%d-bytes%b.%b" % (self.label, self.offset, self.length, cut, self.ending)


@dataclass(frozen=True, slots=True)
class _Ended:
    at: int  # byte up to which it was followed
    is_whole: bool
    has_head: bool
    is_one: bool = True  # False: only its first bytes look like one
    of_it: int | None = None  # first byte that does not belong to it, where that is known to be an earlier one


def photos_in(read: Read, stretch: Stretch, *, deadline: float) -> Iterator[Carved | Sentence]:
    """Yield what begins as a photo in a stretch, in its order; a sentence where time ran out.

    Args:
        read: gives bytes of the medium.
        stretch: where to look.
        deadline: reading of ``time.monotonic`` at which to stop.

    Raises:
        OSError: the medium cannot be read there.
    """
    at = -(-stretch.start // SECTOR_BYTES) * SECTOR_BYTES
    while at < stretch.end:
        if time.monotonic() > deadline:
            yield out_of_time(stretch.end - at)
            return
        end = min(stretch.end, at + _BLOCK_BYTES)
        found = _beginning(read(at, min(end + _LONGEST_BEGINNING, stretch.end) - at), end - at)
        if found is None:
            at = end
            continue
        offset, ending = at + found[0], found[1]
        ended = _ENDS[ending](read, offset, min(stretch.end, offset + MOST_BYTES))
        if ended.is_one:
            length = (ended.at if ended.of_it is None else ended.of_it) - offset
            yield Carved(stretch.label, offset, length, ending, ended.is_whole, ended.has_head)
        at = offset + SECTOR_BYTES
        if ended.is_one:  # where it broke off something else stands, perhaps the beginning of another
            behind = ended.at + SECTOR_BYTES - 1 if ended.is_whole else ended.at
            at = max(at, behind // SECTOR_BYTES * SECTOR_BYTES)


def out_of_time(left_bytes: int) -> Sentence:
    """Return what is said where time ran out with so much of a stretch left."""
    return Sentence(
        "looking for photos in free space took {hours:.1f} h and was stopped; {size_mb:raw} MB of this partition, and "
        "free space after it, were not looked into",
        hours=MOST_SECONDS / 3600,
        size_mb=left_bytes >> 20,
    )


def _beginning(block: bytes, length: int) -> tuple[int, bytes] | None:
    """Return where in a block, which begins with a sector, a photo begins, and the extension of its kind."""
    found: list[tuple[int, bytes]] = []
    for sign, before, ending in _BEGINNINGS:
        at = block.find(sign, before)
        while 0 <= at < length + before:
            is_one = (at - before) % SECTOR_BYTES == 0 and (ending != b"heic" or _HEIC.match(block, at - before))
            if is_one:
                found.append((at - before, ending))
                break
            at = block.find(sign, at + 1)
    return min(found, default=None)


# --------------------------------------------------------------------------- JPEG


def _end_of_jpeg(read: Read, offset: int, limit: int) -> _Ended:
    """Follow a JPEG by its segments; its end is behind the marker EOI that follows a scan."""
    at, has_frame, has_scan, is_named, scan = offset + 2, False, False, False, 0
    for _ in range(MOST_SEGMENTS):
        head = read(at, min(36, limit - at))
        if len(head) < 2 or head[0] != 0xFF:
            break
        if head[1] == 0xFF:  # fill byte
            at += 1
            continue
        if head[1] == _END:
            return _Ended(at + 2 if has_scan else at, has_scan, has_scan, has_scan or is_named)
        length = int.from_bytes(head[2:4], "big")
        if head[1] not in _SEGMENTS or length < 2 or at + 2 + length > limit:
            break
        has_frame |= head[1] in _FRAMES
        is_named |= head[4:].startswith(_NAMED_SEGMENTS)
        at += 2 + length
        if head[1] == _START_OF_SCAN:
            if not has_frame:
                break
            scan = scan or at
            has_scan = True
            at = _behind_scan(read, at, limit)
    at = min(at, limit)
    return _Ended(at, False, has_scan, has_scan or is_named, _first_empty_sector(read, scan, at) if has_scan else None)


def _first_empty_sector(read: Read, at: int, end: int) -> int | None:
    """Return where zeros begin that fill a sector: of a photo that breaks off, what was never written; None for none.

    Flat sky may be coded as zeros, too, so nobody asks that of a photo that is whole.
    """
    while at < end:
        block = read(at, min(_BLOCK_BYTES, end - at))
        found = block.find(bytes(SECTOR_BYTES))
        if found >= 0:
            return at + found
        at += max(1, len(block) - SECTOR_BYTES + 1) if len(block) == _BLOCK_BYTES else max(1, end - at)
    return None


def _behind_scan(read: Read, at: int, limit: int) -> int:
    """Return where the entropy-coded data that begins at a place is followed by a marker; *limit* where it is not."""
    while at < limit:
        block = read(at, min(_BLOCK_BYTES, limit - at))
        if not block:
            return at
        found = _OUT_OF_SCAN.search(block)
        if found is not None:
            return at + found.end() - 2
        # a block that ends within a marker is begun again there
        step = len(block) - (1 if block.endswith(b"\xff") and at + len(block) < limit and len(block) > 1 else 0)
        at += step
    return limit


# --------------------------------------------------------------------------- PNG, HEIC


def _end_of_png(read: Read, offset: int, limit: int) -> _Ended:
    """Follow a PNG by its chunks; one whose check sum is wrong is where it breaks off."""
    at, has_head, is_one = offset + len(_PNG), False, False
    while at + 12 <= limit:
        head = read(at, 8)
        length, kind = struct.unpack(">I4s", head) if len(head) == 8 else (limit, b"")
        if not kind.isalpha() or at + 12 + length > limit or not _has_its_sum(read, at + 4, length + 4):
            break
        at += 12 + length
        is_one |= kind == b"IHDR"
        has_head |= kind == b"IDAT"
        if kind == b"IEND":
            return _Ended(at, has_head, has_head, is_one)
    return _Ended(at, False, has_head, is_one)


def _has_its_sum(read: Read, at: int, length: int) -> bool:
    found, end = 0, at + length
    while at < end:
        block = read(at, min(_BLOCK_BYTES, end - at))
        if not block:
            return False
        found, at = zlib.crc32(block, found), at + len(block)
    return read(end, 4) == found.to_bytes(4, "big")


def _end_of_heic(read: Read, offset: int, limit: int) -> _Ended:
    """Follow a HEIC by its outermost boxes, as far as they are of the kinds that stand there."""
    at, seen = offset, set[bytes]()
    is_cut = False
    while at + 8 <= limit:
        head = read(at, 16)
        size, kind = struct.unpack_from(">I4s", head) if len(head) >= 8 else (0, b"")
        if size == 1 and len(head) == 16:
            size = struct.unpack_from(">Q", head, 8)[0]
        if kind not in _BOXES or size < 8 or (kind == b"ftyp") != (at == offset):
            break
        is_cut = at + size > limit
        if is_cut:
            break
        seen.add(kind)
        at += size
    is_whole = {b"meta", b"mdat"} <= seen and not is_cut
    return _Ended(limit if is_cut and b"meta" in seen else at, is_whole, b"meta" in seen, b"meta" in seen)


_ENDS: dict[bytes, Callable[[Read, int, int], _Ended]] = {
    b"jpg": _end_of_jpeg,
    b"png": _end_of_png,
    b"heic": _end_of_heic,
}
