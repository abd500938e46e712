"""The case as a report reads it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gtloc_forensics.records.absence import Scalar
from gtloc_forensics.records.decisions import Decisions
from gtloc_forensics.records.findings import CauseGroup, ClockModel, Finding, Outcome, Photo
from gtloc_forensics.records.indications import Indicated
from gtloc_forensics.records.sentences import Statement
from gtloc_forensics.records.sources import Skipped, Unexamined
from gtloc_forensics.records.status import Status, status_of
from gtloc_forensics.records.tallies import ReasonNote, Tally


@dataclass(frozen=True, slots=True)
class CustodyEvent:
    """One link of the custody chain."""

    sequence: int
    utc_time: datetime
    actor: str
    action: str  # acquire, hash, copy, analyse, correct, export, report, verify, decide, undo decision
    subject: str
    detail: Mapping[str, Scalar]
    previous_hash: str
    event_hash: str


@dataclass(frozen=True, slots=True)
class PhotoResult:
    """What all rules said of one photo, and what could not be looked at."""

    findings: tuple[Finding, ...]
    unexamined: tuple[Unexamined, ...]

    @property
    def status(self) -> Status:
        """Found, clean, not testable or not examined: a crashed stage or rule never looks clean."""
        return status_of(self.findings, self.unexamined)


@dataclass(frozen=True, slots=True)
class CaseHeader:
    """What the examiner says of the case; every field may be empty."""

    case_number: str = ""
    exhibit: str = ""
    examiner: str = ""
    agency: str = ""
    legal_authority: str = ""
    evidence_folder: str = ""
    opened_utc: datetime | None = None


@dataclass(frozen=True, slots=True)
class PhotoEntry:
    """One photo with everything the case holds of it."""

    photo: Photo
    status: Status
    findings: tuple[Finding, ...]
    unexamined: tuple[Unexamined, ...]
    sha256_at_end: str  # "" when the file could not be read again
    log10_lr_time: float | None
    log10_lr_place: float | None
    indicated: Indicated = field(default_factory=Indicated)  # what of the prediction may be told
    untested: Mapping[str, Statement] | None = None  # by rule why it could not test, where findings leave those out

    @property
    def not_testable(self) -> Mapping[str, Statement]:
        """By rule why it could not test, whether its finding was read or not."""
        if self.untested is not None:
            return self.untested
        silent = (finding for finding in self.findings if finding.outcome is Outcome.NOT_TESTABLE)
        return {finding.check_id: finding.summary for finding in silent}

    @property
    def statuses(self) -> frozenset[Status]:
        """Every count the photo is in: a finding never hides what was not examined."""
        return frozenset({self.status, Status.NOT_EXAMINED} if self.unexamined else {self.status})


@dataclass(frozen=True, slots=True)
class RuleNote:
    """What a report says of one rule: what it looks for and how often it alarms on untouched photos.

    ``tested`` untouched photos of ``photo_set`` gave the rule something to judge, ``alarms``
    of them came out SUSPICIOUS or CONTRADICTION; both are None where nobody has counted.
    Photos of one source are no independent witnesses: ``sources`` of them were tested, and
    ``source_alarms`` is the sum over them of the share of their photos that alarmed.
    """

    check_id: str
    title: str
    version: str = "1"
    explanation: str = ""
    tested: int | None = None
    alarms: int | None = None
    sources: int | None = None
    source_alarms: float | None = None
    photo_set: Statement = ""


class CaseView(Protocol):
    """What a report or an export may read of a case; the store implements it, tests fake it."""

    @property
    def header(self) -> CaseHeader:
        """The examiner's fields."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Versions, hashes, device, command line: what one needs to repeat the run."""

    @property
    def tally(self) -> Tally:
        """The counts."""

    def photos(self, *, status: Status | None = None) -> Iterator[PhotoEntry]:
        """Every photo (or those that have one status) in path order, streamed: never a list of all."""

    def lean_photos(self) -> Iterator[PhotoEntry]:
        """The same for whoever writes a line about each, with less of each photo.

        Findings that had nothing to go on, the tags and what is odd about them, the facts of the picture and further
        opinions may be left out.
        """

    def told_photos(self) -> Iterator[PhotoEntry]:
        """The same for a document of everything that was concluded, with less of each photo.

        Findings that had nothing to go on may stand as :attr:`PhotoEntry.untested` alone; the tags, counters and unread
        blocks of the claim and the facts of the picture may be left out.
        """

    def each_told(
        self, make: Callable[[PhotoEntry], str], *, processes: int | None = None
    ) -> Generator[str, None, None]:
        """What *make* makes of each of these, in path order; where they are many by *processes*, one a core if None."""

    def exhibits(self) -> Mapping[str, str]:
        """Source id → the number a photo keeps, however many join the case later, or the one it was given."""

    def mandate(self) -> Mapping[str, str]:
        """What the examiner says of the case beside the header: field → text, as far as it was said."""

    def name_of(self, source_id: str) -> str:
        """The displayable path of a photo of the case; its id when there is no such photo."""

    def case_findings(self) -> tuple[Finding, ...]:
        """All findings of :attr:`Finding.is_found` or EXPLAINED outcome, strongest first."""

    def each_finding(self) -> Iterator[Finding]:
        """The same findings in the same order, streamed: a large case has a hundred thousand."""

    def clocks(self) -> tuple[ClockModel, ...]:
        """One clock model per device that allows one."""

    def causes(self) -> tuple[CauseGroup, ...]:
        """Findings grouped under what explains them, strongest first."""

    def reasons(self) -> tuple[ReasonNote, ...]:
        """Why photos were not examined, in whole or in part; files that could not even be read come with the rest."""

    def passed_over(self) -> tuple[Skipped, ...]:
        """What lay in the folder and was not a photo."""

    def custody(self) -> tuple[CustodyEvent, ...]:
        """The custody chain in order."""

    def each_event(self) -> Iterator[CustodyEvent]:
        """The same chain, streamed: a case has at least an event a photo."""

    def chain_end(self) -> tuple[int, str]:
        """How many events the chain has, and the hash of the last one, "" where there is none."""

    def decisions(self) -> Decisions:
        """What examiners decided of the findings, seen from this examination."""

    def preview(self, source_id: str) -> bytes | None:
        """A downscaled JPEG (long side at most 640 px), never the original bytes; None when not decoded."""

    def rules(self) -> tuple[RuleNote, ...]:
        """Every rule that ran, in the order of the ids, with its counted false alarms where there are any."""

    def calibration(self) -> Mapping[str, str]:
        """What the strengths were calibrated on: photo set, number of photos, date, figures; empty without one."""

    def model_card(self) -> str:
        """The card of the model that looked at the pixels, as plain text; "" without a model."""
