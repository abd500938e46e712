"""The sun stands where the almanacs say, for any century, place and clock."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pytest
from builders import KASHGAR, LONDON, NEW_YORK, PARIS, QUITO, a_claim, stated
from hypothesis import given
from hypothesis import strategies as st

from gtloc_forensics.earth import claims, globe
from gtloc_forensics.earth.sun import RIM_BELOW_HORIZON_DEG, delta_t_seconds, refraction_deg, sun_position
from gtloc_forensics.records import Absent, Position, Sun, TimeKind, TimeReading, TimeRole

YEAR_1900_S = -2_208_988_800
YEAR_2101_S = 4_133_980_800


def at(text: str) -> float:
    return globe.unix_seconds(datetime.fromisoformat(text))


def test_elevation_and_azimuth_are_within_two_hundredths_of_a_degree_of_spa():
    """Oracle: NREL's Solar Position Algorithm as implemented by pvlib."""
    spa = pytest.importorskip("pvlib.spa")
    random = np.random.default_rng(5)
    utc_s = random.uniform(YEAR_1900_S, YEAR_2101_S, 20_000)
    latitude = np.degrees(np.arcsin(random.uniform(-1, 1, utc_s.size)))
    longitude = random.uniform(-180, 180, utc_s.size)
    years = 1970 + utc_s / 86400 / 365.2425
    delta_t = spa.calculate_deltat(years.astype(int), ((years % 1) * 12).astype(int) + 1)
    with np.errstate(all="ignore"):
        truth = spa.solar_position_numpy(utc_s, latitude, longitude, 0.0, 1013.25, 12.0, delta_t, 0.5667, 1)
    apparent, geometric, azimuth = truth[2], truth[3], truth[4]
    elevation_deg, azimuth_deg = sun_position(utc_s, latitude, longitude)
    # SPA switches refraction off at one elevation; a point a hair on the other side of it differs by all of it.
    away = np.abs(geometric - RIM_BELOW_HORIZON_DEG) > 0.02
    assert away.mean() > 0.99
    assert np.abs(elevation_deg - apparent)[away].max() < 0.02
    across = (azimuth_deg - azimuth + 180) % 360 - 180
    assert np.abs(across * np.cos(np.radians(elevation_deg))).max() < 0.02


def test_the_worked_example_of_the_spa_report():
    """Reda & Andreas, NREL/TP-560-34302 (2008), appendix A.4: Golden, 17 October 2003, 12:30:30 MST.

    Zenith 50.11162°, azimuth 194.34024° at 820 hPa and 11 °C; our standard atmosphere
    bends by 0.004° more.
    """
    elevation, azimuth = sun_position(at("2003-10-17 19:30:30"), 39.742476, -105.1786)
    assert float(elevation) == pytest.approx(90 - 50.11162, abs=0.015)
    assert float(azimuth) == pytest.approx(194.34024, abs=0.015)


@pytest.mark.parametrize("instant", ["2003-10-17 13:12:43", "2003-10-17 00:20:19"])
def test_the_rim_touches_the_horizon_at_the_published_sunrise_and_sunset(instant):
    """The same example of the SPA report: sunrise 06:12:43, sunset 17:20:19 MST.

    The report works out both for the UTC day of 17 October, on which the sun sets at
    00:20 UTC, the evening of the 16th in Golden.
    """
    elevation, _ = sun_position(at(instant), 39.742476, -105.1786, refracted=False)
    assert float(elevation) == pytest.approx(-0.8333, abs=0.02)


@pytest.mark.parametrize(
    "instant",
    ["2000-03-20 07:35", "2000-09-22 17:28", "2024-03-20 03:06", "2024-09-22 12:44"],
)
def test_the_sun_crosses_the_equator_at_the_published_equinoxes(instant):
    """US Naval Observatory, Earth's Seasons. Seen from a pole the geometric elevation is the declination."""
    elevation, _ = sun_position(at(instant), 90.0, 0.0, refracted=False)
    assert float(elevation) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(
    ("instant", "sign"), [("2024-06-20 20:51", 1), ("2024-12-21 09:20", -1), ("2000-06-21 01:48", 1)]
)
def test_the_sun_stands_highest_at_the_published_solstices(instant, sign):
    """US Naval Observatory, Earth's Seasons; obliquity 23.44°."""
    elevation, _ = sun_position(at(instant), sign * 90.0, 0.0, refracted=False)
    assert float(elevation) == pytest.approx(23.437, abs=0.01)


def test_delta_t_follows_the_published_table():
    """Espenak & Meeus, NASA/TP-2006-214141, table of ΔT: 1900 −2.8 s, 1950 29.1 s, 2000 63.8 s, 2005 64.7 s."""
    assert delta_t_seconds([1900, 1950, 2000, 2005]) == pytest.approx([-2.8, 29.1, 63.8, 64.7], abs=0.15)


@given(st.floats(1860, 2149))
def test_delta_t_has_no_jumps(year):
    before, after = delta_t_seconds([year, year + 0.01])
    assert abs(after - before) < 1.0


def test_refraction_lifts_a_setting_sun_by_half_a_degree_and_a_high_one_hardly():
    assert float(refraction_deg(-0.5)) == pytest.approx(0.57, abs=0.05)
    assert float(refraction_deg(45.0)) < 0.02
    assert float(refraction_deg(-6.0)) == 0.0


@given(st.floats(YEAR_1900_S, YEAR_2101_S), st.floats(-90, 90), st.floats(-180, 180))
def test_elevation_and_azimuth_stay_in_their_ranges(utc_s, latitude, longitude):
    elevation, azimuth = sun_position(utc_s, latitude, longitude)
    assert -90 <= float(elevation) <= 90.01
    assert 0 <= float(azimuth) < 360


def test_the_sun_rises_in_the_east_and_passes_the_meridian_southward_in_paris():
    hours, elevation = globe.elevation_curve(date(2024, 6, 21), Position(*PARIS), offset_hours=2.0)
    assert hours[0] == 0 and hours[-1] == 24
    assert 13.5 < hours[int(np.argmax(elevation))] < 14.2
    assert elevation.max() == pytest.approx(64.6, abs=0.2)
    _, morning = globe.sun_at(datetime(2024, 6, 21, 4), Position(*PARIS))
    assert 45 < morning < 90


# --------------------------------------------------------------------------- the sun of a claim


def test_a_stated_offset_gives_one_sun():
    sun = claims.sun(a_claim(local="2024-06-15 14:00", offset=2.0, position=PARIS))
    assert isinstance(sun, Sun)
    assert sun.offset_source == "stated"
    assert sun.utc_time == datetime(2024, 6, 15, 12)
    assert sun.elevation_range_deg == (sun.elevation_deg, sun.elevation_deg)


def test_without_an_offset_the_zone_at_the_place_gives_it():
    sun = claims.sun(a_claim(local="2024-06-15 14:00", position=PARIS))
    assert isinstance(sun, Sun)
    assert (sun.offset_source, sun.utc_time) == ("zone at the place", datetime(2024, 6, 15, 12))


def test_an_hour_that_comes_twice_gives_a_range():
    sun = claims.sun(a_claim(local="2024-10-27 02:30", position=PARIS))
    assert isinstance(sun, Sun)
    low, high = sun.elevation_range_deg
    assert high - low > 5


def test_two_legal_zones_give_a_range():
    sun = claims.sun(a_claim(local="2024-06-15 10:00", position=KASHGAR))
    assert isinstance(sun, Sun)
    low, high = sun.elevation_range_deg
    assert high - low > 15


def test_an_offset_from_the_gps_clock_counts_only_where_it_is_legal():
    legal = a_claim(
        local="2024-06-15 14:00",
        position=PARIS,
        subject_to={"utc_offset_hours": stated(2.0, tag="GPS:GPSTimeStamp", rule="gps clock")},
    )
    wrong = a_claim(
        local="2024-06-15 14:00",
        position=PARIS,
        subject_to={"utc_offset_hours": stated(8.0, tag="GPS:GPSTimeStamp", rule="gps clock")},
    )
    assert claims.sun(legal).offset_source == "gps clock"
    assert claims.sun(wrong).offset_source == "zone at the place"


def test_a_programs_offset_does_not_move_the_sun_but_widens_its_range():
    by_program = stated(0.0, tag="XMP-photoshop:DateCreated", raw="+00:00")
    claim = a_claim(local="2018-12-02 15:00", position=(38.102, -122.567), subject_to={"utc_offset_hours": by_program})
    sun = claims.sun(claim)
    assert sun.offset_source == "zone at the place"
    assert sun.utc_time == datetime(2018, 12, 2, 23)
    low, high = sun.elevation_range_deg
    assert high - low > 15


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (a_claim(local="2024-06-15 14:00"), Absent.MISSING),
        (a_claim(local=None, position=PARIS), Absent.MISSING),
        (a_claim(local="2024-06-15 14:00", position=PARIS, zones=()), Absent.UNDERIVABLE),
        (a_claim(local=datetime.max, position=NEW_YORK), Absent.UNDERIVABLE),
    ],
)
def test_without_place_time_or_zone_there_is_no_sun(claim, why):
    assert claims.sun(claim) is why


def test_a_bare_date_says_nothing_of_the_sun():
    reading = TimeReading(
        datetime(2024, 6, 15), TimeKind.LOCAL, TimeRole.FILE_NAME, "FileName", "IMG-20240615-WA0001.jpg", None, 86400.0
    )
    claim = a_claim(
        local=None,
        position=PARIS,
        times=(reading,),
        subject_to={"local_time": stated(datetime(2024, 6, 15), tag="FileName")},
    )
    assert claims.sun(claim) is Absent.UNDERIVABLE


def test_many_suns_in_one_sweep_are_the_suns_one_by_one():
    claimed = [
        a_claim(local="2024-06-15 14:00", position=place, offset=offset)
        for place in (PARIS, KASHGAR, QUITO, None, LONDON)
        for offset in (None, 3.0)
    ]
    assert claims.suns(claimed) == [claims.sun(claim) for claim in claimed]
    assert claims.suns([]) == []
