"""ISNs (Müller-Budack et al., ECCV 2018): one expert per kind of scene, three partitions, the product f* over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from gtloc_forensics.earth.partitions import Partition
from gtloc_forensics.vision.systems.system import Head, Hierarchy, Layout, Seen, Sizes, System, mlp

LEVELS = ("coarse", "middle", "fine")
EXPERTS = 3
GROUPS = ((0,), (1, 2, 5), (3, 4, 6, 7))
"""The base's kinds of scene by expert: open air by day; night, dusk and moon; indoors and what shows no scene.

They stand in for the published natural, urban and indoor, which a Places365 net tells apart.
"""
PUBLISHED_FEATURES = 2048  # of ResNet101, one per expert


class ISNs(System):
    """Experts that never share a photo; the kind of scene chooses which one speaks."""

    kind = "isns"
    title = "ISNs: experts by scene over a hierarchy of cells"
    SMALL: ClassVar[Sizes] = {"hidden": 192, "experts": EXPERTS}

    def __init__(self, layout: Layout) -> None:
        """Lay out the experts."""
        super().__init__(layout)
        hidden = layout.size("hidden")
        trunk = [nn.Linear(layout.width, hidden), nn.GELU()] if hidden else []
        self.experts = nn.ModuleList(
            nn.ModuleDict(
                {
                    "trunk": nn.Sequential(*[_copy(layer) for layer in trunk]),
                    **{level: mlp(hidden or layout.width, layout.cells[level]) for level in LEVELS},
                }
            )
            for _ in range(layout.size("experts"))
        )
        self._hierarchy = Hierarchy(self, LEVELS, layout.cells)

    @property
    def heads(self) -> tuple[Head, ...]:
        """The photo's cell in each partition."""
        return tuple(Head(level, "cell", level) for level in LEVELS)

    @property
    def place_names(self) -> str:
        """The finest cells are its places."""
        return LEVELS[-1]

    def parents(self, partitions: Mapping[str, Partition]) -> None:
        """Learn which cell lies in which."""
        self._hierarchy.learn(partitions)

    def chosen(self, seen: Seen) -> Tensor:
        """Return which expert each picture is for, ``[B]``."""
        if seen.scenes.shape[-1] <= max(map(max, GROUPS)) or len(self.experts) != len(GROUPS):
            return torch.zeros(len(seen), dtype=torch.long, device=seen.fields.device)
        kinds = seen.scenes.mean(dim=1)
        return torch.stack([kinds[:, list(group)].sum(dim=-1) for group in GROUPS], dim=-1).argmax(dim=-1)

    def forward(self, seen: Seen) -> dict[str, Tensor]:
        """Return the logits of each partition, from the expert of each picture's scene."""
        chosen, pooled = self.chosen(seen), seen.pooled
        by_expert = []
        for expert in self.experts:
            trunk = expert["trunk"](pooled)  # type: ignore[index]
            by_expert.append({level: expert[level](trunk) for level in LEVELS})  # type: ignore[index]
        rows = torch.arange(len(seen), device=pooled.device)
        return {level: torch.stack([said[level] for said in by_expert])[chosen, rows] for level in LEVELS}

    def place_logs(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return f*: the finest cells' probability times that of the cells they lie in."""
        return self._hierarchy.product(said)


def _copy(layer: nn.Module) -> nn.Module:
    return nn.Linear(layer.in_features, layer.out_features) if isinstance(layer, nn.Linear) else nn.GELU()
