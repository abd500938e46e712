"""Which examinations a case database holds, and how many photos they have: what is known without reading a photo."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select

from gtloc_forensics.store.database import Store
from gtloc_forensics.store.schema import CustodyRow, ExaminationRow, MemberRow


def ended(store: Store) -> dict[str, str]:
    """Return when each completed examination ended, ISO in UTC, by its fingerprint; the newest first."""
    query = select(ExaminationRow.fingerprint, ExaminationRow.finished_utc).order_by(ExaminationRow.id.desc())
    with store.reading() as session:
        return {row.fingerprint: row.finished_utc for row in session.execute(query)}


def count(store: Store, examination_id: int) -> int:
    """Return how many members an examination has."""
    query = select(func.count()).select_from(MemberRow).where(MemberRow.examination_id == examination_id)
    with store.reading() as session:
        return int(session.scalar(query) or 0)


def chain_end(store: Store) -> tuple[int, str]:
    """Return number and hash of the last custody event, ``(0, "")`` before the first."""
    query = select(CustodyRow.sequence, CustodyRow.event_hash).order_by(CustodyRow.sequence.desc()).limit(1)
    with store.reading() as session:
        last = session.execute(query).first()
    return (0, "") if last is None else (last.sequence, last.event_hash)


def rows(store: Store, examination_id: int) -> Iterator[int]:
    """Stream the rows of an examination's sources in path order."""
    query = select(MemberRow.source_row).where(MemberRow.examination_id == examination_id)
    with store.reading() as session:
        yield from session.scalars(query.order_by(MemberRow.ordinal).execution_options(yield_per=1000))
