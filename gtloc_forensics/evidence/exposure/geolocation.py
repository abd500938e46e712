"""Where on earth one camera's photos were taken, as the light of their exposures tells it.

The clock is trusted and the place is asked for, as biologists locate birds by light
(geolocation by solar geometry; Hill 1994, Ekstrom 2004): the times of dawn, noon and
dusk give longitude, the length of the day gives latitude. Photos of one camera that
claim to lie close together are moved as one, so that a long journey is not squeezed
into a point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth import globe
from gtloc_forensics.earth.sun import skies, sun_position
from gtloc_forensics.evidence.exposure import LightModel
from gtloc_forensics.evidence.exposure import clock_offsets as light_offsets
from gtloc_forensics.evidence.exposure.clock_offsets import Frames
from gtloc_forensics.records import OffsetSource, PhotoSummary, PlaceDensity, Sentence

Floats: TypeAlias = NDArray[np.float64]

CELLS = 3_072  # about 407 km across: light alone is no sharper
EARTH_AREA_KM2 = 510_065_600.0
# Light knows neither hills nor weather for sure: the likelihood is spread over neighbours this far apart.
BLUR_KM = 400.0
CHUNK = 128
MOST_FRAMES = 100  # per device: what locating costs grows with them, what it tells hardly does

# Longer journeys than this are not one place, and light cannot be asked where they were.
WIDEST_TRACK_KM = 1_000.0


@dataclass(frozen=True, slots=True)
class LightPlace:
    """A posterior over places from light alone, and what it says of the claimed place."""

    density: PlaceDensity
    photos: int
    outings: int
    rank: float  # mass of all cells more likely than the claimed one, 0–1: the region the claim is just outside of
    ratio: float  # posterior of the claimed cell over the best cell's
    behind_log10: float  # how many times likelier the light is at the best cell than at the claimed one, as log10


@cache
def cells() -> tuple[Floats, Floats]:
    """Return the latitudes and longitudes ``[C]`` of equal-area cells (Fibonacci lattice; González 2010)."""
    number = np.arange(CELLS) + 0.5
    latitude = np.degrees(np.arcsin(1.0 - 2.0 * number / CELLS))
    longitude = np.mod(number * 360.0 * (2.0 / (1.0 + 5.0**0.5)), 360.0) - 180.0
    return latitude, longitude


def locate_by_light(summaries: Sequence[PhotoSummary], *, model: LightModel) -> LightPlace | None:
    """Return where the light says that *summaries* were taken, their instants trusted.

    Every photo is moved by the same turn of the globe: the middle of the claimed places
    goes to each cell, and the others keep their distance north and east of it.

    Args:
        summaries: of one device; those with place, instant and a flashless exposure count.
        model: p(EV100 | sun elevation).

    Returns:
        None when fewer than eight frames count, or when they span more than
        :data:`WIDEST_TRACK_KM`.
    """
    frames = _frames(summaries)
    if len(frames) < 8 or _span_km(frames) > WIDEST_TRACK_KM:
        return None
    log_likelihood = _over_cells(model, _thinned(frames))
    mass = _spread(np.exp(log_likelihood - log_likelihood.max()))
    mass /= mass.sum()
    claimed = _nearest(*_middle(frames))
    behind = float(log_likelihood.max() - log_likelihood[claimed]) / np.log(10.0)
    return _told(frames, mass, claimed=claimed, behind_log10=float(behind))


def slips_by_light(summaries: Sequence[PhotoSummary], *, model: LightModel) -> tuple[tuple[Sentence, float], ...]:
    """Return, for each slip of a whole track, how many times likelier the light is once it is undone, as log10.

    The best first; empty when fewer than eight frames count. Works for journeys of any length.
    """
    frames = _frames(summaries)
    if len(frames) < 8:
        return ()
    latitude, longitude = frames.latitude_deg, frames.longitude_deg
    undone = {
        Sentence("the sign of the longitude lost (E/W)"): (latitude, -longitude),
        Sentence("the sign of the latitude lost (N/S)"): (-latitude, longitude),
        Sentence("both signs lost"): (-latitude, -longitude),
    }
    if float(np.abs(longitude).max()) <= 90.0:
        undone[Sentence("latitude and longitude swapped")] = (longitude, latitude)
    above = skies(frames.claimed_utc_s)
    claimed = _likelihood_at(model, frames, above.seen_from(latitude, longitude)[0])
    gains = (
        (slip, (_likelihood_at(model, frames, above.seen_from(*place)[0]) - claimed) / np.log(10.0))
        for slip, place in undone.items()
    )
    return tuple(sorted(((slip, float(gain)) for slip, gain in gains), key=lambda pair: -pair[1]))


def _likelihood_at(model: LightModel, frames: Frames, elevation_deg: Floats) -> float:
    return float(light_offsets.of_elevations(model, frames, elevation_deg[:, None])[0])


def _frames(summaries: Sequence[PhotoSummary]) -> Frames:
    """Return the frames with their instants: the GPS clock's, else those that their files state."""
    instants = {summary.source_id: moment for summary in summaries if (moment := _own_instant(summary)) is not None}
    frames = light_offsets.frames_of([summary for summary in summaries if summary.source_id in instants])
    stated = np.array([_seconds(instants[name]) for name in frames.source_ids], np.float64)
    return replace(frames, claimed_utc_s=stated)


def _own_instant(photo: PhotoSummary) -> datetime | None:
    """Return an instant that does not come from the claimed place; such a one would follow it wherever it is moved."""
    if photo.gps_utc_time is not None:
        return photo.gps_utc_time
    return None if photo.utc_source is OffsetSource.PLACE else photo.utc_time


def _seconds(utc: datetime) -> float:
    return (utc - datetime(1970, 1, 1)).total_seconds()


def _middle(frames: Frames) -> tuple[float, float]:
    turn = np.radians(frames.longitude_deg)
    longitude = float(np.degrees(np.arctan2(np.sin(turn).mean(), np.cos(turn).mean())))
    return float(np.median(frames.latitude_deg)), longitude


def _span_km(frames: Frames) -> float:
    latitude, longitude = _middle(frames)
    east = np.mod(frames.longitude_deg - longitude + 180.0, 360.0) - 180.0
    north_km = 111.2 * np.abs(frames.latitude_deg - latitude)
    east_km = 111.2 * np.abs(east) * np.cos(np.radians(frames.latitude_deg))
    return float(np.percentile(np.hypot(north_km, east_km), 95))


def _over_cells(model: LightModel, frames: Frames) -> Floats:
    latitude, longitude = cells()
    middle = _middle(frames)
    north = frames.latitude_deg - middle[0]
    east = frames.longitude_deg - middle[1]
    parts = []
    for first in range(0, CELLS, CHUNK):
        there = slice(first, first + CHUNK)
        height, _ = sun_position(
            frames.claimed_utc_s[:, None],
            np.clip(latitude[None, there] + north[:, None], -90.0, 90.0),
            longitude[None, there] + east[:, None],
        )
        parts.append(light_offsets.of_elevations(model, frames, height))
    return np.concatenate(parts)


def _spread(mass: Floats) -> Floats:
    """Blur a mass ``[C]`` over neighbouring cells."""
    latitude, longitude = cells()
    heavy = np.flatnonzero(mass > 1e-6 * mass.max())
    spread = np.zeros_like(mass)
    for first in range(0, len(heavy), CHUNK):  # all at once would be some 300 MB
        some = heavy[first : first + CHUNK]
        apart_km = globe.distance_km(
            latitude[:, None],
            longitude[:, None],
            second_latitude_deg=latitude[some],
            second_longitude_deg=longitude[some],
        )
        kernel = np.exp(-0.5 * (apart_km / BLUR_KM) ** 2)
        spread += (kernel / kernel.sum(axis=0)) @ mass[some]
    return np.asarray(spread, dtype=np.float64)


def _thinned(frames: Frames) -> Frames:
    """Return at most :data:`MOST_FRAMES`, evenly chosen, weighing together what all did."""
    if len(frames) <= MOST_FRAMES:
        return frames
    keep = np.linspace(0, len(frames) - 1, MOST_FRAMES).round().astype(int)
    return Frames(
        source_ids=tuple(frames.source_ids[index] for index in keep),
        claimed_utc_s=frames.claimed_utc_s[keep],
        latitude_deg=frames.latitude_deg[keep],
        longitude_deg=frames.longitude_deg[keep],
        ev100=frames.ev100[keep],
        weight=frames.weight[keep] * frames.effective / frames.weight[keep].sum(),
        is_sunlit=frames.is_sunlit[keep],
        outings=frames.outings,
    )


def _told(frames: Frames, mass: Floats, *, claimed: int, behind_log10: float) -> LightPlace:
    latitude, longitude = cells()
    order = np.argsort(-mass, kind="stable")
    kept = order[: int(np.searchsorted(np.cumsum(mass[order]), 0.9999)) + 1]
    density = PlaceDensity(
        latitude[kept].astype(np.float32),
        longitude[kept].astype(np.float32),
        (mass[kept] / mass[kept].sum()).astype(np.float32),
        EARTH_AREA_KM2 / CELLS,
    )
    above = float(mass[mass > mass[claimed]].sum())
    return LightPlace(density, len(frames), frames.outings, above, float(mass[claimed] / mass.max()), behind_log10)


def _nearest(latitude_deg: float, longitude_deg: float) -> int:
    latitude, longitude = cells()
    east = np.mod(longitude - longitude_deg + 180.0, 360.0) - 180.0
    half = np.sin(np.radians(latitude - latitude_deg) / 2.0) ** 2
    half = half + np.cos(np.radians(latitude)) * np.cos(np.radians(latitude_deg)) * np.sin(np.radians(east) / 2.0) ** 2
    return int(np.argmin(half))
