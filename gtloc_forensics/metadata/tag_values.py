"""Single values out of tags: text, numbers, dates and offsets as cameras, telephones and editors really write them.

The only reader of Exif values: claims, rules and corrections all ask here, so that a date is the same date to each.
Nothing raises on what a file holds: what is not a value of its kind is None, and the caller says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_tz
from enum import Enum, unique
from functools import lru_cache

from gtloc_forensics.metadata import notations
from gtloc_forensics.records import Tags

LONGEST_DATE = 64
LONGEST_SHOWN = 80
HOUR_S = 3_600.0
DAY_S = 86_400.0
MONTH_S = 31 * DAY_S
YEAR_S = 366 * DAY_S
DECADE_S = 3_653 * DAY_S
LEAP_MINUTES = (14, 29, 44, 59)  # the last minute of a day in UTC, in zones of whole and of broken hours

# 0000:00:00 00:00:00, blanks and dashes: what firmware writes for "not set"; 0001-01-01 is the zero of .NET.
_UNSET = re.compile(r"[\s0:/.\-+TZ]*|0001[:/.\-]01[:/.\-]01(?:[ T]00:00:00[0.]*)?[ Z]*")
_MARK = r"[ ]?[:\-/.][ ]?"
_TIME = (
    r"(?:(?P<before>[AP]M)[ ]*)?(?P<hour>[0-9]{1,2})[ ]?:[ ]?(?P<minute>[0-9]{1,2})"
    r"(?:[ ]?:[ ]?(?P<second>[0-9]{1,2})(?:[.,](?P<part>[0-9]+))?)?(?:[ ]*(?P<after>[AP]M))?"
)
_ZONE = r"[ ]*(?P<zone>[Zz]|[A-Z]{2,5}|(?:UTC?|GMT)?[ ]?[+\-][ ]?[0-9]{1,2}(?::?[0-9]{2}){0,2})?"
_MOMENT = re.compile(
    rf"(?P<year>[0-9]{{4}}){_MARK}(?P<month>[0-9]{{1,2}}){_MARK}(?P<day>[0-9]{{1,2}})\.?(?:(?:[ T]+){_TIME}{_ZONE})?"
)
_COMPACT = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
    r"(?:[ T]?(?P<hour>[0-9]{2}):?(?P<minute>[0-9]{2})"
    rf"(?::?(?P<second>[0-9]{{2}})(?:\.(?P<part>[0-9]+))?)?{_ZONE})?"
)
# EXIF 3.0 §4.6.5: unknown fields are blanks between their colons. XMP and IPTC leave them out or write 00.
_REST = r"(?:[ T](?:[^0-9]*|[ 0-9]{1,2}:[^.\-/]*))?"  # a time of day or blanks; digits of another form may be the day
_YEAR = re.compile(
    rf"(?P<year>[0-9]{{4}})(?:(?:[:\-/.]|(?=0000))(?:00|[ ]{{0,2}})(?:[:\-/.]?(?:00|[ ]{{0,2}}))?)?{_REST}"
)
_MONTH = re.compile(rf"(?P<year>[0-9]{{4}})[:\-/.](?P<month>[0-9]{{2}})(?:[:\-/.](?:00|[ ]{{0,2}}))?{_REST}")
_COMPACT_MONTH = re.compile(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})00(?:[ T]?.*)?")
_DECADE = re.compile(r"(?P<decade>[0-9]{3})(?:[Xx?]|0s)")
_HALF_BLANK = re.compile(r"(?P<day>[0-9]{4}[:\-][0-9]{2}[:\-][0-9]{2})[ T]+(?:(?P<hour>[0-9]{2}):)?[ :]*")
_LETTERS = re.compile(  # RFC 1123, as the PNG standard wants its Creation Time, and C's asctime
    r"(?:[A-Za-z]{3},? +)?(?:[0-9]{1,2} +[A-Za-z]{3} +[0-9]{4} +[0-9:]+(?: +(?P<zone>\S+))?"
    r"|[A-Za-z]{3} +[0-9]{1,2} +[0-9:]+ +[0-9]{4})"
)
_OF_JAVA = re.compile(  # Date.toString() of Java, which Android's programs write: the zone before the year
    r"(?P<day>[A-Za-z]{3} +[A-Za-z]{3} +[0-9]{1,2} +[0-9:]+) +(?P<zone>\S+) +(?P<year>[0-9]{4})"
)
_ZONE_ID = re.compile(r"\[[A-Za-z_]+(?:/[A-Za-z_+\-0-9]+)*\]$")  # java.time names the zone behind the offset
_OFFSET = re.compile(
    r"(?:UTC?|GMT)?[ ]?(?P<sign>[+\-])[ ]?(?P<hours>[0-9]{1,2})"
    r"(?::?(?P<minutes>[0-9]{2})(?::?(?P<seconds>[0-9]{2}))?)?",
    re.IGNORECASE,
)
# Exif's field is seven bytes, the last of them NUL; programs that wrote a longer count have memory behind the value.
_OVERLONG_OFFSET = re.compile(r"(?P<value>[+\-][0-9]{2}:[0-9]{2})[^0-9A-Za-z:. ].*", re.DOTALL)


@unique
class Notation(Enum):
    """What had to be understood, beyond the standard's own notation, to read a date."""

    HOUR_24 = "hour 24 is read as the first hour of the same day"
    TWELVE_HOURS = "the hour is counted to twelve"
    OTHER_DIGITS = "its digits are not Latin ones"
    COMPACT = "it is written without signs between its parts"
    BUDDHIST = "its year is counted in the Buddhist era, 543 more than in ours"
    PERSIAN = "its date is of the Solar Hijri calendar"
    ZONE_UNREAD = "the letters after the time have no one meaning as a zone and are left out"


@dataclass(frozen=True, slots=True)
class Moment:
    """A date as written: the wall clock, its offset when it is written too, and how fine it is.

    A date of which only the year is known is its 1 January with a ``resolution_s`` of :data:`YEAR_S`.
    """

    wall: datetime
    offset_hours: float | None
    resolution_s: float
    fraction: str = ""  # the digits after the point, as many as are written
    zone: str = ""  # "Z" or "+05:30"
    notations: tuple[Notation, ...] = ()

    @property
    def is_full_date(self) -> bool:
        """Whether year, month and day are all known."""
        return self.resolution_s <= DAY_S


def texts(tags: Tags, *names: str) -> Iterator[tuple[str, str]]:
    """Yield ``(tag, text)`` for every value of *names* that holds visible text."""
    for name in names:
        for value in tags.get(name, ()):
            if written := stripped(value):
                yield name, written


def text(tags: Tags, *names: str) -> str:
    """Return the first visible text among *names*, else ``""``."""
    for name in names:
        for value in tags.get(name, ()):
            if written := stripped(value):
                return written
    return ""


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


def first_number(tags: Tags, *names: str) -> float | None:
    """Return the first finite number among *names*, else None."""
    for name in names:
        for value in tags.get(name, ()):
            if (found := number(value)) is not None:
                return found
    return None


def number(value: object) -> float | None:
    """Return a finite number, the first of several in one text; a fraction ``1/125`` too. None when there is none."""
    if isinstance(value, int | float):
        found = float(value) if abs(value) < 1e300 else math.inf
    else:
        word = next(iter(notations.plain_signs(str(value)[:LONGEST_DATE]).split()), "")
        parts = _NUMBER.fullmatch(word)
        if parts is None:
            return None
        below = float(parts["below"] or 1)
        found = float(parts["number"]) / below if below else math.inf
    return found if math.isfinite(found) else None


_NUMBER = re.compile(r"(?P<number>[+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)(?:/(?P<below>[0-9]+))?")


def is_unset(written: str) -> bool:
    """Return whether *written* is what firmware writes for a date it does not know."""
    return _UNSET.fullmatch(written) is not None


def full_date(written: str) -> Moment | None:
    """Return a date whose year, month and day are all known, else None; see :func:`moment`."""
    found = moment(written)
    return found if found is not None and found.is_full_date else None


@lru_cache(maxsize=2048)  # one text is asked for by the claim, by what it warns of, and by every rule about dates
def moment(written: str, *, compact: bool = True) -> Moment | None:
    """Return a date in any notation that devices and programs write and that has one meaning; else None.

    EXIF, XMP, IPTC, ISO 8601 and RFC 1123, partial dates down to the decade, hour 24, twelve hours in many
    languages, digits of any script, years of the Buddhist era and of the Solar Hijri calendar. Years 1 and 9999
    are refused: they are the smallest and greatest date of some programs, and no offset can be taken from them.

    Args:
        written: the value of a tag, as text.
        compact: whether digits without signs between them may be a date; not where any number may stand.
    """
    if len(written) > LONGEST_DATE:
        return None
    signs = _ZONE_ID.sub("", notations.plain_signs(written).strip(" \t\r\n\0"))
    plain = notations.plain_halves(signs)
    found = _MOMENT.fullmatch(plain)
    short = _COMPACT.fullmatch(plain) if found is None and compact else None
    parts = found or short
    read = None if parts is None else _moment(parts)
    if read is None:
        return _with(_partial(plain, compact=compact) or _in_letters(signs), signs != _ZONE_ID.sub("", _ascii(written)))
    read = read if found else replace(read, notations=(*read.notations, Notation.COMPACT))
    return _with(read, signs != _ZONE_ID.sub("", _ascii(written)))


def _ascii(written: str) -> str:
    return written.strip(" \t\r\n\0").replace("\u2212", "-").replace("\u2013", "-")


def _with(read: Moment | None, other_digits: bool) -> Moment | None:
    if read is None or not other_digits:
        return read
    return replace(read, notations=(*read.notations, Notation.OTHER_DIGITS))


def _moment(found: re.Match[str]) -> Moment | None:
    """Return what the parts of a full date say; None when no calendar has it."""
    parts = found.groupdict()
    part = parts["part"] or ""
    year, month, day = (int(parts[name]) for name in ("year", "month", "day"))
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    hours, told = _hour(hour, parts.get("before") or parts.get("after") or "")
    if hours is None:
        return None
    try:
        if year in notations.UNCLEAR_YEARS or notations.BUDDHIST_YEARS.stop <= year < 9999:
            return None
        if year in notations.PERSIAN_YEARS:
            told += (Notation.PERSIAN,)
            gregorian = notations.from_persian(year, month, day)
            if gregorian is None:
                return None
            year, month, day = gregorian.year, gregorian.month, gregorian.day
        elif year in notations.BUDDHIST_YEARS:
            told += (Notation.BUDDHIST,)
            year -= 543
        leap = second == 60 and minute in LEAP_MINUTES
        wall = datetime(year, month, day, hours, minute, 59 if leap else second, int(part[:6].ljust(6, "0")))
        wall += timedelta(seconds=leap)
    except ValueError:
        return None
    return _zoned(Moment(wall, None, _resolution(parts["hour"], parts["second"], part), part, "", told), parts["zone"])


def _hour(hour: int, half: str) -> tuple[int | None, tuple[Notation, ...]]:
    if half:
        return notations.hour_of_day(hour, half), (Notation.TWELVE_HOURS,)
    # Some telephones count the first hour of a day as 24, on the day that it begins.
    return (0, (Notation.HOUR_24,)) if hour == 24 else (hour, ())


def _zoned(read: Moment, zone: str | None) -> Moment | None:
    """Return a moment with its zone; one whose digits are no offset is no date, a name that is shared is left out."""
    if not 1 < read.wall.year < 9999:
        return None
    if not zone:
        return read
    hours = offset(zone)
    if hours is not None:
        return replace(read, offset_hours=hours, zone="Z" if zone in ("Z", "z") else spoken_offset(hours))
    if not zone.isalpha() or len(zone) < 2:
        return None
    return replace(read, notations=(*read.notations, Notation.ZONE_UNREAD))


def _partial(plain: str, *, compact: bool) -> Moment | None:
    """Return a date that is known to the hour, day, month, year or decade only."""
    if found := _HALF_BLANK.fullmatch(plain):
        day = _MOMENT.fullmatch(found["day"])
        whole = _moment(day) if day else None
        return whole if whole is None or not found["hour"] else _at_hour(whole, int(found["hour"]))
    forms = (_YEAR, _MONTH, _COMPACT_MONTH) if compact else (_YEAR, _MONTH)
    for form in forms:
        if found := form.fullmatch(plain):
            return _of_month(found, YEAR_S if form is _YEAR else MONTH_S)
    if found := _DECADE.fullmatch(plain):
        year = int(found["decade"]) * 10
        return Moment(datetime(year, 1, 1), None, DECADE_S) if 1000 <= year < 9000 else None
    return None


def _at_hour(day: Moment, hour: int) -> Moment | None:
    return replace(day, wall=day.wall.replace(hour=hour), resolution_s=HOUR_S) if hour < 24 else None


def _of_month(found: re.Match[str], resolution_s: float) -> Moment | None:
    month = int(found.groupdict().get("month") or 1)
    year = int(found["year"])
    told = (Notation.BUDDHIST,) if year in notations.BUDDHIST_YEARS else ()
    year -= 543 if told else 0
    # Bare numbers of four digits that are no year of a photograph are numbers.
    if not 1800 <= year <= 2100 or not 1 <= month <= 12:
        return None
    return Moment(datetime(year, month, 1), None, resolution_s, notations=told)


def _in_letters(plain: str) -> Moment | None:
    """Return a date with the month in letters, as RFC 1123 and C's asctime write it."""
    of_java = _OF_JAVA.fullmatch(plain)
    if of_java is not None:
        return _of_java(of_java)
    found = _LETTERS.fullmatch(plain)
    parts = parsedate_tz(plain) if found else None
    if found is None or parts is None:
        return None
    try:
        wall = datetime(*parts[:6])
    except ValueError:
        return None
    # parsedate_tz takes no zone, and one that it does not know, for UTC.
    hours = offset(found["zone"]) if found["zone"] and found["zone"] != "-0000" else None
    zone = "" if hours is None else spoken_offset(hours)
    return Moment(wall, hours, 1.0, zone=zone) if 1800 <= wall.year <= 2100 else None


def _of_java(found: re.Match[str]) -> Moment | None:
    read = _in_letters(f"{found['day']} {found['year']}")
    return None if read is None else _zoned(read, found["zone"])


def _resolution(hour: str | None, second: str | None, part: str) -> float:
    if hour is None:
        return DAY_S
    return 60.0 if second is None else round(10.0 ** -len(part[:6]), 6)


def sub_seconds(value: object) -> tuple[int, float] | None:
    """Return (microseconds, resolution_s) of a SubSecTime field: the digits after the decimal point."""
    digits = stripped(value)
    if not re.fullmatch(r"[0-9]{1,20}", digits, re.ASCII):
        return None
    kept = digits[:6]
    return int(kept.ljust(6, "0")), round(10.0 ** -len(kept), 6)


@lru_cache(maxsize=512)  # few are written, and each is asked for by several readings of one photo
def offset(written: str) -> float | None:
    """Return the hours of an offset: ``+05:30``, ``+0530``, ``+2``, ``UTC+2``, ``+02:00:00``, ``Z``, ``CEST``.

    None when it is none, has no sign, or is a name that several zones share.
    """
    plain = notations.plain_signs(written[:LONGEST_DATE]).strip(" \t\r\n\0")
    if plain.upper() in notations.ZONE_NAMES:
        return notations.ZONE_NAMES[plain.upper()]
    overlong = _OVERLONG_OFFSET.fullmatch(plain)
    found = _OFFSET.fullmatch(overlong["value"] if overlong else plain)
    if found is None:
        return None
    hours, minutes, seconds = (int(found[name] or 0) for name in ("hours", "minutes", "seconds"))
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    is_parted = ":" in plain or len(re.sub(r"[^0-9]", "", plain)) != 3
    if not is_parted and minutes % 15:
        return None  # "+120": minutes, or an hour and twenty
    total = hours + minutes / 60.0 + seconds / HOUR_S
    return total if found["sign"] == "+" else -total


def spoken_offset(hours: float) -> str:
    """Return an offset as EXIF writes it, ``+05:30``."""
    minutes = round(abs(hours) * 60)
    return f"{'-' if hours < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
