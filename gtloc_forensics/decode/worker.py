"""The decoding process itself, and what passes between it and whoever asks: plain bytes and JSON, not pickles.

A process taken over by a picture must not take over the one that asked.
"""

from __future__ import annotations

import json
import os
import re
import signal
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from gtloc_forensics.decode.pictures import Limits
from gtloc_forensics.decode.pixels import SHORT_SIDE, Decoded, decode
from gtloc_forensics.errors import DecodeRefused, MissingExtra
from gtloc_forensics.files import confined
from gtloc_forensics.records import ImageFacts, Pixels, Sentence, Statement
from gtloc_forensics.records.sentences import places


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to decode; the fields are the arguments of :func:`decode`.

    Without ``wants_pixels`` they stay in the worker: half a megabyte a photo that no model reads.
    """

    path: Path
    source_id: str
    media_type: str
    short_side: int = SHORT_SIDE
    thumbnail: bytes | None = None
    preview: bytes | None = None
    orientation: int | None = None
    wants_pixels: bool = True


Outcome: TypeAlias = Decoded | DecodeRefused


def outcome_of(job: Job, limits: Limits) -> Outcome:
    """Decode one picture in this process."""
    passed_on = ("short_side", "thumbnail", "preview", "orientation", "wants_pixels")
    arguments = {field: getattr(job, field) for field in passed_on}
    try:
        return decode(job.path, job.source_id, job.media_type, limits=limits, **arguments)
    except DecodeRefused as refusal:
        return refusal


# --------------------------------------------------------------------------- what passes between them


def send_job(connection: Connection, job: Job, cpu_seconds: float) -> None:
    """Ask the process at the other end to decode one picture within *cpu_seconds* of computing.

    Raises:
        OSError: nobody is there.
    """
    header = {
        "cpu_seconds": cpu_seconds,
        "path": os.fsencode(job.path).hex(),
        "source_id": job.source_id,
        "media_type": job.media_type,
        "short_side": job.short_side,
        "orientation": job.orientation,
        "wants_pixels": job.wants_pixels,
        "thumbnail": job.thumbnail is not None,
        "preview": job.preview is not None,
    }
    connection.send_bytes(json.dumps(header).encode())
    for part in (job.thumbnail, job.preview):
        if part is not None:
            connection.send_bytes(part)


def _receive_job(connection: Connection) -> tuple[Job, float]:
    header = json.loads(connection.recv_bytes())
    cpu_seconds = float(header.pop("cpu_seconds"))
    thumbnail = connection.recv_bytes() if header.pop("thumbnail") else None
    preview = connection.recv_bytes() if header.pop("preview") else None
    path = Path(os.fsdecode(bytes.fromhex(header.pop("path"))))
    return Job(path=path, thumbnail=thumbnail, preview=preview, **header), cpu_seconds


def _send_outcome(connection: Connection, outcome: Outcome) -> None:
    """Send all of it at once: each message wakes who waits for it."""
    parts: list[bytes | memoryview] = []
    header: dict[str, Any]
    if isinstance(outcome, DecodeRefused):
        missing = (_parts(outcome.kind), outcome.extra) if isinstance(outcome, MissingExtra) else None
        header = {"refused": _parts(outcome.reason), "missing": missing}
    else:
        header = {"facts": asdict(outcome.image), "pixels": None, "preview": len(outcome.preview_jpeg)}
        parts = [outcome.preview_jpeg]
        if (pixels := outcome.pixels) is not None:
            size = (pixels.width, pixels.height)
            header["pixels"] = {"shape": pixels.rgb.shape, "size": size, "note": pixels.note}
            parts.append(np.ascontiguousarray(pixels.rgb).data.cast("B"))
    said = json.dumps(header).encode()
    connection.send_bytes(b"".join((_LENGTH.pack(len(said)), said, *parts)))


def receive_outcome(connection: Connection, source_id: str) -> Outcome:
    """Return what the process at the other end says of the picture *source_id*.

    Raises:
        EOFError, OSError: it ended.
        ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, struct.error: it says
            what none of ours would.
    """
    message = memoryview(connection.recv_bytes())
    (length,) = _LENGTH.unpack_from(message)
    said, rest = message[_LENGTH.size :][:length], message[_LENGTH.size + length :]
    header: Mapping[str, Any] = json.loads(bytes(said))
    if "refused" in header:
        if header["missing"]:
            kind, extra = header["missing"]
            return MissingExtra(_told(kind), str(extra))
        return DecodeRefused(_told(header["refused"]))
    sent, pixels = header["pixels"], None
    preview_jpeg, shown = bytes(rest[: header["preview"]]), rest[header["preview"] :]
    if sent is not None:
        rgb = np.frombuffer(shown, np.uint8).reshape(sent["shape"])
        width, height = sent["size"]
        pixels = Pixels(source_id, rgb, int(width), int(height), str(sent["note"]))
    facts = dict(header["facts"])
    facts["thumbnail_size"] = tuple(facts["thumbnail_size"]) if facts["thumbnail_size"] else None
    return Decoded(pixels, ImageFacts(**facts), preview_jpeg)


_LENGTH = struct.Struct("!I")  # of the JSON that a message begins with; the small picture follows, then the pixels


def _parts(told: Any) -> Any:
    """Return a sentence as JSON holds it: its template and values."""
    if not isinstance(told, Sentence):
        return told
    return {"say": told.template, "of": {name: _parts(value) for name, value in told.values.items()}}


def _told(parts: Any) -> Statement:
    """Return what a worker says; it may have been taken over, so forms that could cost us memory are none of ours."""
    if not isinstance(parts, dict):
        return str(parts)
    template, values = str(parts["say"]), parts["of"]
    if any(not _FORM.fullmatch(form) for forms in places(template).values() for form in forms):
        raise ValueError("a worker sent a form that no refusal has")
    return Sentence(
        template, **{name: _told(value) if isinstance(value, dict) else value for name, value in values.items()}
    )


_FORM = re.compile(r"(?:\.\df|g|raw)?")
"""The forms that stand in refusals."""


# --------------------------------------------------------------------------- the process itself


def serve(descriptor: int) -> None:
    """Decode what comes over a connection until it closes: the main function of a worker process."""
    with Connection(descriptor) as connection:
        limits = Limits(**json.loads(connection.recv_bytes()))
        confined.give_way()  # to exiftool, which is one for all photos and else gets a third of two cores
        _warm_up()
        confined.limit(limits.memory_bytes)
        connection.send_bytes(confined.READY)
        while True:
            try:
                job, cpu_seconds = _receive_job(connection)
            except (EOFError, ConnectionError):
                return
            signal.setitimer(signal.ITIMER_PROF, cpu_seconds)  # SIGPROF ends the process
            _send_outcome(connection, outcome_of(job, limits))
            signal.setitimer(signal.ITIMER_PROF, 0)


def _warm_up() -> None:
    """Import what the first picture would, while there is no clock running and memory is not yet limited."""
    from PIL import (  # noqa: F401 - each makes its format known; those that are never tried are not loaded
        AvifImagePlugin,
        BmpImagePlugin,
        GifImagePlugin,
        Image,
        JpegImagePlugin,
        MpoImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )
