"""The driver for many machines: shares the listing out, and hands on what came back, in the order of the listing.

One thread speaks with the engine, another reads finished results and gives them to whoever keeps them. Nothing is
kept of what an engine says: a shard is done when its result lies in the spool and is whole.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gtloc_forensics.case.cluster import listing
from gtloc_forensics.case.cluster.assignment import Assignment, Attempt, Leaf, Rules
from gtloc_forensics.case.cluster.engine import Answer, Engine
from gtloc_forensics.case.cluster.examined import Examined, built, work_of
from gtloc_forensics.case.cluster.listing import Wanted
from gtloc_forensics.case.cluster.messages import Outfit, Reply, Request, State, outfit_of, used
from gtloc_forensics.case.cluster.shards import Listed, Most, Shard
from gtloc_forensics.case.cluster.spool import FOLDER, Spool, deposit_at
from gtloc_forensics.errors import ClusterFailed, DamagedCase
from gtloc_forensics.examination.drivers import Groups
from gtloc_forensics.examination.gathering import Progress
from gtloc_forensics.examination.prefetch import Prefetch, chunks
from gtloc_forensics.examination.work import Run, Work
from gtloc_forensics.files import acquiring, reading
from gtloc_forensics.records import Candidate, FileStat, Sentence, Skipped, Statement, visible
from gtloc_forensics.store.codec import pack

LOOK_S = 0.2
"""How long one waits for an answer before looking who is there."""

NOWHERE = "nowhere"
"""Stands for the working copies of files that other machines read."""

Told = Callable[[str], None]


def _told_nobody(said: str) -> None:
    """Keep quiet."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take.

    Attributes:
        alone_s: the longest time without any worker.
        unfit_s: the longest time with none but workers that do not fit.
        silence_s: the longest time in which a process says nothing of its shard.
        sight_s: the longest time until a result that was written elsewhere is seen here: shares keep what they saw.
    """

    alone_s: float = 120.0
    unfit_s: float = 15.0
    silence_s: float = 900.0
    sight_s: float = 90.0


@dataclass(frozen=True, slots=True)
class ManyMachines:
    """Takes files through the stages on the workers of an engine.

    Attributes:
        connect: opens the engine.
        case_folder: where listing and results are kept.
        progress: told how many files all workers have done.
        told: told in a sentence what a person should know: a worker that does not fit, a shard that is halved.
        most: how much a shard may hold.
        rules: when a shard is tried again.
        patience: how long things may take.
        results: the address of a store into which workers put results; the case folder when left out.
    """

    connect: Callable[[], Engine]
    case_folder: Path
    progress: Progress
    told: Told = _told_nobody
    most: Most = field(default_factory=Most)
    rules: Rules = field(default_factory=Rules)
    patience: Patience = field(default_factory=Patience)
    results: Path | None = None

    def __call__(self, candidates: Sequence[Candidate], run: Run, *, model_batch: int) -> Groups:
        """Yield the works of *candidates*; see :class:`gtloc_forensics.examination.drivers.Elsewhere`."""
        if not candidates:
            return
        deposit = None if self.results is None else deposit_at(self.results, run.root)
        spool = Spool(self.case_folder / FOLDER, deposit)
        asked = listing.wanted(spool.folder, run.root, candidates, most=self.most, together=model_batch)
        sharing = _Sharing(self, spool, run, asked, model_batch)
        keys: set[str] = set()
        with Prefetch(sharing.finished(), depth=0) as finished:
            try:
                for number, leaves in finished:
                    for leaf in leaves:
                        keys.add(leaf.shard.key(run.kept.stages))
                        yield from _works(leaf, asked[number].left, spool, run)
            finally:
                sharing.stop.set()
        taken_in = {shard.key(run.kept.stages) for shard in listing.read(spool.folder / listing.OPEN)}  # earlier, too
        spool.clear(keys | sharing.halved | taken_in)
        listing.finish(spool.folder)


# --------------------------------------------------------------------------- handing out


class _Sharing:
    """One run: what is handed to whom, until everything is settled."""

    def __init__(self, driver: ManyMachines, spool: Spool, run: Run, asked: Iterable[Wanted], model_batch: int) -> None:
        self._driver, self._spool, self._run = driver, spool, run
        self._model_batch = model_batch
        self._stages = run.kept.stages
        self._outfit = _outfit(run)
        self._files = sum(len(wanted.shard) for wanted in asked)
        self._assignment: Assignment[Shard] = Assignment((wanted.shard for wanted in asked), driver.rules)
        self._attempts: dict[int, Attempt[Shard]] = {}
        self._unseen: dict[int, float] = {}  # attempts that are said to be done → since when no result is seen
        self._unfit: dict[str, str] = {}  # place → why
        self._how: dict[str, Statement] = {}  # key of one file → how the process died over it
        self._with_somebody_s = time.monotonic()
        self._shown = -1
        self._met: Mapping[str, int] = {}
        self.halved: set[str] = set()
        self.stop = threading.Event()

    def finished(self) -> Iterator[tuple[int, list[Leaf[Shard]]]]:
        """Yield what is settled, in the order of the listing; speaks with the engine meanwhile."""
        engine = self._driver.connect()
        try:
            while not self.stop.is_set():
                self._meet(engine)
                for attempt in self._assignment.due(time.monotonic()):
                    self._begin(engine, attempt)
                yield from self._settled()
                if self._assignment.is_over:
                    return
                for answer in engine.poll(LOOK_S):
                    self._take(answer)
                self._look_again()
        finally:
            engine.close()

    def _settled(self) -> Iterator[tuple[int, list[Leaf[Shard]]]]:
        for number, leaves in self._assignment.finished():
            for leaf in leaves:
                if leaf.is_given_up:
                    self._give_up(leaf)
            yield number, leaves
        if self._assignment.done_files != self._shown:
            self._shown = self._assignment.done_files
            self._driver.progress("workers", self._shown, self._files)

    def _meet(self, engine: Engine) -> None:
        """Take note of who came and who went."""
        there = engine.places()
        if there != self._met:
            self._met = dict(there)
            workers = f"{len(there)} worker{'s' * (len(there) != 1)}"
            self._driver.told(f"{workers} connected, {sum(there.values())} shards at a time")
        for place in self._assignment.places - there.keys():
            for number in self._assignment.left(place):
                self._forget(number)
        for gone in self._unfit.keys() - there.keys():
            del self._unfit[gone]  # who comes back may have been mended
        for place in there.keys() - self._unfit.keys():
            self._assignment.joined(place, there[place])
        now, patience = time.monotonic(), self._driver.patience
        if self._assignment.places:
            self._with_somebody_s = now
        elif now - self._with_somebody_s > (patience.unfit_s if self._unfit else patience.alone_s):
            raise ClusterFailed(self._why_nobody())

    def _why_nobody(self) -> str:
        again = "; run the same command again, it goes on from here"
        if self._unfit:
            reasons = "; ".join(f"{place}: {why}" for place, why in sorted(self._unfit.items()))
            return f"no worker can examine this case ({reasons}){again}"
        kind = "no worker with a GPU is" if self._run.settings.device.startswith("cuda") else "no worker is"
        return f"{kind} connected for {self._driver.patience.alone_s:g} s; start `gtloc worker`{again}"

    def _begin(self, engine: Engine, attempt: Attempt[Shard]) -> None:
        key = attempt.shard.key(self._stages)
        if self._spool.is_done(key):
            self._assignment.done(attempt.number, time.monotonic(), was_there=True)
        elif len(attempt.shard) > 1 and self._spool.is_halved(key):
            self.halved.add(key)
            self._assignment.halve(attempt.number)
        else:
            self._attempts[attempt.number] = attempt
            engine.submit(attempt.number, attempt.place, pack(self._request(key, attempt.shard)))

    def _request(self, key: str, shard: Shard) -> Request:
        return Request(
            key=key,
            shard=shard,
            outfit=self._outfit,
            used=used(self._stages),
            results=os.fsencode(self._driver.results or self._spool.folder),
            model_batch=self._model_batch,
            silence_s=self._driver.patience.silence_s,
        )

    # ----------------------------------------------------------------- what comes back

    def _take(self, answer: Answer) -> None:
        attempt = self._attempts.get(answer.attempt)
        if attempt is None:
            return  # of a place that was given up
        if answer.reply is None:
            self._lose(attempt)
        elif answer.reply.state is State.DONE:
            self._unseen[attempt.number] = time.monotonic()
        elif answer.reply.state is State.DIED:
            self._died(attempt, answer.reply)
        else:
            self._set_apart(attempt, answer.reply)

    def _look_again(self) -> None:
        """Believe a worker that a shard is done when its result is there and whole."""
        now = time.monotonic()
        for number, since_s in list(self._unseen.items()):
            attempt = self._attempts[number]
            if self._spool.is_done(attempt.shard.key(self._stages)):
                self._assignment.done(number, since_s)
                self._forget(number)
            elif now - since_s > self._driver.patience.sight_s:
                self._driver.told(
                    f"{attempt.place} says that it wrote a result which is not seen here; "
                    "do its results lie in this case folder (--results-root)?"
                )
                self._lose(attempt)

    def _died(self, attempt: Attempt[Shard], reply: Reply) -> None:
        key = attempt.shard.key(self._stages)
        self._how[key] = reply.said
        if len(attempt.shard) > 1:
            self.halved.add(key)
            self._spool.note_halved(key)
            files = f"{len(attempt.shard)} files from {_name(attempt.shard.files[0])} on"
            self._driver.told(f"a process of {attempt.place} died over {files} ({reply.said}); they are halved")
        self._assignment.died(attempt.number)
        self._forget(attempt.number)

    def _set_apart(self, attempt: Attempt[Shard], reply: Reply) -> None:
        """Give a worker nothing more that cannot examine this case."""
        self._unfit[attempt.place] = str(reply.said)
        self._driver.told(f"{attempt.place} is left out: {reply.said}")
        for number in self._assignment.left(attempt.place):
            self._forget(number)

    def _lose(self, attempt: Attempt[Shard]) -> None:
        self._assignment.lost(attempt.number)
        self._forget(attempt.number)

    def _forget(self, number: int) -> None:
        self._attempts.pop(number, None)
        self._unseen.pop(number, None)

    def _give_up(self, leaf: Leaf[Shard]) -> None:
        """Write down, where its result would be, that nobody could examine a file."""
        key = leaf.shard.key(self._stages)
        (file,) = leaf.shard.files
        how = self._how.get(key) or Sentence("its worker was gone each time")
        reason = Sentence(
            "the process that examined it died {times:raw} times over it; the last time {how}",
            times=leaf.died,
            how=how,
        )
        relative = file.candidate.relative
        self._spool.keep(key, [Examined(relative, refused=Skipped(relative, reason, blocks=True))])


def _outfit(run: Run) -> Outfit:
    settings, has_model = run.settings, run.instruments.model is not None or bool(run.instruments.opinions)
    anchors = tuple(os.fsencode(anchor.absolute()) for anchor in settings.trust_anchors)
    threads = 0
    if has_model:
        from gtloc_forensics.vision import device

        threads = device.threads()
    return outfit_of(settings, os.fsencode(run.root), anchors, threads=threads)


def _name(file: Listed) -> str:
    return visible(file.candidate.relative)


# --------------------------------------------------------------------------- taking in


def _works(leaf: Leaf[Shard], left: frozenset[bytes], spool: Spool, run: Run) -> Iterator[list[Work]]:
    """Yield what a result holds of the files that are *left*, a group at a time.

    Raises:
        ClusterFailed: it is of other files than those here; it is removed.
    """
    key = leaf.shard.key(run.kept.stages)
    try:
        found = spool.read(key)
        built(secrets.choice(found))
        _insist_on_same_files(leaf.shard, found, left, run)
    except (DamagedCase, OSError) as error:
        spool.discard(key)
        raise ClusterFailed(f"a result could not be taken in ({error}); run the same command again") from error
    except ClusterFailed:
        spool.discard(key)
        raise
    nowhere = run.place / NOWHERE
    works = (
        work_of(sent, Work(file.candidate, nowhere), nowhere=nowhere)
        for file, sent in zip(leaf.shard.files, found, strict=True)
        if file.candidate.relative in left
    )
    yield from chunks(works, run.settings.batch)


def _insist_on_same_files(shard: Shard, found: Sequence[Examined], left: frozenset[bytes], run: Run) -> None:
    """Make sure that a worker read the files that are here: each by its length and time, one by its content."""
    names = [file.candidate.relative for file in shard.files]
    if names != [sent.relative for sent in found]:
        raise ClusterFailed("a result is of other files than those asked for; run the same command again")
    taken = [
        (file, sent.acquired.source)
        for file, sent in zip(shard.files, found, strict=True)
        if sent.acquired is not None and sent.relative in left
    ]
    for file, source in taken:
        if source.stat != file.stat and not acquiring.is_alike(source.stat, _now(run.root, source.relative)):
            raise _other_file(source.relative, "its length or time differ")
    if not taken:
        return
    file, source = secrets.choice(taken)  # which one nobody can know beforehand
    if acquiring.rehash(run.root, source.relative) == source.sha256 or source.stat != file.stat:
        return
    if acquiring.is_alike(source.stat, _now(run.root, source.relative)):  # else it changed since, which is told later
        raise _other_file(source.relative, f"its SHA-256 is {source.sha256} there")


def _now(evidence: Path, relative: bytes) -> FileStat:
    try:
        return reading.look(evidence, relative)
    except OSError:
        return FileStat(-1, 0, 0, 0, 0, 0, 0, 0)


def _other_file(relative: bytes, how: str) -> ClusterFailed:
    return ClusterFailed(
        f"a worker read another file than the one here as {visible(relative)}: {how}; see that every worker's "
        "--evidence-root is this evidence, then run the same command again"
    )
