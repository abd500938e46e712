"""What kind of picture it is, as far as a model is sure: which kinds show no scene that daylight could light.

The kinds are those of the model that ships (docs/models.md); a model with others is heard where it uses
the same words.
"""

from __future__ import annotations

from collections.abc import Mapping

from gtloc_forensics.records import Sentence, Statement, template

SURE = 0.5
"""The mass from which a kind is told; below it the answer is that it cannot be told."""

NO_SCENE: Mapping[str, str] = {
    "text, screen or drawing": template("the picture looks like text, a screen or a drawing"),
    "the moon": template("the picture looks like the moon before a dark sky"),
    "a stage": template("the picture looks like a lit stage"),
    "a bare frame": template("the picture looks like a bare frame"),
}
"""Kinds that show no scene the sun could light, and how a reason says so."""


def kind_of(scene: Mapping[str, float] | None) -> str:
    """Return the kind of a picture, "" where it cannot be told."""
    if not scene:
        return ""
    kind = max(sorted(scene), key=lambda name: scene[name])
    return kind if scene[kind] >= SURE else ""


def no_scene(scene: Mapping[str, float] | None) -> Statement:
    """Return why a picture shows no scene that light could fall on; "" when it may.

    The kinds without a scene are counted together: which of them it is matters less than that it is one.
    """
    shares = {name: share for name, share in (scene or {}).items() if name in NO_SCENE}
    if sum(shares.values()) < SURE:
        return ""
    return Sentence(NO_SCENE[max(sorted(shares), key=lambda name: shares[name])])
