"""No picture is resized, hashed or converted twice, and nothing is made of it that nobody reads."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from gtloc_forensics.decode import Decoder, Job, likeness, pixels


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
    assert hashed == [(600, 450) if orientation == 1 else (450, 600), *views]
    assert made.image.thumbnail_hash is not None


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object, object]]:
    """What was resized, averaged or converted by a colour profile: from which size, to which."""
    done: list[tuple[str, object, object]] = []
    resize, reduce, convert = Image.Image.resize, Image.Image.reduce, ImageCms.applyTransform

    def resized(self: Image.Image, size: tuple[int, int], *more: Any, **options: Any) -> Image.Image:
        done.append(("resize", self.size, tuple(size)))
        return resize(self, size, *more, **options)

    def reduced(self: Image.Image, factor: int, *more: Any, **options: Any) -> Image.Image:
        done.append(("average", self.size, factor))
        return reduce(self, factor, *more, **options)

    def converted(seen: Image.Image, *more: Any, **options: Any) -> Image.Image | None:
        done.append(("colour", seen.size, None))
        return convert(seen, *more, **options)

    monkeypatch.setattr(Image.Image, "resize", resized)
    monkeypatch.setattr(Image.Image, "reduce", reduced)
    monkeypatch.setattr(ImageCms, "applyTransform", converted)
    return done


def with_profile(path: Path, size: tuple[int, int] = (1366, 1024)) -> Path:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.radial_gradient("L").resize(size).convert("RGB").save(path, icc_profile=profile)
    return path


def test_without_a_model_a_picture_is_averaged_once_and_its_colours_converted_once(
    tmp_path: Path, work: list[tuple[str, object, object]]
) -> None:
    path = with_profile(tmp_path / "a.jpg")
    work.clear()
    pixels.decode(path, "a", "image/jpeg", wants_pixels=False)
    assert work == [
        ("average", (683, 512), 2),  # decoded at half its size, shown at a quarter
        ("colour", (342, 256), None),
        ("resize", (342, 256), (32, 32)),  # for the hash
        ("average", (342, 256), 2),  # for its tones
    ]


def test_for_a_model_one_resizing_and_one_conversion_are_added_and_nothing_is_decoded_twice(
    tmp_path: Path, work: list[tuple[str, object, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = with_profile(tmp_path / "a.jpg")
    opened: list[object] = []
    real = Image.open

    def counted(*what: Any, **options: Any) -> Any:
        opened.append(what)
        return real(*what, **options)

    monkeypatch.setattr(Image, "open", counted)
    work.clear()
    pixels.decode(path, "a", "image/jpeg", short_side=224)
    assert [step for step in work if step[1:] == ((683, 512), (299, 224)) or step == ("colour", (299, 224), None)] == [
        ("resize", (683, 512), (299, 224)),
        ("colour", (299, 224), None),
    ]
    assert len(work) == 6
    assert len(opened) == 1


def test_pixels_are_copied_out_for_a_model_alone(tmp_path: Path) -> None:
    path, _ = picture(tmp_path / "a.jpg")
    job = Job(path, "a", "image/jpeg", wants_pixels=False)
    with Decoder(0) as decoder:
        ((_, without),) = decoder.stream([job], window=1)
    shown = pixels.decode(path, "a", "image/jpeg")
    assert isinstance(without, pixels.Decoded)
    assert without.pixels is None
    assert (without.image, without.preview_jpeg) == (shown.image, shown.preview_jpeg)


def test_one_thread_looks_after_the_time_of_all_pictures_and_none_waits_for_a_process(tmp_path: Path) -> None:
    path, _ = picture(tmp_path / "a.jpg")
    before = set(threading.enumerate())
    begun: set[threading.Thread] = set()
    with Decoder(2) as decoder:
        for _ in decoder.stream([Job(path, str(number), "image/jpeg") for number in range(6)], window=6):
            begun |= set(threading.enumerate()) - before
    assert [thread.name for thread in begun] == ["decoder-watch"]
    assert not begun & set(threading.enumerate())


def test_a_decoding_process_loads_no_model_and_no_scipy(tmp_path: Path) -> None:
    path, _ = picture(tmp_path / "a.jpg")
    code = (
        "import sys; from pathlib import Path; from gtloc_forensics.decode import worker; worker._warm_up(); "
        f"worker.decode(Path({str(path)!r}), 'a', 'image/jpeg'); "
        "print(*sorted({name.split('.')[0] for name in sys.modules} & "
        "{'torch', 'timm', 'scipy', 'imagehash', 'pywt', 'torchvision', 'faiss', 'sqlalchemy'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
