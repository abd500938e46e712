"""Every time a photo speaks of, for Timesketch: one JSON object per line.

Timesketch asks for ``message``, ``datetime`` and ``timestamp_desc`` and orders by
instants. Camera clocks mostly state none: such a reading is placed with the
claim's offset, or failing that as if it were UTC, and ``time_certainty`` says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gtloc_forensics.files.writing import replaced
from gtloc_forensics.records import CaseView, Claim, FileStat, PhotoEntry, Stated, Status, TimeReading, visible
from gtloc_forensics.report.exports.finding_facts import finding_facts, finding_line
from gtloc_forensics.report.exports.rows import Progress, Value, entries

_ZONELESS = "local time without a zone, written as if it were UTC"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_timesketch(
    view: CaseView, path: Path, *, only: frozenset[Status] | None = None, progress: Progress = None
) -> None:
    """Write the time line of a case."""
    with replaced(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as out:
        for entry in entries(view, only=only, progress=progress):
            for event in events(entry):
                out.write(json.dumps(event, ensure_ascii=False) + "\n")


def events(entry: PhotoEntry) -> Iterator[dict[str, Value]]:
    """Yield the events of one photo."""
    about: dict[str, Value] = {
        "path": entry.photo.source.display_path,
        "sha256": entry.photo.source.sha256,
        "status": entry.status.value,
        "data_type": "gtloc:photo",
    }
    claim = entry.photo.claim
    if isinstance(claim, Claim):
        offset_hours = claim.utc_offset_hours.value if isinstance(claim.utc_offset_hours, Stated) else None
        yield from (_reading(reading, offset_hours, about) for reading in claim.times)
        yield from _findings(entry, claim, about)
    yield from _file_system(entry.photo.source.stat, about)


def _reading(reading: TimeReading, offset_hours: float | None, about: dict[str, Value]) -> dict[str, Value]:
    instant, certainty = _instant(reading, offset_hours)
    tag, raw = visible(reading.tag), visible(reading.raw)
    return {
        "message": f"{about['path']}: {tag} = {raw}",
        "datetime": instant.replace(tzinfo=UTC).isoformat(),
        "timestamp_desc": f"Photo {reading.role.value} time",
        **about,
        "tag": tag,
        "raw": raw,
        "kind": reading.kind.value,
        "time_certainty": certainty,
    }


def _instant(reading: TimeReading, offset_hours: float | None) -> tuple[datetime, str]:
    if reading.utc is not None:
        return reading.utc, "instant stated"
    if offset_hours is not None:
        return reading.wall - timedelta(hours=offset_hours), "local time placed with the claimed offset"
    return reading.wall, _ZONELESS


def _findings(entry: PhotoEntry, claim: Claim, about: dict[str, Value]) -> Iterator[dict[str, Value]]:
    moment = claim.utc_time if isinstance(claim.utc_time, Stated) else claim.local_time
    if not isinstance(moment, Stated):
        return
    for finding in entry.findings:
        if finding.is_found:
            told = finding_facts(finding)
            yield {
                "message": f"{about['path']}: {finding_line(finding)}",
                "datetime": moment.value.replace(tzinfo=UTC).isoformat(),
                "timestamp_desc": "Photo claimed time, with a finding",
                **about,
                "check_id": told["check"],
                "outcome": told["outcome"],
                "severity": told["severity"],
                "time_certainty": _ZONELESS if moment is claim.local_time else "instant as claimed",
            }


def _file_system(stat: FileStat, about: dict[str, Value]) -> Iterator[dict[str, Value]]:
    times = (
        ("Content Modification Time", stat.mtime_ns),
        ("Metadata Modification Time", stat.ctime_ns),
        ("Last Access Time", stat.atime_ns),
        ("Creation Time", stat.birth_ns),
    )
    for description, nanoseconds in times:
        if nanoseconds:
            instant = _EPOCH + timedelta(microseconds=nanoseconds // 1000)
            yield {
                "message": f"{about['path']}: {description}",
                "datetime": instant.isoformat(),
                "timestamp_desc": description,
                **about,
                "time_certainty": _ZONELESS if stat.is_local else "instant stated",
            }
