"""GF111 — What the receiver says of its own fix.

Shows: positions that their own receiver calls void, imprecise, taken from telephone masts
or networks, or given on another datum; and speeds no photographer has.

Cannot show: that a position with good marks is true; software writes them as well.

Blind spots: most files carry none of these tags.

Threshold: 1 km of stated error, a dilution above 20 (rated *poor* everywhere), 1,200 km/h (faster
than any airliner over ground but by jet stream). A void fix, a network position and a foreign datum
(Tokyo is 450 m off) are explained: they limit what the position proves, and accuse nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gtloc_forensics.checks import Context, check, claim_of, consistent, findings, not_testable
from gtloc_forensics.checks.reference import devices
from gtloc_forensics.metadata import tag_values
from gtloc_forensics.records import Claim, Confidence, Finding, Photo, Sentence, Severity, Stated

COARSE_ERROR_M = 1000.0
POOR_DILUTION = 20.0
IMPOSSIBLE_KM_H = 1200.0

TESTED = (
    "GPS:GPSStatus",
    "GPS:GPSDOP",
    "GPS:GPSProcessingMethod",
    "GPS:GPSMapDatum",
    "GPS:GPSSpeed",
    "GPS:GPSHPositioningError",
)
_NETWORK = re.compile(r"cell|wlan|wi-?fi|network|manual", re.I)
_WGS84 = re.compile(r"wgs[ -]?(19)?84", re.I)


@check("GF111", title="What the receiver says of its own fix", needs=("claim",))
def gps_internals(photo: Photo, context: Context) -> Iterator[Finding]:
    """Read the receiver's remarks."""
    claim = claim_of(photo)
    if not isinstance(claim.position, Stated) or not any(claim.tags.get(tag) for tag in TESTED):
        yield not_testable("GF111", claim.source_id, Sentence("the receiver says nothing of its fix"))
        return
    limits = list(_limits(claim))
    too_fast = _too_fast(claim)
    if too_fast is not None:
        yield too_fast
    if limits:
        summary = Sentence("The receiver qualifies its position: {limits:list}.", limits=limits)
        yield findings.explained("GF111", claim, summary, kind="limited-fix", limitations=tuple(limits))
    elif too_fast is None:
        yield consistent("GF111", claim.source_id, Sentence("The receiver has no reservations about its fix."))


def _limits(claim: Claim) -> Iterator[Sentence]:
    if tag_values.text(claim.tags, "GPS:GPSStatus").upper().startswith("V"):
        yield Sentence("the fix was void, so this is the last known place")
    error_m = claim.position_error_m.value if isinstance(claim.position_error_m, Stated) else None
    if error_m is not None and error_m >= COARSE_ERROR_M:
        yield Sentence("its error is {error_km:.1f} km", error_km=error_m / 1000)
    dilution = tag_values.first_number(claim.tags, "GPS:GPSDOP")
    if dilution is not None and dilution > POOR_DILUTION:
        yield Sentence("its dilution of precision is {dilution:.0f}", dilution=dilution)
    method = tag_values.text(claim.tags, "GPS:GPSProcessingMethod")
    if _NETWORK.search(method):
        yield Sentence("it comes from {method}, which can be kilometres off", method=method[:30])
    datum = tag_values.text(claim.tags, "GPS:GPSMapDatum")
    if datum and not _WGS84.search(datum):
        yield Sentence("it counts on the datum {datum}, not WGS 84", datum=datum[:30])


def _too_fast(claim: Claim) -> Finding | None:
    speed_km_h = devices.speed_km_h(claim)
    if speed_km_h <= IMPOSSIBLE_KM_H:
        return None
    return findings.suspicious(
        "GF111",
        claim,
        Sentence("The receiver says it moved at {speed_km_h:.0f} km/h.", speed_km_h=speed_km_h),
        kind="position",
        confidence=Confidence.WEAK,
        severity=Severity.LOW,
        innocent=(Sentence("a jump between two bad fixes"),),
    )
