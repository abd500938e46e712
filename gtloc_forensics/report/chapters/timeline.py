"""The case in time: for each camera what its files claim, what that is on a right clock, and what GPS says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from gtloc_forensics.records import ClockKind, ClockModel
from gtloc_forensics.report.blocks import Block, Figure, Heading, Prose
from gtloc_forensics.report.chapters.edition import Edition
from gtloc_forensics.report.chapters.survey import PhotoLine
from gtloc_forensics.report.drawings.timelines import Lane, timelines
from gtloc_forensics.report.text import plain

_CAMERAS_SHOWN = 12
_ABOVE = 90.0  # points for heading and lead
_MOMENTS_SHOWN = 600  # of one camera


def timeline(edition: Edition) -> Iterator[Block]:
    """Yield the chapter, nothing where fewer than two photos claim a time."""
    by_device: dict[str, list[PhotoLine]] = defaultdict(list)
    for line in edition.survey.lines.values():
        if line.local is not None and line.device_key:
            by_device[line.device_key].append(line)
    if sum(map(len, by_device.values())) < 2:
        return
    words = edition.words
    models = {model.device_key: model for model in edition.view.clocks()}
    ordered = sorted(by_device.items(), key=lambda item: (-len(item[1]), item[0]))
    lanes = [
        _lane(edition, device_key, lines, models.get(device_key)) for device_key, lines in ordered[:_CAMERAS_SHOWN]
    ]
    rows = tuple(words.line(f"timeline.{name}") for name in ("claimed", "corrected", "gps"))
    dated = words.line("format.date", year="{year}", month="{month}", day="{day}")
    drawing = timelines(lanes, rows=rows, dated=dated, alt=words.line("timeline.alt", count=len(lanes)))
    yield Heading(words("timeline.title"), 1, "timeline", "here", drawing.height + _ABOVE)
    yield Prose(words("timeline.lead"), "small")
    yield Figure(drawing)
    if len(ordered) > _CAMERAS_SHOWN:
        yield Prose(words("cameras.more", count=len(ordered) - _CAMERAS_SHOWN), "small")


def _lane(edition: Edition, device_key: str, lines: list[PhotoLine], model: ClockModel | None) -> Lane:
    tally = edition.survey.devices.get(device_key)
    claimed = [line.local for line in lines if line.local is not None]
    corrected = []
    if model is not None and model.offset_hours is not None and model.kind is not ClockKind.RIGHT:
        corrected = [moment - timedelta(hours=model.offset_hours) for moment in claimed]
    gps = [
        line.gps_utc + (line.local - line.utc)
        for line in lines
        if line.gps_utc is not None and line.local is not None and line.utc is not None
    ]
    label = plain(tally.label if tally else device_key, limit=60)
    told = edition.words.line("timeline.camera", camera=label, count=len(lines))
    return Lane(told, *(tuple(sorted(moments)[:_MOMENTS_SHOWN]) for moments in (claimed, corrected, gps)))
