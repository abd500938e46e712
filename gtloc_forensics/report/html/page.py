"""A case as one page of HTML: what the PDF says, readable offline and without scripts.

Every foreign string passes :func:`html.escape`; the page's own policy forbids
scripts, frames and any address but data inside the file.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from functools import singledispatch
from html import escape
from itertools import chain, repeat
from pathlib import Path

from gtloc_forensics.files.writing import replaced
from gtloc_forensics.records import CaseView, Status
from gtloc_forensics.report import blocks
from gtloc_forensics.report.blocks import Block, Cell, Span, Text, plain_of
from gtloc_forensics.report.chapters.chapters import chapters
from gtloc_forensics.report.chapters.edition import Edition, edition_of
from gtloc_forensics.report.chapters.survey import Progress
from gtloc_forensics.report.html.svg import land_symbol, svg
from gtloc_forensics.report.text import plain

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_HEADING = re.compile(r"<(/?)h([2-6])\b")  # ours alone: what comes from a case is escaped
_TAGS = {"bold": "b", "italic": "i", "mono": "code", "hash": "code", "quiet": "small"}


def write_html(
    view: CaseView,
    path: Path,
    *,
    report_date: date | datetime,
    template: str = "default",
    language: str = "en",
    only: frozenset[Status] | None = None,
    photo: str = "",
    reviewed: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write the report of a case as a self-contained page of HTML; arguments as for the PDF.

    Raises:
        UsageError: when template or language do not exist.
    """
    edition = edition_of(
        view,
        template=template,
        language=language,
        report_date=report_date,
        only=only,
        photo=photo,
        reviewed=reviewed,
        progress=progress,
    )
    with replaced(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as out:
        for number, piece in enumerate(page(edition), start=1):
            out.write(piece)
            if progress:
                progress("pages", number, None)


def page(edition: Edition) -> Iterator[str]:
    """Yield the page piece by piece."""
    words = edition.words
    title = escape(" · ".join(part for part in (words.line("cover.title"), plain(edition.header.case_number)) if part))
    yield f'<!doctype html>\n<html lang="{escape(words.language)}">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{title}</title>\n<style>\n{edition.template.style}</style>\n</head>\n"
    yield f"<body>\n{land_symbol()}\n<main>\n"
    yield from without_gaps(written(chapters(edition)))
    yield f"</main>\n<footer>{escape(words.line('footer.left', **edition.furniture))}</footer>\n</body>\n</html>\n"


def without_gaps(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the page with headings that leave no level out, as software that reads it aloud asks."""
    level = 1

    def told(tag: re.Match[str]) -> str:
        nonlocal level
        if not tag[1]:
            level = min(int(tag[2]), level + 1)
        return f"<{tag[1]}h{level}"

    for piece in pieces:
        yield _HEADING.sub(told, piece)


def written(items: Iterable[Block]) -> Iterator[str]:
    """Yield the markup of blocks, one after the other."""
    for item in items:
        yield from _write(item)


def inline(text: Text) -> str:
    """Return the markup of a text; the only place where spans become HTML."""
    return "".join(_span(span) for span in text)


def _span(span: Span) -> str:
    tag = _TAGS.get(span.style, "")
    body = f"<{tag}>{escape(span.text)}</{tag}>" if tag else escape(span.text)
    return f'<a href="#{escape(span.target)}">{body}</a>' if span.target else body


@singledispatch
def _write(item: Block) -> Iterator[str]:
    raise TypeError(f"no way to write {type(item).__name__}")


@_write.register
def _heading(item: blocks.Heading) -> Iterator[str]:
    level = item.level + 1
    yield f'<h{level} id="{escape(item.anchor)}">{inline(item.text)}</h{level}>\n'


@_write.register
def _prose(item: blocks.Prose) -> Iterator[str]:
    yield f'<p class="{item.style}">{inline(item.text)}</p>\n'


@_write.register
def _bullets(item: blocks.Bullets) -> Iterator[str]:
    yield f"<ul>{''.join(f'<li>{inline(text)}</li>' for text in item.items)}</ul>\n"


@_write.register
def _callout(item: blocks.Callout) -> Iterator[str]:
    yield f'<p class="callout {item.tone}">{inline(item.text)}</p>\n'


@_write.register
def _tiles(item: blocks.Tiles) -> Iterator[str]:
    boxes = (f'<div class="{tile.tone}"><b>{escape(tile.number)}</b>{escape(tile.label)}</div>' for tile in item.items)
    yield f'<div class="tiles">{"".join(boxes)}</div>\n'


@_write.register
def _facts(item: blocks.Facts) -> Iterator[str]:
    rows = (f'<tr><th scope="row">{inline(label)}</th><td>{inline(value)}</td></tr>' for label, value in item.rows)
    yield f'<table class="facts"><tbody>{"".join(rows)}</tbody></table>\n'


@_write.register
def _table(item: blocks.Table) -> Iterator[str]:
    opened = False
    titles = [escape(column.title) for column in item.columns]
    for texts, anchor in zip(item.rows, chain(item.anchors, repeat("")), strict=False):
        if not opened:
            head = "".join(
                f'<th scope="col" style="width:{column.share:.0%}">{title}</th>'
                if title
                else f'<td style="width:{column.share:.0%}"></td>'
                for column, title in zip(item.columns, titles, strict=True)
            )
            # A dense table scrolls on a narrow screen: it must be reached by the keyboard.
            kind = 'class="dense" tabindex="0"' if item.dense else 'class="grid"'
            yield f"<table {kind}><thead><tr>{head}</tr></thead><tbody>\n"
            opened = True
        name = f' id="{escape(anchor)}"' if anchor else ""
        cells = (_titled(content, title) for content, title in zip(texts, titles, strict=False))
        yield f"<tr{name}>{''.join(cells)}</tr>\n"
    yield "</tbody></table>\n" if opened else f'<p class="small">{escape(item.empty)}</p>\n'


def _titled(content: Cell, title: str) -> str:
    """Return a cell that knows its title, for narrow screens on which a row is a card."""
    shown = _cell(content)
    return f'<td data-title="{title}">{shown}</td>' if shown else "<td></td>"


@_write.register
def _figure(item: blocks.Figure) -> Iterator[str]:
    drawn = _img(item.content) if isinstance(item.content, blocks.Picture) else svg(item.content)
    caption = f"<figcaption>{inline(item.caption)}</figcaption>" if item.caption else ""
    yield f"<figure>{drawn}{caption}</figure>\n"


def _img(picture: blocks.Picture) -> str:
    data = base64.b64encode(picture.jpeg).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{data}" alt="{escape(picture.alt)}">'


def _cell(content: Cell) -> str:
    return _img(content) if isinstance(content, blocks.Picture) else inline(content)


@_write.register
def _row(item: blocks.Row) -> Iterator[str]:
    yield '<div class="row">'
    for cell, share in zip(item.cells, item.shares, strict=True):
        yield f'<div style="flex:{share:.2f}">{"".join(written(cell))}</div>'
    yield "</div>\n"


@_write.register
def _together(item: blocks.Together) -> Iterator[str]:
    yield from written(item.items)


@_write.register
def _one_page(item: blocks.OnePage) -> Iterator[str]:
    yield from written(item.items)


@_write.register
def _contents(item: blocks.Contents) -> Iterator[str]:
    lines = (f'<li><a href="#{escape(anchor)}">{escape(plain_of(title))}</a></li>' for anchor, title in item.entries)
    yield f"<nav><ol>{''.join(lines)}</ol></nav>\n"


@_write.register
def _strip(item: blocks.Strip) -> Iterator[str]:
    yield '<div class="strip">'
    for thumb in item.items:
        picture = _img(thumb.picture) if thumb.picture else '<span class="empty"></span>'
        label = inline(thumb.label + thumb.note)
        yield f'<figure class="{thumb.tone}">{picture}<figcaption>{label}</figcaption></figure>'
    yield "</div>\n"


@_write.register
def _front(item: blocks.Front) -> Iterator[str]:
    if item.logo:
        kind = "png" if item.logo.startswith(b"\x89PNG") else "jpeg"
        yield f'<img class="logo" alt="" src="data:image/{kind};base64,{base64.b64encode(item.logo).decode("ascii")}">'
    yield f'<header id="summary"><h1>{escape(item.title)}</h1><p class="lead">{escape(item.subtitle)}</p></header>\n'
    yield from written((blocks.Facts(item.fields),))


@_write.register
def _signatures(item: blocks.Signatures) -> Iterator[str]:
    yield f'<div class="signatures">{"".join(f"<p>{escape(label)}</p>" for label in item.labels)}</div>\n'
