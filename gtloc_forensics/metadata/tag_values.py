"""Single values out of tags: text, numbers, dates and offsets as cameras and editors really write them.

Nothing here raises on what a file holds: what is not a value of its kind is None, and the
caller says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gtloc_forensics.records import Tags

LONGEST_DATE = 64
LONGEST_SHOWN = 80
DAY_S = 86_400.0

# 0000:00:00 00:00:00, blanks and dashes: what firmware writes for "not set".
_UNSET = re.compile(r"[\s0:/.\-+TZ]*")
_DATE = r"(?P<year>[0-9]{4})(?P<mark>[:\-/.])[ ]?(?P<month>[0-9]{1,2})(?P=mark)[ ]?(?P<day>[0-9]{1,2})"
_TIME = r"[ ]?(?P<hour>[0-9]{1,2}):[ ]?(?P<minute>[0-9]{1,2})(?::[ ]?(?P<second>[0-9]{1,2})(?:[.,](?P<part>[0-9]+))?)?"
_ZONE = r"[ ]?(?P<zone>[Zz]|[+\-−][0-9]{1,2}:?[0-9]{2})?"
_MOMENT = re.compile(rf"{_DATE}(?:[ T]+{_TIME}{_ZONE})?")
_COMPACT = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
    r"(?:[ T]?(?P<hour>[0-9]{2}):?(?P<minute>[0-9]{2})"
    rf"(?::?(?P<second>[0-9]{{2}})(?:\.(?P<part>[0-9]+))?)?{_ZONE})?"
)
_OFFSET = re.compile(r"(?P<sign>[+\-−])(?P<hours>[0-9]{1,2}):?(?P<minutes>[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Moment:
    """A date as written: the wall clock, its offset when it is written too, and how fine it is."""

    wall: datetime
    offset_hours: float | None
    resolution_s: float


def texts(tags: Tags, *names: str) -> Iterator[tuple[str, str]]:
    """Yield ``(tag, text)`` for every value of *names* that holds visible text."""
    for name in names:
        for value in tags.get(name, ()):
            if written := stripped(value):
                yield name, written


def text(tags: Tags, *names: str) -> str:
    """Return the first visible text among *names*, else ``""``."""
    return next((written for _, written in texts(tags, *names)), "")


def stripped(value: object) -> str:
    """Return a value as text without the blanks and NULs that pad it."""
    return str(value).strip(" \t\r\n\0")


def shown(value: object) -> str:
    """Return a value as short text for a warning."""
    written = str(value)
    return written if len(written) <= LONGEST_SHOWN else f"{written[:LONGEST_SHOWN]}… ({len(written)} characters)"


def numbers(tags: Tags, *names: str) -> Iterator[tuple[str, float, str]]:
    """Yield ``(tag, number, raw)`` for every value of *names* that is a finite number."""
    for name in names:
        for value in tags.get(name, ()):
            if (found := number(value)) is not None:
                yield name, found, str(value)


def number(value: object) -> float | None:
    """Return a finite number, the first of several in one text; None when there is none."""
    if isinstance(value, int | float):
        found = float(value) if abs(value) < 1e300 else math.inf
    else:
        word = next(iter(str(value)[:LONGEST_DATE].split()), "")
        if not re.fullmatch(r"[+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?", word, re.ASCII):
            return None
        found = float(word)
    return found if math.isfinite(found) else None


def is_unset(written: str) -> bool:
    """Return whether *written* is what firmware writes for a date it does not know."""
    return _UNSET.fullmatch(written) is not None


def moment(written: str) -> Moment | None:
    """Return a date as EXIF, XMP, IPTC or ISO 8601 writes it; None when no calendar has it.

    Years 1 and 9999 are refused: they are the smallest and greatest date of some
    programs, and no offset can be taken from them.
    """
    if len(written) > LONGEST_DATE:
        return None
    found = _MOMENT.fullmatch(written.strip()) or _COMPACT.fullmatch(written.strip())
    if found is None:
        return None
    part = (found["part"] or "")[:6]
    values = [int(found[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")]
    try:
        wall = datetime(values[0], values[1], values[2], values[3], values[4], values[5], int(part.ljust(6, "0")))
    except ValueError:
        return None
    offset_hours = offset(found["zone"]) if found["zone"] else None
    if not 1 < wall.year < 9999 or (found["zone"] and offset_hours is None):
        return None
    return Moment(wall, offset_hours, _resolution(found["hour"], found["second"], part))


def _resolution(hour: str | None, second: str | None, part: str) -> float:
    if hour is None:
        return DAY_S
    return 60.0 if second is None else round(10.0 ** -len(part), 6)


def sub_seconds(value: object) -> tuple[int, float] | None:
    """Return (microseconds, resolution_s) of a SubSecTime field: the digits after the decimal point."""
    digits = stripped(value)
    if not re.fullmatch(r"[0-9]{1,20}", digits, re.ASCII):
        return None
    kept = digits[:6]
    return int(kept.ljust(6, "0")), round(10.0 ** -len(kept), 6)


def offset(written: str) -> float | None:
    """Return the hours of an offset such as ``+05:30`` or ``Z``; None when it is none."""
    if written.strip() in ("Z", "z"):
        return 0.0
    found = _OFFSET.fullmatch(written.strip())
    if found is None or int(found["hours"]) > 23 or int(found["minutes"]) > 59:
        return None
    hours = int(found["hours"]) + int(found["minutes"]) / 60.0
    return hours if found["sign"] == "+" else -hours


def spoken_offset(hours: float) -> str:
    """Return an offset as EXIF writes it, ``+05:30``."""
    minutes = round(abs(hours) * 60)
    return f"{'-' if hours < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
