"""GF110 — The form of the position: empty, rounded, without its sign.

Shows: positions that no receiver wrote as they stand: the empty 0, 0; equal latitude and
longitude; coordinates that no place has; whole minutes or hundredths of a degree; hemispheres missing,
or named by a letter that EXIF does not know.

Cannot show: that such a position is wrong. People type positions in, and programs round
them on purpose to protect a home.

Blind spots: a forger types enough digits.

Threshold: both coordinates within a millionth of a degree of a multiple of 0.01° or of a whole
minute. A genuine fix with six decimals does so once in ten million, one in whole seconds
once in 3,600.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, not_testable
from gtloc_forensics.checks import findings as checks_findings
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Absent, Claim, Finding, Photo, Position, Sentence, Severity, Stated

GRAIN_DEG = 1e-6
LONGEST_SHOWN = 20
COARSE_GRIDS = (
    (100.0, Sentence("a hundredth of a degree (1.1 km)")),
    (60.0, Sentence("a whole minute of arc (1.9 km)")),
)


@check("GF110", title="The form of the position: empty, rounded, without its sign", needs=("claim",), version="4")
def position_form(photo: Photo, context: Context) -> Iterator[Finding]:
    """Look at how the position is written."""
    claim = claim_of(photo)
    if claim.position is Absent.NO_FIX:
        summary = Sentence(
            "The position is empty (0, 0 or a void fix): the receiver had none, so there is no position."
        )
        yield checks_findings.explained("GF110", claim, summary, kind="no-fix")
    elif (beyond := _beyond_the_globe(claim)) is not None:
        yield beyond
    elif not isinstance(claim.position, Stated):
        yield not_testable("GF110", claim.source_id, claim.position)
    else:
        findings = list(_remarks(claim, claim.position.value))
        yield from findings or [
            consistent("GF110", claim.source_id, Sentence("The position is written as receivers write it."))
        ]


def _beyond_the_globe(claim: Claim) -> Finding | None:
    """Tell coordinates that are none, and what they would be with the one slip that makes such."""
    latitude = tag_values.first_number(claim.tags, "GPS:GPSLatitude", "XMP-exif:GPSLatitude")
    longitude = tag_values.first_number(claim.tags, "GPS:GPSLongitude", "XMP-exif:GPSLongitude")
    if latitude is None or longitude is None:
        return None
    if 90.0 < abs(latitude) <= 180.0 and abs(longitude) <= 90.0:
        summary = Sentence(
            "{latitude_deg:.4f}° is no latitude: latitude and longitude stand the wrong way round.",
            latitude_deg=abs(latitude),
        )
        return checks_findings.suspicious(
            "GF110",
            claim,
            summary,
            kind="position",
            severity=Severity.MEDIUM,
            innocent=(Sentence("a program that writes the two in the other order"),),
        )
    if 180.0 < abs(longitude) <= 360.0 and abs(latitude) <= 90.0:
        summary = Sentence(
            "The longitude {longitude_deg:.4f}° is counted through to 360°: it is {usual_deg:.4f}°.",
            longitude_deg=longitude,
            usual_deg=longitude - 360.0,
        )
        return checks_findings.explained("GF110", claim, summary, kind="longitude-360")
    if abs(latitude) > 90.0 or abs(longitude) > 180.0:
        summary = (
            Sentence("{latitude_deg:.4f}° is no latitude: there is no such place.", latitude_deg=latitude)
            if abs(latitude) > 90.0
            else Sentence("{longitude_deg:.4f}° is no longitude: there is no such place.", longitude_deg=longitude)
        )
        return checks_findings.suspicious(
            "GF110",
            claim,
            summary,
            kind="position",
            severity=Severity.MEDIUM,
            innocent=(Sentence("damage to the file"), Sentence("a program that writes another unit")),
        )
    return None


def _remarks(claim: Claim, position: Position) -> Iterator[Finding]:
    latitude, longitude = position.latitude_deg, position.longitude_deg
    if missing := _missing_hemispheres(claim):
        yield checks_findings.suspicious(
            "GF110",
            claim,
            Sentence("The position lacks {tags:and}: its hemisphere is a guess.", tags=missing),
            kind="position",
            severity=Severity.MEDIUM,
            innocent=(Sentence("a program that writes signed numbers"),),
        )
    for tag, written in _unknown_hemispheres(claim):
        yield checks_findings.suspicious(
            "GF110",
            claim,
            Sentence(
                "{tag} holds {text:quoted}, which is no hemisphere of EXIF (N, S, E, W): on which side the position "
                "lies is a guess.",
                tag=tag,
                text=written,
            ),
            kind="position",
            severity=Severity.MEDIUM,
            innocent=(
                Sentence("a program that writes the letters of its own language (O is west to some, east to others)"),
            ),
        )
    if abs(latitude) == abs(longitude) and latitude != 0.0:
        yield checks_findings.suspicious(
            "GF110",
            claim,
            Sentence("Latitude and longitude are the same number ({degrees:g}).", degrees=abs(latitude)),
            kind="position",
            innocent=(Sentence("chance, once in a million positions"),),
        )
    elif (grid := _coarse(latitude, longitude)) is not None:
        yield checks_findings.explained(
            "GF110",
            claim,
            Sentence("The position is rounded to {grid}: typed by hand, or blurred on purpose.", grid=grid),
            kind="rounded-position",
            limitations=(Sentence("Distances under some kilometres mean nothing here."),),
        )


def _missing_hemispheres(claim: Claim) -> list[str]:
    signs = {"GPS:GPSLatitude": "GPS:GPSLatitudeRef", "GPS:GPSLongitude": "GPS:GPSLongitudeRef"}
    return [
        ref.split(":")[1]
        for tag, ref in signs.items()
        if (degrees := tag_values.first_number(claim.tags, tag)) is not None
        and degrees > 0.0
        and not tag_values.text(claim.tags, ref)
    ]


def _unknown_hemispheres(claim: Claim) -> list[tuple[str, str]]:
    """Return the references that are there and name neither of the two hemispheres, where the sign does not either."""
    axes = (("GPS:GPSLatitude", "NS"), ("GPS:GPSLongitude", "EW"))
    return [
        (f"{tag.split(':')[1]}Ref", written[:LONGEST_SHOWN])
        for tag, letters in axes
        if (degrees := tag_values.first_number(claim.tags, tag)) is not None
        and degrees > 0.0
        and (written := tag_values.text(claim.tags, f"{tag}Ref"))
        and written[0].upper() not in letters
    ]


def _coarse(latitude: float, longitude: float) -> Sentence | None:
    for per_degree, name in COARSE_GRIDS:
        scaled = (latitude * per_degree, longitude * per_degree)
        if all(abs(value - round(value)) < GRAIN_DEG * per_degree for value in scaled):
            return name
    return None
