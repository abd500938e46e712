"""Clocks that did not keep one offset, as the GPS clock shows them: swapped dates, drifts, journeys, steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gtloc_forensics.evidence.clocks import sentences
from gtloc_forensics.evidence.clocks import witnesses as clock_witnesses
from gtloc_forensics.evidence.clocks.receiver import LEVEL_GAP_HOURS, TOGETHER_HOURS
from gtloc_forensics.evidence.clocks.witnesses import GpsResiduals
from gtloc_forensics.records import ClockKind, ClockModel, ClockWitness, DeviceGroup, PhotoSummary, Sentence

# Judgements, not frequencies.
DRIFT_PROBABILITY = 0.95
COVERED = 0.8  # of the GPS times that must lie on levels before steps are told
ONE_ZONE = 0.9  # of them that must show one zone before it is said that the clock kept it
FEWEST = 2
FEWEST_ON_A_JOURNEY = 3  # photos of one zone at places of several
MOST_STRETCHES = 6
LOST_HOURS = 14.0 + 24.0


def offsets(group: DeviceGroup, gps: GpsResiduals | None, fitted: ClockModel) -> Iterator[ClockModel]:
    """Yield the model of a clock that did not keep one offset, where the GPS clock shows it; the best first.

    Args:
        group: all photos of one device.
        gps: what of their GPS times is a clock.
        fitted: what is known of the clock so far, without a kind.
    """
    fitted = replace(fitted, decided_by=ClockWitness.GPS)
    yield from _exchanged_dates(group, fitted)
    if gps is not None:
        yield from _drifting(gps, fitted)
        yield from _stepping(group, gps, fitted)


def _exchanged_dates(group: DeviceGroup, fitted: ClockModel) -> Iterator[ClockModel]:
    fits, told = clock_witnesses.swapped_dates(group)
    if fits >= FEWEST and fits >= COVERED * told:
        yield replace(
            fitted,
            kind=ClockKind.DAY_MONTH,
            probability=1.0 - 0.5**fits,
            evidence=(
                *fitted.evidence,
                Sentence(
                    "With day and month exchanged {fits} of {told} dates are those of the GPS clock.",
                    fits=fits,
                    told=told,
                ),
            ),
            summary=sentences.exchanged_dates(fits, told),
        )


def _drifting(gps: GpsResiduals, fitted: ClockModel) -> Iterator[ClockModel]:
    found = clock_witnesses.drift(gps)
    if found is not None:
        low, high = sorted((found.first_hours, found.last_hours))
        yield replace(
            fitted,
            kind=ClockKind.DRIFT,
            offset_hours=(low + high) / 2.0,
            interval_hours=(low, high),
            probability=DRIFT_PROBABILITY,
            # What GPS time says of one offset comes first in the evidence; a drift keeps none.
            evidence=(
                sentences.gps_grows(first_hours=found.first_hours, last_hours=found.last_hours, photos=len(gps)),
                *fitted.evidence[1:],
            ),
            summary=sentences.drifted(
                hours_per_day=found.hours_per_day, first_hours=found.first_hours, last_hours=found.last_hours
            ),
        )


def _stepping(group: DeviceGroup, gps: GpsResiduals, fitted: ClockModel) -> Iterator[ClockModel]:
    hours = gps.hours + 24.0 * gps.days
    every = clock_witnesses.levels(hours)
    found = [level for level in every if len(level.members) >= FEWEST]
    stretches = clock_witnesses.runs(found, len(gps))
    covered = sum(len(level.members) for level in found)
    home = _home_zone_hours(gps)
    if (
        not FEWEST <= len(stretches) <= MOST_STRETCHES
        or len(stretches) > len(found) + 2
        or covered < COVERED * len(gps)
    ):
        # One photo in each of several zones makes no stretch, and yet shows one zone throughout.
        if home is not None and len(gps) >= FEWEST_ON_A_JOURNEY and len(every) >= FEWEST:
            yield from _on_a_journey(gps, replace(fitted, probability=ONE_ZONE), home, hours)
        return
    segments = tuple((gps.source_ids[first], gps.source_ids[last], level.hours) for first, last, level in stretches)
    if home is not None:
        yield from _on_a_journey(gps, replace(fitted, segments=segments, probability=covered / len(gps)), home, hours)
        return
    by_id = {summary.source_id: summary for summary in group.summaries}
    is_lost = any(_lost_its_date(by_id[first], offset) for first, _, offset in segments)
    yield replace(
        fitted,
        kind=ClockKind.RESET if is_lost else ClockKind.PIECEWISE,
        probability=covered / len(gps),
        segments=segments,
        evidence=(*fitted.evidence, *_carried_on(gps, hours)),
        summary=sentences.stepped(
            [(last - first + 1, level.hours) for first, last, level in stretches], is_lost=is_lost
        ),
    )


def _home_zone_hours(gps: GpsResiduals) -> float | None:
    """Return the offset from UTC that the clock itself kept throughout; None where it was set anew."""
    level = clock_witnesses.levels(gps.raw_hours)[0]
    return level.hours if len(level.members) >= ONE_ZONE * len(gps) else None


def _on_a_journey(
    gps: GpsResiduals, fitted: ClockModel, home_hours: float, hours: clock_witnesses.Floats
) -> Iterator[ClockModel]:
    """Yield the model of a clock that was never set while its places changed their hours.

    Where it is right at most of them there is nothing to model: it kept home time on a trip.
    """
    away = int(np.sum(np.abs(hours) > TOGETHER_HOURS))
    if away <= (1.0 - clock_witnesses.SHARED) * len(gps):
        return
    nearest = round(4.0 * home_hours) / 4.0
    yield replace(
        fitted,
        kind=ClockKind.WRONG_ZONE,
        summary=sentences.kept_home_zone(home_offset_hours=nearest, elsewhere=away, photos=len(gps)),
    )


def _carried_on(gps: GpsResiduals, hours: clock_witnesses.Floats) -> tuple[Sentence, ...]:
    """Say where a clock still showed the time of the place before: it was set after the journey."""
    before = np.concatenate([[np.inf], gps.raw_hours[:-1]])
    still = (np.abs(hours) > TOGETHER_HOURS) & (np.abs(gps.raw_hours - before) <= LEVEL_GAP_HOURS)
    was_right = np.concatenate([[False], np.abs(hours[:-1]) <= TOGETHER_HOURS])
    count = int(np.sum(still & was_right))
    if not count:
        return ()
    told = Sentence(
        "It went on {times:?once|# times} with the time of the place before, and was set later: "
        "{photos:?1 photo tells|# photos tell}.",
        times=count,
        photos=len(gps),
    )
    return (told,)


def _lost_its_date(first: PhotoSummary, hours: float) -> bool:
    is_far = abs(hours) > LOST_HOURS
    return is_far and first.local_time is not None and clock_witnesses.starts_over(first.local_time)
