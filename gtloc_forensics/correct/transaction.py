"""Apply, resume and undo: every file is either old or new, whatever happens in between.

For each photo: hash it and refuse if it is not the one the plan was made for; keep
what stands at the target; write in the case's own workroom, where whatever exiftool
leaves behind lies too; read it back; prove the picture unchanged; only then bring it
beside the target under a temporary name and let it take the target's place. The
journal knows each step, and every path in full, before it is taken, so a killed
program leaves nothing that ``resume`` or ``undo``, from anywhere, cannot settle.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gtloc_forensics.correct import assignments as correct_assignments
from gtloc_forensics.correct import destinations, files, planfile, proof, renaming
from gtloc_forensics.correct.assignments import Assignment
from gtloc_forensics.correct.changes import Change, Plan, Quantity, new_of
from gtloc_forensics.correct.destinations import Copies, Destination, InPlace
from gtloc_forensics.correct.journal import (
    BEGIN,
    COMMIT,
    DONE,
    INTEND,
    READY,
    REFUSED,
    Entry,
)
from gtloc_forensics.correct.undoing import Undo
from gtloc_forensics.correct.workshop import (
    Corrected,
    Refusal,
    Refuse,
    Result,
    Workshop,
    path_in,
    tell_head,
    temporary_of,
)
from gtloc_forensics.errors import CorrectionStopped, ForensicsError, UsageError
from gtloc_forensics.files import types
from gtloc_forensics.records import Scalar, Tags, visible

STOPPING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE})
"""Errors that would meet the next photo as well."""


def apply(plan: Plan, *, evidence: Path, destination: Destination, workshop: Workshop) -> Result:
    """Carry out a plan.

    Raises:
        EvidenceTreeError: the destination or the journal lies in the evidence.
        UsageError: an earlier transaction was interrupted: resume or undo it first.
        CorrectionStopped: the disk is full or cannot be written; resume later, or undo.
    """
    journal = workshop.journal
    destination = destinations.anchored(destination)
    destinations.check(destination, evidence, journal.folder)
    _refuse_names(plan, destination)
    for earlier in journal.transactions():
        if journal.is_open(earlier):
            raise UsageError(
                f"transaction {earlier} was interrupted; finish it with --resume or take it back with --undo"
            )
    transaction = journal.next_transaction()
    planfile.write(plan, journal.plan_path(transaction))
    facts: dict[str, Any] = {
        "evidence": os.fsencode(evidence.resolve()).hex(),
        "destination": destinations.described(destination),
    }
    plan_sha256 = files.sha256_of(journal.plan_path(transaction))
    journal.append(transaction, BEGIN, plan_sha256=plan_sha256, **facts)
    return _Run(transaction, plan, evidence.resolve(), destination, workshop).finish()


def _refuse_names(plan: Plan, destination: Destination) -> None:
    renaming_lines = [change for change in plan.changes if change.quantity is Quantity.FILE_NAME]
    if destinations.writes_sidecars(destination) and any(change.new != change.old for change in renaming_lines):
        raise UsageError(
            f"the plan renames {len(renaming_lines)} files, which sidecars leave as they are; add --copy FOLDER or "
            "--in-place, or drop the lines with tag FileName"
        )


def resume(workshop: Workshop) -> Result | None:
    """Finish the transaction that was interrupted; None when there is none.

    Raises:
        CorrectionStopped: its plan is missing or was altered, or what stopped it still does.
    """
    journal = workshop.journal
    for transaction in journal.transactions():
        if journal.is_open(transaction):
            run = _run_again(transaction, workshop)
            run.settle()
            return run.finish()
    return None


def undo(workshop: Workshop, *, transaction: str = "") -> Result:
    """Give every file of a transaction (default: the latest not undone) its old bytes and times back.

    A file that somebody changed since is left alone and named in the result; undoing
    again later goes on with those.

    Raises:
        UsageError: there is nothing to undo.
    """
    journal = workshop.journal
    candidates = [path for path in journal.transactions() if not journal.is_undone(path)]
    if not candidates or (transaction and transaction not in candidates):
        raise UsageError("there is nothing to undo" + (f" under the name {transaction}" if transaction else ""))
    name = transaction or candidates[-1]
    if journal.is_open(name):
        _run_again(name, workshop).settle()
    return Undo(name, workshop).finish()


def _run_again(transaction: str, workshop: Workshop) -> _Run:
    journal = workshop.journal
    facts = journal.begun(transaction).facts
    path = journal.plan_path(transaction)
    if files.sha256_or_none(path) != facts["plan_sha256"]:
        raise CorrectionStopped(f"the plan {path} is missing or was altered since; restore it from a backup")
    evidence = Path(os.fsdecode(bytes.fromhex(facts["evidence"])))
    destination = destinations.from_description(facts["destination"])
    return _Run(transaction, planfile.read(path), evidence, destination, workshop)


class _Run:
    """One transaction going through its photos."""

    def __init__(
        self, transaction: str, plan: Plan, evidence: Path, destination: Destination, workshop: Workshop
    ) -> None:
        self.transaction = transaction
        self.lines = plan.by_photo()
        self.evidence = evidence
        self.destination = destination
        self.workshop = workshop
        self.journal = workshop.journal
        self.owners: dict[Path, bytes] = {}

    def finish(self) -> Result:
        """Correct every photo not yet gone through, then commit."""
        settled = {entry.relative for entry in self._steps(DONE, REFUSED)}
        for relative in self.lines:
            if not self._changes(relative):
                continue  # a lock on things as they are
            target = self._target(relative)
            owner = self.owners.setdefault(target, relative)
            if relative not in settled:
                self._correct(relative, target, owner)
                self.workshop.progress(relative)
        tell_head(self.workshop, self.transaction, "commit")
        self.journal.append(self.transaction, COMMIT)
        return self._result()

    def _target(self, relative: bytes) -> Path:
        target = destinations.target_of(self.destination, self.evidence, relative)
        by = {change.quantity: change for change in self._changes(relative)}
        name = new_of(by.get(Quantity.FILE_NAME), str)
        return target if name is None else target.with_name(name)

    def settle(self) -> None:
        """Make what was under way when the program died either old or new."""
        last = {entry.photo: entry for entry in self.journal.of(self.transaction) if entry.photo}
        for entry in last.values():
            if entry.step in (INTEND, READY):
                self._settle(entry)

    def _settle(self, entry: Entry) -> None:
        target, temporary = path_in(entry.facts["target"]), path_in(entry.facts["temporary"])
        now = files.sha256_or_none(target) or ""
        if entry.step == READY and now == entry.facts["after"]:
            self._done(entry)
        files.remove(temporary)
        files.remove(temporary.with_name(f"{temporary.name}_exiftool_tmp"))  # versions that wrote beside the target
        if now not in (entry.facts["before"], entry.facts.get("after")):
            reason = "its target was changed by another program while the correction was interrupted"
            self.journal.append(self.transaction, REFUSED, photo=entry.relative, reason=reason)

    def _correct(self, relative: bytes, target: Path, owner: bytes) -> None:
        temporary = temporary_of(target, self.transaction, relative)
        try:
            self._check(relative, target, owner)
            self._write(relative, target, temporary)
        except OSError as error:
            files.remove(temporary)
            if error.errno in STOPPING:
                message = f"{error.strerror} at {visible(relative)}; make room or allow writing, then resume or undo"
                raise CorrectionStopped(message) from error
            self._refuse(relative, f"{error.strerror or error}")
        except ForensicsError as error:
            files.remove(temporary)
            if isinstance(error, CorrectionStopped):
                raise
            self._refuse(relative, str(error))

    def _check(self, relative: bytes, target: Path, owner: bytes) -> None:
        source = files.path_of(self.evidence, relative)
        if files.passes_link(self.evidence, source):
            raise Refuse("its path goes through a symbolic link")
        self._check_content(relative, source)
        if owner != relative:
            if destinations.writes_sidecars(self.destination):
                raise Refuse(f"{visible(owner)} would share its sidecar {target.name!r}; name sidecars like a.jpg.xmp")
            raise Refuse(f"{visible(owner)} would be called {target.name!r}, too; change one of the names in the plan")
        if len(os.fsencode(target.name)) > files.LONGEST_NAME:
            raise Refuse("the name of its sidecar would be too long; name sidecars like a.xmp, or use --copy")
        if files.passes_link(destinations.root_of(self.destination, self.evidence), target):
            raise Refuse("its target goes through a symbolic link")
        if not destinations.writes_into_evidence(self.destination):
            destinations.refuse_target(target, self.evidence)
        self._check_target(source, target)

    def _check_content(self, relative: bytes, source: Path) -> None:
        found = files.sha256_or_none(source)
        if found is None:
            raise Refuse("it is not there any more")
        if found != self.lines[relative][0].sha256:
            raise Refuse("it changed since the plan was made; make a new plan")

    def _check_target(self, source: Path, target: Path) -> None:
        if isinstance(self.destination, InPlace):
            if source.stat().st_nlink > 1:
                raise Refuse("it has several names (hard links), which correcting one would part; use --copy")
        elif isinstance(self.destination, Copies) and target.exists() and not self._is_ours(target):
            raise Refuse(f"{target} exists and was not made by a correction; choose another folder")

    def _is_ours(self, target: Path) -> bool:
        name, digest = os.fsencode(target).hex(), files.sha256_of(target)
        return any(
            entry.step == DONE and entry.facts["target"] == name and entry.facts["after"] == digest
            for entry in self.journal.entries
        )

    def _write(self, relative: bytes, target: Path, temporary: Path) -> None:
        files.make_folder(target.parent)
        source = files.path_of(self.evidence, relative)
        moved = renaming.moved_from(source, target, self.journal) if isinstance(self.destination, InPlace) else {}
        intent = self._intend(relative, target, temporary, **moved)
        draft = self.journal.workroom / temporary.name
        try:
            assignments = self._prepare(relative, target, draft)
            self._check_content(relative, files.path_of(self.evidence, relative))
            after = files.copy_bytes(draft, temporary)
        finally:
            files.empty(self.journal.workroom)
        self._dress(relative, temporary)
        ready = self.journal.append(self.transaction, READY, photo=relative, after=after, **intent.facts)
        files.replace(temporary, target)
        self._done(ready, tags=[tag for tag, _ in assignments])

    def _dress(self, relative: bytes, temporary: Path) -> None:
        """Give a corrected picture the times, the mode and, in its own place, the owner of the original."""
        source = files.path_of(self.evidence, relative)
        if not destinations.writes_sidecars(self.destination):
            files.copy_stat(source, temporary)
        if isinstance(self.destination, InPlace):
            files.copy_owner(source, temporary)

    def _intend(self, relative: bytes, target: Path, temporary: Path, **moved: Any) -> Entry:
        before, times = "", {}
        if target.exists():
            found = target.stat()
            before = self.journal.keep(target)
            times = {"atime_ns": found.st_atime_ns, "mtime_ns": found.st_mtime_ns, "mode": stat.S_IMODE(found.st_mode)}
        files.remove(temporary)
        return self.journal.append(
            self.transaction,
            INTEND,
            photo=relative,
            target=os.fsencode(target).hex(),
            temporary=os.fsencode(temporary).hex(),
            before=before,
            **times,
            **moved,
        )

    def _changes(self, relative: bytes) -> tuple[Change, ...]:
        return tuple(change for change in self.lines[relative] if change.new != change.old)

    def _prepare(self, relative: bytes, target: Path, draft: Path) -> tuple[Assignment, ...]:
        """Write the corrected file in the workroom and prove it."""
        source, tagger = files.path_of(self.evidence, relative), self.workshop.tagger
        start = destinations.start_of(self.destination, self.evidence, relative, target)
        files.remove(draft)
        if start is not None:
            files.copy_bytes(start, draft)
        asked = [change for change in self._changes(relative) if change.quantity is not Quantity.FILE_NAME]
        if not asked:
            return ()  # another name alone: the bytes stay
        beside = destinations.writes_sidecars(self.destination)
        picture = self._tags_of(source) if beside else tagger.read(draft)
        before = (tagger.read(draft) if start is not None else {}) if beside else picture
        goal = correct_assignments.goal_of(asked, picture)
        if beside:
            assignments = correct_assignments.sidecar(goal, picture, before)
        else:
            assignments = correct_assignments.embedded(goal, picture, _media_type(draft))
        if not assignments:
            raise Refuse("no tag of it speaks of what its lines change")
        tagger.write(draft, assignments)
        self._prove(source, draft, before, assignments)
        return assignments

    def _tags_of(self, source: Path) -> Tags:
        """Return the tags of an original, from a working copy: reading it in place would change its access time."""
        suffix = source.suffix if source.suffix.isascii() else ""
        working = self.journal.workroom / f"original{suffix[:16]}"
        files.remove(working)
        files.copy_bytes(source, working)
        return self.workshop.tagger.read(working)

    def _prove(self, source: Path, draft: Path, before: Tags, assignments: tuple[Assignment, ...]) -> None:
        faults = proof.differences(before, self.workshop.tagger.read(draft), assignments)
        if faults:
            raise Refuse("reading back what was written failed: " + "; ".join(faults[:5]))
        if destinations.writes_sidecars(self.destination):
            return
        digest = self.workshop.digest(source)
        if digest is None:
            raise Refuse(
                "its picture cannot be decoded here, so that it is unchanged could not be proven; use a sidecar"
            )
        if digest != self.workshop.digest(draft):
            raise Refuse("the picture would have changed with its tags")

    def _done(self, ready: Entry, *, tags: Iterable[str] = ()) -> None:
        renaming.take_away(ready.facts)
        facts = {name: value for name, value in ready.facts.items() if name != "temporary"}
        detail: dict[str, Scalar] = {
            "transaction": self.transaction,
            "step": "apply",
            "target": visible(bytes.fromhex(facts["target"])),
            "sha256_before": facts["before"],
            "sha256_after": facts["after"],
        }
        if "origin" in facts:
            detail |= {"origin": visible(bytes.fromhex(facts["origin"])), "sha256_before": facts["origin_before"]}
        self.workshop.witness("correct", visible(ready.relative), detail)
        self.journal.append(self.transaction, DONE, photo=ready.relative, tags=list(tags), **facts)

    def _refuse(self, relative: bytes, reason: str) -> None:
        self.journal.append(self.transaction, REFUSED, photo=relative, reason=reason)

    def _steps(self, *steps: str) -> list[Entry]:
        return [entry for entry in self.journal.of(self.transaction) if entry.photo and entry.step in steps]

    def _result(self) -> Result:
        corrected = tuple(
            Corrected(entry.relative, path_in(entry.facts["target"]), entry.facts["before"], entry.facts["after"])
            for entry in self._steps(DONE)
        )
        refused = tuple(Refusal(entry.relative, entry.facts["reason"]) for entry in self._steps(REFUSED))
        return Result(self.transaction, corrected, refused)


def _media_type(path: Path) -> str:
    with files.reading(path) as file:
        return types.media_type(file.read(types.HEAD_BYTES), name=os.fsencode(path.name))
