"""Picture → the lines of text in it, read in a process of its own with limits of memory and time.

:class:`TextReader` is a reader of tags as plugins give them: ``Visible:Stamp`` holds the lines within the margin of
the picture, where cameras burn in their date, ``Visible:Text`` those elsewhere. The reader is RapidOCR with the models
that its package carries; nothing is fetched. Optional: ``pip install 'gtloc_forensics[ocr]'``.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from gtloc_forensics.decode.pixels import decode
from gtloc_forensics.errors import DecodeRefused, MissingExtra
from gtloc_forensics.files import confined, types
from gtloc_forensics.files.opening import quiet_file
from gtloc_forensics.records import Sentence, TagsRead, Unread

PACKAGE = "rapidocr-onnxruntime"
READ_SIDE = 960  # short side in px to which a picture is shrunk: a stamp of a fortieth of the height keeps 24 px
MARGIN = 0.2  # of the height: stamps and bars of cameras lie within it, at the top or the bottom
MOST_LINES = 40
LONGEST_LINE = 80
LEAST_SCORE = 0.6  # by the reader's own reckoning

MEMORY_BYTES = 8 << 30
WALL_SECONDS = 180.0
START_SECONDS = 300.0
_VERSION = "1"  # of this module: raise it when it makes other tags of the same picture


def is_installed() -> bool:
    """Return whether the optional package is there."""
    return bool(_package())


def _package() -> str:
    try:
        return package_version(PACKAGE)
    except PackageNotFoundError:
        return ""


class TextReader:
    """Reads the text in pictures; the process is started when first needed and again after it died."""

    name = "visible-text"

    def __init__(self, *, wall_seconds: float = WALL_SECONDS) -> None:
        """Prepare; nothing is started.

        Raises:
            MissingExtra: the optional package is not installed.
        """
        if not is_installed():
            raise MissingExtra(Sentence("Reading visible dates"), "ocr")
        self.version = f"{_VERSION}, {PACKAGE} {_package()}"
        self._wall_seconds = wall_seconds
        self._child: confined.Child | None = None

    def read(self, paths: Sequence[bytes]) -> Sequence[TagsRead | Unread]:
        """Return the text seen in each working copy, or why none could be looked for."""
        return [self._read(path) for path in paths]

    def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _read(self, path: bytes) -> TagsRead | Unread:
        late = threading.Event()
        try:
            connection = self._running()
            timer = threading.Timer(self._wall_seconds, self._give_up, (late,))
            timer.daemon = True
            timer.start()
            try:
                connection.send_bytes(path)
                return _answer(json.loads(connection.recv_bytes()))
            finally:
                timer.cancel()
        except (EOFError, OSError, ValueError, KeyError, TypeError, AttributeError):
            self.close()
        if late.is_set():
            return Unread(Sentence("looking for text in it took longer than {wall_s:g} s", wall_s=self._wall_seconds))
        return Unread(Sentence("what looks for text crashed over it"))

    def _give_up(self, late: threading.Event) -> None:
        late.set()
        if self._child is not None:
            self._child.kill()

    def _running(self) -> Connection:
        if self._child is not None and self._child.is_running:
            return self._child.connection
        self.close()
        self._child = confined.start("gtloc_forensics.decode.visible_text")
        self._child.await_ready(START_SECONDS)
        return self._child.connection


def _answer(said: Mapping[str, Any]) -> TagsRead | Unread:
    """Return what the process says; it may have been taken over by a picture, so only short texts pass."""
    if "refused" in said:
        return Unread(str(said["refused"])[:200])
    lines = [(str(text)[:LONGEST_LINE], bool(stamp)) for text, stamp in said["lines"][:MOST_LINES]]
    tags: dict[str, tuple[str | int | float, ...]] = {}
    for tag, wanted in (("Visible:Stamp", True), ("Visible:Text", False)):
        if texts := tuple(text for text, stamp in lines if stamp is wanted):
            tags[tag] = texts
    return TagsRead(tags, ())


# --------------------------------------------------------------------------- the process itself


def serve(descriptor: int) -> None:
    """Read the picture of every path that comes over a connection, until it closes."""
    import numpy as np
    from rapidocr_onnxruntime import RapidOCR

    engine = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)
    engine(np.full((64, 64, 3), 255, np.uint8))
    confined.limit(MEMORY_BYTES)
    with Connection(descriptor) as connection:
        connection.send_bytes(confined.READY)
        while True:
            try:
                path = Path(os.fsdecode(connection.recv_bytes()))
            except (EOFError, ConnectionError):
                return
            connection.send_bytes(json.dumps(_seen(engine, path)).encode())


def _seen(engine: Any, path: Path) -> dict[str, Any]:
    with quiet_file(path) as file:
        kind = types.media_type(file.read(types.HEAD_BYTES), name=os.fsencode(path.name))
    try:
        pixels = decode(path, "", kind, short_side=READ_SIDE)
    except DecodeRefused as refusal:
        return {"refused": str(refusal)}
    found, _ = engine(pixels.shown.rgb[:, :, ::-1].copy())
    height = pixels.shown.rgb.shape[0]
    lines = []
    for box, text, score in found or ():
        middle = sum(float(corner[1]) for corner in box) / len(box) / height
        if float(score) >= LEAST_SCORE and any(letter.isdigit() for letter in text):
            lines.append((str(text)[:LONGEST_LINE], middle < MARGIN or middle > 1 - MARGIN))
    return {"lines": lines[:MOST_LINES]}
