"""Densities beside the galleries: what a manifest may ask of them, and that they are densities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tiny_models import manifest, write

from gtloc_forensics import vision
from gtloc_forensics.errors import WeightsError
from gtloc_forensics.records import Pixels, Prediction
from gtloc_forensics.store import codec
from gtloc_forensics.vision import weights
from gtloc_forensics.vision.gtloc import GTLoc
from gtloc_forensics.vision.manifest import DensitySpec

EDGES = (-90.0, -6.0, 0.0, 20.0, 90.0)
KINDS = ("open air", "a room", "a card")


def described(**densities: DensitySpec) -> Any:
    return manifest(densities=densities)


def told(folder: Path, cache: Path) -> list[Prediction]:
    model = vision.load(str(folder), device="cpu", cache_dir=cache)
    draw = np.random.default_rng(3)
    pictures = [draw.integers(0, 256, (70, 90, 3), dtype=np.uint8), np.zeros((60, 60, 3), np.uint8)]
    pixels = [Pixels(f"p{number}", rgb, *rgb.shape[1::-1]) for number, rgb in enumerate(pictures)]
    try:
        return model.predict(model.embed([model.prepare(one) for one in pixels]), [one.source_id for one in pixels])
    finally:
        model.close()


def test_every_density_sums_to_one_and_keeps_its_cells(tmp_path):
    both = described(sun_height=DensitySpec(edges_deg=EDGES), scene=DensitySpec(labels=KINDS))
    for prediction in told(write(tmp_path, both), tmp_path / "cache"):
        assert prediction.sun_height.mass.sum() == pytest.approx(1.0, abs=1e-6)
        assert prediction.sun_height.edges_deg.tolist() == list(EDGES)
        assert tuple(prediction.scene) == KINDS
        assert sum(prediction.scene.values()) == pytest.approx(1.0, abs=1e-6)


def test_a_model_without_densities_tells_none(tmp_path):
    (first, _) = told(write(tmp_path), tmp_path / "cache")
    assert first.sun_height is None
    assert first.scene is None


def test_densities_leave_the_other_answers_alone(tmp_path):
    with_scene = described(scene=DensitySpec(labels=KINDS))
    tensors = weights.outer_state(GTLoc(with_scene))
    weights.write(tmp_path / "with" / "tiny", with_scene, tensors)
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith("densities.")}
    weights.write(tmp_path / "without" / "tiny", manifest(), kept)
    more, bare = (told(tmp_path / name / "tiny", tmp_path / f"cache-{name}") for name in ("with", "without"))
    for first, second in zip(bare, more, strict=True):
        assert np.allclose(first.time.mass, second.time.mass)
        assert first.datable == pytest.approx(second.datable)


def test_a_stored_prediction_keeps_its_densities_and_one_of_an_older_case_has_none(tmp_path):
    both = described(sun_height=DensitySpec(edges_deg=EDGES), scene=DensitySpec(labels=KINDS))
    (first, _) = told(write(tmp_path, both), tmp_path / "cache")
    kept = codec.unpack(Prediction, codec.pack(first))
    assert np.allclose(kept.sun_height.mass, first.sun_height.mass)
    assert kept.scene == pytest.approx(first.scene)
    plain = msgspec.msgpack.decode(_plain(codec.pack(first)))
    older = {name: value for name, value in plain.items() if name not in ("sun_height", "scene")}
    assert codec.unpack(Prediction, b"r" + msgspec.msgpack.encode(older)).scene is None


def _plain(stored: bytes) -> bytes:
    import zlib

    return zlib.decompress(stored[1:]) if stored[:1] == b"z" else stored[1:]


@pytest.mark.parametrize(
    ("density", "words"),
    [
        ({}, "a density needs"),
        ({"labels": ["one"]}, "a density needs"),
        ({"labels": ["one", "one"]}, "a density needs"),
        ({"labels": ["one", "two"], "edges_deg": [0.0, 1.0, 2.0]}, "a density needs"),
        ({"edges_deg": [0.0, 1.0]}, "a density needs"),
        ({"edges_deg": [0.0, 2.0, 1.0]}, "a density needs"),
        ({"edges_deg": list(range(5000))}, "more than 4096 cells"),
        ({"labels": ["x" * 61, "y"]}, "more than 60 letters"),
        ({"labels": [str(number) for number in range(4000)]}, "do not fit their manifest"),
        ({"labels": ["one", "two"], "path": "/etc"}, "unknown field"),
        ({"labels": ["one", "two", "three"]}, "missing: densities.scene"),
    ],
)
def test_a_density_that_cannot_be_is_refused_in_words(tmp_path, density, words):
    folder = write(tmp_path)
    content = json.loads((folder / "manifest.json").read_bytes())
    content["densities"] = {"scene": density}
    (folder / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(WeightsError, match=words):
        vision.load(str(folder), device="cpu", cache_dir=tmp_path / "cache")
