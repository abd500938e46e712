"""The small picture of a photo and what is counted on it: the same with any model and none, in the right colours."""

from __future__ import annotations

import colorsys
import io
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from test_decode import HEIC, decoded, grey_profile, profile_with_gamma, quarters, refusal, saved

from gtloc_forensics.decode import Decoder, Job
from gtloc_forensics.decode.likeness import perceptual_hash, tones

SIDES = (96, 224, 384, 518, 1600)
"""Short sides that models, and the review page, ask for."""


@cache
def scene(width: int, height: int, *, seed: int = 5) -> Image.Image:
    """A picture with coarse and fine detail in every colour."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (7, 9, 3), np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    grain = rng.normal(0, 12, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(coarse, np.float64) + grain, 0, 255).astype(np.uint8))


def swapped_primaries() -> bytes:
    """An sRGB profile whose red and green primaries (ICC.1:2022, tags rXYZ and gXYZ) have changed places."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    count = struct.unpack(">I", srgb[128:132])[0]
    at = {srgb[start : start + 4]: start for start in range(132, 132 + 12 * count, 12)}
    red, green = at[b"rXYZ"], at[b"gXYZ"]
    whole = bytearray(srgb)
    whole[red + 4 : red + 12], whole[green + 4 : green + 12] = srgb[green + 4 : green + 12], srgb[red + 4 : red + 12]
    return bytes(whole)


def preview(made: Any) -> Image.Image:
    return Image.open(io.BytesIO(made.preview_jpeg)).convert("RGB")


# --------------------------------------------------------------------------- with any model and with none


@pytest.mark.parametrize("size", [(683, 512), (512, 910), (2200, 1650), (300, 200)])
def test_a_jpeg_has_one_small_picture_and_one_set_of_facts_whatever_a_model_asks_for(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    content = saved(scene(*size), "JPEG", quality=90, icc_profile=swapped_primaries())
    without = decoded(tmp_path, content, wants_pixels=False)
    for side in SIDES:
        made = decoded(tmp_path, content, short_side=side)
        assert made.image == without.image
        assert made.preview_jpeg == without.preview_jpeg
        assert min(made.shown.rgb.shape[:2]) == min(side, *size)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "BMP", "AVIF", "GIF", "MPO"])
def test_so_has_a_picture_of_every_other_kind(tmp_path: Path, kind: str) -> None:
    options: dict[str, Any] = {"save_all": True, "append_images": [scene(80, 60)]} if kind == "MPO" else {}
    content = saved(scene(900, 600), kind, **options)
    without = decoded(tmp_path, content, wants_pixels=False)
    assert {decoded(tmp_path, content, short_side=side).preview_jpeg for side in SIDES} == {without.preview_jpeg}
    assert all(decoded(tmp_path, content, short_side=side).image == without.image for side in SIDES)


def test_so_has_a_heic_and_the_preview_of_a_raw_file(tmp_path: Path) -> None:
    pytest.importorskip("pi_heif")
    raw = b"II*\0\x10\0\0\0CR\x02\0"
    embedded = saved(scene(1200, 800), "JPEG")
    for content, options in ((HEIC, {}), (raw, {"preview": embedded, "orientation": 6})):
        without = decoded(tmp_path, content, wants_pixels=False, **options)
        for side in SIDES:
            made = decoded(tmp_path, content, short_side=side, **options)
            assert (made.image, made.preview_jpeg) == (without.image, without.preview_jpeg)


@pytest.mark.parametrize("side", [224, 384, 518])
@pytest.mark.parametrize("size", [(683, 512), (2800, 2100), (300, 200)])
def test_what_a_model_sees_is_the_whole_picture_resized_once_then_converted(
    tmp_path: Path, size: tuple[int, int], side: int
) -> None:
    """Written out here as it was when the shipped model was calibrated: not a bit of it may change."""
    profile = profile_with_gamma(2.0)
    content = saved(scene(*size), "JPEG", quality=88, icc_profile=profile)
    stored = Image.open(io.BytesIO(content))
    stored.draft("RGB", (round(side * 1.5),) * 2)
    stored.load()
    if (scale := side / min(stored.size)) < 1.0:
        shape = (max(side, round(stored.width * scale)), max(side, round(stored.height * scale)))
        stored = stored.resize(shape, Image.Resampling.BICUBIC, reducing_gap=2.0)
    wanted = ImageCms.profileToProfile(
        stored,
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    assert np.array_equal(decoded(tmp_path, content, short_side=side).shown.rgb, np.asarray(wanted))


# --------------------------------------------------------------------------- the small picture


@pytest.mark.parametrize(
    ("size", "kind", "shown"),
    [
        ((683, 512), "JPEG", (342, 256)),
        ((2800, 2100), "JPEG", (350, 263)),
        ((2000, 1500), "PNG", (400, 300)),
        ((300, 200), "PNG", (300, 200)),
        ((2400, 600), "PNG", (640, 160)),
    ],
)
def test_the_small_picture_is_large_enough_to_look_at(
    tmp_path: Path, size: tuple[int, int], kind: str, shown: tuple[int, int]
) -> None:
    assert preview(decoded(tmp_path, saved(scene(*size), kind))).size == shown


@pytest.mark.parametrize("profile", [swapped_primaries(), profile_with_gamma(1.8), profile_with_gamma(3.2)])
@pytest.mark.parametrize(("size", "kind"), [((683, 512), "JPEG"), ((1600, 1200), "JPEG"), ((900, 700), "PNG")])
def test_colours_are_those_that_littlecms_gives_the_whole_picture(
    tmp_path: Path, size: tuple[int, int], kind: str, profile: bytes
) -> None:
    """Converted whole and shrunk after: the mean of any 32nd of the picture lies within 3 of 255 of it."""
    content = saved(scene(*size), kind, icc_profile=profile)
    whole = Image.open(io.BytesIO(content)).convert("RGB")
    authority = ImageCms.profileToProfile(
        whole,
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    assert authority is not None
    made = decoded(tmp_path, content, wants_pixels=False)
    wanted, unconverted, found = (
        np.asarray(picture.resize((8, 4), Image.Resampling.BOX), np.int64)
        for picture in (authority, whole, preview(made))
    )
    assert np.abs(found - wanted).max() <= 3
    assert np.abs(unconverted - wanted).max() > 12, "the profile changes nothing, so nothing was tested"
    assert made.image.mean_luminance == pytest.approx(tones(authority).mean_luminance, abs=0.006)
    assert made.image.saturation == pytest.approx(tones(authority).saturation, abs=0.04)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK", "P", "1", "I;16", "YCbCr"])
def test_every_mode_is_shown_in_its_colours(tmp_path: Path, mode: str) -> None:
    drawn = quarters(1200, 900)
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(drawn.convert("L")).astype(np.uint16) * 257)
    else:
        picture = drawn.convert(mode, dither=Image.Dither.NONE, palette=Image.Palette.ADAPTIVE)
    made = decoded(tmp_path, saved(picture, "TIFF"), wants_pixels=False)
    grey = mode in ("L", "LA", "1", "I;16")
    wanted = (
        drawn.convert("1", dither=Image.Dither.NONE) if mode == "1" else drawn.convert("L" if grey else "RGB")
    ).convert("RGB")
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
        found = preview(made).getpixel((round(x * 400), round(y * 300)))
        there = wanted.getpixel((round(x * 1200), round(y * 900)))
        assert max(abs(int(a) - int(b)) for a, b in zip(found, there, strict=True)) <= 12, (mode, found, there)


def test_a_grey_picture_with_a_profile_is_shown_by_it(tmp_path: Path) -> None:
    made = decoded(tmp_path, saved(Image.new("L", (900, 700), 128), "PNG", icc_profile=grey_profile(1.0)))
    assert preview(made).getpixel((100, 100)) == pytest.approx((188, 188, 188), abs=3)


@pytest.mark.parametrize("wants_pixels", [False, True])
@pytest.mark.parametrize("size", [(683, 512), (2400, 1800)])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_truncated_picture_is_refused_with_how_much_is_missing(
    tmp_path: Path, size: tuple[int, int], progressive: bool, wants_pixels: bool
) -> None:
    content = saved(scene(*size), "JPEG", progressive=progressive)
    for share, words in ((0.5, "% of its rows are missing"), (1.0, "its end is missing")):
        cut = content[: int(share * len(content)) - 2]
        why = refusal(tmp_path, cut, wants_pixels=wants_pixels, short_side=518)
        assert ("its last scans are missing" if progressive else words) in why, why


# --------------------------------------------------------------------------- what is counted


def test_tones_are_those_of_the_definitions() -> None:
    rng = np.random.default_rng(2)
    rgb = rng.integers(0, 256, (24, 31, 3), np.uint8)
    rgb[:4] = (9, 9, 9)
    rgb[4:6] = 0
    flat = [tuple(int(value) for value in pixel) for pixel in rgb.reshape(-1, 3)]
    luma = [(0.2126 * red + 0.7152 * green + 0.0722 * blue) for red, green, blue in flat]
    bins = np.bincount([int(value // 8) for value in luma], minlength=32)
    found = tones(Image.fromarray(rgb))
    assert found.mean_luminance == pytest.approx(sum(luma) / len(luma) / 255, abs=1e-12)
    hsv = [colorsys.rgb_to_hsv(*(value / 255 for value in pixel)) for pixel in flat]
    assert found.saturation == pytest.approx(sum(saturation for _, saturation, _ in hsv) / len(hsv), abs=1e-7)
    assert found.uniformity == pytest.approx(bins.max() / len(flat), abs=1e-12)


def test_an_even_picture_is_wholly_of_one_tone() -> None:
    for level in (0, 7, 8, 128, 255):
        found = tones(Image.new("RGB", (20, 10), (level,) * 3))
        assert (found.uniformity, found.saturation) == (1.0, 0.0)
        assert found.mean_luminance == pytest.approx(level / 255)


def test_the_hash_is_imagehashs_on_noise_scenes_ramps_and_even_tones() -> None:
    import imagehash

    rng = np.random.default_rng(7)
    pictures = [Image.fromarray(rng.integers(0, 256, (50, 70, 3), np.uint8)) for _ in range(40)]
    pictures += [scene(320, 240, seed=seed) for seed in range(20)]
    pictures += [Image.new("RGB", (97, 61), (level,) * 3) for level in (0, 1, 77, 255)]
    pictures += [
        Image.linear_gradient("L").convert("RGB"),
        Image.radial_gradient("L").convert("RGB"),
        quarters(342, 256),
    ]
    for picture in pictures:
        assert f"{perceptual_hash(picture):016x}" == str(imagehash.phash(picture))


def test_a_picture_and_its_larger_copy_have_nearly_one_hash(tmp_path: Path) -> None:
    drawn = scene(224, 301)
    hashes = [
        decoded(tmp_path, saved(drawn.resize((224 * k // 4, 301 * k // 4), Image.Resampling.BICUBIC), "PNG")).image
        for k in (4, 5, 7, 8, 13, 20)
    ]
    assert max((hashes[0].perceptual_hash ^ other.perceptual_hash).bit_count() for other in hashes) <= 2


def test_workers_say_the_same_as_this_process(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(saved(scene(683, 512), "JPEG", icc_profile=swapped_primaries()))
    jobs = [Job(path, "photo", "image/jpeg", short_side=side, wants_pixels=side > 0) for side in (0, 224, 518)]
    with Decoder(1) as pool, Decoder(0) as here:
        answers = [made for decoder in (pool, here) for _, made in decoder.stream(jobs, window=2)]
    assert len({(made.image, made.preview_jpeg) for made in answers}) == 1
