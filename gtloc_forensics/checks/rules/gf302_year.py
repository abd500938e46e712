"""GF302 — The pixels against the claimed time of year.

Shows: how far the picture looks like the claimed season, as a likelihood ratio and a p-value
from photos of sources the model never saw.

Cannot show: with the model that ships, nothing: on unseen sources it tells the season no better
than chance, so no ratio and no month is printed. The rule is there for better models.

Blind spots: the tropics, evergreens, indoor plants, cities, either hemisphere taken for the other.

Threshold: a calibrated ratio that at its lowest makes a claim half as probable, else not testable;
suspicious from p ≤ 0.02 and log10 LR ≤ −0.5.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, not_testable, pixels
from gtloc_forensics.checks.pixels import Asked, Words
from gtloc_forensics.records import Finding, Photo, Sentence

LIMITATIONS = (Sentence("On sources it never saw the model that ships tells the season hardly better than chance."),)
AT_CHANCE = Sentence("on sources it never saw the model tells the season no better than chance")
INNOCENT = (Sentence("a mild winter or a dry summer"), Sentence("a region whose seasons look otherwise"))


@check("GF302", title="Pixels against the claimed time of year", needs=("claim", "prediction"), version="2")
def year(photo: Photo, context: Context) -> Iterator[Finding]:
    """Weigh the predicted time of year at the claimed one."""
    asked = pixels.asked(photo, context)
    if isinstance(asked, str):
        yield not_testable("GF302", claim_of(photo).source_id, asked)
    elif pixels.at_chance(asked.calibration, "year"):
        yield not_testable("GF302", asked.claim.source_id, AT_CHANCE)
    else:
        yield _finding(asked, pixels.year_score(asked))


def _finding(asked: Asked, score: float) -> Finding:
    told = 12.0 * asked.prediction.year_turn + 1.0
    shown = Sentence(
        "The pixels suggest month {predicted_month:.1f}, the claim is month {claimed_month:.1f}",
        predicted_month=told,
        claimed_month=12.0 * asked.year + 1.0,
    )
    words = Words("GF302", Sentence("the claimed time of year"), shown, "date", LIMITATIONS, INNOCENT)
    strength = None if asked.calibration is None else asked.calibration.single("year", score)
    facts = {"predicted_month": told, "claimed_month": 12.0 * asked.year + 1.0}
    return pixels.finding(asked, words, score=score, strength=strength, facts=facts)
