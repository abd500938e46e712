"""What a film's clock counts, where neither its name nor its maker tells: the photos numbered beside it are asked.

A camera numbers photos and films in one row, and stamps both by one clock. Read as UTC or as local time, the
film must still lie between the photos before and after it; where only one reading does, that is what it counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from gtloc_forensics.earth.zones import legal_offsets
from gtloc_forensics.metadata.capture_time import clock_face, default_tags, not_after
from gtloc_forensics.metadata.civil_offsets import CIVIL_OFFSETS
from gtloc_forensics.metadata.clock_defaults import is_zero
from gtloc_forensics.metadata.filenames import name_number
from gtloc_forensics.metadata.films import STARTED, container_clock
from gtloc_forensics.metadata.times import Times, counted_as
from gtloc_forensics.records import Absent, Claim, Sentence, Source, Stated, Statement, TimeKind, visible

LONGEST = timedelta(minutes=10)
"""A container is closed, and may be dated, when the film ends; the next photo comes after that."""

FARTHEST_NUMBERS = 100
"""Numbers farther apart say little: rows start anew at 9999, cards are exchanged."""

_CAMERA_TAGS = ("ExifIFD:", "IFD0:")


@dataclass(frozen=True, slots=True)
class FilmClock:
    """What a film's own clock counts, as the photos beside it show, and how they show it."""

    kind: TimeKind
    evidence: Statement


@dataclass(frozen=True, slots=True)
class _Photo:
    number: int
    name: str
    local: datetime
    offset_hours: float | None
    make: str
    device_key: str


@dataclass(frozen=True, slots=True)
class _Film:
    source_id: str
    number: int
    started: datetime
    offsets_hours: tuple[float, ...]
    make: str
    kind: TimeKind  # that it is taken to count


def clocks_of_films(claims: Iterable[tuple[Source, Claim]]) -> Mapping[str, FilmClock]:
    """Return by source what the clocks of films count that only their neighbours settle; the others are left out."""
    photos: dict[bytes, list[_Photo]] = {}
    films: dict[bytes, list[_Film]] = {}
    for source, claim in claims:
        folder = source.relative.rpartition(b"/")[0]
        if (film := _film(source, claim)) is not None:
            films.setdefault(folder, []).append(film)
        elif (photo := _photo(source, claim)) is not None:
            photos.setdefault(folder, []).append(photo)
    found: dict[str, FilmClock] = {}
    for folder, unsettled in films.items():
        row = sorted(photos.get(folder, ()), key=lambda photo: photo.number)
        for film in unsettled:
            settled = _settled(film, [photo for photo in row if not film.make or photo.make == film.make])
            if settled is not None:
                found[film.source_id] = settled
    return found


def revised(films: Mapping[str, FilmClock], claim: Claim) -> Claim:
    """Return a claim as the photos beside it make it; it is what its file says but for the films named."""
    return with_clock(claim, films[claim.source_id]) if claim.source_id in films else claim


def with_clock(claim: Claim, settled: FilmClock) -> Claim:
    """Return the claim of a film whose clock counts what its neighbours show."""
    times = Times(tuple(counted_as(claim.times, settled.kind)))
    face = clock_face(claim.tags, times, claim.zones)
    return replace(
        claim,
        local_time=_by_evidence(face.local, settled),
        utc_offset_hours=face.offset_hours,
        utc_time=_by_evidence(face.utc, settled) if settled.kind is TimeKind.UTC else face.utc,
        gps_utc_time=face.gps_utc,
        times=times.readings,
        not_after=not_after(times),
        default_tags=default_tags(times, face),
    )


def _by_evidence(stated: Stated[datetime] | Absent, settled: FilmClock) -> Stated[datetime] | Absent:
    if not isinstance(stated, Stated) or stated.tag != STARTED:
        return stated
    return replace(stated, rule=settled.evidence)


# --------------------------------------------------------------------------- who can say something


def _film(source: Source, claim: Claim) -> _Film | None:
    """Return a film whose clock its file alone does not settle."""
    started = next((reading for reading in claim.times if reading.tag == STARTED), None)
    number = name_number(source.relative)
    if started is None or number is None or is_zero(started.wall):
        return None
    clock = container_clock(claim.tags, claim.times, name=visible(source.relative.rpartition(b"/")[2]))
    if clock.is_known:
        return None
    return _Film(
        claim.source_id, number, started.wall, legal_offsets(claim.zones, started.wall), _make(claim), clock.kind
    )


def _photo(source: Source, claim: Claim) -> _Photo | None:
    """Return a photo that its camera numbered and dated to the second."""
    local, number = claim.local_time, name_number(source.relative)
    if number is None or not isinstance(local, Stated) or not local.tag.startswith(_CAMERA_TAGS):
        return None
    if claim.local_resolution_s > 1.0 or claim.default_tags:
        return None
    offset = claim.utc_offset_hours
    hours = offset.value if isinstance(offset, Stated) else None
    name = visible(source.relative.rpartition(b"/")[2])
    return _Photo(number, name, local.value, hours, _make(claim), claim.device.key)


def _make(claim: Claim) -> str:
    """Return the first word of the maker's name, which its films and photos share; "" where the file has none."""
    make = claim.device.make
    return make.strip().lower().partition(" ")[0] if isinstance(make, str) else ""


# --------------------------------------------------------------------------- what they say


def _settled(film: _Film, photos: Sequence[_Photo]) -> FilmClock | None:
    before = next((photo for photo in reversed(photos) if photo.number < film.number), None)
    after = next((photo for photo in photos if photo.number > film.number), None)
    beside = [photo for photo in (before, after) if photo and abs(photo.number - film.number) <= FARTHEST_NUMBERS]
    if not beside or not _is_one_row(film, photos):
        return None
    known = {photo.offset_hours for photo in beside if photo.offset_hours is not None} | set(film.offsets_hours)
    offsets_hours = known or {float(hours) for hours in CIVIL_OFFSETS if hours}
    if 0.0 in offsets_hours:
        return None  # local time and UTC are one
    is_local = _lies_between(film, beside, film.started)
    is_utc = any(_lies_between(film, beside, film.started + timedelta(hours=hours)) for hours in offsets_hours)
    if is_local == is_utc:
        return None
    kind = TimeKind.LOCAL if is_local else TimeKind.UTC
    return FilmClock(kind, _said(kind, beside))


def _is_one_row(film: _Film, photos: Sequence[_Photo]) -> bool:
    """Whether the photos around are of one device and come in the order of their numbers: else they witness nothing."""
    around = [photo for photo in photos if abs(photo.number - film.number) <= FARTHEST_NUMBERS]
    in_order = all(first.local <= second.local for first, second in pairwise(around))
    return in_order and len({photo.device_key for photo in around}) == 1


def _lies_between(film: _Film, beside: Sequence[_Photo], local: datetime) -> bool:
    """Whether a local time of the film suits its place in the row: after the numbers below, before those above."""
    return all(
        photo.local <= local + LONGEST if photo.number < film.number else local - LONGEST <= photo.local
        for photo in beside
    )


def _said(kind: TimeKind, beside: Sequence[_Photo]) -> Sentence:
    names = tuple(photo.name for photo in beside)
    moments = tuple(photo.local for photo in beside)
    if kind is TimeKind.LOCAL:
        return Sentence(
            "clock of the film, in local time: only so does it suit {names:and}, numbered beside it ({moments:clock})",
            names=names,
            moments=moments,
        )
    return Sentence(
        "clock of the film, in UTC: only so does it suit {names:and}, numbered beside it ({moments:clock})",
        names=names,
        moments=moments,
    )
