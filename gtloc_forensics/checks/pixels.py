"""What the rules against the model share: when pixels can be asked, and how their answer becomes a finding.

A score is calibrated only by the calibration that belongs to the very prediction
(the hashes must agree); without it the finding carries a score marked uncalibrated,
no p-value and no likelihood ratio, and accuses nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from gtloc_forensics.checks import Context, circumstances, claim_of
from gtloc_forensics.earth.circular import day_turn, year_turn
from gtloc_forensics.evidence import exposure as evidence_exposure
from gtloc_forensics.evidence import scene, sun_height
from gtloc_forensics.evidence import scores as evidence_scores
from gtloc_forensics.evidence.calibration import Calibration, NoStrength, Strength
from gtloc_forensics.evidence.scores import Usual
from gtloc_forensics.records import (
    Absent,
    Cause,
    CauseKind,
    Claim,
    Confidence,
    Finding,
    ImageFacts,
    Outcome,
    Photo,
    Position,
    Prediction,
    Sentence,
    Severity,
    Stated,
    Statement,
    Sun,
)

RARE_P = 0.02
UNLIKELY_LOG10_LR = -0.5
# With about a hundred sources no smaller p-value exists than 0.01; GF210 uses the same ratio.
DATABLE_THRESHOLD = 0.5  # without a calibration, which brings its own
# Of 500 photos of the shared set drawn at random 1 % have a mean brightness below 0.1; a black frame has 0.01.
DARKEST = 0.06
# A picture exposed for what it shows is not as dark: bright settings with it are those of a lamp, a stage, the moon.
DARK = 0.15
MOST_UNIFORM = 0.7  # cards, screens and empty frames; scenes stay under a half
LEAST_SATURATION = 0.03  # of a picture with any colour of light left in it
COARSEST_TIME_S = 3600.0
WIDEST_SUN_DEG = 20.0
NOT_DATABLE = Sentence("no sky or daylight in view")
HEIGHT_LIT = "height_lit"
"""The score over the sun's height by pixels and exposure together."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One photo's claim and prediction, ready to be compared."""

    claim: Claim
    prediction: Prediction
    local: datetime
    calibration: Calibration | None
    usual: Usual
    is_confirmed: bool = False  # GPS time confirms the claimed hour and the place its zone

    @property
    def year(self) -> float:
        """The claimed time of year, in turns."""
        return year_turn(self.local)

    @property
    def day(self) -> float:
        """The claimed time of day, in turns."""
        return day_turn(self.local)


def at_chance(calibration: Calibration | None, name: str) -> bool:
    """Return whether a calibrated score told nothing on sources the model never saw; then no ratio is printed of it."""
    test = None if calibration is None else calibration.tests.get(name)
    return test is not None and not test.can_speak


def blindness(photo: Photo, context: Context) -> Statement:
    """Return why the pixels cannot be asked for a time; "" when they can."""
    if not isinstance(photo.prediction, Prediction):
        return Sentence("the pixels were not looked at ({reason})", reason=photo.prediction.reason)
    calibration = calibration_of(photo.prediction, context)
    threshold = DATABLE_THRESHOLD if calibration is None else calibration.datable_threshold
    if photo.prediction.datable < threshold:
        return NOT_DATABLE
    if isinstance(photo.image, ImageFacts) and photo.image.saturation < LEAST_SATURATION:
        return Sentence("the picture is monochrome")
    return emptiness(photo)


def emptiness(photo: Photo) -> Statement:
    """Return why a picture shows no scene that light could fall on; "" when it may."""
    if isinstance(photo.prediction, Prediction) and (why := scene.no_scene(photo.prediction.scene)):
        return why
    if not isinstance(photo.image, ImageFacts):
        return ""
    if photo.image.mean_luminance < DARKEST:
        return Sentence("the picture is all but black")
    if photo.image.uniformity > MOST_UNIFORM:
        return Sentence("most of the picture is one even tone, as of a card, a screen or an empty frame")
    return ""


def dark_though_bright(photo: Photo) -> Statement:
    """Return why the exposure of a photo measures no daylight, as its pixels show; "" when it may."""
    if why := emptiness(photo):
        return why
    if isinstance(photo.image, ImageFacts) and photo.image.mean_luminance < DARK:
        return Sentence("the picture is dark, so its exposure is that of a lamp, a stage or the moon in it")
    return ""


def calibration_of(prediction: Prediction, context: Context) -> Calibration | None:
    """Return the calibration of the run when it belongs to this prediction."""
    known = context.calibration
    return known if known is not None and prediction.calibration == known.sha256 else None


def asked(photo: Photo, context: Context) -> Asked | Statement:
    """Return what is to be compared, or why nothing can be."""
    why = blindness(photo, context)
    claim = claim_of(photo)
    if why or not isinstance(photo.prediction, Prediction):
        return why
    if not isinstance(claim.local_time, Stated):
        return Sentence("no local time, {reason}", reason=Sentence(claim.local_time.value))
    if _resolution_s(claim) > COARSEST_TIME_S:
        return Sentence("the claimed time is a bare date")
    calibration = calibration_of(photo.prediction, context)
    usual = _even(photo.prediction) if calibration is None else calibration.usual
    is_confirmed = circumstances.confirms_clock(claim, context)
    return Asked(claim, photo.prediction, claim.local_time.value, calibration, usual, is_confirmed)


def _resolution_s(claim: Claim) -> float:
    tag = claim.local_time.tag if isinstance(claim.local_time, Stated) else ""
    return min((reading.resolution_s for reading in claim.times if reading.tag == tag), default=0.0)


def _even(prediction: Prediction) -> Usual:
    shape = prediction.time.mass.shape
    return Usual(np.full(shape, 1.0 / (shape[0] * shape[1])), None)


# --------------------------------------------------------------------------- scores


def hour_score(photo: Asked) -> float:
    """Return how far the pixels agree with the claimed time of day."""
    return evidence_scores.hour_score(photo.prediction.time.mass, photo.usual, year_turn=photo.year, day_turn=photo.day)


def year_score(photo: Asked) -> float:
    """Return how far the pixels agree with the claimed time of year."""
    return evidence_scores.year_score(photo.prediction.time.mass, photo.usual, year_turn=photo.year)


def sun_of(photo: Photo) -> tuple[Sun, Position] | Statement:
    """Return the sun over the claimed place, or why it is not known well enough."""
    claim = claim_of(photo)
    if not isinstance(photo.sun, Sun):
        return Sentence("no sun position, {reason}", reason=Sentence(photo.sun.value))
    low, high = photo.sun.elevation_range_deg
    if high - low > WIDEST_SUN_DEG or not isinstance(claim.position, Stated):
        return Sentence("the zone is too uncertain to place the sun")
    return photo.sun, claim.position.value


def sun_score(photo: Asked, sun: Sun, position: Position) -> float:
    """Return how far the pixels agree with the claimed height of the sun."""
    return evidence_scores.sun_score(
        photo.prediction.time.mass,
        photo.usual,
        year_turn=photo.year,
        elevations_deg=_day_elevations(photo, sun, position),
        claimed_elevation_deg=sun.elevation_deg,
    )


def height_mass(asked: Asked) -> evidence_scores.Floats | None:
    """Return the density over the sun's height ``[C]`` by pixels and exposure together.

    None where the model gives none, or there is no exposure of a frame without flash: from the pixels alone it told
    no more than the density over the time of day does.
    """
    seen = asked.prediction.sun_height
    table = None if asked.calibration is None else asked.calibration.exposure_table
    if seen is None or table is None or not table.fits(seen):
        return None
    exposure = asked.claim.exposure
    if isinstance(exposure.ev100, Absent) or exposure.flash_fired is True:
        return None
    return sun_height.at_exposure(seen.mass, table, exposure.ev100)


def height_scores(asked: Asked, sun: Sun) -> dict[str, float]:
    """Return how far pixels and exposure agree with the claimed height of the sun, by the score's name."""
    table = None if asked.calibration is None else asked.calibration.exposure_table
    mass = height_mass(asked)
    if mass is None or table is None:
        return {}
    return {HEIGHT_LIT: sun_height.height_score(mass, table, elevation_deg=sun.elevation_deg)}


def daylight(photo: Asked, sun: Sun, position: Position) -> float:
    """Return how much of the predicted mass over the claimed day has the sun above the horizon."""
    return evidence_scores.daylight_share(
        photo.prediction.time.mass,
        year_turn=photo.year,
        elevations_deg=_day_elevations(photo, sun, position),
        above_deg=evidence_scores.HORIZON_DEG,
    )


def scores(photo: Photo, asked: Asked) -> dict[str, float]:
    """Return every score that this photo allows, by name."""
    found = {"hour": hour_score(asked), "year": year_score(asked)}
    above = sun_of(photo)
    if isinstance(above, str):
        return found
    sun, position = above
    found["sun"] = sun_score(asked, sun, position)
    found["place"] = evidence_scores.place_score(asked.prediction.place, asked.usual, position)
    found |= height_scores(asked, sun)
    exposure = asked.claim.exposure
    if not isinstance(exposure.ev100, Absent) and exposure.flash_fired is not True:
        found["light"] = evidence_scores.light_score(
            exposure.ev100,
            elevation_deg=sun.elevation_deg,
            position=position,
            offset_hours=_offset_hours(asked, sun),
            datable=asked.prediction.datable,
            light=evidence_exposure.load(),
        )
    return found


def _day_elevations(photo: Asked, sun: Sun, position: Position) -> evidence_scores.Floats:
    cells = photo.prediction.time.mass.shape[1]
    offset_hours = _offset_hours(photo, sun)
    return evidence_scores.day_elevations(photo.local.date(), position, offset_hours=offset_hours, cells=cells)


def _offset_hours(photo: Asked, sun: Sun) -> float:
    return (photo.local - sun.utc_time).total_seconds() / 3600.0


# --------------------------------------------------------------------------- findings


@dataclass(frozen=True, slots=True)
class Words:
    """How one rule speaks of its comparison."""

    check_id: str
    about: Sentence  # "the claimed time of day"
    shown: Sentence  # what the pixels show, a clause
    cause: str  # kind of the cause when they disagree
    limitations: tuple[Sentence, ...]
    innocent: tuple[Sentence, ...]


def finding(
    photo: Asked, words: Words, *, score: float, strength: Strength | NoStrength | None, facts: Mapping[str, float]
) -> Finding:
    """Return what a score says: consistent, suspicious, or an uncalibrated score."""
    told: dict[str, str | int | float | bool | None] = {
        **{name: round(value, 4) for name, value in facts.items()},
        "score_nats": round(score, 4),
        "model": photo.prediction.model,
        "datable": round(photo.prediction.datable, 3),
    }
    if strength is None:
        summary = Sentence(
            "{shown}; uncalibrated score {score:+,.2f}, no strength is claimed.", shown=words.shown, score=score
        )
        return _finding(photo, words, None, summary, told)
    if isinstance(strength, NoStrength):
        summary = Sentence(
            "{shown}; score {score:+,.2f}, no strength is claimed: {reason}.",
            shown=words.shown,
            score=score,
            reason=Sentence(strength.value),
        )
        why = f"no strength is claimed: {strength.value}"
        return _finding(photo, words, None, summary, told | {"no_strength": why})
    told |= {
        "calibrated_on": f"{strength.photos} photos of {strength.groups} sources never trained on",
        "scores": " + ".join(strength.names),
    }
    return _finding(photo, words, strength, _sentence(words, strength), told)


def _sentence(words: Words, strength: Strength) -> Sentence:
    told: dict[str, Any] = {
        "shown": words.shown,
        "about": words.about,
        "ratio": 10.0 ** abs(strength.log10_lr),
        "p_value": strength.p_value,
    }
    if strength.log10_lr < 0:
        return Sentence(
            "{shown}: {ratio:.1f} times less likely if {about} is true than if it is another photo's "
            "(p = {p_value:.2g}).",
            **told,
        )
    return Sentence(
        "{shown}: {ratio:.1f} times more likely if {about} is true than if it is another photo's (p = {p_value:.2g}).",
        **told,
    )


def _finding(
    photo: Asked,
    words: Words,
    strength: Strength | None,
    summary: Sentence,
    facts: dict[str, str | int | float | bool | None],
) -> Finding:
    odd = strength is not None and strength.p_value <= RARE_P and strength.log10_lr <= UNLIKELY_LOG10_LR
    device = photo.claim.device.key if words.cause == "clock-offset" else ""
    outcome = Outcome.SUSPICIOUS if odd else Outcome.CONSISTENT
    if odd and photo.is_confirmed and words.cause == "clock-offset":
        outcome = Outcome.EXPLAINED
        summary = Sentence(
            "{summary:bare}; GPS time confirms the claimed hour, so the scene is the odd one.", summary=summary
        )
    return Finding(
        check_id=words.check_id,
        source_ids=(photo.claim.source_id,),
        outcome=outcome,
        severity=Severity.MEDIUM if outcome is Outcome.SUSPICIOUS else Severity.INFO,
        confidence=Confidence.WEAK if odd else Confidence.CONTEXT,
        summary=summary,
        limitations=words.limitations,
        innocent=words.innocent if odd else (),
        facts=facts,
        cause=Cause(CauseKind(words.cause), device, None, Sentence("pixels that do not fit {about}", about=words.about))
        if odd
        else None,
        p_value=None if strength is None else strength.p_value,
        log10_lr=None if strength is None else strength.log10_lr,
    )
