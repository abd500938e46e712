"""What the GPS clocks in a camera's own photos say of its clock: who confirms it, and by how much it was off.

A satellite time is taken for a witness only where it behaves like one. A receiver without
time stands at the zero of its count, an old fix is as old as it likes, a program stamps one
second on many files: such times agree with a camera by chance, and deny it often. So one file
never moves a clock; several that deny it by the same amount, at instants apart from each
other, do. Where GPS tells the very instant that the file states, nothing moves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, unique

from gtloc_forensics.correct.repairs import SAME_CLOCK_S, GpsRepair, Subject, repaired
from gtloc_forensics.earth import zones

CONFIRMED_S = 300.0
"""To this much a GPS time confirms a clock, as it does to the rule on GPS time and to the clock models: camera clocks
lag by minutes. What lies nearer than :data:`SAME_CLOCK_S` is no proof of another time, but none of this one either."""
TOGETHER_S = 60.0
"""GPS times that lag a clock by amounts this close deny it by the same amount: a fix is up to some seconds old."""
SHORTEST_SPAN_S = 600.0
"""Witnesses closer in time than this may share one old fix."""
LEAST_SHARE = 0.75
"""Of the photos whose GPS clock denies the camera's, so many must agree on the amount."""
DAY_S = 86400.0
ROLLOVER_S = 1024 * 7 * DAY_S
LONGEST_WITHIN_DAY_S = 13 * 3600.0
"""A clock that is farther off has another date somewhere in the day."""
QUARTER_HOUR_S, MINUTE_S = 900.0, 60.0
ZONE_GRID_S, CLOCK_SET_S = 75.0, 5.0
"""An amount this close to a whole quarter of an hour, or to a whole minute, is that: the rest is the age of a fix."""

FIRST_RECEIVER_YEAR = 2000
"""No camera had a receiver before; an earlier GPS time is the zero of some count."""
ZEROES = (datetime(1999, 8, 22), datetime(2000, 1, 1), datetime(2019, 4, 7))
"""Where receivers' counts begin again, beside 1904, 1970 and 1980; a receiver without time counts on from there."""
ZERO_REACH = timedelta(days=2)


@unique
class Word(Enum):
    """What the GPS clock in a file says of the file's own time."""

    CONFIRMS = "it tells the same instant"
    NEAR = "it tells another one, some minutes away: an old fix does so, and a clock that nobody set"
    DENIES = "it tells another one"
    SILENT = "there is none, or none that can be taken for a time"


@dataclass(frozen=True, slots=True)
class Testimony:
    """What one file's GPS clock says. ``ahead_s``: its wall clock minus the local time that GPS and place give."""

    photo: Subject
    word: Word
    ahead_s: float | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much a clock was ahead, and the photos whose GPS clocks say so."""

    ahead_s: float
    witnesses: frozenset[bytes]


def testimony(photo: Subject) -> Testimony:
    """Return what the GPS clock of *photo* says of its time."""
    if photo.local is None:
        return Testimony(photo, Word.SILENT)
    if _is_confirmed_by_clock(photo):
        return Testimony(photo, Word.CONFIRMS, 0.0)
    if photo.gps_utc is None:
        return Testimony(photo, Word.SILENT)
    ahead = [(photo.local - true).total_seconds() for true in true_locals(photo)]
    stated = photo.written_offset
    by_offset = None if stated is None else (photo.local - photo.gps_utc).total_seconds() - 3600.0 * stated
    nearest_s = min([*ahead, *([] if by_offset is None else [by_offset])], key=abs, default=None)
    if nearest_s is not None and abs(nearest_s) <= CONFIRMED_S:
        return Testimony(photo, Word.CONFIRMS, 0.0)
    if nearest_s is not None and abs(nearest_s) <= SAME_CLOCK_S:
        return Testimony(photo, Word.NEAR, nearest_s)
    told = [*ahead, *([by_offset] if not ahead and by_offset is not None else [])]
    if not told or not is_a_time(photo.gps_utc):
        return Testimony(photo, Word.SILENT)
    return Testimony(photo, Word.DENIES, min(told, key=abs))


def states_the_instant(photo: Subject) -> bool:
    """Return whether the GPS clock confirms the photo's time through the very offset that its file states."""
    if photo.local is None or photo.gps_utc is None or photo.written_offset is None:
        return False
    apart_s = (photo.local - photo.gps_utc).total_seconds() - 3600.0 * photo.written_offset
    return abs(apart_s) <= CONFIRMED_S


def true_locals(photo: Subject) -> tuple[datetime, ...]:
    """Return the local times that the zones of the photo's place showed at its GPS time."""
    if photo.gps_utc is None:
        return ()
    instant = photo.gps_utc.replace(microsecond=0)
    return tuple(
        dict.fromkeys(photo.gps_utc + timedelta(hours=zones.offset_at_utc(zone, instant)) for zone in photo.zones)
    )


def is_a_time(gps_utc: datetime) -> bool:
    """Return whether a GPS time can be one: not the zero of a count, nor a receiver counting on from it."""
    if gps_utc.year < FIRST_RECEIVER_YEAR:
        return False
    return not any(timedelta(0) <= gps_utc - zero < ZERO_REACH for zero in ZEROES)


def _is_confirmed_by_clock(photo: Subject) -> bool:
    """Return whether a GPS time of day without its date agrees with the wall clock, whatever the day."""
    if photo.gps_clock is None or photo.gps_utc is not None or photo.local is None:
        return False
    whole = photo.local.replace(microsecond=0)
    hours = (*zones.legal_offsets(photo.zones, whole), *([photo.written_offset] if photo.written_offset else []))
    day = datetime.combine(whole.date(), photo.gps_clock)
    apart = [((whole - day).total_seconds() - 3600.0 * offset) % DAY_S for offset in hours]
    return any(min(seconds, DAY_S - seconds) <= CONFIRMED_S for seconds in apart)


def shift_of(told: Iterable[Testimony]) -> Shift | None:
    """Return by how much the clock of one camera was ahead, as its photos' GPS clocks agree; None where they do not.

    Not where another reading is as good: a GPS date that never changes, a week number that ran
    over, a position with a lost sign whose true zone the clock kept.
    """
    denying = [word for word in told if word.word in (Word.DENIES, Word.NEAR) and word.ahead_s is not None]
    amounts = sorted(word.ahead_s for word in denying if word.ahead_s is not None)
    if len(amounts) < 2:
        return None
    middle = amounts[len(amounts) // 2]
    together = [word for word in denying if word.ahead_s is not None and abs(word.ahead_s - middle) <= TOGETHER_S]
    if len(together) < max(2.0, LEAST_SHARE * len(denying)) or not _apart([word.photo for word in together]):
        return None
    ahead_s = rounded(min((word.ahead_s for word in together if word.ahead_s is not None), key=abs))
    photos = [word.photo for word in together]
    if _is_rollover(ahead_s) or _is_gps_date(ahead_s, photos) or _is_slip(photos) or is_day_open(together):
        return None
    return Shift(ahead_s, frozenset(photo.relative for photo in photos))


def speaks_against(shift: Shift, told: Iterable[Testimony]) -> bool:
    """Return whether the GPS clock of a photo tells the photo's own time, or nearly, where a shift says another."""
    return any(
        word.word is Word.CONFIRMS or (word.word is Word.NEAR and word.photo.relative not in shift.witnesses)
        for word in told
    )


def rounded(seconds: float) -> float:
    """Return *seconds* without the age of the fix: whole quarters of an hour or minutes where they are near."""
    for step, reach in ((QUARTER_HOUR_S, ZONE_GRID_S), (MINUTE_S, CLOCK_SET_S)):
        nearest = round(seconds / step) * step
        if abs(nearest - seconds) <= reach:
            return nearest
    return float(round(seconds))


def _apart(photos: Sequence[Subject]) -> bool:
    instants = [photo.gps_utc for photo in photos if photo.gps_utc is not None]
    return bool(instants) and (max(instants) - min(instants)).total_seconds() >= SHORTEST_SPAN_S


def _is_rollover(ahead_s: float) -> bool:
    rounds = round(ahead_s / ROLLOVER_S)
    return rounds != 0 and abs(ahead_s - rounds * ROLLOVER_S) <= SAME_CLOCK_S


def is_day_open(told: Iterable[Testimony]) -> bool:
    """Return whether GPS times that are most of a day away, or more, all bear the date of the camera's own clock.

    Some firmware writes that date beside the receiver's time of day: then the day between them is none of the clock.
    """
    denying = [word for word in told if word.word is Word.DENIES and word.ahead_s is not None]
    return bool(denying) and all(
        abs(word.ahead_s or 0.0) > LONGEST_WITHIN_DAY_S
        and word.photo.local is not None
        and word.photo.gps_utc is not None
        and word.photo.gps_utc.date() == word.photo.local.date()
        for word in denying
    )


def _is_gps_date(ahead_s: float, photos: Sequence[Subject]) -> bool:
    """Return whether whole days are between the clocks and the GPS date may be the odd one: it never changes."""
    days = round(ahead_s / DAY_S)
    if days == 0 or abs(ahead_s - days * DAY_S) > SAME_CLOCK_S:
        return False
    dates = {photo.gps_utc.date() for photo in photos if photo.gps_utc is not None}
    same_day_of_year = all(
        photo.local is not None and any((true.month, true.day) == (photo.local.month, photo.local.day) for true in told)
        for photo in photos
        for told in [true_locals(photo)]
    )
    return len(dates) < 2 and not same_day_of_year


def _is_slip(photos: Sequence[Subject]) -> bool:
    """Return whether one slip in all positions would account for the difference as well as the clock does.

    A lost sign would wherever it brings the camera to land; an exchange, which a single program makes
    and hits some zone by chance now and then, only where the positions lie in the open sea as they stand.
    """
    at_sea = all(photo.zones and zones.is_nautical(photo.zones[0]) for photo in photos)
    slips = [slip for slip in GpsRepair if slip is not GpsRepair.SWAP or at_sea]
    return any(all(_fits_slipped(photo, slip) for photo in photos) for slip in slips)


def _fits_slipped(photo: Subject, slip: GpsRepair) -> bool:
    place = None if photo.position is None else repaired(photo.position, slip)
    if place is None or photo.local is None or photo.gps_utc is None:
        return False
    there = zones.zones_at(place)
    if zones.is_nautical(there[0]):
        return False
    instant = photo.gps_utc.replace(microsecond=0)
    apart = (photo.local - photo.gps_utc).total_seconds()
    return any(abs(apart - 3600.0 * zones.offset_at_utc(zone, instant)) <= SAME_CLOCK_S for zone in there)
