"""GF305 — Everything the pixels and the exposure say of the claim, together.

Shows: one likelihood ratio for time of day, time of year, height of the sun, place and
exposure. They are scores of one picture and depend on each other, so their logarithms are
never added: a logistic map was fitted to them together on held-out sources and calibrated
like a single score; which of the maps was used is said. With an exposure the pixels also
say how likely daylight lit the scene, which makes a dim frame by day worth more. This is the
number to quote; the single rules show what it is made of.

Cannot show: which part of the claim is wrong; small shifts of a clock.

Blind spots: those of GF301, GF304 and GF210. Flash frames are judged without the exposure.

Threshold: suspicious from p ≤ 0.02 and log10 LR ≤ −0.5. Without calibration the rule is not testable:
an uncalibrated sum would mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

from gtloc_forensics.checks import Context, check, claim_of, not_testable, pixels
from gtloc_forensics.checks.pixels import Asked, Words
from gtloc_forensics.evidence import calibration as evidence_calibration
from gtloc_forensics.evidence.calibration import Calibration, Joint
from gtloc_forensics.records import Finding, Photo, Sentence, template

LIMITATIONS = (
    Sentence("One picture is a weak witness; no ratio here exceeds what the number of calibration sources supports."),
)
INNOCENT = (
    Sentence("lamps or deep shade in the scene"),
    Sentence("an exposure set by hand"),
    Sentence("a clock that was never set"),
)
SCORES = {
    "hour": template("hour"),
    "year": template("year"),
    "sun": template("sun"),
    "place": template("place"),
    "light": template("light"),
    pixels.HEIGHT_LIT: template("height of the sun"),
}
"""What the scores are called."""


@check("GF305", title="Pixels and exposure together", needs=("claim", "prediction"), version="4")
def together(photo: Photo, context: Context) -> Iterator[Finding]:
    """Weigh all that pixels and exposure say of the claim, counted once."""
    asked = pixels.asked(photo, context)
    source_id = claim_of(photo).source_id
    if isinstance(asked, str):
        yield not_testable("GF305", source_id, asked)
    elif asked.calibration is None:
        yield not_testable("GF305", source_id, Sentence("the model has no calibration to combine its scores with"))
    else:
        yield _finding(asked, asked.calibration, pixels.scores(photo, asked))


def _finding(asked: Asked, calibration: Calibration, scores: dict[str, float]) -> Finding:
    strength = evidence_calibration.combine(calibration, scores)
    if strength is None:
        why = Sentence("the calibration knows no combination of these scores")
        return not_testable("GF305", asked.claim.source_id, why)
    joint = next(candidate for candidate in calibration.joints if candidate.names == strength.names)
    shown = Sentence("What was seen and measured ({scores})", scores=_added(_weighed(joint)))
    words = Words("GF305", Sentence("the claim"), shown, "clock-offset", LIMITATIONS, INNOCENT)
    facts = {f"{name}_score": scores[name] for name in strength.names}
    return pixels.finding(asked, words, score=joint.score(scores), strength=strength, facts=facts)


def _weighed(joint: Joint) -> Sequence[str]:
    """Return the scores that count in the sum: what has no weight was not weighed, and is not said to be."""
    return [name for name, weight in zip(joint.names, joint.coefficients, strict=True) if weight] or joint.names


def _added(names: Sequence[str]) -> Sentence:
    """Return the names of scores with a plus between them."""
    return reduce(
        lambda first, second: Sentence("{first} + {second}", first=first, second=second),
        (Sentence(SCORES.get(name, name)) for name in names),
    )
