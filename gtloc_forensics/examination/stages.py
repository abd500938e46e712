"""What each stage does with a batch of files, in the order in which a file goes through them.

Each function reads what earlier ones added to a :class:`Work` and adds its own; none
writes to the store. What goes wrong with one file is that file's result.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from gtloc_forensics import metadata
from gtloc_forensics.decode import Decoded, Job, needs_preview
from gtloc_forensics.earth import zones
from gtloc_forensics.errors import DecodeRefused, ToolMissing
from gtloc_forensics.examination import plugged_in
from gtloc_forensics.examination.sidecars import sidecars_of
from gtloc_forensics.examination.work import Failure, Run, Work, undecoded
from gtloc_forensics.files import acquiring
from gtloc_forensics.metadata import exif_directory, jpeg_structure
from gtloc_forensics.metadata.exiftool import unread_blocks
from gtloc_forensics.records import Claim, Pixels, Sentence, Skipped, TagsRead, Unread, one_of_each
from gtloc_forensics.store.keys import METADATA, READING


def acquire(batch: Sequence[Work], run: Run) -> None:
    """Record, hash and copy each file before anything else is done with it."""
    with ThreadPoolExecutor(max(1, run.settings.workers)) as pool:
        list(pool.map(lambda work: _acquire(work, run), batch))


def _acquire(work: Work, run: Run) -> None:
    try:
        taken = acquiring.take(run.root, work.candidate, into=work.folder)
        work.taken = taken if work.listed is None else acquiring.as_listed(taken, work.listed)
    except acquiring.IntakeFailed as error:
        work.refused = Skipped(
            work.candidate.relative, error.reason, blocks=True, may_pass=isinstance(error, acquiring.StillWritten)
        )


def read_metadata(batch: Sequence[Work], run: Run) -> None:
    """Read the tags of every content that has none yet, all with one question to exiftool."""
    copies: dict[str, bytes] = {}
    for work in batch:
        for sha256, path in work.contents():
            copies.setdefault(sha256, os.fsencode(path))
    run.kept.look_at(copies)
    wanted = {sha256: path for sha256, path in copies.items() if run.kept.lacks(METADATA, sha256)}
    fresh = dict(zip(wanted, run.instruments.exiftool.read(list(wanted.values())), strict=True))
    for work in batch:
        for sha256, _ in work.contents():
            work.read[sha256] = fresh[sha256] if sha256 in fresh else run.kept.tags(sha256)
        work.fresh = work.read.keys() & fresh.keys()
        _read_raw_preview(work, run)


def _read_raw_preview(work: Work, run: Run) -> None:
    taken = work.taken
    if taken is not None and needs_preview(taken.source.media_type) and run.kept.lacks_pixels(taken.source.sha256):
        work.raw_preview = run.instruments.exiftool.preview(os.fsencode(taken.working_copy))


def read_further(batch: Sequence[Work], run: Run) -> None:
    """Let every plugged-in reader read the contents that it has not read yet; sidecars are exiftool's alone."""
    copies = {
        work.taken.source.sha256: os.fsencode(work.taken.working_copy) for work in batch if work.taken is not None
    }
    for reader in run.instruments.readers:
        stage = f"{READING}{reader.name}"
        wanted = {sha256: path for sha256, path in copies.items() if run.kept.lacks(stage, sha256)}
        fresh = dict(zip(wanted, plugged_in.answers(reader, list(wanted.values())), strict=True))
        for work in batch:
            if work.taken is not None:
                sha256 = work.taken.source.sha256
                work.read_further[stage] = fresh[sha256] if sha256 in fresh else run.kept.tags(sha256, stage)
                work.fresh_further |= {stage} if sha256 in fresh else set()


def claim(batch: Sequence[Work], run: Run) -> None:
    """Interpret each file's tags, and those of its sidecars, as what it claims."""
    for work in batch:
        if work.taken is not None:
            work.claim = _claim(work, work.taken)


def _claim(work: Work, taken: acquiring.Taken) -> Claim | Failure:
    read = work.read[taken.source.sha256]
    if isinstance(read, Unread):
        return Failure(read.reason, read.detail)
    own = unread_blocks(read.warnings)  # the words of exiftool; what a plugged-in reader warns of is its own affair
    read = plugged_in.with_further_tags(read, _further_tags(work))
    beside, unread = sidecars_of(taken, work.read)
    head = taken.head(exif_directory.HEAD_BYTES)
    damaged = exif_directory.damage(head)
    try:  # the border: an oddity in one file's tags is that file's row, not the end of the run
        return metadata.claim(
            taken.source,
            read.tags,
            sidecars=beside,
            warnings=(*read.warnings, *damaged.warnings),
            unread=one_of_each((*own, *damaged.unread, *unread)),
            structure=jpeg_structure.structure(head),
            zones_at=zones.zones_at,
        )
    except ToolMissing as error:
        return Failure(str(error), lacks_package=True)
    except Exception:
        reason = Sentence(
            "its metadata could not be interpreted, which is a fault of this program; please report its tags"
        )
        return Failure(reason, traceback.format_exc())


def decode(batch: Sequence[Work], run: Run) -> None:
    """Decode each content whose picture is not known yet, once."""
    jobs: dict[str, Job] = {}
    for work in batch:
        if work.taken is not None and run.kept.lacks_pixels(work.taken.source.sha256):
            jobs.setdefault(work.taken.source.sha256, _job(work, work.taken, run))
    stream = run.instruments.decoder.stream(jobs.values(), window=run.settings.batch)
    decoded = {job.source_id: outcome for job, outcome in stream}
    for work in batch:
        work.decoded = None if work.taken is None else decoded.get(work.taken.source.source_id)


def _job(work: Work, taken: acquiring.Taken, run: Run) -> Job:
    source = taken.source
    return Job(
        path=taken.working_copy,
        source_id=source.source_id,
        media_type=source.media_type,
        short_side=run.instruments.short_side,
        preview=work.raw_preview,
        orientation=_orientation(work.read[source.sha256]),
        wants_pixels=run.instruments.model is not None or bool(run.instruments.opinions),
    )


def preview(batch: Sequence[Work], run: Run) -> None:
    """Keep at hand the small picture that decoding made for people."""
    for work in batch:
        work.preview_jpeg = work.decoded.preview_jpeg if isinstance(work.decoded, Decoded) else None


def predict(batch: Sequence[Work], run: Run) -> None:
    """Ask the model what the decoded pictures show, all at once."""
    model = run.instruments.model
    if model is None:
        return
    for work in batch:
        if isinstance(work.decoded, DecodeRefused):
            work.prediction = undecoded(work.decoded)
    seen = [(work, pixels) for work in batch if (pixels := _pixels(work.decoded)) is not None]
    said = plugged_in.predicted(model, [pixels for _, pixels in seen])
    for work, pixels in seen:
        work.prediction = said[pixels.source_id]


def ask_opinions(batch: Sequence[Work], run: Run) -> None:
    """Ask every further model what the decoded pictures show; one that fails leaves the first model's answer alone."""
    for model in run.instruments.opinions:
        stage = plugged_in.stage_of(model)
        decoded = [(work, work.decoded) for work in batch if work.taken is not None and work.decoded is not None]
        left = [(work, made) for work, made in decoded if run.kept.lacks(stage, _content(work))]
        said = plugged_in.opinion(model, [pixels for _, made in left if (pixels := _pixels(made)) is not None])
        for work, made in left:
            pixels = _pixels(made)
            if isinstance(made, DecodeRefused):
                work.opinions[stage] = undecoded(made)
            elif pixels is not None:
                answer = said[pixels.source_id]
                work.opinions[stage] = Failure(answer) if isinstance(answer, str) else answer


def _pixels(decoded: Decoded | DecodeRefused | None) -> Pixels | None:
    return decoded.pixels if isinstance(decoded, Decoded) else None


def _content(work: Work) -> str:
    return "" if work.taken is None else work.taken.source.sha256


def _further_tags(work: Work) -> list[tuple[str, TagsRead]]:
    """Return (name of a plugged-in reader, what it read) of one file."""
    found = sorted(work.read_further.items())
    return [(stage.removeprefix(READING), read) for stage, read in found if isinstance(read, TagsRead)]


def _orientation(read: TagsRead | Unread) -> int | None:
    """Return the EXIF orientation (1–8) of the whole file, which a RAW file's preview may lack."""
    values = read.tags.get("IFD0:Orientation", ()) if isinstance(read, TagsRead) else ()
    return values[0] if values and isinstance(values[0], int) and 1 <= values[0] <= 8 else None
