"""GF405 — One position, to the last digit, for hours.

Shows: photos over hours that claim exactly the same coordinates, which a receiver never
gives twice: the position was set by hand, copied, or is a stale fix.

Cannot show: that the position is wrong. People add positions to finished photos every day.

Blind spots: rounded coordinates repeat by nature; a device that writes few digits.

Threshold: three photos or more over more than two hours, coordinates with at least four
decimals. It explains, it does not accuse.
"""

from __future__ import annotations

from collections.abc import Iterator

from gtloc_forensics.checks import Context, Scope, check, pairs
from gtloc_forensics.records import Confidence, DeviceGroup, Finding, Outcome, PhotoSummary, Sentence, Severity

FEWEST = 3
LONGEST_S = 7_200.0
DECIMALS = 4


@check("GF405", title="One position repeated for hours", scope=Scope.DEVICE)
def repeated_position(group: DeviceGroup, context: Context) -> Iterator[Finding]:
    """Look for exactly equal coordinates far apart in time."""
    by_place: dict[tuple[float, float], list[PhotoSummary]] = {}
    for photo in pairs.in_order(group.summaries):
        if photo.latitude_deg is not None and photo.longitude_deg is not None:
            by_place.setdefault((photo.latitude_deg, photo.longitude_deg), []).append(photo)
    told: list[PhotoSummary] = []
    for (latitude, longitude), photos in by_place.items():
        span_s = pairs.apart_s(photos[-1], photos[0]) or 0.0
        if len(photos) >= FEWEST and span_s > LONGEST_S and _is_fine(latitude) and _is_fine(longitude):
            told += photos
            yield _finding(photos, span_s)
    placed = [photo for photos in by_place.values() for photo in photos]
    fine = Sentence("Its position is its own, or shared briefly.")
    yield from pairs.passed("GF405", pairs.rest(placed, told), fine)
    yield from pairs.silent("GF405", pairs.rest(group.summaries, placed), Sentence("no time or no place"))


def _is_fine(angle_deg: float) -> bool:
    """Whether an angle is written finer than :data:`DECIMALS` allow by rounding."""
    scaled = angle_deg * 10.0**DECIMALS
    return abs(scaled - round(scaled)) > 1e-6


def _finding(photos: list[PhotoSummary], span_s: float) -> Finding:
    return pairs.about(
        "GF405",
        photos,
        Sentence(
            "{photos} photos over {span_hours:.0f} h claim one position to the last digit: set or copied.",
            photos=len(photos),
            span_hours=span_s / 3600.0,
        ),
        outcome=Outcome.EXPLAINED,
        kind="position-set",
        severity=Severity.LOW,
        confidence=Confidence.WEAK,
        innocent=(
            Sentence("the position was added by hand or by a program"),
            Sentence("a fix that was not renewed"),
        ),
        limitations=(Sentence("A position that was added may still be right."),),
    )
