"""How fast the shipped model looks in float32 and in bfloat16 on this processor, and how far the answers agree.

    python benchmarks/bench_precision.py --photos ../shared/photos

Pictures for each second of processor time of one thread, so that other work on the machine does not count;
every thirteenth photo of people in ``val``. Needs a processor that multiplies bfloat16.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from gtloc_forensics import vision
from gtloc_forensics.records import Pixels
from gtloc_forensics.vision import device as devices

FIRST, STEP = 5, 13


def pictures(folder: Path) -> list[Pixels]:
    """Return the photos asked."""
    with (folder / "photos.csv").open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == "val" and row["kind"] in ("photo", "time-only")]
    found = []
    for row in rows[FIRST::STEP]:
        with Image.open(folder / "images" / f"{row['id']}.jpg") as opened:
            rgb = np.asarray(opened.convert("RGB"))
        found.append(Pixels(row["id"], rgb, *rgb.shape[1::-1]))
    return found


def embedded(views: list[NDArray[np.uint8]], kind: torch.dtype) -> tuple[NDArray[np.float32], float]:
    """Return what a precision embeds, and pictures a second."""
    devices.precision = lambda device: kind
    model = vision.load("gtloc-small", device="cpu")  # a model keeps its weights at the precision it is loaded for
    model.embed(views[:1])
    started = time.process_time()
    rows = model.embed(views)
    return rows, len(views) / (time.process_time() - started)


def main() -> None:
    """Print the rates and the agreement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=Path("../shared/photos"))
    shots = pictures(parser.parse_args().photos)
    torch.set_num_threads(1)
    model = vision.load("gtloc-small", device="cpu")
    views = [model.prepare(shot) for shot in shots]
    (plain, slow), (half, fast) = (embedded(views, kind) for kind in (torch.float32, torch.bfloat16))
    size = model.embedding_size
    print(f"{len(shots)} pictures: float32 {slow:.1f} a second, bfloat16 {fast:.1f}")
    cosine = (plain[:, :size] * half[:, :size]).sum(1).min()
    print(f"embedding: {np.abs(plain - half)[:, :size].max():.5f} an entry, least cosine {cosine:.6f}")
    names = [shot.source_id for shot in shots]
    told = list(zip(model.predict(plain, names), model.predict(half, names), strict=True))
    variation = max(float(np.abs(one.time.mass - other.time.mass).sum()) / 2 for one, other in told)
    height = max(float(np.abs(one.sun_height.mass - other.sun_height.mass).max()) for one, other in told)
    datable = max(abs(one.datable - other.datable) for one, other in told)
    hours = max(abs(one.local_hour - other.local_hour) for one, other in told)
    print(f"time: total variation {variation:.4f}, hour told {hours:.1f}")
    print(f"sun's height: a cell {height:.4f}; datable {datable:.4f}")


if __name__ == "__main__":
    main()
