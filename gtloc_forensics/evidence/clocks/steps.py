"""A clock set back while another count ran on: the one step that a file's own counts show where GPS time is missing.

A shutter count says in which order photos were taken; time since power-on says besides
how much time passed between two of them at the least (it stands still while a device
sleeps). Where claimed time falls short of that, the clock was set back in between, by at
least the difference. What is known of the clock on one side then speaks of the other too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gtloc_forensics.evidence.clocks import witnesses as clock_witnesses
from gtloc_forensics.evidence.clocks.prior import Floats
from gtloc_forensics.evidence.clocks.receiver import FIRST_DIGITAL
from gtloc_forensics.evidence.exposure.clock_offsets import OFFSETS_HOURS, civil_offset_hours
from gtloc_forensics.records import DeviceGroup, PhotoSummary

# Capture and uptime are written up to some seconds apart (rule GF401); a step worth telling is longer.
TOLERANCE_S = 30.0
WIDEST_ZONES_HOURS = 14.0  # as in rule GF402
# That the count is another body's or was edited is told by the step's own probability; given the step, little is left.
FLOOR = 1e-3


@dataclass(frozen=True, slots=True)
class Step:
    """The photos on either side of the one place where claimed time falls behind a count."""

    before: DeviceGroup
    after: DeviceGroup
    fell_hours: float  # at least: what passed unseen between the two photos comes on top
    is_by_uptime: bool  # time since power-on ran on, not a counter

    @property
    def first_after(self) -> PhotoSummary:
        """The first photo taken with the clock set anew."""
        return self.after.summaries[0]

    @property
    def is_restart(self) -> bool:
        """Whether the clock went on from a date that lost clocks start from."""
        moment = self.first_after.local_time
        return moment is not None and clock_witnesses.starts_over(moment)

    def of_other(self, other_mass: Floats, *, is_before: bool) -> Floats:
        """Return what one side of the step says of the other, as a log likelihood ``[K]``.

        The offset before is greater than the offset after by :attr:`fell_hours` or more. This is
        the message that a two-node chain passes (Pearl 1988): summed over the other side's posterior.

        Args:
            other_mass: ``[K]`` the other side's own posterior over the offsets.
            is_before: whether the side asked about is the one before the step.
        """
        if self.fell_hours > OFFSETS_HOURS[-1]:  # a lost date: its sides know nothing of each other
            return np.zeros(len(OFFSETS_HOURS))
        least = self.fell_hours - TOLERANCE_S / 3600.0
        apart = OFFSETS_HOURS[:, None] - OFFSETS_HOURS[None, :]
        allowed = (apart if is_before else -apart) >= least
        mass = np.where(allowed, 1.0 - FLOOR, FLOOR) @ (other_mass / other_mass.sum())
        return np.asarray(np.log(mass / mass.max()), dtype=np.float64)


def step_of(group: DeviceGroup) -> Step | None:
    """Return the one step that the device's counts show; None without one, or where two devices may be mixed."""
    return None if group.doubt else next((step for step in (_by_counter(group), _by_uptime(group)) if step), None)


def _by_counter(group: DeviceGroup) -> Step | None:
    falls = clock_witnesses.counter_steps(group)
    ordered = clock_witnesses.in_counter_order(group)
    if len(falls) != 1:
        return None
    step = _split(group, ordered, falls[0], ran_s=0.0, is_by_uptime=False)
    return None if step is None or _is_one_photo(step, ordered, falls[0], clock_witnesses.falls_of) else step


def _by_uptime(group: DeviceGroup) -> Step | None:
    """Return the step that one run of the device shows: claimed time fell behind time since power-on once."""
    counted = sorted(
        (summary for summary in group.summaries if summary.uptime_s is not None and summary.local_time is not None),
        key=lambda photo: (photo.uptime_s or 0.0, photo.source_id),
    )
    falls = tuple(_falls_behind(counted))
    if len(falls) != 1 or not _is_one_run(counted[: falls[0]], counted[falls[0] :]):
        return None
    earlier, later = counted[falls[0] - 1], counted[falls[0]]
    ran_s = (later.uptime_s or 0.0) - (earlier.uptime_s or 0.0)
    step = _split(group, counted, falls[0], ran_s=ran_s, is_by_uptime=True)
    return None if step is None or _is_one_photo(step, counted, falls[0], _falls_behind) else step


def _is_one_photo(
    step: Step, ordered: Sequence[PhotoSummary], fall: int, falls_of: Callable[[Sequence[PhotoSummary]], Iterable[int]]
) -> bool:
    """Whether one photo beside the fall, left out, puts the rest in order: then it is astray, and no clock was set.

    A fall no longer than zones are apart is told as a step all the same: clocks are set by as much.
    """
    if step.fell_hours <= WIDEST_ZONES_HOURS:
        return False
    return any(not tuple(falls_of([*ordered[:odd], *ordered[odd + 1 :]])) for odd in (fall - 1, fall))


def _falls_behind(counted: Sequence[PhotoSummary]) -> Iterator[int]:
    least_s = clock_witnesses.STEP_BACK.total_seconds()
    for index, (earlier, later) in enumerate(pairwise(counted), 1):
        ran_s = (later.uptime_s or 0.0) - (earlier.uptime_s or 0.0)
        if ran_s - _claimed_s(later, earlier) >= least_s:
            yield index


def _is_one_run(before: Sequence[PhotoSummary], after: Sequence[PhotoSummary]) -> bool:
    """Whether no photo before the fall can belong to a later run: none was switched on after one of the other side."""
    first = min(after, key=lambda photo: photo.local_time or FIRST_DIGITAL)
    return all((photo.uptime_s or 0.0) > _claimed_s(photo, first) + TOLERANCE_S for photo in before)


def _claimed_s(later: PhotoSummary, earlier: PhotoSummary) -> float:
    """Return the seconds between two claimed civil times, each taken at the offset legal at its place."""
    if later.local_time is None or earlier.local_time is None:
        return 0.0
    return (later.local_time - earlier.local_time).total_seconds() - 3600.0 * (
        civil_offset_hours(later) - civil_offset_hours(earlier)
    )


def _split(
    group: DeviceGroup, ordered: Sequence[PhotoSummary], index: int, *, ran_s: float, is_by_uptime: bool
) -> Step | None:
    before, after = tuple(ordered[:index]), tuple(ordered[index:])
    if min(len(before), len(after)) < 2:
        return None
    fell_hours = (ran_s - _claimed_s(after[0], before[-1])) / 3600.0
    if fell_hours * 3600.0 < clock_witnesses.STEP_BACK.total_seconds():
        return None  # a journey west, the clock rightly set to the zone there
    return Step(replace(group, summaries=before), replace(group, summaries=after), fell_hours, is_by_uptime)
