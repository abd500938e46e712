"""Lightroom Classic's catalogue ``.lrcat``: capture time, position, import date of each photo.

Its capture time is local. ``originalCaptureTime``, where it is there, is the time before somebody changed it in
Lightroom: the two differ for an edited time. Virtual copies are of a file that is listed already.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from gtloc_forensics.metadata.catalogues import tables as values
from gtloc_forensics.metadata.catalogues.tables import Tables
from gtloc_forensics.metadata.tag_values import number
from gtloc_forensics.records import Absent, Catalogue, SecondWitness

PROGRAM = "Lightroom Classic"

NAMES = (".lrcat",)

KNOWN_VERSIONS = range(4, 16)
"""The first part of ``Adobe_DBVersion`` (15 of 1504001), which follows the program's own."""

APPLE_EPOCH = datetime(2001, 1, 1)
"""Import dates count seconds from it, in UTC."""

SAME_S = 1.0


def recognises(tables: Tables) -> bool:
    """Return whether a database is a catalogue of Lightroom Classic's."""
    return tables.has("Adobe_images") and tables.has("AgLibraryFile")


def read(tables: Tables, *, source: str) -> Catalogue:
    """Return what the catalogue keeps."""
    tables.insist_on("Adobe_images", "id_local", "rootFile", "captureTime")
    tables.insist_on("AgLibraryFile", "id_local", "folder", "baseName", "extension")
    tables.insist_on("AgLibraryFolder", "id_local", "rootFolder", "pathFromRoot")
    tables.insist_on("AgLibraryRootFolder", "id_local", "absolutePath")
    version = _version(tables)
    witnesses = tuple(_witness(row, source=source, version=version) for row in _rows(tables))
    is_known = version.isdecimal() and int(version) // 100_000 in KNOWN_VERSIONS
    return Catalogue(PROGRAM, version, witnesses, "" if is_known else values.unknown_version(version))


def _version(tables: Tables) -> str:
    if not tables.has("Adobe_variablesTable", "name", "value"):
        return ""
    return tables.value("SELECT value FROM Adobe_variablesTable WHERE name = ?", ("Adobe_DBVersion",))


def _rows(tables: Tables) -> Iterator[tuple[Any, ...]]:
    has_places = tables.has("AgHarvestedExifMetadata", "image", "gpsLatitude", "gpsLongitude")
    has_imports = tables.has("AgLibraryImportImage", "image", "import") and tables.has(
        "AgLibraryImport", "id_local", "importDate"
    )
    imported = (
        "(SELECT min(n.importDate) FROM AgLibraryImportImage m JOIN AgLibraryImport n ON m.import = n.id_local "
        "WHERE m.image = i.id_local)"
    )
    query = (
        "SELECT r.absolutePath, d.pathFromRoot, f.baseName, f.extension, i.captureTime, "
        f"{tables.optional('Adobe_images', 'originalCaptureTime', alias='i')}, "
        f"{'e.gpsLatitude, e.gpsLongitude' if has_places else 'NULL, NULL'}, {imported if has_imports else 'NULL'} "
        "FROM Adobe_images i JOIN AgLibraryFile f ON i.rootFile = f.id_local "
        "JOIN AgLibraryFolder d ON f.folder = d.id_local JOIN AgLibraryRootFolder r ON d.rootFolder = r.id_local "
        + ("LEFT JOIN AgHarvestedExifMetadata e ON e.image = i.id_local " if has_places else "")
        + ("WHERE i.masterImage IS NULL " if tables.has("Adobe_images", "masterImage") else "")
        + "ORDER BY i.id_local"
    )
    return tables.rows(query)


def _witness(row: tuple[Any, ...], *, source: str, version: str) -> SecondWitness:
    root, folder, stem, extension, captured, original, latitude, longitude, imported = row
    local = values.wall(captured)
    return SecondWitness(
        source=source,
        program=PROGRAM,
        version=version,
        photo_path=values.joined(root, folder, f"{stem}.{extension}" if extension else stem),
        local_time=local,
        position=values.position(latitude, longitude),
        added_utc=_added(imported),
        is_time_edited=_is_edited(local, values.wall(original)),
    )


def _added(imported: Any) -> datetime | Absent:
    seconds = number(imported) if imported is not None else None
    if seconds is None or not 0.0 < seconds < 1e10:
        return Absent.MISSING
    return APPLE_EPOCH + timedelta(seconds=round(seconds))


def _is_edited(local: datetime | Absent, original: datetime | Absent) -> bool | Absent:
    if isinstance(local, Absent) or isinstance(original, Absent):
        return Absent.MISSING
    return abs((local - original).total_seconds()) > SAME_S
