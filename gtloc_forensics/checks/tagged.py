"""Reading single tags of a claim: the first value of a name, as text, number or date.

Rules that look at one tag use these, so that an empty string, a lone space or a
number where text was meant is treated alike everywhere.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta

from gtloc_forensics.records import Claim, Photo, Tags

# 0000:00:00 00:00:00, blanks and zeros: what firmware writes for "not set".
_UNSET = re.compile(r"^[\s0:/.\-+TZ]*$")
_DATE = re.compile(
    r"^\s*(?P<year>\d{4})[:\-/.](?P<month>\d{1,2})[:\-/.](?P<day>\d{1,2})"
    r"(?:[ T]+(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.\d*)?)?"
    r"\s*(?P<zone>Z|[+\-]\d{1,2}:?\d{2})?)?\s*$"
)
_OFFSET = re.compile(r"^\s*(?P<sign>[+\-−])?(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?\s*$")


def claim_of(photo: Photo) -> Claim:
    """Return the claim of a photo whose metadata was read; rules say so with ``needs=("claim",)``.

    Raises:
        TypeError: when a rule is run on a photo it cannot judge.
    """
    if not isinstance(photo.claim, Claim):
        raise TypeError(f"the metadata of {photo.source.source_id} was not read")
    return photo.claim


def first(tags: Tags, *names: str) -> str | int | float | None:
    """Return the first value of the first of *names* that has one."""
    return next((tags[name][0] for name in names if tags.get(name)), None)


def text(tags: Tags, *names: str) -> str:
    """Return the first of *names* that holds visible text, else the empty string."""
    for name in names:
        for value in tags.get(name, ()):
            if stripped := str(value).strip(" \t\r\n\0"):
                return stripped
    return ""


def number(tags: Tags, *names: str) -> float | None:
    """Return the first of *names* that holds a finite number."""
    for name in names:
        for value in tags.get(name, ()):
            try:
                found = float(value)
            except ValueError:
                continue
            if math.isfinite(found):
                return found
    return None


def is_unset(written: str) -> bool:
    """Return whether *written* is what firmware writes for a date it does not know."""
    return _UNSET.match(written) is not None


def date(written: str) -> tuple[datetime, float | None] | None:
    """Return the wall clock and the UTC offset in hours (None when not written) of an EXIF, XMP or ISO date.

    None when it is not a date of the calendar. A date without a time is its midnight.
    """
    found = _DATE.match(written)
    if found is None:
        return None
    try:
        parts = [int(found[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")]
        wall = datetime(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5])
    except ValueError:
        return None
    return wall, offset(found["zone"]) if found["zone"] else None


def offset(written: str) -> float | None:
    """Return the hours of an offset as EXIF writes it (``+05:30``, ``Z``), None when it is none."""
    if written.strip().upper() == "Z":
        return 0.0
    found = _OFFSET.match(written)
    if found is None or found["sign"] is None:
        return None
    hours = int(found["hours"]) + int(found["minutes"] or 0) / 60.0
    return -hours if found["sign"] in "-−" else hours


# --------------------------------------------------------------------------- words for people


def spoken(seconds: float) -> str:
    """Return a length of time in the two largest units that matter, for example ``5 h 50 min``."""
    left = round(abs(seconds))
    if left >= 20 * 86_400:
        days = left / 86_400
        return f"{days:,.0f} days" if days < 730 else f"{days / 365.2425:.1f} years"
    units = ((86_400, "day" if left < 2 * 86_400 else "days"), (3_600, "h"), (60, "min"), (1, "s"))
    parts: list[str] = []
    for size, name in units:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def spoken_offset(hours: float) -> str:
    """Return an offset as people write it, for example ``UTC+05:30``."""
    minutes = round(abs(hours) * 60)
    return f"UTC{'−' if hours < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def spoken_offsets(offsets: tuple[float, ...]) -> str:
    """Return several offsets in words, ``UTC+06:00 or UTC+08:00``."""
    return " or ".join(spoken_offset(hours) for hours in offsets)


def gap_seconds(later: datetime, earlier: datetime) -> float:
    """Return ``later − earlier`` in seconds."""
    return (later - earlier) / timedelta(seconds=1)
