"""The file systems of an image, and where in its list the files of each stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Volume:
    """One file system of the image."""

    label: bytes
    start: int  # byte at which it begins
    end: int  # byte behind the last of its partition
    system: Any  # pytsk3.FS_Info
    data_area: int = 0  # byte at which FAT keeps directories and files
    seen: set[int] = field(default_factory=set)  # folders listed already


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, or what is found in one: its record, its path, how deep it lies, whether it was deleted."""

    number: int
    path: bytes
    depth: int
    is_deleted: bool


def live(volume: Volume, path: bytes) -> bytes:
    """Return where a file of a path is listed."""
    return volume.label + b"/" + path


def deleted(volume: Volume, found: Folder) -> bytes:
    """Return where a deleted file is listed, never in the place of another."""
    return b"%b-deleted/%d/%b" % (volume.label, found.number, found.path)


def namesake(volume: Volume, found: Folder) -> bytes:
    """Return where a second file of a path is listed."""
    return b"%b-namesake/%d/%b" % (volume.label, found.number, found.path)
