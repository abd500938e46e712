"""[L]kNN (Vo, Jacobs, Hays, ICCV 2017): the most like photos vote, blurred by a Gaussian kernel over the earth.

The features are learned: those of a cell classifier before its last layer. Its weights
hold features and places of every photo it was made from: it is as private as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import normalize

from gtloc_forensics.vision.systems.planet import CELLS, PlaNet
from gtloc_forensics.vision.systems.system import Layout, Seen, Sizes

SIGMA = 4.0
"""σ of the published kernel; taken as degrees of arc, for the reference names no unit."""


class Neighbours(PlaNet):
    """A cell classifier's features, the photos it was made from, and a kernel density over the nearest."""

    kind = "knn"
    title = f"[L]kNN with Gaussian kernel density, σ = {SIGMA:g}"
    SMALL: ClassVar[Sizes] = {"hidden": 256, "neighbours": 50, "sigma_deg": SIGMA, "photos": 0}

    reference: Tensor
    positions: Tensor

    def __init__(self, layout: Layout) -> None:
        """Lay out the classifier and room for the photos."""
        super().__init__(layout)
        count = layout.size("photos")
        self.register_buffer("reference", torch.zeros(count, layout.size("hidden")))
        self.register_buffer("positions", torch.zeros(count, 3))

    @property
    def place_names(self) -> str:
        """Its density is told over a gallery."""
        return ""

    def forward(self, seen: Seen) -> dict[str, Tensor]:
        """Return the logits of the cells and how like each of the photos is, ``[B, N]``."""
        learned = normalize(self.learned(seen), dim=-1)
        return {CELLS: self.net(seen.pooled), "likeness": learned @ self.reference.T}

    def place_logs(self, said: Mapping[str, Tensor], places: Tensor | None = None) -> Tensor:
        """Return the logarithm of the kernel density at *places* (unit vectors ``[P, 3]``; those of the photos)."""
        count = min(self.layout.size("neighbours"), len(self.positions))
        found = said["likeness"].float().topk(count, dim=-1)
        weight = found.values.clamp_min(1e-6)
        logs = []
        asked = self.positions if places is None else places
        for own, near in zip(weight, self.positions[found.indices], strict=True):
            angle = torch.arccos((near @ asked.T).clamp(-1.0, 1.0))
            kernel = -0.5 * (angle / math.radians(float(self.layout.sizes["sigma_deg"]))) ** 2
            logs.append(torch.logsumexp(kernel + own.log()[:, None], dim=0))
        return torch.log_softmax(torch.stack(logs), dim=-1)
