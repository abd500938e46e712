"""Iterators that run ahead of whoever consumes them, in a bounded window."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    """Yield *items* in lists of *size*; the last may be shorter."""
    while chunk := list(islice(items, size)):
        yield chunk


class Prefetch(Iterable[T]):
    """Runs an iterator in a thread, at most *depth* items ahead of whoever consumes it."""

    def __init__(self, source: Iterator[T], *, depth: int) -> None:
        """Prepare to run *source*; the thread starts on entering."""
        self._source = source
        self._items: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="read-ahead", daemon=True)

    def __enter__(self) -> Iterator[T]:
        """Start the thread and return what it makes."""
        self._thread.start()
        return iter(self)

    def __exit__(self, *_: object) -> None:
        """Stop the thread, whatever it was doing."""
        self._stop.set()
        self._thread.join()

    def __iter__(self) -> Iterator[T]:
        """Yield the items; an error of the thread is raised here."""
        while True:
            is_item, value = self._items.get()
            if is_item:
                yield value  # type: ignore[misc]
            elif isinstance(value, BaseException):
                raise value
            else:
                return

    def _fill(self) -> None:
        try:
            for item in self._source:
                if not self._put((True, item)):
                    return
            self._put((False, None))
        except BaseException as error:  # handed to the consumer, who raises it
            self._put((False, error))

    def _put(self, entry: tuple[bool, T | BaseException | None]) -> bool:
        while not self._stop.is_set():
            with suppress(queue.Full):
                self._items.put(entry, timeout=0.1)
                return True
        return False
