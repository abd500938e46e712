"""A model card as blocks: the little of Markdown that cards use.

Headings, paragraphs, lists, tables, bold and code; what a fenced block sets in columns
is a table; pictures are left out, links stay as they are written. The text is foreign
like any other and passes the same door.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeGuard

from gtloc_forensics.report.blocks import Block, Bullets, Column, Prose, Span, Table, Text, plain_of, text_of
from gtloc_forensics.report.text import LONGEST_SENTENCE, plain

_MARKS = re.compile(r"(\*\*|`)")
_PICTURE = re.compile(r"^!\[[^\]]*\]\([^)]*\)$")
_RULE = re.compile(r"^\|?[\s:|-]+\|?$")
_FENCE = re.compile(r"^[ \t]*```[^\n]*\n(.*?)^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)
_QUOTED = ("What was aimed for and what was reached", "Failures, in words", "What it must not be used for")
"""Headings of a card (docs/models.md) under which stands what a reader of a report has to know of the model."""
_LONGEST_TABLE = 16
_GAP = re.compile(r"\s{2,}")


def card_blocks(card: str) -> Iterator[Block]:
    """Yield the blocks of a card, in its order."""
    for index, part in enumerate(_FENCE.split(card)):  # every second part was fenced
        yield from _fenced(part) if index % 2 else _paragraphs(part)


def card_digest(card: str) -> Iterator[Block]:
    """Yield what of a card a report quotes: the lists and short tables under its headings :data:`_QUOTED`.

    What a model was aimed at and reached, where it fails and what it must not be used for take about half a page; the
    whole card is embedded in the PDF and stands beside the model. Of a card without these headings, its first table.
    """
    blocks = list(card_blocks(_FENCE.sub("", card)))
    headings = {plain_of(block.text) for block in blocks if _is_heading(block)}
    if headings.isdisjoint(_QUOTED):
        yield from [block for block in blocks if _is_short(block)][:1]
        return
    quoted = False
    for block in blocks:
        if _is_heading(block):
            quoted = plain_of(block.text) in _QUOTED
        if quoted and (_is_heading(block) or _is_short(block) or isinstance(block, Bullets)):
            yield block


def _is_heading(block: Block) -> TypeGuard[Prose]:
    return isinstance(block, Prose) and block.style == "body" and bool(block.text) and block.text[0].style == "bold"


def _is_short(block: Block) -> bool:
    return isinstance(block, Table) and len(list(block.rows)) <= _LONGEST_TABLE


def _fenced(text: str) -> Iterator[Block]:
    """Yield a table for each group of lines whose cells stand two spaces apart, other lines as they are."""
    for group in re.split(r"\n\s*\n", text.strip("\n")):
        lines = [line for line in group.splitlines() if line.strip()]
        title = lines.pop(0).strip() if len(lines) > 1 and not _GAP.search(lines[0].strip()) else ""
        rows = [_GAP.split(line.strip()) for line in lines]
        if rows and all(len(row) > 1 for row in rows):
            yield _grid([[title], *rows])
        else:
            told = filter(None, [title, *lines])
            yield from (Prose(text_of(plain(line, limit=LONGEST_SENTENCE), "mono"), "small") for line in told)


def _paragraphs(text: str) -> Iterator[Block]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in paragraph.splitlines() if not _PICTURE.match(line.strip())]
        while lines and lines[0].startswith("#"):
            yield Prose(text_of(plain(lines.pop(0).lstrip("# ")), "bold"))
        if not lines:
            continue
        if all(line.startswith("|") for line in lines) and not all(map(_RULE.match, lines)):
            yield _table(lines)
        elif lines[0].startswith(("* ", "- ")):
            yield Bullets(tuple(_inline(item) for item in _items(lines)), "cell")
        else:
            yield Prose(_inline(" ".join(lines)), "small")


def _items(lines: list[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        if line.startswith(("* ", "- ")):
            items.append(line[2:])
        else:
            items[-1] += f" {line}"
    return items


def _inline(text: str) -> Text:
    """Return a line with its bold and code pieces; an unpaired mark stays a character."""
    spans, style = [], ""
    pieces = _MARKS.split(text)
    for index, piece in enumerate(pieces):
        opening = {"**": "bold", "`": "mono"}.get(piece, "")
        if opening and (style == opening or (not style and piece in pieces[index + 1 :])):
            style = "" if style == opening else opening
        elif piece:
            spans.append(Span(plain(piece, limit=LONGEST_SENTENCE), style))
    return tuple(spans)


def _table(lines: list[str]) -> Table:
    return _grid([_cells(line) for line in lines if not _RULE.match(line)])


def _grid(rows: list[list[str]]) -> Table:
    """Return a table whose first row has the titles."""
    width = max(len(row) for row in rows)
    shares = _shares(rows, width)
    titles = [*rows[0], *[""] * (width - len(rows[0]))]
    columns = tuple(Column(plain(title.replace("**", "")), share) for title, share in zip(titles, shares, strict=True))
    body = [tuple(_inline(cell) for cell in (*row, *[""] * (width - len(row)))) for row in rows[1:]]
    return Table(columns, body, empty="", dense=True)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _shares(rows: list[list[str]], width: int) -> list[float]:
    """Give every column room after its longest cell, none less than a little, none all of it."""
    longest = [max((len(row[column]) for row in rows if column < len(row)), default=1) for column in range(width)]
    wanted = [min(max(length, 5), 52) for length in longest]
    return [name / sum(wanted) for name in wanted]
