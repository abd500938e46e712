"""One picture to pixels: the right way up, in the right colours, whole or not at all."""

from __future__ import annotations

import base64
import io
import re
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile

from gtloc_forensics.decode import Decoded, Limits, needs_preview
from gtloc_forensics.decode.pixels import decode
from gtloc_forensics.errors import DecodeRefused, MissingExtra
from gtloc_forensics.files.types import media_type

RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 160, 30), (30, 30, 200), (250, 250, 250)

# 128 × 96 by pillow-heif 1.8.1, quality 60: left half (200, 60, 40), right (40, 60, 200), top quarter (230, 230, 230).
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAVZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "ACJpbG9jAAAAAERAAAEAAQAAAAABegABAAAAAAAAAIwAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRt"
    "AAAAAAABAAAA1mlwcnAAAAC3aXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoBAgYWW6kkprm4CGgwIAAAMAMgAAAwACEGIAAQAHRAHBcrAiQAAAABNjb2xy"
    "bmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAACAAAAAYAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgQIDBAAAAJRt"
    "ZGF0AAAAiCgBrwngFFRf6/7T8k3qaKdkr/9J1//fB2XHWnLeSuoBYpnv1by/yMH+7ExO6qD/NdhnF+/I//8v1+/gox4SeM/ocLM1"
    "nXehUwB5oE1BF5sWP1lZB3K2A1BCku3R5MAvmDNfp5q5nYz7ACYIT62YCEiHaAV8Vma0qJqDrI5WT4rWYnYYoNRLf5g="
)


def quarters(width: int = 800, height: int = 600) -> Image.Image:
    """A picture with a colour of its own in every corner: red, green / blue, white."""
    picture = Image.new("RGB", (width, height))
    half = (width // 2, height // 2)
    for corner, colour in zip(((0, 0), (half[0], 0), (0, half[1]), half), (RED, GREEN, BLUE, WHITE), strict=True):
        picture.paste(colour, (*corner, corner[0] + half[0] + 1, corner[1] + half[1] + 1))
    return picture


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def decoded(tmp_path: Path, content: bytes, **options: Any) -> Decoded:
    path = tmp_path / "copy.bin"
    path.write_bytes(content)
    kind = options.pop("kind", None) or media_type(content[:64], name=b"")
    return decode(path, "0123456789abcdef", kind, **options)


def refusal(tmp_path: Path, content: bytes, **options: Any) -> str:
    with pytest.raises(DecodeRefused) as refused:
        decoded(tmp_path, content, **options)
    return refused.value.reason


def corners(result: Decoded) -> list[tuple[int, ...]]:
    rgb = result.pixels.rgb
    rows, columns = rgb.shape[0] // 8, rgb.shape[1] // 8
    return [tuple(int(v) for v in rgb[y, x]) for y in (rows, -rows) for x in (columns, -columns)]


def near(found: tuple[int, ...], wanted: tuple[int, ...], most: int = 15) -> bool:
    return max(abs(int(a) - b) for a, b in zip(found, wanted, strict=True)) <= most


def assert_corners(result: Decoded, *wanted: tuple[int, ...]) -> None:
    found = corners(result)
    assert all(near(a, b) for a, b in zip(found, wanted, strict=True)), found


# --------------------------------------------------------------------------- size and orientation


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "AVIF", "GIF"])
def test_every_common_format_comes_out_as_srgb_at_the_size_asked_for(tmp_path: Path, kind: str) -> None:
    result = decoded(tmp_path, saved(quarters(), kind), short_side=96)
    assert result.pixels.rgb.shape == (96, 128, 3)
    assert result.pixels.rgb.dtype == np.uint8
    assert (result.pixels.width, result.pixels.height) == (800, 600)
    assert (result.image.width, result.image.height, result.image.frames) == (800, 600, 1)
    assert_corners(result, RED, GREEN, BLUE, WHITE)
    assert result.image.note == ""


def test_a_picture_smaller_than_asked_for_stays_as_it_is(tmp_path: Path) -> None:
    assert decoded(tmp_path, saved(quarters(40, 30), "PNG"), short_side=96).pixels.rgb.shape == (30, 40, 3)


def test_one_pixel_is_a_picture(tmp_path: Path) -> None:
    assert decoded(tmp_path, saved(Image.new("RGB", (1, 1), RED), "PNG")).pixels.rgb.tolist() == [[list(RED)]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_is_turned_upright_by_its_orientation(tmp_path: Path, orientation: int) -> None:
    """EXIF 2.32, orientation: which side of the scene row 0 and column 0 are."""
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = quarters()
    stored = upright.transpose(turns[orientation]) if orientation in turns else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    result = decoded(tmp_path, saved(stored, "JPEG", exif=exif), short_side=96)
    assert (result.pixels.width, result.pixels.height) == (800, 600)
    assert_corners(result, RED, GREEN, BLUE, WHITE)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert_corners(decoded(tmp_path, saved(quarters(), "JPEG", exif=exif)), RED, GREEN, BLUE, WHITE)


def test_a_strip_is_no_picture(tmp_path: Path) -> None:
    assert "a strip" in refusal(tmp_path, saved(Image.new("L", (10_000, 10)), "PNG"))


def test_a_panorama_keeps_its_short_side(tmp_path: Path) -> None:
    assert decoded(tmp_path, saved(quarters(4000, 200), "JPEG"), short_side=100).pixels.rgb.shape == (100, 2000, 3)


# --------------------------------------------------------------------------- colour


def profile_with_gamma(gamma: float) -> bytes:
    """An sRGB profile whose tone curves (ICC.1:2022 §10.18, parametric, first parameter g) have another gamma."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    standard, other = struct.pack(">i", round(2.4 * 65536)), struct.pack(">i", round(gamma * 65536))
    assert standard in srgb
    return srgb.replace(standard, other)


def test_a_colour_profile_is_applied(tmp_path: Path) -> None:
    plain = decoded(tmp_path, saved(quarters(), "PNG"))
    same = decoded(tmp_path, saved(quarters(), "PNG", icc_profile=profile_with_gamma(2.4)))
    darker = decoded(tmp_path, saved(quarters(), "PNG", icc_profile=profile_with_gamma(4.0)))
    assert np.abs(plain.pixels.rgb.astype(int) - same.pixels.rgb).max() <= 2
    assert plain.image.mean_luminance - darker.image.mean_luminance > 0.05
    assert darker.image.note == ""


def grey_profile(gamma: float) -> bytes:
    """The smallest profile of a grey display (ICC.1:2001-04): a white point and a tone curve."""
    d50 = struct.pack(">3i", 63190, 65536, 54061)
    white = b"XYZ \0\0\0\0" + d50
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = struct.pack(">I4sII4sII", 2, b"wtpt", 156, len(white), b"kTRC", 156 + len(white), len(curve))
    size = 156 + len(white) + len(curve)
    head = struct.pack(">I4sI4s4s4s", size, b"\0" * 4, 0x02400000, b"mntr", b"GRAY", b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + d50
    return head.ljust(128, b"\0") + tags + white + curve


def test_a_grey_picture_with_a_grey_profile_is_converted_by_it(tmp_path: Path) -> None:
    grey = Image.new("L", (64, 64), 128)
    light = decoded(tmp_path, saved(grey, "PNG", icc_profile=grey_profile(1.0))).image
    dark = decoded(tmp_path, saved(grey, "PNG", icc_profile=grey_profile(3.0))).image
    assert light.note == dark.note == ""
    assert light.mean_luminance == pytest.approx(188 / 255, abs=0.02)  # sRGB encodes half of the light as 188
    assert dark.mean_luminance < 0.45


@pytest.mark.parametrize("profile", [b"not a profile", b"\0" * 200])
def test_a_broken_colour_profile_is_said_and_ignored(tmp_path: Path, profile: bytes) -> None:
    result = decoded(tmp_path, saved(quarters(), "JPEG", icc_profile=profile))
    assert result.image.note == result.pixels.note == "its colour profile is broken; taken as sRGB"
    assert_corners(result, RED, GREEN, BLUE, WHITE)


def test_a_grey_profile_on_a_colour_picture_is_broken(tmp_path: Path) -> None:
    grey = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert "profile is broken" in decoded(tmp_path, saved(quarters(), "PNG", icc_profile=grey)).image.note


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_converted_and_said(tmp_path: Path, kind: str) -> None:
    result = decoded(tmp_path, saved(quarters().convert("CMYK"), kind))
    assert result.image.mode == "CMYK"
    assert "CMYK" in result.image.note
    assert_corners(result, RED, GREEN, BLUE, WHITE)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_keep_their_brightness(tmp_path: Path, kind: str) -> None:
    ramp = np.linspace(0, 65535, 256 * 64).astype(np.uint16).reshape(64, 256)
    result = decoded(tmp_path, saved(Image.fromarray(ramp), kind))
    assert result.pixels.rgb[0, 0].tolist() == [0, 0, 0]
    assert result.pixels.rgb[-1, -1].tolist() == [255, 255, 255]
    assert np.abs(result.pixels.rgb[:, :, 0].astype(float) - ramp / 257.0).max() <= 1.0
    assert result.image.saturation == 0.0


def test_a_picture_of_floats_is_stretched_and_that_is_said(tmp_path: Path) -> None:
    ramp = np.linspace(0.0, 1.0, 64 * 64, dtype=np.float32).reshape(64, 64)
    ramp[0, 0] = np.nan
    result = decoded(tmp_path, saved(Image.fromarray(ramp), "TIFF"))
    assert "stretched" in result.image.note
    assert result.pixels.rgb[-1, -1].tolist() == [255, 255, 255]


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "YCbCr", "LAB"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    if mode == "LAB":
        to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        picture = ImageCms.applyTransform(quarters(), to_lab)
    else:
        picture = quarters().convert(mode, palette=Image.Palette.ADAPTIVE)
    assert picture is not None
    result = decoded(tmp_path, saved(picture, "TIFF"))
    assert result.pixels.rgb.shape == (384, 512, 3)
    if mode in ("P", "RGBA", "YCbCr", "LAB"):
        assert_corners(result, RED, GREEN, BLUE, WHITE)


def test_transparency_is_shown_over_grey_and_said(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    picture.paste((*BLUE, 255), (0, 0, 32, 64))
    result = decoded(tmp_path, saved(picture, "PNG"))
    assert near(corners(result)[0], BLUE, 1)
    assert near(corners(result)[1], (128, 128, 128), 1)
    assert "transparent" in result.image.note


def test_a_transparent_palette_colour_is_transparent(tmp_path: Path) -> None:
    picture = Image.new("P", (64, 64), 1)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.paste(0, (0, 0, 32, 64))
    result = decoded(tmp_path, saved(picture, "PNG", transparency=0))
    assert near(corners(result)[0], (128, 128, 128), 1)
    assert near(corners(result)[1], (0, 0, 255), 1)


# --------------------------------------------------------------------------- several pictures in a file


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken_and_said(tmp_path: Path, kind: str) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in (RED, GREEN, BLUE)]
    result = decoded(tmp_path, saved(frames[0], kind, save_all=True, append_images=frames[1:]))
    assert near(corners(result)[0], RED)
    assert result.image.frames == 3
    assert result.image.note == "first frame of 3"


def test_of_a_multi_picture_jpeg_the_first_is_taken(tmp_path: Path) -> None:
    content = saved(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (80, 60), BLUE)])
    result = decoded(tmp_path, content)
    assert_corners(result, RED, GREEN, BLUE, WHITE)
    assert result.image.frames == 2


# --------------------------------------------------------------------------- too large


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises much and holds nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_jpeg_of_a_hundred_megapixels_is_decoded_at_a_fraction(tmp_path: Path) -> None:
    content = saved(Image.new("L", (11_648, 8_736), 90), "JPEG")
    result = decoded(tmp_path, content, limits=Limits(full_pixels=4_000_000))
    assert result.pixels.rgb.shape == (384, 512, 3)
    assert (result.pixels.width, result.pixels.height) == (11_648, 8_736)


def test_a_png_of_a_hundred_megapixels_is_decoded_or_refused_by_its_limit(tmp_path: Path) -> None:
    content = saved(Image.new("L", (10_000, 10_000), 90), "PNG", compress_level=1)
    assert decoded(tmp_path, content).pixels.rgb.shape == (384, 384, 3)
    why = refusal(tmp_path, content, limits=Limits(full_pixels=50_000_000))
    assert why == "10000 × 10000 = 100 megapixels are more than the 50 that are decoded"


@pytest.mark.parametrize("size", [(60_000, 60_000), (20_000, 20_000), (16_000, 12_000)])
def test_a_decompression_bomb_is_refused_before_anything_of_its_size_exists(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    import tracemalloc

    tracemalloc.start()
    try:
        why = refusal(tmp_path, png_header(*size))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "megapixels" in why or "pixels" in why
    assert peak < 5_000_000


def test_the_limit_of_this_process_is_put_back(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    refusal(tmp_path, b"")
    decoded(tmp_path, saved(quarters(), "PNG"))
    assert before == Image.MAX_IMAGE_PIXELS


# --------------------------------------------------------------------------- not whole, not a picture


def test_an_empty_file_is_refused_as_empty(tmp_path: Path) -> None:
    assert refusal(tmp_path, b"") == "the file is empty (0 bytes)"


def test_a_text_is_refused_whatever_its_name(tmp_path: Path) -> None:
    assert refusal(tmp_path, b"hello") == (
        "its content is not a picture of a kind that is decoded (text/plain), whatever its name"
    )


def test_a_damaged_video_is_refused_as_a_video(tmp_path: Path) -> None:
    pytest.importorskip("av")
    assert refusal(tmp_path, b"\0\0\0\x18ftypmp42").startswith("the video cannot be decoded")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "AVIF"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_truncated_picture_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    noise = Image.fromarray(np.random.default_rng(5).integers(0, 255, (120, 160, 3), dtype=np.uint8))
    content = saved(noise, kind)
    assert refusal(tmp_path, content[: int(len(content) * share)])


def test_how_much_of_a_truncated_picture_is_missing_is_said(tmp_path: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(5).integers(1, 255, (640, 640, 3), dtype=np.uint8))
    content = saved(noise, "JPEG")
    why = refusal(tmp_path, content[: len(content) * 6 // 10])
    missing = int(why.split("about ")[1].split(" %")[0])
    assert why.startswith("the file is truncated")
    assert 35 <= missing <= 45
    assert refusal(tmp_path, content[:-2]) == "the file is truncated: its end is missing"
    progressive = saved(noise, "JPEG", progressive=True)
    assert refusal(tmp_path, progressive[: len(progressive) // 2]) == (
        "the file is truncated: its last scans are missing"
    )
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_a_damaged_picture_is_refused_as_damaged(tmp_path: Path) -> None:
    assert "damaged" in refusal(tmp_path, b"\xff\xd8\xff\xe0" + bytes(500))
    assert "damaged" in refusal(tmp_path, b"\x89PNG\r\n\x1a\n" + bytes(500))


def test_only_the_decoder_of_the_magic_bytes_is_tried(tmp_path: Path) -> None:
    """A PostScript or FITS file never reaches Pillow's readers for them, whatever it is called."""
    assert "not a picture" in refusal(tmp_path, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")
    assert "damaged" in refusal(tmp_path, b"%!PS-Adobe-3.0 EPSF-3.0\n", kind="image/jpeg")


SEEDS = {
    kind: saved(quarters(48, 36), kind, **options)
    for kind, options in {
        "JPEG": {"exif": Image.Exif(), "quality": 70},
        "PNG": {},
        "TIFF": {"compression": "tiff_lzw"},
        "WEBP": {"quality": 60},
        "GIF": {},
        "BMP": {},
    }.items()
}


@pytest.mark.parametrize("kind", SEEDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_mutated_pictures_are_decoded_or_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    content = bytearray(SEEDS[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(1, 2 * len(content))) :]
    path = tmp_path_factory.getbasetemp() / "mutated"
    path.write_bytes(content)
    try:
        result = decode(
            path, "0", media_type(SEEDS[kind][:64]), limits=Limits(pixels=10_000_000, full_pixels=1_000_000)
        )
    except DecodeRefused as refused:
        assert refused.reason
    else:
        assert result.pixels.rgb.dtype == np.uint8


# --------------------------------------------------------------------------- optional readers, RAW


def test_heic_is_decoded_with_its_extra(tmp_path: Path) -> None:
    pytest.importorskip("pi_heif")
    result = decoded(tmp_path, HEIC)
    assert result.pixels.rgb.shape == (96, 128, 3)
    rgb = result.pixels.rgb
    assert near(tuple(rgb[80, 20]), (200, 60, 40), 20)
    assert near(tuple(rgb[80, 100]), (40, 60, 200), 20)
    assert near(tuple(rgb[8, 64]), (230, 230, 230), 20)


def test_truncated_heic_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pi_heif")
    for length in (40, 200, 400, 500):
        assert refusal(tmp_path, HEIC[:length])


def test_heic_without_its_extra_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(MissingExtra) as missing:
        decoded(tmp_path, HEIC)
    assert (missing.value.kind, missing.value.extra) == ("HEIC", "heic")
    assert "pip install 'gtloc_forensics[heic]'" in missing.value.reason


def test_of_a_raw_file_the_embedded_preview_is_decoded_and_said(tmp_path: Path) -> None:
    preview = saved(quarters().transpose(Image.Transpose.ROTATE_90), "JPEG")
    raw = b"II*\0\x10\0\0\0CR\x02\0"
    assert needs_preview(media_type(raw))
    result = decoded(tmp_path, raw, preview=preview, orientation=6)
    assert result.pixels.note == "embedded preview of a RAW file"
    assert (result.pixels.width, result.pixels.height) == (800, 600)
    assert_corners(result, RED, GREEN, BLUE, WHITE)


def test_a_raw_file_without_preview_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(MissingExtra, match=r"gtloc_forensics\[raw\]"):
        decoded(tmp_path, b"II*\0\x10\0\0\0CR\x02\0")


# --------------------------------------------------------------------------- facts


def test_the_hash_is_that_of_imagehash(tmp_path: Path) -> None:
    import imagehash

    result = decoded(tmp_path, saved(quarters(400, 300), "PNG"), short_side=384)  # small enough to stay as it is
    assert f"{result.image.perceptual_hash:016x}" == str(imagehash.phash(Image.fromarray(result.pixels.rgb)))


def test_the_hash_survives_scaling_and_recompression(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    scene = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)).resize(
        (1200, 900), Image.Resampling.BICUBIC
    )
    one = decoded(tmp_path, saved(scene, "PNG")).image.perceptual_hash
    other = decoded(tmp_path, saved(scene.resize((700, 525)), "JPEG", quality=60)).image.perceptual_hash
    stranger = decoded(tmp_path, saved(quarters(), "PNG")).image.perceptual_hash
    assert (one ^ other).bit_count() <= 4
    assert (one ^ stranger).bit_count() >= 16


def test_light_is_measured(tmp_path: Path) -> None:
    black = decoded(tmp_path, saved(Image.new("RGB", (64, 64)), "PNG")).image
    white = decoded(tmp_path, saved(Image.new("RGB", (64, 64), (255, 255, 255)), "PNG")).image
    red = decoded(tmp_path, saved(Image.new("RGB", (64, 64), (255, 0, 0)), "PNG")).image
    assert (black.mean_luminance, black.saturation) == (0.0, 0.0)
    assert (white.mean_luminance, white.saturation) == pytest.approx((1.0, 0.0))
    assert (red.mean_luminance, red.saturation) == pytest.approx((0.2126, 1.0))


def scene() -> Image.Image:
    rng = np.random.default_rng(11)
    small = rng.integers(0, 255, (8, 12, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((900, 600), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("turned", [False, True])
def test_a_thumbnail_with_bars_matches_its_picture_turned_or_not(tmp_path: Path, turned: bool) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = scene()
    stored = upright.transpose(Image.Transpose.ROTATE_90)
    shown = stored if not turned else upright
    small = shown.copy()
    small.thumbnail((160, 160))
    size = (160, 120) if turned else (120, 160)
    thumb = Image.new("RGB", size)
    thumb.paste(small, ((size[0] - small.width) // 2, (size[1] - small.height) // 2))
    result = decoded(tmp_path, saved(stored, "JPEG", exif=exif), thumbnail=saved(thumb, "JPEG"))
    assert result.image.thumbnail_size == size
    assert result.image.thumbnail_hash is not None
    assert (result.image.thumbnail_hash ^ result.image.perceptual_hash).bit_count() <= 8


def test_the_thumbnail_of_another_picture_is_far(tmp_path: Path) -> None:
    result = decoded(tmp_path, saved(scene(), "JPEG"), thumbnail=saved(quarters(160, 120), "JPEG"))
    assert result.image.thumbnail_hash is not None
    assert (result.image.thumbnail_hash ^ result.image.perceptual_hash).bit_count() >= 16


@pytest.mark.parametrize("thumbnail", [b"junk", b"\xff\xd8\xff", png_header(50_000, 50_000)])
def test_a_broken_thumbnail_costs_only_itself(tmp_path: Path, thumbnail: bytes) -> None:
    result = decoded(tmp_path, saved(scene(), "JPEG"), thumbnail=thumbnail)
    assert (result.image.thumbnail_hash, result.image.thumbnail_size) == (None, None)
    assert "thumbnail" in result.image.note


def test_the_preview_is_small_and_carries_no_metadata(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x013B] = "somebody"
    content = saved(quarters(3000, 1000), "JPEG", exif=exif, comment=b"private", icc_profile=b"x" * 300)
    preview = Image.open(io.BytesIO(decoded(tmp_path, content).preview_jpeg))
    assert max(preview.size) == 640
    assert not preview.getexif()
    assert {"comment", "icc_profile", "exif"}.isdisjoint(preview.info)


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    content = saved(scene(), "JPEG")
    one, other = decoded(tmp_path, content), decoded(tmp_path, content)
    assert one.preview_jpeg == other.preview_jpeg
    assert np.array_equal(one.pixels.rgb, other.pixels.rgb)
    assert one.image == other.image


@pytest.mark.parametrize("seed", range(6))
def test_no_reason_speaks_of_pythons_insides(tmp_path: Path, seed: int) -> None:
    """Bytes changed in the head of small pictures of every kind: what is refused is refused in a sentence."""
    random = np.random.default_rng(seed)
    kinds = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "BMP": "image/bmp", "TIFF": "image/tiff"}
    picture = Image.fromarray(random.integers(0, 255, (60, 80, 3), dtype=np.uint8))
    for name, kind in kinds.items():
        out = io.BytesIO()
        picture.save(out, name)
        for _ in range(40):
            content = bytearray(out.getvalue())
            for at in random.integers(0, 300, 4):
                content[at] = random.integers(256)
            (tmp_path / "a").write_bytes(content)
            try:
                decode(tmp_path / "a", "a", kind)
            except DecodeRefused as refusal:
                assert not re.search(
                    r"'\w+'|object|list index|argument|NoneType|unpack|int\(\)|\bError\b", refusal.reason
                ), refusal.reason


def test_a_multi_picture_file_with_a_damaged_index_is_refused_in_a_sentence(tmp_path: Path) -> None:
    out = io.BytesIO()
    picture = Image.new("RGB", (64, 48), (10, 120, 200))
    picture.save(out, "MPO", save_all=True, append_images=[picture])
    for at in range(out.getvalue().index(b"MPF\0"), out.getvalue().index(b"MPF\0") + 60):
        content = bytearray(out.getvalue())
        content[at] ^= 0x40
        (tmp_path / "a.jpg").write_bytes(content)
        try:
            decode(tmp_path / "a.jpg", "a", "image/jpeg")
        except DecodeRefused as refusal:
            assert "'MPO'" not in refusal.reason


def test_what_a_decoder_quotes_of_a_broken_file_is_text_not_a_literal_of_python(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.effect_noise((64, 64), 90).save(out, "PNG")
    whole = out.getvalue()
    at = whole.index(b"IDAT")
    first = whole[at : at + 100]  # the first bytes of the picture as a chunk of their own, then one without a name
    broken = whole[: at - 4] + struct.pack(">I", 96) + first + struct.pack(">I", zlib.crc32(first)) + bytes(12)
    path = tmp_path / "a.png"
    path.write_bytes(broken)
    with pytest.raises(DecodeRefused, match="broken PNG file") as refused:
        decode(path, "0", "image/png")
    assert "b'" not in refused.value.reason
