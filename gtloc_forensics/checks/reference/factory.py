"""Dates at which a clock starts again when it has lost its time."""

from __future__ import annotations

from datetime import datetime, timedelta

# Firmware starts a lost clock on 1 January of a year of its own. 1970 (Unix), 1980 (FAT file system and the GPS
# epoch, 6 January 1980), 1998–2020: seen as "not set" dates of cameras. A reset camera counts on from there, so the
# first days after count too.
DEFAULT_YEARS = (1970, 1980, *range(1998, 2021))
GPS_EPOCH = datetime(1980, 1, 6)
# A reset clock that ran a whole day has mostly been noticed; wider windows would excuse genuine New Year photos.
RUNS_ON = timedelta(hours=24)
# Where something else shows the date to be false, a reset clock may have run this long unnoticed.
LONG_RUN_DAYS = 60
# Before digital cameras wrote EXIF (1995, JEIDA-49-2:1998 is its first edition) no clock reading is genuine.
FIRST_DIGITAL = datetime(1995, 1, 1)


def is_default(local: datetime) -> bool:
    """Return whether *local* is at or shortly after a factory default, as a clock that was reset shows.

    A genuine photo of 1 January of one of those years looks the same; so a rule may say
    *explained* or *doubtful* for it, never *false*.
    """
    if local < FIRST_DIGITAL:
        return _since_start(local) or timedelta(0) <= local - GPS_EPOCH < RUNS_ON
    return local.year in DEFAULT_YEARS and _since_start(local)


def days_after_default(local: datetime) -> int | None:
    """Return how many days a clock that was reset would have run to show *local*; None when too many to say.

    Two real cameras were found 7 and 22 days after their 1 January, years before their model existed.
    """
    days = (local - datetime(local.year, 1, 1)).days
    return days if local.year in DEFAULT_YEARS and days < LONG_RUN_DAYS else None


def is_exact_default(local: datetime) -> bool:
    """Return whether *local* is within minutes of a factory default: hardly a genuine party at midnight."""
    start = datetime(local.year, 1, 1)
    return is_default(local) and (local - start < timedelta(minutes=10) or local - start == timedelta(hours=12))


def _since_start(local: datetime) -> bool:
    return local - datetime(local.year, 1, 1) < RUNS_ON
