"""GF201 — The light of day in the exposure, night at the claimed place and time.

Shows: that the frame was exposed for an amount of light that no night has. EV100 12 is
10,000 lux; civil twilight ends at 3 lux, the full moon gives 0.3.

Cannot show: anything about dark frames: a room, a filter or deep shade makes any exposure
at any hour. How likely an exposure is under a given sun is another rule's question.

Blind spots: flash frames are left out; stadium and stage light, welding, a lamp or the moon
filling the frame are bright at night; a manual exposure measures nothing.

Threshold: EV100 ≥ 12 with the sun below −6°, after the most favourable of all offsets that
could apply. Of 83 night frames confirmed by GPS time (sun below −6°, no flash) the brightest
was EV100 9.0. From EV100 14 and below −12° the rule calls it a contradiction, unless a long
lens (the moon) or a manual exposure leaves a doubt.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from gtloc_forensics.checks import Context, check, claim_of, consistent, not_testable, offsets, position_slips
from gtloc_forensics.earth import globe
from gtloc_forensics.earth import sun as earth_sun
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import (
    Absent,
    Cause,
    CauseKind,
    Claim,
    Confidence,
    Finding,
    Outcome,
    Photo,
    Severity,
    Stated,
    Sun,
)

DAYLIGHT_EV100 = 12.0
BRIGHT_EV100 = 14.0
# The sunlit moon needs the exposure of daylight; it fills enough of the frame to be metered from here on.
LONG_LENS_MM = 200.0
MANUAL = 1  # EXIF ExposureProgram and ExposureMode


@check("GF201", title="Exposed for daylight in the night", needs=("claim", "sun"))
def light_at_night(photo: Photo, context: Context) -> Iterator[Finding]:
    """Find exposures that no natural light of the claimed hour allows."""
    claim, sun = claim_of(photo), photo.sun
    ev100 = claim.exposure.ev100
    if not isinstance(sun, Sun):
        yield not_testable("GF201", claim.source_id, f"no sun position, {sun.value}")
        return
    if isinstance(ev100, Absent):
        yield not_testable("GF201", claim.source_id, "the exposure is not in the file")
        return
    if claim.exposure.flash_fired is True:
        yield not_testable("GF201", claim.source_id, "the flash fired")
        return
    highest = max(sun.elevation_range_deg)
    if ev100 < DAYLIGHT_EV100 or highest >= earth_sun.CIVIL_DUSK_DEG:
        yield consistent(
            "GF201",
            claim.source_id,
            f"EV100 {ev100:.1f} with the sun at {highest:.0f}° is not daylight at night.",
            facts={"ev100": ev100, "sun_elevation_deg": highest},
        )
        return
    yield _finding(claim, sun, ev100)


def _finding(claim: Claim, sun: Sun, ev100: float) -> Finding:
    highest = max(sun.elevation_range_deg)
    doubts = _doubts(claim)
    near_decisive = ev100 >= BRIGHT_EV100 and highest < earth_sun.NAUTICAL_DUSK_DEG and not doubts
    return Finding(
        check_id="GF201",
        source_ids=(claim.source_id,),
        outcome=Outcome.CONTRADICTION if near_decisive else Outcome.SUSPICIOUS,
        severity=Severity.HIGH,
        confidence=Confidence.STRONG if not doubts else Confidence.WEAK,
        summary=f"Exposed for daylight (EV100 {ev100:.1f}, about {2.5 * 2**ev100:,.0f} lux) while at the claimed place "
        f"and time the sun stood {-highest:.0f}° below the horizon.",
        observed=(f"Exposure {_settings(claim)}, no flash.",),
        derived=(
            f"Sun at {highest:.1f}° at {sun.utc_time} UTC (offset: {sun.offset_source}).",
            f"EV100 {ev100:.1f}.",
        ),
        inferred=tuple(_sunny_repairs(claim, sun)),
        limitations=("EV100 speaks of what was metered, not of all that is in the frame.", *doubts),
        innocent=("a stadium, a stage, a lamp or the moon filling the frame",),
        facts={"ev100": ev100, "sun_elevation_deg": highest},
        cause=Cause(CauseKind.CLOCK_OFFSET, claim.device.key, None, "daylight in the exposure, night on the clock"),
    )


def _doubts(claim: Claim) -> tuple[str, ...]:
    doubts = []
    length_mm = tag_values.first_number(claim.tags, "ExifIFD:FocalLengthIn35mmFormat", "ExifIFD:FocalLength")
    if length_mm is not None and length_mm >= LONG_LENS_MM:
        doubts.append(f"A {length_mm:.0f} mm lens can fill the frame with the moon, which is lit by the sun.")
    if MANUAL in (
        tag_values.first_number(claim.tags, "ExifIFD:ExposureProgram"),
        tag_values.first_number(claim.tags, "ExifIFD:ExposureMode"),
    ):
        doubts.append("The exposure was set by hand, so it measures no light.")
    return tuple(doubts)


def _sunny_repairs(claim: Claim, sun: Sun) -> Iterator[str]:
    """Say which simple slip, once undone, puts the sun up."""
    if not isinstance(claim.position, Stated):
        return
    place = claim.position.value
    gps = offsets.gps_instant(claim)
    if gps is not None and (height := globe.sun_at(gps[0], place)[0]) > 0.0:
        yield f"At the GPS time {gps[0]} UTC the sun stood at {height:.0f}°."
    if (height := globe.sun_at(sun.utc_time + timedelta(hours=12), place)[0]) > 0.0:
        yield f"Twelve hours later (a.m. and p.m. mixed up) it stood at {height:.0f}°."
    for slip, repaired in position_slips.repairs(place):
        if (height := globe.sun_at(sun.utc_time, repaired)[0]) > 0.0:
            yield f"With {slip} it stood at {height:.0f}°."


def _settings(claim: Claim) -> str:
    shown = []
    if not isinstance(claim.exposure.f_number, Absent):
        shown.append(f"f/{claim.exposure.f_number:g}")
    if not isinstance(seconds := claim.exposure.exposure_s, Absent):
        shown.append(f"1/{1 / seconds:.0f} s" if 0 < seconds < 0.3 else f"{seconds:g} s")
    if not isinstance(claim.exposure.iso, Absent):
        shown.append(f"ISO {claim.exposure.iso:.0f}")
    return ", ".join(shown) or "as EV100"
