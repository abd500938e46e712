"""Exposure against the sun: how well the light that a camera measured fits a claimed place and time."""

from gtloc_forensics.evidence.exposure.model import (
    CLEAR_EV100,
    CURVE_ELEVATION_DEG,
    EV_RANGE,
    OVERCAST_EV100,
    Kind,
    LightModel,
    from_json,
    load,
    night_share,
    other_claims,
    to_json,
)

__all__ = [
    "CLEAR_EV100",
    "CURVE_ELEVATION_DEG",
    "EV_RANGE",
    "OVERCAST_EV100",
    "Kind",
    "LightModel",
    "from_json",
    "load",
    "night_share",
    "other_claims",
    "to_json",
]
