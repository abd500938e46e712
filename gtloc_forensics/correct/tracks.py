"""A GPS track as points in time, and where it says one was at an instant.

GPX is parsed here rather than handed to ``exiftool -geotag``: a plan must show the position
before anything is written, and every instant here is UTC — no system zone, no unit that
depends on the option it is given to (exiftool counts ``-geosync`` in seconds, a shift in hours).
"""

from __future__ import annotations

import bisect
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gtloc_forensics.errors import PlanError
from gtloc_forensics.files.opening import words
from gtloc_forensics.records import Position

LONGEST_GAP = timedelta(minutes=30)
"""Between track points further apart nothing is interpolated (exiftool's GeoMaxIntSecs default, 1800 s)."""
LONGEST_REACH = timedelta(minutes=30)
"""Beyond the ends of a track, the end counts for this long (exiftool's GeoMaxExtSecs default, 1800 s)."""
LARGEST_FILE = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fix:
    """Where a receiver was at one instant (naive, UTC)."""

    utc_time: datetime
    position: Position


@dataclass(frozen=True, slots=True)
class Track:
    """Fixes in the order of their times."""

    fixes: tuple[Fix, ...]

    def at(self, utc_time: datetime) -> Position | None:
        """Return the position at a naive UTC instant; None where the track does not tell."""
        after = bisect.bisect_left(self.fixes, utc_time, key=lambda fix: fix.utc_time)
        if after < len(self.fixes) and self.fixes[after].utc_time == utc_time:
            return self.fixes[after].position
        if after == 0 or after == len(self.fixes):
            return self._beyond(utc_time)
        return _between(self.fixes[after - 1], self.fixes[after], utc_time)

    def _beyond(self, utc_time: datetime) -> Position | None:
        if not self.fixes:
            return None
        end = self.fixes[0] if utc_time < self.fixes[0].utc_time else self.fixes[-1]
        return end.position if abs(end.utc_time - utc_time) <= LONGEST_REACH else None


def _between(before: Fix, after: Fix, utc_time: datetime) -> Position | None:
    gap = after.utc_time - before.utc_time
    if gap > LONGEST_GAP:
        return None
    return along(before.position, after.position, (utc_time - before.utc_time) / gap)


def along(start: Position, end: Position, part: float) -> Position:
    """Return the point a *part* (0–1) of the way along the great circle from *start* to *end*."""
    a, b = _vector(start), _vector(end)
    angle = math.acos(max(-1.0, min(1.0, sum(x * y for x, y in zip(a, b, strict=True)))))
    if angle < 1e-9 or angle > math.pi - 1e-6:  # one place, or no single way between
        return start if part < 0.5 else end
    weights = math.sin((1 - part) * angle) / math.sin(angle), math.sin(part * angle) / math.sin(angle)
    x, y, z = (weights[0] * p + weights[1] * q for p, q in zip(a, b, strict=True))
    return Position(math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x)))


def _vector(position: Position) -> tuple[float, float, float]:
    latitude, longitude = math.radians(position.latitude_deg), math.radians(position.longitude_deg)
    flat = math.cos(latitude)
    return flat * math.cos(longitude), flat * math.sin(longitude), math.sin(latitude)


def read_gpx(paths: Sequence[Path]) -> Track:
    """Return the track in one or several GPX files.

    Raises:
        PlanError: a file is not GPX, is larger than 256 MiB, declares entities, or no file holds a timed point.
    """
    fixes = sorted((fix for path in paths for fix in _fixes(path)), key=lambda fix: fix.utc_time)
    if not fixes:
        raise PlanError(f"no track point with a time in {', '.join(str(path) for path in paths)}")
    return Track(tuple(fixes))


def _fixes(path: Path) -> list[Fix]:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise PlanError(f"{path} is larger than a track can be; cut it")
        data = path.read_bytes()
        if re.search(rb"<!(DOCTYPE|ENTITY)", data, re.IGNORECASE) or b"\x00" in data[:64]:
            raise PlanError(f"{path} declares entities or is not UTF-8, which no GPX file needs; it is not read")
        root = ET.fromstring(data)
    except OSError as error:
        raise PlanError(f"{path} could not be read: {words(error)}") from error
    except (ET.ParseError, LookupError, ValueError) as error:  # no XML, or in letters that nobody knows
        raise PlanError(f"{path} could not be read as GPX ({error})") from error
    return [fix for point in root.iter() if point.tag.rpartition("}")[2] == "trkpt" and (fix := _fix(point))]


def _fix(point: ET.Element) -> Fix | None:
    stated = next((child.text for child in point if child.tag.rpartition("}")[2] == "time"), None)
    try:
        moment = datetime.fromisoformat((stated or "").strip())
        position = Position(float(point.get("lat", "nan")), float(point.get("lon", "nan")))
        utc_time = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment  # GPX: always UTC
    except (ValueError, OverflowError):  # no number, no place on the globe, no moment of our calendar
        return None
    return Fix(utc_time, position)
