"""The nets of the systems: shapes and numbers of parameters at published size (on no memory), and what they compute."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
import torch

from gtloc_forensics.earth.partitions import PUBLISHED_CELLS
from gtloc_forensics.vision import systems
from gtloc_forensics.vision.systems import geodecoder, isns, padilha, planet, tiger, translocator
from gtloc_forensics.vision.systems.system import Layout, Seen, System

SMALL_CELLS = {"coarse": 4, "middle": 6, "fine": 9}


def count(net: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def vit(width: int, depth: int, feedforward: int) -> int:
    """The parameters of a ViT's layers, counted by hand."""
    attention = 4 * width * width + 4 * width
    return depth * (attention + 2 * width * feedforward + feedforward + width + 4 * width)


def on_meta(kind: str, layout: Layout) -> System:
    with torch.device("meta"):
        return systems.system_class(kind)(layout)


def seen_on_meta(layout: Layout, pictures: int = 2) -> Seen:
    with torch.device("meta"):
        return Seen(
            torch.zeros(pictures, layout.tokens, layout.width), torch.zeros(pictures, layout.tokens, layout.scenes)
        )


def test_planet_at_published_size_is_linear_over_26263_cells() -> None:
    layout = Layout(1, planet.PUBLISHED_FEATURES, 0, {"cells": planet.PUBLISHED_CELLS}, {"hidden": 0})
    net = on_meta("planet", layout)
    assert count(net) == 26_263 * 2048 + 26_263
    assert net(seen_on_meta(layout))["cells"].shape == (2, 26_263)


def test_three_isns_at_published_size_stand_on_three_resnet101() -> None:
    layout = Layout(1, isns.PUBLISHED_FEATURES, 8, PUBLISHED_CELLS, {"hidden": 0, "experts": 3})
    net = on_meta("isns", layout)
    assert count(net) == 3 * (2048 + 1) * (3298 + 7202 + 12893)


def test_translocator_at_published_size_is_two_vit_b_16_with_their_fusions() -> None:
    layout = translocator.PUBLISHED_LAYOUT
    net = on_meta("translocator", layout)
    branch = vit(768, 12, 3072) + 197 * 768 + 768 + 768 * 768 + 768 + 2 * 768
    assert branch == 85_798_656  # timm's vit_base_patch16_224 without its classifier
    fusion = 12 * 2 * (768 * 768 + 768)
    attention = 1536 * 768 + 768 + 768 * 2 + 2
    heads = (1536 + 1) * (3298 + 7202 + 12893 + 16)
    assert count(net) == 2 * branch + fusion + attention + heads
    said = net(seen_on_meta(layout, 1))
    assert {name: logits.shape[1] for name, logits in said.items()} == {**PUBLISHED_CELLS, "scene": 16}


def test_a_branch_of_translocator_has_as_many_numbers_as_timm_s_vit() -> None:
    from gtloc_forensics.vision.torchvision_shim import timm_module

    with torch.device("meta"):
        vit_of_timm = timm_module().create_model("vit_base_patch16_224", num_classes=0)
    assert count(on_meta("translocator", translocator.PUBLISHED_LAYOUT).rgb) == count(vit_of_timm)  # type: ignore[arg-type]


def test_geodecoder_of_the_early_code_asks_48_questions_in_six_layers() -> None:
    layout = geodecoder.PUBLISHED_LAYOUT
    net = on_meta("geodecoder", layout)
    assert net.questions.shape == (1, 48, 768)  # type: ignore[union-attr]
    layer = 2 * (4 * 768 * 768 + 4 * 768) + 3 * 2 * 768 + 2 * 768 * 1024 + 1024 + 768
    ends = 197 * 768 + 48 * 768 + 2 * 768
    assert count(net) == 6 * layer + ends + (768 + 1) * (3298 + 7202 + 12893)
    said = net(seen_on_meta(layout))
    assert [said[f"level{k}"].shape[1] for k in range(3)] == [3298, 7202, 12893]
    assert said["scene"].shape == (2, 16)


def test_geodecoder_takes_seven_levels_with_a_feed_forward_each() -> None:
    cells = {f"level{k}": 10 * (k + 1) for k in range(7)}
    layout = Layout(16, 32, 8, cells, {**systems.system_class("geodecoder").SMALL, "levels": 7})
    net = systems.system_class("geodecoder")(layout)
    assert len(net.layers[-1].alone) == 7  # type: ignore[index,union-attr,arg-type]
    assert net(Seen(torch.randn(3, 16, 32), torch.zeros(3, 16, 8)))["level6"].shape == (3, 70)


def test_tiger_at_published_size_has_one_layer_of_64_heads_768_cells_and_288_bins() -> None:
    layout = tiger.PUBLISHED_LAYOUT
    net = on_meta("tiger", layout)
    assert net.shared.self_attn.num_heads == 64  # type: ignore[union-attr]
    said = net(seen_on_meta(layout))
    assert said["vector"].shape == (2, 1024)
    assert said["healpix"].shape == (2, 768)
    assert said["bins"].shape == (2, 288)
    projection = 2 * 1024 + 1024 * 1024 + 1024
    assert count(net) == 1024 * 1024 + 1024 + 3 * 1024 + vit(1024, 1, 4096) + projection + 1025 * (768 + 288) + 1


def test_geoclip_s_location_encoder_has_the_released_number_of_parameters() -> None:
    net = on_meta("geoclip", Layout(1, 768, 0, {}, {"hidden": 768}, points=10))
    assert count(net.location_encoder) == 9_447_936  # type: ignore[arg-type]
    assert count(net.image_head) == 984_320  # type: ignore[arg-type]


def test_padilha_at_published_size_has_the_published_widths() -> None:
    layout = Layout(1, padilha.PUBLISHED_FEATURES, 0, {}, padilha.PUBLISHED)
    net = on_meta("padilha", layout)
    linear = [
        (1024, 256), (256, 128), (2, 256), (256, 512), (512, 128), (3, 256), (256, 512), (512, 128),
        (384, 256), (256, 512),
    ]  # fmt: skip
    assert count(net) == sum(a * b + 3 * b for a, b in linear) + 512 * 2 + 2


# --------------------------------------------------------------------------- what they compute


def built(kind: str, cells: Mapping[str, int], **sizes: float) -> System:
    torch.manual_seed(0)
    cls = systems.system_class(kind)
    return cls(Layout(16, 32, 8, cells, {**cls.SMALL, **sizes}, points=7)).eval()


def some(pictures: int = 3) -> Seen:
    torch.manual_seed(1)
    return Seen(torch.randn(pictures, 16, 32), torch.softmax(torch.randn(pictures, 16, 8), dim=-1))


CASES = [
    ("planet", {"cells": 5}, {}),
    ("knn", {"cells": 5}, {"photos": 11, "neighbours": 4}),
    ("cplanet", {**{f"turned{k}": 4 for k in range(5)}, "fine": 6}, {}),
    ("isns", SMALL_CELLS, {}),
    ("pigeotto", {"semantic": 5}, {}),
    ("geoclip", {}, {}),
    ("zhai", {"cells": 5}, {}),
    ("padilha", {}, {}),
    ("translocator", SMALL_CELLS, {}),
    ("geodecoder", {"level0": 3, "level1": 5}, {"levels": 2}),
    ("tiger", {"healpix": 768}, {}),
]


@pytest.mark.parametrize(("kind", "cells", "sizes"), CASES, ids=[case[0] for case in CASES])
def test_what_a_system_says_is_a_density_over_what_it_judges(
    kind: str, cells: dict[str, int], sizes: dict[str, float]
) -> None:
    net = built(kind, cells, **sizes)
    with torch.no_grad():
        said = net(some())
        told = [net.place_logs(said)] if net.judges_place else []
        told += [net.time_logs(said).flatten(1)] if net.judges_time else []
    assert told
    for logs in told:
        assert torch.allclose(logs.double().exp().sum(dim=-1), torch.ones(3, dtype=torch.double), atol=1e-4)


def test_every_system_that_can_be_named_is_tried_here() -> None:
    assert {case[0] for case in CASES} == set(systems.kinds())


def test_the_product_over_a_hierarchy_multiplies_a_cell_by_what_holds_it() -> None:
    net = built("isns", {"coarse": 2, "middle": 2, "fine": 3})
    net.parent_middle.copy_(torch.tensor([0, 1]))  # type: ignore[operator,union-attr]
    net.parent_fine.copy_(torch.tensor([0, 0, 1]))  # type: ignore[operator,union-attr]
    coarse, middle, fine = (torch.tensor([row]) for row in ([0.3, 0.7], [0.6, 0.4], [0.2, 0.3, 0.5]))
    logs = net.place_logs({"coarse": coarse.log(), "middle": middle.log(), "fine": fine.log()})
    wanted = np.array([0.2 * 0.6 * 0.3, 0.3 * 0.6 * 0.3, 0.5 * 0.4 * 0.7])
    assert logs.exp()[0].numpy() == pytest.approx(wanted / wanted.sum(), rel=1e-5)


def test_an_intersection_is_as_likely_as_the_product_of_the_cells_it_lies_in() -> None:
    net = built("cplanet", {"turned0": 2, "turned1": 2, "fine": 2}, partitions=2)
    net.members.copy_(torch.tensor([[0, 1], [1, 0]]))  # type: ignore[operator,union-attr]
    said = {"turned0": torch.tensor([[0.8, 0.2]]).log(), "turned1": torch.tensor([[0.4, 0.6]]).log()}
    assert net.place_logs(said).exp()[0].tolist() == pytest.approx([0.48 / 0.56, 0.08 / 0.56], rel=1e-5)


def test_neighbours_vote_where_most_of_them_are_and_not_where_the_single_most_like_is() -> None:
    net = built("knn", {"cells": 2}, photos=4, neighbours=4)
    here, there = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]
    net.positions.copy_(torch.tensor([there, here, here, here]))  # type: ignore[operator,union-attr]
    logs = net.place_logs({"likeness": torch.tensor([[0.9, 0.6, 0.6, 0.6]])})
    assert int(logs.argmax()) in (1, 2, 3)
    assert float(logs[0, 1] - logs[0, 0]) == pytest.approx(math.log(1.8 / 0.9), rel=1e-4)


def test_padilha_s_even_odds_give_back_how_usual_each_time_is() -> None:
    net = built("padilha", {})
    prior = torch.rand(12, 24)
    net.prior.copy_(prior / prior.sum())  # type: ignore[operator,union-attr]
    logs = net.time_logs({"consistent": torch.zeros(1, 12, 24)})
    assert torch.allclose(logs.exp()[0], prior / prior.sum(), atol=1e-6)


def test_an_undecided_classifier_does_not_order_tiger_s_gallery_anew() -> None:
    net = built("tiger", {"healpix": 768})
    net.gallery.copy_(torch.rand(7, 2) * 60)  # type: ignore[operator,union-attr]
    net.gallery_cells.copy_(torch.arange(7))  # type: ignore[operator,union-attr]
    with torch.no_grad():
        said = dict(net(some(1)))
        cosine = said["vector"] @ net.vector(net.place_tokens(net.gallery)).T  # type: ignore[operator]
        even = net.place_logs({**said, "healpix": torch.zeros(1, 768)})
        sure = net.place_logs({**said, "healpix": torch.nn.functional.one_hot(torch.tensor([5]), 768) * 40.0})
    assert torch.allclose(even, torch.log_softmax(cosine / tiger.PSI, dim=-1), atol=1e-3)
    assert int(sure.argmax()) == 5


def test_layers_of_translocator_put_the_same_class_token_before_both_branches() -> None:
    """With the same picture in both branches and equal weights nothing tells them apart, whatever the depth."""
    net = built("translocator", SMALL_CELLS)
    net.meaning.embed = net.rgb.embed  # type: ignore[union-attr]
    net.meaning.load_state_dict(net.rgb.state_dict())  # type: ignore[union-attr]
    seen = Seen(fields := torch.randn(2, 16, 32), fields)
    with torch.no_grad():
        net.attention[-1].weight.zero_()  # type: ignore[index,union-attr]
        net.attention[-1].bias.zero_()  # type: ignore[index,union-attr]
        fused = net.fused(seen)  # type: ignore[operator]
    first, second = fused.chunk(2, dim=-1)
    assert torch.allclose(first, second, atol=1e-5)
