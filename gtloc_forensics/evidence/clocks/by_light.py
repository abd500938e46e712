"""What the light of a camera's photos may be said to show of its clock: that it was wrong, and between which bounds.

Light alone names no offset and calls no clock right: no interval of it is narrower than the hour by
which its curves may be out. The bounds were widened until they held the truth in 95 % of runs on
cameras that the light model never saw (docs/clock-models.md, *Measured*).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gtloc_forensics.evidence.clocks import prior
from gtloc_forensics.evidence.clocks.prior import Arc, Floats
from gtloc_forensics.records import ClockKind

# Hills, haze, habits and a sky that differs from the curves': nobody's light tells the time better than to this.
SYSTEMATIC_HOURS = 1.0
SHARE = 0.98  # of the mass that an arc holds before it is widened
WIDEST_HOURS = 9.0  # wider than this the data say next to nothing and the prior alone would speak
FEWEST_INDEPENDENT = 5.0  # photos of as many outings: fewer share a sky
WRONG_FROM = 0.9  # the offsets a camera could be right with have become this unlikely
# So unlikely a right clock is wrong however wide the rest lies: daylight at a claimed midnight leaves all the day open.
SHUT_OUT_BELOW = 1e-3


@dataclass(frozen=True, slots=True)
class LightVerdict:
    """What light says of one clock."""

    interval_hours: tuple[float, float]  # 95 %, of claimed minus true; days are one
    wrong: float  # posterior of a clock that was not right
    is_wrong: bool
    tells: bool  # the interval excludes most of the day


def weigh(light: Floats, *, independent: float, weighed: Floats | None = None) -> LightVerdict:
    """Return what may be said of a clock by light.

    Args:
        light: ``[K]`` log likelihood over the offsets.
        independent: how many independent photos that is worth.
        weighed: ``[K]`` the same with what other witnesses say of the offset.
    """
    posterior = prior.posterior(light if weighed is None else weighed)
    interval = _hull(prior.arc(posterior.mass, SHARE), prior.arc(np.exp(light - light.max()), SHARE))
    wrong = 1.0 - prior.posterior(light).probability_of(ClockKind.RIGHT)
    is_narrow = interval[1] - interval[0] <= WIDEST_HOURS
    is_wrong = wrong >= WRONG_FROM and is_narrow and independent >= FEWEST_INDEPENDENT
    is_shut_out = wrong > 1.0 - SHUT_OUT_BELOW
    return LightVerdict(interval, wrong, is_wrong or is_shut_out, is_narrow and independent >= FEWEST_INDEPENDENT)


def _hull(with_prior: Arc, evidence_alone: Arc) -> tuple[float, float]:
    """Return the interval that holds both: the prior's whole hours must not make it narrower than the evidence is."""
    turn = 24.0 * round((with_prior.middle_hours - evidence_alone.middle_hours) / 24.0)
    low = min(with_prior.low_hours, evidence_alone.low_hours + turn) - SYSTEMATIC_HOURS
    high = max(with_prior.high_hours, evidence_alone.high_hours + turn) + SYSTEMATIC_HOURS
    return low, high
