"""Photos of a container or a store as files of the case while they are corrected: neither is ever written to.

They lie in the folder of corrections, since a correction that is interrupted is finished from them,
and are removed when it is done.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.correct import Beside, Destination, InPlace, Journal, Plan
from gtloc_forensics.errors import UsageError
from gtloc_forensics.files import reading, writing
from gtloc_forensics.records import visible


@contextmanager
def photos_of(case: CaseFolder, plan: Plan, destination: Destination, journal: Journal) -> Iterator[Path]:
    """Lend the folder in which the photos of *plan* lie as files: the evidence itself, unless that is a container.

    Raises:
        UsageError: something would have to be written into a container.
        OSError: the photos cannot be written to the case folder.
    """
    if reading.is_folder(case.evidence):
        yield case.evidence
        return
    if isinstance(destination, Beside | InPlace):
        within = visible(reading.named(case.evidence))
        raise UsageError(
            f"the photos lie within {within}, which is never written to: leave --beside and --in-place out, and "
            "the corrections lie in CASE/sidecars; or name a folder for corrected copies with --copy"
        )
    reading.insist_on_named(case.evidence)
    with removed_when_done(case, journal):
        _take_out(case, tuple(plan.by_photo()))
        yield case.taken_out


@contextmanager
def removed_when_done(case: CaseFolder, journal: Journal) -> Iterator[None]:
    """Remove what was taken out at the end, unless a transaction that needs it is still open."""
    try:
        yield
    finally:
        if not reading.is_folder(case.evidence) and not any(map(journal.is_open, journal.transactions())):
            shutil.rmtree(case.taken_out, ignore_errors=True)


def _take_out(case: CaseFolder, photos: Sequence[bytes]) -> None:
    sidecars = {known.relative: known.sidecars for known in case.store.latest_sources().values()}
    for photo in photos:
        for relative in (photo, *sidecars.get(photo, ())):
            with suppress(_Gone):  # the correction will refuse it: it is not there
                _copy(case.evidence, relative, case.taken_out / os.fsdecode(relative))


class _Gone(OSError):
    """A photo cannot be read from its container any more."""


def _copy(evidence: Path, relative: bytes, target: Path) -> None:
    with ExitStack() as stack:
        try:
            file = stack.enter_context(reading.source_file(evidence, relative))
            stat, blocks = file.stat(), file.blocks()
            first = next(blocks, b"")
        except OSError as error:
            raise _Gone from error
        draft = stack.enter_context(writing.replaced(target))
        copy = stack.enter_context(draft.open("r+b"))
        copy.write(first)
        while block := _next(blocks):
            copy.write(block)
    if stat.mtime_ns and not stat.is_local:
        with suppress(OverflowError, OSError):  # a record may hold a time that no file of this machine can have
            os.utime(target, ns=(stat.mtime_ns, stat.mtime_ns))


def _next(blocks: Iterator[bytes]) -> bytes:
    try:
        return next(blocks, b"")
    except OSError as error:
        raise _Gone from error
