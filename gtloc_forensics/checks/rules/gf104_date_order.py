"""GF104 — The dates of one file in their order, and dates that cannot be.

Shows: capture times after the examination, a last change before the capture, a
digitising before the capture, and dates that are not in the calendar.

Cannot show: which date is wrong; that an ordinary later change was harmless.

Blind spots: a date moved as a whole with all others (every "shift all dates" tool);
fields left out.

Threshold: 26 h, the widest two wall clocks can differ while telling one instant (UTC−12 to
UTC+14); less is a matter of zones. A last change *after* the capture is normal (32 of 54
sample files) and is not remarked on; digitising later than capture is a scan.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from gtloc_forensics.checks import Context, check, claim_of, consistent, not_testable
from gtloc_forensics.checks import findings as checks_findings
from gtloc_forensics.checks.reference import devices, factory
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import (
    Cause,
    CauseKind,
    Claim,
    Confidence,
    Finding,
    Outcome,
    Photo,
    Severity,
    Stated,
    durations,
)

ZONES_S = 26 * 3600.0
AHEAD_OF_UTC = timedelta(hours=14)

CAPTURED = "ExifIFD:DateTimeOriginal"
DIGITISED = "ExifIFD:CreateDate"
CHANGED = "IFD0:ModifyDate"


@check("GF104", title="The dates of one file in their order", needs=("claim",), version="2")
def date_order(photo: Photo, context: Context) -> Iterator[Finding]:
    """Check each EXIF date by itself, then against the others and the present."""
    claim = claim_of(photo)
    written = {tag: text for tag in (CAPTURED, DIGITISED, CHANGED) if (text := tag_values.text(claim.tags, tag))}
    dates = {tag: found.wall for tag, text in written.items() if (found := tag_values.full_date(text)) is not None}
    findings = [
        *_impossible(claim, written),
        *_in_the_future(claim, dates, context.now_utc),
        *_changed_before(claim, dates),
        *_digitised(claim, dates),
    ]
    if findings:
        yield from findings
    elif CAPTURED in dates and len(dates) > 1:
        yield consistent("GF104", claim.source_id, f"{len(dates)} EXIF dates follow each other in their order.")
    else:
        yield not_testable("GF104", claim.source_id, "fewer than two EXIF dates to compare")


def _impossible(claim: Claim, written: dict[str, str]) -> Iterator[Finding]:
    for tag, text in written.items():
        if tag_values.moment(text) is None and not tag_values.is_unset(text):
            yield _finding(
                claim,
                f"{_short(tag)} holds {text[:40]!r}, which cannot be read as a date.",
                outcome=Outcome.SUSPICIOUS,
                severity=Severity.LOW,
                observed={tag: text},
                innocent=("damage to the file", "a program with another date format"),
                kind="edit",
            )


def _in_the_future(claim: Claim, dates: dict[str, datetime], now_utc: datetime) -> Iterator[Finding]:
    claimed = claim.local_time.value if isinstance(claim.local_time, Stated) else None
    local = dates.get(CAPTURED, claimed)
    if local is None or local <= now_utc + AHEAD_OF_UTC:
        return
    ahead_s = durations.gap_seconds(local, now_utc)
    yield _finding(
        claim,
        f"Captured {durations.spoken(ahead_s)} after this examination: the date cannot be true.",
        outcome=Outcome.CONTRADICTION,
        severity=Severity.HIGH,
        confidence=Confidence.DECISIVE,
        observed={CAPTURED: str(local)},
        innocent=("the camera's date was set wrong",),
        kind="clock-offset",
    )


def _changed_before(claim: Claim, dates: dict[str, datetime]) -> Iterator[Finding]:
    if CAPTURED not in dates or CHANGED not in dates:
        return
    early_s = durations.gap_seconds(dates[CAPTURED], dates[CHANGED])
    if early_s <= ZONES_S:
        return
    reset = factory.is_default(dates[CHANGED])
    yield _finding(
        claim,
        f"Last changed {durations.spoken(early_s)} before it was captured"
        + (": the changing device's clock stood at a factory default." if reset else ": one of the two was altered."),
        outcome=Outcome.EXPLAINED if reset else Outcome.SUSPICIOUS,
        severity=Severity.LOW if reset else Severity.HIGH,
        observed={tag: str(dates[tag]) for tag in (CAPTURED, CHANGED)},
        innocent=() if reset else ("the capture date was corrected by hand for a wrong camera clock",),
        kind="unset-date" if reset else "edit",
    )


def _digitised(claim: Claim, dates: dict[str, datetime]) -> Iterator[Finding]:
    if CAPTURED not in dates or DIGITISED not in dates:
        return
    later_s = durations.gap_seconds(dates[DIGITISED], dates[CAPTURED])
    if abs(later_s) <= ZONES_S:
        return
    observed = {tag: str(dates[tag]) for tag in (CAPTURED, DIGITISED)}
    if later_s > 0 and devices.is_scan(claim):
        yield _finding(
            claim,
            f"Digitised {durations.spoken(later_s)} after the capture, and the file says it is a scan.",
            outcome=Outcome.EXPLAINED,
            severity=Severity.INFO,
            observed=observed,
            kind="scan",
        )
        return
    if factory.is_default(dates[DIGITISED]):
        yield _finding(
            claim,
            "The date of digitising is a factory default, from a clock that was not set; the capture date is another.",
            outcome=Outcome.EXPLAINED,
            severity=Severity.LOW,
            observed=observed,
            kind="unset-date",
        )
        return
    order = "after" if later_s > 0 else "before"
    yield _finding(
        claim,
        f"Digitised {durations.spoken(later_s)} {order} it was captured; a digital camera does both at once.",
        outcome=Outcome.SUSPICIOUS,
        severity=Severity.MEDIUM,
        confidence=Confidence.STRONG if later_s < 0 else Confidence.WEAK,
        observed=observed,
        innocent=("a scan or a photo of a print, dated by hand", "one date was corrected by hand, the other forgotten"),
        kind="edit",
    )


def _finding(
    claim: Claim,
    summary: str,
    *,
    outcome: Outcome,
    severity: Severity,
    observed: dict[str, str],
    kind: str,
    confidence: Confidence = Confidence.STRONG,
    innocent: tuple[str, ...] = (),
) -> Finding:
    return Finding(
        check_id="GF104",
        source_ids=(claim.source_id,),
        outcome=outcome,
        severity=severity,
        confidence=confidence,
        summary=summary,
        observed=tuple(f"{tag}: {text}." for tag, text in observed.items()),
        innocent=innocent,
        facts=dict(observed),
        cause=Cause(
            CauseKind(kind),
            "" if kind in checks_findings.FILE_CAUSES else claim.device.key,
            None,
            checks_findings.FILE_CAUSES.get(kind, summary),
        ),
    )


def _short(tag: str) -> str:
    return tag.split(":")[-1]
