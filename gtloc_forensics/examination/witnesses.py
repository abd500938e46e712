"""Catalogues of photo programs as second witnesses: taken in like evidence, read from a copy, matched to the photos.

A catalogue is hashed and copied with its journal before anything looks into it; not a byte of it, nor of what lies
beside it, changes. It is matched to the photos by their paths: evidence is mostly a copy that lies elsewhere, so the
ends of the paths decide, and a size where the catalogue keeps one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from gtloc_forensics.errors import UsageError
from gtloc_forensics.examination.prefetch import chunks
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.files import acquiring
from gtloc_forensics.metadata import catalogues
from gtloc_forensics.records import (
    Absent,
    Catalogue,
    Scalar,
    SecondWitness,
    Sentence,
    Skipped,
    Source,
    Statement,
    visible,
)
from gtloc_forensics.store.database import Store

LIMIT_BYTES = 8 << 30
"""A longer catalogue is not copied, and so not read."""

JOURNALS = (b"-wal", b"-journal")
"""What SQLite may keep beside a database: without it the last changes, or a whole state, are missing."""

IN_FOLDERS = ("Manifest.db", "database/Photos.sqlite", "PhotoData/Photos.sqlite", "Media/PhotoData/Photos.sqlite")
"""What is looked for in a folder that is named as a catalogue."""

ROWS_AT_ONCE = 500

FEWEST_PARTS = 2
"""Parts of a path, the file's name among them, that have to be the same where no size confirms them."""


@dataclass(frozen=True, slots=True)
class Consulted:
    """The catalogues that were looked at, and what they keep of each photo.

    Attributes:
        looked_at: each with its hashes.
        of_photo: source id → what the catalogues keep of it.
        matched: photos of each catalogue that are among those of the case, in the order of ``looked_at``.
    """

    looked_at: tuple[LookedAt, ...] = ()
    of_photo: Mapping[str, tuple[SecondWitness, ...]] = field(default_factory=dict)
    matched: tuple[int, ...] = ()

    def told(self, entries: Sequence[Skipped]) -> tuple[Skipped, ...]:
        """Return what lies among the photos with what became of each catalogue in it."""
        outcomes = {
            looked.relative: looked.outcome(photos)
            for looked, photos in zip(self.looked_at, self.matched, strict=True)
            if looked.relative
        }
        return tuple(outcomes.get(entry.relative, entry) for entry in entries)

    def labels(self) -> dict[str, Statement]:
        """Return the path of each catalogue → what it is; a report prints them with the environment."""
        pairs = zip(self.looked_at, self.matched, strict=True)
        return {looked.name: looked.label(photos) for looked, photos in pairs}

    def taken(self) -> Iterator[tuple[str, dict[str, Scalar]]]:
        """Yield the path and the hashes of each catalogue for the custody chain, those at the end of the run too."""
        for looked in self.looked_at:
            at_end = {name: acquiring.rehash(looked.folder, name) for name in looked.sha256}
            yield (
                looked.name,
                {
                    **{f"sha256 of {visible(name)}": sha256 for name, sha256 in looked.sha256.items()},
                    "changed": sum(at_end[name] != sha256 for name, sha256 in looked.sha256.items()),
                    "reader": catalogues.VERSION,
                },
            )


@dataclass(frozen=True, slots=True)
class LookedAt:
    """One catalogue: where it is, what its files hash to, and what was read of it or why it was not."""

    folder: Path
    relative: bytes  # beneath the evidence folder; b"" for one that was given by its path
    sha256: Mapping[bytes, str]  # the catalogue and its journals, relative to ``folder``
    read: Catalogue | Statement

    @property
    def name(self) -> str:
        """Its path for people."""
        return visible(self.relative or os.fsencode(self.folder / os.fsdecode(next(iter(self.sha256)))))

    def label(self, photos: int) -> Statement:
        """Return what it is, in one line."""
        sha256 = next(iter(self.sha256.values()))
        if not isinstance(self.read, Catalogue):
            return Sentence("not read: {reason}", reason=self.read)
        said = Sentence(
            "{program}, version {version}, SHA-256 {sha256}; {photos} of its {entries} photos are among these",
            program=self.read.program,
            version=self.read.version or "?",
            sha256=sha256,
            photos=photos,
            entries=len(self.read.witnesses),
        )
        return Sentence("{said}; {doubt}", said=said, doubt=self.read.doubt) if self.read.doubt else said

    def outcome(self, photos: int) -> Skipped:
        """Return what is told of one that lies among the photos."""
        if not isinstance(self.read, Catalogue):
            reason = Sentence("a catalogue that could not be read as a second witness: {reason}", reason=self.read)
            return Skipped(self.relative, reason, blocks=True)
        read = Sentence(
            "a catalogue of {program}, read as a second witness of {photos} photos",
            program=self.read.program,
            photos=photos,
        )
        told = Sentence("{said}; {doubt}", said=read, doubt=self.read.doubt) if self.read.doubt else read
        return Skipped(self.relative, told, blocks=False)


def given(paths: Iterable[Path], work: Path, *, password: bytes = b"") -> tuple[LookedAt, ...]:
    """Return the catalogues that somebody named.

    Raises:
        UsageError: one of them is not there, or cannot be read as a catalogue.
    """
    found = []
    for path in map(_file_of, paths):
        try:
            looked = _look(path.parent, os.fsencode(path.name), work, password)
        except (acquiring.IntakeFailed, catalogues.NotRead) as error:
            raise UsageError(
                f"{path} cannot be read as a catalogue: {error.reason}; leave --catalogue out, or name another file"
            ) from error
        if not isinstance(looked.read, Catalogue):
            raise UsageError(f"{path} cannot be read as a catalogue: {looked.read}; leave --catalogue out")
        found.append(looked)
    return tuple(found)


class Watched:
    """The catalogues of a case that is concluded again and again: read anew each time, for they go on being written."""

    def __init__(self, root: Path, work: Path, settings: Settings) -> None:
        """Read the named catalogues a first time, so that what cannot be read is told at once.

        Args:
            root: the evidence folder.
            work: a folder for working copies, which last for one reading each.
            settings: name the catalogues and the password of a backup.

        Raises:
            UsageError: a named catalogue cannot be read.
        """
        self._root, self._work = root, work
        self._paths = settings.catalogues
        self._password = password_in(settings.backup_password)
        self._last = {path: self._given(path) for path in self._paths}

    def consult(self, store: Store, rows: Sequence[int], entries: Iterable[Skipped]) -> tuple[Consulted, list[str]]:
        """Return what the catalogues keep now, and what could not be read again: there the reading before stands.

        Args:
            store: of the case.
            rows: its photos.
            entries: what lies among the photos and is none.
        """
        troubles = []
        for path in self._paths:
            try:
                self._last[path] = self._given(path)
            except UsageError as error:
                troubles.append(f"{error}; what it held before stands")
        with self._copies() as work:
            lying = among(self._root, entries, work, password=self._password)
        return consult(self._root, store, rows, (*self._last.values(), *lying)), troubles

    def _given(self, path: Path) -> LookedAt:
        with self._copies() as work:
            return given([path], work, password=self._password)[0]

    @contextmanager
    def _copies(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="catalogues-", dir=self._work) as folder:
            yield Path(folder)


def _file_of(path: Path) -> Path:
    """Return the file to read of a folder: of a backup, of a Photos library, of what was copied from a telephone."""
    if not path.is_dir():
        return path
    return next((path / inside for inside in IN_FOLDERS if (path / inside).is_file()), path)


def among(root: Path, entries: Iterable[Skipped], work: Path, *, password: bytes = b"") -> tuple[LookedAt, ...]:
    """Return the catalogues that lie among the photos; what only has the name of one is left as it was listed."""
    found = []
    for entry in entries:
        if catalogues.may_be_catalogue(visible(entry.relative.rpartition(b"/")[2])):
            try:
                found.append(replace(_look(root, entry.relative, work, password), relative=entry.relative))
            except (acquiring.IntakeFailed, catalogues.NotRead):
                continue  # a link, a folder, another program's database: the listing says what it is
    return tuple(found)


def _look(folder: Path, name: bytes, work: Path, password: bytes) -> LookedAt:
    """Hash, copy and read one catalogue.

    Raises:
        NotRead: it is no catalogue of a known program; one that is damaged comes back with the reason.
        IntakeFailed: it could not be taken in.
    """
    copies = _Copies(folder, work)
    copy = copies.take(name, {name + journal: journal.decode() for journal in JOURNALS})
    shown = visible(os.fsencode(folder / os.fsdecode(name)))
    try:
        if catalogues.ios_backup.is_manifest(visible(name.rpartition(b"/")[2])):
            read = _of_backup(copies, copy, beside=name.rpartition(b"/")[0], shown=shown, password=password)
        else:
            read = catalogues.read(copy, source=shown)
        return LookedAt(folder, b"", copies.sha256, read)
    except catalogues.NotRead as error:
        if not error.is_recognised:
            raise
        return LookedAt(folder, b"", copies.sha256, error.reason)


def _of_backup(copies: _Copies, manifest: Path, *, beside: bytes, shown: str, password: bytes) -> Catalogue:
    """Return what the library of Photos in a backup keeps; its parts are found by the backup's table of contents.

    Raises:
        NotRead: a part is not there or cannot be read or decrypted.
    """
    prefix = beside + b"/" if beside else b""
    keys = None
    try:
        if catalogues.ios_backup.is_encrypted(manifest):
            keys = _keys(copies, prefix, password)
            manifest = keys.open_manifest(manifest, manifest.with_name(f"{manifest.name}-open"))
        backup = catalogues.ios_backup.read(manifest)
        journals = {prefix + backup.journal.encode(): "-wal"} if backup.journal else {}
        copy = copies.take(prefix + backup.library.encode(), journals)
    except acquiring.IntakeFailed as error:
        reason = Sentence("a part of the backup cannot be taken in: {reason}", reason=error.reason)
        raise catalogues.NotRead(reason) from error
    if keys is not None:
        copy = _opened(keys, backup, copy)
    return backup.named(catalogues.read(copy, source=shown))


def _keys(copies: _Copies, prefix: bytes, password: bytes) -> catalogues.encrypted_backup.Keys:
    """Unlock the keys of a backup.

    Raises:
        NotRead: no password was given, the library that decrypts is missing, or the password is another one.
    """
    if not password:
        raise catalogues.NotRead(
            Sentence(
                "it is no database that can be read: damaged, or encrypted, as that of a backup with a password is; "
                "give the password by --backup-password"
            )
        )
    if not catalogues.encrypted_backup.is_possible():
        raise catalogues.NotRead(
            Sentence("backups with a password are decrypted by the extra backup, which is not installed")
        )
    return catalogues.encrypted_backup.Keys(copies.take(prefix + b"Manifest.plist", {}), password)


def _opened(keys: catalogues.encrypted_backup.Keys, backup: catalogues.ios_backup.Backup, copy: Path) -> Path:
    """Decrypt the library, and its journal where the backup holds one."""
    opened = copy.with_name(f"{copy.name}-open")
    keys.open_file(copy, opened, record=backup.records.get(backup.library, b""))
    journal = copy.with_name(f"{copy.name}-wal")
    if journal.exists() and backup.journal in backup.records:
        keys.open_file(journal, opened.with_name(f"{opened.name}-wal"), record=backup.records[backup.journal])
    return opened


def password_in(file: Path | None) -> bytes:
    """Return the password that stands in the first line of a file; nothing where no file is named.

    Raises:
        UsageError: the file cannot be read or is empty.
    """
    if file is None:
        return b""
    try:
        password = file.read_bytes().partition(b"\n")[0].rstrip(b"\r")
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}); name a file with the backup's password") from error
    if not password:
        raise UsageError(f"the first line of {file} is empty; it has to be the backup's password")
    return password


class _Copies:
    """Working copies of the parts of one catalogue, and the hash of each part."""

    def __init__(self, folder: Path, work: Path) -> None:
        self._folder = folder
        self._work = work
        self.sha256: dict[bytes, str] = {}

    def take(self, name: bytes, journals: Mapping[bytes, str]) -> Path:
        """Take in one part with its journals (name → what SQLite wants behind the name of the copy).

        Raises:
            IntakeFailed: the part could not be taken in; a journal may be missing.
        """
        copy = self._take(name)
        for journal, ending in journals.items():
            try:
                self._take(journal).replace(copy.with_name(copy.name + ending))
            except acquiring.IntakeFailed:
                continue  # mostly there is none
        return copy

    def _take(self, name: bytes) -> Path:
        source, copy = acquiring.take_beside(self._folder, name, into=self._work, copy_limit_bytes=LIMIT_BYTES)
        self.sha256[name] = source.sha256
        return copy


# --------------------------------------------------------------------------- which photo is meant


def consult(root: Path, store: Store, rows: Sequence[int], looked_at: Sequence[LookedAt]) -> Consulted:
    """Match the entries of catalogues to the photos of a case; a photo that two entries fit as well has no witness.

    Args:
        root: the evidence folder.
        store: of the case.
        rows: its photos.
        looked_at: the catalogues.
    """
    if not looked_at:
        return Consulted()
    known = _Paths(root, [source for group in chunks(iter(rows), ROWS_AT_ONCE) for source in store.sources(group)])
    of_photo: dict[str, tuple[SecondWitness, ...]] = {}
    matched = []
    for looked in looked_at:
        entries = looked.read.witnesses if isinstance(looked.read, Catalogue) else ()
        found = known.matched(entries)
        matched.append(len(found))
        for source_id, witness in found.items():
            of_photo[source_id] = (*of_photo.get(source_id, ()), witness)
    return Consulted(tuple(looked_at), of_photo, tuple(matched))


class _Paths:
    """The photos of a case by their names."""

    def __init__(self, root: Path, sources: Sequence[Source]) -> None:
        above = _parts(visible(os.fsencode(root.resolve())))
        self._by_name: dict[str, list[tuple[Source, tuple[str, ...], int]]] = {}
        for source in sources:
            own = _parts(source.display_path)
            self._by_name.setdefault(own[-1], []).append((source, (*above, *own), len(own)))

    def matched(self, witnesses: Iterable[SecondWitness]) -> dict[str, SecondWitness]:
        """Return source id → the entry that is of it."""
        best: dict[str, tuple[int, list[SecondWitness]]] = {}
        for witness in witnesses:
            for source_id, shared in self._fitting(witness).items():
                most, group = best.get(source_id, (0, []))
                if shared > most:
                    best[source_id] = (shared, [witness])
                elif shared == most:
                    group.append(witness)
        return {source_id: group[0] for source_id, (_, group) in best.items() if len(group) == 1}

    def _fitting(self, witness: SecondWitness) -> dict[str, int]:
        """Return source id → the most parts that one of an entry's paths has in common with that photo's."""
        found: dict[str, int] = {}
        for path in (witness.photo_path, *witness.other_paths):
            parts = _parts(path)
            for source, whole, own in self._by_name.get(parts[-1], ()) if parts else ():
                shared = _shared(parts, whole)
                if _fits(source, witness, shared=shared, own=own, entry=len(parts)):
                    found[source.source_id] = max(shared, found.get(source.source_id, 0))
        return found


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in path.casefold().split("/") if part)


def _shared(parts: Sequence[str], whole: Sequence[str]) -> int:
    """Return how many parts two paths have in common, counted from the file's name."""
    pairs = zip(reversed(parts), reversed(whole), strict=False)
    return next((count for count, (one, other) in enumerate(pairs) if one != other), min(len(parts), len(whole)))


def _fits(source: Source, witness: SecondWitness, *, shared: int, own: int, entry: int) -> bool:
    """Whether an entry is of a photo: by name and size, or by the whole of one of the two paths."""
    if not isinstance(witness.size_bytes, Absent) and witness.size_bytes == source.stat.size_bytes:
        return True
    return shared >= FEWEST_PARTS and (shared >= own or shared == entry)
