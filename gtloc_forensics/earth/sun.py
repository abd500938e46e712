"""Where the sun stands: elevation and azimuth for any instant and place, vectorised.

Formulas of Meeus, *Astronomical Algorithms* (2nd ed., ch. 12, 22, 25), the ones behind
the NOAA solar calculator, with ΔT after Espenak & Meeus and the refraction of the
NREL SPA report (NREL/TP-560-34302). Within 0.02° of that algorithm for 1900–2100
(docs/decisions/0002-sun-position.md); no data file, no network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

UNIX_EPOCH_JD = 2440587.5
J2000_JD = 2451545.0
SECONDS_PER_DAY = 86400.0
DAYS_PER_CENTURY = 36525.0

SUN_RADIUS_DEG = 0.26667
HORIZON_REFRACTION_DEG = 0.5667
# A disc whose upper rim is below the refracted horizon cannot be seen; below it an apparent
# elevation has no meaning and the geometric one is given, as twilight is defined by it.
RIM_BELOW_HORIZON_DEG = -(SUN_RADIUS_DEG + HORIZON_REFRACTION_DEG)
CIVIL_DUSK_DEG = -6.0
NAUTICAL_DUSK_DEG = -12.0
ASTRONOMICAL_DUSK_DEG = -18.0

PARALLAX_DEG = 8.794 / 3600.0  # of the sun at one astronomical unit
STANDARD_PRESSURE_HPA = 1013.25
STANDARD_TEMPERATURE_C = 12.0

# Espenak & Meeus, "Five Millennium Canon of Solar Eclipses" (NASA/TP-2006-214141): first year of each
# stretch, the year its polynomial counts from, coefficients in rising powers, seconds.
_DELTA_T = (
    (1860.0, 1860.0, (7.62, 0.5737, -0.251754, 0.01680668, -0.0004473624, 1 / 233174)),
    (1900.0, 1900.0, (-2.79, 1.494119, -0.0598939, 0.0061966, -0.000197)),
    (1920.0, 1920.0, (21.20, 0.84493, -0.076100, 0.0020936)),
    (1941.0, 1950.0, (29.07, 0.407, -1 / 233, 1 / 2547)),
    (1961.0, 1975.0, (45.45, 1.067, -1 / 260, -1 / 718)),
    (1986.0, 2000.0, (63.86, 0.3345, -0.060374, 0.0017275, 0.000651814, 0.00002373599)),
    (2005.0, 2000.0, (62.92, 0.32217, 0.005589)),
)


def delta_t_seconds(year: ArrayLike) -> Floats:
    """Return dynamical time minus universal time, for decimal years from 1860 on.

    After 2005 a forecast made in 2005 (about 4 s above what came by 2020), extended to 2150 and beyond;
    10 s of it move the sun by 0.0001°. Before 1860 the value of 1860 is kept.
    """
    years = np.maximum(np.asarray(year, dtype=np.float64), _DELTA_T[0][0])
    stretch = np.searchsorted([first for first, _, _ in _DELTA_T], years, side="right") - 1
    seconds = np.empty_like(years)
    for index in sorted(set(stretch.ravel().tolist())):  # of one moment there is one stretch, the others cost as much
        _, origin, coefficients = _DELTA_T[index]
        chosen = stretch == index
        seconds[chosen] = np.polyval(coefficients[::-1], years[chosen] - origin)
    late = years > 2050.0
    seconds[late] = (
        -20.0 + 32.0 * ((years[late] - 1820.0) / 100.0) ** 2 - 0.5628 * np.maximum(2150.0 - years[late], 0.0)
    )
    return seconds


def sun_position(
    utc_s: ArrayLike, latitude_deg: ArrayLike, longitude_deg: ArrayLike, *, refracted: bool = True
) -> tuple[Floats, Floats]:
    """Return the sun's elevation and azimuth.

    Args:
        utc_s: seconds since 1970-01-01 00:00 UTC (UTC taken for UT1: at most 0.004°).
        latitude_deg: geodetic, −90 to 90; broadcasts with *utc_s*.
        longitude_deg: east positive.
        refracted: add refraction of a standard atmosphere (1013.25 hPa, 12 °C) while any
            part of the disc is above the horizon. Right below, at −0.83°, the elevation
            therefore drops by 0.56°.

    Returns:
        ``(elevation_deg [−90, 90], azimuth_deg [0, 360), clockwise from north)``, of the
        broadcast shape. Straight overhead the azimuth means nothing.
    """
    utc, latitude, longitude = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (utc_s, latitude_deg, longitude_deg))
    )
    return skies(utc).seen_from(latitude, longitude, refracted=refracted)


@dataclass(frozen=True, slots=True)
class Skies:
    """Where the sun stands among the stars at some instants, whoever looks: worked out once for many places."""

    greenwich_deg: Floats  # how far the sky has turned there
    ascension: Floats  # radians
    declination: Floats  # radians
    distance_au: Floats

    def seen_from(
        self, latitude_deg: ArrayLike, longitude_deg: ArrayLike, *, refracted: bool = True
    ) -> tuple[Floats, Floats]:
        """Return elevation and azimuth at places; see :func:`sun_position`."""
        latitude, longitude = np.asarray(latitude_deg, np.float64), np.asarray(longitude_deg, np.float64)
        hour_angle = np.radians(self.greenwich_deg + longitude) - self.ascension
        elevation, azimuth = _horizontal(hour_angle, self.declination, np.radians(latitude))
        elevation = np.degrees(elevation) - PARALLAX_DEG / self.distance_au * np.cos(elevation)
        if refracted:
            elevation = elevation + refraction_deg(elevation)
        return elevation, np.mod(np.degrees(azimuth), 360.0)


def skies(utc_s: Floats) -> Skies:
    """Return where the sun stands among the stars at instants, in seconds since 1970-01-01 00:00 UTC."""
    days = utc_s / SECONDS_PER_DAY + (UNIX_EPOCH_JD - J2000_JD)
    ascension, declination, distance_au, equinox_shift = _equatorial(days)
    sidereal = 280.46061837 + 360.98564736629 * days + 0.000387933 * (days / DAYS_PER_CENTURY) ** 2
    return Skies(sidereal + equinox_shift, ascension, declination, distance_au)


def refraction_deg(
    elevation_deg: ArrayLike,
    *,
    pressure_hpa: float = STANDARD_PRESSURE_HPA,
    temperature_c: float = STANDARD_TEMPERATURE_C,
) -> Floats:
    """Return how much the air lifts a sun at the geometric *elevation_deg* (SPA report, equation 42).

    Zero once the whole disc is below the refracted horizon.
    """
    height = np.asarray(elevation_deg, dtype=np.float64)
    above = np.maximum(height, RIM_BELOW_HORIZON_DEG)
    thickness = pressure_hpa / 1010.0 * 283.0 / (273.0 + temperature_c)
    lift = thickness * 1.02 / (60.0 * np.tan(np.radians(above + 10.3 / (above + 5.11))))
    return np.where(height >= RIM_BELOW_HORIZON_DEG, lift, 0.0)


def _equatorial(days: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return right ascension and declination (radians), distance (au) and the equation of the equinoxes (degrees)."""
    years = 2000.0 + days / 365.25
    century = (days + delta_t_seconds(years) / SECONDS_PER_DAY) / DAYS_PER_CENTURY
    longitude, distance_au = _true_longitude(century)
    node = np.radians(125.04 - 1934.136 * century)
    nutation = -0.00478 * np.sin(node)
    apparent = np.radians(longitude - 0.00569 / distance_au + nutation)  # aberration, then nutation
    obliquity = np.radians(23.4392911 - 0.0130042 * century - 1.64e-7 * century**2 + 0.00256 * np.cos(node))
    ascension = np.arctan2(np.cos(obliquity) * np.sin(apparent), np.cos(apparent))
    declination = np.arcsin(np.sin(obliquity) * np.sin(apparent))
    return ascension, declination, distance_au, nutation * np.cos(obliquity)


def _true_longitude(century: Floats) -> tuple[Floats, Floats]:
    """Return the sun's true longitude (degrees, mean equinox of date) and distance (au); Meeus ch. 25."""
    mean = 280.46646 + 36000.76983 * century + 0.0003032 * century**2
    anomaly = np.radians(357.52911 + 35999.05029 * century - 0.0001537 * century**2)
    eccentricity = 0.016708634 - 0.000042037 * century - 0.0000001267 * century**2
    centre = (
        (1.914602 - 0.004817 * century - 0.000014 * century**2) * np.sin(anomaly)
        + (0.019993 - 0.000101 * century) * np.sin(2.0 * anomaly)
        + 0.000289 * np.sin(3.0 * anomaly)
    )
    true_anomaly = anomaly + np.radians(centre)
    distance_au = 1.000001018 * (1.0 - eccentricity**2) / (1.0 + eccentricity * np.cos(true_anomaly))
    return mean + centre, distance_au


def _horizontal(hour_angle: Floats, declination: Floats, latitude: Floats) -> tuple[Floats, Floats]:
    """Return geometric elevation and azimuth from north through east, all in radians."""
    sin_declination, cos_declination = np.sin(declination), np.cos(declination)
    sin_latitude, cos_latitude = np.sin(latitude), np.cos(latitude)
    north = sin_declination * cos_latitude - cos_declination * sin_latitude * np.cos(hour_angle)
    east = -cos_declination * np.sin(hour_angle)
    up = sin_declination * sin_latitude + cos_declination * cos_latitude * np.cos(hour_angle)
    return np.arctan2(up, np.hypot(north, east)), np.arctan2(east, north)
