"""Which pictures look alike by their 64-bit hash: near pairs and clusters, at a cost that grows with their number.

Equal hashes are one node, so ten thousand frames of a fixed camera are some hundred nodes
and no heap of pairs. Where more different hashes than :data:`LARGEST_BUCKET` share a band,
they are compared with leaders only, each the first of its look; beyond :data:`MOST_LEADERS` what
no leader is near is *crowded*: nothing can be said of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

BANDS = 4
BAND_BITS = 16
ROWS_AT_ONCE = 8_192
LARGEST_BUCKET = 500  # different hashes that share a band; more of them are compared with leaders
MOST_LEADERS = 2_000


class Unions:
    """Sets of numbers that grow together: union and find with halving of paths."""

    def __init__(self, size: int) -> None:
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


@dataclass(frozen=True, slots=True)
class Clusters:
    """Numbers of pictures by look, each cluster in ascending order; those in ``crowded`` could not be compared."""

    members: tuple[tuple[int, ...], ...]
    crowded: frozenset[int]


def clusters(hashes: Sequence[int], *, most_bits: int) -> Clusters:
    """Return the pictures in clusters whose neighbours differ by at most *most_bits*, those alone included."""
    nodes = {value: number for number, value in enumerate(dict.fromkeys(hashes))}
    values = np.array(list(nodes), dtype=np.uint64)
    unions = Unions(len(values))
    for first, second in near_pairs(list(nodes), most_bits):
        unions.join(first, second)
    crowded = _linked_by_leaders(values, unions, most_bits)
    members: dict[int, list[int]] = {}
    for number, value in enumerate(hashes):
        members.setdefault(unions.find(nodes[value]), []).append(number)
    lonely = {unions.find(node) for node in crowded}
    return Clusters(
        tuple(tuple(numbers) for numbers in members.values()),
        frozenset(
            number for root, numbers in members.items() if root in lonely and len(numbers) == 1 for number in numbers
        ),
    )


def _linked_by_leaders(values: NDArray[np.uint64], unions: Unions, most_bits: int) -> list[int]:
    """Join the values of crowded bands to the first near one before them; return those that could not be compared."""
    in_crowd = np.zeros(len(values), bool)
    for band in range(BANDS):
        keys = ((values >> np.uint64(BAND_BITS * band)) & np.uint64(0xFFFF)).astype(np.int64)
        in_crowd |= np.bincount(keys, minlength=1 << BAND_BITS)[keys] > LARGEST_BUCKET
    leaders = np.zeros(MOST_LEADERS, np.uint64)
    names: list[int] = []
    uncompared: list[int] = []
    for node in np.flatnonzero(in_crowd).tolist():
        near = np.bitwise_count(leaders[: len(names)] ^ values[node]) <= most_bits
        if near.any():
            unions.join(names[int(near.argmax())], node)
        elif len(names) < MOST_LEADERS:
            leaders[len(names)] = values[node]
            names.append(node)
        else:
            uncompared.append(node)
    return uncompared


def near_pairs(hashes: Sequence[int], most_bits: int) -> list[tuple[int, int]]:
    """Return the pairs of places, lower first, whose 64-bit hashes differ by at most *most_bits* (11 or less).

    Of four bands one differs by a quarter of the bits at most, so pairs are looked up under
    each band with that many bits turned (multi-index hashing; Norouzi, Punjani and Fleet 2012).
    Of bands that more than :data:`LARGEST_BUCKET` share none are returned.
    """
    values = np.array(hashes, dtype=np.uint64)
    turned = [
        np.uint64(sum(1 << bit for bit in bits))
        for count in range(most_bits // BANDS + 1)
        for bits in combinations(range(BAND_BITS), count)
    ]
    found: set[tuple[int, int]] = set()
    for band in range(BANDS):
        keys = (values >> np.uint64(BAND_BITS * band)) & np.uint64(0xFFFF)
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        for mask in turned:
            found.update(_within(values, keys ^ mask, order=order, ordered=ordered, most_bits=most_bits))
    return sorted(found)


def _within(
    values: NDArray[np.uint64],
    wanted: NDArray[np.uint64],
    *,
    order: NDArray[np.int64],
    ordered: NDArray[np.uint64],
    most_bits: int,
) -> Iterator[tuple[int, int]]:
    """Yield the near pairs of which the second lies in the bucket that the first one's *wanted* key names."""
    starts, ends = (np.searchsorted(ordered, wanted, side) for side in ("left", "right"))
    widths = np.where(ends - starts > LARGEST_BUCKET, 0, ends - starts)
    for begin in range(0, len(values), ROWS_AT_ONCE):
        rows = slice(begin, begin + ROWS_AT_ONCE)
        width = widths[rows]
        first = np.repeat(np.arange(begin, begin + len(width)), width)
        place = np.arange(len(first)) - np.repeat(np.cumsum(width) - width, width)
        second = order[np.repeat(starts[rows], width) + place]
        near = (first < second) & (np.bitwise_count(values[first] ^ values[second]) <= most_bits)
        yield from zip(first[near].tolist(), second[near].tolist(), strict=True)
