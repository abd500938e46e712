"""Each cause told once: what was found, what carries it, which photos, what else explains it, what would settle it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gtloc_forensics.records import (
    CauseGroup,
    CauseKind,
    ClockKind,
    ClockModel,
    Decision,
    Finding,
    Judgement,
    Standing,
)
from gtloc_forensics.report.blocks import (
    Block,
    Column,
    Facts,
    Figure,
    Heading,
    Prose,
    Row,
    Span,
    Strip,
    Table,
    Text,
    Thumb,
    Together,
    text_of,
)
from gtloc_forensics.report.chapters import shown
from gtloc_forensics.report.chapters.clock_pages import clock_facts, clock_plots, is_wide
from gtloc_forensics.report.chapters.edition import Edition, cause_name, cause_told, numbers, short_name
from gtloc_forensics.report.chapters.lines import PhotoLine
from gtloc_forensics.report.chapters.pictures import picture, thumbnail
from gtloc_forensics.report.chapters.strength import alarm, alarm_share, in_a_word, strength
from gtloc_forensics.report.chapters.weighing import WeighedCause
from gtloc_forensics.report.text import plain

_ACROSS, _MEMBERS_SHOWN, _SENTENCES_SHOWN = 8, 20, 8
_PICTURE_BOX = (216.0, 132.0)
_SHARES_WITH_GPS = (("number", 0.07), ("file", 0.27), ("claimed", 0.18), ("gps", 0.33), ("apart", 0.15))
_SHARES_WITHOUT = (("number", 0.1), ("file", 0.6), ("claimed", 0.3))
_UNTOLD_CLOCKS = (ClockKind.RIGHT, ClockKind.UNDETERMINED)  # these explain nothing
_OF_CLOCKS = frozenset(
    {
        CauseKind.CLOCK_OFFSET,
        CauseKind.CLOCK_DRIFT,
        CauseKind.CLOCK_RESET,
        CauseKind.ZONE,
        CauseKind.DST,
        CauseKind.CLOCK_OR_PLACE,
        CauseKind.CLOCK_OR_GPS,
    }
)


def causes(edition: Edition) -> Iterator[Block]:
    """Yield the chapter that tells every cause that weighs, with the photos it concerns."""
    told = [cause for cause in edition.causes if cause.has_section]
    if not told:
        return
    words = edition.words
    yield Heading(words("causes.title"), 1, "causes")
    yield Prose(words("causes.lead"), "small")
    models = {model.device_key: model for model in edition.view.clocks()}
    for cause in told:
        yield from _section(edition, cause, models.get(cause.group.cause.device_key))


def _section(edition: Edition, cause: WeighedCause, model: ClockModel | None) -> Iterator[Block]:
    group = cause.group
    head: list[Block] = [Heading(title_of(edition, cause), 2, cause.anchor)]
    if group.summary:
        head.append(Prose(text_of(cause_told(edition, group, limit=600))))
    yield Together((*head, *_pictures(edition, cause)))
    yield from _carried(edition, cause)
    yield from shown.evidence(edition, cause)
    if model is not None and group.cause.kind in _OF_CLOCKS and model.kind not in _UNTOLD_CLOCKS:
        yield Facts(tuple(_once(clock_facts(edition, model))), 0.2)
        if model.photos > _MEMBERS_SHOWN or is_wide(model):
            yield from clock_plots(edition, model)
    if len(group.source_ids) > len(cause.shown):
        yield from _members(edition, cause)
    yield Facts(tuple(_once(_bounds(edition, cause))), 0.2)


def title_of(edition: Edition, cause: WeighedCause) -> Text:
    """Return number and name of a cause, and the camera it concerns."""
    label = edition.words.say(cause.group.label, limit=60)
    name = cause_name(edition, cause.group) or edition.words.line("causes.unnamed")
    return text_of(f"{cause.number}. {name}" + (f" – {label}" if label else ""))


# --------------------------------------------------------------------------- who it is about


def _pictures(edition: Edition, cause: WeighedCause) -> Iterator[Block]:
    """Yield the one or two photos beside what is known of them, or a strip of all."""
    if len(cause.group.source_ids) > len(cause.shown):
        yield Strip(tuple(thumb(edition, source_id) for source_id in spread(cause)), _ACROSS)
        yield Facts(tuple(_facts(edition, cause)), 0.2)
        return
    pair = shown.pair_of(edition, cause)
    figures = [_figure(edition, source_id) for source_id in pair or cause.shown]
    if len(figures) == 1:
        yield Row(((figures[0],), (Facts(tuple(_facts(edition, cause)), 0.22),)), (0.46, 0.54))
        return
    yield Row(tuple((figure,) for figure in figures[:2]), (0.5, 0.5))
    yield Facts(tuple(_facts(edition, cause)), 0.2)


def _figure(edition: Edition, source_id: str) -> Block:
    words = edition.words
    small = picture(edition, source_id, _PICTURE_BOX)
    caption = (*edition.words("causes.picture", number=edition.exhibit(source_id)), *text_of(edition.name(source_id)))
    if small is None:
        return Prose((*caption, Span(" "), *words("photos.no_picture")), "caption")
    return Figure(small, caption)


def spread(cause: WeighedCause) -> tuple[str, ...]:
    """Return the photo it is shown by and others evenly spread over the rest."""
    others = [source_id for source_id in cause.group.source_ids if source_id != cause.exemplar]
    wanted = min(len(others), (1 if len(others) < _ACROSS else 2) * _ACROSS - 1)
    step = len(others) / wanted if wanted else 1.0
    return (cause.exemplar, *(others[int(index * step)] for index in range(wanted)))


def thumb(edition: Edition, source_id: str) -> Thumb:
    """Return a small picture with its number and name."""
    label = (Span(f"{edition.exhibit(source_id)} ", "bold"), Span(short_name(edition, source_id, most=20)))
    return Thumb(thumbnail(edition, source_id), label)


def _facts(edition: Edition, cause: WeighedCause) -> Iterator[tuple[Text, Text]]:
    words, group = edition.words, cause.group
    yield words("causes.outcome"), in_a_word(edition, cause)
    yield from decided(edition, group)
    yield words("causes.false"), alarm_share(edition, cause)
    if group.label:
        yield words("causes.camera"), text_of(words.say(group.label))
    if software := shown.software_of(edition, cause):
        yield words("photos.software"), text_of(software)
    yield words("causes.rules"), text_of("; ".join(_rule(edition, check_id) for check_id in group.check_ids))
    if len(group.source_ids) <= len(cause.shown):
        for source_id in shown.pair_of(edition, cause) or cause.shown:
            line = edition.survey.lines.get(source_id)
            if line is not None:
                yield words("causes.sha256", number=plain(line.exhibit)), text_of(line.sha256, "hash")
    else:
        yield words("causes.photos", count=len(group.source_ids)), text_of(numbers(edition, group.source_ids))


def decided(edition: Edition, group: CauseGroup) -> Iterator[tuple[Text, Text]]:
    """Yield each examiner's last word on the findings of a group, in order of time."""
    words, decisions = edition.words, edition.decisions
    open_keys = {(source_id, check_id) for source_id in group.source_ids for check_id in group.check_ids}
    rows: list[tuple[Text, Text]] = []
    spoken: set[tuple[str, tuple[str, str]]] = set()
    for made in reversed([made for made in decisions.made if made.undone_by is None]):
        keys = {member.key for member in made.members} & open_keys
        fresh = {key for key in keys if (made.examiner, key) not in spoken}
        spoken |= {(made.examiner, key) for key in keys}
        if fresh:
            standings = [_standing(edition, made, key) for key in fresh]
            lapsed = standings.count(Standing.OVERTAKEN)
            told = words(
                "causes.decided_told",
                judgement=words.line(f"judgement.{made.judgement.name.lower()}"),
                because=plain(made.because),
                note=plain(made.note),
                examiner=plain(made.examiner),
                when=edition.when(made.utc_time),
                photos=len({source_id for source_id, _ in fresh}),
                is_earlier=made.examination != decisions.examination,
                examination=plain(made.examination[:12]),
                overtaken=lapsed,
                is_ignored=made.judgement is Judgement.DISMISSED and lapsed < len(standings),
            )
            rows.append((words("causes.decided"), told))
    yield from reversed(rows)


def _standing(edition: Edition, made: Decision, key: tuple[str, str]) -> Standing:
    """Return how a decision on one finding stands; of a finding that is not there any more it is overtaken."""
    sha256, said = edition.survey.said.get(key[0], ("", {}))
    of_photo = edition.decisions.standing_of(key[0], sha256, said)
    found = (item.standing for item in of_photo if (item.decision.number, item.check_id) == (made.number, key[1]))
    return next(found, Standing.OVERTAKEN)


def _rule(edition: Edition, check_id: str) -> str:
    title = edition.rule_title(check_id)
    return f"{check_id} ({title})" if title else check_id


def _members(edition: Edition, cause: WeighedCause) -> Iterator[Block]:
    """Yield a table of the photos concerned; of many the first, and the numbers of the others."""
    words, source_ids = edition.words, cause.group.source_ids
    lines = [edition.survey.lines[source_id] for source_id in source_ids if source_id in edition.survey.lines]
    has_gps = any(line.gps_utc for line in lines[:_MEMBERS_SHOWN])
    shares = _SHARES_WITH_GPS if has_gps else _SHARES_WITHOUT
    columns = tuple(Column(words.line(f"causes.column_{name}"), share) for name, share in shares)
    rows = [
        (
            text_of(plain(line.exhibit), "bold"),
            text_of(edition.name(line.source_id)),
            text_of(edition.when(line.local) if line.local else "–"),
            _gps(edition, line),
            text_of(shown.apart(edition, line)),
        )[: len(columns)]
        for line in lines[:_MEMBERS_SHOWN]
    ]
    yield Table(columns, rows, empty=words.line("table.none"), dense=True)
    if len(lines) > _MEMBERS_SHOWN:
        others = numbers(edition, (line.source_id for line in lines[_MEMBERS_SHOWN:]))
        yield Prose(words("causes.others", count=len(lines) - _MEMBERS_SHOWN, numbers=others), "small")


def _gps(edition: Edition, line: PhotoLine) -> Text:
    """Return the GPS time of a photo in UTC, with the local time beside it where a zone is known."""
    if line.gps_utc is None:
        return text_of("–")
    return (Span(edition.when(line.gps_utc)), Span(f" {edition.beside_utc(line.gps_utc, line.zones)}", "quiet"))


# --------------------------------------------------------------------------- what it rests on, and what speaks against


def _carried(edition: Edition, cause: WeighedCause) -> Iterator[Block]:
    """Yield what was observed, derived and inferred, of the photo that the cause is shown by."""
    rows = list(_sentences(edition, cause))
    if not rows:
        return
    if len(cause.group.source_ids) > 1 and cause.exemplar in edition.survey.lines:
        yield Prose(edition.words("causes.carried", number=edition.exhibit(cause.exemplar)), "label")
    yield Facts(tuple(_once(rows)), 0.2)


def _sentences(edition: Edition, cause: WeighedCause) -> Iterator[tuple[Text, Text]]:
    words, told = edition.words, {cause.group.summary}
    for finding in cause.findings:
        if finding.summary not in told and finding.source_ids[0] == cause.exemplar:
            told.add(finding.summary)
            yield words("causes.said"), (Span(f"{finding.check_id}: ", "quiet"), Span(words.sentence(finding.summary)))
    for kind in ("observed", "derived", "inferred"):
        for finding in cause.findings:
            for text in getattr(finding, kind)[:_SENTENCES_SHOWN]:
                if text not in told:
                    told.add(text)
                    yield words(f"findings.{kind}"), (Span(words.say(text)), *_whose(edition, cause, finding))


def _whose(edition: Edition, cause: WeighedCause, finding: Finding) -> Text:
    """Return of which photo a finding speaks, when it is not the one that the cause is shown by."""
    source_id = finding.source_ids[0]
    if source_id == cause.exemplar:
        return ()
    return (Span(f" {edition.words.line('causes.of_photo', number=edition.exhibit(source_id))}", "quiet"),)


def _bounds(edition: Edition, cause: WeighedCause) -> Iterator[tuple[Text, Text]]:
    """Yield strength, limits, the explanations that remain, and what would settle it."""
    words = edition.words
    ratios = 0
    strongest = [] if cause.strongest is None or cause.strongest in cause.findings else [cause.strongest]
    for finding in (*strongest, *cause.findings):
        whose = _whose(edition, cause, finding)
        if finding.log10_lr is not None:
            rule = Span(f" ({finding.check_id})", "quiet")
            yield words("findings.strength"), (*strength(edition, finding.log10_lr, about="finding"), rule, *whose)
            ratios += 1
        if finding.p_value is not None:
            yield words("findings.alarm"), (*alarm(edition, finding), *whose)
    together = list(_photo_strengths(edition, cause))
    yield from together
    if ratios + len(together) > 1:
        yield words("findings.limitation"), words("strength.overlap")
    for text in _distinct(text for finding in cause.findings for text in finding.limitations):
        yield words("findings.limitation"), text_of(words.say(text))
    innocent = _distinct(text for finding in cause.findings for text in finding.innocent)
    for text in innocent:
        yield words("findings.innocent"), text_of(words.say(text))
    if not innocent:
        yield words("findings.innocent"), text_of(words.line("findings.no_innocent"), "quiet")
    yield words("causes.other"), words("causes.other_explanation")
    if cause.group.refutable_by:
        yield words("causes.refutable"), text_of(words.say(cause.group.refutable_by, limit=600))


def _photo_strengths(edition: Edition, cause: WeighedCause) -> Iterator[tuple[Text, Text]]:
    """Yield what all that is known of the photo it is shown by says of its time and place together."""
    entry = edition.survey.kept.get(cause.exemplar) if shown.is_about_pixels(cause) else None
    told = {finding.log10_lr for finding in cause.findings}
    for about in ("time", "place"):
        ratio = getattr(entry, f"log10_lr_{about}", None)
        if ratio is not None and ratio not in told:
            yield edition.words("findings.strength"), strength(edition, ratio, about=about)


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _once(rows: Iterable[tuple[Text, Text]]) -> Iterator[tuple[Text, Text]]:
    """Yield the rows with a label only where it changes."""
    before: Text = ()
    for label, value in rows:
        yield (() if label == before else label), value
        before = label
