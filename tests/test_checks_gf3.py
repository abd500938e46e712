"""The rules that hold a claim against what a model sees in the pixels."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from builders import PARIS, a_claim, a_photo, an_image, when
from hypothesis import given, settings
from hypothesis import strategies as st

from gtloc_forensics.checks import Context, unmet
from gtloc_forensics.checks.rules import gf300_scene, gf301_hour, gf302_year, gf303_place, gf304_sun, gf305_together
from gtloc_forensics.earth.circular import cell_centres, wrapped_normal
from gtloc_forensics.evidence import scores as evidence_scores
from gtloc_forensics.evidence.calibration import Calibration, Joint, ScoreCalibration
from gtloc_forensics.evidence.scores import Usual
from gtloc_forensics.records import Absent, Outcome, PlaceDensity, Position, Prediction, TimeDensity

YEAR, DAY = 12, 24
NOON, MIDNIGHT = 12.5 / 24, 0.5 / 24
RULES = (gf301_hour.hour, gf302_year.year, gf303_place.place, gf304_sun.height, gf305_together.together)
NEEDED = ("hour", "year", "sun", "place", "light")


def time_mass(day_turn, year_turn=0.5, width=0.06):
    mass = np.outer(
        wrapped_normal(cell_centres(YEAR), year_turn, sd_turns=0.25),
        wrapped_normal(cell_centres(DAY), day_turn, sd_turns=width),
    )
    return (mass / mass.sum()).astype(np.float32)


def places(latitude, longitude):
    return PlaceDensity(
        np.array([latitude], np.float32), np.array([longitude], np.float32), np.ones(1, np.float32), 1e5
    )


def a_prediction(day_turn=NOON, datable=0.9, place=(48.9, 2.3), **changes):
    values = {
        "source_id": "photo", "model": "small", "weights_sha256": "w", "calibration": "c",
        "time": TimeDensity(time_mass(day_turn)), "place": places(*place),
        "local_hour": 24 * day_turn, "year_turn": 0.5, "best_hour": 24 * day_turn, "best_year_turn": 0.5,
        "position": Position(*place), "best_position": Position(*place), "region_area_km2": {50: 1e5, 90: 1e6, 95: 2e6},
        "datable": datable,
    }  # fmt: skip
    return Prediction(**{**values, **changes})


def a_test():
    scores = np.linspace(-2.0, 2.0, 99)
    return ScoreCalibration(scores, np.full(99, 0.01), np.array([-2.0, 0.0, 2.0]), np.array([-1.2, 0.0, 0.6]), 400, 99)


def a_calibration(sha256="c"):
    joints = (
        Joint(("hour", "year"), (0.8, 0.0), 0.0),
        Joint(NEEDED, (0.5, 0.0, 0.7, 0.0, 0.5), 0.0),
        Joint(NEEDED[:4], (0.5, 0.0, 0.9, 0.0), 0.0),
    )
    tests = {name: a_test() for name in (*NEEDED, *("+".join(joint.names) for joint in joints))}
    even = Usual(np.full((YEAR, DAY), 1 / (YEAR * DAY)), places(0.0, 0.0))
    return Calibration(sha256, even, tests, joints, 0.5, {})


def run(rule, photo, calibration="own"):
    context = Context(when("2026-11-21 12:00"), calibration=a_calibration() if calibration == "own" else calibration)
    assert not unmet(rule, photo)
    (finding,) = rule.function(photo, context)
    return finding


def seen_at(local="2024-06-15 12:30", day_turn=NOON, *, datable=0.9, **more):
    image = more.pop("image", an_image())
    return a_photo(local=local, position=PARIS, image=image, prediction=a_prediction(day_turn, datable=datable), **more)


# --------------------------------------------------------------------------- what they find


@pytest.mark.parametrize("rule", [gf301_hour.hour, gf304_sun.height, gf305_together.together])
def test_midday_pixels_do_not_suit_a_claim_of_one_at_night(rule):
    found = run(rule, seen_at("2024-06-15 01:00"))
    assert found.outcome is Outcome.SUSPICIOUS
    assert found.log10_lr < -0.5
    assert found.p_value <= 0.02
    assert found.cause.kind == "clock-offset"
    assert found.limitations
    assert found.innocent


@pytest.mark.parametrize("rule", [gf301_hour.hour, gf304_sun.height, gf305_together.together])
def test_an_hour_that_gps_time_confirms_is_not_asked_again(rule):
    found = run(rule, seen_at("2024-06-15 01:00", gps="2024-06-14 23:00:02"))
    assert found.outcome is Outcome.EXPLAINED
    assert "GPS time confirms the claimed hour" in found.summary


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "image", [an_image(mean_luminance=0.013), an_image(mean_luminance=0.1, uniformity=0.98), an_image(uniformity=0.92)]
)
def test_a_black_frame_a_dark_screen_and_a_card_are_no_night(rule, image):
    assert run(rule, seen_at("2024-06-15 12:30", MIDNIGHT, image=image)).outcome is Outcome.NOT_TESTABLE


@pytest.mark.parametrize(("rule", "name"), [(gf302_year.year, "year"), (gf303_place.place, "place")])
def test_of_a_score_at_chance_no_ratio_is_printed(rule, name):
    known = a_calibration()
    dull = dataclasses.replace(known.tests[name], lr_log10=known.tests[name].lr_log10 * 0.0)
    found = run(rule, seen_at(), dataclasses.replace(known, tests={**known.tests, name: dull}))
    assert found.outcome is Outcome.NOT_TESTABLE
    assert "no better than chance" in found.summary
    assert found.log10_lr is None


def test_the_joint_says_which_scores_count_in_it_and_keeps_all_that_went_in():
    found = run(gf305_together.together, seen_at())
    assert "(hour + sun)" in found.summary, "the others have no weight in this calibration"
    assert found.facts["scores"] == "hour + year + sun + place"


@pytest.mark.parametrize("rule", RULES)
def test_midday_pixels_suit_a_claim_of_midday(rule):
    found = run(rule, seen_at())
    assert found.outcome is Outcome.CONSISTENT
    assert found.p_value > 0.02


def test_the_season_decides_what_the_hour_means():
    """Half past eight in the evening is day in June and night in December: the pixels show dusk light in both."""
    dusk = 20.5 / 24
    june = run(gf304_sun.height, seen_at("2024-06-15 20:30", dusk))
    december = run(gf304_sun.height, seen_at("2024-12-15 20:30", dusk))
    assert june.facts["daylight_share"] > 0.7
    assert december.facts["daylight_share"] < 0.3


def test_innocent_reasons_suit_the_direction_of_what_the_sun_rule_finds():
    bright = " ".join(run(gf304_sun.height, seen_at("2024-06-15 00:30", NOON)).innocent)
    dark = " ".join(run(gf304_sun.height, seen_at("2024-06-15 12:30", MIDNIGHT)).innocent)
    assert "lamps" in bright and "shade" not in bright and "storm" not in bright
    assert "shade" in dark and "storm" in dark and "lamps" not in dark


def test_a_place_on_the_other_side_of_the_earth_scores_below_the_right_one():
    near, far = (
        evidence_scores.place_score(places(*spot), a_calibration().usual, Position(48.9, 2.3))
        for spot in ((48.9, 2.3), (-45.0, 170.0))
    )
    assert near > 0 > far


def test_the_joint_takes_what_there_is():
    without_place = a_photo(local="2024-06-15 12:30", image=an_image(), prediction=a_prediction())
    assert run(gf305_together.together, without_place).facts["scores"] == "hour + year"
    assert "light" in run(gf305_together.together, seen_at(ev100=14.0)).facts["scores"]
    assert "light" not in run(gf305_together.together, seen_at(ev100=14.0, flash_fired=True)).facts["scores"]


# --------------------------------------------------------------------------- what they refuse


@pytest.mark.parametrize("rule", [gf300_scene.scene, *RULES])
def test_a_scene_without_sky_or_daylight_is_not_dated(rule):
    found = run(rule, seen_at("2024-06-15 01:00", datable=0.2))
    assert found.outcome is Outcome.NOT_TESTABLE
    assert "no sky or daylight in view" in found.summary
    assert found.p_value is None
    assert found.log10_lr is None


@pytest.mark.parametrize("rule", [gf300_scene.scene, *RULES])
def test_a_monochrome_picture_is_not_dated(rule):
    found = run(rule, seen_at("2024-06-15 01:00", image=an_image(saturation=0.001)))
    assert found.outcome is Outcome.NOT_TESTABLE
    assert "monochrome" in found.summary


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("calibration", [None, a_calibration("of another model")], ids=["none", "another model's"])
def test_without_its_own_calibration_nothing_gets_a_strength_or_an_accusation(rule, calibration):
    found = run(rule, seen_at("2024-06-15 01:00"), calibration)
    assert found.p_value is None
    assert found.log10_lr is None
    assert found.outcome in (Outcome.CONSISTENT, Outcome.NOT_TESTABLE)
    assert "uncalibrated" in found.summary or "no calibration" in found.summary


def test_a_claim_without_a_time_is_not_testable():
    found = run(gf301_hour.hour, a_photo(local=None, image=an_image(), prediction=a_prediction()))
    assert found.outcome is Outcome.NOT_TESTABLE
    assert Absent.MISSING.value in found.summary


def test_a_bare_date_says_nothing_of_the_hour():
    claim = a_claim(local="2024-06-15 00:00")
    coarse = tuple(dataclasses.replace(reading, resolution_s=86400.0) for reading in claim.times)
    claim = dataclasses.replace(claim, times=coarse)
    found = run(gf301_hour.hour, a_photo(claim=claim, image=an_image(), prediction=a_prediction()))
    assert found.outcome is Outcome.NOT_TESTABLE
    assert "bare date" in found.summary


def test_a_photo_that_no_model_looked_at_is_not_examined():
    assert "what the picture shows was not examined" in unmet(gf301_hour.hour, a_photo(local="2024-06-15 12:30"))


# --------------------------------------------------------------------------- scores


@given(st.floats(0, 0.999), st.floats(0, 0.999))
@settings(max_examples=50, deadline=None)
def test_a_model_that_says_what_it_always_says_scores_nothing(year, day):
    usual = Usual(time_mass(0.6).astype(np.float64), None)
    assert evidence_scores.hour_score(usual.time, usual, year_turn=year, day_turn=day) == pytest.approx(0.0, abs=1e-6)
    assert evidence_scores.year_score(usual.time, usual, year_turn=year) == pytest.approx(0.0, abs=1e-6)


@given(st.floats(0, 0.999))
@settings(max_examples=50, deadline=None)
def test_scores_are_bounded_whatever_the_mass(day):
    spike = np.zeros((YEAR, DAY))
    spike[3, 5] = 1.0
    score = evidence_scores.hour_score(spike, a_calibration().usual, year_turn=0.3, day_turn=day)
    assert abs(score) <= evidence_scores.SCORE_LIMIT


def test_the_exposure_says_more_when_daylight_is_known_to_be_in_view():
    """EV100 4 under a high sun: a room explains it, unless the pixels show the open air."""
    from gtloc_forensics.evidence import exposure

    scores = [
        evidence_scores.light_score(
            4.0,
            elevation_deg=55.0,
            position=Position(48.9, 2.3),
            offset_hours=2.0,
            datable=datable,
            light=exposure.load(),
        )
        for datable in (0.05, 0.95)
    ]
    assert scores[1] < scores[0] - 0.3


def test_the_hour_is_judged_by_the_claimed_season_alone():
    """A model that shows evening light in June and midday light in December."""
    mass = np.full((YEAR, DAY), 1e-6)
    mass[5, 20] = mass[11, 12] = 1.0
    assert evidence_scores.season_mass(mass, 5.5 / YEAR).argmax() == 20
    assert evidence_scores.season_mass(mass, 11.5 / YEAR).argmax() == 12
    june_evening, june_noon = (
        evidence_scores.hour_score(mass, a_calibration().usual, year_turn=5.5 / YEAR, day_turn=(hour + 0.5) / DAY)
        for hour in (20, 12)
    )
    assert june_evening > 1.0 > 0.0 > june_noon
