"""Moments of several cameras on one axis of time, with what lies idle between them left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from gtloc_forensics.report.drawings.marks import (
    CLAIM,
    GRID,
    INK,
    PREDICTION,
    QUIET,
    Boxes,
    Drawing,
    Label,
    Mark,
    Shape,
    line,
)

WIDTH = 490.0
_LEFT, _ROW, _LANE, _FOOT = 62.0, 8.0, 40.0, 22.0
_IDLE = timedelta(days=2)  # a longer pause is drawn as a gap
_MOST_GAPS = 15  # more of them would leave no room for what is between
_GAP, _LEAST = 9.0, 12.0
_TICK, _DATE_WIDTH = 1.1, 31.0
_TALL = {0: 6.4, 1: 4.4, 2: 6.4}  # of the ticks of a row, so that the rows differ in more than colour
_COLORS = (CLAIM, PREDICTION, INK)


@dataclass(frozen=True, slots=True)
class Lane:
    """One camera: what its files claim, the same on a right clock, and GPS time, all local."""

    label: str
    claimed: tuple[datetime, ...]
    corrected: tuple[datetime, ...] = ()
    gps: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stretch:
    first: datetime
    last: datetime
    x: float
    width: float

    def at(self, moment: datetime) -> float:
        length = (self.last - self.first).total_seconds()
        return self.x + (self.width * (moment - self.first).total_seconds() / length if length else self.width / 2)


def timelines(lanes: Sequence[Lane], *, rows: tuple[str, ...], dated: str, alt: str) -> Drawing:
    """Draw the lanes one below the other.

    Args:
        lanes: of the cameras, at least one with a moment.
        rows: what the three rows of a lane are called.
        dated: a date with places for year, month and day.
        alt: the drawing in words.
    """
    moments = sorted({moment for lane in lanes for row in (lane.claimed, lane.corrected, lane.gps) for moment in row})
    stretches = _stretches(moments)
    height = _FOOT + _LANE * len(lanes)
    marks: list[Mark] = [*_axis(stretches, dated)]
    for index, lane in enumerate(lanes):
        marks += _lane(lane, stretches, height - _LANE * index, rows)
    return Drawing(WIDTH, height, tuple(marks), alt)


def _stretches(moments: Sequence[datetime]) -> list[_Stretch]:
    """Return the busy spans of time with their place on the sheet: wider the longer, none too narrow to be seen."""
    pauses = sorted((later - earlier for earlier, later in pairwise(moments)), reverse=True)
    idle = max([_IDLE, *pauses[_MOST_GAPS : _MOST_GAPS + 1]])  # so that no more than so many are longer
    spans: list[list[datetime]] = []
    for moment in moments:
        if spans and moment - spans[-1][1] <= idle:
            spans[-1][1] = moment
        else:
            spans.append([moment, moment])
    room = WIDTH - _LEFT - 6 - _GAP * (len(spans) - 1)
    weights = [((last - first).total_seconds() / 3600 + 1.0) ** 0.5 for first, last in spans]
    least = min(_LEAST, max(1.0, room / len(spans)))
    spare = max(0.0, room - least * len(spans))
    found, x = [], _LEFT
    for (first, last), weight in zip(spans, weights, strict=True):
        width = least + spare * weight / sum(weights)
        found.append(_Stretch(first, last, x, width))
        x += width + _GAP
    return found


def _axis(stretches: Sequence[_Stretch], dated: str) -> Iterator[Mark]:
    free = 0.0
    for index, stretch in enumerate(stretches):
        corners = ((stretch.x, _FOOT), (stretch.x + stretch.width, _FOOT))
        yield line(corners, QUIET, width=0.8)
        if index and stretch.x - stretches[index - 1].x - stretches[index - 1].width >= 4:
            yield Label(stretch.x - _GAP / 2, _FOOT - 2, "…", size=5.4, color=QUIET)
        first = _date(stretch.first, dated)
        start = min(stretch.x, WIDTH - _DATE_WIDTH)
        if start >= free:
            yield Label(start, _FOOT - 9, first, size=5.4, anchor="start", color=QUIET)
            free = start + _DATE_WIDTH + 3
        last = _date(stretch.last, dated)
        if last != first and stretch.width > 70:
            yield Label(stretch.x + stretch.width, _FOOT - 9, last, size=5.4, anchor="end", color=QUIET)
            free = stretch.x + stretch.width + 2


def _date(moment: datetime, dated: str) -> str:
    return dated.format(year=f"{moment.year:04d}", month=f"{moment.month:02d}", day=f"{moment.day:02d}")


def _lane(lane: Lane, stretches: Sequence[_Stretch], top: float, rows: tuple[str, ...]) -> Iterator[Mark]:
    yield Label(0, top - 9, lane.label, size=6.4, anchor="start", bold=True)
    for index, moments in enumerate((lane.claimed, lane.corrected, lane.gps)):
        if not moments:
            continue
        bottom = top - 19 - index * (_ROW + 0.5)
        yield Label(6, bottom + 1.2, rows[index], size=5.6, anchor="start", color=QUIET)
        xs = sorted({round(_x(moment, stretches), 1) for moment in moments})
        yield Boxes(tuple((x - _TICK / 2, bottom, _TICK, _TALL[index]) for x in xs), _COLORS[index])
        yield Shape(((_LEFT, bottom), (WIDTH - 6, bottom)), stroke=GRID, width=0.2, closed=False)


def _x(moment: datetime, stretches: Sequence[_Stretch]) -> float:
    for stretch in stretches:
        if moment <= stretch.last:
            return stretch.at(max(moment, stretch.first))
    return stretches[-1].at(stretches[-1].last)
