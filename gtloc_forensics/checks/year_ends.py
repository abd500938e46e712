"""Which devices went on through the turn of a year: a clock that was at work on the evening before was not reset."""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.records import UNKNOWN_DEVICE, Claim, Stated

EVENING_HOUR = 18


class YearEnds:
    """Photos of the first day of a year, and the devices that were seen at work on the evening before."""

    def __init__(self) -> None:
        """Start with no photo."""
        self._eves: set[tuple[str, int]] = set()
        self._first_days: list[tuple[str, int, str]] = []

    def hear(self, claim: Claim) -> None:
        """Take note of the day and hour that one photo claims."""
        if not isinstance(claim.local_time, Stated) or claim.device.key == UNKNOWN_DEVICE:
            return
        local, key = claim.local_time.value, claim.device.key
        if (local.month, local.day) == (12, 31) and local.hour >= EVENING_HOUR:
            self._eves.add((key, local.year + 1))
        elif (local.month, local.day) == (1, 1):
            self._first_days.append((key, local.year, claim.source_id))

    def run_through(self) -> Iterator[str]:
        """Yield the photos of a first day whose device also took photos in the last hours of the year before."""
        for key, year, source_id in self._first_days:
            if (key, year) in self._eves:
                yield source_id
