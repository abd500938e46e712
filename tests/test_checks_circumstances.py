"""What many photos tell of one: GPS times that are no clock, old fixes, one second stamped on many files."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from builders import PARIS, a_photo, only

from gtloc_forensics.checks import circumstances
from gtloc_forensics.checks.circumstances import GpsFault
from gtloc_forensics.checks.rules.gf101_clock_gps import clock_against_gps as gf101
from gtloc_forensics.records import Outcome, Photo

NEAR_PARIS = (48.8571234, 2.3530123)


def a_phone(number: int, local: str, gps: str, **more: object) -> Photo:
    place = (PARIS[0] + number / 1000, PARIS[1])
    return a_photo(**{"name": f"{number}.jpg", "local": local, "gps": gps, "position": place, **more})


def together(*photos: Photo) -> list:
    return [only(gf101, photo, among=photos) for photo in photos]


# --------------------------------------------------------------------------- a GPS time that stands still


def test_a_gps_time_that_does_not_move_is_explained_once_the_device_shows_it():
    photos = [
        a_phone(1, "2023-04-02 11:20:14", "2023-04-02 17:30:00"),
        a_phone(2, "2023-04-09 18:02:41", "2023-04-09 17:30:00"),
        a_phone(3, "2023-05-21 09:41:07", "2023-05-21 17:30:00"),
    ]
    for finding in together(*photos):
        assert finding.outcome is Outcome.EXPLAINED
        assert finding.cause.kind == "receiver"
        assert finding.cause.offset_hours is None
        assert "3 photos" in finding.summary


def test_a_constant_that_agrees_with_the_clock_by_chance_confirms_nothing():
    photos = [
        a_phone(1, "2023-04-02 19:30:10", "2023-04-02 17:30:00"),
        a_phone(2, "2023-04-09 10:02:41", "2023-04-09 17:30:00"),
        a_phone(3, "2023-05-21 09:41:07", "2023-05-21 17:30:00"),
    ]
    assert together(*photos)[0].outcome is Outcome.EXPLAINED
    told = circumstances.gather(photo.claim for photo in photos)
    assert told.by_source[photos[0].source.source_id].gps_fault is GpsFault.CONSTANT_TIME


def test_one_photo_with_a_round_gps_time_is_no_more_than_suspicious_and_names_the_constant():
    photo = a_phone(
        1,
        "2023-04-02 11:20:14",
        "2023-04-02 17:00:00",
        make="Samsung",
        model="SM-A536B",
        tags={"GPS:GPSHPositioningError": 5.0},
    )
    finding = only(gf101, photo)
    assert finding.outcome is Outcome.SUSPICIOUS
    assert any("constant" in why for why in finding.innocent)


def test_the_constant_that_one_makers_telephones_write_is_known_from_one_photo():
    finding = only(gf101, a_phone(1, "2022-04-02 11:20:14", "2022-04-02 20:00:00", make="Apple", model="iPhone 13"))
    assert finding.outcome is Outcome.EXPLAINED
    assert finding.cause.offset_hours is None


def test_copies_of_one_file_do_not_make_its_gps_time_a_constant():
    """Two photos with one GPS time and one claimed time differ in nothing: no constant is shown."""
    photos = [a_phone(number, "2023-04-02 11:20:14", "2023-04-05 17:30:08") for number in (1, 2, 3)]
    told = circumstances.gather(photo.claim for photo in photos)
    assert all(known.gps_fault is None for known in told.by_source.values())


@pytest.mark.parametrize("gps", ["1899-12-30", "1904-01-01", "1970-01-01", "1980-01-06", "1999-08-22", "2000-01-01"])
def test_the_zero_of_a_clock_is_no_gps_time(gps):
    finding = only(gf101, a_photo(local="2018-03-05 07:58:12", gps=f"{gps} 00:00:13", position=PARIS))
    assert finding.outcome is Outcome.EXPLAINED
    assert finding.cause.kind == "receiver"
    assert "years" not in finding.summary


def test_a_gps_date_that_stands_still_is_named_and_not_the_cameras_clock():
    photos = [
        a_phone(day, f"2013-07-0{day} 10:0{day}:00", f"2013-07-23 08:0{day}:01", make="Apple", model="iPhone 5")
        for day in (1, 2, 4, 5)
    ]
    for finding in together(*photos):
        assert finding.cause.kind == "receiver"
        assert "one GPS date, 2013-07-23" in finding.summary
        assert "clock is" not in finding.summary


@pytest.mark.parametrize("weeks", [1024, 2048])
def test_a_week_number_that_ran_over_is_known_without_a_place(weeks):
    local = datetime(2022, 6, 15, 14, 0, 3)
    finding = only(gf101, a_photo(local=local, gps=local - timedelta(weeks=weeks, hours=2)))
    assert finding.cause.kind == "week-rollover"


# --------------------------------------------------------------------------- old fixes


def test_an_old_fix_ends_by_evidence_and_not_at_six_hours():
    good = [
        a_phone(1, "2023-06-14 09:10:20", "2023-06-14 07:10:19"),
        a_phone(2, "2023-06-14 10:40:30", "2023-06-14 08:40:29"),
        a_phone(3, "2023-06-15 08:30:15", "2023-06-15 06:30:14"),
    ]
    old = a_phone(4, "2023-06-14 17:55:44", "2023-06-14 08:42:10")
    alone, finding = only(gf101, old), together(*good, old)[-1]
    assert finding.outcome is Outcome.EXPLAINED
    assert finding.cause.kind == "stale-fix"
    assert alone.outcome is Outcome.SUSPICIOUS
    assert alone.cause.offset_hours is None
    assert any("old fix" in why for why in alone.innocent)


def test_a_position_repeated_to_the_last_digit_shows_an_old_fix_of_days():
    first = a_phone(1, "2023-06-14 09:10:20", "2023-06-14 07:10:19", position=NEAR_PARIS)
    old = a_phone(2, "2023-06-19 17:55:44", "2023-06-14 07:12:10", position=NEAR_PARIS)
    finding = together(first, old)[1]
    assert finding.outcome is Outcome.EXPLAINED
    assert "to the last digit" in finding.summary


@pytest.mark.parametrize("late_s", [-70, 0, 70])
def test_a_fix_older_by_whole_hours_at_a_fresh_position_is_suspicious(late_s):
    photo = a_phone(1, "2023-06-14 12:10:20", "2023-06-14 09:10:19", make="Apple", model="iPhone 12")
    moved = a_photo(
        name="m.jpg",
        local=datetime(2023, 6, 14, 12, 10, 20) + timedelta(seconds=late_s),
        gps="2023-06-14 09:10:19",
        position=PARIS,
        make="Apple",
        model="iPhone 12",
    )
    assert only(gf101, photo).outcome is Outcome.SUSPICIOUS
    assert only(gf101, moved).outcome is Outcome.SUSPICIOUS


def test_photos_taken_together_share_one_old_fix_and_are_no_steady_clock():
    photos = [
        a_phone(1, "2022-08-12 10:00:05", "2022-08-12 07:59:59"),
        a_phone(2, "2022-08-12 10:23:11", "2022-08-12 07:59:11"),
        a_phone(3, "2022-08-12 10:23:40", "2022-08-12 07:59:40"),
        a_phone(4, "2022-08-12 11:15:00", "2022-08-12 09:14:54"),
    ]
    assert not any(finding.is_found for finding in together(*photos))


def test_one_length_in_several_photos_is_a_clock_and_no_old_fix():
    photos = [
        a_phone(number, f"2023-06-14 1{number}:10:20", f"2023-06-13 1{number}:57:03", make="Apple", model="iPhone 12")
        for number in (1, 2, 3)
    ]
    for finding in together(*photos):
        assert finding.is_found
        assert finding.cause.kind == "clock-offset"
        assert finding.cause.offset_hours == pytest.approx(21.22, abs=0.01)
        assert "in 3 photos of the device" in finding.summary


# --------------------------------------------------------------------------- tags and times written by programs


def test_gps_tags_pasted_in_years_later_do_not_accuse_the_clock():
    photo = a_photo(
        make="Canon",
        model="Canon PowerShot S3 IS",
        local="2007-05-04 15:10:00",
        gps="2025-02-11 09:12:40",
        position=PARIS,
        tags={"IFD0:ModifyDate": "2025:02:11 10:12:40"},
    )
    finding = only(gf101, photo)
    assert finding.outcome is Outcome.EXPLAINED
    assert finding.cause.kind == "receiver"


def test_gps_tags_of_another_year_without_a_word_of_who_wrote_them_accuse_nobody_in_particular():
    finding = only(gf101, a_photo(local="2007-05-04 15:10:00", gps="2025-02-11 09:17:41", position=PARIS))
    assert finding.outcome is Outcome.SUSPICIOUS
    assert "clock is" not in finding.summary
    assert finding.cause.offset_hours is None


def test_one_capture_second_on_many_files_is_one_cause_and_no_clock():
    photos = [
        a_phone(number, "2018-01-04 17:14:29", f"2012-0{number}-04 1{number}:11:01", make=None, model=None)
        for number in (1, 2, 3, 4)
    ]
    findings = together(*photos)
    assert len({(finding.cause.kind, finding.cause.summary) for finding in findings}) == 1
    assert "4 files bear one capture second" in findings[0].summary
    assert findings[0].cause.offset_hours is None


def test_a_sentence_never_says_that_no_known_fault_accounts_for_it():
    for gps in ("2024-06-10 03:11:19", "2024-06-20 03:11:19", "2011-02-01 13:19:07"):
        assert "known fault" not in only(gf101, a_photo(local="2024-06-15 12:00", gps=gps, position=PARIS)).summary
