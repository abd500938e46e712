"""A text tower reads words for the model whose CLIP it was learned with, for no other, and without a network."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from gtloc_by_hand import random_checkpoint
from PIL import Image
from safetensors.torch import load_file, save_file
from test_case import audit
from test_vision_published import openai_layout, tiny_geoclip
from tiny_models import manifest

from gtloc_forensics import vision
from gtloc_forensics.cli.main import ExitCode, gtloc
from gtloc_forensics.errors import MissingExtra, UsageError, WeightsError
from gtloc_forensics.examination.settings import Settings
from gtloc_forensics.vision import install, text_install, text_tower, torchvision_shim, weights
from gtloc_forensics.vision.model import Model
from gtloc_forensics.vision.text_tower import BEGIN, END

pytest.importorskip("transformers", reason="the extra [text] is not installed")

JOINT = 48
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def tokens() -> tuple[dict[str, int], list[str]]:
    """Return a vocabulary of letters, with and without the mark of a word's end, and a few pairs."""
    pairs = ["r e", "b u", "re d</w>", "bu s</w>"]
    words = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), *(pair.replace(" ", "") for pair in pairs)]
    return {word: number for number, word in enumerate([*words, BEGIN, END])}, pairs


def text_half(width: int = 32, projection: int = JOINT, *, seed: int = 0) -> tuple[dict[str, torch.Tensor], dict]:
    """Return the text half of a CLIP with random numbers, and what its configuration says of it."""
    transformers = torchvision_shim.transformers_module()
    sizes = {
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 16,
        "vocab_size": len(tokens()[0]),
        "eos_token_id": 2,
        "model_type": "clip_text_model",
    }
    torch.manual_seed(seed)
    plain = {name: value for name, value in sizes.items() if name != "model_type"}
    net = transformers.CLIPTextModelWithProjection(transformers.CLIPTextConfig(**plain, projection_dim=projection))
    return {name: torch.randn_like(tensor) * 0.2 for name, tensor in net.state_dict().items()}, sizes


def published(folder: Path, checkpoint: dict[str, np.ndarray], **changes: object) -> Path:
    """Write a folder in the published layout: both halves, the configuration, the tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    prefix = "image_encoder.backbone."
    text, sizes = text_half(**changes)  # type: ignore[arg-type]
    whole = {
        name.removeprefix(prefix): torch.as_tensor(np.asarray(value))
        for name, value in checkpoint.items()
        if name.startswith(prefix) and "text_" not in name
    }
    save_file(whole | text, folder / "model.safetensors")
    projection = int(text["text_projection.weight"].shape[0])
    config = {"model_type": "clip", "projection_dim": projection, "text_config": sizes, "vision_config": {}}
    (folder / "config.json").write_text(json.dumps(config))
    vocabulary, pairs = tokens()
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(pairs) + "\n")
    return folder


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models")
    state = random_checkpoint(5)
    torch.save({name: torch.as_tensor(np.asarray(value)) for name, value in state.items()}, place / "gtloc.pt")
    install.add_checkpoint(place / "gtloc.pt", install.Target(place, "gtloc"))
    published(place / "source", state)
    text_install.add_text_tower(place / "source", install.Target(place, "words"))
    return place


@pytest.fixture(scope="module")
def model(models_dir: Path) -> Model:
    return vision.load("gtloc", models_dir=models_dir, cache_dir=models_dir / "cache", device="cpu")


def test_the_tower_of_the_very_clip_is_found_and_reads_words_into_the_common_space(
    models_dir: Path, model: Model
) -> None:
    tower = text_tower.of_model(model, models_dir=models_dir)
    assert (tower.spec.name, tower.spec.learned_with) == ("words", "gtloc")
    features = tower.features(["a red bus", "snow", "A  Red Bus"])
    assert features.shape == (3, JOINT)
    found = model.embedded_features(features)
    assert found.shape == (3, model.embedding_size)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-6)
    np.testing.assert_array_equal(features[0], features[2])  # capitals and blanks do not count
    assert not np.allclose(found[0], found[1])


def test_the_same_words_give_the_same_numbers_each_time_and_in_any_company(models_dir: Path, model: Model) -> None:
    first, second = (text_tower.of_model(model, models_dir=models_dir) for _ in range(2))
    alone, together = first.features(["red bus"]), second.features(["a bus on a road", "red bus"])
    np.testing.assert_array_equal(alone[0], together[1])


def test_the_tower_equals_that_of_transformers_on_padded_texts(models_dir: Path, model: Model) -> None:
    """Outside authority: the published way to ask it, padded to the longest text."""
    transformers = torchvision_shim.transformers_module()
    tower = text_tower.of_model(model, models_dir=models_dir)
    vocabulary, pairs = tokens()
    tokenizer = transformers.CLIPTokenizer(vocab=vocabulary, merges=[tuple(pair.split()) for pair in pairs])
    padded = tokenizer(["a red bus", "on"], padding=True, return_tensors="pt")
    net = tower._net
    with torch.inference_mode():
        expected = net(**padded).text_embeds.numpy()
    np.testing.assert_allclose(tower.features(["a red bus", "on"]), expected, atol=1e-5)


def test_only_the_text_half_is_kept_and_the_image_half_is_named(models_dir: Path) -> None:
    kept = load_file(models_dir / "words" / "weights.safetensors")
    assert all(name.startswith("text_") for name in kept)
    spec = text_tower.read_spec(models_dir / "words")
    assert len(spec.image_side) == 64
    assert vision.installed(models_dir) == ("gtloc",)  # a tower is no model
    assert text_tower.installed(models_dir) == ("words",)


def test_a_clip_kept_in_half_precision_is_the_same_clip() -> None:
    rows = {"extractors.clip.head.weight": torch.randn(4, 3).half().float()}
    halved = {name: tensor.half() for name, tensor in rows.items()}
    same = [weights.image_side(tensors, architecture="vit_clip") for tensors in (rows, halved)]
    assert same[0] == same[1]
    assert weights.image_side(rows, architecture="vit_other") != same[0]


def test_a_tower_of_another_width_is_refused_with_both_numbers(models_dir: Path, tmp_path: Path) -> None:
    folder = published(tmp_path / "wide", random_checkpoint(5, joint=64), projection=64)
    with pytest.raises(WeightsError, match="gtloc has 48 features, the tower 64"):
        text_install.add_text_tower(folder, install.Target(models_dir, "wide"))
    assert not (models_dir / "wide").exists()


def test_a_tower_of_another_clip_of_the_same_width_is_refused(models_dir: Path, tmp_path: Path) -> None:
    folder = published(tmp_path / "other", random_checkpoint(6))
    with pytest.raises(WeightsError, match="gtloc looks through another CLIP of the same width"):
        text_install.add_text_tower(folder, install.Target(models_dir, "other"))


def _without_image_half(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    save_file({name: t for name, t in tensors.items() if "vi" not in name[:2]}, folder / "model.safetensors")


def _broken_number(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["text_projection.weight"][0, 0] = float("nan")
    save_file(tensors, folder / "model.safetensors")


def _huge(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["hidden_size"] = 10**9
    (folder / "config.json").write_text(json.dumps(config))


def _other_end(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["eos_token_id"] = 5
    (folder / "config.json").write_text(json.dumps(config))


def _lost_layer(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["text_model.final_layer_norm.weight"]
    save_file(tensors, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_without_image_half, "holds no image half"),
        (_broken_number, "numbers that are none"),
        (_huge, "hidden_size is not 1 to"),
        (_other_end, "the end of a text is another token"),
        (_lost_layer, "do not fit its sizes"),
        (lambda folder: (folder / "merges.txt").write_text("a b c\n"), "pair"),
        (lambda folder: (folder / "merges.txt").unlink(), "no tokenizer"),
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "vocab.json").write_text("[1]"), "cannot be read"),
    ],
)
def test_a_folder_that_is_none_is_refused_by_what_is_wrong(
    models_dir: Path, tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    folder = published(tmp_path / "source", random_checkpoint(5))
    change(folder)
    with pytest.raises(WeightsError, match=said):
        text_install.add_text_tower(folder, install.Target(models_dir, "broken"))
    assert not (models_dir / "broken").exists()


def test_a_tokenizer_in_one_file_is_the_same_tokenizer(models_dir: Path, model: Model, tmp_path: Path) -> None:
    folder = published(tmp_path / "source", random_checkpoint(5))
    vocabulary, pairs = tokens()
    (folder / "vocab.json").unlink()
    (folder / "merges.txt").unlink()
    one_file = {"version": "1.0", "model": {"type": "BPE", "vocab": vocabulary, "merges": [p.split() for p in pairs]}}
    (folder / "tokenizer.json").write_text(json.dumps(one_file))
    added = text_install.add_text_tower(folder, install.Target(models_dir, "one-file", replace=True))
    first, second = text_tower.load(added), text_tower.load(models_dir / "words")
    np.testing.assert_array_equal(first.features(["red bus"]), second.features(["red bus"]))
    for name in added.iterdir():
        name.unlink()
    added.rmdir()


def test_what_was_altered_after_it_was_added_is_not_read(models_dir: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(models_dir / "words", tmp_path / "words")
    (copy / "merges.txt").write_text("")
    with pytest.raises(WeightsError, match=r"merges\.txt is not the file"):
        text_tower.load(copy)


def test_a_text_that_is_too_long_is_refused_and_not_cut(models_dir: Path) -> None:
    tower = text_tower.load(models_dir / "words")
    with pytest.raises(UsageError, match="at most 14 tokens"):
        tower.features(["q" * 40])


def test_reading_words_asks_no_network(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    assert text_tower.load(models_dir / "words").features(["red"]).shape == (1, JOINT)


def test_without_transformers_the_extra_is_named(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = torchvision_shim.importlib.util.find_spec
    monkeypatch.setattr(
        torchvision_shim.importlib.util, "find_spec", lambda name: None if name == "transformers" else find(name)
    )
    with pytest.raises(MissingExtra, match=r"gtloc_forensics\[text\]"):
        text_tower.load(models_dir / "words")


def test_a_model_of_another_kind_has_no_tower(models_dir: Path) -> None:
    assert "does not look through the projection of a CLIP" in text_tower.reads_no_text(manifest())
    spec = text_tower.read_spec(models_dir / "words")
    assert msgspec.json.decode((models_dir / "words" / "text.json").read_bytes())["image_side"] == spec.image_side


def test_the_published_sizes_of_clip_vit_l_14_make_its_published_number_of_parameters(tmp_path: Path) -> None:
    transformers = torchvision_shim.transformers_module()
    text = {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "projection_dim": 768}
    config = {"projection_dim": 768, "text_config": text | {"eos_token_id": 2, "model_type": "clip_text_model"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    sizes = text_install._sizes(tmp_path)
    with torch.device("meta"):
        net = transformers.CLIPTextModelWithProjection(transformers.CLIPTextConfig(**msgspec.structs.asdict(sizes)))
    layer = 4 * (768 * 768 + 768) + 2 * 768 * 3072 + 3072 + 768 + 4 * 768
    by_hand = 49_408 * 768 + 77 * 768 + 12 * layer + 2 * 768 + 768 * 768
    assert sum(parameter.numel() for parameter in net.parameters()) == by_hand == 123_650_304


# --------------------------------------------------------------------------- asked by commands


def run(*words: str) -> Result:
    return CliRunner().invoke(gtloc, list(words))


@pytest.fixture(scope="module")
def case(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("asked")
    for name, colour in (("red", "#c01010"), ("blue", "#1010c0"), ("grey", "#606060")):
        picture = Image.new("RGB", (96, 96), colour)
        (place / "evidence").mkdir(exist_ok=True)
        picture.save(place / "evidence" / f"{name}.jpg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GTLOC_MODELS", str(models_dir))
        patch.setenv("GTLOC_CACHE", str(models_dir / "cache"))
        audit(place / "evidence", place / "audit", Settings(model="gtloc", device="cpu", jobs=0))
        yield place / "audit"


def test_a_case_is_searched_by_words_that_nobody_learned(case: Path) -> None:
    said = run("search", str(case), "--text", "a red bus", "--json")
    assert said.exit_code == ExitCode.CLEAN, said.output
    document = json.loads(said.stdout)
    assert document["read_as"] == [["red bus", "read by the text tower; how often that is right nobody has measured"]]
    assert len(document["text_tower"]) == 64
    cosines = [hit["composed"] for hit in document["hits"]]
    assert len(cosines) == 3
    assert cosines == sorted(cosines, reverse=True)
    away = json.loads(run("search", str(case), "--text", "no red bus", "--json").stdout)
    assert [hit["name"] for hit in away["hits"]] == [hit["name"] for hit in reversed(document["hits"])]


def test_words_are_composed_with_a_time_and_weighed(case: Path) -> None:
    both = ["search", str(case), "--text", "red bus in Norway at Christmas", "--json"]
    plain, weighed = (json.loads(run(*both, *more).stdout) for more in ((), ("--weigh", "text=0")))
    alone = json.loads(run("search", str(case), "--text", "in Norway at Christmas", "--json").stdout)
    assert [hit["composed"] for hit in weighed["hits"]] == pytest.approx([hit["composed"] for hit in alone["hits"]])
    assert [hit["composed"] for hit in plain["hits"]] != pytest.approx([hit["composed"] for hit in alone["hits"]])


def test_a_time_alone_is_none_that_the_tower_reads(case: Path) -> None:
    said = run("search", str(case), "--time", "soon")
    assert said.exit_code == ExitCode.FAILURE
    assert "'soon': it is no time" in said.output


def test_without_the_tower_the_words_are_refused_with_the_reason(
    case: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(models_dir / "gtloc", tmp_path / "gtloc")
    monkeypatch.setenv("GTLOC_MODELS", str(tmp_path))
    said = run("search", str(case), "--text", "a red bus")
    assert said.exit_code == ExitCode.FAILURE
    assert "no words were learned for the model gtloc; no text tower is installed" in said.output
    assert "model add --text-tower" in said.output


def test_a_place_is_asked_for_by_words_and_the_tower_is_listed(case: Path) -> None:
    said = run("model", "locate", "gtloc", "red bus", "--places", "3")
    assert said.exit_code == ExitCode.CLEAN, said.output
    lines = said.output.splitlines()
    shares = [float(line.split("%")[0]) for line in lines[:3]]
    assert shares == sorted(shares, reverse=True)
    assert "calibrated for pictures, if at all" in lines[-1]
    assert "(text tower)" in run("model", "list").output
    assert "say in words" in run("model", "locate", "gtloc", " ").output
    assert "does not look through" in run("model", "locate", "gtloc-small", "red bus").output


def test_geoclip_that_borrows_a_clip_is_asked_by_words_for_places_only(tmp_path: Path) -> None:
    state = random_checkpoint(5)
    save_file(openai_layout(state), tmp_path / "clip.safetensors")
    install.add_clip(tmp_path / "clip.safetensors", models_dir=tmp_path)
    install.add_geoclip(tiny_geoclip(tmp_path, state), install.Target(tmp_path, "geoclip"))
    added = text_install.add_text_tower(published(tmp_path / "source", state), install.Target(tmp_path, "words"))
    assert text_tower.read_spec(added).learned_with == "clip-vit-large-patch14"
    model = vision.load("geoclip", models_dir=tmp_path, cache_dir=tmp_path / "cache", device="cpu")
    found = text_tower.places_of(model, "a red bus", count=4, models_dir=tmp_path)
    assert len(found) == 4
    assert all(0 < share <= 1 for share, _ in found)
    assert model.embedded_times(np.zeros((1, 2))) is None


def test_a_tower_is_added_by_a_command(models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(models_dir / "gtloc", tmp_path / "models" / "gtloc")
    monkeypatch.setenv("GTLOC_MODELS", str(tmp_path / "models"))
    folder = published(tmp_path / "source", random_checkpoint(5))
    said = run("model", "add", "--text-tower", str(folder))
    assert said.exit_code == ExitCode.CLEAN, said.output
    assert said.output.strip() == str(tmp_path / "models" / "text-tower")
    assert "exists already" in run("model", "add", "--text-tower", str(folder)).output
    assert (
        "belongs to no installed model"
        in run(
            "model", "add", "--text-tower", str(published(tmp_path / "other", random_checkpoint(6))), "--name", "other"
        ).output
    )
