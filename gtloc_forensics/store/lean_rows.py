"""Of photos what a search compares and shows, read by plain SQL: from a case file without SQLAlchemy, or by a store.

A search over a million photos asks for the rows of a few hundred. Opening the case for work would take longer than
reading them, so a case file is opened with the standard library, for reading alone and only while nobody writes to it.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.errors import DamagedCase
from gtloc_forensics.records import visible
from gtloc_forensics.store.claim_bytes import ClaimBytes
from gtloc_forensics.store.codec import decoded
from gtloc_forensics.store.keys import CLAIM, FILMS, IMAGE, VISION, Stages, claim_key
from gtloc_forensics.store.newest import opened_alone
from gtloc_forensics.store.rows import StoredSource, kept_state

if TYPE_CHECKING:
    from gtloc_forensics.store.database import Store

Ask: TypeAlias = Callable[[str, Sequence[Any]], list[Any]]
"""Returns the rows that a statement gives; a ``?`` stands for each value."""

AT_ONCE = 200
"""Photos that are asked for together."""


class _Tagged(ClaimBytes):
    """A claim with what words are looked for in."""

    zones: list[str] = msgspec.field(default_factory=list)
    tags: dict[str, Any] = msgspec.field(default_factory=dict)


class _Seen(msgspec.Struct):
    """Of what a model saw the embedding."""

    embedding: dict[str, Any] | None = None


class _Pictured(msgspec.Struct):
    """Of a picture its hash."""

    perceptual_hash: int


@dataclass(frozen=True, slots=True)
class LeanPhoto:
    """One photo; what its claim says is empty where its metadata could not be read."""

    source_row: int
    source_id: str
    relative: bytes
    sha256: str
    is_read: bool = False
    local_time: str = ""  # ISO, "" when none is claimed
    position: tuple[float, float] | None = None  # latitude and longitude in degrees
    maker: tuple[str, str, str] = ("", "", "")  # make, model and serial number, "" where there is none
    zones: tuple[str, ...] = ()
    tags: Mapping[str, Any] | None = None  # when they were asked for
    embedding: NDArray[np.float32] | None = None  # when it was asked for: [D], a unit vector
    perceptual_hash: int | None = None  # when it was asked for

    @property
    def name(self) -> str:
        """Its path, everything in it visible."""
        return visible(self.relative)


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest examination of a case, and by what both are told from any other.

    Attributes:
        number: under which it is kept.
        identity: what an index must have been made of: the case by its first custody event, the examination, what
            films say of each other's clocks, and the version of the tables.
        stages: the fingerprints of its results.
        has_films: whether other files change what some photos claim.
        unreadable: photos that could not be read, and so are no members.
    """

    number: int
    identity: str
    stages: Stages
    has_films: bool
    unreadable: int


def journalled_bytes(database: Path) -> int:
    """Return how much lies in journals beside a case file; who only reads it leaves an empty one there."""
    beside = (database.with_name(f"{database.name}-{part}") for part in ("wal", "journal"))
    return sum(path.stat().st_size for path in beside if path.exists())


@contextmanager
def opened(database: Path) -> Iterator[Ask | None]:
    """Lend a case file for reading; None where it cannot be read so, or a journal beside it has to be taken in."""
    if journalled_bytes(database):
        yield None
        return
    try:
        connection = opened_alone(database)
    except (sqlite3.Error, ValueError):
        yield None
        return
    with closing(connection):
        yield partial(_asked, connection)


def _asked(connection: sqlite3.Connection, statement: str, values: Sequence[Any]) -> list[Any]:
    try:
        return connection.execute(statement, tuple(values)).fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise DamagedCase(f"the case file cannot be read ({error})") from error


@contextmanager
def asking(store: Store) -> Iterator[Ask]:
    """Lend the same of an open store.

    Raises:
        DamagedCase: as :meth:`Store.reading`.
    """
    with store.reading() as session:
        connection = session.connection()
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        yield lambda statement, values: list(connection.exec_driver_sql(statement.replace("?", mark), tuple(values)))


def newest(ask: Ask) -> Newest | None:
    """Return the newest examination, None where none was completed.

    Raises:
        DamagedCase: what is kept of it cannot be read.
    """
    examination = ask("SELECT id, fingerprint, stages FROM examination ORDER BY id DESC LIMIT 1", ())
    first = ask("SELECT event_hash FROM custody WHERE sequence = 1", ())
    if not examination or not first:
        return None
    number, fingerprint, stages = examination[0]
    films = ask("SELECT payload FROM examination_extra WHERE examination_id = ? AND name = ?", (number, FILMS))
    version = ask("SELECT version_num FROM alembic_version", ())
    blocked = ask("SELECT blocks FROM rejected WHERE examination = ?", (fingerprint,))
    held = hashlib.sha256(bytes(films[0][0])).hexdigest() if films else ""
    try:
        kept = Stages(**json.loads(stages))
    except (TypeError, ValueError) as error:
        raise DamagedCase(f"examination {number} cannot be read: {error}") from error
    identity = json.dumps([first[0][0], fingerprint, stages, held, version[0][0] if version else ""])
    return Newest(number, identity, kept, bool(films), sum(bool(blocks) for (blocks,) in blocked))


def members(ask: Ask, examination: int) -> NDArray[np.int64]:
    """Return the row of every photo of an examination, in path order."""
    rows, found = list[int](), -1
    statement = "SELECT ordinal, source_row FROM member WHERE examination_id = ? AND ordinal > ? ORDER BY ordinal LIMIT"
    while some := ask(f"{statement} 20000", (examination, found)):
        rows += [row for _, row in some]
        found = some[-1][0]
    return np.array(rows, np.int64)


def names(ask: Ask, source_rows: Sequence[int]) -> list[str]:
    """Return the paths of photos, everything in them visible, in the order asked for; some hundred at a time."""
    found = dict(ask(f"SELECT id, relative FROM source WHERE id IN ({_marks(source_rows)})", source_rows))
    return [visible(bytes(found[row])) for row in source_rows]


def rows_of(ask: Ask, source_id: str) -> list[int]:
    """Return the rows of the states of a path."""
    return [row for (row,) in ask("SELECT id FROM source WHERE source_id = ?", (source_id,))]


def photos(
    ask: Ask,
    stages: Stages,
    source_rows: Sequence[int],
    *,
    claims: bool = True,
    tags: bool = False,
    pictures: bool = False,
) -> Iterator[LeanPhoto]:
    """Yield photos in the order asked for.

    Args:
        ask: how the case is asked.
        stages: the fingerprints of the results.
        source_rows: of the photos.
        claims: whether what they claim is wanted.
        tags: and their tags and time zones.
        pictures: whether embedding and perceptual hash are wanted.

    Raises:
        DamagedCase: what is kept of a photo cannot be read, or one is not there.
    """
    for first in range(0, len(source_rows), AT_ONCE):
        wanted = [int(row) for row in source_rows[first : first + AT_ONCE]]
        columns = "SELECT id, source_id, relative, sha256, stat, sidecars FROM source WHERE id IN"
        found = {row[0]: row for row in ask(f"{columns} ({_marks(wanted)})", wanted)}
        try:
            sources = [found[row] for row in wanted]
            told = _claims(ask, stages, sources, _Tagged if tags else ClaimBytes) if claims else {}
            seen = _pictures(ask, stages, sources) if pictures else {}
            for row in sources:
                yield _photo(row, told.get(row[0]), seen.get(row[3], {}))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DamagedCase(f"photos of the case cannot be read: {error!r}") from error


def _claims(ask: Ask, stages: Stages, sources: Sequence[Any], kind: type[ClaimBytes]) -> dict[int, ClaimBytes]:
    keys = {(row[1], claim_key(stages, _state(row))): row[0] for row in sources}
    names = sorted({row[1] for row in sources})
    statement = f"SELECT subject, fingerprint, payload FROM result WHERE subject IN ({_marks(names)}) AND stage = ?"
    kept = ask(f"{statement} AND NOT failed", (*names, CLAIM))
    return {
        keys[subject, key]: decoded(bytes(payload), kind) for subject, key, payload in kept if (subject, key) in keys
    }


def _pictures(ask: Ask, stages: Stages, sources: Sequence[Any]) -> dict[str, dict[str, bytes]]:
    names = sorted({row[3] for row in sources})
    wanted = {IMAGE: stages.image, VISION: stages.vision}
    statement = f"SELECT subject, stage, fingerprint, payload FROM result WHERE subject IN ({_marks(names)})"
    kept = ask(f"{statement} AND stage IN (?, ?) AND NOT failed", (*names, *wanted))
    found: dict[str, dict[str, bytes]] = {}
    for subject, stage, fingerprint, payload in kept:
        if fingerprint == wanted[stage]:
            found.setdefault(subject, {})[stage] = bytes(payload)
    return found


def _photo(row: Any, claim: ClaimBytes | None, pictures: Mapping[str, bytes]) -> LeanPhoto:
    told = claim or ClaimBytes()
    return LeanPhoto(
        source_row=row[0],
        source_id=row[1],
        relative=bytes(row[2]),
        sha256=row[3],
        is_read=claim is not None,
        local_time=told.local(),
        position=told.place(),
        maker=told.maker(),
        zones=tuple(told.zones) if isinstance(told, _Tagged) else (),
        tags=told.tags if isinstance(told, _Tagged) else None,
        embedding=_embedding(pictures[VISION]) if VISION in pictures else None,
        perceptual_hash=decoded(pictures[IMAGE], _Pictured).perceptual_hash if IMAGE in pictures else None,
    )


def _embedding(kept: bytes) -> NDArray[np.float32] | None:
    held = decoded(kept, _Seen).embedding
    if held is None:
        return None
    return np.frombuffer(held["data"], np.dtype(held["dtype"])).reshape(held["shape"]).astype(np.float32)


def _state(row: Any) -> StoredSource:
    row_id, _, relative, sha256, stat, sidecars = row
    return kept_state(row_id, bytes(relative), sha256, stat, sidecars)


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
