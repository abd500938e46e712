"""What a decoder said of a picture that it could not read, in words for people.

What Python says of its own insides is none: no type, no argument, no literal.
"""

from __future__ import annotations

import re
import zlib

from gtloc_forensics.files import opening
from gtloc_forensics.records import visible

_IN_WORDS = (OSError, SyntaxError, ValueError, EOFError, RuntimeError, zlib.error)
"""Errors whose text is a decoder's own about the picture; the others speak of Python's objects."""

_PYTHONESE = re.compile(
    r"\bint\(\)|\bobject\b|\bNoneType\b|\blist\b|\btuple\b|\bbytes\b|argument|unpack|subscript|attribute"
    r"|not in list|range\(|\bliteral\b|<|\bself\b|__|\bhas no\b|codec"
)
_BYTES_LITERAL = re.compile(r"""\bb(['"])(.*?)\1""")


def words_of(error: BaseException) -> str:
    """Return the words of a decoder where it has some for people."""
    if isinstance(error, OSError) and error.errno is not None:
        return f"{opening.words(error)}, where it was read"
    words = str(error).strip()
    if isinstance(error, _IN_WORDS) and words and not _PYTHONESE.search(words):
        return plainly(words).removesuffix(".")
    return "the decoder found in it what no picture of this kind holds"


def plainly(words: str) -> str:
    """Return a decoder's words with the bytes it quotes as text, not as Python writes bytes."""
    return visible(_BYTES_LITERAL.sub(lambda found: f'"{found[2]}"', words))
