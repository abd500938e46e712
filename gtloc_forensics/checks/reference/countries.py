"""Countries of a time zone: whose land keeps it, who else claims it, and which state a territory belongs to.

Zones and their countries come from the zone database (``zone.tab`` of the tzdata package).
"""

from __future__ import annotations

from functools import cache

from gtloc_forensics.earth import zones
from gtloc_forensics.earth.countries import country_name
from gtloc_forensics.records import Sentence

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


def name_of(code: str) -> Sentence:
    """Return the English name of a two-letter code, as a sentence that other languages have a name for."""
    return Sentence(country_name(code))


@cache
def _zone_table() -> dict[str, frozenset[str]]:
    # zone1970.tab would merge countries whose clocks agree since 1970: Berlin with Oslo.
    return {fields[2]: frozenset(fields[0].split(",")) for fields in zones.tzdata_table("zone.tab")}
