"""A trained system at work beside the first model: pictures in, predictions out, each of them uncalibrated."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gtloc_forensics.earth.partitions import Partition
from gtloc_forensics.earth.sphere import EqualAreaCells, unit_vectors
from gtloc_forensics.errors import WeightsError
from gtloc_forensics.records import Pixels, Position, Prediction
from gtloc_forensics.vision import device as devices
from gtloc_forensics.vision import gallery, library
from gtloc_forensics.vision.density import (
    ROWS_AT_ONCE,
    PlaceAnswer,
    PlaceTeller,
    Sharpness,
    a_few_at_a_time,
    time_answer,
)
from gtloc_forensics.vision.model import NOT_JUDGED
from gtloc_forensics.vision.specs import PlaceGallerySpec
from gtloc_forensics.vision.systems import folder as folders
from gtloc_forensics.vision.systems.folder import LoadedSystem
from gtloc_forensics.vision.systems.frozen import Frozen
from gtloc_forensics.vision.systems.neighbours import Neighbours
from gtloc_forensics.vision.systems.system import Seen, System
from gtloc_forensics.vision.systems.tiger import Tiger
from gtloc_forensics.vision.systems.zhai import Zhai

CODE_VERSION = "2"
"""Part of every fingerprint; raised when the same weights would give other predictions."""

PLACE_CELLS = 5_000
LAND_POINTS = 3_000
KERNEL_CELLS = 5_000  # in whose centres the density of neighbours is told
TIME_CELLS = (36, 48)
"""Cells of the year and of the day in which times are told, as the first model tells them."""


Floats32 = NDArray[np.float32]
Floats = NDArray[np.float64]


class Places:
    """The places of a system, and land everywhere for the share of mass that is spread evenly."""

    def __init__(self, own: Floats32, *, cache_dir: Path | None) -> None:
        """Prepare to answer over *own* ``[P, 2]`` places."""
        land = gallery.place_gallery(PlaceGallerySpec(points=LAND_POINTS), Path(), cache_dir=cache_dir)
        self.own = own
        self._land = land.prior.astype(np.float64) / float(land.prior.sum())
        self.teller = PlaceTeller(np.concatenate([own, land.points]).astype(np.float32), cells=PLACE_CELLS)

    def mass(self, logs: Floats, sharpness: Sharpness) -> Floats:
        """Return mass over own places and land, ``[B, P + L]``."""
        own = (1.0 - sharpness.uniform_share) * softmax(logs / sharpness.temperature)
        land = np.broadcast_to(sharpness.uniform_share * self._land, (len(logs), len(self._land)))
        return np.concatenate([own, land], axis=1)

    def answers(self, logs: Floats, sharpness: Sharpness) -> list[PlaceAnswer]:
        """Tell places; the arg-max is among the system's own."""
        score = np.concatenate([logs, np.full((len(logs), len(self._land)), -np.inf)], axis=1)
        return self.teller.answers(self.mass(logs, sharpness), score)

    def even(self) -> PlaceAnswer:
        """Return the answer of one that does not judge places."""
        mass = np.concatenate([np.zeros(len(self.own)), self._land])[None]
        answer = self.teller.answers(mass, mass)[0]
        cells = np.full(len(answer.place.mass), 1.0 / len(answer.place.mass), dtype=np.float32)
        return replace(answer, place=replace(answer.place, mass=cells))


def softmax(logs: Floats) -> Floats:
    """Return rows that sum to 1."""
    mass = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return np.asarray(mass / mass.sum(axis=-1, keepdims=True))


def own_places(net: System, partitions: Mapping[str, Partition]) -> Floats32:
    """Return the places over which a system tells its density, ``[P, 2]``."""
    if net.place_names:
        cells = partitions[net.place_names]
        return np.column_stack([cells.latitude_deg, cells.longitude_deg]).astype(np.float32)
    if isinstance(net, Neighbours) or not net.judges_place:
        return np.column_stack(EqualAreaCells(KERNEL_CELLS).centres_deg).astype(np.float32)
    own = net.get_buffer("gallery").detach().cpu().numpy()
    return np.asarray(own, dtype=np.float32)


def time_mass(logs: Floats, sharpness: Sharpness) -> Floats:
    """Return mass over :data:`TIME_CELLS`, ``[B, 36, 48]``, from logarithms over that grid or months and hours."""
    batch, years, days = logs.shape
    mass = softmax(logs.reshape(batch, -1) / sharpness.temperature).reshape(logs.shape)
    repeats = TIME_CELLS[0] // years, TIME_CELLS[1] // days
    fine = np.repeat(np.repeat(mass, repeats[0], axis=1), repeats[1], axis=2) / (repeats[0] * repeats[1])
    even = sharpness.uniform_share / (TIME_CELLS[0] * TIME_CELLS[1])
    return np.asarray((1.0 - sharpness.uniform_share) * fine + even)


class SecondOpinion:
    """One system on one base; what it says was calibrated by nobody.

    Attributes:
        name: of the system's folder.
        short_side: px to which pictures should be decoded.
        fingerprint: sha256 over everything that decides a prediction.
        facts: what a report says of it.
    """

    def __init__(self, loaded: LoadedSystem, base: Frozen, *, cache_dir: Path | None) -> None:
        """Take over a loaded system and the base it was made on.

        Raises:
            WeightsError: the base is not the one it was made on.
        """
        spec = loaded.spec
        if base.identity != spec.base_sha256:
            raise WeightsError(
                f"the system {spec.name} was made on other weights of {spec.base} than those installed; train it again"
            )
        self.name, self.short_side, self.spec = spec.name, base.short_side, spec
        self.weights_sha256 = loaded.weights_sha256
        self.base = base
        self.net = loaded.net.to(base.device)
        self.partitions = loaded.partitions
        self._places = Places(own_places(self.net, loaded.partitions), cache_dir=cache_dir)
        self._even = self._places.even()
        described = "|".join(
            (CODE_VERSION, spec.kind, loaded.weights_sha256, base.identity, repr((spec.place, spec.time)))
        )
        self.fingerprint = hashlib.sha256(described.encode()).hexdigest()
        self.facts: Mapping[str, str] = self._facts()

    def prepare(self, pixels: Pixels) -> NDArray[np.uint8]:
        """Resize and crop one picture as the base wants it; thread-safe."""
        return self.base.prepare(pixels)

    def embed(self, prepared: Sequence[NDArray[np.uint8]]) -> Floats32:
        """Return the base's features by field, ``[B, T · F]``: the same for every system on that base."""
        return self.base.fields(prepared)

    def said(self, embeddings: Floats32) -> dict[str, Tensor]:
        """Return what the net says of pictures, some at a time."""
        parts: list[dict[str, Tensor]] = []
        with torch.inference_mode():
            for first in range(0, len(embeddings), ROWS_AT_ONCE):
                flat = torch.from_numpy(np.ascontiguousarray(embeddings[first : first + ROWS_AT_ONCE]))
                balanced = self.base.balanced(flat.to(self.base.device))
                parts.append(self.net(Seen(balanced, self.base.scenes(balanced))))
        return {name: torch.cat([part[name] for part in parts]) for name in (parts[0] if parts else ())}

    def logs(self, said: Mapping[str, Tensor]) -> tuple[Floats | None, Floats | None]:
        """Return logarithms of mass over places ``[B, P]`` and over times; None for what it does not judge."""
        place = time = None
        with torch.inference_mode():
            if isinstance(self.net, Neighbours):
                asked = torch.from_numpy(unit_vectors(*self._places.own.T).astype(np.float32)).to(self.base.device)
                place = self.net.place_logs(said, asked).double().cpu().numpy()
            elif self.net.judges_place:
                place = self.net.place_logs(said).double().cpu().numpy()
            if self.net.judges_time:
                time = self.net.time_logs(said).double().cpu().numpy()
        return place, time

    def predict(self, embeddings: Floats32, source_ids: Sequence[str]) -> list[Prediction]:
        """Turn features into densities and points.

        Raises:
            ValueError: rows and ids differ in number.
        """
        return a_few_at_a_time(self._predict_rows, embeddings, source_ids)

    def _predict_rows(self, embeddings: Floats32, source_ids: Sequence[str]) -> list[Prediction]:
        said = self.said(embeddings)
        place, time = self.logs(said)
        even = np.full((1, *TIME_CELLS), 1.0 / (TIME_CELLS[0] * TIME_CELLS[1]))
        masses = (
            np.repeat(even, len(source_ids), axis=0)
            if time is None
            else time_mass(time, folders.sharpness(self.spec.time))
        )
        wheres = (
            [self._even] * len(source_ids)
            if place is None
            else self._places.answers(place, folders.sharpness(self.spec.place))
        )
        best = self._best_positions(said, wheres)
        vectors = said["vector"].float().cpu().numpy() if isinstance(self.net, Tiger) else [None] * len(source_ids)
        return [
            self._prediction(name, mass, where, position, vector)
            for name, mass, where, position, vector in zip(source_ids, masses, wheres, best, vectors, strict=True)
        ]

    def _best_positions(self, said: Mapping[str, Tensor], wheres: Sequence[PlaceAnswer]) -> list[Position]:
        """Return the arg-max: of the neighbours the photo where the kernel density is highest, as published."""
        if not isinstance(self.net, Neighbours):
            return [where.best_position for where in wheres]
        with torch.inference_mode():
            vectors = self.net.positions[self.net.place_logs(said).argmax(dim=-1)].double().cpu().numpy()
        latitude, longitude = (
            np.degrees(np.arcsin(np.clip(vectors[:, 2], -1, 1))),
            np.degrees(np.arctan2(vectors[:, 1], vectors[:, 0])),
        )
        return [Position(float(lat), float(lon)) for lat, lon in zip(latitude, longitude, strict=True)]

    def _prediction(
        self, source_id: str, mass: Floats, where: PlaceAnswer, best: Position, vector: Floats32 | None
    ) -> Prediction:
        when = time_answer(mass, mass, cells=TIME_CELLS)
        return Prediction(
            source_id=source_id,
            model=self.name,
            weights_sha256=self.weights_sha256,
            calibration="",
            time=when.time,
            place=where.place,
            local_hour=when.local_hour,
            year_turn=when.year_turn,
            best_hour=when.best_hour,
            best_year_turn=when.best_year_turn,
            position=where.position,
            best_position=best,
            region_area_km2=where.region_area_km2,
            datable=1.0,
            embedding=vector,
        )

    def fused(self, turns: Floats | None, places_deg: Floats | None) -> Floats32 | None:
        """Return ``[N, D]`` unit vectors of times and places, row by row seen together (early fusion), or of one alone.

        None when the system has no space in which they meet pictures.
        """
        if not isinstance(self.net, Tiger):
            return None
        device, tokens = self.base.device, []
        with torch.inference_mode():
            if places_deg is not None:
                tokens.append(self.net.place_tokens(torch.from_numpy(places_deg.astype(np.float32)).to(device)))
            if turns is not None:
                tokens.append(self.net.time_tokens(torch.from_numpy(turns.astype(np.float32)).to(device)))
            return np.asarray(self.net.vector(*tokens).cpu().numpy(), np.float32)

    def searched(self, embeddings: Floats32, turns: Floats, places_deg: Floats) -> tuple[Floats32, Floats32] | None:
        """Return queries by time and place and what they are compared with; None without such a search.

        TIGeR sees time and place together (early fusion); Zhai et al. multiply the probabilities of both,
        whose logarithms add up.
        """
        known = np.asarray(np.isfinite(np.hstack([turns, places_deg])).all(axis=1, keepdims=True))
        said = self.said(embeddings)
        turns_, places_ = np.nan_to_num(turns), np.nan_to_num(places_deg)
        with torch.inference_mode():
            fused = self.fused(turns_, places_)
            if fused is not None:
                queries, images = torch.from_numpy(fused), said["vector"]
            elif isinstance(self.net, Zhai):
                queries, images = (
                    self._by_cells(turns_, places_),
                    torch.cat([self.net.time_logs(said).flatten(1), self.net.place_logs(said)], dim=-1),
                )
            else:
                return None
        rows = queries.cpu().numpy().astype(np.float32)
        return np.where(known, rows, np.float32(0.0)), images.cpu().numpy().astype(np.float32)

    def _by_cells(self, turns: Floats, places_deg: Floats) -> Tensor:
        cells = self.partitions["cells"]
        own = unit_vectors(places_deg[:, 0], places_deg[:, 1]) @ unit_vectors(cells.latitude_deg, cells.longitude_deg).T
        month, hour = (turns[:, 0] * 12).astype(int) % 12, (turns[:, 1] * 24).astype(int) % 24
        asked = np.zeros((len(turns), 288 + len(cells)), dtype=np.float32)
        asked[np.arange(len(turns)), month * 24 + hour] = 1.0
        asked[np.arange(len(turns)), 288 + own.argmax(axis=1)] = 1.0
        return torch.from_numpy(asked)

    def close(self) -> None:
        """Free the device's memory; it is of no use afterwards."""
        self.net.to("cpu")
        self.base.close()

    def _facts(self) -> dict[str, str]:
        spec, net = self.spec, self.net
        cells = ", ".join(f"{name} {count}" for name, count in spec.cells.items())
        return {
            "name": spec.name,
            "title": net.title,
            "licence": spec.licence,
            "weights": self.weights_sha256,
            "base": f"{spec.base}, weights {spec.base_sha256}",
            "cells": cells or "none",
            "made from": ", ".join(f"{count} {what}" for what, count in spec.made_from.items()) or "unknown",
            "calibration": "calibrated by nobody",
            "place": "judged" if net.judges_place else NOT_JUDGED,
            "time": "judged" if net.judges_time else NOT_JUDGED,
        }


def load_opinion(name: str | Path, *, device: str = "auto", base: Frozen | None = None) -> SecondOpinion:
    """Load an installed system, or one from a folder, with its base.

    Raises:
        WeightsError: there is no such system, or it or its base is damaged.
        UsageError: there is no such device.
    """
    loaded = folders.load(folders.find(name))
    chosen = devices.choose(device)
    shared = base if base is not None and base.identity == loaded.spec.base_sha256 else None
    frozen = shared or Frozen(library.find(loaded.spec.base), device=chosen, grid=loaded.spec.grid)
    return SecondOpinion(loaded, frozen, cache_dir=library.cache_folder())
