"""What an audit costs in CPU time, against bare exiftool on the same files, taken in turns in one run.

    python benchmarks/bench_speed.py FOLDER [--rounds 2] [--model none] [--out speed.json]
    python benchmarks/bench_speed.py --large FOLDER [--most 100]
    python benchmarks/bench_speed.py --commands FOLDER

CPU time is user and system time of a process and of all its children, so other programs on the machine disturb the
ratios little; wall time only means something on an idle machine, and the load is printed. ``--large`` first makes
12-megapixel JPEGs of the photos in FOLDER, with their own EXIF block and colour profile.
"""

from __future__ import annotations

import argparse
import compileall
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

LARGE = (4032, 3024)
COMMANDS = (
    *(["--version"], ["doctor"], ["search", "--help"], ["export", "--help"], ["search", "{case}", "--months", "6-8"]),
    *(["export", "{case}", "--format", "csv"], ["correct", "{case}"]),
)


def as_installed() -> None:
    """Compile the program as an installation does: else some settings have every start compile all of it again."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in ("gtloc_forensics", "gtloc_forensics.contrib"):
        for place in importlib.import_module(name).__path__:
            compileall.compile_dir(place, quiet=2)


def cost(command: list[str]) -> dict[str, float]:
    """Run *command*; return its seconds on the wall and of CPU time, children included, and its peak memory."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    first = None if process.stdout is None or not process.stdout.readline() else time.perf_counter() - begun
    if process.stdout is not None:
        while process.stdout.read(1 << 16):
            pass
    _, status, used = os.wait4(process.pid, 0)
    return {
        "wall_s": round(time.perf_counter() - begun, 2),
        "first_line_s": round(first or 0.0, 2),
        "cpu_s": round(used.ru_utime + used.ru_stime, 2),
        "peak_mib": round(used.ru_maxrss / 1024),  # of the largest process; at least what this one held
        "exit": os.waitstatus_to_exitcode(status),
    }


def audit(folder: Path, case: Path, model: str) -> dict[str, float]:
    """Audit *folder*, without a report."""
    program = [sys.executable, "-m", "gtloc_forensics", "audit", str(folder), "-o", str(case)]
    return cost([*program, "--model", model, "--no-report"])


def rounds(folder: Path, count: int, model: str) -> list[dict[str, object]]:
    """Run exiftool, a first and a second audit in turns."""
    found = []
    for _ in range(count):
        bare = cost(["exiftool", "-r", "-j", "-n", str(folder)])
        with tempfile.TemporaryDirectory(prefix="gtloc-speed-") as place:
            first = audit(folder, Path(place) / "case", model)
            second = audit(folder, Path(place) / "case", model)
        found.append(
            {
                "load": round(os.getloadavg()[0], 1),
                "exiftool": bare,
                "first": first,
                "second": second,
                "cpu_ratio_to_exiftool": round(first["cpu_s"] / bare["cpu_s"], 2),
                "second_faster_by_cpu": round(first["cpu_s"] / second["cpu_s"], 1),
                "second_faster_by_wall": round(first["wall_s"] / second["wall_s"], 1),
            }
        )
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    return found


def enlarge(folder: Path, into: Path, most: int) -> None:
    """Write at most *most* of the photos at 12 megapixels, grained as a sensor would, with their own metadata."""
    rng = np.random.default_rng(1)
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))
    for path in paths[:: max(1, len(paths) // most)][:most]:
        with Image.open(path) as picture:
            kept = {"exif": picture.info.get("exif"), "icc_profile": picture.info.get("icc_profile")}
            size = LARGE if picture.width >= picture.height else LARGE[::-1]
            pixels = np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BICUBIC), np.int16)
        grain = rng.normal(0, 6, (*pixels.shape[:2], 1)).astype(np.int16)
        large = Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))
        large.save(into / path.name, quality=88, **{name: value for name, value in kept.items() if value})


def commands(folder: Path) -> dict[str, object]:
    """Cost small commands on a case of *folder*."""
    with tempfile.TemporaryDirectory(prefix="gtloc-speed-") as place:
        case = Path(place) / "case"
        audit(folder, case, "none")
        said = [[part.format(case=case) for part in command] for command in COMMANDS]
        return {
            " ".join(command): cost([sys.executable, "-m", "gtloc_forensics", *asked])
            for command, asked in zip(COMMANDS, said, strict=True)
        }


def main() -> None:
    """Run and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--model", default="none")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--most", type=int, default=100)
    parser.add_argument("--commands", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    as_installed()
    machine = {"machine": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}
    result: dict[str, object] = {"machine": machine, "model": options.model}
    with tempfile.TemporaryDirectory(prefix="gtloc-speed-") as made:
        folder = options.folder
        if options.large:
            folder = Path(made)
            enlarge(options.folder, folder, options.most)
        if options.commands:
            result["commands"] = commands(folder)
        else:
            result |= {
                "photos": sum(1 for _ in folder.iterdir()),
                "rounds": rounds(folder, options.rounds, options.model),
            }
    text = json.dumps(result, indent=1)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
