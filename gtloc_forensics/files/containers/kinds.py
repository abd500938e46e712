"""What a container is, by its magic bytes, and which files belong to it: the segments of a split image."""

from __future__ import annotations

import itertools
import os
import re
import string
from collections.abc import Callable, Iterator
from enum import Enum, unique
from pathlib import Path

from gtloc_forensics.errors import UsageError
from gtloc_forensics.files import opening

HEAD_BYTES = 512


@unique
class Kind(Enum):
    """A kind of container that is read."""

    RAW = "raw image"
    EWF = "EWF image"
    ZIP = "zip archive"
    TAR = "tar archive"
    SEVEN_ZIP = "7z archive"


_MAGICS = (
    (0, b"EVF\x09\x0d\x0a\xff\x00", Kind.EWF),
    (0, b"EVF2\x0d\x0a\x81\x00", Kind.EWF),
    (0, b"PK\x03\x04", Kind.ZIP),
    (0, b"PK\x05\x06", Kind.ZIP),
    (0, b"7z\xbc\xaf\x27\x1c", Kind.SEVEN_ZIP),
    (257, b"ustar", Kind.TAR),
)
_PACKED: tuple[tuple[bytes, tuple[bytes, ...]], ...] = (
    (b"\x1f\x8b\x08", (b".tar.gz", b".tgz")),
    (b"BZh", (b".tar.bz2", b".tbz2", b".tbz")),
    (b"\xfd7zXZ\0", (b".tar.xz", b".txz")),
    (b"\x28\xb5\x2f\xfd", ()),  # zstd: Python of this age unpacks none
)
"""How what is packed as a whole begins, and how the names of such tars end that are read."""

_NOT_READ = (
    (
        0,
        b"LVF\x09\x0d\x0a\xff\x00",
        "a logical EWF container (L01), which this program does not read; export its files",
    ),
    (0, b"LEF2\x0d\x0a\x81\x00", "a logical EWF container (Lx01), which this program does not read; export its files"),
    (0, b"Rar!", "a RAR archive, which this program does not read; unpack it and name the folder"),
    (0, b"KDMV", "a VMDK disk image, which this program does not read; convert it to a raw image"),
    (0, b"QFI\xfb", "a QCOW disk image, which this program does not read; convert it to a raw image"),
    (0, b"vhdxfile", "a VHDX disk image, which this program does not read; convert it to a raw image"),
    (64, b"\x7f\x10\xda\xbe", "a VDI disk image, which this program does not read; convert it to a raw image"),
    (0, b"AFF10\r\n", "an AFF disk image, which this program does not read; convert it to E01 or raw"),
    (0, b"ADSEGMENTEDFILE", "a logical AD1 container, which this program does not read; export its files"),
    (0, b"encrcdsa", "an encrypted disk image of a Mac, which this program does not read; convert it to a raw image"),
    (0, b"conectix", "a VHD disk image, which this program does not read; convert it to a raw image"),
)
_FILE_SYSTEMS_NOT_READ = (
    (32, b"NXSB", "APFS"),
    (0, b"LUKS\xba\xbe", "LUKS (encrypted)"),
    (3, b"-FVE-FS-", "BitLocker (encrypted)"),
    (0, b"XFSB", "XFS"),
)
"""Where which bytes tell of a file system that the Sleuth Kit's Python face does not open."""

_AFF4 = re.compile(rb"\.aff4$", re.IGNORECASE)
_EWF_NAME = re.compile(r"(?P<stem>.+)\.(?P<x>[EeSs][Xx]?)(?:[0-9]{2}|[A-Za-z]{2})", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{2,3}\Z")
_RAW_NAME = re.compile(r"(?P<stem>.+)\.(?P<number>[0-9]{3})", re.DOTALL)


def kind_of(path: Path) -> Kind:
    """Return what a file is; whatever has no magic of another kind may be a raw image.

    Raises:
        UsageError: it is of a kind that is known and not read, or it cannot be read.
    """
    try:
        with opening.quiet_file(path) as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {opening.words(error)}; name a folder, an image or an archive"
        ) from error
    return kind_of_head(head, os.fsencode(path.name), shown=str(path))


def kind_of_head(head: bytes, name: bytes, *, shown: str) -> Kind:
    """Return what a file with these first bytes and this name is; see :func:`kind_of`.

    Raises:
        UsageError: it is of a kind that is known and not read; *shown* is how the file is called there.
    """
    for offset, magic, said in _NOT_READ:
        if head.startswith(magic, offset):
            raise UsageError(f"{shown} is {said}")
    if _AFF4.search(name):
        raise UsageError(f"{shown} is an AFF4 image, for which there is no kept library; convert it to E01 or raw")
    for offset, magic, kind in _MAGICS:
        if head.startswith(magic, offset):
            return kind
    packed = [endings for magic, endings in _PACKED if head.startswith(magic)]
    if packed and not name.lower().endswith(packed[0]):
        raise UsageError(
            f"{shown} is packed as a whole, and no tar archive by its name; unpack it and name what was in it"
        )
    return Kind.TAR if packed else Kind.RAW


def file_system_not_read(read: Callable[[int, int], bytes], start: int) -> str:
    """Return which file system that is known and not read begins at a byte of an image; "" for none."""
    try:
        head = read(start, HEAD_BYTES)
    except OSError:
        return ""
    return next((kind for offset, magic, kind in _FILE_SYSTEMS_NOT_READ if head.startswith(magic, offset)), "")


def parts_of(path: Path) -> tuple[Path, ...]:
    """Return the files that a container consists of, in their order: *path* itself, or the segments of a split image.

    Only names are looked at, so that it can be asked of whatever is to be protected.
    """
    ewf, raw = _EWF_NAME.fullmatch(path.name), _RAW_NAME.fullmatch(path.name)
    if ewf:  # card.E01 and card.Ex01 may lie beside each other: two images, and neither a segment of the other
        numbered = _siblings(path, re.compile(rf"{re.escape(ewf['stem'])}\.{ewf['x']}[0-9]{{2}}", re.IGNORECASE))
        parts = (*numbered, *_behind_99(numbered[-1]))
        return parts if path in parts else (path,)
    if raw:
        return _siblings(path, re.compile(rf"{re.escape(raw['stem'])}\.[0-9]{{3}}"))
    return (path,)


def _siblings(path: Path, pattern: re.Pattern[str]) -> tuple[Path, ...]:
    try:
        names = {name for name in os.listdir(path.parent) if pattern.fullmatch(name)}  # noqa: PTH208 - names only
    except OSError:
        return (path,)
    return tuple(path.with_name(name) for name in sorted(names or {path.name}, key=str.upper))


def _behind_99(last: Path) -> Iterator[Path]:
    """Yield the segments that follow E99, EAA to ZZZ (Ex99: ExAA to EzZZ), as far as there are any without a gap.

    Only in a row: other files beside an image end in three letters, too.
    """
    if not last.name.endswith("99"):
        return
    stem, _, ending = last.name.rpartition(".")
    letters = string.ascii_lowercase if ending[0].islower() else string.ascii_uppercase
    leading = (
        letters[letters.index(ending[0]) :]
        if len(ending) == 3
        else [ending[0] + x for x in ("xyz" if ending[1] == "x" else "XYZ")]
    )
    for begins, tens, ones in itertools.product(leading, letters, letters):
        segment = last.with_name(f"{stem}.{begins}{tens}{ones}")
        if not segment.exists():
            return
        yield segment


def first_part(path: Path) -> Path:
    """Return the segment that a split image begins with, which is the one to name.

    Raises:
        UsageError: the first segment, or one between others, is missing.
    """
    parts = parts_of(path)
    if len(parts) > 1 or _RAW_NAME.fullmatch(path.name):
        _insist_on_a_row(path, [int(number[0]) for part in parts if (number := _NUMBER.search(part.name))])
    return parts[0]


def _insist_on_a_row(path: Path, numbers: list[int]) -> None:
    """Make sure that the numbers of segments follow each other and begin with 0 or 1."""
    lacking = set(range(min(1, numbers[0]), numbers[-1] + 1)) - set(numbers)
    if lacking:
        raise UsageError(
            f"{path} is split, and its segment {min(lacking)} is missing; put all segments into one folder"
        )
