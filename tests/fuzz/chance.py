"""Chance that is told by a seed: what is usual most of the time, and what is hostile now and then."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """The decisions of one file. ``malice`` is how often one of them is hostile: 0 makes a whole file."""

    def __init__(self, seed: int | str, malice: float | None = None) -> None:
        self.random = Random(f"gtloc {seed}")
        self.malice = self.random.choice((0.0, 0.02, 0.02, 0.06, 0.15)) if malice is None else malice

    def strikes(self, times: float = 1.0) -> bool:
        """Say whether this decision is hostile."""
        return self.random.random() < self.malice * times

    def happens(self, share: float) -> bool:
        return self.random.random() < share

    def one_of(self, usual: Sequence[T], hostile: Sequence[T] = ()) -> T:
        return self.random.choice(hostile if hostile and self.strikes() else usual)

    def number(self, first: int, last: int) -> int:
        return self.random.randint(first, last)

    def noise(self, length: int) -> bytes:
        return self.random.randbytes(length)

    def length(self, true: int, bits: int) -> int:
        """Return a length or count as it is, or as it would harm a reader who believes it."""
        if not self.strikes():
            return min(true, (1 << bits) - 1)
        top = (1 << bits) - 1
        return self.random.choice((0, 1, true - 1, true + 1, true * 2, top, top >> 1, top - 1, true ^ 0x80)) & top


def damaged(chance: Chance, content: bytes) -> bytes:
    """Return *content* as a bad card gives it back: bits flipped, cut short, a part twice, zeros, a tail."""
    data = bytearray(content)
    kind = chance.number(0, 5)
    at = chance.number(0, max(0, len(data) - 1))
    if kind == 0:
        for _ in range(chance.number(1, 20)):
            if data:
                data[chance.number(0, len(data) - 1)] ^= 1 << chance.number(0, 7)
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        data[at:at] = data[at : at + chance.number(1, 400)]
    elif kind == 3:
        data[at : at + chance.number(1, 512)] = bytes(chance.number(1, 512))
    elif kind == 4:
        data += chance.noise(chance.number(1, 3000))
    else:
        del data[at : at + chance.number(1, 60)]
    return bytes(data)
