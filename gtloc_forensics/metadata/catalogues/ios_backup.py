"""The table of contents of an iOS backup (``Manifest.db``): which of its files, named by hashes, is what.

The photos lie in it as ``ab/ab12…``, and so does the library of Photos. Of a backup with a password even the table
of contents is encrypted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gtloc_forensics.metadata.catalogues import tables as values
from gtloc_forensics.metadata.catalogues.tables import NotRead, Tables
from gtloc_forensics.records import Catalogue, SecondWitness, Sentence

NAME = "Manifest.db"

DOMAIN = "CameraRollDomain"
LIBRARY = "Media/PhotoData/Photos.sqlite"
LONGEST_RECORD_BYTES = 100 << 10
SQLITE = b"SQLite format 3"
_FILE_ID = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Backup:
    """Where the parts of a backup lie that are about photos."""

    files: Mapping[str, str]  # path on the telephone → path in the backup
    records: Mapping[str, bytes]  # path of the library and its journal in the backup → what holds their keys

    @property
    def library(self) -> str:
        """The path of the library of Photos in the backup; "" when it holds none."""
        return self.files.get(LIBRARY, "")

    @property
    def journal(self) -> str:
        """The path of the library's journal in the backup; "" when it holds none."""
        return self.files.get(f"{LIBRARY}-wal", "")

    def named(self, catalogue: Catalogue) -> Catalogue:
        """Return what the library keeps, each photo under its name in the backup too."""
        return replace(catalogue, witnesses=tuple(map(self._named, catalogue.witnesses)))

    def _named(self, witness: SecondWitness) -> SecondWitness:
        path = self.files.get(f"Media/{witness.photo_path}")
        return replace(witness, other_paths=(*witness.other_paths, path)) if path else witness


def is_manifest(name: str) -> bool:
    """Return whether a file is called as the table of contents of a backup is."""
    return name.lower() == NAME.lower()


def is_encrypted(copy: Path) -> bool:
    """Return whether a table of contents is no database: encrypted, or damaged beyond telling."""
    with copy.open("rb") as file:
        head = file.read(len(SQLITE))
    return bool(head) and head != SQLITE


def read(copy: Path) -> Backup:
    """Return where the parts of a backup lie.

    Args:
        copy: a working copy of its ``Manifest.db``, decrypted.

    Raises:
        NotRead: it is none, or names no library of Photos.
    """
    with Tables(copy) as tables:
        backup = _backup(tables)
    if not backup.library:
        raise NotRead(Sentence("the backup holds no library of Photos"))
    return backup


def _backup(tables: Tables) -> Backup:
    if not tables.has("Files", "fileID", "domain", "relativePath"):
        reason = Sentence("it is a database, but not the table of contents of a backup")
        raise NotRead(reason, is_recognised=False)
    files = dict(_files(tables))
    return Backup(files, dict(_records(tables, [files.get(path, "") for path in (LIBRARY, f"{LIBRARY}-wal")])))


def _files(tables: Tables) -> list[tuple[str, str]]:
    rows = tables.rows("SELECT fileID, relativePath FROM Files WHERE domain = ?", (DOMAIN,))
    return [
        (values.joined(path), f"{file_id[:2]}/{file_id}")
        for file_id, path in rows
        if isinstance(file_id, str) and isinstance(path, str) and _FILE_ID.fullmatch(file_id)
    ]


def _records(tables: Tables, paths: list[str]) -> list[tuple[str, bytes]]:
    if not tables.has("Files", "file"):
        return []
    found = []
    for path in filter(None, paths):
        for (record,) in tables.rows("SELECT file FROM Files WHERE fileID = ?", (path.rpartition("/")[2],)):
            if isinstance(record, bytes) and len(record) <= LONGEST_RECORD_BYTES:
                found.append((path, record))
    return found
