#!/usr/bin/env python3
"""Simulate an archive of a hundred million photos on two hundred workers: does the sharing out hold?

A simulation of discrete events. What hands out, halves, repeats and gives up is the code that ships,
`gtloc_forensics.case.cluster.assignment.Assignment`, imported; made up are only the workers: how long a shard takes,
who is slow, who goes away and comes back, which answers get lost, and which photos kill the process that reads them.
At the end every photo has to have come out exactly once, in order, and given up are those that kill and no others.

    python benchmarks/simulate_scheduler.py                                  # 400,000 shards, 200 workers, seed 1
    python benchmarks/simulate_scheduler.py --shards 4000 --workers 20 --seed 7

It says nothing of a network, a disk or Dask: those are tested with real processes (tests/test_cluster_machines.py).
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import resource
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Self

from gtloc_forensics.case.cluster.assignment import Assignment, Attempt, Rules

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Span:
    """Some photos in a row."""

    first: int
    count: int

    def __len__(self) -> int:
        """Return how many."""
        return self.count

    def halves(self) -> tuple[Self, Self]:
        """Return the two halves."""
        middle = self.count // 2
        return type(self)(self.first, middle), type(self)(self.first + middle, self.count - middle)


@dataclass(frozen=True)
class World:
    """What goes wrong, and how often.

    Attributes:
        shards, files: how many shards, of how many photos each.
        workers, slots: how many workers, and how many shards each takes.
        seconds_a_file: what a photo takes on an ordinary worker.
        slow: share of workers that take *slowness* times as long.
        poison: share of photos that kill the process.
        crashes_a_day: how often a worker goes away (killed, or its cable pulled), and is back after *away_s*.
        unnoticed_s: how long it takes until that is noticed: the time to live that the scheduler is given.
        lost_answers: share of answers that do not arrive though the result was written.
        stops: how often the machine that audits is stopped and begins again from the results that lie there.
    """

    shards: int = 400_000
    files: int = 256
    workers: int = 200
    slots: int = 16
    seconds_a_file: float = 0.2
    slow: float = 0.03
    slowness: float = 20.0
    poison: float = 1e-6
    crashes_a_day: float = 0.5
    away_s: float = 1800.0
    unnoticed_s: float = 60.0
    lost_answers: float = 1e-4
    stops: int = 2


@dataclass
class Run:
    """One run of the machine that audits, over workers that outlive it."""

    world: World
    chance: random.Random
    poison: list[int]  # sorted
    spool: set[tuple[int, int]]  # results that are there
    halved: set[tuple[int, int]]
    counted: Counter[str] = field(default_factory=Counter)
    now_s: float = 0.0
    _events: list[tuple[float, int, str, object]] = field(default_factory=list)
    _ticket: int = 0
    _gone: set[str] = field(default_factory=set)
    _epoch: Counter[str] = field(default_factory=Counter)

    def at(self, seconds: float, kind: str, what: object) -> None:
        """Have something happen later."""
        self._ticket += 1
        heapq.heappush(self._events, (self.now_s + seconds, self._ticket, kind, what))

    def go(self, *, until_done: int) -> tuple[list[Span], list[Span], bool]:
        """Run until *until_done* photos are settled, or all; return what came out, what was given up, whether all."""
        world = self.world
        spans = (Span(number * world.files, world.files) for number in range(world.shards))
        assignment: Assignment[Span] = Assignment(spans, Rules())
        slow = {f"w{number}" for number in range(world.workers) if self.chance.random() < world.slow}
        for number in range(world.workers):
            assignment.joined(f"w{number}", world.slots)
            self.at(self.chance.expovariate(world.crashes_a_day / DAY_S), "goes", f"w{number}")
        out: list[Span] = []
        given_up: list[Span] = []
        while not assignment.is_over:
            self._hand_out(assignment, slow)
            for _, leaves in assignment.finished():
                out += (leaf.shard for leaf in leaves)
                given_up += (leaf.shard for leaf in leaves if leaf.is_given_up)
            if assignment.done_files >= until_done:
                return out, given_up, False
            if not assignment.is_over:
                self._happen(assignment)
        return out, given_up, True

    def _hand_out(self, assignment: Assignment[Span], slow: set[str]) -> None:
        for attempt in assignment.due(self.now_s):
            key = (attempt.shard.first, attempt.shard.count)
            self.counted["looked up"] += 1
            if key in self.spool:
                assignment.done(attempt.number, self.now_s, was_there=True)
            elif key in self.halved and attempt.shard.count > 1:
                assignment.halve(attempt.number)
            else:
                self._submit(attempt, slow)

    def _submit(self, attempt: Attempt[Span], slow: set[str]) -> None:
        world = self.world
        self.counted["submitted"] += 1
        if attempt.place in self._gone:  # nobody has noticed yet that it is gone
            return
        factor = world.slowness if attempt.place in slow else 1.0
        seconds = attempt.shard.count * world.seconds_a_file * factor * self.chance.lognormvariate(0.0, 0.25)
        dies = self._holds_poison(attempt.shard)
        if dies:
            seconds *= self.chance.random()
        self.at(seconds, "dies" if dies else "ends", (attempt, self._epoch[attempt.place]))

    def _holds_poison(self, span: Span) -> bool:
        from bisect import bisect_left

        at = bisect_left(self.poison, span.first)
        return at < len(self.poison) and self.poison[at] < span.first + span.count

    def _happen(self, assignment: Assignment[Span]) -> None:
        if not self._events:
            raise SystemExit("nothing happens any more, and it is not over")
        self.now_s, _, kind, what = heapq.heappop(self._events)
        if kind == "goes":
            self._gone.add(str(what))
            self._epoch[str(what)] += 1
            self.counted["workers gone"] += 1
            self.at(self.world.unnoticed_s, "noticed", what)
            self.at(self.world.away_s, "returns", what)
        elif kind == "noticed":
            assignment.left(str(what))
        elif kind == "returns":
            self._gone.discard(str(what))
            assignment.joined(str(what), self.world.slots)
            self.at(self.chance.expovariate(self.world.crashes_a_day / DAY_S), "goes", what)
        else:
            self._answer(assignment, kind, what)

    def _answer(self, assignment: Assignment[Span], kind: str, what: object) -> None:
        attempt, epoch = what  # type: ignore[misc]
        if epoch != self._epoch[attempt.place]:
            return  # its worker went away meanwhile
        key = (attempt.shard.first, attempt.shard.count)
        self.counted["answers"] += 1
        if kind == "dies":
            self.counted["processes that died"] += 1
            if attempt.shard.count > 1:
                self.halved.add(key)
            assignment.died(attempt.number)
            return
        if key in self.spool:
            self.counted["results that were there already"] += 1
        self.spool.add(key)
        if self.chance.random() < self.world.lost_answers:
            self.counted["answers lost"] += 1
            assignment.lost(attempt.number)
        else:
            assignment.done(attempt.number, self.now_s)


def simulate(world: World, seed: int) -> dict[str, object]:
    """Return what came of it.

    Raises:
        SystemExit: a photo came out twice or never, out of order, or was given up without reason.
    """
    chance = random.Random(seed)
    photos = world.shards * world.files
    poison = sorted(chance.sample(range(photos), round(photos * world.poison)))
    spool: set[tuple[int, int]] = set()
    halved: set[tuple[int, int]] = set()
    counted: Counter[str] = Counter()
    began, days = time.process_time(), 0.0
    out: list[Span] = []
    given_up: list[Span] = []
    for stop in range(1, world.stops + 2):
        run = Run(world, chance, poison, spool, halved)
        until = photos * stop // (world.stops + 1) if stop <= world.stops else photos + 1
        out, given_up, is_all = run.go(until_done=until)
        counted += run.counted
        days += run.now_s / DAY_S
        if is_all:
            break
    _insist(out, given_up, photos, poison)
    ideal = photos * world.seconds_a_file / (world.workers * world.slots) / DAY_S
    return {
        "seed": seed,
        "photos": photos,
        "shards": world.shards,
        "workers": world.workers,
        "photos that came out exactly once": sum(map(len, out)),
        "given up": len(given_up),
        "of these photos that kill": len(poison),
        "runs": world.stops + 1,
        "days": round(days, 2),
        "days without any trouble": round(ideal, 2),
        **dict(sorted(counted.items())),
        "results": len(spool),
        "CPU seconds of the simulation": round(time.process_time() - began, 1),
        "its memory in MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }


def _insist(out: list[Span], given_up: list[Span], photos: int, poison: list[int]) -> None:
    at = 0
    for span in out:
        if span.first != at:
            raise SystemExit(f"photo {at} is expected, {span.first} comes out")
        at += span.count
    if at != photos:
        raise SystemExit(f"{at} of {photos} photos came out")
    if [span.first for span in given_up] != poison or any(span.count != 1 for span in given_up):
        raise SystemExit("others were given up than those that kill")


def main() -> None:
    """Run it and print what came of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    standard = World()
    parser.add_argument("--shards", type=int, default=standard.shards)
    parser.add_argument("--workers", type=int, default=standard.workers)
    parser.add_argument("--slots", type=int, default=standard.slots)
    parser.add_argument("--seconds", type=float, default=standard.seconds_a_file, help="what a photo takes")
    parser.add_argument("--poison", type=float, default=standard.poison, help="share of photos that kill")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    world = World(
        shards=asked.shards,
        workers=asked.workers,
        slots=asked.slots,
        seconds_a_file=asked.seconds,
        poison=asked.poison,
    )
    print(json.dumps(simulate(world, asked.seed), indent=1))


if __name__ == "__main__":
    main()
