"""Making a calibration: from scores of claims known to be true or false to what a score means.

Everything is counted by source: each source has the same total weight, whatever the
number of its photos, and intervals come from drawing whole sources again. What is
fitted is judged on sources it was not fitted on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtloc_forensics.evidence import resampling
from gtloc_forensics.evidence.calibration import Joint, ScoreCalibration

Floats: TypeAlias = NDArray[np.float64]
Names: TypeAlias = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Trials:
    """Scored claims: ``score`` ``[N]`` (or ``[N, F]``), ``true`` ``[N]``, ``group`` ``[N]`` the photo's source."""

    score: Floats
    true: NDArray[np.bool_]
    group: Names

    def of(self, rows: NDArray[np.bool_]) -> Trials:
        """Return the trials of some rows."""
        return Trials(self.score[rows], self.true[rows], self.group[rows])


def source_weights(groups: Names) -> Floats:
    """Return weights that sum to 1 and give every source the same total."""
    names, home, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / sizes[home] / max(1, len(names)), dtype=np.float64)


# --------------------------------------------------------------------------- monotone likelihood ratios


def pool_adjacent(values: ArrayLike, weights: ArrayLike) -> Floats:
    """Return the ascending values nearest to *values* in weighted squares (pool adjacent violators)."""
    array = np.asarray(values, dtype=np.float64)
    if not array.size:
        return array
    from scipy.optimize import isotonic_regression  # heavy: only where something is fitted

    # The solver refuses a weight of nothing; such a value follows its neighbours.
    heavy = np.maximum(np.asarray(weights, dtype=np.float64), np.finfo(np.float64).tiny)
    return np.asarray(isotonic_regression(array, weights=heavy).x, dtype=np.float64)


def monotone_lr(trials: Trials) -> tuple[Floats, Floats]:
    """Return corners ``(score, log10 LR)`` of the monotone map, both ascending.

    One misleading claim, as heavy as a source, is added at either end: so the ratio
    never exceeds what the number of sources supports (Laplace's rule).
    """
    weight = sided_weights(trials)
    order = np.argsort(trials.score, kind="stable")
    extra = _extra(trials)
    score = trials.score[order]
    score = np.concatenate([score[:1], score[:1], score, score[-1:], score[-1:]])
    true = np.concatenate([[1.0, 0.0], trials.true[order].astype(np.float64), [1.0, 0.0]])
    heavy = np.concatenate([extra, weight[order], extra])
    score, true, heavy = _ties_pooled(score, true, heavy)
    share = np.clip(pool_adjacent(true, heavy), 1e-6, 1.0 - 1e-6)
    return _corners(score, np.log10(share / (1.0 - share)))


def _extra(trials: Trials) -> Floats:
    """Return the weights of the added true and false claim: each as heavy as one source of its kind."""
    sources = [len(np.unique(trials.group[trials.true == kind])) for kind in (True, False)]
    return np.array([1.0 / (count + 1.0) for count in sources])


def sided_weights(trials: Trials) -> Floats:
    """Return weights under which true and false claims weigh the same, and within each every source."""
    weight = np.zeros(len(trials.score))
    for kind in (True, False):
        rows = trials.true == kind
        weight[rows] = source_weights(trials.group[rows])
    return weight


def _ties_pooled(score: Floats, true: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    values, home = np.unique(score, return_inverse=True)
    total = np.asarray(np.bincount(home, weight), dtype=np.float64)
    return values, np.asarray(np.bincount(home, weight * true) / np.maximum(total, 1e-300), np.float64), total


def _corners(score: Floats, height: Floats) -> tuple[Floats, Floats]:
    """Keep the middle of each step, and both its ends where it is an outermost one."""
    starts = np.flatnonzero(np.concatenate([[True], np.diff(height) > 1e-12]))
    ends = np.concatenate([starts[1:], [len(score)]]) - 1
    middle = (score[starts] + score[ends]) / 2.0
    middle[0], middle[-1] = score[ends[0]], score[starts[-1]]
    if len(starts) == 1:
        middle[0] = (score[0] + score[-1]) / 2.0
    return middle, height[starts]


def cllr(log10_lr: ArrayLike, *, true: NDArray[np.bool_], weights: ArrayLike) -> float:
    """Return the log-likelihood-ratio cost in bits: 0 is perfect, 1 is worth nothing (Brümmer & du Preez 2006).

    Args:
        log10_lr: ``[N]``.
        true: ``[N]`` whether the claim is true.
        weights: ``[N]``; normalised within the true and within the false claims.
    """
    nats = np.asarray(log10_lr, dtype=np.float64) * math.log(10.0)
    weight = np.asarray(weights, dtype=np.float64)
    costs = [
        float(np.logaddexp(0.0, sign * nats[rows]) @ weight[rows] / weight[rows].sum())
        for sign, rows in ((-1.0, true), (1.0, ~true))
    ]
    return sum(costs) / (2.0 * math.log(2.0))


def least_cllr(trials: Trials) -> float:
    """Return the cost after the best monotone map in hindsight: what the scores could be worth at most."""
    weight = sided_weights(trials)
    values, true, heavy = _ties_pooled(trials.score, trials.true.astype(np.float64), weight)
    share = pool_adjacent(true, heavy)[np.searchsorted(values, trials.score)]
    with np.errstate(divide="ignore"):
        ratio = np.clip(np.log10(share) - np.log10(1.0 - share), -300.0, 300.0)
    return cllr(ratio, true=trials.true, weights=weight)


def area_under_curve(trials: Trials, weights: ArrayLike | None = None) -> float:
    """Return how often a true claim scores above a false one, ties counting half.

    Args:
        trials: one score each.
        weights: ``[N]``; every source the same when left out.
    """
    weight = sided_weights(trials) if weights is None else np.asarray(weights, dtype=np.float64)
    true, false = trials.true, ~trials.true
    return resampling.auc(trials.score[true], trials.score[false], true_weight=weight[true], false_weight=weight[false])


# --------------------------------------------------------------------------- fitting and judging


def calibrate(trials: Trials) -> ScoreCalibration:
    """Return what a score means, from all trials."""
    rows = trials.true
    order = np.argsort(trials.score[rows], kind="stable")
    groups = len(np.unique(trials.group[rows]))
    weight = source_weights(trials.group[rows])[order] * groups / (groups + 1.0)
    corners = monotone_lr(trials)
    return ScoreCalibration(trials.score[rows][order], weight, *corners, photos=int(rows.sum()), groups=groups)


def held_out(trials: Trials, *, folds: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return p-values and log10 ratios ``[N]`` of every claim by a calibration without its fold of sources."""
    p_value, ratio = np.ones(len(trials.score)), np.zeros(len(trials.score))
    for fold in np.unique(folds):
        fitted = calibrate(trials.of(folds != fold))
        for row in np.flatnonzero(folds == fold):
            p_value[row] = fitted.p_value(float(trials.score[row]))
            ratio[row] = fitted.log10_lr(float(trials.score[row]))
    return p_value, ratio


def source_folds(groups: Names, *, count: int = 0, seed: int = 0) -> NDArray[np.int64]:
    """Return ``[N]`` fold numbers that keep sources whole; *count* 0 makes one fold of each source."""
    names, home = np.unique(groups, return_inverse=True)
    if count == 0:
        return np.asarray(home, dtype=np.int64)
    dealt = np.random.default_rng(seed).permutation(len(names)) % count
    return np.asarray(dealt[home], dtype=np.int64)


def fit_joint(trials: Trials, names: tuple[str, ...], *, ridge: float = 0.01, steps: int = 500) -> Joint:
    """Fit a logistic map to several scores of each claim, ``trials.score`` being ``[N, F]``.

    Coefficients are kept from going negative: a score that agrees with the claim never
    counts against it. True and false claims weigh the same, so the sum is a log ratio.
    """
    weight = sided_weights(trials) / 2.0
    target = trials.true.astype(np.float64)
    coefficients, intercept = np.zeros(len(names)), 0.0
    bound = 0.25 * float((weight[:, None] * (trials.score**2)).sum()) + 0.25 + ridge
    for _ in range(steps):
        error = weight * (1.0 / (1.0 + np.exp(-(trials.score @ coefficients + intercept))) - target)
        coefficients = np.maximum(0.0, coefficients - (trials.score.T @ error + ridge * coefficients) / bound)
        intercept -= float(error.sum()) / bound
    return Joint(names, tuple(float(value) for value in coefficients), intercept)
