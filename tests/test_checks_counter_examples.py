"""Honest files that a rule accused, and faults that it passed over, from a file's bytes to what an audit says."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gtloc_forensics.case.case import open_case
from gtloc_forensics.examination.instruments import Settings
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.metadata.camera import exposure
from gtloc_forensics.records import Absent

pytestmark = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")

ALARMS = ("suspicious", "contradiction")
PHONE = ("-Make=samsung", "-Model=SM-G973F")


def taken(local: str, *more: str) -> list[str]:
    return [f"-DateTimeOriginal={local}", f"-CreateDate={local}", f"-ModifyDate={local}", *more]


def fixed(latitude: float, longitude: float, utc: str, *more: str) -> list[str]:
    return [
        f"-GPSLatitude={abs(latitude)}",
        f"-GPSLatitudeRef={'S' if latitude < 0 else 'N'}",
        f"-GPSLongitude={abs(longitude)}",
        f"-GPSLongitudeRef={'W' if longitude < 0 else 'E'}",
        f"-GPSDateStamp={utc.split()[0]}",
        f"-GPSTimeStamp={utc.split()[1]}",
        *more,
    ]


def zoned(offset: str) -> list[str]:
    return [f"-OffsetTimeOriginal={offset}", f"-OffsetTimeDigitized={offset}", f"-OffsetTime={offset}"]


def audited(folder: Path, photos: dict[str, list[str]]) -> dict[str, dict[str, Any]]:
    """Write drawn pictures with these tags, audit them, and return the photos of the document by name."""
    evidence = folder / "photos"
    evidence.mkdir()
    orders: list[str] = []
    for number, (name, tags) in enumerate(photos.items()):
        noise = np.random.default_rng(number).integers(0, 256, (12, 16, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((320, 240), Image.Resampling.BICUBIC).save(evidence / name, "JPEG")
        orders += [*tags, str(evidence / name), "-execute"]
    subprocess.run(
        ["exiftool", "-q", "-@", "-", "-common_args", "-q", "-q", "-m", "-n", "-overwrite_original"],
        input="\n".join(orders),
        text=True,
        check=True,
    )
    with open_case(evidence, folder / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        document = json.loads(case.write_findings().read_text(encoding="utf-8"))
    return {photo["path"]: photo for photo in document["photos"]}


def alarms(photo: dict[str, Any]) -> list[str]:
    return [f"{found['check']}: {found['summary']}" for found in photo["findings"] if found["outcome"] in ALARMS]


def said(photo: dict[str, Any], check: str) -> dict[str, Any]:
    (found,) = [found for found in photo["findings"] if found["check"] == check]
    return found


def test_a_fix_that_never_moves_at_several_places_is_no_date_that_stands_still(tmp_path: Path) -> None:
    days = ("2021:05:02 11:20:14", "2021:05:29 16:02:41", "2021:06:21 09:41:07", "2021:07:12 13:15:55")
    stood = "2021:03:04 05:06:07"
    photos = audited(
        tmp_path,
        {
            f"{number}.jpg": [*taken(day, "-Make=SONY", "-Model=ILCE-7C"), *fixed(-41.2861 - number, 174.7762, stood)]
            for number, day in enumerate(days)
        },
    )
    for photo in photos.values():
        assert said(photo, "GF101")["outcome"] == "explained"
        assert "follows the clock" not in said(photo, "GF101")["summary"]


def test_a_clock_a_year_behind_is_found_at_midnight_in_utc_too(tmp_path: Path) -> None:
    camera = ("-Make=NIKON CORPORATION", "-Model=NIKON D5300", "-SerialNumber=55")
    photos = audited(
        tmp_path,
        {
            "a.jpg": [*taken("2016:07:02 10:00:00", *camera), *fixed(-33.8688, 151.2093, "2017:07:02 00:00:00")],
            "b.jpg": [*taken("2016:07:02 12:30:00", *camera), *fixed(-33.8698, 151.2103, "2017:07:02 02:30:00")],
            "c.jpg": [*taken("2016:07:03 15:10:00", *camera), *fixed(-33.8708, 151.2113, "2017:07:03 05:10:00")],
        },
    )
    assert said(photos["a.jpg"], "GF101")["outcome"] == "suspicious"
    alone = audited(tmp_path / "alone" if (tmp_path / "alone").mkdir() is None else tmp_path, {
        "a.jpg": [*taken("2016:07:02 10:00:00", *camera), *fixed(-33.8688, 151.2093, "2017:07:02 00:00:00")],
    })  # fmt: skip
    assert said(alone["a.jpg"], "GF101")["outcome"] == "explained", "one midnight alone may be a bare date"


ON_THE_TRAIN = {
    "a.jpg": ("2019:06:20 10:00:00", 55.7558, 37.6173, "2019:06:20 07:00:00"),
    "b.jpg": ("2019:06:21 12:00:00", 58.0105, 56.2502, "2019:06:21 09:00:00"),
    "c.jpg": ("2019:06:22 09:00:00", 54.9885, 73.3242, "2019:06:22 06:00:00"),
    "d.jpg": ("2019:06:24 07:00:00", 52.2870, 104.3050, "2019:06:24 04:00:00"),
    "e.jpg": ("2019:06:24 09:00:00", 52.2871, 104.3150, "2019:06:24 06:00:00"),
}


def test_a_place_on_the_way_is_no_slip_though_its_mirror_image_keeps_the_written_offset(tmp_path: Path) -> None:
    photos = audited(
        tmp_path,
        {
            name: [*taken(local, *PHONE), *fixed(latitude, longitude, utc), *zoned("+03:00")]
            for name, (local, latitude, longitude, utc) in ON_THE_TRAIN.items()
        },
    )
    assert [line for photo in photos.values() for line in alarms(photo)] == []


def test_a_position_that_was_exchanged_among_photos_at_home_is_still_found(tmp_path: Path) -> None:
    home, exchanged = (55.7558, 37.6173), (37.6173, 55.7558)
    places = {"20": home, "21": home, "22": exchanged, "23": home}
    photos = audited(
        tmp_path,
        {
            f"{day}.jpg": [
                *taken(f"2019:06:{day} 10:00:00", *PHONE),
                *fixed(latitude + int(day) / 1000, longitude, f"2019:06:{day} 07:00:00"),
                *zoned("+03:00"),
            ]
            for day, (latitude, longitude) in places.items()
        },
    )
    assert alarms(photos["22.jpg"])


def test_second_sixty_is_a_leap_second_and_second_seventy_is_none() -> None:
    leap = tag_values.moment("2016:12:31 23:59:60")
    assert leap is not None
    assert f"{leap.wall}" == "2017-01-01 00:00:00"
    assert tag_values.moment("2016:12:31 23:58:60") is None
    assert tag_values.moment("2016:12:31 23:59:61") is None


def test_what_is_dated_before_digital_cameras_and_digitised_later_is_film_or_paper(tmp_path: Path) -> None:
    later = ["-CreateDate=2018:01:21 13:40:12", "-ModifyDate=2018:01:21 13:40:12"]
    photos = audited(
        tmp_path,
        {
            "office.jpg": [*taken("1966:05:05 12:00:00", "-Make=Acme", "-Model=Office 7"), *later],
            "camera.jpg": [*taken("1979:05:05 12:00:00", "-Make=SONY", "-Model=ILCE-7RM3"), *later],
            "typed.jpg": taken("1979:05:05 12:00:00", "-Make=SONY", "-Model=ILCE-7RM3"),
            "moved.jpg": [*taken("2009:05:05 12:00:00", "-Make=SONY", "-Model=ILCE-7RM3"), *later],
            "zero.jpg": [*taken("1970:01:01 00:00:00", "-Make=SONY", "-Model=ILCE-7RM3"), *later],
        },
    )
    assert alarms(photos["office.jpg"]) == alarms(photos["camera.jpg"]) == []
    assert "the file says" not in said(photos["office.jpg"], "GF104")["summary"]
    assert said(photos["typed.jpg"], "GF113")["outcome"] == "contradiction"
    assert said(photos["moved.jpg"], "GF113")["outcome"] == "contradiction"
    assert "original" not in said(photos["zero.jpg"], "GF113")["summary"]


def test_a_camera_at_the_start_of_whatever_year_before_it_existed_was_reset(tmp_path: Path) -> None:
    camera = ("-Make=Canon", "-Model=Canon EOS R10")
    photos = audited(
        tmp_path,
        {"a.jpg": taken("2021:01:01 00:00:41", *camera), "b.jpg": taken("2021:03:04 12:00:41", *camera)},
    )
    assert said(photos["a.jpg"], "GF113")["outcome"] == "explained"
    assert said(photos["b.jpg"], "GF113")["outcome"] == "contradiction"


def test_a_camera_at_work_on_the_last_evening_was_not_reset_at_midnight(tmp_path: Path) -> None:
    camera = ("-Make=Canon", "-Model=Canon EOS 80D", "-SerialNumber=7")
    photos = audited(
        tmp_path,
        {
            "a.jpg": taken("2017:12:31 23:12:10", *camera),
            "b.jpg": taken("2018:01:01 00:02:44", *camera),
            "c.jpg": taken("2018:01:01 00:02:44", "-Make=Canon", "-Model=Canon EOS 70D", "-SerialNumber=8"),
        },
    )
    assert said(photos["b.jpg"], "GF120")["outcome"] == "consistent"
    assert said(photos["c.jpg"], "GF120")["outcome"] == "explained"


@pytest.mark.parametrize(
    ("sides", "height", "outcome"), [((-15.0, -50.0), 11300, "explained"), ((0.0, -30.0), 1200, "suspicious")]
)
def test_a_height_that_only_aircraft_have_says_itself_that_it_was_in_the_air(
    tmp_path: Path, sides: tuple[float, float], height: int, outcome: str
) -> None:
    air = (f"-GPSAltitude={height}", "-GPSAltitudeRef=0")
    photos = audited(
        tmp_path, {"a.jpg": [*taken("2023:07:09 10:00:00", *PHONE), *fixed(*sides, "2023:07:09 13:00:00", *air)]}
    )
    assert said(photos["a.jpg"], "GF112")["outcome"] == outcome


def test_coordinates_beyond_the_globe_are_told_even_where_no_slip_explains_them(tmp_path: Path) -> None:
    photos = audited(
        tmp_path,
        {
            "a.jpg": [*taken("2012:10:08 12:00:00"), *fixed(95.1201, 120.1234, "2012:10:08 12:00:00")],
            "b.jpg": [*taken("2012:10:08 12:00:00"), *fixed(40.1201, 395.1234, "2012:10:08 12:00:00")],
        },
    )
    assert "no latitude" in said(photos["a.jpg"], "GF110")["summary"]
    assert "no longitude" in said(photos["b.jpg"], "GF110")["summary"]


def with_second_block(first: bytes, other: bytes, mark: bytes) -> bytes:
    """Return a JPEG with the block of another one, which begins with *mark*, behind its own."""

    def block(data: bytes) -> tuple[int, bytes]:
        at = data.index(mark) - 4
        return at, data[at : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")]

    at, own = block(first)
    return first[: at + len(own)] + block(other)[1] + first[at + len(own) :]


@pytest.mark.parametrize(
    ("tag", "mark"),
    [("-XMP-exif:DateTimeOriginal", b"http://ns.adobe.com/xap/1.0/"), ("-IPTC:DateCreated", b"Photoshop 3.0")],
)
def test_a_second_block_with_another_date_is_told_whatever_its_kind(tmp_path: Path, tag: str, mark: bytes) -> None:
    made = tmp_path / "made"
    made.mkdir()
    told = taken("2015:04:08 15:25:46", "-Make=SONY", "-Model=ILCE-6000", "-ExifVersion=0230")
    audited(
        made,
        {
            "one.jpg": [*told, f"{tag}=2015:04:08 15:25:46"],
            "same.jpg": [*told, f"{tag}=2015:04:08 15:25:46"],
            "other.jpg": [*told, f"{tag}=2018:11:20 09:00:00"],
        },
    )
    bytes_of = {path.name: path.read_bytes() for path in (made / "photos").iterdir()}
    evidence = tmp_path / "photos"
    evidence.mkdir()
    (evidence / "twice.jpg").write_bytes(with_second_block(bytes_of["one.jpg"], bytes_of["other.jpg"], mark))
    (evidence / "alike.jpg").write_bytes(with_second_block(bytes_of["one.jpg"], bytes_of["same.jpg"], mark))
    with open_case(evidence, tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        document = json.loads(case.write_findings().read_text(encoding="utf-8"))
    photos = {photo["path"]: photo for photo in document["photos"]}
    assert any("2018" in line for line in alarms(photos["twice.jpg"]))
    assert alarms(photos["alike.jpg"]) == []


def clocks_of(folder: Path) -> dict[str, dict[str, Any]]:
    document = json.loads((folder / "case" / "findings.json").read_text(encoding="utf-8"))
    return {clock["label"]: clock for clock in document["clocks"]}


def test_a_clock_that_gps_time_denies_is_not_called_right(tmp_path: Path) -> None:
    camera = ("-Make=Panasonic", "-Model=DMC-TZ40", "-SerialNumber=4")
    third = ("-Make=FUJIFILM", "-Model=X-T1", "-SerialNumber=6")
    other = ("-Make=NIKON CORPORATION", "-Model=NIKON D5300", "-SerialNumber=5")
    audited(
        tmp_path,
        {
            "a.jpg": [*taken("2015:01:10 08:40:00", *camera), *fixed(19.4326, -99.1332, "2015:01:10 15:00:00")],
            "b.jpg": [*taken("2015:01:10 11:10:00", *camera), *fixed(19.4336, -99.1342, "2015:01:10 17:30:00")],
            "c.jpg": [*taken("2015:01:11 14:50:20", *camera), *fixed(19.4346, -99.1352, "2015:01:11 21:10:20")],
            "d.jpg": [*taken("2016:07:02 12:30:00", *other), *fixed(-33.8698, 151.2103, "2017:07:02 02:30:00")],
            "f.jpg": [*taken("2016:07:02 12:30:00", *third), *fixed(-33.8698, 151.2103, "2017:07:02 02:30:00")],
            "e.jpg": [*taken("2016:07:03 15:10:00", *other), *fixed(-33.8708, 151.2113, "2017:07:03 05:10:00")],
        },
    )
    clocks = clocks_of(tmp_path)
    twenty_minutes, a_year = clocks["Panasonic DMC-TZ40 (serial 4)"], clocks["NIKON CORPORATION NIKON D5300 (serial 5)"]
    assert clocks["FUJIFILM X-T1 (serial 6)"]["kind"] == "undetermined", "one date may be that of its GPS time"
    assert twenty_minutes["kind"] == "constant offset"
    assert twenty_minutes["offset_hours"] == pytest.approx(-1.0 / 3.0, abs=0.01)
    assert a_year["kind"] == "constant offset"
    assert a_year["offset_hours"] == pytest.approx(-24.0 * 365.0, abs=0.1)


def test_a_clock_half_an_hour_off_beside_a_confirmed_one_is_not_called_right(tmp_path: Path) -> None:
    photos = {}
    for place in range(6):
        latitude, local = 10.4806123 + 0.021 * place, f"2022:03:10 {9 + place:02d}:"
        photos[f"phone{place}.jpg"] = [
            *taken(f"{local}01:00", "-Make=samsung", "-Model=SM-G991B"),
            *fixed(latitude, -66.9036, f"2022:03:10 {13 + place:02d}:01:00"),
            *zoned("-04:00"),
        ]
        photos[f"camera{place}.jpg"] = [
            *taken(f"{local}32:00", "-Make=SONY", "-Model=ILCE-7M2", "-SerialNumber=9"),
            f"-GPSLatitude={latitude}",
            "-GPSLatitudeRef=N",
            "-GPSLongitude=66.9034",
            "-GPSLongitudeRef=W",
        ]
    found = audited(tmp_path, photos)
    clock = clocks_of(tmp_path)["SONY ILCE-7M2 (serial 9)"]
    assert clock["kind"] != "right"
    assert clock["interval_hours"][0] <= 0.5 <= clock["interval_hours"][1]
    assert all(said(found[f"camera{place}.jpg"], "GF410")["outcome"] == "suspicious" for place in range(6))


def test_what_a_service_writes_for_no_place_is_no_receiver_without_a_fix(tmp_path: Path) -> None:
    evidence = tmp_path / "photos"
    evidence.mkdir()
    Image.new("RGB", (320, 240), (90, 120, 80)).save(evidence / "a.jpg", "JPEG")
    kept = {"title": "a.jpg", "photoTakenTime": {"timestamp": "1420110245"}, "geoData": {"latitude": 0.0, "longitude": 0.0}}  # fmt: skip  # noqa: E501
    (evidence / "a.jpg.json").write_text(json.dumps(kept))
    with open_case(evidence, tmp_path / "case") as case:
        case.audit(Settings(model="none", jobs=0))
        (photo,) = json.loads(case.write_findings().read_text(encoding="utf-8"))["photos"]
    assert photo["claim"]["utc_time"]["value"].startswith("2015-01-01")
    assert not any("receiver" in found["summary"] for found in photo["findings"])


def test_two_telephones_of_one_model_do_not_fly_from_one_to_the_other(tmp_path: Path) -> None:
    photos = {}
    for day in (11, 12, 13):
        photos[f"anna{day}.jpg"] = [
            *taken(f"2023:06:{day} 14:01:00", "-Make=samsung", "-Model=SM-A546B"),
            *fixed(-34.6 - day / 100, -58.3816, f"2023:06:{day} 17:01:00"),
            *zoned("-03:00"),
        ]
        photos[f"ben{day}.jpg"] = [
            *taken(f"2023:06:{day} 19:31:00", "-Make=samsung", "-Model=SM-A546B"),
            *fixed(41.9 + day / 100, 12.4962, f"2023:06:{day} 17:31:00"),
            *zoned("+02:00"),
        ]
    found = audited(tmp_path, photos)
    summaries = [line["summary"] for photo in found.values() for line in photo["findings"] if line["check"] == "GF404"]
    assert any("two devices of one model" in summary for summary in summaries)
    assert not any("airliner" in summary for summary in summaries)


def test_a_way_flown_is_told_by_the_height_where_the_receiver_tells_no_speed(tmp_path: Path) -> None:
    air = ("-GPSAltitude=11300", "-GPSAltitudeRef=0")
    found = audited(
        tmp_path,
        {
            "a.jpg": [*taken("2023:07:09 10:00:00", *PHONE), *fixed(-15.0, -50.0123, "2023:07:09 13:00:00", *air)],
            "b.jpg": [*taken("2023:07:09 10:05:00", *PHONE), *fixed(-15.5, -50.3523, "2023:07:09 13:05:00", *air)],
        },
    )
    assert "as its receiver tells" not in said(found["a.jpg"], "GF404")["summary"]
    assert alarms(found["a.jpg"]) == []


def test_the_neighbours_network_does_not_reach_in_from_the_sea(tmp_path: Path) -> None:
    """The nautical zone of the Black Sea is no border of Istanbul."""
    turned = [*taken("2016:11:20 10:00:00", *PHONE), *fixed(41.0082, 28.9784, "2016:11:20 08:00:00")]
    found = audited(tmp_path, {"a.jpg": [*turned, *zoned("+02:00"), "-ExifVersion=0230"]})
    assert "border" not in said(found["a.jpg"], "GF102")["summary"]
    assert said(found["a.jpg"], "GF102")["outcome"] == "explained", (
        "an old zone table, and GPS time confirms the instant"
    )


def test_an_exposure_of_no_time_spoils_the_brightness_beside_it() -> None:
    tags = {"ExifIFD:FNumber": ("5.6",), "ExifIFD:ExposureTime": ("0",), "ExifIFD:BrightnessValue": ("11",)}
    assert exposure(tags).ev100 is Absent.UNDERIVABLE
    assert exposure({**tags, "ExifIFD:ExposureTime": ("0.01",)}).ev100 == pytest.approx(16.0)
