"""The case database: sources, results, findings, custody.

SQLite by default, or PostgreSQL. Rows are added, never rewritten: a second model's
result stands beside the first. Repeating work under one key is harmless.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import select
from sqlalchemy.exc import DatabaseError, OperationalError, StatementError
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from gtloc_forensics.errors import CaseError, DamagedCase, WorkspaceFull
from gtloc_forensics.records import CaseHeader, CustodyEvent, Finding, Scalar, Skipped, Source, Statement, visible
from gtloc_forensics.store.arrivals import Arrival, add_sources, append_event, write_events
from gtloc_forensics.store.codec import pack, text_of, told_of, unpack
from gtloc_forensics.store.copying import write_rows
from gtloc_forensics.store.reading_copy import ReadingCopy
from gtloc_forensics.store.roles import may_write
from gtloc_forensics.store.rows import StoredSource, event_from, source_of, stored_source_of
from gtloc_forensics.store.schema import (
    SQLITE,
    WRITES,
    CaseRow,
    CustodyRow,
    ExaminationRow,
    ExtraRow,
    FindingRow,
    MemberRow,
    RejectedRow,
    ResultRow,
    SourceRow,
    cannot_be_written,
    engine_of,
    is_for_want_of_room,
    migrate,
    not_opened,
    not_written,
    queue_up,
    reserved,
    trigger_faults,
)

R = TypeVar("R")
_WAITING = "gtloc_waiting_results"
ROWS_AT_ONCE = 500
"""Rows written with one statement: few enough to be held meanwhile."""

Transaction: TypeAlias = Session
"""What :meth:`Store.writing` gives: all that is written through it is kept, or nothing."""


_OF_THE_PARENT: list[Pool] = []
"""Connections that a fork inherited, and that are not its own to use or to close."""


class Store:
    """One open case database. Writing needs the writer's lock, which :class:`Case` holds."""

    def __init__(self, place: str | Path) -> None:
        """Open the database at a URL, or in an SQLite file, making or migrating it as needed.

        Raises:
            NewerCase: when a newer program wrote it.
            CaseError, WorkspaceFull: when it is not a case database, cannot be opened, or its disk is full.
        """
        self._path = place if isinstance(place, Path) else None
        is_fixed = isinstance(place, Path) and cannot_be_written(place)
        self._copy = ReadingCopy(Path(place)) if is_fixed else None
        self.engine = engine_of(place) if self._copy is None else self._copy.engine
        rendered = self.engine.url.render_as_string(hide_password=True)
        self.url = visible(os.fsencode(place)) if isinstance(place, Path) else rendered
        self._writer = self.engine.execution_options(**{WRITES: True})
        try:
            migrate(self.engine)
        except (DatabaseError, UnicodeDecodeError) as error:
            self.engine.dispose()
            raise not_opened(error, self.url, self._path) from error

    @property
    def file(self) -> Path | None:
        """The database's file; None when it is kept by a server."""
        name = self.engine.url.database
        if self._path is not None or not name or self.engine.dialect.name != SQLITE:
            return self._path
        return Path(name)

    def close(self) -> None:
        """Close every connection; a WAL is folded back into the file."""
        self.engine.dispose()
        if self._copy is not None:
            self._copy.remove()

    def begin_in_fork(self) -> None:
        """Use connections of its own, in a process that was forked from the one that opened it; only to read."""
        _OF_THE_PARENT.append(self.engine.pool)  # else they would be closed, and a file's WAL perhaps folded back
        self.engine.dispose(close=False)

    @cached_property
    def is_read_only(self) -> bool:
        """Whether it lies where nothing can be written, or whoever opened it may not; then it is read and no more."""
        return self._copy is not None or (self.file is None and not may_write(self.engine))

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction: all of it is kept, or none.

        Raises:
            CaseBusy: when another process holds the database.
            CaseError: when it lies where nothing can be written, or the system refuses to.
            WorkspaceFull: when the disk has no room for it.
        """
        if self.is_read_only:
            remedy = "copy the case folder to where it can" if self.file else "this account may only read it"
            raise CaseError(f"{self.url} cannot be written; {remedy}")
        try:
            with Session(self._writer, expire_on_commit=False) as session, session.begin():
                queue_up(session.connection())
                yield session
                self._write_results(session)
                write_events(session)
        except OperationalError as error:
            known = not_written(error, self.url, self.file)
            if known is not None:
                raise known from error
            raise

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Keep other programs, wherever they run, from working on the case meanwhile.

        A file has no need of it: whoever shares the file shares the lock in the folder beside it.

        Raises:
            CaseBusy: when another one works on it.
        """
        with nullcontext() if self.file is not None else reserved(self.engine, self.url):
            yield

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading.

        Raises:
            DamagedCase: when the database cannot give what it is asked for.
            WorkspaceFull: when it needs room for that, and there is none.
        """
        try:
            with Session(self.engine) as session:
                yield session
        except (DatabaseError, StatementError, UnicodeDecodeError) as error:
            if self.file is None and isinstance(error, OperationalError):
                raise  # a server that went away
            if isinstance(error, OperationalError) and is_for_want_of_room(error, self.file):
                raise WorkspaceFull((self.file or Path()).parent) from error
            raise DamagedCase(f"{self.url} cannot be read ({getattr(error, 'orig', error)})") from error

    # ----------------------------------------------------------------- header

    def header(self) -> CaseHeader | None:
        """Return the case header, or None for a case just made."""
        with self.reading() as session:
            row = session.get(CaseRow, 1)
        if row is None:
            return None
        try:
            opened = datetime.fromisoformat(row.opened_utc) if row.opened_utc else None
        except ValueError as error:
            raise DamagedCase("the case header's opened_utc is no time") from error
        return CaseHeader(
            row.case_number, row.exhibit, row.examiner, row.agency, row.legal_authority, row.evidence_folder, opened
        )

    def evidence_folder(self) -> str | None:
        """Return the path of the evidence, its bytes as hex, as stored; None for a case just made."""
        with self.reading() as session:
            return session.scalar(select(CaseRow.evidence_folder).where(CaseRow.id == 1))

    def set_header(self, session: Session, header: CaseHeader) -> dict[str, str]:
        """Write the header, in which an empty field keeps what is there, and return the fields that changed."""
        row = session.get(CaseRow, 1)
        values = asdict(header) | {"opened_utc": header.opened_utc.isoformat() if header.opened_utc else ""}
        if row is None:
            session.add(CaseRow(id=1, **values))
            return {name: value for name, value in values.items() if value}
        changed = {name: value for name, value in values.items() if value and value != getattr(row, name)}
        for name, value in changed.items():
            setattr(row, name, value)
        return changed

    # ----------------------------------------------------------------- sources

    def latest_sources(self) -> dict[str, StoredSource]:
        """Return the newest state of every path ever seen, by source id."""
        query = select(SourceRow).order_by(SourceRow.source_id, SourceRow.generation)
        with self.reading() as session:
            return {
                row.source_id: stored_source_of(row) for row in session.scalars(query.execution_options(yield_per=500))
            }

    def add_source(
        self, session: Session, source: Source, *, sidecars: Mapping[bytes, str], acquired_utc: datetime
    ) -> StoredSource:
        """Add a path, or a new state of it."""
        return self.add_sources(session, [Arrival(source, sidecars, acquired_utc)])[0]

    def add_sources(self, session: Session, arrivals: Sequence[Arrival]) -> list[StoredSource]:
        """Add paths, or new states of them, in this order; some hundred at a time."""
        return add_sources(session, arrivals)

    def source(self, row_id: int) -> tuple[Source, StoredSource, datetime]:
        """Return one state of one path, what identifies that state, and when it was acquired."""
        with self.reading() as session:
            row = session.get_one(SourceRow, row_id)
        return source_of(row)[0], stored_source_of(row), datetime.fromisoformat(row.acquired_utc)

    def sources(self, row_ids: Sequence[int]) -> list[Source]:
        """Return these states of paths, in the order asked for; some hundred at a time."""
        with self.reading() as session:
            found = session.execute(select(*SourceRow.__table__.c).where(SourceRow.id.in_(row_ids)))
            rows = {row.id: source_of(row)[0] for row in found}
        return [rows[row_id] for row_id in row_ids]

    def media_types(self, row_ids: Sequence[int]) -> set[str]:
        """Return of which types these states of paths are; some hundred at a time."""
        with self.reading() as session:
            return set(session.scalars(select(SourceRow.media_type).where(SourceRow.id.in_(row_ids)).distinct()))

    # ----------------------------------------------------------------- results

    def subjects(self, stage: str, fingerprint: str) -> set[str]:
        """Return the subjects for which this work was done already, well or not."""
        query = select(ResultRow.subject).where(ResultRow.stage == stage, ResultRow.fingerprint == fingerprint)
        with self.reading() as session:
            return set(session.scalars(query))

    def keys_of(self, stage: str) -> set[tuple[str, str]]:
        """Return (subject, fingerprint) of every result of a stage."""
        query = select(ResultRow.subject, ResultRow.fingerprint).where(ResultRow.stage == stage)
        with self.reading() as session:
            return {(subject, fingerprint) for subject, fingerprint in session.execute(query)}

    def add_result(self, session: Session, subject: str, stage: str, fingerprint: str, *, record: Any) -> None:
        """Keep what a stage made; a repeated key is left as it is."""
        self._add(session, subject, stage, fingerprint, failed=False, payload=pack(record))

    def add_failure(
        self, session: Session, subject: str, stage: str, fingerprint: str, *, reason: Statement, detail: str = ""
    ) -> None:
        """Keep why a stage made nothing."""
        self._add(session, subject, stage, fingerprint, failed=True, payload=pack((reason, detail)))

    def _add(
        self, session: Session, subject: str, stage: str, fingerprint: str, *, failed: bool, payload: bytes
    ) -> None:
        values = {"subject": subject, "stage": stage, "fingerprint": fingerprint, "failed": failed, "payload": payload}
        waiting = session.info.setdefault(_WAITING, [])
        waiting.append(values)  # the rows of many photos are written with one statement
        if len(waiting) >= ROWS_AT_ONCE:
            self._write_results(session)

    def _write_results(self, session: Session) -> None:
        if waiting := session.info.pop(_WAITING, None):
            write_rows(session.connection(), ResultRow, waiting, skips_known=True)

    def result(
        self, subject: str, stage: str, fingerprint: str, kind: type[R], *, session: Session | None = None
    ) -> R | tuple[Statement, str] | None:
        """Return a stage's record, or ``(reason, detail)`` when it failed, or None when it never ran.

        Inside a transaction pass its *session*, to see what it has written so far.
        """
        if session is None:
            with self.reading() as fresh:
                row = fresh.get(ResultRow, (subject, stage, fingerprint))
        else:
            self._write_results(session)
            row = session.get(ResultRow, (subject, stage, fingerprint))
        if row is not None:
            return unpack(tuple[Statement, str], row.payload) if row.failed else unpack(kind, row.payload)
        return None

    # ----------------------------------------------------------------- rejected

    def add_rejected(self, session: Session, examination: str, entry: Skipped, *, source_id: str) -> None:
        """Note an entry without a hash: unreadable, or not a photo."""
        if session.get(RejectedRow, (source_id, examination)) is None:
            session.add(
                RejectedRow(
                    source_id=source_id,
                    examination=examination,
                    relative=entry.relative,
                    reason=text_of(entry.reason),
                    blocks=entry.blocks,
                )
            )

    def rejected(self, examination: str) -> list[Skipped]:
        """Return what an examination could not read or passed over, in path order."""
        with self.reading() as session:
            rows = session.scalars(select(RejectedRow).where(RejectedRow.examination == examination))
            return sorted(
                (Skipped(row.relative, told_of(row.reason), row.blocks) for row in rows), key=lambda e: e.relative
            )

    # ----------------------------------------------------------------- examinations

    def examination(self, fingerprint: str | None = None) -> ExaminationRow | None:
        """Return the examination with that fingerprint, or the newest."""
        query = select(ExaminationRow).order_by(ExaminationRow.id.desc()).limit(1)
        if fingerprint is not None:
            query = query.where(ExaminationRow.fingerprint == fingerprint)
        with self.reading() as session:
            return session.scalar(query)

    def add_examination(
        self,
        session: Session,
        fingerprint: str,
        *,
        environment: Mapping[str, str],
        stages: Mapping[str, str],
        finished_utc: datetime,
    ) -> int:
        """Begin the row of a finished examination; members, findings and extras follow in the same transaction."""
        row = ExaminationRow(
            fingerprint=fingerprint,
            environment=json.dumps({label: text_of(value) for label, value in environment.items()}),
            stages=json.dumps(dict(stages)),
            finished_utc=finished_utc.isoformat(),
        )
        session.add(row)
        session.flush()
        return row.id

    def add_members(self, session: Session, examination_id: int, members: Sequence[Mapping[str, Any]]) -> None:
        """Add sources with what the examination made of them: columns of :class:`MemberRow`, some hundred at a time."""
        if members:  # written now: a session would hold them all until the end
            rows = [{"examination_id": examination_id, **member} for member in members]
            write_rows(session.connection(), MemberRow, rows)

    def add_findings(self, session: Session, examination_id: int, findings: Sequence[Finding]) -> None:
        """Add the findings that a person should see, in the order of their rank."""
        for first in range(0, len(findings), ROWS_AT_ONCE):
            rows = [
                {
                    "examination_id": examination_id,
                    "ordinal": ordinal,
                    "check_id": finding.check_id,
                    "outcome": finding.outcome.value,
                    "severity": int(finding.severity),
                    "source_id": finding.source_ids[0],
                    "payload": pack(finding),
                }
                for ordinal, finding in enumerate(findings[first : first + ROWS_AT_ONCE], first)
            ]
            write_rows(session.connection(), FindingRow, rows)

    def add_extra(self, session: Session, examination_id: int, name: str, *, record: Any) -> None:
        """Add a product of a whole examination."""
        session.add(ExtraRow(examination_id=examination_id, name=name, payload=pack(record)))

    def members(self, examination_id: int, *, status: str | None = None, first: int = 0) -> Iterator[MemberRow]:
        """Stream the members of an examination in path order, from the *first* on, fifty at a time."""
        ordinal = first - 1
        while True:
            query = select(MemberRow).where(MemberRow.examination_id == examination_id, MemberRow.ordinal > ordinal)
            if status is not None:
                query = query.where(MemberRow.status == status)
            with self.reading() as session:
                rows = list(session.scalars(query.order_by(MemberRow.ordinal).limit(50)))
            if not rows:
                return
            yield from rows
            ordinal = rows[-1].ordinal

    def verdicts(self, session: Session, examination_id: int) -> Iterator[bytes]:
        """Stream what was concluded of every member, as stored, in path order."""
        query = select(MemberRow.findings).where(MemberRow.examination_id == examination_id)
        yield from session.scalars(query.order_by(MemberRow.ordinal).execution_options(yield_per=200))

    def findings(self, examination_id: int) -> Iterator[Finding]:
        """Stream an examination's findings in the order they were ranked."""
        query = select(FindingRow.payload).where(FindingRow.examination_id == examination_id)
        with self.reading() as session:
            for payload in session.scalars(query.order_by(FindingRow.ordinal).execution_options(yield_per=200)):
                yield unpack(Finding, payload)

    def extra(self, examination_id: int, name: str, kind: type[R]) -> R | None:
        """Return a product of an examination, e.g. its clock models."""
        with self.reading() as session:
            row = session.get(ExtraRow, (examination_id, name))
        return None if row is None else unpack(kind, row.payload)

    # ----------------------------------------------------------------- custody

    def trigger_faults(self) -> tuple[str, ...]:
        """Return what is wrong with the triggers that guard the custody chain, a sentence each."""
        with self.engine.connect() as connection:
            return trigger_faults(connection)

    def append_event(
        self,
        session: Session,
        *,
        utc_time: datetime,
        actor: str,
        action: str,
        subject: str,
        detail: Mapping[str, Scalar],
    ) -> CustodyEvent:
        """Add a link to the custody chain inside the transaction of what it describes."""
        return append_event(session, utc_time=utc_time, actor=actor, action=action, subject=subject, detail=detail)

    def custody(self, *actions: str) -> Iterator[CustodyEvent]:
        """Stream the chain in order, or its events of some *actions*: :func:`verify_chain` says whether it holds."""
        query = select(CustodyRow).where(CustodyRow.action.in_(actions)) if actions else select(CustodyRow)
        with self.reading() as session:
            ordered = query.order_by(CustodyRow.sequence).execution_options(yield_per=500)
            yield from map(event_from, session.scalars(ordered))

    def last_event(self, action: str, subject: str) -> CustodyEvent | None:
        """Return the newest event of that action and subject."""
        query = select(CustodyRow).where(CustodyRow.action == action, CustodyRow.subject == subject)
        with self.reading() as session:
            row = session.scalar(query.order_by(CustodyRow.sequence.desc()).limit(1))
        return None if row is None else event_from(row)
