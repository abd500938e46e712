"""One step on either side of the thresholds that the other tests only pass by."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from builders import LONDON, MID_ATLANTIC, PARIS, a_claim, a_device, a_photo, an_image, only

from gtloc_forensics.checks import offsets, position_slips
from gtloc_forensics.checks.reference import devices, releases
from gtloc_forensics.checks.rules.gf101_clock_gps import clock_against_gps as gf101
from gtloc_forensics.checks.rules.gf102_offset_place import offset_at_place as gf102
from gtloc_forensics.checks.rules.gf104_date_order import date_order as gf104
from gtloc_forensics.checks.rules.gf105_other_blocks import other_blocks as gf105
from gtloc_forensics.checks.rules.gf106_file_name import file_name_time as gf106
from gtloc_forensics.checks.rules.gf108_maker_clocks import maker_clocks as gf108
from gtloc_forensics.checks.rules.gf109_two_positions import two_positions as gf109
from gtloc_forensics.checks.rules.gf110_position_form import position_form as gf110
from gtloc_forensics.checks.rules.gf111_gps_internals import gps_internals as gf111
from gtloc_forensics.checks.rules.gf112_altitude import altitude as gf112
from gtloc_forensics.checks.rules.gf117_dimensions import dimensions as gf117
from gtloc_forensics.checks.rules.gf120_factory_date import factory_date as gf120
from gtloc_forensics.checks.rules.gf121_country import country as gf121
from gtloc_forensics.checks.rules.gf201_light_at_night import light_at_night as gf201
from gtloc_forensics.records import Outcome, Position, Reading, Severity, Stated, TimeKind, TimeReading, TimeRole

PHONE = {"make": "Apple", "model": "iPhone 13"}


@pytest.mark.parametrize(("offset", "outcome"), [(-1.0, Outcome.EXPLAINED), (0.0, Outcome.SUSPICIOUS)])
def test_a_ship_strays_two_hours_from_nautical_time_and_no_more(offset, outcome):
    assert only(gf102, a_photo(**PHONE, offset=offset, position=MID_ATLANTIC)).outcome is outcome


@pytest.mark.parametrize(
    ("rival", "outcome"),
    [
        ((48.8650, 2.3522), Outcome.CONSISTENT),
        ((48.8736, 2.3522), Outcome.EXPLAINED),
        ((48.8757, 2.3522), Outcome.SUSPICIOUS),
    ],
)
def test_two_positions_agree_to_one_kilometre_and_round_to_two(rival, outcome):
    other = Reading(Position(*rival), "XMP-exif:GPSLatitude", "")
    position = Stated(Position(*PARIS), "GPS:GPSLatitude", "", "EXIF", (other,))
    assert only(gf109, a_photo(position=PARIS, subject_to={"position": position})).outcome is outcome


def test_only_a_real_slip_between_two_positions_is_named():
    other = Reading(Position(52.52, 13.405), "XMP-exif:GPSLatitude", "")
    position = Stated(Position(*PARIS), "GPS:GPSLatitude", "", "EXIF", (other,))
    assert only(gf109, a_photo(position=PARIS, subject_to={"position": position})).inferred == ()


@pytest.mark.parametrize(("error_m", "outcome"), [(999.0, Outcome.CONSISTENT), (1000.0, Outcome.EXPLAINED)])
def test_an_error_of_a_kilometre_limits_a_fix(error_m, outcome):
    photo = a_photo(position=PARIS, position_error_m=error_m, tags={"GPS:GPSSpeed": 0})
    assert only(gf111, photo).outcome is outcome


@pytest.mark.parametrize(("km_h", "outcome"), [(180.0, Outcome.SUSPICIOUS), (220.0, Outcome.EXPLAINED)])
def test_flying_begins_at_two_hundred_kilometres_an_hour(km_h, outcome):
    tags = {"GPS:GPSSpeed": km_h, "GPS:GPSSpeedRef": "K"}
    assert only(gf112, a_photo(position=MID_ATLANTIC, altitude_m=10_000.0, tags=tags)).outcome is outcome


def test_a_train_in_the_valley_is_no_aircraft():
    tags = {"GPS:GPSSpeed": 300.0, "GPS:GPSSpeedRef": "K"}
    assert only(gf112, a_photo(position=PARIS, altitude_m=200.0, tags=tags)).outcome is Outcome.CONSISTENT


@pytest.mark.parametrize(
    ("size", "kind"),
    [((4016, 3016), ""), ((4020, 3015), "resized"), ((8000, 6000), "resized"), ((8000, 5000), "cropped")],
)
def test_a_border_a_resizing_and_a_crop_are_told_apart(size, kind):
    tags = {"ExifIFD:ExifImageWidth": size[0], "ExifIFD:ExifImageHeight": size[1]}
    finding = only(gf117, a_photo(image=an_image(width=4000, height=3000), tags=tags))
    assert (finding.cause.kind if finding.cause else "") == kind


def test_new_year_is_named_as_an_excuse_only_where_cameras_existed():
    assert only(gf120, a_photo(local="2012-01-01 00:03")).innocent
    assert not only(gf120, a_photo(local="1980-01-01 00:03")).innocent


@pytest.mark.parametrize(("longitude", "outcome"), [(7.0, Outcome.CONSISTENT), (5.0, Outcome.SUSPICIOUS)])
def test_a_border_excuses_a_country_within_fifty_kilometres(longitude, outcome):
    """Lorraine, some 40 km and some 150 km west of the Palatinate."""
    photo = a_photo(position=(48.9, longitude), tags={"XMP-photoshop:Country": "Germany"})
    assert only(gf121, photo).outcome is outcome


def test_the_exposure_is_told_as_photographers_write_it():
    night = a_photo(local="2024-12-15 00:00", position=PARIS, f_number=8.0, exposure_s=1 / 500, iso=100.0)
    assert "f/8, 1/500 s, ISO 100" in only(gf201, night).observed[0]
    slow = a_photo(local="2024-12-15 00:00", position=PARIS, f_number=64.0, exposure_s=0.5, iso=50.0)
    assert "0.5 s" in only(gf201, slow).observed[0]


def test_slips_that_change_nothing_are_not_offered():
    assert [slip for slip, _ in position_slips.repairs(Position(0.0, 30.0))] == [
        "the other sign of the longitude (E/W lost)",
        "latitude and longitude swapped",
    ]
    assert [slip for slip, _ in position_slips.repairs(Position(51.5, 0.001))] == [
        "the other sign of the latitude (N/S lost)",
        "latitude and longitude swapped",
    ]
    assert len(list(position_slips.repairs(Position(40.0, 120.0)))) == 3  # a latitude of 120 does not exist


def test_slips_need_a_position_and_a_time():
    assert position_slips.fitting(a_claim(local=None, position=LONDON), 0.0) == ()
    assert position_slips.fitting(a_claim(), 0.0) == ()
    assert position_slips.on_land(a_claim()) == ()


@pytest.mark.parametrize(
    ("hours", "nearest"), [(14.05, 14.0), (14.2, None), (-12.05, -12.0), (-12.2, None), (5.7, 5.75)]
)
def test_civil_offsets_end_twelve_hours_behind_and_fourteen_ahead(hours, nearest):
    slip = offsets.nearest_civil(hours * 3600.0)
    assert (None if slip is None else slip.offset_hours) == nearest


def test_a_model_is_looked_up_under_its_own_maker():
    assert releases.of_model(a_device("Acme", "iPhone 4S")) is None
    assert releases.of_model(a_device("DJI", "FC220")).name == "FC220"
    assert releases.of_model(a_device("Hasselblad", "L1D-20c")).name == "L1D-20c"


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("Apple", "iPhone 4S", "Apple iPhone 4S"),
        ("Apple", None, "Apple"),
        (None, None, "an unnamed device"),
    ],
)
def test_a_device_is_named_once(make, model, name):
    assert devices.name_of(a_device(make, model)) == name


@pytest.mark.parametrize(
    ("make", "model", "phone"),
    [
        ("Apple", "iPhone 13", True),
        ("samsung", "SM-G973F", True),
        ("SAMSUNG", "NX300", False),
        ("Sony", "XQ-BC52", True),
        ("Sony", "G8441", True),
        ("SONY", "ILCE-7M3", False),
        ("SONY", "DSC-RX100", False),
        ("NIKON", "E5000", False),
        ("nubia", "nubia Z30 Pro", True),
        ("Canon", "Canon EOS R5", False),
        (None, None, False),
    ],
)
def test_telephones_are_told_from_cameras(make, model, phone):
    assert devices.is_phone(a_device(make, model)) is phone


def test_agreement_without_a_place_says_so_and_with_one_does_not():
    assert "any zone" in only(gf101, a_photo(local="2024-06-15 14:00", gps="2024-06-15 12:00")).summary
    for known in ({"position": PARIS}, {"offset": 2.0}):
        assert "any zone" not in only(gf101, a_photo(local="2024-06-15 14:00", gps="2024-06-15 12:00", **known)).summary


@pytest.mark.parametrize(("longitude", "outcome"), [(-7.0, Outcome.EXPLAINED), (-6.0, Outcome.SUSPICIOUS)])
def test_a_border_excuses_a_telephones_zone_within_fifty_kilometres(longitude, outcome):
    """Extremadura, some 15 km and some 95 km east of Portugal, on Portuguese time."""
    photo = a_photo(**PHONE, local="2024-06-15 12:00", offset=1.0, position=(39.2, longitude))
    assert only(gf102, photo).outcome is outcome


def test_an_altered_date_belongs_to_its_device_and_an_unset_one_to_none():
    altered = a_photo(tags={"IFD0:ModifyDate": "2024:06:01 12:00:00"})
    assert only(gf104, altered).cause.device_key == altered.claim.device.key
    unset = a_photo(tags={"IFD0:ModifyDate": "1980:01:01 00:00:00"})
    assert only(gf104, unset).cause.device_key == ""


def test_without_a_place_gps_time_gives_the_offset_between_blocks():
    shifted = {"XMP-exif:DateTimeOriginal": "2024:06:15 10:00:00"}
    known = a_photo(local="2024-06-15 12:00", gps="2024-06-15 10:00", tags=shifted)
    assert only(gf105, known).outcome is Outcome.EXPLAINED
    drifting = a_photo(local="2024-06-15 12:00", gps="2024-06-15 09:40", tags=shifted)
    assert only(gf105, drifting).is_found
    assert only(gf105, a_photo(local="2024-06-15 12:00", tags=shifted)).is_found


@pytest.mark.parametrize(("wall", "words"), [("2024-06-14T12:00:00", "earlier"), ("2024-06-16T12:00:00", "later")])
def test_a_name_is_said_to_be_earlier_or_later(wall, words):
    moment = datetime.fromisoformat(wall)
    name = f"IMG_{moment:%Y%m%d_%H%M%S}.jpg"
    reading = TimeReading(moment, TimeKind.LOCAL, TimeRole.FILE_NAME, "System:FileName", name)
    summary = only(gf106, a_photo(local="2024-06-15 12:00", times=(reading,))).summary
    assert words in summary
    assert ("before it exists" in summary) is (words == "earlier")


def test_a_name_with_a_bare_date_may_be_a_day_off():
    def dated(day):
        name = f"scan {day}.jpg"
        moment = datetime.fromisoformat(day)
        reading = TimeReading(
            moment, TimeKind.LOCAL, TimeRole.FILE_NAME, "System:FileName", name, resolution_s=86_400.0
        )
        return only(gf106, a_photo(local="2024-06-15 23:00", times=(reading,)))

    assert dated("2024-06-14").outcome is Outcome.CONSISTENT
    # Nobody but people give such a name, and they name a scan by its subject.
    assert dated("2024-06-13").outcome is Outcome.EXPLAINED


@pytest.mark.parametrize(("seconds", "is_found"), [(119, False), (121, True)])
def test_a_makers_clock_in_local_time_agrees_to_two_minutes(seconds, is_found):
    moment = datetime(2024, 6, 15, 12) + timedelta(seconds=seconds)
    reading = TimeReading(moment, TimeKind.LOCAL, TimeRole.MAKER_CLOCK, "Sony:SonyDateTime", str(moment))
    assert only(gf108, a_photo(local="2024-06-15 12:00", times=(reading,))).is_found is is_found


@pytest.mark.parametrize(("latitude", "severity"), [(49.2, Severity.MEDIUM), (49.4, Severity.HIGH)])
def test_two_positions_fifty_kilometres_apart_weigh_more(latitude, severity):
    other = Reading(Position(latitude, PARIS[1]), "XMP-exif:GPSLatitude", "")
    position = Stated(Position(*PARIS), "GPS:GPSLatitude", "", "EXIF", (other,))
    assert only(gf109, a_photo(position=PARIS, subject_to={"position": position})).severity is severity


@pytest.mark.parametrize(("beside_deg", "kind"), [(0.5e-6, "rounded-position"), (1.5e-6, "")])
def test_a_position_is_round_to_a_millionth_of_a_degree(beside_deg, kind):
    finding = only(gf110, a_photo(position=(48.85 + beside_deg, 2.35 + beside_deg)))
    assert (finding.cause.kind if finding.cause else "") == kind
