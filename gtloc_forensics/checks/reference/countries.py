"""Countries: of a time zone, and behind a name or code written into a file.

Codes come from the zone database (``zone.tab`` and ``iso3166.tab`` of the tzdata package), names from there and
from the Unicode CLDR; what people write besides is in
:data:`ALSO_CALLED`.
"""

from __future__ import annotations

import importlib.resources
from functools import cache

from gtloc_forensics.records import Sentence

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

# Zones that a second state claims or administers, so that its name there is no sign of a moved position.
ALSO_CLAIMED = {
    "Africa/El_Aaiun": "MA",
    "Asia/Famagusta": "TR",
    "Asia/Hebron": "IL",
    "Asia/Hong_Kong": "CN",
    "Asia/Macau": "CN",
    "Asia/Taipei": "CN",
    "Europe/Simferopol": "RU",
}


# Territories with a code of their own (ISO 3166-1) under the state they belong to, whose name captions use as well.
TERRITORIES = {
    "AU": "CC CX HM NF",
    "DK": "FO GL",
    "FI": "AX",
    "FR": "BL GF GP MF MQ NC PF PM RE TF WF YT",
    "GB": "AI BM FK GG GI GS IM IO JE KY MS PN SH TC VG",
    "NL": "AW BQ CW SX",
    "NO": "BV SJ",
    "NZ": "CK NU TK",
    "US": "AS GU MP PR UM VI",
}
STATE_OF = {territory: state for state, territories in TERRITORIES.items() for territory in territories.split()}


@cache
def of_zone(zone: str) -> frozenset[str]:
    """Return the two-letter codes of the countries that keep *zone*; none for the open sea."""
    own = _zone_table().get(zone, frozenset())
    own |= {STATE_OF[code] for code in own if code in STATE_OF}
    return own | {ALSO_CLAIMED[zone]} if zone in ALSO_CLAIMED else own


def code_of(written: str) -> str | None:
    """Return the two-letter code behind a country's name or code, None when it is not surely one."""
    return _names().get(" ".join(written.lower().split()))


def name_of(code: str) -> Sentence:
    """Return the English name of a two-letter code, as a sentence that other languages have a name for."""
    return Sentence(_named().get(code) or _english().get(code, code))


@cache
def _zone_table() -> dict[str, frozenset[str]]:
    # zone1970.tab would merge countries whose clocks agree since 1970: Berlin with Oslo.
    return {fields[2]: frozenset(fields[0].split(",")) for fields in _rows("zone.tab")}


@cache
def _english() -> dict[str, str]:
    return {fields[0]: fields[1] for fields in _rows("iso3166.tab")}


@cache
def _named() -> dict[str, str]:
    from babel import Locale

    return {code: name for code, name in Locale("en").territories.items() if len(code) == 2 and code.isalpha()}


@cache
def _names() -> dict[str, str]:
    names = {english.lower(): code for code, english in (*_named().items(), *_english().items())}
    names |= {code.lower(): code for code in _english()}
    return names | {name.replace("_", " "): code for code, others in ALSO_CALLED.items() for name in others.split()}


def _rows(file: str) -> list[list[str]]:
    try:
        text = importlib.resources.files("tzdata").joinpath("zoneinfo", file).read_text(encoding="utf-8")
    except (ModuleNotFoundError, FileNotFoundError):
        return []
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
