"""Whatever a picture's numbers mean, to sRGB: bit depths, palettes, transparency, colour profiles.

What had to be assumed on the way is appended to ``notes``, for a person to read.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

GREY = (128, 128, 128)  # behind transparency: neither day nor night

Picture: TypeAlias = Image.Image

_BAD_PROFILE = (ImageCms.PyCMSError, OSError, ValueError, TypeError)


def plain_mode(picture: Picture, notes: list[str]) -> Picture:
    """Return the picture in a mode that can be resized without loss: L, LA, RGB, RGBA, CMYK, LAB or YCbCr."""
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        return _eight_bits(picture, notes)
    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode in ("P", "PA"):
        return picture.convert("RGBA" if picture.mode == "PA" or "transparency" in picture.info else "RGB")
    if picture.mode in ("L", "RGB") and "transparency" in picture.info:
        return picture.convert("RGBA")
    return picture


def _eight_bits(picture: Picture, notes: list[str]) -> Picture:
    """Scale 16 bits by their full range; 32 bits and floats, which have none, by the values that occur."""
    deep = np.asarray(picture)
    result = Image.fromarray((deep >> 8).astype(np.uint8) if deep.dtype.itemsize == 2 else _stretched(deep, notes))
    if "icc_profile" in picture.info:
        result.info["icc_profile"] = picture.info["icc_profile"]
    return result


def _stretched(deep: NDArray[Any], notes: list[str]) -> NDArray[np.uint8]:
    values = np.nan_to_num(deep.astype(np.float32), posinf=0.0, neginf=0.0)  # [H, W]
    low, high = float(values.min()), float(values.max())
    if low >= 0 and 1 < high <= 65535:  # how Pillow hands out some 16-bit pictures
        low, high = 0.0, 65535.0
    else:
        notes.append("brightness stretched: its numbers have no stated range")
    scaled: NDArray[np.float32] = (values - low) * np.float32(255.0 / ((high - low) or 1.0)) + np.float32(0.5)
    return np.clip(scaled, 0, 255).astype(np.uint8)


def in_srgb(picture: Picture, notes: list[str]) -> Picture:
    """Return the picture as sRGB in mode RGB, by its colour profile where it has a sound one."""
    opaque = _over_grey(picture, notes)
    icc = picture.info.get("icc_profile")
    if opaque.mode == "LAB":
        transform = ImageCms.buildTransform(ImageCms.createProfile("LAB"), _srgb(), "LAB", "RGB")
        return ImageCms.applyTransform(opaque, transform) or opaque
    if isinstance(icc, bytes) and icc and opaque.mode in ("RGB", "L", "CMYK"):
        try:
            return ImageCms.applyTransform(opaque, _to_srgb(icc, opaque.mode)) or opaque
        except _BAD_PROFILE:
            notes.append("its colour profile is broken; taken as sRGB")
    elif opaque.mode == "CMYK":
        notes.append("CMYK without a colour profile; colours are approximate")
    return opaque.convert("RGB")


def _over_grey(picture: Picture, notes: list[str]) -> Picture:
    if picture.mode not in ("LA", "La", "RGBA", "RGBa"):
        return picture
    with_alpha = picture.convert("RGBA")
    if with_alpha.getchannel("A").getextrema() != (255, 255):
        notes.append("transparent parts shown over grey")
    behind = Image.new("RGB", picture.size, GREY)
    behind.paste(with_alpha, mask=with_alpha.getchannel("A"))
    return behind


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@lru_cache(maxsize=64)
def _to_srgb(icc: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    return ImageCms.buildTransform(profile, _srgb(), mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
