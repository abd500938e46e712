"""The one door to the terminal: whatever a photo is called, nothing in it reaches a terminal as more than a letter."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click


def say(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Print *text* with control and bidi characters written out; its line ends stay."""
    from gtloc_forensics.records import visible  # not needed for --help, and slow to come

    click.echo("\n".join(map(visible, str(text).split("\n"))), err=err, nl=nl)


def say_json(document: Any, *, indent: int | None = 1) -> None:
    """Print *document* as JSON, every text in it visible."""
    from gtloc_forensics.records import visible_throughout

    json.dump(visible_throughout(document), sys.stdout, indent=indent, default=str, ensure_ascii=False)
    click.echo()


def open_for_reading(path: Path) -> None:
    """Show a file of ours in the program that this desktop opens such files with, and do not wait for it."""
    if click.launch(str(path.absolute())) != 0:
        say(f"gtloc: no program of this desktop opens {path}; open it by hand", err=True)


def counted(number: int, noun: str) -> str:
    """Return ``1 photo``, ``2 photos``."""
    return f"{number} {noun}{'s' * (number != 1)}"
