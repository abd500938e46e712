"""GF407 — The light of all photos of a device against its clock.

Shows: that the exposures of a camera's photos together fit the sun far better had its clock
run differently, and between which bounds. It needs no GPS time: exposure, place and date are enough.

Cannot show: a clock wrong by a whole day; minutes; anything when most photos were taken
indoors or at night. A wrong place of the whole track by longitude looks the same.

Blind spots: studio and stage work, manual exposure, a camera shared by people in two zones.

Threshold: under the prior of docs/clock-models.md less than 10 % for a clock that is
right, with bounds of 9 h or less from five independent photos or more, or less than 0.1 %
whatever the bounds. Contradiction below 0.1 %. No offset is named: light knows none.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, Scope, check, pairs
from gtloc_forensics.evidence import exposure
from gtloc_forensics.evidence.clocks import by_light, prior
from gtloc_forensics.evidence.clocks.by_light import LightVerdict
from gtloc_forensics.evidence.exposure import clock_offsets as light_offsets
from gtloc_forensics.evidence.exposure.clock_offsets import Frames
from gtloc_forensics.records import (
    CauseKind,
    ClockKind,
    Confidence,
    DeviceGroup,
    Finding,
    Outcome,
    Sentence,
    Severity,
    template,
)

FEWEST = 5
RIGHT_AT_MOST_CONTRADICTED = 0.001
VERSION = "2"


@check("GF407", title="Light of all photos against the clock", scope=Scope.DEVICE, version=VERSION)
def light_of_device(group: DeviceGroup, context: Context) -> Iterator[Finding]:
    """Weigh every offset of the clock by the light of all frames."""
    frames = light_offsets.frames_of(group.summaries)
    if len(frames) < FEWEST:
        why = Sentence(
            "fewer than {fewest} flashless photos of the device have time, place and exposure", fewest=FEWEST
        )
        yield from pairs.silent("GF407", group.summaries, why)
        return
    light = light_offsets.offset_log_likelihood(exposure.load(), frames)
    found = by_light.weigh(light, independent=frames.effective)
    named = set(frames.source_ids)
    used = [summary for summary in group.summaries if summary.source_id in named]
    if found.is_wrong:
        yield _finding(group, frames, found)
    elif found.tells:
        yield from pairs.passed("GF407", used, Sentence("The light of the device's photos fits its clock."))
    else:
        yield from pairs.silent("GF407", used, Sentence("the light of the device's photos does not tell the time"))
    unlit = Sentence("no flashless exposure with time and place")
    yield from pairs.silent("GF407", pairs.rest(group.summaries, used), unlit)


def _finding(group: DeviceGroup, frames: Frames, found: LightVerdict) -> Finding:
    named = set(frames.source_ids)
    low, high = found.interval_hours
    is_contradicted = 1.0 - found.wrong < RIGHT_AT_MOST_CONTRADICTED and not group.doubt
    return pairs.about(
        "GF407",
        [summary for summary in group.summaries if summary.source_id in named],
        Sentence(
            "The light of {photos:?1 photo|# photos} does not fit a right clock; "
            "it leaves open {interval_hours:range}.",
            photos=len(frames),
            interval_hours=(low, high),
        ),
        outcome=Outcome.CONTRADICTION if is_contradicted else Outcome.SUSPICIOUS,
        kind=CauseKind.CLOCK_OFFSET,
        device_key=group.device_key,
        severity=Severity.HIGH,
        confidence=Confidence.WEAK if group.doubt else Confidence.STRONG,
        derived=(
            Sentence(
                "{outings:?1 outing|# outings}, worth {independent:.1f} independent photos.",
                outings=frames.outings,
                independent=frames.effective,
            ),
        ),
        inferred=(Sentence(_left(found), prior=prior.PRIOR[ClockKind.RIGHT]),),
        innocent=(Sentence("a track whose longitude is wrong"), *((group.doubt,) if group.doubt else ())),
        limitations=(Sentence("Light knows nothing of whole days, and it names no offset."),),
        facts={"posterior_right": 1.0 - found.wrong, "interval_low_hours": low, "interval_high_hours": high},
    )


def _left(found: LightVerdict) -> str:
    """Return the template of what light leaves of a right clock."""
    if 1.0 - found.wrong < RIGHT_AT_MOST_CONTRADICTED:
        return template("Prior of a right clock {prior:.2f}; light leaves it under one in a thousand.")
    return template("Prior of a right clock {prior:.2f}; light leaves it under one in ten.")
