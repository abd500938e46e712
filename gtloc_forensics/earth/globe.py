"""Distances and bearings on the globe, and the sun over a place."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtloc_forensics.earth.sun import sun_position
from gtloc_forensics.records import Position

__all__ = [
    "EARTH_RADIUS_KM",
    "METRIC_EARTH_RADIUS_KM",
    "apart_km",
    "bearing_deg",
    "distance_km",
    "elevation_curve",
    "sun_at",
    "unix_seconds",
]

Floats = NDArray[np.float64]

EARTH_RADIUS_KM = 6371.0088  # mean radius R1 of the WGS 84 ellipsoid (IUGG)
METRIC_EARTH_RADIUS_KM = 6371.0  # the one in GT-Loc's published metric (papers.md §1.6)

_EPOCH = datetime(1970, 1, 1)


# --------------------------------------------------------------------------- globe


def distance_km(
    first_latitude_deg: ArrayLike,
    first_longitude_deg: ArrayLike,
    *,
    second_latitude_deg: ArrayLike,
    second_longitude_deg: ArrayLike,
    radius_km: float = EARTH_RADIUS_KM,
) -> Floats:
    """Return great-circle distances by the haversine formula; broadcasts.

    The sphere is up to 0.56 % off the ellipsoid.
    """
    latitude_a, longitude_a, latitude_b, longitude_b = (
        np.radians(np.asarray(angle, dtype=np.float64))
        for angle in (first_latitude_deg, first_longitude_deg, second_latitude_deg, second_longitude_deg)
    )
    half_chord_squared = (
        np.sin((latitude_b - latitude_a) / 2.0) ** 2
        + np.cos(latitude_a) * np.cos(latitude_b) * np.sin((longitude_b - longitude_a) / 2.0) ** 2
    )
    return np.asarray(2.0 * radius_km * np.arcsin(np.sqrt(np.clip(half_chord_squared, 0.0, 1.0))), dtype=np.float64)


def apart_km(first: Position, second: Position) -> float:
    """Return how far two places are apart, along a great circle."""
    return float(
        distance_km(
            first.latitude_deg,
            first.longitude_deg,
            second_latitude_deg=second.latitude_deg,
            second_longitude_deg=second.longitude_deg,
        )
    )


def bearing_deg(
    first_latitude_deg: ArrayLike,
    first_longitude_deg: ArrayLike,
    *,
    second_latitude_deg: ArrayLike,
    second_longitude_deg: ArrayLike,
) -> Floats:
    """Return the direction in which a great circle leaves the first point, in [0, 360), clockwise from north."""
    latitude_a, longitude_a, latitude_b, longitude_b = (
        np.radians(np.asarray(angle, dtype=np.float64))
        for angle in (first_latitude_deg, first_longitude_deg, second_latitude_deg, second_longitude_deg)
    )
    turn = longitude_b - longitude_a
    east = np.sin(turn) * np.cos(latitude_b)
    north = np.cos(latitude_a) * np.sin(latitude_b) - np.sin(latitude_a) * np.cos(latitude_b) * np.cos(turn)
    return np.asarray(np.mod(np.degrees(np.arctan2(east, north)), 360.0), dtype=np.float64)


# --------------------------------------------------------------------------- sun


def unix_seconds(utc: datetime) -> float:
    """Return the seconds since 1970 of a naive UTC instant, whatever the machine's zone."""
    return (utc - _EPOCH).total_seconds()


def sun_at(utc: datetime, position: Position) -> tuple[float, float]:
    """Return the sun's ``(elevation_deg, azimuth_deg)`` at a naive UTC instant."""
    elevation, azimuth = sun_position(unix_seconds(utc), position.latitude_deg, position.longitude_deg)
    return float(elevation), float(azimuth)


def elevation_curve(
    local_date: date, position: Position, *, offset_hours: float, step_minutes: int = 10
) -> tuple[Floats, Floats]:
    """Return the sun's elevation through one local day.

    Returns:
        ``(local hours [N] from 0 to 24 inclusive, elevation_deg [N])``.
    """
    hours = np.arange(0, 24 * 60 + 1, step_minutes) / 60.0
    midnight_utc_s = unix_seconds(datetime(local_date.year, local_date.month, local_date.day)) - 3600.0 * offset_hours
    elevation, _ = sun_position(midnight_utc_s + 3600.0 * hours, position.latitude_deg, position.longitude_deg)
    return hours, elevation
