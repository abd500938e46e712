"""Names of places offline: the place next to a position, the places behind a name, the country under a point."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from gtloc_forensics.earth.countries import (
    ALSO_CALLED,
    borders,
    code_of,
    country_at,
    country_codes,
    country_name,
    country_names,
)
from gtloc_forensics.earth.gazetteer import find, nearest, well_known, within
from gtloc_forensics.earth.globe import distance_km
from gtloc_forensics.records import Position


def test_the_nearest_place_has_a_name_an_area_a_country_and_a_distance() -> None:
    place = nearest(Position(60.3894, 5.33))
    assert (place.name, place.area, place.country_code) == ("Bergen", "Vestland", "NO")
    assert place.distance_km < 1.0
    assert place.population > 250_000


def test_across_the_date_line_the_nearest_place_is_the_one_next_to_it_on_the_globe() -> None:
    west, east = Position(-16.8, 179.99), Position(-16.8, -179.99)
    assert nearest(west).name == nearest(east).name
    assert nearest(east).country_code == "FJ"
    assert nearest(east).distance_km == pytest.approx(nearest(west).distance_km, abs=3.0)


def test_the_poles_and_the_open_sea_have_a_nearest_place_and_no_country() -> None:
    assert nearest(Position(90.0, 0.0)).name == "Longyearbyen"
    assert nearest(Position(-90.0, 123.0)).distance_km > 3000
    assert nearest(Position(0.0, -140.0)).country_code == "PF"
    assert country_at(Position(90.0, 0.0)) is None
    assert country_at(Position(0.0, -140.0)) is None


def test_the_nearest_place_is_the_one_that_a_search_of_all_would_find() -> None:
    everywhere = within(south_deg=-90, north_deg=90, west_deg=-180, east_deg=180, most=10**6)
    assert len(everywhere) > 170_000
    latitudes = np.array([place.position.latitude_deg for place in everywhere])
    longitudes = np.array([place.position.longitude_deg for place in everywhere])
    for latitude, longitude in np.random.default_rng(5).uniform((-90, -180), (90, 180), (25, 2)):
        distances = distance_km(latitudes, longitudes, second_latitude_deg=latitude, second_longitude_deg=longitude)
        assert nearest(Position(latitude, longitude)).distance_km == pytest.approx(distances.min(), abs=1e-6)


def test_a_large_town_is_called_by_its_name_not_by_its_quarter() -> None:
    middle_of_berlin = Position(52.52, 13.405)
    assert nearest(middle_of_berlin).name == "Mitte"
    assert well_known(middle_of_berlin).name == "Berlin"
    assert nearest(middle_of_berlin, least_population=1_000_000).name == "Berlin"


def test_no_place_is_so_large() -> None:
    with pytest.raises(ValueError, match="inhabitants"):
        nearest(Position(0.0, 0.0), least_population=10**9)


@pytest.mark.parametrize(
    ("written", "name", "country"),
    [
        ("MÜNCHEN", "Munich", "DE"),
        ("Wien", "Vienna", "AT"),
        ("東京", "Tokyo", "JP"),
        ("sao paulo", "São Paulo", "BR"),
        ("Paris", "Paris", "FR"),
        ("Paris, US", "Paris", "US"),
        ("Berlin, Maryland", "Berlin", "US"),
        ("Bergen, Norway", "Bergen", "NO"),
    ],
)
def test_a_name_finds_its_places_the_most_inhabited_first(written: str, name: str, country: str) -> None:
    first = find(written)[0]
    assert (first.name, first.country_code) == (name, country)


@pytest.mark.parametrize("written", ["", "|", "Berl", "Nowhere at all", "Paris, Japan"])
def test_what_is_the_name_of_no_place_finds_none(written: str) -> None:
    assert find(written) == ()


def test_a_window_gives_its_greatest_places_also_across_the_date_line() -> None:
    fiji = within(south_deg=-20, north_deg=-15, west_deg=175, east_deg=185, most=5)
    assert {"Suva", "Labasa"} <= {place.name for place in fiji}
    assert [place.population for place in fiji] == sorted((place.population for place in fiji), reverse=True)


@pytest.mark.parametrize(
    ("latitude", "longitude", "country"),
    [
        (52.52, 13.405, "DE"),
        (48.6, 7.7, "FR"),  # west of the Rhine
        (48.6, 8.0, "DE"),  # east of it
        (-16.6, 179.2, "FJ"),
        (68.0, -179.0, "RU"),  # beyond the date line
        (-89.0, 10.0, "AQ"),
        (42.6, 20.9, "XK"),
        (-29.5, 28.3, "LS"),  # a hole in another country
    ],
)
def test_the_country_of_a_point_is_that_of_the_border_round_it(latitude: float, longitude: float, country: str) -> None:
    assert country_at(Position(latitude, longitude)) == country


def test_countries_have_names_in_both_languages_and_are_found_by_each() -> None:
    assert (country_name("NO"), country_name("NO", "de")) == ("Norway", "Norwegen")
    assert country_name("ZZ") == "ZZ"
    assert code_of("norge") == code_of("NOR") == code_of("no") == code_of("norway") == "NO"
    assert code_of("Norwayland") is None
    assert all(country_name(code, "de") != code for code in country_codes())


def test_a_third_language_needs_no_table_of_ours() -> None:
    assert (country_name("NO", "fr"), country_name("NO", "ja")) == ("Norvège", "ノルウェー")
    assert code_of("norvège") is None and code_of("Norvège", ("en", "fr")) == "NO"
    assert find("Bergen, Norwegen", ("de",))[0].country_code == "NO"
    assert country_names("xx-none") == {} and country_name("NO", "xx-none") == "NO"


def test_every_other_name_belongs_to_one_country() -> None:
    names = [name for others in ALSO_CALLED.values() for name in others.split()]
    assert len(names) == len(set(names))
    assert set(ALSO_CALLED) <= set(country_codes())


def test_borders_are_lines_between_countries_and_end_at_the_coast() -> None:
    lines = borders()
    assert len(lines) > 300
    assert all(line.shape[1] == 2 and np.abs(line).max() <= 180.0 for line in lines)


def test_nothing_is_read_before_the_first_question() -> None:
    asked = (
        "import gtloc_forensics.earth.gazetteer as g, sys;"
        "print(g._places.cache_info().currsize, 'torch' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["0", "False"]
