"""GF301 — The pixels against the claimed time of day.

Shows: how much more (or less) the picture looks like the claimed hour, in the claimed
season, than pictures do in general; as a likelihood ratio and as a p-value, both from
photos of sources the model never saw.

Cannot show: the date, the year, or morning from afternoon; clocks up to three hours off
look right. A ratio far below 1 does not say that the claim is false.

Blind spots: lamps taken for daylight, storms and fog, heavy editing, high latitudes.

Threshold: suspicious from p ≤ 0.02 and log10 LR ≤ −0.5. The smallest p that n sources can
support is 1 / (n + 1), about 0.01; GF210 uses the same ratio. Never more than weak.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, not_testable, pixels
from gtloc_forensics.checks.pixels import Asked, Words
from gtloc_forensics.records import Finding, Photo, Sentence

LIMITATIONS = (Sentence("One picture is a weak witness of the hour; clocks up to three hours off look right."),)
INNOCENT = (
    Sentence("lamps or deep shade in the scene"),
    Sentence("a storm, fog or smoke"),
    Sentence("a clock that was never set"),
)


@check("GF301", title="Pixels against the claimed time of day", needs=("claim", "prediction"), version="2")
def hour(photo: Photo, context: Context) -> Iterator[Finding]:
    """Weigh the predicted time of day at the claimed one."""
    asked = pixels.asked(photo, context)
    if isinstance(asked, str):
        yield not_testable("GF301", claim_of(photo).source_id, asked)
        return
    yield _finding(asked, pixels.hour_score(asked))


def _finding(asked: Asked, score: float) -> Finding:
    told = asked.prediction.local_hour
    shown = Sentence(
        "The pixels suggest about {predicted}, the claim is {claimed}",
        predicted=f"{int(told):02d}:{int(told % 1 * 60):02d}",
        claimed=f"{asked.local:%H:%M}",
    )
    words = Words("GF301", Sentence("the claimed time of day"), shown, "clock-offset", LIMITATIONS, INNOCENT)
    strength = None if asked.calibration is None else asked.calibration.single("hour", score)
    facts = {"predicted_hour": told, "claimed_hour": 24.0 * asked.day}
    return pixels.finding(asked, words, score=score, strength=strength, facts=facts)
