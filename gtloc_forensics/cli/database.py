"""``--database``: the examiner's word on where a case is kept, for the commands that are given a case folder."""

from __future__ import annotations

import click

_META = "gtloc_forensics.database"


def _remember(context: click.Context, _parameter: click.Parameter, value: str) -> str:
    context.meta[_META] = value
    return value


database_option = click.option(
    "--database",
    envvar="GTLOC_DATABASE",
    default="",
    expose_value=False,
    callback=_remember,
    help="SQLAlchemy URL of the case database, where it lies outside the case folder.",
)


def named_database() -> str:
    """Return the address that the running command was given, "" for none."""
    return str(click.get_current_context().meta.get(_META, ""))
