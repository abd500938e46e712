"""Of many pictures only those are compared whose hashes share a part, and none that is alike is missed."""

from __future__ import annotations

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
    monkeypatch.setattr(look_alikes, "FEWEST_IN_PARTS", 10**9)
    each_with_each = look_alikes.clusters(made, most_bits=most_bits)
    pairs = list(look_alikes.near_pairs(made, most_bits))
    assert sorted(each_with_each) == joined(len(made), pairs)
    monkeypatch.setattr(look_alikes, "FEWEST_IN_PARTS", 1)
    assert sorted(look_alikes.clusters(made, most_bits=most_bits)) == sorted(each_with_each)
    assert list(look_alikes.near_pairs(made, most_bits)) == pairs
    assert any(len(cluster) > 2 for cluster in each_with_each) or not most_bits
