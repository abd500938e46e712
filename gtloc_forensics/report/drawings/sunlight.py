"""The sun through the claimed day, and the light that the exposure implies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.report.drawings.marks import (
    CLAIM,
    GRID,
    INK,
    NIGHT,
    PREDICTION,
    QUIET,
    TWILIGHT,
    Drawing,
    Label,
    Mark,
    Shape,
    diamond,
    line,
)

_Scale: TypeAlias = Callable[[float, float], tuple[float, float]]  # (hour, elevation) → the sheet

_LEFT, _BOTTOM, _WIDTH, _HEIGHT = 19.0, 14.0, 112.0, 96.0
_STRIP = 146.0  # x of the exposure scale
_EV = (-4.0, 17.0)
# What scenes are commonly exposed at, at ISO 100: the published exposure value tables (ANSI PH2.7-1986).
EV_SCENES = ((15.0, "sunlight"), (12.0, "overcast"), (9.0, "dusk"), (5.0, "indoors"), (-2.0, "night"))


def sun_curve(
    hours: NDArray[np.float64],
    elevation_deg: NDArray[np.float64],
    *,
    claimed: tuple[float, float] | None,
    indicated_hours: tuple[float, float] | None,
    ev100: float | None,
    scenes: dict[str, str],
    alt: str,
) -> Drawing:
    """Draw the sun's elevation from 0 to 24 h with the claimed moment.

    Args:
        hours: ``[N]`` local hours.
        elevation_deg: ``[N]``.
        claimed: (hour, elevation) of the claim.
        indicated_hours: the shortest span of the day that holds half of what the pixels indicate; may pass midnight.
        ev100: the exposure value at ISO 100.
        scenes: the names of :data:`EV_SCENES` in the language of the report.
        alt: the drawing in words.
    """
    low, high = min(-25.0, float(elevation_deg.min()) - 3), max(25.0, float(elevation_deg.max()) + 6)

    def at(hour: float, elevation: float) -> tuple[float, float]:
        return _LEFT + _WIDTH * hour / 24, _BOTTOM + _HEIGHT * (elevation - low) / (high - low)

    marks: list[Mark] = [*_sky(at, low, high), *_span(at, low, high, indicated_hours), *_axes(at, low, high)]
    curve = [at(float(hour), float(elevation)) for hour, elevation in zip(hours, elevation_deg, strict=True)]
    marks.append(line(curve, INK, width=1.1))
    if claimed is not None:
        spot = at(*claimed)
        marks.append(line(((spot[0], _BOTTOM), spot), CLAIM, width=0.9))
        marks += diamond(*spot)
    marks += _light(ev100, scenes)
    return Drawing(200.0, 114.0, tuple(marks), alt)


def _sky(at: _Scale, low: float, high: float) -> Iterator[Mark]:
    for bottom, top, color in ((low, -6.0, NIGHT), (-6.0, 0.0, TWILIGHT)):
        yield Shape((at(0, bottom), at(24, bottom), at(24, top), at(0, top)), fill=color)


def _span(at: _Scale, low: float, high: float, hours: tuple[float, float] | None) -> Iterator[Mark]:
    """Yield the indicated hours as two dashed verticals and a bar at the top, cut at midnight."""
    if hours is None:
        return
    start, end = hours
    pieces = ((start, end),) if end <= 24 else ((start, 24.0), (0.0, end - 24))
    for first, last in pieces:
        top = at(0, high)[1]
        box = ((at(first, 0)[0], top - 4), (at(last, 0)[0], top - 4), (at(last, 0)[0], top), (at(first, 0)[0], top))
        yield Shape(box, fill=PREDICTION)
    for edge in (start % 24, end % 24):
        yield line((at(edge, low), at(edge, high)), PREDICTION, width=0.7, dash=(2.5, 2.0))


def _axes(at: _Scale, low: float, high: float) -> Iterator[Mark]:
    for hour in (0, 6, 12, 18, 24):
        yield line((at(hour, low), at(hour, high)), GRID, width=0.25)
        yield Label(at(hour, low)[0], _BOTTOM - 9, str(hour), color=QUIET)
    for elevation in range(-90, 91, 30):
        if low <= elevation <= high:
            x, y = at(0, elevation)
            yield line((at(0, elevation), at(24, elevation)), INK if elevation == 0 else GRID, width=0.4)
            yield Label(x - 3, y - 2, f"{elevation}°".replace("-", "−"), size=5.6, anchor="end", color=QUIET)
    yield Shape((at(0, low), at(24, low), at(24, high), at(0, high)), stroke=QUIET, width=0.6)


def _light(ev100: float | None, scenes: dict[str, str]) -> Iterator[Mark]:
    """Yield the scale of exposure values with the photo's own."""

    def height(value: float) -> float:
        low, high = _EV
        return _BOTTOM + _HEIGHT * (min(max(value, low), high) - low) / (high - low)

    yield line(((_STRIP, _BOTTOM), (_STRIP, _BOTTOM + _HEIGHT)), QUIET, width=0.6)
    yield Label(_STRIP, _BOTTOM - 9, "EV", color=QUIET)
    for value, name in EV_SCENES:
        yield line(((_STRIP, height(value)), (_STRIP + 4, height(value))), QUIET)
        yield Label(_STRIP + 7, height(value) - 2, scenes.get(name, name), size=5.4, anchor="start", color=QUIET)
    if ev100 is not None:
        yield from diamond(_STRIP, height(ev100))
