"""The journal of corrections: what was about to happen, what happened, and every byte it replaced.

An append-only file of JSON lines, each synchronised to the disk before the step it
speaks of goes on, each naming the hash of the line before it. Beside it lie the
plans as they were applied and the originals, named by their SHA-256. With these alone
an interrupted transaction can be finished and every one can be undone to the byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

from gtloc_forensics.correct import files
from gtloc_forensics.errors import CaseBusy, CorrectionStopped

GENESIS = "0" * 64

_HALF_KEPT = re.compile(r"[0-9a-f]{64}\.tmp")

JOURNAL_FILE = "journal.jsonl"

BEGIN = "begin"  # a transaction starts
INTEND = "intend"  # a target is about to be replaced; what it was is kept
READY = "ready"  # its new content lies verified beside it, under a temporary name
DONE = "done"  # it has taken its place
REFUSED = "refused"  # this photo was not corrected, and why
COMMIT = "commit"  # the transaction has gone through all its photos
UNDOING = "undoing"  # a target is about to get its old content back
UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal."""

    sequence: int
    utc_time: str
    transaction: str
    step: str
    photo: str  # hexadecimal bytes of its path below the evidence; "" when it is about the transaction
    facts: Mapping[str, Any]
    previous_hash: str

    @property
    def relative(self) -> bytes:
        """The photo's path below the evidence."""
        return bytes.fromhex(self.photo)


class Journal:
    """The journal in one folder. Use it as a context: a second program is kept out meanwhile."""

    def __init__(self, folder: Path) -> None:
        """Use the journal at a path; nothing is written yet."""
        self.folder = folder = folder.absolute()
        self.path = folder / JOURNAL_FILE
        self.originals = folder / "originals"
        self.workroom = folder / "work"  # where files are written and proven; what a killed program left is emptied
        self._lock = FileLock(str(folder / "journal.lock"))
        self._entries: list[Entry] = []
        self._last_hash = GENESIS

    def __enter__(self) -> Journal:
        """Lock and read it; a line torn by a crash at its end is cut off.

        Raises:
            CaseBusy: another program is correcting.
            CorrectionStopped: a line in the middle is damaged or was altered.
        """
        files.make_folder(self.originals)
        files.make_folder(self.workroom)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise CaseBusy(f"{self.folder} is in use by another correction; wait for it") from error
        try:
            self._entries = self._load()
            files.empty(self.workroom)
            for half in self.originals.glob("*.tmp"):  # copies of originals that a killed program had not finished
                if _HALF_KEPT.fullmatch(half.name) and files.is_regular(half):
                    files.remove(half)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let others in."""
        self._lock.release()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every line so far."""
        return tuple(self._entries)

    @property
    def head(self) -> str:
        """The hash of the last line: whoever keeps it can tell whether any line was altered later."""
        return self._last_hash

    def append(self, transaction: str, step: str, *, photo: bytes = b"", **facts: Any) -> Entry:
        """Add a line; it is on the disk when this returns."""
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = Entry(len(self._entries) + 1, moment, transaction, step, photo.hex(), facts, self._last_hash)
        line = _line(entry)
        with self.path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        if entry.sequence == 1:
            files.synchronise(self.folder)
        self._entries.append(entry)
        self._last_hash = hashlib.sha256(line).hexdigest()
        return entry

    def keep(self, path: Path) -> str:
        """Keep the bytes of *path* for undoing and return their SHA-256. Bytes kept already are not kept twice."""
        digest = files.sha256_of(path)
        kept = self.originals / digest
        if kept.exists() and files.sha256_of(kept) == digest:
            return digest
        temporary = self.originals / f"{digest}.tmp"
        files.remove(temporary)
        if files.copy_bytes(path, temporary) != digest:
            files.remove(temporary)
            raise CorrectionStopped(f"{path} changes while it is read; stop what writes to it, then resume")
        files.replace(temporary, kept)
        return digest

    def kept(self, digest: str) -> Path:
        """Return where the bytes of that hash are kept, checked.

        Raises:
            CorrectionStopped: they are gone or damaged.
        """
        path = self.originals / digest
        if files.sha256_or_none(path) != digest:
            raise CorrectionStopped(f"the original kept as {path} is missing or damaged; restore it from a backup")
        return path

    def next_transaction(self) -> str:
        """Return a name no transaction has had."""
        return f"T{sum(entry.step == BEGIN for entry in self._entries) + 1:04d}"

    def begun(self, transaction: str) -> Entry:
        """Return the line with which a transaction began.

        Raises:
            CorrectionStopped: when there is none of that name.
        """
        for entry in self._entries:
            if entry.transaction == transaction and entry.step == BEGIN:
                return entry
        raise CorrectionStopped(f"the journal knows no transaction {transaction!r}; it lists those it knows")

    def transactions(self) -> tuple[str, ...]:
        """Return the transactions in the order in which they began."""
        return tuple(entry.transaction for entry in self._entries if entry.step == BEGIN)

    def of(self, transaction: str) -> tuple[Entry, ...]:
        """Return the lines of one transaction."""
        return tuple(entry for entry in self._entries if entry.transaction == transaction)

    def is_open(self, transaction: str) -> bool:
        """Return whether a transaction was interrupted: neither gone through nor undone."""
        steps = {entry.step for entry in self.of(transaction) if not entry.photo}
        return bool(steps) and not steps & {COMMIT, UNDONE}

    def is_undone(self, transaction: str) -> bool:
        """Return whether a transaction was undone as a whole."""
        return any(entry.step == UNDONE and not entry.photo for entry in self.of(transaction))

    def plan_path(self, transaction: str) -> Path:
        """Return where the plan of a transaction is kept as it was applied."""
        return self.folder / f"{transaction}.plan.toml"

    def _load(self) -> list[Entry]:
        if not self.path.exists():
            self._last_hash = GENESIS
            return []
        data = self.path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):  # a line torn by a crash: its step never happened
            os.truncate(self.path, len(whole))
        entries, previous = [], GENESIS
        for number, line in enumerate(whole.splitlines(keepends=True), 1):
            entries.append(_entry(line, number, previous, self.path))
            previous = hashlib.sha256(line).hexdigest()
        self._last_hash = previous
        return entries


def _line(entry: Entry) -> bytes:
    content = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
    return json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _entry(line: bytes, number: int, previous: str, path: Path) -> Entry:
    try:
        entry = Entry(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise CorrectionStopped(f"line {number} of {path} is damaged; restore the journal from a backup") from error
    if entry.sequence != number or entry.previous_hash != previous:
        raise CorrectionStopped(f"line {number} of {path} does not follow the one before it: the journal was altered")
    return entry
