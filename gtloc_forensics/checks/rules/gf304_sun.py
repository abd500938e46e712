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
from gtloc_forensics.records import Finding, Photo, Position, Sun

LIMITATIONS = ("Dark, dusk and day are told apart, not hours; nights are rare among the calibration photos.",)
INNOCENT = (
    "lamps or deep shade in the scene",
    "a storm or an eclipse",
    "a long exposure",
    "a clock that was never set",
)


@check("GF304", title="Pixels against the height of the sun", needs=("claim", "prediction", "sun"), version="3")
def height(photo: Photo, context: Context) -> Iterator[Finding]:
    """Weigh the predicted light at the sun's height over the claimed place."""
    one = pixels.asked(photo, context)
    above = pixels.sun_of(photo)
    if isinstance(one, str):
        yield not_testable("GF304", claim_of(photo).source_id, one)
    elif isinstance(above, str):
        yield not_testable("GF304", claim_of(photo).source_id, above)
    elif (mass := pixels.height_mass(one)) is not None:
        yield _by_density(one, above[0], mass)
    else:
        yield _finding(one, *above)


def _by_density(one: Asked, sun: Sun, mass: NDArray[np.float64]) -> Finding:
    assert one.calibration is not None
    assert one.prediction.sun_height is not None
    score = pixels.height_scores(one, sun)[pixels.HEIGHT_LIT]
    edges = one.prediction.sun_height.edges_deg
    middle = sun_height.median_deg(mass, edges)
    share = sun_height.share_above(mass, edges, above_deg=evidence_scores.HORIZON_DEG)
    shown = (
        f"Pixels and exposure give {100.0 * share:.0f} % to a sun in the sky and put it at about {middle:.0f}°, "
        f"the claim puts it at {sun.elevation_deg:.0f}°"
    )
    words = Words("GF304", "the claimed place and time", shown, "clock-offset", LIMITATIONS, INNOCENT)
    facts = {"daylight_share": share, "seen_elevation_deg": middle, "sun_elevation_deg": sun.elevation_deg}
    return pixels.finding(
        one, words, score=score, strength=one.calibration.single(pixels.HEIGHT_LIT, score), facts=facts
    )


def _finding(one: Asked, sun: Sun, position: Position) -> Finding:
    score = pixels.sun_score(one, sun, position)
    share = pixels.daylight(one, sun, position)
    shown = f"The pixels give {100.0 * share:.0f} % to a sun in the sky, the claim puts it at {sun.elevation_deg:.0f}°"
    words = Words("GF304", "the claimed place and time", shown, "clock-offset", LIMITATIONS, INNOCENT)
    strength = None if one.calibration is None else one.calibration.single("sun", score)
    facts = {"daylight_share": share, "sun_elevation_deg": sun.elevation_deg}
    return pixels.finding(one, words, score=score, strength=strength, facts=facts)
