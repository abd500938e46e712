"""The evidence that a command is given: a folder, an image, an archive, or the address of a store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click


def _note(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        from gtloc_forensics.files import reading

        reading.name(value)


class Evidence(click.Path):
    """A path, or an address such as ``s3://bucket/prefix``, which is looked at before a path is made of it."""

    name = "evidence"

    def __init__(self) -> None:
        """Take anything: what it is the library says."""
        super().__init__(path_type=Path)

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """Return the path by which a case knows what was named; an address that carries a secret is refused unsaid."""
        from gtloc_forensics.errors import UsageError
        from gtloc_forensics.files.stores import addresses

        if not isinstance(value, str) or not addresses.is_address(value) or os.path.lexists(value):
            return super().convert(value, parameter, context)
        try:
            return addresses.read(value).path
        except UsageError as error:
            raise click.UsageError(str(error)) from None


evidence_option = click.option(
    "--evidence",
    type=Evidence(),
    expose_value=False,
    callback=_note,
    help="Address of the store in which the photos of the case lie: without it we connect nowhere.",
)
