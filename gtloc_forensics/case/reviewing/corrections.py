"""Corrections from the review page: planned, changed, locked, applied and undone as ``gtloc correct`` does it.

The plan is the file that the command line reads, and the transaction is the same one.
From here corrections go into sidecars in the case folder; copies and originals are for the command line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gtloc_forensics.case import correcting
from gtloc_forensics.case.folder import CORRECTIONS, CaseFolder
from gtloc_forensics.case.reviewing.decisions import held
from gtloc_forensics.case.reviewing.plan_words import in_sentences
from gtloc_forensics.case.reviewing.reading import Listing
from gtloc_forensics.correct import Change, Order, Plan, Quantity, Result, Sidecars, planfile
from gtloc_forensics.correct.journal import JOURNAL_FILE, Journal
from gtloc_forensics.errors import CaseBusy, CaseError, CorrectionStopped, PlanError, UsageError
from gtloc_forensics.records import Sentence, visible
from gtloc_forensics.report.template import Words

PLAN, SIDECARS = "corrections.toml", "sidecars"
"""Where in the case folder ``gtloc correct`` keeps them when nobody says otherwise."""


class ChangedSince(CaseError):
    """The plan was changed since the examiner looked; look again."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to become of one line: another value, locked or not, or dropped."""

    photo: str  # source id
    tag: str
    new: str | None = None
    locked: bool | None = None
    is_dropped: bool = False


def shown(case: CaseFolder, listing: Listing, words: Words) -> dict[str, Any]:
    """Return the plan and the transactions as the page shows them, in the language of *words*.

    Raises:
        PlanError: the plan there cannot be understood.
    """
    path = _plan_path(case)
    plan = planfile.read(path) if path.is_file() else Plan()
    rows = {row.name: row for row in listing.rows}
    return {
        "plan": _digest(path),
        "lines": [_line(change, rows, words) for change in plan.changes],
        "notes": [words.say(in_sentences(note)) for note in plan.notes],
        "transactions": _transactions(case),
    }


def _line(change: Change, rows: Mapping[str, Any], words: Words) -> dict[str, Any]:
    name = visible(change.relative)
    row = rows.get(name)
    return {
        "photo": row.source_id if row else "",
        "name": name,
        "device": row.device_key if row else "",
        "tag": change.quantity.value,
        "old": change.old,
        "new": change.new,
        "reason": words.say(in_sentences(change.reason)),
        "strength": change.strength,
        "locked": change.locked,
    }


def _transactions(case: CaseFolder) -> list[dict[str, Any]]:
    """Return what was carried out; nothing while somebody else is at it."""
    folder = case.folder / CORRECTIONS
    if not (folder / JOURNAL_FILE).is_file() or folder.is_symlink():
        return []
    with suppress(CaseBusy), Journal(folder) as journal:
        return [
            {
                "name": name,
                "utc_time": journal.begun(name).utc_time,
                "files": len({entry.photo for entry in journal.of(name) if entry.photo}),
                "open": journal.is_open(name),
                "undone": journal.is_undone(name),
            }
            for name in journal.transactions()
        ]
    return []


def propose(case: CaseFolder, examiner: str, order: Order) -> None:
    """Write a plan; locked lines stay. Raises as :func:`gtloc_forensics.case.correcting.plan` does."""
    path = _plan_path(case)
    with held(case):
        pass  # who holds the case is not disturbed
    correcting.plan(case, path, order)
    _note(case, examiner, "plan")


def edit(case: CaseFolder, examiner: str, listing: Listing, wanted: Edit, *, plan: str) -> None:
    """Change one line of the plan whose digest is *plan*, in the file.

    Raises:
        ChangedSince: the file is another one now.
        PlanError: the new value cannot be understood, or there is no such line.
    """
    path = _plan_path(case)
    row = listing.row(wanted.photo)
    with held(case):
        _insist(path, plan)
        written = planfile.read(path)
        at = next((at for at, line in enumerate(written.changes) if row and _is(line, row.name, wanted.tag)), None)
        if at is None:
            raise PlanError(Sentence("the plan has no such line; load the page anew"))
        changes = list(written.changes)
        if wanted.is_dropped:
            del changes[at]
        else:
            new = changes[at].new if wanted.new is None else wanted.new.strip()
            is_locked = changes[at].locked if wanted.locked is None else wanted.locked
            changes[at] = replace(changes[at], new=new, locked=is_locked)
        planfile.write(Plan(tuple(changes), written.notes), path)
        _note(case, examiner, "edit")


def apply(case: CaseFolder, examiner: str, *, plan: str) -> Result:
    """Carry out the plan whose digest is *plan*, into sidecars in the case folder.

    Raises:
        ChangedSince: the file is another one now.
        PlanError, EvidenceTreeError, CorrectionStopped, CaseBusy: see :func:`gtloc_forensics.correct.apply`.
    """
    path = _plan_path(case)
    _insist(path, plan)
    _note(case, examiner, "apply")
    return correcting.carry_out(case, path, Sidecars(case.folder / SIDECARS))


def undo(case: CaseFolder, examiner: str, transaction: str) -> Result:
    """Give every file of a transaction its old bytes back; one that was interrupted is taken back too."""
    _note(case, examiner, f"undo {transaction}")
    return correcting.take_back(case, transaction)


def told(result: Result, words: Words) -> dict[str, Any]:
    """Return a result as the page shows it."""
    return {
        "transaction": result.transaction,
        "corrected": [visible(item.relative) for item in result.corrected],
        "refused": [[visible(item.relative), words.say(in_sentences(item.reason))] for item in result.refused],
    }


def order_of(body: Mapping[str, Any], listing: Listing) -> Order:
    """Return what is to be planned: what the case itself calls for, or a repair that a person asks for.

    Raises:
        UsageError, PlanError: it is none.
    """
    said = {name: body.get(name, "") for name in ("camera", "offset", "zone", "reference", "photo")}
    if not all(isinstance(value, str) for value in said.values()):
        raise UsageError("what is to be planned is no text")
    reference, photo = said["reference"].strip(), listing.row(said["photo"])
    if reference and photo is None:
        raise UsageError(Sentence("a true time needs the photo that it is of"))
    return Order(
        camera=said["camera"],
        offset=said["offset"].strip(),
        zone=said["zone"].strip(),
        reference=f"{photo.name}={reference}" if reference and photo else "",
        neighbours=body.get("neighbours") is True,
    )


def _is(line: Change, name: str, tag: str) -> bool:
    return visible(line.relative) == name and line.quantity in (q for q in Quantity if q.value == tag)


def _plan_path(case: CaseFolder) -> Path:
    path = case.folder / PLAN
    if path.is_symlink():
        raise CorrectionStopped(f"{path} is a link; a case's plan is a file of its own")
    return path


def _insist(path: Path, plan: str) -> None:
    if _digest(path) != plan:
        raise ChangedSince(Sentence("the plan was changed since; look at it anew"))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _note(case: CaseFolder, examiner: str, what: str) -> None:
    """Say who asked for it; the steps of a transaction are noted by the transaction itself."""
    said = {"step": "review page", "what": what, "examiner": examiner, "plan": _digest(case.folder / PLAN)}
    case.note("correct", PLAN, dict(said))
