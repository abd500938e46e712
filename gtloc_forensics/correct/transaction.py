"""Apply, resume and undo: every file is either old or new, whatever happens in between.

For each photo: hash it and refuse if it is not the one the plan was made for; keep
what stands at the target; write beside the target under a temporary name; read it
back; prove the picture unchanged; only then let it take the target's place. The
journal knows each step before it is taken, so a killed program leaves nothing that
``resume`` or ``undo`` cannot settle.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gtloc_forensics.correct import assignments as correct_assignments
from gtloc_forensics.correct import destinations, files, planfile, proof
from gtloc_forensics.correct.assignments import Assignment
from gtloc_forensics.correct.changes import Change, Plan
from gtloc_forensics.correct.destinations import Destination, InPlace, Sidecars
from gtloc_forensics.correct.journal import (
    BEGIN,
    COMMIT,
    DONE,
    INTEND,
    READY,
    REFUSED,
    UNDOING,
    UNDONE,
    Entry,
    Journal,
)
from gtloc_forensics.errors import CorrectionStopped, ForensicsError, UsageError
from gtloc_forensics.files import types
from gtloc_forensics.records import Scalar, Tags, visible

STOPPING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE})
"""Errors that would meet the next photo as well."""


class Tagger(Protocol):
    """Reads and writes the tags of one file; the safe exiftool client behind a thin adapter."""

    def read(self, path: Path) -> Tags:
        """Return the tags of a file, numeric form, keyed ``Group1:Tag``."""

    def write(self, path: Path, assignments: Sequence[Assignment]) -> None:
        """Write tags into *path* itself (created when it is a sidecar that is not there), all or none."""


Witness = Callable[[str, str, Mapping[str, Scalar]], None]
"""The custody chain: ``(action, subject, detail)``; told at least once of each file changed."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """One file written, with the hashes of what stood there before ("" for nothing) and after."""

    relative: bytes
    target: Path
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """One photo left as it was, and why."""

    relative: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a transaction came to."""

    transaction: str
    corrected: tuple[Corrected, ...]
    refused: tuple[Refusal, ...]


class Refuse(ForensicsError):
    """This one photo is not corrected; the transaction goes on."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What correcting works with. ``witness`` is told of every file; ``progress`` of every photo."""

    journal: Journal
    tagger: Tagger
    witness: Witness = lambda action, subject, detail: None
    progress: Callable[[bytes], None] = lambda relative: None
    digest: Callable[[Path], str | None] = proof.picture_digest


def apply(plan: Plan, *, evidence: Path, destination: Destination, workshop: Workshop) -> Result:
    """Carry out a plan.

    Raises:
        EvidenceTreeError: the destination or the journal lies in the evidence.
        UsageError: an earlier transaction was interrupted: resume or undo it first.
        CorrectionStopped: the disk is full or cannot be written; resume later, or undo.
    """
    journal = workshop.journal
    destinations.check(destination, evidence, journal.folder)
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
    candidates = [one for one in journal.transactions() if not journal.is_undone(one)]
    if not candidates or (transaction and transaction not in candidates):
        raise UsageError("there is nothing to undo" + (f" under the name {transaction}" if transaction else ""))
    name = transaction or candidates[-1]
    if journal.is_open(name):
        _run_again(name, workshop).settle()
    return _Undo(name, workshop).finish()


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
            target = destinations.target_of(self.destination, self.evidence, relative)
            owner = self.owners.setdefault(target, relative)
            if relative not in settled:
                self._correct(relative, target, owner)
                self.workshop.progress(relative)
        _tell_head(self.workshop, self.transaction, "commit")
        self.journal.append(self.transaction, COMMIT)
        return self._result()

    def settle(self) -> None:
        """Make what was under way when the program died either old or new."""
        last = {entry.photo: entry for entry in self.journal.of(self.transaction) if entry.photo}
        for entry in last.values():
            if entry.step in (INTEND, READY):
                self._settle(entry)

    def _settle(self, entry: Entry) -> None:
        target, temporary = _path(entry.facts["target"]), _path(entry.facts["temporary"])
        now = files.sha256_or_none(target) or ""
        if entry.step == READY and now == entry.facts["after"]:
            self._done(entry)
        files.remove(temporary)
        if now not in (entry.facts["before"], entry.facts.get("after")):
            reason = "its target was changed by another program while the correction was interrupted"
            self.journal.append(self.transaction, REFUSED, photo=entry.relative, reason=reason)

    def _correct(self, relative: bytes, target: Path, owner: bytes) -> None:
        temporary = files.temporary_for(target, f"{self.transaction}-{_token(relative)}")
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
            raise Refuse(f"{visible(owner)} would share its sidecar {target.name!r}; name sidecars like a.jpg.xmp")
        if len(os.fsencode(target.name)) > files.LONGEST_NAME:
            raise Refuse("the name of its sidecar would be too long; name sidecars like a.xmp, or use --copy")
        if files.passes_link(destinations.root_of(self.destination, self.evidence), target):
            raise Refuse("its target goes through a symbolic link")
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
        elif not isinstance(self.destination, Sidecars) and target.exists() and not self._is_ours(target):
            raise Refuse(f"{target} exists and was not made by a correction; choose another folder")

    def _is_ours(self, target: Path) -> bool:
        name, digest = os.fsencode(target).hex(), files.sha256_of(target)
        return any(
            entry.step == DONE and entry.facts["target"] == name and entry.facts["after"] == digest
            for entry in self.journal.entries
        )

    def _write(self, relative: bytes, target: Path, temporary: Path) -> None:
        files.make_folder(target.parent)
        intent = self._intend(relative, target, temporary)
        assignments = self._prepare(relative, target, temporary)
        self._check_content(relative, files.path_of(self.evidence, relative))
        after = files.sha256_of(temporary)
        ready = self.journal.append(self.transaction, READY, photo=relative, after=after, **intent.facts)
        files.replace(temporary, target)
        self._done(ready, tags=[tag for tag, _ in assignments])

    def _intend(self, relative: bytes, target: Path, temporary: Path) -> Entry:
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
        )

    def _changes(self, relative: bytes) -> tuple[Change, ...]:
        return tuple(change for change in self.lines[relative] if change.new != change.old)

    def _prepare(self, relative: bytes, target: Path, temporary: Path) -> tuple[Assignment, ...]:
        """Write the corrected file under its temporary name and prove it."""
        source, tagger = files.path_of(self.evidence, relative), self.workshop.tagger
        start = destinations.start_of(self.destination, self.evidence, relative, target)
        if start is not None:
            files.copy_bytes(start, temporary)
        beside = isinstance(self.destination, Sidecars)
        picture = self._tags_of(source) if beside else tagger.read(temporary)
        before = (tagger.read(temporary) if start is not None else {}) if beside else picture
        goal = correct_assignments.goal_of(self._changes(relative), picture)
        if beside:
            assignments = correct_assignments.sidecar(goal, picture, before)
        else:
            assignments = correct_assignments.embedded(goal, picture, _media_type(temporary))
        if not assignments:
            raise Refuse("no tag of it speaks of what its lines change")
        tagger.write(temporary, assignments)
        self._prove(source, temporary, before, assignments)
        return assignments

    def _tags_of(self, source: Path) -> Tags:
        """Return the tags of an original, from a working copy: reading it in place would change its access time."""
        suffix = source.suffix if source.suffix.isascii() else ""
        working = self.journal.folder / f"working{suffix[:16]}"
        files.remove(working)
        try:
            files.copy_bytes(source, working)
            return self.workshop.tagger.read(working)
        finally:
            files.remove(working)

    def _prove(self, source: Path, temporary: Path, before: Tags, assignments: tuple[Assignment, ...]) -> None:
        faults = proof.differences(before, self.workshop.tagger.read(temporary), assignments)
        if faults:
            raise Refuse("reading back what was written failed: " + "; ".join(faults[:5]))
        if isinstance(self.destination, Sidecars):
            return
        digest = self.workshop.digest(source)
        if digest is None:
            raise Refuse(
                "its picture cannot be decoded here, so that it is unchanged could not be proven; use a sidecar"
            )
        if digest != self.workshop.digest(temporary):
            raise Refuse("the picture would have changed with its tags")
        files.copy_stat(source, temporary)
        if isinstance(self.destination, InPlace):
            files.copy_owner(source, temporary)

    def _done(self, ready: Entry, *, tags: Iterable[str] = ()) -> None:
        facts = {name: value for name, value in ready.facts.items() if name != "temporary"}
        detail: dict[str, Scalar] = {
            "transaction": self.transaction,
            "step": "apply",
            "target": visible(bytes.fromhex(facts["target"])),
            "sha256_before": facts["before"],
            "sha256_after": facts["after"],
        }
        self.workshop.witness("correct", visible(ready.relative), detail)
        self.journal.append(self.transaction, DONE, photo=ready.relative, tags=list(tags), **facts)

    def _refuse(self, relative: bytes, reason: str) -> None:
        self.journal.append(self.transaction, REFUSED, photo=relative, reason=reason)

    def _steps(self, *steps: str) -> list[Entry]:
        return [entry for entry in self.journal.of(self.transaction) if entry.photo and entry.step in steps]

    def _result(self) -> Result:
        corrected = tuple(
            Corrected(entry.relative, _path(entry.facts["target"]), entry.facts["before"], entry.facts["after"])
            for entry in self._steps(DONE)
        )
        refused = tuple(Refusal(entry.relative, entry.facts["reason"]) for entry in self._steps(REFUSED))
        return Result(self.transaction, corrected, refused)


class _Undo:
    """One transaction being taken back, the last file first."""

    def __init__(self, transaction: str, workshop: Workshop) -> None:
        self.transaction = transaction
        self.workshop = workshop
        self.journal = workshop.journal

    def finish(self) -> Result:
        """Restore what can be restored."""
        entries = self.journal.of(self.transaction)
        undone = {entry.photo for entry in entries if entry.step == UNDONE}
        restored, refused = [], []
        for entry in reversed([entry for entry in entries if entry.step == DONE and entry.photo not in undone]):
            try:
                restored.append(self._restore(entry))
            except (OSError, ForensicsError) as error:
                refused.append(Refusal(entry.relative, str(error)))
        if not refused:
            _tell_head(self.workshop, self.transaction, "undone")
            self.journal.append(self.transaction, UNDONE)
        return Result(self.transaction, tuple(restored), tuple(refused))

    def _restore(self, entry: Entry) -> Corrected:
        target, before, after = _path(entry.facts["target"]), entry.facts["before"], entry.facts["after"]
        now = files.sha256_or_none(target) or ""
        if now not in (before, after):
            raise Refuse("it was changed since it was corrected; what stands there now is left alone")
        if now == after:
            self.journal.append(self.transaction, UNDOING, photo=entry.relative, target=entry.facts["target"])
            self._put_back(entry, target, before)
        detail = {"transaction": self.transaction, "step": "undo", "sha256_before": after, "sha256_after": before}
        self.workshop.witness("correct", visible(entry.relative), detail)
        self.journal.append(self.transaction, UNDONE, photo=entry.relative)
        return Corrected(entry.relative, target, after, before)

    def _put_back(self, entry: Entry, target: Path, before: str) -> None:
        if not before:
            files.remove(target)
            return
        temporary = files.temporary_for(target, f"{self.transaction}-{_token(entry.relative)}-undo")
        files.remove(temporary)
        files.copy_bytes(self.journal.kept(before), temporary)
        files.copy_stat(target, temporary)
        files.copy_owner(target, temporary)
        temporary.chmod(entry.facts["mode"])
        files.set_times(temporary, entry.facts["atime_ns"], entry.facts["mtime_ns"])
        files.replace(temporary, target)


def _tell_head(workshop: Workshop, transaction: str, step: str) -> None:
    """Tie the journal to the custody chain: an altered journal no longer ends in this hash."""
    workshop.witness("correct", f"transaction {transaction}", {"step": step, "journal_hash": workshop.journal.head})


def _media_type(path: Path) -> str:
    with files.reading(path) as file:
        return types.media_type(file.read(types.HEAD_BYTES), name=os.fsencode(path.name))


def _token(relative: bytes) -> str:
    return hashlib.sha256(relative).hexdigest()[:12]


def _path(encoded: str) -> Path:
    return Path(os.fsdecode(bytes.fromhex(encoded)))
