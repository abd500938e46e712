"""From a file's bytes to a sentence: the embedded thumbnail, the even tone of a card, an exposure that cannot be."""

from __future__ import annotations

import io
import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from builders import a_photo, a_source, only
from PIL import Image, ImageDraw

from gtloc_forensics.case.case import open_case
from gtloc_forensics.checks.rules.gf116_thumbnail import thumbnail as gf116
from gtloc_forensics.decode.pixels import decode
from gtloc_forensics.examination.instruments import Settings
from gtloc_forensics.metadata.camera import exposure
from gtloc_forensics.records import Absent, Outcome


def a_scene(seed: int) -> Image.Image:
    """Return a picture of soft spots, another one for every seed."""
    noise = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC)


def jpeg(picture: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def with_thumbnail(picture: Image.Image, thumbnail: bytes) -> bytes:
    """Return a JPEG whose EXIF block has a second directory with *thumbnail*, as cameras write it."""
    first = struct.pack("<H", 0) + struct.pack("<I", 14)  # no entries; the next directory follows
    at = 14 + 2 + 2 * 12 + 4
    second = struct.pack("<H", 2)
    second += struct.pack("<HHII", 0x0201, 4, 1, at) + struct.pack("<HHII", 0x0202, 4, 1, len(thumbnail))
    block = b"II*\0" + struct.pack("<I", 8) + first + second + struct.pack("<I", 0) + thumbnail
    return jpeg(picture, exif=b"Exif\0\0" + block)


def photo_of(path: Path, content: bytes):
    path.write_bytes(content)
    return a_photo(source=a_source(path.name), image=decode(path, "0123456789abcdef", "image/jpeg").image)


def test_a_foreign_thumbnail_in_the_file_reaches_the_rule(tmp_path: Path) -> None:
    own, other = (a_scene(seed).resize((160, 120)) for seed in (1, 2))
    same = photo_of(tmp_path / "same.jpg", with_thumbnail(a_scene(1), jpeg(own)))
    foreign = photo_of(tmp_path / "foreign.jpg", with_thumbnail(a_scene(1), jpeg(other)))
    bare = photo_of(tmp_path / "bare.jpg", jpeg(a_scene(1)))
    assert only(gf116, same).outcome is Outcome.CONSISTENT
    assert only(gf116, foreign).is_found
    assert only(gf116, bare).outcome is Outcome.NOT_TESTABLE


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
def test_a_foreign_thumbnail_is_told_by_a_whole_audit(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "foreign.jpg").write_bytes(with_thumbnail(a_scene(1), jpeg(a_scene(2).resize((160, 120)))))
    with open_case(photos, tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        (photo,) = json.loads(case.write_findings().read_text(encoding="utf-8"))["photos"]
    told = {finding["check"]: finding for finding in photo["findings"]}
    assert told["GF116"]["outcome"] == "suspicious"


@pytest.mark.parametrize("thumbnail", [b"", b"no picture", b"\xff\xd8 cut off"])
def test_a_broken_thumbnail_is_no_thumbnail(tmp_path: Path, thumbnail: bytes) -> None:
    photo = photo_of(tmp_path / "a.jpg", with_thumbnail(a_scene(1), thumbnail))
    assert only(gf116, photo).outcome is Outcome.NOT_TESTABLE


def test_a_card_a_screen_and_a_black_frame_are_of_one_tone_and_a_scene_is_not(tmp_path: Path) -> None:
    card = Image.new("RGB", (640, 480), (235, 235, 228))
    ImageDraw.Draw(card).text((80, 200), "CLOSED ON MONDAYS", fill=(20, 20, 20), font_size=48)
    tones = [
        photo_of(tmp_path / f"{number}.jpg", jpeg(picture)).image.uniformity
        for number, picture in enumerate((card, Image.new("RGB", (640, 480), (4, 4, 6)), a_scene(1)))
    ]
    assert tones[0] > 0.8 and tones[1] > 0.99 and tones[2] < 0.3


def test_one_value_that_no_camera_means_spoils_the_exposure() -> None:
    spoilt = {"ExifIFD:FNumber": (0.2,), "ExifIFD:ISO": (0,), "ExifIFD:BrightnessValue": (-0.74,)}
    assert isinstance(exposure(spoilt).ev100, Absent)
    assert isinstance(exposure({**spoilt, "ExifIFD:FNumber": (0,)}).ev100, Absent)
    kept = {"ExifIFD:ISO": (0,), "ExifIFD:FNumber": (2.8,), "ExifIFD:BrightnessValue": (5.0,)}
    assert exposure(kept).ev100 == pytest.approx(10.0)  # some makers keep the ISO elsewhere
