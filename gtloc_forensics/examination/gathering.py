"""Drives the stages over a folder: intake → metadata → decode → vision, each result kept by its key.

One list of stages, two drivers: in line (``jobs=0``), or with intake, exiftool
and decoding running ahead of the model in a bounded window. Both keep the same
records in the same order. Here, and only here, any exception of one source is
caught and becomes a row with its reason: a run never stops for one file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import traceback
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

from gtloc_forensics import decode, metadata
from gtloc_forensics.earth import zones
from gtloc_forensics.errors import DecodeRefused
from gtloc_forensics.examination import plugged_in
from gtloc_forensics.examination.instruments import Instruments, Settings
from gtloc_forensics.examination.prefetch import ahead, chunks
from gtloc_forensics.files import acquiring, listing
from gtloc_forensics.metadata import exiftool
from gtloc_forensics.records import Passed, Source, Tags, source_id_of
from gtloc_forensics.store.custody import actor
from gtloc_forensics.store.database import Store, Transaction
from gtloc_forensics.store.rows import Known

METADATA, CLAIM, IMAGE, PREVIEW, VISION = "metadata", "claim", "image", "preview", "vision"

CODE_VERSION = "2"
"""Part of every stage's fingerprint; raise it when a stage makes something else of the same input."""

COPIES = "copies-"
"""How the folders of working copies begin."""

PHOTOS_ON_A_CPU = 8
"""Photos that a model on a processor is given at a time: a second or two."""

AHEAD = 2
"""Batches that intake and exiftool may be ahead of the model: enough to keep it busy, little memory."""

Progress = Callable[[str, int, int | None], None]
"""Called as ``progress(stage, done, total)``; total is None while it is not known."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The fingerprint of each stage: everything its result depends on beside the source."""

    metadata: str
    claim: str
    image: str
    vision: str  # "" without a model
    further: Mapping[str, str] = field(default_factory=dict)  # stage of a plugged-in reader or model → fingerprint

    @classmethod
    def of(cls, instruments: Instruments) -> Stages:
        """Return the fingerprints under these instruments."""
        facts = instruments.environment
        metadata_ = _digest("metadata", facts["exiftool"])
        readers = (f"{reader.name} {reader.version}" for reader in instruments.readers)
        claim = _digest("claim", metadata_, facts["time-zone data"], facts["time-zone polygons"], *readers)
        image = _digest("image", facts["Pillow"], facts["imagehash"], str(instruments.short_side))
        vision = _digest("vision", image, instruments.model.fingerprint) if instruments.model is not None else ""
        further = plugged_in.fingerprints(instruments.readers, instruments.opinions, image=image, digest=_digest)
        return cls(metadata_, claim, image, vision, further)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join((CODE_VERSION, *parts)).encode()).hexdigest()[:32]


def claim_key(stages: Stages, known: Known) -> str:
    """Return the fingerprint of one path's claim: content, file times and sidecars speak in it."""
    beside = ",".join(f"{name.hex()}={sha256}" for name, sha256 in sorted(known.sidecars.items()))
    return _digest(stages.claim, known.sha256, ",".join(map(str, known.stat_key)), beside)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What lies in the folder now: row numbers of the sources in path order, and what has no row."""

    rows: tuple[int, ...]
    rejected: tuple[Passed, ...]


@dataclass(slots=True)
class _Item:
    """One file on its way through the stages."""

    candidate: listing.Candidate
    folder: Path  # holds the working copies of its group until they are written
    taken: acquiring.Taken | None = None
    refused: Passed | None = None
    read: dict[str, exiftool.TagsRead | exiftool.Unread] = field(default_factory=dict)  # sha256 → result
    # (stage, sha256) → result of a plugged-in reader
    further: dict[tuple[str, str], exiftool.TagsRead | exiftool.Unread] = field(default_factory=dict)
    job: decode.Job | None = None
    decoded: decode.Decoded | DecodeRefused | None = None

    @property
    def job_sha256(self) -> str:
        """The content that the job decodes."""
        return "" if self.taken is None else self.taken.source.sha256


class Gathering:
    """Brings every stage's results for a folder into the store; what is there already is not done again."""

    def __init__(
        self, store: Store, root: Path, instruments: Instruments, *, settings: Settings, work: Path, progress: Progress
    ) -> None:
        """Prepare to gather *root* into *store*, with working copies below *work*."""
        self._store = store
        self._root = root
        self._instruments = instruments
        self._settings = settings
        self._work = work
        self._progress = progress
        self.stages = Stages.of(instruments)
        self._known = store.latest_sources()
        self._done = {
            (stage, subject)
            for stage, fingerprint in self._content_stages()
            for subject in store.subjects(stage, fingerprint)
        }
        self._claims = store.keys_of(CLAIM)

    def run(self, *, only: Container[bytes] | None = None) -> Gathered:
        """Gather the folder, or *only* those relative paths of it, and return what lies in it."""
        everything = plugged_in.listed(self._root, self._instruments.loaded)
        entries = [entry for entry in everything if only is None or entry.relative in only]
        rejected = [entry for entry in entries if isinstance(entry, Passed)]
        candidates = [entry for entry in entries if isinstance(entry, listing.Candidate)]
        rejected += self.examine(candidates)
        refused = {entry.relative for entry in rejected}
        kept = [candidate for candidate in candidates if candidate.relative not in refused]
        rows = tuple(self.row_of(candidate.relative) for candidate in kept)
        return Gathered(rows, tuple(sorted(rejected, key=lambda entry: entry.relative)))

    def examine(self, candidates: Sequence[listing.Candidate]) -> list[Passed]:
        """Bring the results of *candidates* into the store; return those that could not be read."""
        fresh = [candidate for candidate in candidates if not self._is_settled(candidate)]
        total, done = len(fresh), 0
        refused: list[Passed] = []
        self._progress("examine", 0, total)
        try:
            for group in chunks(self._items(fresh), self._group_size()):
                refused += self._write(group)
                done += len(group)
                self._progress("examine", done, total)
        finally:
            for left in self._work.glob(f"{COPIES}*"):  # by a full disk, say
                shutil.rmtree(left, ignore_errors=True)
        return refused

    def _group_size(self) -> int:
        """Return how many photos are kept at a time: few where a model is slow, so that one sees it move."""
        model = self._instruments.model
        slow = model is not None and model.facts.get("device", "").startswith("cpu")
        return min(self._settings.batch, PHOTOS_ON_A_CPU) if slow else self._settings.batch

    def row_of(self, relative: bytes) -> int:
        """Return the row of a path that was taken in."""
        return self._known[source_id_of(relative)].row_id

    def everything_known(self) -> Gathered:
        """Return the newest state of every path the case ever took in, in path order."""
        known = sorted(self._known.values(), key=lambda one: one.relative)
        return Gathered(tuple(one.row_id for one in known), ())

    def _content_stages(self) -> list[tuple[str, str]]:
        stages = [(METADATA, self.stages.metadata), (IMAGE, self.stages.image), *self.stages.further.items()]
        return [*stages, (VISION, self.stages.vision)] if self.stages.vision else stages

    def _is_settled(self, candidate: listing.Candidate) -> bool:
        """Whether a path is as it was and everything about it is known: then it is not opened now.

        The stat tuple includes the change time, which no ordinary program can set;
        the hash at the end of the run confirms it.
        """
        known = self._known.get(source_id_of(candidate.relative))
        if known is None or known.stat_key != acquiring.stat_key(self._root, candidate.relative):
            return False
        if any((stage, known.sha256) not in self._done for stage, _ in self._content_stages()):
            return False
        if set(candidate.sidecars) != set(known.sidecars):
            return False
        if any(acquiring.rehash(self._root, name) != sha256 for name, sha256 in known.sidecars.items()):
            return False
        return (source_id_of(candidate.relative), claim_key(self.stages, known)) in self._claims

    # ------------------------------------------------------------- reading ahead

    def _items(self, candidates: Sequence[listing.Candidate]) -> Iterator[_Item]:
        """Yield the files taken in, read and decoded, in the order of *candidates*."""
        if self._settings.workers == 0:
            yield from self._decoded(self._read(candidates))
            return
        depth = AHEAD * self._settings.batch
        with ahead(self._read(candidates), depth=depth) as read, ahead(self._decoded(read), depth=depth) as decoded:
            yield from decoded

    def _read(self, candidates: Sequence[listing.Candidate]) -> Iterator[_Item]:
        """Take files in and read their tags, a batch at a time."""
        with ThreadPoolExecutor(max(1, self._settings.workers)) as pool:
            for batch in chunks(iter(candidates), self._settings.batch):
                folder = Path(tempfile.mkdtemp(prefix=COPIES, dir=self._work))
                items = list(pool.map(self._take, batch, repeat(folder)))
                self._read_tags(items)
                for item in items:
                    self._prepare_job(item)
                yield from items

    def _take(self, candidate: listing.Candidate, folder: Path) -> _Item:
        item = _Item(candidate, folder)
        try:
            item.taken = acquiring.take(self._root, candidate, into=folder)
        except acquiring.IntakeFailed as error:
            item.refused = Passed(candidate.relative, error.reason, blocks=True)
        return item

    def _read_tags(self, items: list[_Item]) -> None:
        copies: dict[str, bytes] = {}
        for item in items:
            if item.taken is not None:
                copies.setdefault(item.taken.source.sha256, os.fsencode(item.taken.working_copy))
                for _, sha256, path in item.taken.sidecar_copies:
                    copies.setdefault(sha256, os.fsencode(path))
        wanted = {sha256: path for sha256, path in copies.items() if (METADATA, sha256) not in self._done}
        results = dict(zip(wanted, self._instruments.exiftool.read(list(wanted.values())), strict=True))
        photos = {item.taken.source.sha256 for item in items if item.taken is not None}
        own = {sha256: path for sha256, path in copies.items() if sha256 in photos}
        further = plugged_in.read(self._instruments.readers, own, done=self._done)
        for item in items:
            if item.taken is not None:
                names = [item.taken.source.sha256, *(sha256 for _, sha256, _ in item.taken.sidecar_copies)]
                item.read = {sha256: results[sha256] for sha256 in names if sha256 in results}
                item.further = {key: found for key, found in further.items() if key[1] == item.taken.source.sha256}

    def _decoded(self, items: Iterator[_Item]) -> Iterator[_Item]:
        """Decode what needs it, a batch at a time."""
        for batch in chunks(items, self._settings.batch):
            by_content = {item.taken.source.sha256: item for item in reversed(batch) if item.taken is not None}
            jobs = [item.job for item in batch if item.job is not None and by_content.get(item.job_sha256) is item]
            stream = self._instruments.decoder.stream(jobs, window=self._settings.batch)
            decoded = {job.source_id: result for job, result in stream}
            for item in batch:
                item.decoded = decoded.get(source_id_of(item.candidate.relative))
                yield item

    def _needs_pixels(self, source: Source) -> str | None:
        needed = [stage for stage, _ in self._content_stages() if not stage.startswith(METADATA)]
        return source.sha256 if any((stage, source.sha256) not in self._done for stage in needed) else None

    def _prepare_job(self, item: _Item) -> None:
        """Say how to decode a file, with the embedded preview of a RAW file at hand."""
        if item.taken is None or self._needs_pixels(item.taken.source) is None:
            return
        source = item.taken.source
        preview = None
        if decode.needs_preview(source.media_type):
            preview = self._instruments.exiftool.preview(os.fsencode(item.taken.working_copy))
        item.job = decode.Job(
            path=item.taken.working_copy,
            source_id=source.source_id,
            media_type=source.media_type,
            short_side=self._instruments.short_side,
            preview=preview,
            orientation=_orientation(item.read.get(source.sha256)),
        )

    # ------------------------------------------------------------- writing

    def _write(self, group: list[_Item]) -> list[Passed]:
        """Keep a group's results in one transaction; return those that could not be read."""
        predictions = self._predict(group)
        with self._store.writing() as session:
            for item in group:
                if item.taken is not None:
                    self._write_item(session, item, item.taken, predictions)
        for folder in {item.folder for item in group}:  # one: files are written in the groups they were read in
            shutil.rmtree(folder, ignore_errors=True)
        return [item.refused for item in group if item.refused is not None]

    def _write_item(
        self,
        session: Transaction,
        item: _Item,
        taken: acquiring.Taken,
        predictions: Mapping[str, Mapping[str, object]],
    ) -> None:
        source = taken.source
        sidecars = {name: sha256 for name, sha256, _ in taken.sidecar_copies}
        self._write_source(session, taken, sidecars)
        for sha256, read in item.read.items():
            self._write_tags(session, sha256, METADATA, read)
        for (stage, sha256), read in item.further.items():
            self._write_tags(session, sha256, stage, read)
        if item.decoded is not None:
            self._write_image(session, source.sha256, item.decoded)
            for stage, said in predictions.items():
                self._write_prediction(session, source.sha256, stage, said.get(source.source_id))
        self._write_claim(session, source, sidecars, item.read.get(source.sha256))

    def _write_source(self, session: Transaction, taken: acquiring.Taken, sidecars: Mapping[bytes, str]) -> None:
        source = taken.source
        known = self._known.get(source.source_id)
        if known is not None and known.is_state(source, sidecars):
            return
        now = self._settings.instant()
        known = self._store.add_source(session, source, sidecars=sidecars, acquired_utc=now)
        self._known[source.source_id] = known
        self._store.append_event(
            session,
            utc_time=now,
            actor=actor(),
            action="acquire",
            subject=source.display_path,
            detail={
                "sha256": source.sha256,
                "size_bytes": source.stat.size_bytes,
                "access_time_kept": taken.access_time_kept,
            },
        )

    def _write_tags(
        self, session: Transaction, sha256: str, stage: str, read: exiftool.TagsRead | exiftool.Unread
    ) -> None:
        fingerprint = self.stages.further.get(stage, self.stages.metadata)
        if isinstance(read, exiftool.Unread):
            self._fail(session, sha256, stage, fingerprint, read.reason, read.detail)
        else:
            self._keep(session, sha256, stage, fingerprint, read)

    def _write_image(self, session: Transaction, sha256: str, decoded: decode.Decoded | DecodeRefused) -> None:
        if isinstance(decoded, DecodeRefused):
            self._fail(session, sha256, IMAGE, self.stages.image, decoded.reason, "")
        else:
            self._keep(session, sha256, IMAGE, self.stages.image, decoded.image)
            self._keep(session, sha256, PREVIEW, self.stages.image, decoded.preview_jpeg)

    def _write_prediction(self, session: Transaction, sha256: str, stage: str, prediction: object) -> None:
        fingerprint = self.stages.further.get(stage, self.stages.vision)
        if isinstance(prediction, str):
            self._fail(session, sha256, stage, fingerprint, prediction, "")
        elif prediction is not None:
            self._keep(session, sha256, stage, fingerprint, prediction)

    def _write_claim(self, session: Transaction, source: Source, sidecars: Mapping[bytes, str], read: object) -> None:
        key = claim_key(self.stages, self._known[source.source_id])
        if not isinstance(read, exiftool.TagsRead):
            read = self._store.result(source.sha256, METADATA, self.stages.metadata, exiftool.TagsRead, session=session)
        if not isinstance(read, exiftool.TagsRead):
            reason, detail = read if isinstance(read, tuple) else ("its metadata was never read", "")
            self._fail(session, source.source_id, CLAIM, key, reason, detail)
            return
        further = plugged_in.further_tags(self._store, self.stages.further, source.sha256, session=session)
        read = plugged_in.with_further_tags(read, further)
        beside = [(name, self._sidecar_tags(session, sha256)) for name, sha256 in sorted(sidecars.items())]
        # The border: an oddity in one file's tags is that file's row, not the end of the run.
        try:
            made = metadata.claim(
                source,
                read.tags,
                sidecars=[(os.fsdecode(name), tags) for name, tags in beside],
                warnings=read.warnings,
                zones_at=zones.zones_at,
            )
        except Exception as error:
            reason = f"its metadata could not be interpreted ({error}); please report this file's tags"
            self._fail(session, source.source_id, CLAIM, key, reason, traceback.format_exc())
            return
        self._keep(session, source.source_id, CLAIM, key, made)

    def _sidecar_tags(self, session: Transaction, sha256: str) -> Tags:
        read = self._store.result(sha256, METADATA, self.stages.metadata, exiftool.TagsRead, session=session)
        return read.tags if isinstance(read, exiftool.TagsRead) else {}

    def _keep(self, session: Transaction, subject: str, stage: str, fingerprint: str, record: object) -> None:
        self._store.add_result(session, subject, stage, fingerprint, record=record)
        self._done.add((stage, subject))

    def _fail(self, session: Transaction, subject: str, stage: str, fingerprint: str, reason: str, detail: str) -> None:
        self._store.add_failure(session, subject, stage, fingerprint, reason=reason, detail=detail)
        self._done.add((stage, subject))

    # ------------------------------------------------------------- the model

    def _predict(self, group: list[_Item]) -> dict[str, dict[str, object]]:
        """Return stage → source_id → Prediction, or the reason why there is none."""
        model = self._instruments.model
        pixels = [item.decoded.pixels for item in group if isinstance(item.decoded, decode.Decoded)]
        refused = {
            item.taken.source.source_id: item.decoded.reason
            for item in group
            if item.taken is not None and isinstance(item.decoded, DecodeRefused)
        }
        said = {} if model is None else {VISION: plugged_in.predicted(model, pixels)}
        said |= plugged_in.opinions(self._instruments.opinions, pixels)
        return {stage: {**refused, **by_photo} for stage, by_photo in said.items()}


def _orientation(read: exiftool.TagsRead | exiftool.Unread | None) -> int | None:
    """Return the EXIF orientation (1–8) of the whole file, which a RAW file's preview may lack."""
    values = read.tags.get("IFD0:Orientation", ()) if isinstance(read, exiftool.TagsRead) else ()
    return values[0] if values and isinstance(values[0], int) and 1 <= values[0] <= 8 else None
