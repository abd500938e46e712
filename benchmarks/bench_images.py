"""What listing or auditing an image costs: files → seconds and peak memory of a process of its own, as JSON.

``python benchmarks/bench_images.py 1000 10000 100000`` makes an ext4 image for each count (by
``mkfs.ext4 -d``; nothing is mounted) and lists it in a process of its own. Beside it stands a
constant: a process that opens the image and lists nothing.

``python benchmarks/bench_images.py --audit 5000 20000`` audits images of as many small photos, each of its own
content, time and number, by ``gtloc audit --model none --no-report --jobs 0``, and reads the peak (VmHWM) of that
process from /proc; beside it stand the same audit of the folder and of a
single photo.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image

PER_FOLDER = 1000
SMALLEST_JPEG = b"\xff\xd8\xff\xd9"


def main() -> None:
    """Measure every count that was asked for."""
    if sys.argv[1] == "--list":
        listing(Path(sys.argv[2]))
        return
    rows = []
    if sys.argv[1] == "--audit":
        for count in (1, *map(int, sys.argv[2:])):
            with tempfile.TemporaryDirectory() as place:
                image = made(Path(place), count, small_photo)
                for what, evidence in (("folder", Path(place) / "files"), ("image", image)):
                    rows.append({"photos": count, "of": what, **audit(Path(place) / f"case of {what}", evidence)})
                    print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        json.dump(rows, sys.stdout, indent=1)
        return
    for count in map(int, sys.argv[1:]):
        with tempfile.TemporaryDirectory() as place:
            image = made(Path(place), count)
            asked = [sys.executable, __file__, "--list", str(image)]
            said = subprocess.run(asked, capture_output=True, text=True, check=True)
            rows.append({"files": count, "image_mb": image.stat().st_size >> 20, **json.loads(said.stdout)})
    json.dump(rows, sys.stdout, indent=1)


def small_photo(number: int) -> bytes:
    """Return a JPEG of a few pixels with the tags of a camera, unlike any other."""
    taken = (datetime(2024, 1, 1) + timedelta(minutes=7 * number)).strftime("%Y:%m:%d %H:%M:%S")
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme", f"Model {number % 5}"
    exif.get_ifd(0x8769)[0x9003] = taken
    file = io.BytesIO()
    picture = Image.new("RGB", (16, 16), (number % 251, number % 241, number % 239))
    picture.save(file, "JPEG", exif=exif, comment=f"{number}".encode())
    return file.getvalue()


def audit(case: Path, evidence: Path) -> dict[str, float]:
    """Audit an image or a folder and return what it cost."""
    words = ["audit", str(evidence), "-o", str(case), "--model", "none", "--no-report", "--jobs", "0"]
    start, peak_kb = time.monotonic(), 0
    with subprocess.Popen([sys.executable, "-m", "gtloc_forensics", *words], stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak_kb = max(peak_kb, high_water_kb(process.pid))
            time.sleep(0.2)
    of_all = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "exit_code": process.returncode,
        "wall_s": round(time.monotonic() - start, 1),
        "cpu_s_so_far": round(of_all.ru_utime + of_all.ru_stime, 1),
        "peak_mb": peak_kb >> 10,
        "case_mb": sum(path.stat().st_size for path in case.rglob("*") if path.is_file()) >> 20,
    }


def high_water_kb(pid: int) -> int:
    """Return the peak resident memory of a process as the system reckons it; 0 once it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def made(place: Path, count: int, content: Callable[[int], bytes] = lambda number: SMALLEST_JPEG) -> Path:
    """Make an image of *count* files in folders of a thousand."""
    for number in range(count):
        folder = place / "files" / f"{number // PER_FOLDER:04}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"IMG_{number:07}.jpg").write_bytes(content(number))
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
