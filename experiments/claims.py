"""True and false claims about held-out photos, scored as the program scores them.

A false claim is the time, or the time and the place, of another photo of another
source: what somebody would write who takes a plausible moment. That is the prior of
claims that every likelihood ratio of the small model refers to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from photo_set import PhotoSet

from gtloc_forensics.earth.circular import day_turn, year_turn
from gtloc_forensics.earth.sun import sun_position
from gtloc_forensics.evidence import exposure, sun_height
from gtloc_forensics.evidence import scores as evidence_scores
from gtloc_forensics.evidence.scores import Usual
from gtloc_forensics.evidence.sun_height import ExposureTable
from gtloc_forensics.modelling.calibrating import Trials
from gtloc_forensics.records import PlaceDensity, Position

Floats = NDArray[np.float64]

NAMES = ("hour", "year", "sun", "place", "light", "height", "height_lit")
TIME_ONLY, BOTH = 4, 2  # false claims per photo: another time at the true place, another time and place


@dataclass(frozen=True)
class Shown:
    """What the pixels of held-out photos show: ``time`` ``[N, Y, D]``, a place density each, ``datable`` ``[N]``.

    ``height`` and ``height_lit`` are ``[N, C]`` over the sun's height, from the pixels alone and with the
    exposure; the latter NaN where there is none.
    """

    time: NDArray[np.float32]
    place: dict[int, PlaceDensity]
    datable: Floats
    height: Floats
    height_lit: Floats
    table: ExposureTable


@dataclass(frozen=True)
class Scored:
    """Scored claims: ``scores`` ``[C, 7]`` in the order of ``NAMES``, NaN where one cannot be had.

    ``photo`` ``[C]`` is the row of the manifest, ``kind`` 0 for the true claim, 1 for
    another time, 2 for another time and place.
    """

    scores: Floats
    photo: NDArray[np.int64]
    kind: NDArray[np.int64]
    group: NDArray[np.str_]

    def trials(self, names: tuple[str, ...], *, kinds: tuple[int, ...]) -> Trials:
        """Return the claims of these *kinds* for which all *names* can be had, scores ``[C, F]``."""
        columns = [NAMES.index(name) for name in names]
        rows = np.isfinite(self.scores[:, columns]).all(1) & np.isin(self.kind, kinds)
        return Trials(self.scores[rows][:, columns], self.kind[rows] == 0, self.group[rows])

    def photos_of(self, names: tuple[str, ...], *, kinds: tuple[int, ...]) -> NDArray[np.int64]:
        """Return the manifest row of each claim that :meth:`trials` gives."""
        columns = [NAMES.index(name) for name in names]
        rows = np.isfinite(self.scores[:, columns]).all(1) & np.isin(self.kind, kinds)
        return self.photo[rows]


def draw(photos: PhotoSet, rows: NDArray[np.int64], *, seed: int) -> list[tuple[int, int, int]]:
    """Return (photo, photo whose claim it is given, kind) for every claim about the photos *rows*.

    The other photo is drawn so that each source counts the same; it belongs to another
    source and differs in month or hour (as in papers.md §7.1).
    """
    chance = np.random.default_rng(seed)
    sources = sorted(set(photos.group[rows].tolist()))
    members = {name: rows[photos.group[rows] == name] for name in sources}
    claims = [(int(row), int(row), 0) for row in rows]
    for row in rows:
        for kind in [1] * TIME_ONLY + [2] * BOTH:
            claims.append((int(row), other(photos, int(row), sources, members, chance), kind))
    return claims


def other(
    photos: PhotoSet, row: int, sources: list[str], members: dict[str, NDArray[np.int64]], chance: np.random.Generator
) -> int:
    while True:
        name = sources[int(chance.integers(len(sources)))]
        other = int(chance.choice(members[name]))
        months = math.floor(photos.year_turn[other] * 12) != math.floor(photos.year_turn[row] * 12)
        hours = math.floor(photos.day_turn[other] * 24) != math.floor(photos.day_turn[row] * 24)
        if name != photos.group[row] and (months or hours):
            return other


def score(photos: PhotoSet, shown: Shown, usual: Usual, claims: list[tuple[int, int, int]]) -> Scored:
    """Score every claim with the functions the program uses."""
    model = exposure.load()
    scores = [_scores(photos, shown, usual, model, claim) for claim in claims]
    photo = np.array([claim[0] for claim in claims])
    return Scored(np.array(scores), photo, np.array([claim[2] for claim in claims]), photos.group[photo])


def moved(photos: PhotoSet, shown: Shown, usual: Usual, rows: NDArray[np.int64], *, hours: float) -> Scored:
    """Score the photos *rows* with their clock set ahead by *hours*."""
    model = exposure.load()
    scores = [
        _scored(photos, shown, usual, model, int(row), photos.local_s[row] + 3600.0 * hours, int(row)) for row in rows
    ]
    return Scored(np.array(scores), rows, np.full(len(rows), 1), photos.group[rows])


def _scores(
    photos: PhotoSet, shown: Shown, usual: Usual, model: exposure.LightModel, claim: tuple[int, int, int]
) -> list[float]:
    row, other, kind = claim
    return _scored(photos, shown, usual, model, row, photos.local_s[other], other if kind == 2 else row)


def _scored(
    photos: PhotoSet, shown: Shown, usual: Usual, model: exposure.LightModel, row: int, local_s: float, place_of: int
) -> list[float]:
    local = datetime.fromtimestamp(local_s, UTC).replace(tzinfo=None)
    year, day = year_turn(local), day_turn(local)
    mass = shown.time[row]
    found = [
        evidence_scores.hour_score(mass, usual, year_turn=year, day_turn=day),
        evidence_scores.year_score(mass, usual, year_turn=year),
        *[math.nan] * 5,
    ]
    if not np.isfinite(photos.offset_hours[place_of]) or not np.isfinite(photos.latitude_deg[place_of]):
        return found
    position = Position(float(photos.latitude_deg[place_of]), float(photos.longitude_deg[place_of]))
    offset = float(photos.offset_hours[place_of])
    elevations = evidence_scores.day_elevations(local.date(), position, offset_hours=offset, cells=mass.shape[1])
    height = float(sun_position(local_s - 3600.0 * offset, position.latitude_deg, position.longitude_deg)[0])
    found[2] = evidence_scores.sun_score(
        mass, usual, year_turn=year, elevations_deg=elevations, claimed_elevation_deg=height
    )
    if row in shown.place:
        found[3] = evidence_scores.place_score(shown.place[row], usual, position)
    if np.isfinite(photos.ev100[row]) and not photos.flash_fired[row]:
        found[4] = evidence_scores.light_score(
            float(photos.ev100[row]),
            elevation_deg=height,
            position=position,
            offset_hours=offset,
            datable=float(shown.datable[row]),
            light=model,
        )
    for column, told in ((5, shown.height[row]), (6, shown.height_lit[row])):
        if np.isfinite(told).all():
            found[column] = sun_height.height_score(told, shown.table, elevation_deg=height)
    return found
