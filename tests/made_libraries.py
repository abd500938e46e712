"""Libraries of telephones as their published descriptions have them, with only what a test is about in them."""

from __future__ import annotations

import hashlib
import plistlib
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

EPOCH = datetime(2001, 1, 1)
NONE_DEG = -180.0

PHOTOS = """
CREATE TABLE Z_METADATA (Z_VERSION INTEGER PRIMARY KEY, Z_UUID VARCHAR(255), Z_PLIST BLOB);
CREATE TABLE {assets} (Z_PK INTEGER PRIMARY KEY, ZDIRECTORY VARCHAR, ZFILENAME VARCHAR, ZDATECREATED TIMESTAMP,
    ZADDEDDATE TIMESTAMP, ZLATITUDE FLOAT, ZLONGITUDE FLOAT, ZTRASHEDSTATE INTEGER, ZHIDDEN INTEGER,
    {edited} INTEGER, ZADDITIONALATTRIBUTES INTEGER);
CREATE TABLE ZADDITIONALASSETATTRIBUTES (Z_PK INTEGER PRIMARY KEY, ZASSET INTEGER, ZTIMEZONEOFFSET INTEGER,
    ZEXIFTIMESTAMPSTRING VARCHAR, ZORIGINALFILENAME VARCHAR, ZORIGINALFILESIZE INTEGER);
CREATE TABLE ZEXTENDEDATTRIBUTES (Z_PK INTEGER PRIMARY KEY, ZASSET INTEGER, ZLATITUDE FLOAT, ZLONGITUDE FLOAT);
"""

MEDIA_STORE = """
CREATE TABLE android_metadata (locale TEXT);
CREATE TABLE files (_id INTEGER PRIMARY KEY AUTOINCREMENT, _data TEXT UNIQUE COLLATE NOCASE, _size INTEGER,
    date_added INTEGER, date_modified INTEGER, media_type INTEGER, datetaken INTEGER, latitude DOUBLE,
    longitude DOUBLE, is_trashed INTEGER DEFAULT 0, _display_name TEXT, relative_path TEXT);
CREATE VIEW images AS SELECT * FROM files WHERE media_type = 1;
PRAGMA user_version = {version};
"""


def asset(name: str, utc: datetime, **more: Any) -> dict[str, Any]:
    """Return one photo of a library; what is left out is as a telephone writes it."""
    return {"name": name, "utc": utc, **more}


def photos_library(path: Path, *shots: dict[str, Any], version: int = 17120, is_old: bool = False) -> Path:
    """Make a ``Photos.sqlite``; *is_old* names the tables as iOS 13 does."""
    assets = "ZGENERICASSET" if is_old else "ZASSET"
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(
            PHOTOS.format(assets=assets, edited="ZHASADJUSTMENTS" if is_old else "ZADJUSTMENTSSTATE")
        )
        packed = plistlib.dumps({"PLModelVersion": version}, fmt=plistlib.FMT_BINARY)
        database.execute("INSERT INTO Z_METADATA VALUES (1, 'A', ?)", (packed,))
        for number, shot in enumerate(shots, 1):
            folder, _, name = shot["name"].rpartition("/")
            north, east = shot.get("place", (NONE_DEG, NONE_DEG))
            database.execute(
                f"INSERT INTO {assets} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    number,
                    folder,
                    name,
                    (shot["utc"] - EPOCH).total_seconds(),
                    (shot.get("added", shot["utc"]) - EPOCH).total_seconds(),
                    north,
                    east,
                    shot.get("trashed", 0),
                    shot.get("hidden", 0),
                    shot.get("edited", 0),
                    number,
                ),
            )
            database.execute(
                "INSERT INTO ZADDITIONALASSETATTRIBUTES VALUES (?, ?, ?, ?, ?, ?)",
                (number, number, shot.get("offset_s"), shot.get("exif"), shot.get("original"), shot.get("size")),
            )
            north, east = shot.get("exif_place", (NONE_DEG, NONE_DEG))
            database.execute("INSERT INTO ZEXTENDEDATTRIBUTES VALUES (?, ?, ?, ?)", (number, number, north, east))
        database.commit()
    return path


def media_store(path: Path, *rows: dict[str, Any], version: int = 1308) -> Path:
    """Make an ``external.db``."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(MEDIA_STORE.format(version=version))
        for row in rows:
            values = {"media_type": 1, "date_added": 1_718_500_000} | row
            marks = ", ".join("?" * len(values))
            database.execute(f"INSERT INTO files ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))
        database.commit()
    return path


def backup(folder: Path, files: dict[str, bytes]) -> Path:
    """Make an iOS backup without a password out of what lies under ``CameraRollDomain`` (path → content)."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / "Manifest.db")) as database:
        database.execute(
            "CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB)"
        )
        for path, content in files.items():
            name = hashlib.sha1(f"CameraRollDomain-{path}".encode()).hexdigest()
            (folder / name[:2]).mkdir(exist_ok=True)
            (folder / name[:2] / name).write_bytes(content)
            database.execute("INSERT INTO Files VALUES (?, 'CameraRollDomain', ?, 1, NULL)", (name, path))
        database.commit()
    return folder
