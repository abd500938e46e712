"""What decoding costs: CPU time of the decoding processes and of the one that asks them, without and with a model.

    python benchmarks/bench_decoding.py FOLDER [--rounds 3] [--most 1000]

CPU time is user and system time. ``workers_s`` holds the start of the processes, which ``start_s`` names: it is the
same for ten photos and for a million. With a model its pixels are made and sent too; the model itself is not asked.
The photos are read once beforehand, so that no disk is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path

from gtloc_forensics.decode import Decoded, Decoder, Job

PROCESSES = 2


def children_s() -> float:
    """Return the CPU seconds of all ended children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(paths: list[Path], *, wants_pixels: bool) -> dict[str, float]:
    """Decode *paths* in processes of their own, as an audit does; return what it cost."""
    jobs = [
        Job(path, path.name, "image/jpeg", short_side=224 if wants_pixels else 384, wants_pixels=wants_pixels)
        for path in paths
    ]
    children, own = children_s(), time.process_time()
    with Decoder(PROCESSES) as decoder:
        made = [outcome for _, outcome in decoder.stream(jobs, window=64) if isinstance(outcome, Decoded)]
    return {
        "decoded": len(made),
        "workers_s": round(children_s() - children, 2),
        "asking_s": round(time.process_time() - own, 2),
        "preview_bytes": round(sum(len(each.preview_jpeg) for each in made) / max(1, len(made))),
    }


def main() -> None:
    """Run and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most", type=int, default=1000)
    options = parser.parse_args()
    paths = [path for path in sorted(options.folder.iterdir()) if path.suffix.lower() in (".jpg", ".jpeg")]
    paths = paths[: options.most]
    for path in paths:
        path.read_bytes()
    for _ in range(options.rounds):
        start = measured(paths[:PROCESSES], wants_pixels=False)["workers_s"]
        print(
            json.dumps(
                {
                    "load": round(os.getloadavg()[0], 1),
                    "start_s": start,
                    "facts": measured(paths, wants_pixels=False),
                    "facts_and_pixels": measured(paths, wants_pixels=True),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
