"""Numbers that say what a small upright picture is like: its hash, its light, its likeness to a thumbnail.

No file is opened here; pictures come in as Pillow images of at most some hundred pixels a side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BAR_LEVEL = 16  # of 255: the black of video range, and what JPEG makes of pure black bars


def perceptual_hash(picture: Image.Image) -> int:
    """Return the 64-bit DCT hash of a picture (imagehash's ``phash``), the first bit highest."""
    import imagehash  # slow to import, and only workers need it

    bits = imagehash.phash(picture).hash
    return int.from_bytes(np.packbits(bits.ravel()).tobytes(), "big")


def light(picture: Image.Image) -> tuple[float, float]:
    """Return mean luma and mean HSV saturation of an RGB picture, both 0–1.

    Luma has BT.709 weights and is taken of the encoded values. The planes come apart before anything is counted, and
    whole numbers stay whole until they are divided: the same values as in floats throughout, in a third of the time.
    """
    red, green, blue = (np.asarray(plane) for plane in picture.split())  # [H, W] uint8 each
    luma = np.multiply(red, np.float32(0.2126), dtype=np.float32)
    luma += np.multiply(green, np.float32(0.7152), dtype=np.float32)
    luma += np.multiply(blue, np.float32(0.0722), dtype=np.float32)
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    saturation = np.divide(high - low, np.maximum(high, 1), dtype=np.float32)  # black has none
    return float(luma.mean(dtype=np.float64)) / 255.0, float(saturation.mean(dtype=np.float64))


def uniformity(rgb: NDArray[np.uint8]) -> float:
    """Return the share of the pixels whose luma lies in the fullest of 32 equal bins, 0–1.

    Photographs of scenes stay under a half; cards, screens and empty frames reach 0.8 and more.
    """
    luma = rgb.astype(np.float32) @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    counts = np.bincount((luma / 8.0).astype(np.int64).ravel(), minlength=32)
    return float(counts.max() / counts.sum())


def thumbnail_hash(views: Sequence[Image.Image], *, of: int, aspect: float) -> int:
    """Return the hash of the view of a thumbnail that is nearest to the picture it should show.

    Args:
        views: the thumbnail as stored, and turned like the picture: programs disagree on which it is.
        of: the hash of the picture, upright.
        aspect: its width over its height.
    """
    hashes = [perceptual_hash(_without_bars(view, aspect)) for view in views]
    return min(hashes, key=lambda bits: (bits ^ of).bit_count())


def _without_bars(picture: Image.Image, aspect: float) -> Image.Image:
    """Cut the black bars off a thumbnail of another shape (DCF wants 160 × 120 whatever the picture is)."""
    width, height = picture.size
    if aspect > width / height:
        kept = max(1, round(width / aspect))
        box = (0, (height - kept) // 2, width, (height - kept) // 2 + kept)
    else:
        kept = max(1, round(height * aspect))
        box = ((width - kept) // 2, 0, (width - kept) // 2 + kept, height)
    inner = picture.crop(box)
    cut_light = float(np.asarray(picture, np.float64).sum() - np.asarray(inner, np.float64).sum())
    cut_pixels = width * height - inner.width * inner.height
    return inner if cut_pixels and cut_light / (3 * cut_pixels) < BAR_LEVEL else picture
