"""Entries of a FAT or exFAT folder that the Sleuth Kit leaves out, since what they say of themselves cannot be.

An entry that claims more bytes than the file system holds, or on exFAT a cluster that it has not, is not
listed by it, and its file would be missed without a word. Each entry is looked at here, and those that were not
listed are told.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Iterator
from typing import Any, NamedTuple

from gtloc_forensics.files.containers import free_space
from gtloc_forensics.files.containers.fat_times import ENTRY_BYTES, FIRST_ENTRY
from gtloc_forensics.records import Sentence

LONGEST_FOLDER_BYTES = 4 << 20
"""A folder of FAT holds at most 65,536 entries, half of this; of a longer one of exFAT the beginning is looked at."""

_NEVER_USED, _DELETED, _OWN = 0x00, 0xE5, 0x2E  # first bytes; the last is the folder's for itself and the one above
_LABEL, _LONG_NAME, _ALL = 0x08, 0x0F, 0x3F  # attributes
_REPLACED_E5 = 0x05  # stands for a first byte that would mark a deleted entry
_EXFAT_FILE, _EXFAT_STREAM, _EXFAT_NAME = 0x85, 0xC0, 0xC1


class _Entry(NamedTuple):
    number: int
    name: bytes
    size_bytes: int
    cluster: int


def unlisted(
    read: Callable[[int, int], bytes],
    system: Any,
    *,
    start: int,
    area: int,
    folder: int,
    listed: Container[int],
    is_exfat: bool,
) -> Iterator[tuple[bytes, Sentence]]:
    """Yield (name, what is said of it) of each entry in use that was not listed; on FAT it is the short name.

    Args:
        read: gives bytes of the image, by place and length.
        system: the file system, as the Sleuth Kit opened it.
        start: byte at which it begins.
        area: byte at which its folders and files begin.
        folder: record of the folder.
        listed: records that were listed of it.
        is_exfat: exFAT, not FAT12 to FAT32.
    """
    rows = list(_rows(read, free_space.runs_of(system, start, folder), area))
    for found in _of_exfat(rows) if is_exfat else _of_fat(rows):
        if found.number not in listed:
            yield (
                found.name,
                Sentence(
                    "an entry of the folder that cannot be as it says, {size:raw} bytes from cluster {cluster:raw}: "
                    "it was not read",
                    size=found.size_bytes,
                    cluster=found.cluster,
                ),
            )


def _rows(read: Callable[[int, int], bytes], runs: list[tuple[int, int]], area: int) -> Iterator[tuple[int, bytes]]:
    """Yield (record, 32 bytes) of a folder up to its end."""
    left = LONGEST_FOLDER_BYTES
    for first, behind in runs:
        content = read(first, min(behind - first, left))
        left -= len(content)
        for at in range(0, len(content) - ENTRY_BYTES + 1, ENTRY_BYTES):
            if content[at] == _NEVER_USED:
                return
            yield (first + at - area) // ENTRY_BYTES + FIRST_ENTRY, content[at : at + ENTRY_BYTES]


def _of_fat(rows: list[tuple[int, bytes]]) -> Iterator[_Entry]:
    for number, entry in rows:
        attributes = entry[11] & _ALL
        if entry[0] not in (_DELETED, _OWN) and attributes != _LONG_NAME and not attributes & _LABEL:
            high, low, size = struct.unpack_from("<H4xHI", entry, 20)
            yield _Entry(number, _short_name(entry), size, high << 16 | low)


def _short_name(entry: bytes) -> bytes:
    raw = (b"\xe5" + entry[1:11]) if entry[0] == _REPLACED_E5 else entry[:11]
    stem, ending = raw[:8].rstrip(b" "), raw[8:].rstrip(b" ")
    return stem + b"." + ending if ending else stem


def _of_exfat(rows: list[tuple[int, bytes]]) -> Iterator[_Entry]:
    for at, (number, entry) in enumerate(rows):
        if entry[0] != _EXFAT_FILE:
            continue
        further = [row for _, row in rows[at + 1 : at + 1 + entry[1]]]
        stream = next((row for row in further if row[0] == _EXFAT_STREAM), bytes(ENTRY_BYTES))
        units = b"".join(row[2:] for row in further if row[0] == _EXFAT_NAME)[: 2 * stream[3]]
        cluster, size = struct.unpack_from("<IQ", stream, 20)
        yield _Entry(number, units.decode("utf-16-le", "replace").encode(), size, cluster)
