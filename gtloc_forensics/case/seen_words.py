"""How surely photos show what is sought in words, as the heads of the model tell from the embeddings of a case."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gtloc_forensics.case.query_words import Sought

_LARGEST_LOGIT = 50.0


@dataclass(frozen=True, slots=True)
class SeenWord:
    """How surely one thing that is sought is seen in a photo, and how often that is right.

    Attributes:
        name: of the thing.
        is_absent: it is sought that it is not there.
        probability: that it is there, as far as the word head tells.
        is_told: whether that is over the head's threshold, so that the photo is said to show it.
        precision: of the photos said to show it, the share that did where that was measured; and its interval.
    """

    name: str
    is_absent: bool
    probability: float
    is_told: bool
    precision: tuple[float, float, float]


def seen_words(sought: Sought, embeddings: Sequence[NDArray[np.float32]]) -> list[SeenWord]:
    """Return of each unit embedding how surely it shows what is sought."""
    from gtloc_forensics.vision import words  # not for who asks for no words

    concept = sought.concept
    return [
        SeenWord(
            name=concept.name,
            is_absent=sought.absent,
            probability=1.0 / (1.0 + math.exp(-logit)),
            is_told=logit >= concept.threshold,
            precision=concept.precision,
        )
        for logit in np.clip(words.logits(concept, embeddings), -_LARGEST_LOGIT, _LARGEST_LOGIT).tolist()
    ]


def log_share(seen: Iterable[SeenWord]) -> float:
    """Return the log of the probability that all holds that is sought, as if each were told alone."""
    shares = (1.0 - word.probability if word.is_absent else word.probability for word in seen)
    return sum(math.log(max(share, 1e-30)) for share in shares)


def words_met(seen: Iterable[SeenWord]) -> int:
    """Return how many of the words a photo is said to meet, by their thresholds: those come before any likeness."""
    return sum(word.is_told != word.is_absent for word in seen)
