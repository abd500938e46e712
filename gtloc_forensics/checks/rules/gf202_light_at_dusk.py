"""GF202 — More light in the exposure than twilight gives.

Shows: that a frame claimed between sunset and the end of civil twilight was exposed for
more light than even a glowing sky has then.

Cannot show: anything with the sun above the horizon, where the sun itself may be in the
frame, nor in the night, which is the business of GF201.

Left out are dark pictures with a bright exposure (a lamp, a stage); explained is what GPS time
settles, and from a height the horizon lies lower.

Blind spots: an error of a few minutes or kilometres moves the sun by a degree, high ground
sees it longer; lamps and a manual exposure, as in GF201; flash frames are left out.

Threshold: EV100 15 at −1.5° falling to 12 at −6°. Of 24 frames confirmed by GPS time in that
stretch (no flash) the brightest was EV100 12.8 at −1.7°, 1.7 below the line at 14.9, the next
9.7 at −3°. The rule stays weak: twilight is the most variable light there is.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, metered, not_testable
from gtloc_forensics.earth import sun as earth_sun
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
    Sun,
)

SUNSET_DEG = -1.5  # the rim sets at −0.83°; the rest is for hills, altitude and the clock
SUNSET_EV100 = 15.0
DUSK_EV100 = 12.0


def brightest_ev100(elevation_deg: float) -> float:
    """Return the line above which an exposure is remarked on, for an elevation from −6° to −1.5°."""
    share = (elevation_deg - earth_sun.CIVIL_DUSK_DEG) / (SUNSET_DEG - earth_sun.CIVIL_DUSK_DEG)
    return DUSK_EV100 + share * (SUNSET_EV100 - DUSK_EV100)


@check("GF202", title="More light than twilight gives", needs=("claim", "sun"), version="4")
def light_at_dusk(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare the exposure with what civil twilight can give."""
    claim, sun = claim_of(photo), photo.sun
    ev100 = claim.exposure.ev100
    why = metered.silence(photo, claim)
    if why or not isinstance(sun, Sun) or isinstance(ev100, Absent):
        yield not_testable("GF202", claim.source_id, why)
        return
    highest = metered.highest_sun_deg(claim, sun)
    if not earth_sun.CIVIL_DUSK_DEG <= highest <= SUNSET_DEG:
        yield not_testable(
            "GF202",
            claim.source_id,
            Sentence("the sun at {elevation_deg:.0f}° makes no twilight", elevation_deg=max(sun.elevation_range_deg)),
        )
    elif ev100 < brightest_ev100(highest):
        summary = Sentence(
            "EV100 {ev100:.1f} is possible in twilight ({elevation_deg:.1f}°).", ev100=ev100, elevation_deg=highest
        )
        yield consistent("GF202", claim.source_id, summary)
    else:
        yield _finding(claim, sun, ev100, is_settled=metered.is_settled(claim, context))


def _finding(claim: Claim, sun: Sun, ev100: float, *, is_settled: bool) -> Finding:
    highest = metered.highest_sun_deg(claim, sun)
    summary = Sentence(
        "Exposed for EV100 {ev100:.1f} in twilight with the sun {depth_deg:.1f}° below the horizon; "
        "{most_ev100:.1f} is the most one would expect.",
        ev100=ev100,
        depth_deg=-highest,
        most_ev100=brightest_ev100(highest),
    )
    return Finding(
        check_id="GF202",
        source_ids=(claim.source_id,),
        outcome=Outcome.EXPLAINED if is_settled else Outcome.SUSPICIOUS,
        severity=Severity.LOW if is_settled else Severity.MEDIUM,
        confidence=Confidence.WEAK,
        summary=Sentence(
            "{summary:bare}; GPS time confirms the claimed hour and the place its zone, "
            "so the glow or a lamp was metered.",
            summary=summary,
        )
        if is_settled
        else summary,
        derived=metered.sun_allowed(sun, highest),
        innocent=(
            Sentence("high ground or an aircraft, where the sun sets later"),
            Sentence("a lamp in the frame"),
        ),
        limitations=(Sentence("Twilight varies; this is a hint, not a proof."),),
        facts={"ev100": ev100, "sun_elevation_deg": highest, "limit_ev100": brightest_ev100(highest)},
        cause=Cause(
            CauseKind.CLOCK_OFFSET,
            claim.device.key,
            None,
            Sentence("more light in the exposure than at the claimed hour"),
        ),
    )
