"""Progress that another program follows in a file, and the file by which it asks us to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

LEAST_S = 0.2
"""Seconds between two lines within a stage: nobody looks more often."""

STOP = ".stop"

Progress = Callable[[str, int, int | None], None]


def kept_in(path: Path, progress: Progress) -> Progress:
    """Return a progress callback that also writes ``stage done total`` lines to *path*, and stops when asked to.

    A file of that name with ``.stop`` added asks us to stop: then the callback ends the
    run as Ctrl-C does, and the same command goes on from there later. An old one is removed.

    Args:
        path: outside the evidence; what it held is lost.
        progress: is told as well.
    """
    stop = path.with_name(path.name + STOP)
    stop.unlink(missing_ok=True)
    path.write_bytes(b"")
    said: dict[str, float] = {}

    def callback(stage: str, done: int, total: int | None) -> None:
        if stop.exists():
            raise KeyboardInterrupt
        now = time.monotonic()
        if done == total or now - said.get(stage, -LEAST_S) >= LEAST_S:
            said[stage] = now
            with path.open("a", encoding="ascii") as file:
                file.write(f"{stage}\t{done}\t{'' if total is None else total}\n")
        progress(stage, done, total)

    return callback
