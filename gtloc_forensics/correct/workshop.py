"""What correcting works with, and what it comes to: the tagger, the witness, the result of a transaction."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gtloc_forensics.correct import files, proof
from gtloc_forensics.correct.assignments import Assignment
from gtloc_forensics.correct.journal import Journal
from gtloc_forensics.errors import ForensicsError
from gtloc_forensics.records import Scalar, Tags


class Tagger(Protocol):
    """Reads and writes the tags of one file; the safe exiftool client behind a thin adapter."""

    def read(self, path: Path) -> Tags:
        """Return the tags of a file, numeric form, keyed ``Group1:Tag``."""

    def write(self, path: Path, assignments: Sequence[Assignment]) -> None:
        """Write tags into *path* itself (created when it is a sidecar that is not there), all or none."""


Witness = Callable[[str, str, Mapping[str, Scalar]], None]
"""The custody chain: ``(action, subject, detail)``; told at least once of each file changed."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """One file written, with the hashes of what stood there before ("" for nothing) and after."""

    relative: bytes
    target: Path
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """One photo left as it was, and why."""

    relative: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a transaction came to."""

    transaction: str
    corrected: tuple[Corrected, ...]
    refused: tuple[Refusal, ...]


class Refuse(ForensicsError):
    """This one photo is not corrected; the transaction goes on."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What correcting works with. ``witness`` is told of every file; ``progress`` of every photo."""

    journal: Journal
    tagger: Tagger
    witness: Witness = lambda action, subject, detail: None
    progress: Callable[[bytes], None] = lambda relative: None
    digest: Callable[[Path], str | None] = proof.picture_digest


def tell_head(workshop: Workshop, transaction: str, step: str) -> None:
    """Tie the journal to the custody chain: an altered journal no longer ends in this hash."""
    workshop.witness("correct", f"transaction {transaction}", {"step": step, "journal_hash": workshop.journal.head})


def token(relative: bytes) -> str:
    """Return a short name for a photo, whatever bytes its path has."""
    return hashlib.sha256(relative).hexdigest()[:12]


def temporary_of(target: Path, transaction: str, relative: bytes, *, undoes: bool = False) -> Path:
    """Return under which name a photo's new (or, undone, its old) content lies beside its target for a moment."""
    return files.temporary_for(target, f"{transaction}-{token(relative)}" + ("-undo" if undoes else ""))


def path_in(encoded: str) -> Path:
    """Return the path that the journal wrote as hexadecimal bytes."""
    return files.absolute(os.fsdecode(bytes.fromhex(encoded)))
