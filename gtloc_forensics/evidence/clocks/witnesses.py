"""What speaks of one camera's clock beside light: the GPS clock, written offsets, the model's hours, counters.

A residual is claimed civil time minus the true civil time of the place, in hours;
positive is ahead. A witness that has nothing to say is ``None``, never a zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.evidence.clocks import receiver, sentences
from gtloc_forensics.evidence.clocks.receiver import FIRST_DIGITAL, LEVEL_GAP_HOURS
from gtloc_forensics.evidence.exposure.clock_offsets import OFFSETS_HOURS, civil_offset_hours
from gtloc_forensics.records import DeviceGroup, PhotoSummary, Statement

Floats: TypeAlias = NDArray[np.float64]

SHARED = 0.6  # of the residuals that must agree before they speak for the whole camera
COPIED_S = 1.0  # GPS time this close to local time was copied from it; a receiver's own lags by varying seconds
HALF_DAY_HOURS = 13.0  # half a day, and a summer hour
STEP_BACK = timedelta(minutes=10)

# A frame's hours by the model are one witness per outing at most, and never more than a hint.
HOUR_FLOOR = 0.3
HOUR_TEMPER = 0.5

DEFAULT_YEARS = frozenset((1970, 1980, *range(1998, 2021)))


@dataclass(frozen=True, slots=True)
class GpsResiduals:
    """How far the clock was from the GPS clock, photo by photo, in the order of GPS time."""

    source_ids: tuple[str, ...]
    gps_days: Floats  # days since 1970 of each GPS time
    hours: Floats  # time of day apart, in [−13, 13]
    days: Floats  # whole days apart
    raw_hours: Floats  # the offset from UTC that the clock itself was set to
    is_local_date: NDArray[np.bool_]  # the GPS date is the camera's: some firmware writes the local date there
    notes: tuple[Statement, ...] = ()  # what of the GPS times was set aside

    def __len__(self) -> int:
        """Count the photos."""
        return len(self.source_ids)


def gps_residuals(group: DeviceGroup) -> GpsResiduals | None:
    """Return the residuals against GPS time; None where no photo has both clocks and an offset."""
    heard = receiver.listen(group)
    rows = sorted(row for row in map(_gps_row, heard.heard) if row is not None)
    if not rows or copied_gps_hours(group) is not None:
        return None
    gps_days, residual, source_ids, raw, is_local_date = zip(*rows, strict=True)
    apart = np.array(residual)
    # Dated GPS times tell half a day ahead from half a day behind; only what is farther off is split into days.
    hours = np.where(np.abs(apart) <= HALF_DAY_HOURS, apart, np.mod(apart + 12.0, 24.0) - 12.0)
    days = np.round((apart - hours) / 24.0)
    return GpsResiduals(
        source_ids, np.array(gps_days), hours, days, np.array(raw), np.array(is_local_date), heard.notes
    )


def _gps_row(photo: PhotoSummary) -> tuple[float, float, str, float, bool] | None:
    residual = receiver.residual_hours(photo)
    if residual is None or photo.local_time is None or photo.gps_utc_time is None:
        return None
    is_local_date = photo.gps_utc_time.date() == photo.local_time.date()
    gps_days = (photo.gps_utc_time - datetime(1970, 1, 1)) / timedelta(days=1)
    return gps_days, residual, photo.source_id, receiver.raw_hours(photo), is_local_date


def copied_gps_hours(group: DeviceGroup) -> float | None:
    """Return how far a camera on UTC would be off, where GPS time is the camera's own time to the second.

    Such GPS time was copied from the camera, or the camera ran on UTC; None where neither is so. Where the
    place keeps UTC, or the file writes that its clock does, that they are the same shows nothing.
    """
    both = [
        summary for summary in group.summaries if summary.local_time is not None and summary.gps_utc_time is not None
    ]
    away = [
        -offset
        for photo in both
        if _is_same(photo) and (offset := receiver.true_offset_hours(photo)) is not None and offset
    ]
    return float(np.median(away)) if len(away) > SHARED * len(both) else None


def _is_same(photo: PhotoSummary) -> bool:
    if (
        photo.local_time is None
        or photo.gps_utc_time is None
        or (photo.offset_hours == 0.0 and receiver.is_written(photo))
    ):
        return False
    return abs((photo.local_time - photo.gps_utc_time).total_seconds()) <= COPIED_S


# --------------------------------------------------------------------------- levels of the residuals


@dataclass(frozen=True, slots=True)
class Level:
    """Residuals that agree: their median, their spread, and which they are."""

    hours: float
    spread_hours: float
    members: NDArray[np.int64]


def near_a_witness(group: DeviceGroup, gps: GpsResiduals, level: Level) -> int:
    """Return how many photos the GPS times of a level may speak of: those soon before or after."""
    ids = {gps.source_ids[place] for place in level.members.tolist()}
    return near_days(group, _days(photo for photo in group.summaries if photo.source_id in ids))


def near_days(group: DeviceGroup, known_days: Floats) -> int:
    """Return how many photos were taken, by their own clock, soon before or after one of some days since 1970."""
    days, known = _days(group.summaries), np.sort(known_days)
    after = np.searchsorted(known, days)
    to_next = np.abs(known[np.minimum(after, len(known) - 1)] - days)
    from_last = np.abs(days - known[np.maximum(after - 1, 0)])
    return int(np.sum(np.minimum(to_next, from_last) <= sentences.REACH_DAYS))


def _days(photos: Iterable[PhotoSummary]) -> Floats:
    times = (photo.local_time for photo in photos)
    return np.array([(time - receiver.UNIX_EPOCH) / timedelta(days=1) for time in times if time is not None])


def levels(hours: Floats) -> tuple[Level, ...]:
    """Return the levels that residuals keep, the most common first."""
    order = np.argsort(hours, kind="stable")
    breaks = np.flatnonzero(np.diff(hours[order]) > LEVEL_GAP_HOURS) + 1
    found = [_level(hours, members) for members in np.split(order, breaks)]
    return tuple(sorted(found, key=lambda level: (-len(level.members), abs(level.hours))))


def _level(hours: Floats, members: NDArray[np.int64]) -> Level:
    middle = float(np.median(hours[members]))
    spread = 1.4826 * float(np.median(np.abs(hours[members] - middle)))
    return Level(middle, spread, members)


def runs(found: Sequence[Level], count: int) -> tuple[tuple[int, int, Level], ...]:
    """Return the stretches, first and last index inclusive, in which one level holds; lone strays are passed over."""
    kept = [level for level in found if len(level.members) >= 2]
    belongs = {int(index): level for level in kept for index in level.members}
    stretches: list[tuple[int, int, Level]] = []
    for index in range(count):
        level = belongs.get(index)
        if level is None:
            continue
        if stretches and stretches[-1][2] is level:
            stretches[-1] = (stretches[-1][0], index, level)
        else:
            stretches.append((index, index, level))
    return tuple(stretches)


@dataclass(frozen=True, slots=True)
class Drift:
    """A clock that gains or loses steadily."""

    hours_per_day: float
    first_hours: float
    last_hours: float


def drift(residuals: GpsResiduals) -> Drift | None:
    """Return the drift that the residuals follow, None unless a straight line explains them far better than a level.

    The slope is the median of pairwise slopes (Theil 1950, Sen 1968).
    """
    days, hours = residuals.gps_days, residuals.hours
    span = float(days[-1] - days[0])
    if len(residuals) < 6 or span < 14.0:
        return None
    index = np.linspace(0, len(days) - 1, min(len(days), 200)).round().astype(int)
    days, hours = days[index], hours[index]
    slope = _median_slope(days, hours)
    line = float(np.median(hours - slope * (days - days[0])))
    left = float(np.median(np.abs(hours - line - slope * (days - days[0]))))
    before = float(np.median(np.abs(hours - np.median(hours))))
    is_clear = abs(slope) * span > 3.0 / 60.0 and left < before / 3.0 and left < 90.0 / 3600.0
    return Drift(slope, line, line + slope * span) if is_clear else None


def _median_slope(at: Floats, values: Floats) -> float:
    """Return the median of the slopes between all pairs; loading scipy.stats for it costs more than a whole clock."""
    apart = at[:, np.newaxis] - at
    later = apart > 0.0
    return float(np.median((values[:, np.newaxis] - values)[later] / apart[later]))


# --------------------------------------------------------------------------- written offsets


def foreign_zone_hours(group: DeviceGroup) -> tuple[float, int] | None:
    """Return by how much the offsets written in the files differ from civil time there, and in how many photos.

    None when fewer than :data:`SHARED` of the written offsets agree on one difference.
    """
    differences = [
        round(4.0 * (summary.offset_hours - civil_offset_hours(summary))) / 4.0
        for summary in group.summaries
        if summary.offset_hours is not None
        and summary.zone
        and summary.local_time is not None
        and receiver.is_written(summary)
    ]
    if not differences:
        return None
    common = max(set(differences), key=lambda hours: (differences.count(hours), -abs(hours)))
    count = differences.count(common)
    return (common, count) if count >= SHARED * len(differences) else None


# --------------------------------------------------------------------------- the model's hours


def hour_log_likelihood(group: DeviceGroup) -> tuple[Floats, int]:
    """Return the log likelihood of each offset by the hours the model sees, its maximum 0, and the photos used."""
    total = np.zeros(len(OFFSETS_HOURS))
    seen = [summary for summary in group.summaries if summary.hour_mass is not None and summary.local_time is not None]
    outings: dict[tuple[int, int, int], int] = {}
    for photo in seen:
        outings[_day(photo)] = outings.get(_day(photo), 0) + 1
    for photo in seen:
        total += HOUR_TEMPER * (photo.datable or 0.0) * outings[_day(photo)] ** -0.5 * _hour_terms(photo)
    return total - total.max(), len(seen)


def _day(photo: PhotoSummary) -> tuple[int, int, int]:
    local = photo.local_time or FIRST_DIGITAL
    return local.year, local.month, local.day


def _hour_terms(photo: PhotoSummary) -> Floats:
    if photo.hour_mass is None or photo.local_time is None:
        return np.zeros(len(OFFSETS_HOURS))
    mass = np.asarray(photo.hour_mass, np.float64)
    hour = photo.local_time.hour + photo.local_time.minute / 60.0
    column = np.floor(np.mod(hour - OFFSETS_HOURS, 24.0) * len(mass) / 24.0).astype(int) % len(mass)
    return np.asarray(np.log(HOUR_FLOOR + (1.0 - HOUR_FLOOR) * mass[column] * len(mass)), dtype=np.float64)


# --------------------------------------------------------------------------- dates and counters


def swapped(moment: datetime) -> datetime | None:
    """Return *moment* with day and month exchanged, None where that is no date or the same one."""
    if moment.day > 12 or moment.day == moment.month:
        return None
    return moment.replace(month=moment.day, day=moment.month)


def swapped_dates(group: DeviceGroup) -> tuple[int, int]:
    """Return how many photos' GPS dates fit only with day and month exchanged, and how many could be told."""
    fits = told = 0
    for photo in group.summaries:
        offset = receiver.true_offset_hours(photo)
        if photo.local_time is None or photo.gps_utc_time is None or offset is None:
            continue
        true_local = photo.gps_utc_time + timedelta(hours=offset)
        other = swapped(photo.local_time)
        if other is None:
            continue
        told += 1
        fits += abs(other - true_local) < timedelta(days=1) < abs(photo.local_time - true_local)
    return fits, told


def restart(group: DeviceGroup) -> tuple[int, int]:
    """Return how many photos bear a date at which a clock starts that lost its time, and of how many.

    The first day of January of the years that firmware starts from, or any date before
    digital cameras wrote dates; a single genuine New Year's Day gives the same.
    """
    dated = [summary.local_time for summary in group.summaries if summary.local_time is not None]
    return sum(starts_over(moment) for moment in dated), len(dated)


def starts_over(moment: datetime) -> bool:
    """Return whether *moment* is on the first day of a year that lost clocks start from."""
    is_first = moment.month == 1 and moment.day == 1
    return moment < FIRST_DIGITAL or (moment.year in DEFAULT_YEARS and is_first)


def counter_steps(group: DeviceGroup) -> tuple[int, ...]:
    """Return where, in counter order, claimed time jumps back: indexes into :func:`in_counter_order`."""
    return falls_of(in_counter_order(group))


def falls_of(ordered: Sequence[PhotoSummary]) -> tuple[int, ...]:
    """Return the places of *ordered* photos that claim to be earlier, by ten minutes or more, than the one before."""
    times = [photo.local_time for photo in ordered]
    return tuple(
        index
        for index in range(1, len(ordered))
        if (now := times[index]) and (before := times[index - 1]) and now < before - STEP_BACK
    )


def in_counter_order(group: DeviceGroup) -> tuple[PhotoSummary, ...]:
    """Return the photos with a shutter count or an image number, in its order; empty unless all counts differ."""
    rows = []
    for summary in group.summaries:
        value = next((counter.value for counter in summary.counters if counter.wraps_at is None), None)
        if value is not None and summary.local_time is not None:
            rows.append((value, summary.source_id, summary))
    rows.sort(key=lambda row: row[:2])
    is_strict = all(first[0] < second[0] for first, second in pairwise(rows))
    return tuple(row[2] for row in rows) if is_strict else ()
