"""The blocks of a file as a whole: those that could not be read, and those that stand in it twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from gtloc_forensics.metadata.tag_values import moment, number, stripped
from gtloc_forensics.records import Absent, Claim, Repeated, Tags

_BROKEN = re.compile(
    r"\b(?:bad|invalid|corrupt\w*|truncated|damaged|error (?:reading|processing)|can't read|unexpected end|"
    r"illegal|illegally sized|undefined|unknown header|format error|past end|not enough|too short|too large)\b",
    re.IGNORECASE,
)
_OF_METADATA = re.compile(
    r"\b(?:IFD\d?|\w*IFD\w*|exif|tiff|xmp|rdf|xml|iptc|photoshop|irb|app\d+|maker ?notes?|\w*directory|\w*offset|"
    r"\w*pointer|header|segment|chunk|atom|metadata|mpf|icc\w*|jfif|gps)\b",
    re.IGNORECASE,
)


def is_broken(warnings: Sequence[str]) -> bool:
    """Return whether the reader said that some block of metadata could not be read as a whole.

    Warnings that exiftool calls [minor] leave every value readable.
    """
    return any(
        text.startswith("Error: ") or (_BROKEN.search(text) and _OF_METADATA.search(text))
        for text in warnings
        if "[minor]" not in text.lower()
    )


def with_unreadable(claim: Claim) -> Claim:
    """Return a claim in which nothing is called missing: it may stand in the block that could not be read."""
    return replace(
        claim,
        **_unreadable(claim),
        exposure=replace(claim.exposure, **_unreadable(claim.exposure)),
        device=replace(claim.device, **_unreadable(claim.device)),
    )


def _unreadable(record: Any) -> dict[str, Any]:
    names = [field.name for field in fields(record) if getattr(record, field.name) is Absent.MISSING]
    return dict.fromkeys(names, Absent.UNREADABLE)


ONCE = re.compile(
    r"(?:ExifIFD|IFD0):(?:DateTimeOriginal|CreateDate|ModifyDate|OffsetTime\w*|SubSecTime\w*|Make|Model|\w*SerialNumber)|"
    r"GPS:GPS(?:Latitude|Longitude|Altitude|DateStamp|TimeStamp)(?:Ref)?|"
    r"XMP-exif:(?:DateTimeOriginal|DateTimeDigitized|GPSLatitude|GPSLongitude|GPSDateTime|GPSTimeStamp)|"
    r"XMP-photoshop:DateCreated|XMP-xmp:(?:CreateDate|ModifyDate)|XMP-tiff:(?:DateTime|Make|Model)|"
    r"IPTC:(?:DateCreated|TimeCreated|DigitalCreationDate|DigitalCreationTime)"
)
"""Tags that a file holds once, unless a block of it stands there twice."""

_LATER_BLOCK = re.compile(r"(IPTC|XMP|IFD)[2-9](?=[:-])")


def repeated(tags: Tags) -> tuple[Repeated, ...]:
    """Return the tags that say different things in two blocks of one kind."""
    return tuple(_repeated(tags))


def _repeated(tags: Tags) -> Iterator[Repeated]:
    every: dict[str, list[str]] = {}
    for tag, values in tags.items():
        once = _LATER_BLOCK.sub(r"\1", tag)
        if ONCE.fullmatch(once):
            every.setdefault(once, []).extend(stripped(value) for value in values)
    for tag, raws in every.items():
        told = list(dict.fromkeys(raw for raw in raws if raw))
        if len({_meaning(raw) for raw in told}) > 1:
            yield Repeated(tag, tuple(told))


def _meaning(raw: str) -> object:
    read = moment(raw, compact=False)
    if read is not None:
        return (read.wall, read.offset_hours)
    found = number(raw)
    return raw if found is None or ":" in raw else round(found, 6)
