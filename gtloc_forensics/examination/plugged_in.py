"""What plugins add to the stages: photos beside our listing, tags beside exiftool's, opinions beside the first model's.

Nothing of ours is ever replaced in silence. A plugin's entry of the folder is named with
the plugin, a tag that exiftool read stays as exiftool read it, and a further model's
prediction is kept under its own key. A crash is the failure of that reader or model on
those photos, and each of them is then *not examined* by it.
"""

from __future__ import annotations

import heapq
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gtloc_forensics.checks.hooks import Estimator, MetadataReader
from gtloc_forensics.checks.plugins import MOST_CHARACTERS, Given, Loaded
from gtloc_forensics.examination.listing import Listing
from gtloc_forensics.records import Candidate, Pixels, Prediction, Sentence, Skipped, Statement, TagsRead, Unread
from gtloc_forensics.store.keys import METADATA, READING, SEEING, VISION, fingerprint

_SHOWN = 60  # characters of a value in a warning


def fingerprints(readers: Iterable[MetadataReader], estimators: Iterable[Estimator], *, image: str) -> dict[str, str]:
    """Return stage → fingerprint of every plugged-in reader and model; *image* is that of the pixels they are shown."""
    reading = {f"{READING}{each.name}": fingerprint(METADATA, "reader", each.name, each.version) for each in readers}
    seeing = {stage_of(model): fingerprint(VISION, image, model.name, model.fingerprint) for model in estimators}
    return reading | seeing


def stage_of(model: Estimator) -> str:
    """Return under which name the predictions of a further model are kept."""
    return f"{SEEING}{model.name}"


# --------------------------------------------------------------------------- sources


def listed(evidence: Path, loaded: Loaded) -> Listing:
    """List a folder by our own walk and by every plugin that knows what the folder is, in byte order of the paths.

    A plugin adds entries, and says better what one of ours is; nothing that we found is
    dropped, and what blocks goes on blocking unless a plugin makes a photo of it.

    Raises:
        UsageError: it is no folder or cannot be entered.
    """
    given = loaded.ask("sources", evidence=evidence)  # ours come first, and as they are found
    theirs: list[Given] = []
    ours = Listing.of(_built_in(given, theirs))
    theirs += given
    if not theirs:
        return ours
    named = frozenset(
        path for each in theirs if isinstance(each.value, Candidate | Skipped) for path in _paths(each.value)
    )
    said: dict[bytes, Candidate | Skipped] = {}
    known = {entry.relative: entry for entry in ours.entries() if entry.relative in named}
    for each in theirs:
        entry = each.value
        if not isinstance(entry, Candidate | Skipped) or not all(map(_is_beneath, _paths(entry))):
            reason = Sentence(
                "its sources() hook gave {given}, which is no entry of the folder", given=repr(entry)[:MOST_CHARACTERS]
            )
            loaded.note(each.plugin, reason)
        elif isinstance(entry, Candidate):
            said[entry.relative] = entry
        elif not _blocks(said.get(entry.relative) or known.get(entry.relative)):
            reason = Sentence("{reason} (says the plugin {plugin})", reason=entry.reason, plugin=each.plugin)
            said[entry.relative] = replace(entry, reason=reason)
    left = (entry for entry in ours.entries() if entry.relative not in said)
    return Listing.of(heapq.merge(left, (said[path] for path in sorted(said)), key=lambda entry: entry.relative))


def _built_in(given: Iterator[Given], others: list[Given]) -> Iterator[Candidate | Skipped]:
    """Yield what our own walk found; the first of what somebody else gave goes to *others*."""
    for each in given:
        if not each.is_built_in:
            others.append(each)
            return
        yield each.value


def _blocks(entry: Candidate | Skipped | None) -> bool:
    return isinstance(entry, Skipped) and entry.blocks


def _paths(entry: Candidate | Skipped) -> tuple[bytes, ...]:
    return (entry.relative, *entry.sidecars) if isinstance(entry, Candidate) else (entry.relative,)


def _is_beneath(relative: object) -> bool:
    """Say whether a path stays within the folder by its own words; links are refused where it is opened."""
    return isinstance(relative, bytes) and not {b"", b".", b".."} & {*relative.split(b"/")} and b"\0" not in relative


# --------------------------------------------------------------------------- metadata readers


def answers(reader: MetadataReader, paths: Sequence[bytes]) -> Sequence[TagsRead | Unread]:
    """Return one answer per path; a batch on which the reader fails is tried file by file."""
    if not paths:
        return ()
    try:
        given = list(reader.read(paths))
        if len(given) == len(paths) and all(isinstance(answer, TagsRead | Unread) for answer in given):
            return given
        reason, detail = Sentence("the reader did not give one answer per file"), repr(given)[:2000]
    except (Exception, SystemExit) as error:  # the border: a stranger's reader may raise anything
        reason = Sentence("the reader failed ({error}: {message})", error=type(error).__name__, message=str(error))
        detail = traceback.format_exc()
    if len(paths) > 1:
        return [answer for path in paths for answer in answers(reader, [path])]
    return [Unread(reason, detail)]


def with_further_tags(first: TagsRead, further: Iterable[tuple[str, TagsRead]]) -> TagsRead:
    """Return exiftool's tags and those that only another reader found; where both read one, exiftool's stand.

    Args:
        first: what exiftool read.
        further: (name of the reader, what it read).
    """
    tags, warnings = dict(first.tags), [*first.warnings]
    for name, other in further:
        warnings += [Sentence("{reader}: {said}", reader=name, said=said) for said in other.warnings]
        for tag, values in other.tags.items():
            if tags.setdefault(tag, tuple(values)) != tuple(values):
                warnings.append(
                    Sentence(
                        "{reader} reads {tag} as {values:quoted}, exiftool as {of_exiftool:quoted}",
                        reader=name,
                        tag=tag,
                        values=_shown(values),
                        of_exiftool=_shown(tags[tag]),
                    )
                )
    return TagsRead(tags, tuple(warnings))


def _shown(values: Sequence[object]) -> str:
    text = ", ".join(map(str, values))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


# --------------------------------------------------------------------------- opinions


def predicted(model: Estimator, pixels: Sequence[Pixels]) -> dict[str, Prediction]:
    """Return source id → what a model says of each picture, without the id in it: equal content, equal record."""
    if not pixels:
        return {}
    embeddings = model.embed([model.prepare(picture) for picture in pixels])
    predictions = model.predict(embeddings, [picture.source_id for picture in pixels])
    return {found.source_id: replace(found, source_id="") for found in predictions}


def opinion(model: Estimator, pixels: Sequence[Pixels]) -> dict[str, Prediction | Statement]:
    """Return source id → a further model's prediction, or the reason why it has none."""
    silent = Sentence("the model said nothing of it")
    found: dict[str, Prediction] = {}
    try:
        found = predicted(model, pixels)
    except (Exception, SystemExit) as error:  # the border: a stranger's model may raise anything
        if len(pixels) > 1:
            return {name: said for picture in pixels for name, said in opinion(model, [picture]).items()}
        silent = Sentence("the model failed ({error}: {message})", error=type(error).__name__, message=str(error))
    said = {picture.source_id: found.get(picture.source_id) for picture in pixels}
    return {name: value if isinstance(value, Prediction) else silent for name, value in said.items()}
