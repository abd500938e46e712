"""What a whole correction takes, in one plan: the clock, its zone, positions from a track, and names by time."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from builders import a_photo
from click.testing import CliRunner, Result
from test_case import INLINE, photo

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.correct import Order, Quantity, plan

EXIFTOOL = shutil.which("exiftool")
ORDER = ("--offset", "+01:02:00", "--zone", "Europe/Berlin", "--rename")


def track(path: Path) -> Path:
    """Write a walk northwards, a thousandth of a degree every five minutes from 09:00 UTC on."""
    points = "".join(
        f'<trkpt lat="{52.5 + step * 0.001:.4f}" lon="13.4"><time>2024-06-15T{moment:%H:%M:%S}Z</time></trkpt>'
        for step, moment in ((step, datetime(2024, 6, 15, 9) + timedelta(minutes=5 * step)) for step in range(60))
    )
    gpx = f'<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>'
    path.write_text(gpx, encoding="utf-8")
    return path


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """Two photos by a clock an hour and two minutes slow, without a zone or a place."""
    for number in range(2):
        photo(tmp_path / "photos" / f"{number}.jpg", number, taken=f"2024:06:15 11:{10 * number:02d}:00")
    return tmp_path / "photos"


@pytest.fixture
def case(evidence: Path, tmp_path: Path) -> Path:
    with open_case(evidence, tmp_path / "case") as opened:
        opened.audit(INLINE)
    return tmp_path / "case"


def correct(case: Path, *arguments: str) -> Result:
    return CliRunner().invoke(gtloc, ["correct", str(case), *arguments])


def claimed(path: Path) -> dict[str, object]:
    tags = ("DateTimeOriginal", "OffsetTimeOriginal", "GPSLatitude", "GPSLongitude")
    command = [str(EXIFTOOL), "-j", "-n", *(f"-{tag}" for tag in tags), str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)[0]


def test_one_plan_moves_the_clock_names_its_zone_places_the_photo_and_names_the_file(case: Path, tmp_path: Path):
    done = correct(case, *ORDER, "--track", str(track(tmp_path / "t.gpx")))
    assert done.exit_code == ExitCode.CLEAN, done.output
    lines = tomllib.loads((case / "corrections.toml").read_text("utf-8"))["change"]
    first = {line["tag"]: line["new"] for line in lines if line["photo"] == "0.jpg"}
    assert first == {
        "DateTimeOriginal": "2024-06-15 12:02:00",
        "OffsetTimeOriginal": "+02:00",
        "GPSPosition": "52.5124000, 13.4000000",  # 10:02 UTC, 62 minutes into the walk
        "FileName": "2024-06-15_12-02-00.jpg",
    }
    reasons = {line["tag"]: line["reason"] for line in lines if line["photo"] == "0.jpg"}
    assert reasons["OffsetTimeOriginal"] == "asked for: clock moved by +01:02:00, and it keeps Europe/Berlin"


@pytest.mark.skipif(EXIFTOOL is None, reason="exiftool is not installed")
def test_the_whole_plan_is_carried_out_read_back_journalled_and_undone(case: Path, evidence: Path, tmp_path: Path):
    before = {path.name: path.read_bytes() for path in evidence.iterdir()}
    assert correct(case, *ORDER, "--track", str(track(tmp_path / "t.gpx"))).exit_code == ExitCode.CLEAN
    copies = tmp_path / "copies"
    applied = correct(case, "--apply", "--copy", str(copies))
    assert applied.exit_code == ExitCode.CLEAN, applied.output
    assert sorted(path.name for path in copies.iterdir()) == ["2024-06-15_12-02-00.jpg", "2024-06-15_12-12-00.jpg"]
    held = claimed(copies / "2024-06-15_12-12-00.jpg")
    assert (held["DateTimeOriginal"], held["OffsetTimeOriginal"]) == ("2024:06:15 12:12:00", "+02:00")
    assert held["GPSLatitude"] == pytest.approx(52.5144)
    assert held["GPSLongitude"] == pytest.approx(13.4)
    with Case(case) as opened:
        assert opened.custody_faults() == ()
        assert sum(event.action == "correct" for event in opened.view().custody()) >= 2
    assert correct(case, "--undo").exit_code == ExitCode.CLEAN
    assert not [path for path in copies.rglob("*") if path.is_file()]
    assert {path.name: path.read_bytes() for path in evidence.iterdir()} == before


def test_a_reference_photo_and_a_zone_go_together_too(case: Path):
    done = correct(case, "--from-reference", "0.jpg=2024-06-15 12:02:00", "--zone", "Europe/Berlin")
    assert "1.jpg  DateTimeOriginal: 2024-06-15 11:10:00 → 2024-06-15 12:12:00" in done.output
    assert "1.jpg  OffsetTimeOriginal: – → +02:00" in done.output


def test_the_zone_is_the_one_kept_at_the_moved_clock_not_at_the_old_one():
    photos = [a_photo(name="a.jpg", local="2024-03-31 01:30:00")]
    made = plan(Order(offset="+02:00:00", zone="Europe/Berlin"), photos)
    assert {change.quantity: change.new for change in made.changes}[Quantity.OFFSET] == "+02:00"


def test_where_the_gps_clock_confirms_the_moved_clock_it_stays():
    photos = [a_photo(name="a.jpg", local="2024-06-15 11:00:00", gps="2024-06-15 10:02:00", position=(52.5, 13.4))]
    made = plan(Order(offset="+01:02:00", zone="Europe/Berlin"), photos)
    assert {change.quantity for change in made.changes} == {Quantity.LOCAL_TIME, Quantity.OFFSET}
