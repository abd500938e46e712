"""What the shipped heads say of photos they never saw, read from what a run of ``make model`` kept.

The experiments beside the recipe start here: the same photos, folds of sources and densities that
calibrate the model, so that what is tried is compared with what ships.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import crossfit
import drawn_pictures
import heads
import judgement
import numpy as np
import photo_set
import picture_features
import sky
from claims import Shown
from numpy.typing import NDArray

from gtloc_forensics.evidence import resampling

DRAWS = 200
SEED = 11


@dataclass(frozen=True)
class HeldOut:
    """The manifest, its frozen features, and what heads that did not see a photo's source say of it."""

    photos: photo_set.PhotoSet
    found: picture_features.Features
    fitted: crossfit.Fitted
    shown: Shown
    standard: NDArray[np.float32]  # [N, F] features as the image head scales them
    rows: NDArray[np.bool_]  # photos of people, dated, with daylight judged to be in view


def asked(doc: str | None) -> argparse.Namespace:
    """Return what an experiment is asked: ``photos`` and ``cache``."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder with photos.csv and images/")
    parser.add_argument("--cache", type=Path, required=True, help="what `make model` kept")
    return parser.parse_args()


def load(folder: Path, cache: Path) -> HeldOut:
    """Return the held-out state; what *cache* lacks is computed, which takes as long as ``make model``."""
    photos = photo_set.load(folder)
    found = picture_features.features(photos, folder, downloads=cache / "downloads", cache=cache, tell=_silent)
    drawn = picture_features.drawn(downloads=cache / "downloads", cache=cache)
    learned = np.concatenate([drawn[f"learned:{kind}"] for kind in drawn_pictures.KINDS])
    fitted = crossfit.fit(photos, found.pooled, learned, recipe=heads.Recipe(), tell=_silent, cache=cache)
    standard = crossfit.standardised(fitted.model, found.pooled)
    seen = sky.heights(photos, standard, datable=fitted.datable, fold=fitted.fold)
    rows = judgement.examined(photos, fitted)
    sharp = crossfit.sharpness(fitted, photos, rows)
    shown = crossfit.shown(fitted, photos, sharp, rows | (photos.kind == "photo"), seen)
    return HeldOut(photos, found, fitted, shown, standard, rows)


def with_interval(statistic: Callable[[NDArray[np.int64]], float], groups: NDArray[np.str_], *, digits: int = 3) -> str:
    """Return a figure with its 95 % interval over sources drawn again; *statistic* takes rows."""
    low, high = resampling.over_sources(statistic, groups, draws=DRAWS, seed=SEED)
    return f"{statistic(np.arange(len(groups))):.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def _silent(text: str) -> None:
    del text
