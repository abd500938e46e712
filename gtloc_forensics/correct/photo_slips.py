"""What one photo's own witnesses agree on: a zone that alone is wrong, a sign that was lost, coordinates exchanged."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta

from gtloc_forensics.correct import changes as lines
from gtloc_forensics.correct import repairs
from gtloc_forensics.correct.camera_clocks import CLOCK_CAUSES
from gtloc_forensics.correct.changes import Change, Quantity
from gtloc_forensics.correct.draft import SETTLE, TWO_GROUNDS, Draft, counted
from gtloc_forensics.correct.repairs import GpsRepair, Subject
from gtloc_forensics.correct.witnesses import CONFIRMED_S, is_a_time, states_the_instant, true_locals
from gtloc_forensics.earth import globe, zones
from gtloc_forensics.records import UNKNOWN_DEVICE, Finding, Position

PLACE_CAUSES = ("position", "travel")
NEAR_KM, FAR_KM = 100.0, 500.0
NEIGHBOUR_GAP = timedelta(days=1)
RESET = "the clock had been reset and nothing tells the true time; add a line if you know it"


def judge(photo: Subject, findings: Sequence[Finding], photos: Sequence[Subject], draft: Draft) -> None:
    """Propose what its own witnesses agree on, else say why nothing is proposed."""
    place = repairs.exchanged(photo.coordinates) if photo.position is None else None
    if place is not None:
        _exchanged(photo, place, draft)
        return
    found = [finding for finding in findings if finding.is_found]
    kinds = {finding.cause.kind for finding in found if finding.cause is not None}
    if not found:
        _explained(photo, findings, draft)
        return
    zone = _zone_line(photo) if not kinds & {*PLACE_CAUSES} else []
    back = _back_in_place(photo, found, photos)
    if zone:
        draft.add(photo, zone)
    elif back is not None:
        draft.add(photo, repairs.position_lines(photo, back[0], back[1], TWO_GROUNDS))
    elif why := _why_not(photo, found, kinds):
        draft.leave(photo, why)


def _exchanged(photo: Subject, place: Position, draft: Draft) -> None:
    if _fits(photo, place):
        why = "latitude and longitude are exchanged: no latitude exceeds 90°, and the file's own clocks fit the place"
        draft.add(photo, repairs.position_lines(photo, place, why, TWO_GROUNDS))
    else:
        draft.leave(photo, "its latitude exceeds 90°, which no place has; --gps swap exchanges it with the longitude")


def _fits(photo: Subject, place: Position | None) -> bool:
    """Return whether the offset that the file states, or that its GPS time implies, is legal at *place*."""
    if photo.local is None or place is None:
        return False
    offset = photo.written_offset
    if offset is None and photo.gps_utc is not None:
        apart_hours = (photo.local - photo.gps_utc).total_seconds() / 3600.0
        offset = round(apart_hours * 4.0) / 4.0
    legal = zones.legal_offsets(zones.zones_at(place), photo.local.replace(microsecond=0))
    return offset is not None and offset in legal


def _zone_line(photo: Subject) -> list[Change]:
    """Return the offset to write where clock, GPS time and place agree and only the written offset does not."""
    if photo.local is None or photo.gps_utc is None or photo.written_offset is None:
        return []
    if states_the_instant(photo) or not is_a_time(photo.gps_utc):
        return []
    true = [local for local in true_locals(photo) if abs((photo.local - local).total_seconds()) <= CONFIRMED_S]
    if len(true) != 1:
        return []
    hours = (true[0] - photo.gps_utc).total_seconds() / 3600.0
    old, new = lines.write_offset(photo.written_offset), lines.write_offset(hours)
    why = "clock, GPS time and place agree on this offset from UTC; only the one that is written does not"
    return [photo.line(Quantity.OFFSET, old, new, why, TWO_GROUNDS)]


def _back_in_place(photo: Subject, found: Sequence[Finding], photos: Sequence[Subject]) -> tuple[Position, str] | None:
    """Return the position without its slip, where what was found calls for one and the photos round it were there."""
    if photo.position is None or not any(f.cause is not None and f.cause.kind in PLACE_CAUSES for f in found):
        return None
    near = _neighbours(photo, photos)
    if not near or any(globe.apart_km(photo.position, place) < FAR_KM for place in near):
        return None
    fitting = [
        (place, slip)
        for slip in GpsRepair
        if (place := repairs.repaired(photo.position, slip)) is not None
        and all(globe.apart_km(place, other) <= NEAR_KM for other in near)
        and (photo.written_offset is None or _fits(photo, place))
    ]
    if len(fitting) != 1:
        return None
    place, slip = fitting[0]
    return place, f"{slip.value}: without that it lies with the {counted(len(near), 'photo')} of that day"


def _neighbours(photo: Subject, photos: Sequence[Subject]) -> list[Position]:
    """Return where others were within a day of a photo, by their instants, else by the clocks of one camera.

    Where the camera itself took some of them, the others are not asked: they may be another person's.
    """
    own: list[Position] = []
    others: list[Position] = []
    for other in photos:
        if other.relative == photo.relative or other.position is None:
            continue
        one, two = photo.utc, other.utc
        if (one is None or two is None) and other.device_key == photo.device_key != UNKNOWN_DEVICE:
            one, two = photo.local, other.local
        if one is not None and two is not None and abs(one - two) <= NEIGHBOUR_GAP:
            is_own = other.device_key == photo.device_key != UNKNOWN_DEVICE
            (own if is_own else others).append(other.position)
    return own or others


def _why_not(photo: Subject, found: Sequence[Finding], kinds: AbstractSet[str]) -> str:
    """Return why a photo with findings gets no line, and what would settle it; "" where no correction is meant."""
    if states_the_instant(photo) and kinds & {*CLOCK_CAUSES, *PLACE_CAUSES}:
        confirmed = "its GPS clock confirms the instant that the file states, so no time is moved"
        if kinds & {"zone", *PLACE_CAUSES} or not _fits(photo, photo.position):
            return f"{confirmed}; its position or its zone is in doubt: --gps, --track or --neighbours set a position"
        return confirmed
    if kinds & {*PLACE_CAUSES} and kinds & {*CLOCK_CAUSES, "edit", "clock-reset"}:
        rules = ", ".join(sorted({finding.check_id for finding in found}))
        return f"{rules} mean different causes, a time and a position; decide by hand"
    if "clock-reset" in kinds:
        return RESET
    if kinds & {"clock-offset", "dst"}:
        return (
            "its time is in doubt, but a single file does not tell by how much: a GPS time may be an old fix or come "
            f"from elsewhere. {SETTLE}"
        )
    if "zone" in kinds:
        return "its zone and its position deny each other, and nothing in it tells which is right; --zone or --gps"
    if kinds & {*PLACE_CAUSES}:
        return (
            "its position is in doubt, and nothing in it tells where it was taken; "
            "--gps, --track or --neighbours repair one"
        )
    return ""


def _explained(photo: Subject, findings: Sequence[Finding], draft: Draft) -> None:
    kinds = {finding.cause.kind for finding in findings if finding.cause is not None}
    if "clock-reset" in kinds:
        draft.leave(photo, RESET)
    elif kinds & {"zone", "dst"} and photo.position is None:
        draft.leave(photo, "its clock was set to another zone, which is explained and stays; --zone ZONE names it")
    elif kinds & {"zone", "dst"}:
        draft.leave(
            photo,
            "its clock keeps another zone than its place, which is explained and stays; --zone ZONE --keep-instant "
            "shows the same instant in another",
        )
    elif kinds & {"day-bug", "week-rollover", "gps-local-time", "stale-fix"}:
        draft.leave(photo, "the fault lies in its GPS time, which is explained and stays; no clock is moved")
