"""What rules that compare photos share: order in time, distance, and findings about several photos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from gtloc_forensics.checks import consistent, not_testable
from gtloc_forensics.earth import globe
from gtloc_forensics.records import Cause, CauseKind, Confidence, Finding, Outcome, PhotoSummary, Severity, Statement


def instant(photo: PhotoSummary) -> datetime | None:
    """Return the instant a photo claims; without an offset, its local time, which orders one device's photos alike."""
    return photo.utc_time if photo.utc_time is not None else photo.local_time


def apart_s(later: PhotoSummary, earlier: PhotoSummary) -> float | None:
    """Return the claimed seconds between two photos, None where only one states an instant."""
    if later.utc_time is not None and earlier.utc_time is not None:
        return (later.utc_time - earlier.utc_time).total_seconds()
    if later.local_time is None or earlier.local_time is None or later.zone != earlier.zone:
        return None
    return (later.local_time - earlier.local_time).total_seconds()


def apart_km(first: PhotoSummary, second: PhotoSummary) -> float | None:
    """Return the distance of two claimed places, None where one is missing."""
    places = (first.latitude_deg, first.longitude_deg, second.latitude_deg, second.longitude_deg)
    if None in places:
        return None
    latitude, longitude, other_latitude, other_longitude = (float(angle or 0.0) for angle in places)
    return float(
        globe.distance_km(latitude, longitude, second_latitude_deg=other_latitude, second_longitude_deg=other_longitude)
    )


def in_order(summaries: Iterable[PhotoSummary]) -> list[PhotoSummary]:
    """Return the dated ones in the order of their claimed instants."""
    dated = [(moment, summary.source_id, summary) for summary in summaries if (moment := instant(summary)) is not None]
    return [photo for _, _, photo in sorted(dated, key=lambda row: row[:2])]


def about(
    check_id: str,
    summaries: Sequence[PhotoSummary],
    summary: Statement,
    *,
    outcome: Outcome,
    kind: str,
    device_key: str = "",
    offset_hours: float | None = None,
    severity: Severity = Severity.MEDIUM,
    confidence: Confidence = Confidence.WEAK,
    cause_summary: Statement = "",
    **more: Any,
) -> Finding:
    """Return a finding about *summaries*, the first of which it concerns most.

    What is said of a single photo is no sentence for all that share its cause: *cause_summary* is theirs.
    """
    return Finding(
        check_id=check_id,
        source_ids=tuple(photo.source_id for photo in summaries),
        outcome=outcome,
        severity=severity,
        confidence=confidence,
        summary=summary,
        cause=Cause(CauseKind(kind), device_key, offset_hours, cause_summary or summary),
        **more,
    )


def silent(check_id: str, summaries: Iterable[PhotoSummary], why: Statement) -> Iterable[Finding]:
    """Yield for each photo that the rule had nothing to go on."""
    return (not_testable(check_id, summary.source_id, why) for summary in summaries)


def passed(check_id: str, summaries: Iterable[PhotoSummary], summary: Statement) -> Iterable[Finding]:
    """Yield for each photo that the rule found agreement."""
    return (consistent(check_id, photo.source_id, summary) for photo in summaries)


def rest(summaries: Iterable[PhotoSummary], concerned: Iterable[PhotoSummary]) -> list[PhotoSummary]:
    """Return the summaries that are not among *concerned*."""
    named = {photo.source_id for photo in concerned}
    return [summary for summary in summaries if summary.source_id not in named]


def verdict(doubt: Statement, outcome: Outcome) -> tuple[Outcome, Confidence]:
    """Weaken an outcome where photos of two devices may be mixed."""
    if doubt:
        return Outcome.SUSPICIOUS, Confidence.WEAK
    return outcome, Confidence.STRONG
