"""What a frame's exposure may be asked: whether it measured daylight at all, and how low the horizon lay."""

from __future__ import annotations

import math

from gtloc_forensics.checks import Context, circumstances, pixels
from gtloc_forensics.checks.reference import devices
from gtloc_forensics.records import Absent, Claim, Photo, Sentence, Stated, Statement, Sun

# The visible horizon lies 0.0293° × √(height in m) below the level, terrestrial refraction included (Bowditch).
DIP_DEG = 0.0293
HIGHEST_M = 20_000.0
HEIGHT_SHOWN_DEG = 0.05  # nothing closer differs on paper


def silence(photo: Photo, claim: Claim) -> Statement:
    """Return why the exposure of a photo says nothing of the sun; "" when it may."""
    if not isinstance(photo.sun, Sun):
        return Sentence("no sun position, {reason}", reason=Sentence(photo.sun.value))
    if isinstance(claim.exposure.ev100, Absent):
        return Sentence("the exposure is not in the file")
    if claim.exposure.flash_fired is True:
        return Sentence("the flash fired")
    if devices.reproduction(claim) is not None:
        return Sentence("the file shows film or a print, and the exposure is that of its reproduction")
    return pixels.dark_though_bright(photo)


def highest_sun_deg(claim: Claim, sun: Sun) -> float:
    """Return how high the sun may have stood over the visible horizon: over all offsets, from the claimed height."""
    height_m = claim.altitude_m.value if isinstance(claim.altitude_m, Stated) else 0.0
    return max(sun.elevation_range_deg) + DIP_DEG * math.sqrt(min(max(height_m, 0.0), HIGHEST_M))


def is_settled(claim: Claim, context: Context) -> bool:
    """Return whether GPS time settles what light could only ask: the claimed hour."""
    return circumstances.confirms_clock(claim, context)


def sun_seen(sun: Sun) -> Sentence:
    """Return where the sun stood, as it is derived."""
    return Sentence(
        "Sun at {elevation_deg:.1f}° at {utc_time} UTC (offset: {source}).",
        elevation_deg=sun.elevation_deg,
        utc_time=sun.utc_time,
        source=Sentence(sun.offset_source),
    )


def sun_allowed(sun: Sun, highest_deg: float) -> tuple[Sentence, ...]:
    """Return where the sun stood, and how high the claim lets it be where that is another height."""
    if highest_deg - sun.elevation_deg < HEIGHT_SHOWN_DEG:
        return (sun_seen(sun),)
    return (
        sun_seen(sun),
        Sentence(
            "Seen from the claimed height, and over every offset that is open: at most {elevation_deg:.1f}°.",
            elevation_deg=highest_deg,
        ),
    )
