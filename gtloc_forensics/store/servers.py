"""What can go wrong with a database server while a case is open, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError

from gtloc_forensics.errors import CaseError

_NO_RIGHT = "42501"  # SQLSTATE insufficient_privilege
_held: dict[int, Connection] = {}
"""Which connection holds the lock of a whole run, by the pool of its engine."""


def tell(context: ExceptionContext) -> None:
    """Raise what a server's error means for whoever works on the case; leave what is known elsewhere as it is.

    Raises:
        CaseError: the server ended the connection or cannot be reached, or gives no right.
    """
    error, engine = context.sqlalchemy_exception, context.engine
    if error is None or engine is None:
        return
    place = engine.url.render_as_string(hide_password=True)
    if isinstance(error, ProgrammingError) and getattr(context.original_exception, "sqlstate", "") == _NO_RIGHT:
        raise CaseError(
            f"{place}: the server gives this account no right to do that ({_first_line(context.original_exception)}); "
            "work with an account that has the role for it (docs/postgresql.md)"
        ) from error
    if context.is_disconnect or (context.connection is None and isinstance(error, OperationalError | InterfaceError)):
        raise lost(engine, context.original_exception) from error


def lost(engine: Engine, error: BaseException) -> CaseError:
    """Return what is said when a server went away."""
    return CaseError(
        f"{engine.url.render_as_string(hide_password=True)} is not usable as a case database now: the server ended "
        f"the connection, or cannot be reached ({_first_line(error)}); what was committed is kept: when it answers, "
        "the same command goes on from there"
    )


@contextmanager
def holding(engine: Engine, connection: Connection) -> Iterator[None]:
    """Remember which connection holds the lock of a whole run."""
    key = id(engine.pool)
    before = _held.get(key)
    _held[key] = connection
    try:
        yield
    finally:
        if before is None:
            _held.pop(key, None)
        else:
            _held[key] = before


def insist_on_hold(engine: Engine | Any) -> None:
    """Make sure that the lock of a run, if one was taken, is still held: with its connection it would be gone.

    Within a transaction that waited for all others: one thread at a time asks.

    Raises:
        CaseError: the connection that held it is gone.
    """
    held = _held.get(id(engine.pool))
    if held is not None:
        held.execute(text("SELECT 1"))
        held.commit()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
