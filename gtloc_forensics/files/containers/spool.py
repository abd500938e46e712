"""An unnamed temporary file for what can only be unpacked from its beginning: packed tars and 7z archives.

It is gone with the process, whatever ends it, and lies where temporary files of this
system lie, which is never within the evidence.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files import opening

MOST_BYTES = 64 << 30
"""Of one archive: more is for unpacking by hand, with an eye on the disk."""


class Spool:
    """Bytes put down one after another, to be read at any place."""

    def __init__(self, name: str, archive_bytes: int, *, most_growth: int, free_bytes: int) -> None:
        """Begin for the archive *name*.

        Args:
            name: of the archive, for the error.
            archive_bytes: how long it is.
            most_growth: how many times that may be put down.
            free_bytes: how much may be put down whatever its length.

        Raises:
            WorkspaceFull: there is no room.
        """
        with opening.told_when_full():
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._name = name
        self._most_bytes = min(MOST_BYTES, max(free_bytes, most_growth * archive_bytes))
        self.size_bytes = 0

    def write(self, block: bytes) -> None:
        """Put down what follows.

        Raises:
            UsageError: it is more than an honest archive of this length holds.
            WorkspaceFull: there is no room.
        """
        if self.size_bytes + len(block) > self._most_bytes:
            raise UsageError(
                f"{self._name} unpacks to more than {self._most_bytes >> 20} MB, which no archive of photos of its "
                "length does; it was not unpacked any further"
            )
        with opening.told_when_full():
            os.pwrite(self._file.fileno(), block, self.size_bytes)
        self.size_bytes += len(block)

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes, fewer at the end."""
        return os.pread(self._file.fileno(), length, offset)

    def blocks(self, offset: int, length: int, block_bytes: int) -> Iterator[bytes]:
        """Yield *length* bytes from *offset* on."""
        end = min(offset + length, self.size_bytes)
        while offset < end and (block := self.read(offset, min(block_bytes, end - offset))):
            offset += len(block)
            yield block

    def close(self) -> None:
        """Give back the room."""
        self._file.close()
