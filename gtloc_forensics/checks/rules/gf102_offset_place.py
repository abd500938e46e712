"""GF102 — The stated UTC offset against the zones of the claimed place.

Shows: that the offset written in the file is one that was legal at the claimed position
on that date, summer time and disputed zones included.

Cannot show: whether zone or position is the wrong one; anything for a file without a
stated offset (GF101 compares the clock with GPS time then).

Blind spots: places far apart in one zone, or sharing an offset, look alike; zone rules
before 1970 are incomplete; airlines and ships keep any time they like.

Threshold: none but equality. Excused are the offset of the other half of the year
(summer time not switched), a border within 50 km (telephones roam on the neighbour's
network), the open sea within 2 h of nautical time, and beyond 80° by any, a position that is an
old fix (GF101), aircraft by their speed or height, another zone's offset in a camera, not a
telephone (home zone kept), and any offset in XMP or IPTC, where programs write their computer's
zone, or +00:00 for none. A telephone whose GPS time confirms the instant is excused where the
place kept that offset in the ten years before (zone tables grow old), where it is an hour from
what the place keeps, where the device's other photos keep it on their way, and where it is no
civil offset but the difference of the two clocks, worked out by an app. A position that one
simple slip spoils is excused only where the device's photos before and after lie nearer to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import (
    Context,
    check,
    circumstances,
    claim_of,
    clock_patterns,
    consistent,
    findings,
    not_testable,
    offsets,
    position_slips,
)
from gtloc_forensics.checks.circumstances import Circumstance
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
    Sentence,
    Severity,
    Stated,
    durations,
)

BORDER_KM = 50.0
SHIP_HOURS = 2.0
POLAR_DEG = 80.0  # 15° of longitude are 290 km there
NEIGHBOUR_HOURS = 1.0
OLD_TABLES_YEARS = 10
APP_OFFSET_HOURS = 0.25  # an offset worked out from two clocks lies as near to the legal one

INNOCENT = (
    Sentence("the zone was set by hand"),
    Sentence("the device had not met a network since its journey"),
    Sentence("a device whose zone rules are out of date where a state had just changed them"),
)


HOME_ZONE = Sentence("a camera keeps its home zone until somebody changes it")
HOME_ZONE_CONFIRMED = Sentence(
    "a camera keeps its home zone until somebody changes it; the GPS clock confirms the instant"
)


@check("GF102", title="The stated UTC offset against the zones of the claimed place", needs=("claim",), version="5")
def offset_at_place(photo: Photo, context: Context) -> Iterator[Finding]:
    """Look the stated offset up among those legal at the place and date."""
    claim = claim_of(photo)
    offset = offsets.stated(claim)
    legal = offsets.legal(claim)
    if offset is None:
        yield not_testable("GF102", claim.source_id, Sentence("the file states no UTC offset"))
    elif not legal:
        yield not_testable("GF102", claim.source_id, Sentence("no position or no time to look a zone up for"))
    elif offset.value in legal:
        summary = Sentence(
            "The file states {offset_hours:civil}, which was legal at the place ({zone}).",
            offset_hours=offset.value,
            zone=claim.zones[0],
        )
        yield consistent("GF102", claim.source_id, summary)
    else:
        yield _judge(claim, offset, legal, circumstances.of(context, claim.source_id))


def _judge(claim: Claim, offset: Stated[float], legal: tuple[float, ...], others: Circumstance) -> Finding:
    hours = offset.value
    if not claims.is_from_camera(offset):
        why = Sentence("a program wrote it, from its computer's zone or for want of any")
        return _explained(claim, offset, legal, "program-zone", why)
    if hours in offsets.legal_in_year(claim) and not devices.is_phone(claim.device):
        why = Sentence("the place keeps it at another time of the year (summer time)")
        return _explained(claim, offset, legal, "dst", why)
    if hours in _near_border(claim):
        why = Sentence("a zone border is within {border_km:.0f} km", border_km=BORDER_KM)
        return _explained(claim, offset, legal, "zone", why)
    if all(zones.is_nautical(zone) for zone in claim.zones):
        if min(abs(hours - offset_hours) for offset_hours in legal) <= SHIP_HOURS:
            return _explained(claim, offset, legal, "zone", Sentence("at sea a ship keeps the time it likes"))
        if offsets.is_civil(hours) and _is_polar(claim) and not position_slips.fitting(claim, hours):
            why = Sentence("so near the pole a day's sail crosses several zones, and a ship keeps the time it likes")
            return _explained(claim, offset, legal, "zone", why)
    if offsets.is_civil(hours) and devices.is_flying(claim):
        why = Sentence("in the air a device keeps the time of its departure")
        return _explained(claim, offset, legal, "aircraft", why)
    if offsets.is_civil(hours) and not devices.is_phone(claim.device):
        confirmed = _gps_confirms(claim, hours)
        return _explained(claim, offset, legal, "zone", HOME_ZONE_CONFIRMED if confirmed else HOME_ZONE)
    if offsets.is_civil(hours) and (age_s := _age_of_fix_s(claim, others)) is not None:
        why = Sentence("the position is {age_s:spoken} older than the photo, as its GPS time tells", age_s=age_s)
        return _explained(claim, offset, legal, "stale-fix", why)
    if (excuse := _confirmed_excuse(claim, hours, legal, others)) is not None:
        return _explained(claim, offset, legal, *excuse)
    return _suspicious(claim, offset, legal)


def _confirmed_excuse(
    claim: Claim, hours: float, legal: tuple[float, ...], others: Circumstance
) -> tuple[str, Sentence] | None:
    """Return why a telephone keeps a foreign offset while its GPS time confirms the instant; None without a reason."""
    if others.gps_fault is not None or not _gps_confirms(claim, hours):
        return None
    if position_slips.fitting(claim, hours) and not others.is_amid_neighbours:
        return None
    away_hours = min(abs(hours - kept) for kept in legal)
    if not offsets.is_civil(hours):
        if away_hours > APP_OFFSET_HOURS:
            return None
        return "program-zone", Sentence(
            "a program worked it out as the difference of two clocks, and its GPS time confirms the instant"
        )
    if hours in offsets.legal_in_year(claim):
        return "zone", Sentence("the place kept it at another time of that year, and its GPS time confirms the instant")
    if _was_legal(claim, hours):
        return "zone", Sentence(
            "the place kept it in earlier years, as a device with old zone rules does, "
            "and its GPS time confirms the instant"
        )
    if others.keeping_offset:
        return "zone", Sentence(
            "{photos} photos of the device keep it on their way, and its GPS time confirms the instant each time",
            photos=others.keeping_offset,
        )
    if away_hours <= NEIGHBOUR_HOURS:
        return "zone", Sentence(
            "that is a neighbour's hour, or another rule for summer time, and its GPS time confirms the instant"
        )
    return None


def _is_polar(claim: Claim) -> bool:
    return isinstance(claim.position, Stated) and abs(claim.position.value.latitude_deg) >= POLAR_DEG


def _age_of_fix_s(claim: Claim, others: Circumstance) -> float | None:
    """Return by how much the position is older than the photo where GF101 tells an old fix; None where it does not.

    The age must follow from the written offset: where it is younger by that of the place, nothing speaks for the other.
    """
    compared = offsets.compare(claim)
    if isinstance(compared, str) or compared.slip is None or compared.slip.offset_hours != compared.stated_hours:
        return None
    is_old = compared.residual_s > 0.0 and clock_patterns.read(compared, others).kind == "stale-fix"
    return compared.residual_s if is_old else None


def _was_legal(claim: Claim, hours: float) -> bool:
    """Whether the place kept the offset at some time of the ten years before, as old zone tables still tell."""
    if not isinstance(claim.local_time, Stated):
        return False
    year = claim.local_time.value.year
    return any(
        hours in zones.offsets_of_year(zone, earlier)
        for zone in claim.zones
        for earlier in range(year - OLD_TABLES_YEARS, year)
    )


def _near_border(claim: Claim) -> tuple[float, ...]:
    if not (isinstance(claim.position, Stated) and isinstance(claim.local_time, Stated)):
        return ()
    nearby = zones.zones_near(claim.position.value, distance_km=BORDER_KM)
    if not all(zones.is_nautical(zone) for zone in claim.zones):
        nearby = tuple(zone for zone in nearby if not zones.is_nautical(zone))  # no network reaches in from the sea
    return zones.legal_offsets(nearby, claim.local_time.value)


def _gps_confirms(claim: Claim, hours: float) -> bool:
    gps = offsets.gps_instant(claim)
    if gps is None or not isinstance(claim.local_time, Stated):
        return False
    residual_s = durations.gap_seconds(claim.local_time.value, gps[0]) - 3600.0 * hours
    return abs(residual_s) <= offsets.SLOW_CLOCK_S


def _explained(claim: Claim, offset: Stated[float], legal: tuple[float, ...], kind: str, why: Sentence) -> Finding:
    summary = Sentence(
        "The file states {offset_hours:civil}, not {legal_hours:civil or} as at the claimed place; {reason}.",
        offset_hours=offset.value,
        legal_hours=legal,
        reason=why,
    )
    return _finding(claim, offset, legal, summary, outcome=Outcome.EXPLAINED, severity=Severity.LOW, kind=kind)


def _suspicious(claim: Claim, offset: Stated[float], legal: tuple[float, ...]) -> Finding:
    summary = Sentence(
        "The file states {offset_hours:civil}, but at the claimed place {legal_hours:civil or} was legal.",
        offset_hours=offset.value,
        legal_hours=legal,
    )
    if not offsets.is_civil(offset.value):
        summary = Sentence("{said} {more}", said=summary, more=Sentence("No civil clock keeps that offset."))
    if (heard := _heard_from_gps(claim, offset.value, legal)) is not None:
        summary = Sentence("{said} {more}", said=summary, more=heard)
    return _finding(claim, offset, legal, summary, outcome=Outcome.SUSPICIOUS, severity=Severity.MEDIUM, kind="zone")


def _heard_from_gps(claim: Claim, hours: float, legal: tuple[float, ...]) -> Sentence | None:
    """Return what the file's GPS time says of the two, None where it was not compared or agrees with neither."""
    if _gps_confirms(claim, hours):
        return Sentence(
            "With its GPS time the stated offset agrees, so that either the place or the zone kept is another."
        )
    if any(_gps_confirms(claim, kept) for kept in legal):
        return Sentence("Clock, GPS time and place agree without it: only the written offset differs.")
    return None


def _finding(
    claim: Claim,
    offset: Stated[float],
    legal: tuple[float, ...],
    summary: Sentence,
    *,
    outcome: Outcome,
    severity: Severity,
    kind: str,
) -> Finding:
    suspicious = outcome is Outcome.SUSPICIOUS
    repairs = position_slips.fitting(claim, offset.value) if suspicious else ()
    off_by = min((offset.value - offset_hours for offset_hours in legal), key=abs)
    known = kind in ("zone", "dst") and not repairs
    return Finding(
        check_id="GF102",
        source_ids=(claim.source_id,),
        outcome=outcome,
        severity=severity,
        confidence=Confidence.STRONG,
        summary=summary,
        observed=(findings.entry(offset.tag, offset.raw),),
        derived=(Sentence("Zones at the claimed place: {zones}.", zones=claim.zones),),
        inferred=tuple(Sentence("The offset would fit {repair}.", repair=repair) for repair in repairs),
        limitations=(Sentence("Zone rules: {version}.", version=zones.tzdata_version()),),
        innocent=INNOCENT if suspicious else (),
        facts={"offset_hours": offset.value, "legal_hours": ", ".join(f"{offset_hours:g}" for offset_hours in legal)},
        cause=Cause(
            CauseKind.POSITION if repairs else CauseKind(kind),
            claim.device.key if known or repairs else "",
            off_by if known else None,
            findings.file_cause(kind) or summary,
        ),
    )
