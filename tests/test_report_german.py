"""A German report holds no English sentence of the program: what is English in it is marked as a quotation."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from datetime import datetime
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image

from gtloc_forensics.case.case import open_case
from gtloc_forensics.checks.reference import countries
from gtloc_forensics.examination.settings import NO_MODEL, Settings
from gtloc_forensics.records import Sentence
from gtloc_forensics.records.sentences import recalled
from gtloc_forensics.report import write_csv, write_html
from gtloc_forensics.report.chapters.methods import FACTS
from gtloc_forensics.report.template import load_words

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
GERMAN = load_words("default", "de")

ENGLISH = frozenset(
    """
    about above after again against agree agrees and another any are because been before behind below between
    both but by camera cannot capture case changed claim claimed clock could country date day days device
    differs does each either every false file files found from given had have held hour hours how if into is it
    its known later least less light made missing month more moved neither never none nor off older one only or
    other out photo photos picture pictures place plugins reads right said same says serial several should shows
    source sources stands taken than that the their them then there these they this those time times to told
    took true two under until user warning were what when where whether which while who whose with within
    without would written wrong year years yes zones
    """.split()  # noqa: SIM905 - a list of words reads better in lines
)
"""Words that no German sentence has; those that German has too, or that stand in German compounds, are left out."""


def english_in(text: str) -> list[str]:
    """Return what is English in a German text: quotations, paths, tags and commands are not looked at."""
    shown = re.sub(r"„[^“]*“|\S*[/_:=]\S*|\S+\.\w{2,5}\b|--\S+|^gtloc .*", " ", text.strip())
    return [word for word in re.findall(r"[A-Za-z]+", shown) if word in ENGLISH]


def a_picture(path: Path, *options: str) -> None:
    Image.effect_noise((160, 120), 60).convert("RGB").save(path, "JPEG", quality=90)
    subprocess.run(["exiftool", "-q", "-q", "-m", "-n", "-overwrite_original", *options, str(path)], check=True)


@pytest.fixture(scope="module")
def products(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("german") / "fotos"
    folder.mkdir()

    def dated(moment: str) -> tuple[str, ...]:
        return tuple(f"-{name}={moment}" for name in ("DateTimeOriginal", "CreateDate", "ModifyDate"))

    south = ("-GPSLatitude=33.86", "-GPSLatitudeRef=S", "-GPSLongitude=151.2", "-GPSLongitudeRef=E")
    body = ("-Make=Canon", "-Model=Canon EOS 80D", "-SerialNumber=0420001")
    for number, hour in enumerate((10, 12, 15)):
        gps = (f"-GPSDateStamp=2023:03:0{number + 1}", f"-GPSTimeStamp={hour - 8:02d}:00:00")
        moment = f"2023:03:0{number + 1} {hour:02d}:00:00"
        a_picture(
            folder / f"IMG_000{number}.JPG",
            *body,
            *dated(moment),
            *south,
            *gps,
            "-IPTC:Country-PrimaryLocationName=Germany",
        )
    a_picture(folder / "IMG_0100.JPG", "-Make=Apple", "-Model=iPhone 14", *dated("2019:06:01 12:00:00"))
    night = ("-FNumber=8", "-ExposureTime=0.002", "-ISO=100", "-Flash=0")
    a_picture(folder / "IMG_0101.JPG", *body, *dated("2023:03:04 01:00:00"), *south, *night, "-GPSAltitude=-30")
    whole = (folder / "IMG_0101.JPG").read_bytes()
    tiff = whole.index(b"Exif\0\0") + 6
    (folder / "IMG_0102.JPG").write_bytes(whole[: tiff + 4] + b"\xff\xff\xff\x7f" + whole[tiff + 8 :])
    (folder / "IMG_0103.JPG").write_bytes(b"")
    with open_case(folder, folder.with_name("fall")) as case:
        case.audit(Settings(jobs=0, model=NO_MODEL))
        view = case.view()
        page, sheet = folder.with_name("r.html"), folder.with_name("r.csv")
        write_html(view, page, report_date=datetime(2026, 11, 29), language="de")
        write_csv(view, sheet, language="de")
    text = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    lines = re.sub(r"</?(?:p|td|th|tr|li|h\d|div|dt|dd)\b[^>]*>", "\n", text)
    return {"html": html.unescape(re.sub(r"<[^>]+>", "", lines)), "csv": sheet.read_text(encoding="utf-8-sig")}


@needs_exiftool
@pytest.mark.parametrize("kind", ["html", "csv"])
def test_nothing_in_a_german_product_is_english(products: dict[str, str], kind: str) -> None:
    lines = products[kind].splitlines()
    first = 1 if kind == "csv" else 0  # the names of columns are for programs
    found = {line.strip()[:200]: words for line in lines[first:] if (words := english_in(line))}
    assert found == {}


@needs_exiftool
def test_countries_serial_numbers_and_sources_are_german(products: dict[str, str]) -> None:
    for said in ("Deutschland", "Australien", "Seriennummer 0420001", "Pressemitteilung von Apple"):
        assert said in products["html"], said


@needs_exiftool
def test_a_number_below_zero_bears_a_minus(products: dict[str, str]) -> None:
    assert re.findall(r"(?<![\w.:/−-])-\d+(?:,\d+)?(?= ?(?:°|m\b|h\b|min\b|s\b|%))", products["html"]) == []


def test_every_country_has_a_name_in_german() -> None:
    english = {code: countries.name_of(code) for code in ("DE", "CH", "AU", "TR", "CI", "GB", "US", "KR")}
    said = {code: GERMAN.say(name) for code, name in english.items()}
    assert said == {
        "DE": "Deutschland",
        "CH": "Schweiz",
        "AU": "Australien",
        "TR": "Türkei",
        "CI": "Côte d’Ivoire",
        "GB": "Vereinigtes Königreich",
        "US": "Vereinigte Staaten",
        "KR": "Südkorea",
    }


def test_what_the_calibration_of_the_model_says_can_be_said_in_german() -> None:
    folder = files("gtloc_forensics.models").joinpath("gtloc-small")
    kept = json.loads(folder.joinpath("calibration.json").read_text(encoding="utf-8"))["evidence"]["facts"]
    for name, text in kept.items():
        told = recalled(text, FACTS)
        assert isinstance(told, Sentence), text
        assert not english_in(GERMAN.say(told)), text
        assert GERMAN.has(f"recorded.{name}"), name
    assert GERMAN.say(recalled("10^-1.1 to 10^0.9", FACTS)) == "10^−1,1 bis 10^0,9"


def test_a_text_that_no_template_gave_stays_as_it_is() -> None:
    assert recalled("ten photos of one source", FACTS) == "ten photos of one source"
