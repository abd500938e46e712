"""A case: one folder of evidence, one database, the reports made of it. The one deep object.

The evidence is only ever read. What is written goes into the case folder, which
must lie outside the evidence: ``case.sqlite``, ``findings.json``, ``report.pdf``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from filelock import FileLock, Timeout

from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.errors import CaseBusy, UsageError
from gtloc_forensics.examination.gathering import Gathering, Progress
from gtloc_forensics.examination.instruments import NO_MODEL, Instruments, Settings, opened
from gtloc_forensics.files.listing import refuse_inside
from gtloc_forensics.records import CaseHeader, Scalar, Tally
from gtloc_forensics.store.custody import actor, verify_chain
from gtloc_forensics.store.database import Store

if TYPE_CHECKING:
    from gtloc_forensics.case.notify import Notifier
    from gtloc_forensics.case.verifying import Verification
    from gtloc_forensics.case.watching import Log, WatchSettings
    from gtloc_forensics.correct import Destination, Order, Plan, Result

DATABASE, FINDINGS, REPORT, LOCK = "case.sqlite", "findings.json", "report.pdf", "case.lock"

ADDRESS = "database.url"
"""The file that says where a case without :data:`DATABASE` is kept; a password is never in it."""


def _silent(stage: str, done: int, total: int | None) -> None:
    """The progress callback of a caller who wants none."""


def default_output(evidence: Path) -> Path:
    """Return where a case goes when nobody says: ``./<folder name>.audit``."""
    return Path.cwd() / f"{evidence.resolve().name or 'root'}.audit"


def open_case(
    evidence: Path,
    output: Path | None = None,
    *,
    header: CaseHeader | None = None,
    database_url: str = "",
    watched: Sequence[Path] = (),
) -> Case:
    """Open the case of a folder, making it when it is new.

    Args:
        evidence: the folder of photos; it is never written to.
        output: the case folder; ``./<folder name>.audit`` when left out.
        header: the examiner's fields; what is empty stays as it was.
        database_url: an SQLAlchemy URL in place of ``case.sqlite``.
        watched: the parts of *evidence* that are looked at, when it is not all of it.

    Raises:
        UsageError: the folder does not exist, or the case folder belongs to another one.
        EvidenceTreeError: the case folder lies inside the evidence.
        NewerCase, CaseError: the database cannot be used.
    """
    if not (watched or evidence.is_dir()):  # a watched card may come later
        raise UsageError(f"{evidence} is not a folder; name the folder that holds the photos")
    folder = output or default_output(evidence)
    for place in watched or (evidence,):
        refuse_inside(folder, place)
    folder.mkdir(parents=True, exist_ok=True)
    case = Case(folder, evidence=evidence.resolve(), database_url=database_url)
    case.set_header(header or CaseHeader())
    return case


class Case:
    """An open case. Use it as a context manager, or call :meth:`close`."""

    def __init__(self, folder: Path, *, evidence: Path | None = None, database_url: str = "") -> None:
        """Open the case kept in *folder*; with *evidence* it may be new. :func:`open_case` makes sure of both."""
        self.folder = folder.resolve()
        url = database_url or _kept_address(self.folder)
        if evidence is None and not (url or (folder / DATABASE).is_file()):
            raise UsageError(f"{folder} holds no case; run `gtloc audit` on a folder of photos first")
        self.store = Store(url or self.folder / DATABASE)
        self.evidence = self._evidence(evidence)
        if database_url:
            self._keep_address()

    def _evidence(self, evidence: Path | None) -> Path:
        header = self.store.header()
        if header is None:
            if evidence is None:
                raise UsageError(f"{self.folder} holds an empty case; run `gtloc audit` on a folder of photos first")
            return evidence
        kept = Path(os.fsdecode(bytes.fromhex(header.evidence_folder)))
        if evidence is not None and kept != evidence:
            raise UsageError(f"{self.folder} is the case of {kept}, not of {evidence}; choose another --output")
        return kept

    def _keep_address(self) -> None:
        """Remember where the database is, for the commands that are given the case folder alone."""
        address = self.store.engine.url.set(password=None).render_as_string()
        (self.folder / ADDRESS).write_text(address + "\n", encoding="utf-8")

    def __enter__(self) -> Self:
        """Return the case itself."""
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Close the case."""
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    def set_header(self, header: CaseHeader) -> None:
        """Write the examiner's fields; an empty one keeps what is there."""
        opened_utc = None if self.store.header() else Settings().instant()
        folder = os.fsencode(self.evidence).hex()  # a folder's name need not be text
        self.store.set_header(replace(header, evidence_folder=folder, opened_utc=opened_utc))

    # ----------------------------------------------------------------- the main job

    def audit(self, settings: Settings, *, progress: Progress = _silent) -> Tally:
        """Examine the folder: everything new or changed, then conclude. A killed run goes on where it stopped.

        Raises:
            CaseBusy: another process works on this case.
            ToolMissing, ToolTooOld, WeightsError: see :func:`gtloc_forensics.examination.instruments.opened`.
        """
        with self.locked(), opened(settings) as instruments:
            self.examine(instruments, settings, progress=progress)
        return self.view().tally

    def examine(self, instruments: Instruments, settings: Settings, *, progress: Progress = _silent) -> str:
        """Do the work of :meth:`audit` with instruments that are open already; return the examination's fingerprint."""
        from gtloc_forensics.examination.concluding import Concluding

        with self._work_folder() as work:
            gathering = Gathering(
                self.store, self.evidence, instruments, settings=settings, work=work, progress=progress
            )
            gathered = gathering.run()
        return Concluding(
            self.store,
            self.evidence,
            instruments,
            settings=settings,
            gathered=gathered,
            stages=gathering.stages,
            progress=progress,
        ).run()

    def watch(
        self,
        roots: Sequence[Path],
        settings: Settings,
        *,
        watch_settings: WatchSettings,
        notifier: Notifier,
        log: Log,
        stop: threading.Event,
        **watching: Any,
    ) -> None:
        """Examine photos as they arrive in *roots*, until *stop* is set. A killed watch misses and repeats nothing.

        Args:
            roots: folders within the case's evidence folder; they may come and go.
            settings: as for :meth:`audit`.
            watch_settings: when to conclude and report.
            notifier: whom to tell of findings.
            log: told everything that happens.
            stop: set it to finish what is in hand and return.
            watching: further arguments of :class:`gtloc_forensics.files.watching.Watcher`.

        Raises:
            CaseBusy: another process, perhaps another watcher, works on this case.
        """
        from gtloc_forensics.case.watching import WatchSession
        from gtloc_forensics.files.watching import Watcher

        with self.locked(), opened(settings) as instruments, self._work_folder() as work:
            session = WatchSession(
                self,
                instruments,
                settings=settings,
                work=work,
                notifier=notifier,
                log=log,
                watch_settings=watch_settings,
            )
            session.keep(Watcher(roots, once=watch_settings.once, stop=stop, **watching), stop)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the case for writing.

        Raises:
            CaseBusy: another process holds it.
        """
        lock = FileLock(self.folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise CaseBusy(f"{self.folder} is in use by another process; wait for it or stop it") from error
        try:
            with self.store.reserved():
                yield
        finally:
            lock.release()

    @contextmanager
    def _work_folder(self) -> Iterator[Path]:
        # A killed run leaves its working copies behind; they are copies, and the next run clears them.
        for left in self.folder.glob("work-*"):
            shutil.rmtree(left, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix="work-", dir=self.folder))
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)

    # ----------------------------------------------------------------- what comes out

    def view(self) -> StoredCase:
        """Return the newest examination for reading.

        Raises:
            CaseError: when none was completed.
        """
        return StoredCase(self.store)

    def write_findings(self, path: Path | None = None) -> Path:
        """Write the JSON document (docs/json.md), whole or not at all, and note it in the custody chain; return where.

        As with a report, one that is there and current is kept.
        """
        from gtloc_forensics.report.exports.findings_json import write_document

        target = path or self.folder / FINDINGS
        refuse_inside(target, self.evidence)
        view = self.view()
        made_of: dict[str, Scalar] = {
            "kind": "json",
            "examination": view.fingerprint,
            "options": _digest_of({}, view.header),
        }
        if not self._is_current(target, "export", made_of):
            write_document(view, target)
            self.note("export", target.name, {"sha256": file_sha256(target), **made_of})
        return target

    def write_report(self, path: Path | None = None, **options: Any) -> Path:
        """Write the PDF, whole or not at all, and note it in the custody chain; return where.

        A report that is there, and is what the chain says was written of this very
        examination, is kept.
        """
        from gtloc_forensics.report import write_pdf

        target = path or self.folder / REPORT
        refuse_inside(target, self.evidence)
        view = self.view()
        options.setdefault("report_date", view.finished_utc)
        made_of = {"examination": view.fingerprint, "options": _digest_of(options, view.header)}
        if self._is_current(target, "report", made_of):
            return target
        write_pdf(view, target, **options)
        self.note("report", target.name, {"sha256": file_sha256(target), **made_of})
        return target

    def export(self, kind: str, path: Path | None = None) -> Path:
        """Write the case in another program's form and note it in the custody chain; return where.

        Args:
            kind: a key of :func:`gtloc_forensics.case.exports.table`.
            path: the file, outside the evidence; ``findings.<suffix>`` in the case folder when left out.

        Raises:
            EvidenceTreeError: the file would lie inside the evidence.
            UsageError: there is no such kind.
            PluginError: the plugin that writes it failed.
        """
        from gtloc_forensics.case import exports

        export = exports.chosen(kind)
        target = path or self.folder / f"{FINDINGS.partition('.')[0]}.{export.suffix}"
        refuse_inside(target, self.evidence)
        view = self.view()
        exports.write(view, export, target, report_date=view.finished_utc)
        self.note("export", target.name, {"kind": kind, "sha256": file_sha256(target)})
        return target

    def _is_current(self, target: Path, action: str, made_of: Mapping[str, Scalar]) -> bool:
        event = self.store.last_event(action, target.name) if target.is_file() else None
        wanted = {"sha256": file_sha256(target), **made_of} if event is not None else {}
        return event is not None and all(event.detail.get(name) == value for name, value in wanted.items())

    # ----------------------------------------------------------------- corrections

    @property
    def is_evidence(self) -> bool:
        """Whether the case is marked as evidence: it has a case number, an exhibit or a legal authority."""
        header = self.store.header() or CaseHeader()
        return bool(header.case_number or header.exhibit or header.legal_authority)

    def plan_corrections(self, path: Path, order: Order) -> Plan:
        """Write a plan of corrections to *path*; see :func:`gtloc_forensics.case.correcting.plan`."""
        from gtloc_forensics.case import correcting

        refuse_inside(path, self.evidence)
        return correcting.plan(self, path, order)

    def apply_corrections(self, path: Path, destination: Destination) -> Result:
        """Carry out the plan at *path*; see :func:`gtloc_forensics.case.correcting.carry_out`."""
        from gtloc_forensics.case import correcting

        return correcting.carry_out(self, path, destination)

    def resume_correction(self) -> Result | None:
        """Finish an interrupted transaction."""
        from gtloc_forensics.case import correcting

        return correcting.finish(self)

    def undo_correction(self) -> Result:
        """Give every file of the latest transaction its old bytes back."""
        from gtloc_forensics.case import correcting

        return correcting.take_back(self)

    # ----------------------------------------------------------------- custody

    def note(self, action: str, subject: str, detail: dict[str, Scalar]) -> None:
        """Add an event to the custody chain."""
        with self.store.writing() as session:
            self.store.append_event(
                session, utc_time=Settings().instant(), actor=actor(), action=action, subject=subject, detail=detail
            )

    def verify(self, settings: Settings, *, sample: int = 5) -> Verification:
        """Check the case against itself and the evidence; with *sample* do part of the work again.

        The check itself becomes a custody event.

        Raises:
            CaseError: when no examination was completed.
        """
        from gtloc_forensics.case.verifying import verify_case

        model = self.view().environment.get("model name", NO_MODEL)
        with self.locked(), ExitStack() as stack:
            instruments = stack.enter_context(opened(replace(settings, model=model))) if sample else None
            found = verify_case(self, instruments=instruments, settings=settings, sample=sample)
            self.note("verify", "case", {"differences": len(found.differences), "repeated": found.repeated})
        return found

    def custody_faults(self) -> tuple[str, ...]:
        """Recompute the custody chain and name every break in it."""
        return verify_chain(self.store.custody())


def _kept_address(folder: Path) -> str:
    path = folder / ADDRESS
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _digest_of(options: dict[str, Any], header: CaseHeader) -> str:
    words = repr(sorted((name, str(value)) for name, value in options.items() if not callable(value)))
    return hashlib.sha256(f"{words}|{header}".encode()).hexdigest()[:32]


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of one of our own files."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
