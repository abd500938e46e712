"""PhotoPrism's index ``index.db``: capture time with its zone, position, and where it has each value from.

It keeps a source of every value. What it calls an estimate, or took from a file's name, is no witness.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from gtloc_forensics.metadata.catalogues import tables as values
from gtloc_forensics.metadata.catalogues.tables import Tables
from gtloc_forensics.records import Absent, Catalogue, SecondWitness

PROGRAM = "PhotoPrism"

NAMES = ("index.db",)

GUESSED = frozenset(("", "auto", "estimate", "name"))
"""Sources by which PhotoPrism says that a value does not come from the file's metadata or a person."""

BY_A_PERSON = frozenset(("manual", "batch"))

NO_ZONES = frozenset(("", "Local", "UTC"))
"""What stands for a zone that is not known; UTC stands there for both."""

ORIGINALS = ("/", "")
"""Values of ``files.file_root`` for the photos themselves; the others are what PhotoPrism made."""


def recognises(tables: Tables) -> bool:
    """Return whether a database is an index of PhotoPrism's."""
    return tables.has("photos", "photo_uid") and tables.has("files", "photo_id")


def read(tables: Tables, *, source: str) -> Catalogue:
    """Return what the index keeps; its version stands nowhere that can be relied on, so columns alone decide."""
    tables.insist_on("photos", "id", "taken_at", "taken_at_local", "taken_src")
    tables.insist_on("files", "photo_id", "file_name")
    version = _version(tables)
    return Catalogue(PROGRAM, version, tuple(_witness(row, source=source, version=version) for row in _rows(tables)))


def _version(tables: Tables) -> str:
    if not tables.has("versions", "version", "id"):
        return ""
    return tables.value("SELECT version FROM versions ORDER BY id DESC LIMIT 1")


def _rows(tables: Tables) -> Iterator[tuple[Any, ...]]:
    roots = ", ".join(f"'{root}'" for root in ORIGINALS)
    kept = [f"f.file_root IN ({roots})" if tables.has("files", "file_root") else "1"]
    kept += ["f.file_missing = 0"] if tables.has("files", "file_missing") else []
    kept += [f"{alias}.deleted_at IS NULL" for alias, table in (("f", "files"), ("p", "photos"))
             if tables.has(table, "deleted_at")]  # fmt: skip
    further = [
        tables.optional("photos", column, alias="p")
        for column in ("time_zone", "photo_lat", "photo_lng", "place_src", "created_at")
    ]
    return tables.rows(
        f"SELECT f.file_name, {tables.optional('files', 'file_size', alias='f')}, "
        f"p.taken_at, p.taken_at_local, p.taken_src, {', '.join(further)} "
        f"FROM files f JOIN photos p ON f.photo_id = p.id WHERE {' AND '.join(kept)} ORDER BY f.file_name"
    )


def _witness(row: tuple[Any, ...], *, source: str, version: str) -> SecondWitness:
    name, size_bytes, taken, taken_local, taken_from, zone, latitude, longitude, placed_from, created = row
    is_timed, is_placed = _of(taken_from) not in GUESSED, _of(placed_from) not in GUESSED
    zone = _of(zone)
    return SecondWitness(
        source=source,
        program=PROGRAM,
        version=version,
        photo_path=values.joined(name),
        size_bytes=values.size(size_bytes),
        local_time=values.wall(taken_local) if is_timed else Absent.UNDERIVABLE,
        utc_time=_utc(taken, zone) if is_timed else Absent.UNDERIVABLE,
        zone="" if zone in NO_ZONES else zone,
        position=values.position(latitude, longitude) if is_placed else Absent.UNDERIVABLE,
        added_utc=values.instant(created),
        is_time_edited=_of(taken_from) in BY_A_PERSON,
        is_position_edited=_of(placed_from) in BY_A_PERSON,
    )


def _of(value: Any) -> str:
    return "" if value is None else str(value)


def _utc(taken: Any, zone: str) -> datetime | Absent:
    return Absent.UNDERIVABLE if zone in NO_ZONES else values.instant(taken)
