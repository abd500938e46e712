"""Times that no clock showed: zeros of epochs, constants of firmware, counts of weeks that started anew.

Statement by pattern, in every zone, and never where another clock of the same file confirms the time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

DAY = timedelta(days=1)
ZONES = timedelta(hours=26)
"""The widest that two wall clocks can differ while telling one instant: UTC−12 to UTC+14."""

EPOCHS = (
    datetime(1899, 12, 30),  # OLE automation
    datetime(1900, 1, 1),  # NTP, spreadsheets
    datetime(1904, 1, 1),  # Mac OS, QuickTime
    datetime(1970, 1, 1),  # Unix
    datetime(1980, 1, 6),  # GPS
)
"""Zeros at which no digital camera and no receiver has taken a photo."""

ROLL_OVERS = (datetime(1999, 8, 22), datetime(2019, 4, 7))
"""When the GPS count of weeks, which has ten bits, began anew (IS-GPS-200 §20.3.3.3.1.1)."""

FIRST_RECEIVER = datetime(1995, 1, 1)
"""No receiver wrote its time into a picture before: EXIF with GPS is of 1998 (JEIDA-49-2)."""

_YEAR_AFTER_EPOCHS = max(EPOCHS).year + 1

FIRMWARE_CONSTANTS = (datetime(2002, 12, 8, 12),)
"""Written by the chips of many telephones as the time of digitising, some as that of capture, to the second."""

WEEKS_OF_A_COUNT = 1024
RUNS_ON = timedelta(minutes=10)


def is_zero(wall: datetime) -> bool:
    """Return whether a wall clock shows the zero of an epoch, in any zone, or a constant of firmware."""
    if wall.year >= _YEAR_AFTER_EPOCHS:
        return wall in FIRMWARE_CONSTANTS
    return any(epoch - timedelta(hours=12) <= wall < epoch + DAY for epoch in EPOCHS)


def is_year_start(wall: datetime) -> bool:
    """Return whether a wall clock shows the first minutes of a year, or noon of its first day to the second.

    That is where firmware starts a lost clock, whatever the year; a photo of New Year's night looks the same.
    """
    start = datetime(wall.year, 1, 1)
    return wall - start < RUNS_ON or wall == start + timedelta(hours=12)


def is_receiver_default(utc: datetime, local: datetime | None) -> bool:
    """Return whether a GPS time is where a receiver without time stands, beside a camera clock at *local*."""
    if utc < FIRST_RECEIVER or is_zero(utc):
        return True
    if local is None or abs(local - utc) <= ZONES:
        return False
    rolled = any(abs(utc - start) <= DAY for start in ROLL_OVERS)
    return rolled or utc - datetime(utc.year, 1, 1) < RUNS_ON


def is_rolled_over(utc: datetime, local: datetime | None) -> bool:
    """Return whether a GPS time is the camera's, but for whole counts of 1024 weeks."""
    if local is None or local - utc < ZONES:
        return False
    count = timedelta(weeks=WEEKS_OF_A_COUNT)
    turns = round((local - utc) / count)
    return turns > 0 and abs(local - utc - turns * count) <= ZONES


def is_epoch_counter(wall: datetime, local: datetime | None) -> bool:
    """Return whether a maker's clock is a counter near its epoch: seconds since power-on, or never set."""
    if wall < FIRST_RECEIVER:
        return True
    return local is not None and abs(local - wall) > ZONES and timedelta(0) <= wall - datetime(2000, 1, 1) < 60 * DAY
