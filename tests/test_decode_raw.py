"""A RAW file without a preview is developed, where the optional package is installed."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from gtloc_forensics.decode.pixels import decode
from gtloc_forensics.errors import DecodeRefused
from gtloc_forensics.files.types import media_type

Entry: TypeAlias = tuple[int, str, tuple[int, ...] | bytes]
FORMATS = {"B": 1, "s": 2, "H": 3, "I": 4, "II": 5, "ii": 10}  # struct code → TIFF 6.0 field type


def a_dng(width: int, height: int, orientation: int) -> bytes:
    """A digital negative (DNG 1.4): a grey field, brighter on the left half of the sensor."""
    mosaic = np.full((height, width), 5000, np.uint16)
    mosaic[:, : width // 2] = 40_000
    entries: list[Entry] = [
        (254, "I", (0,)),
        (256, "I", (width,)),
        (257, "I", (height,)),
        (258, "H", (16,)),
        (259, "H", (1,)),
        (262, "H", (32803,)),
        (271, "s", b"Maker\0"),
        (272, "s", b"Camera\0"),
        (273, "I", (0,)),  # where the mosaic begins, set below
        (274, "H", (orientation,)),
        (277, "H", (1,)),
        (278, "I", (height,)),
        (279, "I", (mosaic.nbytes,)),
        (33421, "H", (2, 2)),
        (33422, "B", (0, 1, 1, 2)),
        (50706, "B", (1, 4, 0, 0)),
        (50708, "s", b"Maker Camera\0"),
        (50717, "I", (65535,)),
        (50721, "ii", (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)),
        (50728, "II", (1, 1, 1, 1, 1, 1)),
    ]
    values = [packed(code, value) for _, code, value in entries]
    outside_at = 8 + 2 + 12 * len(entries) + 4
    mosaic_at = outside_at + sum(len(value) for value in values if len(value) > 4)
    values[8] = struct.pack("<I", mosaic_at)
    directory, outside = struct.pack("<H", len(entries)), b""
    for (tag, code, value), content in zip(entries, values, strict=True):
        count = len(value) // len(code)
        inside = content.ljust(4, b"\0") if len(content) <= 4 else struct.pack("<I", outside_at + len(outside))
        directory += struct.pack("<HHI", tag, FORMATS[code], count) + inside
        outside += content if len(content) > 4 else b""
    return b"II*\0\x08\0\0\0" + directory + bytes(4) + outside + mosaic.tobytes()


def packed(code: str, value: tuple[int, ...] | bytes) -> bytes:
    return value if isinstance(value, bytes) else struct.pack(f"<{len(value)}{code[0]}", *value)


def test_the_mosaic_is_developed_upright_and_that_is_said(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    path = tmp_path / "a.dng"
    path.write_bytes(a_dng(400, 300, orientation=6))  # the left of the sensor is the top of the scene
    result = decode(path, "0", media_type(path.read_bytes()[:64], name=b"a.dng"), short_side=100)
    assert (result.pixels.width, result.pixels.height) == (300, 400)
    assert result.pixels.rgb.shape == (133, 100, 3)
    assert result.pixels.rgb[20].mean() > result.pixels.rgb[-20].mean() + 50
    assert result.pixels.note == "RAW data developed by LibRaw at half size"


def test_a_broken_raw_file_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    path = tmp_path / "a.dng"
    path.write_bytes(a_dng(400, 300, orientation=1)[:200])
    with pytest.raises(DecodeRefused, match="cannot be developed") as refused:
        decode(path, "0", "image/x-adobe-dng")
    assert "b'" not in refused.value.reason, "bytes as Python writes them are no words"
