"""Landscapes made from numbers that a model takes for photos: clouds, a ridge, textured ground; no outline."""

from __future__ import annotations

import numpy as np
from PIL import Image


def landscape(number: int, *, daylight: float = 1.0, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """Return a landscape of its own for each *number*; *daylight* 0–1 dims it."""
    draw = np.random.default_rng(number)
    rows = np.linspace(0.0, 1.0, size[1])[:, None, None]
    clouds = 0.6 * _patches(draw, (12, 8), size) + 0.3 * _patches(draw, (32, 24), size)
    white = np.clip(clouds + 0.15 * _patches(draw, (80, 60), size) - 0.2, 0.0, 1.0)
    sky = np.array([95.0, 150.0, 225.0]) * (1.0 - 0.7 * white) + 245.0 * 0.7 * white + 60.0 * (rows - 0.3)
    columns = np.arange(size[0])
    ridge = 0.55 + 0.12 * np.cumsum(draw.normal(0.0, 0.02, size[0])) + 0.03 * np.sin(columns / (40.0 + number))
    coarse = draw.normal(0.0, 14.0, (size[1] // 4 + 1, size[0] // 4 + 1, 1)).repeat(4, axis=0).repeat(4, axis=1)
    grain = coarse[: size[1], : size[0]] + draw.normal(0.0, 10.0, (size[1], size[0], 3))
    ground = np.array([88.0, 105.0, 55.0]) * (0.7 + 0.5 * _patches(draw, (14, 10), size)) + grain
    picture = np.where(rows < ridge[None, :, None], sky, ground) * daylight
    noisy = picture + draw.normal(0.0, 3.0, (size[1], size[0], 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _patches(draw: np.random.Generator, cells: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """Return soft patches 0–1, ``[H, W, 1]``."""
    coarse = draw.integers(0, 255, cells[::-1], dtype=np.uint8)
    soft = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(soft, dtype=np.float64)[..., None] / 255.0
