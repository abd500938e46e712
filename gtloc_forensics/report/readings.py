"""What readers made of the findings, finding by finding: each one's last word, and whether they agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import TypeAlias

from gtloc_forensics.records import Decision, Decisions, Reviewed, Standing

Said: TypeAlias = Mapping[str, tuple[str, Mapping[str, frozenset[str]]]]
"""Source id → hash of the file, and rule → every digest of what it says now (``ways_to_say``)."""


@unique
class Agreement(StrEnum):
    """What the readings of one finding come to, of those that still stand."""

    OPEN = "open"  # nobody has settled it
    ONE_READER = "one reader"
    AGREE = "agree"
    DIFFER = "differ"


@unique
class Fate(StrEnum):
    """What became of a decision on one finding; the first three are :class:`Standing`."""

    CURRENT = "current"
    STALE = "stale"
    OVERTAKEN = "overtaken"
    REPLACED = "replaced"  # by a later one of the same reader
    TAKEN_BACK = "taken back"


@dataclass(frozen=True, slots=True)
class Reading:
    """One finding that was judged, with the last word of each reader in order of time."""

    source_id: str
    check_id: str
    readers: tuple[Reviewed, ...]
    is_said_now: bool  # whether the rule still says anything of the photo

    @property
    def agreement(self) -> Agreement:
        """Whether those who settled the finding say the same; what is to be judged again does not count."""
        settled = [item.decision for item in self.readers if item.counts]
        if not settled:
            return Agreement.OPEN
        if len({made.examiner for made in settled}) == 1:
            return Agreement.ONE_READER
        return Agreement.AGREE if len({made.judgement for made in settled}) == 1 else Agreement.DIFFER

    @property
    def is_settled(self) -> bool:
        """Whether it needs nobody any more."""
        return any(item.counts for item in self.readers)


def readings(decisions: Decisions, said: Said) -> tuple[Reading, ...]:
    """Return every finding on which a decision is in force, by photo and rule; of findings that are gone, too."""
    nothing: tuple[str, Mapping[str, frozenset[str]]] = ("", {})
    photos = sorted(decisions.judged_photos)
    return tuple(reading for photo in photos for reading in readings_of(photo, decisions, said.get(photo, nothing)))


def readings_of(
    source_id: str, decisions: Decisions, said: tuple[str, Mapping[str, frozenset[str]]]
) -> tuple[Reading, ...]:
    """Return the same of one photo: *said* is the hash of its file and what its rules say."""
    sha256, ways = said
    return tuple(
        Reading(
            source_id,
            check_id,
            decisions.reviewed((source_id, check_id), sha256, ways.get(check_id, frozenset())),
            check_id in ways,
        )
        for check_id in decisions.judged_rules(source_id)
    )


def fates(made: Decision, standing: Mapping[int, Counter[Fate]]) -> Counter[Fate]:
    """Return what became of a decision, over its findings; *standing* is :func:`fates_of` all readings."""
    if made.undone_by is not None:
        return Counter({Fate.TAKEN_BACK: len(made.members)})
    held = standing.get(made.number, Counter())
    return held + Counter({Fate.REPLACED: len(made.members) - held.total()})


def fates_of(read: Iterable[Reading]) -> Mapping[int, Counter[Fate]]:
    """Return of each decision in force how it stands, over the findings on which it is its reader's last word."""
    found: dict[int, Counter[Fate]] = {}
    for reading in read:
        for item in reading.readers:
            found.setdefault(item.decision.number, Counter())[_FATES[item.standing]] += 1
    return found


_FATES = {standing: Fate(standing.value) for standing in Standing}


def undecided(found: Mapping[str, Iterable[str]], read: Iterable[Reading]) -> int:
    """Return how many findings nobody has settled; *found* is source id → the rules that found something."""
    settled = {(reading.source_id, reading.check_id) for reading in read if reading.is_settled}
    return sum((source_id, check_id) not in settled for source_id, rules in found.items() for check_id in set(rules))
