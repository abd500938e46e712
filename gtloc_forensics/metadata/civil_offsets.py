"""Which offsets from UTC some civil clock keeps, or since 1970 kept (tz database)."""

from __future__ import annotations

from datetime import datetime

CIVIL_OFFSETS = (*range(-12, 15), -9.5, -4.5, -3.5, -2.5, 3.5, 4.5, 5.5, 5.75, 6.5, 8.5, 8.75, 9.5, 10.5, 12.75, 13.75)
"""Hours by which some civil clock differs, or since 1970 differed, from UTC (tz database)."""


def civil_offset_between(local: datetime, utc: datetime, *, tolerance_s: float) -> float | None:
    """Return the civil offset, in hours, that lies between two clocks; None when none does within the tolerance."""
    gap_s = (local - utc).total_seconds()
    nearest = min(CIVIL_OFFSETS, key=lambda hours: abs(gap_s - 3600.0 * hours))
    return float(nearest) if abs(gap_s - 3600.0 * nearest) <= tolerance_s else None
