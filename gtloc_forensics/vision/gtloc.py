"""The joint model: one space for pictures, places and times.

Holds what inference needs and nothing of training: no queue, no gallery, no
optimiser. Built from a manifest, filled by :mod:`~gtloc_forensics.vision.weights`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from gtloc_forensics.vision.encoders import Extractor, ImageHead, LinearChain, LocationEncoder, TimeEncoder
from gtloc_forensics.vision.manifest import Manifest

INITIAL_LOG_SCALE = math.log(1.0 / 0.07)  # papers.md §1.1


class GTLoc(nn.Module):
    """Extractors, image head, location and time encoders, and the two scales that compare them."""

    def __init__(self, manifest: Manifest) -> None:
        """Lay out the layers; their weights come later."""
        super().__init__()
        size = manifest.embedding_size
        self.extractors = nn.ModuleDict({spec.name: Extractor(spec) for spec in manifest.extractors})
        self.image_head = ImageHead(manifest.image_head)
        self.location_encoder = (
            LocationEncoder(manifest.location_encoder, size=size) if manifest.location_encoder else None
        )
        self.time_encoder = TimeEncoder(manifest.time_encoder, size=size) if manifest.time_encoder else None
        self.heads = nn.ModuleDict({name: LinearChain(spec.widths) for name, spec in sorted(manifest.heads.items())})
        self.densities = nn.ModuleDict(
            {
                name: LinearChain((manifest.image_head.widths[0], spec.cells))
                for name, spec in sorted(manifest.densities.items())
            }
        )
        self.log_scale_place = nn.Parameter(torch.tensor(INITIAL_LOG_SCALE))
        self.log_scale_time = nn.Parameter(torch.tensor(INITIAL_LOG_SCALE))

    def keep_backbones_at(self, precision: torch.dtype) -> None:
        """Keep the backbones' weights as autocast at *precision* would convert them at every call."""
        for extractor in self.extractors.values():
            cast(Extractor, extractor).keep_at(precision)

    def backbone(self, views: Sequence[Tensor]) -> Tensor:
        """Run the frozen backbones.

        Args:
            views: one ``[B, 3, H, W]`` uint8 tensor per extractor, in the manifest's order.

        Returns:
            ``[B, F]`` float32, the extractors' features side by side.
        """
        return torch.cat(
            [extractor(view) for extractor, view in zip(self.extractors.values(), views, strict=True)], dim=-1
        )

    def features(self, views: Sequence[Tensor]) -> Tensor:
        """Run the frozen backbones and bring their features to the scale that the heads want, ``[B, F]``."""
        return self.image_head.balanced(self.backbone(views))

    def image(self, features: Tensor) -> Tensor:
        """Map ``[B, F]`` features to ``[B, D]`` unit vectors."""
        return normalize(self.image_head(features).float(), dim=-1)

    def place(self, latitude_longitude_deg: Tensor) -> Tensor:
        """Map ``[B, 2]`` (latitude, longitude in degrees) to ``[B, D]`` unit vectors."""
        return normalize(_there(self.location_encoder)(latitude_longitude_deg).float(), dim=-1)

    def time(self, turns: Tensor) -> Tensor:
        """Map ``[B, 2]`` (turn of the year, turn of the day) to ``[B, D]`` unit vectors."""
        return normalize(_there(self.time_encoder)(turns).float(), dim=-1)

    def probabilities(self, features: Tensor) -> Tensor:
        """Return what the auxiliary heads say, ``[B, H]`` in (0, 1), heads in the order of their names."""
        columns = [torch.sigmoid(head(features).float()) for head in self.heads.values()]
        return torch.cat(columns, dim=-1) if columns else features.new_zeros((len(features), 0), dtype=torch.float32)

    def log_masses(self, features: Tensor) -> Tensor:
        """Return the logarithms of the densities, ``[B, C]``, one after the other in the order of their names."""
        found = [torch.log_softmax(layer(features).float(), dim=-1) for layer in self.densities.values()]
        return torch.cat(found, dim=-1) if found else features.new_zeros((len(features), 0), dtype=torch.float32)


def _there(encoder: nn.Module | None) -> nn.Module:
    if encoder is None:
        raise ValueError("the model has no such encoder: its manifest says null")
    return encoder
