"""A claim says what the file says: which tag won, by which rule, what lost, and why something is absent."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest
from builders import a_source
from hypothesis import assume, given
from hypothesis import strategies as st

from gtloc_forensics import metadata
from gtloc_forensics.metadata import clock_defaults, filenames, place, tag_values
from gtloc_forensics.records import Absent, Claim, CounterKind, Position, Stated, TimeKind, TimeRole

WALL = "2024:06:15 12:34:56"
NOON = datetime(2024, 6, 15, 12, 34, 56)
PARIS = {
    "GPS:GPSLatitude": (48.8566,),
    "GPS:GPSLatitudeRef": ("N",),
    "GPS:GPSLongitude": (2.3522,),
    "GPS:GPSLongitudeRef": ("E",),
}


def in_paris(position: Position) -> tuple[str, ...]:
    return ("Europe/Paris",)


def claim(tags: dict | None = None, name: str = "photo.jpg", **more) -> Claim:
    given_tags = {tag: value if isinstance(value, tuple) else (value,) for tag, value in (tags or {}).items()}
    zones_at = more.pop("zones_at", in_paris)
    source = more.pop("source", None) or a_source(name)
    return metadata.claim(source, given_tags, zones_at=zones_at, **more)


# --------------------------------------------------------------------------- capture time


def test_the_exif_capture_time_wins_and_the_others_are_kept_as_rivals() -> None:
    made = claim(
        {
            "XMP-photoshop:DateCreated": "2019:01:01 00:00:00",
            "XMP-xmp:CreateDate": "2020:03:01 00:00:00",
            "ExifIFD:CreateDate": "2021:01:01 00:00:00",
            "ExifIFD:DateTimeOriginal": WALL,
            "IFD0:ModifyDate": "2025:01:01 00:00:00",
        }
    )
    assert made.local_time == Stated(
        NOON,
        "ExifIFD:DateTimeOriginal",
        WALL,
        "EXIF capture time: the camera writes it at the shutter",
        made.local_time.rivals,
    )
    assert [rival.tag for rival in made.local_time.rivals] == ["XMP-photoshop:DateCreated"]
    assert (made.not_after.tag, made.not_after.value) == ("XMP-xmp:CreateDate", datetime(2020, 3, 1))


@pytest.mark.parametrize(
    ("digits", "microsecond", "resolution_s"),
    [("5", 500_000, 0.1), (48, 480_000, 0.01), ("048", 48_000, 0.001), ("00", 0, 0.01), (355108, 355_108, 1e-6)],
)
def test_sub_seconds_are_the_digits_after_the_point(digits, microsecond: int, resolution_s: float) -> None:
    made = claim({"ExifIFD:DateTimeOriginal": WALL, "ExifIFD:SubSecTimeOriginal": digits})
    assert made.local_time.value == NOON.replace(microsecond=microsecond)
    assert made.times[0].resolution_s == resolution_s


@pytest.mark.parametrize("digits", ["", "   ", "-1", "abc", "\x00"])
def test_sub_seconds_that_are_none_change_nothing(digits: str) -> None:
    assert claim({"ExifIFD:DateTimeOriginal": WALL, "ExifIFD:SubSecTimeOriginal": digits}).local_time.value == NOON


@pytest.mark.parametrize(
    ("written", "microsecond", "resolution_s"),
    [("2024:06:15 12:34", 0, 60.0), ("2024:06:15 12:34:56.25", 250_000, 0.01), ("2024:06:15", 0, 86_400.0)],
)
def test_sub_seconds_are_added_to_whole_seconds_only(written: str, microsecond: int, resolution_s: float) -> None:
    reading = claim({"ExifIFD:DateTimeOriginal": written, "ExifIFD:SubSecTimeOriginal": "777"}).times[0]
    assert (reading.wall.microsecond, reading.resolution_s) == (microsecond, resolution_s)


@pytest.mark.parametrize(
    "written",
    [
        "2023:02:30 10:00:00",
        "2023:06:15 25:00:00",
        "2023:06:15 10:60:00",
        "2023:13:01 10:00:00",
        "9999:12:31 23:59:59",
        "yesterday",
        "x" * 5000,
        "2023:06:15 10:00:00+99:99",
        "1445:06:15 10:00:00",
    ],
)
def test_what_no_calendar_has_is_unparsable_and_stays_visible(written: str) -> None:
    made = claim({"ExifIFD:DateTimeOriginal": written})
    assert made.local_time is Absent.UNPARSABLE
    assert made.utc_time is Absent.UNDERIVABLE
    assert any("ExifIFD:DateTimeOriginal" in warning for warning in made.warnings)
    assert all(len(warning) < 400 for warning in made.warnings)
    assert made.tags["ExifIFD:DateTimeOriginal"] == (written,)


@pytest.mark.parametrize("written", ["0000:00:00 00:00:00", "    :  :     :  :  ", "", "0000-00-00T00:00:00Z"])
def test_blanks_and_zeros_are_a_date_that_was_not_set(written: str) -> None:
    made = claim({"ExifIFD:DateTimeOriginal": written})
    assert made.local_time is Absent.UNSET
    assert any("is not set" in warning for warning in made.warnings)


def test_a_file_without_any_date_is_missing_not_unparsable() -> None:
    made = claim({})
    assert made.local_time is Absent.MISSING
    assert made.utc_offset_hours is Absent.MISSING
    assert made.gps_utc_time is Absent.MISSING


def test_an_unreadable_capture_time_gives_way_to_the_next_that_speaks_of_the_capture() -> None:
    made = claim({"ExifIFD:DateTimeOriginal": "0000:00:00 00:00:00", "XMP-exif:DateTimeOriginal": WALL})
    assert made.local_time.tag == "XMP-exif:DateTimeOriginal"


@pytest.mark.parametrize("tag", ["ExifIFD:CreateDate", "IFD0:ModifyDate", "XMP-xmp:CreateDate", "XMP-xmp:ModifyDate"])
def test_a_date_of_another_moment_bounds_the_capture_and_is_not_it(tag: str) -> None:
    made = claim({tag: WALL})
    assert made.local_time is Absent.ONLY_BOUNDS
    assert (made.not_after.value, made.not_after.tag) == (NOON, tag)
    assert "only bound it" in made.local_time.value
    assert made.utc_time is Absent.UNDERIVABLE


def test_a_year_is_claimed_and_the_day_of_scanning_does_not_take_its_place() -> None:
    made = claim({"ExifIFD:DateTimeOriginal": "1993:00:00 00:00:00", "ExifIFD:CreateDate": "2020:11:19 10:00:00"})
    assert made.local_time.value == datetime(1993, 1, 1)
    assert "only the year is known" in made.local_time.rule
    negative = claim({"XMP-photoshop:DateCreated": 1978, "ExifIFD:CreateDate": "2020:11:19 10:02:00"})
    assert negative.local_time.value == datetime(1978, 1, 1)


def test_a_finer_date_is_taken_only_within_a_coarser_one_of_more_weight() -> None:
    within = claim({"ExifIFD:DateTimeOriginal": "2024:06:00 00:00:00", "XMP-photoshop:DateCreated": WALL})
    assert within.local_time.value == NOON
    beyond = claim({"ExifIFD:DateTimeOriginal": "1993:00:00 00:00:00", "XMP-photoshop:DateCreated": WALL})
    assert beyond.local_time.value == datetime(1993, 1, 1)


def test_a_bare_date_yields_to_a_time_of_that_day() -> None:
    made = claim({"IPTC:DateCreated": "2024:06:15", "PNG:CreationTime": WALL})
    assert made.local_time.tag == "PNG:CreationTime"
    alone = claim({"IPTC:DateCreated": "2024:06:15"})
    assert "without a time of day" in alone.local_time.rule
    assert alone.times[0].resolution_s == 86_400


def test_a_sidecar_speaks_only_where_the_file_is_silent() -> None:
    beside = [("photo.jpg.xmp", {"XMP-exif:DateTimeOriginal": ("2019:01:01 00:00:00+02:00",)})]
    assert claim({"ExifIFD:DateTimeOriginal": WALL}, sidecars=beside).local_time.value == NOON
    made = claim({}, sidecars=beside)
    assert made.local_time.tag == "sidecar:XMP-exif:DateTimeOriginal"
    assert made.utc_offset_hours.value == 2.0


def test_iptc_date_and_time_are_one_reading_and_its_zero_offset_is_not_believed() -> None:
    made = claim({"IPTC:DateCreated": "2024:06:15", "IPTC:TimeCreated": "12:34:56+00:00"})
    assert made.local_time.value == NOON
    assert made.utc_offset_hours is Absent.MISSING
    zoned = claim({"IPTC:DateCreated": "2024:06:15", "IPTC:TimeCreated": "12:34:56-05:00"})
    assert zoned.utc_offset_hours.value == -5.0


def test_a_film_counts_utc_and_its_local_time_comes_from_the_zone() -> None:
    made = claim({"QuickTime:CreateDate": WALL, **PARIS})
    assert made.utc_time.value == NOON
    assert made.local_time.value == NOON + timedelta(hours=2)  # Paris keeps UTC+2 in June (tz database)
    nowhere = claim({"QuickTime:CreateDate": WALL})
    assert nowhere.utc_time.value == NOON
    assert nowhere.local_time is Absent.UNDERIVABLE


# --------------------------------------------------------------------------- offset

OFFSETS = [
    ({"Nikon:TimeZone": 480, "Nikon:DaylightSavings": 1}, 9.0, "with summer time"),
    ({"ExifIFD:OffsetTimeOriginal": "-05:30"}, -5.5, "for the capture time"),
    ({"ExifIFD:OffsetTimeDigitized": "+05:45"}, 5.75, "digitising"),
    ({"ExifIFD:TimeZoneOffset": "-3 -3"}, -3.0, "TIFF/EP"),
    ({"Samsung:TimeStamp": "2024:06:15 01:34:55+00:00"}, 11.0, "maker's own clock"),
    ({"ExifIFD:OffsetTime": "+03:00"}, 3.0, "lower trust"),
    (PARIS, 2.0, "zone at the claimed position"),
    ({"GPS:GPSDateStamp": "2024:06:15", "GPS:GPSTimeStamp": "08:34:50"}, 4.0, "GPS clock"),
    ({"XMP-photoshop:DateCreated": "2024:06:15 12:34:56+07:00"}, 7.0, "inside the capture date"),
]


def test_offsets_win_in_the_order_that_was_agreed() -> None:
    for rank, (_, hours, words) in enumerate(OFFSETS):
        tags = {"ExifIFD:DateTimeOriginal": WALL}
        for more, _, _ in OFFSETS[rank:]:
            tags |= more
        offset = claim(tags).utc_offset_hours
        assert offset.value == hours, words
        assert words in offset.rule
        assert len(offset.rivals) == len(OFFSETS) - rank - 1


@pytest.mark.parametrize(("tags", "hours", "words"), OFFSETS)
def test_the_instant_is_local_time_less_the_offset(tags: dict, hours: float, words: str) -> None:
    made = claim({"ExifIFD:DateTimeOriginal": WALL, **tags})
    assert made.utc_time.value == NOON - timedelta(hours=hours)
    assert made.utc_time.rule == made.utc_offset_hours.rule


@pytest.mark.parametrize(
    ("maker", "minutes", "summer", "hours"),
    [("Nikon", 60, 1, 2.0), ("Nikon", 60, 0, 1.0), ("Canon", 120, 60, 2.0), ("Canon", -420, 60, -7.0)],
)
def test_nikon_keeps_summer_time_apart_and_canon_does_not(maker: str, minutes: int, summer: int, hours: float) -> None:
    """Canon: Paris is observed at +02:00 and Los Angeles at −07:00 with DST on (exiftool 12.57, Canon.pm TimeInfo)."""
    tags = {f"{maker}:TimeZone": minutes, f"{maker}:DaylightSavings": summer}
    offset = claim({"ExifIFD:DateTimeOriginal": WALL, **tags}).utc_offset_hours
    assert offset.value == hours
    assert ("summer time" in offset.rule) == bool(summer)


def test_a_zone_that_the_camera_was_never_told_is_none() -> None:
    assert claim({"ExifIFD:DateTimeOriginal": WALL, "Canon:TimeZone": 32767}).utc_offset_hours is Absent.MISSING


def test_a_missing_offset_never_means_utc() -> None:
    made = claim({"ExifIFD:DateTimeOriginal": WALL})
    assert made.utc_offset_hours is Absent.MISSING
    assert made.utc_time is Absent.UNDERIVABLE


def test_an_offset_that_is_none_is_unparsable() -> None:
    made = claim({"ExifIFD:DateTimeOriginal": WALL, "ExifIFD:OffsetTimeOriginal": "   :  "})
    assert made.utc_offset_hours is Absent.UNPARSABLE


def test_the_offset_of_another_moment_says_nothing_of_the_capture() -> None:
    made = claim({"ExifIFD:DateTimeOriginal": WALL, "XMP-xmp:CreateDate": "2025:01:01 00:00:00+09:00"})
    assert made.utc_offset_hours is Absent.MISSING


@pytest.mark.parametrize(
    ("clock", "hours"),
    [("08:45:00", 3.75), ("08:27:01", None), ("20:27:01", None)],  # 4 min 56 s, 7 min 55 s, 7 min 5 s off
)
def test_a_gps_clock_off_the_grid_of_zones_gives_no_offset(clock: str, hours: float | None) -> None:
    tags = {"GPS:GPSDateStamp": "2024:06:15", "GPS:GPSTimeStamp": clock}
    offset = claim({"ExifIFD:DateTimeOriginal": WALL, **tags}).utc_offset_hours
    assert (offset.value if isinstance(offset, Stated) else None) == hours


def test_where_several_zones_are_legal_the_gps_clock_chooses_and_the_other_stays_a_rival() -> None:
    def kashgar(position: Position) -> tuple[str, ...]:
        return ("Asia/Urumqi", "Asia/Shanghai")

    tags = {"ExifIFD:DateTimeOriginal": WALL, **PARIS}
    assert claim(tags, zones_at=kashgar).utc_offset_hours.value == 6.0
    tags |= {"GPS:GPSDateStamp": "2024:06:15", "GPS:GPSTimeStamp": "04:34:56"}
    offset = claim(tags, zones_at=kashgar).utc_offset_hours
    assert offset.value == 8.0
    assert 6.0 in [rival.value for rival in offset.rivals]


# --------------------------------------------------------------------------- position


@pytest.mark.parametrize(
    ("north", "south", "east", "west", "expected"),
    [
        (48.5, "N", 2.5, "E", (48.5, 2.5)),
        (33.9, "S", 151.2, "E", (-33.9, 151.2)),
        (40.7, "N", 74.0, "W", (40.7, -74.0)),
        (-33.9, "S", -74.0, "W", (-33.9, -74.0)),
        (-33.9, "", 151.2, "", (-33.9, 151.2)),
    ],
)
def test_a_hemisphere_is_a_sign(north: float, south: str, east: float, west: str, expected: tuple) -> None:
    made = claim(
        {
            "GPS:GPSLatitude": north,
            "GPS:GPSLatitudeRef": south,
            "GPS:GPSLongitude": east,
            "GPS:GPSLongitudeRef": west,
        }
    )
    assert made.position.value == Position(*expected)
    assert ("assumed" in made.position.rule) == (south == "")


@pytest.mark.parametrize(
    ("latitude", "longitude", "why"),
    [(0, 0, Absent.NO_FIX), (0.0, 0.0, Absent.NO_FIX), (1e-6, -1e-6, Absent.NO_FIX), (91, 0, Absent.OUT_OF_RANGE),
     (1, 361, Absent.OUT_OF_RANGE), (1, -181, Absent.OUT_OF_RANGE),
     ("undef", "inf", Absent.UNPARSABLE), ("", "", Absent.UNPARSABLE), ("x" * 5000, 1, Absent.UNPARSABLE)],
)  # fmt: skip
def test_no_place_on_earth_is_no_position(latitude, longitude, why: Absent) -> None:
    made = claim({**PARIS, "GPS:GPSLatitude": latitude, "GPS:GPSLongitude": longitude})
    assert made.position is why
    assert made.zones == ()


def test_a_void_fix_is_no_position_and_its_numbers_stay_in_the_tags() -> None:
    made = claim({**PARIS, "GPS:GPSStatus": "V"})
    assert made.position is Absent.NO_FIX
    assert made.tags["GPS:GPSLatitude"] == (48.8566,)


@pytest.mark.parametrize("latitude", [43.5, "43,30.0N", "43,30,0N"])
def test_xmp_writes_its_own_hemisphere(latitude) -> None:
    made = claim({"XMP-exif:GPSLatitude": latitude, "XMP-exif:GPSLongitude": "5,15.0W"})
    assert made.position.value == Position(43.5, -5.25)


def test_a_second_position_is_kept_as_a_rival() -> None:
    made = claim({**PARIS, "XMP-exif:GPSLatitude": 10.0, "XMP-exif:GPSLongitude": 20.0})
    assert made.position.value == Position(48.8566, 2.3522)
    assert [rival.value for rival in made.position.rivals] == [Position(10.0, 20.0)]
    assert made.zones == ("Europe/Paris",)


@pytest.mark.parametrize(("reference", "height"), [(0, 12.5), (1, -12.5), ("", 12.5)])
def test_below_sea_level_is_negative(reference, height: float) -> None:
    assert claim({"GPS:GPSAltitude": 12.5, "GPS:GPSAltitudeRef": reference}).altitude_m.value == height


@pytest.mark.parametrize(("azimuth", "reference", "expected"), [(360, "T", 0.0), (12.5, "M", 12.5), (0, "", 0.0)])
def test_a_direction_says_which_north(azimuth: float, reference: str, expected: float) -> None:
    looked = claim({"GPS:GPSImgDirection": azimuth, "GPS:GPSImgDirectionRef": reference}).direction
    assert looked.value.azimuth_deg == expected
    assert looked.value.magnetic == (reference == "M")


@pytest.mark.parametrize(("error", "stated"), [(4.5, True), (0, False), (-1, False), ("undef", False)])
def test_a_receiver_without_any_error_states_none(error, stated: bool) -> None:
    made = claim({"GPS:GPSHPositioningError": error}).position_error_m
    assert made.value == error if stated else made is Absent.UNPARSABLE


@pytest.mark.parametrize("azimuth", [-1, 361, "undef"])
def test_a_direction_beyond_the_circle_is_none(azimuth) -> None:
    assert claim({"GPS:GPSImgDirection": azimuth}).direction is Absent.UNPARSABLE


def test_half_a_gps_time_is_underivable_and_a_whole_one_is_utc() -> None:
    assert claim({"GPS:GPSTimeStamp": "10:00:00"}).gps_utc_time is Absent.UNDERIVABLE
    made = claim({"GPS:GPSTimeStamp": "10:00:00.25", "GPS:GPSDateStamp": "2024:06:15"})
    assert made.gps_utc_time.value == datetime(2024, 6, 15, 10, 0, 0, 250_000)


# --------------------------------------------------------------------------- camera


def test_the_meter_speaks_where_settings_are_missing_or_made_by_hand() -> None:
    """APEX (EXIF 2.32, annex C): Bv 9.64 is sunny sixteen, EV100 14.64."""
    metered = claim({"ExifIFD:BrightnessValue": 9.64}).exposure
    assert metered.ev100 == pytest.approx(14.64) and metered.tags["ev100"] == "ExifIFD:BrightnessValue"
    settings_ = {"ExifIFD:FNumber": 16, "ExifIFD:ExposureTime": 0.01, "ExifIFD:ISO": 100}
    automatic = claim({**settings_, "ExifIFD:BrightnessValue": 2.0}).exposure
    assert automatic.ev100 == pytest.approx(math.log2(25_600)) and "ev100" not in automatic.tags
    by_hand = claim({**settings_, "ExifIFD:ExposureMode": 1, "ExifIFD:BrightnessValue": 2.0}).exposure
    assert by_hand.ev100 == pytest.approx(7.0)
    assert claim({"ExifIFD:BrightnessValue": 0}).exposure.ev100 is Absent.UNDERIVABLE  # what one make always writes


def test_ev100_is_that_of_the_sunny_sixteen_rule() -> None:
    """f/16, 1/100 s, ISO 100 is EV 14.64 (log2(256 × 100)), full sun by every exposure table."""
    light = claim({"ExifIFD:FNumber": 16, "ExifIFD:ExposureTime": 0.01, "ExifIFD:ISO": 100}).exposure
    assert light.ev100 == pytest.approx(math.log2(25_600))
    assert light.tags["f_number"] == "ExifIFD:FNumber"
    darker = claim(
        {"ExifIFD:FNumber": 16, "ExifIFD:ExposureTime": 0.01, "ExifIFD:ISO": 100, "ExifIFD:ExposureCompensation": -1}
    ).exposure
    assert darker.ev100 == pytest.approx(math.log2(25_600) - 1)


def test_a_bias_dialled_in_by_hand_exposure_moves_nothing() -> None:
    tags = {"ExifIFD:FNumber": 16, "ExifIFD:ExposureTime": 0.01, "ExifIFD:ISO": 100, "ExifIFD:ExposureCompensation": -1}
    assert claim({**tags, "ExifIFD:ExposureProgram": 1}).exposure.ev100 == pytest.approx(math.log2(25_600))


def test_a_full_iso_field_defers_to_the_recommended_index() -> None:
    assert claim({"ExifIFD:ISO": 65535, "ExifIFD:RecommendedExposureIndex": 102_400}).exposure.iso == 102_400


@pytest.mark.parametrize(("flash", "fired"), [(0, False), (1, True), (16, False), (25, True), ("", Absent.UNPARSABLE)])
def test_the_flash_fired_when_bit_zero_says_so(flash, fired) -> None:
    assert claim({"ExifIFD:Flash": flash}).exposure.flash_fired == fired


@pytest.mark.parametrize("value", [0, "undef", "inf", -1])
def test_a_setting_that_cannot_be_leaves_the_light_underivable(value) -> None:
    light = claim({"ExifIFD:FNumber": value, "ExifIFD:ExposureTime": 0.01, "ExifIFD:ISO": 100}).exposure
    assert light.f_number is Absent.UNPARSABLE
    assert light.ev100 is Absent.UNDERIVABLE


def test_a_serial_number_names_one_device_and_a_model_leaves_doubt() -> None:
    tags = {"IFD0:Make": "Acme ", "IFD0:Model": "One"}
    sure = claim({**tags, "ExifIFD:SerialNumber": 123}).device
    assert (sure.key, sure.doubt) == ("serial:acme|one|123", "")
    unsure = claim(tags).device
    assert unsure.key == "model:acme|one"
    assert unsure.doubt
    assert claim({}).device.key == "unknown"


@pytest.mark.parametrize("serial", ["", "0000000", "none", "N/A", "-", "xxxxxxx", "\x00\x00"])
def test_a_serial_number_that_is_none_does_not_name_a_device(serial: str) -> None:
    device = claim({"IFD0:Model": "One", "ExifIFD:SerialNumber": serial}).device
    assert device.serial is Absent.UNPARSABLE
    assert device.key.startswith("model:")


def test_the_serial_number_of_a_lens_is_not_the_cameras() -> None:
    tags = {"IFD0:Model": "One", "ExifIFD:LensSerialNumber": "77", "Olympus:LensSerialNumber": "78"}
    assert claim(tags).device.serial is Absent.MISSING
    assert claim({**tags, "Olympus:SerialNumber": "79"}).device.serial == "79"


def test_a_key_is_short_whatever_the_file_holds() -> None:
    one, two = (claim({"IFD0:Model": "x" * 5000 + end}).device.key for end in "ab")
    assert len(one) < 200
    assert one != two


def test_counters_carry_their_wrap() -> None:
    found = claim(
        {"Canon:FileNumber": 1181861, "Nikon:ShutterCount": 10934, "ExifIFD:ImageNumber": 7}, name="IMG_1861.JPG"
    ).counters
    assert [(finding.kind, finding.value, finding.wraps_at) for finding in found] == [
        (CounterKind.SHUTTER, 10934, None),
        (CounterKind.FILE_NUMBER, 1861, 10_000),
        (CounterKind.IMAGE, 7, None),
        (CounterKind.FILE_NUMBER, 1861, 10_000),
    ]


def test_a_running_time_is_value_over_scale_and_stands_still_in_sleep() -> None:
    running = claim({"Apple:RunTimeValue": 87_745_540_583_250, "Apple:RunTimeScale": 1_000_000_000}).uptime
    assert running.seconds == pytest.approx(87_745.54058325)  # exiftool's Composite:RunTimeSincePowerUp of that file
    assert running.excludes_sleep
    assert claim({"Apple:RunTimeValue": 1}).uptime is Absent.UNPARSABLE


def test_the_frames_of_a_burst_share_a_name() -> None:
    assert metadata.burst_id(claim({"Apple:BurstUUID": "A-1"})) == "A-1"
    assert metadata.burst_id(claim({})) == ""


# --------------------------------------------------------------------------- all the times


@pytest.mark.parametrize(
    ("tag", "written", "role", "kind"),
    [
        ("Nikon:PowerUpTime", WALL, TimeRole.MAKER_CLOCK, TimeKind.LOCAL),
        ("Olympus:DateTimeUTC", WALL, TimeRole.MAKER_CLOCK, TimeKind.UTC),
        ("Samsung:TimeStamp", WALL + "+00:00", TimeRole.MAKER_CLOCK, TimeKind.UTC),
        ("Sony:SonyDateTime", WALL, TimeRole.MAKER_CLOCK, TimeKind.LOCAL),
        ("Reconyx:DateTimeOriginal", WALL, TimeRole.MAKER_CLOCK, TimeKind.LOCAL),
        ("ICC-header:ProfileDateTime", WALL, TimeRole.OTHER, TimeKind.UTC),
        ("QuickTime:CreateDate", WALL, TimeRole.CAPTURE, TimeKind.UTC),
        ("Keys:CreationDate", WALL + "+02:00", TimeRole.CAPTURE, TimeKind.ZONED),
        ("XMP-xmpMM:HistoryWhen", WALL + "-05:00", TimeRole.MODIFIED, TimeKind.ZONED),
        ("PNG:CreationTime", WALL, TimeRole.CAPTURE, TimeKind.LOCAL),
        ("Track1:MediaCreateDate", WALL, TimeRole.OTHER, TimeKind.UTC),
    ],
)
def test_every_block_is_read_in_its_role(tag: str, written: str, role: TimeRole, kind: TimeKind) -> None:
    reading = next(time for time in claim({tag: written}).times if time.tag == tag)
    assert (reading.wall, reading.role, reading.kind) == (NOON, role, kind)


@pytest.mark.parametrize("tag", ["Ricoh:FirmwareDate", "Panasonic:BabyAge", "Nikon:DateStampMode", "Leica:BuildDate"])
def test_a_date_of_the_maker_that_is_no_clock_is_passed_over(tag: str) -> None:
    assert not any(time.role is TimeRole.MAKER_CLOCK for time in claim({tag: WALL}).times)


def test_the_file_systems_times_are_instants() -> None:
    made = claim({}, source=a_source(mtime_ns=1_500_000_000_123_456_789, birth_ns=0))
    assert [(time.tag, time.wall) for time in made.times] == [
        ("System:FileModifyDate", datetime(2017, 7, 14, 2, 40, 0, 123456)),
        ("System:FileCreateDate", datetime(1970, 1, 1)),
    ]
    assert all(time.role is TimeRole.FILE_SYSTEM for time in made.times)


@pytest.mark.parametrize(
    ("name", "wall", "kind", "resolution_s"),
    [
        ("IMG_20240118_123540.jpg", "2024-01-18 12:35:40", TimeKind.LOCAL, 1.0),
        ("20240118_123540.jpg", "2024-01-18 12:35:40", TimeKind.LOCAL, 1.0),
        ("20240118123540.jpg", "2024-01-18 12:35:40", TimeKind.LOCAL, 1.0),
        ("PXL_20240118_123540123.jpg", "2024-01-18 12:35:40.123", TimeKind.UTC, 0.001),
        ("PXL_20240118_123540123.MP.jpg", "2024-01-18 12:35:40.123", TimeKind.UTC, 0.001),
        ("IMG-20240118-WA0007.jpg", "2024-01-18", TimeKind.LOCAL, 86_400.0),
        ("Screenshot_20240118-123540.png", "2024-01-18 12:35:40", TimeKind.LOCAL, 1.0),
        ("Screenshot 2024-01-18 at 12.35.40.png", "2024-01-18 12:35:40", TimeKind.LOCAL, 1.0),
        ("Screenshot 2024-01-18 at 3.05.10 PM.png", "2024-01-18 15:05:10", TimeKind.LOCAL, 1.0),
        ("WhatsApp Image 2024-01-18 at 12.35.40.jpeg", "2024-01-18 12:35:40", TimeKind.LOCAL, 1.0),
        ("signal-2024-01-18-123540.jpg", "2024-01-18 12:35:40", TimeKind.LOCAL, 1.0),
        ("2024-01-18 12.35.40.jpg", "2024-01-18 12:35:40", TimeKind.LOCAL, 1.0),
        ("holiday 2024-01-18.jpg", "2024-01-18", TimeKind.LOCAL, 86_400.0),
        ("FB_IMG_1500000000000.jpg", "2017-07-14 02:40:00", TimeKind.UTC, 0.001),
        ("dir/20240118/IMG_1234.jpg", None, None, None),
        ("IMG_20241318_123540.jpg", None, None, None),
        ("IMG_1234.jpg", None, None, None),
        ("99999999.jpg", None, None, None),
    ],
)
def test_a_name_tells_a_time(name: str, wall: str | None, kind: TimeKind | None, resolution_s: float | None) -> None:
    reading = filenames.name_time(name.encode())
    if wall is None:
        assert reading is None
    else:
        assert reading is not None
        assert (reading.wall, reading.kind, reading.resolution_s) == (datetime.fromisoformat(wall), kind, resolution_s)
        assert reading.role is TimeRole.FILE_NAME


# --------------------------------------------------------------------------- parsers hold for any text

WALLS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1))
MINUTES = st.integers(min_value=-14 * 60, max_value=14 * 60)
ODD_TEXT = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="0123456789:-./ TZ+", max_size=30),
    st.integers(),
    st.floats(),
    st.just("9" * 5000),
    st.just("\x00\x07\u202e"),
)


@given(WALLS, MINUTES)
def test_a_date_is_read_back_as_it_was_written(wall: datetime, minutes: int) -> None:
    zone = tag_values.spoken_offset(minutes / 60)
    exif = wall.strftime("%Y:%m:%d %H:%M:%S.%f") + zone
    iso = wall.strftime("%Y-%m-%dT%H:%M:%S.%f") + zone
    for written in (exif, iso):
        read = tag_values.moment(written)
        assert read is not None
        assert read.wall == wall
        assert read.offset_hours == pytest.approx(minutes / 60, abs=1e-9)


@given(MINUTES)
def test_an_offset_is_read_back_as_it_was_written(minutes: int) -> None:
    assert tag_values.offset(tag_values.spoken_offset(minutes / 60)) == pytest.approx(minutes / 60, abs=1e-9)


@given(st.binary(max_size=80))
def test_no_file_name_crashes_the_reader(name: bytes) -> None:
    filenames.name_time(name)
    filenames.name_number(name)


TAGS = st.sampled_from(
    [
        "ExifIFD:DateTimeOriginal", "ExifIFD:CreateDate", "IFD0:ModifyDate", "ExifIFD:SubSecTimeOriginal",
        "ExifIFD:OffsetTimeOriginal", "ExifIFD:OffsetTime", "GPS:GPSLatitude", "GPS:GPSLatitudeRef", "GPS:GPSLongitude",
        "GPS:GPSLongitudeRef", "GPS:GPSAltitude", "GPS:GPSAltitudeRef", "GPS:GPSImgDirection", "GPS:GPSDateStamp",
        "GPS:GPSTimeStamp", "GPS:GPSStatus",
        "GPS:GPSHPositioningError", "XMP-exif:GPSLatitude", "XMP-exif:GPSLongitude",
        "XMP-exif:DateTimeOriginal", "XMP-exif:GPSDateTime", "IPTC:DateCreated", "IPTC:TimeCreated", "Nikon:TimeZone",
        "Nikon:DaylightSavings", "Nikon:PowerUpTime", "Nikon:ShutterCount", "Canon:FileNumber", "ExifIFD:FNumber",
        "ExifIFD:ExposureTime", "ExifIFD:ISO", "ExifIFD:Flash", "ExifIFD:ExposureCompensation",
        "IFD0:Make", "IFD0:Model",
        "ExifIFD:SerialNumber", "Apple:RunTimeValue", "Apple:RunTimeScale", "QuickTime:CreateDate", "Samsung:TimeStamp",
        "Keys:GPSCoordinates", "Sony:SonyDateTime", "Track1:MediaCreateDate", "ICC-header:ProfileDateTime",
    ]
)  # fmt: skip
MUTATED = st.dictionaries(TAGS, st.lists(ODD_TEXT, max_size=3).map(tuple), max_size=20)


@given(MUTATED)
def test_no_tag_whatever_it_holds_crashes_a_claim(tags: dict) -> None:
    made = claim(tags, sidecars=[("a.xmp", tags)])
    for reading in made.times:
        assert reading.utc is None or isinstance(reading.utc, datetime)
    assert len(made.device.key) < 200
    if isinstance(made.position, Stated):
        assert abs(made.position.value.latitude_deg) <= 90


@given(WALLS, MINUTES, st.floats(min_value=-90, max_value=90), st.floats(min_value=-180, max_value=180))
def test_a_whole_claim_is_read_back(wall: datetime, minutes: int, north: float, east: float) -> None:
    assume(not clock_defaults.is_zero(wall))
    made = claim(
        {
            "ExifIFD:DateTimeOriginal": wall.strftime("%Y:%m:%d %H:%M:%S"),
            "ExifIFD:SubSecTimeOriginal": f"{wall.microsecond:06d}",
            "ExifIFD:OffsetTimeOriginal": tag_values.spoken_offset(minutes / 60),
            "GPS:GPSLatitude": abs(north),
            "GPS:GPSLatitudeRef": "S" if north < 0 else "N",
            "GPS:GPSLongitude": abs(east),
            "GPS:GPSLongitudeRef": "W" if east < 0 else "E",
        }
    )
    assert made.local_time.value == wall
    assert made.utc_time.value == wall - timedelta(hours=made.utc_offset_hours.value)
    expected = Absent.NO_FIX if max(abs(north), abs(east)) < place.NULL_DEG else Position(north, east)
    assert (made.position.value if isinstance(made.position, Stated) else made.position) == expected
