"""How batches of files go through the list of stages: one after another, or reading and decoding ahead of the model.

A driver takes batches of :class:`Work` and hands them back, in their order, with the
results of all stages; whoever consumes them keeps the results. It knows no stage by
name: the order is that of :data:`~gtloc_forensics.examination.planning.STAGES`, and
the lanes there say what may run at the same time. So every driver makes the same records.
A third kind, :class:`Elsewhere`, has it done on other machines: ``case/cluster`` is one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, groupby
from typing import Protocol, TypeAlias

from gtloc_forensics.examination.planning import STAGES, Lane, Stage
from gtloc_forensics.examination.prefetch import Prefetch, chunks
from gtloc_forensics.examination.work import Run, Work
from gtloc_forensics.records import Candidate

AHEAD = {Lane.DECODING: 2}
"""Batches that a lane may be ahead of the next, one where none is named: the model is to be kept busy, all others are
kept so by one, and each batch has its working copies on the disk."""


Groups: TypeAlias = Generator[list[Work], None, None]
"""Works with all their results; close it to stop what runs ahead."""


class Driver(Protocol):
    """Takes batches through the stages."""

    def __call__(self, batches: Iterator[list[Work]], run: Run, *, model_batch: int) -> Groups:
        """Yield the works of *batches* in their order, *model_batch* at a time, with every stage's result."""


class Elsewhere(Protocol):
    """Takes files through the stages on other machines; what is planned and what is kept stays on this one."""

    def __call__(self, candidates: Sequence[Candidate], run: Run, *, model_batch: int) -> Groups:
        """Yield the works of *candidates* with every stage's result, in an order that does not depend on the machines.

        Args:
            candidates: what is left to do, in path order.
            run: what this machine works with; its store is written to by whoever consumes the works.
            model_batch: photos that the model is shown at a time.
        """


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
            batches = running.enter_context(Prefetch(done, depth=AHEAD.get(lane, 1)))
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
