"""What the last audit of a folder said, said again where everything is as that audit left it.

A note in the case folder holds under which surroundings the last audit ran, where the
custody chain then ended, what it wrote and what it told. Where the same is asked again
and each of these is as it was, where the folder lists the same files, each with the same
stat tuple and, read and hashed again, the same SHA-256, and its sidecars too, a full run
would do none of its work and end with the same examination: nothing is loaded for it.
Wherever anything differs, or cannot be seen to be the same, the full run is made.

The note decides nothing: it is compared. One from elsewhere holds other surroundings.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from gtloc_forensics.examination import surroundings
from gtloc_forensics.files import acquiring, hashing, listing
from gtloc_forensics.records import Skipped, Tally
from gtloc_forensics.store.newest import MemberState, Newest, members, newest

NOTE = "last-audit.json"
"""The note's name in the case folder; a case without it is audited as ever."""

DATABASE, LOCK = "case.sqlite", "case.lock"
_JOURNALS = tuple(f"{DATABASE}-{part}" for part in ("wal", "shm", "journal"))
_LONGEST_NOTE_BYTES = 64 << 20
FILES_AT_ONCE = 500
"""Files that wait to be hashed at a time."""
FILES_A_TURN = 16
"""Files that a thread hashes before it hands over: small ones take no longer than the handing over."""

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class LastAudit:
    """What an audit said.

    Attributes:
        tally: the counts.
        told: what was printed of it, as the command line keeps it.
        products: the files that were written of the case, by name within its folder, with their SHA-256.
    """

    tally: Tally
    told: Mapping[str, Any]
    products: Mapping[str, str] = field(default_factory=dict)


def unchanged(
    evidence: Path, folder: Path, request: Mapping[str, object], *, workers: int, progress: Progress
) -> LastAudit | None:
    """Return what the last audit said when a full run would say the same, else None; nothing is written.

    Args:
        evidence: the folder of photos.
        folder: the case folder.
        request: everything that was asked for, by name.
        workers: how many files are hashed at a time.
        progress: told of the same stages as a full run tells.
    """
    note = _note_in(folder)
    if note is None or not evidence.is_dir():
        return None
    progress("open", 0, None)
    try:
        with _held(folder) as is_held:
            if not is_held or note["surroundings"] != _surroundings(evidence, folder, request):
                return None
            said = LastAudit(Tally(**note["tally"]), note["told"], note["products"])
            if not _is_as_noted(evidence, folder, note, workers=workers, progress=progress):
                return None
    except (OSError, KeyError, TypeError, ValueError, AttributeError):  # a full run says what is the matter
        return None
    return said


def keep(
    evidence: Path, folder: Path, request: Mapping[str, object], *, said: LastAudit, stands: tuple[str, tuple[int, str]]
) -> bool:
    """Note what a full run said, unless something of the folder is not as it has examined it; say whether.

    Args:
        evidence: the folder of photos.
        folder: the case folder, whose database is closed.
        request: everything that was asked for, by name.
        said: what it said.
        stands: the fingerprint of what it concluded, and where the custody chain ended when it said so.
    """
    from gtloc_forensics.files.writing import write_bytes

    if not evidence.is_dir():  # an image, an archive or a store is opened, hashed or asked anew by every run
        return False
    try:
        with _held(folder) as is_held:
            kept = newest(folder / DATABASE) if is_held else None
            if kept is None or (kept.examination, kept.chain) != stands:
                return False
            listed = _listed_as(evidence, folder / DATABASE, kept)
            if listed is None:
                return False
            note = {
                "surroundings": _surroundings(evidence, folder, request),
                "examination": kept.examination,
                "chain": list(kept.chain),
                "passed over": _states(evidence, listed.passed_over),
                "names": sorted({*_names(folder), NOTE}),
                "tally": asdict(said.tally),
                "told": said.told,
                "products": dict(said.products),
            }
            write_bytes(folder / NOTE, json.dumps(note).encode())
    except (OSError, KeyError, TypeError, ValueError, AttributeError):  # a case that can be read and no more
        return False
    return True


# --------------------------------------------------------------------------- comparing


def _is_as_noted(evidence: Path, folder: Path, note: Mapping[str, Any], *, workers: int, progress: Progress) -> bool:
    """Compare what is cheap first; the files are hashed once all else is the same."""
    if sorted(_names(folder)) != note["names"]:
        return False
    kept = newest(folder / DATABASE)
    if kept is None or [kept.examination, list(kept.chain)] != [note["examination"], note["chain"]]:
        return False
    for name, sha256 in note["products"].items():  # the chain says what was written, the note only of which it told
        if not sha256 == kept.products.get(name) == hashing.sha256_or_none(folder / name):
            return False
    database = folder / DATABASE
    listed = _listed_as(evidence, database, kept)
    if listed is None or _states(evidence, listed.passed_over) != note["passed over"]:
        return False
    return _hashed_again(evidence, database, kept, total=listed.photos, workers=workers, progress=progress)


@dataclass(frozen=True, slots=True)
class _Listed:
    passed_over: tuple[Skipped, ...]
    photos: int


def _listed_as(evidence: Path, database: Path, kept: Newest) -> _Listed | None:
    """Return what the folder lists when it is what the newest examination saw, each file with the same stat tuple.

    Both come in path order and are compared as they come.
    """
    known = members(database, kept.number)
    skipped: list[Skipped] = []
    photos = 0
    for entry in listing.walk(evidence):
        if isinstance(entry, Skipped):
            skipped.append(entry)
            continue
        relative, state = next(known, (b"", None))
        photos += 1
        if state is None or relative != entry.relative or {*state.sidecars} != {*entry.sidecars}:
            return None
        if state.sha256 != state.sha256_at_end or state.stat_key != acquiring.stat_key(evidence, relative):
            return None
    if next(known, None) is not None or {entry.relative: str(entry.reason) for entry in skipped} != kept.rejected:
        return None
    return _Listed(tuple(skipped), photos)


def _hashed_again(
    evidence: Path, database: Path, kept: Newest, *, total: int, workers: int, progress: Progress
) -> bool:
    """Read every file and sidecar again; say whether each is what it was, as the end of a full run does."""
    progress("known", total, total)
    progress("examine", 0, 0)
    progress("verify", 0, total)
    files, done = members(database, kept.number), 0
    are_same = partial(_are_same, evidence)
    with ThreadPoolExecutor(max(1, workers)) as pool:
        while some := list(islice(files, FILES_AT_ONCE)):
            parts = [some[first : first + FILES_A_TURN] for first in range(0, len(some), FILES_A_TURN)]
            for part, same in zip(parts, pool.map(are_same, parts), strict=True):
                if not same:
                    pool.shutdown(wait=False, cancel_futures=True)
                    return False
                done += len(part)
                progress("verify", done, total)
    return True


def _are_same(evidence: Path, files: Sequence[tuple[bytes, MemberState]]) -> bool:
    return all(
        acquiring.rehash(evidence, name) == sha256
        for relative, state in files
        for name, sha256 in ((relative, state.sha256), *state.sidecars.items())
    )


def _states(evidence: Path, passed_over: tuple[Skipped, ...]) -> str:
    """Return a hash of the stat tuples of what is no photo: a catalogue of photos may come to be among them."""
    states = [[entry.relative.hex(), acquiring.stat_key(evidence, entry.relative)] for entry in passed_over]
    return hashlib.sha256(json.dumps(states).encode()).hexdigest()


def _surroundings(evidence: Path, folder: Path, request: Mapping[str, object]) -> str:
    return surroundings.digest({**request, "evidence folder": evidence.resolve(), "case folder": folder.resolve()})


# --------------------------------------------------------------------------- the case folder


def _note_in(folder: Path) -> Mapping[str, Any] | None:
    path = folder / NOTE
    try:
        if path.is_symlink() or path.stat().st_size > _LONGEST_NOTE_BYTES:
            return None
        note = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return note if isinstance(note, dict) else None


def _names(folder: Path) -> Iterator[str]:
    """Yield what lies in the case folder, but for the journals of an open database; a link is named as one."""
    for entry in os.scandir(folder):
        if entry.name not in _JOURNALS:
            yield f"{entry.name} -> " if entry.is_symlink() else entry.name


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Hold the case as a writer does, and give whether that succeeded: nothing may change while it is compared.

    The lock is that of :meth:`CaseFolder.locked`, taken in the same way.
    """
    try:
        import fcntl
    except ImportError:
        yield False
        return
    try:
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        yield False
    else:
        yield True
    finally:
        os.close(lock)
