"""Dask distributed as the engine: it carries requests and answers, knows who is there, and decides nothing.

Every shard is sent to the worker that :mod:`.assignment` chose; what Dask would do by itself (move work, repeat it,
keep its results) is not asked for.
"""

from __future__ import annotations

import logging
import queue
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dask
from distributed import Client, Future, LocalCluster
from distributed.security import Security

from gtloc_forensics.case.cluster.addresses import Address, Credentials, Way
from gtloc_forensics.case.cluster.engine import Answer
from gtloc_forensics.case.cluster.messages import Reply
from gtloc_forensics.case.cluster.slots import Slots, do_shard, facts
from gtloc_forensics.errors import ClusterFailed, DamagedCase
from gtloc_forensics.store.codec import unpack

CONNECT_S = 15.0
CALL_S = 20.0
"""How long a scheduler may take to say who is there."""

LOOK_S = 1.0
"""How often it is asked."""

GPU, SLOT = "GPU", "slot"
"""The resources that workers offer: a shard takes one."""

NOBODY = "127.0.0.1:0"
"""Where Dask's own web pages are put, without a page: it starts their server whether one wants it or not."""

_AGAIN = "; start it, then run the same command again: it goes on from here"


def configure() -> None:
    """Have Dask open no page, keep no log of tasks, tell nobody anything, and notice soon when a machine is gone."""
    dask.config.set(
        {
            "distributed.scheduler.http.routes": [],
            "distributed.worker.http.routes": [],
            "distributed.scheduler.work-stealing": False,
            "distributed.scheduler.active-memory-manager.start": False,
            "distributed.scheduler.worker-ttl": "60s",
            "distributed.worker.profile.enabled": False,
            "distributed.admin.low-level-log-length": 100,
        }
    )
    logging.getLogger("distributed").setLevel(logging.CRITICAL)


def security_of(credentials: Credentials | None) -> Security:
    """Return how both ends show who they are: all with a certificate of one authority, or not at all."""
    if credentials is None:
        return Security(require_encryption=False)
    ca, certificate, key = map(str, credentials.files)
    ends = {
        f"tls_{role}_{part}": path
        for role in ("client", "scheduler", "worker")
        for part, path in (("cert", certificate), ("key", key))
    }
    return Security(require_encryption=True, tls_ca_file=ca, **ends)


def connected(address: Address, credentials: Credentials | None, *, needs_gpu: bool = False) -> DaskEngine:
    """Return an engine at *address*.

    Raises:
        ClusterFailed: nobody answers there, or it is refused.
    """
    configure()
    if address.way is Way.LOCAL:
        return _local(address.slots, needs_gpu=needs_gpu)
    try:
        client = Client(
            str(address), security=security_of(credentials), timeout=CONNECT_S, set_as_default=False, name="gtloc-audit"
        )
    except (OSError, ValueError, TypeError) as error:
        raise ClusterFailed(
            f"no scheduler answers at {address}, or it does not accept this certificate ({_said(error)}){_AGAIN}"
        ) from error
    return DaskEngine(client, needs_gpu=needs_gpu)


def _local(slots: int, *, needs_gpu: bool) -> DaskEngine:
    """Return an engine within this process: no port is opened, nobody else on this machine can reach it."""
    place = TemporaryDirectory(prefix="gtloc-slots-")
    with dask.config.set({"temporary-directory": place.name}):  # the scheduler would leave a folder of locks in another
        cluster = LocalCluster(
            n_workers=1,
            threads_per_worker=slots,
            processes=False,
            protocol="inproc://",
            dashboard_address=NOBODY,
            worker_dashboard_address=NOBODY,
            resources={SLOT: slots, GPU: slots},
            memory_limit=None,
            local_directory=place.name,
            silence_logs=logging.CRITICAL,
            plugins=(Slots(slots, Path(place.name), evidence=None, results=None),),
        )
    client = Client(cluster, set_as_default=False)
    return DaskEngine(client, needs_gpu=needs_gpu, ends=[cluster.close, place.cleanup])


@dataclass
class DaskEngine:
    """A connection with a scheduler; see :class:`~.engine.Engine`."""

    client: Client
    needs_gpu: bool = False
    ends: list[Any] = field(default_factory=list)  # what else is to be closed
    _name: str = field(default_factory=lambda: secrets.token_hex(8))
    _futures: dict[int, Future] = field(default_factory=dict)
    _ended: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue)
    _there: Mapping[str, int] = field(default_factory=dict)
    _looked_s: float = float("-inf")

    def places(self) -> Mapping[str, int]:
        """Return the workers that offer what is asked for, and how many shards each takes."""
        now = time.monotonic()
        if now - self._looked_s < LOOK_S:
            return self._there
        self._insist()
        try:
            workers = self.workers()
        except Exception as error:  # Dask lets the errors of its transport through, of many kinds
            raise self._gone(error) from error
        label = GPU if self.needs_gpu else SLOT
        self._there = {
            place: int(known["resources"][label])
            for place, known in workers.items()
            if known.get("resources", {}).get(label, 0) >= 1
        }
        self._looked_s = now
        return self._there

    def workers(self) -> Mapping[str, Mapping[str, Any]]:
        """Return what the scheduler knows of every worker, by its address."""

        async def ask() -> Any:
            return await self.client.scheduler.identity(n_workers=-1)

        known = self.client.sync(ask, callback_timeout=CALL_S)
        return dict(known["workers"])

    def facts(self) -> Mapping[str, Mapping[str, str]]:
        """Return what every worker's machine has; see :func:`gtloc_forensics.case.cluster.slots.facts`."""
        try:
            return dict(self.client.run(facts))
        except Exception as error:  # of whatever kind Dask lets through
            raise self._gone(error) from error

    def submit(self, attempt: int, place: str, request: bytes) -> None:
        """Send a request to one worker."""
        self._insist()
        future = self.client.submit(
            do_shard,
            request,
            key=f"gtloc-{self._name}-{attempt}",
            workers=[place],
            allow_other_workers=False,
            resources={GPU if self.needs_gpu else SLOT: 1},
            retries=0,
            pure=False,
        )
        self._futures[attempt] = future
        future.add_done_callback(lambda _: self._ended.put(attempt))

    def poll(self, seconds: float) -> Sequence[Answer]:
        """Return what ended since the last call."""
        answers = []
        try:
            answers.append(self._answer(self._ended.get(timeout=seconds)))
            while True:
                answers.append(self._answer(self._ended.get_nowait()))
        except queue.Empty:
            pass
        self._insist()
        return answers

    def _answer(self, attempt: int) -> Answer:
        future = self._futures.pop(attempt)
        try:
            return Answer(attempt, unpack(Reply, future.result(timeout=CALL_S)))
        except DamagedCase:
            return Answer(attempt, None)
        except Exception:  # of whatever kind: the worker is gone, or the scheduler; the spool says what is done
            return Answer(attempt, None)
        finally:
            future.release()

    def _insist(self) -> None:
        if self.client.status != "running":
            raise self._gone(None)

    def _gone(self, error: Exception | None) -> ClusterFailed:
        return ClusterFailed(f"the scheduler is gone{'' if error is None else f' ({_said(error)})'}{_AGAIN}")

    def close(self) -> None:
        """Let go of the scheduler."""
        self._futures.clear()
        self.client.close(timeout=2)
        for end in self.ends:
            end()


def _said(error: Exception) -> str:
    said = str(error).strip().splitlines()
    return f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
