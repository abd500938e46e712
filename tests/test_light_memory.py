"""Locating a camera by light holds a strip of the world at a time."""

from __future__ import annotations

import tracemalloc

import numpy as np

from gtloc_forensics.evidence.exposure import geolocation


def test_spreading_a_likelihood_over_neighbours_keeps_its_mass_and_little_memory() -> None:
    mass = np.random.default_rng(1).random(geolocation.CELLS)
    mass /= mass.sum()
    geolocation.cells()
    tracemalloc.start()
    spread = geolocation._spread(mass)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 40 << 20  # all cells against all others at once were 290 MiB
    assert abs(spread.sum() - 1.0) < 1e-9
    assert spread.std() < mass.std()
