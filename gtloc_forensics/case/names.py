"""Paths and hashes of all photos of a case by their ids, on the disk: reports name photos one by one."""

from __future__ import annotations

from array import array
from bisect import bisect_left

from gtloc_forensics.examination.on_disk import OnDisk
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.known import paths


class Names:
    """What the newest state of every path the case ever took in is called, and its hash; eight bytes each are held."""

    def __init__(self, store: Store) -> None:
        """Read them all, once."""
        self._ids = array("Q")
        self._paths = OnDisk[tuple[bytes, str]]()
        for source_id, relative, sha256 in paths(store):
            self._ids.append(int(source_id, 16))
            self._paths.append((relative, sha256))

    def of(self, source_id: str) -> tuple[bytes, str] | None:
        """Return relative path and hash of a photo, None where there is none of that id."""
        try:
            wanted = int(source_id, 16)
        except ValueError:
            return None
        place = bisect_left(self._ids, wanted)
        return self._paths.remembered(place) if place < len(self._ids) and self._ids[place] == wanted else None
