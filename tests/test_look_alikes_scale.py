"""Of many pictures only those are compared whose hashes share a part, and none that is alike is missed."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from gtloc_forensics.checks import look_alikes


def hashes(count: int, seed: int) -> list[int]:
    """Return hashes of which every third is a neighbour of another, at up to five bits."""
    rng = np.random.default_rng(seed)
    made = rng.integers(0, 2**64, count, dtype=np.uint64)
    for place in range(0, count, 3):
        near = int(made[rng.integers(count)])
        for bit in rng.choice(64, rng.integers(0, 6), replace=False):
            near ^= 1 << int(bit)
        made[place] = near
    made[: count // 50] = made[0] ^ np.arange(count // 50, dtype=np.uint64)  # frames of one dark view
    return [int(value) for value in made]


def joined(count: int, pairs: list[tuple[int, int]]) -> list[tuple[int, ...]]:
    sets = [{place} for place in range(count)]
    for first, second in pairs:
        if sets[first] is not sets[second]:
            sets[first] |= sets[second]
            for place in sets[second]:
                sets[place] = sets[first]
    return sorted({tuple(sorted(members)) for members in sets})


@pytest.mark.parametrize("most_bits", [0, 1, 2, 3, 4])
def test_none_is_missed_of_those_that_are_near(most_bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = hashes(3_000, most_bits)
    pairs = list(look_alikes.near_pairs(made, most_bits))  # compares each with each
    for most_in_a_table in (2, 256):
        monkeypatch.setattr(look_alikes, "MOST_IN_A_TABLE", most_in_a_table)
        found = look_alikes.clusters(made, most_bits=most_bits)
        assert sorted(found) == joined(len(made), pairs)
        assert any(len(cluster) > 2 for cluster in found) or not most_bits


def test_clusters_of_nothing_and_of_one_picture() -> None:
    assert look_alikes.clusters([], most_bits=2) == ()
    assert look_alikes.clusters([7], most_bits=2) == ((0,),)


def test_many_hashes_are_looked_up_in_some_columns_of_numbers() -> None:
    made = np.random.default_rng(1).integers(0, 2**64, 20_000, dtype=np.uint64)
    tracemalloc.start()
    try:
        look_alikes.Clusters(made, most_bits=2)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 100 * len(made)
