"""The shipped light model and the clocks of real cameras; needs the shared photo set."""

from __future__ import annotations

import importlib
import os
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from builders import a_group, a_summary

from gtloc_forensics.evidence import clocks, exposure

PHOTOS = Path(os.environ.get("GTLOC_SHARED", Path(__file__).parents[1] / ".." / "shared")) / "photos"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not (PHOTOS / "photos.csv").exists(), reason="the shared photo set is not here"),
]


@pytest.fixture(scope="module")
def learning():
    sys.path.insert(0, str(Path(__file__).parents[1] / "experiments"))
    return importlib.import_module("light_likelihood")


@pytest.fixture(scope="module")
def shots(learning):
    return learning.read(PHOTOS)


def test_the_shipped_light_model_is_the_one_its_experiment_makes(learning, shots) -> None:
    made, shipped = learning.fit(shots.where(~shots.is_validation)), exposure.load()
    for kind in ("clear", "overcast", "indoor", "lamp"):
        assert getattr(made, kind) == getattr(shipped, kind)
    assert (made.photos, made.hour_prior) == (shipped.photos, shipped.hour_prior)


def test_light_tells_a_true_claim_from_one_half_a_day_off_on_sources_it_never_saw(learning, shots) -> None:
    """By source: 0.71 over 202 sources (95 % 0.67 to 0.76), chance 0.5; photos of one source are not independent."""
    wins: dict[str, list[bool]] = {}
    for mask, model in learning.cross_fitted(shots):
        part = shots.where(mask)
        true = model.log_likelihood(part.ev100, part.elevation())
        false = model.log_likelihood(part.ev100, part.elevation(12.0))
        for source, won in zip(part.group.tolist(), (true > false).tolist(), strict=True):
            wins.setdefault(source, []).append(won)
    shares = np.array([np.mean(won) for won in wins.values()])
    error = shares.std() / np.sqrt(len(shares))
    assert shares.mean() - 1.96 * error > 0.6


@pytest.mark.parametrize("ahead_hours", [0, 6])
def test_light_never_calls_a_real_camera_wrongly_and_finds_six_hours_in_most(learning, shots, ahead_hours) -> None:
    kinds = []
    for mask, model in learning.cross_fitted(shots):
        for camera in sorted(set(shots.camera[mask].tolist())):
            rows = np.flatnonzero(shots.camera == camera)
            if len(rows) >= 15:
                kinds.append(clocks.fit(a_group(*_summaries(shots, rows, ahead_hours)), light_model=model).kind)
    if ahead_hours:
        assert np.mean([kind not in ("right", "undetermined") for kind in kinds]) >= 0.6
    else:
        assert set(kinds) <= {"right", "undetermined"}
        assert kinds.count("right") >= 6


def _summaries(shots, rows, ahead_hours):
    return [
        a_summary(
            f"{row}.jpg",
            local_time=shots.local[row] + timedelta(hours=ahead_hours),
            latitude_deg=float(shots.latitude_deg[row]),
            longitude_deg=float(shots.longitude_deg[row]),
            zone=str(shots.zone[row]),
            ev100=float(shots.ev100[row]),
            flash_fired=False,
        )
        for row in rows
    ]
