"""GF406 — One picture, two stories; one story, two pictures.

Shows: pictures that look the same to the eye (64-bit DCT hash) but claim times or places
that are far apart; and files with one device, one capture time and one counter whose
pictures differ. Identical bytes under two names are a copy and nothing else.

Cannot show: which claim is the true one.

Blind spots: a fixed camera and a tripod make equal pictures at different times; pictures
without structure (night, fog, a wall) share a hash by accident and are left out.

Threshold: at most 2 of 64 bits apart, more than an hour or 5 km; different pictures from
20 bits on (unrelated ones differ by 32 ± 4). Pairs at most 3 bits apart share one of four
16-bit bands, so only those are compared: n log n while pictures are different.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics import durations
from gtloc_forensics.checks import Context, Scope, check, neighbours
from gtloc_forensics.records import Confidence, Finding, Outcome, Severity, Sighting

SAME_BITS = 2
DIFFERENT_BITS = 20
FAR_S = 3_600.0
FAR_KM = 5.0
BANDS = 4
LARGEST_BUCKET = 500  # a band that more pictures share is one of structureless pictures
FLATTEST_BITS = 10  # hashes with fewer (or more than 64 less it) set bits have no structure


@check("GF406", title="One picture, two stories", scope=Scope.CASE)
def duplicates(sightings: Sequence[Sighting], context: Context) -> Iterator[Finding]:
    """Compare look-alikes, and files that tell one story."""
    hashed = [one for one in sightings if one.perceptual_hash is not None]
    seen = [one for one in hashed if _has_structure(one)]
    concerned: list[Sighting] = []
    for found, pair in (*_two_stories(seen), *_two_pictures(hashed)):
        concerned += pair
        yield found
    yield from neighbours.passed("GF406", neighbours.rest(seen, concerned), "No look-alike tells another story.")
    unseen = neighbours.rest(sightings, [*seen, *concerned])
    yield from neighbours.silent("GF406", unseen, "the picture was not decoded or has no structure")


def _has_structure(one: Sighting) -> bool:
    return FLATTEST_BITS <= (one.perceptual_hash or 0).bit_count() <= 64 - FLATTEST_BITS


def near_pairs(hashes: Sequence[int], most_bits: int = SAME_BITS) -> list[tuple[int, int]]:
    """Return the pairs of places, lower first, whose 64-bit hashes differ by at most *most_bits* (3 or less)."""
    values = np.array(hashes, dtype=np.uint64)
    found: set[tuple[int, int]] = set()
    for band in range(BANDS):
        keys = (values >> np.uint64(16 * band)) & np.uint64(0xFFFF)
        order = np.argsort(keys, kind="stable")
        edges = np.flatnonzero(np.diff(keys[order])) + 1
        for bucket in np.split(order, edges):
            if 1 < len(bucket) <= LARGEST_BUCKET:
                found.update(_within(values, bucket, most_bits))
    return sorted(found)


def _within(values: NDArray[np.uint64], bucket: NDArray[np.int64], most_bits: int) -> Iterator[tuple[int, int]]:
    apart = np.bitwise_count(values[bucket][:, None] ^ values[bucket][None, :])
    for first, second in np.argwhere(np.triu(apart <= most_bits, 1)):
        low, high = sorted((int(bucket[first]), int(bucket[second])))
        yield low, high


def _two_stories(seen: Sequence[Sighting]) -> Iterator[tuple[Finding, tuple[Sighting, Sighting]]]:
    for first, second in near_pairs([one.perceptual_hash or 0 for one in seen]):
        one, other = seen[first], seen[second]
        if one.sha256 == other.sha256 or (one.burst_id and one.burst_id == other.burst_id):
            continue
        seconds, km = neighbours.apart_s(other, one), neighbours.apart_km(other, one)
        if (seconds is not None and abs(seconds) > FAR_S) or (km is not None and km > FAR_KM):
            yield _story(one, other, seconds, km), (one, other)


def _story(one: Sighting, other: Sighting, seconds: float | None, km: float | None) -> Finding:
    told = [durations.length(seconds / 3600.0)] if seconds is not None and abs(seconds) > FAR_S else []
    told += [f"{km:,.0f} km"] if km is not None and km > FAR_KM else []
    return neighbours.about(
        "GF406",
        (one, other),
        f"Looks the same as {other.name} but claims to be {' and '.join(told)} away from it.",
        outcome=Outcome.SUSPICIOUS,
        kind="copy",
        severity=Severity.HIGH,
        confidence=Confidence.STRONG if km is not None and km > FAR_KM else Confidence.WEAK,
        innocent=("a fixed camera, a tripod or a copy on paper",),
        limitations=("It does not tell which claim is the original.",),
    )


def _two_pictures(hashed: Iterable[Sighting]) -> Iterator[tuple[Finding, tuple[Sighting, Sighting]]]:
    stories: dict[tuple[object, ...], Sighting] = {}
    for one in hashed:
        counted = tuple((counter.kind, counter.value) for counter in one.counters)
        if not counted or one.local_time is None:
            continue
        first = stories.setdefault((one.device_key, one.local_time, counted), one)
        if first is one or one.burst_id or first.sha256 == one.sha256:
            continue
        bits = ((one.perceptual_hash or 0) ^ (first.perceptual_hash or 0)).bit_count()
        if bits >= DIFFERENT_BITS:
            yield _picture(one, first, bits), (one, first)


def _picture(one: Sighting, first: Sighting, bits: int) -> Finding:
    return neighbours.about(
        "GF406",
        (one, first),
        f"Claims the time and the counter of {first.name} but shows another picture.",
        outcome=Outcome.SUSPICIOUS,
        kind="copy",
        severity=Severity.HIGH,
        confidence=Confidence.STRONG,
        innocent=("a crop or a strong edit of the other",),
        facts={"bits_apart": bits},
    )
