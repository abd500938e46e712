"""A loaded model at work: pictures to embeddings, embeddings to predictions.

numpy in, records out. Preparing pictures is thread-safe and needs no device;
embedding and predicting belong to one thread at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gtloc_forensics.records import AngleDensity, Pixels, PlaceDensity, Prediction, Sentence
from gtloc_forensics.vision import device as devices
from gtloc_forensics.vision import gallery, library, views, weights
from gtloc_forensics.vision import temperature as calibrations
from gtloc_forensics.vision.density import (
    PlaceAnswer,
    PlaceTeller,
    Sharpness,
    TimeAnswer,
    a_few_at_a_time,
    by_cell,
    time_answer,
)
from gtloc_forensics.vision.manifest import MANIFEST
from gtloc_forensics.vision.torch_loading import give_back_memory, keep_memory_between_layers

CODE_VERSION = "4"
"""Part of every fingerprint; raised when the same weights would give other predictions."""

DATABLE = "datable"
SUN_HEIGHT, SCENE = "sun_height", "scene"
"""The densities that a prediction tells of; others in a manifest are left alone."""
NOT_JUDGED = "not judged"

Floats32 = NDArray[np.float32]


class Model:
    """One model, its galleries encoded, on one device.

    Attributes:
        name: of the model folder.
        short_side: px to which pictures should be decoded.
        fingerprint: sha256 over everything that decides a prediction.
        facts: what a report says of the model.
    """

    def __init__(self, loaded: weights.Loaded, *, device: torch.device, cache_dir: Path | None) -> None:
        """Take over loaded weights and encode the galleries on *device*."""
        manifest = loaded.manifest
        self.name = manifest.name
        self.short_side = manifest.short_side_px
        self.manifest = manifest
        self.weights_sha256 = loaded.weights_sha256
        self.device = device
        self._module = loaded.module.to(device)
        self._reread = loaded.reread
        if device.type == "cpu" and (precision := devices.precision(device)) is not torch.float32:
            self._module.keep_backbones_at(precision)
        self._batches = devices.BatchSize(device)
        places, self.times = gallery.gallery_of(manifest, loaded.folder, cache_dir=cache_dir)
        cells = manifest.output.place_cells
        self.places = gallery.reordered(places, by_cell(places.points, cells=cells))
        self._teller = PlaceTeller(self.places.points, cells=cells)
        self.calibration = calibrations.read(
            loaded.folder,
            log_scale_time=float(loaded.module.log_scale_time.detach()),
            log_scale_place=float(loaded.module.log_scale_place.detach()),
        )
        self._places_encoded: Tensor | None = None
        self._times_encoded: Tensor | None = None
        self._encode(cache_dir)
        self.fingerprint = self._fingerprint(library.sha256_of(loaded.folder / MANIFEST))
        self.facts: Mapping[str, str] = self._facts()
        if device.type == "cpu":
            keep_memory_between_layers()
        give_back_memory()

    # ------------------------------------------------------------- pictures to embeddings

    @property
    def embedding_size(self) -> int:
        """How many columns of :meth:`embed` are the embedding; the rest are the auxiliary heads and densities."""
        return self.manifest.embedding_size

    def prepare(self, pixels: Pixels) -> NDArray[np.uint8]:
        """Resize and crop one picture as the backbones want it; thread-safe."""
        return views.prepare(pixels.rgb, self.manifest.extractors)

    def embed(self, prepared: Sequence[NDArray[np.uint8]]) -> Floats32:
        """Embed prepared pictures, as many at a time as fit.

        Returns:
            ``[B, D + H + C]``: the embedding, of unit length (with ten crops the mean of
            ten unit vectors), the probabilities of the H auxiliary heads, then the logarithms
            of the C cells of all densities.
        """
        with torch.inference_mode():
            chunks = list(self._batches.run(prepared, self._embed_chunk))
        if self.device.type == "cpu":
            give_back_memory()  # or small things come to lie where the layers' results lay, and more is taken each time
        width = (
            self.embedding_size + len(self.manifest.heads) + sum(one.cells for one in self.manifest.densities.values())
        )
        return torch.cat(chunks).numpy() if chunks else np.zeros((0, width), dtype=np.float32)

    def backbone_features(self, prepared: Sequence[NDArray[np.uint8]]) -> Floats32:
        """Return what heads and densities are trained on, ``[B, F]`` (mean over crops), before standardising."""
        with torch.inference_mode():
            return torch.cat(list(self._batches.run(prepared, self._mean_features))).numpy()

    def _mean_features(self, chunk: Sequence[NDArray[np.uint8]]) -> Tensor:
        crops = self.manifest.extractors[0].crops
        features = self._raw_features(chunk)
        return features.reshape(len(chunk), crops, -1).mean(dim=1).cpu()

    def _raw_features(self, chunk: Sequence[NDArray[np.uint8]]) -> Tensor:
        seen = [torch.from_numpy(view).to(self.device) for view in views.unpack(chunk, self.manifest.extractors)]
        with devices.autocast(self.device):
            return self._module.backbone(seen).float()

    def _embed_chunk(self, chunk: Sequence[NDArray[np.uint8]]) -> Tensor:
        features = self._module.image_head.balanced(self._raw_features(chunk))
        module = self._module
        parts = [module.image(features), module.probabilities(features), module.log_masses(features)]
        all_of_it = torch.cat(parts, dim=-1)
        return all_of_it.reshape(len(chunk), -1, all_of_it.shape[-1]).mean(dim=1).cpu()

    # ------------------------------------------------------------- embeddings to predictions

    def predict(self, embeddings: Floats32, source_ids: Sequence[str]) -> list[Prediction]:
        """Turn embeddings into densities and points.

        Args:
            embeddings: ``[B, D + H + C]`` from :meth:`embed`.
            source_ids: one per row.

        Raises:
            ValueError: when rows and ids differ in number.
        """
        return a_few_at_a_time(self._predict_rows, embeddings, source_ids)

    def similarities(self, embeddings: Floats32) -> tuple[Floats32, Floats32]:
        """Return cosines with every time ``[B, Y · D]`` and every place ``[B, G]``; zeros where the model is silent."""
        queries = torch.from_numpy(np.ascontiguousarray(embeddings[:, : self.embedding_size])).to(self.device)
        with torch.inference_mode():
            time = self._cosines(queries, self._times_encoded, len(self.times.points))
            place = self._cosines(queries, self._places_encoded, len(self.places.points))
        return time, place

    def fused(self, year_day_turns: NDArray[np.float64], places_deg: NDArray[np.float64]) -> Floats32 | None:
        """Embed queries by time and place: the mean of both unit vectors (late fusion), ``[N, D]``.

        Args:
            year_day_turns: ``[N, 2]`` turn of the year, turn of the day.
            places_deg: ``[N, 2]`` latitude, longitude.

        Returns:
            Unit vectors; zero where a query is not finite; None when the model lacks an encoder.
        """
        if self.manifest.time_encoder is None or self.manifest.location_encoder is None:
            return None
        known = np.isfinite(np.hstack([year_day_turns, places_deg])).all(axis=1, keepdims=True)
        turns, places = (np.nan_to_num(points).astype(np.float32) for points in (year_day_turns, places_deg))
        with torch.inference_mode():
            time = self._module.time(torch.from_numpy(turns).to(self.device))
            place = self._module.place(torch.from_numpy(places).to(self.device))
            both = torch.nn.functional.normalize(time + place, dim=-1).cpu().numpy()
        return np.where(known, both, np.float32(0.0))

    def embedded_times(self, year_day_turns: NDArray[np.float64]) -> Floats32 | None:
        """Return ``[N, D]`` unit vectors of ``[N, 2]`` turns of year and day; None when the model knows no times."""
        if self.manifest.time_encoder is None:
            return None
        with torch.inference_mode():
            return self._module.time(torch.from_numpy(year_day_turns.astype(np.float32)).to(self.device)).cpu().numpy()

    def embedded_places(self, places_deg: NDArray[np.float64]) -> Floats32 | None:
        """Return ``[N, D]`` unit vectors of ``[N, 2]`` latitudes and longitudes; None when it knows no places."""
        if self.manifest.location_encoder is None:
            return None
        with torch.inference_mode():
            return self._module.place(torch.from_numpy(places_deg.astype(np.float32)).to(self.device)).cpu().numpy()

    def embedded_features(self, features: Floats32) -> Floats32:
        """Return ``[N, D]`` unit vectors of ``[N, F]`` features: of pictures, or of words by a text tower."""
        with torch.inference_mode():
            rows = torch.from_numpy(np.ascontiguousarray(features)).to(self.device)
            return self._module.image(self._module.image_head.balanced(rows)).cpu().numpy()

    def told_place(self, vectors: Floats32) -> PlaceDensity:
        """Return the density over places of one unit vector ``[1, D]`` of the common space, whatever it is of."""
        _, cosines = self.similarities(vectors)
        mass = self._mass(cosines, self.places.prior, self.calibration.place)
        return self._teller.answers(mass, cosines)[0].place

    def image_side(self) -> str:
        """Return the identity of the backbone of a model that has one, to which a text tower belongs."""
        (spec,) = self.manifest.extractors
        return weights.image_side(self._reread(), architecture=spec.architecture)

    def densities(self, embeddings: Floats32) -> tuple[Floats32, Floats32]:
        """Return calibrated mass over the time grid ``[B, Y, D]`` and over the place gallery ``[B, G]``."""
        return self._densities(*self.similarities(embeddings))

    def _densities(self, time: Floats32, place: Floats32) -> tuple[Floats32, Floats32]:
        grid = (-1, self.manifest.time_gallery.year_cells, self.manifest.time_gallery.day_cells)
        time_mass = self._mass(time, self.times.prior, self.calibration.time).reshape(grid)
        return time_mass, self._mass(place, self.places.prior, self.calibration.place)

    def _mass(self, cosines: Floats32, prior: Floats32, sharpness: Sharpness) -> Floats32:
        """Do what :func:`density` does, in float32 and on the device: galleries are large."""
        with torch.inference_mode():
            weight = torch.from_numpy(prior / prior.sum()).to(self.device)
            logits = torch.from_numpy(cosines).to(self.device) / sharpness.temperature + weight.log()
            mass = torch.softmax(logits, dim=-1).mul_(1.0 - sharpness.uniform_share)
            return mass.add_(weight, alpha=sharpness.uniform_share).cpu().numpy()

    def _predict_rows(self, embeddings: Floats32, source_ids: Sequence[str]) -> list[Prediction]:
        time, place = self.similarities(embeddings)
        time_mass, place_mass = self._densities(time, place)
        cells = (self.manifest.output.year_cells, self.manifest.output.day_cells)
        times = [
            time_answer(mass, cosines.reshape(mass.shape), cells=cells)
            for mass, cosines in zip(time_mass, time, strict=True)
        ]
        answers = zip(source_ids, embeddings, times, self._teller.answers(place_mass, place), strict=True)
        return [self._prediction(name, row, when, where) for name, row, when, where in answers]

    def _prediction(self, source_id: str, row: Floats32, when: TimeAnswer, where: PlaceAnswer) -> Prediction:
        vector = row[: self.embedding_size]
        return Prediction(
            source_id=source_id,
            model=self.name,
            weights_sha256=self.weights_sha256,
            calibration=self.calibration.sha256,
            time=when.time,
            place=where.place,
            local_hour=when.local_hour,
            year_turn=when.year_turn,
            best_hour=when.best_hour,
            best_year_turn=when.best_year_turn,
            position=where.position,
            best_position=where.best_position,
            region_area_km2=where.region_area_km2,
            datable=self._head(row, DATABLE),
            embedding=(vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32),
            sun_height=self._angle(row, SUN_HEIGHT),
            scene=self._choice(row, SCENE),
        )

    def _head(self, row: Floats32, name: str) -> float:
        names = sorted(self.manifest.heads)
        return float(row[self.embedding_size + names.index(name)]) if name in names else 1.0

    def _angle(self, row: Floats32, name: str) -> AngleDensity | None:
        mass = self._density(row, name)
        edges = self.manifest.densities[name].edges_deg if mass is not None else ()
        return None if mass is None or not edges else AngleDensity(np.array(edges, dtype=np.float32), mass)

    def _choice(self, row: Floats32, name: str) -> Mapping[str, float] | None:
        mass = self._density(row, name)
        labels = self.manifest.densities[name].labels if mass is not None else ()
        return None if mass is None or not labels else dict(zip(labels, map(float, mass), strict=True))

    def _density(self, row: Floats32, name: str) -> Floats32 | None:
        """Return the mass over the cells of one density, None when the model has none of this name."""
        first = self.embedding_size + len(self.manifest.heads)
        for known, spec in sorted(self.manifest.densities.items()):
            if known == name:
                logs = row[first : first + spec.cells].astype(np.float64)
                mass = np.exp(logs - logs.max())
                return np.asarray(mass / mass.sum(), dtype=np.float32)
            first += spec.cells
        return None

    def _cosines(self, queries: Tensor, encoded: Tensor | None, count: int) -> Floats32:
        if encoded is None:
            return np.zeros((len(queries), count), dtype=np.float32)
        return (queries @ encoded.T).cpu().numpy()

    # ------------------------------------------------------------- identity and end

    def close(self) -> None:
        """Free the device's memory; the model is of no use afterwards."""
        self._places_encoded = self._times_encoded = None
        self._module.to("cpu")
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _encode(self, cache_dir: Path | None) -> None:
        key = self.weights_sha256
        if self.manifest.location_encoder is not None:
            self._places_encoded = gallery.encoded_places(
                self._module, self.places, weights_sha256=key, cache_dir=cache_dir, device=self.device
            )
        if self.manifest.time_encoder is not None:
            self._times_encoded = gallery.encoded_times(
                self._module, self.times, weights_sha256=key, cache_dir=cache_dir, device=self.device
            )

    def _fingerprint(self, manifest_sha256: str) -> str:
        parts = (
            CODE_VERSION,
            views.PREPROCESSING,
            manifest_sha256,
            self.weights_sha256,
            self.places.sha256,
            self.times.sha256,
            self.calibration.sha256,
            _precision_name(self.device),
        )
        return hashlib.sha256("|".join(parts).encode()).hexdigest()

    def _facts(self) -> dict[str, str]:
        manifest = self.manifest
        grid = manifest.time_gallery
        return {
            "name": manifest.name,
            "title": manifest.title,
            "licence": manifest.licence,
            "weights": self.weights_sha256,
            "place gallery": Sentence(
                "{places:raw} places, sha256 {sha256}", places=len(self.places.points), sha256=self.places.sha256
            ),
            "time gallery": Sentence(
                "{year_cells:raw} × {day_cells:raw} cells, sha256 {sha256}",
                year_cells=grid.year_cells,
                day_cells=grid.day_cells,
                sha256=self.times.sha256,
            ),
            "calibration": self.calibration.sha256 or "none: predictions are uncalibrated",
            "preprocessing": views.PREPROCESSING,
            "place": "judged" if manifest.location_encoder else NOT_JUDGED,
            "time": "judged" if manifest.time_encoder else NOT_JUDGED,
            DATABLE: "judged" if DATABLE in manifest.heads else NOT_JUDGED,
            "densities": ", ".join(name.replace("_", " ") for name in sorted(manifest.densities)) or NOT_JUDGED,
            "device": _device_name(self.device),
            "precision": _precision_name(self.device),
            "torch": torch.__version__,
            "timm": version("timm"),
        }


def _precision_name(device: torch.device) -> str:
    return str(devices.precision(device)).removeprefix("torch.")


def _device_name(device: torch.device) -> str:
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
