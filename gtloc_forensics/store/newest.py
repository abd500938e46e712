"""What a case file holds now, read with the standard library alone: enough to see whether anything changed since.

An audit of a folder in which nothing changed asks this and no more; opening the case
for work loads what writes to it, which takes longer than all there is to compare.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gtloc_forensics.store.kept_columns import kept_sidecars, kept_stat_key

_PARTS = "\x1f"  # behind it stand the parts of a sentence; see the codec


@dataclass(frozen=True, slots=True)
class MemberState:
    """A file as the newest examination holds it.

    Attributes:
        sha256: of its content as it was taken in.
        sha256_at_end: of its content at the end of that run.
        stat_key: size, mtime, ctime, inode and device as it was taken in.
        sidecars: relative path → sha256.
    """

    sha256: str
    sha256_at_end: str
    stat_key: tuple[int, ...]
    sidecars: Mapping[bytes, str]


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest examination, what it passed over, and where the custody chain ends; :func:`members` tells its files.

    Attributes:
        examination: its fingerprint.
        number: under which it is kept.
        chain: number and hash of the last custody event.
        rejected: relative path → why it was passed over or could not be read, in English.
        products: name in the case folder → the SHA-256 of what was written there last, as the chain says.
    """

    examination: str
    number: int
    chain: tuple[int, str]
    rejected: Mapping[bytes, str]
    products: Mapping[str, str]


def newest(database: Path) -> Newest | None:
    """Return what the case file holds now, None when that cannot be read here and so.

    Nobody may be writing to it meanwhile: whoever asks holds the lock of the case. A file
    with a journal beside it is for SQLAlchemy's connections, which fold that in.
    """
    if any(database.with_name(f"{database.name}-{part}").exists() for part in ("wal", "journal")):
        return None
    try:
        with closing(opened_alone(database)) as connection:
            return _read(connection)
    except (sqlite3.Error, ValueError, KeyError, TypeError, AttributeError):
        return None  # damaged, or of another program: opening it for work says which


def members(database: Path, number: int) -> Iterator[tuple[bytes, MemberState]]:
    """Stream the files of an examination in path order: relative path, and the file as examined.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: what the file holds of one cannot be read.
    """
    query = (
        "SELECT s.relative, s.sha256, m.sha256_at_end, s.stat, s.sidecars "
        "FROM member m JOIN source s ON s.id = m.source_row WHERE m.examination_id = ? ORDER BY m.ordinal"
    )
    try:
        with closing(opened_alone(database)) as connection:
            for relative, *columns in connection.execute(query, (number,)):
                yield bytes(relative), _state(*columns)
    except sqlite3.Error as error:
        raise ValueError(str(error)) from error


def opened_alone(database: Path) -> sqlite3.Connection:
    """Return a connection to a case file that nobody writes to, for reading alone."""
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _read(connection: sqlite3.Connection) -> Newest | None:
    examination = connection.execute("SELECT id, fingerprint FROM examination ORDER BY id DESC LIMIT 1").fetchone()
    chain = connection.execute("SELECT sequence, event_hash FROM custody ORDER BY sequence DESC LIMIT 1").fetchone()
    if examination is None or chain is None:
        return None
    number, fingerprint = examination
    rejected = connection.execute("SELECT relative, reason FROM rejected WHERE examination = ?", (fingerprint,))
    written = connection.execute(
        "SELECT subject, detail FROM custody WHERE action IN ('export', 'report') ORDER BY sequence"
    )
    return Newest(
        fingerprint,
        number,
        (chain[0], chain[1]),
        {bytes(relative): reason.rpartition(_PARTS)[0] or reason for relative, reason in rejected},
        {subject: str(json.loads(detail).get("sha256", "")) for subject, detail in written},
    )


def _state(sha256: str, sha256_at_end: str, stat: str, sidecars: str) -> MemberState:
    return MemberState(sha256, sha256_at_end, kept_stat_key(stat), kept_sidecars(sidecars))
