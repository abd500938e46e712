"""GF406 — One picture, two stories; one story, two pictures.

Shows: pictures that look the same to the eye (64-bit DCT hash), or that are crops, turns
and edits of one another as hash and model both see it, but claim times or places that are
far apart; and files with one device, one capture time and one counter whose pictures
differ. The film of a live photo is no second picture. Identical bytes under two names are a copy and nothing else.

Cannot show: which claim is the true one.

Blind spots: a fixed camera makes equal pictures at different times, so three and more of one
device at one place are told as one view, and a re-dated frame among them hides, unless its
pixels are another's to the last. Pictures without structure (night, fog, a wall) share a hash
by accident and are left out; in a series of ten and more nothing is told of equal pixels. Crops
of more than a tenth and mirrored pictures move the hash too far. Signs and cards that differ in a
line look alike. Without a model only what is at most 2 bits apart is compared.

Threshold: at most 2 of 64 bits apart, or at most 10 with embeddings of cosine 0.95 or more,
which no pair of 6.5 million from different sources reaches (4 do by the hash alone;
docs/decisions/0013-near-duplicates.md); more than an hour or 5 km; different pictures from
20 bits on (unrelated ones differ by 32 ± 4). Where one device took such a likeness at
another time it is explained as the same view seen again, and named. Look-alikes are told by
cluster: each photo has one sentence that names another one. All are compared
with all, however many are alike.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime

import numpy as np

from gtloc_forensics.checks import Context, Scope, check, look_alikes, pairs
from gtloc_forensics.checks.reference import programs
from gtloc_forensics.records import (
    UNKNOWN_DEVICE,
    Confidence,
    CounterKind,
    Finding,
    Outcome,
    PhotoSummary,
    Sentence,
    Severity,
    template,
)

SAME_BITS = 2
LIKE_BITS = 10  # crops of a tenth lie at 10 in the median, turns of 3° at 12
LIKE_COSINE = 0.95
DIFFERENT_BITS = 20
FAR_S = 3_600.0
FAR_KM = 5.0
FEWEST_OF_A_VIEW = 3  # photos of one device at one place that are a fixed camera rather than a copy
FEWEST_OF_A_SERIES = 10
FLATTEST_BITS = 10  # hashes with fewer (or more than 64 less it) set bits have no structure
SAME_LUMINANCE = 1e-9

KIND = "look-alike"
TWO_STORIES = Sentence("Photos that show one picture claim times or places far apart.")
TWO_PICTURES = Sentence("Photos that claim one time and one counter show different pictures.")
ONE_VIEW = Sentence("One device shows one view again and again: a fixed camera, a tripod or a time-lapse.")
_INNOCENT = (
    Sentence("a fixed camera, a tripod or a copy on paper"),
    Sentence("signs or cards that differ in a line"),
)
_SAME_PICTURE = template("This photo holds the same picture as {other} but claims to be {apart:and} away from it.")
_SAME_LOOK = template("This photo looks the same as {other} but claims to be {apart:and} away from it.")
_EDITED = template("This photo looks like a crop or an edit of {other} but claims to be {apart:and} away from it.")


@check("GF406", title="One picture, two stories", scope=Scope.CASE, version="4")
def duplicates(summaries: Sequence[PhotoSummary], context: Context) -> Iterator[Finding]:
    """Compare look-alikes, and files that tell one story."""
    films = _halves(summaries)
    hashed = [photo for photo in summaries if photo.perceptual_hash is not None and photo.source_id not in films]
    seen = [photo for photo in hashed if _has_structure(photo)]
    hashes = np.fromiter(map(_hash, seen), np.uint64, len(seen))
    found = look_alikes.Clusters(hashes, most_bits=SAME_BITS)
    shared = (_one_of_each_content([seen[number] for number in numbers]) for numbers in found.shared())
    told: set[str] = set()
    for finding in (*_same_views(shared), *_edits(_first_with_embedding(seen, found)), *_two_pictures(hashed)):
        told.add(finding.source_ids[0])
        yield finding
    fine = [photo for photo in seen if photo.source_id not in told]
    yield from pairs.passed("GF406", fine, Sentence("No look-alike tells another story."))
    halves = [photo for photo in summaries if photo.source_id in films]
    yield from pairs.silent("GF406", halves, Sentence("the film of a live photo: it shows what its picture shows"))
    unseen = (photo for photo in summaries if photo.source_id not in films and not _is_seen(photo, told))
    yield from pairs.silent("GF406", unseen, Sentence("the picture was not decoded or has no structure"))


def _halves(summaries: Sequence[PhotoSummary]) -> frozenset[str]:
    """Return the films that are the moving half of a picture: by an identifier of both, or by one name beside it."""
    if not any(map(_is_film, summaries)):
        return frozenset()
    pictures = [photo for photo in summaries if not _is_film(photo)]
    names = {photo.name.rpartition(".")[0].casefold() for photo in pictures}
    shared = {photo.burst_id for photo in pictures} - {""}
    return frozenset(
        film.source_id
        for film in summaries
        if _is_film(film)
        and (film.burst_id in shared or {film.name.casefold(), film.name.rpartition(".")[0].casefold()} & names)
    )


def _is_film(photo: PhotoSummary) -> bool:
    return photo.media_type.startswith("video/")


def _hash(photo: PhotoSummary) -> int:
    return photo.perceptual_hash or 0


def _is_seen(photo: PhotoSummary, told: Container[str]) -> bool:
    """Whether a picture was compared, or something was told of it all the same."""
    return photo.perceptual_hash is not None and (_has_structure(photo) or photo.source_id in told)


def _has_structure(photo: PhotoSummary) -> bool:
    return FLATTEST_BITS <= _hash(photo).bit_count() <= 64 - FLATTEST_BITS


def _one_of_each_content(photos: Sequence[PhotoSummary]) -> list[PhotoSummary]:
    """Leave out identical files, frames of one burst but the first, and copies that a messenger sent on."""
    kept: dict[str, PhotoSummary] = {}
    for photo in photos:
        if not programs.platforms_of_name(photo.name):
            kept.setdefault(photo.burst_id or photo.sha256, photo)
    return list(kept.values())


# --------------------------------------------------------------------------- one look, several stories


def _same_views(groups: Iterable[Sequence[PhotoSummary]]) -> Iterator[Finding]:
    for group in groups:
        told: set[str] = set()
        is_view = len(group) >= FEWEST_OF_A_VIEW and _is_one_device(group) and _is_one_place(group)
        # In a long series of one still view two frames may well be alike to the last digit.
        for copies in _same_pixels(group) if not is_view or len(group) < FEWEST_OF_A_SERIES else ():
            for finding in _stories(copies, _SAME_PICTURE):
                told.add(finding.source_ids[0])
                yield finding
        if is_view:
            yield from _one_view([photo for photo in group if photo.source_id not in told])
        else:
            stories = _stories(group, _SAME_LOOK)
            yield from (finding for finding in stories if finding.source_ids[0] not in told)


def _same_pixels(group: Sequence[PhotoSummary]) -> list[list[PhotoSummary]]:
    """Return those whose pixels agree in hash and mean brightness to the last digit: the picture was encoded once."""
    by_pixels: dict[tuple[int, float], list[PhotoSummary]] = {}
    for photo in group:
        if photo.mean_luminance is not None:
            by_pixels.setdefault((_hash(photo), photo.mean_luminance), []).append(photo)
    return [copies for copies in by_pixels.values() if len(copies) > 1]


def _is_one_device(group: Sequence[PhotoSummary]) -> bool:
    return len({photo.device_key for photo in group}) == 1 and group[0].device_key != UNKNOWN_DEVICE


def _is_one_place(group: Sequence[PhotoSummary]) -> bool:
    placed = [photo for photo in group if photo.latitude_deg is not None]
    return all((pairs.apart_km(photo, placed[0]) or 0.0) <= FAR_KM for photo in placed[1:])


def _one_view(frames: Sequence[PhotoSummary]) -> Iterator[Finding]:
    """Tell a fixed camera, a tripod or a time-lapse: one sentence a photo, one cause for all."""
    ordered = pairs.in_order(frames)
    if len(ordered) < 2 or not _far_apart(ordered[-1], ordered[0]):
        return
    first, last = (frame.local_time or pairs.instant(frame) for frame in (ordered[0], ordered[-1]))
    summary = Sentence(
        "One of {frames} photos in which one device shows the same view, claimed from {first} to {last}.",
        frames=len(frames),
        first=first,
        last=last,
    )
    for photo in frames:
        yield pairs.about(
            "GF406",
            (photo,),
            summary,
            outcome=Outcome.EXPLAINED,
            kind="same-view",
            device_key=photo.device_key,
            severity=Severity.INFO,
            cause_summary=ONE_VIEW,
            innocent=(Sentence("a fixed camera, a tripod, a time-lapse"),),
            limitations=(Sentence("A frame that was dated anew would hide among them."),),
            facts={"photos_of_the_view": len(frames)},
        )


def _stories(group: Sequence[PhotoSummary], alike: str) -> Iterator[Finding]:
    """Give every photo of a group the sentence, a template, that names another one, where some are far apart."""
    ordered = [*pairs.in_order(group), *(photo for photo in group if pairs.instant(photo) is None)]
    if len(ordered) < 2:
        return
    for photo in ordered:
        ends = (ordered[0], ordered[-1])
        other = next((end for end in ends if end is not photo and _far_apart(photo, end)), None)
        if other is None:  # one time, but the place may be another's
            other = next((end for end in ordered[:8] if end is not photo and _far_apart(photo, end)), None)
        if other is not None:
            yield _story(photo, other, alike=alike, others=len(ordered) - 2)


def _far_apart(photo: PhotoSummary, other: PhotoSummary) -> tuple[Sentence, ...]:
    """Return how far apart two claims are in time and place; empty where they tell one story."""
    seconds, km = pairs.apart_s(photo, other), pairs.apart_km(photo, other)
    is_late, is_far = seconds is not None and abs(seconds) > FAR_S, km is not None and km > FAR_KM
    return (
        *((Sentence("{apart_hours:length}", apart_hours=(seconds or 0.0) / 3600.0),) if is_late else ()),
        *((Sentence("{apart_km:.0f} km", apart_km=km),) if is_far else ()),
    )


def _story(
    photo: PhotoSummary, other: PhotoSummary, *, alike: str, others: int = 0, is_explained: bool = False
) -> Finding:
    km = pairs.apart_km(photo, other)
    is_same = _bits_apart(photo, other) <= SAME_BITS
    named = Sentence("{name} (and {others} more)", name=other.name, others=others) if others > 0 else other.name
    strong = is_same and km is not None and km > FAR_KM
    return pairs.about(
        "GF406",
        (photo,),
        Sentence(alike, other=named, apart=_far_apart(photo, other)),
        outcome=Outcome.EXPLAINED if is_explained else Outcome.SUSPICIOUS,
        kind=KIND,
        severity=Severity.HIGH if is_same else Severity.MEDIUM,
        confidence=Confidence.STRONG if strong else Confidence.WEAK,
        cause_summary=TWO_STORIES,
        innocent=(*((Sentence("the same view seen again by the same device"),) if is_explained else ()), *_INNOCENT),
        limitations=(Sentence("It does not tell which claim is the original."),),
        facts={"bits_apart": _bits_apart(photo, other), "other_source_id": other.source_id, "other": other.name}
        | ({} if is_same else {"cosine": round(_cosine(photo, other), 3)}),
    )


def _first_with_embedding(seen: Sequence[PhotoSummary], found: Iterable[tuple[int, ...]]) -> Iterator[PhotoSummary]:
    """Yield the first picture of each look, where a model saw it."""
    for first, *others in found:
        if others or seen[first].embedding is not None:  # most looks are of one picture, and often no model saw any
            group = _one_of_each_content([seen[number] for number in (first, *others)])
            yield from (photo for photo in group[:1] if photo.embedding is not None)


def _edits(looks: Iterable[PhotoSummary]) -> Iterator[Finding]:
    """Tell crops, turns and edits of one another: once for each that joins two looks, not for each pair."""
    judged = list(looks)
    families = look_alikes.Unions(len(judged))
    for first, second in look_alikes.near_pairs([_hash(photo) for photo in judged], LIKE_BITS):
        photo, other = judged[first], judged[second]
        if _cosine(photo, other) < LIKE_COSINE or not _far_apart(photo, other) or not families.join(first, second):
            continue
        is_one_device = photo.device_key == other.device_key != UNKNOWN_DEVICE
        seen_again = is_one_device and (pairs.apart_km(photo, other) or 0.0) <= FAR_KM
        yield _story(photo, other, alike=_EDITED, is_explained=seen_again)
        yield _story(other, photo, alike=_EDITED, is_explained=seen_again)


def _bits_apart(photo: PhotoSummary, other: PhotoSummary) -> int:
    return (_hash(photo) ^ _hash(other)).bit_count()


def _cosine(photo: PhotoSummary, other: PhotoSummary) -> float:
    if photo.embedding is None or other.embedding is None:
        return -1.0
    return float(photo.embedding.astype(np.float32) @ other.embedding.astype(np.float32))


# --------------------------------------------------------------------------- one story, two pictures


def _two_pictures(hashed: Sequence[PhotoSummary]) -> Iterator[Finding]:
    stories: dict[_Story, PhotoSummary] = {}
    told: set[str] = set()
    for photo, story in _told_twice(hashed):
        first = stories.setdefault(story, photo)
        if first is photo or photo.burst_id or first.sha256 == photo.sha256:
            continue
        if _bits_apart(photo, first) >= DIFFERENT_BITS:
            yield _picture(photo, first)
            if first.source_id not in told:
                told.add(first.source_id)
                yield _picture(first, photo)


def _told_twice(photos: Sequence[PhotoSummary]) -> Iterator[tuple[PhotoSummary, _Story]]:
    """Yield the photos that may share device, time and counters with another; stories told once are not held."""
    marks = np.fromiter((hash(_claimed(photo)) for photo in photos), np.int64, len(photos))
    _, inverse, times = np.unique(marks, return_inverse=True, return_counts=True)
    for number in np.flatnonzero(times[inverse] > 1).tolist():
        story = _claimed(photos[number])
        if story is not None:
            yield photos[number], story


_Story = tuple[str, datetime, tuple[tuple[CounterKind, int], ...]]


def _claimed(photo: PhotoSummary) -> _Story | None:
    """Return device, capture time and counters; None where no counter or no time is claimed."""
    counted = tuple((counter.kind, counter.value) for counter in photo.counters)
    return (photo.device_key, photo.local_time, counted) if counted and photo.local_time is not None else None


def _picture(photo: PhotoSummary, other: PhotoSummary) -> Finding:
    bits = _bits_apart(photo, other)
    editor = next((named.software for named in (photo, other) if programs.is_editor(named.software)), "")
    if editor:
        summary = Sentence(
            "Claims the time and the counter of {other}, and the two pictures differ: "
            "{editor} made one of them out of the other.",
            other=other.name,
            editor=editor,
        )
    else:
        summary = Sentence(
            "Claims the time and the counter of {other}, and the two pictures differ in {bits} of 64 bits.",
            other=other.name,
            bits=bits,
        )
    return pairs.about(
        "GF406",
        (photo,),
        summary,
        outcome=Outcome.EXPLAINED if editor else Outcome.SUSPICIOUS,
        kind="exported" if editor else KIND,
        severity=Severity.INFO if editor else Severity.HIGH,
        confidence=Confidence.WEAK if editor else Confidence.STRONG,
        cause_summary="" if editor else TWO_PICTURES,
        innocent=(Sentence("a crop, a turn or a strong edit of the other"),),
        facts={"bits_apart": bits, "other_source_id": other.source_id, "other": other.name},
    )
