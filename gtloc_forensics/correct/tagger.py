"""The safe exiftool client as a transaction sees it: tags of one file read, tags of one file written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from gtloc_forensics.correct.assignments import Assignment
from gtloc_forensics.errors import ToolFailed
from gtloc_forensics.records import Tags


class Client(Protocol):
    """What is needed of the exiftool client; stages do not import one another."""

    def read(self, paths: Sequence[bytes]) -> Sequence[Any]:
        """Return for each path something with ``tags``, or with the ``reason`` why there are none."""

    def write(self, path: bytes, assignments: Sequence[tuple[str, str | None]]) -> Any:
        """Write tags; what is returned has ``done`` and ``message``."""


class ClientTagger:
    """Reads and writes one file at a time through the client."""

    def __init__(self, client: Client) -> None:
        """Write through *client*."""
        self._client = client

    def read(self, path: Path) -> Tags:
        """Return the tags of a file, numeric form, keyed ``Group1:Tag``.

        Raises:
            ToolFailed: exiftool cannot read it.
        """
        found = self._client.read([os.fsencode(path)])[0]
        tags: Tags | None = getattr(found, "tags", None)
        if tags is None:
            raise ToolFailed(f"its tags could not be read: {found.reason}")
        return tags

    def write(self, path: Path, assignments: Sequence[Assignment]) -> None:
        """Write tags into *path* itself; an XMP sidecar that is not there is created.

        Raises:
            ToolFailed: exiftool did not write all of them.
        """
        written = self._client.write(os.fsencode(path), list(assignments))
        if not written.done or not path.exists():
            raise ToolFailed(f"exiftool did not write it: {written.message or 'no answer'}")
