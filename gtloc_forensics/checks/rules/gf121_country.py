"""GF121 — The country written in the file against the position.

Shows: that a country named in IPTC or XMP is not the one at the claimed coordinates, as after one of the
two was changed.

Cannot show: which is wrong; anything within one country.

Blind spots: captions name the country of the subject or the agency now and then; names in languages
outside the table are passed over.

Threshold: the countries of all time zones within 50 km, and those of their main places, so that borders, disputed
land and coarse zone polygons excuse themselves. In the open sea nothing is tested.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.reference import countries
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


@check("GF121", title="The country written in the file against the position", needs=("claim",), version="3")
def country(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare named countries with those around the position."""
    claim = claim_of(photo)
    texts = {tag: text for tag in COUNTRY_TAGS if (text := tag_values.text(claim.tags, tag))}
    named = {tag: code for tag, text in texts.items() if (code := code_of(text)) is not None}
    if not named or not isinstance(claim.position, Stated):
        why = Sentence("no country is named, or no position is there")
        yield not_testable("GF121", claim.source_id, why)
        return
    around = countries.around(claim.position.value, distance_km=BORDER_KM)
    foreign = {tag: code for tag, code in named.items() if code not in around}
    if not around:
        yield not_testable("GF121", claim.source_id, Sentence("the position lies in the open sea"))
    elif not foreign:
        names = tuple(sorted({countries.name_of(code) for code in named.values()}))
        yield consistent(
            "GF121",
            claim.source_id,
            _there(names, around),
        )
    else:
        tag, code = next(iter(foreign.items()))
        yield findings.suspicious(
            "GF121",
            claim,
            _foreign(tag, code, around),
            kind="position",
            severity=Severity.MEDIUM,
            confidence=Confidence.STRONG,
            observed=tuple(findings.entry(tag, texts[tag][:60]) for tag in foreign),
            innocent=(Sentence("the caption names the country of the subject or of the agency"),),
            facts={"named": code, "around": ",".join(sorted(around))},
        )


def _there(names: tuple[Sentence, ...], around: frozenset[str]) -> Sentence:
    if len(around) == 1:
        return Sentence("{countries} is where the position lies.", countries=names)
    return Sentence(
        "Land of {countries:and} lies within {border_km:.0f} km of the position.", countries=names, border_km=BORDER_KM
    )


def _foreign(tag: str, code: str, around: frozenset[str]) -> Sentence:
    country, lands = countries.name_of(code), tuple(sorted(countries.name_of(land) for land in around))
    if len(around) == 1:
        return Sentence(
            "{tag} says {country}, but the position lies in {around}.", tag=tag, country=country, around=lands
        )
    return Sentence(
        "{tag} says {country}, but within {border_km:.0f} km of the position lies land of {around:and} only.",
        tag=tag,
        country=country,
        around=lands,
        border_km=BORDER_KM,
    )
