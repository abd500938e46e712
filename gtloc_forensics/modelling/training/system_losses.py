"""The losses of systems that do not merely classify: contrast, and true claims told from false ones."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from gtloc_forensics.modelling.training.system_targets import Targets, Truth
from gtloc_forensics.vision.systems.geoclip import GeoCLIP
from gtloc_forensics.vision.systems.padilha import Padilha, scaled
from gtloc_forensics.vision.systems.system import Seen, System
from gtloc_forensics.vision.systems.tiger import Tiger
from gtloc_forensics.vision.systems.zhai import Zhai

SAME_PLACE = 1.0 - 1e-8
"""Cosine of two places from which they are one (about 1 km): no negative of one another."""
_HIDDEN_PLACES = 0.5
_QUEUE = 4096


def loss(net: System, seen: Seen, rows: Tensor, truth: Truth, targets: Targets, draw: torch.Generator) -> Tensor:
    """Return what a step makes smaller: every head's loss, and what is the system's own.

    Args:
        net: the system.
        seen: the pictures of the step.
        rows: ``[B]`` which photos they are.
        truth: of all photos.
        targets: of the heads.
        draw: of everything random.
    """
    if isinstance(net, Padilha):
        return _padilha(net, seen, rows, truth, draw)
    if isinstance(net, GeoCLIP):
        return _geoclip(net, seen, rows, truth, draw)
    said = net(seen)
    total = torch.stack([head.weight * targets.loss(head, said[head.name], rows) for head in net.heads]).sum()
    if isinstance(net, Zhai):
        total = total + _with_place(net, seen, rows, truth)
    if isinstance(net, Tiger):
        total = total + _tiger(net, seen, rows, truth)
    return total


def _with_place(net: Zhai, seen: Seen, rows: Tensor, truth: Truth) -> Tensor:
    both = truth.placed[rows] & truth.timed[rows]
    if not bool(both.any()):
        return seen.fields.sum() * 0.0
    said = net.there(seen, truth.vectors[rows])
    return cross_entropy(said["hour"][both], truth.hour[rows][both]) + cross_entropy(
        said["month"][both], truth.month[rows][both]
    )


def _geoclip(net: GeoCLIP, seen: Seen, rows: Tensor, truth: Truth, draw: torch.Generator) -> Tensor:
    """Contrast against the places of the batch and of a queue, as GeoCLIP's classification view."""
    placed = truth.placed[rows]
    if not bool(placed.any()):
        return seen.fields.sum() * 0.0
    known = torch.nonzero(truth.placed).flatten()
    queue = known[torch.randint(len(known), (min(_QUEUE, len(known)),), generator=draw)]
    own = rows[placed]
    candidates = torch.cat([own, queue])
    with torch.no_grad():
        places = encoded_places(net, truth)[candidates]
    logits = net.log_scale.exp() * net.embedded(seen)[placed] @ places.T
    return cross_entropy(_without_twins(logits, truth.vectors[own], truth.vectors[candidates]), torch.arange(len(own)))


def encoded_places(net: GeoCLIP, truth: Truth) -> Tensor:
    """Return what the released encoder makes of the photos' places, computed once for a table."""
    kept = getattr(net, "_encoded_truth", None)
    if kept is None or len(kept) != len(truth.vectors):
        degrees = torch.rad2deg(
            torch.stack(
                [
                    torch.arcsin(truth.vectors[:, 2].clamp(-1, 1)),
                    torch.arctan2(truth.vectors[:, 1], truth.vectors[:, 0]),
                ],
                dim=-1,
            )
        )
        with torch.no_grad():
            kept = torch.cat([net.places(part) for part in torch.split(degrees, 512)])
        object.__setattr__(net, "_encoded_truth", kept)
    return kept


def _without_twins(logits: Tensor, own: Tensor, candidates: Tensor) -> Tensor:
    """Take out what is at the same place as a row but is not the row's own entry."""
    twins = own @ candidates.T > SAME_PLACE
    twins[torch.arange(len(own)), torch.arange(len(own))] = False
    return logits.masked_fill(twins, float("-inf"))


def _tiger(net: Tiger, seen: Seen, rows: Tensor, truth: Truth) -> Tensor:
    """InfoNCE of (v, l), (v, t), (v, lt), (l, vt), (t, vl), each both ways (papers.md §6.1)."""
    both = truth.placed[rows] & truth.timed[rows]
    placed, timed = truth.placed[rows], truth.timed[rows]
    degrees = torch.rad2deg(
        torch.stack(
            [
                torch.arcsin(truth.vectors[rows][:, 2].clamp(-1, 1)),
                torch.arctan2(truth.vectors[rows][:, 1], truth.vectors[rows][:, 0]),
            ],
            dim=-1,
        )
    )
    v, l_, t = net.picture_tokens(seen), net.place_tokens(degrees), net.time_tokens(truth.turns[rows])
    scale = net.log_scale.exp().clamp_max(100.0)
    terms = []
    pairs = [
        (placed, (v,), (l_,)),
        (timed, (v,), (t,)),
        (both, (v,), (l_, t)),
        (both, (l_,), (v, t)),
        (both, (t,), (v, l_)),
    ]
    for rows_known, first, second in pairs:
        if int(rows_known.sum()) > 1:
            one, other = (net.vector(*(kind[rows_known] for kind in side)) for side in (first, second))
            logits, own = scale * one @ other.T, torch.arange(len(one))
            terms.append(0.5 * (cross_entropy(logits, own) + cross_entropy(logits.T, own)))
    return torch.stack(terms).sum() if terms else seen.fields.sum() * 0.0


def _padilha(net: Padilha, seen: Seen, rows: Tensor, truth: Truth, draw: torch.Generator) -> Tensor:
    """Tell true times from those of other photos of the set, as often the one as the other; L2 as published."""
    timed = truth.timed[rows]
    if int(timed.sum()) < 2:
        return seen.fields.sum() * 0.0
    own = rows[timed]
    known = torch.nonzero(truth.timed).flatten()
    fake = known[torch.randint(len(known), (len(own),), generator=draw)]
    month, hour = truth.month, truth.hour
    differs = (month[fake] != month[own]) | (hour[fake] != hour[own])
    picture = net.picture(seen.pooled[timed])
    hidden = torch.rand(len(own), generator=draw) < _HIDDEN_PLACES
    place_known = (truth.placed[own] & ~hidden).float()
    losses = []
    for claimed, label in ((own, 1.0), (fake, 0.0)):
        times = scaled(month[claimed].float(), hour[claimed].float())
        logit = net.consistent(picture, times, truth.vectors[own], place_known)
        losses.append(binary_cross_entropy_with_logits(logit[differs], torch.full((int(differs.sum()),), label)))
    return torch.stack(losses).mean()
