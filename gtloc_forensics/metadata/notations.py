"""How the world writes digits, halves of the day, years and zones, brought to the notation of EXIF.

Only what can be read in one way is read. A name that several zones share, a year that two calendars
could mean, is left as it stands, and whoever asked is told that it could not be read.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta

_MORNING = (
    "am", "a.m.", "a. m.", "a.m", "上午", "凌晨", "清晨", "早上", "午前", "오전", "ص", "ق.ظ.", "ق.ظ", "قبل از ظهر",
    "π.μ.", "πμ", "पूर्वाह्न", "sa", "öö", "לפנה״צ", "לפנה\"צ", "ก่อนเที่ยง", "de.", "ap.", "fm", "дп",
)  # fmt: skip
_AFTERNOON = (
    "pm", "p.m.", "p. m.", "p.m", "下午", "中午", "傍晚", "晚上", "午後", "오후", "م", "ب.ظ.", "ب.ظ", "بعد از ظهر",
    "μ.μ.", "μμ", "अपराह्न", "ch", "ös", "אחה״צ", "אחה\"צ", "หลังเที่ยง", "du.", "ip.", "em", "пп",
)  # fmt: skip
"""Halves of the day as the locales of telephones write them (Unicode CLDR, "dayPeriods")."""

_HALF_OF = dict.fromkeys(_MORNING, "AM") | dict.fromkeys(_AFTERNOON, "PM")
_LETTER = r"[^\W\d_]"
_ASCII_LETTER = re.compile("[A-Za-z]")  # every half of the day that is written in ASCII alone holds one
_HALVES = re.compile(
    rf"(?<!{_LETTER})(?:{'|'.join(re.escape(word) for word in sorted(_HALF_OF, key=len, reverse=True))})(?!{_LETTER})",
    re.IGNORECASE,
)
_DATE_SIGNS = str.maketrans(
    dict.fromkeys("年月년월時时시分분", ":") | dict.fromkeys("日일", " ") | dict.fromkeys("秒초") | {"−": "-", "–": "-"}
)
_INVISIBLE = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u200b")

BUDDHIST_YEARS = range(2443, 2644)
"""Years 1900 to 2100 as Thailand counts them: 543 more."""

PERSIAN_YEARS = range(1300, 1411)
"""Years 1921 to 2031 of the Solar Hijri calendar."""

UNCLEAR_YEARS = range(1411, 1471)
"""Years to come of the Solar Hijri calendar and of our own time in the lunar one, whose days states set apart."""

_PERSIAN_NEW_YEAR = date(2021, 3, 21)  # 1 Farvardin 1400
_PERSIAN_EPOCH_YEAR = 1400

ZONE_NAMES = {
    "Z": 0.0, "UT": 0.0, "UTC": 0.0, "GMT": 0.0, "WET": 0.0, "WEST": 1.0, "CET": 1.0, "MEZ": 1.0, "CEST": 2.0,
    "MESZ": 2.0, "EET": 2.0, "EEST": 3.0, "CAT": 2.0, "SAST": 2.0, "EAT": 3.0, "PKT": 5.0, "NPT": 5.75,
    "WIB": 7.0, "WITA": 8.0, "WIT": 9.0, "HKT": 8.0, "JST": 9.0, "KST": 9.0, "AEST": 10.0, "AEDT": 11.0,
    "NZST": 12.0, "NZDT": 13.0, "HST": -10.0, "AKST": -9.0, "AKDT": -8.0, "PDT": -7.0, "MDT": -6.0,
}  # fmt: skip
"""Names that only one zone bears. CST, EST, IST, BST, PST and their like are shared by several and not read.

MSK is not either: it was four hours from 2011 to 2014.
"""


def plain_signs(written: str) -> str:
    """Return a text with Latin digits and signs: other digits, full-width forms, invisible marks, 年月日."""
    if written.isascii():
        return written  # as nearly every text is: there is nothing to bring to another form
    kept = unicodedata.normalize("NFKC", "".join(sign for sign in written if sign not in _INVISIBLE))
    latin = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in kept)
    return " ".join(latin.translate(_DATE_SIGNS).replace("\u00a0", " ").split(" "))


def plain_halves(written: str) -> str:
    """Return a text in which the half of the day, in any of the languages known, is ``AM`` or ``PM``."""
    if written.isascii() and not _ASCII_LETTER.search(written):
        return written
    return _HALVES.sub(lambda found: _HALF_OF.get(found[0].lower(), found[0]), written)


def hour_of_day(hour: int, half: str) -> int | None:
    """Return the hour counted through to 24 of one in a half of the day; None where the two deny each other."""
    if half == "AM":
        return hour % 12 if hour <= 12 else None
    return hour % 12 + 12 if hour <= 23 else None


def from_persian(year: int, month: int, day: int) -> date | None:
    """Return the Gregorian day of one in the Solar Hijri calendar; None when that calendar has it not.

    Leap years by the 33-year cycle, which is that of the calendar's law from 1178 to 1633.
    """
    lengths = (31,) * 6 + (30,) * 5 + (30 if _is_persian_leap(year) else 29,)
    if not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1]:
        return None
    first, last = sorted((year, _PERSIAN_EPOCH_YEAR))
    days = sum(366 if _is_persian_leap(between) else 365 for between in range(first, last))
    new_year = _PERSIAN_NEW_YEAR + timedelta(days=days if year >= _PERSIAN_EPOCH_YEAR else -days)
    return new_year + timedelta(days=sum(lengths[: month - 1]) + day - 1)


def _is_persian_leap(year: int) -> bool:
    return (25 * year + 11) % 33 < 8
