"""Every time a photo speaks of, in the two forms that Plaso's psort writes: json_line and l2tcsv.

Names, order and types of the fields are those of Plaso 20260720. A local time is told as Plaso tells
one: ``date_time`` has ``is_local_time``, and ``timestamp`` places it as if it had been UTC. The
seventeen columns of l2tcsv have no such mark: there its ``timezone`` is "-", never UTC.
psort orders by time; these lines come photo by photo, so that a case of any size is written as it is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from gtloc_forensics.files.writing import replaced
from gtloc_forensics.records import CaseView, PhotoEntry, Status
from gtloc_forensics.report.exports.csv_table import guarded
from gtloc_forensics.report.exports.events import EPOCH, LOCAL, Event, Source, events
from gtloc_forensics.report.exports.rows import Progress, entries
from gtloc_forensics.report.exports.timeline import marked

L2T_FIELDS = (
    *("date", "time", "timezone", "MACB", "source", "sourcetype", "type", "user", "host", "short", "desc"),
    *("version", "filename", "inode", "notes", "format", "extra"),
)
"""The columns of l2tcsv, in their order."""

_NOTHING = "-"
_MICROSECOND = timedelta(microseconds=1)
_ORIGINS = {
    Source.TAG: ("META", "Photo metadata"),
    Source.FINDING: ("GTLOC", "Finding of gtloc"),
    Source.FILE: ("FILE", "File stat"),
}


def write_plaso(
    view: CaseView, path: Path, *, only: frozenset[Status] | None = None, progress: Progress = None
) -> None:
    """Write the events of a case as psort's json_line does."""
    _write(view, path, _as_json, "", only=only, progress=progress)


def write_l2tcsv(
    view: CaseView, path: Path, *, only: frozenset[Status] | None = None, progress: Progress = None
) -> None:
    """Write the events of a case as psort's l2tcsv does."""
    _write(view, path, _as_columns, ",".join(L2T_FIELDS) + "\n", only=only, progress=progress)


def _write(
    view: CaseView,
    path: Path,
    line: Callable[[PhotoEntry, Event], str],
    header: str,
    *,
    only: frozenset[Status] | None,
    progress: Progress,
) -> None:
    with replaced(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as out:
        out.write(header)
        for entry in entries(view, only=only, progress=progress):
            for event in events(entry):
                out.write(line(entry, event) + "\n")


# --------------------------------------------------------------------------- json_line


def _as_json(entry: PhotoEntry, event: Event) -> str:
    source = entry.photo.source
    line: dict[str, Any] = {
        "__container_type__": "event",
        "__type__": "AttributeContainer",
        "data_type": f"gtloc:{event.source.value}",
        "date_time": _date_time(event),
        "display_name": source.display_path,
        "filename": source.display_path,
        "inode": str(source.stat.inode),
        "message": marked(event),
        "parser": "gtloc",
        "sha256_hash": source.sha256,
        "status": entry.status.value,
        "timestamp": event.ordered_us,
        "timestamp_desc": event.description,
        "time_certainty": event.certainty,
        **event.facts,
    }
    return json.dumps(line, sort_keys=True)


def _date_time(event: Event) -> dict[str, Any]:
    """Return a moment as dfdatetime serializes one."""
    about: dict[str, Any] = {"__type__": "DateTimeValues"}
    if event.offset_hours is None:
        about["is_local_time"] = True
    elif event.offset_hours:
        about["time_zone_offset"] = round(event.offset_hours * 60)
    if event.source is Source.FILE:
        nanoseconds = (event.wall - EPOCH) // _MICROSECOND * 1000 + event.nanoseconds
        return {**about, "__class_name__": "PosixTimeInNanoseconds", "timestamp": nanoseconds}
    wall = event.wall
    elements = [wall.year, wall.month, wall.day, wall.hour, wall.minute, wall.second]
    if wall.microsecond:
        return {
            **about,
            "__class_name__": "TimeElementsInMicroseconds",
            "time_elements_tuple": [*elements, wall.microsecond],
        }
    return {**about, "__class_name__": "TimeElements", "time_elements_tuple": elements}


# --------------------------------------------------------------------------- l2tcsv


def _as_columns(entry: PhotoEntry, event: Event) -> str:
    return ",".join(map(_cell, _columns(entry, event)))


def _columns(entry: PhotoEntry, event: Event) -> Iterator[str]:
    """Yield the seventeen columns of one event."""
    moment = event.instant or event.wall
    origin, told_origin = _ORIGINS[event.source]
    source = entry.photo.source
    yield f"{moment.month:02}/{moment.day:02}/{moment.year:04}"
    yield f"{moment:%H:%M:%S}"
    yield "UTC" if event.instant else _NOTHING
    yield "".join(letter if letter == event.letter else "." for letter in "MACB")
    yield from (origin, told_origin, event.description, _NOTHING, _NOTHING)
    yield source.display_path.rpartition("/")[2]
    yield marked(event)
    yield from ("2", source.display_path, str(source.stat.inode))
    yield _NOTHING if event.instant else LOCAL
    yield "gtloc"
    extra = {"sha256_hash": source.sha256, "status": entry.status.value, "time_certainty": event.certainty}
    yield "; ".join(sorted(f"{name}: {value}" for name, value in {**extra, **event.facts}.items()))


def _cell(text: str) -> str:
    """Return a text without the delimiter, which Plaso writes as a blank, and so that no spreadsheet runs it."""
    kept = text.replace(",", " ")
    return kept if kept == _NOTHING else str(guarded(kept))
