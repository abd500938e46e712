"""What a report costs: CPU seconds, peak memory, pages and bytes, by number of photos.

    python benchmarks/bench_report.py [photos ...]        # default 100 1000 10000; a case held in memory
    python benchmarks/bench_report.py --case CASE [CASE ...] [--ways html brief separate full]

Every one runs in a process of its own, so that peak memory is its own; the JSON on
stdout names the machine's Python and the bytes written.

Without a case: a tenth of the photos of the small case, a fiftieth of the others, have findings and pages with all
drawings. The case is held in memory by the fake, so `report_mib` is what the report adds to it.

With cases, as bench_memory.py makes them (`--step gather` and `--step conclude` of a folder), `gtloc report` and `gtloc
export --format html` are run on each as a person runs them: ``html``, ``brief`` (`--edition brief`), ``separate``
(`--appendix separate`, pages and bytes of both files) and ``full``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

WAYS: dict[str, tuple[str, ...]] = {
    "html": ("export", "--format", "html"),
    "brief": ("report", "--edition", "brief"),
    "separate": ("report", "--appendix", "separate"),
    "full": ("report",),
}


def measure(photos: int, kind: str) -> dict[str, float | int | str]:
    """Return what a report of a case held in memory costs."""
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


def of_case(case: Path, way: str, kept: Path | None) -> dict[str, object]:
    """Return what a report costs as a person makes it; the files are left in *kept* where that is named."""
    with tempfile.TemporaryDirectory() as made:
        folder = kept or Path(made)
        command, *options = WAYS[way]
        path = folder / f"{way}.{'html' if way == 'html' else 'pdf'}"
        told = [sys.executable, "-m", "gtloc_forensics", command, str(case), *options, "-o", str(path)]
        child = subprocess.Popen(told, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        if status:
            return {"case": case.name, "way": way, "failed": os.waitstatus_to_exitcode(status)}
        files = sorted(folder.glob(f"{way}*"))
        return {
            "way": way,
            "photos": photos_of(case),
            "cpu_s": round(used.ru_utime + used.ru_stime, 1),
            "peak_mib": round(used.ru_maxrss / 1024, 1),
            "bytes": [file.stat().st_size for file in files],
            "pages": [pages_of(file) for file in files if file.suffix == ".pdf"],
            "load": round(os.getloadavg()[0], 1),
        }


def photos_of(case: Path) -> int:
    """Return how many photos the newest examination of a case has."""
    import sqlite3

    kept = sqlite3.connect(f"file:{case / 'case.sqlite'}?mode=ro", uri=True)
    asked = "SELECT count(*) FROM member WHERE examination_id = (SELECT max(id) FROM examination)"
    return int(kept.execute(asked).fetchone()[0])


def pages_of(report: Path) -> int:
    """Return how many pages a PDF has."""
    told = subprocess.run(["pdfinfo", str(report)], check=True, capture_output=True, text=True).stdout
    return next(int(line.split()[1]) for line in told.splitlines() if line.startswith("Pages:"))


def main() -> None:
    """Measure what is asked for, print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--case", type=Path, nargs="+")
    parser.add_argument("--ways", choices=list(WAYS), nargs="+", default=list(WAYS))
    parser.add_argument("--keep", type=Path, help="Folder for what is made, to look at.")
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(int(asked.one[0]), asked.one[1])))
        return
    results: list[object] = []
    if asked.case:
        for case in asked.case:
            for way in asked.ways:
                results.append(of_case(case, way, asked.keep))
                print(json.dumps(results[-1]), file=sys.stderr, flush=True)
    else:
        for photos in asked.photos:
            for kind in ("pdf", "html"):
                one = [sys.executable, __file__, "--one", str(photos), kind]
                results.append(json.loads(subprocess.run(one, check=True, capture_output=True, text=True).stdout))
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    print(json.dumps({**machine, "results": results}, indent=1))


if __name__ == "__main__":
    main()
