"""Distances, coasts and civil time on a round earth with a date line and odd zones."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime

import numpy as np
import pytest
from builders import KASHGAR, LONDON, MID_ATLANTIC, NEW_YORK, PARIS, QUITO, SYDNEY
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.earth import globe, zones
from gtloc_forensics.earth import land as earth_land
from gtloc_forensics.errors import ToolMissing
from gtloc_forensics.records import Position

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)


def between(first, second):
    return float(
        globe.distance_km(*first, second_latitude_deg=second[0], second_longitude_deg=second[1]),
    )


def test_a_quarter_of_the_meridian_and_a_degree_of_latitude():
    """On a sphere of the IUGG mean radius 6371.0088 km: quarter 10,007.557 km, degree 111.195 km."""
    assert between((0, 0), (90, 123)) == pytest.approx(10_007.557, abs=0.001)
    assert between((10, 20), (11, 20)) == pytest.approx(111.195, abs=0.001)


def test_the_date_line_is_no_distance():
    assert between((0, 179.9), (0, -179.9)) == pytest.approx(0.2 * 111.195, abs=0.01)


def test_antipodes_are_half_way_round_and_not_a_nan():
    assert between((30, 40), (-30, -140)) == pytest.approx(np.pi * globe.EARTH_RADIUS_KM, abs=0.01)


@given(latitudes, longitudes, latitudes, longitudes)
def test_distance_is_symmetric_and_bounded(a, b, c, d):
    there = between((a, b), (c, d))
    assert 0 <= there <= np.pi * globe.EARTH_RADIUS_KM + 1e-6
    assert there == pytest.approx(between((c, d), (a, b)), abs=1e-6)


def test_the_official_metric_uses_its_own_radius():
    ours = between(PARIS, SYDNEY)
    theirs = float(
        globe.distance_km(
            *PARIS,
            second_latitude_deg=SYDNEY[0],
            second_longitude_deg=SYDNEY[1],
            radius_km=globe.METRIC_EARTH_RADIUS_KM,
        )
    )
    assert theirs / ours == pytest.approx(6371.0 / 6371.0088, rel=1e-12)


def test_bearings_follow_the_compass():
    def bearing(first, second):
        return float(globe.bearing_deg(*first, second_latitude_deg=second[0], second_longitude_deg=second[1]))

    assert bearing((0, 0), (10, 0)) == pytest.approx(0)
    assert bearing((0, 0), (0, 10)) == pytest.approx(90)
    assert bearing((0, 179), (0, -179)) == pytest.approx(90)
    assert bearing((10, 0), (0, 0)) == pytest.approx(180)


# --------------------------------------------------------------------------- land


@pytest.mark.parametrize(
    ("place", "land"),
    [
        (PARIS, True),
        (QUITO, True),
        (MID_ATLANTIC, False),
        ((0.0, 0.0), False),
        ((-33.6, 150.5), True),
        ((-17.8, 178.0), True),  # Viti Levu, beside the date line
        ((66.5, -175.0), True),  # Chukotka east of the date line
        ((66.5, 179.5), True),
        ((66.5, 180.0), True),
        ((60.0, 180.0), False),
        ((60.0, -180.0), False),
        ((0.0, 179.999), False),
        ((-85.0, 180.0), True),
        ((-90.0, 0.0), True),
        ((90.0, 0.0), False),
        ((72.0, -40.0), True),
        ((41.5, 50.8), False),  # the Caspian
    ],
)
def test_land_is_land_and_sea_is_sea(place, land):
    assert bool(earth_land.is_land(*place)) is land


def test_land_covers_about_three_tenths_of_the_earth():
    """CIA World Factbook: 29.1 % of the surface."""
    random = np.random.default_rng(3)
    latitude = np.degrees(np.arcsin(random.uniform(-1, 1, 20_000)))
    share = earth_land.is_land(latitude, random.uniform(-180, 180, latitude.size)).mean()
    assert share == pytest.approx(0.291, abs=0.012)


@given(latitudes, longitudes)
def test_land_does_not_care_how_often_one_went_round(latitude, longitude):
    assert bool(earth_land.is_land(latitude, longitude)) == bool(earth_land.is_land(latitude, longitude + 360.0))


# --------------------------------------------------------------------------- zones


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (PARIS, ("Europe/Paris",)),
        (NEW_YORK, ("America/New_York",)),
        (KASHGAR, ("Asia/Urumqi", "Asia/Shanghai")),
        (MID_ATLANTIC, ("Etc/GMT+3",)),
        ((45.0, 34.2), ("Europe/Simferopol", "Europe/Kyiv")),
        ((-16.8, -179.99), ("Pacific/Fiji",)),
    ],
)
def test_every_legal_zone_of_a_place_is_given(place, expected):
    assert zones.zones_at(Position(*place)) == expected


@pytest.mark.parametrize("corner", [(90, 0), (-90, 0), (0, 180), (0, -180), (90, 180), (-90, -180)])
def test_poles_and_seams_have_a_zone(corner):
    assert zones.zones_at(Position(*corner))


def test_a_border_brings_its_neighbours():
    near_strasbourg = Position(48.573, 7.76)
    assert zones.zones_at(near_strasbourg) == ("Europe/Paris",)
    assert "Europe/Berlin" in zones.zones_near(near_strasbourg, distance_km=20)


def test_an_hour_that_comes_twice_and_one_that_never_comes():
    assert zones.offsets_hours("Europe/Paris", datetime(2024, 10, 27, 2, 30)) == (1.0, 2.0)
    assert zones.offsets_hours("Europe/Paris", datetime(2024, 3, 31, 2, 30)) == (1.0, 2.0)
    assert zones.is_skipped("Europe/Paris", datetime(2024, 3, 31, 2, 30))
    assert not zones.is_skipped("Europe/Paris", datetime(2024, 10, 27, 2, 30))
    assert zones.offsets_hours("Europe/Paris", datetime(2024, 7, 1, 12)) == (2.0,)


@pytest.mark.parametrize(
    ("zone", "local", "hours"),
    [
        ("Asia/Kathmandu", datetime(2024, 1, 1), 5.75),
        ("Australia/Lord_Howe", datetime(2024, 1, 1), 11.0),
        ("Pacific/Kiritimati", datetime(2024, 1, 1), 14.0),
        ("America/St_Johns", datetime(2024, 7, 1), -2.5),
        ("Etc/GMT+3", datetime(2024, 7, 1), -3.0),
    ],
)
def test_odd_offsets_are_kept(zone, local, hours):
    """IANA time zone database."""
    assert zones.offsets_hours(zone, local) == (hours,)


def test_several_zones_give_all_their_offsets():
    legal = ("Asia/Urumqi", "Asia/Shanghai")
    assert zones.legal_offsets(legal, datetime(2024, 6, 1)) == (6.0, 8.0)
    assert zones.zone_offsets_range(legal, datetime(2024, 6, 1)) == (6.0, 8.0)
    assert zones.zone_offsets_range((), datetime(2024, 6, 1)) is None


@given(st.datetimes(), st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Kolkata", "Pacific/Apia"]))
def test_no_date_of_the_calendar_breaks_a_zone(local, zone):
    offsets = zones.offsets_hours(zone, local)
    assert 1 <= len(offsets) <= 2
    assert all(-15.5 <= hours <= 15.5 for hours in offsets)
    assert zones.is_skipped(zone, local) in (True, False)
    assert zones.offsets_of_year(zone, local.year)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2037, 1, 1)))
def test_the_offset_at_an_instant_is_among_those_of_its_wall_clock(utc):
    from datetime import timedelta

    offset = zones.offset_at_utc("America/New_York", utc)
    assert offset in zones.offsets_hours("America/New_York", utc + timedelta(hours=offset))


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "../../etc/passwd", "", "/etc/passwd", "Europe", "Europe/../Europe/Paris"]
)
def test_a_zone_that_is_none_is_refused_with_a_remedy(name):
    with pytest.raises(ToolMissing, match="tzdata"):
        zones.zone_info(name)


def test_the_packaged_rules_win_without_changing_zoneinfo_for_others():
    import zoneinfo

    before = zoneinfo.TZPATH
    zones.zone_info("Europe/Paris")
    assert before == zoneinfo.TZPATH
    assert zones.tzdata_version().endswith("(tzdata)")


def test_importing_earth_loads_no_polygons():
    script = "import sys, gtloc_forensics.earth.globe; sys.exit(int('timezonefinder' in sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_london_keeps_two_offsets_a_year_and_quito_one():
    assert zones.offsets_of_year(zones.zones_at(Position(*LONDON))[0], 2024) == (0.0, 1.0)
    assert zones.offsets_of_year(zones.zones_at(Position(*QUITO))[0], 2024) == (-5.0,)
