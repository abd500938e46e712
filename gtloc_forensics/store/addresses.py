"""Where a case keeps its database: in its own folder, or where the command line says.

A case folder may come from somebody else. What it says of a database elsewhere is
read, shown and not followed: a program that did would connect, with the examiner's
rights, wherever a stranger wants it to.
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from gtloc_forensics.errors import UsageError
from gtloc_forensics.records import visible

DATABASE = "case.sqlite"

ADDRESS = "database.url"
"""The file that says where a case without :data:`DATABASE` is kept; a password is never in it."""

_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")

_OPTIONS = frozenset(
    (
        *("host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "gssencmode", "channel_binding"),
        *("connect_timeout", "application_name", "target_session_attrs", "keepalives", "keepalives_idle"),
    )
)
"""What a PostgreSQL address may ask of libpq: where to and how safely; nothing that names a program or another file
but certificates."""

_LONGEST_BYTES = 4096


def place_of(folder: Path, named: str = "") -> Path | str:
    """Return where the database of the case in *folder* is: a file, or the URL of a server.

    Args:
        folder: the case folder.
        named: the address given on the command line, "" for none.

    Raises:
        UsageError: the address is none, or the folder names a place outside itself that nobody else named.
    """
    if named:
        return checked(named)
    kept = _kept(folder)
    if not kept:
        return folder / DATABASE
    place = checked(kept, origin=f"{visible(os.fsencode(folder / ADDRESS))}: ")
    if isinstance(place, Path) and place.resolve().is_relative_to(folder.resolve()):
        return place
    raise UsageError(
        f"{folder} says that its database is {visible(os.fsencode(shown(place)))}, outside the case folder; a case "
        "folder alone does not decide where we connect: if it is right, name the same address with --database"
    )


def checked(address: str, *, origin: str = "--database ") -> Path | str:
    """Return an address that a case can be kept at: an absolute path for SQLite, a URL otherwise.

    Args:
        address: an SQLAlchemy URL; a relative SQLite path is taken from the working directory.
        origin: how the error message begins.

    Raises:
        UsageError: it is no database URL, or of a kind, driver or option that is not used here.
    """
    try:
        parsed = make_url(address)
    except (ArgumentError, ValueError) as error:
        raise UsageError(
            f"{origin}is no database URL; write sqlite:////path/of/a/file or postgresql+psycopg://user@host/name"
        ) from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise UsageError(f"{origin}a case database is SQLite or PostgreSQL, not {parsed.get_backend_name()}")
    if parsed.drivername not in _DRIVERS:
        known = ", ".join(_DRIVERS)
        raise UsageError(f"{origin}the driver of {parsed.drivername} is not used here; write one of {known}")
    return _file_of(parsed, origin) if parsed.get_backend_name() == "sqlite" else _server_of(parsed, origin)


def shown(place: Path | str) -> str:
    """Return an address as it may be written down: without a password."""
    if isinstance(place, Path):
        return URL.create("sqlite", database=os.fspath(place)).render_as_string()
    return make_url(place).set(password=None).render_as_string()


def _file_of(parsed: URL, origin: str) -> Path:
    if parsed.query:
        raise UsageError(f"{origin}an SQLite address takes no options ({', '.join(parsed.query)}); leave them out")
    if not parsed.database or parsed.database == ":memory:" or parsed.database.startswith("file:"):
        raise UsageError(
            f"{origin}a case that is only in memory would be lost with the program; write sqlite:////path/of/a/file"
        )
    if parsed.host or "\0" in parsed.database:
        raise UsageError(f"{origin}an SQLite address names a file and no host; write sqlite:////path/of/a/file")
    return Path(parsed.database).absolute()


def _server_of(parsed: URL, origin: str) -> str:
    unknown = sorted(set(parsed.query) - _OPTIONS)
    if unknown:
        raise UsageError(f"{origin}the option {unknown[0]} is not used here; leave it out")
    return parsed.render_as_string(hide_password=False)


def _kept(folder: Path) -> str:
    path = folder / ADDRESS
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_BYTES).decode("utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error}); name the database with --database") from error
