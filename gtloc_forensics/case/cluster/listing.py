"""The listing: made once, sorted, cut into shards, kept in the case folder until everything in it is examined.

A run that goes on after another was stopped takes the listing as it lies there, so that it asks for the same shards
and finds their results. What came or changed in between is added behind it as shards of its own.
"""

from __future__ import annotations

import gzip
import json
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

from gtloc_forensics.case.cluster.shards import Listed, Most, Shard, cut, is_unchanged
from gtloc_forensics.examination.on_disk import OnDisk
from gtloc_forensics.files import reading, writing
from gtloc_forensics.records import Candidate, FileStat

OPEN, FINISHED = "listing.jsonl.gz", "listing-finished.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A shard of the listing, and which of its files are still to be kept."""

    shard: Shard
    left: frozenset[bytes]


def listed(evidence: Path, candidates: Iterable[Candidate]) -> Iterator[Listed]:
    """Yield *candidates* with what is seen of them now, without opening them."""
    for candidate in candidates:
        try:
            stat = reading.look(evidence, candidate.relative)
        except OSError:
            stat = None  # whoever examines it will say why
        yield Listed(candidate, stat)


def wanted(
    folder: Path, evidence: Path, candidates: Sequence[Candidate], *, most: Most, together: int
) -> Sequence[Wanted]:
    """Return the shards to examine for *candidates*, and keep the listing in *folder*.

    Both lie on the disk: of a photo a byte is held, of a shard eight.

    Args:
        folder: where listings lie.
        evidence: the folder or container of the case.
        candidates: what is left to do, sorted by path.
        most: what a shard may hold.
        together: photos that a model is shown at a time.
    """
    path = folder / OPEN
    kept, asked, new = read(path), OnDisk[Wanted](), OnDisk[Shard]()
    is_asked = bytearray(len(candidates))
    for shard in kept:
        here = frozenset(_left_of(shard, evidence, candidates, is_asked))
        if here:
            asked.append(Wanted(shard, here))
    others = (candidate for candidate, is_in_hand in zip(candidates, is_asked, strict=True) if not is_in_hand)
    for shard in cut(listed(evidence, others), most, together=together):
        new.append(shard)
        asked.append(Wanted(shard, frozenset(file.candidate.relative for file in shard.files)))
    if new or not path.is_file():
        write(path, chain(kept, new))
    return asked


def finish(folder: Path) -> None:
    """Set the listing aside: everything in it is in the case."""
    (folder / OPEN).replace(folder / FINISHED)


def write(path: Path, shards: Iterable[Shard]) -> None:
    """Write shards, one a line."""
    with writing.replaced(path) as draft, gzip.GzipFile(draft, "wb", compresslevel=6, mtime=0) as file:
        for shard in shards:
            line = [_plain(listed_file) for listed_file in shard.files]
            file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")


def read(path: Path) -> Sequence[Shard]:
    """Return the shards of a listing; none where there is no listing, or it is damaged: then another one is made."""
    try:
        with gzip.open(path, "rb") as file:
            return OnDisk(Shard(tuple(map(_file, json.loads(line)))) for line in file)
    except (OSError, EOFError, ValueError, TypeError, KeyError, RecursionError):
        return ()


def _left_of(shard: Shard, evidence: Path, candidates: Sequence[Candidate], is_asked: bytearray) -> Iterator[bytes]:
    """Yield which files of a shard are left to do, and are as they were listed; each is noted in *is_asked*."""
    for file in shard.files:
        relative = file.candidate.relative
        place = bisect_left(candidates, relative, key=attrgetter("relative"))
        if place == len(candidates) or is_asked[place] or candidates[place] != file.candidate:
            continue
        (now,) = listed(evidence, (file.candidate,))
        if is_unchanged(file.stat, now.stat):
            is_asked[place] = True
            yield relative


def _plain(file: Listed) -> list[Any]:
    stat = None if file.stat is None else astuple(file.stat)
    return [file.candidate.relative.hex(), stat, [name.hex() for name in file.candidate.sidecars]]


def _file(plain: Any) -> Listed:
    relative, stat, sidecars = plain
    candidate = Candidate(bytes.fromhex(relative), tuple(map(bytes.fromhex, sidecars)))
    return Listed(candidate, None if stat is None else FileStat(*stat))
