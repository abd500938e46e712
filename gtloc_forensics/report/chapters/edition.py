"""One edition of a report: a case, a template, a language and a date, and how its values are put in words."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum, unique
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from zoneinfo import ZoneInfo

from gtloc_forensics.earth.zones import offset_at_utc
from gtloc_forensics.errors import ToolMissing, UsageError
from gtloc_forensics.records import (
    CaseHeader,
    CaseView,
    CauseGroup,
    CauseKind,
    Decisions,
    Finding,
    Outcome,
    RuleNote,
    Status,
)
from gtloc_forensics.report.blocks import Picture, Span, Text
from gtloc_forensics.report.chapters.by_photo import ByPhoto
from gtloc_forensics.report.chapters.lines import PhotoLine
from gtloc_forensics.report.chapters.survey import Progress, Survey, survey
from gtloc_forensics.report.chapters.weighing import WeighedCause, beside, weighed
from gtloc_forensics.report.template import Template, Words, load_template, load_words
from gtloc_forensics.report.text import plain

OF_CAUSES = ("causes", "causes_briefly")  # chapters that tell every cause; a template has one of them
_CHAPTERS_OF = {"cause": OF_CAUSES, "minor": ("minor",), "photo": ("photos",)}  # where an anchor is, by its kind
_DECIDED = "decided"  # the chapter that prints every decision
_LONG_NUMBER = 18  # digits
_LONGEST_FURNITURE = 32  # characters of a field that stands in one line with others


@unique
class Part(Enum):
    """What of a report is made: all of it, or what comes before its appendix, or that alone."""

    WHOLE = "whole"
    MAIN = "main"
    APPENDIX = "appendix"


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
    causes: tuple[WeighedCause, ...]
    part: Part
    rules: Mapping[str, RuleNote]
    shown_in: ByPhoto  # in which of the causes a photo is told
    version: str
    said: Mapping[str, str] = field(default_factory=dict)  # the mandate
    decisions: Decisions = field(default_factory=Decisions)
    reviewed: bool = False  # whether every decision is printed
    photo: str = ""  # the number or path of the one photo that was asked for
    appendix_name: str = ""  # the file that the appendix is in, when it is another
    thumbnails: dict[str, Picture | None] = field(default_factory=dict)  # made once, shown in several places

    @property
    def header(self) -> CaseHeader:
        """The examiner's fields."""
        return self.view.header

    @property
    def mandate(self) -> Mapping[str, str]:
        """What the examiner says beside the header: the request, how the photos were acquired, the limits."""
        return self.said

    @property
    def carries_data(self) -> bool:
        """Whether findings, chain and card are embedded: never where that would say what is left out."""
        return self.only is None and self.template.attach and self.part is not Part.APPENDIX

    @property
    def is_large(self) -> bool:
        """Whether the table is printed of the found alone, with one of all as a file, and findings.json left out."""
        return self.survey.photos > self.template.table_photos

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

    def listed(self, line: PhotoLine) -> bool:
        """Whether a photo is in the table."""
        return self.only is None or bool(line.statuses & self.only)

    @property
    def shown(self) -> str:
        """The words for the results that a restricted edition shows."""
        return ", ".join(self.status(status) for status in Status if self.only is not None and status in self.only)

    def result(self, statuses: frozenset[Status]) -> str:
        """Return how the examination of a photo ended, and whether it was whole."""
        word = self.status(next(status for status in Status if status in statuses))
        if len(statuses) == 1:
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

    def exhibit(self, source_id: str) -> str:
        """Return the number a photo keeps; "" for one that is not in the case."""
        number = self.survey.lines.number_of(source_id)
        return "" if number is None else plain(self.survey.lines.exhibit_at(number), limit=40)

    def name(self, source_id: str) -> str:
        """Return the path of a photo."""
        line = self.survey.lines.get(source_id)
        return plain(line.name if line else source_id)

    def photo_link(self, source_id: str) -> Text:
        """Return number and name of a photo, linked to where it is shown."""
        number, target = self.exhibit(source_id), self.target(source_id)
        return (Span(f"{number} ", "bold", target), Span(self.name(source_id), "", target))

    def target(self, source_id: str) -> str:
        """Return the anchor of where a photo is shown, "" where it is not."""
        if source_id in self.survey.paged:
            return self.place(photo_anchor(source_id))
        causes = self.shown_in.of(source_id)  # of several the gravest
        return self.place(self.causes[causes[0]].anchor if causes else "")

    def place(self, anchor: str) -> str:
        """Return *anchor* when it is in the part of the report that is made, else ""."""
        kind = anchor.partition("-")[0]
        return anchor if set(_CHAPTERS_OF.get(kind, ())) & set(self.chapter_names) else ""

    @property
    def chapter_names(self) -> tuple[str, ...]:
        """The chapters of the part that is made, in their order."""
        wanted = self.template.chapters
        if self.reviewed and _DECIDED not in wanted:
            wanted = (*wanted, _DECIDED)  # what was asked for is printed, whatever the template is for
        if self.part is Part.WHOLE:
            return wanted
        in_appendix = self.part is Part.APPENDIX
        return tuple(name for name in wanted if (name in self.template.appendix) is in_appendix)

    def when(self, moment: datetime) -> str:
        """Return a moment to the second, without a zone, as the language writes it."""
        return self.words.line("format.moment", year=f"{moment.year:04d}", **_two_digits(moment))

    def instant(self, utc: datetime) -> str:
        """Return an instant in UTC, with the local time of the examiner's zone beside it where one was named."""
        said = f"{self.when(utc)} UTC"
        if self.zone is None:
            return said
        local = utc.replace(tzinfo=UTC).astimezone(self.zone)
        return f"{said} ({self.when(local)} {_offset(local)})"

    def beside_utc(self, utc: datetime, zones: Sequence[str]) -> str:
        """Return the local time at an instant in brackets: that of the place, else that of the examiner's zone.

        Nothing where neither is known, and where the zones that a place keeps disagree.

        Args:
            utc: naive, counts UTC.
            zones: that are legal at the place.
        """
        try:
            offsets = {offset_at_utc(zone, utc) for zone in zones}
        except (ToolMissing, OverflowError):
            return ""
        if len(offsets) == 1:
            local = utc.replace(tzinfo=UTC).astimezone(timezone(timedelta(hours=offsets.pop())))
        elif not offsets and self.zone is not None:
            local = utc.replace(tzinfo=UTC).astimezone(self.zone)
        else:
            return ""
        shown = f"{local:%H:%M:%S}" if local.date() == utc.date() else self.when(local)
        return f"({shown} {_offset(local)})"

    @property
    def zone(self) -> ZoneInfo | None:
        """The zone whose local time is printed beside UTC."""
        name = self.mandate.get("zone", "")
        try:
            return ZoneInfo(name) if name else None
        except (KeyError, ValueError, OSError):
            return None  # named on another machine, with zones that this one lacks: UTC stands alone

    def day(self, day: int, month: int) -> str:
        """Return a day of any year."""
        name = self.words.line("format.months_long").split()[month - 1]
        return self.words.line("format.day", day=day, month=name)


def _offset(local: datetime) -> str:
    offset = f"{local:%z}".replace("-", "−")
    return f"{offset[:3]}:{offset[3:5]}"


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
    part: Part = Part.WHOLE,
    appendix_name: str = "",
    photo: str = "",
    reviewed: bool = False,
    progress: Progress | None = None,
) -> Edition:
    """Read the template and go through the case once.

    Raises:
        UsageError: when template or language do not exist, or no photo is called *photo*.
    """
    chosen = load_template(template)
    words = load_words(template, language)
    instant, printed = _dated(report_date, words)
    tells_causes = any(name in chosen.chapters for name in OF_CAUSES)
    causes = weighed(view, sections=chosen.cause_sections if tells_causes else 0)
    sections = [cause for cause in causes if cause.has_section]
    told_by_cause = frozenset({Status.FOUND}) if tells_causes else frozenset()
    wanted = (only or frozenset({Status.FOUND})) - told_by_cause
    digest = survey(
        view,
        shown=wanted,
        pages=chosen.photo_pages if photo or "photos" in chosen.chapters else 0,
        kept=frozenset(_kept(causes, sections)),
        sheet=photo,
        progress=progress,
    )
    if photo and not digest.paged:
        raise UsageError(
            f"no photo of the case is called {photo!r}; give a number of the report or a path in the folder"
        )
    return Edition(
        view=view,
        template=chosen,
        words=words,
        report_instant=instant,
        report_date=printed,
        only=only,
        survey=digest,
        causes=causes,
        part=part,
        rules={note.check_id: note for note in view.rules()},
        shown_in=ByPhoto(cause.group.source_ids for cause in causes),
        version=_version(),
        said=view.mandate(),
        decisions=view.decisions(),
        reviewed=reviewed,
        photo=photo,
        appendix_name=appendix_name,
    )


def _kept(causes: tuple[WeighedCause, ...], sections: list[WeighedCause]) -> Iterator[str]:
    """Yield the photos that sections show, and those beside them: the other picture of a pair."""
    for cause in sections:
        yield from cause.shown
        yield from filter(None, map(beside, cause.findings))


def _dated(report_date: date | datetime, words: Words) -> tuple[datetime, str]:
    """Return the date of the report as an instant, and as it is printed."""
    day = words.line("format.date", **{name: f"{getattr(report_date, name):02d}" for name in ("year", "month", "day")})
    if not isinstance(report_date, datetime):
        return datetime(report_date.year, report_date.month, report_date.day), day
    if report_date.tzinfo is None:
        return report_date, f"{day} {report_date:%H:%M} UTC"
    return report_date.astimezone(UTC).replace(tzinfo=None), f"{day} {report_date:%H:%M} {_offset(report_date)}"


def _version() -> str:
    try:
        return version("gtloc_forensics")
    except PackageNotFoundError:
        return "unknown"


def cause_name(edition: Edition, group: CauseGroup) -> str:
    """Return what a cause is called; a group without one by the rules that speak in it.

    A clock is said to be set wrong only where it is known by how much: a date that was changed, or a photo out of
    its counter's order, fits its clock no better, and nobody set that.
    """
    key = f"cause.{group.cause.kind.replace('-', '_')}"
    is_unmeasured = group.cause.kind == CauseKind.CLOCK_OFFSET and group.cause.offset_hours is None
    if edition.words.has(name := "cause.clock_time" if is_unmeasured else key) or edition.words.has(name := key):
        return edition.words.line(name)
    return plain(group.cause.kind) or ", ".join(filter(None, map(edition.rule_title, group.check_ids)))


def cause_told(edition: Edition, group: CauseGroup, *, limit: int) -> str:
    """Return what is said of a cause; where several findings of a rule name none, that the rule speaks, and how often.

    The report has the titles of rules in its own language; the sentence that the case keeps has them in English.
    """
    if group.cause.kind is CauseKind.UNNAMED and group.findings > 1:
        return edition.words.line("causes.by_rule", rule=cause_name(edition, group), count=group.findings)
    return edition.words.sentence(group.summary, limit=limit)


def listing(edition: Edition, source_ids: Sequence[str], *, most: int) -> Text:
    """Return numbers and names of photos, linked, at most so many, and how many more there are."""
    spans: list[Span] = []
    for source_id in source_ids[:most]:
        spans += [Span(", ")] if spans else []
        spans += edition.photo_link(source_id)
    if len(source_ids) > most:
        spans += edition.words("common.and_more", count=len(source_ids) - most)
    return tuple(spans)


def numbers(edition: Edition, source_ids: Iterable[str], *, most: int = 80) -> str:
    """Return the numbers of photos, those that follow each other as a range: ``1–30, 34``."""
    texts, count = counted_runs((edition.exhibit(source_id) or "–" for source_id in source_ids), most=most)
    more = edition.words.line("common.and_more", count=count - most) if count > most else ""
    return ", ".join(texts) + more


def label_runs(numbered: Iterable[str]) -> list[str]:
    """Return the numbers of photos, those that follow each other as a range, then those that are no numbers."""
    return counted_runs(numbered, most=None)[0]


def counted_runs(numbered: Iterable[str], *, most: int | None) -> tuple[list[str], int]:
    """Return the first so many of the same, and how many there are."""
    counted, longer, others = array("q"), set[int](), dict[str, None]()  # eight bytes each of a hundred thousand
    for label in numbered:
        if not label.isdecimal():
            others[label] = None
        elif len(label) < _LONG_NUMBER:
            counted.append(int(label))
        else:
            longer.add(int(label))
    runs = sorted([*_runs(counted), *((number, number) for number in longer)]) if longer else _runs(counted)
    texts = list[str]()
    count = 0
    for count, (first, last) in enumerate(_joined(runs), start=1):
        if most is None or count <= most:
            texts.append(f"{first}–{last}" if last > first else str(first))
    texts += islice(others, None if most is None else most - len(texts))
    return texts, count + len(others)


def _runs(numbers: array[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of those that follow each other."""
    import numpy as np

    if not numbers:
        return
    every = np.unique(np.frombuffer(numbers, np.int64))
    begins = np.flatnonzero(np.diff(every, prepend=every[0] - 2) != 1)
    ends = np.append(begins[1:], len(every)) - 1
    yield from zip(array("q", every[begins].tobytes()), array("q", every[ends].tobytes()), strict=True)


def _joined(runs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield runs, those joined that follow each other."""
    held: tuple[int, int] | None = None
    for first, last in runs:
        if held is not None and first <= held[1] + 1:
            held = held[0], max(held[1], last)
            continue
        if held is not None:
            yield held
        held = first, last
    if held is not None:
        yield held


def short_name(edition: Edition, source_id: str, *, most: int = 26) -> str:
    """Return the last part of a photo's path, cut in the middle where it is long."""
    name = edition.name(source_id).rpartition("/")[2]
    return name if len(name) <= most else f"{name[: most // 2 - 1]}…{name[-(most // 2) :]}"
