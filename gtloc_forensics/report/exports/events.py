"""Every time that a photo speaks of, as one event each: the ground of the exports for time lines.

A camera clock mostly states no zone. Such a reading stays what it is, a local time:
``offset_hours`` is None, and each form says so in its own way. It is an instant only where
the reading states one, or where the claim of the photo has an offset to place it by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum, unique
from typing import Any

from gtloc_forensics.records import Claim, FileStat, PhotoEntry, Stated, TimeReading, TimeRole, visible
from gtloc_forensics.report.exports.finding_facts import finding_facts, finding_line
from gtloc_forensics.report.exports.rows import Value

EPOCH = datetime(1970, 1, 1)
_DAY_S = 86_400


@unique
class Source(Enum):
    """Whence an event is."""

    TAG = "photo"
    FINDING = "finding"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Event:
    """One moment of one photo.

    Attributes:
        source: whence it is.
        message: one line for a reader.
        description: which of the times it is; of a file in the words of Plaso.
        wall: a clock reading, naive.
        offset_hours: how far ahead of UTC that clock was; None where nobody knows.
        certainty: how sure the instant is, in words.
        nanoseconds: what ``wall`` leaves out, below a microsecond.
        letter: which of the four times of a file, M, A, C or B.
        facts: what else is told.
    """

    source: Source
    message: str
    description: str
    wall: datetime
    offset_hours: float | None
    certainty: str
    nanoseconds: int = 0
    letter: str = ""
    facts: Mapping[str, Value] = field(default_factory=dict)

    @property
    def instant(self) -> datetime | None:
        """The instant, aware; None where the zone is not known."""
        if self.offset_hours is None:
            return None
        return (self.wall - timedelta(hours=self.offset_hours)).replace(tzinfo=UTC)

    @property
    def ordered_us(self) -> int:
        """Microseconds since 1970 by which time lines order events: a local time counts as if it had been UTC."""
        placed = self.wall - timedelta(hours=self.offset_hours or 0)
        return (placed - EPOCH) // timedelta(microseconds=1)


LOCAL = "local time without a zone"


def recorded(nanoseconds: int) -> datetime | None:
    """Return a time of a file, ns since 1970; None for one beyond the years of a calendar, as a record may hold."""
    try:
        return EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return None


def events(entry: PhotoEntry) -> Iterator[Event]:
    """Yield the events of one photo: its time tags, what was found, and the times of its file."""
    path = entry.photo.source.display_path
    claim = entry.photo.claim
    if isinstance(claim, Claim):
        offset_hours = claim.utc_offset_hours.value if isinstance(claim.utc_offset_hours, Stated) else None
        # the file's own times come from its record, with their zone and steps: no claimed offset is theirs
        of_tags = (reading for reading in claim.times if reading.role is not TimeRole.FILE_SYSTEM)
        yield from (_of_tag(path, reading, offset_hours) for reading in of_tags)
        yield from _of_findings(entry, path, claim)
    yield from _of_file(path, entry.photo.source.stat)


def _of_tag(path: str, reading: TimeReading, offset_hours: float | None) -> Event:
    wall, offset, certainty = _placed(reading, offset_hours)
    tag, raw = visible(reading.tag), visible(reading.raw)
    is_day = reading.resolution_s >= _DAY_S
    return Event(
        Source.TAG,
        f"{path}: {tag} = {raw}",
        f"Photo {reading.role.value} time",
        wall,
        offset,
        f"{certainty}; a date without a time of day" if is_day else certainty,
        facts={"source_tag": tag, "raw": raw, "kind": reading.kind.value},
    )


def _placed(reading: TimeReading, claimed_hours: float | None) -> tuple[datetime, float | None, str]:
    """Return (clock reading, its offset, how sure that is)."""
    if reading.utc is not None:
        return reading.wall, reading.offset_hours or 0.0, "instant stated"
    if claimed_hours is not None:
        return reading.wall, claimed_hours, "local time placed with the claimed offset"
    return reading.wall, None, LOCAL


def _of_findings(entry: PhotoEntry, path: str, claim: Claim) -> Iterator[Event]:
    moment = claim.utc_time if isinstance(claim.utc_time, Stated) else claim.local_time
    if not isinstance(moment, Stated):
        return
    is_local = moment is claim.local_time
    for finding in entry.findings:
        if finding.is_found:
            told = finding_facts(finding)
            yield Event(
                Source.FINDING,
                f"{path}: {finding_line(finding)}",
                "Photo claimed time, with a finding",
                moment.value,
                None if is_local else 0.0,
                LOCAL if is_local else "instant as claimed",
                facts={"check_id": told["check"], "outcome": told["outcome"], "severity": told["severity"]},
            )


def _of_file(path: str, stat: FileStat) -> Iterator[Event]:
    times = (
        ("M", "Content Modification Time", stat.mtime_ns),
        ("C", "Metadata Modification Time", stat.ctime_ns),
        ("A", "Last Access Time", stat.atime_ns),
        ("B", "Creation Time", stat.birth_ns),
    )
    for letter, description, nanoseconds in times:
        moment = recorded(nanoseconds or 0)
        if nanoseconds and moment is not None:
            yield Event(
                Source.FILE,
                f"{path}: {description}",
                description,
                moment,
                None if stat.is_local else 0.0,
                LOCAL if stat.is_local else "instant stated",
                nanoseconds=nanoseconds % 1000,
                letter=letter,
                facts={"is_deleted": True} if stat.is_deleted else {},
            )


def recorded_facts(stat: FileStat) -> dict[str, Any]:
    """Return what an image, an archive or a store records of a file; nothing for a file of a folder."""
    if not stat.mtime_step_ns:
        return {}
    return {
        "recorded": {
            "deleted": stat.is_deleted,
            "carved": stat.is_carved,
            "modified": _moment_of(stat.mtime_ns),
            "modified_step_s": stat.mtime_step_ns / 1e9,
            "created": _moment_of(stat.birth_ns or 0),
            "created_step_s": stat.birth_step_ns / 1e9,
            "zone": None if stat.is_local or stat.is_carved else "UTC",
            **({"etag": stat.etag, "version": stat.version or None} if stat.etag or stat.version else {}),
        }
    }


def _moment_of(nanoseconds: int) -> str | None:
    moment = recorded(nanoseconds) if nanoseconds else None
    return None if moment is None else moment.isoformat()
