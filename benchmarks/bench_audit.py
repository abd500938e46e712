"""How an audit scales: a second run against the first, and peak memory from 1,000 to 10,000 photos.

    python benchmarks/bench_audit.py [--photos 1000 10000] [--model none] [--out benchmarks/audit.json]

Each run is a process of its own; its peak memory is the parent's of all its workers, its time is the wall's.
The figures are ratios within one run of this program on one machine, which the result names.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (1200, 900)


def machine() -> dict[str, str | int]:
    """Return what kind of machine this is."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count() or 0,
        "python": platform.python_version(),
    }


def make_photos(folder: Path, count: int) -> None:
    """Write *count* different photos of a common size, with the usual tags."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(7)
    tile_shape = (SIZE[1] // 30, SIZE[0] // 30, 3)
    for number in range(count):
        exif = Image.Exif()
        exif[0x010F], exif[0x0110] = "Acme", f"Model {number % 5}"
        block = exif.get_ifd(0x8769)
        minute, day = number % 60, 1 + number // 60 % 28
        block[0x9003] = f"2024:06:{day:02} {number // 1680 % 24:02}:{minute:02}:{number % 59:02}"
        block[0xA431] = f"{number % 5:04}"
        block[0x829A], block[0x829D], block[0x8827] = 1 / 250, 8.0, 100
        picture = Image.fromarray(rng.integers(0, 255, tile_shape, np.uint8)).resize(SIZE)
        picture.save(folder / f"{number:06}.jpg", exif=exif, quality=80)


def audit(folder: Path, output: Path, model: str) -> dict[str, float]:
    """Audit *folder* in a process of its own; return seconds and MiB."""
    command = [sys.executable, "-m", "gtloc_forensics", "audit", str(folder), "-o", str(output), "--no-report"]
    begun = time.perf_counter()
    process = subprocess.Popen([*command, "--model", model], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
            peak = max([peak, *(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))])
        except OSError:
            break
        time.sleep(0.02)
    process.wait()
    return {"seconds": time.perf_counter() - begun, "peak_mib": peak / 1024}


def main() -> None:
    """Run and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--model", default="none")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    result: dict[str, object] = {"machine": machine(), "model": options.model, "runs": []}
    runs = []
    for count in options.photos:
        with tempfile.TemporaryDirectory() as place:
            folder, output = Path(place) / "photos", Path(place) / "case"
            make_photos(folder, count)
            first = audit(folder, output, options.model)
            second = audit(folder, output, options.model)
        runs.append(
            {
                "photos": count,
                "first": first,
                "second": second,
                "second_is_faster_by": first["seconds"] / second["seconds"],
            }
        )
    result["runs"] = runs
    result["peak_memory_ratio"] = runs[-1]["first"]["peak_mib"] / runs[0]["first"]["peak_mib"]
    text = json.dumps(result, indent=1)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
