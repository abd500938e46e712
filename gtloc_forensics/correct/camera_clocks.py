"""What puts the clock of one camera right in all its photos: by GPS clocks, by a second camera, by a clock model.

The amount comes from what counts instants. A clock model made of light and pixels says that a clock was off;
where its interval is hours wide, it does not say by how much, and nothing is moved.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gtloc_forensics.correct import changes as lines
from gtloc_forensics.correct import repairs
from gtloc_forensics.correct.changes import Change, Quantity
from gtloc_forensics.correct.draft import SETTLE, SEVERAL_GPS, TWO_GROUNDS, Draft, counted
from gtloc_forensics.correct.repairs import Subject
from gtloc_forensics.correct.witnesses import (
    Shift,
    Testimony,
    Word,
    is_day_open,
    rounded,
    shift_of,
    speaks_against,
    testimony,
    true_locals,
)
from gtloc_forensics.earth import zones
from gtloc_forensics.records import UNKNOWN_DEVICE, ClockKind, ClockModel, ClockWitness, Finding, source_id_of, visible

SHIFTING = ("constant offset", "wrong zone", "dst", "am/pm")
"""Kinds of clock model that one shift repairs."""
ACCUSING = (*SHIFTING, "day/month swapped", "reset", "drift", "piecewise")
CLOCK_CAUSES = ("clock-offset", "dst", "zone")
NEAR_HOURS = 0.3
"""Offsets this close to the best one call for the same repair: just over the quarter-hour grid of zones."""
EXACT_HOURS = 1.0 / 3.0
"""A clock model with a wider interval says that the clock was off, not by how much."""
LEAST_CONFIRMED = 2
"""So many photos of the other camera must be confirmed by GPS, and none denied, before it sets a clock."""
REACH = timedelta(days=31)
"""So long before and after a photo its witness speaks of the clock: clocks are set, and run down, in between."""
FAR = (
    "no photo within 31 days of it tells how its clock stood then, and clocks are set anew; "
    "--offset with --only moves it"
)
HALF_DAY_HOURS = 11.5
"""Half a day ahead and half a day behind look alike where no date tells them apart."""


def _found(photo: Subject, about: Mapping[str, list[Finding]], kinds: Sequence[str] = ()) -> list[Finding]:
    """Return what was found about a photo, not what was explained."""
    return [
        finding
        for finding in about.get(source_id_of(photo.relative), [])
        if finding.is_found and (not kinds or (finding.cause is not None and finding.cause.kind in kinds))
    ]


def judge(
    mates: Sequence[Subject],
    model: ClockModel | None,
    about: Mapping[str, list[Finding]],
    photos: Sequence[Subject],
    draft: Draft,
) -> None:
    """Propose what one shift puts right in the photos of one camera, or say why that is not known.

    Args:
        mates: the photos of the camera; those that name no camera have none in common.
        model: of its clock, where there is one.
        about: what was found, by photo.
        photos: all of the case: other cameras may know better.
        draft: grows.
    """
    told = [testimony(photo) for photo in mates if photo.local is not None]
    if not told or mates[0].device_key == UNKNOWN_DEVICE:
        return
    met = _met(mates, about, photos) if all(word.photo.gps_utc is None for word in told) else None
    if met is not None and not any(word.word is Word.CONFIRMS for word in told):
        _by_meeting(told, met, draft)
        return
    accused = [photo for photo in mates if _found(photo, about, CLOCK_CAUSES)]
    if not (model is not None and model.kind in ACCUSING) and len(accused) < 2:
        return
    if model is not None and model.kind == "day/month swapped":
        _swapped(told, model, draft)
        return
    if model is not None and model.segments:
        _piecewise(told, model, draft)
        return
    shift = shift_of(told)
    if shift is not None and not speaks_against(shift, told):
        _shifted(told, shift, model, draft)
    elif is_day_open(told):
        draft.notes.append(
            f"The clock of {'the camera' if model is None else model.label} was not right, but the GPS dates in its "
            f"photos are those of the camera itself, as some firmware writes them, and the day is open: nothing is "
            f"moved. {SETTLE}"
        )
        _leave(told, draft)
    elif model is not None and model.kind in ACCUSING:
        _by_model(told, model, draft)


@dataclass(frozen=True, slots=True)
class _Met:
    """By how much a camera was ahead of another, in whose words, and in which photos that shows."""

    ahead_s: float
    partner: str
    source_ids: frozenset[str]


def _met(mates: Sequence[Subject], about: Mapping[str, list[Finding]], photos: Sequence[Subject]) -> _Met | None:
    """Return by how much a camera was ahead of one that GPS confirms and that was at the same places."""
    ours = {source_id_of(photo.relative) for photo in mates}
    for finding in [finding for found in about.values() for finding in found if finding.is_found]:
        apart_s, other = finding.facts.get("difference_s"), finding.facts.get("other_device")
        device = finding.facts.get("device")
        if not isinstance(apart_s, int | float) or not isinstance(other, str) or not isinstance(device, str):
            continue
        pair = (device, other)
        if mates[0].device_key not in pair or not ours & set(finding.source_ids) or len(set(pair)) < 2:
            continue
        partner = pair[1] if pair[0] == mates[0].device_key else pair[0]
        words = [testimony(photo).word for photo in photos if photo.device_key == partner]
        if words.count(Word.CONFIRMS) >= LEAST_CONFIRMED and Word.DENIES not in words:
            ahead_s = apart_s if pair[0] == mates[0].device_key else -apart_s
            names = (photo.device_name for photo in photos if photo.device_key == partner)
            return _Met(rounded(float(ahead_s)), visible(next(names, "") or partner), frozenset(finding.source_ids))
    return None


def _by_meeting(told: Sequence[Testimony], met: _Met, draft: Draft) -> None:
    why = (
        f"clock of the camera: {lines.write_shift(met.ahead_s)} against {met.partner}, which was at the same places "
        "and whose clock GPS confirms"
    )
    times = _times(word.photo for word in told if source_id_of(word.photo.relative) in met.source_ids)
    for word in told:
        if _is_near(word.photo, times):
            draft.add(word.photo, _moved(word.photo, met.ahead_s, why, TWO_GROUNDS))
        else:
            draft.leave(word.photo, FAR)


def _shifted(told: Sequence[Testimony], shift: Shift, model: ClockModel | None, draft: Draft) -> None:
    """Move the photos whose GPS clocks say so, and those of the same camera without a GPS clock."""
    strength = SEVERAL_GPS if model is None else max(SEVERAL_GPS, strength_of(model, shift.ahead_s / 3600.0))
    label = "the camera" if model is None else model.label
    why = (
        f"clock of {label}: {lines.write_shift(shift.ahead_s)} against the truth, as the GPS clocks of "
        f"{counted(len(shift.witnesses), 'photo')} say"
    )
    times = _times(word.photo for word in told if word.photo.relative in shift.witnesses)
    for word in told:
        photo = word.photo
        is_one_camera = photo.device_key != UNKNOWN_DEVICE
        is_silent = word.word is Word.SILENT and photo.gps_utc is None and is_one_camera
        if photo.relative in shift.witnesses or (is_silent and _is_near(photo, times)):
            draft.add(photo, _moved(photo, shift.ahead_s, why, strength))
        elif is_silent:
            draft.leave(photo, FAR)
        else:
            draft.leave(
                photo,
                f"its GPS time fits neither its own clock nor one {lines.write_shift(shift.ahead_s)} off, as its "
                "camera's was; decide by hand",
            )


def _times(photos: Iterable[Subject]) -> list[datetime]:
    return sorted(photo.local for photo in photos if photo.local is not None)


def _is_near(photo: Subject, times: Sequence[datetime]) -> bool:
    """Return whether a photo was taken so soon before or after one of *times*, ascending, that they speak of it."""
    if photo.local is None:
        return False
    place = bisect_left(times, photo.local)
    return any(abs(photo.local - time) <= REACH for time in times[max(0, place - 1) : place + 1])


def _moved(photo: Subject, ahead_s: float, why: str, strength: float) -> list[Change]:
    """Return the lines that take *ahead_s* from the wall clock; the GPS time is the witness and stays."""
    if photo.local is None or not ahead_s:
        return []
    new = repairs.moved(photo.local, -ahead_s)
    made = repairs.time_lines(photo, new, legal_offset(photo, new), why, strength)
    return [change for change in made if change.quantity is not Quantity.GPS_TIME]


def _by_model(told: Sequence[Testimony], model: ClockModel, draft: Draft) -> None:
    """Follow a clock model where no GPS clock of the camera speaks; note what it leaves open."""
    if all(word.word is Word.CONFIRMS for word in told):
        return
    if any(word.word is not Word.SILENT for word in told) or any(word.photo.gps_utc for word in told):
        confirmed = sum(word.word is Word.CONFIRMS for word in told)
        draft.notes.append(
            f"The clock of {model.label} is doubted, but the GPS clocks in its photos do not agree on one amount "
            f"({counted(confirmed, 'photo')} of {len(told)} confirmed as they are): nothing is moved. {SETTLE}"
        )
        _leave(told, draft)
        return
    if model.kind in SHIFTING and model.offset_hours is not None and _is_exact(model):
        seconds = whole_minutes(model.offset_hours * 3600.0)
        why = f"clock of {model.label}: {model.kind}, {lines.write_shift(seconds)} against the truth"
        for word in told:
            draft.add(word.photo, _moved(word.photo, seconds, why, strength_of(model, model.offset_hours)))
        return
    draft.notes.append(_open(model))
    _leave(told, draft)


def _leave(told: Iterable[Testimony], draft: Draft) -> None:
    """Count photos as spoken of: a note about their camera says why they have no line."""
    draft.spoken |= {word.photo.relative for word in told}


def _is_exact(model: ClockModel) -> bool:
    if model.offset_hours is None or model.interval_hours is None or abs(model.offset_hours) >= HALF_DAY_HOURS:
        return False
    low, high = model.interval_hours
    return high - low <= EXACT_HOURS


def _open(model: ClockModel) -> str:
    """Return the note on a clock that was off by an amount that is not known, or set anew without our knowing why."""
    if model.kind is ClockKind.PIECEWISE and model.decided_by is ClockWitness.COUNTER:
        return (
            f"The clock of {model.label} was set anew on the way, and nothing tells on which side it was right. "
            f"{SETTLE}"
        )
    amount = ""
    if model.kind in SHIFTING and model.offset_hours is not None:
        about = lines.write_shift(model.offset_hours * 3600.0)
        amount = f" The likeliest is about {about}, strength {strength_of(model, model.offset_hours):.2f}"
        if model.interval_hours is not None:
            low, high = (lines.write_shift(hours * 3600.0) for hours in model.interval_hours)
            amount += f", and anything from {low} to {high} would do"
        amount += "."
    return f"The clock of {model.label} was not right ({model.kind}), but by how much is not known.{amount} {SETTLE}"


def _swapped(told: Sequence[Testimony], model: ClockModel, draft: Draft) -> None:
    """Exchange day and month where GPS time, in at least one photo, says so, and none denies it."""
    why = f"clock of {model.label}: day and month exchanged"
    after = {word.photo.relative: _after_swap(word) for word in told}
    if Word.CONFIRMS not in after.values():
        draft.notes.append(f"{why}, it seems, but no GPS time confirms it; --swap-day-month exchanges them")
        _leave(told, draft)
        return
    for word in told:
        made = repairs.day_month_swapped([word.photo], reason=why, strength=max(model.probability, SEVERAL_GPS))
        kept = [change for change in made if change.quantity is not Quantity.GPS_TIME]
        if kept and word.word is not Word.CONFIRMS and after[word.photo.relative] is not Word.DENIES:
            draft.add(word.photo, kept)


def _after_swap(word: Testimony) -> Word:
    """Return what GPS time says of a photo once day and month are exchanged."""
    photo = word.photo
    local = photo.local
    if local is None or photo.gps_utc is None or local.day > 12 or local.day == local.month:
        return Word.SILENT
    new = local.replace(month=local.day, day=local.month)
    near = (abs((new - true).total_seconds()) <= repairs.SAME_CLOCK_S for true in true_locals(photo))
    return Word.CONFIRMS if any(near) else Word.DENIES


def _piecewise(told: Sequence[Testimony], model: ClockModel, draft: Draft) -> None:
    """Set a clock piece by piece, each piece by the GPS clocks of its own photos."""
    ordered = sorted(told, key=lambda word: (word.photo.local or datetime(1, 1, 1), word.photo.relative))
    places = {source_id_of(word.photo.relative): number for number, word in enumerate(ordered)}
    left = 0
    for first, last, _ in model.segments:
        if first not in places or last not in places:
            continue
        low, high = sorted((places[first], places[last]))
        piece = [word for word in ordered[low : high + 1] if word.photo.relative not in draft.spoken]
        if not piece or all(word.word is Word.CONFIRMS for word in piece):
            continue
        shift = shift_of(piece)
        if shift is not None and not speaks_against(shift, piece):
            _shifted(piece, shift, model, draft)
        else:
            left += len(piece)
    if left:
        draft.notes.append(
            f"The clock of {model.label} may have been set anew on the way, but the GPS clocks of "
            f"{counted(left, 'photo')} do not agree on an amount: they stay. {SETTLE}"
        )
    _leave(told, draft)


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


def legal_offset(photo: Subject, new: datetime) -> float | None:
    """Return the offset to write beside the repaired time: the legal one, where the stated one is not; else None."""
    stated = photo.written_offset
    if stated is None or not photo.zones:
        return None
    legal = zones.legal_offsets(photo.zones, new.replace(microsecond=0))
    return legal[0] if stated not in legal and len(legal) == 1 else None


def whole_minutes(seconds: float) -> float:
    """Return *seconds*, rounded to the minute where that moves them by a few seconds only."""
    nearest = round(seconds / 60.0) * 60.0
    return nearest if abs(nearest - seconds) <= 5.0 else float(round(seconds))
