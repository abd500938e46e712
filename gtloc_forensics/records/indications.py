"""What of a prediction may be told: a value only where it was measured that the model knows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique

from gtloc_forensics.records.claims import Position


@unique
class Untold(Enum):
    """Why a picture indicates nothing. A number that merely exists never stands in for it."""

    NOT_LOOKED_AT = "no model looked at the picture"
    NOT_DATABLE = "no sky or daylight is in view"
    NOT_MEASURED = "nobody has measured what this model knows of it"
    AT_CHANCE = "on sources it never saw, the model tells it no better than chance"


@dataclass(frozen=True, slots=True)
class Indicated:
    """What a picture indicates, each to the digits it is known to, or why it indicates nothing."""

    local_hour: float | Untold = Untold.NOT_LOOKED_AT  # 0–24, whole hours
    year_turn: float | Untold = Untold.NOT_LOOKED_AT  # 0–1, to the month
    position: Position | Untold = Untold.NOT_LOOKED_AT
    radius_km: float | None = None  # of a disc as large as the region that holds half of the probability

    @property
    def is_silent(self) -> bool:
        """Whether nothing at all is told."""
        return all(isinstance(value, Untold) for value in (self.local_hour, self.year_turn, self.position))
