"""What a claim says of the sky: the offset of its clock, its instants, and where the sun stood then.

UTC enters a claim only through an offset, and which rule gave the offset is kept with the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from gtloc_forensics.earth.globe import Floats, unix_seconds
from gtloc_forensics.earth.sun import sun_position
from gtloc_forensics.earth.zones import legal_offsets, offsets_hours
from gtloc_forensics.records import Absent, Claim, OffsetSource, Position, Stated, Sun

__all__ = ["claimed_moment", "claimed_offset", "is_derived", "is_from_camera", "sun", "suns"]

# A clock reading that is a date only, or an hour only, does not say where the sun stood.
COARSEST_TIME_S = 900.0


def claimed_moment(claim: Claim) -> Stated[datetime] | Absent:
    """Return the claimed local time, else the instant in UTC, which a film may tell without a wall clock.

    For whoever compares with something at least a day away.
    """
    if isinstance(claim.local_time, Stated) or not isinstance(claim.utc_time, Stated):
        return claim.local_time
    return claim.utc_time


def claimed_offset(claim: Claim) -> tuple[tuple[float, ...], str] | Absent:
    """Return the offsets the claimed local time may have, the best first, and the rule that gave them.

    An offset that the camera wrote wins, wherever the file says it was taken. One worked
    out from the GPS clock counts only where it is legal at the place: otherwise it holds
    the very clock fault that is looked for. So does one in XMP or IPTC, where programs put
    their own computer's zone, or +00:00 when they know none. Else the zones of the place
    decide, and an offset that lost stays among those that could apply.
    """
    if not isinstance(claim.local_time, Stated):
        return claim.local_time
    local = claim.local_time.value
    legal = legal_offsets(claim.zones, local)
    offset = claim.utc_offset_hours
    if isinstance(offset, Stated):
        if not is_derived(offset) and (offset.value in legal or not legal or is_from_camera(offset)):
            return (offset.value,), OffsetSource.CAMERA.value
        if offset.value in legal and offset.offset_source is OffsetSource.GPS_CLOCK:
            return (offset.value,), OffsetSource.GPS_CLOCK.value
    if not legal:
        return Absent.UNDERIVABLE
    usual = offsets_hours(claim.zones[0], local)
    lost = (offset.value,) if isinstance(offset, Stated) and not is_derived(offset) else ()
    return tuple(dict.fromkeys((*usual, *legal, *lost))), OffsetSource.PLACE.value


def is_from_camera(offset: Stated[float]) -> bool:
    """Return whether the device that took the photo wrote an offset."""
    return offset.offset_source is not None and offset.offset_source.is_from_camera


def is_derived(offset: Stated[float]) -> bool:
    """Return whether an offset was worked out instead of being stated by the file."""
    return offset.offset_source is not None and offset.offset_source.is_derived


def sun(claim: Claim) -> Sun | Absent:
    """Return where the sun stood at the claimed place and time; see :func:`suns`."""
    return suns([claim])[0]


def suns(claims: Sequence[Claim]) -> list[Sun | Absent]:
    """Return where the sun stood for each claim, all in one sweep.

    Without a position, a local time to the quarter of an hour and an offset (stated, or
    from the zone at the place) there is no sun: ``Absent`` says which. Where several
    offsets could apply, the elevation is that of the usual one and the range that of all.
    """
    asked = [_instants(claim) for claim in claims]
    rows = [(utc, place) for claim in asked if not isinstance(claim, Absent) for utc, place in claim[0]]
    if not rows:
        return [claim for claim in asked if isinstance(claim, Absent)]
    elevation, azimuth = sun_position(
        [unix_seconds(utc) for utc, _ in rows],
        [place.latitude_deg for _, place in rows],
        [place.longitude_deg for _, place in rows],
    )
    return _gather(asked, elevation, azimuth)


_Asked = tuple[list[tuple[datetime, Position]], str] | Absent


def _gather(asked: Sequence[_Asked], elevation: Floats, azimuth: Floats) -> list[Sun | Absent]:
    found: list[Sun | Absent] = []
    first = 0
    for claim in asked:
        if isinstance(claim, Absent):
            found.append(claim)
            continue
        instants, rule = claim
        of_this = elevation[first : first + len(instants)]
        found.append(
            Sun(
                elevation_deg=float(of_this[0]),
                azimuth_deg=float(azimuth[first]),
                utc_time=instants[0][0],
                offset_source=rule,
                elevation_range_deg=(float(of_this.min()), float(of_this.max())),
            )
        )
        first += len(instants)
    return found


def _instants(claim: Claim) -> _Asked:
    if not isinstance(claim.position, Stated):
        return claim.position
    if not isinstance(claim.local_time, Stated):
        return claim.local_time
    if _resolution_s(claim) > COARSEST_TIME_S:
        return Absent.UNDERIVABLE
    offsets = claimed_offset(claim)
    if isinstance(offsets, Absent):
        return offsets
    local = claim.local_time.value
    try:
        return [(local - timedelta(hours=hours), claim.position.value) for hours in offsets[0]], offsets[1]
    except OverflowError:  # the first or last day of the calendar
        return Absent.UNDERIVABLE


def _resolution_s(claim: Claim) -> float:
    if not isinstance(claim.local_time, Stated):
        return 0.0
    tag = claim.local_time.tag
    return min((reading.resolution_s for reading in claim.times if reading.tag == tag), default=0.0)
