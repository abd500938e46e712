"""What the offset of a file's capture time from UTC is, and who gave it.

Offsets rank by who wrote them: the camera in EXIF, its maker's note or its film; then the zone at the claimed
position and the GPS clock; last what programs wrote, who put in the zone of their own computer, or +00:00 for
want of any.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from gtloc_forensics.earth.zones import legal_offsets, offsets_hours
from gtloc_forensics.metadata.civil_offsets import civil_offset_between
from gtloc_forensics.metadata.tag_values import DAY_S, moment, numbers, offset, texts
from gtloc_forensics.metadata.times import EXIF, SIDECAR, Times
from gtloc_forensics.records import (
    Absent,
    OffsetSource,
    Reading,
    Sentence,
    Stated,
    Tags,
    TimeKind,
    TimeReading,
    TimeRole,
)

MAKER_ZONES = (("Nikon:TimeZone", "Nikon:DaylightSavings", 1.0), ("Canon:TimeZone", "Canon:DaylightSavings", 0.0))
"""Minutes east of UTC, the summer time flag, and the hours it adds.

Nikon keeps summer time apart. Canon's minutes hold it already: exiftool's table of
observed values has Paris at +02:00, Los Angeles at −07:00 with the flag set.
"""

MAKER_INSTANTS = ("Samsung:TimeStamp", "Olympus:DateTimeUTC")
"""Clocks that a device keeps in UTC and reads at the shutter."""

BY_PROGRAMS = ("XMP", "IPTC", "PNG", SIDECAR)
"""Beginnings of the tags that programs write and cameras seldom."""

QUARTER_S = 900.0
GPS_TOLERANCE_S = 300.0
SAME_PRESS_S = 5.0
LEAST_HOURS, GREATEST_HOURS = -12.0, 14.0

INSTANT_TOLERANCE_S = 20.0

ZONE_RULE = Sentence("zone at the claimed position and date")
GPS_RULE = Sentence("difference from the GPS clock, to the nearest quarter of an hour")


def utc_offset(
    tags: Tags, times: Times, local: Stated[datetime], *, zones: tuple[str, ...], gps: Stated[datetime] | Absent
) -> Stated[float] | Absent:
    """Return the offset of the capture time with the rule that chose it and every offset that lost."""
    by_camera = list(_by_camera(tags, times, local))
    by_programs = list(_by_programs(tags, times, local))
    derived = list(_derived(local, zones=zones, gps=gps, programs=[by_program.value for by_program in by_programs]))
    every = [*by_camera, *derived, *by_programs, *_by_name(times, local)]
    if not every:
        bad = any(_is_unreadable(tags, name) for name in _OFFSET_TAGS)
        return Absent.UNPARSABLE if bad else Absent.MISSING
    won, *lost = every
    return replace(won, rivals=tuple(Reading(stated.value, stated.tag, stated.raw) for stated in lost))


_OFFSET_TAGS = tuple(dict.fromkeys(name for entry in EXIF for name in entry.offset))
_CAPTURE_OFFSETS = tuple(
    (f"{group}:{name}", rule)
    for name, rule in (
        ("OffsetTimeOriginal", Sentence("offset written for the capture time")),
        ("OffsetTimeDigitized", Sentence("offset written for the time of digitising: the capture time has none")),
    )
    for group in ("ExifIFD", "IFD0")
)
_CHANGE_OFFSETS = tuple(f"{group}:OffsetTime" for group in ("ExifIFD", "IFD0"))
_ONLY_OFFSET_RULE = Sentence("offset of the last change, the only one in the file: lower trust")
_INSIDE_RULE = Sentence("offset written inside the capture date")


def _by_camera(tags: Tags, times: Times, local: Stated[datetime]) -> Iterator[Stated[float]]:
    """Yield the offsets that the device itself wrote, or that are part of the capture date, the most trusted first."""
    yield from _maker_zone(tags)
    yield from _offset_tags(tags, _CAPTURE_OFFSETS)
    yield from _tiff_ep(tags)
    inside = next(
        (reading.offset_hours for reading in times.readings if reading.tag == local.tag and reading.raw == local.raw),
        None,
    )
    written = moment(local.raw)
    if inside is not None and written is not None and written.offset_hours == inside:
        # Whoever wrote it: time and offset are one value here.
        source = OffsetSource.PROGRAM if local.tag.startswith(BY_PROGRAMS) else OffsetSource.CAMERA
        yield Stated(inside, local.tag, local.raw, _INSIDE_RULE, (), source)
    yield from _maker_instants(times, local)
    if not _is_changed_later(times, local):
        yield from _offset_tags(tags, [(name, _ONLY_OFFSET_RULE) for name in _CHANGE_OFFSETS])


def _is_changed_later(times: Times, local: Stated[datetime]) -> bool:
    """Whether the last change is another moment than the capture: then its offset is that of an editor."""
    changed = times.wall("IFD0:ModifyDate")
    return changed is not None and abs((changed - local.value).total_seconds()) > SAME_PRESS_S


def _maker_instants(times: Times, local: Stated[datetime]) -> Iterator[Stated[float]]:
    """Yield what a maker's clock in UTC shows, where a civil offset lies between it and the capture time."""
    for reading in times.readings:
        if reading.tag in MAKER_INSTANTS and reading.role is TimeRole.MAKER_CLOCK:
            hours = civil_offset_between(local.value, reading.wall, tolerance_s=INSTANT_TOLERANCE_S)
            if hours is not None:
                rule = Sentence("difference from the maker's own clock in UTC")
                yield Stated(hours, reading.tag, reading.raw, rule, (), OffsetSource.MAKER_CLOCK)


def _by_programs(tags: Tags, times: Times, local: Stated[datetime]) -> Iterator[Stated[float]]:
    """Yield the offsets of programs: inside dates of the same moment, and from dates that they moved to UTC."""
    roles = (TimeRole.CAPTURE, TimeRole.DIGITIZED)
    zoned = [reading for reading in times.readings if reading.kind is TimeKind.ZONED and reading.role in roles]
    for reading in sorted((zone for zone in zoned if not _is_exif(zone)), key=lambda zone: zone.tag != local.tag):
        if reading.offset_hours is None or reading.resolution_s >= DAY_S:
            continue
        if _same_moment(reading, local.value):
            if reading.tag == local.tag and reading.raw == local.raw:
                continue  # told before
            source = OffsetSource.PROGRAM if reading.tag.startswith(BY_PROGRAMS) else OffsetSource.CAMERA
            yield Stated(reading.offset_hours, reading.tag, reading.raw, _INSIDE_RULE, (), source)
        elif reading.offset_hours == 0.0:
            hours = civil_offset_between(local.value, reading.wall, tolerance_s=1.0)
            if hours is not None:
                rule = Sentence("difference from the same moment that a program wrote in UTC")
                yield Stated(hours, reading.tag, reading.raw, rule, (), OffsetSource.PROGRAM)
    if _is_changed_later(times, local):
        for stated in _offset_tags(tags, [(name, _ONLY_OFFSET_RULE) for name in _CHANGE_OFFSETS]):
            yield replace(stated, offset_source=OffsetSource.PROGRAM)


def _by_name(times: Times, local: Stated[datetime]) -> Iterator[Stated[float]]:
    """Yield what the name of a device that names its files by UTC shows."""
    for reading in times.readings:
        if reading.role is TimeRole.FILE_NAME and reading.kind is TimeKind.UTC:
            hours = civil_offset_between(local.value, reading.wall, tolerance_s=INSTANT_TOLERANCE_S)
            if hours is not None:
                rule = Sentence("difference from the file's name, which is in UTC")
                yield Stated(hours, reading.tag, reading.raw, rule, (), OffsetSource.FILE_NAME)


def _is_exif(reading: TimeReading) -> bool:
    return reading.tag in {entry.tag for entry in EXIF}


def _same_moment(reading: TimeReading, local: datetime) -> bool:
    """Whether a reading shows the capture's wall clock; another moment's offset says nothing of it."""
    return abs((reading.wall - local).total_seconds()) <= max(1.0, reading.resolution_s)


def _maker_zone(tags: Tags) -> Iterator[Stated[float]]:
    for zone, summer, added in MAKER_ZONES:
        for tag, minutes, raw in numbers(tags, zone):
            is_summer = next((value != 0 for _, value, _ in numbers(tags, summer)), False)
            hours = minutes / 60.0 + (added if is_summer else 0.0)
            if LEAST_HOURS <= hours <= GREATEST_HOURS:
                rule = (
                    Sentence("the camera's own zone setting with summer time")
                    if is_summer
                    else Sentence("the camera's own zone setting")
                )
                yield Stated(hours, tag, raw, rule, (), OffsetSource.CAMERA)


def _tiff_ep(tags: Tags) -> Iterator[Stated[float]]:
    """Yield TimeZoneOffset (ISO 12234-2): whole hours, the first number for the capture time."""
    for tag, hours, raw in numbers(tags, "ExifIFD:TimeZoneOffset", "IFD0:TimeZoneOffset"):
        if LEAST_HOURS <= hours <= GREATEST_HOURS:
            rule = Sentence("TIFF/EP offset written for the capture time")
            yield Stated(hours, tag, raw, rule, (), OffsetSource.CAMERA)


def _offset_tags(tags: Tags, named: Sequence[tuple[str, Sentence]]) -> Iterator[Stated[float]]:
    for name, rule in named:
        for tag, written in texts(tags, name):
            hours = offset(written)
            if hours is not None:
                yield Stated(hours, tag, written, rule, (), OffsetSource.CAMERA)


def _is_unreadable(tags: Tags, name: str) -> bool:
    return any(offset(written) is None for _, written in texts(tags, name))


def _derived(
    local: Stated[datetime], *, zones: tuple[str, ...], gps: Stated[datetime] | Absent, programs: Sequence[float]
) -> Iterator[Stated[float]]:
    """Yield the offsets that can be worked out: the zone's, then the GPS clock's."""
    by_gps = _gps_offset(local.value, gps)
    legal = legal_offsets(zones, local.value)
    if legal:
        usual = offsets_hours(zones[0], local.value)[0]
        if by_gps is not None and len(legal) > 1 and by_gps.value in legal:
            rule = Sentence("of several offsets legal there, the one that the GPS clock shows")
            yield replace(by_gps, rule=rule)
        written = next((hours for hours in programs if hours in legal), usual)
        for hours in sorted(legal, key=lambda offset_hours: (offset_hours != written, offset_hours != usual)):
            yield Stated(hours, "", zones[0], ZONE_RULE, (), OffsetSource.PLACE)
    if by_gps is not None:
        yield by_gps


def _gps_offset(local: datetime, gps: Stated[datetime] | Absent) -> Stated[float] | None:
    """Return the offset that GPS time implies, None unless one lies within five minutes of a quarter hour."""
    if isinstance(gps, Absent):
        return None
    gap_s = (local - gps.value).total_seconds()
    hours = round(gap_s / QUARTER_S) * QUARTER_S / 3600.0
    if abs(gap_s - 3600.0 * hours) > GPS_TOLERANCE_S or not LEAST_HOURS <= hours <= GREATEST_HOURS:
        return None
    return Stated(hours, gps.tag, gps.raw, GPS_RULE, (), OffsetSource.GPS_CLOCK)
