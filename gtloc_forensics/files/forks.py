"""A long list shared with forks of this process: each works on its pieces and leaves what it made in a file.

A fork begins with all that its parent holds: nothing is loaded, sent or read again, and what it makes is what its
parent would make. Only a process of a single thread is forked, for a fork has the locks that other threads held and
nobody to let go of them; anywhere else, and wherever a fork ends early, its parent does the work itself.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from gtloc_forensics.files import confined

P = TypeVar("P")
R = TypeVar("R")

MOST = 8
"""Processes that share a list at most, this one among them: their results are taken in one after another here."""

FEWEST = 400
"""Photos for which forks are worth it: one takes as long as ten of them."""

_THREADS = Path("/proc/self/task")
_END = struct.Struct("!Q")  # where in its file a piece ends


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def pieces_of(total: int, *, most: int, processes: int) -> list[range]:
    """Return the places of a list in pieces of *most* at the most, at least two for each process."""
    length = max(1, min(most, -(-total // (2 * max(1, processes)))))
    return [range(first, min(first + length, total)) for first in range(0, total, length)]


def are_possible() -> bool:
    """Return whether this process may be forked: it has one thread, and the system is one that says so."""
    try:
        return sys.platform == "linux" and sum(1 for _ in _THREADS.iterdir()) == 1
    except OSError:  # nothing is mounted there
        return False


def shared_out(
    pieces: Sequence[P], work: Callable[[P], Iterable[R]], *, processes: int, begin: Callable[[], None]
) -> Generator[R, None, None]:
    """Yield what *work* makes of each piece, in order; every so many-th piece is worked on in a fork.

    Close the generator to end the forks early.

    Args:
        pieces: of about the same length; what is made of one is held, so they are to be short.
        work: what it makes can be pickled. In this process it runs on when its results are asked for.
        processes: that share the pieces, this one among them; one, or a process that may not be forked, does it alone.
        begin: called first in each fork, to open anew what a fork must not share with its parent.

    Raises:
        whatever *work* raises, as if it ran here.
    """
    turns = min(processes, MOST, len(pieces))
    if turns < 2 or not are_possible():
        for piece in pieces:
            yield from work(piece)
        return
    forks: list[_Fork] = []
    try:
        with suppress(OSError):  # no memory, too many processes or files, no room: fewer forks, and more is left for us
            for turn in range(1, turns):
                forks.append(_Fork(pieces[turn::turns], work, begin))
        for number, piece in enumerate(pieces):
            turn = number % turns
            made = forks[turn - 1].next_made() if 1 <= turn <= len(forks) else None
            yield from work(piece) if made is None else made
    finally:
        for fork in forks:
            fork.end()


class _Fork:
    """A fork of this process that works on some pieces, and what it has made so far."""

    def __init__(self, pieces: Sequence[Any], work: Callable[[Any], Iterable[Any]], begin: Callable[[], None]) -> None:
        parent, dies_with = os.getpid(), confined.death_with_parent()
        self._read = 0
        with ExitStack() as opened:
            self._file = opened.enter_context(tempfile.TemporaryFile(buffering=0))
            self._told, telling = os.pipe()
            opened.callback(os.close, self._told)
            try:
                self._process = os.fork()
                if not self._process:
                    _work_and_exit(
                        self._file.fileno(), telling, pieces, work, begin, parent=parent, dies_with=dies_with
                    )
            finally:
                os.close(telling)
            self._opened = opened.pop_all()

    def next_made(self) -> list[Any] | None:
        """Return what it made of its next piece; None where it ended before."""
        said = b""
        while len(said) < _END.size:
            some = os.read(self._told, _END.size - len(said))
            if not some:
                return None
            said += some
        begin, (end,) = self._read, _END.unpack(said)
        self._read = end
        made: list[Any] = pickle.loads(_all_of(self._file.fileno(), begin, end))
        return made

    def end(self) -> None:
        """End it and wait for that."""
        self._opened.close()
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)


def _all_of(file: int, begin: int, end: int) -> bytes:
    parts = []
    while begin < end and (part := os.pread(file, end - begin, begin)):
        parts.append(part)
        begin += len(part)
    return b"".join(parts)


def _work_and_exit(
    file: int,
    telling: int,
    pieces: Sequence[Any],
    work: Callable[[Any], Iterable[Any]],
    begin: Callable[[], None],
    *,
    parent: int,
    dies_with: Callable[[], object],
) -> NoReturn:
    """Work, in the fork; nothing of the parent's is closed, written out or run on the way out."""
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends us
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        dies_with()
        if os.getppid() == parent:
            begin()
            written = 0
            for piece in pieces:
                made = memoryview(pickle.dumps(list(work(piece)), pickle.HIGHEST_PROTOCOL))
                while made:
                    some = os.pwrite(file, made, written)
                    written, made = written + some, made[some:]
                os.write(telling, _END.pack(written))
            status = 0
    except BaseException:  # the border of a process: its parent does the piece itself, and meets what was met here
        status = 1
    finally:
        os._exit(status)
