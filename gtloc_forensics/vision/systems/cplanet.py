"""CPlaNet (ECCV 2018): several coarse partitions whose intersections are fine cells.

The published partitions are cut along features as well as places; here the earth is
turned before each is cut, so that borders fall elsewhere. A fine cell's probability is
the product of those of the coarse cells it lies in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from gtloc_forensics.vision.systems.system import Head, Layout, Seen, Sizes, System, mlp

PARTITIONS = 5
FINE = "fine"


class CPlaNet(System):
    """One classifier per partition on a common trunk."""

    kind = "cplanet"
    title = "CPlaNet-style intersections of several partitions"
    SMALL: ClassVar[Sizes] = {"hidden": 256, "partitions": PARTITIONS}

    members: Tensor

    def __init__(self, layout: Layout) -> None:
        """Lay out the layers and which coarse cells each fine cell lies in."""
        super().__init__(layout)
        self.names = tuple(f"turned{k}" for k in range(layout.size("partitions")))
        self.trunk = nn.Sequential(nn.Linear(layout.width, layout.size("hidden")), nn.GELU())
        self.classifiers = nn.ModuleDict({name: mlp(layout.size("hidden"), layout.cells[name]) for name in self.names})
        self.register_buffer("members", torch.zeros(layout.cells[FINE], len(self.names), dtype=torch.long))

    @property
    def heads(self) -> tuple[Head, ...]:
        """The photo's cell in each partition."""
        return tuple(Head(name, "cell", name) for name in self.names)

    @property
    def place_names(self) -> str:
        """The intersections are its places."""
        return FINE

    def forward(self, seen: Seen) -> dict[str, Tensor]:
        """Return the logits of each partition."""
        trunk = self.trunk(seen.pooled)
        return {name: classifier(trunk) for name, classifier in self.classifiers.items()}

    def place_logs(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return the product over the partitions, renormalised over the intersections that hold photos."""
        logs = [
            torch.log_softmax(said[name].float(), dim=-1)[:, self.members[:, column]]
            for column, name in enumerate(self.names)
        ]
        return torch.log_softmax(torch.stack(logs).sum(dim=0), dim=-1)
