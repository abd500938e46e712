"""Options for what is read beside the photos, the same for ``gtloc audit`` and ``gtloc watch``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--catalogue",
        "catalogues",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Catalogue of a photo program or library of a telephone to read beside the photos; "
        "more than once if wished.",
    ),
    click.option(
        "--trust-anchors",
        "trust_anchors",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Certificates (PEM) of those whose content credentials are trusted; more than once if wished.",
    ),
    click.option(
        "--backup-password",
        type=click.Path(path_type=Path),
        help="File whose first line is the password of an encrypted iOS backup.",
    ),
)


def witness_options(command: Command) -> Command:
    """Give a command the options that name catalogues, trusted signers and the password of a backup."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
