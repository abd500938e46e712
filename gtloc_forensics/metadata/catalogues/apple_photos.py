"""The library of Apple's Photos (``Photos.sqlite``), of an iPhone, an iPad or a Mac: what it keeps of each photo.

It keeps an instant and the offset of its zone, a position, the date it took the photo in, and the text of the EXIF
time that the file had then. Since iOS 15 "Adjust" changes the library alone: its time then differs from the text,
and the file keeps its own. Names of tables and columns changed over the years; those that are there are read.
"""

from __future__ import annotations

import plistlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from gtloc_forensics.earth import globe
from gtloc_forensics.metadata.catalogues import tables as values
from gtloc_forensics.metadata.catalogues.tables import Tables
from gtloc_forensics.metadata.tag_values import number
from gtloc_forensics.records import Absent, Catalogue, Position, SecondWitness, WitnessState

PROGRAM = "Apple Photos"

NAMES = ("photos.sqlite",)

KNOWN_VERSIONS = range(13, 19)
"""Thousands of ``PLModelVersion``: iOS 13 and macOS 10.15 to iOS 18 and macOS 15, as published."""

APPLE_EPOCH = datetime(2001, 1, 1)

NO_PLACE_DEG = -180.0
"""Both coordinates of a photo without a position."""

SAME_S = 2.0
SAME_KM = 1.0
WIDEST_OFFSET_S = 15 * 3600.0
LONGEST_PLIST_BYTES = 1 << 20

_ASSETS = ("ZASSET", "ZGENERICASSET")  # since iOS 14, before
_FURTHER = "ZADDITIONALASSETATTRIBUTES"
_EXIF = "ZEXTENDEDATTRIBUTES"

_OF_ASSET = (
    "ZDIRECTORY",
    "ZDATECREATED",
    "ZADDEDDATE",
    "ZLATITUDE",
    "ZLONGITUDE",
    "ZTRASHEDSTATE",
    "ZHIDDEN",
    "ZHASADJUSTMENTS",
    "ZADJUSTMENTSSTATE",
)
_OF_FURTHER = ("ZTIMEZONEOFFSET", "ZEXIFTIMESTAMPSTRING", "ZORIGINALFILENAME", "ZORIGINALFILESIZE")
_OF_EXIF = ("ZLATITUDE", "ZLONGITUDE")


def recognises(tables: Tables) -> bool:
    """Return whether a database is a library of Photos."""
    return any(tables.has(table, "Z_PK", "ZFILENAME") for table in _ASSETS)


def read(tables: Tables, *, source: str) -> Catalogue:
    """Return what the library keeps."""
    assets = next(table for table in _ASSETS if tables.has(table, "Z_PK", "ZFILENAME"))
    tables.insist_on(assets, "ZDATECREATED")
    version = _version(tables)
    witnesses = tuple(_witness(row, source=source, version=version) for row in _rows(tables, assets))
    is_known = version.isdecimal() and int(version) // 1000 in KNOWN_VERSIONS
    return Catalogue(PROGRAM, version, witnesses, "" if is_known else values.unknown_version(version))


def _version(tables: Tables) -> str:
    """Return the version of the library's model, which stands in a property list within the database."""
    if not tables.has("Z_METADATA", "Z_PLIST"):
        return ""
    packed = next(tables.rows("SELECT Z_PLIST FROM Z_METADATA"), (None,))[0]
    if not isinstance(packed, bytes) or len(packed) > LONGEST_PLIST_BYTES:
        return ""
    try:
        kept = plistlib.loads(packed)
    except Exception:  # the border: what a property list may raise is not written down
        return ""
    version = kept.get("PLModelVersion") if isinstance(kept, dict) else None
    return str(version)[:20] if isinstance(version, int) else ""


def _rows(tables: Tables, assets: str) -> Iterator[dict[str, Any]]:
    joins, columns = [], {"ZFILENAME": "a.ZFILENAME"}
    columns |= {name: tables.optional(assets, name, alias="a") for name in _OF_ASSET}
    for table, alias, link, names in (
        (_FURTHER, "f", "ZADDITIONALATTRIBUTES", _OF_FURTHER),
        (_EXIF, "e", "ZEXTENDEDATTRIBUTES", _OF_EXIF),
    ):
        joined = _join(tables, assets, table, alias=alias, link=link)
        joins += [joined] if joined else []
        prefix = "EXIF " if table == _EXIF else ""
        columns |= {prefix + name: tables.optional(table, name, alias=alias) if joined else "NULL" for name in names}
    query = f"SELECT {', '.join(columns.values())} FROM {assets} a {' '.join(joins)} ORDER BY a.Z_PK"
    for row in tables.rows(query):
        yield dict(zip(columns, row, strict=True))


def _join(tables: Tables, assets: str, table: str, *, alias: str, link: str) -> str:
    """Return how a further table hangs on that of the photos, ``""`` where nothing says so."""
    if tables.has(table, "ZASSET"):
        return f"LEFT JOIN {table} {alias} ON {alias}.ZASSET = a.Z_PK"
    if tables.has(table, "Z_PK") and tables.has(assets, link):
        return f"LEFT JOIN {table} {alias} ON {alias}.Z_PK = a.{link}"
    return ""


def _witness(row: dict[str, Any], *, source: str, version: str) -> SecondWitness:
    utc = instant(row["ZDATECREATED"])
    offset_hours = _offset_hours(row["ZTIMEZONEOFFSET"])
    exif = values.wall(row["ZEXIFTIMESTAMPSTRING"])
    place = _position(row["ZLATITUDE"], row["ZLONGITUDE"])
    local: datetime | Absent = Absent.UNDERIVABLE
    if not isinstance(utc, Absent) and not isinstance(offset_hours, Absent):
        local = utc + timedelta(hours=offset_hours)
    return SecondWitness(
        source=source,
        program=PROGRAM,
        version=version,
        photo_path=values.joined(row["ZDIRECTORY"], row["ZFILENAME"]),
        other_paths=tuple(name for name in (row["ZORIGINALFILENAME"],) if isinstance(name, str) and name),
        size_bytes=values.size(row["ZORIGINALFILESIZE"]),
        local_time=local,
        utc_time=utc,
        utc_offset_hours=offset_hours,
        exif_time=exif,
        position=place,
        added_utc=instant(row["ZADDEDDATE"]),
        is_time_edited=_differ_s(local, exif),
        is_position_edited=_differ_km(place, _position(row["EXIF ZLATITUDE"], row["EXIF ZLONGITUDE"])),
        states=tuple(_states(row)),
    )


def instant(value: Any) -> datetime | Absent:
    """Return an instant that is kept in seconds since 2001, in UTC."""
    seconds = number(value) if value is not None else None
    if seconds is None or seconds == 0.0:
        return Absent.MISSING
    if abs(seconds) > 1e10:
        return Absent.OUT_OF_RANGE
    return APPLE_EPOCH + timedelta(seconds=round(seconds, 3))


def _offset_hours(value: Any) -> float | Absent:
    seconds = number(value) if value is not None else None
    if seconds is None:
        return Absent.MISSING
    return seconds / 3600.0 if abs(seconds) <= WIDEST_OFFSET_S else Absent.OUT_OF_RANGE


def _position(latitude: Any, longitude: Any) -> Position | Absent:
    north = number(latitude) if latitude is not None else None
    return Absent.NO_FIX if north == NO_PLACE_DEG else values.position(latitude, longitude)


def _differ_s(local: datetime | Absent, exif: datetime | Absent) -> bool | Absent:
    """Whether somebody set the time in the library: it is no longer the one that the file came with."""
    if isinstance(local, Absent) or isinstance(exif, Absent):
        return Absent.MISSING
    return abs((local - exif).total_seconds()) > SAME_S


def _differ_km(place: Position | Absent, exif: Position | Absent) -> bool | Absent:
    if isinstance(place, Absent) or isinstance(exif, Absent):
        return Absent.MISSING
    return globe.apart_km(place, exif) > SAME_KM


def _states(row: dict[str, Any]) -> Iterator[WitnessState]:
    if number(row["ZTRASHEDSTATE"] or 0):
        yield WitnessState.TRASHED
    if number(row["ZHIDDEN"] or 0):
        yield WitnessState.HIDDEN
    if number(row["ZHASADJUSTMENTS"] or 0) or number(row["ZADJUSTMENTSSTATE"] or 0):
        yield WitnessState.EDITED
