"""Corners that a stranger's folder has: counters, dates and letters that are there in part, from bytes to the audit."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import a_photo, findings_of, only
from test_checks_counter_examples import alarms, audited, fixed, pytestmark, said, taken
from test_checks_moments import causes, clock, film, written

from gtloc_forensics import correct
from gtloc_forensics.case.case import open_case
from gtloc_forensics.checks.reference import countries
from gtloc_forensics.checks.rules.gf101_clock_gps import clock_against_gps
from gtloc_forensics.checks.rules.gf104_date_order import date_order
from gtloc_forensics.checks.rules.gf105_other_blocks import other_blocks
from gtloc_forensics.checks.rules.gf110_position_form import position_form
from gtloc_forensics.checks.rules.gf121_country import country
from gtloc_forensics.correct import Order
from gtloc_forensics.examination.instruments import Settings
from gtloc_forensics.records import ClockKind, ClockModel, Outcome, Position

__all__ = ["pytestmark"]

CANON = ("-Make=Canon", "-Model=Canon EOS 80D", "-SerialNumber=231", "-ExifVersion=0230")


# --------------------------------------------------------------------------- photos between later ones


def numbered(folder: Path, times: Sequence[str]) -> list[dict[str, Any]]:
    photos = audited(folder, {f"IMG_{number:04}.JPG": taken(time, *CANON) for number, time in enumerate(times, 1)})
    return [photos[name] for name in sorted(photos)]


RESET = ["2018:01:01 00:02:10", "2018:01:01 00:17:00", "2018:01:01 03:30:00", "2018:01:02 03:12:00"]


def test_a_battery_that_was_changed_accuses_none_of_the_photos_around_it(tmp_path: Path) -> None:
    before = ["2019:07:10 10:00:00", "2019:07:10 15:00:00", "2019:07:11 09:00:00"]
    told = numbered(tmp_path, [*before, *RESET, "2019:07:12 09:00:00", "2019:07:12 14:00:00"])
    assert [line for photo in told for line in alarms(photo)] == []
    for photo in told[3:7]:
        assert said(photo, "GF402")["outcome"] == "explained"
        assert "factory default" in said(photo, "GF402")["summary"]
    for photo in [*told[:3], *told[7:]]:
        assert said(photo, "GF402")["outcome"] == "consistent"


def test_photos_that_a_clock_dates_before_those_round_them_are_named_themselves(tmp_path: Path) -> None:
    now = [f"2021:07:10 {hour}:00:00" for hour in (10, 11, 12)]
    then = [f"2020:03:04 {hour}:00:00" for hour in (13, 14, 15)]
    told = numbered(tmp_path, [*now, *then, *(f"2021:07:10 {hour}:00:00" for hour in (16, 17, 18))])
    assert [bool(alarms(photo)) for photo in told] == [False] * 3 + [True] * 3 + [False] * 3
    assert "between IMG_0003.JPG and IMG_0007.JPG, by the clock before both" in said(told[4], "GF402")["summary"]


def test_a_clock_that_never_comes_back_to_what_it_showed_is_still_a_step(tmp_path: Path) -> None:
    ahead = ["2022:07:10 10:00:00", "2022:07:10 12:00:00"]
    told = numbered(tmp_path, [*ahead, *(f"2021:07:10 {hour}:00:00" for hour in (13, 14, 15, 16, 17))])
    assert [bool(alarms(photo)) for photo in told] == [True] * 2 + [False] * 5


# --------------------------------------------------------------------------- minutes


def off_by(minutes: float, *, photos: int = 5) -> dict[str, list[str]]:
    made = {}
    for number in range(photos):
        utc = datetime(2021, 6, 10 + number, 10, number, 3 * number)
        local = utc + timedelta(hours=2, minutes=minutes)
        made[f"{number}.jpg"] = [
            *taken(written(local), "-Make=Canon", "-Model=Canon EOS 6D"),
            *fixed(48.2012 + number / 300, 16.3738, written(utc)),
        ]
    return made


@pytest.mark.parametrize("minutes", [-7, -25, -30, -35])
def test_minutes_that_five_photos_keep_are_an_offset_and_are_put_right(tmp_path: Path, minutes: int) -> None:
    audited(tmp_path, off_by(minutes))
    assert clock(tmp_path)["kind"] == "constant offset"
    assert clock(tmp_path)["offset_hours"] == pytest.approx(minutes / 60, abs=0.01)
    with open_case(tmp_path / "photos", tmp_path / "case") as case:
        plan = case.plan_corrections(tmp_path / "plan.toml", Order())
    assert {line.quantity.value for line in plan.changes} == {"DateTimeOriginal"}
    assert sorted(line.new for line in plan.changes)[0] == "2021-06-10 12:00:00"
    assert len(plan.changes) == 5


def plan_of(ahead_minutes: Sequence[float]) -> tuple[set[bytes], str]:
    """Return what is proposed for photos of one camera that are so far ahead of GPS time, and what is noted."""
    photos = [
        a_photo(
            name=f"{number}.jpg",
            local=datetime(2021, 6, 10 + number, 12) + timedelta(minutes=ahead),
            gps=datetime(2021, 6, 10 + number, 10),
            position=(48.2, 16.4),
            serial="9",
        )
        for number, ahead in enumerate(ahead_minutes)
    ]
    model = ClockModel(
        photos[0].claim.device.key, "EOS", ClockKind.CONSTANT_OFFSET, None, None, 1.0, len(photos), (), "an accusation"
    )
    plan = correct.plan(Order(), photos, findings=[], clocks=[model])
    return {line.relative for line in plan.changes}, " ".join(plan.notes)


def test_a_gps_time_minutes_away_neither_confirms_a_clock_nor_lets_it_be_moved_by_hours() -> None:
    every = {b"0.jpg", b"1.jpg", b"2.jpg", b"3.jpg"}
    assert plan_of([-7, -7, -7, -7])[0] == every
    assert plan_of([60, 60, 60, 60])[0] == every
    assert plan_of([60, 60, 60, 10])[0] == set()  # a fix ten minutes old, of a clock that was right
    assert plan_of([-7, -7, -7, 0])[0] == set()
    assert plan_of([-3, -3, -3, -3])[0] == set()


# --------------------------------------------------------------------------- the camera's own date in the GPS tags


def test_a_day_that_firmware_may_have_written_is_not_moved_with_the_hour(tmp_path: Path) -> None:
    photos = {}
    for number in range(4):
        local = datetime(2019, 7, 10 + number, 18, 30, number)  # in California, on winter time; GPS time 02:30
        gps = local.replace(hour=2)
        photos[f"{number}.jpg"] = [*taken(written(local), *CANON), *fixed(37.7701, -122.4101, written(gps))]
    audited(tmp_path, photos)
    assert clock(tmp_path)["kind"] == "undetermined"
    with open_case(tmp_path / "photos", tmp_path / "case") as case:
        plan = case.plan_corrections(tmp_path / "plan.toml", Order())
    assert not plan.changes
    assert "the day is open" in " ".join(plan.notes)


# --------------------------------------------------------------------------- a GPS date without a time


@pytest.mark.parametrize(
    ("gps", "outcome", "words"),
    [
        ("2019:07:10", Outcome.CONSISTENT, "to a day"),
        ("2019:07:11", Outcome.CONSISTENT, "to a day"),
        ("2019:07:07", Outcome.EXPLAINED, "old fix"),
        ("2019:06:10", Outcome.SUSPICIOUS, "30 days earlier"),
        ("2019:08:09", Outcome.SUSPICIOUS, "30 days later"),
        ("2022:03:04", Outcome.SUSPICIOUS, "later than the capture"),
        ("1999:11:24", Outcome.EXPLAINED, "1,024 weeks"),
        ("1980:01:06", Outcome.EXPLAINED, "no time yet"),
    ],
)
def test_a_gps_date_without_a_time_tells_the_day(gps: str, outcome: Outcome, words: str) -> None:
    found = only(clock_against_gps, a_photo(local="2019-07-10 12:00", tags={"GPS:GPSDateStamp": gps}))
    assert found.outcome is outcome
    assert words in found.summary


def test_of_a_gps_time_without_a_date_no_date_is_observed() -> None:
    photo = a_photo(local="2019-07-10 12:00", position=(48.2, 16.4), tags={"GPS:GPSTimeStamp": "06:40:00"})
    found = only(clock_against_gps, photo)
    assert "GPS time 06:40:00 (UTC), without its date." in found.observed


# --------------------------------------------------------------------------- hemispheres


def test_a_letter_that_is_no_hemisphere_is_told() -> None:
    tags = {
        "GPS:GPSLatitude": "38.7169123",
        "GPS:GPSLatitudeRef": "N",
        "GPS:GPSLongitude": "9.1399123",
        "GPS:GPSLongitudeRef": "O",
    }
    found = only(position_form, a_photo(position=(38.7169123, 9.1399123), tags=tags))
    assert found.outcome is Outcome.SUSPICIOUS
    assert "GPSLongitudeRef" in found.summary and "guess" in found.summary
    for east in ("e", "East", "E"):
        right = only(
            position_form, a_photo(position=(38.7169123, 9.1399123), tags={**tags, "GPS:GPSLongitudeRef": east})
        )
        assert right.outcome is Outcome.CONSISTENT


# --------------------------------------------------------------------------- films


def film_told(folder: Path, *dates: str) -> dict[str, Any]:
    """Return what an audit says of a film with these dates."""
    (folder / "films").mkdir()
    path = folder / "films" / "clip.mov"
    film(path, 5)
    subprocess.run(["exiftool", "-q", "-n", "-m", "-overwrite_original", *dates, str(path)], check=True)
    with open_case(folder / "films", folder / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        (photo,) = json.loads(case.write_findings().read_text(encoding="utf-8"))["photos"]
    return dict(photo)


@pytest.mark.parametrize(
    ("container", "outcome", "words"),
    [
        ("11:20:02", "consistent", "one instant"),
        ("13:20:01", "explained", "counts local time"),
        ("18:00:00", "explained", "later than"),
        ("08:00:00", "suspicious", "3 h 20 min earlier"),
    ],
)
def test_a_films_own_clock_is_held_against_the_capture_with_its_zone(
    tmp_path: Path, container: str, outcome: str, words: str
) -> None:
    dates = [f"-QuickTime:CreateDate=2023:07:14 {container}", "-Keys:CreationDate=2023:07:14 13:20:00+02:00"]
    found = said(film_told(tmp_path, *dates, "-Keys:Make=Apple", "-Keys:Model=iPhone 12"), "GF105")
    assert found["outcome"] == outcome
    assert words in found["summary"]


@pytest.mark.parametrize(("year", "rule"), [(2036, "GF104"), (2015, "GF113")])
def test_a_film_that_tells_an_instant_and_no_wall_clock_is_judged_by_it(tmp_path: Path, year: int, rule: str) -> None:
    dates = [f"-QuickTime:CreateDate={year}:02:07 06:28:16", "-Keys:Make=Apple", "-Keys:Model=iPhone 12"]
    assert rule in [line[:5] for line in alarms(film_told(tmp_path, *dates))]


# --------------------------------------------------------------------------- dates in part, and moved in part


@pytest.mark.parametrize(
    ("written_date", "is_told"),
    [("2021:03", True), ("2021", True), ("2023:07", False), ("2023", False), ("2023:06", True)],
)
def test_a_month_or_a_year_alone_is_held_against_the_capture(written_date: str, is_told: bool) -> None:
    tags = {"ExifIFD:DateTimeOriginal": "2023:07:14 10:11:12", "XMP-photoshop:DateCreated": written_date}
    found = findings_of(other_blocks, a_photo(local="2023-07-14 10:11:12", tags=tags))
    assert [finding.outcome for finding in found if "without a day" in finding.summary] == [Outcome.EXPLAINED] * is_told


@pytest.mark.parametrize(
    ("digitised", "offsets", "outcome"),
    [
        ("10:00:00", ("+02:00", "+02:00"), Outcome.SUSPICIOUS),  # one of the two was moved
        ("10:00:00", ("+02:00", "-01:00"), Outcome.CONSISTENT),  # one instant
        ("10:00:00", (), Outcome.EXPLAINED),
        ("09:43:00", (), Outcome.SUSPICIOUS),
        ("12:21:00", (), Outcome.CONSISTENT),  # as a genuine drone dates a series
        ("16:00:00", ("+02:00", "+02:00"), Outcome.CONSISTENT),
    ],
)
def test_a_digitising_hours_before_the_capture_is_told(
    digitised: str, offsets: Sequence[str], outcome: Outcome
) -> None:
    tags = {"ExifIFD:DateTimeOriginal": "2023:07:14 13:00:00", "ExifIFD:CreateDate": f"2023:07:14 {digitised}"}
    tags |= dict(zip(("ExifIFD:OffsetTimeOriginal", "ExifIFD:OffsetTimeDigitized"), offsets, strict=False))
    assert only(date_order, a_photo(local="2023-07-14 13:00", tags=tags)).outcome is outcome


# --------------------------------------------------------------------------- countries


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ((42.66, 21.16), "Kosovo"),
        ((42.66, 21.16), "Serbia"),
        ((41.90, 12.45), "Vatican City"),
        ((43.70, 7.38), "Monaco"),
        ((18.07, -63.05), "Sint Maarten"),
    ],
)
def test_states_that_are_small_or_have_no_zone_are_where_they_are(place: tuple[float, float], name: str) -> None:
    found = only(country, a_photo(position=place, tags={"XMP-photoshop:Country": name}))
    assert found.outcome is Outcome.CONSISTENT


def test_of_several_states_nearby_none_is_said_to_hold_the_position() -> None:
    found = only(country, a_photo(position=(43.70, 7.38), tags={"XMP-photoshop:Country": "Spain"}))
    assert found.outcome is Outcome.SUSPICIOUS
    assert "within 50 km" in found.summary and "lies in" not in found.summary
    assert only(country, a_photo(position=(44.8, 20.45), tags={"XMP-photoshop:Country": "Kosovo"})).is_found


def test_every_main_place_of_a_zone_is_in_its_country() -> None:
    places = countries._main_places()
    assert len(places) > 300
    lost = [zone for place, zone in places if not countries.of_zone(zone) <= countries.around(place, distance_km=50)]
    assert lost == []
    assert countries.around(Position(0.5, -30.0), distance_km=50) == frozenset()


# --------------------------------------------------------------------------- plans


def test_a_companion_is_named_as_people_do_and_heard_of_the_journey_alone(tmp_path: Path) -> None:
    photos = {}
    for number in range(8):
        utc = datetime(2023, 7, 10, 7 + number, 5 * number)
        place = 47.0 + 0.013 * number, 8.3 + 0.017 * number
        right, ahead = utc + timedelta(hours=2), utc + timedelta(hours=10, minutes=1)
        phone = ["-Make=samsung", "-Model=SM-G991B"]
        photos[f"p{number}.jpg"] = [*taken(written(right), *phone), *fixed(*place, written(utc))]
        photos[f"c{number}.jpg"] = [
            *taken(written(ahead), "-Make=SONY", "-Model=ILCE-7M3"),
            *fixed(*place, written(utc))[:4],
        ]
    for year in (2018, 2019):
        photos[f"old{year}.jpg"] = taken(f"{year}:03:04 10:00:00", "-Make=SONY", "-Model=ILCE-7M3")
    audited(tmp_path, photos)
    told = [one["summary"] for one in json.loads((tmp_path / "case" / "findings.json").read_text())["clocks"]]
    assert any("as of another zone, for all 8 photos" in said_of and "not of 2 others" in said_of for said_of in told)
    with open_case(tmp_path / "photos", tmp_path / "case") as case:
        plan = case.plan_corrections(tmp_path / "plan.toml", Order())
    assert {line.relative.decode() for line in plan.changes} == {f"c{number}.jpg" for number in range(8)}
    assert all("against samsung SM-G991B" in line.reason for line in plan.changes)
    assert causes(tmp_path)


# --------------------------------------------------------------------------- how long a witness speaks


SIXD = ("-Make=Canon", "-Model=Canon EOS 6D")


def test_gps_times_of_one_week_say_nothing_of_a_clock_years_before(tmp_path: Path) -> None:
    years_ago = {f"old{year}.jpg": taken(f"{year}:03:04 10:00:00", *SIXD) for year in (2014, 2016)}
    audited(tmp_path, {**off_by(60), **years_ago, "soon.jpg": taken("2021:06:20 10:00:00", *SIXD)})
    told = clock(tmp_path)["summary"]
    assert "for all 6 photos" in told and "not of 2 others" in told
    with open_case(tmp_path / "photos", tmp_path / "case") as case:
        plan = case.plan_corrections(tmp_path / "plan.toml", Order())
    assert {line.relative.decode() for line in plan.changes} == {"soon.jpg", *(f"{number}.jpg" for number in range(5))}
    assert any("old2014.jpg" in note and "31 days" in note for note in plan.notes)


def test_a_right_clock_is_called_right_where_gps_time_says_so(tmp_path: Path) -> None:
    audited(tmp_path, {**off_by(0), "old.jpg": taken("2014:03:04 10:00:00", *SIXD)})
    assert clock(tmp_path)["summary"].startswith("The clock was right for 5 photos (")
    assert "not of 1 other." in clock(tmp_path)["summary"]


def test_a_gps_date_years_away_is_not_laid_to_a_clock_that_is_minutes_off(tmp_path: Path) -> None:
    odd = [*taken("2021:06:12 18:00:00", *SIXD), "-GPSDateStamp=2022:03:04"]
    photos = audited(tmp_path, {**off_by(-25), "odd.jpg": odd})
    assert alarms(photos["odd.jpg"])
    (minutes,) = [cause for cause in causes(tmp_path) if cause["cause"] == "clock-offset"]
    assert len(minutes["photos"]) == 5


def test_a_constant_offset_puts_no_photo_out_of_the_order_of_its_counter(tmp_path: Path) -> None:
    photos = {}
    for number in range(12):
        utc = datetime(2021, 6, 1 + number, 10, number)
        local = utc + timedelta(hours=2, minutes=-25)
        photos[f"IMG_{number + 1:04}.JPG"] = [*taken(written(local), *SIXD), *fixed(48.2, 16.3, written(utc))]
    photos["IMG_0006.JPG"] = taken("2021:06:25 12:00:00", *SIXD)
    told = audited(tmp_path, photos)
    assert [line[:5] for line in alarms(told["IMG_0006.JPG"])] == ["GF402"]
    (minutes,) = [cause for cause in causes(tmp_path) if "25 min" in cause["summary"]]
    assert "GF402" not in minutes["checks"] and len(minutes["photos"]) == 11


# --------------------------------------------------------------------------- one zone on a journey


def test_home_time_on_a_journey_is_one_zone_and_not_five_faults(tmp_path: Path) -> None:
    places = ((48.2081, 16.3713), (41.0121, 28.9767), (35.6934, 51.3923), (28.6122, 77.2145), (13.7512, 100.5034))
    photos = {}
    for number, place in enumerate(places):
        utc = datetime(2019, 7, 10 + number, 8 + number, 30, number)
        photos[f"{number}.jpg"] = [*taken(written(utc + timedelta(hours=2)), *SIXD), *fixed(*place, written(utc))]
    audited(tmp_path, photos)
    assert clock(tmp_path)["summary"] == (
        "The clock kept UTC+02:00 for all 5 photos, 4 of them at places that keep another time."
    )
    (one,) = [cause for cause in causes(tmp_path) if cause["outcome"] == "suspicious"]
    assert len(one["photos"]) == 4
    with open_case(tmp_path / "photos", tmp_path / "case") as case:
        assert not case.plan_corrections(tmp_path / "plan.toml", Order()).changes


def test_a_telephone_in_the_first_weeks_of_a_year_had_not_lost_its_time(tmp_path: Path) -> None:
    audited(tmp_path, {"a.jpg": taken("2020:01:12 12:00:00", "-Make=samsung", "-Model=SM-G991B", "-ExifVersion=0220")})
    assert {cause["cause"] for cause in causes(tmp_path)}.isdisjoint({"clock-reset"})
