"""Which of a file's times is its capture time, what its offset from UTC is, and why.

Offset precedence: the maker's own zone with summer time, OffsetTimeOriginal,
OffsetTimeDigitized, the offset inside the capture date itself, OffsetTime when it is the
only one (it belongs to the last change), the zone at the claimed position, and last the
difference from the GPS clock to the nearest quarter of an hour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gtloc_forensics.earth.zones import legal_offsets, offset_at_utc, offsets_hours
from gtloc_forensics.metadata.tag_values import DAY_S, numbers, offset, text, texts
from gtloc_forensics.metadata.times import EXIF, SIDECAR, Times
from gtloc_forensics.records import Absent, Reading, Stated, Tags, TimeKind, TimeReading, TimeRole

CAPTURE_ORDER = (
    ("ExifIFD:DateTimeOriginal", "EXIF capture time: the camera writes it at the shutter"),
    ("IFD0:DateTimeOriginal", "EXIF capture time: the camera writes it at the shutter"),
    ("XMP-exif:DateTimeOriginal", "XMP copy of the capture time: EXIF has none"),
    ("ExifIFD:CreateDate", "EXIF time of digitising: no capture time is written"),
    ("IFD0:CreateDate", "EXIF time of digitising: no capture time is written"),
    ("XMP-photoshop:DateCreated", "XMP creation date: EXIF has no time"),
    ("IPTC:DateCreated", "IPTC creation date: neither EXIF nor XMP has a time"),
    ("Keys:CreationDate", "creation date of the container: no capture time is written"),
    ("ItemList:ContentCreateDate", "creation date of the container: no capture time is written"),
    ("UserData:DateTimeOriginal", "creation date of the container: no capture time is written"),
    ("XMP-exif:DateTimeDigitized", "XMP time of digitising: no capture time is written"),
    ("XMP-xmp:CreateDate", "XMP creation date of the document: no capture time is written"),
    ("IPTC:DigitalCreationDate", "IPTC time of digitising: no capture time is written"),
    ("PNG:CreationTime", "PNG creation time: no capture time is written"),
    ("RIFF:DateTimeOriginal", "creation date of the container: no capture time is written"),
    *((f"{SIDECAR}{tag}", "XMP sidecar: the file itself has no capture time")
      for tag in ("ExifIFD:DateTimeOriginal", "XMP-exif:DateTimeOriginal", "XMP-photoshop:DateCreated",
                  "XMP-exif:DateTimeDigitized", "XMP-xmp:CreateDate")),
    ("IFD0:ModifyDate", "time of the last change: the only one in the file"),
    ("XMP-xmp:ModifyDate", "time of the last change: the only one in the file"),
)  # fmt: skip
"""Tags that may give the capture time, the best first, and in plain words why each is taken."""

UTC_TAGS = ("QuickTime:CreateDate",)

MAKER_ZONES = (("Nikon:TimeZone", "Nikon:DaylightSavings", 1.0), ("Canon:TimeZone", "Canon:DaylightSavings", 0.0))
"""Minutes east of UTC, the summer time flag, and the hours it adds.

Nikon keeps summer time apart. Canon's minutes hold it already: exiftool's table of
observed values has Paris at +02:00, Los Angeles at −07:00 with the flag set.
"""

QUARTER_S = 900.0
GPS_TOLERANCE_S = 300.0
LEAST_HOURS, GREATEST_HOURS = -12.0, 14.0

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
    gps = gps_time(tags, times)
    local = local_time(times)
    if isinstance(local, Absent):
        return _from_utc(times, zones, absent=local, gps=gps)
    hours = utc_offset(tags, times, local, zones=zones, gps=gps)
    return ClockFace(local, hours, _instant(local, hours), gps)


def local_time(times: Times) -> Stated[datetime] | Absent:
    """Return the capture time on the wall clock; what finer readings lose to is the order of the tags."""
    rules = dict(CAPTURE_ORDER)
    usable = [reading for reading in times.readings if reading.tag in rules and reading.kind is not TimeKind.UTC]
    order = {tag: place for place, (tag, _) in enumerate(CAPTURE_ORDER)}
    usable.sort(key=lambda reading: (reading.resolution_s >= DAY_S, order[reading.tag]))
    if not usable:
        return Absent.UNPARSABLE if any(tag in rules for tag, _ in times.not_dates) else Absent.MISSING
    won, *lost = usable
    rule = rules[won.tag] + ("; a date without a time of day" if won.resolution_s >= DAY_S else "")
    return Stated(won.wall, won.tag, won.raw, rule, tuple(Reading(one.wall, one.tag, one.raw) for one in lost))


def gps_time(tags: Tags, times: Times) -> Stated[datetime] | Absent:
    """Return the receiver's instant: GPSDateStamp with GPSTimeStamp, else XMP's copy."""
    fixes = [reading for reading in times.readings if reading.role is TimeRole.GPS_FIX and reading.resolution_s < DAY_S]
    fixes.sort(key=lambda reading: not reading.tag.startswith("GPS:"))
    if fixes:
        won, *lost = fixes
        rule = "GPS date and time stamps" if won.tag.startswith("GPS:") else "XMP copy of the GPS time"
        return Stated(won.wall, won.tag, won.raw, rule, tuple(Reading(one.wall, one.tag, one.raw) for one in lost))
    if any(tag in ("GPS:GPSTimeStamp", "XMP-exif:GPSDateTime") for tag, _ in times.not_dates):
        return Absent.UNPARSABLE
    halves = [text(tags, "GPS:GPSDateStamp"), text(tags, "GPS:GPSTimeStamp")]
    return Absent.UNDERIVABLE if any(halves) else Absent.MISSING


def utc_offset(
    tags: Tags, times: Times, local: Stated[datetime], *, zones: tuple[str, ...], gps: Stated[datetime] | Absent
) -> Stated[float] | Absent:
    """Return the offset of the capture time with the rule that chose it and every offset that lost."""
    every = [*_written(tags, times, local), *_derived(local, zones=zones, gps=gps)]
    if not every:
        bad = any(_is_unreadable(tags, name) for name in _OFFSET_TAGS)
        return Absent.UNPARSABLE if bad else Absent.MISSING
    won, *lost = every
    return Stated(won.value, won.tag, won.raw, won.rule, tuple(Reading(one.value, one.tag, one.raw) for one in lost))


_OFFSET_TAGS = tuple(dict.fromkeys(name for entry in EXIF for name in entry.offset))
_CAPTURE_OFFSETS = tuple(
    (f"{group}:{name}", rule)
    for name, rule in (
        ("OffsetTimeOriginal", "offset written for the capture time"),
        ("OffsetTimeDigitized", "offset written for the time of digitising: the capture time has none"),
    )
    for group in ("ExifIFD", "IFD0")
)
_SOLE_OFFSETS = tuple(
    (f"{group}:OffsetTime", "offset of the last change, the only one in the file: lower trust")
    for group in ("ExifIFD", "IFD0")
)


def _written(tags: Tags, times: Times, local: Stated[datetime]) -> Iterator[Stated[float]]:
    """Yield the offsets that the file itself writes, the most trusted first."""
    yield from _maker_zone(tags)
    yield from _offset_tags(tags, _CAPTURE_OFFSETS)
    yield from _tiff_ep(tags)
    order = [local.tag, *(tag for tag, _ in CAPTURE_ORDER)]
    zoned = [one for one in times.readings if one.kind is TimeKind.ZONED and one.tag in order and not _is_exif(one)]
    for reading in sorted(zoned, key=lambda one: order.index(one.tag)):
        if reading.offset_hours is not None and _same_moment(reading, local.value):
            rule = "offset written inside the capture date"
            yield Stated(reading.offset_hours, reading.tag, reading.raw, rule)
    yield from _offset_tags(tags, _SOLE_OFFSETS)


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
                yield Stated(hours, tag, raw, rule)


def _tiff_ep(tags: Tags) -> Iterator[Stated[float]]:
    """Yield TimeZoneOffset (ISO 12234-2): whole hours, the first number for the capture time."""
    for tag, hours, raw in numbers(tags, "ExifIFD:TimeZoneOffset", "IFD0:TimeZoneOffset"):
        if LEAST_HOURS <= hours <= GREATEST_HOURS:
            yield Stated(hours, tag, raw, "TIFF/EP offset written for the capture time")


def _offset_tags(tags: Tags, named: Sequence[tuple[str, str]]) -> Iterator[Stated[float]]:
    for name, rule in named:
        for tag, written in texts(tags, name):
            hours = offset(written)
            if hours is not None:
                yield Stated(hours, tag, written, rule)


def _is_unreadable(tags: Tags, name: str) -> bool:
    return any(offset(written) is None for _, written in texts(tags, name))


def _derived(
    local: Stated[datetime], *, zones: tuple[str, ...], gps: Stated[datetime] | Absent
) -> Iterator[Stated[float]]:
    """Yield the offsets that can be worked out: the zone's, then the GPS clock's."""
    by_gps = _gps_offset(local.value, gps)
    legal = legal_offsets(zones, local.value)
    if legal:
        usual = offsets_hours(zones[0], local.value)[0]
        if by_gps is not None and len(legal) > 1 and by_gps.value in legal:
            rule = "of several offsets legal there, the one that the GPS clock shows"
            yield Stated(by_gps.value, by_gps.tag, by_gps.raw, rule)
        yield from (Stated(hours, "", zones[0], ZONE_RULE) for hours in sorted(legal, key=lambda one: one != usual))
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
    return Stated(hours, gps.tag, gps.raw, GPS_RULE)


def _instant(local: Stated[datetime], hours: Stated[float] | Absent) -> Stated[datetime] | Absent:
    if isinstance(hours, Absent):
        return Absent.UNDERIVABLE
    return Stated(local.value - timedelta(hours=hours.value), local.tag, local.raw, hours.rule)


def _from_utc(times: Times, zones: tuple[str, ...], *, absent: Absent, gps: Stated[datetime] | Absent) -> ClockFace:
    """Return the times of a file that tells only an instant, as films do: local where a zone is known."""
    instants = [reading for reading in times.readings if reading.tag in UTC_TAGS and reading.resolution_s < DAY_S]
    if not instants:
        return ClockFace(absent, absent, Absent.UNDERIVABLE, gps)
    won = instants[0]
    utc = Stated(won.wall, won.tag, won.raw, "the container counts UTC")
    if not zones:
        return ClockFace(Absent.UNDERIVABLE, Absent.UNDERIVABLE, utc, gps)
    hours = offset_at_utc(zones[0], won.wall)
    rule = "UTC of the container, shown in the zone at the claimed position"
    local = Stated(won.wall + timedelta(hours=hours), won.tag, won.raw, rule)
    return ClockFace(local, Stated(hours, "", zones[0], ZONE_RULE), utc, gps)
