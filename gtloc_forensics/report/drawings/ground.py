"""What lies under a map of a case: land, coasts, borders, the places people know, a grid and a scale.

Land and borders are Natural Earth's at 1:50 million, cut to the sheet and thinned to what can be seen on it; places
are those of :mod:`gtloc_forensics.earth.gazetteer`. Everything is polygons and lines, so that a map is a few
kilobytes and the same bytes each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth import gazetteer
from gtloc_forensics.earth.countries import borders
from gtloc_forensics.earth.topology import topology, unrolled
from gtloc_forensics.records import Position
from gtloc_forensics.report.drawings.labels import Labels
from gtloc_forensics.report.drawings.marks import (
    GRID,
    INK,
    LAND,
    PAPER,
    QUIET,
    Disc,
    Label,
    Mark,
    Point,
    Shape,
    World,
    line,
)
from gtloc_forensics.report.drawings.window import KM_PER_DEGREE, Window

Floats = NDArray[np.float64]
Box: TypeAlias = tuple[float, float, float, float]  # left, low, right, high

COAST = "#8C8874"
BORDER = "#6F7680"
_FINE, _COARSE, _UNSEEN = 0.3, 1.1, 12.0  # points between vertices that are kept: near, far away, beside the sheet
_FAR_KM = 4_000.0  # across; from there on outlines are drawn coarsely
_BESIDE = 15.0
_SMALLEST = 0.15  # square points; islets below are left out
_MOST_PLACES, _CANDIDATES, _APART = 9, 120, 24.0  # shown, looked at, points between two
_NAME_SIZE, _GRID_SIZE = 5.6, 4.6
_STEPS_DEG = (0.25, 0.5, 1, 2, 5, 10, 20, 30, 60)
_FAINTEST_POLAR_DEG = 20.0  # a map about a pole shows nothing beyond


class Degrees(Protocol):
    """Writes degrees in the language of a report, with their side."""

    def __call__(self, value: float, *, is_longitude: bool) -> str:
        """Return ``1.5°E`` as the language has it."""


def ground(window: Window, degrees: Degrees) -> Iterator[Mark]:
    """Yield land, coasts, borders and the grid."""
    box = (0.0, 0.0, window.width, window.height)
    yield from _land_seen(window, box)
    for border in _near(window, _borders()):
        for piece in pieces(_thinned(window, border), box):
            yield line(_rounded(piece), BORDER, width=0.5, dash=() if _is_far(window) else (3.0, 1.0, 0.8, 1.0))
    yield from _grid(window, degrees)


def _land_seen(window: Window, box: Box) -> Iterator[Mark]:
    south, north, west, east = window.bounds_deg
    if _is_far(window) and not window.pole and west >= -180.0 and east <= 180.0:
        # The coarse land that all maps of a report share: a form of the file, not an outline in each map.
        x, y = window.project(south, west)[0]
        right, high = window.project(north, east)[0]
        yield World(float(x), float(y), float(right - x), float(high - y), south, north, west, east)
        return
    outlines = [_thinned(window, ring) for ring in _near(window, _land())]
    smallest = _COARSE if _is_far(window) else _SMALLEST
    cut = [ring for outline in outlines if abs(_area(ring := clipped(outline, box))) > smallest]
    yield from (Shape(_rounded(ring), fill=LAND) for ring in cut)
    if not _is_far(window):
        for outline in outlines:
            yield from (line(_rounded(piece), COAST, width=0.3) for piece in pieces(outline, box))


def _is_far(window: Window) -> bool:
    return window.width / window.points_per_km > _FAR_KM


def places(
    window: Window, labels: Labels, near: Sequence[Position], *, called: Callable[[gazetteer.NamedPlace], str]
) -> Iterator[Mark]:
    """Yield the few places that matter: those by which people call *near*, then the most inhabited, well apart.

    Their country stands with them where the map shows places of several.
    """
    chosen: list[tuple[gazetteer.NamedPlace, Point]] = []
    for place in _candidates(window, near):
        x, y = window.at(place.position)
        if _is_inside((x, y), window) and all(math.dist((x, y), spot) > _APART for _, spot in chosen):
            chosen.append((place, (x, y)))
    has_countries = len({place.country_code for place, _ in chosen[:_MOST_PLACES]}) > 1
    count = 0
    for place, (x, y) in chosen:
        text = f"{called(place)} ({place.country_code})" if has_countries else called(place)
        spot = labels.beside(x, y, text, size=_NAME_SIZE, gap=2.2) or labels.beside(x, y, text, size=_NAME_SIZE, gap=6)
        if spot is None:
            continue
        yield Disc(round(x, 2), round(y, 2), 1.1, fill=QUIET, stroke=PAPER, width=0.4)
        yield Label(*spot, text, size=_NAME_SIZE, anchor="start", color=QUIET, halo=True)
        count += 1
        if count == _MOST_PLACES:
            return


def _candidates(window: Window, near: Sequence[Position]) -> list[gazetteer.NamedPlace]:
    south, north, west, east = window.bounds_deg
    called = [gazetteer.well_known(position) for position in near[:_MOST_PLACES]]
    return called + list(
        gazetteer.within(south_deg=south, north_deg=north, west_deg=west, east_deg=east, most=_CANDIDATES)
    )


def scale_bar(window: Window, labels: Labels) -> Iterator[Mark]:
    """Yield a bar of a round length, true in the middle of the map."""
    most_km = window.width / window.points_per_km / 4
    power = 10.0 ** math.floor(math.log10(most_km))
    length_km = power * next(size for size in (5, 2, 1) if size * power <= most_km)
    length = length_km * window.points_per_km
    x, y = window.width - length - 8.0, 7.0
    text = f"{length_km:g} km"
    yield Shape(((x - 3, 2), (window.width - 3, 2), (window.width - 3, 16), (x - 3, 16)), fill=PAPER)
    yield Shape(((x, y), (x + length / 2, y), (x + length / 2, y - 2.4), (x, y - 2.4)), fill=INK, stroke=INK, width=0.4)
    half = ((x + length / 2, y), (x + length, y), (x + length, y - 2.4), (x + length / 2, y - 2.4))
    yield Shape(half, fill=PAPER, stroke=INK, width=0.4)
    yield Label(x + length / 2, y + 2.2, text, size=5.4)
    labels.keep_free((x - 3, 2.0, window.width - 3, 16.0))


def frame(window: Window) -> Mark:
    """Return the edge of the sheet."""
    corners = ((0.0, 0.0), (window.width, 0.0), (window.width, window.height), (0.0, window.height))
    return Shape(corners, stroke=QUIET, width=0.6)


# --------------------------------------------------------------------------- outlines


@cache
def _land() -> tuple[tuple[Floats, Box], ...]:
    """Return every outline of land, unrolled, with its bounds in degrees."""
    kept = topology("countries-50m.json")
    rings = (unrolled(ring) for shape in kept.layers["land"] for ring in kept.rings(shape))
    return tuple((ring, _bounds(ring)) for ring in rings)


@cache
def _borders() -> tuple[tuple[Floats, Box], ...]:
    return tuple((arc, _bounds(arc)) for arc in map(unrolled_line, borders()))


def unrolled_line(points: Floats) -> Floats:
    """Return a line whose longitudes run on past ±180°."""
    steps = np.diff(points[:, 0])
    turns = np.concatenate([[0.0], np.cumsum(-360.0 * np.round(steps / 360.0))])
    return np.column_stack([points[:, 0] + turns, points[:, 1]])


def _bounds(points: Floats) -> Box:
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    return float(west), float(south), float(east), float(north)


def _near(window: Window, outlines: tuple[tuple[Floats, Box], ...]) -> Iterator[Floats]:
    """Yield what reaches into the window, moved by whole turns to where it lies in it."""
    south, north, west, east = window.bounds_deg
    for points, (left, low, right, high) in outlines:
        if high < south or low > north:
            continue
        if window.pole:
            faintest = window.pole * _FAINTEST_POLAR_DEG
            latitude = np.maximum(points[:, 1], faintest) if window.pole > 0 else np.minimum(points[:, 1], faintest)
            yield np.column_stack([points[:, 0], latitude])
            continue
        for turn in (-720.0, -360.0, 0.0, 360.0, 720.0):
            if right + turn >= west and left + turn <= east:
                yield points + np.array([turn, 0.0])


def _thinned(window: Window, points: Floats) -> Floats:
    """Return the outline on the sheet without the vertices that nobody could tell apart."""
    spots = window.project(points[:, 1], points[:, 0])
    over = np.maximum(-spots, spots - np.array([window.width, window.height])).max(axis=1)
    step = np.where(over > _BESIDE, _UNSEEN, _COARSE if _is_far(window) else _FINE)[:, None]
    cells = np.round(spots / step)
    changes = np.any(cells[1:] != cells[:-1], axis=1) | (step[1:] != step[:-1])[:, 0]
    keep = np.concatenate([[True], changes])
    keep[-1] = True
    return np.asarray(spots[keep])


def clipped(points: Floats, box: Box) -> list[Point]:
    """Cut a polygon to a box (Sutherland and Hodgman)."""
    ring: list[Point] = [(float(x), float(y)) for x, y in points]
    for axis, bound, sign in ((0, box[0], 1.0), (0, box[2], -1.0), (1, box[1], 1.0), (1, box[3], -1.0)):
        kept: list[Point] = []
        for start, end in zip(ring, ring[1:] + ring[:1], strict=True):
            inside, next_inside = sign * (start[axis] - bound) >= 0, sign * (end[axis] - bound) >= 0
            if inside:
                kept.append(start)
            if inside != next_inside:
                kept.append(_between(start, end, (bound - start[axis]) / (end[axis] - start[axis])))
        ring = kept
        if not ring:
            break
    return ring


def pieces(points: Floats, box: Box) -> Iterator[list[Point]]:
    """Yield what of a line lies in a box (Liang and Barsky)."""
    piece: list[Point] = []
    for start, end in pairwise([(float(x), float(y)) for x, y in points]):
        inside = _shares_inside(start, end, box)
        if inside is None:
            if len(piece) > 1:
                yield piece
            piece = []
            continue
        first, last = inside
        if first > 0.0 or not piece:
            if len(piece) > 1:
                yield piece
            piece = [_between(start, end, first)]
        piece.append(_between(start, end, last))
        if last < 1.0:
            yield piece
            piece = []
    if len(piece) > 1:
        yield piece


def _shares_inside(start: Point, end: Point, box: Box) -> tuple[float, float] | None:
    first, last = 0.0, 1.0
    for axis in (0, 1):
        step, low, high = end[axis] - start[axis], box[axis] - start[axis], box[axis + 2] - start[axis]
        if step == 0.0:
            if low > 0.0 or high < 0.0:
                return None
            continue
        enters, leaves = sorted((low / step, high / step))
        first, last = max(first, enters), min(last, leaves)
    return (first, last) if first < last else None


def _between(start: Point, end: Point, share: float) -> Point:
    return (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))


def _area(ring: list[Point]) -> float:
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True)) / 2


def _rounded(points: list[Point]) -> tuple[Point, ...]:
    return tuple((round(x, 2), round(y, 2)) for x, y in points)


def _is_inside(spot: Point, window: Window) -> bool:
    return 2 <= spot[0] <= window.width - 2 and 2 <= spot[1] <= window.height - 2


# --------------------------------------------------------------------------- grid


def _grid(window: Window, degrees: Degrees) -> Iterator[Mark]:
    """Yield meridians and parallels with their degrees, about five across."""
    box = (0.0, 0.0, window.width, window.height)
    south, north, west, east = window.bounds_deg
    across_deg = window.width / window.points_per_km / KM_PER_DEGREE
    step = next((size for size in _STEPS_DEG if across_deg / size <= 5), 60)
    east_step = 30.0 if window.pole else _round_step((east - west) / 5)
    for longitude in np.arange(math.ceil(west / east_step) * east_step, east, east_step):
        latitudes = np.linspace(south, north, 40) if window.pole else np.array([south, north])
        for piece in pieces(window.project(latitudes, np.full(len(latitudes), longitude)), box):
            yield line(_rounded(piece), GRID, width=0.25)
            if piece[0][1] < 1.0 and piece[0][0] < window.width - 16:
                text = degrees(float((longitude + 180.0) % 360.0 - 180.0), is_longitude=True)
                yield _degrees(piece[0][0] + 1.5, 2.0, text)
    for latitude in np.arange(math.ceil(south / step) * step, north, step):
        longitudes = np.linspace(west, east, 90 if window.pole else 2)
        for piece in pieces(window.project(np.full(len(longitudes), latitude), longitudes), box):
            yield line(_rounded(piece), GRID, width=0.25)
            if piece[0][0] < 1.0 and 6 < piece[0][1] < window.height - 7:
                yield _degrees(2.0, piece[0][1] + 1.5, degrees(float(latitude), is_longitude=False))


def _round_step(degrees: float) -> float:
    return float(next((size for size in _STEPS_DEG if size >= degrees), 60))


def _degrees(x: float, y: float, text: str) -> Label:
    return Label(round(x, 2), round(y, 2), text, size=_GRID_SIZE, anchor="start", color=QUIET)
