"""GF108 — The maker's own clocks against the capture time.

Shows: that a second clock, which some makers write into their private note (Samsung,
Olympus, Sony, Nikon), tells the same time. Few who change a date know of it.

Cannot show: anything for makers without one, or after an editor removed the note.

Blind spots: tools that shift all times shift some of these as well; a private note that
exiftool reads wrongly.

What is no clock is passed over: time since power-on, and counters that stand near their zero.

Threshold: 5 min after the best offset, as for the GPS clock; 2 min for clocks in local time,
or in UTC, which some bodies keep.
A time of switching on must not be later than the capture by more than 5 min.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from gtloc_forensics.checks import Context, check, claim_of, consistent, not_testable, offsets
from gtloc_forensics.checks import findings as checks_findings
from gtloc_forensics.checks.reference import factory
from gtloc_forensics.records import (
    Claim,
    Confidence,
    Finding,
    Photo,
    Sentence,
    Severity,
    Stated,
    TimeKind,
    TimeReading,
    TimeRole,
    durations,
)

SAME_LOCAL_S = 120.0
SWITCHED_ON = ("PowerUpTime",)
FIRST_USUAL_YEAR = 2001  # a second counter at a zero of 1998 to 2001 was never set
_UPTIME = re.compile(r"RunTime|SincePowerOn|(?<!Power)UpTime")


@check("GF108", title="The maker's own clocks against the capture time", needs=("claim",), version="3")
def maker_clocks(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare each clock of the maker's note with the claimed time."""
    claim = claim_of(photo)
    clocks = [reading for reading in claim.times if reading.role is TimeRole.MAKER_CLOCK and _is_clock(reading)]
    if not isinstance(claim.local_time, Stated) or not clocks:
        yield not_testable("GF108", claim.source_id, Sentence("no clock in the maker's note"))
        return
    local = claim.local_time.value
    findings = [found for reading in clocks if (found := _judge(claim, local, reading)) is not None]
    agreement = Sentence(
        "{tags} {count:?tells|tell} the claimed time.", tags=tuple(clock.tag for clock in clocks), count=len(clocks)
    )
    yield from findings or [consistent("GF108", claim.source_id, agreement)]


def _is_clock(reading: TimeReading) -> bool:
    """Whether a reading tells a time at all: not time since power-on, nor a counter that stands near its zero."""
    if _UPTIME.search(reading.tag) or reading.wall < factory.FIRST_DIGITAL:
        return False
    return not (factory.is_default(reading.wall) and reading.wall.year <= FIRST_USUAL_YEAR)


def _judge(claim: Claim, local: datetime, reading: TimeReading) -> Finding | None:
    gap_s = durations.gap_seconds(local, reading.wall)
    if reading.tag.endswith(SWITCHED_ON):
        return None if gap_s >= -offsets.SLOW_CLOCK_S else _found(claim, local, reading, gap_s)
    if reading.kind is TimeKind.LOCAL:
        tolerance_s = max(SAME_LOCAL_S, reading.resolution_s)
        # Some bodies keep their own clock in UTC: then it differs by exactly the offset of the photo.
        known = (0.0, *_known_offsets(claim))
        return (
            None
            if abs(offsets.closest(gap_s, known).residual_s) <= tolerance_s
            else _found(claim, local, reading, gap_s)
        )
    if reading.kind is TimeKind.ZONED and reading.offset_hours is not None:
        gap_s += 3600.0 * reading.offset_hours  # local time minus the instant, as for a clock in UTC
    residual_s = _after_best_offset(claim, gap_s)
    return None if abs(residual_s) <= offsets.SLOW_CLOCK_S else _found(claim, local, reading, residual_s)


def _after_best_offset(claim: Claim, gap_s: float) -> float:
    if known := _known_offsets(claim):
        return offsets.closest(gap_s, known).residual_s
    slip = offsets.nearest_civil(gap_s)
    return gap_s if slip is None else slip.residual_s


def _known_offsets(claim: Claim) -> tuple[float, ...]:
    stated = offsets.stated(claim)
    return (*offsets.legal(claim), *(() if stated is None else (stated.value,)))


def _found(claim: Claim, local: datetime, reading: TimeReading, gap_s: float) -> Finding:
    switched = reading.tag.endswith(SWITCHED_ON)
    summary = (
        Sentence(
            "The camera was switched on ({moment}) {gap_s:spoken} after the claimed capture.",
            moment=reading.wall,
            gap_s=gap_s,
        )
        if switched
        else Sentence(
            "The capture time is {gap_s:spoken} {gap_s:±later|earlier} than the maker's own clock ({tag}).",
            gap_s=gap_s,
            tag=reading.tag,
        )
    )
    return checks_findings.suspicious(
        "GF108",
        claim,
        summary,
        kind="edit",
        severity=Severity.HIGH,
        confidence=Confidence.STRONG,
        observed=(checks_findings.entry(reading.tag, reading.raw[:60]), Sentence("Capture: {moment}.", moment=local)),
        innocent=(Sentence("the date was corrected by a program that left the maker's note alone"),),
        facts={"tag": reading.tag, "difference_s": gap_s},
    )
