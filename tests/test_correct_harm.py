"""No harmful proposal: whatever the rules and the clock models say, the default plan makes no true value false.

The journeys are those of ``benchmarks/bench_corrections.py``. Here every photo gets the gravest findings of every
cause, and its camera a clock model that accuses it: what holds then holds for the rules as they are. A few
journeys go through files and an audit.
"""

# ruff: noqa: E402 — benchmarks/ is no package; its folder joins the path first

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from builders import a_photo

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import bench_corrections as bench

from gtloc_forensics import correct
from gtloc_forensics.correct import Order
from gtloc_forensics.records import (
    Cause,
    ClockKind,
    ClockModel,
    ClockWitness,
    Confidence,
    Finding,
    Outcome,
    Photo,
    Severity,
    source_id_of,
)

CAUSES = ("clock-offset", "dst", "zone", "position", "clock-reset", "day-bug", "edit", "copy")


def photos_of(said: dict[str, bench.Said]) -> list[Photo]:
    return [
        a_photo(name=name, local=one.local, offset=one.offset, gps=one.gps, position=one.place, serial=one.camera)
        for name, one in said.items()
    ]


def accusations(photo: Photo, rng: np.random.Generator) -> list[Finding]:
    chosen = rng.choice(CAUSES, size=int(rng.integers(1, 4)), replace=False)
    return [
        Finding(
            check_id="GF999",
            source_ids=(source_id_of(photo.source.relative),),
            outcome=Outcome.CONTRADICTION,
            severity=Severity.HIGH,
            confidence=Confidence.DECISIVE,
            summary="an accusation",
            cause=Cause(str(kind), photo.claim.device.key, float(rng.integers(-12, 13))),
        )
        for kind in chosen
    ]


def accusing_models(photos: list[Photo], rng: np.random.Generator) -> list[ClockModel]:
    """Return a model for each camera that says, surely, that it was off, but not to the minute."""
    out = []
    for key in sorted({photo.claim.device.key for photo in photos}):
        offset = float(rng.integers(-12, 13))
        ids = [source_id_of(photo.source.relative) for photo in photos if photo.claim.device.key == key]
        kind = str(rng.choice(["wrong zone", "constant offset", "dst", "am/pm", "piecewise", "day/month swapped"]))
        segments = ((ids[0], ids[-1], offset),) if kind == "piecewise" else ()
        out.append(
            ClockModel(key, key, kind, offset, (offset - 2, offset + 2), 1.0, len(ids), (), "", segments=segments)
        )
    return out


@pytest.mark.parametrize("fault", bench.FAULTS)
def test_no_true_value_is_made_false_whatever_the_findings_say(fault):
    rng = np.random.default_rng(20)
    mended = 0
    for number in range(25):
        truth, said = bench.journey(rng, fault=fault)
        said = {name: claim for name, claim in said.items() if claim.place is None or abs(claim.place[0]) <= 90}
        photos = photos_of(said)
        findings = [finding for photo in photos for finding in accusations(photo, rng)]
        plan = correct.plan(Order(), photos, findings=findings, clocks=accusing_models(photos, rng))
        kept = {name: truth[name] for name in said}
        for outcome, name, quantity in bench.outcomes(kept, said, plan):
            assert outcome != "true made false", (fault, number, name, quantity)
            mended += outcome == "false made true"
        assert plan.changes or plan.notes
    if fault in ("clock of a camera", "zone of one file wrong", "sign lost"):
        assert mended, "a plan that proposes nothing harms nobody and helps nobody"


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("fault", ["clock of a camera", "zone wrong", "sign lost", "exchanged"])
def test_a_journey_with_one_fault_from_files_to_the_plan(tmp_path, fault):
    rng = np.random.default_rng(7)
    truth, said = bench.journey(rng, fault=fault)
    bench.write(tmp_path / "photos", said, rng)
    photos, clocks, findings = bench.examined(tmp_path / "photos", tmp_path / "case")
    plan = correct.plan(Order(), photos, clocks=clocks, findings=findings)
    assert not [found for found in bench.outcomes(truth, said, plan) if found[0] == "true made false"]


def test_another_persons_photos_of_that_day_do_not_hide_a_lost_sign():
    hours = [f"2022-06-10 {hour}:00:00" for hour in (10, 12, 15)]
    own = [
        a_photo(name=f"T{n}.jpg", local=local, offset=-4.0, serial="t", position=(-33.45, 70.66 if n == 1 else -70.66))
        for n, local in enumerate(hours)
    ]
    others = [
        a_photo(name=f"P{n}.jpg", local=local, offset=2.0, serial="p", position=(46.95, 7.44))
        for n, local in enumerate(hours)
    ]
    found = Finding(
        check_id="GF409",
        source_ids=(source_id_of(own[1].source.relative),),
        outcome=Outcome.SUSPICIOUS,
        severity=Severity.MEDIUM,
        confidence=Confidence.WEAK,
        summary="far from every other position",
        cause=Cause("position", own[1].claim.device.key, None),
    )
    plan = correct.plan(Order(), [*own, *others], findings=[found], clocks=[])
    assert [(line.relative, line.new) for line in plan.changes] == [(b"T1.jpg", "-33.4500000, -70.6600000")]


def test_a_clock_set_anew_on_a_journey_is_not_said_to_have_been_wrong():
    photos = [a_photo(name=f"{n}.jpg", local=f"2019-05-0{n} 10:00:00", serial="x") for n in range(1, 5)]
    model = ClockModel(
        device_key=photos[0].claim.device.key,
        label="X-E3",
        kind=ClockKind.PIECEWISE,
        offset_hours=None,
        interval_hours=None,
        probability=0.9,
        photos=4,
        summary="The clock was set back.",
        evidence=(),
        decided_by=ClockWitness.COUNTER,
    )
    (note,) = correct.plan(Order(), photos, findings=[], clocks=[model]).notes
    assert "set anew on the way" in note and "not right" not in note
