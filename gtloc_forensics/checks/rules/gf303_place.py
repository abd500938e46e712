"""GF303 — The pixels against the claimed place.

Shows: how much of the predicted place lies within some hundred kilometres of the claimed
one, against what photos show in general, as a likelihood ratio and a p-value.

Cannot show: where a photo was taken. With the model that ships, next to nothing: on unseen
sources its curve is at chance, and the ratio says so by staying near 1 (against a true claim it never speaks).

Blind spots: everything that looks alike on two continents; regions the training set lacks
(South America, Africa, Central Asia).

Threshold: suspicious from p ≤ 0.02 and log10 LR ≤ −0.5, which the model that ships cannot reach.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, not_testable, pixels
from gtloc_forensics.checks.pixels import Asked, Words
from gtloc_forensics.earth import globe
from gtloc_forensics.evidence import scores
from gtloc_forensics.records import Finding, Photo, Position, Stated

LIMITATIONS = ("On sources it never saw the model that ships tells the place hardly better than chance.",)
INNOCENT = ("a place that looks like others far away", "a region the training photos lack")


@check("GF303", title="Pixels against the claimed place", needs=("claim", "prediction"))
def place(photo: Photo, context: Context) -> Iterator[Finding]:
    """Weigh the predicted place at the claimed one."""
    claim = claim_of(photo)
    one = pixels.asked(photo, context)
    if isinstance(one, str):
        yield not_testable("GF303", claim.source_id, one)
    elif not isinstance(claim.position, Stated):
        yield not_testable("GF303", claim.source_id, f"no position, {claim.position.value}")
    elif one.calibration is None:
        yield not_testable("GF303", claim.source_id, "the model has no calibration to compare the place with")
    else:
        yield _finding(one, claim.position.value)


def _finding(one: Asked, claimed: Position) -> Finding:
    score = scores.place_score(one.prediction.place, one.usual, claimed)
    told = one.prediction.position
    far = float(
        globe.distance_km(
            claimed.latitude_deg,
            claimed.longitude_deg,
            second_latitude_deg=told.latitude_deg,
            second_longitude_deg=told.longitude_deg,
        )
    )
    shown = f"The place of least expected error lies {far:.0f} km from the claimed one"
    words = Words("GF303", "the claimed place", shown, "position", LIMITATIONS, INNOCENT)
    strength = None if one.calibration is None else one.calibration.single("place", score)
    return pixels.finding(one, words, score=score, strength=strength, facts={"distance_km": far})
