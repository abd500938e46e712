"""What the files are at the end of a run, against what they were when they were taken in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from gtloc_forensics.files.acquiring import Rechecked
from gtloc_forensics.records import Statement


class AtEnd:
    """How the files were found at the end; only what changed is held."""

    def __init__(self) -> None:
        """Know of no change yet."""
        self._differing: dict[int, Rechecked] = {}

    def take(self, row: int, sha256: str, now: Rechecked) -> None:
        """Take note of what the file of a row, taken in with that hash, is now."""
        if now.reason or now.sha256 != sha256:
            self._differing[row] = now

    def change_of(self, row: int) -> Statement:
        """Return what changed about a file; "" for nothing."""
        return self._differing[row].reason if row in self._differing else ""

    def sha256_of(self, row: int, sha256: str) -> str:
        """Return the hash of a file, taken in with *sha256*, at the end; "" when it cannot be read."""
        return self._differing[row].sha256 if row in self._differing else sha256

    @property
    def changed(self) -> int:
        """The number of files of which something changed."""
        return sum(bool(now.reason) for now in self._differing.values())


def digest_with(facts: Mapping[str, object], name: str, entries: Iterable[object]) -> str:
    """Return the SHA-256 of *facts* as JSON in the order of their names, with *entries* under *name* among them.

    The same as if the entries were a list among the facts; they are written one by one.
    """
    before = {key: value for key, value in facts.items() if key < name}
    after = {key: value for key, value in facts.items() if key > name}
    digest = hashlib.sha256()
    digest.update((_members(before) + (", " if before else "")).join(("{", f"{json.dumps(name)}: [")).encode())
    for number, entry in enumerate(entries):
        digest.update(f"{', ' if number else ''}{json.dumps(entry)}".encode())
    digest.update(f"]{', ' if after else ''}{_members(after)}}}".encode())
    return digest.hexdigest()


def _members(facts: Mapping[str, object]) -> str:
    return json.dumps(facts, sort_keys=True)[1:-1]


def digest_after(fingerprint: str, newest: str) -> str:
    """Return the name of an examination that is concluded once more, after *newest*, which came out otherwise."""
    return hashlib.sha256(f"{fingerprint} after {newest}".encode()).hexdigest()
