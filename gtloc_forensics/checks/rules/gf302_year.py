"""GF302 — The pixels against the claimed time of year.

Shows: how far the picture looks like the claimed season, as a likelihood ratio and a p-value
from photos of sources the model never saw.

Cannot show: with the model that ships, next to nothing: on unseen sources its ratios stay
within a factor of two of 1, and the report prints them as they are. The rule is there for better models.

Blind spots: the tropics, evergreens, indoor plants, cities, either hemisphere taken for the other.

Threshold: suspicious from p ≤ 0.02 and log10 LR ≤ −0.5, which the model that ships cannot reach.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, not_testable, pixels
from gtloc_forensics.checks.pixels import Asked, Words
from gtloc_forensics.records import Finding, Photo

LIMITATIONS = ("On sources it never saw the model that ships tells the season hardly better than chance.",)
INNOCENT = ("a mild winter or a dry summer", "a region whose seasons look otherwise")


@check("GF302", title="Pixels against the claimed time of year", needs=("claim", "prediction"))
def year(photo: Photo, context: Context) -> Iterator[Finding]:
    """Weigh the predicted time of year at the claimed one."""
    one = pixels.asked(photo, context)
    if isinstance(one, str):
        yield not_testable("GF302", claim_of(photo).source_id, one)
        return
    yield _finding(one, pixels.year_score(one))


def _finding(one: Asked, score: float) -> Finding:
    told = 12.0 * one.prediction.year_turn + 1.0
    shown = f"The pixels suggest month {told:.1f}, the claim is month {12.0 * one.year + 1.0:.1f}"
    words = Words("GF302", "the claimed time of year", shown, "date", LIMITATIONS, INNOCENT)
    strength = None if one.calibration is None else one.calibration.single("year", score)
    facts = {"predicted_month": told, "claimed_month": 12.0 * one.year + 1.0}
    return pixels.finding(one, words, score=score, strength=strength, facts=facts)
