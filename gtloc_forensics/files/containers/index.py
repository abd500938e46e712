"""The members of a container, listed once and kept in an unnamed file: memory does not grow with their number."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from typing import Any

from gtloc_forensics.files import sidecar_names
from gtloc_forensics.files.containers.members import Member
from gtloc_forensics.records import FileStat, Sentence, Skipped, Statement

ROWS_AT_ONCE = 500

_FILE, _SIDECAR, _CONTAINER, _PASSED_OVER = range(4)
"""What an entry is, as far as its name tells."""

_TABLES = """
CREATE TABLE member (
    path BLOB PRIMARY KEY, folder BLOB, role INTEGER, size INTEGER, is_deleted INTEGER, stat TEXT, address TEXT,
    reason TEXT, blocks INTEGER
) WITHOUT ROWID;
CREATE INDEX member_folder ON member (folder, role, path);
CREATE INDEX member_size ON member (size);
CREATE INDEX member_deleted ON member (is_deleted);
"""


_MEMBER = "path, stat, address, role"


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
            self._pass_over(entry.relative, entry.reason, blocks=entry.blocks)
        elif not self._insert(entry) and not self._insert_beside(entry):
            again = Sentence(
                "a further entry of the same name; the first was examined, and programs differ in which they unpack"
            )
            number = 2
            while not self._pass_over(entry.path + b"#%d" % number, again, blocks=True):
                number += 1

    def _insert_beside(self, member: Member) -> bool:
        """Put a member of an image beside the one that has its path; say whether there is nothing more to tell."""
        first = self.member(member.path)
        if first is not None and first.address == member.address:
            return True  # the same record, listed twice
        return bool(member.namesake) and self._insert(replace(member, path=member.namesake))

    def _insert(self, member: Member) -> bool:
        folder, _, name = member.path.rpartition(b"/")
        role = _CONTAINER if member.is_container else _SIDECAR if sidecar_names.is_sidecar(name) else _FILE
        stat = member.stat
        kept = json.dumps(asdict(stat))
        row = (member.path, folder, role, stat.size_bytes, stat.is_deleted, kept, member.address, "", False)
        return self._put(row)

    def _pass_over(self, path: bytes, reason: Statement, *, blocks: bool) -> bool:
        row = (path, path.rpartition(b"/")[0], _PASSED_OVER, None, None, None, "", _kept(reason), blocks)
        return self._put(row)

    def _put(self, row: tuple[Any, ...]) -> bool:
        return self._rows.execute("INSERT OR IGNORE INTO member VALUES (?,?,?,?,?,?,?,?,?)", row).rowcount > 0

    def member(self, path: bytes) -> Member | None:
        """Return the member at *path*; None where there is none, or none that may be read."""
        row = self._rows.execute(f"SELECT {_MEMBER} FROM member WHERE path = ?", (path,)).fetchone()
        return None if row is None or row[1] is None else _member(row)

    def of_size(self, size_bytes: int) -> Iterator[Member]:
        """Yield the members that are so long."""
        query = f"SELECT {_MEMBER} FROM member WHERE size = ? AND role = {_FILE} ORDER BY path"
        yield from map(_member, self._rows.execute(query, (size_bytes,)))

    def deleted(self) -> Iterator[Member]:
        """Yield the members that were deleted."""
        query = f"SELECT {_MEMBER} FROM member WHERE is_deleted AND role = {_FILE} ORDER BY path"
        yield from map(_member, self._rows.execute(query))

    def containers(self) -> Iterator[Member]:
        """Yield the members that are containers by their names, in byte order."""
        query = f"SELECT {_MEMBER} FROM member WHERE role = {_CONTAINER} ORDER BY path"
        yield from map(_member, self._rows.execute(query))

    def totals(self) -> tuple[int, int]:
        """Return how many members there are, and how many bytes they hold together."""
        query = "SELECT count(*), coalesce(sum(size), 0) FROM member WHERE stat IS NOT NULL"
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
        for path, reason, blocks in self._pages("path, reason, blocks", folder, _PASSED_OVER):
            yield Skipped(path, _told(reason), bool(blocks))

    def files(self, folder: bytes) -> Iterator[Member]:
        """Yield the members in one folder that are no sidecars by their names, in byte order."""
        return map(_member, self._pages(_MEMBER, folder, _FILE))

    def sidecars(self, folder: bytes) -> list[Member]:
        """Return the members in one folder that are sidecars by their names, in byte order."""
        return [_member(row) for row in self._pages(_MEMBER, folder, _SIDECAR)]

    def _pages(self, columns: str, folder: bytes, role: int) -> Iterator[tuple[Any, ...]]:
        """Yield rows, some hundred at a time, so that whoever takes them may ask for others in between."""
        last = b""
        query = f"SELECT {columns} FROM member WHERE folder = ? AND role = ? AND path > ? ORDER BY path LIMIT ?"
        while rows := self._rows.execute(query, (folder, role, last, ROWS_AT_ONCE)).fetchall():
            yield from rows
            last = rows[-1][0]

    def close(self) -> None:
        """Forget everything."""
        self._rows.close()


def _member(row: tuple[Any, ...]) -> Member:
    path, stat, address, role = row
    return Member(path, FileStat(**json.loads(stat)), address, role == _CONTAINER)


def _kept(reason: Statement) -> str:
    """Return a sentence as text from which it can be made again; its values are text and whole numbers."""
    return json.dumps([reason.template, dict(reason.values)] if isinstance(reason, Sentence) else [reason])


def _told(kept: str) -> Statement:
    template, *values = json.loads(kept)
    return Sentence(template, **values[0]) if values else str(template)
