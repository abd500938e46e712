"""What lies in the evidence, listed once and read as often as needed: the photos on the disk, the rest in memory."""

from __future__ import annotations

import heapq
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

from gtloc_forensics.examination.on_disk import OnDisk
from gtloc_forensics.records import Candidate, Sentence, Skipped, Statement


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in the evidence, both in byte order of the paths.

    Attributes:
        candidates: what may be a photo; it lies in an unnamed file.
        passed_over: what is none, or cannot be read.
    """

    candidates: Sequence[Candidate]
    passed_over: Sequence[Skipped]

    @classmethod
    def of(cls, entries: Iterable[Candidate | Skipped]) -> Self:
        """Keep *entries*; of two with one path the later one counts."""
        candidates, skipped = OnDisk[Candidate](kind=Candidate), list[Skipped]()
        reasons: dict[tuple[str, str], Statement] = {}
        last, is_in_order = b"", True
        for entry in entries:
            is_in_order = is_in_order and (last < entry.relative or not last)
            last = entry.relative
            if isinstance(entry, Candidate):
                candidates.append(entry)
            else:  # thousands are passed over for one reason
                skipped.append(replace(entry, reason=reasons.setdefault(_words(entry.reason), entry.reason)))
        made = cls(candidates, skipped)
        return made if is_in_order else made._in_order()

    def _in_order(self) -> Self:
        """Return the same in path order: some containers list in an order of their own."""
        newest: dict[bytes, Candidate | Skipped] = {entry.relative: entry for entry in self.candidates}
        newest |= {entry.relative: entry for entry in self.passed_over}
        return self.of(newest[relative] for relative in sorted(newest))

    def entries(self) -> Iterator[Candidate | Skipped]:
        """Yield everything in path order."""
        return heapq.merge(self.candidates, self.passed_over, key=lambda entry: entry.relative)

    def among(self, paths: Container[bytes]) -> Self:
        """Return what of the listing has one of these *paths*."""
        return self.of(entry for entry in self.entries() if entry.relative in paths)


def _words(reason: Statement) -> tuple[str, str]:
    return reason, reason.template if isinstance(reason, Sentence) else ""
