"""Source and tags → Claim: what a file says of itself, with the tag, the raw text and the rule behind each value.

Nothing is believed or corrected here. Readings that lost are kept beside the one that
won, what is no value of its kind is shown as a warning, and absence says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from gtloc_forensics.metadata import camera, place
from gtloc_forensics.metadata.blocks import repeated
from gtloc_forensics.metadata.capture_time import clock_face, default_tags, not_after
from gtloc_forensics.metadata.tag_values import Notation, moment, shown, text
from gtloc_forensics.metadata.times import Times, all_times
from gtloc_forensics.records import (
    Absent,
    Claim,
    Device,
    Exposure,
    FileStructure,
    Position,
    Repeated,
    Sentence,
    Source,
    Stated,
    Statement,
    Tags,
    TimeRole,
    UnreadBlock,
)

__all__ = ["BURST_TAGS", "burst_id", "claim"]

R = TypeVar("R", Claim, Device, Exposure)

BURST_TAGS = (
    "Apple:BurstUUID",
    "Apple:ContentIdentifier",
    "Keys:ContentIdentifier",
    "XMP-GCamera:BurstID",
    "Apple:MediaGroupUUID",
)
"""Tags that give the frames of one burst, or the two halves of a live photo, a common name."""


def claim(
    source: Source,
    tags: Tags,
    *,
    sidecars: Sequence[tuple[str, Tags]] = (),
    warnings: tuple[Statement, ...] = (),
    unread: tuple[UnreadBlock, ...] = (),
    structure: FileStructure | None = None,
    zones_at: Callable[[Position], tuple[str, ...]],
) -> Claim:
    """Return what a file claims.

    Args:
        source: the file; its name and file times speak too.
        tags: everything exiftool read from it.
        sidecars: (name, tags) of XMP files beside it; they speak only where the file is silent.
        warnings: exiftool's own about the file.
        unread: what could not be read of the file and its sidecars: what is missing then is unreadable, not absent.
        structure: how the file is built, as its bytes show it.
        zones_at: gives all IANA zones legal at a position, the usual one first.
    """
    times = all_times(source, tags, sidecars)
    where = place.position(tags, sidecars)
    zones = zones_at(where.value) if isinstance(where, Stated) else ()
    face = clock_face(tags, times, zones)
    twice = repeated(tags)
    found = Claim(
        source_id=source.source_id,
        local_time=face.local,
        utc_offset_hours=face.offset_hours,
        utc_time=face.utc,
        gps_utc_time=face.gps_utc,
        position=where,
        altitude_m=place.altitude_m(tags),
        direction=place.direction(tags),
        position_error_m=place.position_error_m(tags),
        zones=zones,
        exposure=camera.exposure(tags),
        device=camera.device(tags),
        counters=camera.counters(source, tags),
        uptime=camera.uptime(tags),
        times=times.readings,
        tags=tags,
        warnings=(*warnings, *_oddities(tags, times, twice)),
        not_after=not_after(times),
        default_tags=default_tags(times, face),
        repeated=twice,
        unread=unread,
        structure=structure,
    )
    return _unreadable_where_missing(found) if unread else found


def _unreadable_where_missing(made: Claim) -> Claim:
    """Return the claim of a damaged file: what was not found in it may stand in what could not be read."""
    damaged = replace(made, exposure=_not_missing(made.exposure), device=_not_missing(made.device))
    return _not_missing(damaged)


def _not_missing(record: R) -> R:
    names = [item.name for item in fields(record) if getattr(record, item.name) is Absent.MISSING]
    changes: dict[str, Any] = dict.fromkeys(names, Absent.UNREADABLE)
    return replace(record, **changes)


def burst_id(claim: Claim) -> str:
    """Return the name that the frames of one burst share, ``""`` when the file has none."""
    return text(claim.tags, *BURST_TAGS)


def _oddities(tags: Tags, times: Times, repeated_tags: Sequence[Repeated]) -> tuple[Statement, ...]:
    """Say what disagrees, what had to be understood and what could not be read; the weightiest first, each once."""
    said = [
        Sentence(
            "{tag} stands in the file more than once: {texts:quoted}",
            tag=twice.tag,
            texts=tuple(shown(raw) for raw in twice.raws),
        )
        for twice in repeated_tags
    ]
    said += place.oddities(tags)
    for reading in times.readings:
        if reading.role not in (TimeRole.FILE_NAME, TimeRole.FILE_SYSTEM) and (read := moment(reading.raw)) is not None:
            said += [
                Sentence("{tag} holds {text:quoted}: {how}", tag=reading.tag, text=reading.raw, how=Sentence(how.value))
                for how in read.notations
                if how in TO_BE_TOLD
            ]
    said += [
        Sentence("{tag} holds {text:quoted}, which cannot be read as a date", tag=tag, text=written)
        for tag, written in times.not_dates
    ]
    said += [
        Sentence("{tag} is there but is not set: {text:quoted}", tag=tag, text=written) for tag, written in times.unset
    ]
    return tuple(dict.fromkeys(said))


TO_BE_TOLD = (Notation.HOUR_24, Notation.BUDDHIST, Notation.PERSIAN, Notation.ZONE_UNREAD)
