"""Folders to Sources: what lies in the evidence, and how it is taken in.

:func:`walk` lists, :func:`take` records and hashes one file before anything else
is done with it and makes the working copy on which every tool works. Nothing
here writes beneath the evidence folder; see :mod:`gtloc_forensics.beneath` for
how it is read. The endless form of :func:`walk` is :mod:`gtloc_forensics.watch`.

No symbolic link is followed, and none is even read on a mount that records
accesses, since that alone would change it. A link therefore *blocks* (something
may be unseen) unless it could be read and points into the folder itself, where
its target is listed under its own name.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gtloc_forensics import beneath, media
from gtloc_forensics.errors import EvidenceTreeError, ForensicsError, UsageError, WorkspaceFull
from gtloc_forensics.media import media_type as media_type  # part of this stage's face
from gtloc_forensics.records import FileStat, Passed, Source, source_id_of

BLOCK_BYTES = 1 << 20
COPY_LIMIT_BYTES = 512 << 20  # a longer video is hashed but not copied: the copy is what tools would read
SIDECAR_LIMIT_BYTES = 16 << 20

# Hidden folders that systems and programs leave on every card or checkout; any other hidden folder blocks.
_LITTER_FOLDERS = frozenset(
    (b".spotlight-v100", b".fseventsd", b".temporaryitems", b".documentrevisions-v100", b".git", b".hg", b".svn")
)


class IntakeFailed(ForensicsError):
    """One file could not be taken in; ``source`` holds as much of it as could be recorded."""

    def __init__(self, reason: str, source: Source | None = None) -> None:
        self.reason = reason
        self.source = source  # sha256 is "" unless the whole file was read
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that is, or by its name should be, a photo or a video; with the XMP sidecars beside it."""

    relative: bytes
    sidecars: tuple[bytes, ...] = ()  # relative, like ``relative``


@dataclass(frozen=True, slots=True)
class Taken:
    """One file taken in: its record, and the copy that tools may read."""

    source: Source
    working_copy: Path
    sidecar_copies: tuple[tuple[bytes, str, Path], ...]  # (relative, sha256, copy)
    access_time_kept: bool
    notes: tuple[str, ...] = ()

    @property
    def access_time(self) -> str:
        """What reading did to the access time, in words."""
        return "kept" if self.access_time_kept else "changed by reading: the system lets only a file's owner avoid it"


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What a file is at the end of the run: its hash ("" when it cannot be read), and what changed ("" for nothing)."""

    sha256: str
    reason: str


# --------------------------------------------------------------------------- listing


def walk(root: Path) -> Iterator[Candidate | Passed]:
    """List everything beneath *root*, in the byte order of the relative paths.

    A file is a candidate by its name or by its magic bytes: a ``.jpg`` of zero
    bytes is one, and so is a JPEG without an extension. Hidden files and folders
    are passed over; one that holds a photo, or may, blocks.

    Args:
        root: the evidence folder; a link to a folder is fine here, and only here.

    Raises:
        UsageError: when *root* is no folder or cannot be entered.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is not a folder; name one that holds photos")
    pending: list[Iterator[_Entry]] = [iter((_Entry(b"", folder=True, ancestors=frozenset()),))]
    while pending:
        entry = next(pending[-1], None)
        if entry is None:
            pending.pop()
        elif entry.outcome is not None:
            yield entry.outcome
        else:
            try:
                pending.append(iter(_listing(root, entry)))
            except OSError as error:
                yield Passed(entry.relative or b".", f"a folder that could not be read: {_words(error)}", blocks=True)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One name in a folder: an outcome, or a folder still to be listed."""

    relative: bytes
    folder: bool = False
    outcome: Candidate | Passed | None = None
    ancestors: frozenset[tuple[int, int]] = frozenset()

    @property
    def order(self) -> bytes:
        # With its slash a folder sorts where its contents do, so that depth first is byte order.
        return self.relative + b"/" if self.folder else self.relative


def _listing(root: Path, folder: _Entry) -> list[_Entry]:
    with beneath.directory(root, folder.relative) as fd:
        place = os.fstat(fd)
        here = (place.st_dev, place.st_ino)
        if here in folder.ancestors:
            raise OSError(errno.ELOOP, "it contains itself")
        modes = _modes(fd)
        prefix = folder.relative + b"/" if folder.relative else b""
        sidecars = _sidecars_by_photo(fd, [name for name, mode in modes.items() if stat.S_ISREG(mode)])
        attached = {sidecar for group in sidecars.values() for sidecar in group}
        entries = []
        for name, mode in modes.items():
            if stat.S_ISDIR(mode) and not name.startswith(b"."):
                entries.append(_Entry(prefix + name, folder=True, ancestors=folder.ancestors | {here}))
            elif name not in attached:
                outcome = _outcome(root, fd, prefix, name, mode, sidecars.get(name, ()))
                entries.append(_Entry(prefix + name, outcome=outcome))
    return sorted(entries, key=lambda entry: entry.order)


def _modes(fd: int) -> dict[bytes, int]:
    """Return name → file mode (0 for an entry that vanished) without following links."""
    modes = {}
    for text in os.listdir(fd):
        name = os.fsencode(text)
        try:
            modes[name] = os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
        except OSError:
            modes[name] = 0
    return modes


def _outcome(
    root: Path, fd: int, prefix: bytes, name: bytes, mode: int, sidecars: tuple[bytes, ...]
) -> Candidate | Passed:
    relative = prefix + name
    if mode == 0:
        return Passed(relative, "it vanished while the folder was listed", blocks=True)
    if stat.S_ISLNK(mode):
        return _link(root, fd, relative, name)
    if stat.S_ISDIR(mode):
        return _hidden_folder(relative, name)
    if not stat.S_ISREG(mode):
        reason = f"{beneath.kind_of_special(mode)}, not a file"
        return Passed(relative, reason, blocks=media.has_photo_extension(name))
    if media.has_photo_extension(name) and not name.startswith(b"."):
        return Candidate(relative, tuple(prefix + sidecar for sidecar in sidecars))
    return _by_content(fd, relative, name)


def _by_content(fd: int, relative: bytes, name: bytes) -> Candidate | Passed:
    try:
        kind = media.media_type(_head(fd, name), name=name)
    except OSError as error:
        return Passed(relative, f"it could not be opened to see what it is: {_words(error)}", blocks=True)
    photo = media.is_photo(kind)
    if name.startswith(b"."):
        reason = f"a hidden file ({kind})" + (": a photo; copy it under a plain name to examine it" if photo else "")
        return Passed(relative, reason, blocks=photo)
    if photo:
        return Candidate(relative)
    if media.extension_of(name) == b".xmp":
        return Passed(relative, f"a sidecar without its photo ({kind})", blocks=False)
    return Passed(relative, f"not a photo ({kind})", blocks=False)


def _head(dir_fd: int, name: bytes) -> bytes:
    fd = beneath.open_quietly(name, dir_fd=dir_fd)
    try:
        return os.read(fd, media.HEAD_BYTES)
    finally:
        os.close(fd)


def _hidden_folder(relative: bytes, name: bytes) -> Passed:
    litter = name.lower() in _LITTER_FOLDERS
    reason = "a folder that a program keeps for itself" if litter else "a hidden folder; name it itself to examine it"
    return Passed(relative, reason, blocks=not litter)


def _link(root: Path, fd: int, relative: bytes, name: bytes) -> Passed:
    if not beneath.reading_leaves_no_trace(fd):
        reason = (
            "a symbolic link, neither followed nor read (reading it would change its access time); "
            "what it points to is examined only where it lies in the folder under its own name"
        )
        return Passed(relative, reason, blocks=True)
    try:
        target = (root / os.fsdecode(relative)).resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: pathlib's word for a link loop before Python 3.13
        return Passed(relative, "a symbolic link that leads nowhere", blocks=True)
    if target.is_relative_to(root.resolve()):
        return Passed(relative, "a symbolic link to something listed under its own name", blocks=False)
    return Passed(relative, f"a symbolic link out of the folder, to {target}", blocks=True)


def _sidecars_by_photo(fd: int, names: list[bytes]) -> dict[bytes, tuple[bytes, ...]]:
    """Return photo name → its sidecars: ``a.xmp`` (of every photo called ``a``) and ``a.jpg.xmp``, in any case."""
    sidecars: dict[bytes, list[bytes]] = {}
    for name in sorted(names):
        if _is_sidecar(fd, name):
            sidecars.setdefault(name[: -len(b".xmp")].lower(), []).append(name)
    if not sidecars:
        return {}
    photos = [name for name in names if media.has_photo_extension(name) and not name.startswith(b".")]
    found = {}
    for photo in photos:
        stem = photo[: -len(media.extension_of(photo))].lower()
        found[photo] = tuple(sidecars.get(stem, []) + sidecars.get(photo.lower(), []))
    return {photo: group for photo, group in found.items() if group}


def _is_sidecar(fd: int, name: bytes) -> bool:
    """Say whether a file is an XMP sidecar by its name, and no photo under such a name."""
    if media.extension_of(name) != b".xmp" or name.startswith(b"."):
        return False
    try:
        return not media.is_photo(media.media_type(_head(fd, name), name=name))
    except OSError:
        return True  # whoever takes it in will say why it cannot be read


# --------------------------------------------------------------------------- taking in


def take(root: Path, candidate: Candidate, *, into: Path, copy_limit_bytes: int = COPY_LIMIT_BYTES) -> Taken:
    """Record, hash and copy one file; the stat tuple is taken before the first byte is read.

    The copy is called ``<sha256><extension by magic>``, so that no hostile name
    reaches a tool, and appears whole or not at all.

    Args:
        root: the evidence folder.
        candidate: what :func:`walk` found in it.
        into: an existing folder outside the evidence.
        copy_limit_bytes: longer files are hashed, then refused with their hash in the error's ``source``.

    Raises:
        IntakeFailed: when the file is gone, unreadable, changed while being read, or too long to copy.
        WorkspaceFull: when *into* has no room.
    """
    source, copy, kept = _take_one(root, candidate.relative, into=into, copy_limit_bytes=copy_limit_bytes)
    copies: list[tuple[bytes, str, Path]] = []
    notes: list[str] = []
    for sidecar in candidate.sidecars:
        try:
            beside, beside_copy, beside_kept = _take_one(
                root, sidecar, into=into, copy_limit_bytes=SIDECAR_LIMIT_BYTES, extension=".xmp"
            )
        except IntakeFailed as error:
            notes.append(f"the sidecar {os.fsdecode(sidecar)!r} was not read: {error.reason}")
            continue
        copies.append((sidecar, beside.sha256, beside_copy))
        kept = kept and beside_kept
    found = replace(source, sidecars=tuple(relative for relative, _, _ in copies))
    return Taken(found, copy, tuple(copies), access_time_kept=kept, notes=tuple(notes))


def stat_key(root: Path, relative: bytes) -> tuple[int, ...]:
    """Return (size, mtime, ctime, inode, device) of a file, ``()`` when it is gone: equal keys, unchanged file."""
    try:
        now = beneath.look(root, relative)
    except OSError:
        return ()
    return (now.size_bytes, now.mtime_ns, now.ctime_ns, now.inode, now.device)


def rehash(root: Path, relative: bytes) -> str:
    """Return the SHA-256 of a file as it is now, ``""`` when it cannot be read; :func:`recheck` says why."""
    try:
        with beneath.regular_file(root, relative) as fd, os.fdopen(fd, "rb", closefd=False) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def recheck(root: Path, source: Source) -> Rechecked:
    """Compare a file with what was recorded of it: content, size, modification and inode change time."""
    try:
        now = beneath.look(root, source.relative)
    except OSError as error:
        return Rechecked("", f"it can no longer be read: {_words(error)}")
    sha256 = rehash(root, source.relative)
    before = source.stat
    changes = [
        words
        for words, changed in (
            ("it can no longer be read", not sha256),
            ("its content changed", bool(sha256) and sha256 != source.sha256),
            (f"its size went from {before.size_bytes} to {now.size_bytes} bytes", now.size_bytes != before.size_bytes),
            ("its modification time changed", now.mtime_ns != before.mtime_ns),
            ("its inode change time changed", now.ctime_ns != before.ctime_ns),
        )
        if changed
    ]
    return Rechecked(sha256, "; ".join(changes))


def refuse_inside(output: Path, evidence: Path) -> None:
    """Make sure that *output*, which need not exist yet, lies outside *evidence*.

    Links and ``..`` are resolved, and folders are compared by identity too, so
    that a second mount of the same folder does not hide it.

    Raises:
        EvidenceTreeError: when it lies inside, or is the evidence folder itself.
        UsageError: when the path runs in circles.
    """
    try:
        place, tree = output.resolve(), evidence.resolve()
    except (OSError, RuntimeError) as error:
        raise UsageError(f"{output} cannot be resolved ({error}); choose another output folder") from error
    if place.is_relative_to(tree) or any(_same(ancestor, tree) for ancestor in (place, *place.parents)):
        raise EvidenceTreeError(output, evidence)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _take_one(
    root: Path, relative: bytes, *, into: Path, copy_limit_bytes: int, extension: str = ""
) -> tuple[Source, Path, bool]:
    try:
        with beneath.regular_file(root, relative) as fd:
            before = beneath.file_stat(os.fstat(fd))
            head = os.pread(fd, media.HEAD_BYTES, 0)
            kind = media.media_type(head, name=relative)
            source = Source(source_id_of(relative), relative, "", before, kind)
            copy_wanted = before.size_bytes <= copy_limit_bytes
            partial = into / f"{source.source_id}.partial" if copy_wanted else None
            sha256, length = _hash_and_copy(fd, partial)
            after = beneath.file_stat(os.fstat(fd))
    except OSError as error:
        raise IntakeFailed(f"it could not be read: {_words(error)}", _as_found(root, relative)) from error
    source = replace(source, sha256=sha256)
    _insist_on_stillness(source, after, length, partial)
    if partial is None:
        limit_mb = copy_limit_bytes >> 20
        raise IntakeFailed(f"{before.size_bytes >> 20} MB is more than the {limit_mb} MB that are examined", source)
    copy = into / f"{sha256}{extension or media.plain_extension(kind)}"
    partial.replace(copy)
    return source, copy, after.atime_ns == before.atime_ns


def _hash_and_copy(fd: int, partial: Path | None) -> tuple[str, int]:
    digest = hashlib.sha256()
    length = 0
    with _copy_into(partial) as write:
        while block := os.read(fd, BLOCK_BYTES):
            digest.update(block)
            length += len(block)
            write(block)
    return digest.hexdigest(), length


@contextmanager
def _copy_into(partial: Path | None) -> Iterator[Callable[[bytes], None]]:
    """Yield what writes a block to *partial* (to nowhere for None); a copy that is not finished is removed."""
    if partial is None:
        yield lambda block: None
        return
    with _told_from_reading(partial):
        copy = partial.open("wb", buffering=0)

    def write(block: bytes) -> None:
        rest = memoryview(block)
        with _told_from_reading(partial):
            while rest:
                rest = rest[copy.write(rest) :]

    try:
        with copy:
            yield write
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def _told_from_reading(partial: Path) -> Iterator[None]:
    """Keep trouble with the working folder apart from trouble with the evidence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise WorkspaceFull(partial.parent) from error
        raise UsageError(
            f"working copies cannot be written to {partial.parent}: {_words(error)}; choose another output folder"
        ) from error


def _insist_on_stillness(source: Source, after: FileStat, length: int, partial: Path | None) -> None:
    before = source.stat
    still = (before.size_bytes, before.mtime_ns) == (after.size_bytes, after.mtime_ns) and length == before.size_bytes
    if still:
        return
    if partial is not None:
        partial.unlink(missing_ok=True)
    raise IntakeFailed(
        f"it changed while it was read ({before.size_bytes} bytes at first, {max(length, after.size_bytes)} later); "
        "run again when whatever writes it has finished",
        replace(source, sha256=""),
    )


def _as_found(root: Path, relative: bytes) -> Source | None:
    try:
        return Source(source_id_of(relative), relative, "", beneath.look(root, relative), media.UNKNOWN)
    except OSError:
        return None


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
