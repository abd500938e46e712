"""Pictures to what the backbones see: resized, cropped, still 8-bit; on the CPU, in any thread.

A prepared picture is one flat uint8 array: for each extractor, in the manifest's
order, its crops ``[K, 3, S, S]`` one after the other. Values become floats on the
device, where that is cheap, so little memory waits in queues.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gtloc_forensics.vision.manifest import ExtractorSpec

PREPROCESSING = "views-1"
"""Names what happens to pixels before a backbone; raised when it changes."""

# A strip longer than this many times its width is cut at both ends first: resizing its short side to 224 px
# would otherwise make a picture of many million pixels, of which only the middle square is used.
LONGEST_STRIP = 8

_FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def prepare(rgb: NDArray[np.uint8], specs: Sequence[ExtractorSpec]) -> NDArray[np.uint8]:
    """Return the views of one picture.

    Args:
        rgb: ``[H, W, 3]``.
        specs: the extractors of the manifest.

    Returns:
        ``[P]`` with P the sum of K · 3 · S² over the extractors.
    """
    picture = _without_ends(Image.fromarray(np.ascontiguousarray(rgb)))
    return np.concatenate([_crops(picture, spec).ravel() for spec in specs])


def unpack(prepared: Sequence[NDArray[np.uint8]], specs: Sequence[ExtractorSpec]) -> list[NDArray[np.uint8]]:
    """Return one ``[B · K, 3, S, S]`` array per extractor, the crops of a picture side by side.

    Raises:
        ValueError: when an array was prepared for other extractors.
    """
    batch = np.stack(prepared)
    sizes = [spec.crops * 3 * spec.input_px**2 for spec in specs]
    if batch.ndim != 2 or batch.shape[1] != sum(sizes):
        raise ValueError("the pictures were prepared for another model")
    parts = np.split(batch, np.cumsum(sizes)[:-1], axis=1)
    return [part.reshape(-1, 3, spec.input_px, spec.input_px) for part, spec in zip(parts, specs, strict=True)]


def _crops(picture: Image.Image, spec: ExtractorSpec) -> NDArray[np.uint8]:
    side = spec.input_px
    if spec.crop == "squash":
        return _planes(picture.resize((side, side), _FILTERS[spec.interpolation]))[None]
    resized = _short_side(picture, spec)
    right, lower = resized.width - side, resized.height - side
    centre = (round(right / 2.0), round(lower / 2.0))
    corners = [(0, 0), (right, 0), (0, lower), (right, lower)] if spec.crop == "ten" else []
    crops = [_planes(resized.crop((x, y, x + side, y + side))) for x, y in [*corners, centre]]
    mirrored = [crop[:, :, ::-1] for crop in crops] if spec.crop == "ten" else []
    return np.stack([*crops, *mirrored])


def _short_side(picture: Image.Image, spec: ExtractorSpec) -> Image.Image:
    short = min(picture.size)
    size = tuple(max(spec.short_side_px, int(spec.short_side_px * side / short)) for side in picture.size)
    return picture.resize((size[0], size[1]), _FILTERS[spec.interpolation])


def _without_ends(picture: Image.Image) -> Image.Image:
    longest = LONGEST_STRIP * min(picture.size)
    width, height = min(picture.width, longest), min(picture.height, longest)
    left, upper = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, upper, left + width, upper + height))


def _planes(picture: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(picture, dtype=np.uint8).transpose(2, 0, 1)
