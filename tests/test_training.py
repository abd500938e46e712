"""Training: losses by formula, soft labels, balanced sources, resume to the same weights, and that it learns."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
import tiny_models
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gtloc_forensics import vision
from gtloc_forensics.earth import circular, globe
from gtloc_forensics.errors import DecodeRefused, UsageError, WeightsError
from gtloc_forensics.modelling import phototable
from gtloc_forensics.modelling.training import Settings, Shape, fresh, going_on, losses, queues, train, weak
from gtloc_forensics.modelling.training.features import augmented
from gtloc_forensics.modelling.training.steps import Trainer
from gtloc_forensics.vision.manifest import EncoderSpec

TURNS = st.floats(0.0, 1.0, exclude_max=True)
CPU = torch.device("cpu")
SMALL = Settings(steps=12, batch=8, queue=16, warmup_steps=2, validate_every=6, checkpoint_every=6)
ENCODER = EncoderSpec(sigmas=(1.0,), frequencies=8, width=16, depth=1)
SHAPE = Shape(
    hidden=(16,),
    embedding=12,
    location=ENCODER,
    time=msgspec.structs.replace(ENCODER, input="turns"),
    standardise=True,
    datable=True,
)


# --------------------------------------------------------------------------- losses


@given(
    st.lists(st.tuples(TURNS, TURNS), min_size=1, max_size=5), st.lists(st.tuples(TURNS, TURNS), min_size=1, max_size=5)
)
def test_the_torus_distance_is_that_of_circular(first: list, second: list) -> None:
    a, b = np.array(first), np.array(second)
    expected = circular.torus_distance(
        a[:, None, 0], a[:, None, 1], second_year_turn=b[None, :, 0], second_day_turn=b[None, :, 1]
    )
    found = losses.torus_distance(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_distances_on_the_globe_are_those_of_earth() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.uniform((-90, -180), (90, 180), (20, 2)), rng.uniform((-90, -180), (90, 180), (30, 2))
    expected = globe.distance_km(
        a[:, None, 0], a[:, None, 1], second_latitude_deg=b[None, :, 0], second_longitude_deg=b[None, :, 1]
    )
    np.testing.assert_allclose(
        losses.distance_km(torch.from_numpy(a), torch.from_numpy(b)).numpy(), expected, rtol=1e-9
    )


@given(st.integers(2, 40), st.floats(0.01, 1.0))
def test_both_time_targets_are_distributions_that_prefer_what_is_near(count: int, gamma: float) -> None:
    distance = torch.linspace(0.0, math.sqrt(0.5), count)[None]
    for kind in ("paper", "kernel"):
        target = losses.time_target(distance, kind=kind, gamma=gamma)
        assert float(target.sum()) == pytest.approx(1.0, abs=1e-5)
        assert bool((target[0, :-1] >= target[0, 1:]).all()) and float(target.min()) >= 0.0


def test_the_papers_target_is_one_minus_a_softmax_and_nearly_flat() -> None:
    distance = torch.tensor([[0.0, 0.3, 0.7]])
    expected = 1.0 - np.exp([0.0, 0.3, 0.7]) / np.exp([0.0, 0.3, 0.7]).sum()
    found = losses.time_target(distance, kind="paper", gamma=1.0)[0].numpy()
    np.testing.assert_allclose(found * 2, expected, atol=1e-6)
    wide = losses.time_target(
        torch.rand(1, 500, generator=torch.Generator().manual_seed(0)) * 0.7, kind="paper", gamma=1.0
    )
    assert float(wide.max() / wide.min()) < 1.01


def test_cross_entropy_with_a_hard_target_is_the_usual_one() -> None:
    logits = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    target = torch.eye(5)[torch.tensor([0, 1, 2, 3, 4, 0])]
    expected = torch.nn.functional.cross_entropy(logits[:4], target[:4])
    weight = torch.tensor([1.0, 1, 1, 1, 0, 0])
    assert float(losses.soft_cross_entropy(logits, target, weight)) == pytest.approx(float(expected), abs=1e-6)
    assert float(losses.soft_cross_entropy(logits, target, 0 * weight)) == 0.0


def test_another_photo_of_the_same_place_is_no_negative() -> None:
    places = torch.tensor([[10.0, 20.0], [10.0, 20.001], [50.0, 60.0]])
    found = losses.place_logits(torch.zeros(3, 3), places, places, same_place_km=1.0)
    assert torch.isinf(found).tolist() == [[False, True, False], [True, False, False], [False, False, False]]


# --------------------------------------------------------------------------- weak labels and queues


def test_winter_is_half_a_year_away_in_the_south() -> None:
    turns = torch.tensor([[0.04, 0.5], [0.54, 0.5]])
    north, south = weak.region("season:winter", turns), weak.region("season:winter", turns, southern=True)
    assert float(north[0]) > 0.9 > 0.1 > float(north[1])
    torch.testing.assert_close(north, south.flip(0), atol=1e-4, rtol=0.0)


@pytest.mark.parametrize("label", [*weak.YEAR_WINDOWS, *weak.DAY_WINDOWS, *weak.LOW_SUN])
def test_every_label_means_a_region_that_is_neither_nothing_nor_everything(label: str) -> None:
    grid = torch.cartesian_prod(torch.arange(48) / 48, torch.arange(48) / 48)
    fit = weak.region(label, grid)
    assert float(fit.min()) >= weak.FLOOR - 1e-6 and float(fit.max()) <= 1.0
    assert 0.05 < float((fit > 0.5).float().mean()) < 0.6
    assert weak.says_something(label) and not weak.says_something("weather:rain")


def test_night_runs_across_midnight_and_excludes_noon() -> None:
    found = weak.region("daynight:night", torch.tensor([[0.3, 0.0], [0.3, 0.5], [0.9, 23 / 24]]))
    assert float(found[0]) > 0.9 and float(found[1]) < 0.05 and float(found[2]) > 0.9


def test_a_queue_forgets_the_oldest_whatever_is_pushed_at_once() -> None:
    queue = queues.Queue(torch.zeros(4, 2))
    queue.push(torch.ones(3, 2))
    queue.push(2 * torch.ones(2, 2))
    assert sorted(queue.points[:, 0].tolist()) == [1.0, 1.0, 2.0, 2.0]
    queue.push(torch.arange(22.0).reshape(11, 2))
    assert sorted(queue.points[:, 0].tolist()) == [14.0, 16.0, 18.0, 20.0]


# --------------------------------------------------------------------------- the table


def write_table(path: Path, rows: list[dict[str, str]]) -> Path:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_official_columns_and_ours_say_the_same(tmp_path: Path) -> None:
    official = {
        "path": "c1/a.jpg",
        "lat": "1",
        "lon": "2",
        "unix_ts": "0",
        "year": "2013",
        "month": "2",
        "day": "29",
        "hour": "6",
        "minute": "30",
        "second": "0",
    }
    ours = {"path": "c1/a.jpg", "lat": "1", "lon": "2", "local_time": "2012-02-29 06:30:00", "group": "c1"}
    a, b = (
        phototable.read(write_table(tmp_path / "a.csv", [official])),
        phototable.read(write_table(tmp_path / "b.csv", [ours])),
    )
    assert a.group[0] == b.group[0] == "c1"
    assert (a.day_turn[0], a.year_turn[0], a.metric_month[0]) == (b.day_turn[0], b.year_turn[0], b.metric_month[0])
    assert a.day_turn[0] == pytest.approx(6.5 / 24)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"path": "a", "lat": "nan", "lon": "1"}, "no place"),
        ({"path": "a", "lat": "91", "lon": "1"}, "no place"),
        ({"path": "a", "lat": "9", "lon": "-181"}, "no place"),
        ({"path": "a", "lat": "north", "lon": "1"}, "line 2"),
        ({"path": "a", "month": "13", "hour": "3"}, "line 2"),
        ({"path": "a", "local_time": "yesterday"}, "line 2"),
        ({"path": "a", "colour": "red"}, "unknown columns colour"),
        ({"lat": "1"}, "neither a column path nor id"),
        ({"path": "a", "datable": "perhaps"}, "perhaps"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_with_its_line(tmp_path: Path, row: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        phototable.read(write_table(tmp_path / "t.csv", [row]))


def test_an_empty_table_and_a_binary_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("path,lat,lon\n")
    with pytest.raises(UsageError, match="no photos"):
        phototable.read(tmp_path / "e.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00\x81path")
    with pytest.raises(UsageError, match="CSV file in UTF-8"):
        phototable.read(tmp_path / "b.csv")
    with pytest.raises(UsageError, match="cannot be read"):
        phototable.read(tmp_path / "none.csv")


# --------------------------------------------------------------------------- training


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 flat pictures whose brightness is the time of day, from six sources, two of them held out."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(48):
        hour = number % 24
        level = int(20 + 200 * (0.5 - 0.5 * math.cos(2 * math.pi * hour / 24)))
        warm = int(60 * math.sin(2 * math.pi * hour / 24))
        rgb = np.clip(np.array([level + warm, level, level - warm]) + rng.normal(0, 4, (40, 50, 3)), 0, 255).astype(
            np.uint8
        )
        Image.fromarray(rgb).save(folder / f"{number}.png")
        row = {
            "path": f"{number}.png",
            "local_time": f"2020-{number % 12 + 1:02}-10 {hour:02}:20:00",
            "lat": str(number - 20),
            "lon": str(3 * number),
        }
        rows.append(
            row
            | {
                "group": f"g{number % 6}",
                "split": "val" if number % 6 > 3 else "train",
                "datable": "yes" if number % 5 else "no",
            }
        )
    rows[1] |= {"local_time": "", "label_set": "daynight", "label": "night"}
    rows[2] |= {"lat": "", "lon": ""}
    rows[3] |= {"local_time": ""}
    (folder / "broken.png").write_bytes(b"not a picture")
    rows.append({"path": "broken.png", "local_time": "2020-01-01 00:00:00"})
    write_table(folder / "table.csv", rows)
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    described = msgspec.structs.replace(tiny_models.manifest(), extractors=(tiny_models.TINY_VIT,), name="base")
    features = 72
    described = msgspec.structs.replace(
        described,
        image_head=msgspec.structs.replace(described.image_head, widths=(features, 20, 12)),
        heads={"datable": msgspec.structs.replace(described.heads["datable"], widths=(features, 1))},
    )
    return tiny_models.write(tmp_path_factory.mktemp("models"), described)


def run(photos: Path, base: Path, out: Path, settings: Settings = SMALL, **more: object):
    start = fresh(base, name="mine", shape=SHAPE, seed=settings.seed)
    start = msgspec_places(start)
    return train(photos / "table.csv", settings, start=start, out=out, device="cpu", cache_dir=photos / "cache", **more)


def msgspec_places(start):
    """Few places are enough for a test."""
    import dataclasses

    few = msgspec.structs.replace(
        start.manifest,
        place_gallery=tiny_models.manifest().place_gallery,
        output=tiny_models.manifest().output,
        time_gallery=tiny_models.manifest().time_gallery,
    )
    return dataclasses.replace(start, manifest=few)


def test_a_trained_model_loads_predicts_and_is_calibrated(photos: Path, base: Path, tmp_path: Path) -> None:
    told = []
    trained = run(photos, base, tmp_path / "mine", progress=lambda *line: told.append(line))
    assert trained.photos == 48 and [text.split(":")[0] for text in trained.unreadable] == ["broken.png"]
    assert told[-1] == ("steps", 12, 12)
    model = vision.load("mine", models_dir=tmp_path, cache_dir=tmp_path / "cache", device="cpu")
    assert model.calibration.sha256 and model.facts["datable"] == "judged"
    assert json.loads((tmp_path / "mine" / "calibration.json").read_text())["made_from"] == {"photos": 16, "sources": 2}
    lines = list(csv.DictReader((tmp_path / "mine" / "log.csv").open()))
    assert [line["step"] for line in lines] == ["6", "12"]
    assert all(math.isfinite(float(value)) for line in lines for value in line.values())


def test_a_run_that_was_cut_short_ends_with_the_same_weights(photos: Path, base: Path, tmp_path: Path) -> None:
    run(photos, base, tmp_path / "whole" / "mine")

    class Cut(Exception):
        pass

    def cut(doing: str, done: int, whole: int) -> None:
        if doing == "steps" and done == 9:
            raise Cut

    with pytest.raises(Cut):
        run(photos, base, tmp_path / "cut" / "mine", progress=cut)
    assert vision.installed(tmp_path / "cut") == ()  # half a run is no model
    run(photos, base, tmp_path / "cut" / "mine")
    names = ("weights.safetensors", "log.csv", "calibration.json", "manifest.json")
    for name in names:
        assert (tmp_path / "cut" / "mine" / name).read_bytes() == (tmp_path / "whole" / "mine" / name).read_bytes(), (
            name
        )


def test_a_checkpoint_of_other_settings_or_a_damaged_one_is_refused(photos: Path, base: Path, tmp_path: Path) -> None:
    run(photos, base, tmp_path / "mine")
    with pytest.raises(UsageError, match="other settings"):
        run(photos, base, tmp_path / "mine", Settings(steps=13, batch=8, queue=16))
    path = tmp_path / "mine" / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UsageError, match="damaged"):
        run(photos, base, tmp_path / "mine")


def test_another_seed_gives_another_model(photos: Path, base: Path, tmp_path: Path) -> None:
    import dataclasses

    run(photos, base, tmp_path / "a")
    run(photos, base, tmp_path / "b", dataclasses.replace(SMALL, seed=1))
    assert (tmp_path / "a" / "weights.safetensors").read_bytes() != (
        tmp_path / "b" / "weights.safetensors"
    ).read_bytes()


@pytest.mark.parametrize("negatives", ["queue", "grid"])
def test_training_learns_the_hour_from_the_light(photos: Path, base: Path, tmp_path: Path, negatives: str) -> None:
    settings = Settings(
        steps=150,
        batch=32,
        queue=64,
        warmup_steps=10,
        learning_rate=1e-2,
        time_negatives=negatives,
        gamma=0.08,
        validate_every=150,
        checkpoint_every=150,
        views=2,
        feature_dropout=0.0,
    )
    run(photos, base, tmp_path / "mine", settings)
    last = list(csv.DictReader((tmp_path / "mine" / "log.csv").open()))[-1]
    assert float(last["val_hour"]) < 3.0  # chance is 6 hours, the best constant no better: hours are spread evenly


def test_features_of_a_frozen_backbone_are_computed_once(photos: Path, base: Path, tmp_path: Path, monkeypatch) -> None:
    from gtloc_forensics.modelling.training import features

    run(photos, base, tmp_path / "a")
    monkeypatch.setattr(features, "_decoded", lambda *_asked: (_ for _ in ()).throw(DecodeRefused("decoded again")))
    assert run(photos, base, tmp_path / "b").photos == 48


def test_training_goes_on_from_a_model(photos: Path, base: Path, tmp_path: Path) -> None:
    run(photos, base, tmp_path / "mine")
    start = going_on(tmp_path / "mine", name="more", models_dir=tmp_path)
    train(photos / "table.csv", SMALL, start=start, out=tmp_path / "more", device="cpu", cache_dir=photos / "cache")
    assert set(vision.installed(tmp_path)) == {"mine", "more"}


def test_no_state_of_training_is_saved_with_the_model(photos: Path, base: Path, tmp_path: Path) -> None:
    from safetensors import safe_open

    run(photos, base, tmp_path / "mine")
    with safe_open(tmp_path / "mine" / "weights.safetensors", framework="numpy") as stored:
        assert not [name for name in stored.keys() if "queue" in name or "optim" in name]  # noqa: SIM118


def test_sources_are_drawn_alike_however_many_photos_they_have(base: Path) -> None:
    from gtloc_forensics.modelling.training.steps import _Draw

    group = np.array(["a"] * 90 + ["b"] * 10)
    rows = np.ones(100, dtype=np.bool_)
    generator = torch.Generator().manual_seed(0)
    share = float((_Draw(rows, group, power=0.0)(4000, generator) >= 90).float().mean())
    assert share == pytest.approx(0.5, abs=0.04)
    share = float((_Draw(rows, group, power=1.0)(4000, generator) >= 90).float().mean())
    assert share == pytest.approx(0.1, abs=0.03)


def test_what_cannot_be_trained_on_is_refused(base: Path, tmp_path: Path) -> None:
    start = fresh(base, name="mine", shape=SHAPE, seed=0)
    write_table(tmp_path / "t.csv", [{"path": "a.png", "local_time": ""}])
    table = phototable.read(tmp_path / "t.csv")
    with pytest.raises(UsageError, match="could learn from"):
        Trainer(start.module, table, torch.zeros(1, 1, 72), settings=SMALL, device=CPU)
    with pytest.raises(UsageError, match="none of 1 photos"):
        train(tmp_path / "t.csv", SMALL, start=start, out=tmp_path / "out", device="cpu", cache_dir=tmp_path / "c")
    with pytest.raises(UsageError, match="gamma"):
        Settings(gamma=0.0)
    with pytest.raises(WeightsError):
        fresh(tmp_path, name="x", shape=SHAPE, seed=0)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 99))
def test_augmentation_moves_pixels_but_never_changes_one(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (height, width, 3), np.uint8)
    crop = augmented(rgb, rng)
    seen = {tuple(pixel) for pixel in crop.reshape(-1, 3)}
    assert seen <= {tuple(pixel) for pixel in rgb.reshape(-1, 3)} and crop.shape[0] == crop.shape[1]


def test_training_sees_the_pixels_that_an_examination_sees(tmp_path: Path) -> None:
    from gtloc_forensics.decode import pixels
    from gtloc_forensics.modelling.training import features

    rng = np.random.default_rng(3)
    Image.fromarray(rng.integers(0, 255, (600, 900, 4), dtype=np.uint8), "RGBA").save(tmp_path / "alpha.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(rng.integers(0, 255, (1500, 2000, 3), dtype=np.uint8)).save(tmp_path / "turned.jpg", exif=exif)
    for name, kind in (("alpha.png", "image/png"), ("turned.jpg", "image/jpeg")):
        seen = pixels.decode(tmp_path / name, name, kind, short_side=224).pixels.rgb
        assert np.array_equal(features._decoded(tmp_path / name, 224), seen), name
