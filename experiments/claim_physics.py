"""What a claim of time and place means physically: sun, day, season, climate and moon, as numbers a model can read."""

from __future__ import annotations

from dataclasses import dataclass

import astronomy
import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth import climate
from gtloc_forensics.earth.sun import sun_position

Floats = NDArray[np.float64]

DAY_S, YEAR_S = 86_400.0, 365.2425 * 86_400.0
TILT_DEG, RISE_DEG = 23.44, -0.833
MOONLIT_BELOW_DEG = -4.0  # a higher sun outshines the moon
EPOCH_DAYS = 10_957.5  # from 1970-01-01 to J2000


@dataclass(frozen=True)
class Physics:
    """One entry per claim, all ``[N]``; NaN where time or place is not known."""

    elevation_deg: Floats
    azimuth_deg: Floats
    day_length_h: Floats
    season_turn: Floats  # of the year, half a turn on in the south: 0.5 is high summer
    temperature_c: Floats
    precipitation_mm: Floats
    koeppen: NDArray[np.str_]  # first letter, "" at sea
    moon_deg: Floats  # −90 by day, where it does not matter
    moon_lit: Floats

    def vector(self) -> NDArray[np.float32]:
        """Return the claim as inputs of a net ``[N, 20]``, each of about unit size."""
        height, side = np.radians(self.elevation_deg), np.radians(self.azimuth_deg)
        turn = 2.0 * np.pi * self.season_turn
        columns = [
            np.sin(height),
            np.clip(self.elevation_deg / 15.0, -1.0, 1.0),
            np.clip(self.elevation_deg / 5.0, -1.0, 1.0),
            np.sin(side) * np.cos(height),
            np.cos(side) * np.cos(height),
            (self.day_length_h - 12.0) / 4.0,
            np.sin(turn),
            np.cos(turn),
            (self.temperature_c - 15.0) / 10.0,
            np.clip(self.temperature_c / 3.0, -1.0, 1.0),
            np.sqrt(self.precipitation_mm) / 10.0 - 0.8,
            *((self.koeppen == letter).astype(np.float64) for letter in "ABCDE"),
            np.clip(np.sin(np.radians(self.moon_deg)), 0.0, 1.0),
            np.clip(np.sin(np.radians(self.moon_deg)), 0.0, 1.0) * self.moon_lit,
            (self.elevation_deg < -6.0).astype(np.float64),
            (self.elevation_deg > -0.833).astype(np.float64),
        ]
        return np.stack(columns, axis=1).astype(np.float32)


def physics(local_s: Floats, offset_hours: Floats, latitude_deg: Floats, longitude_deg: Floats) -> Physics:
    """Return what claims mean.

    Args:
        local_s: ``[N]`` wall clock read as if it counted UTC.
        offset_hours: ``[N]`` of the wall clock from UTC.
        latitude_deg: ``[N]``.
        longitude_deg: ``[N]``.
    """
    utc_s = local_s - 3600.0 * offset_hours
    elevation, azimuth = sun_position(utc_s, latitude_deg, longitude_deg)
    turn = np.mod(local_s / YEAR_S, 1.0)
    temperature, precipitation = climate_at(turn, latitude_deg, longitude_deg)
    known = np.isfinite(latitude_deg) & np.isfinite(longitude_deg)
    classes = [
        climate.koeppen(lat, lon)[:1] if is_known else ""
        for lat, lon, is_known in zip(latitude_deg, longitude_deg, known, strict=True)
    ]
    moon, lit = moons(utc_s, elevation, latitude_deg, longitude_deg)
    return Physics(
        elevation,
        azimuth,
        day_length_hours(turn, latitude_deg),
        np.mod(turn + np.where(latitude_deg < 0.0, 0.5, 0.0), 1.0),
        temperature,
        precipitation,
        np.array(classes),
        moon,
        lit,
    )


def day_length_hours(year_turn: Floats, latitude_deg: Floats) -> Floats:
    """Return the hours between sunrise and sunset, to some minutes."""
    declination = np.radians(-TILT_DEG * np.cos(2.0 * np.pi * (year_turn + 10.0 / 365.0)))
    latitude = np.radians(np.clip(latitude_deg, -89.9, 89.9))
    low = np.sin(np.radians(RISE_DEG)) - np.sin(latitude) * np.sin(declination)
    cosine = np.clip(low / (np.cos(latitude) * np.cos(declination)), -1.0, 1.0)
    return np.asarray(24.0 * np.arccos(cosine) / np.pi)


def climate_at(year_turn: Floats, latitude_deg: Floats, longitude_deg: Floats) -> tuple[Floats, Floats]:
    """Return temperature and precipitation between the middles of months."""
    months = np.mod(np.nan_to_num(year_turn) * 12.0 - 0.5, 12.0)
    first, share = months.astype(np.int64) % 12, months - np.floor(months)
    rows = np.arange(len(year_turn))
    warm, wet = climate.year(latitude_deg, longitude_deg)
    return tuple(column[first, rows] * (1.0 - share) + column[(first + 1) % 12, rows] * share for column in (warm, wet))  # type: ignore[return-value]


def moons(utc_s: Floats, sun_deg: Floats, latitude_deg: Floats, longitude_deg: Floats) -> tuple[Floats, Floats]:
    """Return the moon's altitude and its lit share where the sun is down, −90° and 0 elsewhere."""
    altitude, lit = np.full(len(utc_s), -90.0), np.zeros(len(utc_s))
    for row in np.flatnonzero(sun_deg < MOONLIT_BELOW_DEG):
        moment = astronomy.Time(float(utc_s[row]) / DAY_S - EPOCH_DAYS)
        where = astronomy.Observer(float(latitude_deg[row]), float(longitude_deg[row]), 0.0)
        place = astronomy.Equator(astronomy.Body.Moon, moment, where, True, True)
        altitude[row] = astronomy.Horizon(moment, where, place.ra, place.dec, astronomy.Refraction.Airless).altitude
        lit[row] = (1.0 - np.cos(np.radians(astronomy.MoonPhase(moment)))) / 2.0
    return altitude, lit
