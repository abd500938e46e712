"""Which blocks of a file exiftool could not read whole, from its own warnings.

exiftool goes on after damage and returns what is left. What is left is then less than
the file holds, and "the tag is not there" would be untrue; so every warning that is
not marked as minor counts as a block that could not be read, unless it is known to be
about something in which neither time nor place stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gtloc_forensics.records import MetadataBlock, Statement, UnreadBlock

_MINOR = re.compile(r"\[minor\]", re.I)

_GIVEN_UP = re.compile(r"parsing aborted|excessive count|Skipped unknown \d+ bytes after JPEG", re.I)
"""Minor to exiftool, but a part of the file, perhaps a whole block, was left out."""

_NO_CLAIM = re.compile(
    r"ICC_Profile|FLIR|JUMBF|JPEG-HDR|CFAPattern|BitsPerSample|Scalado|NikonApp|CTMD|IPTCDigest"
    r"|Thumbnail|PreviewImage|OtherImage|JpgFromRaw|StripOffsets|TileOffsets|FreeOffsets"
    r"|ExtractEmbedded|LargeFileSupport|must be installed|^Install |FileName encoding|Win32"
    r"|Can't decrypt Nikon|Unrecognized CameraInfo|^Fixed |^Adjusted |Superfluous BOM|double UTF|xpacket"
    r"|Apple iPhone format|character set|characters not converted|text encoding|rdf:about|^Duplicate "
    r"|Overlapping trailer|trailer|namespace|should be capitalized|FocalUnits|Missing JPEG SOS|out of sequence",
    re.I,
)
"""About colours, pictures within the picture, programs that are missing, or the form of what was read all the same."""

_WORDS: tuple[tuple[MetadataBlock, re.Pattern[str]], ...] = (
    (MetadataBlock.XMP, re.compile(r"\bXMP\b|xmpmeta|\brdf\b", re.I)),
    (MetadataBlock.IPTC, re.compile(r"\bIPTC\b|Photoshop", re.I)),
    (MetadataBlock.MAKER_NOTES, re.compile(r"maker ?notes?|CameraInfo", re.I)),
    (MetadataBlock.GPS, re.compile(r"\bGPS")),
    (MetadataBlock.EXIF, re.compile(r"IFD\d*\b|Exif|TIFF|APP1\b|byte order|magic number|SubDirectory|directory", re.I)),
    (MetadataBlock.QUICKTIME, re.compile(r"atom\b|\bbox\b|sample table|extended size|'....' data", re.I)),
    (MetadataBlock.PNG, re.compile(r"\bPNG\b|chunk", re.I)),
)


def unread_blocks(warnings: Iterable[Statement]) -> tuple[UnreadBlock, ...]:
    """Return the blocks that *warnings* speak of, each once, with the first words that exiftool said about it."""
    found: dict[MetadataBlock, Statement] = {}
    for warning in warnings:
        if _is_about_a_block(warning):
            found.setdefault(_block(warning), warning)
    return tuple(UnreadBlock(block, said) for block, said in found.items())


def _is_about_a_block(warning: str) -> bool:
    if _MINOR.search(warning):
        return _GIVEN_UP.search(warning) is not None
    return warning.startswith("Error: ") or _NO_CLAIM.search(warning) is None


def _block(warning: str) -> MetadataBlock:
    return next((block for block, words in _WORDS if words.search(warning)), MetadataBlock.CONTAINER)
