"""How high the sun stood by what is seen and measured, and how far that agrees with a claim.

A model gives a density over the sun's elevation from the pixels alone. The exposure adds to its
logarithm a number for each cell, read from a table over EV100: the two were fitted together, as one
multinomial regression, so nothing is counted twice. The table comes with the calibration of the model
(docs/models.md). Pure numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtloc_forensics.records import AngleDensity

Floats: TypeAlias = NDArray[np.float64]

LOWEST_DEG, HIGHEST_DEG = -24.0, 69.0
"""The outermost cells reach to nadir and zenith; their middles are told as if they ended here."""

SCORE_LIMIT = 4.0  # nats; beyond it a density of this quality is noise
MOST_CELLS, MOST_KNOTS = 4096, 256


@dataclass(frozen=True, slots=True)
class ExposureTable:
    """What an exposure adds to the logarithm of each cell, and what photos show on average.

    ``knots_ev`` is ``[K]`` ascending, ``logits`` ``[K, C]``: linear between knots, flat beyond them.
    ``usual`` ``[C]`` is the mean density over photos of daylight scenes, sums to 1.
    """

    edges_deg: Floats
    knots_ev: Floats
    logits: Floats
    usual: Floats

    def __post_init__(self) -> None:
        """Refuse numbers that are no such table."""
        cells, knots = self.usual.size, self.knots_ev.size
        shapes = self.edges_deg.shape == (cells + 1,) and self.logits.shape == (knots, cells)
        if not shapes or not 2 <= cells <= MOST_CELLS or not 1 <= knots <= MOST_KNOTS:
            raise ValueError("a table over the sun's height does not fit its cells")
        if not all(np.isfinite(values).all() for values in (self.edges_deg, self.knots_ev, self.logits, self.usual)):
            raise ValueError("a table over the sun's height holds a number that is not finite")
        if (np.diff(self.edges_deg) <= 0).any() or (np.diff(self.knots_ev) <= 0).any() or self.usual.min() <= 0:
            raise ValueError("a table over the sun's height does not ascend, or leaves a cell out")

    def fits(self, density: AngleDensity) -> bool:
        """Whether a density is over the cells of this table."""
        return density.edges_deg.shape == self.edges_deg.shape and bool(
            np.allclose(density.edges_deg, self.edges_deg, atol=1e-3)
        )


def parse(entry: Mapping[str, Any]) -> ExposureTable:
    """Build a table from its part of ``calibration.json``.

    Raises:
        ValueError: when it is none.
        KeyError: when a part is missing.
    """
    parts = (np.asarray(entry[name], dtype=np.float64) for name in ("edges_deg", "knots_ev", "logits", "usual"))
    edges, knots, logits, usual = parts
    return ExposureTable(edges, knots, logits, usual / usual.sum())


def at_exposure(mass: ArrayLike, table: ExposureTable, ev100: float) -> Floats:
    """Return the mass over the sun's height ``[C]`` once the exposure is known too.

    Args:
        mass: ``[C]`` from the pixels alone.
        table: of the same model.
        ev100: of a frame without flash.
    """
    added = np.array([np.interp(ev100, table.knots_ev, column) for column in table.logits.T])
    logs = np.log(np.maximum(np.asarray(mass, dtype=np.float64), 1e-12)) + added
    found = np.exp(logs - logs.max())
    return np.asarray(found / found.sum(), dtype=np.float64)


def height_score(mass: ArrayLike, table: ExposureTable, *, elevation_deg: float) -> float:
    """Return how far a density over the sun's height agrees with a claimed elevation: a log ratio, 0 is indifferent."""
    ratio = np.log(np.maximum(np.asarray(mass, dtype=np.float64), 1e-12) / table.usual)
    found = float(np.interp(elevation_deg, middles_deg(table.edges_deg), ratio))
    return max(-SCORE_LIMIT, min(SCORE_LIMIT, found))


def share_above(mass: ArrayLike, edges_deg: ArrayLike, *, above_deg: float) -> float:
    """Return how much of the mass has the sun above *above_deg*, 0–1; a cell in between counts in part."""
    edges = np.asarray(edges_deg, dtype=np.float64)
    share = np.clip((edges[1:] - above_deg) / np.diff(edges), 0.0, 1.0)
    return float(np.asarray(mass, dtype=np.float64) @ share)


def median_deg(mass: ArrayLike, edges_deg: ArrayLike) -> float:
    """Return the elevation with as much mass below as above it."""
    edges = np.clip(np.asarray(edges_deg, dtype=np.float64), LOWEST_DEG, HIGHEST_DEG)
    below = np.concatenate([[0.0], np.cumsum(np.asarray(mass, dtype=np.float64))])
    return float(np.interp(0.5 * below[-1], below, edges))


def middles_deg(edges_deg: ArrayLike) -> Floats:
    """Return the middle of each cell ``[C]``."""
    edges = np.clip(np.asarray(edges_deg, dtype=np.float64), LOWEST_DEG, HIGHEST_DEG)
    return np.asarray((edges[1:] + edges[:-1]) / 2.0, dtype=np.float64)
