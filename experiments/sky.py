"""The heads that know the sky: the sun's height from pixels and exposure, and what kind of picture it is.

Both are multinomial regressions on the frozen features, cross-fitted by source like everything else.
The sun's height learns from placed photos and fixed cameras exactly, from photos without a place
by the heights the sun may have had at that hour of that month where people take photos. The exposure
of every third photo is hidden, so that the density also stands without one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import targets
import torch
from drawn_pictures import KINDS
from numpy.typing import NDArray
from photo_set import PhotoSet, group_weights
from scipy.special import log_softmax
from scipy.stats import norm

from gtloc_forensics.earth.sun import sun_position
from gtloc_forensics.evidence import sun_height
from gtloc_forensics.evidence.sun_height import ExposureTable

Floats = NDArray[np.float64]

EDGES_DEG = (-90.0, -12.0, -6.0, -2.0, 2.0, 6.0, 10.0, 15.0, 20.0, 25.0, 30.0, 37.0, 45.0, 55.0, 90.0)
KNOTS_EV = (-2.0, 0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0)
HEIGHT_SD_DEG, SPREAD_SD_DEG = 4.0, 6.0  # how far a height is blurred: where it is known, where only the hour is
HEIGHT_RIDGE, SCENE_RIDGE = 1e-4, 1e-4
PIXEL_SHARE = 0.25  # of the ridge that the exposure's knots bear
HIDDEN = 1.0 / 3.0  # of the exposures
UNPLACED_WEIGHT, DARK_WEIGHT = 0.5, 0.15
GROUP_CAP = 15.0
STEPS = 40

DAY, NIGHT, LOW_SUN, INDOORS = "open air by day", "open air by night", "sunset or sunrise", "indoors"
FLAT, MOON, STAGE, BARE = "text, screen or drawing", "the moon", "a stage", "a bare frame"
SCENES = (DAY, NIGHT, LOW_SUN, INDOORS, FLAT, MOON, STAGE, BARE)
DRAWN_AS = {"moon": MOON, "stage": STAGE, "black": BARE, "blown": BARE, "even": BARE}  # the other kinds are flat
DRAWN_WEIGHT = 0.5
WEATHERS = [f"weather:{word}" for word in ("shine", "cloudy", "fog", "rain")]


@dataclass(frozen=True)
class Layer:
    """A linear layer on standardised features: ``weight`` ``[F, C]``, ``bias`` ``[C]``."""

    weight: Floats
    bias: Floats

    def log_mass(self, inputs: NDArray[np.floating]) -> Floats:
        """Return the logarithm of the softmax, ``[N, C]``."""
        return np.asarray(log_softmax(inputs @ self.weight + self.bias, axis=1))


@dataclass(frozen=True)
class Heights:
    """Held-out densities over the sun's height, ``[N, C]``, and the shipped layer and table."""

    pixels: Floats
    lit: Floats  # with the exposure; NaN where there is none or the flash fired
    layer: Layer
    table: ExposureTable


def multinomial(
    inputs: NDArray[np.floating], target: Floats, weight: Floats, *, ridge: float, share: Floats | None = None
) -> Layer:
    """Fit a multinomial regression to soft targets.

    Args:
        inputs: ``[N, F]``.
        target: ``[N, C]``, rows sum to 1.
        weight: ``[N]``.
        ridge: on the squares of the weights.
        share: ``[F]`` of the ridge that each input bears; all the same when left out.
    """
    seen, wanted = torch.tensor(inputs, dtype=torch.float32), torch.tensor(target, dtype=torch.float32)
    heavy = torch.tensor(weight / weight.sum(), dtype=torch.float32)[:, None]
    borne = torch.tensor(np.ones(inputs.shape[1]) if share is None else share, dtype=torch.float32)[:, None]
    layer = torch.zeros((inputs.shape[1], target.shape[1]), requires_grad=True)
    bias = torch.log((heavy * wanted).sum(0).clamp_min(1e-6)).requires_grad_()
    optimiser = torch.optim.LBFGS([layer, bias], max_iter=STEPS, history_size=10, line_search_fn="strong_wolfe")

    def cost() -> float:
        optimiser.zero_grad()
        loss = -(heavy * wanted * torch.log_softmax(seen @ layer + bias, 1)).sum() + ridge * (borne * layer**2).sum()
        loss.backward()
        return float(loss.detach())

    optimiser.step(cost)
    return Layer(layer.detach().double().numpy(), bias.detach().double().numpy())


# --------------------------------------------------------------------------- the sun's height


def height_targets(photos: PhotoSet) -> tuple[Floats, NDArray[np.bool_]]:
    """Return soft targets over the cells ``[N, C]`` and which rows know their height exactly."""
    exact = np.isfinite(photos.elevation_deg)
    target = np.zeros((len(photos), len(EDGES_DEG) - 1))
    target[exact] = _blurred(photos.elevation_deg[exact], HEIGHT_SD_DEG)
    open_place = photos.timed & ~exact
    utc_s = photos.local_s[open_place] - 3600.0 * targets.CLOCK_AHEAD_HOURS
    for latitude, share in targets.LATITUDES:
        target[open_place] += share * _blurred(sun_position(utc_s, latitude, 0.0)[0], SPREAD_SD_DEG)
    return target / np.maximum(target.sum(1, keepdims=True), 1e-12), exact


def _blurred(elevation_deg: Floats, sd_deg: float) -> Floats:
    edges = np.array([-np.inf, *EDGES_DEG[1:-1], np.inf])
    mass = np.diff(norm.cdf((edges[None] - elevation_deg[:, None]) / sd_deg), axis=1)
    return np.asarray(mass / mass.sum(1, keepdims=True))


def heights(photos: PhotoSet, inputs: NDArray[np.floating], *, datable: Floats, fold: NDArray[np.int64]) -> Heights:
    """Fit the sun's height by folds of sources, and the shipped layer without ``val``.

    Args:
        photos: the manifest.
        inputs: ``[N, F]`` features as the image head standardises them.
        datable: ``[N]`` the held-out probability that a scene shows its time.
        fold: ``[N]`` of the source; −1 outside ``train``.
    """
    target, exact = height_targets(photos)
    people = np.isin(photos.kind, ["photo", "time-only"])
    taken = photos.timed & (people | (photos.kind == "webcam"))
    scenes = np.where(photos.kind == "webcam", 1.0, DARK_WEIGHT + (1.0 - DARK_WEIGHT) * datable)
    weight = taken * scenes * np.where(exact, 1.0, UNPLACED_WEIGHT) * group_weights(photos.group, cap=GROUP_CAP)
    lit_by, measured = knots(photos)
    both = np.concatenate([inputs, lit_by], axis=1)
    bare = np.concatenate([inputs, 0.0 * lit_by], axis=1)
    hidden = np.random.default_rng(0).random(len(photos)) < HIDDEN
    learned = np.where(hidden[:, None], bare, both)
    share = np.concatenate([np.full(inputs.shape[1], PIXEL_SHARE), np.ones(lit_by.shape[1])])
    pixels, lit = (np.full(target.shape, np.nan) for _ in range(2))
    for number in [*range(int(fold.max()) + 1), -1]:
        rows = (photos.split == "train") & (fold != number) & (weight > 0)
        layer = multinomial(learned[rows], target[rows], weight[rows], ridge=HEIGHT_RIDGE, share=share)
        told = fold == number
        pixels[told] = np.exp(layer.log_mass(bare[told]))
        lit[told & measured] = np.exp(layer.log_mass(both[told & measured]))
    width = inputs.shape[1]
    usual = np.average(target[exact & people], axis=0, weights=weight[exact & people])
    table = ExposureTable(np.array(EDGES_DEG), np.array(KNOTS_EV), layer.weight[width:], usual / usual.sum())
    return Heights(pixels, lit, Layer(layer.weight[:width], layer.bias), table)


def knots(photos: PhotoSet) -> tuple[Floats, NDArray[np.bool_]]:
    """Return how much of each knot an exposure is ``[N, K]``, and which rows have one."""
    measured = np.isfinite(photos.ev100) & ~photos.flash_fired
    ev100 = np.nan_to_num(photos.ev100)
    columns = [np.interp(ev100, KNOTS_EV, row) for row in np.eye(len(KNOTS_EV))]
    return np.stack(columns, axis=1) * measured[:, None], measured


def height_scores(mass: Floats, table: ExposureTable, elevation_deg: Floats) -> Floats:
    """Return the program's score of each row, NaN where mass or elevation is not known."""
    return np.array(
        [
            sun_height.height_score(row, table, elevation_deg=float(height))
            if np.isfinite(height) and np.isfinite(row).all()
            else np.nan
            for row, height in zip(mass, elevation_deg, strict=True)
        ]
    )


# --------------------------------------------------------------------------- what is looked at


def scene_labels(photos: PhotoSet) -> tuple[NDArray[np.int64], Floats]:
    """Return the kind of each photo as far as its label, its light or a hand tells, −1 for none; and its weight."""
    label, weight = np.full(len(photos), -1), np.zeros(len(photos))
    sun, people = photos.elevation_deg, np.isin(photos.kind, ["photo", "time-only"])
    bright, dim = photos.ev100 > 12.5, photos.ev100 < 7.0
    rules = (
        (people & (sun > 10.0) & dim & ~photos.flash_fired, INDOORS, 0.3),
        (people & (sun > 5.0) & bright, DAY, 0.2),
        (photos.streetview | np.isin(photos.label, WEATHERS), DAY, 0.2),
        ((photos.kind == "webcam") & (sun > 6.0), DAY, 0.3),
        ((photos.kind == "webcam") & (sun < -6.0), NIGHT, 0.5),
        (photos.label == "daynight:day", DAY, 0.3),
        (np.isin(photos.label, ["daynight:night", "daypart:night"]), NIGHT, 0.5),
        (np.isin(photos.label, ["daypart:sunrise", "daypart:sunset", "weather:sunrise"]), LOW_SUN, 1.0),
        ((photos.datable == 1.0) & (sun > 5.0), DAY, 1.0),
        ((photos.datable == 1.0) & (sun < -6.0), NIGHT, 1.0),
        ((photos.datable == 0.0) & (photos.ev100 < 9.0), INDOORS, 1.0),
    )  # fmt: skip
    for rows, kind, heavy in rules:  # later ones know better
        label[rows], weight[rows] = SCENES.index(kind), heavy
    label[(photos.datable == 0.0) & (label != SCENES.index(INDOORS))] = -1
    return label, weight * group_weights(np.char.add(photos.group, photos.label), cap=25.0)


def drawn_label(kind: str) -> int:
    """Return the kind of scene that a drawn picture stands for."""
    return SCENES.index(DRAWN_AS.get(kind, FLAT))


def scenes(
    photos: PhotoSet,
    inputs: NDArray[np.floating],
    drawn: dict[str, NDArray[np.floating]],
    *,
    fold: NDArray[np.int64],
    without: str = "",
) -> tuple[Floats, Layer]:
    """Return held-out kinds ``[N, S]`` and the shipped layer.

    Args:
        photos: the manifest.
        inputs: ``[N, F]`` standardised features.
        drawn: the same of drawn pictures, by kind.
        fold: of the source; −1 outside ``train``; with nothing above −1 the shipped layer alone is fitted.
        without: a kind of drawn pictures that is kept out, to see whether the others cover it.
    """
    label, weight = scene_labels(photos)
    kept = [kind for kind in KINDS if kind != without]
    extra = np.concatenate([drawn[kind] for kind in kept])
    extra_label = np.concatenate([np.full(len(drawn[kind]), drawn_label(kind)) for kind in kept])
    mass = np.zeros((len(photos), len(SCENES)))
    for number in [*range(int(fold.max()) + 1), -1]:
        rows = (photos.split == "train") & (fold != number) & (label >= 0) & (weight > 0)
        layer = multinomial(
            np.concatenate([inputs[rows], extra]),
            np.eye(len(SCENES))[np.concatenate([label[rows], extra_label])],
            np.concatenate([weight[rows], np.full(len(extra), DRAWN_WEIGHT)]),
            ridge=SCENE_RIDGE,
        )
        mass[fold == number] = np.exp(layer.log_mass(inputs[fold == number]))
    return mass, layer
