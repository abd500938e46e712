"""The frozen part of a base model, whole and by fields of the picture: what every system looks through.

A field is a square of a regular grid over the picture; its features are the mean of the
patches in it, so the mean over the fields is what the base model itself sees. A base whose
backbone gives no patches gives one field.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gtloc_forensics.records import Pixels
from gtloc_forensics.vision import device as devices
from gtloc_forensics.vision import views, weights
from gtloc_forensics.vision.encoders import Extractor
from gtloc_forensics.vision.gtloc import GTLoc

GRID = 4
"""Fields a side."""

SCENE = "scene"


def has_fields(module: GTLoc) -> bool:
    """Say whether every feature of the backbones is a mean over patches of one crop."""
    extractors: list[Extractor] = list(module.extractors.values())  # type: ignore[arg-type]
    return all(item.spec.crops == 1 and all(tap.pool == "patch-mean" for tap in item.spec.taps) for item in extractors)


def fields(module: GTLoc, seen: Sequence[Tensor], *, grid: int = GRID) -> Tensor:
    """Return features by field, ``[B, T, F]`` float32, rows of fields from the top; T is 1 for a backbone without them.

    Args:
        module: the base.
        seen: one ``[B, 3, H, W]`` uint8 tensor per extractor.
        grid: fields a side.
    """
    if not has_fields(module):
        first: Extractor = next(iter(module.extractors.values()))  # type: ignore[assignment]
        whole = module.backbone(seen).float()
        return whole.reshape(-1, first.spec.crops, whole.shape[-1]).mean(dim=1, keepdim=True)
    pairs = zip(module.extractors.values(), seen, strict=True)
    return torch.cat([_of_extractor(extractor, view, grid) for extractor, view in pairs], dim=-1)  # type: ignore[arg-type]


def _of_extractor(extractor: Extractor, view: Tensor, grid: int) -> Tensor:
    picture = (view.float() / 255.0 - extractor.mean) / extractor.std
    taps = extractor.spec.taps
    found: dict[tuple[int, bool], Tensor] = {}
    for norm in {tap.norm for tap in taps}:
        blocks = sorted({tap.block for tap in taps if tap.norm == norm})
        layers = extractor.net.forward_intermediates(
            picture, indices=blocks, norm=norm, output_fmt="NCHW", intermediates_only=True, stop_early=True
        )
        found |= {(block, norm): layer for block, layer in zip(blocks, layers, strict=True)}
    squares = [nn.functional.adaptive_avg_pool2d(found[tap.block, tap.norm].float(), grid) for tap in taps]
    return torch.cat([square.flatten(2).transpose(1, 2) for square in squares], dim=-1)


class Frozen:
    """A base model's frozen part at work on pictures.

    Attributes:
        folder: of the base.
        name: of the base.
        identity: sha256 of its weights.
        short_side: px to which pictures should be decoded.
        scene_labels: kinds of scenes the base tells apart; empty when it tells none.
    """

    def __init__(self, folder: Path, *, device: torch.device, grid: int = GRID) -> None:
        """Load the base onto a device.

        Raises:
            WeightsError: it is no model folder, or damaged.
        """
        loaded = weights.load(folder)
        self.folder, self.name, self.identity = folder, loaded.manifest.name, loaded.weights_sha256
        self.manifest = loaded.manifest
        self.short_side = loaded.manifest.short_side_px
        self.module = loaded.module.to(device).eval()
        self.device, self.grid = device, grid
        self._batches = devices.BatchSize(device)
        spec = loaded.manifest.densities.get(SCENE)
        self.scene_labels: tuple[str, ...] = () if spec is None else tuple(spec.labels)

    @property
    def tokens(self) -> int:
        """How many fields there are."""
        return self.grid**2 if has_fields(self.module) else 1

    @property
    def width(self) -> int:
        """How many features a field has."""
        return int(self.manifest.image_head.widths[0])

    def prepare(self, pixels: Pixels) -> NDArray[np.uint8]:
        """Resize and crop one picture as the backbones want it; thread-safe."""
        return views.prepare(pixels.rgb, self.manifest.extractors)

    def fields(self, prepared: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Return the features of prepared pictures by field, ``[B, T · F]``."""
        if not prepared:
            return np.zeros((0, self.tokens * self.width), dtype=np.float32)
        with torch.inference_mode():
            return torch.cat(list(self._batches.run(prepared, self._chunk))).numpy()

    def _chunk(self, chunk: Sequence[NDArray[np.uint8]]) -> Tensor:
        seen = [torch.from_numpy(view).to(self.device) for view in views.unpack(chunk, self.manifest.extractors)]
        with devices.autocast(self.device):
            return fields(self.module, seen, grid=self.grid).float().flatten(1).cpu()

    def balanced(self, flat: Tensor) -> Tensor:
        """Return ``[B, T · F]`` features by field, brought to the scale of the base's heads: ``[B, T, F]``."""
        return self.module.image_head.balanced(flat.float().unflatten(1, (self.tokens, self.width)))  # type: ignore[no-untyped-call]

    def scenes(self, balanced: Tensor) -> Tensor:
        """Return the base's kinds of scenes, ``[B, T, S]`` probabilities field by field: a map of meaning, coarse.

        The head is linear and was learned on means over the picture; asked of one field it is the
        class activation map of that head. S is 0 for a base that has none.
        """
        if not self.scene_labels:
            return balanced.new_zeros((*balanced.shape[:2], 0))
        head = self.module.densities[SCENE]
        return torch.softmax(head(balanced).float(), dim=-1)

    def close(self) -> None:
        """Free the device's memory."""
        self.module.to("cpu")
