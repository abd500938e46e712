"""The tables of the case database, and how a database gets them. Only the store reads them."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateTable

from gtloc_forensics.errors import CaseBusy, CaseError, ForensicsError, NewerCase, UsageError, WorkspaceFull
from gtloc_forensics.records import visible
from gtloc_forensics.store import addresses, servers

SCHEMA = "0001"
"""The newest migration this program knows."""

BUSY_TIMEOUT_MS = 10_000
_LEAST_ROOM_BYTES = 1 << 16

SQLITE, POSTGRESQL = "sqlite", "postgresql"

WRITES = "gtloc_writes"
"""Execution option of an engine whose transactions are going to write."""

_REFUSAL = "the custody chain is append-only"
_GUARDS = {
    SQLITE: {
        f"custody_no_{verb.lower()}": f"CREATE TRIGGER custody_no_{verb.lower()} BEFORE {verb} ON custody "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        for verb in ("DELETE", "UPDATE")
    },
    # When it fires (bits: 1 each row, 2 before, 8 delete, 16 update, 32 truncate), and what it does.
    POSTGRESQL: {
        "custody_no_change": f"27 BEGIN RAISE EXCEPTION '{_REFUSAL}'; END",
        "custody_no_truncate": f"34 BEGIN RAISE EXCEPTION '{_REFUSAL}'; END",
    },
}
"""Backend → the triggers that keep the custody chain append-only, and their text."""

_TRIGGERS = {
    SQLITE: "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    POSTGRESQL: "SELECT t.tgname, t.tgtype || ' ' || p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
    "WHERE t.tgrelid = 'custody'::regclass AND t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL",
}

_CASE_LOCK, _TRANSACTION_LOCK = 1_734_636_643, 1_734_636_644
"""Numbers of PostgreSQL's advisory locks: of a whole run, and of one transaction."""

_PLACE = "hashtext(current_schema())"
"""With which those numbers are this case's own: a database may hold one case per schema."""


class Row(DeclarativeBase):
    """The base that SQLAlchemy asks for; the tables below are the schema of migration 0001."""


class CaseRow(Row):
    """One row: what the examiner says of the case."""

    __tablename__ = "case_header"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_number: Mapped[str]
    exhibit: Mapped[str]
    examiner: Mapped[str]
    agency: Mapped[str]
    legal_authority: Mapped[str]
    evidence_folder: Mapped[str]
    opened_utc: Mapped[str]


class SourceRow(Row):
    """One state of one path of the evidence. A changed file is a new row; the newest counts."""

    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("source_id", "generation"), Index("source_sha256", "sha256"))
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    source_id: Mapped[str] = mapped_column(index=True)
    generation: Mapped[int]
    relative: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str]
    media_type: Mapped[str]
    stat: Mapped[str]  # JSON of FileStat
    sidecars: Mapped[str]  # JSON: [[path bytes as hex, sha256], …]
    acquired_utc: Mapped[str]


class RejectedRow(Row):
    """A candidate that intake could not read: it has no hash, yet it is a row and has a reason."""

    __tablename__ = "rejected"
    source_id: Mapped[str] = mapped_column(primary_key=True)
    examination: Mapped[str] = mapped_column(primary_key=True)
    relative: Mapped[bytes] = mapped_column(LargeBinary)
    reason: Mapped[str]
    blocks: Mapped[bool]  # false: not a photo, merely passed over


class ResultRow(Row):
    """What one stage made of one subject under one fingerprint."""

    __tablename__ = "result"
    subject: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    failed: Mapped[bool]  # the payload is then a pair (reason, detail)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class ExaminationRow(Row):
    """One completed examination of the folder, named by everything it depended on."""

    __tablename__ = "examination"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    fingerprint: Mapped[str] = mapped_column(unique=True)
    environment: Mapped[str]  # JSON
    stages: Mapped[str]  # JSON: stage → fingerprint
    finished_utc: Mapped[str]


class MemberRow(Row):
    """A source as one examination found it: its state, outcome, hash at the end."""

    __tablename__ = "member"
    examination_id: Mapped[int] = mapped_column(ForeignKey("examination.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    source_row: Mapped[int] = mapped_column(ForeignKey("source.id"))
    status: Mapped[str]
    sha256_at_end: Mapped[str]
    findings: Mapped[bytes] = mapped_column(LargeBinary)  # every outcome of every rule, also consistent ones


class FindingRow(Row):
    """A finding that a person should see, apart from the member rows so that it can be asked for."""

    __tablename__ = "finding"
    __table_args__ = (Index("finding_by_check", "examination_id", "check_id", "outcome"),)
    examination_id: Mapped[int] = mapped_column(ForeignKey("examination.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    check_id: Mapped[str]
    outcome: Mapped[str]
    severity: Mapped[int]
    source_id: Mapped[str] = mapped_column(index=True)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class ExtraRow(Row):
    """A product of a whole examination: clock models, cause groups, tallies."""

    __tablename__ = "examination_extra"
    examination_id: Mapped[int] = mapped_column(ForeignKey("examination.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class CustodyRow(Row):
    """One link of the custody chain; triggers refuse update and delete."""

    __tablename__ = "custody"
    sequence: Mapped[int] = mapped_column(primary_key=True)
    utc_time: Mapped[str]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[str]  # canonical JSON
    previous_hash: Mapped[str]
    event_hash: Mapped[str]


def engine_of(place: str | Path) -> Engine:
    """Return an engine for a URL or the path of an SQLite file; SQLite gets WAL, foreign keys, full synchronisation.

    Raises:
        UsageError: when it is no database URL, or one of a database this program does not know.
    """
    if isinstance(place, Path):
        return _sqlite_file(place)
    checked = addresses.checked(place)
    return _sqlite_file(checked) if isinstance(checked, Path) else _postgresql(make_url(checked))


def _sqlite_file(path: Path) -> Engine:
    # A path is bytes: one that is not text, or holds a "?", would not survive being written as a URL.
    shown = URL.create(SQLITE, database=visible(os.fsencode(path)))
    return _guarded(create_engine(shown, creator=lambda: sqlite3.connect(os.fsencode(path), check_same_thread=False)))


def cannot_be_written(path: Path) -> bool:
    """Whether a database that is there lies where nothing can be written: SQLite needs room beside it, too."""
    return path.is_file() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def left_over(path: Path) -> list[Path]:
    """Return what a program that was killed left beside an SQLite file and what belongs to its content."""
    beside = [path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-journal")]
    return [file for file in beside if file.is_file() and file.stat().st_size]


def unchanging_engine(path: Path) -> Engine:
    """Return an engine on an SQLite file that nobody writes to: it leaves no lock and no file beside it."""
    uri = f"file:{quote(os.fsencode(path))}?immutable=1"
    shown = URL.create(SQLITE, database=visible(os.fsencode(path)))
    engine = create_engine(shown, creator=lambda: sqlite3.connect(uri, uri=True, check_same_thread=False))
    event.listen(engine, "connect", _prepare_reading)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _guarded(engine: Engine) -> Engine:
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgresql(url: URL) -> Engine:
    try:
        engine = create_engine(url if "+" in url.drivername else url.set(drivername="postgresql+psycopg"))
    except ModuleNotFoundError as error:
        raise UsageError(
            f"PostgreSQL needs {error.name}; pip install 'gtloc_forensics[postgres]' brings psycopg"
        ) from error
    event.listen(engine, "handle_error", servers.tell)
    return engine


def _begin_sqlite(connection: Connection) -> None:
    # Who is going to write says so at once: one that reads first and then finds another has written cannot wait.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_reading(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only = ON")


def _prepare_sqlite(connection: Any, _: Any) -> None:
    # The driver's own transaction handling would commit before DDL and reads outside a transaction.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # a custody event that was reported is on the disk
    cursor.close()


@contextmanager
def reserved(engine: Engine, shown: str) -> Iterator[None]:
    """Hold the lock of a whole run in PostgreSQL; it is a connection's, and ends with it.

    Raises:
        CaseBusy: when another program holds it.
    """
    with engine.connect() as connection:
        connection.detach()  # the lock is the connection's and ends with it, whatever has become of the server
        if not connection.scalar(text(f"SELECT pg_try_advisory_lock({_CASE_LOCK}, {_PLACE})")):
            raise CaseBusy(f"{shown} is in use by another process; wait for it or stop it")
        connection.commit()  # an open transaction would hold up vacuuming
        try:
            with servers.holding(engine, connection):
                yield
        finally:
            with suppress(SQLAlchemyError, CaseError):  # a server that went away has let go of it
                # Given back now: the end of a connection reaches the server only after a while.
                connection.execute(text(f"SELECT pg_advisory_unlock({_CASE_LOCK}, {_PLACE})"))


def queue_up(connection: Connection) -> None:
    """Wait until no other transaction writes. In SQLite its beginning has done that."""
    if connection.dialect.name == POSTGRESQL:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_TRANSACTION_LOCK}, {_PLACE})"))
        servers.insist_on_hold(connection.engine)


def trigger_faults(connection: Connection) -> tuple[str, ...]:
    """Return one sentence for each trigger that should guard the custody chain and does not, or in other words."""
    rows = connection.execute(text(_TRIGGERS[connection.dialect.name]))
    there = {str(name): " ".join(str(words).split()) for name, words in rows}
    faults = []
    for name, words in _GUARDS[connection.dialect.name].items():
        if name not in there:
            faults.append(f"the trigger {name}, which keeps the custody chain append-only, is gone")
        elif there[name] != words:
            faults.append(f"the trigger {name}, which keeps the custody chain append-only, was replaced by another")
    return tuple(faults)


def migrate(engine: Engine) -> None:
    """Bring a database to :data:`SCHEMA`.

    Raises:
        NewerCase: when a newer program wrote it.
    """
    with engine.connect() as connection:
        found = _version(connection)
    if found == SCHEMA:
        return
    if found is not None and found > SCHEMA:
        raise NewerCase(str(engine.url.database), found, SCHEMA)
    with engine.begin() as connection:
        queue_up(connection)
        if _version(connection) == SCHEMA:
            return  # another program was there first
        if connection.dialect.name == SQLITE and not inspect(connection).get_table_names():
            _make(connection)
            return
        upgrade(connection)


def _make(connection: Connection) -> None:
    """Give an empty SQLite file the tables and triggers of :data:`SCHEMA`: loading alembic takes ten times as long."""
    Row.metadata.create_all(connection)
    for statement in _GUARDS[SQLITE].values():
        connection.exec_driver_sql(statement)
    connection.execute(CreateTable(_REVISION))
    connection.execute(_REVISION.insert(), {"version_num": SCHEMA})


_REVISION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Where alembic keeps which migration a database is at."""


def upgrade(connection: Connection) -> None:
    """Bring a database of any age to :data:`SCHEMA`, a migration after the other."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _version(connection: Any) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def is_for_want_of_room(error: DBAPIError, file: Path | None) -> bool:
    """Say whether SQLite failed because a disk is full; of its index beside the file it says "I/O error" then."""
    said = str(error.orig)
    if "full" in said:
        return True
    return "I/O" in said and file is not None and shutil.disk_usage(file.parent).free < _LEAST_ROOM_BYTES


def not_opened(error: Exception, url: str, file: Path | None) -> ForensicsError:
    """Return why a database at *url*, in a *file* or none, could not be opened, for people."""
    if isinstance(error, DBAPIError) and is_for_want_of_room(error, file):
        return WorkspaceFull((file or Path()).parent)
    said = getattr(error, "orig", "it is damaged")
    return CaseError(f"{url} is not usable as a case database: {said}; name another case")


def not_written(error: DBAPIError, url: str, file: Path | None) -> ForensicsError | None:
    """Return why a database at *url*, in a *file* or none, was not written, for people; None for what is unknown."""
    said = str(error.orig)
    if "locked" in said:
        return CaseBusy(f"{url} is being written by another process; wait for it or stop it")
    if is_for_want_of_room(error, file):
        return WorkspaceFull((file or Path()).parent)
    if "I/O" in said:
        return CaseError(
            f"{url} could not be written (disk I/O error); look at the disk and at the limit on the length of files "
            "(ulimit -f), then run again: the case resumes where it stopped"
        )
    return None
