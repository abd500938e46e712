"""Tiny models for tests: random weights, the shapes of the real thing, nothing to download."""

from __future__ import annotations

from pathlib import Path

import msgspec
import torch

from gtloc_forensics.vision import weights
from gtloc_forensics.vision.gtloc import GTLoc
from gtloc_forensics.vision.manifest import (
    DensitySpec,
    EncoderSpec,
    ExtractorSpec,
    HeadSpec,
    Manifest,
    OutputSpec,
    PlaceGallerySpec,
    Tap,
    TimeGallerySpec,
)

HALF = (0.5, 0.5, 0.5)
ENCODER = EncoderSpec(sigmas=(1.0, 4.0), frequencies=8, width=16, depth=2)
TINY_VIT = ExtractorSpec(
    name="vit",
    architecture="vit_tiny_patch16_224",
    options={"img_size": 32, "depth": 3, "embed_dim": 24, "num_heads": 2},
    taps=(Tap("patch-mean", 1), Tap("cls", 2, norm=True), Tap("pre-logits")),
    input_px=32,
    mean=HALF,
    std=HALF,
)
TINY_CONV = ExtractorSpec(
    name="conv", architecture="resnet10t", taps=(Tap("patch-mean", 1),), input_px=48, resize_px=56, mean=HALF, std=HALF
)
CONV_CHANNELS = 64


def manifest(**changes: object) -> Manifest:
    """Return the manifest of a tiny two-backbone model."""
    features = 3 * 24 + CONV_CHANNELS
    plain = Manifest(
        name="tiny",
        licence="none",
        title="random numbers",
        extractors=(TINY_VIT, TINY_CONV),
        image_head=HeadSpec((features, 20, 12), standardise=True),
        location_encoder=ENCODER,
        time_encoder=msgspec.structs.replace(ENCODER, input="turns"),
        heads={"datable": HeadSpec((features, 1))},
        place_gallery=PlaceGallerySpec(points=300),
        time_gallery=TimeGallerySpec(12, 24),
        output=OutputSpec(12, 24, 200),
    )
    return msgspec.structs.replace(plain, **changes)


def manifest_of_fields() -> Manifest:
    """Return the manifest of a tiny model whose features are means over patches; it tells eight kinds of scene."""
    patches = msgspec.structs.replace(TINY_VIT, taps=(Tap("patch-mean", 1), Tap("patch-mean", 2)))
    return manifest(
        extractors=(patches,),
        image_head=HeadSpec((48, 20, 12), standardise=True),
        heads={},
        densities={"scene": DensitySpec(labels=tuple(f"kind {number}" for number in range(8)))},
    )


def write(models_dir: Path, described: Manifest | None = None, *, seed: int = 0) -> Path:
    """Write a tiny model with random weights and return its folder."""
    torch.manual_seed(seed)
    described = described or manifest()
    module = GTLoc(described)
    for buffer in (buffer for name, buffer in module.named_buffers() if name.endswith("running_var")):
        buffer.uniform_(0.5, 1.5)
    folder = models_dir / described.name
    weights.write(folder, described, weights.outer_state(module))
    return folder
