"""What an audit with a model costs beside the bare forward pass of its backbone over the same pictures, in one run.

    python benchmarks/bench_with_model.py FOLDER [--model gtloc-small] [--most 64] [--rounds 1] [--out with_model.json]

Three processes in turns: the bare backbone (pictures decoded and prepared beforehand, which is not counted), an audit
with the model, an audit without. ``of_bare`` is the bare pass over the whole audit: 1.0 would be an audit that costs
nothing else; ``of_what_each_photo_adds`` leaves out the audit without a model and the loading of torch and the
model, which costs the same for ten photos as for a million. ``waiting`` is the share of the time between the first and
the last batch in which the model had none to look at: only on an idle machine does it say anything of the program.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench_speed import as_installed, audit


def bare(folder: Path, model: str) -> dict[str, Any]:
    """Time the backbone alone, in batches as the program gives them."""
    from gtloc_forensics import vision
    from gtloc_forensics.decode.pixels import decode
    from gtloc_forensics.examination.gathering import PHOTOS_ON_A_CPU
    from gtloc_forensics.vision import views

    begun = time.process_time()
    loaded = vision.load(model, device="cpu")  # loads torch as an audit does: its threads sleep while they wait
    start = time.process_time() - begun
    import torch

    from gtloc_forensics.vision import device as devices

    names = sorted(folder.iterdir())
    shown = [decode(path, path.name, "image/jpeg", short_side=loaded.short_side).shown for path in names]
    prepared = [views.prepare(picture.rgb, loaded.manifest.extractors) for picture in shown]
    loaded.backbone_features(prepared[:PHOTOS_ON_A_CPU])
    wall, cpu = time.perf_counter(), time.process_time()
    for first in range(0, len(prepared), PHOTOS_ON_A_CPU):
        loaded.backbone_features(prepared[first : first + PHOTOS_ON_A_CPU])
    return {
        "wall_s": round(time.perf_counter() - wall, 2),
        "cpu_s": round(time.process_time() - cpu, 2),
        "load_cpu_s": round(start, 2),
        "precision": str(devices.precision(torch.device("cpu"))),
        "threads": torch.get_num_threads(),
        "batch": PHOTOS_ON_A_CPU,
    }


def watched(folder: Path, case: Path, model: str) -> dict[str, Any]:
    """Audit in this process and say how long the model had nothing to look at between its first and last batch."""
    from dataclasses import replace

    from gtloc_forensics.case.case import open_case
    from gtloc_forensics.examination import drivers, planning
    from gtloc_forensics.examination.settings import Settings
    from gtloc_forensics.store.keys import VISION

    spans: list[tuple[float, float]] = []

    def timed(batch: Any, run: Any) -> None:
        begun = time.perf_counter()
        done(batch, run)
        spans.append((begun, time.perf_counter()))

    done = next(stage.do for stage in planning.STAGES if stage.name == VISION)
    drivers.STAGES = tuple(replace(stage, do=timed) if stage.name == VISION else stage for stage in planning.STAGES)
    with open_case(folder, case) as opened:
        opened.audit(Settings(model=model))
    whole = spans[-1][1] - spans[0][0]
    return {"waiting": round(1.0 - sum(end - begun for begun, end in spans) / whole, 3), "batches": len(spans)}


def child(*arguments: str) -> dict[str, Any]:
    """Run a part of this script in a process of its own."""
    done = subprocess.run([sys.executable, __file__, *arguments], check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def rounds(folder: Path, model: str, count: int) -> list[dict[str, Any]]:
    found = []
    for _ in range(count):
        with tempfile.TemporaryDirectory(prefix="gtloc-model-") as place:
            alone = child(str(folder), "--model", model, "--part", "bare")
            with_model = audit(folder, Path(place) / "with", model)
            without = audit(folder, Path(place) / "without", "none")
            seen = child(str(folder), "--model", model, "--part", "watched", "--case", str(Path(place) / "watched"))
        found.append(
            {
                "load": round(os.getloadavg()[0], 1),
                "bare": alone,
                "with_model": with_model,
                "without": without,
                **seen,
                "of_bare_by_cpu": round(alone["cpu_s"] / with_model["cpu_s"], 3),
                "of_bare_by_cpu_of_what_the_model_adds": round(
                    alone["cpu_s"] / (with_model["cpu_s"] - without["cpu_s"]), 3
                ),
                "of_bare_by_cpu_of_what_each_photo_adds": round(
                    alone["cpu_s"] / (with_model["cpu_s"] - without["cpu_s"] - alone["load_cpu_s"]), 3
                ),
                "of_bare_by_wall": round(alone["wall_s"] / with_model["wall_s"], 3),
            }
        )
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Run and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="gtloc-small")
    parser.add_argument("--most", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--part", choices=("bare", "watched"))
    parser.add_argument("--case", type=Path)
    options = parser.parse_args()
    as_installed()
    if options.part == "bare":
        print(json.dumps(bare(options.folder, options.model)))
        return
    if options.part == "watched":
        print(json.dumps(watched(options.folder, options.case, options.model)))
        return
    with tempfile.TemporaryDirectory(prefix="gtloc-model-") as made:
        paths = sorted(path for path in options.folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))
        for path in paths[:: max(1, len(paths) // options.most)][: options.most]:
            shutil.copy2(path, made)
        machine = {"machine": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}
        found = rounds(Path(made), options.model, options.rounds)
        result = {
            "machine": machine,
            "model": options.model,
            "photos": len(list(Path(made).iterdir())),
            "rounds": found,
        }
    text = json.dumps(result, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
