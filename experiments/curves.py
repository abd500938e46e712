"""Curves of the card: risk by coverage, recall by area, and a camera's clock by the number of its photos.

Each stands beside what a constant reaches. All on sources that nothing learned from.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import crossfit
import judgement
import numpy as np
import place_targets
import summed_witnesses
import targets
from held_out import HeldOut
from numpy.typing import NDArray

from gtloc_forensics.earth.circular import hour_distance
from gtloc_forensics.evidence import resampling
from gtloc_forensics.modelling import calibrating
from gtloc_forensics.vision.density import least_expected_turn

Floats = NDArray[np.float64]
Facts = dict[str, Any]

COVERAGES = (0.1, 0.25, 0.5, 0.75, 1.0)
SHARES = place_targets.SHARES
DRAWS, SEED = 100, 11


def figures(told: HeldOut, judged: judgement.Judged, folder: Path) -> Facts:
    """Return every curve."""
    return {
        "claims": claim_risk(judged),
        "hours": hour_risk(told),
        "places": place_recall(told),
        "clocks": summed_witnesses.by_number(told, folder),
    }


def claim_risk(judged: judgement.Judged) -> list[Facts]:
    """Return how often claims fall on the wrong side of a ratio of 1, of those whose ratio is farthest from it.

    True and false claims weigh the same, so a constant is wrong in half of them.
    """
    name = "+".join(judgement.JOINTS[-1])
    trials = judged.trials[name]
    _, ratio = judgement.held_out_strength(trials, judged, name)
    weight = calibrating.sided_weights(trials)
    wrong = (ratio > 0) != trials.true
    true = trials.true
    return [
        {
            **_entry(_mean(wrong[kept], weight[kept]), trials.group[kept]),
            "coverage": coverage,
            "constant": 0.5,
            "constant_in_hindsight": round(_least_share(true[kept], weight[kept]), 4),
            "photos": int(true[kept].sum()),
            "sources": len(np.unique(trials.group[kept][true[kept]])),
            "false_claims": int((~true[kept]).sum()),
        }
        for coverage, kept in _surest(np.abs(ratio), weight)
    ]


def _least_share(true: NDArray[np.bool_], weight: Floats) -> float:
    """Return how often the better of "true" and "false", said of all, is wrong."""
    share = float(weight[true].sum() / weight.sum())
    return min(share, 1.0 - share)


def hour_risk(told: HeldOut) -> list[Facts]:
    """Return the error of the hour told, of photos judged datable whose density over the day is narrowest."""
    photos, rows = told.photos, np.flatnonzero(told.rows)
    by_day = told.shown.time[rows].astype(np.float64).sum(axis=1)
    turn = np.array([least_expected_turn(mass) for mass in by_day])
    centres = 2.0j * np.pi * (np.arange(by_day.shape[1]) + 0.5) / by_day.shape[1]
    narrow = np.abs((by_day / by_day.sum(1, keepdims=True)) @ np.exp(centres))
    hour, group = 24.0 * photos.day_turn[rows], photos.group[rows]
    error, weight = hour_distance(24.0 * turn, hour), calibrating.source_weights(group)
    grid = np.arange(0.0, 24.0, 0.25)
    constant = grid[np.argmin(hour_distance(grid[:, None], hour) @ weight)]
    apart = hour_distance(constant, hour)
    return [
        {"coverage": coverage, "constant": round(float(_mean(apart[kept], weight[kept])(np.arange(len(kept)))), 4),
         "photos": len(kept), **_entry(_mean(error[kept], weight[kept]), group[kept])}
        for coverage, kept in _surest(narrow, weight)
    ]  # fmt: skip


def place_recall(told: HeldOut) -> list[Facts]:
    """Return in what share of photos the true place lies in the likeliest share of the land, and in a constant's."""
    photos, fitted = told.photos, told.fitted
    rows = told.rows & np.isfinite(photos.latitude_deg) & (photos.kind == "photo")
    truth, group = crossfit.nearest(photos, fitted.places, rows), photos.group[rows]
    aims = targets.build(photos, fitted.datable)
    usual = place_targets.constants(told, aims, place_targets.kernel(fitted.places))
    seen, fixed = (
        place_targets.area_before(scores[rows], truth) for scores in (fitted.place_cosines.astype(np.float64), usual)
    )
    weight = calibrating.source_weights(group)
    return [
        {"share": share, "photos": int(rows.sum()),
         "constant": _entry(_mean(fixed <= share, weight), group), **_entry(_mean(seen <= share, weight), group)}
        for share in SHARES
    ]  # fmt: skip


def _surest(sure: Floats, weight: Floats) -> list[tuple[float, NDArray[np.int64]]]:
    """Return the rows that are surest, for each share of the weight."""
    order = np.argsort(-sure, kind="stable")
    reached = np.cumsum(weight[order]) / weight.sum()
    return [(coverage, order[: int(np.searchsorted(reached, coverage - 1e-9)) + 1]) for coverage in COVERAGES]


def _mean(values: NDArray[Any], weight: Floats) -> Callable[[NDArray[np.int64]], float]:
    numbers = np.asarray(values, dtype=np.float64)
    return lambda rows: float(weight[rows] @ numbers[rows] / weight[rows].sum())


def _entry(statistic: Callable[[NDArray[np.int64]], float], groups: NDArray[np.str_]) -> Facts:
    low, high = resampling.over_sources(statistic, groups, draws=DRAWS, seed=SEED)
    value = statistic(np.arange(len(groups)))
    return {
        "value": round(value, 4), "low": round(low, 4), "high": round(high, 4), "sources": len(np.unique(groups)),
    }  # fmt: skip
