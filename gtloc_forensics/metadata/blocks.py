"""Blocks that stand in a file twice and disagree: readers differ in which of them they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from gtloc_forensics.metadata.tag_values import moment, number, stripped
from gtloc_forensics.records import Repeated, Tags

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
    every: dict[str, list[object]] = {}
    for once, values in zip(map(_held_once, tags), tags.values(), strict=True):
        if once:
            every.setdefault(once, []).extend(values)
    for tag, held in every.items():
        if len(held) < 2:
            continue
        told = list(dict.fromkeys(raw for value in held if (raw := stripped(value))))
        if len(told) > 1 and len({_meaning(raw) for raw in told}) > 1:
            yield Repeated(tag, tuple(told))


@lru_cache(maxsize=4096)  # the same tags stand in every photo
def _held_once(tag: str) -> str:
    """Return the name of a tag that a file holds once, without the number of its block; "" for any other tag."""
    once = _LATER_BLOCK.sub(r"\1", tag)
    return once if ONCE.fullmatch(once) else ""


def _meaning(raw: str) -> object:
    read = moment(raw, compact=False)
    if read is not None:
        return (read.wall, read.offset_hours)
    found = number(raw)
    return raw if found is None or ":" in raw else round(found, 6)
