"""How many photos of a card that was formatted anew come back, by records that are left and by carving.

    python benchmarks/bench_carving.py ../shared/photos/exif --sources 100

The first photo of each source is put onto a FAT32 and an ext4 file system, which is then made anew over it without
wiping. Counted is what comes back byte for byte. Needs mkfs.vfat, mcopy and mkfs.ext4; nothing is mounted.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scipy.stats import beta

from gtloc_forensics.files import reading
from gtloc_forensics.records import Candidate


def run(*command: object) -> None:
    """Run a program of this machine."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    words = [str(word) for word in command]
    subprocess.run(words, check=True, capture_output=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1", "PATH": path})


def fat(image: Path, photos: Sequence[Path]) -> None:
    """Make a card of the photos, then make its file system anew."""
    run("mkfs.vfat", "-F", 32, "-s", 8, "-C", image, 300 * 1024)
    run("mcopy", "-i", image, *photos, "::")
    run("mkfs.vfat", "-F", 32, "-s", 8, image)


def ext4(image: Path, photos: Sequence[Path]) -> None:
    """Make an ext4 file system of the photos, then make it anew."""
    with tempfile.TemporaryDirectory() as folder:
        for photo in photos:
            (Path(folder) / photo.name).write_bytes(photo.read_bytes())
        run("mkfs.ext4", "-q", "-F", "-d", folder, image, "100M")
    run("mkfs.ext4", "-q", "-F", "-E", "nodiscard", image)


def back(image: Path, photos: Sequence[Path]) -> dict[str, object]:
    """Return what comes back of the photos."""
    wanted = {hashlib.sha256(photo.read_bytes()).hexdigest() for photo in photos}
    of_records, carved, cut, others = set[str](), set[str](), 0, 0
    for entry in reading.entries(image, reading.Reach(carved=True)):
        if not isinstance(entry, Candidate):
            continue
        with reading.source_file(image, entry.relative) as file:
            found = hashlib.sha256(b"".join(file.blocks())).hexdigest()
        is_carved = b"-carved/" in entry.relative
        cut += is_carved and b"-cut." in entry.relative
        if found in wanted:
            (carved if is_carved else of_records).add(found)
        else:
            others += 1
    left = len(wanted - of_records)
    return {
        "photos": len(wanted),
        "by a record that is left": len(of_records),
        "of the others, carved byte for byte": [len(carved), left, *interval(len(carved), left)],
        "carved without their end": cut,
        "of other content, these among them": others,
    }


def interval(hits: int, of: int) -> list[float]:
    """Return a share and its 95 % interval of Clopper and Pearson."""
    low = 0.0 if hits == 0 else float(beta.ppf(0.025, hits, of - hits + 1))
    return [hits / of, low, 1.0 if hits == of else float(beta.ppf(0.975, hits + 1, of - hits))] if of else []


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sources", type=int, default=100)
    options = parser.parse_args()
    with options.folder.with_suffix(".csv").open(encoding="utf-8", newline="") as rows:
        source_of = {row["file"]: row["group"] for row in csv.DictReader(rows)}
    first: dict[str, Path] = {}
    for path in sorted(options.folder.iterdir()):
        if path.name in source_of:
            first.setdefault(source_of[path.name], path)
    photos = list(first.values())[: options.sources]
    table = {}
    for make in (fat, ext4):
        with tempfile.TemporaryDirectory() as place:
            image = Path(place) / "card.dd"
            make(image, photos)
            table[make.__name__] = back(image, photos)
    json.dump(table, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
