"""The usual month at a place, against values of the reanalysis itself and of climate tables."""

from __future__ import annotations

import numpy as np
import pytest

from gtloc_forensics.earth import climate


@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg", "month", "temperature_c"),
    [
        (59.91, 10.75, 1, -4.1),  # Oslo; ERA5 at the grid point of 0.25° nearest to it
        (-33.87, 151.21, 7, 13.6),  # Sydney, likewise
        (19.08, 72.88, 7, 26.9),  # Mumbai, likewise
        (62.03, 129.73, 1, -38.6),  # Yakutsk; normal of 1961 to 1990
        (1.35, 103.82, 4, 27.9),  # Singapore; normal of 1991 to 2020
    ],
)
def test_a_month_is_as_warm_as_the_reanalysis_and_the_weather_service_say(
    latitude_deg, longitude_deg, month, temperature_c
):
    assert climate.climate(latitude_deg, longitude_deg, month=month).temperature_c == pytest.approx(
        temperature_c, abs=1.0
    )


def test_the_monsoon_is_wet_and_the_desert_dry():
    """ERA5 says 641 mm at the grid point nearest to Mumbai; between half degrees across a coast a tenth is lost."""
    assert climate.climate(19.08, 72.88, month=7).precipitation_mm == pytest.approx(641.0, rel=0.1)
    assert climate.climate(19.08, 72.88, month=1).precipitation_mm < 10.0
    assert climate.climate(30.04, 31.24, month=7).precipitation_mm < 1.0


@pytest.mark.parametrize(
    ("latitude_deg", "longitude_deg", "koeppen"),
    [
        (51.5, -0.12, "Cfb"),  # London
        (59.91, 10.75, "Dfb"),  # Oslo
        (1.35, 103.82, "Af"),  # Singapore
        (30.04, 31.24, "BWh"),  # Cairo
        (-75.0, 0.0, "EF"),  # Antarctica
        (-40.0, -120.0, ""),  # the South Pacific
    ],
)
def test_a_place_has_its_class_and_the_sea_none(latitude_deg, longitude_deg, koeppen):
    assert climate.koeppen(latitude_deg, longitude_deg) == koeppen


def test_the_date_line_and_the_poles_are_no_edge():
    for latitude_deg in (-90.0, -17.0, 0.0, 66.2, 90.0):
        east, west = (climate.climate(latitude_deg, side, month=3) for side in (180.0, -180.0))
        assert east == west
        beside = climate.climate(latitude_deg, -179.999, month=3)
        assert beside.temperature_c == pytest.approx(east.temperature_c, abs=0.05)
    around = [climate.climate(90.0, longitude_deg, month=7).temperature_c for longitude_deg in (-170.0, 0.0, 45.0)]
    assert max(around) - min(around) < 0.6  # one step of the file


def test_summer_is_in_july_north_and_in_january_south():
    warm, _ = climate.year(np.array([59.91, -33.87]), np.array([10.75, 151.21]))
    assert warm.shape == (12, 2)
    assert np.argmax(warm[:, 0]) == 6 and np.argmax(warm[:, 1]) == 0


def test_no_place_has_no_climate():
    warm, wet = climate.year(np.array([np.nan, 50.0]), np.array([10.0, 10.0]))
    assert np.isnan(warm[:, 0]).all() and np.isnan(wet[:, 0]).all() and np.isfinite(warm[:, 1]).all()
    for latitude_deg, longitude_deg, month in ((91.0, 0.0, 1), (0.0, 181.0, 1), (0.0, 0.0, 0), (0.0, 0.0, 13)):
        with pytest.raises(ValueError, match="there is no"):
            climate.climate(latitude_deg, longitude_deg, month=month)
