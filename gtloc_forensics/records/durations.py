"""Lengths of time, offsets and intervals in words, as people say them."""

from __future__ import annotations

from datetime import datetime, timedelta


def length(hours: float) -> str:
    """Return a length of time, for example ``6 h``, ``5 h 50 min``, ``12 s`` or ``3 days``."""
    seconds = round(abs(hours) * 3600.0)
    if seconds >= 72 * 3600:
        return f"{seconds / 86_400:.0f} days" if seconds < 730 * 86_400 else f"{seconds / 86_400 / 365.2425:.1f} years"
    whole, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    if seconds < 600:
        return (
            " ".join(part for part in (f"{minutes} min" if minutes else "", f"{left} s" if left else "") if part)
            or "0 s"
        )
    minutes, whole = (0, whole + 1) if round(rest / 60) == 60 else (round(rest / 60), whole)
    return " ".join(part for part in (f"{whole} h" if whole else "", f"{minutes} min" if minutes else "") if part)


def signed(hours: float) -> str:
    """Return an offset with its sign, ``+5 h 50 min``; a proper minus, and 0 without a sign."""
    return length(0.0) if abs(hours) < 0.5 / 3600.0 else f"{'−' if hours < 0 else '+'}{length(hours)}"


def ahead(hours: float) -> str:
    """Return ``6 h ahead`` or ``6 h behind``."""
    return f"{length(hours)} {'behind' if hours < 0 else 'ahead'}"


def between(low: float, high: float) -> str:
    """Return a 95 % interval, lengths where both ends have one sign, signed where they have not."""
    if low > 0 or high < 0:
        near, far = sorted((abs(low), abs(high)))
        return f"{length(near)} – {length(far)}, 95 %"
    return f"{signed(low)} to {signed(high)}, 95 %"


def photos(count: int) -> str:
    """Return ``1 photo`` or ``214 photos``."""
    return "1 photo" if count == 1 else f"{count:,} photos"


def all_photos(count: int) -> str:
    """Return ``its one photo`` or ``all 214 photos``."""
    return "its one photo" if count == 1 else f"all {count:,} photos"


def outings(count: int) -> str:
    """Return ``1 outing`` or ``7 outings``."""
    return "1 outing" if count == 1 else f"{count:,} outings"


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
