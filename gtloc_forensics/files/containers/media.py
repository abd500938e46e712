"""The bytes of an image as one long row: the segments of a raw image, or what libewf unpacks of an EWF image.

Every file is opened quietly (no link, no access time); what is read is never kept.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from gtloc_forensics.errors import ToolMissing, UsageError
from gtloc_forensics.files import opening
from gtloc_forensics.files.containers.spool import Spool
from gtloc_forensics.files.hashing import BLOCK_BYTES

REMEDY = "pip install 'gtloc_forensics[images]' brings what images and 7z archives need"


class Media(Protocol):
    """The content of a disk, to be read at any place."""

    @property
    def size_bytes(self) -> int:
        """How long it is."""

    stored: Mapping[str, str]  # "MD5" → hex digits that the image itself states
    said: Mapping[str, str]  # what the acquiring program wrote into the image
    libraries: str  # what it is read with, with the version; "" for nothing but Python

    def read(self, offset: int, length: int) -> bytes:
        """Return *length* bytes from *offset* on, fewer at the end.

        Raises:
            OSError: they cannot be read.
        """

    def close(self) -> None:
        """Close its files."""


def opened_files(parts: Sequence[Path], stack: ExitStack) -> list[BinaryIO]:
    """Open the files of a container for reading, to be closed with *stack*.

    Raises:
        OSError: as the system does.
    """
    return [stack.enter_context(opening.quiet_file(part)) for part in parts]


class RawMedia:
    """One file or several in a row, as they are."""

    def __init__(self, parts: Sequence[Path]) -> None:
        """Open *parts*."""
        self._stack = ExitStack()
        self._files = opened_files(parts, self._stack)
        self._sizes = [os.fstat(file.fileno()).st_size for file in self._files]
        self.size_bytes = sum(self._sizes)
        self.libraries = ""
        self.stored: Mapping[str, str] = {}
        self.said: Mapping[str, str] = {}

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes, across the borders of segments."""
        found: list[bytes] = []
        for file, size in zip(self._files, self._sizes, strict=True):
            if offset >= size:
                offset -= size
                continue
            if length <= 0:
                break
            block = os.pread(file.fileno(), min(length, size - offset), offset)
            found.append(block)
            length, offset = length - len(block), 0
        return b"".join(found)

    def close(self) -> None:
        """Close the files."""
        self._stack.close()


class SpooledMedia:
    """What was put down into an unnamed temporary file."""

    libraries = ""

    def __init__(self, spool: Spool) -> None:
        """Read *spool*, which is given back with it."""
        self._spool = spool
        self.stored: Mapping[str, str] = {}
        self.said: Mapping[str, str] = {}

    @property
    def size_bytes(self) -> int:
        """How much was put down so far."""
        return self._spool.size_bytes

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes, fewer at the end."""
        return self._spool.read(offset, length)

    def close(self) -> None:
        """Give back the room."""
        self._spool.close()


class EwfMedia:
    """The media of an EWF image, and the hashes and words that it carries."""

    def __init__(self, name: str, files: Callable[[ExitStack], Sequence[BinaryIO]]) -> None:
        """Open the image.

        Args:
            name: of the image, for the error.
            files: opens its segments, to be closed with the stack.

        Raises:
            ToolMissing: libewf-python is not installed.
            UsageError: the image cannot be opened.
        """
        try:
            import pyewf
        except ModuleNotFoundError as error:
            raise ToolMissing("libewf-python", REMEDY) from error
        self.libraries = f"libewf {pyewf.get_version()}"
        self._stack = ExitStack()
        self._handle: Any = pyewf.handle()
        try:
            self._handle.open_file_objects(list(files(self._stack)), "r")
        except OSError as error:
            self._stack.close()
            raise UsageError(
                f"{name} cannot be opened as an EWF image: {_first_line(error)}; acquire it again"
            ) from error
        self.size_bytes = int(self._handle.get_media_size())
        self.stored: Mapping[str, str] = {
            str(name).upper(): str(value).lower() for name, value in self._values("get_hash_values").items()
        }
        self.said: Mapping[str, str] = {
            str(name): str(value) for name, value in self._values("get_header_values").items() if value
        }

    def _values(self, name: str) -> Mapping[str, Any]:
        try:
            return dict(getattr(self._handle, name)() or {})
        except OSError:  # a damaged section: what it would have said is absent
            return {}

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of the media.

        Raises:
            OSError: a chunk is damaged or missing.
        """
        data: bytes = self._handle.read_buffer_at_offset(max(0, min(length, self.size_bytes - offset)), offset)
        return data

    def close(self) -> None:
        """Close the image."""
        self._handle.close()
        self._stack.close()


class MediaFile(io.RawIOBase):
    """A medium as a file object, for libraries that want one; wrap it in ``io.BufferedReader``."""

    def __init__(self, media: Media) -> None:
        """Begin at the first byte of *media*, which is closed by whoever opened it."""
        self._media, self._offset = media, 0

    def readable(self) -> bool:
        """Say that it is for reading."""
        return True

    def seekable(self) -> bool:
        """Say that it can be read at any place."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._offset, io.SEEK_END: self._media.size_bytes}[whence]
        if start + offset < 0:
            raise OSError(errno.EINVAL, "a place before the beginning")
        self._offset = start + offset
        return self._offset

    def tell(self) -> int:
        """Return the place."""
        return self._offset

    def readinto(self, buffer: Any) -> int:
        """Fill *buffer* as far as there is something."""
        block = self._media.read(self._offset, len(buffer))
        buffer[: len(block)] = block
        self._offset += len(block)
        return len(block)


def tsk_image(pytsk3: Any, media: Media) -> Any:
    """Return a medium as the image that the Sleuth Kit (the module *pytsk3*) reads."""

    class Image(pytsk3.Img_Info):  # type: ignore[misc]
        """What the Sleuth Kit reads: the medium behind it."""

        def __init__(self) -> None:
            super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

        def read(self, offset: int, length: int) -> bytes:
            return media.read(offset, length)

        def get_size(self) -> int:
            return media.size_bytes

        def close(self) -> None:
            """Do nothing: whoever opened the medium closes it."""

    return Image()


def blocks(media: Media) -> Iterator[bytes]:
    """Yield the whole of a medium, block by block.

    Raises:
        OSError: as its ``read`` does; also where it ends before its end.
    """
    offset = 0
    while offset < media.size_bytes:
        block = media.read(offset, BLOCK_BYTES)
        if not block:
            raise OSError(f"it ends at byte {offset} of {media.size_bytes}")
        offset += len(block)
        yield block


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0].strip().rstrip(".")[:200]
