"""GF410 — Two cameras at the same places, their clocks apart.

Shows: that two devices photographed the same places in the same order, mostly by the same
difference in time: two cameras of one journey, one of whose clocks is off. Where GPS time
confirms the clock of one of them, it is the other's that is off.

Cannot show: which of the two is right, where GPS time confirms neither or both; nor a
difference of less than 20 minutes, which a walk explains.

Blind spots: one person who follows another at a distance; a place where both stayed all day.

Threshold: five places (within 100 m) that each device saw within one hour of its own, whose
differences agree within 10 minutes round a median of at least 20 minutes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.checks import Context, Scope, check, offsets, pairs
from gtloc_forensics.earth import zones
from gtloc_forensics.records import Finding, Outcome, PhotoSummary, Sentence, Severity, template

CELLS_PER_DEGREE = 1_000  # about 100 m
FEWEST_PLACES = 5
SHORTEST_STAY_S = 3_600.0
SPREAD_S = 600.0
LEAST_S = 1_200.0
MOST_DEVICES_AT_A_PLACE = 8
CONFIRMED_SHARE = 0.6

_ONE_OF_TWO = template(
    "Two cameras were at the same places, their clocks {apart_hours:length} apart at {places} of {compared} places: "
    "one of the two is off."
)
_THIS_ONE = template(
    "Two cameras were at the same places, their clocks {apart_hours:length} apart at {places} of {compared} places: "
    "GPS time confirms the other one, so this one is off."
)

_COLUMNS = 1 << 20  # more than there are cells round the earth

_Visits = dict[tuple[int, int], dict[str, list[PhotoSummary]]]
_Meeting = tuple[list[PhotoSummary], list[PhotoSummary]]


@dataclass(frozen=True, slots=True)
class _Placed:
    """Photos with a place and an instant, and where each is and of which device."""

    photos: Sequence[PhotoSummary]
    degrees: tuple[NDArray[np.float64], NDArray[np.float64]]  # latitudes and longitudes
    devices: NDArray[np.int64]


@check("GF410", title="Two cameras at one place, clocks apart", scope=Scope.CASE, version="4")
def two_cameras(summaries: Sequence[PhotoSummary], context: Context) -> Iterator[Finding]:
    """Compare when pairs of devices were at the places both photographed."""
    compared: list[PhotoSummary] = []
    concerned: list[PhotoSummary] = []
    for pair, meetings in _meetings(summaries).items():
        if len(meetings) < FEWEST_PLACES:
            continue
        photos = [visit for meeting in meetings for visits in meeting for visit in visits]
        compared += photos
        for finding in _compare(pair, meetings):
            concerned += photos
            yield finding
    by_id = {photo.source_id: photo for photo in compared}
    fine = pairs.rest(by_id.values(), concerned)
    agree = Sentence("Other cameras at its places agree with its clock, or tell nothing.")
    yield from pairs.passed("GF410", fine, agree)
    silent = pairs.rest(summaries, compared)
    yield from pairs.silent("GF410", silent, Sentence("no other camera was at enough of its places"))


def _meetings(summaries: Sequence[PhotoSummary]) -> dict[tuple[str, str], list[_Meeting]]:
    """Return where pairs of devices met, each meeting once.

    On two grids half a cell apart: two cameras a few steps apart may stand on either side of an edge of one of them.
    """
    found: dict[tuple[str, str], list[_Meeting]] = {}
    placed = _placed(summaries)
    for shift in (0.0, 0.5):
        visits = _visits(placed, shift)
        for pair, places in _shared(visits).items():
            known = found.setdefault(pair, [])
            seen = {photo.source_id for meeting in known for side in meeting for photo in side}
            for place in places:
                meeting = visits[place][pair[0]], visits[place][pair[1]]
                if not any(photo.source_id in seen for side in meeting for photo in side):
                    known.append(meeting)
    return found


def _placed(summaries: Sequence[PhotoSummary]) -> _Placed:
    """Return those with a place and an instant, and as columns where they are and of which device."""
    photos: list[PhotoSummary] = []
    latitudes, longitudes, devices = array("d"), array("d"), array("q")
    numbers: dict[str, int] = {}
    for photo in summaries:
        latitude_deg, longitude_deg = photo.latitude_deg, photo.longitude_deg
        if latitude_deg is None or longitude_deg is None or pairs.instant(photo) is None:
            continue
        photos.append(photo)
        latitudes.append(latitude_deg)
        longitudes.append(longitude_deg)
        devices.append(numbers.setdefault(photo.device_key, len(numbers)))
    degrees = np.array(latitudes, np.float64), np.array(longitudes, np.float64)
    return _Placed(photos, degrees, np.array(devices, np.int64))


def _visits(placed: _Placed, shift: float) -> _Visits:
    """Return the cells that several devices visited: most cells are one camera's, and nothing is made of them."""
    rows, columns = (np.rint(angle * CELLS_PER_DEGREE + shift).astype(np.int64) for angle in placed.degrees)
    cells = rows * _COLUMNS + columns
    both = np.unique(np.stack((cells, placed.devices)), axis=1)[0]
    shared = np.isin(cells, both[1:][both[1:] == both[:-1]])
    found: _Visits = {}
    for number in np.flatnonzero(shared).tolist():
        photo = placed.photos[number]
        by_device = found.setdefault((int(rows[number]), int(columns[number])), {})
        by_device.setdefault(photo.device_key, []).append(photo)
    return found


def _shared(
    visits: Mapping[tuple[int, int], Mapping[str, list[PhotoSummary]]],
) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """Return, for each pair of devices, the cells both visited briefly; crowded cells are passed over."""
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for cell, devices in sorted(visits.items()):
        brief = [device for device, photos in sorted(devices.items()) if _is_brief(photos)]
        if 2 <= len(brief) <= MOST_DEVICES_AT_A_PLACE:
            for pair in combinations(brief, 2):
                found.setdefault(pair, []).append(cell)
    return found


def _is_brief(photos: Sequence[PhotoSummary]) -> bool:
    ordered = pairs.in_order(photos)
    return abs(pairs.apart_s(ordered[-1], ordered[0]) or 0.0) <= SHORTEST_STAY_S


def _compare(pair: tuple[str, str], meetings: Sequence[_Meeting]) -> Iterator[Finding]:
    differences = [_middle_difference(first, second) for first, second in meetings]
    known = np.array([seconds for seconds in differences if seconds is not None])
    if len(known) < FEWEST_PLACES:
        return
    middle = float(np.median(known))
    agree = np.abs(known - middle) <= SPREAD_S
    if abs(middle) < LEAST_S or agree.sum() < max(FEWEST_PLACES, 0.6 * len(known)):
        return
    photos = [[photo for meeting in meetings for photo in meeting[side]] for side in (0, 1)]
    confirmed = [_is_confirmed(side) for side in photos]
    off = 0 if confirmed == [False, True] else 1 if confirmed == [True, False] else None
    yield pairs.about(
        "GF410",
        [*photos[0], *photos[1]] if off is None else photos[off],
        Sentence(
            _ONE_OF_TWO if off is None else _THIS_ONE,
            apart_hours=middle / 3600.0,
            places=int(agree.sum()),
            compared=len(known),
        ),
        outcome=Outcome.SUSPICIOUS,
        kind="clock-offset",
        device_key="" if off is None else pair[off],
        offset_hours=None if off is None else (middle if off == 0 else -middle) / 3600.0,
        severity=Severity.MEDIUM,
        innocent=(Sentence("one person following another"), Sentence("a clock on another zone")),
        limitations=(Sentence("It does not tell which clock is right."),) if off is None else (),
        facts={
            "places": int(agree.sum()),
            "places_compared": len(known),
            "difference_s": -middle if off == 1 else middle,  # by which ``device`` is ahead of ``other_device``
            "device": pair[off or 0],
            "other_device": pair[1 - (off or 0)],
        },
    )


def _is_confirmed(photos: Sequence[PhotoSummary]) -> bool:
    """Whether GPS time confirms the clock in most of the photos that have one, the place's zone applied."""
    known = [
        (photo.local_time - photo.gps_utc_time).total_seconds() - 3600.0 * hours
        for photo in photos
        if photo.local_time is not None and photo.gps_utc_time is not None and photo.zone
        for hours in zones.legal_offsets((photo.zone,), photo.local_time)[:1]
    ]
    return bool(known) and sum(abs(rest_s) <= offsets.SLOW_CLOCK_S for rest_s in known) > CONFIRMED_SHARE * len(known)


def _middle_difference(first: Sequence[PhotoSummary], second: Sequence[PhotoSummary]) -> float | None:
    ordered = pairs.in_order(first), pairs.in_order(second)
    return pairs.apart_s(ordered[0][len(ordered[0]) // 2], ordered[1][len(ordered[1]) // 2])
