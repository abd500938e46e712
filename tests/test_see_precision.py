"""bfloat16 where the processor multiplies it: faster, stated, in the fingerprint, and hardly another answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from see_landscapes import landscape

from gtloc_forensics import vision
from gtloc_forensics.case.verifying import DENSITY_TOLERANCE
from gtloc_forensics.records import Pixels
from gtloc_forensics.vision import device as devices

CPU = torch.device("cpu")
COUNT = 6


def asked(model: vision.Model) -> list[np.ndarray]:
    views = [np.asarray(landscape(seed, daylight=1.0 - 0.15 * seed)) for seed in range(COUNT)]
    return [model.prepare(Pixels(str(seed), view, *view.shape[1::-1])) for seed, view in enumerate(views)]


def loaded(monkeypatch: pytest.MonkeyPatch, tmp_path, *, has_bfloat16: bool) -> vision.Model:
    monkeypatch.setattr(devices, "_multiplies_bfloat16", lambda: has_bfloat16)
    return vision.load("gtloc-small", device="cpu", cache_dir=tmp_path)


def test_a_processor_without_it_and_all_training_keep_to_float32(monkeypatch):
    monkeypatch.setattr(devices, "_multiplies_bfloat16", lambda: False)
    assert devices.precision(CPU) == torch.float32
    monkeypatch.setattr(devices, "_multiplies_bfloat16", lambda: True)
    assert devices.precision(CPU) == torch.bfloat16
    with devices.training_autocast(CPU):
        assert not torch.is_autocast_enabled("cpu")
    with devices.autocast(CPU):
        assert torch.is_autocast_enabled("cpu")


def test_a_torch_that_cannot_say_what_the_processor_has_is_asked_for_nothing(monkeypatch):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert devices.precision(CPU) == torch.float32


def test_the_answers_agree_and_the_report_says_which_precision_gave_them(monkeypatch, tmp_path):
    found = {}
    for has_bfloat16 in (False, True):
        model = loaded(monkeypatch, tmp_path, has_bfloat16=has_bfloat16)
        rows = model.embed(asked(model))
        told = model.predict(rows, [str(seed) for seed in range(COUNT)])
        found[has_bfloat16] = (model.fingerprint, model.facts["precision"], rows[:, : model.embedding_size], told)
        model.close()
    assert found[False][0] != found[True][0], "what was predicted otherwise is predicted again"
    assert (found[False][1], found[True][1]) == ("float32", "bfloat16")
    assert (found[False][2] * found[True][2]).sum(1).min() > 0.9999
    for plain, half in zip(found[False][3], found[True][3], strict=True):
        assert np.abs(plain.time.mass - half.time.mass).sum() / 2 < DENSITY_TOLERANCE / 2, "far from what fails"
        assert abs(plain.datable - half.datable) < 0.02
        assert np.abs(plain.sun_height.mass - half.sun_height.mass).max() < 0.02
        assert max(abs(plain.scene[kind] - half.scene[kind]) for kind in plain.scene) < 0.02


def test_what_goes_beside_a_picture_changes_nothing_in_bfloat16_either(monkeypatch, tmp_path):
    model = loaded(monkeypatch, tmp_path, has_bfloat16=True)
    views = asked(model)
    together, alone = model.embed(views), np.concatenate([model.embed([view]) for view in views])
    turned = model.embed(views[::-1])[::-1]
    model.close()
    assert np.abs(together - alone).max() < 1e-5
    assert np.abs(together - turned).max() < 1e-5, "nor does the place among them, beyond rounding"
