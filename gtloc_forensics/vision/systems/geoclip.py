"""GeoCLIP (NeurIPS 2023) on a base of one's own: the released location encoder and gallery, an image head to meet them.

The encoder of places (9,447,936 numbers learned from 4.7 million photos) stays as it was
released; only the head that brings pictures to it is learned. Places only. With CLIP installed,
``gtloc model add --geoclip`` has the released image side too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from gtloc_forensics.vision.encoders import LocationEncoder
from gtloc_forensics.vision.specs import EncoderSpec
from gtloc_forensics.vision.systems.system import Layout, Seen, Sizes, System

RELEASED_LOG_SCALE = 3.68103
EMBEDDING = 512


class GeoCLIP(System):
    """Pictures into the space of the released location encoder, compared with its gallery."""

    kind = "geoclip"
    title = "GeoCLIP's released location encoder and gallery, image head learned here"
    SMALL: ClassVar[Sizes] = {"hidden": 768}

    gallery: Tensor
    encoded: Tensor

    def __init__(self, layout: Layout) -> None:
        """Lay out the released encoder, the head and the gallery."""
        super().__init__(layout)
        self.image_head = nn.Sequential(
            nn.Linear(layout.width, layout.size("hidden")), nn.ReLU(), nn.Linear(layout.size("hidden"), EMBEDDING)
        )
        self.location_encoder = LocationEncoder(EncoderSpec(), size=EMBEDDING).requires_grad_(requires_grad=False)
        self.log_scale = nn.Parameter(torch.tensor(RELEASED_LOG_SCALE))
        self.register_buffer("gallery", torch.zeros(layout.points, 2))
        self.register_buffer("encoded", torch.zeros(layout.points, EMBEDDING))

    def embedded(self, seen: Seen) -> Tensor:
        """Return unit vectors ``[B, 512]`` of pictures."""
        return normalize(self.image_head(seen.pooled).float(), dim=-1)

    def places(self, latitude_longitude_deg: Tensor) -> Tensor:
        """Return unit vectors ``[N, 512]`` of places."""
        return normalize(self.location_encoder(latitude_longitude_deg).float(), dim=-1)

    def forward(self, seen: Seen) -> dict[str, Tensor]:
        """Return the embedding."""
        return {"embedding": self.embedded(seen)}

    def place_logs(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return the softmax over the gallery of the scaled cosines."""
        return torch.log_softmax(self.log_scale.exp() * (said["embedding"] @ self.encoded.T), dim=-1)
