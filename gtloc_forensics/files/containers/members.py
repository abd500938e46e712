"""What the readers of containers have in common: a member, the reader itself, names that are safe, limits."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from gtloc_forensics.records import FileStat, Sentence, Skipped, Statement, visible

MOST_MEMBERS = 2_000_000
"""Entries of an archive: beyond it the list itself would be the attack."""

MOST_BYTES = 512 << 20
"""Of one member: what a file may have to be examined is no more."""

BOMB_RATIO, BOMB_BYTES = 200, 32 << 20
"""A longer member that was packed tighter than this is no photo: compressed pictures hardly shrink."""

MOST_GROWTH, FREE_BYTES = 100, 4 << 30
"""All members together: at most so many times the archive, and whatever the archive, so much is read."""

NESTED = (
    *(b".zip", b".7z", b".rar", b".tar", b".tgz", b".tbz2", b".txz", b".tar.gz", b".tar.bz2", b".tar.xz"),
    *(b".dd", b".e01", b".ex01", b".aff4", b".vmdk", b".vhd", b".vhdx", b".qcow2"),
)
"""How the names of containers within containers end."""

ATTRIBUTES_OF_A_FILE = 0o100444


class Unreadable(OSError):
    """A member that cannot be read, with the sentence that says why."""

    def __init__(self, reason: Statement) -> None:
        """Keep the reason."""
        super().__init__(errno.EIO, reason)


@dataclass(frozen=True, slots=True)
class Member:
    """One file in a container.

    Attributes:
        path: within the container, unlike that of any other member as far as its reader knows.
        stat: what the container records of it.
        address: how its reader finds it again.
        is_container: by its name it is an image or an archive itself.
        namesake: its path where another member has the first, as files of one folder of an image may whose names say
            nothing to a library; b"" where a second of the same name is not read.
    """

    path: bytes
    stat: FileStat
    address: str
    is_container: bool = False
    namesake: bytes = b""


class Reader(Protocol):
    """Lists and reads the members of one container. It is asked by one thread at a time."""

    libraries: str
    """Which libraries read it, with their versions; "" for Python's own."""

    def members(self) -> Iterator[Member | Skipped]:
        """Yield every file, and what is passed over or not looked at with the reason; paths are within the container.

        Raises:
            OSError: the container cannot be read on.
        """

    def blocks(self, address: str, block_bytes: int) -> Iterator[bytes]:
        """Yield the content of the member at *address*, at most *block_bytes* at a time.

        Raises:
            OSError: it cannot be read, or is not what the container says of it.
        """

    def close(self) -> None:
        """Close what it holds."""


@dataclass(slots=True)
class Allowance:
    """How much an archive may unpack to, so that a small file cannot keep a run busy for ever."""

    archive_bytes: int
    declared_bytes: int = 0

    def refusal(self, size_bytes: int, packed_bytes: int | None, *, is_container: bool = False) -> Sentence | None:
        """Return why a member of a stated size is not read; None where it is.

        An empty disk packs as tightly as a bomb, so that of a container within only the sums count.
        """
        self.declared_bytes += size_bytes
        if (
            packed_bytes is not None
            and not is_container
            and size_bytes > BOMB_BYTES
            and size_bytes > BOMB_RATIO * max(packed_bytes, 1)
        ):
            return Sentence(
                "{packed:raw} bytes that claim to unpack to {size:raw}: no picture packs so tightly; it was not "
                "unpacked",
                packed=packed_bytes,
                size=size_bytes,
            )
        if size_bytes > MOST_BYTES and not is_container:
            return too_long(size_bytes)
        if self.declared_bytes > max(FREE_BYTES, MOST_GROWTH * self.archive_bytes):
            return Sentence(
                "the members up to it claim {declared:raw} bytes, more than {times:raw} times the archive; it was "
                "not unpacked",
                declared=self.declared_bytes,
                times=MOST_GROWTH,
            )
        return None


def too_long(size_bytes: int) -> Sentence:
    """Return why a member of this size is not read."""
    return Sentence(
        "{size_mb:raw} MB is more than the {limit_mb:raw} MB that are examined",
        size_mb=size_bytes >> 20,
        limit_mb=MOST_BYTES >> 20,
    )


def safe(name: bytes) -> tuple[bytes, Sentence | None]:
    """Return a member's name as a path that stays in its container, and what was wrong with it if anything was.

    A leading ``./`` and doubled slashes mean nothing and are left out.
    """
    parts = [part for part in name.split(b"/") if part not in (b"", b".")]
    foreign = name.replace(b"\\", b"/").split(b"/")
    leads_out = b".." in foreign or name.startswith((b"/", b"\\")) or (name[1:2] == b":" and name[:1].isalpha())
    kept = b"/".join(b"%2E%2E" if part == b".." else part.replace(b"\0", b"%00") for part in parts) or b"%"
    if leads_out:
        return kept, Sentence(
            "its name in the archive, {name}, leads out of the folder it would be unpacked to; it was not unpacked",
            name=visible(name),
        )
    if b"\0" in name:
        return kept, Sentence("its name in the archive holds a byte of value zero; it was not unpacked")
    return kept, None


def step(name: bytes) -> bytes:
    """Return one name of a directory of an image as one step of a path."""
    kept = name.replace(b"/", b"%2F").replace(b"\0", b"%00")
    return {b"": b"%", b".": b"%2E", b"..": b"%2E%2E"}.get(kept, kept)


def is_container(name: bytes) -> bool:
    """Say whether a name promises a container within a container."""
    return name.lower().endswith(NESTED)


def link(target: bytes) -> Sentence:
    """Return what is said of a link within a container, which is never followed; *target* is b"" where unknown."""
    known = visible(target)
    return Sentence("a link to {target}, not followed", target=known) if target else Sentence("a link, not followed")


SPECIAL = Sentence("a device, a pipe or a socket, not a file")
ENCRYPTED = Sentence("it is encrypted; unpack it with its password and audit the folder")
WITHIN = Sentence("an image or an archive within this one, which was not opened; gtloc audit --nested opens it")
"""What is said of members that are not read."""
