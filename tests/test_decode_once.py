"""No picture is resized, hashed or converted twice, and nothing is made of it that nobody reads."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gtloc_forensics.decode import likeness, pixels
from gtloc_forensics.decode.pool import Decoder, Job


def picture(path: Path, *, orientation: int = 1) -> tuple[Path, bytes]:
    """Write a JPEG of 1200 × 900 with a thumbnail of 160 × 120 in its Exif block."""
    drawn = Image.radial_gradient("L").resize((1200, 900)).convert("RGB")
    out = io.BytesIO()
    drawn.resize((160, 120)).save(out, "JPEG")
    exif = Image.Exif()
    exif[0x0112] = orientation
    drawn.save(path, exif=exif)
    return path, out.getvalue()


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes of the pictures that were hashed."""
    sizes: list[tuple[int, int]] = []
    real = likeness.perceptual_hash

    def counted(seen: Image.Image) -> int:
        sizes.append(seen.size)
        return real(seen)

    monkeypatch.setattr(likeness, "perceptual_hash", counted)
    monkeypatch.setattr(pixels, "perceptual_hash", counted)
    return sizes


@pytest.mark.parametrize(("orientation", "views"), [(1, [(160, 120)]), (6, [(160, 120), (120, 160)])])
def test_a_picture_is_hashed_once_and_each_view_of_its_thumbnail_once(
    orientation: int, views: list[tuple[int, int]], tmp_path: Path, hashed: list[tuple[int, int]]
) -> None:
    path, thumbnail = picture(tmp_path / "a.jpg", orientation=orientation)
    made = pixels.decode(path, "a", "image/jpeg", thumbnail=thumbnail)
    assert hashed[0] == made.shown.rgb.shape[1::-1]
    assert len(hashed) == 1 + len(views)
    assert made.image.thumbnail_hash is not None


def test_a_large_jpeg_is_decoded_small_and_resized_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = picture(tmp_path / "a.jpg")
    sizes: list[tuple[tuple[int, int], tuple[int, int]]] = []
    real = Image.Image.resize

    def counted(self: Image.Image, size: tuple[int, int], *more: object, **options: object) -> Image.Image:
        sizes.append((self.size, tuple(size)))
        return real(self, size, *more, **options)

    monkeypatch.setattr(Image.Image, "resize", counted)
    pixels.decode(path, "a", "image/jpeg", short_side=256)
    small, hash_size = (341, 256), (32, 32)
    assert sizes == [((600, 450), small), (small, hash_size)]


def test_pixels_are_copied_out_for_a_model_alone(tmp_path: Path) -> None:
    path, _ = picture(tmp_path / "a.jpg")
    job = Job(path, "a", "image/jpeg", wants_pixels=False)
    with Decoder(0) as decoder:
        ((_, without),) = decoder.stream([job], window=1)
    shown = pixels.decode(path, "a", "image/jpeg")
    assert isinstance(without, pixels.Decoded)
    assert without.pixels is None
    assert (without.image, without.preview_jpeg) == (shown.image, shown.preview_jpeg)


def in_floats(rgb: np.ndarray) -> tuple[float, float]:
    """Return the light of a picture, worked out in floats throughout: what cases hold."""
    red, green, blue = (rgb[:, :, channel].astype(np.float32) for channel in range(3))
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    high = np.maximum(np.maximum(red, green), blue)
    low = np.minimum(np.minimum(red, green), blue)
    saturation = (high - low) / np.maximum(high, 1.0)
    return float(luma.mean(dtype=np.float64)) / 255.0, float(saturation.mean(dtype=np.float64))


@pytest.mark.parametrize("seed", range(8))
def test_the_light_of_a_picture_is_the_same_to_the_last_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 1 + 255 // (1 + seed % 3), (97 + 41 * seed, 131, 3), np.uint8)
    rgb[: 10 * seed] = (8 * seed, 8 * seed, 8 * seed)
    assert likeness.light(Image.fromarray(rgb)) == in_floats(rgb)
