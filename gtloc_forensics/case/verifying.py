"""Checks a finished case against itself and against the evidence, and names every difference.

Nothing is believed because it is stored: the custody chain is recomputed, the
sources are hashed, what was concluded is compared with what the chain says, and
a sample of the work is done again from the files.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.examination import gathering as examination_gathering
from gtloc_forensics.examination.instruments import Instruments, opened
from gtloc_forensics.examination.results import digest_of
from gtloc_forensics.examination.settings import NO_MODEL, Settings
from gtloc_forensics.files import acquiring, listing
from gtloc_forensics.records import CustodyEvent, PhotoEntry, Prediction, Skipped, Source, visible
from gtloc_forensics.store.custody import verify_chain
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.photos import Album

DENSITY_TOLERANCE = 1e-3
"""Largest total variation between two runs of one model on one picture: devices round differently."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be."""

    subject: str
    what: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared, and everything that differed."""

    custody_events: int
    sources: int
    repeated: int  # photos examined again from their files
    differences: tuple[Difference, ...]

    @property
    def is_valid(self) -> bool:
        """Whether nothing differed."""
        return not self.differences


def verify(case: CaseFolder, settings: Settings, *, sample: int = 5) -> Verification:
    """Check the case against itself and the evidence; with *sample* do part of the work again.

    The check itself becomes a custody event.

    Args:
        case: with a completed examination.
        settings: how to do the work again; the model is the one that looked.
        sample: how many photos to examine again, spread evenly over the case.

    Raises:
        CaseError: no examination was completed.
        CaseBusy: another process works on this case.
    """
    model = case.view().examined_with.model_name or NO_MODEL
    with case.locked(), ExitStack() as stack:
        instruments = stack.enter_context(opened(replace(settings, model=model))) if sample else None
        found = verify_case(case, instruments=instruments, settings=settings, sample=sample)
        case.note("verify", "case", {"differences": len(found.differences), "repeated": found.repeated})
    return found


def verify_case(
    case: CaseFolder, *, instruments: Instruments | None, settings: Settings, sample: int = 5
) -> Verification:
    """Verify *case*.

    Args:
        case: an open case with a completed examination.
        instruments: to do a sample of the work again; None leaves that out.
        settings: how to do it.
        sample: how many photos to examine again, spread evenly over the case.

    Raises:
        CaseError: no examination was completed.
    """
    view = case.view()
    events = list(case.store.custody())
    entries = list(view.photos())
    sources = [entry.photo.source for entry in entries]
    differences = [Difference("custody chain", fault) for fault in verify_chain(events)]
    differences += _triggers(case.store)
    differences += _acquired(events, sources)
    differences += _concluded(case.store, events)
    differences += _products(case.folder, events)
    differences += _sources(case.evidence, sources)
    differences += _arrived(case.evidence, [*sources, *view.passed_over()])
    again: Sequence[PhotoEntry] = ()
    if instruments is not None:
        again = _spread(entries, sample)
        differences += _repeat(case, again, instruments, settings)
    return Verification(len(events), len(sources), len(again), tuple(differences))


def _triggers(store: Store) -> Iterator[Difference]:
    for name in store.missing_triggers():
        yield Difference("case database", f"the trigger {name}, which keeps the custody chain append-only, is gone")


def _acquired(events: Sequence[CustodyEvent], sources: Sequence[Source]) -> Iterator[Difference]:
    acquired = {(event.subject, event.detail.get("sha256")) for event in events if event.action == "acquire"}
    for source in sources:
        if (source.display_path, source.sha256) not in acquired:
            yield Difference(source.display_path, "the custody chain holds no acquisition of it with this hash")


def _concluded(store: Store, events: Sequence[CustodyEvent]) -> Iterator[Difference]:
    stated = {
        event.detail.get("examination"): event.detail.get("verdicts_sha256")
        for event in events
        if event.action == "analyse"
    }
    row = store.examination()
    if row is None:
        return
    with store.reading() as session:
        now = digest_of(store.verdicts(session, row.id))
    if stated.get(row.fingerprint) != now:
        yield Difference("case database", "what was concluded of the photos is not what the custody chain recorded")


def _products(folder: Path, events: Sequence[CustodyEvent]) -> Iterator[Difference]:
    written = {event.subject: event.detail.get("sha256") for event in events if event.action in ("report", "export")}
    for name, sha256 in written.items():
        path = folder / name
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
            yield Difference(name, "it is not the file that the custody chain recorded")


def _sources(evidence: Path, sources: Sequence[Source]) -> Iterator[Difference]:
    for source in sources:
        now = acquiring.recheck(evidence, source)
        if now.sha256 != source.sha256:
            yield Difference(source.display_path, now.reason or "its content changed")


def _arrived(evidence: Path, known: Sequence[Source | Skipped]) -> Iterator[Difference]:
    listed = {entry.relative for entry in known}
    for entry in listing.walk(evidence) if evidence.is_dir() else ():
        if entry.relative not in listed:
            yield Difference(visible(entry.relative), "it was not there when the case was examined")


def _spread(entries: Sequence[PhotoEntry], count: int) -> list[PhotoEntry]:
    step = max(1, len(entries) // max(1, count))
    return list(entries[::step][:count])


def _repeat(
    case: CaseFolder, entries: Sequence[PhotoEntry], instruments: Instruments, settings: Settings
) -> Iterator[Difference]:
    """Examine *entries* again into a throw-away store and compare the records."""
    only = {entry.photo.source.relative for entry in entries}
    with tempfile.TemporaryDirectory(prefix="gtloc-verify-") as folder:
        store = Store(Path(folder) / "again.sqlite")
        try:
            gathering = examination_gathering.Gathering(
                store, case.evidence, instruments, settings=settings, work=Path(folder), progress=_silent
            )
            gathered = gathering.run(only=only)
            album = Album(store, gathering.stages, instruments.model_absence)
            again = {photo.source.relative: photo for photo, _ in map(album.photo, gathered.rows)}
        finally:
            store.close()
    for entry in entries:
        name, now = entry.photo.source.display_path, again.get(entry.photo.source.relative)
        if now is None:
            yield Difference(name, "it could not be examined again")
            continue
        for record in ("claim", "sun", "image", "prediction"):
            if not _same(getattr(entry.photo, record), getattr(now, record)):
                yield Difference(name, f"examined again, its {record} came out differently")


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, Prediction) and isinstance(second, Prediction):
        total_variation = float(np.abs(first.time.mass - second.time.mass).sum()) / 2
        return first.weights_sha256 == second.weights_sha256 and total_variation <= DENSITY_TOLERANCE
    return bool(first == second)


def _silent(stage: str, done: int, total: int | None) -> None:
    """The progress of a repetition is not shown."""
