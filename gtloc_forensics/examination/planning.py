"""The stages, in one list, and what of their work is left to do.

:data:`STAGES` is read from top to bottom: a file is acquired, its tags are read and
interpreted, its pixels decoded and shown to the model. Readers and models of plugins
follow ours, as one stage each; their results have names of their own. What the store holds already
is not done again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, unique
from itertools import islice
from pathlib import Path

from gtloc_forensics.examination import keeping, stages
from gtloc_forensics.examination.keeping import Keeping
from gtloc_forensics.examination.on_disk import OnDisk
from gtloc_forensics.examination.prefetch import chunks
from gtloc_forensics.examination.work import Run, Work
from gtloc_forensics.files import acquiring
from gtloc_forensics.files.acquiring import Taken
from gtloc_forensics.records import Candidate, Skipped, source_id_of
from gtloc_forensics.store.database import ROWS_AT_ONCE
from gtloc_forensics.store.keys import CLAIM, IMAGE, METADATA, PREVIEW, VISION

COPIES = "copies-"
"""How the folders of working copies begin."""

FIRST_BATCH = 8
"""Files of the first batch; each has twice as many as the one before it, until it is full.

Decoding waits for what exiftool says of a whole batch: a third of a second for fifty files, in which half of the
processors would have nothing to do.
"""


@unique
class Lane(Enum):
    """What a stage keeps busy. Neighbours in :data:`STAGES` that share one follow each other in one thread."""

    TAKING = "the disk"
    READING = "exiftool"
    INTERPRETING = "this process"
    DECODING = "the decoding processes"
    MODEL = "the model"


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of every file's way.

    Attributes:
        name: what its results are called in the store; those of plugins by the name of the reader or model.
        do: adds its results to a batch of files; it touches the evidence only to read and the store not at all.
        keep: adds one file's result to a transaction.
        lane: what it keeps busy.
    """

    name: str
    do: Callable[[Sequence[Work], Run], None]
    keep: Callable[[Keeping, Work, Taken], None]
    lane: Lane


STAGES = (
    Stage("source", stages.acquire, keeping.keep_source, Lane.TAKING),
    Stage(METADATA, stages.read_metadata, keeping.keep_metadata, Lane.READING),
    Stage("further metadata", stages.read_further, keeping.keep_further_metadata, Lane.INTERPRETING),
    Stage(CLAIM, stages.claim, keeping.keep_claim, Lane.INTERPRETING),
    Stage(IMAGE, stages.decode, keeping.keep_image, Lane.DECODING),
    Stage(PREVIEW, stages.preview, keeping.keep_preview, Lane.DECODING),
    Stage(VISION, stages.predict, keeping.keep_prediction, Lane.MODEL),
    Stage("further opinions", stages.ask_opinions, keeping.keep_opinions, Lane.MODEL),
)
"""Every file goes through these from top to bottom; the drivers know no other order."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What lies in the folder now.

    Attributes:
        rows: row numbers of the sources, in path order; some bytes each are held.
        rejected: what has no row.
        lacking: paths of sources on which a stage did nothing for want of a package.
    """

    rows: Sequence[int]
    rejected: tuple[Skipped, ...]
    lacking: tuple[bytes, ...] = ()


def outstanding(candidates: Sequence[Candidate], run: Run) -> Sequence[Candidate]:
    """Return those of *candidates* about which something is not known yet; they lie on the disk."""
    left = OnDisk[Candidate](kind=Candidate)
    for window in chunks(iter(candidates), ROWS_AT_ONCE):
        run.kept.look_at_paths(source_id_of(candidate.relative) for candidate in window)
        for candidate in window:
            if not _is_settled(candidate, run):
                left.append(candidate)
    return left


def batches(candidates: Sequence[Candidate], run: Run) -> Iterator[list[Work]]:
    """Yield the work to do, a batch at a time, each with a folder for its working copies."""
    for batch in _growing(iter(candidates), run.settings.batch):
        folder = Path(tempfile.mkdtemp(prefix=COPIES, dir=run.place))
        yield [Work(candidate, folder) for candidate in batch]


def _growing(candidates: Iterator[Candidate], most: int) -> Iterator[list[Candidate]]:
    """Yield *candidates* in lists of *most*, the first ones shorter: a lane has work as soon as the one before it."""
    size = min(FIRST_BATCH, most)
    while batch := list(islice(candidates, size)):
        yield batch
        size = min(2 * size, most)


def _is_settled(candidate: Candidate, run: Run) -> bool:
    """Whether a path is as it was and everything about it is known: then it is not opened now.

    The stat tuple includes the change time, which no ordinary program can set;
    the hash at the end of the run confirms it.
    """
    known = run.kept.source(source_id_of(candidate.relative))
    if known is None or known.stat_key != acquiring.stat_key(run.root, candidate.relative):
        return False
    if not run.kept.has_all(known) or set(candidate.sidecars) != set(known.sidecars):
        return False
    return all(acquiring.rehash(run.root, name) == sha256 for name, sha256 in known.sidecars.items())
