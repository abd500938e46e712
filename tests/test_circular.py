"""Circles behave like circles: no edge at midnight, New Year or the date line."""

from __future__ import annotations

import math
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.earth import circular

turns = st.floats(-5, 5, allow_nan=False)
masses = st.lists(st.floats(0.0, 1.0), min_size=3, max_size=48).filter(lambda m: sum(m) > 1e-3)


@given(turns, turns)
def test_a_difference_is_never_more_than_half_a_turn(a, b):
    difference = float(circular.turn_difference(a, b))
    assert -0.5 <= difference < 0.5
    assert math.isclose(math.cos(2 * math.pi * (b + difference - a)), 1.0, abs_tol=1e-9)


@given(turns, turns)
def test_distance_is_symmetric_and_blind_to_whole_turns(a, b):
    distance = float(circular.turn_distance(a, b))
    assert 0 <= distance <= 0.5
    assert math.isclose(distance, float(circular.turn_distance(b, a)), abs_tol=1e-9)
    assert math.isclose(distance, float(circular.turn_distance(a + 3, b - 2)), abs_tol=1e-9)


@given(turns, turns, turns)
def test_distance_obeys_the_triangle_inequality(a, b, c):
    direct = float(circular.turn_distance(a, c))
    assert direct <= float(circular.turn_distance(a, b)) + float(circular.turn_distance(b, c)) + 1e-9


@given(st.floats(-1e6, 1e6))
def test_wrapping_ends_below_one(turn):
    wrapped = float(circular.wrap_turn(turn))
    assert 0.0 <= wrapped < 1.0
    longitude = float(circular.wrap_longitude(turn))
    assert -180.0 <= longitude < 180.0


def test_midnight_new_year_and_the_date_line_are_no_edges():
    assert float(circular.hour_difference(0.5, 23.5)) == pytest.approx(1.0)
    assert float(circular.hour_difference(23.5, 0.5)) == pytest.approx(-1.0)
    assert float(circular.longitude_difference(-179.0, 179.0)) == pytest.approx(2.0)
    assert float(circular.month_distance(12.9, 1.1)) == pytest.approx(0.2)


def test_wrapping_a_tiny_negative_turn_gives_zero():
    assert float(circular.wrap_turn(-1e-18)) == 0.0


@given(turns, turns, turns, turns)
def test_torus_distance_never_exceeds_the_root_of_a_half(a, b, c, d):
    distance = float(circular.torus_distance(a, b, second_year_turn=c, second_day_turn=d))
    assert 0.0 <= distance <= math.sqrt(0.5) + 1e-12


def test_the_day_turn_counts_to_the_microsecond():
    assert circular.day_turn(datetime(2024, 1, 1)) == 0.0
    assert circular.day_turn(datetime(2024, 1, 1, 18)) == 0.75
    assert circular.day_turn(datetime(2024, 1, 1, 23, 59, 59, 999_999)) < 1.0


@pytest.mark.parametrize(("year", "days"), [(2023, 365), (2024, 366), (1900, 365), (2000, 366)])
def test_the_year_turn_knows_leap_years(year, days):
    assert circular.year_turn(datetime(year, 1, 1)) == 0.0
    assert circular.year_turn(datetime(year, 3, 1)) == pytest.approx((59 + days - 365) / days)
    assert circular.year_turn(datetime(year, 12, 31, 23, 59, 59)) < 1.0


@given(st.datetimes(min_value=datetime(1840, 1, 1), max_value=datetime(2100, 1, 1)))
def test_encoder_and_calendar_agree_within_three_days(local):
    encoder = circular.encoder_year_turn(local.month, local.day)
    assert float(circular.turn_distance(encoder, circular.year_turn(local))) * 365 < 3.0
    assert 0.0 <= float(encoder) < 1.0


def test_encoder_and_metric_follow_their_published_formulas():
    # papers.md §1.2: (month-1)+(day-1)/(365/12), over 12; §1.6: month+(day-1)/31
    assert float(circular.encoder_year_turn(7, 16)) == pytest.approx((6 + 15 * 12 / 365) / 12)
    assert float(circular.metric_month(7, 16)) == pytest.approx(7 + 15 / 31)


def test_the_mean_of_an_hour_before_and_after_midnight_is_midnight():
    mean, length = circular.circular_mean([23 / 24, 1 / 24])
    assert float(circular.turn_distance(mean, 0.0)) < 1e-12
    assert length == pytest.approx(math.cos(2 * math.pi / 24))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0, 1))
def test_the_mean_turns_with_its_points(points, shift):
    mean, length = circular.circular_mean(points)
    turned, same_length = circular.circular_mean(np.asarray(points) + shift)
    assert same_length == pytest.approx(length, abs=1e-9)
    if length > 1e-3:
        assert float(circular.turn_distance(turned, mean + shift)) < 1e-6


def test_opposite_points_have_no_direction():
    assert circular.circular_mean([0.1, 0.6])[1] < 1e-12


def test_weights_pull_the_mean():
    assert circular.circular_mean([0.0, 0.25], [1.0, 0.0])[0] == pytest.approx(0.0)


@pytest.mark.parametrize("bad", [([], None), ([0.5], [0.0])])
def test_an_empty_mean_is_refused(bad):
    with pytest.raises(ValueError, match="at least one point"):
        circular.circular_mean(*bad)


@given(st.floats(0, 1), st.floats(0.005, 1.5))
def test_a_wrapped_normal_integrates_to_one(mean, sd):
    density = circular.wrapped_normal(circular.cell_centres(2000), mean, sd_turns=sd)
    assert density.mean() == pytest.approx(1.0, abs=1e-6)


def test_a_wrapped_normal_refuses_no_width():
    with pytest.raises(ValueError, match="positive"):
        circular.wrapped_normal(0.5, 0.5, sd_turns=0.0)


@given(masses, st.floats(0.01, 0.3))
def test_blurring_keeps_the_sum(mass, sd):
    blurred = circular.smooth_mass(mass, sd_turns=sd)
    assert blurred.sum() == pytest.approx(sum(mass), rel=1e-6)
    assert (blurred >= 0).all()


def test_blurring_reaches_across_the_seam():
    mass = np.zeros(24)
    mass[0] = 1.0
    blurred = circular.smooth_mass(mass, sd_turns=1 / 24)
    assert blurred[23] == pytest.approx(blurred[1])
    assert blurred[23] > 0.1


@given(turns, st.integers(1, 400))
def test_every_turn_has_a_cell(turn, cells):
    assert 0 <= int(circular.cell_of(turn, cells=cells)) < cells


def test_a_mass_is_read_between_its_centres_and_across_the_seam():
    mass = np.array([1.0, 0.0, 0.0, 3.0])
    assert float(circular.mass_at(mass, 1 / 8)) == pytest.approx(1.0)
    assert float(circular.mass_at(mass, 0.0)) == pytest.approx(2.0)
    assert float(circular.mass_at(mass, 1 / 4)) == pytest.approx(0.5)


@given(masses)
def test_expected_distances_match_the_sum_written_out(mass):
    p = np.asarray(mass) / sum(mass)
    cells = p.size
    centres = circular.cell_centres(cells)
    written = [(p * circular.turn_distance(centres, centre)).sum() for centre in centres]
    assert np.allclose(circular.expected_distances(p), written, atol=1e-9)


@given(masses, st.floats(0.05, 1.0))
def test_the_shortest_arc_holds_its_share(mass, share):
    values = np.asarray(mass)
    start, length = circular.shortest_arc(values, share=share)
    first, count = round(start * values.size), round(length * values.size)
    held = np.roll(values, -first)[:count].sum()
    assert held >= share * values.sum() * (1 - 1e-9)
    shorter = [np.roll(values, -i)[: count - 1].sum() for i in range(values.size)] if count else [0.0]
    assert max(shorter) < share * values.sum()


def test_the_shortest_arc_may_span_midnight():
    mass = np.zeros(24)
    mass[[23, 0]] = 0.5
    assert circular.shortest_arc(mass, share=0.9) == (23 / 24, 2 / 24)
