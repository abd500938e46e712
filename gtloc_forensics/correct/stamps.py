"""Times as tags hold them: parsed with their precision, fraction and zone, so that a shift keeps all three."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, unique

from gtloc_forensics.metadata import tag_values

SAME_MOMENT = timedelta(seconds=2)
"""Two tags written by one press of the shutter may differ by this much, not by more."""


@unique
class Precision(IntEnum):
    """How far down a stamp goes."""

    DAY = 0
    MINUTE = 1
    SECOND = 2


@dataclass(frozen=True, slots=True)
class Stamp:
    """A wall clock reading as one tag holds it; ``fraction`` are its digits after the point, ``zone`` its suffix."""

    wall: datetime  # naive, whole seconds
    precision: Precision = Precision.SECOND
    fraction: str = ""
    zone: str = ""

    def exif(self) -> str:
        """Return it as exiftool writes and reads it, ``2024:06:15 12:00:00.25+02:00``."""
        clock = ("", " %H:%M", " %H:%M:%S")[self.precision]
        fraction = f".{self.fraction}" if self.fraction and self.precision is Precision.SECOND else ""
        zone = self.zone if self.precision is not Precision.DAY else ""
        return exif_date(self.wall) + self.wall.strftime(clock) + fraction + zone

    def at(self, wall: datetime, *, zone: str | None = None) -> Stamp:
        """Return the stamp moved to another wall time, with all it says beyond that; *zone* replaces its own."""
        moved = wall.replace(microsecond=0)
        return replace(self, wall=moved, zone=self.zone if zone is None else zone)

    def shifted(self, by: timedelta) -> Stamp:
        """Return the stamp moved by whole seconds."""
        return self.at(self.wall + by)

    def is_near(self, wall: datetime) -> bool:
        """Return whether it speaks of the same moment as *wall*, within its precision."""
        if self.precision is Precision.DAY:
            return self.wall.date() == wall.date()
        slack = SAME_MOMENT if self.precision is Precision.SECOND else timedelta(minutes=1)
        return abs(self.wall - wall) <= slack


def parsed(text: object, *, compact: bool = True) -> Stamp | None:
    """Return the stamp in a tag's value, or None when it is no full date (zeros, blanks, a bare year).

    ``compact`` as for :func:`tag_values.moment`.
    """
    found = tag_values.moment(str(text), compact=compact)
    if found is None or not found.is_full_date or found.resolution_s == tag_values.HOUR_S:
        return None
    return Stamp(found.wall.replace(microsecond=0), _precision(found.resolution_s), found.fraction, found.zone)


def _precision(resolution_s: float) -> Precision:
    if resolution_s >= tag_values.DAY_S:
        return Precision.DAY
    return Precision.MINUTE if resolution_s > 1.0 else Precision.SECOND


def exif_date(moment: datetime) -> str:
    """Return a date as EXIF writes it; strftime would not pad the year 987."""
    return f"{moment.year:04d}:{moment:%m:%d}"
