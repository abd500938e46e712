"""Training a system from a photo table, asking it, and putting systems side by side."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from click.testing import CliRunner
from PIL import Image

from gtloc_forensics.cli.main import gtloc
from gtloc_forensics.errors import UsageError, WeightsError
from gtloc_forensics.modelling import phototable, published, systems_table
from gtloc_forensics.modelling.metrics import Figure
from gtloc_forensics.modelling.training import system_cells, systems
from gtloc_forensics.modelling.training.system_targets import bins_near
from gtloc_forensics.report.agreement import judges
from gtloc_forensics.vision import library
from gtloc_forensics.vision import systems as kinds
from gtloc_forensics.vision.systems import folder as folders
from gtloc_forensics.vision.systems.opinion import load_opinion

pytest.importorskip("s2geometry")
pytest.importorskip("astropy_healpix")

CITIES = {"north": (52.5, 13.4, 220), "south": (-33.9, 151.2, 30)}
SETTINGS = systems.SystemSettings(
    steps=60, batch=32, learning_rate=3e-3, dropout=0.0, judge_every=5, thresholds=((2, 40), (2, 20), (2, 10))
)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bright pictures at noon in July in the north, dark ones at midnight in January in the south."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    lines = ["path,lat,lon,local_time,group,split"]
    for number in range(48):
        city = "north" if number % 2 else "south"
        latitude, longitude, brightness = CITIES[city]
        picture = np.clip(rng.normal(brightness, 12, (48, 48, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(picture).save(folder / f"{number}.png")
        place = f"{latitude + rng.normal(0, 0.05):.5f},{longitude + rng.normal(0, 0.05):.5f}"
        time = (
            f"2024-07-1{number % 9} 12:{number:02}:00"
            if city == "north"
            else f"2024-01-1{number % 9} 23:{number:02}:00"
        )
        lines.append(f"{number}.png,{place},{time},source{number % 12},{'val' if number % 12 > 8 else 'train'}")
    (folder / "photos.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "photos.csv"


@pytest.fixture(scope="module")
def trained(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with some trained systems on a tiny model, and that model."""
    out = tmp_path_factory.mktemp("systems")
    tiny_models.write(out, tiny_models.manifest_of_fields())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GTLOC_CACHE", str(out / "cache"))
        patch.setenv("GTLOC_MODELS", str(out))
        for kind in ("planet", "zhai", "knn"):
            systems.train_system(kind, table, SETTINGS, base=library.find("tiny"), out=out / kind, device="cpu")
    return out


@pytest.mark.parametrize("kind", [kind for kind in kinds.kinds() if kind not in ("planet", "zhai", "knn")])
def test_every_system_learns_from_a_table_and_answers(
    kind: str, table: Path, tmp_path: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "pigeotto":
        pytest.importorskip("sklearn")
    if kind == "geoclip":
        if importlib.util.find_spec("geoclip") is None:
            pytest.skip("the geoclip package is not installed")
        monkeypatch.setattr(systems, "GEOCLIP_POINTS", 200)
    monkeypatch.setattr(systems, "GALLERY_POINTS", 300)
    monkeypatch.setenv("GTLOC_CACHE", str(trained / "cache"))
    monkeypatch.setenv("GTLOC_MODELS", str(trained))
    done = systems.train_system(kind, table, SETTINGS, base=library.find("tiny"), out=tmp_path / kind, device="cpu")
    assert done.photos == 48
    system = load_opinion(tmp_path / kind, device="cpu")
    rows = np.random.default_rng(0).normal(size=(2, system.base.tokens * system.base.width)).astype(np.float32)
    first, second = system.predict(rows, ["a", "b"])
    assert (first.source_id, second.source_id) == ("a", "b")
    assert first.calibration == ""
    assert float(first.place.mass.sum()) == pytest.approx(1.0, abs=1e-4)
    for about, mass in (("place", first.place.mass), ("time", first.time.mass)):
        assert system.facts[about] == "judged" or not judges(mass), "what it does not judge is spread evenly"
    assert system.facts["calibration"] == "calibrated by nobody"


def test_what_was_learned_is_what_was_shown(trained: Path, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GTLOC_CACHE", str(trained / "cache"))
    monkeypatch.setenv("GTLOC_MODELS", str(trained))
    truth = phototable.read(table, split="val")
    for name in ("zhai", "knn"):
        known, judged = systems_table.judge(str(trained / name), truth, training=None, device="cpu", resamples=20)
        assert len(known) == len(truth)
        figures = judged.card.answers["arg-max"]
        assert figures["within 200 km, %"].value > 90.0
        if name == "zhai":
            assert figures["hour error"].value < 2.0
            assert judged.card.verification["verification AUC"].value > 0.9


def test_the_same_seed_makes_the_same_weights(
    table: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GTLOC_CACHE", str(trained / "cache"))
    monkeypatch.setenv("GTLOC_MODELS", str(trained))
    again = systems.train_system(
        "planet", table, SETTINGS, base=library.find("tiny"), out=tmp_path / "planet", device="cpu"
    )
    assert again.spec.files == folders.read_spec(trained / "planet").files


def test_the_cells_are_kept_with_the_weights_and_drawn_as_a_map(trained: Path) -> None:
    loaded = folders.load(trained / "planet")
    cells = loaded.partitions["cells"]
    assert int(cells.photos.sum()) <= 36
    assert set(np.round(cells.latitude_deg).tolist()) <= {52.0, 53.0, -34.0}
    assert (cells.cells_of(cells.latitude_deg, cells.longitude_deg) >= 0).all()
    pytest.importorskip("matplotlib")
    with Image.open(trained / "planet" / "cells.png") as page:
        assert page.width > 500


def test_weights_that_were_replaced_are_refused(trained: Path, tmp_path: Path) -> None:
    for name in ("system.json", "weights.safetensors"):
        (tmp_path / name).write_bytes((trained / "planet" / name).read_bytes())
    (tmp_path / "weights.safetensors").write_bytes((trained / "zhai" / "weights.safetensors").read_bytes())
    with pytest.raises(WeightsError, match="train the system again"):
        folders.load(tmp_path)


def test_a_description_with_an_unknown_field_or_a_foreign_base_is_refused(trained: Path, tmp_path: Path) -> None:
    said = json.loads((trained / "planet" / "system.json").read_text(encoding="utf-8"))
    (tmp_path / "system.json").write_text(json.dumps({**said, "run": "rm"}), encoding="utf-8")
    with pytest.raises(WeightsError, match="describes no system"):
        folders.read_spec(tmp_path)
    (tmp_path / "system.json").write_text(json.dumps({**said, "base": "../elsewhere"}), encoding="utf-8")
    with pytest.raises(WeightsError, match="name of the system or of its base"):
        folders.read_spec(tmp_path)


def test_a_system_of_an_unknown_name_is_refused_with_those_there_are(table: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="translocator"):
        systems.train_system("planets", table, SETTINGS, base=tmp_path, out=tmp_path)
    with pytest.raises(WeightsError, match="gtloc train --system"):
        folders.find("nosuch")


def test_thresholds_are_read_coarse_to_fine() -> None:
    assert system_cells.parsed("50:5000,50:2000,50:1000") == ((50, 5000), (50, 2000), (50, 1000))
    for wrong in ("50", "50:x", "9:3"):
        with pytest.raises(UsageError):
            system_cells.parsed(wrong)


def test_soft_bins_are_nearest_across_midnight_and_new_year() -> None:
    target = bins_near(torch.tensor([[0.999, 0.999]]), gamma_turns=0.05)[0].view(12, 24)
    assert int(target.argmax()) == 11 * 24 + 23
    assert float(target[0, 0]) > float(target[10, 22])


# --------------------------------------------------------------------------- side by side


def test_one_command_prints_systems_by_metrics_with_what_papers_print_apart(
    trained: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib", reason="the page of plots needs the extra train")
    monkeypatch.setenv("GTLOC_CACHE", str(trained / "cache"))
    monkeypatch.setenv("GTLOC_MODELS", str(trained))
    names = "planet,zhai,knn"
    asked = ["evaluate", str(table), "--systems", names, "--split", "val", "--training", str(table)]
    done = CliRunner().invoke(gtloc, [*asked, "--resamples", "20", "--device", "cpu", "-o", str(tmp_path / "page")])
    assert done.exit_code == 0, done.output
    assert "12 photos of 3 sources" in done.output
    assert "best constant" in done.output
    assert "24.8 (Im2GPS3k)" in done.output
    assert "measured by others on their own photos" in done.output
    told = json.loads((tmp_path / "page" / "systems.json").read_text(encoding="utf-8"))
    assert set(told["rows"]) == {"planet", "zhai", "knn", "best constant", "random order"}
    assert set(told["rows"]["random order"]) == {"R@1, %", "R@5, %", "R@10, %"}
    assert "hour error" in told["rows"]["zhai"]
    assert "hour error" not in told["rows"]["planet"], "a system that tells no time has no figure for it"
    assert "hours" not in told["detection"]["planet"]
    latex = (tmp_path / "page" / "systems.tex").read_text(encoding="utf-8")
    assert r"\textit{planet, published on Im2GPS3k}" in latex
    assert "flagged at 2500 km" in latex
    assert len({line.count("&") for line in latex.splitlines() if "&" in line}) == 1, "every row has every column"
    assert (tmp_path / "page" / "systems.png").is_file()


def test_a_system_of_any_name_stands_beside_what_is_published_of_its_kind() -> None:
    figure = Figure(1.0, 0.5, 2.0, 12, 3)
    rows = {"my-own": {"within 25 km, %": figure}, "planet": {"within 25 km, %": figure}}
    told = systems_table.Comparison(
        12, 3, "", "arg-max", rows, {}, published.of("planet"), {"my-own": "planet", "planet": ""}
    )
    mine, other = (line for line in systems_table.as_text(told).splitlines() if "n = 12" in line)
    assert "24.8 (planet, Im2GPS3k)" in mine
    assert "Im2GPS3k" not in other, "a name is no kind"


def test_systems_judged_on_different_photos_are_not_put_side_by_side() -> None:
    with pytest.raises(UsageError, match="no system to compare"):
        systems_table.compared([])


def test_every_published_number_names_its_source_and_a_share_is_a_share() -> None:
    for row in published.PUBLISHED:
        assert row.source
        assert row.data
        assert all(0 <= value <= 100 for value in row.figures.values())
        near = [row.figures[name] for name in row.figures if name.startswith("within")]
        assert near == sorted(near)
    assert {row.system for row in published.PUBLISHED} == {*kinds.kinds(), "gtloc"}


@pytest.mark.parametrize(("count", "name"), [(237, "Im2GPS"), (2997, "Im2GPS3k"), (4536, "YFCC4k"), (5, "")])
def test_official_tables_of_places_are_recognised_and_read(count: int, name: str, tmp_path: Path) -> None:
    path = tmp_path / "meta.csv"
    rows = "\n".join(f"{k}_ab_1_7884{k % 3}@N00.jpg,12.5,99.1,2" for k in range(count))
    path.write_text(f"IMG_ID,LAT,LON,S16_Label\n{rows}\n", encoding="utf-8")
    assert phototable.recognised(path) == name
    table = phototable.read(path)
    assert table.latitude_deg[0] == 12.5
    assert sorted(set(table.group.tolist())) == ["78840@N00", "78841@N00", "78842@N00"], "a photographer is a source"


def test_a_table_of_times_and_places_is_recognised_by_its_columns_and_one_that_says_so_by_its_word(
    tmp_path: Path,
) -> None:
    path = tmp_path / "sky.csv"
    rows = "\n".join(f"a/{k}.jpg,10,20,7,4,12" for k in range(6052))
    path.write_text(f"path,lat,lon,month,day,hour\n{rows}\n", encoding="utf-8")
    assert phototable.recognised(path) == "SkyFinder"
    path.write_text("path,lat,lon,month,day,hour,dataset\na/1.jpg,10,20,7,4,12,TIGeR\n", encoding="utf-8")
    assert phototable.recognised(path) == "TIGeR"
