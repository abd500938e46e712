"""Names of places without a network: the place next to a position, and the places behind a name.

170,391 inhabited places of GeoNames with more than 1,000 people or the seat of an authority, cut by
``experiments/cut_gazetteer.py`` and kept with their licence in ``earth/data``. A place is one point, about the middle
of a town; the place next to a position may lie in another country than the position does, which :mod:`.countries`
answers by the border. Hamlets, mountains and bays are not among them. Nothing is read before the first question.
"""

from __future__ import annotations

import importlib.resources
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth.countries import code_of, country_name
from gtloc_forensics.earth.globe import EARTH_RADIUS_KM, distance_km
from gtloc_forensics.records import Position

SOURCE = "GeoNames (CC BY 4.0), places of more than 1,000 people"

_KM_PER_DEGREE = EARTH_RADIUS_KM * np.pi / 180.0
_FIRST_REACH_DEG = 0.5
_WELL_KNOWN_KM = 60.0
_ACCENTS = re.compile("[\u0300-\u036f]")
_NEARBY_KM = 5.0  # within it, distance counts little against size


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A town or village: where its middle is, and how far from what was asked."""

    name: str
    area: str
    """The name of the first administrative level, for example a federal state; "" where none is known."""
    country_code: str
    """Two letters by ISO 3166-1, and XK."""
    position: Position
    population: int
    """0 where GeoNames tells none."""
    distance_km: float = 0.0
    """From the position that was asked; 0 where none was."""


def nearest(position: Position, *, least_population: int = 0) -> NamedPlace:
    """Return the place whose middle lies next to *position*, whatever the date line and the poles.

    In a large town this is often one of its quarters: :func:`well_known` gives the town.
    """
    table = _places()
    rows, distances = _around(position, least_population)
    return _named(table, int(rows[np.argmin(distances)]), float(distances.min()))


def well_known(position: Position) -> NamedPlace:
    """Return the place by which people would call where *position* is.

    Of the places within 60 km the one that draws most: inhabitants over the square of the distance, which counts as no
    less than 5 km. Where there is none, the nearest.
    """
    table = _places()
    rows = table.rows_within(position, _WELL_KNOWN_KM / _KM_PER_DEGREE)
    distances = table.distances_km(rows, position)
    rows, distances = rows[distances <= _WELL_KNOWN_KM], distances[distances <= _WELL_KNOWN_KM]
    if not len(rows):
        return nearest(position)
    draw = (table.population[rows] + 1.0) / np.maximum(distances, _NEARBY_KM) ** 2
    best = int(np.argmax(draw))
    return _named(table, int(rows[best]), float(distances[best]))


def find(name: str, languages: Iterable[str] = ("en",)) -> tuple[NamedPlace, ...]:
    """Return the places that bear *name*, the most inhabited first; none when it is the name of none.

    Case and accents do not count. Names in other languages and scripts are known of places from 15,000 inhabitants on.
    What follows a comma narrows: a country's code or its name in one of *languages*, or the name of an area
    ("Paris, US", "Berlin, Maryland").
    """
    first, *rest = (part.strip() for part in name.split(","))
    table = _places()
    places = [_named(table, row, 0.0) for row in table.rows_named(first)]
    for narrower in rest:
        country = code_of(narrower, languages)
        places = [
            place for place in places if place.country_code == country or _folded(narrower) == _folded(place.area)
        ]
    return tuple(sorted(places, key=lambda place: -place.population))


def within(
    *, south_deg: float, north_deg: float, west_deg: float, east_deg: float, most: int = 50
) -> tuple[NamedPlace, ...]:
    """Return the *most* inhabited places of a window, the greatest first.

    *east_deg* may run on past 180 (or *west_deg* past -180) where the window crosses the date line.
    """
    table = _places()
    rows = np.arange(*np.searchsorted(table.latitude_deg, (south_deg, north_deg)))
    eastward = np.mod(table.longitude_deg[rows] - west_deg, 360.0)
    rows = rows[eastward <= east_deg - west_deg]
    order = np.lexsort((rows, -table.population[rows]))[:most]
    return tuple(_named(table, int(row), 0.0) for row in rows[order])


def of_country(code: str, *, most: int = 40) -> tuple[NamedPlace, ...]:
    """Return the *most* inhabited places of a country by its two-letter code, the greatest first."""
    table = _places()
    areas = np.array([area.startswith(f"{code}|") for area in table.areas])
    rows = np.flatnonzero(areas[table.area])
    order = np.lexsort((rows, -table.population[rows]))[:most]
    return tuple(_named(table, int(row), 0.0) for row in rows[order])


def told(place: NamedPlace, *, others: int = 0) -> str:
    """Return the name of a place with its area and country, and how many smaller ones bear the same name."""
    named = ", ".join(dict.fromkeys(filter(None, (place.name, place.area, country_name(place.country_code)))))
    if not others:
        return named
    return f"{named} ({others} smaller {'place bears' if others == 1 else 'places bear'} the name; add “, country”)"


@dataclass(frozen=True, slots=True)
class _Places:
    """The table, ordered by latitude."""

    latitude_deg: NDArray[np.float64]
    longitude_deg: NDArray[np.float64]
    population: NDArray[np.int32]
    area: NDArray[np.uint16]
    areas: tuple[str, ...]
    names: tuple[str, ...]

    def rows_within(self, position: Position, reach_deg: float) -> NDArray[np.int64]:
        """Return the rows whose latitude is no further off than *reach_deg*: all that can be so near are among them."""
        low, high = np.searchsorted(
            self.latitude_deg, (position.latitude_deg - reach_deg, position.latitude_deg + reach_deg)
        )
        return np.arange(low, high)

    def distances_km(self, rows: NDArray[np.int64], position: Position) -> NDArray[np.float64]:
        """Return how far the places of *rows* are."""
        return distance_km(
            self.latitude_deg[rows],
            self.longitude_deg[rows],
            second_latitude_deg=position.latitude_deg,
            second_longitude_deg=position.longitude_deg,
        )

    def rows_named(self, name: str) -> list[int]:
        """Return the rows that bear *name* among their names."""
        wanted = _folded(name)
        if not wanted or "|" in wanted or "\n" in wanted:
            return []
        text, starts = _searchable()
        rows, at = [], text.find(wanted)
        while at >= 0:
            end = at + len(wanted)
            if text[at - 1] in "|\n" and text[end] in "|\n":
                rows.append(int(np.searchsorted(starts, at, side="right")) - 1)
            at = text.find(wanted, end)
        return list(dict.fromkeys(rows))


@cache
def _places() -> _Places:
    resource = importlib.resources.files("gtloc_forensics.earth").joinpath("data", "places.npz")
    with resource.open("rb") as file, np.load(file, allow_pickle=False) as kept:
        return _Places(
            latitude_deg=kept["latitude_e5"] / 1e5,
            longitude_deg=kept["longitude_e5"] / 1e5,
            population=kept["population"],
            area=kept["area"],
            areas=tuple(kept["areas"].tobytes().decode().split("\n")),
            names=tuple(kept["names"].tobytes().decode().split("\n")),
        )


@cache
def _searchable() -> tuple[str, NDArray[np.int64]]:
    """Return all names, folded, each between bars or line breaks, and where each row begins."""
    lines = _folded("\n".join(_places().names)).split("\n")
    starts = np.cumsum([1, *(len(line) + 1 for line in lines[:-1])])
    return "\n" + "\n".join(lines) + "\n", starts


def _folded(text: str) -> str:
    """Return *text* in small letters without accents; the vowel signs of Indian and other scripts stay."""
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))


def _around(position: Position, least_population: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return rows that hold the nearest place for sure, with their distances."""
    table, reach_deg = _places(), _FIRST_REACH_DEG
    while True:
        rows = table.rows_within(position, reach_deg)
        if least_population:
            rows = rows[table.population[rows] >= least_population]
        distances = table.distances_km(rows, position)
        # What lies outside the band of latitudes is further off than its half width.
        if len(rows) and (distances.min() <= reach_deg * _KM_PER_DEGREE or reach_deg > 180.0):
            return rows, distances
        if reach_deg > 180.0:
            raise ValueError(f"no place has {least_population} inhabitants")
        reach_deg *= 4.0


def _named(table: _Places, row: int, distance: float) -> NamedPlace:
    country_code, area = table.areas[table.area[row]].split("|", 1)
    place = NamedPlace(
        name=table.names[row].partition("|")[0],
        area=area,
        country_code=country_code,
        position=Position(float(table.latitude_deg[row]), float(table.longitude_deg[row])),
        population=int(table.population[row]),
    )
    return replace(place, distance_km=distance)
