"""Which photos joined a case when, and a part of its chain: questions to the store."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import BigInteger, cast, func, select

from gtloc_forensics.records import CustodyEvent
from gtloc_forensics.store.database import ROWS_AT_ONCE, Store
from gtloc_forensics.store.rows import event_from
from gtloc_forensics.store.schema import CustodyRow, MemberRow, SourceRow

_MORE_THAN_ORDINALS = 10**9  # no examination has so many members


def in_order_of_joining(store: Store, examination_id: int) -> Iterator[str]:
    """Stream the ids of all sources up to an examination: by the first they were in, there in path order."""
    first = func.min(cast(MemberRow.examination_id, BigInteger) * _MORE_THAN_ORDINALS + MemberRow.ordinal)
    query = (
        select(SourceRow.source_id)
        .join(MemberRow, MemberRow.source_row == SourceRow.id)
        .where(MemberRow.examination_id <= examination_id)
        .group_by(SourceRow.source_id)
        .order_by(first)
    )
    with store.reading() as session:
        yield from session.scalars(query.execution_options(yield_per=ROWS_AT_ONCE))


def chain_window(store: Store, first: int, most: int) -> tuple[int, list[CustodyEvent]]:
    """Return the number of the last event of the chain, and at most *most* events from the number *first* on."""
    query = select(CustodyRow).where(CustodyRow.sequence >= first).order_by(CustodyRow.sequence).limit(most)
    with store.reading() as session:
        last = session.scalar(select(func.max(CustodyRow.sequence)))
        return int(last or 0), [event_from(row) for row in session.scalars(query)]


def chain_end(store: Store) -> tuple[int, str]:
    """Return how many events the chain has, and the hash of the last one, "" where there is none."""
    with store.reading() as session:
        count = session.scalar(select(func.count()).select_from(CustodyRow))
        last = session.scalar(select(CustodyRow.event_hash).order_by(CustodyRow.sequence.desc()).limit(1))
    return int(count or 0), last or ""


def events(store: Store, action: str) -> Iterator[CustodyEvent]:
    """Stream the custody events of one action, the oldest first."""
    query = select(CustodyRow).where(CustodyRow.action == action).order_by(CustodyRow.sequence)
    with store.reading() as session:
        yield from map(event_from, session.scalars(query))
