"""Files per second of the metadata stage against a bare ``exiftool -r -j -n`` on the same files.

Run: ``python benchmarks/bench_metadata.py [--files 2000] [--rounds 3] [--out metadata.json]``. The photos are
generated: JPEGs with EXIF, GPS and XMP, in a temporary folder. Both sides run in turn, several rounds; the
figure is the median of the ratios within a round, so that a busy machine slows both. Goal: at least 0.8.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

from PIL import Image

from gtloc_forensics import metadata
from gtloc_forensics.earth.zones import zones_at
from gtloc_forensics.metadata import exiftool
from gtloc_forensics.records import FileStat, Source, source_id_of

GOAL = 0.8


def a_template(folder: Path, client: exiftool.ExifTool) -> bytes:
    """Return a JPEG with the tags that a telephone writes."""
    picture = BytesIO()
    Image.effect_noise((256, 192), 40).convert("RGB").save(picture, "JPEG", quality=85)
    path = folder / "template.jpg"
    path.write_bytes(picture.getvalue())
    tags = {
        "IFD0:Make": "Acme", "IFD0:Model": "One", "IFD0:Software": "1.0", "IFD0:Orientation": "1",
        "IFD0:ModifyDate": "2024:06:15 12:00:00", "ExifIFD:DateTimeOriginal": "2024:06:15 12:00:00",
        "ExifIFD:CreateDate": "2024:06:15 12:00:00", "ExifIFD:SubSecTimeOriginal": "123",
        "ExifIFD:OffsetTimeOriginal": "+02:00", "ExifIFD:OffsetTime": "+02:00", "ExifIFD:ExposureTime": "0.01",
        "ExifIFD:FNumber": "8", "ExifIFD:ISO": "100", "ExifIFD:Flash": "16", "ExifIFD:BrightnessValue": "9",
        "ExifIFD:ExposureProgram": "2", "ExifIFD:FocalLength": "4.2", "ExifIFD:LensModel": "Acme 4.2 mm",
        "GPS:GPSLatitude": "48.85", "GPS:GPSLatitudeRef": "N", "GPS:GPSLongitude": "2.35", "GPS:GPSLongitudeRef": "E",
        "GPS:GPSAltitude": "35", "GPS:GPSDateStamp": "2024:06:15", "GPS:GPSTimeStamp": "10:00:00",
        "GPS:GPSImgDirection": "120", "XMP-xmp:CreateDate": "2024:06:15 12:00:00", "XMP-dc:Title": "a photo",
    }  # fmt: skip
    assert client.write(os.fsencode(path), list(tags.items())).done
    content = path.read_bytes()
    path.unlink()
    return content


def make_files(folder: Path, count: int, content: bytes) -> list[Path]:
    """Write *count* photos, each with a second of its own, a hundred to a folder."""
    first = datetime(2024, 6, 15, 12, 0, 0)
    paths = []
    for number in range(count):
        path = folder / f"{number // 100:03d}" / f"IMG_{number:04d}.jpg"
        path.parent.mkdir(exist_ok=True)
        stamp = (first + timedelta(seconds=number)).strftime("%Y:%m:%d %H:%M:%S").encode()
        path.write_bytes(content.replace(b"2024:06:15 12:00:00", stamp))
        paths.append(path)
    return paths


def bare(folder: Path) -> float:
    """Return the seconds that exiftool alone takes for the folder."""
    started = time.perf_counter()
    subprocess.run(
        ["exiftool", "-r", "-j", "-n", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
    )
    return time.perf_counter() - started


def ours(paths: list[Path], processes: int) -> tuple[float, float]:
    """Return the seconds for tags alone, and for tags and claims, process start included."""
    started = time.perf_counter()
    with exiftool.ExifTool(processes=processes) as client:
        results = client.read([os.fsencode(path) for path in paths])
    tags_s = time.perf_counter() - started
    stat = FileStat(0, 0, 0, 0, 0, 0, 0, 0)
    for path, read in zip(paths, results, strict=True):
        assert isinstance(read, exiftool.TagsRead), read
        relative = os.fsencode(path.name)
        source = Source(source_id_of(relative), relative, "", stat, "image/jpeg")
        metadata.claim(source, read.tags, warnings=read.warnings, zones_at=zones_at)
    return tags_s, time.perf_counter() - started


def main() -> int:
    """Measure and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bench-metadata-"))
    try:
        with exiftool.ExifTool() as client:
            version = client.version
            paths = make_files(folder, asked.files, a_template(folder, client))
        rounds = [(bare(folder), *ours(paths, asked.processes)) for _ in range(asked.rounds)]
    finally:
        shutil.rmtree(folder)
    ratios = [alone / claims for alone, _, claims in rounds]
    figures = {
        "benchmark": "metadata stage against bare exiftool -r -j -n",
        "files": asked.files,
        "processes": asked.processes,
        "exiftool": version,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "rounds": [
            {"bare_s": round(a, 3), "tags_s": round(t, 3), "tags_and_claims_s": round(c, 3)} for a, t, c in rounds
        ],
        "bare_files_per_s": round(asked.files / statistics.median(a for a, _, _ in rounds), 1),
        "ours_files_per_s": round(asked.files / statistics.median(c for _, _, c in rounds), 1),
        "ratio_tags": round(statistics.median(a / t for a, t, _ in rounds), 3),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_range": [round(min(ratios), 3), round(max(ratios), 3)],
        "goal": GOAL,
    }
    text = json.dumps(figures, indent=2)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n", encoding="utf-8")
    return 0 if figures["ratio"] >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
