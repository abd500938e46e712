"""Read, write and extract with exiftool: any file name, bounded time and memory, one answer for each file."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from gtloc_forensics.errors import ToolFailed
from gtloc_forensics.files.patience import Patience
from gtloc_forensics.metadata.exiftool.answers import Written, tags_read, written
from gtloc_forensics.metadata.exiftool.arguments import assignment, request
from gtloc_forensics.metadata.exiftool.process import Answer, Died, Hung, Limits, Process, kill_group, new_token, start
from gtloc_forensics.metadata.exiftool.program import ANSWER_S, locate, told_version, version
from gtloc_forensics.records import Sentence, TagsRead, Unread

UNLISTED = (b"-XMP-exif:GPSLatitudeRef", b"-XMP-exif:GPSLongitudeRef")
"""Tags that exiftool gives only when they are asked for: no standard has them, but Apple's Photos exports do."""

READ = (b"-n", b"-a", b"-G1:4", b"-e", b"-j", b"-api", b"LargeFileSupport=1", b"-All", *UNLISTED)
"""All tags, duplicates too (family 4 numbers them: JSON would lose them), as numbers, none composed by exiftool."""

PREVIEWS = ("JpgFromRaw", "PreviewImage", "OtherImage", "ThumbnailImage")
"""Embedded pictures of RAW files, the largest kind first."""

IN_FLIGHT_BYTES = 16_384
"""Requests written ahead of their answers: enough to keep exiftool busy, far less than a pipe holds."""

ATTEMPTS = 2

LARGEST_PREVIEW_BYTES = 64 << 20


@dataclass(slots=True)
class _Job:
    """One file on its way through a process."""

    index: int
    path: bytes
    lines: bytes
    token: int = 0
    failures: int = 0


class ExifTool:
    """A client with one or more exiftool processes; use it in a ``with`` statement. Safe to share between threads.

    Args:
        executable: the program; found by :func:`~gtloc_forensics.metadata.exiftool.locate` when left out.
        processes: how many exiftools work at once.
        batch: how many files a process takes at a time.
        limits: what each process may use.
        ahead: whether the first process starts at once; before anything else :meth:`learn_version` has to be called.

    Raises:
        ToolMissing, ToolTooOld, ToolFailed: there is no exiftool that may be started.
    """

    name = "exiftool"
    version: str

    def __init__(
        self,
        executable: Path | None = None,
        *,
        processes: int = 1,
        batch: int = 50,
        limits: Limits | None = None,
        ahead: bool = False,
    ) -> None:
        """Find the program and ask its version; no process is started yet, unless one is to be *ahead*."""
        self.executable = executable or locate()
        if not ahead:
            self.version = version(self.executable)
        self._limits = limits or Limits()
        self._processes = processes
        self._batch = batch
        # A child dies with the thread that started it (PR_SET_PDEATHSIG): that thread must live as long as we do.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="exiftool-starter")
        self._slots: queue.Queue[Process | None] = queue.Queue()
        for _ in range(processes):
            self._slots.put(None)
        self._ahead: deque[Future[Process]] = deque()
        self._is_closed = False
        self._patience = Patience(shared_s=self._limits.trouble_s, least_s=self._limits.hasty_s)
        if ahead:
            self._start_ahead()

    def learn_version(self) -> None:
        """Have the process that was started ahead say its version; a program that may not be used is refused.

        Raises:
            ToolTooOld, ToolFailed: it may not be used, or says none.
        """
        self.version = self._said_version()

    def _said_version(self) -> str:
        try:
            process = self._take()
            token = new_token()
            try:
                process.send(token, b"-ver\n")
                said = process.receive(token, within_s=ANSWER_S).stdout
            except BaseException:
                process.kill()
                self._slots.put(None)
                raise
            self._slots.put(process)
        except ToolFailed:  # no exiftool, perhaps: asked in the plain way, a program is told what it is not
            return version(self.executable)
        return told_version(self.executable, said)

    def __enter__(self) -> ExifTool:
        """Return the client; processes start when they are first needed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all processes."""
        self.close()

    def _start_ahead(self) -> None:
        """Have a process start now, while its caller prepares: loading Perl's modules takes as long as ten files.

        Nothing is raised: whoever first needs a process hears why there is none. It is waited for until it is forked:
        a fork while this thread loads a library might find the loader's lock taken.
        """
        started = self._starter.submit(Process, self.executable, self._limits)
        self._ahead.append(started)
        wait((started,))

    def close(self) -> None:
        """End all processes; the client cannot be used afterwards. Closing again does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        while self._ahead:
            ahead = self._ahead.popleft()
            if ahead.exception() is None:  # why one could not start was for whoever needed it
                ahead.result().terminate()
        for _ in range(self._processes):
            process = self._slots.get()
            if process is not None:
                process.terminate()
        self._starter.shutdown()

    # ------------------------------------------------------------- reading

    def read(self, paths: Sequence[bytes]) -> list[TagsRead | Unread]:
        """Return all tags of each file, in the order of *paths*.

        Args:
            paths: any file names, as bytes; relative ones are taken from the working directory.

        Returns:
            For each path what was read, or :class:`Unread` with the reason. A file on which
            exiftool hangs or dies does not affect the others. It is tried once more, alone, only
            where the end came at once; and all such files together have a limit of their own.
        """
        results: list[TagsRead | Unread | None] = [None] * len(paths)
        jobs = [job for index, path in enumerate(paths) if (job := self._job(index, path, results)) is not None]
        groups = [jobs[first : first + self._batch] for first in range(0, len(jobs), self._batch)]
        if self._processes == 1 or len(groups) <= 1:
            for group in groups:
                self._read_group(group, results)
        else:
            with ThreadPoolExecutor(self._processes) as pool:
                list(pool.map(lambda group: self._read_group(group, results), groups))
        return [result or Unread(Sentence("exiftool gave no answer")) for result in results]

    def _job(self, index: int, path: bytes, results: list[TagsRead | Unread | None]) -> _Job | None:
        """Return what to send for one file; what cannot be sent as lines is read by a process of its own."""
        absolute = os.path.abspath(path)  # noqa: PTH100  # bytes: pathlib cannot hold every name
        if b"\0" in path or not os.path.isfile(absolute):  # noqa: PTH113
            results[index] = Unread(Sentence("it is not there, or is not a regular file"))
            return None
        lines = request((*READ, absolute))
        if lines is not None:
            return _Job(index, absolute, lines)
        try:
            answer = self._once((*READ, absolute))
            results[index] = tags_read(answer.stdout, answer.stderr)
        except ToolFailed as error:
            results[index] = Unread(error.reason)
        return None

    def _read_group(self, jobs: Sequence[_Job], results: list[TagsRead | Unread | None]) -> None:
        process = self._take()
        try:
            process = self._answer_all(process, deque(jobs), results)
        except BaseException:
            process.kill()
            self._slots.put(None)
            raise
        self._slots.put(process)

    def _answer_all(self, process: Process, waiting: deque[_Job], results: list[TagsRead | Unread | None]) -> Process:
        """Send jobs ahead, take answers in order; return the process that is alive at the end."""
        sent: deque[_Job] = deque()
        while waiting or sent:
            try:
                begun, allowed_s = time.monotonic(), self._patience.allowed_s(self._limits.timeout_s)
                _send_ahead(process, waiting, sent)
                answer = process.receive(sent[0].token, within_s=allowed_s)
            except (Hung, Died) as error:
                process.kill()
                waiting.extendleft(reversed(sent))
                sent.clear()
                hurried = allowed_s < self._limits.timeout_s
                if self._is_given_up(waiting[0], error, time.monotonic() - begun):
                    results[waiting.popleft().index] = Unread(_given_up(error, hurried=hurried), str(error))
                process = self._fresh()
            else:
                results[sent.popleft().index] = tags_read(answer.stdout, answer.stderr)
        return process

    def _is_given_up(self, job: _Job, error: Hung | Died, took_s: float) -> bool:
        """Count a failure; say whether the file is given up: at the second, or when it used up a limit."""
        job.failures += 1
        self._patience.spend(took_s)
        # An end that came at once may have come from elsewhere: a process grown old, a machine out of memory.
        again = isinstance(error, Died) and took_s < self._limits.retry_s
        return job.failures >= ATTEMPTS or not again

    # ------------------------------------------------------------- writing and extracting

    def write(
        self, path: bytes, assignments: Sequence[tuple[str, str | None]], *, output: bytes | None = None
    ) -> Written:
        """Set or delete tags of a file, which keeps its modification time.

        Where exiftool would have to ignore an error, even a minor one, to write (maker notes
        it cannot move safely), nothing is written and the message says why.

        Args:
            path: the file.
            assignments: ``("ExifIFD:DateTimeOriginal", "2024:06:15 12:00:00")`` in exiftool's
                numeric form; None deletes the tag, a repeated tag makes a list.
            output: write a new file there instead; an existing one is never overwritten.

        Raises:
            ValueError: a tag name is not one that may be written, or *output* has exiftool's format codes.
            ToolFailed: exiftool hung or died.
        """
        target = [b"-overwrite_original"] if output is None else [b"-o", _plain_output(output)]
        values = [assignment(tag, value) for tag, value in assignments]
        if not values:
            raise ValueError("there is nothing to write")
        answer = self._ask((b"-n", b"-P", *target, *values, os.path.abspath(path)))  # noqa: PTH100
        return written(answer.stdout, answer.stderr)

    def extract_binary(self, path: bytes, tag: str, *, limit_bytes: int = LARGEST_PREVIEW_BYTES) -> bytes | None:
        """Return the bytes of a binary tag such as ``PreviewImage``; None when there is none or it is too large."""
        try:
            return self._extracted(path, tag, limit_bytes=limit_bytes)
        except ToolFailed:
            return None

    def _extracted(self, path: bytes, tag: str, *, limit_bytes: int) -> bytes | None:
        asked = assignment(tag, None).removesuffix(b"=")
        found = self._ask((b"-b", b"-m", asked, os.path.abspath(path)), patience=self._patience).stdout  # noqa: PTH100
        return found if 0 < len(found) <= limit_bytes else None

    def preview(self, path: bytes) -> bytes | None:
        """Return the largest kind of JPEG picture embedded in a (RAW) file, None when there is none."""
        for tag in PREVIEWS:
            try:
                found = self._extracted(path, tag, limit_bytes=LARGEST_PREVIEW_BYTES)
            except ToolFailed:  # what holds one picture up holds up the next
                return None
            if found is not None and found.startswith(b"\xff\xd8"):
                return found
        return None

    # ------------------------------------------------------------- processes

    def _ask(self, arguments: Sequence[bytes], *, patience: Patience | None = None) -> Answer:
        """Ask one thing of a process; no second attempt, because a write must not be done twice.

        With *patience* the time is shared with the files that were read; a write has its whole limit.
        """
        lines = request(arguments)
        if lines is None:
            return self._once(arguments)
        process = self._take()
        token, begun = new_token(), time.monotonic()
        try:
            process.send(token, lines)
            answer = process.receive(token, within_s=patience.allowed_s(self._limits.timeout_s) if patience else None)
        except BaseException:
            process.kill()
            self._slots.put(None)
            if patience:
                patience.spend(time.monotonic() - begun)
            raise
        self._slots.put(process)
        return answer

    def _take(self) -> Process:
        """Take a process that works, starting one where there is none."""
        process = self._slots.get()
        if process is not None and process.running and not process.is_spent:
            return process
        try:
            if process is not None:
                process.terminate()
            return self._fresh()
        except BaseException:
            self._slots.put(None)
            raise

    def _fresh(self) -> Process:
        with contextlib.suppress(IndexError):
            return self._ahead.popleft().result()
        return self._starter.submit(Process, self.executable, self._limits).result()

    def _once(self, arguments: Sequence[bytes]) -> Answer:
        """Run a process for one request whose arguments cannot be said as lines: argv holds anything but NUL.

        Raises:
            Hung: it took too long.
        """
        command = [os.fsencode(self.executable), b"-config", b"", *arguments]
        child = self._starter.submit(start, command, self._limits).result()
        allowed_s = self._patience.allowed_s(self._limits.timeout_s)
        try:
            stdout, stderr = child.communicate(timeout=allowed_s)
        except subprocess.TimeoutExpired:
            self._patience.spend(allowed_s)
            kill_group(child)
            with contextlib.suppress(ValueError, subprocess.TimeoutExpired):
                child.communicate(timeout=1.0)
            raise Hung(Sentence("exiftool gave no answer within {allowed_s:g} s", allowed_s=allowed_s)) from None
        return Answer(stdout, stderr)


def _given_up(error: Hung | Died, *, hurried: bool) -> Sentence:
    if isinstance(error, Hung) and hurried:
        return Sentence(
            "{reason}, the time left after other files that it hung on; audit this file alone to give it more",
            reason=error.reason,
        )
    return Sentence("{reason}; the file was given up", reason=error.reason)


def _send_ahead(process: Process, waiting: deque[_Job], sent: deque[_Job]) -> None:
    """Send what fits into the window; a file that failed before goes alone."""
    ahead = sum(len(job.lines) for job in sent)
    while waiting and (not sent or (ahead + len(waiting[0].lines) <= IN_FLIGHT_BYTES and not _is_alone(sent, waiting))):
        job = waiting[0]
        job.token = new_token()
        process.send(job.token, job.lines)
        sent.append(waiting.popleft())
        ahead += len(job.lines)


def _is_alone(sent: deque[_Job], waiting: deque[_Job]) -> bool:
    return bool(sent[-1].failures or waiting[0].failures)


def _plain_output(output: bytes) -> bytes:
    """Return where to write, as an absolute path without what exiftool would expand or take for a folder."""
    if b"%" in output or output.endswith(b"/"):
        raise ValueError("exiftool would expand '%' in the name of an output file; choose another name")
    return os.path.abspath(output)  # noqa: PTH100
