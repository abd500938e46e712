"""Densities: mass is kept, areas are equal, points minimise what they say they minimise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from threadpoolctl import threadpool_info, threadpool_limits

from gtloc_forensics.earth import circular, globe
from gtloc_forensics.earth.sphere import SPHERE_AREA_KM2, EqualAreaCells, fibonacci_points
from gtloc_forensics.vision import density as densities
from gtloc_forensics.vision.density import (
    PlaceTeller,
    Sharpness,
    density,
    fit_sharpness,
    least_expected_turn,
    time_answer,
)

COSINES = arrays(np.float64, (3, 20), elements=st.floats(-1, 1))
SHARPNESS = st.builds(Sharpness, st.floats(1e-3, 10.0), st.floats(0.0, 1.0))


@given(COSINES, SHARPNESS)
def test_a_density_sums_to_one_and_keeps_the_order_of_the_cosines(cosines: np.ndarray, sharpness: Sharpness) -> None:
    before = cosines.copy()
    mass = density(cosines, np.ones(20), sharpness=sharpness)
    np.testing.assert_allclose(mass.sum(axis=1), 1.0, atol=1e-12)
    assert (mass >= 0).all() and (cosines == before).all()
    for row, cosine in zip(mass, cosines, strict=True):
        assert (np.diff(row[np.argsort(cosine)]) >= -1e-15).all()


def test_a_gallery_entry_without_weight_gets_no_mass() -> None:
    prior = np.array([1.0, 0.0, 3.0])
    mass = density([[0.0, 0.9, 0.0]], prior, sharpness=Sharpness(0.1, 0.5))
    np.testing.assert_allclose(mass[0], [0.25, 0.0, 0.75])


@given(arrays(np.float64, (24, 48), elements=st.floats(0.001, 1.0)))
def test_gathering_a_time_density_keeps_its_mass(mass: np.ndarray) -> None:
    mass = mass / mass.sum()
    found = time_answer(mass, mass, cells=(12, 24))
    assert float(found.time.mass.sum()) == pytest.approx(1.0, abs=1e-5)
    assert float(found.time.mass[0, 0]) == pytest.approx(mass[:2, :2].sum(), abs=1e-6)
    year, day = np.unravel_index(int(mass.argmax()), mass.shape)
    assert found.best_hour == pytest.approx((day + 0.5) / 2) and found.best_year_turn == pytest.approx(
        (year + 0.5) / 24
    )


@given(arrays(np.float64, 24, elements=st.floats(0.0, 1.0)).filter(lambda mass: mass.sum() > 0))
def test_the_point_of_least_expected_error_has_the_least_expected_error(mass: np.ndarray) -> None:
    mass = mass / mass.sum()
    centres = circular.cell_centres(24)
    found = least_expected_turn(mass)
    expected = [float(circular.turn_distance(centres, turn) @ mass) for turn in centres]
    assert float(circular.turn_distance(centres, found) @ mass) == pytest.approx(min(expected), abs=1e-9)


def test_a_mass_on_both_sides_of_midnight_is_answered_at_midnight() -> None:
    mass = np.zeros(96)
    mass[[94, 95, 0, 1]] = 0.25
    assert abs(24 * circular.turn_difference(least_expected_turn(mass), 0.0)) < 0.3


@pytest.mark.parametrize("asked", [12, 200, 4000, 20_000])
def test_cells_have_exactly_equal_areas_and_cover_the_sphere_once(asked: int) -> None:
    cells = EqualAreaCells(asked)
    assert cells.count == pytest.approx(asked, rel=0.12)
    assert cells.area_km2 * cells.count == pytest.approx(SPHERE_AREA_KM2)
    # An even spread of many points falls into every cell alike.
    each = max(60, 600_000 // cells.count)
    counted = np.bincount(cells.cell_of(*fibonacci_points(cells.count * each)), minlength=cells.count)
    assert np.abs(counted - each).max() <= 2 + 0.3 * each**0.5
    np.testing.assert_array_equal(cells.cell_of(*cells.centres_deg), np.arange(cells.count))


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_every_place_has_a_cell_and_lies_near_its_centre(latitude: float, longitude: float) -> None:
    cells = EqualAreaCells(2000)
    cell = int(cells.cell_of(latitude, longitude))
    assert 0 <= cell < cells.count
    there = [float(axis[cell]) for axis in cells.centres_deg]
    apart = globe.distance_km(latitude, longitude, second_latitude_deg=there[0], second_longitude_deg=there[1])
    assert float(apart) < 1.3 * math.sqrt(cells.area_km2)


def gallery(count: int = 3000) -> np.ndarray:
    return np.stack(fibonacci_points(count), axis=1).astype(np.float32)


@settings(max_examples=15)
@given(st.integers(0, 1000), st.floats(0.02, 1.0))
def test_a_place_is_answered_where_the_expected_distance_is_least(seed: int, temperature: float) -> None:
    points = gallery()
    rng = np.random.default_rng(seed)
    bumps = rng.integers(len(points), size=3)
    from gtloc_forensics.earth.sphere import unit_vectors

    vectors = unit_vectors(points[:, 0], points[:, 1])
    cosines = (vectors @ vectors[bumps].T * rng.uniform(0.5, 1.0, 3)).max(axis=1)[None]
    teller = PlaceTeller(points, cells=800)
    found = teller.answers(density(cosines, np.ones(len(points)), sharpness=Sharpness(temperature)), cosines)[0]
    from gtloc_forensics.records import Position

    every = [Position(float(lat), float(lon)) for lat, lon in zip(*teller.cells.centres_deg, strict=True)]
    best = min(densities.position_error_km(found.place, photo) for photo in every)
    # Statement within one per cent or twenty kilometres: candidates are the cells near the best of a coarse net.
    assert densities.position_error_km(found.place, found.position) <= 1.01 * best + 20.0
    assert float(found.place.mass.sum()) == pytest.approx(1.0, abs=1e-5)
    assert (found.best_position.latitude_deg, found.best_position.longitude_deg) == tuple(
        points[int(cosines.argmax())].astype(float)
    )


def threads_of_blas() -> list[int]:
    return [
        library["num_threads"]
        for library in threadpool_info()
        # faiss brings one of its own, whose number each thread of OpenMP has for itself; numpy never asks it
        if library["user_api"] == "blas" and library.get("threading_layer") != "openmp"
    ]


def test_places_are_told_without_the_threads_of_blas_which_would_go_on_computing_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = gallery(500)
    cosines = np.random.default_rng(0).uniform(-1, 1, (3, 500))
    mass = density(cosines, np.ones(500), sharpness=Sharpness(0.1))
    teller = PlaceTeller(points, cells=300)
    seen: list[list[int]] = []
    told = PlaceTeller._answer

    def watched(*asked: object) -> object:
        seen.append(threads_of_blas())
        return told(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(PlaceTeller, "_answer", watched)
    with threadpool_limits(limits=2, user_api="blas"):
        if set(threads_of_blas()) != {2}:
            pytest.skip("numpy multiplies with a library whose threads cannot be told")
        teller.answers(mass, cosines)
        teller.answers(mass[:1], cosines[:1])
        assert set(threads_of_blas()) == {2}
    assert [set(threads) for threads in seen] == [{1}] * 4


def test_the_order_of_a_gallery_changes_no_answer() -> None:
    points = gallery(500)
    cosines = np.random.default_rng(0).uniform(-1, 1, (3, 500))
    order = densities.by_cell(points, cells=300)
    prior = np.ones(500)
    assert (np.diff(EqualAreaCells(300).cell_of(*points[order].T)) >= 0).all()
    plain = PlaceTeller(points, cells=300).answers(density(cosines, prior, sharpness=Sharpness(0.1)), cosines)
    ordered = PlaceTeller(points[order], cells=300).answers(
        density(cosines[:, order], prior, sharpness=Sharpness(0.1)), cosines[:, order]
    )
    for one, other in zip(plain, ordered, strict=True):
        np.testing.assert_allclose(one.place.mass, other.place.mass, atol=1e-7)
        assert (one.position, one.best_position) == (other.position, other.best_position)


def test_a_place_across_the_date_line_is_not_answered_on_the_other_side_of_the_world() -> None:
    points = np.array([[0.0, 179.0], [0.0, -179.0], [1.0, 180.0], [-1.0, -180.0]], np.float32)
    cosines = np.zeros((1, 4))
    found = PlaceTeller(points, cells=20_000).answers(density(cosines, np.ones(4), sharpness=Sharpness(1.0)), cosines)[
        0
    ]
    assert abs(found.position.longitude_deg) > 177.0


@given(
    arrays(np.float64, 30, elements=st.floats(0.0, 1.0)).filter(lambda mass: mass.sum() > 0.01), st.floats(0.05, 0.99)
)
def test_no_smaller_region_of_cells_holds_the_share(mass: np.ndarray, share: float) -> None:
    area = densities.region_area_km2(mass, share, 100.0)
    heaviest = np.sort(mass)[::-1] / mass.sum()
    whole = int(area // 100.0)
    assert heaviest[:whole].sum() <= share + 1e-9
    assert heaviest[: whole + 1].sum() >= share - 1e-9


def test_an_even_density_needs_half_the_sphere_for_half_its_mass() -> None:
    points = gallery(20_000)
    cosines = np.zeros((1, len(points)))
    found = PlaceTeller(points, cells=500).answers(
        density(cosines, np.ones(len(points)), sharpness=Sharpness(1.0)), cosines
    )[0]
    for share in (50, 90, 95):
        assert found.region_area_km2[share] / SPHERE_AREA_KM2 == pytest.approx(share / 100, abs=0.02)


@pytest.mark.parametrize("true_temperature", [0.02, 0.1, 0.5])
def test_the_fitted_temperature_is_the_one_that_made_the_data(true_temperature: float) -> None:
    rng = np.random.default_rng(0)
    cosines = rng.uniform(-1, 1, (1500, 60))
    mass = density(cosines, np.ones(60), sharpness=Sharpness(true_temperature))
    truth = np.array([rng.choice(60, p=row) for row in mass])
    assert fit_sharpness(cosines, np.ones(60), truth=truth).temperature == pytest.approx(true_temperature, rel=0.15)


def test_cosines_that_say_nothing_are_given_back_to_the_prior() -> None:
    rng = np.random.default_rng(0)
    cosines, truth = rng.uniform(-1, 1, (800, 40)), rng.integers(40, size=800)
    found = fit_sharpness(cosines, np.ones(40), truth=truth)
    mass = density(cosines, np.ones(40), sharpness=found)
    assert mass.max() / mass.min() < 1.6


def test_a_photo_without_weight_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    cosines, truth = rng.uniform(-1, 1, (50, 10)), rng.integers(10, size=50)
    weight = np.ones(50)
    weight[25:] = 0.0
    assert fit_sharpness(cosines, np.ones(10), truth=truth, weights=weight) == fit_sharpness(
        cosines[:25], np.ones(10), truth=truth[:25]
    )


@pytest.mark.parametrize("wrong", [(0.0, 0.0), (-1.0, 0.0), (math.nan, 0.0), (1.0, 1.1), (1.0, math.nan)])
def test_what_is_no_temperature_is_refused(wrong: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="temperature"):
        Sharpness(*wrong)
