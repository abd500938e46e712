"""What a report is made of, before it is a PDF or a page of HTML.

The chapters yield blocks in reading order, the renderers draw them; so the PDF and
the HTML say the same. A text is a tuple of spans and never markup: whatever came
out of a photo stays data until a renderer escapes it. Lengths are points (1/72 inch).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from gtloc_forensics.report.drawings.marks import Drawing


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text in one style; ``target`` is an anchor inside the report."""

    text: str
    style: str = ""  # "", "bold", "italic", "mono", "quiet", "hash", a small mono, or "page", see :func:`page_of`
    target: str = ""


Text: TypeAlias = tuple[Span, ...]


def text_of(value: str, style: str = "", *, target: str = "") -> Text:
    """Return *value* as a text of one span."""
    return (Span(value, style, target),)


def page_of(anchor: str) -> Text:
    """Return a text that is nothing but the number of the page *anchor* stands on, where there are pages."""
    return (Span("→", "page", anchor),)


def plain_of(text: Text) -> str:
    """Return the characters of *text* without their styles."""
    return "".join(span.text for span in text)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 opens a chapter, levels 1 and 2 are bookmarks.

    ``starts`` is "page" for a new page, "here" for wherever there is room, "flow" for right where it is, "" for
    what the level asks for: a chapter starts a page.
    """

    text: Text
    level: int
    anchor: str
    starts: str = ""
    room: float = 0.0  # points that must be free below it where it starts "here"


@dataclass(frozen=True, slots=True)
class Prose:
    """One paragraph. ``style`` is "body", "lead", "small", "label" or "caption"."""

    text: Text
    style: str = "body"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of short statements."""

    items: tuple[Text, ...]
    style: str = "body"


@dataclass(frozen=True, slots=True)
class Callout:
    """A statement in a box. ``tone`` is "note", "warning" or "strength"."""

    text: Text
    tone: str = "note"


@dataclass(frozen=True, slots=True)
class Tile:
    """One large figure of the summary with what it counts."""

    number: str
    label: str
    tone: str = ""  # "", "found", "clean", "open"


@dataclass(frozen=True, slots=True)
class Tiles:
    """Large figures side by side."""

    items: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Pairs of a label and a value."""

    rows: tuple[tuple[Text, Text], ...]
    label_share: float = 0.3  # of the width
    dense: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; the shares of a table's columns sum to 1."""

    title: str
    share: float


@dataclass(frozen=True, slots=True)
class Picture:
    """A downscaled JPEG, drawn ``width`` points wide."""

    jpeg: bytes
    width: float
    height: float
    alt: str


Cell: TypeAlias = Text | Picture


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header that repeats on every page; ``rows`` may be a stream of any length."""

    columns: tuple[Column, ...]
    rows: Iterable[tuple[Cell, ...]]
    empty: str  # the sentence printed where there is no row
    dense: bool = False
    anchors: Iterable[str] = ()


@dataclass(frozen=True, slots=True)
class Thumb:
    """A small picture over its label; without a picture the place for it stays empty."""

    picture: Picture | None
    label: Text
    note: Text = ()
    tone: str = ""  # as of a tile


@dataclass(frozen=True, slots=True)
class Strip:
    """Small pictures in rows of ``across``; ``items`` may be a stream of any length."""

    items: Iterable[Thumb]
    across: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing or a picture with a caption."""

    content: Drawing | Picture
    caption: Text = ()


@dataclass(frozen=True, slots=True)
class Row:
    """Blocks side by side; ``shares`` of the width sum to 1."""

    cells: tuple[tuple[Block, ...], ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Together:
    """Blocks that are not parted by a page break unless they are longer than a page."""

    items: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class OnePage:
    """Blocks that are set smaller rather than let run over the rest of their page."""

    items: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """The table of contents; ``entries`` are (anchor, title) of the chapters to come."""

    entries: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class Front:
    """The head of page one: title, what is done, and the fields of the case, each a label with its value."""

    title: str
    subtitle: str
    fields: tuple[tuple[Text, Text], ...]
    logo: bytes = b""
    bookmark: str = ""  # what the page is called among the bookmarks; its anchor is "summary"


@dataclass(frozen=True, slots=True)
class Signatures:
    """Lines to sign on, side by side, with what is written under them."""

    labels: tuple[str, ...]


Block: TypeAlias = (
    Heading
    | Prose
    | Bullets
    | Callout
    | Tiles
    | Facts
    | Table
    | Strip
    | Figure
    | Row
    | Together
    | OnePage
    | Contents
    | Front
    | Signatures
)
