"""Cells of the earth: adaptive S2, HEALPix and semantic ones, from any table of places."""

from __future__ import annotations

import numpy as np
import pytest

from gtloc_forensics.earth import partitions
from gtloc_forensics.errors import UsageError, WeightsError
from gtloc_forensics.vision import install

pytest.importorskip("s2geometry")
pytest.importorskip("astropy_healpix")


def places(count: int = 600, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(45, 6, count), rng.normal(10, 12, count)


def test_no_s2_cell_holds_more_or_fewer_photos_than_asked() -> None:
    where = places()
    cells = partitions.s2_partition(*where, fewest=5, most=40)
    own = cells.cells_of(*where)
    counted = np.bincount(own[own >= 0], minlength=len(cells))
    assert counted.min() >= 5
    assert counted.max() <= 40
    assert counted.tolist() == cells.photos.tolist()


def test_a_cell_is_told_as_the_mean_of_its_photos() -> None:
    cells = partitions.s2_partition([10.0, 10.2], [20.0, 20.2], fewest=1, most=5)
    assert len(cells) == 1
    assert cells.latitude_deg[0] == pytest.approx(10.1, abs=1e-3)
    assert cells.longitude_deg[0] == pytest.approx(20.1, abs=1e-3)


def test_finer_thresholds_make_more_cells_each_within_one_of_the_coarser() -> None:
    where = places()
    coarse, fine = (partitions.s2_partition(*where, fewest=5, most=most) for most in (200, 30))
    assert len(fine) > len(coarse)
    parents = fine.parents_in(coarse)
    assert (parents >= 0).all()
    own = fine.cells_of(*where)
    inside = own >= 0
    assert (coarse.cells_of(*where)[inside] == parents[own[inside]]).all()


def test_a_turned_earth_is_cut_elsewhere_and_its_cells_still_hold_their_photos() -> None:
    where = places()
    straight = partitions.s2_partition(*where, fewest=5, most=60)
    turned = partitions.s2_partition(*where, fewest=5, most=60, turn=partitions.random_turn(1))
    assert sorted(turned.photos.tolist()) != sorted(straight.photos.tolist())
    row = int(np.argmax(turned.photos))
    corners = partitions.corners_deg(turned, row)
    middle = partitions.unit_vectors(corners[:, 0], corners[:, 1]).mean(axis=0)
    own = partitions.unit_vectors(turned.latitude_deg[row], turned.longitude_deg[row])
    assert float(middle @ own) > 0.9
    with pytest.raises(UsageError, match="same sphere"):
        turned.parents_in(straight)


def test_a_random_turn_is_a_rotation_and_the_same_for_the_same_seed() -> None:
    turn = partitions.random_turn(3)
    assert np.allclose(turn @ turn.T, np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1.0)
    assert np.array_equal(turn, partitions.random_turn(3))


def test_healpix_of_nside_8_has_the_768_cells_of_tiger() -> None:
    latitude, longitude = partitions.healpix_centres(8)
    assert len(latitude) == 768
    cells = partitions.healpix_partition(latitude, longitude, nside=8)
    assert len(cells) == 768
    assert (cells.cells_of(latitude, longitude) == np.arange(768)).all()


def test_semantic_cells_join_what_is_too_small_and_split_what_is_too_large() -> None:
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    latitude = np.concatenate([rng.normal(48.1, 0.05, 40), rng.normal(53.5, 0.05, 40), [64.1]])
    longitude = np.concatenate([rng.normal(11.6, 0.05, 40), rng.normal(10.0, 0.05, 40), [-21.9]])
    cells = partitions.semantic_partition(latitude, longitude, fewest=10, most=50)
    assert int(cells.photos.sum()) == 81
    assert cells.photos.min() >= 10
    assert cells.photos.max() <= 50
    assert (np.abs(cells.latitude_deg - 50.8) > 2.0).all(), "no cell lies between the two cities"


def test_thresholds_that_make_no_cell_are_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="lower threshold"):
        partitions.s2_partition([10.0], [20.0], fewest=5, most=10)
    with pytest.raises(UsageError, match="0 < fewest"):
        partitions.s2_partition([10.0], [20.0], fewest=5, most=2)


def test_the_published_thresholds_stand_beside_the_published_numbers_of_cells() -> None:
    assert partitions.PUBLISHED_THRESHOLDS == {"coarse": (50, 5000), "middle": (50, 2000), "fine": (50, 1000)}
    assert partitions.PUBLISHED_CELLS == {"coarse": 3298, "middle": 7202, "fine": 12893}


@pytest.mark.slow
def test_a_sample_of_mp_16_with_thresholds_thinned_alike_makes_about_the_published_numbers_of_cells() -> None:
    """Outside authority: the 100,000 places that GeoCLIP released are of MP-16's 4.72 million, 1 in 47.2."""
    try:
        places_of_mp_16 = install.geoclip_release(None)[1]
    except WeightsError as error:
        pytest.skip(str(error))
    latitude, longitude = (places_of_mp_16[:, axis].astype(float) for axis in (0, 1))
    for name, (fewest, most) in partitions.PUBLISHED_THRESHOLDS.items():
        cells = partitions.s2_partition(latitude, longitude, fewest=round(fewest / 47.2), most=round(most / 47.2))
        assert len(cells) == pytest.approx(partitions.PUBLISHED_CELLS[name], rel=0.06), name
