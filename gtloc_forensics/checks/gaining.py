"""Whether a camera's clock gains on GPS time, or loses: its lead or lag is then no age of a fix, however long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gtloc_forensics.evidence.clocks import receiver

DAY_S = 86_400.0
SHORTEST_S = 14 * DAY_S
FASTEST = 60.0 / DAY_S  # a minute a day, many times what a quartz gains
STRAIGHT_S = 90.0  # as for the drift of a clock model


def at_one_rate(leads: Sequence[tuple[datetime, float]]) -> bool:
    """Return whether leads over GPS time, each (GPS time, seconds), grow or fall along one line over weeks."""
    if len(leads) < receiver.FEWEST_GAINING:
        return False
    ordered = sorted(leads)
    (begun, first_s), (ended, last_s) = ordered[0], ordered[-1]
    span_s, gained_s = (ended - begun).total_seconds(), last_s - first_s
    if span_s < SHORTEST_S or not 0.0 < abs(gained_s) <= FASTEST * span_s:
        return False
    return all(
        abs(lead_s - first_s - gained_s * (moment - begun).total_seconds() / span_s) <= STRAIGHT_S
        for moment, lead_s in ordered
    )
