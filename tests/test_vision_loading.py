"""A model is loaded without numbers that nobody reads, and computes without fighting the decoding processes."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_models
import torch
from see_landscapes import landscape

from gtloc_forensics import vision
from gtloc_forensics.errors import WeightsError
from gtloc_forensics.records import Pixels
from gtloc_forensics.vision import device as devices
from gtloc_forensics.vision import encoders, library, torch_loading, weights
from gtloc_forensics.vision.encoders import Extractor
from gtloc_forensics.vision.gtloc import GTLoc


def prepared(model: vision.Model, count: int = 4) -> list[np.ndarray]:
    views = [np.asarray(landscape(seed, daylight=1.0 - 0.2 * seed)) for seed in range(count)]
    return [model.prepare(Pixels(str(seed), view, *view.shape[1::-1])) for seed, view in enumerate(views)]


def test_a_loaded_model_holds_the_numbers_of_its_file_and_draws_none(tmp_path: Path) -> None:
    folder = tiny_models.write(tmp_path)
    before = torch.random.get_rng_state()
    loaded = weights.load(folder)
    plain = GTLoc(loaded.manifest)
    weights.fill(plain, loaded.reread(), origin="test")
    state = loaded.module.state_dict()
    assert state.keys() == plain.state_dict().keys()
    assert all(torch.equal(value, state[name]) for name, value in plain.state_dict().items())
    assert {name: one.requires_grad for name, one in loaded.module.named_parameters()} == {
        name: one.requires_grad for name, one in plain.named_parameters()
    }
    torch.random.set_rng_state(before)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), float("-inf")])
def test_one_number_that_is_none_is_enough_to_refuse_the_file(tmp_path: Path, wrong: float) -> None:
    loaded = weights.load(tiny_models.write(tmp_path))
    tensors = dict(loaded.reread())
    name = next(name for name in sorted(tensors) if tensors[name].is_floating_point() and tensors[name].numel() > 8)
    tensors[name] = tensors[name].clone()
    tensors[name].view(-1)[3] = wrong
    with pytest.raises(WeightsError, match="not finite"):
        weights.fill(GTLoc(loaded.manifest), tensors, origin="test")


def test_numbers_whose_sum_is_none_are_still_numbers(tmp_path: Path) -> None:
    assert weights._is_finite(torch.full((8,), 3e38))
    assert weights._is_finite(torch.full((2_000,), 1.7e308, dtype=torch.float64))


def test_weights_kept_in_bfloat16_give_the_same_bits_as_those_converted_at_every_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "_multiplies_bfloat16", lambda: True)
    monkeypatch.setattr(encoders, "short_pass", lambda *_: None)
    kept = vision.load("gtloc-small", device="cpu", cache_dir=tmp_path)
    monkeypatch.setattr(Extractor, "keep_at", lambda *_: None)
    converted = vision.load("gtloc-small", device="cpu", cache_dir=tmp_path)
    views = prepared(kept)
    assert np.array_equal(kept.backbone_features(views), converted.backbone_features(views))
    assert np.array_equal(kept.embed(views), converted.embed(views))
    assert (kept.fingerprint, kept.image_side()) == (converted.fingerprint, converted.image_side())
    sizes = [
        sum(number.numel() * number.element_size() for number in model._module.extractors.parameters())
        for model in (kept, converted)
    ]
    assert sizes[0] < 0.55 * sizes[1]


def test_the_side_of_a_model_is_that_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_multiplies_bfloat16", lambda: True)
    model = vision.load("gtloc-small", device="cpu", cache_dir=tmp_path)
    read = weights.read_tensors(library.find("gtloc-small") / "weights.safetensors")
    (spec,) = model.manifest.extractors
    assert model.image_side() == weights.image_side(read, architecture=spec.architecture)


@pytest.mark.parametrize(("said", "seen"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_while_torch_is_loaded_its_waiting_threads_are_told_to_sleep_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, said: str | None, seen: str
) -> None:
    told: list[str | None] = []
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if said is not None:
        monkeypatch.setenv("OMP_WAIT_POLICY", said)
    monkeypatch.setattr(
        torch_loading.importlib, "import_module", lambda name: told.append(os.environ.get("OMP_WAIT_POLICY"))
    )
    torch_loading.load_torch()
    assert told == [seen]
    assert os.environ.get("OMP_WAIT_POLICY") == said


def test_nothing_loads_torch_before_it_is_told_so() -> None:
    code = (
        "import sys\n"
        "from gtloc_forensics.vision import torch_loading\n"
        "import gtloc_forensics.vision as vision\n"
        "from gtloc_forensics.examination import instruments\n"
        "assert 'torch' not in sys.modules\n"
        "real, told = torch_loading.load_torch, []\n"
        "def watched():\n"
        "    told.append('torch' in sys.modules)\n"
        "    real()\n"
        "vision.load_torch = watched\n"
        "vision.load('gtloc-small', device='cpu').close()\n"
        "print(told)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[False]"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of other C libraries it is not asked")
def test_a_forward_pass_takes_most_of_its_memory_from_the_one_before_and_leaves_none_of_it() -> None:
    code = (
        "import resource\n"
        "import numpy as np\n"
        "import gtloc_forensics.vision as vision\n"
        "model = vision.load('gtloc-small', device='cpu')\n"
        "from gtloc_forensics.vision import views\n"
        "seen = [views.prepare(np.full((224, 224, 3), n, np.uint8), model.manifest.extractors) for n in range(8)]\n"
        "def held():\n"
        "    with open('/proc/self/statm') as said:\n"
        "        return int(said.read().split()[1]) * resource.getpagesize() >> 20\n"
        "def faults():\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    model.embed(seen)\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before\n"
        "faults()\n"
        "first = held()\n"
        "asked = [faults() for _ in range(3)]\n"
        "print(max(asked), held() - first)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    faults, more_mb = map(int, done.stdout.split())
    assert faults < 30_000  # of 4 KiB; 35,100 where each layer's result is asked of the system
    assert more_mb < 8
