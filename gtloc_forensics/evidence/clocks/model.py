"""One clock model per camera: the simplest that explains all its photos' evidence together.

The GPS clock, written offsets, the light of the exposures and the hours the model sees
are weighed as one posterior over the offset, with a stated prior
(:mod:`~gtloc_forensics.evidence.clocks.prior`). A drift, a step, a restart or swapped dates
are read off the GPS clock where it is there. Where the evidence does not decide, the
model says *undetermined*. Offsets are claimed minus true civil time: positive is ahead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gtloc_forensics.evidence import exposure
from gtloc_forensics.evidence.clocks import prior
from gtloc_forensics.evidence.clocks import steps as clock_steps
from gtloc_forensics.evidence.clocks import witnesses as clock_witnesses
from gtloc_forensics.evidence.clocks.causes import group_causes
from gtloc_forensics.evidence.clocks.prior import Arc, Floats, Posterior
from gtloc_forensics.evidence.clocks.witnesses import GpsResiduals, Level
from gtloc_forensics.evidence.exposure import LightModel
from gtloc_forensics.evidence.exposure import clock_offsets as light_offsets
from gtloc_forensics.evidence.exposure.clock_offsets import OFFSETS_HOURS
from gtloc_forensics.records import ClockModel, DeviceGroup, PhotoSummary, durations

__all__ = ["fit", "group_causes"]

# Below this the data say next to nothing and the prior alone would speak.
WIDEST_HOURS = 8.0
# A camera is said to be wrong only when the offsets it could be right with have become this unlikely.
WRONG_FROM = 0.9
RIGHT_FROM = 0.8
# So unlikely a right clock is wrong however wide the rest lies: daylight at a claimed midnight leaves all the day open.
SHUT_OUT_BELOW = 1e-3
# Light this much (natural log) for a right clock against the GPS clock's offset speaks of a wrong place.
SPLIT_LOG = 4.0
FARTHEST_HOURS = 14.0  # what zones and half days explain; beyond it the date itself is off
# Counts belong to one body and only rise; what is left are edited dates. A judgement, not a frequency.
COUNTER_STEP = 0.9
# 9 of 12 genuine files with GPS time were a day apart, all of one model (field.md §0.5).
DAY_AHEAD_MODEL = "coolpix p6000"
# GPS dates that must agree before the date itself is doubted: single ones are stale or a day off by firmware.
FEWEST_DATES = 3


@dataclass(frozen=True, slots=True)
class _Evidence:
    """All witnesses of one camera, as one log likelihood ``[K]`` and in sentences."""

    log_likelihood: Floats
    sentences: tuple[str, ...]
    gps: GpsResiduals | None
    level: Level | None  # of the GPS residuals that most photos share
    is_split: bool  # light and the GPS clock contradict each other


def fit(group: DeviceGroup, *, light_model: LightModel | None = None) -> ClockModel:
    """Return how the clock of one camera ran.

    Args:
        group: all photos of one device.
        light_model: p(EV100 | sun elevation); by default the one that comes with the program.
    """
    model = exposure.load() if light_model is None else light_model
    evidence = _evidence(group, model)
    special = next(_special(group, evidence), None)
    if special is not None:
        return special
    step = clock_steps.step_of(group) if evidence.gps is None else None
    if step is not None:
        return _set_back(_constant(group, evidence), step, model)
    return _constant(group, evidence)


# --------------------------------------------------------------------------- witnesses together


def _evidence(group: DeviceGroup, model: LightModel) -> _Evidence:
    total = np.zeros(len(OFFSETS_HOURS))
    sentences: list[str] = []
    gps = clock_witnesses.gps_residuals(group)
    level = _shared_level(gps)
    by_light = _of_light(group, model)
    for found, sentence in (_of_gps(group, gps, level), _of_zone(group), by_light, _of_hours(group)):
        total = total + found
        sentences += [sentence] if sentence else []
    is_split = level is not None and _contradicts(level, by_light[0])
    if is_split:
        sentences.append(
            "Light and the GPS clock contradict each other: the claimed place may be wrong, not the clock."
        )
    return _Evidence(total, tuple(sentences), gps, level, is_split)


def _contradicts(level: Level, light_log_likelihood: Floats) -> bool:
    """Whether light finds the clock right where the GPS clock finds it hours off, as under a wrong position."""
    at_level = np.abs(OFFSETS_HOURS - level.hours) <= 0.5
    at_zero = np.abs(OFFSETS_HOURS) <= 0.5
    if abs(level.hours) < 1.5 or not at_level.any():
        return False
    return float(light_log_likelihood[at_zero].max() - light_log_likelihood[at_level].max()) > SPLIT_LOG


def _shared_level(gps: GpsResiduals | None) -> Level | None:
    if gps is None:
        return None
    level = clock_witnesses.levels(gps.hours)[0]
    return level if len(level.members) >= clock_witnesses.SHARED * len(gps) else None


def _of_gps(group: DeviceGroup, gps: GpsResiduals | None, level: Level | None) -> tuple[Floats, str]:
    silent = np.zeros(len(OFFSETS_HOURS))
    if gps is None:
        on_utc = clock_witnesses.copied_gps_hours(group)
        if on_utc is None:
            return silent, ""
        # Either it was copied and says nothing, or it names the offset: odds as of a zone tag.
        return prior.of_foreign_zone(on_utc), (
            "The GPS time repeats the camera's own time, so either it was copied from it or the camera ran on UTC."
        )
    if level is None:
        return silent, f"The GPS times of {durations.photos(len(gps))} agree on no single difference."
    sentence = (
        f"GPS time differs by {durations.signed(level.hours)} from the camera's in {len(level.members):,} of "
        f"{durations.photos(len(gps))} that have it{_days_note(gps, level)}."
    )
    found = prior.of_gps(level.hours, spread_hours=level.spread_hours, photos=len(level.members))
    return found, sentence


def _days_note(gps: GpsResiduals, level: Level) -> str:
    days = _whole_days(gps, level)
    return f", and by {abs(days):,} whole {'day' if abs(days) == 1 else 'days'}" if days else ""


def _whole_days(gps: GpsResiduals, level: Level) -> int:
    """Return by how many whole days most photos of a level differ; 0 where too few could tell.

    Where the GPS date is simply the camera's, the days apart are those of the zone, not of a clock.
    """
    days = np.where(gps.is_local_date, 0.0, gps.days)[level.members]
    common = float(np.median(days))
    return int(common) if np.sum(days == common) >= FEWEST_DATES else 0


def _of_zone(group: DeviceGroup) -> tuple[Floats, str]:
    foreign = clock_witnesses.foreign_zone_hours(group)
    if foreign is None:
        return np.zeros(len(OFFSETS_HOURS)), ""
    hours, count = foreign
    if hours == 0.0:
        return np.zeros(len(OFFSETS_HOURS)), f"The zone written in {durations.photos(count)} is that of the place."
    sentence = (
        f"The zone written in {durations.photos(count)} is {durations.signed(hours)} from civil time at the place."
    )
    return prior.of_foreign_zone(hours), sentence


def _of_light(group: DeviceGroup, model: LightModel) -> tuple[Floats, str]:
    frames = light_offsets.frames_of(group.summaries)
    if not len(frames):
        return np.zeros(len(OFFSETS_HOURS)), ""
    found = light_offsets.offset_log_likelihood(model, frames)
    arc = prior.arc(np.exp(found))
    span = durations.between(arc.low_hours, arc.high_hours)
    if arc.width_hours <= WIDEST_HOURS:
        says = f"puts the clock at {durations.signed(arc.middle_hours)} ({span}, before any prior)"
    elif float(found[OFFSETS_HOURS == 0.0][0]) < np.log(SHUT_OUT_BELOW):
        says = f"leaves much of the day open ({span}, before any prior), but not the claimed time"
    else:
        says = "does not tell the time"
    return found, (
        f"The light of {durations.photos(len(frames))} without flash ({durations.outings(frames.outings)}, worth "
        f"{frames.effective:.0f} independent) {says}."
    )


def _of_hours(group: DeviceGroup) -> tuple[Floats, str]:
    found, photos = clock_witnesses.hour_log_likelihood(group)
    if not photos or float(found.min()) > -0.1:
        return found, ""
    best = OFFSETS_HOURS[int(np.argmax(found))]
    return found, f"The hours the model sees in {durations.photos(photos)} fit best at {durations.signed(best)}."


# --------------------------------------------------------------------------- one offset


def _constant(group: DeviceGroup, evidence: _Evidence) -> ClockModel:
    """Return the model of a clock that kept one offset, or undetermined."""
    posterior = prior.posterior(evidence.log_likelihood)
    kind = posterior.kind if _is_decided(posterior, evidence) else "undetermined"
    days = _whole_days(evidence.gps, evidence.level) if evidence.gps and evidence.level else 0
    fitted = _base(group, evidence, kind, posterior)
    if kind == "undetermined":
        shut_out = _is_shut_out(posterior, evidence)
        return _wrong_somehow(fitted, posterior, evidence) if shut_out else _undetermined(fitted, posterior)
    offset, interval = _offset(posterior, evidence)
    total = offset + 24.0 * days
    if days and _is_receiver_fault(group, days) and abs(total) > FARTHEST_HOURS:
        fitted = replace(fitted, evidence=(*fitted.evidence, _receiver_note(days)))
    elif days:
        offset, interval = total, (interval[0] + 24.0 * days, interval[1] + 24.0 * days)
        if abs(total) > FARTHEST_HOURS:
            kind = "reset" if _is_restarted(group) else "constant offset"
    return replace(
        fitted, kind=kind, offset_hours=offset, interval_hours=interval, summary=_summary(group, kind, offset, interval)
    )


def _is_decided(posterior: Posterior, evidence: _Evidence) -> bool:
    """Whether the evidence, not the prior, speaks: against being right loudly, for it at all."""
    if evidence.is_split:
        return False
    if posterior.kind != "right":
        is_wrong = 1.0 - posterior.probability_of("right") >= WRONG_FROM
        return is_wrong and prior.arc(posterior.mass).width_hours <= WIDEST_HOURS
    agrees = evidence.level is not None and abs(evidence.level.hours) <= clock_witnesses.TOGETHER_HOURS
    is_heard = agrees or prior.arc(np.exp(evidence.log_likelihood)).width_hours <= WIDEST_HOURS
    return is_heard and posterior.probability >= RIGHT_FROM


def _is_shut_out(posterior: Posterior, evidence: _Evidence) -> bool:
    """Whether a right clock is as good as impossible although by how much it was wrong stays open."""
    return not evidence.is_split and posterior.probability_of("right") < SHUT_OUT_BELOW


def _wrong_somehow(fitted: ClockModel, posterior: Posterior, evidence: _Evidence) -> ClockModel:
    interval = _hull(prior.arc(posterior.mass), prior.arc(np.exp(evidence.log_likelihood)))
    return replace(
        fitted,
        kind="constant offset",
        interval_hours=interval,
        probability=1.0 - posterior.probability_of("right"),
        evidence=(*fitted.evidence, "A wrong place, some 15° of longitude to the hour, would look the same to light."),
        summary=f"was wrong for {durations.all_photos(fitted.photos)}, by how much its evidence leaves open "
        f"({durations.between(*interval)}), unless the claimed places are",
    )


def _offset(posterior: Posterior, evidence: _Evidence) -> tuple[float, tuple[float, float]]:
    arc = prior.arc(posterior.mass)
    level = evidence.level
    if level is None or not arc.low_hours - 0.5 <= level.hours <= arc.high_hours + 0.5:
        return arc.middle_hours, _hull(arc, prior.arc(np.exp(evidence.log_likelihood)))
    # The GPS clock is finer than the grid: what it says is the offset, a minute of its own added.
    reach = 2.0 * level.spread_hours + 1.0 / 60.0
    return level.hours, (level.hours - reach, level.hours + reach)


def _hull(with_prior: Arc, evidence_alone: Arc) -> tuple[float, float]:
    """Return the interval that holds both: the prior's whole hours must not make it narrower than the evidence is."""
    turn = 24.0 * round((with_prior.middle_hours - evidence_alone.middle_hours) / 24.0)
    low = min(with_prior.low_hours, evidence_alone.low_hours + turn)
    high = max(with_prior.high_hours, evidence_alone.high_hours + turn)
    return low, high


def _is_receiver_fault(group: DeviceGroup, days: int) -> bool:
    """Whether whole days apart are known firmware faults: one model's GPS date a day ahead, any 1,024 weeks back."""
    weeks = days * 24.0 / clock_witnesses.ROLLOVER_HOURS
    is_rollover = abs(weeks) >= 0.9 and abs(weeks - round(weeks)) < 0.001
    return is_rollover or (days == -1 and DAY_AHEAD_MODEL in group.label.lower())


def _receiver_note(days: int) -> str:
    fault = "one day ahead" if days == -1 else "a multiple of 1,024 weeks away"
    return f"The GPS date is {fault} while its time of day agrees: a known fault of receivers, not of the clock."


def _is_restarted(group: DeviceGroup) -> bool:
    first_days, dated = clock_witnesses.restart(group)
    return first_days >= 0.5 * dated


def _undetermined(fitted: ClockModel, posterior: Posterior) -> ClockModel:
    note = (
        f"This does not decide: {posterior.probability:.0%} for “{posterior.kind}” rests "
        f"{'on the prior' if posterior.kind == 'right' else 'on too little'}."
    )
    return replace(
        fitted,
        kind="undetermined",
        evidence=(*fitted.evidence, note),
        summary=f"How the clock ran cannot be told from {durations.all_photos(fitted.photos)}.",
    )


def _base(group: DeviceGroup, evidence: _Evidence, kind: str, posterior: Posterior) -> ClockModel:
    return ClockModel(
        device_key=group.device_key,
        label=group.label,
        kind=kind,
        offset_hours=None,
        interval_hours=None,
        probability=posterior.probability,
        photos=sum(one.local_time is not None for one in group.summaries),
        evidence=(*evidence.sentences, *([f"One device is assumed: {group.doubt}."] if group.doubt else [])),
        summary="",
        posterior_offsets_hours=OFFSETS_HOURS.astype(np.float32),
        posterior_mass=posterior.mass.astype(np.float32),
    )


def _summary(group: DeviceGroup, kind: str, offset: float, interval: tuple[float, float]) -> str:
    count = sum(one.local_time is not None for one in group.summaries)
    if kind == "right":
        return f"was right for {durations.all_photos(count)} ({durations.between(*interval)})"
    reason = {
        "dst": ", as if summer time was not switched",
        "wrong zone": ", a whole number of zones",
        "am/pm": ", as if a.m. and p.m. were mixed up",
        "reset": ", counting on from a lost date",
    }.get(kind, "")
    return (
        f"ran {durations.ahead(offset)}{reason}, for {durations.all_photos(count)} "
        f"({durations.between(*interval)}); without that its photos are consistent"
    )


# --------------------------------------------------------------------------- what is not one offset


def _special(group: DeviceGroup, evidence: _Evidence) -> Iterator[ClockModel]:
    """Yield the model of a clock that did not keep one offset, where the GPS clock shows it."""
    posterior = prior.posterior(evidence.log_likelihood)
    fitted = _base(group, evidence, "undetermined", posterior)
    yield from _exchanged_dates(group, fitted)
    if evidence.gps is not None:
        yield from _drifting(evidence.gps, fitted)
        yield from _stepping(group, evidence.gps, fitted)


def _exchanged_dates(group: DeviceGroup, fitted: ClockModel) -> Iterator[ClockModel]:
    fits, told = clock_witnesses.swapped_dates(group)
    if fits >= 2 and fits >= 0.8 * told:
        yield replace(
            fitted,
            kind="day/month swapped",
            probability=1.0 - 0.5**fits,
            evidence=(
                *fitted.evidence,
                f"With day and month exchanged {fits} of {told} dates are those of the GPS clock.",
            ),
            summary=f"wrote day and month the wrong way round in {durations.photos(fits)} of {told} that can tell",
        )


def _drifting(gps: GpsResiduals, fitted: ClockModel) -> Iterator[ClockModel]:
    found = clock_witnesses.drift(gps)
    if found is not None:
        middle = (found.first_hours + found.last_hours) / 2.0
        ends = tuple(sorted((found.first_hours, found.last_hours)))
        yield replace(
            fitted,
            kind="drift",
            offset_hours=middle,
            interval_hours=(ends[0], ends[1]),
            probability=0.95,
            summary=f"{'gained' if found.hours_per_day > 0 else 'lost'} "
            f"{durations.length(30.0 * found.hours_per_day)} a month, "
            f"from {durations.signed(found.first_hours)} to {durations.signed(found.last_hours)}",
        )


def _stepping(group: DeviceGroup, gps: GpsResiduals, fitted: ClockModel) -> Iterator[ClockModel]:
    hours = gps.hours + 24.0 * np.where([_is_receiver_fault(group, int(day)) for day in gps.days], 0.0, gps.days)
    found = [level for level in clock_witnesses.levels(hours) if len(level.members) >= 2]
    stretches = clock_witnesses.runs(found, len(gps))
    covered = sum(len(level.members) for level in found)
    if not 2 <= len(stretches) <= 6 or len(stretches) > len(found) + 2 or covered < 0.8 * len(gps):
        return
    segments = tuple((gps.source_ids[first], gps.source_ids[last], level.hours) for first, last, level in stretches)
    told = "; ".join(
        f"{durations.signed(hours)} in {durations.photos(last - first + 1)}"
        for (first, last, _), (_, _, hours) in zip(stretches, segments, strict=True)
    )
    by_id = {one.source_id: one for one in group.summaries}
    lost = any(_lost_its_date(by_id[first], hours) for first, _, hours in segments)
    yield replace(
        fitted,
        kind="reset" if lost else "piecewise",
        probability=covered / len(gps),
        segments=segments,
        summary=f"{'lost its date' if lost else 'was set anew'}: {told}",
    )


def _lost_its_date(first: PhotoSummary, hours: float) -> bool:
    is_far = abs(hours) > 14.0 + 24.0
    return is_far and first.local_time is not None and clock_witnesses.starts_over(first.local_time)


def _set_back(whole: ClockModel, step: clock_steps.Step, model: LightModel) -> ClockModel:
    """Return the model of a clock that a count shows was set back once.

    Each side is weighed by its own witnesses and by what the other side's say across the step.
    """
    own = [_evidence(side, model) for side in (step.before, step.after)]
    mass = [prior.posterior(side.log_likelihood).mass for side in own]
    across = (step.of_other(mass[1], is_before=True), step.of_other(mass[0], is_before=False))
    sides = [
        _constant(group, replace(evidence, log_likelihood=evidence.log_likelihood + message))
        for group, evidence, message in zip((step.before, step.after), own, across, strict=True)
    ]
    segments = tuple(
        (group.summaries[0].source_id, group.summaries[-1].source_id, side.offset_hours)
        for group, side in zip((step.before, step.after), sides, strict=True)
        if side.offset_hours is not None
    )
    told = "; ".join(
        f"{where} it {side.summary or 'cannot be told'}" for where, side in zip(("before", "after"), sides, strict=True)
    )
    return replace(
        whole,
        kind="reset" if step.is_restart else "piecewise",
        offset_hours=None,
        interval_hours=None,
        probability=COUNTER_STEP,
        segments=segments if len(segments) == len(sides) else (),
        evidence=(
            *whole.evidence,
            f"Before {step.first_after.name} {step.shown_by} runs on while the clock falls back; {told}.",
        ),
        summary=f"was set back by at least {durations.length(step.fell_hours)} before {step.first_after.name}",
    )
