"""What tables and sheets say of each photo, packed: of a hundred thousand photos a report holds some 200 bytes each."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan, nan

import numpy as np

from gtloc_forensics.records import Position, Status

_EPOCH = datetime(1970, 1, 1)  # naive, as every moment here
_TICK = timedelta(microseconds=1)
_NONE = -(2**63)  # where there is no moment


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
    """The lines of all photos by source id, in path order; one that is asked for is built anew."""

    def __init__(self) -> None:
        """Begin without any."""
        self._ids = array("Q")
        self._texts = bytearray()  # of each its number, its name and its hash
        self._ends = array("Q")  # of each of these three
        self._moments = array("q")  # three of each
        self._places = array("d")  # two of each
        self._kinds = array("I")
        self._of_kind: list[tuple[frozenset[Status], str, tuple[str, ...], tuple[str, ...]]] = []
        self._kind_of: dict[tuple[frozenset[Status], str, tuple[str, ...], tuple[str, ...]], int] = {}
        self._sorted: tuple[array[int], array[int]] | None = None  # the ids, and which line each is of

    def append(self, line: PhotoLine) -> None:
        """Add the line of the next photo."""
        self._sorted = None
        self._ids.append(int(line.source_id, 16))
        for text in (line.exhibit, line.name, line.sha256):
            self._texts += text.encode("utf-8", "surrogatepass")
            self._ends.append(len(self._texts))
        self._moments.extend(
            _NONE if at is None else (at - _EPOCH) // _TICK for at in (line.local, line.utc, line.gps_utc)
        )
        place = line.position
        self._places.extend((nan, nan) if place is None else (place.latitude_deg, place.longitude_deg))
        kind = (line.statuses, line.device_key, line.rules, line.zones)
        if kind not in self._kind_of:
            self._kind_of[kind] = len(self._of_kind)
            self._of_kind.append(kind)
        self._kinds.append(self._kind_of[kind])

    def at(self, number: int) -> PhotoLine:
        """Return the line of the photo with that place in the path order, from 0."""
        statuses, device_key, rules, zones = self._of_kind[self._kinds[number]]
        begin = self._ends[3 * number - 1] if number else 0
        texts = []
        for end in self._ends[3 * number : 3 * number + 3]:
            texts.append(self._texts[begin:end].decode("utf-8", "surrogatepass"))
            begin = end
        local, utc, gps_utc = (
            None if at == _NONE else _EPOCH + at * _TICK for at in self._moments[3 * number : 3 * number + 3]
        )
        latitude, longitude = self._places[2 * number : 2 * number + 2]
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
        begin = self._ends[3 * number - 1] if number else 0
        return self._texts[begin : self._ends[3 * number]].decode("utf-8", "surrogatepass")

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
