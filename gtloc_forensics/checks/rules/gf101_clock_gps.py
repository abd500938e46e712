"""GF101 — The camera's clock against the GPS clock.

Shows: that camera clock and satellite time, both in the file, tell the same instant once
an offset is applied that is stated in the file or legal at the claimed place. Where they
do not, it names the pattern: whole days, week rollover, zone, summer time, stale fix.

Cannot show: which of the two is right; that the GPS tags belong to the picture (software
adds them later); anything where the file carries no GPS time.

Blind spots: a forger who moves both clocks; a fault of whole hours where no place and no
offset is known, because some zone always fits; GPS time without its date is compared
modulo one day.

Threshold: 60 s is agreement (telephones keep 1–2 s, an unlearnt leap second 18 s). Up to
5 min is a clock nobody set (92–146 s on nine genuine files of one camera). A receiver may
repeat its last fix for hours, so GPS up to 6 h *behind*, off the grid of zones, is explained.
Of twelve genuine files with GPS time nine were one whole day apart by a firmware fault: whole
days are excused for that model and where the GPS date is the local date, not elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from gtloc_forensics.checks import Context, check, claim_of, not_testable, offsets
from gtloc_forensics.checks.reference import devices, factory
from gtloc_forensics.records import (
    Absent,
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

DAY_S = 86_400.0
ROLLOVER_S = 1024 * 7 * DAY_S  # the ten-bit week number of GPS starts again after 1,024 weeks
STALE_FIX_S = 6 * 3600.0

# Model names (upper case) whose firmware writes a GPS date one day off. COOLPIX P6000: nine genuine files of nine.
DAY_BUG_MODELS = ("COOLPIX P6000",)

# Faults of the GPS tags: the camera's clock is not off by what they leave.
GPS_FAULTS = ("day-bug", "week-rollover", "gps-local-time", "stale-fix")

INNOCENT_SHIFT = (
    "the camera keeps the time of another zone (home, on a journey)",
    "the camera's clock was set wrong",
    "the position, and with it the zone, is the one that is wrong",
    "the GPS time was added later by software with a wrong zone",
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two clocks of one file; ``residual_s`` is camera minus GPS after the offset that fits best."""

    claim: Claim
    local: datetime
    gps: datetime
    dated: bool
    stated_hours: float | None
    legal: tuple[float, ...]
    slip: offsets.Slip | None

    @property
    def difference_s(self) -> float:
        """The local wall clock minus GPS time."""
        return durations.gap_seconds(self.local, self.gps)

    @property
    def residual_s(self) -> float:
        """What remains after the best offset; the plain difference when no offset is known."""
        return self.difference_s if self.slip is None else self.slip.residual_s


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a pattern reads the difference."""

    outcome: Outcome
    severity: Severity
    confidence: Confidence
    summary: str
    kind: str = ""
    innocent: tuple[str, ...] = ()


@check("GF101", title="The camera's clock against the GPS clock", needs=("claim",))
def clock_against_gps(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare local time and GPS time through every offset that could apply."""
    claim = claim_of(photo)
    compared = compare(claim)
    if isinstance(compared, str):
        yield not_testable("GF101", claim.source_id, compared)
        return
    verdict = next(found for pattern in PATTERNS if (found := pattern(compared)) is not None)
    yield _finding(compared, verdict)


def compare(claim: Claim) -> Comparison | str:
    """Put the two clocks side by side; a string says why that cannot be done."""
    if not isinstance(claim.local_time, Stated):
        return f"no camera time, {claim.local_time.value}"
    gps = offsets.gps_instant(claim)
    if gps is None:
        why = claim.gps_utc_time.value if isinstance(claim.gps_utc_time, Absent) else ""
        return f"no GPS time, {why}"
    stated = offsets.stated(claim)
    hours = None if stated is None else stated.value
    legal = offsets.legal(claim)
    candidates = legal if hours is None else (hours, *legal)
    local = claim.local_time.value
    difference_s = durations.gap_seconds(local, gps[0])
    slip = offsets.closest(difference_s, candidates) if candidates else offsets.nearest_civil(difference_s)
    return Comparison(claim, local, gps[0], gps[1], hours, legal, slip)


# --------------------------------------------------------------------------- patterns, the first that fits speaks


def _agrees(compared: Comparison) -> Verdict | None:
    if compared.slip is None or abs(compared.residual_s) > offsets.AGREE_S:
        return None
    by = "" if compared.legal or compared.stated_hours is not None else " (no place known: any zone would do)"
    offset = durations.civil_offset(compared.slip.offset_hours)
    return Verdict(
        Outcome.CONSISTENT,
        Severity.INFO,
        Confidence.CONTEXT,
        f"Camera clock and GPS clock agree to {durations.spoken(compared.residual_s)} with {offset}{by}.",
    )


def _slow_clock(compared: Comparison) -> Verdict | None:
    if compared.slip is None or abs(compared.residual_s) > offsets.SLOW_CLOCK_S:
        return None
    return _explained(
        f"The camera's clock is {_ahead(compared.residual_s)} the GPS clock: an ordinary drift.",
        "clock-drift",
        severity=Severity.INFO,
    )


def _week_rollover(compared: Comparison) -> Verdict | None:
    rounds = round(compared.residual_s / ROLLOVER_S)
    if rounds == 0 or abs(compared.residual_s - rounds * ROLLOVER_S) > offsets.SLOW_CLOCK_S:
        return None
    return _explained(
        f"The GPS date is exactly {abs(rounds) * 1024:,} weeks off and the time of day agrees: "
        "the receiver's week number ran over.",
        "week-rollover",
    )


def _day_bug(compared: Comparison) -> Verdict | None:
    if abs(abs(compared.residual_s) - DAY_S) > offsets.SLOW_CLOCK_S:
        return None
    model = compared.claim.device.model
    if isinstance(model, str) and model.strip().upper() in DAY_BUG_MODELS:
        return _explained(
            "The GPS date is one whole day off and the time of day agrees: a known firmware fault of this model.",
            "day-bug",
        )
    if compared.gps.date() == compared.local.date():
        return _explained(
            "The GPS date is the local date although the day in UTC was another, and the time of day agrees.", "day-bug"
        )
    return None


def _factory_date(compared: Comparison) -> Verdict | None:
    if not factory.is_default(compared.local):
        return None
    return _explained(
        f"The camera's clock stands at a factory default ({compared.local:%Y-%m-%d}): it had been reset.",
        "clock-reset",
        severity=Severity.MEDIUM,
    )


def _local_time_in_gps(compared: Comparison) -> Verdict | None:
    """Local time stands where UTC belongs: copied there by software, or a camera set to UTC."""
    if abs(compared.difference_s) > offsets.AGREE_S:
        return None
    if compared.stated_hours is None and not compared.dated:
        return _explained(
            "The GPS tags hold a time without a date, and it is the local time: firmware that wrote no UTC.",
            "gps-local-time",
        )
    copied = abs(compared.difference_s) < 1.0 and not devices.is_phone(compared.claim.device)
    if copied:
        return _explained(
            "GPS time and camera time are the same to the second though the place is not on UTC: "
            "software that added the position wrote local time there.",
            "gps-local-time",
        )
    return _shifted(compared, "it shows UTC")


def _summer_time(compared: Comparison) -> Verdict | None:
    in_year = offsets.legal_in_year(compared.claim)
    if not in_year:
        return None
    slip = offsets.closest(compared.difference_s, in_year)
    if abs(slip.residual_s) > offsets.SLOW_CLOCK_S or devices.is_phone(compared.claim.device):
        return None
    return _explained(
        f"The camera's clock keeps {durations.civil_offset(slip.offset_hours)}, legal at the place at another time "
        "of the year: summer time was not switched.",
        "dst",
        severity=Severity.LOW,
    )


def _whole_days(compared: Comparison) -> Verdict | None:
    days = round(compared.residual_s / DAY_S)
    if days == 0 or abs(compared.residual_s - days * DAY_S) > offsets.SLOW_CLOCK_S:
        return None
    return Verdict(
        Outcome.SUSPICIOUS,
        Severity.HIGH if abs(days) > 1 else Severity.MEDIUM,
        Confidence.STRONG,
        f"The camera's date is {_ahead(days * DAY_S)} the GPS date while the time of day agrees.",
        "clock-offset",
        ("the camera's date was set wrong", "a firmware fault in the GPS date"),
    )


def _zone_slip(compared: Comparison) -> Verdict | None:
    if compared.slip is None:
        return None
    slip = offsets.nearest_civil(compared.difference_s)
    tight = offsets.AGREE_S if devices.is_phone(compared.claim.device) else offsets.SLOW_CLOCK_S
    if slip is None or abs(slip.residual_s) > tight:
        return None
    return _shifted(compared, f"it would fit {durations.civil_offset(slip.offset_hours)}")


def _stale_fix(compared: Comparison) -> Verdict | None:
    if not 0.0 < compared.residual_s <= STALE_FIX_S:
        return None
    return _explained(
        f"The GPS time is {durations.spoken(compared.residual_s)} older than the photo: the last fix, not a new one.",
        "stale-fix",
        severity=Severity.LOW,
    )


def _disagree(compared: Comparison) -> Verdict:
    phone = devices.is_phone(compared.claim.device) and devices.has_own_receiver(compared.claim)
    return Verdict(
        Outcome.CONTRADICTION if phone and compared.dated else Outcome.SUSPICIOUS,
        Severity.HIGH if abs(compared.residual_s) >= 3 * 3600 else Severity.MEDIUM,
        Confidence.STRONG,
        f"The camera's clock is {_ahead(compared.residual_s)} the GPS clock, and no zone, summer time or known fault "
        "accounts for it.",
        "clock-offset",
        ("the camera's clock was set wrong", "the GPS tags were added from another recording"),
    )


PATTERNS: tuple[Callable[[Comparison], Verdict | None], ...] = (
    _agrees,
    _slow_clock,
    _week_rollover,
    _day_bug,
    _factory_date,
    _local_time_in_gps,
    _summer_time,
    _whole_days,
    _zone_slip,
    _stale_fix,
    _disagree,
)


# --------------------------------------------------------------------------- the finding


def _explained(summary: str, kind: str, *, severity: Severity = Severity.LOW) -> Verdict:
    return Verdict(Outcome.EXPLAINED, severity, Confidence.STRONG, summary, kind)


def _shifted(compared: Comparison, hint: str) -> Verdict:
    """Judge a difference that looks like another zone: nothing in the file supports the innocent reading."""
    against = "that the file states or the place allows" if compared.stated_hours is not None else "legal at the place"
    return Verdict(
        Outcome.SUSPICIOUS,
        Severity.HIGH if abs(compared.residual_s) >= 3 * 3600 else Severity.MEDIUM,
        Confidence.STRONG,
        f"The camera's clock is {_ahead(compared.residual_s)} GPS time in any offset {against}; {hint}.",
        "clock-offset",
        INNOCENT_SHIFT,
    )


def _ahead(seconds: float) -> str:
    return f"{durations.spoken(seconds)} {'ahead of' if seconds > 0 else 'behind'}"


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
        observed=(f"Camera time {compared.local} (local).", f"GPS time {compared.gps} (UTC)."),
        derived=_derived(compared),
        inferred=tuple(_slips(compared)) if verdict.outcome in (Outcome.SUSPICIOUS, Outcome.CONTRADICTION) else (),
        limitations=() if compared.dated else ("The GPS date is missing: whole days cannot be compared.",),
        innocent=verdict.innocent,
        facts={
            "difference_hours": compared.difference_s / 3600.0,
            "residual_s": compared.residual_s,
            "offset_hours": None if compared.slip is None else compared.slip.offset_hours,
            "gps_dated": compared.dated,
        },
        cause=cause,
    )


def _slips(compared: Comparison) -> Iterator[str]:
    """Say which slip of a hand that set the clock would account for the difference."""
    if abs(abs(compared.residual_s) - 12 * 3600.0) <= offsets.SLOW_CLOCK_S:
        yield "Twelve hours: a.m. and p.m. were mixed up when the clock was set."
    local = compared.local
    if local.day > 12 or local.day == local.month or compared.slip is None:
        return
    swapped = local.replace(month=local.day, day=local.month)
    residual_s = compared.residual_s + durations.gap_seconds(swapped, local)
    # Summer time may lie between the two dates.
    if min(abs(abs(residual_s) - hour) for hour in (0.0, 3600.0)) <= offsets.SLOW_CLOCK_S:
        yield f"With day and month exchanged ({swapped:%Y-%m-%d}) the two clocks agree."


def _derived(compared: Comparison) -> tuple[str, ...]:
    sentences = [f"Camera minus GPS: {timedelta(seconds=round(compared.difference_s))!s} (days, hours)."]
    if compared.stated_hours is not None:
        sentences.append(f"The file states {durations.civil_offset(compared.stated_hours)}.")
    if compared.legal:
        sentences.append(f"Legal at the claimed place: {durations.civil_offsets(compared.legal)}.")
    return tuple(sentences)
