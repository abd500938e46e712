"""Bytes → :class:`FileStructure`: how a JPEG file is built, read from its segments without decoding anything.

Tables, sampling and order of segments are what the encoder left, order of the directories and their
values what the writer of the EXIF block left, whatever the values say. Whoever saves a file again leaves
his own. Every length and offset in a file may lie: what points outside is taken as not there.

Formats: ISO/IEC 10918-1 (JPEG) Annex B; EXIF 2.32 §4.5–4.6 (CIPA DC-008).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from gtloc_forensics.metadata.exif_directory import directory_entries, segments
from gtloc_forensics.records import FileStructure

_EXIF = b"Exif\0\0"
_NAMES = (
    (0xE0, b"JFIF\0", "JFIF"),
    (0xE1, _EXIF, "Exif"),
    (0xE1, b"http://ns.adobe.com/xap/1.0/\0", "XMP"),
    (0xE1, b"http://ns.adobe.com/xmp/extension/\0", "extended XMP"),
    (0xE2, b"ICC_PROFILE\0", "ICC"),
    (0xE2, b"MPF\0", "MPF"),
    (0xE2, b"FPXR\0", "FlashPix"),
    (0xEB, b"JP", "JUMBF"),
    (0xED, b"Photoshop 3.0\0", "Photoshop"),
    (0xEE, b"Adobe", "Adobe"),
)
_DQT, _DHT, _DRI, _COM = 0xDB, 0xC4, 0xDD, 0xFE
_SOF = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))

# ISO/IEC 10918-1 Annex K.3: how many codes of each length the four standard tables have, luminance then chrominance.
_STANDARD_COUNTS = frozenset(
    bytes(counts)
    for counts in (
        (0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0),
        (0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0),
        (0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125),
        (0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119),
    )
)

_EXIF_POINTER, _GPS_POINTER, _INTEROP_POINTER, _MAKER_NOTE = 0x8769, 0x8825, 0xA005, 0x927C
_THUMBNAIL_OFFSET, _THUMBNAIL_LENGTH = 0x0201, 0x0202
_POINTERS = {_EXIF_POINTER: "ExifIFD", _GPS_POINTER: "GPS", _INTEROP_POINTER: "Interop"}
_SIZE_OF_TYPE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
_OF_SETTINGS = frozenset((0x010E, 0x0112, 0x013B, 0x013C, 0x8298, _GPS_POINTER))
"""Tags of the first directory that a person or a setting adds: description, turn, artist, host, copyright, place."""

_LASTING = ("IFD0", "ExifIFD", "Interop")
"""Directories that a camera writes into every photo; GPS and thumbnail come and go."""

_MOST_SEGMENTS = 400
_MOST_DIRECTORIES = 8
_LONGEST = 300


def structure(head: bytes) -> FileStructure | None:
    """Return how a JPEG file is built; None for any other kind of file.

    Args:
        head: the beginning of the file, as far as it is looked at.
    """
    if not head.startswith(b"\xff\xd8\xff"):
        return None
    found = [pair for _, pair in zip(range(_MOST_SEGMENTS), segments(head), strict=False)]
    exif = next((payload[len(_EXIF) :] for marker, payload in found if marker == 0xE1 and payload[:6] == _EXIF), b"")
    encoder = _encoder(found)
    return FileStructure(*encoder, *_exif(exif)) if all(encoder) else FileStructure("", "", "", "", *_exif(exif))


def _encoder(found: Sequence[tuple[int, bytes]]) -> tuple[str, str, str, str]:
    """Return order of segments, tables, kind of Huffman tables and sampling; "" for each that is not there."""
    order = _bounded(groupby(_segment_name(marker, payload) for marker, payload in found), ", ")
    tables = b"".join(payload for marker, payload in found if marker == _DQT)
    huffman = [counts for marker, payload in found if marker == _DHT for counts in _code_counts(payload)]
    frame = next((payload for marker, payload in found if marker in _SOF), b"")
    return (
        order,
        hashlib.sha256(tables).hexdigest()[:16] if tables else "",
        ("standard" if _STANDARD_COUNTS.issuperset(huffman) else "own") if huffman else "",
        _sampling(frame),
    )


def _segment_name(marker: int, payload: bytes) -> str:
    own = next((name for number, start, name in _NAMES if marker == number and payload.startswith(start)), "")
    if 0xE0 <= marker <= 0xEF:
        return f"APP{marker - 0xE0} {own}".rstrip()
    if marker in _SOF:
        return f"SOF{marker - 0xC0}"
    return {_DQT: "DQT", _DHT: "DHT", _DRI: "DRI", _COM: "COM"}.get(marker, f"0x{marker:02X}")


def _code_counts(payload: bytes) -> Iterator[bytes]:
    """Yield the sixteen counts of each Huffman table in a segment."""
    at = 0
    while at + 17 <= len(payload):
        counts = payload[at + 1 : at + 17]
        yield counts
        at += 17 + sum(counts)


def _sampling(frame: bytes) -> str:
    components = frame[5] if len(frame) > 5 else 0
    if not 1 <= components <= 4 or len(frame) < 6 + 3 * components:
        return ""
    factors = (frame[7 + 3 * number] for number in range(components))
    return " ".join(f"{factor >> 4}x{factor & 15}" for factor in factors)


# --------------------------------------------------------------------------- the EXIF block


def _exif(tiff: bytes) -> tuple[str, str, str, str, str]:
    """Return byte order, order of the blocks, tags of the first directory, MakerNote, thumbnail."""
    if tiff[:4] not in (b"II*\0", b"MM\0*") or len(tiff) < 8:
        return "", "", "", "", ""
    order = "<" if tiff.startswith(b"II") else ">"
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    directories = _directories(tiff, start, order)
    if not directories:
        return "", "", "", "", ""
    tags = [tag for tag, _, _, _ in directories["IFD0"][1] if tag not in _OF_SETTINGS]
    small = _thumbnail(tiff, directories)
    has_note = any(tag == _MAKER_NOTE for tag, _, _, _ in directories.get("ExifIFD", (0, []))[1])
    return (
        f"{'little' if order == '<' else 'big'}-endian, at {start}",
        _bounded(groupby(_blocks(directories, len(tiff))), ", "),
        _bounded(groupby(f"{tag:04x}" for tag in tags), " "),
        "there" if has_note else "not there",
        _thumbnail_build(small) if small else "not there",
    )


_Entries = list[tuple[int, int, int, int]]


def _directories(tiff: bytes, start: int, order: str) -> dict[str, tuple[int, _Entries]]:
    """Return name → (offset, entries) of the directories that are there; each offset is read once."""
    found: dict[str, tuple[int, _Entries]] = {}
    left = [("IFD0", start)]
    while left and len(found) < _MOST_DIRECTORIES:
        name, at = left.pop(0)
        entries = directory_entries(tiff, at, order)
        if entries is None or name in found or any(at == taken for taken, _ in found.values()):
            continue
        found[name] = at, entries
        left += [(_POINTERS[tag], value) for tag, _, count, value in entries if tag in _POINTERS and count == 1]
        after = at + 2 + 12 * len(entries)
        if name == "IFD0" and after + 4 <= len(tiff):
            left.append(("IFD1", struct.unpack_from(f"{order}I", tiff, after)[0]))
    return found


def _blocks(directories: dict[str, tuple[int, _Entries]], size: int) -> Iterator[str]:
    """Yield what lasting directories and values there are, in file order."""
    places: list[tuple[int, str]] = []
    for name in _LASTING:
        at, entries = directories.get(name, (0, []))
        places += [(at, name)] if entries else []
        for tag, kind, count, value in entries:
            if _SIZE_OF_TYPE.get(kind, 0) * count > 4 and value < size:
                places.append((value, "MakerNote" if tag == _MAKER_NOTE else f"values of {name}"))
    return (name for _, name in sorted(places))


def _bounded(runs: Iterable[tuple[str, object]], between: str) -> str:
    """Return runs of names as one text, what is too long for a text to be kept with its digest instead of its end."""
    text = between.join(name for name, _ in runs)
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}… {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _thumbnail(tiff: bytes, directories: dict[str, tuple[int, _Entries]]) -> bytes:
    values = {tag: value for tag, _, _, value in directories.get("IFD1", (0, []))[1]}
    at, length = values.get(_THUMBNAIL_OFFSET, 0), values.get(_THUMBNAIL_LENGTH, 0)
    found = tiff[at : at + length] if at else b""
    return found if found.startswith(b"\xff\xd8\xff") else b""


def _thumbnail_build(thumbnail: bytes) -> str:
    found = [pair for _, pair in zip(range(_MOST_SEGMENTS), segments(thumbnail), strict=False)]
    order, tables, huffman, sampling = _encoder(found)
    frame = next((payload for marker, payload in found if marker in _SOF), b"")
    height, width = struct.unpack_from(">HH", frame, 1) if len(frame) >= 5 else (0, 0)
    size = f"{max(width, height)}x{min(width, height)}"  # a picture on its side has its thumbnail on its side
    return "; ".join((size, sampling, tables, huffman, order))
