"""Where the program knows nothing it prints nothing: no place, season or hour of a model at chance."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from fake_case import FakeCase, a_finding, a_prediction, an_entry

from gtloc_forensics.case.indications import indicated
from gtloc_forensics.evidence.calibration import Calibration, ScoreCalibration, load_calibration
from gtloc_forensics.evidence.scores import Usual
from gtloc_forensics.records import Indicated, Outcome, Position, Unexamined, Untold
from gtloc_forensics.report import write_case_uco, write_csv, write_document, write_geojson, write_html, write_kml

PREDICTION = replace(a_prediction("x.jpg", hour=7.4, season=0.26, place=(53.04896929296114, 16.11940298507463)))
SKY = (a_finding("GF300", "x.jpg", Outcome.CONSISTENT),)
SHIPPED = Path(__file__).parents[1] / "models" / "gtloc-small"


def a_test(lowest: float) -> ScoreCalibration:
    corners = np.array([-1.0, 1.0]), np.array([lowest, 0.3])
    return ScoreCalibration(np.zeros(2), np.full(2, 0.4), *corners, photos=2, groups=2)


def a_calibration(**lowest: float) -> Calibration:
    tests = {name: a_test(value) for name, value in lowest.items()}
    return Calibration("c", Usual(np.ones((2, 2)) / 4, None), tests, (), 0.5)


def of(calibration: Calibration | None, findings=SKY) -> Indicated:
    return indicated(replace(PREDICTION, calibration="c"), findings, calibration)


def test_what_a_calibrated_test_cannot_tell_is_not_told():
    told = of(a_calibration(hour=-0.7, year=-0.17, place=-0.04))
    assert told.local_hour == 7.0  # whole hours: the model errs by some
    assert told.year_turn is Untold.AT_CHANCE
    assert told.position is Untold.AT_CHANCE
    assert told.radius_km is None


def test_a_model_that_knows_the_place_names_it_to_the_digits_of_its_region():
    told = of(a_calibration(hour=-0.7, year=-0.7, place=-0.7))
    assert told.position == Position(53.0, 16.0)
    assert told.radius_km == pytest.approx(600.0)
    assert told.year_turn == pytest.approx(3.5 / 12)


def test_a_scene_that_shows_no_sky_indicates_nothing():
    told = of(a_calibration(hour=-0.7, year=-0.7, place=-0.7), findings=())
    assert told.local_hour is told.year_turn is told.position is Untold.NOT_DATABLE


@pytest.mark.parametrize("calibration", [None, replace(a_calibration(hour=-0.7, year=-1, place=-1), sha256="other")])
def test_without_its_own_calibration_a_model_tells_nothing(calibration):
    assert of(calibration).is_silent
    assert of(calibration).local_hour is Untold.NOT_MEASURED


def test_pixels_nobody_looked_at_indicate_nothing():
    assert indicated(Unexamined("s", "vision", "no model"), SKY, a_calibration(hour=-1)) == Indicated()


def test_of_the_model_that_ships_the_hour_is_told_and_neither_season_nor_place():
    calibration = load_calibration(SHIPPED)
    assert calibration is not None
    assert {name for name, test in calibration.tests.items() if test.can_speak and "+" not in name} == {
        "hour",
        "sun",
        "light",
        "height_lit",  # weighed by GF304 and GF305, indicated nowhere
    }


@pytest.mark.parametrize(
    "write",
    [write_document, write_geojson, write_kml, write_csv, write_case_uco, write_html],
    ids=lambda rule: rule.__name__,
)
def test_what_is_not_told_stands_in_no_product(write, tmp_path: Path):
    found = a_finding("GF201", "x.jpg", Outcome.SUSPICIOUS)
    silent = Indicated(Untold.AT_CHANCE, Untold.AT_CHANCE, Untold.AT_CHANCE)
    entry = replace(an_entry("x.jpg", found, prediction=PREDICTION), indicated=silent)
    more = {"report_date": date(2026, 11, 21)} if write is write_html else {}
    write(FakeCase([entry]), tmp_path / "x", **more)
    text = (tmp_path / "x").read_text(encoding="utf-8").split("<main>")[-1]
    for number in ("53.04", "53.0000", "16.11", "16.1194", "07:24", "7.4,", "indicated</name>", "(indicated)"):
        assert number not in text, number
    if write is write_document:
        shown = json.loads(text)["photos"][0]["prediction"]
        assert [shown[name] for name in ("local_hour", "year_turn", "position", "hour_mass")] == [None] * 4
        assert set(shown["untold"]) == {"local_hour", "year_turn", "position"}
