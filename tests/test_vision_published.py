"""Published weights become our model, number for number, or are refused by name."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from gtloc_by_hand import State, clip_features, image, place, random_checkpoint, time
from safetensors.torch import save_file

from gtloc_forensics import vision
from gtloc_forensics.earth.circular import day_turn, encoder_year_turn
from gtloc_forensics.errors import UsageError, WeightsError
from gtloc_forensics.records import Pixels
from gtloc_forensics.vision import convert, install, weights
from gtloc_forensics.vision.encoders import LocationEncoder
from gtloc_forensics.vision.manifest import EncoderSpec
from gtloc_forensics.vision.torchvision_shim import timm_module


def tensors(state: State) -> dict[str, torch.Tensor]:
    return {name: torch.as_tensor(np.asarray(value)) for name, value in state.items()}


@pytest.fixture(scope="module")
def checkpoint() -> State:
    return random_checkpoint(5)


@pytest.fixture(scope="module")
def models_dir(checkpoint: State, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    torch.save({"state_dict": tensors(checkpoint)}, folder / "gtloc.pt")
    places = folder / "places.csv"
    places.write_text(
        "LAT,LON\n" + "\n".join(f"{lat},{lon}" for lat in range(-60, 75, 15) for lon in range(-180, 180, 30))
    )
    install.add_checkpoint(folder / "gtloc.pt", install.Target(folder, "gtloc"), places=places)
    return folder


def test_a_whole_forward_pass_equals_the_formulas(models_dir: Path, checkpoint: State) -> None:
    module = weights.load(models_dir / "gtloc").module
    view = np.random.default_rng(1).integers(0, 256, (6, 3, 28, 28), np.uint8)
    mean, std = np.array(convert.CLIP_MEAN)[:, None, None], np.array(convert.CLIP_STD)[:, None, None]
    degrees = np.random.default_rng(2).uniform((-90, -180), (90, 180), (50, 2)).astype(np.float32)
    local = np.random.default_rng(3).integers((1, 1, 0, 0, 0), (13, 29, 24, 60, 60), (50, 5))
    hours = (local[:, 2] + local[:, 3] / 60 + local[:, 4] / 3600) / 24
    turns = np.stack([encoder_year_turn(local[:, 0], local[:, 1]), hours], -1).astype(np.float32)
    with torch.inference_mode():
        ours = module.image(module.features([torch.from_numpy(view)])).numpy()
        places = module.place(torch.from_numpy(degrees)).numpy()
        times = module.time(torch.from_numpy(turns)).numpy()
    np.testing.assert_allclose(ours, image(checkpoint, (view / 255.0 - mean) / std), atol=2e-6)
    # Phases at σ = 256 reach thousands of radians: float32 keeps 3e-4 of one, float64 all of it.
    np.testing.assert_allclose(places, place(checkpoint, degrees.astype(np.float64)), atol=2e-3)
    np.testing.assert_allclose(times, time(checkpoint, local), atol=4e-3)


def test_the_paper_counts_the_time_of_year_as_our_encoder_is_given_it() -> None:
    from datetime import datetime

    noon = datetime(2021, 7, 2, 12)
    assert encoder_year_turn(7, 2) == pytest.approx((6 + 1 / (365 / 12)) / 12)
    assert day_turn(noon) == 0.5


def test_scales_and_the_places_are_taken_over(models_dir: Path, checkpoint: State) -> None:
    loaded = weights.load(models_dir / "gtloc")
    assert loaded.module.log_scale_place.item() == pytest.approx(float(checkpoint["logit_scale_img_gps"]))
    assert loaded.module.log_scale_time.item() == pytest.approx(float(checkpoint["logit_scale_img_time"]))
    assert loaded.manifest.location_encoder == EncoderSpec((1.0, 16.0, 256.0), 8, 16, 3)
    model = vision.load("gtloc", models_dir=models_dir, cache_dir=models_dir / "cache", device="cpu")
    assert len(model.places.points) == 9 * 12
    assert model.short_side == 28


def test_the_best_answers_are_the_arg_max_of_the_paper(models_dir: Path, checkpoint: State) -> None:
    model = vision.load("gtloc", models_dir=models_dir, cache_dir=models_dir / "cache", device="cpu")
    rgb = np.random.default_rng(4).integers(0, 256, (28, 28, 3), np.uint8)
    found = model.predict(model.embed([model.prepare(Pixels("a", rgb, 28, 28))]), ["a"])[0]
    mean, std = np.array(convert.CLIP_MEAN)[:, None, None], np.array(convert.CLIP_STD)[:, None, None]
    query = image(checkpoint, (rgb.transpose(2, 0, 1)[None] / 255.0 - mean) / std)[0]
    best = model.places.points[int(np.argmax(place(checkpoint, model.places.points.astype(np.float64)) @ query))]
    assert (found.best_position.latitude_deg, found.best_position.longitude_deg) == tuple(best.astype(float))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: state.pop("time_encoder.TimeEnc1.head.0.bias"), "TimeEnc1.head.0.bias"),
        (lambda state: state.update(surprise=np.zeros(3)), "surprise"),
        (lambda state: state.pop("image_encoder.backbone.visual_projection.weight"), "visual_projection"),
        (lambda state: state.update({"image_encoder.mlp.4.weight": np.zeros((3, 3))}), "mlp.4.bias"),
        (lambda state: state.update({"image_encoder.backbone.vision_model.extra": np.zeros(3)}), "vision_model.extra"),
        (lambda state: [state.pop(name) for name in list(state) if "LocEnc" in name], "LocEnc0"),
        (lambda state: state["image_encoder.mlp.0.weight"].fill(np.nan), "not finite"),
    ],
)
def test_a_checkpoint_with_missing_or_left_over_keys_is_refused_by_name(tmp_path: Path, change, said: str) -> None:
    state = random_checkpoint(6)
    change(state)
    save_file(tensors(state), tmp_path / "x.safetensors")
    with pytest.raises(WeightsError, match=said):
        install.add_checkpoint(tmp_path / "x.safetensors", install.Target(tmp_path, "x"))
    assert vision.installed(tmp_path) == ()


def test_dropout_between_the_layers_of_a_capsule_changes_only_their_numbers(checkpoint: State) -> None:
    shifted = {
        name.replace(".capsule.5.", ".capsule.7.").replace(".capsule.3.", ".capsule.4."): value
        for name, value in checkpoint.items()
    }
    plain, other = convert.gtloc(tensors(checkpoint), origin="a"), convert.gtloc(tensors(shifted), origin="b")
    assert plain.tensors.keys() == other.tensors.keys()
    assert all(torch.equal(plain.tensors[name], other.tensors[name]) for name in plain.tensors)


def test_a_name_that_is_taken_is_not_overwritten(models_dir: Path) -> None:
    with pytest.raises(UsageError, match="exists already"):
        install.add_checkpoint(models_dir / "gtloc.pt", install.Target(models_dir, "gtloc"))


class Evil:
    def __reduce__(self):
        return (os.system, ("touch /nonexistent",))


def test_a_pickle_of_objects_is_not_opened(tmp_path: Path) -> None:
    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(WeightsError, match="can run code"):
        install.add_checkpoint(tmp_path / "evil.pt", install.Target(tmp_path, "evil"))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
@pytest.mark.parametrize("kind", ["pt", "safetensors"])
def test_a_truncated_checkpoint_is_refused(tmp_path: Path, checkpoint: State, share: float, kind: str) -> None:
    path = tmp_path / f"x.{kind}"
    torch.save(tensors(checkpoint), path) if kind == "pt" else save_file(tensors(checkpoint), path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(WeightsError, match="cut short"):
        install.read_checkpoint(path)


# --------------------------------------------------------------------------- CLIP in three layouts


def openai_layout(state: State) -> dict[str, torch.Tensor]:
    stem = "image_encoder.backbone.vision_model"
    found = {
        "visual.class_embedding": state[f"{stem}.embeddings.class_embedding"],
        "visual.positional_embedding": state[f"{stem}.embeddings.position_embedding.weight"],
        "visual.conv1.weight": state[f"{stem}.embeddings.patch_embedding.weight"],
        "visual.proj": state["image_encoder.backbone.visual_projection.weight"].T.copy(),
        "transformer.resblocks.0.ln_1.weight": np.zeros(3),
        "token_embedding.weight": np.zeros((3, 3)),
        "logit_scale": np.float32(1),
    }
    for old, new in (("pre_layrnorm", "ln_pre"), ("post_layernorm", "ln_post")):
        found |= {f"visual.{new}.{kind}": state[f"{stem}.{old}.{kind}"] for kind in ("weight", "bias")}
    names = {
        "layer_norm1": "ln_1",
        "layer_norm2": "ln_2",
        "mlp.fc1": "mlp.c_fc",
        "mlp.fc2": "mlp.c_proj",
        "self_attn.out_proj": "attn.out_proj",
    }
    for block in range(2):
        old, new = f"{stem}.encoder.layers.{block}", f"visual.transformer.resblocks.{block}"
        for kind in ("weight", "bias"):
            found |= {f"{new}.{b}.{kind}": state[f"{old}.{a}.{kind}"] for a, b in names.items()}
            found[f"{new}.attn.in_proj_{kind}"] = np.concatenate(
                [state[f"{old}.self_attn.{p}_proj.{kind}"] for p in "qkv"]
            )
    return tensors(found)


def test_three_layouts_of_clip_give_one_model(checkpoint: State) -> None:
    prefix = "image_encoder.backbone."
    own = {name.removeprefix(prefix): value for name, value in tensors(checkpoint).items() if name.startswith(prefix)}
    from_hf, spec = convert.clip(own, origin="hf")
    from_openai, same = convert.clip(openai_layout(checkpoint), origin="openai")
    timm = {name.removeprefix("extractors.clip."): value for name, value in from_hf.items()}
    from_timm, third = convert.clip(timm, origin="timm")
    assert spec == same == third
    assert from_hf.keys() == from_openai.keys() == from_timm.keys()
    assert all(
        torch.equal(from_hf[name], from_openai[name]) and torch.equal(from_hf[name], from_timm[name])
        for name in from_hf
    )


def test_our_clip_equals_that_of_transformers(checkpoint: State) -> None:
    timm_module()  # transformers stops at the same torchvision as timm does
    transformers = pytest.importorskip("transformers", reason="the transformers package is not installed")
    config = transformers.CLIPVisionConfig(
        hidden_size=128,
        intermediate_size=512,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
        projection_dim=48,
        hidden_act="quick_gelu",
    )
    theirs = transformers.CLIPVisionModelWithProjection(config).eval()
    prefix = "image_encoder.backbone."
    keys = theirs.state_dict().keys()
    own = {name.removeprefix(prefix): value for name, value in tensors(checkpoint).items()}
    theirs.load_state_dict({name: own[name] for name in keys}, strict=True)
    pixels = torch.from_numpy(np.random.default_rng(0).standard_normal((4, 3, 28, 28)).astype(np.float32))
    with torch.inference_mode():
        expected = theirs(pixel_values=pixels).image_embeds.numpy()
    np.testing.assert_allclose(clip_features(checkpoint, pixels.numpy().astype(np.float64)), expected, atol=2e-5)


def test_clip_stands_alone_and_is_shared(tmp_path: Path, checkpoint: State) -> None:
    save_file(openai_layout(checkpoint), tmp_path / "clip.safetensors")
    folder = install.add_clip(tmp_path / "clip.safetensors", models_dir=tmp_path)
    assert vision.installed(tmp_path) == ()  # a backbone is no model
    assert install.read_backbone(tmp_path)[0] == folder
    with pytest.raises(UsageError):
        install.add_clip(tmp_path / "clip.safetensors", models_dir=tmp_path)


# --------------------------------------------------------------------------- GeoCLIP


def tiny_geoclip(folder: Path, state: State) -> Path:
    """Write a wheel with GeoCLIP's files at the sizes of *state*."""
    parts = {
        "location_encoder_weights.pth": {
            n.removeprefix("location_encoder."): v
            for n, v in tensors(state).items()
            if n.startswith("location_encoder.")
        },
        "image_encoder_mlp_weights.pth": {
            n.removeprefix("image_encoder.mlp."): v
            for n, v in tensors(state).items()
            if n.startswith("image_encoder.mlp.")
        },
        "logit_scale_weights.pth": torch.tensor(3.68),
    }
    with zipfile.ZipFile(folder / "geoclip.whl", "w") as wheel:
        for name, content in parts.items():
            torch.save(content, folder / name)
            wheel.write(folder / name, f"geoclip/model/weights/{name}")
        wheel.writestr(
            "geoclip/model/gps_gallery/coordinates_100K.csv", "LAT,LON\n" + "".join(f"{i},{2 * i}\n" for i in range(40))
        )
    return folder / "geoclip.whl"


def test_geoclip_is_installed_on_a_shared_clip_and_tells_no_time(tmp_path: Path, checkpoint: State) -> None:
    wheel = tiny_geoclip(tmp_path, checkpoint)
    with pytest.raises(WeightsError, match="add --clip"):
        install.add_geoclip(wheel, install.Target(tmp_path, "geoclip"))
    save_file(openai_layout(checkpoint), tmp_path / "clip.safetensors")
    install.add_clip(tmp_path / "clip.safetensors", models_dir=tmp_path)
    install.add_geoclip(wheel, install.Target(tmp_path, "geoclip"), ten_crop=True)
    model = vision.load("geoclip", models_dir=tmp_path, cache_dir=tmp_path / "cache", device="cpu")
    rgb = np.random.default_rng(4).integers(0, 256, (40, 60, 3), np.uint8)
    embedding = model.embed([model.prepare(Pixels("a", rgb, 60, 40))])
    found = model.predict(embedding, ["a"])[0]
    assert model.facts["time"] == "not judged" and np.ptp(found.time.mass) < 1e-9
    assert found.weights_sha256.count("+") == 1  # the shared CLIP is part of the identity
    assert np.linalg.norm(embedding) < 1.0  # a mean of ten unit vectors
    assert float(np.linalg.norm(found.embedding)) == pytest.approx(1.0, abs=1e-6)


def geoclip_folder() -> Path:
    chosen = os.environ.get("GTLOC_GEOCLIP")
    if chosen:
        return Path(chosen)
    spec = importlib.util.find_spec("geoclip")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("geoclip is not installed (pip install --no-deps geoclip==1.3.0, or GTLOC_GEOCLIP=<its folder>)")
    return Path(spec.submodule_search_locations[0])


def test_the_released_geoclip_encoder_gives_the_same_on_ten_thousand_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside authority: the code and weights of the geoclip 1.3.0 wheel (MIT), run as released."""
    folder = geoclip_folder()
    package = types.ModuleType("geoclip")  # its __init__ wants transformers, which its location encoder does not
    package.__path__ = [str(folder)]
    inner = types.ModuleType("geoclip.model")
    inner.__path__ = [str(folder / "model")]
    monkeypatch.setitem(sys.modules, "geoclip", package)
    monkeypatch.setitem(sys.modules, "geoclip.model", inner)
    theirs = importlib.import_module("geoclip.model.location_encoder").LocationEncoder().eval()
    state = torch.load(folder / "model/weights/location_encoder_weights.pth", weights_only=True)
    found = convert.geoclip(
        state, {"0.weight": torch.zeros(3, 2), "0.bias": torch.zeros(3)}, torch.tensor(1.0), origin="wheel"
    )
    ours = LocationEncoder(found.location_encoder, size=512)
    ours.load_state_dict(
        {n.removeprefix("location_encoder."): v for n, v in found.tensors.items() if n.startswith("location_")}
    )
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(10_000, 2, generator=generator) * torch.tensor([180.0, 360.0]) - torch.tensor([90.0, 180.0])
    with torch.inference_mode():
        worst = float((theirs(points) - ours(points)).abs().max())
    assert found.location_encoder == EncoderSpec()
    assert worst <= 1e-5


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("GTLOC_FULL_SIZE"), reason="GTLOC_FULL_SIZE=1 runs the 438-million-number model")
def test_the_full_size_model_equals_the_formulas(tmp_path: Path) -> None:
    """The true sizes: ViT-L/14, 768-768-512, three capsules of 256 frequencies and 1024 hidden units."""
    state = random_checkpoint(9, width=1024, depth=24, grid=16, joint=768, size=512, frequencies=256, hidden=1024)
    save_file(tensors(state), tmp_path / "gtloc.safetensors")
    folder = install.add_checkpoint(tmp_path / "gtloc.safetensors", install.Target(tmp_path, "gtloc"))
    loaded = weights.load(folder)
    assert loaded.manifest.extractors[0].options == {"num_classes": 768}
    assert loaded.manifest.location_encoder == EncoderSpec()
    assert sum(p.numel() for p in loaded.module.time_encoder.parameters()) == 9_447_936  # papers.md §1.1
    assert sum(p.numel() for p in loaded.module.image_head.parameters()) == 984_320
    view = np.random.default_rng(1).integers(0, 256, (1, 3, 224, 224), np.uint8)
    mean, std = np.array(convert.CLIP_MEAN)[:, None, None], np.array(convert.CLIP_STD)[:, None, None]
    with torch.inference_mode():
        ours = loaded.module.image(loaded.module.features([torch.from_numpy(view)])).numpy()
    np.testing.assert_allclose(ours, image(state, (view / 255.0 - mean) / std), atol=1e-5)


def test_a_model_folder_is_installed_only_when_it_loads(models_dir: Path, tmp_path: Path) -> None:
    folder = install.add_folder(models_dir / "gtloc", install.Target(tmp_path, "gtloc"))
    assert vision.installed(tmp_path) == ("gtloc",)
    with pytest.raises(UsageError, match="calls itself"):
        install.add_folder(folder, install.Target(tmp_path, "other"))
    path = folder / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="cut short"):
        install.add_folder(folder, install.Target(tmp_path / "elsewhere", "gtloc"))


def test_a_download_that_fails_names_the_way_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def offline(*_: object, **__: object) -> str:
        raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    with pytest.raises(WeightsError, match="add --clip FILE"):
        install.download_clip(tmp_path)
