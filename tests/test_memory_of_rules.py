"""What rules that compare photos, clock models and causes hold meanwhile: some bytes a photo, no table of objects."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from gtloc_forensics.checks import Context
from gtloc_forensics.checks.rules.gf410_two_cameras import two_cameras
from gtloc_forensics.evidence import exposure, false_discovery
from gtloc_forensics.evidence.clocks import receiver
from gtloc_forensics.evidence.clocks.causes import group_causes
from gtloc_forensics.evidence.exposure import clock_offsets
from gtloc_forensics.examination.on_disk import OnDisk
from gtloc_forensics.records import (
    Cause,
    CauseKind,
    Confidence,
    DeviceGroup,
    Finding,
    Outcome,
    PhotoSummary,
    Sentence,
    Severity,
    source_id_of,
)

TAKEN = datetime(2024, 5, 17, 10, 3)


def photos(count: int) -> tuple[PhotoSummary, ...]:
    """Return photos of two cameras that never met, a minute and some hundred metres apart, as an audit holds them."""
    return OnDisk(map(photo, range(count)), kind=PhotoSummary).stand_ins()


def photo(number: int) -> PhotoSummary:
    taken = TAKEN + timedelta(minutes=number)
    name = f"{number:06}.jpg"
    place = {"latitude_deg": 10.0 + number / 500, "longitude_deg": 11.5, "zone": "Europe/Berlin"}
    return PhotoSummary(
        source_id_of(name.encode()),
        f"{number:064x}",
        name,
        f"camera {number % 2}",
        "image/jpeg",
        taken,
        utc_time=taken,
        gps_utc_time=taken - timedelta(hours=2),
        **place,
    )


def finding(number: int) -> Finding:
    """Return what a rule says of one photo: its time cannot be."""
    return Finding(
        "GF201",
        (source_id_of(f"{number:06}.jpg".encode()),),
        Outcome.SUSPICIOUS,
        Severity.MEDIUM,
        Confidence.WEAK,
        Sentence("The light does not fit."),
        cause=Cause(CauseKind.CLOCK_OFFSET, f"camera {number % 2}", 3.0, Sentence("It is off.")),
        p_value=0.001 + number * 1e-7,
    )


class Findings(Sequence[Finding]):
    """Findings that are made when they are asked for."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self._count:
            raise IndexError(index)
        return finding(index)


def heard(count: int) -> Callable[[], object]:
    group = DeviceGroup("camera", "camera", "", photos(count))
    return lambda: receiver.listen(group)


def met(count: int) -> Callable[[], object]:
    seen = photos(count)

    def run() -> None:
        for _ in two_cameras.function(seen, Context(now_utc=TAKEN)):
            pass

    return run


def caused(count: int) -> Callable[[], object]:
    return lambda: group_causes(Findings(count), seen={})


def controlled(count: int) -> Callable[[], object]:
    def run() -> false_discovery.Tested:
        control = false_discovery.Tested()
        for number in range(count):
            control.hear(finding(number))
        return control

    return run


@pytest.mark.parametrize(
    ("make", "most_bytes"),
    [(heard, 450), (met, 200), (caused, 160), (controlled, 70)],
    ids=["GPS times that are no clocks", "two cameras", "causes", "p-values"],
)
def test_a_further_photo_costs_some_bytes_meanwhile(
    make: Callable[[int], Callable[[], object]], most_bytes: int
) -> None:
    peaks = [peak_bytes(make(count)) for count in (1_000, 3_000)]
    assert (peaks[1] - peaks[0]) / 2_000 < most_bytes


def peak_bytes(run: Callable[[], object]) -> int:
    run()  # what is loaded and remembered once is none of its photos'
    tracemalloc.start()
    try:
        kept = run()
        peak = tracemalloc.get_traced_memory()[1]
        del kept
    finally:
        tracemalloc.stop()
    return peak


def test_light_is_weighed_a_strip_of_offsets_at_a_time_to_the_same_bits() -> None:
    model, count = exposure.load(), 400
    random = np.random.default_rng(7)
    frames = clock_offsets.Frames(
        tuple(map(str, range(count))),
        random.uniform(1.6e9, 1.7e9, count),
        random.uniform(-60, 60, count),
        random.uniform(-180, 180, count),
        random.uniform(-4, 16, count),
        random.uniform(0.1, 1, count),
        random.random(count) < 0.3,
        3,
    )
    later = -3600.0 * clock_offsets.OFFSETS_HOURS
    peaks, told = [], []
    for at_once in (10**9, clock_offsets.ELEVATIONS_AT_ONCE):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(clock_offsets, "ELEVATIONS_AT_ONCE", at_once)
            peaks.append(peak_bytes(lambda: told.append(clock_offsets.log_likelihood(model, frames, later).tobytes())))
    assert len(set(told)) == 1
    assert peaks[1] < 0.5 * peaks[0]
