"""The case in time: for each camera what its files claim, what that is on a right clock, and what GPS says."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from heapq import nsmallest

from gtloc_forensics.records import ClockKind, ClockModel, Status
from gtloc_forensics.records.claims import UNKNOWN_DEVICE
from gtloc_forensics.report.blocks import Block, Column, Figure, Heading, Prose, Table, Text, text_of
from gtloc_forensics.report.chapters.edition import Edition
from gtloc_forensics.report.chapters.lines import PhotoLine
from gtloc_forensics.report.chapters.survey import DeviceTally
from gtloc_forensics.report.drawings.timelines import Lane, timelines
from gtloc_forensics.report.text import plain

_CAMERAS_SHOWN, _ROWS_SHOWN = 12, 40
_LONGEST_LABEL = 60
_SHARES = (("camera", 0.44), ("photos", 0.1), ("first", 0.16), ("last", 0.16), ("found", 0.14))
_ABOVE = 90.0  # points for heading and lead
_MOMENTS_SHOWN = 600  # of one camera


def timeline(edition: Edition) -> Iterator[Block]:
    """Yield the chapter, nothing where fewer than two photos claim a time."""
    by_device: dict[str, array[int]] = defaultdict(lambda: array("I"))
    for at, line in enumerate(edition.survey.lines.in_order()):
        if line.local is not None and line.device_key:
            by_device[line.device_key].append(at)
    if sum(map(len, by_device.values())) < 2:
        return
    words = edition.words
    models = {model.device_key: model for model in edition.view.clocks()}
    ordered = sorted(by_device.items(), key=lambda item: (-len(item[1]), item[0]))
    lanes = [
        _lane(edition, device_key, places, models.get(device_key)) for device_key, places in ordered[:_CAMERAS_SHOWN]
    ]
    rows = tuple(words.line(f"timeline.{name}") for name in ("claimed", "corrected", "gps"))
    dated = words.line("format.date", year="{year}", month="{month}", day="{day}")
    drawing = timelines(lanes, rows=rows, dated=dated, alt=words.line("timeline.alt", count=len(lanes)))
    yield Heading(words("timeline.title"), 1, "timeline", "here", drawing.height + _ABOVE)
    yield Prose(words("timeline.lead"), "small")
    yield Figure(drawing)
    yield from _cameras(edition)


def _cameras(edition: Edition) -> Iterator[Block]:
    """Yield a table of the cameras: how many photos, from when to when they claim to be, how many with a finding."""
    columns = tuple(Column(edition.words.line(f"cameras.column_{name}"), share) for name, share in _SHARES)
    devices = sorted(edition.survey.devices.items(), key=lambda item: (-item[1].photos, item[0]))
    rows = [_camera_row(edition, tally) for _, tally in devices[:_ROWS_SHOWN]]
    yield Table(columns, rows, edition.words.line("cameras.none"), dense=True)
    yield from _doubts(edition, [tally for _, tally in devices[:_ROWS_SHOWN]])
    if len(devices) > _ROWS_SHOWN:
        yield Prose(edition.words("cameras.more", count=len(devices) - _ROWS_SHOWN), "small")


def _doubts(edition: Edition, tallies: list[DeviceTally]) -> Iterator[Block]:
    """Yield, once for all cameras that it holds for, why one row may stand for several devices."""
    by_doubt: dict[str, list[str]] = {}
    for tally in tallies:
        if tally.doubt and tally.label != UNKNOWN_DEVICE:
            by_doubt.setdefault(tally.doubt, []).append(plain(tally.label))
    for doubt, labels in by_doubt.items():
        yield Prose(
            edition.words("cameras.doubt", cameras=", ".join(labels), doubt=edition.words.say(doubt, limit=160)),
            "small",
        )


def _label(edition: Edition, tally: DeviceTally) -> str:
    return edition.words.line("cameras.unknown") if tally.label == UNKNOWN_DEVICE else plain(tally.label)


def _camera_row(edition: Edition, tally: DeviceTally) -> tuple[Text, ...]:
    first, last = (edition.when(moment) if moment else "–" for moment in (tally.first, tally.last))
    photos, found = (edition.words.number(count) for count in (tally.photos, tally.by_status[Status.FOUND]))
    return (text_of(_label(edition, tally)), text_of(photos), text_of(first), text_of(last), text_of(found))


def _lane(edition: Edition, device_key: str, places: array[int], model: ClockModel | None) -> Lane:
    """Return the earliest moments of a camera, as many as are drawn."""
    tally = edition.survey.devices.get(device_key)
    claimed = nsmallest(_MOMENTS_SHOWN, (line.local for line in _lines(edition, places) if line.local is not None))
    corrected = []
    if model is not None and model.offset_hours is not None and model.kind is not ClockKind.RIGHT:
        corrected = [moment - timedelta(hours=model.offset_hours) for moment in claimed]
    gps = nsmallest(
        _MOMENTS_SHOWN,
        (
            line.gps_utc + (line.local - line.utc)
            for line in _lines(edition, places)
            if line.gps_utc is not None and line.local is not None and line.utc is not None
        ),
    )
    label = _label(edition, tally)[:_LONGEST_LABEL] if tally else plain(device_key, limit=_LONGEST_LABEL)
    told = edition.words.line("timeline.camera", camera=label, count=len(places))
    return Lane(told, tuple(claimed), tuple(corrected), tuple(gps))


def _lines(edition: Edition, places: array[int]) -> Iterator[PhotoLine]:
    return map(edition.survey.lines.at, places)
