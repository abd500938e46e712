"""GF210 — The light of the exposure against the sun at the claimed place and time.

Shows: how much more (or less) likely this exposure is if the claim is true than if month
and hour were those of someone else's photo, as a likelihood ratio, and how rarely a true
claim scores as low, as a p-value. Both are calibrated on photos of sources the model
never learned from.

Cannot show: which of place and time is wrong. A single frame is a weak witness: under a
high sun nearly every exposure is possible, since it may have been taken indoors. What a
whole camera's photos say together is the business of its clock model.

Blind spots: a manual exposure, a filter, a stage, a lamp-lit hall; flash frames are left
out. The impossible corner (daylight at night) is GF201.

Dark pictures with a bright exposure, and frames taken in the air, are left out; what GPS time
settles is explained. p counts sources: with n of them none smaller than 1 / (n + 1) exists.

Threshold: suspicious from p ≤ 0.01 and log10 LR ≤ −0.5 (a third as likely or less). At −0.3
dim rooms at noon were remarked on, which prove nothing; counts on untouched photos stand in
docs/check-rates.md. Never more than suspicious and weak.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gtloc_forensics.checks import Context, check, claim_of, consistent, metered, not_testable
from gtloc_forensics.checks.reference import devices
from gtloc_forensics.evidence import exposure
from gtloc_forensics.evidence.exposure import LightModel
from gtloc_forensics.records import (
    Absent,
    Cause,
    CauseKind,
    Claim,
    Confidence,
    Finding,
    Outcome,
    Photo,
    Position,
    Sentence,
    Severity,
    Stated,
    Statement,
    Sun,
)

RARE_P = 0.01
UNLIKELY_LOG10_LR = -0.5
# An offset that leaves the sun this uncertain leaves the light nothing to be compared with.
WIDEST_SUN_DEG = 20.0
LOW_SUN_DEG = 3.0  # a sunrise photographed against the light


@check("GF210", title="Light unlikely under the claimed sun", needs=("claim", "sun"), version="3")
def light_likelihood(photo: Photo, context: Context) -> Iterator[Finding]:
    """Weigh the exposure under the claimed sun against other months and hours at the place."""
    claim, sun = claim_of(photo), photo.sun
    ev100 = claim.exposure.ev100
    if why := metered.silence(photo, claim) or _untestable(claim, sun):
        yield not_testable("GF210", claim.source_id, why)
    elif isinstance(sun, Sun) and isinstance(ev100, float | int) and isinstance(claim.position, Stated):
        found = _finding(claim, sun, ev100=float(ev100), place=claim.position.value)
        yield _settled(found) if found.is_found and metered.is_settled(claim, context) else found


def _settled(found: Finding) -> Finding:
    """Take back the question that GPS time has answered: the light is odd, the hour is not."""
    summary = Sentence(
        "{summary:bare}; GPS time confirms the claimed hour and the place its zone, so the scene is the odd one.",
        summary=found.summary,
    )
    return replace(found, outcome=Outcome.EXPLAINED, severity=Severity.LOW, summary=summary)


def _untestable(claim: Claim, sun: Sun | Absent) -> Statement:
    if not isinstance(sun, Sun):
        return Sentence("no sun position, {reason}", reason=Sentence(sun.value))
    if devices.is_flying(claim):
        return Sentence("taken in the air, over whatever clouds and under a lower horizon")
    low, high = sun.elevation_range_deg
    return Sentence("the zone is too uncertain to place the sun") if high - low > WIDEST_SUN_DEG else ""


def _finding(claim: Claim, sun: Sun, *, ev100: float, place: Position) -> Finding:
    model = exposure.load()
    log10_lr = _kindest(model, sun, ev100=ev100, place=place, claim=claim)
    p_value = max(model.p_value(log10_lr), 1.0 / (model.groups + 1.0))  # photos of one source are one witness
    facts: dict[str, str | int | float | bool | None] = {
        "ev100": ev100,
        "sun_elevation_deg": sun.elevation_deg,
        "calibrated_on": model.card,
    }
    if p_value > RARE_P or log10_lr > UNLIKELY_LOG10_LR:
        summary = Sentence(
            "EV100 {ev100:.1f} is usual light for a sun at {elevation_deg:.0f}°.",
            ev100=ev100,
            elevation_deg=sun.elevation_deg,
        )
        return consistent("GF210", claim.source_id, summary, facts=facts, p_value=p_value, log10_lr=log10_lr)
    return Finding(
        check_id="GF210",
        source_ids=(claim.source_id,),
        outcome=Outcome.SUSPICIOUS,
        severity=Severity.MEDIUM,
        confidence=Confidence.WEAK,
        summary=Sentence(
            "The exposure (EV100 {ev100:.1f}) is {ratio:.1f} times less likely with the sun at {elevation_deg:.0f}°, "
            "as claimed, than at another month and hour.",
            ev100=ev100,
            ratio=10.0**-log10_lr,
            elevation_deg=sun.elevation_deg,
        ),
        derived=(metered.sun_seen(sun),),
        inferred=(
            Sentence(
                "p = {p_value:.2g} among true claims of {sources} sources: {card}.",
                p_value=p_value,
                sources=model.groups,
                card=Sentence(model.card),
            ),
        ),
        limitations=(Sentence("One frame is a weak witness; the camera's clock model weighs all of them together."),),
        innocent=_innocent(sun),
        facts=facts,
        cause=Cause(
            CauseKind.CLOCK_OFFSET, claim.device.key, None, Sentence("light that does not fit the claimed hour")
        ),
        p_value=p_value,
        log10_lr=log10_lr,
    )


def _innocent(sun: Sun) -> tuple[Sentence, ...]:
    usual = (Sentence("a lamp, a stage or a window in the frame"), Sentence("an exposure set by hand"))
    is_low = abs(sun.elevation_deg) <= LOW_SUN_DEG
    return (Sentence("the low sun itself in the frame, or a clock some minutes off"), *usual) if is_low else usual


def _kindest(model: LightModel, sun: Sun, *, ev100: float, place: Position, claim: Claim) -> float:
    """Return the ratio under the elevation, of those the zone leaves open, that suits the claim best."""
    offset = _offset_hours(claim, sun)
    others, mass = exposure.other_claims(
        place.latitude_deg, place.longitude_deg, offset_hours=offset, hour_prior=model.hour_prior
    )
    elevations = (sun.elevation_deg, *sun.elevation_range_deg)
    return model.log10_lr(ev100, *elevations, other_elevations_deg=others, other_mass=mass)


def _offset_hours(claim: Claim, sun: Sun) -> float:
    if not isinstance(claim.local_time, Stated):
        return 0.0
    return (claim.local_time.value - sun.utc_time).total_seconds() / 3600.0
