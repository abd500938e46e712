"""The cover and the page that everybody reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gtloc_forensics.records import CauseGroup, Outcome, RuleNote
from gtloc_forensics.report.blocks import (
    Block,
    Bullets,
    Callout,
    Column,
    Contents,
    Cover,
    Facts,
    Heading,
    OnePage,
    Prose,
    Span,
    Table,
    Text,
    Tile,
    Tiles,
    text_of,
)
from gtloc_forensics.report.chapters.edition import Edition, cause_name, cause_told, listing
from gtloc_forensics.report.chapters.strength import share_interval
from gtloc_forensics.report.text import plain

_TILES = (
    ("found", "found"),
    ("clean", "clean"),
    ("not_testable", "open"),
    ("not_examined", "open"),
    ("passed_over", ""),
)
_CAUSES_SHOWN, _REASONS_SHOWN, _RULES_SHOWN, _NAMES_SHOWN = 8, 5, 5, 3


def cover(edition: Edition, contents: Contents) -> Cover:
    """Return the first page."""
    words, header = edition.words, edition.header
    opened = f"{edition.when(header.opened_utc)} UTC" if header.opened_utc else ""
    fields = (
        ("case_number", header.case_number),
        ("exhibit", header.exhibit),
        ("examiner", header.examiner),
        ("agency", header.agency),
        ("legal_authority", header.legal_authority),
        ("evidence_folder", header.evidence_folder),
        ("opened", opened),
        ("report_date", edition.report_date),
    )
    rows = tuple((words(f"cover.{name}"), _field(edition, value)) for name, value in fields)
    return Cover(
        title=words.line("cover.title"),
        subtitle=words.line("cover.subtitle"),
        facts=Facts(rows),
        note=_note(edition),
        logo=edition.template.logo,
        contents=contents,
        signatures=(words.line("cover.signature_examiner"), words.line("cover.signature_reviewer")),
    )


def _note(edition: Edition) -> Text:
    """Return the counts; and, on the cover already, that an edition does not show everything."""
    note = edition.words("cover.note", **counts(edition))
    if quoted := edition.words("cover.quoted"):
        note = (*note, Span(" "), *quoted)
    return note if edition.only is None else (*edition.words("cover.only", shown=edition.shown), Span(" "), *note)


def _field(edition: Edition, value: str) -> Text:
    return text_of(plain(value)) if value else text_of(edition.words.line("cover.not_stated"), "quiet")


def counts(edition: Edition) -> dict[str, int]:
    """Return the counts that sentences speak of."""
    tally = edition.view.tally
    return {
        "photos": tally.photos,
        "found": tally.found,
        "clean": tally.clean,
        "not_testable": tally.not_testable,
        "not_examined": tally.not_examined,
        "both": tally.found_and_not_examined,
        "passed_over": tally.passed_over,
        "examined": edition.survey.examined,
        "looked_at": edition.survey.looked_at,
        "causes": len(edition.view.causes()),
    }


def summary(edition: Edition) -> Iterator[Block]:
    """Yield page one."""
    yield Heading(edition.words("summary.title"), 1, "summary")
    yield OnePage(tuple(_page(edition)))


def _page(edition: Edition) -> Iterator[Block]:
    words, numbers = edition.words, counts(edition)
    yield Prose(words("summary.lead", **numbers), "lead")
    if quoted := words("cover.quoted"):
        yield Prose(quoted, "small")
    yield Tiles(
        tuple(Tile(words.number(numbers[name]), words.line(f"summary.tile_{name}"), tone) for name, tone in _TILES)
    )
    if edition.only is not None:
        yield Callout(words("summary.only", shown=edition.shown), "warning")
    if numbers["both"]:
        yield Prose(words("summary.both", **numbers), "small")
    yield Heading(words("summary.found_title"), 3, "summary-found")
    yield _causes(edition)
    yield Heading(words("summary.not_examined_title"), 3, "summary-not-examined")
    yield Bullets(tuple(_not_examined(edition)))
    yield Heading(words("summary.alarms_title"), 3, "summary-alarms")
    yield Bullets(tuple(_alarms(edition)))
    yield Callout(words("summary.limits", **numbers))


def _causes(edition: Edition) -> Table:
    words, groups = edition.words, edition.view.causes()
    titles = ("camera", "finding", "photos", "outcome")
    columns = tuple(
        Column(words.line(f"summary.column_{name}"), share)
        for name, share in zip(titles, (0.24, 0.48, 0.1, 0.18), strict=True)
    )
    rows = [_cause_row(edition, group) for group in groups[:_CAUSES_SHOWN]]
    if len(groups) > _CAUSES_SHOWN:
        rest = Counter(cause_name(edition, group) for group in groups[_CAUSES_SHOWN:])
        by_cause = ", ".join(f"{count} × {name}" for name, count in rest.most_common())
        more = words("summary.more_causes", count=len(groups) - _CAUSES_SHOWN, by_cause=by_cause)
        rows.append((text_of(""), more, text_of(""), text_of("")))
    return Table(columns, rows, empty=words.line("summary.nothing_found"))


def _cause_row(edition: Edition, group: CauseGroup) -> tuple[Text, ...]:
    return (
        text_of(plain(group.label or edition.words.line("summary.no_device"), limit=80)),
        _told(edition, group),
        text_of(edition.words.number(len(group.source_ids))),
        text_of(edition.outcome(group.outcome), "bold"),
    )


def _told(edition: Edition, group: CauseGroup) -> Text:
    """Return what is said of a group, and the names where it is about few photos."""
    said = text_of(cause_told(edition, group, limit=240))
    if len(group.source_ids) > _NAMES_SHOWN:
        return said
    return (*said, Span(" "), *listing(edition, group.source_ids, most=_NAMES_SHOWN))


def _not_examined(edition: Edition) -> Iterator[Text]:
    words, digest, tally = edition.words, edition.survey, edition.view.tally
    if tally.not_testable:
        yield words("summary.not_testable", **counts(edition))
    yield words("summary.pixels", **counts(edition))
    reasons = digest.reasons.most_common()
    for (stage, reason), photos in sorted(reasons, key=lambda item: (-item[1], item[0]))[:_REASONS_SHOWN]:
        yield words("summary.reason", stage=edition.stage(stage), reason=words.told(reason, limit=160), photos=photos)
    if len(reasons) > _REASONS_SHOWN:
        yield words("summary.more_reasons", count=len(reasons) - _REASONS_SHOWN)
    blocked = sum(entry.blocks for entry in edition.view.passed_over())
    if blocked:
        yield words("summary.blocked", count=blocked)


def _alarms(edition: Edition) -> Iterator[Text]:
    """Yield, for the rules that found something here, how often they are wrong."""
    words = edition.words
    speaking = [note for note in edition.rules.values() if _found(edition, note.check_id)]
    counted = [note for note in speaking if note.tested]
    if not speaking:
        yield words("summary.no_alarms")
    for note in sorted(counted, key=lambda rate: -_found(edition, rate.check_id))[:_RULES_SHOWN]:
        yield alarm_rate(edition, note)
    if len(counted) > _RULES_SHOWN:
        yield words("summary.more_alarms", count=len(counted) - _RULES_SHOWN)
    for name, value in edition.view.calibration().items():
        if name.startswith("false alarms"):
            yield words("summary.calibrated", name=name, value=value)
    weighed = edition.survey.weighed  # these state their own rate, below
    uncounted = [note.check_id for note in speaking if not note.tested and note.check_id not in weighed]
    if uncounted:
        yield words("summary.uncounted", rules=", ".join(uncounted), count=len(uncounted))


def alarm_rate(edition: Edition, note: RuleNote) -> Text:
    """Say on how many untouched photos a rule alarmed, with an interval over their sources where these were counted."""
    tested, alarms = note.tested or 0, note.alarms or 0
    hits, trials = (alarms, tested) if note.sources is None else (note.source_alarms or 0.0, note.sources)
    low, high = share_interval(hits, trials)
    return edition.words(
        "summary.alarm_rate",
        rule=note.check_id,
        title=edition.rule_title(note.check_id),
        alarms=edition.words.number(alarms),
        tested=edition.words.number(tested),
        sources=note.sources,
        share=edition.words.number(100 * hits / trials, 1),
        low=edition.words.number(100 * low, 1),
        high=edition.words.number(100 * high, 1),
        photo_set=note.photo_set,
    )


def _found(edition: Edition, check_id: str) -> int:
    outcomes = edition.survey.outcomes
    return outcomes[(check_id, Outcome.SUSPICIOUS)] + outcomes[(check_id, Outcome.CONTRADICTION)]
