"""What the model says of photos it never saw: fold models for the sources of `train`, the shipped one for `val`.

Everything that calibrates the shipped model comes from here. The sources of ``val``
are seen by no fold model and not by the shipped one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import heads
import numpy as np
import sky
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

VERSION = "1"
"""Raised when the same photos would be learned from in another way: what earlier runs kept is left aside."""

FOLDS = 5
DATABLE_C = 30.0  # inverse ridge of the logistic head; 3 to 300 gave the same held-out curve within 0.005
DRAWN_WEIGHT = 0.3  # of a drawn picture that shows no scene: 468 of them against 700 hand labels
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
    photos: PhotoSet,
    features: NDArray[np.float32],
    drawn: NDArray[np.float32],
    *,
    recipe: heads.Recipe,
    tell: Callable[[str], None],
    cache: Path,
) -> Fitted:
    """Train the fold models and the shipped one; those that an earlier run kept in *cache* are read."""
    trained = photos.split == "train"
    fold = np.where(trained, folds(photos.group, count=FOLDS, seed=1), -1)
    name = _identity(photos, features, drawn, recipe)
    datable_share, head = _kept_datable(photos, features, fold, drawn=drawn, kept=cache / f"datable-{name}.npz")
    aims = targets.build(photos, datable_share)
    useful = aims.time_weight + aims.place_weight > 0
    around = gallery.place_gallery(heads.MANIFEST.place_gallery, Path(), cache_dir=None)
    places = around.points
    time = np.zeros((len(photos), heads.TIME_CELLS), dtype=np.float32)
    place = np.zeros((len(photos), len(places)), dtype=np.float32)
    model: GTLoc | None = None
    for number in [*range(FOLDS), -1]:
        rows = np.flatnonzero(trained & (fold != number) & useful)
        seed = max(0, number)
        kept = cache / f"trained-{name}-{number}.pt"
        if kept.exists():
            model = heads.new_model(features, rows, seed=seed)
            model.load_state_dict(torch.load(kept, weights_only=True))
            model.eval()
        else:
            model = heads.train(features, aims, rows, recipe=recipe, seed=seed)
            torch.save(model.state_dict(), kept)
        told = fold == number
        time[told], place[told] = _cosines(model, features[told], places)
        tell(f"trained on {len(rows)} pictures, told {int(told.sum())} others")
    assert model is not None
    _put_head(model, head)
    return Fitted(model, fold, datable_share, time, place, places, around.prior)


def _identity(photos: PhotoSet, features: NDArray[np.float32], drawn: NDArray[np.float32], recipe: heads.Recipe) -> str:
    """Return a name for everything that a training depends on but this code (:data:`VERSION` stands for it)."""
    told = heads.MANIFEST
    parts = (VERSION, recipe, told.image_head, told.location_encoder, told.time_encoder)
    digest = hashlib.sha256(repr(parts).encode())
    labels = (photos.ids, photos.split, photos.group, photos.label, photos.datable, photos.day_turn, photos.year_turn)
    for values in (features, drawn, photos.latitude_deg, photos.longitude_deg, *labels):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:16]


@torch.no_grad()
def _cosines(
    model: GTLoc, features: NDArray[np.float32], places: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    image = model.image(model.image_head.balanced(torch.from_numpy(features)))
    by_time = image @ model.time(heads.gallery_turns()).T
    by_place = image @ model.place(torch.from_numpy(np.ascontiguousarray(places))).T
    return by_time.numpy(), by_place.numpy()


# --------------------------------------------------------------------------- can it be dated


def _kept_datable(
    photos: PhotoSet,
    features: NDArray[np.float32],
    fold: NDArray[np.int64],
    *,
    drawn: NDArray[np.float32],
    kept: Path,
) -> tuple[Floats, tuple[Floats, float]]:
    """Return what :func:`datable` does; read from *kept* where an earlier run left it."""
    if not kept.exists():
        share, (slope, intercept) = datable(photos, features, fold, drawn=drawn)
        np.savez(kept, share=share, slope=slope, intercept=intercept)
    with np.load(kept) as stored:
        return stored["share"], (stored["slope"], float(stored["intercept"]))


def datable(
    photos: PhotoSet,
    features: NDArray[np.float32],
    fold: NDArray[np.int64],
    *,
    drawn: NDArray[np.float32],
    folds_too: bool = True,
) -> tuple[Floats, tuple[Floats, float]]:
    """Return held-out probabilities ``[N]`` and the weights of the shipped head (on raw features).

    Args:
        photos: the manifest.
        features: ``[N, F]``.
        fold: ``[N]`` of the source; −1 outside ``train``.
        drawn: ``[M, F]`` of drawn pictures that show no scene: none of them can be dated.
        folds_too: fit by folds, not the shipped head alone.
    """
    mean, scale = features.mean(0), features.std(0) + 1e-3
    shrunk = (features - mean) / (scale * heads.FEATURES**0.5)
    label, weight = _datable_labels(photos)
    result = np.zeros(len(photos))
    logistic = LogisticRegression(C=DATABLE_C, max_iter=500)
    for number in [*range(FOLDS if folds_too else 0), -1]:
        rows = (photos.split == "train") & ((fold != number) | (number == -1)) & (weight > 0)
        logistic.fit(
            np.concatenate([shrunk[rows], (drawn - mean) / (scale * heads.FEATURES**0.5)]),
            np.concatenate([label[rows], np.zeros(len(drawn))]),
            np.concatenate([weight[rows], np.full(len(drawn), DRAWN_WEIGHT)]),
        )
        result[fold == number] = logistic.predict_proba(shrunk[fold == number])[:, 1]
    slope = logistic.coef_[0] / (scale * heads.FEATURES**0.5)
    return result, (slope, float(logistic.intercept_[0] - mean @ slope))


def datable_head(photos: PhotoSet, features: NDArray[np.float32], drawn: NDArray[np.float32]) -> tuple[Floats, float]:
    """Return the head fitted on `train` and on these drawn pictures, as slope and intercept on raw features."""
    return datable(photos, features, np.full(len(photos), -1), drawn=drawn, folds_too=False)[1]


def _datable_labels(photos: PhotoSet) -> tuple[Floats, Floats]:
    label = np.nan_to_num(photos.datable)
    by_hand = np.isfinite(photos.datable)
    outdoors = (photos.kind == "webcam") | np.char.startswith(photos.label, "day") | photos.streetview
    label = np.where(outdoors & ~by_hand, 1.0, label)
    weight = np.where(by_hand, 1.0, np.where(outdoors, OUTDOOR_LABEL_WEIGHT, 0.0))
    return label, weight * group_weights(np.char.add(photos.group, photos.label), cap=25.0)


def put_densities(model: GTLoc, layers: dict[str, sky.Layer]) -> None:
    """Write the layers of the densities into the model; they read the features that it standardises."""
    with torch.no_grad():
        for name, layer in layers.items():
            linear = model.densities[name].layers[0]
            linear.weight.copy_(torch.tensor(layer.weight.T, dtype=torch.float32))
            linear.bias.copy_(torch.tensor(layer.bias, dtype=torch.float32))


@torch.no_grad()
def standardised(model: GTLoc, features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return features as the image head of *model* scales them, ``[N, F]``."""
    return np.asarray(model.image_head.balanced(torch.from_numpy(features)).numpy())


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


def shown(fitted: Fitted, photos: PhotoSet, sharp: dict[str, Sharpness], rows: Rows, seen: sky.Heights) -> Shown:
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
        seen.pixels,
        seen.lit,
        seen.table,
    )
