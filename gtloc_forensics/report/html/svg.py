"""Marks written as SVG for a page of HTML; nothing in it refers to anything outside."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from gtloc_forensics.report.drawings.coast import land_rings
from gtloc_forensics.report.drawings.marks import LAND, PAPER, Boxes, Disc, Drawing, Label, Mark, Point, Shape, World

_ANCHORS = {"start": "start", "middle": "middle", "end": "end"}
LAND_ID = "land"


def svg(drawing: Drawing) -> str:
    """Return *drawing* as an ``<svg>`` element; maps use the shape of :func:`land_symbol`."""
    body = "".join(part for mark in drawing.marks for part in _mark(mark, drawing.height))
    size = f'viewBox="0 0 {_n(drawing.width)} {_n(drawing.height)}"'
    return f'<svg {size} role="img" aria-label="{escape(drawing.alt)}"><title>{escape(drawing.alt)}</title>{body}</svg>'


def land_symbol() -> str:
    """Return the land of the world once, for all maps of the page to use."""
    path = "".join(_path([(x + 180.0, 90.0 - y) for x, y in ring], closed=True) for ring in land_rings())
    symbol = f'<symbol id="{LAND_ID}" viewBox="0 0 360 180" preserveAspectRatio="none">'
    return f'<svg class="hidden" aria-hidden="true">{symbol}<path d="{path}" fill="{LAND}"/></symbol></svg>'


def _mark(mark: Mark, height: float) -> Iterator[str]:
    if isinstance(mark, Shape):
        points = [(x, height - y) for x, y in mark.points]
        dash = f' stroke-dasharray="{" ".join(map(_n, mark.dash))}"' if mark.dash else ""
        yield f'<path d="{_path(points, closed=mark.closed)}"{_pens(mark)}{dash}/>'
    elif isinstance(mark, Disc):
        yield f'<circle cx="{_n(mark.x)}" cy="{_n(height - mark.y)}" r="{_n(mark.radius)}"{_pens(mark)}/>'
    elif isinstance(mark, Boxes):
        yield f'<path d="{"".join(_box(box, height) for box in mark.rectangles)}" fill="{mark.fill}"/>'
    elif isinstance(mark, Label):
        yield _label(mark, height)
    elif isinstance(mark, World):
        yield _world(mark, height)


def _world(mark: World, height: float) -> str:
    """Return a window on the land; what lies outside it is cut off."""
    place = f'x="{_n(mark.x)}" y="{_n(height - mark.y - mark.height)}" width="{_n(mark.width)}"'
    wide, tall = mark.east_deg - mark.west_deg, mark.north_deg - mark.south_deg
    view = f"{_n(180.0 + mark.west_deg)} {_n(90.0 - mark.north_deg)} {_n(wide)} {_n(tall)}"
    window = f'<svg {place} height="{_n(mark.height)}" viewBox="{view}" preserveAspectRatio="none" overflow="hidden">'
    return f'{window}<use href="#{LAND_ID}" width="360" height="180"/></svg>'


def _pens(mark: Shape | Disc) -> str:
    fill = f' fill="{mark.fill or "none"}"'
    return f'{fill} stroke="{mark.stroke}" stroke-width="{_n(mark.width)}"' if mark.stroke else fill


def _box(box: tuple[float, float, float, float], height: float) -> str:
    x, y, wide, tall = box
    return f"M{_n(x)} {_n(height - y - tall)}h{_n(wide)}v{_n(tall)}h{_n(-wide)}z"


def _label(mark: Label, height: float) -> str:
    weight = ' font-weight="bold"' if mark.bold else ""
    place = f'x="{_n(mark.x)}" y="{_n(height - mark.y)}" text-anchor="{_ANCHORS[mark.anchor]}"'
    rim = f' stroke="{PAPER}" stroke-width="1.5" stroke-linejoin="round" paint-order="stroke"' if mark.halo else ""
    return f'<text {place} font-size="{_n(mark.size)}" fill="{mark.color}"{weight}{rim}>{escape(mark.text)}</text>'


def _path(points: list[Point], *, closed: bool) -> str:
    text = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
    return f"M{text}{'z' if closed else ''}"


def _n(value: float) -> str:
    """Return a coordinate to a hundredth of a point, without idle zeros."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text
