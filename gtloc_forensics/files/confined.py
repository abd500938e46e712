"""Processes of our own that read hostile files: started alike, limited alike, asked over one connection.

What such a process answers is plain bytes, not pickles: one that a file has taken over must not take over its parent.
It ends when its connection does, so that a killed parent leaves none behind.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, Pipe
from pathlib import Path

from gtloc_forensics.errors import ToolMissing

READY = b"ready"
"""The first that a process sends: it has imported what it needs, and is limited."""

BEHIND = 4
"""By how much a process gives way; where two compete it is left three tenths of the processor."""

_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of linux/prctl.h
_SESSION = Path("/proc/self/autogroup")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, slots=True)
class Child:
    """One process and the parent's end of the connection with it."""

    process: subprocess.Popen[bytes]
    connection: Connection

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def await_ready(self, seconds: float) -> None:
        """Return once it is ready.

        Raises:
            OSError, EOFError: it is not, within that time.
        """
        if not self.connection.poll(seconds) or self.connection.recv_bytes() != READY:
            raise OSError("a confined process did not start")

    def kill(self) -> None:
        """Have it end at once; callable from any thread."""
        self.process.kill()

    def end(self) -> None:
        """Hang up, end it and wait for that."""
        self.connection.close()
        self.process.kill()
        self.process.wait()


def start(module: str) -> Child:
    """Start ``serve(descriptor)`` of one of our modules in a process of its own; it is not ready yet.

    Raises:
        OSError: as the system does.
    """
    ours, theirs = Pipe()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", f"from {module} import serve; serve({theirs.fileno()})"],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
            start_new_session=True,  # Ctrl-C is for the parent, which then closes us
        )
    return Child(process, ours)


def death_with_parent() -> Callable[[], object]:
    """Return what a process does after its fork to end with the thread that forked it; on Linux alone it does anything.

    All is looked up now: in the fork the lock of the loader may be held by a thread that is not there.
    """
    if sys.platform != "linux":
        return lambda: None
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    return partial(prctl, _SET_DEATH_SIGNAL, int(signal.SIGKILL))


def give_way() -> None:
    """Let others go first on a busy processor: in a process that many share their work among, while one waits for none.

    Where Linux shares the processor out by session first, nice tells other sessions nothing: there the session is told.
    """
    os.nice(BEHIND)
    with suppress(OSError):  # no sessions are told apart
        _SESSION.write_text(str(BEHIND), encoding="ascii")


def refuse_unlimited() -> None:
    """Make sure that this system can limit a process.

    Raises:
        ToolMissing: it cannot, as Windows.
    """
    try:
        import resource  # noqa: F401 - asked for, not used
    except ImportError as error:
        raise ToolMissing(
            "a system that limits what a process may use",
            "Windows does not; use WSL 2 or the container (docs/docker.md)",
        ) from error


def limit(memory_bytes: int) -> None:
    """Give up, in this process, what reading a file never needs: more memory, writing a file, a dump of its memory."""
    import resource

    for what, most in (
        # macOS has no limit of addresses that it keeps to; there the limits before reading stand alone
        *(((resource.RLIMIT_AS, memory_bytes),) if sys.platform != "darwin" else ()),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, allowed))
