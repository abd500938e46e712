"""Marks put on a PDF canvas.

The land of the world is drawn once per file, as a form that every map places and
scales; a report with fifty maps grows by one coast line.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.pdfgen.canvas import Canvas

from gtloc_forensics.report.drawings.coast import land_rings
from gtloc_forensics.report.drawings.marks import LAND, PAPER, Boxes, Disc, Drawing, Label, Mark, Shape, World
from gtloc_forensics.report.pdf.fonts import runs, width_of

_LAND_FORM = "land"
_OUTLINE, _HALO = 1, 1.5  # the text rendering mode that strokes, and how wide


@cache
def ink(color: str) -> Color:
    """Return the colour of ``#RRGGBB``."""
    return HexColor(color)


def paint(canvas: Canvas, drawing: Drawing) -> None:
    """Draw *drawing* with its lower left corner at the canvas's origin."""
    if any(isinstance(mark, World) for mark in drawing.marks):
        _define_land(canvas)
    for mark in drawing.marks:
        _paint_mark(canvas, mark)


def write_line(
    canvas: Canvas,
    x: float,
    y: float,
    text: str,
    *,
    size: float,
    style: str = "",
    color: str = "",
    mode: int | None = None,
) -> float:
    """Write one line of text from *x* on and return where it ends."""
    if color:
        canvas.setFillColor(ink(color))
    for name, piece in runs(text, style):
        canvas.setFont(name, size)
        canvas.drawString(x, y, piece, mode=mode)
        x += canvas.stringWidth(piece, name, size)
    return x


def _paint_mark(canvas: Canvas, mark: Mark) -> None:
    if isinstance(mark, Shape):
        _shape(canvas, mark)
    elif isinstance(mark, Disc):
        _pens(canvas, mark)
        canvas.circle(mark.x, mark.y, mark.radius, stroke=int(bool(mark.stroke)), fill=int(bool(mark.fill)))
    elif isinstance(mark, Boxes):
        _boxes(canvas, mark)
    elif isinstance(mark, Label):
        _label(canvas, mark)
    else:
        _world(canvas, mark)


def _pens(canvas: Canvas, mark: Shape | Disc) -> None:
    if mark.fill:
        canvas.setFillColor(ink(mark.fill))
    if mark.stroke:
        canvas.setStrokeColor(ink(mark.stroke))
        canvas.setLineWidth(mark.width)


def _shape(canvas: Canvas, mark: Shape) -> None:
    _pens(canvas, mark)
    canvas.setDash(list(mark.dash)) if mark.dash else canvas.setDash()
    outline = canvas.beginPath()
    _trace(outline, mark.points)
    if mark.closed:
        outline.close()
    canvas.drawPath(outline, stroke=int(bool(mark.stroke)), fill=int(bool(mark.fill)))
    if mark.dash:
        canvas.setDash()


def _trace(outline: Any, points: tuple[tuple[float, float], ...]) -> None:
    outline.moveTo(*points[0])
    for point in points[1:]:
        outline.lineTo(*point)


def _boxes(canvas: Canvas, mark: Boxes) -> None:
    if not mark.rectangles:
        return
    canvas.setFillColor(ink(mark.fill))
    outline = canvas.beginPath()
    for rectangle in mark.rectangles:
        outline.rect(*rectangle)
    canvas.drawPath(outline, stroke=0, fill=1)


def _label(canvas: Canvas, mark: Label) -> None:
    style = "bold" if mark.bold else ""
    share = {"start": 0.0, "middle": 0.5, "end": 1.0}[mark.anchor]
    x = mark.x - (share * width_of(mark.text, style, mark.size) if share else 0.0)
    if mark.halo:
        canvas.setStrokeColor(ink(PAPER))
        canvas.setLineWidth(_HALO)
        write_line(canvas, x, mark.y, mark.text, size=mark.size, style=style, mode=_OUTLINE)
    write_line(canvas, x, mark.y, mark.text, size=mark.size, style=style, color=mark.color)


def _world(canvas: Canvas, mark: World) -> None:
    canvas.saveState()
    window = canvas.beginPath()
    window.rect(mark.x, mark.y, mark.width, mark.height)
    canvas.clipPath(window, stroke=0, fill=0)
    canvas.translate(mark.x, mark.y)
    canvas.scale(mark.width / (mark.east_deg - mark.west_deg), mark.height / (mark.north_deg - mark.south_deg))
    canvas.translate(-180.0 - mark.west_deg, -90.0 - mark.south_deg)
    canvas.doForm(_LAND_FORM)
    canvas.restoreState()


def _define_land(canvas: Canvas) -> None:
    if canvas.hasForm(_LAND_FORM):
        return
    canvas.beginForm(_LAND_FORM, 0, 0, 360, 180)
    canvas.setFillColor(ink(LAND))
    outline = canvas.beginPath()
    for ring in land_rings():
        _trace(outline, tuple((longitude + 180.0, latitude + 90.0) for longitude, latitude in ring))
        outline.close()
    canvas.drawPath(outline, stroke=0, fill=1)
    canvas.endForm()
