"""What the system tells of changes below a folder, in four words.

The only place that knows watchdog. Notices come from its threads, may be missing
and may come twice; :mod:`gtloc_forensics.files.watching` takes them as hints to look, never
as facts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from enum import Enum, unique
from pathlib import Path
from typing import TypeAlias

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver
from watchdog.observers.polling import PollingObserver

JOIN_SECONDS = 2.0  # a thread caught in a dead network share is left behind
OPEN_AND_CLOSED_FOR_READING_LEFT_OUT = [  # our own reading must not look like news
    FileCreatedEvent,
    FileModifiedEvent,
    FileClosedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]


@unique
class Sign(Enum):
    """What may have happened to a path."""

    COMPLETE = "its writer closed it, or it was renamed to this name"
    APPEARED = "it is there"
    WRITTEN = "something wrote to it and has it open perhaps still"
    GONE = "it is no longer there"
    FOLDER = "a folder is there whose content is not known"


Report: TypeAlias = Callable[[bytes, Sign], None]


class Observation:
    """The running observation of one folder."""

    def __init__(self, root: Path, report: Report, *, poll_s: float | None) -> None:
        """Begin to observe.

        Args:
            root: an existing folder.
            report: called from another thread with paths below *root* and what happened.
            poll_s: look every so many seconds instead of being told; None to be told.

        Raises:
            OSError: when the system cannot watch it (gone, or no watches left).
        """
        place = root.resolve()  # events name resolved paths
        self._observer = _observer(poll_s)
        tells_closing = poll_s is None and sys.platform.startswith("linux")
        handler = _Translator(place, report, tells_closing=tells_closing)
        try:
            self._observer.schedule(
                handler, str(place), recursive=True, event_filter=list(OPEN_AND_CLOSED_FOR_READING_LEFT_OUT)
            )
            self._observer.start()
        except OSError:
            self.stop()
            raise

    @property
    def is_alive(self) -> bool:
        """Whether somebody is still looking: watchdog's threads end when the folder goes away."""
        return all(emitter.is_alive() for emitter in self._observer.emitters)

    def stop(self) -> None:
        """End the observation; a thread that does not return is left to itself."""
        self._observer.stop()
        if self._observer.is_alive():
            self._observer.join(JOIN_SECONDS)


def _observer(poll_s: float | None) -> BaseObserver:
    if poll_s is not None:
        return PollingObserver(timeout=poll_s)
    if sys.platform.startswith("linux"):
        from watchdog.observers.inotify import InotifyObserver

        # Full events tell a file renamed into the folder from one just created there.
        return InotifyObserver(generate_full_events=True)
    return Observer()


class _Translator(FileSystemEventHandler):
    """Turns watchdog's events into signs about relative paths."""

    def __init__(self, place: Path, report: Report, *, tells_closing: bool) -> None:
        self._prefix = os.fsencode(place).rstrip(b"/") + b"/"
        self._report = report
        # Where the end of writing is not told, a new name or a change says only that something is there.
        self._moved = Sign.COMPLETE if tells_closing else Sign.APPEARED
        self._modified = Sign.WRITTEN if tells_closing else Sign.APPEARED

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Report one event; called by watchdog."""
        if isinstance(event, FileMovedEvent | DirMovedEvent):
            self._tell(event.src_path, Sign.GONE)
            self._tell(event.dest_path, Sign.FOLDER if isinstance(event, DirMovedEvent) else self._moved)
        else:
            self._tell(event.src_path, self._sign(event))

    def _sign(self, event: FileSystemEvent) -> Sign:
        if isinstance(event, FileDeletedEvent | DirDeletedEvent):
            return Sign.GONE
        if isinstance(event, DirCreatedEvent):
            return Sign.FOLDER
        if isinstance(event, FileClosedEvent):
            return Sign.COMPLETE
        return self._modified if isinstance(event, FileModifiedEvent) else Sign.APPEARED

    def _tell(self, path: bytes | str, sign: Sign) -> None:
        name = os.fsencode(path)
        if name.startswith(self._prefix):
            self._report(name[len(self._prefix) :], sign)
