"""What damage in a JPEG's EXIF directory exiftool passes over in silence: a header or an entry that is not what it was.

exiftool takes a segment whose header is not known, or an entry whose number it does
not know, for something that is none of its business. One changed bit is enough to make
a capture time such a thing. Only the directory is looked at here; values are exiftool's.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import ExifTags

from gtloc_forensics.records import MetadataBlock, Sentence, UnreadBlock

HEAD_BYTES = 1 << 20
"""How much of a file is looked at: its EXIF block is among the first segments."""

_EXIF, _XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
_TIFF = (b"II*\0", b"MM\0*")
_SEARCHED_BYTES = 16  # of a segment: a TIFF header stands this far at the front of an EXIF block with a broken name

_EXIF_POINTER, _GPS_POINTER, _INTEROP_POINTER = 0x8769, 0x8825, 0xA005
_LONG, _IFD = 4, 13
_TYPES = frozenset((*range(1, 14), 129))  # 129: UTF-8, of EXIF 3.0
_MOST_ENTRIES = 500

_ASCII, _SHORT, _RATIONAL = 2, 3, 5
_TEXT = (1, _ASCII, 7, 129)  # as which careless programs write a text, and exiftool reads it
_TYPE_OF = {
    **dict.fromkeys((0x010F, 0x0110, 0x0132, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012), _ASCII),
    **dict.fromkeys((0x011A, 0x011B, 0x829A, 0x829D, 0x9202, 0x920A), _RATIONAL),
    **dict.fromkeys((0x0112, 0x0128, 0x8822, 0x9207, 0x9209), _SHORT),
    **dict.fromkeys((0x8824, 0x010E, 0x0131), _ASCII),
    0x9211: _LONG,
}
_GPS_TYPE_OF = {
    **dict.fromkeys((1, 3, 9, 10, 12, 14, 16, 18, 19, 21, 23, 25, 29), _ASCII),
    **dict.fromkeys((2, 4, 6, 7, 11, 13, 15, 17, 20, 22, 24, 26, 31), _RATIONAL),
}
_GPS_THREE = frozenset((2, 4, 7, 20, 22))
"""Tags that a claim is made of, and their neighbours → their type in EXIF 2.32; and the GPS tags of three numbers."""


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong with the directory: blocks that were not read, and oddities that a person should know of."""

    unread: tuple[UnreadBlock, ...] = ()
    warnings: tuple[Sentence, ...] = ()


def damage(head: bytes) -> Damage:
    """Return what is wrong with the EXIF directory at the front of a JPEG; nothing for any other kind of file.

    Args:
        head: the first :data:`HEAD_BYTES` of the file.
    """
    unread: list[UnreadBlock] = []
    warnings: list[Sentence] = []
    for marker, payload in segments(head):
        if marker == 0xE1 and payload.startswith(_EXIF):
            for fault, is_unread in _directory_faults(payload[len(_EXIF) :]):
                unread += [UnreadBlock(MetadataBlock.EXIF, fault)] if is_unread else []
                warnings += [] if is_unread else [Sentence("EXIF block: {fault}", fault=fault)]
        elif _is_exif_by_another_name(marker, payload):
            said = Sentence("the header of its segment is not that of EXIF")
            unread.append(UnreadBlock(MetadataBlock.EXIF, said))
        elif marker == 0xE1 and not payload.startswith(b"http://ns.adobe.com/") and b"<x:xmpmeta" in payload[:400]:
            said = Sentence("the header of its segment is not that of XMP")
            unread.append(UnreadBlock(MetadataBlock.XMP, said))
    return Damage(tuple(dict.fromkeys(unread)), tuple(dict.fromkeys(warnings)))


def _is_exif_by_another_name(marker: int, payload: bytes) -> bool:
    if marker == 0xE1:
        return any(magic in payload[:_SEARCHED_BYTES] for magic in _TIFF) and b"http" not in payload[:8]
    return payload.startswith(_EXIF)


def segments(head: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and payload of the segments before the picture; one that is cut off has what is there of it."""
    at = 2 if head.startswith(b"\xff\xd8") else len(head)
    while at + 4 <= len(head) and head[at] == 0xFF and head[at + 1] not in (0xDA, 0xD9):
        length = int.from_bytes(head[at + 2 : at + 4], "big")
        yield head[at + 1], head[at + 4 : at + 2 + length]
        at += 2 + max(2, length)


def _directory_faults(tiff: bytes) -> Iterator[tuple[Sentence, bool]]:
    """Yield each fault with whether something behind it was not read; what exiftool itself reports is left to it."""
    if tiff[:4] not in _TIFF or len(tiff) < 8:
        return
    order = "<" if tiff.startswith(b"II") else ">"
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    yield from _faults_of(tiff, start, order, "IFD0")


def _faults_of(tiff: bytes, start: int, order: str, name: str) -> Iterator[tuple[Sentence, bool]]:
    entries = directory_entries(tiff, start, order)
    if entries is None:
        return
    known = ExifTags.GPSTAGS if name == "GPS" else ExifTags.TAGS
    types = _GPS_TYPE_OF if name == "GPS" else _TYPE_OF
    numbers = [tag for tag, _, _, _ in entries]
    if numbers != sorted(set(numbers)):
        yield Sentence("the entries of {name} are not in ascending order, or one stands there twice", name=name), False
    for tag, kind, count, value in entries:
        if tag not in known:
            fault = Sentence(
                "{name} holds an entry {number}, which is no EXIF tag: perhaps it was another",
                name=name,
                number=f"0x{tag:04x}",
            )
            yield fault, False
        elif tag in types and kind != types[tag]:
            text = types[tag] == _ASCII
            fault = Sentence(
                "{tag} in {name} has the type {kind:raw} instead of {right_kind:raw}",
                tag=known[tag],
                name=name,
                kind=kind,
                right_kind=types[tag],
            )
            yield fault, text and kind not in _TEXT
        if name == "GPS" and kind == _RATIONAL and count != (3 if tag in _GPS_THREE else 1):
            yield Sentence("{tag} in GPS has {count:raw} numbers", tag=str(known.get(tag, tag)), count=count), False
        if tag in (_EXIF_POINTER, _GPS_POINTER) and name == "IFD0":
            yield from _behind(tiff, (kind, count, value), order, "GPS" if tag == _GPS_POINTER else "ExifIFD")


def _behind(tiff: bytes, entry: tuple[int, int, int], order: str, name: str) -> Iterator[tuple[Sentence, bool]]:
    kind, count, value = entry
    if kind not in (_LONG, _IFD) or count != 1:
        yield Sentence("what points to {name} is no pointer", name=name), True
    elif directory_entries(tiff, value, order) is None:
        yield Sentence("where {name} should be there is no directory", name=name), True
    else:
        yield from _faults_of(tiff, value, order, name)


def directory_entries(tiff: bytes, start: int, order: str) -> list[tuple[int, int, int, int]] | None:
    """Return (tag, type, count, value or offset) of a directory; None where there is none."""
    if start < 8 or start + 2 > len(tiff):
        return None
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    if not 1 <= count <= _MOST_ENTRIES or start + 2 + 12 * count > len(tiff):
        return None
    entries = list(struct.iter_unpack(f"{order}HHII", tiff[start + 2 : start + 2 + 12 * count]))
    return None if sum(kind not in _TYPES for _, kind, _, _ in entries) > count // 2 else entries
