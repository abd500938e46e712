"""The short pass of a plain vision transformer tells what timm's own tells, and no other net gets one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import tiny_models
import torch
from see_landscapes import landscape
from torch import Tensor

from gtloc_forensics import vision
from gtloc_forensics.records import Pixels
from gtloc_forensics.vision import device as devices
from gtloc_forensics.vision import encoders, library, short_pass, weights
from gtloc_forensics.vision.encoders import Extractor
from gtloc_forensics.vision.specs import ExtractorSpec, Tap

PATCHES = msgspec.structs.replace(tiny_models.TINY_VIT, taps=(Tap("patch-mean", 0), Tap("patch-mean", 1)))
CLASS_TOO = msgspec.structs.replace(PATCHES, taps=(Tap("cls", 0), Tap("patch-mean", 2), Tap("cls", 2)))
SCALED = msgspec.structs.replace(
    PATCHES, options={**PATCHES.options, "init_values": 0.5, "embed_dim": 64, "num_heads": 4}
)
UNBIASED = msgspec.structs.replace(PATCHES, options={**PATCHES.options, "qkv_bias": False})


def tiny(spec: ExtractorSpec) -> Extractor:
    """Return an extractor with random weights, the biases too: timm begins with none."""
    torch.manual_seed(3)
    extractor = Extractor(spec)
    with torch.no_grad():
        for name, parameter in extractor.named_parameters():
            if name.endswith("bias") or "ls" in name:
                parameter.normal_(0.0, 0.5)
    return extractor


def shipped() -> Extractor:
    return weights.load(library.find("gtloc-small")).module.extractors["dinov2"]


def pictures(count: int, spec: ExtractorSpec) -> Tensor:
    drawn = [np.asarray(landscape(seed, daylight=1.0 - 0.9 * seed / count)) for seed in range(count)]
    side = spec.input_px
    made = [rgb[:: rgb.shape[0] // side, :: rgb.shape[1] // side][:side, :side] for rgb in drawn]
    return torch.from_numpy(np.stack(made).transpose(0, 3, 1, 2).copy())


def seen(extractor: Extractor, view: Tensor, precision: torch.dtype = torch.float32) -> Tensor:
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision is not torch.float32):
        return extractor(view)


def far(found: Tensor, true: Tensor) -> float:
    """Return how far features lie from the true ones, as a share of these."""
    return float((found - true).norm() / true.norm())


@pytest.mark.parametrize(
    "made",
    [shipped, *(lambda spec=spec: tiny(spec) for spec in (PATCHES, CLASS_TOO, SCALED, UNBIASED))],
    ids=["shipped", "patches", "class token", "layer scale", "no biases"],
)
def test_it_is_as_near_to_single_precision_as_timms_own_in_bfloat16(made: Callable[[], Extractor]) -> None:
    timms, short = made(), made()
    short.keep_at(torch.bfloat16)
    assert short.net is None, "its weights are not kept twice"
    view = pictures(7, timms.spec)
    true = seen(timms, view)
    plain, found = seen(timms, view, torch.bfloat16), seen(short, view, torch.bfloat16)
    assert found.shape == true.shape
    assert found.dtype == torch.float32
    assert not torch.equal(found, plain), "it was the short one that ran"
    assert far(found, true) < 1.2 * far(plain, true)
    assert far(found, true) < 0.01


def test_a_picture_gets_the_same_bits_whatever_lies_beside_it() -> None:
    extractor = shipped()
    extractor.keep_at(torch.bfloat16)
    view = pictures(9, extractor.spec)
    alone = torch.cat([seen(extractor, one[None], torch.bfloat16) for one in view])
    for count in (2, 3, 5, 8, 9):
        assert torch.equal(seen(extractor, view[:count], torch.bfloat16), alone[:count])
        assert torch.equal(seen(extractor, view[-count:], torch.bfloat16), alone[-count:])


def test_where_weights_cannot_be_laid_out_the_sums_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out, plain = shipped(), shipped()
    laid_out.keep_at(torch.bfloat16)
    monkeypatch.setattr(short_pass, "_lays_weights_out", lambda: False)
    plain.keep_at(torch.bfloat16)
    view = pictures(3, plain.spec)
    one, other = (seen(extractor, view, torch.bfloat16) for extractor in (laid_out, plain))
    assert far(one, other) < 1e-3


def test_in_single_precision_timms_own_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_multiplies_bfloat16", lambda: False)
    model = vision.load("gtloc-small", device="cpu", cache_dir=tmp_path)
    rgb = np.asarray(landscape(1, daylight=0.7))
    prepared = model.prepare(Pixels("1", rgb, *rgb.shape[1::-1]))
    side = model.manifest.extractors[0].input_px
    for count in (1, 3, 8):
        view = torch.from_numpy(np.stack([prepared] * count).reshape(count, 3, side, side))
        assert np.array_equal(model.backbone_features([prepared] * count), seen(shipped(), view).numpy())
    assert short_pass.short_pass(shipped().net, shipped().spec, torch.float32) is None


def test_the_answers_are_those_of_timms_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_multiplies_bfloat16", lambda: True)
    short = vision.load("gtloc-small", device="cpu", cache_dir=tmp_path)
    monkeypatch.setattr(encoders, "short_pass", lambda *_: None)
    timms = vision.load("gtloc-small", device="cpu", cache_dir=tmp_path)
    drawn = [np.asarray(landscape(seed, daylight=1.0 - 0.1 * seed)) for seed in range(9)]
    prepared = [short.prepare(Pixels("1", rgb, *rgb.shape[1::-1])) for rgb in drawn]
    one, other = short.embed(prepared), timms.embed(prepared)
    assert (one[:, : short.embedding_size] * other[:, : short.embedding_size]).sum(axis=1).min() > 0.9999
    names = [str(number) for number in range(len(drawn))]
    for found, told in zip(short.predict(one, names), timms.predict(other, names), strict=True):
        assert np.abs(found.time.mass - told.time.mass).sum() / 2 < 0.005
        assert abs(found.local_hour - told.local_hour) <= 0.5
        assert abs(found.datable - told.datable) < 0.02


def otherwise(**options: Any) -> ExtractorSpec:
    return msgspec.structs.replace(PATCHES, options={**PATCHES.options, **options})


@pytest.mark.parametrize(
    "spec",
    [
        otherwise(qk_norm=True),
        otherwise(reg_tokens=2),
        otherwise(no_embed_class=True),
        otherwise(class_token=False, global_pool="avg"),
        otherwise(dynamic_img_size=True),
        otherwise(pre_norm=True),
        msgspec.structs.replace(otherwise(mlp_ratio=0.5, img_size=160), input_px=160),
        msgspec.structs.replace(PATCHES, taps=(Tap("patch-mean", 1, norm=True),)),
        msgspec.structs.replace(PATCHES, taps=(Tap("patch-mean", 1), Tap("pre-logits"))),
        tiny_models.TINY_CONV,
    ],
    ids=[
        "normalised",
        "registers",
        "position",
        "no class",
        "any size",
        "norm first",
        "long",
        "norm",
        "head",
        "not one",
    ],
)
def test_a_net_that_is_built_otherwise_is_run_as_timm_does(spec: ExtractorSpec) -> None:
    extractor = tiny(spec)
    view = pictures(2, spec)
    before = seen(extractor, view, torch.bfloat16)
    extractor.keep_at(torch.bfloat16)
    assert extractor.net is not None
    assert torch.equal(seen(extractor, view, torch.bfloat16), before)
