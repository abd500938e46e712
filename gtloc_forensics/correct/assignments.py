"""From lines of a plan to the tags of one file: everything that speaks of the same moment moves in step.

After the guidelines of the Metadata Working Group (MWG 2.0 §5.3): EXIF DateTimeOriginal, XMP
photoshop:DateCreated and IPTC Date/TimeCreated are one value; EXIF DateTimeDigitized, XMP
xmp:CreateDate and IPTC DigitalCreationDate/Time another. ModifyDate moves only where it holds the
capture time. Maker notes keep what the camera's own clock said. Values are exiftool's
numeric form; all functions are pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gtloc_forensics.correct import changes as lines
from gtloc_forensics.correct.changes import Change, Quantity
from gtloc_forensics.correct.stamps import Precision, Stamp, exif_date, parsed
from gtloc_forensics.errors import PlanError
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Position, Tags

Assignment = tuple[str, str]
"""``("ExifIFD:DateTimeOriginal", "2024:06:15 12:00:00")``; a repeated tag is a list."""

CAPTURED = ("XMP-exif:DateTimeOriginal", "XMP-photoshop:DateCreated", "Keys:CreationDate")
DIGITIZED = ("ExifIFD:CreateDate", "XMP-xmp:CreateDate", "XMP-exif:DateTimeDigitized")
MODIFIED = ("IFD0:ModifyDate", "XMP-xmp:ModifyDate", "XMP-tiff:DateTime")
IPTC_PAIRS = (("IPTC:DateCreated", "IPTC:TimeCreated"), ("IPTC:DigitalCreationDate", "IPTC:DigitalCreationTime"))
QUICKTIME = re.compile(r"(QuickTime|Track\d+):((?:Track|Media)?(?:Create|Modify)Date)")
OFFSETS = ("ExifIFD:OffsetTimeOriginal", "ExifIFD:OffsetTimeDigitized", "ExifIFD:OffsetTime")
HOLDS_EXIF = frozenset(
    {"image/jpeg", "image/tiff", "image/png", "image/webp", "image/heic", "image/heif", "image/avif", "image/x-exif"}
)
QUICKTIME_SLACK = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Goal:
    """What the lines about one photo ask for, and what was there before. None: not changed, or not there."""

    old_local: datetime | None
    new_local: datetime | None
    old_offset: float | None
    new_offset: float | None
    gps_utc: datetime | None
    position: Position | None
    keywords: tuple[str, ...]

    @property
    def moves(self) -> bool:
        """Whether local time or offset change."""
        return self.new_local is not None or self.new_offset is not None

    @property
    def delta(self) -> timedelta:
        """By how much the wall clock moves; zero when there was none before."""
        if self.new_local is None or self.old_local is None:
            return timedelta(0)
        return self.new_local - self.old_local

    @property
    def offset(self) -> float | None:
        """The offset that holds afterwards."""
        return self.old_offset if self.new_offset is None else self.new_offset

    @property
    def local(self) -> datetime | None:
        """The wall clock afterwards."""
        return self.old_local if self.new_local is None else self.new_local


def goal_of(changes: Iterable[Change], tags: Tags) -> Goal:
    """Return what *changes* ask of a file that holds *tags*.

    Raises:
        PlanError: a line's old time is not what the file says; a shift from it would move other tags wrongly.
    """
    by = {change.quantity: change for change in changes}
    time, offset = by.get(Quantity.LOCAL_TIME), by.get(Quantity.OFFSET)
    gps, place, words = by.get(Quantity.GPS_TIME), by.get(Quantity.POSITION), by.get(Quantity.KEYWORDS)
    found = capture_time(tags)
    old_local = lines.read_time(time.old) if time and time.old else found
    if old_local is not None and found is not None and not _is_said(tags, old_local):
        raise PlanError(
            f"the file says {lines.write_time(found)}, not {lines.write_time(old_local)}; correct the old value"
        )
    old_offset = lines.read_offset(offset.old) if offset and offset.old else stated_offset(tags)
    return Goal(
        old_local=old_local,
        new_local=lines.read_time(time.new) if time else None,
        old_offset=old_offset,
        new_offset=lines.read_offset(offset.new) if offset else None,
        gps_utc=lines.read_time(gps.new) if gps else None,
        position=lines.read_position(place.new) if place else None,
        keywords=lines.read_keywords(words.new) if words else (),
    )


def capture_time(tags: Tags) -> datetime | None:
    """Return the wall clock of the capture as the file's own tags give it, without sub-seconds."""
    for tag in ("ExifIFD:DateTimeOriginal", *CAPTURED, *DIGITIZED):
        stamp = parsed(first(tags, tag))
        if stamp is not None:
            return stamp.wall
    return None


def _is_said(tags: Tags, wall: datetime) -> bool:
    stamps = (parsed(value, compact=False) for values in tags.values() for value in values if isinstance(value, str))
    return any(stamp is not None and stamp.is_near(wall) for stamp in stamps)


def stated_offset(tags: Tags) -> float | None:
    """Return the offset that the file states for its capture time, in hours."""
    for tag in OFFSETS:
        hours = tag_values.offset(str(first(tags, tag)))
        if hours is not None:
            return hours
    for tag in CAPTURED:
        stamp = parsed(first(tags, tag))
        if stamp is not None and stamp.zone:
            return tag_values.offset(stamp.zone)
    return None


def first(tags: Tags, tag: str) -> str | int | float:
    """Return the first value of a tag, "" when it is absent."""
    values = tags.get(tag, ())
    return values[0] if values else ""


def embedded(goal: Goal, tags: Tags, media_type: str) -> tuple[Assignment, ...]:
    """Return what to write into a picture that holds *tags*."""
    out: list[Assignment] = []
    exif = media_type in HOLDS_EXIF or any(tag.startswith(("ExifIFD:", "IFD0:")) for tag in tags)
    if goal.moves:
        out += _exif_times(goal, tags) if exif else []
        out += _moved(goal, tags, CAPTURED, in_step=True)
        out += _moved(goal, tags, DIGITIZED, in_step=False)
        out += _modified(goal, tags)
        out += _iptc(goal, tags)
        out += _quicktime(goal, tags)
    if goal.gps_utc is not None:
        out += _gps_time(goal.gps_utc, tags, exif=exif)
    if goal.position is not None:
        out += _exif_position(goal.position) if exif else []
        if not exif or "XMP-exif:GPSLatitude" in tags:
            out += _xmp_position(goal.position)
    return (*out, *_keywords(goal.keywords, tags))


def sidecar(goal: Goal, picture: Tags, beside: Tags) -> tuple[Assignment, ...]:
    """Return what to write into an XMP sidecar that holds *beside*, for a picture that holds *picture*."""
    out: list[Assignment] = []
    if goal.moves and goal.local is not None:
        stamp = Stamp(goal.local.replace(microsecond=0), fraction=_fraction(goal, picture), zone=_zone(goal) or "")
        out += [(tag, stamp.exif()) for tag in CAPTURED[:2]]
        digitized = parsed(first(picture, "ExifIFD:CreateDate"))
        if goal.old_local is not None and digitized is not None and digitized.is_near(goal.old_local):
            out.append(("XMP-xmp:CreateDate", stamp.exif()))
        out += _moved(goal, beside, tuple(tag for tag in DIGITIZED if tag not in dict(out)), in_step=False)
        out += _modified(goal, {tag: beside[tag] for tag in MODIFIED if tag in beside})
    if goal.gps_utc is not None:
        out.append(("XMP-exif:GPSDateTime", f"{Stamp(goal.gps_utc).exif()}Z"))
    if goal.position is not None:
        out += _xmp_position(goal.position)
    return (*out, *_keywords(goal.keywords, beside))


def _zone(goal: Goal) -> str | None:
    return None if goal.offset is None else lines.write_offset(goal.offset)


def _fraction(goal: Goal, tags: Tags) -> str:
    if goal.new_local is not None and goal.new_local.microsecond:
        return f"{goal.new_local.microsecond:06d}".rstrip("0")
    digits = str(first(tags, "ExifIFD:SubSecTimeOriginal")).strip()
    return digits if digits.isascii() and digits.isdigit() else ""


def _exif_times(goal: Goal, tags: Tags) -> list[Assignment]:
    out: list[Assignment] = []
    if goal.new_local is not None:
        out.append(("ExifIFD:DateTimeOriginal", Stamp(goal.new_local.replace(microsecond=0)).exif()))
        if goal.new_local.microsecond and _fraction_changes(goal):
            out.append(("ExifIFD:SubSecTimeOriginal", _fraction(goal, tags)))
    return out + _exif_offsets(goal, tags)


def _fraction_changes(goal: Goal) -> bool:
    return goal.new_local is not None and (
        goal.old_local is None or goal.new_local.microsecond != goal.old_local.microsecond
    )


def _exif_offsets(goal: Goal, tags: Tags) -> list[Assignment]:
    if goal.new_offset is None:
        return []
    text = lines.write_offset(goal.new_offset)
    out = [("ExifIFD:OffsetTimeOriginal", text)]
    if "ExifIFD:OffsetTimeDigitized" in tags or _speaks_of_capture(goal, tags, "ExifIFD:CreateDate"):
        out.append(("ExifIFD:OffsetTimeDigitized", text))
    if "ExifIFD:OffsetTime" in tags and _speaks_of_capture(goal, tags, "IFD0:ModifyDate"):
        out.append(("ExifIFD:OffsetTime", text))
    return out


def _speaks_of_capture(goal: Goal, tags: Tags, tag: str) -> bool:
    stamp = parsed(first(tags, tag))
    return stamp is not None and goal.old_local is not None and stamp.is_near(goal.old_local)


def _moved(goal: Goal, tags: Tags, names: Sequence[str], *, in_step: bool) -> list[Assignment]:
    """Move the stamps that are there. *in_step*: they must equal the capture time afterwards, whatever they said."""
    out = []
    for tag in names:
        stamp = parsed(first(tags, tag))
        if stamp is not None and goal.local is not None:
            moved = _stamp_moved(goal, stamp, in_step=in_step)
            if moved != stamp:
                out.append((tag, moved.exif()))
    return out


def _stamp_moved(goal: Goal, stamp: Stamp, *, in_step: bool) -> Stamp:
    """Move one stamp. A zone it had is replaced only where the plan speaks of zones, or the stamp is set anew."""
    if goal.local is None:
        return stamp
    near = goal.old_local is not None and stamp.is_near(goal.old_local)
    zone, rezoned = _zone(goal), goal.new_offset is not None
    if not near and stamp.is_near(goal.local):  # somebody put this one right before
        return stamp.at(stamp.wall, zone=zone if stamp.zone and rezoned else None)
    if not near and not (in_step and (zone is not None or not stamp.zone)):
        return stamp.shifted(_whole(goal.delta))
    gains = in_step and rezoned and goal.old_offset is None
    replaced = gains or (bool(stamp.zone) and (rezoned or not near))
    return stamp.at(goal.local + _slip(goal, stamp, in_step=in_step), zone=zone if replaced else None)


def _slip(goal: Goal, stamp: Stamp, *, in_step: bool) -> timedelta:
    """Return the second between pressing and writing, which is the camera's business; tags in step lose it."""
    if in_step or goal.old_local is None or stamp.precision is not Precision.SECOND:
        return timedelta(0)
    return stamp.wall - goal.old_local.replace(microsecond=0) if stamp.is_near(goal.old_local) else timedelta(0)


def _whole(delta: timedelta) -> timedelta:
    return timedelta(seconds=round(delta.total_seconds()))


def _modified(goal: Goal, tags: Tags) -> list[Assignment]:
    present = [tag for tag in MODIFIED if _speaks_of_capture(goal, tags, tag)]
    return _moved(goal, tags, present, in_step=False)


def _iptc(goal: Goal, tags: Tags) -> list[Assignment]:
    out: list[Assignment] = []
    for index, (date_tag, time_tag) in enumerate(IPTC_PAIRS):
        text = f"{first(tags, date_tag)} {first(tags, time_tag)}".strip()
        stamp = parsed(text) or parsed(first(tags, date_tag))
        if stamp is None:
            continue
        moved = _stamp_moved(goal, stamp, in_step=index == 0)
        if moved != stamp:
            out.append((date_tag, exif_date(moved.wall)))
            if time_tag in tags:
                zone = moved.zone or _zone(goal) or "+00:00"
                out.append((time_tag, moved.wall.strftime("%H:%M:%S") + zone))
    if out and "Photoshop:IPTCDigest" in tags:
        out.append(("Photoshop:IPTCDigest", "new"))  # exiftool's word for: as the IPTC now is
    return out


def _quicktime(goal: Goal, tags: Tags) -> list[Assignment]:
    """Return the movie clocks. The format counts UTC; a camera that wrote local time there is set right too."""
    out: dict[str, str] = {}
    for tag in tags:
        found = QUICKTIME.fullmatch(tag)
        stamp = parsed(first(tags, tag)) if found else None
        if found and stamp is not None:
            moved = stamp.at(_movie_clock(goal, stamp.wall))
            if moved != stamp:
                out[f"QuickTime:{found[2]}"] = moved.exif()
    return list(out.items())


def _movie_clock(goal: Goal, wall: datetime) -> datetime:
    old_local, local = goal.old_local, goal.local
    if old_local is None or local is None:
        return wall
    old_utc = None if goal.old_offset is None else old_local - timedelta(hours=goal.old_offset)
    of_capture = any(near is not None and abs(wall - near) <= QUICKTIME_SLACK for near in (old_utc, old_local))
    if of_capture and goal.offset is not None:
        return (local - timedelta(hours=goal.offset)).replace(microsecond=0)
    return wall + _whole(goal.delta)


def _gps_time(utc: datetime, tags: Tags, *, exif: bool) -> list[Assignment]:
    out: list[Assignment] = []
    if exif:
        old = str(first(tags, "GPS:GPSTimeStamp"))
        fraction = old.partition(".")[2] if "." in old and not utc.microsecond else ""
        digits = f".{fraction}" if fraction else f".{utc.microsecond:06d}".rstrip("0") if utc.microsecond else ""
        out.append(("GPS:GPSDateStamp", exif_date(utc)))
        out.append(("GPS:GPSTimeStamp", utc.strftime("%H:%M:%S") + digits))
    if not exif or "XMP-exif:GPSDateTime" in tags:
        out.append(("XMP-exif:GPSDateTime", f"{Stamp(utc).exif()}Z"))
    return out


def _exif_position(position: Position) -> list[Assignment]:
    return [
        ("GPS:GPSLatitude", f"{abs(position.latitude_deg):.7f}"),
        ("GPS:GPSLatitudeRef", "S" if position.latitude_deg < 0 else "N"),
        ("GPS:GPSLongitude", f"{abs(position.longitude_deg):.7f}"),
        ("GPS:GPSLongitudeRef", "W" if position.longitude_deg < 0 else "E"),
    ]


def _xmp_position(position: Position) -> list[Assignment]:
    return [
        ("XMP-exif:GPSLatitude", f"{position.latitude_deg:.7f}"),
        ("XMP-exif:GPSLongitude", f"{position.longitude_deg:.7f}"),
    ]


def _keywords(words: tuple[str, ...], tags: Tags) -> list[Assignment]:
    """Return the keyword lists as they shall be: what is there, then what is new, hierarchical where a tag can be."""
    if not words:
        return []
    forms = (
        ("XMP-lr:HierarchicalSubject", words),
        ("XMP-digiKam:TagsList", tuple(word.replace("|", "/") for word in words)),
        ("XMP-dc:Subject", tuple(word.rpartition("|")[2] for word in words)),
    )
    out: list[Assignment] = []
    for tag, new in forms:
        there = [str(value) for value in tags.get(tag, ())]
        out += [(tag, word) for word in dict.fromkeys([*there, *new])]
    return out
