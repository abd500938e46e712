"""GF104 — The dates of one file in their order, and dates that cannot be.

Shows: capture times after the examination, a last change before the capture, a
digitising before the capture, dates that are not in the calendar, blocks that stand twice
and differ, and a capture after a service took the photo in, as the index of its export says.

Cannot show: which date is wrong; that an ordinary later change was harmless.

Blind spots: a date moved as a whole with all others (every "shift all dates" tool);
fields left out.

Threshold: 26 h, the widest two wall clocks can differ while telling one instant (UTC−12 to
UTC+14); less is a matter of zones, but for a digitising more than an hour before the capture, where the file writes the
offset of both, or no zones are so far apart. A last change *after* the capture is normal (32 of 54
sample files) and is not remarked on; digitising later than capture is a scan where the file says so, names a
scanner, or is dated to a time before digital cameras (1995) and digitised after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from gtloc_forensics.checks import Context, check, claim_of, consistent, not_testable
from gtloc_forensics.checks import findings as checks_findings
from gtloc_forensics.checks.reference import devices, factory, programs
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import (
    Cause,
    CauseKind,
    Claim,
    Confidence,
    Finding,
    Outcome,
    Photo,
    Sentence,
    Severity,
    Stated,
    TimeRole,
    durations,
)

ZONES_S = 26 * 3600.0
AHEAD_OF_UTC = timedelta(hours=14)
SAME_HOUR_S = 3600.0
# A drone dated the end of a series as its capture, 39 min after the digitising: one of 718 genuine files.
EARLIEST_S = 3600.0
QUARTER_S, SAME_CLOCK_S = 900.0, 60.0
_PARTIAL = re.compile(r"^\s*\d{4}[:\-/.](00|\d\d)[:\-/.]00\b")  # a year or a month alone, the rest left at zero

CAPTURED = "ExifIFD:DateTimeOriginal"
DIGITISED = "ExifIFD:CreateDate"
CHANGED = "IFD0:ModifyDate"

# Dates of other blocks that a second block of their kind may contradict: of the capture, and of what comes after it.
OTHER_CAPTURES = ("XMP-exif:DateTimeOriginal", "XMP-photoshop:DateCreated", "IPTC:DateCreated", "IPTC:TimeCreated")
OTHER_DATES = (
    *OTHER_CAPTURES,
    DIGITISED,
    "XMP-exif:DateTimeDigitized",
    "XMP-xmp:CreateDate",
    "IPTC:DigitalCreationDate",
    "IPTC:DigitalCreationTime",
)
LONGEST_SHOWN = 60


@check("GF104", title="The dates of one file in their order", needs=("claim",), version="6")
def date_order(photo: Photo, context: Context) -> Iterator[Finding]:
    """Check each EXIF date by itself, then against the others and the present."""
    claim = claim_of(photo)
    written = {tag: text for tag in (CAPTURED, DIGITISED, CHANGED) if (text := tag_values.text(claim.tags, tag))}
    dates = {tag: found.wall for tag, text in written.items() if (found := tag_values.full_date(text)) is not None}
    findings = [
        *_impossible(claim, written),
        *_several(claim),
        *_in_the_future(claim, dates, context.now_utc),
        *_changed_before(claim, dates),
        *_digitised(claim, dates),
        *_taken_in_before(claim),
    ]
    if findings:
        yield from findings
    elif CAPTURED in dates and len(dates) > 1:
        yield consistent(
            "GF104", claim.source_id, Sentence("{dates} EXIF dates follow each other in their order.", dates=len(dates))
        )
    else:
        yield not_testable("GF104", claim.source_id, Sentence("fewer than two EXIF dates to compare"))


def _impossible(claim: Claim, written: dict[str, str]) -> Iterator[Finding]:
    read = {reading.tag for reading in claim.times}
    for tag, text in written.items():
        # What the reading of the capture time understood, another notation or a bare year, is a date.
        if tag_values.moment(text) is None and not tag_values.is_unset(text) and tag not in read:
            yield _finding(
                claim,
                Sentence("{tag} holds {text:quoted}, which cannot be read as a date.", tag=_short(tag), text=text[:40]),
                outcome=Outcome.SUSPICIOUS,
                severity=Severity.LOW,
                observed={tag: text},
                innocent=(Sentence("damage to the file"), Sentence("a program with another date format")),
                kind="edit",
            )


def _several(claim: Claim) -> Iterator[Finding]:
    """Tell two EXIF blocks with two capture times: programs read the one or the other."""
    found = {
        parsed.wall: str(text) for text in claim.tags.get(CAPTURED, ()) if (parsed := tag_values.full_date(str(text)))
    }
    if len(found) > 1:
        yield _finding(
            claim,
            Sentence(
                "{tag} stands {times} times in the file and differs: {dates}.",
                tag=_short(CAPTURED),
                times=len(found),
                dates=tuple(found),
            ),
            outcome=Outcome.SUSPICIOUS,
            severity=Severity.MEDIUM,
            observed={f"{CAPTURED} ({number})": text for number, text in enumerate(found.values(), 1)},
            innocent=(Sentence("a program that added a second EXIF block instead of replacing the first"),),
            kind="edit",
        )
    for twice in claim.repeated:
        if twice.tag in OTHER_DATES:
            yield _finding(
                claim,
                Sentence(
                    "{tag} stands {times} times in the file and differs: {texts:quoted}.",
                    tag=twice.tag,
                    times=len(twice.raws),
                    texts=tuple(raw[:LONGEST_SHOWN] for raw in twice.raws),
                ),
                outcome=Outcome.SUSPICIOUS if twice.tag in OTHER_CAPTURES else Outcome.EXPLAINED,
                severity=Severity.LOW,
                confidence=Confidence.WEAK,
                observed={f"{twice.tag} ({number})": raw for number, raw in enumerate(twice.raws, 1)},
                innocent=(Sentence("a program that added a second block instead of replacing the first"),),
                kind="edit" if twice.tag in OTHER_CAPTURES else "rewritten",
            )


def _in_the_future(claim: Claim, dates: dict[str, datetime], now_utc: datetime) -> Iterator[Finding]:
    claimed = claim.local_time.value if isinstance(claim.local_time, Stated) else None
    local = dates.get(CAPTURED, claimed)
    instant = claim.utc_time.value if isinstance(claim.utc_time, Stated) else None
    if local is not None and local <= now_utc + AHEAD_OF_UTC:
        return
    # Where the zone is not known, the photo is given the one in which its wall clock comes first. A film may tell
    # its instant and no wall clock.
    earliest = instant if instant is not None or local is None else local - AHEAD_OF_UTC
    if earliest is None or earliest <= now_utc:
        return
    ahead_s = durations.gap_seconds(earliest, now_utc)
    yield _finding(
        claim,
        Sentence("Captured {ahead_s:spoken} after this examination: the date cannot be true.", ahead_s=ahead_s)
        if isinstance(claim.utc_time, Stated)
        else Sentence(
            "Captured at least {ahead_s:spoken} after this examination, in whatever zone: the date cannot be true.",
            ahead_s=ahead_s,
        ),
        outcome=Outcome.CONTRADICTION,
        severity=Severity.HIGH,
        confidence=Confidence.DECISIVE,
        observed={CAPTURED: str(local)} if local is not None else {_instants_tag(claim): f"{earliest} UTC"},
        innocent=(Sentence("the camera's date was set wrong"),),
        kind="clock-offset",
    )


def _instants_tag(claim: Claim) -> str:
    return claim.utc_time.tag if isinstance(claim.utc_time, Stated) else CAPTURED


def _taken_in_before(claim: Claim) -> Iterator[Finding]:
    """Tell the earliest moment at which a service had the photo, where that is before its capture."""
    moments = [reading for reading in claim.times if reading.role is TimeRole.TAKEN_IN]
    stated = next((time for time in (claim.utc_time, claim.local_time) if isinstance(time, Stated)), None)
    if not moments or stated is None:
        return
    first = min(moments, key=lambda reading: reading.wall)
    early_s = durations.gap_seconds(stated.value, first.wall)
    if early_s > ZONES_S:
        yield _finding(
            claim,
            Sentence(
                "A service took the photo in {early_s:spoken} before its claimed capture, as the index of its export "
                "says: one of the two is wrong.",
                early_s=early_s,
            ),
            outcome=Outcome.SUSPICIOUS,
            severity=Severity.MEDIUM,
            observed={stated.tag: str(stated.value), first.tag: str(first.wall)},
            innocent=(
                Sentence("the camera's date was set wrong"),
                Sentence("the file was corrected after the service had taken it in"),
                Sentence("the index was changed"),
            ),
            kind="second-witness",
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
        Sentence(
            "Last changed {early_s:spoken} before it was captured: "
            "the changing device's clock stood at a factory default.",
            early_s=early_s,
        )
        if reset
        else Sentence(
            "Last changed {early_s:spoken} before it was captured: one of the two dates is wrong.", early_s=early_s
        ),
        outcome=Outcome.EXPLAINED if reset else Outcome.SUSPICIOUS,
        severity=Severity.LOW if reset else Severity.HIGH,
        observed={tag: str(dates[tag]) for tag in (CAPTURED, CHANGED)},
        innocent=()
        if reset
        else (
            Sentence("the capture date was corrected by hand for a wrong camera clock"),
            Sentence("the clock of the computer that changed the file was behind"),
        ),
        kind="unset-date" if reset else "edit",
    )


def _digitised(claim: Claim, dates: dict[str, datetime]) -> Iterator[Finding]:
    if CAPTURED not in dates or DIGITISED not in dates:
        return
    later_s = durations.gap_seconds(dates[DIGITISED], dates[CAPTURED])
    if abs(later_s) <= ZONES_S:
        yield from _digitised_too_early(claim, dates, later_s)
        return
    observed = {tag: str(dates[tag]) for tag in (CAPTURED, DIGITISED)}
    if later_s > 0 and (reason := devices.reproduction(claim)) is not None:
        yield _finding(
            claim,
            Sentence("Digitised {later_s:spoken} after the capture: {reason}.", later_s=later_s, reason=reason),
            outcome=Outcome.EXPLAINED,
            severity=Severity.INFO,
            observed=observed,
            kind="scan",
        )
        return
    if factory.is_default(dates[DIGITISED]):
        yield _finding(
            claim,
            Sentence(
                "The date of digitising is a factory default, from a clock that was not set; "
                "the capture date is another."
            ),
            outcome=Outcome.EXPLAINED,
            severity=Severity.LOW,
            observed=observed,
            kind="unset-date",
        )
        return
    if later_s > 0 and _is_hour_of_developing(claim, dates):
        yield _finding(
            claim,
            Sentence(
                "Digitised {later_s:spoken} after the capture, at the hour of the last change: "
                "a program wrote the hour of its own work.",
                later_s=later_s,
            ),
            outcome=Outcome.EXPLAINED,
            severity=Severity.INFO,
            observed=observed,
            kind="exported",
        )
        return
    yield _finding(
        claim,
        Sentence(
            "Digitised {later_s:spoken} {later_s:±after|before} it was captured; a digital camera does both at once.",
            later_s=later_s,
        ),
        outcome=Outcome.SUSPICIOUS,
        severity=Severity.MEDIUM,
        confidence=Confidence.STRONG if later_s < 0 else Confidence.WEAK,
        observed=observed,
        innocent=(
            Sentence("a scan or a photo of a print, dated by hand"),
            Sentence("one date was corrected by hand, the other forgotten"),
        ),
        kind="edit",
    )


def _digitised_too_early(claim: Claim, dates: dict[str, datetime], later_s: float) -> Iterator[Finding]:
    """Tell a digitising some hours before the capture, which no zone accounts for: of the two only one was moved."""
    zones = [
        tag_values.offset(tag_values.text(claim.tags, f"ExifIFD:OffsetTime{of}")) for of in ("Original", "Digitized")
    ]
    if zones[0] is not None and zones[1] is not None:
        later_s -= 3600.0 * (zones[1] - zones[0])
        is_of_zones = False
    else:
        is_of_zones = abs(later_s - QUARTER_S * round(later_s / QUARTER_S)) <= SAME_CLOCK_S
    if later_s > -EARLIEST_S:
        return
    yield _finding(
        claim,
        Sentence(
            "Digitised {later_s:spoken} before it was captured, as where one of the two is counted in another zone; "
            "a digital camera does both at once.",
            later_s=later_s,
        )
        if is_of_zones
        else Sentence(
            "Digitised {later_s:spoken} {later_s:±after|before} it was captured; a digital camera does both at once.",
            later_s=later_s,
        ),
        outcome=Outcome.EXPLAINED if is_of_zones else Outcome.SUSPICIOUS,
        severity=Severity.LOW if is_of_zones else Severity.MEDIUM,
        confidence=Confidence.WEAK,
        observed={tag: str(dates[tag]) for tag in (CAPTURED, DIGITISED)},
        innocent=(Sentence("one date was corrected by hand, the other forgotten"),),
        kind="program-zone" if is_of_zones else "edit",
    )


def _is_hour_of_developing(claim: Claim, dates: dict[str, datetime]) -> bool:
    changed = dates.get(CHANGED)
    if changed is None or not programs.converters(claim):
        return False
    return abs(durations.gap_seconds(dates[DIGITISED], changed)) <= SAME_HOUR_S


def _finding(
    claim: Claim,
    summary: Sentence,
    *,
    outcome: Outcome,
    severity: Severity,
    observed: dict[str, str],
    kind: str,
    confidence: Confidence = Confidence.STRONG,
    innocent: tuple[Sentence, ...] = (),
) -> Finding:
    return Finding(
        check_id="GF104",
        source_ids=(claim.source_id,),
        outcome=outcome,
        severity=severity,
        confidence=confidence,
        summary=summary,
        observed=tuple(checks_findings.entry(tag, text) for tag, text in observed.items()),
        innocent=innocent,
        facts=dict(observed),
        cause=Cause(
            CauseKind(kind),
            "" if kind in checks_findings.FILE_CAUSES else claim.device.key,
            None,
            checks_findings.file_cause(kind) or summary,
        ),
    )


def _short(tag: str) -> str:
    return tag.split(":")[-1]
