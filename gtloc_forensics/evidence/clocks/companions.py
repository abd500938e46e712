"""What another camera of one journey says of a clock: two at one place at one time, one of them confirmed by GPS.

Every photo of the one is put beside those of the other within a stone's throw. The true offset
returns at place after place; all other differences are those of a stay and scatter. It is the
most exact witness a camera without a receiver can have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth.globe import distance_km
from gtloc_forensics.evidence.clocks import receiver
from gtloc_forensics.evidence.exposure.clock_offsets import civil_offset_hours
from gtloc_forensics.records import DeviceGroup, PhotoSummary

NEAR_KM = 0.15
SURELY_APART_DEG = 0.01  # of latitude, a kilometre: such photos need no distance worked out
APART_KM = 0.3  # places nearer than this are one: a stay there is one meeting
FEWEST_PLACES = 4
SHARED = 0.6  # of the places where the two met that must agree
TOGETHER_HOURS = 10.0 / 60.0  # people of one journey take pictures of a place within minutes
RIVAL = 0.5  # a second difference with more than this share of the best one's places leaves it open
# One walks ahead of the other: what agreeing places cannot average out.
WALK_HOURS = 5.0 / 60.0
WHOLE_HOURS = 3.0 / 60.0  # this near to whole hours it is taken for whole hours: clocks are set by zones
MOST_PHOTOS = 400


@dataclass(frozen=True, slots=True)
class Meetings:
    """How far a clock was ahead of a companion's, and at how many places that was seen."""

    hours: float
    reach_hours: float
    places: int
    label: str  # of the companion
    days: NDArray[np.float64]  # since 1970, at which the photos that agree were taken by their own clock

    @property
    def interval_hours(self) -> tuple[float, float]:
        """The 95 % interval of the offset."""
        return self.hours - self.reach_hours, self.hours + self.reach_hours


@dataclass(frozen=True, slots=True)
class Reference:
    """A device whose clock GPS time confirms: where each of its confirmed photos was taken, and when."""

    device_key: str
    label: str
    latitude_deg: NDArray[np.float64]  # [N]
    longitude_deg: NDArray[np.float64]
    utc_hours: NDArray[np.float64]  # since 1970

    @classmethod
    def of(cls, group: DeviceGroup) -> Reference:
        """Return what others are put beside: made once, however many there are."""
        theirs = _confirmed(group)
        latitude, longitude = _degrees(theirs)
        return cls(group.device_key, group.label, latitude, longitude, np.array([_hours(their) for their in theirs]))


def meetings(group: DeviceGroup, references: Iterable[Reference]) -> Meetings | None:
    """Return what the best of some devices whose clocks GPS time confirms says of *group*'s; None where none does."""
    own = _placed(group.summaries)
    if not own:
        return None
    claimed, place_of = _claimed_hours(own), _places(own)
    found = [
        met
        for other in references
        if other.device_key != group.device_key and (met := _with(own, claimed, place_of, other)) is not None
    ]
    return max(found, key=lambda met: (met.places, -met.reach_hours), default=None)


def _with(
    own: Sequence[PhotoSummary], claimed: Sequence[float], place_of: Sequence[int], other: Reference
) -> Meetings | None:
    if not other.utc_hours.size:
        return None
    southernmost = float(other.latitude_deg.min()) - SURELY_APART_DEG
    northernmost = float(other.latitude_deg.max()) + SURELY_APART_DEG
    seen: list[tuple[float, int, float]] = []
    for photo, moment, place in zip(own, claimed, place_of, strict=True):
        latitude_deg = float(photo.latitude_deg or 0.0)
        if not southernmost <= latitude_deg <= northernmost:
            continue
        near = (
            distance_km(
                latitude_deg,
                float(photo.longitude_deg or 0.0),
                second_latitude_deg=other.latitude_deg,
                second_longitude_deg=other.longitude_deg,
            )
            <= NEAR_KM
        )
        seen += [(float(moment - instant), place, moment / 24.0) for instant in other.utc_hours[near]]
    return _agreed(seen, other.label)


def _agreed(seen: Sequence[tuple[float, int, float]], label: str) -> Meetings | None:
    """Return the difference at which most places agree, unless another does nearly as well."""
    if not seen:
        return None
    hours = np.array(sorted(difference for difference, _, _ in seen))
    ordered = sorted(seen)
    votes = [
        (len({place for _, place, _ in ordered[first:last]}), first, last)
        for first, last in enumerate(np.searchsorted(hours, hours + TOGETHER_HOURS, side="right").tolist())
    ]
    places, first, last = max(votes, key=lambda vote: (vote[0], -vote[1]))
    all_places = len({place for _, place, _ in seen})
    inside = hours[first:last]
    rival = max(
        (
            count
            for count, start, _ in votes
            if hours[start] > inside[-1] + TOGETHER_HOURS or hours[start] < inside[0] - 2.0 * TOGETHER_HOURS
        ),
        default=0,
    )
    if places < FEWEST_PLACES or places < SHARED * all_places or rival > RIVAL * places:
        return None
    middle = float(np.median(inside))
    reach = max(WALK_HOURS, 2.0 * 1.4826 * float(np.median(np.abs(inside - middle))))
    whole = round(middle)
    kept = float(whole) if abs(middle - whole) <= WHOLE_HOURS else middle
    return Meetings(kept, reach, places, label, np.array([day for _, _, day in ordered[first:last]]))


# --------------------------------------------------------------------------- the two sides


def _placed(summaries: Sequence[PhotoSummary]) -> list[PhotoSummary]:
    found = [
        summary
        for summary in summaries
        if summary.local_time is not None and summary.latitude_deg is not None and summary.longitude_deg is not None
    ]
    keep = np.linspace(0, len(found) - 1, min(len(found), MOST_PHOTOS)).round().astype(int)
    return [found[index] for index in keep]


def _confirmed(other: DeviceGroup) -> list[PhotoSummary]:
    """Return the photos of a companion whose GPS time agrees with its clock."""
    heard = [
        photo
        for photo in receiver.listen(other).heard
        if (hours := receiver.residual_hours(photo)) is not None and abs(hours) <= receiver.TOGETHER_HOURS
    ]
    return _placed(heard)


def _claimed_hours(own: Sequence[PhotoSummary]) -> list[float]:
    """Return the claimed instants, in hours since 1970, were the civil time that each claims right at its place."""
    return [
        (photo.local_time - receiver.UNIX_EPOCH) / timedelta(hours=1) - civil_offset_hours(photo)
        for photo in own
        if photo.local_time is not None
    ]


def _hours(photo: PhotoSummary) -> float:
    return ((photo.gps_utc_time or receiver.UNIX_EPOCH) - receiver.UNIX_EPOCH) / timedelta(hours=1)


def _degrees(summaries: Sequence[PhotoSummary]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return (
        np.array([summary.latitude_deg for summary in summaries], np.float64),
        np.array([summary.longitude_deg for summary in summaries], np.float64),
    )


def _places(own: Sequence[PhotoSummary]) -> list[int]:
    """Return a number for the place of each photo: a walk of less than :data:`APART_KM` stays at one."""
    numbers, number = [0], 0
    for before, now in pairwise(own):
        apart = distance_km(
            float(before.latitude_deg or 0.0),
            float(before.longitude_deg or 0.0),
            second_latitude_deg=float(now.latitude_deg or 0.0),
            second_longitude_deg=float(now.longitude_deg or 0.0),
        )
        number += bool(apart > APART_KM)
        numbers.append(number)
    return numbers
