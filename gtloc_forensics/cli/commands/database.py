"""``gtloc database``: what an administrator does with a case database on a server."""

from __future__ import annotations

import click

from gtloc_forensics.cli.exits import says_what_went_wrong


@click.group()
def database() -> None:
    """Prepare a case database on a PostgreSQL server (docs/postgresql.md)."""


@database.command()
@click.option("--database", "address", envvar="GTLOC_DATABASE", default="", help="SQLAlchemy URL of the case database.")
@click.option("--reader", default="gtloc_reader", show_default=True, help="Role that may read and no more.")
@click.option("--writer", default="gtloc_writer", show_default=True, help="Role that may also add.")
@click.option("--sql", "prints", is_flag=True, help="Print the SQL and connect to nothing.")
@says_what_went_wrong
def roles(address: str, reader: str, writer: str, prints: bool) -> None:
    """Make two roles for a case database: one reads, one also adds.

    Run it as the account that the tables are to belong to; it makes them where
    they are missing. Then give the roles to accounts: GRANT gtloc_reader TO anna.
    The custody chain only grows: neither role may change or remove a row of it,
    and neither can switch its triggers off.
    """
    from gtloc_forensics.case import team

    if prints:
        for statement in team.roles_sql(reader, writer):
            click.echo(f"{statement};")
        return
    place = team.make_roles(address, reader, writer)
    click.echo(f"{reader} may read {place}; {writer} may also add to it")
