"""Which causes a photo is in, packed: a dozen bytes for each photo of each cause, where a table takes two hundred."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import numpy as np

from gtloc_forensics.records.photo_ids import PhotoIds, number_of


class ByPhoto:
    """Numbers of groups of photos, by photo."""

    def __init__(self, groups: Iterable[Sequence[str]]) -> None:
        """Take groups of source ids; the first has the number 0."""
        ids, numbers = array("Q"), array("I")
        self._others: dict[str, list[int]] = {}  # by ids that are none of ours: a stranger's rule names what it likes
        for number, source_ids in enumerate(groups):
            before = len(ids)
            if isinstance(source_ids, PhotoIds):
                ids.frombytes(np.frombuffer(source_ids.packed, ">u8").astype(np.uint64).tobytes())
            else:
                for source_id in source_ids:
                    photo = number_of(source_id)
                    if photo is None:
                        self._others.setdefault(source_id, []).append(number)
                    else:
                        ids.append(photo)
            numbers += array("I", (number,)) * (len(ids) - before)
        order = np.argsort(np.frombuffer(ids, np.uint64), kind="stable") if ids else np.zeros(0, np.int64)
        self._ids = array("Q", np.frombuffer(ids, np.uint64)[order].tobytes() if ids else b"")
        self._numbers = array("I", np.frombuffer(numbers, np.uint32)[order].tobytes() if ids else b"")

    def of(self, source_id: str) -> Sequence[int]:
        """Return the numbers of the groups that a photo is in, in their order."""
        photo = number_of(source_id)
        if photo is None:
            return self._others.get(source_id, ())
        first = last = bisect_left(self._ids, photo)
        while last < len(self._ids) and self._ids[last] == photo:
            last += 1
        return self._numbers[first:last]


def count_photos(groups: Sequence[Sequence[str]]) -> int:
    """Return how many photos are in any of the groups."""
    packed = [np.frombuffer(names.packed, ">u8") for names in groups if isinstance(names, PhotoIds)]
    if len(packed) == len(groups):
        return len(np.unique(np.concatenate(packed))) if packed else 0
    return len({source_id for names in groups for source_id in names})
