"""What a person ordered, as one record, and the plan that answers it.

One order asks for one repair of times and one of positions at most; an order that asks
for neither gets what the case itself proposes. Lines locked in an earlier plan stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gtloc_forensics.correct import changes as lines
from gtloc_forensics.correct import proposals, repairs
from gtloc_forensics.correct.changes import DEFAULT_STRENGTH, Change, Plan, merged
from gtloc_forensics.correct.repairs import GpsRepair, Subject
from gtloc_forensics.correct.tracks import read_gpx
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
    zone: str = ""  # "Europe/Berlin": written beside the clock, which stays
    keep_instant: bool = False  # with zone: the clock moves to it instead, the instant stays
    keep_zone: bool = False  # with offset or reference: never touch the offset from UTC
    swap_day_month: bool = False
    gps: GpsRepair | None = None
    neighbours: bool = False  # positions from photos taken just before and after
    tracks: tuple[Path, ...] = ()  # positions from GPX files
    clock_ahead_s: float = 0.0  # with tracks: what the camera's clock was ahead of the receiver's
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
        for kind in (self.of_time, self.of_position):
            if len(kind) > 1:
                raise PlanError(f"{' and '.join(kind)} in one plan would hide what each does; make one after the other")
        if self.keep_instant and not self.zone:
            raise PlanError("--keep-instant needs the zone to move to; add --zone")
        if self.keep_zone and not (self.offset or self.reference):
            raise PlanError("--keep-zone speaks of a clock that is moved; add --offset or --from-reference")
        if not 0.0 <= self.least_strength <= 1.0:
            raise PlanError("a strength lies between 0 and 1")


def plan(
    order: Order,
    photos: Iterable[Photo],
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
    known = _within(repairs.subjects(photos, camera=order.camera), order.only)
    kept = tuple(findings)
    out = [*_times(order, known), *_positions(order, known)]
    notes: tuple[str, ...] = ()
    if not (order.of_time or order.of_position or order.keywords):
        proposal = proposals.propose(known, clocks=clocks, findings=kept, least_strength=order.least_strength)
        out, notes = list(proposal.changes), proposal.notes
    if order.keywords:
        out += repairs.keyworded(known, proposals.keywords(known, kept))
    return merged(earlier, out, notes=notes)


def _within(photos: tuple[Subject, ...], only: tuple[bytes, ...]) -> tuple[Subject, ...]:
    if not only:
        return photos
    chosen = tuple(
        one for one in photos if any(one.relative == at or one.relative.startswith(at + b"/") for at in only)
    )
    if not chosen:
        raise PlanError(
            f"no photo with a claim at {', '.join(visible(at) for at in only)}; name paths below the evidence"
        )
    return chosen


def _times(order: Order, photos: Sequence[Subject]) -> list[Change]:
    if order.offset:
        return repairs.shifted(photos, lines.read_shift(order.offset), keep_zone=order.keep_zone)
    if order.reference:
        reference, true_local = read_reference(order.reference)
        return repairs.from_reference(photos, reference, true_local, keep_zone=order.keep_zone)
    if order.zone:
        zone = _known_zone(order.zone)
        return repairs.moved_to_zone(photos, zone) if order.keep_instant else repairs.relabelled(photos, zone)
    return repairs.day_month_swapped(photos) if order.swap_day_month else []


def _positions(order: Order, photos: Sequence[Subject]) -> list[Change]:
    if order.gps is not None:
        return repairs.gps_repaired(photos, order.gps)
    if order.neighbours:
        return repairs.from_neighbours(photos)
    if order.tracks:
        return repairs.from_track(photos, read_gpx(order.tracks), clock_ahead_s=order.clock_ahead_s)
    return []


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
        zones.zone_info(zone)
    except ToolMissing as error:
        raise PlanError(f"no time zone is called {zone!r}; write one like Europe/Berlin") from error
    return zone
