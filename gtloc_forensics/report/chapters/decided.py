"""Every decision of the case, as the custody chain holds it: finding by finding, then event by event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gtloc_forensics.records import Decision, Reviewed
from gtloc_forensics.report.blocks import Block, Column, Facts, Heading, Prose, Span, Table, Text
from gtloc_forensics.report.chapters.edition import Edition, numbers
from gtloc_forensics.report.chapters.weighing import WeighedCause
from gtloc_forensics.report.readings import Fate, Reading, fates, fates_of, readings, undecided
from gtloc_forensics.report.text import plain

_SHARES = (("rule", 0.2), ("photos", 0.2), ("readers", 0.44), ("agreement", 0.16))
_LONGEST_SAID = 4_100  # characters: a decision keeps at most 4,000 of a reason and of a note


def unprinted(edition: Edition) -> Iterator[Block]:
    """Yield how many decisions there are, where the edition does not print them."""
    made = edition.decisions.made
    if made and not edition.reviewed:
        examiners = len({decision.examiner for decision in made})
        yield Prose(edition.words("reviewed.unprinted", decisions=len(made), examiners=examiners), "small")


def decided(edition: Edition) -> Iterator[Block]:
    """Yield the chapter; nothing in an edition that does not print decisions."""
    if not edition.reviewed:
        return
    words, decisions = edition.words, edition.decisions
    yield Heading(words("reviewed.title"), 1, "decided", "here")
    if not decisions:
        yield Prose(words("reviewed.none"))
        return
    every = readings(decisions, edition.survey.said)
    found = {line.source_id: line.rules for line in edition.survey.lines.in_order() if line.rules}
    yield Prose(
        words(
            "reviewed.lead",
            decisions=len(decisions.made),
            examiners=len({made.examiner for made in decisions.made}),
            undecided=undecided(found, every),
            findings=sum(len(rules) for rules in found.values()),
        )
    )
    shown = [reading for reading in every if _is_shown(edition, reading.source_id)]
    yield Heading(words("reviewed.findings_title"), 2, "decided-findings")
    columns = tuple(Column(words.line(f"reviewed.column_{name}"), share) for name, share in _SHARES)
    yield Table(columns, _findings(edition, shown), words.line("table.none"), dense=True)
    if len(shown) < len(every):
        yield Prose(words("reviewed.left_out", count=len(every) - len(shown)), "small")
    yield Heading(words("reviewed.events_title"), 2, "decided-events")
    yield Prose(words("reviewed.events_lead"), "small")
    yield Facts(tuple(_events(edition, every)), 0.24)


def on_cause(edition: Edition, cause: WeighedCause) -> Text:
    """Return what each reader made of a cause, in a few words; nothing where nobody did, or it is not printed."""
    if not edition.reviewed:
        return ()
    rules = frozenset(cause.group.check_ids)
    said: Counter[tuple[str, str, str]] = Counter()
    every = 0
    for source_id in cause.group.source_ids:
        sha256, ways = edition.survey.said.get(source_id, ("", {}))
        found = rules & (ways.keys() or set(edition.survey.lines[source_id].rules))
        every += len(found)
        for check_id in found:
            for item in edition.decisions.reviewed((source_id, check_id), sha256, ways.get(check_id, frozenset())):
                said[(item.decision.examiner, _judged(edition, item.decision), item.standing.value)] += 1
    told = "; ".join(
        edition.words.line(
            f"reviewed.on_cause_{standing}", judgement=judged, examiner=plain(examiner), count=count, every=every
        )
        for (examiner, judged, standing), count in said.items()
    )
    return (Span(" "), *edition.words("reviewed.on_cause", told=told)) if told else ()


def _is_shown(edition: Edition, source_id: str) -> bool:
    if edition.photo:
        return source_id in edition.survey.paged
    line = edition.survey.lines.get(source_id)
    return edition.only is None if line is None else edition.listed(line)


def _judged(edition: Edition, made: Decision) -> str:
    return edition.words.line(f"judgement.{made.judgement.name.lower()}")


# --------------------------------------------------------------------------- finding by finding


def _findings(edition: Edition, read: list[Reading]) -> Iterator[tuple[Text, ...]]:
    """Yield a row for all findings of a rule of which the same readers said the same by the same decisions."""
    alike: dict[tuple[object, ...], list[Reading]] = {}
    for reading in read:
        by = tuple((item.decision.number, item.standing) for item in reading.readers)
        alike.setdefault((reading.check_id, by, reading.is_said_now), []).append(reading)
    for row in sorted(alike.values(), key=lambda row: row[0].readers[0].decision.number):
        yield _row(edition, row)


def _row(edition: Edition, row: list[Reading]) -> tuple[Text, ...]:
    words, first = edition.words, row[0]
    title = edition.rule_title(first.check_id)
    gone = () if first.is_said_now else (Span(" "), *words("reviewed.gone"))
    readers: list[Span] = []
    for item in first.readers:
        readers += [Span("; ")] if readers else []
        readers += _reader(edition, item)
    return (
        (Span(first.check_id, "bold"), Span(f" {title}" if title else "", "quiet"), *gone),
        _photos(edition, [reading.source_id for reading in row]),
        tuple(readers),
        words(f"reviewed.{first.agreement.name.lower()}"),
    )


def _reader(edition: Edition, item: Reviewed) -> Text:
    made, words = item.decision, edition.words
    return (
        Span(plain(made.examiner, limit=200)),
        Span(": "),
        Span(_judged(edition, made), "bold"),
        Span(" "),
        *words("reviewed.by_event", event=str(made.number)),
        Span(", "),
        *words(f"reviewed.{item.standing.value}", examination=plain(made.examination[:12])),
    )


def _photos(edition: Edition, source_ids: list[str]) -> Text:
    """Return the numbers of photos, a single one with its name; those that are in the case no more by their id."""
    there = [source_id for source_id in source_ids if source_id in edition.survey.lines]
    if len(there) == len(source_ids) == 1:
        return edition.photo_link(there[0])
    left = len(source_ids) - len(there)
    away = edition.words("reviewed.photos_gone", count=left) if left else ()
    return (Span(numbers(edition, there)), Span(" " if there and left else ""), *away)


# --------------------------------------------------------------------------- event by event


def _events(edition: Edition, read: tuple[Reading, ...]) -> Iterator[tuple[Text, Text]]:
    words, standing = edition.words, fates_of(read)
    for made in edition.decisions.made:
        label = words("reviewed.event", event=str(made.number), when=edition.instant(made.utc_time))
        yield label, _event(edition, made, fates(made, standing))


def _event(edition: Edition, made: Decision, became: Counter[Fate]) -> Text:
    words = edition.words
    photos = list(dict.fromkeys(member.source_id for member in made.members))
    shown = [source_id for source_id in photos if _is_shown(edition, source_id)]
    spans = [Span(_judged(edition, made), "bold")]
    for name, text in (("because", made.because), ("note", made.note)):
        if text:
            spans += [Span(". "), *words(f"reviewed.{name}"), Span(f" {plain(text, limit=_LONGEST_SAID)}")]
    told = words(
        "reviewed.event_told",
        examiner=plain(made.examiner, limit=200),
        account=plain(made.account),
        findings=len(made.members),
        photos=len(photos),
        rules=", ".join(sorted({member.check_id for member in made.members})),
        is_cause=bool(made.cause),
        examination=plain(made.examination[:12]),
        is_this=made.examination == edition.decisions.examination,
        replaces=str(made.replaces or ""),
    )
    spans += [Span(". "), *told]
    if shown:
        spans += [Span(" "), *words("reviewed.event_photos"), Span(" "), *_photos(edition, shown), Span(".")]
    spans += [Span(" "), *_fate(edition, made, became)]
    return tuple(spans)


def _fate(edition: Edition, made: Decision, became: Counter[Fate]) -> Text:
    spans: list[Span] = []
    for fate, count in became.items():
        spans += [Span(" ")] if spans else []
        spans += edition.words(
            f"reviewed.fate_{fate.name.lower()}",
            count=count,
            every=len(made.members),
            event=str(made.undone_by or ""),
        )
    return tuple(spans)
