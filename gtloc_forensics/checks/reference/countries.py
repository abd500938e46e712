"""Countries of a time zone: whose land keeps it, who else claims it, and which state a territory belongs to.

Zones and their countries come from the zone database (``zone.tab`` of the tzdata package).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from functools import cache

from gtloc_forensics.earth import globe, zones
from gtloc_forensics.earth.countries import country_at, country_name
from gtloc_forensics.records import Position, Sentence

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


# Codes that the zone database has no zone for, beside those of the zones that meet there: borders tell their land.
WITHOUT_ZONE = {"XK": frozenset({"AL", "ME", "MK", "RS"})}

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


def around(position: Position, *, distance_km: float) -> frozenset[str]:
    """Return the two-letter codes of the countries within a distance of *position*; none for the open sea.

    Zones tell most. Of a state so small that no zone of its own is met on the way round, the main place tells
    (Monaco, Vatican City); of one that has no zone, the borders do (Kosovo).
    """
    found = frozenset[str]().union(*(of_zone(zone) for zone in zones.zones_near(position, distance_km=distance_km)))
    if not found:
        return found
    small = (zone for place, zone in _main_places() if globe.apart_km(position, place) <= distance_km)
    found = found.union(*(of_zone(zone) for zone in small))
    return found | {
        code for code, beside in WITHOUT_ZONE.items() if beside & found and _is_land_of(code, position, distance_km)
    }


def _is_land_of(code: str, position: Position, distance_km: float) -> bool:
    return any(country_at(place) == code for place in _round(position, distance_km))


def _round(position: Position, distance_km: float) -> Iterator[Position]:
    """Yield the position and places round it, at the distance and at half of it."""
    yield position
    for share, azimuth_deg in itertools.product((0.5, 1.0), range(0, 360, 45)):
        reach_deg = math.degrees(share * distance_km / globe.EARTH_RADIUS_KM)
        north = position.latitude_deg + reach_deg * math.cos(math.radians(azimuth_deg))
        narrowing = max(0.01, math.cos(math.radians(position.latitude_deg)))
        east = position.longitude_deg + reach_deg * math.sin(math.radians(azimuth_deg)) / narrowing
        if abs(north) <= 90.0:
            yield Position(north, (east + 180.0) % 360.0 - 180.0)


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
def _main_places() -> tuple[tuple[Position, str], ...]:
    """Return the main place of every zone, as the zone database has it in ISO 6709, and the zone."""
    found = []
    for row in zones.tzdata_table("zone.tab"):
        parts = _ISO_6709.fullmatch(row[1])
        if parts is not None:
            north, east = (_degrees(parts[axis]) for axis in ("north", "east"))
            found.append((Position(north, east), row[2]))
    return tuple(found)


_ISO_6709 = re.compile(r"(?P<north>[+-](?:[0-9]{4}|[0-9]{6}))(?P<east>[+-](?:[0-9]{5}|[0-9]{7}))")


def _degrees(written: str) -> float:
    """Return ±DDMM, ±DDDMM, ±DDMMSS or ±DDDMMSS in degrees."""
    digits = written[1:]
    has_seconds = len(digits) > 5
    seconds = int(digits[-2:]) if has_seconds else 0
    minutes = int(digits[:-2][-2:]) if has_seconds else int(digits[-2:])
    whole = int(digits[:-4]) if has_seconds else int(digits[:-2])
    return (-1.0 if written[0] == "-" else 1.0) * (whole + minutes / 60.0 + seconds / 3600.0)


@cache
def _zone_table() -> dict[str, frozenset[str]]:
    # zone1970.tab would merge countries whose clocks agree since 1970: Berlin with Oslo.
    return {fields[2]: frozenset(fields[0].split(",")) for fields in zones.tzdata_table("zone.tab")}
