"""GF120 — A clock at its factory default.

Shows: capture times at or just after the moment at which a camera that lost its time starts again.

Cannot show: when the photo was really taken.

Blind spots: parties at midnight on 1 January; a reset clock that ran on for more than a day (the
counters of the camera find that one).

Threshold: within ten minutes of a default, or at noon sharp, it is explained as a reset (no party is so punctual in
1970 or 1980, before digital cameras); later on that day it is left alone unless the year is before 1995. A device
that took photos on the evening before was not reset.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, circumstances, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.reference import devices, factory
from gtloc_forensics.records import Confidence, Finding, Photo, Sentence, Severity, Stated


@check("GF120", title="A clock at its factory default", needs=("claim",), version="4")
def factory_date(photo: Photo, context: Context) -> Iterator[Finding]:
    """Recognise the dates at which clocks start again."""
    claim = claim_of(photo)
    if not isinstance(claim.local_time, Stated):
        yield not_testable("GF120", claim.source_id, claim.local_time)
        return
    local = claim.local_time.value
    if devices.reproduction(claim) is not None:
        why = Sentence("a scan is dated by hand, often to the first day of a year")
        yield not_testable("GF120", claim.source_id, why)
    elif factory.is_default(local) and circumstances.confirms_clock(claim, context):
        yield consistent("GF120", claim.source_id, Sentence("The GPS time confirms this first day of a year."))
    elif factory.is_default(local) and circumstances.of(context, claim.source_id).is_run_through:
        summary = Sentence("The device also took photos on the evening before: its clock ran through this New Year.")
        yield consistent("GF120", claim.source_id, summary)
    elif factory.is_exact_default(local) or (local < factory.FIRST_DIGITAL and factory.is_default(local)):
        yield findings.explained(
            "GF120",
            claim,
            Sentence(
                "The capture time {local} is a factory default, as after a reset, and nothing confirms it.", local=local
            ),
            kind="clock-reset",
            severity=Severity.MEDIUM,
            confidence=Confidence.STRONG,
            innocent=(Sentence("a photo of midnight on New Year"),) if local >= factory.FIRST_DIGITAL else (),
        )
    else:
        yield consistent("GF120", claim.source_id, Sentence("The capture time is no factory default."))
