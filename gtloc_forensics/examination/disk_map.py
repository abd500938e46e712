"""Bytes by name, kept in an unnamed file instead of in memory: what a whole case is carried through in.

Memory is a few dozen bytes per name, whatever the length of what is kept.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager, suppress
from types import TracebackType

from gtloc_forensics.files import opening


class DiskMap(MutableMapping[str, bytes], AbstractContextManager["DiskMap"]):
    """A mapping on a temporary file; what is replaced leaves its room unused. Use it as a context manager."""

    def __init__(self) -> None:
        """Open an empty map in a temporary file.

        Raises:
            WorkspaceFull: the folder for temporary files has no room, here or when something is kept or read.
        """
        with opening.told_when_full():
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0

    def __setitem__(self, name: str, value: bytes) -> None:
        """Keep *value* under *name*."""
        with opening.told_when_full():
            self._file.seek(self._end)
            self._file.write(value)
        self._places[name] = (self._end, len(value))
        self._end += len(value)

    def __getitem__(self, name: str) -> bytes:
        """Return what is kept under *name*.

        Raises:
            KeyError: nothing is.
        """
        start, length = self._places[name]
        with opening.told_when_full():  # what is still in the buffer is written first
            self._file.seek(start)
            return self._file.read(length)

    def __delitem__(self, name: str) -> None:
        """Forget *name*."""
        del self._places[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names in the order in which they were first kept."""
        return iter(self._places)

    def __len__(self) -> int:
        """Return the number of names."""
        return len(self._places)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the room back; what could not be written any more is not needed."""
        with suppress(OSError):
            self._file.close()
