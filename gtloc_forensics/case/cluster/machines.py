"""The two programs of a cluster: a scheduler that workers and audits meet at, and a worker."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from distributed import Scheduler, Worker

from gtloc_forensics.case.cluster.addresses import Address, Credentials, checked
from gtloc_forensics.case.cluster.dask_engine import GPU, NOBODY, SLOT, configure, security_of
from gtloc_forensics.case.cluster.slots import Slots
from gtloc_forensics.errors import ClusterFailed, UsageError
from gtloc_forensics.files import workspace, writing

AGAIN_S = 5.0
"""Before a worker looks for its scheduler again."""

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker offers.

    Attributes:
        slots: shards at a time, each with a process of its own.
        gpu: whether it is for shards that need a GPU, too.
        host: the address of this machine at which the scheduler reaches it; "" finds it out.
        evidence, results: where this machine sees the evidence and the folder of results, when elsewhere.
        place: where working copies lie; the system's folder for temporary files when left out.
        once: whether it ends when its scheduler does, instead of waiting for another.
    """

    slots: int
    gpu: bool = False
    host: str = ""
    evidence: Path | None = None
    results: Path | None = None
    place: Path | None = None
    once: bool = False


def run_scheduler(address: Address, credentials: Credentials | None, *, told: Told) -> None:
    """Serve as scheduler at *address* until SIGTERM or SIGINT.

    Raises:
        UsageError: credentials are missing.
        ClusterFailed: it cannot listen there.
    """
    credentials = checked(address, credentials)
    configure()

    async def serve(stop: asyncio.Event) -> None:
        try:
            scheduler = await Scheduler(
                host=address.host,
                port=address.port,
                protocol=f"{address.way.value}://",
                security=security_of(credentials),
                dashboard_address=NOBODY,
                dashboard=False,
            )
        except (OSError, ValueError) as error:
            raise ClusterFailed(f"it cannot listen at {address}: {error}") from error
        told(f"listening at {address}")
        try:
            await stop.wait()
        finally:
            await scheduler.close(fast=True)

    asyncio.run(_until_stopped(serve))


def run_worker(address: Address, credentials: Credentials | None, settings: WorkerSettings, *, told: Told) -> None:
    """Examine for whoever asks at the scheduler at *address*, until SIGTERM or SIGINT.

    Raises:
        UsageError: credentials are missing, or the place for working copies is in the evidence or somebody else's.
        ClusterFailed: there is no scheduler, and it shall not wait for one.
    """
    credentials = checked(address, credentials)
    configure()
    if settings.evidence is not None:
        writing.refuse_temporary_inside(settings.evidence)
        if settings.place is not None:
            writing.refuse_inside(settings.place, settings.evidence)
    base = _place(settings.place)

    async def serve(stop: asyncio.Event) -> None:
        with workspace.working_folder(base) as place:
            while not stop.is_set():
                await _work(address, credentials, settings, place, stop, told)
                if settings.once:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), AGAIN_S)

    asyncio.run(_until_stopped(serve))


def _place(asked: Path | None) -> Path:
    """Return a folder of ours for working copies.

    Raises:
        UsageError: what has its name in the folder for temporary files is somebody else's.
    """
    if asked is not None:
        asked.mkdir(parents=True, exist_ok=True)
        return asked
    place = Path(tempfile.gettempdir()) / f"gtloc-worker-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise UsageError(f"{place} belongs to somebody else; name a folder for working copies with --work")
    return place


async def _work(
    address: Address,
    credentials: Credentials | None,
    settings: WorkerSettings,
    place: Path,
    stop: asyncio.Event,
    told: Told,
) -> None:
    slots = Slots(settings.slots, place, evidence=settings.evidence, results=settings.results)
    try:
        worker = await Worker(
            str(address),
            nthreads=settings.slots,
            host=settings.host or None,
            protocol=f"{address.way.value}://",
            security=security_of(credentials),
            dashboard_address=NOBODY,
            dashboard=False,
            resources={SLOT: settings.slots, **({GPU: settings.slots} if settings.gpu else {})},
            memory_limit=None,
            local_directory=str(place),
            death_timeout=AGAIN_S * 3,
            plugins=(slots,),
        )
    except (OSError, ValueError, RuntimeError) as error:
        said = f"no scheduler at {address}, or it does not accept this certificate ({type(error).__name__})"
        if settings.once:
            raise ClusterFailed(f"{said}; start one with `gtloc scheduler`") from error
        told(f"{said}; trying again")
        return
    told(f"working for {address} with {settings.slots} at a time")
    ends = {asyncio.ensure_future(worker.finished()), asyncio.ensure_future(stop.wait())}
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()
        slots.teardown(worker)
        await worker.close(timeout=2, nanny=False, executor_wait=False)
    told("the scheduler is gone" if not stop.is_set() else "stopped")


async def _until_stopped(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(stop)
