"""Make the example case: some 30 photos by three imaginary cameras, seven kinds of planted faults.

``python examples/make_case.py OUT --seed 7 --count 30`` renders every scene with the sun where
it really stood, writes complete EXIF with exiftool, and tells the truth in a CSV beside the
folder. The same seed gives the same bytes (with the same numpy, Pillow and exiftool).
"""

from __future__ import annotations

import argparse
import csv
import math
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import roster
from imagined.cameras import CAMERAS, Camera, Shot, photograph
from imagined.scenes import BY_NAME, PLACES, Scene, with_snowfall
from PIL import Image
from roster import ROSTER, Take

SMALLEST_COUNT = 15
UTC = ZoneInfo("UTC")
FAR_KM = 5000.0
KM_PER_DEGREE = 111.19
QUALITY = 82


@dataclass(frozen=True, slots=True)
class Claim:
    """What a file will say; the truth is in the scene."""

    local_time: datetime
    offset_hours: float | None
    position: tuple[float, float] | None
    gps_utc_time: datetime | None
    heading_deg: float | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One photo of the case: its path below the case folder, the truth, the claim, the fault ("" for none)."""

    path: str
    camera: Camera
    scene: Scene
    claim: Claim
    fault: str
    number: int


def write_case(
    out: Path, *, seed: int = 7, count: int = 30, size: tuple[int, int] = (640, 480), only: Iterable[str] = ()
) -> tuple[Entry, ...]:
    """Render the case into the new or empty folder *out* and return what it holds.

    Args:
        out: made when missing; must be empty.
        seed: decides layouts, seconds and small displacements; the journeys stay the same.
        count: at least 15: the planted faults come first, then true photos.
        size: width and height in pixels.
        only: names of faults ("" for true photos); when given, the others are left out.
    """
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise ValueError(f"{out} is not empty; name a new folder")
    wanted = set(only)
    entries = tuple(entry for entry in plan(seed=seed, count=count) if not wanted or entry.fault in wanted)
    shots: dict[Scene, Shot] = {}
    for entry in entries:
        if entry.scene not in shots:
            shots[entry.scene] = photograph(entry.scene, entry.camera, size=size)
        save_jpeg(shots[entry.scene].picture, out / entry.path)
    write_tags([(out / entry.path, tags_of(entry, shots[entry.scene])) for entry in entries])
    return entries


def plan(*, seed: int = 7, count: int = 30) -> tuple[Entry, ...]:
    """Return the photos of the case in the order of their names, without rendering any."""
    if count < SMALLEST_COUNT:
        raise ValueError(f"a case of {count} photos has no room for the planted faults; ask for {SMALLEST_COUNT}")
    takes = _chosen(count)
    entries: list[Entry] = []
    numbers = [412, 118, 9]
    for order, take in enumerate(takes):
        scene = _scene(take, seed, order if take.fault != roster.COPY_REDATED else order - 1)
        if take.fault != roster.COPY_REDATED:  # a copy keeps the counter of its original
            numbers[take.camera] += 1 + (order * 7 + seed) % 5
        entries.append(_entry(take, scene, numbers[take.camera]))
    return tuple(sorted(entries, key=lambda entry: entry.path))


def _chosen(count: int) -> list[Take]:
    spare = len(ROSTER) - count
    kept = list(ROSTER)
    for index in range(len(ROSTER) - 1, -1, -1):
        copied = index + 1 < len(ROSTER) and ROSTER[index + 1].fault == roster.COPY_REDATED
        if spare > 0 and not ROSTER[index].fault and not copied:
            del kept[index]
            spare -= 1
    first = datetime(2025, 1, 8, 9, 20)
    for step in range(-spare):
        place = PLACES[step * 7 % len(PLACES)]
        when = first + timedelta(days=5 * step, hours=step * 5 % 11)
        weather = ("clear", "broken", "overcast")[step % 3]
        ground = place.grounds[step % len(place.grounds)]
        kept.append(Take(roster.QUILLMARK, place.name, when.isoformat(), ground, weather, step * 47.0 % 360))
    return kept


def _scene(take: Take, seed: int, order: int) -> Scene:
    rng = np.random.default_rng((seed, order))
    place = BY_NAME[take.place]
    local = datetime.fromisoformat(take.local) + timedelta(seconds=int(rng.integers(0, 55)))
    utc_time = local.replace(tzinfo=ZoneInfo(place.zone)).astimezone(UTC).replace(tzinfo=None)
    scene = Scene(
        seed=int(rng.integers(2**31)),
        utc_time=utc_time,
        latitude_deg=round(place.latitude_deg + float(rng.uniform(-0.004, 0.004)), 6),
        longitude_deg=round(place.longitude_deg + float(rng.uniform(-0.004, 0.004)), 6),
        zone=place.zone,
        ground=take.ground,
        weather=take.weather,
        heading_deg=take.heading_deg,
        pitch_deg=4.0,
        field_of_view_deg=65.0 if take.camera != roster.QUILLMARK else 68.0,
        altitude_m=place.altitude_m,
    )
    return with_snowfall(scene) if take.weather == "rain" else scene


def _entry(take: Take, scene: Scene, number: int) -> Entry:
    camera = CAMERAS[take.camera]
    claim = _spoiled(_true_claim(take, scene), take, scene)
    name = claim.local_time.strftime(camera.name_pattern).format(number=number)
    folder = "copies" if take.fault == roster.COPY_REDATED else camera.key
    return Entry(f"{folder}/{name}", camera, scene, claim, take.fault, number)


def _true_claim(take: Take, scene: Scene) -> Claim:
    satellite = take.camera != roster.KESTRION  # its positions are added later, by hand
    return Claim(
        local_time=scene.local_time,
        offset_hours=None if take.camera == roster.NORDVALE else scene.offset_hours,
        position=(scene.latitude_deg, scene.longitude_deg) if take.positioned else None,
        gps_utc_time=scene.utc_time - timedelta(seconds=1) if satellite else None,
        heading_deg=scene.heading_deg if satellite else None,
    )


def _spoiled(claim: Claim, take: Take, scene: Scene) -> Claim:
    """Return the claim with the fault of *take* planted."""
    match take.fault:
        case roster.CLOCK_AHEAD:
            return replace(claim, local_time=claim.local_time + timedelta(hours=6))
        case roster.ZONE_FORGOTTEN:  # clock and zone still those of Berlin in winter
            return replace(claim, local_time=scene.utc_time + timedelta(hours=1), offset_hours=1.0)
        case roster.POSITION_FAR:
            return replace(claim, position=_far_from(scene))
        case roster.NOON_AT_MIDNIGHT:
            return replace(claim, local_time=claim.local_time + timedelta(hours=12), gps_utc_time=None)
        case roster.JANUARY_GREEN:
            return replace(claim, local_time=claim.local_time.replace(month=1, day=15), offset_hours=2.0)
        case roster.COPY_REDATED:
            later = claim.local_time + timedelta(days=34)
            return replace(claim, local_time=later, gps_utc_time=None)
        case roster.FACTORY_DATE:
            return replace(claim, local_time=datetime(2000, 1, 1, 0, 2, 11), offset_hours=None)
    return claim


def _far_from(scene: Scene) -> tuple[float, float]:
    """Return a place 5,000 km due west along a great circle that starts westward."""
    arc = FAR_KM / 6371.0
    latitude = math.radians(scene.latitude_deg)
    there = math.asin(math.sin(latitude) * math.cos(arc))
    turn = math.atan2(-math.sin(arc) * math.cos(latitude), math.cos(arc) - math.sin(latitude) * math.sin(there))
    longitude = (scene.longitude_deg + math.degrees(turn) + 540.0) % 360.0 - 180.0
    return round(math.degrees(there), 6), round(longitude, 6)


def save_jpeg(picture: Image.Image, path: Path) -> None:
    """Save a picture as a camera would, without metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, "JPEG", quality=QUALITY, subsampling=2, optimize=True)


def tags_of(entry: Entry, shot: Shot) -> list[str]:
    """Return exiftool's assignments for one photo, numeric form, one per line of an argument file."""
    camera, claim = entry.camera, entry.claim
    moment = claim.local_time.strftime("%Y:%m:%d %H:%M:%S")
    lines = [f"-EXIF:{tag}={moment}" for tag in ("DateTimeOriginal", "CreateDate", "ModifyDate")]
    lines += _device_lines(entry) + _exposure_lines(shot, camera)
    if claim.offset_hours is not None:
        offset = offset_text(claim.offset_hours)
        lines += [f"-EXIF:{tag}={offset}" for tag in ("OffsetTime", "OffsetTimeOriginal", "OffsetTimeDigitized")]
    if camera.make == "Quillmark":
        hundredths = f"{entry.scene.seed % 100:02d}"
        lines += [f"-EXIF:SubSecTime{suffix}={hundredths}" for suffix in ("", "Original", "Digitized")]
    return lines + _position_lines(entry)


def _device_lines(entry: Entry) -> list[str]:
    camera = entry.camera
    lines = [
        f"-IFD0:Make={camera.make}",
        f"-IFD0:Model={camera.model}",
        f"-IFD0:Software={camera.software}",
        f"-ExifIFD:SerialNumber={camera.serial}",
        f"-ExifIFD:LensModel={camera.lens}",
        "-IFD0:Orientation=1",
        "-ExifIFD:ExifVersion=0232",
        "-ExifIFD:ColorSpace=1",
        f"-ExifIFD:ImageUniqueID={entry.scene.seed:08x}{entry.number:08x}{camera.serial.encode().hex()[:16]}",
    ]
    if camera.make != "Quillmark":
        lines.append(f"-ExifIFD:ImageNumber={entry.number}")
    return lines


def _exposure_lines(shot: Shot, camera: Camera) -> list[str]:
    lines = [
        f"-ExifIFD:FNumber={shot.f_number}",
        f"-ExifIFD:ExposureTime={shot.exposure_s:.6g}",
        f"-ExifIFD:ISO={shot.iso}",
        "-ExifIFD:ExposureCompensation=0",
        "-ExifIFD:ExposureProgram=2",
        "-ExifIFD:MeteringMode=5",
        "-ExifIFD:Flash=16",
        f"-ExifIFD:FocalLength={camera.focal_mm}",
        "-ExifIFD:FocalLengthIn35mmFormat=28",
        "-ExifIFD:WhiteBalance=0",
    ]
    if camera.make == "Quillmark":
        lines.append(f"-ExifIFD:BrightnessValue={shot.ev100 - 5:.3f}")
    return lines


def _position_lines(entry: Entry) -> list[str]:
    claim = entry.claim
    if claim.position is None:
        return []
    latitude, longitude = claim.position
    lines = [
        f"-GPS:GPSLatitude={abs(latitude)}",
        f"-GPS:GPSLatitudeRef={'S' if latitude < 0 else 'N'}",
        f"-GPS:GPSLongitude={abs(longitude)}",
        f"-GPS:GPSLongitudeRef={'W' if longitude < 0 else 'E'}",
        f"-GPS:GPSAltitude={entry.scene.altitude_m:.0f}",
        "-GPS:GPSAltitudeRef=0",
        "-GPS:GPSVersionID=2 3 0 0",
        "-GPS:GPSMapDatum=WGS-84",
    ]
    if claim.gps_utc_time is not None:
        lines.append(f"-GPS:GPSDateStamp={claim.gps_utc_time:%Y:%m:%d}")
        lines.append(f"-GPS:GPSTimeStamp={claim.gps_utc_time:%H:%M:%S}")
        lines.append(f"-GPS:GPSHPositioningError={4 + entry.scene.seed % 9}")
    if claim.heading_deg is not None:
        lines += [f"-GPS:GPSImgDirection={claim.heading_deg:.1f}", "-GPS:GPSImgDirectionRef=T"]
    return lines


def offset_text(hours: float) -> str:
    """Return an offset as EXIF writes it: ``+05:30``."""
    minutes = round(abs(hours) * 60)
    return f"{'-' if hours < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def write_tags(files: Sequence[tuple[Path, list[str]]]) -> None:
    """Write tags and a thumbnail into each file with one run of exiftool."""
    program = shutil.which("exiftool")
    if program is None:
        raise SystemExit("exiftool was not found; install it: apt-get install libimage-exiftool-perl")
    thumbnails = []
    lines: list[str] = []
    for path, assignments in files:
        thumbnails.append(_thumbnail(path))
        lines += ["-n", "-overwrite_original", "-q", *assignments, f"-ThumbnailImage<={thumbnails[-1]}"]
        lines += [str(path.resolve()), "-execute"]
    try:
        subprocess.run([program, "-config", "", "-@", "-"], input="\n".join(lines).encode(), check=True)
    finally:
        for thumbnail in thumbnails:
            thumbnail.unlink()


def _thumbnail(path: Path) -> Path:
    buffer = BytesIO()
    with Image.open(path) as picture:
        picture.resize((160, 120), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=70)
    thumbnail = path.with_name(path.name + ".thumbnail")
    thumbnail.write_bytes(buffer.getvalue())
    return thumbnail


def write_truth(entries: Iterable[Entry], path: Path) -> None:
    """Write what is true of each photo, and the planted fault, as CSV."""
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("file", "fault", "true_local_time", "true_utc_time", "zone", "latitude_deg", "longitude_deg"))
        for entry in entries:
            scene = entry.scene
            place = (f"{scene.latitude_deg:.6f}", f"{scene.longitude_deg:.6f}")
            table.writerow(
                (entry.path, entry.fault, scene.local_time.isoformat(), scene.utc_time.isoformat(), scene.zone, *place)
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the case from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="a new or empty folder for the photos")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--truth", type=Path, help="where to write the truth (default: OUT.truth.csv beside OUT)")
    options = parser.parse_args(arguments)
    entries = write_case(options.out, seed=options.seed, count=options.count, size=tuple(options.size))
    truth = options.truth or options.out.with_name(options.out.name + ".truth.csv")
    write_truth(entries, truth)
    planted = sum(bool(entry.fault) for entry in entries)
    print(f"{len(entries)} photos in {options.out}, {planted} with a planted fault; the truth is in {truth}")


if __name__ == "__main__":
    main()
