"""Checks a finished case against itself and against the evidence, and names every difference.

Nothing is believed because it is stored: the custody chain is recomputed, the
sources are hashed, every field that a report prints is compared with the digest that
the chain binds, and a sample of the work is done again from the files. What cannot be
read is named, and the check goes on.
"""

from __future__ import annotations

import random
import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gtloc_forensics.case import comparing
from gtloc_forensics.case.comparing import Chain, Difference
from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.errors import CaseError, DamagedCase
from gtloc_forensics.examination import gathering as examination_gathering
from gtloc_forensics.examination.instruments import Instruments, opened
from gtloc_forensics.examination.settings import NO_MODEL, Settings
from gtloc_forensics.files import reading
from gtloc_forensics.metadata import credentials
from gtloc_forensics.records import Claim, PhotoEntry, Prediction
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.photos import Album
from gtloc_forensics.vision import library

__all__ = ["Difference", "Verification", "verify", "verify_case"]

DENSITY_TOLERANCE = 1e-2
"""Largest total variation between two runs of one model on one picture: devices round differently.

Between float32 and bfloat16 it was at most 0.0017 on 62 photos.
"""

SEED_BITS = 32

OTHER_CREDENTIALS = (
    "what content credentials state: the case was examined with another version of their library, or another list of "
    "trusted signers (--trust-anchors)"
)


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
            instruments = stack.enter_context(opened(replace(settings, model=model)))
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
            is_like = _reads_credentials_alike(view, instruments)
            left_out = () if is_like else (OTHER_CREDENTIALS,)
            differences += comparing.read_through(
                "sample", _repeat(case, repeated, instruments, settings, view.revised, with_credentials=is_like)
            )
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


def _repeat(
    case: CaseFolder,
    entries: Sequence[PhotoEntry],
    instruments: Instruments,
    settings: Settings,
    revised: Callable[[Claim], Claim],
    *,
    with_credentials: bool,
) -> Iterator[Difference]:
    """Examine *entries* again into a throw-away store and compare the records; *revised* adds what others tell."""
    only = {entry.photo.source.relative for entry in entries}
    with tempfile.TemporaryDirectory(prefix="gtloc-verify-") as folder:
        store = Store(Path(folder) / "again.sqlite")
        try:
            gathering = examination_gathering.Gathering(
                store, case.evidence, instruments, settings=settings, work=Path(folder), progress=_silent
            )
            gathered = gathering.run(only=only)
            album = Album(store, gathering.stages, instruments.model_absence, revised=revised)
            again = {photo.source.relative: photo for photo, _ in map(album.photo, gathered.rows)}
        finally:
            store.close()
    for entry in entries:
        name, now = entry.photo.source.display_path, again.get(entry.photo.source.relative)
        if now is None:
            yield Difference(name, "it could not be examined again")
            continue
        for record in ("claim", "sun", "image", "prediction"):
            pair = (getattr(entry.photo, record), getattr(now, record))
            if not _same(*(pair if with_credentials else map(_without_credentials, pair))):
                yield Difference(name, f"examined again, its {record} came out differently")


def _reads_credentials_alike(view: StoredCase, instruments: Instruments) -> bool:
    """Whether content credentials are read by the library, and weighed by the list, that the case was examined with."""
    name = credentials.ContentCredentials.name
    return view.examined_with.readers.get(name) == instruments.environment.readers.get(name)


def _without_credentials(record: Any) -> Any:
    if not isinstance(record, Claim):
        return record
    return replace(
        record, tags={tag: value for tag, value in record.tags.items() if not tag.startswith(f"{credentials.GROUP}:")}
    )


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, Prediction) and isinstance(second, Prediction):
        total_variation = float(np.abs(first.time.mass - second.time.mass).sum()) / 2
        return first.weights_sha256 == second.weights_sha256 and total_variation <= DENSITY_TOLERANCE
    return bool(first == second)


def _silent(stage: str, done: int, total: int | None) -> None:
    """The progress of a repetition is not shown."""
