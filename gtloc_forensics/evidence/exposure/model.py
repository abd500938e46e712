"""How much light an exposure speaks of, given where the sun stood: p(EV100 | sun elevation).

A frame without flash is one of four things: sunlit ground, cloud or shade, a lit
room by day, a lamp by night. Each has its own EV100; which of them a frame is, is
unknown and summed over. The two outdoor ones follow the sun along published
illuminance curves (papers.md §7.3) moved to real photos; heavy tails leave room for
what the four do not cover. ``light.json`` holds the numbers, the photos behind them
and the held-out scores that make a p-value of a score; ``experiments/light_likelihood.py``
makes it.
"""

from __future__ import annotations

import importlib.resources
import json
import math
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gtloc_forensics.earth.sun import Skies, skies

Floats: TypeAlias = NDArray[np.float64]

EV_RANGE = 28.0  # EV100 −8 to 20: what any camera writes; the tails' density is one over it

# Clear and overcast horizontal illuminance as EV100 (papers.md §7.3: direct sun through the air mass, sky light
# after the IES; below the horizon the AMS twilight table). Only their shape is used; levels are learned.
CURVE_ELEVATION_DEG = (-90.0, -18.0, -12.0, -6.0, -3.0, -0.83, 1.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0)
CLEAR_EV100 = (-4.0, -4.0, -3.0, 0.4, 5.0, 7.6, 10.2, 11.4, 12.5, 13.2, 13.7, 14.4, 15.0, 15.3, 15.6)
OVERCAST_EV100 = (-5.0, -5.0, -4.0, -1.0, 3.0, 5.5, 8.1, 9.7, 10.6, 11.2, 11.5, 12.1, 12.6, 12.9, 13.1)

# Lamps take over from daylight where the sun is this far down, in the course of a few degrees.
LAMPS_FROM_DEG = -5.0
LAMPS_WITHIN_DEG = 1.5

_MIDDLE_OF_MONTHS_2024_S = tuple(1_705_276_800.0 + month * 30.5 * 86_400.0 for month in range(12))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of scene: EV100 above its curve (or absolute where it has none), and the spread."""

    mean_ev100: float
    sigma_ev100: float
    share: float  # of the photos taken by day; a lamp by night has the night to itself


@dataclass(frozen=True, slots=True)
class LightModel:
    """p(EV100 | sun elevation) as a mixture of four kinds of scene, with its calibration."""

    clear: Kind
    overcast: Kind
    indoor: Kind
    lamp: Kind
    tail: float  # share of frames that are none of the four
    slope: float  # what a raw log likelihood ratio is multiplied by to be calibrated
    held_out_log10_lr: tuple[float, ...]  # quantiles of true claims of groups not learned from, each group alike
    hour_prior: tuple[float, ...]  # [24] when people take photos, local hour
    photos: int
    groups: int
    card: str  # what it was learned from, one sentence
    outing_correlation: float  # how alike the light of photos of one outing is, given the sun

    def parts(self, ev100: ArrayLike, elevation_deg: ArrayLike, *, shift_ev: float = 0.0) -> Parts:
        """Return the densities of the four kinds and how far it is night; broadcasts.

        Args:
            ev100: of frames without flash.
            elevation_deg: of the sun.
            shift_ev: how much brighter than usual this camera meters the open air.
        """
        ev, height = np.asarray(ev100, np.float64), np.asarray(elevation_deg, np.float64)
        outside = ev - shift_ev
        return Parts(
            clear=_normal(outside - np.interp(height, CURVE_ELEVATION_DEG, CLEAR_EV100), self.clear),
            overcast=_normal(outside - np.interp(height, CURVE_ELEVATION_DEG, OVERCAST_EV100), self.overcast),
            indoor=_normal(ev, self.indoor),
            lamp=_normal(ev, self.lamp),
            night=night_share(height),
        )

    def log_likelihood(self, ev100: ArrayLike, elevation_deg: ArrayLike) -> Floats:
        """Return the natural log of p(EV100 | elevation), per EV; broadcasts.

        Never below ``log(tail / EV_RANGE)``: one frame alone can say only so much.
        """
        parts = self.parts(ev100, elevation_deg)
        sunny = self.clear.share / (self.clear.share + self.overcast.share)
        return self.mixed(parts, indoor_share=self.indoor.share, sunny_share=sunny)

    def mixed(self, parts: Parts, *, indoor_share: float, sunny_share: float, odd_by_night: ArrayLike = 1.0) -> Floats:
        """Return the log density of frames of a camera with these habits and this weather.

        Args:
            parts: the densities of the four kinds.
            indoor_share: of the frames by day.
            sunny_share: of the frames outdoors.
            odd_by_night: what their density by night is multiplied by, for frames that no lamp explains.
        """
        mixture = self.mixture(parts, odd_by_night=odd_by_night)
        outdoors = outdoors_of(parts, sunny_share=sunny_share)
        return mixture.log_density(outdoors, indoor_share * parts.indoor, indoor_share=indoor_share)

    def mixture(self, parts: Parts, *, odd_by_night: ArrayLike = 1.0) -> Mixture:
        """Return what of :meth:`mixed` is the same whatever the habits and the weather."""
        odd = np.asarray(odd_by_night)
        tail = self.tail * (1.0 - parts.night * (1.0 - odd))
        return Mixture(1.0 - parts.night, parts.night * parts.lamp * odd, 1.0 - tail, tail / EV_RANGE)

    def shifted(self, parts: Parts, ev100: ArrayLike, elevation_deg: ArrayLike, *, shift_ev: float) -> Parts:
        """Return the *parts* of a camera that meters the open air so much brighter; see :meth:`parts`."""
        outside, height = np.asarray(ev100, np.float64) - shift_ev, np.asarray(elevation_deg, np.float64)
        return replace(
            parts,
            clear=_normal(outside - np.interp(height, CURVE_ELEVATION_DEG, CLEAR_EV100), self.clear),
            overcast=_normal(outside - np.interp(height, CURVE_ELEVATION_DEG, OVERCAST_EV100), self.overcast),
        )

    def log10_lr(self, ev100: float, *elevations_deg: float, other_elevations_deg: Floats, other_mass: Floats) -> float:
        """Return the calibrated log10 likelihood ratio: claim true against a claim drawn from others.

        Args:
            ev100: of the frame.
            elevations_deg: of the sun at the claimed place and time; of several the one that suits the claim best.
            other_elevations_deg: ``[K]`` where the sun would stand under other claims.
            other_mass: ``[K]`` how common those are, sums to 1.
        """
        likely = self.log_likelihood(ev100, np.concatenate([other_elevations_deg, elevations_deg]))
        claimed = float(likely[len(other_elevations_deg) :].max())
        others = math.log(float(np.dot(other_mass, np.exp(likely[: len(other_elevations_deg)]))))
        return self.slope * (claimed - others) / math.log(10.0)

    def p_value(self, log10_lr: float) -> float:
        """Return an upper bound on how often a true claim of a source never learned from scores as low or lower.

        Ranks are among sources, each counted once however many photos it gave: photos of one source are no
        independent witnesses. Never below one in the number of sources and one (Lee, Barber & Willett 2023).
        """
        scores = self.held_out_log10_lr
        rank = float(np.searchsorted(scores, log10_lr, side="right")) / len(scores)
        return min(1.0, (self.groups * rank + 1.0) / (self.groups + 1.0))


@dataclass(frozen=True, slots=True)
class Parts:
    """Densities per EV of the four kinds of scene, and the share that lamps have."""

    clear: Floats
    overcast: Floats
    indoor: Floats
    lamp: Floats
    night: Floats

    def with_rooms_lit(self, lamp_lit: float) -> Parts:
        """Return the parts where a share of the rooms used by day is lit as rooms are at night."""
        return replace(self, indoor=(1.0 - lamp_lit) * self.indoor + lamp_lit * self.lamp)


@dataclass(frozen=True, slots=True)
class Mixture:
    """What of the density of frames does not depend on a camera's habits and the weather: worked out once for all."""

    day: Floats  # the share that daylight has
    by_lamp: Floats  # density by night
    certain: Floats  # the share of frames that are of one of the four kinds
    floor: Floats  # density of all others

    def log_density(self, outdoors: Floats, indoors: Floats, *, indoor_share: float | Floats) -> Floats:
        """Return the log density of frames: *outdoors* by :func:`outdoors_of`, *indoors* times its share already."""
        by_day = (1.0 - indoor_share) * outdoors + indoors
        density = self.day * by_day
        density += self.by_lamp
        density *= self.certain
        density += self.floor
        return np.asarray(np.log(density), dtype=np.float64)


def outdoors_of(parts: Parts, *, sunny_share: float) -> Floats:
    """Return the density of frames under the open sky in this weather."""
    return np.asarray(sunny_share * parts.clear + (1.0 - sunny_share) * parts.overcast, dtype=np.float64)


def night_share(elevation_deg: ArrayLike) -> Floats:
    """Return the share of lamp-lit frames, 0 by day and 1 in the night."""
    height = np.clip(np.asarray(elevation_deg, np.float64), -60.0, 60.0)
    return np.asarray(1.0 / (1.0 + np.exp((height - LAMPS_FROM_DEG) / LAMPS_WITHIN_DEG)), dtype=np.float64)


def _normal(distance_ev: Floats, kind: Kind) -> Floats:
    scaled = (distance_ev - kind.mean_ev100) / kind.sigma_ev100
    return np.asarray(np.exp(-0.5 * scaled**2) / (kind.sigma_ev100 * math.sqrt(2.0 * math.pi)), dtype=np.float64)


# --------------------------------------------------------------------------- other claims


def other_claims(
    latitude_deg: float, longitude_deg: float, *, offset_hours: float, hour_prior: tuple[float, ...]
) -> tuple[Floats, Floats]:
    """Return where the sun stands at a place under claims of any month and hour.

    Months are equally likely, hours as people take photos. Places are told apart by
    degrees of latitude and quarters of an hour between the clock and the sun.

    Returns:
        ``(elevation_deg [288], mass [288])``.
    """
    return _other_claims(round(latitude_deg), round(4.0 * (longitude_deg / 15.0 - offset_hours)), hour_prior)


@lru_cache(maxsize=2_048)
def _other_claims(latitude_deg: int, sun_ahead_quarters: int, hour_prior: tuple[float, ...]) -> tuple[Floats, Floats]:
    elevation, _ = _other_skies().seen_from(float(latitude_deg), 15.0 * sun_ahead_quarters / 4.0)
    return elevation.ravel(), _mass(hour_prior)


@cache
def _other_skies() -> Skies:
    hours = np.arange(24) + 0.5
    return skies(np.asarray(_MIDDLE_OF_MONTHS_2024_S)[:, None] + 3600.0 * hours[None, :])


@lru_cache(maxsize=4)
def _mass(hour_prior: tuple[float, ...]) -> Floats:
    return np.tile(np.asarray(hour_prior) / (12.0 * sum(hour_prior)), (12, 1)).ravel()


# --------------------------------------------------------------------------- the file


@cache
def load() -> LightModel:
    """Return the model that comes with the program."""
    return from_json(
        importlib.resources.files("gtloc_forensics.evidence.exposure")
        .joinpath("light.json")
        .read_text(encoding="utf-8")
    )


def from_json(text: str) -> LightModel:
    """Return the model that *text* describes.

    Raises:
        ValueError: when it is not such a model.
    """
    held: dict[str, Any] = json.loads(text)
    try:
        kinds = {name: Kind(**held[name]) for name in ("clear", "overcast", "indoor", "lamp")}
        return LightModel(
            **kinds,
            tail=float(held["tail"]),
            slope=float(held["slope"]),
            held_out_log10_lr=tuple(held["held_out_log10_lr"]),
            hour_prior=tuple(held["hour_prior"]),
            photos=int(held["photos"]),
            groups=int(held["groups"]),
            card=str(held["card"]),
            outing_correlation=float(held["outing_correlation"]),
        )
    except (KeyError, TypeError) as problem:
        raise ValueError(f"not a light model: {problem}") from problem


def to_json(model: LightModel) -> str:
    """Return *model* as text that :func:`from_json` reads."""
    kinds = {
        name: {"mean_ev100": kind.mean_ev100, "sigma_ev100": kind.sigma_ev100, "share": kind.share}
        for name, kind in (
            ("clear", model.clear),
            ("overcast", model.overcast),
            ("indoor", model.indoor),
            ("lamp", model.lamp),
        )
    }
    rest = (
        "tail",
        "slope",
        "photos",
        "groups",
        "card",
        "outing_correlation",
        "hour_prior",
        "held_out_log10_lr",
    )
    return json.dumps({**kinds, **{name: getattr(model, name) for name in rest}}, indent=1) + "\n"
