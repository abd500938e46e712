"""Galleries: the places and times a picture is compared with, their encodings, exact search.

A gallery's identity is the sha256 of its numbers. Encodings are kept on disk by
(weights, gallery) and checked when read; a cache that cannot be written or is
damaged costs time, never a result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import Tensor

from gtloc_forensics.earth import sphere
from gtloc_forensics.earth.circular import cell_centres
from gtloc_forensics.errors import WeightsError
from gtloc_forensics.files.writing import write_bytes
from gtloc_forensics.vision.gtloc import GTLoc
from gtloc_forensics.vision.manifest import Manifest, PlaceGallerySpec, TimeGallerySpec

Floats32 = NDArray[np.float32]

_ROWS_AT_ONCE = 4096  # fastest on a CPU, and the same everywhere: encodings do not depend on the machine's memory
_LAND_RECIPE = "land-1"
_ENCODING = "encoding-1"  # part of every cache key; raised when the encoders' arithmetic changes


@dataclass(frozen=True, slots=True)
class Gallery:
    """Points to compare with: ``[N, 2]`` coordinates and ``[N]`` weights, and the sha256 of both."""

    points: Floats32
    prior: Floats32
    sha256: str


def time_gallery(spec: TimeGallerySpec) -> Gallery:
    """Return the cell centres of a regular grid of the torus, the day running fastest; all weights equal."""
    year, day = np.meshgrid(cell_centres(spec.year_cells), cell_centres(spec.day_cells), indexing="ij")
    points = np.stack([year.ravel(), day.ravel()], axis=1).astype(np.float32)
    return _gallery(points, np.ones(len(points), dtype=np.float32))


def place_gallery(spec: PlaceGallerySpec, folder: Path, *, cache_dir: Path | None) -> Gallery:
    """Return the places of a manifest.

    Raises:
        WeightsError: when a gallery file is damaged or holds impossible places.
    """
    if spec.kind == "file":
        return _read_places(folder / spec.file)
    name = f"{_LAND_RECIPE}-{spec.points}"
    rows = _cached(name, cache_dir, make=lambda: sphere.land_points(spec.points))
    return _gallery(np.ascontiguousarray(rows[:, :2]), np.ascontiguousarray(rows[:, 2]))


def reordered(gallery: Gallery, order: NDArray[np.int64]) -> Gallery:
    """Return the same places in another order, with the identity they have in it."""
    return _gallery(np.ascontiguousarray(gallery.points[order]), np.ascontiguousarray(gallery.prior[order]))


def checked_places(rows: NDArray[np.floating], *, origin: str) -> Floats32:
    """Return a place table as float32 ``[N, 3]`` (latitude, longitude, weight).

    Raises:
        WeightsError: on NaN, a latitude or longitude out of range, a negative weight, no rows.
    """
    if rows.ndim != 2 or rows.shape[1] not in (2, 3) or len(rows) == 0:
        raise WeightsError(f"{origin} is not a table of latitude, longitude and (perhaps) weight")
    wrong = ~np.isfinite(rows).all(axis=1) | (np.abs(rows[:, 0]) > 90.0) | (np.abs(rows[:, 1]) > 180.0)
    if rows.shape[1] == 3:
        wrong |= rows[:, 2] < 0.0
    if wrong.any():
        first = int(np.argmax(wrong))
        raise WeightsError(f"{origin}: row {first} is no place ({', '.join(f'{value:g}' for value in rows[first])})")
    weight = rows[:, 2] if rows.shape[1] == 3 else np.ones(len(rows))
    return np.column_stack([rows[:, :2], weight]).astype(np.float32)


# --------------------------------------------------------------------------- encodings


def encoded_places(
    module: GTLoc, gallery: Gallery, *, weights_sha256: str, cache_dir: Path | None, device: torch.device
) -> Tensor:
    """Return the unit vectors of the places on *device*, ``[N, D]`` float32."""
    return _encoded("place", module.place, gallery, weights_sha256=weights_sha256, cache_dir=cache_dir, device=device)


def encoded_times(
    module: GTLoc, gallery: Gallery, *, weights_sha256: str, cache_dir: Path | None, device: torch.device
) -> Tensor:
    """Return the unit vectors of the times on *device*, ``[N, D]`` float32."""
    return _encoded("time", module.time, gallery, weights_sha256=weights_sha256, cache_dir=cache_dir, device=device)


def _encoded(
    kind: str,
    encode: Callable[[Tensor], Tensor],
    gallery: Gallery,
    *,
    weights_sha256: str,
    cache_dir: Path | None,
    device: torch.device,
) -> Tensor:
    def make() -> Floats32:
        with torch.inference_mode():
            chunks = torch.from_numpy(gallery.points).tensor_split(
                tuple(range(_ROWS_AT_ONCE, len(gallery.points), _ROWS_AT_ONCE))
            )
            return torch.cat([encode(chunk.to(device)).cpu() for chunk in chunks]).numpy()

    key = hashlib.sha256(f"{_ENCODING}|{kind}|{device.type}|{weights_sha256}|{gallery.sha256}".encode()).hexdigest()
    return torch.from_numpy(_cached(f"{kind}-{key[:32]}", cache_dir, make=make)).to(device)


def _cached(name: str, cache_dir: Path | None, *, make: Callable[[], Floats32]) -> Floats32:
    if cache_dir is None:
        return make()
    path = cache_dir / f"{name}.safetensors"
    found = _read_cache(path)
    if found is None:
        found = make()
        digest = hashlib.sha256(np.ascontiguousarray(found).data).hexdigest()
        with suppress(OSError):  # a cache that cannot be written is made again next time
            write_bytes(path, save({"rows": found}, metadata={"sha256": digest}))
    return found


def _read_cache(path: Path) -> Floats32 | None:
    try:
        with safe_open(path, framework="numpy") as stored:
            rows: Floats32 = np.ascontiguousarray(stored.get_tensor("rows"))
            expected = (stored.metadata() or {}).get("sha256", "")
    except (OSError, SafetensorError, ValueError, KeyError):
        return None
    return rows if hashlib.sha256(rows.data).hexdigest() == expected else None


# --------------------------------------------------------------------------- search


def nearest(queries: Floats32, gallery: Floats32, *, count: int) -> tuple[Floats32, NDArray[np.int64]]:
    """Find the gallery rows most like each query, exactly.

    Args:
        queries: ``[B, D]`` unit vectors.
        gallery: ``[G, D]`` unit vectors.
        count: how many rows, at most G.

    Returns:
        ``(cosines [B, count], indices [B, count])``, best first.
    """
    count = min(count, len(gallery))
    try:
        import faiss
    except ImportError:
        found = torch.topk(torch.from_numpy(queries) @ torch.from_numpy(gallery).T, count, dim=1)
        return found.values.numpy(), found.indices.numpy()
    index = faiss.IndexFlatIP(gallery.shape[1])
    index.add(np.ascontiguousarray(gallery, dtype=np.float32))
    cosines, rows = index.search(np.ascontiguousarray(queries, dtype=np.float32), count)
    return cosines, rows.astype(np.int64)


def _gallery(points: Floats32, prior: Floats32) -> Gallery:
    digest = hashlib.sha256(points.tobytes() + prior.tobytes()).hexdigest()
    return Gallery(points, prior, digest)


def _read_places(path: Path) -> Gallery:
    try:
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} is not a readable place gallery; add the model again") from error
    table = checked_places(np.asarray(rows, dtype=np.float64), origin=str(path))
    return _gallery(np.ascontiguousarray(table[:, :2]), np.ascontiguousarray(table[:, 2]))


def gallery_of(manifest: Manifest, folder: Path, *, cache_dir: Path | None) -> tuple[Gallery, Gallery]:
    """Return the place gallery and the time gallery of a model."""
    places = place_gallery(manifest.place_gallery, folder, cache_dir=cache_dir)
    return places, time_gallery(manifest.time_gallery)
