"""What the pixels are, and what a model says they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.records.claims import Position


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture ready for a model: upright, sRGB.

    ``rgb`` is ``[H, W, 3]`` uint8; its short side is at least the size asked for
    unless the picture itself is smaller.
    """

    source_id: str
    rgb: NDArray[np.uint8]
    width: int  # of the original picture, upright
    height: int
    note: str = ""  # "embedded preview of a RAW file", "first frame of 12", …


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the pixels are, beside what they show: for rules about duplicates, thumbnails, dimensions."""

    width: int
    height: int
    mode: str
    frames: int
    perceptual_hash: int  # 64-bit DCT hash of the upright picture
    thumbnail_hash: int | None  # the same of the embedded thumbnail, when there is one
    thumbnail_size: tuple[int, int] | None
    mean_luminance: float  # 0–1
    saturation: float  # mean HSV saturation, 0–1: 0 is monochrome
    note: str = ""
    uniformity: float = 0.0  # share of the pixels within one 32nd of brightness, 0–1: drawn cards, empty frames


@dataclass(frozen=True, slots=True)
class TimeDensity:
    """Probability mass over the torus (time of year × time of day), local civil time.

    ``mass`` is ``[Y, D]`` float32, sums to 1. Row *i* covers the turn of the year
    [i/Y, (i+1)/Y), column *j* the turn of the day [j/D, (j+1)/D).
    """

    mass: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse a mass that is not one."""
        if self.mass.ndim != 2 or not np.isfinite(self.mass).all() or abs(float(self.mass.sum()) - 1.0) > 1e-3:
            raise ValueError("a time density is a finite [Y, D] array that sums to 1")


@dataclass(frozen=True, slots=True)
class PlaceDensity:
    """Probability mass over equal-area cells of the sphere.

    ``latitude_deg``, ``longitude_deg`` and ``mass`` are ``[C]`` float32, cells with
    the most mass first; cells with negligible mass are cut and ``mass`` renormalised.
    """

    latitude_deg: NDArray[np.float32]
    longitude_deg: NDArray[np.float32]
    mass: NDArray[np.float32]
    cell_area_km2: float


@dataclass(frozen=True, slots=True)
class AngleDensity:
    """Probability mass over an angle: ``edges_deg`` is ``[C + 1]`` ascending, ``mass`` ``[C]`` float32, sums to 1."""

    edges_deg: NDArray[np.float32]
    mass: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse a mass that is not one."""
        fits = self.mass.ndim == 1 and self.edges_deg.shape == (self.mass.size + 1,)
        if not fits or not np.isfinite(self.mass).all() or abs(float(self.mass.sum()) - 1.0) > 1e-3:
            raise ValueError("an angle density is finite, sums to 1 and has one edge more than cells")


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the pixels show, as a density; point estimates minimise the expected error."""

    source_id: str
    model: str
    weights_sha256: str
    calibration: str  # sha256 of the calibration used, "" when uncalibrated
    time: TimeDensity
    place: PlaceDensity
    local_hour: float  # 0–24, least expected cyclic error
    year_turn: float  # 0–1, least expected cyclic error
    best_hour: float  # the arg-max of the paper
    best_year_turn: float
    position: Position  # least expected great-circle error
    best_position: Position
    region_area_km2: Mapping[int, float]  # 50, 90, 95 → area of the smallest region holding that mass
    datable: float  # probability that the scene can be dated at all (sky or daylight in view), 0–1
    embedding: NDArray[np.float32] | None = None  # [D] unit vector
    sun_height: AngleDensity | None = None  # elevation of the sun, from the pixels alone
    scene: Mapping[str, float] | None = None  # kind of scene → probability; they sum to 1
