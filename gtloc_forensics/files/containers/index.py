"""The members of a container, listed once and kept in an unnamed file: memory does not grow with their number."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from gtloc_forensics.files import sidecar_names
from gtloc_forensics.files.containers.members import Member
from gtloc_forensics.records import FileStat, Sentence, Skipped, Statement

ROWS_AT_ONCE = 500

_TABLES = """
CREATE TABLE member (
    path BLOB PRIMARY KEY, folder BLOB, is_sidecar INTEGER, stat TEXT, address TEXT, reason TEXT, blocks INTEGER
) WITHOUT ROWID;
CREATE INDEX member_folder ON member (folder, is_sidecar, path);
"""


class Index:
    """Members by their path, and what was passed over; in SQLite's own unnamed temporary file."""

    def __init__(self, entries: Iterable[Member | Skipped]) -> None:
        """List *entries*; a path that comes twice is told and never overwrites the first.

        Raises:
            OSError: the container cannot be read, or the folder for temporary files has no room.
        """
        self._rows = sqlite3.connect("", check_same_thread=False)
        self._rows.executescript(_TABLES)
        try:
            with self._rows:
                for entry in entries:
                    self._add(entry)
        except sqlite3.OperationalError as error:
            self.close()
            raise OSError(str(error)) from error
        except BaseException:
            self.close()
            raise

    def _add(self, entry: Member | Skipped) -> None:
        if isinstance(entry, Skipped):
            self._insert(entry.relative, None, "", entry.reason, blocks=entry.blocks)
        elif not self._insert(entry.path, entry.stat, entry.address, "", blocks=False):
            again = Sentence(
                "a further entry of the same name; the first was examined, and programs differ in which they unpack"
            )
            number = 2
            while not self._insert(entry.path + b"#%d" % number, None, "", again, blocks=True):
                number += 1

    def _insert(self, path: bytes, stat: FileStat | None, address: str, reason: Statement, *, blocks: bool) -> bool:
        folder, _, name = path.rpartition(b"/")
        is_sidecar = stat is not None and sidecar_names.is_sidecar(name)
        kept = None if stat is None else json.dumps(asdict(stat))
        values = (path, folder, is_sidecar, kept, address, _kept(reason), blocks)
        return self._rows.execute("INSERT OR IGNORE INTO member VALUES (?, ?, ?, ?, ?, ?, ?)", values).rowcount > 0

    def member(self, path: bytes) -> Member | None:
        """Return the member at *path*; None where there is none, or none that may be read."""
        row = self._rows.execute("SELECT path, stat, address FROM member WHERE path = ?", (path,)).fetchone()
        return None if row is None or row[1] is None else _member(row)

    def totals(self) -> tuple[int, int]:
        """Return how many members there are, and how many bytes they hold together."""
        query = (
            "SELECT count(*), coalesce(sum(json_extract(stat, '$.size_bytes')), 0) FROM member WHERE stat IS NOT NULL"
        )
        members, size_bytes = self._rows.execute(query).fetchone()
        return int(members), int(size_bytes)

    def folders(self) -> Iterator[bytes]:
        """Yield every folder that holds something, in byte order."""
        folder: bytes | None = None
        while True:
            query = "SELECT min(folder) FROM member WHERE ? IS NULL OR folder > ?"
            (folder,) = self._rows.execute(query, (folder, folder)).fetchone()
            if folder is None:
                return
            yield folder

    def passed_over(self, folder: bytes) -> Iterator[Skipped]:
        """Yield what may not be read in one folder."""
        for path, reason, blocks in self._pages("path, reason, blocks", folder, "stat IS NULL"):
            yield Skipped(path, _told(reason), bool(blocks))

    def files(self, folder: bytes) -> Iterator[Member]:
        """Yield the members in one folder that are no sidecars by their names, in byte order."""
        return map(_member, self._pages("path, stat, address", folder, "stat IS NOT NULL AND NOT is_sidecar"))

    def sidecars(self, folder: bytes) -> list[Member]:
        """Return the members in one folder that are sidecars by their names, in byte order."""
        return [_member(row) for row in self._pages("path, stat, address", folder, "stat IS NOT NULL AND is_sidecar")]

    def _pages(self, columns: str, folder: bytes, condition: str) -> Iterator[tuple[Any, ...]]:
        """Yield rows, some hundred at a time, so that whoever takes them may ask for others in between."""
        last = b""
        query = f"SELECT {columns} FROM member WHERE folder = ? AND path > ? AND {condition} ORDER BY path LIMIT ?"
        while rows := self._rows.execute(query, (folder, last, ROWS_AT_ONCE)).fetchall():
            yield from rows
            last = rows[-1][0]

    def close(self) -> None:
        """Forget everything."""
        self._rows.close()


def _member(row: tuple[Any, ...]) -> Member:
    path, stat, address = row
    return Member(path, FileStat(**json.loads(stat)), address)


def _kept(reason: Statement) -> str:
    """Return a sentence as text from which it can be made again; its values are text and whole numbers."""
    return json.dumps([reason.template, dict(reason.values)] if isinstance(reason, Sentence) else [reason])


def _told(kept: str) -> Statement:
    template, *values = json.loads(kept)
    return Sentence(template, **values[0]) if values else str(template)
