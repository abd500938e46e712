"""The one door through which foreign text enters a report.

File names, tag values and error messages may hold anything: control characters,
characters that reverse their neighbours, markup, five thousand letters without a
space. :func:`plain` makes all of it visible and finite; renderers escape what it
returns for their own format and nothing else ever reaches a page.
"""

from __future__ import annotations

from gtloc_forensics.records import visible

LONGEST_VALUE = 300  # characters; a longer value says how long it is
LONGEST_SENTENCE = 2_000


def plain(value: object, *, limit: int = LONGEST_VALUE) -> str:
    """Return *value* as one visible line of at most about *limit* characters."""
    text = visible(value) if isinstance(value, bytes) else visible(str(value))
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… [{len(text)}]"


def shortened(text: str, *, most: int) -> str:
    """Return what *text* says in its first sentences, as many as have room; of one that is too long its first words."""
    if len(text) <= most:
        return text
    end = max(text.rfind(f"{mark} ", 0, most) for mark in (".", ":", ";"))
    if end > most // 3:
        return text[: end + 1] if text[end] == "." else f"{text[:end]} …"
    word_end = text.rfind(" ", 0, most)
    return f"{text[: word_end if word_end > 0 else most]} …"
