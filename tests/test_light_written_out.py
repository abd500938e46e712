"""What is written out, or worked out once, gives what the library and the long way give, to the last bit."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, theilslopes

from gtloc_forensics.earth.sun import skies, sun_position
from gtloc_forensics.evidence import exposure
from gtloc_forensics.evidence.calibration import benjamini_hochberg
from gtloc_forensics.evidence.clocks.witnesses import _median_slope
from gtloc_forensics.evidence.exposure import clock_offsets
from gtloc_forensics.metadata import notations, tag_values

probabilities = st.lists(
    st.one_of(st.floats(1e-9, 1.0), st.sampled_from([0.01, 0.02, 0.05, 1.0, float("nan")])), max_size=40
)


@settings(deadline=None)
@given(probabilities, st.sampled_from([0.01, 0.05, 0.2, 1.0]))
def test_discoveries_are_those_of_scipy(p_values: list[float], q: float) -> None:
    values = np.array(p_values, dtype=np.float64)
    tested = np.isfinite(values)
    expected = np.zeros(len(values), dtype=bool)
    if tested.any():
        expected[tested] = false_discovery_control(values[tested], method="bh") <= q * (1.0 + 1e-12)
    assert benjamini_hochberg(values, q=q).tolist() == expected.tolist()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(-(10**4), 10**4)), min_size=6, max_size=40))
def test_the_median_of_slopes_is_that_of_scipy(points: list[tuple[int, int]]) -> None:
    at, values = (np.array(column) / 997.0 for column in zip(*points, strict=True))
    if len(set(at.tolist())) > 1:
        assert _median_slope(at, values) == float(theilslopes(values, at).slope)


@pytest.mark.parametrize(("count", "columns"), [(5, 7), (9, 1), (3, 113), (40, 113), (100, 128)])
def test_light_under_all_habits_is_the_sum_of_light_under_each(count: int, columns: int) -> None:
    model, rng = exposure.load(), np.random.default_rng(1)
    frames = clock_offsets.Frames(
        source_ids=tuple(map(str, range(count))),
        claimed_utc_s=rng.uniform(1.0e9, 1.5e9, count),
        latitude_deg=rng.uniform(-60.0, 60.0, count),
        longitude_deg=rng.uniform(-180.0, 180.0, count),
        ev100=rng.uniform(-2.0, 16.0, count),
        weight=rng.uniform(0.1, 1.0, count),
        is_sunlit=rng.uniform(size=count) < 0.4,
        outings=count,
    )
    elevation = rng.uniform(-80.0, 80.0, (count, columns))
    odd = np.where(frames.is_sunlit, clock_offsets.SUNLIT_ODD, 1.0)[:, None]
    totals = []
    for shift_ev in clock_offsets.SHIFTS_EV:
        parts = model.parts(frames.ev100[:, None], elevation, shift_ev=shift_ev)
        rarity = -0.5 * (shift_ev / clock_offsets.SHIFT_SIGMA_EV) ** 2
        for lamp_lit in clock_offsets.LAMP_LIT_SHARES:
            rooms = parts.with_rooms_lit(lamp_lit)
            for indoor in clock_offsets.INDOOR_SHARES:
                for sunny in clock_offsets.SUNNY_SHARES:
                    light = model.mixed(rooms, indoor_share=indoor, sunny_share=sunny, odd_by_night=odd)
                    totals.append((frames.weight[:, None] * light).sum(axis=0) + rarity)
    expected = np.logaddexp.reduce(np.array(totals), axis=0)
    assert clock_offsets.of_elevations(model, frames, elevation).tolist() == expected.tolist()


def test_light_that_was_weighed_before_is_the_same_and_is_not_that_of_another_camera() -> None:
    model, rng = exposure.load(), np.random.default_rng(3)
    frames = [
        clock_offsets.Frames(("a", "b"), *rng.uniform(0.0, 9.0, (5, 2)), np.array([True, False]), 2) for _ in range(3)
    ]
    first = [clock_offsets.offset_log_likelihood(model, of_camera).tolist() for of_camera in frames]
    assert [clock_offsets.offset_log_likelihood(model, of_camera).tolist() for of_camera in frames] == first
    assert len(set(map(tuple, first))) == 3
    other = replace(model, tail=model.tail * 2.0)
    assert clock_offsets.offset_log_likelihood(other, frames[0]).tolist() != first[0]


def test_the_best_of_several_elevations_is_weighed_as_each_alone() -> None:
    model = exposure.load()
    others, mass = exposure.other_claims(48.1, 11.5, offset_hours=1.0, hour_prior=model.hour_prior)
    for ev100 in (-2.0, 3.0, 9.5, 14.5):
        each = [
            model.log10_lr(ev100, elevation, other_elevations_deg=others, other_mass=mass)
            for elevation in (-30.0, 2.0, 60.0)
        ]
        likely = model.log_likelihood(ev100, others)
        claimed = float(model.log_likelihood(ev100, 60.0))
        alone = model.slope * (claimed - math.log(float(np.dot(mass, np.exp(likely))))) / math.log(10.0)
        assert each[-1] == alone
        together = model.log10_lr(ev100, -30.0, 2.0, 60.0, other_elevations_deg=others, other_mass=mass)
        assert together == max(each)


def test_a_sky_seen_from_many_places_is_that_of_each() -> None:
    rng = np.random.default_rng(4)
    instants = rng.uniform(-2.0e9, 3.0e9, (12, 24))
    above = skies(instants)
    for place in rng.uniform(-90.0, 90.0, (9, 2)).tolist():
        assert np.array(above.seen_from(*place)).tolist() == np.array(sun_position(instants, *place)).tolist()


@given(st.text(st.characters(max_codepoint=127), max_size=30))
def test_a_text_of_ascii_is_read_as_any_other(written: str) -> None:
    beside = f"{written}\u200e"  # a mark that nobody sees takes the long way
    assert notations.plain_signs(beside) == notations.plain_signs(written) == written
    named = re.sub(notations._HALVES, lambda found: notations._HALF_OF.get(found[0].lower(), found[0]), written)
    assert notations.plain_halves(written) == named
    assert tag_values.moment(written) == tag_values.moment.__wrapped__(written)


def test_the_sun_of_many_claims_at_once_is_that_of_each() -> None:
    rng = np.random.default_rng(2)
    for size in (2, 7, 16, 33, 100):
        instants = rng.uniform(-2.0e9, 3.0e9, size)
        latitude, longitude = rng.uniform(-90.0, 90.0, size), rng.uniform(-180.0, 180.0, size)
        together = np.array(sun_position(instants, latitude, longitude))
        each = [
            sun_position(*([value] for value in place)) for place in zip(instants, latitude, longitude, strict=True)
        ]
        assert together.T.tolist() == [[float(height[0]), float(azimuth[0])] for height, azimuth in each]
