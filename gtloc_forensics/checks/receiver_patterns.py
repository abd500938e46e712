"""Differences of the two clocks that lie in the GPS tags: a receiver without time, an old fix, a program.

Patterns and bounds are those of GF101, which documents them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from gtloc_forensics.checks import offsets
from gtloc_forensics.checks.circumstances import Circumstance, GpsFault
from gtloc_forensics.checks.offsets import Comparison
from gtloc_forensics.checks.reference import devices, factory, releases
from gtloc_forensics.evidence.clocks import receiver
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Confidence, Outcome, Sentence, Severity, durations

DAY_S = 86_400.0
ROLLOVER_S = 1024 * 7 * DAY_S  # the ten-bit week number of GPS starts again after 1,024 weeks
STALE_FIX_S = 6 * 3600.0
WHOLE_HOUR_S = 120.0  # nearer to whole hours than this, the age of a fix is rather a zone
LATER_WRITING_S = 300.0  # a GPS time this near to a change date is the hour of the program that wrote both
OLDEST_REPEATED_S = 72 * 3600.0  # farther apart, a copy that was given another date looks the same
ZONES_S = 26 * 3600.0

# Model names (upper case) whose firmware writes a GPS date one day off. COOLPIX P6000: nine genuine files of nine.
DAY_BUG_MODELS = ("COOLPIX P6000",)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a pattern reads the difference."""

    outcome: Outcome
    severity: Severity
    confidence: Confidence
    summary: Sentence
    kind: str = ""
    innocent: tuple[Sentence, ...] = ()


def explained(summary: Sentence, kind: str, *, severity: Severity = Severity.LOW) -> Verdict:
    """Return that an innocent cause of that kind accounts for the difference."""
    return Verdict(Outcome.EXPLAINED, severity, Confidence.STRONG, summary, kind)


def standing_still(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Hear what the other photos say: a GPS time that does not move is no clock, even where it agrees by chance."""
    if others.gps_fault is GpsFault.CONSTANT_TIME:
        return explained(
            Sentence(
                "{photos} photos taken at different times bear the GPS time {gps:clock}: "
                "a constant of a program or of firmware, no satellite time.",
                photos=others.sharing,
                gps=compared.gps,
            ),
            "receiver",
        )
    if others.gps_fault is GpsFault.CONSTANT_DATE:
        return Verdict(
            Outcome.SUSPICIOUS,
            Severity.LOW,
            Confidence.WEAK,
            _one_date(compared, others),
            "receiver",
            (Sentence("a receiver or a program that did not renew the date"),),
        )
    if factory.is_gps_constant(compared.gps, compared.claim.device) and abs(compared.residual_s) > offsets.AGREE_S:
        return explained(
            Sentence(
                "The GPS time {gps:clock} is one that telephones of this maker write when they have none.",
                gps=compared.gps,
            ),
            "receiver",
        )
    return None


def before_device(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Tell two clocks that agree on a day before their device was shown: the one was set by the other, or by a hand."""
    model = releases.of_model(compared.claim.device)
    if model is None or not compared.dated or abs(compared.residual_s) > offsets.SLOW_CLOCK_S:
        return None
    if max(compared.local, compared.gps) >= model.first_shown - releases.PRESS_SAMPLES:
        return None
    later = compared.local + timedelta(seconds=ROLLOVER_S)
    is_past = compared.examined_utc is None or later <= compared.examined_utc + timedelta(days=1)
    if later >= model.first_shown - releases.PRESS_SAMPLES and is_past:
        return explained(
            Sentence(
                "Camera clock and GPS clock agree on a day before {model} was announced; 1,024 weeks on it is "
                "{later:date}: the receiver's week number ran over, and the clock was set by it.",
                model=model.name,
                later=later,
            ),
            "receiver",
        )
    return explained(
        Sentence(
            "Camera clock and GPS clock agree on a day before {model} was announced: "
            "the one was set by the other, or both were written, and neither is a witness of that day.",
            model=model.name,
        ),
        "receiver",
    )


def _one_date(compared: Comparison, others: Circumstance) -> Sentence:
    if offsets.from_whole_days_s(compared.residual_s) <= offsets.SLOW_CLOCK_S:
        return Sentence(
            "{photos} photos of different days bear one GPS date, {gps:date}, while its time of "
            "day follows the clock: the GPS date stood still, or all were taken on that day.",
            photos=others.sharing,
            gps=compared.gps,
        )
    return Sentence(
        "{photos} photos of different days bear one GPS date, {gps:date}: "
        "it stood still, or all were taken on that day.",
        photos=others.sharing,
        gps=compared.gps,
    )


def no_time(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Tell a receiver that had no time: the zero of a clock, or a fix that it calls void itself."""
    if compared.dated and factory.is_gps_zero(compared.gps) and abs(compared.residual_s) > DAY_S:
        return explained(
            Sentence(
                "The GPS date {gps:date} is where a clock starts that nobody set: the receiver had no time.",
                gps=compared.gps,
            ),
            "receiver",
        )
    # A clock that is off by one length in several photos shows midnight like any other hour.
    if others.steady < 2 and receiver.is_bare_date(compared.gps, compared.residual_s / 3600.0):
        return explained(
            Sentence("The GPS time is midnight to the second, as where only the date was known: no satellite time."),
            "receiver",
        )
    if tag_values.text(compared.claim.tags, "GPS:GPSStatus").upper().startswith("V"):
        return explained(Sentence("The receiver calls its own fix void, so its time is no witness."), "stale-fix")
    return None


def week_rollover(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Tell a date that is whole rounds of 1,024 weeks off."""
    rounds = round(compared.difference_s / ROLLOVER_S)
    if rounds == 0 or not compared.dated or abs(compared.after(rounds * ROLLOVER_S)) > offsets.SLOW_CLOCK_S:
        return None
    return explained(
        Sentence(
            "The GPS date is {weeks} weeks off and the time of day agrees: the receiver's week number ran over.",
            weeks=abs(rounds) * 1024,
        ),
        "week-rollover",
    )


def day_bug(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Tell a GPS date that is one day off, by a known fault or because it is the local date."""
    if abs(abs(compared.residual_s) - DAY_S) > offsets.SLOW_CLOCK_S:
        return None
    model = compared.claim.device.model
    if isinstance(model, str) and model.strip().upper() in DAY_BUG_MODELS:
        return explained(
            Sentence(
                "The GPS date is one whole day off and the time of day agrees: a known firmware fault of this model."
            ),
            "day-bug",
        )
    if compared.gps.date() == compared.local.date():
        return explained(
            Sentence("The GPS date is the local date although the day in UTC was another, and the time of day agrees."),
            "day-bug",
        )
    return None


def added_later(compared: Comparison, others: Circumstance) -> Verdict | None:
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
            return explained(
                Sentence(
                    "The GPS time {gps} is that of the last change: the position was added then, "
                    "and the GPS time says nothing of the capture.",
                    gps=compared.gps,
                ),
                "receiver",
            )
    return None


def repeated_fix(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Tell a GPS time that another photo of the device bears as well, which was taken nearer to it."""
    if others.gps_fault is GpsFault.REPEATED and abs(compared.residual_s) <= OLDEST_REPEATED_S:
        return explained(
            Sentence(
                "The GPS time is {age_s:spoken} older than the photo, and that of another photo of the device to the "
                "second: the last fix, not a new one.",
                age_s=compared.residual_s,
            ),
            "stale-fix",
        )
    return None


def stale_fix(compared: Comparison, others: Circumstance) -> Verdict | None:
    """Tell a GPS time that is of an earlier fix."""
    age_s = compared.residual_s
    if others.gps_fault is GpsFault.OLD_FIX:
        return explained(_old_fix(age_s, others), "stale-fix")
    if others.steady > 1 or not 0.0 < compared.residual_s <= STALE_FIX_S:
        return None
    if abs(compared.residual_s - 3600.0 * round(compared.residual_s / 3600.0)) <= WHOLE_HOUR_S:
        return None
    return explained(
        Sentence("The GPS time is {age_s:spoken} older than the photo: the last fix, not a new one.", age_s=age_s),
        "stale-fix",
    )


def _old_fix(age_s: float, others: Circumstance) -> Sentence:
    if others.is_position_repeated:
        return Sentence(
            "The GPS time is {age_s:spoken} older than the photo: an old fix, "
            "for its position is that of another photo to the last digit.",
            age_s=age_s,
        )
    return Sentence(
        "The GPS time is {age_s:spoken} older than the photo: an old fix, "
        "for in {photos} other photos of the device the two clocks agree.",
        age_s=age_s,
        photos=others.agreeing,
    )
