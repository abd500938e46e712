"""Tileable fractal noise: clouds, grass, bark, ragged leaves, all from a few fixed tiles."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
SIDE = 256


@cache
def tile(seed: int, *, slope: float = 1.0) -> Array:
    """Return ``[256, 256]`` noise between 0 and 1 (uniform histogram) whose amplitude falls as frequency^-slope."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE)))
    fy, fx = np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :]
    radius = np.hypot(fy, fx)
    radius[0, 0] = 1.0
    field = np.fft.irfft2(spectrum * radius**-slope, s=(SIDE, SIDE))
    ranks = np.empty(field.size)
    ranks[np.argsort(field, axis=None, kind="stable")] = np.linspace(0.0, 1.0, field.size)
    return ranks.reshape(SIDE, SIDE).astype(np.float32)


def sample(noise: Array, u: Array, v: Array) -> Array:
    """Return the noise at points given in tiles (1 is one whole tile), bilinear, repeating."""
    x, y = np.mod(u, 1.0) * SIDE, np.mod(v, 1.0) * SIDE
    column, row = np.floor(x).astype(np.int32), np.floor(y).astype(np.int32)
    fx, fy = (x - column).astype(np.float32), (y - row).astype(np.float32)
    left, right, top, bottom = column % SIDE, (column + 1) % SIDE, row % SIDE, (row + 1) % SIDE
    upper = noise[top, left] * (1 - fx) + noise[top, right] * fx
    lower = noise[bottom, left] * (1 - fx) + noise[bottom, right] * fx
    return (upper * (1 - fy) + lower * fy).astype(np.float32)
