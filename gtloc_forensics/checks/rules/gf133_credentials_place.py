"""GF133 — The signed place against the claimed one.

Shows: a position in the content credentials far from the one in the file.

Cannot show: which of the two is right, unless the signer is trusted.

Blind spots: most signers leave the position out; a position that was removed from the file has nothing to differ from.

Threshold: 1 km: positions are rounded when they are written anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.credentials import Credentials, Standing, credentials_of, why_not
from gtloc_forensics.earth import globe
from gtloc_forensics.metadata.tag_values import number
from gtloc_forensics.records import Finding, Photo, Position, Sentence, Severity, Stated

SAME_KM = 1.0

_XMP_FORM = re.compile(r"([0-9]{1,3}),([0-9]{1,2}(?:\.[0-9]{1,12})?)(?:,([0-9]{1,2}(?:\.[0-9]{1,12})?))?([NSEW])")


@check("GF133", title="The signed place against the claimed one", needs=("claim",))
def credentials_place(photo: Photo, context: Context) -> Iterator[Finding]:
    """Compare the position of the credentials with that of the file."""
    claim = claim_of(photo)
    credentials = credentials_of(claim)
    signed = _position(credentials) if credentials.are_stated else None
    if signed is None or not isinstance(claim.position, Stated):
        why = Sentence("file and content credentials have no position in common")
        yield not_testable("GF133", claim.source_id, why if credentials.are_stated else why_not(credentials))
        return
    places = (claim.position.value, *(rival.value for rival in claim.position.rivals))
    apart_km = [globe.apart_km(signed, place) for place in places]
    if min(apart_km) <= SAME_KM:
        summary = Sentence("The signed position is the file's. {standing}", standing=credentials.standing_said())
        yield consistent("GF133", claim.source_id, summary)
        return
    yield findings.suspicious(
        "GF133",
        claim,
        Sentence("The content credentials state a place {apart_km:.0f} km from the file's.", apart_km=apart_km[0]),
        kind="content-credentials",
        severity=Severity.HIGH if credentials.standing is Standing.TRUSTED else Severity.MEDIUM,
        confidence=credentials.confidence,
        observed=(
            Sentence("In the content credentials: {place:.5f}.", place=signed.degrees),
            Sentence("{tag}: {place:.5f}.", tag=claim.position.tag, place=claim.position.value.degrees),
            credentials.standing_said(),
        ),
        facts={"distance_km": apart_km[0]},
        limitations=credentials.limits(),
        innocent=(Sentence("the place was corrected after the file was signed"),),
    )


def _position(credentials: Credentials) -> Position | None:
    north = _degrees_in(credentials.text("Latitude"), credentials.text("LatitudeRef"))
    east = _degrees_in(credentials.text("Longitude"), credentials.text("LongitudeRef"))
    if north is None or east is None or abs(north) > 90.0 or abs(east) > 180.0 or (north == 0.0 and east == 0.0):
        return None
    return Position(north, east)


def _degrees_in(written: str, reference: str) -> float | None:
    """Return a coordinate out of ``48,51.5N``, of a number, or of a number with its hemisphere beside it."""
    found = _XMP_FORM.fullmatch(written.strip()[:40])
    if found is None:
        value = number(written)
        return -abs(value) if value is not None and reference[:1] in ("S", "W") else value
    degrees = int(found[1]) + float(found[2]) / 60.0 + float(found[3] or 0.0) / 3600.0
    return -degrees if found[4] in "SW" else degrees
