"""Sources and links of the custody chain, those of a group of files with one statement each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, func, insert, select
from sqlalchemy.orm import Session

from gtloc_forensics.records import CustodyEvent, Scalar, Source
from gtloc_forensics.store.copying import write_rows
from gtloc_forensics.store.custody import GENESIS, canonical_json, event_of
from gtloc_forensics.store.rows import StoredSource, stat_text, state_of
from gtloc_forensics.store.schema import CustodyRow, SourceRow

_LAST_EVENT = "gtloc_last_event"
_WAITING = "gtloc_waiting_events"
EVENTS_AT_ONCE = 500
"""Links of the chain that wait at most, and are written with one statement."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A path, or a new state of it, as it was taken in."""

    source: Source
    sidecars: Mapping[bytes, str]  # relative path → sha256
    acquired_utc: datetime


def add_sources(session: Session, arrivals: Sequence[Arrival]) -> list[StoredSource]:
    """Add paths, or new states of them, in this order; some hundred at a time."""
    if not arrivals:
        return []
    source_ids = sorted({arrival.source.source_id for arrival in arrivals})
    newest = select(SourceRow.source_id, func.max(SourceRow.generation)).where(SourceRow.source_id.in_(source_ids))
    generations = {row[0]: int(row[1]) for row in session.execute(newest.group_by(SourceRow.source_id))}
    rows: list[dict[str, Any]] = []
    for arrival in arrivals:
        source = arrival.source
        generations[source.source_id] = generations.get(source.source_id, -1) + 1
        rows.append(
            {
                "source_id": source.source_id,
                "generation": generations[source.source_id],
                "relative": source.relative,
                "sha256": source.sha256,
                "media_type": source.media_type,
                "stat": stat_text(source.stat),
                "sidecars": json.dumps([[name.hex(), sha256] for name, sha256 in sorted(arrival.sidecars.items())]),
                "acquired_utc": arrival.acquired_utc.isoformat(),
            }
        )
    session.connection().execute(_INSERT, rows)
    # Their numbers are asked for afterwards: SQLite gives those of several rows in no order that could be relied on.
    added = select(SourceRow.source_id, SourceRow.generation, SourceRow.id).where(SourceRow.source_id.in_(source_ids))
    numbers = {(source_id, generation): row_id for source_id, generation, row_id in session.execute(added)}
    return [
        state_of(numbers[row["source_id"], row["generation"]], arrival.source, arrival.sidecars)
        for row, arrival in zip(rows, arrivals, strict=True)
    ]


_INSERT = insert(cast(Table, SourceRow.__table__))


def append_event(
    session: Session, *, utc_time: datetime, actor: str, action: str, subject: str, detail: Mapping[str, Scalar]
) -> CustodyEvent:
    """Return the next link of the custody chain; it is written with the others of the transaction, by its end."""
    sequence, previous = session.info.get(_LAST_EVENT) or _last_link(session)
    made = event_of(sequence + 1, utc_time, actor, action, subject, detail, previous)
    session.info[_LAST_EVENT] = (made.sequence, made.event_hash)  # nobody else writes during a transaction
    waiting: list[dict[str, Any]] = session.info.setdefault(_WAITING, [])
    waiting.append(
        {
            "sequence": made.sequence,
            "utc_time": utc_time.isoformat(),
            "actor": actor,
            "action": action,
            "subject": subject,
            "detail": canonical_json(dict(detail)),
            "previous_hash": previous,
            "event_hash": made.event_hash,
        }
    )
    if len(waiting) >= EVENTS_AT_ONCE:
        write_events(session)
    return made


def write_events(session: Session) -> None:
    """Write the links of the custody chain that wait."""
    if waiting := session.info.pop(_WAITING, None):
        write_rows(session.connection(), CustodyRow, waiting)


def _last_link(session: Session) -> tuple[int, str]:
    last = session.scalar(select(CustodyRow).order_by(CustodyRow.sequence.desc()).limit(1))
    return (0, GENESIS) if last is None else (last.sequence, last.event_hash)
