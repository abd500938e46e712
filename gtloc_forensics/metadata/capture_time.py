"""Which of a file's times is its capture time, what its offset from UTC is, and why.

Only a date that speaks of the capture is the capture time. Dates of digitising, of the last change and of the
document bound it, and are kept as that. Offsets rank by who wrote them: the camera in EXIF, its maker's note or
its film; then the zone at the claimed position and the GPS clock; last what programs wrote, who put in the zone of
their own computer, or +00:00 for want of any.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gtloc_forensics.earth.zones import legal_offsets, offset_at_utc, offsets_hours
from gtloc_forensics.metadata.clock_defaults import ZONES, is_receiver_default, is_rolled_over, is_year_start, is_zero
from gtloc_forensics.metadata.tag_values import DAY_S, MONTH_S, YEAR_S, moment, numbers, offset, text, texts
from gtloc_forensics.metadata.times import CLOUD_INSTANT, EXIF, SIDECAR, Times, civil_offset_between
from gtloc_forensics.records import Absent, OffsetSource, Reading, Stated, Tags, TimeKind, TimeReading, TimeRole

_CONTAINER_RULE = "creation date of the container"

CAPTURE_ORDER = (
    ("ExifIFD:DateTimeOriginal", "EXIF capture time: the camera writes it at the shutter"),
    ("IFD0:DateTimeOriginal", "EXIF capture time: the camera writes it at the shutter"),
    ("XMP-exif:DateTimeOriginal", "XMP copy of the capture time: EXIF has none"),
    ("XMP-photoshop:DateCreated", "XMP creation date: EXIF has no time"),
    ("IPTC:DateCreated", "IPTC creation date: neither EXIF nor XMP has a time"),
    ("Keys:CreationDate", _CONTAINER_RULE),
    ("ItemList:ContentCreateDate", _CONTAINER_RULE),
    ("UserData:DateTimeOriginal", _CONTAINER_RULE),
    ("QuickTime:CreateDate", "clock of the film: its maker writes local time where the format wants UTC"),
    ("PNG:CreationTime", "PNG creation time: no capture time is written"),
    ("RIFF:DateTimeOriginal", _CONTAINER_RULE),
    *((f"{SIDECAR}{tag}", "XMP sidecar: the file itself has no capture time")
      for tag in ("ExifIFD:DateTimeOriginal", "XMP-exif:DateTimeOriginal", "XMP-photoshop:DateCreated")),
)  # fmt: skip
"""Tags that speak of the capture, the best first, and in plain words why each is taken."""

BOUND_ROLES = (TimeRole.DIGITIZED, TimeRole.MODIFIED)
"""Moments that come with or after the capture."""

UTC_TAGS = ("QuickTime:CreateDate", f"{SIDECAR}{CLOUD_INSTANT}")

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

ZONE_RULE = "zone at the claimed position and date"
GPS_RULE = "difference from the GPS clock, to the nearest quarter of an hour"


@dataclass(frozen=True, slots=True)
class ClockFace:
    """The times of a claim."""

    local: Stated[datetime] | Absent
    offset_hours: Stated[float] | Absent
    utc: Stated[datetime] | Absent
    gps_utc: Stated[datetime] | Absent


def clock_face(tags: Tags, times: Times, zones: tuple[str, ...]) -> ClockFace:
    """Return capture time, offset, instant and GPS time of one file."""
    local = local_time(times)
    gps = gps_time(tags, times, None if isinstance(local, Absent) else local.value)
    if isinstance(local, Absent):
        return _from_utc(times, zones, absent=local, gps=gps)
    hours = utc_offset(tags, times, local, zones=zones, gps=gps)
    return ClockFace(local, hours, _instant(local, hours, times), gps)


def local_time(times: Times) -> Stated[datetime] | Absent:
    """Return the capture time on the wall clock.

    The order of the tags decides; a finer reading takes the place of a coarser one that it
    lies within. A clock's zero is no time, but for a scan: people date prints to the year.
    """
    order = {tag: place for place, (tag, _) in enumerate(CAPTURE_ORDER)}
    every = [reading for reading in times.readings if reading.tag in order and reading.kind is not TimeKind.UTC]
    usable = [reading for reading in every if not _is_zero(reading, times)]
    if not usable:
        return _why_no_time(times, bool(every))
    usable.sort(key=lambda reading: order[reading.tag])
    won = usable[0]
    for reading in usable[1:]:
        if reading.resolution_s < won.resolution_s and _lies_within(reading.wall, won):
            won = reading
    lost = [reading for reading in usable if reading is not won]
    rule = dict(CAPTURE_ORDER)[won.tag] + _coarseness(won.resolution_s)
    return Stated(won.wall, won.tag, won.raw, rule, _rivals(lost))


def not_after(times: Times) -> Stated[datetime] | Absent:
    """Return the earliest date of the file that the capture cannot be later than; zones may add a day."""
    bounds = sorted(_bounds(times), key=lambda reading: reading.wall)
    if not bounds:
        return Absent.MISSING
    words = "time of digitising" if bounds[0].role is TimeRole.DIGITIZED else "time of a change"
    rule = f"{words}: the photo was there by then"
    return Stated(bounds[0].wall, bounds[0].tag, bounds[0].raw, rule, _rivals(bounds[1:]))


def default_tags(times: Times, face: ClockFace) -> tuple[str, ...]:
    """Return the tags whose time is a default of firmware and is not confirmed by the GPS clock."""
    found = [
        reading.tag
        for reading in times.readings
        if reading.role not in (TimeRole.FILE_NAME, TimeRole.FILE_SYSTEM, TimeRole.OTHER)
        and reading.resolution_s < DAY_S
        and (_is_zero(reading, times) or _is_factory_start(reading.wall, face))
    ]
    if face.gps_utc in (Absent.DEFAULT, Absent.ROLLED_OVER):
        found.append("GPS:GPSTimeStamp")
    return tuple(dict.fromkeys(found))


def _is_factory_start(wall: datetime, face: ClockFace) -> bool:
    return is_year_start(wall) and not _is_confirmed(wall, face.gps_utc)


def _is_confirmed(wall: datetime, gps: Stated[datetime] | Absent) -> bool:
    return isinstance(gps, Stated) and civil_offset_between(wall, gps.value, tolerance_s=GPS_TOLERANCE_S) is not None


def _is_zero(reading: TimeReading, times: Times) -> bool:
    """Whether a reading is a clock's zero. A bare date was typed, and so was one that a scan bears."""
    if reading.resolution_s >= DAY_S or not is_zero(reading.wall):
        return False
    digitized = [one.wall for one in times.readings if one.role is TimeRole.DIGITIZED and not is_zero(one.wall)]
    return not any(wall - reading.wall > ZONES for wall in digitized)


def _bounds(times: Times) -> list[TimeReading]:
    return [
        reading
        for reading in times.readings
        if reading.role in BOUND_ROLES and reading.kind is not TimeKind.UTC and not is_zero(reading.wall)
    ]


def _why_no_time(times: Times, zeros: bool) -> Absent:
    tags = {tag for tag, _ in CAPTURE_ORDER}
    if zeros:
        return Absent.DEFAULT
    if any(tag in tags for tag, _ in times.not_dates):
        return Absent.UNPARSABLE
    if _bounds(times):
        return Absent.ONLY_BOUNDS
    return Absent.UNSET if any(tag in tags for tag, _ in times.unset) else Absent.MISSING


def _lies_within(wall: datetime, coarse: TimeReading) -> bool:
    return coarse.wall <= wall < coarse.wall + timedelta(seconds=coarse.resolution_s)


def _coarseness(resolution_s: float) -> str:
    """Return what of a date is not known, in words that follow the rule."""
    if resolution_s > YEAR_S:
        return "; only the decade is known"
    if resolution_s > MONTH_S:
        return "; only the year is known"
    if resolution_s > DAY_S:
        return "; only the month is known"
    return "; a date without a time of day" if resolution_s == DAY_S else ""


def _rivals(lost: Sequence[TimeReading]) -> tuple[Reading[datetime], ...]:
    return tuple(Reading(reading.wall, reading.tag, reading.raw) for reading in lost)


def gps_time(tags: Tags, times: Times, local: datetime | None = None) -> Stated[datetime] | Absent:
    """Return the receiver's instant: GPSDateStamp with GPSTimeStamp, else XMP's copy.

    A receiver that has no time yet writes a zero; one whose weeks were counted through, a date 1024 weeks early.
    """
    fixes = [reading for reading in times.readings if reading.role is TimeRole.GPS_FIX and reading.resolution_s < DAY_S]
    fixes.sort(key=lambda reading: not reading.tag.startswith("GPS:"))
    if fixes:
        won, *lost = fixes
        if is_receiver_default(won.wall, local):
            return Absent.DEFAULT
        if is_rolled_over(won.wall, local):
            return Absent.ROLLED_OVER
        rule = "GPS date and time stamps" if won.tag.startswith("GPS:") else "XMP copy of the GPS time"
        return Stated(won.wall, won.tag, won.raw, rule, _rivals(lost))
    if any(tag in ("GPS:GPSTimeStamp", "XMP-exif:GPSDateTime") for tag, _ in times.not_dates):
        return Absent.UNPARSABLE
    halves = [text(tags, "GPS:GPSDateStamp"), text(tags, "GPS:GPSTimeStamp")]
    return Absent.UNDERIVABLE if any(halves) else Absent.MISSING


def utc_offset(
    tags: Tags, times: Times, local: Stated[datetime], *, zones: tuple[str, ...], gps: Stated[datetime] | Absent
) -> Stated[float] | Absent:
    """Return the offset of the capture time with the rule that chose it and every offset that lost."""
    by_camera = list(_by_camera(tags, times, local))
    by_programs = list(_by_programs(tags, times, local))
    derived = list(_derived(local, zones=zones, gps=gps, programs=[one.value for one in by_programs]))
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
        ("OffsetTimeOriginal", "offset written for the capture time"),
        ("OffsetTimeDigitized", "offset written for the time of digitising: the capture time has none"),
    )
    for group in ("ExifIFD", "IFD0")
)
_CHANGE_OFFSETS = tuple(f"{group}:OffsetTime" for group in ("ExifIFD", "IFD0"))
_ONLY_OFFSET_RULE = "offset of the last change, the only one in the file: lower trust"


def _by_camera(tags: Tags, times: Times, local: Stated[datetime]) -> Iterator[Stated[float]]:
    """Yield the offsets that the device itself wrote, the most trusted first."""
    yield from _maker_zone(tags)
    yield from _offset_tags(tags, _CAPTURE_OFFSETS)
    yield from _tiff_ep(tags)
    if not local.tag.startswith(BY_PROGRAMS):
        inside = moment(local.raw)
        if inside is not None and inside.offset_hours is not None:
            rule = "offset written inside the capture date"
            yield Stated(inside.offset_hours, local.tag, local.raw, rule, (), OffsetSource.CAMERA)
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
                rule = "difference from the maker's own clock in UTC"
                yield Stated(hours, reading.tag, reading.raw, rule, (), OffsetSource.MAKER_CLOCK)


def _by_programs(tags: Tags, times: Times, local: Stated[datetime]) -> Iterator[Stated[float]]:
    """Yield the offsets of programs: inside dates of the same moment, and from dates that they moved to UTC."""
    zoned = [one for one in times.readings if one.kind is TimeKind.ZONED and one.role is TimeRole.CAPTURE]
    for reading in sorted((one for one in zoned if not _is_exif(one)), key=lambda one: one.tag != local.tag):
        if reading.offset_hours is None or reading.resolution_s >= DAY_S:
            continue
        if _same_moment(reading, local.value):
            source = OffsetSource.PROGRAM if reading.tag.startswith(BY_PROGRAMS) else OffsetSource.CAMERA
            if source is OffsetSource.CAMERA and reading.tag == local.tag:
                continue  # the camera's own, told before
            rule = "offset written inside the capture date"
            yield Stated(reading.offset_hours, reading.tag, reading.raw, rule, (), source)
        elif reading.offset_hours == 0.0:
            hours = civil_offset_between(local.value, reading.wall, tolerance_s=1.0)
            if hours is not None:
                rule = "difference from the same moment that a program wrote in UTC"
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
                rule = "difference from the file's name, which is in UTC"
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
                rule = "the camera's own zone setting" + (" with summer time" if is_summer else "")
                yield Stated(hours, tag, raw, rule, (), OffsetSource.CAMERA)


def _tiff_ep(tags: Tags) -> Iterator[Stated[float]]:
    """Yield TimeZoneOffset (ISO 12234-2): whole hours, the first number for the capture time."""
    for tag, hours, raw in numbers(tags, "ExifIFD:TimeZoneOffset", "IFD0:TimeZoneOffset"):
        if LEAST_HOURS <= hours <= GREATEST_HOURS:
            yield Stated(hours, tag, raw, "TIFF/EP offset written for the capture time", (), OffsetSource.CAMERA)


def _offset_tags(tags: Tags, named: Sequence[tuple[str, str]]) -> Iterator[Stated[float]]:
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
            yield replace(by_gps, rule="of several offsets legal there, the one that the GPS clock shows")
        written = next((hours for hours in programs if hours in legal), usual)
        for hours in sorted(legal, key=lambda one: (one != written, one != usual)):
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


def _instant(local: Stated[datetime], hours: Stated[float] | Absent, times: Times) -> Stated[datetime] | Absent:
    """Return the instant that local time and offset tell; those that the file or a sidecar tells itself are rivals."""
    rivals = _rivals([reading for reading in times.readings if reading.tag in UTC_TAGS and _is_instant(reading)])
    if isinstance(hours, Absent):
        return Absent.UNDERIVABLE
    utc = local.value - timedelta(hours=hours.value)
    return Stated(utc, local.tag, local.raw, hours.rule, rivals, hours.offset_source)


def _is_instant(reading: TimeReading) -> bool:
    return reading.kind is TimeKind.UTC and reading.resolution_s < DAY_S and not is_zero(reading.wall)


def _from_utc(times: Times, zones: tuple[str, ...], *, absent: Absent, gps: Stated[datetime] | Absent) -> ClockFace:
    """Return the times of a file that tells only an instant, as films do: local where a zone is known."""
    instants = [
        reading for tag in UTC_TAGS for reading in times.readings if reading.tag == tag and _is_instant(reading)
    ]
    if not instants:
        return ClockFace(absent, Absent.UNDERIVABLE if zones else absent, Absent.UNDERIVABLE, gps)
    won, *lost = instants
    beside = won.tag.startswith(SIDECAR)
    source = OffsetSource.SIDECAR if beside else OffsetSource.CONTAINER
    rule = "instant that a photo service keeps beside the file" if beside else "the container counts UTC"
    utc = Stated(won.wall, won.tag, won.raw, rule, _rivals(lost), source)
    named = [one for one in times.readings if one.role is TimeRole.FILE_NAME and one.kind is TimeKind.LOCAL]
    by_name = next((one for one in named if one.resolution_s <= 1.0), None)
    if not zones:
        return ClockFace(Absent.UNDERIVABLE, _named_offset(by_name, won.wall), utc, gps)
    hours = offset_at_utc(zones[0], won.wall)
    rule = "UTC of the " + ("file beside it" if beside else "container") + ", shown in the zone at the claimed position"
    local = Stated(won.wall + timedelta(hours=hours), won.tag, won.raw, rule)
    return ClockFace(local, Stated(hours, "", zones[0], ZONE_RULE, (), OffsetSource.PLACE), utc, gps)


def _named_offset(named: TimeReading | None, utc: datetime) -> Stated[float] | Absent:
    """Return the offset between a film's instant and the local time in its name, which is that of its beginning."""
    hours = None if named is None else civil_offset_between(named.wall, utc, tolerance_s=GPS_TOLERANCE_S)
    if named is None or hours is None:
        return Absent.UNDERIVABLE
    rule = "difference of the file's name, in local time, from the instant"
    return Stated(hours, named.tag, named.raw, rule, (), OffsetSource.FILE_NAME)
