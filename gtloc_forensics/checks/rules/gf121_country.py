"""GF121 — The country written in the file against the position.

Shows: that a country named in IPTC or XMP is not the one at the claimed coordinates, as after one of the
two was changed.

Cannot show: which is wrong; anything within one country.

Blind spots: captions name the country of the subject or the agency now and then; names in languages
outside the table are passed over.

Threshold: the countries of all time zones within 50 km, so that borders, disputed land and coarse zone
polygons excuse themselves. In the open sea nothing is tested.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.reference import countries
from gtloc_forensics.earth import zones as earth_zones
from gtloc_forensics.earth.countries import code_of
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Confidence, Finding, Photo, Sentence, Severity, Stated

BORDER_KM = 50.0
COUNTRY_TAGS = (
    "IPTC:Country-PrimaryLocationCode",
    "IPTC:Country-PrimaryLocationName",
    "XMP-iptcCore:CountryCode",
    "XMP-photoshop:Country",
    "XMP-iptcExt:LocationCreatedCountryCode",
    "XMP-iptcExt:LocationCreatedCountryName",
)


@check("GF121", title="The country written in the file against the position", needs=("claim",), version="2")
def country(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare named countries with those around the position."""
    claim = claim_of(photo)
    texts = {tag: text for tag in COUNTRY_TAGS if (text := tag_values.text(claim.tags, tag))}
    named = {tag: code for tag, text in texts.items() if (code := code_of(text)) is not None}
    if not named or not isinstance(claim.position, Stated):
        why = Sentence("no country is named, or no position is there")
        yield not_testable("GF121", claim.source_id, why)
        return
    zones = earth_zones.zones_near(claim.position.value, distance_km=BORDER_KM)
    around = frozenset[str]().union(*(countries.of_zone(zone) for zone in zones))
    foreign = {tag: code for tag, code in named.items() if code not in around}
    if not around:
        yield not_testable("GF121", claim.source_id, Sentence("the position lies in the open sea"))
    elif not foreign:
        names = tuple(sorted({countries.name_of(code) for code in named.values()}))
        yield consistent("GF121", claim.source_id, Sentence("{countries} is where the position lies.", countries=names))
    else:
        tag, code = next(iter(foreign.items()))
        yield findings.suspicious(
            "GF121",
            claim,
            Sentence(
                "{tag} says {country}, but the position lies in {around}.",
                tag=tag,
                country=countries.name_of(code),
                around=tuple(sorted(countries.name_of(code) for code in around)),
            ),
            kind="position",
            severity=Severity.MEDIUM,
            confidence=Confidence.STRONG,
            observed=tuple(findings.entry(tag, texts[tag][:60]) for tag in foreign),
            innocent=(Sentence("the caption names the country of the subject or of the agency"),),
            facts={"named": code, "around": ",".join(sorted(around))},
        )
