"""Finds pictures whose perceptual hashes are near one another, exactly and in linear memory.

The look-up alone: what a likeness means is a rule's to say (GF406). Nothing is left out
where many pictures are alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

HASH_BYTES = 8
SHORTEST_PART_BITS = 16
"""Parts that are shorter are shared by so many hashes that comparing every one with every other is as quick."""

MOST_IN_A_TABLE = 256
"""Hashes that share a part and are compared in one table; more are asked of an index, one after another."""

HITS_AT_ONCE = 4_000_000
"""Most answers of the index that are in memory at a time (12 bytes each), or one picture's where that is more."""


class Unions:
    """Sets of numbers that grow together: union and find with halving of paths."""

    def __init__(self, size: int) -> None:
        """Begin with each of *size* numbers in a set of its own."""
        self._parents = list(range(size))

    def find(self, node: int) -> int:
        """Return the number that stands for the set of *node*."""
        while self._parents[node] != node:
            self._parents[node] = self._parents[self._parents[node]]
            node = self._parents[node]
        return node

    def join(self, first: int, second: int) -> bool:
        """Join two sets; False where they were one already."""
        first, second = sorted((self.find(first), self.find(second)))
        self._parents[second] = first
        return first != second


class Clusters:
    """Places of pictures in clusters whose neighbours differ by at most some bits, those alone included.

    Equal hashes are one node, and no pair is made: ten thousand frames of one view are one
    cluster at the cost of comparing their hashes. Some numbers a picture are held; the clusters are
    made anew each time they are asked for.
    """

    def __init__(self, hashes: ArrayLike, *, most_bits: int) -> None:
        """Compare *hashes*, of 64 bits each."""
        values, inverse = np.unique(np.asarray(hashes, dtype=np.uint64), return_inverse=True)
        names = _joined(values, most_bits)[inverse]
        self._places = np.argsort(names, kind="stable")  # cluster by cluster, ascending within each
        begins = np.flatnonzero(np.diff(names[self._places], prepend=-1))
        self._begins = begins[np.argsort(self._places[begins], kind="stable")]  # in the order of their first pictures
        self._sizes = np.diff(np.append(begins, len(names)))[np.argsort(self._places[begins], kind="stable")]

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        """Yield the clusters in the order of their first pictures, each in ascending order."""
        for begin, size in zip(self._begins, self._sizes, strict=True):
            yield tuple(self._places[begin : begin + size].tolist())

    def shared(self) -> Iterator[tuple[int, ...]]:
        """Yield those of several pictures."""
        for begin, size in zip(self._begins, self._sizes, strict=True):
            if size > 1:
                yield tuple(self._places[begin : begin + size].tolist())


def clusters(hashes: Sequence[int], *, most_bits: int) -> tuple[tuple[int, ...], ...]:
    """Return the places of pictures in clusters; see :class:`Clusters`."""
    return tuple(Clusters(hashes, most_bits=most_bits))


def _joined(values: NDArray[np.uint64], most_bits: int) -> NDArray[np.int64]:
    """Return for each of distinct *values* the number of its cluster."""
    label, sets = np.arange(len(values)), dict[int, list[int]]()
    for rows in _alike_rows(values, most_bits):
        if len(rows) > 1 and len(found := np.unique(label[rows]).tolist()) > 1:
            largest = max(found, key=lambda name: len(sets.get(name, (name,))))
            joined = sets.setdefault(largest, [largest])
            for name in found:
                if name != largest:  # the smaller are moved: no row is moved more often than sets can double
                    moved = sets.pop(name, [name])
                    label[moved] = largest
                    joined += moved
    return label


def _alike_rows(values: NDArray[np.uint64], most_bits: int) -> Iterator[NDArray[np.int64]]:
    """Yield rows of distinct *values*, each time one with some that are near it; all that are near come together once.

    Two hashes that differ by at most n bits are equal in one of n + 1 parts at least: those that share a part are all
    that has to be compared. Sorted by a part they lie side by side, so that some columns of numbers are all that is
    held; an index of parts holds 260 bytes a hash.
    """
    parts = most_bits + 1
    if 8 * HASH_BYTES // parts < SHORTEST_PART_BITS:
        yield from _near_rows(values, np.arange(len(values)), most_bits) if len(values) else ()
        return
    edges = [8 * HASH_BYTES * number // parts for number in range(parts + 1)]
    for low, high in pairwise(edges):
        part = values >> np.uint64(low) & np.uint64((1 << high - low) - 1)
        order = np.argsort(part, kind="stable")
        begins = np.flatnonzero(np.concatenate(([True], part[order[1:]] != part[order[:-1]], [True])))
        for number in np.flatnonzero(np.diff(begins) > 1).tolist():
            run = order[begins[number] : begins[number + 1]]
            yield from _near_in_run(values[run], run, most_bits)


def _near_in_run(values: NDArray[np.uint64], run: NDArray[np.int64], most_bits: int) -> Iterator[NDArray[np.int64]]:
    """Yield for each row of a *run* of some *values* the rows near it, itself too."""
    if len(run) > MOST_IN_A_TABLE:
        yield from (run[rows] for rows in _near_rows(values, np.arange(len(run)), most_bits))
        return
    apart = values[:, None] ^ values[None, :]
    for _ in range(most_bits):  # each turn takes the lowest set bit away
        apart &= apart - np.uint64(1)
    yield from (run[is_near] for is_near in apart == 0)


def near_pairs(hashes: Sequence[int], most_bits: int) -> Iterator[tuple[int, int]]:
    """Yield the pairs of places, lower first, whose 64-bit hashes differ by at most *most_bits*; in ascending order.

    Pairs are made as they are asked for: a thousand equal pictures are half a million of
    them, and whoever needs only the groups asks :func:`near_pairs` of the distinct hashes.
    """
    if not len(hashes):
        return
    values, inverse = np.unique(np.array(hashes, dtype=np.uint64), return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    places = np.split(order, np.cumsum(np.bincount(inverse))[:-1])  # of each distinct value, ascending
    for place, rows in enumerate(_near_rows(values, inverse, most_bits)):
        found = np.concatenate([places[row] for row in rows.tolist()])
        for second in np.sort(found[found > place]).tolist():
            yield place, second


def _near_rows(values: NDArray[np.uint64], asked: NDArray[np.int64], most_bits: int) -> Iterator[NDArray[np.int64]]:
    """Yield for each row *asked* about the rows of distinct *values* near it, itself too: all are compared with all."""
    import faiss  # slow to import, and only a case with many pictures that are alike, or with embeddings, needs it

    table = np.ascontiguousarray(values).view(np.uint8).reshape(-1, HASH_BYTES)
    index = faiss.IndexBinaryFlat(8 * HASH_BYTES)
    index.add(table)
    step = max(1, HITS_AT_ONCE // len(table))
    for begin in range(0, len(asked), step):
        wanted = np.ascontiguousarray(table[asked[begin : begin + step]])
        limits, _, rows = index.range_search(wanted, most_bits + 1)  # faiss: strictly nearer
        yield from (rows[limits[number] : limits[number + 1]] for number in range(len(wanted)))
