"""How a PDF page is set: type sizes, colours, and the flowables that reportlab lacks.

Tables are streams of :class:`GridRow`, one flowable per row, each of which draws the
table's header when it finds itself at the top of a page. So a table of ten thousand
rows breaks cleanly and is never in memory as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from itertools import accumulate
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph

from gtloc_forensics.report.blocks import Cell, Column, Picture, Span, Text
from gtloc_forensics.report.drawings.marks import INK, QUIET, Drawing
from gtloc_forensics.report.pdf.fonts import font_name, runs, width_of
from gtloc_forensics.report.pdf.paint_pdf import ink, paint, write_line

ACCENT = "#12304F"
RULE = "#C6CBD2"
ZEBRA = "#F5F6F8"
LINK = "#0B4A8F"
HASH_SIZE = 5.0  # 64 hex digits in two fifths of a line

# style → (size, leading, space before, space after, colour)
_SETTING = {
    "body": (8.8, 12.4, 0, 4, INK),
    "lead": (10.2, 14.6, 0, 6, INK),
    "small": (7.4, 10.2, 0, 3, INK),
    "label": (7.4, 10.2, 0, 1, QUIET),
    "thumb": (5.8, 7.0, 0, 0, INK),
    "caption": (6.8, 8.8, 1, 4, QUIET),
    "cell": (7.7, 10.0, 0, 0, INK),
    "dense": (6.2, 7.8, 0, 0, INK),
    "head": (6.6, 8.4, 0, 0, ACCENT),
    "heading1": (17, 21, 0, 9, ACCENT),
    "heading2": (11.6, 15, 10, 4, ACCENT),
    "heading3": (9.2, 12, 7, 2, ACCENT),
}


@cache
def setting(name: str) -> ParagraphStyle:
    """Return the paragraph style called *name*."""
    size, leading, before, after, color = _SETTING[name]
    bold = name.startswith("head")
    return ParagraphStyle(
        name,
        fontName=font_name("bold" if bold else ""),
        fontSize=size,
        leading=leading,
        spaceBefore=before,
        spaceAfter=after,
        textColor=ink(color),
        keepWithNext=int(name.startswith("heading")),
        splitLongWords=1,
        allowWidows=0,
        allowOrphans=0,
    )


def markup(text: Text) -> str:
    """Return *text* in reportlab's paragraph markup; the only place where that is written."""
    return "".join(_span_markup(span) for span in text)


def _span_markup(span: Span) -> str:
    look = f' color="{QUIET}"' if span.style == "quiet" else f' size="{HASH_SIZE}"' if span.style == "hash" else ""
    text = span.text.replace("  ", " \u00a0")  # platypus would make one space of several
    pieces = (f'<font name="{name}"{look}>{escape(piece)}</font>' for name, piece in runs(text, span.style))
    joined = "".join(pieces)
    return f'<a href="#{escape(span.target)}" color="{LINK}">{joined}</a>' if span.target else joined


class TaggedParagraph(Paragraph):  # type: ignore[misc]
    """A paragraph that is told as one."""

    def draw(self) -> None:
        """Draw the paragraph."""
        with self.canv.tagged("P"):
            super().draw()


def paragraph(text: Text, style: str) -> TaggedParagraph:
    """Return *text* as a paragraph."""
    return TaggedParagraph(markup(text), setting(style))


class HeadingFlow(Paragraph):  # type: ignore[misc]
    """A heading that is a destination, a bookmark, and known to the table of contents."""

    def __init__(self, text: Text, *, level: int, anchor: str) -> None:
        """Keep what is drawn, and how."""
        bold = tuple(Span(span.text, span.style or "bold", span.target) for span in text)
        super().__init__(markup(bold), setting(f"heading{level}"))
        self.level = level
        self.anchor = anchor
        self.title = "".join(span.text for span in text)

    def draw(self) -> None:
        """Draw the heading and note where it stands."""
        self.canv.bookmarkHorizontal(self.anchor, 0, self.height + 6)
        if self.level < 3:
            self.canv.addOutlineEntry(self.title, self.anchor, level=self.level - 1, closed=self.level == 1)
        self.canv.page_of_anchor[self.anchor] = self.canv.getPageNumber()
        with self.canv.tagged(self.canv.heading(self.level)):
            super().draw()


class Sketch(Flowable):  # type: ignore[misc]
    """A drawing in the flow of a page."""

    def __init__(self, drawing: Drawing) -> None:
        """Keep what is drawn, and how."""
        super().__init__()
        self.drawing = drawing
        self.width, self.height = drawing.width, drawing.height

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Return the drawing's size."""
        return (self.width, self.height)

    def draw(self) -> None:
        """Paint the marks."""
        with self.canv.tagged("Figure", alt=self.drawing.alt):
            paint(self.canv, self.drawing)


@dataclass(frozen=True, slots=True)
class Grid:
    """What the rows of one table share."""

    columns: tuple[Column, ...]
    style: str  # "cell", "dense" or "body"
    titled: bool = True
    is_list: bool = False  # two columns, a mark and what it marks: told as a list, not as a table
    ruled: bool = True
    padding: float = 2.6  # points above and below the text of a cell
    aside: float = 2.6  # to its left and right: less, and readers aloud run columns together

    def number_on(self, canvas: Canvas) -> int:
        """Return the number of this table in the document, given when its first row is drawn."""
        known: dict[int, tuple[Grid, int]] = canvas.tables
        return known.setdefault(id(self), (self, len(known) + 1))[1]


def page_form(anchor: str, size: float) -> str:
    """Return the name of the form that will hold the page number of *anchor*, written as large as *size*."""
    return f"page-of-{size:g}-{anchor}"


def draw_page_number(canvas: Canvas, anchor: str, *, size: float, right: float, y: float) -> None:
    """Put the number of the page that *anchor* stands on, right-aligned; it is known when the last page is."""
    canvas.saveState()
    canvas.translate(right, y)
    canvas.doForm(page_form(anchor, size))
    canvas.restoreState()
    canvas.page_numbers_asked.append((anchor, size))


class PictureCell:
    """A picture in a table cell, set smaller where the cell is narrower."""

    is_link = False

    def __init__(self, picture: Picture, width: float) -> None:
        """Keep what is drawn, and how."""
        scale = min(1.0, width / picture.width)
        self._picture, self._width, self.height = picture, picture.width * scale, picture.height * scale

    def draw_at(self, canvas: Canvas, x: float, top: float) -> None:
        """Draw the picture with its upper left corner at (x, top)."""
        place_picture(canvas, self._picture, x, top - self.height, width=self._width, height=self.height)


def place_picture(canvas: Canvas, picture: Picture, x: float, y: float, *, width: float, height: float) -> None:
    """Draw *picture* with its lower left corner at (x, y); the same picture is in the file once."""
    canvas.drawImage(ImageReader(BytesIO(picture.jpeg)), x, y, width, height)


class PageCell:
    """The number of a page in a table cell."""

    is_link = True

    def __init__(self, anchor: str, style: str, width: float) -> None:
        """Keep what is drawn, and how."""
        look = setting(style)
        self._anchor, self._width, self._size, self.height = anchor, width, float(look.fontSize), float(look.leading)

    def draw_at(self, canvas: Canvas, x: float, top: float) -> None:
        """Draw the number at the right of the cell, and make it a link."""
        draw_page_number(
            canvas, self._anchor, size=self._size, right=x + self._width, y=top - self.height + self._size * 0.32
        )
        box = (x, top - self.height, x + self._width, top)
        canvas.linkRect("", self._anchor, box, relative=1, Border="[0 0 0]")


class TextCell:
    """A text in a table cell: drawn in one go when it fits on a line, else a paragraph."""

    def __init__(self, text: Text, style: str, width: float) -> None:
        """Keep what is drawn, and how."""
        self.is_link = bool(text) and all(span.target for span in text)
        self._look = setting(style)
        self._span = text[0] if len(text) == 1 and not text[0].target else None
        self._size = HASH_SIZE if self._span and self._span.style == "hash" else self._look.fontSize
        if self._span and width_of(self._span.text, self._span.style, self._size) <= width:
            self.height = float(self._look.leading)
            return
        self._span = None
        self._paragraph = Paragraph(markup(text), self._look) if text else None
        self.height = float(self._paragraph.wrap(width, 10_000)[1]) if self._paragraph else 0.0

    def draw_at(self, canvas: Canvas, x: float, top: float) -> None:
        """Draw the cell with its upper left corner at (x, top)."""
        if self._span:
            color = QUIET if self._span.style == "quiet" else self._look.textColor.hexval().replace("0x", "#")
            baseline = top - self._look.leading + (self._look.leading - self._look.fontSize) / 2 + 1.2
            write_line(canvas, x, baseline, self._span.text, size=self._size, style=self._span.style, color=color)
        elif self._paragraph:
            self._paragraph.drawOn(canvas, x, top - self.height)


AnyCell: TypeAlias = TextCell | PictureCell | PageCell


def _cell_of(content: Cell, style: str, width: float) -> AnyCell:
    if isinstance(content, Picture):
        return PictureCell(content, width)
    if len(content) == 1 and content[0].style == "page":
        return PageCell(content[0].target, style, width)
    return TextCell(content, style, width)


class GridRow(Flowable):  # type: ignore[misc]
    """One row of a table, with the table's header above it where a page or the table begins."""

    def __init__(self, texts: tuple[Cell, ...], grid: Grid, *, index: int, anchor: str = "") -> None:
        """Keep what is drawn, and how."""
        super().__init__()
        self._texts, self._grid, self._index, self._anchor = texts, grid, index, anchor

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Lay the cells out and decide whether the header is due."""
        frame = getattr(self, "_frame", None)
        due = self._grid.titled and (self._index == 0 or (frame is not None and frame._atTop))
        self.width = width
        self._head = (
            self._cells([(Span(column.title, "bold"),) for column in self._grid.columns], "head") if due else []
        )
        self._body = self._cells(self._texts, self._grid.style)
        self._head_height = self._tall(self._head)
        self.height = self._head_height + self._tall(self._body)
        return (width, self.height)

    def _cells(self, texts: Any, style: str) -> list[AnyCell]:
        inner = [column.share * self.width - 2 * self._grid.aside for column in self._grid.columns]
        return [_cell_of(text, style, width) for text, width in zip(texts, inner, strict=True)]

    def _tall(self, cells: list[AnyCell]) -> float:
        return max((cell.height for cell in cells), default=-2 * self._grid.padding) + 2 * self._grid.padding

    def draw(self) -> None:
        """Draw header, shade, cells and the rule below."""
        canvas, body_top = self.canv, self.height - self._head_height
        if self._anchor:
            canvas.bookmarkHorizontal(self._anchor, 0, body_top)
        if self._grid.ruled and self._index % 2:
            with canvas.untold():
                canvas.setFillColor(ink(ZEBRA))
                canvas.rect(0, 0, self.width, body_top, stroke=0, fill=1)
        table = self._grid.number_on(canvas)
        if self._head and self._index:  # repeated on a further page: furniture, or it would be read again in the middle
            with canvas.untold():
                self._draw_cells(self._head, self.height)
        elif self._head:
            self._tell(self._head, self.height, ["TH"] * len(self._head), table=table, row=-1)
        self._tell(self._body, body_top, self._kinds(), table=table, row=self._index + 1)
        if self._grid.ruled:
            self._rule(0, RULE, 0.35)
        if self._head:
            self._rule(body_top, ACCENT, 0.9)

    def _rule(self, y: float, color: str, width: float) -> None:
        with self.canv.untold():
            self.canv.setStrokeColor(ink(color))
            self.canv.setLineWidth(width)
            self.canv.line(0, y, self.width, y)

    def _kinds(self) -> list[str]:
        """Return what the cells are told as; in a table without titles every other column names the next."""
        if self._grid.is_list:
            return ["Lbl", "LBody"]
        is_label = [not self._grid.titled and index % 2 == 0 and bool(text) for index, text in enumerate(self._texts)]
        return ["TH" if label else "TD" for label in is_label]

    def _tell(self, cells: list[AnyCell], top: float, kinds: list[str], *, table: int, row: int) -> None:
        for cell, x, kind in zip(cells, self._lefts(), kinds, strict=True):
            with self.canv.tagged(kind, table=table, row=row, is_link=cell.is_link):
                cell.draw_at(self.canv, x, top - self._grid.padding)

    def _draw_cells(self, cells: list[AnyCell], top: float) -> None:
        for cell, x in zip(cells, self._lefts(), strict=True):
            cell.draw_at(self.canv, x, top - self._grid.padding)

    def _lefts(self) -> list[float]:
        shares = accumulate((column.share for column in self._grid.columns[:-1]), initial=0.0)
        return [share * self.width + self._grid.aside for share in shares]
