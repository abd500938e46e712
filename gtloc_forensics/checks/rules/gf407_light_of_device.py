"""GF407 — The light of all photos of a device against its clock.

Shows: that the exposures of a camera's photos together fit the sun far better had its clock
run differently, and how differently. It needs no GPS time: exposure, place and date are enough.

Cannot show: a clock wrong by a whole day; minutes; anything when most photos were taken
indoors or at night. A wrong place of the whole track by longitude looks the same.

Blind spots: studio and stage work, manual exposure, a camera shared by people in two zones.

Threshold: under the prior of docs/clock-models.md less than 10 % for a clock that is
right, with an offset known to 8 h or better. Contradiction below 0.1 %.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gtloc_forensics.checks import Context, Scope, check, pairs
from gtloc_forensics.evidence import exposure
from gtloc_forensics.evidence.clocks import prior
from gtloc_forensics.evidence.exposure import clock_offsets as light_offsets
from gtloc_forensics.evidence.exposure.clock_offsets import Frames
from gtloc_forensics.records import Confidence, DeviceGroup, Finding, Outcome, Severity, durations

FEWEST = 5
RIGHT_AT_MOST = 0.1
RIGHT_AT_MOST_CONTRADICTED = 0.001
WIDEST_HOURS = 8.0


@check("GF407", title="Light of all photos against the clock", scope=Scope.DEVICE)
def light_of_device(group: DeviceGroup, context: Context) -> Iterator[Finding]:
    """Weigh every offset of the clock by the light of all frames."""
    frames = light_offsets.frames_of(group.summaries)
    if len(frames) < FEWEST:
        why = f"fewer than {FEWEST} flashless photos of the device have time, place and exposure"
        yield from pairs.silent("GF407", group.summaries, why)
        return
    found = light_offsets.offset_log_likelihood(exposure.load(), frames)
    posterior = prior.posterior(found)
    right = float(posterior.by_kind["right"].sum())
    arc = prior.arc(posterior.mass)
    named = set(frames.source_ids)
    used = [one for one in group.summaries if one.source_id in named]
    if right < RIGHT_AT_MOST and arc.width_hours <= WIDEST_HOURS:
        yield _finding(group, frames, arc, right)
    elif prior.arc(np.exp(found)).width_hours <= WIDEST_HOURS:
        yield from pairs.passed("GF407", used, "The light of the device's photos fits its clock.")
    else:
        yield from pairs.silent("GF407", used, "the light of the device's photos does not tell the time")
    yield from pairs.silent("GF407", pairs.rest(group.summaries, used), "no flashless exposure with time and place")


def _finding(group: DeviceGroup, frames: Frames, arc: prior.Arc, right: float) -> Finding:
    named = set(frames.source_ids)
    is_contradicted = right < RIGHT_AT_MOST_CONTRADICTED and not group.doubt
    return pairs.about(
        "GF407",
        [one for one in group.summaries if one.source_id in named],
        f"The light of {durations.photos(len(frames))} fits a clock {durations.ahead(arc.middle_hours)} "
        f"({durations.between(arc.low_hours, arc.high_hours)}), not a right one.",
        outcome=Outcome.CONTRADICTION if is_contradicted else Outcome.SUSPICIOUS,
        kind="clock-offset",
        device_key=group.device_key,
        offset_hours=arc.middle_hours,
        severity=Severity.HIGH,
        confidence=Confidence.WEAK if group.doubt else Confidence.STRONG,
        derived=(f"{durations.outings(frames.outings)}, worth {frames.effective:.0f} independent photos.",),
        inferred=(f"Posterior of a right clock {right:.2g}; prior {prior.PRIOR['right']:.2f}.",),
        innocent=("a track whose longitude is wrong", *((group.doubt,) if group.doubt else ())),
        limitations=("Light knows nothing of whole days, and little of minutes.",),
        facts={"posterior_right": right, "offset_hours": arc.middle_hours},
    )
