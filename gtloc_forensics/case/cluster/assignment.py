"""Who examines what, and what happens when a worker is slow, dies or goes away: no engine, no clock, no file in sight.

:class:`Assignment` is told what happens and says what to hand to whom. A shard whose process dies is halved, down to
one file, which is given up after a few tries. A shard that takes much longer than others is handed to a second
worker; whoever is first counts, since results are named after their content. A place that is late gets nothing new
until it answers. The simulation in ``benchmarks/simulate_scheduler.py`` drives this very code.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, unique
from statistics import median
from typing import Generic, Protocol, Self, TypeVar


class Divisible(Protocol):
    """Something that can be shared out, and halved where it holds more than one file."""

    def __len__(self) -> int:
        """Return how many files it holds."""

    def halves(self) -> tuple[Self, Self]:
        """Return its two halves."""


S = TypeVar("S", bound=Divisible)


@dataclass(frozen=True, slots=True)
class Rules:
    """When to try again, and when to give up.

    Attributes:
        tries: how often the process may die over a single file before that is not examined.
        losses: how often a shard's worker may vanish before the shard is taken for the reason.
        copies: how many workers may have the same shard in hand.
        times: a shard is late after so many times what shards of its size take.
        least_s: and not before so many seconds.
        first_s: what is late while nobody knows how long shards take.
        known_after: shards that must be done for that to be known.
    """

    tries: int = 3
    losses: int = 3
    copies: int = 3
    times: float = 4.0
    least_s: float = 120.0
    first_s: float = 3600.0
    known_after: int = 5


@unique
class _State(Enum):
    OPEN = "open"
    DONE = "done"
    HALVED = "halved"
    GIVEN_UP = "given up"


@dataclass(slots=True, eq=False)
class _Piece(Generic[S]):
    shard: S
    first: int  # number of the shard of the listing that it is, or is a part of
    state: _State = _State.OPEN
    parts: tuple[_Piece[S], ...] = ()
    deaths: int = 0
    losses: int = 0
    in_hand: int = 0
    places: set[str] = field(default_factory=set)  # who has it in hand, or died over it

    def leaves(self) -> Iterator[_Piece[S]]:
        for part in self.parts:
            yield from part.leaves()
        if not self.parts:
            yield self


@dataclass(frozen=True, slots=True)
class Attempt(Generic[S]):
    """A shard handed to a place."""

    number: int
    shard: S
    place: str


@dataclass(frozen=True, slots=True)
class Leaf(Generic[S]):
    """What became of a shard or of a part of it: done, or one file given up after its process *died* so often."""

    shard: S
    died: int = 0

    @property
    def is_given_up(self) -> bool:
        """Whether nobody could examine it."""
        return self.died > 0


@dataclass(slots=True)
class _InHand(Generic[S]):
    piece: _Piece[S]
    place: str
    since_s: float


class Assignment(Generic[S]):
    """Shares shards out to places. Every method takes time in seconds of the caller's clock, which only grows."""

    def __init__(self, shards: Iterable[S], rules: Rules | None = None) -> None:
        """Prepare to share out *shards*, which are asked for as places are free."""
        self._rules = rules or Rules()
        self._fresh = enumerate(shards)
        self._is_exhausted = False
        self._waiting: deque[_Piece[S]] = deque()
        self._first: dict[int, _Piece[S]] = {}  # number → the whole shard
        self._open: dict[int, int] = {}  # number → its parts that are not settled
        self._in_hand: dict[int, _InHand[S]] = {}
        self._deadlines: list[tuple[float, int]] = []  # a heap: when which attempt will be late
        self._slots: dict[str, int] = {}
        self._free: dict[str, int] = {}  # only places with a free slot
        self._busy: dict[str, set[int]] = {}
        self._late: dict[str, int] = {}  # place → attempts of it that are late
        self._took_s: deque[float] = deque(maxlen=101)  # seconds a file, of the last shards
        self._typical_s: float | None = None
        self._number = 0
        self._next = 0
        self._done_files = 0

    # ----------------------------------------------------------------- places

    @property
    def places(self) -> frozenset[str]:
        """Who is there."""
        return frozenset(self._slots)

    def joined(self, place: str, slots: int) -> None:
        """Note that *place* takes so many shards at a time."""
        if place not in self._slots and slots > 0:
            self._slots[place] = self._free[place] = slots
            self._busy[place] = set()

    def left(self, place: str) -> tuple[int, ...]:
        """Note that *place* is gone; return its attempts, which are lost."""
        lost = tuple(sorted(self._busy.get(place, ())))
        for number in lost:
            self.lost(number)
        for known in (self._slots, self._free, self._busy, self._late):
            known.pop(place, None)
        return lost

    # ----------------------------------------------------------------- what to do

    def due(self, now_s: float) -> Iterator[Attempt[S]]:
        """Yield what to hand out now; each counts as handed out when it is yielded."""
        self._note_late(now_s)
        held_back: list[_Piece[S]] = []
        while self._free:
            piece = self._take()
            if piece is None:
                break
            place = self._place_for(piece)
            if place is None:
                held_back.append(piece)
                if len(held_back) > len(self._slots):
                    break
                continue
            yield self._hand_out(piece, place, now_s)
        self._waiting.extendleft(reversed(held_back))

    def _take(self) -> _Piece[S] | None:
        while self._waiting:
            piece = self._waiting.popleft()
            if piece.state is _State.OPEN and piece.in_hand < self._rules.copies:
                return piece
        for number, shard in self._fresh:
            self._first[number] = piece = _Piece(shard, number)
            self._open[number] = 1
            return piece
        self._is_exhausted = True
        return None

    def _place_for(self, piece: _Piece[S]) -> str | None:
        """Return a free place that is not late; one that had the shard before only where there is no other."""
        for place in self._free:
            if place not in self._late and place not in piece.places:
                return place
        others = self._slots.keys() - piece.places - self._late.keys()
        if others or piece.in_hand:
            return None
        return next((place for place in self._free if place not in self._late), None)

    def _hand_out(self, piece: _Piece[S], place: str, now_s: float) -> Attempt[S]:
        self._number += 1
        self._in_hand[self._number] = _InHand(piece, place, now_s)
        heapq.heappush(self._deadlines, (now_s + self._deadline_s(piece), self._number))
        self._busy[place].add(self._number)
        piece.in_hand += 1
        piece.places.add(place)
        self._free[place] -= 1
        if not self._free[place]:
            del self._free[place]
        return Attempt(self._number, piece.shard, place)

    def _note_late(self, now_s: float) -> None:
        while self._deadlines and self._deadlines[0][0] <= now_s:
            _, number = heapq.heappop(self._deadlines)
            held = self._in_hand.get(number)
            if held is None:
                continue
            at_s = held.since_s + self._deadline_s(held.piece)
            if at_s > now_s:  # shards have come to take longer since
                heapq.heappush(self._deadlines, (at_s, number))
                continue
            self._late[held.place] = self._late.get(held.place, 0) + 1
            if held.piece.state is _State.OPEN:
                self._waiting.appendleft(held.piece)

    def _deadline_s(self, piece: _Piece[S]) -> float:
        if self._typical_s is None:
            return self._rules.first_s
        return max(self._rules.least_s, self._rules.times * self._typical_s * len(piece.shard))

    # ----------------------------------------------------------------- what happened

    def done(self, number: int, now_s: float, *, was_there: bool = False) -> None:
        """Note that an attempt's result is there; one that *was there* before tells nothing of how long it takes."""
        held = self._returned(number)
        if held is None:
            return
        if not was_there:
            self._learn((now_s - held.since_s) / max(1, len(held.piece.shard)))
        if held.piece.state is _State.OPEN:
            held.piece.state = _State.DONE
            self._done_files += len(held.piece.shard)
            self._settle(held.piece.first)

    def died(self, number: int) -> None:
        """Note that the process died over an attempt: what it held is halved, one file is tried again or given up."""
        held = self._returned(number)
        if held is None or held.piece.state is not _State.OPEN:
            return
        held.piece.deaths += 1
        if held.piece.in_hand:
            return  # somebody else still has it in hand
        self._suspect(held.piece)

    def lost(self, number: int) -> None:
        """Note that nothing will be heard of an attempt: its place is gone, or had to give it back."""
        held = self._returned(number)
        if held is None or held.piece.state is not _State.OPEN:
            return
        held.piece.losses += 1
        if held.piece.in_hand:
            return
        if held.piece.losses % self._rules.losses == 0:
            held.piece.deaths += 1
            self._suspect(held.piece)
        else:
            self._waiting.appendleft(held.piece)

    def halve(self, number: int) -> None:
        """Note that an attempt's shard is known, from an earlier run, to be one to halve."""
        held = self._returned(number)
        if held is not None and held.piece.state is _State.OPEN:
            self._suspect(held.piece)

    def _suspect(self, piece: _Piece[S]) -> None:
        if len(piece.shard) > 1:
            piece.state = _State.HALVED
            piece.parts = tuple(_Piece(half, piece.first) for half in piece.shard.halves())
            self._open[piece.first] += len(piece.parts) - 1
            self._waiting.extendleft(reversed(piece.parts))
        elif piece.deaths < self._rules.tries:
            self._waiting.appendleft(piece)
        else:
            piece.state = _State.GIVEN_UP
            self._done_files += 1
            self._settle(piece.first)

    def _returned(self, number: int) -> _InHand[S] | None:
        """Take an attempt back, and its slot; one that was taken back already is None."""
        held = self._in_hand.pop(number, None)
        if held is None:
            return None
        held.piece.in_hand -= 1
        self._busy[held.place].discard(number)
        self._free[held.place] = self._free.get(held.place, 0) + 1
        self._late.pop(held.place, None)  # it answers
        return held

    def _learn(self, seconds_a_file: float) -> None:
        was_known = self._typical_s is not None
        self._took_s.append(seconds_a_file)
        if len(self._took_s) >= self._rules.known_after:
            self._typical_s = median(self._took_s)
            if not was_known:  # what is in hand was given a deadline before anybody knew
                self._deadlines = [
                    (held.since_s + self._deadline_s(held.piece), number) for number, held in self._in_hand.items()
                ]
                heapq.heapify(self._deadlines)

    def _settle(self, first: int) -> None:
        self._open[first] -= 1

    # ----------------------------------------------------------------- what is settled

    @property
    def done_files(self) -> int:
        """How many files are settled, in whatever order."""
        return self._done_files

    @property
    def is_over(self) -> bool:
        """Whether all is settled and was given out by :meth:`finished`."""
        return self._is_exhausted and not self._first

    def finished(self) -> Iterator[tuple[int, list[Leaf[S]]]]:
        """Yield, in the order of the listing and each once, the shards that are settled: number and parts in order."""
        while self._open.get(self._next) == 0:
            whole = self._first.pop(self._next)
            del self._open[self._next]
            number, self._next = self._next, self._next + 1
            yield number, [_leaf(piece) for piece in whole.leaves()]


def _leaf(piece: _Piece[S]) -> Leaf[S]:
    return Leaf(piece.shard, piece.deaths if piece.state is _State.GIVEN_UP else 0)
