"""A second opinion asked for by name: kept beside the first, told with how far they agree, and rested on by nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tiny_models
import torch
from click.testing import CliRunner
from pypdf import PdfReader

from gtloc_forensics.case.case import Case, open_case
from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.earth.partitions import Partition
from gtloc_forensics.errors import UsageError, WeightsError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.records import CaseHeader, PlaceDensity, Prediction, TimeDensity
from gtloc_forensics.report.agreement import agreement, judges
from gtloc_forensics.vision.systems import folder as folders
from gtloc_forensics.vision.systems import system_class
from gtloc_forensics.vision.systems.folder import SystemSpec
from gtloc_forensics.vision.systems.system import Layout

PHOTOS = Path(__file__).parents[1] / "examples" / "case_folder"


def written(out: Path, kind: str, *, name: str = "") -> Path:
    """Write an untrained system on a tiny model; what it says is arbitrary and always the same."""
    cells = {"cells": 3} if kind != "padilha" else {}
    cls = system_class(kind)
    layout = Layout(16, 48, 8, cells, cls.SMALL)
    torch.manual_seed(0)
    net = cls(layout)
    weights = json.loads((out / "tiny" / "manifest.json").read_text(encoding="utf-8"))["files"]["weights.safetensors"]
    spec = SystemSpec(
        name=name or kind, kind=kind, base="tiny", base_sha256=weights, tokens=16, width=48, scenes=8,
        sizes=dict(layout.sizes), cells=cells, partitions={},
    )  # fmt: skip
    three = np.array([1, 2, 3])
    centres = np.array([52.0, -33.0, 10.0]), np.array([13.0, 151.0, -60.0])
    partitions = {"cells": Partition("semantic", three, *centres, three, np.eye(3))} if cells else {}
    folders.write(out / (name or kind), net, spec, partitions, extra={})
    return out / (name or kind)


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("systems")
    tiny_models.write(out, tiny_models.manifest_of_fields())
    for kind in ("zhai", "planet", "padilha"):
        written(out, kind)
    return out


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    folder.mkdir()
    for name in ("KES_0426.JPG", "KES_0427.JPG"):  # a zone forgotten: something is found, so they have pages
        shutil.copy(PHOTOS / "kestrion" / name, folder / name)
    return folder


@contextmanager
def audited(evidence: Path, *names: str, model: str = "") -> Iterator[Case]:
    with open_case(evidence, evidence.parent / "case", header=CaseHeader()) as case:
        case.audit(Settings(model=model, device="cpu", jobs=0, second_opinions=names))
        yield case


def test_a_system_asked_for_by_name_speaks_beside_the_first_model_in_every_product(
    evidence: Path, systems: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GTLOC_MODELS", str(systems))
    with audited(evidence, "zhai", "planet") as case:
        for entry in case.view().photos():
            assert isinstance(entry.photo.prediction, Prediction)
            assert entry.photo.prediction.model == "tiny"
            assert [said.model for said in entry.photo.opinions if isinstance(said, Prediction)] == ["zhai", "planet"]
        assert case.view().environment["second opinion zhai calibration"] == "calibrated by nobody"
        assert case.view().environment["second opinion planet time"] == "not judged"
        document = json.loads(case.write_findings().read_text(encoding="utf-8"))
        assert document["combined_strength"]["formed"] is False
        assert "calibration of the combination on photos of sources held out" in document["combined_strength"]["reason"]
        zhai, planet = document["photos"][0]["further_opinions"]
        assert zhai["judges"] == ["time", "place"]
        assert planet["judges"] == ["place"]
        assert not zhai["calibrated"]
        assert sum(zhai["month_mass"]) == pytest.approx(1.0, abs=1e-3)
        assert len(zhai["month_mass"]) == 12
        assert 0.0 < zhai["agreement"]["time_in_common"] <= 1.0
        assert planet["agreement"]["time_in_common"] is None
        assert planet["agreement"]["place_in_common"] is not None
        assert planet["place_mass"][0][2] >= planet["place_mass"][-1][2]
        page = case.export("html").read_text(encoding="utf-8")
        assert "Calibrated by nobody" in page
        assert "In common with the first model" in page
        assert page.count("No strength is combined of several models") == 1
        report = PdfReader(case.write_report())
        whole = " ".join(" ".join(each.extract_text() for each in report.pages).split())
        assert whole.count("No strength is combined of several models") == 1
        assert page.count("not judged") >= 4, "a row per photo and model; planet judges no time"
        assert "planet: place" in page
        assert "zhai: time of day" in page
        assert "planet: time of day" not in page, "a system that judges no time has no dial"
        sheet = PdfReader(case.write_report(template="sheet", photo="1"))
        shown = " ".join(" ".join(each.extract_text() for each in sheet.pages).split())
        assert "Second opinions" in shown
        assert "Calibrated by nobody." in shown
        assert "not judged" in shown


def test_what_is_said_of_the_photo_is_the_same_with_and_without_second_opinions(
    evidence: Path, systems: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GTLOC_MODELS", str(systems))
    with audited(evidence) as case:
        before = [(entry.findings, entry.log10_lr_time, entry.status) for entry in case.view().photos()]
        assert "combined_strength" not in json.loads(case.write_findings().read_text(encoding="utf-8"))
        case.audit(Settings(device="cpu", jobs=0, second_opinions=("padilha",)))
        after = [(entry.findings, entry.log10_lr_time, entry.status) for entry in case.view().photos()]
    assert before == after


def test_the_command_line_takes_second_opinions(
    evidence: Path, systems: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GTLOC_MODELS", str(systems))
    asked = ["audit", str(evidence), "-o", str(tmp_path / "out"), "--no-report", "--jobs", "0", "--device", "cpu"]
    done = CliRunner().invoke(gtloc, [*asked, "--second-opinion", "planet", "--json"])
    assert done.exit_code in (0, 1), done.output
    told = json.loads(done.stdout)["photos"][0]["further_opinions"]
    assert [said["model"] for said in told] == ["planet"]


def test_a_name_that_nobody_has_or_that_looks_already_is_refused(
    evidence: Path, systems: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GTLOC_MODELS", str(systems))
    with pytest.raises(WeightsError, match="gtloc train --system"), audited(evidence, "nosuch"):
        pass
    with pytest.raises(UsageError, match="looks at the photos already"), audited(evidence, "tiny"):
        pass
    with pytest.raises(UsageError, match="--model none"), audited(evidence, "planet", model="none"):
        pass


# --------------------------------------------------------------------------- agreement


def said(time: np.ndarray, place: np.ndarray) -> Prediction:
    where = PlaceDensity(
        np.array([52.0, -33.0], np.float32), np.array([13.0, 151.0], np.float32), place.astype(np.float32), 25_000.0
    )
    return Prediction(
        "a", "m", "0" * 64, "", TimeDensity(time.astype(np.float32)), where, 0, 0, 0, 0,
        None, None, {}, 1.0,  # type: ignore[arg-type]
    )  # fmt: skip


def certain(month: int, hour: int) -> np.ndarray:
    mass = np.full((12, 24), 0.001 / 287)
    mass[month, hour] = 0.999
    return mass / mass.sum()


def test_two_densities_have_in_common_what_they_put_in_the_same_place() -> None:
    here, split = np.array([0.999, 0.001]), np.array([0.4, 0.6])
    photo = SimpleNamespace(prediction=said(certain(6, 12), here), claim=None)
    same = agreement(photo, said(certain(6, 12), here))  # type: ignore[arg-type]
    assert same.time_in_common == pytest.approx(1.0, abs=1e-4)
    other = agreement(photo, said(certain(0, 0), split))  # type: ignore[arg-type]
    assert other.time_in_common == pytest.approx(0.0, abs=0.01)
    assert other.place_in_common == pytest.approx(0.401, abs=0.01)


def test_densities_on_different_grids_are_compared_by_month_and_hour() -> None:
    fine = np.repeat(np.repeat(certain(6, 12), 3, axis=0), 2, axis=1) / 6
    photo = SimpleNamespace(prediction=said(certain(6, 12), np.array([0.9, 0.1])), claim=None)
    assert agreement(photo, said(fine, np.array([0.9, 0.1]))).time_in_common == pytest.approx(1.0, abs=1e-3)  # type: ignore[arg-type]


def test_a_density_that_is_spread_evenly_says_nothing_and_agrees_with_nothing() -> None:
    even = np.full((12, 24), 1 / 288)
    assert not judges(even)
    assert judges(certain(1, 1))
    photo = SimpleNamespace(prediction=said(certain(6, 12), np.array([0.9, 0.1])), claim=None)
    how = agreement(photo, replace(said(even, np.array([0.5, 0.5])), model="silent"))  # type: ignore[arg-type]
    assert how.time_in_common is None
    assert how.place_in_common is None
