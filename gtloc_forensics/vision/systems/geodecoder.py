"""GeoDecoder (CVPR 2023): one learned question per level of cells and kind of scene, answered by looking at the fields.

First layers in which all questions see one another, then layers in which only those of one level do,
each level with a feed-forward of its own. The first channel of the answers, averaged over the
levels, chooses the scene whose answers count (papers.md §3).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from gtloc_forensics.earth.partitions import PUBLISHED_CELLS, Partition
from gtloc_forensics.vision.systems.system import Head, Hierarchy, Layout, Seen, Sizes, System

SCENE = "scene"
MOST_LEVELS = 7
PUBLISHED: Sizes = {
    "width": 768, "independent": 6, "dependent": 0, "heads": 12, "feedforward": 1024, "scenes": 16, "levels": 3,
}  # fmt: skip
"""Of the early official code: 48 questions, six layers; the layers of the final paper are not published."""
PUBLISHED_LAYOUT = Layout(
    197, 768, 16, dict(zip(("level0", "level1", "level2"), PUBLISHED_CELLS.values(), strict=True)), PUBLISHED
)


class Decoding(nn.Module):
    """One layer: questions look at the fields, then at one another, then each alone."""

    def __init__(self, width: int, heads: int, feedforward: int, *, levels: int = 1) -> None:
        """Lay out the layer; *levels* above 1 make it depend on the level."""
        super().__init__()
        self.levels = levels
        self.norm_fields, self.norm_own = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_fields = nn.MultiheadAttention(width, heads, batch_first=True)
        self.to_own = nn.MultiheadAttention(width, heads, batch_first=True)
        self.alone = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, feedforward), nn.GELU(), nn.Linear(feedforward, width))
            for _ in range(levels)
        )

    def forward(self, asked: Tensor, fields: Tensor) -> Tensor:
        """Map questions ``[B, levels · scenes, D]`` to answers of the same shape, levels running slowest."""
        near = self.norm_fields(asked)
        asked = asked + self.to_fields(near, fields, fields, need_weights=False)[0]
        batch, count, width = asked.shape
        own = self.norm_own(asked).reshape(batch * self.levels, count // self.levels, width)
        asked = asked + self.to_own(own, own, own, need_weights=False)[0].reshape(batch, count, width)
        parts = asked.reshape(batch, self.levels, -1, width).unbind(1)
        alone = [net(part) for net, part in zip(self.alone, parts, strict=True)]
        return asked + torch.stack(alone, dim=1).reshape(batch, count, width)


class GeoDecoder(System):
    """Questions, layers, a classifier per level; the scene is chosen by the answers themselves."""

    kind = "geodecoder"
    title = "GeoDecoder: questions by level and scene"
    sees_fields = True
    SMALL: ClassVar[Sizes] = {
        "width": 96, "independent": 1, "dependent": 1, "heads": 4, "feedforward": 192, "scenes": 8, "levels": 0,
    }  # fmt: skip

    def __init__(self, layout: Layout) -> None:
        """Lay out questions, layers and classifiers."""
        super().__init__(layout)
        width, heads, feedforward = (layout.size(name) for name in ("width", "heads", "feedforward"))
        self.names = tuple(f"level{k}" for k in range(layout.size("levels")))
        self.scenes = layout.size("scenes")
        self.embed = nn.Linear(layout.width, width) if layout.width != width else nn.Identity()
        self.positions = nn.Parameter(torch.randn(1, layout.tokens, width) * 0.02)
        self.questions = nn.Parameter(torch.randn(1, len(self.names) * self.scenes, width) * 0.02)
        self.layers = nn.ModuleList(
            [Decoding(width, heads, feedforward) for _ in range(layout.size("independent"))]
            + [Decoding(width, heads, feedforward, levels=len(self.names)) for _ in range(layout.size("dependent"))]
        )
        self.norm = nn.LayerNorm(width)
        self.classifiers = nn.ModuleDict({name: nn.Linear(width, layout.cells[name]) for name in self.names})
        self._hierarchy = Hierarchy(self, self.names, layout.cells)

    @property
    def heads(self) -> tuple[Head, ...]:
        """The photo's cell at each level, and its scene; all alike, as in the early code."""
        return (*(Head(name, "cell", name) for name in self.names), Head(SCENE, "scene"))

    @property
    def place_names(self) -> str:
        """The finest cells are its places."""
        return self.names[-1]

    def parents(self, partitions: Mapping[str, Partition]) -> None:
        """Learn which cell lies in which."""
        self._hierarchy.learn(partitions)

    def forward(self, seen: Seen) -> dict[str, Tensor]:
        """Return the logits of each level from the answers of the scene that is most sure, and those of the scene."""
        fields = self.embed(seen.fields) + self.positions
        answers = self.questions.expand(len(seen), -1, -1)
        for layer in self.layers:
            answers = layer(answers, fields)
        answers = self.norm(answers).reshape(len(seen), len(self.names), self.scenes, -1)
        scene = answers[..., 0].mean(dim=1)
        own = answers[torch.arange(len(seen), device=fields.device), :, scene.argmax(dim=-1)]
        said = {name: classifier(own[:, k]) for k, (name, classifier) in enumerate(self.classifiers.items())}
        return said | {SCENE: scene}

    def place_logs(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return the finest cells' probability times that of all cells they lie in."""
        return self._hierarchy.product(said)
