"""Making the index of a case: what is new is added, all is made anew where another case, model or program made it.

Photos lie in segments, by the row under which the case knows a state of a path: those never change. What an examination
alone decides, the order of its photos and how each ended, is one further part, which names the segments it needs.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.case import words
from gtloc_forensics.case.search_index import parts, vectors
from gtloc_forensics.case.search_index.index import BETWEEN, FOLDER, NO_TIME, called, family_of, path_of
from gtloc_forensics.case.search_index.parts import DamagedIndex, Part
from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.records import Claim, Stated
from gtloc_forensics.store import lean_rows
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.lean_rows import LeanPhoto, Newest
from gtloc_forensics.store.sketches import concluded

PHOTOS_A_SEGMENT = 20_000
_GROWN = 4
"""Times as many embeddings as the code was learned from: then it is learned anew."""

Progress = Callable[[int, int], None]


def build(folder: Path, store: Store, view: StoredCase, *, progress: Progress) -> None:
    """Make the index of the newest examination, from the segments that are there and those that are lacking.

    Args:
        folder: of the case.
        store: its database.
        view: its newest examination.
        progress: told how many of the photos are done.

    Raises:
        OSError: it cannot be written.
        DamagedCase: the case cannot be read.
    """
    with lean_rows.asking(store) as ask:
        newest = lean_rows.newest(ask)
        if newest is None:
            return
        rows = lean_rows.members(ask, newest.number)
    place, family = folder / FOLDER, family_of(newest)
    place.mkdir(exist_ok=True)
    before = _segments(place, family)
    known = _rows_of(before)
    missing = rows[~np.isin(rows, known)]
    code = _code_of(before)
    if code is None or _is_outgrown(before, len(missing)):
        before, known, missing = [], np.empty(0, np.int64), rows
        code = _learned(store, newest, rows)
    made = [*before]
    for first in range(0, len(missing), PHOTOS_A_SEGMENT):
        some = missing[first : first + PHOTOS_A_SEGMENT]
        path = place / f"photos-{family}-{len(made):05}.part"
        with lean_rows.asking(store) as ask:
            photos = revised(view, lean_rows.photos(ask, newest.stages, some.tolist(), tags=True, pictures=True))
            _write_segment(path, photos, code, progress, (first, len(missing)), family=family, keep_code=not made)
        made.append(Part(path))
    _write_order(folder, store, view, newest, made, rows)
    _clear(place, {path_of(folder, newest).name, *(segment.path.name for segment in made)})


def _segments(place: Path, family: str) -> list[Part]:
    """Return the segments that are there and whole, up to the first that is not."""
    found: list[Part] = []
    while True:
        try:
            part = Part(place / f"photos-{family}-{len(found):05}.part")
            for name in part.names:
                part.array(name)
        except DamagedIndex:
            return found
        if part.facts.get("family") != family:
            return found
        found.append(part)


def _rows_of(segments: Sequence[Part]) -> NDArray[np.int64]:
    return np.concatenate([np.empty(0, np.int64), *(part.array("source_row") for part in segments)])


def remove(folder: Path) -> None:
    """Remove the index of a case, where that can be done: it is made anew when it is asked for."""
    _clear(folder / FOLDER, set())


def _clear(place: Path, kept: set[str]) -> None:
    for path in place.glob("*.part"):
        if path.name not in kept:
            with suppress(OSError):
                path.unlink()


# --------------------------------------------------------------------------- codes


def _code_of(segments: Sequence[Part]) -> vectors.Code | None:
    if not segments:
        return None
    facts = segments[0].facts
    return vectors.Code(facts["code"], facts["size"], segments[0].array("learned"))


def _is_outgrown(segments: Sequence[Part], more: int) -> bool:
    count = sum(len(part.array("source_row")) for part in segments) + more
    return count >= vectors.FEWEST_TO_QUANTISE and count > _GROWN * int(segments[0].facts["of"])


def _learned(store: Store, newest: Newest, rows: NDArray[np.int64]) -> vectors.Code:
    """Learn a code from embeddings that are spread evenly over the case."""
    if not newest.stages.vision or not len(rows):
        return vectors.Code("", 0, np.empty(0, np.uint8))
    every = max(1, len(rows) // vectors.MOST_TO_LEARN_FROM)
    with lean_rows.asking(store) as ask:
        some = lean_rows.photos(ask, newest.stages, rows[::every].tolist(), claims=False, pictures=True)
        seen = [photo.embedding for photo in some if photo.embedding is not None]
    if not seen:
        return vectors.Code("", 0, np.empty(0, np.uint8))
    return vectors.learned(vectors.kind_of(len(seen) * every, len(seen[0])), np.stack(seen))


# --------------------------------------------------------------------------- segments


def revised(view: StoredCase, photos: Iterable[LeanPhoto]) -> Iterator[LeanPhoto]:
    """Yield photos, the claims of those whose clocks other files settle as they are then."""
    for photo in photos:
        claim = view.revised_claim(photo.source_row, photo.source_id)
        if isinstance(claim, Claim):
            local = claim.local_time.value.isoformat() if isinstance(claim.local_time, Stated) else ""
            yield replace(photo, local_time=local)
        else:
            yield photo


@dataclass(frozen=True, slots=True)
class _Texts:
    """The different texts of a segment, each with the photos that hold it."""

    photos: dict[str, array[int]]

    def add(self, number: int, photo: LeanPhoto) -> None:
        for text in set(words.texts_of(photo.name, photo.maker, photo.zones, photo.tags or {}, photo.is_read)):
            self.photos.setdefault(text.casefold(), array("I")).append(number)

    def arrays(self) -> dict[str, NDArray[Any]]:
        texts = list(self.photos)
        lengths = [len(self.photos[text]) for text in texts]
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        starts = np.cumsum([0, *(len(text) + 1 for text in encoded)])
        held = np.concatenate([np.frombuffer(self.photos[text], np.uint32) for text in texts]) if texts else np.empty(0)
        return {
            "texts": np.frombuffer(BETWEEN.join(encoded), np.uint8),
            "text_starts": starts.astype(np.int64),
            "holder_starts": np.cumsum([0, *lengths]).astype(np.int64),
            "holders": held.astype(np.uint32),
        }


def _write_segment(
    path: Path,
    photos: Iterable[LeanPhoto],
    code: vectors.Code,
    progress: Progress,
    of: tuple[int, int],
    *,
    family: str,
    keep_code: bool,
) -> None:
    texts, makers, rows = _Texts({}), dict[tuple[str, str], int](), list[tuple[Any, ...]]()
    embeddings: list[NDArray[np.float32]] = []
    done, total = of
    for number, photo in enumerate(photos):
        texts.add(number, photo)
        seen = photo.embedding if photo.embedding is not None and len(photo.embedding) == code.size else None
        if seen is not None:
            embeddings.append(seen)
        hashed = photo.perceptual_hash
        latitude, longitude = photo.position or (np.nan, np.nan)
        maker = makers.setdefault((" ".join(filter(None, photo.maker)), called(photo)), len(makers))
        time = microseconds(photo.local_time)
        said = (photo.source_row, time, latitude, longitude, photo.is_read, maker, hashed is not None, hashed or 0)
        rows.append((*said, seen is not None))
        if number % 1000 == 0:
            progress(done + number, total)
    columns = list(zip(*rows, strict=True))
    coded = code.coded(np.stack(embeddings)) if embeddings else np.empty((0, 0), np.uint8)
    arrays: dict[str, NDArray[Any]] = {
        name: np.array(column, kind) for (name, kind), column in zip(_COLUMNS.items(), columns, strict=True)
    } | texts.arrays()
    facts = {"family": family, "code": code.kind, "size": code.size, "of": total, "makers": list(makers)}
    kept = {"learned": code.learned} if keep_code else {}
    parts.write(path, facts, {**arrays, "coded": coded, **kept})


_COLUMNS: dict[str, type[Any]] = {
    "source_row": np.int64,
    "local_us": np.int64,
    "latitude_deg": np.float64,
    "longitude_deg": np.float64,
    "is_read": np.bool_,
    "maker": np.int32,
    "is_hashed": np.bool_,
    "perceptual_hash": np.uint64,
    "is_seen": np.bool_,
}
"""Of each photo; ``maker`` counts in the makers of its segment, ``coded`` holds those alone that are seen."""


def microseconds(local_time: str) -> int:
    """Return a claimed local time as microseconds since 1970 by its own clock."""
    if not local_time:
        return int(NO_TIME)
    since = datetime.fromisoformat(local_time).replace(tzinfo=None) - datetime(1970, 1, 1)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


# --------------------------------------------------------------------------- one examination


def _write_order(
    folder: Path, store: Store, view: StoredCase, newest: Newest, segments: Sequence[Part], rows: NDArray[np.int64]
) -> None:
    held = _rows_of(segments)
    by_row = np.argsort(held, kind="stable")
    place = by_row[np.searchsorted(held[by_row], rows)] if len(rows) else np.empty(0, np.int64)
    results, told = words.Results(view), dict[str, int]()
    ended = [told.setdefault(results.of(photo).casefold(), len(told)) for photo in concluded(store, newest.number)]
    arrays: dict[str, NDArray[Any]] = {
        "source_row": rows,
        "place": place.astype(np.int64),
        "by_name": _by_name(store, rows),
        "ended": np.array(ended, np.int32),
    }
    facts = {"segments": [[segment.path.name, segment.digest] for segment in segments], "results": list(told)}
    parts.write(path_of(folder, newest), facts, arrays)


def _by_name(store: Store, rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the place of each photo in the order of names as people see them, which is not quite that of paths."""
    names: list[str] = []
    with lean_rows.asking(store) as ask:
        for first in range(0, len(rows), lean_rows.AT_ONCE):
            names += lean_rows.names(ask, rows[first : first + lean_rows.AT_ONCE].tolist())
    order = sorted(range(len(names)), key=names.__getitem__)
    found = np.empty(len(names), np.int32)
    found[order] = np.arange(len(names), dtype=np.int32)
    return found
