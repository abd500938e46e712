"""Retrieval over a finished case: by time, by place, by example, by what the pixels show.

*Conditions* speak of what a photo claims and leave photos out; *likenesses* speak
of what it shows and put the rest in order. A photo of which something asked for is
not known is neither a hit nor a miss: it is counted with the reason.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.case.likenesses import HASH_BITS, cosines, hamming
from gtloc_forensics.case.seen_words import SeenWord, log_share, seen_words, words_met
from gtloc_forensics.earth import globe
from gtloc_forensics.earth.circular import day_turn
from gtloc_forensics.examination import summaries
from gtloc_forensics.records import (
    Absent,
    Claim,
    ImageFacts,
    Photo,
    Position,
    Prediction,
    Sentence,
    Stated,
    Statement,
)

if TYPE_CHECKING:
    from gtloc_forensics.case.query_words import Sought

PLACE_RADIUS_KM = 250.0
"""Mass this near counts as being at a place: half of it is about the error of a good prediction at region level."""

RANK_OFFSET = 60
"""Of reciprocal rank fusion, as published (Cormack, Clarke and Büttcher, SIGIR 2009): no single first place decides."""

MONTH_STARTS = (*((date(2023, month, 1) - date(2023, 1, 1)).days / 365 for month in range(1, 13)), 1.0)
"""The turns of the year at which the months begin, and the end of the last."""


@dataclass(frozen=True, slots=True)
class Example:
    """What a photo is compared with: its embedding, or the hash of its picture where there is no model."""

    name: str
    embedding: NDArray[np.float32] | None  # [D] unit vector
    perceptual_hash: int | None


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; what is None is not asked. Months and hours may run over the end: 11–2, 22–4.

    Attributes:
        near: a claimed position, at most ``within_km`` away.
        local_hours: claimed time of day, from the first up to the second.
        dates: claimed dates, both included.
        months: claimed months, both included, of any year.
        device: part of a make, model or serial number; capitals do not matter.
        like: pictures like this one first.
        shows_hour, shows_month, shows_place: pictures that look so first.
        joint: the query in the joint space, ``[D]``: the normalised mean of the embeddings of that time and place.
        composed: another, ``[D]``: the normalised weighted mean of examples, a time and a place.
        sought: things that are to be seen, or not to be seen.
    """

    near: Position | None = None
    within_km: float = 25.0
    local_hours: tuple[float, float] | None = None
    dates: tuple[date, date] | None = None
    months: tuple[int, int] | None = None
    device: str = ""
    like: Example | None = None
    shows_hour: float | None = None
    shows_month: int | None = None
    shows_place: Position | None = None
    joint: NDArray[np.float32] | None = None
    composed: NDArray[np.float32] | None = None
    sought: tuple[Sought, ...] = ()

    @property
    def shows(self) -> bool:
        """Whether anything is asked of what the pixels show."""
        return any(shown is not None for shown in (self.shows_hour, self.shows_month, self.shows_place))

    @property
    def asks_of_pictures(self) -> bool:
        """Whether anything but what photos claim is asked about."""
        return (
            self.shows
            or bool(self.sought)
            or any(asked is not None for asked in (self.like, self.joint, self.composed))
        )


@dataclass(frozen=True, slots=True)
class Hit:
    """One photo that meets every condition."""

    source_id: str
    name: str
    local_time: datetime | None
    position: Position | None
    device: str
    distance_km: float | None
    likeness: float | None  # to the example: cosine, or the share of equal bits
    shown: float | None  # cosine in the joint space, or log10 of how much likelier than an even spread
    composed: float | None = None  # cosine with the composed query
    words: tuple[SeenWord, ...] = ()
    place: str = ""  # the town next to the claimed position, where it was looked up
    case: str = ""  # whose photo it is, where several cases were searched


@dataclass(frozen=True, slots=True)
class Answer:
    """The best hits, and how many photos could not be compared, with the reason."""

    hits: tuple[Hit, ...]
    matching: int
    looked_at: int
    unknown: dict[str, int]
    read_as: tuple[tuple[str, str], ...] = ()  # of each word of the question how it was understood
    word_heads: str = ""  # sha256 of the words that were learned, where they were asked
    text_tower: str = ""  # sha256 of the weights of the text tower, where it read some


@dataclass(frozen=True, slots=True)
class Claimed:
    """What conditions are held against: of one photo, what it claims."""

    source_id: str
    name: str
    is_read: bool  # whether its metadata could be read
    local_time: datetime | None
    position: Position | None
    maker: str  # make, model and serial number, "" when it names no device
    device: Statement


class Unknown(Exception):
    """A photo lacks what the query asks about."""


Condition: TypeAlias = Callable[[Claimed], bool]


def search(photos: Iterable[Photo], query: Query, *, limit: int | None = 20) -> Answer:
    """Find the photos that *query* asks for, the best first.

    With two likenesses each orders the photos, and the sum of 1 / (60 + rank) decides.
    With none, the nearest come first, and without a place the earliest claimed time.

    Args:
        photos: the photos of a case, streamed.
        query: what is looked for.
        limit: the most hits to return; None for all.
    """
    hits: list[Hit] = []
    to_compare: list[_ToCompare] = []
    unknown: Counter[str] = Counter()
    looked_at, conditions = 0, list(_conditions(query))
    for photo in photos:
        looked_at += 1
        try:
            claimed = _claimed(photo)
            if _meets(claimed, conditions):
                compared = _to_compare(photo, query)
                hits.append(_hit(claimed, query, shown=_shown(photo, query) if query.shows else None))
                to_compare.append(compared)
        except Unknown as lacking:
            unknown[lacking.args[0]] += 1
    ordered = in_order(_compared(hits, to_compare, query), query)[:limit]
    return Answer(tuple(ordered), len(hits), looked_at, dict(unknown))


def search_claims(photos: Iterable[Claimed], query: Query, *, limit: int | None = 20) -> Answer:
    """Find the same by conditions alone: no picture is looked at, and no likeness may be asked for."""
    hits: list[Hit] = []
    unknown: Counter[str] = Counter()
    looked_at, conditions = 0, list(_conditions(query))
    for claimed in photos:
        looked_at += 1
        try:
            if _meets(claimed, conditions):
                hits.append(_hit(claimed, query, shown=None))
        except Unknown as lacking:
            unknown[lacking.args[0]] += 1
    return Answer(tuple(in_order(hits, query)[:limit]), len(hits), looked_at, dict(unknown))


def hit_of(claimed: Claimed, query: Query) -> Hit | None:
    """Return a photo as a hit, without likenesses; None where it does not meet the conditions, or that is not known."""
    try:
        return _hit(claimed, query, shown=None) if _meets(claimed, list(_conditions(query))) else None
    except Unknown:
        return None


# --------------------------------------------------------------------------- conditions


def _claimed(photo: Photo) -> Claimed:
    claim, source = photo.claim, photo.source
    if not isinstance(claim, Claim):
        return Claimed(source.source_id, source.display_path, False, None, None, "", "")
    device = claim.device
    return Claimed(
        source.source_id,
        source.display_path,
        True,
        claim.local_time.value if isinstance(claim.local_time, Stated) else None,
        claim.position.value if isinstance(claim.position, Stated) else None,
        " ".join(word for word in (device.make, device.model, device.serial) if not isinstance(word, Absent)),
        summaries.label(claim)[0],
    )


def _meets(claimed: Claimed, conditions: Sequence[Condition]) -> bool:
    if not conditions:
        return True
    if not claimed.is_read:
        raise Unknown(Sentence("its metadata could not be read"))
    # A photo that surely fails one condition is a miss, whatever else is not known of it.
    lacking: list[Unknown] = []
    for condition in conditions:
        try:
            if not condition(claimed):
                return False
        except Unknown as error:
            lacking.append(error)
    if lacking:
        raise lacking[0]
    return True


def _conditions(query: Query) -> Iterator[Condition]:
    if query.near is not None:
        there = query.near
        yield lambda claimed: globe.apart_km(_position(claimed), there) <= query.within_km
    if query.local_hours is not None:
        first, last = query.local_hours
        yield lambda claimed: (24 * day_turn(_local(claimed)) - first) % 24 < ((last - first) % 24 or 24)
    if query.dates is not None:
        begin, end = query.dates
        yield lambda claimed: begin <= _local(claimed).date() <= end
    if query.months is not None:
        low, high = query.months
        yield lambda claimed: (_local(claimed).month - low) % 12 <= (high - low) % 12
    if query.device:
        yield lambda claimed: query.device.lower() in _device_words(claimed).lower()


def _local(claimed: Claimed) -> datetime:
    if claimed.local_time is None:
        raise Unknown(Sentence("it claims no time"))
    return claimed.local_time


def _position(claimed: Claimed) -> Position:
    if claimed.position is None:
        raise Unknown(Sentence("it claims no position"))
    return claimed.position


def _device_words(claimed: Claimed) -> str:
    if not claimed.maker:
        raise Unknown(Sentence("it names no device"))
    return claimed.maker


# --------------------------------------------------------------------------- likenesses


def _hit(claimed: Claimed, query: Query, *, shown: float | None) -> Hit:
    position = claimed.position
    return Hit(
        source_id=claimed.source_id,
        name=claimed.name,
        local_time=claimed.local_time,
        position=position,
        device=claimed.device,
        distance_km=None if query.near is None or position is None else globe.apart_km(position, query.near),
        likeness=None,
        shown=shown,
    )


@dataclass(frozen=True, slots=True)
class _ToCompare:
    """What an index compares of one photo: all photos of a case at once, no matter how many."""

    embedding: NDArray[np.float32] | None
    perceptual_hash: int


def _to_compare(photo: Photo, query: Query) -> _ToCompare:
    """Return what the query compares of a photo.

    Raises:
        Unknown: the photo has nothing of the kind.
    """
    seen = photo.prediction if isinstance(photo.prediction, Prediction) else None
    embedding = None if seen is None else seen.embedding
    example, bits = query.like, 0
    if example is not None and example.embedding is not None:
        if embedding is None:
            raise Unknown(Sentence("no model looked at its pixels"))
    elif example is not None:
        if not isinstance(photo.image, ImageFacts) or example.perceptual_hash is None:
            raise Unknown(Sentence("its picture could not be decoded"))
        bits = photo.image.perceptual_hash
    if embedding is None and (query.composed is not None or query.sought):
        raise Unknown(Sentence("no model looked at its pixels"))
    is_asked = query.joint is not None or query.composed is not None or bool(query.sought)
    is_asked = is_asked or (example is not None and example.embedding is not None)
    return _ToCompare(embedding if is_asked else None, bits)


def _compared(hits: list[Hit], to_compare: list[_ToCompare], query: Query) -> list[Hit]:
    """Return the hits with their likeness to the example, and in the joint space where the model has one."""
    example = query.like
    if example is not None and example.embedding is not None:
        likeness = cosines([each.embedding for each in to_compare], example.embedding)
        hits = [replace(hit, likeness=value) for hit, value in zip(hits, likeness, strict=True)]
    elif example is not None and example.perceptual_hash is not None:
        bits_apart = hamming([each.perceptual_hash for each in to_compare], example.perceptual_hash)
        hits = [replace(hit, likeness=1.0 - bits / HASH_BITS) for hit, bits in zip(hits, bits_apart, strict=True)]
    if query.shows and query.joint is not None:
        shown = cosines([each.embedding for each in to_compare], query.joint)
        hits = [
            replace(hit, shown=hit.shown if value is None else value) for hit, value in zip(hits, shown, strict=True)
        ]
    if query.composed is not None:
        composed = cosines([each.embedding for each in to_compare], query.composed)
        hits = [replace(hit, composed=value) for hit, value in zip(hits, composed, strict=True)]
    if query.sought and hits:
        embeddings = [each.embedding for each in to_compare if each.embedding is not None]
        told = zip(*(seen_words(sought, embeddings) for sought in query.sought), strict=True)
        hits = [replace(hit, words=tuple(seen)) for hit, seen in zip(hits, told, strict=True)]
    return hits


def _shown(photo: Photo, query: Query) -> float:
    prediction = photo.prediction
    if not isinstance(prediction, Prediction):
        raise Unknown(Sentence("no model looked at its pixels"))
    if query.joint is not None and prediction.embedding is not None:
        return math.nan  # in the joint space all are compared at once
    likelier = _time_likelier(prediction, query.shows_hour, query.shows_month)
    if query.shows_place is not None:
        likelier *= _place_likelier(prediction, query.shows_place)
    return math.log10(max(likelier, 1e-12))


def _time_likelier(prediction: Prediction, hour: float | None, month: int | None) -> float:
    """Return how much likelier than under an even spread the hour, the month or both together are."""
    mass = np.asarray(prediction.time.mass, np.float64)  # [Y, D]
    if hour is not None:
        column = int(hour / 24 * mass.shape[1]) % mass.shape[1]
        mass = mass[:, column : column + 1] * mass.shape[1]
    by_day = mass.sum(axis=1)  # [Y]
    if month is None:
        return float(by_day.sum())
    edges = np.arange(len(by_day) + 1) / len(by_day)
    begin, end = MONTH_STARTS[month - 1], MONTH_STARTS[month]
    shares = np.clip(np.minimum(edges[1:], end) - np.maximum(edges[:-1], begin), 0.0, None) * len(by_day)
    return float(shares @ by_day) / (end - begin)


def _place_likelier(prediction: Prediction, there: Position) -> float:
    """Return how much likelier than anywhere on the globe it is that the picture is from near *there*."""
    place = prediction.place
    away = globe.distance_km(
        place.latitude_deg,
        place.longitude_deg,
        second_latitude_deg=there.latitude_deg,
        second_longitude_deg=there.longitude_deg,
    )
    cap_share = (1.0 - math.cos(PLACE_RADIUS_KM / globe.EARTH_RADIUS_KM)) / 2.0
    return float(place.mass[away <= PLACE_RADIUS_KM].sum()) / cap_share


# --------------------------------------------------------------------------- order


def in_order(hits: list[Hit], query: Query) -> list[Hit]:
    """Return hits, the best first, by the ranks of all that was compared."""
    scales: list[Callable[[Hit], float]] = []
    if query.like is not None:
        scales.append(lambda hit: hit.likeness or 0.0)
    if query.shows:
        scales.append(lambda hit: hit.shown or 0.0)
    if query.composed is not None:
        scales.append(lambda hit: hit.composed or 0.0)
    if query.sought:
        scales.append(lambda hit: log_share(hit.words))
    if not scales:
        return sorted(hits, key=_by_claim)
    fused: dict[tuple[str, str], float] = defaultdict(float)
    for scale in scales:
        for hit, rank in _ranked(hits, scale):
            fused[hit.case, hit.source_id] += 1.0 / (RANK_OFFSET + rank)
    return sorted(hits, key=lambda hit: (-words_met(hit.words), -fused[hit.case, hit.source_id], hit.name, hit.case))


def _ranked(hits: list[Hit], scale: Callable[[Hit], float]) -> Iterator[tuple[Hit, int]]:
    """Yield each hit with its rank, from 1; equal scores share one."""
    rank, before = 0, math.nan
    for number, hit in enumerate(sorted(hits, key=scale, reverse=True), 1):
        rank, before = (rank, before) if scale(hit) == before else (number, scale(hit))
        yield hit, rank


def _by_claim(hit: Hit) -> tuple[float, datetime, str]:
    return hit.distance_km or 0.0, hit.local_time or datetime(9999, 12, 31), hit.name
