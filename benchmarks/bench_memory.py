"""What a case costs in memory, by number of photos: concluding an examination, and verifying it.

    python benchmarks/bench_memory.py [photos ...]        # default 2000 20000

The photos are small files with made-up tags: no exiftool, no picture, no model. Each step runs in a process of its
own, so that its peak is its own; `kib_per_photo` is what a photo more adds between the smallest and the largest count.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

STEPS = ("conclude", "verify")
CAMERAS = 20
BATCH = 200


def tags_of(number: int) -> dict[str, tuple[str | float, ...]]:
    """Return what one photo's file says: twenty cameras, a photo a minute, half of them with a position."""
    taken = datetime(2024, 1, 1) + timedelta(minutes=number)
    tags: dict[str, tuple[str | float, ...]] = {
        "IFD0:Make": ("Acme",),
        "IFD0:Model": (f"Model {number % CAMERAS}",),
        "ExifIFD:SerialNumber": (f"{number % CAMERAS:06}",),
        "ExifIFD:DateTimeOriginal": (f"{taken:%Y:%m:%d %H:%M:%S}",),
        "ExifIFD:OffsetTimeOriginal": ("+01:00",),
        "ExifIFD:ExposureTime": (0.01,),
        "ExifIFD:FNumber": (8.0,),
        "ExifIFD:ISO": (100,),
    }
    if number % 2:
        tags |= {"Composite:GPSLatitude": (48.0 + number % 100 / 500,), "Composite:GPSLongitude": (11.5,)}
        tags |= {"GPS:GPSLatitude": (48.0 + number % 100 / 500,), "GPS:GPSLatitudeRef": ("N",)}
        tags |= {"GPS:GPSLongitude": (11.5,), "GPS:GPSLongitudeRef": ("E",)}
    return tags


def make(folder: Path, photos: int) -> None:
    """Write the files and gather them: everything but reading their tags is the program's own way."""
    from unittest import mock

    from gtloc_forensics.case.case import open_case
    from gtloc_forensics.errors import DecodeRefused
    from gtloc_forensics.examination.gathering import Gathering
    from gtloc_forensics.examination.instruments import opened
    from gtloc_forensics.records import TagsRead
    from gtloc_forensics.store.keys import IMAGE, METADATA

    evidence = folder / "evidence"
    evidence.mkdir()
    for number in range(photos):
        (evidence / f"{number:06}.jpg").write_bytes(b"\xff\xd8\xff" + number.to_bytes(8, "big"))

    def read(batch: object, run: object) -> None:
        for work in batch:
            number = int(os.fsdecode(work.candidate.relative).removesuffix(".jpg"))
            sha256 = work.taken.source.sha256
            work.read[sha256] = TagsRead(tags_of(number))
            work.fresh.add(sha256)

    def decode(batch: object, run: object) -> None:
        for work in batch:
            work.decoded = DecodeRefused("it has no picture")

    with open_case(evidence, folder / "case") as case, opened(settings()) as instruments, case.locked():
        work = folder / "work"
        work.mkdir()
        gathering = Gathering(case.store, evidence, instruments, settings=settings(), work=work, progress=silent)
        made = replaced({METADATA: read, IMAGE: decode})
        with mock.patch("gtloc_forensics.examination.drivers.STAGES", made):
            gathering.run()


def replaced(others: dict[str, object]) -> tuple[object, ...]:
    """Return the list of stages with some done otherwise."""
    from dataclasses import replace

    from gtloc_forensics.examination.planning import STAGES

    return tuple(replace(stage, do=others.get(stage.name, stage.do)) for stage in STAGES)


def conclude(folder: Path) -> None:
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.examination.concluding import Concluding
    from gtloc_forensics.examination.gathering import Gathering
    from gtloc_forensics.examination.instruments import opened

    with Case(folder / "case") as case, opened(settings()) as instruments, case.locked():
        gathering = Gathering(
            case.store, case.evidence, instruments, settings=settings(), work=folder / "work", progress=silent
        )
        gathered, kept = gathering.everything_known(), gathering.stages
        del gathering
        Concluding(
            case.store,
            case.evidence,
            instruments,
            settings=settings(),
            gathered=gathered,
            stages=kept,
            progress=silent,
        ).run()


def verify(folder: Path) -> None:
    from gtloc_forensics.case.case import Case

    with Case(folder / "case") as case:
        found = case.verify(settings(), sample=0)
        if not found.is_valid:
            raise SystemExit(f"not valid: {found.differences[:3]}")


def settings() -> object:
    from gtloc_forensics.examination.settings import Settings

    return Settings(model="none", jobs=0, batch=BATCH)


def silent(stage: str, done: int, total: int | None) -> None:
    """Show no progress."""


def step(name: str, folder: Path) -> None:
    begun, cpu_begun = time.monotonic(), time.process_time()
    {"conclude": conclude, "verify": verify}[name](folder)
    peak_mib = peak_kib() / 1024
    cpu_s = round(time.process_time() - cpu_begun, 1)
    seconds = round(time.monotonic() - begun, 1)
    print(json.dumps({"step": name, "seconds": seconds, "cpu_s": cpu_s, "peak_mib": round(peak_mib, 1)}))


def peak_kib() -> int:
    """Return the most memory this process held: ru_maxrss would be its parent's, where that held more at the start."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--step"]:
        step(arguments[1], Path(arguments[2]))
        return
    counts = sorted(int(said) for said in arguments) or [2000, 20_000]
    results = []
    for photos in counts:
        with tempfile.TemporaryDirectory(prefix="gtloc-memory-") as folder:
            make(Path(folder), photos)
            for name in STEPS:
                one = [sys.executable, __file__, "--step", name, folder]
                found = json.loads(subprocess.run(one, check=True, capture_output=True, text=True).stdout)
                results.append({"photos": photos, **found})
                print(results[-1], file=sys.stderr, flush=True)
    more = {name: per_photo([found for found in results if found["step"] == name]) for name in STEPS}
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    print(json.dumps({**machine, "kib_per_photo": more, "results": results}, indent=1))


def per_photo(results: list[dict[str, float]]) -> float | None:
    first, last = results[0], results[-1]
    if first["photos"] == last["photos"]:
        return None
    return round((last["peak_mib"] - first["peak_mib"]) * 1024 / (last["photos"] - first["photos"]), 2)


if __name__ == "__main__":
    main(sys.argv[1:])
