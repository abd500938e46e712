"""What a report costs: CPU seconds and peak memory of a PDF, by number of photos.

    python benchmarks/bench_report.py [photos ...]        # default 100 1000 10000

Every count runs in a process of its own, so that peak memory is its own; the JSON on
stdout names the machine's Python and the bytes written. A tenth of the photos of the
small case, a fiftieth of the others, have findings and pages with all drawings. The
case is held in memory by the fake, so `report_mib` is what the report adds to it.
"""

from __future__ import annotations

import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))


def measure(photos: int, kind: str) -> dict[str, float | int | str]:
    from fake_case import large_case

    from gtloc_forensics.report import write_html, write_pdf

    case = large_case(photos, found_every=1 if photos <= 100 else 50)
    before_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"case.{kind}"
        started = time.process_time()
        (write_pdf if kind == "pdf" else write_html)(case, path, report_date=date(2026, 11, 21))
        cpu_s = time.process_time() - started
        size = path.stat().st_size
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "kind": kind,
        "photos": photos,
        "cpu_s": round(cpu_s, 2),
        "bytes": size,
        "peak_mib": round(peak_mib),
        "report_mib": round(peak_mib - before_mib),
    }


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["--one"]:
        print(json.dumps(measure(int(arguments[1]), arguments[2])))
        return
    results = []
    for photos in [int(argument) for argument in arguments] or [100, 1000, 10_000]:
        for kind in ("pdf", "html"):
            one = [sys.executable, __file__, "--one", str(photos), kind]
            results.append(json.loads(subprocess.run(one, check=True, capture_output=True, text=True).stdout))
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    print(json.dumps({**machine, "results": results}, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
