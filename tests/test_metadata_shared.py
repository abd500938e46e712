"""Every claim of the real photos against an independent reading: exiftool's own ``-json``, and the set's table."""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest
from builders import a_source

from gtloc_forensics import metadata
from gtloc_forensics.earth.zones import zones_at
from gtloc_forensics.metadata import exiftool
from gtloc_forensics.records import Absent, Claim, Stated

SHARED = Path(os.environ.get("GTLOC_SHARED", Path(__file__).parents[1] / ".." / "shared")) / "photos"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not (SHARED / "exif").is_dir(), reason=f"there is no photo set at {SHARED}"),
    pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed"),
]


@pytest.fixture(scope="module")
def files() -> list[Path]:
    return sorted((SHARED / "exif").glob("*.jpg"))


@pytest.fixture(scope="module")
def claims(files: list[Path]) -> dict[str, Claim]:
    with exiftool.ExifTool() as client:
        results = client.read([os.fsencode(path.absolute()) for path in files])
    assert all(isinstance(result, exiftool.TagsRead) for result in results)
    return {
        path.name: metadata.claim(a_source(path.name), read.tags, warnings=read.warnings, zones_at=zones_at)
        for path, read in zip(files, results, strict=True)
    }


@pytest.fixture(scope="module")
def peers(files: list[Path]) -> dict[str, dict]:
    """What a bare exiftool says, with its own composed tags and without groups of ours."""
    done = subprocess.run(
        ["exiftool", "-config", "", "-json", "-n", "-G0", "-api", "TimeZone=UTC", str(SHARED / "exif")],
        capture_output=True,
        check=True,
    )
    return {Path(load["SourceFile"]).name: load for load in json.loads(done.stdout)}


def test_all_real_files_are_read(claims: dict[str, Claim], files: list[Path]) -> None:
    assert len(claims) == len(files) >= 250


def test_the_capture_time_is_exiftools(claims: dict[str, Claim], peers: dict[str, dict]) -> None:
    compared = 0
    for name, claim in claims.items():
        written = peers[name].get("Composite:SubSecDateTimeOriginal") or peers[name].get("EXIF:DateTimeOriginal")
        if not isinstance(claim.local_time, Stated):
            pytest.fail(f"{name}: {claim.local_time} where exiftool has {written}")
        wall = str(written)[:19]
        assert claim.local_time.value.strftime("%Y:%m:%d %H:%M:%S") == wall, name
        part = str(written)[19:].partition(".")[2].partition("+")[0].partition("-")[0].rstrip("Z")
        if part.isdigit():
            assert claim.local_time.value.microsecond == int(part[:6].ljust(6, "0")), name
            compared += 1
    assert compared > 150


def test_the_offset_is_exiftools_where_the_file_states_one(claims: dict[str, Claim], peers: dict[str, dict]) -> None:
    compared = 0
    for name, claim in claims.items():
        written = peers[name].get("EXIF:OffsetTimeOriginal", "")
        if written and isinstance(claim.utc_offset_hours, Stated):
            aware = datetime.strptime(f"2000-01-01 {written}", "%Y-%m-%d %z")
            assert claim.utc_offset_hours.value * 3600 == aware.utcoffset().total_seconds(), name
            compared += 1
    assert compared > 100


def test_the_position_is_exiftools(claims: dict[str, Claim], peers: dict[str, dict]) -> None:
    compared = 0
    for name, claim in claims.items():
        if not isinstance(claim.position, Stated):
            void = peers[name].get("EXIF:GPSStatus") == "V"
            assert void or "Composite:GPSLatitude" not in peers[name], f"{name}: {claim.position}"
            continue
        assert math.isclose(claim.position.value.latitude_deg, peers[name]["Composite:GPSLatitude"], abs_tol=1e-6)
        assert math.isclose(claim.position.value.longitude_deg, peers[name]["Composite:GPSLongitude"], abs_tol=1e-6)
        assert claim.zones
        compared += 1
    assert compared > 245


def test_altitude_and_gps_time_are_exiftools(claims: dict[str, Claim], peers: dict[str, dict]) -> None:
    compared = 0
    for name, claim in claims.items():
        if isinstance(claim.altitude_m, Stated) and "Composite:GPSAltitude" in peers[name]:
            assert math.isclose(claim.altitude_m.value, peers[name]["Composite:GPSAltitude"], abs_tol=1e-6), name
        if isinstance(claim.gps_utc_time, Stated) and claim.gps_utc_time.tag.startswith("GPS:"):
            stamp = str(peers[name]["Composite:GPSDateTime"]).rstrip("Z")
            assert claim.gps_utc_time.value.strftime("%Y:%m:%d %H:%M:%S") == stamp[:19], name
            compared += 1
    assert compared > 150


def test_the_exposure_is_exiftools_and_ev100_its_light_value(claims: dict[str, Claim], peers: dict[str, dict]) -> None:
    compared = 0
    for name, claim in claims.items():
        light, peer = claim.exposure, peers[name]
        for field, tag in (("f_number", "FNumber"), ("exposure_s", "ExposureTime"), ("iso", "ISO")):
            value = getattr(light, field)
            if not isinstance(value, Absent) and f"EXIF:{tag}" in peer and light.tags[field].startswith("ExifIFD:"):
                assert value == float(str(peer[f"EXIF:{tag}"]).split()[0]), (name, tag)
        settings = ("f_number", "exposure_s", "iso")
        exif = "ev100" not in light.tags and all(light.tags.get(field, "") in _SETTINGS for field in settings)
        if exif and "Composite:LightValue" in peer and not isinstance(light.ev100, Absent):
            # exiftool takes ISO and shutter from wherever it likes best and knows no bias.
            bias = 0.0 if isinstance(light.bias_ev, Absent) or light.bias_ev == 0 else None
            if bias is not None and peer["Composite:ISO" if "Composite:ISO" in peer else "EXIF:ISO"] == light.iso:
                assert math.isclose(light.ev100, peer["Composite:LightValue"], abs_tol=0.02), name
                compared += 1
        if "EXIF:Flash" in peer:
            assert light.flash_fired == bool(int(peer["EXIF:Flash"]) & 1), name
    assert compared > 150


_SETTINGS = {"ExifIFD:FNumber", "ExifIFD:ExposureTime", "ExifIFD:ISO"}


def test_make_model_and_serial_are_exiftools(claims: dict[str, Claim], peers: dict[str, dict]) -> None:
    for name, claim in claims.items():
        device, peer = claim.device, peers[name]
        for field, tag in (("make", "EXIF:Make"), ("model", "EXIF:Model")):
            value = getattr(device, field)
            if tag in peer and str(peer[tag]).strip():
                assert value == str(peer[tag]).strip(), (name, tag)
        if not isinstance(device.serial, Absent):
            assert str(device.serial) in {str(value).strip() for key, value in peer.items() if "SerialNumber" in key}
            assert device.key.startswith("serial:")


def test_the_sets_own_table_agrees(claims: dict[str, Claim]) -> None:
    with (SHARED / "exif.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(claims)
    for row in rows:
        claim = claims[row["file"]]
        if row["datetime_original"]:
            assert claim.local_time.value.strftime("%Y:%m:%d %H:%M:%S") == row["datetime_original"], row["file"]
        if isinstance(claim.position, Stated):
            assert abs(claim.position.value.latitude_deg - float(row["lat"])) < 1e-4, row["file"]
            assert abs(claim.position.value.longitude_deg - float(row["lon"])) < 1e-4, row["file"]
        for field in ("make", "model"):
            if row[field]:
                assert str(getattr(claim.device, field)) == row[field].strip(), row["file"]


def test_mutated_real_tags_never_crash_a_claim(files: list[Path]) -> None:
    """A short, seeded fuzz: the tags of real files with values swapped, cut, doubled and replaced."""
    import random

    generator = random.Random(20241121)
    with exiftool.ExifTool() as client:
        read = client.read([os.fsencode(path.absolute()) for path in files[::8]])
    odd = ["", " ", "0000:00:00 00:00:00", "undef", "inf", "9" * 5000, "\x00\x1b[31m\u202e", -1, 0, 1e308, 2**62, -0.0]
    for one in read:
        for _ in range(15):
            tags = dict(one.tags)
            names = generator.sample(sorted(tags), k=min(30, len(tags)))
            for name in names:
                other = tags[generator.choice(names)]
                choice = generator.randrange(4)
                text = str(tags[name][0]) if tags[name] else ""
                mutated = (
                    other,
                    (generator.choice(odd),),
                    (text[: generator.randrange(1 + len(text))],),
                    tags[name] * 2,
                )
                tags[name] = mutated[choice]
            made = metadata.claim(a_source("a.jpg"), tags, zones_at=zones_at)
            assert len(made.device.key) < 200
            assert all(reading.utc is None or reading.utc.year > 0 for reading in made.times)
