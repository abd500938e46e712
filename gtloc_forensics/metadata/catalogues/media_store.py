"""Android's MediaStore (``external.db``, ``external-*.db``): what the system keeps of each picture and film.

It keeps an instant without a zone. Where the file states no offset, Android reads its clock in the zone that the
telephone had when it scanned the file. Since Android 10 positions are mostly no longer kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from gtloc_forensics.metadata.catalogues import tables as values
from gtloc_forensics.metadata.catalogues.tables import Tables
from gtloc_forensics.metadata.tag_values import number
from gtloc_forensics.records import Absent, Catalogue, SecondWitness, WitnessState

PROGRAM = "Android MediaStore"

NAMES = ("external.db", "external-*.db")

KNOWN_VERSIONS = range(7, 16)
"""Hundreds of ``user_version``: Android 7 to 15, as published descriptions have them."""

UNIX_EPOCH = datetime(1970, 1, 1)

MILLISECONDS_FROM = 1e11
MICROSECONDS_FROM = 1e14
"""Counts of seconds reach them in the years 5138 and beyond; makers keep the same column in different units."""

PICTURES_AND_FILMS = "(1, 3)"

_COLUMNS = (
    "_size",
    "datetaken",
    "date_added",
    "latitude",
    "longitude",
    "is_trashed",
    "relative_path",
    "_display_name",
)


def recognises(tables: Tables) -> bool:
    """Return whether a database is a MediaStore."""
    return tables.has("files", "_id", "_data", "date_added") and tables.has("files", "media_type")


def read(tables: Tables, *, source: str) -> Catalogue:
    """Return what the store keeps."""
    tables.insist_on("files", "datetaken")
    version = tables.value("SELECT user_version FROM pragma_user_version")
    witnesses = tuple(_witness(row, source=source, version=version) for row in _rows(tables))
    is_known = version.isdecimal() and int(version) // 100 in KNOWN_VERSIONS
    return Catalogue(PROGRAM, version, witnesses, "" if is_known else values.unknown_version(version))


def _rows(tables: Tables) -> Iterator[dict[str, Any]]:
    columns = {"_data": "f._data"} | {name: tables.optional("files", name, alias="f") for name in _COLUMNS}
    query = (
        f"SELECT {', '.join(columns.values())} FROM files f WHERE f.media_type IN {PICTURES_AND_FILMS} ORDER BY f._id"
    )
    for row in tables.rows(query):
        yield dict(zip(columns, row, strict=True))


def _witness(row: dict[str, Any], *, source: str, version: str) -> SecondWitness:
    return SecondWitness(
        source=source,
        program=PROGRAM,
        version=version,
        photo_path=values.joined(row["_data"]) or values.joined(row["relative_path"], row["_display_name"]),
        size_bytes=values.size(row["_size"]),
        utc_time=instant(row["datetaken"]),
        position=values.position(row["latitude"], row["longitude"]),
        added_utc=instant(row["date_added"]),
        states=(WitnessState.TRASHED,) if number(row["is_trashed"] or 0) else (),
    )


def instant(value: Any) -> datetime | Absent:
    """Return an instant since 1970 in seconds, milliseconds or microseconds: its size tells which."""
    count = number(value) if value is not None else None
    if count is None or count <= 0.0:
        return Absent.MISSING
    unit_s = 1e-6 if count >= MICROSECONDS_FROM else 1e-3 if count >= MILLISECONDS_FROM else 1.0
    try:
        return UNIX_EPOCH + timedelta(seconds=round(count * unit_s, 3))
    except OverflowError:
        return Absent.OUT_OF_RANGE
