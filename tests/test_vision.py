"""A model at work: strict folders, the same answers whatever the batch, galleries kept, nothing heavy at import."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import pytest
import tiny_models
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from gtloc_forensics import vision
from gtloc_forensics.earth import sphere
from gtloc_forensics.errors import UsageError, WeightsError
from gtloc_forensics.records import Pixels
from gtloc_forensics.vision import device as devices
from gtloc_forensics.vision import gallery, library, manifest, views, weights
from gtloc_forensics.vision.density import Sharpness, density
from gtloc_forensics.vision.encoders import RandomFourier
from gtloc_forensics.vision.manifest import EncoderSpec, ExtractorSpec, PlaceGallerySpec, Tap, TimeGallerySpec

# Stated tolerance of one picture alone against sixty-four at once, in cosine and in every embedding entry.
BATCH_TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_models.write(folder)
    return folder


@pytest.fixture(scope="module")
def model(models_dir: Path) -> vision.Model:
    return vision.load("tiny", models_dir=models_dir, cache_dir=models_dir / "cache", device="cpu")


def pictures(count: int, *, seed: int = 0) -> list[Pixels]:
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        height, width = int(rng.integers(20, 90)), int(rng.integers(20, 90))
        found.append(Pixels(f"{number:016x}", rng.integers(0, 256, (height, width, 3), np.uint8), width, height))
    return found


# --------------------------------------------------------------------------- import and discovery


def test_neither_importing_the_room_nor_asking_what_is_installed_imports_torch(models_dir: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom gtloc_forensics import vision\n"
        "print(vision.installed(Path(sys.argv[1])))\n"
        "heavy = {'torch', 'timm', 'faiss', 'torchvision', 'safetensors', 'scipy', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(models_dir)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["('tiny',)", "[]"]


def test_evaluating_predictions_needs_no_torch() -> None:
    code = (
        "import sys, gtloc_forensics.modelling.scorecard; "
        "print(sorted({'torch', 'timm', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_models_are_found_in_the_users_folder_and_never_by_the_current_one(
    models_dir: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("GTLOC_MODELS", str(models_dir))
    monkeypatch.chdir(tmp_path)
    assert vision.installed()[0] == "tiny"
    monkeypatch.setenv("GTLOC_MODELS", str(tmp_path / "none"))
    monkeypatch.chdir(models_dir)
    assert "tiny" not in vision.installed()
    with pytest.raises(WeightsError, match="installed: "):
        vision.load("tiny")
    assert library.find(str(models_dir / "tiny")) == models_dir / "tiny"


@pytest.mark.parametrize("name", ["../tiny", "", "no such", ".", "a" * 80, "tiny\n"])
def test_a_name_that_is_no_name_finds_nothing(models_dir: Path, name: str) -> None:
    with pytest.raises(WeightsError):
        vision.load(name, models_dir=models_dir)


# --------------------------------------------------------------------------- answers


def test_one_picture_alone_is_answered_as_among_sixty_four(model: vision.Model) -> None:
    prepared = [model.prepare(picture) for picture in pictures(64)]
    together = model.embed(prepared)
    alone = np.concatenate([model.embed([picture]) for picture in prepared])
    assert np.abs(together - alone).max() <= BATCH_TOLERANCE
    ids = [str(number) for number in range(64)]
    for one, other in zip(model.predict(together, ids), model.predict(alone, ids), strict=True):
        assert np.abs(one.time.mass - other.time.mass).max() <= BATCH_TOLERANCE
        assert (one.local_hour, one.position, one.best_position) == (
            other.local_hour,
            other.position,
            other.best_position,
        )
    split = [
        prediction for row in range(64) for prediction in model.predict(together[row : row + 1], ids[row : row + 1])
    ]
    assert [found.local_hour for found in split] == [found.local_hour for found in model.predict(together, ids)]


def test_a_prediction_is_a_density_with_its_points_and_its_origin(model: vision.Model) -> None:
    found = model.predict(model.embed([model.prepare(pictures(1)[0])]), ["a"])[0]
    assert found.time.mass.shape == (12, 24) and float(found.time.mass.sum()) == pytest.approx(1.0, abs=1e-5)
    assert float(found.place.mass.sum()) == pytest.approx(1.0, abs=1e-5)
    assert bool((np.diff(found.place.mass) <= 0).all())  # heaviest cell first
    assert len(found.weights_sha256) == 64 and model.facts["weights"] == found.weights_sha256
    assert found.calibration == "" and "uncalibrated" in model.facts["calibration"]
    assert 0.0 <= found.datable <= 1.0
    assert found.region_area_km2[50] <= found.region_area_km2[90] <= found.region_area_km2[95]
    assert float(np.linalg.norm(found.embedding)) == pytest.approx(1.0, abs=1e-6)


def test_a_density_on_the_device_is_the_one_by_the_book(model: vision.Model) -> None:
    embeddings = model.embed([model.prepare(picture) for picture in pictures(6)])
    time, place = model.similarities(embeddings)
    sharp = Sharpness(0.02, 0.3)
    for cosines, prior in ((time, model.times.prior), (place, model.places.prior)):
        np.testing.assert_allclose(
            model._mass(cosines, prior, sharp), density(cosines, prior, sharpness=sharp), atol=1e-6
        )


def test_predictions_do_not_depend_on_which_thread_prepares(model: vision.Model) -> None:
    many = pictures(40, seed=2)
    with ThreadPoolExecutor(4) as pool:
        threaded = list(pool.map(model.prepare, many))
    assert all(np.array_equal(photo, model.prepare(picture)) for photo, picture in zip(threaded, many, strict=True))


def test_no_pictures_are_no_error(model: vision.Model) -> None:
    assert model.embed([]).shape == (0, 13) and model.predict(model.embed([]), []) == []


def test_ids_and_embeddings_must_be_as_many(model: vision.Model) -> None:
    with pytest.raises(ValueError, match="1 embeddings but 2"):
        model.predict(np.zeros((1, 13), np.float32), ["a", "b"])


def test_pictures_prepared_for_another_model_are_refused(model: vision.Model) -> None:
    with pytest.raises(ValueError, match="another model"):
        model.embed([np.zeros(7, np.uint8)])


def test_batches_shrink_until_they_fit_and_keep_their_order() -> None:
    batches = devices.BatchSize(torch.device("cpu"))
    tried = []

    def work(chunk):
        tried.append(len(chunk))
        if len(chunk) > 3:
            raise torch.OutOfMemoryError
        return torch.tensor(chunk)

    assert torch.cat(list(batches.run(list(range(10)), work))).tolist() == list(range(10))
    assert tried[:4] == [10, 5, 2, 2] and batches.size == 2
    with pytest.raises(torch.OutOfMemoryError):
        list(batches.run([1], lambda chunk: (_ for _ in ()).throw(torch.OutOfMemoryError())))


def test_an_unknown_or_absent_device_is_refused_with_a_choice(models_dir: Path) -> None:
    with pytest.raises(UsageError, match="not a device"):
        vision.load("tiny", models_dir=models_dir, device="quantum")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="choose one of"):
            devices.choose("cuda")
        assert devices.choose("auto").type in ("cpu", "mps")


# --------------------------------------------------------------------------- identity


def test_the_fingerprint_follows_whatever_decides_a_prediction(
    models_dir: Path, model: vision.Model, tmp_path: Path
) -> None:
    def fingerprint(**changes: object) -> str:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        seed = int(changes.pop("seed", 0))
        tiny_models.write(folder, tiny_models.manifest(**changes), seed=seed)
        return vision.load("tiny", models_dir=folder, cache_dir=tmp_path / "cache", device="cpu").fingerprint

    (tmp_path / "cache").mkdir()
    plain = fingerprint()
    assert plain == fingerprint() == model.fingerprint
    others = {
        fingerprint(seed=1),
        fingerprint(time_gallery=TimeGallerySpec(24, 24)),
        fingerprint(place_gallery=PlaceGallerySpec(points=301)),
        fingerprint(heads={}),
    }
    assert len(others | {plain}) == 5


def test_a_calibration_sharpens_and_is_named(models_dir: Path, model: vision.Model, tmp_path: Path) -> None:
    folder = tiny_models.write(tmp_path)
    calibration = {"temperature": {"time": {"temperature": 0.001, "uniform_share": 0.25}}, "made_from": {}}
    (folder / "calibration.json").write_text(json.dumps(calibration))
    sharp = vision.load("tiny", models_dir=tmp_path, cache_dir=models_dir / "cache", device="cpu")
    embedding = model.embed([model.prepare(pictures(1)[0])])
    one, other = sharp.predict(embedding, ["a"])[0], model.predict(embedding, ["a"])[0]
    assert one.calibration == library.sha256_of(folder / "calibration.json") and sharp.fingerprint != model.fingerprint
    assert float(one.time.mass.max()) > 5 * float(other.time.mass.max())
    assert float(one.time.mass.min()) >= 0.25 / 288 * 0.999
    assert one.best_hour == other.best_hour
    np.testing.assert_array_equal(one.place.mass, other.place.mass)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"temperature": {"time": {"temperature": -1}}}',
        '{"temperature": {"time": {"heat": 1}}}',
        '{"temperature": 3}',
        '{"temperature": {"time": {"temperature": "hot"}}}',
    ],
)
def test_a_calibration_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    folder = tiny_models.write(tmp_path)
    (folder / "calibration.json").write_text(text)
    with pytest.raises(WeightsError, match="calibration"):
        vision.load("tiny", models_dir=tmp_path, cache_dir=tmp_path / "cache", device="cpu")


# --------------------------------------------------------------------------- hostile folders


def rewritten(tmp_path: Path, change) -> Path:
    """Write a tiny model, let *change* edit its tensors, and make the manifest agree with the file."""
    folder = tiny_models.write(tmp_path)
    tensors = load_file(folder / "weights.safetensors")
    change(tensors)
    save_file(tensors, folder / "weights.safetensors")
    rehash(folder)
    return folder


def rehash(folder: Path) -> None:
    described = json.loads((folder / "manifest.json").read_text())
    described["files"]["weights.safetensors"] = library.sha256_of(folder / "weights.safetensors")
    (folder / "manifest.json").write_text(json.dumps(described))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.pop("log_scale_time"), "missing: log_scale_time"),
        (lambda t: t.update(stowaway=torch.zeros(2)), "left over: stowaway"),
        (lambda t: t.update({"image_head.mean": torch.zeros(3)}), r"image_head.mean \(3,\) instead of"),
        (lambda t: t["image_head.scale"].fill_(float("inf")), "not finite: image_head.scale"),
        (lambda t: t.update({n: v.half() for n, v in t.items() if n.endswith("frequencies")}), "not float32"),
    ],
)
def test_tensors_that_do_not_fit_are_refused_by_name(tmp_path: Path, change, said: str) -> None:
    rewritten(tmp_path, change)
    with pytest.raises(WeightsError, match=said):
        vision.load("tiny", models_dir=tmp_path, device="cpu")


def test_weights_may_be_stored_at_half_the_size(tmp_path: Path, model: vision.Model) -> None:
    rewritten(
        tmp_path,
        lambda t: t.update({n: v.half() for n, v in t.items() if v.is_floating_point() and "frequencies" not in n}),
    )
    half = vision.load("tiny", models_dir=tmp_path, cache_dir=tmp_path / "cache", device="cpu")
    prepared = [model.prepare(picture) for picture in pictures(4)]
    assert np.abs(half.embed(prepared) - model.embed(prepared)).max() < 0.01


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_weights_file_that_is_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    path = tiny_models.write(tmp_path) / "weights.safetensors"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(WeightsError, match="add the model again"):
        vision.load("tiny", models_dir=tmp_path, device="cpu")
    rehash(path.parent)  # even with the right hash
    with pytest.raises(WeightsError, match="not a whole safetensors file"):
        vision.load("tiny", models_dir=tmp_path, device="cpu")


def test_one_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = tiny_models.write(tmp_path) / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="damaged, cut short or was replaced"):
        vision.load("tiny", models_dir=tmp_path, device="cpu")


def test_a_pickle_in_place_of_weights_is_named_and_not_opened(tmp_path: Path) -> None:
    folder = tiny_models.write(tmp_path)
    torch.save({"a": torch.zeros(2)}, folder / "weights.safetensors")
    rehash(folder)
    with pytest.raises(WeightsError, match="PyTorch pickle"):
        vision.load("tiny", models_dir=tmp_path, device="cpu")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"extra": 1}, "extra"),
        ({"format": 99}, "format 99"),
        ({"name": "../x"}, "name"),
        ({"extractors": []}, "extractors is empty"),
        ({"output": {"year_cells": 7}}, "divide"),
        ({"place_gallery": {"kind": "file", "file": "p.npy"}}, "listed in files"),
        ({"files": {"../../etc/passwd": "0"}}, "leaves the folder"),
        ({"heads": {"datable": {"widths": [136, 2]}}}, "end in 1"),
        ({"image_head": {"widths": "many"}}, "image_head"),
        ({"place_gallery": {"points": -5}}, "less than 12"),
    ],
)
def test_a_manifest_with_a_wrong_field_is_refused_by_name(tmp_path: Path, change: dict, said: str) -> None:
    folder = tiny_models.write(tmp_path)
    described = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(described | change))
    with pytest.raises(WeightsError, match=said):
        vision.load("tiny", models_dir=tmp_path, device="cpu")


@given(st.binary(max_size=300))
def test_any_bytes_as_a_manifest_are_read_or_refused(text: bytes) -> None:
    try:
        manifest.parse(text, origin="x")
    except WeightsError:
        return
    raise AssertionError("random bytes were taken for a manifest")


def test_a_manifest_survives_being_written_and_read() -> None:
    described = tiny_models.manifest()
    assert manifest.parse(manifest.as_json(described), origin="x") == described


def test_every_field_of_a_manifest_is_documented() -> None:
    text = (Path(__file__).parents[1] / "docs" / "models.md").read_text(encoding="utf-8")
    for kind in (
        manifest.Manifest,
        ExtractorSpec,
        Tap,
        EncoderSpec,
        manifest.HeadSpec,
        PlaceGallerySpec,
        TimeGallerySpec,
        manifest.OutputSpec,
    ):
        for field in kind.__struct_fields__:
            assert f"`{field}`" in text or f'"{field}"' in text, f"{kind.__name__}.{field}"


# --------------------------------------------------------------------------- galleries


@pytest.mark.parametrize("row", [[91.0, 0.0], [float("nan"), 0.0], [0.0, 181.0], [0.0, float("inf")]])
def test_a_gallery_with_an_impossible_place_is_refused(row: list[float]) -> None:
    with pytest.raises(WeightsError, match="row 1 is no place"):
        gallery.checked_places(np.array([[1.0, 2.0], row]), origin="x")


def test_a_gallery_file_is_used_with_its_weights(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.uniform(-80, 80, 50), rng.uniform(-180, 180, 50), np.ones(50)]).astype(np.float32)
    rows[7, 2] = 0.0
    np.save(tmp_path / "place.npy", rows)
    described = tiny_models.manifest(place_gallery=PlaceGallerySpec("file", file="place.npy"), files={"place.npy": ""})
    torch.manual_seed(0)
    from gtloc_forensics.vision.gtloc import GTLoc

    weights.write(
        tmp_path / "tiny",
        described,
        weights.outer_state(GTLoc(described)),
        extra={"place.npy": (tmp_path / "place.npy").read_bytes()},
    )
    model = vision.load("tiny", models_dir=tmp_path, cache_dir=tmp_path / "cache", device="cpu")
    _, mass = model.densities(model.embed([model.prepare(pictures(1)[0])]))
    assert mass.shape == (1, 50) and (mass[0] == 0.0).tolist() == (model.places.prior == 0.0).tolist()
    assert model.places.points[mass[0] == 0.0].tolist() == rows[7:8, :2].tolist()
    (tmp_path / "tiny" / "place.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(WeightsError):
        vision.load("tiny", models_dir=tmp_path, device="cpu")


def test_encodings_are_kept_and_a_damaged_one_is_made_again(models_dir: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = vision.load("tiny", models_dir=models_dir, cache_dir=cache, device="cpu")
    kept = {path.name: path.read_bytes() for path in cache.iterdir()}
    assert len(kept) == 3  # places on land, their encoding, the encoding of times
    for path in cache.iterdir():
        content = bytearray(path.read_bytes())
        content[-1] ^= 0xFF
        path.write_bytes(content)
    second = vision.load("tiny", models_dir=models_dir, cache_dir=cache, device="cpu")
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == kept
    embedding = first.embed([first.prepare(pictures(1)[0])])
    for one, other in zip(first.similarities(embedding), second.similarities(embedding), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_cache_that_cannot_be_written_is_done_without(models_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert (
        vision.load("tiny", models_dir=models_dir, cache_dir=tmp_path / "file" / "cache", device="cpu").name == "tiny"
    )


def test_the_time_gallery_has_every_hour_and_every_season() -> None:
    points = gallery.time_gallery(TimeGallerySpec()).points
    for axis, cells in ((0, 12), (1, 24)):
        assert set(np.floor(points[:, axis] * cells).astype(int)) == set(range(cells))
    assert np.abs(np.diff(np.unique(points[:, 1]))).max() * 24 <= 0.2501


@pytest.mark.parametrize("count", [1, 7, 50])
def test_exact_search_finds_what_a_full_comparison_finds(count: int, monkeypatch) -> None:
    rng = np.random.default_rng(0)
    queries, rows = (rng.normal(size=shape).astype(np.float32) for shape in ((9, 6), (50, 6)))
    expected = np.argsort(-(queries @ rows.T), axis=1)[:, :count]
    assert (gallery.nearest(queries, rows, count=count)[1] == expected).all()
    monkeypatch.setitem(sys.modules, "faiss", None)  # without faiss torch does it
    assert (gallery.nearest(queries, rows, count=count)[1] == expected).all()


# --------------------------------------------------------------------------- encoders and views


def test_fourier_phases_stay_exact_under_autocast() -> None:
    torch.manual_seed(0)
    encoder = RandomFourier(256.0, count=64, whole=False)
    points = torch.rand(100, 2) * 2 - 1
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = encoder(points)
    assert inside.dtype == torch.float32 and torch.equal(inside, encoder(points))


def test_cosines_come_before_sines() -> None:
    encoder = RandomFourier(1.0, count=3, whole=False)
    assert encoder(torch.zeros(1, 2)).tolist() == [[1, 1, 1, 0, 0, 0]]


def test_whole_frequencies_make_the_clock_round(model: vision.Model) -> None:
    seam = torch.tensor([[0.0, 0.3], [0.2, 0.0]])
    with torch.inference_mode():
        both = model._module.time(seam), model._module.time(seam + torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    torch.testing.assert_close(*both, atol=1e-5, rtol=0.0)


def test_ten_crops_are_four_corners_the_centre_and_their_mirrors() -> None:
    spec = msgspec.structs.replace(tiny_models.TINY_VIT, input_px=4, crop="ten")
    rgb = np.random.default_rng(0).integers(0, 256, (4, 9, 3), np.uint8)
    crops = views.unpack([views.prepare(rgb, [spec])], [spec])[0]
    assert crops.shape == (10, 3, 4, 4)
    planes = rgb.transpose(2, 0, 1)
    for crop, left in zip(crops[:5], (0, 5, 0, 5, 2), strict=True):
        np.testing.assert_array_equal(crop, planes[:, :, left : left + 4])
    np.testing.assert_array_equal(crops[5:], crops[:5, :, :, ::-1])


@given(st.integers(1, 40), st.integers(1, 400), st.sampled_from(["centre", "squash", "ten"]))
def test_a_picture_of_any_shape_becomes_views_of_the_right_size(height: int, width: int, crop: str) -> None:
    spec = msgspec.structs.replace(tiny_models.TINY_VIT, input_px=8, resize_px=9, crop=crop)
    for shape in ((height, width, 3), (width, height, 3)):
        prepared = views.prepare(np.full(shape, 77, np.uint8), [spec])
        assert prepared.shape == ((10 if crop == "ten" else 1) * 3 * 64,) and set(prepared.tolist()) == {77}


def test_the_taps_give_what_the_backbone_gives() -> None:
    """The same numbers as timm's own functions, one tap at a time."""
    from gtloc_forensics.vision.encoders import Extractor

    torch.manual_seed(0)
    extractor = Extractor(tiny_models.TINY_VIT)
    view = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    picture = (view.float() / 255 - 0.5) / 0.5
    net = extractor.net
    with torch.inference_mode():
        tokens = net.norm_pre(net.patch_drop(net._pos_embed(net.patch_embed(picture))))
        layers = []
        for block in net.blocks:
            tokens = block(tokens)
            layers.append(tokens)
        expected = torch.cat(
            [
                layers[1][:, 1:].mean(1),
                net.norm(layers[2])[:, 0],
                net.forward_head(net.norm(layers[2]), pre_logits=True),
            ],
            1,
        )
        torch.testing.assert_close(extractor(view), expected, atol=1e-5, rtol=0.0)


def test_land_points_lie_on_land_and_spread_evenly() -> None:
    rows = sphere.land_points(3000)
    from gtloc_forensics.earth.land import is_land

    assert is_land(rows[:, 0], rows[:, 1]).all()
    assert len(rows) == pytest.approx(3000, rel=0.03)
    north = rows[:, 0] > 0
    assert 0.6 < north.mean() < 0.75  # about two thirds of all land are north of the equator
    assert set(np.unique(rows[:, 2])) == {np.float32(1.0), np.float32(0.01)}


# --------------------------------------------------------------------------- with an accelerator


@pytest.mark.gpu
def test_the_accelerator_agrees_with_the_cpu(models_dir: Path, model: vision.Model) -> None:
    """Half-precision layers: 1e-2 in an embedding entry; phases and galleries in float32: 1e-4."""
    if not torch.cuda.is_available():
        pytest.skip("no accelerator")
    there = vision.load("tiny", models_dir=models_dir, cache_dir=models_dir / "cache", device="cuda")
    prepared = [model.prepare(picture) for picture in pictures(32)]
    assert np.abs(there.embed(prepared) - model.embed(prepared)).max() < 1e-2
    embedding = model.embed(prepared)
    for one, other in zip(there.similarities(embedding), model.similarities(embedding), strict=True):
        assert np.abs(one - other).max() < 1e-4
