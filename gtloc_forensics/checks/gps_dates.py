"""What a GPS date says of the capture where no GPS time stands beside it: the day, and no more."""

from __future__ import annotations

from datetime import datetime

from gtloc_forensics.checks import clock_patterns, consistent, findings
from gtloc_forensics.checks.reference import devices, factory
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Claim, Confidence, Finding, Sentence, Severity, Stated

CHECK = "GF101"
SAME_DAYS = 1
"""The day in UTC and the day at the place are up to one apart."""
OLD_FIX_DAYS = 7
"""A telephone that found no satellites repeats its last fix: three days old in one of 78 genuine files."""
ROLLOVER_DAYS = 1024 * 7


def judge(claim: Claim) -> Finding | None:
    """Return what the GPS date says of the capture; None where there is none, or a GPS time belongs to it."""
    written = tag_values.text(claim.tags, "GPS:GPSDateStamp")
    found = tag_values.full_date(written) if written else None
    local = claim.local_time
    if found is None or tag_values.text(claim.tags, "GPS:GPSTimeStamp") or not isinstance(local, Stated):
        return None
    if claim.local_resolution_s > tag_values.DAY_S or devices.reproduction(claim) is not None:
        return None
    day, captured = found.wall, local.value
    days = (captured.date() - day.date()).days
    if abs(days) <= SAME_DAYS:
        return consistent(
            CHECK, claim.source_id, Sentence("The GPS date, without a time, is that of the capture to a day.")
        )
    if (why := _excuse(day, captured, days)) is not None:
        kind, summary = why
        return findings.explained(CHECK, claim, summary, kind=kind, observed=_observed(captured, day))
    return findings.suspicious(
        CHECK,
        claim,
        Sentence(
            "The GPS date, which stands without a time, is {apart_s:spoken} {days:±earlier|later} than the capture: "
            "they cannot both be of it.",
            apart_s=abs(days) * tag_values.DAY_S,
            days=days,
        ),
        kind="clock-or-gps",
        offset_hours=24.0 * days,
        severity=Severity.MEDIUM,
        confidence=Confidence.WEAK,
        observed=_observed(captured, day),
        innocent=clock_patterns.INNOCENT_EITHER,
        facts={"difference_days": days},
    )


def _excuse(day: datetime, captured: datetime, days: int) -> tuple[str, Sentence] | None:
    """Return kind and sentence of what makes such a date without anybody's doing."""
    if days > SAME_DAYS and abs(days - ROLLOVER_DAYS * round(days / ROLLOVER_DAYS)) <= SAME_DAYS:
        return "week-rollover", Sentence(
            "The GPS date, which stands without a time, is a multiple of 1,024 weeks earlier than the capture, a known "
            "fault of receivers."
        )
    if day < factory.FIRST_DIGITAL or any(abs(day - zero).days <= SAME_DAYS for zero in factory.GPS_ZEROS):
        return "receiver", Sentence(
            "The GPS date {day:date} stands where a receiver's count of time begins: it had no time yet.", day=day
        )
    if factory.is_default(captured):
        return "clock-reset", Sentence(
            "The camera's clock stands at a factory default ({local:date}): it had been reset.", local=captured
        )
    if 0 < days <= OLD_FIX_DAYS:
        return "stale-fix", Sentence(
            "The GPS date, which stands without a time, is {apart_s:spoken} earlier than the capture, as that of an "
            "old fix is.",
            apart_s=days * tag_values.DAY_S,
        )
    return None


def _observed(captured: datetime, day: datetime) -> tuple[Sentence, ...]:
    return (
        Sentence("Camera time {local} (local).", local=captured),
        Sentence("GPS date {day:date}, without a time.", day=day),
    )
