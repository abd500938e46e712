"""The case as reports and exports read it: the newest examination, streamed from the store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from gtloc_forensics.errors import CaseError
from gtloc_forensics.examination import CAUSES, CLOCKS, MODEL_ABSENCE, RULES, Album, Verdict
from gtloc_forensics.records import (
    CaseHeader,
    CauseGroup,
    ClockModel,
    CustodyEvent,
    Finding,
    Passed,
    PhotoEntry,
    RuleNote,
    Status,
    Tally,
    source_id_of,
    visible,
)
from gtloc_forensics.run import Stages
from gtloc_forensics.stored import unpack

if TYPE_CHECKING:
    from gtloc_forensics.schema import MemberRow
    from gtloc_forensics.store import Store


class StoredCase:
    """Implements :class:`~gtloc_forensics.records.CaseView` on a store."""

    def __init__(self, store: Store, *, fingerprint: str | None = None) -> None:
        """Look at the newest examination, or at the one with that fingerprint.

        Raises:
            CaseError: when no examination was ever completed.
        """
        row = store.examination(fingerprint)
        if row is None:
            raise CaseError("no examination of this case was completed; run `gtloc audit` on its folder first")
        self._store = store
        self._id = row.id
        self.fingerprint = row.fingerprint
        self._environment: dict[str, str] = json.loads(row.environment)
        self.finished_utc: datetime = datetime.fromisoformat(row.finished_utc)
        self._album = Album(store, Stages(**json.loads(row.stages)), self._environment.get(MODEL_ABSENCE, "no model"))
        self._rejected = store.rejected(row.fingerprint)
        self._shas: dict[str, str] = {}

    @property
    def header(self) -> CaseHeader:
        """The examiner's fields, the folder's name as text."""
        header = self._store.header() or CaseHeader()
        return replace(header, evidence_folder=visible(bytes.fromhex(header.evidence_folder)))

    @property
    def environment(self) -> Mapping[str, str]:
        """What one needs to repeat the run."""
        return self._environment

    @property
    def tally(self) -> Tally:
        """The counts; what could not even be read counts as not examined."""
        counts = self._store.count_members(self._id)
        blocked = sum(entry.blocks for entry in self._rejected)
        return Tally(
            found=counts.get(Status.FOUND.value, 0),
            clean=counts.get(Status.CLEAN.value, 0),
            not_examined=counts.get(Status.NOT_EXAMINED.value, 0) + blocked,
            passed_over=len(self._rejected) - blocked,
        )

    def photos(self, *, status: Status | None = None) -> Iterator[PhotoEntry]:
        """Stream the photos in path order."""
        for member in self._store.members(self._id, status=None if status is None else status.value):
            yield self._entry(member)

    def _entry(self, member: MemberRow) -> PhotoEntry:
        photo, _ = self._album.photo(member.source_row)
        verdict = unpack(Verdict, member.findings)
        return PhotoEntry(
            photo=photo,
            status=Status(member.status),
            findings=verdict.findings,
            unexamined=verdict.unexamined,
            sha256_at_end=member.sha256_at_end,
            log10_lr_time=_strength(verdict, "log10_lr_time"),
            log10_lr_place=_strength(verdict, "log10_lr_place"),
        )

    def case_findings(self) -> tuple[Finding, ...]:
        """Findings and explained oddities, strongest first."""
        return tuple(self._store.findings(self._id))

    def clocks(self) -> tuple[ClockModel, ...]:
        """One clock model per device."""
        return self._store.extra(self._id, CLOCKS, tuple[ClockModel, ...]) or ()

    def causes(self) -> tuple[CauseGroup, ...]:
        """Findings grouped under their causes."""
        return self._store.extra(self._id, CAUSES, tuple[CauseGroup, ...]) or ()

    def passed_over(self) -> tuple[Passed, ...]:
        """What is not a photo, or could not be read."""
        return tuple(self._rejected)

    def custody(self) -> tuple[CustodyEvent, ...]:
        """The custody chain."""
        return tuple(self._store.custody())

    def preview(self, source_id: str) -> bytes | None:
        """A downscaled picture."""
        sha256 = self._sha256_of(source_id)
        return None if sha256 is None else self._album.preview(sha256)

    def _sha256_of(self, source_id: str) -> str | None:
        if not self._shas:
            self._shas = {key: known.sha256 for key, known in self._store.latest_sources().items()}
        return self._shas.get(source_id)

    def rules(self) -> tuple[RuleNote, ...]:
        """Every rule that ran."""
        return self._store.extra(self._id, RULES, tuple[RuleNote, ...]) or ()

    def calibration(self) -> Mapping[str, str]:
        """What the strengths were calibrated on."""
        return {
            name.removeprefix("model calibration "): value
            for name, value in self._environment.items()
            if name.startswith("model calibration ")
        }

    def model_card(self) -> str:
        """The model's card."""
        return self._environment.get("model card", "")


def rejected_ids(view: StoredCase) -> Iterator[tuple[str, Passed]]:
    """Yield (source id, entry) of what could not be read."""
    for entry in view.passed_over():
        if entry.blocks:
            yield source_id_of(entry.relative), entry


def _strength(verdict: Verdict, name: str) -> float | None:
    for finding in verdict.findings:
        value = finding.facts.get(name)
        if isinstance(value, float):
            return value
    return None
