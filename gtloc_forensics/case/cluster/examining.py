"""The process in which a worker examines: it has exiftool, decoders and a model open, and may die.

It is told once how to be set up, then one shard after another; it writes each result itself and says how far it is.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from gtloc_forensics.case.cluster.examined import Examined, examined
from gtloc_forensics.case.cluster.messages import Outfit, Reply, Request, State, died, unfit, used
from gtloc_forensics.case.cluster.shards import Shard
from gtloc_forensics.case.cluster.spool import Spool, deposit_at, deposited
from gtloc_forensics.errors import ForensicsError
from gtloc_forensics.examination import drivers
from gtloc_forensics.examination.instruments import fingerprints, opened
from gtloc_forensics.examination.kept import Kept
from gtloc_forensics.examination.planning import COPIES
from gtloc_forensics.examination.prefetch import chunks
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.examination.work import Run, Work
from gtloc_forensics.files import opening, reading, writing
from gtloc_forensics.records import Sentence
from gtloc_forensics.store.codec import pack, unpack
from gtloc_forensics.store.database import Store

NOTHING_YET = "empty.sqlite"
"""A database without a row, of this process alone: stages ask what is known already, and here that is nothing."""


def serve(descriptor: int) -> None:
    """Examine what comes over a connection until it closes: the main function of the process."""
    with Connection(descriptor) as connection:
        try:
            place = Path(os.fsdecode(connection.recv_bytes()))
            outfit = unpack(Outfit, connection.recv_bytes())
            _work(connection, place, outfit)
        except (EOFError, ConnectionError):
            return  # the worker is gone


def _work(connection: Connection, place: Path, outfit: Outfit) -> None:
    settings = _settings(outfit)
    evidence = Path(os.fsdecode(outfit.evidence))
    if reading.is_store(evidence):
        reading.name(evidence)  # whoever audits named it, and may do more here than to have us connect
    try:
        writing.refuse_inside(place, evidence)
        writing.refuse_temporary_inside(evidence)
        if outfit.threads:
            from gtloc_forensics.vision import device as devices

            devices.use_threads(outfit.threads)
        with opened(settings) as instruments, closing(Store(place / NOTHING_YET)) as store:
            stages = fingerprints(instruments)
            run = Run(store, evidence, place, instruments, settings, Kept(store, stages))
            connection.send_bytes(pack(Reply(State.READY, used=used(stages))))
            _serve_shards(connection, run)
    except ForensicsError as error:
        connection.send_bytes(pack(unfit(str(error))))


def _serve_shards(connection: Connection, run: Run) -> None:
    while True:
        request = unpack(Request, connection.recv_bytes())
        connection.send_bytes(pack(_answered(connection, run, request)))
        for copies in run.place.glob(f"{COPIES}*"):  # of a shard that was not finished
            shutil.rmtree(copies, ignore_errors=True)


def _answered(connection: Connection, run: Run, request: Request) -> Reply:
    try:
        _refuse_absent(run.root)
        results = Path(os.fsdecode(request.results))
        deposit = deposit_at(results, run.root)
        if deposit is None:
            writing.refuse_inside(results, run.root)
            keep = Spool(results).keep
        else:
            keep = partial(deposited, deposit)
        files: list[Examined] = []
        for group in _groups(request.shard, run, request.model_batch):
            files += group
            connection.send_bytes(pack(Reply(State.WORKING, files=len(files))))
        return Reply(State.DONE, files=len(files), result_bytes=keep(request.key, files))
    except ForensicsError as error:
        return unfit(str(error))
    except (EOFError, ConnectionError):
        raise
    except OSError as error:
        return unfit(f"{error.filename or 'a file of its own'}: {opening.words(error)}")
    except Exception:  # the border: a fault of ours over one file is found by halving, like a crash
        last = traceback.format_exc().strip().splitlines()[-1]
        return died(Sentence("it ended with a fault of this program: {error}", error=last))


def _refuse_absent(evidence: Path) -> None:
    """Make sure that the evidence is there at all; one file that is not is that file's affair.

    Raises:
        FileNotFoundError: it is not.
    """
    if not reading.is_there(evidence):
        raise FileNotFoundError(2, os.strerror(2), str(evidence))


def _groups(shard: Shard, run: Run, model_batch: int) -> Iterator[list[Examined]]:
    with closing(drivers.threads(_batches(shard, run), run, model_batch=model_batch)) as groups:
        for group in groups:
            yield [examined(work) for work in group]
            for folder in {work.folder for work in group}:  # whose every file was read and decoded in one batch
                shutil.rmtree(folder, ignore_errors=True)


def _batches(shard: Shard, run: Run) -> Iterator[list[Work]]:
    for batch in chunks(iter(shard.files), run.settings.batch):
        folder = Path(tempfile.mkdtemp(prefix=COPIES, dir=run.place))
        yield [Work(file.candidate, folder, listed=file.stat) for file in batch]


def _settings(outfit: Outfit) -> Settings:
    return Settings(
        model=outfit.model,
        device=outfit.device,
        jobs=1,
        batch=outfit.batch,
        second_opinions=outfit.second_opinions,
        trust_anchors=tuple(Path(os.fsdecode(anchor)) for anchor in outfit.trust_anchors),
        visible_dates=outfit.visible_dates,
    )
