"""Source to pixels, in processes of their own.

A picture is hostile input and its decoders are C: a :class:`Decoder` runs
:func:`~gtloc_forensics.decode.pixels.decode` in worker processes that may not use more
than their share of memory and time and cannot write a file. One that dies or
hangs costs its picture, never the run.
"""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType

from gtloc_forensics.decode.pictures import DEFAULT_LIMITS, Limits
from gtloc_forensics.decode.worker import Job, Outcome, outcome_of, receive_outcome, send_job
from gtloc_forensics.errors import DecodeRefused
from gtloc_forensics.files import confined, types
from gtloc_forensics.files.patience import Patience
from gtloc_forensics.records import Sentence, Statement

START_SECONDS = 120.0  # for a worker to import what it needs on a busy machine
EXIT_SECONDS = 0.5
LOOK_SECONDS = 0.5  # how often somebody looks whether a picture is late
_NO_ANSWER = (
    EOFError,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    struct.error,
)
"""What hearing a worker raises that ended, or says what none of ours would."""

AT_ONCE = 2  # pictures that a worker holds, so that it need not wait for us between them


def needs_preview(media_type: str) -> bool:
    """Say whether :attr:`Job.preview` is what gets decoded of this kind of file."""
    return types.is_raw(media_type)


class Decoder:
    """A pool of decoding processes; with ``jobs=0`` everything happens in this process.

    Processes are started when first needed. Use it as a context manager, or call
    :meth:`close`. Safe to use from one thread at a time; :meth:`close` from any.
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
        patience = Patience(shared_s=limits.trouble_seconds, least_s=limits.hasty_seconds)
        self._workers = [_Worker(limits, patience) for _ in range(jobs)]
        self._pending: deque[_Asked] = deque()  # given to no worker yet
        self._closed = threading.Event()
        self._turn = threading.Lock()  # held while somebody waits for an outcome
        self._attended = False  # nobody is late for a taker who is away
        self._left_at = 0.0  # on the monotonic clock
        self._watch: threading.Thread | None = None

    def start_ahead(self, most: int) -> None:
        """Have *most* of the workers start now, while the caller prepares what they are to decode."""
        self._left_at = time.monotonic()
        for worker in self._workers[:most]:
            worker.start_ahead()

    def stream(self, items: Iterable[Job], *, window: int) -> Iterator[tuple[Job, Outcome]]:
        """Decode *items* and yield each with its outcome, in the order they came.

        At most *window* pictures are taken from *items* ahead of whoever takes the results. No thread of ours waits
        for workers: while the taker is away, each goes on with what it has, two pictures at most.
        """
        if not self._workers:
            for job in items:
                yield job, outcome_of(job, self._limits)
            return
        if self._watch is None:
            self._watch = threading.Thread(target=self._end_late_ones, name="decoder-watch", daemon=True)
            self._watch.start()
        ahead: deque[_Asked] = deque()
        try:
            for job in items:
                ahead.append(_Asked(job))
                self._pending.append(ahead[-1])
                if len(ahead) >= max(1, window):
                    yield self._settled(ahead.popleft())
            while ahead:
                yield self._settled(ahead.popleft())
        finally:
            self._pending.clear()
            for asked in ahead:
                asked.is_wanted = False

    def close(self) -> None:
        """Stop the workers, in the middle of a picture if need be."""
        self._closed.set()
        for worker in self._workers:
            worker.stop()
        with self._turn:
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

    def _settled(self, asked: _Asked) -> tuple[Job, Outcome]:
        """Return the outcome of one picture, giving workers what is next meanwhile."""
        with self._turn:
            away_s = time.monotonic() - self._left_at
            for worker in self._workers:
                worker.put_off(away_s)
            self._attended = True
            try:
                self._hand_out()
                while asked.outcome is None and not self._closed.is_set():
                    self._hear()
                    self._hand_out()
            except BaseException:
                for worker in self._workers:  # what was begun to be read or written is of no use to the next
                    worker.forget()
                raise
            finally:
                self._attended, self._left_at = False, time.monotonic()
        return asked.job, _STOPPED if asked.outcome is None else asked.outcome

    def _hear(self) -> None:
        """Wait until a worker answers, and take all answers that are there."""
        busy = {worker.connection: worker for worker in self._workers if worker.connection is not None}
        for worker in [busy[found] for found in wait(busy) if isinstance(found, Connection)]:
            self._pending.extendleft(asked for asked in reversed(worker.hear()) if asked.is_wanted)

    def _hand_out(self) -> None:
        """Give each worker a picture, then a second one, so that it need not wait for us between the two.

        The last pictures go to whoever is done first.
        """
        for held in range(AT_ONCE):
            for worker in self._workers:
                if not self._pending or (held and len(self._pending) < len(self._workers)):
                    return
                if worker.takes(self._pending[0], held):
                    worker.give(self._pending.popleft())

    def _end_late_ones(self) -> None:
        """Look after all workers at once: a thread for each picture's deadline costs as much as a small picture."""
        while not self._closed.wait(LOOK_SECONDS):
            if self._attended:
                for worker in self._workers:
                    worker.end_if_late(time.monotonic())


@dataclass(slots=True, eq=False)
class _Asked:
    """A picture that somebody waits for."""

    job: Job
    outcome: Outcome | None = None
    is_wanted: bool = True
    cpu_seconds: float = 0.0  # that it may take, as the worker was told

    @property
    def is_light(self) -> bool:
        """Whether asking for it never has to wait for the worker to read."""
        return self.job.thumbnail is None and self.job.preview is None


_STOPPED = DecodeRefused(Sentence("decoding was stopped"))


# --------------------------------------------------------------------------- one worker, seen from the parent


class _Worker:
    """One decoding process, started when first needed and again after it died.

    It is given one picture, and a second one to begin when the first is done. What becomes of it is the first one's
    doing: the second is given back, for any worker to decode.
    """

    def __init__(self, limits: Limits, patience: Patience) -> None:
        self._limits = limits
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._is_ready = False
        self._given: deque[_Asked] = deque()  # the first is being decoded
        self._wall_seconds = 0.0  # that the first may take
        self._closed = threading.Event()
        self._lock = threading.Lock()  # of the next two
        self._due: float | None = None  # on the monotonic clock; None between two pictures
        self._is_late = False

    @property
    def connection(self) -> Connection | None:
        """Where its next answer comes; None when none will."""
        return self._connection if self._given else None

    def takes(self, asked: _Asked, held: int) -> bool:
        """Say whether to give it a picture, where it may hold *held* others already."""
        if not self._given:
            return True
        return len(self._given) <= held and self._is_ready and asked.is_light

    def start_ahead(self) -> None:
        """Start the process before there is a picture for it; one that cannot start is started again with the first."""
        with suppress(OSError, EOFError):
            self._start()

    def give(self, asked: _Asked) -> None:
        """Have one picture decoded; what comes of it is to be heard."""
        self._given.append(asked)
        if len(self._given) > 1:
            with suppress(OSError, EOFError):  # it died over the first: that is what will be heard
                self._send(asked)
            return
        try:
            if self._process is None or self._process.poll() is not None:
                self._kill()
                self._start()
            elif self._is_ready:  # else it is sent once the process is, when it is heard
                self._begin()
                self._send(asked)
        except (OSError, EOFError):
            self._ended()

    def hear(self) -> list[_Asked]:
        """Take its next answer; return the pictures that it was given and will not decode."""
        first = self._given[0]
        try:
            connection = self._open()
            if self._is_ready:
                first.outcome = receive_outcome(connection, first.job.source_id)
            else:
                self._await_ready(connection)
                self._begin()
                self._send(first)
                return []
        except _NO_ANSWER:
            return self._ended()
        self._given.popleft()
        self._begin()
        if not self._is_late:
            return []
        self._kill()  # it answered at the last moment
        return self._given_back()

    def forget(self) -> None:
        """End the process, and let nobody wait for what it had."""
        self._given.clear()
        self._kill()

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

    def _start(self) -> None:
        child = confined.start("gtloc_forensics.decode.worker")
        self._process, self._connection, self._is_ready = child.process, child.connection, False
        with self._lock:
            self._due, self._is_late = time.monotonic() + START_SECONDS, False
        child.connection.send_bytes(json.dumps(asdict(self._limits)).encode())

    def _await_ready(self, connection: Connection) -> None:
        if connection.recv_bytes() != confined.READY:
            raise OSError("a confined process did not start")
        self._is_ready = True

    def _send(self, asked: _Asked) -> None:
        asked.cpu_seconds = self._patience.allowed_s(self._limits.cpu_seconds)
        send_job(self._open(), asked.job, asked.cpu_seconds)

    def _open(self) -> Connection:
        if self._connection is None or self._closed.is_set():
            raise EOFError("the worker was stopped")
        return self._connection

    def _begin(self) -> None:
        """Have the process killed when its first picture takes too long: it ends, whatever it hangs in."""
        self._wall_seconds = self._patience.allowed_s(self._limits.wall_seconds)
        with self._lock:
            self._due = time.monotonic() + self._wall_seconds if self._given else None

    def end_if_late(self, now: float) -> None:
        """End the process if its picture should have been done by *now* (on the monotonic clock)."""
        with self._lock:
            process = self._process
            if self._due is not None and now > self._due and process is not None:
                self._due, self._is_late = None, True
                process.kill()

    def put_off(self, seconds: float) -> None:
        """Give its picture so much longer: nobody was there to take it."""
        with self._lock:
            if self._due is not None:
                self._due += seconds

    def _ended(self) -> list[_Asked]:
        """Settle the first picture, over which the process ended; return the others."""
        was_ready, code = self._is_ready, self._kill()
        first = self._given.popleft()
        first.outcome = _STOPPED if self._closed.is_set() else self._refusal(first, code, was_ready=was_ready)
        return self._given_back()

    def _given_back(self) -> list[_Asked]:
        left = list(self._given)
        self._given.clear()
        return left

    def _refusal(self, asked: _Asked, code: int | None, *, was_ready: bool) -> DecodeRefused:
        if self._is_late and was_ready:
            self._patience.spend(self._wall_seconds)
            return DecodeRefused(
                Sentence(
                    "decoding it hung for {wall_s:g} s{haste}",
                    wall_s=self._wall_seconds,
                    haste=self._haste(self._wall_seconds),
                )
            )
        if code == -signal.SIGPROF:
            self._patience.spend(asked.cpu_seconds)
            return DecodeRefused(
                Sentence(
                    "decoding it takes more than {cpu_s:g} s of computing{haste}",
                    cpu_s=asked.cpu_seconds,
                    haste=self._haste(asked.cpu_seconds),
                )
            )
        return DecodeRefused(Sentence("the decoder crashed over it (exit status {status})", status=str(code)))

    def _haste(self, seconds: float) -> Statement:
        """Return why a picture had no more than this, where others had used up what they share."""
        hasty = seconds < min(self._limits.cpu_seconds, self._limits.wall_seconds)
        return Sentence(", all that others of this run had left for it") if hasty else ""

    def _kill(self) -> int | None:
        """End the process; return how it ended, its own way if it had ended already."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        with self._lock:
            self._due = None
        if connection is not None:
            connection.close()
        if process is None:
            return None
        try:
            return process.wait(timeout=EXIT_SECONDS)  # with its connection closed it ends by itself unless it hangs
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
