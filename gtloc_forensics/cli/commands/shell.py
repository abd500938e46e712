"""``gtloc completion`` and ``gtloc man``: at home in the shell."""

from __future__ import annotations

from pathlib import Path

import click

from gtloc_forensics.cli.exits import says_what_went_wrong
from gtloc_forensics.cli.output import say

PROGRAM = "gtloc"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@says_what_went_wrong
def completion(shell: str) -> None:
    """Print what makes SHELL complete the commands, options and files of gtloc."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click completes nothing in {shell}")
    click.echo(kind(click.get_current_context().find_root().command, {}, PROGRAM, "_GTLOC_COMPLETE").source())


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder of manual pages.")
@says_what_went_wrong
def man(output: Path) -> None:
    """Write the manual pages, one per command, from the same texts as --help."""
    from gtloc_forensics.cli import manual
    from gtloc_forensics.files.writing import write_text

    root = click.get_current_context().find_root().command
    for name, text in manual.pages(root, PROGRAM):
        path = output / "man1" / f"{name}.1"
        write_text(path, text)
        say(path)
