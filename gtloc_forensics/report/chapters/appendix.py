"""What a colleague checks and an opponent attacks: every file, every hash, every event, every setting."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from gtloc_forensics.records import CustodyEvent, Outcome, PhotoEntry, Stated
from gtloc_forensics.report.blocks import (
    Block,
    Bullets,
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
from gtloc_forensics.report.chapters.cards import card_blocks
from gtloc_forensics.report.chapters.edition import Edition, listing
from gtloc_forensics.report.chapters.strength import scale_table
from gtloc_forensics.report.chapters.summary import alarm_rate
from gtloc_forensics.report.text import plain

_HASH = re.compile(r"[0-9a-f]{32,}")
_LONGEST_RUN, _RUN_SHOWN = 200, 100  # of custody events of one kind by one actor


def _columns(edition: Edition, chapter: str, **shares: float) -> tuple[Column, ...]:
    return tuple(Column(edition.words.line(f"{chapter}.column_{name}"), share) for name, share in shares.items())


def not_examined(edition: Edition) -> Iterator[Block]:
    """Yield what was not looked at, photo by photo, and what was passed over."""
    words = edition.words
    yield Heading(words("not_examined.title"), 1, "not_examined")
    yield Prose(words("not_examined.lead"))
    columns = _columns(edition, "not_examined", number=0.07, file=0.4, stage=0.13, reason=0.4)
    yield Table(columns, _gaps(edition), words.line("not_examined.none"), dense=True)
    yield Heading(words("not_examined.passed_title"), 2, "passed_over")
    rows = (
        (
            text_of(plain(entry.relative)),
            text_of(edition.words.reason(entry.reason)),
            text_of(_blocked(edition, entry.blocks)),
        )
        for entry in edition.view.passed_over()
    )
    columns = _columns(edition, "passed", file=0.5, reason=0.36, kind=0.14)
    yield Table(columns, rows, words.line("not_examined.none_passed"), dense=True)


def _blocked(edition: Edition, blocks: bool) -> str:
    return edition.words.line("passed.could_not" if blocks else "passed.no_photo")


def _gaps(edition: Edition) -> Iterator[tuple[Text, ...]]:
    for number, entry in enumerate(edition.view.photos(), start=1):
        for gap in entry.unexamined:
            name = edition.photo_link(entry.photo.source.source_id)
            yield (
                text_of(str(number)),
                name,
                text_of(edition.stage(gap.stage)),
                text_of(edition.words.reason(gap.reason)),
            )


def table(edition: Edition) -> Iterator[Block]:
    """Yield the table of all photos with their hashes."""
    words = edition.words
    yield Heading(words("table.title"), 1, "table")
    yield Prose(words("table.lead"))
    columns = _columns(edition, "table", number=0.05, file=0.26, sha256=0.41, time=0.14, result=0.14)
    rows = (
        _table_row(edition, number, entry)
        for number, entry in enumerate(edition.view.photos(), start=1)
        if edition.listed(entry)
    )
    yield Table(columns, rows, words.line("table.none"), dense=True)


def _table_row(edition: Edition, number: int, entry: PhotoEntry) -> tuple[Text, ...]:
    claim = entry.photo.claim
    local = getattr(claim, "local_time", None)
    time = edition.when(local.value) if isinstance(local, Stated) else "–"
    found = dict.fromkeys(finding.check_id for finding in entry.findings if finding.is_found)
    result = Span(edition.result(entry), "bold" if found else "")
    checks = (Span(f" {' '.join(found)}", "quiet"),) if found else ()
    return (
        text_of(str(number)),
        edition.photo_link(entry.photo.source.source_id),
        text_of(entry.photo.source.sha256, "hash"),
        text_of(time),
        (result, *checks),
    )


def integrity(edition: Edition) -> Iterator[Block]:
    """Yield whether the files are still what they were at intake."""
    words, digest = edition.words, edition.survey
    yield Heading(words("integrity.title"), 1, "integrity")
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


def custody(edition: Edition) -> Iterator[Block]:
    """Yield the custody chain, even when it is empty."""
    words = edition.words
    yield Heading(words("custody.title"), 1, "custody", "here")
    yield Prose(words("custody.lead"))
    columns = _columns(edition, "custody", number=0.06, time=0.14, actor=0.09, action=0.1, subject=0.2, hash=0.41)
    events = edition.view.custody()
    yield Table(columns, _events(edition, events), words.line("custody.none"), dense=True)
    if events:
        yield Prose((*words("custody.last"), Span(f" {events[-1].event_hash}", "hash")), "small")


def _events(edition: Edition, events: tuple[CustodyEvent, ...]) -> Iterator[tuple[Text, ...]]:
    """Yield a row per event; of a long run of the same act the middle is one row with its count."""
    for _, same in groupby(events, key=lambda event: (event.actor, event.action)):
        run = list(same)
        folded = len(run) > _LONGEST_RUN
        for event in run[: _RUN_SHOWN if folded else None]:
            yield _event(edition, event)
        if folded:
            more = edition.words("custody.folded", count=len(run) - _RUN_SHOWN - 1)
            yield (text_of("…"), (), (), (), more, ())
            yield _event(edition, run[-1])


def _event(edition: Edition, event: CustodyEvent) -> tuple[Text, ...]:
    words = edition.words
    action = words.line(f"action.{event.action}") if words.has(f"action.{event.action}") else plain(event.action)
    detail = ", ".join(f"{plain(name)} {_short(value)}" for name, value in event.detail.items() if value is not None)
    return (
        text_of(str(event.sequence)),
        text_of(edition.when(event.utc_time)),
        text_of(plain(event.actor)),
        text_of(action),
        (Span(plain(event.subject)), Span(f" {plain(detail)}" if detail else "", "quiet")),
        text_of(event.event_hash, "hash"),
    )


def _short(value: object) -> str:
    """Return a detail of an event; of a hash its first digits, the whole is in the export of the chain."""
    text = plain(value, limit=80)
    return f"{text[:12]}…" if _HASH.fullmatch(text) else text


def methods(edition: Edition) -> Iterator[Block]:
    """Yield how the examination works, what it was calibrated on and how often its rules are wrong."""
    words = edition.words
    yield Heading(words("methods.title"), 1, "methods")
    yield from (
        Prose(words(f"methods.text_{number}")) for number in range(1, 20) if words.has(f"methods.text_{number}")
    )
    yield Heading(words("methods.scale_title"), 2, "scale")
    yield Prose(words("methods.scale_lead"))
    yield scale_table(edition)
    yield Heading(words("methods.calibration_title"), 2, "calibration")
    facts = edition.view.calibration()
    if facts:
        yield Facts(tuple((text_of(plain(name)), text_of(plain(value))) for name, value in facts.items()))
    else:
        yield Callout(words("methods.no_calibration"), "warning")
    counted = [note for note in edition.rules.values() if note.tested]
    if counted:
        yield Prose(words("methods.alarm_rates"))
        yield Bullets(tuple(alarm_rate(edition, note) for note in counted))
    yield Heading(words("methods.rules_title"), 2, "rules")
    columns = _columns(edition, "rules", rule=0.09, title=0.55, found=0.12, agreed=0.12, untested=0.12)
    yield Table(columns, (_rule(edition, check_id) for check_id in edition.rules), words.line("rules.none"), dense=True)
    card = edition.view.model_card()
    yield Heading(words("methods.model_title"), 2, "model")
    if card:
        yield from card_blocks(card)
    else:
        yield Callout(words("methods.no_model"))


def _rule(edition: Edition, check_id: str) -> tuple[Text, ...]:
    outcomes = edition.survey.outcomes
    found = outcomes[(check_id, Outcome.SUSPICIOUS)] + outcomes[(check_id, Outcome.CONTRADICTION)]
    agreed = outcomes[(check_id, Outcome.CONSISTENT)] + outcomes[(check_id, Outcome.EXPLAINED)]
    numbers = (found, agreed, outcomes[(check_id, Outcome.NOT_TESTABLE)])
    return (
        text_of(check_id),
        text_of(edition.rule_title(check_id)),
        *(text_of(edition.words.number(number)) for number in numbers),
    )


def environment(edition: Edition) -> Iterator[Block]:
    """Yield what one needs to repeat the run, to the command line."""
    words = edition.words
    yield Heading(words("environment.title"), 1, "environment")
    yield Prose(words("environment.lead"))
    short = {name: value for name, value in edition.view.environment.items() if name != "model card"}
    rows = ((text_of(plain(name)), text_of(words.told(value, limit=1_000))) for name, value in short.items())
    yield Facts((*rows, (words("environment.report"), text_of(f"gtloc_forensics {edition.version}"))))
    yield Prose(words("environment.notices"), "small")


def glossary(edition: Edition) -> Iterator[Block]:
    """Yield the terms of the report, each with its meaning."""
    words = edition.words
    yield Heading(words("glossary.title"), 1, "glossary", "here")
    terms = (number for number in range(1, 60) if words.has(f"glossary.term_{number}"))
    rows = ((words(f"glossary.term_{number}"), words(f"glossary.meaning_{number}")) for number in terms)
    yield Facts(tuple(rows), 0.24)
