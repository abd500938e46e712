"""Positions that a common slip makes out of the true one: a lost sign, a swap, minutes read as decimals."""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.earth import land, zones
from gtloc_forensics.records import Claim, Position, Sentence, Stated

SAME_PLACE_DEG = 0.01


def repairs(position: Position) -> Iterator[tuple[Sentence, Position]]:
    """Yield what the true position may have been, each with the slip that would have spoilt it."""
    latitude, longitude = position.latitude_deg, position.longitude_deg
    if abs(longitude) > SAME_PLACE_DEG:
        yield Sentence("the other sign of the longitude (E/W lost)"), Position(latitude, -longitude)
    if abs(latitude) > SAME_PLACE_DEG:
        yield Sentence("the other sign of the latitude (N/S lost)"), Position(-latitude, longitude)
    if abs(longitude) > SAME_PLACE_DEG and abs(latitude) > SAME_PLACE_DEG:
        yield Sentence("the other sign of both"), Position(-latitude, -longitude)
    if abs(longitude) <= 90.0 and abs(latitude - longitude) > SAME_PLACE_DEG:
        yield Sentence("latitude and longitude swapped"), Position(longitude, latitude)


def fitting(claim: Claim, offset_hours: float) -> tuple[Sentence, ...]:
    """Return the slips after whose repair *offset_hours* is legal on land at the repaired position."""
    return tuple(_told(slip, place) for slip, place in _fitting(claim, offset_hours))


def places(claim: Claim, offset_hours: float) -> tuple[Position, ...]:
    """Return the repaired positions, on land, at which *offset_hours* is legal."""
    return tuple(place for _, place in _fitting(claim, offset_hours))


def _fitting(claim: Claim, offset_hours: float) -> Iterator[tuple[Sentence, Position]]:
    if not (isinstance(claim.position, Stated) and isinstance(claim.local_time, Stated)):
        return
    local = claim.local_time.value
    for slip, place in repairs(claim.position.value):
        found = zones.zones_at(place)
        if not zones.is_nautical(found[0]) and offset_hours in zones.legal_offsets(found, local):
            yield slip, place


def on_land(claim: Claim) -> tuple[Sentence, ...]:
    """Return the slips whose repair brings a position from the open sea to land."""
    if not isinstance(claim.position, Stated):
        return ()
    return tuple(
        _told(slip, place)
        for slip, place in repairs(claim.position.value)
        if bool(land.is_land(place.latitude_deg, place.longitude_deg))
    )


def _told(slip: Sentence, place: Position) -> Sentence:
    return Sentence("{slip}: {place:.4f}", slip=slip, place=(place.latitude_deg, place.longitude_deg))
