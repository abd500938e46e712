"""Who wrote a value decides what it is worth: makers' habits, clocks at their zero, second blocks, files beside."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from builders import a_source
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gtloc_forensics import metadata
from gtloc_forensics.case.case import open_case
from gtloc_forensics.earth import claims
from gtloc_forensics.earth.zones import zones_at
from gtloc_forensics.examination.instruments import Settings
from gtloc_forensics.files import sidecar_names
from gtloc_forensics.metadata import clock_defaults
from gtloc_forensics.records import (
    Absent,
    Claim,
    OffsetSource,
    Outcome,
    PhotoEntry,
    Position,
    Stated,
    TimeKind,
    TimeRole,
)

WALL = "2024:06:15 12:34:56"
NOON = datetime(2024, 6, 15, 12, 34, 56)
PARIS = {
    "GPS:GPSLatitude": (48.8566,),
    "GPS:GPSLatitudeRef": ("N",),
    "GPS:GPSLongitude": (2.3522,),
    "GPS:GPSLongitudeRef": ("E",),
}


def claim(tags: dict | None = None, name: str = "photo.jpg", **more) -> Claim:
    given_tags = {tag: value if isinstance(value, tuple) else (value,) for tag, value in (tags or {}).items()}
    return metadata.claim(a_source(name), given_tags, zones_at=zones_at, **more)


def gps(utc: str) -> dict[str, str]:
    day, _, clock = utc.partition(" ")
    return {"GPS:GPSDateStamp": day, "GPS:GPSTimeStamp": clock}


# --------------------------------------------------------------------------- who gave the offset


@pytest.mark.parametrize(
    ("tags", "source"),
    [
        ({"ExifIFD:OffsetTimeOriginal": "+02:00"}, OffsetSource.CAMERA),
        ({"Nikon:TimeZone": 60, "Nikon:DaylightSavings": 1}, OffsetSource.CAMERA),
        ({"ExifIFD:OffsetTime": "+02:00", "IFD0:ModifyDate": WALL}, OffsetSource.CAMERA),
        ({"ExifIFD:OffsetTime": "+02:00", "IFD0:ModifyDate": "2025:01:01 10:00:00"}, OffsetSource.PROGRAM),
        ({"Samsung:TimeStamp": "2024:06:15 10:34:56.4+00:00"}, OffsetSource.MAKER_CLOCK),
        ({"XMP-photoshop:DateCreated": "2024:06:15 12:34:56+02:00"}, OffsetSource.PROGRAM),
        ({"XMP-exif:DateTimeOriginal": "2024:06:15 10:34:56Z"}, OffsetSource.PROGRAM),
        ({"XMP-xmp:CreateDate": "2024:06:15 12:34:56+02:00"}, OffsetSource.PROGRAM),
        (gps("2024:06:15 10:34:50"), OffsetSource.GPS_CLOCK),
        (PARIS, OffsetSource.PLACE),
    ],
)
def test_an_offset_says_by_its_type_who_gave_it(tags: dict, source: OffsetSource) -> None:
    made = claim({"ExifIFD:DateTimeOriginal": WALL, **tags})
    assert (made.utc_offset_hours.value, made.utc_offset_hours.offset_source) == (2.0, source)
    assert made.utc_time.offset_source is source
    assert claims.is_derived(made.utc_offset_hours) == source.is_derived
    assert claims.is_from_camera(made.utc_offset_hours) == source.is_from_camera


def test_no_word_of_a_rule_decides_where_an_offset_comes_from() -> None:
    made = claim({"ExifIFD:DateTimeOriginal": WALL, "ExifIFD:OffsetTimeOriginal": "+02:00"})
    renamed = Stated(2.0, "ExifIFD:OffsetTimeOriginal", "+02:00", "zone at the gps", (), OffsetSource.CAMERA)
    assert claims.is_derived(renamed) == claims.is_derived(made.utc_offset_hours)


def test_the_zone_of_an_editors_computer_gives_way_to_place_and_gps_time() -> None:
    made = claim(
        {
            "ExifIFD:DateTimeOriginal": "2022:01:10 15:15:44",
            "IPTC:DateCreated": "2022:01:10",
            "IPTC:TimeCreated": "15:15:44-04:00",
            **PARIS,
            "GPS:GPSLatitude": 39.115,
            "GPS:GPSLongitude": 108.401,
            "GPS:GPSLongitudeRef": "W",
            **gps("2022:01:10 22:15:43"),
        }
    )
    assert made.utc_offset_hours.value == -7.0
    assert -4.0 in [rival.value for rival in made.utc_offset_hours.rivals]


def test_a_date_of_a_program_keeps_its_own_offset_and_its_instant() -> None:
    zoned = claim({"XMP-photoshop:DateCreated": "2024-06-15T12:34:56-07:00", **PARIS})
    assert zoned.utc_time.value == NOON + timedelta(hours=7)
    assert zoned.utc_offset_hours.offset_source is OffsetSource.PROGRAM
    instant = claim({"XMP-photoshop:DateCreated": "2024-06-15T12:34:56Z", **PARIS})
    assert (instant.utc_time.value, instant.local_time.value) == (NOON, NOON + timedelta(hours=2))
    assert instant.utc_time.offset_source is OffsetSource.PROGRAM


def test_a_zone_inside_the_exif_date_is_the_cameras() -> None:
    made = claim({"ExifIFD:DateTimeOriginal": "2017:02:01 14:42:59+01:00"})
    assert (made.utc_offset_hours.value, made.utc_time.value) == (1.0, datetime(2017, 2, 1, 13, 42, 59))
    assert made.utc_offset_hours.offset_source is OffsetSource.CAMERA
    utc = claim({"ExifIFD:DateTimeOriginal": "2018-01-20T11:46:00Z"})
    assert utc.utc_time.value == utc.local_time.value == datetime(2018, 1, 20, 11, 46)


def test_a_maker_clock_that_is_no_civil_offset_away_gives_none() -> None:
    made = claim({"ExifIFD:DateTimeOriginal": WALL, "Samsung:TimeStamp": "2024:06:15 10:22:22+00:00"})
    assert made.utc_offset_hours is Absent.MISSING


def test_midnight_in_iptc_is_a_date_without_a_time() -> None:
    made = claim({"IPTC:DateCreated": "2004:06:21", "IPTC:TimeCreated": "00:00:00+00:00"})
    reading = next(time for time in made.times if time.tag == "IPTC:DateCreated")
    assert reading.resolution_s == 86_400
    assert "without a time of day" in made.local_time.rule


# --------------------------------------------------------------------------- clocks at their zero


@pytest.mark.parametrize(
    "utc",
    ["1970:01:01 00:00:00", "1980:01:06 00:00:13", "1899:12:30 00:00:00", "1999:08:22 00:00:04", "2019:04:07 00:00:00",
     "2019:04:06 23:59:42", "1980:01:01 00:00:00", "2000:01:01 00:00:00", "2027:01:01 00:00:30"],
)  # fmt: skip
def test_a_receiver_without_time_tells_none_and_gives_no_offset(utc: str) -> None:
    made = claim({"ExifIFD:DateTimeOriginal": WALL, **gps(utc)})
    assert made.gps_utc_time is Absent.DEFAULT
    assert made.utc_offset_hours is Absent.MISSING
    assert "GPS:GPSTimeStamp" in made.default_tags


@pytest.mark.parametrize(("local", "utc"), [("2019:04:07 02:00:10", "2019:04:07 00:00:00"),
                                            ("2027:01:01 00:00:31", "2027:01:01 00:00:30")])  # fmt: skip
def test_where_the_camera_tells_the_same_it_is_no_default(local: str, utc: str) -> None:
    made = claim({"ExifIFD:DateTimeOriginal": local, **gps(utc)})
    assert isinstance(made.gps_utc_time, Stated)
    assert made.default_tags == ()


@pytest.mark.parametrize("turns", [1, 2])
def test_a_receiver_whose_weeks_began_anew_is_told_as_that(turns: int) -> None:
    early = NOON - timedelta(hours=2, weeks=1024 * turns)
    made = claim({"ExifIFD:DateTimeOriginal": WALL, **gps(early.strftime("%Y:%m:%d %H:%M:%S"))})
    assert made.gps_utc_time in (Absent.ROLLED_OVER, Absent.DEFAULT)
    assert turns == 2 or made.gps_utc_time is Absent.ROLLED_OVER


@pytest.mark.parametrize(
    "wall", ["1969:12:31 16:00:12", "1970:01:01 00:00:00", "1970:01:01 08:00:00", "1980:01:06 00:00:00",
             "1899:12:30 00:00:00", "2002:12:08 12:00:00", "1904:01:01 01:00:00"]
)  # fmt: skip
def test_a_clocks_zero_is_no_capture_time_in_any_zone(wall: str) -> None:
    made = claim({"ExifIFD:DateTimeOriginal": wall, "ExifIFD:CreateDate": wall})
    assert made.local_time is Absent.DEFAULT
    assert made.default_tags == ("ExifIFD:DateTimeOriginal", "ExifIFD:CreateDate")


def test_a_print_dated_to_the_year_is_no_clock_at_its_zero() -> None:
    made = claim({"ExifIFD:DateTimeOriginal": "1970:01:01 00:00:00", "ExifIFD:CreateDate": "2021:03:02 20:14:11"})
    assert made.local_time.value == datetime(1970, 1, 1)
    assert made.default_tags == ()
    typed = claim({"XMP-photoshop:DateCreated": "1970-01-01"})
    assert typed.local_time.value == datetime(1970, 1, 1)


def test_fractions_of_a_second_elsewhere_do_not_take_the_place_of_the_cameras_tag() -> None:
    made = claim({"ExifIFD:DateTimeOriginal": WALL, "XMP-photoshop:DateCreated": "2024-06-15T12:34:56.25+07:00"})
    assert made.local_time.tag == "ExifIFD:DateTimeOriginal"


def test_a_constant_of_firmware_beside_a_true_time_is_named_and_the_time_kept() -> None:
    made = claim({"ExifIFD:DateTimeOriginal": WALL, "ExifIFD:CreateDate": "2002:12:08 12:00:00"})
    assert made.local_time.value == NOON
    assert made.default_tags == ("ExifIFD:CreateDate",)
    assert made.not_after is Absent.MISSING
    assert claim({"ExifIFD:CreateDate": "2000:01:01 00:02:11"}).not_after is Absent.MISSING


@pytest.mark.parametrize("year", [2008, 2021, 2025])
def test_the_first_minutes_of_any_year_may_be_a_factory_default_unless_gps_confirms_them(year: int) -> None:
    wall = f"{year}:01:01 00:04:10"
    alone = claim({"ExifIFD:DateTimeOriginal": wall})
    assert isinstance(alone.local_time, Stated)
    assert alone.default_tags == ("ExifIFD:DateTimeOriginal",)
    assert claim({"ExifIFD:DateTimeOriginal": wall, **gps(f"{year}:01:01 00:04:09")}).default_tags == ()


@given(st.datetimes(min_value=datetime(1995, 1, 1), max_value=datetime(2100, 1, 1)))
def test_a_time_of_the_digital_age_is_no_zero_but_for_the_constants(wall: datetime) -> None:
    assert clock_defaults.is_zero(wall) == (wall in clock_defaults.FIRMWARE_CONSTANTS)


# --------------------------------------------------------------------------- makers


@pytest.mark.parametrize("tag", ["Apple:RunTimeValue", "Apple:RunTimeSincePowerUp", "Panasonic:TimeSincePowerOn"])
@pytest.mark.parametrize("value", [20120304050607, "20120304050607"])
def test_time_since_power_on_is_never_a_date(tag: str, value: object) -> None:
    assert not any(time.tag == tag for time in claim({"ExifIFD:DateTimeOriginal": WALL, tag: value}).times)


@pytest.mark.parametrize("counter", ["1970:01:02 01:30:10", "1904:01:05 00:00:00", "1980:02:01 00:00:00",
                                     "2000:01:03 04:05:06"])  # fmt: skip
def test_a_counter_near_its_epoch_is_no_clock(counter: str) -> None:
    made = claim({"ExifIFD:DateTimeOriginal": "2016:02:03 15:00:00", "Panasonic:TimeStamp": counter})
    assert [time.role for time in made.times if time.tag == "Panasonic:TimeStamp"] == [TimeRole.OTHER]


def test_a_makers_clock_a_civil_offset_away_counts_utc_and_any_other_is_local() -> None:
    def kind(clock: str) -> TimeKind:
        made = claim({"ExifIFD:DateTimeOriginal": "2024:06:03 14:30:00", "Panasonic:TimeStamp": clock})
        return next(time.kind for time in made.times if time.tag == "Panasonic:TimeStamp")

    assert kind("2024:06:03 12:30:00") is TimeKind.UTC
    assert kind("2024:06:03 14:30:00") is TimeKind.LOCAL
    assert kind("2024:06:03 13:17:00") is TimeKind.LOCAL


FILM = {"QuickTime:CreateDate": WALL, "QuickTime:ModifyDate": WALL, "UserData:GPSCoordinates": "48.8566 2.3522"}


@pytest.mark.parametrize(
    ("name", "tags", "local", "kind"),
    [
        ("GX010002.MP4", {"Keys:Make": "GoPro"}, NOON, TimeKind.LOCAL),
        ("GX010002.MP4", {}, NOON, TimeKind.LOCAL),
        ("MVI_0001.MOV", {"UserData:Make": "Canon"}, NOON, TimeKind.LOCAL),
        ("DSC_0001.MOV", {"QuickTime:Make": "NIKON CORPORATION"}, NOON, TimeKind.LOCAL),
        ("P1000001.MP4", {"Panasonic:Model": "DMC-TZ20"}, NOON, TimeKind.LOCAL),
        ("DJI_20240615123456_0001_D.MP4", {"Keys:Make": "DJI"}, NOON, TimeKind.LOCAL),
        ("DJI_20240615143456_0001_D.MP4", {"Keys:Make": "DJI"}, NOON + timedelta(hours=2), TimeKind.UTC),
        ("20240615_143450.mp4", {"Keys:Make": "samsung"}, NOON + timedelta(hours=2), TimeKind.UTC),
        ("PXL_20240615_123450000.mp4", {"Keys:Make": "Google"}, NOON + timedelta(hours=2), TimeKind.UTC),
        ("IMG_0001.MOV", {"Keys:Make": "Apple"}, NOON + timedelta(hours=2), TimeKind.UTC),
        ("C0001.MP4", {"Keys:Make": "Sony"}, NOON + timedelta(hours=2), TimeKind.UTC),
        ("VID_0001.mp4", {}, NOON + timedelta(hours=2), TimeKind.UTC),
    ],
)
def test_a_film_counts_as_its_maker_does(name: str, tags: dict, local: datetime, kind: TimeKind) -> None:
    made = claim({**FILM, **tags}, name)
    assert made.local_time.value == local
    assert made.utc_time.value == local - timedelta(hours=2)
    assert {time.kind for time in made.times if time.tag.startswith("QuickTime:")} == {kind}


def test_a_film_without_a_place_still_tells_its_instant_and_its_name_the_zone() -> None:
    made = claim({"QuickTime:CreateDate": WALL}, "20240615_143450.mp4")
    assert made.utc_time.value == NOON
    assert (made.utc_offset_hours.value, made.utc_offset_hours.offset_source) == (2.0, OffsetSource.FILE_NAME)
    zero = claim({"QuickTime:CreateDate": "0000:00:00 00:00:00"})
    assert (zero.local_time, zero.utc_time) == (Absent.UNSET, Absent.UNDERIVABLE)


# --------------------------------------------------------------------------- places


def test_a_longitude_counted_through_to_360_is_west() -> None:
    made = claim({**PARIS, "GPS:GPSLatitude": 19.5001234, "GPS:GPSLongitude": 204.1234567})
    assert made.position.value.longitude_deg == pytest.approx(-155.8765433)
    assert any("counted through to 360" in warning for warning in made.warnings)


def test_a_latitude_beyond_ninety_is_told_with_what_it_may_be() -> None:
    made = claim({**PARIS, "GPS:GPSLatitude": 151.2, "GPS:GPSLongitude": 33.9, "GPS:GPSLongitudeRef": "W"})
    assert made.position is Absent.OUT_OF_RANGE
    assert any("exchanged" in warning for warning in made.warnings)


def test_a_void_fix_is_told_beside_its_plausible_numbers() -> None:
    made = claim({**PARIS, "GPS:GPSStatus": "V"})
    assert made.position is Absent.NO_FIX
    assert any("no fix" in warning for warning in made.warnings)


@pytest.mark.parametrize(("height", "stated"), [(10_360, True), (-430, True), (4e7, False)])
def test_the_height_of_an_airliner_is_a_height(height: float, stated: bool) -> None:
    assert isinstance(claim({"GPS:GPSAltitude": height}).altitude_m, Stated) == stated


# --------------------------------------------------------------------------- blocks that stand there twice


@pytest.mark.parametrize(
    ("tags", "tag"),
    [
        ({"ExifIFD:DateTimeOriginal": ("2007:04:08 15:25:46", "2009:11:20 09:00:00")}, "ExifIFD:DateTimeOriginal"),
        ({"XMP-photoshop:DateCreated": ("2007-04-08", "2009-11-20")}, "XMP-photoshop:DateCreated"),
        ({"IPTC:DateCreated": "2007:04:08", "IPTC2:DateCreated": "2009:11:20"}, "IPTC:DateCreated"),
        ({**PARIS, "GPS:GPSLatitude": (48.8566, 40.0), "GPS:GPSLongitude": (2.3522, 3.0)}, "GPS:GPSLatitude"),
    ],
)
def test_a_second_block_that_says_something_else_is_told(tags: dict, tag: str) -> None:
    made = claim(tags)
    assert tag in [twice.tag for twice in made.repeated]
    assert any(warning.startswith(f"{tag} stands in the file more than once") for warning in made.warnings)


def test_a_second_block_that_says_the_same_is_no_matter() -> None:
    same = claim({"ExifIFD:DateTimeOriginal": (WALL, WALL), "XMP-xmp:CreateDate": (WALL, "2024-06-15T12:34:56")})
    assert same.repeated == ()


def test_what_had_to_be_understood_is_said() -> None:
    made = claim({"ExifIFD:DateTimeOriginal": "2567:06:15 24:10:00"})
    assert made.local_time.value == datetime(2024, 6, 15, 0, 10)
    assert any("Buddhist" in warning for warning in made.warnings)
    assert any("hour 24" in warning for warning in made.warnings)


# --------------------------------------------------------------------------- beside the photo


TAKEOUT = {
    "JSON:PhotoTakenTimeTimestamp": (1_055_412_345,),
    "JSON:GeoDataLatitude": (50.0875,),
    "JSON:GeoDataLongitude": (14.4214,),
}


def test_the_file_of_a_photo_service_speaks_where_the_photo_is_silent() -> None:
    made = claim({}, sidecars=[("a.jpg.json", TAKEOUT)])
    assert (made.utc_time.value, made.utc_time.offset_source) == (
        datetime(2003, 6, 12, 10, 5, 45),
        OffsetSource.SIDECAR,
    )
    assert made.local_time.value == datetime(2003, 6, 12, 12, 5, 45)  # Prague keeps UTC+2 in June
    assert made.position.value == Position(50.0875, 14.4214)
    assert made.position.tag == "sidecar:JSON:GeoDataLatitude"


def test_the_file_of_a_photo_service_is_a_rival_where_the_photo_speaks() -> None:
    tags = {"ExifIFD:DateTimeOriginal": WALL, "ExifIFD:OffsetTimeOriginal": "+02:00", **PARIS}
    made = claim(tags, sidecars=[("a.jpg.json", TAKEOUT)])
    assert made.utc_time.value == NOON - timedelta(hours=2)
    assert [rival.tag for rival in made.utc_time.rivals] == ["sidecar:JSON:PhotoTakenTimeTimestamp"]
    assert [rival.tag for rival in made.position.rivals] == ["sidecar:JSON:GeoDataLatitude"]


@pytest.mark.parametrize("seconds", [0, "0", 1e300, "soon", -1])
def test_a_service_that_knows_no_time_tells_none(seconds: object) -> None:
    beside = {
        "JSON:PhotoTakenTimeTimestamp": (seconds,),
        "JSON:GeoDataLatitude": (0.0,),
        "JSON:GeoDataLongitude": (0.0,),
    }
    made = claim({}, sidecars=[("a.jpg.json", beside)])
    assert isinstance(made.utc_time, Absent)
    assert made.position is Absent.MISSING, "no receiver wrote these zeros"


@pytest.mark.parametrize(
    ("sidecar", "photo", "is_of"),
    [
        ("a.xmp", "a.jpg", True), ("a.jpg.xmp", "a.jpg", True), ("a.JPG.json", "A.jpg", True),
        ("a.jpg.supplemental-metadata.json", "a.jpg", True), ("a.jpg.suppl.json", "a.jpg", True),
        ("a.jpg.json", "a-edited.jpg", True), ("a.jpg(1).json", "a(1).jpg", True), ("a.jpg(1).json", "a.jpg", False),
        ("a.jpg.supplemental-metadata(2).json", "a(2).jpg", True), ("a.json", "a.jpg", False),
        ("metadata.json", "metadata.jpg", False), ("a.jpg.notes.json", "a.jpg", False), (".a.jpg.json", "a.jpg", False),
    ],
)  # fmt: skip
def test_a_name_tells_which_photo_a_file_describes(sidecar: str, photo: str, is_of: bool) -> None:
    pairing = sidecar_names.paired([sidecar.encode(), photo.encode()])
    assert pairing.of_photo == ({photo.encode(): (sidecar.encode(),)} if is_of else {})


def test_the_hemisphere_may_stand_apart_in_the_sidecar_of_an_export() -> None:
    beside = {
        "XMP-exif:GPSLatitude": (33.8688,),
        "XMP-exif:GPSLatitudeRef": ("S",),
        "XMP-exif:GPSLongitude": (70.6,),
        "XMP-exif:GPSLongitudeRef": ("W",),
    }
    assert claim({}, sidecars=[("a.xmp", beside)]).position.value == Position(-33.8688, -70.6)


# --------------------------------------------------------------------------- through a whole audit

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


def audited(folder: Path, output: Path) -> dict[str, PhotoEntry]:
    case = open_case(folder, output)
    case.audit(Settings(model="none", jobs=0))
    return {entry.photo.source.display_path: entry for entry in case.view().photos()}


def drawn(path: Path, *arguments: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise((96, 64), 30).convert("RGB").save(path)
    if arguments:
        subprocess.run(["exiftool", "-q", "-n", "-m", "-overwrite_original", *arguments, str(path)], check=True)
    return path


@needs_exiftool
def test_an_audit_reads_what_a_photo_service_lays_beside_a_stripped_photo(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    drawn(evidence / "beach.jpg")
    told = {
        "title": "beach.jpg",
        "photoTakenTime": {"timestamp": "1055412345"},
        "geoData": {"latitude": 50.0875, "longitude": 14.4214, "altitude": 0.0},
    }
    (evidence / "beach.jpg.supplemental-metadata.json").write_text(json.dumps(told))
    (entry,) = audited(evidence, tmp_path / "case").values()
    made = entry.photo.claim
    assert made.utc_time.value == datetime(2003, 6, 12, 10, 5, 45)
    assert made.local_time.value == datetime(2003, 6, 12, 12, 5, 45)


@needs_exiftool
def test_an_audit_reads_odd_notations_out_of_a_file(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    drawn(evidence / "am.jpg", "-DateTimeOriginal=2012:11:22 03:04:05 PM", "-OffsetTimeOriginal=UTC+5:30")
    drawn(evidence / "digits.jpg", "-DateTimeOriginal=20121122150405")
    drawn(evidence / "year.jpg", "-DateTimeOriginal=1993:00:00 00:00:00", "-CreateDate=2020:11:19 10:00:00")
    drawn(evidence / "changed.jpg", "-ModifyDate=2019:03:05 20:11:12")
    drawn(evidence / "19930710.jpg", "-DateTimeOriginal=1993:00:00 00:00:00", "-Make=Apple", "-Model=iPhone 14")
    entries = audited(evidence, tmp_path / "case")
    made = {path: entry.photo.claim for path, entry in entries.items()}
    assert made["am.jpg"].utc_time.value == datetime(2012, 11, 22, 9, 34, 5)
    assert made["digits.jpg"].local_time.value == datetime(2012, 11, 22, 15, 4, 5)
    assert made["year.jpg"].local_time.value == datetime(1993, 1, 1)
    assert made["changed.jpg"].local_time is Absent.ONLY_BOUNDS
    for path in ("year.jpg", "19930710.jpg"):
        said = [found.summary for found in entries[path].findings if found.outcome in SPOKEN]
        assert not said, "a year is no clock at its default, and no name is older than it"


SPOKEN = (Outcome.EXPLAINED, Outcome.SUSPICIOUS, Outcome.CONTRADICTION)
