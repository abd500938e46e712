"""GF101 — The camera's clock against the GPS clock.

Shows: that camera clock and satellite time, both in the file, tell the same instant once
an offset is applied that is stated in the file or legal at the claimed place. Where they
do not, it names the pattern: whole days, week rollover, zone, summer time, old fix, a GPS
time that stands still, one capture second stamped on many files.

Cannot show: which of the two is right, where one photo is all there is; that the GPS tags
belong to the picture (software adds them later); anything where the file carries no GPS time.

Blind spots: a forger who moves both clocks; a fault of whole hours where no place and no
offset is known, because some zone always fits; GPS time without its date is compared
modulo one day; an old fix looks like a capture time moved forward by the same length.

Threshold: 60 s is agreement (telephones keep 1–2 s, an unlearnt leap second 18 s). Up to
5 min is a clock nobody set (92–146 s on nine genuine files of one camera). A fix may be of
any age: up to 6 h, off whole hours, it is explained, later only by what the other photos of
the device show. What the clock model of the device sets aside, and what this rule explains as no time of
the capture, both of them hear. A GPS time that several photos share while their clocks moved on, the zero
of a clock, or a constant known of the maker is no time at all and accuses nobody; nor does
midnight to the second, which is a date, but where other photos of the device are off by the same length. Of twelve
genuine files with GPS time nine were one whole day apart by a firmware fault: whole days are
excused for that model and where the GPS date is the local date, not elsewhere. A GPS date without a time (78 of 718
genuine files) tells the day: one day apart is agreement, up to seven days earlier an old fix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gtloc_forensics.checks import (
    Context,
    check,
    circumstances,
    claim_of,
    clock_patterns,
    gps_dates,
    not_testable,
    offsets,
)
from gtloc_forensics.checks.offsets import Comparison
from gtloc_forensics.checks.receiver_patterns import Verdict
from gtloc_forensics.records import Absent, Cause, CauseKind, Finding, Outcome, Photo, Sentence, durations

# Faults of the GPS tags: the camera's clock is not off by what they leave.
GPS_FAULTS = (
    "day-bug",
    "week-rollover",
    "gps-local-time",
    "stale-fix",
    "receiver",
    "stamped",
    "clock-or-gps",
)

UNDATED = Sentence("The GPS date is missing: whole days cannot be compared.")
ROLLED_OVER = Sentence("The GPS date is 1,024 weeks off, a known fault of receivers: whole days cannot be compared.")


@check("GF101", title="The camera's clock against the GPS clock", needs=("claim",), version="8")
def clock_against_gps(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare local time and GPS time through every offset that could apply."""
    claim = claim_of(photo)
    compared = offsets.compare(claim)
    if isinstance(compared, str):
        yield gps_dates.judge(claim) or not_testable("GF101", claim.source_id, compared)
        return
    others = circumstances.of(context, claim.source_id)
    compared = replace(compared, examined_utc=context.now_utc)
    yield _finding(compared, clock_patterns.read(compared, others))


def _finding(compared: Comparison, verdict: Verdict) -> Finding:
    claim = compared.claim
    known = compared.slip is not None and verdict.kind not in GPS_FAULTS
    offset_hours = compared.residual_s / 3600.0 if known else None
    cause = Cause(CauseKind(verdict.kind), claim.device.key, offset_hours, verdict.summary) if verdict.kind else None
    return Finding(
        check_id="GF101",
        source_ids=(claim.source_id,),
        outcome=verdict.outcome,
        severity=verdict.severity,
        confidence=verdict.confidence,
        summary=verdict.summary,
        observed=(
            Sentence("Camera time {local} (local).", local=compared.local),
            Sentence("GPS time {gps} (UTC).", gps=compared.gps)
            if compared.dated or claim.gps_utc_time is Absent.ROLLED_OVER
            else Sentence("GPS time {clock} (UTC), without its date.", clock=f"{compared.gps:%H:%M:%S}"),
        ),
        derived=_derived(compared),
        inferred=tuple(_slips(compared)) if verdict.outcome in (Outcome.SUSPICIOUS, Outcome.CONTRADICTION) else (),
        limitations=() if compared.dated else (ROLLED_OVER if claim.gps_utc_time is Absent.ROLLED_OVER else UNDATED,),
        innocent=verdict.innocent,
        facts={
            "difference_hours": compared.difference_s / 3600.0,
            "residual_s": compared.residual_s,
            "offset_hours": None if compared.slip is None else compared.slip.offset_hours,
            "gps_dated": compared.dated,
        },
        cause=cause,
    )


def _slips(compared: Comparison) -> Iterator[Sentence]:
    """Say which slip of a hand that set the clock would account for the difference."""
    if abs(abs(compared.residual_s) - 12 * 3600.0) <= offsets.SLOW_CLOCK_S:
        yield Sentence("Twelve hours, as if a.m. and p.m. had been mixed up when the clock was set.")
    local = compared.local
    if local.day > 12 or local.day == local.month or compared.slip is None:
        return
    swapped = local.replace(month=local.day, day=local.month)
    residual_s = compared.residual_s + durations.gap_seconds(swapped, local)
    # Summer time may lie between the two dates.
    if min(abs(abs(residual_s) - hour) for hour in (0.0, 3600.0)) <= offsets.SLOW_CLOCK_S:
        yield Sentence("With day and month exchanged ({swapped:date}) the two clocks agree.", swapped=swapped)


def _derived(compared: Comparison) -> tuple[Sentence, ...]:
    sentences = [Sentence("Camera minus GPS: {difference_s:exact}.", difference_s=compared.difference_s)]
    if compared.stated_hours is not None:
        sentences.append(Sentence("The file states {offset_hours:civil}.", offset_hours=compared.stated_hours))
    if compared.legal:
        sentences.append(
            Sentence("Legal at the claimed place: {offsets_hours:civil or}.", offsets_hours=compared.legal)
        )
    return tuple(sentences)
