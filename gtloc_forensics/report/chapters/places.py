"""The case on a map: the places that are claimed, by name, the ways between them, and where a way is too fast."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from gtloc_forensics.earth import countries, gazetteer, globe
from gtloc_forensics.records import Position
from gtloc_forensics.report.blocks import Block, Column, Figure, Heading, Prose, Table, Text, text_of
from gtloc_forensics.report.chapters.edition import Edition, counted_runs, numbers
from gtloc_forensics.report.chapters.lines import PhotoLine
from gtloc_forensics.report.chapters.survey import Leg
from gtloc_forensics.report.drawings.casemap import BrokenLeg, Spot, case_map
from gtloc_forensics.report.text import plain

T = TypeVar("T")

_SHARES = (("place", 0.36), ("photos", 0.28), ("first", 0.18), ("last", 0.18))
_ROWS_SHOWN = 20
_AROUND_MAP = 75.0  # points for the heading, its lead and the caption
_RUNS_IN_A_LABEL = 2
_MOST_WAYS = 8
_NEAR_KM, _AIRLINER_KM_H = 50.0, 1000.0
_EPOCH, _TICK = datetime(1970, 1, 1), timedelta(microseconds=1)
_GRID_DEG = 0.05  # photos closer than that are named together: towns stand for more


def places(edition: Edition) -> Iterator[Block]:
    """Yield the chapter, nothing where fewer than two places are claimed."""
    every = edition.survey.lines
    chosen = (at for at, line in enumerate(every.in_order()) if line.position is not None and edition.listed(line))
    placed = array("I", chosen)
    if all(one == other for one, other in pairwise(every.at(at).position for at in placed)):
        return
    words = edition.words
    named = _named(edition, placed)
    spots = _Made(placed, lambda number: _spot(every.at(number)))
    told = "; ".join(place_name(edition, place) for place, _ in named[:6])
    broken = [broken_leg(edition, leg) for leg in _legs(edition)]
    tracks = _tracks(edition, placed)
    drawing = case_map(
        spots,
        alt=words.line("places.alt", count=len(named), places=told),
        joined=joined,
        tracks=tracks,
        broken=broken,
        is_wide=True,
        degrees=words.degrees,
        called=partial(town, edition),
    )
    yield Heading(words("places.title"), 1, "places", "here", drawing.height + _AROUND_MAP)
    yield Prose(words("places.lead"), "small")
    yield Figure(drawing, words("places.caption", broken=bool(broken), ways=bool(tracks)))
    yield from _table(edition, named)


class _Made(Sequence[T]):
    """What is made of each photo when it is asked for: a large case has fifty thousand spots on its map."""

    def __init__(self, photos: array[int], make: Callable[[int], T]) -> None:
        self._photos = photos
        self._make = make

    def __len__(self) -> int:
        return len(self._photos)

    def __getitem__(self, index: int | slice) -> Any:
        return (
            list(map(self._make, self._photos[index])) if isinstance(index, slice) else self._make(self._photos[index])
        )


def _spot(line: PhotoLine) -> Spot:
    return Spot(plain(line.exhibit, limit=12), _at(line), is_quiet=not line.is_found)


def joined(labels: Iterable[str]) -> str:
    """Return the numbers of photos at one spot, short enough for a map."""
    runs, count = counted_runs(labels, most=_RUNS_IN_A_LABEL)
    return ", ".join(runs) + (" …" if count > _RUNS_IN_A_LABEL else "")


def town(edition: Edition, place: gazetteer.NamedPlace) -> str:
    """Return what a town is called in the report's language, else as GeoNames writes it."""
    key = f"place.{place.name} ({place.country_code})"
    return edition.words.line(key) if edition.words.has(key) else plain(place.name)


def place_name(edition: Edition, place: gazetteer.NamedPlace) -> str:
    """Return a place with its country, and in English with its area, whose names GeoNames has in English."""
    name = town(edition, place)
    country = countries.country_name(place.country_code, edition.words.language)
    area = place.area if edition.words.language == "en" and place.area != place.name else ""
    return ", ".join(filter(None, (name, area, country)))


def near_place(edition: Edition, position: Position) -> str:
    """Return how far a position is from the place by which people would call it."""
    place = gazetteer.well_known(position)
    digits = 1 if place.distance_km < 10 else 0
    km = edition.words.number(place.distance_km, digits)
    return edition.words.line("places.near", km=km, place=place_name(edition, place))


def broken_leg(edition: Edition, leg: Leg) -> BrokenLeg:
    """Return a way that is too fast as the map draws it."""
    one, other = (_at(edition.survey.lines[source_id]) for source_id in (leg.one, leg.other))
    return BrokenLeg(one, other, edition.words.line("places.speed", speed=edition.words.number(leg.speed_km_h)))


def way_of(edition: Edition, source_id: str, *, most: int) -> list[PhotoLine]:
    """Return the photos of one camera that were taken just before and after one, by what they claim, with itself."""
    lines = edition.survey.lines
    number = lines.number_of(source_id)
    if number is None or lines.at(number).position is None or lines.at(number).local is None:
        return []
    if not edition.survey.ways:
        edition.survey.ways.update(_ways(edition, range(len(lines)), with_unknown=True))
    same = edition.survey.ways[lines.at(number).device_key]
    at = same.index(number)
    return [lines.at(each) for each in same[max(0, at - most) : at + most + 1]]


def legs_of(edition: Edition, source_ids: Iterable[str]) -> list[Leg]:
    """Return the ways too fast that begin or end at some photos."""
    wanted = set(source_ids)
    return [leg for leg in _legs(edition) if {leg.one, leg.other} & wanted]


def _legs(edition: Edition) -> list[Leg]:
    lines = edition.survey.lines
    return [
        leg
        for leg in edition.survey.legs
        if all(source_id in lines and lines[source_id].position is not None for source_id in (leg.one, leg.other))
    ]


def _at(line: PhotoLine) -> Position:
    if line.position is None:
        raise ValueError(f"{line.name} claims no place")
    return line.position


def _ways(edition: Edition, numbers: Iterable[int], *, with_unknown: bool = False) -> dict[str, array[int]]:
    """Return of each camera which of its photos claim a time and a place, in the order of their instants."""
    lines = edition.survey.lines
    by_device: dict[str, _Moments] = defaultdict(_Moments)
    for number in numbers:
        line = lines.at(number)
        if line.local is not None and line.position is not None and (line.device_key or with_unknown):
            by_device[line.device_key].append(line.utc or line.local, int(line.source_id, 16), number)
    return {device_key: of_device.in_order() for device_key, of_device in by_device.items()}


class _Moments:
    """Photos of one camera with their instants, twenty bytes each."""

    def __init__(self) -> None:
        self._instants, self._ids, self._numbers = array("q"), array("Q"), array("I")

    def append(self, instant: datetime, source_id: int, number: int) -> None:
        self._instants.append((instant - _EPOCH) // _TICK)
        self._ids.append(source_id)
        self._numbers.append(number)

    def in_order(self) -> array[int]:
        """Return their numbers by instant, then by id."""
        columns = (self._numbers, self._ids, self._instants)
        order = np.lexsort([np.frombuffer(column, column.typecode) for column in columns])
        return array("I", np.frombuffer(self._numbers, np.uint32)[order].tobytes())


def _tracks(edition: Edition, numbers: Iterable[int]) -> list[Sequence[Position]]:
    """Return the places of each camera in the order of their claimed instants; of one without any, of its clock.

    None where so many cameras have a way that nobody could follow one. A camera that may be several (no serial number)
    has none where its photos lie too far apart for their times: then it is several, or its leg is shown as broken.
    """
    ways = {key: way for key, way in sorted(_ways(edition, numbers).items()) if len(way) > 1}
    if len(ways) > _MOST_WAYS:
        return []
    devices, lines = edition.survey.devices, edition.survey.lines
    return [
        _Made(way, lambda number: _at(lines.at(number)))
        for key, way in ways.items()
        if not devices[key].doubt or _can_be_one(map(lines.at, way))
    ]


def _can_be_one(way: Iterable[PhotoLine]) -> bool:
    """Return whether one device can have taken these photos, as fast as an airliner."""
    for line, following in pairwise(way):
        first, second = line.utc or line.local, following.utc or following.local
        hours = abs((second - first).total_seconds()) / 3600 if first and second else 0.0
        if globe.apart_km(_at(line), _at(following)) > _NEAR_KM + _AIRLINER_KM_H * hours:
            return False
    return True


def _named(edition: Edition, numbers: Iterable[int]) -> list[tuple[gazetteer.NamedPlace, array[int]]]:
    """Return which photos are called after which place, the place of most photos first."""
    lines = edition.survey.lines
    by_cell: dict[tuple[int, int], array[int]] = defaultdict(lambda: array("I"))
    for number in numbers:
        where = _at(lines.at(number))
        by_cell[round(where.latitude_deg / _GRID_DEG), round(where.longitude_deg / _GRID_DEG)].append(number)
    by_place: dict[Position, tuple[gazetteer.NamedPlace, array[int]]] = {}
    for together in by_cell.values():
        place = gazetteer.well_known(_at(lines.at(together[0])))
        by_place.setdefault(place.position, (place, array("I")))[1].extend(together)
    return sorted(by_place.values(), key=lambda item: (-len(item[1]), item[0].name))


def _table(edition: Edition, named: list[tuple[gazetteer.NamedPlace, array[int]]]) -> Iterator[Block]:
    words = edition.words
    columns = tuple(Column(words.line(f"places.column_{name}"), share) for name, share in _SHARES)
    yield Table(columns, [_row(edition, *each) for each in named[:_ROWS_SHOWN]], empty="", dense=True)
    if len(named) > _ROWS_SHOWN:
        yield Prose(words("places.more", count=len(named) - _ROWS_SHOWN), "small")


def _row(edition: Edition, place: gazetteer.NamedPlace, photos: array[int]) -> tuple[Text, ...]:
    lines = edition.survey.lines
    first, last = ("–" if moment is None else edition.when(moment) for moment in _first_and_last(edition, photos))
    shown = numbers(edition, lines.names(photos), most=12)
    return (text_of(place_name(edition, place)), text_of(shown), text_of(first), text_of(last))


def _first_and_last(edition: Edition, photos: Iterable[int]) -> tuple[datetime | None, datetime | None]:
    first = last = None
    for at in photos:
        moment = edition.survey.lines.at(at).local
        if moment is not None:
            first = moment if first is None else min(first, moment)
            last = moment if last is None else max(last, moment)
    return first, last
