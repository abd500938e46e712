"""The places a case claims, on a map cut to them: where each photo says it was, the way between, where that breaks."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from gtloc_forensics.earth.gazetteer import NamedPlace
from gtloc_forensics.records import Position
from gtloc_forensics.report.drawings.ground import Degrees, frame, ground, places, scale_bar
from gtloc_forensics.report.drawings.labels import Labels
from gtloc_forensics.report.drawings.marks import (
    CLAIM,
    INK,
    PAPER,
    QUIET,
    Disc,
    Drawing,
    Label,
    Mark,
    Point,
    Shape,
    diamond,
    line,
    ring,
)
from gtloc_forensics.report.drawings.window import Window, window_on

WIDE, NEAR = 490.0, 226.0
_WIDE_SHAPE, _NEAR_SHAPE = 0.38, 0.62
_SAME_SPOT = 7.0  # points; what lies closer is one spot
_LABEL_SIZE, _BREAK_SIZE = 6.5, 6.2
_CROSS, _LEG_STEPS = 3.4, 40
_NEIGHBOURS = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the map under a number; ``is_claimed`` is False for one that another entry of the file names."""

    name: str
    position: Position
    is_claimed: bool = True
    is_quiet: bool = False  # on the way, not what the map is about


@dataclass(frozen=True, slots=True)
class BrokenLeg:
    """Two places between which nobody can have gone in the time that is claimed, and what that would have taken."""

    start: Position
    end: Position
    label: str


def case_map(
    spots: Sequence[Spot],
    *,
    alt: str,
    joined: Callable[[Iterable[str]], str],
    tracks: Sequence[Sequence[Position]] = (),
    broken: Sequence[BrokenLeg] = (),
    indicated: Position | None = None,
    is_wide: bool = False,
    degrees: Degrees,
    called: Callable[[NamedPlace], str] = attrgetter("name"),
) -> Drawing:
    """Draw *spots* with the tracks between them over land, borders and place names.

    Args:
        spots: at least one.
        alt: what the drawing shows, in words.
        joined: puts the names of spots that lie on each other in one label.
        tracks: places in the order of their claimed times, a line each.
        broken: legs that are impossible, with a cross in their middle.
        indicated: what the picture indicates.
        is_wide: over the whole width of a page.
        degrees: how degrees are written in the language of the report.
        called: what a place is called in the language of the report.
    """
    ends = [place for leg in broken for place in (leg.start, leg.end)]
    window = window_on(
        _Shown(spots, [*ends, *([indicated] if indicated else [])]),
        width=WIDE if is_wide else NEAR,
        shape=_WIDE_SHAPE if is_wide else _NEAR_SHAPE,
    )
    labels = Labels(window.width, window.height)
    signs: list[Mark] = []
    signs += scale_bar(window, labels)
    for track in tracks:
        signs += _track(window, track)
    for leg in broken:
        signs += _broken(window, leg, labels)
    if indicated is not None:
        signs += ring(*window.at(indicated))
        labels.keep_free(_around(window.at(indicated), 5.0))
    clusters = _clusters(window, spots)
    for x, y, _ in clusters:
        labels.keep_free(_around((x, y), 3.0))
    for x, y, together in reversed(clusters):
        text = joined(filter(None, (spots[number].name for number in together)))
        signs += _spot(x, y, spots[together[0]], labels, text)
    names = places(window, labels, [spots[together[0]].position for _, _, together in clusters], called=called)
    marks = (*ground(window, degrees), *names, *signs, frame(window))
    return Drawing(window.width, window.height, marks, alt)


def _track(window: Window, track: Sequence[Position]) -> Iterator[Mark]:
    points: list[Point] = []
    for position in track:
        x, y = window.at(position)
        if not points or abs(points[-1][0] - x) + abs(points[-1][1] - y) > 0.5:
            points.append((round(x, 2), round(y, 2)))
    if len(points) > 1:
        yield line(points, PAPER, width=2.2)
        yield line(points, QUIET, width=0.9)


def _broken(window: Window, leg: BrokenLeg, labels: Labels) -> Iterator[Mark]:
    (x1, y1), (x2, y2) = window.at(leg.start), window.at(leg.end)
    x, y = round((x1 + x2) / 2, 2), round((y1 + y2) / 2, 2)
    ends = ((round(x1, 2), round(y1, 2)), (round(x2, 2), round(y2, 2)))
    yield line(ends, PAPER, width=2.8)
    yield line(ends, CLAIM, width=1.4, dash=(4.0, 2.0))
    for step in range(1, _LEG_STEPS):
        share = step / _LEG_STEPS
        labels.keep_free(_around((x1 + share * (x2 - x1), y1 + share * (y2 - y1)), 1.2))
    yield Disc(x, y, _CROSS + 1.4, fill=PAPER, stroke=CLAIM, width=0.8)
    for sign in (1, -1):
        yield line(
            ((x - _CROSS * 0.7, y - sign * _CROSS * 0.7), (x + _CROSS * 0.7, y + sign * _CROSS * 0.7)), INK, width=1.5
        )
    spot = labels.beside(x, y, leg.label, size=_BREAK_SIZE, gap=6.5)
    if spot is not None:
        yield Label(*spot, leg.label, size=_BREAK_SIZE, anchor="start", bold=True, halo=True)


class _Shown(Sequence[Position]):
    """The places of spots, and some more."""

    def __init__(self, spots: Sequence[Spot], more: Sequence[Position]) -> None:
        self._spots = spots
        self._more = more

    def __len__(self) -> int:
        return len(self._spots) + len(self._more)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        own = len(self._spots)
        return self._spots[index].position if index < own else self._more[index - own]


def _clusters(window: Window, spots: Sequence[Spot]) -> list[tuple[float, float, array[int]]]:
    """Return the numbers of spots of one sort that lie on each other, at the first of them; the quiet ones first."""
    found: dict[tuple[int, int, bool, bool], tuple[float, float, array[int]]] = {}
    sorts = (
        (number, spot) for is_quiet in (True, False) for number, spot in enumerate(spots) if spot.is_quiet is is_quiet
    )
    for number, spot in sorts:
        x, y = window.at(spot.position)
        column, row = round(x / _SAME_SPOT), round(y / _SAME_SPOT)
        cells = [(column + right, row + up, spot.is_claimed, spot.is_quiet) for right, up in _NEIGHBOURS]
        near = [found[cell] for cell in cells if cell in found]
        together = min(near, key=lambda cluster: math.dist(cluster[:2], (x, y)), default=None)
        if together is not None and math.dist(together[:2], (x, y)) < _SAME_SPOT:
            together[2].append(number)
        else:
            found[cells[0]] = (x, y, array("I", (number,)))
    return list(found.values())


def _spot(x: float, y: float, first: Spot, labels: Labels, text: str) -> Iterator[Mark]:
    if first.is_quiet:
        yield Disc(round(x, 2), round(y, 2), 1.9, fill=PAPER, stroke=INK, width=0.9)
    elif first.is_claimed:
        yield from diamond(round(x, 2), round(y, 2))
    else:
        corners = ((x, y + 3.6), (x + 3.6, y), (x, y - 3.6), (x - 3.6, y))
        yield Shape(tuple((round(a, 2), round(b, 2)) for a, b in corners), fill=PAPER, stroke=CLAIM, width=1.1)
    place = labels.beside(x, y, text, size=_LABEL_SIZE, gap=5.0) if text else None
    if place is not None:
        yield Label(*place, text, size=_LABEL_SIZE, anchor="start", bold=not first.is_quiet, halo=True)


def _around(spot: Point, reach: float) -> tuple[float, float, float, float]:
    return spot[0] - reach, spot[1] - reach, spot[0] + reach, spot[1] + reach
