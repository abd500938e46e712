"""GF404 — Impossible travel between two photos.

Shows: that one device would have had to move faster than anything that carries people.

Cannot show: whether time or place is wrong. When a clock is wrong, both ends of the stretch
photographed with it break; when one position is wrong, the photos round it agree.

Blind spots: two devices of one model without a serial number look like one; positions added
at home; a stale fix.

Threshold: 1,200 km/h, which no airliner reaches over ground, is a contradiction from 50 km
on. From 300 km/h it is suspicious below 150 km, where no one flies, and explained as
a flight beyond, or where several photos in a row make one; and at any length where the receiver
itself tells such a speed or a height. Where no serial number names the device, two owners explain it if
numbers, software or zones speak for two devices; once they do, neither is said to have flown to the other.
A position whose GPS time tells an old fix is of another moment, and is left out.
Claimed errors are taken off the distance, the time's resolution and a minute are added to the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from gtloc_forensics.checks import Context, Scope, check, owners, pairs
from gtloc_forensics.checks.reference import devices
from gtloc_forensics.records import (
    DeviceGroup,
    Finding,
    GpsFault,
    Outcome,
    PhotoSummary,
    Sentence,
    Severity,
    Statement,
    template,
)

FAST_KM_H = 300.0
IMPOSSIBLE_KM_H = 1_200.0
SHORTEST_KM = 10.0  # nearer than this, a poor fix explains it
SHORTEST_IMPOSSIBLE_KM = 50.0
SHORTEST_FLIGHT_KM = 150.0
GRACE_S = 60.0
DEFAULT_ERROR_KM = 0.5
OLDEST_FIX = timedelta(hours=6)  # as rule GF101 tells it of one photo
ROUGHLY = 1.3  # a stretch is never faster than the fastest moment in it, but the receiver tells two moments only

_FAST = template(
    "{distance_km:.0f} km in the time claimed between two photos of one device: at least {speed_km_h:.0f} km/h."
)
_TOLD_BY_RECEIVER = template(
    "{distance_km:.0f} km in the time claimed between two photos of one device: at least {speed_km_h:.0f} km/h, "
    "as its receiver tells."
)
_TOLD_BY_HEIGHT = template(
    "{distance_km:.0f} km in the time claimed between two photos of one device: at least {speed_km_h:.0f} km/h, "
    "at a height where only aircraft are."
)
_FLOWN = template(
    "{distance_km:.0f} km in the time claimed between two photos of one device: at least {speed_km_h:.0f} km/h, "
    "as in an airliner."
)
_TWO_DEVICES = template(
    "{distance_km:.0f} km in the time claimed between two photos of one device: at least {speed_km_h:.0f} km/h: "
    "two devices of one model, as {why}."
)


@check("GF404", title="Impossible travel", scope=Scope.DEVICE, version="4")
def travel(group: DeviceGroup, context: Context) -> Iterator[Finding]:
    """Work out the speed between consecutive photos of one device."""
    placed = [
        photo
        for photo in pairs.in_order(group.summaries)
        if photo.latitude_deg is not None and not _is_of_old_fix(photo)
    ]
    if len(placed) < 2:
        why = Sentence("no two photos of the device with time and place")
        yield from pairs.silent("GF404", group.summaries, why)
        return
    concerned: list[PhotoSummary] = []
    flown = _flights(placed)
    are_two = _are_two_devices(group, placed)
    for number, (earlier, later) in enumerate(pairwise(placed)):
        found = _judge(group, _culprit(placed, number), earlier, later, is_leg=number in flown, are_two=are_two)
        if found is not None:
            yield found
            concerned += [earlier, later]
    fine = pairs.rest(placed, concerned)
    yield from pairs.passed("GF404", fine, Sentence("Reachable from the photos before and after."))
    yield from pairs.silent("GF404", pairs.rest(group.summaries, placed), Sentence("no time or no place of its own"))


def _is_of_old_fix(photo: PhotoSummary) -> bool:
    """Whether the position is that of an earlier moment, as its GPS time tells: the device had moved on since."""
    if photo.gps_fault in (GpsFault.OLD_FIX, GpsFault.REPEATED):
        return True
    if photo.gps_fault is not GpsFault.NOT_OF_CAPTURE or photo.utc_time is None or photo.gps_utc_time is None:
        return False
    return timedelta(0) < photo.utc_time - photo.gps_utc_time <= OLDEST_FIX


def speed_km_h(earlier: PhotoSummary, later: PhotoSummary) -> tuple[float, float] | None:
    """Return the least speed between two photos in km/h and the least distance in km, None where not known."""
    seconds, km = pairs.apart_s(later, earlier), pairs.apart_km(later, earlier)
    if seconds is None or km is None:
        return None
    errors = sum(
        DEFAULT_ERROR_KM if photo.position_error_m is None else photo.position_error_m / 1000.0
        for photo in (earlier, later)
    )
    least_km = max(0.0, km - errors)
    most_s = abs(seconds) + GRACE_S + earlier.local_resolution_s + later.local_resolution_s
    return 3600.0 * least_km / most_s, least_km


def _flights(placed: Sequence[PhotoSummary]) -> set[int]:
    """Return the numbers of the stretches that follow each other at flying speed and together are long enough."""
    flown: set[int] = set()
    legs: list[int] = []
    for number in range(len(placed)):
        known = speed_km_h(placed[number], placed[number + 1]) if number + 1 < len(placed) else None
        if known is not None and FAST_KM_H <= known[0] < IMPOSSIBLE_KM_H:
            legs.append(number)
            continue
        if len(legs) > 1 and (pairs.apart_km(placed[legs[0]], placed[legs[-1] + 1]) or 0.0) >= SHORTEST_FLIGHT_KM:
            flown |= set(legs)
        legs = []
    return flown


def _is_told_by_receiver(speed: float, earlier: PhotoSummary, later: PhotoSummary) -> bool:
    """Whether the receiver tells such a speed."""
    return any(told * ROUGHLY >= speed for photo in (earlier, later) if (told := photo.speed_km_h) is not None)


def _is_told_by_height(speed: float, earlier: PhotoSummary, later: PhotoSummary) -> bool:
    """Whether the receiver tells a height at which only aircraft are, and aircraft are as fast."""
    heights = [told for photo in (earlier, later) if (told := photo.altitude_m) is not None]
    return speed < IMPOSSIBLE_KM_H and any(told > devices.FLYING_M for told in heights)


def _are_two_devices(group: DeviceGroup, placed: Sequence[PhotoSummary]) -> bool:
    """Whether a stretch that nothing could travel shows the group to be two devices of one model."""
    for earlier, later in pairwise(placed):
        known = speed_km_h(earlier, later)
        is_impossible = known is not None and known[0] >= IMPOSSIBLE_KM_H and known[1] >= SHORTEST_IMPOSSIBLE_KM
        if is_impossible and owners.two_devices(group, earlier, later):
            return True
    return False


def _culprit(placed: Sequence[PhotoSummary], number: int) -> int:
    """Return which end of a broken pair is the odd one: the one whose other neighbour is unreachable as well."""
    if number + 2 < len(placed) and _is_fast(placed[number + 1], placed[number + 2]):
        return 1
    return 0 if number and _is_fast(placed[number - 1], placed[number]) else 1


def _is_fast(earlier: PhotoSummary, later: PhotoSummary) -> bool:
    known = speed_km_h(earlier, later)
    return known is not None and known[0] >= FAST_KM_H and known[1] >= SHORTEST_KM


def _judge(
    group: DeviceGroup, culprit: int, earlier: PhotoSummary, later: PhotoSummary, *, is_leg: bool, are_two: bool
) -> Finding | None:
    known = speed_km_h(earlier, later)
    if known is None or known[0] < FAST_KM_H or known[1] < SHORTEST_KM:
        return None
    speed, km = known
    is_impossible = speed >= IMPOSSIBLE_KM_H and km >= SHORTEST_IMPOSSIBLE_KM
    outcome, confidence = pairs.verdict(group.doubt, Outcome.CONTRADICTION if is_impossible else Outcome.SUSPICIOUS)
    is_flight = is_leg or (km >= SHORTEST_FLIGHT_KM and speed < IMPOSSIBLE_KM_H)
    kind, said, why = _reading(group, earlier, later, speed=speed, is_flight=is_flight, are_two=are_two)
    is_explained = kind != "travel"
    pair = (later, earlier) if culprit else (earlier, later)
    return pairs.about(
        "GF404",
        pair,
        Sentence(said, distance_km=km, speed_km_h=speed, **why),
        outcome=Outcome.EXPLAINED if is_explained else outcome,
        kind=kind,
        device_key=group.device_key,
        severity=Severity.LOW if is_explained else Severity.HIGH if is_impossible else Severity.MEDIUM,
        confidence=confidence,
        innocent=(owners.taken_for_one(group) if group.doubt else Sentence("a stale or hand-set position"),),
        limitations=(Sentence("It does not tell whether the time or the place is wrong."),),
        facts={"speed_km_h": speed, "distance_km": km},
    )


def _reading(
    group: DeviceGroup, earlier: PhotoSummary, later: PhotoSummary, *, speed: float, is_flight: bool, are_two: bool
) -> tuple[str, str, dict[str, Statement]]:
    """Return the kind of cause, the template of what is said, and what else stands in it."""
    if _is_told_by_receiver(speed, earlier, later):
        return "flight", _TOLD_BY_RECEIVER, {}
    if _is_told_by_height(speed, earlier, later):
        return "flight", _TOLD_BY_HEIGHT, {}
    if are_two and (why := owners.two_devices(group, earlier, later)):
        return "two-devices", _TWO_DEVICES, {"why": why}
    if is_flight:
        return "flight", _FLOWN, {}
    if why := owners.two_devices(group, earlier, later):
        return "two-devices", _TWO_DEVICES, {"why": why}
    return "travel", _FAST, {}
