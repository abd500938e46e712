"""What is said between the machine that audits, a worker, and the process in which a worker does the work: records.

They cross as the bytes of :func:`gtloc_forensics.store.codec.pack`; who reads them says which record it expects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, unique

from gtloc_forensics.case.cluster.shards import Shard
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import Sentence, Statement
from gtloc_forensics.store.keys import Stages


@dataclass(frozen=True, slots=True)
class Outfit:
    """How a process has to be set up: what of the settings changes what is found, and where the evidence is."""

    evidence: bytes
    model: str
    device: str
    batch: int
    second_opinions: tuple[str, ...]
    trust_anchors: tuple[bytes, ...]
    visible_dates: bool
    threads: int  # that a model computes with: others would round otherwise; 0 without a model


@dataclass(frozen=True, slots=True)
class Used:
    """The fingerprint of every stage, as :class:`Stages` holds them."""

    metadata: str
    claim: str
    image: str
    vision: str
    further: Mapping[str, str]

    def differing(self, other: Used) -> tuple[str, ...]:
        """Return the stages that would give something else there."""
        own, theirs = self._by_stage(), other._by_stage()
        return tuple(sorted(stage for stage in own.keys() | theirs.keys() if own.get(stage) != theirs.get(stage)))

    def _by_stage(self) -> dict[str, str]:
        ours = {"metadata": self.metadata, "claim": self.claim, "picture": self.image, "model": self.vision}
        return {**ours, **self.further}


def used(stages: Stages) -> Used:
    """Return fingerprints as they are sent."""
    return Used(stages.metadata, stages.claim, stages.image, stages.vision, dict(stages.further))


@dataclass(frozen=True, slots=True)
class Request:
    """A shard to examine."""

    key: str
    shard: Shard
    outfit: Outfit
    used: Used
    results: bytes  # the folder for results, as the machine that audits names it
    model_batch: int
    silence_s: float  # a process of which nothing is heard for so long is ended


@unique
class State(Enum):
    """How an attempt ended."""

    READY = "ready"
    WORKING = "working"
    DONE = "done"
    DIED = "died"  # the process; the shard is the suspect
    UNFIT = "unfit"  # the worker cannot examine this case; the shard is not to blame


@dataclass(frozen=True, slots=True)
class Reply:
    """What a worker says of a shard; with READY what its stages use, with DONE how many bytes the result has."""

    state: State
    said: Statement = ""
    files: int = 0
    result_bytes: int = 0
    used: Used | None = None


def unfit(said: str) -> Reply:
    """Return that a worker cannot do it, and why."""
    return Reply(State.UNFIT, said)


def died(how: Statement) -> Reply:
    """Return that the process died over a shard, and how."""
    return Reply(State.DIED, how)


def by_signal(number: int) -> Sentence:
    """Return how a process ended that a signal ended."""
    return Sentence("it was ended by signal {number:raw}", number=number)


def outfit_of(settings: Settings, evidence: bytes, anchors: tuple[bytes, ...], *, threads: int) -> Outfit:
    """Return how workers have to be set up for an examination with these settings."""
    return Outfit(
        evidence=evidence,
        model=settings.model,
        device=settings.device,
        batch=settings.batch,
        second_opinions=settings.second_opinions,
        trust_anchors=anchors,
        visible_dates=settings.visible_dates,
        threads=threads,
    )
