"""How a file is built, beside what stands in it: the traces of whatever wrote it last."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileStructure:
    """The build of one JPEG file; each text is equal for two files that were built alike, "" where it is not known."""

    segments: str = ""  # those before the picture, in file order, runs of one kind as one: "APP1 Exif, DQT, SOF0, DHT"
    quantisation: str = ""  # the first 16 hex digits of the SHA-256 of the quantisation tables in file order
    huffman: str = ""  # "standard" (ISO/IEC 10918-1, Annex K.3) or "own"
    sampling: str = ""  # of the components, as "2x2 1x1 1x1"
    exif_order: str = ""  # byte order and where the first directory begins: "big-endian, at 8"
    exif_blocks: str = ""  # directories that last, their values and MakerNote in the order in which they lie
    exif_tags: str = ""  # of the first directory, in file order, but for those that come and go with settings
    maker_note: str = ""  # "there" or "not there"
    thumbnail: str = ""  # size, sampling, tables and segments of the thumbnail; "not there"

    def __post_init__(self) -> None:
        """Let photos that were built alike share their texts: a case has many of them."""
        for name in self.__slots__:
            if text := getattr(self, name):
                object.__setattr__(self, name, sys.intern(text))

    @property
    def frame(self) -> str:
        """How the file begins: "APP0 JFIF" or "APP1 Exif", as two families of writers do; "" where nothing is known."""
        return self.segments.split(", ", 1)[0]
