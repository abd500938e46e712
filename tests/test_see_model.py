"""The model that ships knows the sun's height and what it looks at: its densities, and a file's way to a sentence."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from see_landscapes import landscape

from gtloc_forensics import vision
from gtloc_forensics.case.case import open_case
from gtloc_forensics.evidence import sun_height
from gtloc_forensics.evidence.calibration import load_calibration
from gtloc_forensics.examination.instruments import Settings
from gtloc_forensics.records import Outcome, Pixels

FOLDER = Path(__file__).parents[1] / "models" / "gtloc-small"
needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


def a_card(size=(640, 480)) -> Image.Image:
    """Draw a page of text, dark on light."""
    picture = Image.new("RGB", size, (236, 233, 224))
    canvas, font = ImageDraw.Draw(picture), ImageFont.load_default(18)
    for number, top in enumerate(range(20, size[1] - 30, 26)):
        words = "the agenda of the meeting names the budget and the station"[: 20 + number * 7 % 38]
        canvas.text((30, top), words, fill=(30, 30, 34), font=font)
    return picture


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    model = vision.load("gtloc-small", device="cpu", cache_dir=tmp_path_factory.mktemp("cache"))
    pictures = {"card": a_card(), "sky": landscape(1), "black": Image.new("RGB", (640, 480))}
    pixels = [Pixels(name, np.asarray(picture), *picture.size) for name, picture in pictures.items()]
    found = model.predict(model.embed([model.prepare(one) for one in pixels]), list(pictures))
    model.close()
    return dict(zip(pictures, found, strict=True))


def test_its_densities_sum_to_one_over_the_cells_of_its_calibration(told):
    table = load_calibration(FOLDER).exposure_table
    for prediction in told.values():
        assert table.fits(prediction.sun_height)
        assert prediction.sun_height.mass.sum() == pytest.approx(1.0, abs=1e-5)
        assert sum(prediction.scene.values()) == pytest.approx(1.0, abs=1e-5)


def test_a_bright_exposure_speaks_for_day_and_a_long_one_for_night(told):
    table = load_calibration(FOLDER).exposure_table
    mass = told["black"].sun_height.mass
    days = [
        sun_height.share_above(sun_height.at_exposure(mass, table, ev100), table.edges_deg, above_deg=0.0)
        for ev100 in (1.0, 7.0, 14.0)
    ]
    assert days == sorted(days)
    assert days[2] > days[0] + 0.1


def test_a_page_of_text_is_told_from_a_sky(told):
    assert max(told["card"].scene, key=told["card"].scene.get) == "text, screen or drawing"
    assert told["card"].datable < 0.5


def write(path: Path, picture: Image.Image, local: datetime, seconds: float) -> None:
    """Save a picture as a camera at Paris would: time, offset, position, exposure at f/8 and ISO 100."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme", "One"
    inner = exif.get_ifd(0x8769)
    inner |= {
        0x9003: f"{local:%Y:%m:%d %H:%M:%S}",
        0x9011: "+02:00",
        0x829A: seconds,
        0x829D: 8.0,
        0x8827: 100,
        0x9209: 16,
    }
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 24.0), 3: "E", 4: (2.0, 21.0, 8.0)})
    picture.save(path, quality=92, exif=exif)


@needs_exiftool
def test_from_a_file_to_a_sentence_and_to_silence(tmp_path):
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    write(evidence / "sky.jpg", landscape(1), datetime(2024, 6, 15, 13, 0), 1 / 250)
    write(evidence / "card.jpg", a_card(), datetime(2024, 6, 15, 1, 30), 1 / 250)
    with open_case(evidence, tmp_path / "case") as case:
        case.audit(Settings(model="gtloc-small", device="cpu", jobs=0))
        said = {
            (entry.photo.source.display_path, finding.check_id): finding
            for entry in case.view().photos()
            for finding in entry.findings
        }
    height = said["sky.jpg", "GF304"]
    assert height.outcome is Outcome.CONSISTENT
    assert height.summary.startswith("Pixels and exposure give ")
    assert height.facts["scores"] == "height_lit"
    for rule in ("GF300", "GF304", "GF305", "GF210"):
        assert said["card.jpg", rule].outcome is Outcome.NOT_TESTABLE, rule
