"""A question put together of words, a time, examples and counter-examples, asked of one case or of several.

What has an embedding (an example, a time, a place) is composed as the papers do: the normalised weighted mean of unit
vectors, what is not wanted with a negative weight. Words that were learned as heads have no embedding of their own:
they order the photos by themselves, and the ranks are joined (:mod:`.retrieval`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.case import search
from gtloc_forensics.case.calendar_words import When
from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.case.query_words import Meaning, There, understood
from gtloc_forensics.case.retrieval import Answer, Hit, Query, in_order
from gtloc_forensics.case.view import StoredCase
from gtloc_forensics.earth import gazetteer
from gtloc_forensics.errors import MissingExtra, UsageError, WeightsError
from gtloc_forensics.records import Environment, Position, Sentence, Statement
from gtloc_forensics.vision import library, words
from gtloc_forensics.vision.words import WordHeads

if TYPE_CHECKING:
    from gtloc_forensics.vision.text_tower import TextTower

LIKE, NOT_LIKE, TEXT, TIME, PLACE = "like", "not-like", "text", "time", "place"
KINDS = (LIKE, NOT_LIKE, TEXT, TIME, PLACE)
"""What can be weighed in a composed question."""

_YEAR_SAMPLES, _DAY_SAMPLES = 24, 24
_LEAST_LENGTH = 1e-3
"""Of the mean of unit vectors: below it the parts cancel each other."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked beside the conditions.

    Attributes:
        text: words for what is seen, when and where.
        time: words or figures for a time alone.
        like, not_like: photos of the first case, or files.
        weights: of :data:`KINDS`; 1 where none is given.
    """

    text: str = ""
    time: str = ""
    like: tuple[str, ...] = ()
    not_like: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)


def find(cases: Sequence[CaseFolder], query: Query, asked: Asked, *, named: str = "", limit: int | None = 20) -> Answer:
    """Search the newest examinations of *cases*, the first of which examples are taken from.

    Args:
        cases: one or more.
        query: conditions and what :func:`gtloc_forensics.case.search.find` can do.
        asked: the rest.
        named: words that stand in a photo's name, tags, camera, place or results.
        limit: the most hits to return; None for all.

    Raises:
        CaseError: no examination was completed.
        UsageError: something of the question cannot be answered, and why; nothing was searched then.
    """
    environments = [case.view().examined_with for case in cases]
    heads, why_none = _heads(environments[0]) if asked.text or asked.time else (None, "")
    reading = Reading(search.Seeing(environments[0]))
    meaning = Meaning()
    if asked.text.strip():
        meaning = understood(asked.text, heads, why_none=why_none, why_no_tower=reading.why_not)
    meaning = _with_time(meaning, asked.time, heads)
    is_composed = bool(len(asked.like) > 1 or asked.not_like or meaning.phrases or meaning.when or meaning.there)
    if is_composed or asked.like or meaning.sought:
        _same_eyes(environments)
    query = replace(query, sought=meaning.sought)
    if is_composed:
        query = replace(query, composed=_composed(cases[0], asked, meaning, reading))
    elif asked.like:
        view = cases[0].view()
        query = replace(query, like=search.example_of(view, asked.like[0], search.Seeing(view.examined_with)))
    if len(cases) == 1:
        answer = search.find(cases[0], query, words=named, limit=limit)
    else:
        each = {str(case.folder): search.find(case, query, words=named, limit=None) for case in cases}
        answer = merged(each, query, limit=limit)
    return replace(
        answer,
        hits=tuple(replace(hit, place=town_of(hit)) for hit in answer.hits),
        read_as=meaning.read_as,
        word_heads=heads.sha256 if heads is not None and meaning.sought else "",
        text_tower=reading.tower().weights_sha256 if meaning.phrases else "",
    )


def town_of(hit: Hit) -> str:
    """Return the town by which people would call the claimed position of a hit; "" where none is claimed."""
    return "" if hit.position is None else _town(hit.position)


@lru_cache(maxsize=4096)
def _town(position: Position) -> str:
    town = gazetteer.well_known(position)
    return f"{gazetteer.told(town)} ({town.distance_km:.0f} km)"


def _with_time(meaning: Meaning, time: str, heads: WordHeads | None) -> Meaning:
    if not time.strip():
        return meaning
    also = understood(time, heads, why_no_tower=lambda: Sentence("it is no time"))
    if also.sought or also.there or also.when is None or meaning.when is not None:
        raise UsageError(
            Sentence("--time is a time alone, as “18:30”, “December” or “Christmas evening”, and asked once")
        )
    return replace(meaning, when=also.when, read_as=meaning.read_as + also.read_as)


# --------------------------------------------------------------------------- who looked


def _heads(environment: Environment) -> tuple[WordHeads | None, Statement]:
    """Return the words of the model that looked at the case, or why there are none."""
    name = environment.model_name
    if not name:
        return None, _nobody_looked(environment)
    try:
        folder = library.find_by_name(name)
        found = words.read(folder, weights_sha256=environment.model.get("weights", ""))
    except WeightsError as error:
        return None, error.args[0]
    return found, "" if found else Sentence("no words were learned for the model {model}", model=name)


def _nobody_looked(environment: Environment) -> Statement:
    why = environment.model_absence or Sentence("the audit ran without a model")
    return Sentence("what pictures show cannot be asked: no model looked at them ({why})", why=why)


class Reading:
    """The text tower of the model that looked at a case, loaded when first asked for."""

    def __init__(self, seeing: search.Seeing) -> None:
        """Load nothing before it is asked for."""
        self._seeing = seeing
        self._tower: TextTower | None = None

    def tower(self) -> TextTower:
        """Return the tower that belongs to the very model that looked at the case.

        Raises:
            WeightsError: there is none, and why.
            MissingExtra: transformers is not installed.
        """
        if self._tower is None:
            from gtloc_forensics.vision import text_tower

            model = self._seeing.model()
            if model is None:
                raise WeightsError(Sentence("the model that looked at the case is not installed with the same weights"))
            self._tower = text_tower.of_model(model)
        return self._tower

    def why_not(self) -> Statement:
        """Return why no words can be read; "" where they can."""
        if not self._seeing.environment.model_name:
            return _nobody_looked(self._seeing.environment)
        try:
            self.tower()
        except (WeightsError, MissingExtra) as error:
            why: Statement = error.args[0]
            return why
        return ""

    def embedded(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return ``[N, D]`` unit vectors of texts in the space of the model."""
        model = self._seeing.model()
        return _unit_rows(
            None if model is None else model.embedded_features(self.tower().features(texts)), Sentence("words")
        )


def _same_eyes(environments: Sequence[Environment]) -> None:
    seen = {environment.model.get("weights", "") for environment in environments}
    if len(seen) > 1:
        raise UsageError(
            Sentence(
                "the cases were looked at by different models, whose embeddings cannot be compared; "
                "audit them with the same --model, or ask for what is claimed alone"
            )
        )


# --------------------------------------------------------------------------- the mean


def _composed(case: CaseFolder, asked: Asked, meaning: Meaning, reading: Reading) -> NDArray[np.float32]:
    view = case.view()
    seeing = search.Seeing(view.examined_with)
    parts = [(LIKE, 1.0, _example(view, name, seeing)) for name in asked.like]
    parts += [(NOT_LIKE, -1.0, _example(view, name, seeing)) for name in asked.not_like]
    if meaning.phrases:
        read = reading.embedded([phrase.text for phrase in meaning.phrases])
        parts += [(TEXT, -1.0 if p.absent else 1.0, row) for p, row in zip(meaning.phrases, read, strict=True)]
    if meaning.when is not None:
        parts.append((TIME, 1.0, _time(seeing, meaning.when)))
    if meaning.there is not None:
        parts.append((PLACE, 1.0, _place(seeing, meaning.there)))
    return mean_of([(sign * asked.weights.get(kind, 1.0), vector) for kind, sign, vector in parts])


def mean_of(parts: Sequence[tuple[float, NDArray[np.float32]]]) -> NDArray[np.float32]:
    """Return the normalised weighted mean of unit vectors.

    Raises:
        UsageError: they cancel each other.
    """
    total = np.sum([weight * vector.astype(np.float64) for weight, vector in parts], axis=0)
    length = float(np.linalg.norm(total)) / max(sum(abs(weight) for weight, _ in parts), 1e-12)
    if not length > _LEAST_LENGTH:
        raise UsageError(
            Sentence("the parts of the question cancel each other; leave one out or weigh them otherwise (--weigh)")
        )
    return np.asarray(total / np.linalg.norm(total), np.float32)


def _example(view: StoredCase, name: str, seeing: search.Seeing) -> NDArray[np.float32]:
    found = search.example_of(view, name, seeing)
    if found.embedding is None:
        raise UsageError(
            Sentence(
                "{name} has no embedding to compose with: no model looked at it; use --like alone", name=found.name
            )
        )
    return found.embedding


def _time(seeing: search.Seeing, when: When) -> NDArray[np.float32]:
    """Return the mean over the time that is asked, evenly: over all hours where only a season is, and the reverse."""
    year = _samples(when.year or (0.0, 1.0), 1.0, _YEAR_SAMPLES)
    day = _samples(when.hours or (0.0, 24.0), 24.0, _DAY_SAMPLES) / 24.0
    turns = np.stack(np.meshgrid(year, day, indexing="ij"), axis=-1).reshape(-1, 2)
    model = seeing.model()
    found = None if model is None else model.embedded_times(turns)
    return _unit(found, Sentence("times"))


def _place(seeing: search.Seeing, there: There) -> NDArray[np.float32]:
    points = np.array([[point.latitude_deg, point.longitude_deg] for point in there.points])
    model = seeing.model()
    found = None if model is None else model.embedded_places(points)
    return _unit(found, Sentence("places"))


def _samples(span: tuple[float, float], turn: float, count: int) -> NDArray[np.float64]:
    """Return the middles of *count* equal parts of a span that may run over the end."""
    begin, end = span
    length = (end - begin) % turn or turn
    return (begin + length * (np.arange(count) + 0.5) / count) % turn


def _unit(vectors: NDArray[np.float32] | None, what: Sentence) -> NDArray[np.float32]:
    return mean_of([(1.0, vector) for vector in _unit_rows(vectors, what)])


def _unit_rows(vectors: NDArray[np.float32] | None, what: Sentence) -> NDArray[np.float32]:
    if vectors is None:
        raise UsageError(
            Sentence(
                "{what} cannot be compared with pictures: the model that looked at the case knows none, or is not "
                "installed with the same weights; `gtloc model list` shows what is",
                what=what,
            )
        )
    return vectors


def merged(answers: Mapping[str, Answer], query: Query, *, limit: int | None = 20) -> Answer:
    """Return the answers of several cases, all of their hits, as one in one order; each hit says whose it is.

    Args:
        answers: by the name of the case.
        query: what was asked of each.
        limit: the most hits to return; None for all.
    """
    hits = [replace(hit, case=name) for name, answer in answers.items() for hit in answer.hits]
    unknown: Counter[str] = Counter()
    for answer in answers.values():
        unknown.update(answer.unknown)
    looked_at = sum(answer.looked_at for answer in answers.values())
    return Answer(tuple(in_order(hits, query)[:limit]), len(hits), looked_at, dict(unknown))
