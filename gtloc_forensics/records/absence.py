"""Why a value is not there, and text that hides nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, unique
from typing import Any, TypeAlias

Scalar: TypeAlias = str | int | float | bool | None


@unique
class Absent(Enum):
    """Why a value is not there. A zero or a ``None`` never stands in for it."""

    MISSING = "the tag is not in the file"
    UNREADABLE = "a part of the file that may hold it could not be read"
    UNPARSABLE = "the tag is there but is not a value of its kind"
    UNSET = "the tag is there but holds nothing: blanks or zeros"
    DEFAULT = "the value is the zero of a clock that was never set, not a time"
    ROLLED_OVER = "the receiver's count of weeks had started anew: its date is years early"
    ONLY_BOUNDS = "no capture time is written; the other dates of the file only bound it"
    COARSE = "only the month, the year or the decade is known"
    OUT_OF_RANGE = "the tag is there but its value lies beyond what there can be"
    NOT_APPLICABLE = "this kind of file cannot carry the tag"
    UNDERIVABLE = "what it would be derived from is absent"
    NO_FIX = "the receiver stored an empty position (0, 0) or a void fix"


def visible(text: str | bytes) -> str:
    r"""Return *text* with undecodable bytes, control and bidi characters written out.

    ``\\xNN`` for bytes that are not UTF-8, ``\\n``-like or ``\\uNNNN`` escapes for
    everything that could hide or reorder its neighbours; the backslash itself is
    left alone, so this is for reading, not for parsing back.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    if not _MAY_HIDE.search(text):
        return text
    return "".join(_visible_character(character) for character in text)


def may_hide(text: str) -> bool:
    """Whether :func:`visible` would write something of *text* out."""
    return _MAY_HIDE.search(text) is not None


def visible_throughout(value: Any) -> Any:
    """Return *value*, texts within lists and mappings made :func:`visible`: for what is written for others to read."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {visible_throughout(key): visible_throughout(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [visible_throughout(item) for item in value]
    return value


def _visible_character(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: one undecodable byte
        return f"\\x{code - 0xDC00:02x}"
    hidden = code < 0x20 or 0x7F <= code <= 0x9F or 0xD800 <= code <= 0xDFFF
    bidi = code in _BIDI_OR_INVISIBLE
    if hidden or bidi:
        return character.encode("unicode_escape", "surrogatepass").decode("ascii")
    return character


# Unicode TR9 directional formatting characters, zero-width characters, line and paragraph separators, BOM.
_BIDI_OR_INVISIBLE = frozenset(
    [1564, 8203, 8204, 8205, 8206, 8207, 8232, 8233, 8288, 65279, *list(range(8234, 8239)), *list(range(8294, 8298))]
)
_MAY_HIDE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]")
