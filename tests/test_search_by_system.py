"""A case is asked by TIGeR, which looked at it as a second opinion and sees a time and a place together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from click.testing import CliRunner, Result
from test_case import audit
from test_search_composed import landscape

from gtloc_forensics.case.case import Case
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import Prediction
from gtloc_forensics.vision.systems import folder as folders
from gtloc_forensics.vision.systems import opinion, system_class
from gtloc_forensics.vision.systems.folder import SystemSpec
from gtloc_forensics.vision.systems.system import Layout

LOOKED = Settings(model="tiny", device="cpu", jobs=0, second_opinions=("tiger", "padilha"))
LAYOUTS = {"tiger": ({"healpix": 768}, 50), "padilha": ({}, 0)}


def written(out: Path, kind: str, *, seed: int = 0) -> None:
    """Write an untrained system on the tiny model."""
    cells, points = LAYOUTS[kind]
    cls = system_class(kind)
    layout = Layout(16, 48, 8, cells, cls.SMALL, points)
    torch.manual_seed(seed)
    net = cls(layout)
    base = json.loads((out / "tiny" / "manifest.json").read_text(encoding="utf-8"))["files"]["weights.safetensors"]
    spec = SystemSpec(
        name=kind, kind=kind, base="tiny", base_sha256=base, tokens=16, width=48, scenes=8,
        sizes=dict(layout.sizes), cells=dict(cells), partitions={}, points=points,
    )  # fmt: skip
    folders.write(out / kind, net, spec, {}, extra={})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    out = tmp_path_factory.mktemp("by-system")
    tiny_models.write(out / "models", tiny_models.manifest_of_fields())
    for kind in LAYOUTS:
        written(out / "models", kind)
    landscape(out / "evidence" / "day.jpg", sky="#4a90e2", ground="#3c7a2a", local="2024:06:15 12:00:00")
    landscape(out / "evidence" / "night.jpg", sky="#02030a", ground="#000000", local="2024:06:15 23:00:00")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GTLOC_MODELS", str(out / "models"))
        patch.setenv("GTLOC_CACHE", str(out / "cache"))
        audit(out / "evidence", out / "audit", LOOKED)
        yield out


def run(case: Path, *words: str) -> Result:
    return CliRunner().invoke(gtloc, ["search", str(case), *words])


def found(case: Path, *words: str) -> dict:
    said = run(case, "--json", *words)
    assert said.exit_code == ExitCode.CLEAN, said.output
    return json.loads(said.stdout)


def test_time_and_place_seen_together_are_compared_with_what_the_system_kept_of_each_picture(place: Path) -> None:
    document = found(place / "audit", "--system", "tiger", "--text", "19 Uhr in Bergen")
    told = dict(document["read_as"])
    assert "sees a time and a place together" in told["tiger"]
    tiger = opinion.load_opinion(place / "models" / "tiger", device="cpu")
    with Case(place / "audit") as case:
        photos = {photo.source.display_path: photo for photo in case.view().records()}
    kept = {
        name: next(said for said in photo.opinions if isinstance(said, Prediction) and said.model == "tiger").embedding
        for name, photo in photos.items()
    }
    years, days = (np.arange(6) + 0.5) / 6, (18.5 + (np.arange(6) + 0.5) / 6) / 24
    turns = np.array([[year, day] for year in years for day in days])
    bergen = np.repeat([[60.39299, 5.32415]], len(turns), axis=0)
    queries = tiger.fused(turns, bergen)
    assert queries is not None
    query = queries.mean(axis=0) / np.linalg.norm(queries.mean(axis=0))
    for hit in document["hits"]:
        vector = kept[hit["name"]]
        assert vector is not None
        assert hit["composed"] == pytest.approx(float(vector @ query), abs=2e-3)


def test_together_is_not_the_mean_of_each_alone(place: Path) -> None:
    tiger = opinion.load_opinion(place / "models" / "tiger", device="cpu")
    turns, where = np.array([[0.5, 0.5]]), np.array([[60.4, 5.3]])
    both, time, there = tiger.fused(turns, where), tiger.fused(turns, None), tiger.fused(None, where)
    assert both is not None and time is not None and there is not None
    late = (time + there) / np.linalg.norm(time + there)
    np.testing.assert_allclose(np.linalg.norm(both), 1.0, atol=1e-5)
    assert not np.allclose(both, late, atol=1e-3)


def test_examples_are_compared_by_what_the_system_saw(place: Path) -> None:
    document = found(place / "audit", "--system", "tiger", "--like", "night.jpg")
    assert document["hits"][0]["name"] == "night.jpg"
    assert document["hits"][0]["likeness"] == pytest.approx(1.0, abs=1e-5)
    composed = found(place / "audit", "--system", "tiger", "--like", "night.jpg", "--time", "22:00")
    assert all(hit["composed"] is not None for hit in composed["hits"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--system", "zhai", "--time", "12:00"), "those that did: padilha, tiger"),
        (("--system", "padilha", "--time", "12:00"), "has no space in which times, places and pictures meet"),
        (("--system", "padilha", "--like", "day.jpg", "--not-like", "night.jpg"), "has no embedding"),
        (("--system", "tiger"), "needs something to look for"),
        (("--system", "tiger", "--shows-month", "6"), "only times, places and examples"),
        (("--system", "tiger", "--text", "noon in Bergen", "--weigh", "time=2"), "cannot be weighed apart"),
        (("--system", "tiger", "--like", "elsewhere.jpg"), "is no photo of the case"),
    ],
)
def test_what_the_system_cannot_be_asked_is_refused_with_the_reason(
    place: Path, words: tuple[str, ...], said: str
) -> None:
    result = run(place / "audit", *words)
    assert result.exit_code == ExitCode.FAILURE
    assert said in result.output


def test_other_weights_than_those_that_looked_are_not_asked(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_models.write(tmp_path, tiny_models.manifest_of_fields())
    written(tmp_path, "tiger", seed=1)
    monkeypatch.setenv("GTLOC_MODELS", str(tmp_path))
    assert (
        "is installed with the weights that looked"
        in run(place / "audit", "--system", "tiger", "--time", "12:00").output
    )
