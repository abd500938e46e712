"""``gtloc plugin``: what plugs us into other programs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gtloc_forensics.cli.database import database_option, named_database
from gtloc_forensics.cli.exits import says_what_went_wrong
from gtloc_forensics.cli.output import counted, say

if TYPE_CHECKING:
    from gtloc_forensics.cli.plugging import Change, Plugin
    from gtloc_forensics.records import Scalar


@click.group()
def plugin() -> None:
    """Plug this program into others: photo managers and file managers."""


@plugin.command("list")
@says_what_went_wrong
def list_() -> None:
    """List the plugins there are, and where they are installed."""
    from gtloc_forensics.cli.plugging import PLUGINS, installed

    for name, known in PLUGINS.items():
        paths = [Path(path) for path in installed(name)]
        where = os.path.commonpath([path.parent for path in paths]) if paths else "not installed"
        say(f"{name:<10} {known.title}: {where}")


@plugin.command()
@click.argument("name")
@click.option("--into", type=click.Path(path_type=Path), help="Folder of that program's settings [default: its own].")
@click.option("--replace", is_flag=True, help="Overwrite files that were changed, or that are not ours.")
@says_what_went_wrong
def install(name: str, into: Path | None, replace: bool) -> None:
    """Install the plugin NAME for this user, or bring it up to date."""
    from gtloc_forensics.cli import plugging

    known = _known(name)
    _tell(plugging.install(known, into, replace=replace))
    say(f"installed: {known.afterwards}")


@plugin.command()
@click.argument("name")
@says_what_went_wrong
def uninstall(name: str) -> None:
    """Remove the plugin NAME; what was changed since it was installed is left and named."""
    from gtloc_forensics.cli import plugging

    _tell(plugging.uninstall(_known(name)))


@plugin.command()
@click.argument("case", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("journal", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--by", required=True, metavar="PROGRAM", help="The program that wrote: darktable.")
@click.option("--transaction", default="", metavar="NAME", help="The correction that it carried out, or took back.")
@click.option("--undone", is_flag=True, help="It put the old values back.")
@database_option
@says_what_went_wrong
def record(case: Path, journal: Path, by: str, transaction: str, undone: bool) -> None:
    """Note in CASE's chain of custody what another program wrote into its own library, as JOURNAL lists it.

    Plugins call this after they carried out a correction. The event holds the
    hash of JOURNAL and the number of its lines that begin with ``wrote``.
    """
    from gtloc_forensics.case.case import Case
    from gtloc_forensics.files.hashing import sha256_of

    lines = sum(line.startswith(b"wrote\t") for line in journal.read_bytes().splitlines())
    with Case(case, database_url=named_database()) as opened, opened.locked():
        detail: dict[str, Scalar] = {
            "step": "undone in its library" if undone else "written into its library",
            "transaction": transaction,
            "journal": journal.name,
            "journal_sha256": sha256_of(journal),
            "values": lines,
        }
        opened.note("correct", by, detail)
    say(f"noted: {counted(lines, 'value')} by {by}")


def _known(name: str) -> Plugin:
    from gtloc_forensics.cli.plugging import PLUGINS
    from gtloc_forensics.errors import UsageError

    if name not in PLUGINS:
        raise UsageError(f"no plugin is called {name!r}; there are {', '.join(PLUGINS)}")
    return PLUGINS[name]


def _tell(changes: Iterable[Change]) -> None:
    for change in changes:
        say(f"{change.path}: {change.what}")
