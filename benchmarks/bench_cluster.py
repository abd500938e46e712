#!/usr/bin/env python3
"""What sharing out costs: `local:N` against the inline driver on the same photos, shard by shard and byte by byte.

    python benchmarks/bench_cluster.py FOLDER --photos 256 --model none --repeat 3

CPU seconds are user and system time of a run and all its children, each run a process of its own, in turns. What
counts are ratios within one call. The overhead of a shard comes from two sizes of shards on the same photos.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ONE = """
import json, os, sys, time
from pathlib import Path
from gtloc_forensics.case.case import open_case
from gtloc_forensics.case.cluster import driver, spool
from gtloc_forensics.case.cluster.addresses import address_of
from gtloc_forensics.case.cluster.cluster import Cluster
from gtloc_forensics.case.cluster.shards import Most
from gtloc_forensics.examination.settings import Settings
evidence, case_folder, way, sources, model = sys.argv[1:]
from gtloc_forensics.examination.gathering import Gathering
spent = {"read": 0.0, "keep": 0.0}
def counted(kind, name, part):
    whole = getattr(kind, name)
    def timed(*given):
        began = time.thread_time()
        try:
            return whole(*given)
        finally:
            spent[part] += time.thread_time() - began
    setattr(kind, name, timed)
counted(Gathering, "_keep", "keep")
if way != "inline":
    counted(spool.Spool, "read", "read")
spool.Spool.clear = lambda self, keys: None  # so that the results can be weighed
cluster = None if way == "inline" else Cluster(address_of(way), most=Most(sources=int(sources)))
with open_case(Path(evidence), Path(case_folder)) as case:
    case.audit(Settings(model=model, device="cpu", jobs=0), cluster=cluster)
results = sorted(Path(case_folder, "cluster").glob("??/*.examined"))
spent = dict(spent)
began = time.process_time()
lots = spool.Spool(Path(case_folder, "cluster")) if results else None
photos = sum(len(lots.read(path.stem)) for path in results)
print(json.dumps({
    "shards": len(results), "photos": photos, "bytes": sum(path.stat().st_size for path in results),
    "reading_s": time.process_time() - began, "imported_s": spent,
}))
"""


def run(evidence: Path, place: Path, way: str, sources: int, model: str) -> dict[str, float]:
    """Return what one audit cost."""
    shutil.rmtree(place, ignore_errors=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", ONE, str(evidence), str(place), way, str(sources), model],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1760000000", "OMP_NUM_THREADS": "1"},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_s": cpu_s, **json.loads(done.stdout.splitlines()[-1])}


def main() -> None:
    """Run the ways in turns and print what they cost as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=256)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--model", default="none")
    parser.add_argument("--repeat", type=int, default=3)
    asked = parser.parse_args()
    ways = {
        "inline": ("inline", 256),
        "local": (f"local:{asked.slots}", 64),
        "small shards": (f"local:{asked.slots}", 8),
    }
    with tempfile.TemporaryDirectory(prefix="gtloc-bench-") as name:
        evidence = Path(name) / "photos"
        evidence.mkdir()
        files = sorted(path for path in asked.folder.rglob("*") if path.is_file())[: asked.photos]
        for number, path in enumerate(files):
            shutil.copy2(path, evidence / f"{number:06}{path.suffix}")
        cost: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
        for _ in range(asked.repeat):
            for way, (address, sources) in ways.items():
                cost[way].append(run(evidence, Path(name) / "case", address, sources, asked.model))
    cpu_s = {way: [one["cpu_s"] for one in runs] for way, runs in cost.items()}
    last, small = cost["local"][-1], cost["small shards"][-1]
    apart = small["shards"] - last["shards"]
    print(
        json.dumps(
            {
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}",
                "when": time.strftime("%Y-%m-%d"),
                "photos": len(files),
                "model": asked.model,
                "cpu_s": {way: [round(one, 2) for one in values] for way, values in cpu_s.items()},
                "local : inline": [round(b / a, 3) for a, b in zip(cpu_s["inline"], cpu_s["local"], strict=True)],
                "cpu_s of a shard more": [
                    round((b - a) / apart, 4) for a, b in zip(cpu_s["local"], cpu_s["small shards"], strict=True)
                ],
                "result bytes a photo": round(last["bytes"] / last["photos"]),
                "result bytes a shard": round(last["bytes"] / last["shards"]),
                "shards": [last["shards"], small["shards"]],
                "importing, cpu ms a photo": {
                    part: round(1000 * median(each["imported_s"][part] / each["photos"] for each in cost["local"]), 2)
                    for part in ("read", "keep")
                },
                "reading results, cpu ms a photo": round(
                    1000 * median(one["reading_s"] / one["photos"] for one in cost["local"]), 3
                ),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
