"""Records by the hundred thousand in an unnamed file instead of in memory, and what stands in for them.

Eight bytes a record stay in memory; one that is asked for is read and built anew, and the
last few are remembered. :meth:`OnDisk.stand_ins` gives for each record an object that acts as
the record does and holds nothing but its number: a rule may sort, group and keep as many of
them as it likes.
"""

from __future__ import annotations

import os
import pickle
import tempfile
import weakref
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Generic, TypeVar, cast

from gtloc_forensics.files import opening
from gtloc_forensics.store.typed import by_type

R = TypeVar("R")

BUFFER_BYTES = 1 << 16
"""Written at a time, and read at a time where all records are."""

REMEMBERED = 512
"""Records that a stand-in need not read again."""

FEW = 1024
"""Records that are held: to ask a stand-in for an attribute takes several times as long as to ask the record."""


class _File:
    """Records one behind the other in a file without a name, and where each ends."""

    def __init__(self, number: int, encode: Callable[[Any], bytes], decode: Callable[[Any], Any]) -> None:
        self._number = number  # of the open file
        self.encode, self.decode = encode, decode
        self.ends = array("Q")
        self._waiting = bytearray()
        self._written = 0

    def append(self, encoded: bytes) -> None:
        self._waiting += encoded
        self.ends.append(self._written + len(self._waiting))
        if len(self._waiting) >= BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        with opening.told_when_full():
            while self._waiting:
                written = os.pwrite(self._number, self._waiting, self._written)
                self._written += written
                del self._waiting[:written]

    def read(self, number: int) -> Any:
        first, last = self.begin(number), self.ends[number]
        if last > self._written:
            self.flush()
        return self.decode(os.pread(self._number, last - first, first))

    def begin(self, number: int) -> int:
        return self.ends[number - 1] if number else 0

    def piece(self, begin: int, most: int) -> memoryview:
        return memoryview(os.pread(self._number, most, begin))


class OnDisk(Sequence[R]):
    """A list that only grows, kept in a file that has no name; with this object the file is gone."""

    def __init__(self, records: Iterable[R] = (), *, kind: type[R] | None = None) -> None:
        """Open an unnamed file in the folder for temporary files and keep *records* in it.

        Args:
            records: what to begin with.
            kind: what all records are, where that is a dataclass whose types tell all: it is read many times as fast.

        Raises:
            WorkspaceFull: the folder for temporary files has no room, here or when a record is added.
        """
        with opening.told_when_full():
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with this object
        self.close = weakref.finalize(self, file.close)
        self._file = _File(file.fileno(), *(_PICKLE if kind is None else _by_type(kind)))
        self.remembered: Callable[[int], R] = lru_cache(maxsize=REMEMBERED)(self._file.read)
        for record in records:
            self.append(record)

    def append(self, record: R) -> None:
        """Add a record at the end.

        Raises:
            WorkspaceFull: there is no room for it.
        """
        self._file.append(self._file.encode(record))

    def encoded(self, record: R) -> bytes:
        """Return a record as :meth:`append_encoded` takes it, from another process, say."""
        return self._file.encode(record)

    def append_encoded(self, encoded: bytes) -> None:
        """Add at the end what :meth:`encoded` returned.

        Raises:
            WorkspaceFull: there is no room for it.
        """
        self._file.append(encoded)

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self._file.ends)

    def __getitem__(self, index: int | slice) -> Any:
        """Return a record, or a list of some: each is built anew."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(index)
        return self._file.read(number)

    def __iter__(self) -> Iterator[R]:
        """Yield the records in order, many read at a time."""
        file, number = self._file, 0
        file.flush()
        while number < len(self):
            begin = first = file.begin(number)
            several = file.piece(begin, max(BUFFER_BYTES, file.ends[number] - begin))
            while number < len(self) and file.ends[number] - begin <= len(several):
                last = file.ends[number]
                yield cast(R, file.decode(several[first - begin : last - begin]))
                first, number = last, number + 1

    def stand_ins(self, order: Sequence[int] | None = None) -> tuple[R, ...]:
        """Return an object for each record, in its *order* when one is given, that acts as the record does."""
        self._file.flush()  # whoever asks a stand-in shall not hear of a full disk
        numbers = range(len(self)) if order is None else order
        return tuple(
            cast(R, _StandIn(block, place))
            for first in range(0, len(numbers), _BLOCK)
            for block in (_Block(self, numbers[first : first + _BLOCK]),)
            for place in range(len(block.numbers))
        )

    def held(self) -> tuple[R, ...]:
        """Return the records themselves where they are few, else a stand-in for each."""
        return tuple(self) if len(self) <= FEW else self.stand_ins()

    def held_on_demand(self) -> Sequence[R]:
        """Return the same for whoever asks few of them: nothing is held of records that are many."""
        return tuple(self) if len(self) <= FEW else self.stand_ins_on_demand()

    def stand_ins_on_demand(self) -> Sequence[R]:
        """Return the same, each made anew when it is asked for: nothing of a photo is held, and no two are one."""
        self._file.flush()
        return _OnDemand(self)

    def in_order(self, order: Sequence[int]) -> Sequence[R]:
        """Return the records in some *order*; where they are many each is read when it is asked for."""
        if len(self) <= FEW:
            records = tuple(self)
            return [records[number] for number in order]
        self._file.flush()
        return _Ordered(self, order)


class _Ordered(Sequence[R]):
    def __init__(self, records: OnDisk[R], order: Sequence[int]) -> None:
        self._records = records
        self._order = order

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self._order)

    def __getitem__(self, index: int | slice) -> Any:
        """Return a record, or a list of some."""
        if isinstance(index, slice):
            return [self._records.remembered(number) for number in self._order[index]]
        return self._records.remembered(self._order[index])


_BLOCK = 256
"""Stand-ins that share a table of their numbers: their places in it are numbers that Python holds once for all."""


class _Block(Generic[R]):
    """Which records some neighbouring stand-ins are of, and the file that holds them."""

    __slots__ = ("_records", "numbers", "remembered")

    def __init__(self, records: OnDisk[R], numbers: Sequence[int]) -> None:
        self._records = records  # the file is gone with it
        self.remembered = records.remembered
        self.numbers = numbers


class _OnDemand(Sequence[R]):
    def __init__(self, records: OnDisk[R]) -> None:
        numbers = range(len(records))
        self._blocks = [_Block(records, numbers[first : first + _BLOCK]) for first in range(0, len(numbers), _BLOCK)]
        self._length = len(numbers)

    def __len__(self) -> int:
        """Return the number of stand-ins."""
        return self._length

    def __getitem__(self, index: int | slice) -> Any:
        """Return a stand-in, or a list of some."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(self._length))]
        number = index + self._length if index < 0 else index
        if not 0 <= number < self._length:
            raise IndexError(index)
        return _StandIn(self._blocks[number // _BLOCK], number % _BLOCK)


class _StandIn(Generic[R]):
    """Acts as a record that lies on the disk; as objects two are one only where they are the same stand-in."""

    __slots__ = ("_block", "_place")

    def __init__(self, block: _Block[R], place: int) -> None:
        self._block = block
        self._place = place

    def __getattr__(self, name: str) -> Any:
        """Return what the record has of that name."""
        block = self._block
        return getattr(block.remembered(block.numbers[self._place]), name)

    @property  # type: ignore[misc]  # a record asks what it is by this, and so does dataclasses.replace
    def __class__(self) -> type[Any]:
        return type(_record_of(self))

    def __eq__(self, other: object) -> bool:
        """Whether *other* is equal to the record."""
        return bool(_record_of(self) == _record_of(other))

    def __hash__(self) -> int:
        """Return the hash of the record."""
        return hash(_record_of(self))

    def __repr__(self) -> str:
        """Return what the record says of itself."""
        return repr(_record_of(self))

    def __reduce__(self) -> tuple[Callable[[Any], Any], tuple[Any]]:
        """Send the record itself to another process, and copy it as itself."""
        return _itself, (_record_of(self),)

    @property
    def __dataclass_fields__(self) -> Any:
        return cast(Any, _record_of(self)).__dataclass_fields__


def _record_of(value: object) -> object:
    if type(value) is not _StandIn:
        return value
    return value._block.remembered(value._block.numbers[value._place])


def _itself(record: R) -> R:
    return record


def kept(rows: Iterable[R], kind: type[R]) -> Sequence[R]:
    """Return *rows* where they are few, else stand-ins for them, which are put on the disk."""
    left = iter(rows)
    first = tuple(islice(left, FEW + 1))
    return first if len(first) <= FEW else OnDisk(chain(first, left), kind=kind).stand_ins()


def at_hand(records: Sequence[R]) -> Sequence[R]:
    """Return the records that stand-ins stand for, where they are few."""
    if len(records) > FEW or not records or type(records[0]) is not _StandIn:
        return records
    return tuple([cast(R, _record_of(record)) for record in records])


# --------------------------------------------------------------------------- bytes

_Codec = tuple[Callable[[Any], bytes], Callable[[Any], Any]]


def _pickled(record: object) -> bytes:
    return pickle.dumps(_record_of(record), pickle.HIGHEST_PROTOCOL)


_PICKLE: _Codec = (_pickled, pickle.loads)
"""Nobody else can write to a file without a name, so that what is read is what this process wrote."""


def _by_type(kind: Any) -> _Codec:
    encode, decode = by_type(kind)
    return (lambda record: encode(_record_of(record))), decode
