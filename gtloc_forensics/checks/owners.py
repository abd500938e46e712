"""Whether two photos of one model may be of two devices: what speaks for a second owner where no serial number does."""

from __future__ import annotations

from gtloc_forensics.earth import zones
from gtloc_forensics.records import CounterKind, DeviceGroup, PhotoSummary, Sentence, Statement

ONE_SERIES = 50  # file numbers this near belong to one device
OTHER_SERIES = 500


def two_devices(group: DeviceGroup, photo: PhotoSummary, other: PhotoSummary) -> Statement:
    """Return what says that two photos of a group were taken by two devices of one model; "" when nothing does.

    A group with a body serial number is one device, and so are two photos whose file numbers follow each other.
    """
    if not group.doubt or are_one_series(photo, other):
        return ""
    numbers = _numbers(photo), _numbers(other)
    if None not in numbers and abs((numbers[0] or 0) - (numbers[1] or 0)) > OTHER_SERIES:
        return Sentence("their file numbers belong to two series")
    if photo.software and other.software and photo.software != other.software:
        return Sentence("their software is of two versions")
    if photo.offset_hours != other.offset_hours and all(_keeps_own_zone(keeper) for keeper in (photo, other)):
        return Sentence("each keeps the zone of its own place")
    return ""


def are_one_series(photo: PhotoSummary, other: PhotoSummary) -> bool:
    """Return whether the file numbers of two photos are so near that one device gave both."""
    numbers = _numbers(photo), _numbers(other)
    return None not in numbers and abs((numbers[0] or 0) - (numbers[1] or 0)) <= ONE_SERIES


def _numbers(photo: PhotoSummary) -> int | None:
    return next((counter.value for counter in photo.counters if counter.kind is CounterKind.FILE_NUMBER), None)


def _keeps_own_zone(photo: PhotoSummary) -> bool:
    """Whether the instant rests on an offset that is legal at the photo's own place."""
    if photo.offset_hours is None or photo.local_time is None or not photo.zone:
        return False
    return photo.offset_hours in zones.legal_offsets((photo.zone,), photo.local_time)


def taken_for_one(group: DeviceGroup) -> Sentence:
    """Return, as an innocent explanation, why photos of a group may be of two devices; the group has a doubt."""
    return Sentence("two devices taken for one: {doubt}", doubt=group.doubt)
