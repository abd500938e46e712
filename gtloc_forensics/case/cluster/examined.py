"""What comes back of one file: the results of every stage, without pixels and without working copies.

:func:`examined` takes them out of a :class:`Work` where the work was done, each packed as the case keeps it;
:func:`work_of` makes a :class:`Work` of them where it is kept, and they are kept as they came. No pickles lie between
the two: what is not kept as bytes the reader takes for these records and no others, and of each shard one file is
built whole (:func:`built`), to see that those bytes are records, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gtloc_forensics.decode import Decoded
from gtloc_forensics.errors import DecodeRefused, MissingExtra
from gtloc_forensics.examination.work import Failure, Work
from gtloc_forensics.files.acquiring import Taken, UnreadSidecar
from gtloc_forensics.records import Claim, ImageFacts, Prediction, Skipped, Source, Statement, TagsRead, Unread
from gtloc_forensics.store.codec import pack, unpack
from gtloc_forensics.store.packed import Packed


@dataclass(frozen=True, slots=True)
class Acquired:
    """A file taken in: its record and those of its sidecars; the copies stayed where they were made."""

    source: Source
    sidecars: tuple[tuple[bytes, str], ...]
    access_time_kept: bool
    unread_sidecars: tuple[UnreadSidecar, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """What readers made of contents: the tags, or why there are none; and which were read now."""

    tags: Mapping[str, bytes] = field(default_factory=dict)  # TagsRead, packed
    unread: Mapping[str, Unread] = field(default_factory=dict)
    fresh: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there are no pixels; with the *extra* that would bring them where a package is missing."""

    reason: Statement
    extra: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """One file with every stage's result, records packed; None: nothing was to be done, or nothing came of it."""

    relative: bytes
    acquired: Acquired | None = None
    refused: Skipped | None = None
    metadata: Read = field(default_factory=Read)
    further: Read = field(default_factory=Read)
    claim: bytes | None = None  # Claim
    claim_failure: Failure | None = None
    image: bytes | None = None  # ImageFacts
    preview_jpeg: bytes = b""  # packed, too
    refusal: Refusal | None = None
    prediction: bytes | None = None  # Prediction
    prediction_failure: Failure | None = None
    opinions: Mapping[str, bytes] = field(default_factory=dict)  # Prediction
    opinion_failures: Mapping[str, Failure] = field(default_factory=dict)


def examined(work: Work) -> Examined:
    """Return what is sent back of one file."""
    decoded = work.decoded if isinstance(work.decoded, Decoded) else None
    return Examined(
        relative=work.candidate.relative,
        acquired=None if work.taken is None else _acquired(work.taken),
        refused=work.refused,
        metadata=_read(work.read, work.fresh),
        further=_read(work.read_further, work.fresh_further),
        claim=pack(work.claim) if isinstance(work.claim, Claim) else None,
        claim_failure=work.claim if isinstance(work.claim, Failure) else None,
        image=None if decoded is None else pack(decoded.image),
        preview_jpeg=b"" if decoded is None else pack(decoded.preview_jpeg),
        refusal=_refusal(work.decoded) if isinstance(work.decoded, DecodeRefused) else None,
        prediction=pack(work.prediction) if isinstance(work.prediction, Prediction) else None,
        prediction_failure=work.prediction if isinstance(work.prediction, Failure) else None,
        opinions={stage: pack(said) for stage, said in work.opinions.items() if isinstance(said, Prediction)},
        opinion_failures={stage: said for stage, said in work.opinions.items() if isinstance(said, Failure)},
    )


def work_of(sent: Examined, work: Work, *, nowhere: Path) -> Work:
    """Fill *work* with what was *sent* of its file.

    Args:
        sent: what came back.
        work: the file, with nothing done.
        nowhere: stands where working copies would be; nothing lies there.
    """
    work.taken = None if sent.acquired is None else _taken(sent.acquired, nowhere)
    work.refused = sent.refused
    work.read, work.fresh = {**_as_sent(sent.metadata.tags), **sent.metadata.unread}, set(sent.metadata.fresh)
    work.read_further = {**_as_sent(sent.further.tags), **sent.further.unread}
    work.fresh_further = set(sent.further.fresh)
    work.claim = sent.claim_failure if sent.claim is None else _kept(sent.claim)
    if sent.image is not None:
        work.decoded = Decoded(None, _kept(sent.image), b"")
        work.preview_jpeg = _kept(sent.preview_jpeg)
    elif sent.refusal is not None:
        work.decoded = _refused(sent.refusal)
    work.prediction = sent.prediction_failure if sent.prediction is None else _kept(sent.prediction)
    work.opinions = {**_as_sent(sent.opinions), **sent.opinion_failures}
    return work


def built(sent: Examined) -> None:
    """Build every record of a file, to see that it is one.

    Raises:
        DamagedCase: one is not.
    """
    held: list[tuple[type[Any], bytes | None]] = [(Claim, sent.claim), (ImageFacts, sent.image)]
    held += [(TagsRead, tags) for tags in (*sent.metadata.tags.values(), *sent.further.tags.values())]
    held += [(Prediction, said) for said in (sent.prediction, *sent.opinions.values())]
    held += [(bytes, sent.preview_jpeg or None)]
    for kind, stored in held:
        if stored is not None:
            unpack(kind, stored)


def _kept(stored: bytes) -> Any:
    """Return a record that nobody looks into before it is kept."""
    return Packed(stored)


def _as_sent(packed: Mapping[str, bytes]) -> dict[str, Any]:
    return {name: _kept(stored) for name, stored in packed.items()}


def _acquired(taken: Taken) -> Acquired:
    sidecars = tuple((relative, sha256) for relative, sha256, _ in taken.sidecar_copies)
    return Acquired(taken.source, sidecars, taken.access_time_kept, taken.unread_sidecars)


def _taken(acquired: Acquired, nowhere: Path) -> Taken:
    sidecars = tuple((relative, sha256, nowhere) for relative, sha256 in acquired.sidecars)
    return Taken(acquired.source, nowhere, sidecars, acquired.access_time_kept, acquired.unread_sidecars)


def _read(read: Mapping[str, TagsRead | Unread], fresh: set[str]) -> Read:
    return Read(
        tags={name: pack(found) for name, found in read.items() if isinstance(found, TagsRead) and name in fresh},
        unread={name: found for name, found in read.items() if isinstance(found, Unread) and name in fresh},
        fresh=tuple(sorted(fresh)),
    )


def _refusal(refusal: DecodeRefused) -> Refusal:
    if isinstance(refusal, MissingExtra):
        return Refusal(refusal.kind, refusal.extra)
    return Refusal(refusal.reason)


def _refused(refusal: Refusal) -> DecodeRefused:
    return MissingExtra(refusal.reason, refusal.extra) if refusal.extra else DecodeRefused(refusal.reason)
