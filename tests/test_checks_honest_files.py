"""What honest files hold that looked like a contradiction: each was met on an untouched photo."""

from __future__ import annotations

from datetime import datetime, timedelta

from builders import a_claim, a_group, a_photo, a_summary, only

from gtloc_forensics.checks.rules.gf101_clock_gps import clock_against_gps
from gtloc_forensics.checks.rules.gf103_offsets_agree import offsets_agree
from gtloc_forensics.checks.rules.gf105_other_blocks import other_blocks
from gtloc_forensics.evidence.clocks import receiver
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import CauseKind, Outcome

CAPTURED = {"ExifIFD:DateTimeOriginal": "2019:09:17 19:14:29", "ExifIFD:CreateDate": "2019:09:17 19:14:29"}


def test_an_editor_that_dates_iptc_by_its_own_saving_accuses_nobody() -> None:
    saved = {"IFD0:ModifyDate": "2019:11:18 13:34:43", "IPTC:DateCreated": "2019:11:18", "IPTC:TimeCreated": "13:34:43"}
    found = only(other_blocks, a_photo(tags=CAPTURED | saved))
    assert found.outcome is Outcome.EXPLAINED
    assert found.cause is not None and found.cause.kind is CauseKind.EDITOR_DOCUMENT


def test_a_date_that_is_neither_the_capture_nor_the_saving_is_still_told() -> None:
    saved = {"IFD0:ModifyDate": "2019:11:20 13:34:43", "IPTC:DateCreated": "2019:11:18", "IPTC:TimeCreated": "13:34:43"}
    assert only(other_blocks, a_photo(tags=CAPTURED | saved)).outcome is Outcome.SUSPICIOUS


def test_midnight_to_the_second_in_xmp_is_a_date_without_a_time() -> None:
    same_day = {"XMP-photoshop:DateCreated": "2019:09:17 00:00:00+00:00"}
    assert only(other_blocks, a_photo(tags=CAPTURED | same_day)).outcome is Outcome.CONSISTENT
    other_day = {"XMP-photoshop:DateCreated": "2019:09:12 00:00:00+00:00"}
    assert only(other_blocks, a_photo(tags=CAPTURED | other_day)).outcome is Outcome.SUSPICIOUS


def test_a_program_that_wrote_digitising_and_last_change_as_one_moment_is_named() -> None:
    tags = {
        "ExifIFD:DateTimeOriginal": "2025:05:08 19:23:52",
        "ExifIFD:OffsetTimeOriginal": "+02:00",
        "ExifIFD:CreateDate": "2025:05:08 17:25:37",
        "ExifIFD:OffsetTimeDigitized": "+00:00",
        "IFD0:ModifyDate": "2025:05:08 17:25:37",
        "ExifIFD:OffsetTime": "+00:00",
    }
    assert only(offsets_agree, a_photo(tags=tags)).outcome is Outcome.EXPLAINED
    by_hand = tags | {"ExifIFD:CreateDate": "2025:05:08 19:23:52"}
    assert only(offsets_agree, a_photo(tags=by_hand)).outcome is Outcome.SUSPICIOUS


def test_an_offset_with_foreign_memory_behind_it_is_that_offset() -> None:
    assert tag_values.offset("-03:00\ufffd\ufffdf\u028e,\ufffd|") == -3.0
    assert tag_values.offset("-03:00??!\x11?\x06v") == -3.0
    assert tag_values.offset("+02:00 1") is None
    tags = CAPTURED | {"ExifIFD:OffsetTime": "-03:00??p!?e{F"}
    assert only(offsets_agree, a_photo(tags=tags)).outcome is Outcome.NOT_TESTABLE


def test_a_gps_time_of_midnight_to_the_second_is_a_date() -> None:
    found = only(clock_against_gps, a_photo(local="2019-09-17 08:22:29", offset=2.0, gps="2019-09-17 00:00:00"))
    assert found.outcome is Outcome.EXPLAINED
    assert found.cause is not None and found.cause.kind is CauseKind.RECEIVER
    assert receiver.is_bare_date(datetime(2019, 9, 17), 6.4)
    assert not receiver.is_bare_date(datetime(2019, 9, 17), 0.01), "a clock that agrees makes it a time"
    assert not receiver.is_bare_date(datetime(2019, 9, 17) + timedelta(seconds=1), 6.4)


def test_light_is_asked_about_the_place_at_instants_that_a_clock_told() -> None:
    hours = [(day, hour) for day in (3, 9, 14, 20) for hour in (9, 13, 18)]
    constant = [
        a_summary(
            f"{day}-{hour}.jpg",
            local_time=f"2023-06-{day:02d} {hour:02d}:10:00",
            gps_utc_time=f"2023-06-{day:02d} 20:00:00",
        )
        for day, hour in hours
    ]
    heard = receiver.with_clocks_only(a_group(*constant))
    assert all(photo.gps_utc_time is None for photo in heard)
    true = [
        a_summary(
            f"{day}-{hour}.jpg",
            local_time=f"2023-06-{day:02d} {hour:02d}:10:00",
            gps_utc_time=f"2023-06-{day:02d} {hour - 8:02d}:10:01",
        )
        for day, hour in hours
    ]
    assert receiver.with_clocks_only(a_group(*true)) == a_group(*true).summaries


def test_a_gps_time_of_midnight_without_a_date_is_no_time_either() -> None:
    tags = {"GPS:GPSTimeStamp": ("00:00:00",)}
    claim = a_claim(local="2012-07-02 08:22:29", position=(51.5, -0.1), tags=tags)
    found = only(clock_against_gps, a_photo(claim=claim))
    assert found.outcome in (Outcome.EXPLAINED, Outcome.NOT_TESTABLE)
