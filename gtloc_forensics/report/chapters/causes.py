"""Findings told once for each cause, and the cameras they belong to."""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.records import CauseGroup, Status
from gtloc_forensics.report.blocks import Block, Column, Facts, Heading, Prose, Table, Text, Together, text_of
from gtloc_forensics.report.chapters.edition import Edition, cause_name, cause_told, listing
from gtloc_forensics.report.chapters.survey import DeviceTally
from gtloc_forensics.report.text import plain

_CAMERAS_SHOWN = 40


def causes(edition: Edition) -> Iterator[Block]:
    """Yield the chapter that tells every cause once, with the photos it concerns."""
    words, groups = edition.words, edition.view.causes()
    if not groups and not edition.survey.devices:
        return
    yield Heading(words("causes.title"), 1, "causes")
    yield from _cameras(edition)
    if groups:
        yield Prose(words("causes.lead"))
    for number, group in enumerate(groups, start=1):
        yield _cause(edition, group, number)


def _cameras(edition: Edition) -> Iterator[Block]:
    shares = {"camera": 0.4, "photos": 0.1, "first": 0.18, "last": 0.18, "found": 0.14}
    columns = tuple(Column(edition.words.line(f"cameras.column_{name}"), share) for name, share in shares.items())
    devices = sorted(edition.survey.devices.items(), key=lambda item: (-item[1].photos, item[0]))
    rows = [_camera_row(edition, tally) for _, tally in devices[:_CAMERAS_SHOWN]]
    if len(devices) > _CAMERAS_SHOWN:
        more = edition.words("cameras.more", count=len(devices) - _CAMERAS_SHOWN)
        rows.append((more, *[()] * (len(columns) - 1)))
    yield Table(columns, rows, edition.words.line("cameras.none"))


def _camera_row(edition: Edition, tally: DeviceTally) -> tuple[Text, ...]:
    first, last = (edition.when(moment) if moment else "–" for moment in (tally.first, tally.last))
    counts_ = (tally.photos, tally.by_status[Status.FOUND])
    photos, found = (edition.words.number(count) for count in counts_)
    return (text_of(plain(tally.label)), text_of(photos), text_of(first), text_of(last), text_of(found))


def _cause(edition: Edition, group: CauseGroup, number: int) -> Together:
    heading = Heading(text_of(f"{number}. {cause_name(edition, group)}"), 2, f"cause-{number}")
    return Together((heading, Prose(text_of(cause_told(edition, group, limit=600))), _facts(edition, group)))


def _facts(edition: Edition, group: CauseGroup) -> Facts:
    words = edition.words
    rows = [
        (words("causes.camera"), text_of(plain(group.label or words.line("summary.no_device")))),
        (words("causes.outcome"), text_of(edition.outcome(group.outcome), "bold")),
        (words("causes.rules"), text_of("; ".join(_rule(edition, check_id) for check_id in group.check_ids))),
        (words("causes.photos", count=len(group.source_ids)), listing(edition, group.source_ids, most=60)),
    ]
    if group.refutable_by:
        rows.append((words("causes.refutable"), text_of(words.told(group.refutable_by, limit=600))))
    return Facts(tuple(rows), 0.2)


def _rule(edition: Edition, check_id: str) -> str:
    title = edition.rule_title(check_id)
    return f"{check_id} ({title})" if title else check_id
