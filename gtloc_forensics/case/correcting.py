"""A case's corrections: its plan, its transactions, each step told to the custody chain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gtloc_forensics import correct
from gtloc_forensics.case.folder import CORRECTIONS, CaseFolder
from gtloc_forensics.case.taking_out import photos_of, removed_when_done
from gtloc_forensics.correct import ClientTagger, Destination, Journal, Order, Plan, Result, Workshop, planfile
from gtloc_forensics.errors import CaseBusy
from gtloc_forensics.files.writing import refuse_inside
from gtloc_forensics.metadata.exiftool import ExifTool


def plan(case: CaseFolder, path: Path, order: Order) -> Plan:
    """Plan what *order* asks for, or what the case itself calls for; lines locked in the file at *path* stay.

    Raises:
        CaseError: no examination was completed.
        PlanError: the order or the file there cannot be understood.
        EvidenceTreeError: the plan would lie inside the evidence.
    """
    refuse_inside(path, case.evidence)
    with suppress(CaseBusy), case.locked():
        pass  # whoever holds the case removes what a killed correction left; planning itself needs no lock
    view = case.view()
    earlier = planfile.read(path) if path.is_file() else Plan()
    made = correct.plan(order, view.claims(), clocks=view.clocks(), findings=view.case_findings(), earlier=earlier)
    planfile.write(made, path)
    return made


def carry_out(
    case: CaseFolder, path: Path, destination: Destination, *, only: Sequence[bytes] = (), camera: str = ""
) -> Result:
    """Apply the plan at *path* as it stands, or those of its lines that are about some photos.

    Args:
        case: whose photos they are.
        path: the plan.
        destination: where corrections go.
        only: photos or folders below the evidence; () for all.
        camera: serial number, device key, or make and model; "" for all.

    Raises:
        PlanError: the file is missing or cannot be understood, or no line is about those photos.
        EvidenceTreeError, UsageError, CorrectionStopped: see :func:`gtloc_forensics.correct.apply`.
    """
    written = planfile.read(path)
    if only or camera:
        chosen = correct.chosen(case.view().claims(), only=only, camera=camera)
        written = correct.restricted(written, chosen)
    with _workshop(case) as workshop, photos_of(case, written, destination, workshop.journal) as photos_in:
        return correct.apply(written, evidence=photos_in, destination=destination, workshop=workshop)


def finish(case: CaseFolder) -> Result | None:
    """Finish the transaction that was interrupted; None when there is none."""
    with _workshop(case) as workshop, removed_when_done(case, workshop.journal):
        return correct.resume(workshop)


def take_back(case: CaseFolder, transaction: str = "") -> Result:
    """Give every file of a transaction, the latest when left out, its old bytes back."""
    with _workshop(case) as workshop, removed_when_done(case, workshop.journal):
        return correct.undo(workshop, transaction=transaction)


@contextmanager
def _workshop(case: CaseFolder) -> Iterator[Workshop]:
    with case.locked(), ExifTool() as client, Journal(case.folder / CORRECTIONS) as journal:
        yield Workshop(
            journal=journal,
            tagger=ClientTagger(client),
            witness=lambda action, subject, detail: case.note(action, subject, dict(detail)),
        )
