"""Page one: what was asked, examined and found, in which photo, how strong, how often false, what was not tested."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from gtloc_forensics.report.blocks import (
    Block,
    Bullets,
    Callout,
    Cell,
    Column,
    Facts,
    Front,
    Heading,
    OnePage,
    Prose,
    Signatures,
    Span,
    Table,
    Text,
    Tile,
    Tiles,
    page_of,
    text_of,
)
from gtloc_forensics.report.chapters import decided
from gtloc_forensics.report.chapters.by_photo import count_photos
from gtloc_forensics.report.chapters.edition import Edition, Part, cause_name, short_name
from gtloc_forensics.report.chapters.pictures import thumbnail
from gtloc_forensics.report.chapters.strength import alarm_share, in_a_word
from gtloc_forensics.report.chapters.weighing import WeighedCause
from gtloc_forensics.report.text import plain, shortened

_TILES = (
    ("found", "found"),
    ("clean", "clean"),
    ("not_testable", "open"),
    ("not_examined", "open"),
    ("passed_over", ""),
)
_WITH_PICTURE, _GRAVE_SHOWN, _REASONS_SHOWN, _NAMES_SHOWN = 8, 14, 3, 3
_LONGEST_TELLING = 190
_SHARES = (("picture", 0.08), ("photo", 0.2), ("finding", 0.34), ("strength", 0.15), ("false", 0.16), ("page", 0.07))
_FIELDS = ("case_number", "exhibit", "examiner", "agency", "legal_authority", "evidence_folder")


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
        "causes": sum(cause.is_found for cause in edition.causes),
    }


def summary(edition: Edition) -> Iterator[Block]:
    """Yield page one."""
    yield OnePage(tuple(_page(edition)))


def _page(edition: Edition) -> Iterator[Block]:
    words, counted = edition.words, counts(edition)
    yield front(edition)
    if edition.only is not None:
        yield Callout(words("summary.only", shown=edition.shown), "warning")
    yield Heading(words("summary.asked_title"), 3, "summary-asked")
    asked = edition.mandate.get("request", "")
    yield Prose(text_of(plain(asked, limit=600)) if asked else words("summary.asked"))
    yield Heading(words("summary.examined_title"), 3, "summary-examined")
    yield Prose(words("summary.lead", **counted))
    yield Tiles(
        tuple(Tile(words.number(counted[name]), words.line(f"summary.tile_{name}"), tone) for name, tone in _TILES)
    )
    if counted["both"]:
        yield Prose(words("summary.both", **counted), "small")
    if quoted := words("cover.quoted"):
        yield Prose(quoted, "small")
    yield Heading(words("summary.found_title"), 3, "summary-found")
    yield found_table(edition)
    if explained := _explained(edition):
        yield Prose((*edition.words("summary.explained_list"), *explained), "small")
    if any(cause.is_found for cause in edition.causes):
        yield Prose(words("summary.false_note"), "small")
    yield from decided.unprinted(edition)
    yield Heading(words("summary.not_examined_title"), 3, "summary-not-examined")
    yield Bullets(tuple(_not_examined(edition)), "cell")
    yield Callout(words("summary.limits", **counted))


def front(edition: Edition) -> Front:
    """Return the head of page one."""
    words, header = edition.words, edition.header
    opened = edition.instant(header.opened_utc) if header.opened_utc else ""
    values = {name: getattr(header, name) for name in _FIELDS}
    values |= {"opened": opened, "report_date": edition.report_date}
    return Front(
        title=words.line("cover.title"),
        subtitle=words.line("cover.subtitle"),
        fields=tuple((words(f"cover.{name}"), _field(edition, value)) for name, value in values.items()),
        logo=edition.template.logo,
        bookmark=words.line("summary.title"),
    )


def _field(edition: Edition, value: str) -> Text:
    return text_of(plain(value, limit=90)) if value else text_of(edition.words.line("cover.not_stated"), "quiet")


def found_table(edition: Edition) -> Table:
    """Return what was found, by weight: nothing grave is left out, the rest is counted by cause."""
    words = edition.words
    columns = tuple(Column(words.line(f"summary.column_{name}"), share) for name, share in _SHARES)
    found = [cause for cause in edition.causes if cause.is_found]
    shown = [cause for cause in found if cause.number <= _WITH_PICTURE or cause.is_grave][:_GRAVE_SHOWN]
    rows = [_row(edition, cause, with_picture=index < _WITH_PICTURE) for index, cause in enumerate(shown)]
    rows += _counted(edition, [cause for cause in edition.causes if cause not in shown])
    return Table(columns, rows, empty=words.line("summary.nothing_found"))


def _row(edition: Edition, cause: WeighedCause, *, with_picture: bool) -> tuple[Cell, ...]:
    group, words = cause.group, edition.words
    told = shortened(words.sentence(group.summary), most=_LONGEST_TELLING) if group.summary else ""
    name = Span(cause_name(edition, group), "bold")
    return (
        (thumbnail(edition, cause.exemplar) or ()) if with_picture else (),
        _photos(edition, cause),
        (name, Span(f". {told}" if told else ""), *decided.on_cause(edition, cause)),
        in_a_word(edition, cause),
        alarm_share(edition, cause),
        _page_of(edition, cause),
    )


def _page_of(edition: Edition, cause: WeighedCause) -> Text:
    anchor = edition.place(cause.anchor)
    return page_of(anchor) if anchor else ()


def _photos(edition: Edition, cause: WeighedCause) -> Text:
    """Return which photos a cause is about: each where they are few, else how many, their camera and one of them."""
    source_ids = cause.group.source_ids
    if len(source_ids) <= _NAMES_SHOWN:
        spans: list[Span] = []
        for source_id in source_ids:
            spans += [Span(", ")] if spans else []
            spans.append(Span(f"{edition.exhibit(source_id)} ", "bold", edition.place(cause.anchor)))
            spans.append(Span(short_name(edition, source_id)))
        return tuple(spans)
    label = edition.words.say(cause.group.label, limit=50)
    return (
        *edition.words("summary.of_photos", count=len(source_ids), camera=label),
        Span(" "),
        Span(f"{edition.exhibit(cause.exemplar)} ", "bold", edition.place(cause.anchor)),
        Span(short_name(edition, cause.exemplar)),
    )


def _counted(edition: Edition, causes: list[WeighedCause]) -> Iterator[tuple[Cell, ...]]:
    """Yield how often each kind of cause without a row was met: a row a kind that was found, one for all explained."""
    for alike in by_kind(edition, [cause for cause in causes if cause.is_found]):
        outcome = text_of(edition.outcome(alike[0].group.outcome))
        yield ((), (), kind_told(edition, alike), outcome, (), _page_of(edition, alike[0]))
    rest = [cause for cause in causes if not cause.is_found]
    if rest:
        told = edition.words("summary.explained", count=len(rest))
        yield ((), (), told, text_of(edition.outcome(rest[0].group.outcome)), (), _page_of(edition, rest[0]))


def _explained(edition: Edition) -> Text:
    """Return which kinds of explained causes there are, with how many photos."""
    spans: list[Span] = []
    for alike in by_kind(edition, [cause for cause in edition.causes if not cause.is_found]):
        spans += [Span("; ")] if spans else []
        spans += kind_told(edition, alike)
    return tuple(spans)


def by_kind(edition: Edition, causes: list[WeighedCause]) -> list[list[WeighedCause]]:
    """Return causes that ended alike and are called the same together."""
    kinds: dict[tuple[str, str], list[WeighedCause]] = defaultdict(list)
    for cause in causes:
        kinds[(edition.outcome(cause.group.outcome), cause_name(edition, cause.group))].append(cause)
    return list(kinds.values())


def kind_told(edition: Edition, alike: list[WeighedCause]) -> Text:
    """Return how many causes are alike, what they are called, and how many photos they concern."""
    photos = count_photos([cause.group.source_ids for cause in alike])
    name = cause_name(edition, alike[0].group)
    return edition.words("summary.counted", count=len(alike), cause=name, photos=photos)


def _not_examined(edition: Edition) -> Iterator[Text]:
    words, digest, tally = edition.words, edition.survey, edition.view.tally
    if tally.not_testable:
        yield words("summary.not_testable", **counts(edition))
    yield words("summary.pixels", **counts(edition))
    if limits := edition.mandate.get("limits", ""):
        yield (*words("summary.mandate_limits"), Span(f" {plain(limits, limit=300)}"))
    reasons = sorted(digest.reasons.items(), key=lambda item: (-item[1], item[0]))
    for (stage, reason), photos in reasons[:_REASONS_SHOWN]:
        yield words("summary.reason", stage=edition.stage(stage), reason=words.say(reason, limit=160), photos=photos)
    if len(reasons) > _REASONS_SHOWN:
        more = words("summary.more_reasons", count=len(reasons) - _REASONS_SHOWN)
        yield more
    blocked = sum(entry.blocks for entry in edition.view.passed_over())
    if blocked:
        yield words("summary.blocked", count=blocked)


def case_page(edition: Edition) -> Iterator[Block]:
    """Yield what the examiner says of the case, and the lines to sign on."""
    words = edition.words
    yield Heading(words("case.title"), 1, "case")
    told = {name: plain(edition.mandate.get(name, ""), limit=1_000) for name in MANDATE}
    if any(told.values()):
        yield Facts(tuple((words(f"case.{name}"), text_of(value)) for name, value in told.items() if value), 0.24)
    for title, names in (("case.evidence", CONTAINER), ("case.store_title", STORE)):
        source = {name: words.say(edition.mandate.get(name, ""), limit=2_000) for name in names}
        if any(source.values()):
            facts = tuple((words(f"case.{name}"), text_of(value)) for name, value in source.items() if value)
            yield Heading(words(title), 2, names[0])
            yield Facts(facts, 0.24)
    missing = ", ".join(words.line(f"case.{name}") for name, value in told.items() if not value)
    if missing:
        yield Prose(words("case.not_stated", fields=missing), "small")
    if edition.part is Part.MAIN:
        yield Prose(words("case.appendix", name=edition.appendix_name))
    yield Signatures((words.line("cover.signature_examiner"), words.line("cover.signature_reviewer")))


MANDATE = (
    "request",
    "qualification",
    "acquired_by",
    "acquired_at",
    "acquired_from",
    "write_blocker",
    "limits",
    "second_reader",
)
"""What an examiner may say of a case beside the header; each is printed where it is said."""

CONTAINER = (
    "container",
    "container_hashes",
    "container_check",
    "container_words",
    "container_paths",
    "container_read_with",
)
"""What is noted by itself of the image or archive that the photos come from."""

STORE = ("store", "store_holds", "store_read_with")
"""What is noted by itself of the object store that the photos come from."""
