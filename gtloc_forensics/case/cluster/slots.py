"""A worker's slots: each holds one process that examines and may die, kept from shard to shard.

A process that dies or falls silent costs its shard, never the worker: the engine sees an ordinary answer.
"""

from __future__ import annotations

import os
import platform
import queue
import shutil
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from distributed import get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from gtloc_forensics.case.cluster.messages import Outfit, Reply, Request, State, by_signal, died, unfit
from gtloc_forensics.errors import DamagedCase, ForensicsError
from gtloc_forensics.files import confined
from gtloc_forensics.metadata import exiftool
from gtloc_forensics.records import Sentence, Statement
from gtloc_forensics.store.codec import pack, unpack

NAME = "gtloc"
"""Under which the slots are found on a worker."""

PACKAGES = ("gtloc_forensics", "pillow", "tzdata", "timezonefinder", "torch", "timm", "distributed")
"""Whose versions are told of a worker."""

START_S = 300.0
"""For a process to import what it needs and load a model on a busy machine."""

EXIT_S = 5.0


class Slots(WorkerPlugin):  # type: ignore[misc]
    """The slots of one worker."""

    name = NAME

    def __init__(self, count: int, place: Path, *, evidence: Path | None, results: Path | None) -> None:
        """Prepare *count* slots that work below *place*.

        Args:
            count: shards at a time.
            place: an existing folder for working copies.
            evidence: where this machine sees the evidence, when not where the machine that audits does.
            results: and the folder of results.
        """
        self._evidence, self._results = evidence, results
        self._stopped = threading.Event()
        self._slots = [_Slot(place / f"slot-{number}") for number in range(count)]
        self._idle: queue.SimpleQueue[_Slot] = queue.SimpleQueue()
        for slot in self._slots:
            self._idle.put(slot)

    def do(self, asked: bytes) -> bytes:
        """Examine a shard; return a :class:`Reply`, whatever happens to it.

        Raises:
            RuntimeError: the worker was stopped meanwhile.
        """
        try:
            request = self._as_seen_here(unpack(Request, asked))
        except DamagedCase as error:
            return pack(unfit(f"the request could not be read, perhaps of another version of this program: {error}"))
        slot = self._idle.get()
        try:
            reply = slot.do(request)
        finally:
            self._idle.put(slot)
        if self._stopped.is_set():  # then the process did not die over the shard: we ended it
            raise RuntimeError("the worker was stopped")
        return pack(reply)

    def _as_seen_here(self, request: Request) -> Request:
        if self._evidence is not None:
            request = replace(request, outfit=replace(request.outfit, evidence=os.fsencode(self._evidence)))
        return request if self._results is None else replace(request, results=os.fsencode(self._results))

    def teardown(self, worker: Any) -> None:
        """End every process; what they had in hand is lost, and held against no shard."""
        self._stopped.set()
        for slot in self._slots:
            slot.end()


def do_shard(asked: bytes) -> bytes:
    """Examine a shard on the worker that runs this; the engine calls it by name."""
    slots = get_worker().plugins.get(NAME)
    if slots is None:
        return pack(unfit("it has no slots; start workers with `gtloc worker`, not with `dask worker`"))
    return bytes(slots.do(asked))


def facts() -> dict[str, str]:
    """Return what the machine that runs this has: what results depend on, by name; "" where it is missing."""
    found = {package: _installed(package) for package in PACKAGES}
    try:
        tool = exiftool.version(exiftool.locate())
    except ForensicsError:
        tool = ""
    return {**found, "exiftool": tool, "python": platform.python_version(), "processor": platform.machine()}


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


class _Slot:
    """One process, started when first needed and again after it died."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._child: confined.Child | None = None
        self._outfit: Outfit | None = None
        self._ready = Reply(State.UNFIT)

    def do(self, request: Request) -> Reply:
        try:
            self._make_ready(request.outfit)
        except (EOFError, OSError) as error:
            how = self._ended()
            return unfit(f"its process did not start ({how or error})")
        if self._ready.used is None:
            self.end()
            return self._ready
        differing = self._ready.used.differing(request.used)
        if differing:
            return unfit(f"it would find something else: other programs, weights or versions for {_list(differing)}")
        return self._examine(request)

    def _examine(self, request: Request) -> Reply:
        child = self._child
        if child is None:
            return unfit("its process did not start")
        try:
            child.connection.send_bytes(pack(request))
            while True:
                if not child.connection.poll(request.silence_s):
                    self.end()
                    silent = Sentence("nothing was heard of it for {seconds:g} s", seconds=request.silence_s)
                    return died(silent)
                reply = unpack(Reply, child.connection.recv_bytes())
                if reply.state is not State.WORKING:
                    return reply
        except (EOFError, OSError, DamagedCase):
            return died(self._ended() or Sentence("it ended without a word"))

    def _make_ready(self, outfit: Outfit) -> None:
        if self._child is not None and self._child.is_running and self._outfit == outfit and self._ready.used:
            return
        self.end()
        shutil.rmtree(self._place, ignore_errors=True)
        self._place.mkdir()
        self._child = child = confined.start("gtloc_forensics.case.cluster.examining")
        self._outfit = outfit
        child.connection.send_bytes(os.fsencode(self._place))
        child.connection.send_bytes(pack(outfit))
        if not child.connection.poll(START_S):
            raise OSError(f"nothing was heard of it for {START_S:g} s")
        self._ready = unpack(Reply, child.connection.recv_bytes())

    def _ended(self) -> Statement:
        """End the process; return how it had ended by itself, "" when it had not."""
        child = self._child
        if child is None:
            return ""
        until = time.monotonic() + EXIT_S
        while child.is_running and time.monotonic() < until:  # its end of the connection closes before it is gone
            time.sleep(0.02)
        self.end()
        code = child.process.returncode
        return by_signal(-code) if code < 0 else Sentence("it ended with exit status {code:raw}", code=code)

    def end(self) -> None:
        """End the process and remove its working copies."""
        child, self._child, self._outfit = self._child, None, None
        if child is not None:
            child.end()
        shutil.rmtree(self._place, ignore_errors=True)


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)
