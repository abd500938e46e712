"""A contact sheet: every photo of the case with its number and how its examination ended."""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.records import Status
from gtloc_forensics.report.blocks import Block, Heading, Prose, Span, Strip, Thumb
from gtloc_forensics.report.chapters.edition import Edition, short_name
from gtloc_forensics.report.chapters.pictures import thumbnail
from gtloc_forensics.report.chapters.survey import PhotoLine
from gtloc_forensics.report.text import plain

_ACROSS = 10
_TONES = {Status.FOUND: "found", Status.CLEAN: "clean"}


def contact_sheet(edition: Edition) -> Iterator[Block]:
    """Yield the sheet; of a large case only the photos with a finding are on it."""
    lines = [line for line in edition.survey.lines.values() if edition.listed(line)]
    if not lines:
        return
    words, most = edition.words, edition.template.contact_photos
    shown = lines if len(lines) <= most else [line for line in lines if line.is_found][:most]
    yield Heading(words("contact.title"), 1, "contact", "here")
    yield Prose(words("contact.lead", shown=len(shown), listed=len(lines)), "small")
    yield Strip((_thumb(edition, line) for line in shown), _ACROSS)


def _thumb(edition: Edition, line: PhotoLine) -> Thumb:
    status = next(status for status in Status if status in line.statuses)
    causes = [str(cause.number) for cause in edition.causes if line.source_id in cause.group.source_ids][:4]
    label = (Span(f"{plain(line.exhibit, limit=20)} ", "bold"), Span(short_name(edition, line.source_id, most=18)))
    told = edition.words.line("contact.causes", numbers=", ".join(causes)) if causes else ""
    note = (Span(f" {edition.status(status)}"), Span(f" {told}" if told else "", "quiet"))
    return Thumb(thumbnail(edition, line.source_id), label, note, _TONES.get(status, "open"))
