"""The folder of a case: its database, the evidence it is about, and who may write to it.

Everything that is done with a case is done through a :class:`CaseFolder`: it says
where things are, holds the lock, lends a folder for working copies, adds to the
custody chain and gives the case as a report reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from filelock import FileLock, Timeout

from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.errors import CaseBusy, CorrectionStopped, DamagedCase, UsageError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files import reading, workspace, writing
from gtloc_forensics.records import CaseHeader, Scalar, visible
from gtloc_forensics.store import addresses
from gtloc_forensics.store.addresses import ADDRESS, DATABASE
from gtloc_forensics.store.custody import actor
from gtloc_forensics.store.database import Store, Transaction

LOCK = "case.lock"
CORRECTIONS = "corrections"
"""Where in a case folder the journal of corrections lies."""

TAKEN_OUT = "taken-out"
"""Where among the corrections photos of a container lie while they are corrected."""

OWN_FILES = (DATABASE, *(f"{DATABASE}-{part}" for part in ("wal", "shm", "journal")), ADDRESS, LOCK)
"""What is opened in a case folder by its name, and therefore may not be a link."""


def default_output(evidence: Path) -> Path:
    """Return where a case goes when nobody says: ``./<folder name>.audit``."""
    return Path.cwd() / f"{evidence.resolve().name or 'root'}.audit"


class CaseFolder:
    """One case folder and its open database."""

    def __init__(self, folder: Path, *, evidence: Path | None = None, database_url: str = "") -> None:
        """Open the case kept in *folder*; with *evidence* it may be new.

        Raises:
            UsageError: it holds no case, or that of another folder.
            NewerCase, CaseError: the database cannot be used.
        """
        self.folder = folder.resolve()
        self._view: StoredCase | None = None
        self._is_cleared_up = False
        writing.refuse_links(self.folder, OWN_FILES)
        place = addresses.place_of(self.folder, database_url)
        if evidence is None and isinstance(place, Path) and not place.is_file():
            raise UsageError(f"{folder} holds no case; run `gtloc audit` on a folder of photos first")
        self.store = Store(place)
        try:
            self.evidence = self._evidence(evidence)
            if not writing.is_inside(self.folder, self.evidence):  # what is watched may have the case in its midst
                writing.refuse_temporary_inside(self.evidence)
        except UsageError:
            self.store.close()
            raise
        if database_url and place != self.folder / DATABASE:
            self._keep_address(addresses.shown(place) + "\n")

    def _evidence(self, evidence: Path | None) -> Path:
        stored = self.store.evidence_folder()
        if stored is None:
            if evidence is None:
                raise UsageError(f"{self.folder} holds an empty case; run `gtloc audit` on a folder of photos first")
            return evidence
        try:
            kept = Path(os.fsdecode(bytes.fromhex(stored)))
        except ValueError as error:
            raise DamagedCase("the case header's evidence_folder is no path") from error
        if evidence is not None and kept != evidence:
            of, other = (visible(reading.named(place)) for place in (kept, evidence))
            raise UsageError(f"{self.folder} is the case of {of}, not of {other}; choose another --output")
        return kept

    def _keep_address(self, address: str) -> None:
        """Remember where the database is: for people, and for what lies in the case folder itself."""
        path = self.folder / ADDRESS
        if not path.is_file() or path.read_text(encoding="utf-8", errors="replace") != address:
            writing.write_bytes(path, address.encode("utf-8", "surrogateescape"))

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    # ----------------------------------------------------------------- who may write

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the case for writing.

        A case that cannot be written nobody changes: it is held without a lock.

        Raises:
            CaseBusy: another process holds it.
        """
        if self.store.is_read_only:
            yield
            return
        lock = FileLock(self.folder / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise CaseBusy(f"{self.folder} is in use by another process; wait for it or stop it") from error
        try:
            with self.store.reserved():
                self._clear_up()
                yield
        finally:
            lock.release()

    def _clear_up(self) -> None:
        """Remove what killed runs left, each known by a mark of its own or by the journal of corrections; once."""
        if self._is_cleared_up:
            return
        self._is_cleared_up = True
        writing.remove_leftovers(self.folder)
        workspace.remove_leftovers(self.folder)
        journal = self.folder / CORRECTIONS
        if not journal.is_dir():
            return
        from gtloc_forensics.correct import leftovers  # slow to come, and only a case with corrections needs it
        from gtloc_forensics.correct.journal import JOURNAL_FILE, Journal

        if not (journal / JOURNAL_FILE).is_file() or journal.is_symlink():
            return
        with suppress(CaseBusy, CorrectionStopped, OSError), Journal(journal) as opened:  # `gtloc correct` will say it
            for path in leftovers.remove(opened, self.evidence if reading.is_folder(self.evidence) else self.taken_out):
                self.note("correct", visible(os.fsencode(path)), {"step": "clear up"})

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """Lend a folder for working copies; whoever asks holds the case."""
        with workspace.working_folder(self.folder) as work:
            yield work

    @property
    def taken_out(self) -> Path:
        """Where photos of a container lie as files while they are corrected."""
        return self.folder / CORRECTIONS / TAKEN_OUT

    # ----------------------------------------------------------------- header and chain

    def set_header(self, header: CaseHeader) -> None:
        """Write the examiner's fields and note them in the custody chain; an empty one keeps what is there.

        Raises:
            CaseBusy: another process holds the case; then nothing was written.
        """
        is_new = self.store.evidence_folder() is None
        if not is_new and not any(asdict(header).values()):
            return
        opened_utc = Settings().instant() if is_new else None
        folder = reading.named(self.evidence).hex()  # a folder's name need not be text
        with self.locked(), self.store.writing() as session:
            changed = self.store.set_header(session, replace(header, evidence_folder=folder, opened_utc=opened_utc))
            if changed:
                self._note(session, "header", "case", dict(changed))

    @property
    def is_evidence(self) -> bool:
        """Whether the case is marked as evidence: it has a case number, an exhibit or a legal authority."""
        header = self.store.header() or CaseHeader()
        return bool(header.case_number or header.exhibit or header.legal_authority)

    def note(self, action: str, subject: str, detail: dict[str, Scalar]) -> None:
        """Add an event to the custody chain; of a case that cannot be written nothing can be noted."""
        if self.store.is_read_only:
            return
        with self.store.writing() as session:
            self._note(session, action, subject, detail)

    def _note(self, session: Transaction, action: str, subject: str, detail: dict[str, Scalar]) -> None:
        self.store.append_event(
            session, utc_time=Settings().instant(), actor=actor(), action=action, subject=subject, detail=detail
        )

    def view(self) -> StoredCase:
        """Return the newest examination for reading; what was counted of one is not counted again.

        Raises:
            CaseError: when none was completed.
        """
        newest = self.store.examination()
        if self._view is None or newest is None or self._view.examination_id != newest.id:
            self._view = StoredCase(self.store)
        return self._view
