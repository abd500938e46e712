"""Blocks set as reportlab flowables, one kind of block per function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import singledispatch
from io import BytesIO
from itertools import chain, islice, repeat
from typing import TypeVar

from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    Image,
    KeepInFrame,
    KeepTogether,
    PageBreak,
    Spacer,
    Table,
    TableStyle,
)

from gtloc_forensics.report import blocks
from gtloc_forensics.report.blocks import Block, Column, Span, Text, text_of
from gtloc_forensics.report.drawings.marks import INK, QUIET
from gtloc_forensics.report.pdf.fonts import font_name, width_of
from gtloc_forensics.report.pdf.paint_pdf import ink, write_line
from gtloc_forensics.report.pdf.paper import (
    ACCENT,
    RULE,
    Grid,
    GridRow,
    HeadingFlow,
    Sketch,
    draw_page_number,
    paragraph,
    place_picture,
)

_ROOM_FOR_A_CHAPTER = 150.0
_DENSE_PADDING = 1.6

T = TypeVar("T")

_TONES = {  # tone → (bar, background)
    "note": ("#5E7FA3", "#F1F5F9"),
    "warning": ("#B5651D", "#FBF4EC"),
    "strength": (ACCENT, "#EEF2F6"),
    "found": ("#B5651D", "#FBF4EC"),
    "clean": ("#3F7F6B", "#EFF6F3"),
    "open": ("#6B7280", "#F3F4F6"),
    "": (ACCENT, "#F1F5F9"),
}


def flowables(items: Iterable[Block], *, width: float) -> Iterator[Flowable]:
    """Set *items* one after the other for a column *width* points wide."""
    for item in items:
        yield from _set(item, width)


def batched(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """Yield *items* in groups of *size*, the last one as long as it comes."""
    waiting = iter(items)
    while group := tuple(islice(waiting, size)):
        yield group


@singledispatch
def _set(item: Block, width: float) -> Iterator[Flowable]:
    raise TypeError(f"no way to set {type(item).__name__}")


@_set.register
def _heading(item: blocks.Heading, width: float) -> Iterator[Flowable]:
    if item.starts == "page" or (item.level == 1 and not item.starts):
        yield PageBreak()
    elif item.level == 1 and item.starts != "flow":
        yield CondPageBreak(max(_ROOM_FOR_A_CHAPTER, item.room))
        yield Spacer(0, 18)
    yield HeadingFlow(item.text, level=item.level, anchor=item.anchor)


@_set.register
def _prose(item: blocks.Prose, width: float) -> Iterator[Flowable]:
    yield paragraph(item.text, item.style)


@_set.register
def _bullets(item: blocks.Bullets, width: float) -> Iterator[Flowable]:
    grid = Grid(
        (Column("", 0.025), Column("", 0.975)), item.style, titled=False, is_list=True, ruled=False, padding=0.8
    )
    for index, text in enumerate(item.items):
        yield GridRow((text_of("•"), text), grid, index=index)
    yield Spacer(0, 4)


@_set.register
def _callout(item: blocks.Callout, width: float) -> Iterator[Flowable]:
    yield Box(item.text, item.tone)


@_set.register
def _tiles(item: blocks.Tiles, width: float) -> Iterator[Flowable]:
    yield TileRow(item.items, width)
    yield Spacer(0, 8)


@_set.register
def _facts(item: blocks.Facts, width: float) -> Iterator[Flowable]:
    style, padding = ("dense", _DENSE_PADDING) if item.dense else ("cell", 2.0)
    columns = (Column("", item.label_share), Column("", 1 - item.label_share))
    grid = Grid(columns, style, titled=False, padding=padding, aside=2.0)
    for index, (label, value) in enumerate(item.rows):
        yield GridRow((_quiet(label), value), grid, index=2 * index)
    yield Spacer(0, 5)


@_set.register
def _table(item: blocks.Table, width: float) -> Iterator[Flowable]:
    grid = Grid(item.columns, "dense", padding=_DENSE_PADDING) if item.dense else Grid(item.columns, "cell")
    index = -1
    for index, (texts, anchor) in enumerate(zip(item.rows, chain(item.anchors, repeat("")), strict=False)):
        yield GridRow(texts, grid, index=index, anchor=anchor)
    if index < 0:
        yield paragraph(text_of(item.empty, "quiet"), "small")
    yield Spacer(0, 6)


@_set.register
def _figure(item: blocks.Figure, width: float) -> Iterator[Flowable]:
    if isinstance(item.content, blocks.Picture):
        yield TaggedImage(item.content)
    else:
        yield Sketch(item.content)
    if item.caption:
        yield paragraph(item.caption, "caption")


@_set.register
def _row(item: blocks.Row, width: float) -> Iterator[Flowable]:
    widths = [share * width for share in item.shares]
    cells = [list(flowables(cell, width=inner - 6)) for cell, inner in zip(item.cells, widths, strict=True)]
    table = Table([cells], colWidths=widths, hAlign="LEFT", spaceBefore=2, spaceAfter=5)
    table.setStyle(
        TableStyle(
            [
                ("FONTNAME", (0, 0), (-1, -1), font_name()),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 6),
                ("TOPPADDING", (0, 0), (-1, -1), 0),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
            ]
        )
    )
    yield table


@_set.register
def _together(item: blocks.Together, width: float) -> Iterator[Flowable]:
    yield KeepTogether(list(flowables(item.items, width=width)))


@_set.register
def _one_page(item: blocks.OnePage, width: float) -> Iterator[Flowable]:
    yield KeepInFrame(0, 0, list(flowables(item.items, width=width)), mode="shrink")


@_set.register
def _contents(item: blocks.Contents, width: float) -> Iterator[Flowable]:
    for anchor, title in item.entries:
        yield ContentsLine(anchor, title, width)


@_set.register
def _strip(item: blocks.Strip, width: float) -> Iterator[Flowable]:
    for thumbs in batched(item.items, item.across):
        yield ThumbRow(thumbs, width, item.across)
    yield Spacer(0, 5)


@_set.register
def _front(item: blocks.Front, width: float) -> Iterator[Flowable]:
    if item.logo:
        yield _logo(item.logo)
    yield FrontTitle(item.title, item.subtitle, width, item.bookmark)
    yield Spacer(0, 5)
    rows = list(batched(item.fields, 2))
    grid = Grid(tuple(Column("", share) for share in (0.15, 0.35, 0.15, 0.35)), "cell", titled=False, padding=1.6)
    for index, pair in enumerate(rows):
        cells = [cell for label, value in pair for cell in (_quiet(label), value)]
        yield GridRow((*cells, *[()] * (4 - len(cells))), grid, index=2 * index)
    yield Spacer(0, 6)


def _quiet(text: Text) -> Text:
    return tuple(Span(span.text, "quiet") for span in text)


@_set.register
def _signatures(item: blocks.Signatures, width: float) -> Iterator[Flowable]:
    yield SignatureLines(item.labels, width)


class Box(Flowable):  # type: ignore[misc]
    """A paragraph on a ground with a bar at its left, as wide as there is room."""

    _LEFT, _RIGHT, _TOP, _BOTTOM = 8.0, 6.0, 4.0, 6.0

    def __init__(self, text: Text, tone: str) -> None:
        """Keep what is drawn, and how."""
        super().__init__()
        self._paragraph, self._tone = paragraph(text, "body"), tone
        self.spaceBefore, self.spaceAfter = 3, 6

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Take the whole width."""
        _, tall = self._paragraph.wrap(width - self._LEFT - self._RIGHT, height)
        self.width, self.height = width, tall + self._TOP + self._BOTTOM
        return (self.width, self.height)

    def draw(self) -> None:
        """Draw ground, bar and paragraph."""
        bar, background = _TONES[self._tone]
        with self.canv.untold():
            self.canv.setFillColor(ink(background))
            self.canv.rect(0, 0, self.width, self.height, stroke=0, fill=1)
            self.canv.setFillColor(ink(bar))
            self.canv.rect(0, 0, 2.4, self.height, stroke=0, fill=1)
        self._paragraph.drawOn(self.canv, self._LEFT, self._BOTTOM)


class TaggedImage(Image):  # type: ignore[misc]
    """A picture that is told in words."""

    def __init__(self, picture: blocks.Picture) -> None:
        """Keep the picture and its words."""
        super().__init__(BytesIO(picture.jpeg), width=picture.width, height=picture.height, hAlign="LEFT")
        self._alt = picture.alt

    def draw(self) -> None:
        """Draw the picture."""
        with self.canv.tagged("Figure", alt=self._alt):
            super().draw()


def _logo(data: bytes) -> Image:
    picture = Image(BytesIO(data), hAlign="LEFT")
    scale = min(1.0, 150 / picture.imageWidth, 50 / picture.imageHeight)
    picture.drawWidth, picture.drawHeight = picture.imageWidth * scale, picture.imageHeight * scale
    return picture


class FrontTitle(Flowable):  # type: ignore[misc]
    """The title of the report between two rules."""

    def __init__(self, title: str, subtitle: str, width: float, bookmark: str) -> None:
        """Keep what is drawn, and how; the page is called *bookmark* among the bookmarks."""
        super().__init__()
        self.bookmark = bookmark
        self.title, self.subtitle, self.width, self.height = title, subtitle, width, 46

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Take the whole width."""
        self.width = width
        return (width, self.height)

    def draw(self) -> None:
        """Write the two lines."""
        canvas = self.canv
        canvas.bookmarkPage("summary")
        canvas.page_of_anchor["summary"] = canvas.getPageNumber()
        canvas.addOutlineEntry(self.bookmark, "summary", level=0, closed=1)
        with canvas.untold():
            canvas.setStrokeColor(ink(ACCENT))
            canvas.setLineWidth(2.2)
            canvas.line(0, self.height, self.width, self.height)
        with canvas.tagged(canvas.heading(1)):
            write_line(canvas, 0, self.height - 24, self.title, size=18, style="bold", color=ACCENT)
        with canvas.tagged("P"):
            write_line(canvas, 0, self.height - 39, self.subtitle, size=9.2, color=QUIET)
        with canvas.untold():
            canvas.setLineWidth(0.5)
            canvas.line(0, 0, self.width, 0)


class SignatureLines(Flowable):  # type: ignore[misc]
    """Lines to sign on, side by side."""

    _GAP = 30.0

    def __init__(self, labels: tuple[str, ...], width: float) -> None:
        """Keep what is drawn, and how."""
        super().__init__()
        self.labels, self.width, self.height = labels, width, 70.0

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Return the fixed size."""
        return (self.width, self.height)

    def draw(self) -> None:
        """Draw one line per label."""
        each = (self.width - self._GAP * (len(self.labels) - 1)) / max(1, len(self.labels))
        self.canv.setStrokeColor(ink(QUIET))
        self.canv.setLineWidth(0.5)
        for index, label in enumerate(self.labels):
            x = index * (each + self._GAP)
            with self.canv.untold():
                self.canv.line(x, 12, x + each, 12)
            with self.canv.tagged("P"):
                write_line(self.canv, x, 2, label, size=7, color=QUIET)


class ThumbRow(Flowable):  # type: ignore[misc]
    """A row of small pictures over their labels."""

    _GAP = 5.0

    def __init__(self, thumbs: tuple[blocks.Thumb, ...], width: float, across: int) -> None:
        """Keep what is drawn, and how."""
        super().__init__()
        self._thumbs = thumbs
        self._each = (width - self._GAP * (across - 1)) / across
        self._tall = 0.7 * self._each
        lines = [paragraph(thumb.label + thumb.note, "thumb") for thumb in thumbs]
        self._labels = [(line, line.wrap(self._each, 200)[1]) for line in lines]
        self.width, self.height = width, self._tall + max(high for _, high in self._labels) + 6

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Return the size that the labels ask for."""
        return (self.width, self.height)

    def draw(self) -> None:
        """Draw the pictures on one line, their labels below."""
        bottom = self.height - self._tall
        for index, (thumb, (label, high)) in enumerate(zip(self._thumbs, self._labels, strict=True)):
            x = index * (self._each + self._GAP)
            bar, background = _TONES[thumb.tone]
            with self.canv.untold():
                self.canv.setFillColor(ink(background))
                self.canv.rect(x, bottom, self._each, self._tall, stroke=0, fill=1)
            if thumb.picture is not None:
                with self.canv.tagged("Figure", alt=thumb.picture.alt):
                    self._picture(thumb.picture, x, bottom)
            if thumb.tone:
                with self.canv.untold():
                    self.canv.setFillColor(ink(bar))
                    self.canv.rect(x, bottom - 1.6, self._each, 1.6, stroke=0, fill=1)
            label.drawOn(self.canv, x, bottom - high - 3)

    def _picture(self, picture: blocks.Picture, x: float, bottom: float) -> None:
        scale = min(self._each / picture.width, self._tall / picture.height)
        wide, tall = picture.width * scale, picture.height * scale
        place_picture(
            self.canv,
            picture,
            x + (self._each - wide) / 2,
            bottom + (self._tall - tall) / 2,
            width=wide,
            height=tall,
        )


class TileRow(Flowable):  # type: ignore[misc]
    """Large figures in boxes."""

    _GAP = 7.0

    def __init__(self, tiles: tuple[blocks.Tile, ...], width: float) -> None:
        """Keep what is drawn, and how."""
        super().__init__()
        self.tiles, self.width, self.height = tiles, width, 38.0

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Take the whole width."""
        self.width = width
        return (width, self.height)

    def draw(self) -> None:
        """Draw one box per figure."""
        each = (self.width - self._GAP * (len(self.tiles) - 1)) / len(self.tiles)
        for index, tile in enumerate(self.tiles):
            self._box(tile, index * (each + self._GAP), each)

    def _box(self, tile: blocks.Tile, x: float, width: float) -> None:
        bar, background = _TONES[tile.tone]
        with self.canv.untold():
            self.canv.setFillColor(ink(background))
            self.canv.rect(x, 0, width, self.height, stroke=0, fill=1)
            self.canv.setFillColor(ink(bar))
            self.canv.rect(x, 0, 2.4, self.height, stroke=0, fill=1)
        with self.canv.tagged("P"):
            write_line(self.canv, x + 9, 17, tile.number, size=16, style="bold", color=INK)
            write_line(self.canv, x + 9, 6, tile.label, size=7.2, color=QUIET)


class ContentsLine(Flowable):  # type: ignore[misc]
    """One chapter in the table of contents; its page number is filled in when the last page is known."""

    def __init__(self, anchor: str, title: Text, width: float) -> None:
        """Keep what is drawn, and how."""
        super().__init__()
        self.anchor, self.title, self.width, self.height = anchor, blocks.plain_of(title), width, 15.0

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        """Return the fixed size."""
        return (self.width, self.height)

    def draw(self) -> None:
        """Write the title, a leader and the place of the number."""
        canvas = self.canv
        with canvas.tagged("P", is_link=True):
            end = write_line(canvas, 0, 4, self.title, size=9.2, color=INK)
            canvas.setStrokeColor(ink(RULE))
            canvas.setLineWidth(0.6)
            canvas.setDash([0.6, 2.4])
            canvas.line(end + 6, 4, self.width - width_of("0000", "", 9.2), 4)
            canvas.setDash()
            draw_page_number(canvas, self.anchor, size=9.2, right=self.width, y=4)
            canvas.linkRect("", self.anchor, (0, 0, self.width, self.height), relative=1, Border="[0 0 0]")
