"""Output files that are there complete or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gtloc_forensics.files.listing import refuse_inside

__all__ = ["refuse_inside", "replaced"]


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Lend a draft beside *path* and put it in its place when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield draft
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.replace(path)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
