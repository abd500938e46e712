"""GF112 — The altitude against what the place allows.

Shows: altitudes below the lowest land or above all aircraft, and heights over the open sea
that neither ship nor bridge has.

Cannot show: whether the altitude fits the ground below; there is no terrain model here.

Blind spots: altitude is the weakest part of a fix (tens of metres), counted from the ellipsoid by
some and from the sea by others (−106 to +85 m), and its sign is often lost.

Threshold: −550 m (the Dead Sea's shore, −430 m, less the geoid and an error), 14,000 m (above
airliners), and 500 m over the open sea, which a receiver's speed above 200 km/h explains, or a height that only
aircraft have (above all mountains; at sea 5,000 m) where the receiver tells no speed: no sign that was lost puts a
town so high.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.reference import devices
from gtloc_forensics.earth import zones
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Absent, Finding, Photo, Sentence, Severity

LOWEST_M = -550.0
HIGHEST_M = 14_000.0
OVER_SEA_M = 500.0
EVEREST_M = 8_900.0


@check("GF112", title="The altitude against what the place allows", needs=("claim",), version="2")
def altitude(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare the altitude with the extremes of land, sea and air."""
    claim = claim_of(photo)
    if isinstance(claim.altitude_m, Absent):
        yield not_testable("GF112", claim.source_id, claim.altitude_m)
        return
    height_m = claim.altitude_m.value
    at_sea = bool(claim.zones) and all(zones.is_nautical(zone) for zone in claim.zones)
    facts = {"altitude_m": height_m, "open_sea": at_sea}
    if not LOWEST_M <= height_m <= HIGHEST_M:
        yield findings.suspicious(
            "GF112",
            claim,
            Sentence("An altitude of {height_m:.0f} m is below all land.", height_m=height_m)
            if height_m < 0
            else Sentence("An altitude of {height_m:.0f} m is above all airliners.", height_m=height_m),
            kind="position",
            innocent=(Sentence("a bad fix"), Sentence("feet written as metres")),
            facts=facts,
        )
    elif devices.speed_km_h(claim) > devices.FLYING_KM_H and (height_m > OVER_SEA_M or at_sea):
        summary = Sentence("{height_m:.0f} m at flying speed.", height_m=height_m)
        yield findings.explained("GF112", claim, summary, kind="aircraft", facts=facts)
    elif _is_airliners(height_m, at_sea=at_sea) and not tag_values.text(claim.tags, "GPS:GPSSpeed"):
        summary = Sentence("{height_m:.0f} m is the height of an airliner.", height_m=height_m)
        yield findings.explained("GF112", claim, summary, kind="aircraft", facts=facts)
    elif height_m > EVEREST_M or (at_sea and height_m > OVER_SEA_M):
        yield findings.suspicious(
            "GF112",
            claim,
            Sentence(
                "An altitude of {height_m:.0f} m over the open sea, and nothing says it was in the air.",
                height_m=height_m,
            )
            if at_sea
            else Sentence(
                "An altitude of {height_m:.0f} m above all mountains, but not the speed of an aircraft.",
                height_m=height_m,
            ),
            kind="position",
            severity=Severity.MEDIUM if at_sea else Severity.LOW,
            innocent=(Sentence("an aircraft"), Sentence("a position moved to the sea by a lost sign")),
            facts=facts,
        )
    else:
        summary = Sentence("{height_m:.0f} m is possible there.", height_m=height_m)
        yield consistent("GF112", claim.source_id, summary, facts=facts)


def _is_airliners(height_m: float, *, at_sea: bool) -> bool:
    return height_m > EVEREST_M or (at_sea and height_m > devices.FLYING_M)
