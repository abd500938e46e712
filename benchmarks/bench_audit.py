"""How an audit scales: a second run against the first, and peak memory from 1,000 to 10,000 photos.

    python benchmarks/bench_audit.py [--photos 1000 10000] [--model none] [--out benchmarks/audit.json]
    python benchmarks/bench_audit.py --metadata 2000

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
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from gtloc_forensics import decode
from gtloc_forensics.case.case import open_case
from gtloc_forensics.errors import DecodeRefused
from gtloc_forensics.examination import gathering
from gtloc_forensics.examination.instruments import opened
from gtloc_forensics.examination.settings import Settings

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


class NoDecoder:
    """In place of the decoder, so that what is timed is intake, tags, claims and the database."""

    def stream(self, items: Iterable[decode.Job], *, window: int) -> Iterator[tuple[decode.Job, decode.Outcome]]:
        """Refuse every picture at once."""
        for job in items:
            yield job, DecodeRefused("not decoded in this measurement")


def gather(folder: Path, place: Path, jobs: int) -> float:
    """Return the seconds that gathering takes without the pictures: hash, copy, tags, claim, database."""
    settings = Settings(model="none", jobs=jobs)
    place.mkdir()
    with opened(settings) as instruments, open_case(folder, place / "case") as case:
        begun = time.perf_counter()
        gathering.Gathering(
            case.store,
            folder,
            replace(instruments, decoder=NoDecoder()),  # type: ignore[arg-type]
            settings=settings,
            work=place,
            progress=lambda *_: None,
        ).run()
        return time.perf_counter() - begun


def bare_exiftool(folder: Path) -> float:
    """Return the seconds of one ``exiftool -r -j -n`` over the folder."""
    begun = time.perf_counter()
    subprocess.run(["exiftool", "-r", "-j", "-n", str(folder)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def metadata_stage(count: int, rounds: int) -> dict[str, object]:
    """Time bare exiftool and the metadata stage in turns; the ratio is of files/s, above 1 when we are faster."""
    pairs = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "photos"
        make_photos(folder, count)
        for number in range(rounds):
            pairs.append((bare_exiftool(folder), gather(folder, Path(place) / f"case{number}", os.cpu_count() or 1)))
    ratios = sorted(bare / ours for bare, ours in pairs)
    return {"photos": count, "exiftool_s_and_ours_s": pairs, "ratio_of_files_per_s": ratios[len(ratios) // 2]}


def main() -> None:
    """Run and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--model", default="none")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--metadata", type=int, help="Time only the metadata stage on that many photos.")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.metadata:
        print(json.dumps({"machine": machine(), **metadata_stage(options.metadata, options.rounds)}, indent=1))
        return
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
