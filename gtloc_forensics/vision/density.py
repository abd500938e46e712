"""Similarities to densities, and densities to answers.

A density says how much of the probability lies where; a point is only its shortest
summary. Time of year and time of day are told by the point whose expected cyclic
error is least, places by the point whose expected great-circle error is least;
the paper's arg-max stands beside them. Pure numpy.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtloc_forensics.earth.circular import cell_centres, expected_distances
from gtloc_forensics.earth.globe import EARTH_RADIUS_KM
from gtloc_forensics.earth.sphere import EqualAreaCells, unit_vectors
from gtloc_forensics.records import PlaceDensity, Position, Prediction, TimeDensity
from gtloc_forensics.vision.one_thread import one_thread

Floats = NDArray[np.float64]

REGION_SHARES = (50, 90, 95)
KEPT_SHARE = 0.999
"""Cells beyond this much of the mass are cut from a place density."""

COARSE_PLACES = 1500
HEAVY_CANDIDATES = 12
MOST_THREADS = 8
ROWS_AT_ONCE = 64
"""Pictures whose similarities to a whole gallery are in memory at once."""
NEAR_CANDIDATES = 24


@dataclass(frozen=True, slots=True)
class Sharpness:
    """How similarities of one modality become probabilities: fitted on photos the model never saw."""

    temperature: float
    uniform_share: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be a temperature or a share."""
        if not (math.isfinite(self.temperature) and self.temperature > 0.0 and 0.0 <= self.uniform_share <= 1.0):
            raise ValueError("a temperature is positive and a uniform share lies in 0–1")


def a_few_at_a_time(
    predict: Callable[[NDArray[np.float32], Sequence[str]], list[Prediction]],
    embeddings: NDArray[np.float32],
    source_ids: Sequence[str],
) -> list[Prediction]:
    """Return the predictions of all rows, made of a few rows at a time.

    Raises:
        ValueError: rows and ids differ in number.
    """
    if len(embeddings) != len(source_ids):
        raise ValueError(f"{len(embeddings)} embeddings but {len(source_ids)} source ids")
    found: list[Prediction] = []
    for first in range(0, len(source_ids), ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        found += predict(embeddings[rows], source_ids[rows])
    return found


def density(similarity: ArrayLike, prior: ArrayLike, *, sharpness: Sharpness) -> Floats:
    """Turn similarities into probability mass.

    Args:
        similarity: ``[B, G]`` cosines.
        prior: ``[G]`` weights of the gallery's entries, not negative, positive sum.
        sharpness: temperature, and the share given back to the prior.

    Returns:
        ``[B, G]``, each row sums to 1.
    """
    weight = np.asarray(prior, dtype=np.float64)
    weight = weight / weight.sum()
    score = np.asarray(similarity, dtype=np.float64) / sharpness.temperature
    score -= score.max(axis=-1, keepdims=True)
    mass = np.exp(score, out=score)
    mass *= weight
    mass *= (1.0 - sharpness.uniform_share) / mass.sum(axis=-1, keepdims=True)
    mass += sharpness.uniform_share * weight
    return mass


# --------------------------------------------------------------------------- time


@dataclass(frozen=True, slots=True)
class TimeAnswer:
    """A time density with its points."""

    time: TimeDensity
    local_hour: float
    year_turn: float
    best_hour: float
    best_year_turn: float


def time_answer(mass: NDArray[np.floating], similarity: ArrayLike, *, cells: tuple[int, int]) -> TimeAnswer:
    """Tell one picture's time.

    Args:
        mass: ``[Y, D]`` over the fine grid, sums to 1.
        similarity: ``[Y, D]`` cosines, for the arg-max of the paper.
        cells: how many cells of the year and of the day to hand on; they divide Y and D.
    """
    mass = np.asarray(mass, dtype=np.float64)
    best_year, best_day = np.unravel_index(int(np.argmax(similarity)), mass.shape)
    return TimeAnswer(
        time=TimeDensity(gathered(mass / mass.sum(), cells=cells).astype(np.float32)),
        local_hour=24.0 * least_expected_turn(mass.sum(axis=0)),
        year_turn=least_expected_turn(mass.sum(axis=1)),
        best_hour=float(24.0 * cell_centres(mass.shape[1])[best_day]),
        best_year_turn=float(cell_centres(mass.shape[0])[best_year]),
    )


def gathered(mass: Floats, *, cells: tuple[int, int]) -> Floats:
    """Add up a fine ``[Y, D]`` mass into fewer cells, ``[year cells, day cells]``."""
    years, days = cells
    rows, columns = mass.shape
    return np.asarray(mass.reshape(years, rows // years, days, columns // days).sum(axis=(1, 3)))


def least_expected_turn(mass: ArrayLike) -> float:
    """Return the cell centre, as a turn in [0, 1), whose expected cyclic error is least; ties go to the first."""
    values = np.asarray(mass, dtype=np.float64)
    return float(cell_centres(values.size)[int(np.argmin(np.round(expected_distances(values), 12)))])


# --------------------------------------------------------------------------- place


@dataclass(frozen=True, slots=True)
class PlaceAnswer:
    """A place density with its points and its regions."""

    place: PlaceDensity
    position: Position
    best_position: Position
    region_area_km2: dict[int, float]


class PlaceTeller:
    """Gathers a gallery into equal-area cells; made once for a gallery, then told many pictures.

    Masses and cosines are in the order of the gallery's rows. A gallery that is sorted by
    cell (:func:`by_cell`) is gathered without being copied.
    """

    def __init__(self, latitude_longitude_deg: NDArray[np.float32], *, cells: int) -> None:
        """Prepare to answer over these places."""
        self.cells = EqualAreaCells(cells)
        home = self.cells.cell_of(latitude_longitude_deg[:, 0], latitude_longitude_deg[:, 1])
        self._points = latitude_longitude_deg
        self._order = None if (np.diff(home) >= 0).all() else np.argsort(home, kind="stable")
        self._used, self._starts = np.unique(np.sort(home), return_index=True)
        self._vectors = self.cells.centre_vectors[self._used].astype(np.float32)
        self._coarse = EqualAreaCells(COARSE_PLACES).centre_vectors.astype(np.float32)
        to_coarse = self._vectors @ self._coarse.T
        np.clip(to_coarse, -1.0, 1.0, out=to_coarse)  # in place: of some thousand cells each copy is 40 MB
        self._to_coarse = np.arccos(to_coarse, out=to_coarse)

    def cell_mass(self, mass: ArrayLike) -> Floats:
        """Add up ``[B, G]`` gallery mass into ``[B, U]``, U the cells that hold any gallery point."""
        values = np.asarray(mass) if self._order is None else np.asarray(mass)[:, self._order]
        return np.asarray(np.add.reduceat(values, self._starts, axis=1, dtype=np.float64))

    def used_of(self, latitude_deg: ArrayLike, longitude_deg: ArrayLike) -> NDArray[np.int64]:
        """Return, for each place, the column of :meth:`cell_mass` it falls in, −1 where none does."""
        cell = self.cells.cell_of(latitude_deg, longitude_deg)
        column = np.searchsorted(self._used, cell)
        column = np.minimum(column, len(self._used) - 1)
        return np.where(self._used[column] == cell, column, -1)

    def answers(self, mass: ArrayLike, similarity: ArrayLike) -> list[PlaceAnswer]:
        """Tell the places of ``[B, G]`` gallery mass and cosines; pictures are told side by side on threads."""
        cells = self.cell_mass(mass)
        best = np.argmax(np.asarray(similarity), axis=1)
        with one_thread():  # each; pictures are what is shared among threads
            coarse = np.argmin(cells.astype(np.float32) @ self._to_coarse, axis=1)
            asked = list(zip(cells, best.tolist(), coarse.tolist(), strict=True))
            if len(asked) < 2:
                return [self._answer(*claim) for claim in asked]
            with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
                return list(pool.map(lambda question: self._answer(*question), asked))

    def _answer(self, row: Floats, best: int, coarse: int) -> PlaceAnswer:
        order = np.argsort(-row, kind="stable")
        total = np.cumsum(row[order])
        kept = order[: int(np.searchsorted(total, KEPT_SHARE * total[-1])) + 1]
        latitude, longitude = (axis[self._used[kept]] for axis in self.cells.centres_deg)
        mass = row[kept] / row[kept].sum()
        place = PlaceDensity(
            latitude.astype(np.float32), longitude.astype(np.float32), mass.astype(np.float32), self.cells.area_km2
        )
        areas = {share: region_area_km2(row[order], share / 100.0, self.cells.area_km2) for share in REGION_SHARES}
        return PlaceAnswer(
            place=place,
            position=self._least_expected(kept, mass, coarse=coarse),
            best_position=Position(float(self._points[best, 0]), float(self._points[best, 1])),
            region_area_km2=areas,
        )

    def _least_expected(self, kept: NDArray[np.int64], mass: Floats, *, coarse: int) -> Position:
        """Return the best of the cells near the best coarse place and of the heaviest cells."""
        nearness = self._vectors @ self._coarse[coarse]
        near = np.argpartition(-nearness, min(NEAR_CANDIDATES, len(nearness)) - 1)[:NEAR_CANDIDATES]
        candidates = np.unique(np.concatenate([near, kept[:HEAVY_CANDIDATES]]))
        cosine = np.clip(self._vectors[candidates] @ self._vectors[kept].T, -1.0, 1.0)
        chosen = int(self._used[candidates[int(np.argmin(np.arccos(cosine) @ mass.astype(np.float32)))]])
        latitude, longitude = self.cells.centres_deg
        return Position(float(latitude[chosen]), float(longitude[chosen]))


def by_cell(latitude_longitude_deg: NDArray[np.float32], *, cells: int) -> NDArray[np.int64]:
    """Return the order of a gallery's rows in which cells follow one another, ties as they stand."""
    home = EqualAreaCells(cells).cell_of(latitude_longitude_deg[:, 0], latitude_longitude_deg[:, 1])
    return np.argsort(home, kind="stable")


def region_area_km2(mass: ArrayLike, share: float, cell_area_km2: float) -> float:
    """Return the area of the smallest region of cells that holds *share* of the mass; the last cell counts in part."""
    heaviest = -np.sort(-np.asarray(mass, dtype=np.float64), kind="stable")  # quick when it is in this order already
    total = np.cumsum(heaviest)
    needed = share * total[-1]
    whole = int(np.searchsorted(total, needed))
    before = total[whole - 1] if whole else 0.0
    part = (needed - before) / heaviest[whole] if heaviest[whole] > 0.0 else 0.0
    return float((whole + part) * cell_area_km2)


def position_error_km(place: PlaceDensity, position: Position) -> float:
    """Return the expected great-circle error of naming *position* when the truth is drawn from *place*."""
    cells = unit_vectors(place.latitude_deg, place.longitude_deg)
    here = unit_vectors(position.latitude_deg, position.longitude_deg)
    return float(EARTH_RADIUS_KM * np.arccos(np.clip(cells @ here, -1.0, 1.0)) @ place.mass)


# --------------------------------------------------------------------------- calibration


def fit_sharpness(
    similarity: ArrayLike, prior: ArrayLike, *, truth: ArrayLike, weights: ArrayLike | None = None
) -> Sharpness:
    """Fit temperature and uniform share by the mean log score of the truth, on photos the model never saw.

    Args:
        similarity: ``[B, G]`` cosines of held-out photos.
        prior: ``[G]`` gallery weights.
        truth: ``[B]`` index of the gallery entry nearest the truth.
        weights: ``[B]`` weights of the photos; give every source the same total.

    Returns:
        The best of a grid that is refined three times: the same on every machine.

    Raises:
        ValueError: when no photo has any weight.
    """
    rows = np.asarray(truth, dtype=np.int64)
    weight = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=np.float64)
    similarity, rows, weight = np.asarray(similarity)[weight > 0.0], rows[weight > 0.0], weight[weight > 0.0]
    if not len(rows):
        raise ValueError("a temperature cannot be fitted without photos")
    prior_mass = np.asarray(prior, dtype=np.float64) / np.asarray(prior, dtype=np.float64).sum()
    low, high = math.log(1e-3), math.log(30.0)
    best = (math.inf, 1.0, 1.0)
    for _ in range(3):
        temperatures = np.exp(np.linspace(low, high, 16))
        for temperature in temperatures:
            sharp = _truth_mass(similarity, prior, rows, temperature=float(temperature))
            share, loss = _best_share(sharp, prior_mass[rows], weight)
            best = min(best, (loss, float(temperature), share))
        step = (high - low) / 15.0
        low, high = math.log(best[1]) - step, math.log(best[1]) + step
    return Sharpness(best[1], best[2])


def _truth_mass(
    similarity: NDArray[np.floating], prior: ArrayLike, rows: NDArray[np.int64], *, temperature: float
) -> Floats:
    """Return the mass of each photo's truth, a few photos at a time: galleries are large."""
    found = np.empty(len(rows))
    for first in range(0, len(rows), ROWS_AT_ONCE):
        part = slice(first, first + ROWS_AT_ONCE)
        mass = density(similarity[part], prior, sharpness=Sharpness(temperature))
        found[part] = np.take_along_axis(mass, rows[part, None], axis=1)[:, 0]
    return found


def _best_share(sharp: Floats, prior: Floats, weight: Floats) -> tuple[float, float]:
    """Return the uniform share of least mean loss, and that loss."""
    shares = np.concatenate([[0.0], np.geomspace(1e-4, 1.0, 41)])
    mixed = (1.0 - shares[:, None]) * sharp + shares[:, None] * prior
    # A truth that was given no mass at all costs 690 nats, not infinity, which would hide every other photo.
    losses = -(np.log(np.maximum(mixed, 1e-300)) @ weight) / weight.sum()
    index = int(np.argmin(losses))
    return float(shares[index]), float(losses[index])
