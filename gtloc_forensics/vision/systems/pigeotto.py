"""PIGEOTTO-style (Haas et al., CVPR 2024): semantic cells, told apart with labels that are smoothed by distance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from gtloc_forensics.vision.systems.system import Head, Layout, Seen, Sizes, System, mlp

CELLS = "semantic"
TAU_KM = 65.0
"""τ of the published smoothing (papers.md §5); PIGEON, for street views, has 75."""
PUBLISHED_FEATURES = 1024  # of CLIP ViT-L/14 at 336 px, whose head is linear


class Pigeotto(System):
    """A classifier of semantic cells; near cells are half right."""

    kind = "pigeotto"
    title = "PIGEOTTO-style semantic cells with haversine label smoothing"
    SMALL: ClassVar[Sizes] = {"hidden": 256, "tau_km": TAU_KM}

    def __init__(self, layout: Layout) -> None:
        """Lay out the layers; without a hidden layer it is linear, as published."""
        super().__init__(layout)
        hidden = [layout.size("hidden")] if layout.sizes.get("hidden") else []
        self.net = mlp(layout.width, *hidden, layout.cells[CELLS])

    @property
    def heads(self) -> tuple[Head, ...]:
        """One: the cells, each as right as it is near."""
        return (Head(CELLS, "haversine", CELLS, scale=float(self.layout.sizes["tau_km"])),)

    @property
    def place_names(self) -> str:
        """Its cells are its places."""
        return CELLS

    def forward(self, seen: Seen) -> dict[str, Tensor]:
        """Return the logits of the cells."""
        return {CELLS: self.net(seen.pooled)}

    def place_logs(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return the softmax over the cells."""
        return torch.log_softmax(said[CELLS].float(), dim=-1)
