"""What one rule knows, all know: scans, platforms, programs, confirmed clocks, values that are no times."""

from __future__ import annotations

from datetime import datetime

import pytest
from builders import PARIS, a_photo, a_source, only, stated

from gtloc_forensics.checks.rules.gf103_offsets_agree import offsets_agree as gf103
from gtloc_forensics.checks.rules.gf104_date_order import date_order as gf104
from gtloc_forensics.checks.rules.gf105_other_blocks import other_blocks as gf105
from gtloc_forensics.checks.rules.gf106_file_name import file_name_time as gf106
from gtloc_forensics.checks.rules.gf108_maker_clocks import maker_clocks as gf108
from gtloc_forensics.checks.rules.gf109_two_positions import two_positions as gf109
from gtloc_forensics.checks.rules.gf110_position_form import position_form as gf110
from gtloc_forensics.checks.rules.gf113_release_date import release_date as gf113
from gtloc_forensics.checks.rules.gf114_younger_metadata import younger_metadata as gf114
from gtloc_forensics.checks.rules.gf118_platform import platform as gf118
from gtloc_forensics.checks.rules.gf120_factory_date import factory_date as gf120
from gtloc_forensics.checks.rules.gf121_country import country as gf121
from gtloc_forensics.records import Absent, Outcome, Position, Reading, TimeKind, TimeReading, TimeRole

HARMLESS = (Outcome.CONSISTENT, Outcome.EXPLAINED, Outcome.NOT_TESTABLE)
EXIF_232 = {"ExifIFD:ExifVersion": "0232"}

# --------------------------------------------------------------------------- scans


@pytest.mark.parametrize(
    ("make", "model", "software", "file_source"),
    [
        ("EPSON", "Perfection V600", None, None),
        ("EPSON", "GT-X980", "VueScan 9 x64 (9.7.50)", None),
        ("Plustek", "OpticFilm 8200i", "SilverFast 8", None),
        ("NORITSU KOKI", "QSS-32_33", None, None),
        ("FUJIFILM", "X-T3", None, 1),
        ("Apple", "iPhone 12", "PhotoScan by Google Photos", None),
    ],
)
@pytest.mark.parametrize("local", ["1962-01-01 00:00", "1986-07-09 12:00", "1890-06-15 12:00"])
def test_a_scan_is_not_judged_by_the_date_of_what_it_shows(make, model, software, file_source, local):
    tags = {"ExifIFD:CreateDate": "2021:03:02 20:14:11", "IFD0:ModifyDate": "2021:03:02 20:14:11", **EXIF_232}
    tags |= {"ExifIFD:FileSource": file_source} if file_source else {}
    photo = a_photo(make=make, model=model, software=software, local=local, tags=tags)
    for rule in (gf104, gf113, gf114, gf120):
        finding = only(rule, photo)
        assert finding.outcome in HARMLESS
        assert "reset" not in finding.summary


def test_a_converter_that_dates_digitising_by_its_own_work_is_no_edit():
    tags = {"ExifIFD:CreateDate": "2003:05:17 20:11:30", "IFD0:ModifyDate": "2003:05:17 20:11:30"}
    photo = a_photo(make="SIGMA", model="SIGMA SD9", software="SIGMA PhotoPro 1.0", local="2003-05-11 14:20", tags=tags)
    assert only(gf104, photo).outcome is Outcome.EXPLAINED
    tags["IFD0:ModifyDate"] = "2003:06:20 10:00:00"
    assert only(gf104, a_photo(software="SIGMA PhotoPro 1.0", local="2003-05-11 14:20", tags=tags)).is_found


# --------------------------------------------------------------------------- defaults


@pytest.mark.parametrize("local", ["1969-12-31 16:00:12", "1969-12-31 19:00:00", "1970-01-01 08:00:00"])
def test_the_unix_zero_is_known_in_every_zone(local):
    photo = a_photo(make="samsung", model="SM-G900V", local=local)
    assert only(gf113, photo).outcome in HARMLESS
    assert only(gf120, photo).outcome is Outcome.EXPLAINED


def test_a_constant_of_chip_firmware_is_an_unset_date():
    photo = a_photo(local="2018-07-14 10:44:12", tags={"ExifIFD:CreateDate": "2002:12:08 12:00:00"})
    finding = only(gf104, photo)
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "unset-date")


def test_new_year_that_gps_time_confirms_is_no_factory_default():
    told = {"local": "2019-01-01 00:04:10", "position": PARIS, "tags": EXIF_232}
    confirmed, alone = a_photo(**told, gps="2018-12-31 23:04:09"), a_photo(**told)
    assert only(gf120, confirmed).outcome is Outcome.CONSISTENT
    assert "reset" not in only(gf114, confirmed).summary
    assert only(gf120, alone).outcome is Outcome.EXPLAINED


# --------------------------------------------------------------------------- later writing


def test_younger_metadata_hear_that_a_platform_passed_the_file_on():
    photo = a_photo(local="2014-06-04 13:00", software="Instagram", tags=EXIF_232)
    assert only(gf118, photo).outcome is Outcome.EXPLAINED
    assert only(gf114, photo).outcome is Outcome.EXPLAINED


def test_younger_metadata_do_not_deny_what_was_not_looked_for():
    finding = only(gf114, a_photo(local="2014-06-04 13:00", tags=EXIF_232))
    assert finding.is_found
    assert "admits" not in finding.summary


def test_younger_metadata_hear_that_the_clock_is_years_behind_gps_time():
    photo = a_photo(local="2016-07-15 10:00:03", gps="2023-07-15 08:00:03", position=PARIS, tags=EXIF_232)
    finding = only(gf114, photo)
    assert finding.outcome is Outcome.EXPLAINED
    assert finding.cause.kind == "clock-offset"


# --------------------------------------------------------------------------- notations


def test_a_date_that_the_reader_understood_is_a_date_whatever_its_notation():
    written = "20121122150405"
    reading = TimeReading(
        datetime(2012, 11, 22, 15, 4, 5), TimeKind.LOCAL, TimeRole.CAPTURE, "ExifIFD:DateTimeOriginal", written
    )
    tags = {"ExifIFD:DateTimeOriginal": written}
    assert not only(gf104, a_photo(local=None, times=(reading,), tags=tags)).is_found


def test_what_cameras_write_is_not_said_of_a_file_that_names_none():
    photo = a_photo(local=None, make=None, model=None, tags={"IFD0:ModifyDate": "2010:05:14 15:08:70"})
    assert "camera" not in only(gf104, photo).summary


def test_an_offset_that_the_reader_understood_is_no_odd_notation():
    tags = {"ExifIFD:OffsetTimeOriginal": "GMT+08:00", "ExifIFD:OffsetTimeDigitized": "GMT+08:00"}
    understood = {"utc_offset_hours": stated(8.0, tag="ExifIFD:OffsetTimeOriginal", raw="GMT+08:00")}
    assert not only(gf103, a_photo(tags=tags, subject_to=understood)).is_found
    nobodys = dict.fromkeys(tags, "eight hours east")
    assert only(gf103, a_photo(tags=nobodys)).is_found


def test_two_exif_blocks_with_two_capture_times_are_told():
    tags = {"ExifIFD:DateTimeOriginal": ("2007:04:08 15:25:46", "2009:11:20 09:00:00")}
    finding = only(gf104, a_photo(local="2007-04-08 15:25:46", tags=tags))
    assert finding.is_found
    assert "2009-11-20" in finding.summary


# --------------------------------------------------------------------------- other blocks, names, maker's clocks


def test_midnight_in_iptc_is_a_date_without_a_time():
    tags = {"IPTC:DateCreated": "2004:06:21", "IPTC:TimeCreated": "00:00:00+00:00"}
    assert only(gf105, a_photo(local="2004-06-21 23:37:53", tags=tags)).outcome is Outcome.CONSISTENT


def test_one_instant_in_utc_beside_a_zoneless_camera_time_agrees():
    same = a_photo(local="2013-01-30 10:00:00", tags={"XMP-exif:DateTimeOriginal": "2013:01:30 14:00:00Z"})
    other = a_photo(local="2013-01-30 10:00:00", tags={"XMP-exif:DateTimeOriginal": "2013:01:30 14:22:00Z"})
    assert only(gf105, same).outcome is Outcome.CONSISTENT
    assert only(gf105, other).is_found


def a_name(name: str, moment: str, local: str, **more: object):
    reading = TimeReading(datetime.fromisoformat(moment), TimeKind.LOCAL, TimeRole.FILE_NAME, "System:FileName", name)
    return only(gf106, a_photo(local=local, times=(reading,), source=a_source(name), **more))


def test_a_name_that_no_camera_gives_accuses_nobody():
    finding = a_name("1987-06-15 birthday.jpg", "1987-06-15", "2021-03-02 20:20")
    assert finding.outcome is Outcome.EXPLAINED
    assert "before it exists" not in finding.summary
    assert a_name("IMG_20210301_101010.jpg", "2021-03-01 10:10:10", "2021-03-02 20:20").is_found


def test_a_change_date_is_no_capture_time_that_a_name_could_deny():
    saved = {"local_time": stated(datetime(2018, 1, 5, 9), tag="IFD0:ModifyDate")}
    finding = a_name("20180102_123456-edited.jpg", "2018-01-02 12:34:56", "2018-01-05 09:00", subject_to=saved)
    assert finding.outcome is Outcome.NOT_TESTABLE


@pytest.mark.parametrize(
    ("tag", "wall"),
    [
        ("Apple:RunTimeValue", "2012-03-04 05:06:07"),
        ("Panasonic:TimeStamp", "1970-01-02 01:30:10"),
        ("Canon:TimeStamp1", "1980-01-01 00:00:10"),
        ("Panasonic:TimeStamp", "2016-02-03 13:00:00"),
    ],
)
def test_a_counter_is_no_clock_and_a_makers_clock_may_keep_utc(tag, wall):
    reading = TimeReading(datetime.fromisoformat(wall), TimeKind.LOCAL, TimeRole.MAKER_CLOCK, tag, wall)
    assert only(gf108, a_photo(local="2016-02-03 15:00:00", offset=2.0, times=(reading,))).outcome in HARMLESS


# --------------------------------------------------------------------------- positions


def test_a_position_corrected_in_a_sidecar_is_the_owners_work():
    rival = Reading(Position(47.26, 11.39), "sidecar:XMP-exif:GPSLatitude", "47,15.7N")
    moved = {"position": stated(Position(48.2082, 16.3738), tag="GPS:GPSLatitude", rivals=(rival,))}
    finding = only(gf109, a_photo(subject_to=moved))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "sidecar")


def test_coordinates_that_are_none_are_told_with_their_slip():
    swapped = {"GPS:GPSLatitude": 151.2, "GPS:GPSLongitude": 33.9}
    around = {"GPS:GPSLatitude": 19.5, "GPS:GPSLongitude": 204.1}
    unreadable = {"position": Absent.UNPARSABLE}
    assert "wrong way round" in only(gf110, a_photo(tags=swapped, subject_to=unreadable)).summary
    finding = only(gf110, a_photo(tags=around, subject_to=unreadable))
    assert finding.outcome is Outcome.EXPLAINED
    assert "-155.9" in finding.summary


@pytest.mark.parametrize(
    ("place", "state"),
    [
        ((-20.882, 55.451), "France"),
        ((18.466, -66.106), "United States"),
        ((64.181, -51.694), "Denmark"),
        ((49.466, -2.585), "United Kingdom"),
        ((12.122, -68.882), "Netherlands"),
        ((60.097, 19.935), "Finland"),
    ],
)
def test_a_territory_belongs_to_its_state(place, state):
    told = {"IPTC:Country-PrimaryLocationName": state}
    assert only(gf121, a_photo(position=place, tags=told)).outcome is Outcome.CONSISTENT
    assert only(gf121, a_photo(position=place, tags={"IPTC:Country-PrimaryLocationName": "Germany"})).is_found
