"""A case database on a medium that cannot be written: read where it is, or from a copy."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from gtloc_forensics.store.schema import engine_of, left_over, unchanging_engine


class ReadingCopy:
    """An engine on a database that cannot be written.

    A database that was closed in good order is read where it lies. What a killed
    program left beside it belongs to its content, and SQLite has to write to take it
    in: then database and rest are copied to a temporary folder.
    """

    def __init__(self, path: Path) -> None:
        """Open the database at *path*, or a copy of it where a log lies beside it."""
        rest = left_over(path)
        self._folder = tempfile.TemporaryDirectory(prefix="gtloc-reading-") if rest else None
        if self._folder is None:
            self.engine = unchanging_engine(path)
            return
        copy = Path(self._folder.name) / path.name
        for file in (path, *rest):
            shutil.copyfile(file, copy.with_name(file.name))
        self.engine = engine_of(copy)

    def remove(self) -> None:
        """Remove the copy, if one was made."""
        if self._folder is not None:
            self._folder.cleanup()
