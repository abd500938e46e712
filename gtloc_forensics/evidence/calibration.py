"""Numbers a court can be told: p-values, likelihood ratios, false-discovery control.

A score becomes evidence only through photos the model never saw. The p-value is
conformal over *sources*: photos of one source are no independent witnesses, so each
source counts once (hierarchical conformal prediction; Lee, Barber & Willett 2023).
The likelihood ratio compares "the claim is true" with "the claim was drawn from those
of other photos"; it is monotone in the score and never exceeds what the number of
sources supports, and is not available where it costs as much as none on sources never seen.
Without calibration there is neither. ``docs/evidence.md`` says all this for a reader of
reports.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, unique
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.evidence import sun_height
from gtloc_forensics.evidence.scores import Usual
from gtloc_forensics.evidence.sun_height import ExposureTable
from gtloc_forensics.records import PlaceDensity

Floats: TypeAlias = NDArray[np.float64]

CALIBRATION = "calibration.json"
EVIDENCE_FORMAT = 1

# Upper end of each step in powers of ten, and its words (ENFSI 2015, field.md §A2); sources differ, so print it.
VERBAL_SCALE: tuple[tuple[float, str], ...] = (
    (0.0, "no"),
    (1.0, "weak"),
    (2.0, "moderate"),
    (3.0, "moderately strong"),
    (4.0, "strong"),
    (6.0, "very strong"),
    (math.inf, "extremely strong"),
)
INDIFFERENT_LOG10 = math.log10(2.0)  # a ratio within a factor of two of 1 supports neither side


@dataclass(frozen=True, slots=True)
class ScoreCalibration:
    """What a score means, by photos with known truth that the model never saw.

    ``scores`` are those of true claims, ascending; ``weights`` give every source the
    same total and sum to G / (G + 1) for G sources. ``lr_scores`` and ``lr_log10`` are
    the corners of the monotone map to log10 likelihood ratios, flat beyond its ends.
    """

    scores: Floats
    weights: Floats
    lr_scores: Floats
    lr_log10: Floats
    photos: int
    groups: int
    cllr: float | None = None  # of its ratios on sources it was not fitted on; None where it was not measured

    @property
    def can_speak(self) -> bool:
        """Whether the test can speak against a claim at all.

        On sources left out, a score that knows nothing gets a map that hardly leaves a ratio of 1:
        at its lowest it must make a claim half as probable.
        """
        return bool(self.lr_log10[0] <= -INDIFFERENT_LOG10)

    def p_value(self, score: float) -> float:
        """Return an upper bound on how often a true claim scores as low or lower; at least 1 / (G + 1)."""
        below = float(self.weights[: int(np.searchsorted(self.scores, score, side="right"))].sum())
        return min(1.0, below + 1.0 / (self.groups + 1.0))

    def log10_lr(self, score: float) -> float:
        """Return log10 of P(score | claim true) / P(score | claim drawn from the prior)."""
        return float(np.interp(score, self.lr_scores, self.lr_log10))


@dataclass(frozen=True, slots=True)
class Joint:
    """How several scores of one photo become one, for one set of scores that are all there."""

    names: tuple[str, ...]
    coefficients: tuple[float, ...]
    intercept: float

    def score(self, scores: Mapping[str, float]) -> float:
        """Return the combined score, in nats."""
        return self.intercept + sum(
            weight * scores[name] for name, weight in zip(self.names, self.coefficients, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Strength:
    """What a photo's scores are worth: both numbers, and which scores went in."""

    p_value: float
    log10_lr: float
    names: tuple[str, ...]
    photos: int
    groups: int


@unique
class NoStrength(Enum):
    """Why a score has no strength: it is shown as a score, and no ratio is printed."""

    UNKNOWN_TEST = "the calibration does not know this score"
    WORTHLESS = "on sources never seen its ratios cost as much as none (Cllr not below 1)"


WORTHLESS_CLLR = 1.0
"""The cost of saying nothing: ratios that cost as much mislead as much as they tell (Brümmer & du Preez 2006)."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The evidence half of a model's ``calibration.json``.

    ``tests`` holds one :class:`ScoreCalibration` for each single score and one for each
    joint, keyed by the joint's names with ``+`` between them.
    """

    sha256: str
    usual: Usual
    tests: Mapping[str, ScoreCalibration]
    joints: tuple[Joint, ...]
    datable_threshold: float
    facts: Mapping[str, str] = field(default_factory=dict)  # for a report, in the order to print
    exposure_table: ExposureTable | None = None  # of a model that gives a density over the sun's height

    def single(self, name: str, score: float) -> Strength | NoStrength:
        """Return the strength of one score, or why it has none."""
        test = self.tests.get(name)
        if test is None:
            return NoStrength.UNKNOWN_TEST
        return NoStrength.WORTHLESS if _is_worthless(test) else _strength(test, score, (name,))


def _is_worthless(test: ScoreCalibration) -> bool:
    return test.cllr is not None and test.cllr >= WORTHLESS_CLLR


def _strength(test: ScoreCalibration, score: float, names: tuple[str, ...]) -> Strength:
    return Strength(test.p_value(score), test.log10_lr(score), names, test.photos, test.groups)


def combine(calibration: Calibration, scores: Mapping[str, float]) -> Strength | None:
    """Return what all scores of one photo are worth together.

    Scores of one picture depend on each other, so their logarithms are never added: a
    logistic map was fitted to them together, one for each set of scores that can be
    there, and calibrated like a single score. The largest set that *scores* covers is
    taken; scores outside it are left out. None when no set is covered, or none whose ratios are worth
    anything on sources never seen.
    """
    covered = [
        joint
        for joint in calibration.joints
        if set(joint.names) <= scores.keys() and not _is_worthless(calibration.tests["+".join(joint.names)])
    ]
    if not covered:
        return None
    joint = max(covered, key=lambda joint: len(joint.names))
    return _strength(calibration.tests["+".join(joint.names)], joint.score(scores), joint.names)


# --------------------------------------------------------------------------- across a case


def benjamini_hochberg(p_values: ArrayLike, *, q: float = 0.05) -> NDArray[np.bool_]:
    """Return which of the p-values are discoveries at false-discovery rate *q*.

    Benjamini & Hochberg (1995): reject the k smallest, k the greatest rank with
    p ≤ k·q/n. Holds for independent tests and for those that depend positively, as the
    photos of one case do.

    Args:
        p_values: ``[N]``, each in (0, 1]; NaN (no test) is never a discovery and not counted.
        q: the share of false ones among the discoveries that is tolerated on average.
    """
    values = np.asarray(p_values, dtype=np.float64)
    tested = np.isfinite(values)
    found = np.zeros(values.shape, dtype=np.bool_)
    if tested.any():
        # Written out: scipy.stats has it too, but loading that costs an audit more than all it is asked for.
        order = np.argsort(values[tested], kind="stable")
        ranks = np.arange(1, len(order) + 1)
        # A hair for the division that the adjusted value takes: p = q·k/n itself is a discovery.
        within = values[tested][order] * (len(order) / ranks) <= q * (1.0 + 1e-12)
        smallest = order[: int(ranks[within].max(initial=0))]
        found[np.flatnonzero(tested)[smallest]] = True
    return found


def verbal(log10_lr: float, scale: Sequence[tuple[float, str]] = VERBAL_SCALE) -> str:
    """Return the words of a likelihood ratio, e.g. ``"moderate support against the claim"``.

    The words are symmetric: 1/50 is as strong against the claim as 50 is for it.
    """
    size = abs(log10_lr)
    if size < INDIFFERENT_LOG10:
        return f"{scale[0][1]} support either way"
    words = next(words for upper, words in scale[1:] if size < upper)
    return f"{words} support {'for' if log10_lr > 0 else 'against'} the claim"


# --------------------------------------------------------------------------- reading


def load_calibration(folder: Path) -> Calibration | None:
    """Read the calibration of a model folder; None when it has none, or only temperatures.

    Raises:
        WeightsError: when the file is there but is not what ``docs/evidence.md`` describes.
    """
    try:
        text = (folder / CALIBRATION).read_bytes()
    except FileNotFoundError:
        return None
    try:
        content = json.loads(text)
        return parse(content, sha256=hashlib.sha256(text).hexdigest()) if "evidence" in content else None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise WeightsError(
            f"{folder / CALIBRATION} is not a calibration ({error!r}); make the model again or take the file away"
        ) from error


def parse(content: Mapping[str, Any], *, sha256: str) -> Calibration:
    """Build a calibration from the content of ``calibration.json``."""
    entry = content["evidence"]
    if entry["format"] != EVIDENCE_FORMAT:
        raise ValueError(f"evidence format {entry['format']} is unknown, this version reads {EVIDENCE_FORMAT}")
    joints = tuple(
        Joint(tuple(joint["names"]), tuple(map(float, joint["coefficients"])), float(joint["intercept"]))
        for joint in entry["joints"]
    )
    tests = {name: _test(test) for name, test in entry["tests"].items()}
    missing = [joint.names for joint in joints if "+".join(joint.names) not in tests]
    if missing:
        raise ValueError(f"no test belongs to the joint {missing[0]}")
    return Calibration(
        sha256=sha256,
        usual=_usual(entry["usual"]),
        tests=tests,
        joints=joints,
        datable_threshold=float(entry["datable_threshold"]),
        facts={str(name): str(value) for name, value in entry["facts"].items()},
        exposure_table=sun_height.parse(entry["sun_height"]) if "sun_height" in entry else None,
    )


def _test(entry: Mapping[str, Any]) -> ScoreCalibration:
    scores, lr_scores = _ascending(entry["scores"]), _ascending(entry["lr_scores"])
    weights, lr_log10 = np.asarray(entry["weights"], np.float64), _ascending(entry["lr_log10"])
    if scores.shape != weights.shape or lr_scores.shape != lr_log10.shape or lr_scores.size == 0:
        raise ValueError("scores and their weights differ in number")
    cllr = entry.get("cllr")
    return ScoreCalibration(
        scores,
        weights,
        lr_scores,
        lr_log10,
        photos=int(entry["photos"]),
        groups=int(entry["groups"]),
        cllr=None if cllr is None else float(cllr),
    )


def _ascending(values: Sequence[float]) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all() or (np.diff(array) < 0).any():
        raise ValueError("a list of numbers does not ascend")
    return array


def _usual(entry: Mapping[str, Any]) -> Usual:
    time = np.asarray(entry["time"], dtype=np.float64)
    place = entry.get("place")
    if place is None:
        return Usual(time / time.sum(), None)
    latitude, longitude, mass = (np.asarray(place[name], dtype=np.float32) for name in ("lat", "lon", "mass"))
    return Usual(time / time.sum(), PlaceDensity(latitude, longitude, mass / mass.sum(), float(place["cell_area_km2"])))
