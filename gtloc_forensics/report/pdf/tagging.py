"""What pages say of the marks on them while they are drawn: on the disk, where they are many."""

from __future__ import annotations

import marshal
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from typing import BinaryIO

from gtloc_forensics.files import opening

_HELD = 4096


@dataclass(frozen=True, slots=True)
class Tagged:
    """A stretch of marked content: where it is, what it is, and the table row it belongs to."""

    page: int  # from 1
    mcid: int
    kind: str  # H1, H2, H3, P, Figure, TH, TD, Lbl, LBody
    alt: str = ""
    table: int = 0  # 0 outside tables and lists
    row: int = 0
    links: tuple[int, ...] = ()  # of the page's annotations, those that lie in it
    is_link: bool = False  # whether all of it is one link


class Marks:
    """Stretches in reading order; a few thousand are in memory, the others in a file without a name."""

    def __init__(self) -> None:
        """Begin without any."""
        self._file: BinaryIO | None = None
        self._held: list[Tagged] = []
        self._written = 0

    def append(self, mark: Tagged) -> None:
        """Add one at the end.

        Raises:
            WorkspaceFull: the folder for temporary files has no room for it.
        """
        self._held.append(mark)
        if len(self._held) == _HELD:
            self._write()

    def _write(self) -> None:
        with opening.told_when_full():
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
                weakref.finalize(self, self._file.close)
            for mark in self._held:
                marshal.dump(astuple(mark), self._file)
            self._file.flush()
        self._written += len(self._held)
        self._held.clear()

    def __len__(self) -> int:
        """Return the number of stretches."""
        return self._written + len(self._held)

    def __iter__(self) -> Iterator[Tagged]:
        """Yield them in order; one reader at a time, and nothing is added meanwhile."""
        if self._file is not None:
            self._file.seek(0)
            for _ in range(self._written):
                yield Tagged(*marshal.load(self._file))
        yield from self._held
