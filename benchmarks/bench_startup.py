"""How long one waits before anything happens: for help, for an import, for what is installed, for a model.

    python benchmarks/bench_startup.py [--repeats 7] [--model NAME] [--out benchmarks/startup.json]

Each figure is a fresh process; the least of the repeats counts, because other work on
the machine only ever adds. Goal: ``--help`` under one second on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

GOAL_HELP_S = 1.0
COMMANDS = {
    "python": ["-c", "pass"],
    "import gtloc_forensics": ["-c", "import gtloc_forensics"],
    "--help": ["-m", "gtloc_forensics", "--help"],
    "vision.installed()": ["-c", "from gtloc_forensics import vision; vision.installed()"],
    "import torch": ["-c", "import torch"],
    "timm beside it": ["-c", "from gtloc_forensics.vision.torchvision_shim import timm_module; timm_module()"],
}


def least_seconds(arguments: list[str], *, repeats: int) -> dict[str, float]:
    """Run python with *arguments* several times; return the least and the median wall time."""
    found = []
    for _ in range(repeats):
        begun = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        found.append(time.perf_counter() - begun)
    return {"least_s": round(min(found), 3), "median_s": round(sorted(found)[len(found) // 2], 3)}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--model", default="", help="also load this model")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    commands = dict(COMMANDS)
    if asked.model:
        code = "import sys; from gtloc_forensics import vision; vision.load(sys.argv[1], device='cpu')"
        commands[f"load {asked.model}"] = ["-c", code, asked.model]
    figures = {name: least_seconds(arguments, repeats=asked.repeats) for name, arguments in commands.items()}
    result = {
        "machine": {"system": platform.system(), "cores": os.cpu_count(), "python": platform.python_version()},
        "load_before": round(os.getloadavg()[0], 1),
        "repeats": asked.repeats,
        "figures": figures,
        "help_under_goal": figures["--help"]["least_s"] < GOAL_HELP_S,
    }
    text = json.dumps(result, indent=2) + "\n"
    if asked.out:
        asked.out.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
