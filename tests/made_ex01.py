"""EWF 2 images (Ex01) made in a test, after the description of the format: no program that a test can have writes them.

Expert Witness Compression Format version 2, as documented with libewf (0.0.9, 2015): a head of 32
bytes, then sections, each followed by its descriptor of 64 bytes that points back to the one before.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

DEVICE, CASE, SECTORS, TABLE, MD5, SHA1, NEXT, DONE = 0x1, 0x2, 0x3, 0x4, 0x8, 0x9, 0xD, 0xF
IS_PACKED, HAS_SUM, IS_PATTERN = 0x1, 0x2, 0x4
HAS_HASH, ZLIB = 0x1, 1
SECTOR, SECTORS_PER_CHUNK = 512, 64
CHUNK = SECTOR * SECTORS_PER_CHUNK
LIKE_EACH_OTHER = bytes(range(16))  # the identifier of the set


def ex01(
    stem: Path, content: bytes, *, segments: int = 1, examiner: str = "An Examiner", md5: bytes | None = None
) -> Path:
    """Write *content* as an Ex01 image and return its first segment.

    Chunks that pack are packed, chunks of eight equal bytes over and over are patterns, the others have a check sum.

    Args:
        stem: the path without its ending.
        content: of the medium, whole sectors.
        segments: how many files it is split into.
        examiner: whom the case data name.
        md5: what is stated instead of the true MD5.
    """
    chunks = [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)]
    each = -(-len(chunks) // segments)
    for number in range(segments):
        own = chunks[number * each : (number + 1) * each]
        segment = _Segment(number + 1)
        device = {"lb": "card", "ts": str(len(content) // SECTOR), "dt": "f", "bp": str(SECTOR), "ph": "1"}
        segment.add(DEVICE, _packed_text(device))
        segment.add(CASE, _packed_text(_case_data(examiner, len(chunks))))
        segment.add_chunks(own, number * each)
        if number + 1 == segments:
            for kind, name in ((MD5, "md5"), (SHA1, "sha1")):
                digest = md5 if kind == MD5 and md5 else hashlib.new(name, content).digest()
                segment.add(kind, *_padded(digest + _sum(digest)))
        segment.add(DONE if number + 1 == segments else NEXT, b"")
        stem.with_name(f"{stem.name}.Ex{number + 1:02}").write_bytes(bytes(segment.data))
    return stem.with_name(f"{stem.name}.Ex01")


def _case_data(examiner: str, chunks: int) -> dict[str, str]:
    return {
        "nm": "a card", "cn": "2026/7", "en": "1", "ex": examiner, "nt": "", "av": "7.04", "os": "Windows 7",
        "tt": "1795910400", "at": "1795910400", "tb": str(chunks), "cp": str(ZLIB), "sb": str(SECTORS_PER_CHUNK),
        "gr": str(SECTORS_PER_CHUNK), "wb": "",
    }  # fmt: skip


def _packed_text(values: dict[str, str]) -> bytes:
    lines = ("1", "main", "\t".join(values), "\t".join(values.values()), "", "")
    return zlib.compress(("\ufeff" + "\n".join(lines)).encode("utf-16-le"))


class _Segment:
    def __init__(self, number: int) -> None:
        self.data = bytearray(struct.pack("<8sBBHI16s", b"EVF2\r\n\x81\0", 2, 1, ZLIB, number, LIKE_EACH_OTHER))
        self._last = 0  # where the descriptor before stands

    def add(self, kind: int, content: bytes, padding: int | None = None) -> None:
        if padding is None:
            content, padding = _padded(content)
        self.data += content
        self._describe(kind, content, padding)

    def _describe(self, kind: int, content: bytes, padding: int) -> None:
        head = struct.pack(
            "<IIQQII16s12x", kind, HAS_HASH, self._last, len(content), 64, padding, hashlib.md5(content).digest()
        )
        self._last = len(self.data)
        self.data += head + _sum(head)

    def add_chunks(self, chunks: Sequence[bytes], first: int) -> None:
        start, entries = len(self.data), b""
        for chunk in chunks:
            packed = zlib.compress(chunk)
            if chunk[:8] * (len(chunk) // 8) == chunk:
                entries += chunk[:8] + struct.pack("<II", 0, IS_PACKED | IS_PATTERN)
                continue
            is_packed = len(packed) < len(chunk)
            kept = packed if is_packed else chunk + _sum(chunk)
            entries += struct.pack("<QII", len(self.data), len(kept), IS_PACKED if is_packed else HAS_SUM)
            self.data += _padded(kept)[0]
        self._describe(SECTORS, bytes(self.data[start:]), 0)
        head = struct.pack("<QI4x", first, len(chunks))
        self.add(TABLE, head + _sum(head) + b"\0" * 12 + entries + _sum(entries) + b"\0" * 12, 12)


def _padded(content: bytes) -> tuple[bytes, int]:
    padding = -len(content) % 16
    return content + b"\0" * padding, padding


def _sum(content: bytes) -> bytes:
    return struct.pack("<I", zlib.adler32(content))
