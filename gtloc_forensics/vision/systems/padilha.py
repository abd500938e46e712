"""Padilha et al. (TIFS 2022): does a picture fit the month, hour and place that are claimed for it?

Branches for the picture, the time and the place, joined, answer consistent or not. There
is no satellite picture here, so their S branch is left out, and so are its transient attributes.
The place may be hidden from it, so that it also answers where none is claimed. As an estimator it
is asked of every month and hour: fakes were drawn from the times of other photos, so its odds
tell how much likelier a time is for this picture than for any.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from gtloc_forensics.vision.systems.system import HOURS, MONTHS, Layout, Seen, Sizes, System

PUBLISHED: Sizes = {"picture": 256, "time": 256, "middle": 512, "out": 128, "joint": 256}
PUBLISHED_FEATURES = 1024  # of DenseNet-121


def branch(*widths: int) -> nn.Sequential:
    """Return linear layers, each with batch normalisation and ReLU."""
    layers: list[nn.Module] = []
    for first, second in itertools.pairwise(widths):
        layers += [nn.Linear(first, second), nn.BatchNorm1d(second), nn.ReLU()]
    return nn.Sequential(*layers)


def scaled(month: Tensor, hour: Tensor) -> Tensor:
    """Return (month − 1) / 11 and hour / 23, each brought to −1…1, as published: not cyclic."""
    return torch.stack([2.0 * month / (MONTHS - 1) - 1.0, 2.0 * hour / (HOURS - 1) - 1.0], dim=-1)


class Padilha(System):
    """Consistent or not, from picture, time and (perhaps) place."""

    kind = "padilha"
    title = "Padilha et al.: is a claimed time consistent with the picture"
    judges_place, judges_time = False, True
    SMALL: ClassVar[Sizes] = PUBLISHED

    prior: Tensor

    def __init__(self, layout: Layout) -> None:
        """Lay out the branches."""
        super().__init__(layout)
        size = layout.size
        self.picture = branch(layout.width, size("picture"), size("out"))
        self.time = branch(2, size("time"), size("middle"), size("out"))
        self.place = branch(3, size("time"), size("middle"), size("out"))
        self.joint = nn.Sequential(
            branch(3 * size("out"), size("joint"), 2 * size("joint")), nn.Linear(2 * size("joint"), 2)
        )
        self.register_buffer("prior", torch.full((MONTHS, HOURS), 1.0 / (MONTHS * HOURS)))

    def consistent(self, picture: Tensor, time: Tensor, place: Tensor, known: Tensor) -> Tensor:
        """Return the logit that a claim is true.

        Args:
            picture: ``[B, out]`` from its branch.
            time: ``[B, 2]`` as :func:`scaled` gives it.
            place: ``[B, 3]`` unit vectors.
            known: ``[B]`` 1 where the place is told, 0 where it is hidden.
        """
        there = self.place(place) * known[:, None]
        said = self.joint(torch.cat([picture, self.time(time), there], dim=-1))
        return said[:, 1] - said[:, 0]  # type: ignore[no-any-return]

    def forward(self, seen: Seen) -> dict[str, Tensor]:
        """Return the logit of every month and hour with the place hidden, ``[B, 12, 24]``."""
        picture = self.picture(seen.pooled)
        month, hour = torch.meshgrid(
            torch.arange(MONTHS, device=picture.device), torch.arange(HOURS, device=picture.device), indexing="ij"
        )
        times = scaled(month.flatten().float(), hour.flatten().float())
        nowhere = picture.new_zeros((len(times), 3))
        rows = [
            self.consistent(own.expand(len(times), -1), times, nowhere, nowhere[:, 0]).view(MONTHS, HOURS)
            for own in picture
        ]
        return {"consistent": torch.stack(rows) if rows else picture.new_zeros((0, MONTHS, HOURS))}

    def time_logs(self, said: Mapping[str, Tensor]) -> Tensor:
        """Return odds times how usual each time was among the photos learned from."""
        odds = logsigmoid(said["consistent"]) - logsigmoid(-said["consistent"])
        logs = odds.float() + self.prior.clamp_min(1e-9).log()
        return torch.log_softmax(logs.flatten(1), dim=-1).view_as(logs)
