"""What of a device's GPS times is a clock, and what only looks like one.

A receiver hands out old fixes, constants and dates of its own, and programs write one moment
into many files. None of this says anything of the camera's clock. It shows in patterns over a
device's photos: the same value at many hours, a value that stands still, residuals that only
lag. What is left is heard; what was set aside is told, a sentence each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeAlias

from gtloc_forensics.earth import zones
from gtloc_forensics.evidence.exposure.clock_offsets import civil_offset_hours
from gtloc_forensics.records import DeviceGroup, PhotoSummary, durations

# Two clocks that agree: camera clocks lag by minutes (92–146 s measured on genuine files, field.md §0.5).
TOGETHER_HOURS = 5.0 / 60.0
# Quarter hours are the finest step of civil offsets; levels nearer than this are one.
LEVEL_GAP_HOURS = 10.0 / 60.0

UNIX_EPOCH = datetime(1970, 1, 1)
FIRST_DIGITAL = datetime(1995, 1, 1)
# Where the count of weeks starts, and starts again: a receiver without time stands there.
ZERO_DATES = (datetime(1980, 1, 6), datetime(1999, 8, 22), datetime(2019, 4, 7))
ROLLOVER = timedelta(weeks=1024)

MOVED_ON = timedelta(minutes=2)  # a clock that moved this much while another stood still
FEWEST_STAMPED = 3
FEWEST_DAYS = 3
FEWEST_CONSTANT = 3
CONSTANT_SPREAD_HOURS = 0.5  # more than any clock drifts between photos taken at one hour of the day
# A clock set ahead keeps its distance from GPS time; fixes that are merely old do so by chance only.
FEWEST_AHEAD = 3
FEWEST_GAINING = 6
STEADY_HOURS = 1.0 / 60.0
GRID_HOURS = 0.25
ON_GRID_HOURS = 1.5 / 60.0

Rows: TypeAlias = list[tuple[float, PhotoSummary]]


@dataclass(frozen=True, slots=True)
class Receiver:
    """The photos whose GPS time is a clock of its own, and a sentence for each kind of those set aside."""

    heard: tuple[PhotoSummary, ...]
    notes: tuple[str, ...]
    not_clocks: frozenset[str] = frozenset()  # ids of the photos whose GPS time was set aside or put right


def listen(group: DeviceGroup) -> Receiver:
    """Return what of a device's GPS times is a clock.

    Copies of a file and frames of one second say one thing together: the first of them is heard,
    and what is found of its GPS time holds for all.
    """
    timed = [one for one in group.summaries if one.local_time is not None and one.gps_utc_time is not None]
    first: dict[tuple[datetime | None, datetime | None], PhotoSummary] = {}
    for one in timed:
        first.setdefault((one.local_time, one.gps_utc_time), one)
    kept = list(first.values())
    notes: list[str] = []
    for pattern in (_without_time, _constant, _stamped, _rolled_over, _frozen_date, _repeated, _old_fixes):
        kept, note = pattern(kept)
        notes += [note] if note else []
    heard = {one.source_id: one.gps_utc_time for one in kept}
    not_clocks = frozenset(
        one.source_id
        for one in timed
        if heard.get(first[one.local_time, one.gps_utc_time].source_id) != one.gps_utc_time
    )
    return Receiver(tuple(kept), tuple(notes), not_clocks)


# --------------------------------------------------------------------------- residuals


def residual_hours(one: PhotoSummary) -> float | None:
    """Return claimed civil time minus true civil time, in hours; None where it cannot be told.

    Where the file writes its offset and GPS time confirms the instant, the clock is right whatever
    the place's law says: telephones keep a zone at sea, near borders and by old tables.
    """
    if one.local_time is None or one.gps_utc_time is None:
        return None
    raw = raw_hours(one)
    if one.offset_hours is not None and is_written(one) and abs(raw - one.offset_hours) <= TOGETHER_HOURS:
        return raw - one.offset_hours
    offset = true_offset_hours(one)
    return None if offset is None else raw - offset


def raw_hours(one: PhotoSummary) -> float:
    """Return claimed civil time minus GPS time, in hours: the offset the clock itself was set to."""
    if one.local_time is None or one.gps_utc_time is None:
        raise ValueError("the photo lacks one of the two times")
    return (one.local_time - one.gps_utc_time) / timedelta(hours=1)


def true_offset_hours(one: PhotoSummary) -> float | None:
    """Return the offset that civil clocks kept at the place at the GPS time; the written one without a place."""
    if one.zone and one.gps_utc_time is not None:
        return zones.offset_at_utc(one.zone, one.gps_utc_time)
    return one.offset_hours


def is_written(one: PhotoSummary) -> bool:
    """Return whether the offset stands in the file rather than being worked out from place or GPS time."""
    return one.utc_source is None or not one.utc_source.is_derived


# --------------------------------------------------------------------------- patterns


def _without_time(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], str]:
    """Set aside the zero of the receiver's count."""
    spared = [one for one in kept if not _is_zero(one)]
    return spared, _note(kept, spared, "stands where a receiver's count of time begins: it had no time yet")


def _is_zero(one: PhotoSummary) -> bool:
    gps, local = one.gps_utc_time, one.local_time
    if gps is None or local is None:
        return True
    return gps < FIRST_DIGITAL or (
        any(gps.date() == zero.date() for zero in ZERO_DATES) and abs(local - gps) > timedelta(days=2)
    )


def _constant(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], str]:
    """Set aside a time of day that returns on several dates whatever the camera's own hour."""
    wrong: set[str] = set()
    for summaries in _by(kept, lambda one: one.gps_utc_time and one.gps_utc_time.time()).values():
        dates = {one.gps_utc_time.date() for one in summaries if one.gps_utc_time}
        is_usual = len(summaries) >= min(FEWEST_CONSTANT, len(kept))
        if len(dates) > 1 and is_usual and _spread_hours(summaries) > CONSTANT_SPREAD_HOURS:
            wrong |= {one.source_id for one in summaries}
    spared = [one for one in kept if one.source_id not in wrong]
    return spared, _note(kept, spared, "is one time of day on several dates: a constant, not a clock")


def _spread_hours(summaries: Sequence[PhotoSummary]) -> float:
    """Return how far apart the hours of day of some residuals lie."""
    hours = sorted(raw_hours(one) % 24.0 for one in summaries)
    gaps = [later - earlier for earlier, later in pairwise(hours)] + [24.0 - hours[-1] + hours[0]]
    return 24.0 - max(gaps)


def _stamped(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], str]:
    """Set aside one capture second in many files whose GPS times differ: a program wrote it."""
    wrong: set[str] = set()
    for summaries in _by(kept, lambda one: one.local_time).values():
        moments = sorted(one.gps_utc_time for one in summaries if one.gps_utc_time)
        if len(set(moments)) >= FEWEST_STAMPED and moments[-1] - moments[0] > MOVED_ON:
            wrong |= {one.source_id for one in summaries}
    spared = [one for one in kept if one.source_id not in wrong]
    why = "differs while the capture time is the same second: a program wrote that, not a clock"
    return spared, _note(kept, spared, why)


def _rolled_over(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], str]:
    """Put the dates right that lie whole rounds of 1,024 weeks away."""
    turned = [_turned(one) for one in kept]
    count = sum(now is not before for now, before in zip(turned, kept, strict=True))
    if not count:
        return kept, ""
    return turned, (
        f"The GPS date of {durations.photos(count)} is a multiple of 1,024 weeks away while its time of day agrees: "
        "a known fault of receivers, not of the clock."
    )


def _turned(one: PhotoSummary) -> PhotoSummary:
    if one.local_time is None or one.gps_utc_time is None:
        return one
    apart = one.local_time - one.gps_utc_time
    rounds = round(apart / ROLLOVER)
    # Any civil offset keeps the two within a day and a bit.
    if rounds == 0 or abs(apart - rounds * ROLLOVER) > timedelta(hours=26):
        return one
    return replace(one, gps_utc_time=one.gps_utc_time + rounds * ROLLOVER)


def _frozen_date(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], str]:
    """Take the camera's date where the GPS date stands still over several days."""
    gps_dates = {one.gps_utc_time.date() for one in kept if one.gps_utc_time}
    claimed = {moment.date() for one in kept if (moment := _claimed_utc(one))}
    agree = sum(
        one.gps_utc_time.date() == moment.date() for one in kept if one.gps_utc_time and (moment := _claimed_utc(one))
    )
    # One re-dated file beside a day's photos is no receiver that stood still.
    if len(gps_dates) != 1 or len(claimed) < FEWEST_DAYS or agree > len(kept) / 2.0:
        return kept, ""
    return [_on_its_day(one) for one in kept], (
        f"The GPS date is the same in {durations.photos(len(kept))} of {len(claimed):,} days: the receiver's date "
        "stood still, and only its time of day is heard."
    )


def _claimed_utc(one: PhotoSummary) -> datetime | None:
    return None if one.local_time is None else one.local_time - timedelta(hours=civil_offset_hours(one))


def _on_its_day(one: PhotoSummary) -> PhotoSummary:
    claimed = _claimed_utc(one)
    if claimed is None or one.gps_utc_time is None:
        return one
    days = round((claimed - one.gps_utc_time) / timedelta(days=1))
    return replace(one, gps_utc_time=one.gps_utc_time + timedelta(days=days))


def _repeated(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], str]:
    """Hear one GPS instant once, at the photo nearest to it: in the others it is the last fix, not a new one."""
    first = {
        min(summaries, key=lambda one: (abs(residual_hours(one) or 0.0), one.source_id)).source_id
        for summaries in _by(kept, lambda one: one.gps_utc_time).values()
    }
    spared = [one for one in kept if one.source_id in first]
    return spared, _note(kept, spared, "repeats that of another photo: the last fix, not a new one")


def _old_fixes(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], str]:
    """Set aside GPS times that lag behind the rest, unless by what a clock set ahead would keep."""
    rows = sorted(
        ((hours, one) for one in kept if (hours := residual_hours(one)) is not None),
        key=lambda row: (row[0], row[1].source_id),
    )
    if _only_gains(rows):
        return kept, ""
    near = [hours for hours, _ in rows if abs(hours) <= TOGETHER_HOURS]
    levels = _levels(rows)
    base = near[len(near) // 2] if near else next((level[0][0] for level in levels if len(level) > 1), None)
    if base is None:
        return kept, ""
    old = {
        one.source_id
        for level in levels
        if level[0][0] - base > LEVEL_GAP_HOURS / 2.0 and not _is_kept_distance(level, base)
        for _, one in level
    }
    spared = [one for one in kept if one.source_id not in old]
    return spared, _note(kept, spared, "is older than the photo: the last fix, not a new one")


def _only_gains(rows: Rows) -> bool:
    """Whether the residuals rise with time throughout, as those of a clock that gains do."""
    in_time = [hours for hours, _ in sorted(rows, key=lambda row: row[1].gps_utc_time or FIRST_DIGITAL)]
    return len(in_time) >= FEWEST_GAINING and in_time == [hours for hours, _ in rows]


def _levels(rows: Rows) -> list[Rows]:
    found: list[Rows] = []
    for row in rows:
        if found and row[0] - found[-1][-1][0] <= LEVEL_GAP_HOURS / 2.0:
            found[-1].append(row)
        else:
            found.append([row])
    return found


def _is_kept_distance(level: Rows, base_hours: float) -> bool:
    """Whether photos keep one distance from GPS time as a clock does, and old fixes do not.

    By whole quarter hours it takes three photos, or two by whole hours; by anything else the photos
    must span more time than they lag: one old fix cannot be that steady.
    """
    hours = [row[0] for row in level]
    behind = hours[len(hours) // 2] - base_hours
    if hours[-1] - hours[0] > STEADY_HOURS * 2.0 or len(level) < 2:
        return False
    if abs(behind - round(behind)) <= ON_GRID_HOURS and behind >= 1.0 - ON_GRID_HOURS:
        return True
    if len(level) < FEWEST_AHEAD:
        return False
    if abs(behind / GRID_HOURS - round(behind / GRID_HOURS)) * GRID_HOURS <= ON_GRID_HOURS:
        return True
    moments = [one.gps_utc_time for _, one in level if one.gps_utc_time]
    return max(moments) - min(moments) > timedelta(hours=behind)


def _by(summaries: Iterable[PhotoSummary], key: Callable[[PhotoSummary], object]) -> dict[object, list[PhotoSummary]]:
    found: dict[object, list[PhotoSummary]] = defaultdict(list)
    for one in summaries:
        found[key(one)].append(one)
    return found


def _note(before: Sequence[PhotoSummary], after: Sequence[PhotoSummary], why: str) -> str:
    count = len(before) - len(after)
    return f"The GPS time of {durations.photos(count)} {why}." if count else ""
