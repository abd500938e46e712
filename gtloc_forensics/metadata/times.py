"""Every time that a file tells, from every block, as readings with role and kind.

All are kept, agreeing or not: rules compare them. The table says of each tag which moment
it speaks of, what it counts, and where its sub-seconds and its offset stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import lru_cache

from gtloc_forensics.metadata.civil_offsets import civil_offset_between
from gtloc_forensics.metadata.clock_defaults import is_epoch_counter
from gtloc_forensics.metadata.filenames import name_time
from gtloc_forensics.metadata.films import container_clock
from gtloc_forensics.metadata.tag_values import (
    DAY_S,
    Moment,
    is_unset,
    moment,
    number,
    offset,
    shown,
    stripped,
    sub_seconds,
    text,
)
from gtloc_forensics.records import Source, Tags, TimeKind, TimeReading, TimeRole, visible

SIDECAR = "sidecar:"
"""Before the name of a tag that was read from an XMP file beside the photo."""


@dataclass(frozen=True, slots=True)
class TimeTag:
    """How to read one tag; the first of ``part`` and ``offset`` that is there is used."""

    tag: str
    role: TimeRole
    kind: TimeKind = TimeKind.LOCAL
    part: tuple[str, ...] = ()  # sub-second tags
    offset: tuple[str, ...] = ()  # offset tags
    clock: str = ""  # the tag with the time of day, where the date stands alone


def _exif(role: TimeRole, name: str, suffix: str) -> tuple[TimeTag, ...]:
    part = (f"ExifIFD:SubSecTime{suffix}", f"IFD0:SubSecTime{suffix}")
    zone = (f"ExifIFD:OffsetTime{suffix}", f"IFD0:OffsetTime{suffix}")
    return tuple(TimeTag(f"{group}:{name}", role, part=part, offset=zone) for group in ("ExifIFD", "IFD0"))


EXIF = (
    *_exif(TimeRole.CAPTURE, "DateTimeOriginal", "Original"),
    *_exif(TimeRole.DIGITIZED, "CreateDate", "Digitized"),
    *_exif(TimeRole.MODIFIED, "ModifyDate", ""),
)

XMP = (
    TimeTag("XMP-exif:DateTimeOriginal", TimeRole.CAPTURE),
    TimeTag("XMP-photoshop:DateCreated", TimeRole.CAPTURE),
    TimeTag("XMP-exif:DateTimeDigitized", TimeRole.DIGITIZED),
    TimeTag("XMP-xmp:CreateDate", TimeRole.DIGITIZED),
    TimeTag("XMP-exif:GPSDateTime", TimeRole.GPS_FIX, TimeKind.UTC),
    TimeTag("XMP-exif:GPSTimeStamp", TimeRole.GPS_FIX, TimeKind.UTC),
    TimeTag("XMP-xmp:ModifyDate", TimeRole.MODIFIED),
    TimeTag("XMP-xmp:MetadataDate", TimeRole.MODIFIED),
    TimeTag("XMP-tiff:DateTime", TimeRole.MODIFIED),
    TimeTag("XMP-xmpMM:HistoryWhen", TimeRole.MODIFIED),
)

# QuickTime counts UTC by its specification (ISO/IEC 14496-12 §8.2.2); many cameras write local time all the same.
CONTAINERS = (
    TimeTag("IPTC:DateCreated", TimeRole.CAPTURE, clock="IPTC:TimeCreated"),
    TimeTag("IPTC:DigitalCreationDate", TimeRole.DIGITIZED, clock="IPTC:DigitalCreationTime"),
    TimeTag("Keys:CreationDate", TimeRole.CAPTURE),
    TimeTag("ItemList:ContentCreateDate", TimeRole.CAPTURE),
    TimeTag("UserData:DateTimeOriginal", TimeRole.CAPTURE),
    TimeTag("XML:CreationDateValue", TimeRole.CAPTURE),  # Sony's films: local time with its zone
    TimeTag("QuickTime:CreateDate", TimeRole.CAPTURE, TimeKind.UTC),
    TimeTag("QuickTime:ModifyDate", TimeRole.MODIFIED, TimeKind.UTC),
    TimeTag("PNG:CreationTime", TimeRole.CAPTURE),
    TimeTag("PNG:ModifyDate", TimeRole.MODIFIED, TimeKind.UTC),  # tIME chunk: PNG 1.2 §4.2.4.6
    TimeTag("PNG:Datecreate", TimeRole.OTHER),
    TimeTag("PNG:Datemodify", TimeRole.OTHER),
    TimeTag("RIFF:DateTimeOriginal", TimeRole.CAPTURE),
    TimeTag("ICC-header:ProfileDateTime", TimeRole.OTHER, TimeKind.UTC),  # ICC.1:2022 §4.2
)

MAKERS = (
    TimeTag("Nikon:PowerUpTime", TimeRole.MAKER_CLOCK),
    TimeTag("Olympus:DateTimeUTC", TimeRole.MAKER_CLOCK, TimeKind.UTC),
    TimeTag("Samsung:TimeStamp", TimeRole.MAKER_CLOCK, TimeKind.UTC),
    TimeTag("Sony:SonyDateTime", TimeRole.MAKER_CLOCK),
    TimeTag("Pentax:Date", TimeRole.MAKER_CLOCK, clock="Pentax:Time"),
    TimeTag("CanonRaw:DateTimeOriginal", TimeRole.MAKER_CLOCK),
)

_LOCAL_CLOCKS = frozenset(entry.tag for entry in MAKERS if entry.kind is TimeKind.LOCAL)

SAME_CLOCK_S = 30.0
"""Two clocks of one device tell one moment to within this."""

# Maker tags beyond the table whose value is a full date with time; the others tell of firmware, birthdays, lenses.
_MAKER_CLOCK = re.compile(
    r"(?:Canon|Nikon|Sony|Olympus|Panasonic|FujiFilm|Pentax|Samsung|Casio|Kodak|Minolta|Ricoh|Sanyo|Reconyx|DJI|GoPro|"
    r"Leica|Sigma|HP|Motorola|Google|Apple|PhaseOne|FLIR|Qualcomm|Microsoft|InfiRay)\w*:\w*(?:Date|Time|TimeStamp)\w*"
)
_NOT_A_CLOCK = re.compile(
    r"RunTime|PowerOn|Firmware|Manufactur|Birth|Baby|Lens|Expir|Format|Stamp(?:Mode|Loc)|Version|Calibrat|Build"
)


@dataclass(frozen=True, slots=True)
class Times:
    """The readings of a file in the order of the tables, and what stood where a date should."""

    readings: tuple[TimeReading, ...]
    not_dates: tuple[tuple[str, str], ...] = ()  # (tag, text)
    unset: tuple[tuple[str, str], ...] = ()  # (tag, the blanks or zeros it holds)
    is_film_known: bool = True  # False: what a film's own clock counts is its format's word, or its maker's habit

    def wall(self, tag: str) -> datetime | None:
        """Return the first wall clock of a tag, to the minute at least; None when it has none."""
        return next(
            (reading.wall for reading in self.readings if reading.tag == tag and reading.resolution_s <= 60.0), None
        )


def all_times(source: Source, tags: Tags, sidecars: Sequence[tuple[str, Tags]]) -> Times:
    """Return every time reading of a photo: its blocks, sidecars, name and file system."""
    found = list(_embedded(tags))
    for _, beside in sidecars:
        found += [(SIDECAR + tag, read) for tag, read in (*_table(beside, (*XMP, *EXIF)), *_kept_beside(beside))]
    readings = [
        read if read.tag == tag else replace(read, tag=tag) for tag, read in found if isinstance(read, TimeReading)
    ]
    named = None if source.stat.is_carved else name_time(source.relative)  # of what was carved the name is ours
    film = container_clock(
        tags, [*readings, *([named] if named else [])], name=visible(source.relative.rpartition(b"/")[2])
    )
    readings = _as_the_maker_counts(readings, film.kind)
    readings += [named] if named is not None else []
    readings += _file_system(source)
    unread = [(tag, read) for tag, read in found if isinstance(read, str)]
    return Times(
        tuple(readings),
        tuple((tag, written) for tag, written in unread if not is_unset(written)),
        tuple((tag, written) for tag, written in unread if is_unset(written)),
        is_film_known=film.is_known,
    )


CLOUD_INSTANTS = ("JSON:PhotoTakenTimeTimestamp", "JSON:ExportTakenTimestamp")
"""Seconds since 1970 at which a service says that a photo was taken: in the JSON file that an export lays beside each
photo, and in an index that speaks of many (:mod:`gtloc_forensics.files.export_indexes`)."""

EXPORTED = (
    TimeTag("JSON:ExportDateTimeOriginal", TimeRole.CAPTURE),
    TimeTag("JSON:ExportDateTimeDigitized", TimeRole.DIGITIZED),
    TimeTag("JSON:ExportTakenAt", TimeRole.TAKEN_IN),  # of Instagram until 2020, which dated posts by that word
)
FIRST_SERVICE = datetime(1995, 1, 1)
"""No service took photos in before there was a web."""

_TAKEN_IN = ("JSON:ExportCreationTimestamp", "JSON:ExportDateUnixtime", "JSON:CreationTimeTimestamp")
_SENT = TimeTag("JSON:ExportDate", TimeRole.TAKEN_IN)
"""Telegram's date of a message on the clock of the computer that exported it; newer exports state the instant too."""


def _kept_beside(beside: Tags) -> Iterator[tuple[str, TimeReading | str]]:
    """Yield the times that a service keeps of the photo in a file of its own."""
    yield from _instants(beside, CLOUD_INSTANTS, TimeRole.CAPTURE)
    yield from _instants(beside, _TAKEN_IN, TimeRole.TAKEN_IN)
    yield from _table(beside, EXPORTED if beside.get("JSON:ExportDateUnixtime") else (*EXPORTED, _SENT))


def _instants(beside: Tags, tags: tuple[str, ...], role: TimeRole) -> Iterator[tuple[str, TimeReading | str]]:
    for tag in tags:
        for value in beside.get(tag, ()):
            seconds = number(value)
            wall = None if seconds is None or abs(seconds) >= 1e11 else _instant(round(seconds) * 1_000_000_000)
            if role is TimeRole.TAKEN_IN and wall is not None and wall < FIRST_SERVICE:
                continue  # a zero: the service does not know
            raw = str(value)
            yield (tag, shown(raw) if wall is None else TimeReading(wall, TimeKind.UTC, role, tag, raw, 0.0, 1.0))


def _as_the_maker_counts(readings: list[TimeReading], film: TimeKind) -> list[TimeReading]:
    """Return the readings with film and maker clocks counted as their makers count them: local time or UTC."""
    times = Times(tuple(readings))
    readings = counted_as(readings, film) if film is TimeKind.LOCAL else readings
    captured = times.wall("ExifIFD:DateTimeOriginal") or times.wall("IFD0:DateTimeOriginal")
    return [
        _maker_clock(reading, captured) if reading.role is TimeRole.MAKER_CLOCK else reading for reading in readings
    ]


def counted_as(readings: Sequence[TimeReading], film: TimeKind) -> list[TimeReading]:
    """Return the readings of a film whose own clocks count local time, or UTC."""
    offset_hours = None if film is TimeKind.LOCAL else 0.0
    return [
        replace(reading, kind=film, offset_hours=offset_hours) if _FILM_CLOCK.fullmatch(reading.tag) else reading
        for reading in readings
    ]


_FILM_CLOCK = re.compile(r"QuickTime:(?:Create|Modify)Date|Track\d+:(?:Track|Media)(?:Create|Modify)Date")


def _maker_clock(reading: TimeReading, captured: datetime | None) -> TimeReading:
    """Return a maker's clock as UTC where it is a civil offset away from the capture, as no clock near its epoch."""
    if is_epoch_counter(reading.wall, captured):
        return replace(reading, role=TimeRole.OTHER)
    if reading.kind is not TimeKind.LOCAL or captured is None or reading.tag in _LOCAL_CLOCKS:
        return reading
    hours = civil_offset_between(captured, reading.wall, tolerance_s=SAME_CLOCK_S)
    return reading if not hours else replace(reading, kind=TimeKind.UTC, offset_hours=0.0)


def _embedded(tags: Tags) -> Iterator[tuple[str, TimeReading | str]]:
    yield from _table(tags, _TABLE)
    yield from _gps(tags)
    yield from _table(tags, MAKERS)
    for tag in filter(_may_be_a_clock, tags):
        # Not a date at all is no fault here, nor are digits without signs a date: the name alone says little.
        found = _table(tags, (TimeTag(tag, TimeRole.MAKER_CLOCK),), compact=False)
        yield from ((name, read) for name, read in found if isinstance(read, TimeReading) and read.resolution_s < 60)
    yield from _table(tags, tuple(TimeTag(tag, TimeRole.OTHER, TimeKind.UTC) for tag in filter(_is_of_a_track, tags)))


_TABLE = (*EXIF, *XMP, *CONTAINERS)
_KNOWN = frozenset(entry.tag for entry in (*_TABLE, *MAKERS))


@lru_cache(maxsize=4096)  # the same tags stand in every photo
def _may_be_a_clock(tag: str) -> bool:
    """Whether a tag beyond the tables is a maker's and named as a clock of the device would be."""
    return tag not in _KNOWN and _MAKER_CLOCK.fullmatch(tag) is not None and not _NOT_A_CLOCK.search(tag)


@lru_cache(maxsize=4096)
def _is_of_a_track(tag: str) -> bool:
    return _TRACK.fullmatch(tag) is not None


_TRACK = re.compile(r"Track\d+:(?:Track|Media)(?:Create|Modify)Date")


def _table(tags: Tags, entries: Sequence[TimeTag], *, compact: bool = True) -> Iterator[tuple[str, TimeReading | str]]:
    """Yield for each value of each entry its reading, or its text where it is no date."""
    for entry in entries:
        values = tags.get(entry.tag)
        if not values:
            continue
        clocks = tags.get(entry.clock, ())
        for index, value in enumerate(values):
            clock = stripped(clocks[index]) if index < len(clocks) else ""
            written = f"{stripped(value)} {clock}".strip()
            read = moment(written, compact=compact)
            yield entry.tag, (shown(value) if read is None else _reading(entry, read, written, tags))


def _reading(entry: TimeTag, read: Moment, written: str, tags: Tags) -> TimeReading:
    wall, resolution_s = _with_part(entry, read, tags)
    offset_hours = read.offset_hours
    if entry.clock.startswith("IPTC:"):
        if offset_hours == 0.0:
            offset_hours = None  # IPTC wants an offset; programs that know none write +00:00
        if read.resolution_s == 1.0 and wall.time() == time(0):
            resolution_s = DAY_S  # nor has it a way to leave the time out: programs that know none write midnight
    if offset_hours is None and entry.offset:
        offset_hours = offset(text(tags, *entry.offset))
    if entry.kind is TimeKind.UTC:
        wall -= timedelta(hours=offset_hours or 0.0)
        return TimeReading(wall, TimeKind.UTC, entry.role, entry.tag, written, 0.0, resolution_s)
    kind = TimeKind.LOCAL if offset_hours is None else TimeKind.ZONED
    return TimeReading(wall, kind, entry.role, entry.tag, written, offset_hours, resolution_s)


def _with_part(entry: TimeTag, read: Moment, tags: Tags) -> tuple[datetime, float]:
    """Return the wall clock with the sub-seconds of its own tag, if it has none itself."""
    part = sub_seconds(text(tags, *entry.part)) if entry.part and read.resolution_s == 1.0 else None
    if part is None:
        return read.wall, read.resolution_s
    return read.wall.replace(microsecond=part[0]), part[1]


def _gps(tags: Tags) -> Iterator[tuple[str, TimeReading | str]]:
    """Yield GPSDateStamp with GPSTimeStamp; one without the other tells no instant."""
    day, clock = text(tags, "GPS:GPSDateStamp"), text(tags, "GPS:GPSTimeStamp")
    if not day or not clock:
        return
    written = f"{day} {clock}"
    read = moment(written)
    if read is None or read.resolution_s > 60:
        yield "GPS:GPSTimeStamp", shown(written)
        return
    yield (
        "GPS:GPSTimeStamp",
        TimeReading(read.wall, TimeKind.UTC, TimeRole.GPS_FIX, "GPS:GPSTimeStamp", written, 0.0, read.resolution_s),
    )


def _file_system(source: Source) -> list[TimeReading]:
    """Return the file system's times; FAT and old archives keep a wall clock of which nobody recorded the zone."""
    stat = source.stat
    stamps = (
        ("System:FileModifyDate", stat.mtime_ns, stat.mtime_step_ns),
        ("System:FileCreateDate", stat.birth_ns, stat.birth_step_ns),
    )
    kind, offset_hours = (TimeKind.LOCAL, None) if stat.is_local else (TimeKind.UTC, 0.0)
    return [
        TimeReading(wall, kind, TimeRole.FILE_SYSTEM, tag, f"{nanoseconds} ns", offset_hours, max(step_ns / 1e9, 1e-6))
        for tag, nanoseconds, step_ns in stamps
        if nanoseconds is not None
        and (nanoseconds or not step_ns)  # in an image 0 says that there is no time
        and (wall := _instant(nanoseconds)) is not None
    ]


def _instant(nanoseconds: int) -> datetime | None:
    try:
        wall = datetime(1970, 1, 1) + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return None
    return wall if 1 < wall.year < 9999 else None
