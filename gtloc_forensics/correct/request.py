"""What a person ordered, as one record, and the plan that answers it.

One order asks for one repair of times and one of positions at most, but a clock that is moved
may have its zone written in the same order; an order that asks for neither gets what the case
itself proposes. Lines locked in an earlier plan stand.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gtloc_forensics.correct import changes as lines
from gtloc_forensics.correct import names, proposals, repairs
from gtloc_forensics.correct.changes import DEFAULT_STRENGTH, Change, Plan, Quantity, merged
from gtloc_forensics.correct.draft import named
from gtloc_forensics.correct.repairs import GpsRepair, Subject
from gtloc_forensics.correct.tracks import read_gpx
from gtloc_forensics.correct.witnesses import states_the_instant
from gtloc_forensics.earth import zones
from gtloc_forensics.errors import PlanError, ToolMissing
from gtloc_forensics.records import ClockModel, Finding, Photo, visible

NO_PLAN = Plan()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to plan. Empty fields ask for nothing."""

    only: tuple[bytes, ...] = ()  # photos or folders below the evidence; () for all
    camera: str = ""  # serial number, device key, or make and model; "" for all
    offset: str = ""  # "+01:02:00": moves the clock
    reference: str = ""  # "PHOTO=2024-06-15 12:00:00": its true local time sets its camera's clock
    zone: str = ""  # "Europe/Berlin": written beside the clock, as it stands or as offset or reference set it
    keep_instant: bool = False  # with zone: the clock moves to it instead, the instant stays
    keep_zone: bool = False  # with offset or reference: never touch the offset from UTC
    swap_day_month: bool = False
    gps: GpsRepair | None = None
    neighbours: bool = False  # positions from photos taken just before and after
    tracks: tuple[Path, ...] = ()  # positions from GPX files; before neighbours
    replace_positions: bool = False  # with tracks: also those that a camera wrote itself
    clock_ahead_s: float = 0.0  # with tracks: what the camera's clock was ahead of the receiver's
    rename: str = ""  # a pattern of names by local time, see names.PATTERN; beside whatever else is asked or proposed
    keywords: bool = False  # gtloc|OUTCOME|CAUSE for what was found
    least_strength: float = DEFAULT_STRENGTH  # of what the case proposes

    @property
    def of_time(self) -> tuple[str, ...]:
        """The repairs of time that are asked for."""
        asked = {"--offset": self.offset, "--from-reference": self.reference, "--zone": self.zone}
        return (*(name for name, value in asked.items() if value), *(("--swap-day-month",) * self.swap_day_month))

    @property
    def of_position(self) -> tuple[str, ...]:
        """The repairs of position that are asked for."""
        asked = {"--gps": self.gps, "--neighbours": self.neighbours, "--track": self.tracks}
        return tuple(name for name, value in asked.items() if value)

    def __post_init__(self) -> None:
        """Refuse what cannot be meant together."""
        zone_after = not (self.keep_instant or self.swap_day_month)  # written beside the clock that the other one sets
        times = tuple(name for name in self.of_time if name != "--zone" or not zone_after)
        for kind in (times, self.of_position if self.gps else ()):
            if len(kind) > 1:
                raise PlanError(f"{' and '.join(kind)} in one plan would hide what each does; make one after the other")
        if self.replace_positions and not self.tracks:
            raise PlanError("--replace-positions says what a track may overwrite; add --track FILE")
        if self.clock_ahead_s and not self.tracks:
            raise PlanError("--clock-ahead compares a camera with the receiver of a track; add --track FILE")
        if self.keep_instant and not self.zone:
            raise PlanError("--keep-instant needs the zone to move to; add --zone")
        if self.keep_zone and not (self.offset or self.reference):
            raise PlanError("--keep-zone speaks of a clock that is moved; add --offset or --from-reference")
        if self.keep_zone and self.zone:
            raise PlanError("--keep-zone leaves the zone that --zone replaces; drop one of the two")
        if not 0.0 <= self.least_strength <= 1.0:
            raise PlanError("a strength lies between 0 and 1")


def plan(
    order: Order,
    photos: Iterable[Photo | repairs.Claimed],
    *,
    clocks: Iterable[ClockModel] = (),
    findings: Iterable[Finding] = (),
    earlier: Plan = NO_PLAN,
) -> Plan:
    """Return the plan that answers *order*; the same input gives the same plan.

    Args:
        order: what is wanted.
        photos: of the case, read once.
        clocks: of the case, for what it proposes itself.
        findings: of its photos, for the same and for keywords.
        earlier: a plan whose locked lines stand.

    Raises:
        PlanError: the order cannot be carried out on these photos.
    """
    everyone = repairs.subjects(photos)
    known = _within(repairs.of_camera(everyone, order.camera), order.only)
    kept = tuple(findings)
    out = _times(order, known)
    notes = list(_idle_times(order, known, out))
    placed, why = _positions(order, repairs.with_times(known, out))
    out, notes = [*out, *placed], [*notes, *why]
    if not (order.of_time or order.of_position or order.keywords):
        proposal = proposals.propose(known, clocks=clocks, findings=kept, least_strength=order.least_strength)
        out, notes = list(proposal.changes), list(proposal.notes)
    if order.keywords:
        words = repairs.keyworded(known, proposals.keywords(known, kept))
        notes += [] if words else ["--keywords: nothing was found, so there is no keyword to write"]
        out += words
    if order.rename:
        named_by, why = names.planned(
            known, out, order.rename, everyone=everyone, findings=() if order.of_time else kept
        )
        out, notes = [*out, *named_by], [*notes, *why]
    return merged(earlier, out, notes=tuple(notes))


def chosen(
    photos: Iterable[Photo | repairs.Claimed], *, only: Sequence[bytes] = (), camera: str = ""
) -> frozenset[bytes]:
    """Return the paths of the photos that an order about *only* these, of this *camera*, would be about.

    Raises:
        PlanError: there are none.
    """
    known = _within(repairs.subjects(photos, camera=camera), tuple(only))
    return frozenset(photo.relative for photo in known)


def restricted(plan: Plan, photos: Collection[bytes]) -> Plan:
    """Return those lines of a plan that are about some photos.

    Raises:
        PlanError: none is.
    """
    kept = tuple(change for change in plan.changes if change.relative in photos)
    if not kept:
        raise PlanError("no line of the plan is about these photos; plan again, or leave --only and --camera out")
    return Plan(kept, plan.notes)


def _within(photos: tuple[Subject, ...], only: tuple[bytes, ...]) -> tuple[Subject, ...]:
    if not only:
        return photos
    chosen = tuple(
        photo for photo in photos if any(photo.relative == at or photo.relative.startswith(at + b"/") for at in only)
    )
    if not chosen:
        raise PlanError(
            f"no photo with a claim at {', '.join(visible(at) for at in only)}; name paths below the evidence"
        )
    return chosen


def _times(order: Order, photos: Sequence[Subject]) -> list[Change]:
    zone = _known_zone(order.zone)
    if order.offset:
        return repairs.shifted(photos, lines.read_shift(order.offset), keep_zone=order.keep_zone, zone=zone)
    if order.reference:
        reference, true_local = read_reference(order.reference)
        return repairs.from_reference(photos, reference, true_local, keep_zone=order.keep_zone, zone=zone)
    if zone:
        return repairs.moved_to_zone(photos, zone) if order.keep_instant else repairs.relabelled(photos, zone)
    return repairs.day_month_swapped(photos) if order.swap_day_month else []


def _idle_times(order: Order, photos: Sequence[Subject], made: Sequence[Change]) -> Iterator[str]:
    """Yield why an order about times changes nothing in some photos."""
    if not order.of_time:
        return
    touched = {change.relative for change in made}
    left: dict[str, list[str]] = {}
    for photo in photos:
        if photo.relative not in touched:
            left.setdefault(_why_time_stays(order, photo), []).append(photo.name)
    yield from (f"{order.of_time[0]}: {named(names)}: {why}" for why, names in left.items())
    confirmed = [photo.name for photo in photos if photo.relative in touched and states_the_instant(photo)]
    moved = {change.relative for change in made if change.quantity is Quantity.GPS_TIME}
    if confirmed and moved:
        yield (
            f"{order.of_time[0]}: {named(confirmed)}: the GPS clock in the file confirms the time as it is; drop the "
            "lines unless you know better"
        )


def _why_time_stays(order: Order, photo: Subject) -> str:
    if photo.local is None:
        return "no capture time is in the file; write a line by hand if you know it"
    if order.keep_instant and photo.utc is None:
        return "its instant is not known, for it states no zone; --zone without --keep-instant writes one"
    if order.swap_day_month:
        return "day and month cannot have been exchanged there: they are equal, or one is above 12"
    if order.reference:
        return "another camera than the reference photo's; each clock needs a reference of its own"
    return "it is so already"


def _positions(order: Order, photos: Sequence[Subject]) -> tuple[list[Change], list[str]]:
    """Return the lines about positions, and why some photos get none."""
    made: list[Change] = []
    reasons: dict[str, list[str]] = {}
    asked = order.of_position
    if order.gps is not None:
        made += repairs.gps_repaired(photos, order.gps)
    if order.tracks:
        free = [photo for photo in photos if photo.position is None or order.replace_positions]
        made += repairs.from_track(free, read_gpx(order.tracks), clock_ahead_s=order.clock_ahead_s)
    if order.neighbours:
        placed = {change.relative for change in made}
        made += repairs.from_neighbours([photo for photo in photos if photo.relative not in placed])
    touched = {change.relative for change in made}
    for photo in photos if asked else ():
        if photo.relative not in touched:
            reasons.setdefault(_why_place_stays(order, photo), []).append(photo.name)
    return made, [f"{' and '.join(asked)}: {named(names)}: {why}" for why, names in reasons.items()]


def _why_place_stays(order: Order, photo: Subject) -> str:
    if order.gps is not None:
        return "no position to repair is there, or the repair would give none"
    if photo.position is not None and not order.replace_positions:
        by_track = "; --replace-positions overwrites it" if order.tracks else ""
        return f"it has a position of its own, which stays{by_track}"
    if photo.local is None:
        return "no capture time is in the file"
    if photo.utc is None:
        return "its instant is not known, for it states no zone; name the clock's zone in the same order: --zone ZONE"
    if order.tracks:
        return "no track point, and nothing between two, within 30 minutes of it; --clock-ahead sets the camera's error"
    return "no photo with a position was taken within 30 minutes of it"


def read_reference(text: str) -> tuple[bytes, datetime]:
    """Return the photo and its true local time in ``trip/a.jpg=2024-06-15 12:00:00``.

    Raises:
        PlanError: it is not of that form.
    """
    found = re.fullmatch(r"(.+)=([^=]+)", text, re.DOTALL)
    if found is None:
        raise PlanError(f"{text!r} is not a reference; write PHOTO=2024-06-15 12:00:00")
    return found[1].encode("utf-8", "surrogateescape"), lines.read_time(found[2].strip())


def _known_zone(zone: str) -> str:
    try:
        if zone:
            zones.zone_info(zone)
    except ToolMissing as error:
        raise PlanError(f"no time zone is called {zone!r}; write one like Europe/Berlin") from error
    return zone
