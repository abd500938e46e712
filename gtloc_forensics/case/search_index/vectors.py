"""Embeddings in so few bytes that a million of them are compared in a fraction of a second: for choosing whom to read.

Up to some ten thousand are kept in half precision, more by product quantisation (faiss). Either is an approximation,
so a thousand of the best are compared again by the embeddings that the case holds, and those cosines are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

HALVES = "SQfp16"
FEWEST_TO_QUANTISE = 20_000
"""Embeddings; fewer are quick to compare in half precision, and too few to learn a code from."""

MOST_TO_LEARN_FROM = 20_480
"""For 256 centres each: more, and more rounds, took a minute longer and found no more of the nearest."""

_ROUNDS = 8
_NUMBERS_A_BYTE = (6, 4, 5, 3, 2)
"""How many numbers of an embedding one byte stands for: the first of these that divides its length."""


@dataclass(frozen=True, slots=True)
class Code:
    """How embeddings are coded.

    Attributes:
        kind: as faiss's factory has it, "" where there are no embeddings.
        size: how many numbers one has.
        learned: faiss's own bytes of the code.
    """

    kind: str
    size: int
    learned: NDArray[np.uint8]

    def index(self) -> Any:
        """Return an empty faiss index of this code."""
        import faiss  # slow to import, and only who asks for a likeness needs it

        return faiss.deserialize_index(np.ascontiguousarray(self.learned))

    def coded(self, embeddings: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return ``[N, bytes]``."""
        with _one_thread():
            return np.asarray(self.index().sa_encode(np.ascontiguousarray(embeddings, np.float32)), np.uint8)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Have faiss compute with one thread: on a busy machine its others wait for each other and burn time doing so."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def kind_of(count: int, size: int) -> str:
    """Return which code suits so many embeddings of a size; ``np``: not made polysemous, which takes two minutes."""
    if count < FEWEST_TO_QUANTISE:
        return HALVES
    numbers = next((each for each in _NUMBERS_A_BYTE if size % each == 0), 0)
    return f"PQ{size // numbers}np" if numbers else "SQ8"


def learned(kind: str, some: NDArray[np.float32]) -> Code:
    """Return a code of a kind, learned from *some* embeddings ``[N, size]``."""
    import faiss

    index = faiss.index_factory(some.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
    if kind.startswith("PQ"):
        index.pq.cp.niter = _ROUNDS  # type: ignore[attr-defined]
    if not index.is_trained:
        with _one_thread():
            index.train(np.ascontiguousarray(some, np.float32))
    return Code(kind, some.shape[1], faiss.serialize_index(index))


def best(code: Code, coded: Sequence[NDArray[np.uint8]], query: NDArray[np.float32], most: int) -> NDArray[np.int64]:
    """Return which of the *coded* embeddings, counted through all of them, seem nearest to a query; at most *most*."""
    index = code.index()
    for some in coded:
        if len(some):
            index.add_sa_codes(np.ascontiguousarray(some))
    most = min(most, index.ntotal)
    if not most:
        return np.empty(0, np.int64)
    with _one_thread():
        _, rows = index.search(np.ascontiguousarray(query, np.float32)[None], most)
    return np.asarray(rows[0][rows[0] >= 0], np.int64)
