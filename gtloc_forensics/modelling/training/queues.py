"""First in, first out: the negatives of earlier batches.

They live here and never in the model that is saved. A queue starts with points spread
over the land, or over the torus, instead of nonsense that must first be overwritten.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gtloc_forensics.earth import sphere


class Queue:
    """A ring of ``[length, 2]`` points; any number may be pushed at once."""

    def __init__(self, points: Tensor) -> None:
        """Begin with *points*, all of which may be replaced."""
        self.points = points
        self._next = 0

    def push(self, points: Tensor) -> None:
        """Put ``[n, 2]`` points in the place of the oldest; of more than fit, the last."""
        points = points[-len(self.points) :]
        rows = (self._next + torch.arange(len(points))) % len(self.points)
        self.points[rows] = points.detach().to(self.points)
        self._next = int((self._next + len(points)) % len(self.points))

    def state(self) -> dict[str, Tensor]:
        """Return what a checkpoint keeps."""
        return {"points": self.points.cpu(), "next": torch.tensor(self._next)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up where :meth:`state` left off."""
        self.points.copy_(state["points"])
        self._next = int(state["next"])


def place_queue(length: int, generator: torch.Generator, *, device: torch.device) -> Queue:
    """Return a queue of places in an even, shuffled spread over the land."""
    land = torch.from_numpy(sphere.land_points(max(64, length * 11 // 10)))[:, :2]
    rows = torch.randint(len(land), (length,), generator=generator)
    return Queue(land[rows].to(device))


def time_queue(length: int, generator: torch.Generator, *, device: torch.device) -> Queue:
    """Return a queue of times spread evenly over the torus."""
    return Queue(torch.rand(length, 2, generator=generator).to(device))
