"""What an audit with a model costs beside the forward pass of its backbone over the same pictures, in one run.

    python benchmarks/bench_with_model.py FOLDER [--model gtloc-small] [--most 64] [--rounds 1] [--out with_model.json]

Three processes in turns: the backbone alone, an audit with the model, an audit without. The backbone is timed twice,
batch by batch in turns, and decoding is counted with neither: ``plain``, as timm builds and runs it, eager, its weights
in the precision that the program uses here, of pictures that are floats already; and ``own``, as the program runs it,
from bytes to pooled features (``gtloc_forensics/vision/short_pass.py`` where the net is a plain vision transformer and
the processor multiplies bfloat16).

Every ``plain_pass_by…`` is the plain pass over what an audit costs; it may exceed 1, for the program's own is cheaper:
over the whole audit, over what the model adds to an audit without one, and over what each photo adds, which leaves out
the loading of torch and the model, too: that costs the same for ten photos as for a million. ``own_pass_by…`` is the
program's own pass over the same: what is left of 1 is what surrounds it. ``waiting`` is the share of the time between
the first and the last batch in which the model had none to look at: only on an idle machine does it say anything of the
program.
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
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench_speed import as_installed, audit


class Plain:
    """The backbones of a model as timm builds and runs them, weights and pictures in the precision used here."""

    def __init__(self, model: str, precision: Any) -> None:
        """Build them from the files of a model."""
        from gtloc_forensics.vision import library, weights

        self.precision = precision
        self.extractors = list(weights.load(library.find(model)).module.extractors.values())
        for extractor in self.extractors:
            extractor.net.to(precision)

    def pictures(self, seen: Sequence[Any]) -> list[Any]:
        """Return what the nets are shown of prepared bytes."""
        import torch

        return [
            ((torch.from_numpy(view).float() / 255.0 - extractor.mean) / extractor.std).to(self.precision)
            for view, extractor in zip(seen, self.extractors, strict=True)
        ]

    def __call__(self, pictures: Sequence[Any]) -> None:
        """Run them, for nothing but the time it takes."""
        import torch

        with torch.inference_mode():
            for extractor, picture in zip(self.extractors, pictures, strict=True):
                extractor.net.forward_features(picture)


def backbones(folder: Path, model: str) -> dict[str, Any]:
    """Time the backbone alone, plain and as the program runs it, in batches as the program gives them."""
    from gtloc_forensics import vision
    from gtloc_forensics.decode.pixels import decode
    from gtloc_forensics.examination.gathering import PHOTOS_ON_A_CPU
    from gtloc_forensics.vision import views

    begun = time.process_time()
    loaded = vision.load(model, device="cpu")  # loads torch as an audit does: its threads sleep while they wait
    start = time.process_time() - begun
    import torch

    from gtloc_forensics.vision import device as devices

    precision = devices.precision(torch.device("cpu"))
    plain = Plain(model, precision)
    names = sorted(folder.iterdir())
    shown = [decode(path, path.name, "image/jpeg", short_side=loaded.short_side).shown for path in names]
    prepared = [views.prepare(picture.rgb, loaded.manifest.extractors) for picture in shown]
    spent: dict[str, list[float]] = {}
    for first in (0, *range(0, len(prepared), PHOTOS_ON_A_CPU)):  # the first batch twice, for nothing that first time
        batch = prepared[first : first + PHOTOS_ON_A_CPU]
        pictures = plain.pictures(views.unpack(batch, loaded.manifest.extractors))
        if not first:
            spent = {"plain": [0.0, 0.0], "own": [0.0, 0.0]}
        for name, run in (("plain", partial(plain, pictures)), ("own", partial(loaded.backbone_features, batch))):
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            spent[name][0] += time.perf_counter() - wall
            spent[name][1] += time.process_time() - cpu
    return {
        **{name: {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2)} for name, (wall, cpu) in spent.items()},
        "load_cpu_s": round(start, 2),
        "precision": str(precision),
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
            alone = child(str(folder), "--model", model, "--part", "backbones")
            with_model = audit(folder, Path(place) / "with", model)
            without = audit(folder, Path(place) / "without", "none")
            seen = child(str(folder), "--model", model, "--part", "watched", "--case", str(Path(place) / "watched"))
        added = with_model["cpu_s"] - without["cpu_s"]
        found.append(
            {
                "load": round(os.getloadavg()[0], 1),
                "backbones": alone,
                "with_model": with_model,
                "without": without,
                **seen,
                **{
                    f"{name}_pass_by_{of}": round(alone[name][kind] / whole, 3)
                    for name in ("plain", "own")
                    for of, kind, whole in (
                        ("cpu_of_the_audit", "cpu_s", with_model["cpu_s"]),
                        ("cpu_of_what_the_model_adds", "cpu_s", added),
                        ("cpu_of_what_each_photo_adds", "cpu_s", added - alone["load_cpu_s"]),
                        ("wall_of_the_audit", "wall_s", with_model["wall_s"]),
                    )
                },
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
    parser.add_argument("--part", choices=("backbones", "watched"))
    parser.add_argument("--case", type=Path)
    options = parser.parse_args()
    as_installed()
    if options.part == "backbones":
        print(json.dumps(backbones(options.folder, options.model)))
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
