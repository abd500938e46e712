"""What is shared out: a run of files of the listing, small enough that losing one costs little."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, replace

from gtloc_forensics.records import Candidate, FileStat
from gtloc_forensics.store.keys import Stages

MOST_SOURCES = 256
MOST_BYTES = 256_000_000
"""A shard holds no more than this, unless one file alone is longer."""

_KEY_FORM = "1"
"""Part of every key; raised when results of the same files and stages would be written otherwise."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as the machine found it that made the listing; no stat tuple where it could not be looked at."""

    candidate: Candidate
    stat: FileStat | None

    @property
    def size_bytes(self) -> int:
        """Its length, 0 where nobody knows."""
        return 0 if self.stat is None else self.stat.size_bytes


@dataclass(frozen=True, slots=True)
class Shard:
    """Files that one worker examines together."""

    files: tuple[Listed, ...]

    def __len__(self) -> int:
        """Return how many files it holds."""
        return len(self.files)

    def halves(self) -> tuple[Shard, Shard]:
        """Return its two halves; of one file there are none.

        Raises:
            ValueError: it holds one file.
        """
        middle = len(self.files) // 2
        if not middle:
            raise ValueError("one file cannot be halved")
        return Shard(self.files[:middle]), Shard(self.files[middle:])

    def key(self, stages: Stages) -> str:
        """Return the name of its result: what is examined, and everything that the stages use."""
        digest = hashlib.sha256(_KEY_FORM.encode())
        used = (stages.metadata, stages.claim, stages.image, stages.vision)
        further = (f"{stage}={value}" for stage, value in sorted(stages.further.items()))
        for part in (*used, *further, *map(_line, self.files)):
            digest.update(part.encode() + b"\n")
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Most:
    """How much a shard may hold."""

    sources: int = MOST_SOURCES
    size_bytes: int = MOST_BYTES


def cut(files: Iterable[Listed], most: Most, *, together: int) -> Iterator[Shard]:
    """Yield *files* in shards, in their order.

    Args:
        files: sorted by path.
        most: what a shard may hold.
        together: photos that a model is shown at a time. A shard ends where one such group does, so that every
            group is the one that a single machine would have made.
    """
    waiting: list[Listed] = []
    size_bytes = 0
    for file in files:
        while waiting and (len(waiting) >= most.sources or size_bytes + file.size_bytes > most.size_bytes):
            end = len(waiting) - len(waiting) % together or len(waiting)
            yield Shard(tuple(waiting[:end]))
            waiting = waiting[end:]
            size_bytes = sum(rest.size_bytes for rest in waiting)
        waiting.append(file)
        size_bytes += file.size_bytes
    if waiting:
        yield Shard(tuple(waiting))


def is_unchanged(listed: FileStat | None, found: FileStat | None) -> bool:
    """Say whether a file is as it was listed, on the same machine; reading it changes only its access time."""
    if listed is None or found is None:
        return listed is found
    return replace(listed, atime_ns=0) == replace(found, atime_ns=0)


def _line(file: Listed) -> str:
    stat = "" if file.stat is None else ",".join(map(str, astuple(replace(file.stat, atime_ns=0))))
    return "|".join((file.candidate.relative.hex(), stat, *(name.hex() for name in file.candidate.sidecars)))
