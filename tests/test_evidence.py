"""What numbers a report may print: p-values, ratios, discoveries, words."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.errors import WeightsError
from gtloc_forensics.evidence import calibration as evidence_calibration
from gtloc_forensics.evidence.calibration import (
    NoStrength,
    ScoreCalibration,
    benjamini_hochberg,
    combine,
    load_calibration,
    parse,
    verbal,
)

P_VALUES = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=40)


def a_test(scores=(-1.0, 0.0, 1.0), groups=3, lr=((-1.0, 0.0, 1.0), (-0.5, 0.0, 0.4))):
    weights = np.full(len(scores), 1.0 / len(scores)) * groups / (groups + 1.0)
    return ScoreCalibration(np.array(scores), weights, np.array(lr[0]), np.array(lr[1]), len(scores), groups)


def content(**changes):
    test = {"scores": [-1.0, 1.0], "weights": [0.4, 0.4], "lr_scores": [-1, 1], "lr_log10": [-0.6, 0.3]}
    entry = {
        "format": 1,
        "datable_threshold": 0.5,
        "usual": {"time": np.full((4, 6), 1 / 24).tolist()},
        "tests": {name: {**test, "photos": 9, "groups": 4} for name in ("hour", "hour+year", "hour+year+sun")},
        "joints": [
            {"names": ["hour", "year"], "coefficients": [0.5, 0.2], "intercept": 0.1},
            {"names": ["hour", "year", "sun"], "coefficients": [0.4, 0.1, 0.7], "intercept": 0.0},
        ],
        "facts": {"photo set": "nine"},
    }
    return {"temperature": {}, "evidence": {**entry, **changes}}


# --------------------------------------------------------------------------- p-values


@given(st.floats(-10, 10))
def test_a_p_value_is_never_below_one_in_the_number_of_sources_and_one(score):
    assert 1 / 4 <= a_test().p_value(score) <= 1.0


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_a_worse_score_is_never_less_surprising(first, second):
    low, high = sorted((first, second))
    assert a_test().p_value(low) <= a_test().p_value(high)


def test_a_score_counts_those_equal_to_it_against_surprise():
    assert a_test().p_value(0.0) == pytest.approx(0.75)
    assert a_test().p_value(np.nextafter(0.0, -1.0)) == pytest.approx(0.5)


# --------------------------------------------------------------------------- ratios


def test_a_ratio_never_leaves_what_was_calibrated():
    assert a_test().log10_lr(-1e9) == -0.5
    assert a_test().log10_lr(1e9) == 0.4


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_a_better_score_is_never_weaker_support(first, second):
    low, high = sorted((first, second))
    assert a_test().log10_lr(low) <= a_test().log10_lr(high)


def test_scores_are_combined_by_the_largest_fit_they_cover():
    calibration = parse(content(), sha256="x")
    both = combine(calibration, {"hour": 1.0, "year": 1.0, "place": 3.0})
    three = combine(calibration, {"hour": 1.0, "year": 1.0, "sun": 1.0})
    assert both.names == ("hour", "year")
    assert three.names == ("hour", "year", "sun")
    assert three.log10_lr == pytest.approx(0.3)


def test_a_score_that_no_fit_covers_has_no_strength():
    calibration = parse(content(), sha256="x")
    assert combine(calibration, {"sun": 2.0}) is None
    assert calibration.single("place", 2.0) is NoStrength.UNKNOWN_TEST


def test_ratios_that_cost_as_much_as_none_on_sources_never_seen_are_not_available():
    told = content()
    told["evidence"]["tests"]["hour"]["cllr"] = 1.002
    told["evidence"]["tests"]["hour+year"]["cllr"] = 0.97
    calibration = parse(told, sha256="x")
    assert calibration.single("hour", 1.0) is NoStrength.WORTHLESS
    assert "never seen" in NoStrength.WORTHLESS.value
    assert combine(calibration, {"hour": 1.0, "year": 1.0}).names == ("hour", "year")
    told["evidence"]["tests"]["hour+year"]["cllr"] = 1.0
    assert combine(parse(told, sha256="x"), {"hour": 1.0, "year": 1.0}) is None


def test_the_shipped_model_claims_no_strength_for_place_and_year():
    """Its card: Cllr 1.008 and 1.004 on sources it never saw; the others are below 1."""
    calibration = load_calibration(Path(__file__).parents[1] / "models" / "gtloc-small")
    assert {name for name, test in calibration.tests.items() if test.cllr >= 1.0} == {"place", "year"}
    assert calibration.single("place", 1.0) is NoStrength.WORTHLESS
    assert calibration.single("hour", 1.0).log10_lr is not None


# --------------------------------------------------------------------------- across a case


def test_discoveries_are_those_of_benjamini_and_hochberg_1995():
    """Their worked example (J. R. Statist. Soc. B 57, 296): 15 p-values, q = 0.05, four rejected."""
    published = [
        0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
        0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000,
    ]  # fmt: skip
    assert benjamini_hochberg(published, q=0.05).tolist() == [True] * 4 + [False] * 11


@given(P_VALUES, st.randoms())
def test_the_order_of_a_case_does_not_change_its_discoveries(values, random):
    order = list(range(len(values)))
    random.shuffle(order)
    shuffled = benjamini_hochberg([values[index] for index in order])
    assert shuffled.tolist() == benjamini_hochberg(values)[order].tolist()


@given(P_VALUES)
def test_whatever_beats_a_discovery_is_one_too(values):
    found = benjamini_hochberg(values)
    if found.any():
        assert found[np.asarray(values) <= np.asarray(values)[found].max()].all()


def test_photos_without_a_test_are_neither_discovered_nor_counted():
    found = benjamini_hochberg([0.04, math.nan, math.nan])
    assert found.tolist() == [True, False, False]
    assert not benjamini_hochberg([math.nan]).any()
    assert benjamini_hochberg([]).size == 0


def test_words_are_symmetric_and_indifference_is_said():
    assert verbal(1.5) == "moderate support for the claim"
    assert verbal(-1.5) == "moderate support against the claim"
    assert verbal(0.01) == verbal(-0.3) == "no support either way"
    assert verbal(9.0).startswith("extremely strong")


def test_another_scale_can_be_printed():
    assert verbal(0.5, ((0.0, "no"), (math.inf, "some"))) == "some support for the claim"


# --------------------------------------------------------------------------- the file


def test_a_model_without_calibration_has_none(tmp_path):
    assert load_calibration(tmp_path) is None
    (tmp_path / "calibration.json").write_text('{"temperature": {}}')
    assert load_calibration(tmp_path) is None


def test_a_calibration_is_named_by_the_hash_of_its_bytes(tmp_path):
    import hashlib

    (tmp_path / "calibration.json").write_text(json.dumps(content()))
    read = load_calibration(tmp_path)
    assert read.sha256 == hashlib.sha256((tmp_path / "calibration.json").read_bytes()).hexdigest()
    assert read.facts == {"photo set": "nine"}


@pytest.mark.parametrize(
    "broken",
    [
        {"format": 2},
        {"tests": {}},
        {"usual": {"time": "no"}},
        {"tests": {"hour": {"scores": [1.0, 0.0], "weights": [0.5, 0.5], "lr_scores": [0], "lr_log10": [0]}}},
        {"joints": [{"names": ["sun"], "coefficients": [1.0], "intercept": 0.0}]},
    ],
)
def test_a_broken_calibration_is_refused_not_guessed_at(tmp_path, broken):
    (tmp_path / "calibration.json").write_text(json.dumps(content(**broken)))
    with pytest.raises(WeightsError, match="calibration"):
        load_calibration(tmp_path)


def test_importing_evidence_imports_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys, gtloc_forensics.evidence.calibration; print(sorted({'torch', 'timm', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
    assert evidence_calibration.EVIDENCE_FORMAT == 1
