"""A question put together of words, a time, examples and counter-examples, asked of one case or of several.

What has an embedding (an example, a time, a place) is composed as the papers do: the normalised weighted mean of unit
vectors, what is not wanted with a negative weight. Words that were learned as heads have no embedding of their own:
they order the photos by themselves, and the ranks are joined (:mod:`.retrieval`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gtloc_forensics.case import search
from gtloc_forensics.case.calendar_words import When
from gtloc_forensics.case.folder import CaseFolder
from gtloc_forensics.case.query_words import Meaning, There, understood
from gtloc_forensics.case.retrieval import Answer, Example, Query, in_order
from gtloc_forensics.case.search import Watched
from gtloc_forensics.case.system_search import AskedSystem
from gtloc_forensics.case.towns import town_of
from gtloc_forensics.errors import MissingExtra, UsageError, WeightsError
from gtloc_forensics.records import Environment, Sentence, Statement
from gtloc_forensics.vision import library, words
from gtloc_forensics.vision.words import WordHeads

if TYPE_CHECKING:
    from gtloc_forensics.vision.text_tower import TextTower

LIKE, NOT_LIKE, TEXT, TIME, PLACE = "like", "not-like", "text", "time", "place"
KINDS = (LIKE, NOT_LIKE, TEXT, TIME, PLACE)
"""What can be weighed in a composed question."""

_YEAR_SAMPLES, _DAY_SAMPLES = 24, 24
_FUSED_SAMPLES = 6  # of the year and of the day: each is seen with each of up to 40 places
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
        system: a second opinion that is asked instead of the first model; :mod:`.system_search`.
    """

    text: str = ""
    time: str = ""
    like: tuple[str, ...] = ()
    not_like: tuple[str, ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict)
    system: str = ""


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
    seeing = search.Seeing(environments[0])
    reading = Reading(seeing)
    meaning = Meaning()
    if asked.text.strip():
        meaning = understood(asked.text, heads, why_none=why_none, why_no_tower=reading.why_not)
    meaning = _with_time(meaning, asked.time, heads)
    system = AskedSystem(asked.system, environments) if asked.system else None
    watched: Watched = iter
    if system is not None:
        _refuse_what_no_system_sees(query, asked, meaning)
        watched = system.seen
    is_composed = bool(len(asked.like) > 1 or asked.not_like or meaning.phrases or meaning.when or meaning.there)
    if system is None and (is_composed or asked.like or meaning.sought):
        _same_eyes(environments)
    query = replace(query, sought=meaning.sought)
    examples = _Examples(cases[0], None if system is not None else seeing, watched)
    if is_composed:
        time_and_place = _fused(system, meaning, asked) if system is not None else _parts(seeing, meaning)
        query = replace(query, composed=_composed(asked, examples, [*_read(reading, meaning), *time_and_place]))
    elif asked.like:
        query = replace(query, like=examples.example(asked.like[0]))
    if len(cases) == 1:
        answer = search.find(cases[0], query, words=named, limit=limit, watched=watched)
    else:
        enough = limit if _one_scale(query) else None  # ranks on several scales are those among all hits
        each = {
            str(case.folder): search.find(case, query, words=named, limit=enough, watched=watched) for case in cases
        }
        answer = merged(each, query, limit=limit)
    return replace(
        answer,
        hits=tuple(replace(hit, place=town_of(hit)) for hit in answer.hits),
        read_as=meaning.read_as if system is None else (*meaning.read_as, system.told()),
        word_heads=heads.sha256 if heads is not None and meaning.sought else "",
        text_tower=reading.tower().weights_sha256 if meaning.phrases else "",
    )


def _one_scale(query: Query) -> bool:
    """Whether hits are put in order by one likeness at most: then the first of each case are enough."""
    return (query.like is not None) + query.shows + (query.composed is not None) + 2 * bool(query.sought) <= 1


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


Part = tuple[str, float, NDArray[np.float32]]
"""Of which of :data:`KINDS`, with which sign, and its unit vector."""


@dataclass(frozen=True, slots=True)
class _Examples:
    """Where examples are found: among the photos of a case, read by way of *watched*; else a file the model sees."""

    case: CaseFolder
    seeing: search.Seeing | None
    watched: Watched

    def example(self, name: str) -> Example:
        case = self.case if self.watched is iter else None  # of what another system saw the index knows nothing
        return search.example_of(self.case.view(), name, self.seeing, watched=self.watched, case=case)

    def embedding(self, name: str) -> NDArray[np.float32]:
        found = self.example(name)
        if found.embedding is None:
            raise UsageError(
                Sentence(
                    "{name} has no embedding to compose with: no model looked at it; use --like alone", name=found.name
                )
            )
        return found.embedding


def _composed(asked: Asked, examples: _Examples, further: Sequence[Part]) -> NDArray[np.float32]:
    parts = [(LIKE, 1.0, examples.embedding(name)) for name in asked.like]
    parts += [(NOT_LIKE, -1.0, examples.embedding(name)) for name in asked.not_like]
    parts += further
    return mean_of([(sign * asked.weights.get(kind, 1.0), vector) for kind, sign, vector in parts])


def _read(reading: Reading, meaning: Meaning) -> list[Part]:
    if not meaning.phrases:
        return []
    rows = reading.embedded([phrase.text for phrase in meaning.phrases])
    return [(TEXT, -1.0 if p.absent else 1.0, row) for p, row in zip(meaning.phrases, rows, strict=True)]


def _parts(seeing: search.Seeing, meaning: Meaning) -> list[Part]:
    """Return the time and the place, each by itself: they are added (late fusion)."""
    parts: list[Part] = []
    if meaning.when is not None:
        parts.append((TIME, 1.0, _time(seeing, meaning.when)))
    if meaning.there is not None:
        parts.append((PLACE, 1.0, _place(seeing, meaning.there)))
    return parts


def _fused(system: AskedSystem, meaning: Meaning, asked: Asked) -> list[Part]:
    """Return the time and the place as the system sees them, together where both are asked (early fusion)."""
    if meaning.when is None and meaning.there is None:
        return []
    if meaning.when is not None and meaning.there is not None and {TIME, PLACE} & asked.weights.keys():
        raise UsageError(Sentence("a time and a place that are seen together cannot be weighed apart"))
    turns = None if meaning.when is None else _turns(meaning.when, _FUSED_SAMPLES, _FUSED_SAMPLES)
    points = None if meaning.there is None else _points(meaning.there)
    kind = PLACE if meaning.when is None else TIME
    return [(kind, 1.0, mean_of([(1.0, vector) for vector in system.fused(turns, points)]))]


def _refuse_what_no_system_sees(query: Query, asked: Asked, meaning: Meaning) -> None:
    if meaning.sought or meaning.phrases or query.shows:
        raise UsageError(
            Sentence("with --system only times, places and examples of the case can be asked for, and what is claimed")
        )
    if not (asked.like or asked.not_like or meaning.when or meaning.there):
        raise UsageError(Sentence("--system needs something to look for: --time, a place in --text, --like"))


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


def _time(seeing: search.Seeing, when: When) -> NDArray[np.float32]:
    """Return the mean over the time that is asked, evenly: over all hours where only a season is, and the reverse."""
    model = seeing.model()
    found = None if model is None else model.embedded_times(_turns(when, _YEAR_SAMPLES, _DAY_SAMPLES))
    return _unit(found, Sentence("times"))


def _turns(when: When, years: int, days: int) -> NDArray[np.float64]:
    """Return times that stand for a stretch, ``[years · days, 2]`` turns of the year and of the day."""
    year = _samples(when.year or (0.0, 1.0), 1.0, years)
    day = _samples(when.hours or (0.0, 24.0), 24.0, days) / 24.0
    return np.stack(np.meshgrid(year, day, indexing="ij"), axis=-1).reshape(-1, 2)


def _place(seeing: search.Seeing, there: There) -> NDArray[np.float32]:
    model = seeing.model()
    found = None if model is None else model.embedded_places(_points(there))
    return _unit(found, Sentence("places"))


def _points(there: There) -> NDArray[np.float64]:
    return np.array([[point.latitude_deg, point.longitude_deg] for point in there.points])


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
    matching = sum(answer.matching for answer in answers.values())
    return Answer(tuple(in_order(hits, query)[:limit]), matching, looked_at, dict(unknown))
