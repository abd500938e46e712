"""How far one camera's clock is off, as the light of its exposures tells it.

Each frame without flash, with a place and a time, is weighed under every offset the
clock may have. What kind of places the camera was used in and what weather it met is
unknown, so it is summed over for the whole set: a set taken indoors then says nothing,
one taken outdoors speaks clearly. Photos of one outing share its weather and its
rooms: how alike their light is was measured (``light.json``), and *n* photos that
correlate by ρ count as n / (1 + (n − 1) ρ).
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.earth import zones
from gtloc_forensics.earth.sun import sun_position
from gtloc_forensics.evidence import exposure
from gtloc_forensics.evidence.exposure import LightModel
from gtloc_forensics.evidence.exposure.model import outdoors_of
from gtloc_forensics.records import PhotoSummary

Floats: TypeAlias = NDArray[np.float64]

STEP_HOURS = 0.25
OFFSETS_HOURS: Floats = np.asarray(np.arange(-56, 57) * STEP_HOURS, dtype=np.float64)
"""Claimed minus true civil time; ±14 h holds every wrong zone and both halves of the day."""

OUTING_S = 1800.0  # photos closer than this belong to one outing
MOST_PHOTOS = 400  # more of one camera are thinned evenly: they would add time, not knowledge
COARSEST_S = 900.0

# A picture this dark that was exposed as for daylight shows the moon, a stage, a screen: its light is not the sun's.
DARK_LUMINANCE = 0.15
DAYLIGHT_EV100 = 7.0
# Bright as sunlight and no black picture: of 243 frames by night 4 were exposed so, all of the moon or of a source
# whose clock is unconfirmed. An odd frame is this much rarer then.
SUNLIT_EV100 = 12.0
SUNLIT_ODD = 0.02

# The habits summed over, and how common each is: from always outdoors to always indoors, from dull to sunny,
# ±1.2 EV of a camera's own metering (one sigma 0.7 EV), and rooms lit by day as others are at night. Even odds
# for the shares.
INDOOR_SHARES = (0.03, 0.15, 0.35, 0.65, 0.95)
SUNNY_SHARES = (0.1, 0.35, 0.7)
SHIFTS_EV = (-1.2, -0.6, 0.0, 0.6, 1.2)
SHIFT_SIGMA_EV = 0.7
LAMP_LIT_SHARES = (0.0, 1.0)

# The curves know nothing of hills, haze and hats; nobody's light tells the time better than to this.
BLUR_HOURS = 0.25

DENSITIES_AT_ONCE = 16_384
"""Densities under several habits that are worked out with one call of numpy: of few frames its calls are the cost."""

CAMERAS_REMEMBERED = 512
"""Of which it is known what their light says: a kilobyte each."""

ELEVATIONS_AT_ONCE = 12_800
"""Weighed at a time: some forty numbers each are held meanwhile."""

_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of one camera whose light can be weighed, in the order of their claimed time, as columns ``[N]``."""

    source_ids: tuple[str, ...]
    claimed_utc_s: Floats  # claimed civil time at the place, taken as right
    latitude_deg: Floats
    longitude_deg: Floats
    ev100: Floats
    weight: Floats  # tempered: photos of one outing are alike
    is_sunlit: NDArray[np.bool_]  # exposed for the sun, and the picture is no black one: no lamp does that
    outings: int

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.source_ids)

    @property
    def effective(self) -> float:
        """How many independent photos these are worth."""
        return float(self.weight.sum())


def frames_of(summaries: Sequence[PhotoSummary], model: LightModel | None = None) -> Frames:
    """Return the frames among *summaries* that light can be asked about.

    Args:
        summaries: of one device.
        model: says how alike the light of photos of one outing, and of one camera, is.
    """
    model = exposure.load() if model is None else model
    chosen = sorted((summary for summary in summaries if _is_usable(summary)), key=_claimed_s)
    if len(chosen) > MOST_PHOTOS:
        keep = np.linspace(0, len(chosen) - 1, MOST_PHOTOS).round().astype(int)
        chosen = [chosen[index] for index in keep]
    claimed = np.array([_claimed_s(entry) for entry in chosen])
    outing = np.cumsum(np.diff(claimed, prepend=-np.inf) > OUTING_S, dtype=np.int64)
    return Frames(
        source_ids=tuple(entry.source_id for entry in chosen),
        claimed_utc_s=claimed,
        latitude_deg=np.array([entry.latitude_deg for entry in chosen], np.float64),
        longitude_deg=np.array([entry.longitude_deg for entry in chosen], np.float64),
        ev100=np.array([entry.ev100 for entry in chosen], np.float64),
        weight=_weights(outing, model),
        is_sunlit=np.array([_is_sunlit(entry) for entry in chosen], np.bool_),
        outings=int(outing[-1]) if len(chosen) else 0,
    )


def _weights(outing: NDArray[np.int64], model: LightModel) -> Floats:
    """Return what each photo counts for, given how alike those of one outing are.

    The design effect of a cluster (Kish 1965): n photos that correlate by ρ carry what n / (1 + (n − 1) ρ)
    independent ones do. What outings of one camera share are its owner's habits, which are summed over.
    """
    if not len(outing):
        return np.zeros(0)
    size = np.bincount(outing)[outing].astype(np.float64)
    return np.asarray(1.0 / (1.0 + (size - 1.0) * model.outing_correlation), dtype=np.float64)


def _is_usable(photo: PhotoSummary) -> bool:
    if _is_dark_but_bright(photo):
        return False
    return (
        photo.local_time is not None
        and photo.ev100 is not None
        and photo.flash_fired is not True
        and photo.latitude_deg is not None
        and photo.longitude_deg is not None
        and photo.local_resolution_s <= COARSEST_S
    )


def _is_dark_but_bright(photo: PhotoSummary) -> bool:
    """Whether the picture is black although its exposure is daylight's."""
    if photo.mean_luminance is None or photo.ev100 is None:
        return False
    return photo.mean_luminance < DARK_LUMINANCE and photo.ev100 >= DAYLIGHT_EV100


def _is_sunlit(photo: PhotoSummary) -> bool:
    if photo.mean_luminance is None or photo.ev100 is None:
        return False
    return photo.mean_luminance >= DARK_LUMINANCE and photo.ev100 >= SUNLIT_EV100


def civil_offset_hours(photo: PhotoSummary) -> float:
    """Return the offset civil clocks keep at the claimed place and time; solar time where no zone is known."""
    if photo.zone and photo.local_time is not None:
        return zones.offsets_hours(photo.zone, photo.local_time)[0]
    return round((photo.longitude_deg or 0.0) / 15.0)


def _claimed_s(photo: PhotoSummary) -> float:
    local = photo.local_time or _EPOCH
    return (local - _EPOCH).total_seconds() - 3600.0 * civil_offset_hours(photo)


def log_likelihood(model: LightModel, frames: Frames, later_s: Floats) -> Floats:
    """Return the natural log likelihood of the set, were each photo taken *later_s* after its claim.

    Args:
        model: p(EV100 | sun elevation).
        frames: of one camera.
        later_s: ``[K]`` or ``[N, K]`` seconds to add to the claimed instants.

    Returns:
        ``[K]``, up to a constant.
    """
    instants = frames.claimed_utc_s[:, None] + np.atleast_2d(later_s)
    strips = -(-instants.size // ELEVATIONS_AT_ONCE) or 1  # of one width, for numpy adds a single column otherwise
    parts = []
    for some in np.array_split(instants, min(strips, max(1, instants.shape[1] // 2)), axis=1):
        height, _ = sun_position(some, frames.latitude_deg[:, None], frames.longitude_deg[:, None])
        parts.append(of_elevations(model, frames, height))
    return np.concatenate(parts)


def of_elevations(model: LightModel, frames: Frames, elevation_deg: Floats) -> Floats:
    """Return the natural log likelihood ``[K]`` of the set under elevations ``[N, K]``, habits summed over."""
    ev100, weight = frames.ev100[:, None], frames.weight[:, None]
    odd = np.where(frames.is_sunlit, SUNLIT_ODD, 1.0)[:, None]
    usual = model.parts(ev100, elevation_deg)
    mixture = model.mixture(usual, odd_by_night=odd)
    indoors = [
        (share, share * usual.with_rooms_lit(lamp_lit).indoor)
        for lamp_lit in LAMP_LIT_SHARES
        for share in INDOOR_SHARES
    ]
    of_sky = max(1, min(len(SUNNY_SHARES), DENSITIES_AT_ONCE // max(1, elevation_deg.size)))
    of_rooms = max(1, DENSITIES_AT_ONCE // max(1, elevation_deg.size * of_sky)) if of_sky == len(SUNNY_SHARES) else 1
    habits = [_together(indoors[first : first + of_rooms]) for first in range(0, len(indoors), of_rooms)]
    totals = []
    for shift_ev in SHIFTS_EV:
        parts = model.shifted(usual, ev100, elevation_deg, shift_ev=shift_ev)
        skies = np.stack([outdoors_of(parts, sunny_share=share) for share in SUNNY_SHARES])
        outdoors = [skies[first : first + of_sky] for first in range(0, len(skies), of_sky)]
        rarity = -0.5 * (shift_ev / SHIFT_SIGMA_EV) ** 2
        for indoor_share, rooms in habits:
            for open_air in outdoors:
                frame = mixture.log_density(open_air, rooms, indoor_share=indoor_share)
                frame *= weight
                totals.append((frame.sum(axis=-2) + rarity).reshape(-1, elevation_deg.shape[1]))
    return np.asarray(np.logaddexp.reduce(np.concatenate(totals), axis=0), dtype=np.float64)


def _together(indoors: Sequence[tuple[float, Floats]]) -> tuple[Floats, Floats]:
    """Return shares of indoor frames ``[M, 1, 1, 1]`` and their densities ``[M, 1, N, …]``."""
    shares, rooms = zip(*indoors, strict=True)
    return np.array(shares)[:, None, None, None], np.stack(rooms)[:, None]


def offset_log_likelihood(model: LightModel, frames: Frames) -> Floats:
    """Return the natural log likelihood over :data:`OFFSETS_HOURS`, its maximum 0; flat without frames."""
    if not len(frames):
        return np.zeros(len(OFFSETS_HOURS))
    return _of_offsets.once(model, frames)


class _Remembered:
    """What the light of some frames says of each offset: a rule and the clock model ask the same of every camera."""

    def __init__(self) -> None:
        self._model: LightModel | None = None  # by which they are weighed
        self._known: OrderedDict[bytes, Floats] = OrderedDict()

    def once(self, model: LightModel, frames: Frames) -> Floats:
        """Return the log likelihood over the offsets, worked out anew only where it is not remembered."""
        columns = (frames.claimed_utc_s, frames.latitude_deg, frames.longitude_deg, frames.ev100, frames.weight)
        told = b"".join(column.tobytes() for column in (*columns, frames.is_sunlit))
        if self._model is not model:
            self._model = model
            self._known.clear()
        key = hashlib.sha256(told).digest()
        known = self._known.get(key)
        if known is None:
            found = log_likelihood(model, frames, -3600.0 * OFFSETS_HOURS)
            known = self._known[key] = _blurred(found - found.max())
            known.setflags(write=False)
            if len(self._known) > CAMERAS_REMEMBERED:
                self._known.popitem(last=False)
        return known


_of_offsets = _Remembered()


def _blurred(log_likelihood_: Floats) -> Floats:
    """Spread a likelihood over its neighbours, as wide as the curves are uncertain."""
    reach = np.arange(-4, 5) * STEP_HOURS
    kernel = np.exp(-0.5 * (reach / BLUR_HOURS) ** 2)
    padded = np.pad(np.exp(log_likelihood_), 4, mode="edge")
    blurred = np.log(np.maximum(np.convolve(padded, kernel / kernel.sum(), mode="valid"), np.finfo(np.float64).tiny))
    return np.asarray(blurred - blurred.max(), dtype=np.float64)
