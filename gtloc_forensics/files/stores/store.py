"""Evidence in a store: listed once a run, each object read as it is now and held against the listing.

A store that does not answer several times in a row is asked no more in this run: what is
left is *not examined*, with that reason, and the next run fetches it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from gtloc_forensics.errors import ForensicsError, UsageError
from gtloc_forensics.files import hashing, types
from gtloc_forensics.files.containers.inventory import Inventory
from gtloc_forensics.files.containers.members import MOST_BYTES, Member, Unreadable, too_long
from gtloc_forensics.files.stores import addresses, connections, troubles
from gtloc_forensics.files.stores.addresses import Address
from gtloc_forensics.files.stores.objects import Objects
from gtloc_forensics.records import Candidate, FileStat, Sentence, Skipped

T = TypeVar("T")

GIVEN_UP_AFTER = 4
"""Objects in a row over which the store did not answer."""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What the chain of custody is told of a store."""

    address: str
    objects: int
    size_bytes: int
    libraries: str


class ObjectStore:
    """One address, open for reading. Safe to share between threads."""

    def __init__(self, address: Address) -> None:
        """Connect, and make sure that there is something to list.

        Raises:
            UsageError, ServerFailed: there is no such bucket, no right, or no answer.
            ToolMissing: the package of an extra is not installed.
        """
        self.address = address
        self._lock = threading.Lock()
        self._unanswered = 0
        self._inventory: Inventory | None = None
        try:
            self._objects = Objects(address, connections.connected(address))
            self._objects.insist_it_is_there()
        except ForensicsError:
            raise
        except Exception as error:  # the border: five libraries, each with errors of its own
            raise troubles.of_store(error, address) from error

    def walk(self) -> Iterator[Candidate | Skipped]:
        """List the store anew and yield everything in it, folder by folder.

        Raises:
            UsageError, ServerFailed: it cannot be listed.
        """
        fresh = Inventory(self._objects.members(), self._head)
        with self._lock:
            before, self._inventory, self._unanswered = self._inventory, fresh, 0
        if before is not None:
            before.close()
        yield from fresh.walk()

    def _head(self, member: Member) -> bytes:
        return next(self._objects.blocks(member.address, types.HEAD_BYTES), b"") if member.stat.size_bytes else b""

    def facts(self) -> StoreFacts:
        """Return what it is; how much lies in it is of the last listing."""
        objects, size_bytes = (0, 0) if self._inventory is None else self._inventory.totals()
        return StoreFacts(str(self.address), objects, size_bytes, connections.libraries(self.address))

    def look(self, relative: bytes, told: Mapping[str, Any] | None = None) -> FileStat:
        """Return what the store says of an object now, or what it *told* of it when it was opened.

        Raises:
            OSError: it is gone, or the store cannot be asked.
        """
        return self._objects.stat_of(told) if told is not None else self._asked(lambda now: now.look(relative))

    def listed(self, relative: bytes) -> FileStat | None:
        """Return what the listing said of an object; None where nothing was listed, or not this."""
        inventory = self._inventory
        with suppress(FileNotFoundError):
            return None if inventory is None else inventory.look(relative)
        return None

    @contextmanager
    def open(self, relative: bytes) -> Iterator[OpenObject]:
        """Lend an object open for reading.

        Raises:
            OSError: it is gone or cannot be read.
        """
        lent = OpenObject(self, relative, self.file_of(relative))
        try:
            yield lent
        finally:
            lent.close()

    def file_of(self, relative: bytes) -> Any:
        """Return an object open for reading, as its library gives it; a server that hung up is called once more."""
        return self._asked(lambda now: now.open(now.name_of(relative)))

    def _asked(self, ask: Callable[[Objects], T]) -> T:
        """Return what *ask* gets; a server that hung up is called once more."""
        asked = self._objects
        with self.answering():
            try:
                return ask(asked)
            except OSError as error:
                if not self.address.is_server or not troubles.is_of_the_store(error):
                    raise
                return ask(self._called_again(asked))

    def _called_again(self, before: Objects) -> Objects:
        with self._lock:
            if self._objects is before:  # no other thread has called
                before.close()
                try:
                    self._objects = Objects(self.address, connections.connected(self.address))
                except Exception as error:  # the border, as above
                    raise Unreadable(troubles.of_object(error)) from error
            return self._objects

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Count how often in a row the store did not answer, and ask no more after a few.

        Raises:
            Unreadable: it was given up.
        """
        if self._unanswered >= GIVEN_UP_AFTER:
            raise Unreadable(
                Sentence(
                    "the store had not answered {times:raw} times in a row and was not asked for it; run again later",
                    times=GIVEN_UP_AFTER,
                )
            )
        try:
            yield
        except OSError as error:
            with self._lock:
                self._unanswered = self._unanswered + 1 if troubles.is_of_the_store(error) else 0
            raise
        with self._lock:
            self._unanswered = 0

    def close(self) -> None:
        """Forget the listing and hang up."""
        if self._inventory is not None:
            self._inventory.close()
        self._objects.close()


class OpenObject:
    """An object, open for reading."""

    def __init__(self, store: ObjectStore, relative: bytes, file: Any) -> None:
        """Keep what *store* opened."""
        self._store, self._relative, self._file = store, relative, file
        self._told: Mapping[str, Any] | None = getattr(file, "details", None)
        self._position, self._is_opened_again = 0, False

    def stat(self) -> FileStat:
        """Return what the store says of it: first as it was opened, then as it is now."""
        told, self._told = self._told, None
        return self._store.look(self._relative, told)

    def listed(self) -> FileStat | None:
        """Return what the listing said of it; None where nothing was listed."""
        return self._store.listed(self._relative)

    def head(self) -> bytes:
        """Return its first bytes."""
        with self._store.answering():
            head = self._read(types.HEAD_BYTES)
            self._file.seek(0)
        self._position = 0
        return head

    def blocks(self) -> Iterator[bytes]:
        """Yield its content.

        Raises:
            OSError: it cannot be read, or is longer than what is examined.
        """
        length = 0
        while True:
            with self._store.answering():
                block = self._read(hashing.BLOCK_BYTES)
            if not block:
                return
            length += len(block)
            if length > MOST_BYTES:
                raise Unreadable(too_long(length))
            yield block

    def _read(self, length: int) -> bytes:
        try:
            block = self._block(length)
        except Unreadable as error:
            if self._is_opened_again or not self._store.address.is_server or not troubles.is_of_the_store(error):
                raise
            self._open_again()  # another file may have lost the connection for all of them
            block = self._block(length)
        self._position += len(block)
        return block

    def _block(self, length: int) -> bytes:
        try:
            return bytes(self._file.read(length))
        except Exception as error:  # the border: five libraries, each with errors of its own
            raise Unreadable(troubles.of_object(error)) from error

    def _open_again(self) -> None:
        self._is_opened_again = True
        self.close()
        self._file = self._store.file_of(self._relative)
        try:
            self._file.seek(self._position)
        except Exception as error:  # the border, as above
            raise Unreadable(troubles.of_object(error)) from error

    def close(self) -> None:
        """Close it; a connection that is gone cannot be told so."""
        with suppress(Exception):
            self._file.close()


_named: set[Path] = set()
"""Addresses that somebody named to this process: what a case says of its evidence is not enough to connect."""

_open: dict[Path, ObjectStore] = {}
_opening = threading.Lock()


def is_store(evidence: Path) -> bool:
    """Say whether the evidence of a case is the address of a store."""
    return addresses.of_path(evidence) is not None


def name(evidence: Path) -> None:
    """Note that somebody named an address to this process, which may then connect there."""
    _named.add(evidence)


def opened(evidence: Path) -> ObjectStore:
    """Return the store *evidence*, opened now or before; only the one asked for last stays open.

    Raises:
        UsageError: nobody named it, or as :class:`ObjectStore`.
        ServerFailed, ToolMissing: as :class:`ObjectStore`.
    """
    address = addresses.of_path(evidence)
    if address is None:
        raise UsageError(f"{evidence} is no address of a store; write s3://bucket/prefix")
    if evidence not in _named:
        raise UsageError(
            f"the photos of this case lie at {address}; a case folder alone does not decide where we connect: if it is "
            f"right, name the same address with --evidence {address}"
        )
    with _opening:
        known = _open.get(evidence)
        if known is not None:
            return known
        for left in _open.values():
            left.close()
        _open.clear()
        _open[evidence] = made = ObjectStore(address)
        return made
