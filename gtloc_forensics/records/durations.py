"""Lengths of time, offsets and intervals in words, as people say them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Units:
    """How a language writes lengths of time and numbers; English unless told otherwise."""

    day: str = "day"
    days: str = "days"
    years: str = "years"
    hours: str = "h"
    minutes: str = "min"
    seconds: str = "s"
    to: str = "to"  # between the two signed ends of an interval
    decimal: str = "."
    thousands: str = ","
    minus: str = "-"  # before a number in a sentence; lengths and offsets have a proper one in every language


ENGLISH = Units()


def length(hours: float, units: Units = ENGLISH) -> str:
    """Return a length of time, for example ``6 h``, ``5 h 50 min``, ``12 s`` or ``3 days``."""
    seconds = round(abs(hours) * 3600.0)
    if seconds >= 72 * 3600:
        return _long(seconds / 86_400, units)
    whole, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    if seconds < 600:
        return (
            " ".join(
                part
                for part in (f"{minutes} {units.minutes}" if minutes else "", f"{left} {units.seconds}" if left else "")
                if part
            )
            or f"0 {units.seconds}"
        )
    minutes, whole = (0, whole + 1) if round(rest / 60) == 60 else (round(rest / 60), whole)
    return " ".join(
        part
        for part in (f"{whole} {units.hours}" if whole else "", f"{minutes} {units.minutes}" if minutes else "")
        if part
    )


def _long(days: float, units: Units) -> str:
    """Return a length of many days in days, from two years on in years."""
    if days < 730:
        return f"{days:,.0f}".replace(",", units.thousands) + f" {units.days}"
    return f"{days / 365.2425:.1f}".replace(".", units.decimal) + f" {units.years}"


def signed(hours: float, units: Units = ENGLISH) -> str:
    """Return an offset with its sign, ``+5 h 50 min``; a proper minus, and 0 without a sign."""
    return length(0.0, units) if abs(hours) < 0.5 / 3600.0 else f"{'−' if hours < 0 else '+'}{length(hours, units)}"


def between(low: float, high: float, units: Units = ENGLISH) -> str:
    """Return a 95 % interval, lengths where both ends have one sign, signed where they have not."""
    if low > 0 or high < 0:
        near, far = sorted((abs(low), abs(high)))
        ends = length(near, units), length(far, units)
        if ends[0] == ends[1] and near < far:  # years or days hide what lies between: told to the second
            ends = exact(3600.0 * near, units).lstrip("+"), exact(3600.0 * far, units).lstrip("+")
        return f"{ends[0]} – {ends[1]}, 95 %"
    return span(low, high, units)


def span(low: float, high: float, units: Units = ENGLISH) -> str:
    """Return a 95 % interval with the sign of both ends."""
    return f"{signed(low, units)} {units.to} {signed(high, units)}, 95 %"


def spoken(seconds: float, units: Units = ENGLISH) -> str:
    """Return a length of time in the two largest units that matter, for example ``5 h 50 min``."""
    left = round(abs(seconds))
    if left >= 20 * 86_400:
        return _long(left / 86_400, units)
    sizes = (
        (86_400, units.day if left < 2 * 86_400 else units.days),
        (3_600, units.hours),
        (60, units.minutes),
        (1, units.seconds),
    )
    parts: list[str] = []
    for size, name in sizes:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or f"0 {units.seconds}"


def exact(seconds: float, units: Units = ENGLISH) -> str:
    """Return a length of time with its sign in all units to the second, for example ``−1 day 2 h 5 s``."""
    left = round(abs(seconds))
    days, left = divmod(left, 86_400)
    counts = (
        (days, units.day if days == 1 else units.days),
        (left // 3_600, units.hours),
        (left % 3_600 // 60, units.minutes),
        (left % 60, units.seconds),
    )
    sign = "" if round(seconds) == 0 else "−" if seconds < 0 else "+"
    return sign + (
        " ".join(f"{count:,} {name}".replace(",", units.thousands) for count, name in counts if count)
        or f"0 {units.seconds}"
    )


def civil_offset(hours: float) -> str:
    """Return an offset as people write it, for example ``UTC+05:30``."""
    minutes = round(abs(hours) * 60)
    return f"UTC{'−' if hours < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def civil_offsets(offsets: tuple[float, ...]) -> str:
    """Return several offsets in words, ``UTC+06:00 or UTC+08:00``."""
    return " or ".join(civil_offset(hours) for hours in offsets)


def gap_seconds(later: datetime, earlier: datetime) -> float:
    """Return ``later − earlier`` in seconds."""
    return (later - earlier) / timedelta(seconds=1)
