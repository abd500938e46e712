"""One edition of a report: a case, a template, a language and a date, and how its values are put in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version

from gtloc_forensics.records import (
    CaseHeader,
    CaseView,
    CauseGroup,
    CauseKind,
    Finding,
    Outcome,
    PhotoEntry,
    RuleNote,
    Status,
)
from gtloc_forensics.report.blocks import Span, Text, text_of
from gtloc_forensics.report.chapters.survey import Survey, survey
from gtloc_forensics.report.template import Template, Words, load_template, load_words
from gtloc_forensics.report.text import plain

_LONGEST_FURNITURE = 32  # characters of a field that stands in one line with others


@dataclass(frozen=True, slots=True)
class Edition:
    """Everything a chapter reads."""

    view: CaseView
    template: Template
    words: Words
    report_instant: datetime  # naive, counts UTC
    report_date: str
    only: frozenset[Status] | None
    survey: Survey
    rules: Mapping[str, RuleNote]
    version: str

    @property
    def header(self) -> CaseHeader:
        """The examiner's fields."""
        return self.view.header

    @property
    def furniture(self) -> dict[str, str]:
        """What header and footer may speak of."""
        header = self.header
        return {
            "case_number": plain(header.case_number, limit=_LONGEST_FURNITURE),
            "exhibit": plain(header.exhibit, limit=_LONGEST_FURNITURE),
            "examiner": plain(header.examiner, limit=_LONGEST_FURNITURE),
            "agency": plain(header.agency, limit=_LONGEST_FURNITURE),
            "report_date": self.report_date,
            "version": self.version,
        }

    def listed(self, entry: PhotoEntry) -> bool:
        """Whether a photo is in the table."""
        return self.only is None or bool(entry.statuses & self.only)

    @property
    def shown(self) -> str:
        """The words for the results that a restricted edition shows."""
        return ", ".join(self.status(status) for status in Status if self.only is not None and status in self.only)

    def result(self, entry: PhotoEntry) -> str:
        """Return how the examination of a photo ended, and whether it was whole."""
        word = self.status(entry.status)
        if len(entry.statuses) == 1:
            return word
        return self.words.line("status.and_not_examined", status=word)

    def outcome(self, outcome: Outcome) -> str:
        """Return the word for an outcome."""
        return self.words.line(f"outcome.{outcome.name.lower()}")

    def status(self, status: Status) -> str:
        """Return the word for how the examination of a photo ended."""
        return self.words.line(f"status.{status.name.lower()}")

    def stage(self, name: str) -> str:
        """Return the word for a step of the examination; a rule that failed is named by its id."""
        kind, _, rule = name.partition(":")
        word = self.words.line(f"stage.{kind}") if self.words.has(f"stage.{kind}") else plain(kind)
        return f"{word} {plain(rule)}" if rule else word

    def rule_title(self, check_id: str) -> str:
        """Return what a rule is called, in the report's language where the template knows it."""
        if self.words.has(f"rule.{check_id}"):
            return self.words.line(f"rule.{check_id}")
        note = self.rules.get(check_id)
        return plain(note.title) if note else ""

    def rule_name(self, finding: Finding) -> str:
        """Return id and title of the rule behind *finding*."""
        title = self.rule_title(finding.check_id)
        return f"{finding.check_id} · {title}" if title else finding.check_id

    def photo_link(self, source_id: str) -> Text:
        """Return the name of a photo, linked to its page or its row."""
        name = plain(self.survey.names.get(source_id, source_id))
        return text_of(name, target=photo_anchor(source_id)) if source_id in self.survey.paged else text_of(name)

    def when(self, moment: datetime) -> str:
        """Return a moment to the second, without a zone, as the language writes it."""
        return self.words.line("format.moment", year=f"{moment.year:04d}", **_two_digits(moment))

    def day(self, day: int, month: int) -> str:
        """Return a day of any year."""
        name = self.words.line("format.months_long").split()[month - 1]
        return self.words.line("format.day", day=day, month=name)


def _two_digits(moment: datetime) -> dict[str, str]:
    return {name: f"{getattr(moment, name):02d}" for name in ("month", "day", "hour", "minute", "second")}


def photo_anchor(source_id: str) -> str:
    """Return the anchor of a photo's page."""
    return f"photo-{source_id}"


def edition_of(
    view: CaseView,
    *,
    template: str,
    language: str,
    report_date: date | datetime,
    only: frozenset[Status] | None,
) -> Edition:
    """Read the template and go through the case once.

    Raises:
        UsageError: when template or language do not exist.
    """
    chosen = load_template(template)
    words = load_words(template, language)
    instant, printed = _dated(report_date, words)
    pages = chosen.photo_pages if "photos" in chosen.chapters else 0
    return Edition(
        view=view,
        template=chosen,
        words=words,
        report_instant=instant,
        report_date=printed,
        only=only,
        survey=survey(view, shown=only or frozenset({Status.FOUND}), pages=pages),
        rules={note.check_id: note for note in view.rules()},
        version=_version(),
    )


def _dated(report_date: date | datetime, words: Words) -> tuple[datetime, str]:
    """Return the date of the report as an instant, and as it is printed."""
    day = words.line("format.date", **{name: f"{getattr(report_date, name):02d}" for name in ("year", "month", "day")})
    if not isinstance(report_date, datetime):
        return datetime(report_date.year, report_date.month, report_date.day), day
    if report_date.tzinfo is None:
        return report_date, f"{day} {report_date:%H:%M} UTC"
    offset = f"{report_date:%z}"
    return report_date.astimezone(UTC).replace(tzinfo=None), f"{day} {report_date:%H:%M} {offset[:3]}:{offset[3:5]}"


def _version() -> str:
    try:
        return version("gtloc_forensics")
    except PackageNotFoundError:
        return "unknown"


def cause_name(edition: Edition, group: CauseGroup) -> str:
    """Return what a cause is called; a group without one by the rules that speak in it."""
    key = f"cause.{group.cause.kind.replace('-', '_')}"
    if edition.words.has(key):
        return edition.words.line(key)
    return plain(group.cause.kind) or ", ".join(filter(None, map(edition.rule_title, group.check_ids)))


def cause_told(edition: Edition, group: CauseGroup, *, limit: int) -> str:
    """Return what is said of a cause; where several findings of a rule name none, that the rule speaks, and how often.

    The report has the titles of rules in its own language; the sentence that the case keeps has them in English.
    """
    if group.cause.kind is CauseKind.UNNAMED and group.findings > 1:
        return edition.words.line("causes.by_rule", rule=cause_name(edition, group), count=group.findings)
    return edition.words.sentence(group.summary, limit=limit)


def listing(edition: Edition, source_ids: tuple[str, ...], *, most: int) -> Text:
    """Return the names of photos, linked, at most so many, and how many more there are."""
    spans: list[Span] = []
    for source_id in source_ids[:most]:
        spans += [Span(", ")] if spans else []
        spans += edition.photo_link(source_id)
    if len(source_ids) > most:
        spans += edition.words("common.and_more", count=len(source_ids) - most)
    return tuple(spans)
