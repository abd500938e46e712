"""GF109 — Two positions in one file.

Shows: that EXIF, XMP and other blocks give positions too far apart to be the same place:
one was changed without the other.

Cannot show: which is true; anything for files with one position only.

Blind spots: tools that write every block; XMP made from an EXIF position that was already
false. Positions of what is depicted are not compared.

Threshold: 1 km. XMP rounds to a ten-thousandth of a minute at worst (0.2 m), but programs
that hide a home round to 0.01° (1.1 km), which is excused up to 2 km.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable, position_slips
from gtloc_forensics.earth import globe
from gtloc_forensics.records import Confidence, Finding, Photo, Position, Sentence, Severity, Stated

SAME_KM = 1.0
ROUNDED_KM = 2.0
FAR_KM = 50.0
SIDECAR = "sidecar"  # before the name of a tag read from an XMP file beside the photo
SERVICE = f"{SIDECAR}:JSON:"  # of a tag read from the JSON file of a photo service


@check("GF109", title="Two positions in one file", needs=("claim",), version="4")
def two_positions(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare the position that won with those that lost."""
    claim = claim_of(photo)
    if not isinstance(claim.position, Stated) or not claim.position.rivals:
        yield not_testable("GF109", claim.source_id, Sentence("fewer than two positions in the file"))
        return
    main = claim.position
    distances = {rival.tag: globe.apart_km(main.value, rival.value) for rival in main.rivals}
    tag, farthest_km = max(distances.items(), key=lambda item: item[1])
    observed = (_entry(main.tag, main.value), *(_entry(rival.tag, rival.value) for rival in main.rivals))
    facts = {"distance_km": farthest_km, "tag": tag}
    if farthest_km <= SAME_KM:
        summary = Sentence("All positions are within {farthest_m:.0f} m.", farthest_m=farthest_km * 1000)
        yield consistent("GF109", claim.source_id, summary, facts=facts)
    elif farthest_km <= ROUNDED_KM:
        summary = Sentence(
            "{tag} is {farthest_km:.1f} km off: as a rounding to 0.01° makes.", tag=tag, farthest_km=farthest_km
        )
        yield findings.explained("GF109", claim, summary, kind="rounded-position", observed=observed, facts=facts)
    elif SIDECAR in (tag.split(":")[0], main.tag.split(":")[0]):
        beside = tag if tag.startswith(SIDECAR) else main.tag
        is_service = beside.startswith(SERVICE)
        summary = (
            Sentence(
                "{tag}, which a photo service keeps beside the file, is {farthest_km:.0f} km from the file's own "
                "position: the service shows the place that its user set there, or one that it guessed.",
                tag=beside.removeprefix(f"{SIDECAR}:"),
                farthest_km=farthest_km,
            )
            if is_service
            else Sentence(
                "{tag} is {farthest_km:.0f} km from the file's own position: a correction kept beside the photo.",
                tag=beside,
                farthest_km=farthest_km,
            )
        )
        kind = "second-witness" if is_service else "sidecar"
        yield findings.explained("GF109", claim, summary, kind=kind, observed=observed, facts=facts)
    else:
        slips = [slip for rival in main.rivals for slip in _slips(main.value, rival.value)]
        yield findings.suspicious(
            "GF109",
            claim,
            Sentence(
                "{tag} is {farthest_km:.0f} km from {main_tag}: they cannot both be the place of the capture.",
                tag=tag,
                farthest_km=farthest_km,
                main_tag=main.tag,
            ),
            kind="position",
            severity=Severity.HIGH if farthest_km > FAR_KM else Severity.MEDIUM,
            confidence=Confidence.STRONG,
            observed=observed,
            inferred=tuple(Sentence("The two are alike but for {slip}.", slip=slip) for slip in slips),
            innocent=(
                Sentence("a position was corrected in one block only"),
                Sentence("one of them places the subject, not the camera"),
            ),
            facts=facts,
        )


def _slips(first: Position, second: Position) -> list[Sentence]:
    return [slip for slip, repaired in position_slips.repairs(second) if globe.apart_km(first, repaired) <= SAME_KM]


def _entry(tag: str, position: Position) -> Sentence:
    place = (position.latitude_deg, position.longitude_deg)
    return Sentence("{tag}: {place:.5f}.", tag=tag, place=place)
