"""PlaNet (ECCV 2016): one softmax over adaptive cells of the earth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor

from gtloc_forensics.vision.systems.system import Head, Layout, Seen, Sizes, System, mlp

CELLS = "cells"
PUBLISHED_CELLS = 26_263
PUBLISHED_FEATURES = 2048  # of the Inception net


class PlaNet(System):
    """A classifier of cells; the published one is linear on its own Inception net."""

    kind = "planet"
    title = "PlaNet-style classifier of adaptive S2 cells"
    SMALL: ClassVar[Sizes] = {"hidden": 256}

    def __init__(self, layout: Layout) -> None:
        """Lay out the layers; without a hidden layer it is linear, as published."""
        super().__init__(layout)
        hidden = [layout.size("hidden")] if layout.sizes.get("hidden") else []
        self.net = mlp(layout.width, *hidden, layout.cells[CELLS])

    @property
    def heads(self) -> tuple[Head, ...]:
        """One: the photo's cell."""
        return (Head(CELLS, "cell", CELLS),)

    @property
    def place_names(self) -> str:
        """Its cells are its places."""
        return CELLS

    def forward(self, seen: Seen) -> dict[str, Tensor]:
        """Return the logits of the cells."""
        return {CELLS: self.net(seen.pooled)}

    def learned(self, seen: Seen) -> Tensor:
        """Return the features before the last layer, which were learned by telling cells apart."""
        return self.net[:-1](seen.pooled)  # type: ignore[no-any-return]

    def place_logs(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return the softmax over the cells."""
        return torch.log_softmax(said[CELLS].float(), dim=-1)
