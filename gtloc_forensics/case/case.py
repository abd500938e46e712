"""A case: one folder of evidence, one database, the reports made of it. The one deep object.

The evidence is only ever read. What is written goes into the case folder, which
must lie outside the evidence: ``case.sqlite``, ``findings.json``, ``report.pdf``.
:class:`Case` is the door: what is behind it takes a :class:`CaseFolder`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from gtloc_forensics.case import products
from gtloc_forensics.case.folder import CaseFolder, default_output
from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.errors import ToolMissing
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files import reading, writing
from gtloc_forensics.files.writing import refuse_inside
from gtloc_forensics.records import CaseHeader, Decision, Scalar, Tally
from gtloc_forensics.store import addresses
from gtloc_forensics.store.addresses import ADDRESS, DATABASE
from gtloc_forensics.store.custody import verify_chain
from gtloc_forensics.store.database import Store

if TYPE_CHECKING:
    from gtloc_forensics.case.cluster.cluster import Cluster
    from gtloc_forensics.case.composing import Asked
    from gtloc_forensics.case.examinations import Examination
    from gtloc_forensics.case.notify import Notifier
    from gtloc_forensics.case.retrieval import Answer, Query
    from gtloc_forensics.case.reviewing.decisions import Ruling
    from gtloc_forensics.case.verifying import Verification
    from gtloc_forensics.case.watching import Log, WatchSettings
    from gtloc_forensics.correct import Destination, Order, Plan, Result
    from gtloc_forensics.examination.ahead import Ahead
    from gtloc_forensics.examination.gathering import Progress
    from gtloc_forensics.examination.instruments import Instruments
    from gtloc_forensics.report import SignWith


def _silent(stage: str, done: int, total: int | None) -> None:
    """The progress callback of a caller who wants none."""


def _nothing() -> None:
    """What is called when something is over, by a caller who has nothing to do then."""


def open_case(
    evidence: Path,
    output: Path | None = None,
    *,
    header: CaseHeader | None = None,
    database_url: str = "",
    watched: Sequence[Path] = (),
) -> Case:
    """Open the case of a folder, an image or an archive, making it when it is new.

    Args:
        evidence: the folder of photos, or the image or archive that holds them; it is never written to.
        output: the case folder; ``./<folder name>.audit`` when left out.
        header: the examiner's fields; what is empty stays as it was.
        database_url: an SQLAlchemy URL in place of ``case.sqlite``.
        watched: the parts of *evidence* that are looked at, when it is not all of it.

    Raises:
        UsageError: the folder does not exist, the case folder belongs to another one, holds the evidence, or holds
            what is not ours; a store is not there or gives no right.
        ServerFailed: a store did not answer.
        EvidenceTreeError: the case folder, the database or the folder for temporary files lies inside the evidence.
        CaseBusy: another process works on this case; its header stays as it is.
        NewerCase, CaseError: the database cannot be used.
        CaseBusy: the header is to be changed, and another process holds the case.
    """
    evidence = evidence.resolve() if watched else reading.door(evidence)  # a watched card may come later
    folder = output or default_output(evidence)
    database = addresses.checked(database_url) if database_url else folder / DATABASE
    for place in watched or (evidence,):
        writing.refuse_case_folder(folder, place, marks=(DATABASE, ADDRESS))
        writing.refuse_temporary_inside(place)
        if isinstance(database, Path):
            refuse_inside(database, place)
    reading.identity_of(evidence)  # a file that is no container is refused before a folder is made for it
    folder.mkdir(parents=True, exist_ok=True)
    case = Case(folder, evidence=evidence, database_url=database_url)
    try:
        case.set_header(header or CaseHeader())
    except BaseException:
        case.close()
        raise
    return case


class Case:
    """An open case. Use it as a context manager, or call :meth:`close`."""

    def __init__(self, folder: Path, *, evidence: Path | None = None, database_url: str = "") -> None:
        """Open the case kept in *folder*; with *evidence* it may be new. :func:`open_case` makes sure of both."""
        self._place = CaseFolder(folder, evidence=evidence, database_url=database_url)
        self.concluded = ""  # the fingerprint of what the last audit concluded; "" while a package may yet change it
        self._lacks_packages = False

    @property
    def folder(self) -> Path:
        """The case folder."""
        return self._place.folder

    @property
    def evidence(self) -> Path:
        """The folder of photos that the case is about."""
        return self._place.evidence

    @property
    def store(self) -> Store:
        """The case database."""
        return self._place.store

    def __enter__(self) -> Self:
        """Return the case itself."""
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Close the case."""
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._place.close()

    def set_header(self, header: CaseHeader) -> None:
        """Write the examiner's fields and note them in the custody chain; an empty one keeps what is there."""
        self._place.set_header(header)

    @property
    def is_evidence(self) -> bool:
        """Whether the case is marked as evidence: it has a case number, an exhibit or a legal authority."""
        return self._place.is_evidence

    def said(self) -> dict[str, str]:
        """Return what the examiner said so far: the header's fields and those of the mandate."""
        from gtloc_forensics.case import exhibits

        header = asdict(self.store.header() or CaseHeader())
        return {name: value for name, value in header.items() if isinstance(value, str)} | exhibits.mandate(self.store)

    def say(self, mandate: Mapping[str, str]) -> None:
        """Keep what the examiner says of the mandate; see :func:`gtloc_forensics.case.statements.say`."""
        from gtloc_forensics.case import statements

        statements.say(self._place, mandate)

    def give_exhibits(self, path: Path) -> int:
        """Take numbers of photos from a CSV file; see :func:`gtloc_forensics.case.statements.give`."""
        from gtloc_forensics.case import statements

        return statements.give(self._place, path)

    def locked(self) -> AbstractContextManager[None]:
        """Hold the case for writing; see :meth:`CaseFolder.locked`."""
        return self._place.locked()

    # ----------------------------------------------------------------- the main job

    def audit(
        self,
        settings: Settings,
        *,
        progress: Progress = _silent,
        cluster: Cluster | None = None,
        ahead: Ahead | None = None,
    ) -> Tally:
        """Examine the folder: everything new or changed, then conclude. A killed run goes on where it stopped.

        Args:
            settings: how.
            progress: told how far it is.
            cluster: the workers that examine the photos, when this machine shall not.
            ahead: exiftool and the decoder, when they were started before the case was opened.

        Raises:
            ClusterFailed: the workers cannot be reached or do not fit; what they have done is not done again.
            CaseBusy: another process works on this case.
            ToolMissing, ToolTooOld, WeightsError: see :func:`gtloc_forensics.examination.instruments.opened`.
        """
        from gtloc_forensics.examination.instruments import opened
        from gtloc_forensics.examination.seldom_collected import seldom_collected

        progress("open", 0, None)
        with self.locked(), seldom_collected(), opened(settings, ahead=ahead) as instruments:
            examined = self.examine(
                instruments, settings, progress=progress, cluster=cluster, gathered=instruments.end_reading
            )
            self.concluded = "" if self._lacks_packages else examined
        return self.view().tally

    def examine(
        self,
        instruments: Instruments,
        settings: Settings,
        *,
        progress: Progress = _silent,
        cluster: Cluster | None = None,
        gathered: Callable[[], None] = _nothing,
    ) -> str:
        """Do the work of :meth:`audit` with instruments that are open already; return the examination's fingerprint.

        *gathered* is called when no file is to be read or decoded any more.
        """
        from gtloc_forensics.examination import witnesses
        from gtloc_forensics.examination.concluding import Concluding
        from gtloc_forensics.examination.gathering import Gathering

        with self._place.work_folder() as work:
            password = witnesses.password_in(settings.backup_password)
            # first: what cannot be read is told at once
            catalogues = witnesses.given(settings.catalogues, work, password=password)
            gathering = Gathering(
                self.store,
                self.evidence,
                instruments,
                settings=settings,
                work=work,
                progress=progress,
                elsewhere=None if cluster is None else cluster.driver(self.folder, progress=progress),
            )
            found = gathering.run()
            gathered()
            self._lacks_packages = bool(found.lacking)
            catalogues += witnesses.among(self.evidence, found.rejected, work, password=password)
            consulted = witnesses.consult(self.evidence, self.store, found.rows, catalogues)
        return Concluding(
            self.store,
            self.evidence,
            instruments,
            settings=settings,
            gathered=found,
            stages=gathering.stages,
            progress=progress,
            consulted=consulted,
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
        language: str = "en",
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
            language: of the report.
            watching: further arguments of :class:`gtloc_forensics.files.watching.Watcher`.

        Raises:
            CaseBusy: another process, perhaps another watcher, works on this case.
        """
        from gtloc_forensics.case.watching import WatchSession
        from gtloc_forensics.examination.instruments import opened
        from gtloc_forensics.files.watching import Watcher

        def publish() -> Path:
            findings = self.write_findings()
            return self.write_report(language=language) if watch_settings.report else findings

        with self.locked(), opened(settings) as instruments, self._place.work_folder() as work:
            session = WatchSession(
                self._place,
                instruments,
                settings=settings,
                work=work,
                roots=roots,
                publish=publish,
                notifier=notifier,
                log=log,
                watch_settings=watch_settings,
            )
            session.keep(Watcher(roots, once=watch_settings.once, stop=stop, **watching), stop)

    # ----------------------------------------------------------------- what comes out

    def view(self) -> StoredCase:
        """Return the newest examination for reading; see :meth:`CaseFolder.view`."""
        return self._place.view()

    def examinations(self) -> tuple[Examination, ...]:
        """Return every examination that the case keeps, the oldest first."""
        from gtloc_forensics.case import examinations

        return examinations.examinations(self._place)

    def examination(self, number: int) -> StoredCase:
        """Return an examination by its number; see :func:`gtloc_forensics.case.examinations.view_of`."""
        from gtloc_forensics.case import examinations

        return examinations.view_of(self._place, number)

    def search(self, query: Query, *, like: str = "", words: str = "", limit: int = 20) -> Answer:
        """Find photos by what they claim and show; see :func:`gtloc_forensics.case.search.find`."""
        from gtloc_forensics.case import search

        return search.find(self._place, query, like=like, words=words, limit=limit)

    def ask(
        self, query: Query, asked: Asked, *, words: str = "", across: Sequence[Case] = (), limit: int | None = 20
    ) -> Answer:
        """Find photos of this case and others by a composed question; see :mod:`gtloc_forensics.case.composing`."""
        from gtloc_forensics.case import composing

        cases = [self._place, *(case._place for case in across)]
        return composing.find(cases, query, asked, named=words, limit=limit)

    def index_for_search(self, *, progress: Callable[[int, int], None]) -> bool:
        """Make the index of a large case where it is lacking; see :func:`.search_index.opened.made`."""
        from gtloc_forensics.case.search_index import opened

        return opened.made(self._place, progress=progress)

    def write_hits(self, answer: Answer, path: Path, *, title: str, across: Sequence[Case] = ()) -> Path:
        """Write hits with their pictures as PNG or PDF; see :func:`gtloc_forensics.case.hit_sheet.write`."""
        from gtloc_forensics.case import hit_sheet

        return hit_sheet.write([self._place, *(case._place for case in across)], answer, path, title=title)

    def write_findings(self, path: Path | None = None, *, reviewed: bool = False, processes: int | None = None) -> Path:
        """Write the JSON document; see :func:`gtloc_forensics.case.products.write_findings`."""
        return products.write_findings(self._place, path, reviewed=reviewed, processes=processes)

    def write_report(self, path: Path | None = None, **options: Any) -> Path:
        """Write the PDF; see :func:`gtloc_forensics.case.products.write_report`."""
        return products.write_report(self._place, path, **options)

    def export(self, kind: str, path: Path | None = None, **options: Any) -> Path:
        """Write the case in another program's form; see :func:`gtloc_forensics.case.products.export`."""
        return products.export(self._place, kind, path, **options)

    # ----------------------------------------------------------------- corrections

    def plan_corrections(self, path: Path, order: Order) -> Plan:
        """Write a plan of corrections to *path*; see :func:`gtloc_forensics.case.correcting.plan`."""
        from gtloc_forensics.case import correcting

        return correcting.plan(self._place, path, order)

    def apply_corrections(
        self, path: Path, destination: Destination, *, only: Sequence[bytes] = (), camera: str = ""
    ) -> Result:
        """Carry out the plan at *path*; see :func:`gtloc_forensics.case.correcting.carry_out`."""
        from gtloc_forensics.case import correcting

        return correcting.carry_out(self._place, path, destination, only=only, camera=camera)

    def resume_correction(self) -> Result | None:
        """Finish an interrupted transaction."""
        from gtloc_forensics.case import correcting

        return correcting.finish(self._place)

    def undo_correction(self, transaction: str = "") -> Result:
        """Give every file of a transaction, the latest when left out, its old bytes back."""
        from gtloc_forensics.case import correcting

        return correcting.take_back(self._place, transaction)

    # ----------------------------------------------------------------- review

    def decide(self, examiner: str, ruling: Ruling) -> Decision:
        """Write a decision into the chain; see :func:`gtloc_forensics.case.reviewing.decisions.decide`."""
        from gtloc_forensics.case.reviewing import decisions

        return decisions.decide(self._place, examiner, ruling)

    def review(self, **options: Any) -> None:
        """Serve the case to a browser on this machine; see :func:`gtloc_forensics.case.reviewing.server.serve`.

        Raises:
            ToolMissing: the packages of the extra ``review`` are not installed.
        """
        try:
            from gtloc_forensics.case.reviewing import server
        except ModuleNotFoundError as error:
            raise ToolMissing(
                error.name or "starlette", "pip install 'gtloc_forensics[review]' brings what a review needs"
            ) from error
        server.serve(self._place, **options)

    def export_review(self, folder: Path | None = None, *, language: str = "en") -> Path:
        """Write a review to take away; see :func:`gtloc_forensics.case.reviewing.portable.write_folder`."""
        from gtloc_forensics.case.reviewing import portable

        return portable.write_folder(self._place, folder, language=language)

    def undo_decision(self, examiner: str, number: int) -> Decision:
        """Take a decision back; see :func:`gtloc_forensics.case.reviewing.decisions.undo`."""
        from gtloc_forensics.case.reviewing import decisions

        return decisions.undo(self._place, examiner, number)

    # ----------------------------------------------------------------- custody

    def note(self, action: str, subject: str, detail: dict[str, Scalar]) -> None:
        """Add an event to the custody chain."""
        self._place.note(action, subject, detail)

    def verify(self, settings: Settings, *, sample: int = 5, **options: Any) -> Verification:
        """Check the case; see :func:`gtloc_forensics.case.verifying.verify`."""
        from gtloc_forensics.case import verifying

        return verifying.verify(self._place, settings, sample=sample, **options)

    def seal(self, path: Path | None = None, *, sign: SignWith | None = None) -> Path:
        """Write a receipt of the custody chain; see :func:`gtloc_forensics.case.sealing.seal`."""
        from gtloc_forensics.case import sealing

        return sealing.seal(self._place, path, sign=sign)

    @property
    def chain_end(self) -> tuple[int, str]:
        """Number and hash of the last custody event."""
        from gtloc_forensics.store.examinations import chain_end

        return chain_end(self.store)

    def custody_faults(self) -> tuple[str, ...]:
        """Recompute the custody chain and name every break in it."""
        return verify_chain(self.store.custody())
