"""Files of the evidence, as they were found."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from gtloc_forensics.records.absence import visible
from gtloc_forensics.records.sentences import Statement
from gtloc_forensics.records.tags import Tags


@dataclass(frozen=True, slots=True)
class FileStat:
    """The stat tuple as found, before anything else touched the file.

    Of a file in an image or an archive it is what that records of it; a time that is not
    recorded is 0 there, ``inode`` is the number of its record and ``device`` stands for
    the content of the whole container.

    Attributes:
        is_local: the times are of a clock whose zone nobody recorded; they are kept as if it had been UTC.
        mtime_step_ns, birth_step_ns: how finely the two times are recorded; 0: as finely as they are kept.
        is_deleted: the entry was deleted, and what was left of it was read.
        is_carved: there is no entry: it was found in space that no file claims by how photos begin, so that its name
            and this record are ours, ``inode`` is the byte at which it lies, and it may be in pieces.
        etag, version: by which an object store tells this content from every other that lay under the name; "" for
            a file, and where the store gives none.
    """

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    atime_ns: int
    mode: int
    inode: int
    device: int
    links: int
    birth_ns: int | None = None
    is_local: bool = False
    mtime_step_ns: int = 0
    birth_step_ns: int = 0
    is_deleted: bool = False
    is_carved: bool = False
    etag: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that is, or by its name should be, a photo or a video; with the XMP sidecars beside it."""

    relative: bytes
    sidecars: tuple[bytes, ...] = ()  # relative, like ``relative``


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the evidence, hashed before anything else was done with it.

    ``relative`` are the bytes of the path below the evidence folder (POSIX
    separators): file names are bytes, and two names may differ only in bytes
    that are not text. ``source_id`` names the path (``source_id_of``), ``sha256``
    the content: two copies are two sources of one content.
    """

    source_id: str
    relative: bytes
    sha256: str
    stat: FileStat
    media_type: str  # by magic bytes: "image/jpeg", "image/heic", "video/mp4", "application/octet-stream", …
    sidecars: tuple[bytes, ...] = ()  # relative paths of XMP sidecars found beside it

    @property
    def display_path(self) -> str:
        """The path as text in which every odd byte, control and bidi character is visible."""
        return visible(self.relative)


def source_id_of(relative: bytes) -> str:
    """Return the 16 hex digits that name one path of the evidence, whatever its content."""
    return hashlib.blake2b(relative, digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class TagsRead:
    """Everything a reader (exiftool) found in one file, and what it found odd about it."""

    tags: Tags
    warnings: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """A file whose metadata could not be read: one sentence for people, and the reader's own words."""

    reason: Statement
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry of the evidence tree that is not a photo candidate, and why it was passed over.

    ``blocks`` is true where something could not be looked at (no permission, a
    name that vanished, a loop), false for what is simply not a photo. ``may_pass``
    is true where trying again a little later may help; it is of the moment, and not kept.
    """

    relative: bytes
    reason: Statement
    blocks: bool
    may_pass: bool = False


@dataclass(frozen=True, slots=True)
class Unexamined:
    """A stage that could not do its work on one source, and why. Never a clean result."""

    source_id: str
    stage: str  # "intake", "metadata", "decode", "vision", "check:GF101", …
    reason: Statement  # one sentence for a person, ending with a remedy where there is one
    detail: str = ""  # traceback or tool output, for the database only
