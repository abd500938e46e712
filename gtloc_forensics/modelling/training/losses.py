"""The losses of GT-Loc, from the formulas: contrast of places, metric learning of times.

Both compare every picture of a batch with candidates (the batch itself and a queue, or
a grid) by a softmax over scaled cosines; they differ in the target. See papers.md §1.3.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from gtloc_forensics.earth.globe import EARTH_RADIUS_KM


def torus_distance(first: Tensor, second: Tensor) -> Tensor:
    """Return the flat-torus distances of ``[B, 2]`` and ``[C, 2]`` turns, ``[B, C]`` in [0, √½]."""
    gap = torch.abs(first[:, None, :] - second[None, :, :]) % 1.0
    return torch.minimum(gap, 1.0 - gap).square().sum(dim=-1).sqrt()


def time_target(distance: Tensor, *, kind: Literal["paper", "kernel"], gamma: float) -> Tensor:
    """Return the soft target over candidates.

    Args:
        distance: ``[B, C]`` torus distances.
        kind: ``paper``: 1 − softmax(δ), divided by its sum C − 1 so that the loss does not grow with
            the batch; its entries differ by about 1/C only. ``kernel``: exp(−δ/γ), normalised.
        gamma: γ in turns.

    Returns:
        ``[B, C]``, each row sums to 1.
    """
    if kind == "paper":
        if distance.shape[1] < 2:
            raise ValueError("the paper's target needs at least two candidates")
        return (1.0 - torch.softmax(distance, dim=1)) / (distance.shape[1] - 1)
    return torch.softmax(-distance / gamma, dim=1)


def soft_cross_entropy(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean over rows of ``−Σ q log p``.

    Args:
        logits: ``[B, C]``.
        target: ``[B, C]``, rows sum to 1.
        weight: ``[B]``; all zero gives 0.
    """
    losses = -(target * torch.log_softmax(logits.float(), dim=1)).sum(dim=1)
    return (losses * weight).sum() / weight.sum().clamp_min(1e-12)


def place_logits(logits: Tensor, places: Tensor, candidates: Tensor, *, same_place_km: float) -> Tensor:
    """Strike out candidates that are the same place as the row's own, other than its own.

    Args:
        logits: ``[B, C]``; candidate *i* < B is row *i*'s own.
        places: ``[B, 2]`` latitude, longitude in degrees.
        candidates: ``[C, 2]``.
        same_place_km: up to this far apart two photos show one place.
    """
    near = distance_km(places, candidates) <= same_place_km
    near[torch.arange(len(places)), torch.arange(len(places))] = False
    return logits.masked_fill(near, float("-inf"))


def distance_km(first: Tensor, second: Tensor) -> Tensor:
    """Return great-circle distances of ``[B, 2]`` and ``[C, 2]`` degrees by the haversine formula, ``[B, C]``."""
    a, b = torch.deg2rad(first.double())[:, None], torch.deg2rad(second.double())[None]
    half = torch.sin((a - b) / 2.0).square()
    chord = half[..., 0] + torch.cos(a[..., 0]) * torch.cos(b[..., 0]) * half[..., 1]
    return 2.0 * EARTH_RADIUS_KM * torch.asin(chord.clamp(0.0, 1.0).sqrt())
