"""What of a device's GPS times is a clock, and what only looks like one.

A receiver hands out old fixes, constants and dates of its own, and programs write one moment
into many files. None of this says anything of the camera's clock. It shows in patterns over a
device's photos: the same value at many hours, a value that stands still, residuals that only
lag. What is left is heard; what was set aside is told, a sentence each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth import zones
from gtloc_forensics.evidence.exposure.clock_offsets import civil_offset_hours
from gtloc_forensics.records import DeviceGroup, GpsFault, PhotoSummary, Sentence, Statement, template

# Two clocks that agree: camera clocks lag by minutes (92–146 s measured on genuine files, field.md §0.5).
TOGETHER_HOURS = 5.0 / 60.0
# Quarter hours are the finest step of civil offsets; levels nearer than this are one.
LEVEL_GAP_HOURS = 10.0 / 60.0

UNIX_EPOCH = datetime(1970, 1, 1)
FIRST_DIGITAL = datetime(1995, 1, 1)
# Where the count of weeks starts, and starts again: a receiver without time stands there.
ZERO_DATES = (datetime(1980, 1, 6), datetime(1999, 8, 22), datetime(2019, 4, 7))
ROLLOVER = timedelta(weeks=1024)

MIDNIGHT = time(0)
MOVED_ON = timedelta(minutes=2)  # a clock that moved this much while another stood still
FEW = 512  # photos of a camera of which a table may be made
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
Pattern: TypeAlias = Callable[[list[PhotoSummary]], tuple[list[PhotoSummary], Statement]]


@dataclass(frozen=True, slots=True)
class Receiver:
    """The photos whose GPS time is a clock of its own, and a sentence for each kind of those set aside."""

    heard: tuple[PhotoSummary, ...]
    notes: tuple[Statement, ...]
    not_clocks: frozenset[str] = frozenset()  # ids of the photos whose GPS time was set aside or put right
    lagging: frozenset[str] = frozenset()  # those among them set aside for a lag, as an altered capture time has too
    faults: Mapping[str, GpsFault] = field(default_factory=dict)  # of the photos that were set aside, why


def listen(group: DeviceGroup) -> Receiver:
    """Return what of a device's GPS times is a clock.

    Copies of a file and frames of one second say one thing together: the first of them is heard,
    and what is found of its GPS time holds for all.
    """
    timed = [
        summary for summary in group.summaries if summary.local_time is not None and summary.gps_utc_time is not None
    ]
    if not timed:
        return Receiver((), ())
    first_of = _first_of(timed)
    firsts = np.unique(first_of).tolist()
    begun = kept = [timed[place] for place in firsts]
    notes: list[Statement] = []
    faults: dict[str, GpsFault] = {}
    lagged: list[PhotoSummary] = []
    for pattern, fault in _PATTERNS:
        before, (kept, note) = kept, pattern(kept)
        notes += [note] if note else []
        changed = [before[number] for number in _changed(before, kept)]
        lagged = changed if pattern is _old_fixes else lagged
        marked = before if changed and fault is GpsFault.CONSTANT_DATE else changed  # the date is one on all of them
        faults |= {photo.source_id: why for photo in marked if (why := photo.gps_fault or fault) is not None}
    not_clocks = frozenset(_with_copies((firsts[number] for number in _changed(begun, kept)), timed, first_of))
    lags = {photo.source_id for photo in lagged}
    lagging = frozenset(_with_copies((place for place in firsts if timed[place].source_id in lags), timed, first_of))
    of_all = {
        photo.source_id: faults[named]
        for photo, first in (zip(timed, first_of.tolist(), strict=True) if faults else ())
        if (named := timed[first].source_id) in faults
    }
    return Receiver(tuple(kept), tuple(notes), not_clocks, lagging, of_all)


def _with_copies(firsts: Iterable[int], timed: Sequence[PhotoSummary], first_of: NDArray[np.int64]) -> Iterator[str]:
    """Yield the ids of the photos at *firsts* and of all that share both times with one of them."""
    is_meant = np.zeros(len(timed), np.bool_)
    is_meant[list(firsts)] = True
    return (timed[place].source_id for place in np.flatnonzero(is_meant[first_of]).tolist())


def _first_of(timed: Sequence[PhotoSummary]) -> NDArray[np.int64]:
    """Return for each photo the place of the first with the same two times: some numbers each are held meanwhile."""
    local, gps = (
        np.fromiter(
            (((moment or UNIX_EPOCH) - UNIX_EPOCH) // timedelta(microseconds=1) for moment in moments),
            np.int64,
            len(timed),
        )
        for moments in ((photo.local_time for photo in timed), (photo.gps_utc_time for photo in timed))
    )
    order = np.lexsort((gps, local))  # stable: the first of those alike stays first
    begins = np.ones(len(timed), np.bool_)
    begins[1:] = (np.diff(local[order]) != 0) | (np.diff(gps[order]) != 0)
    found = np.empty(len(timed), np.int64)
    found[order] = order[begins][np.cumsum(begins) - 1] if len(timed) else order
    return found


def _changed(before: Sequence[PhotoSummary], after: Iterable[PhotoSummary]) -> Iterator[int]:
    """Yield the places of the photos that a pattern left out, or whose GPS time it put right; it keeps their order."""
    left = iter(after)
    now = next(left, None)
    for place, photo in enumerate(before):
        if now is not photo and (now is None or now.source_id != photo.source_id):
            yield place
            continue
        if now is not photo and now is not None and now.gps_utc_time != photo.gps_utc_time:
            yield place
        now = next(left, None)


def with_clocks_only(group: DeviceGroup) -> tuple[PhotoSummary, ...]:
    """Return the device's photos, without the GPS times that are no clock's: for whoever needs instants."""
    wrong = listen(group).not_clocks
    return tuple(replace(photo, gps_utc_time=None) if photo.source_id in wrong else photo for photo in group.summaries)


# --------------------------------------------------------------------------- residuals


def residual_hours(photo: PhotoSummary) -> float | None:
    """Return claimed civil time minus true civil time, in hours; None where it cannot be told.

    Where the file writes its offset and GPS time confirms the instant, the clock is right whatever
    the place's law says: telephones keep a zone at sea, near borders and by old tables.
    """
    if photo.local_time is None or photo.gps_utc_time is None:
        return None
    raw = raw_hours(photo)
    if photo.offset_hours is not None and is_written(photo) and abs(raw - photo.offset_hours) <= TOGETHER_HOURS:
        return raw - photo.offset_hours
    offset = true_offset_hours(photo)
    return None if offset is None else raw - offset


def raw_hours(photo: PhotoSummary) -> float:
    """Return claimed civil time minus GPS time, in hours: the offset the clock itself was set to."""
    if photo.local_time is None or photo.gps_utc_time is None:
        raise ValueError("the photo lacks one of the two times")
    return (photo.local_time - photo.gps_utc_time) / timedelta(hours=1)


def true_offset_hours(photo: PhotoSummary) -> float | None:
    """Return the offset that civil clocks kept at the place at the GPS time; the written one without a place."""
    if photo.zone and photo.gps_utc_time is not None:
        return zones.offset_at_utc(photo.zone, photo.gps_utc_time)
    return photo.offset_hours


def is_written(photo: PhotoSummary) -> bool:
    """Return whether the offset stands in the file rather than being worked out from place or GPS time."""
    return photo.utc_source is None or not photo.utc_source.is_derived


# --------------------------------------------------------------------------- patterns


def _known(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], Statement]:
    """Set aside what the file itself, or the whole case, has shown to be no clock."""
    spared = [photo for photo in kept if photo.gps_fault is None or photo.gps_fault is GpsFault.CONSTANT_DATE]
    said = template(
        "The GPS time of {photos:?1 photo|# photos} is no clock's, as the rule on GPS time tells of each: "
        "it is not heard."
    )
    return spared, _note(kept, spared, said)


def _without_time(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], Statement]:
    """Set aside the zero of the receiver's count."""
    spared = [photo for photo in kept if not _is_zero(photo)]
    said = template(
        "The GPS time of {photos:?1 photo|# photos} is midnight to the second, or stands where a receiver's count "
        "of time begins: it had no time yet."
    )
    return spared, _note(kept, spared, said)


def _is_zero(photo: PhotoSummary) -> bool:
    gps, local = photo.gps_utc_time, photo.local_time
    if gps is None or local is None:
        return True
    if gps < FIRST_DIGITAL or (gps.time() == MIDNIGHT and is_bare_date(gps, residual_hours(photo))):
        return True
    return any(gps.date() == zero.date() for zero in ZERO_DATES) and abs(local - gps) > timedelta(days=2)


def is_bare_date(gps_utc: datetime, apart_hours: float | None) -> bool:
    """Return whether a GPS time is a date alone: exactly midnight, where the clock says another hour.

    Args:
        gps_utc: as the file has it.
        apart_hours: by how much the clock is off it, None where that is not known.
    """
    return gps_utc.time() == MIDNIGHT and (apart_hours is None or abs(apart_hours) > TOGETHER_HOURS)


def _constant(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], Statement]:
    """Set aside a time of day that returns on several dates whatever the camera's own hour."""
    wrong: set[str] = set()
    for summaries in _by(kept, lambda photo: photo.gps_utc_time and photo.gps_utc_time.time()).values():
        dates = {summary.gps_utc_time.date() for summary in summaries if summary.gps_utc_time}
        is_usual = len(summaries) >= min(FEWEST_CONSTANT, len(kept))
        if len(dates) > 1 and is_usual and _spread_hours(summaries) > CONSTANT_SPREAD_HOURS:
            wrong |= {summary.source_id for summary in summaries}
    spared = [photo for photo in kept if photo.source_id not in wrong]
    said = template(
        "The GPS time of {photos:?1 photo|# photos} is one time of day on several dates: a constant, not a clock."
    )
    return spared, _note(kept, spared, said)


def _spread_hours(summaries: Sequence[PhotoSummary]) -> float:
    """Return how far apart the hours of day of some residuals lie."""
    hours = sorted(raw_hours(summary) % 24.0 for summary in summaries)
    gaps = [later - earlier for earlier, later in pairwise(hours)] + [24.0 - hours[-1] + hours[0]]
    return 24.0 - max(gaps)


def _stamped(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], Statement]:
    """Set aside one capture second in many files whose GPS times differ: a program wrote it."""
    wrong: set[str] = set()
    for summaries in _by(kept, lambda photo: photo.local_time).values():
        moments = sorted(summary.gps_utc_time for summary in summaries if summary.gps_utc_time)
        if len(set(moments)) >= FEWEST_STAMPED and moments[-1] - moments[0] > MOVED_ON:
            wrong |= {summary.source_id for summary in summaries}
    spared = [photo for photo in kept if photo.source_id not in wrong]
    said = template(
        "The GPS time of {photos:?1 photo|# photos} differs while the capture time is the same second: "
        "a program wrote that, not a clock."
    )
    return spared, _note(kept, spared, said)


def _rolled_over(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], Statement]:
    """Put the dates right that lie whole rounds of 1,024 weeks away."""
    turned = [_turned(photo) for photo in kept]
    count = sum(now is not before for now, before in zip(turned, kept, strict=True))
    if not count:
        return kept, ""
    return turned, Sentence(
        "The GPS date of {photos:?1 photo|# photos} is a multiple of 1,024 weeks away while its time of day agrees: "
        "a known fault of receivers, not of the clock.",
        photos=count,
    )


def _turned(photo: PhotoSummary) -> PhotoSummary:
    if photo.local_time is None or photo.gps_utc_time is None:
        return photo
    apart = photo.local_time - photo.gps_utc_time
    rounds = round(apart / ROLLOVER)
    # Any civil offset keeps the two within a day and a bit.
    if rounds == 0 or abs(apart - rounds * ROLLOVER) > timedelta(hours=26):
        return photo
    return replace(photo, gps_utc_time=photo.gps_utc_time + rounds * ROLLOVER)


def _frozen_date(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], Statement]:
    """Take the camera's date where the GPS date stands still over several days."""
    marked = {photo.source_id for photo in kept if photo.gps_fault is GpsFault.CONSTANT_DATE}
    if marked:
        return [_on_its_day(photo) if photo.source_id in marked else photo for photo in kept], _of_frozen_date(
            [photo for photo in kept if photo.source_id in marked]
        )
    gps_dates = {photo.gps_utc_time.date() for photo in kept if photo.gps_utc_time}
    claimed = {moment.date() for photo in kept if (moment := _claimed_utc(photo))}
    agree = sum(
        photo.gps_utc_time.date() == moment.date()
        for photo in kept
        if photo.gps_utc_time and (moment := _claimed_utc(photo))
    )
    # One re-dated file beside a day's photos is no receiver that stood still.
    if len(gps_dates) != 1 or len(claimed) < FEWEST_DAYS or agree > len(kept) / 2.0:
        return kept, ""
    return [_on_its_day(photo) for photo in kept], _of_frozen_date(kept)


def _of_frozen_date(photos: Sequence[PhotoSummary]) -> Sentence:
    return Sentence(
        "The GPS date is the same in {photos:?1 photo|# photos} of {days} days: the receiver's date "
        "stood still, and only its time of day is heard.",
        photos=len(photos),
        days=len({moment.date() for photo in photos if (moment := _claimed_utc(photo))}),
    )


def _claimed_utc(photo: PhotoSummary) -> datetime | None:
    return None if photo.local_time is None else photo.local_time - timedelta(hours=civil_offset_hours(photo))


def _on_its_day(photo: PhotoSummary) -> PhotoSummary:
    claimed = _claimed_utc(photo)
    if claimed is None or photo.gps_utc_time is None:
        return photo
    days = round((claimed - photo.gps_utc_time) / timedelta(days=1))
    return replace(photo, gps_utc_time=photo.gps_utc_time + timedelta(days=days))


def _repeated(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], Statement]:
    """Hear one GPS instant once, at the photo nearest to it: in the others it is the last fix, not a new one."""
    again: set[str] = set()
    for summaries in _by(kept, lambda photo: photo.gps_utc_time).values():
        first = min(summaries, key=lambda summary: (abs(residual_hours(summary) or 0.0), summary.source_id))
        again |= {summary.source_id for summary in summaries} - {first.source_id}
    spared = [photo for photo in kept if photo.source_id not in again]
    said = template("The GPS time of {photos:?1 photo|# photos} repeats that of another photo: it is heard once.")
    return spared, _note(kept, spared, said)


def _old_fixes(kept: list[PhotoSummary]) -> tuple[list[PhotoSummary], Statement]:
    """Set aside GPS times that lag behind the rest, unless by what a clock set ahead would keep."""
    known = np.array([hours for photo in kept if (hours := residual_hours(photo)) is not None])
    if not len(known) or known.max() - known.min() <= LEVEL_GAP_HOURS / 2.0:
        return kept, ""  # none lags behind, as of most cameras: no row is made of each photo
    rows = sorted(
        ((hours, photo) for photo in kept if (hours := residual_hours(photo)) is not None),
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
        photo.source_id
        for level in levels
        if level[0][0] - base > LEVEL_GAP_HOURS / 2.0 and not _is_kept_distance(level, base)
        for _, photo in level
    }
    spared = [photo for photo in kept if photo.source_id not in old]
    said = template(
        "The GPS time of {photos:?1 photo|# photos} lags behind the rest, as an old fix does, or a capture time that "
        "was changed: it is not heard."
    )
    return spared, _note(kept, spared, said)


_PATTERNS: tuple[tuple[Pattern, GpsFault | None], ...] = (
    (_known, None),
    (_without_time, GpsFault.NO_TIME),
    (_constant, GpsFault.CONSTANT_TIME),
    (_stamped, GpsFault.STAMPED),
    (_rolled_over, None),
    (_frozen_date, GpsFault.CONSTANT_DATE),
    (_repeated, GpsFault.REPEATED),
    (_old_fixes, None),  # which of the two it is, one photo cannot tell
)
"""What sets GPS times aside, or puts them right, in this order, and what a rule is told of the photos."""


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
    moments = [photo.gps_utc_time for _, photo in level if photo.gps_utc_time]
    return max(moments) - min(moments) > timedelta(hours=behind)


def _by(summaries: Sequence[PhotoSummary], key: Callable[[PhotoSummary], object]) -> dict[object, list[PhotoSummary]]:
    """Return those that share a key with another one, by it; of the others, which are most, eight bytes are held."""
    if len(summaries) <= FEW:
        of_all: dict[object, list[PhotoSummary]] = defaultdict(list)
        for summary in summaries:
            of_all[key(summary)].append(summary)
        return {shared: several for shared, several in of_all.items() if len(several) > 1}
    marks = np.fromiter((hash(key(summary)) for summary in summaries), np.int64, len(summaries))
    _, inverse, times = np.unique(marks, return_inverse=True, return_counts=True)
    found: dict[object, list[PhotoSummary]] = defaultdict(list)
    for number in np.flatnonzero(times[inverse] > 1).tolist():
        found[key(summaries[number])].append(summaries[number])
    return found


def _note(before: Sequence[PhotoSummary], after: Sequence[PhotoSummary], said: str) -> Statement:
    """Return what is said, a template, of the photos that were set aside; "" without any."""
    count = len(before) - len(after)
    return Sentence(said, photos=count) if count else ""
