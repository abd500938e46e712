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
the device show. A GPS time that several photos share while their clocks moved on, the zero
of a clock, or a constant known of the maker is no time at all and accuses nobody. Of twelve
genuine files with GPS time nine were one whole day apart by a firmware fault: whole days are
excused for that model and where the GPS date is the local date, not elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from gtloc_forensics.checks import Context, check, circumstances, claim_of, not_testable, offsets
from gtloc_forensics.checks.circumstances import Circumstance, GpsFault
from gtloc_forensics.checks.offsets import Comparison
from gtloc_forensics.checks.reference import devices, factory
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Cause, CauseKind, Confidence, Finding, Outcome, Photo, Severity, durations

DAY_S = 86_400.0
ROLLOVER_S = 1024 * 7 * DAY_S  # the ten-bit week number of GPS starts again after 1,024 weeks
STALE_FIX_S = 6 * 3600.0
WHOLE_HOUR_S = 120.0  # nearer to whole hours than this, the age of a fix is rather a zone
LATER_WRITING_S = 300.0  # a GPS time this near to a change date is the hour of the program that wrote both
ZONES_S = 26 * 3600.0
FARTHEST_CLOCK_S = 7 * 86_400.0  # a single photo farther behind its GPS time has rather tags that were added later

# Model names (upper case) whose firmware writes a GPS date one day off. COOLPIX P6000: nine genuine files of nine.
DAY_BUG_MODELS = ("COOLPIX P6000",)

# Faults of the GPS tags: the camera's clock is not off by what they leave.
GPS_FAULTS = (
    "day-bug",
    "week-rollover",
    "gps-local-time",
    "stale-fix",
    "receiver",
    "receiver",
    "receiver",
    "stamped",
    "clock-or-gps",
)

INNOCENT_SHIFT = (
    "the camera keeps the time of another zone (home, on a journey)",
    "the camera's clock was set wrong",
    "the position, and with it the zone, is the one that is wrong",
    "the GPS time was added later by software with a wrong zone",
)


INNOCENT_EITHER = (
    "the receiver repeated an old fix",
    "the GPS tags were added later, from another recording or by a program",
    "the camera's clock was set wrong",
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a pattern reads the difference."""

    outcome: Outcome
    severity: Severity
    confidence: Confidence
    summary: str
    kind: str = ""
    innocent: tuple[str, ...] = ()


@check("GF101", title="The camera's clock against the GPS clock", needs=("claim",), version="2")
def clock_against_gps(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare local time and GPS time through every offset that could apply."""
    claim = claim_of(photo)
    compared = offsets.compare(claim)
    if isinstance(compared, str):
        yield not_testable("GF101", claim.source_id, compared)
        return
    others = circumstances.of(context, claim.source_id)
    verdict = next(found for pattern in PATTERNS if (found := pattern(compared, others)) is not None)
    yield _finding(compared, verdict)


# --------------------------------------------------------------------------- patterns, the first that fits speaks


def _standing_still(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Hear what the other photos say: a GPS time that does not move is no clock, even where it agrees by chance."""
    if others.gps_fault is GpsFault.CONSTANT_TIME:
        return _explained(
            f"{others.sharing} photos taken at different times bear the GPS time {compared.gps:%H:%M:%S}: "
            "a constant of a program or of firmware, no satellite time.",
            "receiver",
        )
    if others.gps_fault is GpsFault.CONSTANT_DATE:
        return Verdict(
            Outcome.SUSPICIOUS,
            Severity.LOW,
            Confidence.WEAK,
            f"{others.sharing} photos of different days bear one GPS date, {compared.gps:%Y-%m-%d}, while its time of "
            "day follows the clock: the GPS date stood still, or all were taken on that day.",
            "receiver",
            ("a receiver or a program that did not renew the date",),
        )
    if factory.is_gps_constant(compared.gps, compared.claim.device) and abs(compared.residual_s) > offsets.AGREE_S:
        return _explained(
            f"The GPS time {compared.gps:%H:%M:%S} is one that telephones of this maker write when they have none.",
            "receiver",
        )
    return None


def _agrees(compared: Comparison, others: Circumstance) -> Verdict | None:
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


def _slow_clock(compared: Comparison, others: Circumstance) -> Verdict | None:
    if compared.slip is None or abs(compared.residual_s) > offsets.SLOW_CLOCK_S:
        return None
    return _explained(
        f"The camera's clock is {_ahead(compared.residual_s)} the GPS clock: an ordinary drift.",
        "clock-drift",
        severity=Severity.INFO,
    )


def _no_time(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Tell a receiver that had no time: the zero of a clock, or a fix that it calls void itself."""
    if compared.dated and factory.is_gps_zero(compared.gps) and abs(compared.residual_s) > DAY_S:
        return _explained(
            f"The GPS date {compared.gps:%Y-%m-%d} is where a clock starts that nobody set: the receiver had no time.",
            "receiver",
        )
    if tag_values.text(compared.claim.tags, "GPS:GPSStatus").upper().startswith("V"):
        return _explained("The receiver calls its own fix void, so its time is no witness.", "stale-fix")
    return None


def _week_rollover(compared: Comparison, others: Circumstance) -> Verdict | None:
    rounds = round(compared.difference_s / ROLLOVER_S)
    if rounds == 0 or not compared.dated or abs(compared.after(rounds * ROLLOVER_S)) > offsets.SLOW_CLOCK_S:
        return None
    return _explained(
        f"The GPS date is {abs(rounds) * 1024:,} weeks off and the time of day agrees: "
        "the receiver's week number ran over.",
        "week-rollover",
    )


def _stamped(compared: Comparison, others: Circumstance) -> Verdict | None:
    if others.stamped == 0:
        return None
    return Verdict(
        Outcome.SUSPICIOUS,
        Severity.MEDIUM,
        Confidence.STRONG,
        f"{others.stamped} files bear one capture second, {compared.local}, but GPS times of their own: "
        "a program wrote the capture time, no clock did.",
        "stamped",
        ("a program that stamped the moment of an import or a conversion",),
    )


def _day_bug(compared: Comparison, others: Circumstance) -> Verdict | None:
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


def _factory_date(compared: Comparison, others: Circumstance) -> Verdict | None:
    if not factory.is_default(compared.local):
        return None
    return _explained(
        f"The camera's clock stands at a factory default ({compared.local:%Y-%m-%d}): it had been reset.",
        "clock-reset",
        severity=Severity.MEDIUM,
    )


def _local_time_in_gps(compared: Comparison, others: Circumstance) -> Verdict | None:
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
    return _shifted(compared, others, "it shows UTC")


def _summer_time(compared: Comparison, others: Circumstance) -> Verdict | None:
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


def _added_later(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Tell GPS tags that a program wrote long after the capture, with the hour of its own work."""
    if not compared.dated or compared.residual_s > -ZONES_S or devices.has_own_receiver(compared.claim):
        return None
    changes = [
        found.wall
        for tag in ("IFD0:ModifyDate", "XMP-xmp:ModifyDate", "XMP-xmp:MetadataDate")
        if (found := tag_values.full_date(tag_values.text(compared.claim.tags, tag))) is not None
    ]
    for change in changes:
        slip = offsets.nearest_civil(durations.gap_seconds(change, compared.gps))
        if slip is not None and abs(slip.residual_s) <= LATER_WRITING_S:
            return _explained(
                f"The GPS time {compared.gps} is that of the last change: the position was added then, and the GPS "
                "time says nothing of the capture.",
                "receiver",
            )
    return None


def _whole_days(compared: Comparison, others: Circumstance) -> Verdict | None:
    if not compared.legal and compared.stated_hours is None:
        return None  # any minute of the day would fit some zone
    days = round(compared.difference_s / DAY_S)
    days = min((days - 1, days, days + 1), key=lambda count: abs(compared.after(count * DAY_S)))
    if days == 0 or abs(compared.after(days * DAY_S)) > offsets.SLOW_CLOCK_S:
        return None
    return Verdict(
        Outcome.SUSPICIOUS,
        Severity.HIGH if abs(days) > 1 else Severity.MEDIUM,
        Confidence.STRONG,
        f"Camera date and GPS date are {durations.spoken(days * DAY_S)} apart while the time of day agrees: one of the "
        f"two dates is wrong{_likewise(others)}.",
        "clock-offset",
        ("the camera's date was set wrong", "a firmware fault in the GPS date"),
    )


def _zone_slip(compared: Comparison, others: Circumstance) -> Verdict | None:
    if compared.slip is None:
        return None
    slip = offsets.nearest_civil(compared.difference_s)
    if slip is None:
        return None
    # Broken offsets lie so close that a drifted clock, or a fix of some age, would always fit one of them.
    is_tight = devices.is_phone(compared.claim.device) or not slip.offset_hours.is_integer()
    if abs(slip.residual_s) > (offsets.AGREE_S if is_tight else offsets.SLOW_CLOCK_S):
        return None
    return _shifted(compared, others, f"it would fit {durations.civil_offset(slip.offset_hours)}")


def _stale_fix(compared: Comparison, others: Circumstance) -> Verdict | None:
    if others.gps_fault is GpsFault.OLD_FIX:
        shown = (
            "its position is that of another photo to the last digit"
            if others.is_position_repeated
            else f"in {others.agreeing} other photos of the device the two clocks agree"
        )
        return _explained(f"{_older(compared)}: an old fix, for {shown}.", "stale-fix")
    if others.steady > 1 or not 0.0 < compared.residual_s <= STALE_FIX_S:
        return None
    if abs(compared.residual_s - 3600.0 * round(compared.residual_s / 3600.0)) <= WHOLE_HOUR_S:
        return None
    return _explained(f"{_older(compared)}: the last fix, not a new one.", "stale-fix")


def _older(compared: Comparison) -> str:
    return f"The GPS time is {durations.spoken(compared.residual_s)} older than the photo"


def _steady(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Tell a clock: the same difference in photos taken at different times is no fix and no pasted tag."""
    if others.steady < 2:
        return None
    phone = devices.is_phone(compared.claim.device) and devices.has_own_receiver(compared.claim)
    return Verdict(
        Outcome.CONTRADICTION if phone and compared.dated else Outcome.SUSPICIOUS,
        Severity.HIGH if abs(compared.residual_s) >= 3 * 3600 else Severity.MEDIUM,
        Confidence.STRONG,
        f"The camera's clock is {_ahead(compared.residual_s)} the GPS clock{_likewise(others)}.",
        "clock-offset",
        ("the camera's clock was set wrong", "the GPS tags were added with a clock of their own"),
    )


def _disagree(compared: Comparison, others: Circumstance) -> Verdict:
    """Judge a difference that nothing explains; a fix cannot come from the future, but an old one is common."""
    receiver = devices.is_phone(compared.claim.device) and devices.has_own_receiver(compared.claim)
    is_round = compared.gps.minute == 0 and compared.gps.second == 0
    is_behind = -FARTHEST_CLOCK_S <= compared.residual_s < 0 and not is_round
    is_denied = receiver and compared.dated and compared.residual_s < 0 and not is_round
    order = "older" if compared.residual_s > 0 else "later"
    return Verdict(
        Outcome.CONTRADICTION if is_denied else Outcome.SUSPICIOUS,
        Severity.HIGH if abs(compared.residual_s) >= 3 * 3600 else Severity.MEDIUM,
        Confidence.STRONG if is_denied else Confidence.WEAK,
        f"The GPS time is {durations.spoken(compared.residual_s)} {order} than the capture time, in whatever zone: "
        "one of the two is not that of the photo.",
        "clock-offset" if is_behind else "clock-or-gps",
        (*(("a constant that a program or firmware wrote for a GPS time",) if is_round else ()), *INNOCENT_EITHER),
    )


def _likewise(others: Circumstance) -> str:
    return f", by the same length in {others.steady} photos of the device" if others.steady > 1 else ""


PATTERNS: tuple[Callable[[Comparison, Circumstance], Verdict | None], ...] = (
    _standing_still,
    _agrees,
    _slow_clock,
    _week_rollover,
    _no_time,
    _day_bug,
    _factory_date,
    _stamped,
    _local_time_in_gps,
    _added_later,
    _summer_time,
    _whole_days,
    _zone_slip,
    _stale_fix,
    _steady,
    _disagree,
)


# --------------------------------------------------------------------------- the finding


def _explained(summary: str, kind: str, *, severity: Severity = Severity.LOW) -> Verdict:
    return Verdict(Outcome.EXPLAINED, severity, Confidence.STRONG, summary, kind)


def _shifted(compared: Comparison, others: Circumstance, hint: str) -> Verdict:
    """Judge a difference that looks like another zone: nothing in the file supports the innocent reading."""
    against = "that the file states or the place allows" if compared.stated_hours is not None else "legal at the place"
    return Verdict(
        Outcome.SUSPICIOUS,
        Severity.HIGH if abs(compared.residual_s) >= 3 * 3600 else Severity.MEDIUM,
        Confidence.STRONG,
        f"The camera's clock is {_ahead(compared.residual_s)} GPS time in any offset {against}"
        f"{_likewise(others)}; {hint}.",
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
