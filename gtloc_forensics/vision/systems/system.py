"""What every system has in common: what it sees, what it says, how its cells and galleries are held.

A system is a net over the fields of a frozen base. It says logits under names; its
``heads`` tell what each of them is about, so that one training loop serves all. What
it makes of them is told as logarithms of mass over its places and over a grid of times.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from gtloc_forensics.earth.partitions import Partition
from gtloc_forensics.errors import WeightsError

Sizes = Mapping[str, float]
Target = Literal["cell", "haversine", "hour", "month", "bin", "scene"]

MONTHS, HOURS = 12, 24


@dataclass(frozen=True, slots=True)
class Seen:
    """Pictures as a system sees them: ``fields`` ``[B, T, F]``, ``scenes`` ``[B, T, S]`` kinds of scene by field."""

    fields: Tensor
    scenes: Tensor

    @property
    def pooled(self) -> Tensor:
        """``[B, F]``: the mean over the picture."""
        return self.fields.mean(dim=1)

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.fields)


@dataclass(frozen=True, slots=True)
class Head:
    """What one of the logits is about.

    Attributes:
        name: under which the system says it.
        target: ``cell`` the photo's cell of a partition; ``haversine`` the same, smoothed by distance (PIGEON);
            ``hour`` of 24, ``month`` of 12, ``bin`` of 288 month-hour pairs; ``scene`` as the base tells it.
        partition: for the first two.
        weight: of its loss.
        scale: τ in km of ``haversine``; γ of ``bin`` in turns.
    """

    name: str
    target: Target
    partition: str = ""
    weight: float = 1.0
    scale: float = 0.0


@dataclass(frozen=True, slots=True)
class Layout:
    """What a system is built for.

    Attributes:
        tokens: fields of a picture.
        width: features of a field.
        scenes: kinds of scene the base tells apart.
        cells: partition → how many cells.
        sizes: of the net.
        points: how many places a gallery has; 0 without one.
    """

    tokens: int
    width: int
    scenes: int
    cells: Mapping[str, int]
    sizes: Sizes
    points: int = 0

    def size(self, name: str) -> int:
        """Return a size that must be a whole number.

        Raises:
            WeightsError: it is not named.
        """
        if name not in self.sizes:
            raise WeightsError(f"the system names no size {name!r}; train it again")
        return int(self.sizes[name])


class System(nn.Module):
    """One system; subclasses say what they are."""

    kind: ClassVar[str]
    title: ClassVar[str]
    judges_place: ClassVar[bool] = True
    judges_time: ClassVar[bool] = False
    sees_fields: ClassVar[bool] = False  # whether it looks at the fields one by one; the others see their mean
    SMALL: ClassVar[Sizes]
    """Sizes that learn on two cores from some thousand photos."""

    def __init__(self, layout: Layout) -> None:
        """Keep the layout; subclasses add layers."""
        super().__init__()
        self.layout = layout

    @property
    def heads(self) -> tuple[Head, ...]:
        """What its logits are about; empty for one that is trained otherwise."""
        return ()

    @property
    def place_names(self) -> str:
        """The partition whose cells are its places; "" when it has a gallery of its own."""
        return ""

    def forward(self, seen: Seen) -> dict[str, Tensor]:
        """Return logits by head."""
        raise NotImplementedError

    def place_logs(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return the logarithm of the mass at each of its places, ``[B, P]``."""
        raise NotImplementedError

    def time_logs(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return the logarithm of the mass over months and hours, ``[B, 12, 24]``, or a finer grid."""
        raise NotImplementedError

    def parents(self, partitions: Mapping[str, Partition]) -> None:
        """Take over what it must know of its partitions beside their sizes."""


def mlp(*widths: int) -> nn.Sequential:
    """Return linear layers with GELU between them."""
    layers: list[nn.Module] = []
    for first, second in itertools.pairwise(widths):
        layers += [nn.Linear(first, second), nn.GELU()]
    return nn.Sequential(*layers[:-1])


def block(width: int, heads: int, feedforward: int) -> nn.TransformerEncoderLayer:
    """Return one layer of a ViT: attention, then a feed-forward, each after a norm."""
    return nn.TransformerEncoderLayer(
        width, heads, feedforward, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )


class Hierarchy:
    """Partitions that lie within one another, coarsest first, and the product f* over them (ISNs, papers.md §5)."""

    def __init__(self, owner: nn.Module, names: tuple[str, ...], cells: Mapping[str, int]) -> None:
        """Lay out which cell lies in which; filled by :meth:`learn` or by the weights."""
        self.names = names
        self._owner = owner
        for name in names[1:]:
            owner.register_buffer(f"parent_{name}", torch.zeros(cells[name], dtype=torch.long))

    def learn(self, partitions: Mapping[str, Partition]) -> None:
        """Find the parents."""
        for coarse, fine in zip(self.names[:-1], self.names[1:], strict=True):
            rows = torch.from_numpy(partitions[fine].parents_in(partitions[coarse]))
            getattr(self._owner, f"parent_{fine}").copy_(rows)

    def product(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return the logarithm of the finest cells' probability times that of all cells they lie in, renormalised."""
        total = torch.log_softmax(said[self.names[0]].float(), dim=-1)
        for name in self.names[1:]:
            own = torch.log_softmax(said[name].float(), dim=-1)
            parent = getattr(self._owner, f"parent_{name}")
            total = own + torch.where(parent >= 0, total[:, parent.clamp_min(0)], torch.zeros_like(own))
        return torch.log_softmax(total, dim=-1)
