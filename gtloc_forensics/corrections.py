"""A case's corrections: its plan, its transactions, each step told to the custody chain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gtloc_forensics.correct import (
    Change,
    ClientTagger,
    Destination,
    Journal,
    Plan,
    Result,
    Workshop,
    apply,
    merged,
    planfile,
    proposals,
    requests,
    resume,
    undo,
)
from gtloc_forensics.exiftool import ExifTool

if TYPE_CHECKING:
    from gtloc_forensics.case import Case

JOURNAL = "corrections"

Request = Callable[[Sequence[requests.Subject]], list[Change] | None]
"""Makes the lines a person asks for; None leaves it to the case's own findings."""


def plan(case: Case, path: Path, request: Request, *, camera: str, least_strength: float, keywords: bool) -> Plan:
    """Plan what *request*, or else the case itself, calls for; lines locked in the file at *path* stay.

    Raises:
        CaseError: no examination was completed.
        PlanError: the request or the file there cannot be understood.
    """
    view = case.view()
    photos = requests.subjects((entry.photo for entry in view.photos()), camera=camera)
    findings = view.case_findings()
    asked = request(photos)
    notes: tuple[str, ...] = ()
    if asked is None:
        names = {photo.device_key for photo in photos}
        clocks = [model for model in view.clocks() if model.device_key in names]
        proposal = proposals.propose(photos, clocks=clocks, findings=findings, least_strength=least_strength)
        asked, notes = list(proposal.changes), proposal.notes
    if keywords:
        asked += requests.keyworded(photos, proposals.keywords(photos, findings))
    earlier = planfile.read(path) if path.is_file() else Plan()
    made = merged(earlier, asked, notes=notes)
    planfile.write(made, path)
    return made


def carry_out(case: Case, path: Path, destination: Destination) -> Result:
    """Apply the plan at *path* as it stands.

    Raises:
        PlanError: the file is missing or cannot be understood.
        EvidenceTreeError, UsageError, CorrectionStopped: see :func:`gtloc_forensics.correct.apply`.
    """
    with _workshop(case) as workshop:
        return apply(planfile.read(path), evidence=case.evidence, destination=destination, workshop=workshop)


def finish(case: Case) -> Result | None:
    """Finish the transaction that was interrupted; None when there is none."""
    with _workshop(case) as workshop:
        return resume(workshop)


def take_back(case: Case) -> Result:
    """Undo the latest transaction."""
    with _workshop(case) as workshop:
        return undo(workshop)


@contextmanager
def _workshop(case: Case) -> Iterator[Workshop]:
    with case.locked(), ExifTool() as client, Journal(case.folder / JOURNAL) as journal:
        yield Workshop(
            journal=journal,
            tagger=ClientTagger(client),
            witness=lambda action, subject, detail: case.note(action, subject, dict(detail)),
        )
