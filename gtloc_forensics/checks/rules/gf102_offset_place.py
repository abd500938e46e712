"""GF102 — The stated UTC offset against the zones of the claimed place.

Shows: that the offset written in the file is one that was legal at the claimed position
on that date, summer time and disputed zones included.

Cannot show: whether zone or position is the wrong one; anything for a file without a
stated offset (GF101 compares the clock with GPS time then).

Blind spots: places far apart in one zone, or sharing an offset, look alike; zone rules
before 1970 are incomplete; airlines and ships keep any time they like.

Threshold: none but equality. Excused are the offset of the other half of the year
(summer time not switched), a border within 50 km (telephones roam on the neighbour's
network), the open sea within 2 h of nautical time, aircraft by their speed or height, another
zone's offset in a camera, not a telephone (home zone kept), and any offset in XMP or IPTC,
where programs write their computer's zone, or +00:00 for none. A telephone takes zone and
time from the network: where its GPS clock confirms both, the position is the odd one out.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable, offsets, position_slips
from gtloc_forensics.checks.reference import devices
from gtloc_forensics.earth import claims, zones
from gtloc_forensics.records import (
    Cause,
    CauseKind,
    Claim,
    Confidence,
    Finding,
    Outcome,
    Photo,
    Severity,
    Stated,
    durations,
)

BORDER_KM = 50.0
SHIP_HOURS = 2.0

INNOCENT = (
    "the zone was set by hand",
    "the device had not met a network since its journey",
    "a device whose zone rules are out of date where a state had just changed them",
)


@check("GF102", title="The stated UTC offset against the zones of the claimed place", needs=("claim",))
def offset_at_place(photo: Photo, context: Context) -> Iterator[Finding]:
    """Look the stated offset up among those legal at the place and date."""
    claim = claim_of(photo)
    offset = offsets.stated(claim)
    legal = offsets.legal(claim)
    if offset is None:
        yield not_testable("GF102", claim.source_id, "the file states no UTC offset")
    elif not legal:
        yield not_testable("GF102", claim.source_id, "no position or no time to look a zone up for")
    elif offset.value in legal:
        yield consistent("GF102", claim.source_id, f"{_said(offset)} was legal at the place ({claim.zones[0]}).")
    else:
        yield _judge(claim, offset, legal)


def _judge(claim: Claim, offset: Stated[float], legal: tuple[float, ...]) -> Finding:
    hours = offset.value
    if not claims.is_from_camera(offset):
        return _explained(
            claim, offset, legal, "program-zone", "a program wrote it, from its computer's zone or for want of any"
        )
    if hours in offsets.legal_in_year(claim) and not devices.is_phone(claim.device):
        return _explained(claim, offset, legal, "dst", "the place keeps it at another time of the year (summer time)")
    if hours in _near_border(claim):
        return _explained(claim, offset, legal, "zone", f"a zone border is within {BORDER_KM:.0f} km")
    if all(zones.is_nautical(zone) for zone in claim.zones) and min(abs(hours - one) for one in legal) <= SHIP_HOURS:
        return _explained(claim, offset, legal, "zone", "at sea a ship keeps the time it likes")
    if offsets.is_civil(hours) and devices.is_flying(claim):
        return _explained(claim, offset, legal, "aircraft", "in the air a device keeps the time of its departure")
    if offsets.is_civil(hours) and not devices.is_phone(claim.device):
        confirmed = "; the GPS clock confirms the instant" if _gps_confirms(claim, hours) else ""
        why = f"a camera keeps its home zone until somebody changes it{confirmed}"
        return _explained(claim, offset, legal, "zone", why)
    return _suspicious(claim, offset, legal)


def _near_border(claim: Claim) -> tuple[float, ...]:
    if not (isinstance(claim.position, Stated) and isinstance(claim.local_time, Stated)):
        return ()
    return zones.legal_offsets(zones.zones_near(claim.position.value, distance_km=BORDER_KM), claim.local_time.value)


def _gps_confirms(claim: Claim, hours: float) -> bool:
    gps = offsets.gps_instant(claim)
    if gps is None or not isinstance(claim.local_time, Stated):
        return False
    residual_s = durations.gap_seconds(claim.local_time.value, gps[0]) - 3600.0 * hours
    return abs(residual_s) <= offsets.SLOW_CLOCK_S


def _explained(claim: Claim, offset: Stated[float], legal: tuple[float, ...], kind: str, why: str) -> Finding:
    summary = f"{_said(offset)}, not {durations.civil_offsets(legal)} as at the claimed place; {why}."
    return _finding(claim, offset, legal, summary, outcome=Outcome.EXPLAINED, severity=Severity.LOW, kind=kind)


def _suspicious(claim: Claim, offset: Stated[float], legal: tuple[float, ...]) -> Finding:
    known = "" if offsets.is_civil(offset.value) else " No civil clock keeps that offset."
    odd = (
        " Its GPS clock confirms it, so the position is the odd one out." if _gps_confirms(claim, offset.value) else ""
    )
    summary = f"{_said(offset)}, but at the claimed place {durations.civil_offsets(legal)} was legal.{known}{odd}"
    return _finding(claim, offset, legal, summary, outcome=Outcome.SUSPICIOUS, severity=Severity.MEDIUM, kind="zone")


def _finding(
    claim: Claim,
    offset: Stated[float],
    legal: tuple[float, ...],
    summary: str,
    *,
    outcome: Outcome,
    severity: Severity,
    kind: str,
) -> Finding:
    suspicious = outcome is Outcome.SUSPICIOUS
    repairs = position_slips.fitting(claim, offset.value) if suspicious else ()
    off_by = min((offset.value - one for one in legal), key=abs)
    known = kind in ("zone", "dst") and not repairs
    return Finding(
        check_id="GF102",
        source_ids=(claim.source_id,),
        outcome=outcome,
        severity=severity,
        confidence=Confidence.STRONG,
        summary=summary,
        observed=(f"{offset.tag}: {offset.raw}.",),
        derived=(f"Zones at the claimed place: {', '.join(claim.zones)}.",),
        inferred=tuple(f"The offset would fit {repair}." for repair in repairs),
        limitations=(f"Zone rules: {zones.tzdata_version()}.",),
        innocent=INNOCENT if suspicious else (),
        facts={"offset_hours": offset.value, "legal_hours": ", ".join(f"{one:g}" for one in legal)},
        cause=Cause(
            CauseKind.POSITION if repairs else CauseKind(kind),
            claim.device.key if known or repairs else "",
            off_by if known else None,
            findings.FILE_CAUSES.get(kind, summary),
        ),
    )


def _said(offset: Stated[float]) -> str:
    return f"The file states {durations.civil_offset(offset.value)}"
