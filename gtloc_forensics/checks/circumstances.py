"""What only many photos together tell of one: GPS times that stand still, old fixes, seconds stamped by a program.

A rule that looks at one photo sees two clocks apart and cannot know which of them is to
be believed. Whether the GPS time is a constant, whether the device's other photos agree
with it, whether a program wrote one second into many files is worked out here, once for
the whole case, before any rule runs; every rule reads it from its context.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import comb
from typing import Any, Protocol, TypeAlias, TypeVar

from gtloc_forensics.checks import gaining, offsets, position_slips
from gtloc_forensics.checks.year_ends import YearEnds
from gtloc_forensics.earth import claims as earth_claims
from gtloc_forensics.earth import globe
from gtloc_forensics.evidence.clocks import receiver
from gtloc_forensics.records import (
    UNKNOWN_DEVICE,
    CauseKind,
    Claim,
    DeviceGroup,
    Finding,
    GpsFault,
    OffsetSource,
    Outcome,
    PhotoSummary,
    Position,
    Stated,
)

__all__ = ["NOTHING", "Circumstance", "Circumstances", "GpsFault", "confirms_clock", "gather", "marked", "of"]

DAY_S = 86_400.0
WHOLE_HOUR_S = 120.0  # a difference this near to whole hours is rather a zone than the age of a fix
OLDEST_FIX_S = 72 * 3600.0  # by the device's other photos alone; a repeated position reaches farther
FEWEST_OF_CASE = 3
FEWEST_DAYS = 3
FEWEST_STAMPED = 3
FEWEST_KEPT = 3
FEWEST_FOREIGN = 2
NEAR_IN_TIME = timedelta(days=7)
MOST_COMPARED = 100
# So rarely may chance put as many photos on one second of the day.
CHANCE = 0.001

TAGS = ("GPS:GPSTimeStamp",)  # of a claim, that are looked at here
UNREAD = ("warnings", "repeated", "unread", "counters")  # its fields that are not

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Circumstance:
    """What the other photos say of one photo; zeros and None where they say nothing."""

    gps_fault: GpsFault | None = None
    sharing: int = 0  # photos that share the fault, this one included
    steady: int = 0  # photos of the device whose GPS time is off by the same length, this one included
    agreeing: int = 0  # other photos of the device whose GPS time agrees with its clock
    is_position_repeated: bool = False  # to the last digit, in a photo of the device taken at another time
    stamped: int = 0  # photos with this very capture second and GPS times of their own, this one included
    is_run_through: bool = False  # the device also took photos in the last hours of the year before
    is_amid_neighbours: bool = False  # nearer to the device's photos before and after than where a slip would put it
    gaining: int = (
        0  # photos of the device over which its clock gains on GPS time, or loses, at one rate, with this one
    )
    keeping_offset: int = 0  # photos of the device that keep its foreign offset, each confirmed by GPS time


NOTHING = Circumstance()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What was worked out of a whole case, by source; photos of which nothing was are left out."""

    by_source: Mapping[str, Circumstance] = field(default_factory=dict)


_Found: TypeAlias = dict[str, Circumstance]


class Statement(Protocol):
    """What a rule is told beside the records, as far as it is needed here."""

    @property
    def circumstances(self) -> Circumstances | None:
        """What a photo's neighbours say of it."""


def of(context: Statement, source_id: str) -> Circumstance:
    """Return what the other photos say of one, which is nothing where it was looked at alone."""
    known = context.circumstances
    return NOTHING if known is None else known.by_source.get(source_id, NOTHING)


def confirms_clock(claim: Claim, context: Statement) -> bool:
    """Return whether a GPS time that moves confirms the claimed time, and the claimed place its zone."""
    compared = offsets.compare(claim)
    if isinstance(compared, str) or of(context, claim.source_id).gps_fault is not None:
        return False
    return compared.is_confirmed


# --------------------------------------------------------------------------- gathering


@dataclass(frozen=True, slots=True)
class _Row:
    """The two clocks of one photo, in a few words."""

    source_id: str
    device_key: str
    local: datetime
    gps: datetime
    dated: bool
    residual_s: float
    difference_s: float
    place: tuple[float, float] | None
    written_hours: float | None  # an offset that the camera wrote
    legal: tuple[float, ...]
    slips: tuple[Position, ...]  # where the offset of its clocks, foreign at the claimed place, is legal after a slip
    zone: str
    offset_hours: float | None
    utc_source: OffsetSource | None

    @property
    def is_off(self) -> bool:
        return abs(self.residual_s) > offsets.SLOW_CLOCK_S

    @property
    def is_older(self) -> bool:
        """Whether the fix lies before the capture, as an old one does."""
        return self.residual_s > offsets.SLOW_CLOCK_S

    @property
    def keeps_foreign_offset(self) -> bool:
        return self.confirms_written and self.written_hours not in self.legal

    @property
    def confirms_written(self) -> bool:
        if self.written_hours is None or not self.legal or not self.dated:
            return False
        return abs(self.difference_s - 3600.0 * self.written_hours) <= offsets.SLOW_CLOCK_S


class Keep(Protocol):
    """Holds what was worked out of each photo while all are compared: in memory as ``list`` does, or elsewhere."""

    def __call__(self, rows: Iterable[K], kind: type[K]) -> Sequence[K]:
        """Return *rows*, which are all of one *kind*, as a sequence."""


def gather(claims: Iterable[Claim], *, keep: Keep = lambda rows, kind: list(rows)) -> Circumstances:
    """Return what the photos of a case say of each other; linear in their number but for sorting.

    Args:
        claims: of all photos.
        keep: holds some numbers of each photo meanwhile.
    """
    found: _Found = {}
    years = YearEnds()
    rows = keep(_rows(claims, years), _Row)
    for source_id in years.run_through():
        found[source_id] = replace(found.get(source_id, NOTHING), is_run_through=True)
    by_device = _grouped(rows, lambda row: row.device_key)
    by_device.pop(UNKNOWN_DEVICE, None)
    for device_rows in by_device.values():
        _constant_dates(device_rows, found)
        _constant_times(device_rows, _fewest_by_chance(sum(row.is_off for row in device_rows)), found)
        _constant_instants(device_rows, found)
        _device_facts(device_rows, found)
        _kept_offsets(device_rows, found)
        _ways(device_rows, found)
        _as_the_clock_model_hears(device_rows, found, keep)
    off = [row for row in rows if row.is_off]
    _constant_times(off, max(FEWEST_OF_CASE, _fewest_by_chance(len(off))), found)
    _stamped(rows, found)
    return Circumstances(found)


def _rows(claims: Iterable[Claim], years: YearEnds) -> Iterator[_Row]:
    for claim in claims:
        years.hear(claim)
        row = _row(claim)
        if row is not None:
            yield row


def _add(found: _Found, row: _Row, **facts: Any) -> None:
    found[row.source_id] = replace(found.get(row.source_id, NOTHING), **facts)


def _row(claim: Claim) -> _Row | None:
    compared = offsets.compare(claim)
    if isinstance(compared, str):
        return None
    place = claim.position.value if isinstance(claim.position, Stated) else None
    written = offsets.stated(claim)
    is_foreign = written is not None and bool(compared.legal) and written.value not in compared.legal
    foreign = written.value if is_foreign and written is not None else offsets.implied_foreign(compared)
    return _Row(
        source_id=claim.source_id,
        device_key=claim.device.key,
        local=compared.local,
        gps=compared.gps,
        dated=compared.dated,
        residual_s=compared.residual_s,
        difference_s=compared.difference_s,
        place=None if place is None else (place.latitude_deg, place.longitude_deg),
        written_hours=written.value if written is not None and earth_claims.is_from_camera(written) else None,
        legal=compared.legal,
        slips=() if foreign is None else position_slips.places(claim, foreign),
        zone=claim.zones[0] if claim.zones else "",
        offset_hours=claim.utc_offset_hours.value if isinstance(claim.utc_offset_hours, Stated) else None,
        utc_source=claim.utc_time.offset_source if isinstance(claim.utc_time, Stated) else None,
    )


def _grouped(rows: Iterable[_Row], key: Callable[[_Row], K]) -> dict[K, list[_Row]]:
    groups: dict[K, list[_Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def _fewest_by_chance(photos: int) -> int:
    """Return how many of *photos* must share one second of the day before it is no accident."""
    fewest = 2
    while comb(photos, fewest) / DAY_S ** (fewest - 1) > CHANCE:
        fewest += 1
    return fewest


def _constant_times(rows: Sequence[_Row], fewest: int, found: _Found) -> None:
    """Mark photos whose GPS time of day is one second although day and capture time went on."""
    for group in _grouped(rows, lambda row: row.gps.time()).values():
        days = {row.gps.date() for row in group if row.dated} or {row.local.date() for row in group}
        taken = {row.local for row in group}
        if min(len(group), len(taken)) < fewest or len(days) < 2 or sum(row.is_off for row in group) < 2:
            continue
        if _spread_s([row.residual_s % DAY_S for row in group]) <= offsets.SLOW_CLOCK_S:
            continue  # taken at one hour of the day, or copies of one file
        for row in group:
            if found.get(row.source_id, NOTHING).sharing < len(group):
                _add(found, row, gps_fault=GpsFault.CONSTANT_TIME, sharing=len(group))


def _spread_s(seconds: Sequence[float]) -> float:
    """Return the shortest arc of the day that holds all *seconds*."""
    ordered = sorted(seconds)
    gaps = [later - earlier for earlier, later in zip(ordered, [*ordered[1:], ordered[0] + DAY_S], strict=True)]
    return DAY_S - max(gaps)


def _constant_dates(rows: Sequence[_Row], found: _Found) -> None:
    """Mark photos that bear one GPS date on several days while its time of day follows the clock."""
    follows = [row for row in rows if row.dated and offsets.from_whole_days_s(row.residual_s) <= offsets.SLOW_CLOCK_S]
    for group in _grouped(follows, lambda row: row.gps.date()).values():
        days = {row.local.date() for row in group}
        if len(days) < FEWEST_DAYS or max(days) - min(days) < timedelta(days=FEWEST_DAYS):
            continue
        for row in group:
            _add(found, row, gps_fault=GpsFault.CONSTANT_DATE, sharing=len(group))


def _constant_instants(rows: Sequence[_Row], found: _Found) -> None:
    """Mark photos that bear one GPS instant on several days and at several places, near none of which it was."""
    for group in _grouped((row for row in rows if row.dated), lambda row: row.gps).values():
        days, places = {row.local.date() for row in group}, {row.place for row in group if row.place is not None}
        if min(len(days), len(places)) < FEWEST_DAYS or not all(row.is_off for row in group):
            continue
        for row in group:
            _add(found, row, gps_fault=GpsFault.CONSTANT_TIME, sharing=len(group))


def _device_facts(rows: Sequence[_Row], found: _Found) -> None:
    trusted = [row for row in rows if found.get(row.source_id, NOTHING).gps_fault is None]
    agreeing = sum(not row.is_off for row in trusted)
    is_gaining = gaining.at_one_rate([(row.gps, row.residual_s) for row in trusted])
    repeated = _repeated_places(rows)
    # Copies of one photo are one witness.
    pairs = sorted({row.local: (row.residual_s, row.local) for row in trusted}.values())
    lengths = [length_s for length_s, _ in pairs]
    for row in trusted:
        if not row.is_off:
            continue
        first, last = row.residual_s - offsets.AGREE_S, row.residual_s + offsets.AGREE_S
        alike = pairs[bisect_left(lengths, first) : bisect_right(lengths, last)][:MOST_COMPARED]
        taken = [local for _, local in alike]
        # Photos taken together share one old fix, and so its age.
        together = len(taken) < 2 or (max(taken) - min(taken)).total_seconds() <= offsets.SLOW_CLOCK_S
        steady = 1 if together else bisect_right(lengths, last) - bisect_left(lengths, first)
        is_repeated = row.source_id in repeated
        is_old = row.is_older and steady == 1 and not is_gaining and _is_old_fix(row, agreeing, is_repeated)
        _add(
            found,
            row,
            agreeing=agreeing,
            steady=steady,
            gaining=len(trusted) if is_gaining else 0,
            is_position_repeated=is_repeated,
            gps_fault=GpsFault.OLD_FIX if is_old else None,
        )


def _as_the_clock_model_hears(rows: Sequence[_Row], found: _Found, keep: Keep) -> None:
    """Mark what the clock model of the device sets aside by its own patterns, so that rule and model tell one story."""
    dated = [row for row in rows if row.dated]
    of_clocks = (_summary(row, found.get(row.source_id, NOTHING).gps_fault) for row in dated)
    group = DeviceGroup("", "", "", tuple(keep(of_clocks, PhotoSummary)))
    faults = receiver.listen(group).faults
    for row in dated:
        known, heard = found.get(row.source_id, NOTHING), faults.get(row.source_id)
        if heard is None or known.gps_fault is not None or (heard is GpsFault.REPEATED and not row.is_older):
            continue
        if heard is GpsFault.STAMPED:
            _add(found, row, stamped=sum(other.local == row.local for other in dated))
        elif heard is not GpsFault.NO_TIME:  # of which the file itself tells
            _add(found, row, gps_fault=heard, sharing=sum(fault is heard for fault in faults.values()))


def _summary(row: _Row, fault: GpsFault | None) -> PhotoSummary:
    """Return one photo as a clock model sees it, with nothing but its clocks."""
    return PhotoSummary(
        source_id=row.source_id,
        sha256="",
        name="",
        device_key=row.device_key,
        media_type="",
        local_time=row.local,
        utc_source=row.utc_source,
        offset_hours=row.offset_hours,
        gps_utc_time=row.gps,
        latitude_deg=None if row.place is None else row.place[0],
        longitude_deg=None if row.place is None else row.place[1],
        zone=row.zone,
        gps_fault=fault,
    )


_NOT_OF_CAPTURE = (CauseKind.RECEIVER, CauseKind.STALE_FIX)


def marked(summary: PhotoSummary, findings: Iterable[Finding], told: Circumstances) -> PhotoSummary:
    """Return a photo's summary with what is known against its GPS time, for all that compare photos.

    Args:
        summary: of the photo.
        findings: of its own rules; what explains its GPS time as none of the capture is heard.
        told: what the other photos say.
    """
    fault = told.by_source.get(summary.source_id, NOTHING).gps_fault
    if fault is None and any(
        finding.check_id == GPS_RULE
        and finding.outcome is Outcome.EXPLAINED
        and finding.cause is not None
        and finding.cause.kind in _NOT_OF_CAPTURE
        for finding in findings
    ):
        fault = GpsFault.NOT_OF_CAPTURE
    return summary if fault is None else replace(summary, gps_fault=fault)


GPS_RULE = "GF101"


def _repeated_places(rows: Sequence[_Row]) -> set[str]:
    """Return the photos whose position another photo of the device, taken at another time, has to the last digit."""
    repeated: set[str] = set()
    for group in _grouped((row for row in rows if row.place is not None), lambda row: row.place).values():
        first, last = min(row.local for row in group), max(row.local for row in group)
        if (last - first).total_seconds() > offsets.SLOW_CLOCK_S:
            repeated |= {row.source_id for row in group}
    return repeated


def _is_old_fix(row: _Row, agreeing: int, is_repeated: bool) -> bool:
    near_hours_s = abs(row.residual_s - 3600.0 * round(row.residual_s / 3600.0))
    if near_hours_s <= WHOLE_HOUR_S and not is_repeated:
        return False
    return is_repeated or (agreeing >= 2 and row.residual_s <= OLDEST_FIX_S)


def _kept_offsets(rows: Sequence[_Row], found: _Found) -> None:
    """Mark photos of a device that keeps one civil offset on its way, its GPS time confirming every instant.

    More than an hour from what the place keeps, it must have been seen at home in that zone as well.
    """
    confirmed = [row for row in rows if row.confirms_written]
    for hours, group in _grouped(confirmed, lambda row: row.written_hours).items():
        foreign = [row for row in group if row.keeps_foreign_offset]
        if len(group) < FEWEST_KEPT or len(foreign) < FEWEST_FOREIGN or hours is None:
            continue
        is_home_known = len(foreign) < len(group)
        for row in foreign:
            if is_home_known or min(abs(hours - legal) for legal in row.legal) <= 1.0:
                _add(found, row, keeping_offset=len(group))


def _ways(rows: Sequence[_Row], found: _Found) -> None:
    """Mark photos that lie nearer to the device's photos before and after than any place that a slip spoilt would."""
    sure = sorted((row.gps, row.place) for row in rows if row.place is not None and not row.slips and not row.is_off)
    for row in rows:
        if row.slips and row.place is not None and (row.confirms_written or row.written_hours is None):
            place = bisect_left(sure, (row.gps, row.place))
            near = [
                Position(*where)
                for moment, where in sure[max(place - 1, 0) : place + 1]
                if abs(moment - row.gps) <= NEAR_IN_TIME
            ]
            is_amid = bool(near) and all(
                globe.apart_km(Position(*row.place), other) < globe.apart_km(slip, other)
                for other in near
                for slip in row.slips
            )
            _add(found, row, is_amid_neighbours=is_amid)


def _stamped(rows: Sequence[_Row], found: _Found) -> None:
    """Mark photos that share a capture second while their GPS times are all over the place."""
    for group in _grouped(rows, lambda row: row.local).values():
        instants = {row.gps.replace(second=0, microsecond=0) for row in group}
        if len(instants) < FEWEST_STAMPED:
            continue
        if (max(instants) - min(instants)).total_seconds() > offsets.SLOW_CLOCK_S:
            for row in group:
                _add(found, row, stamped=len(group))
