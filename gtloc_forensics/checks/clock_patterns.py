"""How the difference between a camera's clock and the GPS clock reads: the first pattern that fits speaks.

Patterns and bounds are those of GF101, which documents them.
"""

from __future__ import annotations

from collections.abc import Callable

from gtloc_forensics.checks import offsets, receiver_patterns
from gtloc_forensics.checks.circumstances import Circumstance
from gtloc_forensics.checks.offsets import Comparison
from gtloc_forensics.checks.receiver_patterns import Verdict, explained
from gtloc_forensics.checks.reference import devices, factory
from gtloc_forensics.records import Confidence, Outcome, Sentence, Severity

DAY_S = 86_400.0
FARTHEST_CLOCK_S = 7 * 86_400.0  # a single photo farther behind its GPS time has rather tags that were added later


WRONG_CLOCK = Sentence("the camera's clock was set wrong")
WRITTEN_CONSTANT = Sentence("a constant that a program or firmware wrote for a GPS time")
INNOCENT_SHIFT = (
    Sentence("the camera keeps the time of another zone (home, on a journey)"),
    WRONG_CLOCK,
    Sentence("the position, and with it the zone, is the one that is wrong"),
    Sentence("the GPS time was added later by software with a wrong zone"),
)
INNOCENT_EITHER = (
    Sentence("the receiver repeated an old fix"),
    Sentence("the GPS tags were added later, from another recording or by a program"),
    WRONG_CLOCK,
)


# --------------------------------------------------------------------------- patterns


def _agrees(compared: Comparison, others: Circumstance) -> Verdict | None:
    if compared.slip is None or abs(compared.residual_s) > offsets.AGREE_S:
        return None
    apart_s, offset_hours = compared.residual_s, compared.slip.offset_hours
    summary = (
        Sentence(
            "Camera clock and GPS clock agree to {apart_s:spoken} with {offset_hours:civil}.",
            apart_s=apart_s,
            offset_hours=offset_hours,
        )
        if compared.legal or compared.stated_hours is not None
        else Sentence(
            "Camera clock and GPS clock agree to {apart_s:spoken} with {offset_hours:civil} "
            "(no place known: any zone would do).",
            apart_s=apart_s,
            offset_hours=offset_hours,
        )
    )
    return Verdict(Outcome.CONSISTENT, Severity.INFO, Confidence.CONTEXT, summary)


def _slow_clock(compared: Comparison, others: Circumstance) -> Verdict | None:
    if compared.slip is None or abs(compared.residual_s) > offsets.SLOW_CLOCK_S:
        return None
    return explained(
        Sentence(
            "The camera's clock is {ahead_s:spoken} {ahead_s:±ahead of|behind} the GPS clock: an ordinary drift.",
            ahead_s=compared.residual_s,
        ),
        "clock-drift",
        severity=Severity.INFO,
    )


def _within_exposure(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Tell a fix that was stored when a long exposure ended."""
    exposure_s = offsets.exposure_s(compared.claim)
    if compared.slip is None or not 0.0 < -compared.residual_s <= exposure_s + offsets.AGREE_S:
        return None
    summary = Sentence(
        "The GPS time is {later_s:spoken} later than the capture time: the exposure took {exposure_s:spoken}.",
        later_s=-compared.residual_s,
        exposure_s=exposure_s,
    )
    return Verdict(Outcome.CONSISTENT, Severity.INFO, Confidence.CONTEXT, summary)


def _stamped(compared: Comparison, others: Circumstance) -> Verdict | None:
    if others.stamped == 0:
        return None
    return Verdict(
        Outcome.SUSPICIOUS,
        Severity.MEDIUM,
        Confidence.STRONG,
        Sentence(
            "{files} files bear one capture second, {local}, but GPS times of their own: "
            "a program wrote the capture time, no clock did.",
            files=others.stamped,
            local=compared.local,
        ),
        "stamped",
        (Sentence("a program that stamped the moment of an import or a conversion"),),
    )


def _factory_date(compared: Comparison, others: Circumstance) -> Verdict | None:
    if not factory.is_default(compared.local):
        return None
    return explained(
        Sentence(
            "The camera's clock stands at a factory default ({local:date}): it had been reset.", local=compared.local
        ),
        "clock-reset",
        severity=Severity.MEDIUM,
    )


def _local_time_in_gps(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Local time stands where UTC belongs: copied there by software, or a camera set to UTC."""
    if abs(compared.difference_s) > offsets.AGREE_S:
        return None
    if compared.stated_hours is None and not compared.dated:
        return explained(
            Sentence("The GPS tags hold a time without a date, and it is the local time: firmware that wrote no UTC."),
            "gps-local-time",
        )
    copied = abs(compared.difference_s) < 1.0 and not devices.is_phone(compared.claim.device)
    if copied:
        return explained(
            Sentence(
                "GPS time and camera time are the same to the second though the place is not on UTC: "
                "software that added the position wrote local time there."
            ),
            "gps-local-time",
        )
    if abs(compared.difference_s) < 1.0 and others.steady > 1:
        return _copied_or_on_utc(compared, others)
    return _shifted(compared, others, Sentence("it shows UTC"))


def _copied_or_on_utc(compared: Comparison, others: Circumstance) -> Verdict:
    """Judge GPS times that repeat the camera's own to the second: they were copied from it, or it ran on UTC."""
    return Verdict(
        Outcome.SUSPICIOUS,
        Severity.MEDIUM,
        Confidence.WEAK,
        Sentence(
            "GPS time and camera time are the same to the second in {photos} photos of the device though the place is "
            "not on UTC: the one was copied from the other, or the clock ran on UTC.",
            photos=others.steady,
        ),
        "clock-or-gps",
        (Sentence("software that added the position wrote local time for the GPS time"), *INNOCENT_SHIFT),
    )


def _summer_time(compared: Comparison, others: Circumstance) -> Verdict | None:
    in_year = offsets.legal_in_year(compared.claim)
    if not in_year:
        return None
    slip = offsets.closest(compared.difference_s, in_year)
    if abs(slip.residual_s) > offsets.SLOW_CLOCK_S or devices.is_phone(compared.claim.device):
        return None
    return explained(
        Sentence(
            "The camera's clock keeps {offset_hours:civil}, legal at the place at another time of the year: "
            "summer time was not switched.",
            offset_hours=slip.offset_hours,
        ),
        "dst",
        severity=Severity.LOW,
    )


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
        _of_whole_days(days * DAY_S, others),
        "clock-offset",
        (Sentence("the camera's date was set wrong"), Sentence("a firmware fault in the GPS date")),
    )


def _days_of_a_clock(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Tell whole days that several photos share: a clock that started anew is off by no whole days."""
    return _whole_days(compared, others) if others.steady > 1 else None


def _of_whole_days(apart_s: float, others: Circumstance) -> Sentence:
    if others.steady > 1:
        return Sentence(
            "Camera date and GPS date are {apart_s:spoken} apart while the time of day agrees: one of the two dates "
            "is wrong, by the same length in {photos} photos of the device.",
            apart_s=apart_s,
            photos=others.steady,
        )
    return Sentence(
        "Camera date and GPS date are {apart_s:spoken} apart while the time of day agrees: "
        "one of the two dates is wrong.",
        apart_s=apart_s,
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
    hint = Sentence("it would fit {offset_hours:civil}", offset_hours=slip.offset_hours)
    return _shifted(compared, others, hint)


def _gaining(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Tell a clock whose lead over GPS time has grown or fallen at one rate."""
    if others.gaining == 0:
        return None
    return explained(
        Sentence(
            "The camera's clock is {ahead_s:spoken} {ahead_s:±ahead of|behind} the GPS clock: "
            "it {ahead_s:±gained|lost} at one rate over {photos} photos of the device.",
            ahead_s=compared.residual_s,
            photos=others.gaining,
        ),
        "clock-drift",
    )


def _steady(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Tell a clock: the same difference in photos taken at different times is no fix and no pasted tag."""
    if others.steady < 2:
        return None
    phone = devices.is_phone(compared.claim.device) and devices.has_own_receiver(compared.claim)
    return Verdict(
        Outcome.CONTRADICTION if phone and compared.dated else Outcome.SUSPICIOUS,
        Severity.HIGH if abs(compared.residual_s) >= 3 * 3600 else Severity.MEDIUM,
        Confidence.STRONG,
        Sentence(
            "The camera's clock is {ahead_s:spoken} {ahead_s:±ahead of|behind} the GPS clock, "
            "by the same length in {photos} photos of the device.",
            ahead_s=compared.residual_s,
            photos=others.steady,
        ),
        "clock-offset",
        (WRONG_CLOCK, Sentence("the GPS tags were added with a clock of their own")),
    )


def _disagree(compared: Comparison, others: Circumstance) -> Verdict:
    """Judge a difference that nothing explains; a fix cannot come from the future, but an old one is common."""
    receiver = devices.is_phone(compared.claim.device) and devices.has_own_receiver(compared.claim)
    is_round = compared.gps.minute == 0 and compared.gps.second == 0
    is_behind = -FARTHEST_CLOCK_S <= compared.residual_s < 0 and not is_round
    is_denied = receiver and compared.dated and compared.residual_s < 0 and not is_round
    return Verdict(
        Outcome.CONTRADICTION if is_denied else Outcome.SUSPICIOUS,
        Severity.HIGH if abs(compared.residual_s) >= 3 * 3600 else Severity.MEDIUM,
        Confidence.STRONG if is_denied else Confidence.WEAK,
        Sentence(
            "The GPS time is {older_s:spoken} {older_s:±older|later} than the capture time, in whatever zone: "
            "one of the two is not that of the photo.",
            older_s=compared.residual_s,
        ),
        "clock-offset" if is_behind else "clock-or-gps",
        ((WRITTEN_CONSTANT, *INNOCENT_EITHER) if is_round else INNOCENT_EITHER),
    )


PATTERNS: tuple[Callable[[Comparison, Circumstance], Verdict | None], ...] = (
    receiver_patterns.standing_still,
    receiver_patterns.before_device,
    _agrees,
    _stamped,
    _slow_clock,
    _within_exposure,
    receiver_patterns.week_rollover,
    receiver_patterns.no_time,
    receiver_patterns.day_bug,
    _days_of_a_clock,
    _factory_date,
    receiver_patterns.repeated_fix,
    _local_time_in_gps,
    receiver_patterns.added_later,
    _summer_time,
    _whole_days,
    _zone_slip,
    _gaining,
    receiver_patterns.stale_fix,
    _steady,
    _disagree,
)


def read(compared: Comparison, others: Circumstance) -> Verdict:
    """Return how the difference of the two clocks of one photo reads, as GF101 tells it."""
    return next(found for pattern in PATTERNS if (found := pattern(compared, others)) is not None)


def _shifted(compared: Comparison, others: Circumstance, hint: Sentence) -> Verdict:
    """Judge a difference that looks like another zone: nothing in the file supports the innocent reading."""
    return Verdict(
        Outcome.SUSPICIOUS,
        Severity.HIGH if abs(compared.residual_s) >= 3 * 3600 else Severity.MEDIUM,
        Confidence.STRONG,
        _of_another_zone(compared, others, hint),
        "clock-offset",
        INNOCENT_SHIFT,
    )


def _of_another_zone(compared: Comparison, others: Circumstance, hint: Sentence) -> Sentence:
    ahead_s, photos, stated = compared.residual_s, others.steady, compared.stated_hours is not None
    if stated and photos > 1:
        return Sentence(
            "The camera's clock is {ahead_s:spoken} {ahead_s:±ahead of|behind} GPS time in any offset that the file "
            "states or the place allows, by the same length in {photos} photos of the device; {hint}.",
            ahead_s=ahead_s,
            photos=photos,
            hint=hint,
        )
    if stated:
        return Sentence(
            "The camera's clock is {ahead_s:spoken} {ahead_s:±ahead of|behind} GPS time in any offset that the file "
            "states or the place allows; {hint}.",
            ahead_s=ahead_s,
            hint=hint,
        )
    if photos > 1:
        return Sentence(
            "The camera's clock is {ahead_s:spoken} {ahead_s:±ahead of|behind} GPS time in any offset legal at the "
            "place, by the same length in {photos} photos of the device; {hint}.",
            ahead_s=ahead_s,
            photos=photos,
            hint=hint,
        )
    return Sentence(
        "The camera's clock is {ahead_s:spoken} {ahead_s:±ahead of|behind} GPS time in any offset legal at the "
        "place; {hint}.",
        ahead_s=ahead_s,
        hint=hint,
    )
