"""A sheet of pictures with lines of text under each, as PNG or PDF; the same bytes for the same input.

Both are set in the fonts that a report is set in, so that a name in any script is readable, and what no font has
stands as its code point.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from gtloc_forensics.files.writing import replaced, write_bytes
from gtloc_forensics.report.blocks import Picture
from gtloc_forensics.report.chapters.pictures import reduced
from gtloc_forensics.report.drawings.marks import INK, QUIET
from gtloc_forensics.report.pdf.fonts import font_folder, runs, width_of
from gtloc_forensics.report.pdf.paint_pdf import write_line

_ACROSS = 4
_MARGIN, _GAP, _BETWEEN = 40.0, 8.0, 14.0  # points
_PICTURE_HEIGHT = 92.0
_SIZE, _LEADING, _TITLE = 6.4, 8.0, 12.0
_LONGEST_PX, _MOST_BYTES = 420, 40_000
_PNG_SCALE = 2.0  # px a point
_NO_PICTURE = "no picture: it could not be decoded"


@dataclass(frozen=True, slots=True)
class Tile:
    """One photo: its picture as JPEG, None where there is none, its name, and the lines under it."""

    jpeg: bytes | None
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Word:
    """A line of text on a page; *y* counts from the top, at its baseline."""

    x: float
    y: float
    text: str
    size: float
    style: str = ""
    color: str = INK


@dataclass(frozen=True, slots=True)
class _Placed:
    """A picture on a page; *y* counts from the top, of its upper edge."""

    x: float
    y: float
    picture: Picture


@dataclass(frozen=True, slots=True)
class _Page:
    height: float
    marks: tuple[_Word | _Placed, ...]


def write_pdf(path: Path, *, title: str, notes: Sequence[str], tiles: Sequence[Tile]) -> None:
    """Write the sheet as a PDF of as many pages as it takes."""
    with replaced(path) as draft:
        content = BytesIO()
        canvas = Canvas(content, pagesize=A4, invariant=1, pageCompression=1)
        canvas.setTitle(title)
        for page in _pages(title, notes, tiles, height=A4[1]):
            for mark in page.marks:
                if isinstance(mark, _Placed):
                    box = (mark.picture.width, mark.picture.height)
                    image = ImageReader(BytesIO(mark.picture.jpeg))
                    canvas.drawImage(image, mark.x, page.height - mark.y - box[1], *box)
                else:
                    y = page.height - mark.y
                    write_line(canvas, mark.x, y, mark.text, size=mark.size, style=mark.style, color=mark.color)
            canvas.showPage()
        canvas.save()
        draft.write_bytes(content.getvalue())


def write_png(path: Path, *, title: str, notes: Sequence[str], tiles: Sequence[Tile]) -> None:
    """Write the sheet as one picture, as high as it takes."""
    (page,) = _pages(title, notes, tiles, height=float("inf"))
    scale = _PNG_SCALE
    sheet = Image.new("RGB", (round(A4[0] * scale), round(page.height * scale)), "white")
    pen = ImageDraw.Draw(sheet)
    for mark in page.marks:
        if isinstance(mark, _Placed):
            size = (max(1, round(mark.picture.width * scale)), max(1, round(mark.picture.height * scale)))
            with Image.open(BytesIO(mark.picture.jpeg)) as image:
                sheet.paste(image.convert("RGB").resize(size), (round(mark.x * scale), round(mark.y * scale)))
            continue
        x = mark.x * scale
        for name, piece in runs(mark.text, mark.style):
            font = _font(name, mark.size * scale)
            pen.text((x, mark.y * scale), piece, fill=mark.color, font=font, anchor="ls")
            x += pen.textlength(piece, font=font)
    content = BytesIO()
    sheet.save(content, "PNG", optimize=True)
    write_bytes(path, content.getvalue())


@lru_cache(maxsize=32)
def _font(name: str, size: float) -> ImageFont.FreeTypeFont:
    with font_folder().joinpath(f"{name}.ttf").open("rb") as file:
        return ImageFont.truetype(BytesIO(file.read()), size, layout_engine=ImageFont.Layout.BASIC)


def _pages(title: str, notes: Sequence[str], tiles: Sequence[Tile], *, height: float) -> Iterator[_Page]:
    """Lay rows of tiles out, on pages of that height, or on one as high as it takes."""
    width = A4[0] - 2 * _MARGIN
    marks: list[_Word | _Placed] = []
    y = _MARGIN + _TITLE
    for line in _wrapped(title, width, _TITLE, "bold"):
        marks.append(_Word(_MARGIN, y, line, _TITLE, "bold"))
        y += _TITLE + 3
    for line in (line for note in notes for line in _wrapped(note, width, _SIZE + 1, "")):
        marks.append(_Word(_MARGIN, y, line, _SIZE + 1, "", QUIET))
        y += _LEADING + 1
    y += _GAP
    tile_width = (width - (_ACROSS - 1) * _GAP) / _ACROSS
    for first in range(0, len(tiles), _ACROSS):
        row = [_tile(tile, tile_width) for tile in tiles[first : first + _ACROSS]]
        tall = max(bottom for bottom, _ in row)
        if y + tall > height - _MARGIN and marks:
            yield _Page(height, tuple(marks))
            marks, y = [], _MARGIN
        for number, (_, inner) in enumerate(row):
            x = _MARGIN + number * (tile_width + _GAP)
            marks += [_moved(mark, x, y) for mark in inner]
        y += tall + _BETWEEN
    yield _Page(height if height < float("inf") else y + _MARGIN, tuple(marks))


def _tile(tile: Tile, width: float) -> tuple[float, list[_Word | _Placed]]:
    """Return how high a tile is and what is on it, seen from its upper left corner."""
    picture = reduced(
        tile.jpeg, longest_px=_LONGEST_PX, most_bytes=_MOST_BYTES, box=(width, _PICTURE_HEIGHT), alt=tile.name
    )
    marks: list[_Word | _Placed] = []
    if picture is None:
        marks.append(_Word(0.0, _PICTURE_HEIGHT / 2, _NO_PICTURE, _SIZE, "", QUIET))
    else:
        marks.append(_Placed(0.0, _PICTURE_HEIGHT - picture.height, picture))
    y = _PICTURE_HEIGHT + _LEADING
    for text, style in ((tile.name, "bold"), *((line, "") for line in tile.lines)):
        for line in _wrapped(text, width, _SIZE, style):
            marks.append(_Word(0.0, y, line, _SIZE, style))
            y += _LEADING
    return y, marks


def _moved(mark: _Word | _Placed, x: float, y: float) -> _Word | _Placed:
    if isinstance(mark, _Placed):
        return _Placed(mark.x + x, mark.y + y, mark.picture)
    return _Word(mark.x + x, mark.y + y, mark.text, mark.size, mark.style, mark.color)


def _wrapped(text: str, width: float, size: float, style: str, *, most: int = 3) -> list[str]:
    """Cut *text* into lines that fit, between words where it can; what is over the last line ends in "…"."""
    lines: list[str] = []
    left = text.strip()
    while left and len(lines) < most:
        count = len(left)
        while count > 1 and width_of(left[:count], style, size) > width:
            count -= max(1, (count - 1) // 12)
        if count < len(left):
            space = left.rfind(" ", 0, count + 1)
            count = space if space > count // 2 else count
        lines.append(left[:count].strip())
        left = left[count:].strip()
    if left and lines:
        lines[-1] = lines[-1][:-1] + "…"
    return lines
