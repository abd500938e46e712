"""A transaction taken back: every file gets the bytes, the times and the mode that it had."""

from __future__ import annotations

from pathlib import Path

from gtloc_forensics.correct import files, renaming
from gtloc_forensics.correct.journal import DONE, UNDOING, UNDONE, Entry
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
from gtloc_forensics.errors import ForensicsError
from gtloc_forensics.records import visible


class Undo:
    """One transaction being taken back, the last file first."""

    def __init__(self, transaction: str, workshop: Workshop) -> None:
        """Take back *transaction* with what *workshop* holds of it."""
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
            tell_head(self.workshop, self.transaction, "undone")
            self.journal.append(self.transaction, UNDONE)
        return Result(self.transaction, tuple(restored), tuple(refused))

    def _restore(self, entry: Entry) -> Corrected:
        target, before, after = path_in(entry.facts["target"]), entry.facts["before"], entry.facts["after"]
        now = files.sha256_or_none(target) or ""
        if not now and not self._was_being_undone(entry):
            raise Refuse(f"{target} is not there: it was moved or removed since; put it there, then undo again")
        if now not in (before, after):
            raise Refuse(f"{target} was changed since it was corrected; what stands there now is left alone")
        if now == after:
            self.journal.append(self.transaction, UNDOING, photo=entry.relative, target=entry.facts["target"])
            self._put_back(entry, target, before)
        detail = {"transaction": self.transaction, "step": "undo", "sha256_before": after, "sha256_after": before}
        self.workshop.witness("correct", visible(entry.relative), detail)
        self.journal.append(self.transaction, UNDONE, photo=entry.relative)
        return Corrected(entry.relative, target, after, before)

    def _was_being_undone(self, entry: Entry) -> bool:
        """Return whether an earlier undo, killed since, may have removed the target itself."""
        steps = [other.step for other in self.journal.of(self.transaction) if other.photo == entry.photo]
        return UNDOING in steps and not entry.facts["before"]

    def _put_back(self, entry: Entry, target: Path, before: str) -> None:
        if "origin" in entry.facts:
            renaming.put_back(entry, self.transaction, self.journal)
            return
        if not before:
            files.remove(target)
            return
        temporary = temporary_of(target, self.transaction, entry.relative, undoes=True)
        files.remove(temporary)
        files.copy_bytes(self.journal.kept(before), temporary)
        files.copy_stat(target, temporary)
        files.copy_owner(target, temporary)
        temporary.chmod(entry.facts["mode"])
        files.set_times(temporary, entry.facts["atime_ns"], entry.facts["mtime_ns"])
        files.replace(temporary, target)
