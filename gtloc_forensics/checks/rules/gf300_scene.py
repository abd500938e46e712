"""GF300 — A scene that shows no time of day.

Shows: that the pixels hold nothing a time could be read from: a room, a close-up, a
document, a screenshot, a studio, a monochrome picture. Nothing is wrong with such a
photo; every other rule of this family then answers "not testable".

Cannot show: that a scene with daylight in view is honest, or that a photo was taken indoors.

Blind spots: large windows, bright halls, stages, dark open-air frames (refused more often
than they should be), paintings and screens that show landscapes.

A screen, a card, a drawing, a black or empty frame, the moon or a lit stage shows no time either, dark or not, and
is never night: the model's density over kinds of scenes says so where it gives half of its mass to them.

Threshold: the model's head "datable" below the calibration's threshold (0.5), or a mean
saturation below 0.03, a mean brightness below 0.06, or one even tone over more than 0.7 of
the picture (scenes stay under a half). How often it errs on photos labelled by hand stands in the model's
card with its n; it was trained on some seven hundred hand labels.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, not_testable, pixels
from gtloc_forensics.evidence import scene as scenes
from gtloc_forensics.records import Finding, Photo, Prediction, Sentence


@check("GF300", title="Scene that shows no time of day", needs=("claim", "prediction"), version="3")
def scene(photo: Photo, context: Context) -> Iterator[Finding]:
    """Say whether the pixels can be asked for a time at all."""
    claim = claim_of(photo)
    if why := pixels.blindness(photo, context):
        yield not_testable("GF300", claim.source_id, why)
    elif isinstance(photo.prediction, Prediction):
        summary = Sentence(
            "Sky or daylight is in view (probability {probability:.2f}).", probability=photo.prediction.datable
        )
        facts: dict[str, str | int | float | bool | None] = {"datable": round(photo.prediction.datable, 3)}
        if kind := scenes.kind_of(photo.prediction.scene):
            facts["looks_like"] = kind
        yield consistent("GF300", claim.source_id, summary, facts=facts)
