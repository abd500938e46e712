"""The drawings of one photo's page, chosen by what is known of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from gtloc_forensics.earth import globe
from gtloc_forensics.earth.circular import shortest_arc, year_turn
from gtloc_forensics.records import Claim, Photo, PhotoEntry, Prediction, Stated, Sun, Unexamined
from gtloc_forensics.report.blocks import Block, Callout, Figure, Row
from gtloc_forensics.report.chapters import places
from gtloc_forensics.report.chapters.comparison import clock_of, coordinates, day_of, hour_of, known, untold
from gtloc_forensics.report.chapters.edition import Edition
from gtloc_forensics.report.drawings.casemap import Spot, case_map
from gtloc_forensics.report.drawings.dials import day_dial, torus_map, year_wheel
from gtloc_forensics.report.drawings.sunlight import EV_SCENES, sun_curve
from gtloc_forensics.report.drawings.worldmap import world_map

_MOST_DRAWN = 3  # beside each other
_ON_THE_WAY = 3  # photos before and after one
_SHARES = {1: (1.0,), 2: (0.31, 0.69), 3: (0.31, 0.31, 0.38)}


def figures(edition: Edition, entry: PhotoEntry) -> Iterator[Block]:
    """Yield two rows of drawings; what is not known is left out of them, what was not looked at is said."""
    photo = entry.photo
    if not isinstance(photo.claim, Claim):
        return
    clocks: list[Block] = [figure for figure in (_day(edition, entry), _year(edition, entry)) if figure]
    if why := _silence(edition, entry):
        clocks.append(Callout(edition.words("comparison.no_pixels", reason=why)))
    elif torus := _torus(edition, entry):
        clocks.append(torus)
    if clocks:
        yield Row(tuple((figure,) for figure in clocks), _SHARES[len(clocks)])
    places = [figure for figure in (_map(edition, entry), _sun(edition, entry)) if figure]
    if places:
        yield Row(tuple((figure,) for figure in places), (0.59, 0.41)[: len(places)])


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about, which decides what is drawn for it."""

    light: bool = False  # the sun against the exposure
    pixels: bool = False  # what the picture indicates
    place: bool = False
    way: bool = False  # from one place to the next


def drawings(edition: Edition, entry: PhotoEntry, subject: Subject, *, others: Sequence[PhotoEntry]) -> list[Figure]:
    """Return the drawings that bear on a finding: the sun only for light, dials for pixels, a map for a place."""
    if not isinstance(entry.photo.claim, Claim):
        return []
    wanted = []
    if subject.pixels and known(entry.indicated.local_hour) is not None:
        wanted += [_day(edition, entry), _torus(edition, entry)]
    if subject.light:
        wanted.append(_sun(edition, entry))
    if subject.place:
        wanted.append(_near_map(edition, entry, others, has_way=subject.way))
    return [figure for figure in wanted if figure][:_MOST_DRAWN]


def _near_map(
    edition: Edition, entry: PhotoEntry, others: Sequence[PhotoEntry], *, has_way: bool = False
) -> Figure | None:
    """Return a map of no more than the case needs, every place under the number of its photo."""
    spots: list[Spot] = []
    for each in (entry, *others):
        claim = each.photo.claim
        if isinstance(claim, Claim) and isinstance(claim.position, Stated):
            number = edition.exhibit(each.photo.source.source_id)
            spots.append(Spot(number, claim.position.value))
            rivals = {rival.value for rival in claim.position.rivals if rival.value != claim.position.value}
            spots += [Spot(f"{number}?", rival, is_claimed=False) for rival in sorted(rivals, key=str)[:3]]
    if not spots:
        return None
    told = "; ".join(f"{spot.name}: {coordinates(edition, spot.position)}" for spot in spots)
    shown = {each.photo.source.source_id for each in (entry, *others)}
    way = places.way_of(edition, entry.photo.source.source_id, most=_ON_THE_WAY) if has_way else []
    beside = [line for line in way if line.source_id not in shown and line.position is not None]
    broken = [places.broken_leg(edition, leg) for leg in places.legs_of(edition, shown)] if has_way else []
    drawing = case_map(
        [*spots, *(Spot(line.exhibit, line.position, is_quiet=True) for line in beside if line.position)],
        alt=edition.words.line("figure.near_map_alt", places=told),
        joined=places.joined,
        tracks=[[line.position for line in way if line.position]],
        broken=broken,
        indicated=known(entry.indicated.position),
        is_wide=has_way,
        degrees=edition.words.degrees,
        called=partial(places.town, edition),
    )
    if not has_way:
        return Figure(drawing, edition.words("figure.near_map"))
    return Figure(drawing, edition.words("figure.near_map_way", broken=bool(broken)))


def _silence(edition: Edition, entry: PhotoEntry) -> str:
    """Return why the picture indicates nothing at all; "" when it indicates something."""
    if isinstance(entry.photo.prediction, Unexamined):
        return edition.words.reason(entry.photo.prediction.reason)
    return untold(edition, entry.indicated.local_hour) if entry.indicated.is_silent else ""


def _claim(photo: Photo) -> Claim:
    if not isinstance(photo.claim, Claim):
        raise TypeError("figures are drawn only of photos with a claim")
    return photo.claim


def _mass(entry: PhotoEntry) -> np.ndarray | None:
    """Return the density over season and hour where there is a prediction."""
    prediction = entry.photo.prediction
    return prediction.time.mass if isinstance(prediction, Prediction) else None


def _curve(photo: Photo) -> tuple[np.ndarray, np.ndarray] | None:
    claim, sun = _claim(photo), photo.sun
    if not (isinstance(claim.local_time, Stated) and isinstance(claim.position, Stated) and isinstance(sun, Sun)):
        return None
    offset_hours = (claim.local_time.value - sun.utc_time).total_seconds() / 3600
    return globe.elevation_curve(claim.local_time.value.date(), claim.position.value, offset_hours=offset_hours)


def _day(edition: Edition, entry: PhotoEntry) -> Figure | None:
    claim, mass = _claim(entry.photo), _mass(entry)
    claimed = hour_of(claim.local_time.value) if isinstance(claim.local_time, Stated) else None
    indicated = known(entry.indicated.local_hour)
    if claimed is None and indicated is None:
        return None
    alt = _alt(edition, "day", *(clock_of(hour) if hour is not None else None for hour in (claimed, indicated)))
    drawing = day_dial(
        mass.sum(axis=0) if mass is not None and indicated is not None else None,
        claimed_hour=claimed,
        indicated_hour=indicated,
        elevations=_curve(entry.photo),
        alt=alt,
    )
    return Figure(drawing, edition.words("figure.day"))


def _year(edition: Edition, entry: PhotoEntry) -> Figure | None:
    claim, mass = _claim(entry.photo), _mass(entry)
    claimed = year_turn(claim.local_time.value) if isinstance(claim.local_time, Stated) else None
    indicated = known(entry.indicated.year_turn)
    if claimed is None and indicated is None:
        return None
    alt = _alt(edition, "year", *(day_of(edition, turn) if turn is not None else None for turn in (claimed, indicated)))
    drawing = year_wheel(
        mass.sum(axis=1) if mass is not None and indicated is not None else None,
        claimed_turn=claimed,
        indicated_turn=indicated,
        months=_months(edition),
        alt=alt,
    )
    return Figure(drawing, edition.words("figure.year"))


def _torus(edition: Edition, entry: PhotoEntry) -> Figure | None:
    claim, mass = _claim(entry.photo), _mass(entry)
    turn, hour = known(entry.indicated.year_turn), known(entry.indicated.local_hour)
    if mass is None or turn is None or hour is None:
        return None
    claimed = None
    if isinstance(claim.local_time, Stated):
        claimed = (year_turn(claim.local_time.value), hour_of(claim.local_time.value))
    alt = edition.words.line("figure.torus_alt")
    drawing = torus_map(mass, claimed=claimed, indicated=(turn, hour), months=_months(edition), alt=alt)
    return Figure(drawing, edition.words("figure.torus"))


def _map(edition: Edition, entry: PhotoEntry) -> Figure | None:
    claim, prediction = _claim(entry.photo), entry.photo.prediction
    claimed = claim.position.value if isinstance(claim.position, Stated) else None
    indicated = known(entry.indicated.position)
    if claimed is None and indicated is None:
        return None
    if indicated is None:
        return _near_map(edition, entry, ())
    density = prediction.place if isinstance(prediction, Prediction) else None
    alt = _alt(edition, "map", *(coordinates(edition, spot) if spot else None for spot in (claimed, indicated)))
    drawing = world_map(density, claimed=claimed, indicated=indicated, alt=alt, degrees=edition.words.degrees)
    return Figure(drawing, edition.words("figure.map"))


def _sun(edition: Edition, entry: PhotoEntry) -> Figure | None:
    photo, mass = entry.photo, _mass(entry)
    claim, curve, sun = _claim(photo), _curve(photo), photo.sun
    if curve is None or not isinstance(sun, Sun) or not isinstance(claim.local_time, Stated):
        return None
    ev100 = claim.exposure.ev100
    span = None
    if mass is not None and known(entry.indicated.local_hour) is not None:
        start, length = shortest_arc(mass.sum(axis=0), share=0.5)
        span = (24 * start, 24 * (start + length))
    drawing = sun_curve(
        *curve,
        claimed=(hour_of(claim.local_time.value), sun.elevation_deg),
        indicated_hours=span,
        ev100=float(ev100) if isinstance(ev100, float | int) and math.isfinite(ev100) else None,
        scenes={name: edition.words.line(f"scene.{name}") for _, name in EV_SCENES},
        alt=edition.words.line("figure.sun_alt", elevation=edition.words.number(sun.elevation_deg, 1)),
    )
    return Figure(drawing, edition.words("figure.sun" if span else "figure.sun_claim"))


def _alt(edition: Edition, kind: str, claimed: str | None, indicated: str | None) -> str:
    unknown = edition.words.line("common.not_available")
    return edition.words.line(f"figure.{kind}_alt", claimed=claimed or unknown, indicated=indicated or unknown)


def _months(edition: Edition) -> list[str]:
    return edition.words.line("format.months").split()
