"""One clock model per camera: the simplest that explains all its photos' evidence together.

GPS time decides where it is a clock of its own; next, another camera of the journey whose clock GPS
time confirms. Without either, light and written offsets are weighed as one posterior over the offset,
with a stated prior (:mod:`~gtloc_forensics.evidence.clocks.prior`): they can show a clock to be wrong
and between which bounds, never by how much to the hour. What a model sees in pixels decides no clock.
A drift, a step, a restart or swapped dates are read off the GPS clock where it is there. Where the
evidence does not decide, the model says *undetermined*. Offsets are claimed minus true civil time:
positive is ahead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gtloc_forensics.evidence import exposure
from gtloc_forensics.evidence.clocks import by_light, prior, receiver, sentences, several
from gtloc_forensics.evidence.clocks import steps as clock_steps
from gtloc_forensics.evidence.clocks import witnesses as clock_witnesses
from gtloc_forensics.evidence.clocks.companions import Meetings
from gtloc_forensics.evidence.clocks.prior import Floats, Posterior
from gtloc_forensics.evidence.clocks.receiver import TOGETHER_HOURS
from gtloc_forensics.evidence.clocks.witnesses import GpsResiduals, Level
from gtloc_forensics.evidence.exposure import LightModel
from gtloc_forensics.evidence.exposure import clock_offsets as light_offsets
from gtloc_forensics.evidence.exposure.clock_offsets import OFFSETS_HOURS
from gtloc_forensics.records import ClockKind, ClockModel, ClockWitness, DeviceGroup, Sentence, Statement

__all__ = ["fit"]

# A camera is said to be wrong only when the offsets it could be right with have become this unlikely.
WRONG_FROM = 0.9
RIGHT_FROM = 0.8
# Light this much (natural log) for a right clock against the GPS clock's offset speaks of a wrong place.
SPLIT_LOG = 4.0
# So far the prior's right clock, set by sight, may outweigh any number of GPS times that keep one distance from it.
BY_SIGHT_HOURS = 0.75
FEWEST_WRONG = 2  # photos before GPS time calls a clock wrong: of one alone its place or its fix may be
FARTHEST_HOURS = 14.0  # what zones and half days explain; beyond it the date itself is off
# Counts belong to one body and only rise; what is left are edited dates. A judgement, not a frequency.
COUNTER_STEP = 0.9
# 9 of 12 genuine files with GPS time were a day apart, all of one model (field.md §0.5).
DAY_AHEAD_MODEL = "coolpix p6000"
# GPS dates that must agree before the date itself is doubted by a day: firmware makes as much. Of more, two will do.
FEWEST_DATES = 3
# Hours a model sees in pixels that favour another offset by this much (natural log) are worth a sentence.
HOURS_WORTH_TELLING = 3.0


@dataclass(frozen=True, slots=True)
class _Evidence:
    """All witnesses of one camera, as one log likelihood ``[K]`` and in sentences."""

    log_likelihood: Floats
    light: Floats  # [K], its part
    independent: float  # how many independent photos that is worth
    sentences: tuple[Statement, ...]
    gps: GpsResiduals | None
    level: Level | None  # of the GPS residuals that most photos share
    met: Meetings | None
    foreign_zone_hours: float | None  # by how much written offsets differ from civil time at the place
    is_split: bool  # light and the GPS clock contradict each other


def fit(group: DeviceGroup, *, light_model: LightModel | None = None, met: Meetings | None = None) -> ClockModel:
    """Return how the clock of one camera ran.

    Args:
        group: all photos of one device.
        light_model: p(EV100 | sun elevation); by default the one that comes with the program.
        met: what a camera whose clock is confirmed says of this one, if any.
    """
    model = exposure.load() if light_model is None else light_model
    evidence = _evidence(group, model, met)
    posterior = prior.posterior(evidence.log_likelihood)
    special = next(several.offsets(group, evidence.gps, _base(group, evidence, posterior)), None)
    if special is not None:
        return special
    step = clock_steps.step_of(group) if evidence.gps is None and met is None else None
    if step is not None:
        return _set_back(_base(group, evidence, posterior), step, model)
    return _constant(group, evidence)


# --------------------------------------------------------------------------- witnesses together


def _evidence(group: DeviceGroup, model: LightModel, met: Meetings | None) -> _Evidence:
    gps = clock_witnesses.gps_residuals(group)
    level = _shared_level(gps)
    is_confirmed = level is not None and abs(level.hours) <= TOGETHER_HOURS
    foreign = clock_witnesses.foreign_zone_hours(group)
    silent = np.zeros(len(OFFSETS_HOURS))
    asks_light = not is_confirmed and met is None
    light, independent, light_said = _of_light(group, model) if asks_light else (silent, 0.0, "")
    by_gps, gps_said = _of_gps(group, gps, level)
    by_zone, zone_said = _of_zone(foreign)
    by_companion, companion_said = _of_companion(met)
    # A zone tag is a weaker clock than GPS time or a companion: it is told, and not weighed beside them.
    weighed = by_gps + by_companion + (silent if level is not None or met is not None else by_zone) + light
    is_split = level is not None and _contradicts(level, light)
    split_said = Sentence(
        "Light and the GPS clock contradict each other: the claimed place may be wrong, not the clock."
    )
    said = (
        gps_said,
        *(gps.notes if gps else receiver.listen(group).notes),
        companion_said,
        zone_said,
        light_said,
        _of_hours(group) if asks_light and level is None else "",
        split_said if is_split else "",
    )
    return _Evidence(
        log_likelihood=weighed,
        light=light,
        independent=independent,
        sentences=tuple(sentence for sentence in said if sentence),
        gps=gps,
        level=level,
        met=met,
        foreign_zone_hours=None if foreign is None else foreign[0],
        is_split=is_split,
    )


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


def _of_gps(group: DeviceGroup, gps: GpsResiduals | None, level: Level | None) -> tuple[Floats, Statement]:
    silent = np.zeros(len(OFFSETS_HOURS))
    if gps is None:
        on_utc = clock_witnesses.copied_gps_hours(group)
        if on_utc is None:
            return silent, ""
        # Either it was copied and says nothing, or it names the offset: odds as of a zone tag.
        return prior.of_foreign_zone(on_utc), Sentence(
            "The GPS time repeats the camera's own time, so either it was copied from it or the camera ran on UTC."
        )
    if level is None:
        return silent, Sentence(
            "The GPS times of {photos:?1 photo|# photos} agree on no single difference.", photos=len(gps)
        )
    found = prior.of_gps(level.hours, spread_hours=level.spread_hours, photos=len(level.members))
    return found, sentences.gps_differs(
        offset_hours=level.hours, days=abs(_whole_days(gps, level)), agreeing=len(level.members), photos=len(gps)
    )


def _of_companion(met: Meetings | None) -> tuple[Floats, Statement]:
    if met is None:
        return np.zeros(len(OFFSETS_HOURS)), ""
    return prior.of_gps(met.hours, spread_hours=met.reach_hours / 2.0, photos=met.places), sentences.companion_differs(
        met.label, places=met.places, offset_hours=met.hours, reach_hours=met.reach_hours
    )


def _whole_days(gps: GpsResiduals, level: Level) -> int:
    """Return by how many whole days most photos of a level differ; 0 where too few could tell.

    Where the GPS date is simply the camera's, the days apart are those of the zone, not of a clock.
    """
    days = np.where(gps.is_local_date, 0.0, gps.days)[level.members]
    common = float(np.median(days))
    fewest = FEWEST_DATES if abs(common) <= 1.0 else FEWEST_WRONG
    return int(common) if np.sum(days == common) >= fewest else 0


def _of_zone(foreign: tuple[float, int] | None) -> tuple[Floats, Statement]:
    if foreign is None:
        return np.zeros(len(OFFSETS_HOURS)), ""
    hours, count = foreign
    if hours == 0.0:
        return np.zeros(len(OFFSETS_HOURS)), sentences.zone_written(count, 0.0)
    return prior.of_foreign_zone(hours), sentences.zone_written(count, hours)


def _of_light(group: DeviceGroup, model: LightModel) -> tuple[Floats, float, Statement]:
    frames = light_offsets.frames_of(group.summaries, model)
    if not len(frames):
        return np.zeros(len(OFFSETS_HOURS)), 0.0, ""
    light = light_offsets.offset_log_likelihood(model, frames)
    found = by_light.weigh(light, independent=frames.effective)
    said = sentences.light_says(found, photos=len(frames), outings=frames.outings, independent_photos=frames.effective)
    return light, frames.effective, said


def _of_hours(group: DeviceGroup) -> Statement:
    found, photos = clock_witnesses.hour_log_likelihood(group)
    if not photos or float(found[np.abs(OFFSETS_HOURS) <= 0.5].max()) > -HOURS_WORTH_TELLING:
        return ""
    return Sentence(
        "The hours the model sees in {photos:?1 photo|# photos} suit a right clock badly; pictures alone are no "
        "clock, and nothing rests on them.",
        photos=photos,
    )


# --------------------------------------------------------------------------- one offset


def _constant(group: DeviceGroup, evidence: _Evidence) -> ClockModel:
    """Return the model of a clock that kept one offset, or undetermined."""
    posterior = prior.posterior(evidence.log_likelihood)
    fitted = _base(group, evidence, posterior)
    if evidence.is_split:
        return _undetermined(fitted, posterior)
    if evidence.level is not None and evidence.gps is not None:
        return _by_gps(group, fitted, posterior, level=evidence.level, gps=evidence.gps)
    if evidence.met is not None:
        return _by_companion(fitted, posterior, evidence.met, group)
    return _by_light(fitted, posterior, evidence)


def _is_decided(posterior: Posterior) -> bool:
    """Whether an exact clock speaks loudly enough, against being right or for it."""
    if posterior.kind is ClockKind.RIGHT:
        return posterior.probability >= RIGHT_FROM
    return 1.0 - posterior.probability_of(ClockKind.RIGHT) >= WRONG_FROM


def _by_gps(
    group: DeviceGroup, fitted: ClockModel, posterior: Posterior, *, level: Level, gps: GpsResiduals
) -> ClockModel:
    is_right = posterior.kind is ClockKind.RIGHT
    is_alone = not is_right and len(level.members) < FEWEST_WRONG
    days = _whole_days(gps, level)
    is_by_sight = TOGETHER_HOURS < abs(level.hours) <= BY_SIGHT_HOURS and (is_right or not _is_decided(posterior))
    is_denied = is_right and abs(level.hours) > BY_SIGHT_HOURS  # light or the prior outweighs one GPS time
    if is_alone or is_denied or _are_dates_in_doubt(gps, level, days) or (is_by_sight and not _is_steady(level)):
        return _undetermined(fitted, posterior)
    if not is_by_sight and not _is_decided(posterior):
        return _undetermined(fitted, posterior)
    # Some minutes off is no right clock, though what is set by hand and by sight begins there.
    kind = ClockKind.CONSTANT_OFFSET if is_by_sight else _exact(posterior.kind, level.hours)
    offset = level.hours
    # The GPS clock is finer than the grid: what it says is the offset, a minute of its own added.
    reach = 2.0 * level.spread_hours + 1.0 / 60.0
    if days == -1 and DAY_AHEAD_MODEL in group.label.lower():
        note = Sentence(
            "The GPS date is one day ahead while its time of day agrees: a known fault of receivers, not of the clock."
        )
        fitted = replace(fitted, evidence=(*fitted.evidence, note))
    elif days:
        offset += 24.0 * days
        if abs(offset) > FARTHEST_HOURS:
            kind = ClockKind.RESET if _is_restarted(group) else ClockKind.CONSTANT_OFFSET
    near = clock_witnesses.near_a_witness(group, gps, level)
    return _told(fitted, kind, offset, (offset - reach, offset + reach), ClockWitness.GPS, near)


def _are_dates_in_doubt(gps: GpsResiduals, level: Level, days: int) -> bool:
    """Whether most GPS dates are not the camera's while too few of them agree to tell by how much it was off."""
    # That firmware wrote the date of the camera excuses the day alone: a clock that is off besides may be off by it.
    is_excused = gps.is_local_date & (abs(level.hours) <= TOGETHER_HOURS)
    apart = np.where(is_excused, 0.0, gps.days)[level.members]
    return days == 0 and bool(np.median(apart) != 0.0)


def _is_steady(level: Level) -> bool:
    """Whether several photos keep one distance from GPS time, as a clock does and old fixes do not."""
    return len(level.members) >= FEWEST_WRONG and level.spread_hours <= receiver.STEADY_HOURS


def _exact(kind: ClockKind, hours: float) -> ClockKind:
    """Return the kind of an offset, a constant one where it is not the whole half hours that the kind speaks of."""
    is_whole = abs(2.0 * hours - round(2.0 * hours)) / 2.0 <= TOGETHER_HOURS
    return kind if kind is ClockKind.RIGHT or is_whole else ClockKind.CONSTANT_OFFSET


def _by_companion(fitted: ClockModel, posterior: Posterior, met: Meetings, group: DeviceGroup) -> ClockModel:
    if abs(met.hours) <= met.reach_hours:
        kind = ClockKind.RIGHT
    elif posterior.kind is ClockKind.RIGHT or abs(met.hours) > FARTHEST_HOURS:  # the prior's, of what is set by sight
        kind = ClockKind.CONSTANT_OFFSET
    else:
        kind = _exact(posterior.kind, met.hours)
    near = clock_witnesses.near_days(group, met.days)
    return _told(fitted, kind, met.hours, met.interval_hours, ClockWitness.COMPANION, near)


def _by_light(fitted: ClockModel, posterior: Posterior, evidence: _Evidence) -> ClockModel:
    """Return what light and written zones say: that a clock was wrong and between which bounds, or nothing."""
    found = by_light.weigh(evidence.light, independent=evidence.independent, weighed=evidence.log_likelihood)
    if not found.is_wrong:
        return _undetermined(fitted, posterior)
    zone = _zone_within(evidence.foreign_zone_hours, found.interval_hours)
    if zone is not None:
        turn = 24.0 * round((zone - sum(found.interval_hours) / 2.0) / 24.0)
        bounds = (found.interval_hours[0] + turn, found.interval_hours[1] + turn)
        return _told(fitted, ClockKind.WRONG_ZONE, zone, bounds, ClockWitness.LIGHT)
    note = Sentence("A wrong place, some 15° of longitude to the hour, would look the same to light.")
    return replace(
        fitted,
        kind=ClockKind.CONSTANT_OFFSET,
        interval_hours=found.interval_hours,
        probability=found.wrong,
        evidence=(*fitted.evidence, note),
        summary=sentences.wrong_by_light(photos=fitted.photos, interval_hours=found.interval_hours),
        decided_by=ClockWitness.LIGHT,
    )


def _zone_within(zone_hours: float | None, interval: tuple[float, float]) -> float | None:
    """Return the difference of the written zone where light leaves it open, days apart."""
    if not zone_hours:
        return None
    is_open = any(interval[0] <= zone_hours + turn <= interval[1] for turn in (-24.0, 0.0, 24.0))
    return zone_hours if is_open else None


def _told(
    fitted: ClockModel,
    kind: ClockKind,
    offset: float,
    ends: sentences.Interval,
    by: ClockWitness,
    near: int | None = None,
) -> ClockModel:
    told = sentences.kept_one_offset(kind, fitted.photos, offset_hours=offset, interval_hours=ends, near=near)
    if near is not None and near < fitted.photos:
        fitted = replace(fitted, evidence=(*fitted.evidence, sentences.of_photos_near(near, fitted.photos)))
    return replace(fitted, kind=kind, offset_hours=offset, interval_hours=ends, decided_by=by, summary=told)


def _is_restarted(group: DeviceGroup) -> bool:
    first_days, dated = clock_witnesses.restart(group)
    return first_days >= 0.5 * dated


def _undetermined(fitted: ClockModel, posterior: Posterior) -> ClockModel:
    note = (
        Sentence("This does not decide: that the clock was right rests on the prior.")
        if posterior.kind is ClockKind.RIGHT
        else Sentence("This does not decide: it rests on too little.")
    )
    return replace(
        fitted,
        kind=ClockKind.UNDETERMINED,
        evidence=(*fitted.evidence, note),
        summary=sentences.undetermined(fitted.photos),
    )


def _base(group: DeviceGroup, evidence: _Evidence, posterior: Posterior) -> ClockModel:
    return ClockModel(
        device_key=group.device_key,
        label=group.label,
        kind=ClockKind.UNDETERMINED,
        offset_hours=None,
        interval_hours=None,
        probability=posterior.probability,
        photos=sum(summary.local_time is not None for summary in group.summaries),
        evidence=(*evidence.sentences, *_assumed(group)),
        summary="",
        posterior_offsets_hours=OFFSETS_HOURS.astype(np.float32),
        posterior_mass=posterior.mass.astype(np.float32),
    )


def _assumed(group: DeviceGroup) -> tuple[Sentence, ...]:
    return (Sentence("One device is assumed: {doubt}.", doubt=group.doubt),) if group.doubt else ()


def _with_message(evidence: _Evidence, message: Floats, independent: float) -> _Evidence:
    """Return the evidence of one side of a step, with what the other side says across it."""
    return replace(
        evidence,
        light=evidence.light + message,
        log_likelihood=evidence.log_likelihood + message,
        independent=independent,
    )


# --------------------------------------------------------------------------- set back under a running count


def _set_back(whole: ClockModel, step: clock_steps.Step, model: LightModel) -> ClockModel:
    """Return the model of a clock that a count shows was set back once.

    Each side is weighed by its own witnesses and by what the other side's say across the step.
    """
    own = [_evidence(side, model, None) for side in (step.before, step.after)]
    mass = [prior.posterior(side.log_likelihood).mass for side in own]
    across = (step.of_other(mass[1], is_before=True), step.of_other(mass[0], is_before=False))
    independent = max(side.independent for side in own)
    sides = [
        _constant(group, _with_message(evidence, message, independent))
        for group, evidence, message in zip((step.before, step.after), own, across, strict=True)
    ]
    segments = tuple(
        (group.summaries[0].source_id, group.summaries[-1].source_id, side.offset_hours)
        for group, side in zip((step.before, step.after), sides, strict=True)
        if side.offset_hours is not None
    )
    return replace(
        whole,
        kind=ClockKind.RESET if step.is_restart else ClockKind.PIECEWISE,
        offset_hours=None,
        interval_hours=None,
        probability=COUNTER_STEP,
        segments=segments if len(segments) == len(sides) else (),
        evidence=(
            *whole.evidence,
            sentences.ran_on(
                step.first_after.name, is_uptime=step.is_by_uptime, before=sides[0].summary, after=sides[1].summary
            ),
        ),
        summary=sentences.set_back(step.fell_hours, step.first_after.name),
        decided_by=ClockWitness.COUNTER,
    )
