"""The words that a model was taught to see: one straight cut through its embedding each, with how often it is right.

They lie beside the weights in ``words.json`` and are bound to them by hash, as a calibration is. The manifest does not
name the file: what a picture is searched by is no part of what an audit says, and must not change its fingerprint.
Neither torch nor a picture is needed: the embedding that a case keeps is enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.files import hashing
from gtloc_forensics.records import Sentence
from gtloc_forensics.vision import manifest

WORDS = "words.json"
FORMAT = 1

Figure = tuple[float, float, float]
"""A share, and the ends of its 95 % interval over sources."""


class Concept(msgspec.Struct, frozen=True):
    """What can be seen in a picture, how it is asked for, and how well it was learned.

    Attributes:
        name, name_de: of it.
        words: all that stand for it, case-folded, English and German.
        auc: how often a picture that shows it scores above one that does not.
        threshold: the logit from which on it is said to be shown.
        precision: of the pictures said to show it, the share that does; depends on how common it is.
        recall: of those that show it, the share that is said to.
        prevalence: the share of the pictures it was measured on that show it.
        positives, positive_sources: how many pictures that is, of how many sources.
        photos, sources: all that it was measured on.
        weights: ``[D]``, empty where it was not learned well enough to be used.
        bias: of the logit.
    """

    name: str
    name_de: str
    words: tuple[str, ...]
    auc: Figure
    threshold: float
    precision: Figure
    recall: Figure
    prevalence: float
    positives: int
    positive_sources: int
    photos: int
    sources: int
    weights: tuple[float, ...] = ()
    bias: float = 0.0


class WordHeads(msgspec.Struct, frozen=True, dict=True):
    """``words.json``."""

    format: int
    weights_sha256: str
    concepts: tuple[Concept, ...]
    refused: tuple[Concept, ...] = ()
    made_from: Mapping[str, str | int | float] = {}
    sha256: str = ""

    @cached_property
    def known(self) -> Mapping[str, Concept]:
        """The concept behind each word, case-folded."""
        return {word: concept for concept in self.concepts for word in concept.words}

    @cached_property
    def not_learned(self) -> Mapping[str, Concept]:
        """The concept behind each word that was tried and is not told well enough."""
        return {word: concept for concept in self.refused for word in concept.words}


def read(folder: Path, *, weights_sha256: str) -> WordHeads | None:
    """Return the words of the model in *folder*; None where it has none.

    Args:
        folder: of a model.
        weights_sha256: of the weights whose embeddings are searched.

    Raises:
        WeightsError: the file is damaged, or belongs to other weights.
    """
    path = manifest.place_within(folder, WORDS)
    if not path.is_file():
        return None
    try:
        content = manifest.read_within(folder, WORDS, most_bytes=_MOST_BYTES)
        heads = msgspec.json.decode(content, type=WordHeads)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WeightsError(
            Sentence("{path} holds no words ({why}); add the model again", path=str(path), why=str(error))
        ) from error
    if heads.format != FORMAT or not all(map(_is_sound, heads.concepts)):
        raise WeightsError(
            Sentence("{path} is of another form, or a number in it is none; add the model again", path=str(path))
        )
    if heads.weights_sha256 != weights_sha256:
        raise WeightsError(
            Sentence(
                "{path} was made for other weights than those that looked at the case; learn the words anew "
                "(docs/search.md), or add the model again",
                path=str(path),
            )
        )
    return msgspec.structs.replace(heads, sha256=hashing.sha256_of(path.resolve()))


_MOST_BYTES = 4 << 20


def _is_sound(concept: Concept) -> bool:
    return bool(concept.weights) and all(map(math.isfinite, (*concept.weights, concept.bias, concept.threshold)))


def logits(concept: Concept, embeddings: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Return of each unit embedding how strongly it shows the concept, ``[N]``: the log of its odds.

    Raises:
        WeightsError: the embeddings are of another length.
    """
    table = np.stack(embeddings).astype(np.float64)
    if table.shape[1] != len(concept.weights):
        raise WeightsError(
            Sentence(
                "{name:quoted} was learned on embeddings of another length; add the model again", name=concept.name
            )
        )
    return np.asarray(table @ np.array(concept.weights) + concept.bias, np.float64)
