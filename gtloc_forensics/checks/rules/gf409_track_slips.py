"""GF409 — A position that fits the device's track once a slip is undone.

Shows: a photo far from where its device was, that comes to lie on the track when a lost
sign or a swap is undone; and a whole track whose coordinates look
like minutes read as decimals (no fraction of a degree ever above 0.6).

Cannot show: a slip shared by all photos, other than the misread minutes; that is the
business of light and zones.

Blind spots: a device that really was in both places; fewer than four placed photos.

Threshold: more than 500 km from every position of the track within its span, less than
25 km after the repair. Misread minutes: 12 different places, none above 0.6
in either fraction, which chance gives once in 200,000.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.checks import Context, Scope, check, pairs, position_slips
from gtloc_forensics.earth import globe
from gtloc_forensics.records import (
    Confidence,
    DeviceGroup,
    Finding,
    Outcome,
    PhotoSummary,
    Position,
    Sentence,
    Severity,
    Statement,
)

FEWEST = 4
FAR_KM = 500.0
NEAR_KM = 25.0
FEWEST_PLACES = 12
MINUTES_SHARE = 0.6
MOST_COMPARED = 500


@check("GF409", title="A slip takes a position off its track", scope=Scope.DEVICE)
def track_slips(group: DeviceGroup, context: Context) -> Iterator[Finding]:
    """Look for photos off the track that a repair brings back, and for misread minutes."""
    placed = [
        summary for summary in group.summaries if summary.latitude_deg is not None and summary.longitude_deg is not None
    ]
    if len(placed) < FEWEST:
        yield from pairs.silent("GF409", group.summaries, Sentence("too few photos of the device have a place"))
        return
    strays = list(_strays(group, placed))
    for finding, _ in strays:
        yield finding
    fine = pairs.rest(placed, [stray for _, stray in strays])
    if _reads_like_minutes(placed):
        yield _minutes(group, placed)
    else:
        on_track = Sentence("Lies on the track of its device, or no slip brings it there.")
        yield from pairs.passed("GF409", fine, on_track)
    yield from pairs.silent("GF409", pairs.rest(group.summaries, placed), Sentence("no place"))


def _strays(group: DeviceGroup, placed: Sequence[PhotoSummary]) -> Iterator[tuple[Finding, PhotoSummary]]:
    track = _track(placed)
    for photo in placed:
        here = Position(photo.latitude_deg or 0.0, photo.longitude_deg or 0.0)
        apart = _apart_km(here, track)
        others = apart > 0.001
        if others.sum() < 0.5 * len(apart) or float(apart[others].min()) < FAR_KM:
            continue
        for slip, repaired in position_slips.repairs(here):
            if float(_apart_km(repaired, track[others]).min()) < NEAR_KM:
                yield _stray(group, photo, slip, repaired), photo
                break


def _track(placed: Sequence[PhotoSummary]) -> NDArray[np.float64]:
    chosen = np.linspace(0, len(placed) - 1, min(len(placed), MOST_COMPARED)).round().astype(int)
    return np.array([(placed[index].latitude_deg, placed[index].longitude_deg) for index in chosen], np.float64)


def _apart_km(here: Position, track: NDArray[np.float64]) -> NDArray[np.float64]:
    return globe.distance_km(
        here.latitude_deg, here.longitude_deg, second_latitude_deg=track[:, 0], second_longitude_deg=track[:, 1]
    )


def _reads_like_minutes(placed: Sequence[PhotoSummary]) -> bool:
    """Whether many different places have no fraction of a degree above 0.6."""
    places = {
        (round(20.0 * (photo.latitude_deg or 0.0)), round(20.0 * (photo.longitude_deg or 0.0))) for photo in placed
    }
    degrees = {(int(photo.latitude_deg or 0.0), int(photo.longitude_deg or 0.0)) for photo in placed}
    # Places within one degree cell share most of their fraction: count cells as well.
    if len(places) < FEWEST_PLACES or len(degrees) < FEWEST_PLACES // 2:
        return False
    angles = [abs(angle or 0.0) for photo in placed for angle in (photo.latitude_deg, photo.longitude_deg)]
    return all(angle % 1.0 < MINUTES_SHARE for angle in angles)


def _stray(group: DeviceGroup, photo: PhotoSummary, slip: Statement, repaired: Position) -> Finding:
    return pairs.about(
        "GF409",
        (photo,),
        Sentence("Far from every other position of the device, but on its track with {slip}.", slip=slip),
        outcome=Outcome.SUSPICIOUS,
        kind="position",
        severity=Severity.MEDIUM,
        confidence=Confidence.WEAK if group.doubt else Confidence.STRONG,
        inferred=(
            Sentence(
                "Repaired position {latitude_deg:.5f}, {longitude_deg:.5f}.",
                latitude_deg=repaired.latitude_deg,
                longitude_deg=repaired.longitude_deg,
            ),
        ),
        innocent=(Sentence("a journey"),),
        facts={"slip": str(slip), "latitude_deg": repaired.latitude_deg, "longitude_deg": repaired.longitude_deg},
    )


def _minutes(group: DeviceGroup, placed: Sequence[PhotoSummary]) -> Finding:
    return pairs.about(
        "GF409",
        placed,
        Sentence(
            "No position of the device has a fraction of a degree above 0.6, as when minutes are read as decimals."
        ),
        outcome=Outcome.SUSPICIOUS,
        kind="position",
        device_key=group.device_key,
        severity=Severity.MEDIUM,
        confidence=Confidence.WEAK,
        innocent=(Sentence("chance, in few places"),),
        limitations=(Sentence("A pattern of the figures, not a measurement."),),
    )
