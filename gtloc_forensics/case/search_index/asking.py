"""A question answered by the index: it says which photos to read, and the case what is shown of them.

Conditions are held against every photo at once, as :mod:`gtloc_forensics.case.retrieval` holds them one by one; what is
shown is held against them there again. Of pictures that are alike the index finds the thousand that seem nearest, by
a shortened embedding; they are put in order by the cosines of those that the case keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.case import likenesses, retrieval
from gtloc_forensics.case.likenesses import HASH_BITS
from gtloc_forensics.case.retrieval import Answer, Claimed, Hit, Query
from gtloc_forensics.case.search_index.index import NO_TIME, SearchIndex, called
from gtloc_forensics.case.search_index.parts import DamagedIndex
from gtloc_forensics.case.words import terms
from gtloc_forensics.earth import globe
from gtloc_forensics.records import Position, Sentence
from gtloc_forensics.store import lean_rows
from gtloc_forensics.store.lean_rows import Ask, LeanPhoto, Newest

COMPARED_AGAIN = 1_000
"""The photos that seem nearest, by whose own embeddings the order is decided; more where more are shown.

Of a million made embeddings the nearest twenty were among 400 in 0.96 of all cases, among 1,000 in 0.9975.
"""

_TIMES_SHOWN = 8
MOST_SHOWN = 2_000

_BITS_OF_A_BYTE = np.array([number.bit_count() for number in range(256)], np.uint8)

_DAY_US = 86_400_000_000

Known = tuple[NDArray[np.bool_], NDArray[np.bool_], Sentence]
"""Of a condition: of which photos it can be told, which meet it, and what is lacking of the others."""


def can_answer(query: Query, limit: int | None) -> bool:
    """Whether a question is one that the index answers: conditions, words, and one example or composed vector."""
    likenesses = (query.like is not None) + (query.composed is not None)
    return not query.shows and not query.sought and likenesses <= 1 and limit is not None and limit <= MOST_SHOWN


def answered(
    index: SearchIndex,
    ask: Ask,
    newest: Newest,
    query: Query,
    *,
    words: str = "",
    ordinals: Collection[int] | None = None,
    limit: int,
    as_told: Callable[[Iterable[LeanPhoto]], Iterable[LeanPhoto]] = iter,
) -> Answer:
    """Return what a search of all photos would.

    Args:
        index: of the examination.
        ask: how the case is asked.
        newest: the examination.
        query: for which :func:`can_answer` holds.
        words: that a photo has to hold, "" for none.
        ordinals: the places of the only photos to look at, None for all.
        limit: the most hits to return.
        as_told: gives photos as the other files of the case make them.

    Raises:
        DamagedIndex: the index is damaged, or says of a photo what the case does not.
        DamagedCase: the case cannot be read.
        UsageError: too many words.
    """
    meets, unknown = np.ones(len(index.source_rows), np.bool_), list[tuple[NDArray[np.bool_], Sentence]]()
    if words.strip():
        meets &= index.holding(terms(words))
    if ordinals is not None:
        among = np.zeros(len(meets), np.bool_)
        among[np.fromiter(ordinals, np.int64, len(ordinals))] = True
        meets &= among
    meets, unknown = _met(index, query, meets)
    meets, lacking = _comparable(index, query, meets)
    unknown += lacking
    shown = _in_order(index, ask, newest, query, meets, limit)
    photos = as_told(lean_rows.photos(ask, newest.stages, index.source_rows[list(shown)].tolist()))
    hits = list(_hits(photos, query, shown.values()))
    is_all = not words.strip() and ordinals is None
    told = sorted((int(np.argmax(mask)), reason, int(mask.sum())) for mask, reason in unknown if mask.any())
    counted: dict[str, int] = {}
    for _, reason, count in told:
        counted[reason] = counted.get(reason, 0) + count
    return Answer(
        tuple(retrieval.in_order(hits, query)[:limit]),
        int(meets.sum()),
        len(meets) + (0 if is_all else newest.unreadable),
        counted,
    )


# --------------------------------------------------------------------------- conditions


def _met(
    index: SearchIndex, query: Query, among: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], list[tuple[NDArray[np.bool_], Sentence]]]:
    """Return which photos *among* some meet every condition, and of which that is not known, with the reason."""
    conditions = list(_conditions(index, query))
    if not conditions:
        return among, []
    is_read = index.column("is_read")
    meets, told = among & is_read, [(among & ~is_read, Sentence("its metadata could not be read"))]
    for is_known, is_met, _ in conditions:
        meets &= ~is_known | is_met  # who surely fails one is a miss, whatever else is not known
    for is_known, _, lacking in conditions:
        told.append((meets & ~is_known, lacking))
        meets &= is_known
    return meets, told


def _conditions(index: SearchIndex, query: Query) -> Iterator[Known]:
    time_us = index.column("local_us")
    has_time, no_time = time_us != NO_TIME, Sentence("it claims no time")
    if query.near is not None:
        apart_km = _apart_km(index, query.near)
        yield ~np.isnan(apart_km), apart_km <= query.within_km, Sentence("it claims no position")
    if query.local_hours is not None:
        first, last = query.local_hours
        of_day_us = time_us % _DAY_US
        turn = (of_day_us // 1_000_000 + of_day_us % 1_000_000 * 1e-6) / 86400.0  # as earth.circular.day_turn
        yield has_time, (24 * turn - first) % 24 < ((last - first) % 24 or 24), no_time
    if query.dates is not None:
        days = time_us // _DAY_US
        begin, end = ((datetime(day.year, day.month, day.day) - datetime(1970, 1, 1)).days for day in query.dates)
        yield has_time, (begin <= days) & (days <= end), no_time
    if query.months is not None:
        low, high = query.months
        dated = np.where(has_time, time_us, 0).astype("datetime64[us]").astype("datetime64[M]")
        month = dated.astype(np.int64) % 12 + 1
        yield has_time, (month - low) % 12 <= (high - low) % 12, no_time
    if query.device:
        makers, of = index.makers(), index.maker()
        named = np.array([bool(maker) for maker in makers], np.bool_)
        wanted = np.array([query.device.lower() in maker.lower() for maker in makers], np.bool_)
        yield named[of], wanted[of], Sentence("it names no device")


def _apart_km(index: SearchIndex, there: Position) -> NDArray[np.float64]:
    return globe.distance_km(
        index.column("latitude_deg"),
        index.column("longitude_deg"),
        second_latitude_deg=there.latitude_deg,
        second_longitude_deg=there.longitude_deg,
    )


# --------------------------------------------------------------------------- order


def _comparable(
    index: SearchIndex, query: Query, meets: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], list[tuple[NDArray[np.bool_], Sentence]]]:
    if _vector(query) is not None:
        is_seen, lacking = index.column("is_seen"), Sentence("no model looked at its pixels")
    elif query.like is not None:
        is_seen, lacking = index.column("is_hashed"), Sentence("its picture could not be decoded")
    else:
        return meets, []
    return meets & is_seen, [(meets & ~is_seen, lacking)]


def _vector(query: Query) -> NDArray[np.float32] | None:
    return query.composed if query.like is None else query.like.embedding


def _in_order(
    index: SearchIndex, ask: Ask, newest: Newest, query: Query, meets: NDArray[np.bool_], limit: int
) -> dict[int, float | None]:
    """Return the first photos by their places, each with its likeness where one is asked for."""
    rows, vector = np.flatnonzero(meets), _vector(query)
    if vector is not None:
        near = _nearest(index, vector, meets, rows, max(COMPARED_AGAIN, _TIMES_SHOWN * limit))
        photos = lean_rows.photos(ask, newest.stages, index.source_rows[near].tolist(), claims=False, pictures=True)
        found = likenesses.cosines([photo.embedding for photo in photos], vector)
        if any(cosine is None for cosine in found):
            raise DamagedIndex("it knows of an embedding that the case does not hold")
        exact = np.array(found, np.float64)
        return {int(near[at]): found[at] for at in _first(limit, -exact, index.by_name[near])}
    if query.like is not None:
        example = np.uint64(query.like.perceptual_hash or 0)
        differing = (index.column("perceptual_hash")[rows] ^ example).view(np.uint8).reshape(-1, HASH_BITS // 8)
        apart = _BITS_OF_A_BYTE[differing].sum(axis=1, dtype=np.int64)
        return {int(rows[at]): 1.0 - int(apart[at]) / HASH_BITS for at in _first(limit, apart, index.by_name[rows])}
    time_us = index.column("local_us")[rows]
    time_us = np.where(time_us == NO_TIME, np.iinfo(np.int64).max, time_us)
    if query.near is None:
        return dict.fromkeys(rows[_first(limit, time_us, index.by_name[rows])].tolist())
    apart_km = _apart_km(index, query.near)[rows]
    return dict.fromkeys(rows[_first(limit, apart_km, time_us, index.by_name[rows])].tolist())


def _first(most: int, *keys: NDArray[np.generic]) -> NDArray[np.int64]:
    """Return where the *most* smallest are, by the first key, where that is equal by the second, and so on."""
    first = keys[0]
    if not len(first):
        return np.empty(0, np.int64)
    among = np.arange(len(first))
    if len(first) > most:
        among = np.flatnonzero(first <= np.partition(first, most - 1)[most - 1])
    order = np.lexsort([key[among] for key in reversed(keys)])[:most]
    return np.asarray(among[order], np.int64)


def _nearest(
    index: SearchIndex, vector: NDArray[np.float32], meets: NDArray[np.bool_], rows: NDArray[np.int64], most: int
) -> NDArray[np.int64]:
    """Return the places of photos that seem nearest to a vector."""
    if len(rows) <= most:
        return rows
    from gtloc_forensics.case.search_index import vectors  # loads faiss

    facts = index.segments[0].facts
    code = vectors.Code(facts["code"], facts["size"], index.segments[0].array("learned"))
    if code.size != len(vector):
        raise DamagedIndex("its embeddings are of another model")
    coded = [segment.array("coded") for segment in index.segments if segment.array("coded").size]
    places = index.ordinals[index.stored("is_seen")]
    asked = (places >= 0) & meets[places]
    if not asked.all():
        ends = np.cumsum([len(some) for some in coded])[:-1]
        coded = [some[wanted] for some, wanted in zip(coded, np.split(asked, ends), strict=True)]
        places = places[asked]
    return np.sort(places[vectors.best(code, coded, vector, most)])


def _hits(photos: Iterable[LeanPhoto], query: Query, likenesses: Iterable[float | None]) -> Iterator[Hit]:
    for photo, likeness in zip(photos, likenesses, strict=True):
        claimed = Claimed(
            photo.source_id,
            photo.name,
            photo.is_read,
            datetime.fromisoformat(photo.local_time) if photo.local_time else None,
            None if photo.position is None else Position(*photo.position),
            " ".join(filter(None, photo.maker)),
            called(photo),
        )
        hit = retrieval.hit_of(claimed, query)
        if hit is None:
            raise DamagedIndex(f"it says of {photo.name} what the case does not")
        yield replace(hit, likeness=likeness) if query.like is not None else replace(hit, composed=likeness)
