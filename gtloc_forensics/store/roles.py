"""Who may do what with a case database on a PostgreSQL server: a role that reads, and one that adds.

The tables belong to whoever made them. Neither role owns anything, so that neither can
switch off the triggers that guard the custody chain, and the one that writes has no
right to change or remove a row of it either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Engine, text

from gtloc_forensics.errors import UsageError
from gtloc_forensics.store.schema import POSTGRESQL, Row

READER, WRITER = "gtloc_reader", "gtloc_writer"

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_CHANGED = "case_header"
"""The one table in which a row is ever changed: what the examiner says; each change is an event of the chain."""


def statements(reader: str = READER, writer: str = WRITER, *, schema: str = "public") -> Iterator[str]:
    """Yield the SQL that makes both roles and gives each its rights; it may be run again.

    Args:
        reader: the role that may read and no more.
        writer: the role that may also add.
        schema: in which the case lies.

    Raises:
        UsageError: a name is none that needs no quoting.
    """
    for name in (reader, writer, schema):
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name for a role; write small letters, digits and _")
    tables = sorted(table.name for table in Row.metadata.sorted_tables)
    everything = ", ".join(f"{schema}.{name}" for name in tables)
    for role in (reader, writer):
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') "
            f"THEN CREATE ROLE {role} NOLOGIN; END IF; END $$"
        )
    yield f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC"
    yield f"REVOKE ALL ON {everything} FROM PUBLIC, {reader}, {writer}"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {reader}, {writer}"
    yield f"GRANT SELECT ON {everything}, {schema}.alembic_version TO {reader}, {writer}"
    yield f"GRANT INSERT ON {everything} TO {writer}"
    yield f"GRANT UPDATE ON {schema}.{_CHANGED} TO {writer}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {writer}"
    granted = f"'GRANT TEMPORARY ON DATABASE ' || quote_ident(current_database()) || ' TO {writer}'"
    yield f"DO $$ BEGIN EXECUTE {granted}; END $$"


def make(engine: Engine, reader: str = READER, writer: str = WRITER) -> None:
    """Make both roles in the database that *engine* opens, whose tables are there.

    Raises:
        UsageError: it is kept in a file, or a name cannot be used.
        CaseError: the server does not allow it.
    """
    if engine.dialect.name != POSTGRESQL:
        raise UsageError("roles are of a PostgreSQL server; name its address with --database")
    with engine.begin() as connection:
        schema = connection.scalar(text("SELECT current_schema()"))
        for statement in statements(reader, writer, schema=str(schema)):
            connection.exec_driver_sql(statement)


def may_write(engine: Engine) -> bool:
    """Say whether whoever opened *engine* may add to the case on that server."""
    query = "SELECT has_table_privilege('custody', 'INSERT') AND NOT pg_is_in_recovery()"
    with engine.connect() as connection:
        return bool(connection.scalar(text(query)))
