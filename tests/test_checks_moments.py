"""Of which moment a name, a fix, a position or a date is, from a file's bytes to what an audit says of it."""

from __future__ import annotations

import json
import struct
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import a_photo, only
from test_checks_counter_examples import alarms, audited, fixed, pytestmark, said, taken, zoned

from gtloc_forensics.case.case import open_case
from gtloc_forensics.checks.rules.gf104_date_order import date_order
from gtloc_forensics.checks.rules.gf105_other_blocks import other_blocks
from gtloc_forensics.evidence.clocks import sentences
from gtloc_forensics.examination.instruments import Settings
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Outcome, durations

__all__ = ["pytestmark"]

PIXEL = ("-Make=Google", "-Model=Pixel 4")


def written(moment: datetime) -> str:
    return f"{moment:%Y:%m:%d %H:%M:%S}"


def causes(folder: Path) -> list[dict[str, Any]]:
    return list(json.loads((folder / "case" / "findings.json").read_text(encoding="utf-8"))["causes"])


def clock(folder: Path) -> dict[str, Any]:
    (found,) = json.loads((folder / "case" / "findings.json").read_text(encoding="utf-8"))["clocks"]
    return dict(found)


# --------------------------------------------------------------------------- what takes time


def test_a_long_exposure_is_named_and_placed_when_it_ends(tmp_path: Path) -> None:
    exposed = ("-ExposureTime=900", "-FNumber=1.9", "-ISO=50")
    name, too_late = "IMG_20210704_231500.jpg", "IMG_20210704_232000.jpg"
    photos = audited(
        tmp_path,
        {
            too_late: taken("2021:07:04 23:00:00", *PIXEL, *exposed),
            name: [
                *taken("2021:07:04 23:00:00", *PIXEL, *exposed),
                *fixed(47.3712, 8.5412, "2021:07:04 21:15:00"),
                *zoned("+02:00"),
            ],
        },
    )
    assert alarms(photos[name]) == []
    assert said(photos[name], "GF106")["outcome"] == said(photos[name], "GF101")["outcome"] == "consistent"
    assert said(photos[too_late], "GF106")["outcome"] == "suspicious"


def film(path: Path, seconds: int) -> None:
    """Write a film without pictures, its dates left to exiftool."""

    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(body), kind) + body

    unit = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    head = struct.pack(">B3sIIII", 0, bytes(3), 0, 0, 600, 600 * seconds)
    mvhd = box(
        b"mvhd", head + struct.pack(">IHH", 0x10000, 0x100, 0) + bytes(8) + unit + bytes(24) + struct.pack(">I", 2)
    )
    path.write_bytes(box(b"ftyp", b"mp42" + bytes(4) + b"mp42isom") + box(b"moov", mvhd) + box(b"mdat", bytes(64)))


@pytest.mark.parametrize(("seconds", "is_told"), [(2405, False), (600, True)])
def test_a_film_is_named_when_it_begins_and_dated_when_it_ends(tmp_path: Path, seconds: int, is_told: bool) -> None:
    evidence = tmp_path / "films"
    evidence.mkdir()
    path = evidence / "VID_20210704_153000.mp4"
    film(path, seconds)
    dates = ["-QuickTime:CreateDate=2021:07:04 14:10:05", "-UserData:GPSCoordinates=47.3712 8.5412"]
    subprocess.run(["exiftool", "-q", "-n", "-overwrite_original", *dates, str(path)], check=True)
    with open_case(evidence, tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        (photo,) = json.loads(case.write_findings().read_text(encoding="utf-8"))["photos"]
    assert bool(alarms(photo)) == is_told
    assert said(photo, "GF106")["outcome"] == ("suspicious" if is_told else "consistent")


# --------------------------------------------------------------------------- old fixes


ARRIVED = {
    "1.jpg": ("2022:05:10 13:00:00", 50.03791, 8.56221, "2022:05:10 11:00:00", "+02:00"),
    "2.jpg": ("2022:05:11 07:43:00", 50.03793, 8.56223, "2022:05:10 11:20:12", "+09:00"),
    "3.jpg": ("2022:05:11 09:00:00", 35.54941, 139.77981, "2022:05:11 00:00:00", "+09:00"),
    "4.jpg": ("2022:05:11 12:00:00", 35.65941, 139.74981, "2022:05:11 03:00:00", "+09:00"),
}


def test_on_landing_the_zone_is_that_of_the_arrival_and_the_fix_that_of_the_departure(tmp_path: Path) -> None:
    photos = audited(
        tmp_path,
        {
            name: [*taken(local, *PIXEL), *fixed(latitude, longitude, utc), *zoned(zone)]
            for name, (local, latitude, longitude, utc, zone) in ARRIVED.items()
        },
    )
    assert [line for photo in photos.values() for line in alarms(photo)] == []
    assert "older than the photo" in said(photos["2.jpg"], "GF102")["summary"]


def test_a_foreign_zone_beside_a_fresh_fix_is_still_told(tmp_path: Path) -> None:
    changed = {name: (local, la, lo, utc, "+02:00") for name, (local, la, lo, utc, _) in list(ARRIVED.items())[2:]}
    photos = audited(
        tmp_path,
        {
            name: [*taken(local, *PIXEL), *fixed(latitude, longitude, utc), *zoned(zone)]
            for name, (local, latitude, longitude, utc, zone) in changed.items()
        },
    )
    assert all(said(photo, "GF102")["outcome"] == "suspicious" for photo in photos.values())


def test_an_old_fix_does_not_excuse_a_zone_that_nothing_speaks_for(tmp_path: Path) -> None:
    photos = audited(
        tmp_path,
        {
            "1.jpg": [
                *taken("2021:07:04 15:30:00", *PIXEL),
                *fixed(47.37, 8.54, "2021:07:04 13:19:40"),
                *zoned("-04:00"),
            ]
        },
    )
    assert said(photos["1.jpg"], "GF102")["outcome"] == "suspicious"


def test_so_near_the_pole_a_ship_keeps_any_time(tmp_path: Path) -> None:
    hours = (("10:00", 12.3451), ("10:15", -134.3451), ("10:40", 101.3451), ("23:40", 171.3451))
    photos = audited(
        tmp_path,
        {
            f"{number}.jpg": [
                *taken(f"2019:07:01 {hour}:00", *PIXEL[:1], "-Model=Pixel 3"),
                *fixed(89.9991 - number / 5000, longitude, f"2019:07:01 {hour}:00"),
                *zoned("+00:00"),
            ]
            for number, (hour, longitude) in enumerate(hours)
        },
    )
    assert [line for photo in photos.values() for line in alarms(photo)] == []


@pytest.mark.parametrize(("a_step_s", "word"), [(120, "gained"), (-120, "lost")])
def test_a_clock_that_drifts_for_a_year_has_no_old_fixes(tmp_path: Path, a_step_s: int, word: str) -> None:
    camera = ("-Make=PENTAX", "-Model=PENTAX WG-3 GPS", "-SerialNumber=5")
    photos = {}
    for number in range(7):
        utc = datetime(2020, 1, 10, 9) + timedelta(days=61 * number, minutes=7 * number % 13)
        summer = 3 < utc.month < 11
        local = utc + timedelta(hours=2 if summer else 1, seconds=a_step_s * number)
        photos[f"{number}.jpg"] = [
            *taken(written(local), *camera),
            *fixed(48.8512 + number / 300, 2.3512, written(utc)),
        ]
    told = audited(tmp_path, photos)
    assert f"{word} at one rate over 7 photos" in said(told["6.jpg"], "GF101")["summary"]
    assert clock(tmp_path)["kind"] == "drift"
    assert "0 s at first" in clock(tmp_path)["evidence"][0]
    assert [line for photo in told.values() for line in alarms(photo)] == []


# --------------------------------------------------------------------------- one file among right ones


@pytest.mark.parametrize("moved_hours", [12, 72])
def test_a_capture_time_moved_by_whole_hours_is_not_laid_to_the_receiver(tmp_path: Path, moved_hours: int) -> None:
    photos = {}
    for number in range(6):
        utc = datetime(2022, 6, 10 + number, 10, 3 * number, 7 * number)
        local = utc + timedelta(hours=2 + (moved_hours if number == 3 else 0))
        photos[f"{number}.jpg"] = [
            *taken(written(local), "-Make=Apple", "-Model=iPhone 13"),
            *fixed(45.0211 + number / 300, 9.1211, written(utc)),
            *zoned("+02:00"),
        ]
    told = audited(tmp_path, photos)
    assert said(told["3.jpg"], "GF101")["outcome"] == "suspicious"
    (cause,) = [cause for cause in causes(tmp_path) if cause["outcome"] == "suspicious"]
    assert cause["cause"] == "clock-or-gps"
    assert "no clock's" not in cause["summary"]
    assert "original" in cause["refutable_by"]  # five siblings agree with GPS time already
    assert "in 5 of 5 photos whose GPS time is heard" in clock(tmp_path)["evidence"][0]


def test_one_photo_out_of_the_order_of_its_counter_is_no_step_of_the_clock(tmp_path: Path) -> None:
    camera = ("-Make=Canon", "-Model=Canon EOS 5D Mark IV", "-SerialNumber=88")
    photos = audited(
        tmp_path,
        {
            f"{number:02}.jpg": taken(
                f"2021:07:{25 if number == 6 else 4 + number:02} 15:30:00",
                *camera,
                f"-ImageNumber={1000 + 13 * number}",
            )
            for number in range(12)
        },
    )
    assert alarms(photos["06.jpg"])
    assert clock(tmp_path)["kind"] == "undetermined"
    assert not any("set back" in cause["summary"] for cause in causes(tmp_path))


def test_no_journey_sets_a_clock_back_by_days() -> None:
    assert "further west" in sentences.set_back(22.0, "a.jpg")
    assert "further west" not in sentences.set_back(14 * 24.0, "a.jpg")


# --------------------------------------------------------------------------- before the device


def test_a_clock_set_by_a_receiver_whose_weeks_ran_over_is_not_called_right(tmp_path: Path) -> None:
    camera = ("-Make=Canon", "-Model=Canon EOS 6D", "-SerialNumber=77")
    photos = audited(
        tmp_path,
        {
            f"{number}.jpg": [
                *taken(f"1999:12:{25 + number} 14:0{number}:00", *camera, "-ExifVersion=0220"),
                *fixed(48.8512 + number / 300, 2.3512, f"1999:12:{25 + number} 13:0{number}:00"),
            ]
            for number in range(3)
        },
    )
    for photo in photos.values():
        assert [line[:5] for line in alarms(photo)] == ["GF113"]
        assert "GF114" in photo["not_testable"]
        assert "week number ran over" in said(photo, "GF101")["summary"]
    assert clock(tmp_path)["kind"] == "undetermined"
    assert "edit" not in {cause["cause"] for cause in causes(tmp_path)}


def test_weeks_that_would_run_over_into_the_future_did_not_run_over(tmp_path: Path) -> None:
    photos = audited(
        tmp_path,
        {
            f"{day}.jpg": [
                *taken(f"2015:07:0{day} 15:30:0{day}", "-Make=Canon", "-Model=Canon EOS R5"),
                *fixed(47.37, 8.54 + day / 100, f"2015:07:0{day} 13:30:0{day}"),
            ]
            for day in (4, 5, 6)
        },
    )
    for photo in photos.values():
        assert "GF113" in [line[:5] for line in alarms(photo)]
        assert "week number" not in said(photo, "GF101")["summary"]


def test_a_day_ahead_at_new_year_is_no_clock_that_started_anew(tmp_path: Path) -> None:
    photos = {}
    for number in range(4):
        utc = datetime(2019, 12, 31, 9) + timedelta(hours=3 * number, seconds=77 * number)
        local = utc + timedelta(hours=25)
        photos[f"{number}.jpg"] = [
            *taken(written(local), "-Make=Panasonic", "-Model=DMC-TZ100", "-SerialNumber=71", "-ExifVersion=0230"),
            *fixed(48.85 + number / 300, 2.3512, written(utc)),
        ]
    told = audited(tmp_path, photos)
    assert all("1 day apart" in said(photo, "GF101")["summary"] for photo in told.values())


@pytest.mark.parametrize(("day", "is_told"), [("2021-06-05", True), ("2021-07-05", False), ("1970-01-01", False)])
def test_an_upload_before_the_capture_is_told_from_the_file_beside_the_photo(
    tmp_path: Path, day: str, is_told: bool
) -> None:
    evidence = tmp_path / "photos"
    name, uploaded = "IMG_9.jpg", int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp())
    beside = {
        "title": name,
        "creationTime": {"timestamp": str(uploaded)},
        "photoTakenTime": {"timestamp": "1625405400"},
    }
    audited(tmp_path, {name: [*taken("2021:07:04 15:30:00", "-Make=Canon", "-Model=Canon EOS 800D")]})
    (evidence / f"{name}.json").write_text(json.dumps(beside), encoding="utf-8")
    with open_case(evidence, tmp_path / "again") as case:
        case.audit(Settings(model="none", jobs=0))
        (photo,) = json.loads(case.write_findings().read_text(encoding="utf-8"))["photos"]
    assert any("took the photo in" in line for line in alarms(photo)) == is_told


# --------------------------------------------------------------------------- what is said


def test_a_date_to_come_is_given_the_zone_in_which_it_is_nearest() -> None:
    captured = {"ExifIFD:DateTimeOriginal": "2041:03:04 12:00:00"}
    alone = only(date_order, a_photo(local="2041-03-04 12:00", tags=captured))
    zoned_photo = only(date_order, a_photo(local="2041-03-04 12:00", offset=2.0, tags=captured))
    assert "at least" in alone.summary and "in whatever zone" in alone.summary
    assert "at least" not in zoned_photo.summary


def test_two_blocks_that_differ_are_not_said_to_have_been_changed() -> None:
    tags = {"ExifIFD:DateTimeOriginal": "2021:07:04 15:30:00", "XMP-photoshop:DateCreated": "2021:04:07 15:30:00"}
    found = only(other_blocks, a_photo(local="2021-07-04 15:30", tags=tags))
    assert found.outcome is Outcome.SUSPICIOUS
    assert "changed" not in found.summary


@pytest.mark.parametrize("zero", ["0001:01:01 00:00:00", "0001-01-01T00:00:00Z", "0001:01:01"])
def test_the_first_moment_of_the_calendar_is_a_date_that_was_not_set(zero: str) -> None:
    assert tag_values.is_unset(zero)
    assert not tag_values.is_unset("0001:01:02 00:00:00")


def test_a_day_lost_over_the_end_of_summer_time_is_a_whole_day(tmp_path: Path) -> None:
    camera = ("-Make=Panasonic", "-Model=DMC-TZ61", "-SerialNumber=2")
    photos = audited(
        tmp_path,
        {
            "a.jpg": [*taken("2019:10:26 09:03:25", *camera), *fixed(48.8512, 2.3512, "2019:10:27 08:03:25")],
            "b.jpg": [*taken("2019:10:27 11:33:05", *camera), *fixed(48.8612, 2.3612, "2019:10:28 10:33:05")],
        },
    )
    assert "1 day apart" in said(photos["a.jpg"], "GF101")["summary"]


def test_a_clock_an_hour_ahead_beside_right_ones_is_no_slip_of_the_position(tmp_path: Path) -> None:
    model = ("-Make=NIKON CORPORATION", "-Model=NIKON D5300", "-ExifVersion=0230")
    photos = {}
    for number in range(4):
        utc = datetime(2018, 5, 1, 8, 11 * number, 7 * number) + timedelta(hours=2 * number)
        place = 41.9011 + number / 300, 12.4911
        right, ahead = utc + timedelta(hours=2), utc + timedelta(hours=3, minutes=5)
        photos[f"DSC_010{number}.JPG"] = [*taken(written(right), *model), *fixed(*place, written(utc))]
        photos[f"DSC_770{number}.JPG"] = [
            *taken(written(ahead), *model),
            *fixed(*place, written(utc + timedelta(minutes=5))),
        ]
    told = audited(tmp_path, photos)
    assert {check[:5] for photo in told.values() for check in alarms(photo)} == {"GF101"}


def test_both_ends_of_an_interval_are_never_one() -> None:
    assert durations.between(8784.0 - 1 / 60, 8784.0 + 1 / 60) == "365 days 23 h 59 min – 366 days 1 min, 95 %"
    assert durations.between(5.0, 6.0) == "5 h – 6 h, 95 %"


def test_a_clock_that_a_count_shows_set_back_is_not_called_right_in_its_evidence(tmp_path: Path) -> None:
    camera = ("-Make=FUJIFILM", "-Model=X-E3", "-SerialNumber=11")
    times = ("01 10:00:00", "01 18:00:00", "02 07:00:00", "02 06:30:00", "02 12:00:00")
    photos = {
        f"{number}.jpg": taken(f"2019:05:{time}", *camera, f"-ImageNumber={500 + number}")
        for number, time in enumerate(times)
    }
    told = audited(tmp_path, photos)
    assert [line for photo in told.values() for line in alarms(photo)] == []
    assert not any("clock was right" in sentence for sentence in clock(tmp_path)["evidence"])
    (cause,) = causes(tmp_path)
    assert cause["cause"] == "zone"
