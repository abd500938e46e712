"""TIGeR (CVPR 2026) as far as it is published: one transformer layer shared by picture, place and time.

Tokens of the picture, of a place and of a time (Fourier features, one token per frequency) pass through
one and the same layer, alone or two kinds together; their mean is projected to a unit vector. Two
classifiers on the picture's vector, HEALPix cells and month-hour bins, are learned with soft targets and
order the gallery anew: score = cosine / ψ + β · log P(bin), β = β_max · (1 − H / log B) (papers.md §6.1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from gtloc_forensics.vision.encoders import RandomFourier, equal_earth
from gtloc_forensics.vision.systems.system import HOURS, MONTHS, Head, Layout, Seen, Sizes, System, block

CELLS, BINS = "healpix", "bins"
NSIDE = 8
PSI = 0.07
MOST_BETA = {"place": 1.0, "time": 2.0}
GAMMA_KM = 250.0
GAMMA_TURNS = 1.0 / MONTHS
"""The published γ = 1 of the torus, read as one month and two hours, for the reference names no unit."""
GRID = (36, 48)
PUBLISHED: Sizes = {"width": 1024, "heads": 64, "feedforward": 4096, "frequencies": 10}
PUBLISHED_LAYOUT = Layout(257, 1024, 0, {CELLS: 12 * NSIDE**2}, PUBLISHED, points=0)


class Tiger(System):
    """One shared layer, one projection, two classifiers, and a gallery of places."""

    kind = "tiger"
    title = "TIGeR: one layer shared by picture, place and time"
    sees_fields = True
    judges_time = True
    SMALL: ClassVar[Sizes] = {"width": 128, "heads": 8, "feedforward": 256, "frequencies": 4}

    gallery: Tensor
    gallery_cells: Tensor

    def __init__(self, layout: Layout) -> None:
        """Lay out embeddings, the shared layer, the projection and the classifiers."""
        super().__init__(layout)
        width, count = layout.size("width"), layout.size("frequencies")
        self.embed = nn.Linear(layout.width, width)
        self.place_fourier = nn.ModuleList(RandomFourier(2.0**k, count=width // 2, whole=False) for k in range(count))
        self.time_fourier = nn.ModuleList(RandomFourier(2.0**k, count=width // 2, whole=True) for k in range(count))
        self.kinds = nn.Parameter(torch.randn(3, width) * 0.02)  # what a token is of: picture, place, time
        self.shared = block(width, layout.size("heads"), layout.size("feedforward"))
        self.project = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width))
        self.classifiers = nn.ModuleDict(
            {CELLS: nn.Linear(width, layout.cells[CELLS]), BINS: nn.Linear(width, MONTHS * HOURS)}
        )
        self.log_scale = nn.Parameter(torch.tensor(math.log(1.0 / PSI)))
        self.register_buffer("gallery", torch.zeros(layout.points, 2))
        self.register_buffer("gallery_cells", torch.zeros(layout.points, dtype=torch.long))

    @property
    def heads(self) -> tuple[Head, ...]:
        """The HEALPix cells and the month-hour bins, both soft."""
        return (
            Head(CELLS, "haversine", CELLS, scale=GAMMA_KM),
            Head(BINS, "bin", scale=GAMMA_TURNS),
        )

    def picture_tokens(self, seen: Seen) -> Tensor:
        """Return ``[B, T, D]``."""
        tokens: Tensor = self.embed(seen.fields) + self.kinds[0]
        return tokens

    def place_tokens(self, latitude_longitude_deg: Tensor) -> Tensor:
        """Return ``[B, frequencies, D]``."""
        points = equal_earth(latitude_longitude_deg.float())
        return torch.stack([fourier(points) for fourier in self.place_fourier], dim=1) + self.kinds[1]

    def time_tokens(self, turns: Tensor) -> Tensor:
        """Return ``[B, frequencies, D]``; *turns* are of the year and of the day."""
        return torch.stack([fourier(turns.float()) for fourier in self.time_fourier], dim=1) + self.kinds[2]

    def vector(self, *tokens: Tensor) -> Tensor:
        """Return the unit vector of one kind of tokens, or of two that are seen together.

        Of two, the means over each kind are averaged and brought to unit length again.
        """
        seen = self.shared(torch.cat(tokens, dim=1))
        parts = seen.split([kind.shape[1] for kind in tokens], dim=1)
        means = [normalize(self.project(part.mean(dim=1)).float(), dim=-1) for part in parts]
        return normalize(torch.stack(means).mean(dim=0), dim=-1)

    def forward(self, seen: Seen) -> dict[str, Tensor]:
        """Return the picture's vector and the logits of both classifiers."""
        vector = self.vector(self.picture_tokens(seen))
        scaled = vector * math.sqrt(vector.shape[-1])
        return {"vector": vector} | {name: layer(scaled) for name, layer in self.classifiers.items()}

    def place_logs(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return the re-ranked scores of the gallery, normalised."""
        there = torch.cat([self.vector(self.place_tokens(part)) for part in torch.split(self.gallery, 4096)])
        cosine = said["vector"] @ there.T
        logs = torch.log_softmax(said[CELLS].float(), dim=-1)
        scores = cosine / PSI + MOST_BETA["place"] * _certainty(logs) * logs[:, self.gallery_cells]
        return torch.log_softmax(scores, dim=-1)

    def time_logs(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return the re-ranked scores of a grid of times, normalised, ``[B, 36, 48]``."""
        device = said["vector"].device
        year, day = ((torch.arange(cells, device=device) + 0.5) / cells for cells in GRID)
        turns = torch.cartesian_prod(year, day)
        cosine = said["vector"] @ self.vector(self.time_tokens(turns)).T
        logs = torch.log_softmax(said[BINS].float(), dim=-1)
        bins = (turns[:, 0] * MONTHS).long() * HOURS + (turns[:, 1] * HOURS).long()
        scores = cosine / PSI + MOST_BETA["time"] * _certainty(logs) * logs[:, bins]
        return torch.log_softmax(scores, dim=-1).view(-1, *GRID)


def _certainty(logs: Tensor) -> Tensor:
    """Return 1 − H / log B of each row, ``[B, 1]``: 0 for an even spread."""
    entropy = -(logs.exp() * logs).sum(dim=-1, keepdim=True)
    return (1.0 - entropy / math.log(logs.shape[-1])).clamp_min(0.0)
