"""What one pass over the photos of a case tells a report: counts, names, and who gets a page.

Bounded in memory: some 150 bytes a photo, whatever a photo weighs.
"""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from gtloc_forensics.earth.circular import hour_difference
from gtloc_forensics.records import (
    Absent,
    CaseView,
    CauseKind,
    Claim,
    Device,
    ImageFacts,
    Outcome,
    PhotoEntry,
    Prediction,
    Stated,
    Status,
    Unexamined,
    Untold,
)
from gtloc_forensics.records.decisions import ways_to_say
from gtloc_forensics.report.chapters.lines import PhotoLine, PhotoLines
from gtloc_forensics.report.chapters.weighing import weight_of

Progress: TypeAlias = Callable[[str, int, int | None], None]
"""Told of a stage: how much is done, and of how much where that is known."""

RESIDUALS_KEPT = 400  # per device; a plot shows no more


@dataclass(slots=True)
class DeviceTally:
    """What was seen of one device."""

    label: str
    doubt: str
    photos: int = 0
    by_status: Counter[Status] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    residuals: list[tuple[datetime, float, str]] = field(default_factory=list)  # (claimed, hours ahead, witness)


@dataclass(frozen=True, slots=True)
class Leg:
    """The way between two photos of one camera that is too fast, with the least speed that it takes."""

    one: str  # source_id
    other: str
    speed_km_h: float


@dataclass(slots=True)
class Survey:
    """The digest of one pass."""

    photos: int = 0
    examined: int = 0  # photos whose entries were read and whose picture could be opened
    looked_at: int = 0  # photos whose pixels a model examined
    lines: PhotoLines = field(default_factory=PhotoLines)
    kept: dict[str, PhotoEntry] = field(default_factory=dict)  # the photos that sections show
    gaps: dict[tuple[str, str], array[int]] = field(default_factory=dict)  # (stage, reason) → places of the photos
    paged: frozenset[str] = frozenset()  # source_ids that get a page of their own
    unpaged: int = 0  # those that would have deserved one
    ways: dict[str, array[int]] = field(default_factory=dict)  # of cameras, in order of time, once one is asked for
    devices: dict[str, DeviceTally] = field(default_factory=dict)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)  # (stage, reason) → photos
    outcomes: Counter[tuple[str, Outcome]] = field(default_factory=Counter)  # (check_id, outcome) → photos
    legs: list[Leg] = field(default_factory=list)
    weighed: set[str] = field(default_factory=set)  # check_ids whose findings carry a calibrated p-value
    same: int = 0
    unread: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    said: dict[str, tuple[str, Mapping[str, frozenset[str]]]] = field(default_factory=dict)  # of what was decided on


def survey(
    view: CaseView,
    *,
    shown: frozenset[Status],
    pages: int,
    kept: frozenset[str] = frozenset(),
    sheet: str = "",
    progress: Progress | None = None,
) -> Survey:
    """Go through the photos once.

    Args:
        view: the case.
        shown: the *pages* gravest photos of these results get a page of their own, unless they are *kept*.
        pages: how many.
        kept: source ids of the photos that are shown elsewhere; they stay in memory.
        sheet: a number or path; this photo gets a page, and no other.
        progress: is told ``read``, how many photos were gone through, and how many there are.
    """
    digest = Survey()
    exhibits, judged = view.exhibits(), view.decisions().judged_photos
    gravest: list[tuple[tuple[float, ...], str]] = []
    total = view.tally.photos if progress else 0
    for number, entry in enumerate(view.photos(), start=1):
        source_id = entry.photo.source.source_id
        line = _count(digest, entry, exhibits.get(source_id, str(number)))
        if progress:
            progress("read", number, max(number, total))
        if source_id in judged:
            digest.said[source_id] = (entry.photo.source.sha256, ways_to_say(entry.findings))
        if source_id in kept:
            digest.kept[source_id] = entry
        wanted = _is_called(line, sheet) if sheet else bool(entry.statuses & shown)
        if wanted and (sheet or source_id not in kept):
            digest.unpaged += 1
            heapq.heappush(gravest, (_rank(entry, number), source_id))
            if len(gravest) > pages:
                heapq.heappop(gravest)
    digest.paged = frozenset(source_id for _, source_id in gravest)
    digest.unpaged -= len(digest.paged)
    return digest


def _is_called(line: PhotoLine, name: str) -> bool:
    return name in (line.exhibit, line.name, line.source_id)


def _count(digest: Survey, entry: PhotoEntry, exhibit: str) -> PhotoLine:
    """Take an entry into the digest and return its line."""
    line = _line(entry, exhibit)
    for gap in entry.unexamined:
        digest.gaps.setdefault((gap.stage, gap.reason), array("I")).append(digest.photos)
    digest.photos += 1
    digest.examined += isinstance(entry.photo.claim, Claim) and isinstance(entry.photo.image, ImageFacts)
    digest.looked_at += isinstance(entry.photo.prediction, Prediction)
    digest.lines.append(line)
    digest.reasons.update({(gap.stage, gap.reason) for gap in entry.unexamined})
    digest.outcomes.update({(finding.check_id, finding.outcome) for finding in entry.findings})
    digest.legs += _legs(entry)
    digest.weighed.update(finding.check_id for finding in entry.findings if finding.p_value is not None)
    _count_device(digest, entry)
    _count_integrity(digest, entry)
    return line


def _line(entry: PhotoEntry, exhibit: str) -> PhotoLine:
    source, claim = entry.photo.source, entry.photo.claim
    known = claim if isinstance(claim, Claim) else None
    return PhotoLine(
        source_id=source.source_id,
        exhibit=exhibit,
        name=source.display_path,
        sha256=source.sha256,
        statuses=entry.statuses,
        device_key=known.device.key if known else "",
        local=_stated(known.local_time) if known else None,
        utc=_stated(known.utc_time) if known else None,
        gps_utc=_stated(known.gps_utc_time) if known else None,
        rules=tuple(dict.fromkeys(finding.check_id for finding in entry.findings if finding.is_found)),
        position=known.position.value if known and isinstance(known.position, Stated) else None,
        zones=known.zones if known else (),
    )


def _legs(entry: PhotoEntry) -> Iterator[Leg]:
    """Yield the ways that nobody can have gone in the time that is claimed."""
    for finding in entry.findings:
        speed = finding.facts.get("speed_km_h")
        is_way = finding.is_found and finding.cause is not None and finding.cause.kind is CauseKind.TRAVEL
        if is_way and len(finding.source_ids) == 2 and isinstance(speed, int | float):
            yield Leg(*finding.source_ids, float(speed))


def _stated(value: Stated[datetime] | Absent) -> datetime | None:
    return value.value if isinstance(value, Stated) else None


def _count_integrity(digest: Survey, entry: PhotoEntry) -> None:
    if not entry.sha256_at_end:
        digest.unread.append(entry.photo.source.source_id)
    elif entry.sha256_at_end == entry.photo.source.sha256:
        digest.same += 1
    else:
        digest.changed.append(entry.photo.source.source_id)


def _count_device(digest: Survey, entry: PhotoEntry) -> None:
    claim = entry.photo.claim
    if not isinstance(claim, Claim):
        return
    tally = digest.devices.setdefault(claim.device.key, DeviceTally(device_label(claim.device), claim.device.doubt))
    tally.photos += 1
    tally.by_status[entry.status] += 1
    if isinstance(claim.local_time, Stated):
        local = claim.local_time.value
        tally.first = local if tally.first is None else min(tally.first, local)
        tally.last = local if tally.last is None else max(tally.last, local)
        if len(tally.residuals) < RESIDUALS_KEPT:
            tally.residuals += _residuals(entry, claim, local)


def _residuals(entry: PhotoEntry, claim: Claim, local: datetime) -> list[tuple[datetime, float, str]]:
    """Return by how many hours the claimed clock is ahead of each witness, the short way round the day."""
    found = []
    if not isinstance(entry.indicated.local_hour, Untold):
        hour = local.hour + local.minute / 60 + local.second / 3600
        found.append((local, float(hour_difference(hour, entry.indicated.local_hour)), "pixels"))
    if isinstance(claim.utc_time, Stated) and isinstance(claim.gps_utc_time, Stated):
        seconds = (claim.utc_time.value - claim.gps_utc_time.value).total_seconds()
        found.append((local, float(hour_difference(seconds / 3600, 0.0)), "gps"))
    return found


def device_label(device: Device) -> str:
    """Return the device's name for people."""
    name = device.name or device.key
    return f"{name} ({device.serial})" if isinstance(device.serial, str) else name


def _rank(entry: PhotoEntry, number: int) -> tuple[float, ...]:
    """Return how grave an entry is; of equals the earlier one comes first."""
    gravest = max(map(weight_of, entry.findings), default=(0.0, 0.0, 0.0, 0.0))
    return (*gravest, -float(number))


def reason_of(value: Absent | Unexamined) -> str:
    """Return why something is not there."""
    return value.value if isinstance(value, Absent) else value.reason
