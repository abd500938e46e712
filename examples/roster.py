"""Which photos the example case holds: where each was really taken, and what was done to its claim.

Three cameras, each on its own journey. ``fault`` names what is wrong with a claim; the empty
string is a photo whose every tag is true.
"""

from __future__ import annotations

from dataclasses import dataclass

KESTRION, NORDVALE, QUILLMARK = 0, 1, 2

CLOCK_AHEAD = "clock 6 h ahead"
ZONE_FORGOTTEN = "zone forgotten"
POSITION_FAR = "position 5,000 km away"
NOON_AT_MIDNIGHT = "noon claimed as midnight"
JANUARY_GREEN = "July claimed as January"
COPY_REDATED = "copy with another date"
FACTORY_DATE = "factory-default date"


@dataclass(frozen=True, slots=True)
class Take:
    """One photo to take: local civil time at a place named in ``imagined.scenes.PLACES``."""

    camera: int
    place: str
    local: str
    ground: str
    weather: str = "clear"
    heading_deg: float = 0.0
    fault: str = ""
    positioned: bool = True  # whether the file says where


ROSTER = (
    Take(KESTRION, "Berlin", "2023-05-14T11:20", "park", heading_deg=300),
    Take(KESTRION, "Berlin", "2023-07-22T20:40", "street", heading_deg=285, positioned=False),
    Take(KESTRION, "Zermatt", "2023-08-03T10:15", "mountain", "broken", 20),
    Take(KESTRION, "Kyoto", "2023-10-30T15:25", "park", heading_deg=20, fault=ZONE_FORGOTTEN),
    Take(KESTRION, "Kyoto", "2023-10-31T09:40", "village", "broken", 330, ZONE_FORGOTTEN),
    Take(KESTRION, "Berlin", "2023-11-18T12:10", "street", "rain", 80, positioned=False),
    Take(KESTRION, "Zermatt", "2024-02-10T13:30", "village", heading_deg=110),
    Take(KESTRION, "Helsinki", "2024-07-09T12:30", "park", heading_deg=320, fault=JANUARY_GREEN),
    Take(KESTRION, "Lisbon", "2024-08-19T16:05", "street", heading_deg=35, fault=FACTORY_DATE, positioned=False),
    Take(KESTRION, "Lisbon", "2024-08-20T19:50", "coast", heading_deg=276),
    Take(KESTRION, "Lisbon", "2024-08-20T22:35", "street", heading_deg=10),
    Take(KESTRION, "Berlin", "2024-11-03T14:20", "park", heading_deg=120),
    Take(NORDVALE, "Denver", "2022-04-02T09:10", "park", "broken", 340, CLOCK_AHEAD),
    Take(NORDVALE, "Denver", "2022-04-02T19:05", "street", heading_deg=270, fault=CLOCK_AHEAD),
    Take(NORDVALE, "Tucson", "2022-04-05T12:30", "desert", heading_deg=80, fault=CLOCK_AHEAD),
    Take(NORDVALE, "Tucson", "2022-04-05T17:40", "desert", heading_deg=150, fault=CLOCK_AHEAD),
    Take(NORDVALE, "Honolulu", "2022-04-11T08:20", "coast", "broken", 220, CLOCK_AHEAD),
    Take(NORDVALE, "Honolulu", "2022-04-11T15:30", "park", heading_deg=40, fault=CLOCK_AHEAD),
    Take(NORDVALE, "Denver", "2022-04-20T21:30", "street", heading_deg=180, fault=CLOCK_AHEAD),
    Take(QUILLMARK, "Helsinki", "2024-01-15T11:40", "park", heading_deg=120),
    Take(QUILLMARK, "Helsinki", "2024-01-15T17:45", "street", "overcast", 200),
    Take(QUILLMARK, "Helsinki", "2024-03-30T15:00", "coast", "overcast", 240),
    Take(QUILLMARK, "Reykjavik", "2024-06-20T22:50", "coast", heading_deg=330),
    Take(QUILLMARK, "Singapore", "2024-09-12T10:05", "park", "broken", 350),
    Take(QUILLMARK, "Singapore", "2024-09-12T10:05", "park", "broken", 350, COPY_REDATED),
    Take(QUILLMARK, "Perth", "2024-09-15T16:40", "coast", heading_deg=215),
    Take(QUILLMARK, "Perth", "2024-09-16T12:10", "park", heading_deg=170, fault=NOON_AT_MIDNIGHT),
    Take(QUILLMARK, "Queenstown", "2024-09-20T13:15", "mountain", "broken", 130),
    Take(QUILLMARK, "Queenstown", "2024-09-21T09:30", "meadow", heading_deg=300, fault=POSITION_FAR),
    Take(QUILLMARK, "Delhi", "2024-11-14T08:20", "street", "fog", 60),
)
