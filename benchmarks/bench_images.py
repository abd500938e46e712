"""What listing an image costs: files → seconds and peak memory of a process of its own, JSON to standard output.

``python benchmarks/bench_images.py 1000 10000 100000`` makes an ext4 image for each count (by
``mkfs.ext4 -d``; nothing is mounted) and lists it in a process of its own. Beside it stands a
constant: a process that opens the image and lists nothing.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PER_FOLDER = 1000
SMALLEST_JPEG = b"\xff\xd8\xff\xd9"


def main() -> None:
    """Measure every count that was asked for."""
    if sys.argv[1] == "--list":
        listing(Path(sys.argv[2]))
        return
    rows = []
    for count in map(int, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as place:
            image = made(Path(place), count)
            asked = [sys.executable, __file__, "--list", str(image)]
            said = subprocess.run(asked, capture_output=True, text=True, check=True)
            rows.append({"files": count, "image_mb": image.stat().st_size >> 20, **json.loads(said.stdout)})
    json.dump(rows, sys.stdout, indent=1)


def made(place: Path, count: int) -> Path:
    """Make an image of *count* files in folders of a thousand."""
    for number in range(count):
        folder = place / "files" / f"{number // PER_FOLDER:04}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"IMG_{number:07}.jpg").write_bytes(SMALLEST_JPEG)
    image = place / "image.dd"
    size_mb = 16 + count * 3 // 1024
    subprocess.run(
        [
            "mkfs.ext4",
            "-q",
            "-F",
            "-b",
            "1024",
            "-N",
            str(count + 2000),
            "-d",
            str(place / "files"),
            str(image),
            f"{size_mb}M",
        ],
        check=True,
        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
    )
    return image


def listing(image: Path) -> None:
    """List an image and print what it cost."""
    import pytsk3  # noqa: F401 - what is loaded anyway

    from gtloc_forensics.files.containers.container import Container

    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    container = Container(image)
    opened_s = time.monotonic() - start
    found = sum(1 for _ in container.walk())
    walked_s = time.monotonic() - start - opened_s
    after_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    json.dump(
        {
            "listed": found,
            "open_hash_index_s": round(opened_s, 2),
            "walk_s": round(walked_s, 2),
            "peak_mb_before": before_kb >> 10,
            "peak_mb_after": after_kb >> 10,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
