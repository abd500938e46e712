"""Zhai et al. (BMVC 2019): one trunk, classifiers of hour, month and place, and of the time at a known place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from gtloc_forensics.vision.systems.system import HOURS, MONTHS, Head, Layout, Seen, Sizes, System, mlp

CELLS = "cells"


class Zhai(System):
    """Three classifiers on one trunk; a branch that reads the place gives the time with the place known."""

    kind = "zhai"
    title = "Zhai et al.: classifiers of hour, month and place"
    judges_time = True
    SMALL: ClassVar[Sizes] = {"hidden": 256, "place": 64}

    def __init__(self, layout: Layout) -> None:
        """Lay out trunk, classifiers and the branch of the place."""
        super().__init__(layout)
        hidden, place = layout.size("hidden"), layout.size("place")
        self.trunk = nn.Sequential(nn.Linear(layout.width, hidden), nn.GELU())
        self.hour, self.month = mlp(hidden, HOURS), mlp(hidden, MONTHS)
        self.cells = mlp(hidden, layout.cells[CELLS])
        self.place_branch = nn.Sequential(nn.Linear(3, place), nn.GELU(), nn.Linear(place, place), nn.GELU())
        self.hour_there, self.month_there = mlp(hidden + place, HOURS), mlp(hidden + place, MONTHS)

    @property
    def heads(self) -> tuple[Head, ...]:
        """Hour, month and cell."""
        return (Head("hour", "hour"), Head("month", "month"), Head(CELLS, "cell", CELLS))

    @property
    def place_names(self) -> str:
        """Its cells are its places."""
        return CELLS

    def forward(self, seen: Seen) -> dict[str, Tensor]:
        """Return the logits of hour, month and cell."""
        trunk = self.trunk(seen.pooled)
        return {"hour": self.hour(trunk), "month": self.month(trunk), CELLS: self.cells(trunk)}

    def there(self, seen: Seen, places: Tensor) -> dict[str, Tensor]:
        """Return the logits of hour and month where the place is known, as unit vectors ``[B, 3]``."""
        both = torch.cat([self.trunk(seen.pooled), self.place_branch(places)], dim=-1)
        return {"hour": self.hour_there(both), "month": self.month_there(both)}

    def place_logs(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return the softmax over the cells."""
        return torch.log_softmax(said[CELLS].float(), dim=-1)

    def time_logs(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return hour and month as if they were independent, as their classifiers are."""
        month, hour = (torch.log_softmax(said[name].float(), dim=-1) for name in ("month", "hour"))
        return month[:, :, None] + hour[:, None, :]
