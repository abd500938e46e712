"""A contact sheet: every photo of the case with its number and how its examination ended."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from gtloc_forensics.records import Status
from gtloc_forensics.report.blocks import Block, Heading, Prose, Span, Strip, Thumb
from gtloc_forensics.report.chapters.edition import Edition, short_name
from gtloc_forensics.report.chapters.lines import PhotoLine
from gtloc_forensics.report.chapters.pictures import thumbnail
from gtloc_forensics.report.text import plain

_ACROSS = 10
_CAUSES_SHOWN = 4
_TONES = {Status.FOUND: "found", Status.CLEAN: "clean"}


def contact_sheet(edition: Edition) -> Iterator[Block]:
    """Yield the sheet; of a large case only the photos with a finding are on it."""
    words, most = edition.words, edition.template.contact_photos
    listed = sum(map(edition.listed, edition.survey.lines.in_order()))
    if not listed:
        return
    lines = filter(edition.listed, edition.survey.lines.in_order())
    shown = list(lines if listed <= most else islice((line for line in lines if line.is_found), most))
    yield Heading(words("contact.title"), 1, "contact", "here")
    found = sum(line.is_found for line in edition.survey.lines.in_order() if edition.listed(line))
    told_of = {"shown": len(shown), "listed": listed, "found": found, "is_large": edition.is_large}
    yield Prose(words("contact.lead", **told_of), "small")
    told = _causes_of(edition, {line.source_id for line in shown})
    yield Strip((_thumb(edition, line, told.get(line.source_id, [])) for line in shown), _ACROSS)


def _causes_of(edition: Edition, source_ids: set[str]) -> dict[str, list[str]]:
    """Return the numbers of the first causes that each of some photos is told under."""
    told: dict[str, list[str]] = {}
    for cause in edition.causes:
        for source_id in dict.fromkeys(filter(source_ids.__contains__, cause.group.source_ids)):
            numbers = told.setdefault(source_id, [])
            if len(numbers) < _CAUSES_SHOWN:
                numbers.append(str(cause.number))
    return told


def _thumb(edition: Edition, line: PhotoLine, causes: list[str]) -> Thumb:
    status = next(status for status in Status if status in line.statuses)
    label = (Span(f"{plain(line.exhibit, limit=20)} ", "bold"), Span(short_name(edition, line.source_id, most=18)))
    told = edition.words.line("contact.causes", numbers=", ".join(causes)) if causes else ""
    note = (Span(f" {edition.status(status)}"), Span(f" {told}" if told else "", "quiet"))
    return Thumb(thumbnail(edition, line.source_id), label, note, _TONES.get(status, "open"))
