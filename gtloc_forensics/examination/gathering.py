"""Brings the results of every stage for a folder into the store: plan, do, keep.

:mod:`~gtloc_forensics.examination.planning` says what is left to do, a driver does it,
and what comes back is kept, a group of files in one transaction. Any exception of one
source is caught where it arises and becomes a row with its reason: a run never stops
for one file.
"""

from __future__ import annotations

import shutil
from array import array
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from gtloc_forensics.examination import acquisition, drivers, exports, plugged_in
from gtloc_forensics.examination.instruments import Instruments, fingerprints
from gtloc_forensics.examination.keeping import Keeping
from gtloc_forensics.examination.kept import Kept
from gtloc_forensics.examination.planning import COPIES, STAGES, Gathered, batches, outstanding
from gtloc_forensics.examination.prefetch import chunks
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.examination.work import Run, Work
from gtloc_forensics.records import Candidate, Skipped, source_id_of
from gtloc_forensics.store.database import ROWS_AT_ONCE, Store
from gtloc_forensics.store.keys import Stages
from gtloc_forensics.store.known import every_path

PHOTOS_ON_A_CPU = 8
"""Photos that a model on a processor is given at a time: a second or two."""

Progress = Callable[[str, int, int | None], None]
"""Called as ``progress(stage, done, total)``; total is None while it is not known."""


class Gathering:
    """Brings every stage's results for a folder into the store; what is there already is not done again."""

    def __init__(
        self,
        store: Store,
        root: Path,
        instruments: Instruments,
        *,
        settings: Settings,
        work: Path,
        progress: Progress,
        elsewhere: drivers.Elsewhere | None = None,
    ) -> None:
        """Prepare to gather *root* into *store*, with working copies below *work*, or *elsewhere*."""
        self._run = Run(store, root, work, instruments, settings, Kept(store, fingerprints(instruments)))
        self._progress = progress
        self._elsewhere = elsewhere

    @property
    def stages(self) -> Stages:
        """The fingerprints under which results are kept."""
        return self._run.kept.stages

    def run(self, *, only: Container[bytes] | None = None) -> Gathered:
        """Gather the folder, or *only* those relative paths of it, and return what lies in it."""
        listed = exports.indexed(self._run.root, plugged_in.listed(self._run.root, self._run.instruments.loaded))
        acquisition.note(self._run.store, self._run.root, self._run.settings)  # of a store: how much was listed
        exports.note(self._run.store, self._run.root, listed, self._run.settings)
        listing = listed.listing if only is None else listed.listing.among(only)
        refused = self.examine(listing.candidates)
        rejected = sorted([*listing.passed_over, *refused], key=lambda entry: entry.relative)
        without = {entry.relative for entry in rejected}
        names = (source_id_of(entry.relative) for entry in listing.candidates if entry.relative not in without)
        return replace(self._gathered(names), rejected=tuple(rejected))

    def _gathered(self, source_ids: Iterator[str]) -> Gathered:
        """Return the rows of paths that were taken in, and those on which a stage has still to do its work."""
        rows, lacking = array("q"), list[bytes]()
        for window in chunks(source_ids, ROWS_AT_ONCE):
            self._run.kept.look_at_paths(window)
            for source_id in window:
                state = self._run.kept.source(source_id)
                if state is None:
                    raise KeyError(source_id)
                rows.append(state.row_id)
                if not self._run.kept.has_all(state):
                    lacking.append(state.relative)
        return Gathered(rows, (), tuple(lacking))

    def examine(self, candidates: Sequence[Candidate]) -> list[Skipped]:
        """Bring the results of *candidates* into the store; return those that could not be read."""
        left = outstanding(candidates, self._run)
        done, refused = 0, list[Skipped]()
        self._progress("known", len(candidates) - len(left), len(candidates))
        self._progress("examine", done, len(left))
        try:
            with closing(self._driven(left)) as groups:
                for group in groups:
                    self._keep(group)
                    refused += [work.refused for work in group if work.refused is not None]
                    done += len(group)
                    self._progress("examine", done, len(left))
        finally:
            for copies in self._run.place.glob(f"{COPIES}*"):  # left by a full disk, say
                shutil.rmtree(copies, ignore_errors=True)
        return refused

    def _driven(self, left: Sequence[Candidate]) -> drivers.Groups:
        if self._elsewhere is not None:
            return self._elsewhere(left, self._run, model_batch=self._group_size())
        drive: drivers.Driver = drivers.threads if self._run.settings.workers else drivers.inline
        return drive(batches(left, self._run), self._run, model_batch=self._group_size())

    def _keep(self, group: Sequence[Work]) -> None:
        """Keep a group's results in one transaction, then remember them."""
        taken = [work.taken.source for work in group if work.taken is not None]
        self._run.kept.look_at_paths(source.source_id for source in taken)
        with self._run.store.writing() as session:
            keeping = Keeping(self._run, session)
            for work in group:
                if work.taken is not None:
                    for stage in STAGES:
                        stage.keep(keeping, work, work.taken)
            keeping.finish()
        self._run.kept.remember(keeping.sources, keeping.results, keeping.claims)
        for folder in {work.folder for work in group}:  # whose every file was read and decoded in one batch
            shutil.rmtree(folder, ignore_errors=True)

    def _group_size(self) -> int:
        """Return how many photos are kept at a time: few where a model is slow, so that one sees it move."""
        model = self._run.instruments.model
        slow = model is not None and model.facts.get("device", "").startswith("cpu")
        return min(self._run.settings.batch, PHOTOS_ON_A_CPU) if slow else self._run.settings.batch

    def row_of(self, relative: bytes) -> int:
        """Return the row of a path that was taken in."""
        return self._run.kept.row_of(relative)

    def everything_known(self) -> Gathered:
        """Return the newest state of every path the case ever took in, in path order."""
        return self._gathered(every_path(self._run.store))
