"""How bright and what colour the light is: sun, moon, sky, twilight, in lux and cd/m².

Daylight after the IES form (direct normal 128 klx dimmed by air mass, sky by the sine of
the elevation), twilight after the clear-sky table of the AMS glossary, the moon after
Schlyter's low-precision series (0.3°). Colours are linear sRGB of luminance 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth.sun import sun_position
from imagined.scenes import Scene

Vector = NDArray[np.float32]
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
LAMP = np.array([1.55, 0.92, 0.38], np.float32)  # some 2,900 K
MOON = np.array([0.93, 1.0, 1.22], np.float32)
FULL_MOON_LUX = 0.27

# Sun elevation → colours (zenith, horizon, glow round the sun). Chromaticities only, chosen by eye.
_SKY = (
    (-18.0, (0.30, 0.42, 0.95), (0.42, 0.45, 0.72), (0.42, 0.45, 0.72)),
    (-12.0, (0.28, 0.42, 1.00), (0.45, 0.50, 0.85), (0.80, 0.50, 0.45)),
    (-6.0, (0.26, 0.40, 1.00), (0.62, 0.55, 0.72), (1.60, 0.72, 0.30)),
    (-2.0, (0.32, 0.48, 0.98), (0.95, 0.72, 0.66), (1.90, 0.82, 0.24)),
    (2.0, (0.36, 0.54, 0.98), (1.05, 0.88, 0.72), (1.80, 0.95, 0.36)),
    (8.0, (0.30, 0.52, 1.10), (0.92, 0.93, 0.92), (1.30, 1.05, 0.66)),
    (20.0, (0.24, 0.47, 1.20), (0.78, 0.92, 1.12), (1.08, 1.05, 0.92)),
    (90.0, (0.20, 0.44, 1.25), (0.70, 0.90, 1.20), (1.00, 1.02, 1.00)),
)
# Clear-sky illuminance below the horizon: sun elevation → log10 lux.
_TWILIGHT = ((-18.0, -3.2), (-12.0, -2.1), (-6.0, 0.5), (-0.83, 2.7), (0.0, 2.8), (1.0, 2.9))


@dataclass(frozen=True, slots=True)
class Light:
    """Everything that lights a scene but its lamps.

    ``key_*`` is the one source that throws shadows: the sun, or at night the moon.
    """

    sun_elevation_deg: float
    sun_azimuth_deg: float
    moon_elevation_deg: float
    moon_azimuth_deg: float
    moon_lit: float  # part of the disc, 0–1
    key_direction: Vector  # [3] east, north, up; unit
    key_lux: Vector  # [3] on a plane facing it
    sky_lux: float  # on level ground, without the key
    zenith: Vector
    horizon: Vector
    glow: Vector

    @property
    def is_dark(self) -> bool:
        """Whether lamps are lit."""
        return self.sun_elevation_deg < -2.0


def light_of(scene: Scene) -> Light:
    """Return what lights a scene."""
    elevation, azimuth = (float(value) for value in sun_position(scene.unix_s, scene.latitude_deg, scene.longitude_deg))
    moon_elevation, moon_azimuth, lit = moon_position(scene)
    zenith, horizon, glow = _sky_colours(elevation)
    direct, diffuse = daylight_lux(elevation, scene.weather)
    colour = sun_colour(elevation)
    direction = direction_of(elevation, azimuth)
    moon_lux = FULL_MOON_LUX * lit**3 * max(0.0, math.sin(math.radians(moon_elevation)))
    if elevation < -8.0 and moon_elevation > 2.0:
        direct, colour, direction = moon_lux * _veil(scene.weather), MOON, direction_of(moon_elevation, moon_azimuth)
    night = 0.004 + 0.12 * moon_lux  # airglow, a town's glow, moonlit air
    return Light(
        sun_elevation_deg=elevation,
        sun_azimuth_deg=azimuth,
        moon_elevation_deg=moon_elevation,
        moon_azimuth_deg=moon_azimuth,
        moon_lit=lit,
        key_direction=direction,
        key_lux=(colour * direct).astype(np.float32),
        sky_lux=diffuse + night,
        zenith=zenith,
        horizon=horizon,
        glow=glow,
    )


def daylight_lux(elevation_deg: float, weather: str) -> tuple[float, float]:
    """Return direct normal and diffuse horizontal illuminance (IES form; papers behind it in the module docstring)."""
    sine = max(0.0, math.sin(math.radians(elevation_deg)))
    grey = weather in ("overcast", "rain", "snowfall", "fog")
    if elevation_deg <= 1.0:
        twilight = 10 ** float(np.interp(elevation_deg, [e for e, _ in _TWILIGHT], [v for _, v in _TWILIGHT]))
        disc = 900.0 * max(0.0, (elevation_deg + 0.83) / 1.83) * _veil(weather)
        return disc, twilight * (0.35 if grey else 1.0)
    mass = 1.0 / (sine + 0.50572 * (elevation_deg + 6.07995) ** -1.6364)
    direct = 128_000.0 * math.exp(-0.21 * mass) * _veil(weather)
    diffuse = 300.0 + 21_000.0 * sine if grey else 800.0 + 15_500.0 * math.sqrt(sine)
    return direct, diffuse * (1.6 if weather == "broken" else 1.0)


def sun_colour(elevation_deg: float) -> Vector:
    """Return the sun's colour through the air it shines through; luminance 1."""
    height = max(elevation_deg, -0.5)
    mass = 1.0 / (max(0.0, math.sin(math.radians(height))) + 0.50572 * (height + 6.07995) ** -1.6364)
    return of_luminance_one(np.exp(-np.array([0.045, 0.10, 0.21]) * min(mass, 22.0)) * [1.0, 0.97, 0.93])


def moon_position(scene: Scene) -> tuple[float, float, float]:
    """Return the moon's elevation, azimuth and lit part of its disc (Schlyter, main perturbations; 0.5° parallax)."""
    day = scene.unix_s / 86400.0 + 2440587.5 - 2451543.5
    longitude, latitude, elongation = _moon_ecliptic(day)
    obliquity = math.radians(23.4393)
    x = math.cos(longitude) * math.cos(latitude)
    y = math.sin(longitude) * math.cos(latitude) * math.cos(obliquity) - math.sin(latitude) * math.sin(obliquity)
    z = math.sin(longitude) * math.cos(latitude) * math.sin(obliquity) + math.sin(latitude) * math.cos(obliquity)
    ascension, declination = math.atan2(y, x), math.asin(z)
    sidereal = math.radians(280.46061837 + 360.98564736629 * (day - 1.5) + scene.longitude_deg)
    hour, place = sidereal - ascension, math.radians(scene.latitude_deg)
    sine = math.sin(place) * math.sin(declination) + math.cos(place) * math.cos(declination) * math.cos(hour)
    elevation = math.asin(sine)
    azimuth = math.atan2(
        -math.sin(hour) * math.cos(declination),
        math.cos(place) * math.sin(declination) - math.sin(place) * math.cos(declination) * math.cos(hour),
    )
    parallax_deg = 0.95 * math.cos(elevation)
    return math.degrees(elevation) - parallax_deg, math.degrees(azimuth) % 360.0, (1 - math.cos(elongation)) / 2


def _moon_ecliptic(day: float) -> tuple[float, float, float]:
    node, inclination = math.radians(125.1228 - 0.0529538083 * day), math.radians(5.1454)
    perigee, anomaly = math.radians(318.0634 + 0.1643573223 * day), math.radians(115.3654 + 13.0649929509 * day)
    sun_anomaly = math.radians(356.0470 + 0.9856002585 * day)
    sun_longitude = math.radians(282.9404 + 4.70935e-5 * day) + sun_anomaly + 0.0334 * math.sin(sun_anomaly)
    eccentric = anomaly + 0.0549 * math.sin(anomaly) * (1 + 0.0549 * math.cos(anomaly))
    true = math.atan2(math.sqrt(1 - 0.0549**2) * math.sin(eccentric), math.cos(eccentric) - 0.0549)
    argument = true + perigee
    x = math.cos(node) * math.cos(argument) - math.sin(node) * math.sin(argument) * math.cos(inclination)
    y = math.sin(node) * math.cos(argument) + math.cos(node) * math.sin(argument) * math.cos(inclination)
    elongation = anomaly + perigee + node - sun_longitude
    longitude = math.atan2(y, x) + math.radians(
        -1.274 * math.sin(anomaly - 2 * elongation) + 0.658 * math.sin(2 * elongation) - 0.186 * math.sin(sun_anomaly)
    )
    return longitude, math.asin(math.sin(argument) * math.sin(inclination)), longitude - sun_longitude


def direction_of(elevation_deg: float, azimuth_deg: float) -> Vector:
    """Return the unit vector (east, north, up) towards a point of the sky."""
    elevation, azimuth = math.radians(elevation_deg), math.radians(azimuth_deg)
    flat = math.cos(elevation)
    return np.array([flat * math.sin(azimuth), flat * math.cos(azimuth), math.sin(elevation)], np.float32)


def of_luminance_one(colour: NDArray[np.floating]) -> Vector:
    """Return a colour scaled to luminance 1."""
    rgb = np.asarray(colour, np.float32)
    return (rgb / max(1e-9, float(rgb @ LUMA))).astype(np.float32)


def _sky_colours(elevation_deg: float) -> tuple[Vector, Vector, Vector]:
    heights = [row[0] for row in _SKY]
    mixed = [
        [float(np.interp(elevation_deg, heights, [row[part][channel] for row in _SKY])) for channel in range(3)]
        for part in (1, 2, 3)
    ]
    zenith, horizon, glow = (of_luminance_one(np.array(colour)) for colour in mixed)
    return zenith, horizon, glow


def _veil(weather: str) -> float:
    return {"clear": 1.0, "broken": 0.8}.get(weather, 0.0)
