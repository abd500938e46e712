"""States of paths, and rows of the case database as the records they keep. Only drivers use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from gtloc_forensics.errors import DamagedCase
from gtloc_forensics.records import CustodyEvent, FileStat, Source
from gtloc_forensics.store.custody import read_event
from gtloc_forensics.store.kept_columns import kept_sidecars, kept_stat_key

if TYPE_CHECKING:
    from sqlalchemy import Row

    from gtloc_forensics.store.schema import CustodyRow, SourceRow


@dataclass(frozen=True, slots=True)
class StoredSource:
    """The newest state of one path, as far as deciding whether it changed needs it."""

    row_id: int
    relative: bytes
    sha256: str
    stat_key: tuple[int, ...]  # size, mtime, ctime, inode, device
    sidecars: Mapping[bytes, str]

    def is_state(self, source: Source, sidecars: Mapping[bytes, str]) -> bool:
        """Whether *source* is this very state: same bytes, same times, same sidecars."""
        same_bytes = self.sha256 == source.sha256 and dict(self.sidecars) == dict(sidecars)
        return same_bytes and self.stat_key == stat_key(source.stat)


def stat_text(stat: FileStat) -> str:
    """Return a stat tuple as it is kept; what only a store tells is left out of a file's, as older programs have it."""
    told = asdict(stat)
    return json.dumps({name: value for name, value in told.items() if value or name not in ("etag", "version")})


def stat_key(stat: FileStat) -> tuple[int, ...]:
    """Return the part of a stat tuple that changes when a file does (not its access time)."""
    return (stat.size_bytes, stat.mtime_ns, stat.ctime_ns, stat.inode, stat.device)


def kept_state(row_id: int, relative: bytes, sha256: str, stat: str, sidecars: str) -> StoredSource:
    """Return what identifies the state of a path, of the columns of its row alone."""
    return StoredSource(row_id, relative, sha256, kept_stat_key(stat), kept_sidecars(sidecars))


def state_of(row_id: int, source: Source, sidecars: Mapping[bytes, str]) -> StoredSource:
    """Return what identifies the state of a path that was just taken in."""
    beside = dict(sorted(sidecars.items()))
    return StoredSource(row_id, source.relative, source.sha256, stat_key(source.stat), beside)


def stored_source_of(row: SourceRow) -> StoredSource:
    """Return what identifies the state of a path that *row* keeps."""
    return both_of(row)[1]


def both_of(row: SourceRow | Row[Any]) -> tuple[Source, StoredSource]:
    """Return the source that *row* keeps, and what identifies that state of its path."""
    source, sidecars = source_of(row)
    return source, StoredSource(row.id, row.relative, row.sha256, stat_key(source.stat), sidecars)


def source_of(row: SourceRow | Row[Any]) -> tuple[Source, dict[bytes, str]]:
    """Return the source that *row* keeps, and the hashes of its sidecars.

    Raises:
        DamagedCase: when its stat or its sidecars cannot be read.
    """
    try:
        sidecars = kept_sidecars(row.sidecars)
        stat = FileStat(**json.loads(row.stat))
    except (TypeError, ValueError, AttributeError) as error:
        raise DamagedCase(f"source {row.id} cannot be read: {error}") from error
    return Source(row.source_id, row.relative, row.sha256, stat, row.media_type, tuple(sidecars)), sidecars


def event_from(row: CustodyRow) -> CustodyEvent:
    """Return the event that *row* keeps.

    Raises:
        DamagedCase: when it cannot be read.
    """
    fields = (row.utc_time, row.actor, row.action, row.subject, row.detail, row.previous_hash, row.event_hash)
    try:
        return read_event((row.sequence, *fields))
    except ValueError as error:
        raise DamagedCase(f"custody event {row.sequence} cannot be read: {error}") from error
