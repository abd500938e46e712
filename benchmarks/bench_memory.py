"""What a case costs in memory, by number of photos: gathering, concluding, writing findings.json, verifying.

    python benchmarks/bench_memory.py [--image] [--jobs N] [--steps gather,conclude] [--devices N] [--one-place] [N ...]

The photos are small files with made-up tags and made-up facts of their pictures: no exiftool, no decoding, no model;
with `--image` they lie in an ext4 image, with `--one-place` all claim one position to the last digit, of which rule
GF405 says something that names all photos of a camera. 2,000 and 20,000 photos where none are named. Each step runs in
a process of its own, so that its peak is its own; `kib_per_photo` is what a photo more adds between the smallest and
the largest count. Of `conclude` it is also told how many bytes the case keeps of what was concluded, a photo:
`concluded_bytes` with each, `named_bytes` once for several. With `--jobs` so many processes share what can be shared
(default 0: one does all); `cpu_s` has their time, `forks_peak_mib` the most that one of them held.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

STEPS = ("gather", "conclude", "document", "verify")
CAMERAS = 20
JOBS = "GTLOC_BENCH_JOBS"
BATCH = 200
ASKED = "asked.json"
"""The file in the folder that says which photos were asked for."""


@dataclass(frozen=True)
class Asked:
    """What the photos say."""

    devices: int = CAMERAS
    is_one_place: bool = False


def asked_of(folder: Path) -> Asked:
    """Return which photos lie in the folder."""
    return Asked(**json.loads((folder / ASKED).read_text(encoding="ascii"))) if (folder / ASKED).is_file() else Asked()


def tags_of(number: int, asked: Asked) -> dict[str, tuple[str | float, ...]]:
    """Return what one photo's file says: some cameras, a photo a minute, half of them with a position."""
    taken = datetime(2024, 1, 1) + timedelta(minutes=number)
    tags: dict[str, tuple[str | float, ...]] = {
        "IFD0:Make": ("Acme",),
        "IFD0:Model": (f"Model {number % asked.devices}",),
        "ExifIFD:SerialNumber": (f"{number % asked.devices:06}",),
        "ExifIFD:DateTimeOriginal": (f"{taken:%Y:%m:%d %H:%M:%S}",),
        "ExifIFD:OffsetTimeOriginal": ("+01:00",),
        "ExifIFD:ExposureTime": (0.01,),
        "ExifIFD:FNumber": (8.0,),
        "ExifIFD:ISO": (100,),
    }
    if number % 2 or asked.is_one_place:
        latitude, longitude = (48.123456, 11.543219) if asked.is_one_place else (48.0 + number % 100 / 500, 11.5)
        tags |= {"Composite:GPSLatitude": (latitude,), "Composite:GPSLongitude": (longitude,)}
        tags |= {"GPS:GPSLatitude": (latitude,), "GPS:GPSLatitudeRef": ("N",)}
        tags |= {"GPS:GPSLongitude": (longitude,), "GPS:GPSLongitudeRef": ("E",)}
    return tags


def make(folder: Path, photos: int, *, image: bool = False, asked: Asked = Asked()) -> None:
    """Write the files, in folders of a thousand, and put them into an image when that is asked for."""
    (folder / ASKED).write_text(json.dumps(asdict(asked)), encoding="ascii")
    evidence = folder / "files"
    for number in range(photos):
        place = evidence / f"{number // 1000:04}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:06}.jpg").write_bytes(b"\xff\xd8\xff" + number.to_bytes(8, "big"))
    if image:
        tools = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
        asked = ["mkfs.ext4", "-q", "-F", "-b", "1024", "-N", str(photos + 2000), "-d", str(evidence)]
        subprocess.run([*asked, str(folder / "image.dd"), f"{16 + 3 * photos // 1024}M"], check=True, env=tools)
        shutil.rmtree(evidence)


def gather(folder: Path) -> None:
    """Bring every result into the case: everything but reading tags and decoding is the program's own way."""
    from unittest import mock

    import numpy as np

    from gtloc_forensics.case.case import open_case
    from gtloc_forensics.decode import Decoded
    from gtloc_forensics.examination.gathering import Gathering
    from gtloc_forensics.examination.instruments import opened
    from gtloc_forensics.records import ImageFacts, TagsRead
    from gtloc_forensics.store.keys import IMAGE, METADATA

    def number_of(work: object) -> int:
        return int(os.path.basename(os.fsdecode(work.candidate.relative)).removesuffix(".jpg"))  # noqa: PTH119

    asked = asked_of(folder)

    def read(batch: object, run: object) -> None:
        for work in batch:
            sha256 = work.taken.source.sha256
            work.read[sha256] = TagsRead(tags_of(number_of(work), asked))
            work.fresh.add(sha256)

    def decode(batch: object, run: object) -> None:
        for work in batch:
            look = np.random.default_rng(number_of(work))
            likeness, light = int(look.integers(2**63)), float(look.uniform(0.2, 0.8))
            work.decoded = Decoded(None, ImageFacts(640, 480, "RGB", 1, likeness, None, None, light, 0.3), b"small")

    image = folder / "image.dd"
    with (
        open_case(image if image.is_file() else folder / "files", folder / "case") as case,
        opened(settings()) as instruments,
        case.locked(),
    ):
        work = folder / "work"
        work.mkdir()
        gathering = Gathering(case.store, case.evidence, instruments, settings=settings(), work=work, progress=silent)
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
        instruments.end_reading()
        Concluding(
            case.store,
            case.evidence,
            instruments,
            settings=settings(),
            gathered=gathered,
            stages=kept,
            progress=silent,
        ).run()


def document(folder: Path) -> None:
    from gtloc_forensics.case.case import Case

    with Case(folder / "case") as case:
        case.write_findings(processes=int(os.environ.get(JOBS, "0")))


def verify(folder: Path) -> None:
    from gtloc_forensics.case.case import Case

    with Case(folder / "case") as case:
        found = case.verify(settings(), sample=0)
        if not found.is_valid:
            raise SystemExit(f"not valid: {found.differences[:3]}")


def settings() -> object:
    from gtloc_forensics.examination.settings import Settings

    return Settings(model="none", jobs=int(os.environ.get(JOBS, "0")), batch=BATCH)


def silent(stage: str, done: int, total: int | None) -> None:
    """Show no progress."""


def step(name: str, folder: Path) -> None:
    begun, cpu_begun = time.monotonic(), time.process_time()
    {"gather": gather, "conclude": conclude, "document": document, "verify": verify}[name](folder)
    peak_mib = peak_kib() / 1024
    forks = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = round(time.process_time() - cpu_begun + forks.ru_utime + forks.ru_stime, 1)
    seconds = round(time.monotonic() - begun, 1)
    found: dict[str, float] = {"seconds": seconds, "cpu_s": cpu_s, "peak_mib": round(peak_mib, 1)}
    found["forks_peak_mib"] = round(forks.ru_maxrss / 1024, 1)
    if name == "conclude":
        found |= kept_bytes(folder / "case" / "case.sqlite")
    print(json.dumps({"step": name, **found}))


def kept_bytes(database: Path) -> dict[str, float]:
    """Return the bytes a photo of what a case keeps of its conclusions."""
    with closing(sqlite3.connect(database)) as kept:
        photos, bytes_of_all = kept.execute("SELECT count(*), sum(length(findings)) FROM member").fetchone()
        named = kept.execute("SELECT sum(length(payload)) FROM examination_extra WHERE name LIKE 'named %'").fetchone()
    return {
        "concluded_bytes": round(bytes_of_all / max(1, photos), 1),
        "named_bytes": round((named[0] or 0) / max(1, photos), 1),
    }


def peak_kib() -> int:
    """Return the most memory this process held: ru_maxrss would be its parent's, where that held more at the start."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--step"]:
        step(arguments[1], Path(arguments[2]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", action="store_true")
    parser.add_argument("--devices", type=int, default=CAMERAS, help="of how many cameras the photos are")
    parser.add_argument("--one-place", action="store_true", help="all photos claim one position")
    parser.add_argument("--steps", default=",".join(STEPS))
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("photos", type=int, nargs="*", default=[2000, 20_000])
    options = parser.parse_args(arguments)
    os.environ[JOBS] = str(options.jobs)
    steps = options.steps.split(",")
    results = []
    for photos in sorted(options.photos):
        with tempfile.TemporaryDirectory(prefix="gtloc-memory-") as folder:
            make(Path(folder), photos, image=options.image, asked=Asked(options.devices, options.one_place))
            for name in steps:
                one = [sys.executable, __file__, "--step", name, folder]
                found = json.loads(subprocess.run(one, check=True, capture_output=True, text=True).stdout)
                results.append({"photos": photos, **found})
                print(results[-1], file=sys.stderr, flush=True)
    more = {name: per_photo([found for found in results if found["step"] == name]) for name in steps}
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    print(json.dumps({**machine, "kib_per_photo": more, "results": results}, indent=1))


def per_photo(results: list[dict[str, float]]) -> float | None:
    first, last = results[0], results[-1]
    if first["photos"] == last["photos"]:
        return None
    return round((last["peak_mib"] - first["peak_mib"]) * 1024 / (last["photos"] - first["photos"]), 2)


if __name__ == "__main__":
    main(sys.argv[1:])
