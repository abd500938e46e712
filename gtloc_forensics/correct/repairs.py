"""What a person asks for, as lines of a plan: shifts, zones, swapped dates, positions. Pure functions of claims.

Three things can be wrong with a time, and each has its own repair: the clock
(:func:`shifted`), the zone written beside it (:func:`relabelled`: the clock stays), or both
together because nobody set the watch on the journey (:func:`moved_to_zone`: the instant stays).
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import Enum, unique
from typing import TypeAlias, TypeVar

from gtloc_forensics.correct import assignments
from gtloc_forensics.correct import changes as lines
from gtloc_forensics.correct.changes import Change, Quantity
from gtloc_forensics.correct.tracks import Track, along
from gtloc_forensics.earth import zones
from gtloc_forensics.errors import PlanError
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Absent, Claim, Photo, Position, Source, Stated, Tags, Unexamined, visible

T = TypeVar("T")
SAME_CLOCK_S = 15 * 60.0
"""GPS clock and camera clock agree when they are closer: less than any zone is wide."""
Claimed: TypeAlias = tuple[Source, Claim | Unexamined]
"""A photo without its picture, as planning reads it."""

LONGEST_NEIGHBOUR_GAP = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Subject:
    """The lean view of a photo that could be corrected; None where its file does not say."""

    relative: bytes
    sha256: str
    device_key: str
    device_names: frozenset[str]  # by which its camera may be asked for
    local: datetime | None
    written_offset: float | None  # stated by a tag of the file; never one derived
    utc: datetime | None  # by whatever rule the claim found it
    gps_utc: datetime | None
    position: Position | None
    zones: tuple[str, ...]
    gps_clock: time | None = None  # UTC, as the receiver wrote it, with a date or without
    local_resolution_s: float = 1.0  # how fine the capture time is written
    coordinates: tuple[float, float] | None = None  # as EXIF writes them, also where they are no position
    device_name: str = ""  # of its camera, for people

    @property
    def name(self) -> str:
        """The path for people."""
        return visible(self.relative)

    def line(self, quantity: Quantity, old: str, new: str, reason: str, strength: float) -> Change:
        """Return a line about this photo."""
        return Change(self.relative, self.sha256, quantity, old, new, reason, round(strength, 4))


def subject(relative: bytes, sha256: str, claim: Claim) -> Subject:
    """Return what planning needs to know of one photo."""
    return Subject(
        relative=relative,
        sha256=sha256,
        device_key=claim.device.key,
        device_names=frozenset(names_of(claim)),
        local=_value(claim.local_time),
        written_offset=assignments.stated_offset(claim.tags),
        utc=_value(claim.utc_time),
        gps_utc=_value(claim.gps_utc_time),
        position=_value(claim.position),
        zones=claim.zones,
        gps_clock=_gps_clock(claim.tags),
        local_resolution_s=claim.local_resolution_s,
        coordinates=_coordinates(claim.tags),
        device_name=claim.device.name,
    )


def _gps_clock(tags: Tags) -> time | None:
    read = tag_values.moment(f"2000:01:01 {tag_values.text(tags, 'GPS:GPSTimeStamp')}")
    return None if read is None else read.wall.time()


def _coordinates(tags: Tags) -> tuple[float, float] | None:
    """Return latitude and longitude as EXIF writes them; also 151° of latitude, which is no place."""
    found = []
    for axis, negative in (("Latitude", "S"), ("Longitude", "W")):
        degrees = tag_values.number(assignments.first(tags, f"GPS:GPS{axis}"))
        if degrees is None:
            return None
        south_or_west = tag_values.text(tags, f"GPS:GPS{axis}Ref")[:1].upper() == negative
        found.append(-abs(degrees) if south_or_west else degrees)
    return found[0], found[1]


def _value(stated: Stated[T] | Absent) -> T | None:
    return stated.value if isinstance(stated, Stated) else None


def subjects(photos: Iterable[Photo | Claimed], *, camera: str = "") -> tuple[Subject, ...]:
    """Return the photos whose claim is known, in the order of their paths.

    Args:
        photos: of a case, or what each is and claims; read once, one at a time.
        camera: keeps those of one camera: its serial number, its device key, or make and model.

    Raises:
        PlanError: no photo is of that camera; the message lists the cameras there are.
    """
    pairs = (photo if isinstance(photo, tuple) else (photo.source, photo.claim) for photo in photos)
    known = [subject(source.relative, source.sha256, claim) for source, claim in pairs if isinstance(claim, Claim)]
    return of_camera(sorted(known, key=lambda photo: photo.relative), camera)


def of_camera(photos: Sequence[Subject], camera: str) -> tuple[Subject, ...]:
    """Return the photos of one camera, all for "".

    Raises:
        PlanError: there are none; the message lists the cameras there are.
    """
    chosen = tuple(photo for photo in photos if not camera or camera in photo.device_names)
    if camera and not chosen:
        cameras = sorted({visible(photo.device_key) for photo in photos})
        raise PlanError(f"no photo by {camera!r}; the cameras of this case are {', '.join(cameras) or 'unknown'}")
    return chosen


def names_of(claim: Claim) -> set[str]:
    """Return the names by which a camera may be asked for."""
    device = claim.device
    words = [word for word in (device.make, device.model) if isinstance(word, str)]
    serial = {device.serial} if isinstance(device.serial, str) else set()
    return {device.key, " ".join(words), *words[1:], *serial} - {""}


def shifted(
    photos: Iterable[Subject],
    seconds: float,
    *,
    keep_zone: bool = False,
    zone: str = "",
    reason: str = "",
    strength: float = 1.0,
) -> list[Change]:
    """Move the clock by whole *seconds*.

    The offset beside it stays, unless it was the legal one at the place before and is not
    after (a shift across a change to summer time); *keep_zone* leaves it in any case. Where a
    *zone* is named, the offset is the one that it keeps at the moved clock, see :func:`relabelled`.
    """
    why = (reason or f"asked for: clock moved by {lines.write_shift(seconds)}") + (zone and f", and it keeps {zone}")
    out: list[Change] = []
    for photo in photos:
        if photo.local is not None:
            new = moved(photo.local, seconds)
            offset = _kept_by(zone, replace(photo, local=new)) if zone else None
            if not (zone or keep_zone):
                offset = _legal_after(photo, new)
            out += time_lines(photo, new, offset, why, strength)
    return out


def from_reference(
    photos: Sequence[Subject], reference: bytes, true_local: datetime, *, keep_zone: bool = False, zone: str = ""
) -> list[Change]:
    """Move the clock of one camera by what one of its photos, whose true time is known, was off.

    Raises:
        PlanError: the photo is not there or has no time.
    """
    known = next((photo for photo in photos if photo.relative == reference), None)
    if known is None or known.local is None:
        raise PlanError(f"{visible(reference)} is not a photo with a time in this case; name one that has")
    seconds = float(round((true_local - known.local.replace(microsecond=0)).total_seconds()))
    mates = [photo for photo in photos if photo.device_key == known.device_key]
    when = lines.write_time(true_local)
    why = f"clock moved by {lines.write_shift(seconds)}: {visible(reference)} was taken at {when}"
    return shifted(mates, seconds, keep_zone=keep_zone, zone=zone, reason=why)


def relabelled(photos: Iterable[Subject], zone: str) -> list[Change]:
    """Write the offset that *zone* keeps at the claimed local time; the clock stays.

    In an hour that comes twice the offset nearest to the GPS clock's is taken, else the first (summer time).
    """
    out: list[Change] = []
    for photo in photos:
        offset = _kept_by(zone, photo)
        if offset is not None:
            out += time_lines(photo, None, offset, f"asked for: the clock keeps {zone}", 1.0)
    return out


def _kept_by(zone: str, photo: Subject) -> float | None:
    if photo.local is None:
        return None
    offsets = zones.offsets_hours(zone, photo.local.replace(microsecond=0))
    if photo.gps_utc is None:
        return offsets[-1]
    implied = (photo.local - photo.gps_utc).total_seconds() / 3600.0
    return min(offsets, key=lambda offset: abs(offset - implied))


def moved_to_zone(photos: Iterable[Subject], zone: str, *, reason: str = "", strength: float = 1.0) -> list[Change]:
    """Show the same instant as the clocks of *zone* did; photos whose instant is unknown are left out."""
    out: list[Change] = []
    for photo in photos:
        if photo.local is not None and photo.utc is not None:
            offset = zones.offset_at_utc(zone, photo.utc.replace(microsecond=0))
            new = photo.utc + timedelta(hours=offset)
            why = reason or f"asked for: the same instant as {zone} shows it"
            out += time_lines(photo, new, offset, why, strength)
    return out


def day_month_swapped(photos: Iterable[Subject], *, reason: str = "", strength: float = 1.0) -> list[Change]:
    """Exchange day and month where both are at most 12 and differ; the others cannot have been exchanged."""
    out: list[Change] = []
    for photo in photos:
        if photo.local is not None and photo.local.day <= 12 and photo.local.day != photo.local.month:
            new = photo.local.replace(month=photo.local.day, day=photo.local.month)
            out += time_lines(
                photo, new, _legal_after(photo, new), reason or "asked for: day and month exchanged", strength
            )
    return out


def moved(moment: datetime, seconds: float) -> datetime:
    """Return *moment* moved by whole seconds; its sub-seconds stay.

    Raises:
        PlanError: the result is before year 1 or after year 9999.
    """
    try:
        return moment + timedelta(seconds=round(seconds))
    except OverflowError as error:
        raise PlanError(f"{moment} cannot be moved by {lines.write_shift(seconds)}; check the shift") from error


def _legal_after(photo: Subject, new: datetime) -> float | None:
    """Return the offset to write when the one stated was legal before and is not at *new*; else None."""
    stated = photo.written_offset
    if stated is None or not photo.zones or photo.local is None:
        return None
    before = zones.legal_offsets(photo.zones, photo.local.replace(microsecond=0))
    after = zones.legal_offsets(photo.zones, new.replace(microsecond=0))
    return after[0] if stated in before and stated not in after and len(after) == 1 else None


def time_lines(
    photo: Subject, new_local: datetime | None, new_offset: float | None, reason: str, strength: float
) -> list[Change]:
    """Return the lines that set local time and offset (None: stays) and keep the GPS clock in step with them."""
    out = []
    if new_local is not None and new_local != photo.local:
        old = "" if photo.local is None else lines.write_time(photo.local)
        out.append(photo.line(Quantity.LOCAL_TIME, old, lines.write_time(new_local), reason, strength))
    written = photo.written_offset
    if new_offset is not None and new_offset != written:
        old = "" if written is None else lines.write_offset(written)
        out.append(photo.line(Quantity.OFFSET, old, lines.write_offset(new_offset), reason, strength))
    gps = _gps_in_step(photo, new_local or photo.local, written if new_offset is None else new_offset)
    if out and gps is not None and photo.gps_utc is not None:
        why = f"{reason}; the GPS clock agreed with the old time and is moved along"
        old, new = lines.write_time(photo.gps_utc), lines.write_time(gps)
        out.append(photo.line(Quantity.GPS_TIME, old, new, why, strength))
    return out


def _gps_in_step(photo: Subject, local: datetime | None, offset: float | None) -> datetime | None:
    """Return the GPS time to write; None where it stays because it agrees afterwards, or never agreed."""
    if photo.gps_utc is None or photo.local is None or local is None:
        return None
    if _agree(photo, local, offset) or not _agree(photo, photo.local, photo.written_offset):
        return None
    step = local - photo.local
    if offset is not None and photo.written_offset is not None:
        step -= timedelta(hours=offset - photo.written_offset)
    return photo.gps_utc + step


def _agree(photo: Subject, local: datetime, offset: float | None) -> bool:
    """Return whether a wall clock agrees with the photo's GPS clock through *offset*, or any that is legal there."""
    if photo.gps_utc is None:
        return False
    whole = local.replace(microsecond=0)
    offsets = (offset,) if offset is not None else zones.legal_offsets(photo.zones, whole)
    apart = [abs((whole - timedelta(hours=offset_hours) - photo.gps_utc).total_seconds()) for offset_hours in offsets]
    return bool(apart) and min(apart) <= SAME_CLOCK_S


def with_times(photos: Sequence[Subject], changes: Iterable[Change]) -> tuple[Subject, ...]:
    """Return the photos as they will be once the lines about their times are applied, their instants with them."""
    by: dict[bytes, dict[Quantity, Change]] = {}
    for change in changes:
        by.setdefault(change.relative, {})[change.quantity] = change
    return tuple(_with_times(photo, by[photo.relative]) if photo.relative in by else photo for photo in photos)


def _with_times(photo: Subject, of: Mapping[Quantity, Change]) -> Subject:
    local = lines.new_of(of.get(Quantity.LOCAL_TIME), datetime) or photo.local
    new_offset = lines.new_of(of.get(Quantity.OFFSET), float)
    offset = photo.written_offset if new_offset is None else new_offset
    utc = photo.utc
    if local is not None and offset is not None:
        utc = local - timedelta(hours=offset)
    elif utc is not None and local is not None and photo.local is not None:
        utc = utc + (local - photo.local)
    return replace(photo, local=local, written_offset=offset, utc=utc)


# --------------------------------------------------------------------------- positions


def from_neighbours(
    photos: Sequence[Subject],
    *,
    of: Iterable[bytes] = (),
    longest_gap: timedelta = LONGEST_NEIGHBOUR_GAP,
    reason: str = "",
    strength: float = 1.0,
) -> list[Change]:
    """Give photos the place between their neighbours in time (all cameras; instants compared).

    Args:
        photos: those that may lend a position, and those that may get one.
        of: photos to give a position to; default: those without.
        longest_gap: a neighbour further away in time tells nothing.
        reason: to write beside the lines.
        strength: to write beside the lines.
    """
    wanted = set(of) or {photo.relative for photo in photos if photo.position is None}
    lenders = sorted(
        ((p.utc, p.position) for p in photos if p.utc and p.position and p.relative not in wanted),
        key=lambda lender: lender[0],
    )
    out: list[Change] = []
    for photo in photos:
        if photo.relative in wanted and photo.utc is not None:
            place = _interpolated(lenders, photo.utc, longest_gap)
            if place is not None:
                why = reason or "asked for: position from the photos taken just before and after"
                out += position_lines(photo, place, why, strength)
    return out


def _interpolated(
    lenders: Sequence[tuple[datetime, Position]], when: datetime, longest_gap: timedelta
) -> Position | None:
    at = bisect.bisect_left(lenders, when, key=lambda lender: lender[0])
    after = lenders[at] if at < len(lenders) and lenders[at][0] - when <= longest_gap else None
    before = lenders[at - 1] if at > 0 and when - lenders[at - 1][0] <= longest_gap else None
    if before is None or after is None:
        found = before or after
        return None if found is None else found[1]
    return along(before[1], after[1], (when - before[0]) / (after[0] - before[0]))


def from_track(photos: Iterable[Subject], track: Track, *, clock_ahead_s: float = 0.0) -> list[Change]:
    """Give photos the place where a track was at their instant.

    Args:
        photos: those to place; one whose instant is unknown is left out.
        track: of the receiver carried along.
        clock_ahead_s: by how many seconds the camera's clock was ahead of the receiver's.
    """
    out: list[Change] = []
    for photo in photos:
        instant = None if photo.utc is None else photo.utc - timedelta(seconds=clock_ahead_s)
        place = None if instant is None else track.at(instant)
        if place is not None and instant is not None:
            out += position_lines(photo, place, f"position from the track at {lines.write_time(instant)} UTC", 1.0)
    return out


@unique
class GpsRepair(Enum):
    """Slips of the hand in a position."""

    SWAP = "latitude and longitude exchanged"
    NORTH_SOUTH = "north and south exchanged"
    EAST_WEST = "east and west exchanged"


def gps_repaired(photos: Iterable[Subject], repair: GpsRepair) -> list[Change]:
    """Undo a slip in the position; where the result is no position (latitude 120°), the photo is left out.

    Coordinates that are no place as they stand (151° of latitude) are exchanged as well.
    """
    out: list[Change] = []
    for photo in photos:
        place = repaired(photo.position, repair) if photo.position is not None else None
        if photo.position is None and repair is GpsRepair.SWAP:
            place = exchanged(photo.coordinates)
        if place is not None:
            out += position_lines(photo, place, f"asked for: {repair.value}", 1.0)
    return out


def exchanged(coordinates: tuple[float, float] | None) -> Position | None:
    """Return the place that coordinates out of range name the other way round; None where they are in range."""
    if coordinates is None or abs(coordinates[0]) <= 90.0:
        return None
    longitude, latitude = coordinates
    return Position(latitude, longitude) if abs(latitude) <= 90.0 and abs(longitude) <= 180.0 else None


def repaired(place: Position, repair: GpsRepair) -> Position | None:
    """Return the position without the slip; None where that is none."""
    latitude, longitude = place.latitude_deg, place.longitude_deg
    pairs = {
        GpsRepair.SWAP: (longitude, latitude),
        GpsRepair.NORTH_SOUTH: (-latitude, longitude),
        GpsRepair.EAST_WEST: (latitude, -longitude),
    }
    new_latitude, new_longitude = pairs[repair]
    return Position(new_latitude, new_longitude) if abs(new_latitude) <= 90 else None


def position_lines(photo: Subject, place: Position, reason: str, strength: float) -> list[Change]:
    """Return the line that sets a photo's position; none where it is there already."""
    old = "" if photo.position is None else lines.write_position(photo.position)
    if photo.position is None and exchanged(photo.coordinates) is not None and photo.coordinates is not None:
        old = lines.write_coordinates(*photo.coordinates)
    new = lines.write_position(place)
    return [] if old == new else [photo.line(Quantity.POSITION, old, new, reason, strength)]


def keyworded(photos: Iterable[Subject], words: Mapping[bytes, Sequence[str]]) -> list[Change]:
    """Return lines that add hierarchical keywords (``gtloc|found|time``) to the photos named."""
    return [
        photo.line(Quantity.KEYWORDS, "", lines.write_keywords(words[photo.relative]), "asked for: keywords", 1.0)
        for photo in photos
        if words.get(photo.relative)
    ]
