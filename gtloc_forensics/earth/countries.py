"""Countries: whose land a position is on, the names behind a code, and the borders between them.

Borders are Natural Earth's at 1:50 million, good to a few kilometres, and drawn as they are kept, not as any state
claims them. Codes are those of ISO 3166-1 and XK (``earth/data/README.md``). Names are those of the Unicode CLDR in
each of its languages, as Babel has them; what people write besides is in :data:`ALSO_CALLED`.
"""

from __future__ import annotations

import importlib.resources
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth.topology import Floats, chains_of, edges_of, topology
from gtloc_forensics.earth.zones import tzdata_table
from gtloc_forensics.records import Position

# Lower case. Official names, own names and three-letter codes that cameras and news desks write.
ALSO_CALLED = {
    "AT": "österreich aut",
    "AU": "aus",
    "BE": "belgië belgique bel",
    "BR": "brasil bra",
    "CA": "can",
    "CH": "schweiz suisse svizzera che",
    "CL": "chl",
    "CN": "people's_republic_of_china prc chn",
    "CO": "col",
    "CZ": "czechia česko cze",
    "DE": "deutschland deu ger",
    "DK": "danmark dnk",
    "EG": "egy",
    "ES": "españa esp",
    "FI": "suomi fin",
    "FR": "fra",
    "GB": "united_kingdom great_britain uk england scotland wales northern_ireland gbr",
    "GR": "ελλάδα hellas grc",
    "HK": "hkg",
    "HR": "hrvatska hrv",
    "HU": "magyarország hun",
    "ID": "idn",
    "IE": "éire irl",
    "IL": "isr",
    "IN": "bharat ind",
    "IR": "islamic_republic_of_iran irn",
    "IS": "ísland isl",
    "IT": "italia ita",
    "JP": "日本 nippon jpn",
    "KE": "ken",
    "KR": "south_korea republic_of_korea korea 대한민국 kor",
    "LB": "lbn liban",
    "MA": "maroc mar",
    "MM": "myanmar burma mmr",
    "MX": "méxico mex",
    "MY": "mys",
    "NL": "nederland the_netherlands holland nld",
    "NO": "norge noreg nor",
    "NZ": "aotearoa nzl",
    "PE": "perú per",
    "PH": "phl",
    "PL": "polska pol",
    "PT": "prt",
    "RO": "românia rou",
    "RU": "russian_federation россия rus",
    "SE": "sverige swe",
    "SG": "sgp",
    "TH": "tha",
    "TR": "türkiye turkiye tur",
    "TW": "taiwan twn",
    "UA": "україна ukr",
    "US": "united_states_of_america usa u.s. u.s.a. estados_unidos",
    "VN": "viet_nam việt_nam vnm",
    "ZA": "zaf rsa",
}

_FILE = "countries-50m.json"
_NUDGE_DEG = 1e-7  # many vertices lie exactly on whole degrees: look one centimetre beside them
_SOUTHERNMOST_DEG = -89.99  # the data close Antarctica along 89.999° S
# Shapes without a number of their own, by their name in the file, and the code they stand under here.
_UNNUMBERED = {"Kosovo": "XK"}


def country_at(position: Position) -> str | None:
    """Return the two-letter code of the country whose land *position* is on, by borders good to a few kilometres.

    None at sea, on islets that the map leaves out, and where the map shows land that has no code of its own.
    """
    edges, owners, codes = _edges()
    latitude = max(position.latitude_deg, _SOUTHERNMOST_DEG)
    east = (position.longitude_deg + _NUDGE_DEG + 180.0) % 360.0 - 180.0
    crossed = np.zeros(len(codes), dtype=np.int64)
    for longitude in (east - 360.0, east, east + 360.0):
        west_end, south, east_end, north = edges.T
        spans = (np.minimum(west_end, east_end) <= longitude) & (longitude < np.maximum(west_end, east_end))
        west_end, south, east_end, north = edges[spans].T
        height = south + (north - south) * (longitude - west_end) / (east_end - west_end)
        crossed += np.bincount(owners[spans][height > latitude], minlength=len(codes))
    inside = [codes[number] for number in np.flatnonzero(crossed % 2)]
    return inside[0] if len(inside) == 1 else None


def country_name(code: str, language: str = "en") -> str:
    """Return the name of a two-letter code in *language*; the code itself where there is no name."""
    return country_names(language).get(code, code)


@cache
def country_names(language: str) -> Mapping[str, str]:
    """Return the names of all countries in *language* by their two-letter codes; none where it is not known."""
    from babel import Locale, UnknownLocaleError  # late: most runs ask for no name

    try:
        names = Locale.parse(language, sep="-").territories
    except (UnknownLocaleError, ValueError):
        return {}
    return {code: str(names[code]) for code in _codes() if code in names}


def country_codes() -> tuple[str, ...]:
    """Return all two-letter codes."""
    return tuple(_codes())


def code_of(written: str, languages: Iterable[str] = ("en",)) -> str | None:
    """Return the two-letter code behind a name or a code of two or three letters, else None.

    Args:
        written: as people write it; case and spaces do not count.
        languages: whose names count, beside the other names of :data:`ALSO_CALLED`.
    """
    return _by_name(tuple(languages)).get(" ".join(written.casefold().split()))


@cache
def borders() -> tuple[Floats, ...]:
    """Return the lines between countries, ``[points, 2]`` (longitude, latitude) each; coasts are not among them."""
    kept = topology(_FILE)
    uses = Counter(
        index if index >= 0 else ~index
        for shape in kept.layers["countries"]
        for chain in chains_of(shape)
        for index in chain
    )
    return tuple(kept.arcs[index] for index, count in sorted(uses.items()) if count > 1)


@cache
def _edges() -> tuple[Floats, NDArray[np.int64], tuple[str | None, ...]]:
    """Return all edges of all countries, the country of each and the countries' codes."""
    kept = topology(_FILE)
    shapes = kept.layers["countries"]
    by_number = {names["numeric"]: code for code, names in _codes().items() if names["numeric"]}
    codes = tuple(
        by_number.get(str(shape.get("id", "")), _UNNUMBERED.get(shape["properties"]["name"])) for shape in shapes
    )
    parts = [(number, edges_of(ring)) for number, shape in enumerate(shapes) for ring in kept.rings(shape)]
    owners = np.repeat([number for number, _ in parts], [len(edges) for _, edges in parts])
    return np.concatenate([edges for _, edges in parts]), owners, codes


@cache
def _codes() -> dict[str, dict[str, str]]:
    """Return the three-letter and the numeric code of each two-letter one."""
    resource = importlib.resources.files("gtloc_forensics.earth").joinpath("data", "countries.json")
    codes: dict[str, dict[str, str]] = json.loads(resource.read_text(encoding="utf-8"))
    return codes


@cache
def _by_name(languages: tuple[str, ...]) -> dict[str, str]:
    found = {written.casefold(): code for code, other in _codes().items() for written in (code, other["alpha3"])}
    found |= {row[1].casefold(): row[0] for row in tzdata_table("iso3166.tab")}
    for language in languages:
        found |= {name.casefold(): code for code, name in country_names(language).items()}
    return found | {name.replace("_", " "): code for code, others in ALSO_CALLED.items() for name in others.split()}
