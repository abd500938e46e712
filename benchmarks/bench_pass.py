"""What one pass of the shipped backbone costs, timm's own and the program's, by part, and how far the answers agree.

    python benchmarks/bench_pass.py FOLDER [--rounds 12] [--most 718]

In bfloat16 on one thread, batches of 8, CPU time, the two passes in turns: the least and the median of all rounds, for
other programs on the machine only ever add to it. The parts are shares of the time by the clock that torch's profiler
counts, to which it adds something of its own. Then photos are embedded in float32 and with both passes, and told their
places and times.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.profiler import ProfilerActivity, profile

from gtloc_forensics import vision
from gtloc_forensics.decode.pixels import decode
from gtloc_forensics.vision import device as devices
from gtloc_forensics.vision import encoders, views

BATCH = 8
PARTS = 12
KINDS = {"float32": torch.float32, "timm": torch.bfloat16, "short": torch.bfloat16}


def models() -> dict[str, vision.Model]:
    """Return the shipped model in float32, with timm's pass in bfloat16, and as the program runs it in bfloat16."""
    found, shortened = {}, encoders.short_pass
    for name, precision in KINDS.items():
        devices.precision = lambda device, precision=precision: precision
        encoders.short_pass = shortened if name == "short" else lambda *_: None
        found[name] = vision.load("gtloc-small", device="cpu")
    return found


def embedded(model: vision.Model, precision: torch.dtype, pictures: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Return what a model says of all pictures."""
    devices.precision = lambda device: precision
    rows = [model.embed(pictures[first : first + BATCH]) for first in range(0, len(pictures), BATCH)]
    return np.concatenate(rows)


def costs(passes: dict[str, Callable[[], object]], rounds: int) -> None:
    """Print what each pass costs and its dearest parts."""
    spent: dict[str, list[float]] = {name: [] for name in passes}
    for _ in range(rounds):
        for name, run in passes.items():
            begun = time.process_time()
            run()
            spent[name].append(1000 * (time.process_time() - begun) / BATCH)
    for name, run in passes.items():
        print(
            f"{name}: {min(spent[name]):.1f} ms a picture at least, {statistics.median(spent[name]):.1f} in the median"
        )
        with profile(activities=[ProfilerActivity.CPU]) as watched:
            for _ in range(4):
                run()
        parts = sorted(watched.key_averages(), key=lambda part: -part.self_cpu_time_total)[:PARTS]
        whole = sum(part.self_cpu_time_total for part in watched.key_averages())
        print("  " + ", ".join(f"{part.key} {part.self_cpu_time_total / whole:.1%}" for part in parts))


def agreement(one: str, other: str, rows: dict[str, NDArray[np.float32]], model: vision.Model) -> None:
    """Print how far two passes agree about all pictures."""
    size, names = model.embedding_size, [str(number) for number in range(len(rows[one]))]
    apart = rows[one][:, :size] - rows[other][:, :size]
    cosine = (rows[one][:, :size] * rows[other][:, :size]).sum(axis=1).min()
    told = list(zip(model.predict(rows[one], names), model.predict(rows[other], names), strict=True))
    variation = max(float(np.abs(a.time.mass - b.time.mass).sum()) / 2 for a, b in told)
    first = [
        (a.argmax(1) != b.argmax(1)).sum()
        for a, b in zip(*map(model.similarities, (rows[one], rows[other])), strict=True)
    ]
    furthest = max(hours(a.local_hour - b.local_hour) for a, b in told)
    print(f"{one} against {other}, {len(told)} pictures")
    print(f"  an entry {np.abs(apart).max():.5f} at most, {np.sqrt((apart**2).mean()):.6f} in the mean square")
    print(f"  least cosine {cosine:.6f}; density over time, total variation {variation:.4f} at most")
    print(f"  another hour told of {sum(a.local_hour != b.local_hour for a, b in told)}, by {furthest} h at most")
    print(f"  another place told of {sum(a.position != b.position for a, b in told)}")
    print(f"  another nearest time of {first[0]}, another nearest place of {first[1]}")


def hours(apart: float) -> float:
    """Return how far two hours of the day lie apart."""
    return abs((apart + 12.0) % 24.0 - 12.0)


def main() -> None:
    """Print costs and agreement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--most", type=int, default=718)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = models()
    short = found["short"]
    paths = [path for path in sorted(options.folder.iterdir()) if path.suffix.lower() in (".jpg", ".jpeg")]
    shown = [decode(path, path.name, "image/jpeg", short_side=short.short_side).shown for path in paths[: options.most]]
    pictures = [views.prepare(picture.rgb, short.manifest.extractors) for picture in shown]
    passes = {name: lambda model=found[name]: model.backbone_features(pictures[:BATCH]) for name in ("timm", "short")}
    for run in passes.values():
        run()
    costs(passes, options.rounds)
    rows = {name: embedded(found[name], kind, pictures) for name, kind in KINDS.items()}
    for one, other in (("short", "timm"), ("timm", "float32"), ("short", "float32")):
        agreement(one, other, rows, short)


if __name__ == "__main__":
    main()
