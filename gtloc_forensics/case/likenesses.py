"""How alike pictures are: by the cosine of embeddings, and by the bits in which perceptual hashes differ."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

HASH_BITS = 64


def cosines(vectors: Sequence[NDArray[np.float32] | None], query: NDArray[np.float32]) -> list[float | None]:
    """Return the inner product of each unit vector with a query; None where there is no vector."""
    known = [row for row, vector in enumerate(vectors) if vector is not None]
    found: list[float | None] = [None] * len(vectors)
    if known:
        import faiss  # slow to import, and only who asks for a likeness needs it

        table = np.stack([np.asarray(vectors[row], np.float32) for row in known])
        index = faiss.IndexFlatIP(table.shape[1])
        index.add(table)
        scores, rows = index.search(np.ascontiguousarray(query, np.float32)[None], len(known))
        for score, row in zip(scores[0].tolist(), rows[0].tolist(), strict=True):
            found[known[row]] = score
    return found


def hamming(hashes: Sequence[int], query: int) -> list[int]:
    """Return in how many of 64 bits each hash differs from a query."""
    if not hashes:
        return []
    import faiss

    index = faiss.IndexBinaryFlat(HASH_BITS)
    index.add(_bytes_of(hashes))
    bits, rows = index.search(_bytes_of([query]), len(hashes))
    found = [0] * len(hashes)
    for differing, row in zip(bits[0].tolist(), rows[0].tolist(), strict=True):
        found[row] = differing
    return found


def _bytes_of(hashes: Sequence[int]) -> NDArray[np.uint8]:
    return np.array(hashes, dtype=np.uint64).view(np.uint8).reshape(-1, HASH_BITS // 8)
