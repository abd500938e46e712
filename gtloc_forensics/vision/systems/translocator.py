"""TransLocator (ECCV 2022): two transformers, over the picture and over a map of what is in it, fused layer by layer.

At each layer the class tokens of both branches are projected, summed and put back in front of
each branch's own fields (MFF); at the end an attentive fusion weighs the two. Three partitions and the
kind of scene are learned together; the product over the partitions answers. The full published net is the
same class: 196 patches of 16 × 16 × 3 numbers are its fields (papers.md §2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from gtloc_forensics.earth.partitions import PUBLISHED_CELLS, Partition
from gtloc_forensics.vision.systems.isns import LEVELS
from gtloc_forensics.vision.systems.system import Head, Hierarchy, Layout, Seen, Sizes, System, block

SCENE = "scene"
WEIGHTS = {"coarse": 0.5, "middle": 0.3, "fine": 0.2, SCENE: 1.0}
"""Of the losses, as in the released script."""
PUBLISHED: Sizes = {"width": 768, "depth": 12, "heads": 12, "feedforward": 3072, "scenes": 16}
PUBLISHED_LAYOUT = Layout(196, 768, 768, PUBLISHED_CELLS, PUBLISHED)
"""Both branches read 16 × 16 pixels of three colours: the map of meaning is a coloured picture there."""


class Branch(nn.Module):
    """One ViT: fields to tokens, a class token, positions, layers, a last norm."""

    def __init__(self, tokens: int, features: int, sizes: tuple[int, int, int, int]) -> None:
        """Lay out the layers."""
        super().__init__()
        width, depth, heads, feedforward = sizes
        self.embed = nn.Linear(features, width)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, tokens + 1, width) * 0.02)
        self.layers = nn.ModuleList(block(width, heads, feedforward) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def tokens(self, fields: Tensor) -> Tensor:
        """Return class token and fields, ``[B, 1 + T, D]``."""
        return torch.cat([self.class_token.expand(len(fields), -1, -1), self.embed(fields)], dim=1) + self.positions


class TransLocator(System):
    """Two branches, fused at each layer and at the end; four classifiers."""

    kind = "translocator"
    title = "TransLocator: two transformers fused layer by layer"
    sees_fields = True
    SMALL: ClassVar[Sizes] = {"width": 96, "depth": 2, "heads": 4, "feedforward": 192, "scenes": 8}

    def __init__(self, layout: Layout) -> None:
        """Lay out branches, fusions and classifiers."""
        super().__init__(layout)
        width = layout.size("width")
        sizes = (width, layout.size("depth"), layout.size("heads"), layout.size("feedforward"))
        self.rgb = Branch(layout.tokens, layout.width, sizes)
        self.meaning = Branch(layout.tokens, max(layout.scenes, 1), sizes)
        self.shared = nn.ModuleList(nn.Linear(width, width) for _ in range(sizes[1]))  # f, one per layer
        self.back = nn.ModuleList(nn.Linear(width, width) for _ in range(sizes[1]))  # g
        self.attention = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, 2))
        self.classifiers = nn.ModuleDict({level: nn.Linear(2 * width, layout.cells[level]) for level in LEVELS})
        self.scene = nn.Linear(2 * width, layout.size("scenes"))
        self._hierarchy = Hierarchy(self, LEVELS, layout.cells)

    @property
    def heads(self) -> tuple[Head, ...]:
        """The photo's cell in each partition, and its scene."""
        cells = tuple(Head(level, "cell", level, WEIGHTS[level]) for level in LEVELS)
        return (*cells, Head(SCENE, "scene", weight=WEIGHTS[SCENE]))

    @property
    def place_names(self) -> str:
        """The finest cells are its places."""
        return LEVELS[-1]

    def parents(self, partitions: Mapping[str, Partition]) -> None:
        """Learn which cell lies in which."""
        self._hierarchy.learn(partitions)

    def fused(self, seen: Seen) -> Tensor:
        """Return both class tokens, weighed, side by side, ``[B, 2 D]``."""
        scenes = seen.scenes if seen.scenes.shape[-1] else seen.fields.new_zeros((*seen.fields.shape[:2], 1))
        rgb, meaning = self.rgb.tokens(seen.fields), self.meaning.tokens(scenes)
        for layer, (f, g) in enumerate(zip(self.shared, self.back, strict=True)):
            rgb, meaning = self.rgb.layers[layer](rgb), self.meaning.layers[layer](meaning)
            both = g(f(rgb[:, :1]) + f(meaning[:, :1]))
            rgb, meaning = torch.cat([both, rgb[:, 1:]], dim=1), torch.cat([both, meaning[:, 1:]], dim=1)
        ends = self.rgb.norm(rgb[:, 0]), self.meaning.norm(meaning[:, 0])
        weight = torch.softmax(self.attention(torch.cat(ends, dim=-1)), dim=-1)
        return torch.cat([(1.0 + weight[:, k : k + 1]) * end for k, end in enumerate(ends)], dim=-1)

    def forward(self, seen: Seen) -> dict[str, Tensor]:
        """Return the logits of the three partitions and of the scene."""
        fused = self.fused(seen)
        return {name: layer(fused) for name, layer in self.classifiers.items()} | {SCENE: self.scene(fused)}

    def place_logs(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return the finest cells' probability times that of the cells they lie in."""
        return self._hierarchy.product(said)
