"""What is said of a clock, made from its numbers at the end: nobody takes these sentences apart again."""

from __future__ import annotations

from collections.abc import Sequence

from gtloc_forensics.records import ClockKind, durations

Interval = tuple[float, float]

_REASON = {
    ClockKind.DST: ", as of summer time or of the next zone",
    ClockKind.WRONG_ZONE: ", as of another zone",
    ClockKind.AM_PM: ", as if a.m. and p.m. were mixed up",
    ClockKind.RESET: ", counting on from a lost date",
}


def kept_one_offset(kind: ClockKind, *, photos: int, offset_hours: float, interval_hours: Interval) -> str:
    """Return what is said of a clock that was right, or off by one known offset."""
    span = durations.between(*interval_hours)
    if kind is ClockKind.RIGHT:
        return f"was right for {durations.all_photos(photos)} ({span})"
    ahead = durations.ahead(offset_hours)
    return f"ran {ahead}{_REASON.get(kind, '')}, for {durations.all_photos(photos)} ({span})"


def wrong_by_light(*, photos: int, interval_hours: Interval) -> str:
    """Return what is said of a clock that light alone shows to be wrong: by how much is left to others."""
    return (
        f"was wrong for {durations.all_photos(photos)}, by how much its light leaves open "
        f"({durations.between(*interval_hours)}), unless the claimed places are"
    )


def undetermined(photos: int) -> str:
    """Return what is said of a clock that nothing decides."""
    return f"How the clock ran cannot be told from {durations.all_photos(photos)}."


def kept_home_zone(*, home_offset_hours: float, elsewhere: int, photos: int) -> str:
    """Return what is said of a clock that kept one zone through places of several."""
    return (
        f"kept UTC{utc_offset(home_offset_hours)} for {durations.all_photos(photos)}, "
        f"{elsewhere:,} of them at places that keep another time"
    )


def exchanged_dates(fits: int, told: int) -> str:
    """Return what is said of a clock that had day and month exchanged."""
    return f"wrote day and month the wrong way round in {durations.photos(fits)} of {told} that can tell"


def drifted(*, hours_per_day: float, first_hours: float, last_hours: float) -> str:
    """Return what is said of a clock that gained or lost steadily."""
    return (
        f"{'gained' if hours_per_day > 0 else 'lost'} {durations.length(30.0 * hours_per_day)} a month, "
        f"from {durations.signed(first_hours)} to {durations.signed(last_hours)}"
    )


def stepped(stretches: Sequence[tuple[int, float]], *, is_lost: bool) -> str:
    """Return what is said of a clock that was set anew: (photos, offset in hours) of each stretch."""
    told = "; ".join(f"{durations.signed(hours)} in {durations.photos(count)}" for count, hours in stretches)
    return f"{'lost its date' if is_lost else 'was set anew'}: {told}"


def set_back(fell_hours: float, first_after: str) -> str:
    """Return what is said of a clock that a count shows to have been set back."""
    return (
        f"was set back by at least {durations.length(fell_hours)} before {first_after}, "
        "by hand, by itself or for a zone further west"
    )


def utc_offset(hours: float) -> str:
    """Return ``+05:30``; a proper minus."""
    minutes = round(abs(hours) * 60.0)
    return f"{'−' if hours < 0 and minutes else '+'}{minutes // 60:02d}:{minutes % 60:02d}"
