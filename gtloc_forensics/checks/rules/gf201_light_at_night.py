"""GF201 — The light of day in the exposure, night at the claimed place and time.

Shows: that the frame was exposed for an amount of light that no night has. EV100 12 is
10,000 lux; civil twilight ends at 3 lux, the full moon gives 0.3.

Cannot show: anything about dark frames: a room, a filter or deep shade makes any exposure
at any hour. How likely an exposure is under a given sun is another rule's question.

A dark picture with a bright exposure shows a lamp, a stage or the moon, and is left out. Where
GPS time confirms the hour and the zone of the place, the light is explained. From a height the
horizon lies lower, and the sun is seen longer.

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

from gtloc_forensics.checks import Context, check, claim_of, consistent, metered, not_testable, offsets, position_slips
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
    Sentence,
    Severity,
    Stated,
    Sun,
)

DAYLIGHT_EV100 = 12.0
BRIGHT_EV100 = 14.0
# The sunlit moon needs the exposure of daylight; it fills enough of the frame to be metered from here on.
LONG_LENS_MM = 200.0
MANUAL = 1  # EXIF ExposureProgram and ExposureMode


@check("GF201", title="Exposed for daylight in the night", needs=("claim", "sun"), version="4")
def light_at_night(photo: Photo, context: Context) -> Iterator[Finding]:
    """Find exposures that no natural light of the claimed hour allows."""
    claim, sun = claim_of(photo), photo.sun
    ev100 = claim.exposure.ev100
    why = metered.silence(photo, claim)
    if why or not isinstance(sun, Sun) or isinstance(ev100, Absent):
        yield not_testable("GF201", claim.source_id, why)
        return
    highest = metered.highest_sun_deg(claim, sun)
    if ev100 < DAYLIGHT_EV100 or highest >= earth_sun.CIVIL_DUSK_DEG:
        yield consistent(
            "GF201",
            claim.source_id,
            Sentence(
                "EV100 {ev100:.1f} with the sun at {elevation_deg:.0f}° is not daylight at night.",
                ev100=ev100,
                elevation_deg=max(sun.elevation_range_deg),
            ),
            facts={"ev100": ev100, "sun_elevation_deg": highest},
        )
        return
    yield _finding(claim, sun, ev100, is_settled=metered.is_settled(claim, context))


def _finding(claim: Claim, sun: Sun, ev100: float, *, is_settled: bool) -> Finding:
    highest = metered.highest_sun_deg(claim, sun)
    doubts = _doubts(claim)
    near_decisive = ev100 >= BRIGHT_EV100 and highest < earth_sun.NAUTICAL_DUSK_DEG and not doubts
    loud = Outcome.CONTRADICTION if near_decisive else Outcome.SUSPICIOUS
    summary = Sentence(
        "Exposed for daylight (EV100 {ev100:.1f}, about {lux:.0f} lux) while at the claimed place and time "
        "the sun stood {depth_deg:.0f}° below the horizon.",
        ev100=ev100,
        lux=2.5 * 2**ev100,
        depth_deg=-max(sun.elevation_range_deg),
    )
    return Finding(
        check_id="GF201",
        source_ids=(claim.source_id,),
        outcome=Outcome.EXPLAINED if is_settled else loud,
        severity=Severity.LOW if is_settled else Severity.HIGH,
        confidence=Confidence.STRONG if not doubts else Confidence.WEAK,
        summary=Sentence(
            "{summary:bare}; GPS time confirms the claimed hour and the place its zone, "
            "so a lamp, a stage or the moon was metered.",
            summary=summary,
        )
        if is_settled
        else summary,
        observed=(Sentence("Exposure {settings}, no flash.", settings=_settings(claim)),),
        derived=(*metered.sun_allowed(sun, highest), Sentence("EV100 {ev100:.1f}.", ev100=ev100)),
        inferred=tuple(_sunny_repairs(claim, sun)),
        limitations=(Sentence("EV100 speaks of what was metered, not of all that is in the frame."), *doubts),
        innocent=(Sentence("a stadium, a stage, a lamp or the moon filling the frame"),),
        facts={"ev100": ev100, "sun_elevation_deg": highest},
        cause=Cause(
            CauseKind.CLOCK_OFFSET,
            claim.device.key,
            None,
            Sentence("daylight in the exposure, night on the clock"),
        ),
    )


def _doubts(claim: Claim) -> tuple[Sentence, ...]:
    doubts = []
    length_mm = tag_values.first_number(claim.tags, "ExifIFD:FocalLengthIn35mmFormat", "ExifIFD:FocalLength")
    if length_mm is not None and length_mm >= LONG_LENS_MM:
        doubts.append(
            Sentence(
                "A {length_mm:.0f} mm lens can fill the frame with the moon, which is lit by the sun.",
                length_mm=length_mm,
            )
        )
    if MANUAL in (
        tag_values.first_number(claim.tags, "ExifIFD:ExposureProgram"),
        tag_values.first_number(claim.tags, "ExifIFD:ExposureMode"),
    ):
        doubts.append(Sentence("The exposure was set by hand, so it measures no light."))
    return tuple(doubts)


def _sunny_repairs(claim: Claim, sun: Sun) -> Iterator[Sentence]:
    """Say which simple slip, once undone, puts the sun up."""
    if not isinstance(claim.position, Stated):
        return
    place = claim.position.value
    gps = offsets.gps_instant(claim)
    if gps is not None and (height := globe.sun_at(gps[0], place)[0]) > 0.0:
        yield Sentence(
            "At the GPS time {utc_time} UTC the sun stood at {elevation_deg:.0f}°.",
            utc_time=gps[0],
            elevation_deg=height,
        )
    if (height := globe.sun_at(sun.utc_time + timedelta(hours=12), place)[0]) > 0.0:
        yield Sentence(
            "Twelve hours later (a.m. and p.m. mixed up) it stood at {elevation_deg:.0f}°.", elevation_deg=height
        )
    for slip, repaired in position_slips.repairs(place):
        if (height := globe.sun_at(sun.utc_time, repaired)[0]) > 0.0:
            yield Sentence("With {slip} it stood at {elevation_deg:.0f}°.", slip=slip, elevation_deg=height)


def _settings(claim: Claim) -> tuple[Sentence, ...]:
    shown = []
    if not isinstance(claim.exposure.f_number, Absent):
        shown.append(Sentence("f/{f_number:g}", f_number=claim.exposure.f_number))
    if not isinstance(seconds := claim.exposure.exposure_s, Absent):
        shown.append(
            Sentence("1/{per_second:raw} s", per_second=round(1 / seconds))
            if 0 < seconds < 0.3
            else Sentence("{exposure_s:g} s", exposure_s=seconds)
        )
    if not isinstance(claim.exposure.iso, Absent):
        shown.append(Sentence("ISO {iso:raw}", iso=round(claim.exposure.iso)))
    return tuple(shown) or (Sentence("as EV100"),)
