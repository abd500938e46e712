"""Times that file names tell: what camera apps, messengers and screenshots call their files."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from gtloc_forensics.metadata.tag_values import DAY_S
from gtloc_forensics.records import TimeKind, TimeReading, TimeRole, visible

TAG = "System:FileName"

EARLIEST_YEAR, LATEST_YEAR = 1980, 2100
"""Eight digits outside these years are a number, not a date."""

_DAY = r"(?P<year>(?:19|20)[0-9]{2})(?P<mark>[-_.]?)(?P<month>[0-9]{2})(?P=mark)(?P<day>[0-9]{2})"
_CLOCK = r"(?P<hour>[0-9]{2})(?P<mark2>[-_.:h ]?)(?P<minute>[0-9]{2})(?P=mark2)(?P<second>[0-9]{2})"
_FULL = re.compile(rf"(?<![0-9]){_DAY}(?:[-_T. ]|[ _]at[ _])?{_CLOCK}(?:[-_.]?(?P<part>[0-9]{{3}}))?(?![0-9])")
_TWELVE_HOURS = re.compile(
    rf"(?<![0-9]){_DAY}[ _]at[ _]"
    r"(?P<hour>[0-9]{1,2})[.](?P<minute>[0-9]{2})[.](?P<second>[0-9]{2})\s?(?P<half>[AP]M)"
)
_DATE = re.compile(rf"(?<![0-9]){_DAY}(?![0-9])")
_TELEGRAM = re.compile(  # photo_12@15-06-2024_12-34-56.jpg, in exports of its desktop program
    r"^(?:photo|video|file|audio|round_video|voice)_[0-9]+@"
    r"(?P<day>[0-9]{2})-(?P<month>[0-9]{2})-(?P<year>(?:19|20)[0-9]{2})_"
    r"(?P<hour>[0-9]{2})-(?P<minute>[0-9]{2})-(?P<second>[0-9]{2})(?![0-9])"
)
_EPOCH_MS = re.compile(r"^(?:FB_IMG_|mmexport|received_|wx_camera_|Image_)?(?P<epoch>1[0-9]{12})(?![0-9])")
_UTC_APPS = re.compile(r"PXL_|.*[0-9]_UTC(?![A-Za-z0-9])")


def name_time(relative: bytes) -> TimeReading | None:
    """Return the time that the last part of a path tells, None when it tells none.

    Pixel phones name by UTC, and whoever puts ``_UTC`` behind it; most others by local time.
    WhatsApp gives the date of receipt only, Telegram that of the message, some programs
    milliseconds since 1970.
    """
    raw = visible(relative.rpartition(b"/")[2])
    name = raw[:255]
    if epoch := _EPOCH_MS.match(name):
        return _epoch(int(epoch["epoch"]), raw)
    kind = TimeKind.UTC if _UTC_APPS.match(name) else TimeKind.LOCAL
    for pattern in (_TELEGRAM, _TWELVE_HOURS, _FULL, _DATE):
        for found in pattern.finditer(name):
            if (reading := _reading(found, raw, kind)) is not None:
                return reading
    return None


def _reading(found: re.Match[str], raw: str, kind: TimeKind) -> TimeReading | None:
    parts = {name: value for name, value in found.groupdict().items() if value is not None}
    hour = int(parts.get("hour", 0))
    if "half" in parts:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if parts["half"] == "PM" else 0)
    try:
        wall = datetime(
            int(parts["year"]),
            int(parts["month"]),
            int(parts["day"]),
            hour,
            int(parts.get("minute", 0)),
            int(parts.get("second", 0)),
            int(parts.get("part", 0)) * 1000,
        )
    except ValueError:
        return None
    if not EARLIEST_YEAR <= wall.year <= LATEST_YEAR:
        return None
    resolution_s = DAY_S if "hour" not in parts else 0.001 if "part" in parts else 1.0
    dated = TimeKind.LOCAL if "hour" not in parts else kind
    return TimeReading(wall, dated, TimeRole.FILE_NAME, TAG, raw, resolution_s=resolution_s)


def _epoch(milliseconds: int, raw: str) -> TimeReading:
    wall = datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)
    return TimeReading(wall, TimeKind.UTC, TimeRole.FILE_NAME, TAG, raw, resolution_s=0.001)


_DCF = re.compile(r"(?P<free>[A-Za-z0-9_]{4})(?P<number>[0-9]{4})(?:\.[A-Za-z0-9]{2,4})?")


def name_number(relative: bytes) -> int | None:
    """Return the number in a name by the DCF standard (CIPA DC-009 §3.2.3: ``IMG_1234.JPG``), else None."""
    found = _DCF.fullmatch(visible(relative.rpartition(b"/")[2]))
    if found is None or found["free"].isdigit() or found["number"] == "0000":
        return None
    return int(found["number"])
