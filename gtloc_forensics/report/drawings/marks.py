"""Drawings as lists of marks, for a PDF page and for SVG alike.

A drawing is measured in points, x to the right and y up, the origin at its lower
left corner. A mark says what it is in words of geometry; how it is put on paper is
the painters' business (:mod:`.paint_pdf`, :mod:`.paint_svg`). Colours are those of
Okabe and Ito, told apart by colour-blind readers, and every distinction they make
is made a second time by shape, lightness or dash, so that a grey copy says the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

# M. Okabe, K. Ito, "Color Universal Design" (2008); luminance falls from SHADE to INK.
INK = "#1A1A1A"
CLAIM = "#C44E00"  # vermilion, darkened so that it prints as dark grey
PREDICTION = "#0B5A94"  # blue
PREDICTION_MID = "#5E9BC9"
PREDICTION_LIGHT = "#BCD6EA"
NIGHT = "#C9CDD3"
TWILIGHT = "#E4E7EB"
LAND = "#E3DFD3"
GRID = "#B8BDC4"
QUIET = "#5C636B"
PAPER = "#FFFFFF"

Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Shape:
    """A polygon or a line through points."""

    points: tuple[Point, ...]
    fill: str = ""
    stroke: str = ""
    width: float = 0.5
    dash: tuple[float, ...] = ()
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Disc:
    """A circle."""

    x: float
    y: float
    radius: float
    fill: str = ""
    stroke: str = ""
    width: float = 0.5


@dataclass(frozen=True, slots=True)
class Boxes:
    """Many rectangles (x, y, width, height) of one colour."""

    rectangles: tuple[tuple[float, float, float, float], ...]
    fill: str


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text; ``anchor`` is "start", "middle" or "end" of it at x, ``halo`` clears a rim of paper round it."""

    x: float
    y: float
    text: str
    size: float = 6.5
    anchor: str = "middle"
    color: str = INK
    bold: bool = False
    halo: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """The land between two latitudes and two longitudes in equirectangular projection, filling a box."""

    x: float
    y: float
    width: float
    height: float
    south_deg: float = -90.0
    north_deg: float = 90.0
    west_deg: float = -180.0
    east_deg: float = 180.0


Mark: TypeAlias = Shape | Disc | Boxes | Label | World


@dataclass(frozen=True, slots=True)
class Drawing:
    """Marks on a sheet, with what they show in words for readers who cannot see them."""

    width: float
    height: float
    marks: tuple[Mark, ...]
    alt: str


def around(x: float, y: float, radius: float, turn: float) -> Point:
    """Return the point at *turn* (0 is up, clockwise) on a circle."""
    angle = 2.0 * math.pi * turn
    return (x + radius * math.sin(angle), y + radius * math.cos(angle))


def sector(x: float, y: float, *, inner: float, outer: float, turns: tuple[float, float], fill: str) -> Shape:
    """Return the part of a ring between two turns, the second after the first."""
    start, end = turns
    steps = max(2, math.ceil((end - start) * 72))
    turns_between = [start + (end - start) * step / steps for step in range(steps + 1)]
    rim = [around(x, y, outer, turn) for turn in turns_between]
    hole = [around(x, y, inner, turn) for turn in reversed(turns_between)]
    return Shape((*rim, *hole), fill=fill)


def diamond(x: float, y: float, size: float = 4.0) -> tuple[Mark, ...]:
    """Return the sign of what is claimed: a filled diamond with a white rim."""
    corners = ((x, y + size), (x + size, y), (x, y - size), (x - size, y))
    return (Shape(corners, fill=CLAIM, stroke=PAPER, width=0.9),)


def ring(x: float, y: float, size: float = 3.4) -> tuple[Mark, ...]:
    """Return the sign of what the pixels indicate: a ring with a white rim."""
    return (Disc(x, y, size, stroke=PAPER, width=3.0), Disc(x, y, size, stroke=PREDICTION, width=1.6))


def line(points: Sequence[Point], color: str, *, width: float = 0.5, dash: tuple[float, ...] = ()) -> Shape:
    """Return an open line through *points*."""
    return Shape(tuple(points), stroke=color, width=width, dash=dash, closed=False)
