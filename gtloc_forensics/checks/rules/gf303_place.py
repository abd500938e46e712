"""GF303 — The pixels against the claimed place.

Shows: how much of the predicted place lies within some hundred kilometres of the claimed
one, against what photos show in general, as a likelihood ratio and a p-value.

Cannot show: where a photo was taken. With the model that ships, nothing: on unseen sources it is at
chance, so no ratio and no distance is printed.

Blind spots: everything that looks alike on two continents; regions the training set lacks
(South America, Africa, Central Asia).

Threshold: a calibrated ratio that at its lowest makes a claim half as probable, else not testable;
suspicious from p ≤ 0.02 and log10 LR ≤ −0.5.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, not_testable, pixels
from gtloc_forensics.checks.pixels import Asked, Words
from gtloc_forensics.earth import globe
from gtloc_forensics.evidence import scores
from gtloc_forensics.records import Absent, Finding, Photo, Position, Sentence, Stated

LIMITATIONS = (Sentence("On sources it never saw the model that ships tells the place hardly better than chance."),)
AT_CHANCE = Sentence("on sources it never saw the model tells the place no better than chance")
INNOCENT = (Sentence("a place that looks like others far away"), Sentence("a region the training photos lack"))


@check("GF303", title="Pixels against the claimed place", needs=("claim", "prediction"), version="2")
def place(photo: Photo, context: Context) -> Iterator[Finding]:
    """Weigh the predicted place at the claimed one."""
    claim = claim_of(photo)
    asked = pixels.asked(photo, context)
    if isinstance(asked, str):
        yield not_testable("GF303", claim.source_id, asked)
    elif not isinstance(claim.position, Stated):
        yield not_testable("GF303", claim.source_id, _no_position(claim.position))
    elif asked.calibration is None:
        why = Sentence("the model has no calibration to compare the place with")
        yield not_testable("GF303", claim.source_id, why)
    elif pixels.at_chance(asked.calibration, "place"):
        yield not_testable("GF303", claim.source_id, AT_CHANCE)
    else:
        yield _finding(asked, claim.position.value)


def _no_position(why: Absent) -> Sentence:
    return Sentence("no position, {reason}", reason=Sentence(why.value))


def _finding(asked: Asked, claimed: Position) -> Finding:
    score = scores.place_score(asked.prediction.place, asked.usual, claimed)
    told = asked.prediction.position
    far = float(
        globe.distance_km(
            claimed.latitude_deg,
            claimed.longitude_deg,
            second_latitude_deg=told.latitude_deg,
            second_longitude_deg=told.longitude_deg,
        )
    )
    shown = Sentence(
        "The place of least expected error lies {distance_km:.0f} km from the claimed one", distance_km=far
    )
    words = Words("GF303", Sentence("the claimed place"), shown, "position", LIMITATIONS, INNOCENT)
    strength = None if asked.calibration is None else asked.calibration.single("place", score)
    return pixels.finding(asked, words, score=score, strength=strength, facts={"distance_km": far})
