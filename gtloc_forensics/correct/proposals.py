"""What the case itself proposes: lines of a plan from clock models and from findings, each with its strength.

A clock model speaks for all photos of its device and comes before a finding about one of
them. Nothing weaker than the strength asked for is proposed; what is known to be wrong but
not by how much becomes a note, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gtloc_forensics.correct import changes as lines
from gtloc_forensics.correct import repairs
from gtloc_forensics.correct.changes import DEFAULT_STRENGTH, Change, Quantity
from gtloc_forensics.correct.repairs import Subject
from gtloc_forensics.earth import zones
from gtloc_forensics.records import ClockModel, Confidence, Finding, Outcome, source_id_of

SHIFTING = ("constant offset", "wrong zone", "dst", "am/pm")
"""Kinds of clock model that one shift repairs."""
SPEAKING = (Outcome.SUSPICIOUS, Outcome.CONTRADICTION, Outcome.EXPLAINED)
SHIFTING_CAUSES = ("clock-offset", "dst")
STRENGTH_OF = {
    Confidence.DECISIVE: 0.99,
    Confidence.STRONG: 0.9,
    Confidence.WEAK: 0.6,
    Confidence.CONTEXT: 0.3,
}
"""What a finding without calibration counts for: an order of magnitude, said as such in the line."""
NEAR_HOURS = 0.3
"""Offsets this close to the best one call for the same repair: just over the quarter-hour grid of zones."""
DAY_S = 86400.0
MINUTE_S = 60.0
CLOCK_SET_S = 5.0
"""A shift this close to whole minutes is taken for whole minutes: a GPS second is up to some seconds old."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Lines, and notes on what could not be proposed."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...]


def propose(
    photos: Sequence[Subject],
    *,
    clocks: Iterable[ClockModel] = (),
    findings: Iterable[Finding] = (),
    least_strength: float = DEFAULT_STRENGTH,
) -> Proposal:
    """Return what clock models and findings propose, at least as strong as *least_strength*."""
    out: list[Change] = []
    notes: list[str] = []
    for model in clocks:
        lines_of, note = _from_clock(photos, model)
        out += [change for change in lines_of if change.strength >= least_strength]
        notes += [note] if note and model.probability >= least_strength else []
    spoken = {change.relative for change in out}
    about = _by_photo(findings)
    for photo in photos:
        if photo.relative not in spoken:
            lines_of, note = _from_findings(photo, about.get(source_id_of(photo.relative), []), least_strength)
            out += lines_of
            notes += [note] if note else []
    return Proposal(tuple(out), tuple(dict.fromkeys(notes)))


def _by_photo(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    about: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.source_ids and finding.outcome in SPEAKING:
            about.setdefault(finding.source_ids[0], []).append(finding)
    return about


# --------------------------------------------------------------------------- clock models


def _from_clock(photos: Sequence[Subject], model: ClockModel) -> tuple[list[Change], str]:
    mates = [photo for photo in photos if photo.device_key == model.device_key and photo.local is not None]
    if model.kind == "day/month swapped":
        why = f"clock of {model.label}: day and month exchanged"
        return repairs.day_month_swapped(mates, reason=why, strength=model.probability), ""
    if model.segments:
        return _piecewise(mates, model), ""
    if model.kind in SHIFTING and model.offset_hours is not None:
        return _ahead_by(mates, model, model.offset_hours), ""
    if model.kind in ("right", "undetermined"):
        return [], ""
    return [], f"The clock of {model.label} was not right ({model.kind}), but by how much is not known: {model.summary}"


def _piecewise(mates: list[Subject], model: ClockModel) -> list[Change]:
    ordered = sorted(mates, key=lambda photo: (photo.local or datetime(1, 1, 1), photo.relative))
    places = {source_id_of(photo.relative): number for number, photo in enumerate(ordered)}
    out: list[Change] = []
    for first, last, offset_hours in model.segments:
        if first in places and last in places:
            low, high = sorted((places[first], places[last]))
            out += _ahead_by(ordered[low : high + 1], model, offset_hours)
    return out


def strength_of(model: ClockModel, offset_hours: float) -> float:
    """Return how probable it is that the clock was off by that much, whatever the reason.

    Six hours by a wrong zone and six hours by a wrong hand are two kinds and one repair, so the mass
    of the posterior near the offset counts; the kind's own probability where there is none.
    """
    if model.posterior_mass is None or model.posterior_offsets_hours is None:
        return model.probability
    apart = (model.posterior_offsets_hours.astype(float) - offset_hours + 12.0) % 24.0 - 12.0
    near = float(model.posterior_mass[abs(apart) <= NEAR_HOURS].sum())
    return min(1.0, max(model.probability, near))


def _ahead_by(mates: Iterable[Subject], model: ClockModel, offset_hours: float) -> list[Change]:
    seconds = -whole_minutes(offset_hours * 3600.0)
    why = f"clock of {model.label}: {model.kind}, {lines.write_shift(-seconds)} against the truth"
    strength = strength_of(model, offset_hours)
    out: list[Change] = []
    for photo in mates:
        if photo.local is not None and seconds:
            new = repairs.moved(photo.local, seconds)
            out += repairs.time_lines(photo, new, legal_offset(photo, new), why, strength)
    return out


def legal_offset(photo: Subject, new: datetime) -> float | None:
    """Return the offset to write beside the repaired time: the legal one, where the stated one is not; else None."""
    stated = photo.written_offset
    if stated is None or not photo.zones:
        return None
    legal = zones.legal_offsets(photo.zones, new.replace(microsecond=0))
    return legal[0] if stated not in legal and len(legal) == 1 else None


def whole_minutes(seconds: float) -> float:
    """Return *seconds*, rounded to the minute where that moves them by a few seconds only."""
    rounded = round(seconds / MINUTE_S) * MINUTE_S
    return rounded if abs(rounded - seconds) <= CLOCK_SET_S else float(round(seconds))


# --------------------------------------------------------------------------- findings


def _from_findings(photo: Subject, findings: list[Finding], least_strength: float) -> tuple[list[Change], str]:
    """Return what the strongest finding about one photo proposes, unless another speaks of another cause."""
    for finding in sorted(findings, key=lambda one: -STRENGTH_OF[one.confidence]):
        changes, note = _from_finding(photo, finding)
        strong = [change for change in changes if change.strength >= least_strength]
        rivals = [one.check_id for one in findings if one.is_found and not _share_cause(one, finding)]
        if strong and rivals:
            others = ", ".join(dict.fromkeys(rivals))
            return [], f"{photo.name}: {finding.check_id} offers a cause and {others} may mean another; decide by hand"
        if strong or note:
            return strong, note
    return [], ""


def _share_cause(one: Finding, other: Finding) -> bool:
    """Return whether two findings can have one cause; one that names none fits any."""
    return one.cause is None or other.cause is None or one.cause.kind == other.cause.kind


def _from_finding(photo: Subject, finding: Finding) -> tuple[list[Change], str]:
    cause = finding.cause
    if cause is None:
        return [], ""
    strength = STRENGTH_OF[finding.confidence]
    why = f"{finding.check_id} (uncalibrated): {finding.summary}"
    if cause.kind in SHIFTING_CAUSES and cause.offset_hours and photo.local is not None:
        new = repairs.moved(photo.local, -whole_minutes(cause.offset_hours * 3600.0))
        return repairs.time_lines(photo, new, legal_offset(photo, new), why, strength), ""
    if cause.kind == "zone" and len(photo.zones) == 1:
        return repairs.moved_to_zone([photo], photo.zones[0], reason=why, strength=strength), ""
    if cause.kind == "day-bug":
        return _day_bug(photo, finding.facts, why, strength), ""
    if cause.kind == "clock-reset":
        return [], f"{photo.name}: the clock had been reset and nothing tells the true time; add a line if you know it"
    return [], ""


def _day_bug(photo: Subject, facts: Mapping[str, object], why: str, strength: float) -> list[Change]:
    residual = facts.get("residual_s")
    if photo.gps_utc is None or not isinstance(residual, int | float):
        return []
    days = round(float(residual) / DAY_S)
    new = photo.gps_utc + timedelta(days=days)
    old = lines.write_time(photo.gps_utc)
    return [photo.line(Quantity.GPS_TIME, old, lines.write_time(new), why, strength)] if days else []


def keywords(photos: Iterable[Subject], findings: Iterable[Finding]) -> dict[bytes, tuple[str, ...]]:
    """Return for each photo with something found ``gtloc|OUTCOME|CAUSE`` keywords, strongest outcome first."""
    about = _by_photo(findings)
    out: dict[bytes, tuple[str, ...]] = {}
    for photo in photos:
        found = [one for one in about.get(source_id_of(photo.relative), []) if one.is_found]
        ordered = sorted(found, key=lambda one: (one.outcome is not Outcome.CONTRADICTION, one.check_id))
        words = (f"gtloc|{one.outcome.value}|{one.cause.kind if one.cause else one.check_id}" for one in ordered)
        out |= {photo.relative: tuple(dict.fromkeys(words))} if found else {}
    return out
