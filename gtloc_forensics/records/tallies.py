"""The counts of a case: what became of its photos, and why some were not examined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gtloc_forensics.records.sentences import Statement


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts that every report prints: a photo that was found and not wholly examined is in both.

    So ``found + clean + not_testable + not_examined`` is ``photos`` plus those that are in two.
    """

    photos: int = 0  # all of them, those that could not even be read among them
    found: int = 0
    clean: int = 0
    not_testable: int = 0
    not_examined: int = 0  # in whole or in part
    passed_over: int = 0  # entries of the folder that are no photos

    @property
    def found_and_not_examined(self) -> int:
        """How many are in two counts."""
        return self.found + self.clean + self.not_testable + self.not_examined - self.photos


@dataclass(frozen=True, slots=True)
class ReasonNote:
    """Why some photos were not examined, in whole or in part: how many, and the first of them in path order."""

    MOST_NAMES: ClassVar[int] = 3

    stage: str
    reason: Statement
    photos: int
    names: tuple[str, ...] = ()
