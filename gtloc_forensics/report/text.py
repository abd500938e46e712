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


def sentence(value: str, *, limit: int = LONGEST_SENTENCE) -> str:
    """Return *value* as :func:`plain` does, beginning as a sentence does, unless it begins with a path."""
    text = plain(value, limit=limit)
    first = text.partition(" ")[0].rstrip(".:,;")
    if "/" in first or "." in first:
        return text
    return f"{text[:1].upper()}{text[1:]}" if text[:1].islower() and text[:1].upper() != text[:1] else text


def plain(value: object, *, limit: int = LONGEST_VALUE) -> str:
    """Return *value* as one visible line of at most about *limit* characters."""
    text = visible(value) if isinstance(value, bytes) else visible(str(value))
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… [{len(text)}]"
