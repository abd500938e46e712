"""What a system should have said of photos: cells, smoothed by distance or not, hours, months, scenes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from gtloc_forensics.earth.globe import EARTH_RADIUS_KM
from gtloc_forensics.earth.partitions import Partition
from gtloc_forensics.earth.sphere import unit_vectors
from gtloc_forensics.modelling.phototable import PhotoTable
from gtloc_forensics.vision.systems.system import HOURS, MONTHS, Head

NONE = -100
"""Target of a photo that does not know it; no loss."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known of the photos a system learns from, row by row."""

    table: PhotoTable
    vectors: Tensor  # [N, 3] unit vectors of places, zero where there is none
    turns: Tensor  # [N, 2] of year and day, zero where there is none
    placed: Tensor  # [N] bool
    timed: Tensor  # [N] bool
    scene: Tensor  # [N] the kind of scene the base sees, −100 without one

    @property
    def month(self) -> Tensor:
        """``[N]`` 0…11."""
        return (self.turns[:, 0] * MONTHS).long() % MONTHS

    @property
    def hour(self) -> Tensor:
        """``[N]`` 0…23."""
        return (self.turns[:, 1] * HOURS).long() % HOURS


def truth_of(table: PhotoTable, scenes: Tensor) -> Truth:
    """Return what is known of a table's photos; *scenes* are ``[N, S]`` as the base sees them."""
    latitude, longitude = np.nan_to_num(table.latitude_deg), np.nan_to_num(table.longitude_deg)
    turns = np.nan_to_num(np.column_stack([table.year_turn, table.day_turn]))
    kinds = scenes.argmax(dim=-1) if scenes.shape[-1] else torch.full((len(table),), NONE)
    return Truth(
        table,
        torch.from_numpy(unit_vectors(latitude, longitude).astype(np.float32)),
        torch.from_numpy(turns.astype(np.float32)),
        torch.from_numpy(table.placed),
        torch.from_numpy(table.timed),
        kinds,
    )


class Targets:
    """The targets of every head, made once."""

    def __init__(self, heads: tuple[Head, ...], truth: Truth, partitions: Mapping[str, Partition]) -> None:
        """Find the cell of each photo in each partition."""
        self._truth = truth
        self._centres = {
            name: torch.from_numpy(unit_vectors(cells.latitude_deg, cells.longitude_deg).astype(np.float32))
            for name, cells in partitions.items()
        }
        self._own = {
            head.partition: torch.from_numpy(_own_cells(partitions[head.partition], truth.table))
            for head in heads
            if head.target == "cell"
        }

    def loss(self, head: Head, logits: Tensor, rows: Tensor) -> Tensor:
        """Return the mean loss of one head over those of the rows that know its truth; 0 when none does."""
        known, target = self._target(head, rows)
        if not bool(known.any()):
            return logits.sum() * 0.0
        return cross_entropy(logits[known].float(), target[known])

    def _target(self, head: Head, rows: Tensor) -> tuple[Tensor, Tensor]:
        truth = self._truth
        if head.target == "cell":
            own = self._own[head.partition][rows]
            return own >= 0, own
        if head.target == "haversine":
            return truth.placed[rows], self._smoothed(head, rows)
        if head.target == "scene":
            return truth.scene[rows] >= 0, truth.scene[rows]
        if head.target == "bin":
            return truth.timed[rows], bins_near(truth.turns[rows], gamma_turns=head.scale)
        return truth.timed[rows], (truth.hour if head.target == "hour" else truth.month)[rows]

    def _smoothed(self, head: Head, rows: Tensor) -> Tensor:
        """Return exp(−(distance − that of the nearest) / τ), normalised."""
        cosine = (self._truth.vectors[rows] @ self._centres[head.partition].T).clamp(-1.0, 1.0)
        return torch.softmax(-EARTH_RADIUS_KM * torch.arccos(cosine) / head.scale, dim=-1)


def bins_near(turns: Tensor, *, gamma_turns: float) -> Tensor:
    """Return exp(−δ / γ) over the 288 month-hour bins, normalised; δ on the torus, in turns."""
    year, day = ((torch.arange(cells) + 0.5) / cells for cells in (MONTHS, HOURS))
    bins = torch.cartesian_prod(year, day)
    apart = (turns[:, None] - bins[None]).abs()
    apart = torch.minimum(apart, 1.0 - apart)
    return torch.softmax(-apart.square().sum(dim=-1).sqrt() / gamma_turns, dim=-1)


def _own_cells(partition: Partition, table: PhotoTable) -> NDArray[np.int64]:
    own = np.full(len(table), NONE, dtype=np.int64)
    rows = np.flatnonzero(table.placed)
    if len(rows):
        own[rows] = partition.cells_of(table.latitude_deg[rows], table.longitude_deg[rows])
    return own
