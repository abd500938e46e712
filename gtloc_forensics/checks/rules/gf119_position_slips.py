"""GF119 — A position that fits after one simple slip is undone.

Shows: that the file's own clocks deny the claimed position and allow it once a sign is restored or latitude
and longitude are exchanged; or that the position lies in the open sea and its mirror image on land.

Cannot show: slips that stay within one zone (a lost latitude sign mostly does); the light and the
model speak to those.

Blind spots: a camera that keeps a foreign zone looks like a lost longitude sign now and then, unless the device's
photos before and after lie nearer to it; photos are
taken at sea.

Threshold: the offset must be stated, or follow from GPS time to within 60 s on the grid of civil offsets, and be legal
nowhere within 50 km of the claimed position. At sea, without such an offset, it stays a weak hint.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import (
    Context,
    check,
    circumstances,
    claim_of,
    consistent,
    findings,
    not_testable,
    offsets,
)
from gtloc_forensics.checks import position_slips as checks_position_slips
from gtloc_forensics.earth import zones
from gtloc_forensics.records import Claim, Confidence, Finding, Photo, Sentence, Severity, Stated, Statement, durations

BORDER_KM = 50.0


@check("GF119", title="A position that fits after one simple slip is undone", needs=("claim",), version="3")
def position_slips(photo: Photo, context: Context) -> Iterator[Finding]:
    """Try the usual slips against the offset that the clocks imply."""
    claim = claim_of(photo)
    if not isinstance(claim.position, Stated) or not claim.zones:
        yield not_testable("GF119", claim.source_id, Sentence("no position"))
        return
    known = _known_offset(claim)
    at_sea = all(zones.is_nautical(zone) for zone in claim.zones)
    if known is None and not at_sea:
        why = Sentence("no offset that would tell one place from its mirror image")
        yield not_testable("GF119", claim.source_id, why)
    elif known is not None and _legal_nearby(claim, known[0]):
        summary = Sentence("{offset_hours:civil} fits the claimed position.", offset_hours=known[0])
        yield consistent("GF119", claim.source_id, summary)
    elif circumstances.of(context, claim.source_id).is_amid_neighbours:
        summary = Sentence(
            "The device's photos before and after lie nearer to the claimed place than to any that a slip would spoil."
        )
        yield consistent("GF119", claim.source_id, summary)
    else:
        yield _try_slips(claim, known, at_sea=at_sea)


def _try_slips(claim: Claim, known: tuple[float, Statement] | None, *, at_sea: bool) -> Finding:
    repaired = checks_position_slips.on_land(claim) if known is None else checks_position_slips.fitting(claim, known[0])
    if not repaired or (known is not None and not offsets.is_civil(known[0])):
        summary = Sentence("No simple slip would make the position fit better.")
        return consistent("GF119", claim.source_id, summary)
    return findings.suspicious(
        "GF119",
        claim,
        _misplaced(claim, known, slip=repaired[0].values["slip"], at_sea=at_sea),
        kind="position",
        severity=Severity.LOW if known is None else Severity.MEDIUM,
        confidence=Confidence.WEAK,
        inferred=tuple(Sentence("Would fit: {repair}.", repair=repair) for repair in repaired),
        innocent=(
            Sentence("a ship or an aircraft") if at_sea else Sentence("the camera keeps the time of another zone"),
        ),
        facts={"repairs": len(repaired)},
    )


def _misplaced(claim: Claim, known: tuple[float, Statement] | None, *, slip: Sentence, at_sea: bool) -> Sentence:
    if known is None:
        return Sentence("The position lies in the open sea; it would fit after {slip}.", slip=slip)
    if at_sea:
        return Sentence(
            "The position lies in the open sea while {clock} gives {offset_hours:civil}; it would fit after {slip}.",
            clock=known[1],
            offset_hours=known[0],
            slip=slip,
        )
    return Sentence(
        "The position lies where {legal_hours:civil or} is legal while {clock} gives {offset_hours:civil}; "
        "it would fit after {slip}.",
        legal_hours=offsets.legal(claim),
        clock=known[1],
        offset_hours=known[0],
        slip=slip,
    )


def _known_offset(claim: Claim) -> tuple[float, Statement] | None:
    """Return the offset the clocks imply and what says so."""
    stated = offsets.stated(claim)
    if stated is not None:
        return stated.value, stated.tag
    gps = offsets.gps_instant(claim)
    if gps is None or not gps[1] or not isinstance(claim.local_time, Stated):
        return None
    slip = offsets.nearest_civil(durations.gap_seconds(claim.local_time.value, gps[0]))
    return (slip.offset_hours, Sentence("GPS time")) if slip and abs(slip.residual_s) <= offsets.AGREE_S else None


def _legal_nearby(claim: Claim, hours: float) -> bool:
    if hours in offsets.legal(claim) or hours in offsets.legal_in_year(claim):
        return True
    if not (isinstance(claim.position, Stated) and isinstance(claim.local_time, Stated)):
        return False
    nearby = zones.zones_near(claim.position.value, distance_km=BORDER_KM)
    return hours in zones.legal_offsets(nearby, claim.local_time.value)
