"""The listing: made once, sorted, cut into shards, kept in the case folder until everything in it is examined.

A run that goes on after another was stopped takes the listing as it lies there, so that it asks for the same shards
and finds their results. What came or changed in between is added behind it as shards of its own.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from gtloc_forensics.case.cluster.shards import Listed, Most, Shard, cut, is_unchanged
from gtloc_forensics.files import reading, writing
from gtloc_forensics.records import Candidate, FileStat

OPEN, FINISHED = "listing.jsonl.gz", "listing-finished.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A shard of the listing, and which of its files are still to be kept."""

    shard: Shard
    left: frozenset[bytes]


def listed(evidence: Path, candidates: Sequence[Candidate]) -> Iterator[Listed]:
    """Yield *candidates* with what is seen of them now, without opening them."""
    for candidate in candidates:
        try:
            stat = reading.look(evidence, candidate.relative)
        except OSError:
            stat = None  # whoever examines it will say why
        yield Listed(candidate, stat)


def wanted(folder: Path, evidence: Path, candidates: Sequence[Candidate], *, most: Most, together: int) -> list[Wanted]:
    """Return the shards to examine for *candidates*, and keep the listing in *folder*.

    Args:
        folder: where listings lie.
        evidence: the folder or container of the case.
        candidates: what is left to do, sorted by path.
        most: what a shard may hold.
        together: photos that a model is shown at a time.
    """
    path = folder / OPEN
    kept = read(path)
    left = {entry.candidate.relative: entry for entry in listed(evidence, candidates)}
    asked: list[Wanted] = []
    for shard in kept:
        here = frozenset(file.candidate.relative for file in shard.files if _is_left(file, left))
        for relative in here:
            del left[relative]
        if here:
            asked.append(Wanted(shard, here))
    new = list(cut(left.values(), most, together=together))
    asked += [Wanted(shard, frozenset(file.candidate.relative for file in shard.files)) for shard in new]
    if new or not path.is_file():
        write(path, [*kept, *new])
    return asked


def finish(folder: Path) -> None:
    """Set the listing aside: everything in it is in the case."""
    (folder / OPEN).replace(folder / FINISHED)


def write(path: Path, shards: Sequence[Shard]) -> None:
    """Write shards, one a line."""
    with writing.replaced(path) as draft, gzip.GzipFile(draft, "wb", compresslevel=6, mtime=0) as file:
        for shard in shards:
            line = [_plain(listed_file) for listed_file in shard.files]
            file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")


def read(path: Path) -> list[Shard]:
    """Return the shards of a listing; none where there is no listing, or it is damaged: then another one is made."""
    try:
        with gzip.open(path, "rb") as file:
            return [Shard(tuple(map(_file, json.loads(line)))) for line in file]
    except (OSError, EOFError, ValueError, TypeError, KeyError, RecursionError):
        return []


def _is_left(file: Listed, left: dict[bytes, Listed]) -> bool:
    now = left.get(file.candidate.relative)
    return now is not None and now.candidate == file.candidate and is_unchanged(file.stat, now.stat)


def _plain(file: Listed) -> list[Any]:
    stat = None if file.stat is None else astuple(file.stat)
    return [file.candidate.relative.hex(), stat, [name.hex() for name in file.candidate.sidecars]]


def _file(plain: Any) -> Listed:
    relative, stat, sidecars = plain
    candidate = Candidate(bytes.fromhex(relative), tuple(map(bytes.fromhex, sidecars)))
    return Listed(candidate, None if stat is None else FileStat(*stat))
