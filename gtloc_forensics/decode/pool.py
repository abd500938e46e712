"""Source to pixels, in processes of their own.

A picture is hostile input and its decoders are C: a :class:`Decoder` runs
:func:`~gtloc_forensics.decode.pixels.decode` in worker processes that may not use more
than their share of memory and time and cannot write a file. One that dies or
hangs costs its picture, never the run. What a worker answers is plain bytes and
JSON, not pickles: a worker taken over by a picture must not take over its parent.
"""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np

from gtloc_forensics.decode.pictures import DEFAULT_LIMITS, Limits
from gtloc_forensics.decode.pixels import SHORT_SIDE, Decoded, decode
from gtloc_forensics.errors import DecodeRefused, MissingExtra
from gtloc_forensics.files import confined, types
from gtloc_forensics.files.patience import Patience
from gtloc_forensics.records import ImageFacts, Pixels, Sentence, Statement
from gtloc_forensics.records.sentences import places

__all__ = ["Decoded", "Decoder", "Job", "Limits", "Outcome", "decode", "needs_preview"]

START_SECONDS = 120.0  # for a worker to import what it needs on a busy machine
EXIT_SECONDS = 0.5
LOOK_SECONDS = 0.5  # how often somebody looks whether a picture is late


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


def needs_preview(media_type: str) -> bool:
    """Say whether :attr:`Job.preview` is what gets decoded of this kind of file."""
    return types.is_raw(media_type)


class Decoder:
    """A pool of decoding processes; with ``jobs=0`` everything happens in this process.

    Processes are started when first needed. Use it as a context manager, or call
    :meth:`close`. Safe to use from one thread at a time.
    """

    def __init__(self, jobs: int, limits: Limits = DEFAULT_LIMITS) -> None:
        """Prepare *jobs* workers.

        Args:
            jobs: worker processes; 0 decodes inline, without limits of memory and time.
            limits: what one picture may cost.

        Raises:
            ToolMissing: this system cannot limit a process.
        """
        confined.refuse_unlimited()
        self._limits = limits
        self._jobs = jobs
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        patience = Patience(shared_s=limits.trouble_seconds, least_s=limits.hasty_seconds)
        self._workers = [_Worker(limits, patience) for _ in range(jobs)]
        self._closed = threading.Event()
        self._watch: threading.Thread | None = None
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="decoder") if jobs else None

    def stream(self, items: Iterable[Job], *, window: int) -> Iterator[tuple[Job, Outcome]]:
        """Decode *items* and yield each with its outcome, in the order they came.

        Decoding runs ahead of whoever takes the results, by at most *window* pictures.
        """
        if self._threads is None:
            for job in items:
                yield job, _outcome(job, self._limits)
            return
        if self._watch is None:
            self._watch = threading.Thread(target=self._end_late_ones, name="decoder-watch", daemon=True)
            self._watch.start()
        ahead: deque[tuple[Job, Future[Outcome]]] = deque()
        try:
            for job in items:
                ahead.append((job, self._threads.submit(self._decode, job)))
                if len(ahead) >= max(1, window):
                    yield _settled(ahead.popleft())
            while ahead:
                yield _settled(ahead.popleft())
        finally:
            for _, future in ahead:
                future.cancel()

    def close(self) -> None:
        """Stop the workers, in the middle of a picture if need be."""
        self._closed.set()
        for worker in self._workers:
            worker.stop()
        if self._threads is not None:
            self._threads.shutdown(wait=True, cancel_futures=True)
        for worker in self._workers:
            worker.close()
        if self._watch is not None:
            self._watch.join()

    def __enter__(self) -> Decoder:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the workers."""
        self.close()

    def _end_late_ones(self) -> None:
        """Look after all workers at once: a thread for each picture's deadline costs as much as a small picture."""
        while not self._closed.wait(LOOK_SECONDS):
            for worker in self._workers:
                worker.end_if_late(time.monotonic())

    def _decode(self, job: Job) -> Outcome:
        worker = self._idle.get()
        try:
            return worker.decode(job)
        finally:
            self._idle.put(worker)


def _settled(pair: tuple[Job, Future[Outcome]]) -> tuple[Job, Outcome]:
    job, future = pair
    return job, future.result()


def _outcome(job: Job, limits: Limits) -> Outcome:
    passed_on = ("short_side", "thumbnail", "preview", "orientation", "wants_pixels")
    arguments = {field: getattr(job, field) for field in passed_on}
    try:
        return decode(job.path, job.source_id, job.media_type, limits=limits, **arguments)
    except DecodeRefused as refusal:
        return refusal


# --------------------------------------------------------------------------- one worker, seen from the parent


class _Worker:
    """One decoding process, started when first needed and again after it died."""

    def __init__(self, limits: Limits, patience: Patience) -> None:
        self._limits = limits
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._closed = threading.Event()
        self._lock = threading.Lock()  # of the next two
        self._due: float | None = None  # on the monotonic clock; None between two pictures
        self._is_late = False

    def decode(self, job: Job) -> Outcome:
        """Have one picture decoded; a worker that dies or hangs over it is replaced."""
        if self._closed.is_set():
            return DecodeRefused(Sentence("decoding was stopped"))
        cpu_seconds = self._patience.allowed_s(self._limits.cpu_seconds)
        wall_seconds = self._patience.allowed_s(self._limits.wall_seconds)
        try:
            connection = self._running()
            with self._deadline(wall_seconds):
                _send_job(connection, job, cpu_seconds)
                return _receive_outcome(connection, job.source_id)
        except (EOFError, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            code = self._kill()
        if self._closed.is_set():
            return DecodeRefused(Sentence("decoding was stopped"))
        if self._is_late:
            self._patience.spend(wall_seconds)
            return DecodeRefused(
                Sentence(
                    "decoding it hung for {wall_s:g} s{haste}", wall_s=wall_seconds, haste=self._haste(wall_seconds)
                )
            )
        if code == -signal.SIGPROF:
            self._patience.spend(cpu_seconds)
            return DecodeRefused(
                Sentence(
                    "decoding it takes more than {cpu_s:g} s of computing{haste}",
                    cpu_s=cpu_seconds,
                    haste=self._haste(cpu_seconds),
                )
            )
        return DecodeRefused(Sentence("the decoder crashed over it (exit status {status})", status=str(code)))

    def _haste(self, seconds: float) -> Statement:
        """Return why a picture had no more than this, where others had used up what they share."""
        hasty = seconds < min(self._limits.cpu_seconds, self._limits.wall_seconds)
        return Sentence(", all that others of this run had left for it") if hasty else ""

    def stop(self) -> None:
        """Have the process end now, whatever it is doing, and start no other; callable from any thread."""
        self._closed.set()
        process = self._process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """Let go of the process for good; only once nobody is decoding."""
        self.stop()
        self._kill()

    def _running(self) -> Connection:
        if self._is_late or self._connection is None or self._process is None or self._process.poll() is not None:
            self._kill()  # one that was late and answered at the last moment is being killed
            self._is_late = False
            self._start()
        if self._connection is None or self._closed.is_set():
            raise EOFError("the worker was stopped")
        return self._connection

    def _start(self) -> None:
        child = confined.start("gtloc_forensics.decode.pool")
        self._process, self._connection = child.process, child.connection
        child.connection.send_bytes(json.dumps(asdict(self._limits)).encode())
        child.await_ready(START_SECONDS)

    @contextmanager
    def _deadline(self, wall_seconds: float) -> Iterator[None]:
        """Have the process killed when the block takes too long: whatever it hangs in, we get an end of file."""
        with self._lock:
            self._due, self._is_late = time.monotonic() + wall_seconds, False
        try:
            yield
        finally:
            with self._lock:
                self._due = None

    def end_if_late(self, now: float) -> None:
        """End the process if its picture should have been done by *now* (on the monotonic clock)."""
        with self._lock:
            if self._due is not None and now > self._due and self._process is not None:
                self._due, self._is_late = None, True
                self._process.kill()

    def _kill(self) -> int | None:
        """End the process; return how it ended, its own way if it had ended already."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            connection.close()
        if process is None:
            return None
        try:
            return process.wait(timeout=EXIT_SECONDS)  # with its connection closed it ends by itself unless it hangs
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


# --------------------------------------------------------------------------- what passes between them


def _send_job(connection: Connection, job: Job, cpu_seconds: float) -> None:
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
    if isinstance(outcome, DecodeRefused):
        missing = (_parts(outcome.kind), outcome.extra) if isinstance(outcome, MissingExtra) else None
        connection.send_bytes(json.dumps({"refused": _parts(outcome.reason), "missing": missing}).encode())
        return
    header: dict[str, Any] = {"facts": asdict(outcome.image), "pixels": None}
    pixels = outcome.pixels
    if pixels is not None:
        size = (pixels.width, pixels.height)
        header["pixels"] = {"shape": pixels.rgb.shape, "size": size, "note": pixels.note}
    connection.send_bytes(json.dumps(header).encode())
    if pixels is not None:
        connection.send_bytes(np.ascontiguousarray(pixels.rgb).data.cast("B"))
    connection.send_bytes(outcome.preview_jpeg)


def _receive_outcome(connection: Connection, source_id: str) -> Outcome:
    header: Mapping[str, Any] = json.loads(connection.recv_bytes())
    if "refused" in header:
        if header["missing"]:
            kind, extra = header["missing"]
            return MissingExtra(_told(kind), str(extra))
        return DecodeRefused(_told(header["refused"]))
    sent, pixels = header["pixels"], None
    if sent is not None:
        rgb = np.frombuffer(connection.recv_bytes(), np.uint8).reshape(sent["shape"])
        width, height = sent["size"]
        pixels = Pixels(source_id, rgb, int(width), int(height), str(sent["note"]))
    facts = dict(header["facts"])
    facts["thumbnail_size"] = tuple(facts["thumbnail_size"]) if facts["thumbnail_size"] else None
    return Decoded(pixels, ImageFacts(**facts), connection.recv_bytes())


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


# --------------------------------------------------------------------------- the worker itself


def serve(descriptor: int) -> None:
    """Decode what comes over a connection until it closes: the main function of a worker process."""
    with Connection(descriptor) as connection:
        limits = Limits(**json.loads(connection.recv_bytes()))
        _warm_up()
        confined.limit(limits.memory_bytes)
        connection.send_bytes(confined.READY)
        while True:
            try:
                job, cpu_seconds = _receive_job(connection)
            except (EOFError, ConnectionError):
                return
            signal.setitimer(signal.ITIMER_PROF, cpu_seconds)  # SIGPROF ends the process
            _send_outcome(connection, _outcome(job, limits))
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
