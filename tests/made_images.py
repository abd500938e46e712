"""Images of disks made in a test: partitions by hand, file systems by their own programs, none of them mounted."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

SECTOR = 512
FIRST_SECTOR = 2048
FAT32, NTFS, LINUX = 0x0C, 0x07, 0x83


def needs(*programs: str) -> None:
    """Skip a test where a program that makes an image is missing; all are packages of Debian."""
    missing = [name for name in programs if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


def run(*command: object) -> str:
    """Run a program in UTC; fail with what it says."""
    environment = {**os.environ, "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1", "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"}
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def fat(image: Path, folder: Path, *, size_mb: int = 40, deleted: Sequence[str] = ()) -> Path:
    """Make a FAT32 file system of what lies in *folder*, with times kept; then delete some of it."""
    needs("mkfs.vfat", "mcopy", "mdel")
    run("mkfs.vfat", "-F", "32", "-s", "1", "-C", image, size_mb * 1024)
    run("mcopy", "-i", image, "-s", "-m", *sorted(folder.iterdir()), "::")
    for name in deleted:
        run("mdel", "-i", image, f"::{name}")
    return image


def ext4(image: Path, folder: Path, *, size_mb: int = 16) -> Path:
    """Make an ext4 file system of what lies in *folder*, with times kept."""
    needs("mkfs.ext4")
    run("mkfs.ext4", "-q", "-F", "-d", folder, image, f"{size_mb}M")
    return image


def ntfs(image: Path, files: Sequence[Path], *, size_mb: int = 8) -> Path:
    """Make an NTFS file system with *files* in its root."""
    needs("mkfs.ntfs", "ntfscp")
    image.write_bytes(b"")
    os.truncate(image, size_mb << 20)
    run("mkfs.ntfs", "-F", "-q", image)
    for file in files:
        run("ntfscp", "-f", image, file, file.name)
    return image


def exfat(image: Path, name: str, content: bytes, *, wall: datetime, quarters: int | None, size_mb: int = 8) -> Path:
    """Make an exFAT file system with one file in its root, its directory entries written by hand.

    Args:
        image: the file to make.
        name: of the file.
        content: at most one cluster.
        wall: local time of creation and writing.
        quarters: quarters of an hour from UTC; None leaves the offset unrecorded.
        size_mb: of the image.
    """
    needs("mkfs.exfat")
    image.write_bytes(b"")
    os.truncate(image, size_mb << 20)
    run("mkfs.exfat", image)
    data = bytearray(image.read_bytes())
    heap, count, root = struct.unpack_from("<III", data, 88)
    sector = 1 << data[108]
    cluster = sector << data[109]
    assert len(content) <= cluster

    def place(number: int) -> int:
        return heap * sector + (number - 2) * cluster

    number = count // 2
    data[place(number) : place(number) + len(content)] = content
    entries = data[place(root) : place(root) + cluster]
    free = next(at for at in range(0, cluster, 32) if entries[at] == 0)
    bitmap = next(struct.unpack_from("<I", entries, at + 20)[0] for at in range(0, cluster, 32) if entries[at] == 0x81)
    data[place(bitmap) + (number - 2) // 8] |= 1 << (number - 2) % 8
    day = (wall.year - 1980) << 9 | wall.month << 5 | wall.day
    stamp = day << 16 | wall.hour << 11 | wall.minute << 5 | wall.second // 2
    part = wall.second % 2 * 100 + wall.microsecond // 10_000
    zone = 0 if quarters is None else 0x80 | quarters & 0x7F
    units = name.encode("utf-16-le")
    names = [units[at : at + 30].ljust(30, b"\0") for at in range(0, len(units), 30)]
    main = struct.pack(
        "<BBHHHIIIBBBBB7x", 0x85, 1 + len(names), 0, 0x20, 0, stamp, stamp, stamp, part, part, zone, zone, zone
    )
    length = len(content)
    stream = struct.pack("<BBBBHHQIIQ", 0xC0, 3, 0, len(name), _hash(name), 0, length, 0, number, length)
    whole = bytearray(main + stream + b"".join(b"\xc1\0" + part_of_name for part_of_name in names))
    struct.pack_into("<H", whole, 2, _check_sum(whole))
    data[place(root) + free : place(root) + free + len(whole)] = whole
    image.write_bytes(data)
    return image


def _hash(name: str) -> int:
    found = 0
    for byte in name.upper().encode("utf-16-le"):
        found = ((found << 15 | found >> 1) & 0xFFFF) + byte & 0xFFFF
    return found


def _check_sum(entries: bytes) -> int:
    found = 0
    for at, byte in enumerate(entries):
        if at not in (2, 3):
            found = ((found << 15 | found >> 1) & 0xFFFF) + byte & 0xFFFF
    return found


def disk(image: Path, *partitions: tuple[int, Path]) -> Path:
    """Put file systems, each with the type of its partition, behind a partition table."""
    start, table, content = FIRST_SECTOR, b"", []
    for kind, system in partitions:
        sectors = system.stat().st_size // SECTOR
        table += struct.pack("<B3sB3sII", 0, b"\0" * 3, kind, b"\0" * 3, start, sectors)
        content.append((start, system.read_bytes()))
        start += sectors
    with image.open("wb") as file:
        file.write(b"\0" * 446 + table.ljust(64, b"\0") + b"\x55\xaa")
        for first, system in content:
            file.seek(first * SECTOR)
            file.write(system)
    return image


def gpt(image: Path, *systems: Path) -> Path:
    """Put file systems behind a GUID partition table (UEFI 2.10, chapter 5), without its copy at the end."""
    start, entries = FIRST_SECTOR, b""
    for number, system in enumerate(systems):
        sectors = system.stat().st_size // SECTOR
        kind, own = b"\xa2\xa0\xd0\xeb\xe5\xb9\x33\x44\x87\xc0\x68\xb6\xb7\x26\x99\xc7", bytes([number + 1] * 16)
        name = f"part {number + 1}".encode("utf-16-le").ljust(72, b"\0")
        entries += struct.pack("<16s16sQQQ72s", kind, own, start, start + sectors - 1, 0, name)
        start += sectors
    entries = entries.ljust(128 * 128, b"\0")
    head = struct.pack(
        "<8s4sIIIQQQQ16sQIII", b"EFI PART", b"\0\0\1\0", 92, 0, 0, 1, start, FIRST_SECTOR, start - 1, b"\7" * 16, 2, 
        128, 128, zlib.crc32(entries),
    )  # fmt: skip
    head = head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]
    protective = struct.pack("<B3sB3sII", 0, b"\0" * 3, 0xEE, b"\0" * 3, 1, start - 1)
    with image.open("wb") as file:
        file.write(b"\0" * 446 + protective.ljust(64, b"\0") + b"\x55\xaa" + head.ljust(SECTOR, b"\0") + entries)
        for system, entry in zip(systems, range(0, len(entries), 128), strict=False):
            file.seek(struct.unpack_from("<Q", entries, entry + 32)[0] * SECTOR)
            file.write(system.read_bytes())
    return image


def ewf(stem: Path, source: Path, *options: str) -> Path:
    """Acquire *source* as an EWF image and return its first segment."""
    needs("ewfacquire")
    run("ewfacquire", "-u", "-q", "-t", stem, "-d", "sha1", "-e", "An Examiner", "-E", "7", *options, source)
    return sorted(stem.parent.glob(f"{stem.name}.[EeSs]01"))[0]


def epoch_ns(wall: datetime) -> int:
    """Return a reading in ns since 1970 as if it were UTC."""
    return (wall - datetime(1970, 1, 1)) // timedelta(microseconds=1) * 1000
