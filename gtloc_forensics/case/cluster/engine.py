"""What is needed of a distributed engine: to know who is there, to hand over a shard, and to hear what became of it.

It owns no truth. What is done lies in the spool, who gets what is decided by :mod:`.assignment`; an engine that
loses a shard, does it twice or goes away costs time and nothing else. Dask is one (``dask_engine``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gtloc_forensics.case.cluster.messages import Reply


@dataclass(frozen=True, slots=True)
class Answer:
    """What was heard of an attempt; without a reply it is lost."""

    attempt: int
    reply: Reply | None


class Engine(Protocol):
    """Three calls, and who is there. Every one may raise :class:`~gtloc_forensics.errors.ClusterFailed`."""

    def places(self) -> Mapping[str, int]:
        """Return the workers that are there now, with how many shards each takes at a time."""

    def submit(self, attempt: int, place: str, request: bytes) -> None:
        """Hand a packed :class:`~.messages.Request` to one worker."""

    def poll(self, seconds: float) -> Sequence[Answer]:
        """Return what was heard since the last call, waiting so long for the first."""

    def close(self) -> None:
        """Let go of the engine; attempts under way may go on, and do no harm."""
