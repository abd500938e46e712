"""Output files that are there complete or not at all, and never inside the evidence.

Every file of ours is written to a name of its own in its target's folder (made anew,
through no link), synchronised to the disk, and put in its target's place in one step.
Beside that draft lies a mark that says who writes it; a draft whose writer is dead is
removed with its mark by the next run that writes there. Nothing is ever removed
because of its name alone.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from gtloc_forensics.errors import EvidenceTreeError, UsageError
from gtloc_forensics.files import mounts, opening, owners
from gtloc_forensics.files.containers import kinds
from gtloc_forensics.files.stores import addresses

DRAFT_BEGINNING, DRAFT_ENDING = ".gtloc-", ".draft"
MARK_ENDING = ".mark"
_LONGEST_MARK_BYTES = 4096

_SQLITE_BEGINNING = b"SQLite format 3\0"
_LITTER = frozenset((".DS_Store", ".localized", "desktop.ini", "Thumbs.db", "lost+found", ".directory"))
"""What systems leave in a folder that nobody used: a folder that holds nothing else is empty."""


# --------------------------------------------------------------------------- the guard


def refuse_inside(target: Path, evidence: Path) -> None:
    """Make sure that *target*, which need not exist yet, lies outside *evidence*, a folder or a container.

    Links and ``..`` are resolved, of the target's own name both ways: a link may be
    followed or replaced. Folders are compared by identity (a name in other case), and by
    their place in their file system (a second mount of a folder of the evidence).

    Raises:
        EvidenceTreeError: when it lies inside, or is the evidence folder itself.
        UsageError: when the path runs in circles.
    """
    trees = [_resolved(part) for part in _parts(evidence)]
    itself = [] if target.name in ("", "..") else [_resolved(target.parent) / target.name]
    if any(_lies_within(place, tree) for place in [_resolved(target), *itself] for tree in trees):
        raise EvidenceTreeError(target, evidence)


def is_inside(target: Path, evidence: Path) -> bool:
    """Say whether *target* lies inside *evidence*, as :func:`refuse_inside` sees it."""
    try:
        refuse_inside(target, evidence)
    except EvidenceTreeError:
        return True
    return False


def refuse_case_folder(folder: Path, evidence: Path, *, marks: Sequence[str]) -> None:
    """Make sure that *folder* may become, or is, the case of *evidence*.

    Args:
        folder: need not exist yet.
        evidence: the folder of photos.
        marks: names of files by which a case folder is known, one of them enough: a database, or text of ours.

    Raises:
        EvidenceTreeError: when it lies inside the evidence.
        UsageError: when it holds the evidence, is no folder, or is neither empty nor a case.
    """
    refuse_inside(folder, evidence)
    if any(_lies_within(_resolved(part), _resolved(folder)) for part in _parts(evidence)):
        raise UsageError(
            f"{folder} holds the evidence folder {evidence}; choose an --output beside it, in which nothing else lies"
        )
    try:
        names = {entry.name for entry in folder.iterdir()}
    except FileNotFoundError:
        return
    except NotADirectoryError as error:
        raise UsageError(f"{folder} is no folder; choose another --output") from error
    if names - _LITTER and not any(_is_mark(folder / name) for name in marks):
        raise UsageError(
            f"{folder} is neither empty nor a case: what lies there is not ours, and nothing is written to it; "
            "choose another --output"
        )


def refuse_temporary_inside(evidence: Path) -> None:
    """Make sure that the system's folder for temporary files is none of the evidence; nothing is written to find out.

    Raises:
        EvidenceTreeError: when $TMPDIR, or what stands in for it, lies inside.
    """
    named = [Path(value) for name in ("TMPDIR", "TEMP", "TMP", "SQLITE_TMPDIR") if (value := os.environ.get(name))]
    usual = [Path(name) for name in ("/tmp", "/var/tmp", "/usr/tmp")]  # tempfile's own order
    usable = next((place for place in usual if place.is_dir() and os.access(place, os.W_OK)), Path.cwd())
    for place in named or [usable]:
        refuse_inside(place, evidence)


def refuse_links(folder: Path, names: Sequence[str]) -> None:
    """Make sure that none of *names* is a symbolic link: a case folder leads to no other place.

    Raises:
        UsageError: naming the link.
    """
    for name in names:
        if (folder / name).is_symlink():
            raise UsageError(f"{folder / name} is a symbolic link, which is not followed; put the file itself there")


def _parts(evidence: Path) -> tuple[Path, ...]:
    """Return of what evidence consists here: a folder of itself, a split image of its segments, a store of nothing."""
    if addresses.of_path(evidence) is not None:
        return ()
    return kinds.parts_of(evidence) if evidence.is_file() else (evidence,)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:  # RuntimeError: pathlib's word for a link loop before Python 3.13
        raise UsageError(f"{path} cannot be resolved ({error}); choose another output") from error


def _lies_within(place: Path, tree: Path) -> bool:
    """Say whether a resolved path is *tree* or lies below it, by name, by identity or by its place on the disk."""
    if place.is_relative_to(tree) or any(_same(ancestor, tree) for ancestor in (place, *place.parents)):
        return True
    inner, outer = mounts.whereabouts(place), mounts.whereabouts(tree)
    if inner is None or outer is None or inner.device != outer.device:
        return False
    return inner.inner.is_relative_to(outer.inner)


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def _is_mark(path: Path) -> bool:
    """Say whether a file is what its name says: an SQLite database (or one just begun), or an address of ours."""
    try:
        with opening.quiet_file(path) as file:
            head = file.read(64)
    except OSError:
        return False
    if path.suffix == ".url":
        return b"://" in head
    return not head or head.startswith(_SQLITE_BEGINNING)


# --------------------------------------------------------------------------- whole files


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Lend a draft beside *path*, an empty file, and put it in its place when the block ends without an error.

    Raises:
        OSError: as the system does; then *path* is what it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent)
    draft = _new_draft(path.parent)
    mark = _mark_of(draft)
    try:
        yield draft
        synchronise(draft)
        draft.replace(path)
        synchronise(path.parent)
    finally:
        for left in (draft, mark):
            with suppress(FileNotFoundError):
                left.unlink()


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        OSError: as the system does; then *path* is what it was.
    """
    with replaced(path) as draft, draft.open("r+b") as file:
        file.write(content)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, whole or not at all.

    Raises:
        OSError: as the system does; then *path* is what it was.
    """
    write_bytes(path, text.encode("utf-8"))


def synchronise(path: Path) -> None:
    """Make a file's content, or a folder's entries, survive a power cut."""
    if path.is_dir() and os.name == "nt":  # Windows cannot open a folder, nor needs it
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems know no fsync of a folder
            raise
    finally:
        os.close(handle)


def remove_leftovers(folder: Path) -> None:
    """Remove the drafts in *folder* whose mark says that a run of ours wrote them which is no more."""
    for mark in folder.glob(f"{DRAFT_BEGINNING}*{DRAFT_ENDING}{MARK_ENDING}"):
        draft = mark.with_name(mark.name.removesuffix(MARK_ENDING))
        if _is_left_over(mark, draft):
            for left in (draft, mark):
                with suppress(OSError):
                    left.unlink()


def _new_draft(folder: Path) -> Path:
    draft = folder / f"{DRAFT_BEGINNING}{secrets.token_hex(12)}{DRAFT_ENDING}"
    _make(_mark_of(draft), json.dumps({"draft": draft.name, **owners.this_process()}).encode())
    try:
        _make(draft, b"")
    except OSError:
        _mark_of(draft).unlink(missing_ok=True)
        raise
    return draft


def _make(path: Path, content: bytes) -> None:
    """Make a file that was not there, through no link."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0), 0o666)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _mark_of(draft: Path) -> Path:
    return draft.with_name(draft.name + MARK_ENDING)


def _is_left_over(mark: Path, draft: Path) -> bool:
    """Say whether a mark is one of ours, about this very draft, by a process that ended."""
    try:
        with opening.quiet_file(mark) as file:
            said = json.loads(file.read(_LONGEST_MARK_BYTES))
        there = draft.lstat()
    except FileNotFoundError:
        return False
    except (OSError, ValueError, RecursionError):
        return False
    ours = isinstance(said, dict) and said.get("draft") == draft.name
    return ours and stat.S_ISREG(there.st_mode) and owners.has_ended(said)
