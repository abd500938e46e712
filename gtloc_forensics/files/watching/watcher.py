"""Folders to photos, for ever: the endless form of :func:`gtloc_forensics.files.listing.walk`.

A file is announced once it is complete: its writer closed it or renamed it to its
name, or its size and modification time stood still for a stated time. Notices from
the system are hints; a full look at the start, and again every few minutes, finds
what they missed. Time is counted by a clock that cannot be set, so that setting the
computer's clock changes nothing. What was announced is remembered in a fixed amount
of memory: forgetting costs a second look, never a file.

Nothing here survives the process. Whoever takes the announcements keeps a case and
skips what the case knows; then a watcher that was killed misses nothing and repeats
nothing.
"""

from __future__ import annotations

import heapq
import stat
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from gtloc_forensics.files import opening
from gtloc_forensics.files.listing import candidates_among
from gtloc_forensics.files.watching import mounts
from gtloc_forensics.files.watching.events import Observation, Report, Sign
from gtloc_forensics.files.watching.files import Key, Seen, State, files_below, is_temporary, state_of
from gtloc_forensics.records import Candidate, visible

STABLE_SECONDS = 1.5
OPEN_FACTOR = 10.0  # patience with a file somebody writes to, against one that merely appeared
ONCE_FACTOR = 40.0  # of the stable time: how long a single run waits for a file
RESCAN_SECONDS = 300.0
POLL_SECONDS = 2.0
TICK_SECONDS = 0.2
ROOT_CHECK_SECONDS = 0.5
MOST_WAITING = 10_000  # files between noticed and announced; beyond it a rescan does the noticing
SCAN_SLICE = 2_000
BATCH = 50


@dataclass(frozen=True, slots=True)
class Arrival:
    """A photo or video that is complete, new or changed since it was last announced."""

    root: Path
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about a watched folder that belongs in the log.

    ``kind`` is one of "watching", "polling", "gone", "back", "absent", "rescanned", "overflow", "unfinished".
    """

    root: Path
    kind: str
    text: str


News: TypeAlias = Arrival | Notice


Files: TypeAlias = Iterator[tuple[bytes, State]]


class Observes(Protocol):
    """What starts the observation of a folder: :class:`Observation`, or a fake in a test."""

    def __call__(self, root: Path, report: Report, *, poll_s: float | None) -> Observation:
        """Begin to observe *root*."""


@dataclass(slots=True)
class _Waiting:
    """A file that was noticed and is not known to be complete."""

    state: State | None  # as last looked at; None when never
    due: float  # when to look again
    since: float
    closed: bool = False


@dataclass(slots=True)
class _Root:
    """One watched folder and what is going on there."""

    path: Path
    identity: tuple[int, int] | None = None  # device and inode while it is there
    seen_before: bool = False
    observation: Observation | None = None
    scan: Files | None = None  # of all of it
    new_folders: deque[bytes] = field(default_factory=deque)
    folder_scan: Files | None = None
    scans_done: int = 0
    next_scan: float = 0.0
    overflowed: bool = False


class Watcher:
    """Watches folders and yields what is complete. Use it as a context manager, or call :meth:`close`."""

    def __init__(
        self,
        roots: Sequence[Path],
        *,
        stable_s: float = STABLE_SECONDS,
        poll: bool | None = None,
        rescan_s: float = RESCAN_SECONDS,
        once: bool = False,
        stop: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
        observes: Observes = Observation,
    ) -> None:
        """Prepare to watch; nothing is touched before the first :meth:`look`.

        Args:
            roots: folders; one that is not there yet is waited for.
            stable_s: how long size and modification time must stand still.
            poll: look instead of being told; None decides by the file system.
            rescan_s: seconds between two full looks.
            once: end when everything that lies there now was announced.
            stop: set it to end after what is being yielded.
            clock: seconds that only ever go forward.
            observes: starts an observation.
        """
        self._roots = [_Root(path) for path in roots]
        self._stable_s = stable_s
        self._poll = poll
        self._rescan_s = rescan_s
        self._once = once
        self._stop = stop or threading.Event()
        self._clock = clock
        self._observes = observes
        self._seen = Seen()
        self._lock = threading.Lock()  # guards what follows: notices come from other threads
        self._waiting: dict[Key, _Waiting] = {}
        self._wake = threading.Event()
        self._next_check = float("-inf")

    def __enter__(self) -> Watcher:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop watching."""
        self.close()

    def __iter__(self) -> Iterator[News]:
        """Yield one piece of news at a time, for ever."""
        for batch in self.batches():
            yield from batch

    def batches(self, *, most: int = BATCH) -> Iterator[tuple[News, ...]]:
        """Yield what is ready together, at most *most* files at a time, until stopped."""
        try:
            while not self._stop.is_set():
                self._wake.clear()
                news = self.look(most=most)
                if news:
                    yield news
                elif self._once and self.is_done:
                    return
                else:
                    self._wake.wait(TICK_SECONDS)
        finally:
            self.close()

    def look(self, *, most: int = BATCH) -> tuple[News, ...]:
        """Do one round without waiting: folders, a piece of a scan, files that are due."""
        notices: list[News] = [*self._check_roots(), *self._scan_on()]
        late = self._given_up() if self._once else ()
        return (*notices, *self._announce(self._complete(most)), *late)

    def again(self, arrival: Arrival, *, after_s: float) -> None:
        """Announce a file once more after a while: whoever took it could not work on it."""
        number = next(number for number, root in enumerate(self._roots) if root.path == arrival.root)
        key = (number, arrival.candidate.relative)
        self._seen.forget(key)
        now = self._clock()
        with self._lock:
            self._waiting[key] = _Waiting(None, now + after_s, now)

    @property
    def is_done(self) -> bool:
        """Whether every folder that is there was looked through and nothing waits."""
        present = [root for root in self._roots if root.identity is not None]
        looked = all(root.scans_done and root.scan is root.folder_scan is None for root in present)
        return looked and not self._waiting and not any(root.new_folders for root in present)

    def close(self) -> None:
        """Stop watching; what was not announced will be found by the next watcher."""
        for root in self._roots:
            self._leave(root)

    # ------------------------------------------------------------- folders come and go

    def _check_roots(self) -> Iterator[Notice]:
        now = self._clock()
        if now < self._next_check:
            return
        self._next_check = now + ROOT_CHECK_SECONDS
        for number, root in enumerate(self._roots):
            identity = _identity(root.path)
            if root.observation is not None and not root.observation.is_alive:
                root.identity = (-1, -1)  # it went and came back between two looks
            if identity != root.identity:
                if root.identity is not None:
                    yield self._lost(number, root)
                if identity is not None:
                    root.identity = identity
                    yield self._found(number, root)
            elif identity is None and not root.seen_before:
                root.seen_before = True
                yield Notice(root.path, "absent", "it is not there yet; waiting for it")

    def _lost(self, number: int, root: _Root) -> Notice:
        self._leave(root)
        with self._lock:
            dropped = [key for key in self._waiting if key[0] == number]
            for key in dropped:
                del self._waiting[key]
        rest = f"; {len(dropped)} files were not complete" if dropped else ""
        return Notice(root.path, "gone", f"it is gone (taken out, unmounted or renamed){rest}")

    def _found(self, number: int, root: _Root) -> Notice:
        kind = mounts.file_system_type(root.path)
        poll = mounts.is_remote(kind) if self._poll is None else self._poll
        came_back, root.seen_before = root.seen_before, True
        root.next_scan = self._clock()
        text = ""
        if not poll:
            try:
                root.observation = self._observes(root.path, self._reporter(number), poll_s=None)
            except OSError as error:
                poll, text = True, f" (the system cannot watch it: {opening.words(error)})"
        if poll:
            text += f" on {kind}" if kind else ""
            try:
                root.observation = self._observes(root.path, self._reporter(number), poll_s=POLL_SECONDS)
            except OSError as error:
                text += f"; only full looks every {self._rescan_s:.0f} s ({opening.words(error)})"
        how = f"looked at every {POLL_SECONDS:g} s{text}" if poll else "watched"
        if came_back:
            return Notice(root.path, "back", f"it is there now; {how}")
        return Notice(root.path, "polling" if poll else "watching", how)

    def _leave(self, root: _Root) -> None:
        if root.observation is not None:
            root.observation.stop()
        root.observation = root.scan = root.folder_scan = root.identity = None
        root.new_folders.clear()

    # ------------------------------------------------------------- noticing

    def _reporter(self, number: int) -> Report:
        def report(relative: bytes, sign: Sign) -> None:
            self._notice(number, relative, sign)

        return report

    def _notice(self, number: int, relative: bytes, sign: Sign) -> None:
        """Take one hint; called from any thread."""
        if is_temporary(relative):
            return
        key, root, now = (number, relative), self._roots[number], self._clock()
        with self._lock:
            if sign is Sign.GONE:
                self._waiting.pop(key, None)
            elif sign is Sign.FOLDER and len(root.new_folders) < MOST_WAITING:
                root.new_folders.append(relative)
            elif sign is Sign.FOLDER or (len(self._waiting) >= MOST_WAITING and key not in self._waiting):
                root.overflowed = True
            else:
                self._expect(key, sign, now)
        self._wake.set()

    def _expect(self, key: Key, sign: Sign, now: float) -> None:
        waiting = self._waiting.setdefault(key, _Waiting(None, now, now))
        waiting.closed = sign is Sign.COMPLETE
        patience = {Sign.COMPLETE: 0.0, Sign.WRITTEN: OPEN_FACTOR * self._stable_s}.get(sign, self._stable_s)
        waiting.due = now + patience

    # ------------------------------------------------------------- full looks

    def _scan_on(self) -> Iterator[Notice]:
        """Look through a piece of what is to be looked through, new folders first, while there is room."""
        for number, root in enumerate(self._roots):
            if root.identity is None:
                continue
            self._scan_new_folders(number, root)
            if root.scan is None and (root.overflowed or self._clock() >= root.next_scan):
                if root.overflowed:
                    yield Notice(root.path, "overflow", "more changes at once than can be kept; looking through it")
                root.overflowed = False
                root.scan = files_below(root.path, b"")
            if root.scan is not None and self._take_up(number, root.scan):
                yield self._scanned(root)

    def _scan_new_folders(self, number: int, root: _Root) -> None:
        while root.folder_scan is not None or root.new_folders:
            if root.folder_scan is None:
                root.folder_scan = files_below(root.path, root.new_folders.popleft())
            if not self._take_up(number, root.folder_scan):
                return
            root.folder_scan = None

    def _take_up(self, number: int, files: Files) -> bool:
        """Notice files of a scan that are new; return whether it came to its end."""
        if len(self._waiting) >= MOST_WAITING // 2:
            return False
        now = self._clock()
        for count, (relative, state) in enumerate(files, start=1):
            key = (number, relative)
            if not is_temporary(relative) and not self._seen.holds(key, state):
                with self._lock:
                    self._waiting.setdefault(key, _Waiting(state, now + self._stable_s, now))
            if count >= SCAN_SLICE or len(self._waiting) >= MOST_WAITING // 2:
                return False
        return True

    def _scanned(self, root: _Root) -> Notice:
        root.scan = None
        root.scans_done += 1
        root.next_scan = self._clock() + self._rescan_s
        return Notice(root.path, "rescanned", "looked through the whole folder")

    def _given_up(self) -> Iterator[Notice]:
        """Leave what never comes to rest to the next run: a single run has to end."""
        last = self._clock() - ONCE_FACTOR * self._stable_s
        with self._lock:
            late = [key for key, waiting in self._waiting.items() if waiting.since < last]
            for key in late:
                del self._waiting[key]
        for number, relative in late:
            yield Notice(self._roots[number].path, "unfinished", f"{visible(relative)} keeps changing; left for later")

    # ------------------------------------------------------------- announcing

    def _complete(self, most: int) -> list[Key]:
        """Return files that are due and complete, at most *most*, in the order of their paths."""
        now = self._clock()
        with self._lock:
            due = heapq.nsmallest(most, (key for key, waiting in self._waiting.items() if waiting.due <= now))
            taken = [(key, self._waiting.pop(key)) for key in due]
        return [key for key, waiting in taken if self._is_complete(key, waiting, now)]

    def _is_complete(self, key: Key, waiting: _Waiting, now: float) -> bool:
        state = state_of(self._roots[key[0]].path, key[1])
        if state is None or self._seen.holds(key, state):
            return False
        empty = state[0] == 0
        if (waiting.closed and not empty) or state == waiting.state:
            self._seen.put(key, state)
            return True
        patience = self._stable_s * (OPEN_FACTOR if empty else 1.0)
        with self._lock:  # unless something was noticed of it meanwhile
            self._waiting.setdefault(key, _Waiting(state, now + patience, waiting.since))
        return False

    def _announce(self, keys: Iterable[Key]) -> list[Arrival]:
        """Classify complete files, each folder listed once; what is no photo is not news."""
        by_folder: defaultdict[Key, list[bytes]] = defaultdict(list)
        for number, relative in keys:
            folder, _, name = relative.rpartition(b"/")
            by_folder[number, folder].append(name)
        found: list[tuple[int, Candidate]] = []
        for (number, folder), names in by_folder.items():
            with suppress(OSError):  # the folder went away; its coming back is news again
                for entry in candidates_among(self._roots[number].path, folder, names=names):
                    if isinstance(entry, Candidate) and (number, entry.relative) not in self._waiting:
                        found.append((number, entry))
        found.sort(key=lambda pair: (pair[0], pair[1].relative))
        return [Arrival(self._roots[number].path, candidate) for number, candidate in found]


def watch(
    roots: Sequence[Path],
    *,
    stable_s: float = STABLE_SECONDS,
    poll: bool | None = None,
    rescan_s: float = RESCAN_SECONDS,
    stop: threading.Event | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[News]:
    """Yield every photo below *roots* once it is complete, for ever; the arguments are those of :class:`Watcher`."""
    with Watcher(roots, stable_s=stable_s, poll=poll, rescan_s=rescan_s, stop=stop, clock=clock) as watcher:
        yield from watcher


def _identity(root: Path) -> tuple[int, int] | None:
    try:
        found = root.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None
