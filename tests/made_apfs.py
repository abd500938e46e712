"""APFS made in a test: an empty container by mkapfs, and files written into its catalogue by hand.

After "Apple File System Reference" (Apple, 2020-06-22). The catalogue of an empty volume is one leaf, and
so it stays: a handful of files. The space manager is not told of them; nothing that only reads asks it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import made_images

BLOCK = 4096
SIZE_MB = 520  # mkapfs makes none below 512
_TREE_INFO = 40
_HEAD = 56  # of a node, up to its table
_ROOT, _FIRST_OF_USERS = 2, 0x1000
FIRST_FOLDER = _FIRST_OF_USERS + 0x100
_INODE, _DSTREAM, _EXTENT, _NAMED = 3, 6, 8, 9
_CONTENT_BLOCK = 100_000
_TREE_ROOT, _FS_TREE = 0x02, 0x0E


def apfs(image: Path, files: Mapping[str, bytes], *, moment_ns: int) -> Path:
    """Make an APFS container with one volume that holds *files*, path → content, at most one folder deep.

    Args:
        image: the file to make, of some 520 MB, nearly all of it holes.
        files: what it holds.
        moment_ns: of every time, in ns since 1970.
    """
    made_images.needs("mkapfs")
    image.write_bytes(b"")
    os.truncate(image, SIZE_MB << 20)
    made_images.run("mkapfs", image)
    with image.open("r+b") as disk:
        at = _blocks_of(disk, _FS_TREE)[-1]
        disk.seek(at)
        records = _records(disk.read(BLOCK))
        folders: dict[str, int] = {}
        for number, (path, content) in enumerate(files.items()):
            folder, _, name = path.rpartition("/")
            if folder and folder not in folders:
                folders[folder] = FIRST_FOLDER + len(folders)
                records |= _folder(folders[folder], folder, moment_ns)
            start = _CONTENT_BLOCK + number * 256
            parent = folders.get(folder, _ROOT)
            records |= _file(_FIRST_OF_USERS + number, parent, name, content, start, moment_ns)
            disk.seek(start * BLOCK)
            disk.write(content)
        disk.seek(at)
        old = disk.read(BLOCK)
        disk.seek(at)
        disk.write(_node(old, records))
    return image


def changed(image: Path, change: Callable[[dict[bytes, bytes]], None]) -> Path:
    """Change the records of the catalogue of an image."""
    with image.open("r+b") as disk:
        at = _blocks_of(disk, _FS_TREE)[-1]
        disk.seek(at)
        old = disk.read(BLOCK)
        records = _records(old)
        change(records)
        disk.seek(at)
        disk.write(_node(old, records))
    return image


def inode_key(identifier: int) -> bytes:
    """Return the key of the record of a file or folder; the root folder is 2."""
    return _key(identifier, _INODE)


def entry(parent: int, name: str, identifier: int, moment_ns: int) -> tuple[bytes, bytes]:
    """Return the record of a folder *name* in the folder *parent*."""
    return _name_key(parent, name), struct.pack("<QQH", identifier, moment_ns, 4)


def _blocks_of(disk: BinaryIO, kind: int) -> list[int]:
    """Return where the blocks of one kind stand; of a tree its subtype tells it. mkapfs keeps them before byte 2^27."""
    found = []
    for at in range(0, 1 << 27, BLOCK):
        disk.seek(at + 24)
        own, sub = struct.unpack("<II", disk.read(8))
        if (sub if own & 0xFFFF == _TREE_ROOT else own & 0xFFFF) == kind:
            found.append(at)
    return found


def _key(identifier: int, kind: int, rest: bytes = b"") -> bytes:
    return struct.pack("<Q", identifier | kind << 60) + rest


def _name_key(parent: int, name: str) -> bytes:
    raw = name.encode() + b"\0"
    points = name.lower().encode("utf-32-le")
    return _key(parent, _NAMED, struct.pack("<I", len(raw) | (_crc32c(points) & 0x3FFFFF) << 10) + raw)


def _inode(parent: int, identifier: int, name: str, moment_ns: int, mode: int, count: int, size: int | None) -> bytes:
    raw = name.encode() + b"\0"
    fields = [(4, 2, raw)]
    if size is not None:
        fields.append((8, 0x20, struct.pack("<5Q", size, -(-size // BLOCK) * BLOCK, 0, size, 0)))
    kept = [value.ljust(-(-len(value) // 8) * 8, b"\0") for _, _, value in fields]
    extended = struct.pack("<HH", len(fields), sum(map(len, kept)))
    extended += b"".join(struct.pack("<BBH", kind, flags, len(value)) for kind, flags, value in fields)
    fixed = struct.pack("<7Qi5IHHQ", parent, identifier, *[moment_ns] * 4, 0x8000, count, 0, 0, 0, 99, 99, mode, 0, 0)
    return fixed + extended + b"".join(kept)


def _folder(identifier: int, name: str, moment_ns: int) -> dict[bytes, bytes]:
    return {
        _key(identifier, _INODE): _inode(_ROOT, identifier, name, moment_ns, 0o40755, 0, None),
        _name_key(_ROOT, name): struct.pack("<QQH", identifier, moment_ns, 4),
    }


def _file(identifier: int, parent: int, name: str, content: bytes, start: int, moment_ns: int) -> dict[bytes, bytes]:
    whole = -(-len(content) // BLOCK) * BLOCK
    return {
        _key(identifier, _INODE): _inode(parent, identifier, name, moment_ns, 0o100644, 1, len(content)),
        _key(identifier, _DSTREAM): struct.pack("<I", 1),
        _key(identifier, _EXTENT, struct.pack("<Q", 0)): struct.pack("<QQQ", whole, start, 0),
        _name_key(parent, name): struct.pack("<QQH", identifier, moment_ns, 8),
    }


def _records(node: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from("<I", node, 36)
    table, length = struct.unpack_from("<HH", node, 40)
    keys, values = _HEAD + table + length, BLOCK - _TREE_INFO
    found = {}
    for number in range(count):
        key, key_length, value, value_length = struct.unpack_from("<4H", node, _HEAD + table + 8 * number)
        at = values - value
        found[node[keys + key : keys + key + key_length]] = node[at : at + value_length]
    return found


def _node(old: bytes, records: Mapping[bytes, bytes]) -> bytes:
    """Return the leaf anew with these records."""

    def order(key: bytes) -> tuple[int, int, bytes]:
        (head,) = struct.unpack_from("<Q", key)
        rest = struct.pack(">I", *struct.unpack_from("<I", key, 8)) if head >> 60 == _NAMED else key[8:]
        return head & (1 << 60) - 1, head >> 60, rest + key[12:]

    ordered = sorted(records, key=order)
    table = keys = values = b""
    for key in ordered:
        values = records[key] + values
        table += struct.pack("<4H", len(keys), len(key), len(values), len(records[key]))
        keys += key
    room = -(-len(table) // 64) * 64
    free = BLOCK - _TREE_INFO - _HEAD - room - len(keys) - len(values)
    assert free >= 0, "one leaf holds no more"
    head = old[:36] + struct.pack("<I4H2H2H", len(ordered), 0, room, len(keys), free, 0xFFFF, 0, 0xFFFF, 0)
    info = bytearray(old[-_TREE_INFO:])
    longest = (max(map(len, ordered)), max(map(len, records.values())))
    struct.pack_into("<IIQ", info, 16, *longest, len(ordered))
    node = head + table.ljust(room, b"\0") + keys + b"\0" * free + values + bytes(info)
    assert len(node) == BLOCK
    return _summed(node)


def _summed(block: bytes) -> bytes:
    """Return a block with its check sum, Fletcher's of 64 bits."""
    low = high = 0
    top = 0xFFFFFFFF
    for word in struct.unpack(f"<{len(block) // 4 - 2}I", block[8:]):
        low = (low + word) % top
        high = (high + low) % top
    first = top - (low + high) % top
    return struct.pack("<II", first, top - (low + first) % top) + block[8:]


def _crc32c(content: bytes) -> int:
    found = 0xFFFFFFFF
    for byte in content:
        found ^= byte
        for _ in range(8):
            found = found >> 1 ^ (0x82F63B78 if found & 1 else 0)
    return found
