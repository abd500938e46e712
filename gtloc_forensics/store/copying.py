"""Many rows into one table: by COPY where a PostgreSQL server takes them, by INSERT elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Boolean, Connection, Integer, LargeBinary, Table
from sqlalchemy.dialects import sqlite

from gtloc_forensics.store import servers
from gtloc_forensics.store.schema import POSTGRESQL, Row

FEWEST_TO_COPY, FEWEST_TO_COMPARE = 10, 100
"""Rows; fewer cost less as an INSERT. Those that may be there already go through a table of their own, which costs.

INSERT against COPY in CPU of client and server, median of 3 turns of 2,000 rows each: batches of 10 rows 1.9 (plain)
and 0.4 (compared), of 50 2.4 and 1.0, of 100 2.5 and 1.3 (benchmarks/bench_postgres.py --batch N).
"""


def write_rows(
    connection: Connection, kind: type[Row], rows: Sequence[Mapping[str, Any]], *, skips_known: bool = False
) -> None:
    """Write *rows* within the transaction of *connection*.

    Args:
        connection: to the case database.
        kind: of which table they are.
        rows: each with a value for every column.
        skips_known: whether a row whose key is there already is left out, not refused.
    """
    table = kind.__table__
    assert isinstance(table, Table)
    fewest = FEWEST_TO_COMPARE if skips_known else FEWEST_TO_COPY
    if connection.dialect.name == POSTGRESQL and len(rows) >= fewest:
        _copy(connection, table, rows, skips_known=skips_known)
        return
    made = _insert(connection, table)
    connection.execute(made.on_conflict_do_nothing() if skips_known else made, [dict(row) for row in rows])


def _insert(connection: Connection, table: Table) -> Any:
    if connection.dialect.name != POSTGRESQL:
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # slow to come, and a file has no need of it

    return postgresql.insert(table)


def _copy(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, skips_known: bool) -> None:
    names = [column.name for column in table.columns]
    columns, target = ", ".join(names), table.name
    if skips_known:
        target = f"arriving_{table.name}"
        connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {target} (LIKE {table.name} INCLUDING DEFAULTS) ON COMMIT DROP"
        )
    raw = connection.connection.driver_connection
    assert raw is not None
    try:
        with raw.cursor() as cursor, cursor.copy(f"COPY {target} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types([_type_of(column.type) for column in table.columns])
            for row in rows:
                copy.write_row([row[name] for name in names])
    except Exception as error:  # the driver's own: SQLAlchemy sees nothing of a COPY
        if not raw.broken and not raw.closed:
            raise
        connection.invalidate(error)
        raise servers.lost(connection.engine, error) from error
    if skips_known:
        connection.exec_driver_sql(
            f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {target} ON CONFLICT DO NOTHING"
        )
        connection.exec_driver_sql(f"TRUNCATE {target}")


def _type_of(kind: Any) -> str:
    """Return PostgreSQL's name for a column's type, in which its binary form is written."""
    if isinstance(kind, LargeBinary):
        return "bytea"
    if isinstance(kind, Boolean):
        return "bool"
    return "int4" if isinstance(kind, Integer) else "text"
