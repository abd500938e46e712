"""A photo put together again from the rows that its stages left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

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
from gtloc_forensics.store.codec import unpack
from gtloc_forensics.store.database import Store
from gtloc_forensics.store.keys import (
    CLAIM,
    IMAGE,
    PREVIEW,
    READING,
    SEEING,
    VISION,
    Stages,
    claim_key,
    without_package,
)
from gtloc_forensics.store.rows import StoredSource, source_of, stored_source_of
from gtloc_forensics.store.schema import ResultRow, SourceRow

R = TypeVar("R")


class Album:
    """Puts the records of one path together again from the store."""

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
        source, known, acquired = self._store.source(row_id)
        claim = self._claim(source, known)
        photo = Photo(
            source=source,
            claim=claim,
            sun=_sun(claim),
            image=self._image(source),
            prediction=self._prediction(source),
            opinions=self._opinions(source),
            unread=self._unread(source),
        )
        return photo, acquired

    def claim(self, row_id: int) -> Claim | Unexamined:
        """Return what one source says of itself, without its picture."""
        source, stored, _ = self._store.source(row_id)
        return self._claim(source, stored)

    def claims(self, row_ids: Sequence[int], *, without: Sequence[str] = ()) -> list[tuple[Source, Claim | Unexamined]]:
        """Return sources and what each says of itself, in the order asked for; some hundred at a time.

        Args:
            row_ids: of the sources.
            without: fields of the claims that hold several values and are left empty, as ``tags``: it takes less time.
        """

        def thin(built: dict[str, Any]) -> None:
            built.update({name: type(built[name])() for name in without})

        with self._store.reading() as session:
            of_ids = session.scalars(select(SourceRow).where(SourceRow.id.in_(row_ids)))
            rows = {row.id: (source_of(row)[0], stored_source_of(row)) for row in of_ids}
            names = {source.source_id for source, _ in rows.values()}
            kept = select(ResultRow).where(ResultRow.stage == CLAIM, ResultRow.subject.in_(names), ~ResultRow.failed)
            packed = {(row.subject, row.fingerprint): row.payload for row in session.scalars(kept)}
        found: list[tuple[Source, Claim | Unexamined]] = []
        for row_id in row_ids:
            source, known = rows[row_id]
            payload = packed.get((source.source_id, claim_key(self._stages, known)))
            claim = self._claim(source, known) if payload is None else self._told(unpack(Claim, payload, thin=thin))
            found.append((source, claim))
        return found

    def preview(self, sha256: str) -> bytes | None:
        """Return the downscaled picture, when the content was decoded."""
        found = self._store.result(sha256, PREVIEW, self._stages.image, bytes)
        return found if isinstance(found, bytes) else None

    def _claim(self, source: Source, known: StoredSource) -> Claim | Unexamined:
        found = self._result(source.source_id, CLAIM, claim_key(self._stages, known), Claim)
        return self._told(found) if isinstance(found, Claim) else _unexamined(source, "metadata", found)

    def _told(self, claim: Claim) -> Claim:
        return claim if self._revised is None else self._revised(claim)

    def _image(self, source: Source) -> ImageFacts | Unexamined:
        found = self._result(source.sha256, IMAGE, self._stages.image, ImageFacts)
        return found if isinstance(found, ImageFacts) else _unexamined(source, "decode", found)

    def _prediction(self, source: Source) -> Prediction | Unexamined:
        if not self._stages.vision:
            return Unexamined(source.source_id, "vision", self._model_absence)
        found = self._result(source.sha256, VISION, self._stages.vision, Prediction)
        if isinstance(found, Prediction):
            return replace(found, source_id=source.source_id)
        return _unexamined(source, "vision", found)

    def _opinions(self, source: Source) -> tuple[Prediction | Unexamined, ...]:
        """Return what further models said of a photo."""
        said: list[Prediction | Unexamined] = []
        for stage, key in self._stages.further.items():
            if stage.startswith(SEEING):
                found = self._result(source.sha256, stage, key, Prediction)
                if isinstance(found, Prediction):
                    said.append(replace(found, source_id=source.source_id))
                else:
                    said.append(_unexamined(source, stage, found))
        return tuple(said)

    def _unread(self, source: Source) -> tuple[Unexamined, ...]:
        """Return which plugged-in readers could not read a photo's tags."""
        missing: list[Unexamined] = []
        for stage, key in self._stages.further.items():
            if stage.startswith(READING):
                found = self._result(source.sha256, stage, key, TagsRead)
                if not isinstance(found, TagsRead):
                    missing.append(_unexamined(source, stage, found))
        return tuple(missing)

    def _result(self, subject: str, stage: str, fingerprint: str, kind: type[R]) -> R | tuple[Statement, str] | None:
        """Return a stage's record; else why there is none, be it only for want of a package."""
        found = self._store.result(subject, stage, fingerprint, kind)
        return self._store.result(subject, without_package(stage), fingerprint, kind) if found is None else found


def _sun(claim: Claim | Unexamined) -> Sun | Absent:
    return claims.sun(claim) if isinstance(claim, Claim) else Absent.UNDERIVABLE


def _unexamined(source: Source, stage: str, found: object) -> Unexamined:
    reason, detail = found if isinstance(found, tuple) else (Sentence("it was never reached"), "")
    return Unexamined(source.source_id, stage, reason, detail)
