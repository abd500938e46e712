"""Features of photos by frozen backbones, computed once and kept.

What a frozen backbone makes of a photo never changes, so heads train on a CPU in minutes.
Cached by photo: the key is its content, the backbone's weights and the view. Augmented
views are crops and mirrorings with a seed of their own; colours stay as they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save
from torch import Tensor

from gtloc_forensics.decode import pixels
from gtloc_forensics.errors import DecodeRefused, UsageError
from gtloc_forensics.files import opening, types
from gtloc_forensics.files.writing import write_bytes
from gtloc_forensics.vision import device as devices
from gtloc_forensics.vision import views
from gtloc_forensics.vision.gtloc import GTLoc
from gtloc_forensics.vision.manifest import Manifest

Progress = Callable[[str, int, int], None]

# RandomResizedCrop as published (papers.md §1.4).
CROP_AREA = (0.6, 1.0)
DECODING = "decode-1"
"""Part of the key of kept features: how a file becomes pixels; those decoded otherwise are not taken for them."""

_CHUNK = 64


@dataclass(frozen=True, slots=True)
class Features:
    """What the backbones made of the photos that could be read."""

    values: Tensor  # [N, V, F] float32; rows that could not be read are zero
    readable: NDArray[np.bool_]  # [N]
    reasons: tuple[str, ...]  # of the photos that could not be read, in order


@dataclass(slots=True)
class _Asked:
    """One photo on its way to its features."""

    path: Path
    key: str = ""
    prepared: list[NDArray[np.uint8]] = field(default_factory=list)
    found: Tensor | None = None
    reason: str = ""


class Backbone:
    """The frozen part of a model at work on files."""

    def __init__(self, module: GTLoc, manifest: Manifest, *, identity: str, device: torch.device) -> None:
        """Load the backbone onto a device."""
        self._module = module.to(device)
        self._specs = manifest.extractors
        self._device = device
        self._batches = devices.BatchSize(device)
        self._identity = identity
        self._short_side = manifest.short_side_px

    def features(
        self, paths: Sequence[Path], *, view_count: int, seed: int, cache_dir: Path | None, progress: Progress
    ) -> Features:
        """Return the features of photos, from the cache where they are in it.

        Raises:
            UsageError: when not one photo can be read.
        """
        rows: list[Tensor | None] = []
        reasons: list[str] = []
        for first in range(0, len(paths), _CHUNK):
            asked = [_Asked(path) for path in paths[first : first + _CHUNK]]
            for claim in asked:
                self._open(claim, view_count, seed, cache_dir)
            self._compute([claim for claim in asked if claim.prepared], view_count, cache_dir)
            rows += [claim.found for claim in asked]
            reasons += [f"{claim.path.name}: {claim.reason}" for claim in asked if claim.found is None]
            progress("features", min(first + _CHUNK, len(paths)), len(paths))
        readable = np.array([row is not None for row in rows], dtype=np.bool_)
        known = [row for row in rows if row is not None]
        if not known:
            raise UsageError(f"none of {len(paths)} photos can be read ({reasons[0] if reasons else 'no photos'})")
        empty = torch.zeros_like(known[0])
        return Features(torch.stack([empty if row is None else row for row in rows]), readable, tuple(reasons))

    def _open(self, asked: _Asked, view_count: int, seed: int, cache_dir: Path | None) -> None:
        """Find the features of one photo in the cache, or prepare its views, or say why neither can be."""
        try:
            asked.key = self._key(asked.path.read_bytes(), view_count, seed)
            asked.found = _read(cache_dir / asked.key[:2] / asked.key) if cache_dir is not None else None
            if asked.found is None:
                pictures = self._views(asked, view_count)
                asked.prepared = [views.prepare(picture, self._specs) for picture in pictures]
        except OSError as error:
            asked.reason = f"it could not be read: {opening.words(error)}"
        except DecodeRefused as refusal:
            asked.reason = refusal.reason

    def _views(self, asked: _Asked, view_count: int) -> list[NDArray[np.uint8]]:
        """Return a photo as the model will see it, then crops of it that need not be enlarged."""
        seen = _decoded(asked.path, self._short_side)
        if view_count == 1:
            return [seen]
        larger = _decoded(asked.path, round(self._short_side / CROP_AREA[0] ** 0.5))
        rng = np.random.default_rng(int(asked.key[:8], 16))
        return [seen, *[augmented(larger, rng) for _ in range(view_count - 1)]]

    def _compute(self, asked: Sequence[_Asked], view_count: int, cache_dir: Path | None) -> None:
        prepared = [view for claim in asked for view in claim.prepared]
        if not prepared:
            return
        with torch.inference_mode():
            values = torch.cat(list(self._batches.run(prepared, self._forward)))
        for claim, found in zip(asked, values.unflatten(0, (-1, view_count)), strict=True):  # type: ignore[no-untyped-call]
            claim.found, claim.prepared = found.clone(), []
            if cache_dir is not None:
                write_bytes(cache_dir / claim.key[:2] / claim.key, save({"features": claim.found}))

    def _key(self, content: bytes, view_count: int, seed: int) -> str:
        specs = "|".join(repr(spec) for spec in self._specs)
        text = (
            f"{self._identity}|{DECODING}|{views.PREPROCESSING}|{specs}|{view_count}|{seed if view_count > 1 else ''}|"
        )
        return hashlib.sha256(text.encode() + hashlib.sha256(content).digest()).hexdigest()

    def _forward(self, chunk: Sequence[NDArray[np.uint8]]) -> Tensor:
        seen = [torch.from_numpy(view).to(self._device) for view in views.unpack(chunk, self._specs)]
        with devices.training_autocast(self._device):
            features = self._module.backbone(seen).float()
        return features.reshape(len(chunk), self._specs[0].crops, -1).mean(dim=1).cpu()


def augmented(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a random square crop, mirrored half the time; no pixel changes its colour."""
    height, width, _ = rgb.shape
    side = max(1, min(round((rng.uniform(*CROP_AREA) * height * width) ** 0.5), height, width))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    crop = rgb[top : top + side, left : left + side]
    return crop[:, ::-1] if rng.random() < 0.5 else crop


def _decoded(path: Path, short_side: int) -> NDArray[np.uint8]:
    """Return the pixels that an examination would see: the same profile, transparency, orientation and size."""
    with opening.quiet_file(path.resolve()) as file:
        kind = types.media_type(file.read(types.HEAD_BYTES), name=path.name.encode())
    return pixels.decode(path, path.name, kind, short_side=short_side).shown.rgb


def _read(path: Path) -> Tensor | None:
    try:
        return load_safetensors(path.read_bytes())["features"]
    except (OSError, SafetensorError, KeyError):
        return None
