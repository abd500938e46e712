"""Areas under a curve, and intervals over sources: the one place for both.

Photos of one source share photographer, camera and trip. So an interval comes from drawing
whole sources again, never photos.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]

TAIL = 0.025


def auc(
    true: ArrayLike, false: ArrayLike, *, true_weight: ArrayLike | None = None, false_weight: ArrayLike | None = None
) -> float:
    """Return how often a true claim scores above a false one, ties counting half (Mann & Whitney 1947).

    Args:
        true: ``[N]`` scores of true claims.
        false: ``[M]`` scores of false ones.
        true_weight: ``[N]``; all alike when left out.
        false_weight: ``[M]``; all alike when left out.

    Returns:
        NaN when either is empty.
    """
    high, low = np.asarray(true, np.float64), np.asarray(false, np.float64)
    heavy = np.ones(len(high)) if true_weight is None else np.asarray(true_weight, np.float64)
    light = np.ones(len(low)) if false_weight is None else np.asarray(false_weight, np.float64)
    if not len(high) or not len(low):
        return float("nan")
    order = np.argsort(low, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(light[order])]) / light.sum()
    left, right = (below[np.searchsorted(low[order], high, side)] for side in ("left", "right"))
    return float(np.average((left + right) / 2.0, weights=heavy))


def drawn_sources(
    statistic: Callable[[NDArray[np.int64]], float], groups: NDArray[np.str_], *, draws: int = 1000, seed: int = 0
) -> Floats:
    """Return a statistic of each set of sources drawn with replacement, as many as there are.

    Args:
        statistic: of row numbers, a row as often as its source was drawn: weigh rows by the
            whole set's weights, or a source drawn twice counts once.
        groups: ``[N]`` the source of each row.
        draws: how often.
        seed: of the draws.
    """
    names, home = np.unique(groups, return_inverse=True)
    rows = np.split(np.argsort(home, kind="stable"), np.cumsum(np.bincount(home))[:-1])
    draw = np.random.default_rng(seed)
    return np.array(
        [
            statistic(np.concatenate([rows[index] for index in draw.integers(len(names), size=len(names))]))
            for _ in range(draws)
        ]
    )


def over_sources(
    statistic: Callable[[NDArray[np.int64]], float], groups: NDArray[np.str_], *, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return the central 95 % of *statistic* over sources drawn again; arguments as of :func:`drawn_sources`."""
    low, high = np.nanquantile(drawn_sources(statistic, groups, draws=draws, seed=seed), [TAIL, 1.0 - TAIL])
    return float(low), float(high)
