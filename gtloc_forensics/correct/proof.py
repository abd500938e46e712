"""Proof that a write did what it should and nothing else: tag by tag, and that the picture is the same.

What exiftool itself must change (offsets into the file, its own toolkit name, tags the
EXIF standard demands of a new block) is named here; any other difference is a fault.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageSequence

from gtloc_forensics.correct import files
from gtloc_forensics.correct.assignments import Assignment
from gtloc_forensics.files import types
from gtloc_forensics.records import Tags

FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP")  # Pillow opens MPO by way of JPEG
MOST_FRAMES = 64
NUMBER_SLACK = 2e-6  # degrees: a rational of exiftool's and seven decimals of ours
_OUTSIDE = ("ExifTool:", "System:", "File:", "Composite:")
_LAYOUT = re.compile(
    r"(?i).*:(\w*offsets?|\w*ImageStart|\w*ImageLength|StripByteCounts|TileByteCounts|XMPToolkit|IPTCDigest|"
    r"CurrentIPTCDigest|ExifByteOrder|Padding|OffsetSchema|MakerNoteByteOrder|FreeOffsets|FreeByteCounts|Warning)"
)
_DEMANDED = frozenset(
    {"XResolution", "YResolution", "ResolutionUnit", "YCbCrPositioning", "Compression", "ColorSpace"}
    | {"ExifVersion", "ComponentsConfiguration", "FlashpixVersion", "GPSVersionID"}
    | {"EnvelopeRecordVersion", "ApplicationRecordVersion", "CodedCharacterSet"}
)


def differences(before: Tags, after: Tags, written: Sequence[Assignment]) -> tuple[str, ...]:
    """Return a sentence for every tag that is not as it should be after *written* was written."""
    wanted: dict[str, list[str]] = {}
    for tag, value in written:
        wanted.setdefault(tag, []).append(value)
    faults = [fault for tag, values in wanted.items() if (fault := _not_written(tag, values, before, after))]
    return (*faults, *_touched(before, after, wanted))


def _not_written(tag: str, values: list[str], before: Tags, after: Tags) -> str:
    if tag == "Photoshop:IPTCDigest":  # written as the word "new"
        return ""
    found = _values_of(tag, after)
    if all(len(values) == len(group) and all(map(same, values, group)) for group in found) and found:
        return ""
    return f"{tag} should be {', '.join(values)} and reads {found[0] if found else 'nothing'}"


def _values_of(tag: str, tags: Tags) -> list[tuple[str | int | float, ...]]:
    """Return the values of a tag; a movie's clocks are written to all tracks at once."""
    group, _, name = tag.partition(":")
    if group == "QuickTime":
        return [tags[tag] for tag in tags if re.fullmatch(rf"(QuickTime|Track\d+):{name}", tag)]
    return [tags[tag]] if tag in tags else []


def same(wanted: str, found: str | int | float) -> bool:
    """Return whether a value read is the one written, in exiftool's numeric form."""
    if wanted == str(found):
        return True
    try:
        return abs(float(wanted) - float(found)) <= NUMBER_SLACK
    except ValueError:
        return _canonical(wanted) == _canonical(str(found))


def _canonical(text: str) -> str:
    """Return a time without the ways exiftool may write it differently: ``Z``, zeros at the end of a fraction."""
    text = re.sub(r"(\.\d*?)0+(?=\D|$)", r"\1", text.strip()).replace("+00:00", "Z")
    return re.sub(r"\.(?=\D|$)", "", text)


def _touched(before: Tags, after: Tags, wanted: Iterable[str]) -> list[str]:
    written = set(wanted)
    faults = []
    for tag in sorted(before.keys() | after.keys()):
        if tag in written or _is_excused(tag, before, written):
            continue
        if before.get(tag) != after.get(tag) and not _is_empty_list(tag, before, after):
            faults.append(f"{tag} was changed from {before.get(tag, ())!r:.60} to {after.get(tag, ())!r:.60}")
    return faults


def _is_empty_list(tag: str, before: Tags, after: Tags) -> bool:
    """Return whether XMP lost a list with nothing in it, as darktable writes of a picture not edited: nothing is lost.

    exiftool cannot write such a list; a property that is empty but no list it keeps.
    """
    return tag.startswith("XMP-") and before.get(tag) == ("",) and tag not in after


def _is_excused(tag: str, before: Tags, written: set[str]) -> bool:
    if tag.startswith(_OUTSIDE) or _LAYOUT.fullmatch(tag):
        return True
    name = tag.partition(":")[2]
    if tag not in before and name in _DEMANDED:
        return True
    return bool(re.match(r"Track\d+:", tag)) and f"QuickTime:{name}" in written


def picture_digest(path: Path) -> str | None:
    """Return a hash of the decoded picture, all frames; None where it cannot be decoded or proven.

    A JPEG too large or too broken to decode is proven by its coded image data instead (same
    tables and same scans decode to the same pixels), a movie by its media data.
    """
    with files.reading(path) as file:
        kind = types.media_type(file.read(types.HEAD_BYTES))
    if types.is_video(kind):
        return movie_digest(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with files.reading(path) as file, Image.open(file, formats=FORMATS) as picture:
                return _decoded(picture)
        except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, Warning):
            return coded_digest(path)


def _decoded(picture: Image.Image) -> str:
    digest = hashlib.sha256()
    for number, frame in enumerate(ImageSequence.Iterator(picture)):
        if number == MOST_FRAMES:
            break
        digest.update(f"{frame.mode} {frame.size} {number};".encode())
        digest.update(frame.tobytes())
    return "decoded:" + digest.hexdigest()


def movie_digest(path: Path) -> str | None:
    """Return a hash of all media data (``mdat``) of an MP4 or QuickTime file; None where there is none."""
    digest, found = hashlib.sha256(), False
    with files.reading(path) as file:
        while len(head := file.read(8)) == 8:
            length, kind = int.from_bytes(head[:4], "big"), head[4:]
            rest = length - 8 if length != 1 else int.from_bytes(file.read(8), "big") - 16
            if length != 0 and rest < 0:
                return None
            if kind != b"mdat":
                file.seek(0, 2) if length == 0 else file.seek(rest, 1)
                continue
            found = True
            for block in _blocks(file, None if length == 0 else rest):
                digest.update(block)
    return "media:" + digest.hexdigest() if found else None


def _blocks(file: BinaryIO, length: int | None) -> Iterator[bytes]:
    """Yield the next *length* bytes (None: all) in pieces."""
    left = length
    while block := file.read(files.BLOCK if left is None else min(files.BLOCK, left)):
        left = None if left is None else left - len(block)
        yield block


def coded_digest(path: Path) -> str | None:
    """Return a hash of everything in a JPEG but its metadata segments (APPn, COM); None for other files."""
    with files.reading(path) as file:
        if file.read(2) != b"\xff\xd8":
            return None
        digest = hashlib.sha256()
        while True:
            head = file.read(4)
            if len(head) < 4 or head[0] != 0xFF:
                return None
            kind, length = head[1], int.from_bytes(head[2:4], "big")
            body = file.read(max(0, length - 2))
            if not (0xE0 <= kind <= 0xEF or kind == 0xFE):
                digest.update(head + body)
            if kind == 0xDA:
                break
        while block := file.read(files.BLOCK):
            digest.update(block)
    return "coded:" + digest.hexdigest()
