"""A catalogue's tables, opened so that nothing in it is run and nothing of it is written."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gtloc_forensics.errors import ForensicsError
from gtloc_forensics.metadata.tag_values import DAY_S, Moment, moment, number
from gtloc_forensics.records import Absent, Position, Sentence, Statement, visible

LONGEST_S = 300.0
"""Seconds that a catalogue may take to be read: a hostile one could be made to take for ever."""

STEPS_BETWEEN_LOOKS = 100_000

NULL_DEG = 1e-5
"""A metre: what rounding leaves of an empty position."""


class NotRead(ForensicsError):
    """A catalogue could not be read; ``is_recognised`` says whether it is one of a program that is known here."""

    def __init__(self, reason: Statement, *, is_recognised: bool = True) -> None:
        """Keep why."""
        self.reason = reason
        self.is_recognised = is_recognised
        super().__init__(reason)


class Tables:
    """The tables and columns that are there, and their rows; views, triggers and functions of the file are not run."""

    def __init__(self, path: Path) -> None:
        """Open a working copy.

        Raises:
            NotRead: it is no SQLite database, or a damaged one.
        """
        self._deadline = time.monotonic() + LONGEST_S
        try:
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.text_factory = os.fsdecode
            self._database.set_progress_handler(self._is_late, STEPS_BETWEEN_LOOKS)
            for wanted in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON"):
                self._database.execute(f"PRAGMA {wanted}")
            self._columns = {name.lower(): self._columns_of(name) for name in self._names()}
        except sqlite3.Error as error:
            raise _unread(error, is_recognised=False) from error

    def __enter__(self) -> Self:
        """Return the tables."""
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Close the database."""
        self._database.close()

    def has(self, table: str, *columns: str) -> bool:
        """Return whether a table has all of these columns; SQLite tells no case apart."""
        return {column.lower() for column in columns} <= self._columns.get(table.lower(), frozenset()) and (
            table.lower() in self._columns
        )

    def insist_on(self, table: str, *columns: str) -> None:
        """Refuse a catalogue that lacks what nothing can be read without.

        Raises:
            NotRead: the table or one of its columns is not there.
        """
        for column in columns:
            if not self.has(table, column):
                reason = Sentence(
                    "its table {table} has no column {column}: a version that this program does not know",
                    table=table,
                    column=column,
                )
                raise NotRead(reason)

    def optional(self, table: str, column: str, *, alias: str) -> str:
        """Return how a query names a column, ``NULL`` where the catalogue has none."""
        return f"{alias}.{column}" if self.has(table, column) else "NULL"

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query.

        Raises:
            NotRead: the database is damaged, or took too long.
        """
        try:
            with closing(self._database.execute(query, parameters)) as found:
                yield from found
        except (sqlite3.Error, OverflowError) as error:
            raise _unread(error, is_recognised=True) from error

    def value(self, query: str, parameters: Sequence[Any] = ()) -> str:
        """Return the first value of the first row as text, ``""`` where there is none."""
        first = next(self.rows(query, parameters), (None,))[0]
        return "" if first is None else str(first)

    def _names(self) -> list[str]:
        found = self._database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return [name for (name,) in found if isinstance(name, str)]

    def _columns_of(self, table: str) -> frozenset[str]:
        found = self._database.execute("SELECT name FROM pragma_table_info(?)", (table,))
        return frozenset(name.lower() for (name,) in found if isinstance(name, str))

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline


def _unread(error: Exception, *, is_recognised: bool) -> NotRead:
    if "interrupt" in str(error):
        return NotRead(Sentence("reading it took longer than {seconds:raw} s", seconds=int(LONGEST_S)))
    return NotRead(Sentence("SQLite cannot read it: {said}", said=visible(str(error))), is_recognised=is_recognised)


# --------------------------------------------------------------------------- single values


def unknown_version(version: str) -> Sentence:
    """Return what is said of a catalogue of a version that nobody has looked at."""
    return Sentence(
        "its version ({version}) is not among those that are known here; what was read was found by its columns' names",
        version=version or "?",
    )


def joined(*parts: Any) -> str:
    """Return a path out of its parts, with "/" between them whatever the system wrote."""
    texts = [str(part).replace("\\", "/") for part in parts if part not in (None, "")]
    return "/".join(text.strip("/") if place else text.rstrip("/") for place, text in enumerate(texts))


def size(value: Any) -> int | Absent:
    """Return a file's size in bytes."""
    return value if isinstance(value, int) and value > 0 else Absent.MISSING


def date(value: Any) -> Moment | Absent:
    """Return a date with a time as a catalogue keeps it."""
    if value in (None, "", 0):
        return Absent.MISSING
    found = moment(str(value))
    if found is None:
        return Absent.UNPARSABLE
    return found if found.resolution_s < DAY_S else Absent.COARSE


def wall(value: Any) -> datetime | Absent:
    """Return the wall clock of a date, whatever offset stands behind it."""
    found = date(value)
    return found if isinstance(found, Absent) else found.wall


def instant(value: Any) -> datetime | Absent:
    """Return a date that counts UTC as a naive instant."""
    found = date(value)
    return found if isinstance(found, Absent) else found.wall - timedelta(hours=found.offset_hours or 0.0)


def position(latitude: Any, longitude: Any) -> Position | Absent:
    """Return a position; 0, 0 is none."""
    if latitude is None or longitude is None:
        return Absent.MISSING
    north, east = number(latitude), number(longitude)
    if north is None or east is None:
        return Absent.UNPARSABLE
    if abs(north) < NULL_DEG and abs(east) < NULL_DEG:
        return Absent.NO_FIX
    return Position(north, east) if abs(north) <= 90.0 and abs(east) <= 180.0 else Absent.OUT_OF_RANGE
