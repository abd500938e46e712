"""How a clock's offset is distributed, and how far each photo is from its witnesses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.report.drawings.marks import (
    CLAIM,
    GRID,
    INK,
    PREDICTION,
    PREDICTION_LIGHT,
    QUIET,
    TWILIGHT,
    Boxes,
    Disc,
    Drawing,
    Label,
    Mark,
    Shape,
    line,
)

_LEFT, _BOTTOM, _WIDTH, _HEIGHT = 26.0, 20.0, 196.0, 96.0
_SHEET = (234.0, 126.0)
_Scale: TypeAlias = Callable[[float, float], tuple[float, float]]


def posterior_plot(
    offsets_hours: NDArray[np.float32],
    mass: NDArray[np.float32],
    *,
    interval: tuple[float, float] | None,
    best: float | None,
    alt: str,
) -> Drawing:
    """Draw the mass ``[K]`` of every offset ``[K]`` of the clock as bars as wide as the grid, ahead to the right."""
    low, high = _window(offsets_hours, mass)
    peak = max(float(mass.max()), 1e-12)

    def at(hours: float, height: float) -> tuple[float, float]:
        return _LEFT + _WIDTH * (min(max(hours, low), high) - low) / (high - low), _BOTTOM + _HEIGHT * 0.94 * height

    marks: list[Mark] = []
    bars: list[tuple[float, float, float, float]] = []
    if interval is not None:
        marks.append(_band(at(interval[0], 0)[0], at(interval[1], 0)[0], upright=True))
    half = float(np.median(np.diff(offsets_hours))) / 2 if len(offsets_hours) > 1 else 0.1
    for hours, share in zip(offsets_hours.tolist(), (mass / peak).tolist(), strict=True):
        if share > 1e-3 and low <= hours <= high:
            x, top = at(hours - half, share)
            bars.append((x, _BOTTOM, at(hours + half, share)[0] - x, top - _BOTTOM))
    marks.append(Boxes(tuple(bars), PREDICTION))
    if best is not None:
        marks.append(line((at(best, 0), at(best, 1.06)), CLAIM, width=1.2))
    marks += _across(low, high, at)
    return Drawing(*_SHEET, (*marks, _frame()), alt)


def _window(offsets_hours: NDArray[np.float32], mass: NDArray[np.float32]) -> tuple[float, float]:
    """Return the span of offsets worth drawing: where there is mass, and a little more."""
    seen = offsets_hours[mass > 1e-4 * mass.max()]
    low, high = float(seen.min()), float(seen.max())
    margin = max(0.15 * (high - low), 0.25)
    return max(low - margin, float(offsets_hours.min())), min(high + margin, float(offsets_hours.max()))


def residual_plot(
    residuals: Sequence[tuple[datetime, float, str]],
    *,
    offset_hours: float | None,
    interval: tuple[float, float] | None,
    alt: str,
) -> Drawing:
    """Draw by how many hours the clock is ahead of each witness, in the order of the claimed time.

    Pixels are open rings, satellite time filled squares; the line is the model.
    """
    first, last = residuals[0][0], residuals[-1][0]
    length = max((last - first).total_seconds(), 1.0)

    def at(seconds: float, hours: float) -> tuple[float, float]:
        return _LEFT + 4 + (_WIDTH - 8) * seconds / length, _BOTTOM + _HEIGHT * (hours + 12) / 24

    marks: list[Mark] = []
    if interval is not None:
        low, high = (at(0, min(max(hours, -12.0), 12.0))[1] for hours in interval)
        marks.append(_band(low, max(high, low + 0.8), upright=False))
    for tick in (-12, -6, 0, 6, 12):
        y = at(0, tick)[1]
        marks.append(line(((_LEFT, y), (_LEFT + _WIDTH, y)), INK if tick == 0 else GRID, width=0.35))
        text = f"{tick:+d} h".replace("-", "−") if tick else "0 h"
        marks.append(Label(_LEFT - 3, y - 2, text, size=5.8, anchor="end", color=QUIET))
    for moment, hours, witness in residuals:
        marks.append(_witness(*at((moment - first).total_seconds(), hours), witness))
    if offset_hours is not None and abs(offset_hours) <= 12:
        y = at(0, offset_hours)[1]
        marks.append(line(((_LEFT, y), (_LEFT + _WIDTH, y)), CLAIM, width=1.0, dash=(4.0, 2.0)))
    for x, moment, anchor in ((_LEFT, first, "start"), (_LEFT + _WIDTH, last, "end")):
        marks.append(Label(x, _BOTTOM - 9, f"{moment:%Y-%m-%d}", size=5.8, anchor=anchor, color=QUIET))
    return Drawing(*_SHEET, (*marks, _frame()), alt)


def _witness(x: float, y: float, witness: str) -> Mark:
    if witness == "gps":
        return Shape(((x - 1.8, y - 1.8), (x + 1.8, y - 1.8), (x + 1.8, y + 1.8), (x - 1.8, y + 1.8)), fill=INK)
    return Disc(x, y, 1.9, stroke=PREDICTION, width=0.9)


def _band(low: float, high: float, *, upright: bool) -> Shape:
    if upright:
        high = max(high, low + 0.8)
        return Shape(
            ((low, _BOTTOM), (high, _BOTTOM), (high, _BOTTOM + _HEIGHT), (low, _BOTTOM + _HEIGHT)), fill=TWILIGHT
        )
    return Shape(((_LEFT, low), (_LEFT + _WIDTH, low), (_LEFT + _WIDTH, high), (_LEFT, high)), fill=PREDICTION_LIGHT)


def _across(low: float, high: float, at: _Scale) -> Iterator[Mark]:
    """Yield some five ticks at round numbers of hours."""
    raw = (high - low) / 5
    step = next((size for size in (1 / 60, 1 / 12, 0.25, 0.5, 1, 2, 3, 6, 12, 24) if size >= raw), 48)
    tick = np.ceil(low / step) * step
    while tick <= high + 1e-9:
        x = at(float(tick), 0)[0]
        yield line(((x, _BOTTOM), (x, _BOTTOM - 3)), QUIET)
        yield Label(x, _BOTTOM - 10, _tick(float(tick), step), size=5.8, color=QUIET)
        tick += step


def _tick(hours: float, step: float) -> str:
    text = f"{hours * 60:+.0f} min" if step < 0.25 else f"{hours:+g} h"
    return text.replace("-", "−") if abs(hours) > 1e-9 else "0"


def _frame() -> Shape:
    right, top = _LEFT + _WIDTH, _BOTTOM + _HEIGHT
    return Shape(((_LEFT, _BOTTOM), (right, _BOTTOM), (right, top), (_LEFT, top)), stroke=QUIET, width=0.6)
