"""A clock set back while the shutter counted on: the one step that counters show where GPS time is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gtloc_forensics.clock import witnesses as clock_witnesses
from gtloc_forensics.records import DeviceGroup, Sighting


@dataclass(frozen=True, slots=True)
class Step:
    """The photos on either side of the one place where claimed time falls while the counter rises."""

    before: DeviceGroup
    after: DeviceGroup
    fell_hours: float  # at least; the time that passed between the two photos comes on top

    @property
    def first_after(self) -> Sighting:
        """The first photo taken with the clock set anew."""
        return self.after.sightings[0]

    @property
    def is_restart(self) -> bool:
        """Whether the clock went on from a date that lost clocks start from."""
        moment = self.first_after.local_time
        return moment is not None and clock_witnesses.starts_over(moment)


def step_of(group: DeviceGroup) -> Step | None:
    """Return the one step that the device's counter shows; None without one, or where two devices may be mixed."""
    falls = clock_witnesses.counter_steps(group)
    if group.doubt or len(falls) != 1:
        return None
    ordered = clock_witnesses.in_counter_order(group)
    before, after = ordered[: falls[0]], ordered[falls[0] :]
    last, first = before[-1].local_time, after[0].local_time
    if min(len(before), len(after)) < 2 or last is None or first is None:
        return None
    hours = (last - first).total_seconds() / 3600.0
    return Step(replace(group, sightings=before), replace(group, sightings=after), hours)
