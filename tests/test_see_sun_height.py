"""How high the sun stood by pixels and exposure: the arithmetic, and what the rules say of it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from builders import PARIS, a_photo, an_image, when
from test_checks_gf3 import a_calibration, a_prediction, a_test

from gtloc_forensics.checks import Context, metered, pixels
from gtloc_forensics.checks.rules import gf300_scene, gf304_sun, gf305_together
from gtloc_forensics.errors import WeightsError
from gtloc_forensics.evidence import scene, sun_height
from gtloc_forensics.evidence.calibration import Joint, load_calibration
from gtloc_forensics.evidence.sun_height import ExposureTable
from gtloc_forensics.records import AngleDensity, Outcome

EDGES = np.array([-90.0, -6.0, 0.0, 10.0, 30.0, 90.0])
USUAL = np.array([0.1, 0.05, 0.15, 0.3, 0.4])
KNOTS = np.array([0.0, 6.0, 14.0])
BRIGHT = np.array([-3.0, -1.0, 0.0, 1.0, 2.0])
TABLE = ExposureTable(EDGES, KNOTS, np.stack([-BRIGHT, 0.0 * BRIGHT, BRIGHT]), USUAL)
EVEN = np.full(5, 0.2)
SCENES = ("open air by day", "text, screen or drawing", "the moon", "a stage", "a bare frame")


def test_the_exposure_adds_to_the_logarithm_between_its_knots_and_stays_flat_beyond():
    assert sun_height.at_exposure(USUAL, TABLE, 6.0) == pytest.approx(USUAL)
    bright = sun_height.at_exposure(EVEN, TABLE, 14.0)
    assert bright.sum() == pytest.approx(1.0)
    assert np.log(bright[4] / bright[0]) == pytest.approx(5.0)
    assert np.log(np.divide(*sun_height.at_exposure(EVEN, TABLE, 10.0)[[4, 0]])) == pytest.approx(2.5)
    assert sun_height.at_exposure(EVEN, TABLE, 99.0) == pytest.approx(bright)


def test_a_usual_picture_is_indifferent_to_every_height():
    for height in (-80.0, -3.0, 0.0, 12.0, 90.0):
        assert sun_height.height_score(USUAL, TABLE, elevation_deg=height) == pytest.approx(0.0, abs=1e-9)


def test_a_bright_exposure_speaks_for_a_high_sun_and_against_night():
    mass = sun_height.at_exposure(USUAL, TABLE, 14.0)
    scores = [sun_height.height_score(mass, TABLE, elevation_deg=height) for height in (-40.0, 5.0, 50.0)]
    assert scores == sorted(scores)
    assert scores[0] < -1.0 < 0.0 < scores[2]


def test_a_score_is_never_larger_than_a_density_of_this_quality_can_carry():
    sure = np.array([1.0, 0.0, 0.0, 0.0, 0.0])
    assert sun_height.height_score(sure, TABLE, elevation_deg=60.0) == -sun_height.SCORE_LIMIT


def test_the_share_above_a_height_counts_a_cell_in_part_and_the_median_halves_the_mass():
    assert sun_height.share_above(EVEN, EDGES, above_deg=0.0) == pytest.approx(0.6)
    assert sun_height.share_above(EVEN, EDGES, above_deg=5.0) == pytest.approx(0.5)
    assert sun_height.median_deg(EVEN, EDGES) == pytest.approx(5.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"usual": USUAL[:4]},
        {"usual": USUAL * 0.0},
        {"knots_ev": KNOTS[::-1]},
        {"edges_deg": EDGES[::-1]},
        {"logits": np.full((3, 5), np.nan)},
        {"logits": np.zeros((3, 4))},
    ],
)
def test_a_table_that_cannot_be_is_refused(changes):
    with pytest.raises(ValueError, match="sun's height"):
        dataclasses.replace(TABLE, **changes)


def test_a_calibration_with_a_damaged_table_is_refused_in_words(tmp_path):
    entry = {
        "format": 1,
        "datable_threshold": 0.5,
        "usual": {"time": [[1.0]]},
        "tests": {},
        "joints": [],
        "facts": {},
        "sun_height": {"edges_deg": [0, 1, 2], "knots_ev": [1], "logits": [[0, 0, 0]], "usual": [1, 1]},
    }
    (tmp_path / "calibration.json").write_text(json.dumps({"evidence": entry}))
    with pytest.raises(WeightsError, match="is not a calibration"):
        load_calibration(tmp_path)


# --------------------------------------------------------------------------- what the rules say


def known():
    old = a_calibration()
    joint = Joint(("hour", "year", "sun", "place", "light", "height_lit"), (0.2, 0.0, 0.2, 0.0, 0.3, 0.6), 0.0)
    tests = {**old.tests, "height_lit": a_test(), "+".join(joint.names): a_test()}
    return dataclasses.replace(old, tests=tests, joints=(*old.joints, joint), exposure_table=TABLE)


def say(rule, photo):
    (finding,) = rule.function(photo, Context(when("2026-11-21 12:00"), calibration=known()))
    return finding


def seen(local, *, mass=USUAL, kinds=None, **more):
    scenes = dict.fromkeys(SCENES, 0.0) | {"open air by day": 1.0} if kinds is None else kinds
    looked = a_prediction(sun_height=AngleDensity(EDGES.astype(np.float32), np.asarray(mass, np.float32)), scene=scenes)
    return a_photo(local=local, position=PARIS, image=an_image(), prediction=looked, **more)


HIGH = np.array([0.001, 0.004, 0.01, 0.085, 0.9])


def test_pixels_and_exposure_of_a_high_sun_do_not_suit_the_dead_of_night():
    found = say(gf304_sun.height, seen("2024-06-15 01:00", mass=HIGH, ev100=14.0))
    assert found.outcome is Outcome.SUSPICIOUS
    assert found.summary.startswith("Pixels and exposure give more than 99 % to a sun in the sky and put it at about ")
    assert found.facts["scores"] == "height_lit"


def test_without_an_exposure_or_with_a_flash_the_pixels_are_asked_for_classes_of_light():
    for more in ({}, {"ev100": 14.0, "flash_fired": True}):
        found = say(gf304_sun.height, seen("2024-06-15 12:30", mass=HIGH, **more))
        assert found.outcome is Outcome.CONSISTENT
        assert found.summary.startswith("The pixels give ")
        assert found.facts["scores"] == "sun"


def test_the_joint_weighs_the_suns_height_where_the_calibration_knows_it():
    assert "height_lit" in say(gf305_together.together, seen("2024-06-15 12:30", mass=HIGH, ev100=14.0)).facts["scores"]


def test_a_density_over_other_cells_than_the_calibrations_is_not_weighed():
    other = AngleDensity(np.array([-90.0, 0.0, 90.0], np.float32), np.array([0.5, 0.5], np.float32))
    photo = a_photo(
        local="2024-06-15 12:30", position=PARIS, image=an_image(), prediction=a_prediction(sun_height=other)
    )
    assert say(gf304_sun.height, photo).facts["scores"] == "sun"


@pytest.mark.parametrize(("kind", "words"), list(scene.NO_SCENE.items()))
def test_pixels_and_light_are_silent_on_a_picture_without_a_scene(kind, words):
    kinds = dict.fromkeys(SCENES, 0.1) | {kind: 0.6}
    photo = seen("2024-06-15 01:00", mass=HIGH, kinds=kinds, ev100=14.0)
    for rule in (gf300_scene.scene, gf304_sun.height, gf305_together.together):
        found = say(rule, photo)
        assert found.outcome is Outcome.NOT_TESTABLE
        assert words in found.summary
    assert metered.silence(photo, photo.claim) == words


def test_kinds_without_a_scene_are_counted_together():
    assert scene.no_scene({"open air by day": 0.4, "the moon": 0.3, "a bare frame": 0.3})
    assert not scene.no_scene({"open air by day": 0.6, "the moon": 0.2, "a bare frame": 0.2})
    assert not scene.no_scene(None)


def test_what_is_looked_at_is_told_only_where_half_of_the_mass_agrees():
    assert say(gf300_scene.scene, seen("2024-06-15 12:30")).facts["looks_like"] == "open air by day"
    unsure = dict.fromkeys(SCENES, 0.1) | {"indoors": 0.4}
    assert "looks_like" not in say(gf300_scene.scene, seen("2024-06-15 12:30", kinds=unsure)).facts
    assert pixels.emptiness(seen("2024-06-15 12:30")) == ""
