"""GF406 — One picture, two stories; one story, two pictures.

Shows: pictures that look the same to the eye (64-bit DCT hash), or that are crops, turns
and edits of one another as hash and model both see it, but claim times or places that are
far apart; and files with one device, one capture time and one counter whose pictures
differ. Identical bytes under two names are a copy and nothing else.

Cannot show: which claim is the true one.

Blind spots: a fixed camera and a tripod make equal pictures at different times; pictures
without structure (night, fog, a wall) share a hash by accident and are left out. Crops of
more than a tenth and mirrored pictures move the hash too far. Without a model only what
is at most 2 bits apart is compared.

Threshold: at most 2 of 64 bits apart, or at most 10 with embeddings of cosine 0.95 or more,
which no pair of 6.5 million from different sources reaches (4 do by the hash alone;
docs/decisions/0013-near-duplicates.md); more than an hour or 5 km; different pictures from
20 bits on (unrelated ones differ by 32 ± 4). Where one device took such a likeness at
another time it is explained as the same view seen again, and named; never more than weak
otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from gtloc_forensics.checks import Context, Scope, check, pairs
from gtloc_forensics.checks.look_alikes import near_pairs
from gtloc_forensics.records import UNKNOWN_DEVICE, Confidence, Finding, Outcome, PhotoSummary, Severity, durations

SAME_BITS = 2
LIKE_BITS = 10  # crops of a tenth lie at 10 in the median, turns of 3° at 12
LIKE_COSINE = 0.95
DIFFERENT_BITS = 20
FAR_S = 3_600.0
FAR_KM = 5.0
FLATTEST_BITS = 10  # hashes with fewer (or more than 64 less it) set bits have no structure


_INNOCENT = ("a fixed camera, a tripod or a copy on paper",)


@check("GF406", title="One picture, two stories", scope=Scope.CASE, version="3")
def duplicates(summaries: Sequence[PhotoSummary], context: Context) -> Iterator[Finding]:
    """Compare look-alikes, and files that tell one story."""
    hashed = [one for one in summaries if one.perceptual_hash is not None]
    seen = [one for one in hashed if _has_structure(one)]
    concerned: list[PhotoSummary] = []
    for found, pair in (*_two_stories(seen), *_two_pictures(hashed)):
        concerned += pair
        yield found
    yield from pairs.passed("GF406", pairs.rest(seen, concerned), "No look-alike tells another story.")
    unseen = pairs.rest(summaries, [*seen, *concerned])
    yield from pairs.silent("GF406", unseen, "the picture was not decoded or has no structure")


def _has_structure(one: PhotoSummary) -> bool:
    return FLATTEST_BITS <= (one.perceptual_hash or 0).bit_count() <= 64 - FLATTEST_BITS


def _two_stories(seen: Sequence[PhotoSummary]) -> Iterator[tuple[Finding, tuple[PhotoSummary, PhotoSummary]]]:
    for one, other in _look_alikes(seen):
        if one.sha256 == other.sha256 or (one.burst_id and one.burst_id == other.burst_id):
            continue
        seconds, km = pairs.apart_s(other, one), pairs.apart_km(other, one)
        if (seconds is not None and abs(seconds) > FAR_S) or (km is not None and km > FAR_KM):
            yield _story(one, other, seconds, km), (one, other)


def _look_alikes(seen: Sequence[PhotoSummary]) -> Iterator[tuple[PhotoSummary, PhotoSummary]]:
    """Yield each pair that looks the same once: the same to the eye, or one an edit of the other."""
    same = near_pairs([one.perceptual_hash or 0 for one in seen], SAME_BITS)
    yield from ((seen[first], seen[second]) for first, second in same)
    judged = [one for one in seen if one.embedding is not None]
    for first, second in near_pairs([one.perceptual_hash or 0 for one in judged], LIKE_BITS):
        one, other = judged[first], judged[second]
        if _bits_apart(one, other) > SAME_BITS and _cosine(one, other) >= LIKE_COSINE:
            yield one, other


def _bits_apart(one: PhotoSummary, other: PhotoSummary) -> int:
    return ((one.perceptual_hash or 0) ^ (other.perceptual_hash or 0)).bit_count()


def _cosine(one: PhotoSummary, other: PhotoSummary) -> float:
    if one.embedding is None or other.embedding is None:
        return -1.0
    return float(one.embedding.astype(np.float32) @ other.embedding.astype(np.float32))


def _story(one: PhotoSummary, other: PhotoSummary, seconds: float | None, km: float | None) -> Finding:
    told = [durations.length(seconds / 3600.0)] if seconds is not None and abs(seconds) > FAR_S else []
    told += [f"{km:,.0f} km"] if km is not None and km > FAR_KM else []
    is_same = _bits_apart(one, other) <= SAME_BITS
    is_one_device = one.device_key == other.device_key != UNKNOWN_DEVICE
    is_seen_again = not is_same and not (km is not None and km > FAR_KM) and is_one_device
    return pairs.about(
        "GF406",
        (one, other),
        f"Looks {'the same as' if is_same else 'like a crop or an edit of'} {other.name} "
        f"but claims to be {' and '.join(told)} away from it.",
        outcome=Outcome.EXPLAINED if is_seen_again else Outcome.SUSPICIOUS,
        kind="copy",
        severity=Severity.HIGH if is_same else Severity.MEDIUM,
        confidence=Confidence.STRONG if is_same and km is not None and km > FAR_KM else Confidence.WEAK,
        innocent=("the same view seen again by the same device", *_INNOCENT) if is_seen_again else _INNOCENT,
        limitations=("It does not tell which claim is the original.",),
        facts={"bits_apart": _bits_apart(one, other)} | ({} if is_same else {"cosine": round(_cosine(one, other), 3)}),
    )


def _two_pictures(hashed: Iterable[PhotoSummary]) -> Iterator[tuple[Finding, tuple[PhotoSummary, PhotoSummary]]]:
    stories: dict[tuple[object, ...], PhotoSummary] = {}
    for one in hashed:
        counted = tuple((counter.kind, counter.value) for counter in one.counters)
        if not counted or one.local_time is None:
            continue
        first = stories.setdefault((one.device_key, one.local_time, counted), one)
        if first is one or one.burst_id or first.sha256 == one.sha256:
            continue
        bits = _bits_apart(one, first)
        if bits >= DIFFERENT_BITS:
            yield _picture(one, first, bits), (one, first)


def _picture(one: PhotoSummary, first: PhotoSummary, bits: int) -> Finding:
    return pairs.about(
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
