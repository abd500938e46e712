"""Can frozen features tell on which side the sun stood? Where a heading is known, cross-fitted by source.

    python experiments/direction_probes.py --photos ../shared/photos --cache /tmp/gtloc-small

Makes the figures of docs/decisions/0034-sun-side.md. The sine of the sun's azimuth less the camera's
changes its sign when a picture is mirrored, the cosine does not: so the sine is read from the
difference of the features of a picture and of its mirror image, the cosine from their sum, by ridge
regressions in their dual form over 4 × 4 fields of patch tokens.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import claims
import numpy as np
import photo_set
import picture_features
from numpy.typing import NDArray

from gtloc_forensics.earth.sun import sun_position
from gtloc_forensics.evidence import resampling

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]

FOLDS, RIDGE, CAP, SEED = 5, 0.3, 15.0, 11
BLOCKS = (1, 2)  # of those that are kept: 5 and 7
BRIGHT_EV, LOWEST_DEG, HIGHEST_DEG = 9.0, 3.0, 65.0
DOWN_DEG = -50.0  # a drone that looks steeply down sees no side
SWAPS = 8


def main() -> None:
    """Print the error, the side and the verification curve for each part of the photos."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    asked = parser.parse_args()
    photos = photo_set.load(asked.photos)
    found = picture_features.features(
        photos, asked.photos, downloads=asked.cache / "downloads", cache=asked.cache, tell=print
    )
    rows = headed(photos, found.mirrored_row)
    place = {int(row): at for at, row in enumerate(found.mirrored_row)}
    seen = found.fields[rows][:, BLOCKS].astype(np.float32)
    mirrored = found.mirrored[[place[int(row)] for row in rows]][:, BLOCKS].astype(np.float32)
    side = np.radians(photos.azimuth_deg[rows] - photos.heading_deg[rows])
    lit = sunlit(photos, rows)
    told = _told(photos, rows, seen, mirrored, side, lit)
    val = photos.split[rows] == "val"
    low = lit & (photos.ev100[rows] > 11.0) & (photos.elevation_deg[rows] < 50.0)
    for name, part in (("sunlit", lit), ("sunlit, val", lit & val), ("bright under a low sun", low)):
        print(f"{name}: {_figures(photos, rows, told, side, part)}")


def headed(photos: photo_set.PhotoSet, mirrored_row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows of people's photos with place, time, heading and a sun that is up."""
    there = np.isfinite(photos.heading_deg) & (photos.elevation_deg > -2.0) & ~(photos.pitch_deg < DOWN_DEG)
    return np.intersect1d(np.flatnonzero(there & (photos.kind == "photo")), mirrored_row)


def sunlit(photos: photo_set.PhotoSet, rows: NDArray[np.int64]) -> Rows:
    """Return which of *rows* are bright under a sun that is neither at the horizon nor overhead."""
    height = photos.elevation_deg[rows]
    return (height > LOWEST_DEG) & (height < HIGHEST_DEG) & (photos.ev100[rows] > BRIGHT_EV)


def _told(
    photos: photo_set.PhotoSet,
    rows: NDArray[np.int64],
    seen: NDArray[np.float32],
    mirrored: NDArray[np.float32],
    side: Floats,
    lit: Rows,
) -> Floats:
    """Return held-out sine and cosine ``[N, 2]``."""
    scale = np.concatenate([seen, mirrored]).std(axis=(0, 2)) + 1e-3
    odd = _kernel((seen - mirrored) / scale[None, :, None])
    even = (seen + mirrored) / scale[None, :, None]
    even = _kernel(even - even.mean(axis=0))
    train = photos.split[rows] == "train"
    fold = np.where(train, photo_set.folds(photos.group, count=FOLDS, seed=1)[rows], -1)
    weight = lit * photo_set.group_weights(photos.group[rows], cap=CAP)
    told = np.zeros((len(rows), 2))
    for number in [*range(FOLDS), -1]:
        learned, asked = train & (fold != number) & (weight > 0), fold == number
        for column, (kernel, truth) in enumerate(((odd, np.sin(side)), (even, np.cos(side)))):
            level = 0.0 if column == 0 else float(np.average(truth[learned], weights=weight[learned]))
            heavy = kernel[np.ix_(learned, learned)] + RIDGE * np.diag(1.0 / weight[learned])
            told[asked, column] = level + kernel[np.ix_(asked, learned)] @ np.linalg.solve(
                heavy, truth[learned] - level
            )
    return told


def _kernel(values: NDArray[np.float32]) -> Floats:
    flat = values.reshape(len(values), -1)
    products = (flat @ flat.T).astype(np.float64)
    return np.asarray(products / (np.trace(products) / len(products)))


def _figures(photos: photo_set.PhotoSet, rows: NDArray[np.int64], told: Floats, side: Floats, part: Rows) -> str:
    error = np.abs(_turned(np.arctan2(told[:, 0], told[:, 1]) - side))[part]
    constant = np.angle(np.exp(1j * side[part]).mean())
    group = photos.group[rows][part]
    least = float(np.median(np.abs(_turned(constant - side[part]))))
    right = float((np.sign(told[part, 0]) == np.sign(np.sin(side[part]))).mean())
    true, false, owner = _scores(photos, rows, told, side, part)
    both = np.concatenate([group, owner])

    def curve(chosen: NDArray[np.int64]) -> float:
        first, second = chosen[chosen < len(true)], chosen[chosen >= len(true)] - len(true)
        weights = [photo_set.group_weights(part_of, cap=CAP) for part_of in (group[first], owner[second])]
        return resampling.auc(true[first], false[second], true_weight=weights[0], false_weight=weights[1])

    return (
        f"median error {_with_interval(lambda chosen: float(np.median(error[chosen])), group, 0)}° "
        f"(best constant {least:.0f}°), left or right {right:.0%} right, "
        f"AUC {_with_interval(curve, both, 3)}; n = {int(part.sum())} photos, {len(set(group.tolist()))} sources"
    )


def _turned(angle: Floats) -> Floats:
    return np.asarray(np.degrees(np.angle(np.exp(1j * angle))))


def _scores(
    photos: photo_set.PhotoSet, rows: NDArray[np.int64], told: Floats, side: Floats, part: Rows
) -> tuple[Floats, Floats, NDArray[np.str_]]:
    """Return scores of true claims and of claims with another photo's time, and whose the latter are."""
    chance = np.random.default_rng(SEED)
    pool = np.flatnonzero((photos.kind == "photo") & np.isfinite(photos.elevation_deg))
    sources = sorted(set(photos.group[pool].tolist()))
    members = {name: pool[photos.group[pool] == name] for name in sources}
    drawn = [
        (at, claims.other(photos, int(rows[at]), sources, members, chance))
        for at in np.flatnonzero(part)
        for _ in range(SWAPS)
    ]
    own, other = (np.array(column) for column in zip(*drawn, strict=True))
    of = rows[own]
    utc_s = photos.local_s[other] - 3600.0 * photos.offset_hours[of]
    height, azimuth = sun_position(utc_s, photos.latitude_deg[of], photos.longitude_deg[of])
    up = height > LOWEST_DEG  # at night it has no side
    claimed = np.radians(azimuth - photos.heading_deg[of])
    score = told[own, 0] * np.sin(claimed) + told[own, 1] * np.cos(claimed)
    true = told[:, 0] * np.sin(side) + told[:, 1] * np.cos(side)
    return true[part], score[up], photos.group[of][up]


def _with_interval(statistic: Callable[[NDArray[np.int64]], float], group: NDArray[np.str_], digits: int) -> str:
    low, high = resampling.over_sources(statistic, group, draws=200, seed=SEED)
    value = statistic(np.arange(len(group)))
    return f"{value:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


if __name__ == "__main__":
    main()
