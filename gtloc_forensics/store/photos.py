"""A photo put together again from the rows that its stages left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import TypeAlias, TypeVar, cast

from sqlalchemy import select

from gtloc_forensics.earth import claims
from gtloc_forensics.records import (
    Absent,
    Claim,
    ImageFacts,
    Photo,
    Prediction,
    Sentence,
    Source,
    Statement,
    Sun,
    TagsRead,
    Unexamined,
)
from gtloc_forensics.store.codec import claim_of, unpack
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.keys import (
    CLAIM,
    IMAGE,
    METADATA,
    PREVIEW,
    READING,
    SEEING,
    VISION,
    Stages,
    claim_key,
    without_package,
)
from gtloc_forensics.store.rows import StoredSource, both_of
from gtloc_forensics.store.schema import ResultRow, SourceRow

R = TypeVar("R")

_RESULT = (ResultRow.subject, ResultRow.stage, ResultRow.fingerprint, ResultRow.failed, ResultRow.payload)


PHOTOS_AT_ONCE = 100
"""Photos asked for with one question: its cost is shared, and no more than these are in memory."""

Results: TypeAlias = Mapping[tuple[str, str, str], tuple[bool, bytes]]
"""(subject, stage, fingerprint) → whether the stage failed, and what it left."""


class Album:
    """Puts the records of paths together again from the store."""

    def __init__(
        self,
        store: Store,
        stages: Stages,
        model_absence: Statement,
        *,
        revised: Callable[[Claim], Claim] | None = None,
    ) -> None:
        """Prepare to read what *store* keeps.

        Args:
            store: the case database.
            stages: the fingerprints of the results.
            model_absence: why no model looked.
            revised: gives a claim as the other files of the case make it, which each file alone cannot tell.
        """
        self._revised = revised
        self._store = store
        self._stages = stages
        self._model_absence = model_absence

    def photo(self, row_id: int) -> tuple[Photo, datetime]:
        """Return everything known of one source, and when it was acquired."""
        return next(self.photos((row_id,)))

    def photos(self, row_ids: Sequence[int]) -> Iterator[tuple[Photo, datetime]]:
        """Stream everything known of sources, and when each was acquired, in the order asked for."""
        rows = self._rows(row_ids)
        while window := list(islice(rows, PHOTOS_AT_ONCE)):
            found = [self._claim(kept, source, known) for source, known, _, kept in window]
            for (source, _, acquired, kept), claim, sun in zip(window, found, _suns(found), strict=True):
                photo = Photo(
                    source=source,
                    claim=claim,
                    sun=sun,
                    image=self._image(kept, source),
                    prediction=self._prediction(kept, source),
                    opinions=self._opinions(kept, source),
                    unread=self._unread(kept, source),
                )
                yield photo, acquired

    def told(self, row_ids: Sequence[int]) -> Iterator[Photo]:
        """Stream photos for whoever tells what they claim and what models say: claims without the tags.

        Facts of the picture and unread tags of plugged-in readers are left out.
        """
        further = [stage for stage in self._stages.further if stage.startswith(SEEING)]
        yield from self._lean(row_ids, CLAIM, VISION, *further, without=_UNTOLD)

    def lean(self, row_ids: Sequence[int]) -> Iterator[Photo]:
        """Stream photos for whoever reads neither tags nor pixels: claims without the tags and what is odd of them.

        Facts of the picture, further opinions and unread tags of plugged-in readers are left out.
        """
        yield from self._lean(row_ids, CLAIM, VISION, without=_UNREAD_BY_LISTS)

    def _lean(self, row_ids: Sequence[int], *stages: str, without: Sequence[str]) -> Iterator[Photo]:
        rows = self._rows(row_ids, *stages)
        has_opinions = len(stages) > len((CLAIM, VISION))
        while window := list(islice(rows, PHOTOS_AT_ONCE)):
            found = [self._claim(kept, source, known, without=without) for source, known, _, kept in window]
            for (source, _, _, kept), claim, sun in zip(window, found, _suns(found), strict=True):
                left_out = Unexamined(source.source_id, "decode", "")
                opinions = self._opinions(kept, source) if has_opinions else ()
                yield Photo(source, claim, sun, left_out, self._prediction(kept, source), opinions)

    def claim(self, row_id: int) -> Claim | Unexamined:
        """Return what one source says of itself, without its picture."""
        return next(self.claims((row_id,)))[1]

    def claims(
        self, row_ids: Sequence[int], *, without: Sequence[str] = (), tags: Sequence[str] | None = None
    ) -> Iterator[tuple[Source, Claim | Unexamined]]:
        """Stream sources and what each says of itself, without its picture, in the order asked for.

        Args:
            row_ids: of the sources.
            without: fields of the claims that hold several values and are left empty, as ``tags``: it takes less time.
            tags: the only ones that are wanted.
        """
        for source, known, _, kept in self._rows(row_ids, CLAIM):
            yield source, self._claim(kept, source, known, without=without, tags=tags)

    def _rows(self, row_ids: Sequence[int], *stages: str) -> Iterator[tuple[Source, StoredSource, datetime, Results]]:
        """Yield each source with the results of its *stages*; of all but tags and previews when none is named."""
        named = [*stages, *map(without_package, stages)]
        of_stages = ResultRow.stage.in_(named) if stages else ResultRow.stage.not_in((METADATA, PREVIEW))
        for first in range(0, len(row_ids), PHOTOS_AT_ONCE):
            wanted = list(row_ids[first : first + PHOTOS_AT_ONCE])
            with self._store.reading() as session:
                found = session.execute(select(*SourceRow.__table__.c).where(SourceRow.id.in_(wanted)))
                rows = {row.id: (*both_of(row), datetime.fromisoformat(row.acquired_utc)) for row in found}
                subjects = {name for source, _, _ in rows.values() for name in (source.source_id, source.sha256)}
                asked = select(*_RESULT).where(ResultRow.subject.in_(subjects), of_stages)
                kept = {
                    (subject, stage, fingerprint): (failed, payload)
                    for subject, stage, fingerprint, failed, payload in session.execute(asked)
                }
            for row_id in wanted:
                yield (*rows[row_id], kept)

    def preview(self, sha256: str) -> bytes | None:
        """Return the downscaled picture, when the content was decoded."""
        found = self._store.result(sha256, PREVIEW, self._stages.image, bytes)
        return found if isinstance(found, bytes) else None

    def _claim(
        self,
        kept: Results,
        source: Source,
        known: StoredSource,
        *,
        without: Sequence[str] = (),
        tags: Sequence[str] | None = None,
    ) -> Claim | Unexamined:
        key = claim_key(self._stages, known)
        found = _result(kept, source.source_id, CLAIM, key, Claim, without=without, tags=tags)
        return self._told(found) if isinstance(found, Claim) else _unexamined(source, "metadata", found)

    def _told(self, claim: Claim) -> Claim:
        return claim if self._revised is None else self._revised(claim)

    def _image(self, kept: Results, source: Source) -> ImageFacts | Unexamined:
        found = _result(kept, source.sha256, IMAGE, self._stages.image, ImageFacts)
        return found if isinstance(found, ImageFacts) else _unexamined(source, "decode", found)

    def _prediction(self, kept: Results, source: Source) -> Prediction | Unexamined:
        if not self._stages.vision:
            return Unexamined(source.source_id, "vision", self._model_absence)
        found = _result(kept, source.sha256, VISION, self._stages.vision, Prediction)
        if isinstance(found, Prediction):
            return replace(found, source_id=source.source_id)
        return _unexamined(source, "vision", found)

    def _opinions(self, kept: Results, source: Source) -> tuple[Prediction | Unexamined, ...]:
        """Return what further models said of a photo."""
        said: list[Prediction | Unexamined] = []
        for stage, key in self._stages.further.items():
            if stage.startswith(SEEING):
                found = _result(kept, source.sha256, stage, key, Prediction)
                if isinstance(found, Prediction):
                    said.append(replace(found, source_id=source.source_id))
                else:
                    said.append(_unexamined(source, stage, found))
        return tuple(said)

    def _unread(self, kept: Results, source: Source) -> tuple[Unexamined, ...]:
        """Return which plugged-in readers could not read a photo's tags."""
        missing: list[Unexamined] = []
        for stage, key in self._stages.further.items():
            if stage.startswith(READING):
                found = _result(kept, source.sha256, stage, key, TagsRead)
                if not isinstance(found, TagsRead):
                    missing.append(_unexamined(source, stage, found))
        return tuple(missing)


_UNTOLD = ("tags", "counters", "unread")
_UNREAD_BY_LISTS = ("tags", "warnings", "repeated", "unread")


def _result(
    kept: Results,
    subject: str,
    stage: str,
    fingerprint: str,
    kind: type[R],
    *,
    without: Sequence[str] = (),
    tags: Sequence[str] | None = None,
) -> R | tuple[Statement, str] | None:
    """Return a stage's record; else why there is none, be it only for want of a package."""
    found = kept.get((subject, stage, fingerprint)) or kept.get((subject, without_package(stage), fingerprint))
    if found is None:
        return None
    failed, payload = found
    if failed:
        return unpack(tuple[Statement, str], payload)
    return cast(R, claim_of(payload, without=without, tags=tags)) if kind is Claim else unpack(kind, payload)


def _suns(found: Sequence[Claim | Unexamined]) -> list[Sun | Absent]:
    """Return where the sun stood for each claim: of many at once it costs little more than of one."""
    suns = iter(claims.suns([claim for claim in found if isinstance(claim, Claim)]))
    return [next(suns) if isinstance(claim, Claim) else Absent.UNDERIVABLE for claim in found]


def _unexamined(source: Source, stage: str, found: object) -> Unexamined:
    reason, detail = found if isinstance(found, tuple) else (Sentence("it was never reached"), "")
    return Unexamined(source.source_id, stage, reason, detail)
