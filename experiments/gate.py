"""How well the gate knows what it looks at: figures of the kinds of scenes and of pictures that show none."""

from __future__ import annotations

from typing import Any

import crossfit
import numpy as np
import sky
from drawn_pictures import KINDS
from numpy.typing import NDArray
from photo_set import PhotoSet

from gtloc_forensics.evidence.scene import SURE
from gtloc_forensics.modelling.calibrating import source_weights

Floats = NDArray[np.float64]
Facts = dict[str, Any]
NO_SCENE = (sky.FLAT, sky.MOON, sky.STAGE, sky.BARE)


def speaks(datable: Floats, scene: Floats, *, threshold: float) -> NDArray[np.bool_]:
    """Return which pictures are asked for a time: daylight may be in view, and they are no picture without a scene."""
    bare = scene[:, [sky.SCENES.index(kind) for kind in NO_SCENE]].sum(axis=1)
    return (datable >= threshold) & (bare < SURE)


def drawn_figures(
    photos: PhotoSet,
    features: NDArray[np.float32],
    standard: NDArray[np.float32],
    drawn: dict[str, NDArray[np.float32]],
    drawn_standard: dict[str, NDArray[np.float32]],
    *,
    threshold: float,
) -> list[Facts]:
    """Return, for each kind of drawn picture, how many speak: by heads that knew it, by heads that did not."""
    found = []
    fold = np.where(photos.split == "train", -2, -1)  # the shipped heads alone, no folds
    for left_out in ["", *KINDS]:
        kept = [kind for kind in KINDS if kind != left_out]
        learned = np.concatenate([drawn[f"learned:{kind}"] for kind in kept])
        head = crossfit.datable_head(photos, features, learned)
        _, layer = sky.scenes(
            photos, standard, {kind: drawn_standard[f"learned:{kind}"] for kind in KINDS}, fold=fold, without=left_out
        )
        for kind in [left_out] if left_out else KINDS:
            datable = 1.0 / (1.0 + np.exp(-(drawn[f"asked:{kind}"] @ head[0] + head[1])))
            scene = np.exp(layer.log_mass(drawn_standard[f"asked:{kind}"]))
            speaking = int(speaks(datable, scene, threshold=threshold).sum())
            found.append({"kind": kind, "known": not left_out, "pictures": len(scene), "speak": speaking})
    return found


def photo_figures(photos: PhotoSet, datable: Floats, scene: Floats, *, threshold: float) -> Facts:
    """Return how often photos labelled by hand are let through, before and after the kinds of scenes are asked."""
    found: Facts = {}
    after = speaks(datable, scene, threshold=threshold)
    for name, hand in (("datable", 1.0), ("not datable", 0.0)):
        rows = photos.datable == hand
        weight = source_weights(photos.group[rows])
        found[name] = {
            "photos": int(rows.sum()),
            "sources": len(np.unique(photos.group[rows])),
            "by_datable": int((datable[rows] >= threshold).sum()),
            "by_both": int(after[rows].sum()),
            "share_by_both": round(float(weight @ after[rows]), 4),
        }
    return found


def kinds(photos: PhotoSet, scene: Floats) -> list[Facts]:
    """Return, for each kind that weak labels tell, how often the held-out kind is told and right."""
    label, weight = sky.scene_labels(photos)
    found = []
    for number, kind in enumerate(sky.SCENES):
        rows = (label == number) & (weight > 0)
        if not rows.any():
            continue
        sure = scene[rows].max(axis=1) >= SURE
        right = scene[rows].argmax(axis=1) == number
        found.append(
            {
                "kind": kind,
                "photos": int(rows.sum()),
                "sources": len(np.unique(photos.group[rows])),
                "told": round(float(sure.mean()), 3),
                "right_of_told": round(float(right[sure].mean()), 3) if sure.any() else None,
            }
        )
    return found
