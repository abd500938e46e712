"""The chapters of a report in the order of its template."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from gtloc_forensics.errors import UsageError
from gtloc_forensics.report.blocks import Block, Contents, Heading
from gtloc_forensics.report.chapters import (
    appendix,
    causes,
    causes_briefly,
    clock_pages,
    contact,
    decided,
    editions,
    methods,
    minor,
    opinions,
    photo_page,
    places,
    summary,
    timeline,
)
from gtloc_forensics.report.chapters.edition import OF_CAUSES, Edition, Part
from gtloc_forensics.report.template import Template

CHAPTERS: dict[str, Callable[[Edition], Iterator[Block]]] = {
    "summary": summary.summary,
    "case": summary.case_page,
    "causes": causes.causes,
    "causes_briefly": causes_briefly.causes_briefly,
    "minor": minor.minor,
    "photos": photo_page.photos,
    "decided": decided.decided,
    "opinions": opinions.chapter,
    "clocks": clock_pages.clocks,
    "timeline": timeline.timeline,
    "places": places.places,
    "contact": contact.contact_sheet,
    "sheet": editions.sheet,
    "note": editions.note,
    "archive": editions.archive,
    "not_examined": appendix.not_examined,
    "table": appendix.table,
    "integrity": appendix.integrity,
    "custody": appendix.custody,
    "methods": methods.methods,
    "environment": appendix.environment,
    "glossary": appendix.glossary,
}


def chapters(edition: Edition) -> Iterator[Block]:
    """Yield the whole report, page one first; a chapter that has nothing to say is left out.

    Raises:
        UsageError: when the template names a chapter that does not exist.
    """
    refuse_unknown_chapters(edition.template)
    opened = [(name, *_opened(CHAPTERS[name](edition))) for name in edition.chapter_names]
    entries = tuple((head.anchor, head.text) for _, head, _ in opened if head)
    listed = False
    if edition.part is Part.APPENDIX:
        yield summary.front(edition)
        yield Contents(entries)
        listed = True
    elif not {"summary", "sheet"} & set(edition.chapter_names):
        yield summary.front(edition)
    for name, _, blocks in opened:
        yield from blocks
        if name == "case" and not listed:
            yield Heading(edition.words("case.contents"), 3, "contents")
            yield Contents(entries)
    if "summary" not in edition.chapter_names and edition.part is Part.WHOLE:
        yield from decided.unprinted(edition)  # page one says it where there is one


def refuse_unknown_chapters(template: Template) -> None:
    """Return when every chapter that a template names exists, and none tells what another of them tells.

    Raises:
        UsageError: otherwise.
    """
    unknown = [name for name in (*template.chapters, *template.appendix) if name not in CHAPTERS]
    if unknown:
        raise UsageError(f"the report template names the chapter {unknown[0]!r}; choose from {', '.join(CHAPTERS)}")
    if set(OF_CAUSES) <= set(template.chapters):
        raise UsageError(f"the report template names {' and '.join(OF_CAUSES)}, which tell the same; keep one of them")


def _opened(blocks: Iterator[Block]) -> tuple[Heading | None, Iterator[Block]]:
    """Look at a chapter's first block, its heading, without losing it."""
    first = next(blocks, None)
    if first is None:
        return None, iter(())
    return (first if isinstance(first, Heading) else None), chain((first,), blocks)
