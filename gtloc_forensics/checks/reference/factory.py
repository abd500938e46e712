"""Dates at which a clock starts again when it has lost its time, and constants that firmware writes for a time."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from gtloc_forensics.records import Claim, Device, Stated

# Firmware starts a lost clock on 1 January of a year of its own. 1970 (Unix), 1980 (FAT file system and the GPS
# epoch, 6 January 1980), 1998–2020: seen as "not set" dates of cameras. A reset camera counts on from there, so the
# first days after count too.
DEFAULT_YEARS = (1970, 1980, *range(1998, 2021))
GPS_EPOCH = datetime(1980, 1, 6)
UNIX_EPOCH = datetime(1970, 1, 1)
# A reset clock that ran a whole day has mostly been noticed; wider windows would excuse genuine New Year photos.
RUNS_ON = timedelta(hours=24)
# Where something else shows the date to be false, a reset clock may have run this long unnoticed.
LONG_RUN_DAYS = 60
# Before digital cameras wrote EXIF (1995, JEIDA-49-2:1998 is its first edition) no clock reading is genuine.
FIRST_DIGITAL = datetime(1995, 1, 1)
# A zero that counts UTC is shown in local time, so it may read up to half a day earlier or later.
WESTERNMOST = timedelta(hours=12)

# Chip firmware of one maker writes this in the date of digitising, some telephones as the capture time as well.
FIRMWARE_CONSTANTS = (datetime(2002, 12, 8, 12, 0, 0),)

# What stands in GPS dates where the receiver had none: the zero of OLE dates, of HFS, of Unix, of FAT, of GPS weeks
# and of its two roll-overs so far (IS-GPS-200), of cameras.
GPS_ZEROS = (
    datetime(1899, 12, 30),
    datetime(1900, 1, 1),
    datetime(1904, 1, 1),
    UNIX_EPOCH,
    datetime(1980, 1, 1),
    GPS_EPOCH,
    datetime(1999, 8, 22),
    datetime(2000, 1, 1),
    datetime(2019, 4, 7),
)
# Seconds of the day that a maker's telephones write for a GPS time they do not have: Apple 20:00:00 in 15 of 328
# genuine files, of 10 sources and seven models, with whatever camera time beside it.
GPS_CONSTANTS = {"apple": (time(20, 0, 0),)}


def is_default(local: datetime) -> bool:
    """Return whether *local* is at or shortly after a factory default, as a clock that was reset shows.

    A genuine photo of 1 January of one of those years looks the same; so a rule may say
    *explained* or *doubtful* for it, never *false*.
    """
    if local in FIRMWARE_CONSTANTS:
        return True
    if local < FIRST_DIGITAL:
        is_unix_zero = -WESTERNMOST <= local - UNIX_EPOCH < RUNS_ON
        return _since_start(local) or is_unix_zero or timedelta(0) <= local - GPS_EPOCH < RUNS_ON
    return local.year in DEFAULT_YEARS and _since_start(local)


def is_claimed_default(claim: Claim) -> bool:
    """Return whether the claimed time is a default of that list, or the start of whatever year, which nothing confirms.

    Only for rules that know the date to be false by something else: a photo of New Year's night looks the same.
    """
    local = claim.local_time
    return isinstance(local, Stated) and (is_default(local.value) or local.tag in claim.default_tags)


def days_after_default(local: datetime) -> int | None:
    """Return how many days a clock that was reset would have run to show *local*; None when too many to say.

    Two real cameras were found 7 and 22 days after their 1 January, years before their model existed.
    """
    days = (local - datetime(local.year, 1, 1)).days
    return days if local.year in DEFAULT_YEARS and days < LONG_RUN_DAYS else None


def is_exact_default(local: datetime) -> bool:
    """Return whether *local* is within minutes of a factory default: hardly a genuine party at midnight."""
    if local in FIRMWARE_CONSTANTS:
        return True
    start = datetime(local.year, 1, 1)
    return is_default(local) and (local - start < timedelta(minutes=10) or local - start == timedelta(hours=12))


def is_gps_zero(gps_utc: datetime) -> bool:
    """Return whether a GPS time is the zero of some clock, or lies before GPS: the receiver had no time."""
    return gps_utc < FIRST_DIGITAL or any(timedelta(0) <= gps_utc - zero < RUNS_ON for zero in GPS_ZEROS)


def is_gps_constant(gps_utc: datetime, device: Device) -> bool:
    """Return whether a GPS time of day is one that telephones of this maker write when they have none."""
    make = device.make.strip().lower() if isinstance(device.make, str) else ""
    return gps_utc.time() in GPS_CONSTANTS.get(make, ())


def _since_start(local: datetime) -> bool:
    return local - datetime(local.year, 1, 1) < RUNS_ON
