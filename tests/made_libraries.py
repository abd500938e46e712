"""Libraries of telephones as their published descriptions have them, with only what a test is about in them."""

from __future__ import annotations

import hashlib
import plistlib
import sqlite3
import struct
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

EPOCH = datetime(2001, 1, 1)
NONE_DEG = -180.0

PROTECTION = 3
CLASS_KEY = b"k" * 32

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


def _wrapped(key: bytes, under: bytes) -> bytes:
    return aes_key_wrap(under, key)


def _encrypted(content: bytes, key: bytes) -> bytes:
    padder = padding.PKCS7(128).padder()
    padded = padder.update(content) + padder.finalize()
    cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    return cipher.update(padded) + cipher.finalize()


def _record(key: bytes, size: int) -> bytes:
    """Return what a table of contents keeps of an encrypted file."""
    wrapped = struct.pack("<l", PROTECTION) + _wrapped(key, CLASS_KEY)
    objects = [
        "$null",
        {"ProtectionClass": PROTECTION, "Size": size, "EncryptionKey": plistlib.UID(2)},
        {"NS.data": wrapped},
    ]
    kept = {"$archiver": "NSKeyedArchiver", "$objects": objects, "$top": {"root": plistlib.UID(1)}}
    return plistlib.dumps(kept, fmt=plistlib.FMT_BINARY)


def encrypted_backup(folder: Path, files: dict[str, bytes], password: bytes) -> Path:
    """Make a backup with a password; its keys are derived in few rounds, so that a test takes no minute."""
    plain = backup(folder, {})
    with closing(sqlite3.connect(plain / "Manifest.db")) as database:
        for number, (path, content) in enumerate(files.items(), 1):
            name = hashlib.sha1(f"CameraRollDomain-{path}".encode()).hexdigest()
            key = bytes([number]) * 32
            (folder / name[:2]).mkdir(exist_ok=True)
            (folder / name[:2] / name).write_bytes(_encrypted(content, key))
            record = _record(key, len(content))
            database.execute("INSERT INTO Files VALUES (?, 'CameraRollDomain', ?, 1, ?)", (name, path, record))
        database.commit()
    manifest_key = b"m" * 32
    (folder / "Manifest.db").write_bytes(_encrypted((folder / "Manifest.db").read_bytes(), manifest_key))
    first = hashlib.pbkdf2_hmac("sha256", password, b"d" * 20, 3, 32)
    derived = hashlib.pbkdf2_hmac("sha1", first, b"s" * 20, 3, 32)
    number = struct.Struct(">L").pack
    bag = b"".join(
        tag + number(len(value)) + value
        for tag, value in (
            (b"VERS", number(5)),
            (b"TYPE", number(1)),
            (b"UUID", b"u" * 16),
            (b"WRAP", number(0)),
            (b"SALT", b"s" * 20),
            (b"ITER", number(3)),
            (b"DPIC", number(3)),
            (b"DPSL", b"d" * 20),
            (b"UUID", b"c" * 16),
            (b"CLAS", number(PROTECTION)),
            (b"WRAP", number(2)),
            (b"KTYP", number(0)),
            (b"WPKY", _wrapped(CLASS_KEY, derived)),
        )
    )
    properties = {
        "IsEncrypted": True,
        "BackupKeyBag": bag,
        "ManifestKey": struct.pack("<l", PROTECTION) + _wrapped(manifest_key, CLASS_KEY),
    }
    (folder / "Manifest.plist").write_bytes(plistlib.dumps(properties, fmt=plistlib.FMT_BINARY))
    return folder


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
