"""Does watching keep its memory, and how soon does it react?

    python benchmarks/bench_watch.py [--events 100000] [--out watch.json]

Two things are measured in one process, on real files and real notices of the system:

* memory: files are written, announced and removed in rounds until at least so many
  notices were taken; resident memory after the first tenth and at the end, their
  ratio, and how many files were announced (each exactly once, or it fails);
* reaction: the seconds between closing a file and its announcement, when idle.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from gtloc_forensics.files.watching import Arrival, Watcher

ROUND = 1000
HEAD = b"\xff\xd8\xff\xe0" + bytes(60)
LARGEST_RATIO = 1.1


class Measured(Watcher):
    """A watcher that counts the notices it takes."""

    notices = 0

    def _notice(self, number, relative, sign):
        self.notices += 1
        super()._notice(number, relative, sign)


class Run:
    """A watcher in a thread, and what it announced."""

    def __init__(self, root: Path) -> None:
        self.stop = threading.Event()
        self.watcher = Measured([root], stop=self.stop)
        self.announced: dict[bytes, float] = {}
        self.twice = 0
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._work)
        self.thread.start()
        self.ready.wait()

    def _work(self) -> None:
        for event in self.watcher:
            if isinstance(event, Arrival):
                self.twice += event.candidate.relative in self.announced
                self.announced[event.candidate.relative] = time.monotonic()
            elif event.kind == "rescanned":
                self.ready.set()

    def wait_for(self, many: int) -> None:
        end = time.monotonic() + 120
        while len(self.announced) < many:
            if time.monotonic() > end:
                raise SystemExit(f"only {len(self.announced)} of {many} files were announced")
            time.sleep(0.01)

    def end(self) -> None:
        self.stop.set()
        self.thread.join()


def resident_mb() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def write(folder: Path, name: str) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / name).open("wb") as file:
        file.write(HEAD)


def memory(root: Path, events: int) -> dict[str, float]:
    run = Run(root)
    files = rounds = 0
    early_mb = 0.0
    began = time.monotonic()
    while run.watcher.notices < events:
        folder = root / f"round{rounds}"
        for number in range(ROUND):
            write(folder, f"IMG_{number:05}.jpg")
        run.wait_for(ROUND)
        run.announced.clear()  # what a consumer keeps is not the watcher's
        files += ROUND
        rounds += 1
        shutil.rmtree(folder)
        if not early_mb and run.watcher.notices >= events / 10:
            early_mb = resident_mb()
    seconds = time.monotonic() - began
    late_mb = resident_mb()
    run.end()
    if run.twice:
        raise SystemExit(f"{run.twice} files were announced twice")
    return {
        "notices": run.watcher.notices,
        "files": files,
        "notices_per_s": run.watcher.notices / seconds,
        "resident_mb_after_a_tenth": early_mb,
        "resident_mb_at_the_end": late_mb,
        "ratio": late_mb / early_mb,
    }


def reaction(root: Path, samples: int) -> dict[str, float]:
    run = Run(root)
    waits = []
    for number in range(samples):
        time.sleep(0.05)
        write(root, f"{number}.jpg")
        closed = time.monotonic()
        run.wait_for(number + 1)
        waits.append(run.announced[f"{number}.jpg".encode()] - closed)
    run.end()
    waits.sort()
    return {
        "samples": samples,
        "median_s": waits[samples // 2],
        "p95_s": waits[samples * 95 // 100],
        "max_s": waits[-1],
    }


def commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        roots = [Path(folder, name) for name in ("memory", "reaction")]
        for root in roots:
            root.mkdir()
        result = {
            "benchmark": "watch",
            "commit": commit(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "python": platform.python_version(),
            "memory": memory(roots[0], options.events),
            "reaction": reaction(roots[1], options.samples),
        }
    text = json.dumps(result, indent=2)
    sys.stdout.write(text + "\n")
    if options.out:
        options.out.write_text(text + "\n")
    if result["memory"]["ratio"] > LARGEST_RATIO:
        raise SystemExit(f"memory grew by {result['memory']['ratio']:.2f}")


if __name__ == "__main__":
    main()
