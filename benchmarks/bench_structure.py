"""Counts how often GF411 finds untouched files built unlike their siblings, and how often it finds edited ones.

    python benchmarks/bench_structure.py --photos ../shared/photos/headers

Each source is a case of its own; only cameras with nine photos or more of one firmware are counted. Of each such group
one photo is edited in turn by every kind of edit. An interval is of Clopper and Pearson, over sources. The pictures of
both photo sets were made anew by one encoder: what is counted is segments and EXIF block, never tables or sampling of
an untouched camera; an edit that changes these is measured against siblings that share theirs, as at one quality.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

from PIL import Image
from scipy.stats import beta

from gtloc_forensics.checks import Context
from gtloc_forensics.checks.rules.gf411_file_structure import FEWEST_SIBLINGS, file_structure
from gtloc_forensics.metadata import camera, exiftool, jpeg_structure
from gtloc_forensics.metadata.exif_directory import HEAD_BYTES
from gtloc_forensics.records import UNKNOWN_DEVICE, DeviceGroup, Outcome, PhotoSummary, TagsRead

NOW = Context(now_utc=None)  # type: ignore[arg-type]  # the rule asks for no moment


def pillow(path: Path, quality: int = 92) -> None:
    """Save the picture again, its EXIF block carried over byte for byte."""
    with Image.open(path) as picture:
        picture.load()
        picture.save(path, "JPEG", quality=quality, exif=picture.info.get("exif", b""))


def pillow_new_exif(path: Path) -> None:
    """Save the picture again, its EXIF block written anew by Pillow."""
    with Image.open(path) as picture:
        picture.load()
        exif = picture.getexif()
        exif.get_ifd(0x8769)
        picture.save(path, "JPEG", quality=92, exif=exif)


def pillow_kept(path: Path) -> None:
    """Save the picture again with its own tables and optimised Huffman tables, about as a lossless turn does."""
    with Image.open(path) as picture:
        picture.load()
        tables = picture.quantization  # type: ignore[attr-defined]
        picture.save(path, "JPEG", qtables=tables, subsampling=0, exif=picture.info.get("exif", b""), optimize=True)


def magick(path: Path) -> None:
    """Save the picture again by ImageMagick."""
    subprocess.run(["convert", str(path), "-quality", "90", f"jpeg:{path}"], check=True, capture_output=True)


def dated_anew(path: Path) -> None:
    """Move the capture times by a day with exiftool."""
    _exiftool(path, "-AllDates+=0:0:1 0:0:0")


def rebuilt(path: Path) -> None:
    """Write all metadata anew, as a repair with exiftool does."""
    _exiftool(path, "-all=", "-tagsFromFile", "@", "-all:all", "-unsafe")


def _exiftool(path: Path, *arguments: str) -> None:
    subprocess.run(
        ["exiftool", "-q", "-q", "-m", "-overwrite_original", *arguments, str(path)], check=False, capture_output=True
    )


EDITS: Mapping[str, Callable[[Path], None]] = {
    "saved again by Pillow, EXIF kept": pillow,
    "saved again by Pillow, EXIF written anew": pillow_new_exif,
    "tables kept, Huffman made anew": pillow_kept,
    "saved again by ImageMagick": magick,
    "capture time moved by exiftool": dated_anew,
    "metadata rebuilt by exiftool": rebuilt,
}


def summaries_of(paths: Sequence[Path]) -> list[PhotoSummary]:
    """Return what the rule needs of each file."""
    empty = dict.fromkeys(item.name for item in fields(PhotoSummary))
    found = []
    with exiftool.ExifTool() as client:
        for path, read in zip(paths, client.read([os.fsencode(path) for path in paths]), strict=True):
            if isinstance(read, TagsRead):
                device = camera.device(read.tags)
                with path.open("rb") as file:
                    built = jpeg_structure.structure(file.read(HEAD_BYTES))
                software = device.software if isinstance(device.software, str) else ""
                own = {"source_id": path.name, "name": path.name, "device_key": device.key, "software": software}
                found.append(PhotoSummary(**{**empty, **own, "structure": built}))  # type: ignore[arg-type]
    return found


def told(photos: Sequence[PhotoSummary]) -> dict[str, Outcome]:
    """Return source id → what the rule says of a device's photos."""
    group = DeviceGroup("", "", "", tuple(photos))
    return {found.source_ids[0]: found.outcome for found in file_structure.function(group, NOW)}


def interval(hits: float, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share."""
    low = 0.0 if hits == 0 else float(beta.ppf(0.025, hits, of - hits + 1))
    return low, 1.0 if hits == of else float(beta.ppf(0.975, hits + 1, of - hits))


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    options = parser.parse_args()
    with options.photos.with_suffix(".csv").open(encoding="utf-8", newline="") as lines:
        source_of = {line["file"]: line["group"] for line in csv.DictReader(lines)}
    paths = [path for path in sorted(options.photos.iterdir()) if path.name in source_of]
    groups: dict[tuple[str, str, str], list[PhotoSummary]] = defaultdict(list)
    for photo in summaries_of(paths):
        if photo.device_key != UNKNOWN_DEVICE and photo.structure is not None:
            groups[source_of[photo.name], photo.device_key, photo.software].append(photo)
    groups = {key: photos for key, photos in groups.items() if len(photos) > FEWEST_SIBLINGS}
    sources = {source for source, _, _ in groups}
    if not groups:
        print(f"no camera has more than {FEWEST_SIBLINGS} photos of one firmware here: nothing can be counted")
        return
    alarms: dict[str, int] = defaultdict(int)
    for (source, _, _), photos in groups.items():
        alarms[source] += sum(outcome is Outcome.EXPLAINED for outcome in told(photos).values())
    photos_told, sources_told = sum(alarms.values()), sum(many > 0 for many in alarms.values())
    table: dict[str, object] = {
        "photos": sum(map(len, groups.values())),
        "groups": len(groups),
        "sources": len(sources),
        "untouched photos told": photos_told,
        "sources of them": sources_told,
        "share of sources": [sources_told / len(sources), *interval(sources_told, len(sources))],
        "found": {name: _detected(groups, options.photos, edit) for name, edit in EDITS.items()},
    }
    print(json.dumps(table, indent=1))


def _detected(
    groups: Mapping[tuple[str, str, str], Sequence[PhotoSummary]], folder: Path, edit: Callable[[Path], None]
) -> dict[str, object]:
    """Edit the middle photo of each group, and count in how many sources it is told."""
    hits: dict[str, list[bool]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as place:
        copies = []
        for photos in groups.values():
            copy = Path(shutil.copy2(folder / photos[len(photos) // 2].name, place))
            edit(copy)
            copies.append(copy)
        edited = {photo.name: photo for photo in summaries_of(copies)}
    for (source, _, _), photos in groups.items():
        middle = photos[len(photos) // 2]
        now = edited.get(middle.name)
        if now is None:
            hits[source].append(False)
            continue
        kept = replace(now, device_key=middle.device_key)
        outcomes = told([kept if photo is middle else photo for photo in photos])
        hits[source].append(outcomes.get(middle.name) is Outcome.EXPLAINED)
    share = sum(sum(found) / len(found) for found in hits.values())
    return {"share of sources": [share / len(hits), *interval(round(share), len(hits))], "sources": len(hits)}


if __name__ == "__main__":
    main()
