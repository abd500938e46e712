"""Which civil time is legal where and when: zones at a position, offsets of a zone at a date.

A place may have several legal zones (Xinjiang keeps two clocks), an hour may come
twice or never; every function here gives all that could apply. Zone rules come
from the pinned ``tzdata`` package before the system's, without touching the
embedding program's ``zoneinfo`` settings; :func:`tzdata_version` names them.
"""

from __future__ import annotations

import importlib
import importlib.resources
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.errors import ToolMissing
from gtloc_forensics.records import Position

if TYPE_CHECKING:
    from timezonefinder import TimezoneFinder

KM_PER_DEGREE = 111.19  # of latitude, mean
EARLIEST_OFFSET_HOURS = -12.0
LATEST_OFFSET_HOURS = 14.0

# Where two states both claim to set the clock, the polygons know only one. Sources: tz database,
# files `europe` and `asia`, comments on the zones named.
ALSO_KEPT = {
    "Europe/Simferopol": ("Europe/Kyiv",),
    "Asia/Hebron": ("Asia/Jerusalem",),
    "Asia/Famagusta": ("Asia/Nicosia",),
    "Africa/El_Aaiun": ("Etc/GMT",),
}


@cache
def _finder() -> TimezoneFinder:
    from timezonefinder import TimezoneFinder  # 32 MB of polygons: only when a position is asked for

    return TimezoneFinder(in_memory=False)


@cache
def _boxes() -> NDArray[np.int64]:
    """Return ``[4, polygons]``: west, east, south, north of every polygon, in 1e-7 degrees."""
    boundaries = _finder().boundaries
    return np.array([boundaries.xmin, boundaries.xmax, boundaries.ymin, boundaries.ymax], dtype=np.int64)


@lru_cache(maxsize=4_096)
def zones_at(position: Position) -> tuple[str, ...]:
    """Return every IANA zone legal at *position*, the usual one first.

    At sea it is the nautical zone, ``Etc/GMT±n``. Never empty.
    """
    finder = _finder()
    first = finder.timezone_at(lng=position.longitude_deg, lat=position.latitude_deg)
    x, y = round(position.longitude_deg * 1e7), round(position.latitude_deg * 1e7)
    west, east, south, north = _boxes()
    candidates = np.flatnonzero((west <= x) & (x <= east) & (south <= y) & (y <= north))
    inside = {
        str(finder.zone_name_from_boundary_id(int(polygon)))
        for polygon in candidates
        if finder.inside_of_polygon(int(polygon), x, y)
    }
    # timezone_at sees a point on a seam (latitude −90, longitude 180) in a zone though no polygon holds it.
    usual = str(first) if first is not None else min(inside)
    land = {name for name in inside if not is_nautical(name)}
    others = sorted((land or inside) | {also for name in inside | {usual} for also in ALSO_KEPT.get(name, ())})
    return (usual, *(name for name in others if name != usual))


def zones_near(position: Position, *, distance_km: float) -> tuple[str, ...]:
    """Return the zones at *position* and at eight points round it: those a border could mix up."""
    found = dict.fromkeys(zones_at(position))
    reach_lat = distance_km / KM_PER_DEGREE
    reach_lon = reach_lat / max(0.01, float(np.cos(np.radians(position.latitude_deg))))
    for north in (-1, 0, 1):
        for east in (-1, 0, 1):
            latitude = min(90.0, max(-90.0, position.latitude_deg + north * reach_lat))
            longitude = (position.longitude_deg + east * reach_lon + 180.0) % 360.0 - 180.0
            found |= dict.fromkeys(zones_at(Position(latitude, longitude)))
    return tuple(found)


def is_nautical(zone: str) -> bool:
    """Return whether *zone* is one of the nautical zones of the open sea."""
    return zone.startswith("Etc/")


@cache
def zone_info(zone: str) -> ZoneInfo:
    """Return the rules of *zone* from the ``tzdata`` package, else from the system.

    Raises:
        ToolMissing: when neither knows the zone.
    """
    packaged = _packaged(zone)
    if packaged is not None:
        return packaged
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise ToolMissing(f"time zone {zone}", "pip install --upgrade tzdata") from problem


def _packaged(zone: str) -> ZoneInfo | None:
    parts = zone.split("/")
    if not all(part and part.replace("_", "").replace("-", "").replace("+", "").isalnum() for part in parts):
        return None  # never lets a name climb out of the folder
    try:
        with importlib.resources.files("tzdata").joinpath("zoneinfo", *parts).open("rb") as data:
            return ZoneInfo.from_file(data, key=zone)
    except (ModuleNotFoundError, FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def tzdata_version() -> str:
    """Return the version of the zone rules in use, for example ``2026f (tzdata)``."""
    try:
        return f"{importlib.import_module('tzdata').IANA_VERSION} (tzdata)"
    except ModuleNotFoundError:
        return f"system ({TZPATH[0] if TZPATH else 'none'})"


def tzdata_table(file: str) -> list[list[str]]:
    """Return the rows of a table of the ``tzdata`` package, as ``zone.tab``; none where the package lacks it."""
    try:
        text = importlib.resources.files("tzdata").joinpath("zoneinfo", file).read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError):
        return []
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


def polygons_version() -> str:
    """Return the version of the zone polygons in use."""
    return str(_finder().data_version)


@lru_cache(maxsize=2_048)
def offsets_hours(zone: str, local: datetime) -> tuple[float, ...]:
    """Return the UTC offsets with which *zone* could show the wall clock *local*.

    One, almost always. Two, ascending, in an hour that comes twice, and in an hour that is
    skipped (:func:`is_skipped`): there, the offsets before and after the jump.
    """
    rules = zone_info(zone)
    return tuple(sorted({_offset(rules, local, fold=0), _offset(rules, local, fold=1)}))


def _offset(rules: ZoneInfo, local: datetime, *, fold: int) -> float:
    offset = local.replace(tzinfo=rules, fold=fold).utcoffset()
    return 0.0 if offset is None else offset.total_seconds() / 3600.0


def is_skipped(zone: str, local: datetime) -> bool:
    """Return whether the clocks of *zone* never showed *local* (they jumped over it)."""
    rules = zone_info(zone)
    try:
        shown = local.replace(tzinfo=rules, fold=0).astimezone(UTC).astimezone(rules)
    except OverflowError:  # the first or last day of the calendar
        return False
    return shown.replace(tzinfo=None) != local.replace(fold=0)


def legal_offsets(zones: tuple[str, ...], local: datetime) -> tuple[float, ...]:
    """Return all offsets with which any of *zones* could show *local*, ascending."""
    return tuple(sorted({offset for zone in zones for offset in offsets_hours(zone, local)}))


def zone_offsets_range(zones: tuple[str, ...], local: datetime) -> tuple[float, float] | None:
    """Return the least and the greatest legal offset, or None without a zone."""
    offsets = legal_offsets(zones, local)
    return (offsets[0], offsets[-1]) if offsets else None


def offset_at_utc(zone: str, utc: datetime) -> float:
    """Return the offset that *zone* keeps at the naive UTC instant *utc*, in hours."""
    aware = utc.replace(tzinfo=UTC).astimezone(zone_info(zone))
    offset = aware.utcoffset()
    return 0.0 if offset is None else offset.total_seconds() / 3600.0


@lru_cache(maxsize=4_096)
def offsets_of_year(zone: str, year: int) -> tuple[float, ...]:
    """Return every offset that *zone* keeps at some time of *year*, ascending: winter and summer time."""
    first = datetime(min(max(year, 1800), 2200), 1, 1)
    return tuple(sorted({offset_at_utc(zone, first + timedelta(days=day)) for day in range(0, 366, 7)}))
