"""How batches of files go through the list of stages: one after another, or reading and decoding ahead of the model.

A driver takes batches of :class:`Work` and hands them back, in their order, with the
results of all stages; whoever consumes them keeps the results. It knows no stage by
name: the order is that of :data:`~gtloc_forensics.examination.planning.STAGES`, and
the lanes there say what may run at the same time. So every driver makes the same records.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, groupby
from pathlib import Path
from typing import Protocol, TypeAlias

from gtloc_forensics.examination.planning import STAGES, Lane, Stage
from gtloc_forensics.examination.prefetch import Prefetch, chunks
from gtloc_forensics.examination.work import Run, Work

AHEAD = 2
"""Batches that a lane may be ahead of the next: enough to keep the model busy, little memory."""


Groups: TypeAlias = Generator[list[Work], None, None]
"""Works with all their results; close it to stop what runs ahead."""


class Driver(Protocol):
    """Takes batches through the stages."""

    def __call__(self, batches: Iterator[list[Work]], run: Run, *, model_batch: int) -> Groups:
        """Yield the works of *batches* in their order, *model_batch* at a time, with every stage's result."""


class Engine(Protocol):
    """What a driver would need of a distributed engine, which would do ``STAGES`` on other machines.

    A shard is some paths of the evidence; its result is one immutable file of pickled
    :class:`Work` records whose presence says that the shard is done. Lost shards are
    submitted again, and repeating one is harmless: results are kept by their key. The
    driver on top keeps the shards in order; planning and keeping stay on this machine.
    """

    def submit(self, shard: Sequence[bytes]) -> str:
        """Hand over a shard; return the name under which its result will appear."""

    def poll(self) -> Iterable[Path]:
        """Return the results that have appeared since the last call."""

    def close(self) -> None:
        """Give back what the engine holds; shards under way may be lost."""


def inline(batches: Iterator[list[Work]], run: Run, *, model_batch: int) -> Groups:
    """Do every stage in the caller's thread, one after another."""
    for lane, stages in _lanes():
        batches = _through(stages, _resized(batches, lane, model_batch), run)
    yield from batches


def threads(batches: Iterator[list[Work]], run: Run, *, model_batch: int) -> Groups:
    """Do each lane but the last in a thread of its own, a few batches ahead of the next."""
    *ahead, (last, last_stages) = _lanes()
    with ExitStack() as running:
        for lane, stages in ahead:
            done = _through(stages, _resized(batches, lane, model_batch), run)
            batches = running.enter_context(Prefetch(done, depth=AHEAD))
        yield from _through(last_stages, _resized(batches, last, model_batch), run)


def _lanes() -> list[tuple[Lane, list[Stage]]]:
    return [(lane, list(stages)) for lane, stages in groupby(STAGES, key=lambda stage: stage.lane)]


def _through(stages: Sequence[Stage], batches: Iterator[list[Work]], run: Run) -> Iterator[list[Work]]:
    for batch in batches:
        for stage in stages:
            stage.do(batch, run)
        yield batch


def _resized(batches: Iterator[list[Work]], lane: Lane, model_batch: int) -> Iterator[list[Work]]:
    return chunks(chain.from_iterable(batches), model_batch) if lane is Lane.MODEL else batches
