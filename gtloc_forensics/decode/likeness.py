"""Numbers that say what a small upright picture is like: its hash, its tones, its likeness to a thumbnail.

No file is opened here; pictures come in as Pillow images of at most some hundred pixels a side. Whole numbers stay
whole until the last division, so that a picture has the same numbers on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BAR_LEVEL = 16  # of 255: the black of video range, and what JPEG makes of pure black bars

_LUMA_709 = (0.2126, 0.7152, 0.0722)  # ITU-R BT.709-6, of encoded values
_LUMA_SHARES = (13933, 46871, 4732)  # the same in 65536ths, as whole numbers
_TONES = 32

_HASHED_SIDE, _HASH_SIDE = 32, 8
_FINE = 20  # bits of a cosine: more than the 53 of a float would keep of the sums


def _cosines() -> NDArray[np.int64]:
    """Return the first rows of the cosine transform (DCT-II) of 32 values, ``[8, 32]`` in 2²⁰ths.

    Rounded alike on both sides of zero, so that every row but the first adds up to exactly nothing on an even tone.
    """
    turns = (2 * np.arange(_HASHED_SIDE) + 1)[None, :] * np.arange(_HASH_SIDE)[:, None] / (4 * _HASHED_SIDE)
    rows: NDArray[np.int64] = np.rint(np.cos(2 * np.pi * turns) * 2**_FINE).astype(np.int64)
    return rows


_COSINES = _cosines()


def perceptual_hash(picture: Image.Image) -> int:
    """Return the 64-bit DCT hash of a picture, the first bit highest.

    It is imagehash's ``phash``, bit for bit, in whole numbers: that package brings half of scipy with it, which takes
    longer to load than a decoding process needs for all else it does before its first picture
    (docs/decisions/0064-what-decoding-costs.md).
    """
    shrunk = picture.convert("L").resize((_HASHED_SIDE, _HASHED_SIDE), Image.Resampling.LANCZOS)
    low = (_COSINES @ np.asarray(shrunk, np.int64) @ _COSINES.T).ravel()
    ordered = np.sort(low)
    twice_median = ordered[low.size // 2 - 1] + ordered[low.size // 2]
    return int.from_bytes(np.packbits(2 * low > twice_median).tobytes(), "big")


@dataclass(frozen=True, slots=True)
class Tones:
    """How light and how colourful a picture is, and how much of it is of one tone.

    Attributes:
        mean_luminance: mean luma 0–1, with BT.709 weights of the encoded values.
        saturation: mean HSV saturation 0–1; black has none.
        uniformity: share of the pixels whose luma lies in the fullest of 32 equal bins, 0–1. Photographs of scenes
            stay under a half; cards, screens and empty frames reach 0.8 and more.
    """

    mean_luminance: float
    saturation: float
    uniformity: float


def tones(picture: Image.Image) -> Tones:
    """Return the tones of an RGB picture."""
    planes = tuple(np.asarray(plane) for plane in picture.split())  # [H, W] uint8: red, green, blue
    red, green, blue = planes
    sums = (int(plane.sum(dtype=np.uint64)) for plane in planes)
    luminance = sum(weight * total for weight, total in zip(_LUMA_709, sums, strict=True)) / (255.0 * red.size)
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    saturation = np.divide(high - low, np.maximum(high, 1), dtype=np.float32)
    luma = np.zeros(red.shape, np.uint32)
    for plane, share in zip(planes, _LUMA_SHARES, strict=True):
        luma += np.multiply(plane, np.uint32(share), dtype=np.uint32)
    luma >>= 19  # 16 bits of the shares, and 8 of 256 levels to each of the 32 bins
    fullest = int(np.bincount(luma.ravel(), minlength=_TONES).max())
    return Tones(luminance, float(saturation.mean(dtype=np.float64)), fullest / red.size)


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
    cut_pixels = width * height - (box[2] - box[0]) * (box[3] - box[1])
    if not cut_pixels:
        return picture
    inner = picture.crop(box)
    cut_light = sum(sign * int(np.asarray(seen).sum(dtype=np.uint64)) for sign, seen in ((1, picture), (-1, inner)))
    return inner if cut_light / (3 * cut_pixels) < BAR_LEVEL else picture
