"""A film whose file alone does not tell what its clock counts is settled by the photos numbered beside it."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from gtloc_forensics.case.case import open_case
from gtloc_forensics.examination.settings import NO_MODEL, Settings
from gtloc_forensics.records import Absent
from gtloc_forensics.report.template import load_words

pytestmark = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

LUCERNE = ("-GPSLatitude=47.05", "-GPSLatitudeRef=N", "-GPSLongitude=8.3", "-GPSLongitudeRef=E")
IN_FILM = "-UserData:GPSCoordinates=47.05 8.3"


def tag(path: Path, *options: str) -> None:
    subprocess.run(["exiftool", "-q", "-q", "-m", "-n", "-overwrite_original", *options, str(path)], check=True)


def a_photo(path: Path, taken: str, *options: str, make: str = "Vorwerk", model: str = "V1") -> None:
    Image.effect_noise((64, 48), 60).convert("RGB").save(path, "JPEG")
    dates = (f"-{name}={taken}" for name in ("DateTimeOriginal", "CreateDate", "ModifyDate"))
    tag(path, f"-Make={make}", f"-Model={model}", *dates, *options)


def a_film(path: Path, started: str, *options: str) -> None:
    """Write the least MP4 with one track, its clocks as given."""

    def box(kind: bytes, *parts: bytes) -> bytes:
        body = b"".join(parts)
        return (len(body) + 8).to_bytes(4, "big") + kind + body

    moment = datetime.strptime(started, "%Y:%m:%d %H:%M:%S")
    clock = int((moment - datetime(1904, 1, 1)).total_seconds()).to_bytes(4, "big") * 2
    zero = bytes(4)
    header = box(b"mvhd", zero, clock, (600).to_bytes(4, "big"), bytes(4 + 76 + 4))
    path.write_bytes(box(b"ftyp", b"mp42", zero, b"mp42isom") + box(b"moov", header) + box(b"mdat", b"\1" * 99))
    if options:
        tag(path, *options)


INLINE = Settings(jobs=0, model=NO_MODEL)


def claim_of(folder: Path, name: str):
    with open_case(folder, folder.with_name(f"{folder.name}.audit")) as opened:
        opened.audit(INLINE)
        entries = {entry.photo.source.display_path: entry for entry in opened.view().photos()}
    return entries[name].photo.claim


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "card"
    made.mkdir()
    return made


def test_a_film_between_two_photos_is_read_as_it_lies_between_them(folder: Path) -> None:
    a_photo(folder / "VWK_0011.JPG", "2024:07:05 16:58:10", *LUCERNE)
    a_film(folder / "VWK_0012.MP4", "2024:07:05 17:03:00", IN_FILM)
    a_photo(folder / "VWK_0013.JPG", "2024:07:05 17:20:31", *LUCERNE)
    made = claim_of(folder, "VWK_0012.MP4")
    assert made.local_time.value == datetime(2024, 7, 5, 17, 3)
    assert made.utc_time.value == datetime(2024, 7, 5, 15, 3)
    assert made.local_time.rule == (
        "clock of the film, in local time: only so does it suit VWK_0011.JPG and VWK_0013.JPG, "
        "numbered beside it (16:58:10, 17:20:31)"
    )
    assert "VWK_0011.JPG und VWK_0013.JPG" in load_words("default", "de").say(made.local_time.rule)


def test_a_film_that_counts_utc_is_left_so_and_the_evidence_is_said(folder: Path) -> None:
    a_photo(folder / "VWK_0011.JPG", "2024:07:05 16:58:10", *LUCERNE)
    a_film(folder / "VWK_0012.MP4", "2024:07:05 15:03:00", IN_FILM)
    a_photo(folder / "VWK_0013.JPG", "2024:07:05 17:20:31", *LUCERNE)
    made = claim_of(folder, "VWK_0012.MP4")
    assert (made.local_time.value, made.utc_time.value) == (datetime(2024, 7, 5, 17, 3), datetime(2024, 7, 5, 15, 3))
    assert made.utc_time.rule.startswith("clock of the film, in UTC: only so does it suit")


def test_west_of_greenwich_a_film_read_as_utc_would_come_before_the_photo_numbered_before_it(folder: Path) -> None:
    at = ("-GPSLatitude=36.6", "-GPSLatitudeRef=N", "-GPSLongitude=121.9", "-GPSLongitudeRef=W")
    a_photo(folder / "VWK_0011.JPG", "2022:02:12 13:20:00", *at)
    a_film(folder / "VWK_0012.MP4", "2022:02:12 13:40:00", "-UserData:GPSCoordinates=36.6 -121.9")
    assert claim_of(folder, "VWK_0012.MP4").local_time.value == datetime(2022, 2, 12, 13, 40)


def test_a_makers_habit_that_models_have_left_yields_to_the_photos_beside(folder: Path) -> None:
    a_photo(folder / "IMG_0011.JPG", "2024:07:05 16:58:10", *LUCERNE, make="Canon", model="Canon EOS R5")
    a_film(folder / "MVI_0012.MP4", "2024:07:05 15:03:00", IN_FILM, "-Keys:Make=Canon", "-Keys:Model=Canon EOS R5")
    a_photo(folder / "IMG_0013.JPG", "2024:07:05 17:20:31", *LUCERNE, make="Canon", model="Canon EOS R5")
    assert claim_of(folder, "MVI_0012.MP4").local_time.value == datetime(2024, 7, 5, 17, 3)


@pytest.mark.parametrize(
    ("first", "last", "make"),
    [
        (("VWK_0011.JPG", "2024:07:05 09:00:00"), ("VWK_0013.JPG", "2024:07:06 09:00:00"), "Vorwerk"),  # both suit
        (("VWK_0011.JPG", "2024:07:05 21:00:00"), ("VWK_0013.JPG", "2024:07:05 22:00:00"), "Vorwerk"),  # neither
        (("VWK_0811.JPG", "2024:07:05 16:58:10"), ("VWK_0913.JPG", "2024:07:05 17:20:31"), "Vorwerk"),  # far apart
        (("a.jpg", "2024:07:05 16:58:10"), ("b.jpg", "2024:07:05 17:20:31"), "Vorwerk"),  # no numbers
    ],
)
def test_without_witnesses_it_stays_unknown_and_says_so(folder: Path, first, last, make) -> None:
    a_photo(folder / first[0], first[1], *LUCERNE, make=make)
    a_film(folder / "VWK_0012.MP4", "2024:07:05 17:03:00", IN_FILM)
    a_photo(folder / last[0], last[1], *LUCERNE, make=make)
    made = claim_of(folder, "VWK_0012.MP4")
    assert made.utc_time.rule == (
        "UTC of the container, as its format wants it; whether its maker keeps to that is not known"
    )


def test_photos_of_two_devices_in_one_folder_witness_nothing(folder: Path) -> None:
    a_photo(folder / "VWK_0011.JPG", "2024:07:05 16:58:10", *LUCERNE)
    a_film(folder / "VWK_0012.MP4", "2024:07:05 17:03:00", IN_FILM)
    a_photo(folder / "VWK_0013.JPG", "2024:07:05 17:20:31", *LUCERNE, model="another")
    assert "not known" in claim_of(folder, "VWK_0012.MP4").utc_time.rule


def test_where_local_time_is_utc_there_is_nothing_to_settle(folder: Path) -> None:
    at = ("-GPSLatitude=51.5", "-GPSLatitudeRef=N", "-GPSLongitude=0.1", "-GPSLongitudeRef=W")
    a_photo(folder / "VWK_0011.JPG", "2024:01:05 16:58:10", *at)
    a_film(folder / "VWK_0012.MP4", "2024:01:05 17:03:00", "-UserData:GPSCoordinates=51.5 -0.1")
    assert claim_of(folder, "VWK_0012.MP4").local_time.value == datetime(2024, 1, 5, 17, 3)


def test_a_film_alone_with_neither_zone_nor_neighbour_has_no_local_time(folder: Path) -> None:
    a_film(folder / "VWK_0012.MP4", "2024:07:05 17:03:00")
    made = claim_of(folder, "VWK_0012.MP4")
    assert made.local_time is Absent.UNDERIVABLE


def test_a_case_settled_by_neighbours_verifies_and_tells_it_in_every_product(folder: Path, tmp_path: Path) -> None:
    a_photo(folder / "VWK_0011.JPG", "2024:07:05 16:58:10", *LUCERNE)
    a_film(folder / "VWK_0012.MP4", "2024:07:05 17:03:00", IN_FILM)
    a_photo(folder / "VWK_0013.JPG", "2024:07:05 17:20:31", *LUCERNE)
    case = tmp_path / "case"
    with open_case(folder, case) as opened:
        opened.audit(INLINE)
        opened.write_findings()
        document = json.loads((case / "findings.json").read_text(encoding="utf-8"))
        assert opened.verify(INLINE, sample=9).differences == ()
    film = next(photo for photo in document["photos"] if photo["path"].endswith(".MP4"))
    assert film["claim"]["local_time"]["value"] == "2024-07-05T17:03:00"
    assert "only so does it suit" in film["claim"]["local_time"]["rule"]
