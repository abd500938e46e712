"""A proposal as it grows: lines, the photos they are about, and why the others have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gtloc_forensics.correct.changes import Change
from gtloc_forensics.correct.repairs import Subject

MOST_NAMED = 5
SETTLE = "A photo whose true time is known settles it: --from-reference PHOTO=TIME"
SEVERAL_GPS = 0.99
"""What several GPS clocks that agree on one amount count for: an order of magnitude, not calibrated."""
TWO_GROUNDS = 0.95
"""What two independent grounds count for, where each alone would be a note; not calibrated either."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Lines, and notes on what could not be proposed."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class Draft:
    """A proposal as it grows: the photos that have lines, and why others have none."""

    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    reasons: dict[str, list[str]] = field(default_factory=dict)  # why → names of photos
    spoken: set[bytes] = field(default_factory=set)

    def add(self, photo: Subject, made: Sequence[Change]) -> None:
        """Take lines about a photo in."""
        self.changes += made
        self.spoken.add(photo.relative)

    def leave(self, photo: Subject, why: str) -> None:
        """Say why a photo gets no line."""
        self.reasons.setdefault(why, []).append(photo.name)
        self.spoken.add(photo.relative)

    def finished(self, least_strength: float) -> Proposal:
        """Return the lines at least as strong as asked for, and every note."""
        strong = [change for change in self.changes if change.strength >= least_strength]
        weak = {change.relative for change in self.changes} - {change.relative for change in strong}
        notes = [*self.notes, *(f"{named(names)}: {why}" for why, names in self.reasons.items())]
        if weak:
            best = max(change.strength for change in self.changes if change.relative in weak)
            notes.append(
                f"lines for {counted(len(weak), 'photo')} are left out: their strength, {best:.2f} at most, is under "
                f"{least_strength:.2f}; see them with --least-strength"
            )
        return Proposal(tuple(strong), tuple(dict.fromkeys(notes)))


def named(names: Sequence[str]) -> str:
    """Return the first names of a list, and how many more there are."""
    if len(names) <= MOST_NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more"


def counted(number: int, noun: str) -> str:
    """Return ``1 photo`` or ``2 photos``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
