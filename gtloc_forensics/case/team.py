"""A case database that a team shares on a PostgreSQL server: what its administrator prepares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gtloc_forensics.errors import UsageError
from gtloc_forensics.store import addresses, roles
from gtloc_forensics.store.database import Store


def roles_sql(reader: str = roles.READER, writer: str = roles.WRITER) -> Iterator[str]:
    """Yield the SQL that makes a role that reads and one that also adds, a statement each.

    Raises:
        UsageError: a name is none that needs no quoting.
    """
    yield from roles.statements(reader, writer)


def make_roles(address: str, reader: str = roles.READER, writer: str = roles.WRITER) -> str:
    """Make both roles in the database at *address*, and its tables where they are missing; return where that is.

    Raises:
        UsageError: it is no address of a server, or a name cannot be used.
        CaseError: the server cannot be reached, or does not allow it.
    """
    place = addresses.checked(address) if address else Path()
    if isinstance(place, Path):
        raise UsageError("roles are of a server: write --database postgresql+psycopg://owner@host/name, or --sql")
    store = Store(place)
    try:
        roles.make(store.engine, reader, writer)
    finally:
        store.close()
    return store.url
