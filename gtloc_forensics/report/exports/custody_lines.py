"""The custody chain as JSON lines, one event a line, with everything that its hash covers.

``event_hash`` is the SHA-256 of the canonical JSON (sorted keys, no spaces, ASCII)
of [sequence, utc_time, actor, action, subject, detail, previous_hash].
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from gtloc_forensics.files.writing import replaced
from gtloc_forensics.records import CaseView


def write_custody(view: CaseView, path: Path) -> None:
    """Write every event in order; ``utc_time`` is ISO 8601 without a zone letter, exactly as hashed."""
    with replaced(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(custody_lines(view))


def custody_lines(view: CaseView) -> Iterator[str]:
    """Yield the events in order, each as a line of JSON."""
    for event in view.each_event():
        fields = asdict(event) | {"utc_time": event.utc_time.isoformat(), "detail": dict(event.detail)}
        yield json.dumps(fields, ensure_ascii=True) + "\n"
