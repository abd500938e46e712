"""GT-Loc in numpy, from the formulas alone: what the torch model is compared with.

Shares no line with the package. Keys are those of the official checkpoint (papers.md
§1.1 and §3 of dependencies.md), sizes are read off the arrays.
"""

from __future__ import annotations

import numpy as np

State = dict[str, np.ndarray]


def random_checkpoint(
    seed: int,
    *,
    width: int = 128,
    depth: int = 2,
    patch: int = 14,
    grid: int = 2,
    joint: int = 48,
    size: int = 32,
    frequencies: int = 8,
    hidden: int = 16,
) -> State:
    """Return a checkpoint of the official layout filled with seeded random numbers."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int, scale: float = 0.0) -> np.ndarray:
        return (rng.standard_normal(shape) * (scale or 1.0 / np.sqrt(shape[-1]))).astype(np.float32)

    clip = "image_encoder.backbone.vision_model"
    state = {
        f"{clip}.embeddings.class_embedding": normal(width, scale=0.5),
        f"{clip}.embeddings.patch_embedding.weight": normal(width, 3, patch, patch, scale=0.05),
        f"{clip}.embeddings.position_embedding.weight": normal(grid * grid + 1, width, scale=0.2),
        f"{clip}.embeddings.position_ids": np.arange(grid * grid + 1)[None],
        "image_encoder.backbone.visual_projection.weight": normal(joint, width),
        "image_encoder.backbone.text_projection.weight": normal(4, 4),
        "image_encoder.backbone.text_model.final_layer_norm.weight": normal(4),
        "image_encoder.backbone.logit_scale": np.float32(4.6),
    }

    def linear(name: str, rows: int, columns: int) -> None:
        state[f"{name}.weight"], state[f"{name}.bias"] = normal(rows, columns), normal(rows, scale=0.1)

    def norm(name: str) -> None:
        state[f"{name}.weight"], state[f"{name}.bias"] = 1 + normal(width, scale=0.1), normal(width, scale=0.1)

    norm(f"{clip}.pre_layrnorm"), norm(f"{clip}.post_layernorm")
    for block in range(depth):
        stem = f"{clip}.encoder.layers.{block}"
        norm(f"{stem}.layer_norm1"), norm(f"{stem}.layer_norm2")
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            linear(f"{stem}.self_attn.{name}", width, width)
        linear(f"{stem}.mlp.fc1", 4 * width, width), linear(f"{stem}.mlp.fc2", width, 4 * width)
    linear("image_encoder.mlp.0", joint, joint), linear("image_encoder.mlp.2", size, joint)
    for tower, name in (("location_encoder", "LocEnc"), ("time_encoder", "TimeEnc")):
        for index, sigma in enumerate((1.0, 16.0, 256.0)):
            stem = f"{tower}.{name}{index}"
            state[f"{stem}.capsule.0.b"] = normal(frequencies, 2, scale=sigma)
            linear(f"{stem}.capsule.1", hidden, 2 * frequencies)
            linear(f"{stem}.capsule.3", hidden, hidden), linear(f"{stem}.capsule.5", hidden, hidden)
            linear(f"{stem}.head.0", size, hidden)
    for name in ("img_gps", "img_time", "gps_time", "ig2t", "it2g", "gt2i"):
        state[f"logit_scale_{name}"] = np.float32(rng.uniform(2, 4))
    state |= {
        "gps_queue": normal(2, 16),
        "gps_queue_ptr": np.zeros(1),
        "time_queue": normal(5, 16),
        "time_queue_ptr": np.zeros(1),
    }
    return state


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def linear(state: State, name: str, x: np.ndarray) -> np.ndarray:
    return x @ state[f"{name}.weight"].astype(np.float64).T + state[f"{name}.bias"].astype(np.float64)


def layer_norm(state: State, name: str, x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]


def clip_features(state: State, pixels: np.ndarray, *, head_width: int = 64) -> np.ndarray:
    """Map normalised ``[B, 3, H, W]`` to ``[B, P]``: CLIP's vision tower and projection (Radford et al. 2021)."""
    stem = "image_encoder.backbone.vision_model"
    kernel = state[f"{stem}.embeddings.patch_embedding.weight"].astype(np.float64)
    width, _, side, _ = kernel.shape
    batch, _, height, _ = pixels.shape
    grid = height // side
    patches = (
        pixels.reshape(batch, 3, grid, side, grid, side).transpose(0, 2, 4, 1, 3, 5).reshape(batch, grid * grid, -1)
    )
    tokens = patches @ kernel.reshape(width, -1).T
    first = np.broadcast_to(state[f"{stem}.embeddings.class_embedding"], (batch, 1, width))
    x = np.concatenate([first, tokens], axis=1) + state[f"{stem}.embeddings.position_embedding.weight"]
    x = layer_norm(state, f"{stem}.pre_layrnorm", x)
    block = 0
    while f"{stem}.encoder.layers.{block}.layer_norm1.weight" in state:
        name = f"{stem}.encoder.layers.{block}"
        x = x + attention(state, f"{name}.self_attn", layer_norm(state, f"{name}.layer_norm1", x), width // head_width)
        inner = linear(state, f"{name}.mlp.fc1", layer_norm(state, f"{name}.layer_norm2", x))
        x = x + linear(state, f"{name}.mlp.fc2", inner / (1.0 + np.exp(-1.702 * inner)))  # QuickGELU
        block += 1
    pooled = layer_norm(state, f"{stem}.post_layernorm", x[:, 0])
    return pooled @ state["image_encoder.backbone.visual_projection.weight"].astype(np.float64).T


def attention(state: State, name: str, x: np.ndarray, heads: int) -> np.ndarray:
    batch, tokens, width = x.shape
    query, key, value = (
        linear(state, f"{name}.{part}_proj", x).reshape(batch, tokens, heads, -1).transpose(0, 2, 1, 3)
        for part in "qkv"
    )
    score = query @ key.transpose(0, 1, 3, 2) / np.sqrt(width // heads)
    weight = np.exp(score - score.max(-1, keepdims=True))
    weight /= weight.sum(-1, keepdims=True)
    return linear(state, f"{name}.out_proj", (weight @ value).transpose(0, 2, 1, 3).reshape(batch, tokens, width))


def image(state: State, pixels: np.ndarray) -> np.ndarray:
    hidden = np.maximum(linear(state, "image_encoder.mlp.0", clip_features(state, pixels)), 0.0)
    return unit(linear(state, "image_encoder.mlp.2", hidden))


def place(state: State, degrees: np.ndarray) -> np.ndarray:
    """Equal Earth, scaled, three capsules, summed."""
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    latitude, longitude = np.radians(degrees).T
    t = np.arcsin(np.sqrt(3) / 2 * np.sin(latitude))
    x = 2 * np.sqrt(3) * longitude * np.cos(t) / (3 * (9 * a4 * t**8 + 7 * a3 * t**6 + 3 * a2 * t**2 + a1))
    y = a4 * t**9 + a3 * t**7 + a2 * t**3 + a1 * t
    return unit(capsules(state, "location_encoder.LocEnc", np.stack([x, y], -1) * 66.50336 / 180))


def time(state: State, local: np.ndarray) -> np.ndarray:
    """``[B, 5]`` month, day, hour, minute, second."""
    month, day, hour, minute, second = local.T.astype(np.float64)
    year_angle = 2 * np.pi * ((month - 1) + (day - 1) / (365 / 12)) / 12 - np.pi
    day_angle = 2 * np.pi * (hour + minute / 60 + second / 3600) / 24 - np.pi
    return unit(capsules(state, "time_encoder.TimeEnc", np.stack([year_angle, day_angle], -1)))


def capsules(state: State, stem: str, points: np.ndarray) -> np.ndarray:
    total: np.ndarray | float = 0.0
    for index in range(3):
        phase = 2 * np.pi * points @ state[f"{stem}{index}.capsule.0.b"].astype(np.float64).T
        x = np.concatenate([np.cos(phase), np.sin(phase)], -1)
        for layer in (1, 3, 5):
            x = np.maximum(linear(state, f"{stem}{index}.capsule.{layer}", x), 0.0)
        total = total + linear(state, f"{stem}{index}.head.0", x)
    return np.asarray(total)
