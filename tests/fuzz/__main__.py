"""Makes hostile files from consecutive seeds and says what does not hold of their cases."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from fuzz.examining import faults_of

MODEL_EVERY = 20
"""Every so many folders a model looks too, and a report is written."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of the first file")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=100, help="files in one folder")
    parser.add_argument("--model", default="", help="'none', or a model, for every folder [default: a share of them]")
    parser.add_argument("--most-faults", type=int, default=10, help="stop after so many folders with faults")
    said = parser.parse_args(arguments)
    begun, wrong = time.monotonic(), 0
    for number, first in enumerate(range(said.seed, said.seed + said.files, said.at_once)):
        files = min(said.at_once, said.seed + said.files - first)
        with_model = number % MODEL_EVERY == 0
        model = said.model or ("gtloc-small" if with_model else "none")
        faults = faults_of(first, files, model=model, report=with_model)
        for fault in dict.fromkeys(faults):
            print(f"seeds {first}–{first + files - 1}: {fault}", flush=True)
        if faults:
            wrong += 1
            print(f"again: PYTHONPATH=tests python -m fuzz --seed {first} --files {files} --model {model}", flush=True)
        if wrong >= said.most_faults:
            break
        print(f"{first + files - said.seed} files, {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    print(f"{wrong} folders with faults" if wrong else "nothing fell")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
