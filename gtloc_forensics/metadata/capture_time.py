"""Which of a file's times is its capture time, which only bound it, and which are no times at all.

Only a date that speaks of the capture is the capture time. Dates of digitising, of the last change and of the
document bound it, and are kept as that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gtloc_forensics.earth.zones import offset_at_utc
from gtloc_forensics.metadata.civil_offsets import civil_offset_between
from gtloc_forensics.metadata.clock_defaults import ZONES, is_receiver_default, is_rolled_over, is_year_start, is_zero
from gtloc_forensics.metadata.tag_values import DAY_S, HOUR_S, MONTH_S, YEAR_S, moment, text
from gtloc_forensics.metadata.times import CLOUD_INSTANTS, SIDECAR, Times
from gtloc_forensics.metadata.utc_offsets import BY_PROGRAMS, GPS_TOLERANCE_S, ZONE_RULE, utc_offset
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
    template,
)

_CONTAINER_RULE = template("creation date of the container")
_SHUTTER_RULE = template("EXIF capture time: the camera writes it at the shutter")

CAPTURE_ORDER = (
    ("ExifIFD:DateTimeOriginal", _SHUTTER_RULE),
    ("IFD0:DateTimeOriginal", _SHUTTER_RULE),
    ("XMP-exif:DateTimeOriginal", template("XMP copy of the capture time: EXIF has none")),
    ("XMP-photoshop:DateCreated", template("XMP creation date: EXIF has no time")),
    ("IPTC:DateCreated", template("IPTC creation date: neither EXIF nor XMP has a time")),
    ("Keys:CreationDate", _CONTAINER_RULE),
    ("ItemList:ContentCreateDate", _CONTAINER_RULE),
    ("UserData:DateTimeOriginal", _CONTAINER_RULE),
    ("XML:CreationDateValue", _CONTAINER_RULE),
    ("QuickTime:CreateDate", template("clock of the film: its maker writes local time where the format wants UTC")),
    ("PNG:CreationTime", template("PNG creation time: no capture time is written")),
    ("RIFF:DateTimeOriginal", _CONTAINER_RULE),
    *((f"{SIDECAR}{tag}", template("XMP sidecar: the file itself has no capture time"))
      for tag in ("ExifIFD:DateTimeOriginal", "XMP-exif:DateTimeOriginal", "XMP-photoshop:DateCreated")),
    (f"{SIDECAR}JSON:ExportDateTimeOriginal",
     template("time that a service says it read in the file: the file itself has none now")),
)  # fmt: skip
"""Tags that speak of the capture, the best first, and in plain words why each is taken."""

_PLACE_OF = {tag: place for place, (tag, _) in enumerate(CAPTURE_ORDER)}
_RULE_OF = dict(CAPTURE_ORDER)

BOUND_ROLES = (TimeRole.DIGITIZED, TimeRole.MODIFIED, TimeRole.TAKEN_IN)
"""Moments that come with or after the capture."""

_FORMAT_RULE = Sentence("UTC of the container, as its format wants it; whether its maker keeps to that is not known")

UTC_TAGS = ("QuickTime:CreateDate", *(f"{SIDECAR}{tag}" for tag in CLOUD_INSTANTS))


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
    if zones and local.tag.startswith(BY_PROGRAMS) and _ends_in_z(local.raw):
        return _of_an_instant(local, zones[0], gps)
    hours = utc_offset(tags, times, local, zones=zones, gps=gps)
    return ClockFace(local, hours, _instant(local, hours, times), gps)


def _ends_in_z(raw: str) -> bool:
    """Whether a program wrote an instant in UTC, not the wall clock: Z is no zone that anybody keeps."""
    written = moment(raw)
    return written is not None and written.zone == "Z" and written.resolution_s < DAY_S


def _of_an_instant(written: Stated[datetime], zone: str, gps: Stated[datetime] | Absent) -> ClockFace:
    """Return the times of a file that tells only an instant of a program's: local by the zone at the position."""
    hours = offset_at_utc(zone, written.value)
    rule = Sentence("{rule}; written in UTC, shown in the zone at the claimed position", rule=written.rule)
    local = replace(written, value=written.value + timedelta(hours=hours), rule=rule)
    utc = replace(written, rule=Sentence("instant that a program wrote in UTC"), offset_source=OffsetSource.PROGRAM)
    return ClockFace(local, Stated(hours, "", zone, ZONE_RULE, (), OffsetSource.PLACE), utc, gps)


def local_time(times: Times) -> Stated[datetime] | Absent:
    """Return the capture time on the wall clock.

    The order of the tags decides; a finer reading takes the place of a coarser one that it
    lies within. A clock's zero is no time, but for a scan: people date prints to the year.
    """
    every = [reading for reading in times.readings if reading.tag in _PLACE_OF and reading.kind is not TimeKind.UTC]
    usable = [reading for reading in every if not _is_zero(reading, times)]
    if not usable:
        return _why_no_time(times, bool(every))
    usable.sort(key=lambda reading: _PLACE_OF[reading.tag])
    won = usable[0]
    for reading in usable[1:]:
        # Fractions of a second in another block are no reason to leave the better tag.
        if won.resolution_s >= HOUR_S and reading.resolution_s < won.resolution_s and _lies_within(reading.wall, won):
            won = reading
    lost = [reading for reading in usable if reading is not won]
    rule = _with_coarseness(Sentence(_RULE_OF[won.tag]), won.resolution_s)
    return Stated(won.wall, won.tag, won.raw, rule, _rivals(lost))


def not_after(times: Times) -> Stated[datetime] | Absent:
    """Return the earliest date of the file that the capture cannot be later than; zones may add a day."""
    bounds = sorted(_bounds(times), key=lambda reading: reading.wall)
    if not bounds:
        return Absent.MISSING
    rule = Sentence(_BOUND_RULES[bounds[0].role])
    return Stated(bounds[0].wall, bounds[0].tag, bounds[0].raw, rule, _rivals(bounds[1:]))


_BOUND_RULES = {
    TimeRole.DIGITIZED: template("time of digitising: the capture is claimed to be no later"),
    TimeRole.MODIFIED: template("time of a change: the capture is claimed to be no later"),
    TimeRole.TAKEN_IN: template("UTC at which a service took the photo in: the capture is claimed to be no later"),
}


def default_tags(times: Times, face: ClockFace) -> tuple[str, ...]:
    """Return the tags whose time is a default of firmware and is not confirmed by the GPS clock."""
    found = [
        reading.tag
        for reading in times.readings
        if reading.role not in (TimeRole.FILE_NAME, TimeRole.FILE_SYSTEM, TimeRole.TAKEN_IN, TimeRole.OTHER)
        and reading.resolution_s < DAY_S
        and (_is_zero(reading, times) or _is_factory_start(reading, times, face))
    ]
    if face.gps_utc in (Absent.DEFAULT, Absent.ROLLED_OVER):
        found.append("GPS:GPSTimeStamp")
    return tuple(dict.fromkeys(found))


def _is_factory_start(reading: TimeReading, times: Times, face: ClockFace) -> bool:
    return (
        is_year_start(reading.wall)
        and not _is_of_a_print(reading, times)
        and not _is_confirmed(reading.wall, face.gps_utc)
    )


def _is_confirmed(wall: datetime, gps: Stated[datetime] | Absent) -> bool:
    return isinstance(gps, Stated) and civil_offset_between(wall, gps.value, tolerance_s=GPS_TOLERANCE_S) is not None


def _is_zero(reading: TimeReading, times: Times) -> bool:
    """Whether a reading is a clock's zero. A bare date was typed."""
    return reading.resolution_s < DAY_S and is_zero(reading.wall) and not _is_of_a_print(reading, times)


def _is_of_a_print(reading: TimeReading, times: Times) -> bool:
    """Whether the file was digitised long after: people date prints and films by hand, to the year."""
    digitized = [dated.wall for dated in times.readings if dated.role is TimeRole.DIGITIZED and not is_zero(dated.wall)]
    return any(wall - reading.wall > ZONES for wall in digitized)


def _bounds(times: Times) -> list[TimeReading]:
    """Return the readings that bound the capture; a clock at a default bounds nothing."""
    bounds = (
        reading
        for reading in times.readings
        if reading.role is TimeRole.TAKEN_IN or (reading.role in BOUND_ROLES and reading.kind is not TimeKind.UTC)
    )
    return [bound for bound in bounds if not is_zero(bound.wall) and not is_year_start(bound.wall)]


def _why_no_time(times: Times, zeros: bool) -> Absent:
    tags = {*(tag for tag, _ in CAPTURE_ORDER), *(f"{SIDECAR}{tag}" for tag in CLOUD_INSTANTS)}
    if zeros:
        return Absent.DEFAULT
    if any(tag in tags for tag, _ in times.not_dates):
        return Absent.UNPARSABLE
    if _bounds(times):
        return Absent.ONLY_BOUNDS
    return Absent.UNSET if any(tag in tags for tag, _ in times.unset) else Absent.MISSING


def _lies_within(wall: datetime, coarse: TimeReading) -> bool:
    return coarse.wall <= wall < coarse.wall + timedelta(seconds=coarse.resolution_s)


def _with_coarseness(rule: Sentence, resolution_s: float) -> Sentence:
    """Return the rule with what of the date is not known."""
    if resolution_s > YEAR_S:
        return Sentence("{rule}; only the decade is known", rule=rule)
    if resolution_s > MONTH_S:
        return Sentence("{rule}; only the year is known", rule=rule)
    if resolution_s > DAY_S:
        return Sentence("{rule}; only the month is known", rule=rule)
    return Sentence("{rule}; a date without a time of day", rule=rule) if resolution_s == DAY_S else rule


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
        rule = (
            Sentence("GPS date and time stamps") if won.tag.startswith("GPS:") else Sentence("XMP copy of the GPS time")
        )
        return Stated(won.wall, won.tag, won.raw, rule, _rivals(lost))
    if any(tag in ("GPS:GPSTimeStamp", "XMP-exif:GPSDateTime") for tag, _ in times.not_dates):
        return Absent.UNPARSABLE
    halves = [text(tags, "GPS:GPSDateStamp"), text(tags, "GPS:GPSTimeStamp")]
    return Absent.UNDERIVABLE if any(halves) else Absent.MISSING


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
    rule = (
        Sentence("instant that a photo service keeps beside the file")
        if beside
        else Sentence("the container counts UTC")
        if times.is_film_known
        else _FORMAT_RULE
    )
    utc = Stated(won.wall, won.tag, won.raw, rule, _rivals(lost), source)
    named = [
        reading for reading in times.readings if reading.role is TimeRole.FILE_NAME and reading.kind is TimeKind.LOCAL
    ]
    by_name = next((reading for reading in named if reading.resolution_s <= 1.0), None)
    if not zones:
        return ClockFace(Absent.UNDERIVABLE, _named_offset(by_name, won.wall), utc, gps)
    hours = offset_at_utc(zones[0], won.wall)
    rule = (
        Sentence("UTC of the file beside it, shown in the zone at the claimed position")
        if beside
        else Sentence("{rule}; shown in the zone at the claimed position", rule=_FORMAT_RULE)
        if not times.is_film_known
        else Sentence("UTC of the container, shown in the zone at the claimed position")
    )
    local = Stated(won.wall + timedelta(hours=hours), won.tag, won.raw, rule)
    return ClockFace(local, Stated(hours, "", zones[0], ZONE_RULE, (), OffsetSource.PLACE), utc, gps)


def _named_offset(named: TimeReading | None, utc: datetime) -> Stated[float] | Absent:
    """Return the offset between a film's instant and the local time in its name, which is that of its beginning."""
    hours = None if named is None else civil_offset_between(named.wall, utc, tolerance_s=GPS_TOLERANCE_S)
    if named is None or hours is None:
        return Absent.UNDERIVABLE
    rule = Sentence("difference of the file's name, in local time, from the instant")
    return Stated(hours, named.tag, named.raw, rule, (), OffsetSource.FILE_NAME)
