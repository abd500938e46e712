"""What the vision stage costs beside the bare forward pass of the same backbone, and whether devices agree.

    python benchmarks/bench_vision.py [--model NAME] [--photos 64] [--device auto] [--threads 1] [--out FILE.json]

Pictures are made up (1200 × 900, seeded). Reported: pictures per second of the bare
backbone at the batch size in use, of ``embed`` and ``predict``, of preparing on one thread, of all
three one after the other and with preparing ahead on threads as a run does it, the time to encode
the galleries, and, with an accelerator, the largest difference between it and the CPU.
Goal: the whole at least 0.8 of the bare forward pass.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from gtloc_forensics import vision
from gtloc_forensics.records import Pixels
from gtloc_forensics.vision import device as devices
from gtloc_forensics.vision import views

CHUNK = 32


def made_up(count: int) -> list[Pixels]:
    """Return *count* different pictures."""
    rng = np.random.default_rng(0)
    plates = [np.kron(rng.integers(0, 256, (30, 40, 3), np.uint8), np.ones((30, 30, 1), np.uint8)) for _ in range(8)]
    return [Pixels(f"{n:016x}", np.roll(plates[n % 8], n, axis=1), 1200, 900) for n in range(count)]


def seconds(work: Callable[[], object]) -> float:
    """Return how long *work* takes, the accelerator's queue emptied."""
    begun = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def bare_forward(model: vision.Model, prepared: list[np.ndarray]) -> None:
    """Run the backbones alone, pictures on the device already."""
    specs, size = model.manifest.extractors, model._batches.size
    chunks = [prepared[i : i + size] for i in range(0, len(prepared), size)]
    for chunk in chunks:
        seen = [torch.from_numpy(view).to(model.device) for view in views.unpack(chunk, specs)]
        with torch.inference_mode(), devices.autocast(model.device):
            model._module.backbone(seen)


def in_turn(model: vision.Model, pictures: list[Pixels]) -> None:
    """Prepare, embed, predict; chunk by chunk, one after the other."""
    for first in range(0, len(pictures), CHUNK):
        chunk = pictures[first : first + CHUNK]
        model.predict(model.embed([model.prepare(photo) for photo in chunk]), [photo.source_id for photo in chunk])


def ahead(model: vision.Model, pictures: list[Pixels], *, threads: int) -> None:
    """The same with preparing on other threads, at most two chunks ahead."""
    chunks = [pictures[i : i + CHUNK] for i in range(0, len(pictures), CHUNK)]
    with ThreadPoolExecutor(threads) as pool:
        waiting = [[pool.submit(model.prepare, photo) for photo in chunk] for chunk in chunks[:2]]
        for number, chunk in enumerate(chunks):
            prepared = [task.result() for task in waiting.pop(0)]
            if number + 2 < len(chunks):
                waiting.append([pool.submit(model.prepare, photo) for photo in chunks[number + 2]])
            model.predict(model.embed(prepared), [photo.source_id for photo in chunk])


def agreement(name: str, model: vision.Model, prepared: list[np.ndarray], cache: Path) -> dict[str, float]:
    """Return the largest differences between the accelerator and the CPU."""
    other = vision.load(name, device="cpu", cache_dir=cache)
    few = prepared[:16]
    one, two = model.embed(few), other.embed(few)
    times = [loaded.densities(rows)[0] for loaded, rows in ((model, one), (other, two))]
    return {"embedding": float(np.abs(one - two).max()), "time_mass": float(np.abs(times[0] - times[1]).max())}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="", help="a name that `gtloc model list` shows; the first by default")
    parser.add_argument("--photos", type=int, default=64)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    name = asked.model or next(iter(vision.installed()), "")
    if not name:
        parser.error("no model is installed")
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        first_load = seconds(lambda: vision.load(name, device=asked.device, cache_dir=cache))
        second_load = seconds(lambda: vision.load(name, device=asked.device, cache_dir=cache))
        model = vision.load(name, device=asked.device, cache_dir=cache)
        pictures = made_up(asked.photos)
        prepared = [model.prepare(picture) for picture in pictures]
        in_turn(model, pictures[:CHUNK])  # warm
        embedded = model.embed(prepared)
        taken = {
            "bare forward": seconds(lambda: bare_forward(model, prepared)),
            "prepare": seconds(lambda: [model.prepare(picture) for picture in pictures]),
            "embed": seconds(lambda: model.embed(prepared)),
            "predict": seconds(lambda: model.predict(embedded, [picture.source_id for picture in pictures])),
            "all in turn": seconds(lambda: in_turn(model, pictures)),
            "prepared ahead": seconds(lambda: ahead(model, pictures, threads=asked.threads)),
        }
        result = {
            "machine": {
                "system": platform.system(),
                "cores": os.cpu_count(),
                "load_before": round(os.getloadavg()[0], 1),
            },
            "model": dict(model.facts),
            "photos": asked.photos,
            "threads": asked.threads,
            "batch": model._batches.size,
            "load_s": {"galleries encoded": round(first_load, 2), "galleries kept": round(second_load, 2)},
            "pictures_per_s": {what: round(asked.photos / spent, 2) for what, spent in taken.items()},
            "share_of_bare_forward": {
                what: round(taken["bare forward"] / taken[what], 3) for what in ("all in turn", "prepared ahead")
            },
        }
        if model.device.type == "cuda":
            result["differs_from_cpu"] = agreement(name, model, prepared, cache)
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    if asked.out:
        asked.out.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
