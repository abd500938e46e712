"""What catalogues of photo programs keep of photos: second witnesses of time and place.

A reader is a module with ``PROGRAM``, ``recognises(tables)`` and ``read(tables, source=…)``; :data:`READERS` lists
them, and a further program or telephone is one module and one line more. A reader asks which columns are there and
assumes none; what a program itself calls an estimate it leaves out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from gtloc_forensics.metadata.catalogues import (
    apple_photos,
    digikam,
    encrypted_backup,
    ios_backup,
    lightroom,
    media_store,
    photoprism,
)
from gtloc_forensics.metadata.catalogues.tables import NotRead, Tables
from gtloc_forensics.records import Catalogue, Sentence

__all__ = [
    "NAMES",
    "READERS",
    "VERSION",
    "NotRead",
    "Reader",
    "encrypted_backup",
    "ios_backup",
    "may_be_catalogue",
    "read",
]

VERSION = "2"
"""Of all readers together: raise it when one of them reads something else out of the same catalogue."""


@dataclass(frozen=True, slots=True)
class Reader:
    """How one program's catalogue is known and read."""

    program: str
    recognises: Callable[[Tables], bool]
    read: Callable[..., Catalogue]


READERS = tuple(
    Reader(module.PROGRAM, module.recognises, module.read)
    for module in (digikam, lightroom, photoprism, apple_photos, media_store)
)

NAMES = (*digikam.NAMES, *lightroom.NAMES, *photoprism.NAMES, *apple_photos.NAMES, *media_store.NAMES, "manifest.db")
"""How the files of catalogues are called: whole names, patterns with a star, endings that begin with a full stop."""


def may_be_catalogue(name: str) -> bool:
    """Return whether a file that lies among photos may be a catalogue, by its name."""
    lower = name.lower()
    return any(lower.endswith(known) if known.startswith(".") else fnmatchcase(lower, known) for known in NAMES)


def read(copy: Path, *, source: str) -> Catalogue:
    """Return what a catalogue keeps of photos.

    Args:
        copy: a working copy of it, never the catalogue itself: SQLite may write beside what it opens.
        source: the catalogue's own path, for people.

    Raises:
        NotRead: it is no catalogue of a program that is known here, or lacks what is needed of it.
    """
    with Tables(copy) as tables:
        for reader in READERS:
            if reader.recognises(tables):
                return reader.read(tables, source=source)
    programs = tuple(reader.program for reader in READERS)
    raise NotRead(
        Sentence("it is a database, but no catalogue of {programs:or}", programs=programs), is_recognised=False
    )
