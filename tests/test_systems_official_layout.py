"""An official GT-Loc checkpoint under the names that the packaged release (gtloc 0.1.0) gives its tensors."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from gtloc_by_hand import State, random_checkpoint

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.vision import convert

SCALES = ("img_gps", "img_time", "gps_time", "ig2t", "it2g", "gt2i")
PATTERNS = (
    r"image_encoder\.backbone\..+",
    r"image_encoder\.mlp\.[02]\.(weight|bias)",
    r"location_encoder\.LocEnc[012]\.capsule\.0\.b",
    r"location_encoder\.LocEnc[012]\.capsule\.[135]\.(weight|bias)",
    r"location_encoder\.LocEnc[012]\.head\.0\.(weight|bias)",
    r"time_encoder\.TimeEnc[012]\.capsule\.0\.b",
    r"time_encoder\.TimeEnc[012]\.capsule\.[147]\.(weight|bias)",
    r"time_encoder\.TimeEnc[012]\.head\.0\.(weight|bias)",
    r"(img_gps|img_time|gps_time|ig2t|it2g|gt2i)_logit_scale",
    r"(gps|time)_queue(_ptr)?",
)
"""Every name a state dict of the release has; after each ReLU of the time encoder stands a dropout or nothing."""


def released(state: State) -> dict[str, torch.Tensor]:
    """Return a checkpoint under the release's names."""
    found: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        new = re.sub(r"^(?:.*\.)?logit_scale_(\w+)$", r"\1_logit_scale", name)
        new = re.sub(r"^(image_encoder\.)(?!backbone)[a-z_]+\.(\d+)\.", r"\1mlp.\2.", new)
        capsule = re.fullmatch(r"(time_encoder\.TimeEnc\d\.capsule\.)(\d+)(\..*)", new)
        if capsule and capsule[2] != "0":
            new = f"{capsule[1]}{_position(state, name)}{capsule[3]}"
        found[new] = torch.as_tensor(np.asarray(value))
    return found | {
        "time_queue": torch.zeros(5, 16), "time_queue_ptr": torch.zeros(1), "gps_queue": torch.zeros(2, 16),
        "gps_queue_ptr": torch.zeros(1),
    }  # fmt: skip


def _position(state: State, name: str) -> int:
    """Return the index of a linear layer where every layer is followed by ReLU and dropout: 1, 4, 7."""
    stem, index, _ = re.fullmatch(r"(.*\.capsule\.)(\d+)(\..*)", name).groups()  # type: ignore[union-attr]
    own = sorted({int(key[len(stem) :].split(".")[0]) for key in state if key.startswith(stem)} - {0})
    return 1 + 3 * own.index(int(index))


@pytest.fixture(scope="module")
def checkpoint() -> State:
    return random_checkpoint(7)


def test_the_checkpoint_here_has_exactly_the_names_of_the_release(checkpoint: State) -> None:
    state = released(checkpoint)
    assert [name for name in state if not any(re.fullmatch(pattern, name) for pattern in PATTERNS)] == []
    assert [pattern for pattern in PATTERNS if not any(re.fullmatch(pattern, name) for name in state)] == []


def test_a_checkpoint_of_the_packaged_release_is_converted_whole(checkpoint: State) -> None:
    found = convert.gtloc(released(checkpoint), origin="gtloc.pt")
    assert found.time_encoder is not None
    assert found.time_encoder.depth == 3
    plain = convert.gtloc({name: torch.as_tensor(np.asarray(value)) for name, value in checkpoint.items()}, origin="a")
    assert found.tensors.keys() == plain.tensors.keys()
    for name, tensor in plain.tensors.items():
        assert torch.equal(tensor, found.tensors[name]), name


def test_its_scales_are_its_own_and_not_those_that_training_began_with(checkpoint: State) -> None:
    state = released(checkpoint) | {
        "img_gps_logit_scale": torch.tensor(3.5), "img_time_logit_scale": torch.tensor(3.1)
    }  # fmt: skip
    tensors = convert.gtloc(state, origin="gtloc.pt").tensors
    assert tensors["log_scale_place"].item() == pytest.approx(3.5)
    assert tensors["log_scale_time"].item() == pytest.approx(3.1)


def test_a_time_scale_that_was_fixed_in_training_was_never_saved_and_is_the_first_one(checkpoint: State) -> None:
    state = released(checkpoint)
    del state["img_time_logit_scale"]
    assert convert.gtloc(state, origin="gtloc.pt").tensors["log_scale_time"].item() == pytest.approx(np.log(1 / 0.07))


def test_a_scale_of_another_name_is_refused(checkpoint: State) -> None:
    with pytest.raises(WeightsError, match="sun_logit_scale"):
        convert.gtloc(released(checkpoint) | {"sun_logit_scale": torch.tensor(1.0)}, origin="gtloc.pt")
