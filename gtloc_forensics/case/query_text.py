"""What a person types to search a case, as values: places by degrees or name, hours, dates, months."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gtloc_forensics.earth.gazetteer import NamedPlace
    from gtloc_forensics.records import Position

_LONGEST_NAME = 120
LANGUAGES = ("en", "de")
"""In which names of countries are understood, as words are."""
_OUTWEIGHS_A_COUNTRY = 300_000
"""Inhabitants of a town that is meant though a country bears its name: of Singapore, not of Luxembourg."""


def place(text: str) -> Position:
    """Return the position that ``LAT,LON`` says.

    Raises:
        ValueError: when it says none.
    """
    from gtloc_forensics.records import Position

    latitude, longitude = text.split(",")
    return Position(float(latitude), float(longitude))


def place_or_town(text: str) -> Position:
    """Return the position that ``LAT,LON`` or the name of a town says; who asks tells how the name was read.

    Raises:
        ValueError: when it says none.
    """
    return named(text)[0].position if is_name(text) else place(text)


def town(text: str) -> NamedPlace | None:
    """Return the most inhabited town of the name that *text* is; None where it is none, as with ``LAT,LON``."""
    try:
        return named(text)[0] if is_name(text) else None
    except ValueError:
        return None


def is_name(text: str) -> bool:
    """Say whether a place is written as a name; ``nan,nan`` and ``1e1,2`` are numbers, whatever towns there are."""
    try:
        list(map(float, text.split(",")))
    except ValueError:
        return any(character.isalpha() for character in text)
    return False


def named(text: str) -> tuple[NamedPlace, ...]:
    """Return the towns of that name, the most inhabited first; what follows a comma narrows (``Bergen, DE``).

    Raises:
        ValueError: there is none, or it is the name of a country, which is no point.
    """
    from gtloc_forensics.earth import countries, gazetteer

    found = gazetteer.find(text, LANGUAGES) if len(text) <= _LONGEST_NAME else ()
    is_country = len(text.strip()) > 3 and countries.code_of(text, LANGUAGES) is not None
    if not found or (is_country and found[0].population < _OUTWEIGHS_A_COUNTRY):
        raise ValueError(text)
    return found


def hour(text: str) -> float:
    """Return hours from ``22`` or ``22:30``.

    Raises:
        ValueError: beyond 24.
    """
    hours, _, minutes = text.partition(":")
    value = int(hours) + (int(minutes) / 60 if minutes else 0.0)
    if not (0 <= value <= 24 and 0 <= int(minutes or 0) < 60):
        raise ValueError(text)
    return value


def hours(text: str) -> tuple[float, float]:
    """Return a span of hours from ``22-4``."""
    first, last = text.split("-")
    return hour(first), hour(last)


def dates(text: str) -> tuple[date, date]:
    """Return a span of dates from ``2024-01-01..2024-03-31``, or of one date.

    Raises:
        ValueError: when it ends before it begins.
    """
    first, _, last = text.partition("..")
    begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
    if end < begin:
        raise ValueError(text)
    return begin, end


def months(text: str) -> tuple[int, int]:
    """Return a span of months from ``6-8``, or of one month.

    Raises:
        ValueError: when one is not 1–12.
    """
    first, _, last = text.partition("-")
    span = int(first), int(last or first)
    if not all(1 <= month <= 12 for month in span):
        raise ValueError(text)
    return span
