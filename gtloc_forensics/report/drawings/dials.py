"""The day as a dial, the year as a wheel, both together as a map of the torus.

The claimed moment is a filled diamond, what the pixels indicate a ring; the model's
density is blue, darker where there is more of it. Noon is at the top of the dial,
January at the top of the wheel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth.circular import HOURS_PER_DAY
from gtloc_forensics.report.drawings.marks import (
    CLAIM,
    GRID,
    INK,
    NIGHT,
    PAPER,
    PREDICTION,
    PREDICTION_LIGHT,
    PREDICTION_MID,
    QUIET,
    TWILIGHT,
    Boxes,
    Disc,
    Drawing,
    Label,
    Mark,
    Shape,
    around,
    diamond,
    line,
    ring,
    sector,
)

_SIZE = 120.0
_CENTRE = _SIZE / 2
_OUTER, _INNER, _HOLE = 45.0, 38.5, 14.0
_CIVIL_TWILIGHT_DEG = -6.0
REGION_SHARES = ((0.5, PREDICTION), (0.8, PREDICTION_MID), (0.95, PREDICTION_LIGHT))


def day_dial(
    mass: NDArray[np.float32] | None,
    *,
    claimed_hour: float | None,
    indicated_hour: float | None,
    elevations: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
    alt: str,
) -> Drawing:
    """Draw one day of 24 hours.

    Args:
        mass: ``[D]`` mass over the day, or None without a prediction.
        claimed_hour: local, 0–24.
        indicated_hour: local, 0–24.
        elevations: the sun's elevation through the claimed day, to shade the night in the rim.
        alt: the drawing in words.
    """
    marks: list[Mark] = [*_rim(elevations), *_petals(mass, start=0.5)]
    for hour in range(24):
        marks.append(_tick(hour / 24 + 0.5, long=hour % 6 == 0))
    for hour in (0, 6, 12, 18):
        marks.append(_outside(hour / 24 + 0.5, str(hour)))
    marks += _hands(claimed_hour, indicated_hour, period=HOURS_PER_DAY, start=0.5)
    return Drawing(_SIZE, _SIZE, tuple(marks), alt)


def year_wheel(
    mass: NDArray[np.float32] | None,
    *,
    claimed_turn: float | None,
    indicated_turn: float | None,
    months: Sequence[str],
    alt: str,
) -> Drawing:
    """Draw one year; *mass* ``[Y]`` is over the year, turns are 0–1, *months* are twelve short names."""
    marks: list[Mark] = [*_rim(None), *_petals(mass, start=0.0)]
    for month, name in enumerate(months):
        marks.append(_tick(month / 12, long=True))
        marks.append(_outside((month + 0.5) / 12, name))
    marks += _hands(claimed_turn, indicated_turn, period=1.0, start=0.0)
    return Drawing(_SIZE, _SIZE, tuple(marks), alt)


def torus_map(
    mass: NDArray[np.float32],
    *,
    claimed: tuple[float, float] | None,
    indicated: tuple[float, float],
    months: Sequence[str],
    alt: str,
) -> Drawing:
    """Draw season against hour with the smallest regions that hold 50, 80 and 95 % of the mass.

    Args:
        mass: ``[Y, D]``, sums to 1.
        claimed: (year turn, hour) of the claim.
        indicated: (year turn, hour) of the prediction.
        months: twelve short names.
        alt: the drawing in words.
    """
    left, bottom, width, height = 20.0, 14.0, 128.0, 100.0
    cell = (width / mass.shape[1], height / mass.shape[0])
    marks: list[Mark] = [Shape(_corners(left, bottom, width, height), fill=PAPER)]
    covered = np.zeros(mass.shape, dtype=bool)
    for share, color in REGION_SHARES:
        region = smallest_region(mass, share) & ~covered
        covered |= region
        boxes = tuple(
            (left + x * cell[0], bottom + height - (y + 1) * cell[1], run * cell[0], cell[1])
            for y, x, run in runs_of(region)
        )
        marks.append(Boxes(boxes, color))
    marks += _torus_axes(left, bottom, width, height, months)

    def spot(point: tuple[float, float]) -> tuple[float, float]:
        return left + point[1] / HOURS_PER_DAY * width, bottom + height * (1.0 - point[0])

    marks += ring(*spot(indicated))
    if claimed is not None:
        marks += diamond(*spot(claimed))
    return Drawing(152.0, 120.0, tuple(marks), alt)


def smallest_region(mass: NDArray[np.float32], share: float) -> NDArray[np.bool_]:
    """Return the cells of the smallest region that holds at least *share* of the mass."""
    order = np.argsort(-mass, axis=None, kind="stable")
    reached = np.cumsum(mass.ravel()[order], dtype=np.float64)
    needed = int(np.searchsorted(reached, share * reached[-1])) + 1
    region = np.zeros(mass.size, dtype=bool)
    region[order[:needed]] = True
    return region.reshape(mass.shape)


def runs_of(region: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """Yield (row, first column, length) of the unbroken runs of true cells."""
    padded = np.pad(region.astype(np.int8), ((0, 0), (1, 1)))
    steps = np.diff(padded, axis=1)
    rows, starts = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    yield from zip(rows.tolist(), starts.tolist(), (ends - starts).tolist(), strict=True)


def _corners(x: float, y: float, width: float, height: float) -> tuple[tuple[float, float], ...]:
    return ((x, y), (x + width, y), (x + width, y + height), (x, y + height))


def _torus_axes(left: float, bottom: float, width: float, height: float, months: Sequence[str]) -> Iterator[Mark]:
    for hour in (0, 6, 12, 18, 24):
        x = left + width * hour / 24
        yield line(((x, bottom), (x, bottom + height)), GRID, width=0.3)
        yield Label(x, bottom - 9, str(hour), color=QUIET)
    for month in range(0, 12, 3):
        y = bottom + height * (1 - month / 12)
        yield line(((left, y), (left + width, y)), GRID, width=0.3)
    for month in range(12):
        y = bottom + height * (1 - (month + 0.5) / 12)
        yield Label(left - 4, y - 2, months[month], size=5.4, anchor="end", color=QUIET)
    yield Shape(_corners(left, bottom, width, height), stroke=QUIET, width=0.6)


def _rim(elevations: tuple[NDArray[np.float64], NDArray[np.float64]] | None) -> Iterator[Mark]:
    yield Disc(_CENTRE, _CENTRE, _OUTER, fill=PAPER)
    if elevations is not None:
        hours, elevation = elevations
        dark = [NIGHT if e < _CIVIL_TWILIGHT_DEG else TWILIGHT if e < 0 else "" for e in elevation[:-1]]
        yield from _arcs(hours, dark)
    yield Disc(_CENTRE, _CENTRE, _OUTER, stroke=QUIET, width=0.6)
    yield Disc(_CENTRE, _CENTRE, _INNER, stroke=GRID, width=0.4)


def _arcs(hours: NDArray[np.float64], colors: list[str]) -> Iterator[Mark]:
    start = 0
    for index in range(1, len(colors) + 1):
        if index == len(colors) or colors[index] != colors[start]:
            if colors[start]:
                turns = (float(hours[start]) / 24 + 0.5, float(hours[index]) / 24 + 0.5)
                yield sector(_CENTRE, _CENTRE, inner=_INNER, outer=_OUTER, turns=turns, fill=colors[start])
            start = index


def _petals(mass: NDArray[np.float32] | None, *, start: float) -> Iterator[Mark]:
    """Yield the density as petals whose length grows with the mass."""
    if mass is None:
        return
    reach = (_INNER - 1.5 - _HOLE) / max(float(mass.max()), 1e-12)
    turns = np.arange(len(mass) + 1) / len(mass) + start
    rim = [
        around(_CENTRE, _CENTRE, _HOLE + float(mass[cell]) * reach, float(turn))
        for cell in range(len(mass))
        for turn in (turns[cell], turns[cell + 1])
    ]
    hole = [around(_CENTRE, _CENTRE, _HOLE, float(turn)) for turn in reversed(turns)]
    yield Shape((*rim, *hole), fill=PREDICTION_MID)
    yield Disc(_CENTRE, _CENTRE, _HOLE, stroke=GRID, width=0.4)


def _tick(turn: float, *, long: bool) -> Mark:
    inner = _OUTER - (7.0 if long else 3.5)
    ends = (around(_CENTRE, _CENTRE, inner, turn), around(_CENTRE, _CENTRE, _OUTER, turn))
    return line(ends, QUIET, width=0.5 if long else 0.3)


def _outside(turn: float, text: str) -> Mark:
    x, y = around(_CENTRE, _CENTRE, _OUTER + 8.0, turn)
    return Label(x, y - 2.3, text, color=QUIET)


def _hands(claimed: float | None, indicated: float | None, *, period: float, start: float) -> Iterator[Mark]:
    if indicated is not None:
        turn = indicated / period + start
        tip = around(_CENTRE, _CENTRE, _INNER - 4, turn)
        yield line((around(_CENTRE, _CENTRE, 5.0, turn), tip), PREDICTION, width=1.1, dash=(3.0, 2.0))
        yield from ring(*tip)
    if claimed is not None:
        turn = claimed / period + start
        tip = around(_CENTRE, _CENTRE, _OUTER - 3.5, turn)
        yield line((around(_CENTRE, _CENTRE, 5.0, turn), tip), CLAIM, width=1.4)
        yield from diamond(*tip)
    yield Disc(_CENTRE, _CENTRE, 1.8, fill=INK)
