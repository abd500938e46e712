"""Frozen features of every picture of the photo set, computed once and kept outside the repository.

The backbone is built by the same code that later predicts, from the same half-precision
weights, so what the heads are trained on is what they will see.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import backbones
import numpy as np
import torch
from numpy.typing import NDArray
from photo_set import PhotoSet
from PIL import Image
from torch import Tensor

from gtloc_forensics.vision.encoders import Extractor
from gtloc_forensics.vision.manifest import ExtractorSpec, Tap

BLOCKS = (3, 5, 7)  # later blocks were tuned for saliency by the package that carries them
INPUT_PX = 224
MARK_SHARE = 0.08  # street views carry a mark at their lower edge: it must not be learned

SPEC = ExtractorSpec(
    name="dinov2",
    architecture="vit_small_patch14_dinov2",
    taps=tuple(Tap(pool="patch-mean", block=block) for block in BLOCKS),
    input_px=INPUT_PX,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    options={"img_size": INPUT_PX, "depth": max(BLOCKS) + 1},
    crop="squash",
)


def extractor(downloads: Path) -> tuple[Extractor, dict[str, Tensor]]:
    """Return the frozen backbone and its tensors in the precision in which they are shipped."""
    path = backbones.fetch(backbones.DINO_PACKAGE, backbones.DINO_MEMBER, folder=downloads)
    _, state = backbones.load_dino(path, image_size=INPUT_PX, blocks=max(BLOCKS) + 1)
    shipped = {name: tensor.half() for name, tensor in state.items()}
    net = Extractor(SPEC)
    net.net.load_state_dict({name: tensor.float() for name, tensor in shipped.items()}, strict=True)
    return net, shipped


def picture(path: Path, *, streetview: bool) -> NDArray[np.uint8]:
    """Return ``[224, 224, 3]``: the whole picture squashed, a street view without its lower edge."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    if streetview:
        image = image.crop((0, 0, image.width, round(image.height * (1.0 - MARK_SHARE))))
    return np.asarray(image.resize((INPUT_PX, INPUT_PX), Image.Resampling.BICUBIC))


def features(
    photos: PhotoSet, folder: Path, *, downloads: Path, cache: Path, tell: Callable[[str], None], batch: int = 32
) -> tuple[NDArray[np.float32], float]:
    """Return ``[N, F]`` features, and the seconds an earlier run took when they were found in *cache*.

    They are found there when the manifest and the backbone are the same.
    """
    net, shipped = extractor(downloads)
    kept = cache / f"features-{_identity(photos, shipped)}.npy"
    took = kept.with_suffix(".seconds")
    if kept.exists():
        return np.asarray(np.load(kept)), float(took.read_text())
    started, rows = time.monotonic(), []
    for first in range(0, len(photos), batch):
        chosen = range(first, min(first + batch, len(photos)))
        views = np.stack(
            [picture(folder / "images" / f"{photos.ids[i]}.jpg", streetview=bool(photos.streetview[i])) for i in chosen]
        )
        with torch.inference_mode():
            rows.append(net(torch.from_numpy(views).permute(0, 3, 1, 2)).numpy())
        if first // batch % 25 == 0:
            tell(f"features of {first + len(chosen)} of {len(photos)} pictures")
    result = np.concatenate(rows)
    cache.mkdir(parents=True, exist_ok=True)
    np.save(kept, result)
    took.write_text(str(time.monotonic() - started))
    return result, 0.0


def _identity(photos: PhotoSet, shipped: dict[str, Tensor]) -> str:
    digest = hashlib.sha256("\n".join(photos.ids.tolist()).encode())
    digest.update(repr(SPEC).encode())
    for name in sorted(shipped):
        digest.update(shipped[name].numpy().tobytes())
    return digest.hexdigest()[:16]
