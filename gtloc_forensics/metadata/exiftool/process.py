"""One exiftool that stays open: requests in, answers out, killed with all its children when it hangs.

PyExifTool's client, made safe: what it starts is confined and gets an environment of ours, both output
pipes are drained by threads into one queue, so neither can fill up and stop the process (PyExifTool 0.5.6
waits for ever on some 800 failing files), every wait has an end, an answer ends with a token that no file
can foresee, and several requests may be under way.
"""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import exiftool
from exiftool.constants import PLATFORM_WINDOWS

from gtloc_forensics.errors import ToolFailed
from gtloc_forensics.files.confined import death_with_parent
from gtloc_forensics.metadata.exiftool.arguments import request
from gtloc_forensics.metadata.exiftool.program import environment
from gtloc_forensics.records import Sentence


@dataclass(frozen=True, slots=True)
class Limits:
    """What one exiftool process may use before it is killed."""

    timeout_s: float = 60.0  # for one file
    trouble_s: float = 300.0  # for all files of a client that end without an answer; then each has ``hasty_s``
    hasty_s: float = 2.0
    retry_s: float = 5.0  # a file on which the process ended sooner is tried once more
    memory_bytes: int = 2 << 30  # address space
    cpu_s: int = 600  # of the whole process
    answer_bytes: int = 256 << 20  # of one answer
    files: int = 2_000  # then it is replaced by a fresh one: memory and CPU time start anew


class Hung(ToolFailed):
    """No answer within the time limit, or more answer than the limit allows."""


class Died(ToolFailed):
    """The process ended before it answered: crashed, or over its memory or CPU limit."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What exiftool wrote for one request."""

    stdout: bytes
    stderr: bytes


LAST_WORDS_S = 2.0
"""How long to wait for what a process that ended has written; a child of its own may hold the pipe open."""


def new_token() -> int:
    """Return a number to mark the end of one answer with."""
    return secrets.randbelow(9 * 10**17) + 10**17


class Process(exiftool.ExifTool):  # type: ignore[misc]  # the package has no types
    """A running ``exiftool -stay_open``. Not for use by two threads at once.

    What PyExifTool offers on top of :meth:`execute` (``execute_json``, ``version``, ``running``) works as there.
    """

    def __init__(self, executable: Path, limits: Limits) -> None:
        """Start the program within *limits*, and two threads that drain its pipes.

        Raises:
            ToolFailed: it is not there any more, or cannot be started.
        """
        try:
            super().__init__(os.fspath(executable), common_args=None, config_file="", encoding="utf-8")
        except FileNotFoundError as error:
            raise ToolFailed(f"exiftool could not be started: {error}") from error
        self._limits = limits
        self._chunks: queue.Queue[tuple[int, bytes]] = queue.Queue()
        self._buffers = (bytearray(), bytearray())
        self._drains: list[threading.Thread] = []
        self.requests = 0
        self.run()

    @property
    def version(self) -> str:
        """The version that the running program tells."""
        return str(self.execute("-ver")).strip()

    def run(self) -> None:
        """Start the program: confined, in an environment of ours, without a configuration of the user's."""
        self._process = start([self.executable, "-config", "", "-stay_open", "True", "-@", "-"], self._limits)
        self._running = True
        pipes = (self._process.stdout, self._process.stderr)
        self._drains = [threading.Thread(target=self._drain, args=item, daemon=True) for item in enumerate(pipes)]
        for thread in self._drains:
            thread.start()

    def execute(self, *params: str | bytes, raw_bytes: bool = False) -> str | bytes:
        """Ask one thing and return what the program wrote, as PyExifTool does but within the limits.

        Raises:
            ValueError: an argument cannot be said as a line of exiftool's protocol.
            Hung, Died: there was no answer.
        """
        lines = request([os.fsencode(text) for text in params])
        if lines is None:
            raise ValueError("an argument cannot be sent to an open exiftool as a line")
        token = new_token()
        self.send(token, lines)
        answer = self.receive(token)
        decoded = [
            text if raw_bytes else text.decode(self.encoding or "utf-8") for text in (answer.stdout, answer.stderr)
        ]
        self._last_stdout, self._last_stderr = decoded
        return decoded[0]

    def terminate(self, timeout: int = 2, _del: bool = False) -> None:
        """Ask the program to end, and kill it and everything it started if it does not."""
        with contextlib.suppress(OSError, ValueError, subprocess.TimeoutExpired):
            if self._process.stdin is not None:
                self._process.stdin.write(b"-stay_open\nFalse\n")
                self._process.stdin.close()
            self._process.wait(timeout=timeout)
        self.kill()

    def _drain(self, which: int, pipe: IO[bytes]) -> None:
        """Move one output pipe into the queue until it closes; an empty chunk says that it did."""
        with contextlib.suppress(OSError, ValueError):  # closed under us while the process is killed
            while chunk := os.read(pipe.fileno(), 1 << 16):
                self._chunks.put((which, chunk))
        self._chunks.put((which, b""))

    @property
    def is_spent(self) -> bool:
        """Whether it has served so many files that a fresh one should take over."""
        return self.requests >= self._limits.files

    def send(self, token: int, request: bytes) -> None:
        """Write one request; *token* will mark the end of its answer.

        Raises:
            Died: the process is gone.
        """
        self.requests += 1
        try:
            if self._process.stdin is None:
                raise Died(Sentence("exiftool has no input pipe"))
            self._process.stdin.write(request + b"-echo4\n{ready%d}\n-execute%d\n" % (token, token))
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._ended(closed=0) from error

    def receive(self, token: int, *, within_s: float | None = None) -> Answer:
        """Return the answer that ends with *token*; requests are answered in the order they were sent.

        Args:
            token: as it was sent.
            within_s: seconds; the limit of one file when left out.

        Raises:
            Hung: the time or size limit was reached.
            Died: the process ended first.
        """
        allowed_s = self._limits.timeout_s if within_s is None else within_s
        deadline = time.monotonic() + allowed_s
        mark = b"{ready%d}" % token
        try:
            stdout = self._until(0, mark, deadline)
            return Answer(stdout, self._until(1, mark, deadline))
        except TimeoutError:
            raise Hung(Sentence("exiftool gave no answer within {allowed_s:g} s", allowed_s=allowed_s)) from None

    def _until(self, which: int, mark: bytes, deadline: float) -> bytes:
        """Take what one pipe gives up to *mark* out of its buffer."""
        buffer, seen = self._buffers[which], 0
        while (found := buffer.find(mark, seen)) < 0:
            seen = max(0, len(buffer) - len(mark))
            self._more(deadline)
            if len(buffer) > self._limits.answer_bytes:
                raise Hung(
                    Sentence(
                        "exiftool wrote more than {answer_mib:raw} MiB for one file",
                        answer_mib=self._limits.answer_bytes >> 20,
                    )
                )
        answer = bytes(buffer[:found])
        end = buffer.find(b"\n", found)
        while end < 0:
            self._more(deadline)
            end = buffer.find(b"\n", found)
        del buffer[: end + 1]
        return answer

    def _more(self, deadline: float) -> None:
        """Wait for the next chunk of either pipe."""
        try:
            which, chunk = self._chunks.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise TimeoutError from None
        if not chunk:
            raise self._ended(closed=1)
        self._buffers[which].extend(chunk)

    def _ended(self, *, closed: int) -> Died:
        """Return what to say of a process that ended, with its last words.

        The pipes are drained by two threads: that one has come to its end says nothing
        of the other, on which the last words may still be under way.
        """
        deadline = time.monotonic() + LAST_WORDS_S
        while closed < len(self._buffers):
            try:
                which, chunk = self._chunks.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            self._buffers[which].extend(chunk)
            closed += not chunk
        said = self._buffers[1].decode("utf-8", "replace").strip()
        last = said.splitlines()[-1][-200:].rstrip("!.") if said else ""
        if last:
            return Died(Sentence("exiftool ended on its own: {message}", message=last))
        return Died(Sentence("exiftool ended on its own"))

    def kill(self) -> None:
        """End the process and everything it started, now."""
        self._running = False
        kill_group(self._process)
        for thread in self._drains:
            thread.join(timeout=2.0)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def start(command: Sequence[str | bytes], limits: Limits) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, limited, that ends when we do.

    Raises:
        ToolFailed: it could not be started.
    """
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            cwd=os.path.abspath(os.sep),  # noqa: PTH100  # the root of whatever drive we are on
            start_new_session=True,
            preexec_fn=None if PLATFORM_WINDOWS else confinement(limits),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolFailed(f"exiftool could not be started: {error}") from error


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """Kill a child that leads its own process group, with the group, and collect it."""
    with contextlib.suppress(OSError):  # gone already
        if PLATFORM_WINDOWS:
            child.kill()
        else:
            os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=5.0)


def confinement(limits: Limits) -> Callable[[], None]:
    """Return what the child does to itself between fork and exec: limits, and death with its parent.

    Everything is looked up before the fork; after it only system calls are made.
    """
    import resource

    die_with_parent = death_with_parent()
    asked = (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, limits.cpu_s),
        # macOS refuses RLIMIT_AS below what the loader has mapped already.
        *(((resource.RLIMIT_AS, limits.memory_bytes),) if sys.platform != "darwin" else ()),
    )
    wanted = [(what, _within(most, resource.getrlimit(what)[1], resource.RLIM_INFINITY)) for what, most in asked]

    def confine() -> None:
        for what, most in wanted:
            resource.setrlimit(what, (most, most))
        die_with_parent()

    return confine


def _within(most: int, hard: int, infinity: int) -> int:
    return most if hard == infinity else min(most, hard)
