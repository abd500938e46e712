"""GF103, GF105–GF108: the times of one file in other blocks, its name, its folder and its maker's note."""

from __future__ import annotations

from datetime import datetime

import pytest
from builders import PARIS, TOKYO, a_photo, a_source, findings_of, only
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.checks.rules.gf103_offsets_agree import offsets_agree as gf103
from gtloc_forensics.checks.rules.gf105_other_blocks import other_blocks as gf105
from gtloc_forensics.checks.rules.gf106_file_name import file_name_time as gf106
from gtloc_forensics.checks.rules.gf107_file_system import file_system_time as gf107
from gtloc_forensics.checks.rules.gf108_maker_clocks import maker_clocks as gf108
from gtloc_forensics.records import Confidence, Outcome, TimeKind, TimeReading, TimeRole

NOON = "2024-06-15 12:00:00"


# --------------------------------------------------------------------------- GF103


def offsets(**tags):
    names = {
        "original": "ExifIFD:OffsetTimeOriginal",
        "digitised": "ExifIFD:OffsetTimeDigitized",
        "change": "ExifIFD:OffsetTime",
    }
    return a_photo(tags={names.get(name, name): value for name, value in tags.items()})


def test_one_offset_everywhere_is_consistent():
    photo = offsets(
        original="+02:00", digitised="+02:00", change="+02:00", **{"Nikon:TimeZone": 60, "Nikon:DaylightSavings": 1}
    )
    assert only(gf103, photo).outcome is Outcome.CONSISTENT


def test_capture_and_digitising_in_two_zones_are_found():
    assert only(gf103, offsets(original="+02:00", digitised="-05:00")).outcome is Outcome.SUSPICIOUS


def test_only_the_last_change_elsewhere_is_explained():
    finding = only(gf103, offsets(original="+02:00", digitised="+02:00", change="-05:00"))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "rewritten")


def test_a_makers_zone_elsewhere_is_found_and_summer_time_is_explained():
    assert only(gf103, offsets(original="+02:00", **{"Canon:TimeZone": -300})).outcome is Outcome.SUSPICIOUS
    finding = only(gf103, offsets(original="+02:00", **{"Canon:TimeZone": 60}))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "dst")


def test_an_offset_in_no_notation_is_found():
    assert only(gf103, offsets(original="2 hours")).outcome is Outcome.SUSPICIOUS


@pytest.mark.parametrize("tags", [{}, {"original": "+02:00"}, {"original": "   :  "}])
def test_fewer_than_two_offsets_cannot_disagree(tags):
    assert only(gf103, offsets(**tags)).outcome is Outcome.NOT_TESTABLE


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_in_an_offset_breaks_the_rule(first, second):
    assert len(findings_of(gf103, offsets(original=first, change=second))) == 1


# --------------------------------------------------------------------------- GF105


def blocks(position=PARIS, **tags):
    return a_photo(
        local=NOON, position=position, tags={name.replace("__", ":").replace("_", "-"): v for name, v in tags.items()}
    )


def test_blocks_that_repeat_the_time_are_consistent():
    photo = blocks(
        XMP_photoshop__DateCreated="2024:06:15 12:00:00",
        XMP_xmp__CreateDate="2024:06:15 12:00:00.25",
        IPTC__DateCreated="2024:06:15",
        IPTC__TimeCreated="12:00:00+02:00",
    )
    assert only(gf105, photo).outcome is Outcome.CONSISTENT


def test_a_block_left_behind_is_found():
    finding = only(gf105, blocks(XMP_photoshop__DateCreated="2024:03:01 09:30:00"))
    assert (finding.outcome, finding.confidence) == (Outcome.SUSPICIOUS, Confidence.STRONG)
    assert "106 days earlier" in finding.summary


def test_a_whole_number_of_hours_that_is_not_the_offset_is_found():
    assert only(gf105, blocks(XMP_exif__DateTimeOriginal="2024:06:15 06:00:00")).outcome is Outcome.SUSPICIOUS


def test_local_time_taken_for_utc_is_explained():
    finding = only(gf105, blocks(XMP_exif__DateTimeOriginal="2024:06:15 10:00:00"))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "program-zone")


def test_the_same_instant_in_another_zone_is_consistent():
    assert only(gf105, blocks(XMP_exif__DateTimeOriginal="2024:06:15 19:00:00+09:00")).outcome is Outcome.CONSISTENT


def test_a_container_in_utc_is_compared_as_utc():
    assert only(gf105, blocks(TOKYO, QuickTime__CreateDate="2024:06:15 03:00:00")).outcome is Outcome.CONSISTENT
    assert only(gf105, blocks(TOKYO, QuickTime__CreateDate="2024:06:15 05:30:00")).outcome is Outcome.SUSPICIOUS


def test_a_bare_date_may_be_a_day_off():
    assert only(gf105, blocks(IPTC__DateCreated="2024:06:16")).outcome is Outcome.CONSISTENT
    assert only(gf105, blocks(IPTC__DateCreated="2024:06:17")).outcome is Outcome.SUSPICIOUS


def test_an_editors_document_may_be_younger_than_the_photo_but_not_older():
    later = blocks(XMP_xmp__CreateDate="2024:08:15 12:00:00", IFD0__Software="Adobe Photoshop CS3 Macintosh")
    assert only(gf105, later).outcome is Outcome.EXPLAINED
    assert only(gf105, blocks(XMP_xmp__CreateDate="2024:08:15 12:00:00")).is_found
    earlier = blocks(XMP_xmp__CreateDate="2024:05:15 12:00:00", IFD0__Software="Adobe Photoshop CS3 Macintosh")
    assert only(gf105, earlier).is_found


def test_a_sidecar_may_hold_a_correction():
    def beside(wall):
        moment = datetime.fromisoformat(wall)
        return TimeReading(moment, TimeKind.LOCAL, TimeRole.CAPTURE, "sidecar:XMP-exif:DateTimeOriginal", wall)

    corrected = a_photo(local=NOON, position=PARIS, times=(beside("2024-06-15 18:00"),))
    assert only(gf105, corrected).outcome is Outcome.EXPLAINED
    assert only(gf105, a_photo(local=NOON, times=(beside(NOON),))).outcome is Outcome.CONSISTENT


def test_digitising_is_compared_with_digitising():
    photo = a_photo(
        local="1985-07-01 12:00",
        tags={"ExifIFD:CreateDate": "2024:06:15 12:00:00", "XMP-xmp:CreateDate": "2024:06:15 12:00:00"},
    )
    assert only(gf105, photo).outcome is Outcome.CONSISTENT


@pytest.mark.parametrize("photo", [blocks(), a_photo(local=None), blocks(XMP_xmp__CreateDate="soon")])
def test_one_block_alone_cannot_disagree(photo):
    assert only(gf105, photo).outcome is Outcome.NOT_TESTABLE


# --------------------------------------------------------------------------- GF106


def named(name, wall, *, kind=TimeKind.LOCAL, resolution_s=1.0, position=PARIS, **claimed):
    reading = TimeReading(datetime.fromisoformat(wall), kind, TimeRole.FILE_NAME, "FileName", name, None, resolution_s)
    return a_photo(name=name, local=NOON, position=position, times=(reading,), **claimed)


def test_a_name_given_at_the_shutter_is_consistent():
    assert only(gf106, named("IMG_20240615_120001.jpg", "2024-06-15 12:00:01")).outcome is Outcome.CONSISTENT


def test_a_name_before_the_capture_is_found():
    finding = only(gf106, named("IMG_20240612_083000.jpg", "2024-06-12 08:30:00"))
    assert (finding.outcome, finding.confidence) == (Outcome.SUSPICIOUS, Confidence.STRONG)


def test_a_camera_name_later_is_found_and_another_name_later_is_explained():
    assert only(gf106, named("IMG_20240618_083000.jpg", "2024-06-18 08:30:00")).is_found
    finding = only(gf106, named("scan of 2024-06-18 08.30.00.jpg", "2024-06-18 08:30:00"))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "copy")


@pytest.mark.parametrize(
    ("name", "is_found"),
    [
        ("IMG_20240615_180000_1.jpg", True),
        ("20240615_180000.jpg", True),
        ("DJI_20240615180000_0001_D.JPG", True),
        ("WIN_20240615_18_00_00_Pro.jpg", True),
        ("C360_2024-06-15-18-00-00-123.jpg", True),
        ("00001IMG_00001_BURST20240615180000123_COVER.jpg", True),
        ("2024-06-15 18.00.00.jpg", False),
        ("photo_2024-06-15_18-00-00.jpg", False),
        ("Screenshot_2024-06-15-18-00-00.png", False),
    ],
)
def test_a_cameras_own_form_of_name_is_told_from_others(name, is_found):
    assert only(gf106, named(name, "2024-06-15 18:00:00")).is_found is is_found


def test_a_pixel_name_counts_utc():
    photo = named("PXL_20240615_100000123.jpg", "2024-06-15 10:00:00", kind=TimeKind.UTC)
    assert only(gf106, photo).outcome is Outcome.CONSISTENT
    photo = named("PXL_20240615_090000123.jpg", "2024-06-15 09:00:00", kind=TimeKind.UTC)
    assert only(gf106, photo).is_found


def test_a_name_in_utc_is_explained():
    finding = only(gf106, named("IMG_20240615_100000.jpg", "2024-06-15 10:00:00"))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "program-zone")


def test_without_a_place_six_hours_are_not_excused_as_utc():
    assert only(gf106, named("IMG_20240615_060000.jpg", "2024-06-15 06:00:00", position=None)).is_found


def test_a_messenger_dates_by_receipt():
    finding = only(gf106, named("IMG-20240620-WA0001.jpg", "2024-06-20", resolution_s=86400.0))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "copy")
    assert only(gf106, named("IMG-20240610-WA0001.jpg", "2024-06-10", resolution_s=86400.0)).is_found
    assert (
        only(gf106, named("IMG-20240616-WA0001.jpg", "2024-06-16", resolution_s=86400.0)).outcome is Outcome.CONSISTENT
    )


def test_a_name_without_a_time_cannot_be_tested():
    assert only(gf106, a_photo(name="holiday.jpg")).outcome is Outcome.NOT_TESTABLE
    only_name = named("IMG_20240615_120001.jpg", "2024-06-15 12:00:01")
    from dataclasses import replace

    claim = replace(only_name.claim, local_time=replace(only_name.claim.local_time, tag="FileName"))
    assert only(gf106, replace(only_name, claim=claim)).outcome is Outcome.NOT_TESTABLE


# --------------------------------------------------------------------------- GF107


def written(text, **claimed):
    moment = datetime.fromisoformat(text)
    nanoseconds = int((moment - datetime(1970, 1, 1)).total_seconds()) * 10**9
    return a_photo(source=a_source(mtime_ns=nanoseconds), local=NOON, **claimed)


def test_a_file_written_after_the_capture_is_consistent():
    assert only(gf107, written("2025-01-01")).outcome is Outcome.CONSISTENT
    assert only(gf107, written("2024-06-14 10:30")).outcome is Outcome.CONSISTENT  # within the zones


def test_a_file_older_than_its_photo_is_found():
    finding = only(gf107, written("2024-06-10"))
    assert (finding.outcome, finding.confidence) == (Outcome.SUSPICIOUS, Confidence.WEAK)


@pytest.mark.parametrize("zero", ["1970-01-01", "1980-01-01"])
def test_the_zero_of_a_file_system_is_no_time(zero):
    assert only(gf107, written(zero)).outcome is Outcome.NOT_TESTABLE


def test_without_a_capture_time_the_file_system_has_nothing_to_contradict():
    assert only(gf107, a_photo(local=None, source=a_source(mtime_ns=10**18))).outcome is Outcome.NOT_TESTABLE


@given(st.integers(-(2**63), 2**63 - 1))
def test_no_file_time_breaks_the_rule(nanoseconds):
    assert len(findings_of(gf107, a_photo(source=a_source(mtime_ns=nanoseconds)))) == 1


# --------------------------------------------------------------------------- GF108


def maker(wall, *, kind=TimeKind.UTC, tag="Samsung:TimeStamp", offset=None, **claimed):
    reading = TimeReading(datetime.fromisoformat(wall), kind, TimeRole.MAKER_CLOCK, tag, wall, offset)
    return a_photo(local=NOON, times=(reading,), **claimed)


def test_a_makers_clock_that_agrees_is_consistent():
    assert only(gf108, maker("2024-06-15 10:00:02", position=PARIS)).outcome is Outcome.CONSISTENT
    assert (
        only(gf108, maker("2024-06-15 12:00:30", kind=TimeKind.LOCAL, tag="Sony:SonyDateTime")).outcome
        is Outcome.CONSISTENT
    )
    zoned = maker("2024-06-15 12:00:30", kind=TimeKind.ZONED, offset=2.0, position=PARIS)
    assert only(gf108, zoned).outcome is Outcome.CONSISTENT
    assert only(gf108, maker("2024-06-15 12:00:30", kind=TimeKind.ZONED, offset=-3.0, position=PARIS)).is_found


def test_a_makers_clock_that_was_forgotten_is_found():
    finding = only(gf108, maker("2024-06-01 10:00:02", position=PARIS))
    assert (finding.outcome, finding.confidence) == (Outcome.SUSPICIOUS, Confidence.STRONG)
    assert only(gf108, maker("2024-06-15 09:00:00", kind=TimeKind.LOCAL, tag="Sony:SonyDateTime")).is_found


def test_four_minutes_are_drift_and_six_are_not():
    assert only(gf108, maker("2024-06-15 09:56:00", position=PARIS)).outcome is Outcome.CONSISTENT
    assert only(gf108, maker("2024-06-15 09:54:00", position=PARIS)).is_found


def test_a_camera_is_switched_on_before_it_takes_a_picture():
    switched = {"kind": TimeKind.LOCAL, "tag": "Nikon:PowerUpTime"}
    assert only(gf108, maker("2024-06-15 08:00", **switched)).outcome is Outcome.CONSISTENT
    assert only(gf108, maker("2024-06-15 13:00", **switched)).is_found


def test_without_a_makers_clock_there_is_nothing_to_compare():
    assert only(gf108, a_photo(position=PARIS)).outcome is Outcome.NOT_TESTABLE
