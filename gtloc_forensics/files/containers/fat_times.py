"""The times of FAT and exFAT as they stand in the directory, without a detour over this machine's zone.

FAT counts local civil time in steps of 2 s and records no zone; exFAT counts in steps of
10 ms and may record how far it is from UTC. Libraries turn both into instants by the
zone of the machine they run on, which the camera knew nothing of, and lose what does not
exist there. So the 32 bytes of the entry are read again. Creation is exact to ±2 s on FAT:
some programs fill in its finer part, others do not.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

ENTRY_BYTES = 32
FIRST_ENTRY = 3
"""The number that the Sleuth Kit gives the first 32 bytes of the data area; those before it are its own inventions."""

FAT_STEP_NS = 2_000_000_000
EXFAT_STEP_NS = 10_000_000
_EPOCH = datetime(1970, 1, 1)
_OFFSET_IS_RECORDED = 0x80
_EXFAT_FILE = (0x85, 0x05)  # in use, deleted


@dataclass(frozen=True, slots=True)
class EntryTimes:
    """Times of one directory entry in ns since 1970, 0 for none.

    ``is_local``: they are wall clock readings of an unknown zone, kept as if it had been UTC.
    """

    modified_ns: int
    created_ns: int
    is_local: bool
    step_ns: int


def data_area(read: Callable[[int, int], bytes], start: int, *, is_exfat: bool) -> int:
    """Return the byte at which directories and files begin in an image; 0 where the boot sector tells nothing usable.

    Args:
        read: gives bytes of the image, by place and length.
        start: byte at which the file system begins.
        is_exfat: exFAT, not FAT12 to FAT32.
    """
    boot = read(start, 512)
    if len(boot) < 512:
        return 0
    if is_exfat:
        heap, shift = struct.unpack_from("<I", boot, 0x58)[0], boot[0x6C]
        return start + (int(heap) << shift) if 9 <= shift <= 12 else 0
    sector_bytes, _, reserved, tables = struct.unpack_from("<HBHB", boot, 0x0B)
    table_sectors = struct.unpack_from("<H", boot, 0x16)[0] or struct.unpack_from("<I", boot, 0x24)[0]
    return start + int(reserved + tables * table_sectors) * int(sector_bytes)


def of_entry(read: Callable[[int, int], bytes], area: int, number: int, *, is_exfat: bool) -> EntryTimes | None:
    """Return the times of the entry to which the Sleuth Kit gives *number*; None where no such entry stands there."""
    if not area or number < FIRST_ENTRY:
        return None
    entry = read(area + (number - FIRST_ENTRY) * ENTRY_BYTES, ENTRY_BYTES)
    if len(entry) < ENTRY_BYTES:
        return None
    return _exfat(entry) if is_exfat else _fat(entry)


def _fat(entry: bytes) -> EntryTimes | None:
    if entry[0] == 0 or entry[11] & 0x3F == 0x0F:  # never used; part of a long name
        return None
    tenth, created_time, created_day = struct.unpack_from("<BHH", entry, 13)
    written_time, written_day = struct.unpack_from("<HH", entry, 22)
    created = _moment(created_day, created_time)
    if created is not None and tenth < 200:
        created += timedelta(milliseconds=10 * tenth)
    return EntryTimes(_ns(_moment(written_day, written_time)), _ns(created), True, FAT_STEP_NS)


def _exfat(entry: bytes) -> EntryTimes | None:
    if entry[0] not in _EXFAT_FILE:
        return None
    created_time, created_day, written_time, written_day = struct.unpack_from("<4H", entry, 8)
    created_part, written_part, created_zone, written_zone = entry[20:24]
    created, written = _moment(created_day, created_time), _moment(written_day, written_time)
    is_local = not (created_zone & written_zone & _OFFSET_IS_RECORDED)
    return EntryTimes(
        _ns(_placed(written, written_part, None if is_local else written_zone)),
        _ns(_placed(created, created_part, None if is_local else created_zone)),
        is_local,
        EXFAT_STEP_NS,
    )


def _placed(wall: datetime | None, part: int, zone: int | None) -> datetime | None:
    """Return a reading with its hundredths, as an instant where its offset is recorded (in quarters of an hour)."""
    if wall is None:
        return None
    wall += timedelta(milliseconds=10 * part) if part < 200 else timedelta()
    if zone is None:
        return wall
    quarters = zone & 0x7F
    return wall - timedelta(minutes=15 * (quarters - 128 if quarters & 0x40 else quarters))


def _moment(day: int, clock: int) -> datetime | None:
    """Return a DOS date and time; months and days count from 1."""
    try:
        return datetime(1980 + (day >> 9), day >> 5 & 15, day & 31, clock >> 11, clock >> 5 & 63, (clock & 31) * 2)
    except ValueError:
        return None


def dos_moment_ns(day: int, clock: int) -> int:
    """Return a DOS date and time in ns since 1970 as if it had been UTC, 0 where it is none."""
    return _ns(_moment(day, clock))


def _ns(wall: datetime | None) -> int:
    return 0 if wall is None else round((wall - _EPOCH).total_seconds() * 1000) * 1_000_000
