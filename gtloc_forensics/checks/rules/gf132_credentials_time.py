"""GF132 — The signed times against the claimed one.

Shows: a capture time in the content credentials that is not the file's; a time stamp of the signature from before
the claimed capture. A time stamp of a trusted authority is the strongest statement of time that a file can hold: what
was signed then existed then.

Cannot show: when the picture was taken, only that it was not later than its time stamp. A signature may be made years
after the capture.

Blind spots: credentials without a capture time and without a time stamp; a signer who states a wrong time.

Threshold: 2 s, or the fineness of the file's time; 2 min for the moment at which a camera says it made the file;
26 h where the file states no offset, the widest two wall clocks can differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.credentials import Credentials, Standing, credentials_of, why_not
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Absent, Claim, Finding, Photo, Sentence, Severity, Stated, durations

SAME_S = 2.0
MAKING_S = 120.0
ZONES_S = 26 * 3600.0

CAPTURED = ("digitalCapture", "computationalCapture")


@check("GF132", title="The signed times against the claimed one", needs=("claim",))
def credentials_time(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare the capture time, the moment of making and the time stamp of the credentials with the file's time."""
    claim = claim_of(photo)
    credentials = credentials_of(claim)
    if not credentials.are_stated:
        yield not_testable("GF132", claim.source_id, why_not(credentials))
        return
    compared = (_captured(claim, credentials), _made(claim, credentials), _stamped(claim, credentials))
    told = [found for found in compared if isinstance(found, Finding)]
    if told:
        yield from told
    elif any(found is True for found in compared):
        summary = Sentence("The signed times fit the claimed one. {standing}", standing=credentials.standing_said())
        yield consistent("GF132", claim.source_id, summary)
    else:
        why = Sentence("file and content credentials have no time in common")
        yield not_testable("GF132", claim.source_id, why)


def _captured(claim: Claim, credentials: Credentials) -> Finding | bool | None:
    """Compare the wall clock of the capture that is signed; a date without a time of day is none."""
    signed = tag_values.moment(credentials.text("CaptureTime"))
    if signed is None or signed.resolution_s >= tag_values.DAY_S or not isinstance(claim.local_time, Stated):
        return None
    written = (claim.local_time.value, *(rival.value for rival in claim.local_time.rivals))
    gaps_s = [durations.gap_seconds(signed.wall, wall) for wall in written]
    if isinstance(claim.utc_time, Stated) and signed.offset_hours is not None:  # the same instant on another clock
        instant = signed.wall - timedelta(hours=signed.offset_hours)
        gaps_s.append(durations.gap_seconds(instant, claim.utc_time.value))
    if min(map(abs, gaps_s)) <= max(SAME_S, claim.local_resolution_s, signed.resolution_s):
        return True
    return _told(
        claim,
        credentials,
        Sentence(
            "The content credentials state a capture {gap_s:spoken} {gap_s:±later|earlier} than the file does.",
            gap_s=gaps_s[0],
        ),
        signed.wall,
        gap_s=gaps_s[0],
    )


def _made(claim: Claim, credentials: Credentials) -> Finding | bool | None:
    """Compare the moment at which a camera says that it made the file."""
    if not any(kind in source for source in credentials.texts("SourceType") for kind in CAPTURED):
        return None
    made = _instant(credentials.text("CreatedWhen"))
    if made is None:
        return None
    captured, tolerance_s = _claimed(claim, MAKING_S)
    if captured is None:
        return None
    gap_s = durations.gap_seconds(made, captured)
    if abs(gap_s) <= tolerance_s:
        return True
    summary = Sentence(
        "The content credentials say that the camera made the file {gap_s:spoken} {gap_s:±after|before} the claimed "
        "capture.",
        gap_s=gap_s,
    )
    return _told(claim, credentials, summary, made, gap_s=gap_s)


def _stamped(claim: Claim, credentials: Credentials) -> Finding | bool | None:
    """Compare the time stamp of the signature: what was signed cannot be younger."""
    stamped = _instant(credentials.text("SignedAt"))
    captured, tolerance_s = _claimed(claim, SAME_S)
    if stamped is None or captured is None:
        return None
    early_s = durations.gap_seconds(captured, stamped)
    if early_s <= tolerance_s:
        return True
    is_proven = credentials.standing is Standing.TRUSTED and credentials.text("TimeStamp") == "timeStamp.trusted"
    tell = findings.contradiction if is_proven else findings.suspicious
    return tell(
        "GF132",
        claim,
        Sentence("The file was signed {early_s:spoken} before its claimed capture.", early_s=early_s),
        kind="content-credentials",
        severity=Severity.HIGH,
        confidence=credentials.confidence,
        observed=(
            Sentence("Time stamp of the signature: {moment} UTC.", moment=stamped),
            Sentence("Claimed capture: {moment}.", moment=captured),
            credentials.standing_said(),
        ),
        facts={"difference_s": early_s, "time_stamp": credentials.text("TimeStamp") or "not checked"},
        limitations=credentials.limits(),
        innocent=(Sentence("the clock of the camera was ahead"),),
    )


def _claimed(claim: Claim, tolerance_s: float) -> tuple[datetime | None, float]:
    """Return the claimed instant and how far from it an instant may lie; a wall clock may be any zone's."""
    if isinstance(claim.utc_time, Stated):
        return claim.utc_time.value, max(tolerance_s, claim.local_resolution_s)
    if isinstance(claim.local_time, Stated):
        return claim.local_time.value, ZONES_S
    return None, tolerance_s


def _instant(written: str) -> datetime | None:
    """Return an instant in UTC; a time without an offset is none."""
    found = tag_values.full_date(written)
    if found is None or found.offset_hours is None:
        return None
    return found.wall - timedelta(hours=found.offset_hours)


def _told(claim: Claim, credentials: Credentials, summary: Sentence, signed: datetime, *, gap_s: float) -> Finding:
    local = claim.local_time
    return findings.suspicious(
        "GF132",
        claim,
        summary,
        kind="content-credentials",
        severity=Severity.HIGH if credentials.standing is Standing.TRUSTED else Severity.MEDIUM,
        confidence=credentials.confidence,
        observed=(
            Sentence("In the content credentials: {moment}.", moment=signed),
            Sentence("{tag}: {moment}.", tag=local.tag, moment=local.value)
            if not isinstance(local, Absent)
            else Sentence("The file states no local time."),
            credentials.standing_said(),
        ),
        facts={"difference_s": gap_s},
        limitations=credentials.limits(),
        innocent=(
            Sentence("the time of the file was corrected after it was signed"),
            Sentence("the signing program wrote the time of its own work"),
        ),
    )
