"""How scores of known claims become a calibration, judged on sources it was not fitted on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.evidence import resampling
from gtloc_forensics.modelling import calibrating
from gtloc_forensics.modelling.calibrating import Trials


def trials(shift=1.0, sources=60, each=5, seed=0, group_spread=0.5):
    """True claims score higher by *shift*; photos of one source share a habit."""
    draw = np.random.default_rng(seed)
    group = np.repeat([f"source {number:03d}" for number in range(sources)], 2 * each)
    habit = np.repeat(draw.normal(size=sources) * group_spread, 2 * each)
    true = np.tile(np.repeat([True, False], each), sources)
    return Trials(draw.normal(size=len(group)) + habit + shift * true, true, group)


def test_pooling_gives_the_isotonic_regression_of_barlow_et_al():
    """Values 1, 3, 2, 4, 3.5, 5 with equal weights pool to 1, 2.5, 2.5, 3.75, 3.75, 5 (worked by hand)."""
    assert calibrating.pool_adjacent([1, 3, 2, 4, 3.5, 5], np.ones(6)).tolist() == [1, 2.5, 2.5, 3.75, 3.75, 5]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 10)), min_size=1, max_size=50))
def test_pooled_values_ascend_and_keep_the_weighted_mean(pairs):
    values, weights = (np.array(part) for part in zip(*pairs, strict=True))
    pooled = calibrating.pool_adjacent(values, weights)
    assert (np.diff(pooled) >= -1e-12).all()
    assert pooled @ weights == pytest.approx(values @ weights)


def test_the_cost_of_saying_nothing_is_one_bit():
    true = np.array([True, True, False])
    assert calibrating.cllr(np.zeros(3), true=true, weights=np.ones(3)) == pytest.approx(1.0)
    assert calibrating.cllr([9, 9, -9], true=true, weights=np.ones(3)) == pytest.approx(0.0, abs=1e-6)
    assert calibrating.cllr([-2, -2, 2], true=true, weights=np.ones(3)) > 1.0


def test_no_calibrated_cost_is_below_the_least():
    known = trials()
    _, ratio = calibrating.held_out(known, folds=calibrating.source_folds(known.group, count=5))
    weights = calibrating.sided_weights(known)
    assert calibrating.cllr(ratio, true=known.true, weights=weights) >= calibrating.least_cllr(known) - 1e-9


def test_scores_that_say_nothing_give_ratios_near_one():
    known = trials(shift=0.0, sources=80)
    _, ratio = calibrating.held_out(known, folds=calibrating.source_folds(known.group, count=5))
    assert np.abs(np.quantile(ratio, [0.1, 0.9])).max() < 0.35
    assert calibrating.area_under_curve(known) == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("sources", [3, 10, 100])
def test_perfect_scores_never_give_more_than_the_sources_support(sources):
    known = trials(shift=1000.0, sources=sources, each=1)
    test = calibrating.calibrate(known)
    assert test.log10_lr(1e9) <= math.log10(sources + 2) + 1e-9
    assert test.log10_lr(-1e9) >= -math.log10(sources + 2) - 1e-9


def test_a_source_of_a_thousand_photos_counts_as_one():
    few = trials(sources=10, each=2)
    more = np.tile(np.flatnonzero(few.group == "source 000"), 300)
    rows = np.concatenate([np.arange(len(few.score)), more])
    many = Trials(few.score[rows], few.true[rows], few.group[rows])
    for score in (-1.0, 0.0, 1.0):
        assert calibrating.calibrate(many).p_value(score) == pytest.approx(calibrating.calibrate(few).p_value(score))


def test_true_claims_of_new_sources_raise_alarms_at_most_as_often_as_promised():
    """400 new sources against calibrations of 99: the rate at 5 % and 10 % stays within its sampling error."""
    rates = {0.05: [], 0.10: []}
    for seed in range(10):
        test = calibrating.calibrate(trials(sources=99, seed=seed, group_spread=1.5))
        fresh = trials(sources=40, seed=1000 + seed, group_spread=1.5)
        values = np.array([test.p_value(score) for score in fresh.score[fresh.true]])
        for level, found in rates.items():
            found.append((values <= level).mean())
    for level, found in rates.items():
        assert np.mean(found) <= level + 3 * np.std(found) / math.sqrt(len(found))


def test_what_is_held_out_was_not_fitted_on():
    """A source whose true claims all score absurdly low gets the smallest p-value there is."""
    known = trials(sources=20)
    known.score[(known.group == "source 007") & known.true] = -50.0
    p_value, _ = calibrating.held_out(known, folds=calibrating.source_folds(known.group))
    assert p_value[(known.group == "source 007") & known.true] == pytest.approx(1 / 20)


def test_a_joint_learns_which_scores_speak_and_never_turns_one_round():
    draw = np.random.default_rng(3)
    known = trials(sources=80)
    noise, liar = draw.normal(size=len(known.score)), -known.score
    joint = calibrating.fit_joint(
        Trials(np.stack([known.score, noise, liar], 1), known.true, known.group), ("a", "b", "c")
    )
    assert joint.coefficients[0] > 0.3
    assert joint.coefficients[1] < 0.15
    assert joint.coefficients[2] == 0.0


def test_a_score_given_twice_is_not_counted_twice():
    """Two copies of one score: the joint is worth what one is worth, where adding would double it."""
    known = trials(sources=80)
    one = calibrating.fit_joint(Trials(known.score[:, None], known.true, known.group), ("a",))
    twice = calibrating.fit_joint(Trials(np.stack([known.score, known.score], 1), known.true, known.group), ("a", "b"))
    assert sum(twice.coefficients) == pytest.approx(sum(one.coefficients), rel=0.05)


def test_an_interval_over_sources_is_wider_than_one_over_photos():
    known = trials(sources=30, each=20, group_spread=3.0)
    weights = calibrating.source_weights(known.group)

    def mean(rows):
        return float(weights[rows] @ known.score[rows] / weights[rows].sum())

    low, high = resampling.over_sources(mean, known.group, draws=200)
    alone = np.array([f"{index}" for index in range(len(known.score))])
    narrow = resampling.over_sources(mean, alone, draws=200)
    assert high - low > 2 * (narrow[1] - narrow[0])


def test_folds_keep_sources_whole():
    group = trials().group
    folds = calibrating.source_folds(group, count=7, seed=4)
    assert all(len(set(folds[group == name].tolist())) == 1 for name in set(group.tolist()))
    assert set(folds.tolist()) == set(range(7))
