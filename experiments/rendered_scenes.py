"""Do rendered scenes with exactly known sun help on real photos?

    python experiments/rendered_scenes.py --photos ../shared/photos --cache /tmp/gtloc-small --scenes 500

The generator of the example case gives scenes anywhere from 58° S to 71° N, any hour, any season, six
kinds of weather, exposed by an imagined camera. They join `train` as further sources
(one for each kind of ground) of a ridge regression on the frozen features; hour and month errors on real
photos are cross-fitted by source, with the scenes and without.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import sys
from pathlib import Path

import crossfit
import numpy as np
import photo_set
import picture_features
import torch
from numpy.typing import NDArray

from gtloc_forensics.earth.circular import day_turn, hour_distance, month_distance, year_turn
from gtloc_forensics.modelling import calibrating

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
from imagined import cameras, scenes

SIZE = (288, 224)
RIDGE = 0.01  # of the standardised features' total weight; chosen for real photos alone


def main() -> None:
    """Print errors on real photos for several weights of the rendered ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--scenes", type=int, default=500)
    asked = parser.parse_args()
    photos = photo_set.load(asked.photos)
    downloads = asked.cache / "downloads"
    real, _ = picture_features.features(photos, asked.photos, downloads=downloads, cache=asked.cache, tell=print)
    drawn = list(itertools.islice(scenes(23), asked.scenes))
    imagined = _features(drawn, asked.cache, downloads)
    both = _joined(photos, drawn)
    fold = photo_set.folds(photos.group, count=crossfit.FOLDS, seed=1)
    datable = np.where(photos.datable == 0.0, 0.0, 1.0)
    for weight in (0.0, 0.3, 1.0, 3.0):
        _told(both, np.concatenate([real, imagined]), fold, np.concatenate([datable, np.ones(len(drawn))]), weight)


def _features(drawn: list[scenes], cache: Path, downloads: Path) -> NDArray[np.float32]:
    kept = cache / f"rendered-{len(drawn)}.npy"
    if kept.exists():
        return np.asarray(np.load(kept))
    net, _ = picture_features.extractor(downloads)
    rows = []
    for number, scene in enumerate(drawn):
        shot = cameras.photograph(scene, cameras.CAMERAS[number % len(cameras.CAMERAS)], size=SIZE)
        side = picture_features.INPUT_PX
        view = np.asarray(shot.picture.convert("RGB").resize((side, side)))
        with torch.inference_mode():
            rows.append(net(torch.from_numpy(view.copy()).permute(2, 0, 1)[None]).numpy()[0])
    result = np.stack(rows)
    np.save(kept, result)
    return result


def _joined(photos: photo_set.PhotoSet, drawn: list[scenes]) -> photo_set.PhotoSet:
    """Return the manifest with the scenes after it."""
    count = len(drawn)
    columns = {}
    for field in dataclasses.fields(photos):
        old = getattr(photos, field.name)
        fill: object = "" if old.dtype.kind == "U" else False if old.dtype.kind == "b" else np.nan
        columns[field.name] = np.concatenate([old, np.full(count, fill).astype(old.dtype)])
    last = slice(len(photos), None)
    columns["kind"][last] = "photo"
    columns["split"][last] = "train"
    columns["group"] = np.concatenate([photos.group, np.array([f"rendered:{scene.ground}" for scene in drawn])])
    columns["day_turn"][last] = [day_turn(scene.local_time) for scene in drawn]
    columns["year_turn"][last] = [year_turn(scene.local_time) for scene in drawn]
    return photo_set.PhotoSet(**columns)


def _told(
    both: photo_set.PhotoSet,
    features: NDArray[np.float32],
    fold: NDArray[np.int64],
    datable: NDArray[np.float64],
    weight: float,
) -> None:
    count = len(fold)
    known = np.flatnonzero(both.timed)
    share = photo_set.group_weights(both.group, cap=20.0) * (0.15 + 0.85 * datable)
    share[count:] *= weight
    waves = [wave(2.0 * np.pi * turn) for turn in (both.day_turn, both.year_turn) for wave in (np.cos, np.sin)]
    inside = np.concatenate([fold, np.full(len(both) - count, -1)])
    told = np.zeros((count, 4))
    for number in range(crossfit.FOLDS):
        rows = known[inside[known] != number]
        seen = np.flatnonzero(fold == number)
        told[seen] = _ridge(features[rows], np.stack(waves, 1)[rows], share[rows], features[seen])
    hour = np.mod(np.arctan2(told[:, 1], told[:, 0]) / (2.0 * np.pi), 1.0) * 24.0
    month = np.mod(np.arctan2(told[:, 3], told[:, 2]) / (2.0 * np.pi), 1.0) * 12.0
    people = both.timed[:count] & np.isin(both.kind[:count], ["photo", "time-only"])
    for name, rows in (("datable by hand label", people & (both.datable[:count] == 1.0)), ("all photos", people)):
        each = calibrating.source_weights(both.group[:count][rows])
        wrong = hour_distance(hour, both.day_turn[:count] * 24)[rows]
        off = month_distance(month, both.year_turn[:count] * 12)[rows]
        print(f"weight {weight:g}, {name}, n = {rows.sum()}: hour {each @ wrong:.3f} h, month {each @ off:.3f}")


def _ridge(
    known: NDArray[np.float32], truth: NDArray[np.float64], share: NDArray[np.float64], asked: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return ridge regressions of *truth* on standardised features, for the rows *asked*."""
    mean, scale = known.mean(0), (known.std(0) + 1e-3) * known.shape[1] ** 0.5
    inputs, level = (known - mean) / scale, share @ truth / share.sum()
    gram = inputs.T @ (inputs * share[:, None]) + RIDGE * share.sum() * np.eye(known.shape[1])
    return level + (asked - mean) / scale @ np.linalg.solve(gram, inputs.T @ ((truth - level) * share[:, None]))


if __name__ == "__main__":
    main()
