"""Published checkpoints to our names: GT-Loc, GeoCLIP and CLIP in its three layouts.

Each conversion names every key it takes and every key it leaves aside on purpose;
whatever else is left over, or missing, is refused by name. Sizes are read off the
tensors. No file is read or written here: tensors in, tensors out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.vision.gtloc import INITIAL_LOG_SCALE
from gtloc_forensics.vision.manifest import EncoderSpec, ExtractorSpec, HeadSpec, Tap
from gtloc_forensics.vision.specs import Option

Tensors = dict[str, Tensor]

CLIP = "clip"
CLIP_ARCHITECTURE = "vit_large_patch14_clip_quickgelu_224"  # QuickGELU, as OpenAI trained it (dependencies.md §2)
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
CLIP_HEAD_WIDTH = 64  # of one attention head, in every CLIP

# What a checkpoint holds beside the model: queues of training, and scales of losses that the published method dropped.
_TRAINING = r"(.*_queue(_ptr)?|(.*_)?(gps_time|ig2t|it2g|gt2i)(_logit_scale)?)"
_TEXT_OF_HF = r"(text_model\..*|text_projection\.weight|logit_scale|.*\.position_ids)"
_TEXT_OF_OPENAI = (
    r"(transformer\..*|token_embedding\.weight|positional_embedding|ln_final\..*|text_projection|logit_scale"
    r"|input_resolution|context_length|vocab_size|attn_mask)"
)


@dataclass(frozen=True, slots=True)
class Converted:
    """What a checkpoint became; an entry it does not hold is None."""

    tensors: Tensors
    extractor: ExtractorSpec | None = None
    image_head: HeadSpec | None = None
    location_encoder: EncoderSpec | None = None
    time_encoder: EncoderSpec | None = None


class _Keys:
    """The keys of a checkpoint, each taken once; what nobody took is refused at the end."""

    def __init__(self, tensors: Mapping[str, Tensor], *, origin: str) -> None:
        self._left = dict(tensors)
        self._origin = origin

    def take(self, name: str) -> Tensor:
        if name not in self._left:
            raise WeightsError(f"{self._origin} lacks {name}; it is not a checkpoint of the kind it was taken for")
        return self._left.pop(name).detach().float()

    def under(self, prefix: str) -> Tensors:
        """Take everything below *prefix*, without it."""
        names = [name for name in self._left if name.startswith(prefix)]
        return {name.removeprefix(prefix): self._left.pop(name) for name in names}

    def matching(self, pattern: str) -> list[str]:
        return sorted(name for name in self._left if re.fullmatch(pattern, name))

    def leave(self, pattern: str) -> None:
        for name in self.matching(pattern):
            del self._left[name]

    def close(self) -> None:
        if self._left:
            names = ", ".join(sorted(self._left)[:6])
            more = f" and {len(self._left) - 6} more" if len(self._left) > 6 else ""
            raise WeightsError(f"{self._origin} holds tensors of no known meaning: {names}{more}")


# --------------------------------------------------------------------------- GT-Loc and GeoCLIP


def gtloc(state: Mapping[str, Tensor], *, origin: str) -> Converted:
    """Convert a GT-Loc checkpoint: backbone, MLP, location and time capsules, two scales.

    Raises:
        WeightsError: naming the keys that are missing or of no known meaning.
    """
    keys = _Keys(state, origin=origin)
    image = keys.under("image_encoder.")
    backbone = {name.removeprefix("backbone."): value for name, value in image.items() if name.startswith("backbone.")}
    clip_tensors, extractor = clip(backbone, origin=f"{origin}: image_encoder.backbone")
    head_tensors, head = _mlp(
        {name: value for name, value in image.items() if not name.startswith("backbone.")}, origin
    )
    place_tensors, place = _capsules(keys.under("location_encoder."), "location_encoder", "LocEnc", origin)
    time_tensors, time = _capsules(keys.under("time_encoder."), "time_encoder", "TimeEnc", origin)
    scales = {
        f"log_scale_{ours}": _scale(keys, rf"(.*_)?{theirs}(_logit_scale)?")
        for ours, theirs in (("place", "img_gps"), ("time", "img_time"))
    }
    keys.leave(_TRAINING)
    keys.close()
    tensors = clip_tensors | head_tensors | place_tensors | time_tensors | scales
    return Converted(tensors, extractor, head, place, time)


def geoclip(
    location: Mapping[str, Tensor], mlp: Mapping[str, Tensor], logit_scale: Tensor, *, origin: str
) -> Converted:
    """Convert GeoCLIP's three released files; the CLIP they build on is not among them.

    Raises:
        WeightsError: naming the keys that are missing or of no known meaning.
    """
    head_tensors, head = _mlp(dict(mlp), origin)
    place_tensors, place = _capsules(dict(location), "location_encoder", "LocEnc", origin)
    scales = {"log_scale_place": logit_scale.reshape(()).float(), "log_scale_time": torch.tensor(INITIAL_LOG_SCALE)}
    return Converted(head_tensors | place_tensors | scales, None, head, place, None)


def _mlp(tensors: Tensors, origin: str) -> tuple[Tensors, HeadSpec]:
    """Rename a Sequential of linear layers, whatever it is called, by the order of its indices."""
    layers = _linear_layers(_Keys(tensors, origin=origin), tensors, r"(?:[A-Za-z_]+\.)?(\d+)\.weight")
    found = {f"image_head.layers.{i}.{kind}": value for i, pair in enumerate(layers) for kind, value in pair.items()}
    widths = (layers[0]["weight"].shape[1], *[pair["weight"].shape[0] for pair in layers])
    return found, HeadSpec(tuple(int(width) for width in widths))


def _capsules(tensors: Tensors, target: str, name: str, origin: str) -> tuple[Tensors, EncoderSpec]:
    """Rename capsules ``<name>0.capsule.…``; dropout between the layers shifts their indices, not their order."""
    count = len({match[1] for key in tensors if (match := re.match(rf"{name}(\d+)\.", key))})
    if not count:
        raise WeightsError(f"{origin} lacks {name}0.capsule.0.b; it is not a checkpoint of the kind it was taken for")
    keys = _Keys(tensors, origin=origin)
    found: Tensors = {}
    for index in range(count):
        source, place = f"{name}{index}", f"{target}.capsules.{index}"
        found[f"{place}.fourier.frequencies"] = keys.take(f"{source}.capsule.0.b")
        own = {key: value for key, value in tensors.items() if key.startswith(f"{source}.capsule.")}
        layers = _linear_layers(keys, own, rf"{source}\.capsule\.(\d+)\.weight", close=False)
        found |= {f"{place}.layers.{i}.{kind}": value for i, pair in enumerate(layers) for kind, value in pair.items()}
        found |= {f"{place}.head.{kind}": keys.take(f"{source}.head.0.{kind}") for kind in ("weight", "bias")}
    keys.close()
    return found, _encoder_spec(found, target, count)


def _encoder_spec(found: Tensors, target: str, count: int) -> EncoderSpec:
    frequencies = [found[f"{target}.capsules.{index}.fourier.frequencies"] for index in range(count)]
    depth = sum(1 for name in found if name.startswith(f"{target}.capsules.0.layers.") and name.endswith("weight"))
    return EncoderSpec(
        sigmas=tuple(2.0 ** round(math.log2(float(drawn.std()))) for drawn in frequencies),
        frequencies=int(frequencies[0].shape[0]),
        width=int(found[f"{target}.capsules.0.layers.0.weight"].shape[0]),
        depth=depth,
    )


def _linear_layers(keys: _Keys, tensors: Iterable[str], pattern: str, *, close: bool = True) -> list[Tensors]:
    """Take the linear layers whose weights match *pattern*, in the order of the number it captures."""
    matches = [match for name in tensors if (match := re.fullmatch(pattern, name))]
    ordered = sorted(matches, key=lambda match: int(match[1]))
    found = [
        {kind: keys.take(match[0].removesuffix("weight") + kind) for kind in ("weight", "bias")} for match in ordered
    ]
    if close:
        keys.close()
    if not found:
        raise WeightsError(f"no linear layer matches {pattern}; it is not a checkpoint of the kind it was taken for")
    return found


def _scale(keys: _Keys, pattern: str) -> Tensor:
    """Take a logit scale; one that was fixed in training was never saved and has its initial value."""
    names = keys.matching(pattern)
    return keys.take(names[0]).reshape(()) if names else torch.tensor(INITIAL_LOG_SCALE)


# --------------------------------------------------------------------------- CLIP


def clip(state: Mapping[str, Tensor], *, origin: str) -> tuple[Tensors, ExtractorSpec]:
    """Convert the vision half of a CLIP in HF, OpenAI / open_clip or timm layout.

    Returns:
        The tensors under ``extractors.clip.`` and the extractor that uses them.

    Raises:
        WeightsError: naming the keys that are missing or of no known meaning.
    """
    keys = _Keys(state, origin=origin)
    if any(name.startswith("vision_model.") for name in state):
        found = _from_hf(keys)
    elif "visual.conv1.weight" in state:
        found = _from_openai(keys)
    elif "patch_embed.proj.weight" in state:
        found = {name: value.float() for name, value in keys.under("").items()}
    else:
        raise WeightsError(f"{origin} is not CLIP in a layout that is known (HF, OpenAI / open_clip, timm)")
    keys.close()
    if "head.weight" not in found:
        raise WeightsError(
            f"{origin} lacks the projection to the common space (visual_projection, proj or head.weight)"
        )
    found.setdefault("head.bias", torch.zeros(found["head.weight"].shape[0]))  # CLIP's projection has none
    return {f"extractors.{CLIP}.{name}": value for name, value in found.items()}, _clip_extractor(found)


def _from_hf(keys: _Keys) -> Tensors:
    keys.leave(_TEXT_OF_HF)
    stem = "vision_model"
    found = {
        "cls_token": keys.take(f"{stem}.embeddings.class_embedding").reshape(1, 1, -1),
        "pos_embed": keys.take(f"{stem}.embeddings.position_embedding.weight").unsqueeze(0),
        "patch_embed.proj.weight": keys.take(f"{stem}.embeddings.patch_embedding.weight"),
        "head.weight": keys.take("visual_projection.weight"),
    }
    found |= _pairs(keys, {f"{stem}.pre_layrnorm": "norm_pre", f"{stem}.post_layernorm": "norm"})
    names = {"layer_norm1": "norm1", "layer_norm2": "norm2", "mlp.fc1": "mlp.fc1", "mlp.fc2": "mlp.fc2"}
    for block in _blocks(keys, rf"{stem}\.encoder\.layers\.(\d+)\.layer_norm1\.weight"):
        source, target = f"{stem}.encoder.layers.{block}", f"blocks.{block}"
        for kind in ("weight", "bias"):
            parts = [keys.take(f"{source}.self_attn.{name}_proj.{kind}") for name in ("q", "k", "v")]
            found[f"{target}.attn.qkv.{kind}"] = torch.cat(parts)
        found |= _pairs(keys, {f"{source}.self_attn.out_proj": f"{target}.attn.proj"})
        found |= _pairs(keys, {f"{source}.{old}": f"{target}.{new}" for old, new in names.items()})
    return found


def _from_openai(keys: _Keys) -> Tensors:
    keys.leave(_TEXT_OF_OPENAI)
    found = {
        "cls_token": keys.take("visual.class_embedding").reshape(1, 1, -1),
        "pos_embed": keys.take("visual.positional_embedding").unsqueeze(0),
        "patch_embed.proj.weight": keys.take("visual.conv1.weight"),
        "head.weight": keys.take("visual.proj").T.contiguous(),
    }
    found |= _pairs(keys, {"visual.ln_pre": "norm_pre", "visual.ln_post": "norm"})
    names = {
        "attn.out_proj": "attn.proj",
        "ln_1": "norm1",
        "ln_2": "norm2",
        "mlp.c_fc": "mlp.fc1",
        "mlp.c_proj": "mlp.fc2",
    }
    for block in _blocks(keys, r"visual\.transformer\.resblocks\.(\d+)\.ln_1\.weight"):
        source, target = f"visual.transformer.resblocks.{block}", f"blocks.{block}"
        for kind in ("weight", "bias"):
            found[f"{target}.attn.qkv.{kind}"] = keys.take(f"{source}.attn.in_proj_{kind}")
        found |= _pairs(keys, {f"{source}.{old}": f"{target}.{new}" for old, new in names.items()})
    return found


def _pairs(keys: _Keys, names: Mapping[str, str]) -> Tensors:
    return {f"{new}.{kind}": keys.take(f"{old}.{kind}") for old, new in names.items() for kind in ("weight", "bias")}


def _blocks(keys: _Keys, pattern: str) -> range:
    return range(len(keys.matching(pattern)))


def _clip_extractor(found: Tensors) -> ExtractorSpec:
    """Read the sizes off the tensors; the full ViT-L/14 needs no option."""
    width, patch = int(found["cls_token"].shape[-1]), int(found["patch_embed.proj.weight"].shape[-1])
    side = patch * math.isqrt(int(found["pos_embed"].shape[1]) - 1)
    depth = len({name.split(".")[1] for name in found if name.startswith("blocks.")})
    options: dict[str, Option] = {"num_classes": int(found["head.weight"].shape[0])}
    if (width, patch, side, depth) != (1024, 14, 224, 24):
        heads = max(1, width // CLIP_HEAD_WIDTH)
        options |= {"embed_dim": width, "depth": depth, "num_heads": heads, "img_size": side, "patch_size": patch}
    return ExtractorSpec(
        name=CLIP,
        architecture=CLIP_ARCHITECTURE,
        options=options,
        taps=(Tap("head"),),
        input_px=side,
        mean=CLIP_MEAN,
        std=CLIP_STD,
    )
