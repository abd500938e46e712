"""Text seen in a picture → the dates it may be: every reading of day, month and year that a calendar has.

Stamps of compact, trail and dash cameras are written for the country they were sold in: 03/04/05 has up to
three readings, and all are kept. Whoever compares a claim has to find that *no* reading fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time

LONGEST = 80
FIRST_YEAR, LAST_YEAR = 1970, 2069  # what two digits after the apostrophe of a stamp can mean

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan ene janv", "feb fev févr febr", "mar mär mrz mars", "apr abr avr", "may mai mag maj mei",
            "jun giu juin", "jul lug juil", "aug ago août aou", "sep set sept", "oct okt ott out", "nov",
            "dec dez dic déc",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_NUMBERS = re.compile(
    r"(?<![\d:.])(?P<before>'?)(?P<first>\d{4}|\d{1,2})(?P<between>\s*[-./:, ]\s*)(?P<second>\d{1,2})"
    r"(?P<again>\s*[-./:, ]\s*|(?='))(?P<mark>'?)"
    r"(?P<third>(?:19|20)\d{2}(?=\D|$|\d{2}:\d{2})|\d{2}(?=\D|$|\d{1,2}:\d{2})|\d(?!\d))"
)
_LETTERS = (
    re.compile(
        r"(?<!\d)(?P<day>\d{1,2})[-./ ]*(?P<month>[A-Za-zéûä]{3,9})[-./, ]*'?(?P<year>\d{4}|\d{2})(?=\D|$|\d{1,2}:)"
    ),
    re.compile(r"(?P<month>[A-Za-zéûä]{3,9})[-./ ]*(?P<day>\d{1,2})[-./, ]+'?(?P<year>\d{4}|\d{2})(?=\D|$|\d{1,2}:)"),
    re.compile(r"(?<!\d)'?(?P<year>\d{4}|\d{2})[-./ ]*(?P<month>[A-Za-zéûä]{3,9})[-./ ]*(?P<day>\d{1,2})(?!\d)"),
)
_COMPACT = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})(?!\d)")
_JAPANESE = re.compile(r"(?<!\d)(?P<year>\d{4})\s*年\s*(?P<month>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*日?")
_TIME = re.compile(
    r"(?P<hour>\d{1,2})\s*(?P<between>[:h])\s*(?P<minute>\d{2})(?:\s*:\s*(?P<second>\d{2}))?(?:\s*(?P<half>[AaPp])\.?\s*[Mm])?(?!\d)"
)
_MISREAD = str.maketrans({"O": "0", "o": "0", "D": "0", "Q": "0", "l": "1", "I": "1", "|": "1", "S": "5", "B": "8"})
_MISREAD_MONTH = re.compile(r"(?<![A-Za-z\d])(?:0ct|0kt|n0v)", re.IGNORECASE)
_MISREAD_NUMBER = re.compile(r"(?<![A-Za-z])(?=[OoDQlI|SB]*\d)[\dOoDQlI|SB]{1,4}(?![A-Za-z])")


@dataclass(frozen=True, slots=True)
class VisibleDate:
    """One date seen in a picture: the text, every day that it may be, and the time of day beside it if there is one."""

    text: str
    days: tuple[date, ...]
    at: time | None = None
    has_seconds: bool = False

    def moments(self) -> tuple[datetime, ...]:
        """Return every reading as a moment of the wall clock; midnight where no time is seen."""
        return tuple(datetime.combine(day, self.at or time()) for day in self.days)


def dates_in(lines: Iterable[str]) -> tuple[VisibleDate, ...]:
    """Return the dates in lines of seen text; a time on a line of its own goes with the one date that has none."""
    found: list[VisibleDate] = []
    loose: list[tuple[time, bool]] = []
    for line in lines:
        letters = _MISREAD_MONTH.sub(lambda word: word[0].replace("0", "o"), line[:LONGEST])
        text = _MISREAD_NUMBER.sub(lambda word: word[0].translate(_MISREAD), letters)
        seen = next(_dates(text), None)
        rest = text if seen is None else f"{text[: seen[0]]} {text[seen[1] :]}"
        at = _time(rest)
        if seen is not None:
            found.append(VisibleDate(line[:LONGEST], seen[2], *(at or ())))
        elif at is not None:
            loose.append(at)
    if len(found) == 1 and found[0].at is None and len(loose) == 1:
        return (VisibleDate(found[0].text, found[0].days, *loose[0]),)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class VisibleClock:
    """A time of day seen in a picture without a date: the text, and every time of day that it may be."""

    text: str
    times: tuple[time, ...]


def clocks_in(lines: Iterable[str]) -> tuple[VisibleClock, ...]:
    """Return the lines of seen text that are a time of day and nothing else, each time once.

    A display of twelve hours does not say which half of the day it is, and a leading zero says nothing of it either.
    """
    found: dict[tuple[time, ...], VisibleClock] = {}
    for line in lines:
        match = _TIME.fullmatch(line[:LONGEST].strip())
        read = _time(line[:LONGEST]) if match is not None and match["between"] == ":" else None
        if match is not None and read is not None:
            at = read[0]
            halves = (at, at.replace(hour=(at.hour + 12) % 24)) if at.hour <= 12 and not match["half"] else (at,)
            found.setdefault(halves, VisibleClock(line[:LONGEST].strip(), halves))
    return tuple(found.values())


def _dates(text: str) -> Iterator[tuple[int, int, tuple[date, ...]]]:
    """Yield where a date begins and ends in *text* with its readings, the plainest notation first."""
    for pattern in (_JAPANESE, _COMPACT):
        for found in pattern.finditer(text):
            if days := _days([(found["year"], found["month"], found["day"])]):
                yield found.start(), found.end(), days
    for pattern in _LETTERS:
        for found in pattern.finditer(text):
            month = _month(found["month"])
            if month and (days := _days([(found["year"], str(month), found["day"])])):
                yield found.start(), found.end(), days
    for found in _NUMBERS.finditer(text):
        if days := _days(_orders(found)):
            yield found.start(), found.end(), days


def _orders(found: re.Match[str]) -> list[tuple[str, str, str]]:
    """Return (year, month, day) in every order in which three numbers can stand; an apostrophe marks the year."""
    first, second, third = found["first"], found["second"], found["third"]
    between, again = found["between"].strip(), found["again"].strip()
    if between != again or (between == ":" and len(first) != 4):
        return []  # a date and a time, or a time alone
    year_first, year_last = [(first, second, third)], [(third, second, first), (third, first, second)]
    if len(first) == 4 or found["before"]:
        return year_first
    if len(third) == 4 or found["mark"]:
        return year_last
    return [*(year_last if len(third) == 2 else ()), *(year_first if len(first) == 2 else ())]


def _days(readings: Iterable[tuple[str, str, str]]) -> tuple[date, ...]:
    found: dict[date, None] = {}
    for year, month, day in readings:
        full = int(year) if len(year) == 4 else 1900 + int(year) + (100 if int(year) < FIRST_YEAR - 1900 else 0)
        try:
            made = date(full, int(month), int(day))
        except ValueError:
            continue
        if FIRST_YEAR <= made.year <= LAST_YEAR:
            found[made] = None
    return tuple(found)


def _month(word: str) -> int:
    plain = word.lower()
    return next((_MONTHS[plain[:length]] for length in (5, 4, 3) if plain[:length] in _MONTHS), 0)


def _time(text: str) -> tuple[time, bool] | None:
    for found in _TIME.finditer(text):
        hour, half = int(found["hour"]), (found["half"] or "").lower()
        if half and not 1 <= hour <= 12:
            continue
        hour = hour % 12 + (12 if half == "p" else 0) if half else hour
        try:
            return time(hour, int(found["minute"]), int(found["second"] or 0)), found["second"] is not None
        except ValueError:
            continue
    return None
