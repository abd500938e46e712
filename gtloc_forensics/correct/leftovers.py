"""What a killed correction left beside its targets, known by the journal and by nothing else.

The journal names every file before it is made. One that is still there under its
temporary name, though nobody is correcting, was made by a program that died. A
journal may be a stranger's: so a file goes only when it lies beside a target below
the place that its transaction writes to, bears the very name that this program gives
there, and is a plain file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gtloc_forensics.correct import destinations, files
from gtloc_forensics.correct.journal import BEGIN, INTEND, READY, UNDOING, Entry, Journal
from gtloc_forensics.correct.workshop import path_in, temporary_of
from gtloc_forensics.errors import ForensicsError

_UNDER_WAY = frozenset((INTEND, READY, UNDOING))
"""Steps after which, when they are the last of a photo, a file may lie under its temporary name."""


def remove(journal: Journal, evidence: Path) -> tuple[Path, ...]:
    """Remove what killed corrections of *evidence* left beside their targets; return what was removed.

    Only while nobody corrects: the caller holds the case and the journal.

    Raises:
        OSError: as the system does.
    """
    removed = []
    for path in dict.fromkeys(_made(journal, evidence.resolve())):
        if files.is_regular(path):
            files.remove(path)
            removed.append(path)
    return tuple(removed)


def _made(journal: Journal, evidence: Path) -> Iterator[Path]:
    roots: dict[str, Path] = {}
    last: dict[tuple[str, str], Entry] = {}
    for entry in journal.entries:
        if entry.step == BEGIN and (root := _root(entry, evidence)):
            roots[entry.transaction] = root
        elif entry.photo:
            last[entry.transaction, entry.photo] = entry
    for entry in last.values():
        if entry.step in _UNDER_WAY and entry.transaction in roots:
            yield from _beside(entry, roots[entry.transaction])


def _root(begun: Entry, evidence: Path) -> Path | None:
    """Return below which folder a transaction writes; None where it is about other evidence, or cannot be read."""
    try:
        if os.fsdecode(bytes.fromhex(begun.facts["evidence"])) != os.fspath(evidence):
            return None
        return destinations.root_of(destinations.from_description(begun.facts["destination"]), evidence)
    except (KeyError, TypeError, ValueError, ForensicsError):
        return None


def _beside(entry: Entry, root: Path) -> Iterator[Path]:
    try:
        target, relative = path_in(entry.facts["target"]), entry.relative
    except (KeyError, TypeError, ValueError, ForensicsError):
        return
    if ".." in target.parts or not target.is_relative_to(root) or files.passes_link(root, target.parent):
        return
    temporary = temporary_of(target, entry.transaction, relative, undoes=entry.step == UNDOING)
    yield temporary
    yield temporary.with_name(f"{temporary.name}_exiftool_tmp")  # versions that wrote beside the target
