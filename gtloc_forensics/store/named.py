"""The photos of a finding that names many: kept once an examination, and told by number with each photo concerned.

What a rule says of four thousand photos of one camera is kept with each of them; were the four thousand named there,
bytes would grow with the square of their number.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

import msgspec
from sqlalchemy import Connection, select

from gtloc_forensics.records.photo_ids import unpacked_ids
from gtloc_forensics.store.codec import decoded, pack_plain
from gtloc_forensics.store.copying import write_rows
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.schema import ExtraRow

V = TypeVar("V")

NAMED = "named "
"""How the names of the rows that hold them begin; the number of the first list of a row follows."""

_BYTES_OF_AN_ID = 8
_BYTES_IN_A_ROW = 1 << 15
_BYTES_HELD, _NAMES_HELD = 1 << 22, 1 << 14


def first_of(kept: bytes) -> str:
    """Return the first of them: the photo that a finding is about."""
    return kept[:_BYTES_OF_AN_ID].hex()


def add(connection: Connection, examination_id: int, lists: Iterable[bytes]) -> None:
    """Keep lists of photos with an examination, numbered from nought on in their order."""
    first, some, length = 0, list[bytes](), 0
    for kept in lists:
        some.append(kept)
        length += len(kept)
        if length >= _BYTES_IN_A_ROW:
            _write(connection, examination_id, first, some)
            first, length = first + len(some), 0
            some.clear()
    if some:
        _write(connection, examination_id, first, some)


def _write(connection: Connection, examination_id: int, first: int, lists: Sequence[bytes]) -> None:
    payload = pack_plain(msgspec.msgpack.encode(lists))
    write_rows(
        connection, ExtraRow, [{"examination_id": examination_id, "name": f"{NAMED}{first:09}", "payload": payload}]
    )


class Named:
    """Tells by number which photos a finding names."""

    def __init__(self, store: Store, examination_id: int) -> None:
        """Ask for those of an examination, when somebody asks: most have none."""
        self._store = store
        self._examination_id = examination_id
        self._firsts: array[int] | None = None
        self._rows = _Latest[list[bytes]](_BYTES_HELD)
        self._told = _Latest[tuple[str, ...]](_NAMES_HELD)

    def __call__(self, number: int) -> tuple[str, ...]:
        """Return the photos of the list with that number.

        Raises:
            DamagedCase, ValueError: it is not there, or cannot be read.
        """
        told = self._told.get(number)
        if told is None:
            told = unpacked_ids(self._kept(number))
            self._told.put(number, told, len(told))
        return told

    def first(self, number: int) -> tuple[str, ...]:
        """Return of the same the first alone, for whoever reads no other.

        Raises:
            DamagedCase, ValueError: it is not there, or cannot be read.
        """
        return (first_of(self._kept(number)),)

    def _kept(self, number: int) -> bytes:
        if self._firsts is None:
            self._firsts = array("q", sorted(self._first_numbers()))
        place = bisect_right(self._firsts, number) - 1
        if place < 0:
            raise ValueError(f"there is no list {number} of photos")
        first = self._firsts[place]
        row = self._rows.get(first)
        if row is None:
            row = self._read(first)
            self._rows.put(first, row, sum(map(len, row)))
        kept = row[number - first] if number - first < len(row) else b""
        if not kept or len(kept) % _BYTES_OF_AN_ID:
            raise ValueError(f"there is no list {number} of photos")
        return kept

    def _first_numbers(self) -> Iterator[int]:
        query = select(ExtraRow.name).where(ExtraRow.examination_id == self._examination_id)
        with self._store.reading() as session:
            for name in session.scalars(query.where(ExtraRow.name.like(f"{NAMED}%"))):
                yield int(name.removeprefix(NAMED))

    def _read(self, first: int) -> list[bytes]:
        with self._store.reading() as session:
            row = session.get(ExtraRow, (self._examination_id, f"{NAMED}{first:09}"))
        if row is None:
            raise ValueError(f"the lists of photos from {first} on are gone")
        return decoded(row.payload, list[bytes])


class _Latest(Generic[V]):
    """What was asked for last, up to so much in all; the newest is held whatever it weighs."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._weight = 0
        self._held: OrderedDict[int, tuple[V, int]] = OrderedDict()

    def get(self, number: int) -> V | None:
        held = self._held.get(number)
        if held is None:
            return None
        self._held.move_to_end(number)
        return held[0]

    def put(self, number: int, value: V, weight: int) -> None:
        self._held[number] = value, weight
        self._weight += weight
        while self._weight > self._most and len(self._held) > 1:
            _, (_, gone) = self._held.popitem(last=False)
            self._weight -= gone
