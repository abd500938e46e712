"""Short editions for readers who want one thing: the sheet of one photo, a newsroom's note, an archive's list."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from gtloc_forensics.records import ClockKind, ClockModel
from gtloc_forensics.report.blocks import (
    Block,
    Bullets,
    Callout,
    Column,
    Figure,
    Heading,
    Prose,
    Row,
    Span,
    Table,
    Text,
    text_of,
)
from gtloc_forensics.report.chapters.clock_pages import hours_of
from gtloc_forensics.report.chapters.edition import Edition, cause_name, short_name
from gtloc_forensics.report.chapters.lines import PhotoLine
from gtloc_forensics.report.chapters.photo_page import photo_page
from gtloc_forensics.report.chapters.pictures import picture
from gtloc_forensics.report.chapters.strength import alarm_share, in_a_word
from gtloc_forensics.report.chapters.summary import counts, front
from gtloc_forensics.report.chapters.weighing import WeighedCause
from gtloc_forensics.report.text import plain

_CAUSES_NOTED, _SENTENCES_NOTED = 3, 1
_NOTE_BOX = (200.0, 140.0)


# --------------------------------------------------------------------------- one photo


def sheet(edition: Edition) -> Iterator[Block]:
    """Yield everything that the case holds of the photos that were asked for."""
    yield front(edition)
    yield Callout(edition.words("sheet.lead"))
    first = True
    for entry in edition.view.photos():
        if entry.photo.source.source_id in edition.survey.paged:
            yield from photo_page(edition, entry, starts="here" if first else "page")
            first = False


# --------------------------------------------------------------------------- a newsroom


def note(edition: Edition) -> Iterator[Block]:
    """Yield half a page of plain words with a picture: what does not fit, how sure that is, whom to ask."""
    words = edition.words
    wanted = edition.survey.paged
    causes = [cause for cause in edition.causes if cause.is_found]
    if edition.photo:
        causes = [cause for cause in causes if wanted & set(cause.group.source_ids)]
    yield Heading(words("note.title"), 1, "note", "flow")
    yield Prose(words("note.lead", **counts(edition)))
    if not causes:
        yield Callout(words("note.nothing"))
    for cause in causes[:_CAUSES_NOTED]:
        yield _noted(edition, cause)
    if len(causes) > _CAUSES_NOTED:
        yield Prose(words("note.more", count=len(causes) - _CAUSES_NOTED), "small")
    yield Callout(words("note.limits"))


def _noted(edition: Edition, cause: WeighedCause) -> Block:
    source_id = next((each for each in cause.group.source_ids if each in edition.survey.paged), cause.exemplar)
    small = picture(edition, source_id, _NOTE_BOX)
    said = tuple(_said(edition, cause, source_id))
    return Row(((Figure(small),), said), (0.42, 0.58)) if small else Row((said,), (1.0,))


def _said(edition: Edition, cause: WeighedCause, source_id: str) -> Iterator[Block]:
    words, group = edition.words, cause.group
    name = cause_name(edition, group)
    title = (*words("note.photo", number=edition.exhibit(source_id), name=short_name(edition, source_id)), Span(name))
    yield Prose(title)
    if group.summary:
        yield Prose(text_of(words.sentence(group.summary, limit=300)))
    of_it = [finding for finding in cause.findings if finding.source_ids[0] == cause.exemplar]
    told = [text for text in dict.fromkeys(finding.summary for finding in of_it) if text != group.summary]
    if told and source_id == cause.exemplar:
        yield Bullets(tuple(text_of(words.sentence(text, limit=300)) for text in told[:_SENTENCES_NOTED]), "cell")
    yield Prose((*words("note.how_sure"), *in_a_word(edition, cause), Span(".")), "small")
    yield Prose(alarm_share(edition, cause, "note"), "small")
    innocent = next((text for finding in cause.findings for text in finding.innocent), "")
    if innocent:
        yield Prose((*words("note.innocent"), Span(f" {words.say(innocent)}.")), "small")
    if group.refutable_by:
        yield Prose((*words("note.ask"), Span(f" {words.say(group.refutable_by, limit=300)}.")), "small")


# --------------------------------------------------------------------------- an archive


def archive(edition: Edition) -> Iterator[Block]:
    """Yield what to correct, camera by camera: the photos, their times, and the times of a right clock."""
    words = edition.words
    by_device: dict[str, array[int]] = defaultdict(lambda: array("I"))
    told = _by_photo(edition)
    models = {model.device_key: model for model in edition.view.clocks() if _is_wrong(model)}
    for at, line in enumerate(edition.survey.lines.in_order()):
        if line.source_id in told or line.device_key in models:
            by_device[line.device_key].append(at)
    yield Heading(words("archive.title"), 1, "archive", "flow")
    yield Prose(words("archive.lead"))
    if not by_device:
        yield Callout(words("archive.nothing"))
    shares = (("number", 0.07), ("file", 0.27), ("claimed", 0.16), ("right", 0.16), ("why", 0.34))
    columns = tuple(Column(words.line(f"archive.column_{name}"), share) for name, share in shares)
    for device_key, lines in sorted(by_device.items(), key=lambda item: (-len(item[1]), item[0])):
        tally, model = edition.survey.devices.get(device_key), models.get(device_key)
        label = plain(tally.label) if tally and device_key else words.line("summary.no_device")
        yield Heading(text_of(label), 3, f"archive-{len(lines)}-{device_key}")
        if model is not None:
            yield Prose(_order(edition, model))
        yield Table(columns, _corrections(edition, lines, model, told), empty="", dense=True)


def _corrections(
    edition: Edition, places: array[int], model: ClockModel | None, told: dict[str, list[str]]
) -> Iterator[tuple[Text, ...]]:
    return (_correction(edition, edition.survey.lines.at(at), model, told) for at in places)


def _by_photo(edition: Edition) -> dict[str, list[str]]:
    told: dict[str, list[str]] = defaultdict(list)
    for cause in edition.causes:
        for source_id in cause.group.source_ids if cause.is_found else ():
            told[source_id].append(cause_name(edition, cause.group))
    return told


def _is_wrong(model: ClockModel) -> bool:
    return model.kind not in (ClockKind.RIGHT, ClockKind.UNDETERMINED)


def _order(edition: Edition, model: ClockModel) -> Text:
    said = edition.words.sentence(model.summary, limit=400)
    if model.offset_hours is None:
        return text_of(said)
    shift = hours_of(edition, -model.offset_hours)
    return (Span(f"{said} "), *edition.words("archive.shift", shift=shift))


def _correction(
    edition: Edition, line: PhotoLine, model: ClockModel | None, told: dict[str, list[str]]
) -> tuple[Text, ...]:
    right = "–"
    if line.local is not None and model is not None and model.offset_hours is not None:
        right = edition.when(line.local - timedelta(hours=model.offset_hours))
    return (
        text_of(plain(line.exhibit), "bold"),
        text_of(plain(line.name)),
        text_of(edition.when(line.local) if line.local else "–"),
        text_of(right),
        text_of("; ".join(told.get(line.source_id, [])) or edition.words.line("archive.with_camera")),
    )
