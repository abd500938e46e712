"""Which font sets which character.

A text is cut into runs, each in a font that has all its characters; a character
that no shipped font has is written as its code point, so that no reader meets an
empty box. Fonts are data (``reports/templates/fonts``), opened only when a text
needs them, and embedded in part.
"""

from __future__ import annotations

import re
import struct
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from gtloc_forensics.report.pdf.righttoleft import visual

# What Noto Sans and DejaVu Sans Mono both have; tested against the files.
_EASY = re.compile(r"[\x20-\x7e\u00a0-\u017f–—‘’“”„…×±°·•§]*\Z")


@dataclass(frozen=True, slots=True)
class Fallback:
    """A font of the chain and the characters it is opened for."""

    file: str
    ranges: tuple[tuple[int, int], ...]

    def may_have(self, code: int) -> bool:
        """Whether it is worth opening for *code*."""
        return any(first <= code <= last for first, last in self.ranges)


@dataclass(frozen=True, slots=True)
class Chain:
    """The fonts of each style and those that step in."""

    text: str
    bold: str
    italic: str
    mono: str
    fallback: tuple[Fallback, ...]

    def first(self, style: str) -> str:
        """Return the font file that is tried first."""
        return {"bold": self.bold, "italic": self.italic, "mono": self.mono, "hash": self.mono}.get(style, self.text)


def font_folder() -> Traversable:
    """Return the folder of the shipped fonts."""
    return files("gtloc_forensics.templates").joinpath("fonts")


@cache
def chain() -> Chain:
    """Read ``fonts.toml``."""
    table = tomllib.loads(font_folder().joinpath("fonts.toml").read_text(encoding="utf-8"))
    fallback = tuple(Fallback(entry["file"], tuple(map(_range, entry["ranges"]))) for entry in table["fallback"])
    return Chain(table["text"], table["bold"], table["italic"], table["mono"], fallback)


def _range(text: str) -> tuple[int, int]:
    first, last = text.split("-")
    return int(first, 16), int(last, 16)


@cache
def opened(file: str) -> TTFont:
    """Open and register a font file; its name is the file's without ``.ttf``."""
    font = TTFont(file.removesuffix(".ttf"), font_folder().joinpath(file).open("rb"))
    _mend_advances(font)
    pdfmetrics.registerFont(font)
    return font


def _mend_advances(font: TTFont) -> None:
    """Give the letters that share the last advance of the file that advance.

    reportlab 5.1 keeps it for them in thousandths of the letter's height instead of the font's own units, so that what
    it embeds is as wide as the page says only where the two are the same; PDF/A forbids the others (6.2.11.5).
    """
    face = font.face
    (count,) = struct.unpack(">H", face.get_table("hhea")[-2:])
    advance = face.hmetrics[count - 1][0]
    face.hmetrics[count:] = [(advance, bearing) for _, bearing in face.hmetrics[count:]]


def font_name(style: str = "") -> str:
    """Return the registered name of the first font of *style*."""
    return str(opened(chain().first(style)).fontName)


@lru_cache(maxsize=20_000)
def _font_for(code: int, style: str) -> str | None:
    first = chain().first(style)
    candidates = [first, chain().text, *(item.file for item in chain().fallback if item.may_have(code))]
    for file in candidates:
        if opened(file).face.charToGlyph.get(code, 0):
            return str(opened(file).fontName)
    return None


@cache
def _sets_space(name: str) -> bool:
    """Whether a registered font has a space of its own: fonts of one script may not."""
    return bool(pdfmetrics.getFont(name).face.charToGlyph.get(0x20))


def runs(text: str, style: str = "") -> list[tuple[str, str]]:
    """Cut *text* into (font name, characters); what no font has becomes ``[U+1F600]``."""
    if _EASY.match(text):
        return [(font_name(style), text)] if text else []
    found: list[tuple[str, str]] = []
    for character in visual(text):
        name = _font_for(ord(character), style)
        piece = character if name else f"[U+{ord(character):04X}]"
        name = name or font_name(style)
        if found and (found[-1][0] == name or (character == " " and _sets_space(found[-1][0]))):
            found[-1] = (found[-1][0], found[-1][1] + piece)
        else:
            found.append((name, piece))
    return found


def width_of(text: str, style: str, size: float) -> float:
    """Return how wide *text* is set, in points."""
    return sum(float(pdfmetrics.stringWidth(piece, name, size)) for name, piece in runs(text, style))
