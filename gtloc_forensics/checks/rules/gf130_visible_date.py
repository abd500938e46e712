"""GF130 — The date seen in the picture against the claim.

Shows: that a date burned into the margin of the picture, by the camera's own clock, is none that the file claims.

Where no date is read and one digital clock is (a telephone's screen, a display), the rule says that it agrees with the
claimed time of day, and that alone: clocks in view stand, are of another zone, or are the price of something.

Cannot show: which of the two was changed; that the clock was right: stamp and EXIF share it, so that agreement
proves nothing of it. A date elsewhere in the picture (a poster, a screen, a page) is not of the capture and is
not compared.

Blind spots: pictures are only read where that was asked for (``--visible-dates``); digits misread; a caption at the
edge that is no stamp; stamps of another clock, as a dash camera's own GPS time; clocks with hands are not read.

Threshold: no reading of day, month and year is the claimed day, in whatever order they stand (5 minutes round midnight
are allowed, and whole quarters of an hour up to 14 h, the clock of another zone). A time of day alone that does not fit
is no finding: digits are misread easily. A clock in view agrees within 5 minutes, in either half of the day where it
does not say which; by chance one claim in 72 does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.visible_dates import VisibleDate, clocks_in, dates_in
from gtloc_forensics.records import Claim, Finding, Photo, Sentence, Severity, Stated, durations

STAMP, ELSEWHERE = "Visible:Stamp", "Visible:Text"
QUARTER_S = 900.0
WIDEST_ZONES_S = 14 * 3600.0
SAME_TIME_S = 300.0


@check("GF130", title="The date seen in the picture against the claim", needs=("claim",), version="2")
def visible_date(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare every reading of the date in the margin with the claimed capture time."""
    claim = claim_of(photo)
    if not isinstance(claim.local_time, Stated):
        yield not_testable("GF130", claim.source_id, claim.local_time)
        return
    seen = dates_in(str(line) for line in claim.tags.get(STAMP, ()))
    if not seen:
        yield _of_clock(claim, claim.local_time.value)
        return
    local = claim.local_time.value
    best = min(seen, key=lambda stamp: abs(_gap_s(stamp, local)))
    if not _same_day(best, local) and _is_other_zone(best, local):
        why = Sentence("the picture shows {text:quoted}, as a clock in another zone would", text=best.text)
        yield not_testable("GF130", claim.source_id, why)
    elif not _same_day(best, local):
        yield _told(claim, best, local)
    elif best.at is not None and abs(_gap_s(best, local)) > SAME_TIME_S:
        why = Sentence(
            "the picture shows {text:quoted}, whose day fits, and its time does not; digits are easily misread",
            text=best.text,
        )
        yield not_testable("GF130", claim.source_id, why)
    else:
        agree = Sentence(
            "The picture shows {text:quoted}, as the file claims; both come from one clock.", text=best.text
        )
        yield consistent("GF130", claim.source_id, agree)


def _of_clock(claim: Claim, local: datetime) -> Finding:
    """Compare the one clock in view with the claimed time of day; that it differs is no finding."""
    lines = [str(line) for tag in (STAMP, ELSEWHERE) for line in claim.tags.get(tag, ())]
    clocks = clocks_in(lines)
    if len(clocks) != 1:
        return not_testable("GF130", claim.source_id, Sentence("no date was read in the margin of the picture"))
    (clock,) = clocks
    if min(_time_of_day_gap_s(at, local) for at in clock.times) <= SAME_TIME_S:
        agree = Sentence(
            "A clock in the picture may show {text:quoted}, which is the claimed time of day; it names no date.",
            text=clock.text,
        )
        return consistent("GF130", claim.source_id, agree)
    why = Sentence(
        "the picture shows {text:quoted}, which is not the claimed time of day; whether it is a clock, and goes right, "
        "is not known",
        text=clock.text,
    )
    return not_testable("GF130", claim.source_id, why)


def _time_of_day_gap_s(at: time, local: datetime) -> float:
    """Return how far two times of day are apart the shorter way round."""
    gap_s = abs(durations.gap_seconds(datetime.combine(local.date(), at), local))
    return min(gap_s, 86_400.0 - gap_s)


def _gap_s(stamp: VisibleDate, local: datetime) -> float:
    """Return how much later the claim is than the nearest reading of a stamp; by whole days where it has no time."""
    if stamp.at is None:
        return min((86_400.0 * (local.date() - day).days for day in stamp.days), key=abs)
    return min((durations.gap_seconds(local, moment) for moment in stamp.moments()), key=abs)


def _same_day(stamp: VisibleDate, local: datetime) -> bool:
    slack = timedelta(seconds=SAME_TIME_S)
    return not {local.date(), (local - slack).date(), (local + slack).date()}.isdisjoint(stamp.days)


def _is_other_zone(stamp: VisibleDate, local: datetime) -> bool:
    gap_s = abs(_gap_s(stamp, local))
    quarters = round(gap_s / QUARTER_S) * QUARTER_S
    return stamp.at is not None and quarters <= WIDEST_ZONES_S and abs(gap_s - quarters) <= SAME_TIME_S


def _told(claim: Claim, stamp: VisibleDate, local: datetime) -> Finding:
    return findings.suspicious(
        "GF130",
        claim,
        Sentence(
            "The picture shows {text:quoted} in its margin, that is {days:or}, and the file claims {local}.",
            text=stamp.text,
            days=stamp.days,
            local=local,
        ),
        kind="edit",
        severity=Severity.MEDIUM,
        observed=tuple(findings.entry(STAMP, str(line)) for line in claim.tags.get(STAMP, ())),
        facts={"difference_s": _gap_s(stamp, local), "readings": len(stamp.days)},
        innocent=(
            Sentence("a digit that was misread: look at the picture"),
            Sentence("writing at the edge that is no stamp of the camera, such as a caption, a poster or a screen"),
            Sentence("a wrong camera clock was corrected in the file, which leaves the picture as it was"),
        ),
        limitations=(Sentence("Stamp and file share the camera's clock: one of the two was changed, or is no stamp."),),
    )
