"""What was explained, and what is found but weighs little: one row a cause, so that nothing is left out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from gtloc_forensics.report.blocks import Block, Column, Heading, Prose, Span, Table, Text, text_of
from gtloc_forensics.report.chapters.edition import Edition, cause_name, numbers, short_name
from gtloc_forensics.report.chapters.summary import by_kind, kind_told
from gtloc_forensics.report.chapters.weighing import WeighedCause

_NAMES_SHOWN = 2
_SHARES = (("number", 0.05), ("photos", 0.22), ("told", 0.45), ("rules", 0.14), ("outcome", 0.14))


def minor(edition: Edition) -> Iterator[Block]:
    """Yield the table of the causes that have no section; of more than a table can be read for, by kind."""
    causes = [cause for cause in edition.causes if not cause.has_section]
    if not causes:
        return
    words = edition.words
    yield Heading(words("minor.title"), 1, "minor", "here")
    yield Prose(words("minor.lead"), "small")
    columns = tuple(Column(words.line(f"minor.column_{name}"), share) for name, share in _SHARES)
    shown, rest = causes[: edition.template.minor_causes], causes[edition.template.minor_causes :]
    rows = chain((_row(edition, cause) for cause in shown), _counted(edition, rest))
    yield Table(columns, rows, empty="", dense=True)
    if rest:
        yield Prose(words("minor.counted", count=len(rest)), "small")


def _counted(edition: Edition, causes: list[WeighedCause]) -> Iterator[tuple[Text, ...]]:
    """Yield a row for each kind of causes that are too many to be told one by one."""
    for alike in by_kind(edition, causes):
        group = alike[0].group
        rules = dict.fromkeys(check_id for cause in alike for check_id in cause.group.check_ids)
        outcome = text_of(edition.outcome(group.outcome), "bold" if alike[0].is_found else "")
        yield (text_of("…"), (), kind_told(edition, alike), text_of(" ".join(rules)), outcome)


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
