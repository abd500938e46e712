"""Each cause in one paragraph with its pictures, for who decides and will not read the long report."""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.report.blocks import Block, Figure, Heading, Prose, Row, Span, Strip, Text, Together
from gtloc_forensics.report.chapters.causes import decided, spread, thumb, title_of
from gtloc_forensics.report.chapters.edition import Edition, cause_told, numbers
from gtloc_forensics.report.chapters.pictures import picture
from gtloc_forensics.report.chapters.strength import alarm_share, in_a_word
from gtloc_forensics.report.chapters.weighing import WeighedCause

_ACROSS = 8
_PICTURE_BOX = (150.0, 104.0)


def causes_briefly(edition: Edition) -> Iterator[Block]:
    """Yield one paragraph a cause: what, on which photos, how strong, how often false, what else it may be."""
    told = [cause for cause in edition.causes if cause.has_section]
    if not told:
        return
    yield Heading(edition.words("causes.title"), 1, "causes")
    yield Prose(edition.words("brief.lead"), "small")
    for cause in told:
        heading = Heading(title_of(edition, cause), 2, cause.anchor)
        yield Together((heading, *_pictured(edition, cause, tuple(_paragraph(edition, cause)))))


def _pictured(edition: Edition, cause: WeighedCause, paragraph: Text) -> Iterator[Block]:
    """Yield a paragraph beside its one picture, or below a strip of several."""
    if len(cause.group.source_ids) == 1:
        small = picture(edition, cause.exemplar, _PICTURE_BOX)
        if small is not None:
            yield Row(((Figure(small),), (Prose(paragraph),)), (0.32, 0.68))
            return
    yield Strip(tuple(thumb(edition, source_id) for source_id in spread(cause)[:_ACROSS]), _ACROSS)
    yield Prose(paragraph)


def _paragraph(edition: Edition, cause: WeighedCause) -> Iterator[Span]:
    words, group = edition.words, cause.group
    counted = len(group.source_ids)
    yield from words("brief.photos", count=counted, numbers=numbers(edition, group.source_ids))
    if group.summary:
        yield Span(f" {cause_told(edition, group, limit=400)}")
    for finding in cause.findings:
        if finding.source_ids[0] == cause.exemplar and finding.summary != group.summary:
            of_one = words("brief.of_one", number=edition.exhibit(cause.exemplar)) if counted > 1 else ()
            yield from (Span(" "), *of_one, Span(words.sentence(finding.summary, limit=400)))
            break
    yield from (Span(" "), *words("note.how_sure"), *in_a_word(edition, cause), Span(". "))
    yield from alarm_share(edition, cause, "note")
    innocent = list(dict.fromkeys(text for finding in cause.findings for text in finding.innocent))
    if innocent:
        yield from (Span(" "), *words("note.innocent"), Span(f" {'; '.join(words.say(text) for text in innocent)}."))
    if group.refutable_by:
        yield from (Span(" "), *words("brief.settle"), Span(f" {words.say(group.refutable_by, limit=400)}."))
    for label, value in decided(edition, group):
        yield from (Span(" "), Span(f"{''.join(span.text for span in label)}: ", "bold"), *value)
