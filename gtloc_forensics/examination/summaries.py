"""The lean view of photos that comparing many of them needs, and their grouping by device."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.checks.reference import devices
from gtloc_forensics.earth.circular import year_turn
from gtloc_forensics.examination import on_disk
from gtloc_forensics.metadata import burst_id
from gtloc_forensics.records import (
    UNKNOWN_DEVICE,
    Absent,
    Claim,
    Device,
    DeviceGroup,
    ImageFacts,
    Photo,
    PhotoSummary,
    Prediction,
    Sentence,
    Stated,
    Statement,
    Sun,
    Uptime,
)

V = TypeVar("V")

DAY_S = 86_400.0


def summary_of(photo: Photo) -> PhotoSummary | None:
    """Return what *photo* contributes to comparisons; None when its metadata could not be read."""
    claim = photo.claim
    if not isinstance(claim, Claim):
        return None
    position = _stated(claim.position)
    uptime = claim.uptime if isinstance(claim.uptime, Uptime) else None
    image = photo.image if isinstance(photo.image, ImageFacts) else None
    prediction = photo.prediction if isinstance(photo.prediction, Prediction) else None
    # A capture known to the month or the year has no time that photos could be compared by.
    local_time = _stated(claim.local_time) if claim.local_resolution_s <= DAY_S else None
    return PhotoSummary(
        source_id=photo.source.source_id,
        sha256=photo.source.sha256,
        name=photo.source.display_path,
        device_key=claim.device.key,
        media_type=photo.source.media_type,
        local_time=local_time,
        local_resolution_s=_resolution(claim),
        utc_time=None if local_time is None and claim.local_resolution_s > DAY_S else _stated(claim.utc_time),
        utc_source=claim.utc_time.offset_source if isinstance(claim.utc_time, Stated) else None,
        offset_hours=_stated(claim.utc_offset_hours),
        gps_utc_time=_stated(claim.gps_utc_time),
        latitude_deg=None if position is None else position.latitude_deg,
        longitude_deg=None if position is None else position.longitude_deg,
        position_error_m=_stated(claim.position_error_m),
        zone=claim.zones[0] if claim.zones else "",
        ev100=_present(claim.exposure.ev100),
        flash_fired=_present(claim.exposure.flash_fired),
        sun_elevation_deg=photo.sun.elevation_deg if isinstance(photo.sun, Sun) else None,
        counters=claim.counters,
        uptime_s=None if uptime is None else uptime.seconds,
        uptime_excludes_sleep=uptime is not None and uptime.excludes_sleep,
        burst_id=burst_id(claim),
        software=_present(claim.device.software) or "",
        perceptual_hash=None if image is None else image.perceptual_hash,
        hour_mass=None if prediction is None or local_time is None else _hour_mass(prediction, local_time),
        datable=None if prediction is None else prediction.datable,
        embedding=None
        if prediction is None or prediction.embedding is None
        else prediction.embedding.astype(np.float16),
        mean_luminance=None if image is None else image.mean_luminance,
        speed_km_h=devices.speed_km_h(claim) or None,
        altitude_m=_stated(claim.altitude_m),
        structure=claim.structure,
    )


def by_device(
    summaries: Iterable[PhotoSummary], labels: dict[str, tuple[Statement, Statement]]
) -> tuple[DeviceGroup, ...]:
    """Group summaries by device, each group in the order of its claimed local time.

    Args:
        summaries: in path order; photos of no known device are left out.
        labels: device key → (label for people, doubt).
    """
    groups: dict[str, list[PhotoSummary]] = {}
    for item in summaries:
        if item.device_key != UNKNOWN_DEVICE:
            groups.setdefault(item.device_key, []).append(item)
    return tuple(
        DeviceGroup(key, *labels.get(key, (key, "")), summaries=tuple(sorted(groups[key], key=_by_claimed_time)))
        for key in sorted(groups)
    )


def label(claim: Claim) -> tuple[Statement, Statement]:
    """Return how to call a claim's device, and how sure it is that it is one device."""
    return called(claim.device), claim.device.doubt


def called(device: Device) -> Statement:
    """Return how to call a device: make and model, with its serial number where there is one."""
    name, serial = devices.name_of(device), _present(device.serial)
    return Sentence("{name} (serial {serial})", name=name, serial=serial) if serial else name


def _by_claimed_time(item: PhotoSummary) -> tuple[bool, datetime, str]:
    return item.local_time is None, item.local_time or datetime(1, 1, 1), item.name


def _stated(value: Stated[V] | Absent) -> V | None:
    return value.value if isinstance(value, Stated) else None


def _present(value: V | Absent) -> V | None:
    return None if isinstance(value, Absent) else value


def _resolution(claim: Claim) -> float:
    if isinstance(claim.local_time, Stated):
        for reading in claim.times:
            if reading.tag == claim.local_time.tag:
                return reading.resolution_s
    return 1.0


def _hour_mass(prediction: Prediction, local_time: datetime) -> NDArray[np.float32]:
    """Return the model's mass over the day ``[D]``, given that the season is as claimed."""
    mass = prediction.time.mass
    row = int(year_turn(local_time) * mass.shape[0]) % mass.shape[0]
    total = float(mass[row].sum())
    if total <= 0.0:
        return np.full(mass.shape[1], 1.0 / mass.shape[1], np.float32)
    return np.asarray(mass[row] / total, np.float32)


class AtHand(Sequence[DeviceGroup]):
    """The photos of each device, read from the disk once for all that is asked of a device, where they are few."""

    def __init__(self, groups: Sequence[DeviceGroup]) -> None:
        """Take devices whose photos stand-ins stand for."""
        self._groups = groups

    def __len__(self) -> int:
        """Return the number of devices."""
        return len(self._groups)

    def __getitem__(self, index: int | slice) -> Any:
        """Return a device, or a list of some."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        group = self._groups[index]
        return replace(group, summaries=tuple(on_disk.at_hand(group.summaries)))
