"""What may be wrong with a clock before any evidence, and how evidence shifts it.

The prior is stated here and nowhere else; docs/clock-models.md gives its reasons. Kinds
that light can tell apart share one grid of offsets; a reset, a drift, steps and swapped
dates are read off other clocks and have no prior on the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.evidence.exposure.clock_offsets import OFFSETS_HOURS, STEP_HOURS
from gtloc_forensics.records import ClockKind

Floats: TypeAlias = NDArray[np.float64]

# Of 253 cameras in everyday hands roughly one in ten shows another time than its place; most of those are an
# hour (summer time) or a whole number of hours (a journey) off. The rest is left over for anything.
PRIOR: dict[ClockKind, float] = {
    ClockKind.RIGHT: 0.85,
    ClockKind.DST: 0.05,
    ClockKind.WRONG_ZONE: 0.06,
    ClockKind.AM_PM: 0.015,
    ClockKind.CONSTANT_OFFSET: 0.025,
}

GPS_SIGMA_HOURS = 0.15
GPS_FLOOR = 0.01  # one GPS time in a hundred is stale, copied or edited
MOST_GPS_WITNESSES = 3.0  # they share one receiver: more of them do not add up
FOREIGN_ZONE_ODDS = 30.0  # written offsets of another zone: the camera is on that zone, or its zone tag alone is wrong


@cache
def priors() -> dict[ClockKind, Floats]:
    """Return kind → prior mass ``[K]`` over the offsets; all of it sums to 1."""
    hours = np.abs(OFFSETS_HOURS)
    weights = {
        # The nearest quarter hours belong to a right clock: clocks are set by hand and by sight.
        ClockKind.RIGHT: np.where(hours == 0.0, 0.8, 0.0) + np.where(hours == 0.25, 0.1, 0.0),
        ClockKind.DST: np.where(hours == 1.0, 1.0, 0.0),
        ClockKind.AM_PM: np.where(hours == 12.0, 1.0, 0.0),
        ClockKind.WRONG_ZONE: np.where((hours % 0.5 == 0.0) & (hours >= 1.5) & (hours != 12.0), 0.2, 0.0)
        + np.where((hours % 1.0 == 0.0) & (hours >= 2.0) & (hours != 12.0), 0.8, 0.0),
        ClockKind.CONSTANT_OFFSET: np.where(hours >= 0.5, 1.0, 0.0),
    }
    return {kind: PRIOR[kind] * mass / mass.sum() for kind, mass in weights.items()}


@dataclass(frozen=True, slots=True)
class Posterior:
    """What the evidence makes of the prior: kinds against one another, and the offset."""

    by_kind: dict[ClockKind, Floats]  # each [K]; all sum to 1

    @property
    def mass(self) -> Floats:
        """The offset's posterior ``[K]``, whatever the kind."""
        return np.asarray(sum(self.by_kind.values()), dtype=np.float64)

    @property
    def kind(self) -> ClockKind:
        """The likeliest kind."""
        return max(self.by_kind, key=lambda kind: float(self.by_kind[kind].sum()))

    @property
    def probability(self) -> float:
        """The posterior of the likeliest kind."""
        return self.probability_of(self.kind)

    def probability_of(self, kind: ClockKind) -> float:
        """Return the posterior of *kind*, whatever the offset."""
        return float(self.by_kind[kind].sum())


def posterior(log_likelihood: Floats) -> Posterior:
    """Return the posterior under a log likelihood ``[K]`` over the offsets."""
    shifted = np.exp(log_likelihood - log_likelihood.max())
    weighed = {kind: mass * shifted for kind, mass in priors().items()}
    total = sum(float(mass.sum()) for mass in weighed.values())
    return Posterior({kind: mass / total for kind, mass in weighed.items()})


def of_gps(hours: float, *, spread_hours: float, photos: int) -> Floats:
    """Return the log likelihood ``[K]`` of a level of GPS residuals that *photos* agree on."""
    apart = np.mod(OFFSETS_HOURS - hours + 12.0, 24.0) - 12.0
    # A level's sign of the day is known: −11 h and +13 h are apart.
    apart = np.where(np.abs(OFFSETS_HOURS - hours) < 12.5, OFFSETS_HOURS - hours, np.abs(apart) + 12.0)
    sigma = max(GPS_SIGMA_HOURS, spread_hours)
    spoken = np.log(GPS_FLOOR + (1.0 - GPS_FLOOR) * np.exp(-0.5 * (apart / sigma) ** 2))
    return np.asarray(min(MOST_GPS_WITNESSES, float(photos)) * spoken, dtype=np.float64)


def of_foreign_zone(hours: float) -> Floats:
    """Return the log likelihood ``[K]`` of written offsets that differ by *hours* from civil time at the place."""
    near = np.abs(OFFSETS_HOURS - hours) < 0.2
    return np.asarray(np.where(near, np.log(FOREIGN_ZONE_ODDS), 0.0), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Arc:
    """The shortest stretch of the day's circle that holds a share of the mass.

    Light and the hours of a picture say nothing of whole days: 12 h ahead and 12 h behind
    are one to them. ``low`` and ``high`` enclose ``middle``, half a step allowed for on either side.
    """

    low_hours: float
    middle_hours: float
    high_hours: float

    @property
    def width_hours(self) -> float:
        """How long the stretch is."""
        return self.high_hours - self.low_hours


def arc(mass: Floats, share: float = 0.95) -> Arc:
    """Return the shortest arc that holds *share* of a mass ``[K]``, told near its likeliest offset."""
    folded = np.bincount(_COLUMN, mass / mass.sum(), minlength=_PER_DAY)
    total = np.concatenate([[0.0], np.cumsum(np.tile(folded, 2))])
    ends = np.searchsorted(total, total[:_PER_DAY] + share - 1e-12)
    lengths = ends - np.arange(_PER_DAY)
    # Of equally short arcs the one holding most: rounding must not choose.
    held = (total[ends] - total[:_PER_DAY]).tolist()
    _, _, first = min(zip(lengths.tolist(), (-mass_ for mass_ in held), range(_PER_DAY), strict=True))
    inside = total[first : ends[first] + 1] - total[first]
    centre = first + int(np.searchsorted(inside, inside[-1] / 2.0)) - 1
    best = float(OFFSETS_HOURS[int(np.argmax(mass))])
    turn = 24.0 * round((best - centre * STEP_HOURS) / 24.0)
    half = STEP_HOURS / 2.0
    return Arc(
        low_hours=turn + first * STEP_HOURS - half,
        middle_hours=turn + centre * STEP_HOURS,
        high_hours=turn + (int(ends[first]) - 1) * STEP_HOURS + half,
    )


_PER_DAY = round(24.0 / STEP_HOURS)
_COLUMN = np.mod(np.round(OFFSETS_HOURS / STEP_HOURS).astype(np.int64), _PER_DAY)
