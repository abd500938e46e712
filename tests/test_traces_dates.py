"""Dates seen in pictures: every notation, every reading, and what the claim is told of it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path

import pytest
from builders import a_claim, a_photo, only
from PIL import Image, ImageDraw, ImageFont

from gtloc_forensics.case.case import open_case
from gtloc_forensics.checks.rules.gf130_visible_date import visible_date
from gtloc_forensics.checks.visible_dates import clocks_in, dates_in
from gtloc_forensics.decode import visible_text
from gtloc_forensics.errors import MissingExtra
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import Outcome, TagsRead, Unread

needs_ocr = pytest.mark.skipif(not visible_text.is_installed(), reason="rapidocr-onnxruntime is not installed")


def days(*lines: str) -> set[str]:
    return {f"{day}" for seen in dates_in(lines) for day in seen.days}


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("2006-03-14 17:42", {"2006-03-14"}),
        ("2006/03/04", {"2006-03-04"}),
        ("2006.03.14", {"2006-03-14"}),
        ("20060314", {"2006-03-14"}),
        ("14.3.'06 17:42", {"2006-03-14"}),
        ("14.3.0617:42", {"2006-03-14", "2014-03-06"}),  # as it is read where the gap is narrow
        ("03/04/2005", {"2005-03-04", "2005-04-03"}),
        ("14/03/2005", {"2005-03-14"}),
        ("03/14/2005", {"2005-03-14"}),
        ("'06 3 14", {"2006-03-14"}),
        ("98 12 25", {"1998-12-25"}),
        ("25.12.98", {"1998-12-25"}),
        ("03.04.05", {"2005-04-03", "2005-03-04", "2003-04-05"}),
        ("14 MAR 2006", {"2006-03-14"}),
        ("MAR. 14 2006", {"2006-03-14"}),
        ("14-Mrz-06", {"2006-03-14"}),
        ("2O06-O3-l4", {"2006-03-14"}),  # letters for digits
        ("2006年3月14日", {"2006-03-14"}),
        ("31.02.2006", set()),
        ("05/11/201601:32PM", {"2016-05-11", "2016-11-05"}),  # nor here
        ("30 0ct 2000 06:04", {"2000-10-30"}),
        ("2000 06:04", set()),  # a year and a time
        ("2006:03:14 17:42", {"2006-03-14"}),
        ("17:42:10", set()),
        ("05:06:07", set()),
        ("Moultrie 21C 29.92inHg", set()),
        ("12345678", set()),
        ("192.168.1.10", set()),
    ],
)
def test_every_notation_has_its_readings(text: str, readings: set[str]) -> None:
    assert days(text) == readings


def test_the_time_stands_beside_the_date_or_on_a_line_of_its_own() -> None:
    assert [(seen.days, seen.at) for seen in dates_in(["14.03.2006 05:42 PM"])] == [
        ((date(2006, 3, 14),), time(17, 42))
    ]
    assert [seen.at for seen in dates_in(["14.03.2006", "17:42:09"])] == [time(17, 42, 9)]
    assert [seen.at for seen in dates_in(["14.03.2006", "17:42", "18:00"])] == [None]


def claiming(local: str, *stamp: str, elsewhere: tuple[str, ...] = ()):
    tags = {name: lines for name, lines in (("Visible:Stamp", stamp), ("Visible:Text", elsewhere)) if lines}
    claim = replace(a_claim(local=local), tags=tags)
    return a_photo(claim=claim)


def test_only_a_stamp_that_fits_in_no_reading_is_found() -> None:
    assert only(visible_date, claiming("2005-03-04 10:00:00", "03/04/2005")).outcome is Outcome.CONSISTENT
    assert only(visible_date, claiming("2005-04-03 10:00:00", "03/04/2005")).outcome is Outcome.CONSISTENT
    found = only(visible_date, claiming("2005-05-03 10:00:00", "03/04/2005"))
    assert found.outcome is Outcome.SUSPICIOUS
    assert "2005-04-03 or 2005-03-04" in found.summary or "2005-03-04 or 2005-04-03" in found.summary


def test_a_claim_one_day_later_is_found() -> None:
    assert only(visible_date, claiming("2006-03-15 17:42:00", "14.03.2006 17:42")).outcome is Outcome.SUSPICIOUS
    assert only(visible_date, claiming("2006-03-15 17:42:00", "14.03.2006")).outcome is Outcome.SUSPICIOUS


def test_a_time_alone_is_no_finding() -> None:
    assert only(visible_date, claiming("2006-03-14 19:12:00", "14.03.2006 17:42")).outcome is Outcome.NOT_TESTABLE


def test_midnight_and_the_clock_of_another_zone_are_no_finding() -> None:
    assert only(visible_date, claiming("2006-03-15 00:01:00", "14.03.2006 23:59")).outcome is Outcome.CONSISTENT
    assert only(visible_date, claiming("2006-03-15 01:42:00", "14.03.2006 17:42")).outcome is Outcome.NOT_TESTABLE


def test_a_date_elsewhere_in_the_picture_is_not_compared() -> None:
    photo = claiming("2005-05-03 10:00:00", elsewhere=("Festival 03.08.2011",))
    assert only(visible_date, photo).outcome is Outcome.NOT_TESTABLE


# --------------------------------------------------------------------------- clocks in view


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("14:32", {time(14, 32)}),
        ("9:41", {time(9, 41), time(21, 41)}),
        ("09:41", {time(9, 41), time(21, 41)}),
        ("9:41 PM", {time(21, 41)}),
        ("12:05", {time(12, 5), time(0, 5)}),
        ("00:05", {time(0, 5), time(12, 5)}),
        ("14:32:10", {time(14, 32, 10)}),
        ("24:32", set()),
        ("14:60", set()),
        ("14.32", set()),  # a price
        ("2h30", set()),  # a duration
        ("Mo-Fr 10:00", set()),
        ("10:00-18:00", set()),
        ("3:1", set()),
    ],
)
def test_only_a_line_that_is_a_time_and_nothing_else_is_a_clock(text: str, times: set[time]) -> None:
    assert {at for clock in clocks_in([text]) for at in clock.times} == times


def test_a_clock_in_view_that_agrees_is_said_and_one_that_does_not_is_no_finding() -> None:
    agrees = only(visible_date, claiming("2024-05-17 14:30:00", elsewhere=("14:32",)))
    assert agrees.outcome is Outcome.CONSISTENT
    assert "which is the claimed time of day; it names no date" in agrees.summary
    assert only(visible_date, claiming("2024-05-17 21:40:00", "9:41")).outcome is Outcome.CONSISTENT
    assert only(visible_date, claiming("2024-05-17 23:58:00", elsewhere=("12:01",))).outcome is Outcome.CONSISTENT
    other = only(visible_date, claiming("2024-05-17 09:10:00", elsewhere=("14:32",)))
    assert other.outcome is Outcome.NOT_TESTABLE
    assert "which is not the claimed time of day" in other.summary


def test_of_several_times_in_view_none_is_compared() -> None:
    hours = only(visible_date, claiming("2024-05-17 10:00:00", elsewhere=("10:00", "18:00")))
    assert hours.summary == "Not testable: no date was read in the margin of the picture."


# --------------------------------------------------------------------------- from the picture


def stamped(path: Path, text: str, *, exif: Image.Exif | None = None) -> Path:
    picture = Image.radial_gradient("L").resize((1200, 900)).convert("RGB")
    draw = ImageDraw.Draw(picture)
    draw.text((780, 830), text, fill=(255, 150, 30), font=ImageFont.load_default(40))
    draw.text((400, 430), "OPEN 03.08.2011", fill=(255, 255, 255), font=ImageFont.load_default(40))
    picture.save(path, quality=92, **({} if exif is None else {"exif": exif}))
    return path


@needs_ocr
def test_a_stamp_is_read_and_compared_when_it_is_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, day in (("kept.jpg", 14), ("moved.jpg", 15)):
        exif = Image.Exif()
        exif[0x010F], exif[0x0110] = "Acme", "One"
        exif.get_ifd(0x8769)[0x9003] = f"{datetime(2006, 3, day, 17, 42, 10):%Y:%m:%d %H:%M:%S}"
        stamped(folder / name, "14.03.2006 17:42", exif=exif)
    outcomes = {}
    for asked in (False, True):
        with open_case(folder, tmp_path / "case") as case:
            case.audit(Settings(model="none", jobs=0, visible_dates=asked))
            for entry in case.view().photos():
                found = next(item for item in entry.findings if item.check_id == "GF130")
                outcomes[asked, entry.photo.source.display_path] = found.outcome
        with open_case(folder, tmp_path / "case") as case:  # as the command does, which is not told again
            assert case.verify(Settings(model="none", jobs=0), sample=1).differences == ()
    assert outcomes[False, "moved.jpg"] is Outcome.NOT_TESTABLE
    assert outcomes[True, "kept.jpg"] is Outcome.CONSISTENT
    assert outcomes[True, "moved.jpg"] is Outcome.SUSPICIOUS


@needs_ocr
def test_what_hangs_or_is_no_picture_costs_its_picture_alone(tmp_path: Path) -> None:
    good, bad = stamped(tmp_path / "a.jpg", "14.03.2006 17:42"), tmp_path / "b.jpg"
    bad.write_bytes(b"\xff\xd8\xff\xe0 no picture")
    reader = visible_text.TextReader()
    try:
        answers = reader.read([str(bad).encode(), str(good).encode()])
    finally:
        reader.close()
    assert isinstance(answers[0], Unread)
    assert isinstance(answers[1], TagsRead)
    assert any("03.2006" in str(line) for line in answers[1].tags["Visible:Stamp"])
    assert any("2011" in str(line) for line in answers[1].tags["Visible:Text"])
    hasty = visible_text.TextReader(wall_seconds=0.001)
    try:
        assert isinstance(hasty.read([str(good).encode()])[0], Unread)
    finally:
        hasty.close()


def test_without_the_package_the_command_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visible_text, "PACKAGE", "no-such-package-of-this-name")
    with pytest.raises(MissingExtra, match=r"pip install 'gtloc_forensics\[ocr\]'"):
        visible_text.TextReader()


def test_the_package_is_not_imported_before_it_is_asked_for() -> None:
    code = "import gtloc_forensics.examination.instruments, sys; print('cv2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
