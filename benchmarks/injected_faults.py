"""Faults put into tags as a wrong clock, a forgetful owner or a forger would, and nothing else changed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import numpy as np

from gtloc_forensics.records import Tags

Fault = Callable[[Tags, np.random.Generator], Tags]

_DATE = re.compile(r"^(\d{4})[:\-](\d\d)[:\-](\d\d)[ T](\d\d):(\d\d):(\d\d)(.*)$")
_SHIFTED = re.compile(
    r"^(ExifIFD|IFD0|XMP-exif|XMP-xmp|XMP-photoshop):(DateTimeOriginal|CreateDate|ModifyDate|DateTimeDigitized|DateCreated)$"
)
_OFFSETS = ("ExifIFD:OffsetTime", "ExifIFD:OffsetTimeOriginal", "ExifIFD:OffsetTimeDigitized")
GPS_TIME = ("GPS:GPSDateStamp", "GPS:GPSTimeStamp", "XMP-exif:GPSDateTime", "XMP-exif:GPSTimeStamp")
KM_PER_DEGREE = 111.19


def without_gps_time(tags: Tags) -> Tags:
    """Return tags without the receiver's time; the position stays."""
    return {name: value for name, value in tags.items() if name not in GPS_TIME}


def shift_hours(hours: float) -> Fault:
    """Move all wall-clock dates by either sign of *hours*, one sign for each draw."""
    return lambda tags, rng: _moved(tags, lambda moment, sign: moment + timedelta(hours=sign * hours), rng)


def exactly_hours(hours: float) -> Fault:
    """Move all wall-clock dates by *hours*."""
    return lambda tags, rng: _moved(tags, lambda moment, _: moment + timedelta(hours=hours), rng)


def shift_months(months: int) -> Fault:
    """Move all wall-clock dates by either sign of *months*; the day stays where the month has it."""
    return lambda tags, rng: _moved(tags, lambda moment, sign: _months_on(moment, sign * months), rng)


def am_pm(tags: Tags, rng: np.random.Generator) -> Tags:
    """Mix up a.m. and p.m. on the same day."""
    return _moved(tags, lambda moment, _: moment.replace(hour=(moment.hour + 12) % 24), rng)


def zone_forgotten(hours: int) -> Fault:
    """Leave clock and written zone on another zone: the instant stays right."""

    def forget(tags: Tags, rng: np.random.Generator) -> Tags:
        sign = _sign(rng)
        moved = dict(_moved(tags, lambda moment, _: moment + timedelta(hours=sign * hours), rng))
        for name in _OFFSETS:
            if moved.get(name):
                moved[name] = tuple(_offset_moved(str(value), sign * hours) for value in moved[name])
        return moved

    return forget


def move_km(km: float) -> Fault:
    """Move the position by *km* in any direction."""

    def move(tags: Tags, rng: np.random.Generator) -> Tags:
        place = position(tags)
        if place is None:
            return tags
        turn = rng.uniform(0.0, 2.0 * math.pi)
        arc, start = km / KM_PER_DEGREE, math.radians(place[0])
        latitude = math.asin(
            math.sin(start) * math.cos(math.radians(arc))
            + math.cos(start) * math.sin(math.radians(arc)) * math.cos(turn)
        )
        east = math.atan2(
            math.sin(turn) * math.sin(math.radians(arc)) * math.cos(start),
            math.cos(math.radians(arc)) - math.sin(start) * math.sin(latitude),
        )
        longitude = (place[1] + math.degrees(east) + 180.0) % 360.0 - 180.0
        return with_position(tags, math.degrees(latitude), longitude)

    return move


def flip(which: str) -> Fault:
    """Lose the sign of the latitude or the longitude."""

    def lose(tags: Tags, _: np.random.Generator) -> Tags:
        place = position(tags)
        if place is None:
            return tags
        latitude, longitude = place
        return with_position(
            tags, -latitude if which == "latitude" else latitude, -longitude if which == "longitude" else longitude
        )

    return lose


FAULTS: Mapping[str, Fault] = {
    "clock ±1 h": shift_hours(1),
    "clock ±3 h": shift_hours(3),
    "clock ±6 h": shift_hours(6),
    "clock ±12 h": shift_hours(12),
    "a.m./p.m.": am_pm,
    "clock ±1 day": shift_hours(24),
    "clock ±1 month": shift_months(1),
    "clock ±3 months": shift_months(3),
    "clock ±6 months": shift_months(6),
    "zone forgotten ±2 h": zone_forgotten(2),
    "zone forgotten ±8 h": zone_forgotten(8),
    "position 50 km": move_km(50),
    "position 500 km": move_km(500),
    "position 5,000 km": move_km(5000),
    "latitude sign": flip("latitude"),
    "longitude sign": flip("longitude"),
}


# --------------------------------------------------------------------------- tags


def position(tags: Tags) -> tuple[float, float] | None:
    """Return the EXIF position in degrees."""
    try:
        latitude, longitude = (float(tags[f"GPS:GPS{name}"][0]) for name in ("Latitude", "Longitude"))
    except (KeyError, ValueError, IndexError):
        return None
    south = str(tags.get("GPS:GPSLatitudeRef", ("N",))[0]).upper().startswith("S")
    west = str(tags.get("GPS:GPSLongitudeRef", ("E",))[0]).upper().startswith("W")
    return -abs(latitude) if south else latitude, -abs(longitude) if west else longitude


def with_position(tags: Tags, latitude: float, longitude: float) -> Tags:
    """Return tags with another EXIF position; copies in XMP go."""
    kept = {name: value for name, value in tags.items() if not name.startswith("XMP-exif:GPSL")}
    return kept | {
        "GPS:GPSLatitude": (abs(latitude),),
        "GPS:GPSLatitudeRef": ("S" if latitude < 0 else "N",),
        "GPS:GPSLongitude": (abs(longitude),),
        "GPS:GPSLongitudeRef": ("W" if longitude < 0 else "E",),
    }


def _sign(rng: np.random.Generator) -> int:
    return 1 if rng.random() < 0.5 else -1


def _moved(tags: Tags, change: Callable[[datetime, int], datetime], rng: np.random.Generator) -> Tags:
    sign = _sign(rng)
    return {
        name: tuple(_changed(value, change, sign) for value in values) if _SHIFTED.match(name) else values
        for name, values in tags.items()
    }


def _changed(value: str | int | float, change: Callable[[datetime, int], datetime], sign: int) -> str | int | float:
    found = _DATE.match(str(value))
    if found is None:
        return value
    try:
        moment = datetime(*(int(part) for part in found.groups()[:6]))  # type: ignore[arg-type]
        return change(moment, sign).strftime("%Y:%m:%d %H:%M:%S") + found.group(7)
    except (ValueError, OverflowError):
        return value


def _months_on(moment: datetime, months: int) -> datetime:
    count = 12 * moment.year + moment.month - 1 + months
    for day in (moment.day, 30, 29, 28):
        try:
            return moment.replace(year=count // 12, month=count % 12 + 1, day=day)
        except ValueError:
            continue
    return moment


def _offset_moved(written: str, hours: int) -> str:
    found = re.match(r"^([+-])(\d\d):(\d\d)", written)
    if found is None:
        return written
    minutes = (60 * int(found[2]) + int(found[3])) * (1 if found[1] == "+" else -1) + 60 * hours
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
