"""What the model says of photos it never saw: fold models for the sources of `train`, the shipped one for `val`.

Everything that calibrates the shipped model comes from here. The sources of ``val``
are seen by no fold model and not by the shipped one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import heads
import numpy as np
import targets
import torch
from claims import Shown
from numpy.typing import NDArray
from photo_set import PhotoSet, folds, group_weights
from sklearn.linear_model import LogisticRegression

from gtloc_forensics.earth.circular import cell_of
from gtloc_forensics.earth.sphere import unit_vectors
from gtloc_forensics.modelling.calibrating import source_weights
from gtloc_forensics.vision import gallery
from gtloc_forensics.vision.density import PlaceTeller, Sharpness, density, fit_sharpness
from gtloc_forensics.vision.gtloc import GTLoc

Floats = NDArray[np.float64]
Rows = NDArray[np.bool_]

FOLDS = 5
DATABLE_C = 30.0  # inverse ridge of the logistic head; 3 to 300 gave the same held-out curve within 0.005
OUTDOOR_LABEL_WEIGHT = 0.12  # webcams, "day" and "night" pictures: outdoors, but thousands against 700 hand labels


@dataclass(frozen=True)
class Fitted:
    """The shipped model, and what held-out models say of every photo."""

    model: GTLoc
    fold: NDArray[np.int64]  # −1: not in train, told by the shipped model
    datable: Floats
    time_cosines: NDArray[np.float32]  # [N, Y · D]
    place_cosines: NDArray[np.float32]  # [N, G]
    places: NDArray[np.float32]  # [G, 2]
    place_prior: NDArray[np.float32]  # [G]


def fit(
    photos: PhotoSet, features: NDArray[np.float32], *, recipe: heads.Recipe, tell: Callable[[str], None]
) -> Fitted:
    """Train the fold models and the shipped one."""
    trained = photos.split == "train"
    fold = np.where(trained, folds(photos.group, count=FOLDS, seed=1), -1)
    datable_share, head = datable(photos, features, fold)
    aims = targets.build(photos, datable_share)
    useful = aims.time_weight + aims.place_weight > 0
    around = gallery.place_gallery(heads.MANIFEST.place_gallery, Path(), cache_dir=None)
    places = around.points
    time = np.zeros((len(photos), heads.TIME_CELLS), dtype=np.float32)
    place = np.zeros((len(photos), len(places)), dtype=np.float32)
    model: GTLoc | None = None
    for number in [*range(FOLDS), -1]:
        rows = np.flatnonzero(trained & (fold != number) & useful)
        model = heads.train(features, aims, rows, recipe=recipe, seed=max(0, number))
        told = fold == number
        time[told], place[told] = _cosines(model, features[told], places)
        tell(f"trained on {len(rows)} pictures, told {int(told.sum())} others")
    assert model is not None
    _put_head(model, head)
    return Fitted(model, fold, datable_share, time, place, places, around.prior)


@torch.no_grad()
def _cosines(
    model: GTLoc, features: NDArray[np.float32], places: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    image = model.image(model.image_head.balanced(torch.from_numpy(features)))
    by_time = image @ model.time(heads.gallery_turns()).T
    by_place = image @ model.place(torch.from_numpy(np.ascontiguousarray(places))).T
    return by_time.numpy(), by_place.numpy()


# --------------------------------------------------------------------------- can it be dated


def datable(
    photos: PhotoSet, features: NDArray[np.float32], fold: NDArray[np.int64]
) -> tuple[Floats, tuple[Floats, float]]:
    """Return held-out probabilities ``[N]`` and the weights of the shipped head (on raw features)."""
    mean, scale = features.mean(0), features.std(0) + 1e-3
    shrunk = (features - mean) / (scale * heads.FEATURES**0.5)
    label, weight = _datable_labels(photos)
    result = np.zeros(len(photos))
    logistic = LogisticRegression(C=DATABLE_C, max_iter=500)
    for number in [*range(FOLDS), -1]:
        rows = (photos.split == "train") & (fold != number) & (weight > 0)
        logistic.fit(shrunk[rows], label[rows], weight[rows])
        result[fold == number] = logistic.predict_proba(shrunk[fold == number])[:, 1]
    slope = logistic.coef_[0] / (scale * heads.FEATURES**0.5)
    return result, (slope, float(logistic.intercept_[0] - mean @ slope))


def _datable_labels(photos: PhotoSet) -> tuple[Floats, Floats]:
    label = np.nan_to_num(photos.datable)
    by_hand = np.isfinite(photos.datable)
    outdoors = (photos.kind == "webcam") | np.char.startswith(photos.label, "day") | photos.streetview
    label = np.where(outdoors & ~by_hand, 1.0, label)
    weight = np.where(by_hand, 1.0, np.where(outdoors, OUTDOOR_LABEL_WEIGHT, 0.0))
    return label, weight * group_weights(np.char.add(photos.group, photos.label), cap=25.0)


def _put_head(model: GTLoc, head: tuple[Floats, float]) -> None:
    """Write the head, moved from raw features to those the model standardises."""
    slope, intercept = head
    mean = model.image_head.mean.numpy().astype(np.float64)
    scale = model.image_head.scale.numpy().astype(np.float64)
    layer = model.heads["datable"].layers[0]
    with torch.no_grad():
        layer.weight.copy_(torch.tensor((slope * scale)[None], dtype=torch.float32))
        layer.bias.copy_(torch.tensor([intercept + mean @ slope], dtype=torch.float32))


# --------------------------------------------------------------------------- densities


def sharpness(fitted: Fitted, photos: PhotoSet, rows: Rows) -> dict[str, Sharpness]:
    """Return how cosines become densities, fitted on held-out photos *rows* of `train`."""
    known = rows & (photos.split == "train")
    timed, placed = known & photos.timed, known & np.isfinite(photos.latitude_deg)
    return {
        "time": fit_sharpness(
            fitted.time_cosines[timed],
            np.ones(heads.TIME_CELLS),
            truth=time_cell(photos, timed),
            weights=source_weights(photos.group[timed]),
        ),
        "place": fit_sharpness(
            fitted.place_cosines[placed],
            fitted.place_prior,
            truth=nearest(photos, fitted.places, placed),
            weights=source_weights(photos.group[placed]),
        ),
    }


def time_cell(photos: PhotoSet, rows: Rows) -> NDArray[np.int64]:
    """Return the cell of the time gallery that holds each photo's time."""
    grid = heads.MANIFEST.time_gallery
    year = cell_of(photos.year_turn[rows], cells=grid.year_cells)
    return year * grid.day_cells + cell_of(photos.day_turn[rows], cells=grid.day_cells)


def nearest(photos: PhotoSet, places: NDArray[np.float32], rows: Rows) -> NDArray[np.int64]:
    """Return the gallery place nearest to each photo's."""
    here = unit_vectors(photos.latitude_deg[rows], photos.longitude_deg[rows])
    return np.argmax(here @ unit_vectors(places[:, 0], places[:, 1]).T, axis=1)


def shown(fitted: Fitted, photos: PhotoSet, sharp: dict[str, Sharpness], rows: Rows) -> Shown:
    """Return the held-out densities of the photos *rows*, as :class:`~gtloc_forensics.vision.Model` tells them."""
    grid = heads.MANIFEST.time_gallery
    time = density(fitted.time_cosines, np.ones(heads.TIME_CELLS), sharpness=sharp["time"])
    teller = PlaceTeller(fitted.places, cells=heads.MANIFEST.output.place_cells)
    placed = np.flatnonzero(rows)
    mass = density(fitted.place_cosines[placed], fitted.place_prior, sharpness=sharp["place"])
    answers = teller.answers(mass, fitted.place_cosines[placed])
    return Shown(
        time.reshape(-1, grid.year_cells, grid.day_cells).astype(np.float32),
        {int(row): answer.place for row, answer in zip(placed, answers, strict=True)},
        fitted.datable,
    )
