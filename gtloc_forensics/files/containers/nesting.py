"""Images and archives within the evidence: opened one in another, on request or for a path that leads into one.

Each is put down once into an unnamed temporary file, since most can be read at any place
only there; a few stay open. How deep, how many and how much is bounded, whatever the
containers claim: a few kilobytes can hold archives within archives without an end.
"""

from __future__ import annotations

import errno
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import BinaryIO, cast

from gtloc_forensics.errors import ForensicsError, UsageError, WorkspaceFull
from gtloc_forensics.files import hashing, opening
from gtloc_forensics.files.containers import kinds
from gtloc_forensics.files.containers.identity import Identity, hashes_of
from gtloc_forensics.files.containers.kinds import Kind
from gtloc_forensics.files.containers.layers import INNER, Layer, marked_deleted
from gtloc_forensics.files.containers.media import EwfMedia, Media, MediaFile, SpooledMedia
from gtloc_forensics.files.containers.members import FREE_BYTES, MOST_GROWTH, Allowance, Member
from gtloc_forensics.files.containers.spool import Spool
from gtloc_forensics.records import Candidate, Sentence, Skipped, visible

DEEPEST = 4
"""Containers within containers within the evidence."""

MOST_CONTAINERS = 1_000
"""Opened within one piece of evidence."""

MOST_OPEN = 8
"""At a time; more than the deepest row of them."""


class Within:
    """The containers within one container."""

    def __init__(self, root: Layer, archive_bytes: int, *, identity: int, lock: threading.RLock) -> None:
        """Begin with the container itself; *archive_bytes* is its length, which bounds what is unpacked."""
        self._root, self._identity, self._lock = root, identity, lock
        self._archive_bytes = archive_bytes
        self._open: OrderedDict[bytes, Layer] = OrderedDict()
        self._known: dict[bytes, int] = {}  # name of one opened before → bytes that were claimed before its members
        self._put_down = Allowance(archive_bytes)
        self._claimed = Allowance(archive_bytes)

    # ----------------------------------------------------------------- listing

    def walk(self, *, carved: bool) -> Iterator[Candidate | Skipped]:
        """Yield everything in every container within, each after the word that it was opened or why it was not."""
        yield from self._walk(self._root, carved=carved)

    def _walk(self, layer: Layer, *, carved: bool) -> Iterator[Candidate | Skipped]:
        for member in layer.containers():
            relative = layer.outer(member.path)
            found: list[Candidate | Skipped] = []
            try:
                within = self.opened(relative)
                found = list(within.walk())
                found += list(within.carve()) if carved else []
            except WorkspaceFull:
                raise
            except (ForensicsError, OSError) as error:
                said = opening.words(error) if isinstance(error, OSError) else _first_line(error)
                refusal = Sentence("an image or an archive within this one that could not be opened: {said}", said=said)
                yield Skipped(relative, refusal, blocks=not member.stat.is_deleted)
                continue
            opened = Sentence(
                "an image or an archive within this one, opened as was asked: {photos:raw} photos in it",
                photos=sum(isinstance(entry, Candidate) for entry in found),
            )
            yield Skipped(relative, opened, blocks=False)
            yield from found
            yield from self._walk(within, carved=carved)

    # ----------------------------------------------------------------- opening

    def found(self, relative: bytes) -> tuple[Layer, Member]:
        """Return the file at a path of the evidence and the container that it lies in.

        Raises:
            OSError: there is none, or a container on the way cannot be opened.
        """
        with self._lock:
            return self._found(relative)

    def _found(self, relative: bytes) -> tuple[Layer, Member]:
        layer, path = self._root, relative.removeprefix(self._root.name + INNER)
        if not relative.startswith(self._root.name + INNER):
            raise FileNotFoundError(2, "no such file or directory")
        while True:
            member = layer.find(path)
            if member is not None:
                return layer, member
            inner = self._container_on(layer, path)
            if inner is None:
                raise FileNotFoundError(2, "no such file or directory")
            layer, path = self._layer(layer, inner), path[len(inner.path) + len(INNER) :]

    def opened(self, relative: bytes) -> Layer:
        """Return the container at a path of the evidence, opened."""
        with self._lock:
            return self._layer(*self._found(relative))

    def _container_on(self, layer: Layer, path: bytes) -> Member | None:
        """Return the container through which a path leads."""
        at = path.find(INNER)
        while at >= 0:
            member = layer.find(path[:at])
            if member is not None and member.is_container:
                return member
            at = path.find(INNER, at + 1)
        return None

    def _layer(self, outer: Layer, member: Member) -> Layer:
        name = outer.outer(member.path)
        known = self._open.get(name)
        if known is not None:
            self._open.move_to_end(name)
            return known
        self._refuse(name, member)
        self._open[name] = made = self._made(name, outer, member)
        while len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)[1].close()
        return made

    def _refuse(self, name: bytes, member: Member) -> None:
        if name in self._known:
            return
        if name.count(INNER) > DEEPEST:
            raise NotOpened(Sentence("it lies deeper than {deepest:raw} within one another", deepest=DEEPEST))
        if len(self._known) >= MOST_CONTAINERS:
            raise NotOpened(Sentence("{most:raw} were opened before it", most=MOST_CONTAINERS))
        refusal = self._put_down.refusal(member.stat.size_bytes, None, is_container=True)
        if refusal is not None:
            raise NotOpened(refusal)
        self._known[name] = self._claimed.declared_bytes

    def _made(self, name: bytes, outer: Layer, member: Member) -> Layer:
        shown = visible(name)
        spool = Spool(shown, self._archive_bytes, most_growth=MOST_GROWTH, free_bytes=FREE_BYTES)
        media: Media = SpooledMedia(spool)
        try:
            for block in outer.blocks(member, hashing.BLOCK_BYTES):
                spool.write(block)
            kind = kinds.kind_of_head(media.read(0, kinds.HEAD_BYTES), member.path.rpartition(b"/")[2], shown=shown)
            if kind is Kind.EWF:
                media = _unpacked(shown, media)
            layer = Layer(name, kind, media, shown, identity=self._identity, lock=self._lock)
        except BaseException:
            media.close()
            raise
        try:
            claimed = Allowance(self._archive_bytes, self._known[name])
            layer.list_members(lambda members: self._allowed(members, claimed, member))
        except BaseException:
            layer.close()
            raise
        self._claimed.declared_bytes = max(self._claimed.declared_bytes, claimed.declared_bytes)
        return layer

    def _allowed(
        self, members: Iterable[Member | Skipped], claimed: Allowance, container: Member
    ) -> Iterator[Member | Skipped]:
        """Yield what a container lists, as far as all of them together claim no more than an honest one does."""
        for entry in marked_deleted(members) if container.stat.is_deleted else members:
            if isinstance(entry, Member):
                refusal = claimed.refusal(entry.stat.size_bytes, None, is_container=True)
                yield entry if refusal is None else Skipped(entry.path, refusal, blocks=True)
            else:
                yield entry

    def close(self) -> None:
        """Close them all."""
        for layer in self._open.values():
            layer.close()
        self._open.clear()


class NotOpened(OSError):
    """A container within that is not opened, with the sentence that says why."""

    def __init__(self, reason: Sentence) -> None:
        """Keep the reason."""
        super().__init__(errno.EIO, reason)


def _unpacked(shown: str, media: Media) -> Media:
    """Return the content of an EWF image of one segment; what it states of it is compared.

    Raises:
        UsageError: it cannot be opened, or its content is not what it states.
    """

    def segments(stack: ExitStack) -> list[BinaryIO]:
        stack.callback(media.close)
        return [cast("BinaryIO", MediaFile(media))]

    unpacked = EwfMedia(shown, segments)
    content, unread = hashes_of(unpacked)
    mismatch = Identity("", (), unpacked.size_bytes, content, unpacked.stored, unread).mismatch
    if mismatch is not None:
        unpacked.close()
        raise UsageError(str(mismatch))
    return unpacked


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
