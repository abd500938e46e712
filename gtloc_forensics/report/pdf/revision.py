"""A further revision behind a finished PDF: what is long is written there piece by piece, and never held.

qpdf holds every object, and a stream twice while it writes it. What a revision says of an object takes the place
of what the file said before (ISO 32000-1, 7.5.6); a signature covers both.
"""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from array import array
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from pikepdf import Array, Dictionary, Name, Pdf, String

_END = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*$")
_TAIL_BYTES = 1 << 10
_PIECE_BYTES = 1 << 16
_AT, _WITHIN = 1, 2  # kinds of entries: where an object begins, and in which stream of objects it stands
_WIDTHS = (1, 8, 2)


class Revision:
    """Objects that are written behind a PDF; :meth:`end` says where they are."""

    def __init__(self, file: BinaryIO, pdf: Pdf) -> None:
        """Begin behind a file that qpdf wrote, with a table of objects that is a stream.

        Args:
            file: can be read and written.
            pdf: the same, opened; it may be closed afterwards.
        """
        self._file = file
        self._trailer = {name: pdf.trailer[name] for name in ("/Root", "/Info") if name in pdf.trailer}
        self._references = {name: b"%d %d R" % value.objgen for name, value in self._trailer.items()}
        self._id = bytes(pdf.trailer.ID[0])
        self.next_number = int(pdf.trailer.Size)
        file.seek(0, os.SEEK_END)
        length = file.tell()
        file.seek(max(0, length - _TAIL_BYTES))
        found = _END.search(file.read())
        if found is None:
            raise ValueError("this PDF does not end as qpdf ends one")
        self._before = int(found[1])
        self._numbers, self._kinds = array("I"), array("B")
        self._where, self._which = array("Q"), array("H")
        self._told = hashlib.sha256()

    def new_number(self) -> int:
        """Return the number of an object that is not in the file yet."""
        self.next_number += 1
        return self.next_number - 1

    def stream(self, number: int, entries: Dictionary, content: Iterable[bytes], length: int) -> None:
        """Write a stream, of so many bytes, as the object with that number."""
        entries.Length = length
        self._begin(number)
        self._write(entries.unparse() + b"\nstream\n")
        for piece in content:
            self._write(piece)
        self._write(b"\nendstream\nendobj\n")

    def objects(self, told: Iterable[tuple[int, bytes]]) -> None:
        """Write objects that are no streams, packed together: of each its number, and what it is."""
        heads, bodies, numbers = [], [], []
        begin = 0
        for number, body in told:
            heads.append(b"%d %d " % (number, begin))
            bodies.append(body + b"\n")
            numbers.append(number)
            begin += len(body) + 1
        head = b"".join(heads)
        content = zlib.compress(head + b"".join(bodies))
        own = self.new_number()
        for index, number in enumerate(numbers):
            self._entry(number, _WITHIN, own, index)
        entries = Dictionary(Type=Name.ObjStm, N=len(numbers), First=len(head), Filter=Name.FlateDecode)
        self.stream(own, entries, (content,), len(content))

    def end(self) -> None:
        """Write where the objects are; the file is whole then."""
        own = self.new_number()
        begin = self._file.seek(0, os.SEEK_END)
        self._entry(own, _AT, begin, 0)
        order = np.argsort(np.frombuffer(self._numbers, np.uint32))
        rows = np.zeros(len(order), dtype=[("kind", ">u1"), ("where", ">u8"), ("which", ">u2")])
        for name, column in (("kind", self._kinds), ("where", self._where), ("which", self._which)):
            rows[name] = np.frombuffer(column, column.typecode)[order]
        table = zlib.compress(rows.tobytes())
        entries = Dictionary(
            Type=Name.XRef,
            Size=self.next_number,
            W=Array(_WIDTHS),
            Index=Array([bound for run in _runs(np.frombuffer(self._numbers, np.uint32)[order]) for bound in run]),
            Prev=self._before,
            ID=Array([String(self._id), String(self._told.digest()[:16])]),
            Filter=Name.FlateDecode,
            Length=len(table),
        )
        head = entries.unparse().removesuffix(b">>")
        head += b"".join(b"%s %s " % (name.encode(), told) for name, told in self._references.items()) + b">>"
        self._write(b"%d 0 obj\n%s\nstream\n%s\nendstream\nendobj\n" % (own, head, table))
        self._write(b"startxref\n%d\n%%%%EOF\n" % begin)

    def _begin(self, number: int) -> None:
        self._entry(number, _AT, self._file.seek(0, os.SEEK_END), 0)
        self._write(b"%d 0 obj\n" % number)

    def _entry(self, number: int, kind: int, where: int, which: int) -> None:
        self._numbers.append(number)
        self._kinds.append(kind)
        self._where.append(where)
        self._which.append(which)

    def _write(self, content: bytes) -> None:
        self._told.update(content)
        self._file.write(content)


def read_in_pieces(file: BinaryIO) -> Iterator[bytes]:
    """Yield what a file holds, some at a time."""
    file.seek(0)
    while piece := file.read(_PIECE_BYTES):
        yield piece


def _runs(numbers: NDArray[np.uint32]) -> Iterator[tuple[int, int]]:
    """Yield the first of numbers that follow each other, and how many they are."""
    ends = [*(np.flatnonzero(np.diff(numbers) != 1) + 1).tolist(), len(numbers)]
    for first, last in zip([0, *ends], ends, strict=False):
        yield int(numbers[first]), last - first
