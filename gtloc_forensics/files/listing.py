"""Folders to Sources: what lies in the evidence, and how it is taken in.

:func:`walk` lists; :func:`take` (of :mod:`gtloc_forensics.files.acquiring`) records and
hashes one file before anything else is done with it and makes the working copy on
which every tool works. Nothing writes beneath the evidence folder; see
:mod:`gtloc_forensics.files.opening` for how it is read. The endless form of :func:`walk`
is :mod:`gtloc_forensics.files.watching`.

No symbolic link is followed, and none is even read on a mount that records
accesses, since that alone would change it. A link therefore *blocks* (something
may be unseen) unless it could be read and points into the folder itself, where
its target is listed under its own name.
"""

from __future__ import annotations

import errno
import os
import stat
from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files import opening, sidecar_names, types
from gtloc_forensics.files.containers.members import is_container
from gtloc_forensics.records import Candidate, Sentence, Skipped

__all__ = ["candidates_among", "walk"]

NAMES_AT_ONCE = 500
"""Names of a folder that are looked at together; of a larger one no more than their names are held."""

# Hidden folders that systems and programs leave on every card or checkout; any other hidden folder blocks.
_LITTER_FOLDERS = frozenset(
    (b".spotlight-v100", b".fseventsd", b".temporaryitems", b".documentrevisions-v100", b".git", b".hg", b".svn")
)


def walk(root: Path) -> Iterator[Candidate | Skipped]:
    """List everything beneath *root*, in the byte order of the relative paths.

    A file is a candidate by its name or by its magic bytes: a ``.jpg`` of zero
    bytes is one, and so is a JPEG without an extension. Hidden files and folders
    are passed over; one that holds a photo, or may, blocks.

    Args:
        root: the evidence folder; a link to a folder is fine here, and only here.

    Raises:
        UsageError: when *root* is no folder or cannot be entered.
    """
    _insist_on_folder(root)
    pending: list[Iterator[_Entry]] = [iter((_Entry(b"", folder=True, ancestors=frozenset()),))]
    while pending:
        entry = next(pending[-1], None)
        if entry is None:
            pending.pop()
        elif entry.outcome is not None:
            yield entry.outcome
        else:
            try:
                pending.append(_listing(root, entry))
            except OSError as error:
                reason = Sentence("a folder that could not be read: {said}", said=opening.words(error))
                yield Skipped(entry.relative or b".", reason, blocks=True)


def _insist_on_folder(root: Path) -> None:
    try:
        with opening.directory(root, b""):
            return
    except NotADirectoryError as error:
        raise UsageError(f"{root} is not a folder; name one that holds photos") from error
    except OSError as error:
        raise UsageError(f"{root} cannot be read: {opening.words(error)}; name a folder that holds photos") from error


@dataclass(frozen=True, slots=True)
class _Entry:
    """One name in a folder: an outcome, or a folder still to be listed."""

    relative: bytes
    folder: bool = False
    outcome: Candidate | Skipped | None = None
    ancestors: frozenset[tuple[int, int]] = frozenset()


def _listing(root: Path, folder: _Entry) -> Iterator[_Entry]:
    """Return what lies in a folder, in order; of a large one the outcomes are worked out as they are asked for."""
    with opening.directory(root, folder.relative) as fd:
        place = os.fstat(fd)
        here = (place.st_dev, place.st_ino)
        if here in folder.ancestors:
            raise OSError(errno.ELOOP, Sentence("it contains itself"))
        modes = _modes(fd)
        pairing = _paired(fd, [name for name, mode in modes.items() if mode > 0 and stat.S_ISREG(mode)])
        attached = {sidecar for group in pairing.of_photo.values() for sidecar in group}
        # With its slash a folder sorts where its contents do, so that depth first is byte order.
        folders = {name for name, mode in modes.items() if _is_listed_folder(name, mode)}
        names = sorted(modes.keys() - (attached - folders), key=lambda name: name + b"/" * (name in folders))
        kinds = array("q", (modes[name] for name in names))
        del modes, attached
        below = _Folder(root, folder.relative, folders, pairing, folder.ancestors | {here})
        if len(names) <= NAMES_AT_ONCE:
            return iter([below.entry(fd, name, mode) for name, mode in zip(names, kinds, strict=True)])
    return below.in_turn(names, kinds)


def _is_listed_folder(name: bytes, mode: int) -> bool:
    return mode > 0 and stat.S_ISDIR(mode) and not name.startswith(b".")


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder whose names are known: what lies under each of them."""

    root: Path
    relative: bytes
    folders: Collection[bytes]
    pairing: sidecar_names.Pairing
    ancestors: frozenset[tuple[int, int]]  # of what lies in it

    def entry(self, fd: int, name: bytes, mode: int) -> _Entry:
        prefix = self.relative + b"/" if self.relative else b""
        if name in self.folders:
            return _Entry(prefix + name, folder=True, ancestors=self.ancestors)
        return _Entry(prefix + name, outcome=_outcome(self.root, fd, prefix, name, mode, self.pairing))

    def in_turn(self, names: Sequence[bytes], modes: Sequence[int]) -> Iterator[_Entry]:
        """Yield the entries of some hundred names at a time, for each of which the folder is opened anew."""
        for first in range(0, len(names), NAMES_AT_ONCE):
            some = zip(names[first : first + NAMES_AT_ONCE], modes[first : first + NAMES_AT_ONCE], strict=True)
            try:
                with opening.directory(self.root, self.relative) as fd:
                    entries = [self.entry(fd, name, mode) for name, mode in some]
            except OSError as error:
                reason = Sentence("a folder that could not be read: {said}", said=opening.words(error))
                yield _Entry(self.relative, outcome=Skipped(self.relative or b".", reason, blocks=True))
                return
            yield from entries


VANISHED, HIDDEN = 0, -1
"""In place of a file mode: of an entry that is gone, and of one that may not be looked at."""


def _modes(fd: int) -> dict[bytes, int]:
    """Return name → file mode, or :data:`VANISHED` or :data:`HIDDEN`, without following links."""
    return {name: _mode(fd, name) for name in opening.names(fd)}


def _mode(fd: int, name: bytes) -> int:
    try:
        return os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return VANISHED
    except OSError:
        return HIDDEN


def _outcome(
    root: Path, fd: int, prefix: bytes, name: bytes, mode: int, pairing: sidecar_names.Pairing
) -> Candidate | Skipped:
    relative = prefix + name
    if mode == VANISHED:
        return Skipped(relative, Sentence("it vanished while the folder was listed"), blocks=True)
    if mode == HIDDEN:
        reason = Sentence(
            "it may not be looked at: its folder may be listed but not entered; give the right to enter it"
        )
        return Skipped(relative, reason, blocks=True)
    if stat.S_ISLNK(mode):
        return _link(root, fd, relative, name)
    if stat.S_ISDIR(mode):
        return _hidden_folder(relative, name)
    if not stat.S_ISREG(mode):
        reason = Sentence("{kind}, not a file", kind=opening.kind_of_special(mode))
        return Skipped(relative, reason, blocks=types.has_photo_extension(name))
    sidecars = tuple(prefix + sidecar for sidecar in pairing.of_photo.get(name, ()))
    if types.has_photo_extension(name) and not name.startswith(b"."):
        return Candidate(relative, sidecars)
    if name in pairing.ambiguous:
        return Skipped(relative, sidecar_names.ambiguous(pairing.ambiguous[name]), blocks=False)
    return _by_content(fd, relative, name, sidecars)


def _by_content(fd: int, relative: bytes, name: bytes, sidecars: tuple[bytes, ...]) -> Candidate | Skipped:
    try:
        kind = types.media_type(_head(fd, name), name=name)
    except OSError as error:
        reason = Sentence("it could not be opened to see what it is: {said}", said=opening.words(error))
        return Skipped(relative, reason, blocks=True)
    photo = types.is_photo(kind)
    if name.startswith(b"."):
        reason = (
            Sentence("a hidden file ({kind}): a photo; copy it under a plain name to examine it", kind=kind)
            if photo
            else Sentence("a hidden file ({kind})", kind=kind)
        )
        return Skipped(relative, reason, blocks=photo)
    if photo:
        return Candidate(relative, sidecars)
    if types.extension_of(name) == b".xmp":
        return Skipped(relative, Sentence("a sidecar without its photo ({kind})", kind=kind), blocks=False)
    if sidecar_names.is_sidecar(name):
        return Skipped(relative, Sentence("a photo service's file without its photo ({kind})", kind=kind), blocks=False)
    if is_container(name):
        reason = Sentence("an image or an archive ({kind}), which was not opened: gtloc audit it by itself", kind=kind)
        return Skipped(relative, reason, blocks=False)
    return Skipped(relative, Sentence("not a photo ({kind})", kind=kind), blocks=False)


def _head(dir_fd: int, name: bytes) -> bytes:
    fd = opening.open_quietly(name, dir_fd=dir_fd)
    try:
        return os.read(fd, types.HEAD_BYTES)
    finally:
        os.close(fd)


def _hidden_folder(relative: bytes, name: bytes) -> Skipped:
    litter = name.lower() in _LITTER_FOLDERS
    reason = (
        Sentence("a folder that a program keeps for itself")
        if litter
        else Sentence("a hidden folder; name it itself to examine it")
    )
    return Skipped(relative, reason, blocks=not litter)


def _link(root: Path, fd: int, relative: bytes, name: bytes) -> Skipped:
    if not opening.reading_leaves_no_trace(fd):
        reason = Sentence(
            "a symbolic link, neither followed nor read (reading it would change its access time); "
            "what it points to is examined only where it lies in the folder under its own name"
        )
        return Skipped(relative, reason, blocks=True)
    try:
        target = (root / os.fsdecode(relative)).resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: pathlib's word for a link loop before Python 3.13
        return Skipped(relative, Sentence("a symbolic link that leads nowhere"), blocks=True)
    if target.is_relative_to(root.resolve()):
        return Skipped(relative, Sentence("a symbolic link to something listed under its own name"), blocks=False)
    reason = Sentence("a symbolic link out of the folder, to {target}", target=str(target))
    return Skipped(relative, reason, blocks=True)


def _paired(fd: int, names: list[bytes]) -> sidecar_names.Pairing:
    """Return which files of a folder describe which photos; see :mod:`gtloc_forensics.files.sidecar_names`."""
    return sidecar_names.paired(name for name in names if not sidecar_names.is_sidecar(name) or _is_sidecar(fd, name))


def _is_sidecar(fd: int, name: bytes) -> bool:
    """Say whether a file with a sidecar's name is one, and no photo under such a name."""
    try:
        return not types.is_photo(types.media_type(_head(fd, name), name=name))
    except OSError:
        return True  # whoever takes it in will say why it cannot be read


def candidates_among(root: Path, folder: bytes, *, names: Collection[bytes]) -> Iterator[Candidate | Skipped]:
    """Classify some files of one folder as :func:`walk` would, without looking at the rest of it.

    A sidecar among *names* stands for the photos it belongs to, since they have to be
    looked at again. Names that are gone, or are folders, are left out.

    Raises:
        OSError: when the folder is gone or cannot be read.
    """
    with opening.directory(root, folder) as fd:
        present = {*opening.names(fd)}
        wanted = {*names, *sidecar_names.changed_by(names, present)} & present
        modes = {name: _mode(fd, name) for name in wanted | {name for name in present if _may_matter(name)}}
        pairing = _paired(fd, [name for name, mode in modes.items() if mode > 0 and stat.S_ISREG(mode)])
        attached = {sidecar for group in pairing.of_photo.values() for sidecar in group}
        prefix = folder + b"/" if folder else b""
        for name in sorted(wanted - attached):
            if modes[name] == HIDDEN or (modes[name] and not stat.S_ISDIR(modes[name])):
                yield _outcome(root, fd, prefix, name, modes[name], pairing)


def _may_matter(name: bytes) -> bool:
    """Say whether a name can be part of a pairing of photos and sidecars."""
    return sidecar_names.is_sidecar(name) or sidecar_names.may_be_photo(name)
