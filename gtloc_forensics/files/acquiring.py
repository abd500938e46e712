"""Taking one file in: its stat tuple, its hash, and the working copy that every tool reads instead of it.

The stat tuple is recorded before the first byte is read; one pass hashes and
copies; a file that changes meanwhile is refused. Trouble with the evidence is an
:class:`IntakeFailed` of that file, trouble with the place for copies is not.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gtloc_forensics.errors import ForensicsError, UsageError
from gtloc_forensics.files import hashing, opening, reading, types
from gtloc_forensics.records import Candidate, FileStat, Sentence, Source, Statement, source_id_of, visible

COPY_LIMIT_BYTES = 512 << 20  # a longer video is hashed but not copied: the copy is what tools would read
SIDECAR_LIMIT_BYTES = 16 << 20
_SHARES_KEEP_NS = 1_000_000  # SMB keeps 100 ns


class IntakeFailed(ForensicsError):
    """One file could not be taken in; ``source`` holds as much of it as could be recorded."""

    def __init__(self, reason: Statement, source: Source | None = None) -> None:
        """Keep why, and what could be recorded of the file."""
        self.reason = reason
        self.source = source  # sha256 is "" unless the whole file was read
        super().__init__(reason)


class StillWritten(IntakeFailed):
    """A file changed while it was read: somebody is still writing it, and later it may be whole."""


@dataclass(frozen=True, slots=True)
class UnreadSidecar:
    """A sidecar that lies beside a file and could not be taken in; its hash is "" where it could not be read."""

    relative: bytes
    sha256: str
    reason: Statement


@dataclass(frozen=True, slots=True)
class Taken:
    """One file taken in: its record, and the copy that tools may read."""

    source: Source
    working_copy: Path
    sidecar_copies: tuple[tuple[bytes, str, Path], ...]  # (relative, sha256, copy)
    access_time_kept: bool
    unread_sidecars: tuple[UnreadSidecar, ...] = ()

    @property
    def sidecar_hashes(self) -> dict[bytes, str]:
        """The SHA-256 of every sidecar by its relative path, "" for one that could not be read."""
        read = {relative: sha256 for relative, sha256, _ in self.sidecar_copies}
        return read | {sidecar.relative: sidecar.sha256 for sidecar in self.unread_sidecars}

    def head(self, most_bytes: int) -> bytes:
        """Return the beginning of the working copy, b"" when that is gone."""
        try:
            with opening.quiet_file(self.working_copy) as file:
                return file.read(most_bytes)
        except OSError:
            return b""


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What a file is at the end of the run: its hash ("" when it cannot be read), and what changed ("" for nothing)."""

    sha256: str
    reason: Statement


def take(root: Path, candidate: Candidate, *, into: Path, copy_limit_bytes: int = COPY_LIMIT_BYTES) -> Taken:
    """Record, hash and copy one file; the stat tuple is taken before the first byte is read.

    The copy is called ``<sha256><extension by magic>``, so that no hostile name
    reaches a tool, and appears whole or not at all.

    Args:
        root: the evidence, a folder or a container.
        candidate: what :func:`gtloc_forensics.files.reading.entries` found in it.
        into: an existing folder outside the evidence.
        copy_limit_bytes: longer files are hashed, then refused with their hash in the error's ``source``.

    Raises:
        IntakeFailed: when the file is gone, unreadable, changed while being read, or too long to copy.
        WorkspaceFull: when *into* has no room.
    """
    source, copy, kept = _take_one(root, candidate.relative, into=into, copy_limit_bytes=copy_limit_bytes)
    copies: list[tuple[bytes, str, Path]] = []
    unread: list[UnreadSidecar] = []
    for sidecar in candidate.sidecars:
        try:
            beside, beside_copy, beside_kept = _take_one(
                root,
                sidecar,
                into=into,
                copy_limit_bytes=SIDECAR_LIMIT_BYTES,
                extension=os.fsdecode(types.extension_of(sidecar)),
            )
        except IntakeFailed as error:
            unread.append(UnreadSidecar(sidecar, error.source.sha256 if error.source else "", error.reason))
            continue
        copies.append((sidecar, beside.sha256, beside_copy))
        kept = kept and beside_kept
    taken = Taken(source, copy, tuple(copies), access_time_kept=kept, unread_sidecars=tuple(unread))
    return replace(taken, source=replace(source, sidecars=tuple(sorted(taken.sidecar_hashes))))


def as_listed(taken: Taken, listed: FileStat) -> Taken:
    """Return *taken* with the stat tuple that the machine of the case *listed*; as it was where that is another file.

    Two machines that share a folder see one length and one modification time, but not always one
    device, inode or birth time.
    """
    return replace(taken, source=replace(taken.source, stat=listed)) if is_alike(taken.source.stat, listed) else taken


def is_alike(found: FileStat, listed: FileStat) -> bool:
    """Say whether two machines may have looked at one file: one length, one time as far as shares keep it."""
    return found.size_bytes == listed.size_bytes and abs(found.mtime_ns - listed.mtime_ns) < _SHARES_KEEP_NS


def take_beside(root: Path, relative: bytes, *, into: Path, copy_limit_bytes: int) -> tuple[Source, Path]:
    """Record, hash and copy one file that is no photo and that a tool is to read; return its record and the copy.

    Raises:
        IntakeFailed, WorkspaceFull: as :func:`take`.
    """
    source, copy, _ = _take_one(root, relative, into=into, copy_limit_bytes=copy_limit_bytes)
    return source, copy


def stat_key(root: Path, relative: bytes) -> tuple[int, ...]:
    """Return (size, mtime, ctime, inode, device) of a file, ``()`` when it is gone: equal keys, unchanged file."""
    try:
        now = reading.as_listed(root, relative)
    except OSError:
        return ()
    return (now.size_bytes, now.mtime_ns, now.ctime_ns, now.inode, now.device)


def rehash(root: Path, relative: bytes) -> str:
    """Return the SHA-256 of a file as it is now, ``""`` when it cannot be read; :func:`recheck` says why."""
    try:
        with reading.source_file(root, relative) as file:
            return hashing.sha256_of_blocks(file.blocks())[0]
    except OSError:
        return ""


def recheck(root: Path, source: Source) -> Rechecked:
    """Compare a file with what was recorded of it: content, size, modification and inode change time."""
    try:
        now = reading.look(root, source.relative)
    except OSError as error:
        return Rechecked("", Sentence("it can no longer be read: {said}", said=opening.words(error)))
    sha256 = rehash(root, source.relative)
    before = source.stat
    changes = [
        said
        for said, changed in (
            (Sentence("it can no longer be read"), not sha256),
            (Sentence("its content changed"), bool(sha256) and sha256 != source.sha256),
            (_of_sizes(before.size_bytes, now.size_bytes), now.size_bytes != before.size_bytes),
            (Sentence("its modification time changed"), now.mtime_ns != before.mtime_ns),
            (Sentence("its inode change time changed"), now.ctime_ns != before.ctime_ns),
            (_of_marks("ETag", before.etag, now.etag), now.etag != before.etag),
            (_of_marks("version", before.version, now.version), now.version != before.version),
        )
        if changed
    ]
    return Rechecked(sha256, together(changes))


def _of_sizes(before_bytes: int, now_bytes: int) -> Sentence:
    return Sentence(
        "its size went from {before_bytes:raw} to {now_bytes:raw} bytes", before_bytes=before_bytes, now_bytes=now_bytes
    )


def _of_marks(mark: str, before: str, now: str) -> Sentence:
    return Sentence("its {mark} in the store went from {before} to {now}", mark=mark, before=before, now=now)


def together(changes: Sequence[Statement]) -> Statement:
    """Return several things that changed as one, "" for none."""
    return Sentence("{changes:list}", changes=tuple(changes)) if changes else ""


def sidecar_changes(root: Path, recorded: Mapping[bytes, str]) -> Iterator[Sentence]:
    """Yield one sentence for each sidecar whose content is not the one with the *recorded* hash."""
    for relative, sha256 in sorted(recorded.items()):
        now = rehash(root, relative)
        if now != sha256:
            name = visible(relative)
            yield (
                Sentence("its sidecar {name} changed", name=name)
                if now
                else Sentence("its sidecar {name} can no longer be read", name=name)
            )


def _take_one(
    root: Path, relative: bytes, *, into: Path, copy_limit_bytes: int, extension: str = ""
) -> tuple[Source, Path, bool]:
    try:
        with reading.source_file(root, relative) as file:
            before = file.stat()
            _insist_on_what_was_listed(relative, before, file.listed())
            kind = types.media_type(file.head(), name=relative)
            source = Source(source_id_of(relative), relative, "", before, kind)
            copy_wanted = before.size_bytes <= copy_limit_bytes
            partial = into / f"{source.source_id}.partial" if copy_wanted else None
            sha256, length = _hash_and_copy(file, partial)
            after = file.stat()
    except OSError as error:
        reason = Sentence("it could not be read: {said}", said=opening.words(error))
        raise IntakeFailed(reason, _as_found(root, relative)) from error
    source = replace(source, sha256=sha256)
    _insist_on_stillness(source, after, length, partial)
    if partial is None:
        reason = Sentence(
            "{size_mb:raw} MB is more than the {limit_mb:raw} MB that are examined",
            size_mb=before.size_bytes >> 20,
            limit_mb=copy_limit_bytes >> 20,
        )
        raise IntakeFailed(reason, source)
    copy = into / f"{sha256}{extension or types.plain_extension(kind)}"
    partial.replace(copy)
    return source, copy, after.atime_ns == before.atime_ns


def _hash_and_copy(file: reading.OpenFile, partial: Path | None) -> tuple[str, int]:
    with _copy_into(partial) as write:
        return hashing.sha256_of_blocks(file.blocks(), write=write)


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
        with opening.told_when_full(partial.parent):
            yield
    except OSError as error:
        raise UsageError(
            f"working copies cannot be written to {partial.parent}: {opening.words(error)}; "
            "choose another output folder"
        ) from error


def _insist_on_what_was_listed(relative: bytes, now: FileStat, listed: FileStat | None) -> None:
    if listed is None or _content(now) == _content(listed):
        return
    raise StillWritten(
        Sentence(
            "it was replaced in the store after it was listed ({before}, then {now}); run again",
            before=_told(listed),
            now=_told(now),
        ),
        Source(source_id_of(relative), relative, "", now, types.UNKNOWN),
    )


def _content(stat: FileStat) -> tuple[object, ...]:
    """Return what tells one content of a name from another before it is read; a listing names no version."""
    return stat.size_bytes, stat.mtime_ns, stat.etag


def _told(stat: FileStat) -> Statement:
    if stat.etag:
        return Sentence("{size:raw} bytes, ETag {etag}", size=stat.size_bytes, etag=stat.etag)
    return Sentence("{size:raw} bytes", size=stat.size_bytes)


def _insist_on_stillness(source: Source, after: FileStat, length: int, partial: Path | None) -> None:
    before = source.stat
    still = _content(before) == _content(after) and length == before.size_bytes
    if still:
        return
    if partial is not None:
        partial.unlink(missing_ok=True)
    raise StillWritten(
        Sentence(
            "it changed while it was read ({before_bytes:raw} bytes at first, {later_bytes:raw} later); "
            "run again when whatever writes it has finished",
            before_bytes=before.size_bytes,
            later_bytes=max(length, after.size_bytes),
        ),
        replace(source, sha256=""),
    )


def _as_found(root: Path, relative: bytes) -> Source | None:
    try:
        return Source(source_id_of(relative), relative, "", reading.look(root, relative), types.UNKNOWN)
    except OSError:
        return None
