"""A photo under another name: its old one goes once the new one holds verified content, and comes back whole.

What lies beside a photo under its name (sidecars, a Takeout's JSON) goes with it; a sidecar
without the photo's ending goes with the last of the files that share it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gtloc_forensics.correct import files
from gtloc_forensics.correct.journal import Entry, Journal
from gtloc_forensics.correct.workshop import Refuse, path_in, temporary_of

APPENDED = (".xmp", ".pp3", ".json", ".supplemental-metadata.json")
"""What programs append to the whole name of a photo for what they keep of it."""


def moved_from(origin: Path, target: Path, journal: Journal) -> dict[str, Any]:
    """Return what the journal must know to take a name away and to give it back; nothing where the name stays.

    The content is kept in the journal's store first.

    Raises:
        Refuse: the new name, or that of a sidecar, is another file's.
    """
    if origin == target:
        return {}
    pairs = tuple(_beside(origin, target))
    for path in (target, *(new for _, new in pairs)):
        if os.path.lexists(path):
            raise Refuse(f"a file called {path.name!r} is there already; choose another name in the plan")
    found = origin.stat()
    return {
        "origin": _hex(origin),
        "origin_before": journal.keep(origin),
        "origin_mode": found.st_mode & 0o7777,
        "origin_ns": [found.st_atime_ns, found.st_mtime_ns],
        "beside": [[_hex(old), _hex(new)] for old, new in pairs],
    }


def take_away(facts: Mapping[str, Any]) -> None:
    """Remove the old name of a photo that stands under its new one; again and again with one effect.

    A file that somebody put there, or changed, since is left.
    """
    if "origin" not in facts:
        return
    origin = path_in(facts["origin"])
    if files.sha256_or_none(origin) == facts["origin_before"]:
        files.remove(origin)
    for old, new in facts["beside"]:
        _move(path_in(old), path_in(new))


def put_back(entry: Entry, transaction: str, journal: Journal) -> None:
    """Give a photo its old name, content, times and mode back; again and again with one effect.

    Raises:
        Refuse: another file has that name now.
    """
    facts = entry.facts
    origin, target = path_in(facts["origin"]), path_in(facts["target"])
    now = files.sha256_or_none(origin)
    if now not in (None, facts["origin_before"]) or (now is None and os.path.lexists(origin)):
        raise Refuse(f"another file is called {origin.name!r} now; move it away, then undo again")
    if now is None:
        temporary = temporary_of(origin, transaction, entry.relative, undoes=True)
        files.remove(temporary)
        files.copy_bytes(journal.kept(facts["origin_before"]), temporary)
        files.copy_stat(target, temporary)
        files.copy_owner(target, temporary)
        temporary.chmod(facts["origin_mode"])
        files.set_times(temporary, *facts["origin_ns"])
        files.replace(temporary, origin)
    for old, new in facts["beside"]:
        _move(path_in(new), path_in(old))
    files.remove(target)


def _beside(origin: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    for ending in APPENDED:
        if files.is_regular(beside := origin.with_name(origin.name + ending)):
            yield beside, target.with_name(target.name + ending)
    shared = origin.with_suffix(".xmp")
    if origin.suffix.lower() != ".xmp" and files.is_regular(shared) and not _others(origin):
        yield shared, target.with_suffix(".xmp")


def _others(photo: Path) -> bool:
    """Return whether other files of a photo's folder could own its sidecar, too."""
    return any(
        path.stem == photo.stem and path.name != photo.name and path.suffix.lower() != ".xmp"
        for path in photo.parent.iterdir()
    )


def _move(old: Path, new: Path) -> None:
    if files.is_regular(old) and not os.path.lexists(new):
        files.replace(old, new)


def _hex(path: Path) -> str:
    return os.fsencode(path).hex()
