"""What tables and sheets say of each photo, packed and on the disk: a report holds some thirty bytes of each."""

from __future__ import annotations

import os
import struct
import tempfile
import weakref
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan, nan

import numpy as np

from gtloc_forensics.files import opening
from gtloc_forensics.records import Position, Status

_EPOCH = datetime(1970, 1, 1)  # naive, as every moment here
_TICK = timedelta(microseconds=1)
_NONE = -(2**63)  # where there is no moment
_FIXED = struct.Struct("<3q2dI3I")  # of a line: its moments, its place, its kind, the lengths of its texts
_HELD_BYTES, _PIECE_BYTES = 1 << 16, 1 << 12  # written at a time, and read: whoever asks for a line asks for the next


@dataclass(frozen=True, slots=True)
class PhotoLine:
    """What tables and sheets say of one photo."""

    source_id: str
    exhibit: str  # the number it keeps, or the one it was given
    name: str
    sha256: str
    statuses: frozenset[Status]
    device_key: str  # "" where nothing is claimed
    local: datetime | None
    utc: datetime | None
    gps_utc: datetime | None
    rules: tuple[str, ...]  # of what was found
    position: Position | None = None
    zones: tuple[str, ...] = ()  # legal at the place

    @property
    def is_found(self) -> bool:
        """Whether a person should look at it."""
        return Status.FOUND in self.statuses


class PhotoLines(Mapping[str, PhotoLine]):
    """The lines of all photos by source id, in path order; one that is asked for is built anew.

    The first few hundred are in memory; more lie in a file that has no name, which is gone with this object.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._ids = array("Q")
        self._ends = array("Q")  # of each, in what was written
        self._waiting = bytearray()  # to be written
        self._written = 0
        self._file: int | None = None
        self._piece, self._piece_at = b"", 0  # what was read last, and from where on
        self._of_kind: list[tuple[frozenset[Status], str, tuple[str, ...], tuple[str, ...]]] = []
        self._kind_of: dict[tuple[frozenset[Status], str, tuple[str, ...], tuple[str, ...]], int] = {}
        self._sorted: tuple[array[int], array[int]] | None = None  # the ids, and which line each is of

    def append(self, line: PhotoLine) -> None:
        """Add the line of the next photo.

        Raises:
            WorkspaceFull: the folder for temporary files has no room for it.
        """
        self._sorted = None
        self._ids.append(int(line.source_id, 16))
        kind = (line.statuses, line.device_key, line.rules, line.zones)
        if kind not in self._kind_of:
            self._kind_of[kind] = len(self._of_kind)
            self._of_kind.append(kind)
        texts = [text.encode("utf-8", "surrogatepass") for text in (line.exhibit, line.name, line.sha256)]
        moments = (_NONE if at is None else (at - _EPOCH) // _TICK for at in (line.local, line.utc, line.gps_utc))
        place = (nan, nan) if line.position is None else (line.position.latitude_deg, line.position.longitude_deg)
        self._waiting += _FIXED.pack(*moments, *place, self._kind_of[kind], *map(len, texts))
        self._waiting += b"".join(texts)
        self._ends.append(self._written + len(self._waiting))
        if len(self._waiting) >= _HELD_BYTES:
            self._write()

    def _write(self) -> None:
        with opening.told_when_full():
            if self._file is None:
                file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with this object
                weakref.finalize(self, file.close)
                self._file = file.fileno()
            while self._waiting:
                written = os.pwrite(self._file, self._waiting, self._written)
                self._written += written
                del self._waiting[:written]

    def _read(self, number: int) -> bytes | bytearray:
        begin, end = self._ends[number - 1] if number else 0, self._ends[number]
        if begin >= self._written or self._file is None:
            return self._waiting[begin - self._written : end - self._written]
        if not self._piece_at <= begin <= end <= self._piece_at + len(self._piece):
            self._piece, self._piece_at = os.pread(self._file, max(_PIECE_BYTES, end - begin), begin), begin
        return self._piece[begin - self._piece_at : end - self._piece_at]

    def at(self, number: int) -> PhotoLine:
        """Return the line of the photo with that place in the path order, from 0."""
        number = range(len(self._ids))[number]
        kept = self._read(number)
        *moments, latitude, longitude, kind, exhibit, name, sha256 = _FIXED.unpack_from(kept)
        statuses, device_key, rules, zones = self._of_kind[kind]
        texts, begin = [], _FIXED.size
        for length in (exhibit, name, sha256):
            texts.append(kept[begin : begin + length].decode("utf-8", "surrogatepass"))
            begin += length
        local, utc, gps_utc = (None if at == _NONE else _EPOCH + at * _TICK for at in moments)
        return PhotoLine(
            source_id=f"{self._ids[number]:016x}",
            exhibit=texts[0],
            name=texts[1],
            sha256=texts[2],
            statuses=statuses,
            device_key=device_key,
            local=local,
            utc=utc,
            gps_utc=gps_utc,
            rules=rules,
            position=None if isnan(latitude) else Position(latitude, longitude),
            zones=zones,
        )

    def number_of(self, source_id: str) -> int | None:
        """Return the place of a photo in the path order, None where there is none of that id."""
        if self._sorted is None:
            ids = np.frombuffer(self._ids, dtype=np.uint64) if self._ids else np.zeros(0, np.uint64)
            order = np.argsort(ids, kind="stable").astype(np.uint32)
            self._sorted = array("Q", ids[order].tobytes()), array("I", order.tobytes())
        try:
            wanted = int(source_id, 16)
        except ValueError:
            return None
        ids_in_order, numbers = self._sorted
        place = bisect_left(ids_in_order, wanted)
        return numbers[place] if place < len(numbers) and ids_in_order[place] == wanted else None

    def names(self, numbers: Iterable[int]) -> Iterator[str]:
        """Yield the source ids of the photos with these places in the path order."""
        return (f"{self._ids[number]:016x}" for number in numbers)

    def exhibit_at(self, number: int) -> str:
        """Return the number that the photo with that place in the path order keeps, or was given."""
        kept = self._read(number)
        length = _FIXED.unpack_from(kept)[-3]
        return kept[_FIXED.size : _FIXED.size + length].decode("utf-8", "surrogatepass")

    def in_order(self) -> Iterator[PhotoLine]:
        """Yield every line, in path order."""
        return map(self.at, range(len(self)))

    def __getitem__(self, source_id: str) -> PhotoLine:
        """Return the line of a photo."""
        number = self.number_of(source_id)
        if number is None:
            raise KeyError(source_id)
        return self.at(number)

    def __iter__(self) -> Iterator[str]:
        """Yield the source ids in path order."""
        return (f"{source_id:016x}" for source_id in self._ids)

    def __len__(self) -> int:
        """Return the number of photos."""
        return len(self._ids)
