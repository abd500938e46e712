"""GF304 — The pixels against the height of the sun at the claimed place and time.

Shows: how high the sun stood by the picture and its exposure together, as a density over the sun's
height, and how that suits the sun over the claimed place at the claimed moment, as a likelihood ratio and a p-value.
Without an exposure, with a flash, or with a model that gives no such density the pixels are asked for night, twilight,
low sun or high sun.

Cannot show: which of place and time is wrong, or anything between two moments of like light.

Blind spots: rooms and deep shade that passed as open air, lit
streets, stages, eclipses, storms, long exposures at night, polar summer.

Threshold: suspicious from p ≤ 0.02 and log10 LR ≤ −0.5. What the density adds on sources never seen stands in the
model's card; without it classes split at −6°, 3° and 20°, since finer ones carried nothing there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.checks import Context, check, claim_of, not_testable, pixels
from gtloc_forensics.checks.pixels import Asked, Words
from gtloc_forensics.evidence import scores as evidence_scores
from gtloc_forensics.evidence import sun_height
from gtloc_forensics.records import Finding, Photo, Position, Sentence, Sun

LIMITATIONS = (Sentence("Dark, dusk and day are told apart, not hours; nights are rare among the calibration photos."),)
INNOCENT_BRIGHTER = (
    Sentence("lamps in the scene"),
    Sentence("a long exposure at night"),
    Sentence("a clock that was never set"),
)
INNOCENT_DARKER = (
    Sentence("a room or deep shade in the scene"),
    Sentence("a storm or an eclipse"),
    Sentence("a clock that was never set"),
)


@check("GF304", title="Pixels against the height of the sun", needs=("claim", "prediction", "sun"), version="5")
def height(photo: Photo, context: Context) -> Iterator[Finding]:
    """Weigh the predicted light at the sun's height over the claimed place."""
    asked = pixels.asked(photo, context)
    above = pixels.sun_of(photo)
    if isinstance(asked, str):
        yield not_testable("GF304", claim_of(photo).source_id, asked)
    elif isinstance(above, str):
        yield not_testable("GF304", claim_of(photo).source_id, above)
    elif (mass := pixels.height_mass(asked)) is not None:
        yield _by_density(asked, above[0], mass)
    else:
        yield _finding(asked, *above)


def _by_density(asked: Asked, sun: Sun, mass: NDArray[np.float64]) -> Finding:
    assert asked.calibration is not None
    assert asked.prediction.sun_height is not None
    score = pixels.height_scores(asked, sun)[pixels.HEIGHT_LIT]
    edges = asked.prediction.sun_height.edges_deg
    middle = sun_height.median_deg(mass, edges)
    share = sun_height.share_above(mass, edges, above_deg=evidence_scores.HORIZON_DEG)
    shown = Sentence(
        "Pixels and exposure give {share} to a sun in the sky and put it at about {seen_deg:.0f}°, "
        "the claim puts it at {elevation_deg:.0f}°",
        share=_share_words(share),
        seen_deg=middle,
        elevation_deg=sun.elevation_deg,
    )
    words = _words(shown, is_brighter=middle > sun.elevation_deg)
    facts = {"daylight_share": share, "seen_elevation_deg": middle, "sun_elevation_deg": sun.elevation_deg}
    return pixels.finding(
        asked, words, score=score, strength=asked.calibration.single(pixels.HEIGHT_LIT, score), facts=facts
    )


def _words(shown: Sentence, *, is_brighter: bool) -> Words:
    """Return what is said beside the numbers; what can be innocent depends on whether too much or too little is seen.

    Args:
        shown: what was seen, and what the claim has.
        is_brighter: the picture shows a higher sun than the claim.
    """
    innocent = INNOCENT_BRIGHTER if is_brighter else INNOCENT_DARKER
    return Words("GF304", Sentence("the claimed place and time"), shown, "clock-offset", LIMITATIONS, innocent)


def _share_words(share: float) -> Sentence:
    """Return a share in per cent; never all and never none, which no model can know."""
    if share > 0.995:
        return Sentence("more than 99 %")
    if share < 0.005:
        return Sentence("less than 1 %")
    return Sentence("{percent:.0f} %", percent=100.0 * share)


def _finding(asked: Asked, sun: Sun, position: Position) -> Finding:
    score = pixels.sun_score(asked, sun, position)
    share = pixels.daylight(asked, sun, position)
    shown = Sentence(
        "The pixels give {share} to a sun in the sky, the claim puts it at {elevation_deg:.0f}°",
        share=_share_words(share),
        elevation_deg=sun.elevation_deg,
    )
    words = _words(shown, is_brighter=sun.elevation_deg < evidence_scores.HORIZON_DEG)
    strength = None if asked.calibration is None else asked.calibration.single("sun", score)
    facts = {"daylight_share": share, "sun_elevation_deg": sun.elevation_deg}
    return pixels.finding(asked, words, score=score, strength=strength, facts=facts)
