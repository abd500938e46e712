"""How far a prediction agrees with a claim: one number for each thing the pixels speak of.

Every score is a log ratio (natural): how much of the predicted mass lies at the claim,
over how much lies there for photos in general (the *usual* density, which comes with
the calibration). 0 says that the pixels are indifferent, a negative number that they
point elsewhere. A score is no strength of evidence yet: :mod:`~gtloc_forensics.evidence.calibration`
turns it into one, by photos the model never saw. Pure numpy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtloc_forensics.earth.circular import cell_centres, mass_at, turn_distance
from gtloc_forensics.earth.globe import distance_km, unix_seconds
from gtloc_forensics.earth.sun import sun_position
from gtloc_forensics.evidence.exposure import LightModel, other_claims
from gtloc_forensics.records import PlaceDensity, Position

Floats: TypeAlias = NDArray[np.float64]

SEASON_SD_MONTHS = 1.5
"""How wide a part of the year counts as the claimed season: pixels hardly tell one month from the next."""

SUN_EDGES_DEG = (-6.0, 3.0, 20.0)
"""Night, twilight, low sun, high sun: finer classes carried nothing on unseen sources."""

HORIZON_DEG = -0.833
"""Elevation of the sun's centre when its upper edge rises or sets."""

SUN_FLOOR = 0.01
PLACE_SCALE_KM = 500.0
PLACE_FLOOR = 1e-4
SCORE_LIMIT = 4.0  # nats; beyond it a density of this quality is noise


@dataclass(frozen=True, slots=True)
class Usual:
    """What the model says on average: the mean density over the photos of the calibration."""

    time: Floats  # [Y, D], sums to 1
    place: PlaceDensity | None


def season_mass(mass: ArrayLike, year_turn: float) -> Floats:
    """Return the mass over the day ``[D]`` given the season around *year_turn*; sums to 1.

    Args:
        mass: ``[Y, D]``.
        year_turn: the claimed time of year.
    """
    values = np.asarray(mass, dtype=np.float64)
    distance = turn_distance(cell_centres(values.shape[0]), year_turn) * 12.0 / SEASON_SD_MONTHS
    row = np.exp(-0.5 * distance**2) @ values
    return np.asarray(row / row.sum(), dtype=np.float64)


def hour_score(mass: ArrayLike, usual: Usual, *, year_turn: float, day_turn: float) -> float:
    """Return how far the pixels agree with the claimed time of day, given the claimed season."""
    claimed = float(mass_at(season_mass(mass, year_turn), day_turn))
    return _limited(claimed / float(mass_at(season_mass(usual.time, year_turn), day_turn)))


def year_score(mass: ArrayLike, usual: Usual, *, year_turn: float) -> float:
    """Return how far the pixels agree with the claimed time of year."""
    claimed = float(mass_at(np.asarray(mass, dtype=np.float64).sum(axis=1), year_turn))
    return _limited(claimed / float(mass_at(usual.time.sum(axis=1), year_turn)))


def day_elevations(local_day: date, position: Position, *, offset_hours: float, cells: int) -> Floats:
    """Return the sun's elevation at the middle of each cell of a local day, ``[cells]``."""
    midnight = unix_seconds(datetime.combine(local_day, time())) - 3600.0 * offset_hours
    instants = midnight + 86_400.0 * cell_centres(cells)
    return sun_position(instants, position.latitude_deg, position.longitude_deg)[0]


def sun_score(
    mass: ArrayLike, usual: Usual, *, year_turn: float, elevations_deg: Floats, claimed_elevation_deg: float
) -> float:
    """Return how far the pixels agree with the sun's height at the claimed place and time.

    Args:
        mass: ``[Y, D]``.
        usual: the mean density.
        year_turn: the claimed time of year.
        elevations_deg: ``[D]`` of the sun through the claimed day at the claimed place.
        claimed_elevation_deg: at the claimed moment.
    """
    same = np.digitize(elevations_deg, SUN_EDGES_DEG) == np.digitize(claimed_elevation_deg, SUN_EDGES_DEG)
    claimed = float(season_mass(mass, year_turn)[same].sum()) + SUN_FLOOR
    return _limited(claimed / (float(season_mass(usual.time, year_turn)[same].sum()) + SUN_FLOOR))


def daylight_share(mass: ArrayLike, *, year_turn: float, elevations_deg: Floats, above_deg: float) -> float:
    """Return how much of the mass over the claimed day has the sun above *above_deg*, 0–1."""
    return float(season_mass(mass, year_turn)[elevations_deg > above_deg].sum())


def place_score(place: PlaceDensity, usual: Usual, position: Position) -> float:
    """Return how far the pixels agree with the claimed place, within a few hundred kilometres."""
    if usual.place is None:
        return 0.0
    return _limited((_near(place, position) + PLACE_FLOOR) / (_near(usual.place, position) + PLACE_FLOOR))


def light_score(
    ev100: float, *, elevation_deg: float, position: Position, offset_hours: float, datable: float, light: LightModel
) -> float:
    """Return how far the exposure agrees with the sun's height, knowing from the pixels whether daylight is in view.

    Args:
        ev100: of a frame without flash.
        elevation_deg: of the sun at the claimed moment.
        position: the claimed place.
        offset_hours: claimed clock minus UTC.
        datable: the pixels' probability that the open air lights the scene: it takes the
            place of the light model's share of indoor frames.
        light: p(EV100 | elevation).
    """
    others, mass = other_claims(
        position.latitude_deg, position.longitude_deg, offset_hours=offset_hours, hour_prior=light.hour_prior
    )
    indoor = min(0.97, max(0.03, 1.0 - datable))
    sunny = light.clear.share / (light.clear.share + light.overcast.share)
    heights = np.concatenate([[elevation_deg], others])
    likely = np.exp(light.mixed(light.parts(ev100, heights), indoor_share=indoor, sunny_share=sunny))
    return _limited(float(likely[0] / (likely[1:] @ mass)))


def _near(place: PlaceDensity, position: Position) -> float:
    far = distance_km(
        position.latitude_deg,
        position.longitude_deg,
        second_latitude_deg=place.latitude_deg,
        second_longitude_deg=place.longitude_deg,
    )
    return float(np.exp(-far / PLACE_SCALE_KM) @ place.mass)


def _limited(ratio: float) -> float:
    return max(-SCORE_LIMIT, min(SCORE_LIMIT, math.log(max(ratio, 1e-12))))
