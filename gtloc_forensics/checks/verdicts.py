"""Findings in few words: what was explained by a known cause, and what was not."""

from __future__ import annotations

from typing import Any

from gtloc_forensics.records import Cause, Claim, Confidence, Finding, Outcome, Severity

CLOCK_KINDS = ("clock-offset", "clock-drift", "clock-reset", "zone", "dst", "day-bug", "week-rollover")
"""Causes that lie in one device and may be shared by all its photos."""


def explained(
    check_id: str, claim: Claim, summary: str, *, kind: str, offset_hours: float | None = None, **more: Any
) -> Finding:
    """Report a disagreement whose innocent cause is known; *kind* names it."""
    return _finding(check_id, claim, summary, Outcome.EXPLAINED, kind=kind, offset_hours=offset_hours, **more)


def suspicious(
    check_id: str, claim: Claim, summary: str, *, kind: str, offset_hours: float | None = None, **more: Any
) -> Finding:
    """Report a disagreement that a person should look at."""
    return _finding(check_id, claim, summary, Outcome.SUSPICIOUS, kind=kind, offset_hours=offset_hours, **more)


def contradiction(
    check_id: str, claim: Claim, summary: str, *, kind: str, offset_hours: float | None = None, **more: Any
) -> Finding:
    """Report what cannot be true as the file has it."""
    return _finding(check_id, claim, summary, Outcome.CONTRADICTION, kind=kind, offset_hours=offset_hours, **more)


def _finding(
    check_id: str,
    claim: Claim,
    summary: str,
    outcome: Outcome,
    *,
    kind: str,
    offset_hours: float | None,
    severity: Severity = Severity.LOW,
    confidence: Confidence = Confidence.WEAK,
    **more: Any,
) -> Finding:
    device_key = claim.device.key if kind in CLOCK_KINDS else ""
    return Finding(
        check_id=check_id,
        source_ids=(claim.source_id,),
        outcome=outcome,
        severity=severity,
        confidence=confidence,
        summary=summary,
        cause=Cause(kind, device_key, offset_hours, summary),
        **more,
    )
