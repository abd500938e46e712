"""Opens what a search needs: the photos of a case, the example, the model for the joint space."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics import decode
from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.case.retrieval import MONTH_STARTS, Answer, Claimed, Example, Query, search, search_claims
from gtloc_forensics.case.search_index import opened as search_index
from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.case.words import holding
from gtloc_forensics.errors import DecodeRefused, UsageError, WeightsError
from gtloc_forensics.examination import summaries
from gtloc_forensics.examination.settings import DEFAULT_SHORT_SIDE
from gtloc_forensics.files import acquiring
from gtloc_forensics.records import Candidate, Environment, ImageFacts, Photo, Position, Prediction, Sentence, visible

if TYPE_CHECKING:
    from gtloc_forensics.vision import Model


FEW = 50
"""So many photos are read one by one; for more, all are."""


Watched: TypeAlias = Callable[[Iterable[Photo]], Iterator[Photo]]
"""By way of which photos are read: told of their progress, or seen by another system."""


def find(
    case: CaseFolder,
    query: Query,
    *,
    like: str = "",
    words: str = "",
    limit: int | None = 20,
    watched: Watched = iter,
) -> Answer:
    """Search the newest examination of *case*.

    Args:
        case: with a completed examination.
        query: conditions and likenesses; its example and its joint vector are found here.
        like: a path within the case, or a file; "" for none.
        words: all of them stand in a photo's name, tags, camera, place or results: :mod:`gtloc_forensics.case.words`.
        limit: the most hits to return; None for all.
        watched: by way of which each photo is read.

    Raises:
        CaseError: no examination was completed.
        UsageError: there is no such example, or it cannot be decoded.
    """
    return find_among(case, query, like=like, words=words, limit=limit, watched=watched)


def find_among(
    case: CaseFolder,
    query: Query,
    *,
    like: str = "",
    words: str = "",
    ordinals: Collection[int] | None = None,
    limit: int | None = 20,
    watched: Watched = iter,
) -> Answer:
    """Search the photos at some places of the path order, or all, each by way of *watched*; raises as :func:`find`.

    Where the case has an index of its newest examination and it can answer, no other photos are read than are shown.
    """
    view = case.view()
    model = Seeing(view.examined_with)
    if like:
        known = search_index.example(case, view, like) if watched is iter else None
        inside = known or _in_case(watched(view.records()), like)
        query = replace(query, like=inside if inside is not None else _from_file(Path(like), model))
    if query.shows_place is not None and query.shows_hour is not None and query.shows_month is not None:
        query = replace(query, joint=model.joint(query))
    if watched is iter:
        by_index = search_index.answered(case, view, query, words=words, ordinals=ordinals, limit=limit)
        if by_index is not None:
            return by_index
    if words.strip():
        ordinals = holding(view, words)
    if not query.asks_of_pictures:
        found = search_claims(_claimed(view, ordinals), query, limit=limit)
        return found if ordinals is None else replace(found, looked_at=view.tally.photos)
    if ordinals is None:
        return search(watched(view.records()), query, limit=limit)
    return replace(search(watched(_photos(view, ordinals)), query, limit=limit), looked_at=view.tally.photos)


def _claimed(view: StoredCase, ordinals: Collection[int] | None) -> Iterator[Claimed]:
    """Yield what conditions are held against, without building the records that a list of hits does not show."""
    for sketch in view.sketches():
        if ordinals is None or sketch.ordinal in ordinals:
            yield Claimed(
                sketch.source_id,
                sketch.name,
                sketch.is_read,
                datetime.fromisoformat(sketch.local_time) if sketch.local_time else None,
                None if sketch.position is None else Position(*sketch.position),
                " ".join(filter(None, sketch.maker)),
                summaries.called(sketch.named) if sketch.is_read else "",
            )


def _photos(view: StoredCase, ordinals: Collection[int]) -> Iterator[Photo]:
    if len(ordinals) <= FEW:
        yield from (entry.photo for entry in view.entries_at(sorted(ordinals)))
    else:
        yield from (photo for ordinal, photo in enumerate(view.records()) if ordinal in ordinals)


class Seeing:
    """The model of the examination, loaded when first asked for; None when it cannot be had again."""

    def __init__(self, environment: Environment) -> None:
        """Load nothing before it is asked for."""
        self.environment = environment
        self._model: Model | None = None
        self._tried = False

    def model(self) -> Model | None:
        """Return the very model that looked at the case."""
        name = self.environment.model_name
        if not self._tried and name:
            self._tried = True
            try:
                from gtloc_forensics import vision

                found = vision.load(name)
            except (ModuleNotFoundError, WeightsError):
                return None  # the stored densities answer without it
            if found.weights_sha256 == self.environment.model.get("weights"):
                self._model = found
        return self._model

    def joint(self, query: Query) -> NDArray[np.float32] | None:
        """Embed the time and the place asked for; None when the model does not know both."""
        model, there = self.model(), query.shows_place
        if model is None or there is None or query.shows_hour is None or query.shows_month is None:
            return None
        middle = (MONTH_STARTS[query.shows_month - 1] + MONTH_STARTS[query.shows_month]) / 2
        turns = np.array([[middle, query.shows_hour / 24 % 1.0]])
        found = model.fused(turns, np.array([[there.latitude_deg, there.longitude_deg]]))
        return None if found is None else np.asarray(found[0], np.float32)


def example_of(
    view: StoredCase,
    name: str,
    seeing: Seeing | None,
    *,
    watched: Watched = iter,
    case: CaseFolder | None = None,
) -> Example:
    """Return a photo of the case, or a file that is not of it, to compare with; raises as :func:`find`.

    With *case* its index may know where the photo is. Without *seeing* only photos of the case can be examples.
    """
    known = None if case is None else search_index.example(case, view, name)
    inside = known or _in_case(watched(view.records()), name)
    if inside is not None:
        return inside
    if seeing is None:
        raise UsageError(
            Sentence("{name} is no photo of the case, and only those can be compared here", name=visible(name[:200]))
        )
    return _from_file(Path(name), seeing)


def _in_case(photos: Iterable[Photo], name: str) -> Example | None:
    wanted = os.fsencode(name)
    for photo in photos:
        if wanted == photo.source.relative or name in (photo.source.display_path, photo.source.source_id):
            return _example(photo)
    return None


def _example(photo: Photo) -> Example:
    seen, image = photo.prediction, photo.image
    embedding = seen.embedding if isinstance(seen, Prediction) else None
    bits = image.perceptual_hash if isinstance(image, ImageFacts) else None
    if embedding is None and bits is None:
        raise UsageError(
            Sentence("{name} could not be decoded, so nothing can be like it", name=photo.source.display_path)
        )
    return Example(photo.source.display_path, embedding, bits)


def _from_file(path: Path, seeing: Seeing) -> Example:
    """Decode a file that is not of the case, in a process of its own, and look at it as at the case's photos."""
    if not path.is_file():
        raise UsageError(
            Sentence(
                "{name} is neither a photo of the case nor a file; give the path that `findings.json` shows",
                name=visible(str(path)),
            )
        )
    model = seeing.model()
    with tempfile.TemporaryDirectory(prefix="gtloc-search-") as work, decode.Decoder(1) as decoder:
        taken = acquiring.take(path.resolve().parent, Candidate(os.fsencode(path.name)), into=Path(work))
        side = DEFAULT_SHORT_SIDE if model is None else model.short_side
        job = decode.Job(taken.working_copy, taken.source.source_id, taken.source.media_type, short_side=side)
        ((_, found),) = decoder.stream([job], window=1)
    if isinstance(found, DecodeRefused):
        raise UsageError(Sentence("{name} cannot be decoded: {why}", name=visible(str(path)), why=found.reason))
    embedding = None
    if model is not None:
        row = model.embed([model.prepare(found.shown)])[0, : model.embedding_size]
        embedding = np.asarray(row / max(float(np.linalg.norm(row)), 1e-12), np.float32)
    return Example(str(path), embedding, found.image.perceptual_hash)
