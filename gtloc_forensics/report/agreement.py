"""How far two models say the same of a picture, and where the claim lies in what each of them says.

None of these numbers is a strength of evidence: nobody has calibrated a second opinion here,
nor several of them together. They say what was said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth.circular import cell_of, year_turn
from gtloc_forensics.earth.sphere import EqualAreaCells, unit_vectors
from gtloc_forensics.records import Claim, Photo, PlaceDensity, Position, Prediction, Stated

ASKED = "second opinion "
"""How the environment calls what further models say of themselves."""

NOT_COMBINED = (
    "no strength is combined of several models: that needs a calibration of the combination on photos of sources "
    "held out, which nobody has made"
)

_COARSE_CELLS = 1500
_EVEN = 1e-4  # spread of the masses, relative to their mean, below which a density says nothing

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Shares 0–1; None where either model does not judge it, or nothing is claimed.

    Attributes:
        time_in_common: mass over season and hour that both models put in the same place.
        place_in_common: the same over equal areas of the earth.
        time_of_claim: mass of all that this model holds likelier than the claimed time; near 0 it is as claimed,
            near 1 nearly everything is likelier.
        place_of_claim: the same of the claimed place.
    """

    time_in_common: float | None = None
    place_in_common: float | None = None
    time_of_claim: float | None = None
    place_of_claim: float | None = None


def judges(mass: NDArray[np.floating]) -> bool:
    """Say whether a density says anything: one that is spread evenly does not."""
    return bool(np.ptp(mass) > _EVEN * float(np.mean(mass)))


def agreement(photo: Photo, said: Prediction) -> Agreement:
    """Return how a further model's answer stands to the first model's and to the claim."""
    first = photo.prediction if isinstance(photo.prediction, Prediction) else None
    tells_time, tells_place = judges(said.time.mass), judges(said.place.mass)
    with_first_time = tells_time and first is not None and judges(first.time.mass)
    with_first_place = tells_place and first is not None and judges(first.place.mass)
    return Agreement(
        time_in_common=_in_common(_turns(said), _turns(first)) if with_first_time and first else None,
        place_in_common=_in_common(_areas(said.place), _areas(first.place)) if with_first_place and first else None,
        time_of_claim=_time_of_claim(photo, said) if tells_time else None,
        place_of_claim=_place_of_claim(photo, said.place) if tells_place else None,
    )


def months_of(said: Prediction) -> Floats:
    """Return the mass of each month, ``[12]``."""
    return np.asarray(_turns(said).sum(axis=1))


def _in_common(one: Floats, other: Floats) -> float:
    return float(np.minimum(one, other).sum())


def _turns(said: Prediction) -> Floats:
    """Return the mass by month and hour, whatever the cells were."""
    return _gathered(_gathered(said.time.mass.astype(np.float64), 12).T, 24).T


def _gathered(mass: Floats, cells: int) -> Floats:
    home = ((np.arange(len(mass)) + 0.5) / len(mass) * cells).astype(np.int64)
    found = np.zeros((cells, mass.shape[1]))
    np.add.at(found, home, mass)
    return np.asarray(found / found.sum())


def _areas(place: PlaceDensity) -> Floats:
    cells = EqualAreaCells(_COARSE_CELLS)
    home = cells.cell_of(place.latitude_deg, place.longitude_deg)
    mass = np.bincount(home, weights=place.mass.astype(np.float64), minlength=_COARSE_CELLS)
    return np.asarray(mass, dtype=np.float64)


def _time_of_claim(photo: Photo, said: Prediction) -> float | None:
    claim = photo.claim
    if not isinstance(claim, Claim) or not isinstance(claim.local_time, Stated):
        return None
    local = claim.local_time.value
    hours = local.hour + local.minute / 60.0 + local.second / 3600.0
    years, days = said.time.mass.shape
    own = said.time.mass[cell_of(year_turn(local), cells=years), cell_of(hours / 24.0, cells=days)]
    return _likelier(said.time.mass, float(own))


def _place_of_claim(photo: Photo, place: PlaceDensity) -> float | None:
    claim = photo.claim
    if not isinstance(claim, Claim) or not isinstance(claim.position, Stated):
        return None
    spot: Position = claim.position.value
    nearness = unit_vectors(place.latitude_deg, place.longitude_deg) @ unit_vectors(
        spot.latitude_deg, spot.longitude_deg
    )
    nearest = int(np.argmax(nearness))
    side = np.sqrt(place.cell_area_km2) / 6371.0
    own = float(place.mass[nearest]) if np.arccos(np.clip(nearness[nearest], -1.0, 1.0)) <= side else 0.0
    return _likelier(place.mass, own)


def _likelier(mass: NDArray[np.floating], own: float) -> float:
    return float(min(1.0, mass[mass > own].sum()))
