"""Words of the calendar and the clock, English and German, as spans of the year and of the day.

"Christmas evening" is a stretch of the year and one of the day, of no year: a picture shows none. Feasts that move
stand for all days they can fall on. Seasons are those of the place that is asked for, else of the northern half.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from gtloc_forensics.records import Sentence

YearSpan = tuple[float, float]
"""Turns of the year, from the first to the second, over the new year where the second is less."""

DaySpan = tuple[float, float]
"""Hours, likewise over midnight."""

_MONTHS = (
    ("january", "januar", "jan"), ("february", "februar", "feb"), ("march", "märz", "maerz"), ("april", "apr"),
    ("may", "mai"), ("june", "juni"), ("july", "juli"), ("august", "aug"), ("september", "sept"),
    ("october", "oktober", "oct", "okt"), ("november", "nov"), ("december", "dezember", "dec", "dez"),
)  # fmt: skip

_SEASONS: Mapping[str, tuple[int, int]] = {  # of the northern half: first and last month
    "spring": (3, 5), "springtime": (3, 5), "frühling": (3, 5), "frühjahr": (3, 5),
    "summer": (6, 8), "summertime": (6, 8), "sommer": (6, 8),
    "autumn": (9, 11), "fall": (9, 11), "herbst": (9, 11),
    "winter": (12, 2), "wintertime": (12, 2),
}  # fmt: skip

_FEASTS: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = {  # first and last day, both included
    "christmas eve": ((12, 24), (12, 24)), "heiligabend": ((12, 24), (12, 24)), "heiliger abend": ((12, 24), (12, 24)),
    "christmas": ((12, 24), (12, 26)), "xmas": ((12, 24), (12, 26)), "weihnachten": ((12, 24), (12, 26)),
    "christmas day": ((12, 25), (12, 25)), "boxing day": ((12, 26), (12, 26)),
    "advent": ((11, 27), (12, 24)), "nikolaus": ((12, 6), (12, 6)),
    "new year's eve": ((12, 31), (12, 31)), "new years eve": ((12, 31), (12, 31)), "silvester": ((12, 31), (12, 31)),
    "new year": ((1, 1), (1, 1)), "new year's day": ((1, 1), (1, 1)), "neujahr": ((1, 1), (1, 1)),
    "valentine's day": ((2, 14), (2, 14)), "valentinstag": ((2, 14), (2, 14)),
    "easter": ((3, 22), (4, 25)), "ostern": ((3, 22), (4, 25)),
    "pentecost": ((5, 10), (6, 13)), "pfingsten": ((5, 10), (6, 13)),
    "midsummer": ((6, 20), (6, 26)), "mittsommer": ((6, 20), (6, 26)),
    "independence day": ((7, 4), (7, 4)), "halloween": ((10, 31), (10, 31)),
    "thanksgiving": ((11, 22), (11, 28)), "mardi gras": ((2, 3), (3, 9)), "karneval": ((2, 3), (3, 9)),
    "fasching": ((2, 3), (3, 9)),
}  # fmt: skip

_HOURS: Mapping[str, DaySpan] = {
    "early morning": (5, 8), "morning": (6, 10), "morgen": (6, 10), "morgens": (6, 10), "früh": (5, 9),
    "forenoon": (9, 12), "vormittag": (9, 12), "vormittags": (9, 12),
    "noon": (11, 14), "midday": (11, 14), "mittag": (11, 14), "mittags": (11, 14),
    "afternoon": (13, 18), "nachmittag": (13, 18), "nachmittags": (13, 18),
    "evening": (18, 22), "abend": (18, 22), "abends": (18, 22),
    "midnight": (23, 1), "mitternacht": (23, 1),
}  # fmt: skip

_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})(?:h|uhr)?")
_HOUR = re.compile(r"(\d{1,2})(?: ?uhr|h| ?am| ?pm)")
_YEAR = re.compile(r"(1[89]|20)\d\d")
_DAY_OF = re.compile(r"(\d{1,2})(?:\.|st|nd|rd|th)?")


@dataclass(frozen=True, slots=True)
class When:
    """Part of a time: of the year, of the day, or both.

    Attributes:
        year, hours: the spans; None where nothing is said.
        is_season: the span is that of the northern half and belongs to the other half of the year in the southern.
        note: what the reader of the answer must know.
    """

    year: YearSpan | None = None
    hours: DaySpan | None = None
    is_season: bool = False
    note: str = ""


def reading(words: Sequence[str]) -> When | None:
    """Return what *words*, one to three of them, say of the calendar or the clock; None when it is something else.

    Raises:
        ValueError: it has the form of a date or a time of day and is none.
    """
    text = " ".join(words).casefold().replace("\u2019", "'")
    if (single := text.removesuffix("s")) in _SEASONS or single in _HOURS:  # "mornings", "abends"
        text = single
    if text in _FEASTS:
        first, last = _FEASTS[text]
        return When(year=_days(first, last))
    if text in _SEASONS:
        low, high = _SEASONS[text]
        return When(year=_days((low, 1), (high, 31)), is_season=True)
    if (month := _month(text)) is not None:
        return When(year=_days((month, 1), (month, _LAST_DAY[month - 1])))
    if text in _HOURS:
        return When(hours=_HOURS[text])
    return _figures(text) or (_day_of_month(words) if len(words) == 2 else None)


def parts(word: str) -> tuple[str, ...]:
    """Return the two words of a German compound of a time of year and a time of day, else the word: "Winternacht"."""
    text = word.casefold()
    for part in (*_HOURS, *_SEEN_HOURS):
        begin = text.removesuffix(part)
        if begin == text:
            continue
        stem = begin.removesuffix("s")
        first = next((known for known in (begin, stem, f"{stem}en", f"{stem}n") if _is_of_the_year(known)), "")
        if first:
            return first.capitalize(), part
    return (word,)


_SEEN_HOURS = ("nacht", "dämmerung")
"""Times of day that pictures show and heads are learned for; no hours stand for them in every season."""


def _is_of_the_year(text: str) -> bool:
    return text in _SEASONS or text in _FEASTS or _month(text) is not None


def year_alone(text: str) -> bool:
    """Say whether *text* is a year."""
    return _YEAR.fullmatch(text) is not None


def _figures(text: str) -> When | None:
    if found := _DATE.fullmatch(text):
        year, month, day = map(int, found.groups())
        date(year, month, day)
        return When(year=_days((month, day), (month, day)), note=f"the year {year} cannot be seen and is not compared")
    if found := _CLOCK.fullmatch(text):
        hour, minute = map(int, found.groups())
        if hour > 23 or minute > 59:
            raise ValueError(Sentence("{text} is no time of day", text=text))
        middle = hour + minute / 60
        return When(hours=((middle - 0.5) % 24, (middle + 0.5) % 24))
    if found := _HOUR.fullmatch(text):
        hour = int(found[1])
        if text.endswith(("am", "pm")):
            if not 1 <= hour <= 12:
                raise ValueError(Sentence("{text} is no time of day", text=text))
            hour = hour % 12 + 12 * text.endswith("pm")
        if hour > 24:
            raise ValueError(Sentence("{text} is no time of day", text=text))
        return When(hours=((hour - 0.5) % 24, (hour + 0.5) % 24))
    return None


def _day_of_month(words: Sequence[str]) -> When | None:
    for number, name in (words, words[::-1]):
        month, found = _month(name.casefold()), _DAY_OF.fullmatch(number.casefold())
        if month is not None and found:
            day = int(found[1])
            date(2024, month, day)
            return When(year=_days((month, day), (month, day)))
    return None


def _month(text: str) -> int | None:
    return next((number for number, names in enumerate(_MONTHS, 1) if text in names), None)


_LAST_DAY = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _days(first: tuple[int, int], last: tuple[int, int]) -> YearSpan:
    """Return the turns from the beginning of a day to the end of another, in a year of 365 days."""
    begin, end = (
        (date(2023, month, min(day, _LAST_DAY[month - 1])) - date(2023, 1, 1)).days for month, day in (first, last)
    )
    return begin / 365, ((end + 1) % 365) / 365
