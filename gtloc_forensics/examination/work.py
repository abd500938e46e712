"""One file on its way through the stages, and what one run over a folder works with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gtloc_forensics.decode import Decoded
from gtloc_forensics.errors import DecodeRefused, MissingExtra
from gtloc_forensics.examination.instruments import Instruments
from gtloc_forensics.examination.kept import Kept
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files.acquiring import Taken
from gtloc_forensics.records import (
    Candidate,
    Claim,
    FileStat,
    Prediction,
    Sentence,
    Skipped,
    Statement,
    TagsRead,
    Unread,
)
from gtloc_forensics.store.database import Store


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stage made nothing of a file: a sentence for people, and what only the database keeps."""

    reason: Statement
    detail: str = ""
    lacks_package: bool = False  # then it is no result: the next run tries again


def undecoded(refusal: DecodeRefused) -> Failure:
    """Return why a file has no pixels."""
    if isinstance(refusal, MissingExtra):
        reason = Sentence(
            "{kind} needs an optional package: pip install 'gtloc_forensics[{extra}]'",
            kind=refusal.kind,
            extra=refusal.extra,
        )
        return Failure(reason, lacks_package=True)
    return Failure(refusal.reason)


@dataclass(slots=True)
class Work:
    """One file on its way: each stage adds what it made. None: nothing was to be done, or nothing came of it."""

    candidate: Candidate
    folder: Path  # holds the working copies of its batch until they are written
    listed: FileStat | None = None  # as another machine sees it, whose case this is
    taken: Taken | None = None
    refused: Skipped | None = None
    read: dict[str, TagsRead | Unread] = field(default_factory=dict)  # sha256 of file or sidecar → its tags
    fresh: set[str] = field(default_factory=set)  # which of them were read now and are still to be kept
    read_further: dict[str, TagsRead | Unread] = field(default_factory=dict)  # stage → what its reader found
    fresh_further: set[str] = field(default_factory=set)  # which of these were read now
    raw_preview: bytes | None = None  # the JPEG within a RAW file
    claim: Claim | Failure | None = None
    decoded: Decoded | DecodeRefused | None = None
    preview_jpeg: bytes | None = None
    prediction: Prediction | Failure | None = None
    opinions: dict[str, Prediction | Failure] = field(default_factory=dict)  # stage of a further model → what it said

    def contents(self) -> Iterator[tuple[str, Path]]:
        """Yield the hash and the working copy of the file and of each of its sidecars."""
        if self.taken is not None:
            yield self.taken.source.sha256, self.taken.working_copy
            for _, sha256, path in self.taken.sidecar_copies:
                yield sha256, path

    def sidecars(self) -> dict[bytes, str]:
        """Return the sidecars that were taken in: relative path → sha256."""
        return {} if self.taken is None else self.taken.sidecar_hashes


@dataclass(frozen=True, slots=True)
class Run:
    """What one run over a folder works with, the same for every file."""

    store: Store
    root: Path  # the evidence
    place: Path  # for working copies
    instruments: Instruments
    settings: Settings
    kept: Kept
