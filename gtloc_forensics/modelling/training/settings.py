"""What a training run is told; written beside its result, so that it can be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gtloc_forensics.errors import UsageError


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train the heads and encoders on a frozen backbone.

    The optimiser's numbers are ours: the paper's are not published (papers.md §8).

    Attributes:
        steps: optimiser steps in all.
        batch: rows per step.
        learning_rate: peak; linear warm-up, then half a cosine down to zero.
        weight_decay: of AdamW.
        warmup_steps: of the learning rate.
        time_target: ``paper`` 1 − softmax(δ), nearly flat; ``kernel`` exp(−δ/γ), normalised.
        gamma: γ in turns of the torus.
        time_negatives: what a time is told from: the times of the batch and a ``queue`` of
            earlier ones, as published (learns how much likelier than usual), or a ``grid`` over the whole
            torus (learns the density itself, night included).
        queue: length of the place queue, and of the time queue.
        place_weight: of the place loss against the time loss.
        weak_weight: of a row with a weak label against one with a time.
        datable_weight: of the loss of the ``datable`` head.
        same_place_km: another photo no farther than this is no negative of a place.
        place_noise_km: standard deviation of the noise on places, each axis (GeoCLIP: 0.15).
        group_power: a group of n photos is drawn with probability ∝ n to this power: 0 draws
            every source alike, as the official loader draws cameras; 1 every photo alike.
        feature_dropout: share of image features zeroed while training.
        views: how many views of each photo to cache: the plain one, and crops and mirrorings. Colours
            are never changed: they tell the time.
        validate_every: steps between lines of the log.
        checkpoint_every: steps between checkpoints.
        seed: of everything random.
    """

    steps: int = 3000
    batch: int = 256
    learning_rate: float = 3e-4
    weight_decay: float = 1e-3
    warmup_steps: int = 100
    time_target: Literal["paper", "kernel"] = "kernel"
    gamma: float = 0.05
    time_negatives: Literal["queue", "grid"] = "queue"
    queue: int = 4096
    place_weight: float = 1.0
    weak_weight: float = 0.3
    datable_weight: float = 1.0
    same_place_km: float = 1.0
    place_noise_km: float = 0.15
    group_power: float = 0.0
    feature_dropout: float = 0.1
    views: int = 1
    validate_every: int = 200
    checkpoint_every: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained with.

        Raises:
            UsageError: naming the setting.
        """
        for name in ("steps", "batch", "queue", "views", "validate_every", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise UsageError(f"training setting {name} must be at least 1")
        for name in ("learning_rate", "gamma"):
            if not getattr(self, name) > 0.0:
                raise UsageError(f"training setting {name} must be positive")
        if not 0.0 <= self.feature_dropout < 1.0:
            raise UsageError("training setting feature_dropout lies in [0, 1)")
