"""Output files: outside the evidence, and there complete or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gtloc_forensics.errors import EvidenceTreeError, UsageError


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


def refuse_inside(output: Path, evidence: Path) -> None:
    """Make sure that *output*, which need not exist yet, lies outside *evidence*.

    Links and ``..`` are resolved, and folders are compared by identity too, so
    that a second mount of the same folder does not hide it.

    Raises:
        EvidenceTreeError: when it lies inside, or is the evidence folder itself.
        UsageError: when the path runs in circles.
    """
    try:
        place, tree = output.resolve(), evidence.resolve()
    except (OSError, RuntimeError) as error:
        raise UsageError(f"{output} cannot be resolved ({error}); choose another output folder") from error
    if place.is_relative_to(tree) or any(_same(ancestor, tree) for ancestor in (place, *place.parents)):
        raise EvidenceTreeError(output, evidence)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
