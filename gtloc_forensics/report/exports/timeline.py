"""Every time a photo speaks of, for Timesketch: one JSON object per line.

Timesketch asks for ``message``, ``datetime`` and ``timestamp_desc`` and orders by instants.
A local time is written without an offset, ``message`` and ``time_certainty`` say so, and
``timestamp`` places it as if it had been UTC: without it, it would be placed by the zone of the server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from gtloc_forensics.files.writing import replaced
from gtloc_forensics.records import CaseView, PhotoEntry, Status
from gtloc_forensics.report.exports.events import LOCAL, Event, events
from gtloc_forensics.report.exports.rows import Progress, Value, entries


def write_timesketch(
    view: CaseView, path: Path, *, only: frozenset[Status] | None = None, progress: Progress = None
) -> None:
    """Write the time line of a case."""
    with replaced(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as out:
        for entry in entries(view, only=only, progress=progress):
            for row in rows(entry):
                out.write(json.dumps(row, ensure_ascii=False) + "\n")


def rows(entry: PhotoEntry) -> Iterator[dict[str, Value]]:
    """Yield the events of one photo as Timesketch wants them."""
    about: dict[str, Value] = {
        "path": entry.photo.source.display_path,
        "sha256": entry.photo.source.sha256,
        "status": entry.status.value,
        "data_type": "gtloc:photo",
    }
    for event in events(entry):
        yield {
            "message": marked(event),
            "datetime": (event.instant or event.wall).isoformat(),
            "timestamp": event.ordered_us,
            "timestamp_desc": event.description,
            **about,
            **event.facts,
            "time_certainty": event.certainty,
        }


def marked(event: Event) -> str:
    """Return the line of an event, with the word that its time has no zone where that is so."""
    return event.message if event.instant else f"{event.message} [{LOCAL}]"
