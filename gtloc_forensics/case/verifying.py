"""Checks a finished case against itself and against the evidence, and names every difference.

Nothing is believed because it is stored: the custody chain is recomputed, the
sources are hashed, every field that a report prints is compared with the digest that
the chain binds, and a sample of the work is done again from the files. What cannot be
read is named, and the check goes on.
"""

from __future__ import annotations

import os
import random
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gtloc_forensics.case import comparing
from gtloc_forensics.case.comparing import Chain, Difference
from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.decode import visible_text
from gtloc_forensics.errors import CaseError, DamagedCase
from gtloc_forensics.examination import acquisition
from gtloc_forensics.examination import gathering as examination_gathering
from gtloc_forensics.examination.instruments import Instruments, opened
from gtloc_forensics.examination.settings import NO_MODEL, Settings
from gtloc_forensics.files import reading
from gtloc_forensics.metadata import credentials
from gtloc_forensics.records import Claim, Photo, PhotoEntry, Prediction, visible
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.keys import CLAIM, IMAGE, VISION, Stages
from gtloc_forensics.store.photos import Album
from gtloc_forensics.vision import library

__all__ = ["Difference", "Verification", "verify", "verify_case"]

DENSITY_TOLERANCE = 1e-2
"""Largest total variation between two runs of one model on one picture: devices round differently.

Between float32 and bfloat16 it was at most 0.0026 on 718 photos.
"""

SEED_BITS = 32

OTHER_CREDENTIALS = (
    "what content credentials state: the case was examined with another version of their library, or another list of "
    "trusted signers (--trust-anchors)"
)
OTHER_TEXT = (
    "the text in the pictures (--visible-dates): its reader is not installed here, or is another version than the case "
    "was examined with"
)
_OF_READERS = {
    credentials.ContentCredentials.name: (credentials.GROUP, OTHER_CREDENTIALS),
    visible_text.TextReader.name: ("Visible", OTHER_TEXT),
}
"""Readers that may differ between machines: the group of their tags, and what is said where they do."""

_OF_STAGES = {
    CLAIM: "what the metadata claims, of {photos}: another version of the program, of exiftool or of the time zones "
    "reads it otherwise than the one that the case was examined with",
    IMAGE: "what is counted of the pixels, of {photos}: another version of the program, or of what decodes, counts it "
    "otherwise than the one that the case was examined with",
    VISION: "what the model sees, of {photos}: another version of the program, or of what decodes, shows it the pixels "
    "otherwise than when the case was examined",
}
"""What is said where a stage has other fingerprints now, and comes to something else: no change of the case."""

_STAGE_OF = {"claim": CLAIM, "sun": CLAIM, "image": IMAGE, "prediction": VISION}
"""Record of a photo → the stage that makes it."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared, and everything that differed.

    Attributes:
        custody_events: events of the chain.
        sources: photos whose files were hashed again.
        repeated: photos examined again from their files.
        differences: everything that is not as it should be.
        not_bound: what nothing binds in this case, because an older program made it; no difference.
        not_repeated: what was not examined again, for want of what it was examined with; no difference.
        sample_seed: with which the photos to examine again were drawn.
        chain_hash: the last hash of the chain as it is now.
        anchored_events: up to which event a hash given out earlier covers the chain; None without one.
    """

    custody_events: int
    sources: int
    repeated: int
    differences: tuple[Difference, ...]
    not_bound: tuple[str, ...] = ()
    sample_seed: int = 0
    chain_hash: str = ""
    anchored_events: int | None = None
    not_repeated: tuple[str, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether nothing differed."""
        return not self.differences


def verify(
    case: CaseFolder,
    settings: Settings,
    *,
    sample: int = 5,
    sample_seed: int | None = None,
    anchors: Sequence[comparing.Anchor] = (),
) -> Verification:
    """Check the case against itself and the evidence; with *sample* do part of the work again.

    The check itself becomes a custody event.

    Args:
        case: with a completed examination.
        settings: how to do the work again; the model is the one that looked.
        sample: how many photos to examine again, drawn at random.
        sample_seed: draws the same photos again; None draws others each time.
        anchors: hashes of the chain that were given out earlier.

    Raises:
        CaseError: no examination was completed.
        CaseBusy: another process works on this case.
    """
    reading.insist_on_named(case.evidence)
    with case.locked(), ExitStack() as stack:
        instruments = None
        if sample:
            model = _model_of(case)
            if model != NO_MODEL:
                library.find_by_name(model)  # a case is input: what it names is no path
            instruments = stack.enter_context(opened(replace(_as_examined(case, settings), model=model)))
        found = verify_case(
            case,
            instruments=instruments,
            settings=settings,
            sample=sample,
            sample_seed=sample_seed,
            anchors=anchors,
        )
        case.note("verify", "case", {"differences": len(found.differences), "repeated": found.repeated})
    return found


def _as_examined(case: CaseFolder, settings: Settings) -> Settings:
    """Return the settings with which as much is looked into as when the case was examined."""
    event = case.store.last_event(acquisition.CONTAINER, visible(os.fsencode(case.evidence.name)))
    reach = reading.LISTED if event is None else acquisition.reach_of(event.detail)
    try:
        reads_text = visible_text.TextReader.name in case.view().examined_with.readers
    except CaseError:  # the check will say so
        reads_text = False
    return replace(settings, reach=reach, visible_dates=reads_text and visible_text.is_installed())


def _model_of(case: CaseFolder) -> str:
    try:
        return case.view().examined_with.model_name or NO_MODEL
    except CaseError:  # the check will say so
        return NO_MODEL


def verify_case(
    case: CaseFolder,
    *,
    instruments: Instruments | None,
    settings: Settings,
    sample: int = 5,
    sample_seed: int | None = None,
    anchors: Sequence[comparing.Anchor] = (),
) -> Verification:
    """Verify *case*.

    Args:
        case: an open case with a completed examination.
        instruments: to do a sample of the work again; None leaves that out.
        settings: how to do it.
        sample: how many photos to examine again.
        sample_seed: with which they are drawn; None takes one that nobody knows beforehand.
        anchors: hashes of the chain that were given out earlier.

    Raises:
        CaseError: no examination was completed.
    """
    seed = secrets.randbits(SEED_BITS) if sample_seed is None else sample_seed
    chain = Chain(anchors)
    differences = list(comparing.read_through("custody chain", chain.check(case.store)))
    view = _view(case, chain, differences)
    differences += comparing.read_through("case database", comparing.database(case, chain))
    differences += comparing.read_through("case header", comparing.header(case.store, chain))
    differences += comparing.read_through("products", comparing.products(case, chain))
    evidence = comparing.Evidence(case, chain)
    repeated: Sequence[PhotoEntry] = ()
    left_out: tuple[str, ...] = ()
    if view is not None:
        differences += comparing.read_through("sources", evidence.check(view))
        if instruments is not None:
            ordinals = sorted(random.Random(seed).sample(range(evidence.members), min(sample, evidence.members)))
            repeated = list(_readable(view, ordinals, differences))
            unlike = {name: _OF_READERS[name] for name in _OF_READERS if not _reads_alike(view, instruments, name)}
            left_out = tuple(said for _, said in unlike.values())
            groups = tuple(group for group, _ in unlike.values())
            again = _Again(case, view, instruments, settings, without=groups)
            differences += comparing.read_through("sample", again.compare(repeated))
            left_out += again.told()
    return Verification(
        custody_events=chain.events,
        sources=evidence.members,
        repeated=len(repeated),
        differences=tuple(differences),
        not_bound=chain.not_bound(view is not None),
        sample_seed=seed,
        chain_hash=chain.last_hash,
        anchored_events=chain.anchored_events,
        not_repeated=left_out,
    )


def _view(case: CaseFolder, chain: Chain, differences: list[Difference]) -> StoredCase | None:
    try:
        return case.view()
    except DamagedCase as error:
        differences.append(Difference("case database", error.what))
    except CaseError:
        if not chain.newest:
            raise  # nothing was ever completed
        differences.append(Difference("case database", "it holds no completed examination"))
    return None


def _readable(view: StoredCase, ordinals: Iterable[int], differences: list[Difference]) -> Iterator[PhotoEntry]:
    for ordinal in ordinals:
        try:
            yield from view.entries_at((ordinal,))
        except DamagedCase as error:
            subject = f"member examination_id={view.examination_id} ordinal={ordinal}"
            differences.append(Difference(subject, f"it cannot be read: {error.what}"))


class _Again:
    """Examines photos again into a throw-away store and compares the records."""

    def __init__(
        self,
        case: CaseFolder,
        view: StoredCase,
        instruments: Instruments,
        settings: Settings,
        *,
        without: tuple[str, ...],
    ) -> None:
        """Prepare; the groups of tags *without* which it is done were read with something else."""
        self._case, self._view = case, view
        self._instruments, self._settings = instruments, settings
        self._without = without
        self._otherwise: dict[str, set[str]] = {}  # stage that works otherwise now → photos of which it shows

    def compare(self, entries: Sequence[PhotoEntry]) -> Iterator[Difference]:
        """Examine *entries* again and yield what differs and should not."""
        only = {entry.photo.source.relative for entry in entries}
        with tempfile.TemporaryDirectory(prefix="gtloc-verify-") as folder:
            store = Store(Path(folder) / "again.sqlite")
            try:
                gathering = examination_gathering.Gathering(
                    store,
                    self._case.evidence,
                    self._instruments,
                    settings=self._settings,
                    work=Path(folder),
                    progress=_silent,
                )
                gathered = gathering.run(only=only)
                stages = gathering.stages
                album = Album(store, stages, self._instruments.model_absence, revised=self._view.revised)
                again = {photo.source.relative: photo for photo, _ in map(album.photo, gathered.rows)}
            finally:
                store.close()
        for entry in entries:
            now = again.get(entry.photo.source.relative)
            if now is None:
                yield Difference(entry.photo.source.display_path, "it could not be examined again")
            else:
                yield from self._compared(entry.photo, now, stages)

    def _compared(self, photo: Photo, now: Photo, stages: Stages) -> Iterator[Difference]:
        name = photo.source.display_path
        for record, stage in _STAGE_OF.items():
            before, after = (_left(getattr(of, record), self._without) for of in (photo, now))
            if _same(before, after):
                continue
            if self._works_otherwise(stage, stages) and not _are_of_other_models(before, after):
                self._otherwise.setdefault(stage, set()).add(name)
            else:
                yield Difference(name, f"examined again, its {record} came out differently")

    def _works_otherwise(self, stage: str, now: Stages) -> bool:
        """Whether a stage is not what it was when the case was examined; other readers of tags are told apart."""
        then = self._view.stages
        if stage == CLAIM and self._without:
            return then.metadata != now.metadata
        return bool(getattr(then, stage) != getattr(now, stage))

    def told(self) -> tuple[str, ...]:
        """Return what came out otherwise because this program, or what it uses, is another one."""
        return tuple(
            _OF_STAGES[stage].format(photos=f"{len(self._otherwise[stage])} of the photos examined again")
            for stage in _OF_STAGES
            if stage in self._otherwise
        )


def _are_of_other_models(before: Any, after: Any) -> bool:
    return (
        isinstance(before, Prediction)
        and isinstance(after, Prediction)
        and (before.weights_sha256 != after.weights_sha256)
    )


def _reads_alike(view: StoredCase, instruments: Instruments, name: str) -> bool:
    """Whether a reader beside exiftool is of the version, and weighs by the list, that the case was examined with."""
    return view.examined_with.readers.get(name) == instruments.environment.readers.get(name)


def _left(record: Any, without: tuple[str, ...]) -> Any:
    """Return a record, of a claim without some groups of tags."""
    if not isinstance(record, Claim) or not without:
        return record
    kept = {tag: value for tag, value in record.tags.items() if tag.partition(":")[0] not in without}
    return replace(record, tags=kept)


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, Prediction) and isinstance(second, Prediction):
        total_variation = float(np.abs(first.time.mass - second.time.mass).sum()) / 2
        return first.weights_sha256 == second.weights_sha256 and total_variation <= DENSITY_TOLERANCE
    return bool(first == second)


def _silent(stage: str, done: int, total: int | None) -> None:
    """The progress of a repetition is not shown."""
