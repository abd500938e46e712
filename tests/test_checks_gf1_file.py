"""GF113–GF118, GF120: the device, its programs, the picture's shape and the clock's first day."""

from __future__ import annotations

import csv
import importlib.resources
from datetime import datetime

import pytest
from builders import a_photo, an_image, findings_of, only
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.checks.reference import factory, releases
from gtloc_forensics.checks.rules.gf113_release_date import release_date as gf113
from gtloc_forensics.checks.rules.gf114_younger_metadata import younger_metadata as gf114
from gtloc_forensics.checks.rules.gf115_editing_traces import editing_traces as gf115
from gtloc_forensics.checks.rules.gf116_thumbnail import thumbnail as gf116
from gtloc_forensics.checks.rules.gf117_dimensions import dimensions as gf117
from gtloc_forensics.checks.rules.gf118_platform import platform as gf118
from gtloc_forensics.checks.rules.gf120_factory_date import factory_date as gf120
from gtloc_forensics.records import Confidence, Outcome

SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype"

# --------------------------------------------------------------------------- GF113


def taken(local, make="Apple", model="iPhone 11 Pro", **more):
    return a_photo(local=local, make=make, model=model, **more)


def test_a_phone_cannot_photograph_before_it_was_announced():
    """iPhone 11 Pro: announced 10 September 2019."""
    finding = only(gf113, taken("2018-06-01 12:00"))
    assert (finding.outcome, finding.confidence) == (Outcome.CONTRADICTION, Confidence.DECISIVE)


def test_a_press_sample_may_be_some_weeks_early():
    assert only(gf113, taken("2019-08-20 12:00")).outcome is Outcome.CONSISTENT
    assert only(gf113, taken("2020-08-20 12:00")).outcome is Outcome.CONSISTENT


def test_a_reset_clock_before_the_announcement_is_explained():
    finding = only(gf113, taken("2014-01-01 00:05", "Canon", "Canon EOS 80D"))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "clock-reset")


def test_a_reset_clock_that_ran_on_is_named_and_still_contradicts():
    """A real camera of a model of 2013 that claims 22 January 2001."""
    finding = only(gf113, taken("2001-01-22 16:16:23", "NIKON CORPORATION", "NIKON D5300"))
    assert (finding.outcome, finding.cause.kind) == (Outcome.CONTRADICTION, "clock-reset")
    assert "21 days" in finding.innocent[0]


def test_a_system_shown_later_is_suspicious_only():
    finding = only(gf113, taken("2020-01-01 12:00", software="16.3.1"))
    assert (finding.outcome, finding.cause.kind) == (Outcome.SUSPICIOUS, "edit")
    assert only(gf113, taken("2023-03-01 12:00", software="16.3.1")).outcome is Outcome.CONSISTENT


def test_an_unknown_model_is_not_testable_rather_than_fine():
    assert only(gf113, taken("1999-01-01 12:00", "Acme", "One")).outcome is Outcome.NOT_TESTABLE
    assert only(gf113, taken(None)).outcome is Outcome.NOT_TESTABLE


def test_longer_names_are_not_their_shorter_cousins():
    assert releases.of_model(taken("2020-01-01", model="iPhone 4S").claim.device).name == "iPhone 4S"
    assert releases.of_model(taken("2020-01-01", model="iPhone 4SX").claim.device) is None
    assert releases.of_model(taken("2020-01-01", make="samsung", model="SM-G973U1").claim.device).name == "SM-G973"


def test_every_release_has_a_date_a_source_and_one_line():
    text = (
        importlib.resources.files("gtloc_forensics.checks.reference")
        .joinpath("releases.csv")
        .read_text(encoding="utf-8")
    )
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) > 250
    assert len({(row["make"].lower(), row["model"].lower()) for row in rows}) == len(rows)
    for row in rows:
        assert datetime(1995, 1, 1) < datetime.fromisoformat(row["announced"]) < datetime(2026, 1, 1)
        assert row["source"]


# --------------------------------------------------------------------------- GF114


def test_a_version_of_exif_that_did_not_exist_yet_is_found():
    finding = only(gf114, a_photo(local="2012-06-15 12:00", tags={"ExifIFD:ExifVersion": "0232"}))
    assert finding.outcome is Outcome.SUSPICIOUS


def test_a_reset_clock_before_its_own_metadata_is_explained():
    finding = only(gf114, a_photo(local="2000-01-01 00:02:11", tags={"ExifIFD:ExifVersion": "0232"}))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "clock-reset")


def test_a_later_change_that_is_owned_up_to_is_explained():
    tags = {"ExifIFD:ExifVersion": "0232", "IFD0:ModifyDate": "2021:01:01 12:00:00"}
    assert only(gf114, a_photo(local="2012-06-15 12:00", tags=tags)).outcome is Outcome.EXPLAINED
    tags = {"ExifIFD:ExifVersion": "0232", "IFD0:Software": "Adobe Photoshop 22.0"}
    assert only(gf114, a_photo(local="2012-06-15 12:00", tags=tags)).outcome is Outcome.EXPLAINED


def test_offset_tags_came_in_2016():
    tags = {"ExifIFD:OffsetTimeOriginal": "+02:00"}
    assert only(gf114, a_photo(local="2014-06-15 12:00", tags=tags)).is_found
    assert only(gf114, a_photo(local="2016-06-15 12:00", tags=tags)).outcome is Outcome.CONSISTENT


def test_a_younger_profile_or_library_says_only_that_it_was_written_again():
    for tags in (
        {"ICC-header:ProfileDateTime": "2022:01:01 00:00:00"},
        {"XMP-x:XMPToolkit": "Adobe XMP Core 5.6-c140 79.160451, 2022/05/06-01:08:21"},
    ):
        finding = only(gf114, a_photo(local="2021-06-15 12:00", tags=tags))
        assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "rewritten")
        assert only(gf114, a_photo(local="2022-06-15 12:00", tags=tags)).outcome is Outcome.CONSISTENT


def test_nothing_with_an_age_cannot_be_tested():
    assert only(gf114, a_photo()).outcome is Outcome.NOT_TESTABLE
    assert only(gf114, a_photo(local=None)).outcome is Outcome.NOT_TESTABLE


@given(st.text(max_size=40))
def test_no_text_breaks_the_age_of_metadata(text):
    tags = {"ExifIFD:ExifVersion": text, "ICC-header:ProfileDateTime": text, "XMP-x:XMPToolkit": text}
    assert findings_of(gf114, a_photo(tags=tags))


# --------------------------------------------------------------------------- GF115


@pytest.mark.parametrize(
    "software", ["Adobe Photoshop Lightroom 6.1", "GIMP 2.10", "Nikon Transfer 1.1 W", "Picasa 3.0"]
)
def test_an_ordinary_export_is_explained(software):
    assert only(gf115, a_photo(software=software)).outcome is Outcome.EXPLAINED


@pytest.mark.parametrize(
    "software", ["16.3.1", "HDR+ 1.0.220943774n", "Ver.1.00", "G973FXXU3ASG8", "Firmware Version 1.0.2"]
)
def test_a_cameras_own_firmware_is_consistent(software):
    assert only(gf115, a_photo(software=software)).outcome is Outcome.CONSISTENT


def test_a_history_before_the_capture_is_found():
    photo = a_photo(
        local="2024-06-15 12:00", tags={"XMP-xmpMM:HistoryWhen": ("2024:06:10 09:00:00+02:00", "2024:06:16 09:00:00")}
    )
    assert only(gf115, photo).is_found
    photo = a_photo(local="2024-06-15 12:00", tags={"XMP-xmpMM:HistoryWhen": ("2024:06:15 09:00:00+02:00",)})
    assert only(gf115, photo).outcome is Outcome.CONSISTENT


def test_a_program_for_changing_dates_is_remarked_on():
    finding = only(gf115, a_photo(software="EXIF Date Changer 3.9"))
    assert (finding.outcome, finding.confidence) == (Outcome.SUSPICIOUS, Confidence.CONTEXT)


@pytest.mark.parametrize(
    "tags",
    [
        {"XMP-xmp:CreatorTool": "Midjourney"},
        {"XMP-iptcExt:DigitalSourceType": f"{SOURCE_TYPES}/trainedAlgorithmicMedia"},
        {"PNG:Parameters": "a castle\nSteps: 20, Sampler: Euler a"},
    ],
)
def test_a_picture_that_says_it_was_generated_is_found(tags):
    assert only(gf115, a_photo(tags=tags)).confidence is Confidence.STRONG


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"XMP-iptcExt:DigitalSourceType": f"{SOURCE_TYPES}/trainedAlgorithmicMedia"}, "its picture was generated"),
        (
            {"XMP-iptcExt:DigitalSourceType": f"{SOURCE_TYPES}/compositeWithTrainedAlgorithmicMedia"},
            "parts of its picture were generated",
        ),
        ({"XMP-iptcExt:DigitalSourceType": f"{SOURCE_TYPES}/compositeSynthetic/"}, "parts of its picture were"),
        ({"XMP-xmp:CreatorTool": "Adobe Firefly 1.0"}, "names a program that generates pictures: Adobe Firefly 1.0"),
    ],
)
def test_no_more_is_said_to_be_generated_than_the_file_says(tags, said):
    assert said in only(gf115, a_photo(tags=tags)).summary


def test_a_picture_taken_by_a_camera_says_so():
    said = {"XMP-iptcExt:DigitalSourceType": f"{SOURCE_TYPES}/digitalCapture"}
    assert only(gf115, a_photo(tags=said)).outcome is Outcome.CONSISTENT


# --------------------------------------------------------------------------- GF116


def pair(bits, **claimed):
    picture = an_image(perceptual_hash=0, thumbnail_hash=(1 << bits) - 1, thumbnail_size=(160, 120))
    return a_photo(image=picture, **claimed)


def test_a_thumbnail_of_the_picture_is_consistent():
    assert only(gf116, pair(14)).outcome is Outcome.CONSISTENT


def test_a_thumbnail_of_another_picture_is_found():
    assert only(gf116, pair(22)).is_found


def test_between_them_it_is_explained_and_so_is_a_named_editor():
    assert only(gf116, pair(21)).outcome is Outcome.EXPLAINED
    assert only(gf116, pair(30, software="GIMP 2.10")).outcome is Outcome.EXPLAINED


def test_without_a_thumbnail_or_pixels_there_is_nothing_to_compare():
    assert only(gf116, a_photo(image=an_image())).outcome is Outcome.NOT_TESTABLE
    assert only(gf116, a_photo()).outcome is Outcome.NOT_TESTABLE


# --------------------------------------------------------------------------- GF117


def sized(width, height, **claimed):
    tags = {"ExifIFD:ExifImageWidth": width, "ExifIFD:ExifImageHeight": height}
    return a_photo(image=an_image(width=4000, height=3000), tags=tags, **claimed)


@pytest.mark.parametrize(("width", "height"), [(4000, 3000), (3000, 4000), (4008, 3008)])
def test_the_stated_size_in_either_orientation_is_consistent(width, height):
    assert only(gf117, sized(width, height)).outcome is Outcome.CONSISTENT


def test_a_resized_picture_is_explained():
    assert only(gf117, sized(8000, 6000)).outcome is Outcome.EXPLAINED


def test_a_crop_is_explained():
    assert only(gf117, sized(6000, 4000)).outcome is Outcome.EXPLAINED


def test_a_picture_larger_than_its_metadata_tell_is_found():
    assert only(gf117, sized(1600, 1200)).is_found
    assert only(gf117, sized(4000, 2900)).is_found  # no crop makes one side longer
    assert only(gf117, sized(3990, 2990)).outcome is Outcome.CONSISTENT


@pytest.mark.parametrize("photo", [sized(0, 0), a_photo(image=an_image()), a_photo()])
def test_without_a_stated_size_there_is_nothing_to_compare(photo):
    assert only(gf117, photo).outcome is Outcome.NOT_TESTABLE


# --------------------------------------------------------------------------- GF118


@pytest.mark.parametrize(
    "photo",
    [
        a_photo(name="IMG-20240615-WA0001.jpg"),
        a_photo(name="album/photo_2024-06-15_12-00-00.jpg"),
        a_photo(tags={"IPTC:SpecialInstructions": "FBMD0a000a6f0100"}),
        a_photo(software="Instagram"),
        a_photo(local=None, make=None, model=None),
    ],
)
def test_what_a_platform_leaves_is_explained(photo):
    finding = only(gf118, photo)
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "copy")


def test_an_ordinary_file_bears_no_mark():
    assert only(gf118, a_photo(name="album/DSC_0001.jpg")).outcome is Outcome.CONSISTENT
    assert only(gf118, a_photo(local=None)).outcome is Outcome.CONSISTENT  # a device is still named


# --------------------------------------------------------------------------- GF120


@pytest.mark.parametrize(
    "local", ["1970-01-01 00:00", "1980-01-06 00:00:20", "2012-01-01 00:03", "2005-01-01 12:00", "1980-01-01 17:00"]
)
def test_factory_defaults_are_recognised(local):
    finding = only(gf120, a_photo(local=local))
    assert (finding.outcome, finding.cause.kind) == (Outcome.EXPLAINED, "clock-reset")


@pytest.mark.parametrize(
    "local", ["2012-01-01 00:11", "2012-01-01 16:20", "2024-01-01 00:00", "2012-01-02 00:00", "1990-06-15 12:00"]
)
def test_new_year_and_other_days_are_left_alone(local):
    assert only(gf120, a_photo(local=local)).outcome is Outcome.CONSISTENT


def test_without_a_time_no_default_can_be_told():
    assert only(gf120, a_photo(local=None)).outcome is Outcome.NOT_TESTABLE


@given(st.datetimes())
def test_every_date_is_a_default_or_none(local):
    assert factory.is_default(local) in (True, False)
    assert not factory.is_exact_default(local) or factory.is_default(local)
