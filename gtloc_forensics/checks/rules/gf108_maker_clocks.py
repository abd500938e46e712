"""GF108 — The maker's own clocks against the capture time.

Shows: that a second clock, which some makers write into their private note (Samsung,
Olympus, Sony, Nikon), tells the same time. Few who change a date know of it.

Cannot show: anything for makers without one, or after an editor removed the note.

Blind spots: tools that shift all times shift some of these as well; a private note that
exiftool reads wrongly.

Threshold: 5 min after the best offset, as for the GPS clock; 2 min for clocks in local time.
A time of switching on must not be later than the capture by more than 5 min.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gtloc_forensics.checks import Context, check, claim_of, consistent, not_testable, offsets
from gtloc_forensics.checks import findings as checks_findings
from gtloc_forensics.records import (
    Claim,
    Confidence,
    Finding,
    Photo,
    Severity,
    Stated,
    TimeKind,
    TimeReading,
    TimeRole,
    durations,
)

SAME_LOCAL_S = 120.0
SWITCHED_ON = ("PowerUpTime",)


@check("GF108", title="The maker's own clocks against the capture time", needs=("claim",))
def maker_clocks(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare each clock of the maker's note with the claimed time."""
    claim = claim_of(photo)
    clocks = [reading for reading in claim.times if reading.role is TimeRole.MAKER_CLOCK]
    if not isinstance(claim.local_time, Stated) or not clocks:
        yield not_testable("GF108", claim.source_id, "no clock in the maker's note")
        return
    local = claim.local_time.value
    findings = [found for reading in clocks if (found := _judge(claim, local, reading)) is not None]
    agreement = f"{', '.join(reading.tag for reading in clocks)} tell the claimed time."
    yield from findings or [consistent("GF108", claim.source_id, agreement)]


def _judge(claim: Claim, local: datetime, reading: TimeReading) -> Finding | None:
    gap_s = durations.gap_seconds(local, reading.wall)
    if reading.tag.endswith(SWITCHED_ON):
        return None if gap_s >= -offsets.SLOW_CLOCK_S else _found(claim, local, reading, gap_s)
    if reading.kind is TimeKind.LOCAL:
        return None if abs(gap_s) <= max(SAME_LOCAL_S, reading.resolution_s) else _found(claim, local, reading, gap_s)
    if reading.kind is TimeKind.ZONED and reading.offset_hours is not None:
        gap_s += 3600.0 * reading.offset_hours  # local time minus the instant, as for a clock in UTC
    residual_s = _after_best_offset(claim, gap_s)
    return None if abs(residual_s) <= offsets.SLOW_CLOCK_S else _found(claim, local, reading, residual_s)


def _after_best_offset(claim: Claim, gap_s: float) -> float:
    stated = offsets.stated(claim)
    known = (*offsets.legal(claim), *(() if stated is None else (stated.value,)))
    if known:
        return offsets.closest(gap_s, known).residual_s
    slip = offsets.nearest_civil(gap_s)
    return gap_s if slip is None else slip.residual_s


def _found(claim: Claim, local: datetime, reading: TimeReading, gap_s: float) -> Finding:
    order = "later" if gap_s > 0 else "earlier"
    switched = reading.tag.endswith(SWITCHED_ON)
    summary = (
        f"The camera was switched on ({reading.wall}) {durations.spoken(gap_s)} after the claimed capture."
        if switched
        else f"The capture time is {durations.spoken(gap_s)} {order} than the maker's own clock ({reading.tag})."
    )
    return checks_findings.suspicious(
        "GF108",
        claim,
        summary,
        kind="edit",
        severity=Severity.HIGH,
        confidence=Confidence.STRONG,
        observed=(f"{reading.tag}: {reading.raw[:60]}.", f"Capture: {local}."),
        innocent=("the date was corrected by a program that left the maker's note alone",),
        facts={"tag": reading.tag, "difference_s": gap_s},
    )
