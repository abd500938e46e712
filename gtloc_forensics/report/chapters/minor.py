"""What was explained, and what is found but weighs little: one row a cause, so that nothing is left out."""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.report.blocks import Block, Column, Heading, Prose, Span, Table, Text, text_of
from gtloc_forensics.report.chapters.edition import Edition, cause_name, numbers, short_name
from gtloc_forensics.report.chapters.weighing import WeighedCause

_NAMES_SHOWN = 2
_SHARES = (("number", 0.05), ("photos", 0.22), ("told", 0.45), ("rules", 0.14), ("outcome", 0.14))


def minor(edition: Edition) -> Iterator[Block]:
    """Yield the table of the causes that have no section."""
    causes = [cause for cause in edition.causes if not cause.has_section]
    if not causes:
        return
    words = edition.words
    yield Heading(words("minor.title"), 1, "minor", "here")
    yield Prose(words("minor.lead"), "small")
    columns = tuple(Column(words.line(f"minor.column_{name}"), share) for name, share in _SHARES)
    yield Table(columns, (_row(edition, cause) for cause in causes), empty="", dense=True)


def _row(edition: Edition, cause: WeighedCause) -> tuple[Text, ...]:
    group, words = cause.group, edition.words
    told = words.sentence(group.summary, limit=300) if group.summary else ""
    name = cause_name(edition, group)
    return (
        text_of(str(cause.number)),
        _photos(edition, cause),
        (
            Span(f"{name}. " if name else "", "bold"),
            Span(told),
            *_example(edition, cause),
        ),
        text_of(" ".join(group.check_ids)),
        text_of(edition.outcome(group.outcome), "bold" if cause.is_found else ""),
    )


def _example(edition: Edition, cause: WeighedCause) -> Text:
    """Return what was read that makes the cause, and from which photo where it has several."""
    words = edition.words
    for finding in cause.findings:
        for said in (*finding.observed, *finding.derived):
            read = Span(f" {words.sentence(said, limit=200)}", "quiet")
            if set(finding.source_ids) >= set(cause.group.source_ids):
                return (read,)
            return (
                read,
                Span(f" {words.line('causes.of_photo', number=edition.exhibit(finding.source_ids[0]))}", "quiet"),
            )
    return ()


def _photos(edition: Edition, cause: WeighedCause) -> Text:
    source_ids = cause.group.source_ids
    if len(source_ids) > _NAMES_SHOWN:
        return text_of(numbers(edition, source_ids, most=30))
    spans: list[Span] = []
    for source_id in source_ids:
        spans += [Span(", ")] if spans else []
        spans += [Span(f"{edition.exhibit(source_id)} ", "bold"), Span(short_name(edition, source_id))]
    return tuple(spans)
