"""Entries of a FAT folder that the Sleuth Kit leaves out, since what they say of themselves cannot be.

An entry that claims more bytes than the file system holds is not listed by it, and its file would be
missed without a word. The 32 bytes of each entry are looked at here, and those that were not listed are told.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Iterator
from typing import Any

from gtloc_forensics.files.containers import free_space
from gtloc_forensics.files.containers.fat_times import ENTRY_BYTES, FIRST_ENTRY
from gtloc_forensics.records import Sentence

LONGEST_FOLDER_BYTES = 4 << 20
"""A folder of FAT holds at most 65,536 entries, half of this."""

_NEVER_USED, _DELETED, _OWN = 0x00, 0xE5, 0x2E  # first bytes; the last is the folder's for itself and the one above
_LABEL, _LONG_NAME, _ALL = 0x08, 0x0F, 0x3F  # attributes
_REPLACED_E5 = 0x05  # stands for a first byte that would mark a deleted entry


def unlisted(
    read: Callable[[int, int], bytes], system: Any, *, start: int, area: int, folder: int, listed: Container[int]
) -> Iterator[tuple[bytes, Sentence]]:
    """Yield (short name, what is said of it) of each entry in use that was not listed.

    Args:
        read: gives bytes of the image, by place and length.
        system: the file system, as the Sleuth Kit opened it.
        start: byte at which it begins.
        area: byte at which its folders and files begin.
        folder: record of the folder.
        listed: records that were listed of it.
    """
    left = LONGEST_FOLDER_BYTES
    for first, behind in free_space.runs_of(system, start, folder):
        content = read(first, min(behind - first, left))
        left -= len(content)
        for at in range(0, len(content) - ENTRY_BYTES + 1, ENTRY_BYTES):
            entry = content[at : at + ENTRY_BYTES]
            if entry[0] == _NEVER_USED:
                return
            number = (first + at - area) // ENTRY_BYTES + FIRST_ENTRY
            if _is_of_a_file(entry) and number not in listed:
                cluster_high, cluster_low, size = struct.unpack_from("<H4xHI", entry, 20)
                yield (
                    _short_name(entry),
                    Sentence(
                        "an entry of the folder that cannot be as it says, {size:raw} bytes from cluster "
                        "{cluster:raw}: it was not read",
                        size=size,
                        cluster=cluster_high << 16 | cluster_low,
                    ),
                )


def _is_of_a_file(entry: bytes) -> bool:
    attributes = entry[11] & _ALL
    return entry[0] not in (_DELETED, _OWN) and attributes != _LONG_NAME and not attributes & _LABEL


def _short_name(entry: bytes) -> bytes:
    raw = (b"\xe5" + entry[1:11]) if entry[0] == _REPLACED_E5 else entry[:11]
    stem, ending = raw[:8].rstrip(b" "), raw[8:].rstrip(b" ")
    return stem + b"." + ending if ending else stem
