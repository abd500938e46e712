"""What the store knows of some paths and contents: asked for a window of them at a time, never for all."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import func, select

from gtloc_forensics.store.database import Store
from gtloc_forensics.store.rows import StoredSource, both_of
from gtloc_forensics.store.schema import ResultRow, SourceRow


def newest_states(store: Store, source_ids: Collection[str]) -> dict[str, StoredSource]:
    """Return the newest state of each of some hundred paths, by source id; a path never taken in is left out."""
    if not source_ids:
        return {}
    query = select(*SourceRow.__table__.c).where(SourceRow.source_id.in_(source_ids))
    with store.reading() as session:
        rows = session.execute(query.order_by(SourceRow.source_id, SourceRow.generation))
        return {row.source_id: both_of(row)[1] for row in rows}


def work_done(store: Store, subjects: Collection[str]) -> dict[str, set[tuple[str, str]]]:
    """Return (stage, fingerprint) of everything that was done about each of some hundred subjects, well or not."""
    done: dict[str, set[tuple[str, str]]] = {subject: set() for subject in subjects}
    if subjects:
        query = select(ResultRow.subject, ResultRow.stage, ResultRow.fingerprint)
        with store.reading() as session:
            for subject, stage, fingerprint in session.execute(query.where(ResultRow.subject.in_(subjects))):
                done[subject].add((stage, fingerprint))
    return done


def every_path(store: Store) -> Iterator[str]:
    """Stream the id of every path the case ever took in, in path order."""
    query = select(SourceRow.source_id).where(SourceRow.generation == 0).order_by(SourceRow.relative)
    with store.reading() as session:
        yield from session.scalars(query.execution_options(yield_per=500))


def paths(store: Store) -> Iterator[tuple[str, bytes, str]]:
    """Stream id, relative path and hash of the newest state of every path, by their ids."""
    newest = select(SourceRow.source_id, func.max(SourceRow.generation).label("generation"))
    of_each = newest.group_by(SourceRow.source_id).subquery()
    query = select(SourceRow.source_id, SourceRow.relative, SourceRow.sha256).join(
        of_each, (of_each.c.source_id == SourceRow.source_id) & (of_each.c.generation == SourceRow.generation)
    )
    with store.reading() as session:
        rows = session.execute(query.order_by(SourceRow.source_id).execution_options(yield_per=500))
        yield from ((source_id, relative, sha256) for source_id, relative, sha256 in rows)
