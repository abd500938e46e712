"""What a colleague checks and an opponent attacks: every file, every hash, every event, every setting."""

from __future__ import annotations

import csv
import re
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import groupby, islice

from gtloc_forensics.records import CustodyEvent, Sentence, Skipped, Status
from gtloc_forensics.report.blocks import (
    Block,
    Callout,
    Column,
    Facts,
    Heading,
    Prose,
    Span,
    Table,
    Text,
    text_of,
)
from gtloc_forensics.report.chapters.edition import Edition, listing, numbers
from gtloc_forensics.report.chapters.lines import PhotoLine
from gtloc_forensics.report.exports.csv_table import guarded
from gtloc_forensics.report.text import plain

_HASH = re.compile(r"[0-9a-f]{32,}")
_ACTOR = re.compile(r"(.*) \(user id (\d+)\)")  # as the chain records who did something
_LONGEST_RUN, _RUN_SHOWN = 12, 3  # of custody events of one kind by one actor
_NAMES_SHOWN, _DETAILS_SHOWN = 12, 8
_FOR_SIX_DIGITS = 0.02  # of the width, of a column that is made for four
_LONGEST_CELL = 3_000  # characters of names in one row: a row is not broken over two pages
_LONGEST_PATH = 5_000  # more than any system allows
PHOTOS_CSV = "photos.csv"


def _columns(edition: Edition, chapter: str, **shares: float) -> tuple[Column, ...]:
    return tuple(Column(edition.words.line(f"{chapter}.column_{name}"), share) for name, share in shares.items())


def not_examined(edition: Edition) -> Iterator[Block]:
    """Yield what was not looked at, photo by photo, and what was passed over."""
    words = edition.words
    yield Heading(words("not_examined.title"), 1, "not_examined", "here")
    yield Prose(words("not_examined.lead"))
    columns = _columns(edition, "not_examined", stage=0.14, reason=0.42, photos=0.08, numbers=0.36)
    yield Table(columns, _gaps(edition), words.line("not_examined.none"), dense=True)
    lines = edition.survey.lines
    untested = array("I", (at for at, line in enumerate(lines.in_order()) if Status.NOT_TESTABLE in line.statuses))
    if untested:
        shown = numbers(edition, lines.names(untested))
        yield Prose(words("not_examined.untested", count=len(untested), numbers=shown))
    passed = edition.view.passed_over()
    if not passed:
        yield Prose(words("not_examined.none_passed"), "small")
        return
    yield Heading(words("not_examined.passed_title"), 3, "passed_over")
    columns = _columns(edition, "passed", kind=0.14, reason=0.3, entries=0.08, file=0.48)
    yield Table(columns, _passed(edition, passed), "", dense=True)


def _gaps(edition: Edition) -> Iterator[tuple[Text, ...]]:
    """Yield a row for every reason, that of most photos first."""
    words, lines = edition.words, edition.survey.lines
    for (stage, reason), places in sorted(edition.survey.gaps.items(), key=lambda item: (-len(item[1]), item[0])):
        yield (
            text_of(edition.stage(stage)),
            text_of(words.reason(reason)),
            text_of(words.number(len(places))),
            text_of(numbers(edition, lines.names(places))),
        )


def _passed(edition: Edition, passed: Sequence[Skipped]) -> Iterator[tuple[Text, ...]]:
    """Yield a row for every reason, with the first names; what could not be read is named to the last.

    Names that would not fit on a page go into rows of their own, of so many as the table of photos has.
    """
    by_reason = defaultdict[tuple[bool, str], list[str]](list)
    for entry in passed:
        by_reason[(entry.blocks, entry.reason)].append(plain(entry.relative))
    for (blocks, reason), names in sorted(by_reason.items(), key=lambda item: (not item[0][0], -len(item[1]))):
        shown = names[: edition.template.table_photos if blocks else _NAMES_SHOWN]
        more = edition.words.line("common.and_more", count=len(names) - len(shown)) if len(names) > len(shown) else ""
        first, *others = _in_rows(shown)
        yield (
            text_of(_blocked(edition, blocks)),
            text_of(edition.words.reason(reason)),
            text_of(edition.words.number(len(names))),
            text_of(first if others else first + more),
        )
        for place, names_of_row in enumerate(others, start=1):
            yield (), (), (), text_of(names_of_row if place < len(others) else names_of_row + more)


def _in_rows(names: Sequence[str]) -> Iterator[str]:
    """Yield names one after the other, as many at a time as fit into a row of a table."""
    row: list[str] = []
    length = 0
    for name in names:
        if row and length + len(name) > _LONGEST_CELL:
            yield ", ".join(row) + ","
            row, length = [], 0
        row.append(name)
        length += len(name) + 2
    yield ", ".join(row)


def _blocked(edition: Edition, blocks: bool) -> str:
    return edition.words.line("passed.could_not" if blocks else "passed.no_photo")


def table(edition: Edition) -> Iterator[Block]:
    """Yield the table of all photos with their hashes."""
    words = edition.words
    yield Heading(words("table.title"), 1, "table", "here")
    yield Prose(words("table.lead"))
    wider = _FOR_SIX_DIGITS if edition.is_large else 0.0
    shares = {"number": 0.04 + wider, "file": 0.2 - wider}
    columns = _columns(edition, "table", **shares, sha256=0.41, time=0.13, result=0.22)
    lines: Iterator[PhotoLine] = filter(edition.listed, edition.survey.lines.in_order())
    if edition.is_large:
        every = edition.survey.lines.in_order()
        found = sum(line.is_found for line in every if edition.listed(line))
        listed = sum(map(edition.listed, edition.survey.lines.in_order()))
        most = edition.template.table_photos
        yield Callout(words("table.large", shown=min(found, most), found=found, listed=listed, name=PHOTOS_CSV), "note")
        lines = islice((line for line in lines if line.is_found), most)
    yield Table(columns, (_table_row(edition, line) for line in lines), words.line("table.none"), dense=True)


def photos_csv(edition: Edition) -> Iterator[str]:
    """Yield the table of all photos as lines of CSV, number, path, hash, time, result and rules, with its titles."""
    out = StringIO()
    written = csv.writer(out)
    titles = [edition.words.line(f"table.column_{name}") for name in ("number", "file", "sha256", "time", "result")]
    written.writerow([*titles, edition.words.line("minor.column_rules")])
    for line in filter(edition.listed, edition.survey.lines.in_order()):
        told = (edition.when(line.local) if line.local else "", edition.result(line.statuses), " ".join(line.rules))
        cells = (plain(line.exhibit, limit=40), plain(line.name, limit=_LONGEST_PATH), line.sha256, *told)
        written.writerow(map(guarded, cells))
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def _table_row(edition: Edition, line: PhotoLine) -> tuple[Text, ...]:
    time = edition.when(line.local) if line.local else "–"
    result = Span(edition.result(line.statuses), "bold" if line.is_found else "")
    checks = (Span(f" {' '.join(line.rules)}", "quiet"),) if line.rules else ()
    return (
        text_of(plain(line.exhibit, limit=40), "bold"),
        text_of(plain(line.name), target=edition.target(line.source_id)),
        text_of(line.sha256, "hash"),
        text_of(time),
        (result, *checks),
    )


def integrity(edition: Edition) -> Iterator[Block]:
    """Yield whether the files are still what they were at intake."""
    words, digest = edition.words, edition.survey
    yield Heading(words("integrity.title"), 1, "integrity", "here")
    yield Prose(words("integrity.lead"))
    yield Facts(
        (
            (words("integrity.same"), text_of(words.number(digest.same))),
            (words("integrity.changed"), text_of(words.number(len(digest.changed)))),
            (words("integrity.unread"), text_of(words.number(len(digest.unread)))),
        ),
        0.5,
    )
    if digest.changed:
        yield Callout((*words("integrity.changed_list"), *listing(edition, tuple(digest.changed), most=50)), "warning")
    if digest.unread:
        yield Callout((*words("integrity.unread_list"), *listing(edition, tuple(digest.unread), most=50)), "warning")
    yield Prose(words("integrity.meaning"), "small")
    if edition.is_large and edition.template.attach and edition.only is None:
        yield Prose(words("integrity.large", most=edition.template.table_photos), "small")


def custody(edition: Edition) -> Iterator[Block]:
    """Yield the custody chain, even when it is empty."""
    words = edition.words
    yield Heading(words("custody.title"), 1, "custody", "here")
    yield Prose(words("custody.lead"))
    wider = _FOR_SIX_DIGITS if edition.is_large else 0.0
    shares = {"number": 0.035 + wider, "time": 0.12, "actor": 0.11, "action": 0.095, "subject": 0.23 - wider}
    columns = _columns(edition, "custody", **shares, hash=0.41)
    yield Table(columns, _events(edition, edition.view.each_event()), words.line("custody.none"), dense=True)
    _, last = edition.view.chain_end()
    if last:
        yield Prose((*words("custody.last"), Span(f" {last}", "hash")), "small")


def _events(edition: Edition, events: Iterable[CustodyEvent]) -> Iterator[tuple[Text, ...]]:
    """Yield a row per event; of a long run of the same act the middle is one row with its count."""
    for _, same in groupby(events, key=lambda event: (event.actor, event.action)):
        run = list(islice(same, _LONGEST_RUN + 1))
        folded = len(run) > _LONGEST_RUN
        for event in run[: _RUN_SHOWN if folded else None]:
            yield _event(edition, event)
        if folded:
            count, last = len(run), run[-1]
            for last in same:  # noqa: B007 - of a run of a hundred thousand only the last is held
                count += 1
            yield (text_of("…"), (), (), (), edition.words("custody.folded", count=count - _RUN_SHOWN - 1), ())
            yield _event(edition, last)


def _event(edition: Edition, event: CustodyEvent) -> tuple[Text, ...]:
    words = edition.words
    action = words.line(f"action.{event.action}") if words.has(f"action.{event.action}") else plain(event.action)
    said = [
        f"{words.recorded(name)} {_short(edition, value)}" for name, value in event.detail.items() if value is not None
    ]
    detail = ", ".join(said[:_DETAILS_SHOWN]) + ("…" if len(said) > _DETAILS_SHOWN else "")
    return (
        text_of(str(event.sequence)),
        text_of(edition.instant(event.utc_time)),
        text_of(_actor(edition, event.actor)),
        text_of(action),
        (Span(words.recorded(event.subject)), Span(f" {plain(detail)}" if detail else "", "quiet")),
        text_of(event.event_hash, "hash"),
    )


def _actor(edition: Edition, actor: str) -> str:
    """Return who did something, as the chain records it."""
    known = _ACTOR.fullmatch(plain(actor))
    return plain(actor) if known is None else edition.words.line("custody.actor", name=known[1], number=known[2])


def _short(edition: Edition, value: object) -> str:
    """Return a detail of an event; of a hash its first digits, the whole is in the export of the chain."""
    if isinstance(value, bool):
        return edition.words.line("custody.yes" if value else "custody.no")
    if isinstance(value, int):
        return edition.words.number(value)
    text = plain(value, limit=80)
    return f"{text[:12]}…" if _HASH.fullmatch(text) else edition.words.recorded(text)


def environment(edition: Edition) -> Iterator[Block]:
    """Yield what one needs to repeat the run, to the command line."""
    words = edition.words
    yield Heading(words("environment.title"), 1, "environment", "here")
    yield Prose(words("environment.lead"))
    short = {name: value for name, value in edition.view.environment.items() if name != "model card"}
    rows = ((text_of(words.recorded(name)), text_of(_used(edition, value))) for name, value in short.items())
    made_by = (words("environment.report"), text_of(f"gtloc_forensics {edition.version}"))
    yield Facts((*rows, made_by), dense=True)
    yield Prose(words("environment.notices"), "small")


def _used(edition: Edition, value: str) -> str:
    words = edition.words
    return words.say(value, limit=1_000) if isinstance(value, Sentence) else words.recorded(value)


def glossary(edition: Edition) -> Iterator[Block]:
    """Yield the terms of the report, each with its meaning."""
    words = edition.words
    yield Heading(words("glossary.title"), 1, "glossary", "here")
    terms = (number for number in range(1, 60) if words.has(f"glossary.term_{number}"))
    rows = ((words(f"glossary.term_{number}"), words(f"glossary.meaning_{number}")) for number in terms)
    yield Facts(tuple(rows), 0.24)
