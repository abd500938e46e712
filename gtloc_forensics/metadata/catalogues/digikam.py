"""digiKam's catalogue ``digikam4.db``: capture time, position, size of each file that it reads.

Its capture time is local without a zone. Where a file has none digiKam puts the file's own date there; such files
have nothing to compare. It does not say what a person changed in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gtloc_forensics.metadata.catalogues import tables as values
from gtloc_forensics.metadata.catalogues.tables import Tables
from gtloc_forensics.records import Catalogue, SecondWitness

PROGRAM = "digiKam"

NAMES = ("digikam4.db",)

KNOWN_VERSIONS = range(5, 17)
"""Versions of the schema in which the columns that are read here have these meanings."""

PRESENT = "(1, 2)"
"""Values of ``Images.status`` for what is shown and what is hidden; the others are in the waste bin, or gone."""


def recognises(tables: Tables) -> bool:
    """Return whether a database is a catalogue of digiKam's."""
    return tables.has("Images") and tables.has("Albums") and tables.has("ImageInformation")


def read(tables: Tables, *, source: str) -> Catalogue:
    """Return what the catalogue keeps."""
    tables.insist_on("Images", "id", "album", "name")
    tables.insist_on("Albums", "id", "relativePath")
    tables.insist_on("ImageInformation", "imageid", "creationDate")
    version = _version(tables)
    witnesses = tuple(_witness(row, source=source, version=version) for row in _rows(tables))
    is_known = version.isdecimal() and int(version) in KNOWN_VERSIONS
    return Catalogue(PROGRAM, version, witnesses, "" if is_known else values.unknown_version(version))


def _version(tables: Tables) -> str:
    if not tables.has("Settings", "keyword", "value"):
        return ""
    return tables.value("SELECT value FROM Settings WHERE keyword = ?", ("DBVersion",))


def _rows(tables: Tables) -> Iterator[tuple[Any, ...]]:
    has_roots = tables.has("AlbumRoots", "id", "specificPath") and tables.has("Albums", "albumRoot")
    has_places = tables.has("ImagePositions", "imageid", "latitudeNumber", "longitudeNumber")
    query = (
        f"SELECT {'r.specificPath' if has_roots else 'NULL'}, a.relativePath, i.name, "
        f"{tables.optional('Images', 'fileSize', alias='i')}, t.creationDate, "
        f"{'p.latitudeNumber, p.longitudeNumber' if has_places else 'NULL, NULL'} "
        "FROM Images i JOIN Albums a ON i.album = a.id LEFT JOIN ImageInformation t ON t.imageid = i.id "
        + ("LEFT JOIN AlbumRoots r ON a.albumRoot = r.id " if has_roots else "")
        + ("LEFT JOIN ImagePositions p ON p.imageid = i.id " if has_places else "")
        + (f"WHERE i.status IN {PRESENT} " if tables.has("Images", "status") else "")
        + "ORDER BY i.id"
    )
    return tables.rows(query)


def _witness(row: tuple[Any, ...], *, source: str, version: str) -> SecondWitness:
    root, album, name, size_bytes, created, latitude, longitude = row
    return SecondWitness(
        source=source,
        program=PROGRAM,
        version=version,
        photo_path=values.joined(root, album, name),
        size_bytes=values.size(size_bytes),
        local_time=values.wall(created),
        position=values.position(latitude, longitude),
    )
